//! Broken nodes: each a small patch of the built-in one, with a bug that real Rafts had. They are built in one go, as one
//! generated workspace that shares its dependencies, and are guests like any other.
//!
//! A file `tests/mutants/NAME.patch` begins with lines that say what is broken, where that was seen, which property it is
//! expected to break, in which scenario, and with which seed it is known to; then comes a diff of `node-guest`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../node-guest/bytes/flags.rs"]
mod flags;
#[path = "../../../node-guest/bytes/link.rs"]
mod link;
#[path = "../../../node-guest/bytes/nested.rs"]
mod nested;

use flags::{Rustc, flags};

/// A broken node.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// What is broken, in a sentence.
    pub about: String,
    /// Which real Rafts had it.
    pub seen: String,
    /// The property that it is expected to break; `none`, if it is only otherwise.
    pub property: String,
    /// In which scenario.
    pub scenario: String,
    /// A seed by which it does.
    pub seed: u64,
    /// The files that differ from the built-in node's, by their path in `node-guest`, and what they are.
    pub files: BTreeMap<String, String>,
}

impl Mutant {
    /// Whether it breaks anything.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.property != "none"
    }
}

/// The checkout that this was built in.
#[must_use]
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package lies in tests/mutants")
}

/// All that are in a checkout, in the order of their names.
///
/// # Errors
/// The first patch that cannot be read, or does not apply.
pub fn all(checkout: &Path) -> Result<Vec<Mutant>, String> {
    let folder = checkout.join("tests/mutants");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut patches: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    patches.retain(|path| path.extension().is_some_and(|end| end == "patch"));
    patches.sort();
    patches.iter().map(|path| read(checkout, path)).collect()
}

fn read(checkout: &Path, path: &Path) -> Result<Mutant, String> {
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
            fs::read_to_string(checkout.join("node-guest").join(file)).map_err(|error| format!("{name}: {error}"))?;
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

/// Builds those of these names, or all, for wasm, in a checkout that has these mutants; the bytes of each, by name.
///
/// # Errors
/// If there is none of a name, they do not build, or cannot be written.
pub fn build(checkout: &Path, mutants: &[Mutant], names: Option<&[&str]>) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let told = |what: &str| format!("the broken nodes: {what}");
    let io = |error: std::io::Error| told(&error.to_string());
    let known: Vec<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
    let names = names.unwrap_or(&known);
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no broken node {unknown:?}; there are {}", known.join(", ")));
    }
    let folder = checkout.join("target/mutants");
    lay_out(checkout, &folder, mutants).map_err(io)?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    // What a patch leaves unused is part of what is broken.
    let mut flags = flags(checkout, &Rustc::new(&rustc)?);
    flags.push("\u{1f}-Awarnings");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = folder.join("target");
    let mut build = nested::nested_cargo(&cargo);
    build.current_dir(&folder).env("CARGO_ENCODED_RUSTFLAGS", flags).args(["build", "--quiet", "--profile", "guest"]);
    build.args(["--target", "wasm32-unknown-unknown", "--target-dir"]).arg(&target);
    build.args(names.iter().map(|name| format!("--package=mutant-{name}")));
    if !build.status().map_err(io)?.success() {
        return Err(told("they do not build; the errors are above"));
    }
    let built = target.join("wasm32-unknown-unknown/guest");
    let bytes = |name: &&str| {
        let bytes = fs::read(built.join(format!("mutant_{name}.wasm"))).map_err(io)?;
        Ok(((*name).to_owned(), bytes))
    };
    names.iter().map(bytes).collect()
}

/// What a package of the generated workspace depends on, as the workspace of the checkout has it.
const HASH: &str = "xxhash-rust = { version = \"0.8\", features = [\"xxh3\", \"xxh64\"] }\n";
const ALLOCATOR: &str = "\n[target.'cfg(target_arch = \"wasm32\")'.dependencies]\n\
                         dlmalloc = { version = \"0.2\", default-features = false }\n";

fn manifest(name: &str, lib: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\n{lib}\n\
         [dependencies]\n{HASH}{dependencies}"
    )
}

/// Writes the generated workspace: all mutants, whichever are to be built, and what they all use. It holds that itself, since
/// the bytes that come out would tell where something outside lies.
fn lay_out(checkout: &Path, folder: &Path, mutants: &[Mutant]) -> std::io::Result<()> {
    let node_guest = checkout.join("node-guest");
    copy(&node_guest.join("abi/src"), &folder.join("abi/src"))?;
    write_if_new(&folder.join("abi/Cargo.toml"), manifest("raftbox-abi", "", ALLOCATOR).as_bytes())?;
    let mut members = vec!["\"abi\"".to_owned()];
    for Mutant { name, files, .. } in mutants {
        let package = folder.join(name);
        copy(&node_guest.join("src"), &package.join("src"))?;
        for (file, text) in files {
            write_if_new(&package.join(file), text.as_bytes())?;
        }
        let lib = format!("name = \"mutant_{name}\"\ncrate-type = [\"cdylib\"]\n");
        let manifest = manifest(&format!("mutant-{name}"), &lib, "raftbox-abi = { path = \"../abi\" }\n");
        write_if_new(&package.join("Cargo.toml"), manifest.as_bytes())?;
        members.push(format!("{name:?}"));
    }
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n{PROFILE}", members.join(", "));
    write_if_new(&folder.join("Cargo.toml"), workspace.as_bytes())?;
    if !folder.join("Cargo.lock").exists() {
        fs::copy(checkout.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    }
    Ok(())
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
    if from.is_file() {
        return write_if_new(to, &fs::read(from)?);
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
