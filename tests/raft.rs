//! The Raft core, tested by scripts: `tests/scripts/raft/*.txt`, one situation each.
//!
//! A script drives a cluster of cores by hand. Messages are held until delivered, syncs until completed, and time
//! stands still until moved. What happens is printed, one change a line:
//!
//! ```text
//! 1 candidate in term 2            what a node notes about itself
//! 1 write term 2 vote 1            it writes its term and vote (writes to the log are in the notes: append, truncate)
//! 1 sync 3                         it asks for a sync; this is its third
//! 1 -> 2 RequestVote ...           it sends; the message is held
//! 2 <- 1 RequestVote ...           the message is delivered; what follows comes of it
//! 1 apply 4@2 x                    it applies the entry of index 4 and term 2
//! ```
//!
//! The machine of these nodes is a text: the commands one after the other. That is what is in a snapshot.
//!
//! Entries are `index@term command`. A rejected delivery is a line with `no append from`, `no vote for` and so on.
//! Whatever a script does, each message is checked against its sender's disk as it is sent.
//!
//! | command | example | meaning |
//! |---|---|---|
//! | `cluster` | `cluster 3 pre_vote=false show=alarms` | boots nodes 1 to 3; knobs by name, `learners=4/5`, `spare=6` for nodes that are no members, `draws=0/900` for their first timeouts; alarms are shown on demand |
//! | `disk` | `disk 2 term=7 vote=1 log=1/1/4` | boots node 2 anew from a disk with entries of these terms |
//! | `draw` | `draw 1 5000` | the next election timeout of node 1 is the minimum plus 5000 µs (else plus 0) |
//! | `timeout` | `timeout 1` | the alarm of node 1 goes off now |
//! | `wait` | `wait 50000` | time moves on by 50 ms; alarms that fall due go off |
//! | `clock` | `clock 3 20000` | the clock of node 3 jumps ahead by 20 ms |
//! | `propose` | `propose 1 x y` | proposes commands to node 1 |
//! | `change` | `change 1 v4 l5 r2 how=joint` | asks node 1 for other members: voters, learners, and who goes; `how` is `simple` (if nothing is said), `joint`, `auto` (joint, and left by itself) or `leave` |
//! | `transfer` | `transfer 1 2` | asks node 1 to hand over to node 2 |
//! | `compact` | `compact 1` | asks node 1 for a snapshot |
//! | `read` | `read 1 lease` | asks node 1 for a read, with `lease` if its lease is enough |
//! | `deliver` | `deliver from=1 to=2 n=2` | delivers held messages: all, those of a link, or the second of these |
//! | `misdeliver` | `misdeliver 3 from=1 to=2` | delivers held messages, chosen likewise, to node 3 instead |
//! | `drop` | `drop to=3` | loses held messages, chosen likewise |
//! | `double` | `double to=2 n=1` | puts copies of held messages at the end |
//! | `sync` | `sync 1 2` | completes the sync under way on these nodes, or on all |
//! | `fail` | `fail 1` | fails the sync under way on node 1 |
//! | `run` | `run 1 2` | delivers and syncs among these nodes, or all, until nothing is left to do |
//! | `crash` | `crash 1` | node 1 goes down and loses what was not synced |
//! | `restart` | `restart 1` | node 1 boots from its disk |
//! | `held` | `held` | lists the held messages |
//! | `status` | `status 1 2` | one line for each node, or for these |
//! | `progress` | `progress 1` | what leader 1 knows of each follower |

#[path = "support/disk.rs"]
mod disk;

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use disk::Disk;
use goldenscript::{ArgumentConsumer, Command, Context};
use raftbox_node::raft::{
    Body, Change, Chunk, Config, Configuration, Entropy, Entry, HardState, Index, Input, Message, Micros, Mode, NodeId,
    Note, Outcome, Output, Payload, Raft, Record, Step, Term, Verdict,
};

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/raft");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    scripts.sort();
    let run =
        |path: &Path| catch_unwind(AssertUnwindSafe(|| goldenscript::run(&mut Cluster::default(), path).unwrap()));
    let failed: Vec<_> = scripts.iter().filter(|path| run(path).is_err()).collect();
    assert!(failed.is_empty(), "run again with UPDATE_GOLDENFILES=1, and judge the diff: {failed:#?}");
}

/// The draws that a script wrote down; 0 otherwise.
#[derive(Default)]
struct Draws(VecDeque<u64>);

impl Entropy for Draws {
    fn draw(&mut self) -> u64 {
        self.0.pop_front().unwrap_or(0)
    }
}

#[derive(Default)]
struct Node {
    /// None while the node is down.
    core: Option<Raft>,
    disk: Disk,
    draws: Draws,
    alarm: Option<Micros>,
    /// How far its clock is ahead of the time.
    ahead: Micros,
    applied: Index,
    machine: Vec<u8>,
    /// The last note, which the next write to the log must repeat.
    noted: Option<Note>,
}

struct Held {
    from: NodeId,
    to: NodeId,
    message: Message,
}

#[derive(Default)]
struct Cluster {
    config: Config,
    membership: Option<Configuration>,
    nodes: BTreeMap<NodeId, Node>,
    held: Vec<Held>,
    now: Micros,
    proposals: u64,
    show_alarms: bool,
    out: String,
}

type Outcomes<T = ()> = Result<T, Box<dyn Error>>;

impl goldenscript::Runner for Cluster {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Outcomes<String> {
        let mut args = command.consume_args();
        match command.name.as_str() {
            "cluster" => self.cluster(&mut args)?,
            "disk" => self.restore(&mut args)?,
            "draw" => {
                let id = args.next_pos().ok_or("which node?")?.parse()?;
                let draw = args.next_pos().ok_or("which draw?")?.parse()?;
                self.node(id)?.draws.0.push_back(draw);
            }
            "timeout" => {
                for id in self.some_nodes(&mut args)? {
                    self.step(id, Input::Alarm);
                }
            }
            "clock" => {
                let id = args.next_pos().ok_or("whose clock?")?.parse()?;
                let ahead: Micros = args.next_pos().ok_or("by how much?")?.parse()?;
                self.node(id)?.ahead += ahead;
            }
            "wait" => self.wait(args.next_pos().ok_or("how long?")?.parse()?),
            "propose" => {
                let id = args.next_pos().ok_or("to which node?")?.parse()?;
                while let Some(command) = args.next_pos() {
                    self.proposals += 1;
                    let (token, command) = (self.proposals, Rc::from(command.as_bytes()));
                    self.step(id, Input::Propose { token, command });
                }
            }
            "change" => {
                let id = args.next_pos().ok_or("by which node?")?.parse()?;
                let (mut changes, mut how) = (Vec::new(), "simple".to_owned());
                while let Some(change) = args.next_pos() {
                    changes.push(self::change(change)?);
                }
                while let Some((key, value)) = args.next_key() {
                    if key != "how" {
                        return Err(format!("no choice by {key}").into());
                    }
                    how = value.to_owned();
                }
                let step = match how.as_str() {
                    "simple" => Step::Simple(changes),
                    "joint" | "auto" => Step::Joint { changes, leaves_itself: how == "auto" },
                    "leave" => Step::Leave,
                    _ => return Err(format!("no way to change called {how}").into()),
                };
                self.proposals += 1;
                self.step(id, Input::Reconfigure { token: self.proposals, step });
            }
            "transfer" => {
                let id = args.next_pos().ok_or("by which node?")?.parse()?;
                let to = args.next_pos().ok_or("to which node?")?.parse()?;
                self.proposals += 1;
                self.step(id, Input::Transfer { token: self.proposals, to });
            }
            "read" => {
                let id = args.next_pos().ok_or("of which node?")?.parse()?;
                let lease = args.next_pos().is_some_and(|word| word == "lease");
                self.proposals += 1;
                self.step(id, Input::Read { token: self.proposals, lease });
            }
            "compact" => {
                for id in self.some_nodes(&mut args)? {
                    self.proposals += 1;
                    self.step(id, Input::Compact { token: self.proposals });
                }
            }
            "deliver" => {
                let chosen = self.take(&mut args)?;
                if chosen.is_empty() {
                    return Err("no such message is held".into());
                }
                for held in chosen {
                    self.deliver(held);
                }
            }
            "misdeliver" => {
                let to = args.next_pos().ok_or("to which node?")?.parse()?;
                for held in self.take(&mut args)? {
                    self.deliver(Held { to, ..held });
                }
            }
            "drop" => {
                for Held { from, to, message } in self.take(&mut args)? {
                    writeln!(self.out, "{from} -> {to} lost {}", show_message(&message))?;
                }
            }
            "double" => {
                for at in self.select(&mut args)? {
                    let Held { from, to, message } = &self.held[at];
                    let copy = Held { from: *from, to: *to, message: message.clone() };
                    self.held.push(copy);
                }
            }
            "sync" => {
                for id in self.some_nodes(&mut args)? {
                    self.synced(id);
                }
            }
            "fail" => {
                for id in self.some_nodes(&mut args)? {
                    let ticket = self.node(id)?.disk.failed().ok_or("no sync is under way")?;
                    self.step(id, Input::Synced { ticket, result: Err(()) });
                }
            }
            "run" => {
                let ids = self.some_nodes(&mut args)?;
                self.run_until_quiet(&ids);
            }
            "crash" => {
                for id in self.some_nodes(&mut args)? {
                    let node = self.node(id)?;
                    node.core = None;
                    node.alarm = None;
                    node.disk.crash();
                }
            }
            "restart" => {
                for id in self.some_nodes(&mut args)? {
                    self.boot(id);
                }
            }
            "held" => {
                for Held { from, to, message } in &self.held {
                    writeln!(self.out, "{from} -> {to} {}", show_message(message))?;
                }
            }
            "status" => {
                for id in self.some_nodes(&mut args)? {
                    self.status(id);
                }
            }
            "progress" => self.progress(args.next_pos().ok_or("of which node?")?.parse()?),
            name => return Err(format!("no command {name}").into()),
        }
        args.reject_next()?;
        Ok(std::mem::take(&mut self.out))
    }
}

impl Cluster {
    fn cluster(&mut self, args: &mut ArgumentConsumer<'_>) -> Outcomes {
        let voters: NodeId = args.next_pos().ok_or("how many nodes?")?.parse()?;
        let (mut learners, mut spare, mut draws) = (Vec::new(), Vec::new(), Vec::new());
        let config = &mut self.config;
        while let Some((key, value)) = args.next_key() {
            match key {
                "heartbeat_us" => config.heartbeat_us = value.parse()?,
                "election_min_us" => config.election_min_us = value.parse()?,
                "election_max_us" => config.election_max_us = value.parse()?,
                "pre_vote" => config.pre_vote = value.parse()?,
                "no_op" => config.no_op = value.parse()?,
                "check_quorum" => config.check_quorum = value.parse()?,
                "sticky_leader" => config.sticky_leader = value.parse()?,
                "lease" => config.lease = value.parse()?,
                "lease_drift_ppm" => config.lease_drift_ppm = value.parse()?,
                "disk_stall_us" => config.disk_stall_us = value.parse()?,
                "inflight_max" => config.inflight_max = value.parse()?,
                "batch_entries_max" => config.batch_entries_max = value.parse()?,
                "batch_bytes_max" => config.batch_bytes_max = value.parse()?,
                "log_bytes_max" => config.log_bytes_max = value.parse()?,
                "uncommitted_bytes_max" => config.uncommitted_bytes_max = value.parse()?,
                "snapshot_bytes" => config.snapshot_bytes = value.parse()?,
                "snapshot_keep" => config.snapshot_keep = value.parse()?,
                "learners" => learners = numbers(value)?,
                "spare" => spare = numbers(value)?,
                "draws" => draws = numbers(value)?,
                "show" if value == "alarms" => self.show_alarms = true,
                _ => return Err(format!("no knob {key}").into()),
            }
        }
        let learners: Vec<NodeId> = learners.into_iter().map(|id| NodeId::try_from(id).unwrap()).collect();
        let membership = Configuration::new(1..=voters, learners);
        let spare = spare.into_iter().map(|id| NodeId::try_from(id).unwrap());
        for id in membership.members().chain(spare) {
            self.nodes.insert(id, Node::default());
        }
        for (node, draw) in self.nodes.values_mut().zip(draws) {
            node.draws.0.push_back(draw);
        }
        self.membership = Some(membership);
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.boot(id);
        }
        Ok(())
    }

    fn restore(&mut self, args: &mut ArgumentConsumer<'_>) -> Outcomes {
        let id = args.next_pos().ok_or("which node?")?.parse()?;
        let mut hard_state = HardState::default();
        let mut entries = Vec::new();
        while let Some((key, value)) = args.next_key() {
            match key {
                "term" => hard_state.term = value.parse()?,
                "vote" => hard_state.vote = Some(value.parse()?),
                "log" => {
                    for (at, term) in numbers(value)?.into_iter().enumerate() {
                        let command = Rc::from(format!("c{}", at + 1).as_bytes());
                        entries.push(Entry { term, payload: Payload::Command { at: 0, bytes: command } });
                    }
                }
                _ => return Err(format!("no part {key} of a disk").into()),
            }
        }
        self.node(id)?.disk = Disk::new(hard_state, entries);
        self.boot(id);
        Ok(())
    }

    fn node(&mut self, id: NodeId) -> Outcomes<&mut Node> {
        self.nodes.get_mut(&id).ok_or_else(|| format!("no node {id}").into())
    }

    /// The nodes named by the remaining arguments, or all.
    fn some_nodes(&self, args: &mut ArgumentConsumer<'_>) -> Outcomes<Vec<NodeId>> {
        let mut named = Vec::new();
        while let Some(id) = args.next_pos() {
            named.push(id.parse()?);
        }
        Ok(if named.is_empty() { self.nodes.keys().copied().collect() } else { named })
    }

    fn boot(&mut self, id: NodeId) {
        let membership = self.membership.clone().expect("a cluster comes first");
        let node = self.nodes.get_mut(&id).expect("a node");
        let restored = node.disk.restored();
        let config = self.config.clone();
        let now = self.now + node.ahead;
        node.core = Some(Raft::new(id, config, membership, restored, now, &mut node.draws));
        (node.machine, node.applied) = node.disk.machine();
        // A node that boots tells which members it goes by; those of the start were just said.
        let told = node.core.as_mut().and_then(Raft::poll);
        let Some(Output::Note(note @ Note::Config { index, .. })) = told else { panic!("{told:?} came first") };
        if index > 0 {
            writeln!(self.out, "{id} {note}").unwrap();
        }
        self.drain(id);
    }

    fn step(&mut self, id: NodeId, input: Input) {
        let node = self.nodes.get_mut(&id).expect("a node");
        match &mut node.core {
            Some(core) => core.step(self.now + node.ahead, &mut node.draws, input),
            None => writeln!(self.out, "{id} is down").unwrap(),
        }
        self.drain(id);
    }

    /// Does what a node wants done, and shows it.
    fn drain(&mut self, id: NodeId) {
        let node = self.nodes.get_mut(&id).expect("a node");
        let Some(core) = &mut node.core else { return };
        while let Some(output) = core.poll() {
            let line = match output {
                Output::Send { to, message } => {
                    node.disk.check_send(id, to, &message);
                    let line = format!("-> {to} {}", show_message(&message));
                    self.held.push(Held { from: id, to, message });
                    line
                }
                Output::Alarm(at) => {
                    node.alarm = Some(at);
                    if !self.show_alarms {
                        continue;
                    }
                    format!("alarm in {}", at - self.now - node.ahead)
                }
                Output::Persist(record) => {
                    let line = match &record {
                        Record::HardState(hard_state) => Some(format!("write {hard_state}")),
                        Record::Append { index, entry } => {
                            let (index, entry) = (*index, entry.clone());
                            assert_eq!(node.noted, Some(Note::Append { index, entry }));
                            None
                        }
                        Record::Truncate { from } => {
                            assert_eq!(node.noted, Some(Note::Truncate { from: *from }));
                            None
                        }
                    };
                    node.disk.write(record);
                    let Some(line) = line else { continue };
                    line
                }
                Output::Sync(ticket) => {
                    node.disk.sync(ticket);
                    format!("sync {ticket}")
                }
                Output::Snapshot(snapshot) => {
                    assert_eq!(snapshot.last.index, node.applied, "a snapshot is of what was applied");
                    let line = format!("write {snapshot}: {}", String::from_utf8_lossy(&node.machine));
                    node.disk.checkpoint(core, snapshot, &node.machine);
                    line
                }
                Output::SendChunk { to, term, offset, empty } => {
                    let most = if empty { 0 } else { self.config.batch_bytes_max };
                    let message = node.disk.chunk(term, offset, most);
                    node.disk.check_send(id, to, &message);
                    let line = format!("-> {to} {}", show_message(&message));
                    self.held.push(Held { from: id, to, message });
                    line
                }
                Output::Store { offset, data } => {
                    node.disk.store(offset, &data);
                    continue;
                }
                Output::Install { snapshot, .. } => {
                    (node.machine, node.applied) = (node.disk.stored(), snapshot.last.index);
                    let line = format!("write {snapshot}: {}", String::from_utf8_lossy(&node.machine));
                    node.disk.checkpoint(core, snapshot, &node.machine);
                    line
                }
                Output::Apply { index, entry } => {
                    assert_eq!(index, node.applied + 1, "applied in order, each once");
                    node.applied = index;
                    if let Payload::Command { bytes, .. } = &entry.payload {
                        node.machine.extend([b" ", &**bytes].concat());
                    }
                    format!("apply {}", show_entry(index, &entry))
                }
                Output::Proposal { token, outcome: Outcome::Accepted { index, term } } => {
                    format!("accepts proposal {token} at {index}@{term}")
                }
                Output::Proposal { token, outcome: Outcome::Begun } => format!("begins proposal {token}"),
                Output::Proposal { token, outcome: Outcome::Refused(_) } => {
                    format!("refuses proposal {token}")
                }
                Output::Read { token, result: Ok(index), .. } => {
                    assert_eq!(index, node.applied, "a read sees what was applied");
                    format!("answers read {token} at {index}")
                }
                Output::Read { token, result: Err(_), .. } => format!("refuses read {token}"),
                Output::Note(note) => {
                    // What comes of an entry is noted after it was written.
                    if !matches!(note, Note::Config { .. }) {
                        node.noted = Some(note.clone());
                    }
                    match &note {
                        Note::Append { index, entry } => {
                            format!("append {}", show_entry(*index, entry))
                        }
                        note => note.to_string(),
                    }
                }
                Output::Halt(reason) => format!("halts: {reason}"),
            };
            writeln!(self.out, "{id} {line}").unwrap();
        }
    }

    fn wait(&mut self, span: Micros) {
        let until = self.now + span;
        loop {
            let due = |(&id, node): (&NodeId, &Node)| node.alarm.map(|at| (at.saturating_sub(node.ahead), id));
            let next = self.nodes.iter().filter_map(due).min().filter(|&(at, _)| at <= until);
            let Some((at, id)) = next else { break };
            self.now = self.now.max(at);
            self.nodes.get_mut(&id).expect("a node").alarm = None;
            self.step(id, Input::Alarm);
        }
        self.now = until;
    }

    fn deliver(&mut self, held: Held) {
        let Held { from, to, message } = held;
        writeln!(self.out, "{to} <- {from} {}", show_message(&message)).unwrap();
        self.step(to, Input::Message { from, message });
    }

    fn synced(&mut self, id: NodeId) -> bool {
        let ticket = self.nodes.get_mut(&id).expect("a node").disk.synced();
        if let Some(ticket) = ticket {
            writeln!(self.out, "{id} synced {ticket}").unwrap();
            self.step(id, Input::Synced { ticket, result: Ok(()) });
        }
        ticket.is_some()
    }

    fn run_until_quiet(&mut self, ids: &[NodeId]) {
        for _ in 0..1_000 {
            let among = |held: &Held| ids.contains(&held.from) && ids.contains(&held.to);
            if let Some(at) = self.held.iter().position(among) {
                let held = self.held.remove(at);
                self.deliver(held);
            } else if !ids.iter().any(|&id| self.synced(id)) {
                return;
            }
        }
        panic!("the cluster does not come to rest");
    }

    /// The places of the held messages that the arguments choose.
    fn select(&self, args: &mut ArgumentConsumer<'_>) -> Outcomes<Vec<usize>> {
        let mut places: Vec<usize> = (0..self.held.len()).collect();
        while let Some((key, value)) = args.next_key() {
            let id: NodeId = value.parse()?;
            match key {
                "from" => places.retain(|&at| self.held[at].from == id),
                "to" => places.retain(|&at| self.held[at].to == id),
                // Comes last, after the links are chosen.
                "n" => {
                    let n = usize::try_from(id)?;
                    places = vec![*places.get(n.wrapping_sub(1)).ok_or("no such message")?];
                }
                _ => return Err(format!("no choice by {key}").into()),
            }
        }
        Ok(places)
    }

    fn take(&mut self, args: &mut ArgumentConsumer<'_>) -> Outcomes<Vec<Held>> {
        let places = self.select(args)?;
        let (taken, kept) = std::mem::take(&mut self.held)
            .into_iter()
            .enumerate()
            .partition::<Vec<_>, _>(|(at, _)| places.contains(at));
        self.held = kept.into_iter().map(|(_, held)| held).collect();
        Ok(taken.into_iter().map(|(_, held)| held).collect())
    }

    fn status(&mut self, id: NodeId) {
        let Some(core) = self.nodes.get(&id).and_then(|node| node.core.as_ref()) else {
            return writeln!(self.out, "{id} is down").unwrap();
        };
        let vote = core.vote().map_or("none".to_string(), |vote| vote.to_string());
        let terms: Vec<_> = core.log().iter().map(|(_, entry)| entry.term.to_string()).collect();
        writeln!(
            self.out,
            "{id} {} term {} vote {vote} log {}[{}] durable {} commit {}",
            core.role(),
            core.term(),
            if core.log().base().index == 0 { String::new() } else { format!("after {} ", core.log().base()) },
            terms.join(" "),
            core.durable(),
            core.commit()
        )
        .unwrap();
    }

    fn progress(&mut self, id: NodeId) {
        let peers = self.nodes.get(&id).and_then(|node| node.core.as_ref()).map(Raft::peers);
        for peer in peers.unwrap_or(&[]) {
            let p = &peer.progress;
            let mode = match p.mode() {
                Mode::Snapshot { last, received } => format!("snapshot up to {last}, {received} bytes"),
                mode => format!("{mode:?}").to_lowercase(),
            };
            let id = peer.id;
            let (matched, next, inflight) = (p.matched(), p.next(), p.inflight());
            let line = format!("{id} {mode} matched {matched} next {next} in flight {inflight}");
            writeln!(self.out, "{line}").unwrap();
        }
    }
}

/// A change of one member: `v4` for a voter, `l4` for a learner, `r4` for nobody.
fn change(text: &str) -> Outcomes<Change> {
    let (kind, id) = text.split_at_checked(1).ok_or("no change")?;
    let id = id.parse()?;
    match kind {
        "v" => Ok(Change::Voter(id)),
        "l" => Ok(Change::Learner(id)),
        "r" => Ok(Change::Remove(id)),
        _ => Err(format!("no change {kind}").into()),
    }
}

fn numbers(list: &str) -> Outcomes<Vec<Term>> {
    let numbers = list.split('/').filter(|n| !n.is_empty()).map(str::parse);
    Ok(numbers.collect::<Result<_, _>>()?)
}

fn show_entry(index: Index, entry: &Entry) -> String {
    let term = entry.term;
    match &entry.payload {
        Payload::Noop => format!("{index}@{term} no-op"),
        Payload::Command { bytes, .. } if bytes.len() > 16 => {
            format!("{index}@{term} {} bytes", bytes.len())
        }
        Payload::Command { bytes, .. } => format!("{index}@{term} {}", String::from_utf8_lossy(bytes)),
        Payload::Config(config) => format!("{index}@{term} config {config}"),
    }
}

fn show_message(message: &Message) -> String {
    let term = message.term;
    let answer = |granted| if granted { "yes" } else { "no" };
    match &message.body {
        Body::PreVote { last } => format!("PreVote for term {term}, log ends {last}"),
        Body::PreVoteReply { answers, granted } => {
            format!("PreVoteReply term {term}: {} for term {answers}", answer(*granted))
        }
        Body::RequestVote { last, transfer } => {
            format!("RequestVote term {term}, log ends {last}{}", if *transfer { ", for its leader" } else { "" })
        }
        Body::TimeoutNow => format!("TimeoutNow term {term}"),
        Body::RequestVoteReply { granted } => {
            format!("RequestVoteReply term {term}: {}", answer(*granted))
        }
        Body::AppendEntries { prev, entries, commit, .. } => {
            let indexed = (prev.index + 1..).zip(entries);
            let shown: Vec<_> = indexed.map(|(index, entry)| show_entry(index, entry)).collect();
            format!("Append term {term} after {prev} [{}] commit {commit}", shown.join(", "))
        }
        Body::InstallSnapshot(chunk) => {
            let Chunk { snapshot, image, offset, data } = &**chunk;
            let (end, data) = (chunk.end(), String::from_utf8_lossy(data));
            let last = snapshot.last;
            format!("Snapshot term {term} up to {last}, bytes {offset} to {end} of {}: {data}", image.bytes)
        }
        Body::SnapshotReply { last, received } => {
            format!("SnapshotReply term {term}: {received} bytes of that up to {last}")
        }
        Body::ReadIndex { context } => format!("ReadIndex term {term}: {context}"),
        Body::ReadIndexReply { context, index } => format!("ReadIndexReply term {term}: {context} at {index}"),
        Body::AppendReply { verdict, .. } => {
            let verdict = match verdict {
                Verdict::Matched { index } => format!("matched {index}"),
                Verdict::Short { prev, last } => format!("nothing at {prev}, log ends at {last}"),
                Verdict::Conflict { prev, term, first } => {
                    format!("at {prev} term {term}, which begins at {first}")
                }
                Verdict::StaleTerm => "stale term".to_string(),
            };
            format!("AppendReply term {term}: {verdict}")
        }
    }
}
