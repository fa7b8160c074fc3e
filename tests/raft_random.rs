//! The Raft core under chance: clusters on a network that loses, doubles and reorders, with nodes that crash and lose
//! what they had not synced.
//!
//! Each seed is one run. Throughout it, the five properties of Figure 3 are checked against what all nodes ever said
//! (but Leader Append-Only, which the core cannot break without breaking Log Matching); at its end all faults heal,
//! and the cluster must elect, commit and agree. A failing seed is printed; it fails the same way again.

#[path = "support/disk.rs"]
mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use disk::Disk;
use raftbox_node::raft::{
    Change, Config, Configuration, Entropy, Entry, Index, Input, Message, Micros, NodeId, Note, Output, Raft, Record,
    Role, Step, Term,
};

/// SplitMix64 (Steele, Lea and Flood 2014): small, and its own.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.draw() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl Entropy for Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[derive(Default)]
struct Node {
    core: Option<Raft>,
    disk: Disk,
    alarm: Option<Micros>,
    applied: Index,
    /// The hash of all that was applied, twice: the second for what gets lost of a snapshot on its way.
    machine: Vec<u8>,
    /// The index of the configuration in force, as noted.
    configured: Index,
    /// The durable term and vote, as noted: never to go back, also across boots.
    durable: (Term, Option<NodeId>),
}

/// What is due at some time.
enum Due {
    Deliver { from: NodeId, to: NodeId, message: Message },
    Synced { node: NodeId, boot: u64 },
    Restart { node: NodeId },
}

struct Cluster {
    random: Random,
    config: Config,
    membership: Configuration,
    spare: u32,
    nodes: BTreeMap<NodeId, Node>,
    boots: BTreeMap<NodeId, u64>,
    agenda: BTreeMap<(Micros, u64), Due>,
    counter: u64,
    now: Micros,
    healed: bool,
    /// Nodes cut off from the others, both ways.
    cut: BTreeSet<NodeId>,
    history: History,
}

/// What all nodes ever said.
#[derive(Default)]
struct History {
    leaders: BTreeMap<Term, NodeId>,
    /// What was committed: the entry, and the term in which that was first known.
    committed: BTreeMap<Index, (Entry, Term)>,
    /// For each entry ever appended, by place and term: itself, and the term of the entry before it.
    appended: BTreeMap<(Index, Term), (Entry, Term)>,
    /// The machine after each index that was ever applied.
    machines: BTreeMap<Index, Vec<u8>>,
    /// Snapshots that were taken, and that came from a leader.
    snapshots: u64,
    installed: u64,
    /// For each read that waits, by node and token, what was committed when it was asked; those that were answered, and
    /// those of them by lease.
    reads: BTreeMap<(NodeId, u64), (Index, bool)>,
    answered: u64,
    leased: u64,
    /// Truncates, and configurations that came into force and were lost again, to see that a run is worth its name.
    truncates: u64,
    configured: u64,
    rolled_back: u64,
}

impl History {
    /// Election Safety, and Leader Completeness.
    fn leads(&mut self, id: NodeId, term: Term, core: &Raft) {
        let first = *self.leaders.entry(term).or_insert(id);
        assert_eq!(first, id, "two leaders in term {term}");
        for (&index, (entry, known)) in &self.committed {
            if *known < term && index > core.log().base().index {
                assert_eq!(core.log().get(index), Some(entry), "leader {id} lacks {index}");
            }
        }
    }

    /// Log Matching: with the same place and term come the same entry and the same log before it.
    fn appends(&mut self, index: Index, entry: &Entry, before: Term) {
        let said = (entry.clone(), before);
        let first = self.appended.entry((index, entry.term)).or_insert_with(|| said.clone());
        assert_eq!(*first, said, "two logs differ up to {index}@{}", entry.term);
    }

    /// State Machine Safety; and Leader Completeness again, for leaders who were elected before this was known.
    fn applies(&mut self, index: Index, entry: &Entry, term: Term) {
        let first = self.committed.entry(index).or_insert_with(|| (entry.clone(), term));
        assert_eq!(first.0, *entry, "two entries applied at {index}");
    }

    /// State Machine Safety again: a machine is what the log up to there makes of it.
    fn becomes(&mut self, index: Index, machine: &[u8]) {
        let first = self.machines.entry(index).or_insert_with(|| machine.to_vec());
        assert_eq!(first, machine, "two machines at {index}");
    }
}

impl Cluster {
    /// A cluster, and beside it so many nodes that are no members yet.
    fn new(seed: u64, spare: u32) -> Self {
        let mut random = Random(seed);
        let size = [1, 2, 3, 3, 3, 4, 5, 5][usize::try_from(random.below(8)).unwrap()];
        let sticky_leader = !random.one_in(3);
        let lease = sticky_leader && random.one_in(2);
        let config = Config {
            heartbeat_us: 10_000,
            election_min_us: 40_000,
            election_max_us: 80_000,
            // Without either, a node that was removed and does not know it unseats every leader.
            pre_vote: random.one_in(2) || spare > 0 && !sticky_leader,
            sticky_leader,
            lease,
            lease_drift_ppm: 0,
            check_quorum: !random.one_in(3),
            disk_stall_us: if random.one_in(3) { 0 } else { 50_000 },
            no_op: !random.one_in(8),
            inflight_max: u32::try_from(1 + random.below(5)).unwrap(),
            batch_entries_max: u32::try_from(1 + random.below(6)).unwrap(),
            batch_bytes_max: 1 + random.below(500),
            log_bytes_max: 100_000,
            uncommitted_bytes_max: if random.one_in(3) { 500 } else { 100_000 },
            snapshot_bytes: [0, 100, 500, 3000][usize::try_from(random.below(4)).unwrap()],
            snapshot_keep: u32::try_from(random.below(20)).unwrap(),
        };
        let membership = Configuration::new(1..=size, []);
        let nodes = (1..=size + spare).map(|id| (id, Node::default())).collect();
        let mut cluster = Self {
            random,
            config,
            membership,
            spare,
            nodes,
            boots: BTreeMap::new(),
            agenda: BTreeMap::new(),
            counter: 0,
            now: 0,
            healed: false,
            cut: BTreeSet::new(),
            history: History::default(),
        };
        for id in 1..=size + spare {
            cluster.boot(id);
        }
        cluster
    }

    fn schedule(&mut self, delay: Micros, due: Due) {
        self.counter += 1;
        self.agenda.insert((self.now + delay, self.counter), due);
    }

    fn boot(&mut self, id: NodeId) {
        *self.boots.entry(id).or_default() += 1;
        let node = self.nodes.get_mut(&id).unwrap();
        let restored = node.disk.restored();
        assert_eq!((restored.term, restored.vote), node.durable, "a durable term or vote was lost");
        let (config, membership) = (self.config.clone(), self.membership.clone());
        let core = Raft::new(id, config, membership, restored, self.now, &mut self.random);
        let restored_commit = core.commit();
        node.core = Some(core);
        let commit = restored_commit;
        (node.machine, node.applied) = node.disk.machine();
        assert_eq!(node.applied, commit, "a node boots where its snapshot ends");
        self.drain(id);
    }

    fn crash(&mut self, id: NodeId) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.core = None;
        node.alarm = None;
        node.disk.crash();
        self.history.reads.retain(|(node, _), _| *node != id);
        let delay = self.random.below(100_000);
        self.schedule(delay, Due::Restart { node: id });
    }

    fn step(&mut self, id: NodeId, input: Input) {
        let node = self.nodes.get_mut(&id).unwrap();
        if let Some(core) = &mut node.core {
            core.step(self.now, &mut self.random, input);
            self.drain(id);
        }
    }

    fn drain(&mut self, id: NodeId) {
        // A crash may hit between any two outputs.
        let crash_after = if !self.healed && self.random.one_in(300) { self.random.below(6) } else { u64::MAX };
        let mut count = 0;
        while count < crash_after {
            let node = self.nodes.get_mut(&id).unwrap();
            let Some(output) = node.core.as_mut().and_then(Raft::poll) else { return };
            count += 1;
            self.perform(id, output);
        }
        self.crash(id);
    }

    fn perform(&mut self, id: NodeId, output: Output) {
        let node = self.nodes.get_mut(&id).unwrap();
        let core = node.core.as_ref().unwrap();
        match output {
            Output::Send { to, message } => {
                node.disk.check_send(id, to, &message);
                self.transmit(id, to, &message);
            }
            Output::Alarm(at) => node.alarm = Some(at),
            Output::Persist(record) => {
                if let Record::Append { index, entry } = &record {
                    let before = core.log().term_at(index - 1).unwrap_or(0);
                    // The log may have gone on within the same step, but only by appending.
                    self.history.appends(*index, entry, before);
                }
                node.disk.write(record);
            }
            Output::Sync(ticket) => {
                node.disk.sync(ticket);
                let slow = if self.random.one_in(20) { 30_000 } else { 2_000 };
                let delay = 1 + self.random.below(slow);
                self.schedule(delay, Due::Synced { node: id, boot: self.boots[&id] });
            }
            Output::Apply { index, entry } => {
                assert_eq!(index, node.applied + 1, "applied in order, each once");
                node.applied = index;
                let mut hasher = std::hash::DefaultHasher::new();
                format!("{:?} {entry:?}", node.machine).hash(&mut hasher);
                let hash = hasher.finish().to_le_bytes();
                node.machine = [hash, hash].concat();
                self.history.applies(index, &entry, core.term());
                self.history.becomes(index, &node.machine);
            }
            Output::Snapshot(snapshot) => {
                assert_eq!(snapshot.last.index, node.applied, "a snapshot is of what was applied");
                node.disk.checkpoint(core, snapshot, &node.machine);
                self.history.snapshots += 1;
            }
            Output::SendChunk { to, term, offset, empty } => {
                let most = if empty { 0 } else { self.config.batch_bytes_max };
                let message = node.disk.chunk(term, offset, most);
                node.disk.check_send(id, to, &message);
                self.transmit(id, to, &message);
            }
            Output::Store { offset, data } => node.disk.store(offset, &data),
            Output::Install { snapshot, .. } => {
                assert!(snapshot.last.index > node.applied, "a snapshot took something back");
                (node.machine, node.applied) = (node.disk.stored(), snapshot.last.index);
                self.history.becomes(node.applied, &node.machine);
                node.disk.checkpoint(core, snapshot, &node.machine);
                self.history.installed += 1;
            }
            Output::Note(Note::Role { role: Role::Leader, term, .. }) => {
                self.history.leads(id, term, core);
            }
            Output::Note(Note::HardState(hard_state)) => {
                assert!(hard_state.term >= node.durable.0, "a durable term went back");
                node.durable = (hard_state.term, hard_state.vote);
            }
            Output::Note(Note::Truncate { .. }) => self.history.truncates += 1,
            Output::Note(Note::Config { index, .. }) => {
                self.history.configured += u64::from(index > node.configured);
                self.history.rolled_back += u64::from(index < node.configured);
                node.configured = index;
            }
            // Linearizability, of a read that leaves no entry: it sees all that anybody knew to be committed before.
            Output::Read { token, result: Ok(index), .. } => {
                let (committed, lease) = self.history.reads.remove(&(id, token)).expect("answered once");
                assert_eq!(index, node.applied, "it sees what was applied");
                assert!(index >= committed, "{id} answers from {index} what was asked at {committed}");
                self.history.answered += 1;
                self.history.leased += u64::from(lease);
            }
            Output::Read { token, result: Err(_), .. } => _ = self.history.reads.remove(&(id, token)),
            Output::Note(_) | Output::Proposal { .. } => {}
            Output::Halt(reason) => panic!("{id} halts: {reason}"),
        }
    }

    fn transmit(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let copies = match self.random.below(if self.healed { 1 } else { 20 }) {
            _ if self.healed => 1,
            0 | 1 => 0,
            2 | 3 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            // Now and then far behind others: reordered by much, or from an earlier term.
            let spread = if !self.healed && self.random.one_in(30) { 200_000 } else { 3_000 };
            let delay = 500 + self.random.below(spread);
            self.schedule(delay, Due::Deliver { from, to, message: message.clone() });
        }
    }

    /// Does what is due next: an alarm, or something of the agenda.
    fn turn(&mut self) {
        let alarms = self.nodes.iter().filter_map(|(&id, node)| node.alarm.map(|at| (at, id)));
        let alarm = alarms.min();
        let other = self.agenda.keys().next().copied();
        match (alarm, other) {
            (Some((at, id)), other) if other.is_none_or(|(due, _)| at <= due) => {
                self.now = self.now.max(at);
                self.nodes.get_mut(&id).unwrap().alarm = None;
                self.step(id, Input::Alarm);
            }
            (_, Some(key)) => {
                self.now = self.now.max(key.0);
                match self.agenda.remove(&key).unwrap() {
                    Due::Deliver { from, to, message } => {
                        if self.cut.contains(&from) == self.cut.contains(&to) {
                            self.step(to, Input::Message { from, message });
                        }
                    }
                    Due::Synced { node, boot } if boot == self.boots[&node] => {
                        if let Some(ticket) = self.nodes.get_mut(&node).unwrap().disk.synced() {
                            // A crash may also fall between the sync and the news of it.
                            let at = self.nodes.get_mut(&node).unwrap();
                            let restored = at.disk.restored();
                            at.durable = (restored.term, restored.vote);
                            self.step(node, Input::Synced { ticket, result: Ok(()) });
                        }
                    }
                    Due::Synced { .. } => {}
                    Due::Restart { node } => self.boot(node),
                }
            }
            _ => unreachable!("somebody always has an alarm, or is about to restart"),
        }
    }

    fn disturb(&mut self) {
        let size = u64::try_from(self.nodes.len()).unwrap();
        let id = NodeId::try_from(1 + self.random.below(size)).unwrap();
        match self.random.below(100) {
            0 if self.nodes[&id].core.is_some() => self.crash(id),
            1 => {
                self.cut.insert(id);
            }
            2 | 3 => self.cut.clear(),
            60..80 if self.nodes[&id].core.is_some() => {
                self.counter += 1;
                let lease = self.random.one_in(2);
                let committed = self.history.committed.keys().next_back().copied().unwrap_or(0);
                self.history.reads.insert((id, self.counter), (committed, lease && self.config.lease));
                self.step(id, Input::Read { token: self.counter, lease });
            }
            // A forced timeout. It is as if a clock ran fast, and breaks what a lease rests on.
            4 if self.random.one_in(4) && !self.config.lease => self.step(id, Input::Alarm),
            5..40 => self.propose(id),
            40..50 if self.spare > 0 => self.change(id),
            53 => {
                self.counter += 1;
                self.step(id, Input::Compact { token: self.counter });
            }
            50..53 => {
                self.counter += 1;
                let to = NodeId::try_from(1 + self.random.below(size)).unwrap();
                self.step(id, Input::Transfer { token: self.counter, to });
            }
            _ => {}
        }
    }

    fn propose(&mut self, id: NodeId) {
        self.counter += 1;
        let command = Rc::from(self.counter.to_le_bytes());
        self.step(id, Input::Propose { token: self.counter, command });
    }

    /// Asks a node for other members.
    fn change(&mut self, id: NodeId) {
        self.counter += 1;
        let all = self.nodes.len() as u64;
        let mut change = || {
            let id = NodeId::try_from(1 + self.random.below(all)).unwrap();
            [Change::Voter(id), Change::Voter(id), Change::Learner(id), Change::Remove(id)]
                [usize::try_from(self.random.below(4)).unwrap()]
        };
        let few = [change(), change(), change()];
        let step = match self.random.below(4) {
            0 => Step::Leave,
            1 => Step::Simple(few[..1].to_vec()),
            choice => Step::Joint { changes: few.to_vec(), leaves_itself: choice == 2 },
        };
        self.step(id, Input::Reconfigure { token: self.counter, step });
    }

    /// The leader of the highest term.
    fn leader(&self) -> Option<NodeId> {
        let cores = self.nodes.iter().filter_map(|(id, node)| Some((*id, node.core.as_ref()?)));
        let leaders = cores.filter(|(_, core)| core.role() == Role::Leader);
        leaders.max_by_key(|(_, core)| core.term()).map(|(id, _)| id)
    }

    /// Heals all faults, and demands progress.
    fn converge(&mut self) {
        self.healed = true;
        self.cut.clear();
        let until = self.now + 2_000_000;
        while self.now < until {
            self.turn();
        }
        let leader = self.leader().expect("after healing, somebody leads");
        self.propose(leader);
        let until = self.now + 200_000;
        while self.now < until {
            self.turn();
        }
        let led = self.nodes[&leader].core.as_ref().unwrap();
        let last = led.log().last();
        for id in led.membership().members() {
            let node = &self.nodes[&id];
            let core = node.core.as_ref().expect("up again");
            assert_eq!((core.log().last(), core.durable()), (last, last.index), "{id} has another log");
            assert_eq!(core.commit(), last.index, "{id} is behind");
        }
    }
}

fn run(seed: u64, spare: u32) -> Cluster {
    let mut cluster = Cluster::new(seed, spare);
    for _ in 0..1_500 {
        cluster.turn();
        cluster.disturb();
    }
    cluster.converge();
    cluster
}

#[test]
fn the_core_is_safe_and_makes_progress_under_chance() {
    let (mut truncates, mut leaders, mut committed, mut snapshots, mut installed) = (0, 0, 0, 0, 0);
    let (mut answered, mut leased) = (0, 0);
    for seed in 0..400 {
        let cluster = std::panic::catch_unwind(|| run(seed, 0)).unwrap_or_else(|_| panic!("seed {seed}"));
        truncates += cluster.history.truncates;
        leaders += cluster.history.leaders.len();
        committed += cluster.history.committed.len();
        snapshots += cluster.history.snapshots;
        installed += cluster.history.installed;
        answered += cluster.history.answered;
        leased += cluster.history.leased;
    }
    println!("{snapshots} snapshots, {installed} installed, {answered} reads answered, {leased} with a lease");
    assert!(answered > 10_000, "{answered} reads answered");
    assert!(leased > 1_000, "{leased} reads answered with a lease");
    assert!(snapshots > 5_000, "{snapshots} snapshots");
    assert!(installed > 500, "{installed} snapshots installed");
    // A run in which nothing goes wrong tests nothing.
    assert!(truncates > 400, "{truncates} truncates");
    assert!(leaders > 2_000, "{leaders} leaders");
    assert!(committed > 20_000, "{committed} committed entries");
}

#[test]
fn the_core_is_safe_and_makes_progress_while_its_members_change() {
    let (mut configured, mut rolled_back, mut leaders, mut committed) = (0, 0, 0, 0);
    for seed in 0..400 {
        let cluster = std::panic::catch_unwind(|| run(seed, 2)).unwrap_or_else(|_| panic!("seed {seed}"));
        configured += cluster.history.configured;
        rolled_back += cluster.history.rolled_back;
        leaders += cluster.history.leaders.len();
        committed += cluster.history.committed.len();
    }
    println!(
        "{configured} configurations, {rolled_back} rolled back, {leaders} leaders, {committed} entries committed"
    );
    assert!(configured > 4_000, "{configured} configurations");
    assert!(rolled_back > 20, "{rolled_back} rolled back");
    assert!(leaders > 1_000, "{leaders} leaders");
    assert!(committed > 10_000, "{committed} committed entries");
}
