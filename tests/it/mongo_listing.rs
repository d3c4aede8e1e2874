//! Listings from MongoDB: in every order, with dates of both kinds, and with the errors of those who ask.

use std::ops::ControlFlow;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use volley::store::{Direction, Fields, FireworkQuery, SortKey, StoreError, WorkflowQuery};

use crate::support::Launchpad;

/// Six fireworks: dates are strings with and without fractions and offsets, dates, or missing.
fn dated(pad: &Launchpad) {
    let date = |text: &str| {
        let at: Timestamp = text.parse().expect("a time");
        Bson::DateTime(bson::DateTime::from_millis(at.as_millisecond()))
    };
    let dates: [Bson; 5] = [
        "2026-11-22T15:00:48.000000+00:00".into(),
        date("2026-11-22T15:00:47Z"),
        "2026-11-22T15:00:46".into(),
        "2026-11-22T15:00:48.000000+00:00".into(),
        date("2026-11-22T15:00:49Z"),
    ];
    let mut fireworks: Vec<Document> = (1..).zip(dates).map(|(id, at)| doc! {"fw_id": id, "updated_on": at}).collect();
    fireworks.push(doc! {"fw_id": 6});
    for (firework, (priority, launches)) in
        fireworks.iter_mut().zip([(Some(3), 0), (None, 2), (Some(-1), 1), (Some(3), 1), (Some(5), 0), (None, 0)])
    {
        let spec = priority.map_or(doc! {"_tasks": []}, |priority| doc! {"_tasks": [], "_priority": priority});
        firework.extend(
            doc! {"state": "READY", "name": "f", "launches": (0..launches).collect::<Vec<i32>>(), "spec": spec},
        );
    }
    pad.database().collection::<Document>("fireworks").insert_many(fireworks).run().expect("inserts");
}

#[test]
fn every_order_is_right() {
    let Some(pad) = Launchpad::mongo() else { return };
    dated(&pad);
    let sorted = |key, direction, limit| {
        let query = FireworkQuery { sort: Some((key, direction)), limit, ..FireworkQuery::default() };
        let ids = pad.store.firework_ids(&query).expect("finds");
        let found: Vec<i64> = pad.store.find_fireworks(&query).expect("finds").iter().map(|one| one.fw_id).collect();
        assert_eq!(ids, found, "{key:?}");
        ids
    };
    use Direction::{Ascending, Descending};
    assert_eq!(sorted(SortKey::UpdatedOn, Ascending, 0), [6, 3, 2, 1, 4, 5]);
    assert_eq!(sorted(SortKey::UpdatedOn, Descending, 0), [5, 4, 1, 2, 3, 6]);
    assert_eq!(sorted(SortKey::UpdatedOn, Descending, 2), [5, 4]);
    assert_eq!(sorted(SortKey::UpdatedOn, Ascending, 3), [6, 3, 2]);
    assert_eq!(sorted(SortKey::Priority, Descending, 0), [5, 4, 1, 3, 6, 2]);
    assert_eq!(sorted(SortKey::Size, Descending, 3), [2, 4, 3]);
    assert_eq!(sorted(SortKey::FwId, Descending, 1), [6]);
    assert_eq!(sorted(SortKey::State, Ascending, 2), [1, 2]);

    let since = |text: &str| {
        let query = FireworkQuery { since: Some(text.parse().expect("a time")), ..FireworkQuery::default() };
        pad.store.firework_ids(&query).expect("finds")
    };
    assert_eq!(since("2026-11-22T15:00:46Z"), [1, 2, 3, 4, 5]);
    assert_eq!(since("2026-11-22T15:00:48Z"), [1, 4, 5]);
    assert_eq!(since("2026-11-22T15:00:48.5Z"), [5]);
}

#[test]
fn workflows_count_by_their_lowest_id() {
    let Some(pad) = Launchpad::mongo() else { return };
    let workflow = |nodes: &[i32]| doc! {"nodes": nodes.to_vec(), "name": "w", "state": "READY"};
    let workflows = pad.database().collection::<Document>("workflows");
    workflows.insert_many([workflow(&[4, 3]), workflow(&[1, 2, 9]), workflow(&[5])]).run().expect("inserts");
    let sorted = |key, direction| -> Vec<i64> {
        let query = WorkflowQuery { sort: Some((key, direction)), ..WorkflowQuery::default() };
        let found = pad.store.find_workflows(&query).expect("finds");
        let lowest = |one: &Document| one.get_array("nodes").ok()?.iter().filter_map(Bson::as_i32).min();
        found.iter().filter_map(lowest).map(i64::from).collect()
    };
    assert_eq!(sorted(SortKey::FwId, Direction::Ascending), [1, 3, 5]);
    assert_eq!(sorted(SortKey::FwId, Direction::Descending), [5, 3, 1]);
    assert_eq!(sorted(SortKey::Size, Direction::Ascending), [5, 3, 1]);
    assert_eq!(sorted(SortKey::CreatedOn, Direction::Descending), [5, 3, 1]);
    assert_eq!(sorted(SortKey::Name, Direction::Ascending), [1, 3, 5]);
}

#[test]
fn heads_come_without_specs_and_one_may_stop() {
    let Some(pad) = Launchpad::mongo() else { return };
    let many = (1..=5_000).map(|id| doc! {"fw_id": id, "state": "READY", "name": "f", "spec": {"_tasks": [], "x": id}});
    pad.database().collection::<Document>("fireworks").insert_many(many).run().expect("inserts");
    let mut parts = Vec::new();
    let query = FireworkQuery::default();
    let all = pad.store.each_firework(&query, Fields::Head, &mut |some| {
        assert!(some.iter().all(|firework| firework.spec.is_empty()));
        parts.push(some.len());
        ControlFlow::Continue(())
    });
    all.expect("finds");
    assert_eq!((parts.iter().sum::<usize>(), parts.len()), (5_000, 3));
    let mut calls = 0;
    let first = pad.store.each_firework(&query, Fields::Whole, &mut |some| {
        assert_eq!(some[0].spec.get_i32("x").ok(), Some(1));
        calls += 1;
        ControlFlow::Break(())
    });
    first.expect("finds");
    assert_eq!(calls, 1);
}

#[test]
fn what_is_changed_meanwhile_is_listed_once() {
    let Some(pad) = Launchpad::mongo() else { return };
    let at = |minute: i64| volley::workflow::time::to_iso(Timestamp::from_second(60 * minute).expect("a time"));
    let many = (1..=5_000).map(|id| doc! {"fw_id": id, "state": "READY", "updated_on": at(id), "spec": {}});
    let fireworks = pad.database().collection::<Document>("fireworks");
    fireworks.insert_many(many).run().expect("inserts");
    let query = FireworkQuery { sort: Some((SortKey::UpdatedOn, Direction::Ascending)), ..FireworkQuery::default() };
    let mut ids = Vec::new();
    let all = pad.store.each_firework(&query, Fields::Whole, &mut |some| {
        ids.extend(some.iter().map(|firework| firework.fw_id));
        let now = doc! {"$set": {"updated_on": at(6_000)}};
        fireworks.update_one(doc! {"fw_id": 1}, now).run().expect("updates");
        ControlFlow::Continue(())
    });
    all.expect("finds");
    assert_eq!(ids, (1..=5_000).collect::<Vec<_>>());
}

#[test]
fn what_the_server_does_not_understand_is_the_askers_error() {
    let Some(pad) = Launchpad::mongo() else { return };
    dated(&pad);
    let bad = [
        doc! {"spec.x": {"$foo": 1}},
        doc! {"$foo": 1},
        doc! {"name": {"$regex": "("}},
        doc! {"$or": 1},
        doc! {"spec.x": {"$in": 3}},
    ];
    for matching in bad {
        let query = FireworkQuery { matching: Some(matching.clone()), ..FireworkQuery::default() };
        let workflows = WorkflowQuery { matching: Some(matching.clone()), ..WorkflowQuery::default() };
        let by_date = FireworkQuery { sort: Some((SortKey::UpdatedOn, Direction::Ascending)), ..query.clone() };
        let errors = [
            pad.store.find_fireworks(&query).expect_err("is bad"),
            pad.store.find_fireworks(&by_date).expect_err("is bad"),
            pad.store.count_fireworks(&query).expect_err("is bad"),
            pad.store.find_workflows(&workflows).expect_err("is bad"),
            pad.store.count_workflows(&workflows).expect_err("is bad"),
            pad.store.matching_launches(&matching).expect_err("is bad"),
        ];
        for error in errors {
            assert!(matches!(error, StoreError::Query(_)), "{matching}: {error:?}");
        }
    }
}
