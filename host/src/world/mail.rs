//! Messages that are on their way: what the network holds, by name.
//!
//! The world keeps a message until the cause that delivers or loses it says that nothing more is to come of it. When
//! that is, the agenda decides; the world only obeys, so that a replay holds exactly what the run held.

use crate::event::{Alteration, Endpoint, MessageName};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// A message that the network holds.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The attempt that it belongs to, packed; 0 between nodes.
    pub operation: u64,
    /// Its bytes.
    pub bytes: Rc<Vec<u8>>,
}

impl Letter {
    /// Changes bytes of this copy. What lies outside it stays as it is.
    pub fn alter(&mut self, alterations: &[Alteration]) {
        for Alteration { offset, xor } in alterations {
            let bytes = Rc::make_mut(&mut self.bytes);
            if let Some(byte) = usize::try_from(*offset).ok().and_then(|offset| bytes.get_mut(offset)) {
                *byte ^= xor;
            }
        }
    }
}

/// The messages of one link, by number.
#[derive(Clone, Debug, Default)]
struct Link {
    /// The number of the first in `letters`.
    first: u64,
    letters: VecDeque<Option<Letter>>,
}

/// Every message that is on its way.
#[derive(Debug, Default)]
pub struct Mail {
    /// The links by who sends and who is sent to, as [`place`] numbers them; both are added when they are first used.
    links: Vec<Vec<Link>>,
    /// The links to endpoints without a place. A guest may send to any number, and what it sends there is lost.
    astray: BTreeMap<(Endpoint, Endpoint), Link>,
    /// The room of a message that is gone, for the next.
    spare: Vec<Rc<Vec<u8>>>,
}

/// Messages are shared with the clone; room is not.
impl Clone for Mail {
    fn clone(&self) -> Self {
        Self { links: self.links.clone(), astray: self.astray.clone(), spare: Vec::new() }
    }
}

/// The place of an endpoint in a row of links; none for numbers that no scenario gives.
fn place(endpoint: Endpoint) -> Option<usize> {
    const PLACES: u32 = 256;
    let place = match endpoint {
        Endpoint::Node(node) => node.checked_mul(2)?,
        Endpoint::Client(client) => client.checked_mul(2)? | 1,
    };
    (place < PLACES).then_some(place as usize)
}

/// The item at a place of a row that grows as far as it is used.
fn at<T: Default>(row: &mut Vec<T>, place: usize) -> &mut T {
    if row.len() <= place {
        row.resize_with(place + 1, T::default);
    }
    &mut row[place]
}

impl Mail {
    fn link(&mut self, from: Endpoint, to: Endpoint) -> &mut Link {
        match (place(from), place(to)) {
            (Some(from), Some(to)) => at(at(&mut self.links, from), to),
            _ => self.astray.entry((from, to)).or_default(),
        }
    }

    /// Posts a message, and returns its name.
    pub fn post(&mut self, from: Endpoint, to: Endpoint, operation: u64, bytes: &[u8]) -> MessageName {
        let mut room = self.spare.pop().unwrap_or_default();
        let buffer = Rc::make_mut(&mut room);
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let link = self.link(from, to);
        let n = link.first + link.letters.len() as u64;
        link.letters.push_back(Some(Letter { operation, bytes: room }));
        MessageName { from, to, n }
    }

    /// The message of that name, which the network goes on holding if `keep`.
    pub fn take(&mut self, name: MessageName, keep: bool) -> Option<Letter> {
        let link = self.link(name.from, name.to);
        let index = usize::try_from(name.n.checked_sub(link.first)?).ok()?;
        let slot = link.letters.get_mut(index)?;
        if keep {
            return slot.clone();
        }
        let letter = slot.take();
        while let Some(None) = link.letters.front() {
            link.letters.pop_front();
            link.first += 1;
        }
        letter
    }

    /// Gives back the room of a message that is not needed any more.
    pub fn recycle(&mut self, letter: Letter) {
        const SPARE_MAX: usize = 64;
        if self.spare.len() < SPARE_MAX && Rc::strong_count(&letter.bytes) == 1 {
            self.spare.push(letter.bytes);
        }
    }

    /// How many messages are on their way.
    #[must_use]
    pub fn count(&self) -> usize {
        let links = self.links.iter().flatten().chain(self.astray.values());
        links.map(|link| link.letters.iter().flatten().count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Endpoint = Endpoint::Node(1);
    const B: Endpoint = Endpoint::Node(2);

    #[test]
    fn messages_are_numbered_by_link_and_taken_by_name() {
        let mut mail = Mail::default();
        let first = mail.post(A, B, 0, b"first");
        let second = mail.post(A, B, 7, b"second");
        assert_eq!((first.n, second.n, mail.post(B, A, 0, b"").n), (0, 1, 0));
        assert_eq!(**mail.take(second, false).unwrap().bytes, *b"second");
        assert!(mail.take(second, false).is_none(), "it is gone");
        assert_eq!(mail.count(), 2);
    }

    #[test]
    fn a_message_that_is_kept_can_come_again() {
        let mut mail = Mail::default();
        let name = mail.post(A, B, 0, b"again");
        for keep in [true, true, false] {
            assert_eq!(**mail.take(name, keep).unwrap().bytes, *b"again");
        }
        assert!(mail.take(name, true).is_none());
        assert_eq!(mail.post(A, B, 0, b"next").n, 1, "a number is never given twice");
    }

    #[test]
    fn a_message_to_a_number_that_nobody_has_is_held_as_any_other() {
        let mut mail = Mail::default();
        let nobody = Endpoint::Node(u32::MAX);
        let first = mail.post(A, nobody, 0, b"first");
        assert_eq!((first.n, mail.post(A, nobody, 0, b"second").n, mail.count()), (0, 1, 2));
        assert_eq!(**mail.take(first, false).unwrap().bytes, *b"first");
        assert!(mail.take(first, false).is_none() && mail.count() == 1);
    }

    #[test]
    fn room_is_used_again_unless_a_fork_still_reads_it() {
        let mut mail = Mail::default();
        let name = mail.post(A, B, 0, b"old");
        let mut fork = mail.clone();
        let letter = mail.take(name, false).unwrap();
        mail.recycle(letter);
        mail.post(A, B, 0, b"new");
        assert_eq!(**fork.take(name, false).unwrap().bytes, *b"old");
    }
}
