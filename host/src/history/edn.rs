//! Histories as text: that of Jepsen, as its stores write it (EDN, a map for each event) and as its log shows it (lines
//! such as `INFO  jepsen.util - 0  :invoke  :read  nil`), and that of Porcupine's key/value data, which is EDN too.
//!
//! ```text
//! {:process 0, :type :invoke, :f :append, :key "a1", :value "x;"}
//! {:process 0, :type :ok, :f :append, :key "a1", :value 2}
//! {:process 1, :type :invoke, :f :read, :value [7 nil]}
//! {:process 1, :type :ok, :f :read, :value [7 3]}
//! ```
//!
//! `:f` is `read` or `get`, `write` or `put`, `cas` (of `[old new]`), `append`, `delete`, or `increment`. A key stands under
//! `:key`, or before the value in a pair, as Jepsen's independent keys do; without either there is one register. `:ok` is an
//! answer. `:fail` says that nothing happened; of a `cas` that gives no `:error`, that it found something else. `:info`, or
//! nothing at all, leaves the outcome open. What a process does that is no number (a nemesis) is left out.

use super::{Answer, Call, History, Operation};
use clojure_reader::edn::{Edn, read};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A history, with the lines in which its places stand.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// What was recorded.
    pub history: History,
    /// The line of each entry, from 1; places of the history count entries, from 1.
    lines: Vec<u64>,
}

impl Recorded {
    /// What a place of the history is called: its line, or, where several entries share one, its number among them.
    #[must_use]
    pub fn place(&self, place: u64) -> String {
        let line = usize::try_from(place).ok().and_then(|place| self.lines.get(place.checked_sub(1)?));
        let apart = self.lines.is_sorted_by(|one, next| one < next);
        match line.filter(|_| apart) {
            Some(line) => format!("line {line}"),
            None => format!("entry {place}"),
        }
    }
}

/// What a history that [`write()`] wrote begins with.
pub const MARK: &str = "{:index 0, ";

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, and what should be there.
    pub what: String,
}

/// One event of a process.
#[derive(Debug)]
struct Entry<'a> {
    process: u64,
    kind: Cow<'a, str>,
    f: Cow<'a, str>,
    key: Option<Edn<'a>>,
    value: Edn<'a>,
    error: bool,
}

/// Reads a history.
///
/// # Errors
/// The first mistake.
pub fn parse(text: &str) -> Result<Recorded, Mistake> {
    let mut reading = Reading::default();
    let log = text.trim_start().starts_with(|letter: char| letter.is_alphanumeric());
    let entries = if log { log_entries(text)? } else { edn_entries(text)? };
    reading.pairs = entries.iter().any(|(_, entry)| {
        let read = ["read", "get"].contains(&&*entry.f) && entry.kind == "invoke";
        read && entry.key.is_none() && matches!(&entry.value, Edn::Vector(pair) if pair.len() == 2)
    });
    for (line, entry) in entries {
        reading.lines.push(line);
        reading.entry(entry).map_err(|what| Mistake { line, what })?;
    }
    if reading.history.operations.is_empty() {
        return Err(Mistake { line: 1, what: "there is no operation of any process here".into() });
    }
    let Reading { mut history, lines, void, .. } = reading;
    let mut number = 0..;
    history.operations.retain(|_| number.next().is_none_or(|number| !void.contains(&number)));
    Ok(Recorded { history, lines })
}

fn edn_entries(text: &str) -> Result<Vec<(u64, Entry<'_>)>, Mistake> {
    let (mut rest, mut entries) = (text, Vec::new());
    let (mut line, mut counted) = (1, 0);
    loop {
        let form = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        let at = text.len() - form.len();
        line += text[counted..at].matches('\n').count() as u64;
        counted = at;
        if form.is_empty() {
            return Ok(entries);
        }
        let (edn, left) =
            read(form).map_err(|error| Mistake { line, what: format!("it is no EDN ({:?})", error.code) })?;
        rest = left;
        let forms = match &edn {
            Edn::Vector(forms) | Edn::List(forms) => forms,
            form => std::slice::from_ref(form),
        };
        for form in forms {
            entries.extend(entry(form).map_err(|what| Mistake { line, what })?.map(|entry| (line, entry)));
        }
    }
}

/// An event of a process; `None` if it is nobody's that counts.
fn entry<'e>(edn: &Edn<'e>) -> Result<Option<Entry<'e>>, String> {
    let Edn::Map(map) = edn else { return Err("an entry is a map, such as {:process 0, :type :invoke, ...}".into()) };
    let there = |key: &'static str| map.get(&Edn::key(key));
    let process = match there("process") {
        Some(Edn::Int(process)) => u64::try_from(*process).map_err(|_| "a :process is a number from 0".to_owned())?,
        Some(_) => return Ok(None),
        None => return Err("an entry has a :process".into()),
    };
    let word = |key: &'static str| match there(key) {
        Some(Edn::Key(word)) => Ok(word.clone()),
        _ => Err(format!("an entry has a :{key}, which is a keyword")),
    };
    let (kind, f) = (word("type")?, word("f")?);
    let (key, value) = (there("key").cloned(), there("value").cloned().unwrap_or(Edn::Nil));
    let error = there("error").is_some_and(|error| *error != Edn::Nil);
    Ok(Some(Entry { process, kind, f, key, value, error }))
}

/// The first word of a text, and what comes after it.
fn word(text: &str) -> Option<(&str, &str)> {
    text.trim_start().split_once(char::is_whitespace)
}

/// The entries of a log, whose other lines are of no interest.
fn log_entries(text: &str) -> Result<Vec<(u64, Entry<'_>)>, Mistake> {
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((_, event)) = text.split_once(" - ") else { continue };
        let Some((process, rest)) = word(event) else { continue };
        let Some((kind, rest)) = word(rest) else { continue };
        let Some((f, rest)) = word(rest) else { continue };
        let (Ok(process), Some(kind), Some(f)) = (process.parse(), kind.strip_prefix(':'), f.strip_prefix(':')) else {
            continue;
        };
        let (value, more) = match read(rest) {
            Ok((value, more)) => (value, more),
            Err(error) => return Err(Mistake { line, what: format!("its value is no EDN ({:?})", error.code) }),
        };
        let error = value == Edn::key("timed-out") || !more.trim().is_empty();
        entries.push((line, Entry { process, kind: kind.into(), f: f.into(), key: None, value, error }));
    }
    Ok(entries)
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    history: History,
    lines: Vec<u64>,
    /// The operation that each process waits for, by its place.
    waiting: BTreeMap<u64, usize>,
    /// Operations that had no effect.
    void: BTreeSet<usize>,
    /// Whether values are pairs of a key and a value.
    pairs: bool,
}

/// The key of a register that has no name.
const REGISTER: &[u8] = b"register";

fn bytes(edn: &Edn<'_>) -> Result<Option<Vec<u8>>, String> {
    Ok(Some(match edn {
        Edn::Nil => return Ok(None),
        Edn::Str(text) => text.as_bytes().to_vec(),
        Edn::Int(number) => number.to_string().into_bytes(),
        Edn::Key(word) => format!(":{word}").into_bytes(),
        other => return Err(format!("a value is a number or a text, and not {other}")),
    }))
}

fn pair<'a, 'e>(edn: &'a Edn<'e>, of: &str) -> Result<&'a [Edn<'e>; 2], String> {
    match edn {
        Edn::Vector(pair) => pair.as_slice().try_into().ok(),
        _ => None,
    }
    .ok_or_else(|| format!("{of} is a pair, such as [1 2]"))
}

impl Reading {
    fn entry(&mut self, entry: Entry<'_>) -> Result<(), String> {
        let place = self.lines.len() as u64;
        let (key, value) = match entry.key {
            Some(key) => (bytes(&key)?, entry.value),
            None if self.pairs && matches!(entry.value, Edn::Vector(_)) => {
                let [key, value] = pair(&entry.value, "the value of an operation of independent keys")?;
                (bytes(key)?, value.clone())
            }
            None => (None, entry.value),
        };
        let key = key.unwrap_or_else(|| REGISTER.to_vec());
        if entry.kind == "invoke" {
            if self.waiting.contains_key(&entry.process) {
                return Err(format!("process {} asks again before it was answered", entry.process));
            }
            let call = call(&entry.f, &value)?;
            self.history.empty_is_absent |= entry.f == "get";
            self.waiting.insert(entry.process, self.history.operations.len());
            let process = entry.process;
            self.history.operations.push(Operation { process, key, call, asked: place, answered: None });
            return Ok(());
        }
        let Some(number) = self.waiting.remove(&entry.process) else {
            return Err(format!("process {} is answered and has not asked", entry.process));
        };
        let operation = &mut self.history.operations[number];
        match (&*entry.kind, &operation.call) {
            ("ok", call) => operation.answered = Some((place, answer(call, &value)?)),
            ("fail", Call::CompareAndSet(..)) if !entry.error => {
                operation.answered = Some((place, Answer::Swapped(false)));
            }
            ("fail", _) => drop(self.void.insert(number)),
            ("info", _) => {}
            (kind, _) => return Err(format!("a :type is :invoke, :ok, :fail or :info, and not :{kind}")),
        }
        Ok(())
    }
}

fn call(f: &str, value: &Edn<'_>) -> Result<Call, String> {
    let some = |value: &Edn<'_>| bytes(value)?.ok_or_else(|| format!("a :{f} has a :value"));
    Ok(match f {
        "read" | "get" => Call::Get,
        "write" | "put" => Call::Put(some(value)?),
        "append" => Call::Append(some(value)?),
        "delete" => Call::Delete,
        "cas" => {
            let [old, new] = pair(value, "the value of a :cas")?;
            Call::CompareAndSet(bytes(old)?, some(new)?)
        }
        "increment" => match value {
            Edn::Int(by) => Call::Increment(*by),
            _ => return Err("the :value of an :increment is a number".into()),
        },
        _ => {
            let known = "read, get, write, put, cas, append, delete, increment";
            return Err(format!("there is no operation :{f} here; there are {known}"));
        }
    })
}

fn answer(call: &Call, value: &Edn<'_>) -> Result<Answer, String> {
    Ok(match (call, value) {
        (Call::Get, value) => Answer::Value(bytes(value)?),
        (Call::CompareAndSet(..), _) => Answer::Swapped(true),
        (Call::Append(_), Edn::Int(length)) => {
            Answer::Length(u64::try_from(*length).map_err(|_| "a length is from 0")?)
        }
        (Call::Increment(_), Edn::Int(sum)) => Answer::Number(*sum),
        _ => Answer::Done,
    })
}

fn text(bytes: &[u8]) -> Edn<'static> {
    Edn::string(String::from_utf8_lossy(bytes).into_owned())
}

fn held(value: Option<&[u8]>) -> Edn<'static> {
    value.map_or(Edn::Nil, text)
}

/// Writes a history as Jepsen does, an entry a line; `time` tells when a place of it was, in nanoseconds.
#[must_use]
pub fn write(history: &History, time: impl Fn(u64) -> u64) -> String {
    let mut entries: Vec<(u64, usize, &str, Edn<'static>)> = Vec::new();
    for (number, operation) in history.operations.iter().enumerate() {
        let asks = match &operation.call {
            Call::Get | Call::Delete => Edn::Nil,
            Call::Put(value) | Call::Append(value) => text(value),
            Call::CompareAndSet(old, new) => Edn::Vector(vec![held(old.as_deref()), text(new)]),
            Call::Increment(by) => Edn::Int(*by),
        };
        entries.push((operation.asked, number, "invoke", asks.clone()));
        entries.push(match &operation.answered {
            Some((at, Answer::Value(value))) => (*at, number, "ok", held(value.as_deref())),
            Some((at, Answer::Length(length))) => (*at, number, "ok", Edn::Int(length.cast_signed())),
            Some((at, Answer::Number(sum))) => (*at, number, "ok", Edn::Int(*sum)),
            Some((at, Answer::Swapped(false))) => (*at, number, "fail", asks),
            Some((at, Answer::Done | Answer::Swapped(true))) => (*at, number, "ok", asks),
            None => (u64::MAX, number, "info", asks),
        });
    }
    entries.sort_by_key(|(place, number, ..)| (*place, *number));
    let last = entries.iter().rev().find(|(place, ..)| *place != u64::MAX).map_or(0, |(place, ..)| time(*place));
    let mut lines = String::new();
    for (index, (place, number, kind, value)) in entries.into_iter().enumerate() {
        let Operation { process, key, call, .. } = &history.operations[number];
        let f = match call {
            Call::Get => "read",
            Call::Put(_) => "write",
            Call::Delete => "delete",
            Call::CompareAndSet(..) => "cas",
            Call::Append(_) => "append",
            Call::Increment(_) => "increment",
        };
        let (key, time) = (text(key), if place == u64::MAX { last } else { time(place) });
        writeln!(
            lines,
            "{{:index {index}, :time {time}, :process {process}, :type :{kind}, :f :{f}, :key {key}, :value {value}}}"
        )
        .expect("a string takes everything");
    }
    lines
}
