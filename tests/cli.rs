//! The command, tested by scripts: `tests/scripts/cli/*.txt`, one subject each, as one would type it.
//!
//! Each script starts in an empty folder. `UPDATE_GOLDENFILES=1` writes the outputs anew. What depends on the machine or on
//! the build of the guest (wall time, digests, hashes of modules) is masked.
//!
//! | command | meaning |
//! |---|---|
//! | `raftbox "run tour --seed 1"` | runs the command, and prints its output, its messages and, unless it is 0, its exit code |
//! | `lines 12 "run tour"`, `lines "12.." "run tour"` | the same, and only the first or the other lines of the output |
//! | `keys "run tour --format json"` | the same, and only the names of the values in its JSON |
//! | `share "run tour"` | runs the command with `--share`, and then `run --link` with the link that it printed |
//! | `write a.toml "text"` | writes a file |
//! | `wat a.wasm "(module)"` | writes a module |
//! | `guest a.wasm` | writes the built-in guest |
//! | `folder a` | makes a folder |
//! | `copy a b` | copies a file |
//! | `cut a 100`, `cut a "-1"` | keeps the first 100 bytes of a file, or all but the last |
//! | `add a "text"` | adds to a file |
//! | `flip a "-10"` | flips a bit of a byte of a file, counted from its start or its end |
//! | `replace a "old" "new"` | replaces the first place where a text stands in a file |
//! | `taken serve` | runs a command that listens, at a port that somebody has |
//! | `forge a b 2000` | a run file like `a`, without the first effect from event 2000 on |
//! | `list` | lists the files |

use goldenscript::{Command, Context, Runner};
use raftbox::cli::{Surroundings, main_with};
use raftbox::event::{Encoder, Event};
use raftbox::runfile::RunFile;
use raftbox::trace::{Keep, Trace};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The scripts run one after the other, since each has the process's folder for itself.
#[test]
fn scripts() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cli");
    let mut scripts: Vec<PathBuf> = fs::read_dir(scripts).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    for script in scripts {
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        goldenscript::run(&mut Shell, script).unwrap();
        std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    }
}

struct Shell;

/// What a run of the command left.
struct Done {
    out: String,
    err: String,
    code: u8,
}

/// The words of a command line; a word in single quotes may hold spaces.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().map(String::from).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// What the command prints, what it complains of, and its exit code.
fn printed(line: &str) -> (String, String, u8) {
    let args: Vec<String> = std::iter::once("raftbox".to_owned()).chain(words(line)).collect();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let surroundings = Surroundings { cache: Some(cache), ..Surroundings::default() };
    let mut out = anstream::StripStream::new(Vec::new());
    let mut err = anstream::StripStream::new(Vec::new());
    let code = main_with(args, &surroundings, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out.into_inner()), text(err.into_inner()), code)
}

fn raftbox(line: &str) -> Done {
    let (out, err, code) = printed(line);
    Done { out: mask(&out), err: mask(&err), code }
}

/// `cargo test --test cli digest -- --nocapture` tells the digest that this build makes, to be compared with another's.
#[test]
fn the_digest_of_this_build_is_told() {
    let (out, err, code) = printed("run chaos --seed 7 --for 20s --format json");
    assert_eq!((err.as_str(), code), ("", 0));
    println!("{out}");
}

/// Masks what depends on the machine or on the build of the guest.
fn mask(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        if line.starts_with("speed ") {
            masked += "speed       (masked)\n";
        } else if line.trim_start().starts_with("\"wall_us\"") {
            masked += "  \"wall_us\": (masked),\n";
        } else {
            let mut run = String::new();
            for c in line.chars().chain(['\n']) {
                if c.is_ascii_hexdigit() {
                    run.push(c);
                    continue;
                }
                masked += match run.len() {
                    32 => "(digest)",
                    64.. => "(sha256)",
                    _ => &run,
                };
                run.clear();
                masked.push(c);
            }
        }
    }
    masked
}

impl Done {
    fn text(&self, out: &str) -> String {
        let mut text = format!("{out}{}", self.err);
        if self.code != 0 {
            writeln!(text, "exit {}", self.code).unwrap();
        }
        text
    }
}

/// Runs a command that listens, from a checkout whose page is built, at a port that somebody has.
fn taken(line: &str) -> Result<String, Box<dyn Error>> {
    let holder = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port().to_string();
    let checkout = tempfile::tempdir()?;
    fs::create_dir_all(checkout.path().join("web/dist"))?;
    fs::write(checkout.path().join("web/dist/index.html"), "")?;
    let surroundings = Surroundings { checkout: Some(checkout.path().to_owned()), ..Surroundings::default() };
    let (mut out, mut err) = (Vec::new(), anstream::StripStream::new(Vec::new()));
    let args = ["raftbox", line, "--port", &port];
    let code = main_with(args, &surroundings, &mut out, &mut err);
    let err = String::from_utf8(err.into_inner())?.replace(&port, "PORT");
    Ok(Done { out: String::from_utf8(out)?, err, code }.text(""))
}

/// A place in a file of `len` bytes, counted from its start, or, if it is below 0, from its end.
fn place(text: &str, len: usize) -> Result<usize, Box<dyn Error>> {
    let place: i64 = text.parse()?;
    let from = if place < 0 { i64::try_from(len)? } else { 0 };
    Ok(usize::try_from(from + place)?)
}

/// Writes a run file that lacks an effect, and is whole otherwise.
fn forge(from: &str, to: &str, first: usize) -> Result<(), Box<dyn Error>> {
    let file = RunFile::read(&fs::read(from)?)?;
    let is_gone =
        |(index, (_, event)): &(usize, (u64, Event<'_>))| *index >= first && matches!(event, Event::Effect(_));
    let gone = file.events().enumerate().find(is_gone).ok_or("there is no effect")?.0;
    let mut trace = Trace::new(&file.head.header.bytes(), Keep::All);
    let mut before = 0;
    for (_, (at, event)) in file.events().enumerate().filter(|(index, _)| *index != gone) {
        let mut step = Encoder::default();
        match event {
            Event::Cause(cause) => step.cause(at - before, &cause),
            Event::Effect(effect) => step.effect(&effect),
        }
        trace.append(at, &step);
        before = at;
    }
    Ok(fs::write(to, RunFile::of(file.head.header.clone(), &trace).write())?)
}

impl Runner for Shell {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        let mut arguments = command.consume_args();
        let args: Vec<&str> = std::iter::from_fn(|| arguments.next_pos()).collect();
        arguments.reject_next()?;
        match (command.name.as_str(), args.as_slice()) {
            ("raftbox", line) => {
                let done = raftbox(&line.concat());
                return Ok(done.text(&done.out));
            }
            ("lines", [count, line]) => {
                let done = raftbox(line);
                let lines = done.out.lines();
                let chosen: Vec<&str> = match count.strip_suffix("..") {
                    Some(skip) => lines.skip(skip.parse()?).collect(),
                    None => lines.take(count.parse()?).collect(),
                };
                return Ok(done.text(&(chosen.join("\n") + "\n")));
            }
            ("keys", [line]) => {
                let done = raftbox(line);
                let key = |line: &str| Some(line.strip_prefix("  \"")?.split_once('"')?.0.to_owned());
                let keys: Vec<String> = done.out.lines().filter_map(key).collect();
                return Ok(done.text(&(keys.join(" ") + "\n")));
            }
            ("taken", [line]) => return taken(line),
            ("share", [line]) => {
                let first = raftbox(&format!("{line} --quiet --share"));
                let link =
                    first.out.lines().find_map(|line| line.strip_prefix("link ")).ok_or("there is no link")?.trim();
                let opened = raftbox(&format!("run --quiet --link {link} --share"));
                let text = format!("{}{}", first.text(&first.out), opened.text(&opened.out));
                return Ok(text.replace(link, "(link)"));
            }
            ("list", []) => {
                let mut names = Vec::new();
                for entry in fs::read_dir(".")? {
                    names.push(entry?.file_name().to_string_lossy().into_owned());
                }
                names.sort();
                return Ok(names.join("\n"));
            }
            ("forge", [from, to, first]) => forge(from, to, first.parse()?)?,
            ("write", [file, text]) => fs::write(file, text)?,
            ("wat", [file, text]) => fs::write(file, wat::parse_str(text)?)?,
            ("guest", [file]) => fs::write(file, raftbox_guest_bytes::BYTES)?,
            ("folder", [name]) => fs::create_dir(name)?,
            ("copy", [from, to]) => drop(fs::copy(from, to)?),
            ("add", [file, text]) => fs::write(file, [&fs::read(file)?, text.as_bytes()].concat())?,
            ("cut", [file, at]) => {
                let bytes = fs::read(file)?;
                fs::write(file, &bytes[..place(at, bytes.len())?])?;
            }
            ("flip", [file, at]) => {
                let mut bytes = fs::read(file)?;
                let at = place(at, bytes.len())?;
                bytes[at] ^= 1;
                fs::write(file, bytes)?;
            }
            ("replace", [file, old, new]) => {
                let bytes = fs::read(file)?;
                let at = bytes.windows(old.len()).position(|part| part == old.as_bytes()).ok_or("it is not there")?;
                fs::write(file, [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]].concat())?;
            }
            (name, args) => return Err(format!("no command {name} with {} arguments", args.len()).into()),
        }
        Ok(String::new())
    }
}
