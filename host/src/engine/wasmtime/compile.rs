//! Modules, compiled: wasmtime's settings, the cache of compiled code, and the watchdog.

use crate::engine::Abort;
use crate::gate::Admitted;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::{Config, InstanceAllocationStrategy, Module, PoolingAllocationConfig};

/// How modules are compiled and kept.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A folder in which compiled modules are kept for the next time. It must be the user's own: what lies there is run.
    pub cache: Option<PathBuf>,
    /// How long one turn may take before the run is aborted. It costs speed, so it is for guests that are not trusted.
    pub watchdog: Option<Duration>,
}

/// Modules, compiled; to be shared between threads.
#[derive(Clone)]
pub struct Compiled {
    pub(super) engine: wasmtime::Engine,
    pub(super) guests: Vec<(Module, Admitted)>,
    /// How many ticks of the engine's epoch a turn may take.
    pub(super) watchdog: Option<u64>,
}

/// How often the watchdog looks.
const WATCHDOG_TICK: Duration = Duration::from_millis(50);

fn config(options: &Options) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(256)
        .total_memories(256)
        .total_tables(256)
        .max_memory_size(256 << 20)
        .table_elements(65_536)
        .linear_memory_keep_resident(8 << 20);
    let mut config = Config::new();
    config
        .wasm_relaxed_simd(false)
        .wasm_simd(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .cranelift_nan_canonicalization(true)
        .memory_init_cow(true)
        .consume_fuel(false)
        .epoch_interruption(options.watchdog.is_some())
        .max_wasm_stack(512 << 10)
        .wasm_backtrace_max_frames(None)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

impl Compiled {
    /// Compiles admitted modules, or takes them from the cache.
    ///
    /// # Errors
    /// If wasmtime cannot work on this machine, or cannot compile one of them.
    pub fn new(guests: Vec<Admitted>, options: &Options) -> Result<Self, Abort> {
        let abort = |error: wasmtime::Error| Abort(format!("wasmtime: {error:#}"));
        let engine = wasmtime::Engine::new(&config(options)).map_err(abort)?;
        let mut compiled = Vec::new();
        for guest in guests {
            compiled.push((module(&engine, &guest.bytes, options.cache.as_deref()).map_err(abort)?, guest));
        }
        let watchdog = options.watchdog.map(|limit| {
            watch(&engine);
            (limit.as_millis() / WATCHDOG_TICK.as_millis()).try_into().unwrap_or(u64::MAX).saturating_add(2)
        });
        Ok(Self { engine, guests: compiled, watchdog })
    }
}

/// Moves the engine's epoch on, as long as the engine lives.
#[allow(clippy::disallowed_methods, reason = "the watchdog can only abort a run, never change it")]
fn watch(engine: &wasmtime::Engine) {
    let weak = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(WATCHDOG_TICK);
        }
    });
}

/// A compiled module. One that lies in the cache under the hash of its bytes and of the engine's settings is loaded; a
/// cache that cannot be read or written only costs time.
fn module(engine: &wasmtime::Engine, bytes: &[u8], cache: Option<&Path>) -> wasmtime::Result<Module> {
    use std::hash::{Hash as _, Hasher as _};
    let Some(folder) = cache else { return Module::new(engine, bytes) };
    let mut settings = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let name = format!("{:032x}-{:016x}.cwasm", xxhash_rust::xxh3::xxh3_128(bytes), settings.finish());
    let file = folder.join(name);
    if let Some(found) = load(engine, &file) {
        return Ok(found);
    }
    let module = Module::new(engine, bytes)?;
    if let Ok(code) = module.serialize() {
        // Written aside and renamed, so that no other process ever reads half of it.
        let aside = file.with_extension(format!("{}.tmp", std::process::id()));
        let sum = xxhash_rust::xxh3::xxh3_128(&code).to_le_bytes();
        let kept = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&aside, [&sum, code.as_slice()].concat()))
            .and_then(|()| std::fs::rename(&aside, &file));
        if kept.is_err() {
            drop(std::fs::remove_file(&aside));
        }
    }
    Ok(module)
}

#[allow(unsafe_code, reason = "compiled code is trusted as far as the user's own cache folder is")]
fn load(engine: &wasmtime::Engine, file: &Path) -> Option<Module> {
    let kept = std::fs::read(file).ok()?;
    let (sum, code) = kept.split_first_chunk::<16>()?;
    if xxhash_rust::xxh3::xxh3_128(code).to_le_bytes() != *sum {
        return None;
    }
    // SAFETY: the bytes were written whole by `module` above, from wasmtime's own `serialize` (the sum says so), into a
    // folder that is the user's own; wasmtime checks that its version and settings are the same.
    unsafe { Module::deserialize(engine, code) }.ok()
}
