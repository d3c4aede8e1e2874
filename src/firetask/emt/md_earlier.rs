//! Takes over what an earlier run of molecular dynamics has left: of each file by itself the part that reaches
//! without a hole to the step where it is taken up. What else is in such a file is never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use super::md_lines::Lines;
use super::md_records::Part;

/// An earlier run, and the step where it is taken up.
#[derive(Clone, Copy)]
pub struct Earlier<'a> {
    /// Where its files are, or were.
    pub directory: &'a Path,
    /// Steps that count.
    pub step: usize,
}

/// A file that grows by a record every so many steps.
pub struct Growing<'a> {
    /// Where it is to be.
    pub directory: &'a Path,
    /// Its name.
    pub name: &'static str,
    /// What it is, in a word.
    pub what: &'static str,
    /// How it begins.
    pub head: &'static str,
    /// Steps from record to record.
    pub interval: usize,
}

impl Growing<'_> {
    /// The part of the earlier file that is taken over, and what `scan` has found in it.
    pub fn find<T>(
        &self,
        earlier: Earlier,
        scan: impl FnOnce(&mut Lines) -> io::Result<(Part, T)>,
    ) -> Option<(Part, T)> {
        let path = earlier.directory.join(self.name);
        let (what, shown) = (self.what, path.display());
        let found = File::open(&path).and_then(|file| scan(&mut Lines::new(file)));
        let (part, found) =
            found.inspect_err(|error| warn!("the {what} of the earlier run, {shown}, is lost: {error}")).ok()?;
        let expected = earlier.step / self.interval * self.interval;
        if part.last != Some(expected) {
            warn!("the {what} of the earlier run, {shown}, does not reach to step {expected}: it begins anew there");
            return None;
        }
        if part.start > self.head.len() as u64 {
            warn!("the {what} of the earlier run, {shown}, has a hole: only what follows that is taken over");
        }
        Some((part, found))
    }

    /// The file, ready for what comes next, with that part of an earlier one.
    pub fn open(&self, earlier: Option<(Earlier, Part)>) -> io::Result<File> {
        let path = self.directory.join(self.name);
        let is_here = |earlier: Earlier| {
            fs::canonicalize(earlier.directory)
                .is_ok_and(|there| fs::canonicalize(self.directory).is_ok_and(|here| here == there))
        };
        let taken = earlier.map(|(earlier, part)| (earlier.directory.join(self.name), is_here(earlier), part));
        if let Some((_, true, part)) = taken
            && part.start == self.head.len() as u64
        {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(part.end)?;
            file.seek(SeekFrom::End(0))?;
            return Ok(file);
        }
        let aside = set_aside(&path)?;
        let mut file = File::create(&path)?;
        file.write_all(self.head.as_bytes())?;
        if let Some((from, is_here, part)) = taken {
            let mut from = File::open(aside.filter(|_| is_here).unwrap_or(from))?;
            from.seek(SeekFrom::Start(part.start))?;
            io::copy(&mut io::Read::take(from, part.end - part.start), &mut file)?;
        }
        Ok(file)
    }
}

/// Gives a file that has something another name: `md.1.log` for `md.log`.
fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    if !fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(None);
    }
    let kind = path.extension().unwrap_or_default().to_string_lossy();
    let name = |number: usize| path.with_extension(format!("{number}.{kind}"));
    let Some(aside) = (1..).map(name).find(|name| !name.exists()) else { return Ok(None) };
    fs::rename(path, &aside)?;
    info!("{} was there already: it is {} now", path.display(), aside.display());
    Ok(Some(aside))
}
