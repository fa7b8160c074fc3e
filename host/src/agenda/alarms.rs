//! The alarms of the nodes: which of them rings first.
//!
//! A follower sets its alarm anew with every message of its leader, so alarms would fill the [queue](super::queue) with
//! what never rings. There is one for each node, in a row; the first is known until one of them changes that matters.

use super::queue::Due;
use crate::event::NodeId;

/// The alarm of each node that can ring: the node is up, and not paused.
#[derive(Clone, Debug)]
pub(super) struct Alarms {
    /// From S1 on.
    due: Vec<Option<Due>>,
    first: First,
}

#[derive(Clone, Copy, Debug)]
enum First {
    /// It has to be looked for.
    Unknown,
    /// There is none.
    None,
    /// The one at this place.
    At(usize),
}

impl Alarms {
    /// None is set.
    pub(super) fn new(nodes: u32) -> Self {
        Self { due: vec![None; nodes as usize], first: First::None }
    }

    /// Sets the alarm of a node, or takes it away.
    pub(super) fn set(&mut self, node: NodeId, due: Option<Due>) {
        let place = node as usize - 1;
        self.due[place] = due;
        self.first = match (self.first, due) {
            (First::At(first), _) if first == place => First::Unknown,
            (First::At(first), Some(due)) if Some(due) < self.due[first] => First::At(place),
            (First::None, Some(_)) => First::At(place),
            (first, _) => first,
        };
    }

    /// The alarm that rings first.
    pub(super) fn first(&mut self) -> Option<&Due> {
        if let First::Unknown = self.first {
            let set = self.due.iter().enumerate().filter_map(|(place, due)| Some((due.as_ref()?, place)));
            self.first = set.min().map_or(First::None, |(_, place)| First::At(place));
        }
        match self.first {
            First::At(place) => self.due[place].as_ref(),
            First::None | First::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::queue::{Item, Queue};
    use crate::draw::{Concern, Draw};

    #[test]
    fn the_first_is_always_the_least_of_those_that_are_set() {
        const NODES: u32 = 4;
        let queue = Queue::new(1);
        let mut alarms = Alarms::new(NODES);
        let mut plain: Vec<Option<Due>> = vec![None; NODES as usize];
        for n in 0..1000 {
            let mut draw = Draw::new(n, Concern::Tie, [0; 3]);
            let node = u32::try_from(1 + draw.below(u64::from(NODES))).unwrap();
            // Few times, so that some alarms are due at the same.
            let due = (draw.below(4) > 0).then(|| queue.due(draw.below(8), Item::Wake(node, 1, n)));
            alarms.set(node, due);
            plain[node as usize - 1] = due;
            assert_eq!(alarms.first(), plain.iter().flatten().min());
        }
    }
}
