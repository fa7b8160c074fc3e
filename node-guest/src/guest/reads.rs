//! Reads that leave no entry in the log: who waits for which, and what they are answered (thesis 6.4).

use super::{Node, level};
use crate::notes;
use crate::pending::Client;
use crate::raft::{Index, Input, ProposalRefusal};
use raftbox_abi::Imports;
use raftbox_abi::client::{Outcome, Reason, Reply};
use raftbox_abi::note::{Body, ReadMode, Refusal};
use std::collections::BTreeMap;

/// How many may wait; who asks beyond that is refused. Their keys may take as much as the longest command, together.
const WAITING_MAX: usize = 1024;

/// A read that waits.
#[derive(Clone)]
struct Read {
    client: Client,
    mode: ReadMode,
    key: Box<[u8]>,
}

/// The reads that wait, by the token that the core knows them by.
#[derive(Clone, Default)]
pub(super) struct Reads {
    next: u64,
    waiting: BTreeMap<u64, Read>,
    /// The bytes of their keys.
    bytes: u64,
}

impl Reads {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Node {
    /// A client wants to read, and names the mode.
    pub(super) fn read<I: Imports>(&mut self, imports: &mut I, client: Client, mode: ReadMode, key: &[u8]) {
        let read = Read { client, mode, key: key.into() };
        if mode == ReadMode::Local {
            // Whatever this node has applied, be it long ago.
            return self.answer(imports, &read, self.raft.commit());
        }
        let (bytes, bound) = (self.reads.bytes + key.len() as u64, self.settings.command_bytes_max);
        if self.reads.len() >= WAITING_MAX || bytes > bound {
            imports.log(level::DEBUG, "refused a read: too many wait");
            let refusal = Refusal::LogFull { bytes, bound };
            self.scratch.note(imports, Body::Refused { peer: 0, refusal });
            return self.reply(imports, client, Reply::Refused(Reason::LogFull));
        }
        let token = self.reads.next;
        self.reads.next += 1;
        self.reads.bytes = bytes;
        self.reads.waiting.insert(token, read);
        self.step(imports, Input::Read { token, lease: mode == ReadMode::Lease });
    }

    /// What the core says to a read.
    pub(super) fn read_done<I: Imports>(
        &mut self,
        imports: &mut I,
        token: u64,
        result: Result<Index, ProposalRefusal>,
        lease: bool,
    ) {
        let mut read = self.reads.waiting.remove(&token).expect("a read is answered once");
        self.reads.bytes -= read.key.len() as u64;
        // What a lease was asked for and is not there was confirmed as any other read.
        read.mode = if lease { ReadMode::Lease } else { ReadMode::Index };
        match result {
            Ok(index) => self.answer(imports, &read, index),
            Err(ProposalRefusal::NotLeader { hint }) => {
                self.reply(imports, read.client, Reply::Redirect(notes::number(hint)));
            }
            Err(why) => unreachable!("a read is not refused for {why}"),
        }
    }

    fn answer<I: Imports>(&mut self, imports: &mut I, read: &Read, index: Index) {
        let Read { client, mode, key } = read;
        let (client_id, operation) = (client.client, client.operation);
        self.scratch.note(imports, Body::Read { client: client_id, operation, mode: *mode, index });
        let reply = &mut self.scratch.reply;
        reply.clear();
        Reply::Ok(Outcome::Value(self.machine.get(key))).encode(reply);
        imports.reply(client_id, operation, reply);
    }
}
