//! What a step is about, as text: nodes and clients, messages, syncs, jumps of a clock.
//!
//! Each has one text that is written, and is read back as the same.

use crate::event::{ClientId, Endpoint, MessageName, NodeId};
use crate::units::{Span, as_text};
pub use crate::world::decider::Moment;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The name of a node or client in a file: `S1`, `C1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub Endpoint);

impl Name {
    /// # Errors
    /// If there is no such node or client.
    pub(crate) fn check(self, nodes: NodeId, clients: ClientId) -> Result<(), String> {
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

/// The name of a message in a file: `S1->S2#7`, the message of that number, from 0, on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message(pub MessageName);

impl FromStr for Message {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (link, n) = text.split_once('#')?;
            // Events are told with an arrow, which is hard to type.
            let (from, to) = link.split_once("->").or_else(|| link.split_once('→'))?;
            let (Name(from), Name(to)) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            Some(Self(MessageName { from, to, n: number(n)? }))
        };
        parse().ok_or_else(|| format!("is {text:?}, and should be a message such as \"S1->S2#7\""))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MessageName { from, to, n } = self.0;
        write!(f, "{from}->{to}#{n}")
    }
}

/// The name of a sync in a file: `S1.2#7`, the sync of that number, from 0, of the node's boot of that number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sync {
    /// Whose.
    pub node: NodeId,
    /// The boot that asks, from 1.
    pub boot: u32,
    /// Which of that boot's syncs, from 0.
    pub n: u64,
}

impl FromStr for Sync {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (whose, n) = text.split_once('#')?;
            let (node, boot) = whose.split_once('.')?;
            let Name(Endpoint::Node(node)) = node.parse().ok()? else { return None };
            let boot = number(boot)?.try_into().ok().filter(|boot| *boot > 0)?;
            Some(Self { node, boot, n: number(n)? })
        };
        parse().ok_or_else(|| format!("is {text:?}, and should be a sync such as \"S1.2#7\": node, boot, number"))
    }
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, boot, n } = self;
        write!(f, "S{node}.{boot}#{n}")
    }
}

/// A number written in digits alone.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// What of a node's unsynced writes is there when it boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survive {
    /// Nothing.
    None,
    /// All.
    All,
    /// All but the last one, which is torn: only the first half of its sectors is there.
    Torn,
    /// The last one alone: disks need not write in the order in which they were asked to.
    Last,
}

impl FromStr for Survive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "all" => Ok(Self::All),
            "torn" => Ok(Self::Torn),
            "last" => Ok(Self::Last),
            _ => Err(format!("is {text:?}, and should be \"none\", \"all\", \"torn\" or \"last\"")),
        }
    }
}

impl fmt::Display for Survive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::All => "all",
            Self::Torn => "torn",
            Self::Last => "last",
        })
    }
}

/// How each effect is written that a crash can come after, and what it is called in a sentence.
const MOMENTS: [(&str, &str, Moment); 6] = [
    ("send", "a message that it sends", Moment::Send(None)),
    ("reply", "an answer that it sends", Moment::Reply(None)),
    ("write", "a write", Moment::Write),
    ("truncate", "a cut of a file", Moment::Truncate),
    ("sync", "a sync that it asks for", Moment::Sync),
    ("alarm", "an alarm that it sets", Moment::Alarm),
];

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            if let Some((_, _, moment)) = MOMENTS.iter().find(|(word, ..)| *word == text) {
                return Some(*moment);
            }
            match text.split_once(" to ").map(|(word, to)| (word, to.parse())) {
                Some(("send", Ok(Name(Endpoint::Node(node))))) => Some(Self::Send(Some(node))),
                Some(("reply", Ok(Name(Endpoint::Client(client))))) => Some(Self::Reply(Some(client))),
                Some(_) => None,
                None => number(text)?.try_into().ok().map(Self::Nth),
            }
        };
        parse().ok_or_else(|| {
            let words = MOMENTS.map(|(word, ..)| format!("{word:?}")).join(", ");
            format!("is {text:?}, and should be the number of an effect, or {words}, \"send to S2\" or \"reply to C1\"")
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nth(nth) => write!(f, "{nth}"),
            Self::Send(Some(node)) => write!(f, "send to S{node}"),
            Self::Reply(Some(client)) => write!(f, "reply to C{client}"),
            named => f.write_str(MOMENTS.iter().find(|(.., moment)| moment == named).map_or("", |(word, ..)| word)),
        }
    }
}

impl Moment {
    /// What it is in a sentence.
    pub(crate) fn in_words(self) -> String {
        match (self, MOMENTS.iter().find(|(.., moment)| *moment == self)) {
            (Self::Send(Some(node)), _) => format!("a message that it sends to S{node}"),
            (Self::Reply(Some(client)), _) => format!("an answer that it sends to C{client}"),
            (_, Some((_, words, _))) => (*words).into(),
            (_, None) => format!("effect {self}"),
        }
    }
}

/// A number, or a text.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nth(nth) => nth.serialize(to),
            named => to.collect_str(named),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of an effect, or what it is, such as \"sync\"")
            }

            fn visit_u64<E: de::Error>(self, nth: u64) -> Result<Moment, E> {
                nth.to_string().parse().map_err(|what| E::custom(format!("it {what}")))
            }

            fn visit_i64<E: de::Error>(self, nth: i64) -> Result<Moment, E> {
                nth.to_string().parse().map_err(|what| E::custom(format!("it {what}")))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map_err(|what| E::custom(format!("it {what}")))
            }
        }

        from.deserialize_any(Either)
    }
}

as_text!(Message);
as_text!(Sync);
as_text!(Survive);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        assert_eq!("S1->S2#7".parse::<Message>().unwrap().to_string(), "S1->S2#7");
        assert_eq!("C1→S2#0".parse::<Message>().unwrap().to_string(), "C1->S2#0");
        assert_eq!("S3.2#14".parse::<Sync>().unwrap().to_string(), "S3.2#14");
        for text in ["none", "all", "torn", "last"] {
            assert_eq!(text.parse::<Survive>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_moment_is_a_number_or_an_effect() {
        for text in ["0", "17", "send", "send to S3", "reply", "reply to C2", "write", "truncate", "sync", "alarm"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "4294967296", "send to C1", "reply to S1", "sync to S1", "note"] {
            let wrong = text.parse::<Moment>().unwrap_err();
            assert!(wrong.contains("should be the number of an effect, or \"send\", "), "{wrong}");
        }
        assert_eq!(Moment::Nth(3).in_words(), "effect 3");
        assert_eq!(Moment::Send(Some(3)).in_words(), "a message that it sends to S3");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "S1", "S1->S2", "S1->#1", "S0->S2#1", "S1->S2#+1", "S1->S2#", "S1-S2#1"] {
            let wrong = text.parse::<Message>().unwrap_err();
            assert_eq!(wrong, format!("is {text:?}, and should be a message such as \"S1->S2#7\""));
        }
        for text in ["", "S1#1", "C1.1#1", "S1.0#1", "S1.1#", "S1.1#-1"] {
            assert!(text.parse::<Sync>().is_err(), "{text}");
        }
    }
}
