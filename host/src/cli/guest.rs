//! Guests: the built-in one, somebody's, or broken ones that a scenario names; admitted by the gate and compiled.

use super::{Problem, Surroundings, code, files, wrong};
use crate::engine::wasmtime::{Compiled, Options, Wasmtime};
use crate::engine::{Engine as _, Node as _};
use crate::gate;
use crate::plan::sha256;
use crate::scenario::Scenario;
use crate::world::turn::Turn;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long a turn of a foreign guest may take, in wall time.
const TURN_MAX: Duration = Duration::from_secs(10);

/// What nodes are made of: a guest, or several of which each runs some of them.
pub(super) struct Guests(Vec<Guest>);

struct Guest {
    bytes: Vec<u8>,
    /// Where it came from, if it is not the built-in one: a file, or a name.
    from: Option<String>,
    /// By what name the scenario has it, if it is a broken node.
    name: Option<String>,
    sha256: String,
}

impl Guest {
    fn built_in() -> Self {
        Self::new(raftbox_guest_bytes::BYTES.to_vec(), None)
    }

    fn new(bytes: Vec<u8>, from: Option<String>) -> Self {
        Self { sha256: sha256(&bytes), from, name: None, bytes }
    }
}

impl Guests {
    /// Those that a scenario names, in its order: the usual one is that of the file, or the built-in one; broken nodes are
    /// built.
    pub(super) fn read(scenario: &Scenario, file: Option<&Path>, surroundings: &Surroundings) -> Result<Self, Problem> {
        let named = scenario.guests();
        let names: Vec<&str> = named.iter().copied().flatten().collect();
        let mut broken = if names.is_empty() { BTreeMap::new() } else { broken(&names, surroundings)? };
        let guest = |name: &Option<&str>| match (name, file) {
            (Some(name), _) => {
                let bytes = broken.remove(*name).unwrap_or_default();
                let guest = Guest::new(bytes, Some(format!("the broken node {name}")));
                Ok(Guest { name: Some((*name).to_owned()), ..guest })
            }
            (None, Some(file)) => Ok(Guest::new(files::read(file, "guest")?, Some(file.display().to_string()))),
            (None, None) => Ok(Guest::built_in()),
        };
        named.iter().map(guest).collect::<Result<_, Problem>>().map(Self)
    }

    /// The SHA-256 of each.
    pub(super) fn sha256(&self) -> Vec<String> {
        self.0.iter().map(|guest| guest.sha256.clone()).collect()
    }

    /// Where each came from, in words.
    pub(super) fn origins(&self) -> String {
        let origin = |guest: &Guest| guest.from.clone().unwrap_or_else(|| "the built-in guest".into());
        self.0.iter().map(origin).collect::<Vec<_>>().join(", ")
    }

    /// The engine for them, with this much memory for each node.
    pub(super) fn engine(&self, arena: u64, surroundings: &Surroundings) -> Result<Rc<Wasmtime<Turn>>, Problem> {
        Ok(Rc::new(Wasmtime::new(&self.compiled(arena, surroundings)?)?))
    }

    /// The built-in guest in place of each, where any is another: what they are compared with.
    pub(super) fn reference(
        &self,
        arena: u64,
        surroundings: &Surroundings,
    ) -> Result<Option<Rc<Wasmtime<Turn>>>, Problem> {
        if self.0.iter().all(|guest| guest.from.is_none()) {
            return Ok(None);
        }
        Self(self.0.iter().map(|_| Guest::built_in()).collect()).engine(arena, surroundings).map(Some)
    }

    /// Those that are not built in: the name by which the scenario has each, if it has one, and its bytes.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (Option<&str>, &[u8])> {
        let foreign = self.0.iter().filter(|guest| guest.from.is_some());
        foreign.map(|guest| (guest.name.as_deref(), guest.bytes.as_slice()))
    }

    /// Them, compiled, with this much memory for each node.
    pub(super) fn compiled(&self, arena: u64, surroundings: &Surroundings) -> Result<Compiled, Problem> {
        let admit = |guest: &Guest| {
            gate::admit(&guest.bytes, Some(arena)).map_err(|refusal| match &guest.from {
                Some(from) => wrong(format!("{from}: {refusal}")),
                None => wrong(refusal.to_string()),
            })
        };
        let watchdog = self.0.iter().any(|guest| guest.from.is_some()).then_some(TURN_MAX);
        let admitted = self.0.iter().map(admit).collect::<Result<_, Problem>>()?;
        Ok(Compiled::new(admitted, &Options { cache: surroundings.cache.clone(), watchdog })?)
    }
}

/// Builds broken nodes, where that was not done before.
fn broken(names: &[&str], surroundings: &Surroundings) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    let Some(checkout) = &surroundings.checkout else {
        return Err(wrong(format!(
            "{} is a broken node, which is built in a checkout of raftbox, and there is none here; go to one first",
            names.join(", ")
        )));
    };
    let built = raftbox_mutants::all(checkout).and_then(|all| raftbox_mutants::build(checkout, &all, Some(names)));
    built.map_err(wrong)
}

/// What puts datagrams into words: a node that is kept for this.
pub(super) fn describer(engine: &Wasmtime<Turn>) -> Result<impl FnMut(&[u8]) -> Option<String> + use<>, Problem> {
    let mut node = engine.node(0)?;
    Ok(move |datagram: &[u8]| node.describe(datagram))
}

/// Says whether a module may run.
pub(super) fn lint(file: &Path, out: &mut dyn Write) -> Result<u8, Problem> {
    let bytes = files::read(file, "guest")?;
    let admitted = gate::admit(&bytes, None).map_err(|refusal| wrong(format!("{}: {refusal}", file.display())))?;
    writeln!(out, "{} may run as a guest", file.display())?;
    writeln!(out, "sha256     {}", sha256(&bytes))?;
    writeln!(out, "{admitted}")?;
    Ok(code::WELL)
}
