//! The checkers, on traces written by hand: each is silent on good ones and speaks up on lies.
//!
//! A script is a run of a cluster that is told by what its nodes note and its clients see. A command is an event, or a few
//! in a row; its output are the properties that it violates. `UPDATE_GOLDENFILES=1` writes the outputs anew.
//!
//! | command | meaning |
//! |---|---|
//! | `cluster 3 clients=2` | a new run, of 3 nodes and 2 clients |
//! | `S1/S2 start` | the nodes boot with an empty disk, and all nodes as voters (`all start`: all nodes) |
//! | `S1 boot`, `S1 config 1/2/3 outgoing=3/4/5`, `S1 recovered term=2 vote=1 log=1@1/2@1 snapshot=1@1` | the same, in steps |
//! | `S1 crash`, `S1 crash-in-turn`, `S1 halt`, `S1 trap` | the end of a boot |
//! | `S1 follower 2`, `S1 candidate 2`, `S1 leader 2` | the role and the term |
//! | `S1 hard 2 vote=3` | term and vote are durable |
//! | `S1 elected 2 by=1/2` | these nodes have a durable vote for it in that term, and it leads |
//! | `S1 append 1@1 2@1 as=x kind=no-op` | entries, by index and term; another command than by default |
//! | `S1 stores 1@1` | append and durable |
//! | `S1 truncate 2`, `S1 durable 2`, `S1 commit 2`, `S1 apply 1@1 as=x result=y` | as the notes |
//! | `S1 snapshot log=1@1/2@1`, `S1 install log=1@1/2@1` | a snapshot of that log |
//! | `S1 garbage 4`, `S1 garbage 0x80000000` | a note of that kind that cannot be read |
//! | `S1 group 7` | a note about that Raft group |
//! | `C1 append a1 "x;" n=0`, `C1 increment c1 5 n=0`, `C1 get a1 n=0`, `C1 put a1 x n=0` | operation 0 is asked |
//! | `C1 ok n=0`, `C1 value "x;" n=0`, `C1 redirect n=0`, `C1 undefined n=0`, `C1 expired n=0` | and answered |
//! | `verdicts`, `verdict notes` | all verdicts, or that of one property |

use goldenscript::{ArgumentConsumer, Command, Context, Runner};
use raftbox::check::{Checkers, Observed, Verdict};
use raftbox::event::{Cause, Decision, Effect, Event};
use raftbox_abi::client::{Attempt, Operation, Outcome, Reason, Reply, Request};
use raftbox_abi::note::{Body, EntryKind, ReadMode, Role};
use raftbox_abi::{Note, chain, hash};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

macro_rules! scripts {
    ($($name:ident)+) => {
        const SCRIPTS: &[&str] = &[$(stringify!($name),)+];
        $(#[test] fn $name() { run(stringify!($name)); })+
    };
}

scripts! {
    acknowledged_writes
    commit_is_durable
    commit_monotonic
    configuration_safety
    durable_state_monotonic
    election_safety
    exactly_once
    good_runs
    guest_trap
    leader_append_only
    leader_completeness
    leader_has_votes
    lease_safety
    linearizability
    log_matching
    notes
    one_durable_vote
    read_safety
    snapshot_safety
    state_machine_safety
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/check"))
}

fn run(name: &str) {
    goldenscript::run(&mut Trace::new(3, 2), folder().join(name).with_extension("txt")).unwrap();
}

#[test]
fn every_script_is_run() {
    let mut found: Vec<_> = folder()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, SCRIPTS);
}

#[test]
fn a_verdict_is_a_word_or_an_object() {
    let checkers = Checkers::new(1, 1);
    let verdicts = serde_json::to_string(&checkers.verdicts()[0]).unwrap();
    assert_eq!(verdicts, r#"["election-safety",{"unobserved":{"missing":"a leader"}}]"#);
    assert_eq!(serde_json::to_string(&Verdict::Pass).unwrap(), r#""pass""#);
}

type Failure = Box<dyn Error>;

/// A run that is written by hand.
struct Trace {
    nodes: u32,
    checkers: Checkers,
    events: u64,
    /// What is asked by each operation.
    operations: Vec<((u32, u64), Answer)>,
    /// How long the keys are that were appended to, and what numbers the others are.
    lengths: BTreeMap<String, u64>,
    numbers: BTreeMap<String, i64>,
    /// The command of each operation, as its hash.
    commands: BTreeMap<(u32, u64), u64>,
    output: String,
}

/// What an operation is answered, when it is answered.
#[derive(Clone)]
enum Answer {
    /// How long a key is now, which grows by so much.
    Length(String, u64),
    /// What number a key is now, to which that is added.
    Number(String, i64),
    Done,
}

impl Runner for Trace {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Failure> {
        let name = command.name.as_str();
        let mut args = command.consume_args();
        match name {
            "cluster" => *self = Self::new(number(&mut args)?, key(&mut args, "clients", 2)?),
            "verdicts" => self.tell_verdicts(None)?,
            "verdict" => self.tell_verdicts(Some(args.next_pos().ok_or("verdict of what?")?))?,
            _ => match name.strip_prefix('C') {
                Some(client) => self.client(client.parse()?, &mut args)?,
                None => {
                    for node in self.subjects(name)? {
                        args = command.consume_args();
                        self.node(node, &mut args)?;
                    }
                }
            },
        }
        args.reject_next()?;
        Ok(std::mem::take(&mut self.output))
    }
}

impl Trace {
    fn new(nodes: u32, clients: u32) -> Self {
        Self {
            nodes,
            checkers: Checkers::new(nodes, clients),
            events: 0,
            operations: Vec::new(),
            lengths: BTreeMap::new(),
            numbers: BTreeMap::new(),
            commands: BTreeMap::new(),
            output: String::new(),
        }
    }

    fn tell_verdicts(&mut self, only: Option<&str>) -> Result<(), Failure> {
        let mut verdicts = self.checkers.verdicts();
        verdicts.retain(|(name, _)| only.is_none_or(|only| only == *name));
        if verdicts.is_empty() {
            return Err("there is no such property".into());
        }
        for (name, verdict) in verdicts {
            match verdict {
                Verdict::Pass => writeln!(self.output, "{name}: pass")?,
                Verdict::Violated { event, what, .. } => {
                    writeln!(self.output, "{name}: violated in event {event}: {what}")?;
                }
                Verdict::Unobserved { missing } => {
                    writeln!(self.output, "{name}: unobserved, missing: {missing}")?;
                }
                Verdict::Unknown { why } => writeln!(self.output, "{name}: unknown: {why}")?,
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>) {
        let note = match event {
            Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
            _ => None,
        };
        let before = self.checkers.verdicts();
        let (index, at) = (self.events, self.events * 1000);
        self.checkers.observe(&Observed { index, at, event, note: note.as_ref() });
        self.events += 1;
        let first = self.checkers.first_violation().map(|(name, violation)| (name, violation.event));
        let violations = |(name, verdict): &(&'static str, Verdict)| match verdict {
            Verdict::Violated { event, what, .. } => Some((*name, *event, what.clone())),
            _ => None,
        };
        for ((name, event, what), before) in self.checkers.verdicts().iter().zip(before).filter_map(|(now, before)| {
            Some((violations(now)?, before)).filter(|(_, before)| violations(before).is_none())
        }) {
            assert!(matches!(before.1, Verdict::Pass | Verdict::Unobserved { .. }), "{before:?}");
            let when = if event == index { String::new() } else { format!(" (event {event})") };
            writeln!(self.output, "{name}{when}: {what}").unwrap();
            let judged_at_the_end = ["acknowledged-writes", "linearizability"].contains(&name);
            assert!(first.is_some_and(|(_, first)| first <= event) || judged_at_the_end);
        }
    }

    fn note(&mut self, node: u32, body: Body) {
        let mut bytes = Vec::new();
        let kind = Note { group: 0, body }.encode(&mut bytes);
        self.event(&Event::Effect(Effect::Note { node, kind, body: &bytes }));
    }

    fn subjects(&self, names: &str) -> Result<Vec<u32>, Failure> {
        match names {
            "all" => Ok((1..=self.nodes).collect()),
            _ => ids(names),
        }
    }

    fn node(&mut self, node: u32, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let verb = args.next_pos().ok_or("what does it do?")?;
        match verb {
            "start" => {
                self.event(&Event::Cause(Cause::Boot { node, survivors: Vec::new() }));
                let voters = (1..=self.nodes).collect();
                self.note(node, configuration(voters, Vec::new()));
                self.note(node, recovered((0, 0), (0, 0), &[]));
            }
            "boot" => self.event(&Event::Cause(Cause::Boot { node, survivors: Vec::new() })),
            "crash" => self.event(&Event::Cause(Cause::Crash { node })),
            "crash-in-turn" => {
                let decision = Decision::Crash;
                let cause = Cause::Decide { node, boot: 1, call: 0, n: 0, decision };
                self.event(&Event::Cause(cause));
            }
            "clock" => {
                let (jump, ppm) = (key(args, "jump", 0)?, key(args, "ppm", 0)?);
                self.event(&Event::Cause(Cause::Clock { node, jump, ppm }));
            }
            "halt" => self.event(&Event::Effect(Effect::Halted { node, code: 1, reason: b"" })),
            "trap" => self.event(&Event::Effect(Effect::Trapped { node })),
            "garbage" => {
                let kind = args.next_pos().ok_or("of which kind?")?;
                let kind = match kind.strip_prefix("0x") {
                    Some(digits) => u32::from_str_radix(digits, 16)?,
                    None => kind.parse()?,
                };
                self.event(&Event::Effect(Effect::Note { node, kind, body: b"?" }));
            }
            "group" => {
                let body = Body::Durable { last: 1 };
                let mut bytes = Vec::new();
                let kind = Note { group: number(args)?, body }.encode(&mut bytes);
                self.event(&Event::Effect(Effect::Note { node, kind, body: &bytes }));
            }
            "elected" => {
                let term = number(args)?;
                for voter in ids(args.take_key("by").ok_or("by whom?")?)? {
                    self.note(voter, Body::HardState { term, vote: node });
                }
                self.note(node, Body::Role { role: Role::Leader, term, leader: node });
            }
            "append" | "stores" | "apply" => self.entries(node, verb, args)?,
            _ => {
                let body = body(node, verb, args)?;
                self.note(node, body);
            }
        }
        Ok(())
    }

    fn entries(&mut self, node: u32, verb: &str, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let content = args.take_key("as");
        // `of=C1.0`: the command is what C1 asked first.
        let asked = match args.take_key("of").map(|of| of.trim_start_matches('C').split_once('.')) {
            None => None,
            Some(None) => return Err("an operation is written C1.0".into()),
            Some(Some((client, n))) => {
                let name = (client.parse()?, n.parse()?);
                Some(*self.commands.get(&name).ok_or("that was never asked")?)
            }
        };
        let kind = match args.take_key("kind") {
            None => EntryKind::Command,
            Some("no-op") => EntryKind::Noop,
            Some("configuration") => EntryKind::Config,
            Some(_) => return Err("there is no such kind of entry".into()),
        };
        let result = match args.take_key("refused") {
            None => hash(args.take_key("result").unwrap_or("done").as_bytes()),
            Some(why) => {
                let reason = if why == "full" { Reason::LogFull } else { Reason::Stale };
                let mut reply = Vec::new();
                Reply::Refused(reason).encode(&mut reply);
                hash(&reply)
            }
        };
        while let Some(entry) = args.next_pos() {
            let (index, term) = position(entry)?;
            let command = asked.unwrap_or_else(|| command(index, term, content));
            if verb == "apply" {
                self.note(node, Body::Apply { index, term, command, result });
            } else {
                self.note(node, Body::Append { index, term, kind, hash: command });
            }
            if verb == "stores" {
                self.note(node, Body::Durable { last: index });
            }
        }
        Ok(())
    }

    fn client(&mut self, client: u32, args: &mut ArgumentConsumer<'_>) -> Result<(), Failure> {
        let n = key(args, "n", 0)?;
        let attempt = key(args, "attempt", 0)?;
        let verb = args.next_pos().ok_or("what does it do?")?;
        let mut word = || args.next_pos().ok_or("an argument is missing");
        let asked = match verb {
            "append" => {
                let (key, value) = (word()?, word()?);
                let answer = Answer::Length(key.to_owned(), value.len() as u64);
                Some((Operation::Append(key.as_bytes(), value.as_bytes()), answer))
            }
            "increment" => {
                let (key, by) = (word()?, word()?.parse()?);
                Some((Operation::Increment(key.as_bytes(), by), Answer::Number(key.to_owned(), by)))
            }
            "get" => Some((Operation::Get(word()?.as_bytes()), Answer::Done)),
            "read" => {
                let mode = mode(word()?)?;
                Some((Operation::Read(mode, word()?.as_bytes()), Answer::Done))
            }
            "put" => Some((Operation::Put(word()?.as_bytes(), word()?.as_bytes()), Answer::Done)),
            _ => None,
        };
        if let Some((operation, answer)) = asked {
            self.ask(client, n, attempt, operation, answer);
            return Ok(());
        }
        let reply = match verb {
            "ok" => {
                let answers = self.operations.iter().rev();
                let answer = answers.into_iter().find(|(name, _)| *name == (client, n));
                Reply::Ok(match answer.ok_or("that was never asked")?.1.clone() {
                    Answer::Length(key, by) => {
                        let length = self.lengths.entry(key).or_default();
                        *length += by;
                        Outcome::Length(*length)
                    }
                    Answer::Number(key, by) => {
                        let number = self.numbers.entry(key).or_default();
                        *number += by;
                        Outcome::Number(*number)
                    }
                    Answer::Done => Outcome::Done,
                })
            }
            "value" => Reply::Ok(Outcome::Value(Some(word()?.as_bytes()))),
            "absent" => Reply::Ok(Outcome::Value(None)),
            "undefined" => Reply::Ok(Outcome::Undefined),
            "redirect" => Reply::Redirect(1),
            "expired" => Reply::SessionExpired,
            _ => return Err(format!("clients do not {verb}").into()),
        };
        let mut body = Vec::new();
        reply.encode(&mut body);
        let operation = Attempt { operation: n, attempt }.pack();
        self.event(&Event::Effect(Effect::Received { client, operation, body: &body }));
        Ok(())
    }

    fn ask(&mut self, client: u32, n: u64, attempt: u64, asked: Operation<'_>, answer: Answer) {
        let mut body = Vec::new();
        Request { session: 1, sequence: n + 1, operation: asked }.encode(&mut body);
        self.operations.push(((client, n), answer));
        self.commands.insert((client, n), hash(&body));
        self.event(&Event::Cause(Cause::Request { client, operation: n, attempt, to: 1, body }));
    }
}

/// The notes that are one word and its arguments.
fn body(node: u32, verb: &str, args: &mut ArgumentConsumer<'_>) -> Result<Body, Failure> {
    let role = |role, term| Body::Role { role, term, leader: if role == Role::Leader { node } else { 0 } };
    Ok(match verb {
        "config" => {
            let outgoing = args.take_key("outgoing").map_or(Ok(Vec::new()), ids)?;
            configuration(ids(args.next_pos().ok_or("with which voters?")?)?, outgoing)
        }
        "recovered" => {
            let snapshot = args.take_key("snapshot").map_or(Ok((0, 0)), position)?;
            let hard = (key(args, "term", 0)?, u32::try_from(key(args, "vote", 0)?)?);
            recovered(hard, snapshot, &log(args)?)
        }
        "follower" => role(Role::Follower, number(args)?),
        "candidate" => role(Role::Candidate, number(args)?),
        "leader" => role(Role::Leader, number(args)?),
        "hard" => Body::HardState { term: number(args)?, vote: key(args, "vote", 0)? },
        "truncate" => Body::Truncate { from: number(args)? },
        "durable" => Body::Durable { last: number(args)? },
        "commit" => Body::Commit { index: number(args)? },
        "snapshot" | "install" => {
            let log = log(args)?;
            let state = hash(args.take_key("state").unwrap_or("").as_bytes());
            let ((index, term), prefix) = (end(&log), prefix(&log));
            if verb == "snapshot" {
                Body::Snapshot { index, term, prefix, state }
            } else {
                Body::Install { index, term, prefix, state }
            }
        }
        "reads" => {
            let client = args.next_pos().ok_or("whose read?")?.trim_start_matches('C').parse()?;
            let attempt = Attempt { operation: key(args, "n", 0)?, attempt: key(args, "attempt", 0)? };
            let mode = mode(args.take_key("mode").unwrap_or("read-index"))?;
            Body::Read { client, operation: attempt.pack(), mode, index: number(args)? }
        }
        "lease" => Body::Lease { until: number(args)? },
        _ => return Err(format!("nodes do not {verb}").into()),
    })
}

fn mode(word: &str) -> Result<ReadMode, Failure> {
    let modes = [ReadMode::Log, ReadMode::Index, ReadMode::Lease, ReadMode::Local];
    modes.into_iter().find(|mode| mode.word() == word).ok_or_else(|| "there is no such way to read".into())
}

fn configuration(voters: Vec<u32>, outgoing: Vec<u32>) -> Body {
    Body::Config { index: 0, voters, outgoing, learners: Vec::new() }
}

/// A log as (index, term, hash).
type Log = [(u64, u64, u64)];

fn recovered((term, vote): (u64, u32), snapshot: (u64, u64), log: &Log) -> Body {
    Body::Recovered { term, vote, snapshot, last: end(log), prefix: prefix(log) }
}

fn end(log: &Log) -> (u64, u64) {
    log.last().map_or((0, 0), |(index, term, _)| (*index, *term))
}

fn prefix(log: &Log) -> u64 {
    log.iter().fold(0, |prefix, (_, term, hash)| chain(prefix, *term, EntryKind::Command, *hash))
}

fn log(args: &mut ArgumentConsumer<'_>) -> Result<Vec<(u64, u64, u64)>, Failure> {
    let content = args.take_key("as");
    let entries = args.take_key("log").unwrap_or("").split('/').filter(|entry| !entry.is_empty());
    entries.map(|entry| position(entry).map(|(index, term)| (index, term, command(index, term, content)))).collect()
}

/// The hash of a command: of its name, if it has one.
fn command(index: u64, term: u64, content: Option<&str>) -> u64 {
    content.map_or_else(|| hash(format!("{index}@{term}").as_bytes()), |name| hash(name.as_bytes()))
}

fn position(entry: &str) -> Result<(u64, u64), Failure> {
    let (index, term) = entry.split_once('@').ok_or("an entry is written index@term")?;
    Ok((index.parse()?, term.parse()?))
}

fn ids(names: &str) -> Result<Vec<u32>, Failure> {
    names.split('/').map(|name| Ok(name.trim_start_matches('S').parse()?)).collect()
}

fn number<T: FromStr<Err: Error + 'static>>(args: &mut ArgumentConsumer<'_>) -> Result<T, Failure> {
    Ok(args.next_pos().ok_or("a number is missing")?.parse()?)
}

fn key<T: FromStr<Err: Error + 'static>>(
    args: &mut ArgumentConsumer<'_>,
    name: &str,
    default: T,
) -> Result<T, Failure> {
    args.take_key(name).map_or(Ok(default), |value| Ok(value.parse()?))
}
