//! wasmtime as an [`Engine`].
//!
//! [`Compiled`] holds the compiled modules and may be shared between threads; a [`Wasmtime`] is one thread's engine over
//! them, with a pool of instances. A node that is dropped gives its instance back, and the next is that instance, put into
//! its first state in place: its memory is resident already, so that forks cost a copy and no page faults.
//!
//! Nothing here may depend on the machine: features that differ between processors are off, and what a guest cannot do
//! (floats, SIMD, growing memory) the [gate](crate::gate) has refused before. A native stack overflow or a turn that never
//! ends says nothing about the guest's logic and depends on the machine, so it aborts the run.

mod compile;

pub use compile::{Compiled, Options};

use super::{Abort, Call, Ended, Engine, Host, Node, Stop};
use crate::gate::Admitted;
use raftbox_abi::boundary::{MEMORY, MODULE, TRANSFER_BYTES_MAX};
use std::cell::RefCell;
use std::rc::Rc;
use wasmtime::{Caller, Global, InstancePre, Linker, Memory, Store, Trap, TypedFunc, Val};

/// What a store holds beside the instance.
struct State<H> {
    host: Option<Box<H>>,
    memory: Option<Memory>,
    /// Whether imports may be called now: not during `buffer`, `inspect` and `describe`.
    serving: bool,
    /// Why an import ended the turn.
    stop: Option<Stop>,
}

type Serve<'a, H> = Caller<'a, State<H>>;

/// Runs an import: the host and the guest's memory for `serve`, and a trap for whoever may not call it now.
fn import<H: Host, R>(
    caller: &mut Serve<'_, H>,
    serve: impl FnOnce(&mut H, &mut [u8]) -> Result<R, Stop>,
) -> wasmtime::Result<R> {
    let memory = caller.data().memory;
    let (bytes, state): (&mut [u8], _) = match memory {
        Some(memory) => memory.data_and_store_mut(&mut *caller),
        None => (&mut [], caller.data_mut()),
    };
    let served = match (&mut state.host, state.serving) {
        (Some(host), true) => serve(host, bytes),
        _ => Err(Stop::Forbidden("an import was called outside a turn".into())),
    };
    served.map_err(|stop| {
        state.stop = Some(stop);
        wasmtime::Error::msg("the host ended the turn")
    })
}

/// The guest's bytes from `at` on, `len` of them.
fn slice(memory: &[u8], at: u32, len: u32) -> Result<&[u8], Stop> {
    let (start, end) = (at as usize, at as usize + len as usize);
    memory.get(start..end).ok_or_else(|| outside(at, len))
}

fn outside(at: u32, len: u32) -> Stop {
    Stop::Forbidden(format!("{len} bytes at {at} lie outside the guest's memory"))
}

/// Defines every import of the boundary; each is one line, so that the list can be compared at a glance.
fn link<H: Host>(linker: &mut Linker<State<H>>) -> wasmtime::Result<()> {
    type C<'a, H> = Serve<'a, H>;
    linker
        .func_wrap(MODULE, "now", |mut c: C<'_, H>| import(&mut c, |host, _| Ok(host.now())))?
        .func_wrap(MODULE, "random", |mut c: C<'_, H>| import(&mut c, |host, _| Ok(host.random())))?
        .func_wrap(MODULE, "send", |mut c: C<'_, H>, to: u32, at: u32, len: u32| {
            import(&mut c, |host, memory| host.send(to, slice(memory, at, len)?))
        })?
        .func_wrap(MODULE, "wake_at", |mut c: C<'_, H>, at: u64| import(&mut c, |host, _| host.wake_at(at)))?
        .func_wrap(MODULE, "disk_len", |mut c: C<'_, H>, file: u32| import(&mut c, |host, _| host.disk_len(file)))?
        .func_wrap(MODULE, "disk_read", |mut c: C<'_, H>, file: u32, offset: u64, at: u32, len: u32| {
            import(&mut c, |host, memory| {
                let room = memory.get_mut(at as usize..at as usize + len as usize);
                host.disk_read(file, offset, room.ok_or_else(|| outside(at, len))?)
            })
        })?
        .func_wrap(MODULE, "disk_write", |mut c: C<'_, H>, file: u32, offset: u64, at: u32, len: u32| {
            import(&mut c, |host, memory| host.disk_write(file, offset, slice(memory, at, len)?))
        })?
        .func_wrap(MODULE, "disk_truncate", |mut c: C<'_, H>, file: u32, len: u64| {
            import(&mut c, |host, _| host.disk_truncate(file, len))
        })?
        .func_wrap(MODULE, "disk_sync", |mut c: C<'_, H>, ticket: u64| {
            import(&mut c, |host, _| host.disk_sync(ticket))
        })?
        .func_wrap(MODULE, "reply", |mut c: C<'_, H>, client: u32, operation: u64, at: u32, len: u32| {
            import(&mut c, |host, memory| host.reply(client, operation, slice(memory, at, len)?))
        })?
        .func_wrap(MODULE, "note", |mut c: C<'_, H>, kind: u32, at: u32, len: u32| {
            import(&mut c, |host, memory| host.note(kind, slice(memory, at, len)?))
        })?
        .func_wrap(MODULE, "chance", |mut c: C<'_, H>, site: u32| {
            import(&mut c, |host, _| Ok(u32::from(host.chance(site))))
        })?
        .func_wrap(MODULE, "halt", |mut c: C<'_, H>, code: u32, at: u32, len: u32| -> wasmtime::Result<()> {
            import(&mut c, |host, memory| Err(host.halt(code, slice(memory, at, len)?)))
        })?
        .func_wrap(MODULE, "log", |mut c: C<'_, H>, level: u32, at: u32, len: u32| {
            import(&mut c, |host, memory| host.log(level, slice(memory, at, len)?))
        })?;
    Ok(())
}

/// A module that is ready to be instantiated, and its idle instances.
struct Guest<H: 'static> {
    pre: InstancePre<State<H>>,
    admitted: Admitted,
    idle: RefCell<Vec<Instance<H>>>,
    /// What an instance is like before its boot; known once there was one.
    first: RefCell<Option<Image>>,
    /// Room for images, from those that are gone: fresh room costs more in page faults than the copy itself.
    room: Room,
}

/// One thread's engine.
pub struct Wasmtime<H: 'static> {
    engine: wasmtime::Engine,
    guests: Vec<Rc<Guest<H>>>,
    watchdog: Option<u64>,
}

impl<H: Host> Wasmtime<H> {
    /// An engine over compiled modules.
    ///
    /// # Errors
    /// If a module does not fit the boundary, which the gate excludes.
    pub fn new(compiled: &Compiled) -> Result<Self, Abort> {
        let abort = |error: wasmtime::Error| Abort(format!("wasmtime: {error:#}"));
        let mut linker = Linker::new(&compiled.engine);
        link(&mut linker).map_err(abort)?;
        let mut guests = Vec::new();
        for (module, admitted) in &compiled.guests {
            guests.push(Rc::new(Guest {
                pre: linker.instantiate_pre(module).map_err(abort)?,
                admitted: admitted.clone(),
                idle: RefCell::default(),
                first: RefCell::default(),
                room: Room::default(),
            }));
        }
        Ok(Self { engine: compiled.engine.clone(), guests, watchdog: compiled.watchdog })
    }
}

impl<H: Host> Engine<H> for Wasmtime<H> {
    type Node = WasmtimeNode<H>;

    fn node(&self, guest: usize) -> Result<Self::Node, Abort> {
        let guest = Rc::clone(&self.guests[guest]);
        let idle = guest.idle.borrow_mut().pop();
        let instance = match idle {
            Some(instance) => instance,
            None => Instance::new(&self.engine, &guest, self.watchdog)
                .map_err(|error| Abort(format!("wasmtime has no room for a node: {error:#}")))?,
        };
        let mut node = WasmtimeNode { guest, instance: Some(instance) };
        if node.guest.first.borrow().is_none() {
            let first = node.save();
            *node.guest.first.borrow_mut() = Some(first);
        }
        Ok(node)
    }
}

/// An instance with its functions looked up.
struct Instance<H: 'static> {
    store: Store<State<H>>,
    memory: Memory,
    globals: Vec<Global>,
    buffer: TypedFunc<u32, u32>,
    boot: TypedFunc<u32, ()>,
    deliver: TypedFunc<(u32, u32), ()>,
    wake: TypedFunc<(), ()>,
    request: TypedFunc<(u32, u64, u32), ()>,
    synced: TypedFunc<(u64, i32), ()>,
    inspect: Option<TypedFunc<(), u64>>,
    describe: Option<TypedFunc<u32, u64>>,
    watchdog: Option<u64>,
    /// Whether nothing was called since it was made.
    fresh: bool,
}

impl<H: Host> Instance<H> {
    fn new(engine: &wasmtime::Engine, guest: &Guest<H>, watchdog: Option<u64>) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, State { host: None, memory: None, serving: false, stop: None });
        if let Some(ticks) = watchdog {
            store.set_epoch_deadline(ticks);
        }
        let instance = guest.pre.instantiate(&mut store)?;
        let missing = |name: &str| wasmtime::Error::msg(format!("the module has no export {name}"));
        let memory = instance.get_memory(&mut store, MEMORY).ok_or_else(|| missing(MEMORY))?;
        store.data_mut().memory = Some(memory);
        let mut globals = Vec::new();
        for global in &guest.admitted.globals {
            globals.push(instance.get_global(&mut store, &global.name).ok_or_else(|| missing(&global.name))?);
        }
        if guest.admitted.has_initialize {
            instance.get_typed_func::<(), ()>(&mut store, "_initialize")?.call(&mut store, ())?;
        }
        let version = instance.get_typed_func::<(), u32>(&mut store, "abi_version")?.call(&mut store, ())?;
        if version != raftbox_abi::VERSION {
            let expected = raftbox_abi::VERSION;
            return Err(wasmtime::Error::msg(format!(
                "the guest speaks version {version} of the boundary, this host speaks {expected}; rebuild the guest"
            )));
        }
        let (has_inspect, has_describe) = (guest.admitted.has_inspect, guest.admitted.has_describe);
        Ok(Self {
            memory,
            globals,
            buffer: instance.get_typed_func(&mut store, "buffer")?,
            boot: instance.get_typed_func(&mut store, "boot")?,
            deliver: instance.get_typed_func(&mut store, "deliver")?,
            wake: instance.get_typed_func(&mut store, "wake")?,
            request: instance.get_typed_func(&mut store, "request")?,
            synced: instance.get_typed_func(&mut store, "synced")?,
            inspect: if has_inspect { Some(instance.get_typed_func(&mut store, "inspect")?) } else { None },
            describe: if has_describe { Some(instance.get_typed_func(&mut store, "describe")?) } else { None },
            watchdog,
            fresh: true,
            store,
        })
    }

    /// Puts an argument into the guest's buffer; returns its length.
    fn give(&mut self, bytes: &[u8]) -> wasmtime::Result<u32> {
        let len = u32::try_from(bytes.len())?;
        assert!(len <= TRANSFER_BYTES_MAX, "no argument is larger than a transfer");
        let at = self.buffer.call(&mut self.store, len)? as usize;
        let room = self.memory.data_mut(&mut self.store).get_mut(at..at + bytes.len());
        room.ok_or_else(|| wasmtime::Error::msg("the guest's buffer lies outside its memory"))?.copy_from_slice(bytes);
        Ok(len)
    }

    fn enter(&mut self, call: Call<'_>) -> wasmtime::Result<()> {
        self.fresh = false;
        if let Some(ticks) = self.watchdog {
            self.store.set_epoch_deadline(ticks);
        }
        let len = match call {
            Call::Boot(bytes) | Call::Deliver(_, bytes) | Call::Request(_, _, bytes) => self.give(bytes)?,
            Call::Wake | Call::Synced(..) => 0,
        };
        self.store.data_mut().serving = true;
        let store = &mut self.store;
        match call {
            Call::Boot(_) => self.boot.call(store, len),
            Call::Deliver(from, _) => self.deliver.call(store, (from, len)),
            Call::Wake => self.wake.call(store, ()),
            Call::Request(client, operation, _) => self.request.call(store, (client, operation, len)),
            Call::Synced(ticket, status) => self.synced.call(store, (ticket, status)),
        }
    }

    /// The text at a packed place in the guest's memory.
    fn text(&self, place: u64) -> Option<String> {
        let at = usize::try_from(place >> 32).ok()?;
        let len = usize::try_from(place & u64::from(u32::MAX)).ok()?;
        let bytes = self.memory.data(&self.store).get(at..at + len)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// What a failed call means.
fn ended(error: &wasmtime::Error, stop: Option<Stop>) -> Result<Ended, Abort> {
    match (stop, error.downcast_ref::<Trap>()) {
        (Some(Stop::Down), _) => Ok(Ended::Down),
        (Some(Stop::Forbidden(what)), _) => Ok(Ended::Trapped(what)),
        (None, Some(Trap::StackOverflow)) => {
            Err(Abort("a guest's recursion overflowed the native stack, whose size is the machine's".into()))
        }
        (None, Some(Trap::Interrupt)) => Err(Abort("a turn of a guest did not end in time".into())),
        (None, Some(trap)) => Ok(Ended::Trapped(trap.to_string())),
        (None, None) => Ok(Ended::Trapped(format!("{error:#}"))),
    }
}

/// The room of images that are gone, for the next ones.
type Room = Rc<RefCell<Vec<Vec<u8>>>>;

/// How much of it is kept.
const ROOM_MAX: usize = 64;

/// The state of an instance; shared, not copied, when it is cloned.
#[derive(Clone)]
pub struct Image(Rc<Saved>);

struct Saved {
    /// The memory without the zeros at its end.
    memory: Vec<u8>,
    /// The mutable globals.
    globals: Vec<u64>,
    room: Room,
}

impl Drop for Saved {
    fn drop(&mut self) {
        let mut room = self.room.borrow_mut();
        if room.len() < ROOM_MAX {
            room.push(std::mem::take(&mut self.memory));
        }
    }
}

/// A guest in wasmtime.
pub struct WasmtimeNode<H: Host> {
    guest: Rc<Guest<H>>,
    /// `None` only while it is being dropped.
    instance: Option<Instance<H>>,
}

impl<H: Host> Drop for WasmtimeNode<H> {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            self.guest.idle.borrow_mut().push(instance);
        }
    }
}

impl<H: Host> WasmtimeNode<H> {
    fn instance(&mut self) -> &mut Instance<H> {
        self.instance.as_mut().expect("it is not being dropped")
    }
}

const PAGE: usize = 4096;
const ZEROS: [u8; PAGE] = [0; PAGE];

/// How long memory is without the zeros at its end, in whole pages of 4 KiB.
fn extent(memory: &[u8]) -> usize {
    memory.as_chunks().0.iter().rposition(|page: &[u8; PAGE]| page != &ZEROS).map_or(0, |page| (page + 1) * PAGE)
}

/// Puts `bytes`, whole pages, at the front of memory and zeros behind. Pages that are right already are only read: of one
/// image and the next most are, and an arena is mostly memory that was never touched, and that the machine need not find
/// room for.
fn overwrite(memory: &mut [u8], bytes: &[u8]) {
    let (head, tail) = memory.split_at_mut(bytes.len());
    for (page, wanted) in head.chunks_mut(PAGE).zip(bytes.chunks(PAGE)) {
        if page != wanted {
            page.copy_from_slice(wanted);
        }
    }
    for page in tail.chunks_mut(PAGE) {
        if *page != ZEROS[..page.len()] {
            page.fill(0);
        }
    }
}

impl<H: Host> Instance<H> {
    fn globals(&mut self) -> Vec<u64> {
        let values = self.globals.iter().map(|global| match global.get(&mut self.store) {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            other => unreachable!("the gate admits integers only, not {other:?}"),
        });
        values.collect()
    }

    fn set_globals(&mut self, values: &[u64]) {
        for (global, value) in self.globals.iter().zip(values) {
            let value = match global.ty(&self.store).content() {
                wasmtime::ValType::I32 => Val::I32(u32::try_from(*value).expect("it was saved as one").cast_signed()),
                _ => Val::I64(value.cast_signed()),
            };
            global.set(&mut self.store, value).expect("the gate admits mutable integers only");
        }
    }
}

impl<H: Host> Node<H> for WasmtimeNode<H> {
    type Image = Image;

    fn call(&mut self, host: Box<H>, call: Call<'_>) -> (Box<H>, Result<Ended, Abort>) {
        let instance = self.instance();
        instance.store.data_mut().host = Some(host);
        let result = instance.enter(call);
        let state = instance.store.data_mut();
        state.serving = false;
        let host = state.host.take().expect("nobody else takes it");
        let ended = match result {
            Ok(()) => Ok(Ended::Returned),
            Err(error) => ended(&error, state.stop.take()),
        };
        (host, ended)
    }

    fn reset(&mut self) {
        if !self.instance().fresh {
            let first = self.guest.first.borrow().clone().expect("it was saved when the first node was made");
            self.restore(&first);
        }
    }

    fn save(&mut self) -> Image {
        let room = Rc::clone(&self.guest.room);
        let mut memory = room.borrow_mut().pop().unwrap_or_default();
        let instance = self.instance();
        let now = instance.memory.data(&instance.store);
        memory.clear();
        memory.extend_from_slice(&now[..extent(now)]);
        Image(Rc::new(Saved { memory, globals: instance.globals(), room }))
    }

    fn fingerprint(&mut self) -> Option<u64> {
        let instance = self.instance();
        let globals = instance.globals();
        let memory = instance.memory.data(&instance.store);
        let memory = raftbox_abi::hash(&memory[..extent(memory)]);
        Some(globals.into_iter().fold(memory, |hash, global| hash.rotate_left(7) ^ global))
    }

    fn restore(&mut self, image: &Image) {
        let instance = self.instance();
        overwrite(instance.memory.data_mut(&mut instance.store), &image.0.memory);
        instance.set_globals(&image.0.globals);
        instance.fresh = false;
    }

    fn copy(&mut self, other: &mut Self) {
        let (instance, other) = (self.instance(), other.instance());
        let memory = other.memory.data(&other.store);
        overwrite(instance.memory.data_mut(&mut instance.store), &memory[..extent(memory)]);
        instance.set_globals(&other.globals());
        instance.fresh = false;
    }

    fn inspect(&mut self) -> Option<String> {
        let function = self.instance().inspect.clone()?;
        let before = self.save();
        let instance = self.instance();
        let text = function.call(&mut instance.store, ()).ok().and_then(|place| instance.text(place));
        instance.store.data_mut().stop = None;
        self.restore(&before);
        text
    }

    fn describe(&mut self, datagram: &[u8]) -> Option<String> {
        let instance = self.instance();
        let function = instance.describe.clone()?;
        instance.fresh = false;
        let len = instance.give(datagram).ok()?;
        let text = function.call(&mut instance.store, len).ok().and_then(|place| instance.text(place));
        instance.store.data_mut().stop = None;
        text
    }
}
