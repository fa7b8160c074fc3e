//! What is said of a refused module: one line for each thing that is wrong with it.

use std::fmt;
use thiserror::Error;
use wasmparser::BinaryReader;

/// How many findings of a refusal are spelled out; the others are counted.
pub const FINDINGS_MAX: usize = 20;
/// How many characters of a name out of the module are shown.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// How many characters of the validator's own words are shown.
const MESSAGE_CHARS_MAX: usize = 200;

/// Why a module may not run: everything that was found, not only the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was found, at most [`FINDINGS_MAX`] of it.
    pub findings: Vec<Finding>,
    /// How much was found.
    pub total: u64,
}

/// One thing that keeps a module out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {what}; {remedy}")]
pub struct Finding {
    /// Where it is: an import, a function and an offset, ...
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    pub(super) fn new(place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), remedy: remedy.into() }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            1 => write!(f, "the module is refused:")?,
            total => write!(f, "the module is refused for {total} reasons:")?,
        }
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        match self.total.saturating_sub(self.findings.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// The findings as they come in.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    total: u64,
    features: bool,
}

impl Findings {
    /// Adds a finding, or counts it if there are enough.
    pub(super) fn add(&mut self, finding: Finding) {
        self.total += 1;
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(finding);
        }
    }

    /// Adds a finding.
    pub(super) fn found(&mut self, place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) {
        self.add(Finding::new(place, what, remedy));
    }

    /// Adds a finding that the validator objects to as well, so that its own words are not needed.
    pub(super) fn found_feature(
        &mut self,
        place: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.features = true;
        self.found(place, what, remedy);
    }

    /// Whether some finding explains why the validator objects to the features of the module.
    pub(super) fn explain_features(&self) -> bool {
        self.features
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Adds that the module cannot be read.
    pub(super) fn damaged(&mut self, error: &wasmparser::Error, bytes: &[u8]) {
        if is_cut_short(bytes) {
            let what = format!("cut short: it has {} bytes, and its last section says more", bytes.len());
            self.found("file", what, "build or copy it again");
        } else {
            self.found(
                format!("offset {:#x}", error.offset()),
                format!("not a valid module ({})", line(error.message(), MESSAGE_CHARS_MAX)),
                "the file is damaged, or its compiler is wrong: build or copy it again",
            );
        }
    }

    /// Adds that the module goes beyond the features, in the words of the validator.
    pub(super) fn beyond_features(&mut self, error: &wasmparser::Error) {
        self.found(
            format!("offset {:#x}", error.offset()),
            format!("beyond what every engine runs alike ({})", line(error.message(), MESSAGE_CHARS_MAX)),
            "turn that feature of the compiler off",
        );
    }

    pub(super) fn refusal(self) -> Refusal {
        Refusal { findings: self.kept, total: self.total }
    }
}

/// Whether the last section of a module goes on beyond its end.
fn is_cut_short(bytes: &[u8]) -> bool {
    let mut reader = BinaryReader::new(bytes, 0);
    let mut walk = || -> wasmparser::Result<()> {
        reader.read_bytes(8)?;
        while !reader.eof() {
            reader.read_u8()?;
            let len = reader.read_var_u32()?;
            reader.read_bytes(len as usize)?;
        }
        Ok(())
    };
    walk().is_err()
}

/// A name out of the module, fit to be printed: in backquotes, on one line, and not too long.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", line(name, NAME_CHARS_MAX))
}

/// A text on one line, and not too long. Quotation marks need no escape here.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    for (count, char) in text.chars().enumerate() {
        match char {
            _ if count == chars_max => return line + "...",
            '"' | '\'' => line.push(char),
            _ => line.extend(char.escape_debug()),
        }
    }
    line
}
