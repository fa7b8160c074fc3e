//! What a checker says in the end, and how it remembers the first thing that it found.

use super::model::{Model, Seen};
use crate::event::Micros;
use serde::Serialize;

/// What became of a property in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It held, and there was something to see.
    Pass,
    /// It did not hold.
    Violated {
        /// The number of the event that showed it, from 0.
        event: u64,
        /// When that was.
        at: Micros,
        /// What was wrong, in a sentence.
        what: String,
    },
    /// Nothing shows that it did not hold, and nothing that it did.
    Unobserved {
        /// What would have had to be noted.
        missing: String,
    },
    /// It could not be judged.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// Whether it did not hold.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        matches!(self, Self::Violated { .. })
    }
}

/// Where a property was violated first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the event that showed it, from 0.
    pub event: u64,
    /// When that was.
    pub at: Micros,
    /// What was wrong, in a sentence.
    pub what: String,
}

impl From<&Violation> for Verdict {
    fn from(Violation { event, at, what }: &Violation) -> Self {
        Self::Violated { event: *event, at: *at, what: what.clone() }
    }
}

/// What a checker has found: its first violation, and what it would violate if a kind of note turns out to be told.
///
/// A note that nobody ever tells is missing, which is no crime; a note that is told sometimes and was not told here is
/// one. Until it is told once, an accusation that rests on its absence is a doubt.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    violation: Option<Box<Violation>>,
    doubt: Option<Box<Violation>>,
}

impl Finding {
    #[inline]
    pub(super) fn is_violated(&self) -> bool {
        self.violation.is_some()
    }

    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_deref()
    }

    /// The property is violated. Only the first time counts.
    #[cold]
    pub(super) fn violated(&mut self, seen: &Seen, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Box::new(violation(seen, what)));
        }
    }

    /// The property is violated, if the kind of note that is missing here is ever told.
    #[cold]
    pub(super) fn doubted(&mut self, seen: &Seen, what: impl FnOnce() -> String) {
        if self.violation.is_none() && self.doubt.is_none() {
            self.doubt = Some(Box::new(violation(seen, what)));
        }
    }

    /// The kind of note that was missing is told, so doubts are right.
    #[cold]
    pub(super) fn confirm(&mut self) {
        if let Some(doubt) = self.doubt.take() {
            // What was doubted came before whatever was found since.
            self.violation = Some(doubt);
        }
    }

    /// The verdict, where `missing` says what was not seen and would have had to be.
    pub(super) fn verdict(&self, missing: Option<&str>) -> Verdict {
        match (&self.violation, missing) {
            (Some(violation), _) => violation.as_ref().into(),
            (None, Some(missing)) => Verdict::Unobserved { missing: missing.to_owned() },
            (None, None) => Verdict::Pass,
        }
    }
}

/// A guest that notes no commit says nothing about its log, and so nothing about what comes of it.
pub(super) fn missing_commit(model: &Model) -> Option<&'static str> {
    (model.committed_to() == 0).then_some("a commit")
}

fn violation(seen: &Seen, what: impl FnOnce() -> String) -> Violation {
    Violation { event: seen.event, at: seen.at, what: what() }
}
