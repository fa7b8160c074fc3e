//! The core's messages as datagrams.
//!
//! A datagram is `sum: u64`, the XXH64 of the rest; then `kind: u8`, `term: u64`, and the fields of the message in
//! the order of its declaration, little-endian. The network may alter a datagram, and Raft does not forgive a flipped
//! bit in a granted vote: hence the sum. What is left to [`decode`] is sent by a broken peer, and is dropped where it
//! says what no node could mean.
//!
//! Entries look the same on the disk, so `put_entry` and `take_entry` serve the storage as well.

use crate::raft::{
    Body, Chunk, Configuration, Entry, Image, Index, Message, Payload, Position, Snapshot, Term, Verdict,
};
use raftbox_abi::codec::{Reader, Write};
use std::rc::Rc;

/// Terms and indexes from here on are taken for nonsense. A cluster that used up a million a second would come here
/// after two thousand years; below it, the core may add without care.
const NUMBER_MAX: u64 = 1 << 56;

mod kind {
    pub(super) const PRE_VOTE: u8 = 1;
    pub(super) const PRE_VOTE_REPLY: u8 = 2;
    pub(super) const REQUEST_VOTE: u8 = 3;
    pub(super) const REQUEST_VOTE_REPLY: u8 = 4;
    pub(super) const APPEND_ENTRIES: u8 = 5;
    pub(super) const MATCHED: u8 = 6;
    pub(super) const SHORT: u8 = 7;
    pub(super) const CONFLICT: u8 = 8;
    pub(super) const STALE_TERM: u8 = 9;
    pub(super) const TIMEOUT_NOW: u8 = 10;
    pub(super) const INSTALL_SNAPSHOT: u8 = 11;
    pub(super) const SNAPSHOT_REPLY: u8 = 12;
    pub(super) const READ_INDEX: u8 = 13;
    pub(super) const READ_INDEX_REPLY: u8 = 14;
}

/// Puts the datagram of a message into `out`, in place of what was there.
pub fn encode(out: &mut Vec<u8>, message: &Message) {
    out.clear();
    out.put_u64(0);
    out.push(kind_of(&message.body));
    out.put_u64(message.term);
    match &message.body {
        Body::PreVote { last } => put_position(out, *last),
        Body::RequestVote { last, transfer } => {
            put_position(out, *last);
            out.push(u8::from(*transfer));
        }
        Body::PreVoteReply { answers, granted } => {
            out.put_u64(*answers);
            out.push(u8::from(*granted));
        }
        Body::RequestVoteReply { granted } => out.push(u8::from(*granted)),
        Body::AppendEntries { prev, entries, commit, round } => {
            put_position(out, *prev);
            out.put_u64(*commit);
            out.put_u64(*round);
            out.put_u32(u32::try_from(entries.len()).expect("a batch is bounded"));
            entries.iter().for_each(|entry| put_entry(out, entry));
        }
        Body::AppendReply { verdict, round } => {
            out.put_u64(*round);
            put_verdict(out, verdict);
        }
        Body::ReadIndex { context } => out.put_u64(*context),
        Body::ReadIndexReply { context, index } => {
            [context, index].iter().for_each(|value| out.put_u64(**value));
        }
        Body::InstallSnapshot(chunk) => {
            put_snapshot(out, &chunk.snapshot, &chunk.image);
            out.put_u64(chunk.offset);
            out.put_bytes(&chunk.data);
        }
        Body::SnapshotReply { last, received } => {
            [last, received].iter().for_each(|value| out.put_u64(**value));
        }
        Body::TimeoutNow => {}
    }
    let sum = raftbox_abi::hash(&out[8..]);
    out[..8].copy_from_slice(&sum.to_le_bytes());
}

fn put_verdict(out: &mut Vec<u8>, verdict: &Verdict) {
    let mut put = |values: &[u64]| values.iter().for_each(|value| out.put_u64(*value));
    match *verdict {
        Verdict::Matched { index } => put(&[index]),
        Verdict::Short { prev, last } => put(&[prev, last]),
        Verdict::Conflict { prev, term, first } => put(&[prev, term, first]),
        Verdict::StaleTerm => {}
    }
}

fn take_verdict(from: &mut Reader<'_>, kind: u8) -> Option<Verdict> {
    Some(match kind {
        kind::MATCHED => Verdict::Matched { index: take_number(from)? },
        kind::SHORT => Verdict::Short { prev: take_number(from)?, last: take_number(from)? },
        kind::CONFLICT => {
            Verdict::Conflict { prev: take_number(from)?, term: take_number(from)?, first: take_number(from)? }
        }
        kind::STALE_TERM => Verdict::StaleTerm,
        _ => return None,
    })
}

fn kind_of(body: &Body) -> u8 {
    match body {
        Body::PreVote { .. } => kind::PRE_VOTE,
        Body::PreVoteReply { .. } => kind::PRE_VOTE_REPLY,
        Body::RequestVote { .. } => kind::REQUEST_VOTE,
        Body::RequestVoteReply { .. } => kind::REQUEST_VOTE_REPLY,
        Body::AppendEntries { .. } => kind::APPEND_ENTRIES,
        Body::AppendReply { verdict: Verdict::Matched { .. }, .. } => kind::MATCHED,
        Body::AppendReply { verdict: Verdict::Short { .. }, .. } => kind::SHORT,
        Body::AppendReply { verdict: Verdict::Conflict { .. }, .. } => kind::CONFLICT,
        Body::AppendReply { verdict: Verdict::StaleTerm, .. } => kind::STALE_TERM,
        Body::ReadIndex { .. } => kind::READ_INDEX,
        Body::ReadIndexReply { .. } => kind::READ_INDEX_REPLY,
        Body::TimeoutNow => kind::TIMEOUT_NOW,
        Body::InstallSnapshot(_) => kind::INSTALL_SNAPSHOT,
        Body::SnapshotReply { .. } => kind::SNAPSHOT_REPLY,
    }
}

/// Reads what [`encode`] wrote. `None` if the datagram was altered, or says what no node could mean.
#[must_use]
pub fn decode(datagram: &[u8]) -> Option<Message> {
    let mut from = Reader(datagram);
    if from.u64()? != raftbox_abi::hash(from.0) {
        return None;
    }
    let kind = from.u8()?;
    let term = take_number(&mut from)?;
    let body = match kind {
        kind::PRE_VOTE => Body::PreVote { last: take_position(&mut from)? },
        kind::PRE_VOTE_REPLY => Body::PreVoteReply { answers: take_number(&mut from)?, granted: take_bool(&mut from)? },
        kind::REQUEST_VOTE => Body::RequestVote { last: take_position(&mut from)?, transfer: take_bool(&mut from)? },
        kind::REQUEST_VOTE_REPLY => Body::RequestVoteReply { granted: take_bool(&mut from)? },
        kind::APPEND_ENTRIES => {
            let prev = take_position(&mut from)?;
            let (commit, round) = (take_number(&mut from)?, take_number(&mut from)?);
            let entries = take_entries(&mut from, prev, term)?;
            Body::AppendEntries { prev, entries, commit, round }
        }
        kind::MATCHED | kind::SHORT | kind::CONFLICT | kind::STALE_TERM => {
            let round = take_number(&mut from)?;
            Body::AppendReply { verdict: take_verdict(&mut from, kind)?, round }
        }
        kind::READ_INDEX => Body::ReadIndex { context: from.u64()? },
        kind::READ_INDEX_REPLY => Body::ReadIndexReply { context: from.u64()?, index: take_number(&mut from)? },
        kind::TIMEOUT_NOW => Body::TimeoutNow,
        kind::INSTALL_SNAPSHOT => Body::InstallSnapshot(Box::new(take_chunk(&mut from, term)?)),
        kind::SNAPSHOT_REPLY => {
            Body::SnapshotReply { last: take_number(&mut from)?, received: take_number(&mut from)? }
        }
        _ => return None,
    };
    from.end(Message { term, body })
}

/// A datagram as a line for people.
#[must_use]
pub fn describe(datagram: &[u8]) -> String {
    let Some(Message { term, body }) = decode(datagram) else {
        return format!("malformed, {} bytes", datagram.len());
    };
    let word = |granted| if granted { "granted" } else { "refused" };
    match body {
        Body::PreVote { last } => format!("pre-vote term={term} last={last}"),
        Body::PreVoteReply { answers, granted } => {
            format!("pre-vote-reply term={term} answers={answers} {}", word(granted))
        }
        Body::RequestVote { last, transfer: false } => format!("vote term={term} last={last}"),
        Body::RequestVote { last, transfer: true } => format!("vote term={term} last={last} transfer"),
        Body::TimeoutNow => format!("timeout-now term={term}"),
        Body::InstallSnapshot(chunk) => {
            let Chunk { snapshot, image, offset, .. } = &*chunk;
            format!("snapshot term={term} last={} bytes={offset}..{} of={}", snapshot.last, chunk.end(), image.bytes)
        }
        Body::SnapshotReply { last, received } => format!("snapshot-reply term={term} last={last} received={received}"),
        Body::RequestVoteReply { granted } => format!("vote-reply term={term} {}", word(granted)),
        Body::AppendEntries { prev, entries, commit, .. } => {
            format!("append term={term} prev={prev} entries={} commit={commit}", entries.len())
        }
        Body::ReadIndex { context } => format!("read-index term={term} context={context:x}"),
        Body::ReadIndexReply { context, index } => {
            format!("read-index-reply term={term} context={context:x} index={index}")
        }
        Body::AppendReply { verdict, .. } => match verdict {
            Verdict::Matched { index } => format!("append-reply term={term} ok match={index}"),
            Verdict::Short { prev, last } => {
                format!("append-reply term={term} short prev={prev} last={last}")
            }
            Verdict::Conflict { prev, term: other, first } => {
                format!("append-reply term={term} conflict prev={prev}@{other} first={first}")
            }
            Verdict::StaleTerm => format!("append-reply term={term} stale"),
        },
    }
}

/// Appends an entry: its term, its kind, and its payload preceded by its length.
pub(crate) fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    out.put_u64(entry.term);
    match &entry.payload {
        Payload::Noop => out.push(0),
        Payload::Command { at, bytes } => {
            out.push(1);
            out.put_u64(*at);
            out.put_bytes(bytes);
        }
        Payload::Config(config) => {
            out.push(2);
            put_configuration(out, config);
        }
    }
}

/// Reads what [`put_entry`] wrote.
pub(crate) fn take_entry(from: &mut Reader<'_>) -> Option<Entry> {
    let term = take_number(from)?;
    let payload = match from.u8()? {
        0 => Payload::Noop,
        1 => Payload::Command { at: from.u64()?, bytes: Rc::from(from.bytes()?) },
        2 => Payload::Config(Rc::new(take_configuration(from)?)),
        _ => return None,
    };
    Some(Entry { term, payload })
}

/// Appends the members of a configuration.
pub(crate) fn put_configuration(out: &mut Vec<u8>, config: &Configuration) {
    out.put_ids(config.voters());
    out.put_ids(config.outgoing());
    out.put_ids(config.learners());
    out.put_ids(config.learners_next());
    out.push(u8::from(config.leaves_itself()));
}

/// Appends what a snapshot is of, and what it consists of.
pub(crate) fn put_snapshot(out: &mut Vec<u8>, snapshot: &Snapshot, image: &Image) {
    put_position(out, snapshot.last);
    out.put_u64(snapshot.configured);
    put_configuration(out, &snapshot.configuration);
    [image.bytes, image.state, image.prefix].iter().for_each(|value| out.put_u64(*value));
}

/// Reads what [`put_snapshot`] wrote.
pub(crate) fn take_snapshot(from: &mut Reader<'_>) -> Option<(Snapshot, Image)> {
    let (last, configured) = (take_position(from)?, take_number(from)?);
    let configuration = Rc::new(take_configuration(from)?);
    let image = Image { bytes: take_number(from)?, state: from.u64()?, prefix: from.u64()? };
    let possible = last.index > 0 && last.term > 0 && configured <= last.index;
    possible.then_some((Snapshot { last, configured, configuration }, image))
}

/// Reads a part of a snapshot that a leader of `term` may send.
fn take_chunk(from: &mut Reader<'_>, term: Term) -> Option<Chunk> {
    let (snapshot, image) = take_snapshot(from)?;
    let (offset, data) = (take_number(from)?, Rc::from(from.bytes()?));
    let chunk = Chunk { snapshot, image, offset, data };
    (chunk.snapshot.last.term <= term && chunk.end() <= image.bytes).then_some(chunk)
}

fn take_configuration(from: &mut Reader<'_>) -> Option<Configuration> {
    let (voters, outgoing, learners) = (from.ids()?, from.ids()?, from.ids()?);
    let (next, leaves_itself) = (from.ids()?, take_bool(from)?);
    let nobody = voters.iter().chain(&outgoing).chain(&learners).any(|id| *id == 0);
    let both = learners.iter().any(|id| voters.contains(id) || outgoing.contains(id));
    // Who is to be a learner still votes, and only among those of before; and a simple configuration leads nowhere.
    let next_votes = next.iter().any(|id| voters.contains(id) || !outgoing.contains(id));
    if nobody || both || next_votes || leaves_itself && outgoing.is_empty() {
        return None;
    }
    Some(Configuration::joint(voters, outgoing, learners).leading_to(next, leaves_itself))
}

/// Reads entries that may follow `prev` in the log of a leader of `term`: their terms never fall, nor pass its own.
fn take_entries(from: &mut Reader<'_>, prev: Position, term: Term) -> Option<Vec<Entry>> {
    let count = from.u32()? as usize;
    // The count is not believed before the entries are there: none is shorter than 9 bytes.
    let mut entries = Vec::with_capacity(count.min(from.0.len() / 9));
    let mut lowest = prev.term;
    for _ in 0..count {
        let entry = take_entry(from)?;
        if entry.term < lowest || entry.term > term || entry.term == 0 {
            return None;
        }
        lowest = entry.term;
        entries.push(entry);
    }
    Some(entries)
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    out.put_u64(position.index);
    out.put_u64(position.term);
}

fn take_position(from: &mut Reader<'_>) -> Option<Position> {
    let index: Index = take_number(from)?;
    Some(Position { index, term: take_number(from)? })
}

fn take_number(from: &mut Reader<'_>) -> Option<u64> {
    from.u64().filter(|number| *number < NUMBER_MAX)
}

fn take_bool(from: &mut Reader<'_>) -> Option<bool> {
    match from.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: Index, term: Term) -> Position {
        Position { index, term }
    }

    /// One message of each shape, and its line.
    fn samples() -> Vec<(Message, &'static str)> {
        let entries = vec![
            Entry { term: 2, payload: Payload::Noop },
            Entry { term: 3, payload: Payload::Command { at: 5, bytes: Rc::from(&b"command"[..]) } },
            Entry {
                term: 3,
                payload: Payload::Config(Rc::new(Configuration::joint([1, 2], [3], [4]).leading_to([3], true))),
            },
        ];
        let reply = |verdict| Body::AppendReply { verdict, round: 7 };
        let configuration = Rc::new(Configuration::new([1, 2], [3]));
        let chunk = Chunk {
            snapshot: Snapshot { last: at(9, 2), configured: 4, configuration },
            image: Image { bytes: 20, state: 7, prefix: 8 },
            offset: 5,
            data: Rc::from(&b"part"[..]),
        };
        [
            (Body::PreVote { last: at(6, 3) }, "pre-vote term=3 last=6@3"),
            (Body::PreVoteReply { answers: 4, granted: true }, "pre-vote-reply term=3 answers=4 granted"),
            (Body::RequestVote { last: at(0, 0), transfer: false }, "vote term=3 last=0@0"),
            (Body::RequestVote { last: at(2, 1), transfer: true }, "vote term=3 last=2@1 transfer"),
            (Body::TimeoutNow, "timeout-now term=3"),
            (Body::RequestVoteReply { granted: false }, "vote-reply term=3 refused"),
            (
                Body::AppendEntries { prev: at(4, 2), entries, commit: 4, round: 7 },
                "append term=3 prev=4@2 entries=3 commit=4",
            ),
            (reply(Verdict::Matched { index: 6 }), "append-reply term=3 ok match=6"),
            (reply(Verdict::Short { prev: 9, last: 6 }), "append-reply term=3 short prev=9 last=6"),
            (reply(Verdict::Conflict { prev: 9, term: 2, first: 5 }), "append-reply term=3 conflict prev=9@2 first=5"),
            (reply(Verdict::StaleTerm), "append-reply term=3 stale"),
            (Body::InstallSnapshot(Box::new(chunk)), "snapshot term=3 last=9@2 bytes=5..9 of=20"),
            (Body::ReadIndex { context: u64::MAX }, "read-index term=3 context=ffffffffffffffff"),
            (Body::ReadIndexReply { context: 26, index: 9 }, "read-index-reply term=3 context=1a index=9"),
            (Body::SnapshotReply { last: 9, received: 5 }, "snapshot-reply term=3 last=9 received=5"),
        ]
        .map(|(body, line)| (Message { term: 3, body }, line))
        .into()
    }

    fn datagram(message: &Message) -> Vec<u8> {
        let mut datagram = b"the one before".to_vec();
        encode(&mut datagram, message);
        datagram
    }

    /// `bytes` with the sum that they should have.
    fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
        let sum = raftbox_abi::hash(&bytes[8..]);
        bytes[..8].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn every_message_survives_its_encoding_and_has_its_line() {
        for (message, line) in samples() {
            let datagram = datagram(&message);
            assert_eq!(decode(&datagram).as_ref(), Some(&message));
            assert_eq!(describe(&datagram), line);
        }
    }

    #[test]
    fn an_altered_datagram_is_dropped() {
        for (message, _) in samples() {
            let datagram = datagram(&message);
            for bit in 0..datagram.len() * 8 {
                let mut altered = datagram.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&altered), None, "{message:?} with bit {bit} flipped");
            }
            for cut in 0..datagram.len() {
                assert_eq!(decode(&datagram[..cut]), None, "{message:?} cut at {cut}");
            }
        }
        assert_eq!(describe(b""), "malformed, 0 bytes");
    }

    #[test]
    fn hostile_bytes_with_a_right_sum_do_not_panic() {
        for (message, _) in samples() {
            let datagram = datagram(&message);
            for place in 8..datagram.len() {
                for value in [0, 1, 2, 0x7f, 0x80, 0xff] {
                    let mut hostile = datagram.clone();
                    hostile[place] = value;
                    let _ = describe(&summed(hostile));
                }
                let _ = describe(&summed(datagram[..place].to_vec()));
            }
        }
    }

    #[test]
    fn what_no_leader_could_mean_is_dropped() {
        let append = |prev, terms: &[Term]| {
            let entry = |term: &Term| Entry { term: *term, payload: Payload::Noop };
            let entries = terms.iter().map(entry).collect();
            decode(&datagram(&Message { term: 3, body: Body::AppendEntries { prev, entries, commit: 0, round: 1 } }))
        };
        assert!(append(at(4, 2), &[2, 3]).is_some());
        assert_eq!(append(at(4, 2), &[1, 3]), None);
        assert_eq!(append(at(4, 2), &[3, 2]), None);
        assert_eq!(append(at(4, 2), &[2, 4]), None);
        assert_eq!(append(at(NUMBER_MAX, 2), &[2]), None);
        let chunk = |term, offset, configured| {
            let configuration = Rc::new(Configuration::new([1], []));
            let snapshot = Snapshot { last: at(9, term), configured, configuration };
            let (image, data) = (Image { bytes: 20, state: 7, prefix: 8 }, Rc::from(&b"part"[..]));
            let body = Body::InstallSnapshot(Box::new(Chunk { snapshot, image, offset, data }));
            decode(&datagram(&Message { term: 3, body }))
        };
        assert!(chunk(3, 16, 9).is_some());
        assert_eq!(chunk(4, 16, 9), None);
        assert_eq!(chunk(3, 17, 9), None);
        assert_eq!(chunk(3, 16, 10), None);
    }
}
