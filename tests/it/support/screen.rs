//! The monitor without a terminal: its state is fed with events, and what it draws is compared with files in
//! `tests/screens`. After a change that is meant, `SNAPSHOTS=overwrite cargo test monitor` writes them anew;
//! read the difference.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;
use ratatui::text::Span;
use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::{Assert, Data};
use volley::tui::ask::{Answer, Ask, Reply};
use volley::tui::state::{App, Scene};
use volley::tui::view::{Look, draw};
use volley::tui::{Effect, Event, Key};

/// The sizes of terminals that every screen is drawn on.
pub const SIZES: [(u16, u16); 3] = [(60, 15), (80, 24), (140, 40)];

/// The time it is on all screens.
pub fn now() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().expect("a date")
}

/// A monitor of which nothing is known yet.
pub fn app() -> App {
    let scene = Scene {
        place: "MongoDB db.example.org:27017/fireworks".to_owned(),
        width: 80,
        height: 24,
        now: now(),
        ahead: SignedDuration::ZERO,
        changes: 0,
        read_only: false,
    };
    App::new(scene, Duration::from_secs(2))
}

/// Presses keys: each character is one, and so is each word in `<>`: `<Enter>`, `<C-d>`.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|after| after.split_once('>'));
        let key = match named {
            Some((word, after)) => {
                rest = after;
                named_key(word)
            }
            None => {
                rest = &rest[first.len_utf8()..];
                Key::char(first)
            }
        };
        effects.extend(app.update(Event::Key(key)));
    }
    effects
}

fn named_key(word: &str) -> Key {
    if let Some(letter) = word.strip_prefix("C-") {
        return Key::ctrl(letter.chars().next().expect("a letter"));
    }
    Key::from(match word {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Backspace" => KeyCode::Backspace,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        other => panic!("no such key: {other}"),
    })
}

/// Answers a question.
pub fn answer(app: &mut App, ask: &Ask, answer: Answer) -> Vec<Effect> {
    let reply = Reply { ask: ask.clone(), answer: Ok(answer), took: Duration::from_millis(3) };
    app.update(Event::Reply(Box::new(reply)))
}

/// The questions among effects.
pub fn asks(effects: &[Effect]) -> Vec<&Ask> {
    effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(&**ask) } else { None }).collect()
}

/// What is drawn on a terminal of this size, without colours.
pub fn picture(app: &mut App, (width, height): (u16, u16)) -> String {
    app.update(Event::Resize(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, app, &Look { colours: true })).expect("draws");
    let buffer = terminal.backend().buffer();
    let line = |row: u16| {
        let (mut line, mut column) = (String::new(), 0);
        while column < width {
            let symbol = buffer[(column, row)].symbol();
            line.push_str(symbol);
            // What a wide character covers is none of the text.
            column += Span::raw(symbol).width().max(1) as u16;
        }
        line.trim_end().to_owned() + "\n"
    };
    (0..height).map(line).collect()
}

/// Compares what is drawn with `tests/screens/NAME-WIDTHxHEIGHT.txt`, on all sizes.
pub fn compare(app: &mut App, name: &str) {
    for (width, height) in SIZES {
        let path = format!("tests/screens/{name}-{width}x{height}.txt");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let assert = Assert::new().action_env(DEFAULT_ACTION_ENV).normalize_paths(false);
        assert.eq(picture(app, (width, height)), Data::read_from(&path, None).raw());
    }
}
