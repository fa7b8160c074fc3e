//! What a scenario expects of its run: which properties are violated, and what is so when the faults' time
//! is over.
//!
//! A scenario that teaches something says what is to be seen, in `[expect]` and by steps that `expect` a
//! [fact](crate::fact); a run that shows something else is told, as a test that fails. So a scenario does not rot.
//!
//! ```toml
//! [expect]
//! violates = ["state-machine-safety"]
//! facts = ["winner of term 5 = S5", "commit of S1 = 4"]
//! ```

use crate::check::{Checkers, Verdict};
use crate::event::{ClientId, NodeId};
use crate::fact::{Fact, Facts};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is expected of a run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// The properties that are violated, in any order; all others hold.
    pub violates: Vec<String>,
    /// What is so when the faults' time is over, before all is healed.
    pub facts: Vec<Fact>,
}

/// Something that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// What, in words.
    pub what: String,
    /// What is instead; nothing if it is as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

impl Expectation {
    /// Whether it is as expected.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.is.is_none()
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.is {
            Some(is) => write!(f, "{}: it is {is}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Names in a row, or a word for none.
fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

impl Expect {
    /// # Errors
    /// If it is about nodes, clients or properties that there are not.
    pub(crate) fn check(&self, nodes: NodeId, clients: ClientId) -> Result<(), String> {
        self.facts.iter().try_for_each(|fact| fact.check(nodes, clients).map_err(|what| format!("{fact}: {what}")))?;
        let properties: Vec<_> =
            Checkers::new(nodes, clients).verdicts().into_iter().map(|(property, _)| property).collect();
        match self.violates.iter().find(|violated| !properties.contains(&violated.as_str())) {
            Some(unknown) => Err(format!("there is no property {unknown:?}; there are {}", properties.join(", "))),
            None => Ok(()),
        }
    }

    /// Whether all is as expected, in a run that is over.
    #[must_use]
    pub fn ask(&self, facts: &Facts, verdicts: &[(&'static str, Verdict)]) -> Vec<Expectation> {
        let is_violated = |(_, verdict): &&(&str, Verdict)| verdict.is_violated();
        let mut is: Vec<&str> = verdicts.iter().filter(is_violated).map(|(property, _)| *property).collect();
        let mut expected: Vec<&str> = self.violates.iter().map(String::as_str).collect();
        is.sort_unstable();
        expected.sort_unstable();
        let violated = Expectation {
            what: format!("violated properties = {}", listed(&expected)),
            is: (is != expected).then(|| listed(&is)),
        };
        let ask = |fact: &Fact| {
            let (is, is_so) = fact.ask(facts);
            Expectation { what: fact.to_string(), is: (!is_so).then(|| is.to_string()) }
        };
        [violated].into_iter().chain(self.facts.iter().map(ask)).collect()
    }
}
