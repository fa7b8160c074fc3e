//! The browser's own WebAssembly as an [`Engine`]; with `engine.js`, all of the project that names it.
//!
//! A [`Browser`] holds compiled modules, each with a pool of instances: a page may have little more than a hundred memories,
//! and what is dropped is freed late. A node that is dropped gives its instance back, and the next is that instance, put
//! into its first state in place.
//!
//! **A turn.** The guest's imports are functions of this module ([`import`]), linked straight to the guest, so that they cost
//! a call. What they serve lies in [`SERVED`] during the turn. An import that ends the turn keeps the [`Stop`] there and
//! traps; the trap unwinds the guest up to a `catch` in `engine.js`, as a trap of the guest's own does. It also unwinds the
//! frames of the import, whose destructors do not run: so an import owns nothing when it traps, and `engine.js` puts the
//! stack pointer back.
//!
//! **A snapshot** is the memory, in pages, and the mutable globals, as everywhere. Pages of zeros are left out, and pages
//! that are as in the image before are shared with it.
//!
//! Any exception but a trap (a native stack overflow, first of all) says nothing about the guest: it aborts the run. A turn
//! that never ends cannot be ended from here, so the gate has a guest of somebody's count its loops and calls, and it traps
//! when it has used up what it is given for a turn; that too aborts the run.

use crate::guest::Admitted;
use raftbox::engine::{Abort, Call, Ended, Engine, Host as _, Node, Stop};
use raftbox::world::turn::Turn;
use raftbox_abi::boundary::TRANSFER_BYTES_MAX;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// What `engine.js` does.
mod js {
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(module = "/src/engine.js")]
    extern "C" {
        pub(super) fn prepare(exports: &JsValue, memory: &JsValue, copier: &[u8]);
        pub(super) fn why() -> String;
        pub(super) fn text(thrown: &JsValue) -> String;

        pub(super) type Guest;
        #[wasm_bindgen(constructor, catch)]
        pub(super) fn new(module: &[u8]) -> Result<Guest, JsValue>;

        pub(super) type Instance;
        #[wasm_bindgen(constructor, catch)]
        pub(super) fn new(guest: &Guest, globals: Vec<String>) -> Result<Instance, JsValue>;
        #[wasm_bindgen(method)]
        pub(super) fn size(this: &Instance) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn read(this: &Instance, into: *mut u8, at: u32, len: u32);
        #[wasm_bindgen(method)]
        pub(super) fn write(this: &Instance, at: u32, from: *const u8, len: u32);
        #[wasm_bindgen(method)]
        pub(super) fn used(this: &Instance, at: u32, end: u32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn state(this: &Instance) -> Vec<u64>;
        #[wasm_bindgen(method)]
        pub(super) fn set_state(this: &Instance, values: &[u64]);
        #[wasm_bindgen(method)]
        pub(super) fn initialize(this: &Instance) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn version(this: &Instance) -> Option<u32>;
        #[wasm_bindgen(method)]
        pub(super) fn buffer(this: &Instance, len: u32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn failure(this: &Instance) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn boot(this: &Instance, len: u32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn deliver(this: &Instance, from: u32, len: u32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn wake(this: &Instance) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn request(this: &Instance, client: u32, operation: u64, len: u32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn synced(this: &Instance, ticket: u64, status: i32) -> u32;
        #[wasm_bindgen(method)]
        pub(super) fn inspect(this: &Instance) -> Option<u64>;
        #[wasm_bindgen(method)]
        pub(super) fn describe(this: &Instance, len: u32) -> Option<u64>;
    }
}

/// How a call into a guest ended, as `engine.js` numbers it.
const RETURNED: u32 = 0;
const TRAPPED: u32 = 1;

/// A guest's memory, which never changes its size.
#[derive(Clone)]
struct Memory {
    instance: Rc<js::Instance>,
    size: u32,
}

impl Memory {
    fn contains(&self, at: u32, len: u32) -> bool {
        at.checked_add(len).is_some_and(|end| end <= self.size)
    }

    /// Copies from the guest. The caller has seen to it that the place exists.
    fn read(&self, at: u32, into: &mut [u8]) {
        self.instance.read(into.as_mut_ptr(), at, length(into));
    }

    /// Copies to the guest. The caller has seen to it that the place exists.
    fn write(&self, at: u32, bytes: &[u8]) {
        self.instance.write(at, bytes.as_ptr(), length(bytes));
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("addresses have 32 bits here")
}

/// What imports need.
#[derive(Default)]
struct Served {
    /// The host, and the memory of the guest whose turn it is; `None` between turns.
    turn: Option<(Box<Turn>, Memory)>,
    /// Why an import ended the turn.
    stop: Option<Stop>,
    /// Room for bytes on their way between guest and host.
    scratch: Vec<u8>,
}

thread_local! {
    /// Taken by an import while it works: if an exception ever leaves one in the middle, it stays taken, and the turn is
    /// known to be lost.
    static SERVED: Cell<Option<Box<Served>>> = Cell::new(Some(Box::default()));
}

impl Served {
    /// The host.
    fn host(&mut self) -> Result<&mut Turn, Stop> {
        match &mut self.turn {
            Some((turn, _)) => Ok(turn),
            None => Err(Stop::Forbidden("an import was called outside a turn".into())),
        }
    }

    /// The host, and a copy of the guest's bytes from `at` on, `len` of them.
    fn bytes(&mut self, at: u32, len: u32) -> Result<(&mut Turn, &mut [u8]), Stop> {
        self.host()?;
        let Some((turn, memory)) = &mut self.turn else { unreachable!("there is a host") };
        if !memory.contains(at, len) {
            return Err(Stop::Forbidden(format!("{len} bytes at {at} lie outside the guest's memory")));
        }
        let room = len as usize;
        if self.scratch.len() < room {
            self.scratch.resize(room, 0);
        }
        let scratch = &mut self.scratch[..room];
        memory.read(at, scratch);
        Ok((turn, scratch))
    }
}

/// Runs an import, and traps if that ends the turn.
fn import<R>(serve: impl FnOnce(&mut Served) -> Result<R, Stop>) -> R {
    let result = SERVED.take().map(|mut served| {
        let result = serve(&mut served).map_err(|stop| served.stop = Some(stop));
        SERVED.set(Some(served));
        result
    });
    match result {
        Some(Ok(result)) => result,
        _ => core::arch::wasm32::unreachable(),
    }
}

/// The imports, each under the name that `engine.js` links it by: one line each, so that the list can be compared.
#[rustfmt::skip]
#[allow(unsafe_code, reason = "an export has the name that it is linked by; nothing else in this module is called so")]
mod imports {
    use super::{import, read};
    use raftbox::engine::Host as _;

    type Status = i32;
    #[unsafe(no_mangle)] extern "C" fn raftbox_now() -> u64 { import(|s| Ok(s.host()?.now())) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_random() -> u64 { import(|s| Ok(s.host()?.random())) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_send(to: u32, at: u32, len: u32) { import(|s| { let (host, bytes) = s.bytes(at, len)?; host.send(to, bytes) }); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_wake_at(at: u64) { import(|s| s.host()?.wake_at(at)); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_disk_len(file: u32) -> u64 { import(|s| s.host()?.disk_len(file)) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_disk_read(file: u32, offset: u64, at: u32, len: u32) -> Status { import(|s| read(s, file, offset, at, len)) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_disk_write(file: u32, offset: u64, at: u32, len: u32) -> Status { import(|s| { let (host, bytes) = s.bytes(at, len)?; host.disk_write(file, offset, bytes) }) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_disk_truncate(file: u32, len: u64) -> Status { import(|s| s.host()?.disk_truncate(file, len)) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_disk_sync(ticket: u64) { import(|s| s.host()?.disk_sync(ticket)); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_reply(client: u32, operation: u64, at: u32, len: u32) { import(|s| { let (host, bytes) = s.bytes(at, len)?; host.reply(client, operation, bytes) }); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_note(kind: u32, at: u32, len: u32) { import(|s| { let (host, bytes) = s.bytes(at, len)?; host.note(kind, bytes) }); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_chance(site: u32) -> u32 { import(|s| Ok(u32::from(s.host()?.chance(site)))) }
    #[unsafe(no_mangle)] extern "C" fn raftbox_halt(code: u32, at: u32, len: u32) { import(|s| { let (host, bytes) = s.bytes(at, len)?; Err::<(), _>(host.halt(code, bytes)) }); }
    #[unsafe(no_mangle)] extern "C" fn raftbox_log(level: u32, at: u32, len: u32) { import(|s| { let (host, bytes) = s.bytes(at, len)?; host.log(level, bytes) }); }
}

/// Reads from the disk into the guest. What the disk does not fill stays as the guest had it, since that was copied first.
fn read(served: &mut Served, file: u32, offset: u64, at: u32, len: u32) -> Result<i32, Stop> {
    let (host, room) = served.bytes(at, len)?;
    let status = host.disk_read(file, offset, room)?;
    let Some((_, memory)) = &served.turn else { unreachable!("there is a host") };
    memory.write(at, &served.scratch[..len as usize]);
    Ok(status)
}

/// A module that is ready to be instantiated, and its idle instances.
struct Guest {
    compiled: js::Guest,
    admitted: Admitted,
    idle: RefCell<Vec<Instance>>,
    /// What an instance is like before its boot; known once there was one.
    first: RefCell<Option<Image>>,
}

/// The page's engine.
pub(crate) struct Browser {
    guests: Vec<Rc<Guest>>,
}

/// What was thrown, as an abort.
fn abort(what: &str, thrown: &JsValue) -> Abort {
    Abort(format!("{what}: {}", js::text(thrown)))
}

impl Browser {
    /// Compiles admitted modules.
    ///
    /// # Errors
    /// If the browser does not compile one of them.
    pub(crate) fn new(guests: Vec<Admitted>) -> Result<Self, Abort> {
        js::prepare(&wasm_bindgen::exports(), &wasm_bindgen::memory(), crate::copier::BYTES);
        let compile = |admitted: Admitted| {
            let compiled = js::Guest::new(&admitted.bytes);
            let compiled = compiled.map_err(|thrown| abort("the browser does not compile the guest", &thrown))?;
            Ok(Rc::new(Guest { compiled, admitted, idle: RefCell::default(), first: RefCell::default() }))
        };
        Ok(Self { guests: guests.into_iter().map(compile).collect::<Result<_, Abort>>()? })
    }
}

impl Engine<Turn> for Browser {
    type Node = BrowserNode;

    fn node(&self, guest: usize) -> Result<BrowserNode, Abort> {
        let guest = Rc::clone(&self.guests[guest]);
        let idle = guest.idle.borrow_mut().pop();
        let instance = match idle {
            Some(instance) => instance,
            None => Instance::new(&guest)?,
        };
        let mut node = BrowserNode { guest, instance: Some(instance) };
        if node.guest.first.borrow().is_none() {
            let first = node.save();
            *node.guest.first.borrow_mut() = Some(first);
        }
        Ok(node)
    }
}

/// An instance of a guest.
struct Instance {
    memory: Memory,
    /// The image that was last taken of it or put into it, whose pages the next one may share.
    last: Option<Image>,
    /// Whether nothing was called since it was made.
    fresh: bool,
}

impl Instance {
    fn new(guest: &Guest) -> Result<Self, Abort> {
        let instance = js::Instance::new(&guest.compiled, guest.admitted.globals.clone());
        let instance = Rc::new(instance.map_err(|thrown| abort("the browser cannot make a node", &thrown))?);
        let refused = |what: String| {
            let what = if let Some(Stop::Forbidden(why)) = stopped() { why } else { what };
            Abort(format!("the browser cannot make a node: {what}"))
        };
        if instance.initialize() != RETURNED {
            return Err(refused(js::why()));
        }
        let version = instance.version().ok_or_else(|| refused(js::why()))?;
        if version != raftbox_abi::VERSION {
            let expected = raftbox_abi::VERSION;
            return Err(refused(format!(
                "the guest speaks version {version} of the boundary, this host speaks {expected}; rebuild the guest"
            )));
        }
        let size = instance.size();
        Ok(Self { memory: Memory { instance, size }, last: None, fresh: true })
    }

    fn js(&self) -> &js::Instance {
        &self.memory.instance
    }

    /// Puts an argument into the guest's buffer; returns its length, or how the guest ended.
    fn give(&self, bytes: &[u8]) -> Result<u32, Result<Ended, Abort>> {
        let len = length(bytes);
        assert!(len <= TRANSFER_BYTES_MAX, "no argument is larger than a transfer");
        let at = self.js().buffer(len);
        if !self.memory.contains(at, len) {
            return Err(match self.js().failure() {
                RETURNED => Ok(Ended::Trapped("the guest's buffer lies outside its memory".into())),
                status => leave(status),
            });
        }
        self.memory.write(at, bytes);
        Ok(len)
    }

    /// Enters the guest, with an argument of that length in its buffer.
    fn enter(&self, call: Call<'_>, len: u32) -> u32 {
        let js = self.js();
        match call {
            Call::Boot(_) => js.boot(len),
            Call::Deliver(from, _) => js.deliver(from, len),
            Call::Wake => js.wake(),
            Call::Request(client, operation, _) => js.request(client, operation, len),
            Call::Synced(ticket, status) => js.synced(ticket, status),
        }
    }

    /// The text at a packed place in the guest's memory.
    fn text(&self, place: u64) -> Option<String> {
        let at = u32::try_from(place >> 32).ok()?;
        let len = u32::try_from(place & u64::from(u32::MAX)).ok()?;
        if !self.memory.contains(at, len) {
            return None;
        }
        let mut bytes = vec![0; len as usize];
        self.memory.read(at, &mut bytes);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Why an import ended the turn, if one did.
fn stopped() -> Option<Stop> {
    SERVED.take().and_then(|mut served| {
        let stop = served.stop.take();
        SERVED.set(Some(served));
        stop
    })
}

/// What it means that a call ended with this status, and not by returning.
fn leave(status: u32) -> Result<Ended, Abort> {
    match (stopped(), status) {
        (Some(Stop::Down), _) => Ok(Ended::Down),
        (Some(Stop::Forbidden(what)), _) => Ok(Ended::Trapped(what)),
        (None, TRAPPED) => Ok(Ended::Trapped(js::why())),
        (None, _) => Err(Abort(format!("the browser gave up on a guest's turn: {}", js::why()))),
    }
}

/// A page of memory. It is the unit of images, and has nothing to do with the pages of 64 KiB that wasm counts in, of which
/// it is a part.
const PAGE: u32 = 4096;
type Page = [u8; PAGE as usize];

/// The state of an instance; shared, not copied, when it is cloned.
#[derive(Clone)]
pub(crate) struct Image(Rc<Saved>);

struct Saved {
    /// The pages that are not all zeros, by number.
    pages: BTreeMap<u32, Rc<Page>>,
    /// The mutable globals.
    globals: Vec<u64>,
}

/// A guest in the browser.
pub(crate) struct BrowserNode {
    guest: Rc<Guest>,
    /// `None` only while it is being dropped.
    instance: Option<Instance>,
}

impl Drop for BrowserNode {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            self.guest.idle.borrow_mut().push(instance);
        }
    }
}

impl BrowserNode {
    fn instance(&mut self) -> &mut Instance {
        self.instance.as_mut().expect("it is not being dropped")
    }
}

impl Memory {
    /// How many pages there are.
    fn pages(&self) -> u32 {
        self.size / PAGE
    }

    /// The first of these pages that is not all zeros. Most of a memory never is anything else, so this has to be quick.
    fn used(&self, pages: Range<u32>) -> Option<u32> {
        let page = self.instance.used(pages.start * PAGE, pages.end * PAGE) / PAGE;
        (page < pages.end).then_some(page)
    }

    /// Makes zeros of these pages.
    fn clear(&self, mut pages: Range<u32>) {
        while let Some(page) = self.used(pages.clone()) {
            self.write(page * PAGE, &[0; PAGE as usize]);
            pages.start = page + 1;
        }
    }
}

impl Node<Turn> for BrowserNode {
    type Image = Image;

    fn call(&mut self, host: Box<Turn>, call: Call<'_>) -> (Box<Turn>, Result<Ended, Abort>) {
        let instance = self.instance();
        instance.fresh = false;
        let len = match call {
            Call::Boot(bytes) | Call::Deliver(_, bytes) | Call::Request(_, _, bytes) => match instance.give(bytes) {
                Ok(len) => len,
                Err(ended) => return (host, ended),
            },
            Call::Wake | Call::Synced(..) => 0,
        };
        let mut served = SERVED.take().unwrap_or_default();
        (served.turn, served.stop) = (Some((host, instance.memory.clone())), None);
        SERVED.set(Some(served));
        let status = instance.enter(call, len);
        let Some(mut served) = SERVED.take() else {
            SERVED.set(Some(Box::default()));
            return (lost(), Err(Abort(format!("the browser gave up within an import: {}", js::why()))));
        };
        let (host, _) = served.turn.take().expect("nobody else takes it");
        SERVED.set(Some(served));
        (host, if status == RETURNED { Ok(Ended::Returned) } else { leave(status) })
    }

    fn reset(&mut self) {
        if !self.instance().fresh {
            let first = self.guest.first.borrow().clone().expect("it was saved when the first node was made");
            self.restore(&first);
        }
    }

    fn save(&mut self) -> Image {
        let instance = self.instance();
        let known = instance.last.as_ref().map(|image| &image.0.pages);
        let mut pages = BTreeMap::new();
        let mut page = [0; PAGE as usize];
        let mut left = 0..instance.memory.pages();
        while let Some(number) = instance.memory.used(left.clone()) {
            instance.memory.read(number * PAGE, &mut page);
            let known = known.and_then(|pages| pages.get(&number)).filter(|known| ***known == page);
            pages.insert(number, known.map_or_else(|| Rc::new(page), Rc::clone));
            left.start = number + 1;
        }
        let image = Image(Rc::new(Saved { pages, globals: instance.js().state() }));
        instance.last = Some(image.clone());
        image
    }

    fn restore(&mut self, image: &Image) {
        let instance = self.instance();
        let mut left = 0..instance.memory.pages();
        for (number, page) in &image.0.pages {
            instance.memory.clear(left.start..*number);
            instance.memory.write(number * PAGE, page.as_ref());
            left.start = number + 1;
        }
        instance.memory.clear(left);
        instance.js().set_state(&image.0.globals);
        instance.last = Some(image.clone());
        instance.fresh = false;
    }

    fn inspect(&mut self) -> Option<String> {
        if !self.guest.admitted.has_inspect {
            return None;
        }
        let before = self.save();
        let instance = self.instance();
        let text = instance.js().inspect().and_then(|place| instance.text(place));
        stopped();
        self.restore(&before);
        text
    }

    fn describe(&mut self, datagram: &[u8]) -> Option<String> {
        if !self.guest.admitted.has_describe {
            return None;
        }
        let instance = self.instance();
        instance.fresh = false;
        let len = instance.give(datagram).ok()?;
        let text = instance.js().describe(len).and_then(|place| instance.text(place));
        stopped();
        text
    }
}

/// A host in the place of one that an exception took with it, so that there is one to give back. The run is aborted.
fn lost() -> Box<Turn> {
    use raftbox::world::{decider::Decider, turn::Body};
    let mut turn = Turn::new(Decider::default());
    turn.begin(Box::new(Body::new(0, 0)), 0);
    Box::new(turn)
}
