//! The files of a firework: its launch directory, files that are long or grow, a relaxation while it runs.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use tempfile::TempDir;
use volley::launchpad::folder::{Entry, Folder, Kind};
use volley::launchpad::piece::{Piece, Stamp};
use volley::launchpad::tail::{Place, Spot};
use volley::recipes::{LoggedStep, Measure};
use volley::tui::ask::files::{self as of, Text};
use volley::tui::ask::{Answer, Ask};
use volley::tui::state::firework::Pane;
use volley::tui::state::{App, Screen};
use volley::tui::{Desk, Effect, Event};
use volley::workflow::{State, Tracker};

use crate::support::desk::{desk, settle};
use crate::support::screen::{answer, app, asks, compare, now, picture, press};

/// A monitor that shows the files of firework 7.
fn files() -> App {
    let mut app = app();
    let mut screen = Screen::firework(7);
    if let Screen::Firework(firework) = &mut screen {
        firework.pane = Pane::Files;
    }
    app.tabs[0].above.push(screen);
    app
}

fn spot(dir: &Path, host: &str) -> Spot {
    let known = vec!["opt.log".to_owned()];
    Spot { launch_id: 12, is_over: false, dir: dir.to_owned(), host: host.into(), known, seen: Vec::new(), job: None }
}

/// Says where it runs.
fn runs(app: &mut App, launch: Option<Spot>) -> Vec<Effect> {
    let state = if launch.is_some() { State::Running } else { State::Waiting };
    let place = Place { state, launch, is_earlier: false };
    answer(app, &Ask::Files(of::Ask::Place(7)), Answer::Files(Box::new(of::Answer::Place(7, place))))
}

/// Says what is there.
fn holds(app: &mut App, spot: &Spot, folder: Folder) -> Vec<Effect> {
    let ask = Ask::Files(of::Ask::Folder { spot: Box::new(spot.clone()), inside: PathBuf::new() });
    answer(app, &ask, Answer::Files(Box::new(of::Answer::Folder(folder))))
}

/// Says what the file holds that has been asked for.
fn says(app: &mut App, effects: &[Effect], text: Result<Text, String>) {
    let ask = asks(effects).into_iter().find(|ask| matches!(ask, Ask::Files(of::Ask::File { .. }))).expect("asks");
    answer(app, ask, Answer::Files(Box::new(of::Answer::File(Some(text)))));
}

fn entry(name: &str, kind: Kind, size: u64, seconds: i64) -> Entry {
    let modified = Some(now() - SignedDuration::from_secs(seconds));
    Entry { path: Path::new("/scratch/launcher_7").join(name), name: name.to_owned(), kind, size, modified }
}

fn relaxed(steps: usize) -> Vec<LoggedStep> {
    let step = |step: usize| {
        let left = (-(step as f64) / 9.0).exp();
        let energy = -13.204_511 + left * (1.0 + 0.2 * (step as f64).sin());
        LoggedStep { at: step as f64, energy, measure: Measure::MaxForce(2.4 * left + 0.004) }
    };
    (0..steps).map(step).collect()
}

fn log(steps: &[LoggedStep]) -> Text {
    let line = |one: &LoggedStep| match one.measure {
        Measure::MaxForce(force) => format!("BFGS: {:4} 12:00:00 {:15.6} {force:15.6}\n", one.at, one.energy),
        Measure::Temperature(kelvin) => {
            format!("{:<10.4} {:12.4} {:12.4} {:12.4}  {kelvin:6.1}\n", one.at, one.energy, one.energy - 1.0, 1.0)
        }
    };
    let text: String = steps.iter().map(line).collect();
    Text { piece: Piece::of_text(&text), steps: steps.to_vec() }
}

/// One that shows a file.
fn opened(name: &str, text: Result<Text, String>) -> App {
    let mut app = files();
    let spot = spot(Path::new("/scratch/launcher_7"), "node042");
    runs(&mut app, Some(spot.clone()));
    let entries = vec![entry(name, Kind::File, 1000, 5)];
    holds(&mut app, &spot, Folder { entries, ..Folder::default() });
    let effects = press(&mut app, "<Enter>");
    says(&mut app, &effects, text);
    app
}

#[test]
fn the_directory_is_listed() {
    let mut app = files();
    compare(&mut app, "files-unknown");
    runs(&mut app, None);
    compare(&mut app, "files-waiting");
    let spot = spot(&Path::new("/scratch/a_user/calculations").join("a_folder_of_many_letters/".repeat(4)), "node042");
    assert_eq!(asks(&runs(&mut app, Some(spot.clone()))).len(), 1);
    holds(&mut app, &spot, Folder::default());
    compare(&mut app, "files-empty");
    let opt = entry("opt.log", Kind::File, 48_211, 4);
    let names =
        ["POSCAR", "WAVECAR", "水の構造最適化.xyz", "a_name_that_is_longer_than_what_a_narrow_terminal_has.out"];
    let many =
        names.iter().enumerate().map(|(number, name)| entry(name, Kind::File, 7u64.pow(4 * number as u32), 90_000));
    let mut entries = vec![entry("outputs", Kind::Folder, 0, 600)];
    entries.extend(many.chain([entry("pipe", Kind::Other, 0, 60), opt.clone()]));
    entries.extend((0..40).map(|number| entry(&format!("slab_{number}.json"), Kind::File, 3000 + number, 300)));
    let folder = Folder { entries, more: 1234, newest: Some(opt.path), unseen: None };
    holds(&mut app, &spot, folder);
    compare(&mut app, "files-many");
    press(&mut app, "G");
    assert!(picture(&mut app, (60, 15)).contains("slab_39.json"));
}

#[test]
fn another_hosts_directory_is_told_by_what_is_tracked() {
    let mut app = files();
    let content = (0..30).map(|line| format!("line {line}\n")).collect::<String>();
    let tracker = Tracker::from_bson(&bson::bson!({"filename": "OUTCAR", "content": content})).expect("a tracker");
    let spot = Spot { seen: vec![tracker], ..spot(Path::new("/local/launcher_7"), "node042") };
    let why = "it is on node042 and cannot be seen from here".to_owned();
    runs(&mut app, Some(spot.clone()));
    let tracked = Entry { path: spot.dir.join("OUTCAR"), modified: None, ..entry("OUTCAR", Kind::Tracked, 270, 0) };
    holds(&mut app, &spot, Folder { entries: vec![tracked], unseen: Some(why), ..Folder::default() });
    compare(&mut app, "files-elsewhere");
    assert!(press(&mut app, "t").is_empty(), "there is nothing to ask for");
    compare(&mut app, "files-tracked");
    press(&mut app, "<Esc>");
    assert!(picture(&mut app, (80, 24)).contains("tracked files"));
}

#[test]
fn a_relaxation_is_drawn() {
    compare(&mut opened("opt.log", Ok(log(&relaxed(1)))), "files-plot-first");
    let mut app = opened("opt.log", Ok(log(&relaxed(60))));
    compare(&mut app, "files-plot");
    press(&mut app, "v");
    compare(&mut app, "files-log");
    let mut never: Vec<LoggedStep> = relaxed(5000);
    never[17].measure = Measure::MaxForce(0.0);
    never.push(LoggedStep { at: 123_456.0, energy: 8.9e14, measure: Measure::MaxForce(3e12) });
    compare(&mut opened("opt.log", Ok(log(&never))), "files-plot-large");
}

#[test]
fn what_is_no_text_is_told() {
    let stamp = Stamp { length: 4, modified: None };
    let text = Text { piece: Piece::of(b"\x7fELF\0", 0, stamp), steps: Vec::new() };
    compare(&mut opened("a.out", Ok(text)), "files-binary");
    compare(&mut opened("secret", Err("Permission denied (os error 13)".to_owned())), "files-refused");
}

/// A directory with a file in it, the monitor above it, and what its questions are answered with.
fn real(name: &str, text: &str) -> (TempDir, App, Desk) {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = folder.path().join("launch");
    std::fs::create_dir(&launch).expect("is made");
    std::fs::write(launch.join(name), text).expect("writes");
    let desk = desk(folder.path());
    let mut app = files();
    let effects = runs(&mut app, Some(spot(&launch, "node042")));
    settle(&mut app, &desk, effects);
    (folder, app, desk)
}

fn type_keys(app: &mut App, desk: &Desk, keys: &str) -> String {
    let effects = press(app, keys);
    settle(app, desk, effects);
    picture(app, (80, 24))
}

fn lines(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("line {number} of the file\n")).collect()
}

#[test]
fn a_long_file_is_read_where_one_looks() {
    let (_folder, mut app, desk) = real("long.out", &lines(0, 200_000));
    assert!(type_keys(&mut app, &desk, "").contains("long.out"));
    assert!(type_keys(&mut app, &desk, "<Enter>").contains("line 199999 of"));
    assert!(type_keys(&mut app, &desk, "k").contains("line 199998 of"));
    assert!(!type_keys(&mut app, &desk, "k").contains("line 199999 of"));
    assert!(type_keys(&mut app, &desk, "g").contains("line 0 of"));
    let mut seen = type_keys(&mut app, &desk, "j");
    assert!(!seen.contains("line 0 of") && seen.contains("line 1 of"));
    // Every line comes by, down and up again.
    let first = |seen: &str| -> usize {
        let line = seen.lines().find_map(|line| line.trim_start().strip_prefix("line ")).expect("a line");
        line.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
    };
    let mut line = first(&seen);
    for _ in 0..700 {
        seen = type_keys(&mut app, &desk, "<C-d>");
        let next = first(&seen);
        assert!(next > line && next <= line + 20, "{line} {next}");
        line = next;
    }
    for _ in 0..700 {
        let next = first(&type_keys(&mut app, &desk, "<C-u>"));
        assert!(next < line && line <= next + 20, "{line} {next}");
        line = next;
    }
    assert_eq!(line, 1);
    assert!(type_keys(&mut app, &desk, "G").contains("line 199999 of"));
    assert!(type_keys(&mut app, &desk, "<Esc>").contains("newest output"));
}

#[test]
fn a_file_that_grows_is_followed() {
    let (folder, mut app, desk) = real("my.log", &lines(0, 10));
    let path = folder.path().join("launch/my.log");
    assert!(type_keys(&mut app, &desk, "t").contains("line 9 of"));
    let mut later = 0;
    let mut second = |app: &mut App| {
        later += 1;
        let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(later)));
        settle(app, &desk, effects);
        picture(app, (80, 24))
    };
    let mut file = File::options().append(true).open(&path).expect("opens");
    file.write_all(lines(10, 100).as_bytes()).expect("writes");
    assert!(second(&mut app).contains("line 99 of"));
    press(&mut app, "k");
    file.write_all(lines(100, 101).as_bytes()).expect("writes");
    assert!(!second(&mut app).contains("line 100 of"), "one reads elsewhere");
    assert!(type_keys(&mut app, &desk, "G").contains("line 100 of"));
    // It begins anew, and is gone.
    std::fs::write(&path, "begun again\n").expect("writes");
    let seen = second(&mut app);
    assert!(seen.contains("begun again") && !seen.contains("line 100 of"));
    std::fs::remove_file(&path).expect("is removed");
    assert!(second(&mut app).contains("it cannot be read"));
    std::fs::write(&path, "and there\n").expect("writes");
    assert!(second(&mut app).contains("and there"));
    // What has not changed is not read again.
    let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(99)));
    let ask = asks(&effects)[0].clone();
    assert!(matches!(&ask, Ask::Files(of::Ask::File { seen: Some(_), .. })), "{ask:?}");
    let Answer::Files(same) = ask.answer(&desk).expect("answers") else { panic!("of another kind") };
    assert!(matches!(*same, of::Answer::File(None)));
}

#[test]
fn the_output_opens_as_soon_as_there_is_some() {
    let (folder, mut app, desk) = real("FW.json", "{}");
    let seen = type_keys(&mut app, &desk, "t");
    assert!(seen.contains("opens as soon as there is some"), "{seen}");
    assert!(seen.contains("where `rlaunch` runs on") && seen.contains("`stdout_file`"), "{seen}");
    std::fs::write(folder.path().join("launch/opt.log"), "BFGS:  0 12:00:00  -1.5  0.25\n").expect("writes");
    let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    settle(&mut app, &desk, effects);
    assert!(picture(&mut app, (80, 24)).contains("step 0: -1.500000 eV, max force 0.2500 eV/Å"));
    // It runs again, elsewhere.
    let again = folder.path().join("again");
    std::fs::create_dir(&again).expect("is made");
    std::fs::write(again.join("opt.log"), "BFGS:  3 12:00:00  -2.5  0.25\n").expect("writes");
    let effects = runs(&mut app, Some(Spot { launch_id: 13, ..spot(&again, "node042") }));
    settle(&mut app, &desk, effects);
    assert!(picture(&mut app, (80, 24)).contains("step 3: -2.500000 eV"));
}

#[test]
fn folders_open_and_close() {
    let (folder, mut app, desk) = real("my.log", "text\n");
    let inner = folder.path().join("launch/inner/deep");
    std::fs::create_dir_all(&inner).expect("is made");
    std::fs::write(inner.join("found.txt"), "here\n").expect("writes");
    let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    settle(&mut app, &desk, effects);
    assert!(type_keys(&mut app, &desk, "G<Enter>").contains("deep"));
    assert!(type_keys(&mut app, &desk, "<Enter>").contains("found.txt"));
    assert!(type_keys(&mut app, &desk, "<Enter>").contains("here"));
    assert!(type_keys(&mut app, &desk, "<Esc>").contains("found.txt"));
    assert!(type_keys(&mut app, &desk, "h").contains("deep"));
    assert!(type_keys(&mut app, &desk, "<Esc>").contains("my.log"));
    // What is no file is not opened, or it might never end.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("launch/a_pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("is made");
    let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(2)));
    settle(&mut app, &desk, effects);
    assert!(type_keys(&mut app, &desk, "g<Enter>").contains("a_pipe is neither a file nor a folder"));
}

#[test]
fn keys_without_a_file_do_no_harm() {
    let mut app = files();
    press(&mut app, "jkGgt<Enter>vhl<C-d><C-u>");
    assert!(matches!(app.screen(), Screen::Firework(_)));
}
