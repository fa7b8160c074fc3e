//! Facts: what a scenario says of its run, in a line that a person can read and a run can be asked.
//!
//! A fact is a quantity, how it compares, and a value: `winner of term 5 = S5`, `commit of S1 >= 3`. Scenarios wait for
//! facts (a step's `once`), state them at a moment (the step `expect`), and state what is so in the end (`[expect]`).
//!
//! The [guide](crate::scenario::GUIDE) lists what can be asked.

mod facts;

use crate::event::{ClientId, Endpoint, NodeId};
use crate::scenario::step::Name;
use crate::units::{Span, as_text};
pub use facts::Facts;
use std::fmt;
use std::str::FromStr;

/// What can be known of a run at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Who became the leader of that term.
    Winner(u64),
    /// How often somebody became a leader.
    Elections,
    /// Of a node.
    Node(OfNode, NodeId),
    /// The term of an entry of a node's log.
    Entry(u64, NodeId),
    /// What a client's last operation returned.
    Answer(ClientId),
    /// For how long nobody led.
    Leaderless,
}

/// What can be known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfNode {
    /// Its term.
    Term,
    /// What it is.
    Role,
    /// Whom it takes for the leader.
    Leader,
    /// The index of its last entry.
    Log,
    /// Its commit index.
    Commit,
    /// Up to where it has applied.
    Applied,
    /// How often it was refused a vote.
    VotesRefused,
    /// How often it refused an append.
    AppendsRefused,
    /// How often it refused what a client asked.
    RequestsRefused,
    /// How many entries it took off its log.
    Dropped,
    /// How often it installed a snapshot.
    Installed,
}

/// What stands before a node's name.
const OF_NODE: &[(&str, OfNode)] = &[
    ("term of", OfNode::Term),
    ("role of", OfNode::Role),
    ("leader of", OfNode::Leader),
    ("log of", OfNode::Log),
    ("commit of", OfNode::Commit),
    ("applied of", OfNode::Applied),
    ("votes refused to", OfNode::VotesRefused),
    ("appends refused by", OfNode::AppendsRefused),
    ("requests refused by", OfNode::RequestsRefused),
    ("entries dropped by", OfNode::Dropped),
    ("snapshots installed by", OfNode::Installed),
];

/// What a node can be, by role or for want of one.
const ROLES: &[&str] = &["leader", "follower", "candidate", "pre-candidate", "learner", "down", "paused"];

/// What a quantity is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A time.
    Time(Span),
    /// A node; `None` for nobody.
    Node(Option<NodeId>),
    /// A word, or what a client was answered.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(span) => write!(f, "{span}"),
            Self::Node(Some(node)) => write!(f, "S{node}"),
            Self::Node(None) => f.write_str("nobody"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Winner(term) => write!(f, "winner of term {term}"),
            Self::Elections => f.write_str("elections"),
            Self::Node(what, node) => {
                let (words, _) = OF_NODE.iter().find(|(_, known)| known == what).expect("the table has all");
                write!(f, "{words} S{node}")
            }
            Self::Entry(index, node) => write!(f, "entry {index} of S{node}"),
            Self::Answer(client) => write!(f, "answer to C{client}"),
            Self::Leaderless => f.write_str("time without a leader"),
        }
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let node = |text: &str| match text.parse() {
            Ok(Name(Endpoint::Node(node))) => Ok(node),
            _ => Err(format!("{text:?} should be a node such as S1")),
        };
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} should be a number"));
        if let Some(term) = text.strip_prefix("winner of term ") {
            return Ok(Self::Winner(number(term)?));
        }
        if let Some((index, of)) = text.strip_prefix("entry ").and_then(|rest| rest.split_once(" of ")) {
            return Ok(Self::Entry(number(index)?, node(of)?));
        }
        if let Some(client) = text.strip_prefix("answer to ") {
            return match client.parse() {
                Ok(Name(Endpoint::Client(client))) => Ok(Self::Answer(client)),
                _ => Err(format!("{client:?} should be a client such as C1")),
            };
        }
        let of_node = |(words, what): &(&str, OfNode)| Some((*what, text.strip_prefix(words)?.strip_prefix(' ')?));
        match (text, OF_NODE.iter().find_map(of_node)) {
            (_, Some((what, of))) => Ok(Self::Node(what, node(of)?)),
            ("elections", _) => Ok(Self::Elections),
            ("time without a leader", _) => Ok(Self::Leaderless),
            _ => Err(format!(
                "{text:?} is nothing that can be known of a run; such is \"winner of term 5\", \"commit of S1\" or \
                 \"answer to C1\""
            )),
        }
    }
}

impl Quantity {
    /// What the text of a value of it means.
    fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Winner(_) | Self::Node(OfNode::Leader, _) => match (text, text.parse()) {
                ("nobody", _) => Ok(Value::Node(None)),
                (_, Ok(Name(Endpoint::Node(node)))) => Ok(Value::Node(Some(node))),
                _ => Err(format!("{text:?} should be a node such as S1, or nobody")),
            },
            Self::Node(OfNode::Role, _) if ROLES.contains(&text) => Ok(Value::Text(text.into())),
            Self::Node(OfNode::Role, _) => Err(format!("{text:?} is no role; there are {}", ROLES.join(", "))),
            Self::Answer(_) => Ok(Value::Text(text.into())),
            Self::Leaderless => text.parse().map(Value::Time).map_err(|what| format!("the time {what}")),
            _ => text.parse().map(Value::Number).map_err(|_| format!("{text:?} should be a number")),
        }
    }

    /// Whether one is more than another.
    fn is_ordered(self) -> bool {
        !matches!(self, Self::Winner(_) | Self::Answer(_) | Self::Node(OfNode::Role | OfNode::Leader, _))
    }

    /// Nodes and clients that it is about.
    fn names(self) -> Option<Name> {
        match self {
            Self::Node(_, node) | Self::Entry(_, node) => Some(Name(Endpoint::Node(node))),
            Self::Answer(client) => Some(Name(Endpoint::Client(client))),
            Self::Winner(_) | Self::Elections | Self::Leaderless => None,
        }
    }
}

/// How a quantity compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Other,
    AtMost,
    AtLeast,
    Less,
    More,
}

/// Every relation as it is written; those of two letters first, or their first letter would be taken for one.
const RELATIONS: &[(&str, Relation)] = &[
    ("!=", Relation::Other),
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

/// What is so at a moment, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    quantity: Quantity,
    relation: Relation,
    value: Value,
}

impl Fact {
    /// That the client's last operation returned this.
    pub(crate) fn of_answer(client: ClientId, answer: &str) -> Self {
        Self { quantity: Quantity::Answer(client), relation: Relation::Equal, value: Value::Text(answer.into()) }
    }

    /// What the quantity is now, and whether the fact is so.
    #[must_use]
    pub fn ask(&self, facts: &Facts) -> (Value, bool) {
        let is = facts.value(self.quantity);
        let so = match self.relation {
            Relation::Equal => is == self.value,
            Relation::Other => is != self.value,
            Relation::AtMost => is <= self.value,
            Relation::AtLeast => is >= self.value,
            Relation::Less => is < self.value,
            Relation::More => is > self.value,
        };
        (is, so)
    }

    /// # Errors
    /// If it is about nodes or clients that there are not.
    pub fn check(&self, nodes: NodeId, clients: ClientId) -> Result<(), String> {
        let winner = match self.value {
            Value::Node(Some(node)) => Some(Name(Endpoint::Node(node))),
            _ => None,
        };
        self.quantity.names().into_iter().chain(winner).try_for_each(|name| name.check(nodes, clients))
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, _) = RELATIONS.iter().find(|(_, known)| *known == self.relation).expect("the table has all");
        write!(f, "{} {sign} {}", self.quantity, self.value)
    }
}

impl FromStr for Fact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '!', '<', '>']);
        let found = at.and_then(|at| {
            let (quantity, rest) = text.split_at(at);
            let sign = RELATIONS.iter().find_map(|(sign, relation)| Some((*relation, rest.strip_prefix(sign)?)));
            sign.map(|(relation, value)| (quantity.trim(), relation, value.trim()))
        });
        let (quantity, relation, value) = found.ok_or_else(|| {
            format!("is {text:?}, and should be a quantity, a comparison and a value, such as \"commit of S1 >= 3\"")
        })?;
        let quantity: Quantity = quantity.parse().map_err(|what| format!("is {text:?}: {what}"))?;
        if !quantity.is_ordered() && !matches!(relation, Relation::Equal | Relation::Other) {
            return Err(format!("is {text:?}: {quantity} is not more or less than another, so write = or !="));
        }
        let value = quantity.read(value).map_err(|what| format!("is {text:?}: {what}"))?;
        Ok(Self { quantity, relation, value })
    }
}

as_text!(Fact);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let written = [
            "winner of term 5 = S5",
            "winner of term 2 = nobody",
            "elections >= 3",
            "entry 3 of S2 = 2",
            "commit of S1 < 4",
            "role of S1 != leader",
            "leader of S3 = nobody",
            "votes refused to S1 > 0",
            "appends refused by S2 = 6",
            "answer to C1 = by S5;",
            "time without a leader <= 1500ms",
        ];
        for text in written {
            assert_eq!(text.parse::<Fact>().unwrap().to_string(), text);
        }
        assert_eq!("commit of S1=3".parse::<Fact>().unwrap().to_string(), "commit of S1 = 3");
    }

    #[test]
    fn every_quantity_is_in_the_guide() {
        let others = ["winner of term 5", "elections", "entry 3 of S1", "answer to C1", "time without a leader"];
        let of_node = OF_NODE.iter().map(|(words, _)| format!("{words} S1"));
        for quantity in of_node.chain(others.map(str::to_owned)) {
            assert!(crate::scenario::GUIDE.contains(&format!("`{quantity}`")), "{quantity}");
        }
        assert!(ROLES.iter().all(|role| crate::scenario::GUIDE.contains(&format!("`{role}`"))));
    }

    #[test]
    fn what_is_no_fact_is_refused() {
        let wrong = |text: &str| text.parse::<Fact>().unwrap_err();
        assert!(wrong("commit of S1").contains("should be a quantity, a comparison and a value"));
        assert!(wrong("height of S1 = 3").contains("is nothing that can be known of a run"));
        assert!(wrong("commit of C1 = 3").contains("\"C1\" should be a node such as S1"));
        assert!(wrong("commit of S1 = three").contains("\"three\" should be a number"));
        assert!(wrong("role of S1 = king").contains("there are leader, follower"));
        assert!(wrong("winner of term 2 >= S1").contains("so write = or !="));
        assert!(wrong("commit of S1 ! 3").contains("should be a quantity"));
        assert!(wrong("time without a leader = long").contains("a number and a unit"));
    }

    #[test]
    fn it_is_about_whom_there_is() {
        let check = |text: &str| text.parse::<Fact>().unwrap().check(3, 1);
        assert_eq!(check("winner of term 2 = S3"), Ok(()));
        assert!(check("winner of term 2 = S4").unwrap_err().contains("there is no S4"));
        assert!(check("answer to C2 = x").unwrap_err().contains("there is no C2"));
    }
}
