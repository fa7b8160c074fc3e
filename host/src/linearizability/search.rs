//! The search for an order: operations are tried one after the other, each as soon as it may be, and taken back where
//! nothing fits any more (Wing and Gong, with the memory of Lowe: what was tried once from the same place, with the same
//! set of operations behind, is not tried again).
//!
//! Four things keep it short, and lose nothing:
//!
//! * An operation that only looks, and whose answer fits now, is put here: if there is an order in which it comes later,
//!   there is one in which it comes now.
//! * An operation without an answer is not put right before one that overwrites what it did: the order without it is as
//!   good.
//! * Of operations without an answer that are the same, the one that was asked first is taken first.
//! * A key that is only appended to holds, until its longest value is read, a beginning of that value.
//!
//! What is remembered is bounded; a search that would exceed the bound ends without a verdict.

use super::index::Index;
use super::machine::{ABSENT, Op, Step, ValueId, Values, apply};
use xxhash_rust::xxh3::xxh3_64;

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is an order.
    Order,
    /// There is none.
    Nothing,
    /// What may be remembered did not suffice.
    OutOfMemory,
}

/// What a search used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    /// How many different places it came to.
    pub(super) configurations: u64,
    /// The most bytes that it remembered at once.
    pub(super) bytes: u64,
}

/// Asks whether an operation's failing is to be watched, and what the key held each time.
pub(super) struct Watch {
    /// Which, among all.
    pub(super) of: usize,
    /// Which, among those that are searched.
    pub(super) op: usize,
    /// What the key held when it did not fit.
    pub(super) held: Vec<ValueId>,
}

/// The most states of a watched operation that are kept.
const WATCHED_MAX: usize = 32;

const HEAD: u32 = 0;
const END: u32 = 1;

/// Calls and returns in the order of time, as a list from which operations are taken and into which they are put back.
struct Entries {
    next: Vec<u32>,
    previous: Vec<u32>,
}

/// The entry of an operation's call; that of its return is the next number.
fn call(op: usize) -> u32 {
    u32::try_from(2 + 2 * op).expect("there are few operations")
}

impl Entries {
    fn new(ops: &[Op]) -> Self {
        let mut times: Vec<(u64, u32)> = Vec::new();
        for (number, op) in ops.iter().enumerate() {
            times.push((op.asked, call(number)));
            if !op.open {
                times.push((op.answered, call(number) + 1));
            }
        }
        times.sort_unstable();
        let mut entries = Self { next: vec![END; 2 + 2 * ops.len()], previous: vec![HEAD; 2 + 2 * ops.len()] };
        let mut last = HEAD;
        for (_, entry) in times.into_iter().chain([(0, END)]) {
            entries.next[last as usize] = entry;
            entries.previous[entry as usize] = last;
            last = entry;
        }
        entries
    }

    fn next(&self, entry: u32) -> u32 {
        self.next[entry as usize]
    }

    fn unlink(&mut self, entry: u32) {
        let (next, previous) = (self.next[entry as usize], self.previous[entry as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    fn relink(&mut self, entry: u32) {
        let (next, previous) = (self.next[entry as usize], self.previous[entry as usize]);
        self.next[previous as usize] = entry;
        self.previous[next as usize] = entry;
    }

    fn take(&mut self, op: usize, open: bool) {
        self.unlink(call(op));
        if !open {
            self.unlink(call(op) + 1);
        }
    }

    fn put_back(&mut self, op: usize, open: bool) {
        if !open {
            self.relink(call(op) + 1);
        }
        self.relink(call(op));
    }
}

/// Which operations are behind.
struct Done {
    words: Vec<u64>,
    hash: u64,
}

impl Done {
    fn has(&self, op: usize) -> bool {
        self.words[op / 64] >> (op % 64) & 1 == 1
    }

    fn flip(&mut self, op: usize) {
        self.words[op / 64] ^= 1 << (op % 64);
        self.hash ^= xxh3_64(&(op as u64).to_le_bytes());
    }

    /// What is between the first words, which are full, and the last, which are empty.
    fn middle(&self) -> (usize, &[u64]) {
        let full = self.words.iter().take_while(|word| **word == u64::MAX).count();
        let empty = self.words[full..].iter().rev().take_while(|word| **word == 0).count();
        (full, &self.words[full..self.words.len() - empty])
    }
}

/// A place that the search was at.
#[derive(Clone, Copy)]
struct Place {
    state: u32,
    /// Whether an operation without an answer was put last.
    open: bool,
    full: u32,
    start: u32,
    len: u32,
}

/// Every place that the search was at.
#[derive(Default)]
struct Places {
    index: Index,
    places: Vec<Place>,
    words: Vec<u64>,
}

impl Places {
    /// Remembers a place; whether it is new.
    fn insert(&mut self, done: &Done, state: u32, open: bool) -> bool {
        let (full, middle) = done.middle();
        let hash = done.hash ^ xxh3_64(&(u64::from(state) << 1 | u64::from(open)).to_le_bytes()).rotate_left(32);
        let same = |place: usize| {
            let Place { state: held, open: last, full: before, start, len } = self.places[place];
            let (start, len) = (start as usize, len as usize);
            (state, open, full) == (held, last, before as usize) && self.words[start..start + len] == *middle
        };
        if self.index.find(hash, &same).is_some() {
            return false;
        }
        let count = |count: usize| u32::try_from(count).expect("what is remembered is bounded");
        let (start, len) = (count(self.words.len()), count(middle.len()));
        self.words.extend_from_slice(middle);
        self.places.push(Place { state, open, full: count(full), start, len });
        self.index.insert(hash);
        true
    }

    fn bytes(&self) -> u64 {
        (self.index.bytes() + self.words.capacity() * 8 + self.places.capacity() * size_of::<Place>()) as u64
    }
}

/// States of all keys together, numbered; with one key a state is its value.
enum States {
    One,
    Many { rows: Vec<Vec<ValueId>>, index: Index },
}

fn hash_of(row: &[ValueId]) -> u64 {
    row.iter().fold(0, |hash: u64, value| xxh3_64(&(hash ^ u64::from(*value)).to_le_bytes()))
}

impl States {
    fn new(keys: usize) -> Self {
        if keys <= 1 {
            return Self::One;
        }
        let (row, mut index) = (vec![ABSENT; keys], Index::default());
        index.insert(hash_of(&row));
        Self::Many { rows: vec![row], index }
    }

    fn value(&self, state: u32, key: u32) -> ValueId {
        match self {
            Self::One => state,
            Self::Many { rows, .. } => rows[state as usize][key as usize],
        }
    }

    fn with(&mut self, state: u32, key: u32, value: ValueId) -> u32 {
        match self {
            Self::One => value,
            Self::Many { rows, index } => {
                let mut row = rows[state as usize].clone();
                row[key as usize] = value;
                let hash = hash_of(&row);
                index.find(hash, &|other| rows[other] == row).unwrap_or_else(|| {
                    rows.push(row);
                    index.insert(hash)
                })
            }
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::One => 0,
            Self::Many { rows, index } => {
                let row = rows[0].len() * size_of::<ValueId>() + size_of::<Vec<ValueId>>();
                (rows.len() * row + index.bytes()) as u64
            }
        }
    }
}

/// One step of the order that is being tried.
struct Frame {
    op: usize,
    /// What was before it.
    state: u32,
    open: bool,
    latest: u64,
    /// Whether nothing else need be tried in its place.
    forced: bool,
}

/// The search.
struct Search<'a> {
    ops: &'a [Op],
    values: &'a mut Values,
    states: States,
    /// Whether all is one key, so that what comes next is about what came last.
    one: bool,
    entries: Entries,
    done: Done,
    places: Places,
    order: Vec<Frame>,
    state: u32,
    /// Whether an operation without an answer was put last.
    open: bool,
    /// When the latest of those that are behind was asked.
    latest: u64,
    /// How many operations with an answer are not behind yet.
    left: usize,
}

impl Search<'_> {
    /// The state after this operation, if it may come next.
    fn comes(&mut self, number: usize) -> Option<u32> {
        let op = &self.ops[number];
        let waits = |twin: usize| !self.done.has(twin) && self.ops[twin].answered > self.latest;
        if op.open && op.answered < self.latest || op.twin.is_some_and(|twin| waits(twin as usize)) {
            return None;
        }
        if self.one && self.open && op.overwrites() {
            return None;
        }
        let value = self.states.value(self.state, op.key);
        let new = apply(self.values, value, op.step)?;
        if op.open && new == value {
            return None;
        }
        if let Some(goal) = op.goal.map(|goal| goal as usize)
            && !self.done.has(goal)
            && let Step::Read(longest) = self.ops[goal].step
        {
            let [new, longest] = [new, longest].map(|id| self.values.get(id).unwrap_or_default());
            if !longest.starts_with(new) {
                return None;
            }
        }
        Some(self.states.with(self.state, op.key, new))
    }

    /// Puts an operation next, unless that leads where the search was before.
    fn put(&mut self, number: usize, state: u32, forced: bool) -> bool {
        let open = self.ops[number].open;
        self.done.flip(number);
        if !self.places.insert(&self.done, state, open) {
            self.done.flip(number);
            return false;
        }
        self.order.push(Frame { op: number, state: self.state, open: self.open, latest: self.latest, forced });
        self.entries.take(number, open);
        (self.state, self.open) = (state, open);
        self.latest = self.latest.max(self.ops[number].asked);
        self.left -= usize::from(!open);
        true
    }

    /// Takes back the last operation in whose place something else may be tried; where to go on, or `None` if there is none.
    fn back(&mut self) -> Option<u32> {
        loop {
            let Frame { op, state, open, latest, forced } = self.order.pop()?;
            (self.state, self.open, self.latest) = (state, open, latest);
            self.done.flip(op);
            self.entries.put_back(op, self.ops[op].open);
            self.left += usize::from(!self.ops[op].open);
            if !forced {
                return Some(self.entries.next(call(op)));
            }
        }
    }

    /// An operation that only looks and fits now, if there is one.
    fn observer(&mut self) -> Option<(usize, u32)> {
        let mut entry = self.entries.next(HEAD);
        while entry != END && entry.is_multiple_of(2) {
            let number = (entry as usize - 2) / 2;
            if self.ops[number].observes()
                && let Some(state) = self.comes(number)
            {
                return Some((number, state));
            }
            entry = self.entries.next(entry);
        }
        None
    }

    /// Puts observers while there are any; whether the place that this leads to is a new one.
    fn observe(&mut self) -> bool {
        while let Some((number, state)) = self.observer() {
            if !self.put(number, state, true) {
                return false;
            }
        }
        true
    }

    fn run(&mut self, memory: u64, watch: &mut Option<Watch>) -> Found {
        let mut fresh = true;
        let mut entry = END;
        loop {
            if fresh {
                if !self.observe() {
                    let Some(next) = self.back() else { return Found::Nothing };
                    entry = next;
                } else {
                    entry = self.entries.next(HEAD);
                }
                fresh = false;
            }
            if self.left == 0 {
                return Found::Order;
            }
            if self.places.bytes() + self.states.bytes() > memory {
                return Found::OutOfMemory;
            }
            if entry == END || !entry.is_multiple_of(2) {
                // Whatever is answered here must come before, and does not fit.
                let Some(next) = self.back() else { return Found::Nothing };
                entry = next;
                continue;
            }
            let number = (entry as usize - 2) / 2;
            match self.comes(number) {
                Some(state) => fresh = self.put(number, state, false),
                None => {
                    let value = self.states.value(self.state, self.ops[number].key);
                    if let Some(watch) = watch.as_mut().filter(|watch| watch.op == number)
                        && watch.held.len() < WATCHED_MAX
                        && !watch.held.contains(&value)
                    {
                        watch.held.push(value);
                    }
                }
            }
            if !fresh {
                entry = self.entries.next(entry);
            }
        }
    }
}

/// Looks for an order of these operations, which are in the order in which they were asked.
pub(super) fn search(
    ops: &[Op],
    keys: usize,
    values: &mut Values,
    memory: u64,
    watch: &mut Option<Watch>,
) -> (Found, Used) {
    let mut search = Search {
        ops,
        values,
        states: States::new(keys),
        one: keys <= 1,
        entries: Entries::new(ops),
        done: Done { words: vec![0; ops.len().div_ceil(64)], hash: 0 },
        places: Places::default(),
        order: Vec::new(),
        state: 0,
        open: false,
        latest: 0,
        left: ops.iter().filter(|op| !op.open).count(),
    };
    let found = search.run(memory, watch);
    let used =
        Used { configurations: search.places.index.len() as u64, bytes: search.places.bytes() + search.states.bytes() };
    (found, used)
}
