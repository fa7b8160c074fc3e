//! All that a module keeps, and how it begins: memory, globals, tables, segments, start.
//!
//! A snapshot holds the memory and the mutable globals. So the memory has one size, the globals can be reached, and
//! nothing else ever changes.

use super::module::Module;
use super::refusal::Findings;
use super::{Global, MEMORY_BYTES_MAX, PAGE, TABLE_ELEMENTS_MAX};
use raftbox_abi::boundary::{MEMORY, Type};
use wasmparser::{ExternalKind, MemoryType, ValType};

/// Judges the memory, and says how large it is, or is to be.
pub(super) fn memory(module: &Module<'_>, arena: Option<u64>, findings: &mut Findings) -> Option<u64> {
    let memory = match module.memories.as_slice() {
        [memory] => memory,
        [] => {
            // An imported one was objected to already.
            if module.imported_memories == 0 {
                findings.found("memory", "there is none", format!("define one, and export it as `{MEMORY}`"));
            }
            return None;
        }
        memories => {
            let what = format!("there are {}, and a guest has one", memories.len());
            findings.found_feature("memory", what, "keep all data in one");
            return None;
        }
    };
    let exported = module.exports.iter().find(|export| export.name == MEMORY);
    if exported.is_none_or(|export| export.kind != ExternalKind::Memory) {
        let what = format!("not exported as `{MEMORY}`");
        findings.found("memory", what, "the host passes bytes through it: export it");
    }
    if memory.shared {
        findings.found_feature("memory", "shared between threads", "build without threads and atomics");
    }
    if memory.memory64 {
        findings.found_feature("memory", "64-bit", "build for wasm32");
        return None;
    }
    if memory.page_size_log2.is_some() {
        findings.found_feature("memory", "of pages other than 64 KiB", "build with pages of 64 KiB");
    }
    let bytes = match arena {
        Some(arena) => resized(module, memory, arena, findings)?,
        None => as_given(memory, findings)?,
    };
    fits(module, bytes, findings);
    Some(bytes)
}

/// The size of a memory that stays as it is.
fn as_given(memory: &MemoryType, findings: &mut Findings) -> Option<u64> {
    if memory.maximum != Some(memory.initial) {
        let what = match memory.maximum {
            Some(maximum) => format!("{} pages that may become {maximum}", memory.initial),
            None => format!("{} pages that may become any number", memory.initial),
        };
        findings.found(
            "memory",
            what,
            "a snapshot needs one size: link with --initial-memory and --max-memory of one value, or ask for an arena",
        );
    }
    let bytes = memory.initial.saturating_mul(PAGE);
    if bytes > MEMORY_BYTES_MAX {
        let what = format!("{bytes} bytes, and {MEMORY_BYTES_MAX} is the most");
        findings.found("memory", what, "link with a smaller --initial-memory, or ask for an arena");
        return None;
    }
    Some(bytes)
}

/// The size of a memory that is to be `arena` bytes.
fn resized(module: &Module<'_>, memory: &MemoryType, arena: u64, findings: &mut Findings) -> Option<u64> {
    let bytes = arena.div_ceil(PAGE).saturating_mul(PAGE);
    if bytes > MEMORY_BYTES_MAX {
        let what = format!("{arena} bytes, and {MEMORY_BYTES_MAX} is the most");
        findings.found("arena", what, "ask for less");
        return None;
    }
    // Statics that begin as zero are in no segment, so where the linker does not tell the end of all, only the size
    // that it chose is known to do.
    let heap = module.exported_value("__heap_base").map(u64::from);
    let linked = heap.unwrap_or_else(|| memory.initial.saturating_mul(PAGE));
    let end = [Some(linked), static_end(module)].into_iter().flatten().max().unwrap_or(0);
    if bytes < end {
        let what = match heap {
            Some(_) => format!("{arena} bytes, and the module's own stack and data end at {end}"),
            None => format!(
                "{arena} bytes, and the module was linked for {end} (it exports no `__heap_base` that would say more)"
            ),
        };
        findings.found("arena", what, format!("ask for {end} bytes or more"));
        return None;
    }
    Some(bytes)
}

/// Where stack and data end, as far as segments and the linker's exports tell.
fn static_end(module: &Module<'_>) -> Option<u64> {
    let linked =
        ["__data_end", "__stack_pointer"].into_iter().filter_map(|name| module.exported_value(name).map(u64::from));
    module.data.iter().filter_map(super::module::Segment::end).chain(linked).max()
}

/// A segment that does not fit makes every instance fail, so it is found here.
fn fits(module: &Module<'_>, bytes: u64, findings: &mut Findings) {
    for (index, segment) in module.data.iter().enumerate() {
        match segment.end() {
            Some(end) if end <= bytes => {}
            Some(end) => {
                let what = format!("ends at {end}, and the memory at {bytes}");
                findings.found(format!("data segment {index}"), what, "link with a larger --initial-memory");
            }
            None => findings.found(
                format!("data segment {index}"),
                "its place is not a constant",
                "link the module as a whole, not as a part",
            ),
        }
    }
}

/// Judges the globals, and lists the mutable ones.
pub(super) fn globals(module: &Module<'_>, findings: &mut Findings) -> Vec<Global> {
    let mut globals = Vec::new();
    for (index, global) in (module.imported_globals..).zip(&module.globals) {
        let kind = match global.kind {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 | ValType::F64 | ValType::V128 => {
                let what = format!("of type {}", global.kind);
                findings.found_feature(module.global(index), what, "use integers");
                continue;
            }
            ValType::Ref(_) if !global.mutable => continue,
            ValType::Ref(_) => {
                let what = format!("mutable, and of type {}", global.kind);
                let remedy = "a snapshot holds only i32 and i64: build without reference types";
                findings.found(module.global(index), what, remedy);
                continue;
            }
        };
        match module.global_export(index) {
            _ if !global.mutable => {}
            Some(name) => globals.push(Global { name: name.to_owned(), kind }),
            None => findings.found(
                module.global(index),
                "mutable, and not exported",
                "a snapshot must reach it: link with --export=NAME (the stack's is --export=__stack_pointer)",
            ),
        }
    }
    globals
}

/// Judges the tables: what is in them, and not what is done to them, which is in the code.
pub(super) fn tables(module: &Module<'_>, findings: &mut Findings) {
    let elements = module.tables.iter().fold(0u64, |sum, table| sum.saturating_add(table.initial));
    if elements > TABLE_ELEMENTS_MAX {
        let what = format!("{elements} elements, and {TABLE_ELEMENTS_MAX} is the most");
        findings.found("table", what, "take the address of fewer functions");
    }
    for (index, segment) in module.elements.iter().enumerate() {
        let table = segment.target.checked_sub(module.imported_tables);
        let Some(table) = table.and_then(|table| module.tables.get(table as usize)) else {
            continue;
        };
        let place = format!("element segment {index}");
        match segment.end() {
            Some(end) if end <= table.initial => {}
            Some(end) => {
                let what = format!("ends at {end}, and the table at {}", table.initial);
                findings.found(place, what, "the linker is wrong: build again");
            }
            None => findings.found(place, "its place is not a constant", "link the module as a whole, not as a part"),
        }
    }
}

/// Judges how the module begins.
pub(super) fn start(module: &Module<'_>, findings: &mut Findings) {
    if let Some(function) = module.start {
        findings.found(
            "start section",
            format!("runs {} before the host is ready", module.function(function)),
            "do it in `boot`, or export it as `_initialize`",
        );
    }
}
