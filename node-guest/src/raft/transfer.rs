//! To hand over: the leader has another voter campaign at once, when that one has all of its log (thesis 3.10).
//!
//! The leader takes nothing new meanwhile, so that the other one can catch up. Then it says "campaign now", and the other
//! campaigns without asking whether it could win; its requests for votes say that the leader wants it so, and are heard by
//! those who still hear that leader (thesis 4.2.3). If nothing comes of it within an election timeout, the leader leads on.

use super::input::Entropy;
use super::message::Body;
use super::node::{Raft, State};
use super::refusal::ProposalRefusal;
use super::{Micros, NodeId};

/// A leadership that is being handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    /// To whom.
    pub(super) to: NodeId,
    /// When it is given up.
    until: Micros,
    /// Whether the other one was told to campaign.
    told: bool,
}

impl Raft {
    /// Somebody wants another leader. Whoever leads already need do nothing.
    pub(super) fn begin_transfer(&mut self, to: NodeId) -> Result<(), ProposalRefusal> {
        if to == self.id {
            return Ok(());
        }
        if let Some(under_way) = self.transfer().filter(|transfer| transfer.to != to) {
            return Err(ProposalRefusal::Transferring { to: under_way.to });
        }
        if !self.membership().is_voter(to) {
            return Err(ProposalRefusal::NoVoter { node: to });
        }
        let until = self.now.saturating_add(self.config.election_max_us);
        self.set_transfer(Some(Transfer { to, until, told: false }));
        self.hand_over();
        Ok(())
    }

    /// What keeps a leader from taking anything new.
    pub(super) fn refuse_while_transferring(&self) -> Result<(), ProposalRefusal> {
        self.transfer().map_or(Ok(()), |transfer| Err(ProposalRefusal::Transferring { to: transfer.to }))
    }

    /// Tells the next leader to campaign, once it has all of the log.
    pub(super) fn hand_over(&mut self) {
        let Some(transfer) = self.transfer().filter(|transfer| !transfer.told) else {
            return;
        };
        let last = self.log.last().index;
        let caught_up = self.peers().iter().any(|peer| peer.id == transfer.to && peer.progress.matched() == last);
        if caught_up {
            self.set_transfer(Some(Transfer { told: true, ..transfer }));
            self.give_up_lease();
            self.send(transfer.to, Body::TimeoutNow);
        }
    }

    /// Gives up what has taken too long, or what nobody can take over any more. Looked at with each heartbeat.
    pub(super) fn expire_transfer(&mut self) {
        let over = |transfer: Transfer| self.now >= transfer.until || !self.membership().is_voter(transfer.to);
        if self.transfer().is_some_and(over) {
            self.set_transfer(None);
        }
    }

    /// The leader wants this node to lead.
    pub(super) fn on_timeout_now(&mut self, from: NodeId, entropy: &mut dyn Entropy) {
        let follows = matches!(&self.state, State::Follower(follower) if follower.leader() == Some(from));
        if follows && self.memberships.may_need(self.id) {
            self.become_candidate(entropy, true);
        }
    }

    fn transfer(&self) -> Option<Transfer> {
        match &self.state {
            State::Leader(leader) => leader.transfer,
            _ => None,
        }
    }

    fn set_transfer(&mut self, transfer: Option<Transfer>) {
        if let State::Leader(leader) = &mut self.state {
            leader.transfer = transfer;
        }
    }
}
