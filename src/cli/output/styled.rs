//! Lines of the monitor as text: with the codes of their colours where there are colours.

use std::fmt::Write as _;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use super::is_coloured;

/// A line as it is printed.
pub fn styled(line: &Line<'_>) -> String {
    if is_coloured() { coded(line) } else { line.to_string().trim_end().to_owned() }
}

fn coded(line: &Line<'_>) -> String {
    let mut text = String::new();
    for span in &line.spans {
        let codes = codes(line.style.patch(span.style));
        // Writing to a string cannot fail.
        let _ = match codes.as_str() {
            "" => write!(text, "{}", span.content),
            codes => write!(text, "\u{1b}[{codes}m{}\u{1b}[0m", span.content),
        };
    }
    text
}

/// The sixteen colours of a terminal, and what sets a text off besides.
fn codes(style: Style) -> String {
    let modifiers = [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)];
    let set =
        modifiers.into_iter().filter(|(modifier, _)| style.add_modifier.contains(*modifier)).map(|(_, code)| code);
    let colours = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let colour = style.fg.and_then(|colour| colours.iter().position(|one| *one == colour));
    let colour = colour.map(|place| if place < 8 { 30 + place } else { 90 + place - 8 });
    set.chain(colour).map(|code| code.to_string()).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use ratatui::text::Span;

    use super::*;

    #[test]
    fn colours_are_those_of_a_terminal() {
        let spans = vec![
            Span::styled("a", Style::new().fg(Color::Green).add_modifier(Modifier::REVERSED)),
            Span::raw(" "),
            Span::styled("b", Style::new().fg(Color::LightMagenta).add_modifier(Modifier::BOLD)),
        ];
        assert_eq!(coded(&Line::from(spans)), "\u{1b}[7;32ma\u{1b}[0m \u{1b}[1;95mb\u{1b}[0m");
    }
}
