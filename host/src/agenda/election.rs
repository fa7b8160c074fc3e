//! Elections that go as somebody wants, by clocks and latencies alone: nothing is done to a node that a slow network and
//! bad clocks could not do.
//!
//! Whoever is to campaign times out now: its clock jumps to its alarm. Whoever is not has its clock jump to just before
//! its alarm, and run a thousand times slower there, until it sets that alarm again: so it waits, and believes no more in
//! a leader that is gone than if it had waited in earnest (thesis, 9.6). A leader that is there, and is heard in these few
//! milliseconds, can spoil it; who wants to be sure crashes it, pauses it or cuts it off first.

use super::Agenda;
use super::acts::Done;
use crate::clock::Clock;
use crate::event::{Cause, Endpoint, Micros, NodeId};
use crate::scenario::step::Target;

/// By how much slower a clock runs that is to wait.
const SLOWER: Micros = 1_000;

impl Agenda {
    /// Only this node campaigns.
    pub(super) fn elect(&mut self, node: NodeId) -> Done {
        self.campaigns(node)?;
        // Two rounds of messages and syncs, for pre-votes and votes, and as much again.
        self.make_wait(&[node], 8 * self.pace);
        self.time_out(node)
    }

    /// These nodes campaign at the same instant. Every other node hears one of them first, in turn, and what the others
    /// send comes so much later that its vote is given by then. So is each candidate's own.
    pub(super) fn split_vote(&mut self, targets: &[Target]) -> Done {
        let candidates = self.targets(targets);
        for (place, node) in candidates.iter().enumerate() {
            self.campaigns(*node)?;
            if candidates[..place].contains(node) {
                return Err(format!("S{node} is meant twice"));
            }
        }
        let voters: Vec<NodeId> =
            (1..=self.count()).filter(|node| self.nodes[*node as usize - 1].up && !candidates.contains(node)).collect();
        let (votes, majority) = (1 + voters.len().div_ceil(candidates.len()), self.nodes.len() / 2 + 1);
        if votes >= majority {
            let first = candidates[0];
            return Err(format!("S{first} would win, with {votes} votes of {}; name one more", self.nodes.len()));
        }
        let late = 4 * self.pace;
        for (place, candidate) in candidates.iter().enumerate() {
            let mine = |(number, _): &(usize, &NodeId)| number % candidates.len() == place;
            let others = voters.iter().enumerate().filter(|voter| !mine(voter)).map(|(_, voter)| voter);
            for to in others.chain(candidates.iter().filter(|other| *other != candidate)) {
                let link = (Endpoint::Node(*candidate), Endpoint::Node(*to));
                self.custody.slow_link(link, self.now + 4 * late, late);
            }
        }
        self.make_wait(&candidates, 6 * late);
        candidates.into_iter().try_for_each(|node| self.time_out(node))
    }

    /// That a node has an alarm to time out by.
    fn campaigns(&mut self, node: NodeId) -> Done {
        self.is_up(node)?;
        if self.node(node).alarm.is_some() { Ok(()) } else { Err(format!("S{node} has set no alarm")) }
    }

    /// The alarms of all others do not ring for so long, unless they are set again.
    fn make_wait(&mut self, except: &[NodeId], long: Micros) {
        for node in (1..=self.count()).filter(|node| !except.contains(node)) {
            let now = self.now;
            let follow = self.node(node);
            let Some((alarm, _)) = follow.alarm else { continue };
            let left = i128::from(long.div_ceil(SLOWER));
            let ahead = i128::from(alarm) - i128::from(follow.clock.local(now)) - left;
            follow.waits = Some(follow.waits.unwrap_or(follow.ppm));
            let jump = i64::try_from(ahead).unwrap_or(0);
            self.apply(Cause::Clock { node, jump, ppm: Clock::PPM_MIN });
        }
    }

    /// A node that was made to wait sets its alarm, or goes down: its clock runs as it did.
    pub(super) fn waited(&mut self, node: NodeId) {
        if let Some(ppm) = self.node(node).waits.take() {
            self.apply(Cause::Clock { node, jump: 0, ppm });
        }
    }
}
