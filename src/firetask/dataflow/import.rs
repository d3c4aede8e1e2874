//! `ImportDataTask`: puts what is in a JSON or YAML file into the spec.

use std::fs;
use std::path::Path;

use bson::{Bson, Document, doc};
use serde_json::Value;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure};
use crate::config::read;
use crate::workflow::{FwAction, json};

/// Puts the content of `filename` at `mapstring`, `a/b/c`.
pub struct ImportDataTask;

const NAME: &str = "ImportDataTask";

impl Firetask for ImportDataTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&["filename", "mapstring"])?;
        settings(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let (filename, mapstring) = settings(&Params { task: NAME, values: run.task })?;
        let path = run.directory.join(filename);
        let data = json::to_bson(&content(&path)?);
        let (top, below) = mapstring.split_once('/').map_or((mapstring, None), |(top, below)| (top, Some(below)));
        // Only the value that is changed goes to the children, whole.
        let mut changed = doc! {};
        changed.extend(run.spec.get(top).map(|present| (top.to_owned(), present.clone())));
        let mut place = &mut changed;
        let mut key = top;
        for next in below.into_iter().flat_map(|below| below.split('/')) {
            place = place.get_document_mut(key).map_err(|_| lacks(key))?;
            key = next;
        }
        match (data, place.get_mut(key)) {
            (Bson::Document(data), Some(Bson::Document(present))) => present.extend(data),
            (Bson::Document(_), Some(_)) => return Err(lacks(key)),
            (data, _) => drop(place.insert(key, data)),
        }
        Ok(FwAction { update_spec: changed, ..FwAction::default() })
    }
}

fn lacks(key: &str) -> TaskFailure {
    TaskFailure::SpecLacks { expected: "mapping", key: key.to_owned(), named_by: "mapstring" }
}

fn settings<'a>(params: &Params<'a>) -> Result<(&'a str, &'a str), BadTask> {
    let (key, expected) = ("filename", "the name of a file that ends with .json or .yaml");
    let filename = params.needed_text(key, expected)?;
    if !filename.ends_with(".json") && !filename.ends_with(".yaml") {
        return Err(params.wrong(key, expected));
    }
    Ok((filename, params.needed_text("mapstring", "keys of the spec, `a/b/c`")?))
}

fn content(path: &Path) -> Result<Value, TaskFailure> {
    let bytes = fs::read(path).map_err(|source| TaskFailure::File { verb: "read", path: path.to_owned(), source })?;
    let wrong = |reason: String| TaskFailure::Contents { path: path.to_owned(), reason };
    let text = read::text(bytes).map_err(|error| wrong(error.to_string()))?;
    if path.extension().is_some_and(|extension| extension == "json") {
        return serde_json::from_str(&text).map_err(|error| wrong(error.to_string()));
    }
    serde_saphyr::from_str_with_options(&text, read::yaml_options())
        .map_err(|error| wrong(read::yaml_mistake(&error).1))
}
