//! What clients ask, as operations, and of whom.

use crate::draw::Draw;
use crate::event::NodeId;
use crate::scenario::step::{Ask, Question};
use raftbox_abi::client::Operation;
use raftbox_abi::note::ReadMode;

/// Of whom an operation is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The leader, whom the client looks for; a success tells who that is.
    Leader,
    /// Any node: an answer tells nothing about who leads.
    Anybody,
    /// One node and no other, as what it does is the node's own.
    One,
}

impl Of {
    pub(super) fn operation(operation: &Operation<'_>) -> Self {
        match operation {
            Operation::Compact => Self::One,
            Operation::Read(ReadMode::Index | ReadMode::Local, _) => Self::Anybody,
            _ => Self::Leader,
        }
    }
}

/// What somebody wants asked, as an operation.
pub(super) fn encode(ask: &Ask, then: impl FnOnce(Operation<'_>)) {
    let key = ask.key.as_bytes();
    match &ask.what {
        Question::Get(mode) => then(read(*mode, key)),
        Question::Put(value) => then(Operation::Put(key, value.as_bytes())),
        Question::Delete => then(Operation::Delete(key)),
        Question::CompareAndSet(old, new) => {
            then(Operation::CompareAndSet(key, old.as_deref().map(str::as_bytes), new.as_bytes()));
        }
        // What the auditor reads is a row of values, each with its end.
        Question::Append(value) if key[0] == b'a' && !value.ends_with(';') => {
            then(Operation::Append(key, format!("{value};").as_bytes()));
        }
        Question::Append(value) => then(Operation::Append(key, value.as_bytes())),
        Question::Increment(by) => then(Operation::Increment(key, *by)),
        Question::Transfer(to) => then(Operation::Transfer(*to)),
        Question::Compact => then(Operation::Compact),
        Question::Members { voters, learners, gone } => {
            // There are nine nodes at the most.
            let bytes = |nodes: &[NodeId]| nodes.iter().map(|id| u8::try_from(*id).unwrap_or(0)).collect::<Vec<_>>();
            let [voters, learners, gone] = [bytes(voters), bytes(learners), bytes(gone)];
            then(Operation::Members { voters: &voters, learners: &learners, gone: &gone });
        }
    }
}

/// A read of a key, in that mode.
pub(super) fn read(mode: ReadMode, key: &[u8]) -> Operation<'_> {
    if mode == ReadMode::Log { Operation::Get(key) } else { Operation::Read(mode, key) }
}

/// One of the places, by their weights.
pub(super) fn weighted(draw: &mut Draw, weights: &[u32]) -> usize {
    let mut left = draw.below(weights.iter().map(|weight| u64::from(*weight)).sum());
    let place = weights.iter().position(|weight| match left.checked_sub(u64::from(*weight)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    place.expect("the weights are not all zero")
}
