//! What the benchmarks share; the benchmarks themselves are the `[[bench]]` targets of this package.

pub use raftbox_tests::load;

/// The memory of each guest under the load, in bytes: enough for some seconds of it, since nothing is compacted yet.
pub const ARENA: u64 = 16 << 20;
