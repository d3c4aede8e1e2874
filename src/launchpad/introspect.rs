//! `introspect`: what FIZZLED fireworks have in common that COMPLETED ones have not, as FireWorks'
//! `Introspector` finds it.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};

use super::LaunchpadError;
use crate::science::io::python::repr;
use crate::store::{Direction, FireworkQuery, SortKey, Store, WorkflowQuery};
use crate::workflow::json::from_bson;
use crate::workflow::{Firework, LaunchId, State};

/// Where something was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the errors of launches.
    Stacktraces,
    /// In the names of tasks.
    Tasks,
    /// In the specs of fireworks.
    Specs,
    /// In the metadata of workflows.
    Metadata,
}

impl Place {
    /// FireWorks' name for it.
    pub fn path(self) -> &'static str {
        match self {
            Place::Stacktraces => "launches.actions.stored_data._exception._stacktrace",
            Place::Tasks => "fireworks.spec._tasks",
            Place::Specs => "fireworks.spec",
            Place::Metadata => "workflows.metadata",
        }
    }
}

/// Something that is met more often with one state than with the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Trait {
    /// A key, with those above it.
    pub key: String,
    /// Its value.
    pub value: String,
    /// How many of those that have COMPLETED have it.
    pub completed: u64,
    /// How many of those that have FIZZLED.
    pub fizzled: u64,
    /// Per cent of the former less per cent of the latter.
    pub difference: f64,
}

/// How often each key and value is met, and among how many.
#[derive(Default)]
struct Seen {
    numbers: BTreeMap<(String, String), u64>,
    samples: u64,
}

impl Seen {
    fn add(&mut self, pairs: Vec<(String, String)>) {
        self.samples += 1;
        pairs.into_iter().for_each(|pair| *self.numbers.entry(pair).or_default() += 1);
    }

    fn per_cent(&self, pair: &(String, String)) -> f64 {
        self.numbers.get(pair).map_or(0.0, |number| *number as f64 / self.samples as f64 * 100.0)
    }
}

/// What differs by at least `threshold` per cent, place by place, among the last `most` of each state.
pub fn introspect(store: &dyn Store, most: usize, threshold: f64) -> Result<Vec<(Place, Vec<Trait>)>, LaunchpadError> {
    let sort = Some((SortKey::UpdatedOn, Direction::Descending));
    let fireworks = |state| {
        store.find_fireworks(&FireworkQuery { states: vec![state], sort, limit: most, ..FireworkQuery::default() })
    };
    let workflows = |state| {
        store.find_workflows(&WorkflowQuery { states: vec![state], sort, limit: most, ..WorkflowQuery::default() })
    };
    let (fizzled, completed) = (fireworks(State::Fizzled)?, fireworks(State::Completed)?);
    let traces = differences(&Seen::default(), &seen(stacktraces(store, &fizzled)?), threshold);
    let of = |pairs: fn(&Document) -> Vec<(String, String)>| {
        let seen = |found: &[Firework]| seen(found.iter().map(|firework| pairs(&firework.spec)));
        differences(&seen(&completed), &seen(&fizzled), threshold)
    };
    let (tasks, specs) = (of(task_names), of(flat));
    let metadata = |state| {
        let found = workflows(state)?;
        Ok::<_, LaunchpadError>(seen(
            found.iter().map(|one| one.get_document("metadata").map(flat).unwrap_or_default()),
        ))
    };
    let metadata = differences(&metadata(State::Completed)?, &metadata(State::Fizzled)?, threshold);
    Ok(vec![(Place::Stacktraces, traces), (Place::Tasks, tasks), (Place::Specs, specs), (Place::Metadata, metadata)])
}

fn seen(samples: impl IntoIterator<Item = Vec<(String, String)>>) -> Seen {
    let mut seen = Seen::default();
    samples.into_iter().for_each(|pairs| seen.add(pairs));
    seen
}

/// The errors of the FIZZLED launches of fireworks.
fn stacktraces(store: &dyn Store, fizzled: &[Firework]) -> Result<Vec<Vec<(String, String)>>, LaunchpadError> {
    let ids: Vec<LaunchId> = fizzled.iter().flat_map(|firework| firework.launches.iter().copied()).collect();
    let launches = store.find_launches(&ids)?.into_iter().filter(|launch| launch.state == State::Fizzled);
    let trace = |action: &Document| {
        let exception = action.get_document("stored_data").ok()?.get_document("_exception").ok()?;
        exception.get_str("_stacktrace").ok().map(str::to_owned)
    };
    Ok(launches
        .map(|launch| {
            let trace = launch.action.as_ref().and_then(trace).unwrap_or_else(|| "<NO_STACKTRACE>".to_owned());
            vec![("_stacktrace".to_owned(), trace)]
        })
        .collect())
}

fn task_names(spec: &Document) -> Vec<(String, String)> {
    let tasks = spec.get_array("_tasks").into_iter().flatten().filter_map(Bson::as_document);
    tasks.filter_map(|task| Some(("_fw_name".to_owned(), task.get_str("_fw_name").ok()?.to_owned()))).collect()
}

/// Keys of one and of two steps with their values; what is deeper, or a list of such, is left out.
fn flat(document: &Document) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (key, value) in document {
        match value {
            Bson::Document(inner) => {
                for (below, value) in inner {
                    pairs.extend(words(value).into_iter().map(|word| (format!("{key}.{below}"), word)));
                }
            }
            value => pairs.extend(words(value).into_iter().map(|word| (key.clone(), word))),
        }
    }
    pairs
}

/// A value, or those of a list.
fn words(value: &Bson) -> Vec<String> {
    match value {
        Bson::Document(_) => Vec::new(),
        Bson::Array(items) if items.iter().any(|item| matches!(item, Bson::Array(_) | Bson::Document(_))) => Vec::new(),
        Bson::Array(items) => items.iter().map(python_str).collect(),
        value => vec![python_str(value)],
    }
}

/// What Python's `str` makes of it.
fn python_str(value: &Bson) -> String {
    match value {
        Bson::Null => "None".to_owned(),
        Bson::Boolean(true) => "True".to_owned(),
        Bson::Boolean(false) => "False".to_owned(),
        Bson::Double(number) => repr(*number),
        Bson::String(text) => text.clone(),
        other => from_bson(other).as_str().map_or_else(|| other.to_string(), str::to_owned),
    }
}

/// What differs enough, the highest difference first.
fn differences(completed: &Seen, fizzled: &Seen, threshold: f64) -> Vec<Trait> {
    let all: BTreeSet<&(String, String)> = completed.numbers.keys().chain(fizzled.numbers.keys()).collect();
    let number = |seen: &Seen, pair| seen.numbers.get(pair).copied().unwrap_or_default();
    let mut found: Vec<Trait> = all
        .into_iter()
        .map(|pair| Trait {
            key: pair.0.clone(),
            value: pair.1.clone(),
            completed: number(completed, pair),
            fizzled: number(fizzled, pair),
            difference: completed.per_cent(pair) - fizzled.per_cent(pair),
        })
        .filter(|one| one.difference.abs() >= threshold)
        .collect();
    found.sort_by(|a, b| b.difference.total_cmp(&a.difference));
    found
}
