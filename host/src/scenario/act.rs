//! What a step does.

use super::Scenario;
use super::name::{Jump, Message, Moment, Name, Survive, Sync, Target};
use crate::event::{Alteration, ClientId, Endpoint, MessageName, NodeId};
use crate::fact::Fact;
use crate::units::Span;
use raftbox_abi::note::ReadMode;

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A node crashes, now or at a moment within a turn.
    Crash(Target, Option<Moment>),
    /// A node boots. What survived is drawn, unless it is said.
    Restart(Target, Option<Survive>),
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
    /// A message, or all that would arrive on links in this direction, waits.
    Hold(Mail),
    /// What waits on links in this direction arrives, in order; all that waits anywhere, if both lists are empty.
    Release(Vec<Name>, Vec<Name>),
    /// A message arrives now.
    Deliver(MessageName),
    /// A message is lost.
    Drop(MessageName),
    /// A message arrives later, or all that is sent on links in this direction does.
    Delay(Mail, Later),
    /// A further copy of a message arrives, now or later.
    Duplicate(MessageName, Later),
    /// A byte of a message is changed in whatever copy arrives from now on.
    Alter(MessageName, Alteration),
    /// A sync, or every sync of a node, is not answered.
    Stall(Syncs),
    /// A sync is answered now; or a node's disk answers again, beginning with what stalled.
    Complete(Syncs),
    /// A sync, or the next of a node that is answered, fails.
    Fail(Syncs),
    /// A client asks something, after what it is asking now; of this node, or of whom it likes.
    Request(ClientId, Ask, Option<Target>),
    /// A node campaigns now, and nobody else does meanwhile.
    Elect(Target),
    /// Nodes campaign at the same time, and votes split among them so that none wins.
    SplitVote(Vec<Target>),
    /// Something befalls a node's disk.
    Disk(Target, Damage),
    /// Nothing happens, but this is to be so now.
    Expect(Fact),
}

/// What befalls a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A byte of what is durable changes: this one, or one that is drawn where the node can tell.
    Rot(Option<Place>),
    /// All that was on it is gone.
    Wipe,
    /// It is this node's from now on, and that node's is its.
    Swap(Target),
    /// It says of syncs that they are done, and keeps nothing; or it does no more.
    Lie(bool),
    /// It takes nothing more; or it does again.
    Fill(bool),
    /// The next write or truncate fails.
    FailWrite,
    /// The next write goes elsewhere.
    Misdirect,
}

/// A byte of a disk, and how it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of which file.
    pub file: u32,
    /// Which.
    pub offset: u32,
    /// What it is combined with, by exclusive or.
    pub xor: u8,
}

/// One message, or those of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// This one.
    One(MessageName),
    /// Those from any of these to any of those.
    Links(Vec<Name>, Vec<Name>),
}

/// One sync, or those of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    /// This one.
    One(Sync),
    /// Those of this node.
    Of(Target),
}

/// When something happens that does not happen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// So much later.
    By(Span),
    /// At that time of the run.
    Until(Span),
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Of which key.
    pub key: String,
    /// What of it.
    pub what: Question,
    /// What it is to be told: as in the fact `answer to C1`. Whoever reads the report is told whether it was.
    pub answer: Option<String>,
}

/// What a client asks of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its value, read in this mode.
    Get(ReadMode),
    /// To set it.
    Put(String),
    /// To remove it.
    Delete,
    /// To set it to the second if it holds the first, or if it is absent.
    CompareAndSet(Option<String>, String),
    /// To append to it.
    Append(String),
    /// To add to it.
    Increment(i64),
    /// Of no key: that the leader hands over to this node.
    Transfer(NodeId),
    /// Of no key: that the node that is asked takes a snapshot.
    Compact,
    /// Of no key: that these nodes vote, these learn without a vote, and these go.
    Members {
        /// Who is to vote.
        voters: Vec<NodeId>,
        /// Who is to learn.
        learners: Vec<NodeId>,
        /// Who is to go.
        gone: Vec<NodeId>,
    },
}

/// The ways to read, by what they are called.
pub(crate) const READ_MODES: [ReadMode; 4] = [ReadMode::Log, ReadMode::Index, ReadMode::Lease, ReadMode::Local];

/// The longest key or value that a step may ask with.
const TEXT_MAX: usize = 1024;

impl Damage {
    /// The other node that it is about, if there is one.
    fn other(self) -> Option<Target> {
        match self {
            Self::Swap(with) => Some(with),
            _ => None,
        }
    }
}

impl Ask {
    /// A question, to which any answer may come.
    #[must_use]
    pub fn new(key: &str, what: Question) -> Self {
        Self { key: key.into(), what, answer: None }
    }

    /// The nodes that it names.
    fn nodes(&self) -> Vec<NodeId> {
        match &self.what {
            Question::Transfer(to) => vec![*to],
            Question::Members { voters, learners, gone } => [&voters[..], learners, gone].concat(),
            _ => Vec::new(),
        }
    }

    /// The keys that the auditor reads are its own: what is asked of them must be what it can judge.
    fn check(&self, keys: u32) -> Result<(), String> {
        if let Question::Transfer(_) | Question::Compact | Question::Members { .. } = self.what {
            return Ok(());
        }
        let (key, long) = (&self.key, |text: &String| text.len() > TEXT_MAX);
        if key.is_empty() || long(key) {
            return Err(format!("the key should be 1 to {TEXT_MAX} bytes long"));
        }
        let values = match &self.what {
            Question::Put(value) | Question::Append(value) | Question::CompareAndSet(None, value) => vec![value],
            Question::CompareAndSet(Some(expect), value) => vec![expect, value],
            Question::Get(_)
            | Question::Delete
            | Question::Increment(_)
            | Question::Transfer(_)
            | Question::Compact
            | Question::Members { .. } => {
                vec![]
            }
        };
        if values.into_iter().any(long) {
            return Err(format!("a value should be at most {TEXT_MAX} bytes long"));
        }
        let last = keys - 1;
        let of_family = |family: char| {
            let number = key.strip_prefix(family).and_then(|number| number.parse::<u32>().ok());
            number.is_some_and(|number| number < keys && key[1..] == number.to_string())
        };
        match (key.as_bytes()[0], &self.what) {
            (_, Question::Get(_)) => Ok(()),
            (b'a', Question::Append(value)) if of_family('a') => {
                let token = value.strip_suffix(';').unwrap_or(value);
                if token.is_empty() || token.contains(';') {
                    return Err(format!("the value is {value:?}; one that is appended to {key:?} has no ; within"));
                }
                Ok(())
            }
            (b'a', _) => Err(format!(
                "key {key:?} begins with a, as those do that the auditor reads: a0 to a{last}, which only take \
                 \"append\"; choose a key such as \"x\""
            )),
            (b'c', Question::Increment(1..)) if of_family('c') => Ok(()),
            (b'c', _) => Err(format!(
                "key {key:?} begins with c, as those do that the auditor reads: c0 to c{last}, which only take \
                 \"increment\" by more than 0; choose a key such as \"x\""
            )),
            _ => Ok(()),
        }
    }
}

impl Act {
    /// What it says is to be so, now or when the client is answered.
    pub(crate) fn expects(&self) -> Option<Fact> {
        match self {
            Self::Expect(fact) => Some(fact.clone()),
            Self::Request(client, Ask { answer, .. }, _) => Some(Fact::of_answer(*client, answer.as_deref()?)),
            _ => None,
        }
    }

    /// # Errors
    /// If it is about nodes, clients or keys that there are not.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), String> {
        let (nodes, clients) = (scenario.nodes, scenario.clients.count);
        let name = |name: &Name| name.check(nodes, clients);
        let target = |target: &Target| match target {
            Target::Node(node) => name(&Name(Endpoint::Node(*node))),
            Target::Leader | Target::Crashed => Ok(()),
        };
        let links = |from: &[Name], to: &[Name]| from.iter().chain(to).try_for_each(name);
        // The auditor has messages too, which may be meddled with like any other.
        let message = |MessageName { from, to, .. }: &MessageName| {
            [*from, *to].into_iter().try_for_each(|end| Name(end).check(nodes, clients + 1))?;
            match (from, to) {
                (Endpoint::Client(_), Endpoint::Client(_)) => Err("clients do not talk to each other".to_owned()),
                _ => Ok(()),
            }
        };
        match self {
            Self::Crash(node, _)
            | Self::Restart(node, _)
            | Self::Pause(node)
            | Self::Resume(node)
            | Self::Isolate(node, _)
            | Self::Clock(node, ..)
            | Self::Timeout(node)
            | Self::Elect(node)
            | Self::Stall(Syncs::Of(node))
            | Self::Complete(Syncs::Of(node))
            | Self::Fail(Syncs::Of(node)) => target(node),
            Self::Disk(node, damage) => {
                let other = damage.other().unwrap_or(*node);
                [node, &other].into_iter().try_for_each(target)?;
                if damage.other() == Some(*node) { Err(format!("{node} has its own disk already")) } else { Ok(()) }
            }
            Self::Stall(Syncs::One(sync)) | Self::Complete(Syncs::One(sync)) | Self::Fail(Syncs::One(sync)) => {
                target(&Target::Node(sync.node))
            }
            Self::Cut(from, to)
            | Self::Heal(from, to)
            | Self::Release(from, to)
            | Self::Hold(Mail::Links(from, to))
            | Self::Delay(Mail::Links(from, to), _) => links(from, to),
            Self::Hold(Mail::One(one))
            | Self::Delay(Mail::One(one), _)
            | Self::Deliver(one)
            | Self::Drop(one)
            | Self::Duplicate(one, _)
            | Self::Alter(one, _) => message(one),
            Self::Partition(groups) => {
                groups.iter().flatten().try_for_each(name)?;
                twice(groups.iter().flatten()).map_or(Ok(()), |name| Err(format!("{name} is in two groups")))
            }
            Self::SplitVote(candidates) => {
                candidates.iter().try_for_each(target)?;
                let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
                match twice(names.iter()) {
                    Some(name) => Err(format!("{name} is named twice")),
                    None if names.len() < 2 => Err("a vote splits among two nodes or more".into()),
                    None => Ok(()),
                }
            }
            Self::Expect(fact) => fact.check(nodes, clients),
            Self::Request(client, ask, node) => {
                name(&Name(Endpoint::Client(*client)))?;
                node.iter().try_for_each(target)?;
                let meant = ask.nodes();
                meant.iter().try_for_each(|id| name(&Name(Endpoint::Node(*id))))?;
                if let Some(id) = twice(meant.iter()) {
                    return Err(format!("S{id} is named twice"));
                }
                ask.check(scenario.clients.keys)
            }
        }
    }
}

/// Something that is there twice.
fn twice<T: PartialEq>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = Vec::new();
    for one in all {
        if seen.contains(&one) {
            return Some(one);
        }
        seen.push(one);
    }
    None
}

/// One message as it stands in a file.
impl From<Message> for Mail {
    fn from(Message(name): Message) -> Self {
        Self::One(name)
    }
}
