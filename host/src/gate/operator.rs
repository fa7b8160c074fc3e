//! The code of a module, operator by operator: what two engines may do differently, and what would be state outside a
//! snapshot.

use super::boundary;
use super::module::Module;
use super::refusal::Findings;
use std::collections::BTreeMap;
use wasmparser::{BlockType, FunctionBody, Operator, Result, ValType};

/// Why an operator is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Float,
    Simd,
    Threads,
    Grow,
    Table,
    Segment,
    Proposal(&'static str),
}

impl Reason {
    fn what(self, operator: &str) -> String {
        match self {
            Reason::Float => format!("float operator `{operator}`"),
            Reason::Simd => format!("SIMD operator `{operator}`"),
            Reason::Threads => format!("operator for threads `{operator}`"),
            Reason::Grow => format!("`{operator}`, and memory must keep its size"),
            Reason::Table => format!("`{operator}`, and tables must not change"),
            Reason::Segment => format!("`{operator}`, and segments must not be used up"),
            Reason::Proposal(proposal) => {
                format!("`{operator}` of the proposal {}", proposal.replace('_', "-"))
            }
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Reason::Float => "engines differ in the bits of a NaN: use integers or ratios, and format no floats",
            Reason::Simd => "build without -C target-feature=+simd128",
            Reason::Threads => "build without -C target-feature=+atomics",
            Reason::Grow => "allocate from a fixed arena (raftbox-abi brings one for Rust, as its global allocator)",
            Reason::Table => "a snapshot holds no table: call through a constant one",
            Reason::Segment => "a snapshot holds no segment: link with active ones, without threads",
            Reason::Proposal(_) => "not every engine runs it alike: turn that feature of the compiler off",
        }
    }

    /// Whether the validator refuses it as well.
    fn is_feature(self) -> bool {
        matches!(self, Reason::Float | Reason::Simd | Reason::Threads | Reason::Proposal(_))
    }
}

/// The first operator of a kind in a function, and how many follow.
struct Sighting {
    operator: String,
    offset: usize,
    more: u64,
}

/// Judges the types and the code of every function. There is one finding for each reason in a function.
pub(super) fn check(module: &Module<'_>, findings: &mut Findings) -> Result<()> {
    types(module, findings);
    for (index, body) in (module.imported_functions..).zip(&module.bodies) {
        let name = module.function(index);
        locals(body, &name, findings)?;
        for (reason, Sighting { operator, offset, more }) in sightings(body)? {
            let place = format!("{name} at offset {offset:#x}");
            let more = if more == 0 { String::new() } else { format!(" (and {more} more like it)") };
            let what = format!("{}{more}", reason.what(&operator));
            if reason.is_feature() {
                findings.found_feature(place, what, reason.remedy());
            } else {
                findings.found(place, what, reason.remedy());
            }
        }
    }
    Ok(())
}

fn sightings(body: &FunctionBody<'_>) -> Result<BTreeMap<Reason, Sighting>> {
    let mut sightings: BTreeMap<Reason, Sighting> = BTreeMap::new();
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = operator?;
        let (proposal, name) = proposal_and_name(&operator);
        if let Some(reason) = judge(&operator, proposal, name) {
            sightings.entry(reason).and_modify(|sighting| sighting.more += 1).or_insert_with(|| Sighting {
                operator: written(name),
                offset,
                more: 0,
            });
        }
    }
    Ok(sightings)
}

/// Types with floats or vectors, each with a function that has it.
fn types(module: &Module<'_>, findings: &mut Findings) {
    let mut users = BTreeMap::new();
    for (index, kind) in (0..).zip(&module.functions) {
        users.entry(*kind).or_insert(index);
    }
    for (index, function) in (0..).zip(&module.types) {
        let Some(function) = function else { continue };
        let mut values = function.params().iter().chain(function.results());
        let Some(value) = values.find_map(|value| engine_dependent(*value)) else { continue };
        let user = users.get(&index).copied();
        let place = user.map_or_else(|| format!("type {index}"), |user| module.function(user));
        let what = format!("{value} in its type {}", boundary::function_type(function));
        findings.found_feature(place, what, "pass integers");
    }
}

fn locals(body: &FunctionBody<'_>, name: &str, findings: &mut Findings) -> Result<()> {
    for local in body.get_locals_reader()? {
        let (_, kind) = local?;
        if let Some(value) = engine_dependent(kind) {
            findings.found_feature(name, format!("{value} in a local of type {kind}"), "use integers");
            return Ok(());
        }
    }
    Ok(())
}

fn engine_dependent(value: ValType) -> Option<&'static str> {
    match value {
        ValType::F32 | ValType::F64 => Some("a float"),
        ValType::V128 => Some("a SIMD vector"),
        ValType::I32 | ValType::I64 | ValType::Ref(_) => None,
    }
}

/// Why an operator is refused, if it is. What is not known to be harmless is refused.
fn judge(operator: &Operator<'_>, proposal: &'static str, name: &'static str) -> Option<Reason> {
    let by_type = match operator {
        Operator::Block { blockty: BlockType::Type(kind) }
        | Operator::Loop { blockty: BlockType::Type(kind) }
        | Operator::If { blockty: BlockType::Type(kind) }
        | Operator::TypedSelect { ty: kind } => match kind {
            ValType::F32 | ValType::F64 => Some(Reason::Float),
            ValType::V128 => Some(Reason::Simd),
            _ => None,
        },
        _ => None,
    };
    by_type.or_else(|| match (proposal, operator) {
        (_, Operator::MemoryGrow { .. }) => Some(Reason::Grow),
        ("mvp", _) => (name.contains("f32") || name.contains("f64")).then_some(Reason::Float),
        ("sign_extension", _) => None,
        ("saturating_float_to_int", _) => Some(Reason::Float),
        ("bulk_memory", Operator::MemoryCopy { .. } | Operator::MemoryFill { .. }) => None,
        ("bulk_memory", Operator::MemoryInit { .. } | Operator::DataDrop { .. }) => Some(Reason::Segment),
        ("bulk_memory", _) => Some(Reason::Table),
        ("reference_types", Operator::TableFill { .. } | Operator::TableSet { .. } | Operator::TableGrow { .. }) => {
            Some(Reason::Table)
        }
        (
            "reference_types",
            Operator::TypedSelect { .. }
            | Operator::RefNull { .. }
            | Operator::RefIsNull
            | Operator::RefFunc { .. }
            | Operator::TableGet { .. }
            | Operator::TableSize { .. },
        ) => None,
        ("simd" | "relaxed_simd", _) => Some(Reason::Simd),
        ("threads" | "shared_everything_threads", _) => Some(Reason::Threads),
        (proposal, _) => Some(Reason::Proposal(proposal)),
    })
}

/// The proposal that an operator comes from, and its name as wasmparser's visitor has it.
fn proposal_and_name(operator: &Operator<'_>) -> (&'static str, &'static str) {
    macro_rules! table {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $type:ty),* })? => $visit:ident ($($_:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => (stringify!($proposal), stringify!($visit)),)*
                _ => ("unknown", "visit_unknown"),
            }
        };
    }
    wasmparser::for_each_operator!(table)
}

/// The name of an operator as wasm text has it: `visit_i32_atomic_rmw8_add_u` is `i32.atomic.rmw8.add_u`.
fn written(visitor: &str) -> String {
    const SPACES: &[&str] = &[
        "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "memory", "table",
        "elem", "data", "local", "global", "ref", "struct", "array", "atomic", "any", "extern", "i31", "cont",
    ];
    let name = visitor.strip_prefix("visit_").unwrap_or(visitor);
    if name == "typed_select" {
        return "select".to_owned();
    }
    let Some((space, rest)) = name.split_once('_') else { return name.to_owned() };
    if !SPACES.contains(&space) {
        return name.to_owned();
    }
    let Some(atomic) = rest.strip_prefix("atomic_") else { return format!("{space}.{rest}") };
    let rest = match atomic.split_once('_') {
        Some((width, change)) if width.starts_with("rmw") => format!("{width}.{change}"),
        _ => atomic.to_owned(),
    };
    format!("{space}.atomic.{rest}")
}
