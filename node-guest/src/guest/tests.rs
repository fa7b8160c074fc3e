//! Whole nodes, in a cluster whose network and disks are at the test's hand.

use super::*;
use crate::storage::disk::{Disk, Numbers};
use raftbox_abi::client::{Attempt, Operation};
use raftbox_abi::note::Role;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What one node sees of the world.
#[derive(Default)]
struct Host {
    now: u64,
    disk: Disk,
    alarm: u64,
    sent: VecDeque<(u32, Vec<u8>)>,
    replies: Vec<(u32, u64, Vec<u8>)>,
    notes: Vec<Body>,
    logged: Vec<String>,
}

impl Imports for Host {
    fn now(&mut self) -> u64 {
        self.now
    }
    fn random(&mut self) -> u64 {
        self.disk.random()
    }
    fn send(&mut self, to: u32, datagram: &[u8]) {
        self.sent.push_back((to, datagram.to_vec()));
    }
    fn wake_at(&mut self, at: u64) {
        self.alarm = at;
    }
    fn disk_len(&mut self, file: u32) -> u64 {
        self.disk.disk_len(file)
    }
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<u32, i32> {
        self.disk.disk_read(file, offset, into)
    }
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<(), i32> {
        self.disk.disk_write(file, offset, bytes)
    }
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<(), i32> {
        self.disk.disk_truncate(file, len)
    }
    fn disk_sync(&mut self, ticket: u64) {
        self.disk.disk_sync(ticket);
    }
    fn reply(&mut self, client: u32, operation: u64, body: &[u8]) {
        self.replies.push((client, operation, body.to_vec()));
    }
    fn note(&mut self, kind: u32, body: &[u8]) {
        let note = raftbox_abi::Note::decode(kind, body).expect("a note is encoded as it is read");
        self.notes.push(note.body);
    }
    fn chance(&mut self, _: u32) -> bool {
        false
    }
    fn halt(&mut self, code: u32, reason: &str) -> ! {
        panic!("halt {code}: {reason}")
    }
    fn log(&mut self, _: u32, line: &str) {
        self.logged.push(line.to_owned());
    }
}

/// A cluster. Messages between two nodes pass unless their link is cut.
struct Cluster {
    settings: String,
    hosts: Vec<Host>,
    nodes: Vec<Node>,
    isolated: Vec<u32>,
}

impl Cluster {
    fn new(size: u32, settings: &str) -> Self {
        let mut cluster =
            Self { settings: settings.into(), hosts: vec![], nodes: vec![], isolated: vec![] };
        for id in 1..=size {
            let mut host =
                Host { disk: Disk { draws: id.into(), ..Disk::default() }, ..Host::default() };
            cluster.nodes.push(boot(&mut host, id, size, settings));
            cluster.hosts.push(host);
        }
        cluster
    }

    fn on<R>(&mut self, id: u32, turn: impl FnOnce(&mut Node, &mut Host) -> R) -> R {
        let at = id as usize - 1;
        turn(&mut self.nodes[at], &mut self.hosts[at])
    }

    fn host(&mut self, id: u32) -> &mut Host {
        &mut self.hosts[id as usize - 1]
    }

    fn size(&self) -> u32 {
        u32::try_from(self.hosts.len()).expect("a handful")
    }

    /// Power is lost at one node, and comes back.
    fn restart(&mut self, id: u32, survives: &mut dyn FnMut() -> bool) {
        let (size, settings) = (self.size(), self.settings.clone());
        let host = self.host(id);
        host.disk.crash(survives);
        host.sent.clear();
        host.notes.clear();
        self.nodes[id as usize - 1] = boot(self.host(id), id, size, &settings);
    }

    /// The alarm of a node rings.
    fn wake(&mut self, id: u32) {
        let now = self.hosts.iter().map(|host| host.now).max().unwrap_or(0);
        let at = self.host(id).alarm.max(now);
        self.hosts.iter_mut().for_each(|host| host.now = at);
        self.on(id, Guest::wake);
    }

    /// Delivers and syncs until nothing is under way.
    fn settle(&mut self) {
        while self.once() {}
    }

    fn once(&mut self) -> bool {
        let mut busy = false;
        for id in 1..=self.size() {
            while let Some(ticket) = self.host(id).disk.complete() {
                self.on(id, |node, host| node.synced(host, ticket, 0));
                busy = true;
            }
            while let Some((to, datagram)) = self.host(id).sent.pop_front() {
                busy = true;
                if !self.isolated.contains(&id) && !self.isolated.contains(&to) {
                    self.on(to, |node, host| node.deliver(host, id, &datagram));
                }
            }
        }
        busy
    }

    /// Makes `id` the leader: it waits longest, campaigns, and wins.
    fn elect(&mut self, id: u32) {
        for host in &mut self.hosts {
            host.now += 1_000_000;
        }
        self.wake(id);
        self.settle();
        assert_eq!(self.on(id, |node, _| node.raft.leader()), Some(id));
    }

    fn request(&mut self, id: u32, number: u64, session: u64, operation: Operation<'_>) {
        let mut body = Vec::new();
        Request { session, sequence: number, operation }.encode(&mut body);
        let operation = Attempt { operation: number, attempt: 0 }.pack();
        self.on(id, |node, host| node.request(host, 77, operation, &body));
    }

    /// What node `id` has replied since the last time, each with the number of the operation.
    fn replies(&mut self, id: u32) -> Vec<String> {
        let text = |(client, operation, body): (u32, u64, Vec<u8>)| {
            assert_eq!(client, 77);
            let reply = Reply::decode(&body).expect("a node encodes what it replies");
            format!("{}: {reply:?}", Attempt::unpack(operation).operation)
        };
        self.host(id).replies.drain(..).map(text).collect()
    }

    fn ask(&mut self, id: u32, number: u64, session: u64, operation: Operation<'_>) -> String {
        self.request(id, number, session, operation);
        self.settle();
        self.replies(id).concat()
    }
}

fn boot(host: &mut Host, node: u32, size: u32, settings: &str) -> Node {
    let voters = (1..=size).collect();
    let boot = Boot { version: 1, node, voters, learners: vec![], settings };
    Node::boot(host, &boot)
}

/// The reason with which a turn halts.
fn halts(turn: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(turn)).expect_err("it halts");
    panic.downcast_ref::<String>().expect("a halt has a reason").clone()
}

#[test]
fn a_node_alone_serves_and_remembers() {
    let mut cluster = Cluster::new(1, "");
    cluster.elect(1);
    assert_eq!(cluster.ask(1, 0, 0, Operation::Register), "0: Ok(Session(2))");
    assert_eq!(cluster.ask(1, 1, 2, Operation::Increment(b"n", 5)), "1: Ok(Number(5))");
    cluster.restart(1, &mut || false);
    let prefix = match cluster.host(1).notes.last() {
        Some(Body::Recovered { term: 1, vote: 1, snapshot: (0, 0), last: (3, 1), prefix }) => {
            *prefix
        }
        other => panic!("boot ends with what was recovered, not {other:?}"),
    };
    assert_ne!(prefix, 0);
    cluster.elect(1);
    assert_eq!(cluster.ask(1, 1, 2, Operation::Increment(b"n", 5)), "1: Ok(Number(5))");
    assert_eq!(cluster.ask(1, 2, 2, Operation::Increment(b"n", 5)), "2: Ok(Number(10))");
}

#[test]
fn a_boot_notes_the_configuration_first_and_what_it_recovered_last() {
    let mut cluster = Cluster::new(3, "");
    let notes = &cluster.host(2).notes;
    let voters = vec![1, 2, 3];
    let config = Body::Config { index: 0, voters, outgoing: vec![], learners: vec![] };
    let empty = Body::Recovered { term: 0, vote: 0, snapshot: (0, 0), last: (0, 0), prefix: 0 };
    let role = Body::Role { role: Role::Follower, term: 0, leader: 0 };
    assert_eq!(*notes, [config, role, empty]);
}

#[test]
fn a_cluster_replicates_and_a_follower_sends_elsewhere() {
    let mut cluster = Cluster::new(3, "");
    cluster.elect(2);
    assert_eq!(cluster.ask(2, 0, 0, Operation::Register), "0: Ok(Session(2))");
    assert_eq!(cluster.ask(2, 1, 2, Operation::Put(b"k", b"v")), "1: Ok(Done)");
    assert_eq!(cluster.ask(3, 2, 2, Operation::Get(b"k")), "2: Redirect(2)");
    let refused = Body::Refused { peer: 0, refusal: Refusal::NotLeader { hint: 2 } };
    assert_eq!(cluster.host(3).notes.last(), Some(&refused));
    // The others hear of the commit with the next heartbeat, and apply the same with the same results.
    cluster.wake(2);
    cluster.settle();
    let applied = |host: &Host| {
        let applied = |note: &&Body| matches!(note, Body::Apply { .. });
        host.notes.iter().filter(applied).cloned().collect::<Vec<_>>()
    };
    assert_eq!(applied(&cluster.hosts[1]).len(), 3);
    assert_eq!(applied(&cluster.hosts[0]), applied(&cluster.hosts[1]));
    assert_eq!(applied(&cluster.hosts[2]), applied(&cluster.hosts[1]));
    // Another leader answers a second attempt as the first answered the first.
    cluster.elect(3);
    assert_eq!(cluster.ask(3, 1, 2, Operation::Put(b"k", b"v")), "1: Ok(Done)");
    assert_eq!(cluster.ask(3, 2, 2, Operation::Get(b"k")), "2: Ok(Value(Some([118])))");
}

#[test]
fn an_attempt_is_sent_elsewhere_only_when_another_entry_was_applied_in_its_place() {
    let mut cluster = Cluster::new(3, "");
    cluster.elect(1);
    assert_eq!(cluster.ask(1, 0, 0, Operation::Register), "0: Ok(Session(2))");
    cluster.isolated = vec![1];
    cluster.request(1, 1, 2, Operation::Put(b"k", b"lost"));
    cluster.settle();
    cluster.elect(2);
    cluster.isolated.clear();
    // The heartbeat of the new leader takes the entry off the old one's log. That alone means nothing.
    cluster.wake(2);
    let mut before = vec![];
    while cluster.once() {
        let applied = cluster.on(1, |node, _| node.raft.commit());
        before.extend(cluster.replies(1).into_iter().map(|reply| (applied, reply)));
    }
    cluster.wake(2);
    cluster.settle();
    before.extend(cluster.replies(1).into_iter().map(|reply| (3, reply)));
    assert_eq!(before, [(3, "1: Redirect(2)".to_owned())]);
    let truncated = cluster.host(1).notes.contains(&Body::Truncate { from: 3 });
    assert!(truncated, "the old leader's entry left its log");
}

#[test]
fn what_is_too_large_or_makes_no_sense_is_refused_at_once() {
    let mut cluster = Cluster::new(1, "log_bytes=1000\n");
    cluster.elect(1);
    cluster.on(1, |node, host| node.request(host, 77, 0, b"nonsense"));
    assert_eq!(cluster.replies(1), ["0: Refused(Malformed)"]);
    let large = vec![0; 70_000];
    assert_eq!(cluster.ask(1, 1, 1, Operation::Put(b"k", &large)), "1: Refused(LogFull)");
    assert_eq!(cluster.ask(1, 2, 0, Operation::Register), "2: Ok(Session(2))");
    let value = [0; 600];
    assert_eq!(cluster.ask(1, 1, 2, Operation::Put(b"k", &value)), "1: Ok(Done)");
    assert_eq!(cluster.ask(1, 2, 2, Operation::Put(b"k", &value)), "2: Refused(LogFull)");
    let full =
        |note: &Body| matches!(note, Body::Refused { peer: 0, refusal: Refusal::LogFull { .. } });
    assert_eq!(cluster.host(1).notes.iter().filter(|note| full(note)).count(), 2);
}

#[test]
fn hostile_datagrams_are_dropped() {
    let mut cluster = Cluster::new(3, "");
    let mut numbers = Numbers(1);
    for len in 0..200 {
        let datagram: Vec<u8> = (0..len).map(|_| numbers.below(256).to_le_bytes()[0]).collect();
        cluster.on(1, |node, host| node.deliver(host, 2, &datagram));
    }
    let host = cluster.host(1);
    assert_eq!(host.logged.len(), 200);
    assert!(host.sent.is_empty());
}

#[test]
fn until_a_torn_tail_is_cut_off_a_node_takes_no_messages() {
    let mut cluster = Cluster::new(3, "");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    // Two requests are written, and only the second one's sector survives.
    cluster.request(1, 1, 2, Operation::Put(b"k", &[b'x'; 2000]));
    cluster.request(1, 2, 2, Operation::Put(b"k", b"y"));
    let unsynced = cluster.host(1).disk.unsynced.len();
    assert!(unsynced >= 2);
    let mut asked = 0;
    cluster.restart(1, &mut || {
        asked += 1;
        asked > 3
    });
    assert!(cluster.on(1, |node, _| node.storage.is_cutting()));
    let mut vote = Vec::new();
    let last = crate::raft::Position { term: 9, index: 9 };
    let body = crate::raft::Body::RequestVote { last };
    wire::encode(&mut vote, &Message { term: 9, body });
    cluster.on(1, |node, host| node.deliver(host, 2, &vote));
    assert_eq!(cluster.on(1, |node, _| node.raft.term()), 1);
    assert_eq!(cluster.host(1).disk.unsynced.len(), 1, "nothing but the cut");
    cluster.settle();
    cluster.on(1, |node, host| node.deliver(host, 2, &vote));
    assert_eq!(cluster.on(1, |node, _| node.raft.term()), 9);
}

#[test]
fn what_cannot_be_halts_the_node_with_a_reason() {
    let mut host = Host::default();
    assert_eq!(
        halts(|| drop(boot(&mut host, 1, 1, "heart=1"))),
        "halt 1: setting \"heart\" is unknown"
    );
    let mut cluster = Cluster::new(1, "");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    cluster.ask(1, 0, 0, Operation::Register);
    let mut disk = cluster.host(1).disk.clone();
    disk.now[80] ^= 1;
    let mut host = Host { disk, ..Host::default() };
    let reason = halts(|| drop(boot(&mut host, 1, 1, "")));
    assert!(reason.starts_with("halt 2: file 0 is corrupt at offset 56"), "{reason}");
    cluster.host(1).disk.broken = Some(-1);
    assert!(
        halts(|| cluster.request(1, 0, 0, Operation::Register)).starts_with("halt 3: cannot write")
    );
}

#[test]
fn the_state_is_told_for_people() {
    let mut cluster = Cluster::new(2, "");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    let text = cluster.on(1, |node, _| node.inspect());
    let expected = "\
node: 1
role: leader
term: 1
vote: 1
leader: 1
log: 1 to 2@1, 145 of 1048576 bytes
durable: 2
commit: 2
applied: 2
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("follower 2: replicating, match 2, next 3, 0 in flight\n"), "{text}");
    assert!(text.contains("sessions: 1\nkeys: 0\nmachine: 128 of 1048576 bytes\n"), "{text}");
}
