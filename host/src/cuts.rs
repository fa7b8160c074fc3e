//! Which links are cut, and what that comes to: sides of a partition, or single links.

use crate::event::Endpoint;
use std::collections::BTreeSet;

/// A link, in its direction.
pub type Link = (Endpoint, Endpoint);

/// The links that are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts(BTreeSet<Link>);

impl Cuts {
    /// A link is cut, or heals.
    pub fn set(&mut self, from: Endpoint, to: Endpoint, up: bool) {
        if up {
            self.0.remove(&(from, to));
        } else {
            self.0.insert((from, to));
        }
    }

    /// Whether every link is whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a link is cut.
    #[must_use]
    pub fn is_cut(&self, from: Endpoint, to: Endpoint) -> bool {
        self.0.contains(&(from, to))
    }

    /// Each link that is cut.
    pub fn iter(&self) -> impl Iterator<Item = Link> {
        self.0.iter().copied()
    }

    /// The sides of a clean partition: within a side all links are up, and between two sides all are cut.
    #[must_use]
    pub fn groups(&self) -> Option<Vec<BTreeSet<Endpoint>>> {
        let all: BTreeSet<Endpoint> = self.0.iter().flat_map(|(from, to)| [*from, *to]).collect();
        let client = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Client(_));
        let mut groups: Vec<BTreeSet<Endpoint>> = Vec::new();
        for one in &all {
            let mate = |other: &Endpoint| !(self.is_cut(*one, *other) || client(one) && client(other));
            match groups.iter_mut().find(|group| group.iter().any(mate)) {
                Some(group) => drop(group.insert(*one)),
                None => groups.push(BTreeSet::from([*one])),
            }
        }
        let side = |endpoint: &Endpoint| groups.iter().position(|group| group.contains(endpoint));
        let clean = all.iter().all(|one| {
            all.iter()
                .filter(|other| one != *other && !(client(one) && client(other)))
                .all(|other| self.is_cut(*one, *other) == (side(one) != side(other)))
        });
        (clean && groups.len() > 1).then_some(groups)
    }

    /// The sides of a clean partition, in words: `S1 S2 | S3 S4 S5`.
    #[must_use]
    pub fn sides(&self) -> Option<String> {
        let side = |group: &BTreeSet<Endpoint>| group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        Some(self.groups()?.iter().map(side).collect::<Vec<_>>().join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(links: &[(u32, u32)]) -> Cuts {
        let mut cuts = Cuts::default();
        links.iter().for_each(|(from, to)| cuts.set(Endpoint::Node(*from), Endpoint::Node(*to), false));
        cuts
    }

    #[test]
    fn only_a_clean_partition_has_sides() {
        assert_eq!(cuts(&[(1, 2), (2, 1), (1, 3), (3, 1)]).sides().as_deref(), Some("S1 | S2 S3"));
        assert_eq!(cuts(&[(1, 2)]).sides(), None, "it is cut in one direction only");
        assert_eq!(cuts(&[]).sides(), None);
    }

    #[test]
    fn a_link_that_heals_is_not_cut() {
        let mut cuts = cuts(&[(1, 2)]);
        assert!(
            cuts.is_cut(Endpoint::Node(1), Endpoint::Node(2)) && !cuts.is_cut(Endpoint::Node(2), Endpoint::Node(1))
        );
        cuts.set(Endpoint::Node(1), Endpoint::Node(2), true);
        assert!(cuts.is_empty() && cuts.iter().next().is_none());
    }
}
