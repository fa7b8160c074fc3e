//! The scenarios that are built in, and the profiles that scenarios are laid over.

use super::mistake::distance;
use super::{Mistake, Scenario, parted};

/// The profiles: a name, and the text that stands for what a scenario leaves out.
pub const PROFILES: &[(&str, &str)] = &[
    ("calm", include_str!("../../profiles/calm.toml")),
    ("lossy", include_str!("../../profiles/lossy.toml")),
    ("chaos", include_str!("../../profiles/chaos.toml")),
    ("scripted", include_str!("../../profiles/scripted.toml")),
];

/// The built-in scenarios: a name, and the text.
pub const LIBRARY: &[(&str, &str)] = &[
    ("tour", include_str!("../../scenarios/tour.toml")),
    ("calm", include_str!("../../scenarios/calm.toml")),
    ("lossy", include_str!("../../scenarios/lossy.toml")),
    ("chaos", include_str!("../../scenarios/chaos.toml")),
    ("leases", include_str!("../../scenarios/leases.toml")),
    ("churn", include_str!("../../scenarios/churn.toml")),
    ("endurance", include_str!("../../scenarios/endurance.toml")),
    // Situations that teach, each with what is to be seen in it.
    ("split-vote", include_str!("../../scenarios/split-vote.toml")),
    ("two-leaders", include_str!("../../scenarios/two-leaders.toml")),
    ("figure-7", include_str!("../../scenarios/figure-7.toml")),
    ("figure-8", include_str!("../../scenarios/figure-8.toml")),
    ("denied-vote", include_str!("../../scenarios/denied-vote.toml")),
    ("silent-leader", include_str!("../../scenarios/silent-leader.toml")),
    ("disruptive-rejoin", include_str!("../../scenarios/disruptive-rejoin.toml")),
    ("removed-server", include_str!("../../scenarios/removed-server.toml")),
    ("partial-partition", include_str!("../../scenarios/partial-partition.toml")),
    ("one-link-down", include_str!("../../scenarios/one-link-down.toml")),
    ("stale-read", include_str!("../../scenarios/stale-read.toml")),
    ("slow-clock", include_str!("../../scenarios/slow-clock.toml")),
    ("duplicate-request", include_str!("../../scenarios/duplicate-request.toml")),
    ("duplicate-after-snapshot", include_str!("../../scenarios/duplicate-after-snapshot.toml")),
    ("late-append", include_str!("../../scenarios/late-append.toml")),
    ("heartbeat", include_str!("../../scenarios/heartbeat.toml")),
    ("commit-beyond", include_str!("../../scenarios/commit-beyond.toml")),
    ("vote-lost", include_str!("../../scenarios/vote-lost.toml")),
    ("single-server-change", include_str!("../../scenarios/single-server-change.toml")),
    ("snapshot-race", include_str!("../../scenarios/snapshot-race.toml")),
    ("stalled-disk", include_str!("../../scenarios/stalled-disk.toml")),
    ("empty-voter", include_str!("../../scenarios/empty-voter.toml")),
    ("empty-voter-at-once", include_str!("../../scenarios/empty-voter-at-once.toml")),
    ("rolled-back", include_str!("../../scenarios/rolled-back.toml")),
    // What the tests of well-known courses are called: to watch the one that fails.
    ("lab-initial-election", include_str!("../../scenarios/lab-initial-election.toml")),
    ("lab-re-election", include_str!("../../scenarios/lab-re-election.toml")),
    ("lab-many-elections", include_str!("../../scenarios/lab-many-elections.toml")),
    ("lab-basic-agree", include_str!("../../scenarios/lab-basic-agree.toml")),
    ("lab-fail-agree", include_str!("../../scenarios/lab-fail-agree.toml")),
    ("lab-fail-no-agree", include_str!("../../scenarios/lab-fail-no-agree.toml")),
    ("lab-concurrent-starts", include_str!("../../scenarios/lab-concurrent-starts.toml")),
    ("lab-rejoin", include_str!("../../scenarios/lab-rejoin.toml")),
    ("lab-backup", include_str!("../../scenarios/lab-backup.toml")),
    ("lab-persist-1", include_str!("../../scenarios/lab-persist-1.toml")),
    ("lab-persist-2", include_str!("../../scenarios/lab-persist-2.toml")),
    ("lab-persist-3", include_str!("../../scenarios/lab-persist-3.toml")),
    ("lab-unreliable-agree", include_str!("../../scenarios/lab-unreliable-agree.toml")),
    ("lab-figure-8-unreliable", include_str!("../../scenarios/lab-figure-8-unreliable.toml")),
    ("lab-churn", include_str!("../../scenarios/lab-churn.toml")),
    ("lab-churn-unreliable", include_str!("../../scenarios/lab-churn-unreliable.toml")),
    ("lab-snapshot-basic", include_str!("../../scenarios/lab-snapshot-basic.toml")),
    ("lab-snapshot-install", include_str!("../../scenarios/lab-snapshot-install.toml")),
    ("lab-snapshot-install-unreliable", include_str!("../../scenarios/lab-snapshot-install-unreliable.toml")),
    ("lab-snapshot-crash", include_str!("../../scenarios/lab-snapshot-crash.toml")),
    ("lab-snapshot-crash-all", include_str!("../../scenarios/lab-snapshot-crash-all.toml")),
];

/// The text of a built-in scenario, in which its variants are as well.
#[must_use]
pub fn text_of(name: &str) -> Option<&'static str> {
    LIBRARY.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Scenario {
    /// A built-in scenario, over its own profile or the one given; or a variant of one, `figure-8:by-count`.
    ///
    /// # Errors
    /// If there is none of that name, or no such variant or profile.
    pub fn built_in(whole: &str, profile: Option<&str>) -> Result<Self, Mistake> {
        let (name, variant) = parted(whole);
        let Some(text) = text_of(name) else {
            let known: Vec<_> = LIBRARY.iter().map(|(known, _)| *known).collect();
            let nearest = known.iter().map(|known| (distance(known, name), known)).min();
            let hint = match nearest {
                Some((distance, known)) if distance <= 2 => format!("did you mean {known}?"),
                _ => "`raftbox scenarios` lists those that there are".into(),
            };
            let what = format!(
                "there is no built-in scenario of this name; {hint} (a file is named by a path, ./{name}.toml)"
            );
            return Err(Mistake { file: name.into(), place: String::new(), what });
        };
        Self::read_variant(name, text, variant, profile)
    }
}
