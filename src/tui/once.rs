//! The overview without a terminal: the same questions, each asked once, and the same picture.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use ratatui::text::Line;

use super::Desk;
use super::ask::Ask;
use super::state::Scene;
use super::state::overview::Overview;
use super::update::{Step, overview};
use super::view::Look;
use super::view::overview::lines;

/// All that the overview shows, and when.
pub struct Once {
    /// What is known.
    pub overview: Overview,
    /// What everybody may look at.
    pub scene: Scene,
}

impl Once {
    /// Asks.
    pub fn look(desk: &Desk) -> Result<Self> {
        let scene = Scene {
            place: desk.store.describe(),
            width: 0,
            height: 0,
            now: Timestamp::now(),
            ahead: SignedDuration::ZERO,
            changes: 0,
            read_only: true,
        };
        let mut once = Once { overview: Overview::default(), scene };
        for ask in overview::asks(&once.overview, &once.scene) {
            once.ask(desk, &ask)?;
        }
        Ok(once)
    }

    fn ask(&mut self, desk: &Desk, ask: &Ask) -> Result<()> {
        let answer = ask.answer(desk)?;
        self.scene.now = Timestamp::now();
        if let Some(at) = answer.clock() {
            self.scene.ahead = at.duration_since(self.scene.now);
        }
        for step in overview::take(&mut self.overview, ask, &answer, &self.scene) {
            if let Step::Ask(next) = step {
                self.ask(desk, &next)?;
            }
        }
        Ok(())
    }

    /// What is seen, in so many columns and lines at most.
    pub fn lines(&self, look: &Look, size: (usize, usize)) -> Vec<Line<'static>> {
        lines(&self.overview, None, &self.scene, look, size)
    }
}
