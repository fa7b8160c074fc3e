//! Links: read and written here, since a link says of a scenario only what is not in a profile, and profiles are TOML.
//!
//! The page hands over and takes plans as run files.

use raftbox::link::Link;
use raftbox::plan::Header;
use raftbox::runfile::RunFile;
use raftbox::trace::{Digest, Keep, Trace};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// What a link leads to.
#[wasm_bindgen]
pub struct Linked {
    link: Link,
    guest: String,
}

#[wasm_bindgen]
impl Linked {
    /// Reads a link, for a page whose guest has that hash.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str, guest: String) -> Result<Linked, JsError> {
        let link = Link::decode(text)?;
        // A guest that the scenario names comes with the page, and the digest tells whether it is the same one.
        let is_usual = link.plan.scenario.guests().first().is_none_or(Option::is_none);
        if is_usual && !link.is_by(&guest) {
            return Err(JsError::new(
                "this link is of a run of another guest than the one here, which would make another run of it; open that guest first",
            ));
        }
        Ok(Self { link, guest })
    }

    /// Its plan, as a run file.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        let header = Header::new(self.link.plan.clone(), self.guest.clone());
        let trace = Trace::new(&header.bytes(), Keep::Nothing);
        RunFile::of(header, &trace).write()
    }

    /// How many events had happened in what it shows.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.link.cursor.map_or(0, |event| event.saturating_add(1))
    }

    /// The first digits of the digest that the run had; empty if it was not run to its end.
    #[must_use]
    pub fn digest(&self) -> String {
        let digest = self.link.digest.map(u64::from_be_bytes);
        digest.map_or_else(String::new, |digest| format!("{digest:016x}"))
    }
}

/// The link to a plan, given as a run file, when so many events had happened; with the digest, in hex, if that is known.
///
/// # Errors
/// If the file is none.
#[wasm_bindgen]
pub fn share(file: &[u8], events: u64, digest: &str) -> Result<String, JsError> {
    let header = RunFile::read(file)?.head.header;
    let guest = header.guests.first().cloned().unwrap_or_default();
    let link = Link { cursor: events.checked_sub(1), ..Link::new(header.plan, &guest) };
    let link = match digest.parse::<Digest>() {
        Ok(digest) => link.with_digest(digest),
        Err(_) => link,
    };
    Ok(link.encode())
}
