//! Imports and exports of a module, against the lists of the boundary.

use super::module::Module;
use super::refusal::{Findings, quoted};
use raftbox_abi::boundary::{EXPORTS, Function, IMPORTS, MODULE, OPTIONAL_EXPORTS, Type};
use wasmparser::{Export, ExternalKind, FuncType, Import, TypeRef, ValType};

/// Judges the imports, and lists those that are used, in the order of the boundary.
pub(super) fn imports(module: &Module<'_>, findings: &mut Findings) -> Vec<&'static str> {
    for import in &module.imports {
        one_import(module, import, findings);
    }
    let used = |name: &str| module.imports.iter().any(|import| import.name == name);
    IMPORTS.iter().map(|import| import.name).filter(|name| used(name)).collect()
}

fn one_import(module: &Module<'_>, import: &Import<'_>, findings: &mut Findings) {
    let place = format!("import {}", quoted(&format!("{}.{}", import.module, import.name)));
    let TypeRef::Func(index) = import.ty else {
        let (what, remedy) = match import.ty {
            TypeRef::Memory(_) => ("memory", "define it in the module: link without --import-memory"),
            TypeRef::Table(_) => ("table", "define it in the module: link without --import-table"),
            TypeRef::Global(_) => ("global", "define it in the module: link it as a whole, not as a part"),
            TypeRef::Tag(_) => ("tag", "build without exceptions"),
            TypeRef::Func(_) | TypeRef::FuncExact(_) => ("function of an exact type", "import it plainly"),
        };
        return findings.found(place, format!("a {what}, and only functions are served"), remedy);
    };
    if import.module != MODULE {
        let what = format!("not of the module `{MODULE}`, and nothing else is served");
        return findings.found(place, what, foreign(import));
    }
    let Some(meant) = IMPORTS.iter().find(|known| known.name == import.name) else {
        let remedy = match near(import.name, IMPORTS.iter().map(|known| known.name)) {
            Some(name) => format!("is `{name}` meant?"),
            None => format!("there are {}", names(IMPORTS)),
        };
        return findings.found(place, "unknown", remedy);
    };
    let has = module.types.get(index as usize).and_then(Option::as_ref);
    if !has.is_some_and(|has| matches(has, meant)) {
        findings.found(
            place,
            format!("of type {}, and it is served as {}", shown(has), signature(meant)),
            "correct its declaration, or build against the same version of raftbox-abi",
        );
    }
}

/// What to do about an import of another module: the usual ones come from a known mistake each.
fn foreign(import: &Import<'_>) -> String {
    let known = IMPORTS.iter().any(|known| known.name == import.name);
    if known {
        format!("name the module: #[link(wasm_import_module = \"{MODULE}\")]")
    } else if import.module.starts_with("wasi") {
        "a guest has no operating system: build for wasm32-unknown-unknown".to_owned()
    } else if import.module.starts_with("__wbindgen") || import.module == "wbg" {
        "a guest has no JavaScript: leave out the crate that brings wasm-bindgen (often getrandom)".to_owned()
    } else if import.module == "env" {
        "a symbol that was not found at link time: define it, or do without".to_owned()
    } else {
        format!("a guest has only what `{MODULE}` gives it: do without")
    }
}

/// Judges the exports, and lists the optional ones that are there.
pub(super) fn exports(module: &Module<'_>, findings: &mut Findings) -> Vec<&'static str> {
    for meant in EXPORTS {
        match module.exports.iter().find(|export| export.name == meant.name) {
            Some(export) => one_export(module, export, meant, findings),
            None => missing(module, meant, findings),
        }
    }
    let mut optional = Vec::new();
    for meant in OPTIONAL_EXPORTS {
        if let Some(export) = module.exports.iter().find(|export| export.name == meant.name) {
            one_export(module, export, meant, findings);
            optional.push(meant.name);
        }
    }
    optional
}

fn one_export(module: &Module<'_>, export: &Export<'_>, meant: &Function, findings: &mut Findings) {
    let place = format!("export `{}`", meant.name);
    if export.kind != ExternalKind::Func {
        let what = format!("a {}, not a function", kind_name(export.kind));
        return findings.found(place, what, format!("export a function {}", signature(meant)));
    }
    let has = module.function_type(export.index);
    if !has.is_some_and(|has| matches(has, meant)) {
        findings.found(
            place,
            format!("of type {}, and it is called as {}", shown(has), signature(meant)),
            "correct its signature, or build against the same version of raftbox-abi",
        );
    } else if export.index < module.imported_functions {
        // An engine may call an import without an instance around it, or not: nothing to rely on.
        findings.found(place, "an import that is passed on", "export a function of the module's own");
    }
}

fn missing(module: &Module<'_>, meant: &Function, findings: &mut Findings) {
    let others = module.exports.iter().map(|export| export.name).filter(|name| {
        let listed = |list: &[Function]| list.iter().any(|known| known.name == *name);
        !listed(EXPORTS) && !listed(OPTIONAL_EXPORTS)
    });
    let remedy = match near(meant.name, others) {
        Some(name) => format!("is {} meant for it?", quoted(name)),
        None => {
            format!("export a function {} (in Rust: raftbox_abi::export_node!)", signature(meant))
        }
    };
    findings.found(format!("export `{}`", meant.name), "missing", remedy);
}

fn kind_name(kind: ExternalKind) -> &'static str {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => "function",
        ExternalKind::Table => "table",
        ExternalKind::Memory => "memory",
        ExternalKind::Global => "global",
        ExternalKind::Tag => "tag",
    }
}

fn matches(has: &FuncType, meant: &Function) -> bool {
    let same = |has: &[ValType], meant: &[Type]| {
        has.len() == meant.len() && has.iter().zip(meant).all(|(has, meant)| *has == value(*meant))
    };
    same(has.params(), meant.parameters) && same(has.results(), meant.result.as_slice())
}

fn value(kind: Type) -> ValType {
    match kind {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
    }
}

/// A type as wasm writes it.
pub(super) fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::I32 => "i32",
        Type::I64 => "i64",
    }
}

fn signature(function: &Function) -> String {
    let values = |types: &[Type]| types.iter().map(|kind| value(*kind)).collect::<Vec<_>>();
    arrow(&values(function.parameters), &values(function.result.as_slice()))
}

fn shown(function: Option<&FuncType>) -> String {
    function.map_or_else(|| "unknown".to_owned(), function_type)
}

/// The type of a function, as in `(i32, i64) -> i32`.
pub(super) fn function_type(function: &FuncType) -> String {
    arrow(function.params(), function.results())
}

fn arrow(parameters: &[ValType], results: &[ValType]) -> String {
    // A hostile type has a thousand parameters; the first few tell it apart.
    let list = |types: &[ValType]| {
        let mut shown: Vec<String> = types.iter().take(8).map(ToString::to_string).collect();
        if types.len() > 8 {
            shown.push("...".to_owned());
        }
        shown.join(", ")
    };
    match results {
        [result] => format!("({}) -> {result}", list(parameters)),
        results => format!("({}) -> ({})", list(parameters), list(results)),
    }
}

fn names(functions: &[Function]) -> String {
    functions.iter().map(|function| function.name).collect::<Vec<_>>().join(", ")
}

/// The candidate that a name most likely stands for: the closest, if it is close enough to be a slip.
fn near<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.replace('-', "_").to_ascii_lowercase();
    let name = plain(name);
    candidates
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 2)
        .map(|candidate| (distance(name.as_bytes(), plain(candidate).as_bytes()), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && distance * 2 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many bytes must be put in, left out, replaced, or swapped with their neighbour to make one name of the other.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &a) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &b) in right.iter().enumerate() {
            let mut least = (last[column] + usize::from(a != b)).min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && a == right[column - 1] && left[row - 1] == b {
                least = least.min(before_last[column - 1] + 1);
            }
            next.push(least);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last[right.len()]
}
