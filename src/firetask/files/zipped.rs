//! Files that may be compressed. Which way, FireWorks tells from the end of the name: gzip (`.gz`,
//! `.z`) or bzip2 (`.bz2`).

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use bzip2::write::BzEncoder;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::super::Interrupt;
use super::pour;

/// The ends of names that FireWorks looks for, in its order.
const ENDS: [&str; 7] = ["", ".gz", ".GZ", ".bz2", ".BZ2", ".z", ".Z"];

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// By gzip.
    Gz,
    /// By bzip2.
    Bz2,
}

impl Compression {
    /// The one a name tells of.
    pub fn of(path: &Path) -> Option<Self> {
        match end(path)?.as_str() {
            "gz" | "z" => Some(Compression::Gz),
            "bz2" => Some(Compression::Bz2),
            _ => None,
        }
    }

    /// What it adds to a name.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::Gz => "gz",
            Compression::Bz2 => "bz2",
        }
    }

    /// What is in a file.
    pub fn decode<'r>(self, from: impl Read + 'r) -> Box<dyn Read + 'r> {
        let from = BufReader::new(from);
        match self {
            Compression::Gz => Box::new(MultiGzDecoder::new(from)),
            Compression::Bz2 => Box::new(MultiBzDecoder::new(from)),
        }
    }

    /// Compresses what is read.
    pub fn encode(self, from: impl Read, to: impl Write, interrupt: &Interrupt) -> io::Result<()> {
        match self {
            Compression::Gz => {
                let mut encoder = GzEncoder::new(to, flate2::Compression::default());
                pour(from, &mut encoder, interrupt)?;
                encoder.finish().map(drop)
            }
            Compression::Bz2 => {
                let mut encoder = BzEncoder::new(to, bzip2::Compression::best());
                pour(from, &mut encoder, interrupt)?;
                encoder.finish().map(drop)
            }
        }
    }
}

fn end(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// The file of this name, or else a compressed one.
pub fn find(path: PathBuf) -> PathBuf {
    let name = path.to_string_lossy().into_owned();
    let plain = ENDS[1..].iter().fold(name.as_str(), |name, end| name.strip_suffix(end).unwrap_or(name));
    ENDS.iter().map(|end| PathBuf::from(format!("{plain}{end}"))).find(|path| path.exists()).unwrap_or(path)
}

/// Reads what is in a file, decompressed.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    Ok(match Compression::of(path) {
        Some(compression) => compression.decode(file),
        None => Box::new(file),
    })
}

/// Copies what is in a file into another, which need not be compressed in the same way.
pub fn copy(from: &Path, to: &Path, interrupt: &Interrupt) -> io::Result<()> {
    let (is, becomes) = (Compression::of(from), Compression::of(to));
    let is_xz = |path| matches!(end(path).as_deref(), Some("xz" | "lzma"));
    if is_xz(from) != is_xz(to) {
        let why = "xz is copied as it is, to a name that ends alike, or not at all";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    if is == becomes {
        return pour(File::open(from)?, File::create(to)?, interrupt);
    }
    let content = open(from)?;
    match becomes {
        Some(compression) => compression.encode(content, File::create(to)?, interrupt),
        None => pour(content, File::create(to)?, interrupt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn content_survives_every_pair_of_kinds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let interrupt = Interrupt::default();
        fs::write(path("a"), "content\n").expect("writes");
        let ends = ["", ".gz", ".bz2", ".Z"];
        for (number, from) in ends.iter().enumerate() {
            let from = path(&format!("from{number}{from}"));
            copy(&path("a"), &from, &interrupt).expect("compresses");
            for to in ends {
                let to = path(&format!("to{to}"));
                copy(&from, &to, &interrupt).expect("copies");
                let mut text = String::new();
                open(&to).and_then(|mut file| file.read_to_string(&mut text)).expect("reads");
                assert_eq!(text, "content\n", "{from:?} {to:?}");
            }
        }
        assert_ne!(fs::read(path("to.gz")).expect("reads"), b"content\n");
    }

    #[test]
    fn compressed_files_are_found_and_xz_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("log.bz2"), "x").expect("writes");
        assert_eq!(find(path("log")), path("log.bz2"));
        assert_eq!(find(path("log.gz")), path("log.bz2"));
        assert_eq!(find(path("none")), path("none"));
        fs::write(path("a.xz"), "raw").expect("writes");
        let interrupt = Interrupt::default();
        copy(&path("a.xz"), &path("b.xz"), &interrupt).expect("copies");
        assert_eq!(fs::read(path("b.xz")).expect("reads"), b"raw");
        assert!(copy(&path("a.xz"), &path("b"), &interrupt).expect_err("is refused").to_string().contains("xz"));
    }
}
