//! `cargo web`: builds the page into `web/dist`, and tells how large it is.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = raftbox_web_bundler::build().and_then(|files| {
        write!(std::io::stdout().lock(), "{}", raftbox_web_bundler::table(&files))?;
        raftbox_web_bundler::check_budget(&files)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
