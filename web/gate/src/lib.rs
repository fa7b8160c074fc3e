//! What few need of the page, as a module of its own that is loaded when somebody does: the module gate, which is as large as
//! all the rest, and `link`, for which TOML is read and written.
//!
//! The built-in guest was proved when it was built; a guest that somebody brings to the page is proved here before it runs,
//! as the command does, and refused with the same words.

#[path = "../../src/guest.rs"]
pub mod guest;
pub mod metered;

#[cfg(target_arch = "wasm32")]
pub mod link;

use guest::Admitted;
use raftbox::gate;

/// Proves that a module may run as a guest, with so much memory, and returns it as the page's `Run` takes it: one that ends
/// each turn.
///
/// # Errors
/// All that keeps it out.
///
/// # Panics
/// Never: what is admitted can be read.
pub fn prove(guest: &[u8], arena: u64) -> Result<Vec<u8>, gate::Refusal> {
    let admitted = Admitted::of(guest, gate::admit(guest, Some(arena))?);
    let bytes = metered::metered(&admitted.bytes).expect("an admitted module can be walked");
    Ok(Admitted { bytes, ..admitted }.write())
}

/// The same for the page's script.
#[cfg(target_arch = "wasm32")]
pub mod export {
    use wasm_bindgen::JsError;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Proves that a module may run as a guest.
    ///
    /// # Errors
    /// All that keeps it out.
    #[wasm_bindgen]
    pub fn admit(guest: &[u8], arena: u64) -> Result<Vec<u8>, JsError> {
        Ok(super::prove(guest, arena)?)
    }
}
