//! What a worker cannot run stays READY for others, is taken no second time, and says why.

use bson::{Document, doc};
use serde_json::{Value, json};
use volley::store::FireworkQuery;
use volley::workflow::{Firework, FwId, State};

use crate::support::python::{PythonSite, call};
use crate::support::run::{Ran, wait_until};

fn task(name: &str) -> Value {
    json!([{"_fw_name": name}])
}

/// A firework as it must stay, but for the date of its last change: a claim that is undone is one.
fn untouched(firework: &Firework) -> Document {
    let mut document = firework.to_document();
    document.remove("updated_on");
    document
}

fn all(site: &PythonSite) -> Vec<Document> {
    site.site.fireworks().iter().map(untouched).collect()
}

fn records(site: &PythonSite) -> Vec<(String, Vec<(String, String)>)> {
    let records = site.site.launchpad.store.worker_records().expect("reads");
    let reasons = |record: volley::store::WorkerRecord| record.cannot.into_iter().chain(record.lacks).collect();
    records.into_iter().map(|record| (record.name.clone(), reasons(record))).collect()
}

#[test]
fn what_python_lacks_stays_ready_and_the_rest_runs() {
    for site in PythonSite::on_every_store() {
        let named = |name: &str, tasks: Value| site.site.add(json!({"name": name, "spec": {"_tasks": tasks}}))[0];
        let no_module = named("module", task("{{mypkg.MyTask}}"));
        let no_class = named("class", task("{{user_package.tasks.MyTask}}"));
        let no_name = named("name", task("My Task"));
        // What comes first is not done either.
        let native = json!({"_fw_name": "ScriptTask", "script": "touch $HOME/never"});
        let mixed = named("mixed", json!([native, {"_fw_name": "My Task"}]));
        let no_package = named("package", json!([{"_fw_name": "PyTask", "func": "mypkg.function"}]));
        let job = json!({"function": {"@module": "mypkg.jobs", "@callable": "f"}});
        let no_job = named("job", json!([{"_fw_name": "{{user_package.tasks.DefaultName}}", "job": job}]));
        let good = [
            named("good", json!([call("echo", json!([1]))])),
            named("own", json!([{"_fw_name": "user_package::DefaultName"}])),
            named("native", json!([{"_fw_name": "ScriptTask", "script": "true"}])),
        ];
        let waiting = [no_module, no_class, no_name, mixed, no_package, no_job];
        let before = all(&site);
        let log = site.run_well(&["rapidfire"]);
        for fw_id in good {
            assert_eq!(site.site.state(fw_id), State::Completed, "{log}");
        }
        let after: Vec<Document> = all(&site);
        assert_eq!(after[..6], before[..6], "{log}");
        assert_eq!(log.matches("this worker cannot run").count(), 3, "each reason is said once: {log}");
        assert!(log.contains("WARNING this worker cannot run {{mypkg.MyTask}}: No module named 'mypkg'; "), "{log}");
        assert!(!site.site.path().join("never").exists());
        assert_eq!(site.site.launchers().len(), good.len(), "no directories are left");
        let [(name, reasons)] = &records(&site)[..] else { panic!("one record: {:?}", records(&site)) };
        assert_eq!(name, "w");
        for (thing, reason) in [
            ("{{mypkg.MyTask}}", "No module named 'mypkg'"),
            ("{{user_package.tasks.MyTask}}", "user_package.tasks has no MyTask"),
            ("My Task", "ADD_USER_PACKAGES in FW_config.yaml"),
            ("mypkg", "No module named 'mypkg'"),
        ] {
            let found = reasons.iter().find(|(found, _)| found == thing);
            assert!(found.is_some_and(|(_, why)| why.contains(reason)), "{thing} in {reasons:?}");
        }
        // Others of the kind whose package is there are not left out.
        let other = site.add_call("echo", json!([]));
        site.run_well(&["singleshot"]);
        assert_eq!(site.site.state(other), State::Completed);
        for fw_id in waiting {
            assert_eq!(site.site.state(fw_id), State::Ready);
        }
    }
}

#[test]
fn nothing_is_claimed_twice_by_one_worker() {
    for site in PythonSite::on_every_store() {
        for _ in 0..20 {
            site.site.add_tasks(task("My Task"));
            site.site.add_tasks(json!([{"_fw_name": "PyTask", "func": "mypkg.f"}]));
        }
        let stamps = || -> Vec<String> {
            site.site.fireworks().iter().map(|firework| firework.updated_on.to_string()).collect()
        };
        let before = stamps();
        let arguments = ["rapidfire", "--nlaunches", "infinite", "--max_loops", "2", "--sleep", "0.6"];
        let log = site.run_well(&arguments);
        let claimed = stamps().iter().zip(&before).filter(|(now, then)| now != then).count();
        assert_eq!(claimed, 2, "one of each kind: {log}");
        assert_eq!(log.matches("Sleeping for 0.6 secs").count(), 2, "{log}");
    }
}

#[test]
fn without_fireworks_only_plain_functions_run() {
    for site in PythonSite::on_every_store() {
        site.set_python(&site.bare_python());
        let own =
            site.site.add(json!({"name": "own", "spec": {"_tasks": task("{{user_package.tasks.DefaultName}}")}}))[0];
        let other = site.site.add_tasks(task("Name Task"));
        let plain = site.add_call("echo", json!([1]));
        let log = site.run_well(&["rapidfire"]);
        assert_eq!([own, other, plain].map(|id| site.site.state(id)), [State::Ready, State::Ready, State::Completed]);
        assert_eq!(log.matches("No module named 'fireworks'").count(), 1, "it is said once: {log}");
        assert!(log.contains("pip install fireworks there, or name another Python as `python` in my_fworker.yaml"));
        // The one that is asked for by its id is no exception; the answer is an error.
        let refused = Ran::of(&mut site.volley(&["rlaunch", "singleshot", "-f", &own.to_string()]));
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
        let reason = format!(
            "error: firework {own} stays READY: this worker cannot run {{{{user_package.tasks.DefaultName}}}}: No module"
        );
        assert!(refused.stderr.contains(&reason), "{}", refused.stderr);
        assert_eq!((site.site.state(own), site.site.firework(own).launches.len()), (State::Ready, 0));
        // With another Python all is well, and the record goes.
        assert_eq!(records(&site).len(), 1);
        site.set_python(&site.python);
        let find = doc! {"_fw_name": "Name Task", "key": "text"};
        site.add(&doc! {"spec": {"text": 1, "_tasks": [find]}});
        site.site.launchpad.store.delete_workflows(&[other]).expect("deletes");
        site.run_well(&["rapidfire"]);
        assert!(site.site.fireworks().iter().all(|firework| firework.state == State::Completed));
        assert_eq!(records(&site), []);
    }
}

#[test]
fn without_python_native_tasks_run() {
    for site in PythonSite::on_every_store() {
        for (command, reason) in [
            ("/nowhere/python3", "cannot start `/nowhere/python3`: No such file or directory"),
            ("false", "`false` ended with exit status: 1 before it was ready"),
            ("sh -c 'echo no such environment >&2; exit 7'", "exit status: 7 before it was ready: no such environment"),
        ] {
            site.set_python(command);
            let plain = site.add_call("echo", json!([1]));
            let own = site.site.add_tasks(task("Name Task"));
            let native = site.site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
            let log = site.run_well(&["rapidfire"]);
            assert_eq!(
                [plain, own, native].map(|id| site.site.state(id)),
                [State::Ready, State::Ready, State::Completed],
                "{log}"
            );
            assert_eq!(log.matches(reason).count(), 1, "{log}");
            let [(_, reasons)] = &records(&site)[..] else { panic!("one record") };
            assert!(reasons.iter().any(|(task, why)| task == "PyTask" && why.contains(reason)), "{reasons:?}");
            site.site.launchpad.store.delete_workflows(&[plain, own, native]).expect("deletes");
        }
    }
}

#[test]
fn the_listing_says_who_cannot() {
    let Some(site) = PythonSite::sqlite() else { return };
    let mine = site.site.add(json!({"name": "mine", "spec": {"_tasks": task("{{mypkg.MyTask}}")}}))[0];
    let call =
        site.site.add(json!({"name": "call", "spec": {"_tasks": [{"_fw_name": "PyTask", "func": "mypkg.f"}]}}))[0];
    site.add_call("echo", json!([]));
    let parse = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).expect("is JSON");
    let json = || parse(&Ran::of(&mut site.volley(&["lpad", "get_fws"])));
    site.run_well(&["rapidfire"]);
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let table = Ran::of(&mut site.volley(&["lpad", "get_fws", "-o", "table"])).done().stdout;
    for line in [
        format!("{mine} mine: worker w on {host} cannot run {{{{mypkg.MyTask}}}}: No module named 'mypkg'"),
        format!("{call} call: worker w on {host} cannot run PyTask: No module named 'mypkg'"),
    ] {
        assert!(table.lines().any(|found| found == line), "{line} in {table}");
    }
    assert_eq!(table.matches("cannot run").count(), 2, "{table}");
    let listed = json();
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert!(!listed.to_string().contains("mypkg"), "JSON has FireWorks' shape");
    // Nothing is READY: nobody has to be asked.
    let completed = Ran::of(&mut site.volley(&["lpad", "get_fws", "-s", "COMPLETED", "-o", "table"])).done().stdout;
    assert!(!completed.contains("cannot run"), "{completed}");
}

/// One worker without FireWorks and one with it drain a launchpad together.
#[test]
fn a_mixed_fleet_drains_what_one_of_them_can() {
    for site in PythonSite::on_every_store() {
        site.write_worker("bare.yaml", "bare", &site.bare_python());
        let chain: Vec<FwId> = (0..12)
            .map(|number| {
                let (first, second) = (json!([call("echo", json!([number]))]), task("user_package::DefaultName"));
                let fws = json!([{"fw_id": 1, "spec": {"_tasks": first}}, {"fw_id": 2, "spec": {"_tasks": second}}]);
                site.site.add(json!({"fws": fws, "links": {"1": [2]}}))[0]
            })
            .collect();
        assert_eq!(chain.len(), 12);
        let start =
            |arguments: &[&str]| site.volley(arguments).stderr(std::process::Stdio::null()).spawn().expect("starts");
        let forever = ["rapidfire", "--nlaunches", "infinite", "--sleep", "0.2"];
        let mut bare = start(&[&["rlaunch", "-w", "bare.yaml"], &forever[..]].concat());
        let mut full = start(&[&["rlaunch"], &forever[..]].concat());
        wait_until("all is done", || site.site.fireworks().iter().all(|firework| firework.state == State::Completed));
        for worker in [&mut bare, &mut full] {
            let pid = rustix::process::Pid::from_child(worker);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("is there");
            worker.wait().expect("ends");
        }
        let fireworks = site.site.launchpad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        for firework in fireworks {
            assert_eq!((firework.launches.len(), firework.archived_launches.len()), (1, 0), "{}", firework.fw_id);
            let launch = site.site.launch(firework.fw_id);
            let is_own = firework.spec.to_string().contains("user_package::DefaultName");
            let worker = launch.fworker.to_string();
            assert!(!is_own || worker.contains("\"name\": \"w\""), "{worker}");
        }
    }
}

#[test]
fn no_jobs_are_queued_for_what_their_worker_cannot_run() {
    let Some(site) = PythonSite::sqlite() else { return };
    site.site.write("my_qadapter.yaml", "_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let fw_id = site.site.add_tasks(task("My Task"));
    let qlaunch = || {
        let mut command = site.volley(&["qlaunch", "singleshot"]);
        Ran::of(command.env("VOLLEY_LOCAL_QUEUE", site.site.path().join("queue"))).done().stdout
    };
    assert!(qlaunch().contains("submitted job"), "nobody has tried");
    wait_until("the job has tried", || !records(&site).is_empty());
    wait_until("it is READY again", || site.site.state(fw_id) == State::Ready);
    let said = qlaunch();
    assert!(said.contains("nothing is READY for this worker"), "{said}");
}
