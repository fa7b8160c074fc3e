//! What a whole node does, alone and in a cluster.

use super::cluster::{Cluster, Host, boot};
use super::*;
use crate::storage::disk::Numbers;
use raftbox_abi::client::{self, Attempt, Operation};
use raftbox_abi::note::Role;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    let appended = cluster.host(1).notes.iter().fold(0, |prefix, note| match note {
        Body::Append { index: _, term, kind, hash } => raftbox_abi::chain(prefix, *term, *kind, *hash),
        _ => prefix,
    });
    cluster.restart(1, &mut || false);
    let prefix = match cluster.host(1).notes.last() {
        Some(Body::Recovered { term: 1, vote: 1, snapshot: (0, 0), last: (3, 1), prefix }) => *prefix,
        other => panic!("boot ends with what was recovered, not {other:?}"),
    };
    assert_eq!(prefix, appended);
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
fn a_node_without_a_vote_is_a_learner() {
    let mut host = Host::default();
    let boot = Boot { version: 1, node: 2, voters: vec![1], learners: vec![2], settings: "" };
    Node::boot(&mut host, &boot).wake(&mut host);
    let roles = host.notes.iter().filter(|note| matches!(note, Body::Role { .. }));
    let learner = Body::Role { role: Role::Learner, term: 0, leader: 0 };
    assert_eq!(roles.collect::<Vec<_>>(), [&learner]);
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
    let mut cluster = Cluster::new(1, "log_bytes=1000\nsnapshot_bytes=0\n");
    cluster.elect(1);
    cluster.on(1, |node, host| node.request(host, 77, 0, b"nonsense"));
    assert_eq!(cluster.replies(1), ["0: Refused(Malformed)"]);
    let large = vec![0; 70_000];
    assert_eq!(cluster.ask(1, 1, 1, Operation::Put(b"k", &large)), "1: Refused(LogFull)");
    assert_eq!(cluster.ask(1, 2, 0, Operation::Register), "2: Ok(Session(2))");
    let value = [0; 600];
    assert_eq!(cluster.ask(1, 1, 2, Operation::Put(b"k", &value)), "1: Ok(Done)");
    assert_eq!(cluster.ask(1, 2, 2, Operation::Put(b"k", &value)), "2: Refused(LogFull)");
    let full = |note: &Body| matches!(note, Body::Refused { peer: 0, refusal: Refusal::LogFull { .. } });
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
    let last = raft::Position { term: 9, index: 9 };
    let body = raft::Body::RequestVote { last, transfer: false };
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
    assert_eq!(halts(|| drop(boot(&mut host, 1, 1, "heart=1"))), "halt 1: setting \"heart\" is unknown");
    let mut cluster = Cluster::new(1, "");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    cluster.ask(1, 0, 0, Operation::Register);
    let mut disk = cluster.host(1).disk.clone();
    disk.now[0][96] ^= 1;
    let mut host = Host { disk, ..Host::default() };
    let reason = halts(|| drop(boot(&mut host, 1, 1, "")));
    assert!(reason.starts_with("halt 2: file 0 is corrupt at offset 72"), "{reason}");
    cluster.host(1).disk.broken = Some(-1);
    assert!(halts(|| cluster.request(1, 0, 0, Operation::Register)).starts_with("halt 3: cannot write"));
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
snapshot: up to 0@0, 0 bytes
durable: 2
commit: 2
applied: 2
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("follower 2: replicating, match 2, next 3, 0 in flight, heard at "), "{text}");
    assert!(text.contains("sessions: 1\nkeys: 0\nmachine: 128 of 1048576 bytes\n"), "{text}");
}

/// A client that increments one counter, and asks again wherever it likes until it is answered.
struct Counting {
    session: u64,
    sequence: u64,
    /// What the last increment must have returned.
    counted: i64,
}

impl Counting {
    /// Reads an answer. Every one that says what the counter was must say what it should have been.
    fn answered(&mut self, operation: u64, body: &[u8]) {
        let Attempt { operation, attempt: _ } = Attempt::unpack(operation);
        match Reply::decode(body).expect("a node encodes what it replies") {
            Reply::Ok(client::Outcome::Session(session)) if self.session == 0 => {
                (self.session, self.sequence) = (session, 1);
            }
            Reply::Ok(client::Outcome::Number(number)) => {
                assert_eq!(number.cast_unsigned(), operation, "one increment, one effect");
                if operation == self.sequence {
                    self.counted = number;
                    self.sequence += 1;
                }
            }
            Reply::SessionExpired => panic!("sessions last for ever"),
            Reply::Ok(_) | Reply::Redirect(_) | Reply::Refused(_) => {}
        }
    }

    fn request(&self) -> (u64, Operation<'static>) {
        match self.session {
            0 => (0, Operation::Register),
            _ => (self.sequence, Operation::Increment(b"n", 1)),
        }
    }
}

/// One thing that happens to a cluster.
fn random_event(cluster: &mut Cluster, client: &Counting, numbers: &mut Numbers) {
    let id = 1 + u32::from(numbers.below(3).to_le_bytes()[0]);
    match numbers.below(200) {
        0 => {
            let odds = numbers.below(11);
            cluster.restart(id, &mut || numbers.below(10) < odds);
        }
        // Mostly the alarm that is due first rings.
        1 => cluster.wake(id),
        2..=11 => {
            let first = (1..=3).min_by_key(|id| cluster.host(*id).alarm).expect("there are three");
            cluster.wake(first);
        }
        12..=31 => {
            let (sequence, operation) = client.request();
            cluster.request(id, sequence, client.session, operation);
        }
        32..=79 => {
            if let Some(ticket) = cluster.host(id).disk.complete() {
                cluster.on(id, |node, host| node.synced(host, ticket, 0));
            }
        }
        _ => random_delivery(cluster, id, numbers),
    }
}

/// One of the datagrams under way from `id` arrives, or does not: they overtake each other, get lost, and come twice.
fn random_delivery(cluster: &mut Cluster, id: u32, numbers: &mut Numbers) {
    let sent = &mut cluster.host(id).sent;
    if sent.is_empty() {
        return;
    }
    let pick = numbers.below(sent.len().min(4) as u64);
    let pick = usize::try_from(pick).expect("it is below 4");
    let (to, datagram) = match numbers.below(20) {
        0 => sent[pick].clone(),
        1 => return drop(sent.remove(pick)),
        _ => sent.remove(pick).expect("it is there"),
    };
    cluster.on(to, |node, host| node.deliver(host, id, &datagram));
}

#[test]
fn through_crashes_and_losses_each_increment_counts_once_and_all_nodes_apply_the_same() {
    let mut most = 0;
    for seed in 0..150 {
        let mut numbers = Numbers(seed);
        let mut cluster = Cluster::new(3, "election_min=100000\nelection_max=110000\n");
        let mut client = Counting { session: 0, sequence: 0, counted: 0 };
        let mut applied = BTreeMap::new();
        for _ in 0..4000 {
            random_event(&mut cluster, &client, &mut numbers);
            for host in &mut cluster.hosts {
                for (_, operation, body) in host.replies.drain(..) {
                    client.answered(operation, &body);
                }
                for note in host.notes.drain(..) {
                    if let Body::Apply { index, term, command, result } = note {
                        let before = applied.entry(index).or_insert((term, command, result));
                        assert_eq!(*before, (term, command, result), "seed {seed}, index {index}");
                    }
                }
            }
        }
        most = most.max(client.counted);
    }
    assert!(most > 20, "the clusters got somewhere: {most}");
}

#[test]
fn a_long_log_is_applied_again_in_steps() {
    let mut cluster = Cluster::new(1, "snapshot_bytes=0\n");
    cluster.elect(1);
    for number in 0..5000 {
        cluster.ask(1, number, 0, Operation::Register);
    }
    cluster.restart(1, &mut || false);
    let mut applied = |turn: fn(&mut Cluster)| {
        cluster.host(1).notes.clear();
        turn(&mut cluster);
        cluster.host(1).notes.iter().filter(|note| matches!(note, Body::Apply { .. })).count()
    };
    // All commands, and the empty entries of both leaders.
    assert_eq!(applied(|cluster| cluster.elect(1)), 4096);
    assert_eq!(applied(|cluster| cluster.wake(1)), 5002 - 4096);
    assert_eq!(applied(|cluster| cluster.wake(1)), 0);
}

#[test]
fn what_a_client_was_answered_survives_a_snapshot() {
    let mut cluster = Cluster::new(1, "snapshot_keep=0\n");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    assert_eq!(cluster.ask(1, 1, 2, Operation::Increment(b"n", 5)), "1: Ok(Number(5))");
    assert_eq!(cluster.ask(1, 9, 2, Operation::Compact), "9: Ok(Done)");
    let taken = cluster.host(1).notes.last().cloned();
    assert!(matches!(taken, Some(Body::Snapshot { index: 3, term: 1, .. })), "{taken:?}");
    cluster.restart(1, &mut || false);
    let recovered = cluster.host(1).notes.last().cloned();
    let Some(Body::Snapshot { prefix: replaced, .. }) = taken else { unreachable!() };
    match recovered {
        Some(Body::Recovered { snapshot: (3, 1), last: (3, 1), prefix, .. }) => assert_eq!(prefix, replaced),
        other => panic!("it begins with its snapshot, not {other:?}"),
    }
    cluster.elect(1);
    assert_eq!(cluster.ask(1, 1, 2, Operation::Increment(b"n", 5)), "1: Ok(Number(5))", "once, and the same answer");
    assert_eq!(cluster.ask(1, 2, 2, Operation::Increment(b"n", 1)), "2: Ok(Number(6))");
}

#[test]
fn a_follower_that_installs_a_snapshot_goes_on_as_the_leader() {
    let mut cluster = Cluster::new(3, "snapshot_keep=0\nbatch_bytes=40\n");
    cluster.elect(1);
    cluster.ask(1, 0, 0, Operation::Register);
    cluster.isolated = vec![3];
    for number in 1..20_u8 {
        cluster.ask(1, number.into(), 2, Operation::Put(&[number], &[number; 20]));
    }
    cluster.ask(1, 99, 2, Operation::Compact);
    cluster.isolated.clear();
    for _ in 0..60 {
        cluster.wake(1);
        cluster.settle();
    }
    let installed = |note: &&Body| matches!(note, Body::Install { .. } | Body::Snapshot { .. });
    let notes: Vec<Body> = cluster.host(3).notes.iter().filter(installed).cloned().collect();
    let (Body::Install { index, state, .. }, Body::Snapshot { state: durable, .. }) = (&notes[0], &notes[1]) else {
        panic!("{notes:?}");
    };
    assert_eq!((state, *index), (durable, 21));
    cluster.elect(3);
    assert_eq!(cluster.ask(3, 19, 2, Operation::Put(&[19], &[19; 20])), "19: Ok(Done)", "it was answered before");
    let read = |key| Operation::Read(raftbox_abi::note::ReadMode::Index, key);
    assert_eq!(cluster.ask(3, 100, 2, read(&[7])), format!("100: Ok(Value(Some({:?})))", [7; 20]));
}

#[test]
fn reads_that_wait_are_bounded() {
    let mut cluster = Cluster::new(3, "check_quorum=false\n");
    cluster.elect(1);
    cluster.wake(1);
    cluster.settle();
    cluster.isolated = vec![1];
    let key = vec![b'k'; 20_000];
    let mut ask = |operation| {
        cluster.request(1, operation, 0, Operation::Read(raftbox_abi::note::ReadMode::Index, &key));
        cluster.replies(1)
    };
    assert!((0..3).all(|operation| ask(operation).is_empty()), "they wait");
    assert_eq!(ask(3), ["3: Refused(LogFull)"]);
    cluster.isolated.clear();
    cluster.wake(1);
    cluster.settle();
    assert_eq!(cluster.replies(1).len(), 3, "all are answered");
    assert_eq!(cluster.on(1, |node, _| node.reads.len()), 0);
}
