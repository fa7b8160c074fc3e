//! Properties of a guest's own: what it claims of itself, told to the host, which judges them with its own.
//!
//! `always` and `unreachable` are violated the first time that they are not so. `sometimes` and `reachable` are counted over
//! a campaign, and one that never was so is reported; a guest [declares](declare) at its boot those that it may never get to.
//!
//! ```
//! # use raftbox_abi::{Imports, property};
//! fn apply<I: Imports>(imports: &mut I, index: u64, applied: u64) {
//!     property::always(imports, "entries are applied in order", index == applied + 1);
//!     property::sometimes(imports, "the log gets long", index > 10_000);
//! }
//! ```

use crate::guest::Imports;
use crate::note::{Body, Note, PropertyKind};

fn tell<I: Imports>(imports: &mut I, kind: PropertyKind, name: &str, value: bool) {
    let mut body = Vec::new();
    let note = Note { group: 0, body: Body::Property { kind, value, name: name.into() } };
    let kind = note.encode(&mut body);
    imports.note(kind, &body);
}

/// This holds each time that it is asked.
pub fn always<I: Imports>(imports: &mut I, name: &str, holds: bool) {
    tell(imports, PropertyKind::Always, name, holds);
}

/// This holds at least once in a campaign.
pub fn sometimes<I: Imports>(imports: &mut I, name: &str, holds: bool) {
    tell(imports, PropertyKind::Sometimes, name, holds);
}

/// The guest gets here at least once in a campaign.
pub fn reachable<I: Imports>(imports: &mut I, name: &str) {
    tell(imports, PropertyKind::Reachable, name, true);
}

/// The guest never gets here.
pub fn unreachable<I: Imports>(imports: &mut I, name: &str) {
    tell(imports, PropertyKind::Unreachable, name, true);
}

/// There is a place of that name, which is [`reachable`] or not. To be told at a boot, so that a campaign knows of it even if the
/// guest never gets there.
pub fn declare<I: Imports>(imports: &mut I, kind: PropertyKind, name: &str) {
    tell(imports, kind, name, kind == PropertyKind::Always);
}
