//! Why a node did what it notes.

use super::commit::{copies, majority};
use super::{Why, refusal, rule};
use crate::event::NodeId;
use crate::nodes;
use crate::view::sentence::Scene;
use raftbox_abi::note::{Body, EntryKind, Role};

/// The rule behind a note, with what was compared.
pub(super) fn of(scene: &Scene<'_>, node: NodeId, body: &Body, headline: impl Fn() -> String) -> Option<Why> {
    let before = &scene.before.node(node)?.noted;
    let why = |rule| Why::new(headline(), rule);
    Some(match body {
        Body::Refused { refusal, .. } => refusal::of(headline(), refusal),
        Body::Role { role, term, leader } => of_role(scene, node, (*role, *term, *leader), before, headline()),
        Body::HardState { term, vote } => {
            let vote = if *vote == 0 { "nobody".to_owned() } else { format!("S{vote}") };
            why(rule::PERSISTENT).row("currentTerm", term).row("votedFor", vote)
        }
        Body::Recovered { last, .. } => {
            why(rule::PERSISTENT).row("last entry on disk", last.0).row("last entry before", before.log.last())
        }
        Body::Durable { last } => {
            why(rule::PERSISTENT).row("on disk up to", last).row("in memory up to", before.log.last())
        }
        Body::Append { index, term, kind, .. } => {
            let leads = before.role == Some(Role::Leader);
            let rule = match kind {
                EntryKind::Noop if leads => rule::LEADER_NOOP,
                EntryKind::Command | EntryKind::Config if leads => rule::LEADER_APPEND,
                _ => rule::APPEND_NEW,
            };
            why(rule).row("own last index", before.log.last()).row("new entry", format!("{index}@{term}"))
        }
        Body::Truncate { from } => {
            let leader = if before.leader == 0 { "not known".to_owned() } else { format!("S{}", before.leader) };
            let mut why = why(rule::APPEND_CONFLICT).row("own entry", format!("{from}@{}", before.log.term(*from)));
            let theirs = scene.before.node(before.leader).map(|leader| leader.noted.log.term(*from));
            if let Some(term) = theirs.filter(|term| *term > 0) {
                why = why.row("entry of the leader now", format!("{from}@{term}"));
            }
            why.row("leader", leader).row("own commitIndex", before.commit)
        }
        Body::Commit { index } if before.role == Some(Role::Leader) => {
            let why = why(rule::LEADER_COMMIT)
                .row("currentTerm", before.term)
                .row("term of the entry", before.log.term(*index))
                .row("commitIndex before", before.commit);
            copies(why, scene.before, node, *index, before.log.term(*index))
        }
        Body::Commit { index } => why(rule::COMMIT_FOLLOWER)
            .row("commitIndex before", before.commit)
            .row("own last index", before.log.last())
            .row("commitIndex now", index),
        Body::Apply { index, .. } => {
            why(rule::APPLY).row("commitIndex", before.commit).row("lastApplied", index.saturating_sub(1))
        }
        Body::Config { index, .. } => why(rule::CONFIGURATION).row("entry that brought it", index),
        Body::Snapshot { index, .. } | Body::Install { index, .. } => {
            why(rule::SNAPSHOT).row("covers the log up to", index).row("own last index before", before.log.last())
        }
        Body::Read { mode, index, .. } => why(rule::READ).row("made safe by", mode.word()).row("lastApplied", index),
        Body::Lease { until } => why(rule::LEASE).row("its end, on the node's own clock, µs", until),
        Body::Property { kind, value, .. } => why(rule::PROPERTY).row("claim", kind.word()).row("value", value),
    })
}

/// Why a role changed.
fn of_role(
    scene: &Scene<'_>,
    node: NodeId,
    (role, term, leader): (Role, u64, NodeId),
    before: &nodes::Node,
    headline: String,
) -> Why {
    let terms = |why: Why| why.row("currentTerm before", before.term).row("term now", term);
    match role {
        Role::PreCandidate => {
            let leader = if before.leader == 0 { "nobody".to_owned() } else { format!("S{}", before.leader) };
            Why::new(headline, rule::PRE_VOTE).row("currentTerm", term).row("leader that it knew", leader)
        }
        Role::Candidate => terms(Why::new(headline, rule::ELECTION_TIMEOUT)),
        Role::Leader => {
            let votes = scene.before.nodes().filter(|(_, voter)| voter.noted.hard == (term, node));
            let votes: Vec<String> = votes.map(|(voter, _)| format!("S{voter}")).collect();
            Why::new(headline, rule::MAJORITY)
                .row("term", term)
                .row("votes on disk", votes.join(", "))
                .row("votes needed", majority(scene.before, node))
        }
        Role::Follower | Role::Learner if before.role.is_none() => Why::new(headline, rule::FOLLOW).row("term", term),
        Role::Follower | Role::Learner if term > before.term => terms(Why::new(headline, rule::HIGHER_TERM)),
        Role::Follower | Role::Learner => {
            let asked = matches!(before.role, Some(Role::Candidate | Role::PreCandidate));
            let why = Why::new(headline, if asked { rule::OTHER_LEADER } else { rule::FOLLOW }).row("term", term);
            if leader == 0 { why } else { why.row("leader", format!("S{leader}")) }
        }
    }
}
