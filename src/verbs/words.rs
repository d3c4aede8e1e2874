//! What the verbs are called, and what is said of them before and after.

use crate::store::Verb;

/// What is about to happen: `pause 3 fireworks`.
pub fn what(verb: Verb, entries: &str) -> String {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails => format!("run {entries} again, and all that depend on them"),
        Verb::Recover(_) => format!("run {entries} again from where they were, and all that depend on them"),
        Verb::Defuse | Verb::DefuseWorkflow => format!("defuse {entries}"),
        Verb::DefuseWholeWorkflow => format!("defuse {entries}, also what is COMPLETED or FIZZLED in it"),
        Verb::Reignite | Verb::ReigniteWorkflow => format!("reignite {entries}"),
        Verb::Pause | Verb::PauseWorkflow => format!("pause {entries}"),
        Verb::Resume | Verb::ResumeWorkflow => format!("resume {entries}"),
        Verb::ArchiveWorkflow => format!("archive {entries}, for good"),
    }
}

/// The verb of `lpad` that does this.
pub fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => "rerun_fws",
        Verb::Defuse => "defuse_fws",
        Verb::Reignite => "reignite_fws",
        Verb::Pause => "pause_fws",
        Verb::Resume => "resume_fws",
        Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => "defuse_wflows",
        Verb::ReigniteWorkflow => "reignite_wflows",
        Verb::PauseWorkflow => "pause_wflows",
        Verb::ResumeWorkflow => "resume_wflows",
        Verb::ArchiveWorkflow => "archive_wflows",
    }
}

/// FireWorks' word for what is being done.
pub fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => "setting",
        Verb::Defuse | Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => "defusing",
        Verb::Reignite | Verb::ReigniteWorkflow => "reigniting",
        Verb::Pause | Verb::PauseWorkflow => "pausing",
        Verb::Resume | Verb::ResumeWorkflow => "resuming",
        Verb::ArchiveWorkflow => "archiving",
    }
}

/// FireWorks' words for what has been done to so many.
pub fn finished(verb: Verb, count: usize) -> String {
    let end = if doing(verb) == "setting" { " to rerun" } else { "" };
    format!("Finished {} {count} {}{end}", doing(verb), entries(verb))
}

/// FireWorks' word for what it has been done to.
fn entries(verb: Verb) -> &'static str {
    match verb {
        Verb::ReigniteWorkflow => "Workflows",
        Verb::DefuseWorkflow
        | Verb::DefuseWholeWorkflow
        | Verb::PauseWorkflow
        | Verb::ResumeWorkflow
        | Verb::ArchiveWorkflow => "WFs",
        _ => "FWs",
    }
}
