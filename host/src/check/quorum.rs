//! Who must agree: a majority of the voters, and in a joint configuration of both sets (paper, 6).

use crate::event::NodeId;
use std::fmt;

/// With more voters than that nobody looks at each set of them.
const VOTERS_MAX: usize = 16;

/// A configuration as a node noted it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    voters: Vec<NodeId>,
    outgoing: Vec<NodeId>,
}

impl Configuration {
    /// Puts another in its place, and keeps the room.
    pub(super) fn set(&mut self, voters: &[NodeId], outgoing: &[NodeId]) {
        self.voters.clear();
        self.voters.extend_from_slice(voters);
        self.outgoing.clear();
        self.outgoing.extend_from_slice(outgoing);
    }

    /// Nothing is known.
    pub(super) fn clear(&mut self) {
        self.set(&[], &[]);
    }

    /// Whether one was noted.
    pub(super) fn is_known(&self) -> bool {
        !self.voters.is_empty()
    }

    /// Whether two sets of voters must agree.
    pub(super) fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether those that `agree` are enough.
    pub(super) fn is_quorum(&self, agree: impl Fn(NodeId) -> bool) -> bool {
        let majority = |voters: &[NodeId]| 2 * voters.iter().filter(|voter| agree(**voter)).count() > voters.len();
        majority(&self.voters) && (self.outgoing.is_empty() || majority(&self.outgoing))
    }

    /// A quorum of this one and a quorum of another that have no node in common, for people; `None` if any two have one, or
    /// if there are too many voters to tell.
    pub(super) fn apart_from(&self, other: &Self) -> Option<(String, String)> {
        let mut all: Vec<NodeId> =
            [&self.voters, &self.outgoing, &other.voters, &other.outgoing].into_iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        if all.len() > VOTERS_MAX {
            return None;
        }
        let is_in = |set: u32, id: NodeId| all.binary_search(&id).is_ok_and(|place| set >> place & 1 == 1);
        // Whatever is no part of a quorum of the one may be a quorum of the other.
        (0..1u32 << all.len()).find_map(|set| {
            let disjoint = self.is_quorum(|id| is_in(set, id)) && other.is_quorum(|id| !is_in(set, id));
            disjoint.then(|| (self.those(|id| is_in(set, id)), other.those(|id| !is_in(set, id))))
        })
    }

    /// The voters that `agree`, for people.
    pub(super) fn those(&self, agree: impl Fn(NodeId) -> bool) -> String {
        let incoming = self.voters.iter();
        let outgoing = self.outgoing.iter().filter(|voter| !self.voters.contains(voter));
        let agreeing: Vec<_> = incoming.chain(outgoing).copied().filter(|id| agree(*id)).collect();
        if agreeing.is_empty() { "nobody".to_owned() } else { names(&agreeing) }
    }
}

/// "S1, S2 and S3", or "S1 and S2, joint with S1 and S3".
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&names(&self.voters))?;
        if self.outgoing.is_empty() { Ok(()) } else { write!(f, ", joint with {}", names(&self.outgoing)) }
    }
}

fn names(nodes: &[NodeId]) -> String {
    let names: Vec<_> = nodes.iter().map(|node| format!("S{node}")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(voters: &[NodeId], outgoing: &[NodeId]) -> Configuration {
        let mut configuration = Configuration::default();
        configuration.set(voters, outgoing);
        configuration
    }

    #[test]
    fn more_than_half_is_a_quorum() {
        for (voters, least) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let all: Vec<_> = (1..=voters).collect();
            let configuration = configuration(&all, &[]);
            assert!(configuration.is_quorum(|node| node <= least));
            assert!(!configuration.is_quorum(|node| node < least));
        }
        assert!(!configuration(&[], &[]).is_quorum(|_| true), "nobody is no quorum");
    }

    #[test]
    fn quorums_of_neighbours_meet() {
        let apart = |one: &Configuration, other: &Configuration| one.apart_from(other).is_some();
        let (three, four) = (configuration(&[1, 2, 3], &[]), configuration(&[1, 2, 3, 4], &[]));
        let (five, new) = (configuration(&[1, 2, 3, 4, 5], &[]), configuration(&[3, 4, 5], &[]));
        let joint = configuration(&[3, 4, 5], &[1, 2, 3]);
        assert!(!apart(&three, &four) && !apart(&three, &three));
        assert_eq!(three.apart_from(&five), Some(("S1 and S2".into(), "S3, S4 and S5".into())));
        assert!(apart(&three, &new) && !apart(&three, &joint) && !apart(&joint, &new));
    }

    #[test]
    fn a_joint_configuration_needs_both_majorities() {
        let joint = configuration(&[1, 2, 3], &[3, 4, 5]);
        assert!(!joint.is_quorum(|node| node <= 3), "a majority of the first alone");
        assert!(!joint.is_quorum(|node| node >= 3), "a majority of the second alone");
        assert!(joint.is_quorum(|node| [2, 3, 4].contains(&node)));
        assert_eq!(joint.to_string(), "S1, S2 and S3, joint with S3, S4 and S5");
        assert_eq!(joint.those(|node| node >= 3), "S3, S4 and S5");
        assert_eq!(joint.those(|_| false), "nobody");
    }
}
