//! An input or output of a command: how it stands on the command line, where it comes from and where
//! it goes.

use bson::{Bson, Document};

use super::super::TaskFailure;
use super::super::params::{BadTask, Params};
use super::of_spec;
use crate::science::io::python;

/// The parameter they stand in.
pub const COMMAND_SPEC: &str = "command_spec";

/// One input or output.
pub struct Argument {
    /// What comes before the value on the command line: prefix and separator.
    pub binding: String,
    /// Where it comes from.
    pub source: Option<End>,
    /// Where it goes.
    pub target: Option<End>,
}

/// One end of an argument, with all that is said of it.
pub struct End(pub Document);

/// Says what an argument should be, when it is not.
pub type Check = fn(&Argument) -> Option<&'static str>;

impl End {
    /// `path`, `data`, `stdin`, ...
    pub fn kind(&self) -> &str {
        self.0.get_str("type").unwrap_or_default()
    }

    /// The value as it stands on a command line: what Python's `str` makes of it.
    pub fn text(&self) -> Option<String> {
        Some(match self.0.get("value")? {
            Bson::String(text) => text.clone(),
            Bson::Int32(number) => number.to_string(),
            Bson::Int64(number) => number.to_string(),
            Bson::Double(number) => python::repr(*number),
            Bson::Boolean(flag) => if *flag { "True" } else { "False" }.to_owned(),
            _ => return None,
        })
    }

    /// The value, if it can be a path.
    pub fn path(&self) -> Option<&str> {
        self.0.get_str("value").ok().filter(|path| !path.is_empty())
    }
}

/// Reads the arguments of labels.
pub struct Reader<'a> {
    /// The task.
    pub params: &'a Params<'a>,
    /// Its `command_spec`.
    pub command_spec: &'a Document,
}

impl Reader<'_> {
    /// Checks the arguments that stand in the task; those that the spec brings are checked when they
    /// are read.
    pub fn check(&self, labels: &[&str], check: Check) -> Result<(), BadTask> {
        for label in labels {
            if let Some(given) = self.given(label)?
                && !PARTS.iter().any(|part| given.get_str(part).is_ok())
            {
                self.argument(label, given, check)?;
            }
        }
        Ok(())
    }

    /// The arguments of a label; what it says of the spec is looked up.
    pub fn arguments(&self, label: &str, spec: &Document, check: Check) -> Result<Vec<Argument>, TaskFailure> {
        if let Some(given) = self.given(label)? {
            let mut given = given.clone();
            for part in PARTS {
                if let Ok(key) = given.get_str(part) {
                    given.insert(part, of_spec(spec, key, COMMAND_SPEC)?.clone());
                }
            }
            return Ok(vec![self.argument(label, &given, check)?]);
        }
        let key = self.command_spec.get_str(label).unwrap_or_default();
        let items = match of_spec(spec, key, COMMAND_SPEC)? {
            Bson::Array(items) => items.as_slice(),
            // FireWorks' documentation allows a single one; its code then takes the keys for items.
            single => std::slice::from_ref(single),
        };
        let argument = |item: &Bson| match item {
            Bson::Document(item) if item.contains_key("source") => self.argument(label, item, check),
            Bson::Document(item) => self.argument(label, &bson::doc! {"source": item.clone()}, check),
            _ => Err(self.wrong(label, "the key of a list of mappings in the spec")),
        };
        Ok(items.iter().map(argument).collect::<Result<_, _>>()?)
    }

    /// What stands under a label; none when it names a key of the spec.
    fn given(&self, label: &str) -> Result<Option<&Document>, BadTask> {
        match self.command_spec.get(label) {
            Some(Bson::Document(given)) => Ok(Some(given)),
            Some(Bson::String(_)) => Ok(None),
            _ => Err(self.wrong(label, "a mapping of binding, source and target, or a key of the spec")),
        }
    }

    fn argument(&self, label: &str, given: &Document, check: Check) -> Result<Argument, BadTask> {
        let part = |name| match given.get(name) {
            None | Some(Bson::Null) => Ok(None),
            Some(Bson::Document(part)) => Ok(Some(part)),
            Some(_) => Err(self.wrong(&format!("{label}.{name}"), "a mapping, or a key of the spec")),
        };
        let mut binding = String::new();
        if let Some(given) = part("binding")? {
            for piece in ["prefix", "separator"] {
                match given.get(piece) {
                    // FireWorks' documentation allows null; its code then fails.
                    None | Some(Bson::Null) => {}
                    Some(Bson::String(text)) => binding += text,
                    Some(_) => return Err(self.wrong(&format!("{label}.binding.{piece}"), "a string")),
                }
            }
        }
        let end = |name| Ok(part(name)?.cloned().map(End));
        let argument = Argument { binding, source: end("source")?, target: end("target")? };
        if [&argument.source, &argument.target].into_iter().flatten().any(|end| end.kind() == "identifier") {
            let why = "`type: identifier` is a file in the FilePad, which only Python FireWorks has; \
                       use `path` or `data`";
            return Err(BadTask::Contradiction { task: self.params.task, why });
        }
        check(&argument).map_or(Ok(argument), |expected| Err(self.wrong(label, expected)))
    }

    fn wrong(&self, label: &str, expected: &'static str) -> BadTask {
        self.params.wrong(&format!("{COMMAND_SPEC}.{label}"), expected)
    }
}

/// The parts of an argument; each may be the name of a key of the spec.
const PARTS: [&str; 3] = ["binding", "source", "target"];
