//! Puts functions that look alike next to each other, so that a module is packed smaller.
//!
//! gzip finds again what it has seen in the last 32 KiB. A generic function is compiled once for each type it is used
//! with, into bodies that differ in a few bytes; a linker lays them wherever, and most of them too far apart to be found.
//! Here the functions of a module are sorted by the name that they have without their types, and then by their bodies. That
//! takes about an eighth off the page, and nothing of what it does.
//!
//! | what | where |
//! |---|---|
//! | the new place of each function | [`places`] |
//! | the module with every use of a function renumbered | [`Ordering`], by wasm-encoder's reencoder |
//!
//! Left out: functions with the same body are not made one. They pack to almost nothing where they lie now.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, CustomSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, CustomSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload};

/// A module with its functions in the order in which they pack best, and without names.
///
/// # Errors
/// If these bytes are no module.
pub(crate) fn ordered(module: &[u8]) -> Result<Vec<u8>> {
    let mut ordering = places(module).context("the module's functions cannot be read")?;
    let mut written = Module::new();
    ordering.parse_core_module(&mut written, Parser::new(0), module).context("the module cannot be written anew")?;
    Ok(written.finish())
}

/// Where each function goes.
fn places(module: &[u8]) -> Result<Ordering> {
    let (mut imported, mut bodies, mut names) = (0, Vec::new(), BTreeMap::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::CustomSection(section) => families(&section, &mut names)?,
            _ => {}
        }
    }
    let mut order: Vec<usize> = (0..bodies.len()).collect();
    order.sort_by_key(|&old| (names.get(&(imported + u32::try_from(old).unwrap_or(u32::MAX))), bodies[old]));
    let mut place = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = imported + u32::try_from(new)?;
    }
    Ok(Ordering { imported, order, place })
}

/// The family of each function that a section of names names.
fn families(section: &CustomSectionReader<'_>, families: &mut BTreeMap<u32, String>) -> Result<()> {
    let KnownCustom::Name(subsections) = section.as_known() else { return Ok(()) };
    for subsection in subsections {
        let Name::Function(functions) = subsection? else { continue };
        for naming in functions {
            let naming = naming?;
            families.insert(naming.index, family(naming.name));
        }
    }
    Ok(())
}

/// A function's name without what is between angle brackets, and without the hash at its end: what all functions have in
/// common that come of one generic function.
fn family(name: &str) -> String {
    let (mut depth, mut last) = (0_u32, ' ');
    let mut family = String::new();
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            // The arrow of a function's type closes nothing.
            '>' if last != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => family.push(letter),
            _ => {}
        }
        last = letter;
    }
    let hash = family.rfind("::h").filter(|at| family.len() - at == 19);
    family.truncate(hash.unwrap_or(family.len()));
    family
}

/// Writes a module with its functions in another order.
struct Ordering {
    /// How many functions are imported. They come first, and stay.
    imported: u32,
    /// Which of the module's own functions comes first, second, and so on.
    order: Vec<usize>,
    /// The new number of each.
    place: Vec<u32>,
}

impl Reencode for Ordering {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let own = function.checked_sub(self.imported).and_then(|own| self.place.get(own as usize));
        Ok(own.copied().unwrap_or(function))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for old in &self.order {
            functions.function(types[*old]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for old in self.order.clone() {
            utils::parse_function_body(self, code, bodies[old].clone())?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        if section.name() != "name" {
            module.section(&CustomSection { name: section.name().into(), data: section.data().into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::Operator;

    /// What the functions of a module return, each being one constant, and which of them are exported, started from a table
    /// and called.
    fn read(module: &[u8]) -> (Vec<i32>, Vec<(String, u32)>, Vec<u32>) {
        let (mut constants, mut exports, mut elements) = (Vec::new(), Vec::new(), Vec::new());
        wasmparser::validate(module).unwrap();
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::CodeSectionEntry(body) => match body.get_operators_reader().unwrap().read().unwrap() {
                    Operator::I32Const { value } => constants.push(value),
                    Operator::Call { function_index } => constants.push(-i32::try_from(function_index).unwrap()),
                    other => panic!("{other:?}"),
                },
                Payload::ExportSection(section) => {
                    exports.extend(section.into_iter().map(|export| {
                        let export = export.unwrap();
                        (export.name.to_owned(), export.index)
                    }));
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let wasmparser::ElementItems::Functions(functions) = element.unwrap().items else { panic!() };
                        elements.extend(functions.into_iter().map(Result::unwrap));
                    }
                }
                Payload::CustomSection(section) => assert_ne!(section.name(), "name"),
                _ => {}
            }
        }
        (constants, exports, elements)
    }

    #[test]
    fn what_looks_alike_lies_together_and_everything_finds_it() {
        let module = r#"(module
            (import "a" "b" (func (result i32)))
            (table funcref (elem $"push<u64>::h0123456789abcdef" $"pop<u8>"))
            (func $"push<u64>::h0123456789abcdef" (export "third") (result i32) i32.const 3)
            (func $"pop<u8>" (result i32) i32.const 1)
            (func $"push<u8>::habcdefabcdefabcd" (export "second") (result i32) i32.const 2)
            (func $zero (export "caller") (result i32) call $"pop<u8>"))"#;
        let (constants, exports, elements) = read(&ordered(&wat::parse_str(module).unwrap()).unwrap());
        assert_eq!(constants, [1, 2, 3, -1], "the imported function stays number 0");
        let exported = [("third", 3), ("second", 2), ("caller", 4)].map(|(name, index)| (name.to_owned(), index));
        assert_eq!(exports, exported);
        assert_eq!(elements, [3, 1]);
    }

    #[test]
    fn a_family_is_a_name_without_types() {
        assert_eq!(family("alloc::vec::Vec<T,A>::push::h0123456789abcdef"), "alloc::vec::Vec::push");
        assert_eq!(family("<F as core::ops::FnOnce<()->u8>>::call"), "::call");
        assert_eq!(family("main"), "main");
    }

    #[test]
    fn what_is_no_module_is_told() {
        assert!(ordered(b"no module").is_err());
    }
}
