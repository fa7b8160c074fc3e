//! A module that cannot keep a browser busy for ever: it counts how often it loops and calls.
//!
//! Nothing outside can end a turn in a browser's engine, so the module ends it: at the head of each function and of each loop it
//! takes one from a counter, and traps when nothing is left. The counter is a global that only its host fills, before each
//! turn; it is not among the state of the guest. Else the module does what it did: a function's own globals, calls and
//! memory keep their numbers. (wasmtime has a watchdog of its own, and runs modules as they are.)

use wasm_encoder::reencode::{Error, Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, Encode as _, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction, Module,
    RawSection, ValType,
};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// The name by which a host finds the counter; one that no compiler gives.
pub const COUNTER: &str = "raftbox turns left";

/// The module, metered.
///
/// # Errors
/// If it is none; an admitted one is.
pub fn metered(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut written = Module::new();
    let mut counter = None;
    let (mut bodies, mut functions) = (CodeSection::new(), 0);
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::GlobalSection(section) => {
                let mut globals = GlobalSection::new();
                RoundtripReencoder.parse_global_section(&mut globals, section.clone())?;
                counter = Some(add_counter(&mut written, globals));
            }
            Payload::ExportSection(section) => {
                // Who has no globals has no section of them, which would stand before this one.
                let counter = *counter.get_or_insert_with(|| add_counter(&mut written, GlobalSection::new()));
                let mut exports = ExportSection::new();
                RoundtripReencoder.parse_export_section(&mut exports, section.clone())?;
                exports.export(COUNTER, ExportKind::Global, counter);
                written.section(&exports);
            }
            Payload::CodeSectionEntry(body) => {
                bodies.raw(&counted(body, counter.unwrap_or_default())?);
                if bodies.len() == functions {
                    written.section(&bodies);
                }
            }
            Payload::CodeSectionStart { count, .. } => functions = *count,
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    written.section(&RawSection { id, data: &module[range] });
                }
            }
        }
    }
    Ok(written.finish())
}

/// Writes the globals, with the counter behind them; its index.
fn add_counter(written: &mut Module, mut globals: GlobalSection) -> u32 {
    let counter = globals.len();
    let kind = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    globals.global(kind, &ConstExpr::i64_const(i64::MAX));
    written.section(&globals);
    counter
}

/// The body of a function, which counts.
fn counted(body: &FunctionBody<'_>, counter: u32) -> Result<Vec<u8>, Error> {
    let mut count = Vec::new();
    let instructions = [
        Instruction::GlobalGet(counter),
        Instruction::I64Const(1),
        Instruction::I64Sub,
        Instruction::GlobalSet(counter),
        Instruction::GlobalGet(counter),
        Instruction::I64Const(0),
        Instruction::I64LtS,
        Instruction::If(wasm_encoder::BlockType::Empty),
        Instruction::Unreachable,
        Instruction::End,
    ];
    instructions.iter().for_each(|instruction| instruction.encode(&mut count));
    let (bytes, start) = (body.as_bytes(), body.range().start);
    let mut operators = body.get_operators_reader()?;
    let mut copied = operators.original_position() - start;
    let mut written = bytes[..copied].to_vec();
    written.extend_from_slice(&count);
    while !operators.eof() {
        let is_loop = matches!(operators.read()?, Operator::Loop { .. });
        let end = operators.original_position() - start;
        written.extend_from_slice(&bytes[copied..end]);
        copied = end;
        if is_loop {
            written.extend_from_slice(&count);
        }
    }
    Ok(written)
}
