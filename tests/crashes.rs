//! A crash after every call that a node makes to its host, wherever it writes: each is a run of its own, and each must recover.
//!
//! The cluster takes snapshots all the time; S3 is cut off for a while and gets one from the leader, in chunks. Of all turns of
//! all nodes in which the disk is used, from then on for a while, each effect is the last before a crash, in three runs: what
//! was not synced is lost, survives, or is torn in the middle of the last write.

use raftbox::check::Verdict;
use raftbox::event::{Cause, Effect, Endpoint, Event, MessageName, NodeId};
use raftbox::plan::Header;
use raftbox::scenario::Setting;
use raftbox::scenario::step::{Act, Moment, Step, Survive, Target, When};
use raftbox::trace::Keep;
use raftbox::units::{Span, Spans};
use raftbox_tests::{header, native, run};

/// Cut off for so long.
const AWAY: (u64, u64) = (300_000, 600_000);
/// Until then turns are tried.
const UNTIL: u64 = 700_000;

fn base() -> Header {
    header("calm", 1, |scenario| {
        scenario.nodes = 3;
        scenario.duration = Span(1_000_000);
        scenario.settle = Span(2_000_000);
        for (name, value) in [("snapshot_bytes", 500), ("snapshot_keep", 0), ("batch_bytes", 250)] {
            scenario.node.insert(name.into(), Setting::Number(value));
        }
        let away = Step { when: When::At(Span(AWAY.0)), act: Act::Isolate(Target::Node(3), 0) };
        let back = Step { when: When::At(Span(AWAY.1)), act: Act::Heal(Vec::new(), Vec::new()) };
        scenario.clients.think = Spans::micros(2_000, 8_000);
        scenario.step = vec![away, back];
    })
}

/// A turn: the number of its cause, when it was, and how many effects it has; and whether any of them is the disk's.
struct Turn {
    cause: u64,
    at: u64,
    node: NodeId,
    effects: u32,
    writes: bool,
}

fn turns(header: &Header) -> Vec<Turn> {
    let (record, _) = run(native(), header, Keep::All).unwrap();
    let mut turns: Vec<Turn> = Vec::new();
    for (index, (at, event)) in (0..).zip(record.trace.iter()) {
        match &event {
            Event::Cause(cause) => {
                let node = match cause {
                    Cause::Deliver { message: MessageName { to: Endpoint::Node(node), .. }, .. }
                    | Cause::Wake { node, .. }
                    | Cause::Synced { node, .. } => *node,
                    _ => 0,
                };
                turns.push(Turn { cause: index, at, node, effects: 0, writes: false });
            }
            Event::Effect(effect) => {
                let turn = turns.last_mut().expect("a cause comes first");
                let disk = matches!(effect, Effect::Write { .. } | Effect::Truncate { .. } | Effect::Sync { .. });
                turn.writes |= disk;
                turn.effects += u32::from(disk || matches!(effect, Effect::Sent { .. } | Effect::WakeAt { .. }));
            }
        }
    }
    turns.retain(|turn| turn.node > 0 && turn.writes);
    turns
}

#[test]
fn a_crash_after_any_call_to_the_host_is_recovered_from() {
    let base = base();
    let (mut crashes, mut snapshots) = (0, 0);
    let tried = turns(&base);
    // From when S3 is back, and gets a snapshot, while the others take their own.
    let tried = tried.iter().filter(|turn| (AWAY.1..UNTIL).contains(&turn.at));
    for turn in tried {
        let ways = [Survive::None, Survive::All, Survive::Torn];
        for (effect, survive) in (0..turn.effects).flat_map(|effect| ways.map(|survive| (effect, survive))) {
            let mut header = base.clone();
            let node = Target::Node(turn.node);
            header.plan.interventions = vec![
                Step { when: When::After(turn.cause), act: Act::Crash(node, Some(Moment::Nth(effect))) },
                Step { when: When::At(Span(turn.at + 100_000)), act: Act::Restart(node, Some(survive)) },
            ];
            let (record, _) = run(native(), &header, Keep::All).unwrap();
            let which = format!("S{}, effect {effect} of the turn of event {}, {survive}", turn.node, turn.cause);
            let mut crashed = 0;
            for (_, event) in record.trace.iter() {
                crashed += u32::from(matches!(event, Event::Cause(Cause::Decide { .. })));
                snapshots += u32::from(matches!(
                    event,
                    Event::Effect(Effect::Note { kind: raftbox_abi::note::kind::INSTALL, .. })
                ));
            }
            assert_eq!(crashed, 1, "{which}: it crashed");
            for (property, verdict) in record.checkers.verdicts() {
                assert_eq!(verdict, Verdict::Pass, "{which}: {property}");
            }
            crashes += 1;
        }
    }
    println!("{crashes} crashes, {snapshots} snapshots installed");
    assert!(crashes > 1_000 && snapshots > 1_000, "{crashes} {snapshots}");
}
