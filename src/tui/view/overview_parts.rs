//! The parts of the overview, each with its name at the left.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::chart::{merged, shares, spark};
use super::fit::{broken, columns, cut, fit, fit_right};
use super::overview::{Pen, Section};
use crate::launchpad::crew::Member;
use crate::launchpad::errors::Group;
use crate::launchpad::forecast::{Doubts, forecast};
use crate::launchpad::jobs::Job;
use crate::launchpad::shorten::shortened;
use crate::launchpad::status::launchers;
use crate::launchpad::throughput::Count;
use crate::launchpad::words::{ago, number, stretch};
use crate::store::examine::age;
use crate::tui::state::overview::Item;
use crate::workflow::State;

/// The columns of names of parts.
const NAME: usize = 11;

fn named(name: &str, look: &super::Look) -> Span<'static> {
    Span::styled(fit(&format!(" {name}"), NAME), look.strong())
}

/// Cut where the line ends.
fn rest(pen: &Pen<'_>, text: &str) -> String {
    fit(text, pen.width.saturating_sub(NAME)).trim_end().to_owned()
}

/// How many there are in which state, and when all will be done.
pub(super) fn head(pen: &Pen<'_>) -> Section {
    let Some(counts) = &pen.one.counts else {
        return Section { lines: vec![Line::from(named("fireworks", pen.look))], ..Section::default() };
    };
    let states = pen.one.states();
    let mut lines = legend(pen, "fireworks", &states, true);
    lines.extend((!states.is_empty()).then(|| bar(pen, &states)));
    if pen.is_roomy {
        let of = |state: State| Some((state, counts.workflows.get(&state).copied().filter(|count| *count > 0)?));
        let workflows: Vec<(State, u64)> = State::ALL.into_iter().filter_map(of).collect();
        lines.extend(legend(pen, "workflows", &workflows, false));
    }
    let at = pen.scene.store_now();
    let doubts = Doubts::of(&counts.fireworks, !pen.one.unable.is_empty());
    let words = forecast(&counts.fireworks, &pen.one.minutes, &pen.one.hours, at).words(doubts);
    if pen.is_roomy {
        let names = std::iter::once(named("forecast", pen.look)).chain(std::iter::repeat(Span::raw(" ".repeat(NAME))));
        let texts = broken(&words, pen.width.saturating_sub(NAME));
        lines.extend(names.zip(texts).map(|(name, text)| Line::from(vec![name, Span::raw(text)])));
    } else {
        lines.push(Line::from(vec![named("forecast", pen.look), Span::raw(rest(pen, &words))]));
    }
    Section { lines, ..Section::default() }
}

/// States with their numbers, in as many lines as it takes.
fn legend(pen: &Pen<'_>, name: &str, states: &[(State, u64)], may_be_chosen: bool) -> Vec<Line<'static>> {
    let mut lines = vec![vec![named(name, pen.look)]];
    let mut used = NAME;
    if states.is_empty() {
        lines[0].push(Span::raw("none"));
    }
    for (state, count) in states {
        let (name, count) = (format!("{state} "), count.to_string());
        let width = columns(&name) + columns(&count) + 2;
        if used + width > pen.width && used > NAME {
            lines.push(vec![Span::raw(" ".repeat(NAME))]);
            used = NAME;
        }
        used += width;
        let is_marked = may_be_chosen && pen.is_marked(&Item::State(*state));
        let style = |style: Style| if is_marked { style.patch(pen.look.selected()) } else { style };
        let spans = [
            Span::styled(name, style(pen.look.state(*state))),
            Span::styled(count, style(pen.look.strong())),
            Span::raw("  "),
        ];
        if let Some(line) = lines.last_mut() {
            line.extend(spans);
        }
    }
    lines.into_iter().map(Line::from).collect()
}

/// The shares of states, each with its name or the first letters of that, where there is room.
fn bar(pen: &Pen<'_>, states: &[(State, u64)]) -> Line<'static> {
    let counts: Vec<u64> = states.iter().map(|(_, count)| *count).collect();
    let mut spans = vec![Span::raw(" ".repeat(NAME))];
    for (place, ((state, _), share)) in
        states.iter().zip(shares(&counts, pen.width.saturating_sub(NAME + 1))).enumerate()
    {
        // One ends where the other begins, whatever the colours are.
        let edge = if place == 0 { " " } else { "▏" };
        let names = [state.as_str(), state.letters(), ""];
        let name = names.into_iter().find(|name| name.len() < share).unwrap_or_default();
        let text = fit(&format!("{edge}{name}"), share);
        let is_set_off = pen.look.colours || place % 2 == 0;
        let style = pen.look.state(*state);
        spans.push(Span::styled(text, if is_set_off { style.patch(pen.look.selected()) } else { style }));
    }
    Line::from(spans)
}

/// What was completed and what has failed, as it went on.
pub(super) fn throughput(pen: &Pen<'_>) -> Section {
    if !pen.one.minutes.is_known() {
        return Section::default();
    }
    let at = pen.scene.store_now();
    let (minutes, hours) = (pen.one.minutes.series(at), pen.one.hours.series(at));
    let line = |name: &str, of: fn(&Count) -> u64, style: Style| {
        let (minutes, hours): (Vec<u64>, Vec<u64>) = (minutes.iter().map(of).collect(), hours.iter().map(of).collect());
        let (by, with_day) = scale(pen.width);
        let mut spans = vec![named(name, pen.look), Span::styled(spark(&merged(&minutes, by)), style)];
        spans.push(Span::raw(fit(&format!(" {}/h", minutes.iter().sum::<u64>()), SUM)));
        if with_day {
            spans.push(Span::styled(spark(&hours), style));
            spans.push(Span::raw(format!(" {}/d", hours.iter().sum::<u64>())));
        }
        Line::from(spans)
    };
    let completed = line("completed", |count| count.completed, pen.look.state(State::Completed));
    let fizzled = line("failed", |count| count.fizzled, pen.look.state(State::Fizzled));
    Section { lines: vec![completed, fizzled], ..Section::default() }
}

/// The columns of a sum.
const SUM: usize = 10;

/// How many minutes are one column, and whether the day is shown, too.
fn scale(width: usize) -> (usize, bool) {
    let room = width.saturating_sub(NAME + SUM);
    let fits = |more: usize| [1, 2, 3].into_iter().find(|by| 60 / by + more <= room);
    fits(24 + SUM).map(|by| (by, true)).unwrap_or((fits(0).unwrap_or(3), false))
}

/// Who is at work.
pub(super) fn crew(pen: &Pen<'_>) -> Section {
    let Some(crew) = &pen.one.crew else { return Section::default() };
    let hosts: BTreeSet<&String> = crew.members.iter().filter_map(|member| member.host.as_ref()).collect();
    let (busy, slots) = crew.slots();
    let words = match crew.members.len() {
        0 => "nobody is at work".to_owned(),
        count if slots == 0 => format!("{count} idle"),
        count => {
            let on = if hosts.is_empty() { String::new() } else { format!(" on {}", number(hosts.len(), "host")) };
            let ahead = if crew.ahead() == 0 { String::new() } else { format!(", {} taken ahead", crew.ahead()) };
            format!("{count}{on}, {busy} of {} busy{ahead}", number(slots, "slot"))
        }
    };
    let cells: Vec<[String; 6]> = crew.members.iter().map(|member| cells(pen, member)).collect();
    let widths = widths(&cells, pen.width.saturating_sub(1));
    let marked = crew.members.iter().position(|member| pen.is_marked(&Item::member(member)));
    let row = |(place, cells): (usize, &[String; 6])| {
        let text: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| fit(cell, width)).collect();
        chosen(pen, format!("  {}", text.join("  ")), Style::new(), marked == Some(place))
    };
    let rows = cells.iter().enumerate().map(row).collect();
    Section { lines: vec![Line::from(vec![named("workers", pen.look), Span::raw(rest(pen, &words))])], rows, marked }
}

/// Where there is room the words say what a number is.
const WIDE: usize = 80;

/// Name, host, job, slots, when it was heard of, how long its job may run.
fn cells(pen: &Pen<'_>, member: &Member) -> [String; 6] {
    let now = pen.scene.store_now();
    let is_wide = pen.width >= WIDE;
    let ahead = match member.ahead() {
        0 => String::new(),
        ahead if is_wide => format!(" +{ahead} ahead"),
        ahead => format!(" +{ahead}"),
    };
    let busy = match (member.busy(), member.slots) {
        (0, _) => "idle".to_owned(),
        (busy, Some(slots)) if is_wide => format!("{busy}/{slots} busy{ahead}"),
        (busy, Some(slots)) => format!("{busy}/{slots}{ahead}"),
        (busy, None) => format!("{busy} busy"),
    };
    let job = if is_wide { "job " } else { "" };
    let left = pen.one.time_left(member, pen.scene.now);
    [
        member.name.clone().unwrap_or_else(|| "?".to_owned()),
        member.host.clone().or_else(|| pen.one.host_of(member)).unwrap_or_default(),
        member.job.as_ref().map(|one| format!("{job}{}", one.id)).unwrap_or_default(),
        busy,
        member.heard.or(member.idle).map(|at| ago(at, now)).unwrap_or_default(),
        left.map(|left| format!("{} left", stretch(left))).unwrap_or_default(),
    ]
}

/// As wide as the widest cell; where that is too much the name and the host are cut.
fn widths(cells: &[[String; 6]], room: usize) -> [usize; 6] {
    let mut widths = [0; 6];
    for row in cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    const LEAST: usize = 4;
    let gaps = 2 * widths.len();
    while widths.iter().sum::<usize>() + gaps > room {
        let longer = if widths[0] >= widths[1] { 0 } else { 1 };
        if widths[longer] <= LEAST {
            break;
        }
        widths[longer] -= 1;
    }
    widths
}

fn chosen(pen: &Pen<'_>, text: String, style: Style, is_chosen: bool) -> Line<'static> {
    let style = if is_chosen { style.patch(pen.look.selected()) } else { style };
    let text = if is_chosen { fit(&text, pen.width) } else { fit(&text, pen.width).trim_end().to_owned() };
    Line::styled(text, style)
}

/// What does not go on by itself.
pub(super) fn trouble(pen: &Pen<'_>) -> Section {
    let lost = pen.one.crew.as_ref().map(|crew| crew.lost.as_slice()).unwrap_or_default();
    let mut marked = lost.iter().position(|(fw_id, _)| pen.is_marked(&Item::Lost(*fw_id)));
    let row = |(place, (fw_id, loss)): (usize, &(i64, crate::workflow::Loss))| {
        let text = format!(" {:<10}{fw_id}: {loss}", "lost");
        chosen(pen, text, pen.look.alarm(), marked == Some(place))
    };
    let mut rows: Vec<Line<'static>> = lost.iter().enumerate().map(row).collect();
    for text in pen.one.unable_lines() {
        let line = format!(" {:<10}{text}", "unable");
        let is_marked = pen.is_marked(&Item::Unable(text));
        marked = if is_marked { Some(rows.len()) } else { marked };
        rows.push(chosen(pen, line, pen.look.alarm(), is_marked));
    }
    Section { lines: Vec::new(), rows, marked }
}

/// So long nobody asks how old something is.
const NEW: SignedDuration = SignedDuration::from_secs(5);

/// Our jobs in the queue, and who submits them.
pub(super) fn queue(pen: &Pen<'_>) -> Section {
    let (words, style) = match &pen.one.jobs {
        None => ("…".to_owned(), pen.look.faint()),
        Some((Err(why), _)) => {
            // The last line is what it comes to.
            let why = why.lines().last().unwrap_or_default();
            (format!("does not answer: {why}"), pen.look.alarm())
        }
        Some((Ok(listing), _)) => (format!("{}: {}", listing.queue, summary(&listing.jobs)), Style::new()),
    };
    let is_marked = pen.is_marked(&Item::Queue);
    let style = if is_marked { style.patch(pen.look.selected()) } else { style };
    let at = pen.one.jobs.as_ref().map(|(_, at)| *at);
    let old = at.filter(|at| pen.scene.now.duration_since(*at) >= NEW);
    let asked = old.map(|at| format!(", asked {}", ago(at, pen.scene.now))).unwrap_or_default();
    let words = cut(&words, pen.width.saturating_sub(NAME + columns(&asked)));
    let spans = [named("queue", pen.look), Span::styled(words, style), Span::styled(asked, pen.look.faint())];
    let mut lines = vec![Line::from(spans.to_vec())];
    let now = pen.scene.store_now();
    for (_, daemon) in launchers(&pen.one.ledgers, now).into_iter().filter(|_| pen.is_roomy) {
        let since = age(now, daemon.began);
        let words = format!("{} on {}, since {since}: {}", daemon.id, daemon.holder.host, daemon.status);
        lines.push(Line::from(vec![named("launcher", pen.look), Span::raw(rest(pen, &words))]));
    }
    Section { lines, ..Section::default() }
}

/// `3 PENDING (2 Priority, 1 Resources), 5 RUNNING`
pub(super) fn summary(jobs: &[Job]) -> String {
    let states: BTreeSet<&str> = jobs.iter().map(|job| job.queued.details.state.as_str()).collect();
    let of_state = |state: &str| {
        let these: Vec<&Job> = jobs.iter().filter(|job| job.queued.details.state == state).collect();
        // The first word is the reason; nodes may follow.
        let why = |job: &&Job| {
            let reason = job.queued.details.reason.as_ref()?;
            reason.split([',', ':', ' ']).next().map(str::to_owned)
        };
        let reasons: BTreeSet<String> = these.iter().filter_map(why).collect();
        let count = |reason: &String| these.iter().filter(|job| why(job).as_ref() == Some(reason)).count();
        let words = match reasons.len() {
            0 => String::new(),
            1 => format!(" ({})", reasons.iter().next().map_or("", String::as_str)),
            _ => {
                let each: Vec<String> = reasons.iter().map(|reason| format!("{} {reason}", count(reason))).collect();
                format!(" ({})", each.join(", "))
            }
        };
        format!("{} {state}{words}", these.len())
    };
    let all: Vec<String> = states.into_iter().map(of_state).collect();
    if all.is_empty() { "no jobs of this launchpad".to_owned() } else { all.join(", ") }
}

/// What failed last, by its cause.
pub(super) fn failures(pen: &Pen<'_>) -> Section {
    let groups = &pen.one.failures;
    let counts: Vec<String> = groups.iter().map(|group| group.fw_ids.len().to_string()).collect();
    let wide = counts.iter().map(String::len).max().unwrap_or(0);
    let when = |group: &Group| group.newest.map(|at| ago(at, pen.scene.store_now())).unwrap_or_default();
    let whens: Vec<String> = groups.iter().map(when).collect();
    let long = whens.iter().map(|when| columns(when)).max().unwrap_or(0);
    let marked = groups.iter().position(|group| pen.is_marked(&Item::Failure(group.cause.clone())));
    let row = |(place, group): (usize, &Group)| {
        let at = group.cause.place.as_deref().map(|place| format!("  [{place}]")).unwrap_or_default();
        let (count, when) = (fit_right(&counts[place], wide), fit(&whens[place], long));
        chosen(pen, format!("  {count}  {when}  {}{at}", group.cause.words()), Style::new(), marked == Some(place))
    };
    let rows = groups.iter().enumerate().map(row).collect();
    let shown: usize = groups.iter().map(|group| group.fw_ids.len()).sum();
    let mut words = match pen.one.fizzled() {
        0 if pen.one.counts.is_none() => "…".to_owned(),
        0 => "none".to_owned(),
        count if groups.is_empty() => format!("{count} FIZZLED"),
        count if count == shown as u64 => format!("{count} FIZZLED, by cause"),
        count => format!("{count} FIZZLED, the newest {shown} by cause"),
    };
    if pen.one.failures_since.is_some() {
        words.push_str(", those of the last day");
    }
    let line =
        Line::from(vec![named("failures", pen.look), Span::raw(shortened(&words, pen.width.saturating_sub(NAME)))]);
    Section { lines: vec![line], rows, marked }
}
