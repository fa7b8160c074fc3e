//! Hunting: many seeds of a scenario, every property judged, and what came of each kept in a ledger.
//!
//! A [`Hunt`] runs seeds on as many threads as it is given; each seed is a run of its own, so what comes of it does not
//! depend on how many there are. Seeds are begun in order, and what is begun is finished: so a hunt that is stopped has
//! looked at a whole range. [`judge`] is one seed; [`twice`] runs it twice at once, and compares every event and the memory
//! of the guests.
//!
//! | file | concept |
//! |---|---|
//! | [`ledger`] | what came of each seed, a line each |
//! | [`tally`] | what happened in a run, counted |

pub mod ledger;
pub mod tally;

use crate::check::{Observed, Verdict};
use crate::engine::{Abort, Engine};
use crate::event::text::Text;
use crate::event::{Decoder, Effect, Event, Micros};
use crate::plan::Header;
use crate::simulation::Simulation;
use crate::trace::{self, Digest, Keep};
use crate::world::turn::Turn;
use raftbox_abi::Note;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use tally::Tally;

/// A property that does not hold, or cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// Which.
    pub property: String,
    /// By which event, from 0; `None` if it cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// What is wrong, or why it cannot be judged.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.property)?;
        if let Some(event) = self.event {
            write!(f, " by event {event}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// How many threads there is work for: as many as there are cores.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// What came of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub seed: u64,
    /// Of the whole run.
    pub digest: Digest,
    /// How many events it had.
    pub events: u64,
    /// What does not hold; empty if all is well.
    pub broken: Vec<Broken>,
    /// What happened in it.
    pub tally: Tally,
}

impl Outcome {
    /// Whether every property held.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.broken.is_empty()
    }
}

/// The properties that do not hold, that which was violated first before the others.
fn broken(verdicts: Vec<(&'static str, Verdict)>) -> Vec<Broken> {
    let broken = |(property, verdict): (&'static str, Verdict)| {
        let (event, what) = match verdict {
            Verdict::Pass => return None,
            Verdict::Violated { event, what, .. } => (Some(event), what),
            Verdict::Unobserved { missing } => (None, format!("for want of {missing}")),
            Verdict::Unknown { why } => (None, why),
        };
        Some(Broken { property: property.to_owned(), event, what })
    };
    let mut all: Vec<Broken> = verdicts.into_iter().filter_map(broken).collect();
    all.sort_by_key(|broken| broken.event.unwrap_or(u64::MAX));
    all
}

/// Runs a header's plan to its end, and judges it.
///
/// # Errors
/// If the engine failed.
pub fn judge<E: Engine<Turn>>(engine: Rc<E>, header: &Header) -> Result<Outcome, Abort> {
    let mut simulation = Simulation::new(engine, header, Keep::Nothing)?;
    let mut tally = Tally::of(&header.plan);
    while simulation.step(|observed| tally.observe(observed))? {}
    let record = simulation.record();
    Ok(Outcome {
        seed: header.plan.seed,
        digest: record.trace.digest(),
        events: record.trace.events(),
        broken: broken(record.checkers.verdicts()),
        tally,
    })
}

/// Where two runs of one plan part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The first event that differs, or up to which none does.
    pub event: u64,
    /// When it is.
    pub at: Micros,
    /// What it is in the one run and in the other; or that the memory of a node differs.
    pub what: [String; 2],
}

/// How many steps there are between two looks at the memory of guests.
const LOOK_EVERY: u64 = 4_096;

/// Runs a header's plan twice at once, and compares every event, and the memory of the guests now and then and in the end.
/// What makes two runs differ is something that the host does not decide: a guest that reads something of its surroundings,
/// or keeps something over a restart.
///
/// # Errors
/// If an engine failed.
pub fn twice<E: Engine<Turn>>(engines: [Rc<E>; 2], header: &Header) -> Result<Option<Difference>, Abort> {
    let [one, other] = engines;
    let mut one = Simulation::new(one, header, Keep::Nothing)?;
    let mut other = Simulation::new(other, header, Keep::Nothing)?;
    for step in 0.. {
        let event = one.record().trace.events();
        let go_on = [one.step(|_| ())?, other.step(|_| ())?];
        let at = one.record().trace.at();
        if one.world().step().bytes() != other.world().step().bytes() || go_on[0] != go_on[1] {
            return Ok(Some(first(event, &mut one, &mut other)));
        }
        if step % LOOK_EVERY == 0 || !go_on[0] {
            let memories = [one.world().fingerprints(), other.world().fingerprints()];
            let differs = memories[0].iter().zip(&memories[1]).position(|(one, other)| one != other);
            if let Some(node) = differs {
                let what = [0, 1].map(|which: usize| {
                    let hash = memories[which][node].map_or("nothing".into(), |hash| format!("{hash:016x}"));
                    format!("the memory of S{} hashes to {hash}", node + 1)
                });
                return Ok(Some(Difference { event: event.saturating_sub(1), at, what }));
            }
        }
        if !go_on[0] {
            break;
        }
    }
    Ok(None)
}

/// What breaks where a run, made twice, is not the same.
pub const DETERMINISM: &str = "determinism";

/// Judges a header's plan, and runs it [`twice`] besides.
///
/// # Errors
/// If an engine failed.
pub fn judge_twice<E: Engine<Turn>>(engines: &[Rc<E>; 2], header: &Header) -> Result<Outcome, Abort> {
    let mut outcome = judge(Rc::clone(&engines[0]), header)?;
    if let Some(Difference { event, what: [one, other], .. }) = twice(engines.clone(), header)? {
        let what = format!("run twice, it once is `{one}` and once `{other}`");
        outcome.broken.insert(0, Broken { property: DETERMINISM.to_owned(), event: Some(event), what });
    }
    Ok(outcome)
}

/// The first event in which the last steps of two runs differ.
fn first<E: Engine<Turn>>(event: u64, one: &mut Simulation<E>, other: &mut Simulation<E>) -> Difference {
    let at = one.record().trace.at();
    let steps = [one, other].map(|run| run.world().step().bytes().to_vec());
    let events = |bytes| Decoder::new(bytes, 0).map_while(Result::ok).map(move |(_, event)| (at, event));
    let [one, other] = [events(&steps[0]), events(&steps[1])];
    let Some(found) = trace::difference(one, other) else {
        // One of them is over.
        let what = ["it goes on", "it is over"].map(String::from);
        return Difference { event, at, what };
    };
    let lines = |tell: &dyn Fn(&Event<'_>) -> String| {
        [&found.first, &found.second].map(|side| side.as_ref().map_or("nothing more".into(), |(_, event)| tell(event)))
    };
    let mut what = lines(&|event| line(at, event));
    if what[0] == what[1] {
        // What is told of it in words is the same.
        what = lines(&|event| format!("{event:?}"));
    }
    Difference { event: event + found.event, at, what }
}

fn line(at: Micros, event: &Event<'_>) -> String {
    let note = match event {
        Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
        _ => None,
    };
    let line = Text::new(|_: &[u8]| None).line(&Observed { index: 0, at, event, note: note.as_ref() });
    line.to_string().trim().to_owned()
}

/// Many seeds.
pub struct Hunt<'a> {
    /// Which.
    pub seeds: Range<u64>,
    /// Every `shards`-th of them, from the `shard`-th on, from 0.
    pub shard: u64,
    /// See `shard`; 1 for all.
    pub shards: u64,
    /// On how many threads.
    pub jobs: usize,
    /// Set by somebody who has seen enough: nothing more is begun then.
    pub stop: &'a AtomicBool,
}

impl Hunt<'_> {
    /// How many seeds there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let all = self.seeds.end.saturating_sub(self.seeds.start);
        all.saturating_sub(self.shard).div_ceil(self.shards)
    }

    /// Runs `seed` for each of them, on all threads, and hands what comes of each to `see`, on this one, as it comes. `begin` is
    /// called once on each thread, and makes what its seeds have in common.
    ///
    /// # Errors
    /// The first error; nothing more is begun then.
    pub fn run<C, T: Send>(
        &self,
        begin: impl Fn() -> Result<C, Abort> + Sync,
        seed: impl Fn(&mut C, u64) -> Result<T, Abort> + Sync,
        mut see: impl FnMut(T),
    ) -> Result<(), Abort> {
        let next = AtomicU64::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut failed = None;
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let (sender, next, begin, seed) = (sender.clone(), &next, &begin, &seed);
                scope.spawn(move || {
                    let mut common = match begin() {
                        Ok(common) => common,
                        Err(abort) => return drop(sender.send(Err(abort))),
                    };
                    while !self.stop.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.count() {
                            break;
                        }
                        let number = self.seeds.start + self.shard + number * self.shards;
                        if sender.send(seed(&mut common, number)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for result in receiver {
                match result {
                    Ok(outcome) => see(outcome),
                    Err(abort) => {
                        self.stop.store(true, Ordering::Relaxed);
                        failed = failed.take().or(Some(abort));
                    }
                }
            }
        });
        failed.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(jobs: usize, shard: u64, shards: u64) -> Vec<u64> {
        let stop = AtomicBool::new(false);
        let mut seen = Vec::new();
        let hunt = Hunt { seeds: 10..33, shard, shards, jobs, stop: &stop };
        hunt.run(|| Ok(()), |(), seed| Ok(seed), |seed| seen.push(seed)).unwrap();
        assert_eq!(seen.len() as u64, hunt.count());
        seen.sort_unstable();
        seen
    }

    #[test]
    fn every_seed_is_run_once_however_many_threads_and_shards_there_are() {
        let all: Vec<u64> = (10..33).collect();
        assert_eq!(seeds(1, 0, 1), all);
        assert_eq!(seeds(5, 0, 1), all);
        let mut parts: Vec<u64> = (0..4).flat_map(|shard| seeds(2, shard, 4)).collect();
        parts.sort_unstable();
        assert_eq!(parts, all);
    }

    #[test]
    fn a_hunt_that_is_stopped_has_looked_at_a_whole_range() {
        let stop = AtomicBool::new(false);
        let mut seen = Vec::new();
        let hunt = Hunt { seeds: 0..1_000_000, shard: 0, shards: 1, jobs: 4, stop: &stop };
        hunt.run(
            || Ok(()),
            |(), seed| Ok(seed),
            |seed| {
                seen.push(seed);
                stop.store(seen.len() > 100, Ordering::Relaxed);
            },
        )
        .unwrap();
        seen.sort_unstable();
        assert!(seen.len() > 100 && seen.iter().copied().eq(0..seen.len() as u64));
    }

    #[test]
    fn what_fails_is_told_and_ends_it() {
        let stop = AtomicBool::new(false);
        let hunt = Hunt { seeds: 0..1_000_000, shard: 0, shards: 1, jobs: 2, stop: &stop };
        let fails = |(): &mut (), seed| if seed == 7 { Err(Abort("seven".into())) } else { Ok(seed) };
        assert_eq!(hunt.run(|| Ok(()), fails, |_| ()), Err(Abort("seven".into())));
    }
}
