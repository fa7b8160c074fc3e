//! Lessons: what a situation teaches, to be read beside its run.
//!
//! A lesson says why a thing matters, what to watch for, and asks what will happen before it is seen. What is right the run
//! says: each option is a [fact](crate::fact) of the run of the scenario, or of one of its variants, and one of them is so. A
//! goal is something to bring about by hand, which facts and checkers notice; that it can be, and is not so before, steps show.
//!
//! ```
//! use raftbox::lesson::{LESSONS, Lesson};
//!
//! let (name, _) = LESSONS[0];
//! let lesson = Lesson::built_in(name).unwrap();
//! assert_eq!(lesson.topic, "why agreement is hard");
//! assert!(lesson.question.iter().all(|question| question.options.len() >= 2));
//! ```

use crate::check::Verdict;
use crate::fact::{Fact, Facts};
use crate::scenario::step::Step;
use crate::scenario::{Mistake, whole};
use serde::Deserialize;

/// The lessons in the order in which they are to be read: the name of the scenario, and the text.
pub const LESSONS: &[(&str, &str)] = &[
    ("two-leaders", include_str!("../lessons/two-leaders.toml")),
    ("split-vote", include_str!("../lessons/split-vote.toml")),
    ("denied-vote", include_str!("../lessons/denied-vote.toml")),
    ("vote-lost", include_str!("../lessons/vote-lost.toml")),
    ("figure-7", include_str!("../lessons/figure-7.toml")),
    ("late-append", include_str!("../lessons/late-append.toml")),
    ("heartbeat", include_str!("../lessons/heartbeat.toml")),
    ("commit-beyond", include_str!("../lessons/commit-beyond.toml")),
    ("rolled-back", include_str!("../lessons/rolled-back.toml")),
    ("figure-8", include_str!("../lessons/figure-8.toml")),
    ("silent-leader", include_str!("../lessons/silent-leader.toml")),
    ("disruptive-rejoin", include_str!("../lessons/disruptive-rejoin.toml")),
    ("removed-server", include_str!("../lessons/removed-server.toml")),
    ("partial-partition", include_str!("../lessons/partial-partition.toml")),
    ("one-link-down", include_str!("../lessons/one-link-down.toml")),
    ("stalled-disk", include_str!("../lessons/stalled-disk.toml")),
    ("stale-read", include_str!("../lessons/stale-read.toml")),
    ("slow-clock", include_str!("../lessons/slow-clock.toml")),
    ("duplicate-request", include_str!("../lessons/duplicate-request.toml")),
    ("duplicate-after-snapshot", include_str!("../lessons/duplicate-after-snapshot.toml")),
    ("empty-voter", include_str!("../lessons/empty-voter.toml")),
    ("empty-voter-at-once", include_str!("../lessons/empty-voter-at-once.toml")),
    ("single-server-change", include_str!("../lessons/single-server-change.toml")),
    ("snapshot-race", include_str!("../lessons/snapshot-race.toml")),
];

/// What a situation teaches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// What it is called.
    pub title: String,
    /// The chapter that it is part of.
    pub topic: String,
    /// What it is about, in the words under which an index lists it.
    pub about: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// What to watch for, in order.
    pub watch: Vec<String>,
    /// What is asked before the run is seen.
    #[serde(default)]
    pub question: Vec<Question>,
    /// What to bring about by hand.
    pub goal: Option<Goal>,
}

/// What will happen?
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub ask: String,
    /// The variant whose run answers it; the scenario's own, if there is none.
    pub variant: Option<String>,
    /// What one may expect, each with the fact that makes it right.
    pub options: Vec<(String, Fact)>,
    /// Why it is so, to be told after the run.
    pub told: String,
}

/// Something to bring about by hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// What.
    #[serde(rename = "do")]
    pub what: String,
    /// The variant in whose run it is to be brought about; in the scenario's own, if there is none.
    pub variant: Option<String>,
    /// The property that is violated when it is reached.
    pub violates: Option<String>,
    /// What is so when it is reached.
    pub fact: Option<Fact>,
    /// One way to do it.
    pub by: Vec<Step>,
}

impl Lesson {
    /// The lesson of a built-in situation.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn built_in(name: &str) -> Result<Self, Mistake> {
        let mistake = |what: String| Mistake { file: name.into(), place: String::new(), what };
        let found = LESSONS.iter().find(|(known, _)| *known == name);
        let (_, text) =
            found.ok_or_else(|| mistake("there is no lesson of this name; `raftbox lesson` lists them".into()))?;
        toml::from_str(text).map_err(|error| mistake(error.to_string()))
    }
}

/// A scenario, or a variant of it if one is named.
fn of(lesson: &str, variant: Option<&String>) -> String {
    variant.map_or_else(|| lesson.to_owned(), |variant| whole(lesson, variant))
}

impl Goal {
    /// The scenario in whose run it is to be brought about, in the lesson of that one: itself, or a variant of it.
    #[must_use]
    pub fn scenario(&self, lesson: &str) -> String {
        of(lesson, self.variant.as_ref())
    }

    /// Whether it is so in a run that is over; see [`is_reached`].
    #[must_use]
    pub fn is_reached(&self, facts: &Facts, judge: impl FnOnce() -> Vec<(&'static str, Verdict)>) -> bool {
        is_reached(self.violates.as_deref(), self.fact.as_ref(), facts, judge)
    }
}

/// Whether a property is violated and a fact is so, as far as they are named, in a run that is over, of which these facts are
/// known. To judge the properties takes long, and is done only if one is named.
#[must_use]
pub fn is_reached(
    violates: Option<&str>,
    fact: Option<&Fact>,
    facts: &Facts,
    judge: impl FnOnce() -> Vec<(&'static str, Verdict)>,
) -> bool {
    let is_violated = |property| judge().iter().any(|(name, verdict)| *name == property && verdict.is_violated());
    fact.is_none_or(|fact| fact.ask(facts).1) && violates.is_none_or(is_violated)
}

impl Question {
    /// The scenario whose run answers it, in the lesson of that one: itself, or a variant of it.
    #[must_use]
    pub fn scenario(&self, lesson: &str) -> String {
        of(lesson, self.variant.as_ref())
    }

    /// Which of the options is right, from 0, in a run of which these facts are known; `None` if not exactly one is.
    #[must_use]
    pub fn answer(&self, facts: &Facts) -> Option<usize> {
        let mut right = self.options.iter().enumerate().filter(|(_, (_, fact))| fact.ask(facts).1);
        match (right.next(), right.next()) {
            (Some((place, _)), None) => Some(place),
            _ => None,
        }
    }
}
