//! Whether a history is linearizable: whether each operation could have taken effect at one moment between when it was
//! asked and when it was answered (Herlihy and Wing, 1990).
//!
//! A history is linearizable if that of each key is, so keys are looked at one by one, unless somebody wants to see the
//! difference. [`check`] answers with a [`Verdict`]; that of a history that is not is a [`Counterexample`]: the first
//! answer that cannot be, the operations that contradict it, and what could have been answered instead.
//!
//! | file | concept |
//! |---|---|
//! | `machine` | what an operation does to a key |
//! | `index` | things that are numbered, and found by their hash |
//! | `search` | the search for an order |
//! | `tests` | against all orders of small histories, which are few enough to try |

mod index;
mod machine;
mod search;
#[cfg(test)]
mod tests;

use crate::history::{Answer, History, Operation, by_key};
use machine::{Op, Values, prepare, relate};
use search::{Found, Used, Watch, search};

/// How to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether each key is looked at by itself.
    pub by_key: bool,
    /// How many bytes a search may remember, for each key that is looked at; past that the verdict is
    /// [`Verdict::Unknown`].
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { by_key: true, memory: 64 << 20 }
    }
}

/// What a history is.
///
/// ```
/// use raftbox::history::{Answer, Call, History, Operation};
/// use raftbox::linearizability::{Options, Verdict, check};
///
/// let key = b"x".to_vec();
/// let put = Call::Put(b"new".to_vec());
/// let operations = vec![
///     Operation { process: 1, key: key.clone(), call: put, asked: 1, answered: Some((2, Answer::Done)) },
///     Operation { process: 2, key, call: Call::Get, asked: 3, answered: Some((4, Answer::Value(None))) },
/// ];
/// let history = History { operations, empty_is_absent: false };
/// let Verdict::Not(found) = check(&history, Options::default()).verdict else { panic!("a stale read") };
/// assert_eq!((found.culprit, found.conflict), (1, vec![0]));
/// assert_eq!(found.instead, [Answer::Value(Some(b"new".to_vec()))]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none.
    Not(Counterexample),
    /// It could not be found out within the bound, for operations of this key (or for all, if all are looked at together).
    Unknown(Vec<u8>),
}

/// Why a history is not linearizable. Operations are named by their places in [`History::operations`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The operation whose answer cannot be: up to there all could.
    pub culprit: usize,
    /// The operations that contradict it, in the order in which they were asked, the culprit not among them. If any one of
    /// them need not have happened, there would be an order.
    pub conflict: Vec<usize>,
    /// Those that wrote what these saw, beside those that are among them.
    pub seen: Vec<usize>,
    /// What the culprit could have been answered, as far as the search came to it.
    pub instead: Vec<Answer>,
}

/// What a look at a history came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is.
    pub verdict: Verdict,
    /// How many keys were looked at (1 if all together).
    pub parts: u64,
    /// How many different places the searches came to.
    pub configurations: u64,
    /// The most bytes that one of them remembered.
    pub bytes: u64,
}

impl Report {
    /// What looking at a part took.
    fn add(&mut self, part: Option<(u64, Part)>) {
        let used = part.map_or_else(Used::default, |(_, part)| part.used);
        self.configurations += used.configurations;
        self.bytes = self.bytes.max(used.bytes);
    }
}

/// Looks at a history. Of several keys that are not linearizable, that is told whose culprit was answered first.
#[must_use]
pub fn check(history: &History, options: Options) -> Report {
    if options.by_key {
        return each_key(history, options.memory);
    }
    let all: Vec<usize> = (0..history.operations.len()).collect();
    let mut part = Part::new(history, &all, options.memory);
    let verdict = match part.is_linearizable() {
        Found::Order => Verdict::Linearizable,
        Found::OutOfMemory => Verdict::Unknown(Vec::new()),
        // Then that of one of its keys is not either, and says why in fewer words.
        Found::Nothing => each_key(history, options.memory).verdict,
    };
    Report { verdict, parts: 1, configurations: part.used.configurations, bytes: part.used.bytes }
}

fn each_key(history: &History, memory: u64) -> Report {
    let parts = by_key(&history.operations);
    let mut report = Report { verdict: Verdict::Linearizable, parts: parts.len() as u64, configurations: 0, bytes: 0 };
    let (mut unknown, mut worst) = (None, None::<(u64, Part)>);
    for (key, places) in &parts {
        let mut part = Part::new(history, places, memory);
        match part.is_linearizable() {
            Found::Order => {}
            Found::OutOfMemory => unknown = unknown.or(Some(key.to_vec())),
            Found::Nothing => {
                let impossible = part.first_impossible();
                if worst.as_ref().is_none_or(|(before, _)| impossible < *before) {
                    report.add(worst.replace((impossible, part)));
                    continue;
                }
            }
        }
        report.add(Some((0, part)));
    }
    // Only one is told, so only one is made short.
    let worst = worst.map(|(impossible, mut part)| {
        let found = part.counterexample(history, impossible);
        report.add(Some((impossible, part)));
        found
    });
    report.verdict = match (worst, unknown) {
        (Some(found), _) => Verdict::Not(found),
        (None, Some(key)) => Verdict::Unknown(key),
        (None, None) => Verdict::Linearizable,
    };
    report
}

/// How many places the searches for fewer contradictions may come to: what is told then is right, and longer than need be.
const CONFIGURATIONS_MAX: u64 = 1_000_000;

/// How much a search for what could have been answered may remember: it is told as far as it comes.
const INSTEAD_BYTES_MAX: u64 = 4 << 20;

/// Operations that are looked at together.
struct Part {
    ops: Vec<Op>,
    /// Which operation of the history each is.
    whose: Vec<usize>,
    keys: usize,
    values: Values,
    memory: u64,
    used: Used,
}

impl Part {
    fn new(history: &History, places: &[usize], memory: u64) -> Self {
        let mut values = Values::new(history.empty_is_absent);
        let (ops, whose, keys) = prepare(history, places, &mut values);
        Self { ops, whose, keys, values, memory, used: Used::default() }
    }

    fn search(&mut self, ops: &[Op], watch: &mut Option<Watch>) -> Found {
        let (found, used) = search(ops, self.keys, &mut self.values, self.memory, watch);
        self.used.configurations += used.configurations;
        self.used.bytes = self.used.bytes.max(used.bytes);
        found
    }

    fn is_linearizable(&mut self) -> Found {
        let ops = std::mem::take(&mut self.ops);
        let found = self.search(&ops, &mut None);
        self.ops = ops;
        found
    }

    /// When the first answer came that cannot be: the shortest beginning that is not linearizable ends with it.
    fn first_impossible(&mut self) -> u64 {
        let mut answers: Vec<u64> = self.ops.iter().filter(|op| !op.open).map(|op| op.answered).collect();
        answers.sort_unstable();
        // All answers together contradict each other, and none do not.
        let (mut fits, mut breaks) = (0, answers.len());
        while fits + 1 < breaks {
            let middle = fits.midpoint(breaks);
            let beginning = self.until(answers[middle - 1]);
            if self.part_of(&beginning, &mut None) == Found::Nothing { breaks = middle } else { fits = middle }
        }
        answers[breaks - 1]
    }

    /// Of the beginning up to the first answer that cannot be, as few answers as contradict each other.
    fn counterexample(&mut self, history: &History, last: u64) -> Counterexample {
        let mut kept = self.until(last);
        let culprit = self.ops.iter().position(|op| op.answered == last && !op.open).expect("it is somebody's answer");
        let most = self.used.configurations + CONFIGURATIONS_MAX;
        for place in (0..kept.len()).rev() {
            let (number, open) = kept[place];
            if number == culprit || open || self.used.configurations > most {
                continue;
            }
            kept[place].1 = true;
            if self.part_of(&kept, &mut None) != Found::Nothing {
                kept[place].1 = false;
            }
        }
        let instead = self.instead(history, last, culprit);
        let (conflict, seen) = self.conflict(&kept, culprit);
        Counterexample { culprit: self.whose[culprit], conflict, seen, instead }
    }

    /// What was asked until then, and whether it need not have happened.
    fn until(&self, last: u64) -> Vec<(usize, bool)> {
        let there = self.ops.iter().enumerate().filter(|(_, op)| op.asked < last);
        there.map(|(number, op)| (number, op.open || op.answered > last)).collect()
    }

    /// Looks for an order of some operations, some of which need not have happened.
    fn part_of(&mut self, kept: &[(usize, bool)], watch: &mut Option<Watch>) -> Found {
        let mut ops: Vec<Op> = Vec::new();
        for (number, open) in kept {
            let op = self.ops[*number];
            if let Some(watch) = watch.as_mut().filter(|watch| watch.of == *number) {
                watch.op = ops.len();
            }
            if !open || !op.observes() {
                ops.push(if *open { op.without_answer() } else { op });
            }
        }
        relate(&mut ops, &self.values, self.keys, watch.as_ref().map(|watch| watch.op));
        self.search(&ops, watch)
    }

    /// What the culprit could have been answered: whatever would fit, of what fits a state in which its answer did not.
    fn instead(&mut self, history: &History, last: u64, culprit: usize) -> Vec<Answer> {
        let mut watch = Some(Watch { of: culprit, op: culprit, held: Vec::new() });
        let memory = self.memory;
        self.memory = memory.min(INSTEAD_BYTES_MAX);
        let beginning = self.until(last);
        self.part_of(&beginning, &mut watch);
        let held = watch.map(|watch| watch.held).unwrap_or_default();
        let call = &history.operations[self.whose[culprit]].call;
        let (op, mut instead) = (self.ops[culprit], Vec::new());
        for value in held {
            let Some((step, answer)) = op.answered_at(call, value, &mut self.values) else { continue };
            self.ops[culprit].step = step;
            if self.part_of(&beginning, &mut None) == Found::Order {
                instead.push(answer);
            }
        }
        (self.ops[culprit], self.memory) = (op, memory);
        instead.sort_unstable();
        instead.dedup();
        instead
    }

    /// The operations that contradict the culprit, and those beside them that wrote what they saw.
    fn conflict(&self, kept: &[(usize, bool)], culprit: usize) -> (Vec<usize>, Vec<usize>) {
        let (other, needed): (Vec<_>, Vec<_>) = kept.iter().partition(|(_, open)| *open);
        let values: Vec<_> = needed.iter().filter_map(|(op, _)| self.ops[*op].sees()).collect();
        let wrote = |(number, _): &&(usize, bool)| {
            let op = &self.ops[*number];
            op.leaves().is_some_and(|value| values.contains(&(op.key, value)))
        };
        let seen = other.iter().filter(wrote).map(|(number, _)| self.whose[*number]).collect();
        let conflict = needed.iter().filter(|(number, _)| *number != culprit).map(|(number, _)| self.whose[*number]);
        (conflict.collect(), seen)
    }
}

/// The most writers of what was seen that are told.
const SEEN_SHOWN: usize = 6;

/// What is told of a counterexample, a line each: who, and what; `place` names a place of the recording.
#[must_use]
pub fn explain(history: &History, found: &Counterexample, place: impl Fn(u64) -> String) -> Vec<String> {
    let culprit = &history.operations[found.culprit];
    let when = |operation: &Operation| match &operation.answered {
        Some((answered, _)) => format!("{} to {}", place(operation.asked), place(*answered)),
        None => format!("{} on", place(operation.asked)),
    };
    let mut lines = vec![format!("{}: {culprit}, which no order of what was asked explains", when(culprit))];
    let instead: Vec<String> = found.instead.iter().map(ToString::to_string).collect();
    if !instead.is_empty() {
        lines.push(format!("it could have been {}", instead.join(" or ")));
    }
    let mut list = |title: &str, places: &[usize]| {
        if !places.is_empty() {
            lines.push(title.to_owned());
        }
        lines.extend(places.iter().map(|place| {
            let operation = &history.operations[*place];
            format!("  {}: {operation}", when(operation))
        }));
    };
    list("it contradicts, all together:", &found.conflict);
    let shown = found.seen.len().saturating_sub(SEEN_SHOWN);
    list("what they saw was written by:", &found.seen[shown..]);
    if shown > 0 {
        lines.push(format!("  and {shown} more before"));
    }
    lines
}
