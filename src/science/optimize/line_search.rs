//! How far to go along a direction: until the energy has fallen enough and the slope has become flat
//! enough (the strong Wolfe conditions), by interpolation with cubics inside an interval that shrinks.
//! J. J. More and D. J. Thuente, ACM Trans. Math. Softw. 20, 286 (1994), doi:10.1145/192115.192132,
//! without their auxiliary function, and with every trial within reach of the one before, as in ASE.

use super::vector::{along, dot, norm, scaled};
use super::{Target, longest_row};
use crate::science::error::{Error, Result};

/// The shortest step, in lengths of the direction.
const SHORTEST: f64 = 1e-8;
/// An interval that is shorter than this fraction of its upper end has been searched.
const NARROW: f64 = 1e-14;
/// How far beyond the last trial the next may be, in units of the last move, while there is no interval.
const NEXT_TRIAL: (f64, f64) = (1.1, 4.0);
/// How much an interval has to shrink in two trials, and how much of it a trial may jump over.
const SHRINK: f64 = 0.66;
/// No search that gets anywhere takes so many trials.
const MOST_TRIALS: usize = 1000;

/// What a search can be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineSearch {
    /// The farthest an atom may move from one trial to the next, Angstrom.
    pub maxstep: f64,
    /// How much of the decrease that the first slope promises is enough.
    pub c1: f64,
    /// How much of the first slope may be left.
    pub c2: f64,
    /// The longest step, in lengths of the direction.
    pub stpmax: f64,
}

impl Default for LineSearch {
    fn default() -> Self {
        Self { maxstep: 0.2, c1: 0.23, c2: 0.46, stpmax: 50.0 }
    }
}

/// Where a search ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// In lengths of the direction.
    pub at: f64,
    /// Whether it ended because it may not go farther.
    pub at_limit: bool,
    /// How many points were looked at.
    pub trials: usize,
}

/// A point on the line: where, the energy there, and its slope along the line.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: f64,
    value: f64,
    slope: f64,
}

/// The interval in which the minimum is looked for.
struct Interval {
    /// The best point so far.
    best: Point,
    /// The other end, once there is one; before, where the search began.
    other: Point,
    /// Whether the minimum lies between both.
    brackets: bool,
}

/// A direction as it is, or stretched to 1e-5 Angstrom times the square root of the number of rows: shorter
/// ones drown in rounding.
pub(super) fn not_too_short(direction: Vec<f64>) -> Vec<f64> {
    let (length, least) = (norm(&direction), (direction.len() as f64 / 3.0 * 1e-10).sqrt());
    if length <= least { scaled(least / length, &direction) } else { direction }
}

impl LineSearch {
    /// Searches from `x` along `direction`, and leaves the target where it ended. `start` is the value
    /// at `x`, times `scale`, and its slope; all values are taken times `scale`.
    pub(super) fn run(
        &self,
        target: &mut dyn Target,
        x: &[f64],
        direction: &[f64],
        start: (f64, f64),
        scale: f64,
        step: usize,
    ) -> Result<Found> {
        let failed = |reason: &str| Error::Optimizer { step, reason: format!("the line search failed: {reason}") };
        let start = Point { at: 0.0, value: start.0, slope: start.1 };
        if !(start.slope < 0.0 && start.slope.is_finite()) {
            return Err(failed("its direction does not lead downhill"));
        }
        if self.stpmax < 1.0 {
            return Err(failed("stpmax is below 1"));
        }
        let reach = longest_row(direction);
        let mut interval = Interval { best: start, other: start, brackets: false };
        let (mut low, mut high) = (0.0, 1.0 + NEXT_TRIAL.1);
        let mut widths = [self.stpmax - SHORTEST, 2.0 * (self.stpmax - SHORTEST)];
        let mut trial = self.near(1.0, 0.0, reach);
        let mut at_limit = false;
        for trials in 1..=MOST_TRIALS {
            let next = along(x, trial, direction);
            target.move_to(&next)?;
            let found = target.evaluate()?;
            let slope = scale * dot(&found.gradient, direction);
            let now = Point { at: trial, value: scale * found.value, slope };
            if !(now.value.is_finite() && now.slope.is_finite()) {
                return Err(failed("the energy is not a number"));
            }
            if at_limit || self.ends(&interval, now, start, low, high) {
                return Ok(Found { at: trial, at_limit, trials });
            }
            trial = self.near(interval.next(now, low, high), trial, reach);
            interval.take(now);
            let Interval { best, other, brackets } = interval;
            if brackets {
                let width = (other.at - best.at).abs();
                if width >= SHRINK * widths[1] {
                    trial = best.at + 0.5 * (other.at - best.at);
                }
                widths = [width, widths[0]];
                (low, high) = (best.at.min(other.at), best.at.max(other.at));
            } else {
                low = trial + NEXT_TRIAL.0 * (trial - best.at);
                high = trial + NEXT_TRIAL.1 * (trial - best.at);
            }
            trial = trial.clamp(SHORTEST, self.stpmax);
            at_limit = best.at == trial && trial == self.stpmax && low > self.stpmax;
            if (brackets && trial < low) || trial >= high || (brackets && high - low < NARROW * high) {
                trial = best.at;
            }
        }
        Err(failed("too many trials"))
    }

    /// Whether a point is good enough, or the best that can be had.
    fn ends(&self, interval: &Interval, now: Point, start: Point, low: f64, high: f64) -> bool {
        let promised = start.value + now.at * self.c1 * start.slope;
        let lower = now.value <= promised;
        let wolfe = lower && now.slope.abs() <= self.c2 * -start.slope;
        let stuck = interval.brackets && (now.at <= low || now.at >= high || high - low <= NARROW * high);
        let longest = now.at == self.stpmax && lower && now.slope <= self.c1 * start.slope;
        let shortest = now.at == SHORTEST && (!lower || now.slope >= self.c1 * start.slope);
        wolfe || stuck || longest || shortest
    }

    /// `wanted`, or as near to it as atoms may move from `last`.
    fn near(&self, wanted: f64, last: f64, reach: f64) -> f64 {
        let moved = reach * (wanted - last).abs();
        if moved >= self.maxstep { last + (wanted - last) * self.maxstep / moved } else { wanted }
    }
}

impl Interval {
    /// The next trial after `now`, by the four cases of section 4 of the paper.
    fn next(&mut self, now: Point, low: f64, high: f64) -> f64 {
        let best = self.best;
        let secant = now.at + now.slope / (now.slope - best.slope) * (best.at - now.at);
        if now.value > best.value {
            // Higher: the minimum is between. The cubic, or half way from it to the parabola.
            self.brackets = true;
            let cubic = minimum(best, now);
            let mean = (best.value - now.value) / (now.at - best.at);
            let parabola = best.at + best.slope / (mean + best.slope) / 2.0 * (now.at - best.at);
            let cubic_is_nearer = (cubic - best.at).abs() < (parabola - best.at).abs();
            if cubic_is_nearer { cubic } else { cubic + (parabola - cubic) / 2.0 }
        } else if now.slope * best.slope < 0.0 {
            // Lower, and uphill from here: the minimum is between. The farther of cubic and secant.
            self.brackets = true;
            let cubic = minimum(now, best);
            if (cubic - now.at).abs() > (secant - now.at).abs() { cubic } else { secant }
        } else if now.slope.abs() < best.slope.abs() {
            // Lower, still downhill, but flatter: the cubic only if it has a minimum ahead.
            let cubic = minimum_ahead(now, best).unwrap_or(if now.at > best.at { high } else { low });
            let cubic_is_nearer = (cubic - now.at).abs() < (secant - now.at).abs();
            if !self.brackets {
                return if cubic_is_nearer { secant } else { cubic }.min(high).max(low);
            }
            let wanted = if cubic_is_nearer { cubic } else { secant };
            let limit = now.at + SHRINK * (self.other.at - now.at);
            if now.at > best.at { wanted.min(limit) } else { wanted.max(limit) }
        } else if self.brackets {
            // Lower and no flatter: towards the other end.
            minimum(now, self.other)
        } else if now.at > best.at {
            high
        } else {
            low
        }
    }

    /// Shrinks to what `now` says.
    fn take(&mut self, now: Point) {
        if now.value > self.best.value {
            self.other = now;
            return;
        }
        if now.slope * self.best.slope < 0.0 {
            self.other = self.best;
        }
        self.best = now;
    }
}

/// The two numbers that describe the cubic through values and slopes of both points: theta, and the root
/// gamma (section 4; never of a negative number, which rounding can make).
fn cubic(from: Point, to: Point) -> (f64, f64) {
    let theta = 3.0 * (from.value - to.value) / (to.at - from.at) + from.slope + to.slope;
    let size = theta.abs().max(from.slope.abs()).max(to.slope.abs());
    let square = (theta / size).powi(2) - (from.slope / size) * (to.slope / size);
    (theta, size * square.max(0.0).sqrt())
}

/// The minimum of the cubic through both points.
fn minimum(from: Point, to: Point) -> f64 {
    let (theta, gamma) = cubic(from, to);
    let gamma = if to.at < from.at { -gamma } else { gamma };
    let ratio = (gamma - from.slope + theta) / (gamma - from.slope + gamma + to.slope);
    from.at + ratio * (to.at - from.at)
}

/// The minimum of the cubic through both points, if it lies on the far side of `from`.
fn minimum_ahead(from: Point, to: Point) -> Option<f64> {
    let (theta, gamma) = cubic(from, to);
    let gamma = if to.at < from.at { -gamma } else { gamma };
    let ratio = (gamma - from.slope + theta) / (gamma + (to.slope - from.slope) + gamma);
    (ratio < 0.0 && gamma != 0.0).then_some(from.at + ratio * (to.at - from.at))
}
