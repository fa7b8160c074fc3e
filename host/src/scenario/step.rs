//! Scripted steps: what happens at a given moment, as `[[step]]` tables; and what a person does to a run, which is the same.
//!
//! A step is taken `at` a time (`at = "1.5s"`) or `after` a number of events (`after = 1234`): as soon as the run has so
//! many, before its next cause. So what somebody does to a run that has stopped there is done at the very same place
//! whenever it is run again. Steps of one moment are taken in the order in which they stand, and each sees what came of
//! the one before. A step of a scenario can also wait for the one before it in the file: `then = "50ms"` is so long after
//! that one was taken, and `once = "winner of term 2 = S3"` as soon as that [fact](crate::fact) is so. What a person does
//! when the faults' time is over is done, is not undone, and gives the run two more seconds, in which the auditor reads again.
//!
//! The [guide](super::GUIDE), `host/scenarios/README.md`, has every step with an example. A step that does nothing is no
//! mistake, and is told as a [remark](crate::agenda::script::Remark).

use super::Scenario;
use super::table::Table;
use crate::fact::Fact;
use crate::units::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

pub(crate) use super::act::READ_MODES;
pub use super::act::{Act, Ask, Damage, Later, Mail, Place, Question, Syncs};
pub use super::name::{Jump, Message, Moment, Name, Survive, Sync, Target};
pub use raftbox_abi::note::ReadMode;

/// Something that happens at a given moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct Step {
    /// When.
    pub when: When,
    /// What.
    pub act: Act,
}

/// When a step is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(Span),
    /// As soon as the run has so many events, before its next cause.
    After(u64),
    /// So long after the step before it in the file was taken; after the beginning, if it is the first.
    Then(Span),
    /// As soon as this is so, once the step before it in the file was taken.
    Once(Fact),
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "at {at}"),
            Self::After(events) => write!(f, "after {events} events"),
            Self::Then(span) => write!(f, "{span} later"),
            Self::Once(fact) => write!(f, "once {fact}"),
        }
    }
}

impl fmt::Display for Step {
    /// The verb, what it is about, and when: `crash S1 at 2s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Table::from(self.clone()).sentence(), self.when)
    }
}

impl Step {
    /// # Errors
    /// If it is about nodes, clients or keys that there are not.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), String> {
        if let When::Once(fact) = &self.when {
            fact.check(scenario.nodes, scenario.clients.count)?;
        }
        self.act.check(scenario)
    }
}
