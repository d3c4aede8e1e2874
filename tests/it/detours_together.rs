//! Two parents of one firework whose outcomes come in one report, one of them with a detour: the firework
//! waits for the detour.

use bson::doc;
use jiff::Timestamp;
use serde_json::json;
use volley::store::{FireworkQuery, Verdict};
use volley::workflow::{FwAction, State};

use crate::support::{Launchpad, Worker, draft, outcome};

#[test]
fn a_detour_is_waited_for_whichever_parent_comes_first() {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let new = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": []}}], "links": {}, "metadata": {}};
    let detour = FwAction { detours: vec![new], ..FwAction::default() };
    for pad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let (store, worker) = (&*pad.store, Worker::new("w"));
        for actions in [[detour.clone(), FwAction::default()], [FwAction::default(), detour.clone()]] {
            let fan = json!({"fws": [fw(1), fw(2), fw(3)], "links": {"1": [3], "2": [3]}});
            let ids = store.insert(&[draft(fan)], Timestamp::now()).expect("inserts").remove(0);
            let child = FireworkQuery { ids: Some(vec![ids[2].1]), ..FireworkQuery::default() };
            let state = || store.find_fireworks(&child).expect("finds")[0].state;
            let claims = worker.claim(store, 2);
            let outcomes: Vec<_> =
                claims.iter().zip(actions).map(|(claim, action)| outcome(claim, State::Completed, action)).collect();
            assert_eq!(store.finish(&outcomes, Timestamp::now()).expect("finishes"), [Verdict::Recorded; 2]);
            assert_eq!(state(), State::Waiting);
            let next = worker.claim(store, 9);
            assert_eq!(next.len(), 1, "the detour");
            let done = outcome(&next[0], State::Completed, FwAction::default());
            store.finish(&[done], Timestamp::now()).expect("finishes");
            assert_eq!(state(), State::Ready);
            assert_eq!(worker.claim(store, 9).len(), 1);
        }
    }
}
