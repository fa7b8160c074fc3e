//! A guest as native code: no wasm, the same turns. For benches, which measure what wasm costs, and for debuggers.
//!
//! A turn that the host ends unwinds to here by a panic that prints nothing; a guest's own panic is a trap.

use super::{Abort, Call, Ended, Engine, Host, Node, Stop};
use raftbox_abi::{Boot, Guest, Imports};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// An engine whose one guest is `G`.
pub struct Native<G>(PhantomData<G>);

impl<G> Native<G> {
    /// The engine.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<G> Default for Native<G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<G: Guest, H: Host> Engine<H> for Native<G> {
    type Node = NativeNode<G>;

    fn node(&self, _: usize) -> Result<Self::Node, Abort> {
        Ok(NativeNode(None))
    }
}

/// A guest, unless it was not booted.
pub struct NativeNode<G>(Option<G>);

/// The host as the guest sees it.
struct Served<'a, H>(&'a mut H);

/// Leaves the guest, up to [`NativeNode::call`].
fn leave(stop: Stop) -> ! {
    resume_unwind(Box::new(stop))
}

fn status(result: Result<i32, Stop>) -> Result<u32, i32> {
    let status = result.unwrap_or_else(|stop| leave(stop));
    u32::try_from(status).map_err(|_| status)
}

impl<H: Host> Imports for Served<'_, H> {
    fn now(&mut self) -> u64 {
        self.0.now()
    }
    fn random(&mut self) -> u64 {
        self.0.random()
    }
    fn send(&mut self, to: u32, datagram: &[u8]) {
        self.0.send(to, datagram).unwrap_or_else(|stop| leave(stop));
    }
    fn wake_at(&mut self, at: u64) {
        self.0.wake_at(at).unwrap_or_else(|stop| leave(stop));
    }
    fn disk_len(&mut self, file: u32) -> u64 {
        self.0.disk_len(file).unwrap_or_else(|stop| leave(stop))
    }
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<u32, i32> {
        status(self.0.disk_read(file, offset, into))
    }
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<(), i32> {
        status(self.0.disk_write(file, offset, bytes)).map(drop)
    }
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<(), i32> {
        status(self.0.disk_truncate(file, len)).map(drop)
    }
    fn disk_sync(&mut self, ticket: u64) {
        self.0.disk_sync(ticket).unwrap_or_else(|stop| leave(stop));
    }
    fn reply(&mut self, client: u32, operation: u64, body: &[u8]) {
        self.0.reply(client, operation, body).unwrap_or_else(|stop| leave(stop));
    }
    fn note(&mut self, kind: u32, body: &[u8]) {
        self.0.note(kind, body).unwrap_or_else(|stop| leave(stop));
    }
    fn chance(&mut self, site: u32) -> bool {
        self.0.chance(site)
    }
    fn halt(&mut self, code: u32, reason: &str) -> ! {
        leave(self.0.halt(code, reason.as_bytes()))
    }
    fn log(&mut self, level: u32, line: &str) {
        self.0.log(level, line.as_bytes()).unwrap_or_else(|stop| leave(stop));
    }
}

impl<G: Guest, H: Host> Node<H> for NativeNode<G> {
    type Image = Option<G>;

    fn call(&mut self, mut host: Box<H>, call: Call<'_>) -> (Box<H>, Result<Ended, Abort>) {
        let turn = AssertUnwindSafe(|| {
            let imports = &mut Served(&mut *host);
            if let Call::Boot(bytes) = call {
                let boot = Boot::decode(bytes).expect("the host encodes what Boot decodes");
                self.0 = Some(G::boot(imports, &boot));
                return;
            }
            let guest = self.0.as_mut().expect("boot comes first");
            match call {
                Call::Boot(_) => unreachable!("it is dealt with above"),
                Call::Deliver(from, datagram) => guest.deliver(imports, from, datagram),
                Call::Wake => guest.wake(imports),
                Call::Request(client, operation, body) => {
                    guest.request(imports, client, operation, body);
                }
                Call::Synced(ticket, status) => guest.synced(imports, ticket, status),
            }
        });
        let ended = match catch_unwind(turn) {
            Ok(()) => Ended::Returned,
            Err(payload) => match payload.downcast::<Stop>().map(|stop| *stop) {
                Ok(Stop::Down) => Ended::Down,
                Ok(Stop::Forbidden(what)) => Ended::Trapped(what),
                Err(_) => Ended::Trapped("the guest panicked".into()),
            },
        };
        (host, Ok(ended))
    }

    fn reset(&mut self) {
        self.0 = None;
    }

    fn save(&mut self) -> Option<G> {
        self.0.clone()
    }

    fn restore(&mut self, image: &Option<G>) {
        self.0.clone_from(image);
    }

    fn inspect(&mut self) -> Option<String> {
        self.0.as_ref().map(G::inspect)
    }

    fn describe(&mut self, datagram: &[u8]) -> Option<String> {
        Some(G::describe(datagram))
    }
}
