//! Builds the guest: a cargo within cargo, for another target and with a profile of its own.
//!
//! The guest's bytes are part of what a run is, so they must depend on the sources and the compiler alone: not on how
//! the outer build is set ([`nested`]), and not on where the sources lie ([`flags`]).

#[path = "flags.rs"]
mod flags;
#[path = "link.rs"]
mod link;
#[path = "nested.rs"]
mod nested;

use flags::{Rustc, flags};
use nested::nested_cargo;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "raftbox-node";

fn main() {
    let workspace = workspace();
    for watched in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(watched).display());
    }
    for watched in
        ["build.rs", "flags.rs", "link.rs", "nested.rs", "../Cargo.toml", "../src", "../abi/Cargo.toml", "../abi/src"]
    {
        println!("cargo::rerun-if-changed={watched}");
    }
    let rustc = Rustc::new(&variable("RUSTC")).unwrap_or_else(|wrong| fail(&wrong));
    require_target(&rustc);
    let out = PathBuf::from(variable("OUT_DIR"));
    let target_dir = target_dir(&out);
    let status = nested_cargo(&variable("CARGO"))
        .current_dir(&workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&workspace, &rustc))
        .args(["build", "--locked", "--lib", "--profile", "guest", "--package", PACKAGE])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("the guest does not build ({status}); its errors are above")),
        Err(error) => fail(&format!("cargo does not start: {error}")),
    }
    let built = target_dir.join(TARGET).join("guest").join("raftbox_node.wasm");
    if let Err(error) = fs::copy(&built, out.join("guest.wasm")) {
        fail(&format!("cannot copy {}: {error}", built.display()));
    }
}

/// The folder of the workspace's manifest: two above this package's.
fn workspace() -> PathBuf {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the package lies in node-guest/bytes").to_owned()
}

/// `<outer target dir>/guest`: one for all profiles and targets of the outer build, since the guest is the same in all,
/// and another than the outer's own, which is locked while this runs.
fn target_dir(out: &Path) -> PathBuf {
    // OUT_DIR is <target dir>/[<triple>/]<profile>/build/...; the last `build` in it is that one.
    let build = out.ancestors().find(|path| path.ends_with("build"));
    let profile = build.and_then(Path::parent).expect("OUT_DIR lies in a folder `build`");
    let mut dir = profile.parent().expect("a profile's folder lies in the target dir");
    if dir.ends_with(variable("TARGET")) {
        dir = dir.parent().expect("a triple's folder lies in the target dir");
    }
    dir.join("guest")
}

/// Sees to it that there is a standard library for the guest's target.
fn require_target(rustc: &Rustc) {
    let library = rustc.sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if library.exists() {
        return;
    }
    println!("cargo::warning=adding the target {TARGET} through rustup");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !added.is_ok_and(|status| status.success()) || !library.exists() {
        fail(&format!(
            "the guest needs the target {TARGET}, which is not in {}, and rustup could not add it there: run \
             `rustup target add {TARGET}`, or install the target's standard library with whatever installed this \
             compiler",
            rustc.sysroot.display(),
        ));
    }
}

/// A variable that cargo sets for every build script.
fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| fail(&format!("cargo sets {name} for a build script")))
}

/// Ends the build with a message: a panic would bury it below a backtrace.
fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1)
}
