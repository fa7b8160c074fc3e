//! Messages that somebody has taken out of the network's hands: held, delayed, dropped, doubled, altered.
//!
//! The network decides what becomes of a message when it is sent, and puts that into the queue, from whose middle nothing
//! is ever taken. So what somebody decides otherwise is kept here by the message's name, and looked up when one of its
//! items is due: the item may count no more, and what it means may have changed. Most runs have nothing here, and do not
//! look further than that.

use super::queue::{Due, Item};
use super::script::Number;
use crate::event::{Alteration, Endpoint, MessageName, Micros};
use std::collections::{BTreeMap, BTreeSet};

/// A link, in one direction.
pub(super) type Link = (Endpoint, Endpoint);

/// A message whose fate is somebody's.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter {
    /// How many of its items are in the queue, or wait for a paused node.
    queued: u32,
    /// How many of those that the network put there count.
    originals: u32,
    /// Which of the releases that were put there count.
    releases: BTreeSet<u32>,
    /// How many releases there ever were.
    released: u32,
    /// The step that holds it.
    held: Option<Number>,
    /// Whether all is over, and only items that do not count are left.
    gone: bool,
    /// How many copies have arrived.
    copies: u32,
    alterations: Vec<Alteration>,
}

impl Letter {
    /// The letter whose items in the queue are these.
    fn of(items: &[Due]) -> Option<Self> {
        let queued = u32::try_from(items.len()).expect("a message has few copies");
        let copy = |due: &Due| if let Item::Deliver(_, copy, _) = due.item { Some(copy) } else { None };
        let copies = items.iter().filter_map(copy).min().unwrap_or(0);
        (queued > 0).then(|| Self { queued, originals: queued, copies, ..Self::default() })
    }

    /// Nothing that was decided before counts any more.
    pub(super) fn void(&mut self) {
        (self.originals, self.held) = (0, None);
        self.releases.clear();
    }

    /// It waits until it is released.
    pub(super) fn hold(&mut self, step: Number) {
        self.void();
        self.held = Some(step);
    }

    /// It is to arrive once more; the item for the queue.
    pub(super) fn release(&mut self, name: MessageName) -> Item {
        let number = self.released;
        self.released += 1;
        self.queued += 1;
        self.releases.insert(number);
        Item::Release(name, number)
    }

    pub(super) fn alter(&mut self, alteration: Alteration) {
        self.alterations.push(alteration);
    }

    /// Whether an item of its in the queue means anything yet.
    pub(super) fn counts(&self, item: Item) -> bool {
        match item {
            Item::Release(_, number) => self.releases.contains(&number),
            _ => self.originals > 0,
        }
    }

    fn is_awaited(&self) -> bool {
        self.originals > 0 || !self.releases.is_empty() || self.held.is_some()
    }
}

/// What arrives, as it now is.
pub(super) struct Arrival {
    pub(super) copy: u32,
    pub(super) keep: bool,
    pub(super) alterations: Vec<Alteration>,
}

/// All that is in somebody's hands.
#[derive(Clone, Debug, Default)]
pub(super) struct Custody {
    letters: BTreeMap<MessageName, Letter>,
    /// Steps about messages that are not sent yet.
    ahead: BTreeMap<MessageName, Vec<Number>>,
    /// Links on which all waits: since which step, and what waits, in order.
    held: BTreeMap<Link, (Number, Vec<MessageName>)>,
    /// Links that are slower: until when, and by how much.
    slow: BTreeMap<Link, (Micros, Micros)>,
}

impl Custody {
    /// Whether there is nothing to look up.
    pub(super) fn is_idle(&self) -> bool {
        self.letters.is_empty() && self.held.is_empty() && self.ahead.is_empty() && self.slow.is_empty()
    }

    /// A message that is in somebody's hands, or now comes there with the items that the queue has of it.
    pub(super) fn letter(&mut self, name: MessageName, items: &[Due]) -> Result<&mut Letter, String> {
        if !self.letters.contains_key(&name) {
            self.letters.extend(Letter::of(items).map(|letter| (name, letter)));
        }
        let letter = self.letters.get_mut(&name).filter(|letter| !letter.gone);
        letter.ok_or_else(|| "the message has arrived, or is lost".into())
    }

    /// An item of a message is due, and may not count any more; then it is passed over.
    pub(super) fn passes_over(&mut self, name: MessageName, item: Item) -> bool {
        let Some(letter) = self.letters.get_mut(&name) else { return false };
        let counts = letter.counts(item);
        if !counts {
            letter.queued -= 1;
            self.forget(name);
        }
        !counts
    }

    /// An item that counts is taken; what it has become. `copy` and `keep` are what the network said.
    pub(super) fn takes(&mut self, name: MessageName, item: Item, copy: u32, keep: bool) -> Arrival {
        let Some(letter) = self.letters.get_mut(&name) else {
            return Arrival { copy, keep, alterations: Vec::new() };
        };
        letter.queued -= 1;
        match item {
            Item::Release(_, number) => drop(letter.releases.remove(&number)),
            _ => letter.originals -= 1,
        }
        let copy = letter.copies;
        letter.copies += u32::from(!matches!(item, Item::Lose(..)));
        let arrival = Arrival { copy, keep: letter.is_awaited(), alterations: letter.alterations.clone() };
        letter.gone = !arrival.keep;
        self.forget(name);
        arrival
    }

    /// A message is lost now, whatever else was decided.
    pub(super) fn lose(&mut self, name: MessageName) {
        if let Some(letter) = self.letters.get_mut(&name) {
            letter.void();
            letter.gone = true;
            self.forget(name);
        }
    }

    fn forget(&mut self, name: MessageName) {
        if self.letters.get(&name).is_some_and(|letter| letter.gone && letter.queued == 0) {
            self.letters.remove(&name);
        }
    }

    /// A step is about a message that is not sent yet.
    pub(super) fn put_ahead(&mut self, name: MessageName, step: Number) {
        self.ahead.entry(name).or_default().push(step);
    }

    /// The steps about a message that is sent now.
    pub(super) fn sent(&mut self, name: MessageName) -> Vec<Number> {
        self.ahead.remove(&name).unwrap_or_default()
    }

    /// All that arrives on a link waits from now on.
    pub(super) fn hold_link(&mut self, link: Link, step: Number) -> bool {
        let new = !self.held.contains_key(&link);
        self.held.entry(link).or_insert((step, Vec::new()));
        new
    }

    pub(super) fn is_held(&self, link: Link) -> bool {
        self.held.contains_key(&link)
    }

    /// A message that arrives on a link on which all waits does so too. Its item is taken, and these others are there.
    pub(super) fn park(&mut self, name: MessageName, others: &[Due]) {
        let Some((step, waiting)) = self.held.get_mut(&(name.from, name.to)) else { return };
        let step = *step;
        waiting.push(name);
        match self.letters.get_mut(&name) {
            Some(letter) => letter.queued -= 1,
            None => drop(self.letters.insert(name, Letter::of(others).unwrap_or_default())),
        }
        if let Some(letter) = self.letters.get_mut(&name) {
            letter.hold(step);
        }
    }

    /// Every link on which all waits, and every link that is slower.
    pub(super) fn links(&self) -> Vec<Link> {
        let links: BTreeSet<Link> = self.held.keys().chain(self.slow.keys()).copied().collect();
        links.into_iter().collect()
    }

    /// A link carries as before; what waited there, in order.
    pub(super) fn free_link(&mut self, link: Link) -> Option<Vec<MessageName>> {
        let slow = self.slow.remove(&link).is_some();
        let held = self.held.remove(&link);
        let waiting = held.map(|(step, waiting)| {
            let waits = |name: &MessageName| self.letters.get(name).is_some_and(|letter| letter.held == Some(step));
            waiting.into_iter().filter(waits).collect()
        });
        waiting.or_else(|| slow.then(Vec::new))
    }

    /// What waits by itself, with the step that holds it.
    pub(super) fn held(&self) -> Vec<(MessageName, Number)> {
        self.letters.iter().filter_map(|(name, letter)| Some((*name, letter.held?))).collect()
    }

    /// The steps that hold something, or a link.
    pub(super) fn holders(&self) -> BTreeSet<Number> {
        self.held().into_iter().map(|(_, step)| step).chain(self.held.values().map(|(step, _)| *step)).collect()
    }

    /// What is sent on a link until then arrives so much later.
    pub(super) fn slow_link(&mut self, link: Link, until: Micros, by: Micros) {
        self.slow.insert(link, (until, by));
    }

    /// By how much what is sent on a link now arrives later.
    pub(super) fn slows(&mut self, link: Link, now: Micros) -> Option<Micros> {
        let (until, by) = *self.slow.get(&link)?;
        if until <= now {
            self.slow.remove(&link);
            return None;
        }
        Some(by)
    }

    /// The steps about messages that were never sent.
    pub(super) fn ahead(&self) -> BTreeSet<Number> {
        self.ahead.values().flatten().copied().collect()
    }
}
