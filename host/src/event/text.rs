//! One line for each event, for people.
//!
//! ```text
//!     0.171814  S5       ◆ role       S5 becomes candidate in term 1
//!     0.820198  C2→S5    ● arrives    #13 append a1 "2.13;"
//!     0.820198  S5       · appends    43@1, a command
//!     0.820198  S5→S1    → sent       #57 append term=1 prev=42@1 entries=1 commit=41
//!     0.820198  S5       · writes     88 bytes at 3760 of file 0
//!     0.820198  S5       · syncs      sync 43
//!     0.820832  S5       ✓ synced     sync 43
//!     0.820832  S5       ✓ durable    log up to 43
//! ```
//!
//! The columns are the time in seconds, whose event it is (a node, a client, or a link in its direction), a mark and a
//! word for what happens, and the details. A message is named by its link and its number there, from 0, so `S3→S1 #2` is
//! the same message wherever it is spoken of. An entry of a log is `index@term`.
//!
//! | mark | meaning |
//! |---|---|
//! | `▲` | a node boots, recovers, or goes on |
//! | `◆` | a role, a term or a vote changes |
//! | `→` | a message leaves |
//! | `●` | a message arrives |
//! | `✓` | something is durable, committed, applied, answered, healed |
//! | `✗` | something is lost, refused, cut, or goes down |
//! | `‖` | a node pauses |
//! | `·` | anything else |
//!
//! What nodes say to each other is the guests' own; [`Text`] asks whoever made it to describe a datagram.

use crate::check::Observed;
use crate::event::{Cause, Decision, Effect, Endpoint, Event, MessageName, Micros, NodeId, Survivor};
use raftbox_abi::client::{Attempt, Operation, Outcome, Reason, Reply, Request};
use raftbox_abi::note::{Body, ReadMode, Refusal};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What a line is to the reader; a hint for its colour, and never the only sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// Bookkeeping.
    Faint,
    /// Things go well.
    Good,
    /// Something is broken, on purpose or not.
    Bad,
    /// It is about this term.
    Term(u64),
}

/// An event as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Micros,
    /// Whose event it is.
    pub who: String,
    /// The mark.
    pub mark: char,
    /// What happens, in a word or two.
    pub what: &'static str,
    /// The details.
    pub detail: String,
    /// What it is to the reader.
    pub tone: Tone,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, who, mark, what, detail, .. } = self;
        let line = format!("{}  {who:<7}  {mark} {what:<9}  {detail}", seconds(*at));
        f.write_str(line.trim_end())
    }
}

/// A time in seconds, with six decimals, right aligned.
#[must_use]
pub fn seconds(at: Micros) -> String {
    format!("{:>5}.{:06}", at / 1_000_000, at % 1_000_000)
}

/// A text of somebody else's, fit to be printed: control characters are spelled out, and so cannot move the cursor.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let hides = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(hides) {
        return text.into();
    }
    text.chars()
        .map(|c| if hides(c) { c.escape_default().to_string() } else { c.to_string() })
        .collect::<String>()
        .into()
}

/// Bytes as a quoted text, or their number where they are long.
fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 24;
    match bytes {
        [head @ .., _] if head.len() >= SHOWN => format!("({} bytes)", bytes.len()),
        bytes => format!("\"{}\"", bytes.escape_ascii()),
    }
}

fn bare(bytes: &[u8]) -> String {
    let plain = !bytes.is_empty() && bytes.len() <= 24 && bytes.iter().all(u8::is_ascii_graphic);
    if plain { String::from_utf8_lossy(bytes).into_owned() } else { quoted(bytes) }
}

/// How a read is made safe, or not, in words.
#[must_use]
pub fn read_mode(mode: ReadMode) -> &'static str {
    match mode {
        ReadMode::Log => "through the log",
        ReadMode::Index => "by read index",
        ReadMode::Lease => "by lease",
        ReadMode::Local => "as the node has it",
    }
}

/// What a client asks, in words.
#[must_use]
pub fn operation(operation: &Operation<'_>) -> String {
    match operation {
        Operation::Register => "open a session".into(),
        Operation::Get(key) => format!("get {}", bare(key)),
        Operation::Put(key, value) => format!("put {} {}", bare(key), quoted(value)),
        Operation::Delete(key) => format!("delete {}", bare(key)),
        Operation::CompareAndSet(key, old, new) => {
            let old = old.map_or("absent".into(), quoted);
            format!("set {} to {} if it is {old}", bare(key), quoted(new))
        }
        Operation::Append(key, value) => format!("append {} {}", bare(key), quoted(value)),
        Operation::Increment(key, by) => format!("increment {} by {by}", bare(key)),
        Operation::Transfer(to) => format!("hand over to S{to}"),
        Operation::Read(mode, key) => format!("get {}, {}", bare(key), read_mode(*mode)),
        Operation::Compact => "take a snapshot".into(),
        Operation::Members { voters, learners, gone } => {
            let some = |nodes: &[u8], word: &str| {
                let names = names(nodes.iter().map(|id| Endpoint::Node((*id).into())));
                (!nodes.is_empty()).then(|| format!("{names} {word}"))
            };
            let all = [some(voters, "to vote"), some(learners, "to learn"), some(gone, "to go")];
            format!("members: {}", all.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    }
}

/// What a client is answered, in words.
#[must_use]
pub fn reply(body: &[u8]) -> String {
    match Reply::decode(body) {
        None => format!("malformed, {} bytes", body.len()),
        Some(Reply::Ok(outcome)) => match outcome {
            Outcome::Done => "done".into(),
            Outcome::Session(session) => format!("session {session} is open"),
            Outcome::Value(None) => "no such key".into(),
            Outcome::Value(Some(value)) => format!("it is {}", quoted(value)),
            Outcome::Swapped(true) => "set".into(),
            Outcome::Swapped(false) => "not set: it was another value".into(),
            Outcome::Length(length) => format!("it has {length} bytes now"),
            Outcome::Number(number) => format!("it is {number} now"),
            Outcome::Undefined => "no effect: the value there is of another kind".into(),
        },
        Some(Reply::Redirect(0)) => "not the leader, and knows none".into(),
        Some(Reply::Redirect(hint)) => format!("not the leader; ask S{hint}"),
        Some(Reply::Refused(Reason::LogFull)) => "refused: the log is full".into(),
        Some(Reply::Refused(Reason::Malformed)) => "refused: malformed".into(),
        Some(Reply::Refused(Reason::Members)) => "refused: not these members, or not now".into(),
        Some(Reply::Refused(Reason::NoVoter)) => "refused: only a voter can lead".into(),
        Some(Reply::Refused(Reason::Stale)) => "refused: a later operation was applied already".into(),
        Some(Reply::SessionExpired) => "the session has expired".into(),
    }
}

/// Why `who` turned `peer` down, in a sentence.
#[must_use]
pub fn refusal(who: NodeId, peer: NodeId, refusal: &Refusal) -> String {
    match *refusal {
        Refusal::VoteStaleTerm { mine, theirs } => {
            format!("S{who} refuses S{peer}'s vote: it stands for term {theirs}, mine is {mine} already (paper, 5.1)")
        }
        Refusal::VoteTaken { term, by } => {
            format!("S{who} refuses S{peer}'s vote: in term {term} mine went to S{by} (paper, 5.2)")
        }
        Refusal::VoteOlderLog { mine, theirs } if mine.1 != theirs.1 => format!(
            "S{who} refuses S{peer}'s vote: its last log term {} is below mine {} (paper, 5.4.1)",
            theirs.1, mine.1
        ),
        Refusal::VoteOlderLog { mine, theirs } => {
            format!("S{who} refuses S{peer}'s vote: its log ends at {}, mine at {} (paper, 5.4.1)", theirs.0, mine.0)
        }
        Refusal::VoteLeaderAlive { leader, heard, .. } => format!(
            "S{who} refuses S{peer}'s vote: it heard leader S{leader} {} ago (thesis, 9.6)",
            milliseconds(heard)
        ),
        Refusal::VotePromised { left } => format!(
            "S{who} refuses S{peer}'s vote: a leader that it heard may have a lease for {} yet (thesis, 6.4.1)",
            milliseconds(left)
        ),
        Refusal::AppendStaleTerm { mine, theirs } => {
            format!("S{who} refuses S{peer}'s append: its term {theirs} is over, mine is {mine} (paper, 5.1)")
        }
        Refusal::AppendGap { previous, last } => {
            format!("S{who} refuses S{peer}'s append after {previous}: my log ends at {last} (paper, 5.3)")
        }
        Refusal::AppendMismatch { previous, mine, theirs } => {
            format!("S{who} refuses S{peer}'s append after {previous}@{theirs}: mine is {previous}@{mine} (paper, 5.3)")
        }
        Refusal::NotLeader { hint: 0 } => format!("S{who} refuses a request: it does not lead, and knows no leader"),
        Refusal::NotLeader { hint } => format!("S{who} refuses a request: it does not lead; S{hint} does"),
        Refusal::Uncommitted { bytes, bound } => {
            format!("S{who} refuses a request: {bytes} bytes of its log would not be committed, and {bound} may be")
        }
        Refusal::LogFull { bytes, bound } => {
            format!("S{who} refuses a request: the log would have {bytes} bytes, and may have {bound}")
        }
        Refusal::ChangeUnderWay { index, commit } => {
            format!(
                "S{who} refuses new members: the change at {index} is not committed yet, only {commit} (thesis, 4.1)"
            )
        }
        Refusal::NothingCommitted { term, commit } => {
            format!("S{who} refuses new members: nothing of its term {term} is committed yet, only up to {commit}")
        }
        Refusal::LearnerBehind { learner, matched, needed } => {
            format!(
                "S{who} gives S{learner} no vote: it has the log to {matched}, and needs it to {needed} (thesis, 4.2.1)"
            )
        }
        Refusal::NoVoters => format!("S{who} refuses new members: nobody would be left to vote"),
        Refusal::NotSimple { changed } => {
            format!("S{who} refuses new members: {changed} voters would change at once, not 1 (thesis, 4.1)")
        }
        Refusal::Joint => format!("S{who} refuses new members: the configuration is joint, and is to be left first"),
        Refusal::NotJoint => format!("S{who} refuses new members: the configuration is not joint"),
        Refusal::Transferring { to } => format!("S{who} refuses a request: it hands over to S{to} (thesis, 3.10)"),
        Refusal::NoVoter { node } => format!("S{who} does not hand over to S{node}, which is no voter"),
        Refusal::LeadQuorumSilent { heard, voters, within } => format!(
            "S{who} leads no more: in the last {} it heard {heard} of {voters} voters (thesis, 6.2)",
            milliseconds(within)
        ),
        Refusal::LeadDiskStalled { stalled, .. } => {
            format!("S{who} leads no more: its disk has not answered for {}", milliseconds(stalled))
        }
    }
}

/// A span in milliseconds.
#[must_use]
pub fn milliseconds(micros: Micros) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

/// Nodes in words: `S1, S2 and S4`.
#[must_use]
pub fn names(nodes: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let mut names: Vec<String> = nodes.into_iter().map(|node| node.to_string()).collect();
    match (names.pop(), names.is_empty()) {
        (None, _) => "nobody".into(),
        (Some(only), true) => only,
        (Some(last), false) => format!("{} and {last}", names.join(", ")),
    }
}

/// What a node is from now on, in a sentence.
#[must_use]
pub fn role(node: NodeId, role: raftbox_abi::note::Role, term: u64, leader: NodeId) -> String {
    use raftbox_abi::note::Role;
    match role {
        Role::Leader => format!("S{node} becomes leader of term {term}"),
        Role::Follower | Role::Learner if leader == 0 => {
            format!("S{node} becomes {} in term {term}, and knows no leader", role.word())
        }
        Role::Follower | Role::Learner => format!("S{node} becomes {} of S{leader} in term {term}", role.word()),
        Role::PreCandidate => format!("S{node} asks whether it could win term {}", term.saturating_add(1)),
        Role::Candidate => format!("S{node} becomes candidate in term {term}"),
    }
}

/// A note, as mark, word, detail and tone.
fn note(node: NodeId, body: &Body) -> (char, &'static str, String, Tone) {
    let vote = |vote: NodeId| if vote == 0 { "no vote".into() } else { format!("voted for S{vote}") };
    match body {
        Body::Recovered { term, vote: cast, snapshot, last, .. } => {
            let log = match (snapshot.0, last.0) {
                (0, 0) => "an empty log".into(),
                (0, index) => format!("log 1..{index}"),
                (base, index) => format!("a snapshot up to {base} and log up to {index}"),
            };
            ('▲', "recovered", format!("S{node} finds term {term}, {}, {log}", vote(*cast)), Tone::Plain)
        }
        Body::Role { role: new, term, leader } => ('◆', "role", role(node, *new, *term, *leader), Tone::Term(*term)),
        Body::HardState { term, vote: cast } => {
            ('✓', "vote", format!("S{node} has term {term}, {}, on disk", vote(*cast)), Tone::Term(*term))
        }
        Body::Append { index, term, kind, .. } => {
            ('·', "appends", format!("{index}@{term}, a {}", kind.word()), Tone::Term(*term))
        }
        Body::Truncate { from } => ('✗', "drops", format!("all entries from {from} on"), Tone::Bad),
        Body::Durable { last } => ('✓', "durable", format!("log up to {last}"), Tone::Faint),
        Body::Commit { index } => ('✓', "commits", format!("up to {index}"), Tone::Good),
        Body::Apply { index, term, .. } => ('✓', "applies", format!("{index}@{term}"), Tone::Faint),
        Body::Config { index, voters, outgoing, learners } => {
            let of = |ids: &[NodeId]| names(ids.iter().map(|id| Endpoint::Node(*id)));
            let mut detail = format!("voters {}", of(voters));
            if !outgoing.is_empty() {
                detail += &format!("; going out {}", of(outgoing));
            }
            if !learners.is_empty() {
                detail += &format!("; learners {}", of(learners));
            }
            if *index > 0 {
                detail += &format!(" (entry {index})");
            }
            ('·', "members", detail, Tone::Plain)
        }
        Body::Snapshot { index, term, .. } => ('✓', "snapshot", format!("up to {index}@{term}"), Tone::Plain),
        Body::Install { index, term, .. } => {
            ('▲', "installs", format!("the leader's snapshot up to {index}@{term}"), Tone::Plain)
        }
        Body::Read { client, mode, index, .. } => {
            ('✓', "reads", format!("for C{client} at {index}, {}", read_mode(*mode)), Tone::Faint)
        }
        Body::Lease { until: 0 } => ('·', "lease", "given up".into(), Tone::Faint),
        Body::Lease { until } => ('·', "lease", format!("until {} on its clock", seconds(*until).trim()), Tone::Faint),
        Body::Refused { peer, refusal: why } => ('✗', "refuses", refusal(node, *peer, why), Tone::Bad),
        Body::Property { kind, value, name } => {
            let (mark, tone) = if *value { ('✓', Tone::Faint) } else { ('✗', Tone::Plain) };
            (mark, "property", format!("{} {:?}: {value}", kind.word(), name), tone)
        }
    }
}

/// What a crash left of the unsynced operations, in words.
fn survivors(survivors: &[Survivor]) -> String {
    if survivors.is_empty() {
        return String::new();
    }
    let one = |Survivor { operation, sector, count }: &Survivor| match count {
        1 => format!("operation {operation} sector {sector}"),
        _ => format!("operation {operation} sectors {sector} to {}", sector.saturating_add(count.saturating_sub(1))),
    };
    format!("survived of the unsynced: {}", survivors.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Turns events into lines. It must be shown every event, since what arrives was described when it was sent.
pub struct Text<D> {
    describe: D,
    /// What is on its way, in words.
    mail: BTreeMap<MessageName, String>,
}

type Told = (String, char, &'static str, String, Tone);

impl<D: FnMut(&[u8]) -> Option<String>> Text<D> {
    /// At the start of a run. `describe` puts a datagram between nodes into words, on one line.
    pub fn new(describe: D) -> Self {
        Self { describe, mail: BTreeMap::new() }
    }

    /// The line of the next event.
    pub fn line(&mut self, observed: &Observed<'_>) -> Line {
        let (who, mark, what, detail, tone) = match observed.event {
            Event::Cause(cause) => self.cause(cause),
            Event::Effect(effect) => self.effect(effect, observed),
        };
        Line { at: observed.at, who, mark, what, detail: printable(&detail).into_owned(), tone }
    }

    /// A message on its way, in words; it is forgotten unless the network keeps it.
    fn take(&mut self, name: MessageName, keep: bool) -> String {
        let words = if keep { self.mail.get(&name).cloned() } else { self.mail.remove(&name) };
        format!("#{} {}", name.n, words.unwrap_or_default())
    }

    fn cause(&mut self, cause: &Cause) -> Told {
        let node = |node: &NodeId| format!("S{node}");
        let link = |from: &Endpoint, to: &Endpoint| format!("{from}→{to}");
        match cause {
            Cause::Boot { node: who, survivors: left } => (node(who), '▲', "boots", survivors(left), Tone::Good),
            Cause::Crash { node: who } => (node(who), '✗', "crashes", String::new(), Tone::Bad),
            Cause::Pause { node: who } => (node(who), '‖', "pauses", String::new(), Tone::Bad),
            Cause::Resume { node: who } => (node(who), '▲', "goes on", String::new(), Tone::Good),
            Cause::Deliver { message, copy, keep, alterations } => {
                let mut detail = self.take(*message, *keep);
                if *copy > 0 {
                    detail += &format!(" (copy {copy})");
                }
                if !alterations.is_empty() {
                    detail += &format!(" (with {} bytes altered)", alterations.len());
                }
                (link(&message.from, &message.to), '●', "arrives", detail, Tone::Plain)
            }
            Cause::Lose { message, keep } => {
                let mut detail = self.take(*message, *keep);
                detail += if *keep { " (for now)" } else { "" };
                (link(&message.from, &message.to), '✗', "lost", detail, Tone::Bad)
            }
            Cause::Wake { node: who, alarm, .. } => {
                (node(who), '·', "wakes", format!("alarm {alarm} rings"), Tone::Faint)
            }
            Cause::Synced { node: who, sync, status: 0, .. } => {
                (node(who), '✓', "synced", format!("sync {sync}"), Tone::Faint)
            }
            Cause::Synced { node: who, sync, status, .. } => {
                (node(who), '✗', "not synced", format!("sync {sync} fails with status {status}"), Tone::Bad)
            }
            Cause::Request { client, operation: number, attempt, to, body } => {
                let asks = Request::decode(body).map(|request| operation(&request.operation));
                let asks = asks.unwrap_or_else(|| format!("malformed, {} bytes", body.len()));
                let detail = format!("{asks} (operation {number}, attempt {attempt})");
                (format!("C{client}→S{to}"), '→', "asks", detail, Tone::Plain)
            }
            Cause::ClientTimeout { client, operation, attempt, last } => {
                let mut detail = format!("for an answer to operation {operation}, attempt {attempt}");
                detail += if *last { ", and gives it up" } else { "" };
                (format!("C{client}"), '✗', "waited", detail, Tone::Bad)
            }
            Cause::Clock { node: who, jump, ppm } => (node(who), '·', "clock", clock(*jump, *ppm), Tone::Bad),
            Cause::Link { from, to, up: true } => (link(from, to), '✓', "heals", String::new(), Tone::Good),
            Cause::Link { from, to, up: false } => (link(from, to), '✗', "is cut", String::new(), Tone::Bad),
            Cause::Decide { node: who, decision: Decision::Crash, n, .. } => {
                (node(who), '✗', "crashes", format!("within the turn, after its effect {n}"), Tone::Bad)
            }
            Cause::Decide { node: who, decision: Decision::Chance { site }, .. } => {
                (node(who), '·', "chance", format!("site {site} answers 1"), Tone::Plain)
            }
            Cause::Decide { node: who, decision, .. } => {
                let what = if matches!(decision, Decision::Failed { .. }) { "not done" } else { "misled" };
                (node(who), '✗', what, decision.words(), Tone::Bad)
            }
            Cause::Disk { node: who, fault } => {
                let tone = if fault.mends() { Tone::Good } else { Tone::Bad };
                (node(who), '✗', "disk", fault.words(), tone)
            }
        }
    }

    fn effect(&mut self, effect: &Effect<'_>, observed: &Observed<'_>) -> Told {
        match *effect {
            Effect::Sent { message, operation: number, bytes } => {
                let words = match (message.from, message.to) {
                    (Endpoint::Node(_), Endpoint::Node(_)) => {
                        (self.describe)(bytes).unwrap_or_else(|| format!("{} bytes", bytes.len()))
                    }
                    (Endpoint::Client(_), _) => Request::decode(bytes)
                        .map_or_else(|| format!("{} bytes", bytes.len()), |request| operation(&request.operation)),
                    (Endpoint::Node(_), Endpoint::Client(_)) => format!("{}{}", reply(bytes), attempt(number)),
                };
                let detail = format!("#{} {words}", message.n);
                self.mail.insert(message, words);
                (format!("{}→{}", message.from, message.to), '→', "sent", detail, Tone::Plain)
            }
            Effect::Received { client, operation, body } => {
                let good = matches!(Reply::decode(body), Some(Reply::Ok(_)));
                let (mark, tone) = if good { ('✓', Tone::Good) } else { ('✗', Tone::Bad) };
                (format!("C{client}"), mark, "answered", format!("{}{}", reply(body), attempt(operation)), tone)
            }
            Effect::WakeAt { node, alarm, at } => {
                let detail = match at {
                    u64::MAX => format!("alarm {alarm} off"),
                    at => format!("alarm {alarm} to {} on its clock", seconds(at).trim()),
                };
                (format!("S{node}"), '·', "sets", detail, Tone::Faint)
            }
            Effect::Write { node, file, offset, len, .. } => {
                (format!("S{node}"), '·', "writes", format!("{len} bytes at {offset} of file {file}"), Tone::Faint)
            }
            Effect::Truncate { node, file, len } => {
                (format!("S{node}"), '·', "cuts", format!("file {file} to {len} bytes"), Tone::Faint)
            }
            Effect::Sync { node, sync, .. } => (format!("S{node}"), '·', "syncs", format!("sync {sync}"), Tone::Faint),
            Effect::Note { node, kind, body } => match observed.note {
                Some(decoded) => {
                    let (mark, what, detail, tone) = note(node, &decoded.body);
                    (format!("S{node}"), mark, what, detail, tone)
                }
                None => {
                    (format!("S{node}"), '·', "notes", format!("kind {kind:#x}, {} bytes", body.len()), Tone::Faint)
                }
            },
            Effect::Halted { node, code, reason } => {
                let detail = format!("code {code}: {}", String::from_utf8_lossy(reason));
                (format!("S{node}"), '✗', "halts", detail, Tone::Bad)
            }
            Effect::Trapped { node } => (format!("S{node}"), '✗', "traps", "and is down".into(), Tone::Bad),
            Effect::Moot { reason } => (String::new(), '·', "moot", reason.words().into(), Tone::Faint),
        }
    }
}

fn attempt(packed: u64) -> String {
    let Attempt { operation, attempt } = Attempt::unpack(packed);
    format!(" (operation {operation}, attempt {attempt})")
}

/// What happened to a clock, in words.
#[must_use]
pub fn clock(jump: i64, ppm: i32) -> String {
    let jumps = match jump {
        0 => None,
        jump => {
            let way = if jump > 0 { "ahead" } else { "back" };
            Some(format!("jumps {way} by {}", milliseconds(jump.unsigned_abs())))
        }
    };
    let runs = match ppm {
        0 => "runs true".to_owned(),
        ppm => {
            let way = if ppm > 0 { "fast" } else { "slow" };
            let ppm = ppm.unsigned_abs();
            format!("runs {}.{:02} % {way}", ppm / 10_000, ppm % 10_000 / 100)
        }
    };
    jumps.map_or_else(|| runs.clone(), |jumps| format!("{jumps} and {runs}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use raftbox_abi::Note;

    fn lines(events: &[(Micros, Event<'_>)]) -> Vec<String> {
        let mut text = Text::new(|datagram: &[u8]| Some(format!("<{}>", String::from_utf8_lossy(datagram))));
        let line = |(index, (at, event)): (u64, &(Micros, Event<'_>))| {
            let note = match event {
                Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
                _ => None,
            };
            text.line(&Observed { index, at: *at, event, note: note.as_ref() }).to_string()
        };
        (0..).zip(events).map(line).collect()
    }

    #[test]
    fn a_message_is_described_where_it_leaves_and_where_it_arrives() {
        let message = MessageName { from: Endpoint::Node(1), to: Endpoint::Node(2), n: 7 };
        let deliver = |copy, keep| Event::Cause(Cause::Deliver { message, copy, keep, alterations: Vec::new() });
        let sent = Event::Effect(Effect::Sent { message, operation: 0, bytes: b"\x1b[2Jhello" });
        let events = [(1, sent), (1_000_002, deliver(0, true)), (2_000_000, deliver(1, false))];
        assert_eq!(
            lines(&events),
            [
                "    0.000001  S1→S2    → sent       #7 <\\u{1b}[2Jhello>",
                "    1.000002  S1→S2    ● arrives    #7 <\\u{1b}[2Jhello>",
                "    2.000000  S1→S2    ● arrives    #7 <\\u{1b}[2Jhello> (copy 1)",
            ]
        );
    }

    #[test]
    fn a_refusal_says_what_was_compared() {
        let older = |mine, theirs| refusal(2, 3, &Refusal::VoteOlderLog { mine, theirs });
        assert_eq!(older((9, 2), (12, 1)), "S2 refuses S3's vote: its last log term 1 is below mine 2 (paper, 5.4.1)");
        assert_eq!(older((9, 2), (8, 2)), "S2 refuses S3's vote: its log ends at 8, mine at 9 (paper, 5.4.1)");
    }

    #[test]
    fn a_note_is_a_sentence() {
        let mut body = Vec::new();
        let role = Body::Role { role: raftbox_abi::note::Role::Leader, term: 3, leader: 2 };
        let kind = Note { group: 0, body: role }.encode(&mut body);
        let event = Event::Effect(Effect::Note { node: 2, kind, body: &body });
        assert_eq!(lines(&[(5, event)]), ["    0.000005  S2       ◆ role       S2 becomes leader of term 3"]);
    }

    #[test]
    fn a_clock_is_told_in_words() {
        assert_eq!(clock(-1_500, 0), "jumps back by 1.5 ms and runs true");
        assert_eq!(clock(0, 12_345), "runs 1.23 % fast");
    }
}
