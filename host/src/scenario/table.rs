//! A step as it stands in a file: a table of keys, which are there or not, and what they make of a verb.
//!
//! All that is known of verbs is the table [`VERBS`]; of keys, the list in [`keys!`]. Links pack steps by the same two
//! (see [`link`](crate::link)), so both are only ever added to, at their ends.

mod asked;
mod damage;
mod words;

use super::act::{Act, Ask, Later, Mail, Question, Syncs};
use super::name::{Jump, Message, Moment, Name, Survive, Sync, Target};
use super::pack::{Pack, Reader};
use super::step::{Step, When};
use crate::event::{Alteration, ClientId, Endpoint, NodeId};
use crate::fact::Fact;
use crate::units::Span;
use serde::{Deserialize, Serialize};
use words::Words;

/// Makes the table of the keys that a step may have beside `at`, `after` and `do`.
macro_rules! keys {
    ($($key:ident: $type:ty,)*) => {
        /// A step as it stands in a file.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Table {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            at: Option<Span>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            after: Option<u64>,
            r#do: String,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $key: Option<$type>,
            )*
        }

        impl Table {
            /// The keys that are there, but for those that say when.
            fn given(&self) -> Vec<&'static str> {
                let keys = [$((stringify!($key), self.$key.is_some())),*];
                keys.into_iter().filter(|(key, given)| *given && !WHEN.contains(key)).map(|(key, _)| key).collect()
            }

            /// The same, with their values in words.
            fn words(&self) -> Vec<(&'static str, String)> {
                let words = [$((stringify!($key), self.$key.as_ref().map(Words::words))),*];
                let there = words.into_iter().filter_map(|(key, words)| Some((key, words?)));
                there.filter(|(key, _)| !WHEN.contains(key)).collect()
            }

            /// Packs which keys are there, and then their values.
            fn pack_keys(&self, out: &mut Vec<u8>) {
                let there = [$(self.$key.is_some()),*];
                let mask = there.iter().rev().fold(0_u64, |mask, there| mask << 1 | u64::from(*there));
                mask.pack(out);
                $(if let Some(value) = &self.$key { value.pack(out); })*
            }

            /// What [`pack_keys`](Self::pack_keys) packed.
            fn unpack_keys(&mut self, from: &mut Reader<'_>) -> Option<()> {
                let mut mask = u64::unpack(from)?;
                $(
                    if mask & 1 == 1 {
                        self.$key = Some(Pack::unpack(from)?);
                    }
                    mask >>= 1;
                )*
                (mask == 0).then_some(())
            }
        }
    };
}

keys! {
    node: Target,
    effect: Moment,
    from: Vec<Name>,
    to: Vec<Name>,
    groups: Vec<Vec<Name>>,
    with: u32,
    jump: Jump,
    drift: i32,
    survive: Survive,
    message: Message,
    by: Span,
    until: Span,
    offset: u32,
    xor: u8,
    sync: Sync,
    client: Name,
    ask: String,
    key: String,
    value: String,
    expect: String,
    amount: i64,
    nodes: Vec<Target>,
    voters: Vec<Name>,
    learners: Vec<Name>,
    gone: Vec<Name>,
    mode: String,
    file: u32,
    other: Target,
    then: Span,
    once: Fact,
    that: Fact,
    answer: String,
}

/// The keys that say when a step is taken, beside `at` and `after`.
const WHEN: &[&str] = &["then", "once"];

/// From whom, and to whom.
type Ends = (Vec<Name>, Vec<Name>);

/// Every `do`, with the keys that it must have and those that it may have.
const VERBS: &[(&str, &[&str], &[&str])] = &[
    ("crash", &["node"], &["effect"]),
    ("restart", &["node"], &["survive"]),
    ("pause", &["node"], &[]),
    ("resume", &["node"], &[]),
    ("cut", &["from", "to"], &[]),
    ("heal", &[], &["from", "to"]),
    ("partition", &["groups"], &[]),
    ("isolate", &["node"], &["with"]),
    ("clock", &["node"], &["jump", "drift"]),
    ("timeout", &["node"], &[]),
    ("hold", &[], &["message", "from", "to"]),
    ("release", &[], &["from", "to"]),
    ("deliver", &["message"], &[]),
    ("drop", &["message"], &[]),
    ("delay", &[], &["message", "from", "to", "by", "until"]),
    ("duplicate", &["message"], &["by", "until"]),
    ("alter", &["message", "offset", "xor"], &[]),
    ("stall", &[], &["sync", "node"]),
    ("complete", &[], &["sync", "node"]),
    ("fail", &[], &["sync", "node"]),
    ("request", &["client", "ask", "key"], &["value", "expect", "amount", "mode", "node", "answer"]),
    ("elect", &["node"], &[]),
    ("split-vote", &["nodes"], &[]),
    ("transfer", &["node"], &["client", "answer"]),
    ("members", &[], &["voters", "learners", "gone", "client", "node", "answer"]),
    ("compact", &["node"], &["client", "answer"]),
    ("rot", &["node"], &["file", "offset", "xor"]),
    ("wipe", &["node"], &[]),
    ("swap", &["node", "other"], &[]),
    ("lie", &["node"], &[]),
    ("honest", &["node"], &[]),
    ("fill", &["node"], &[]),
    ("free", &["node"], &[]),
    ("fail-write", &["node"], &[]),
    ("misdirect", &["node"], &[]),
    ("expect", &["that"], &[]),
];

/// What is wrong with the keys that are given, if any is missing or too many.
fn misfit(what: &str, given: &[&str], must: &[&str], may: &[&str]) -> Result<(), String> {
    if let Some(missing) = must.iter().find(|key| !given.contains(key)) {
        return Err(format!("{what} needs {} {missing:?}", article(missing)));
    }
    if let Some(extra) = given.iter().find(|key| !must.contains(key) && !may.contains(key)) {
        return Err(format!("{what} takes no {extra:?}"));
    }
    Ok(())
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'o', 'x']) { "an" } else { "a" }
}

impl Table {
    /// The one or the other of two keys, or of a key and a pair.
    fn either<T>(&self, one: &str, other: &str, found: [Option<T>; 2]) -> Result<T, String> {
        let verb = &self.r#do;
        match found {
            [Some(found), None] | [None, Some(found)] => Ok(found),
            [Some(_), Some(_)] => Err(format!("the step {verb:?} takes {one} or {other}, and not both")),
            [None, None] => Err(format!("the step {verb:?} needs {one} or {other}")),
        }
    }

    fn when(&self) -> Result<When, String> {
        let found = [
            self.at.map(When::At),
            self.after.map(When::After),
            self.then.map(When::Then),
            self.once.clone().map(When::Once),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(when), None) => Ok(when),
            (None, _) => {
                Err(format!("the step {:?} needs an \"at\", an \"after\", a \"then\" or a \"once\"", self.r#do))
            }
            (Some(_), Some(_)) => {
                Err(format!("the step {:?} takes one of \"at\", \"after\", \"then\" and \"once\"", self.r#do))
            }
        }
    }

    /// `from` and `to`, which stand together or not at all.
    fn links(&self) -> Result<Option<Ends>, String> {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => Ok(Some((from.clone(), to.clone()))),
            (None, None) => Ok(None),
            _ => Err(format!("the step {:?} takes both \"from\" and \"to\", or neither", self.r#do)),
        }
    }

    fn mail(&self) -> Result<Mail, String> {
        let links = self.links()?.map(|(from, to)| Mail::Links(from, to));
        self.either("a \"message\"", "both \"from\" and \"to\"", [self.message.map(Mail::from), links])
    }

    fn syncs(&self) -> Result<Syncs, String> {
        self.either("a \"sync\"", "a \"node\"", [self.sync.map(Syncs::One), self.node.map(Syncs::Of)])
    }

    fn later(&self) -> Result<Later, String> {
        self.either("a \"by\"", "an \"until\"", [self.by.map(Later::By), self.until.map(Later::Until)])
    }

    /// The client that asks something of no key: C1, if nothing is said.
    fn asking_client(&self, mistake: &str) -> Result<ClientId, String> {
        match self.client {
            None => Ok(1),
            Some(Name(Endpoint::Client(client))) => Ok(client),
            Some(Name(Endpoint::Node(_))) => Err(mistake.into()),
        }
    }

    /// What the step does to nodes and links. The keys that a verb must have are there.
    fn of_the_cluster(&self) -> Result<Option<Act>, String> {
        let node = self.node.unwrap_or(Target::Leader);
        Ok(Some(match self.r#do.as_str() {
            "crash" => Act::Crash(node, self.effect),
            "restart" => Act::Restart(node, self.survive),
            "pause" => Act::Pause(node),
            "resume" => Act::Resume(node),
            "cut" => Act::Cut(self.from.clone().unwrap_or_default(), self.to.clone().unwrap_or_default()),
            "heal" => {
                let (from, to) = self.links()?.unwrap_or_default();
                Act::Heal(from, to)
            }
            "partition" => Act::Partition(self.groups.clone().unwrap_or_default()),
            "isolate" => Act::Isolate(node, self.with.unwrap_or(0)),
            "clock" => Act::Clock(node, self.jump.unwrap_or_default(), self.drift.unwrap_or(0)),
            "timeout" => Act::Timeout(node),
            "elect" => Act::Elect(node),
            "split-vote" => Act::SplitVote(self.nodes.clone().unwrap_or_default()),
            "expect" => Act::Expect(self.that.clone().ok_or("a fact is expected")?),
            _ => return Ok(self.damage()?.map(|damage| Act::Disk(node, damage))),
        }))
    }

    /// What the step does to messages, syncs and clients.
    fn of_the_mail(&self) -> Result<Act, String> {
        let message = || self.message.map(|Message(name)| name).ok_or("a message is named");
        Ok(match self.r#do.as_str() {
            "hold" => Act::Hold(self.mail()?),
            "release" => {
                let (from, to) = self.links()?.unwrap_or_default();
                Act::Release(from, to)
            }
            "deliver" => Act::Deliver(message()?),
            "drop" => Act::Drop(message()?),
            "delay" => match (self.mail()?, self.later()?) {
                (Mail::Links(..), Later::Until(_)) => {
                    return Err("the step \"delay\" takes no \"until\" with links, only \"by\"".into());
                }
                (mail, later) => Act::Delay(mail, later),
            },
            "duplicate" if self.by.is_none() && self.until.is_none() => {
                Act::Duplicate(message()?, Later::By(Span::default()))
            }
            "duplicate" => Act::Duplicate(message()?, self.later()?),
            "alter" => {
                let (offset, xor) = (self.offset.unwrap_or_default(), self.xor.unwrap_or_default());
                if xor == 0 {
                    return Err("xor is 0, which changes nothing".into());
                }
                Act::Alter(message()?, Alteration { offset, xor })
            }
            "stall" => Act::Stall(self.syncs()?),
            "complete" => Act::Complete(self.syncs()?),
            "fail" => Act::Fail(self.syncs()?),
            "members" => {
                let client = self.asking_client("a client asks for other members, such as client = \"C1\"")?;
                let nodes = |names: &Option<Vec<Name>>| {
                    let node = |Name(endpoint): &Name| match endpoint {
                        Endpoint::Node(id) => Ok(*id),
                        Endpoint::Client(_) => Err(format!("{endpoint} is no node")),
                    };
                    names.iter().flatten().map(node).collect::<Result<Vec<_>, _>>()
                };
                let [voters, learners, gone] = [nodes(&self.voters)?, nodes(&self.learners)?, nodes(&self.gone)?];
                if voters.is_empty() && learners.is_empty() && gone.is_empty() {
                    return Err("the step \"members\" needs \"voters\", \"learners\" or \"gone\"".into());
                }
                Act::Request(client, self.cluster_asked(Question::Members { voters, learners, gone }), self.node)
            }
            "compact" => {
                let client = self.asking_client("a client asks for a snapshot, such as client = \"C1\"")?;
                Act::Request(client, self.cluster_asked(Question::Compact), self.node)
            }
            "transfer" => {
                let mistake = "a client asks that a node leads, such as client = \"C1\" and node = \"S3\"";
                let client = self.asking_client(mistake)?;
                let Some(Target::Node(to)) = self.node else { return Err(mistake.into()) };
                Act::Request(client, self.cluster_asked(Question::Transfer(to)), None)
            }
            _ => match self.client {
                Some(Name(Endpoint::Client(client))) => Act::Request(client, self.asked()?, self.node),
                _ => return Err("a request is a client's, such as client = \"C1\"".into()),
            },
        })
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
        misfit(&format!("the step {verb:?}"), &table.given(), must, may)?;
        let when = table.when()?;
        let act = match table.of_the_cluster()? {
            Some(act) => act,
            None => table.of_the_mail()?,
        };
        Ok(Self { when, act })
    }
}

impl From<Step> for Table {
    fn from(Step { when, act }: Step) -> Self {
        let table = Self::of(act);
        match when {
            When::At(at) => Self { at: Some(at), ..table },
            When::After(events) => Self { after: Some(events), ..table },
            When::Then(span) => Self { then: Some(span), ..table },
            When::Once(fact) => Self { once: Some(fact), ..table },
        }
    }
}

impl Table {
    /// The verb and keys of an act.
    fn of(act: Act) -> Self {
        let verb = |verb: &str| Self { r#do: verb.into(), ..Self::default() };
        let of = |name: &str, node: Target| Self { node: Some(node), ..verb(name) };
        let links = |name: &str, from, to| Self { from: Some(from), to: Some(to), ..verb(name) };
        match act {
            Act::Crash(node, effect) => Self { effect, ..of("crash", node) },
            Act::Restart(node, survive) => Self { survive, ..of("restart", node) },
            Act::Pause(node) => of("pause", node),
            Act::Resume(node) => of("resume", node),
            Act::Cut(from, to) => links("cut", from, to),
            Act::Heal(from, to) if from.is_empty() && to.is_empty() => verb("heal"),
            Act::Heal(from, to) => links("heal", from, to),
            Act::Partition(groups) => Self { groups: Some(groups), ..verb("partition") },
            Act::Isolate(node, with) => Self { with: Some(with), ..of("isolate", node) },
            Act::Clock(node, jump, drift) => Self { jump: Some(jump), drift: Some(drift), ..of("clock", node) },
            Act::Timeout(node) => of("timeout", node),
            Act::Elect(node) => of("elect", node),
            Act::SplitVote(nodes) => Self { nodes: Some(nodes), ..verb("split-vote") },
            Act::Disk(node, damage) => Self { node: Some(node), ..Self::of_damage(damage) },
            Act::Expect(that) => Self { that: Some(that), ..verb("expect") },
            Act::Release(from, to) if from.is_empty() && to.is_empty() => verb("release"),
            Act::Release(from, to) => links("release", from, to),
            Act::Hold(mail) => verb("hold").mailed(mail),
            Act::Deliver(one) => verb("deliver").mailed(Mail::One(one)),
            Act::Drop(one) => verb("drop").mailed(Mail::One(one)),
            Act::Delay(mail, later) => verb("delay").mailed(mail).timed(later),
            Act::Duplicate(one, later) => verb("duplicate").mailed(Mail::One(one)).timed(later),
            Act::Alter(one, Alteration { offset, xor }) => {
                Self { offset: Some(offset), xor: Some(xor), ..verb("alter").mailed(Mail::One(one)) }
            }
            Act::Stall(syncs) => verb("stall").synced(syncs),
            Act::Complete(syncs) => verb("complete").synced(syncs),
            Act::Fail(syncs) => verb("fail").synced(syncs),
            Act::Request(client, Ask { what: Question::Members { voters, learners, gone }, answer, .. }, node) => {
                let names = |nodes: Vec<NodeId>| {
                    let names: Vec<_> = nodes.into_iter().map(|id| Name(Endpoint::Node(id))).collect();
                    Some(names).filter(|names| !names.is_empty())
                };
                Self {
                    client: Some(Name(Endpoint::Client(client))),
                    voters: names(voters),
                    learners: names(learners),
                    gone: names(gone),
                    node,
                    answer,
                    ..verb("members")
                }
            }
            Act::Request(client, Ask { what: Question::Transfer(to), answer, .. }, _) => {
                Self { client: Some(Name(Endpoint::Client(client))), answer, ..of("transfer", Target::Node(to)) }
            }
            Act::Request(client, Ask { what: Question::Compact, answer, .. }, node) => {
                Self { client: Some(Name(Endpoint::Client(client))), node, answer, ..verb("compact") }
            }
            Act::Request(client, ask, node) => {
                Self { client: Some(Name(Endpoint::Client(client))), node, ..verb("request").asking(ask) }
            }
        }
    }

    fn mailed(self, mail: Mail) -> Self {
        match mail {
            Mail::One(one) => Self { message: Some(Message(one)), ..self },
            Mail::Links(from, to) => Self { from: Some(from), to: Some(to), ..self },
        }
    }

    fn timed(self, later: Later) -> Self {
        match later {
            Later::By(by) => Self { by: Some(by), ..self },
            Later::Until(until) => Self { until: Some(until), ..self },
        }
    }

    fn synced(self, syncs: Syncs) -> Self {
        match syncs {
            Syncs::One(sync) => Self { sync: Some(sync), ..self },
            Syncs::Of(node) => Self { node: Some(node), ..self },
        }
    }

    /// The verb and what it is about, in a few words.
    pub(super) fn sentence(&self) -> String {
        self.words().into_iter().fold(self.r#do.clone(), |sentence, (key, words)| match key {
            "node" | "message" | "sync" | "client" | "ask" | "key" | "groups" | "nodes" | "that" => {
                sentence + " " + &words
            }
            _ => sentence + " " + key + " " + &words,
        })
    }

    /// Packs it behind others, whose last times (by `at`, by `after`) are `before`.
    pub(crate) fn pack(&self, before: &mut [u64; 2], out: &mut Vec<u8>) {
        let verb = VERBS.iter().position(|(known, ..)| *known == self.r#do).expect("every act has a verb") as u64;
        let after = usize::from(self.after.is_some());
        (verb << 1 | after as u64).pack(out);
        // A step that waits for the one before it has no time, and packs as if it had the last one.
        let time = self.after.or(self.at.map(|at| at.0)).unwrap_or(before[after]);
        // Steps usually come one after the other, so that what is between them is a small number.
        time.wrapping_sub(before[after]).cast_signed().pack(out);
        before[after] = time;
        self.pack_keys(out);
    }

    /// What [`pack`](Self::pack) packed.
    pub(crate) fn unpack(before: &mut [u64; 2], from: &mut Reader<'_>) -> Option<Self> {
        let kind = u64::unpack(from)?;
        let (verb, after) = (VERBS.get(usize::try_from(kind >> 1).ok()?)?.0, kind & 1 == 1);
        let last = &mut before[usize::from(after)];
        *last = last.wrapping_add(i64::unpack(from)?.cast_unsigned());
        let mut table = Self { r#do: verb.into(), ..Self::default() };
        if after {
            table.after = Some(*last);
        } else {
            table.at = Some(Span(*last)).filter(|at| *at <= Span::MAX);
        }
        table.unpack_keys(from)?;
        if table.then.is_some() || table.once.is_some() {
            table.at = None;
        }
        Some(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::GUIDE;

    #[test]
    fn every_step_and_every_key_has_an_example_in_the_guide() {
        for (verb, must, may) in VERBS {
            let example = |block: &&str| block.contains(&format!("do = {verb:?}\n"));
            assert!(GUIDE.split("[[step]]").any(|block| example(&block)), "{verb} has no example");
            for key in must.iter().chain(*may) {
                // A key may be named where another stands that it can take the place of.
                let named = [format!("\n{key} = "), format!("{key} = \""), format!("`{key}`"), format!("\"{key}\"")];
                assert!(named.iter().any(|named| GUIDE.contains(named)), "{verb} {key}");
            }
        }
        for (ask, ..) in asked::ASKS {
            assert!(GUIDE.contains(&format!("ask = {ask:?}\n")), "{ask} has no example");
        }
    }
}
