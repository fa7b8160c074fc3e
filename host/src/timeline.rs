//! A run as a story: what matters of it, in plain words, a sentence each.
//!
//! [`Timeline`] is a fold over a run's events, and prints nothing; the command and the page both show its [`Entry`]s.
//! What many events say together is told once: the twelve links of a partition are one sentence that names its sides,
//! the pre-votes that a cut-off node asks in vain are counted and told when it finds a leader, and of many refusals the
//! first of each kind is told. It knows what the [notes](raftbox_abi::note) say and nothing of how a guest works.
//!
//! | file | what it tells of |
//! |---|---|
//! | `elections` | who asks for votes and why, who leads by whose votes, who steps down, entries that a leader overrules |
//! | `faults` | crashes and what they leave on the disk, pauses, clocks, partitions |
//! | `clients` | how many operations are acknowledged, and when clients wait |

mod clients;
mod elections;
mod faults;

use crate::check::Observed;
use crate::event::text::{Tone, names};
use crate::event::{Cause, Endpoint, Event, Micros, NodeId};
use crate::nodes::Nodes;
use crate::scenario::Scenario;
use clients::Clients;
pub use clients::Tally;
use elections::Elections;
pub use elections::dropped;
use faults::Faults;

/// A sentence of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The number of the event that it is about, or of the first of several.
    pub event: u64,
    /// When that was.
    pub at: Micros,
    /// A mark, as in [`event::text`](crate::event::text).
    pub mark: char,
    /// What it is to the reader.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
}

/// The sentences that are told, and the moment that they are told of.
#[derive(Clone, Debug, Default)]
struct Story {
    event: u64,
    at: Micros,
    entries: Vec<Entry>,
}

impl Story {
    fn tell(&mut self, mark: char, tone: Tone, text: impl Into<String>) {
        self.tell_of((self.event, self.at), mark, tone, text);
    }

    /// Tells of an earlier moment.
    fn tell_of(&mut self, (event, at): (u64, Micros), mark: char, tone: Tone, text: impl Into<String>) {
        self.entries.push(Entry { event, at, mark, tone, text: text.into() });
    }
}

/// A span in seconds, as sentences tell it: `1.234 s`.
#[must_use]
pub fn seconds(micros: Micros) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros % 1_000_000 / 1000)
}

/// Nodes as sentences name them: `S1 to S5`, or `S1, S2 and S4`.
fn nodes_of(nodes: &[NodeId]) -> String {
    match nodes {
        [first, .., last] if nodes.len() > 2 && last - first + 1 == u32::try_from(nodes.len()).unwrap_or(0) => {
            format!("S{first} to S{last}")
        }
        _ => names(nodes.iter().map(|node| Endpoint::Node(*node))),
    }
}

/// The story of a run.
#[derive(Clone, Debug)]
pub struct Timeline {
    nodes: Nodes,
    elections: Elections,
    faults: Faults,
    clients: Clients,
    story: Story,
    /// When all faults end.
    heals: Micros,
    healed: bool,
}

impl Timeline {
    /// The story of a run of this scenario, before its first event.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            nodes: Nodes::new(scenario.nodes),
            elections: Elections::default(),
            faults: Faults::default(),
            clients: Clients::new(scenario),
            story: Story::default(),
            heals: scenario.duration.0,
            healed: false,
        }
    }

    /// Takes the next event into account.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        let cause = match observed.event {
            Event::Cause(cause) => Some(cause),
            Event::Effect(_) => None,
        };
        if let Some(cause) = cause {
            self.faults.flush(Some(cause), observed.at, &mut self.story);
        }
        self.clients.pass(observed.at, &self.nodes, &mut self.story);
        (self.story.event, self.story.at) = (observed.index, observed.at);
        if !self.healed && observed.at >= self.heals && !matches!(cause, Some(Cause::Synced { .. }) | None) {
            self.healed = true;
            self.story.tell('·', Tone::Plain, "from here on nothing goes wrong, and clients finish what they asked");
        }
        self.elections.observe(observed, &self.nodes, &mut self.story);
        self.faults.observe(observed, &self.nodes, &mut self.story);
        self.clients.observe(observed, &mut self.story);
        self.nodes.observe(observed);
    }

    /// The run is over: what was still to be told is told.
    pub fn finish(&mut self) {
        self.faults.flush(None, self.story.at, &mut self.story);
        self.clients.finish();
        if let Some(refusals) = self.elections.refusals() {
            self.story.tell('·', Tone::Faint, refusals);
        }
        let commit = self.nodes.iter().map(|(_, node)| node.commit).max().unwrap_or(0);
        let (same, behind): (Vec<_>, Vec<_>) = self.nodes.iter().partition(|(_, node)| node.applied == commit);
        let ids = |nodes: &[(NodeId, &crate::nodes::Node)]| nodes.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        if commit > 0 && behind.is_empty() {
            let text =
                format!("{} have applied the log up to its last committed entry, {commit}", nodes_of(&ids(&same)));
            self.story.tell('✓', Tone::Good, text);
        } else if commit > 0 {
            let behind = nodes_of(&ids(&behind));
            let text = format!("the last committed entry is {commit}, and {behind} did not get to apply it");
            self.story.tell('·', Tone::Plain, text);
        }
    }

    /// What was told since the last time.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.story.entries)
    }

    /// The nodes as they are now.
    #[must_use]
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// What became of the clients' operations so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.clients.tally()
    }
}
