//! Which majority is enough: to win a vote, and to commit an entry.
//!
//! Pure functions of a configuration and of what is known of each voter; they know nothing of Raft. In a joint
//! configuration both majorities must agree (thesis 4.3); an empty set of voters, as the outgoing one of a simple
//! configuration, agrees with everything. Sets of voters are tiny, so counting beats sorting, and nothing is allocated.

use super::membership::Configuration;
use super::{Index, NodeId};

/// How a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A majority said yes.
    Won,
    /// A majority can no longer say yes.
    Lost,
    /// It depends on those who have not answered.
    Pending,
}

/// How a vote stands, given each voter's answer so far.
pub fn tally(config: &Configuration, answer: impl Fn(NodeId) -> Option<bool>) -> Tally {
    match (majority_tally(config.voters(), &answer), majority_tally(config.outgoing(), &answer)) {
        (Tally::Won, Tally::Won) => Tally::Won,
        (Tally::Lost, _) | (_, Tally::Lost) => Tally::Lost,
        _ => Tally::Pending,
    }
}

/// The highest index that a quorum holds, given the highest index that each voter holds.
pub fn committed(config: &Configuration, matched: impl Fn(NodeId) -> Index) -> Index {
    majority_committed(config.voters(), &matched).min(majority_committed(config.outgoing(), &matched))
}

/// The least number of voters that is more than half of them. Where there are none, nobody need agree.
fn majority(voters: &[NodeId]) -> usize {
    if voters.is_empty() { 0 } else { voters.len() / 2 + 1 }
}

fn majority_tally(voters: &[NodeId], answer: &impl Fn(NodeId) -> Option<bool>) -> Tally {
    let count = |wanted| voters.iter().filter(|&&id| answer(id) == wanted).count();
    let (yes, open) = (count(Some(true)), count(None));
    if yes >= majority(voters) {
        Tally::Won
    } else if yes + open >= majority(voters) {
        Tally::Pending
    } else {
        Tally::Lost
    }
}

/// The answer is the index of some voter, if there is one: the highest one that a majority has reached.
fn majority_committed(voters: &[NodeId], matched: &impl Fn(NodeId) -> Index) -> Index {
    if voters.is_empty() {
        return Index::MAX;
    }
    let mut best = 0;
    for &candidate in voters {
        let index = matched(candidate);
        // Most voters stand at or below what is known already: only a better index is worth a count.
        if index > best && voters.iter().filter(|&&id| matched(id) >= index).count() >= majority(voters) {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to give each of `n` voters one of `choices` values.
    fn assignments(n: u32, choices: u32) -> impl Iterator<Item = Vec<u32>> {
        (0..choices.pow(n)).map(move |code| (0..n).map(|i| code / choices.pow(i) % choices).collect())
    }

    fn voters(n: u32) -> Configuration {
        Configuration::new(1..=n, [])
    }

    #[test]
    fn tally_agrees_with_brute_force() {
        for n in 1..=6 {
            for answers in assignments(n, 3) {
                let answer = |id: NodeId| match answers[id as usize - 1] {
                    0 => None,
                    1 => Some(false),
                    _ => Some(true),
                };
                let yes = answers.iter().filter(|&&a| a == 2).count();
                let no = answers.iter().filter(|&&a| a == 1).count();
                let expected = match n as usize {
                    n if 2 * yes > n => Tally::Won,
                    // Even if all the others say yes, it is no majority.
                    n if 2 * (n - no) <= n => Tally::Lost,
                    _ => Tally::Pending,
                };
                assert_eq!(tally(&voters(n), answer), expected, "{answers:?}");
            }
        }
    }

    #[test]
    fn committed_is_the_lower_median() {
        for n in 1..=6 {
            for matches in assignments(n, 4) {
                let matched = |id: NodeId| u64::from(matches[id as usize - 1]);
                let mut sorted = matches.clone();
                sorted.sort_unstable_by(|a, b| b.cmp(a));
                let expected = u64::from(sorted[n as usize / 2]);
                assert_eq!(committed(&voters(n), matched), expected, "{matches:?}");
            }
        }
    }

    #[test]
    fn a_joint_quorum_needs_both_majorities() {
        let joint = Configuration::joint([1, 2, 3], [3, 4, 5], []);
        for answers in assignments(5, 3) {
            let answer = |id: NodeId| [None, Some(false), Some(true)][answers[id as usize - 1] as usize];
            let half = |ids: [NodeId; 3]| tally(&Configuration::new(ids, []), answer);
            let expected = match (half([1, 2, 3]), half([3, 4, 5])) {
                (Tally::Won, Tally::Won) => Tally::Won,
                (a, b) if a == Tally::Lost || b == Tally::Lost => Tally::Lost,
                _ => Tally::Pending,
            };
            assert_eq!(tally(&joint, answer), expected);
        }
        for matches in assignments(5, 3) {
            let matched = |id: NodeId| u64::from(matches[id as usize - 1]);
            // The highest index such that each half has two voters at or above it.
            let holds = |index: u64, ids: [NodeId; 3]| ids.iter().filter(|&&id| matched(id) >= index).count() >= 2;
            let expected = (0..3).rev().find(|&i| holds(i, [1, 2, 3]) && holds(i, [3, 4, 5])).unwrap();
            assert_eq!(committed(&joint, matched), expected);
        }
    }
}
