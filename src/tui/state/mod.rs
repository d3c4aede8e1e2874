//! What the monitor knows and shows. It changes in [`super::update`] alone.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ask::Slot;
use crate::workflow::FwId;

pub mod dialog;
pub mod files;
pub mod firework;
pub mod graph;
pub mod health;
pub mod list;
pub mod list_row;
pub mod overview;
pub mod page;
pub mod queue;
pub mod traffic;
pub mod tree;

pub use dialog::Dialog;
pub use health::Health;
pub use traffic::Traffic;

/// All of it.
#[derive(Debug)]
pub struct App {
    /// One stack of screens for each tab.
    pub tabs: [Stack; 4],
    /// Which of them is seen.
    pub tab: usize,
    /// What lies above the screen, and takes the keys.
    pub dialog: Option<Dialog>,
    /// Whether the keys are explained, and how far that is scrolled.
    pub help: Option<u16>,
    /// How the store is.
    pub health: Health,
    /// What was asked and is not answered yet.
    pub traffic: Traffic,
    /// What was said last.
    pub notice: Option<Notice>,
    /// What everybody may look at.
    pub view: Scene,
    /// How often the store is looked at.
    pub pace: Pace,
    /// Who wants to leave was told that something is under way.
    pub leaves: bool,
    /// Why it cannot go on.
    pub broken: Option<String>,
}

/// What all screens may look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Where the launchpad is.
    pub place: String,
    /// Columns of the terminal.
    pub width: u16,
    /// Lines of the terminal.
    pub height: u16,
    /// The time it is here.
    pub now: Timestamp,
    /// How much the store's clock is ahead of that.
    pub ahead: SignedDuration,
    /// How often it was seen that something had changed in the store.
    pub changes: u64,
    /// Nothing may be changed.
    pub read_only: bool,
}

/// Columns and lines below which nothing can be shown.
pub const SMALLEST: (u16, u16) = (60, 15);

/// Lines above and below a screen: the tabs, and the keys or what was said.
pub const HEAD: u16 = 1;
/// Likewise.
pub const FOOT: u16 = 1;

impl Scene {
    /// The time by the store's clock.
    pub fn store_now(&self) -> Timestamp {
        self.now.saturating_add(self.ahead).unwrap_or(self.now)
    }

    /// Whether nothing can be shown.
    pub fn is_too_small(&self) -> bool {
        self.width < SMALLEST.0 || self.height < SMALLEST.1
    }

    /// How many lines a screen has.
    pub fn body(&self) -> u16 {
        self.height.saturating_sub(HEAD + FOOT)
    }
}

/// How often the store is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// While things change.
    pub interval: Duration,
    /// Whether the terminal is looked at.
    pub focused: bool,
    /// Since when nothing has changed.
    pub quiet_since: Option<Timestamp>,
    /// How often that was last said to be.
    pub told: Duration,
    /// How often that was when the store was last heard of: whoever looks waits so long, whatever is said now.
    pub patience: Duration,
    /// When the screen that is seen was asked for last.
    pub refreshed: Option<Timestamp>,
    /// When what grows by itself was looked at last.
    pub grown: Option<Timestamp>,
    /// What could not be asked yet, for it is under way, or has been for long.
    pub owed: BTreeSet<Slot>,
    /// When the store was last heard of.
    pub heard: Timestamp,
}

/// What was said to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In a line.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
    /// When.
    pub at: Timestamp,
}

/// Screens that were opened one above the other.
#[derive(Debug)]
pub struct Stack {
    /// The first one.
    pub root: Screen,
    /// Those above it.
    pub above: Vec<Screen>,
}

impl Stack {
    /// All of them.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Screen> {
        std::iter::once(&mut self.root).chain(&mut self.above)
    }

    /// The one that is seen.
    pub fn top(&self) -> &Screen {
        self.above.last().unwrap_or(&self.root)
    }

    /// The same, to be changed.
    pub fn top_mut(&mut self) -> &mut Screen {
        self.above.last_mut().unwrap_or(&mut self.root)
    }
}

/// A screen.
#[derive(Debug)]
pub enum Screen {
    /// The whole launchpad at a glance.
    Overview(Box<overview::Overview>),
    /// A list of workflows.
    Workflows(Box<list::Workflows>),
    /// A list of fireworks.
    Fireworks(Box<list::Fireworks>),
    /// Our jobs in the queue.
    Queue(Box<queue::Queue>),
    /// A workflow as a graph.
    Graph(Box<graph::Graph>),
    /// A firework.
    Firework(Box<firework::Firework>),
}

/// The names of the tabs.
pub const TABS: [&str; 4] = ["Overview", "Workflows", "Fireworks", "Queue"];

impl App {
    /// As it begins: nothing is known yet.
    pub fn new(view: Scene, interval: Duration) -> Self {
        let stack = |root| Stack { root, above: Vec::new() };
        App {
            tabs: [
                stack(Screen::Overview(Box::default())),
                stack(Screen::Workflows(Box::default())),
                stack(Screen::Fireworks(Box::default())),
                stack(Screen::Queue(Box::default())),
            ],
            tab: 0,
            dialog: None,
            help: None,
            health: Health::Connecting,
            traffic: Traffic::default(),
            notice: None,
            pace: Pace {
                interval,
                focused: true,
                quiet_since: None,
                told: interval,
                patience: interval,
                refreshed: None,
                grown: None,
                owed: BTreeSet::new(),
                heard: view.now,
            },
            leaves: false,
            broken: None,
            view,
        }
    }

    /// For how long the store has not answered, where that is longer than it should take.
    pub fn waits(&self) -> Option<SignedDuration> {
        const USUAL: SignedDuration = SignedDuration::from_secs(2);
        let now = self.view.now;
        let told = SignedDuration::try_from(self.pace.told.max(self.pace.patience)).unwrap_or(USUAL);
        let due = self.pace.heard.saturating_add(told).unwrap_or(now);
        let longest = self.traffic.oldest().into_iter().chain([due]).map(|since| now.duration_since(since)).max();
        longest.filter(|wait| *wait >= USUAL)
    }

    /// Whether what was said cannot be seen.
    pub fn is_covered(&self) -> bool {
        self.dialog.is_some() || self.help.is_some() || self.view.is_too_small()
    }

    /// The screen that is seen.
    pub fn screen(&self) -> &Screen {
        self.tabs[self.tab].top()
    }

    /// The same, to be changed.
    pub fn screen_mut(&mut self) -> &mut Screen {
        self.tabs[self.tab].top_mut()
    }
}

impl Screen {
    /// A firework.
    pub fn firework(fw_id: FwId) -> Self {
        Screen::Firework(Box::new(firework::Firework::new(fw_id)))
    }

    /// The workflow of a firework.
    pub fn graph(fw_id: FwId) -> Self {
        Screen::Graph(Box::new(graph::Graph::new(fw_id)))
    }
}
