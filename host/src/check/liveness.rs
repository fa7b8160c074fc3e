//! Liveness: when the faults' time is over, and a majority is healed, it elects a leader, serves clients, and agrees, within
//! the time that the scenario gives it.
//!
//! A joint configuration is left by then: it is a step on the way to another, and clients have no words by which to leave it.
//!
//! Who hears the leader and is not heard by it, or the other way round, cannot agree, and need not. That may be, since the
//! leader may be one that was not healed.
//!
//! Judged when the run is over. A person who acts after that time may leave the cluster unable to, so then it cannot be.

use super::Observed;
use super::model::Model;
use super::verdict::Verdict;
use crate::cuts::Cuts;
use crate::event::{Cause, ClientId, Effect, Endpoint, Event, Micros, NodeId};
use crate::timeline::seconds;
use raftbox_abi::client::{Attempt, Outcome, Reply};
use raftbox_abi::note::{Body, Role};

/// What is expected of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// When the faults' time is over.
    pub healed: Micros,
    /// How long it may take from then on.
    pub within: Micros,
    /// Who is healed.
    pub core: Vec<NodeId>,
    /// Whether they are to agree in the end.
    pub agree: bool,
    /// Whether somebody acts beside the scenario.
    pub acted: bool,
    /// Who reads every key then, and how many there are.
    pub auditor: ClientId,
    /// See `auditor`.
    pub keys: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Liveness {
    pub(super) expected: Option<Expected>,
    /// The auditor's reads that were answered.
    answered: Vec<u64>,
    /// Up to where anything was known to be committed when the last of them was.
    owed: u64,
    /// Who last became leader, and in which term.
    led: Option<(NodeId, u64)>,
    /// How often anybody did since all was healed.
    elections: u64,
    cuts: Cuts,
    /// The last event.
    last: (u64, Micros),
    over: bool,
}

impl Liveness {
    #[inline]
    pub(super) fn observe(&mut self, observed: &Observed<'_>, model: &Model) {
        self.last = (observed.index, observed.at);
        let Some(expected) = &self.expected else { return };
        match observed.event {
            Event::Cause(Cause::Link { from, to, up }) => self.cuts.set(*from, *to, *up),
            Event::Effect(Effect::Received { client, operation, body }) if *client == expected.auditor => {
                let number = Attempt::unpack(*operation).operation;
                let is_value = matches!(Reply::decode(body), Some(Reply::Ok(Outcome::Value(_))));
                if is_value && !self.answered.contains(&number) {
                    self.answered.push(number);
                    self.owed = model.committed_to();
                }
            }
            Event::Effect(Effect::Note { node, .. }) => {
                if let Some(Body::Role { role: Role::Leader, term, .. }) = observed.note.map(|note| &note.body) {
                    self.led = Some((*node, *term));
                    self.elections += u64::from(observed.at >= expected.healed);
                }
            }
            _ => {}
        }
    }

    /// The run is over.
    pub(super) fn finish(&mut self) {
        self.over = true;
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let unobserved = |missing: &str| Verdict::Unobserved { missing: missing.to_owned() };
        let Some(expected) = &self.expected else { return unobserved("what is expected of the run") };
        if !self.over {
            return unobserved("the end of the run");
        }
        let answered = self.answered.len() as u64;
        let violated = |what: String| match expected.acted {
            true => unobserved("a run in which nobody acted, or one that came to rest"),
            false => Verdict::Violated { event: self.last.0, at: self.last.1, what },
        };
        let core = expected.core.iter().map(|node| format!("S{node}")).collect::<Vec<_>>().join(" ");
        if answered < expected.keys {
            let led = match self.led.filter(|_| self.elections > 0) {
                Some((node, term)) => format!("{} leaders since, the last S{node} of term {term}", self.elections),
                None => "no leader was elected since".into(),
            };
            let (within, keys) = (seconds(expected.within), expected.keys);
            return violated(format!(
                "{within} after the faults' time was over and {core} were healed, {answered} of {keys} reads were \
                 answered; {led}"
            ));
        }
        if let Some((leader, term)) = self.led
            && model.node(leader).configuration.is_joint()
        {
            return violated(format!(
                "{core} were healed, and in the end the members are still {}, by S{leader}, which led term {term}",
                model.node(leader).configuration
            ));
        }
        let leader = self.led.map_or(0, |(node, _)| node);
        let reaches = |from, to| !self.cuts.is_cut(Endpoint::Node(from), Endpoint::Node(to));
        let behind =
            |node: &&NodeId| model.commit_of(**node) < self.owed && reaches(leader, **node) && reaches(**node, leader);
        match expected.core.iter().filter(|_| expected.agree).find(behind) {
            Some(node) => violated(format!(
                "{core} were healed, and in the end S{node} knows what is committed up to {}, and not the rest up to {}",
                model.commit_of(*node),
                self.owed
            )),
            None => Verdict::Pass,
        }
    }
}
