//! Broken nodes: each a small patch of the built-in one, with a bug that real Rafts had. They are built in one go, as one
//! generated workspace that shares its dependencies, and are guests like any other.
//!
//! A file `tests/mutants/NAME.patch` begins with lines that say what is broken, where that was seen, which property it is
//! expected to break, in which scenario, and with which seed it is known to; then comes a diff of `node-guest`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../../node-guest/bytes/link.rs"]
mod link;
#[path = "../../node-guest/bytes/nested.rs"]
mod nested;

/// A broken node.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// What is broken, in a sentence.
    pub about: String,
    /// Which real Rafts had it.
    pub seen: String,
    /// The property that it is expected to break.
    pub property: String,
    /// In which scenario.
    pub scenario: String,
    /// A seed by which it does.
    pub seed: u64,
    /// The files that differ from the built-in node's, by their path in `node-guest`, and what they are.
    pub files: BTreeMap<String, String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

/// All of them, in the order of their names.
///
/// # Errors
/// The first patch that cannot be read, or does not apply.
///
/// # Panics
/// If the folder of patches cannot be read.
pub fn all() -> Result<Vec<Mutant>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let files = fs::read_dir(folder).expect("there are patches").map(|file| file.expect("it can be read").path());
    let mut patches: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "patch")).collect();
    patches.sort();
    patches.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Mutant, String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let (head, diff) = text.split_once("\n\n").ok_or(format!("{name}: no empty line ends what it says of itself"))?;
    let says = |key: &str| {
        let value = head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        value.map(str::to_owned).ok_or(format!("{name}: it does not say its {key}"))
    };
    let mut files = BTreeMap::new();
    let starts: Vec<usize> = diff.match_indices("--- a/").map(|(at, _)| at).chain([diff.len()]).collect();
    for pair in starts.windows(2) {
        let patch = diffy::Patch::from_str(&diff[pair[0]..pair[1]]).map_err(|error| format!("{name}: {error}"))?;
        let file =
            patch.original().and_then(|file| file.strip_prefix("a/")).ok_or(format!("{name}: of which file?"))?;
        let original =
            fs::read_to_string(root().join("node-guest").join(file)).map_err(|error| format!("{name}: {error}"))?;
        let applied = diffy::apply(&original, &patch).map_err(|error| format!("{name}: {file}: {error}"))?;
        files.insert(file.to_owned(), applied);
    }
    let seed = says("seed")?.parse().map_err(|_| format!("{name}: a seed is a number"))?;
    let [about, seen, property, scenario] = [says("about")?, says("seen")?, says("property")?, says("scenario")?];
    Ok(Mutant { name, about, seen, property, scenario, seed, files })
}

/// The profile of guests, but for the optimisation across crates: they are built sooner, and broken all the same.
const PROFILE: &str = "\n[profile.guest]\ninherits = \"release\"\nopt-level = 1\ncodegen-units = 1\npanic = \"abort\"\n\
                       strip = true\noverflow-checks = true\ndebug-assertions = false\n";

/// Builds all of them for wasm; the bytes of each, by name.
///
/// # Errors
/// If they do not build, or cannot be written.
pub fn build(mutants: &[Mutant]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let told = |what: &str| format!("the mutants: {what}");
    let folder = root().join("target/mutants");
    let io = |error: std::io::Error| told(&error.to_string());
    let mut members = Vec::new();
    for mutant in mutants {
        copy(&root().join("node-guest/src"), &folder.join(&mutant.name).join("src")).map_err(io)?;
        for (file, text) in &mutant.files {
            write_if_new(&folder.join(&mutant.name).join(file), text.as_bytes()).map_err(io)?;
        }
        let abi = root().join("node-guest/abi");
        let manifest = format!(
            "[package]\nname = \"mutant-{0}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\nname = \"mutant_{0}\"\n\
             crate-type = [\"cdylib\"]\n\n[dependencies]\nraftbox-abi = {{ path = {1:?} }}\n\
             xxhash-rust = {{ version = \"0.8\", features = [\"xxh3\", \"xxh64\"] }}\n",
            mutant.name,
            abi.to_string_lossy()
        );
        write_if_new(&folder.join(&mutant.name).join("Cargo.toml"), manifest.as_bytes()).map_err(io)?;
        members.push(format!("{:?}", mutant.name));
    }
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n{PROFILE}", members.join(", "));
    write_if_new(&folder.join("Cargo.toml"), workspace.as_bytes()).map_err(io)?;
    if !folder.join("Cargo.lock").exists() {
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(io)?;
    }
    // What a patch leaves unused is part of what is broken.
    let mut flags = "-Awarnings".to_owned();
    for argument in link::LINK_ARGS {
        write!(flags, "\u{1f}-Clink-arg={argument}").expect("a string takes everything");
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build: Command = nested::nested_cargo(&cargo);
    let target = folder.join("target");
    let status = build
        .current_dir(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .args(["build", "--quiet", "--profile", "guest", "--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&target)
        .status();
    if !status.map_err(io)?.success() {
        return Err(told("they do not build; the errors are above"));
    }
    let built = target.join("wasm32-unknown-unknown/guest");
    let bytes = |mutant: &Mutant| {
        let bytes = fs::read(built.join(format!("mutant_{}.wasm", mutant.name))).map_err(io)?;
        Ok((mutant.name.clone(), bytes))
    };
    mutants.iter().map(bytes).collect()
}

/// Writes a file, unless it is so already: cargo goes by the time.
fn write_if_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, bytes)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            write_if_new(&target, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
