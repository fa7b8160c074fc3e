//! Crashes and damage.

mod checkpoints;

use super::disk::{Disk, Numbers};
use super::*;
use crate::raft::{Configuration, Entry, HardState, Index, Log, Payload, Position, Snapshot};
use std::rc::Rc;

/// What a log says: term and vote, entries, and the state that the snapshot before them holds.
type State = (HardState, Log, Vec<Vec<u8>>);

/// The pieces of a snapshot, as they are.
#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl Restore for Pieces {
    fn restart(&mut self) {
        self.0.clear();
    }
    fn piece(&mut self, piece: &[u8]) -> Result<(), &'static str> {
        self.0.push(piece.to_vec());
        Ok(())
    }
}

/// Opens the log of node 1, with what it says.
fn open(disk: &mut Disk) -> Result<(Storage, State), Fault> {
    let mut pieces = Pieces::default();
    let (storage, restored) = Storage::open(disk, 1, &mut pieces)?;
    Ok((storage, (HardState { term: restored.term, vote: restored.vote }, restored.log, pieces.0)))
}

/// A node that writes, with all the states it was in.
#[derive(Clone)]
struct Run {
    disk: Disk,
    storage: Storage,
    states: Vec<State>,
    /// The state that is durable, among the above, and the one that the sync under way makes so.
    durable: usize,
    syncing: usize,
    ticket: Ticket,
}

impl Run {
    fn new() -> Self {
        Self::on(Disk::default())
    }

    fn on(mut disk: Disk) -> Self {
        let (storage, state) = open(&mut disk).expect("a crash damages nothing");
        Self { disk, storage, states: vec![state], durable: 0, syncing: 0, ticket: 0 }
    }

    fn last(&self) -> &State {
        self.states.last().expect("there is the first")
    }

    fn persist(&mut self, record: Record) {
        let (mut hard_state, mut log, pieces) = self.last().clone();
        match &record {
            Record::HardState(new) => hard_state = *new,
            Record::Append { entry, .. } => drop(log.append(entry.clone())),
            Record::Truncate { from } => log.truncate(*from),
        }
        self.states.push((hard_state, log, pieces));
        self.storage.persist(record);
    }

    fn append(&mut self, len: usize) {
        let index = self.last().1.last().index + 1;
        let payload = Payload::Command { at: 0, bytes: Rc::from(vec![b'x'; len]) };
        self.persist(Record::Append { index, entry: Entry { term: self.last().0.term, payload } });
    }

    fn hard_state(&mut self, term: u64, vote: Option<u32>) {
        self.persist(Record::HardState(HardState { term, vote }));
    }

    /// Whether the core would take a snapshot now: not while one is on its way, nor before a node hears others.
    fn may_checkpoint(&self) -> bool {
        !self.storage.replacing && !self.storage.cutting
    }

    /// Takes a snapshot up to `last`, of pieces of these lengths.
    fn checkpoint(&mut self, last: Index, lens: &[usize]) {
        self.write();
        let (hard_state, log, _) = self.last().clone();
        let number = u8::try_from(self.states.len() % 256).expect("it is below 256");
        let pieces: Vec<Vec<u8>> = lens.iter().map(|len| vec![number; *len]).collect();
        let term = log.term_at(last).expect("it is in the log");
        let configuration = Rc::new(Configuration::new([1], []));
        let snapshot = Snapshot { last: Position { term, index: last }, configured: 0, configuration };
        let mut rest = Log::new(snapshot.last);
        let tail: Vec<_> = log.iter().filter(|(at, _)| *at > last).map(|(at, entry)| (at, entry.clone())).collect();
        tail.iter().for_each(|(_, entry)| _ = rest.append(entry.clone()));
        self.states.push((hard_state, rest, pieces.clone()));
        let put = |put: &mut Put<'_>| pieces.iter().try_for_each(|piece| put(piece));
        self.storage.checkpoint(&mut self.disk, (snapshot, 7), put, tail.into_iter()).expect("the disk works");
    }

    fn write(&mut self) {
        self.storage.write(&mut self.disk).expect("the disk works");
    }

    fn sync(&mut self) {
        self.ticket += 1;
        self.syncing = self.states.len() - 1;
        self.storage.sync(&mut self.disk, self.ticket).expect("the disk works");
    }

    /// Answers the oldest sync, if one is under way.
    fn complete(&mut self) {
        let Some(ticket) = self.disk.complete() else { return };
        let ticket = self.storage.synced(&mut self.disk, ticket, 0).expect("the disk works");
        if ticket.is_some() {
            self.durable = self.syncing;
        }
    }

    fn settle(&mut self) {
        while !self.disk.syncs.is_empty() {
            self.complete();
        }
    }

    /// Crashes and boots again: what is there must be what was there, at the durable state or later.
    fn crash(mut self, survives: &mut dyn FnMut() -> bool) -> Self {
        self.disk.crash(survives);
        let next = Self::on(self.disk);
        let found = self.states.iter().rposition(|state| state == next.last());
        assert!(found.is_some(), "invented {:?}", next.last());
        assert!(found >= Some(self.durable), "lost what was synced: {found:?} < {}", self.durable);
        next
    }
}

/// The bits of `mask`, one after the other.
fn bits(mut mask: u32) -> impl FnMut() -> bool {
    move || {
        let bit = mask & 1 == 1;
        mask >>= 1;
        bit
    }
}

/// How many decisions a crash takes now.
fn decisions(run: &Run) -> u32 {
    let mut count = 0;
    run.clone().disk.crash(&mut || {
        count += 1;
        true
    });
    count
}

/// Writes that no sync covers: what every test of crashes ends with.
fn tail(run: &mut Run, lens: &[usize]) {
    let term = run.last().0.term + 1;
    run.hard_state(term, Some(1));
    for len in lens {
        run.append(*len);
        run.write();
    }
}

#[test]
fn what_was_written_is_read_back() {
    let mut run = Run::new();
    run.hard_state(3, None);
    run.append(10);
    run.append(0);
    run.persist(Record::Truncate { from: 2 });
    run.append(200_000);
    run.hard_state(4, Some(2));
    run.sync();
    run.settle();
    let before = run.last().clone();
    let run = run.crash(&mut || false);
    assert_eq!(*run.last(), before);
    assert!(!run.storage.is_cutting(), "nothing is torn");
    assert_eq!(run.storage.durable(), run.storage.end());
}

#[test]
fn every_subset_of_two_tails_is_recovered() {
    for lens in [&[0, 0][..], &[600], &[10, 500], &[1100]] {
        let mut first = Run::new();
        first.hard_state(1, None);
        first.append(100);
        first.sync();
        first.settle();
        tail(&mut first, lens);
        for mask in 0..1 << decisions(&first) {
            let mut second = first.clone().crash(&mut bits(mask));
            second = second.crash(&mut || false);
            // The second boot writes what the first wrote, and dies before or after its cut is durable.
            for settle in [false, true] {
                let mut second = second.clone();
                tail(&mut second, lens);
                if settle {
                    second.settle();
                }
                for mask in 0..1 << decisions(&second) {
                    second.clone().crash(&mut bits(mask));
                }
            }
        }
    }
}

#[test]
fn a_torn_first_record_is_an_empty_disk() {
    let mut run = Run::new();
    run.append(2000);
    run.write();
    let mask = 0b11101;
    let mut run = run.crash(&mut bits(mask));
    assert!(run.storage.is_cutting());
    assert_eq!(run.states.len(), 1);
    run.append(5);
    run.sync();
    assert_eq!(run.disk.now[0].len(), 0, "nothing is written before the cut is durable");
    run.settle();
    assert_eq!(run.durable, 1);
    run.crash(&mut || false);
}

fn random_step(run: &mut Run, numbers: &mut Numbers) {
    let (hard_state, log, _) = run.last().clone();
    match numbers.below(9) {
        0 => run.hard_state(hard_state.term + numbers.below(2), Some(1)),
        1..=3 => {
            let pick = usize::try_from(numbers.below(6)).expect("it is below 6");
            run.append([0, 3, 100, 450, 600, 1500][pick]);
        }
        4 if log.last().index > log.base().index => {
            let (base, last) = (log.base().index, log.last().index);
            run.persist(Record::Truncate { from: base + 1 + numbers.below(last - base) });
        }
        7 if run.may_checkpoint() && log.last().index > log.base().index => {
            let (base, last) = (log.base().index, log.last().index);
            let last = base + 1 + numbers.below(last - base);
            // No entry of a real log has term 0.
            if log.term_at(last) > Some(0) {
                run.checkpoint(last, &[40, 700]);
            }
        }
        5 if run.storage.syncing.is_none() => run.sync(),
        6 => run.complete(),
        _ => run.write(),
    }
}

#[test]
fn random_histories_of_crashes_are_recovered() {
    for seed in 0..1500 {
        let mut numbers = Numbers(seed);
        let mut run = Run::new();
        for _ in 0..1 + numbers.below(6) {
            for _ in 0..numbers.below(25) {
                random_step(&mut run, &mut numbers);
            }
            // Sometimes most survives, sometimes little.
            let odds = 1 + numbers.below(9);
            run = run.crash(&mut || numbers.below(10) < odds);
        }
    }
}

#[test]
fn damage_to_what_a_later_record_knows_to_be_durable_is_refused() {
    for seed in 0..40 {
        let mut numbers = Numbers(seed);
        let mut run = Run::new();
        for _ in 0..12 {
            random_step(&mut run, &mut numbers);
        }
        run.settle();
        if run.storage.syncing.is_none() {
            run.sync();
        }
        run.settle();
        let known = usize::try_from(run.storage.durable()).unwrap();
        let kept = run.durable;
        run.append(300);
        run.hard_state(99, None);
        run.sync();
        run.settle();
        run.disk.crash(&mut || false);
        let size = run.disk.now[0].len();
        let spots = (0..size).map(|spot| spot..spot + 1);
        let sectors = (0..size).step_by(512).map(|spot| spot..size.min(spot + 512));
        for spot in spots.chain(sectors) {
            let mut disk = run.disk.clone();
            disk.now[0][spot.clone()].iter_mut().for_each(|byte| *byte ^= 0x55);
            let behind = spot.start >= known;
            // Damage that reaches into the last group takes the witness away as well.
            let witnessed = spot.end <= known;
            match open(&mut disk) {
                Err(fault) => {
                    assert_eq!(fault.code, crate::fault::code::CORRUPT);
                    assert!(!behind, "{spot:?} of {known} could be a torn tail: {fault}");
                }
                Ok((_, state)) => {
                    let found = run.states.iter().rposition(|one| *one == state);
                    let harmless = found == Some(run.states.len() - 1);
                    assert!(harmless || !witnessed, "{spot:?} of {known} was not noticed");
                    assert!(found.is_some(), "{spot:?}: invented {state:?}");
                    assert!(found >= Some(kept) || !behind, "{spot:?} took what lies before it");
                }
            }
        }
    }
}

#[test]
fn stale_records_behind_a_forgotten_cut_are_not_continued() {
    let mut run = Run::new();
    run.append(8);
    run.sync();
    run.settle();
    let broken = run.disk.now[0].len();
    run.append(600);
    run.append(8);
    run.write();
    run.disk.now[0][broken + 100] ^= 1;
    let stale = run.disk.now.clone();
    let mut run = Run::on(run.disk);
    // The disk says that the cut is durable, and keeps what was to be cut.
    run.settle();
    run.disk.now.clone_from(&stale);
    // The boot record and a shorter value end where the torn record did.
    run.append(600 - 72);
    run.write();
    assert_eq!(run.disk.now[0].len(), stale[0].len());
    let (storage, state) = open(&mut run.disk).expect("it is a torn tail");
    assert!(storage.is_cutting());
    assert_eq!(state, *run.last());
}

#[test]
fn a_refusal_names_the_place_and_the_witness() {
    let mut run = Run::new();
    for _ in 0..2 {
        run.append(8);
        run.sync();
        run.settle();
    }
    run.disk.now[0][86] ^= 1;
    let fault = open(&mut run.disk).expect_err("it is damaged");
    let sum = u64::from_le_bytes(run.disk.now[0][..8].try_into().unwrap());
    assert_eq!(
        fault.reason,
        format!(
            "file 0 is corrupt at offset 72: expected an intact record that follows the one with sum {sum:#018x}, \
             since the intact record at offset 144 says that all up to 144 was durable; but its sum is wrong"
        )
    );
}

#[test]
fn the_disk_of_another_node_is_refused() {
    let mut run = Run::new();
    run.append(8);
    run.write();
    let fault = Storage::open(&mut run.disk, 2, &mut Pieces::default()).expect_err("it is the disk of node 1");
    assert_eq!(fault.reason, "file 0 belongs to node 1, and this is node 2");
}

#[test]
fn a_value_that_looks_like_a_record_is_none() {
    let mut run = Run::new();
    run.append(8);
    run.sync();
    run.settle();
    run.append(8);
    run.write();
    // A client puts the bytes of a real record, which claims that much is durable, into a value.
    let record: Rc<[u8]> = run.disk.now[0][144..].into();
    let mut run = Run::new();
    let entry = Entry { term: 0, payload: Payload::Command { at: 0, bytes: record } };
    run.persist(Record::Append { index: 1, entry });
    run.write();
    // Its own record is torn, the value is whole.
    run.disk.now[0][76] ^= 1;
    let (storage, (_, log, _)) = open(&mut run.disk).expect("it is a torn tail");
    assert!(storage.is_cutting());
    assert_eq!(log.last().index, 0);
}

#[test]
fn a_disk_that_fails_ends_the_node() {
    let mut run = Run::new();
    run.append(8);
    run.disk.broken = Some(boundary::status::FULL);
    let fault = run.storage.write(&mut run.disk).expect_err("it is full");
    assert_eq!(fault.reason, "cannot write 144 bytes to file 0 at 0: the disk is full (status -2)");
    run.disk.broken = None;
    run.sync();
    let fault = run.storage.synced(&mut run.disk, 1, -1).expect_err("the sync failed");
    assert_eq!(fault.reason, "file 0 cannot be made durable beyond 0: the device failed (status -1)");
    run.disk.broken = Some(boundary::status::IO);
    let fault = open(&mut run.disk).expect_err("it cannot be read");
    assert_eq!(fault.reason, "cannot read file 0 at offset 0: the device failed (status -1)");
}
