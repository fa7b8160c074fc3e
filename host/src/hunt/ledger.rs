//! The ledger of a hunt: what came of each seed, a line of JSON each.
//!
//! A line says which run it is of (the hash of all that makes it but the seed), so one file may hold the results of several
//! scenarios and guests; two files are merged by putting one behind the other; and a line that was cut off when somebody
//! pulled the plug is left out. Of two lines about one seed the later counts.

use super::{Broken, Outcome};
use crate::plan::{Header, sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What was run, but for the seed.
    pub run: String,
    /// With which seed.
    pub seed: u64,
    /// The digest of it.
    pub digest: String,
    /// What does not hold; empty if all is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Broken>,
}

/// The name of what a header runs, but for its seed.
#[must_use]
pub fn name(header: &Header) -> String {
    let mut header = header.clone();
    header.plan.seed = 0;
    sha256(&header.bytes())[..16].to_owned()
}

impl Entry {
    /// The line of an outcome of the run of that name.
    #[must_use]
    pub fn of(run: &str, outcome: &Outcome) -> Self {
        let Outcome { seed, digest, broken, .. } = outcome;
        Self { run: run.to_owned(), seed: *seed, digest: digest.to_string(), broken: broken.clone() }
    }

    /// The line.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("every field has a JSON form") + "\n"
    }
}

/// What a ledger begins with.
pub const MARK: &str = "{\"run\":\"";

/// The entries of a ledger that are about the run of that name, by seed.
///
/// # Errors
/// The number, from 1, of the first line that is none; a last line that was cut off is left out.
pub fn read(text: &str, run: &str) -> Result<BTreeMap<u64, Entry>, usize> {
    let mut entries = BTreeMap::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        match serde_json::from_str::<Entry>(line) {
            Ok(entry) if entry.run == run => drop(entries.insert(entry.seed, entry)),
            Ok(_) => {}
            Err(_) if !line.ends_with('\n') || line.trim().is_empty() => {}
            Err(_) => return Err(number),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str, seed: u64, digest: &str) -> Entry {
        Entry { run: run.into(), seed, digest: digest.into(), broken: Vec::new() }
    }

    #[test]
    fn two_ledgers_are_one_behind_the_other_and_the_later_line_counts() {
        let broken = vec![Broken { property: "notes".into(), event: Some(7), what: "a\nline".into() }];
        let last = Entry { broken, ..entry("a", 1, "3") };
        let lines = [entry("a", 1, "1"), entry("b", 1, "2"), last.clone(), entry("a", 2, "4")];
        let text: String = lines.iter().map(Entry::line).collect();
        assert!(text.lines().count() == 4 && text.starts_with(MARK));
        let read = read(&text, "a").unwrap();
        assert_eq!(read.into_values().collect::<Vec<_>>(), [last, entry("a", 2, "4")]);
    }

    #[test]
    fn a_last_line_that_was_cut_off_is_left_out_and_any_other_is_told() {
        let text = entry("a", 1, "1").line() + &entry("a", 2, "2").line();
        assert_eq!(read(&text[..text.len() - 3], "a").unwrap().len(), 1);
        assert_eq!(read(&format!("{text}hello\n"), "a"), Err(3));
    }
}
