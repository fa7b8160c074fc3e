//! Crashes of and damage to a log that is begun anew, and snapshots that come from a leader.

use super::*;
use crate::raft::Image;

/// A node with a durable log in the file of `generation`, and behind it a record that says so.
fn settled(generation: u64) -> Run {
    let mut run = Run::new();
    run.hard_state(1, None);
    for len in [8, 600] {
        run.append(len);
        run.sync();
        run.settle();
    }
    while run.storage.generation < generation {
        run.checkpoint(run.last().1.last().index, &[700, 40]);
        run.append(100);
        run.sync();
        run.settle();
        run.append(8);
        run.sync();
        run.settle();
    }
    run
}

#[test]
fn a_crash_between_any_two_calls_of_a_checkpoint_leaves_one_of_the_logs() {
    for generation in [1, 2, 3] {
        let mut first = settled(generation);
        // What the core would do, up to where the old file is emptied, and at each point a crash.
        let steps: [fn(&mut Run); 9] = [
            |run| run.append(30),
            |run| run.checkpoint(run.last().1.last().index - 1, &[300, 20]),
            |run| run.append(10),
            Run::write,
            Run::sync,
            Run::complete,
            |run| run.append(20),
            Run::sync,
            Run::complete,
        ];
        for step in steps {
            step(&mut first);
            let count = decisions(&first);
            assert!(count < 20, "{count} decisions");
            for mask in 0..1 << count {
                let mut second = first.clone().crash(&mut bits(mask));
                // It goes on, and takes a snapshot at once.
                second.append(40);
                second.sync();
                second.settle();
                second.checkpoint(second.last().1.last().index, &[100]);
                for mask in [0, 1, 0b10, 0b1110, 0b10101, u32::MAX >> 1] {
                    second.clone().crash(&mut bits(mask));
                }
                second.sync();
                second.settle();
                second.crash(&mut || false);
            }
        }
    }
}

#[test]
fn only_one_of_the_files_holds_anything_in_the_end() {
    for generation in 1..6 {
        let run = settled(generation);
        let held = run.disk.now.each_ref().map(|file| !file.is_empty());
        assert_eq!(held, [generation % 2 == 1, generation % 2 == 0, false]);
        assert_eq!(run.last().2.len(), if generation == 1 { 0 } else { 2 });
        let before = run.last().clone();
        assert_eq!(*run.crash(&mut || false).last(), before);
    }
}

#[test]
fn damage_to_a_snapshot_is_refused() {
    // Whatever the generation is: where the first record is gone, nothing else tells it.
    for generation in 2..6 {
        let run = settled(generation);
        let file = usize::from(generation.is_multiple_of(2));
        for spot in 0..run.disk.now[file].len() - 200 {
            let mut disk = run.disk.clone();
            disk.now[file][spot] ^= 0x55;
            match open(&mut disk) {
                Err(fault) => assert_eq!(fault.code, crate::fault::code::CORRUPT),
                // What fills a record up to the next belongs to nothing.
                Ok((_, state)) => assert_eq!(state, *run.last(), "{spot} of {generation}"),
            }
        }
    }
    let run = settled(2);
    // The log that it replaced is gone, and it itself is cut short where nothing behind it tells.
    let mut disk = run.disk.clone();
    disk.now[1].truncate(600);
    let fault = open(&mut disk).expect_err("it is damaged");
    assert!(fault.reason.starts_with("file 0 is corrupt: 856 bytes of it were durable when file 1"), "{fault}");
}

#[test]
fn what_a_leader_sends_is_kept_until_it_is_whole() {
    let mut run = settled(1);
    let sent: Vec<u8> = [&[3, 0, 0, 0][..], b"one", &[0, 0, 0, 0], &[4, 0, 0, 0], b"two!"].concat();
    let image = Image { bytes: sent.len() as u64, state: raftbox_abi::hash(&sent), prefix: 0 };
    let restore = |run: &mut Run, image: &Image| {
        let mut pieces = Pieces::default();
        run.storage.restore(&mut run.disk, image, &mut pieces).map(|()| pieces.0).map_err(|fault| fault.reason)
    };
    let store = |run: &mut Run, offset: usize, part: &[u8]| {
        run.storage.store(&mut run.disk, offset as u64, part).expect("the disk works");
    };
    // One that was given up, and one that came in parts.
    store(&mut run, 0, &[9; 100]);
    store(&mut run, 0, &sent[..5]);
    store(&mut run, 5, &sent[5..]);
    let pieces = restore(&mut run, &image).expect("it is whole");
    assert_eq!(pieces, [b"one".to_vec(), b"".to_vec(), b"two!".to_vec()]);
    assert_eq!(run.disk.now[2].len(), 0, "it is stored no more");
    store(&mut run, 0, &sent);
    let other = Image { state: 1, ..image };
    assert!(restore(&mut run, &other).unwrap_err().ends_with("is none: its hash is another one"));
    let cut = Image { bytes: 13, ..image };
    assert!(restore(&mut run, &cut).unwrap_err().ends_with("is none: it ends within a length"));
    let cut = Image { bytes: 17, ..image };
    assert!(restore(&mut run, &cut).unwrap_err().ends_with("is none: a piece is longer than it"));
}
