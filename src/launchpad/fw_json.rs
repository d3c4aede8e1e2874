//! `FW.json`: the firework as it is run, with its launches in full, as FireWorks writes it into the
//! launch directory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::store::Claim;
use crate::workflow::{Launch, json};

const NAME: &str = "FW.json";

/// Writes it. `others` are the firework's launches besides this one. An error comes with its path.
pub fn write(claim: &Claim, others: &[Launch]) -> Result<(), (PathBuf, io::Error)> {
    let path = Path::new(&claim.launch.launch_dir).join(NAME);
    let launches = [others, std::slice::from_ref(&claim.launch)].concat();
    let document = claim.firework.to_dictionary(&launches);
    let text = indented(&Value::Object(json::from_document(&document)));
    let written = text.and_then(|text| {
        let written = fs::File::create(&path)?.write_all(&text);
        // Half of it would only keep a directory alive that nobody needs.
        written.inspect_err(|_| drop(fs::remove_file(&path)))
    });
    written.map_err(|error| (path, error))
}

fn indented(value: &Value) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    serde::Serialize::serialize(value, &mut serializer)?;
    Ok(text)
}
