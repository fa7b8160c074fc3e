//! What a step has a client ask of a key, as keys of its table.

use super::{Table, misfit};
use crate::scenario::act::{Ask, Question, READ_MODES};
use raftbox_abi::note::ReadMode;

/// Every `ask`, with the keys that it must have and those that it may have.
pub(super) const ASKS: &[(&str, &[&str], &[&str])] = &[
    ("get", &[], &["mode"]),
    ("put", &["value"], &[]),
    ("delete", &[], &[]),
    ("compare-and-set", &["value"], &["expect"]),
    ("append", &["value"], &[]),
    ("increment", &[], &["amount"]),
];

impl Table {
    /// How a client is to read; through the log, if nothing is said.
    fn read_mode(&self) -> Result<ReadMode, String> {
        let Some(word) = &self.mode else { return Ok(ReadMode::Log) };
        READ_MODES.into_iter().find(|mode| mode.word() == word).ok_or_else(|| {
            let known = READ_MODES.map(ReadMode::word).join(", ");
            format!("there is no way to read called {word:?}; there are {known}")
        })
    }

    /// What a client is to ask.
    pub(super) fn asked(&self) -> Result<Ask, String> {
        let ask = self.ask.as_deref().unwrap_or_default();
        let Some((_, must, may)) = ASKS.iter().find(|(known, ..)| *known == ask) else {
            let known: Vec<_> = ASKS.iter().map(|(known, ..)| *known).collect();
            return Err(format!("a client cannot ask {ask:?}; it can ask {}", known.join(", ")));
        };
        let given: Vec<_> =
            self.given().into_iter().filter(|key| ["value", "expect", "amount", "mode"].contains(key)).collect();
        misfit(&format!("the request {ask:?}"), &given, must, may)?;
        let value = self.value.clone().unwrap_or_default();
        let what = match ask {
            "get" => Question::Get(self.read_mode()?),
            "put" => Question::Put(value),
            "delete" => Question::Delete,
            "compare-and-set" => Question::CompareAndSet(self.expect.clone(), value),
            "append" => Question::Append(value),
            _ => Question::Increment(self.amount.unwrap_or(1)),
        };
        Ok(Ask { key: self.key.clone().unwrap_or_default(), what, answer: self.answer.clone() })
    }

    /// What a client is to ask of no key.
    pub(super) fn cluster_asked(&self, what: Question) -> Ask {
        Ask { answer: self.answer.clone(), ..Ask::new("", what) }
    }

    pub(super) fn asking(self, Ask { key, what, answer }: Ask) -> Self {
        let ask = |name: &str| Self { ask: Some(name.into()), key: Some(key), answer, ..self };
        match what {
            Question::Get(ReadMode::Log) => ask("get"),
            Question::Get(mode) => Self { mode: Some(mode.word().into()), ..ask("get") },
            Question::Put(value) => Self { value: Some(value), ..ask("put") },
            Question::Delete => ask("delete"),
            Question::CompareAndSet(expect, value) => Self { expect, value: Some(value), ..ask("compare-and-set") },
            Question::Append(value) => Self { value: Some(value), ..ask("append") },
            Question::Increment(amount) => Self { amount: Some(amount), ..ask("increment") },
            Question::Transfer(_) | Question::Compact | Question::Members { .. } => {
                unreachable!("it has a verb of its own")
            }
        }
    }
}
