//! raftbox
fn main() {}
