//! Colours and line lengths. Nothing is told by colour alone.

use crate::event::text::Tone;
use anstyle::{AnsiColor, Color, Style};
use std::fmt::Write as _;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const GOOD: Style = fore(AnsiColor::Green);
pub(super) const BAD: Style = fore(AnsiColor::Red);
pub(super) const DOUBT: Style = fore(AnsiColor::Yellow);
pub(super) const ERROR: Style = fore(AnsiColor::Red).bold();

/// The hues of terms, cycling, as on the page; none of them is that of good or bad.
const TERMS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

const fn fore(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// The colour of a term.
pub(super) fn term(term: u64) -> Style {
    let hue = term.saturating_sub(1) % TERMS.len() as u64;
    fore(TERMS[usize::try_from(hue).expect("there are few hues")])
}

pub(super) fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Faint => FAINT,
        Tone::Good => GOOD,
        Tone::Bad => BAD,
        Tone::Term(number) => term(number),
    }
}

/// A text broken into lines of `width` columns, the later ones indented, for a first line that begins at the indent.
pub(super) fn wrap(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| *width >= indent + 20) else {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    };
    let (mut out, mut column) = (String::new(), indent);
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if column > indent && column + 1 + len > width {
            write!(out, "\n{:indent$}", "").expect("a string takes everything");
            column = indent;
        }
        if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += len;
    }
    out
}

/// A line cut to `width` columns, with a mark where it goes on.
pub(super) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => {
            line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        }
        _ => line.to_owned(),
    }
}

/// A number with its thousands apart: `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A word of a shell command, quoted if it must be.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_only_on_a_terminal() {
        assert_eq!(wrap("a sentence of six short words", 4, Some(24)), "a sentence of six\n    short words");
        assert_eq!(wrap("a sentence\nof words", 4, None), "a sentence of words");
        assert_eq!(cut("abcdef", Some(4)), "abc…");
    }

    #[test]
    fn numbers_and_words_are_written_for_people_and_shells() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(["a.run", "it's", ""].map(quoted), ["a.run", r"'it'\''s'", "''"]);
    }
}
