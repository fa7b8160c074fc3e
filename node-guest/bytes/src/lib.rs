//! The bytes of the raftbox guest: the package `raftbox-node`, built for `wasm32-unknown-unknown`.
//!
//! This crate's build script runs a cargo of its own and does nothing else; the same sources give the same bytes
//! wherever they lie. Host, page, tests and benches embed them from here, so that there is one guest.

/// The module. Its imports and exports are those of `raftbox_abi::boundary`.
pub const BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

#[cfg(test)]
mod tests {
    #[test]
    fn the_bytes_are_a_wasm_module() {
        assert_eq!(super::BYTES[..8], *b"\0asm\x01\0\0\0");
    }
}
