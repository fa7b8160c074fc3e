//! Linearizability: each operation could have taken effect at one moment between when it was asked and when it was
//! answered. Judged from the history of the clients alone, when the run is over.

use super::verdict::Verdict;
use crate::history::recorder::Recorder;
use crate::linearizability::{self, Options, check, explain};
use crate::timeline::seconds;

/// Why the history of the clients is not linearizable, for who shows it. Operations are named by the event in which each was
/// asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The operation whose answer no order explains.
    pub culprit: u64,
    /// What it could have been answered.
    pub instead: Vec<String>,
    /// The operations that contradict it, all together.
    pub conflict: Vec<u64>,
    /// Those that wrote what these saw.
    pub seen: Vec<u64>,
}

/// What contradicts what, if anything does.
pub(super) fn contradiction(recorder: &Recorder) -> Option<Contradiction> {
    let history = recorder.history();
    let linearizability::Verdict::Not(found) = check(&history, Options::default()).verdict else { return None };
    let asked = |places: &[usize]| places.iter().map(|place| history.operations[*place].asked).collect();
    Some(Contradiction {
        culprit: history.operations[found.culprit].asked,
        instead: found.instead.iter().map(ToString::to_string).collect(),
        conflict: asked(&found.conflict),
        seen: asked(&found.seen),
    })
}

/// What became of it.
pub(super) fn verdict(recorder: &Recorder) -> Verdict {
    let history = recorder.history();
    if history.operations.iter().all(|operation| operation.answered.is_none()) {
        return Verdict::Unobserved { missing: "an answer to a client".into() };
    }
    match check(&history, Options::default()).verdict {
        linearizability::Verdict::Linearizable => Verdict::Pass,
        linearizability::Verdict::Unknown(key) => {
            let why = format!("the orders of what was asked of {} are too many", crate::history::shown(&key));
            Verdict::Unknown { why }
        }
        linearizability::Verdict::Not(found) => {
            let event = history.operations[found.culprit].answered.as_ref().map_or(0, |(event, _)| *event);
            let lines = explain(&history, &found, |place| seconds(recorder.time(place)));
            let what = lines.iter().fold(String::new(), |what, line| match what.chars().last() {
                None => line.trim().to_owned(),
                Some(':') => what + " " + line.trim(),
                Some(_) => what + "; " + line.trim(),
            });
            Verdict::Violated { event, at: recorder.time(event), what }
        }
    }
}
