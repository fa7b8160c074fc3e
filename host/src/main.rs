//! The `raftbox` command. All of it is in [`raftbox::cli`], so that tests run it in their own process.

use raftbox::cli::{Surroundings, main_with};
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = BufWriter::with_capacity(1 << 16, anstream::AutoStream::auto(std::io::stdout().lock()));
    let mut err = anstream::AutoStream::auto(std::io::stderr().lock());
    let code = main_with(std::env::args_os(), &Surroundings::of_this_process(), &mut out, &mut err);
    // Whoever read our output may be gone, and that is their right.
    drop(out.flush());
    ExitCode::from(code)
}
