//! The guest: the built-in one or another, admitted by the gate and compiled.

use super::{Problem, Surroundings, code, wrong};
use crate::engine::wasmtime::{Compiled, Options, Wasmtime};
use crate::engine::{Engine as _, Node as _};
use crate::gate;
use crate::plan::sha256;
use crate::world::turn::Turn;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// How long a turn of a foreign guest may take, in wall time.
const TURN_MAX: Duration = Duration::from_secs(10);

/// What a node is made of.
pub(super) struct Guest {
    bytes: Vec<u8>,
    /// The file that it came from, if somebody else made it.
    file: Option<PathBuf>,
    pub(super) sha256: String,
}

impl Guest {
    /// The guest of that file, or the built-in one.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, Problem> {
        let bytes = match file {
            Some(file) => super::files::read(file, "guest")?,
            None => raftbox_guest_bytes::BYTES.to_vec(),
        };
        Ok(Self { sha256: sha256(&bytes), file: file.map(Path::to_owned), bytes })
    }

    /// The engine for it, with this much memory for each node.
    pub(super) fn engine(&self, arena: u64, surroundings: &Surroundings) -> Result<Rc<Wasmtime<Turn>>, Problem> {
        Ok(Rc::new(Wasmtime::new(&self.compiled(arena, surroundings)?)?))
    }

    /// The built-in guest, where this is another: what it is compared with.
    pub(super) fn reference(
        &self,
        arena: u64,
        surroundings: &Surroundings,
    ) -> Result<Option<Rc<Wasmtime<Turn>>>, Problem> {
        let other = self.file.as_ref().map(|_| Self::read(None)?.engine(arena, surroundings));
        other.transpose()
    }

    /// Its bytes, if somebody else made it.
    pub(super) fn foreign(&self) -> Option<&[u8]> {
        self.file.as_ref().map(|_| self.bytes.as_slice())
    }

    /// It, compiled, with this much memory for each node.
    pub(super) fn compiled(&self, arena: u64, surroundings: &Surroundings) -> Result<Compiled, Problem> {
        let admitted = gate::admit(&self.bytes, Some(arena)).map_err(|refusal| match &self.file {
            Some(file) => wrong(format!("{}: {refusal}", file.display())),
            None => wrong(refusal.to_string()),
        })?;
        let watchdog = self.file.as_ref().map(|_| TURN_MAX);
        Ok(Compiled::new(vec![admitted], &Options { cache: surroundings.cache.clone(), watchdog })?)
    }
}

/// What puts datagrams into words: a node that is kept for this.
pub(super) fn describer(engine: &Wasmtime<Turn>) -> Result<impl FnMut(&[u8]) -> Option<String> + use<>, Problem> {
    let mut node = engine.node(0)?;
    Ok(move |datagram: &[u8]| node.describe(datagram))
}

/// Says whether a module may run.
pub(super) fn lint(file: &Path, out: &mut dyn Write) -> Result<u8, Problem> {
    let bytes = super::files::read(file, "guest")?;
    let admitted = gate::admit(&bytes, None).map_err(|refusal| wrong(format!("{}: {refusal}", file.display())))?;
    writeln!(out, "{} may run as a guest", file.display())?;
    writeln!(out, "sha256     {}", sha256(&bytes))?;
    writeln!(out, "{admitted}")?;
    Ok(code::WELL)
}
