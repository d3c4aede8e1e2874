//! Which of the READY fireworks wait for another worker than those that have met them, and why.

use crate::firetask::{self, Need, Thing};
use crate::store::{Result, Store, WorkerRecord};
use crate::workflow::{Firework, State};

/// A line for each firework and each worker on record that cannot run it.
pub fn lines(store: &dyn Store, fireworks: &[Firework]) -> Result<Vec<String>> {
    let reasons = reasons(store, fireworks)?.into_iter();
    Ok(reasons.map(|(firework, why)| format!("{} {}: {why}", firework.fw_id, firework.name)).collect())
}

/// The fireworks with such workers, and why these cannot.
pub fn reasons<'f>(store: &dyn Store, fireworks: &'f [Firework]) -> Result<Vec<(&'f Firework, String)>> {
    let ready = fireworks.iter().filter(|firework| firework.state == State::Ready);
    let needy: Vec<_> = ready
        .map(|firework| (firework, firetask::needs(&firework.spec)))
        .filter(|(_, needs)| !needs.is_empty())
        .collect();
    if needy.is_empty() {
        return Ok(Vec::new());
    }
    let records = store.worker_records()?;
    let mut lines = Vec::new();
    for (firework, needs) in needy {
        for record in &records {
            if let Some((need, reason)) = needs.iter().find_map(|need| Some((need, reason(record, need)?))) {
                let (name, host, task) = (&record.name, &record.host, &need.task);
                lines.push((firework, format!("worker {name} on {host} cannot run {task}: {reason}")));
            }
        }
    }
    Ok(lines)
}

fn reason<'r>(record: &'r WorkerRecord, need: &Need) -> Option<&'r str> {
    let reason = match &need.thing {
        Thing::Class(name) => record.cannot.get(name),
        Thing::Package(name) => record.lacks.get(name),
    };
    reason.map(String::as_str)
}
