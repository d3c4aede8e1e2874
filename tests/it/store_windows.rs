//! Windows of lists: whatever the order, the filter and the place, they show what the whole list shows there.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::window::{Anchor, FireworkRow, Start, Window, WorkflowRow};
use volley::store::{Direction, FireworkQuery, NamePattern, SortKey, Store, Verb, WorkflowQuery};
use volley::workflow::{FwAction, State, time};

use crate::support::line::Line;
use crate::support::random::Random;
use crate::support::{Launchpad, Worker, draft, outcome};

const KEYS: [SortKey; 7] = [
    SortKey::FwId,
    SortKey::Name,
    SortKey::State,
    SortKey::Priority,
    SortKey::Size,
    SortKey::CreatedOn,
    SortKey::UpdatedOn,
];
const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];

/// A row of either list.
trait Row: Clone + PartialEq + std::fmt::Debug {
    type Query: Clone + std::fmt::Debug;
    fn window(store: &dyn Store, query: &Self::Query, start: &Start, size: usize) -> Window<Self>;
    fn anchor(&self) -> Anchor;
}

impl Row for FireworkRow {
    type Query = FireworkQuery;
    fn window(store: &dyn Store, query: &FireworkQuery, start: &Start, size: usize) -> Window<Self> {
        store.firework_window(query, start, size).expect("is shown")
    }
    fn anchor(&self) -> Anchor {
        self.anchor.clone()
    }
}

impl Row for WorkflowRow {
    type Query = WorkflowQuery;
    fn window(store: &dyn Store, query: &WorkflowQuery, start: &Start, size: usize) -> Window<Self> {
        store.workflow_window(query, start, size).expect("is shown")
    }
    fn anchor(&self) -> Anchor {
        self.anchor.clone()
    }
}

/// All rows, from the first on, so many at a time.
fn paged<R: Row>(store: &dyn Store, query: &R::Query, size: usize) -> Vec<R> {
    let mut all: Vec<R> = Vec::new();
    let mut start = Start::First;
    loop {
        let window = R::window(store, query, &start, size);
        assert!(window.rows.len() <= size);
        assert_eq!(window.is_first, all.is_empty(), "{query:?}");
        all.extend(window.rows);
        match all.last() {
            Some(last) if !window.is_last => start = Start::After(last.anchor()),
            _ => return all,
        }
    }
}

/// That every window shows its part of the list.
fn check_windows<R: Row>(store: &dyn Store, query: &R::Query, all: &[R], random: &mut Random) {
    let size = 1 + random.below(7);
    assert_eq!(paged::<R>(store, query, size), all, "{query:?} by {size}");
    let part =
        |from: usize, to: usize| Window { rows: all[from..to].to_vec(), is_first: from == 0, is_last: to == all.len() };
    let last = R::window(store, query, &Start::Last, size);
    assert_eq!(last, part(all.len().saturating_sub(size), all.len()), "{query:?}");
    if all.is_empty() {
        return;
    }
    let at = random.below(all.len());
    let anchor = all[at].anchor();
    let end = |from: usize| all.len().min(from + size);
    assert_eq!(R::window(store, query, &Start::At(anchor.clone()), size), part(at, end(at)), "{query:?} at {at}");
    let after = R::window(store, query, &Start::After(anchor.clone()), size);
    assert_eq!(after, part(at + 1, end(at + 1)), "{query:?} after {at}");
    let before = R::window(store, query, &Start::Before(anchor), size);
    assert_eq!(before, part(at.saturating_sub(size), at), "{query:?} before {at}");
}

fn both() -> Vec<Launchpad> {
    [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten().collect()
}

/// Workflows of one to four fireworks, with few names and priorities; several of one time, some changed since.
fn fill(pad: &Launchpad, random: &mut Random) {
    let store = &*pad.store;
    let mut at: Timestamp = "2026-11-22T15:00:00Z".parse().expect("a time");
    for _ in 0..6 {
        let workflow = |random: &mut Random| {
            let count = 1 + random.below(4) as i64;
            let fw = |id: i64, random: &mut Random| {
                let mut spec = json!({"_tasks": []});
                match random.below(4) {
                    0 => spec["_priority"] = json!(random.below(3)),
                    1 => spec["_priority"] = json!(-1.5),
                    _ => {}
                }
                json!({"fw_id": id, "name": random.of(&["relax", "static", "a b"]), "spec": spec})
            };
            let fws: Vec<_> = (1..=count).map(|id| fw(id, random)).collect();
            draft(json!({"fws": fws, "links": {}, "name": random.of(&["Cu", "Ag"])}))
        };
        let drafts: Vec<_> = (0..1 + random.below(9)).map(|_| workflow(random)).collect();
        store.insert(&drafts, at).expect("inserts");
        at += SignedDuration::from_millis([0, 1, 1_500][random.below(3)]);
    }
    let ids = store.firework_ids(&FireworkQuery::default()).expect("finds");
    let worker = Worker::new("w");
    for claim in worker.claim(store, ids.len() / 3) {
        let state = [State::Completed, State::Fizzled][random.below(2)];
        store.finish(&[outcome(&claim, state, FwAction::default())], Timestamp::now()).expect("finishes");
    }
    for _ in 0..4 {
        let verb = [Verb::Pause, Verb::Defuse][random.below(2)];
        let _ = store.steer(verb, ids[random.below(ids.len())], at);
    }
}

/// Dates as FireWorks writes them: texts with and without fraction and offset, dates, or nothing; and priorities
/// that are none.
fn mix(pad: &Launchpad, random: &mut Random) {
    for collection in ["fireworks", "workflows"] {
        let collection = pad.database().collection::<Document>(collection);
        let ids = collection.distinct("_id", doc! {}).run().expect("answers");
        for id in ids {
            if random.percent(20) {
                let set = doc! {"$set": {"spec._priority": random.of(&["low", "high"])}};
                collection.update_one(doc! {"_id": id.clone()}, set).run().expect("updates");
            }
            for field in ["created_on", "updated_on"] {
                let second = random.below(5) as i64;
                let at = Timestamp::from_millisecond(1_700_000_000_000 + second * 500).expect("a time");
                let text = time::to_iso(at);
                let date = match random.below(8) {
                    0 => Bson::Null,
                    1 | 2 => time::to_bson_date(at),
                    3 => text.trim_end_matches("+00:00").into(),
                    4 if second % 2 == 0 => text.trim_end_matches(".000000+00:00").into(),
                    _ => text.into(),
                };
                let set = doc! {"$set": {field: date}};
                collection.update_one(doc! {"_id": id.clone()}, set).run().expect("updates");
            }
        }
    }
}

fn firework_queries() -> Vec<FireworkQuery> {
    let all = FireworkQuery::default();
    vec![
        all.clone(),
        FireworkQuery { states: vec![State::Ready], ..all.clone() },
        FireworkQuery { states: vec![State::Completed, State::Fizzled], ..all.clone() },
        FireworkQuery { states: vec![State::Reserved], ..all.clone() },
        FireworkQuery { name: Some(NamePattern::Like("^re|b$".into())), ..all.clone() },
        FireworkQuery { matching: Some(doc! {"spec._priority": {"$gte": 0}}), ..all.clone() },
        FireworkQuery { ids: Some(vec![3, 5, 8, 999]), ..all.clone() },
        FireworkQuery { ids: Some(Vec::new()), ..all },
    ]
}

fn workflow_queries() -> Vec<WorkflowQuery> {
    let all = WorkflowQuery::default();
    vec![
        all.clone(),
        WorkflowQuery { states: vec![State::Completed, State::Running], ..all.clone() },
        WorkflowQuery { name: Some(NamePattern::Exactly("Cu".into())), ..all.clone() },
        WorkflowQuery { matching: Some(doc! {"nodes": {"$size": 2}}), ..all },
    ]
}

#[test]
fn every_window_shows_its_part_of_the_list() {
    for seed in crate::support::seeds(1..3) {
        for pad in both() {
            let mut random = Random::new(seed);
            fill(&pad, &mut random);
            if pad.is_mongo() && seed % 2 == 1 {
                mix(&pad, &mut random);
            }
            for (key, direction) in KEYS.into_iter().flat_map(|key| DIRECTIONS.map(|direction| (key, direction))) {
                let sort = Some((key, direction));
                for query in firework_queries() {
                    let query = FireworkQuery { sort, ..query };
                    let whole = pad.store.find_fireworks(&query).expect("finds");
                    let all = FireworkRow::window(&*pad.store, &query, &Start::First, 1_000).rows;
                    let ids = |rows: &[FireworkRow]| rows.iter().map(|row| row.fw_id).collect::<Vec<_>>();
                    let listed: Vec<i64> = whole.iter().map(|firework| firework.fw_id).collect();
                    assert_eq!(ids(&all), listed, "seed {seed}, {query:?}, {}", pad.store.describe());
                    check_windows(&*pad.store, &query, &all, &mut random);
                }
                for query in workflow_queries() {
                    let query = WorkflowQuery { sort, ..query };
                    let whole = pad.store.find_workflows(&query).expect("finds");
                    let all = WorkflowRow::window(&*pad.store, &query, &Start::First, 1_000).rows;
                    assert_eq!(all.len(), whole.len(), "{query:?}");
                    check_windows(&*pad.store, &query, &all, &mut random);
                }
            }
        }
    }
}

/// The stages of a plan, from whatever depth.
fn stages(plan: &Bson, found: &mut Vec<String>) {
    match plan {
        Bson::Document(plan) => {
            found.extend(plan.get_str("stage").map(str::to_owned));
            plan.iter().filter(|(key, _)| *key != "rejectedPlans").for_each(|(_, value)| stages(value, found));
        }
        Bson::Array(plans) => plans.iter().for_each(|plan| stages(plan, found)),
        _ => {}
    }
}

/// Has the server explain every command that shows rows.
fn explained(pad: &Launchpad, commands: Vec<Document>) -> Vec<(Document, Vec<String>)> {
    let database = pad.database();
    let explain = |mut command: Document| {
        for key in ["lsid", "$db", "$clusterTime", "txnNumber", "apiVersion"] {
            command.remove(key);
        }
        let plan = database.run_command(doc! {"explain": command.clone(), "verbosity": "queryPlanner"}).run();
        let mut found = Vec::new();
        stages(&plan.expect("explains").into(), &mut found);
        (command, found)
    };
    commands.into_iter().map(explain).collect()
}

/// That all rows come from indexes.
fn check_plans(pad: &Launchpad, commands: Vec<Document>) {
    for (command, stages) in explained(pad, commands) {
        let has = |name: &str| stages.iter().any(|stage| stage.starts_with(name));
        assert!(has("IXSCAN") && !has("COLLSCAN"), "{command}: {stages:?}");
    }
}

/// Many more fireworks than a window shows, of which none is like another, and a workflow for each ten.
fn many(pad: &Launchpad, count: i32) {
    let at =
        |number: i32| time::to_iso(Timestamp::from_second(1_700_000_000 + i64::from(number / 10)).expect("a time"));
    let state = |number: i32| State::ALL[number as usize % State::ALL.len()].as_str();
    let firework = |id: i32| {
        let spec = if id % 3 == 0 {
            doc! {"_tasks": [], "_priority": id % 7}
        } else {
            doc! {"_tasks": []}
        };
        doc! {"fw_id": id, "name": format!("f{}", id % 50), "state": state(id), "spec": spec, "launches": [],
        "created_on": at(id), "updated_on": at(count - id)}
    };
    let workflow = |first: i32| {
        let nodes: Vec<i32> = (first..first + 10).collect();
        let at = Bson::DateTime(bson::DateTime::from_millis(1_700_000_000_000 + i64::from(first / 100)));
        doc! {"nodes": &nodes, "name": format!("w{}", first % 30), "state": state(first / 10), "created_on": at.clone(),
        "updated_on": at, "fw_states": {}, "links": {}}
    };
    let database = pad.database();
    let fireworks = database.collection::<Document>("fireworks");
    fireworks.insert_many((1..=count).map(firework)).run().expect("inserts");
    let workflows = database.collection::<Document>("workflows");
    workflows.insert_many((1..=count).step_by(10).map(workflow)).run().expect("inserts");
}

#[test]
fn no_window_reads_them_all() {
    let Some(pad) = Launchpad::mongo() else { return };
    many(&pad, 3_000);
    let (line, store) = Line::store(&pad);
    for (key, direction) in KEYS.into_iter().flat_map(|key| DIRECTIONS.map(|direction| (key, direction))) {
        if key == SortKey::Size {
            continue;
        }
        for states in [vec![], vec![State::Fizzled]] {
            let query =
                FireworkQuery { sort: Some((key, direction)), states: states.clone(), ..FireworkQuery::default() };
            let rows = FireworkRow::window(&*store, &query, &Start::First, 40).rows;
            let anchor = rows[20].anchor();
            line.asked();
            for start in [
                Start::First,
                Start::Last,
                Start::At(anchor.clone()),
                Start::After(anchor.clone()),
                Start::Before(anchor),
            ] {
                FireworkRow::window(&*store, &query, &start, 40);
                let asked = line.asked();
                assert!(asked.len() <= 3, "{} commands for {start:?} by {key:?}", asked.len());
                check_plans(&pad, asked);
            }
            let query = WorkflowQuery { sort: Some((key, direction)), states, ..WorkflowQuery::default() };
            let rows = WorkflowRow::window(&*store, &query, &Start::First, 20).rows;
            let anchor = rows[10].anchor();
            line.asked();
            for start in [
                Start::First,
                Start::Last,
                Start::At(anchor.clone()),
                Start::After(anchor.clone()),
                Start::Before(anchor),
            ] {
                WorkflowRow::window(&*store, &query, &start, 20);
                let asked = line.asked();
                let most = if matches!(key, SortKey::FwId | SortKey::Priority) { 9 } else { 3 };
                assert!(asked.len() <= most, "{} commands for {start:?} by {key:?}", asked.len());
                check_plans(&pad, asked);
            }
        }
    }
}
