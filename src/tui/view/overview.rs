//! The whole launchpad at a glance. Each part has lines that are always seen, and rows of which as many are as
//! there is room for, those about the chosen one first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

use super::Look;
use super::overview_parts::{crew, failures, head, queue, throughput, trouble};
use crate::tui::state::overview::Item;
use crate::tui::state::{Scene, overview::Overview};

/// A part.
#[derive(Default)]
pub(super) struct Section {
    /// Lines that are always seen.
    pub lines: Vec<Line<'static>>,
    /// Rows; there may be many.
    pub rows: Vec<Line<'static>>,
    /// Which row is chosen.
    pub marked: Option<usize>,
}

/// What the parts are drawn with.
pub(super) struct Pen<'a> {
    /// What is known.
    pub one: &'a Overview,
    /// What is chosen.
    pub marked: Option<&'a Item>,
    /// What everybody may look at.
    pub scene: &'a Scene,
    /// How things are set off.
    pub look: &'a Look,
    /// Columns.
    pub width: usize,
    /// There is room for what may be left out.
    pub is_roomy: bool,
}

impl Pen<'_> {
    /// Whether this is chosen.
    pub fn is_marked(&self, item: &Item) -> bool {
        self.marked == Some(item)
    }
}

/// With so many lines there is room for more than what is needed.
const ROOMY: usize = 18;

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, one: &Overview, scene: &Scene, look: &Look) {
    let marked = one.chosen();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    frame.render_widget(Text::from(lines(one, marked.as_ref(), scene, look, (width, height))), area);
}

/// All of it in so many columns and lines at most.
pub fn lines(
    one: &Overview,
    marked: Option<&Item>,
    scene: &Scene,
    look: &Look,
    (width, height): (usize, usize),
) -> Vec<Line<'static>> {
    let is_roomy = height >= ROOMY;
    let pen = Pen { one, marked, scene, look, width, is_roomy };
    let sections = [head, throughput, crew, trouble, queue, failures].map(|part| part(&pen));
    let sections: Vec<Section> =
        sections.into_iter().filter(|section| !section.lines.is_empty() || !section.rows.is_empty()).collect();
    let gaps = if is_roomy { sections.len().saturating_sub(1) } else { 0 };
    let fixed: usize = sections.iter().map(|section| section.lines.len()).sum();
    let shown = share(height.saturating_sub(fixed + gaps), &sections);
    let mut lines = Vec::new();
    for (section, count) in sections.into_iter().zip(shown) {
        if is_roomy && !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(section.lines);
        let from = section.marked.map_or(0, |marked| (marked + 1).saturating_sub(count));
        lines.extend(section.rows.into_iter().skip(from).take(count));
    }
    lines
}

/// How many rows of each part are seen: the room is shared evenly, as far as there are rows.
fn share(mut room: usize, sections: &[Section]) -> Vec<usize> {
    let mut shown = vec![0; sections.len()];
    loop {
        let before = room;
        for (count, section) in shown.iter_mut().zip(sections) {
            if room > 0 && *count < section.rows.len() {
                *count += 1;
                room -= 1;
            }
        }
        if room == before {
            return shown;
        }
    }
}
