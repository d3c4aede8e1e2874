//! What a person does from a screen: what is said before, what happens, and what is left alone.

use std::path::Path;
use std::process::Command;

use bson::{Document, doc};
use jiff::Timestamp;
use serde_json::{Value, json};
use volley::config::{self, Flags, Settings, Surroundings};
use volley::launchpad::Selection;
use volley::launchpad::reservation::Sought;
use volley::queue::{LaunchpadId, Queue};
use volley::store::history::EventQuery;
use volley::store::{self, Location, Order, Verb};
use volley::verbs::Here;
use volley::verbs::action::{Action, Outcome, Plan, Target, carry_out, plan};
use volley::verbs::delete::delete_workflows;
use volley::verbs::steer::cancel_jobs;
use volley::workflow::decide::Refusal;
use volley::workflow::{FwAction, FwId, QueueJob, SpecChange, State};

use crate::support::place::{Cleanup, Place, slurm};
use crate::support::raw::reserve;
use crate::support::run::{private, wait_until};
use crate::support::site::Site;
use crate::support::{Worker, outcome, service};

const RERUN: Action = Action::Rerun { task_level: false };
const FROM_TASK: Action = Action::Rerun { task_level: true };

/// The settings that the binary would have in a folder.
fn settings(folder: &Path) -> Settings {
    let around = Surroundings {
        cwd: folder.to_owned(),
        home: folder.to_owned(),
        data: folder.join("data"),
        config: folder.join("config"),
        launchpad: None,
        fw_config_file: None,
    };
    config::load(&Flags::default(), &around).expect("settings").settings
}

/// A launchpad, and somebody in front of it.
struct Stage {
    site: Site,
    settings: Settings,
}

impl Stage {
    fn on_every_store() -> Vec<Self> {
        let with_queue = |site: Site| {
            site.write("my_qadapter.yaml", "_fw_q_type: local\n");
            let settings = settings(site.path());
            Stage { site, settings }
        };
        Site::on_every_store().into_iter().map(with_queue).collect()
    }

    fn here(&self) -> Here<'_> {
        Here { settings: &self.settings, store: &*self.site.launchpad.store }
    }

    fn plan(&self, action: Action, target: &Target) -> Plan {
        plan(self.here(), action, target).expect("a plan")
    }

    /// Why there is nothing to do.
    fn nothing(&self, action: Action, target: &Target) -> String {
        plan(self.here(), action, target).expect_err("nothing to do").to_string()
    }

    fn do_it(&self, plan: &Plan) -> Outcome {
        carry_out(self.here(), plan).expect("an outcome")
    }

    /// Has it done to what is as it was, and returns what was said of it before and after.
    fn act(&self, action: Action, target: &Target) -> (String, Vec<String>, Outcome) {
        let plan = self.plan(action, target);
        assert_eq!((plan.action, &plan.target), (action, target));
        let outcome = self.do_it(&plan);
        (plan.what, plan.preview, outcome)
    }

    fn states(&self) -> Vec<State> {
        self.site.fireworks().iter().map(|firework| firework.state).collect()
    }

    /// The last entry of the history: what, which fireworks, which workflows, and the note.
    fn noted(&self) -> (String, Vec<FwId>, Vec<FwId>, String) {
        let events = self.site.launchpad.store.events(&EventQuery::default()).expect("a history");
        let deed = events.into_iter().last().expect("an entry").deed;
        (deed.what, deed.fw_ids, deed.workflows, deed.note.unwrap_or_default())
    }

    /// Somebody else steers meanwhile.
    fn meanwhile(&self, verb: Verb, fw_id: FwId) {
        self.site.launchpad.store.steer(verb, fw_id, Timestamp::now()).expect("steers");
    }

    /// Fireworks of one task each, below each other.
    fn add_chain(&self, names: &[&str]) -> Vec<FwId> {
        let firework = |(id, name): (usize, &&str)| {
            let script = json!({"_fw_name": "ScriptTask", "script": format!("! grep -q {name} ../fails 2>/dev/null")});
            json!({"fw_id": id + 1, "name": name, "spec": {"_tasks": [script]}})
        };
        let fireworks: Vec<Value> = names.iter().enumerate().map(firework).collect();
        let link = |id: usize| ((id + 1).to_string(), json!([id + 2]));
        let links: serde_json::Map<String, Value> = (0..names.len() - 1).map(link).collect();
        self.site.add(json!({"name": names.join("-"), "fws": fireworks, "links": links}))
    }
}

fn fireworks(ids: &[FwId]) -> Target {
    Target::Fireworks(Box::new(Selection { ids: Some(ids.to_vec()), ..Selection::default() }))
}

fn workflows(ids: &[FwId]) -> Target {
    Target::Workflows(Box::new(Selection { ids: Some(ids.to_vec()), ..Selection::default() }))
}

fn in_state(state: State) -> Selection {
    Selection { states: vec![state], ..Selection::default() }
}

fn done(lines: &[&str]) -> Outcome {
    Outcome { done: lines.iter().map(ToString::to_string).collect(), refused: Vec::new() }
}

#[test]
fn one_or_several_or_a_filter_are_held_and_let_go() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "b"]);
        stage.add_chain(&["c"]);
        let (what, preview, outcome) = stage.act(Action::Pause, &fireworks(&[1]));
        assert_eq!((what.as_str(), preview), ("pause 1 firework", vec!["1 READY a (1)".to_owned()]));
        assert_eq!(outcome, done(&["paused 1 firework"]));
        assert_eq!(stage.states(), [State::Paused, State::Waiting, State::Ready]);
        assert_eq!(stage.noted(), ("pause_fws".into(), vec![1], vec![], String::new()));

        let (what, preview, _) = stage.act(Action::Pause, &fireworks(&[1, 2, 3]));
        assert_eq!(what, "pause 2 fireworks");
        let expected = ["1 READY, 1 WAITING", "1 READY c (3)", "1 WAITING b (2)"];
        assert_eq!(preview[..3], expected);
        assert_eq!(preview[3..], ["left alone: firework 1 is PAUSED: it is so already"]);
        let paused = Target::Fireworks(Box::new(in_state(State::Paused)));
        assert_eq!(stage.act(Action::Resume, &paused).2, done(&["resumed 3 fireworks"]));
        assert_eq!(stage.states(), [State::Ready, State::Waiting, State::Ready]);
        assert_eq!(stage.noted(), ("resume_fws".into(), vec![1, 2, 3], vec![], String::new()));
        assert_eq!(stage.nothing(Action::Resume, &paused), "nothing is selected: no firework is PAUSED");
        assert_eq!(
            stage.nothing(Action::Resume, &fireworks(&[2])),
            "nothing would change: firework 2 is WAITING: only a paused firework can be resumed"
        );
        assert_eq!(stage.nothing(Action::Pause, &fireworks(&[9])), "there is no firework 9");

        stage.act(Action::Defuse, &fireworks(&[1]));
        assert_eq!(stage.act(Action::Reignite, &fireworks(&[1])).2, done(&["reignited 1 firework"]));
        assert_eq!(stage.noted().0, "reignite_fws");
    }
}

#[test]
fn what_depends_on_it_is_foreseen() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "b", "c"]);
        stage.site.run_well(&["rapidfire"]);
        assert_eq!(stage.states(), [State::Completed; 3]);
        let (what, preview, outcome) = stage.act(RERUN, &fireworks(&[2]));
        assert_eq!(what, "run 1 firework again, and all that depend on them");
        let expected = ["1 COMPLETED b (2)", "1 firework that depends on this begins anew:", "  1 COMPLETED c (3)"];
        assert_eq!(preview, expected);
        let after = "1 firework that depends on this begins anew";
        assert_eq!(outcome, done(&["set to run again: 1 firework", after]));
        assert_eq!(stage.states(), [State::Completed, State::Ready, State::Waiting]);
        assert_eq!(stage.noted(), ("rerun_fws".into(), vec![2, 3], vec![], String::new()));

        let (_, preview, _) = stage.act(Action::Defuse, &fireworks(&[1]));
        assert_eq!(preview[1..], ["1 firework that depends on this begins anew:", "  1 READY b (2)"]);
        assert_eq!(stage.states(), [State::Defused, State::Waiting, State::Waiting]);
        assert_eq!(
            stage.nothing(RERUN, &fireworks(&[1])),
            "nothing would change: firework 1 is DEFUSED: reignite it first"
        );
        assert_eq!(stage.plan(FROM_TASK, &fireworks(&[2])).preview, ["1 WAITING b (2)"]);
        let new = stage.add_chain(&["new"])[0];
        let why = stage.nothing(FROM_TASK, &fireworks(&[new]));
        assert!(why.contains(&format!("firework {new} cannot go on from where it was: it has no launches")), "{why}");
    }
}

#[test]
fn what_depends_on_each_other_is_done_together() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "b", "c"]);
        stage.add_chain(&["d"]);
        stage.site.run_well(&["rapidfire"]);
        let all = Target::Fireworks(Box::new(in_state(State::Completed)));
        let (what, preview, outcome) = stage.act(RERUN, &all);
        assert_eq!((what.as_str(), preview.len()), ("run 4 fireworks again, and all that depend on them", 4));
        assert_eq!(outcome, done(&["set to run again: 4 fireworks"]));
        assert_eq!(stage.states(), [State::Ready, State::Waiting, State::Waiting, State::Ready]);
        stage.site.run_well(&["rapidfire"]);
        let (_, _, outcome) = stage.act(Action::Defuse, &fireworks(&[1, 2, 3]));
        assert_eq!(outcome, done(&["defused 3 fireworks"]));
        assert_eq!(stage.states()[..3], [State::Defused; 3]);
        assert_eq!(stage.act(Action::Reignite, &fireworks(&[3, 2, 1])).2, done(&["reignited 3 fireworks"]));
        assert_eq!(stage.states()[..3], [State::Ready, State::Waiting, State::Waiting]);
    }
}

#[test]
fn what_a_run_has_added_is_told_apart() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["above", "below"]);
        let store = &*stage.site.launchpad.store;
        let claim = Worker::new("w").claim(store, 1).pop().expect("is ready");
        let detour = doc! {"fw_id": -1, "name": "extra", "spec": {"_tasks": []}};
        let action = FwAction { detours: vec![doc! {"fws": [detour]}], ..FwAction::default() };
        store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
        let (_, preview, outcome) = stage.act(RERUN, &fireworks(&[1]));
        let replaced = [
            "1 firework that an earlier run has added will be added anew; the old one is kept, ARCHIVED:",
            "  1 READY extra (3)",
        ];
        assert_eq!(preview[preview.len() - 2..], replaced);
        assert!(outcome.done[0].contains("added anew") && outcome.refused.is_empty(), "{outcome:?}");
        assert_eq!(stage.states(), [State::Ready, State::Waiting, State::Archived]);
    }
}

#[test]
fn workflows_run_again_what_has_failed_in_them() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "broken", "c"]);
        stage.site.write("fails", "broken");
        stage.site.run_well(&["rapidfire"]);
        assert_eq!(stage.states(), [State::Completed, State::Fizzled, State::Waiting]);
        let (what, preview, _) = stage.act(RERUN, &workflows(&[1]));
        assert_eq!(what, "run 1 firework again, and all that depend on them");
        assert_eq!(preview, ["1 FIZZLED broken (2)"]);
        assert_eq!(stage.states(), [State::Completed, State::Ready, State::Waiting]);
        let why = stage.nothing(RERUN, &workflows(&[1]));
        assert!(why.contains("no firework in it has FIZZLED"), "{why}");
    }
}

#[test]
fn whole_workflows_are_held_and_taken_out() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "b"]);
        stage.add_chain(&["c", "d"]);
        stage.site.run_well(&["singleshot", "-f", "1"]);
        let both = Target::Workflows(Box::default());
        let (what, preview, outcome) = stage.act(Action::Pause, &both);
        assert_eq!(what, "pause 2 workflows");
        let tail = ["3 fireworks in them are paused:", "  2 READY, 1 WAITING", "  1 READY b (2)", "  1 READY c (3)"];
        assert_eq!(preview[preview.len() - 5..][..4], tail);
        assert_eq!(outcome, done(&["paused 2 workflows"]));
        assert_eq!(stage.states(), [State::Completed, State::Paused, State::Paused, State::Paused]);
        assert_eq!(stage.noted(), ("pause_wflows".into(), vec![], vec![1, 3], String::new()));
        assert_eq!(stage.act(Action::Resume, &workflows(&[2])).2, done(&["resumed 1 workflow"]));
        let (_, preview, _) = stage.act(Action::Resume, &both);
        assert_eq!(preview.last().map(String::as_str), Some("left alone: 1 workflow, of which nothing can be resumed"));
        stage.act(Action::Defuse, &workflows(&[3]));
        assert_eq!(stage.states()[2..], [State::Defused; 2]);
        assert_eq!(
            stage.nothing(Action::Defuse, &workflows(&[3])),
            "nothing would change: nothing in workflow 3 can be defused"
        );
        stage.act(Action::Reignite, &workflows(&[4]));
        assert_eq!(stage.states(), [State::Completed, State::Ready, State::Ready, State::Waiting]);
        assert_eq!(stage.noted(), ("reignite_wflows".into(), vec![], vec![3], String::new()));
    }
}

#[test]
fn what_has_changed_since_is_left_alone() {
    for stage in Stage::on_every_store() {
        for _ in 0..4 {
            stage.add_chain(&["a"]);
        }
        let one = stage.plan(Action::Pause, &fireworks(&[1, 2, 3]));
        stage.meanwhile(Verb::Defuse, 2);
        stage.site.launchpad.store.delete_workflows(&[3]).expect("deletes");
        let outcome = stage.do_it(&one);
        assert_eq!(outcome.done, ["paused 1 firework"]);
        assert_eq!(
            outcome.refused,
            ["firework 2 is DEFUSED by now, not READY; it was left alone", "there is no firework 3"]
        );
        assert_eq!(stage.states(), [State::Paused, State::Defused, State::Ready]);

        let whole = stage.plan(Action::Delete, &workflows(&[1, 4]));
        stage.meanwhile(Verb::Resume, 1);
        let outcome = stage.do_it(&whole);
        assert_eq!(outcome.refused, ["the workflow of firework 1 is READY by now, not PAUSED; it was left alone"]);
        assert_eq!(outcome.done, ["deleted 1 workflow with 1 firework"]);
        assert_eq!(stage.states(), [State::Ready, State::Defused]);
        let again = stage.do_it(&whole);
        assert_eq!((again.done.len(), again.refused.len()), (0, 2));
    }
}

#[test]
fn what_has_run_again_since_is_left_alone() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a"]);
        stage.add_chain(&["b"]);
        let store = &*stage.site.launchpad.store;
        let worker = Worker::new("w");
        worker.claim(store, 2);
        let plans = [RERUN, FROM_TASK, Action::Defuse].map(|action| stage.plan(action, &fireworks(&[1])));
        assert_eq!(stage.do_it(&plans[0]).refused, [""; 0]);
        let fresh = worker.claim_as(store, 1, Some(1), Order::Fifo).remove(0);
        assert_eq!(stage.states(), [State::Running, State::Running]);
        for plan in &plans {
            let outcome = stage.do_it(plan);
            assert_eq!(outcome.refused, ["firework 1 has run again since you were asked; it was left alone"]);
            assert!(outcome.done.is_empty(), "{outcome:?}");
        }
        assert_eq!(stage.states(), [State::Running, State::Running]);
        let kept = store.find_launches(&[fresh.launch.launch_id]).expect("reads").remove(0);
        assert_eq!(kept.state, State::Running);
    }
}

#[test]
fn priorities_go_up_and_down() {
    for stage in Stage::on_every_store() {
        let task = json!({"_fw_name": "ScriptTask", "script": "true"});
        for spec in [json!({}), json!({"_priority": 3}), json!({"_priority": 3}), json!({})] {
            let mut spec = spec;
            spec["_tasks"] = json!([task]);
            stage.site.add(json!({"name": "one", "spec": spec}));
        }
        let high = SpecChange::setting(doc! { "_priority": "high" }).expect("a change");
        stage.site.launchpad.store.update_specs(&[4], &high, Timestamp::now()).expect("changes");
        let priority = |fw_id| stage.site.firework(fw_id).spec.get("_priority").and_then(volley::workflow::as_int);
        let (what, preview, outcome) = stage.act(Action::Raise(1), &fireworks(&[1, 2, 3, 4]));
        assert_eq!(what, "raise the priority of 3 fireworks by 1");
        assert_eq!(
            preview[1..],
            [
                "priority 0 becomes 1: 1 firework (1)",
                "priority 3 becomes 4: 2 fireworks (2,3)",
                "left alone: firework 4 is READY: its priority is \"high\", which is no whole number; set it instead"
            ]
        );
        assert_eq!(outcome, done(&["changed the priority of 3 fireworks by +1"]));
        assert_eq!([priority(1), priority(2), priority(3), priority(4)], [Some(1), Some(4), Some(4), None]);
        assert_eq!(stage.noted(), ("set_priority".into(), vec![1, 2, 3], vec![], "by +1".into()));

        let set = stage.plan(Action::SetPriority(4), &Target::Workflows(Box::default()));
        assert_eq!(set.what, "set the priority of 2 fireworks to 4");
        assert_eq!(
            set.preview.last().map(String::as_str),
            Some("left alone: 2 READY (2,3): its priority is 4 already")
        );
        stage.site.launchpad.store.set_priority(&[1], 9).expect("sets");
        let outcome = stage.do_it(&set);
        assert_eq!(outcome.refused, ["firework 1 has priority 9 by now, not 1; it was left alone"]);
        assert_eq!(outcome.done, ["changed the priority of 1 firework to 4"]);
        assert_eq!([priority(1), priority(4)], [Some(9), Some(4)]);
        assert_eq!(stage.plan(Action::Raise(-2), &fireworks(&[1])).what, "lower the priority of 1 firework by 2");
    }
}

#[test]
fn whole_workflows_go() {
    for stage in Stage::on_every_store() {
        stage.add_chain(&["a", "b"]);
        stage.add_chain(&["c"]);
        let (what, preview, outcome) = stage.act(Action::Delete, &fireworks(&[2]));
        assert_eq!(what, "delete 1 workflow with 2 fireworks");
        let expected = [
            "1 READY a-b (1)",
            "whole workflows go: of these fireworks 1 was chosen",
            "their fireworks: 1 READY, 1 WAITING",
            "their launch directories are left where they are",
        ];
        let mut preview = preview;
        preview[2..3].iter_mut().for_each(|line| *line = line.replace("1 WAITING, 1 READY", "1 READY, 1 WAITING"));
        assert_eq!(preview, expected);
        assert_eq!(outcome, done(&["deleted 1 workflow with 2 fireworks"]));
        assert_eq!(stage.noted(), ("delete_wflows".into(), vec![], vec![1], String::new()));
        assert_eq!(stage.states(), [State::Ready]);
    }
}

#[test]
fn the_worker_of_what_is_taken_out_stops() {
    for stage in Stage::on_every_store() {
        stage.site.write("volley.yaml", "{lease: 10s, renew: 1s}");
        let script = format!("touch '{}/runs'; sleep 1000", stage.site.path().display());
        stage.site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": script}]));
        let worker = stage.site.start(&["singleshot"]);
        wait_until("the task runs", || stage.site.path().join("runs").exists());
        assert!(stage.nothing(Action::Pause, &fireworks(&[1])).contains("firework 1 is RUNNING"));
        let why = stage.nothing(Action::Cancel, &fireworks(&[1]));
        assert!(why.contains("it runs in no queue job; rerun or defuse it"), "{why}");
        let (_, preview, outcome) = stage.act(Action::Defuse, &fireworks(&[1]));
        assert!(preview[0].starts_with("1 RUNNING "), "{preview:?}");
        assert_eq!(preview[1..], ["1 runs at the moment, and is stopped (1)"]);
        assert!(outcome.done[1].contains("stops fw 1 within 1 s") && outcome.refused.is_empty(), "{outcome:?}");
        let (_, log) = worker.end();
        assert!(log.contains("is no longer ours"), "{log}");
        assert_eq!(stage.states(), [State::Defused]);
    }
}

#[test]
fn jobs_are_named_with_all_that_is_in_them() {
    for stage in Stage::on_every_store() {
        for _ in 0..5 {
            stage.add_chain(&["a"]);
        }
        for (fw_id, job) in [(1, "12"), (2, "13"), (3, "13")] {
            reserve(&stage.site.launchpad.location, fw_id, job, Timestamp::now());
        }
        let two = stage.plan(Action::Cancel, &fireworks(&[1, 2, 4]));
        assert_eq!(two.what, "cancel 2 queue jobs of 2 fireworks");
        assert_eq!(
            two.preview,
            [
                "cancels 2 queue jobs: 12, 13",
                "2 fireworks are READY again:",
                "  2 RESERVED a (1,2)",
                "1 firework that was not chosen runs in or waits for the same jobs, and stops, too:",
                "  1 RESERVED a (3)",
                "left alone: firework 4 is READY: nothing of it is in the queue"
            ]
        );
        stage.meanwhile(Verb::Rerun, 1);
        let outcome = stage.do_it(&two);
        assert_eq!(outcome.refused, ["firework 1 is READY by now, not RESERVED; it was left alone"]);
        assert_eq!(outcome.done[0], "2 fireworks READY again");
        assert!(outcome.done[1].starts_with("queue job 13 of fw 2 is not in the queue any more"), "{outcome:?}");
        assert_eq!(stage.states(), [State::Ready; 5]);
        assert_eq!(stage.noted(), ("cancel_qid".into(), vec![2, 3], vec![], String::new()));

        assert!(
            stage
                .nothing(Action::Cancel, &Target::Jobs(vec!["13".into()]))
                .contains("no firework waits for queue job 13")
        );
        assert_eq!(
            stage.nothing(Action::Cancel, &workflows(&[5])),
            "nothing would change: nothing of it runs or waits in the queue"
        );
        reserve(&stage.site.launchpad.location, 5, "14", Timestamp::now());
        assert_eq!(stage.plan(Action::Cancel, &workflows(&[5])).what, "cancel 1 queue job of 1 firework");
        assert!(stage.nothing(Action::Pause, &Target::Jobs(vec!["14".into()])).contains("can only be cancelled"));
        let (what, preview, _) = stage.act(Action::Cancel, &Target::Jobs(vec!["14".into()]));
        assert_eq!(what, "cancel queue job 14");
        assert_eq!(preview, ["cancels 1 queue job: 14", "1 firework is READY again:", "  1 RESERVED a (5)"]);
        let (_, preview, outcome) = {
            reserve(&stage.site.launchpad.location, 4, "15", Timestamp::now());
            stage.act(Action::Pause, &fireworks(&[4]))
        };
        assert_eq!(preview, ["1 RESERVED a (4)", "cancels 1 queue job: 15"]);
        assert_eq!(outcome.done[0], "paused 1 firework");
    }
}

#[test]
fn what_another_has_deleted_is_not_told_as_done() {
    for stage in Stage::on_every_store() {
        let store = &*stage.site.launchpad.store;
        (0..2).for_each(|_| drop(stage.add_chain(&["a"])));
        let both = Selection::default().find_workflows(store).expect("finds");
        store.delete_workflows(&[1]).expect("deletes");
        let deleted = delete_workflows(stage.here(), &both, |_| None, false, |_| ()).expect("deletes");
        assert_eq!((deleted.count, deleted.refused, deleted.failed), (1, vec![Refusal::Unknown(1)], None));
    }
}

#[test]
fn a_workflow_is_known_by_any_of_its_fireworks() {
    for stage in Stage::on_every_store() {
        if !matches!(stage.site.launchpad.location, Location::Mongo(_)) {
            continue;
        }
        stage.add_chain(&["a", "b"]);
        let pause = stage.plan(Action::Pause, &workflows(&[1]));
        let delete = stage.plan(Action::Delete, &workflows(&[1]));
        // FireWorks writes the nodes in the order in which it has read them.
        let nodes = doc! { "$set": { "nodes": [2, 1] } };
        let workflows_there = stage.site.launchpad.database().collection::<Document>("workflows");
        workflows_there.update_one(doc! {}, nodes).run().expect("updates");
        assert_eq!(stage.do_it(&pause), done(&["paused 1 workflow"]));
        stage.meanwhile(Verb::ResumeWorkflow, 1);
        assert_eq!(stage.do_it(&delete), done(&["deleted 1 workflow with 2 fireworks"]));
    }
}

#[test]
fn what_has_ended_in_a_job_is_not_run_again() {
    for stage in Stage::on_every_store() {
        let store = &*stage.site.launchpad.store;
        (0..2).for_each(|_| drop(stage.add_chain(&["a"])));
        reserve(&stage.site.launchpad.location, 2, "12", Timestamp::now());
        let mut worker = Worker::new("w");
        worker.lease.job = Some(QueueJob { id: "12".into(), cluster: None, restarts: 0 });
        let first = worker.claim_as(store, 1, Some(1), Order::Fifo).remove(0);
        let sought = Sought::find(store, vec!["12".into()]).expect("looks");
        assert_eq!(sought.fw_ids, [1, 2]);
        // One ends, and the other one begins.
        store.finish(&[outcome(&first, State::Completed, FwAction::default())], Timestamp::now()).expect("finishes");
        assert_eq!(worker.claim_as(store, 1, Some(2), Order::Fifo).len(), 1);
        let (turns, _) = cancel_jobs(stage.here(), &sought, false).expect("cancels");
        assert_eq!(stage.states(), [State::Completed, State::Ready]);
        let told: Vec<_> =
            turns.iter().map(|turn| (turn.fw_id, turn.result.as_ref().err().map(ToString::to_string))).collect();
        let left = "firework 1 is COMPLETED by now, not RUNNING; it was left alone".to_owned();
        assert_eq!(told, [(1, Some(left)), (2, None)]);
    }
}

#[test]
fn jobs_are_cancelled_together() {
    for stage in Stage::on_every_store() {
        for _ in 0..2 {
            stage.add_chain(&["a"]);
        }
        reserve(&stage.site.launchpad.location, 1, "16", Timestamp::now());
        reserve(&stage.site.launchpad.location, 2, "17", Timestamp::now());
        let jobs = Target::Jobs(["16", "17", "18"].map(str::to_owned).to_vec());
        let (what, preview, outcome) = stage.act(Action::Cancel, &jobs);
        assert_eq!(what, "cancel 2 queue jobs");
        let again = ["cancels 2 queue jobs: 16, 17", "2 fireworks are READY again:", "  2 RESERVED a (1,2)"];
        assert_eq!(preview[..3], again);
        assert!(preview[3].starts_with("left alone: no firework waits for queue job 18 or runs in it"), "{preview:?}");
        assert_eq!((preview.len(), outcome.done[0].as_str()), (4, "2 fireworks READY again"));
        assert_eq!(stage.states(), [State::Ready; 2]);
    }
}

/// Where the test of a queue says what is to be done: its queue is found through the environment of a process.
const ORDER: &str = "VOLLEY_TEST_ACTION";

/// Plans a cancellation in a process of its own, and carries it out. Returns what was said.
fn cancel_elsewhere(command: &mut Command, folder: &Path, target: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let ran = command.env(ORDER, target).output().expect("runs");
    assert!(ran.status.success(), "{ran:?}");
    let said = std::fs::read_to_string(folder.join("said.json")).expect("has said something");
    serde_json::from_str(&said).expect("as data")
}

/// This test, in a folder.
fn this_test(folder: &Path) -> Command {
    let mut command = private(&std::env::current_exe().expect("a program"), folder);
    command.args(["--exact", "verbs_action::in_a_process_of_its_own"]);
    command
}

#[test]
fn in_a_process_of_its_own() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let folder = std::env::current_dir().expect("a folder");
    let loaded = config::load(&Flags::default(), &Surroundings::of_process().expect("surroundings"));
    let settings = loaded.expect("settings").settings;
    let store = store::open(&settings.location).expect("opens");
    let here = Here { settings: &settings, store: &*store };
    let target = match order.split_once(' ') {
        Some(("job", job)) => Target::Jobs(vec![job.to_owned()]),
        _ => fireworks(&[order.parse().expect("an id")]),
    };
    let plan = plan(here, Action::Cancel, &target).expect("a plan");
    let outcome = carry_out(here, &plan).expect("an outcome");
    let said = json!([plan.preview, outcome.done, outcome.refused]).to_string();
    std::fs::write(folder.join("said.json"), said).expect("writes");
}

#[test]
fn jobs_of_slurm_are_cancelled() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    for site in Site::on_every_store() {
        let queue = Cleanup(slurm(&LaunchpadId::of(&site.launchpad.location), &conf));
        let adapter = "_fw_q_type: SLURM\nqueue: debug\nntasks: 2\nrocket_launch: rlaunch rapidfire --slots 2\n";
        site.write("my_qadapter.yaml", adapter);
        for _ in 0..2 {
            site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "sleep 1000"}]));
        }
        let ran = site.volley(&["qlaunch", "singleshot"]).env("SLURM_CONF", &conf).output().expect("runs");
        assert!(ran.status.success(), "{ran:?}");
        wait_until("both run", || [1, 2].iter().all(|id| site.state(*id) == State::Running));
        let job = queue.0.list().expect("lists").remove(0).id.id;
        let mut process = this_test(site.path());
        let (preview, done, refused) = cancel_elsewhere(process.env("SLURM_CONF", &conf), site.path(), "1");
        assert_eq!(preview[0], format!("cancels 1 queue job: {job}"));
        assert!(preview[3].starts_with("1 firework that was not chosen runs in"), "{preview:?}");
        let is_cancelled =
            |line: &str, of: &str| line.starts_with(&format!("cancelled Slurm job {job}")) && line.ends_with(of);
        assert!(done[0] == "2 fireworks READY again" && done.len() == 3, "{done:?}");
        assert!(is_cancelled(&done[1], " of fw 1") && is_cancelled(&done[2], " of fw 2"), "{done:?}");
        assert!(refused.is_empty(), "{refused:?}");
        wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
        assert_eq!([site.state(1), site.state(2)], [State::Ready; 2]);
    }
}

#[test]
fn a_job_of_this_machine_is_cancelled() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(1, "sleep 1000");
    place.run(&["qlaunch", "singleshot"]).done();
    wait_until("it runs", || place.fireworks()[0].state == State::Running);
    let mut process = this_test(&place.path());
    process.env("VOLLEY_LAUNCHPAD", place.path().join("launchpad.db"));
    process.env("VOLLEY_LOCAL_QUEUE", place.path().join("queue"));
    let (preview, done, refused) = cancel_elsewhere(&mut process, &place.path(), "job 1");
    assert_eq!(preview, ["cancels 1 queue job: 1", "1 firework is READY again:", "  1 RUNNING one (1)"]);
    assert!(done[1].starts_with("cancelled local job 1 (") && refused.is_empty(), "{done:?} {refused:?}");
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    assert_eq!(place.fireworks()[0].state, State::Ready);
}
