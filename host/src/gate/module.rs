//! The sections of a module, read into tables that the judges look things up in. Nothing is judged here.

use super::refusal::quoted;
use std::collections::BTreeMap;
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, Export, ExternalKind, FuncType, FunctionBody,
    Import, KnownCustom, MemoryType, Name, NameMap, Operator, Parser, Payload, RecGroup, Result, TableType, TypeRef,
    ValType, WasmFeatures,
};

/// A module, taken apart. An index space begins with what is imported, so each has a count of that.
#[derive(Default)]
pub(super) struct Module<'a> {
    /// The types by index; none where one is not a function's.
    pub(super) types: Vec<Option<FuncType>>,
    pub(super) imports: Vec<Import<'a>>,
    /// The type index of each function, imported ones first.
    pub(super) functions: Vec<u32>,
    pub(super) imported_functions: u32,
    /// The tables that the module defines.
    pub(super) tables: Vec<TableType>,
    pub(super) imported_tables: u32,
    /// The memories that the module defines.
    pub(super) memories: Vec<MemoryType>,
    pub(super) imported_memories: u32,
    /// The globals that the module defines.
    pub(super) globals: Vec<GlobalVariable>,
    pub(super) imported_globals: u32,
    pub(super) exports: Vec<Export<'a>>,
    pub(super) start: Option<u32>,
    /// The active segments of tables and memory.
    pub(super) elements: Vec<Segment>,
    pub(super) data: Vec<Segment>,
    /// The functions that the module defines.
    pub(super) bodies: Vec<FunctionBody<'a>>,
    function_names: BTreeMap<u32, &'a str>,
    global_names: BTreeMap<u32, &'a str>,
    exported_functions: BTreeMap<u32, &'a str>,
    exported_globals: BTreeMap<u32, &'a str>,
}

/// A global that the module defines.
pub(super) struct GlobalVariable {
    pub(super) kind: ValType,
    pub(super) mutable: bool,
    /// Its initial value, if that is a 32-bit constant.
    pub(super) value: Option<u32>,
}

/// An active segment: where it goes, and how long it is, in bytes or elements.
pub(super) struct Segment {
    /// The index of the memory or table.
    pub(super) target: u32,
    /// Where it begins, if that is a 32-bit constant.
    pub(super) offset: Option<u32>,
    pub(super) len: u64,
}

impl Segment {
    /// Where it ends.
    pub(super) fn end(&self) -> Option<u64> {
        self.offset.map(|offset| u64::from(offset).saturating_add(self.len))
    }
}

impl<'a> Module<'a> {
    /// Reads a module that was validated with the same features.
    pub(super) fn read(bytes: &'a [u8], features: WasmFeatures) -> Result<Self> {
        let mut module = Module::default();
        let mut parser = Parser::new(0);
        parser.set_features(features);
        for payload in parser.parse_all(bytes) {
            module.section(payload?)?;
        }
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    self.types.extend(function_types(&group?));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import(import?);
                }
            }
            Payload::FunctionSection(types) => {
                for index in types {
                    self.functions.push(index?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    self.globals.push(GlobalVariable {
                        kind: global.ty.content_type,
                        mutable: global.ty.mutable,
                        value: constant(&global.init_expr),
                    });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.export(export?);
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    // Names help to read a message; a damaged name section is no reason to refuse.
                    names.into_iter().map_while(Result::ok).for_each(|name| self.names(name));
                }
            }
            payload => self.segments(payload)?,
        }
        Ok(())
    }

    fn segments(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    let len = match &element.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    if let ElementKind::Active { table_index, offset_expr } = &element.kind {
                        self.elements.push(Segment {
                            target: table_index.unwrap_or(0),
                            offset: constant(offset_expr),
                            len: u64::from(len),
                        });
                    }
                }
            }
            Payload::DataSection(data) => {
                for data in data {
                    let data = data?;
                    if let DataKind::Active { memory_index, offset_expr } = &data.kind {
                        self.data.push(Segment {
                            target: *memory_index,
                            offset: constant(offset_expr),
                            len: data.data.len() as u64,
                        });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: Import<'a>) {
        match import.ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.functions.push(index);
                self.imported_functions += 1;
            }
            TypeRef::Table(_) => self.imported_tables += 1,
            TypeRef::Memory(_) => self.imported_memories += 1,
            TypeRef::Global(_) => self.imported_globals += 1,
            TypeRef::Tag(_) => {}
        }
        self.imports.push(import);
    }

    fn export(&mut self, export: Export<'a>) {
        let names = match export.kind {
            ExternalKind::Func => Some(&mut self.exported_functions),
            ExternalKind::Global => Some(&mut self.exported_globals),
            _ => None,
        };
        if let Some(names) = names {
            names.entry(export.index).or_insert(export.name);
        }
        self.exports.push(export);
    }

    fn names(&mut self, name: Name<'a>) {
        let collect =
            |names: NameMap<'a>| names.into_iter().map_while(Result::ok).map(|naming| (naming.index, naming.name));
        match name {
            Name::Function(names) => self.function_names.extend(collect(names)),
            Name::Global(names) => self.global_names.extend(collect(names)),
            _ => {}
        }
    }

    /// The type of a function.
    pub(super) fn function_type(&self, function: u32) -> Option<&FuncType> {
        let index = *self.functions.get(function as usize)?;
        self.types.get(index as usize)?.as_ref()
    }

    /// The first name under which a global is exported.
    pub(super) fn global_export(&self, index: u32) -> Option<&'a str> {
        self.exported_globals.get(&index).copied()
    }

    /// How a function is called in a message: by its name, the name of its export, or its index alone.
    pub(super) fn function(&self, index: u32) -> String {
        match self.function_names.get(&index).or_else(|| self.exported_functions.get(&index)) {
            Some(name) => format!("function {index} {}", quoted(name)),
            None => format!("function {index}"),
        }
    }

    /// How a global is called in a message.
    pub(super) fn global(&self, index: u32) -> String {
        match self.global_names.get(&index).or_else(|| self.exported_globals.get(&index)) {
            Some(name) => format!("global {index} {}", quoted(name)),
            None => format!("global {index}"),
        }
    }

    /// The initial value of the global that is exported under a name, if that is a 32-bit constant.
    pub(super) fn exported_value(&self, name: &str) -> Option<u32> {
        let export = self.exports.iter().find(|export| export.name == name && export.kind == ExternalKind::Global)?;
        let defined = export.index.checked_sub(self.imported_globals)?;
        self.globals.get(defined as usize)?.value
    }
}

fn function_types(group: &RecGroup) -> impl Iterator<Item = Option<FuncType>> + '_ {
    group.types().map(|kind| match &kind.composite_type.inner {
        CompositeInnerType::Func(function) => Some(function.clone()),
        _ => None,
    })
}

/// The value of an expression that is one 32-bit constant, as are all those that a compiler writes for a module which
/// imports no global.
fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    let mut operators = expression.get_operators_reader();
    let Ok(Operator::I32Const { value }) = operators.read() else { return None };
    matches!(operators.read(), Ok(Operator::End)).then_some(value.cast_unsigned())
}
