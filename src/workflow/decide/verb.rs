//! What users ask of fireworks and workflows that are there: rerun, defuse, reignite, pause,
//! resume, archive.

use bson::{Bson, Document, doc};

use super::rerun::{forget_recovery, reset};
use super::{ExceptionDetails, Refusal, finish, is_free, rerun, restart, set_state};
use crate::workflow::checkpoint::RECOVERY;
use crate::workflow::graph::Graph;
use crate::workflow::{FwAction, FwId, Launch, LaunchId, State, as_int, int};

/// A change that a user asks for: of a firework, or of the whole workflow that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run it again, and what depends on it.
    Rerun,
    /// The same; fireworks that had FIZZLED find the details of their exception in their specs.
    RerunWithDetails,
    /// Run it again from the task that it had come to, and what depends on it.
    Recover(Recovery),
    /// Take it out; its children wait until it is reignited.
    Defuse,
    /// Undo a defusal.
    Reignite,
    /// Hold it until it is resumed.
    Pause,
    /// Undo a pause.
    Resume,
    /// Defuse all that has not ended.
    DefuseWorkflow,
    /// Defuse all of it; what has ended loses its launches.
    DefuseWholeWorkflow,
    /// Reignite all that is defused.
    ReigniteWorkflow,
    /// Pause all that can be paused.
    PauseWorkflow,
    /// Resume all that is paused.
    ResumeWorkflow,
    /// Put all of it away for good.
    ArchiveWorkflow,
}

/// Where a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The launch whose checkpoint counts; the last one when nothing is said.
    pub launch_id: Option<LaunchId>,
    /// What becomes of its directory.
    pub mode: RecoveryMode,
}

/// What becomes of the directory of the earlier launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryMode {
    /// The new launch begins with an empty one.
    Fresh,
    /// Its files are copied into the new one.
    Copy,
    /// The new launch runs in it.
    PreviousDirectory,
}

/// What a verb has to see of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// All fireworks, and not only those below the subject.
    pub workflow: bool,
    /// What launches have put into the workflow.
    pub spawned: bool,
    /// Whose launches.
    pub launches: Whose,
}

/// Fireworks whose launches a verb has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's.
    Nobodys,
    /// Those of the firework itself.
    Its,
    /// Those of every firework that it sees.
    Everybodys,
}

impl RecoveryMode {
    /// As FireWorks stores it in `_recovery`.
    fn as_bson(self) -> Bson {
        match self {
            RecoveryMode::Fresh => Bson::Null,
            RecoveryMode::Copy => "cp".into(),
            RecoveryMode::PreviousDirectory => "prev_dir".into(),
        }
    }

    /// Reads what FireWorks stores.
    pub fn from_bson(value: Option<&Bson>) -> Option<Self> {
        match value {
            None | Some(Bson::Null) => Some(RecoveryMode::Fresh),
            Some(Bson::String(mode)) if mode == "cp" => Some(RecoveryMode::Copy),
            Some(Bson::String(mode)) if mode == "prev_dir" => Some(RecoveryMode::PreviousDirectory),
            Some(_) => None,
        }
    }
}

impl Verb {
    /// Those without parameters, by the name under which they are stored in a lock.
    const PLAIN: [(&'static str, Verb); 12] = [
        ("rerun", Verb::Rerun),
        ("rerun_with_details", Verb::RerunWithDetails),
        ("defuse", Verb::Defuse),
        ("reignite", Verb::Reignite),
        ("pause", Verb::Pause),
        ("resume", Verb::Resume),
        ("defuse_workflow", Verb::DefuseWorkflow),
        ("defuse_whole_workflow", Verb::DefuseWholeWorkflow),
        ("reignite_workflow", Verb::ReigniteWorkflow),
        ("pause_workflow", Verb::PauseWorkflow),
        ("resume_workflow", Verb::ResumeWorkflow),
        ("archive_workflow", Verb::ArchiveWorkflow),
    ];

    /// Its name, also the reason that ended launches are given.
    pub fn as_str(self) -> &'static str {
        Verb::PLAIN.iter().find(|(_, verb)| *verb == self).map_or("recover", |(name, _)| name)
    }

    /// As it stands in a lock, so that somebody else can finish it.
    pub fn to_document(self) -> Document {
        let mut document = doc! { "verb": self.as_str() };
        if let Verb::Recover(recovery) = self {
            document.insert("launch", recovery.launch_id.map_or(Bson::Null, int));
            document.insert("mode", recovery.mode.as_bson());
        }
        document
    }

    /// Reads what [`Verb::to_document`] wrote.
    pub fn from_document(document: &Document) -> Option<Self> {
        let name = document.get_str("verb").ok()?;
        let recover = || {
            let launch_id = document.get("launch").and_then(as_int);
            let mode = RecoveryMode::from_bson(document.get("mode"))?;
            Some(Verb::Recover(Recovery { launch_id, mode }))
        };
        let plain = Verb::PLAIN.iter().find(|(known, _)| *known == name).map(|(_, verb)| *verb);
        plain.or_else(|| if name == "recover" { recover() } else { None })
    }

    /// What it has to see.
    pub fn needs(self) -> Needs {
        use Whose::{Everybodys, Its, Nobodys};
        let (workflow, spawned, launches) = match self {
            Verb::Rerun | Verb::Defuse => (false, true, Nobodys),
            Verb::RerunWithDetails => (false, true, Everybodys),
            Verb::Recover(_) => (false, true, Its),
            Verb::Pause => (false, false, Nobodys),
            Verb::Reignite | Verb::Resume => (false, false, Its),
            Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => (true, true, Nobodys),
            Verb::PauseWorkflow | Verb::ArchiveWorkflow => (true, false, Nobodys),
            Verb::ReigniteWorkflow | Verb::ResumeWorkflow => (true, false, Everybodys),
        };
        Needs { workflow, spawned, launches }
    }

    /// Whether a firework that it has been done to may be in this state.
    pub fn leaves(self, state: State) -> bool {
        match self {
            Verb::Rerun | Verb::RerunWithDetails | Verb::Recover(_) => matches!(state, State::Ready | State::Waiting),
            Verb::Defuse | Verb::DefuseWorkflow | Verb::DefuseWholeWorkflow => state == State::Defused,
            Verb::Pause | Verb::PauseWorkflow => state == State::Paused,
            Verb::ArchiveWorkflow => state == State::Archived,
            // It goes on as if nothing had been.
            Verb::Reignite | Verb::ReigniteWorkflow => state != State::Defused,
            Verb::Resume | Verb::ResumeWorkflow => state != State::Paused,
        }
    }

    /// The fireworks of a graph whose launches it has to see.
    pub fn launching(self, graph: &Graph, fw_id: FwId) -> Vec<FwId> {
        match self.needs().launches {
            Whose::Nobodys => Vec::new(),
            Whose::Its => vec![fw_id],
            Whose::Everybodys => graph.nodes.keys().copied().collect(),
        }
    }

    /// Decides it.
    pub fn decide(self, graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
        match self {
            Verb::Rerun => rerun(graph, fw_id, ExceptionDetails::Forgotten),
            Verb::RerunWithDetails => rerun(graph, fw_id, ExceptionDetails::Shown),
            Verb::Recover(recovery) => recover(graph, fw_id, recovery),
            Verb::Defuse => defuse(graph, fw_id),
            Verb::Reignite => free(graph, fw_id, State::Defused, "only a defused firework can be reignited"),
            Verb::Pause => pause(graph, fw_id),
            Verb::Resume => free(graph, fw_id, State::Paused, "only a paused firework can be resumed"),
            Verb::DefuseWorkflow => {
                defuse_all(graph, |state| !matches!(state, State::Completed | State::Fizzled | State::Archived))
            }
            Verb::DefuseWholeWorkflow => defuse_all(graph, |state| state != State::Archived),
            Verb::PauseWorkflow => graph.in_state(can_pause).into_iter().try_for_each(|fw_id| pause(graph, fw_id)),
            Verb::ReigniteWorkflow => free_all(graph, State::Defused),
            Verb::ResumeWorkflow => free_all(graph, State::Paused),
            Verb::ArchiveWorkflow => {
                archive(graph);
                Ok(())
            }
        }
    }
}

fn state_of(graph: &Graph, fw_id: FwId) -> Result<State, Refusal> {
    graph.state(fw_id).ok_or(Refusal::Unknown(fw_id))
}

/// What has run, or runs, is reset first, as in FireWorks: what depends on it waits again.
fn defuse(graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
    match state_of(graph, fw_id)? {
        State::Defused => return Ok(()),
        state @ State::Archived => {
            return Err(Refusal::State { fw_id, state, why: "an archived firework cannot be defused" });
        }
        State::Running | State::Reserved | State::Completed => {
            forget_recovery(graph, fw_id);
            reset(graph, fw_id, ExceptionDetails::Forgotten);
        }
        State::Waiting | State::Ready | State::Fizzled | State::Paused => {}
    }
    set_state(graph, fw_id, State::Defused)
}

fn defuse_all(graph: &mut Graph, which: impl Fn(State) -> bool) -> Result<(), Refusal> {
    let open = graph.in_state(which);
    // Parents first: what runs is reset, and what is below it with it.
    let order = graph.parents_first().into_iter().filter(|fw_id| open.contains(fw_id));
    order.collect::<Vec<_>>().into_iter().try_for_each(|fw_id| defuse(graph, fw_id))
}

fn can_pause(state: State) -> bool {
    matches!(state, State::Waiting | State::Ready | State::Reserved)
}

fn pause(graph: &mut Graph, fw_id: FwId) -> Result<(), Refusal> {
    match state_of(graph, fw_id)? {
        State::Paused => Ok(()),
        state if can_pause(state) => set_state(graph, fw_id, State::Paused),
        state => Err(Refusal::State { fw_id, state, why: "only a WAITING, READY or RESERVED firework can be paused" }),
    }
}

/// Lets go of what was held: it takes the state that its parents and launches give it.
fn free(graph: &mut Graph, fw_id: FwId, held: State, why: &'static str) -> Result<(), Refusal> {
    let state = state_of(graph, fw_id)?;
    if state != held {
        return Err(Refusal::State { fw_id, state, why });
    }
    set_state(graph, fw_id, State::Waiting)?;
    if !is_free(graph, fw_id) {
        return Ok(());
    }
    match graph.representative(fw_id) {
        None => set_state(graph, fw_id, State::Ready),
        Some(launch) if launch.state.is_final() => {
            let action = launch.action.as_ref().and_then(|action| FwAction::from_document(action).ok());
            finish(graph, fw_id, launch.launch_id, launch.state, &action.unwrap_or_default())
        }
        Some(launch) => set_state(graph, fw_id, launch.state),
    }
}

fn free_all(graph: &mut Graph, held: State) -> Result<(), Refusal> {
    // Parents first: what one lets begin is let go of as well.
    for fw_id in graph.parents_first() {
        if graph.state(fw_id) == Some(held) {
            free(graph, fw_id, held, "")?;
        }
    }
    Ok(())
}

/// Launches are put away as in a rerun of everything, so that no duplicate check finds them: not
/// those of what is defused, unless something above it has begun.
fn archive(graph: &mut Graph) {
    let begun = graph.in_state(|state| !matches!(state, State::Waiting | State::Defused | State::Archived));
    let reset = graph.reachable(&begun, |state| !matches!(state, State::Waiting | State::Archived));
    let all = graph.in_state(|state| state != State::Archived);
    for fw_id in begun.into_iter().chain(reset) {
        restart(graph, fw_id, State::Archived);
    }
    for fw_id in all {
        if let Some(node) = graph.touch(fw_id) {
            node.state = State::Archived;
        }
    }
}

/// The next run begins at the task that the last one had come to, with what the tasks before it
/// had left.
fn recover(graph: &mut Graph, fw_id: FwId, recovery: Recovery) -> Result<(), Refusal> {
    let refuse = |why: String| Refusal::Recovery { fw_id, why };
    let state = state_of(graph, fw_id)?;
    if matches!(state, State::Archived | State::Defused) {
        // Says why.
        return rerun(graph, fw_id, ExceptionDetails::Forgotten);
    }
    let launch = source(graph, fw_id, recovery.launch_id).map_err(refuse)?;
    let Some(mut checkpoint) = launch.checkpoint().cloned() else {
        return Err(refuse(format!("launch {} has left no checkpoint", launch.launch_id)));
    };
    checkpoint.insert("_prev_dir", launch.launch_dir.as_str());
    checkpoint.insert("_launch_id", int(launch.launch_id));
    checkpoint.insert("_mode", recovery.mode.as_bson());
    let previous = (recovery.mode == RecoveryMode::PreviousDirectory).then(|| launch.launch_dir.clone());
    reset(graph, fw_id, ExceptionDetails::Forgotten);
    let node = graph.touch(fw_id).ok_or(Refusal::Unknown(fw_id))?;
    let mut spec = node.spec().cloned().unwrap_or_default();
    // In the order of FireWorks, which compares specs with it.
    if let Some(previous) = previous {
        spec.insert("_launch_dir", previous);
    }
    spec.insert(RECOVERY, checkpoint);
    node.new_spec = Some(spec);
    Ok(())
}

/// The launch to go on from: one that is named, or the last; also one that was put away when its
/// run was interrupted or lost.
fn source(graph: &Graph, fw_id: FwId, wanted: Option<LaunchId>) -> Result<&Launch, String> {
    let firework = graph.nodes.get(&fw_id).and_then(|node| node.firework.as_ref());
    let listed = || firework.into_iter().flat_map(|one| one.archived_launches.iter().chain(&one.launches)).copied();
    let launch_id = match wanted {
        Some(launch_id) if listed().any(|id| id == launch_id) => launch_id,
        Some(launch_id) => return Err(format!("launch {launch_id} is none of its launches")),
        None => listed().next_back().ok_or("it has no launches")?,
    };
    graph.launches.get(&launch_id).ok_or_else(|| format!("launch {launch_id} does not exist"))
}
