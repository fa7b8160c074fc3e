//! What an operation does to a key, over values that are numbered, so that a state is a number and compares as one.

use super::index::Index;
use crate::history::{Answer, Call, History, Operation};
use xxhash_rust::xxh3::xxh3_64;

/// A value, by its number; [`ABSENT`] is none.
pub(super) type ValueId = u32;

/// The key holds nothing.
pub(super) const ABSENT: ValueId = 0;

/// Every value that a key was ever thought to hold.
pub(super) struct Values {
    /// All but none.
    values: Vec<Vec<u8>>,
    index: Index,
    empty_is_absent: bool,
}

impl Values {
    pub(super) fn new(empty_is_absent: bool) -> Self {
        Self { values: Vec::new(), index: Index::default(), empty_is_absent }
    }

    pub(super) fn get(&self, id: ValueId) -> Option<&[u8]> {
        let place = id.checked_sub(1)?;
        Some(&self.values[place as usize])
    }

    pub(super) fn id(&mut self, value: Option<&[u8]>) -> ValueId {
        let Some(value) = value.filter(|value| !self.empty_is_absent || !value.is_empty()) else { return ABSENT };
        let hash = xxh3_64(value);
        let found = self.index.find(hash, &|place| self.values[place] == value);
        let place = found.unwrap_or_else(|| {
            self.values.push(value.to_vec());
            self.index.insert(hash)
        });
        place + 1
    }

    fn extend(&mut self, value: ValueId, suffix: ValueId) -> ValueId {
        let whole = [self.get(value).unwrap_or_default(), self.get(suffix).unwrap_or_default()].concat();
        self.id(Some(&whole))
    }
}

/// What an operation does and must have been answered; `None` where the answer is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The key holds this.
    Read(ValueId),
    /// The key holds this from now on.
    Write(ValueId),
    /// If it holds the first, it holds the second from now on; whether it did.
    Swap(ValueId, ValueId, Option<bool>),
    /// This is appended; the length that comes of it.
    Append(ValueId, Option<u64>),
    /// This is added; the sum.
    Add(i64, Option<i64>),
}

/// An operation, ready to be tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    /// The number of its key.
    pub(super) key: u32,
    pub(super) step: Step,
    /// Whether it need not take effect.
    pub(super) open: bool,
    pub(super) asked: u64,
    /// Until when it may; for ever, if it was never answered.
    pub(super) answered: u64,
    /// For one that is open: another that is, and the same, asked before and until no later.
    pub(super) twin: Option<u32>,
    /// For one whose key only grows: the operation that read the longest value of it.
    pub(super) goal: Option<u32>,
}

impl Op {
    /// Whether it changes nothing, whatever it finds.
    pub(super) fn observes(&self) -> bool {
        matches!(self.step, Step::Read(_) | Step::Swap(.., Some(false)))
    }

    /// Whether what was there before makes no difference to it, or to what comes after it.
    pub(super) fn overwrites(&self) -> bool {
        matches!(self.step, Step::Write(_))
    }

    /// The same, if it need not have happened.
    pub(super) fn without_answer(mut self) -> Self {
        self.open = true;
        self.step = match self.step {
            Step::Swap(expect, new, _) => Step::Swap(expect, new, None),
            Step::Append(suffix, _) => Step::Append(suffix, None),
            Step::Add(by, _) => Step::Add(by, None),
            step => step,
        };
        self
    }

    /// What the operation is answered where its key holds `value`, and its step with that answer.
    pub(super) fn answered_at(self, call: &Call, value: ValueId, values: &mut Values) -> Option<(Step, Answer)> {
        let after = apply(values, value, self.without_answer().step);
        Some(match (call, self.step) {
            (Call::Get, _) => (Step::Read(value), Answer::Value(values.get(value).map(<[u8]>::to_vec))),
            (_, Step::Swap(expect, new, _)) => {
                let swapped = value == expect;
                (Step::Swap(expect, new, Some(swapped)), Answer::Swapped(swapped))
            }
            (_, Step::Append(suffix, _)) => {
                let length = values.get(after?).map_or(0, <[u8]>::len) as u64;
                (Step::Append(suffix, Some(length)), Answer::Length(length))
            }
            (_, Step::Add(by, _)) => {
                let sum = str::from_utf8(values.get(after?)?).ok()?.parse().ok()?;
                (Step::Add(by, Some(sum)), Answer::Number(sum))
            }
            _ => return None,
        })
    }

    /// What its answer says that the key held, if it names a value.
    pub(super) fn sees(&self) -> Option<(u32, ValueId)> {
        match self.step {
            Step::Read(value) | Step::Swap(value, _, Some(true)) => Some((self.key, value)),
            _ => None,
        }
    }

    /// The value that the key holds after it, where that is its own.
    pub(super) fn leaves(&self) -> Option<ValueId> {
        match self.step {
            Step::Write(value) | Step::Swap(_, value, _) => Some(value),
            _ => None,
        }
    }
}

/// The number that a value is, as the key/value machine reads it.
fn number(value: Option<&[u8]>) -> Option<i64> {
    value.map_or(Some(0), |digits| str::from_utf8(digits).ok()?.parse().ok())
}

/// What a key that holds `value` holds after `step`; `None` if the step's answer does not fit.
pub(super) fn apply(values: &mut Values, value: ValueId, step: Step) -> Option<ValueId> {
    match step {
        Step::Read(expected) => (value == expected).then_some(value),
        Step::Write(new) => Some(new),
        Step::Swap(expected, new, swapped) => {
            let swaps = value == expected;
            (swapped.is_none_or(|swapped| swapped == swaps)).then_some(if swaps { new } else { value })
        }
        Step::Append(suffix, length) => {
            let len = |id| values.get(id).map_or(0, <[u8]>::len) as u64;
            let fits = length.is_none_or(|length| len(value) + len(suffix) == length);
            fits.then(|| values.extend(value, suffix))
        }
        Step::Add(by, sum) => {
            let comes = number(values.get(value))?.checked_add(by)?;
            sum.is_none_or(|sum| sum == comes).then(|| values.id(Some(comes.to_string().as_bytes())))
        }
    }
}

fn step(values: &mut Values, operation: &Operation) -> Option<Step> {
    let answer = operation.answered.as_ref().map(|(_, answer)| answer);
    Some(match &operation.call {
        Call::Get => match answer? {
            Answer::Value(value) => Step::Read(values.id(value.as_deref())),
            _ => return None,
        },
        Call::Put(value) => Step::Write(values.id(Some(value))),
        Call::Delete => Step::Write(ABSENT),
        Call::CompareAndSet(expect, new) => {
            let (expect, new) = (values.id(expect.as_deref()), values.id(Some(new)));
            let swapped = answer.map(|answer| *answer == Answer::Swapped(true));
            Step::Swap(expect, new, swapped)
        }
        Call::Append(suffix) => {
            let length =
                answer.and_then(|answer| if let Answer::Length(length) = answer { Some(*length) } else { None });
            Step::Append(values.id(Some(suffix)), length)
        }
        Call::Increment(by) => {
            let sum = answer.and_then(|answer| if let Answer::Number(sum) = answer { Some(*sum) } else { None });
            Step::Add(*by, sum)
        }
    })
}

/// These operations of a history, ready to be tried, in the order in which they were asked, and which each of them is.
/// A read that nobody answered is not among them: it says nothing.
pub(super) fn prepare(history: &History, places: &[usize], values: &mut Values) -> (Vec<Op>, Vec<usize>, usize) {
    let mut keys: Vec<&[u8]> = places.iter().map(|place| history.operations[*place].key.as_slice()).collect();
    keys.sort_unstable();
    keys.dedup();
    let (mut ops, mut whose): (Vec<Op>, Vec<usize>) = (Vec::new(), Vec::new());
    for place in places {
        let operation = &history.operations[*place];
        let Some(step) = step(values, operation) else { continue };
        let key = keys.binary_search(&operation.key.as_slice()).expect("it is among them");
        let key = u32::try_from(key).expect("there are fewer keys than bytes of memory");
        let answered = operation.answered.as_ref().map_or(u64::MAX, |(answered, _)| *answered);
        let open = operation.answered.is_none();
        ops.push(Op { key, step, open, asked: operation.asked, answered, twin: None, goal: None });
        whose.push(*place);
    }
    relate(&mut ops, values, keys.len(), None);
    (ops, whose, keys.len())
}

/// Says of operations what they have to do with each other, which only makes the search quicker. `doubted` is one whose
/// answer is not to be led to.
pub(super) fn relate(ops: &mut [Op], values: &Values, keys: usize, doubted: Option<usize>) {
    twins(ops);
    goals(ops, values, keys, doubted);
}

fn twins(ops: &mut [Op]) {
    for number in 0..ops.len() {
        let one = ops[number];
        let same =
            |other: &Op| other.open && (one.key, one.step) == (other.key, other.step) && other.answered <= one.answered;
        let twin = ops[..number].iter().rposition(same).filter(|_| one.open);
        ops[number].twin = twin.map(|twin| u32::try_from(twin).expect("there are few operations"));
    }
}

/// A key that is only read and appended to grows to the longest value that was read of it, by way of its beginnings.
fn goals(ops: &mut [Op], values: &Values, keys: usize, doubted: Option<usize>) {
    let mut goals: Vec<Option<(usize, u32)>> = vec![None; keys];
    let mut grows = vec![true; keys];
    for (number, op) in (0..).zip(&*ops) {
        match op.step {
            Step::Append(..) => {}
            Step::Read(_) if doubted.is_some_and(|doubted| doubted == number as usize) => {}
            Step::Read(value) => {
                let len = values.get(value).map_or(0, <[u8]>::len);
                let goal = &mut goals[op.key as usize];
                if goal.is_none_or(|(longest, _)| len >= longest) {
                    *goal = Some((len, number));
                }
            }
            _ => grows[op.key as usize] = false,
        }
    }
    for op in ops {
        let key = op.key as usize;
        op.goal = goals[key].filter(|_| grows[key]).map(|(_, goal)| goal);
    }
}
