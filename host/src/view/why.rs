//! The rule behind an event, with the values that were compared.
//!
//! Who looks at a run asks "why?" of a refusal, of a role that changed, of an entry that is not committed. A [`Why`] answers
//! with a headline, the values side by side, and the rule in force: of figure 2 of the Raft paper where it is one of
//! Raft's, of this world where the network or a disk decided.

pub mod commit;
mod note;
mod refusal;
pub mod rule;

use super::sentence::Scene;
use crate::event::text::milliseconds;
use crate::event::{Cause, ClientId, Decision, Effect, Endpoint, Event, MessageName, NodeId};
use crate::timeline::seconds;
use raftbox_abi::client::{Attempt, Reason, Reply};
use rule::Rule;

/// Why something is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What is explained, in a sentence.
    pub headline: String,
    /// What was compared: a name and a value each.
    pub rows: Vec<(String, String)>,
    /// The rule.
    pub rule: Rule,
}

impl Why {
    fn new(headline: impl Into<String>, rule: Rule) -> Self {
        Self { headline: headline.into(), rows: Vec::new(), rule }
    }

    /// With one more value.
    #[allow(clippy::needless_pass_by_value, reason = "values are numbers, and words that were made for this")]
    fn row(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.rows.push((name.into(), value.to_string()));
        self
    }
}

/// Why an event happened as it did; `None` if nothing was decided in it.
#[must_use]
pub fn of(scene: &Scene<'_>) -> Option<Why> {
    let headline = || scene.sentence().text;
    if let (Event::Cause(_), Some(moot)) = (scene.seen.observed.event, scene.seen.moot) {
        return Some(Why::new(headline(), rule::MOOT).row("what is the case", moot.words()));
    }
    match scene.seen.observed.event {
        Event::Cause(cause) => of_cause(scene, cause, headline),
        Event::Effect(Effect::Note { node, .. }) => {
            let note = scene.seen.observed.note?;
            note::of(scene, *node, &note.body, headline)
        }
        Event::Effect(Effect::Sent { message, operation, bytes }) => match message.to {
            Endpoint::Client(client) => of_reply(client, *operation, bytes, headline),
            Endpoint::Node(_) => None,
        },
        Event::Effect(Effect::Received { client, operation, body }) => of_reply(*client, *operation, body, headline),
        Event::Effect(Effect::Halted { code, .. }) => {
            Some(Why::new(headline(), rule::HALT).row("the guest's own code", code))
        }
        Event::Effect(Effect::Trapped { .. }) => Some(Why::new(headline(), rule::TRAP)),
        Event::Effect(Effect::Moot { reason }) => {
            Some(Why::new(headline(), rule::MOOT).row("what is the case", reason.words()))
        }
        Event::Effect(_) => None,
    }
}

fn of_cause(scene: &Scene<'_>, cause: &Cause, headline: impl Fn() -> String) -> Option<Why> {
    match cause {
        Cause::Boot { node, .. } => {
            let in_doubt = scene.before.node(*node).map_or(0, |node| node.unsynced.bytes());
            Some(Why::new(headline(), rule::BOOT).row("bytes in doubt since the crash", in_doubt))
        }
        Cause::Crash { node } | Cause::Decide { node, decision: Decision::Crash, .. } => {
            let before = scene.before.node(*node)?;
            Some(
                Why::new(headline(), rule::CRASH)
                    .row("log in memory up to", before.noted.log.last())
                    .row("of it on disk up to", before.noted.durable)
                    .row("bytes not on disk yet", before.unsynced.bytes()),
            )
        }
        Cause::Lose { message, .. } => Some(lost(scene, *message, headline())),
        Cause::Wake { node, .. } => Some(rings(scene, *node, headline())),
        Cause::Synced { status, .. } if *status != 0 => {
            Some(Why::new(headline(), rule::SYNC_FAILED).row("status", status))
        }
        Cause::Disk { fault, .. } => Some(
            Why::new(headline(), rule::DISK)
                .row("the node is", "not told: it finds out, or does not")
                .row("its disk", fault.words()),
        ),
        Cause::Decide { decision: Decision::Failed { status }, .. } => {
            Some(Why::new(headline(), rule::DISK).row("status", status))
        }
        Cause::Decide { decision: Decision::Misdirected { to }, .. } => {
            Some(Why::new(headline(), rule::DISK).row("what was written is at", to))
        }
        Cause::ClientTimeout { client, operation, attempt, last } => {
            let asked = scene.tables.operations.get(*client, *operation)?;
            let made = asked.attempts(scene.seen.observed.index);
            let sent = asked.attempts.iter().find(|sent| sent.number == *attempt)?;
            let rule = if *last { rule::UNKNOWN } else { rule::RETRY };
            Some(
                Why::new(headline(), rule)
                    .row("asked", format!("S{}, at {}", sent.to, seconds(sent.asked.at)))
                    .row("answers to this attempt", sent.answers.len())
                    .row("attempts so far", made.count()),
            )
        }
        _ => None,
    }
}

fn lost(scene: &Scene<'_>, name: MessageName, headline: String) -> Why {
    let cut = scene.before.cuts.is_cut(name.from, name.to);
    let link = if cut { "is cut" } else { "carries messages" };
    let why = Why::new(headline, if cut { rule::CUT } else { rule::LOSS });
    let why = why.row(format!("link {}→{}", name.from, name.to), link);
    match scene.tables.messages.get(name) {
        Some(message) => why.row("sent", seconds(message.sent.at)),
        None => why,
    }
}

fn rings(scene: &Scene<'_>, node: NodeId, headline: String) -> Why {
    let mut why = Why::new(headline, rule::ALARM);
    if let Some(before) = scene.before.node(node) {
        let at = scene.seen.observed.at;
        if let Some(alarm) = before.alarm {
            why = why.row("set to, on its own clock", seconds(alarm.at));
        }
        why = why.row("its clock reads", seconds(before.clock.local(at)));
        let role = before.noted.role.map_or("not known", raftbox_abi::note::Role::word);
        why = why.row("its role", role);
    }
    why
}

/// Why a client is answered so.
fn of_reply(client: ClientId, operation: u64, body: &[u8], headline: impl Fn() -> String) -> Option<Why> {
    let Attempt { operation, attempt } = Attempt::unpack(operation);
    let why = |rule| {
        let of = format!("C{client}'s operation {operation}, attempt {attempt}");
        Why::new(headline(), rule).row("in answer to", of)
    };
    match Reply::decode(body) {
        Some(Reply::Redirect(0)) => Some(why(rule::REDIRECT).row("leader that the node knows", "nobody")),
        Some(Reply::Redirect(hint)) => Some(why(rule::REDIRECT).row("leader that the node knows", format!("S{hint}"))),
        Some(Reply::Refused(Reason::LogFull)) => Some(why(rule::LOG_FULL)),
        Some(Reply::Refused(Reason::Malformed)) | None => Some(why(rule::MALFORMED)),
        Some(Reply::Refused(Reason::Members)) => Some(why(rule::ONE_CHANGE)),
        Some(Reply::Refused(Reason::NoVoter)) => Some(why(rule::TRANSFER)),
        Some(Reply::Refused(Reason::Stale)) => Some(why(rule::STALE)),
        Some(Reply::SessionExpired) => Some(why(rule::SESSION)),
        Some(Reply::Ok(_)) => Some(why(rule::ANSWER)),
    }
}

/// How long that is, with the unit that fits a comparison.
fn span(micros: u64) -> String {
    milliseconds(micros)
}
