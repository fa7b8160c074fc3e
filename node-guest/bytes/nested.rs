//! A cargo within cargo: its environment says nothing of how the outer build is set.
//!
//! The guest's build script and the page's bundler both run one, and share this file.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

/// What the outer build says to cargo and rustc that is no business of the guest's.
const REMOVED: [&str; 12] = [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "RUSTC_BOOTSTRAP",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
];

/// Of the variables that start with `CARGO_`, those that stay: where cargo keeps and gets its packages, how many jobs
/// run at once, and how it prints. All others tell how to build, which is what must not get through.
const KEPT: [&str; 8] = [
    "CARGO_HOME",
    "CARGO_MAKEFLAGS",
    "CARGO_BUILD_JOBS",
    "CARGO_NET_",
    "CARGO_HTTP_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

/// That cargo, without what the outer build put into its environment.
pub(crate) fn nested_cargo(cargo: &OsStr) -> Command {
    let mut cargo = Command::new(cargo);
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let kept = KEPT.iter().any(|kept| name.starts_with(kept));
        if name.starts_with("CARGO") && !kept || REMOVED.contains(&name) {
            cargo.env_remove(name);
        }
    }
    cargo
}
