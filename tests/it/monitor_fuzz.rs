//! The monitor under random keys, sizes and answers, late ones, lost ones and wrong ones, on real launchpads that
//! change meanwhile: it never panics, draws on every size, and can always be left. VOLLEY_TEST_SEEDS has it longer.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;
use serde_json::json;
use volley::store::{Location, Store};
use volley::tui::ask::{Ask, Lane, Reply, Trouble};
use volley::tui::state::App;
use volley::tui::view::{Look, draw};
use volley::tui::{Desk, Effect, Event, Key};
use volley::workflow::{FwAction, State};

use crate::support::desk::{desk_on, reply};
use crate::support::random::Random;
use crate::support::screen::{app, now};
use crate::support::{Launchpad, Worker, draft, is_long, outcome, seeds};

/// So many events of each seed.
const EVENTS: usize = 1500;

#[test]
fn random_keys_do_no_harm_on_sqlite() {
    fuzz(Launchpad::sqlite);
}

#[test]
fn random_keys_do_no_harm_on_mongodb() {
    if let Some(first) = Launchpad::mongo() {
        drop(first);
        fuzz(|| Launchpad::mongo().expect("was there"));
    }
}

fn fuzz(launchpad: impl Fn() -> Launchpad) {
    for seed in seeds(0..4) {
        if is_long() {
            eprintln!("seed {seed}");
        }
        let launchpad = launchpad();
        let folder = tempfile::tempdir().expect("a folder");
        let mut life = Life::new(seed, folder.path(), &launchpad.location);
        for _ in 0..EVENTS {
            life.step();
        }
        life.ends();
    }
}

/// One monitor.
struct Life {
    random: Random,
    desk: Desk,
    app: App,
    size: (u16, u16),
    waiting: Vec<Ask>,
    keys: Vec<Key>,
}

impl Life {
    fn new(seed: u64, folder: &Path, location: &Location) -> Self {
        let desk = desk_on(folder, location);
        let mut random = Random::new(seed);
        populate(&mut random, folder, &*desk.store);
        let mut app = app();
        app.view.place = volley::store::open(location).expect("opens").describe();
        app.view.read_only = random.percent(20);
        let mut life = Life { random, desk, app, size: (80, 24), waiting: Vec::new(), keys: Vec::new() };
        let effects = life.app.begin();
        life.effects(effects);
        life
    }

    fn step(&mut self) {
        let event = self.event();
        if let Some(event) = event {
            let effects = self.app.update(event);
            self.effects(effects);
        }
        self.draw();
    }

    fn event(&mut self) -> Option<Event> {
        match self.random.below(100) {
            0..40 => Some(Event::Key(self.key())),
            40..75 => self.answer(),
            75..80 => {
                self.size = (self.random.below(180) as u16, self.random.below(60) as u16);
                Some(Event::Resize(self.size.0, self.size.1))
            }
            80..88 => {
                let seconds = self.random.of(&[0, 1, 1, 2, 5, 40, 4000, -30]);
                Some(Event::Clock(self.app.view.now + SignedDuration::from_secs(seconds)))
            }
            88..93 => Some(Event::Pulse(if self.random.percent(85) { Ok(true) } else { Err(self.trouble()) })),
            93 => Some(Event::Focus(self.random.percent(50))),
            94 => {
                Some(Event::Paste(self.random.of(&["s:RUNNING", "q:{", "水 \u{1b}[2J\r\n", "n:relax*", ""]).to_owned()))
            }
            95 => Some(Event::Log("2026-11-26 12:00:00,000 WARNING hm".to_owned())),
            96 => Some(Event::Continued),
            _ => {
                work(&mut self.random, &*self.desk.store);
                None
            }
        }
    }

    fn key(&mut self) -> Key {
        const OFTEN: [KeyCode; 24] = [
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Backspace,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Delete,
            KeyCode::F(1),
            KeyCode::Char('f'),
            KeyCode::Char('j'),
            KeyCode::Char('t'),
            KeyCode::Char('y'),
            KeyCode::Char('2'),
            KeyCode::Char('3'),
        ];
        let key = match self.random.below(10) {
            0..4 => Key::from(self.random.of(&OFTEN)),
            4 => Key::ctrl(self.random.of(&['d', 'u', 'f', 'b', 'n', 'p', 'l', 'z', 'w', 'a', 'e', 'k'])),
            5 => Key::char(self.random.of(&['é', '水', '\u{301}', '\u{200d}', '🦀', '\u{7f}'])),
            _ => Key::char((b' ' + self.random.below(95) as u8) as char),
        };
        self.keys.push(key);
        key
    }

    /// One of what was asked is answered: well, wrongly, or not at all.
    fn answer(&mut self) -> Option<Event> {
        if self.waiting.is_empty() {
            return None;
        }
        let place = if self.random.percent(80) { 0 } else { self.random.below(self.waiting.len()) };
        let ask = self.waiting.remove(place);
        match self.random.below(20) {
            0 => Some(Event::Dropped(ask.slot())),
            1 => {
                let trouble = self.trouble();
                let took = std::time::Duration::from_secs(3);
                Some(Event::Reply(Box::new(Reply { ask, answer: Err(trouble), took })))
            }
            _ => Some(reply(&self.desk, &ask)),
        }
    }

    fn trouble(&mut self) -> Trouble {
        let long = "é".repeat(300);
        let text = self.random.of(&["no answer from db.example.org", "", "two\nlines \u{1b}[31m", &long]);
        Trouble { text: text.to_owned(), is_away: self.random.percent(60) }
    }

    fn effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                // The queue of whoever runs the tests is theirs.
                Effect::Ask(ask) if ask.slot().0 == Lane::Queue => {
                    self.app.update(Event::Dropped(ask.slot()));
                }
                Effect::Ask(ask) => self.waiting.push(*ask),
                // A user would come back.
                Effect::Quit | Effect::Suspend | Effect::Resume | Effect::Redraw | Effect::Pace(_) => {}
            }
        }
    }

    fn draw(&self) {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).expect("a terminal");
        let look = Look { colours: true };
        terminal.draw(|frame| draw(frame, &self.app, &look)).expect("draws");
    }

    /// Wherever one is, a few keys lead out.
    fn ends(&mut self) {
        for _ in 0..50 {
            let esc = self.app.update(Event::Key(Key::from(KeyCode::Esc)));
            self.effects(esc);
        }
        let mut ends = || self.app.update(Event::Key(Key::char('q'))) == [Effect::Quit];
        // To the overview, and out.
        assert!(ends() || ends(), "after {:?}", self.keys);
    }
}

/// A launch directory with files of all kinds.
fn launch_dir(folder: &Path) -> PathBuf {
    let dir = folder.join("launch");
    std::fs::create_dir_all(dir.join("inside/empty")).expect("is made");
    let log: String =
        (0..5000).map(|step| format!("BFGS: {step:4} 12:00:00 {:15.6} 0.25\n", -0.5 / f64::from(step))).collect();
    let files: [(&str, &[u8]); 4] = [
        ("opt.log", log.as_bytes()),
        ("empty.out", b""),
        ("WAVECAR", &[0, 255, 7]),
        ("one_line.json", &[b'x'; 300_000]),
    ];
    for (name, bytes) in files {
        std::fs::write(dir.join(name), bytes).expect("writes");
    }
    dir
}

/// Workflows of all kinds.
fn populate(random: &mut Random, folder: &Path, store: &dyn Store) {
    let dir = launch_dir(folder);
    for number in 0..random.below(12) {
        let count = random.of(&[1, 1, 2, 5, 40]);
        let name =
            random.of(&["relax", "", "static 水", "a name that is longer than most terminals are wide, and then some"]);
        let task = json!({"_fw_name": "ScriptTask", "script": "true"});
        let spec = json!({"_tasks": [task], "_priority": number, "_launch_dir": &dir, "deep": {"a": [1, {"b": "é".repeat(30)}]}});
        let fireworks: Vec<_> = (0..count).map(|id| json!({"fw_id": id, "name": name, "spec": spec})).collect();
        let links: serde_json::Map<_, _> = (1..count)
            .map(|id| (random.below(id as usize).to_string(), json!([id])))
            .fold(serde_json::Map::new(), |mut all, (parent, children)| {
                let list = all.entry(parent).or_insert_with(|| json!([]));
                list.as_array_mut().expect("a list").extend(children.as_array().expect("a list").clone());
                all
            });
        let workflow = json!({"fws": fireworks, "links": links, "name": name, "metadata": {"n": number}});
        store.insert(&[draft(workflow)], now()).expect("inserts");
    }
}

/// Somebody else is at work.
fn work(random: &mut Random, store: &dyn Store) {
    let worker = Worker::new("fuzz");
    let ended = [State::Completed, State::Fizzled];
    for claim in worker.claim(store, 1 + random.below(3)) {
        if random.percent(80) {
            let outcome = outcome(&claim, random.of(&ended), FwAction::default());
            store.finish(&[outcome], jiff::Timestamp::now()).expect("finishes");
        }
    }
}
