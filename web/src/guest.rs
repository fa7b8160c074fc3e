//! A guest that the gate has admitted: what the engine has to know of it.
//!
//! Two modules share this file: the page's, and the one that has the gate and hands a guest over.

use raftbox::gate;
use raftbox::plan::sha256;
use serde::{Deserialize, Serialize};

/// A guest that may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// The SHA-256 of the module as it was brought, in hex.
    pub sha256: String,
    /// The names of its mutable globals.
    pub globals: Vec<String>,
    /// Whether it exports `inspect`.
    pub has_inspect: bool,
    /// Whether it exports `describe`.
    pub has_describe: bool,
    /// The module, with its memory as large as asked.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl Admitted {
    /// What the gate said of a guest.
    #[must_use]
    pub fn of(guest: &[u8], admitted: gate::Admitted) -> Self {
        Self {
            sha256: sha256(guest),
            globals: admitted.globals.into_iter().map(|global| global.name).collect(),
            has_inspect: admitted.has_inspect,
            has_describe: admitted.has_describe,
            bytes: admitted.bytes,
        }
    }

    /// All of it as bytes: a line of JSON, and the module.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("every field has a JSON form");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    /// Reads what [`Admitted::write`] wrote; `None` if that is not what these bytes are.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Self = serde_json::from_slice(&bytes[..end]).ok()?;
        Some(Self { bytes: bytes[end + 1..].to_vec(), ..head })
    }
}
