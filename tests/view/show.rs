//! What scripts of the view print.

use raftbox::event::text::seconds;
use raftbox::event::{Endpoint, Micros, NodeId};
use raftbox::view::diagram::Diagram;
use raftbox::view::diff::Row;
use raftbox::view::lane;
use raftbox::view::node::{Node, Vote};
use raftbox::view::replication::Progress;
use raftbox::view::tick::Kind;
use raftbox::view::why::Why;
use raftbox::view::{Recording, View};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// A time in seconds.
pub(crate) fn time(at: Micros) -> String {
    seconds(at).trim().to_owned()
}

/// A part of the state after an event.
pub(crate) fn state(recording: &Recording, event: u64, what: &str) -> Result<String, String> {
    let (view, tables) = (recording.view(event), recording.tables());
    let at = view.at();
    Ok(match what {
        "nodes" => view.nodes().map(|(id, shown)| node(id, shown, at)).collect(),
        "messages" => messages(recording, &view, event),
        "links" => {
            let cuts = view.cuts.iter().map(|(from, to)| format!("{from}→{to} is cut\n"));
            let sides = view.cuts.sides().map(|sides| format!("sides: {sides}\n"));
            cuts.chain(sides).collect()
        }
        "clients" => clients(recording, event),
        "bands" => {
            tables.bands.at(event).map(|band| format!("{} since {}\n", band.fault.name(), time(band.from.at))).collect()
        }
        "values" => view.nodes().map(|(id, shown)| values(id, shown)).collect(),
        "progress" => {
            let one = |known: Progress| {
                let Progress { mode, leader, term, follower, matched, next } = known;
                format!("S{leader}, leader of term {term}, of S{follower}: match {matched}, next {next}, {mode}\n")
            };
            tables.replications.at(&view).into_iter().map(one).collect()
        }
        "syncs" => {
            let one = |(id, node): (NodeId, &Node)| {
                let syncs: Vec<_> =
                    node.syncs.iter().map(|sync| format!("{} for {} µs", sync.number, at - sync.asked)).collect();
                let (count, bytes) = (node.unsynced.operations(), node.unsynced.bytes());
                format!("S{id}: {count} operations of {bytes} bytes; syncs: {}\n", syncs.join(", "))
            };
            view.nodes().map(one).collect()
        }
        _ => return Err(format!("{what} is nothing to show")),
    })
}

fn node(id: NodeId, node: &Node, at: Micros) -> String {
    let noted = &node.noted;
    let role = noted.role.map_or("-", raftbox_abi::note::Role::word);
    let vote = match node.vote() {
        Vote::None => "-".to_owned(),
        Vote::Durable(node) => format!("S{node}"),
        Vote::Pending => "itself, not on disk".to_owned(),
    };
    let mut line = format!("S{id} {} {role} term={} vote={vote}", noted.state.word(), noted.term);
    if noted.leader > 0 {
        write!(line, " leader=S{}", noted.leader).unwrap();
    }
    write!(line, " log={}..{} durable={}", noted.log.first(), noted.log.last(), noted.durable).unwrap();
    write!(line, " commit={} applied={}", noted.commit, noted.applied).unwrap();
    if let Some((left, whole)) = node.alarm.and_then(|alarm| alarm.left(at)) {
        write!(line, " alarm={left}/{whole}").unwrap();
    }
    if node.clock.ppm() != 0 || node.offset(at) != 0 {
        write!(line, " clock={:+}µs{:+}ppm", node.offset(at), node.clock.ppm()).unwrap();
    }
    if node.unsynced.operations() > 0 {
        write!(line, " unsynced={}", node.unsynced.bytes()).unwrap();
    }
    line + &format!(" boots={} crashes={}\n", noted.boots, noted.crashes)
}

fn messages(recording: &Recording, view: &View, event: u64) -> String {
    let mut told = String::new();
    for name in &view.mail {
        let message = recording.tables().messages.get(*name).expect("it was sent");
        let place = message.progress(event, view.at());
        let place = place.map_or("arrival not known".to_owned(), |(done, whole)| format!("{done}/{whole} µs"));
        let fate = message.next(event).map_or("not known".to_owned(), |fate| format!("{:?}", fate.what));
        writeln!(told, "{name} {:?} {:?}: {place}, then {fate}", message.shape(), &*message.words).unwrap();
    }
    told
}

fn clients(recording: &Recording, event: u64) -> String {
    let operations = &recording.tables().operations;
    let mut told = String::new();
    for (client, _) in operations.clients() {
        let Some(operation) = operations.current(client, event) else { continue };
        let outcome = operation.outcome(event).map_or("waits".to_owned(), |(_, outcome)| format!("{outcome:?}"));
        let attempts: Vec<_> = operation.attempts(event).map(|attempt| format!("S{}", attempt.to)).collect();
        let (number, words) = (operation.number, &operation.words);
        write!(told, "C{client} #{number} {words}: {outcome}; asked {}", attempts.join(", ")).unwrap();
        for read in operation.reads.iter().filter(|read| read.moment.event <= event) {
            write!(told, "; S{} read at {} ({})", read.node, read.index, read.mode.word()).unwrap();
        }
        told.push('\n');
    }
    told
}

fn values(id: NodeId, node: &Node) -> String {
    match node.machine.values() {
        None => format!("S{id}: not known from entry {} on\n", node.machine.lost().unwrap()),
        Some(values) => {
            let one = |(key, value): (&[u8], &[u8])| format!("{}={}", key.escape_ascii(), value.escape_ascii());
            let values: Vec<_> = values.map(one).collect();
            format!("S{id}: {} sessions; {}\n", node.machine.sessions(), values.join(" "))
        }
    }
}

/// Entries of a node.
pub(crate) fn log(
    recording: &Recording,
    event: u64,
    node: NodeId,
    range: RangeInclusive<u64>,
) -> Result<String, String> {
    let view = recording.view(event);
    let entries = &recording.tables().entries;
    let cells = view.cells(node, entries, range);
    let mut told = String::new();
    for cell in cells {
        let mut marks = Vec::new();
        marks.push(if cell.durable { "on disk" } else { "in memory" });
        marks.extend(cell.committed.then_some("committed"));
        marks.extend(cell.applied.then_some("applied"));
        marks.extend(cell.differs.then_some("other nodes have another"));
        writeln!(told, "{}@{} {}: {}", cell.index, cell.term, entries.words(cell.index, cell.term), marks.join(", "))
            .unwrap();
    }
    Ok(told)
}

/// Why something is as it is.
pub(crate) fn why(why: Option<&Why>) -> String {
    let Some(Why { headline, rows, rule }) = why else { return "nothing was decided\n".into() };
    let rows: String = rows.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
    format!("{headline}\n{rows}  rule: {} ({})\n", rule.text, rule.section)
}

/// The ticks of a kind, and those around an event.
pub(crate) fn ticks(recording: &Recording, event: u64, kind: Kind) -> String {
    let ticks = &recording.tables().ticks;
    let told = ticks.of(kind).iter().map(|tick| format!("{} {}\n", time(tick.moment.at), tick.text));
    let mut told: String = told.collect();
    for (word, tick) in [("previous", ticks.previous(kind, event)), ("next", ticks.next(kind, event))] {
        writeln!(told, "{word}: {}", tick.map_or("none", |tick| &tick.text)).unwrap();
    }
    told
}

/// Past and future of an event: in each lane how many of its events, and the last or the first of them.
pub(crate) fn cone(recording: &Recording, event: u64) -> Result<String, String> {
    let cone = recording.cone(event).ok_or("it is in nobody's lane")?;
    let mut told = String::new();
    for (word, bounds) in [("past", &cone.past), ("future", &cone.future)] {
        for (of, bound) in bounds {
            let inside = |other: Endpoint, event: u64| match word {
                "past" => cone.is_past(other, event),
                _ => cone.is_future(other, event),
            };
            let count =
                recording.iter(0).filter(|(moment, body)| lane(body) == Some(*of) && inside(*of, moment.event)).count();
            let sentence = recording.sentence(*bound).expect("it is there");
            let end = if word == "past" { "up to" } else { "from" };
            writeln!(told, "{word} {of}: {count} events, {end} {} {}", time(sentence.at), sentence.text).unwrap();
        }
    }
    Ok(told)
}

/// What differs.
pub(crate) fn rows(rows: &[Row]) -> String {
    let one = |Row { of, field, before, after }: &Row| format!("{of} {field}: {before} → {after}\n");
    if rows.is_empty() { "nothing\n".into() } else { rows.iter().map(one).collect() }
}

/// What a diagram shows.
pub(crate) fn diagram(diagram: &Diagram) -> String {
    let mut told = String::new();
    let lanes: Vec<_> = diagram.lanes.iter().map(ToString::to_string).collect();
    writeln!(told, "lanes: {}", lanes.join(" ")).unwrap();
    for mark in &diagram.marks {
        writeln!(told, "{} {} {} {}", time(mark.moment.at), mark.lane, mark.mark, mark.what).unwrap();
    }
    for line in &diagram.lines {
        let ends = line.ends.map_or("?".to_owned(), |ends| time(ends.at));
        let what = line.what.map_or("not known".to_owned(), |what| format!("{what:?}"));
        writeln!(told, "{} to {ends} {}: {what}", time(line.sent.at), line.message).unwrap();
    }
    for band in &diagram.bands {
        let until = band.until.map_or("?".to_owned(), |until| time(until.at));
        writeln!(told, "{} to {until} {}", time(band.from.at), band.fault.name()).unwrap();
    }
    for (client, operation) in &diagram.operations {
        let ended = operation.ended.as_ref().map_or("?".to_owned(), |(ended, _)| time(ended.at));
        writeln!(told, "{} to {ended} C{client} #{} {}", time(operation.asked.at), operation.number, operation.words)
            .unwrap();
    }
    let [marks, lines, operations] = diagram.left_out;
    writeln!(told, "left out: {marks} marks, {lines} lines, {operations} operations").unwrap();
    told
}
