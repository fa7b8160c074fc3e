//! The flags by which guests are built: with them a guest's bytes depend on its sources and the compiler alone, and not on
//! where either lies.
//!
//! The guest's build script and what builds broken nodes share this file.

use super::link::LINK_ARGS;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The flags of the nested build, in cargo's encoding. Given this way they also take the place of any in a
/// configuration file.
pub(crate) fn flags(workspace: &Path, rustc: &Rustc) -> OsString {
    let mut flags = OsString::new();
    let mut flag = |flag: &dyn AsRef<OsStr>| {
        if !flags.is_empty() {
            flags.push("\x1f");
        }
        flags.push(flag);
    };
    // Panic messages carry paths. The last mapping that fits wins, so the general ones come first.
    let mut remap = |from: &Path, to: &str| {
        let mut mapping = OsString::from("--remap-path-prefix=");
        mapping.push(from);
        mapping.push("=");
        mapping.push(to);
        flag(&mapping);
    };
    remap(&cargo_home(), "/cargo");
    remap(&rustc.sysroot, "/rust");
    remap(&rustc.sysroot.join("lib/rustlib/src/rust"), &format!("/rustc/{}", rustc.commit));
    remap(workspace, "/raftbox");
    for argument in LINK_ARGS {
        flag(&format!("-Clink-arg={argument}"));
    }
    flags
}

fn cargo_home() -> PathBuf {
    match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().unwrap_or_default().join(".cargo"),
    }
}

/// The compiler of guests.
pub(crate) struct Rustc {
    pub(crate) sysroot: PathBuf,
    commit: String,
}

impl Rustc {
    /// Asks a compiler about itself.
    pub(crate) fn new(rustc: &OsStr) -> Result<Self, String> {
        let ask = |arguments: &[&str]| match Command::new(rustc).args(arguments).output() {
            Ok(answer) if answer.status.success() => Ok(String::from_utf8_lossy(&answer.stdout).into_owned()),
            _ => Err(format!("rustc does not answer {arguments:?}")),
        };
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
        let version = ask(&["-vV"])?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
        Ok(Self { sysroot, commit: commit.unwrap_or("unknown").to_owned() })
    }
}
