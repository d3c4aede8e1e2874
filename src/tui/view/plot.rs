//! A relaxation as a plot, the energy and the largest force against the steps; or molecular dynamics, the total
//! energy and the temperature against the time.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::Look;
use crate::recipes::{LoggedStep, Measure};

/// An atom's energy has never been so large; a calculation that goes astray may say so.
const LARGE: f64 = 1e7;

/// Draws both, side by side.
pub fn draw(frame: &mut Frame<'_>, area: Rect, steps: &[LoggedStep], look: &Look) {
    let halves = [Constraint::Fill(1), Constraint::Length(1), Constraint::Fill(1)];
    let [left, _, right] = Layout::horizontal(halves).areas(area);
    let energies: Vec<(f64, f64)> = steps.iter().map(|one| (one.at, one.energy)).collect();
    let measures = steps.iter().filter_map(|one| Some((one.at, height(one.measure)?))).collect::<Vec<_>>();
    if steps.first().is_some_and(is_dynamics) {
        curve(frame, left, (" total energy, eV, against ps", 0.01), &energies, energy, look);
        curve(frame, right, (" temperature, K, against ps", 1.0), &measures, energy, look);
    } else {
        curve(frame, left, (" energy, eV", 0.01), &energies, energy, look);
        curve(frame, right, (" max force, eV/Å, logarithmic", 0.5), &measures, force, look);
    }
}

fn is_dynamics(step: &LoggedStep) -> bool {
    matches!(step.measure, Measure::Temperature(_))
}

/// Forces fall by orders of magnitude; none at all has no logarithm.
fn height(measure: Measure) -> Option<f64> {
    match measure {
        Measure::MaxForce(force) => (force > 0.0).then(|| force.log10()),
        Measure::Temperature(kelvin) => Some(kelvin),
    }
}

fn energy(value: f64, span: f64) -> String {
    if value.abs() >= LARGE {
        return format!("{value:.3e}");
    }
    // As many digits as tell the ends apart, and two more.
    let digits = (2.0 - span.log10().floor()).clamp(0.0, 8.0);
    format!("{value:.*}", digits as usize)
}

fn force(logarithm: f64, _span: f64) -> String {
    let value = 10f64.powf(logarithm);
    if (1e-3..LARGE).contains(&value) { format!("{value:.4}") } else { format!("{value:.1e}") }
}

/// The last step in words, to ASE's digits.
pub(super) fn words(last: &LoggedStep) -> String {
    let number = |value: f64, digits: usize| {
        if value.abs() < LARGE { format!("{value:.digits$}") } else { format!("{value:.3e}") }
    };
    match last.measure {
        Measure::MaxForce(force) => {
            format!("step {}: {} eV, max force {} eV/Å", last.at, number(last.energy, 6), number(force, 4))
        }
        Measure::Temperature(kelvin) => {
            format!("{} ps: {} eV in all, {} K", last.at, number(last.energy, 4), number(kelvin, 1))
        }
    }
}

/// Points below a title; where all are on one height there is so much room above and below them.
fn curve(
    frame: &mut Frame<'_>,
    area: Rect,
    (title, around): (&'static str, f64),
    points: &[(f64, f64)],
    word: impl Fn(f64, f64) -> String,
    look: &Look,
) {
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(Line::styled(title, look.strong()), head);
    let (Some(x), Some(y)) = (bounds(points.iter().map(|one| one.0)), bounds(points.iter().map(|one| one.1))) else {
        return;
    };
    let x = if x[0] < x[1] { x } else { [x[0], x[0] + 1.0] };
    let y = if y[0] < y[1] { y } else { [y[0] - around, y[0] + around] };
    let data = Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).data(points);
    let span = y[1] - y[0];
    let labels = [y[0], f64::midpoint(y[0], y[1]), y[1]].map(|value| word(value, span));
    let ends = [x[0], x[1]].map(|at| if at.fract() == 0.0 { format!("{at:.0}") } else { format!("{at:.3}") });
    let chart = Chart::new(vec![data])
        .x_axis(Axis::default().bounds(x).labels(ends).style(look.faint()))
        .y_axis(Axis::default().bounds(y).labels(labels).style(look.faint()));
    frame.render_widget(chart, body);
}

/// The least and the greatest.
fn bounds(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    Some([values.clone().reduce(f64::min)?, values.reduce(f64::max)?])
}
