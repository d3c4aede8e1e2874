//! Molecular dynamics as a task: what it leaves, what its children get, and how it goes on after an interruption.

use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use volley::recipes::Summary;
use volley::science::Atoms;
use volley::science::io::mson::from_mson;
use volley::science::md::momenta_of;
use volley::science::structure::{build, plain, read_frames};
use volley::workflow::{State, json::from_document};

use crate::support::cli::Cli;
use crate::support::run::wait_until;
use crate::support::site::Site;

/// Some copper atoms that move.
fn md(more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "EmtMdTask",
        "structure": {"bulk": {"name": "Cu", "cubic": true}},
        "dynamics": "nvt_langevin",
        "temperature_K": 400,
        "timestep_fs": 2,
        "steps": 20,
        "seed": 7,
    });
    task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    task
}

fn document(site: &Site, fw_id: i64) -> Value {
    Value::Object(from_document(&site.stored_data(fw_id)))
}

fn last(document: &Value) -> Atoms {
    from_mson(&document["atoms"]).expect("atoms")
}

/// The largest difference of positions and momenta.
fn far(left: &Atoms, right: &Atoms) -> f64 {
    let numbers = |atoms: &Atoms| -> Vec<f64> {
        let momenta = momenta_of(atoms).expect("reads").expect("it moves");
        [atoms.positions().as_flattened(), momenta.as_flattened()].concat()
    };
    let (left, right) = (numbers(left), numbers(right));
    left.iter().zip(&right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn log_lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("md.log")).map_or(0, |text| text.matches('\n').count())
}

#[test]
fn a_run_leaves_its_log_and_frames_and_a_row() {
    for site in Site::on_every_store() {
        let task = md(json!({"md_params": {"dynamics_kwargs": {"loginterval": 5}}}));
        let fw_id = site.add_tasks(json!([task]));
        site.run_well(&["singleshot"]);
        let document = document(&site, fw_id);
        let log = std::fs::read_to_string(site.path().join("md.log")).expect("is there");
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines[0], "Time[ps]      Etot[eV]     Epot[eV]     Ekin[eV]    T[K]");
        assert_eq!(lines.len(), 6, "{log}");
        assert!(lines[2].starts_with("0.0100 "), "{log}");
        let frames = read_frames(&site.path().join("md.extxyz")).expect("reads");
        assert_eq!(frames.len(), 5);
        assert_eq!(frames[1].info()["step"], 5);
        assert!(far(&frames[4], &last(&document)) < 1e-14, "to the last digit");
        assert_eq!((&document["name"], &document["completed_steps"]), (&json!("EMT MD"), &json!(20)));
        assert_eq!(document["parameters_md"]["seed"], 7);
        let times = document["trajectory_log"].as_array().expect("a list").iter();
        let times: Vec<f64> =
            times.map(|one| one["time"].as_f64().expect("a number") / 0.098_226_947_884_640_63).collect();
        assert!(times.iter().zip([0.0, 10.0, 20.0, 30.0, 40.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{times:?}");
        let row = Summary::of(&document).expect("a row");
        assert!(row.steps == Some(20) && row.temperature.is_some_and(|kelvin| kelvin > 1.0), "{row:?}");
    }
}

#[test]
fn a_child_goes_on_with_the_momenta() {
    let (once, twice) = (Site::sqlite(), Site::sqlite());
    let start = json!({"maxwell_boltzmann_kwargs": {"temperature_K": 500}});
    let nve = |more: Value| {
        let mut task = md(json!({"dynamics": "nve"}));
        task.as_object_mut().expect("an object").remove("temperature_K");
        task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        task
    };
    once.add_tasks(json!([nve(json!({"steps": 30, "md_params": start}))]));
    let mut child = nve(json!({"steps": 10}));
    child.as_object_mut().expect("an object").remove("structure");
    let fws = json!([
        {"fw_id": 1, "spec": {"_tasks": [nve(json!({"steps": 20, "md_params": start}))]}},
        {"fw_id": 2, "spec": {"_tasks": [child]}},
    ]);
    twice.add(json!({"fws": fws, "links": {"1": [2]}}));
    once.run_well(&["rapidfire"]);
    twice.run_well(&["rapidfire"]);
    let (one, two) = (document(&once, 1), document(&twice, 2));
    assert!(far(&last(&one), &last(&two)) < 1e-10);
    assert!(two["parameters_md"]["seed"].is_null(), "nothing was random: {}", two["parameters_md"]);
}

/// A run with all that has to be remembered.
fn long(dynamics: &str, steps: usize) -> Value {
    md(json!({
        "dynamics": dynamics,
        "structure": {"bulk": {"name": "Cu", "cubic": true, "supercell": [2, 2, 2]}},
        "steps": steps,
        "md_params": {"dynamics_kwargs": {"loginterval": 2}},
    }))
}

/// More than anybody waits for.
const ENDLESS: usize = 1_000_000;

fn set_task(site: &Site, fw_id: i64, task: &Value) {
    let set = bson::doc! {"_tasks": volley::workflow::json::to_bson(&json!([task]))};
    let change = volley::workflow::SpecChange::setting(set).expect("a change");
    let changed = site.launchpad.store.update_specs(&[fw_id], &change, jiff::Timestamp::now()).expect("updates");
    assert_eq!(changed, [fw_id]);
}

/// How many steps an interrupted run has kept.
fn kept_steps(site: &Site, fw_id: i64) -> usize {
    let launch = site.given_back(fw_id);
    let (_, progress) = launch.progress().expect("is kept");
    let number = |key: &str| progress.get(key).and_then(volley::workflow::as_int).expect("a number");
    assert_eq!(number("of_steps"), ENDLESS as i64);
    usize::try_from(number("steps")).expect("is positive")
}

/// Starts a worker in a folder of its own and stops it after some steps.
fn run_for_a_while(site: &Site, folder: &Path, lines: usize) {
    std::fs::create_dir_all(folder).expect("makes it");
    let worker = site.start_in(folder, &["-c", site.path().to_str().expect("is UTF-8"), "singleshot"]);
    wait_until("it has made some steps", || log_lines(folder) > lines);
    worker.signal(Signal::TERM);
    assert_eq!(worker.end().0, Some(128 + 15));
}

/// Runs the rest.
fn run_on(site: &Site, folder: &Path) -> String {
    std::fs::create_dir_all(folder).expect("makes it");
    let worker = site.start_in(folder, &["-c", site.path().to_str().expect("is UTF-8"), "singleshot"]);
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

#[test]
fn an_interrupted_run_ends_as_if_nothing_had_been() {
    for site in Site::on_every_store() {
        for dynamics in ["nvt", "nvt_langevin"] {
            let [first, second, third] =
                ["first", "second", "third"].map(|name| site.path().join(format!("{dynamics}_{name}")));
            let fw_id = site.add_tasks(json!([long(dynamics, ENDLESS)]));
            run_for_a_while(&site, &first, 3);
            run_for_a_while(&site, &second, log_lines(&first) + 2);
            let steps = kept_steps(&site, fw_id) / 2 * 2 + 10;
            set_task(&site, fw_id, &long(dynamics, steps));
            let log = run_on(&site, &third);
            assert!(log.contains("going on from there"), "{log}");
            let whole = Site::sqlite();
            let whole_id = whole.add_tasks(json!([long(dynamics, steps)]));
            whole.run_well(&["singleshot"]);
            let (parts, one) = (document(&site, fw_id), document(&whole, whole_id));
            assert!(far(&last(&parts), &last(&one)) < 1e-9, "{dynamics}");
            let frames = steps / 2 + 1;
            for key in ["trajectory", "trajectory_log", "trajectory_results"] {
                assert_eq!(parts[key].as_array().map(Vec::len), Some(frames), "{dynamics}: {key}");
            }
            assert!(parts["first_step"].is_null());
            let place = |document: &Value, at: usize| from_mson(&document["trajectory"][at]).expect("atoms");
            for at in 0..frames {
                assert!(far(&place(&parts, at), &place(&one, at)) < 1e-9, "{dynamics}: frame {at}");
            }
            assert!(far(&from_mson(&parts["input_atoms"]["atoms"]).expect("atoms"), &place(&one, 0)) < 1e-12);
            let text = |folder: &Path| std::fs::read_to_string(folder.join("md.log")).expect("is there");
            assert_eq!(text(&third), text(whole.path()), "{dynamics}");
            assert_eq!(read_frames(&third.join("md.extxyz")).expect("reads").len(), frames);
        }
    }
}

#[test]
fn where_the_earlier_files_are_gone_the_trajectory_begins_later() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([long("nvt_bussi", ENDLESS)]));
    let (first, second) = (site.path().join("first"), site.path().join("second"));
    run_for_a_while(&site, &first, 5);
    std::fs::remove_dir_all(&first).expect("is there");
    let steps = kept_steps(&site, fw_id) + 6;
    set_task(&site, fw_id, &long("nvt_bussi", steps));
    let log = run_on(&site, &second);
    assert!(log.contains("the trajectory of the earlier run"), "{log}");
    let document = document(&site, fw_id);
    let begins = document["first_step"].as_u64().expect("a step");
    assert!(begins > 0 && document["completed_steps"] == steps, "{begins}");
    let time = document["trajectory_log"][0]["time"].as_f64().expect("a number");
    assert!((time / (2.0 * 0.098_226_947_884_640_63) - begins as f64).abs() < 1e-9);
    assert_eq!(log_lines(&second), 1 + document["trajectory"].as_array().expect("a list").len());
}

#[test]
fn other_parameters_begin_anew() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([long("nvt", ENDLESS)]));
    run_for_a_while(&site, &site.path().join("first"), 3);
    let mut warmer = long("nvt", 4);
    warmer["temperature_K"] = json!(500);
    set_task(&site, fw_id, &warmer);
    let log = run_on(&site, &site.path().join("second"));
    assert!(!log.contains("going on"), "{log}");
    assert_eq!(document(&site, fw_id)["completed_steps"], 4);
}

#[test]
fn how_far_it_is_can_be_asked() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([long("nve", ENDLESS)]));
    run_for_a_while(&site, &site.path().join("first"), 3);
    let steps = kept_steps(&site, fw_id);
    let launch = site.given_back(fw_id);
    let advance = volley::launchpad::explain::Advance::of(&launch).expect("is known");
    assert!(advance.words().starts_with(&format!("step {steps} of 1000000")), "{}", advance.words());
}

#[test]
fn a_run_that_breaks_down_says_where() {
    let site = Site::sqlite();
    let task = md(json!({"timestep_fs": 400, "temperature_K": 3000, "dynamics": "nve", "steps": 500}));
    let fw_id = site.add_tasks(json!([task]));
    site.run_well(&["singleshot"]);
    let trace = site.stacktrace(fw_id);
    assert!(trace.contains("molecular dynamics broke down in step "), "{trace}");
    assert!(trace.contains(" of 500: ") && trace.contains("is the time step too long?"), "{trace}");
    let frames = read_frames(&site.path().join("md.extxyz")).expect("reads").len();
    let step: usize =
        trace.split("in step ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("one");
    assert_eq!(frames, step, "all before it");
}

#[test]
fn time_may_end_a_run() {
    let site = Site::sqlite();
    let task = md(json!({"md_params": {"max_runtime": 0, "stop_reason": "enough"}}));
    let fw_id = site.add_tasks(json!([task]));
    site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed);
    let document = document(&site, fw_id);
    let said = ["state", "stop_reason", "completed_steps", "requested_steps"].map(|key| document[key].clone());
    assert_eq!(json!(said), json!(["partial", "enough", 0, 20]));
}

#[test]
fn mistakes_are_found_when_it_is_added() {
    let cli = Cli::sqlite();
    for (settings, part) in [
        (vec!["dynamics=nvt"], "nvt needs one"),
        (vec!["dynamics=nvt_langevn", "temperature_K=300"], "did you mean nvt_langevin?"),
        (vec!["dynamics=Langevin", "temperature_K=300", "md_params.dynamics_kwargs.fricton=1"], "friction"),
        (vec!["pressure_bar=1"], "nve holds no pressure"),
        (vec!["md_params.stop_condition=x"], "stop_condition in md_params is not supported yet"),
        (vec!["md_params.dynamics_kwargs.loginterval=0"], "loginterval"),
        (vec!["md_params.maxwell_boltzmann_kwargs.force_temp=true"], "temperature_K"),
        (vec!["md_params.dynamics_kwargs.logfile=a"], "md.log"),
        (vec!["seed=-1"], "seed"),
        (vec!["timestep_fs=2e-15"], "must be in fs"),
        (vec!["step=3"], "did you mean `steps`?"),
    ] {
        let settings: Vec<&str> = settings.iter().flat_map(|one| ["--set", one]).collect();
        cli.lpad(&[&["add_recipe", "emt.md", "bulk:Cu"], settings.as_slice()].concat()).failed(1, part);
    }
    let still = r#"{"symbols": ["Cu"], "positions": [[0, 0, 0]], "cell": [4, 4, 4], "pbc": true, "fixed": [0]}"#;
    let path = cli.write("still.json", still);
    let path = path.to_str().expect("is UTF-8");
    for dynamics in ["nve", "nvt", "nvt_bussi", "npt"] {
        let dynamics = format!("dynamics={dynamics}");
        let settings = ["add_recipe", "emt.md", path, "--set", &dynamics];
        let heat = if dynamics.ends_with("nve") { &[][..] } else { &["--set", "temperature_K=300"] };
        cli.lpad(&[&settings, heat].concat()).failed(1, "all atoms are fixed: nothing can move");
    }
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0);
}

/// Runs half, does something to its folder, and runs the rest; the folder of the rest, its log and its document.
fn resumed(name: &str, act: impl FnOnce(&Path)) -> (std::path::PathBuf, Site, String, Value) {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([long("nvt", ENDLESS)]));
    let (first, second) = (site.path().join("first"), site.path().join(name));
    run_for_a_while(&site, &first, 12);
    act(&first);
    let steps = kept_steps(&site, fw_id) / 2 * 2 + 6;
    set_task(&site, fw_id, &long("nvt", steps));
    let log = run_on(&site, &second);
    let document = document(&site, fw_id);
    assert_eq!(document["completed_steps"], steps);
    (second, site, log, document)
}

/// The steps in a file of frames.
fn steps_in(path: &Path) -> Vec<i64> {
    let frames = read_frames(path).expect("reads");
    frames.iter().map(|frame| frame.info()["step"].as_i64().expect("a number")).collect()
}

/// The lines of a log without its head.
fn times_in(path: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(path).expect("is there");
    text.lines().skip(1).map(|line| line.split(' ').next().expect("a word").parse().expect("a time")).collect()
}

fn has_no_holes(folder: &Path, document: &Value) {
    let steps = steps_in(&folder.join("md.extxyz"));
    assert!(steps.windows(2).all(|pair| pair[1] == pair[0] + 2), "{steps:?}");
    let times = times_in(&folder.join("md.log"));
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.004).abs() < 1e-9), "{times:?}");
    let first = document["first_step"].as_i64().unwrap_or(0);
    assert_eq!((steps[0], document["trajectory"].as_array().map(Vec::len)), (first, Some(steps.len())));
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(path).expect("is there");
    std::fs::write(path, change(text)).expect("writes");
}

#[test]
fn a_lost_log_does_not_cost_the_frames() {
    let (second, _site, log, document) =
        resumed("second", |first| std::fs::remove_file(first.join("md.log")).expect("is there"));
    assert!(log.contains("the log of the earlier run") && !log.contains("the trajectory of"), "{log}");
    assert!(document["first_step"].is_null());
    has_no_holes(&second, &document);
    assert!(times_in(&second.join("md.log"))[0] > 0.0);
}

#[test]
fn a_trajectory_has_no_holes_and_what_was_there_stays() {
    let cut = |text: String| {
        let mut frames: Vec<&str> = text.split_inclusive("\n32\n").collect();
        frames.remove(4);
        frames.concat()
    };
    let (second, _site, log, document) = resumed("first", |first| edit(&first.join("md.extxyz"), cut));
    assert!(log.contains("has a hole"), "{log}");
    assert_eq!(document["first_step"], 10);
    has_no_holes(&second, &document);
    assert_eq!(steps_in(&second.join("md.1.extxyz"))[..5], [0, 2, 4, 6, 10]);
}

#[test]
fn frames_that_end_too_early_stay_where_they_are() {
    let (second, site, log, document) = resumed("second", |first| {
        edit(&first.join("md.extxyz"), |text| text[..text.len() / 2].to_owned());
    });
    assert!(log.contains("the trajectory of the earlier run") && log.contains("does not reach"), "{log}");
    assert!(document["first_step"].as_i64().is_some_and(|first| first > 10));
    has_no_holes(&second, &document);
    let kept = std::fs::read_to_string(site.path().join("first/md.extxyz")).expect("is there");
    assert!(kept.matches("step=").count() > 3);
    assert_eq!(times_in(&second.join("md.log"))[0], 0.0, "the log is another file");
}

#[test]
fn lines_after_the_kept_step_are_cut_where_a_log_begins_later() {
    let (second, _site, _, document) = resumed("first", |first| {
        edit(&first.join("md.log"), |text| {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let last: f64 =
                lines[lines.len() - 1].split(' ').next().and_then(|time| time.parse().ok()).expect("a time");
            let more = (1..4).map(|n| format!("{:<10.4} 1.0 1.0 1.0 1.0\n", last + 0.004 * f64::from(n)));
            let begun: String = [&lines[..1], &lines[4..]].concat().concat();
            begun + &more.collect::<String>() + "0.1"
        });
    });
    has_no_holes(&second, &document);
    assert!((times_in(&second.join("md.log"))[0] - 0.012).abs() < 1e-9);
    assert!(!second.join("md.1.log").exists(), "it went on in its place");
}

/// Too much for a launch: what must be known of each run is in a file then.
fn heavy(steps: usize) -> Value {
    let mut task = long("nvt", steps);
    task["structure"] = plain(&build(&task["structure"]).expect("builds"));
    task["structure"]["info"] = json!({"comment": format!("run step=5 of md {}", "x".repeat(1_200_000))});
    task["md_params"]["dynamics_kwargs"]["loginterval"] = json!(100);
    task
}

#[test]
fn a_large_run_keeps_a_file_to_go_on_from() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([heavy(ENDLESS)]));
    let (first, second) = (site.path().join("first"), site.path().join("second"));
    run_for_a_while(&site, &first, 2);
    let launch = site.given_back(fw_id);
    let (_, progress) = launch.progress().expect("is kept");
    assert!(!progress.contains_key("atoms") && progress.get_str("file").is_ok_and(|name| name == "md.restart.bson"));
    let steps = kept_steps(&site, fw_id) + 3;
    set_task(&site, fw_id, &heavy(steps));
    let log = run_on(&site, &second);
    assert!(log.contains("going on from there"), "{log}");
    let document = document(&site, fw_id);
    assert!(document["first_step"].is_null() && document["completed_steps"] == steps);
    let whole = Site::sqlite();
    let whole_id = whole.add_tasks(json!([long("nvt", steps)]));
    whole.run_well(&["singleshot"]);
    let one = Value::Object(from_document(&whole.stored_data(whole_id)));
    assert!(far(&last(&document), &last(&one)) < 1e-9);
}

#[test]
fn without_that_file_it_begins_anew_and_says_so() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(json!([heavy(ENDLESS)]));
    let first = site.path().join("first");
    run_for_a_while(&site, &first, 2);
    std::fs::remove_file(first.join("md.restart.bson")).expect("is there");
    set_task(&site, fw_id, &heavy(3));
    let log = run_on(&site, &first);
    assert!(log.contains("cannot go on from the earlier run") && log.contains("md.1.extxyz"), "{log}");
    assert_eq!(document(&site, fw_id)["completed_steps"], 3);
}
