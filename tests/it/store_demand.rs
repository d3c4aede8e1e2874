//! How much work there is, by the resources that it asks for: the same on both stores.

use bson::{Bson, doc};
use serde_json::json;
use volley::store::Demand;
use volley::workflow::{FWorker, Room};

use crate::support::site::Site;

#[test]
fn is_counted_by_resources() {
    for site in Site::on_every_store() {
        for (resources, slots) in [
            (json!({"mem": "2G", "ntasks": 4}), json!(1)),
            (json!(null), json!(2)),
            (json!({"mem": "2G", "ntasks": 4}), json!(3)),
            (json!({"mem": "4G"}), json!("several")),
            (json!("no mapping"), json!(1)),
            (json!({"mem": "8G"}), json!(9)),
        ] {
            site.add(json!({"spec": {"_tasks": [], "_queueadapter": resources, "_slots": slots}}));
        }
        site.add_tasks(json!([]));
        site.add(json!({"spec": {"_tasks": [], "_queueadapter": {"nodes": 2}, "_nodes": 2}}));
        let mut worker = FWorker::default();
        worker.cannot.beyond = Some(Room { slots: 4, nodes: usize::MAX });
        let mut demand = site.launchpad.store.claimable_by_resources(&worker).expect("counts");
        demand.sort_by_key(|one| one.resources.to_string());
        let mut expected = vec![
            Demand { resources: Bson::Null, slots: 3 },
            Demand { resources: doc! {"mem": "2G", "ntasks": 4}.into(), slots: 4 },
            Demand { resources: doc! {"mem": "4G"}.into(), slots: 1 },
            // However many nodes their jobs have.
            Demand { resources: doc! {"nodes": 2}.into(), slots: 1 },
        ];
        expected.sort_by_key(|one| one.resources.to_string());
        assert_eq!(demand, expected);
        // What a pilot of such resources would take is the same.
        worker.cannot.other_than = Some(Bson::Null);
        assert_eq!(site.launchpad.store.count_claimable(&worker, jiff::Timestamp::now(), 9).expect("counts"), 2);
    }
}

/// A job for a firework that is reserved gets the walltime that the firework asks for.
#[test]
fn what_has_a_walltime_of_its_own_may_take_longer() {
    for site in Site::on_every_store() {
        for resources in [json!(null), json!({"mem": "2G"}), json!({"walltime": null}), json!({"walltime": "03:00:00"})]
        {
            site.add(json!({"spec": {"_tasks": [], "_walltime": "2h", "_queueadapter": resources}}));
        }
        let mut worker = FWorker::default();
        let count =
            |worker: &FWorker| site.launchpad.store.count_claimable(worker, jiff::Timestamp::now(), 9).expect("counts");
        assert_eq!(count(&worker), 4);
        worker.cannot.walltimes = vec!["2h".into()];
        assert_eq!(count(&worker), 0);
        worker.cannot.unless_own_walltime = true;
        assert_eq!(count(&worker), 1);
    }
}
