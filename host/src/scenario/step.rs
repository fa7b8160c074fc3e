//! Scripted steps: what happens at a given time, as `[[step]]` tables.
//!
//! | `do` | keys | what happens |
//! |---|---|---|
//! | `crash` | `node`, `effect` (optional) | the node crashes; with `effect = N`, after the N-th effect of a turn (from 0), in the first turn that gets so far |
//! | `restart` | `node` | it boots again |
//! | `pause`, `resume` | `node` | it takes no turns for a while, and loses nothing |
//! | `cut`, `heal` | `from`, `to` (lists; without both `heal` heals every link) | links in that one direction carry nothing, or carry again |
//! | `partition` | `groups` (lists) | nodes, and clients if named, reach only their own group; who is in no group reaches all |
//! | `isolate` | `node`, `with` (a number) | the node and the next so many others are cut off from the other nodes |
//! | `clock` | `node`, `jump` (a time, optional, `-` for back), `drift` (ppm, optional) | its clock is set |
//! | `timeout` | `node` | its clock jumps to its alarm, which so rings now: for a follower, an election |
//!
//! A node is a name, `"S1"`, or `"leader"`: the node that last answered a client with success, or `"crashed"`: the node
//! that crashed last.

use crate::event::{ClientId, Endpoint, NodeId};
use crate::units::{Span, as_text};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of a node or client in a file: `S1`, `C1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub Endpoint);

impl Name {
    /// # Errors
    /// If there is no such node or client.
    pub(super) fn check(self, nodes: NodeId, clients: ClientId) -> Result<(), String> {
        let (number, most) = match self.0 {
            Endpoint::Node(node) => (node, nodes),
            Endpoint::Client(client) => (client, clients),
        };
        let last = match self.0 {
            Endpoint::Node(_) => Endpoint::Node(nodes),
            Endpoint::Client(_) => Endpoint::Client(clients),
        };
        if (1..=most).contains(&number) { Ok(()) } else { Err(format!("there is no {self}; the last is {last}")) }
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| *number > 0);
        let endpoint = match text.split_at_checked(1) {
            Some(("S", digits)) => number(digits).map(Endpoint::Node),
            Some(("C", digits)) => number(digits).map(Endpoint::Client),
            _ => None,
        };
        endpoint
            .map(Self)
            .ok_or_else(|| format!("is {text:?}, and should be a node such as \"S1\" or a client such as \"C1\""))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The node that a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Node(NodeId),
    /// The node that last answered a client with success, or S1 if none did.
    Leader,
    /// The node that crashed last, or S1 if none did.
    Crashed,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("leader", _) => Ok(Self::Leader),
            ("crashed", _) => Ok(Self::Crashed),
            (_, Ok(Name(Endpoint::Node(node)))) => Ok(Self::Node(node)),
            _ => Err(format!("is {text:?}, and should be a node such as \"S1\", or \"leader\" or \"crashed\"")),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "S{node}"),
            Self::Leader => f.write_str("leader"),
            Self::Crashed => f.write_str("crashed"),
        }
    }
}

/// A jump of a clock, forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Jump(pub i64);

impl FromStr for Jump {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sign, span) = text.strip_prefix('-').map_or((1, text), |span| (-1, span));
        let micros = span.parse::<Span>()?.0;
        Ok(Self(sign * i64::try_from(micros).expect("a span is at most a day")))
    }
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { "-" } else { "" }, Span(self.0.unsigned_abs()))
    }
}

as_text!(Name);
as_text!(Target);
as_text!(Jump);

/// Something that happens at a given time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct Step {
    /// When.
    pub at: Span,
    /// What.
    pub act: Act,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A node crashes, now or after an effect of a turn.
    Crash(Target, Option<u32>),
    /// A node boots.
    Restart(Target),
    /// A node takes no turns.
    Pause(Target),
    /// A node goes on.
    Resume(Target),
    /// Links in this direction carry nothing.
    Cut(Vec<Name>, Vec<Name>),
    /// Links in this direction carry again; every link, if both lists are empty.
    Heal(Vec<Name>, Vec<Name>),
    /// Only members of one group reach each other.
    Partition(Vec<Vec<Name>>),
    /// A node and the next so many others are cut off from the other nodes.
    Isolate(Target, u32),
    /// A clock is set: it jumps, and has this drift in parts per million.
    Clock(Target, Jump, i32),
    /// A node's clock jumps to its alarm.
    Timeout(Target),
}

/// A step as it stands in a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    at: Span,
    r#do: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effect: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Vec<Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Vec<Name>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Vec<Name>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    with: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jump: Option<Jump>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<i32>,
}

/// Every `do`, with the keys that it must have and those that it may have.
const VERBS: &[(&str, &[&str], &[&str])] = &[
    ("crash", &["node"], &["effect"]),
    ("restart", &["node"], &[]),
    ("pause", &["node"], &[]),
    ("resume", &["node"], &[]),
    ("cut", &["from", "to"], &[]),
    ("heal", &[], &["from", "to"]),
    ("partition", &["groups"], &[]),
    ("isolate", &["node"], &["with"]),
    ("clock", &["node"], &["jump", "drift"]),
    ("timeout", &["node"], &[]),
];

impl Table {
    fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("node", self.node.is_some()),
            ("effect", self.effect.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
            ("groups", self.groups.is_some()),
            ("with", self.with.is_some()),
            ("jump", self.jump.is_some()),
            ("drift", self.drift.is_some()),
        ];
        keys.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }
}

impl TryFrom<Table> for Step {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let verb = table.r#do.as_str();
        let Some((_, must, may)) = VERBS.iter().find(|(known, ..)| *known == verb) else {
            let known: Vec<_> = VERBS.iter().map(|(known, ..)| *known).collect();
            return Err(format!("there is no step {verb:?}; there are {}", known.join(", ")));
        };
        let given = table.given();
        if let Some(missing) = must.iter().find(|key| !given.contains(key)) {
            return Err(format!("the step {verb:?} needs a {missing:?}"));
        }
        if let Some(extra) = given.iter().find(|key| !must.contains(key) && !may.contains(key)) {
            return Err(format!("the step {verb:?} takes no {extra:?}"));
        }
        if verb == "heal" && table.from.is_some() != table.to.is_some() {
            return Err("the step \"heal\" takes both \"from\" and \"to\", or neither".into());
        }
        let node = table.node.unwrap_or(Target::Leader);
        let (from, to) = (table.from.unwrap_or_default(), table.to.unwrap_or_default());
        let act = match verb {
            "crash" => Act::Crash(node, table.effect),
            "restart" => Act::Restart(node),
            "pause" => Act::Pause(node),
            "resume" => Act::Resume(node),
            "cut" => Act::Cut(from, to),
            "heal" => Act::Heal(from, to),
            "partition" => Act::Partition(table.groups.unwrap_or_default()),
            "isolate" => Act::Isolate(node, table.with.unwrap_or(0)),
            "clock" => Act::Clock(node, table.jump.unwrap_or_default(), table.drift.unwrap_or(0)),
            _ => Act::Timeout(node),
        };
        Ok(Self { at: table.at, act })
    }
}

impl From<Step> for Table {
    fn from(Step { at, act }: Step) -> Self {
        let verb = |verb: &str| Self { at, r#do: verb.into(), ..Self::default() };
        let of = |name: &str, node: Target| Self { node: Some(node), ..verb(name) };
        match act {
            Act::Crash(node, effect) => Self { effect, ..of("crash", node) },
            Act::Restart(node) => of("restart", node),
            Act::Pause(node) => of("pause", node),
            Act::Resume(node) => of("resume", node),
            Act::Cut(from, to) => Self { from: Some(from), to: Some(to), ..verb("cut") },
            Act::Heal(from, to) if from.is_empty() && to.is_empty() => verb("heal"),
            Act::Heal(from, to) => Self { from: Some(from), to: Some(to), ..verb("heal") },
            Act::Partition(groups) => Self { groups: Some(groups), ..verb("partition") },
            Act::Isolate(node, with) => Self { with: Some(with), ..of("isolate", node) },
            Act::Clock(node, jump, drift) => Self { jump: Some(jump), drift: Some(drift), ..of("clock", node) },
            Act::Timeout(node) => of("timeout", node),
        }
    }
}

impl Step {
    /// # Errors
    /// If it is about nodes or clients that there are not.
    pub(super) fn check(&self, nodes: NodeId, clients: ClientId) -> Result<(), String> {
        let name = |name: &Name| name.check(nodes, clients);
        match &self.act {
            Act::Crash(target, _)
            | Act::Restart(target)
            | Act::Pause(target)
            | Act::Resume(target)
            | Act::Isolate(target, _)
            | Act::Clock(target, ..)
            | Act::Timeout(target) => match target {
                Target::Node(node) => name(&Name(Endpoint::Node(*node))),
                Target::Leader | Target::Crashed => Ok(()),
            },
            Act::Cut(from, to) | Act::Heal(from, to) => from.iter().chain(to).try_for_each(name),
            Act::Partition(groups) => {
                let mut all: Vec<_> = groups.iter().flatten().collect();
                all.iter().try_for_each(|member| name(member))?;
                all.sort();
                match all.windows(2).find(|pair| pair[0] == pair[1]) {
                    Some(pair) => Err(format!("{} is in two groups", pair[0])),
                    None => Ok(()),
                }
            }
        }
    }
}
