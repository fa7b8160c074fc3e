//! The integration tests of raftbox are the `[[test]]` targets of this package.
