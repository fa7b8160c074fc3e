//! Builds the page: its modules, the JavaScript that goes with them, the built-in scenarios, and the static files.
//!
//! Everything is done by crates and the cargo at hand, and nothing is downloaded: [`build`] runs a cargo within cargo for
//! the modules (profile `web`), has wasm-bindgen write their JavaScript, writes each built-in scenario as a run file that
//! holds its plan, and copies `web/static`. What it leaves in `web/dist` is all that a server needs. The page must load
//! quickly anywhere, so what it loads at first has a budget, over which the build fails ([`check_budget`]).
//!
//! Left out: `wasm-opt`. It takes an eighth off the module, and yet makes what is sent larger: what it has gone over packs
//! worse.

#[path = "../../../node-guest/bytes/nested.rs"]
mod nested;
mod order;

use anyhow::{Context as _, Error, Result, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use raftbox::lesson::{LESSONS, Lesson, Question};
use raftbox::plan::{Header, Plan, sha256};
use raftbox::runfile::RunFile;
use raftbox::scenario::step::Step;
use raftbox::scenario::{LIBRARY, Mistake, Scenario, Variant, variants};
use raftbox::trace::{Keep, Trace};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The most bytes that the page may load at first, all files together, gzipped: what it takes today, so that it does not grow
/// unseen. The aim is 250,000.
pub const BUDGET: u64 = 766_000;

/// The modules: the package that each is built from, and the name of its files. The first is the page itself.
const MODULES: [(&str, &str); 2] = [("raftbox-web", "raftbox"), ("raftbox-web-gate", "gate")];

/// What is loaded later, or only one of it: paths that begin so do not count for the budget.
const LATER: [&str; 5] = ["gate", "scenarios/", "guests/", "course", "lesson"];

/// How the module is linked: with its stack pointer exported, since `engine.js` puts it back when a trap unwinds an import.
const LINK_ARGS: [&str; 1] = ["--export=__stack_pointer"];

/// A file of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in `web/dist`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its size when gzipped.
    pub gzip: u64,
}

/// The folder of the workspace.
fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the package lies in web/bundler").to_owned()
}

/// Where the page is left.
#[must_use]
pub fn dist() -> PathBuf {
    workspace().join("web").join("dist")
}

/// Builds the page into [`dist`], in place of what was there, and returns its files.
///
/// # Errors
/// If the module does not build, or a file cannot be written.
pub fn build() -> Result<Vec<File>> {
    let built = modules()?;
    let page_module = built.join(file_name(MODULES[0].0));
    let code = fs::read(&page_module).with_context(|| format!("{} cannot be read", page_module.display()))?;
    let guest = raftbox_guest_bytes::BYTES;
    ensure!(
        code.windows(guest.len()).any(|window| window == guest),
        "the page's guest is another than the command's, so that their runs would differ; remove the target folder, and \
         build both again"
    );
    // Built aside and renamed, so that whoever serves the folder never sees half of a page.
    let aside = workspace().join("web").join(format!(".dist.{}", std::process::id()));
    let files = page(&built, &aside);
    let done = files.and_then(|files| {
        let dist = dist();
        if dist.exists() {
            fs::remove_dir_all(&dist).with_context(|| format!("{} cannot be replaced", dist.display()))?;
        }
        fs::rename(&aside, &dist).with_context(|| format!("{} cannot be written", dist.display()))?;
        Ok(files)
    });
    if done.is_err() {
        drop(fs::remove_dir_all(&aside));
    }
    done
}

/// The file that cargo makes of a package.
fn file_name(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

/// Builds the modules, and returns the folder that they are in.
fn modules() -> Result<PathBuf> {
    let workspace = workspace();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // One folder for all profiles of the outer build, and another than its own, which is locked while tests are built.
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from).join("web");
    let target = std::path::absolute(target)?;
    let status = nested::nested_cargo(&cargo)
        .current_dir(&workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&workspace))
        .args(["build", "--locked", "--lib", "--profile", "web", "--target", TARGET])
        .args(MODULES.iter().flat_map(|(package, _)| ["--package", package]))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "the page's modules do not build ({status}); the errors are above");
    Ok(target.join(TARGET).join("web"))
}

/// The flags of the nested build, in cargo's encoding. Panic messages carry paths, which are to be the same everywhere.
fn flags(workspace: &Path) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(workspace);
    flags.push("=/raftbox");
    // Leptos then compiles each component once, and not once for each place where it stands.
    flags.push("\x1f--cfg=erase_components");
    for argument in LINK_ARGS {
        flags.push("\x1f-Clink-arg=");
        flags.push(argument);
    }
    flags
}

/// Writes all of the page into a folder.
fn page(modules: &Path, folder: &Path) -> Result<Vec<File>> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (package, name) in MODULES {
        Bindgen::new()
            .input_path(modules.join(file_name(package)))
            .web(true)?
            .typescript(false)
            .remove_producers_section(true)
            .omit_default_module_path(false)
            .out_name(name)
            .generate(folder)
            .with_context(|| format!("wasm-bindgen cannot make the JavaScript of {package}"))?;
        let module = folder.join(format!("{name}_bg.wasm"));
        fs::write(&module, order::ordered(&fs::read(&module)?)?)?;
    }
    scenarios(&folder.join("scenarios"), &folder.join("guests"))?;
    copy(&workspace().join("web").join("static"), folder)?;
    let mut files = Vec::new();
    measure(folder, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Writes each built-in scenario and each of its variants as a run file that holds its plan alone, under seed 1, a list of them,
/// and the broken nodes that they name.
fn scenarios(folder: &Path, guests: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let names = LIBRARY.iter().map(|(name, text)| (*name, variants(name, text)));
    let read = |name: &str| Scenario::built_in(name, None);
    let mut scenarios = Vec::new();
    for (name, variants) in names {
        let of = |variant: &Variant| Ok::<_, Mistake>((variant.clone(), read(&variant.whole)?));
        scenarios.push((name, read(name)?, variants.iter().map(of).collect::<Result<Vec<_>, _>>()?));
    }
    let all = scenarios.iter().flat_map(|(_, scenario, variants)| {
        std::iter::once(scenario).chain(variants.iter().map(|(_, variant)| variant))
    });
    let broken = broken(&all.clone().flat_map(Scenario::guests).flatten().collect())?;
    let header = |scenario: &Scenario, interventions: Vec<Step>| {
        let hash = |name: &Option<&str>| sha256(name.map_or(raftbox_guest_bytes::BYTES, |name| &broken[name].1));
        let hashes = scenario.guests().iter().map(hash).collect();
        Header::by(Plan { scenario: scenario.clone(), seed: 1, interventions }, hashes)
    };
    for scenario in all {
        write_plan(&folder.join(scenario.name.replace(':', ".")), header(scenario, Vec::new()))?;
    }
    let list = scenarios.iter().map(|(name, scenario, variants)| {
        let variant = |(Variant { name, about, .. }, scenario): &(Variant, Scenario)| {
            let wrong = scenario.guests().into_iter().flatten().next().map(|guest| &broken[guest].0);
            json!({ "name": name, "about": about, "broken": wrong })
        };
        let variants: Vec<_> = variants.iter().map(variant).collect();
        let lesson = LESSONS.iter().any(|(known, _)| known == name);
        json!({ "name": name, "about": scenario.about, "lesson": lesson, "variants": variants })
    });
    let list: Vec<Value> = list.collect();
    fs::write(folder.join("list.json"), serde_json::to_vec(&list)?)?;
    fs::write(folder.with_file_name("lessons.json"), serde_json::to_vec(&lessons(&list)?)?)?;
    goals(&folder.with_file_name("lessons"), &header)?;
    fs::create_dir_all(guests)?;
    broken.iter().try_for_each(|(name, (_, bytes))| fs::write(guests.join(format!("{name}.wasm")), bytes))?;
    Ok(())
}

/// Writes a run file that holds the plan of a header alone.
fn write_plan(file: &Path, header: Header) -> Result<()> {
    let trace = Trace::new(&header.bytes(), Keep::Nothing);
    // The name may have dots, so none of it is an ending.
    fs::write(format!("{}.run", file.display()), RunFile::of(header, &trace).write())?;
    Ok(())
}

/// Writes one way to reach each lesson's goal, as a run file.
fn goals(folder: &Path, header: &impl Fn(&Scenario, Vec<Step>) -> Header) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, _) in LESSONS {
        if let Some(goal) = Lesson::built_in(name)?.goal {
            let scenario = Scenario::built_in(&goal.scenario(name), None)?;
            write_plan(&folder.join(name), header(&scenario, goal.by))?;
        }
    }
    Ok(())
}

/// The lessons, for the course, with the variants of their scenarios as they are listed.
fn lessons(list: &[Value]) -> Result<Vec<Value>> {
    let lesson = |(name, _): &(&str, &str)| {
        let Lesson { title, topic, about, why, watch, question: asked, goal } = Lesson::built_in(name)?;
        let question = |question: &Question| {
            let guest = Scenario::built_in(&question.scenario(name), None)?.guest;
            let Question { ask, variant, options, told } = question;
            let options: Vec<_> = options.iter().map(|(option, fact)| (option, fact.to_string())).collect();
            Ok::<_, Mistake>(
                json!({ "ask": ask, "variant": variant, "guest": guest, "options": options, "told": told }),
            )
        };
        let questions = asked.iter().map(question).collect::<Result<Vec<_>, _>>()?;
        let goal = goal.map(|goal| {
            let (scenario, fact) = (goal.scenario(name), goal.fact.as_ref().map(ToString::to_string));
            json!({ "what": goal.what, "scenario": scenario, "violates": goal.violates, "fact": fact })
        });
        let variants = list.iter().find(|item| item["name"] == *name).map(|item| &item["variants"]);
        Ok(json!({
            "name": name, "title": title, "topic": topic, "about": about, "why": why, "watch": watch,
            "questions": questions, "variants": variants, "goal": goal,
        }))
    };
    LESSONS.iter().map(lesson).collect()
}

/// Broken nodes, built: what is wrong with each, and its bytes.
fn broken(names: &BTreeSet<&str>) -> Result<BTreeMap<String, (String, Vec<u8>)>> {
    let checkout = workspace();
    let names: Vec<&str> = names.iter().copied().collect();
    let all = raftbox_mutants::all(&checkout).map_err(Error::msg)?;
    let built = raftbox_mutants::build(&checkout, &all, Some(&names)).map_err(Error::msg)?;
    let about = |name: &str| all.iter().find(|mutant| mutant.name == name).map(|mutant| mutant.about.clone());
    Ok(built.into_iter().map(|(name, bytes)| (name.clone(), (about(&name).unwrap_or_default(), bytes))).collect())
}

/// Copies what a folder holds, and all below it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if target.exists() {
            bail!("{} would take the place of a file that is built", entry.path().display());
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Measures each file below a folder.
fn measure(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            measure(&entry.path(), &format!("{path}/"), files)?;
            continue;
        }
        let content = fs::read(entry.path())?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        let gzip = encoder.finish()?.len() as u64;
        files.push(File { path, bytes: content.len() as u64, gzip });
    }
    Ok(())
}

/// How many bytes the page loads at first, gzipped.
fn first_load(files: &[File]) -> u64 {
    let first = files.iter().filter(|file| !LATER.iter().any(|later| file.path.starts_with(later)));
    first.map(|file| file.gzip).sum()
}

/// The sizes of all files, a line each, and what is loaded at first.
#[must_use]
pub fn table(files: &[File]) -> String {
    let mut text = format!("{:>9}  {:>9}  file\n", "bytes", "gzip");
    for File { path, bytes, gzip } in files {
        writeln!(text, "{bytes:>9}  {gzip:>9}  {path}").expect("a string takes everything");
    }
    let first = first_load(files);
    writeln!(text, "the page loads {first} bytes at first, gzipped; {BUDGET} are allowed")
        .expect("a string takes everything");
    text
}

/// Whether the page is small enough.
///
/// # Errors
/// If it is not.
pub fn check_budget(files: &[File]) -> Result<()> {
    let first = first_load(files);
    ensure!(
        first <= BUDGET,
        "the page loads {first} bytes at first, gzipped, and {BUDGET} are allowed; make it smaller"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_over_the_budget_is_refused() {
        let file = |path: &str, gzip| File { path: path.into(), bytes: 2 * gzip, gzip };
        let later = file("gate_bg.wasm", BUDGET);
        assert!(check_budget(&[file("a", BUDGET - 1), file("b", 1), later.clone()]).is_ok());
        let error = check_budget(&[file("a", BUDGET), file("b", 1), later]).unwrap_err().to_string();
        let over = BUDGET + 1;
        let expected =
            format!("the page loads {over} bytes at first, gzipped, and {BUDGET} are allowed; make it smaller");
        assert_eq!(error, expected);
        assert!(table(&[file("a", 3), file("b", 4)]).contains("the page loads 7 bytes at first"));
    }
}
