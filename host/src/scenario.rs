//! Scenarios: what a run is to be like, as a TOML file.
//!
//! A [`Scenario`] names a cluster, a network, disks, clients, random faults and scripted [steps](step::Step). What a file
//! leaves out comes from its profile ([`calm`, `lossy` or `chaos`](PROFILES)), and a profile is itself such a file. Every
//! value is checked where it stands, so that a mistake is told with its line. The [guide](GUIDE) is the language for people.
//!
//! A resolved scenario, with nothing left to a default, is part of a run's header, and so of its digest.

mod act;
mod faults;
mod guide;
mod library;
mod mistake;
mod name;
pub(crate) mod pack;
pub mod step;
mod table;
mod variant;
mod version;

use crate::draw::Ratio;
use crate::expectation::Expect;
use crate::units::{Size, Span, Spans};
use faults::DRIFT_MAX;
pub use faults::{ClockFaults, Crashes, Faults, Flaps, Partitions, Rare, Recurring, Sites, Slows};
pub use guide::GUIDE;
pub use library::{LIBRARY, PROFILES, text_of};
pub use mistake::Mistake;
use mistake::{find, in_words, place, shown};
use serde::de::{self, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use step::{Step, When};
pub(crate) use table::Table;
pub(crate) use variant::whole;
pub use variant::{Variant, parted, variants};
pub use version::Version;

/// The highest number of nodes.
pub const NODES_MAX: u32 = 9;
/// The highest number of clients.
pub const CLIENTS_MAX: u32 = 64;

/// What a run is to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Its name, by which the command knows it.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub about: String,
    /// Where everything comes from that is not said.
    pub profile: String,
    /// How many nodes there are, S1 to S9 at the most.
    pub nodes: u32,
    /// How many of them vote at first, from S1 on; the others are spares, until a step makes members of them. Else all vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voters: Option<u32>,
    /// How long clients ask and faults may happen. After that all is healed, and every key is read.
    #[serde(rename = "for")]
    pub duration: Span,
    /// How long, after that, the cluster may take to settle and to answer the last reads.
    pub settle: Span,
    /// The memory of a guest.
    pub arena: Size,
    /// The settings of every node, by name, as the guest knows them.
    pub node: BTreeMap<String, Setting>,
    /// The guest that nodes run, by its name, if it is another than the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// What some nodes are set to beside, from some boot on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub version: Vec<Version>,
    /// The network.
    pub network: Network,
    /// The disks.
    pub disk: Disk,
    /// The clocks.
    pub clock: Clocks,
    /// The clients.
    pub clients: Clients,
    /// Faults that happen at random, by the seed.
    pub faults: Faults,
    /// What happens at a given time.
    pub step: Vec<Step>,
    /// What is expected of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The variants of a file, each a table of what is otherwise in it; the scenario that is read is one of them, and has none.
    #[serde(skip_serializing, deserialize_with = "variant::passed_over")]
    pub variant: (),
}

/// A setting of a node, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Setting {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(u64),
    /// A time or a size.
    Text(String),
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Settings;

        impl Visitor<'_> for Settings {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a switch, a number from 0, a time such as \"150ms\" or a size such as \"64KiB\"")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Setting, E> {
                Ok(Setting::Switch(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Setting, E> {
                Ok(Setting::Number(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Setting, E> {
                let number =
                    u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))?;
                Ok(Setting::Number(number))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Setting, E> {
                Ok(Setting::Text(value.into()))
            }
        }

        deserializer.deserialize_any(Settings)
    }
}

impl Setting {
    /// The value as the guest reads it: times in microseconds, sizes in bytes, switches as `true` or `false`.
    ///
    /// # Errors
    /// If a text is neither a time nor a size.
    pub fn value(&self) -> Result<String, String> {
        match self {
            Self::Switch(value) => Ok(value.to_string()),
            Self::Number(value) => Ok(value.to_string()),
            Self::Text(text) => text
                .parse::<Span>()
                .map(|span| span.0)
                .or_else(|_| text.parse::<Size>().map(|size| size.0))
                .map(|value| value.to_string())
                .map_err(|_| format!("{text:?} is neither a time such as \"150ms\" nor a size such as \"64KiB\"")),
        }
    }
}

/// What the network does to messages, on every link and in each direction by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// How long a message travels.
    pub latency: Spans,
    /// Links that differ, by direction.
    pub link: Vec<LinkLatency>,
    /// How many are lost.
    pub loss: Ratio,
    /// How many arrive twice.
    pub duplicate: Ratio,
    /// How many are overtaken by later ones; the others of a link arrive in order.
    pub reorder: Ratio,
    /// How much longer those travel.
    pub reorder_delay: Spans,
    /// How many of the lost ones come back.
    pub late: Ratio,
    /// How much later.
    pub late_delay: Spans,
    /// How many of those between nodes arrive with a byte changed. (The client protocol has no checksum.)
    #[serde(skip_serializing_if = "Ratio::is_never")]
    pub corrupt: Ratio,
    /// How many travel much longer; those behind them on their link wait.
    #[serde(skip_serializing_if = "Ratio::is_never")]
    pub spike: Ratio,
    /// How much longer those travel.
    #[serde(skip_serializing_if = "Spans::is_zero")]
    pub spike_delay: Spans,
    /// How many bytes a second each link carries, in each direction; 0 for no bound.
    #[serde(skip_serializing_if = "Size::is_zero")]
    pub bandwidth: Size,
    /// How many bytes wait for a link with a bound, before it loses what more is sent; 0 for no bound.
    #[serde(skip_serializing_if = "Size::is_zero")]
    pub queue: Size,
}

/// The latency of one direction of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkLatency {
    /// From whom.
    pub from: step::Name,
    /// To whom.
    pub to: step::Name,
    /// How long a message travels.
    pub latency: Spans,
}

/// What the disks do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disk {
    /// How long a sync takes.
    pub sync: Spans,
    /// How many sectors of unsynced writes survive a crash, each by itself. In half of the crashes in which any may,
    /// what survives is instead a first part of the writes, as a disk that writes in order leaves it.
    pub survive: Ratio,
}

/// How the clocks start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clocks {
    /// How far each is ahead of the world.
    pub ahead: Spans,
    /// How much faster or slower each runs at the most, in parts per million.
    pub drift: u32,
}

/// What the clients do. Each asks one thing at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clients {
    /// How many there are, C1 and on. One more, the auditor, reads everything at the end.
    pub count: u32,
    /// How long one waits between an answer and its next operation.
    pub think: Spans,
    /// How long one waits for an answer before it tries another node.
    pub timeout: Span,
    /// How often one tries before it gives up, not knowing the outcome.
    pub attempts: u32,
    /// How many operations each asks at the most; 0 for no bound.
    pub operations: u64,
    /// How many keys there are of each family: `a` (appends), `c` (counters), `r` (registers).
    pub keys: u32,
    /// How long the values are that are put.
    pub value: Size,
    /// How often each kind of operation is asked, as weights: append, increment, get, put, delete, compare-and-set.
    pub mix: [u32; 6],
    /// How gets are made, as weights: through the log, by read index, by lease, from what a node has.
    #[serde(skip_serializing_if = "is_through_the_log")]
    pub reads: [u32; 4],
}

/// Whether all reads go through the log, as when nothing is said.
fn is_through_the_log(reads: &[u32; 4]) -> bool {
    reads[1..] == [0; 3]
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "unnamed".into(),
            about: String::new(),
            profile: "calm".into(),
            nodes: 5,
            voters: None,
            duration: Span(10_000_000),
            settle: Span(20_000_000),
            arena: Size(4 << 20),
            node: BTreeMap::new(),
            guest: None,
            version: Vec::new(),
            network: Network::default(),
            disk: Disk::default(),
            clock: Clocks::default(),
            clients: Clients::default(),
            faults: Faults::default(),
            step: Vec::new(),
            expect: None,
            variant: (),
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: Spans::micros(500, 1_500),
            link: Vec::new(),
            loss: Ratio::NEVER,
            duplicate: Ratio::NEVER,
            reorder: Ratio::NEVER,
            reorder_delay: Spans::micros(1_000, 20_000),
            late: Ratio::NEVER,
            late_delay: Spans::micros(100_000, 5_000_000),
            corrupt: Ratio::NEVER,
            spike: Ratio::NEVER,
            spike_delay: Spans::micros(0, 0),
            bandwidth: Size(0),
            queue: Size(0),
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self { sync: Spans::micros(200, 800), survive: Ratio::NEVER }
    }
}

impl Default for Clocks {
    fn default() -> Self {
        Self { ahead: Spans::micros(0, 0), drift: 0 }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            count: 3,
            think: Spans::micros(20_000, 60_000),
            timeout: Span(500_000),
            attempts: 10,
            operations: 0,
            keys: 3,
            value: Size(16),
            mix: [4, 2, 4, 2, 1, 2],
            reads: [1, 0, 0, 0],
        }
    }
}

/// Lays `over` on `under`: tables are laid on tables, anything else takes the place of what was there.
fn lay(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay(under, over),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}

impl Scenario {
    /// Reads a scenario, and takes from its profile, or from the one given instead, what it leaves out. `file` is what
    /// mistakes are told with.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn read(file: &str, text: &str, profile: Option<&str>) -> Result<Self, Mistake> {
        Self::read_variant(file, text, None, profile)
    }

    /// Reads a variant of a scenario, or the scenario itself.
    ///
    /// # Errors
    /// The first mistake, with its place; and if there is no such variant.
    pub fn read_variant(file: &str, text: &str, variant: Option<&str>, profile: Option<&str>) -> Result<Self, Mistake> {
        let mistake = |offset: Option<usize>, what: String| Mistake {
            file: file.into(),
            place: offset.map(|offset| place(text, offset)).unwrap_or_default(),
            what: offset.map_or(what.clone(), |offset| what + &shown(text, offset)),
        };
        let told = |error: &toml::de::Error| mistake(error.span().map(|span| span.start), in_words(error.message()));
        // Read alone first: every mistake that a line makes by itself is told with its place.
        let alone: Self = toml::from_str(text).map_err(|error| told(&error))?;
        let name = profile.unwrap_or(&alone.profile);
        let Some((_, base)) = PROFILES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = PROFILES.iter().map(|(known, _)| *known).collect();
            let offset = if profile.is_none() { text.find("profile") } else { None };
            return Err(mistake(offset, format!("there is no profile {name:?}; there are {}", known.join(", "))));
        };
        let table = |text: &str| toml::from_str::<toml::Table>(text).map_err(|error| told(&error));
        let mut whole = table(base)?;
        let mut own = table(text)?;
        let variants = variant::taken(&mut own).map_err(|what| mistake(find(text, "variant"), what))?;
        lay(&mut whole, &own);
        if let Some(variant) = variant {
            let Some(over) = variants.get(variant) else {
                let known: Vec<_> = variants.keys().map(String::as_str).collect();
                let known =
                    if known.is_empty() { "it has none".into() } else { format!("there are {}", known.join(", ")) };
                return Err(mistake(None, format!("there is no variant {variant:?} of it; {known}")));
            };
            variant::lay(&mut whole, over);
            whole.insert("name".into(), variant::whole(&alone.name, variant).into());
        }
        whole.insert("profile".into(), name.into());
        let within = |what: String| match variant {
            Some(variant) => mistake(find(text, &format!("variant.{variant}")), format!("variant {variant}: {what}")),
            None => mistake(None, what),
        };
        let scenario: Self = whole.try_into().map_err(|error: toml::de::Error| within(in_words(error.message())))?;
        scenario.check().map_err(|(key, what)| match variant {
            Some(_) => within(what),
            None => mistake(find(text, &key), what),
        })?;
        Ok(scenario)
    }

    /// What values do not tell by themselves: whether they fit each other. The error names the key that is to blame, as
    /// a path, and says what is wrong.
    ///
    /// # Errors
    /// The first misfit.
    pub fn check(&self) -> Result<(), (String, String)> {
        let no = |key: &str, what: String| Err((key.to_owned(), what));
        if !(1..=NODES_MAX).contains(&self.nodes) {
            return no("nodes", format!("nodes is {}, and should be 1 to {NODES_MAX}", self.nodes));
        }
        if let Some(voters) = self.voters.filter(|voters| !(1..=self.nodes).contains(voters)) {
            return no("voters", format!("voters is {voters}, and should be 1 to {}, as nodes is", self.nodes));
        }
        if self.duration.0 == 0 {
            return no("for", "for is 0s, so that nothing would happen".into());
        }
        if !(1..=CLIENTS_MAX).contains(&self.clients.count) {
            return no("clients.count", format!("count is {}, and should be 1 to {CLIENTS_MAX}", self.clients.count));
        }
        if self.clients.timeout.0 == 0 {
            return no("clients.timeout", "timeout is 0s, so that no answer could come in time".into());
        }
        if !(1..=1000).contains(&self.clients.attempts) {
            return no("clients.attempts", format!("attempts is {}, and should be 1 to 1000", self.clients.attempts));
        }
        if !(1..=1000).contains(&self.clients.keys) {
            return no("clients.keys", format!("keys is {}, and should be 1 to 1000", self.clients.keys));
        }
        if self.clients.value.0 > 64 << 10 {
            return no("clients.value", format!("value is {}, and should be at most 64KiB", self.clients.value));
        }
        if self.clients.mix.iter().all(|weight| *weight == 0) {
            return no("clients.mix", "mix is all zeros, so that no operation could be chosen".into());
        }
        if self.clients.reads == [0; 4] {
            return no("clients.reads", "reads is all zeros, so that no way to read could be chosen".into());
        }
        if !(1 << 20..=256 << 20).contains(&self.arena.0) {
            return no("arena", format!("arena is {}, and should be 1MiB to 256MiB", self.arena));
        }
        if self.clock.drift > DRIFT_MAX {
            return no("clock.drift", format!("drift is {}, and should be at most {DRIFT_MAX} ppm", self.clock.drift));
        }
        self.node.iter().try_for_each(|(key, setting)| version::check_setting("node", key, setting))?;
        self.check_versions()?;
        if let Some(expect) = &self.expect {
            expect.check(self.nodes, self.clients.count).map_err(|what| ("expect".to_owned(), what))?;
        }
        self.faults.check(self.nodes)?;
        self.check_steps("step", &self.step)?;
        for (number, link) in self.network.link.iter().enumerate() {
            for name in [link.from, link.to] {
                name.check(self.nodes, self.clients.count)
                    .or_else(|what| no(&format!("network.link.{number}"), what))?;
            }
        }
        Ok(())
    }

    /// Whether steps, which stand under `key`, are about nodes and clients that there are.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_steps(&self, key: &str, steps: &[Step]) -> Result<(), (String, String)> {
        let check = |(number, step): (usize, &Step)| {
            let wrong = |what| (format!("{key}.{number}"), format!("step {}: {what}", number + 1));
            if key != "step" && matches!(step.when, When::Then(_) | When::Once(_)) {
                return Err(wrong(
                    "only a scenario's steps wait for one another; this takes \"at\" or \"after\"".into(),
                ));
            }
            step.check(self).map_err(wrong)
        };
        steps.iter().enumerate().try_for_each(check)
    }
}
