//! The benchmarks of raftbox are the `[[bench]]` targets of this package.
