//! Tells of faults: crashes and what they leave on the disk, pauses, clocks, and who still reaches whom.
//!
//! Events of one kind at one time are told together, when the first other cause comes.

use super::{Story, nodes_of};
use crate::check::Observed;
use crate::cuts::{Cuts, Link};
use crate::event::text::{Tone, clock, names, printable};
use crate::event::{Cause, Decision, DiskFault, Effect, Endpoint, Event, Micros, NodeId};
use crate::nodes::Nodes;
use crate::unsynced::Unsynced;
use raftbox_abi::note::Body;
use std::collections::BTreeMap;

/// An event's number, and its time.
type Moment = (u64, Micros);
/// A clock that was set: whose, by how much it jumped, and its drift.
type Set = (NodeId, i64, i32);

/// The last effect of a node, after which it may crash.
#[derive(Clone, Copy, Debug)]
enum Last {
    Sent(Endpoint),
    Wrote(u32),
    Cut,
    Synced,
    Alarm,
}

impl Last {
    fn of(effect: &Effect<'_>) -> Option<Self> {
        match *effect {
            Effect::Sent { message, .. } => Some(Self::Sent(message.to)),
            Effect::Write { len, .. } => Some(Self::Wrote(len)),
            Effect::Truncate { .. } => Some(Self::Cut),
            Effect::Sync { .. } => Some(Self::Synced),
            Effect::WakeAt { .. } => Some(Self::Alarm),
            _ => None,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Sent(to) => format!("sent a message to {to}"),
            Self::Wrote(len) => format!("wrote {len} bytes"),
            Self::Cut => "cut a file".into(),
            Self::Synced => "asked for a sync".into(),
            Self::Alarm => "set its alarm".into(),
        }
    }
}

/// A boot that has not ended yet.
#[derive(Clone, Debug)]
struct Booting {
    moment: Moment,
    left: Option<String>,
    /// The last index before.
    last: u64,
    cuts: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    unsynced: BTreeMap<NodeId, Unsynced>,
    last: BTreeMap<NodeId, Last>,
    booting: BTreeMap<NodeId, Booting>,
    /// Nodes that booted for the first time, with an empty disk.
    fresh: Vec<NodeId>,
    cuts: Cuts,
    /// The links that were just cut, and those that just healed, and when.
    links: Option<(Moment, Vec<Link>, Vec<Link>)>,
    /// The clocks that were just set, and when.
    clocks: Option<(Moment, Vec<Set>)>,
}

impl Faults {
    pub(super) fn observe(&mut self, observed: &Observed<'_>, nodes: &Nodes, story: &mut Story) {
        match observed.event {
            Event::Cause(cause) => self.cause(cause, nodes, story),
            Event::Effect(effect) => {
                if let Some(node) = observed.event.node() {
                    self.effect(node, effect, observed, story);
                }
            }
        }
    }

    fn cause(&mut self, cause: &Cause, nodes: &Nodes, story: &mut Story) {
        let is_up = |node: &NodeId| nodes.get(*node).is_some_and(|node| node.state.is_up());
        match cause {
            Cause::Boot { node, survivors } if nodes.get(*node).is_some_and(|node| !node.state.is_up()) => {
                let unsynced = self.unsynced.remove(node).unwrap_or_default();
                self.unsynced.entry(*node).or_default().lies = unsynced.lies;
                let left = unsynced.after(survivors);
                let last = nodes.get(*node).map_or(0, |node| node.log.last());
                self.booting.insert(*node, Booting { moment: (story.event, story.at), left, last, cuts: false });
            }
            Cause::Crash { node } if is_up(node) => {
                let unsynced = self.unsynced.entry(*node).or_default().words();
                story.tell('✗', Tone::Bad, format!("S{node}{} crashes; {unsynced}", leading(*node, nodes)));
            }
            Cause::Decide { node, decision: Decision::Crash, .. } if is_up(node) => {
                let unsynced = self.unsynced.entry(*node).or_default().words();
                let after =
                    self.last.get(node).map_or_else(String::new, |last| format!(", right after it {}", last.words()));
                let text =
                    format!("S{node}{} crashes in the middle of a turn{after}; {unsynced}", leading(*node, nodes));
                story.tell('✗', Tone::Bad, text);
            }
            Cause::Pause { node } if is_up(node) => {
                let text = format!("S{node}{} pauses: it takes no turns, and loses nothing", leading(*node, nodes));
                story.tell('‖', Tone::Bad, text);
            }
            Cause::Resume { node } if is_up(node) => {
                story.tell('▲', Tone::Good, format!("S{node} goes on where it was"));
            }
            Cause::Synced { node, status, sync, .. } => {
                self.unsynced.entry(*node).or_default().synced();
                if *status != 0 {
                    story.tell('✗', Tone::Bad, format!("S{node}'s disk fails sync {sync}, with status {status}"));
                }
            }
            Cause::Disk { node, fault } => {
                let unsynced = self.unsynced.entry(*node).or_default();
                match fault {
                    DiskFault::Lies { lies } => unsynced.lies = *lies,
                    DiskFault::Wiped => *unsynced = Unsynced::default(),
                    DiskFault::Swapped { .. } | DiskFault::Rot { .. } => {}
                }
                let (mark, tone) = if fault.mends() { ('✓', Tone::Good) } else { ('✗', Tone::Bad) };
                story.tell(mark, tone, format!("S{node}'s disk {}", fault.words()));
            }
            Cause::Decide {
                node,
                decision: decision @ (Decision::Failed { .. } | Decision::Misdirected { .. }),
                ..
            } => {
                story.tell('✗', Tone::Bad, format!("S{node} {}", decision.words()));
            }
            Cause::Clock { node, jump, ppm } => {
                let set = self.clocks.get_or_insert_with(|| ((story.event, story.at), Vec::new()));
                set.1.push((*node, *jump, *ppm));
            }
            Cause::Link { from, to, up } => {
                let set = self.links.get_or_insert_with(|| ((story.event, story.at), Vec::new(), Vec::new()));
                if *up {
                    set.2.push((*from, *to));
                } else {
                    set.1.push((*from, *to));
                }
                self.cuts.set(*from, *to, *up);
            }
            _ => {}
        }
    }

    fn effect(&mut self, node: NodeId, effect: &Effect<'_>, observed: &Observed<'_>, story: &mut Story) {
        if let Some(last) = Last::of(effect) {
            self.last.insert(node, last);
        }
        match effect {
            Effect::Write { .. } | Effect::Truncate { .. } | Effect::Sync { .. } => {
                self.unsynced.entry(node).or_default().observe(effect);
                if let (Effect::Truncate { .. }, Some(booting)) = (effect, self.booting.get_mut(&node)) {
                    booting.cuts = true;
                }
            }
            Effect::Halted { reason, code, .. } => {
                self.booting.remove(&node);
                let reason = String::from_utf8_lossy(reason);
                let text = format!("S{node} stops itself: {} (code {code})", printable(&reason));
                story.tell('✗', Tone::Bad, text);
            }
            Effect::Trapped { .. } => {
                self.booting.remove(&node);
                story.tell('✗', Tone::Bad, format!("S{node} traps: its guest did what no guest may do, and is down"));
            }
            Effect::Note { .. } => {
                if let Some(Body::Recovered { term, vote, last, .. }) = observed.note.map(|note| &note.body) {
                    self.recovered(node, *term, *vote, last.0, story);
                }
            }
            _ => {}
        }
    }

    fn recovered(&mut self, node: NodeId, term: u64, vote: NodeId, last: u64, story: &mut Story) {
        let Some(booting) = self.booting.remove(&node) else { return };
        if (term, last) == (0, 0) && booting.left.is_none() {
            self.fresh.push(node);
            return;
        }
        let vote = if vote == 0 { String::new() } else { format!(" with a vote for S{vote}") };
        let mut text = format!("S{node} boots again, and finds term {term}{vote}");
        text += &if last == 0 { " and an empty log".into() } else { format!(" and log 1 to {last}") };
        if let Some(left) = booting.left {
            text += &format!("; {left}");
        }
        if booting.cuts {
            text += "; it cuts a torn tail off its file";
        }
        match booting.last.saturating_sub(last) {
            0 => {}
            1 => text += &format!("; entry {} is gone", booting.last),
            _ => text += &format!("; entries {} to {} are gone", last.saturating_add(1), booting.last),
        }
        story.tell_of(booting.moment, '▲', Tone::Good, text);
    }

    /// Tells what was put together, unless `next` may belong to it.
    pub(super) fn flush(&mut self, next: Option<&Cause>, at: Micros, story: &mut Story) {
        let may_belong = matches!(next, Some(Cause::Boot { .. } | Cause::Clock { .. } | Cause::Link { .. }));
        if may_belong && at == story.at {
            return;
        }
        if !self.fresh.is_empty() {
            let mut fresh = std::mem::take(&mut self.fresh);
            fresh.sort_unstable();
            let does = if fresh.len() == 1 { "boots, with an empty disk" } else { "boot, with empty disks" };
            story.tell('▲', Tone::Good, format!("{} {does}", nodes_of(&fresh)));
        }
        if let Some((moment, set)) = self.clocks.take() {
            story.tell_of(moment, '·', Tone::Bad, clocks(&set));
        }
        if let Some((moment, cut, healed)) = self.links.take() {
            let tone = if cut.is_empty() { Tone::Good } else { Tone::Bad };
            let mark = if cut.is_empty() { '✓' } else { '✗' };
            story.tell_of(moment, mark, tone, self.network(&cut, &healed));
        }
    }

    /// What links do, in words.
    fn network(&self, cut: &[Link], healed: &[Link]) -> String {
        if self.cuts.is_empty() {
            return match healed {
                [(from, to)] => format!("{from} reaches {to} again: every link is whole"),
                _ => "the network heals: everybody reaches everybody".into(),
            };
        }
        if let Some(sides) = self.cuts.sides() {
            let how = if cut.is_empty() { "what heals leaves the network split" } else { "the network splits" };
            return format!("{how}: {sides}");
        }
        let list = |links: &[Link]| {
            const SHOWN: usize = 6;
            let shown: Vec<String> = links.iter().take(SHOWN).map(|(from, to)| format!("{from}→{to}")).collect();
            let more = links.len().saturating_sub(SHOWN);
            if more == 0 { names(shown) } else { format!("{} and {more} more", shown.join(", ")) }
        };
        let does = |links: &[Link], one: &str, many: &str| {
            if links.len() == 1 {
                format!("link {} {one}", list(links))
            } else {
                format!("links {} {many}", list(links))
            }
        };
        let cuts = does(cut, "is cut", "are cut");
        let heals = does(healed, "carries messages again", "carry messages again");
        match (cut.is_empty(), healed.is_empty()) {
            (true, _) => heals,
            (false, true) => cuts,
            (false, false) => format!("{cuts}; {heals}"),
        }
    }
}

fn leading(node: NodeId, nodes: &Nodes) -> &'static str {
    let leads = nodes.get(node).is_some_and(|node| node.role == Some(raftbox_abi::note::Role::Leader));
    if leads { ", the leader," } else { "" }
}

/// What happened to clocks, in words.
fn clocks(set: &[Set]) -> String {
    if let [(node, jump, ppm)] = set {
        return format!("S{node}'s clock {}", clock(*jump, *ppm));
    }
    if set.iter().all(|(_, jump, ppm)| (*jump, *ppm) == (0, 0)) {
        return "all clocks run true again".into();
    }
    let each: Vec<String> = set.iter().map(|(node, jump, ppm)| format!("S{node}'s {}", clock(*jump, *ppm))).collect();
    format!("clocks are set: {}", each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(links: &[(u32, u32)]) -> Faults {
        let mut faults = Faults::default();
        links.iter().for_each(|(from, to)| faults.cuts.set(Endpoint::Node(*from), Endpoint::Node(*to), false));
        faults
    }

    #[test]
    fn a_clean_partition_is_told_by_its_sides_and_anything_else_by_its_links() {
        let sides = |links: &[(u32, u32)]| cut(links).network(&[(Endpoint::Node(1), Endpoint::Node(2))], &[]);
        assert_eq!(sides(&[(1, 2), (2, 1), (1, 3), (3, 1)]), "the network splits: S1 | S2 S3");
        assert_eq!(sides(&[(1, 2)]), "link S1→S2 is cut");
    }
}
