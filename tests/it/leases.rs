//! Leases: who is dead, by the store's clock. What passes is not time, but the store's clock: a store
//! that is opened ahead shows what those see who come by later.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use volley::store::{self, Claim, FireworkQuery, Mend, Mended, Mending, Store, Verdict, Witness};
use volley::workflow::{Cause, FwAction, Launch, Lease, Loss, State};

use crate::support::{Launchpad, Worker, draft, outcome};

/// The launchpads there are.
fn launchpads() -> impl Iterator<Item = Launchpad> {
    std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo())
}

fn one_firework(pad: &Launchpad) {
    let firework = json!({"spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    pad.store.insert(&[draft(firework)], Timestamp::now()).expect("inserts");
}

/// The launchpad as it looks so many seconds later.
fn later(pad: &Launchpad, seconds: i64) -> Box<dyn Store> {
    store::open_ahead(&pad.location, SignedDuration::from_secs(seconds)).expect("opens")
}

fn mend(store: &dyn Store) -> Vec<Mended> {
    store.mend(&Mending::default(), Timestamp::now()).expect("mends")
}

/// What was mended is one thing.
fn the_one(mended: Vec<Mended>) -> Mend {
    assert_eq!(mended.len(), 1, "{mended:?}");
    mended.into_iter().next().expect("is one").what
}

fn state(store: &dyn Store) -> State {
    let one = FireworkQuery { ids: Some(vec![1]), ..FireworkQuery::default() };
    store.find_fireworks(&one).expect("finds").pop().expect("exists").state
}

fn launch(store: &dyn Store, claim: &Claim) -> Launch {
    store.find_launches(&[claim.launch.launch_id]).expect("finds").pop().expect("exists")
}

/// Takes the firework away from whoever holds it, by the expiry of the lease.
fn lose(pad: &Launchpad, mending: &Mending<'_>) {
    later(pad, 130).mend(mending, Timestamp::now()).expect("suspects");
    let lost = later(pad, 170).mend(mending, Timestamp::now()).expect("loses");
    assert!(matches!(the_one(lost), Mend::Lost(..)));
}

#[test]
fn an_expired_lease_is_lost_at_the_second_look() {
    for pad in launchpads() {
        one_firework(&pad);
        let worker = Worker::new("w");
        let claim = worker.claim(&*pad.store, 1).pop().expect("claims");
        assert_eq!(mend(&*later(&pad, 110)), []);
        assert_eq!(the_one(mend(&*later(&pad, 130))), Mend::Suspected(claim.launch.launch_id));
        assert_eq!(mend(&*later(&pad, 150)), [], "its owner may renew it");
        let lost = the_one(mend(&*later(&pad, 161)));
        let Mend::Lost(_, loss) = lost else { panic!("{lost:?}") };
        assert_eq!(loss.cause, Cause::Unexplained);
        assert_eq!(state(&*pad.store), State::Ready);
        let ended = launch(&*pad.store, &claim);
        assert_eq!((ended.state, ended.loss(), ended.action), (State::Fizzled, Some(loss), None));
        // Whoever comes back late changes nothing.
        let late = outcome(&claim, State::Completed, FwAction::default());
        assert_eq!(pad.store.finish(&[late], Timestamp::now()).expect("is answered"), [Verdict::LeaseLost]);
        let renewed = pad.store.renew(&[claim.held()], &[], &worker.lease, Timestamp::now()).expect("is answered");
        assert_eq!(renewed, [claim.launch.launch_id]);
        assert_eq!(state(&*pad.store), State::Ready);
    }
}

#[test]
fn a_lease_that_nobody_took_is_renewed_late() {
    for pad in launchpads() {
        one_firework(&pad);
        let worker = Worker::new("w");
        let claim = worker.claim(&*pad.store, 1).pop().expect("claims");
        // The store was away for an hour; then a healer is first.
        assert!(matches!(the_one(mend(&*later(&pad, 3600))), Mend::Suspected(_)));
        let soon = later(&pad, 3610);
        let lease = Lease { until: Timestamp::now() + SignedDuration::from_secs(120), ..worker.lease.clone() };
        assert_eq!(soon.renew(&[claim.held()], &[], &lease, Timestamp::now()).expect("renews"), Vec::<i64>::new());
        assert_eq!(mend(&*later(&pad, 3700)), [], "it is alive");
        let stored = launch(&*pad.store, &claim).lease().expect("a lease");
        assert_eq!(stored.suspected, None);
        let done = outcome(&claim, State::Completed, FwAction::default());
        assert_eq!(soon.finish(&[done], Timestamp::now()).expect("finishes"), [Verdict::Recorded]);
        assert_eq!(state(&*pad.store), State::Completed);
    }
}

/// Knows that everything is lost.
struct Prophet(Cause);

impl Witness for Prophet {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        vec![Some(Loss::new(self.0, "Slurm job 12: it is over")); launches.len()]
    }
}

#[test]
fn a_witness_is_believed_at_once() {
    for pad in launchpads() {
        one_firework(&pad);
        let claim = Worker::new("w").claim(&*pad.store, 1).pop().expect("claims");
        let mending = Mending { witness: &Prophet(Cause::NodeFail), ..Mending::default() };
        let mended = pad.store.mend(&mending, Timestamp::now()).expect("mends");
        assert!(matches!(the_one(mended), Mend::Lost(..)));
        assert_eq!(state(&*pad.store), State::Ready);
        let last = launch(&*pad.store, &claim).state_history.pop().expect("history");
        let said = ["cause", "lost"].map(|key| last.get_str(key).expect("is there"));
        assert_eq!(said, ["node_fail", "Slurm job 12: it is over"]);
        assert_eq!(pad.store.mend(&mending, Timestamp::now()).expect("mends"), [], "nothing is left");
    }
}

#[test]
fn unexplained_losses_are_not_repeated_for_ever() {
    for pad in launchpads() {
        one_firework(&pad);
        // Whoever has looked later.
        let only = Some(&[1][..]);
        let mending = Mending { max_lost: 3, only, ..Mending::default() };
        let preempted = Mending { witness: &Prophet(Cause::Preempted), only, ..Mending::default() };
        for expected in [State::Ready, State::Ready, State::Fizzled] {
            // What is nobody's fault does not count.
            Worker::new("w").claim(&*pad.store, 1).pop().expect("claims");
            pad.store.mend(&preempted, Timestamp::now()).expect("mends");
            Worker::new("w").claim(&*pad.store, 1).pop().expect("claims again");
            lose(&pad, &mending);
            assert_eq!(state(&*pad.store), expected);
        }
        let one = FireworkQuery { ids: Some(vec![1]), ..FireworkQuery::default() };
        let firework = pad.store.find_fireworks(&one).expect("finds").pop().expect("exists");
        assert_eq!((firework.launches.len(), firework.archived_launches.len()), (1, 5), "every attempt is kept");
        let last = pad.store.find_launches(&firework.launches).expect("finds").pop().expect("exists");
        let action = last.action.expect("says why");
        assert!(action.to_string().contains("given up after repeated losses"), "{action}");
        // A rerun begins to count anew.
        pad.store.steer(store::Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        Worker::new("w").claim(&*pad.store, 1).pop().expect("claims");
        lose(&pad, &mending);
        assert_eq!(state(&*pad.store), State::Ready);
    }
}

#[test]
fn only_the_workflows_asked_for_are_mended() {
    for pad in launchpads() {
        one_firework(&pad);
        one_firework(&pad);
        assert_eq!(Worker::new("w").claim(&*pad.store, 2).len(), 2);
        let mending = Mending { only: Some(&[2]), every: SignedDuration::from_hours(1), ..Mending::default() };
        for ahead in [130, 170] {
            let mended = later(&pad, ahead).mend(&mending, Timestamp::now()).expect("mends");
            assert_eq!(mended.iter().map(|one| one.fw_id).collect::<Vec<_>>(), [2]);
        }
        assert_eq!(state(&*pad.store), State::Running, "nobody was asked about the other one");
    }
}

/// Something that happens to one of the workers, or to the healer.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many seconds pass; whoever is not frozen renews on time.
    Pass(i64),
    /// A worker freezes, or goes on.
    Freeze(usize),
    Thaw(usize),
    /// A worker claims what there is, or reports what it holds.
    Claim(usize),
    Finish(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    prop_oneof![
        4 => (1..80_i64).prop_map(Step::Pass),
        1 => who.clone().prop_map(Step::Freeze),
        1 => who.clone().prop_map(Step::Thaw),
        3 => who.clone().prop_map(Step::Claim),
        1 => who.prop_map(Step::Finish),
    ]
}

/// A worker whose clock is wrong.
struct Runner {
    worker: Worker,
    skew: SignedDuration,
    frozen: bool,
    /// Since when it has not renewed, by the store's clock.
    renewed: i64,
    held: Option<Claim>,
}

impl Runner {
    fn now(&self, at: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(at) + self.skew
    }

    fn lease(&self, at: i64) -> Lease {
        Lease { until: self.now(at) + SignedDuration::from_secs(120), ..self.worker.lease.clone() }
    }

    fn renew(&mut self, store: &dyn Store, at: i64) {
        if let Some(claim) = self.held.clone().filter(|_| !self.frozen) {
            let lost = store.renew(&[claim.held()], &[], &self.lease(at), self.now(at)).expect("renews");
            let was_alive = at - self.renewed <= 120;
            assert!(lost.is_empty() || !was_alive, "a live run was taken for lost");
            if lost.is_empty() {
                self.renewed = at;
            } else {
                self.held = None;
            }
        }
    }
}

/// Two workers and a healer, with wrong clocks and pauses of any length, and one firework.
fn protocol(pad: &Launchpad, skews: [i64; 2], steps: &[Step]) {
    one_firework(pad);
    let mut runners = skews.map(|skew| Runner {
        worker: Worker::new("w"),
        skew: SignedDuration::from_secs(skew),
        frozen: false,
        renewed: 0,
        held: None,
    });
    let (mut at, mut recorded) = (0, 0);
    for step in steps {
        match *step {
            Step::Pass(seconds) => {
                let end = at + seconds;
                while at < end {
                    at += (end - at).min(30);
                    let store = later(pad, at);
                    for runner in &mut runners {
                        runner.renew(&*store, at);
                    }
                    mend(&*store);
                }
            }
            Step::Freeze(who) => runners[who].frozen = true,
            Step::Thaw(who) => {
                runners[who].frozen = false;
                runners[who].renew(&*later(pad, at), at);
            }
            Step::Claim(who) => {
                let runner = &mut runners[who];
                if runner.held.is_none() && !runner.frozen {
                    runner.worker.lease = runner.lease(0);
                    runner.held = runner.worker.claim_at(&*later(pad, at), runner.now(0)).pop();
                    runner.renewed = at;
                }
            }
            Step::Finish(who) => {
                let runner = &mut runners[who];
                if let Some(claim) = runner.held.take().filter(|_| !runner.frozen) {
                    let done = outcome(&claim, State::Completed, FwAction::default());
                    let verdict = later(pad, at).finish(&[done], runner.now(at)).expect("is answered");
                    recorded += usize::from(verdict == [Verdict::Recorded]);
                }
            }
        }
    }
    // Whoever froze with it is dead: sooner or later it runs once more.
    for _ in 0..8 {
        at += 30;
        mend(&*later(pad, at));
    }
    let last = Worker::new("last");
    if let Some(claim) = last.claim_at(&*later(pad, at), Timestamp::now() + SignedDuration::from_secs(at)).pop() {
        let done = outcome(&claim, State::Completed, FwAction::default());
        let verdict = later(pad, at).finish(&[done], Timestamp::now()).expect("finishes");
        recorded += usize::from(verdict == [Verdict::Recorded]);
    }
    assert_eq!((recorded, state(&*pad.store)), (1, State::Completed));
}

/// Neither the clocks of hosts nor pauses of any length lose a run, or let two be recorded.
#[test]
fn the_protocol_holds_with_wrong_clocks_and_pauses() {
    let cases = std::env::var("VOLLEY_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    let mut runner =
        TestRunner::new(Config { cases: cases.unwrap_or(12), failure_persistence: None, ..Config::default() });
    let skews = [-400..400_i64, -400..400_i64];
    runner
        .run(&(skews, prop::collection::vec(step(), 5..30)), |(skews, steps)| {
            for pad in launchpads() {
                protocol(&pad, skews, &steps);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// All leases of a worker are renewed together, and what became of its launches is read with them.
#[test]
fn a_renewal_costs_two_commands() {
    let Some(pad) = Launchpad::mongo() else { return };
    (0..20).for_each(|_| one_firework(&pad));
    let worker = Worker::new("w");
    let held: Vec<_> = worker.claim(&*pad.store, 20).iter().map(Claim::held).collect();
    let database = pad.database();
    database.run_command(doc! {"profile": 2}).run().expect("watches");
    for _ in 0..3 {
        let lost = pad.store.renew(&held, &[], &worker.lease, Timestamp::now()).expect("renews");
        assert_eq!(lost, Vec::<i64>::new());
    }
    database.run_command(doc! {"profile": 0}).run().expect("rests");
    let seen = doc! {"ns": {"$regex": r"\.(launches|fireworks|workflows)$"}};
    let commands = database.collection::<Document>("system.profile").count_documents(seen).run().expect("counts");
    assert_eq!(commands, 6);
}
