//! Builds the guest: a cargo within cargo, for another target and with a profile of its own.
//!
//! The guest's bytes are part of what a run is, so they must depend on the sources and the compiler alone: not on how
//! the outer build is set ([`nested`]), and not on where the sources lie ([`flags`]).

#[path = "link.rs"]
mod link;
#[path = "nested.rs"]
mod nested;

use link::LINK_ARGS;
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
    for watched in ["build.rs", "link.rs", "nested.rs", "../Cargo.toml", "../src", "../abi/Cargo.toml", "../abi/src"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let rustc = Rustc::new();
    rustc.require_target();
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

/// The flags of the nested build, in cargo's encoding. Given this way they also take the place of any in a
/// configuration file.
fn flags(workspace: &Path, rustc: &Rustc) -> OsString {
    let mut flags = OsString::new();
    let mut flag = |flag: &dyn AsRef<std::ffi::OsStr>| {
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

/// The compiler of the outer build, which builds the guest as well.
struct Rustc {
    sysroot: PathBuf,
    commit: String,
}

impl Rustc {
    fn new() -> Self {
        let ask = |arguments: &[&str]| {
            let answer = Command::new(variable("RUSTC")).args(arguments).output();
            match answer {
                Ok(answer) if answer.status.success() => String::from_utf8_lossy(&answer.stdout).into_owned(),
                _ => fail(&format!("rustc does not answer {arguments:?}")),
            }
        };
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"]).trim());
        let version = ask(&["-vV"]);
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
        Self { sysroot, commit: commit.unwrap_or("unknown").to_owned() }
    }

    /// Sees to it that there is a standard library for the guest's target.
    fn require_target(&self) {
        let library = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
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
                self.sysroot.display(),
            ));
        }
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
