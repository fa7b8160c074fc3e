//! Mistakes in a scenario: where they are, what is wrong, and what was perhaps meant.

/// A mistake in a scenario, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {what}")]
pub struct Mistake {
    /// Which file, or which built-in scenario.
    pub file: String,
    /// `:LINE:COLUMN`, or nothing where it has no one place.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// Line and column of a byte of a text, from 1.
pub(super) fn place(text: &str, offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!(":{line}:{column}")
}

/// The line of a text that holds a byte, with a mark under it.
pub(super) fn shown(text: &str, offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line: String = text[start..].lines().next().unwrap_or_default().chars().take(100).collect();
    let number = before.matches('\n').count() + 1;
    let column = before[start..].chars().count();
    let line = line.replace(|c: char| c.is_control(), " ");
    format!("\n{number:>4} | {line}\n     | {:column$}^", "")
}

/// What the TOML reader has to say, without the names that types have in here.
pub(super) fn in_words(message: &str) -> String {
    let mut words = message.replace('\n', ", ");
    words = words.replace("expected u8", "expected a whole number from 0 to 255");
    for number in ["u32", "u64", "i32", "i64"] {
        words = words.replace(&format!("expected {number}"), "expected a whole number from 0");
    }
    match words.split_once("expected struct ") {
        Some((what, _)) => format!("{what}expected a table"),
        None => words,
    }
}

/// How many letters must be changed, added or removed to make one word of the other.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], number + 1);
        for (column, match_letter) in other.iter().enumerate() {
            let change = corner + usize::from(letter != *match_letter);
            corner = row[column + 1];
            row[column + 1] = change.min(corner + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

/// Where a key stands in a text: `clients.count`, or `step.2` for the third step.
pub(super) fn find(text: &str, path: &str) -> Option<usize> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut place = None;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let (key, value) = table.get_key_value(part)?;
        place = Some(key.span().start);
        let mut value = value;
        if let (DeValue::Array(list), Some(number)) = (value.get_ref(), parts.peek()) {
            value = list.get(number.parse::<usize>().ok()?)?;
            place = Some(value.span().start);
            parts.next();
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_far_apart_as_there_are_letters_to_change() {
        let words = [("tour", "tour"), ("toor", "tour"), ("tor", "tour"), ("calm", "chaos"), ("", "abc")];
        assert_eq!(words.map(|(one, other)| distance(one, other)), [0, 1, 1, 3, 3]);
    }

    #[test]
    fn a_key_is_found_by_its_path() {
        let text = "nodes = 3\n[clients]\ncount = 0\n[[step]]\n[[step]]\n";
        let found = |path| find(text, path).map(|offset| place(text, offset));
        assert_eq!(found("clients.count"), Some(":3:1".into()));
        assert_eq!(found("step.1"), Some(":5:1".into()));
        assert_eq!(found("disk.sync"), None);
    }
}
