//! Messages that are on their way: what the network holds, by name.
//!
//! The world keeps a message until the cause that delivers or loses it says that nothing more is to come of it. When
//! that is, the agenda decides; the world only obeys, so that a replay holds exactly what the run held.

use crate::event::{Alteration, Endpoint, MessageName};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A message that the network holds.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The attempt that it belongs to, packed; 0 between nodes.
    pub operation: u64,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
}

impl Letter {
    /// Changes bytes of this copy. What lies outside it stays as it is.
    pub fn alter(&mut self, alterations: &[Alteration]) {
        for Alteration { offset, xor } in alterations {
            let bytes = Arc::make_mut(&mut self.bytes);
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
#[derive(Clone, Debug, Default)]
pub struct Mail {
    links: BTreeMap<(Endpoint, Endpoint), Link>,
    /// The room of a message that is gone, for the next.
    spare: Vec<Arc<Vec<u8>>>,
}

impl Mail {
    /// Posts a message, and returns its name.
    pub fn post(&mut self, from: Endpoint, to: Endpoint, operation: u64, bytes: &[u8]) -> MessageName {
        let mut room = self.spare.pop().unwrap_or_default();
        let buffer = Arc::make_mut(&mut room);
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let link = self.links.entry((from, to)).or_default();
        let n = link.first + link.letters.len() as u64;
        link.letters.push_back(Some(Letter { operation, bytes: room }));
        MessageName { from, to, n }
    }

    /// The message of that name, which the network goes on holding if `keep`.
    pub fn take(&mut self, name: MessageName, keep: bool) -> Option<Letter> {
        let link = self.links.get_mut(&(name.from, name.to))?;
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
        if self.spare.len() < SPARE_MAX && Arc::strong_count(&letter.bytes) == 1 {
            self.spare.push(letter.bytes);
        }
    }

    /// How many messages are on their way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.links.values().map(|link| link.letters.iter().flatten().count()).sum()
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
