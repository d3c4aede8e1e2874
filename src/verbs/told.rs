//! What is told of a verb that has been carried out.

use crate::launchpad::cancel::Stop;
use crate::launchpad::error::list;
use crate::launchpad::steer::Turn;
use crate::launchpad::words::number;

/// What came of it, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// How many fireworks or workflows have changed of those that were asked for, and their duplicates.
    pub count: usize,
    /// What somebody may not expect.
    pub warned: Vec<String>,
    /// What was done.
    pub done: Vec<String>,
    /// What was not, and why.
    pub refused: Vec<String>,
}

/// Says what was done and stopped. `finished` says it of so many.
pub fn told(turns: &[Turn], stops: &[Stop], finished: impl FnOnce(usize) -> String) -> Told {
    let mut told = Told::default();
    for turn in turns {
        match &turn.result {
            Err(error) => told.refused.push(error.to_string()),
            Ok(_) if turn.is_duplicate => told.done.push(format!("Also: duplicate fw_id {}", turn.fw_id)),
            Ok(steered) if !steered.replaced.is_empty() => told.warned.push(format!(
                "fw_id {}: {} that earlier runs had added will be added anew; the old ones ({}) are kept, ARCHIVED, in a workflow of their own",
                turn.fw_id,
                number(steered.replaced.len(), "firework"),
                list(&steered.replaced)
            )),
            Ok(_) => {}
        }
    }
    told.count = turns.len() - told.refused.len();
    if told.count > 0 {
        told.done.push(finished(told.count));
    }
    told.stops(stops);
    told
}

impl Told {
    /// Adds what was stopped, and what could not be.
    pub fn stops(&mut self, stops: &[Stop]) {
        for stop in stops {
            let lines = if stop.is_failure() { &mut self.refused } else { &mut self.done };
            lines.push(stop.to_string());
        }
    }
}
