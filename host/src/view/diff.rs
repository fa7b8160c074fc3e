//! How two states differ: of the same run at two events, or of two runs.
//!
//! Each state is a table of fields in words, and what differs is told as before and after. Words and numbers are those
//! that the page shows.

use super::View;
use super::node::{Node, Vote};
use crate::event::text::names;
use crate::event::{Endpoint, NodeId};
use crate::timeline::seconds;
use std::collections::BTreeMap;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is a field of: a node, or the network.
    pub of: Subject,
    /// Its name.
    pub field: String,
    /// What it was; empty if it was not there.
    pub before: String,
    /// What it is; empty if it is not there.
    pub after: String,
}

/// What a field is a field of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A node.
    Node(NodeId),
    /// Links and messages.
    Network,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(node) => write!(f, "S{node}"),
            Self::Network => f.write_str("network"),
        }
    }
}

/// The most bytes of a value that are told.
const VALUE_SHOWN: usize = 32;

/// What differs between two states, field by field.
#[must_use]
pub fn diff(before: &View, after: &View) -> Vec<Row> {
    let mut rows = Vec::new();
    for (node, now) in after.nodes() {
        let was = before.node(node);
        compare(Subject::Node(node), &was.map(node_fields).unwrap_or_default(), &node_fields(now), &mut rows);
    }
    compare(Subject::Network, &network_fields(before), &network_fields(after), &mut rows);
    rows
}

type Fields = Vec<(String, String)>;

fn compare(of: Subject, before: &Fields, after: &Fields, rows: &mut Vec<Row>) {
    let was: BTreeMap<&str, &str> = before.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    let now: BTreeMap<&str, &str> = after.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    let gone = before.iter().filter(|(field, _)| !now.contains_key(field.as_str()));
    for (field, _) in after.iter().chain(gone) {
        let [before, after] = [&was, &now].map(|side| side.get(field.as_str()).copied().unwrap_or_default());
        if before != after {
            rows.push(Row { of, field: field.clone(), before: before.into(), after: after.into() });
        }
    }
}

/// The fields of a node, in words, in the order in which they are told.
#[must_use]
pub fn node_fields(node: &Node) -> Vec<(String, String)> {
    let noted = &node.noted;
    let somebody = |node: NodeId| if node == 0 { "nobody".to_owned() } else { format!("S{node}") };
    let vote = match node.vote() {
        Vote::None => "nobody".to_owned(),
        Vote::Durable(node) => format!("S{node}"),
        Vote::Pending => "itself, not on disk".to_owned(),
    };
    let log = match (noted.log.first(), noted.log.last()) {
        (_, 0) => "empty".to_owned(),
        (first, last) if first > last => format!("a snapshot up to {last}"),
        (1, last) => format!("1 to {last}, last term {}", noted.log.term(last)),
        (first, last) => {
            let term = noted.log.term(last);
            format!("a snapshot up to {}, then {first} to {last}, last term {term}", first - 1)
        }
    };
    let alarm = match node.alarm.map(|alarm| alarm.rings) {
        None => "off".to_owned(),
        Some(None) => "never rings".to_owned(),
        Some(Some(at)) => format!("rings at {}", seconds(at)),
    };
    let mut fields = vec![
        ("state", noted.state.word().to_owned()),
        ("role", noted.role.map_or("unknown", raftbox_abi::note::Role::word).to_owned()),
        ("term", noted.term.to_string()),
        ("vote", vote),
        ("leader", somebody(noted.leader)),
        ("log", log),
        ("durable", noted.durable.to_string()),
        ("commit", noted.commit.to_string()),
        ("applied", noted.applied.to_string()),
        ("alarm", alarm),
        ("unsynced", format!("{} bytes", node.unsynced.bytes())),
        ("syncs", node.syncs.len().to_string()),
        ("drift", format!("{} ppm", node.clock.ppm())),
        ("boots", noted.boots.to_string()),
        ("crashes", noted.crashes.to_string()),
    ];
    if let Some(members) = &node.members {
        let of = |ids: &[NodeId]| names(ids.iter().map(|id| Endpoint::Node(*id)));
        let outgoing =
            if members.outgoing.is_empty() { String::new() } else { format!(", going out {}", of(&members.outgoing)) };
        fields.push(("voters", format!("{}{outgoing}", of(&members.voters))));
    }
    if node.lease > 0 {
        fields.push(("lease", format!("until {} on its clock", seconds(node.lease).trim())));
    }
    let mut fields: Fields = fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
    match node.machine.values() {
        None => fields.push(("values".into(), "not known".into())),
        Some(values) => {
            let shown = |value: &[u8]| match value {
                [head @ .., _] if head.len() >= VALUE_SHOWN => format!("({} bytes)", value.len()),
                value => format!("\"{}\"", value.escape_ascii()),
            };
            fields.extend(values.map(|(key, value)| (format!("value of {}", key.escape_ascii()), shown(value))));
        }
    }
    fields
}

fn network_fields(view: &View) -> Fields {
    let cuts = view.cuts.iter().map(|(from, to)| (format!("{from}→{to}"), "cut".to_owned()));
    cuts.chain([("messages".to_owned(), view.mail.len().to_string())]).collect()
}
