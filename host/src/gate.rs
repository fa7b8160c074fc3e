//! The gate: what a module must be before it may run as a guest.
//!
//! A run is a function of its seed only if a guest can do nothing that two engines do differently, and a snapshot is a
//! plain copy of memory and globals only if a guest keeps no state anywhere else. Neither is left to good manners: the
//! gate reads the whole module and proves both, and what it refuses it names.
//!
//! | part | what it does |
//! |---|---|
//! | [`admit`] | the one way in: bytes to [`Admitted`] or [`Refusal`] |
//! | `module` | reads the sections of a module, and judges nothing |
//! | `boundary` | imports and exports, against the lists of [`raftbox_abi::boundary`] |
//! | `state` | memory, globals, tables, segments, start: all that a module keeps, and how it begins |
//! | `operator` | the code, operator by operator |
//! | `arena` | gives the memory another size, and leaves every other byte alone |
//! | `refusal` | what is said of a refused module |
//!
//! Two judges must agree. wasmparser validates with the features that every engine here runs alike and no others; that
//! alone would do for safety, but it stops at the first mistake and speaks of bytes. Our own reading finds all of them
//! and knows what to do about each. It also knows the rules that no standard has: imports by name, memory of one size,
//! tables that never change, mutable globals that can be saved.
//!
//! Left out: how deep a guest recurses and how long it runs. Nothing in the bytes bounds either.

mod arena;
mod boundary;
mod module;
mod operator;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use refusal::{FINDINGS_MAX, Finding, Refusal};

use module::Module;
use raftbox_abi::boundary::{EXPORTS, IMPORTS, MEMORY, Type};
use refusal::{Findings, NAME_CHARS_MAX, line};
use std::fmt;
use wasmparser::{Validator, WasmFeatures};

/// The most bytes of a module: Chromium compiles no larger one synchronously.
pub const MODULE_BYTES_MAX: u64 = 8 << 20;
/// The most bytes of a guest's memory.
pub const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// The most elements of a guest's table.
pub const TABLE_ELEMENTS_MAX: u64 = 64 << 10;
/// The unit in which a module counts its memory, in bytes.
const PAGE: u64 = 64 << 10;

/// What every engine here runs alike. Not among them, and so refused: floats, SIMD, threads, 64-bit and several
/// memories, tail calls, exceptions, typed function references, garbage collection.
///
/// `REFERENCE_TYPES` is there because LLVM writes the table index of `call_indirect` as that proposal has it. The float
/// conversions of `SATURATING_FLOAT_TO_INT` are refused by their operands.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::GC_TYPES);

/// A module that may run, and what its host has to know of it. Its `Display` is the report of `raftbox lint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The module: as given, or with its memory made as large as asked.
    pub bytes: Vec<u8>,
    /// The size of its memory, now and for ever.
    pub memory_bytes: u64,
    /// Its mutable globals, in the order of the module: with the memory, all the state there is.
    pub globals: Vec<Global>,
    /// Whether it exports `inspect`.
    pub has_inspect: bool,
    /// Whether it exports `describe`.
    pub has_describe: bool,
    /// Whether it exports `_initialize`, which is then called once, first.
    pub has_initialize: bool,
    /// The imports that it has, in the order of [`IMPORTS`].
    pub imports: Vec<&'static str>,
    /// How many functions it defines.
    pub functions: u32,
    /// How many bytes of code they have together.
    pub code_bytes: u64,
}

/// A mutable global of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// The name under which it is exported; the first one, if there are several.
    pub name: String,
    /// Its type.
    pub kind: Type,
}

/// Proves that a module may run as a guest, and gives its memory the size of `arena` bytes, rounded up to whole pages
/// of 64 KiB, if one is asked for.
///
/// # Errors
///
/// All that keeps the module out, of which the first [`FINDINGS_MAX`] are spelled out.
pub fn admit(bytes: &[u8], arena: Option<u64>) -> Result<Admitted, Refusal> {
    let mut findings = Findings::default();
    if let Some(finding) = not_a_module(bytes) {
        findings.add(finding);
        return Err(findings.refusal());
    }
    let size = bytes.len() as u64;
    limit(size, &mut findings);
    // A module that is wrong in itself cannot be read, so nothing else can be said of it. One that merely goes beyond
    // the features can, with all of them on; then our own findings say it better than the validator does.
    let verdict = Validator::new_with_features(FEATURES).validate_all(bytes).map(drop);
    let features = if verdict.is_ok() { FEATURES } else { WasmFeatures::all() };
    if verdict.is_err()
        && let Err(error) = Validator::new_with_features(features).validate_all(bytes)
    {
        findings.damaged(&error, bytes);
        return Err(findings.refusal());
    }
    let admitted = read(bytes, features, arena, &mut findings).unwrap_or_else(|error| {
        findings.damaged(&error, bytes);
        None
    });
    if let Err(error) = verdict
        && !findings.explain_features()
    {
        findings.beyond_features(&error);
    }
    admitted.filter(|_| findings.is_empty()).ok_or_else(|| findings.refusal())
}

/// A module that was admitted, with a memory of `arena` bytes, rounded up to whole pages of 64 KiB. That its statics fit
/// in is the caller's to know.
///
/// # Panics
/// If it is no module, which an admitted one is.
#[must_use]
pub fn resize(admitted: &[u8], arena: u64) -> Vec<u8> {
    arena::resize(admitted, arena.div_ceil(PAGE)).expect("an admitted module can be walked")
}

/// Reads a valid module, judges each part of it, and puts together what there is to know of it, if anything is left.
fn read(
    bytes: &[u8],
    features: WasmFeatures,
    arena: Option<u64>,
    findings: &mut Findings,
) -> wasmparser::Result<Option<Admitted>> {
    let module = Module::read(bytes, features)?;
    let imports = boundary::imports(&module, findings);
    let optional = boundary::exports(&module, findings);
    let memory_bytes = state::memory(&module, arena, findings);
    let globals = state::globals(&module, findings);
    state::tables(&module, findings);
    state::start(&module, findings);
    operator::check(&module, findings)?;
    let Some(memory_bytes) = memory_bytes.filter(|_| findings.is_empty()) else { return Ok(None) };
    let bytes = match arena {
        Some(_) => arena::resize(bytes, memory_bytes / PAGE)?,
        None => bytes.to_vec(),
    };
    limit(bytes.len() as u64, findings);
    let has = |name| optional.contains(&name);
    Ok(Some(Admitted {
        bytes,
        memory_bytes,
        globals,
        has_inspect: has("inspect"),
        has_describe: has("describe"),
        has_initialize: has("_initialize"),
        imports,
        functions: u32::try_from(module.bodies.len()).unwrap_or(u32::MAX),
        code_bytes: module.bodies.iter().map(|body| body.as_bytes().len() as u64).sum(),
    }))
}

/// Judges the size of a module, which a larger memory may add a few bytes to.
fn limit(size: u64, findings: &mut Findings) {
    if size > MODULE_BYTES_MAX {
        findings.found(
            "module",
            format!("{size} bytes, and {MODULE_BYTES_MAX} is the most that a browser compiles at once"),
            "optimise for size, and strip names and debug information",
        );
    }
}

/// What the bytes are if not a core module: a guess that helps more than "bad magic number" does.
fn not_a_module(bytes: &[u8]) -> Option<Finding> {
    let finding = |what: &str, remedy: &str| Some(Finding::new("file", what, remedy));
    let text = bytes.trim_ascii_start();
    match bytes {
        [] => finding("empty", "give the .wasm file that the compiler wrote"),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => None,
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => finding(
            "a WebAssembly component, not a core module",
            "build for wasm32-unknown-unknown, without cargo-component or wasm-tools component",
        ),
        [0, b'a', b's', b'm', rest @ ..] if rest.len() < 4 => {
            finding("cut short within its first eight bytes", "build or copy it again")
        }
        [0, b'a', b's', b'm', ..] => {
            finding("of a WebAssembly version other than 1", "build for wasm32-unknown-unknown")
        }
        _ if text.starts_with(b"(") || text.starts_with(b";;") => {
            finding("WebAssembly text, not a binary module", "translate it first, with wat2wasm or wasm-tools parse")
        }
        _ => finding(
            "not WebAssembly: it does not begin with the bytes 00 61 73 6d",
            "give the .wasm file that the compiler wrote",
        ),
    }
}

impl fmt::Display for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[&str]| match items {
            [] => "none".to_owned(),
            items => items.join(", "),
        };
        let globals: Vec<String> = self
            .globals
            .iter()
            .map(|Global { name, kind }| format!("{}: {}", line(name, NAME_CHARS_MAX), boundary::type_name(*kind)))
            .collect();
        let globals: Vec<&str> = globals.iter().map(String::as_str).collect();
        let exports: Vec<&str> = [MEMORY].into_iter().chain(EXPORTS.iter().map(|export| export.name)).collect();
        let optional: Vec<&str> =
            [(self.has_inspect, "inspect"), (self.has_describe, "describe"), (self.has_initialize, "_initialize")]
                .into_iter()
                .filter_map(|(has, name)| has.then_some(name))
                .collect();
        writeln!(f, "module     {} bytes", self.bytes.len())?;
        writeln!(f, "code       {} bytes in {} functions", self.code_bytes, self.functions)?;
        writeln!(f, "memory     {} bytes, fixed", self.memory_bytes)?;
        writeln!(f, "globals    {}", list(&globals))?;
        writeln!(f, "imports    {} ({} of {})", list(&self.imports), self.imports.len(), IMPORTS.len())?;
        writeln!(f, "exports    {}", list(&exports))?;
        write!(f, "optional   {}", list(&optional))
    }
}
