//! The view of real runs, with every fault: whatever way an event is reached, the same is shown there, and it is what the
//! world holds and what the nodes say.

use raftbox::check::Observed;
use raftbox::event::{Cause, Effect, Endpoint, Event, Micros};
use raftbox::plan::Header;
use raftbox::runfile::RunFile;
use raftbox::simulation::Simulation;
use raftbox::timeline::Timeline;
use raftbox::trace::{Keep, Trace};
use raftbox::units::Span;
use raftbox::view::client::Outcome;
use raftbox::view::diagram::Window;
use raftbox::view::{Recording, View, lane};
use raftbox_abi::Note;
use raftbox_abi::note::Body;
use raftbox_tests::{header, native};
use std::collections::BTreeSet;

/// Chaos, in less time.
fn chaos(seed: u64) -> Header {
    header("chaos", seed, |scenario| {
        scenario.duration = Span(6_000_000);
        scenario.faults.from = Span(1_000_000);
        scenario.faults.until = Span(5_000_000);
        if let Some(crash) = &mut scenario.faults.crash {
            crash.every = Span(700_000);
        }
        if let Some(partition) = &mut scenario.faults.partition {
            partition.every = Span(1_500_000);
        }
        if let Some(pause) = &mut scenario.faults.pause {
            pause.every = Span(1_500_000);
        }
    })
}

fn record(header: &Header) -> (Recording, Trace) {
    let mut simulation = Simulation::new(native(), header, Keep::All).unwrap();
    simulation.run().unwrap();
    let trace = simulation.record().trace.clone();
    let mut recording = Recording::new(&header.plan.scenario);
    recording.follow(&trace, |_| None);
    recording.finish();
    (recording, trace)
}

/// Numbers below a bound, all over it.
fn spread(below: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % below.max(1))
}

#[test]
fn a_view_is_the_same_however_it_is_reached() {
    for seed in 0..3 {
        let (recording, _) = record(&chaos(seed));
        let picked: BTreeSet<u64> = spread(recording.events(), 300).collect();
        let mut folded = recording.start().clone();
        let mut jumping = recording.start().clone();
        for event in picked {
            // Step by step, from the start.
            while folded.after.is_none_or(|moment| moment.event < event) {
                let next = folded.after.map_or(0, |moment| moment.event + 1);
                recording.seek(&mut folded, next);
            }
            assert_eq!(folded, recording.view(event), "seed {seed}, event {event}");
            // From anywhere.
            let elsewhere = event.wrapping_mul(31) % recording.events();
            recording.seek(&mut jumping, elsewhere);
            recording.seek(&mut jumping, event);
            assert_eq!(jumping, folded, "seed {seed}, event {event} from {elsewhere}");
        }
    }
}

#[test]
fn a_recording_in_pieces_is_the_whole() {
    let header = chaos(4);
    let mut simulation = Simulation::new(native(), &header, Keep::All).unwrap();
    let mut pieces = Recording::new(&header.plan.scenario);
    while simulation.step(|_| ()).unwrap() {
        if simulation.record().trace.events().is_multiple_of(5) {
            pieces.follow(&simulation.record().trace, |_| None);
        }
    }
    pieces.follow(&simulation.record().trace, |_| None);
    let mut whole = Recording::new(&header.plan.scenario);
    whole.follow(&simulation.record().trace, |_| None);
    assert!(format!("{:?}", pieces.tables()) == format!("{:?}", whole.tables()), "the tables differ");
    assert_eq!(pieces.last(), whole.last());
    assert_eq!(pieces.story(), whole.story());
    assert_eq!(pieces.parts_from(&whole), None);
}

#[test]
fn what_is_on_its_way_is_what_the_world_holds() {
    for seed in 0..3 {
        let header = chaos(seed);
        let mut simulation = Simulation::new(native(), &header, Keep::All).unwrap();
        let mut recording = Recording::new(&header.plan.scenario);
        let mut steps: u64 = 0;
        while simulation.step(|_| ()).unwrap() {
            steps += 1;
            if steps.is_multiple_of(37) {
                recording.follow(&simulation.record().trace, |_| None);
                let held = simulation.world().mail().count();
                assert_eq!(recording.last().mail.len(), held, "seed {seed}, step {steps}");
            }
        }
        let last = recording.events() - 1;
        for event in spread(last, 200) {
            let view = recording.view(event);
            let messages = recording.tables().messages.all().iter();
            let held: BTreeSet<_> =
                messages.filter(|message| message.is_held(event)).map(|message| message.name).collect();
            assert_eq!(view.mail, held, "seed {seed}, event {event}");
            for name in &view.mail {
                let message = recording.tables().messages.get(*name).unwrap();
                if let Some((done, whole)) = message.progress(event, view.at()) {
                    assert!(done <= whole, "{name} has come {done} of {whole}");
                }
            }
        }
    }
}

#[test]
fn every_event_has_a_sentence_and_no_question_is_without_an_answer() {
    for seed in 0..3 {
        let (recording, _) = record(&chaos(seed));
        let sentences = recording.sentences(0, usize::MAX);
        assert_eq!(sentences.len() as u64, recording.events());
        for (event, told) in (0..).zip(&sentences) {
            assert_eq!(told.event, event);
            assert!(!told.text.is_empty() && !told.text.contains('\n'), "seed {seed}, event {event}: {:?}", told.text);
        }
        for event in spread(recording.events(), 400) {
            assert_eq!(recording.sentence(event).as_ref(), sentences.get(usize::try_from(event).unwrap()));
            if let Some(why) = recording.why(event) {
                assert!(!why.headline.is_empty() && !why.rule.section.is_empty());
            }
            assert!(!recording.why_committed(event, event % 200).headline.is_empty());
            let from = recording.view(event).at();
            let window = Window { from, to: from + 300_000, most: 50, clients: event % 2 == 0 };
            let diagram = recording.diagram(&window);
            assert!(diagram.marks.len() <= 50 && diagram.lines.len() <= 50 && diagram.operations.len() <= 50);
            assert!(diagram.lines.iter().all(|line| line.ends.is_none_or(|ends| ends.at >= from)));
        }
        for (moment, event) in recording.iter(0) {
            let refused = matches!(&event, Event::Effect(Effect::Note { kind, body, .. })
                if matches!(Note::decode(*kind, body), Some(Note { body: Body::Refused { .. }, .. })));
            assert!(!refused || recording.why(moment.event).is_some(), "seed {seed}, event {}", moment.event);
        }
    }
}

#[test]
fn values_are_proven_on_every_node_and_agree() {
    for seed in 0..3 {
        let mut header = chaos(seed);
        // All are to be there in the end.
        (header.plan.scenario.faults.core, header.plan.scenario.faults.rot) = (false, None);
        let (recording, _) = record(&header);
        let last = recording.last();
        let values = |view: &View| -> Vec<_> {
            let of = |node: &raftbox::view::node::Node| {
                let values: Vec<_> =
                    node.machine.values().unwrap().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
                (node.noted.applied, values)
            };
            view.nodes().map(|(_, node)| of(node)).collect()
        };
        let all = values(last);
        // A message that came back in the last instant may have made an entry that not all have heard of yet.
        let most = all.iter().map(|(applied, _)| *applied).max().unwrap();
        assert!(all.iter().all(|(applied, values)| applied + 1 >= most && !values.is_empty()), "seed {seed}");
        for (applied, values) in &all {
            let same = all.iter().filter(|(other, _)| other == applied);
            assert!(same.into_iter().all(|(_, others)| others == values), "seed {seed}");
        }
        // A client reads at the end what the nodes are shown to hold.
        let operations = &recording.tables().operations;
        let (_, auditor) = operations.clients().last().unwrap();
        let read = auditor.iter().find(|operation| &*operation.words == "get c0").unwrap();
        let Some((_, Outcome::Done(answer))) = &read.ended else { panic!("{read:?}") };
        let held = all[0].1.iter().find(|(key, _)| key == b"c0").map(|(_, value)| value);
        let held = held.map_or("no such key".to_owned(), |value| format!("it is \"{}\"", value.escape_ascii()));
        assert_eq!(**answer, held);
        for event in spread(recording.events(), 50) {
            values(&recording.view(event));
        }
    }
}

#[test]
fn operations_end_as_the_timeline_counts_them() {
    for seed in 0..3 {
        let header = chaos(seed);
        let (recording, trace) = record(&header);
        let mut timeline = Timeline::new(&header.plan.scenario);
        for (index, (at, event)) in (0..).zip(trace.iter()) {
            timeline.observe(&Observed { index, at, event: &event, note: None });
        }
        timeline.finish();
        let (mut done, mut others) = (0, 0);
        for (client, operations) in recording.tables().operations.clients() {
            for operation in
                operations.iter().filter(|one| client != header.clients() && &*one.words != "open a session")
            {
                match &operation.ended {
                    Some((_, Outcome::Done(_))) => done += 1,
                    _ => others += 1,
                }
            }
        }
        let tally = timeline.tally();
        assert_eq!((done, others), (tally.acknowledged, tally.failed + tally.unknown), "seed {seed}");
    }
}

#[test]
fn past_and_future_are_those_of_happens_before() {
    let header = header("lossy", 1, |scenario| scenario.duration = Span(400_000));
    let (recording, _) = record(&header);
    let events: Vec<_> =
        recording.iter(0).take(1500).map(|(moment, event)| (moment.event, lane(&event), event)).collect();
    // Who comes directly before: in the same lane, and where the message left.
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
    let mut last: std::collections::BTreeMap<Endpoint, usize> = std::collections::BTreeMap::new();
    for (place, (event, lane, body)) in events.iter().enumerate() {
        if let Some(lane) = lane {
            before[place].extend(last.insert(*lane, place));
        }
        if let (Event::Cause(Cause::Deliver { message, .. }), None) = (body, recording.tables().moot(*event)) {
            let sent = recording.tables().messages.get(*message).unwrap().sent.event;
            before[place].push(usize::try_from(sent).unwrap());
        }
    }
    for picked in spread(events.len() as u64, 40) {
        let start = usize::try_from(picked).unwrap();
        let Some(cone) = recording.cone(picked) else { continue };
        let mut past = BTreeSet::from([start]);
        for place in (0..=start).rev() {
            if past.contains(&place) {
                past.extend(before[place].iter().copied());
            }
        }
        for (place, (event, lane, _)) in events.iter().enumerate() {
            let told = lane.is_some_and(|lane| cone.is_past(lane, *event));
            assert_eq!(told, past.contains(&place), "event {event} in the past of {picked}");
        }
        // The future is the past seen from the other end.
        for place in start..events.len().min(start + 200) {
            let (event, Some(lane), _) = &events[place] else { continue };
            let from_there = recording.cone(*event).unwrap();
            let back = events[start].1.is_some_and(|lane| from_there.is_past(lane, picked));
            assert_eq!(cone.is_future(*lane, *event), back, "event {event} in the future of {picked}");
        }
    }
}

#[test]
fn a_time_leads_to_the_last_event_that_is_not_after_it() {
    let (recording, _) = record(&chaos(1));
    let times: Vec<Micros> = recording.iter(0).map(|(moment, _)| moment.at).collect();
    for at in spread(recording.at() + 1000, 500).chain([0, recording.at(), Micros::MAX]) {
        let expected = times.partition_point(|time| *time <= at).checked_sub(1).map(|event| event as u64);
        assert_eq!(recording.event_at(at), expected, "at {at}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_what_came_before_is_there() {
    let header = chaos(1);
    let (_, trace) = record(&header);
    let bytes: Vec<u8> = trace.segments().flatten().copied().take(20_000).collect();
    for place in spread(bytes.len() as u64, 200) {
        let place = usize::try_from(place).unwrap();
        let mut damaged = bytes.clone();
        damaged[place] ^= 0xff;
        let mut recording = Recording::new(&header.plan.scenario);
        let read = recording.extend(&damaged, |_| None);
        assert!(read.is_err() || recording.bytes() == damaged.len() as u64);
        let last = recording.events().saturating_sub(1);
        assert_eq!(recording.view(last), *recording.last());
        // Whatever was written there, it can be looked at.
        assert_eq!(recording.sentences(0, usize::MAX).len() as u64, recording.events());
        for event in spread(recording.events(), 20) {
            assert!(recording.why(event).is_none_or(|why| !why.headline.is_empty()));
            assert!(!recording.why_committed(event, event).headline.is_empty());
        }
    }
}

#[test]
fn a_run_file_is_seen_as_the_run_was() {
    let header = chaos(3);
    let (recording, trace) = record(&header);
    let file = RunFile::read(&RunFile::of(header.clone(), &trace).write()).unwrap();
    let mut read = Recording::new(&file.head.header.plan.scenario);
    read.extend(file.body(), |_| None).unwrap();
    assert_eq!((read.events(), read.last()), (recording.events(), recording.last()));
    assert_eq!(recording.parts_from(&read), None);
}

#[test]
fn two_runs_part_where_their_events_do() {
    let header = chaos(1);
    let (one, trace) = record(&header);
    let (other, other_trace) = record(&chaos(2));
    let parts = raftbox::trace::difference(trace.iter(), other_trace.iter()).unwrap().event;
    assert_eq!((one.parts_from(&other), other.parts_from(&one)), (Some(parts), Some(parts)));
    let mut forked = Recording::new(&header.plan.scenario);
    let bytes: Vec<u8> = trace.segments().flatten().copied().collect();
    forked.extend(&bytes, |_| None).unwrap();
    assert_eq!(one.parts_from(&forked), None);
}
