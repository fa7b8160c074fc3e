//! Why an entry is, or is not, committed.
//!
//! Who knows all disks sees more than the leader does. So the answer tells both: on which disks the entry is, and what the
//! leader still lacks to say so: a copy, an entry of its own term, or the word of a follower that is on its way.

use super::{Why, rule};
use crate::event::NodeId;
use crate::timeline::seconds;
use crate::view::node::Node;
use crate::view::{Tables, View};
use raftbox_abi::note::Role;

/// Why the entry at an index is committed in a view, or why it is not.
#[must_use]
pub fn of(tables: &Tables, view: &View, index: u64) -> Why {
    let now = view.after.map_or(0, |moment| moment.event);
    let known = tables.entries.committed(index).filter(|commit| commit.moment.event <= now);
    if let (Some(commit), true) = (known, view.after.is_some()) {
        let headline = format!("entry {index} is committed");
        return Why::new(headline, rule::LEADER_COMMIT)
            .row("first noted by", format!("S{}, at {}", commit.node, seconds(commit.moment.at)))
            .row("event", commit.moment.event);
    }
    let not = |why: &str| format!("entry {index} is not committed: {why}");
    let Some(leader) = view.leader() else {
        let mut why = Why::new(not("nobody leads"), rule::NO_LEADER);
        for (id, node) in view.nodes() {
            let role = node.noted.role.map_or(node.noted.state.word(), Role::word);
            why = why.row(format!("S{id}"), format!("{role}, term {}, {}", node.noted.term, copy(node, index, 0)));
        }
        return why;
    };
    let Some(node) = view.node(leader) else { return Why::new(not("nobody leads"), rule::NO_LEADER) };
    let (current, last) = (node.noted.term, node.noted.log.last());
    if index > last || index == 0 {
        let headline = not(&format!("S{leader}, the leader of term {current}, has no such entry"));
        return Why::new(headline, rule::LEADER_APPEND).row(format!("S{leader}'s last index"), last);
    }
    let term = node.noted.log.term(index);
    let short = missing(view, leader, index, term);
    // The first entry of the leader's own term is what an earlier one waits for.
    let own = node.noted.log.first_of(current);
    let (headline, rule) = match (&short, own) {
        (Some(short), _) => (not(short), rule::LEADER_COMMIT),
        (None, None) if term != current => (
            not(&format!("it is of term {term}, and S{leader} has no entry of its own term {current} yet")),
            rule::LEADER_OLD_TERM,
        ),
        (None, Some(own)) if term != current => {
            let waits = missing(view, leader, own, current);
            let waits = waits.unwrap_or_else(|| format!("S{leader} has not heard yet that {own}@{current} is on them"));
            (not(&format!("it is of term {term}, so it waits for {own}@{current}: {waits}")), rule::LEADER_OLD_TERM)
        }
        _ => (not(&format!("it is on enough disks, and S{leader} has not heard so yet")), rule::LEADER_COMMIT),
    };
    let why = Why::new(headline, rule)
        .row("leader", format!("S{leader}, of term {current}"))
        .row("term of the entry", term)
        .row("disks needed", majority(view, leader));
    copies(why, view, leader, index, term)
}

/// How many votes or copies are needed, in the configuration that a node goes by.
pub(super) fn majority(view: &View, node: NodeId) -> String {
    let of = |voters: &[NodeId]| format!("{} of {}", voters.len() / 2 + 1, voters.len());
    let (voters, outgoing) = view.voters(node);
    if outgoing.is_empty() { of(&voters) } else { format!("{}, and {}", of(&voters), of(&outgoing)) }
}

/// Adds where an entry is, node by node.
pub(super) fn copies(mut why: Why, view: &View, leader: NodeId, index: u64, term: u64) -> Why {
    let (voters, outgoing) = view.voters(leader);
    for (id, node) in view.nodes() {
        if !voters.contains(&id) && !outgoing.contains(&id) {
            continue;
        }
        let mut where_ = copy(node, index, term);
        if !node.noted.state.is_up() || view.is_paused(id) {
            where_ += &format!("; {}", node.noted.state.word());
        }
        if id != leader {
            let ends = [leader, id].map(crate::event::Endpoint::Node);
            let cut = [view.cuts.is_cut(ends[0], ends[1]), view.cuts.is_cut(ends[1], ends[0])];
            where_ += match cut {
                [true, true] => "; cut off from the leader",
                [true, false] => "; does not hear the leader",
                [false, true] => "; is not heard by the leader",
                [false, false] => "",
            };
        }
        why = why.row(format!("S{id}"), where_);
    }
    why
}

/// Where an entry is on a node; of any term if that is 0.
fn copy(node: &Node, index: u64, term: u64) -> String {
    let (log, durable) = (&node.noted.log, node.noted.durable);
    let held = log.term(index);
    match (index > log.last(), held == term || term == 0) {
        (true, _) => format!("not there, log ends at {}", log.last()),
        (false, false) => format!("has {index}@{held} there"),
        (false, true) if durable >= index => "on disk".into(),
        (false, true) if node.noted.state.is_up() => "in memory only".into(),
        (false, true) => "was in memory only".into(),
    }
}

/// Whether a node has an entry on its disk.
fn durable(view: &View, node: NodeId, index: u64, term: u64) -> bool {
    let holds = |node: &Node| node.noted.durable >= index && node.noted.log.term(index) == term;
    view.node(node).is_some_and(holds)
}

/// What lacks to a majority of disks; `None` if nothing does.
fn missing(view: &View, leader: NodeId, index: u64, term: u64) -> Option<String> {
    let (voters, outgoing) = view.voters(leader);
    let short = |voters: &[NodeId], which: &str| {
        let (needed, all) = (voters.len() / 2 + 1, voters.len());
        let have = voters.iter().filter(|voter| durable(view, **voter, index, term)).count();
        let disks = if have == 1 { "disk" } else { "disks" };
        (have < needed).then(|| format!("it is on {have} {disks} of {all}{which}, and {needed} are needed"))
    };
    if outgoing.is_empty() {
        return short(&voters, "");
    }
    short(&voters, " voters to be").or_else(|| short(&outgoing, " voters that go out"))
}
