//! What a failure is about, without what is different each time: two failures with equal causes are
//! of one group.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::store::failures::Failure;

/// A reason to fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// The type of the exception, where there was one: `ValueError`.
    pub exception: Option<String>,
    /// What it said; numbers, paths, ids and quoted words are left out.
    pub message: String,
    /// The task that failed.
    pub task: Option<String>,
    /// Where in its code (`solve, scf.py`), or the last words of the command that it ran.
    pub place: Option<String>,
}

/// Longer messages are cut: what comes so late is no reason any more.
const LONGEST: usize = 300;

/// What is put in the place of what is different each time.
const OTHERS: [(&str, &str); 6] = [
    (r"'\[[^\]]*\]'", "'…'"),
    (r#"(^|\W)(?:'[^']*'|"[^"]*"|`[^`]*`)"#, "$1'…'"),
    (r"(^|[\s(\[=,:])(?:~|\.{1,2})?/[^\s:,;)\]]+", "$1<path>"),
    (r"\b0x[0-9a-fA-F]+\b", "<id>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"(^|[^A-Za-z0-9.])[-+]?\d+(?:\.\d+)*(?:[eE][-+]?\d+)?", "$1<n>"),
];

/// Words of digits and letters that stand for something: hashes.
const HASH: &str = r"\b[0-9a-f]{8,}\b";
/// A command that ended badly, with the return codes of all commands so far.
const RETURN_CODE: &str = r"^(.*Return code: )\[(?:.*, )?(-?\d+)\]";
/// The same of commands that Python has run.
const EXIT_STATUS: &str = r"^(.*\bexit (?:status|code):? )(-?\d+)\b(.*)$";
/// Exceptions that quote names of the program, not data: which name it is, is the reason.
const OF_NAMES: [&str; 7] =
    ["AttributeError", "ImportError", "KeyError", "ModuleNotFoundError", "NameError", "TypeError", "UnboundLocalError"];
/// A frame of Python's traceback, and the line that ends it.
const FRAME: &str = r#"^\s+File "(.*)", line \d+, in (.+)$"#;
const RAISED: &str = r"^([A-Za-z_][\w.]*)(?::\s*(.*))?$";

/// The patterns; the crate's own, so that they are always good.
struct Patterns {
    others: Vec<(Regex, &'static str)>,
    hash: Regex,
    return_code: Regex,
    exit_status: Regex,
    frame: Regex,
    raised: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let others = OTHERS.iter().map(|&(pattern, instead)| Some((Regex::new(pattern).ok()?, instead)));
    Some(Patterns {
        others: others.collect::<Option<_>>()?,
        hash: Regex::new(HASH).ok()?,
        return_code: Regex::new(RETURN_CODE).ok()?,
        exit_status: Regex::new(EXIT_STATUS).ok()?,
        frame: Regex::new(FRAME).ok()?,
        raised: Regex::new(RAISED).ok()?,
    })
});

impl Cause {
    /// The reason of a failure; of one that nothing is known of, that.
    pub fn of(failure: Option<&Failure>) -> Self {
        let unknown = || Cause { message: "nothing is known of its failure".to_owned(), ..Cause::default() };
        let Some(failure) = failure else { return unknown() };
        let task = failure.task.as_deref().map(short_name);
        let Some((trace, patterns)) = failure.trace.as_deref().zip(PATTERNS.as_ref()) else {
            return Cause { task, ..unknown() };
        };
        let read = patterns.python(trace).unwrap_or_else(|| patterns.report(trace));
        Cause { task, ..read }
    }

    /// `ValueError: no atoms in <path>`
    pub fn words(&self) -> String {
        match &self.exception {
            Some(exception) if self.message.is_empty() => exception.clone(),
            Some(exception) => format!("{exception}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// `{{module.Task}}` without what is around it.
fn short_name(name: &str) -> String {
    let name = name.trim_matches(['{', '}']);
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

impl Patterns {
    /// Reads a traceback: its last frame, and the exception below that.
    fn python(&self, trace: &str) -> Option<Cause> {
        let lines: Vec<&str> = trace.lines().collect();
        let (at, frame) =
            lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, self.frame.captures(line)?)))?;
        let below = lines[at + 1..].iter().skip_while(|line| line.starts_with(char::is_whitespace));
        let mut below = below.filter(|line| !line.trim().is_empty());
        let raised = below.next().copied().unwrap_or_default();
        let file = frame[1].rsplit('/').next().unwrap_or_default();
        let (exception, message) = match self.raised.captures(raised) {
            Some(parts) => (Some(parts[1].to_owned()), parts.get(2).map_or("", |message| message.as_str())),
            None => (None, raised),
        };
        let message = if message.is_empty() { below.next().copied().unwrap_or_default() } else { message };
        let place = Some(format!("{}, {file}", &frame[2]));
        let names = exception.as_deref().is_some_and(|one| OF_NAMES.contains(&one));
        let message = if names { self.without(message, &self.others[2..]) } else { self.normal(message) };
        Some(Cause { exception, message, task: None, place })
    }

    /// Reads what Volley writes: lines around the failure that are set in, and the message.
    fn report(&self, trace: &str) -> Cause {
        let is_around = |line: &&str| line.starts_with("  ");
        let is_report = trace.starts_with("firework ") && trace.lines().nth(1).is_some_and(|line| is_around(&line));
        if !is_report {
            let message = trace.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            return Cause { message: self.normal(message), ..Cause::default() };
        }
        let said = trace.lines().skip(1).take_while(is_around).filter(|line| line.starts_with("    "));
        let message = trace.lines().skip(1).skip_while(is_around).find(|line| !line.is_empty()).unwrap_or_default();
        let place = said.last().map(|line| self.normal(line.trim())).filter(|line| !line.is_empty());
        Cause { exception: None, message: self.normal(message), task: None, place }
    }

    /// A message without what is different each time. How a command ended is not.
    fn normal(&self, message: &str) -> String {
        if let Some(parts) = self.return_code.captures(message) {
            return format!("{}{}", self.normal(&parts[1]), &parts[2]);
        }
        if let Some(parts) = self.exit_status.captures(message) {
            return format!("{}{}{}", self.normal(&parts[1]), &parts[2], self.normal(&parts[3]));
        }
        self.without(message, &self.others)
    }

    /// A message without what these patterns find, and without hashes.
    fn without(&self, message: &str, others: &[(Regex, &'static str)]) -> String {
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let hash = |found: &Captures<'_>| if is_number(&found[0]) { found[0].to_owned() } else { "<id>".to_owned() };
        let mut text: String = message.chars().take(LONGEST).collect();
        for (place, (pattern, instead)) in others.iter().enumerate() {
            if place + 1 == others.len() {
                text = self.hash.replace_all(&text, hash).into_owned();
            }
            text = pattern.replace_all(&text, *instead).into_owned();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trace: &str) -> Cause {
        let failure =
            Failure { task: Some("{{my.tasks.Solve}}".into()), trace: Some(trace.into()), ..Failure::default() };
        Cause::of(Some(&failure))
    }

    #[test]
    fn what_differs_each_time_is_left_out() {
        for (message, expected) in [
            ("cannot open '/a/b.txt': 2", "cannot open '…': <n>"),
            ("can't read /scratch/x-1/POSCAR, line 12", "can't read <path>, line <n>"),
            ("object at 0x7f00aa is gone", "object at <id> is gone"),
            ("job 0199c5a2-11aa-7bb0-8000-0123456789ab and deadbeef01", "job <id> and <id>"),
            ("energy -1.5e-3 eV/Å after 20 steps", "energy <n> eV/Å after <n> steps"),
            ("12345678 is too many, 1.2.3 is not", "<n> is too many, <n> is not"),
            ("ScriptTask fizzled! Return code: [0, 127]", "ScriptTask fizzled! Return code: 127"),
            ("", ""),
        ] {
            assert_eq!(of(message).message, expected, "{message}");
        }
        assert_eq!(of(&"é".repeat(1000)).message.chars().count(), LONGEST);
    }

    #[test]
    fn tracebacks_name_the_exception_and_the_last_frame() {
        let trace = "Traceback (most recent call last):\n  File \"/opt/run.py\", line 3, in run_task\n    solve(x)\n  \
                     File \"/home/me/scf.py\", line 77, in solve\n    raise NotConverged(n)\n    ^^^^^^\n\
                     scf.NotConverged: no convergence after 50 steps\nTry a smaller mixing.\n";
        let expected = Cause {
            exception: Some("scf.NotConverged".into()),
            message: "no convergence after <n> steps".into(),
            task: Some("Solve".into()),
            place: Some("solve, scf.py".into()),
        };
        assert_eq!(of(trace), expected);
        assert_eq!(expected.words(), "scf.NotConverged: no convergence after <n> steps");
        let bare =
            of("Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nKeyboardInterrupt\n");
        assert_eq!(bare.words(), "KeyboardInterrupt");
    }

    #[test]
    fn names_of_the_program_and_how_a_command_ended_are_reasons() {
        for (raised, expected) in [
            ("ModuleNotFoundError: No module named 'pymatgen'", "ModuleNotFoundError: No module named 'pymatgen'"),
            ("KeyError: 'energy'", "KeyError: 'energy'"),
            ("KeyError: 'mp-149'", "KeyError: 'mp-<n>'"),
            ("FileNotFoundError: [Errno 2] No such file: 'a'", "FileNotFoundError: [Errno <n>] No such file: '…'"),
            (
                "subprocess.CalledProcessError: Command '['srun', '-n', '4', 'vasp']' returned non-zero exit status 1.",
                "subprocess.CalledProcessError: Command '…' returned non-zero exit status 1.",
            ),
            (
                "subprocess.CalledProcessError: Command 'srun -n 4 vasp' returned non-zero exit status 139.",
                "subprocess.CalledProcessError: Command '…' returned non-zero exit status 139.",
            ),
        ] {
            let trace =
                format!("Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\n{raised}\n");
            assert_eq!(of(&trace).words(), expected);
        }
    }

    #[test]
    fn reports_of_commands_tell_their_last_words() {
        let trace = "firework 3 (list), task 2 of 4: ScriptTask\n  in directory /scratch/launcher_1\n  command: ls /nowhere\n  \
                     last lines of stderr:\n    one\n    ls: cannot access '/nowhere': No such file\n\
                     ScriptTask fizzled! Return code: [0, 2]";
        let cause = of(trace);
        assert_eq!(cause.message, "ScriptTask fizzled! Return code: 2");
        assert_eq!(cause.place.as_deref(), Some("ls: cannot access '…': No such file"));
        assert_eq!(Cause::of(None).words(), "nothing is known of its failure");
    }
}
