//! What a configuration becomes when members come, go, and change what they are (paper 6, thesis 4).
//!
//! A change is a list of [`Change`]s that take effect together. One that adds or removes at most one voter is *simple*: any
//! majority of before and any majority of after have a node in common, so it may be made in one step (thesis 4.1). Any
//! other goes through a *joint* configuration, in which both the voters of before and those of after must agree (paper 6,
//! thesis 4.3): [`Configuration::entered`] is the way in, [`Configuration::left`] the way out.
//!
//! A voter that is to become a learner keeps its vote until the joint configuration is left, since it is one of the voters
//! of before; until then it is a *learner to be*. Nothing here knows of logs: when a change may be made is the leader's
//! to say.

use std::fmt;

use super::NodeId;
use super::membership::Configuration;

/// What happens to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It gets a vote, whatever it was before.
    Voter(NodeId),
    /// It has no vote, and receives the log.
    Learner(NodeId),
    /// It is no member any more.
    Remove(NodeId),
}

/// A step from one configuration to the next, as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Changes of at most one voter, in one step.
    Simple(Vec<Change>),
    /// Any changes, by way of a joint configuration.
    Joint {
        /// The changes.
        changes: Vec<Change>,
        /// Whether it is left without being asked to, once it is committed.
        leaves_itself: bool,
    },
    /// Out of the joint configuration.
    Leave,
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// It would leave nobody to vote.
    NoVoters,
    /// There is nobody to vote whom the new voters could agree with.
    NoVotersBefore,
    /// It changes so many voters at once that majorities of before and after may have no node in common.
    NotSimple {
        /// How many voters would come or go.
        changed: u32,
    },
    /// A joint configuration is to be left before anything else is changed.
    Joint,
    /// Only a joint configuration can be left.
    NotJoint,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVoters => f.write_str("nobody would be left to vote"),
            Self::NoVotersBefore => f.write_str("there is nobody to vote on it"),
            Self::NotSimple { changed } => write!(f, "{changed} voters would change at once, not 1"),
            Self::Joint => f.write_str("the configuration is joint, and is to be left first"),
            Self::NotJoint => f.write_str("the configuration is not joint"),
        }
    }
}

impl std::error::Error for ChangeError {}

impl Configuration {
    /// After a step.
    ///
    /// # Errors
    /// If there is no such step from here.
    pub fn after(&self, step: &Step) -> Result<Self, ChangeError> {
        match step {
            Step::Simple(changes) => self.changed(changes),
            Step::Joint { changes, leaves_itself } => self.entered(changes, *leaves_itself),
            Step::Leave => self.left(),
        }
    }

    /// After a change of at most one voter, and of any learners.
    ///
    /// # Errors
    /// If this is a joint configuration, or the change needs one.
    pub fn changed(&self, changes: &[Change]) -> Result<Self, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::Joint);
        }
        let next = self.with(changes)?;
        let differs = |these: &[NodeId], those: &[NodeId]| these.iter().filter(|id| !those.contains(id)).count();
        let (came, went) = (differs(next.voters(), self.voters()), differs(self.voters(), next.voters()));
        match u32::try_from(came + went) {
            Ok(0 | 1) => Ok(next),
            changed => Err(ChangeError::NotSimple { changed: changed.unwrap_or(u32::MAX) }),
        }
    }

    /// The joint configuration on the way to what the changes make of this one. One that `leaves_itself` is left as soon as it
    /// is committed, without being asked to.
    ///
    /// # Errors
    /// If this is joint already, or there is nobody to vote, before or after.
    pub fn entered(&self, changes: &[Change], leaves_itself: bool) -> Result<Self, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::Joint);
        }
        if self.voters.is_empty() {
            return Err(ChangeError::NoVotersBefore);
        }
        Self { outgoing: self.voters.clone(), leaves_itself, ..self.clone() }.with(changes)
    }

    /// The configuration that a joint one leads to.
    ///
    /// # Errors
    /// If this is not joint.
    pub fn left(&self) -> Result<Self, ChangeError> {
        if !self.is_joint() {
            return Err(ChangeError::NotJoint);
        }
        let mut next = Self { outgoing: Vec::new(), learners_next: Vec::new(), leaves_itself: false, ..self.clone() };
        self.learners_next.iter().for_each(|id| put(&mut next.learners, *id));
        Ok(next)
    }

    /// With the changes made to the voters of after, and to the learners.
    fn with(&self, changes: &[Change]) -> Result<Self, ChangeError> {
        let mut next = self.clone();
        for change in changes {
            let (Change::Voter(id) | Change::Learner(id) | Change::Remove(id)) = *change;
            for members in [&mut next.voters, &mut next.learners, &mut next.learners_next] {
                members.retain(|member| *member != id);
            }
            match change {
                Change::Voter(_) => put(&mut next.voters, id),
                Change::Learner(_) if next.outgoing.contains(&id) => put(&mut next.learners_next, id),
                Change::Learner(_) => put(&mut next.learners, id),
                Change::Remove(_) => {}
            }
        }
        if next.voters.is_empty() { Err(ChangeError::NoVoters) } else { Ok(next) }
    }
}

/// Puts a member into a sorted list that it is not in.
fn put(members: &mut Vec<NodeId>, id: NodeId) {
    let place = members.partition_point(|member| *member < id);
    members.insert(place, id);
}

#[cfg(test)]
mod tests {
    use super::super::quorum::{Tally, tally};
    use super::*;

    /// Every set of voters among four nodes, as a mask.
    fn voters(mask: u32) -> Configuration {
        Configuration::new((1..=4).filter(|id| mask & 1 << (id - 1) != 0), [])
    }

    /// Whether two configurations can decide by quorums that have no node in common.
    fn can_differ(a: &Configuration, b: &Configuration) -> bool {
        let wins = |config: &Configuration, yes: u32| tally(config, |id| Some(yes & 1 << (id - 1) != 0)) == Tally::Won;
        (0..16).any(|yes| wins(a, yes) && wins(b, !yes & 15))
    }

    #[test]
    fn every_step_shares_a_node_with_the_one_before() {
        for (before, after) in (1..16).flat_map(|a| (1..16).map(move |b| (a, b))) {
            let (one, two) = (voters(before), voters(after));
            let change = |id: NodeId| {
                let there = two.voters().contains(&id);
                if there { Change::Voter(id) } else { Change::Remove(id) }
            };
            let changes = [1, 2, 3, 4].map(change);
            if let Ok(next) = one.changed(&changes) {
                assert_eq!(next, two);
                assert!(!can_differ(&one, &next), "{one:?} {next:?}");
            }
            let joint = one.entered(&changes, false).unwrap();
            let next = joint.left().unwrap();
            assert_eq!(next, two);
            assert!(!can_differ(&one, &joint) && !can_differ(&joint, &next), "{one:?} {joint:?} {next:?}");
        }
        // The check can fire: without the joint step these two decide apart.
        assert!(can_differ(&voters(0b0001), &voters(0b1110)));
    }

    #[test]
    fn a_demoted_voter_votes_until_the_joint_configuration_is_left() {
        let joint = Configuration::new([1, 2, 3], []).entered(&[Change::Learner(3), Change::Voter(4)], true).unwrap();
        assert_eq!((joint.voters(), joint.learners(), joint.learners_next()), (&[1, 2, 4][..], &[][..], &[3][..]));
        assert!(joint.is_voter(3) && joint.leaves_itself());
        let after = joint.left().unwrap();
        assert_eq!((after.voters(), after.learners()), (&[1, 2, 4][..], &[3][..]));
        assert!(!after.is_voter(3) && !after.leaves_itself());
    }
}
