//! Where in its worker a firework runs. Every command that it runs is told, and what the worker wants
//! before every command is put there.

use std::process::Command;

use crate::config::Wrap;
use crate::store::ledger;

/// A slot, or several, with their nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seat {
    slot: usize,
    nodes: Vec<String>,
    wrap: Vec<String>,
}

impl Seat {
    /// The first of its slots, and the names of its nodes.
    pub fn new(slot: usize, nodes: Vec<String>, wrap: &Wrap) -> Self {
        let wrap = wrap.words(slot, &nodes);
        Seat { slot, nodes, wrap }
    }

    /// The variables that say so.
    pub fn exports(&self) -> [(&'static str, String); 3] {
        [
            ("VOLLEY_SLOT", self.slot.to_string()),
            ("VOLLEY_NODELIST", self.nodes.join(",")),
            ("VOLLEY_NNODES", self.nodes.len().to_string()),
        ]
    }

    /// A command of the firework, for people: with what is put before it.
    pub fn shown(&self, command: &str) -> String {
        match shlex::try_join(self.wrap.iter().map(String::as_str)) {
            Ok(wrap) if !wrap.is_empty() => format!("{wrap} {command}"),
            _ => command.to_owned(),
        }
    }

    /// A command of the firework: these words, of which there is at least one.
    pub fn command(&self, words: &[impl AsRef<str>]) -> Command {
        let mut all = self.wrap.iter().map(String::as_str).chain(words.iter().map(AsRef::as_ref));
        let mut command = Command::new(all.next().unwrap_or_default());
        command.args(all).envs(self.exports());
        leave_place(&mut command);
        command
    }
}

/// The place of the worker's job is not that of what a task starts, which may be another worker.
pub fn leave_place(command: &mut Command) {
    command.env_remove(ledger::PLACE_VARIABLE).env_remove(ledger::LEDGER_VARIABLE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_wrapped_and_told_where_it_is() {
        let wrap = Wrap::parse("srun -N {nodes} -w {nodelist} --slot={slot}").expect("is good");
        let seat = Seat::new(2, vec!["n3".into(), "n4".into()], &wrap);
        let command = seat.command(&["sh", "-c", "true"]);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(command.get_program(), "srun");
        assert_eq!(words, ["-N", "2", "-w", "n3,n4", "--slot=2", "sh", "-c", "true"]);
        let variables: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?))).collect();
        assert_eq!(variables, [("VOLLEY_NNODES", "2"), ("VOLLEY_NODELIST", "n3,n4"), ("VOLLEY_SLOT", "2")]);
        assert_eq!(Seat::default().command(&["true"]).get_program(), "true");
    }
}
