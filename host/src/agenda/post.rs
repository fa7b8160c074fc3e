//! Acts on messages: held, released, delivered, lost, delayed, doubled, altered.
//!
//! A message is named, perhaps before it is sent. One that is on its way is found in the queue by its name, once; from
//! then on [`custody`](super::custody) knows of it.

use super::acts::Done;
use super::custody::Link;
use super::queue::{Due, Item};
use super::{Action, Agenda};
use crate::event::{Alteration, Cause, Endpoint, MessageName, Micros};
use crate::scenario::step::{Later, Mail, Name};

/// Every pair of one of these and one of those.
fn pairs(from: &[Name], to: &[Name]) -> Vec<Link> {
    let pair = |from: &Name| to.iter().map(|to| (from.0, to.0)).collect::<Vec<_>>();
    from.iter().flat_map(pair).filter(|(from, to)| from != to).collect()
}

impl Agenda {
    /// What is due later.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Due> {
        self.queue.iter().chain(self.nodes.iter().flat_map(|node| &node.waiting))
    }

    /// The items of a message that are to come.
    pub(super) fn items(&self, name: MessageName) -> Vec<Due> {
        let mut items: Vec<Due> = self.pending().filter(|due| due.item.message() == Some(name)).copied().collect();
        items.sort_unstable();
        items
    }

    /// Whether a message was sent. One that was not is dealt with when it is.
    fn is_sent(&mut self, name: MessageName) -> bool {
        let sent = name.n < self.network.sent(name.from, name.to);
        if !sent {
            self.custody.put_ahead(name, self.performing);
        }
        sent
    }

    pub(super) fn hold(&mut self, mail: &Mail) -> Done {
        let step = self.performing;
        match mail {
            Mail::One(name) => {
                if self.is_sent(*name) {
                    let items = self.items(*name);
                    self.custody.letter(*name, &items)?.hold(step);
                }
                Ok(())
            }
            Mail::Links(from, to) => {
                let new = pairs(from, to).into_iter().filter(|link| self.custody.hold_link(*link, step)).count();
                if new > 0 { Ok(()) } else { Err("these links are held already".into()) }
            }
        }
    }

    pub(super) fn release(&mut self, from: &[Name], to: &[Name]) -> Done {
        let all = from.is_empty() && to.is_empty();
        let links = if all { self.custody.links() } else { pairs(from, to) };
        let mut found = false;
        for link in links {
            let waiting = self.custody.free_link(link);
            found |= waiting.is_some();
            waiting.into_iter().flatten().for_each(|name| self.arrive_now(name));
        }
        if all {
            for (name, _) in self.custody.held() {
                found = true;
                self.arrive_now(name);
            }
        }
        if found { Ok(()) } else { Err("nothing is held there".into()) }
    }

    /// When the faults' time is over, what is held arrives: one after the other, as ties have no order, and after nodes
    /// that are down have booted.
    pub(super) fn release_all(&mut self) {
        for step in self.custody.holders().into_iter().chain(self.stalls.holders()) {
            self.script.remark(step, "what it held still when the faults' time was over was let go then");
        }
        let links = self.custody.links().into_iter();
        let names: Vec<MessageName> = links.filter_map(|link| self.custody.free_link(link)).flatten().collect();
        let alone = self.custody.held().into_iter().map(|(name, _)| name).filter(|name| !names.contains(name));
        let alone: Vec<_> = alone.collect();
        for (place, name) in (1..).zip(names.into_iter().chain(alone)) {
            self.arrive_at(name, self.now + place);
        }
        for node in self.stalls.nodes() {
            self.stalls.let_node_go(node);
            self.drain(node);
        }
    }

    /// A message arrives at that time, and at no other.
    fn arrive_at(&mut self, name: MessageName, at: Micros) {
        let items = self.items(name);
        if let Ok(letter) = self.custody.letter(name, &items) {
            letter.void();
            let item = letter.release(name);
            self.queue.push(at, item);
        }
    }

    fn arrive_now(&mut self, name: MessageName) {
        let items = self.items(name);
        if let Ok(letter) = self.custody.letter(name, &items) {
            letter.void();
            let item = letter.release(name);
            self.take_now(item);
        }
    }

    /// An item is due now.
    fn take_now(&mut self, item: Item) {
        let due = self.queue.due(self.now, item);
        let cause = self.take(due);
        self.ready.extend(cause.map(Action::Apply));
    }

    pub(super) fn deliver(&mut self, name: MessageName) -> Done {
        if !self.is_sent(name) {
            return Ok(());
        }
        let items = self.items(name);
        self.custody.letter(name, &items)?;
        if !self.network.is_up(name.from, name.to) {
            return Err("the link is cut, and the message is on its way still".into());
        }
        if let Endpoint::Node(node) = name.to
            && !self.node(node).up
        {
            return Err(format!("S{node} is down, and the message is on its way still"));
        }
        self.arrive_now(name);
        Ok(())
    }

    pub(super) fn lose(&mut self, name: MessageName) -> Done {
        if self.is_sent(name) {
            let items = self.items(name);
            self.custody.letter(name, &items)?;
            self.custody.lose(name);
            self.apply(Cause::Lose { message: name, keep: false });
        }
        Ok(())
    }

    pub(super) fn delay(&mut self, mail: &Mail, later: Later) -> Done {
        match (mail, later) {
            (Mail::One(name), later) => {
                if !self.is_sent(*name) {
                    return Ok(());
                }
                let items = self.items(*name);
                let letter = self.custody.letter(*name, &items)?;
                let comes = items.iter().filter(|due| letter.counts(due.item)).map(|due| due.at).min();
                let at = match later {
                    Later::By(by) => comes.unwrap_or(self.now).max(self.now) + by.0,
                    Later::Until(until) => until.0.max(self.now),
                };
                self.arrive_at(*name, at);
            }
            (Mail::Links(from, to), Later::By(by)) => {
                pairs(from, to).into_iter().for_each(|link| self.custody.slow_link(link, Micros::MAX, by.0));
            }
            (Mail::Links(..), Later::Until(_)) => return Err("links are slower by a time".into()),
        }
        Ok(())
    }

    pub(super) fn duplicate(&mut self, name: MessageName, later: Later) -> Done {
        if !self.is_sent(name) {
            return Ok(());
        }
        let at = match later {
            Later::By(by) => self.now + by.0,
            Later::Until(until) => until.0.max(self.now),
        };
        let items = self.items(name);
        let item = self.custody.letter(name, &items)?.release(name);
        if at > self.now {
            self.queue.push(at, item);
        } else {
            self.take_now(item);
        }
        Ok(())
    }

    pub(super) fn alter(&mut self, name: MessageName, alteration: Alteration) -> Done {
        if self.is_sent(name) {
            let items = self.items(name);
            self.custody.letter(name, &items)?.alter(alteration);
        }
        Ok(())
    }

    /// A message that was just sent is changed on its way.
    pub(super) fn corrupt(&mut self, name: MessageName, alteration: Alteration) {
        let items = self.items(name);
        if let Ok(letter) = self.custody.letter(name, &items) {
            letter.alter(alteration);
        }
    }

    /// A message is sent, of which somebody may have decided something before.
    pub(super) fn meddle(&mut self, name: MessageName) {
        if let Some(by) = self.custody.slows((name.from, name.to), self.now) {
            let items = self.items(name);
            // What chance loses stays lost.
            let arrives = items.iter().filter(|due| matches!(due.item, Item::Deliver(..))).map(|due| due.at).min();
            if let Some(at) = arrives {
                self.arrive_at(name, at + by);
            }
        }
        for step in self.custody.sent(name) {
            self.perform(step);
        }
    }
}
