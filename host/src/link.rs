//! Share links: a plan, and where in its run one is, as a text that fits behind the `#` of an address.
//!
//! A [`Link`] is packed into few bytes, which are written in the 64 letters that an address takes as they are. A built-in scenario is its name; another one is what it says beyond its profile, as TOML, with its steps packed as
//! interventions are; so a hundred interventions fit into less than 2,000 letters. The version comes first and a checksum
//! last, so that a link that was cut short on its way is told from one of another raftbox.
//!
//! What a link cannot hold is the guest: it has the first bytes of its hash, and of the digest that the run is to have,
//! so that whoever opens it can tell whether they see the same run.

use crate::plan::Plan;
use crate::scenario::pack::{Pack as _, Reader};
use crate::scenario::step::Step;
use crate::scenario::{LIBRARY, Scenario, Table};
use crate::trace::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xxhash_rust::xxh3::xxh3_64;

/// The version of the format, the first byte of a link.
pub const FORMAT: u8 = 1;

/// The most letters that a link is read with.
pub const LETTERS_MAX: usize = 256 << 10;

/// A run to be opened by somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is run.
    pub plan: Plan,
    /// The first 4 bytes of the SHA-256 of the guest that ran it.
    pub guest: [u8; 4],
    /// The first 8 bytes of the digest that the run had, if it was run to its end.
    pub digest: Option<[u8; 8]>,
    /// The event that is looked at.
    pub cursor: Option<u64>,
}

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// There is nothing.
    #[error("this link is empty; `raftbox run --share` prints one")]
    Empty,
    /// It is too long.
    #[error("this link has {0} letters, and one has at most {LETTERS_MAX}")]
    TooLong(usize),
    /// It holds a letter that no link has.
    #[error("this is no link: {letter:?}, its letter {place}, is none that a link has; copy it again")]
    Letter {
        /// Which.
        letter: char,
        /// Where, from 1.
        place: usize,
    },
    /// It is of another version.
    #[error(
        "this link is of format {0}, and this raftbox reads format {FORMAT}; open it with the raftbox that made it"
    )]
    Version(u8),
    /// Something of it is missing, or another.
    #[error("this link is damaged, or was cut short; copy it again, whole")]
    Damaged,
    /// It is whole, and cannot be read.
    #[error("this link tells of something that this raftbox does not know: {0}; open it with the raftbox that made it")]
    Unknown(String),
    /// Its plan does not make sense.
    #[error("this link is wrong at {key}: {what}")]
    Plan {
        /// The key that is to blame.
        key: String,
        /// What is wrong with it.
        what: String,
    },
}

/// How the scenario is told.
mod kind {
    pub(super) const BUILT_IN: u64 = 0;
    pub(super) const DIFFERENCE: u64 = 1;
    pub(super) const WHOLE: u64 = 2;
}

impl Link {
    /// A link to a plan that a guest of that hash, in hex, runs.
    #[must_use]
    pub fn new(plan: Plan, guest_sha256: &str) -> Self {
        Self { plan, guest: guest_of(guest_sha256), digest: None, cursor: None }
    }

    /// The same, telling of the run's digest.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Self {
        Self { digest: Some(head(digest)), ..self }
    }

    /// Whether a run with that digest is the one that the link was made of; `None` if it does not tell.
    #[must_use]
    pub fn is_of(&self, digest: Digest) -> Option<bool> {
        self.digest.map(|told| told == head(digest))
    }

    /// Whether a guest of that hash, in hex, is the one that ran it.
    #[must_use]
    pub fn is_by(&self, guest_sha256: &str) -> bool {
        self.guest == guest_of(guest_sha256)
    }

    /// The link as a text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = vec![FORMAT];
        self.plan.seed.pack(&mut out);
        out.extend_from_slice(&self.guest);
        out.push(u8::from(self.digest.is_some()));
        out.extend(self.digest.into_iter().flatten());
        self.cursor.map_or(0, |event| event.saturating_add(1)).pack(&mut out);
        pack_scenario(&self.plan.scenario, &mut out);
        pack_steps(&self.plan.interventions, &mut out);
        let check = xxh3_64(&out).to_le_bytes();
        out.extend_from_slice(&check[..4]);
        URL_SAFE_NO_PAD.encode(out)
    }

    /// Reads a link, or an address that ends with one behind a `#`.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn decode(text: &str) -> Result<Self, Broken> {
        let text = text.trim();
        let text = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
        if text.is_empty() {
            return Err(Broken::Empty);
        }
        if text.len() > LETTERS_MAX {
            return Err(Broken::TooLong(text.len()));
        }
        let strange = |(_, letter): &(usize, char)| !letter.is_ascii_alphanumeric() && !['-', '_'].contains(letter);
        if let Some((place, letter)) = (1..).zip(text.chars()).find(strange) {
            return Err(Broken::Letter { letter, place });
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Broken::Damaged)?;
        let (body, check) = bytes.split_last_chunk::<4>().ok_or(Broken::Damaged)?;
        match body.first() {
            Some(&FORMAT) => {}
            Some(&version) if xxh3_64(body).to_le_bytes()[..4] == *check => return Err(Broken::Version(version)),
            _ => return Err(Broken::Damaged),
        }
        if xxh3_64(body).to_le_bytes()[..4] != *check {
            return Err(Broken::Damaged);
        }
        Self::read(&mut Reader(&body[1..]))
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Broken> {
        let unknown = |what: &str| Broken::Unknown(what.into());
        let heads = |from: &mut Reader<'_>| {
            let (seed, guest) = (u64::unpack(from)?, from.take(4)?.try_into().ok()?);
            let digest = match from.take(1)? {
                [0] => None,
                [1] => Some(from.take(8)?.try_into().ok()?),
                _ => return None,
            };
            Some((seed, guest, digest, u64::unpack(from)?.checked_sub(1)))
        };
        let (seed, guest, digest, cursor) = heads(from).ok_or_else(|| unknown("its head"))?;
        let scenario = unpack_scenario(from)?;
        let interventions = unpack_steps(from)?;
        if !from.0.is_empty() {
            return Err(unknown("what follows its end"));
        }
        let plan = |(key, what)| Broken::Plan { key, what };
        scenario.check().map_err(plan)?;
        scenario.check_steps("interventions", &interventions).map_err(plan)?;
        Ok(Self { plan: Plan { scenario, seed, interventions }, guest, digest, cursor })
    }
}

/// The first bytes of a digest, as it is written.
fn head(digest: Digest) -> [u8; 8] {
    let [head @ .., _, _, _, _, _, _, _, _] = digest.0.to_be_bytes();
    head
}

/// The first bytes of a hash in hex; of what is no such hash, zeros.
fn guest_of(sha256: &str) -> [u8; 4] {
    let first = sha256.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    first.unwrap_or_default().to_be_bytes()
}

fn pack_steps(steps: &[Step], out: &mut Vec<u8>) {
    (steps.len() as u64).pack(out);
    let mut before = [0; 2];
    steps.iter().for_each(|step| Table::from(step.clone()).pack(&mut before, out));
}

fn unpack_steps(from: &mut Reader<'_>) -> Result<Vec<Step>, Broken> {
    let unknown = |number: u64| Broken::Unknown(format!("its step {number}"));
    let count = u64::unpack(from).ok_or_else(|| unknown(0))?;
    let mut before = [0; 2];
    let mut steps = Vec::new();
    for number in 1..=count {
        let table = Table::unpack(&mut before, from).ok_or_else(|| unknown(number))?;
        let wrong = |what| Broken::Plan { key: format!("step {number}"), what };
        steps.push(Step::try_from(table).map_err(wrong)?);
    }
    Ok(steps)
}

fn pack_scenario(scenario: &Scenario, out: &mut Vec<u8>) {
    let known = LIBRARY.iter().any(|(name, _)| *name == scenario.name);
    if known && Scenario::built_in(&scenario.name, None).as_ref() == Ok(scenario) {
        kind::BUILT_IN.pack(out);
        scenario.name.pack(out);
    } else if let Some(text) = difference(scenario) {
        kind::DIFFERENCE.pack(out);
        text.pack(out);
        pack_steps(&scenario.step, out);
    } else {
        kind::WHOLE.pack(out);
        serde_json::to_string(scenario).expect("every field has a JSON form").pack(out);
    }
}

fn unpack_scenario(from: &mut Reader<'_>) -> Result<Scenario, Broken> {
    let unknown = |what: &str| Broken::Unknown(what.into());
    let mistake = |mistake: crate::scenario::Mistake| Broken::Plan { key: "its scenario".into(), what: mistake.what };
    let kind = u64::unpack(from).ok_or_else(|| unknown("its scenario"))?;
    let text = String::unpack(from).ok_or_else(|| unknown("its scenario"))?;
    match kind {
        kind::BUILT_IN => Scenario::built_in(&text, None).map_err(mistake),
        kind::DIFFERENCE => {
            let scenario = Scenario::read("link", &text, None).map_err(mistake)?;
            Ok(Scenario { step: unpack_steps(from)?, ..scenario })
        }
        kind::WHOLE => serde_json::from_str(&text)
            .map_err(|error| Broken::Plan { key: "its scenario".into(), what: error.to_string() }),
        _ => Err(unknown("its scenario")),
    }
}

/// What a scenario says beyond its profile, its steps aside, as TOML from which it is read again; `None` if it takes
/// something of its profile away, which TOML cannot say.
fn difference(scenario: &Scenario) -> Option<String> {
    let alone = Scenario { step: Vec::new(), ..scenario.clone() };
    let base = Scenario::read("profile", "", Some(&scenario.profile)).ok()?;
    let mut table = toml::Table::try_from(&alone).ok()?;
    strip(&mut table, &toml::Table::try_from(&base).ok()?);
    table.insert("profile".into(), scenario.profile.clone().into());
    let text = toml::to_string(&table).ok()?;
    (Scenario::read("link", &text, None).as_ref() == Ok(&alone)).then_some(text)
}

/// Takes out of a table what is the same in another.
fn strip(table: &mut toml::Table, base: &toml::Table) {
    table.retain(|key, value| match (value, base.get(key)) {
        (toml::Value::Table(table), Some(toml::Value::Table(base))) => {
            strip(table, base);
            !table.is_empty()
        }
        (value, other) => Some(&*value) != other,
    });
}

#[cfg(test)]
mod tests;
