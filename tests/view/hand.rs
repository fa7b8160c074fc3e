//! Runs that are written by hand, an event a command.
//!
//! | command | meaning |
//! |---|---|
//! | `tick 5ms` | time goes on |
//! | `S1 boot`, `S1 crash`, `S1 pause`, `S1 resume`, `S1 trap`, `S1 halt` | causes, and ends of a boot |
//! | `S1 clock jump=5 ppm=20000`, `S1 synced 0 status=-1` | its clock is set, its disk answers |
//! | `S1 follower 2 of=3`, `S1 candidate 2`, `S1 pre-candidate 2`, `S1 leader 2` | it notes its role, and its term |
//! | `S1 hard 2 vote=3`, `S1 append 1@1 2@1 as=x`, `S1 durable 2`, `S1 commit 2`, `S1 apply 1@1`, `S1 truncate 2` | notes |
//! | `S1 recovered term=2 last=3@1`, `S1 install 4@1`, `S1 voters 1/2/3 outgoing=3/4/5` | notes |
//! | `S1 refuses S2 vote-log mine=2@1 theirs=1@1` | a note that it turned S2 down; see [`refusal`] |
//! | `S1 writes 100`, `S1 syncs 0`, `S1 alarm 5ms` | effects |
//! | `S1 property always holds=true`, `S1 own 0x80000001` | a claim, a note of its own |
//! | `C1 asks S2 append a x n=0 attempt=0`, `C1 answered redirect n=0` | a client |
//! | `C1 waited n=0 attempt=0 last` | a client stops waiting |
//! | `link S1 S2 cut`, `link S1 S2 heal` | a link, one way |
//! | `message S1 S2 0 sent "append entries=1"`, `message S1 S2 0 arrives`, `... lost`, `keep` | a message |
//!
//! Any of them with `moot="the node is down"` is followed by that.

use goldenscript::{ArgumentConsumer, Command};
use raftbox::check::{Checkers, Observed, Verdict};
use raftbox::event::{Alteration, Cause, Effect, Encoder, Endpoint, Event, MessageName, Micros, Moot};
use raftbox::scenario::Scenario;
use raftbox::trace::{Keep, Trace};
use raftbox::units::Span;
use raftbox::view::Recording;
use raftbox_abi::client::{Attempt, Operation, Outcome, Reason, Reply, Request};
use raftbox_abi::note::{Body, EntryKind, PropertyKind, Refusal, Role};
use raftbox_abi::{Note, hash};
use std::error::Error;

type Failure = Box<dyn Error>;

/// A run by hand.
pub(crate) struct Hand {
    nodes: u32,
    trace: Trace,
    at: Micros,
}

impl Hand {
    /// Of so many nodes, before its first event.
    pub(crate) fn new(nodes: u32) -> Self {
        Self { nodes, trace: Trace::new(b"by hand", Keep::All), at: 0 }
    }

    /// The run so far.
    pub(crate) fn recording(&self) -> Recording {
        let mut recording = Recording::new(&Scenario { nodes: self.nodes, ..Scenario::default() });
        recording.follow(&self.trace, |datagram| Some(String::from_utf8_lossy(datagram).into_owned()));
        recording
    }

    /// What checkers say of it.
    pub(crate) fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        let mut checkers = Checkers::new(self.nodes, 1);
        for (index, (at, event)) in (0..).zip(self.trace.iter()) {
            let note = match &event {
                Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
                _ => None,
            };
            checkers.observe(&Observed { index, at, event: &event, note: note.as_ref() });
        }
        checkers.verdicts()
    }

    /// One more event, or a few.
    pub(crate) fn event(&mut self, command: &Command) -> Result<(), Failure> {
        let mut args = command.consume_args();
        let moot = args.take_key("moot");
        let name = command.name.as_str();
        if name == "tick" {
            self.at += args.next_pos().ok_or("by how much?")?.parse::<Span>()?.0;
            return Ok(());
        }
        let mut step = Encoder::default();
        let mut on = Step { later: self.at - self.trace.at(), step: &mut step };
        match name {
            "link" => {
                let (from, to) = (endpoint(args.next_pos())?, endpoint(args.next_pos())?);
                on.cause(&Cause::Link { from, to, up: args.next_pos() == Some("heal") });
            }
            "message" => on.message(&mut args)?,
            _ => match endpoint(Some(name))? {
                Endpoint::Node(node) => on.node(node, &mut args)?,
                Endpoint::Client(client) => on.client(client, &mut args)?,
            },
        }
        args.reject_next()?;
        if let Some(words) = moot {
            let reasons = [Moot::NodeDown, Moot::NodeUp, Moot::NodePaused, Moot::BootOver, Moot::NoSuchMessage];
            let reason = reasons.into_iter().find(|reason| reason.words() == words).ok_or("there is no such reason")?;
            step.effect(&Effect::Moot { reason });
        }
        self.trace.append(self.at, &step);
        Ok(())
    }
}

/// The events of a command.
struct Step<'a> {
    later: Micros,
    step: &'a mut Encoder,
}

impl Step<'_> {
    fn cause(&mut self, cause: &Cause) {
        self.step.cause(std::mem::take(&mut self.later), cause);
    }

    /// An effect needs a cause before it, for the time.
    fn effect(&mut self, effect: &Effect<'_>) {
        if self.later > 0 {
            self.cause(&Cause::Link { from: Endpoint::Node(0), to: Endpoint::Node(0), up: true });
        }
        self.step.effect(effect);
    }

    fn note(&mut self, node: u32, body: Body) {
        let mut bytes = Vec::new();
        let kind = Note { group: 0, body }.encode(&mut bytes);
        self.effect(&Effect::Note { node, kind, body: &bytes });
    }

    fn message(&mut self, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let (from, to) = (endpoint(args.next_pos())?, endpoint(args.next_pos())?);
        let message = MessageName { from, to, n: number(args)? };
        let copy = args.take_key("copy").map_or(Ok(0), str::parse)?;
        let altered = args.take_key("altered").map_or(Ok(0), str::parse)?;
        let what = args.next_pos().ok_or("what becomes of it?")?;
        let said = args.next_pos();
        match what {
            "sent" => self.effect(&Effect::Sent { message, operation: 0, bytes: said.unwrap_or("").as_bytes() }),
            "arrives" => {
                let alterations = (0..altered).map(|offset| Alteration { offset, xor: 1 }).collect();
                self.cause(&Cause::Deliver { message, copy, keep: said == Some("keep"), alterations });
            }
            "lost" => self.cause(&Cause::Lose { message, keep: said == Some("keep") }),
            _ => return Err("there is no such thing to become of a message".into()),
        }
        Ok(())
    }

    fn client(&mut self, client: u32, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let operation = args.take_key("n").map_or(Ok(0), str::parse)?;
        let attempt = args.take_key("attempt").map_or(Ok(0), str::parse)?;
        let packed = Attempt { operation, attempt }.pack();
        match args.next_pos().ok_or("what does it do?")? {
            "asks" => {
                let Endpoint::Node(to) = endpoint(args.next_pos())? else { return Err("it is no node".into()) };
                let mut word = || args.next_pos().map(str::as_bytes).ok_or("a word is missing");
                let asked = match word()? {
                    b"append" => Operation::Append(word()?, word()?),
                    b"put" => Operation::Put(word()?, word()?),
                    b"get" => Operation::Get(word()?),
                    _ => Operation::Register,
                };
                let mut body = Vec::new();
                Request { session: 1, sequence: operation, operation: asked }.encode(&mut body);
                self.cause(&Cause::Request { client, operation, attempt, to, body });
            }
            "waited" => {
                let last = args.next_pos() == Some("last");
                self.cause(&Cause::ClientTimeout { client, operation, attempt, last });
            }
            "answered" => {
                let reply = match args.next_pos().ok_or("what?")? {
                    "done" => Reply::Ok(Outcome::Done),
                    "redirect" => Reply::Redirect(args.next_pos().map_or(Ok(0), str::parse)?),
                    "full" => Reply::Refused(Reason::LogFull),
                    "stale" => Reply::Refused(Reason::Stale),
                    _ => Reply::SessionExpired,
                };
                let mut body = Vec::new();
                reply.encode(&mut body);
                self.effect(&Effect::Received { client, operation: packed, body: &body });
            }
            _ => return Err("clients do no such thing".into()),
        }
        Ok(())
    }

    fn node(&mut self, node: u32, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let verb = args.next_pos().ok_or("what does it do?")?;
        let role = |role, term, leader| Body::Role { role, term, leader };
        match verb {
            "boot" => self.cause(&Cause::Boot { node, survivors: Vec::new() }),
            "crash" => self.cause(&Cause::Crash { node }),
            "pause" => self.cause(&Cause::Pause { node }),
            "resume" => self.cause(&Cause::Resume { node }),
            "wakes" => self.cause(&Cause::Wake { node, boot: 1, alarm: number(args)? }),
            "clock" => {
                let jump = args.take_key("jump").map_or(Ok(0), str::parse)?;
                let ppm = args.take_key("ppm").map_or(Ok(0), str::parse)?;
                self.cause(&Cause::Clock { node, jump, ppm });
            }
            "synced" => {
                let status = args.take_key("status").map_or(Ok(0), str::parse)?;
                self.cause(&Cause::Synced { node, boot: 1, sync: number(args)?, status });
            }
            "trap" => self.effect(&Effect::Trapped { node }),
            "halt" => self.effect(&Effect::Halted { node, code: 3, reason: b"the disk is damaged" }),
            "writes" => {
                self.effect(&Effect::Write { node, file: 0, offset: 0, len: number(args)?, hash: 0 });
            }
            "syncs" => self.effect(&Effect::Sync { node, sync: number(args)?, ticket: 0 }),
            "alarm" => {
                let at = args.next_pos().ok_or("when?")?.parse::<Span>()?.0;
                self.effect(&Effect::WakeAt { node, alarm: 0, at });
            }
            "own" => {
                let kind = args.next_pos().and_then(|kind| kind.strip_prefix("0x")).ok_or("of which kind?")?;
                self.effect(&Effect::Note { node, kind: u32::from_str_radix(kind, 16)?, body: b"?" });
            }
            "append" | "apply" => {
                let content = args.take_key("as").map(str::to_owned);
                while let Some(entry) = args.next_pos() {
                    let (index, term) = position(entry)?;
                    let command = hash(content.clone().unwrap_or_else(|| entry.to_owned()).as_bytes());
                    self.note(
                        node,
                        if verb == "append" {
                            Body::Append { index, term, kind: EntryKind::Command, hash: command }
                        } else {
                            Body::Apply { index, term, command, result: hash(b"done") }
                        },
                    );
                }
            }
            "refuses" => {
                let peer = args.next_pos().and_then(|peer| peer.strip_prefix('S')).map_or(Ok(0), str::parse)?;
                let refusal = refusal(args)?;
                self.note(node, Body::Refused { peer, refusal });
            }
            "follower" => {
                let leader = args.take_key("of").map_or(Ok(0), str::parse)?;
                self.note(node, role(Role::Follower, number(args)?, leader));
            }
            "candidate" => self.note(node, role(Role::Candidate, number(args)?, 0)),
            "pre-candidate" => self.note(node, role(Role::PreCandidate, number(args)?, 0)),
            "leader" => self.note(node, role(Role::Leader, number(args)?, node)),
            _ => {
                let body = body(verb, args)?;
                self.note(node, body);
            }
        }
        Ok(())
    }
}

/// The notes that are a word and its arguments.
fn body(verb: &str, args: &mut ArgumentConsumer<'_>) -> Result<Body, Failure> {
    Ok(match verb {
        "hard" => Body::HardState { vote: args.take_key("vote").map_or(Ok(0), str::parse)?, term: number(args)? },
        "durable" => Body::Durable { last: number(args)? },
        "commit" => Body::Commit { index: number(args)? },
        "truncate" => Body::Truncate { from: number(args)? },
        "recovered" => Body::Recovered {
            term: args.take_key("term").map_or(Ok(0), str::parse)?,
            vote: args.take_key("vote").map_or(Ok(0), str::parse)?,
            snapshot: (0, 0),
            last: args.take_key("last").map_or(Ok((0, 0)), position)?,
            prefix: 0,
        },
        "install" => {
            let (index, term) = position(args.next_pos().ok_or("up to where?")?)?;
            Body::Install { index, term, prefix: 0, state: 0 }
        }
        "voters" => Body::Config {
            outgoing: args.take_key("outgoing").map_or(Ok(Vec::new()), ids)?,
            index: 0,
            voters: ids(args.next_pos().ok_or("which?")?)?,
            learners: Vec::new(),
        },
        "property" => Body::Property {
            kind: PropertyKind::Always,
            name: args.next_pos().ok_or("which?")?.to_owned(),
            value: args.take_key("holds") != Some("false"),
        },
        _ => return Err(format!("nodes do not {verb}").into()),
    })
}

/// Why somebody is turned down: `vote-term mine=2 theirs=1`, `vote-once term=2 by=3`, `vote-log mine=2@1 theirs=1@1`,
/// `vote-alive leader=1 heard=5 minimum=9`, `append-term mine=2 theirs=1`, `append-gap previous=5 last=3`,
/// `append-mismatch previous=5 mine=1 theirs=2`, `not-leader hint=3`, `full bytes=9 bound=8`.
fn refusal(args: &mut ArgumentConsumer<'_>) -> Result<Refusal, Failure> {
    let why = args.next_pos().ok_or("why?")?;
    let mut value = |name: &str| args.take_key(name).ok_or_else(|| format!("{name} is missing"));
    Ok(match why {
        "vote-term" => Refusal::VoteStaleTerm { mine: value("mine")?.parse()?, theirs: value("theirs")?.parse()? },
        "vote-once" => Refusal::VoteTaken { term: value("term")?.parse()?, by: value("by")?.parse()? },
        "vote-log" => Refusal::VoteOlderLog { mine: position(value("mine")?)?, theirs: position(value("theirs")?)? },
        "vote-alive" => Refusal::VoteLeaderAlive {
            leader: value("leader")?.parse()?,
            heard: value("heard")?.parse()?,
            minimum: value("minimum")?.parse()?,
        },
        "append-term" => Refusal::AppendStaleTerm { mine: value("mine")?.parse()?, theirs: value("theirs")?.parse()? },
        "append-gap" => Refusal::AppendGap { previous: value("previous")?.parse()?, last: value("last")?.parse()? },
        "append-mismatch" => Refusal::AppendMismatch {
            previous: value("previous")?.parse()?,
            mine: value("mine")?.parse()?,
            theirs: value("theirs")?.parse()?,
        },
        "not-leader" => Refusal::NotLeader { hint: value("hint")?.parse()? },
        "full" => Refusal::LogFull { bytes: value("bytes")?.parse()?, bound: value("bound")?.parse()? },
        _ => return Err("there is no such reason".into()),
    })
}

fn endpoint(name: Option<&str>) -> Result<Endpoint, Failure> {
    let name = name.ok_or("who?")?;
    match name.split_at_checked(1) {
        Some(("S", node)) => Ok(Endpoint::Node(node.parse()?)),
        Some(("C", client)) => Ok(Endpoint::Client(client.parse()?)),
        _ => Err(format!("{name} is nobody").into()),
    }
}

fn number<T: std::str::FromStr<Err: Error + 'static>>(args: &mut ArgumentConsumer<'_>) -> Result<T, Failure> {
    Ok(args.next_pos().ok_or("a number is missing")?.parse()?)
}

fn position(text: &str) -> Result<(u64, u64), Failure> {
    let (index, term) = text.split_once('@').ok_or("an entry is index@term")?;
    Ok((index.parse()?, term.parse()?))
}

fn ids(text: &str) -> Result<Vec<u32>, Failure> {
    Ok(text.split('/').map(str::parse).collect::<Result<_, _>>()?)
}
