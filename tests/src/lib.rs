//! What the integration tests share; the tests themselves are the `[[test]]` targets of this package.

pub mod hostile;
pub mod scoreboard;
pub mod situations;

use raftbox::engine::native::Native;
use raftbox::engine::wasmtime::{Compiled, Options, Wasmtime};
use raftbox::engine::{Abort, Engine};
use raftbox::gate;
use raftbox::hunt::cores;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::simulation::{Record, Simulation};
use raftbox::trace::Keep;
use raftbox::units::{Size, Span, Spans};
use raftbox::world::turn::Turn;
use raftbox_guest_bytes::BYTES;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

/// Does something with each of these, on as many threads as there are processors; what came of each, in no order.
///
/// # Panics
/// If one of the threads does.
pub fn on_all_cores<I, T>(items: I, does: impl Fn(I::Item) -> T + Sync) -> Vec<T>
where
    I: IntoIterator<IntoIter: Send>,
    T: Send,
{
    let (next, done) = (Mutex::new(items.into_iter()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(item) = next.lock().expect("no thread panics with it").next() else { break };
            let result = does(item);
            done.lock().expect("no thread panics with it").push(result);
        }
    };
    #[allow(clippy::disallowed_methods, reason = "what is done with each is by itself")]
    std::thread::scope(|scope| (0..cores()).for_each(|_| drop(scope.spawn(work))));
    done.into_inner().expect("no thread panics with it")
}

/// The built-in guest in wasmtime, with the memory that scenarios give it by default.
///
/// # Panics
/// If it is not admitted, or wasmtime does not work here.
#[must_use]
pub fn wasmtime() -> Rc<Wasmtime<Turn>> {
    wasmtime_with(Scenario::default().arena)
}

/// The built-in guest in wasmtime, with so much memory; compiled once in a test process.
///
/// # Panics
/// If it is not admitted, or wasmtime does not work here.
#[must_use]
pub fn wasmtime_with(arena: Size) -> Rc<Wasmtime<Turn>> {
    static COMPILED: Mutex<BTreeMap<u64, Compiled>> = Mutex::new(BTreeMap::new());
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let built_in = || compiled(&[BYTES], arena).expect("the built-in guest is admitted");
    let compiled = kept.entry(arena.0).or_insert_with(built_in);
    Rc::new(Wasmtime::new(compiled).expect("the built-in guest fits the boundary"))
}

/// Guests that somebody brings in wasmtime, with so much memory each.
///
/// # Errors
/// If one of them is not admitted, or wasmtime does not work here.
pub fn wasmtime_by(guests: &[&[u8]], arena: Size) -> Result<Rc<Wasmtime<Turn>>, String> {
    Ok(Rc::new(Wasmtime::new(&compiled(guests, arena)?).map_err(|abort| abort.to_string())?))
}

/// The same with one that all nodes run.
///
/// # Errors
/// As [`wasmtime_by`] has them.
pub fn wasmtime_of(guest: &[u8], arena: Size) -> Result<Rc<Wasmtime<Turn>>, String> {
    wasmtime_by(&[guest], arena)
}

fn compiled(guests: &[&[u8]], arena: Size) -> Result<Compiled, String> {
    let admit = |guest: &&[u8]| gate::admit(guest, Some(arena.0)).map_err(|refusal| refusal.to_string());
    let admitted = guests.iter().map(admit).collect::<Result<_, _>>()?;
    Compiled::new(admitted, &Options::default()).map_err(|abort| abort.to_string())
}

/// The same guest as native code.
#[must_use]
pub fn native() -> Rc<Native<raftbox_node::Node>> {
    Rc::new(Native::new())
}

/// The header of a built-in scenario, changed by `change`, under a seed.
///
/// # Panics
/// If there is no such scenario, or the change breaks it.
#[must_use]
pub fn header(name: &str, seed: u64, change: impl FnOnce(&mut Scenario)) -> Header {
    let mut scenario = Scenario::built_in(name, None).expect("it is built in");
    change(&mut scenario);
    scenario.check().expect("the change makes sense");
    Header::new(Plan { scenario, seed, interventions: Vec::new() }, sha256(BYTES))
}

/// Runs a header's plan to its end; returns what was written down, and the number of turns.
///
/// # Errors
/// If the engine failed.
pub fn run<E: Engine<Turn>>(engine: Rc<E>, header: &Header, keep: Keep) -> Result<(Record, u64), Abort> {
    let mut simulation = Simulation::new(engine, header, keep)?;
    simulation.run()?;
    Ok((simulation.record().clone(), simulation.world().turns()))
}

/// The load that speed is told of: five nodes, 16 clients that ask again as soon as they are answered, puts of 100 bytes,
/// a good network, for so long (simulated).
#[must_use]
pub fn load(duration: Span, arena: Size) -> Header {
    header("calm", 1, |scenario| {
        scenario.duration = duration;
        scenario.arena = arena;
        scenario.clients.count = 16;
        scenario.clients.think = Spans::micros(0, 0);
        scenario.clients.value = Size(100);
        scenario.clients.mix = [0, 0, 0, 1, 0, 0];
    })
}
