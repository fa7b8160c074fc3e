//! What takes long: syncs that a disk does not answer, and messages that a link does not deliver.
//!
//! That somebody made a disk or a link slow is no event: it only decides when an answer comes. So a span is told by what it
//! does, once something has waited longer than anything does in good times.

use super::band::{Band, Fault};
use super::{Moment, Seen};
use crate::event::{Cause, Decision, Effect, Event, MessageName, Micros, NodeId};
use std::collections::BTreeMap;

/// A sync that takes so long is one of a disk that does not answer.
const SYNC_US: Micros = 50_000;
/// A message that takes so long is one of a link that is held up.
const MESSAGE_US: Micros = 100_000;

/// What waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    syncs: BTreeMap<(NodeId, u64), Moment>,
    messages: BTreeMap<MessageName, Moment>,
}

impl Waits {
    /// Takes the next event into account; what waited long until then, if it waits no more.
    pub(super) fn observe(&mut self, seen: &Seen<'_>) -> Vec<Band> {
        let moment = seen.moment();
        let of_sync = |node| move |from| band(Fault::Stalled(node), from, moment, SYNC_US);
        match seen.observed.event {
            Event::Effect(Effect::Sync { node, sync, .. }) => drop(self.syncs.insert((*node, *sync), moment)),
            Event::Effect(Effect::Sent { message, .. }) => drop(self.messages.insert(*message, moment)),
            Event::Cause(Cause::Synced { node, sync, .. }) => {
                return self.syncs.remove(&(*node, *sync)).and_then(of_sync(*node)).into_iter().collect();
            }
            // What was lost, and comes back later, was not held up.
            Event::Cause(Cause::Deliver { message, .. } | Cause::Lose { message, .. }) => {
                let late = |from| band(Fault::Late((message.from, message.to)), from, moment, MESSAGE_US);
                return self.messages.remove(message).and_then(late).into_iter().collect();
            }
            Event::Cause(Cause::Crash { node } | Cause::Decide { node, decision: Decision::Crash, .. })
            | Event::Effect(Effect::Halted { node, .. } | Effect::Trapped { node }) => {
                return self
                    .syncs
                    .extract_if((*node, 0)..=(*node, u64::MAX), |_, _| true)
                    .filter_map(|(_, from)| of_sync(*node)(from))
                    .collect();
            }
            _ => {}
        }
        Vec::new()
    }

    /// What has waited long at a time, and still does.
    pub(super) fn at(&self, now: Micros) -> impl Iterator<Item = Band> {
        let syncs = self.syncs.iter().map(|((node, _), from)| (Fault::Stalled(*node), *from, SYNC_US));
        let late =
            |(message, from): (&MessageName, &Moment)| (Fault::Late((message.from, message.to)), *from, MESSAGE_US);
        let waiting = syncs.chain(self.messages.iter().map(late));
        let long = waiting.filter(move |(_, from, least)| now.saturating_sub(from.at) >= *least);
        long.map(|(fault, from, _)| Band { fault, from, until: None })
    }
}

/// The span of what waited, if that was long.
fn band(fault: Fault, from: Moment, until: Moment, least: Micros) -> Option<Band> {
    (until.at.saturating_sub(from.at) >= least).then_some(Band { fault, from, until: Some(until) })
}
