//! A cluster for tests: whole nodes, with their network, clocks and disks at the test's hand.

use super::*;
use crate::storage::disk::Disk;
use raftbox_abi::client::{Attempt, Operation};
use std::collections::VecDeque;

/// What one node sees of the world.
#[derive(Default)]
pub(super) struct Host {
    pub(super) now: u64,
    pub(super) disk: Disk,
    pub(super) alarm: u64,
    pub(super) sent: VecDeque<(u32, Vec<u8>)>,
    pub(super) replies: Vec<(u32, u64, Vec<u8>)>,
    pub(super) notes: Vec<Body>,
    pub(super) logged: Vec<String>,
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
pub(super) struct Cluster {
    pub(super) settings: String,
    pub(super) hosts: Vec<Host>,
    pub(super) nodes: Vec<Node>,
    pub(super) isolated: Vec<u32>,
}

impl Cluster {
    pub(super) fn new(size: u32, settings: &str) -> Self {
        let mut cluster = Self { settings: settings.into(), hosts: vec![], nodes: vec![], isolated: vec![] };
        for id in 1..=size {
            let mut host = Host { disk: Disk { draws: id.into(), ..Disk::default() }, ..Host::default() };
            cluster.nodes.push(boot(&mut host, id, size, settings));
            cluster.hosts.push(host);
        }
        cluster
    }

    pub(super) fn on<R>(&mut self, id: u32, turn: impl FnOnce(&mut Node, &mut Host) -> R) -> R {
        let at = id as usize - 1;
        turn(&mut self.nodes[at], &mut self.hosts[at])
    }

    pub(super) fn host(&mut self, id: u32) -> &mut Host {
        &mut self.hosts[id as usize - 1]
    }

    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.hosts.len()).expect("a handful")
    }

    /// Power is lost at one node, and comes back.
    pub(super) fn restart(&mut self, id: u32, survives: &mut dyn FnMut() -> bool) {
        let (size, settings) = (self.size(), self.settings.clone());
        let host = self.host(id);
        host.disk.crash(survives);
        host.sent.clear();
        host.notes.clear();
        self.nodes[id as usize - 1] = boot(self.host(id), id, size, &settings);
    }

    /// The alarm of a node rings.
    pub(super) fn wake(&mut self, id: u32) {
        let now = self.hosts.iter().map(|host| host.now).max().unwrap_or(0);
        let at = self.host(id).alarm.max(now);
        self.hosts.iter_mut().for_each(|host| host.now = at);
        self.on(id, Guest::wake);
    }

    /// Delivers and syncs until nothing is under way.
    pub(super) fn settle(&mut self) {
        while self.once() {}
    }

    pub(super) fn once(&mut self) -> bool {
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
    pub(super) fn elect(&mut self, id: u32) {
        for host in &mut self.hosts {
            host.now += 1_000_000;
        }
        self.wake(id);
        self.settle();
        assert_eq!(self.on(id, |node, _| node.raft.leader()), Some(id));
    }

    pub(super) fn request(&mut self, id: u32, number: u64, session: u64, operation: Operation<'_>) {
        let mut body = Vec::new();
        Request { session, sequence: number, operation }.encode(&mut body);
        let operation = Attempt { operation: number, attempt: 0 }.pack();
        self.on(id, |node, host| node.request(host, 77, operation, &body));
    }

    /// What node `id` has replied since the last time, each with the number of the operation.
    pub(super) fn replies(&mut self, id: u32) -> Vec<String> {
        let text = |(client, operation, body): (u32, u64, Vec<u8>)| {
            assert_eq!(client, 77);
            let reply = Reply::decode(&body).expect("a node encodes what it replies");
            format!("{}: {reply:?}", Attempt::unpack(operation).operation)
        };
        self.host(id).replies.drain(..).map(text).collect()
    }

    pub(super) fn ask(&mut self, id: u32, number: u64, session: u64, operation: Operation<'_>) -> String {
        self.request(id, number, session, operation);
        self.settle();
        self.replies(id).concat()
    }
}

pub(super) fn boot(host: &mut Host, node: u32, size: u32, settings: &str) -> Node {
    let voters = (1..=size).collect();
    let boot = Boot { version: 1, node, voters, learners: vec![], settings };
    Node::boot(host, &boot)
}
