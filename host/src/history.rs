//! Histories: what clients asked of a key/value store and what they were answered, in the order in which they saw it.
//!
//! A history is all that [`linearizability`](crate::linearizability) looks at, whoever recorded it: a run of raftbox
//! ([`recorder`]), or somebody else (`edn`, which reads the formats of Jepsen and of Porcupine's test data, and writes the
//! former). Operations that certainly had no effect are not in it; an operation that was never answered may take effect
//! at any time after it was asked, or never.

#[cfg(feature = "cli")]
pub mod edn;
pub mod recorder;

use std::fmt;

/// What clients asked and were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The operations, by when they were asked.
    pub operations: Vec<Operation>,
    /// Whether a key that holds nothing reads as an empty text, as in stores of texts.
    pub empty_is_absent: bool,
}

/// One operation of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose: a process has one operation at a time.
    pub process: u64,
    /// Of which key.
    pub key: Vec<u8>,
    /// What is asked.
    pub call: Call,
    /// When it was asked: a place in the recording (an event, a line). No two places of a history are the same.
    pub asked: u64,
    /// When it was answered and what; `None` if it never was.
    pub answered: Option<(u64, Answer)>,
}

/// What is asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Its value.
    Get,
    /// To set it.
    Put(Vec<u8>),
    /// To remove it.
    Delete,
    /// To set it to the second if it holds the first (`None`: if it is absent).
    CompareAndSet(Option<Vec<u8>>, Vec<u8>),
    /// To append to it; what is absent is empty.
    Append(Vec<u8>),
    /// To add to its number; what is absent is 0.
    Increment(i64),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is done, and no more is said.
    Done,
    /// The value, `None` if the key is absent.
    Value(Option<Vec<u8>>),
    /// Whether the value was set.
    Swapped(bool),
    /// The length of the value now.
    Length(u64),
    /// The number now.
    Number(i64),
}

/// The most that is shown of a value.
const SHOWN: usize = 40;

/// A value as people read it, cut where it is long.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().flat_map(char::escape_debug).collect();
    match text.chars().count() {
        0..=SHOWN => format!("\"{text}\""),
        count => {
            let end: String = text.chars().skip(count - SHOWN / 2).collect();
            let start: String = text.chars().take(SHOWN / 2 - 1).collect();
            format!("\"{start}…{end}\"")
        }
    }
}

/// A value, or its absence, as people read it.
fn held(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "nothing".into(), shown)
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("get"),
            Self::Put(value) => write!(f, "put {}", shown(value)),
            Self::Delete => f.write_str("delete"),
            Self::CompareAndSet(expect, new) => {
                write!(f, "compare-and-set {} to {}", held(expect.as_deref()), shown(new))
            }
            Self::Append(value) => write!(f, "append {}", shown(value)),
            Self::Increment(by) => write!(f, "increment by {by}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Value(value) => f.write_str(&held(value.as_deref())),
            Self::Swapped(true) => f.write_str("swapped"),
            Self::Swapped(false) => f.write_str("not swapped"),
            Self::Length(length) => write!(f, "length {length}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Operation {
    /// `P3 get "r0" → "x"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.call, shown(&self.key))?;
        match &self.answered {
            Some((_, answer)) => write!(f, " → {answer}"),
            None => f.write_str(" → no answer"),
        }
    }
}

/// The keys of operations, in their own order, each with the places of its operations.
#[must_use]
pub fn by_key(operations: &[Operation]) -> Vec<(&[u8], Vec<usize>)> {
    let mut places: Vec<usize> = (0..operations.len()).collect();
    places.sort_by_key(|place| operations[*place].key.as_slice());
    let groups = places.chunk_by(|one, other| operations[*one].key == operations[*other].key);
    groups.map(|group| (operations[group[0]].key.as_slice(), group.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_one_line_and_long_values_are_cut() {
        let operation = Operation {
            process: 1,
            key: b"r0".to_vec(),
            call: Call::CompareAndSet(None, vec![b'x'; 100]),
            asked: 0,
            answered: Some((3, Answer::Swapped(false))),
        };
        let (start, end) = ("x".repeat(19), "x".repeat(20));
        let line = format!("compare-and-set nothing to \"{start}…{end}\" of \"r0\" → not swapped");
        assert_eq!(operation.to_string(), line);
        assert_eq!(shown(b"a\nb"), r#""a\nb""#);
    }
}
