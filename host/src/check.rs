//! Judges a run by its events.
//!
//! [`Checkers`] are fed every event of a run, once and in order, and say of each property whether it held. They see
//! nothing but events: the nodes' [notes](raftbox_abi::note), what clients asked and were answered, boots and crashes.
//! So they judge any guest that tells these notes, and a recorded run as well as a live one.
//!
//! The model (`check/model.rs`) puts together what the notes say (logs, roles, durable states) and hands each change to
//! the checkers as a fact; all logs are one tree, in which a log prefix is a number, so that each note costs the same
//! however long the logs are. A checker is one file: a struct with `observe` and `verdict`. A property keeps its first
//! violation.
//!
//! | property | what it claims | section of the paper |
//! |---|---|---|
//! | `election-safety` | at most one node leads a term | 5.2 |
//! | `leader-append-only` | a leader takes nothing off its log | 5.3 |
//! | `log-matching` | logs with an entry of the same index and term are equal up to there | 5.3 |
//! | `leader-completeness` | what is committed in a term is in the logs of all later leaders | 5.4 |
//! | `state-machine-safety` | all nodes apply the same, in order, and only what is committed | 5.4.3 |
//! | `one-durable-vote` | a node has at most one durable vote in a term | 5.2 |
//! | `durable-state-monotonic` | durable term, vote and log are found again | figure 2 |
//! | `leader-has-votes` | a leader has durable votes of a quorum | 5.2 |
//! | `commit-is-durable` | what is committed has durable copies on a quorum, and all commits agree | 5.3, 5.4 |
//! | `configuration-safety` | no two sets of nodes without a common node decide, whatever becomes of the members | 6 |
//! | `commit-monotonic` | a commit index never falls within a boot | figure 2 |
//! | `snapshot-safety` | a snapshot equals the log that it replaces | 7 |
//! | `read-safety` | a linearizable read sees all that was committed before it was asked | thesis, 6.4 |
//! | `lease-safety` | nobody is elected while another leader has a lease | thesis, 6.4.1 |
//! | `exactly-once` | a command of a session takes effect once | thesis, 6.3 |
//! | `guest-trap` | no guest traps | |
//! | `notes` | notes can be read and tell one story | |
//! | `acknowledged-writes` | what clients were told is done is there in the end, once | 8 |
//! | `own-properties` | what guests claim of themselves ([`property`](raftbox_abi::property)) | |
//! | `liveness` | when the faults are over, a majority that is healed elects, serves and agrees in time | 5.6 |
//! | `linearizability` | each operation could have taken effect at one moment while it was asked | 8 |
//!
//! A property that was not seen to fail holds only if what it speaks of was noted: a missing note is
//! [`Verdict::Unobserved`], and never a pass. Two losses are innocent, and easily taken for crimes: a crash may take a
//! vote that was not yet durable, so the node may vote otherwise; and a commit index is volatile, so it may start again
//! from the snapshot.
//!
//! Left out: what happens to more than one Raft group in a guest.

mod acknowledged_writes;
mod commit_is_durable;
mod commit_monotonic;
mod configuration_safety;
mod durable_state_monotonic;
mod election_safety;
mod exactly_once;
mod guest_trap;
mod leader_append_only;
mod leader_completeness;
mod leader_has_votes;
mod lease_safety;
mod linearizability;
mod liveness;
mod log_matching;
mod model;
mod notes;
mod one_durable_vote;
mod own_properties;
mod quorum;
mod read_safety;
mod snapshot_safety;
mod state_machine_safety;
mod tree;
mod verdict;

use crate::event::{Cause, Effect, Event, Micros};
use crate::history::recorder::Recorder;
use acknowledged_writes::AcknowledgedWrites;
pub use linearizability::Contradiction;
pub use liveness::Expected;
use liveness::Liveness;
use model::{Model, Seen};
use own_properties::OwnProperties;
use raftbox_abi::Note;
use raftbox_abi::client::Attempt;
use verdict::Finding;
pub use verdict::{Verdict, Violation};

/// An event, as checkers are shown it.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The number of the event in its run, from 0.
    pub index: u64,
    /// When it was.
    pub at: Micros,
    /// The event.
    pub event: &'a Event<'a>,
    /// The note, if the event is one of a kind that the host understands and it can be read.
    pub note: Option<&'a Note>,
}

/// The checkers that are fed facts of the model, in the order in which verdicts are told.
macro_rules! checkers {
    ($($name:literal: $field:ident: $module:ident::$checker:ident,)+) => {
        #[derive(Clone, Debug, Default)]
        struct Properties { $($field: $module::$checker,)+ }

        impl Properties {
            /// Whether any property is violated by now.
            fn observe(&mut self, seen: &Seen, model: &Model) -> bool {
                $(self.$field.observe(seen, model);)+
                $(self.$field.finding.is_violated())|+
            }

            /// The property that was violated first, by its place.
            fn violated(&self) -> Option<usize> {
                let findings: &[&Finding] = &[$(&self.$field.finding,)+];
                let violated = findings.iter().enumerate().filter_map(|(place, finding)| {
                    finding.violation().map(|violation| (violation.event, place))
                });
                violated.min().map(|(_, place)| place)
            }

            fn violation(&self, place: usize) -> Option<(&'static str, &Violation)> {
                let findings: &[(&'static str, &Finding)] = &[$(($name, &self.$field.finding),)+];
                let (name, finding) = findings.get(place)?;
                Some((*name, finding.violation()?))
            }

            fn verdicts(&self, model: &Model) -> Vec<(&'static str, Verdict)> {
                vec![$(($name, self.$field.verdict(model)),)+]
            }
        }
    };
}

checkers! {
    "election-safety": election_safety: election_safety::ElectionSafety,
    "leader-append-only": leader_append_only: leader_append_only::LeaderAppendOnly,
    "log-matching": log_matching: log_matching::LogMatching,
    "leader-completeness": leader_completeness: leader_completeness::LeaderCompleteness,
    "state-machine-safety": state_machine_safety: state_machine_safety::StateMachineSafety,
    "one-durable-vote": one_durable_vote: one_durable_vote::OneDurableVote,
    "durable-state-monotonic": durable_state_monotonic:
        durable_state_monotonic::DurableStateMonotonic,
    "leader-has-votes": leader_has_votes: leader_has_votes::LeaderHasVotes,
    "commit-is-durable": commit_is_durable: commit_is_durable::CommitIsDurable,
    "configuration-safety": configuration_safety: configuration_safety::ConfigurationSafety,
    "commit-monotonic": commit_monotonic: commit_monotonic::CommitMonotonic,
    "snapshot-safety": snapshot_safety: snapshot_safety::SnapshotSafety,
    "read-safety": read_safety: read_safety::ReadSafety,
    "lease-safety": lease_safety: lease_safety::LeaseSafety,
    "exactly-once": exactly_once: exactly_once::ExactlyOnce,
    "guest-trap": guest_trap: guest_trap::GuestTrap,
    "notes": notes: notes::Notes,
}

/// The name of the property that is judged from client events alone.
const ACKNOWLEDGED_WRITES: &str = "acknowledged-writes";

/// The name of the property that the history of clients is judged by.
pub const LINEARIZABILITY: &str = "linearizability";

/// The name of the property that is judged by what comes when all is healed.
const LIVENESS: &str = "liveness";

/// The name of all properties that guests claim of themselves.
const OWN_PROPERTIES: &str = "own-properties";

/// All checkers of a run. A clone goes on from where the run is, so a run is saved and forked with its checkers.
#[derive(Clone, Debug)]
pub struct Checkers {
    model: Model,
    properties: Properties,
    acknowledged_writes: AcknowledgedWrites,
    recorder: Recorder,
    liveness: Liveness,
    own: OwnProperties,
    /// The place of the property that was violated first.
    first: Option<usize>,
}

impl Checkers {
    /// Checkers of a run of that many nodes and clients, before its first event. The last client is the auditor of
    /// `acknowledged-writes`.
    #[must_use]
    pub fn new(nodes: u32, clients: u32) -> Self {
        Self {
            model: Model::new(nodes),
            properties: Properties::default(),
            acknowledged_writes: AcknowledgedWrites::new(clients),
            recorder: Recorder::default(),
            liveness: Liveness::default(),
            own: OwnProperties::default(),
            first: None,
        }
    }

    /// The same, of a run of which this is expected. Else nothing is said of its liveness.
    #[must_use]
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.liveness.expected = Some(expected);
        self
    }

    /// The run is over.
    pub fn finish(&mut self) {
        self.liveness.finish();
    }

    /// Takes the next event into account.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        self.liveness.observe(observed, &self.model);
        self.recorder.observe(observed.index, observed.at, observed.event);
        match observed.event {
            Event::Cause(Cause::Request { client, operation, attempt, body, .. }) => {
                self.acknowledged_writes.observe(observed);
                let attempt = Attempt { operation: *operation, attempt: *attempt };
                self.properties.read_safety.request(*client, attempt, body, &self.model);
                self.properties.exactly_once.request(body);
            }
            Event::Effect(Effect::Received { client, operation, body }) => {
                self.acknowledged_writes.observe(observed);
                self.properties.read_safety.received(*client, Attempt::unpack(*operation), body);
            }
            _ => {
                self.own.observe(observed);
                if let Some(seen) = self.model.observe(observed) {
                    let violated = self.properties.observe(&seen, &self.model);
                    if violated && self.first.is_none() {
                        self.first = self.properties.violated();
                    }
                }
            }
        }
    }

    /// What became of each property, if the run ended here.
    #[must_use]
    pub fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        let mut verdicts = self.properties.verdicts(&self.model);
        verdicts.push((ACKNOWLEDGED_WRITES, self.acknowledged_writes.verdict()));
        verdicts.push((LINEARIZABILITY, linearizability::verdict(&self.recorder)));
        verdicts.extend(self.own.verdict().map(|verdict| (OWN_PROPERTIES, verdict)));
        verdicts.push((LIVENESS, self.liveness.verdict(&self.model)));
        verdicts
    }

    /// Why what clients were answered so far is not linearizable, if it is not. This looks for it anew, as
    /// [`verdicts`](Self::verdicts) does.
    #[must_use]
    pub fn contradiction(&self) -> Option<Contradiction> {
        linearizability::contradiction(&self.recorder)
    }

    /// What clients asked and were answered so far.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The first violation so far, and the property. Of `acknowledged-writes`, `linearizability` and `liveness` only
    /// [`verdicts`](Self::verdicts) knows, since only the end of a run tells.
    #[must_use]
    pub fn first_violation(&self) -> Option<(&'static str, &Violation)> {
        let first = self.first.and_then(|place| self.properties.violation(place));
        let own = self.own.violation().map(|violation| (OWN_PROPERTIES, violation));
        first.into_iter().chain(own).min_by_key(|(_, violation)| violation.event)
    }
}
