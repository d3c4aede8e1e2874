//! The facts behind the sentence, in an order for people and as data.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::sentence::{holder, sentence};
use super::{Facts, Queued};
use crate::workflow::time::{from_text, to_iso};

/// Everything as one object: `fw_id`, `state`, `sentence`, `facts`.
pub fn value(facts: &Facts) -> Value {
    json!({
        "fw_id": facts.fw_id,
        "name": facts.name,
        "state": facts.state.as_str(),
        "sentence": sentence(facts),
        "facts": Value::Object(known(facts)),
    })
}

/// The facts that are known.
fn known(facts: &Facts) -> Map<String, Value> {
    let mut map = Map::new();
    let mut note = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    if let Some(since) = facts.since {
        note("since", to_iso(since).into());
    }
    if !facts.parents.is_empty() {
        let parent = |one: &super::Parent| json!({"fw_id": one.fw_id, "name": one.name, "state": one.state.as_str()});
        note("parents", facts.parents.iter().map(parent).collect());
    }
    for (key, value) in
        [("workflow_locked_by", &facts.locked_by), ("only_on_worker", &facts.fworker), ("category", &facts.category)]
    {
        if let Some(text) = value {
            note(key, text.as_str().into());
        }
    }
    if let Some(until) = facts.not_before {
        note("not_before", to_iso(until).into());
    }
    if !facts.at_work.is_empty() {
        let worker = |one: &super::AtWork| json!({"name": one.name, "categories": one.categories});
        note("workers_at_work", facts.at_work.iter().map(worker).collect());
    }
    if !facts.launchers.is_empty() {
        note("launchers", facts.launchers.clone().into());
    }
    if !facts.unable.is_empty() {
        note("unable", facts.unable.clone().into());
    }
    if let Some(launch) = &facts.launch {
        note("launch_id", launch.launch_id.into());
        note("launch_state", launch.state.as_str().into());
        for (key, value) in [("host", &launch.host), ("launch_dir", &launch.dir)] {
            note(key, value.as_str().into());
        }
        if let Some(heard) = launch.heard {
            note("last_heard", to_iso(heard).into());
        }
        if let Some(advance) = launch.advance.as_ref().filter(|_| !launch.state.is_final()) {
            note("progress", advance.words().into());
        }
        // What has ended is held by nobody.
        if let Some(lease) = launch.lease.as_ref().filter(|_| !launch.state.is_final()) {
            note("lease_of", holder(lease).into());
            note("lease_until", to_iso(lease.until).into());
        }
        if let Some((job, queued)) = &launch.job {
            note("queue_job", job.as_str().into());
            let words = match queued {
                Queued::There(words) => words.as_str(),
                Queued::Gone => "not in the queue any more",
                Queued::Unknown(why) => why,
                Queued::Unasked => "",
            };
            if !words.is_empty() {
                note("queue_says", words.into());
            }
        }
        if let Some(error) = &launch.error {
            note("error", error.as_str().into());
        }
    }
    if !facts.losses.is_empty() {
        let losses = facts.losses.iter().map(|(launch_id, loss, at)| {
            json!({"launch_id": launch_id, "cause": loss.cause.as_str(), "reason": loss.text, "at": at.map(to_iso)})
        });
        note("losses", losses.collect());
    }
    map
}

/// The same in lines, after the sentence; with `look`, moments as they look from then.
pub fn lines(facts: &Facts, look: impl Fn(Timestamp) -> Option<String>) -> Vec<String> {
    let said = sentence(facts);
    let mut lines = vec![said.clone()];
    let moment = |value: Value| match value.as_str().and_then(from_text) {
        Some(at) => look(at).map_or(value, Value::from),
        None => value,
    };
    for (key, value) in known(facts) {
        let value = if TIMES.contains(&key.as_str()) { moment(value) } else { value };
        match value {
            // The sentence has told that already.
            Value::Array(several) => lines
                .extend(several.iter().filter(|one| !is_in(one, &said)).map(|one| format!("  {key}: {}", plain(one)))),
            one => lines.push(format!("  {key}: {}", plain(&one))),
        }
    }
    lines
}

/// The facts that are moments.
const TIMES: [&str; 4] = ["since", "not_before", "last_heard", "lease_until"];

/// Whether a text has these words.
fn is_in(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|words| !words.is_empty() && text.contains(words))
}

/// A value without the marks of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            let parts = map.iter().filter(|(_, value)| !value.is_null());
            parts.map(|(key, value)| format!("{key} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(several) => several.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
