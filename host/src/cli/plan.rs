//! What is to be run: a scenario with what the arguments change in it, or what a link tells of.

use super::paint::{self, BAD, FAINT, GOOD, grouped};
use super::{Problem, Run, What, files, wrong};
use crate::link::Link;
use crate::plan::{Header, Plan};
use crate::scenario::{Scenario, Setting};
use crate::trace::Digest;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// What is to be run, and where it comes from.
pub(super) struct Source {
    pub(super) plan: Plan,
    /// The link that told of it.
    pub(super) link: Option<Link>,
}

impl Source {
    /// What the arguments ask for.
    pub(super) fn of(args: &Run) -> Result<Self, Problem> {
        if let Some(text) = &args.link {
            let link = Link::decode(text).map_err(|broken| wrong(format!("--link: {broken}")))?;
            return Ok(Self { plan: link.plan.clone(), link: Some(link) });
        }
        let plan = Plan { scenario: scenario(&args.scenario, &args.what)?, seed: args.seed, interventions: Vec::new() };
        Ok(Self { plan, link: None })
    }
}

/// The link to a run, at the event that the link it was opened by looks at.
pub(super) fn share(header: &Header, digest: Digest, opened: Option<&Link>) -> String {
    let guest = header.guests.first().map_or("", String::as_str);
    let link = Link::new(header.plan.clone(), guest).with_digest(digest);
    Link { cursor: opened.and_then(|link| link.cursor), ..link }.encode()
}

/// A link that was opened, and whether the run was the one that it was made of.
pub(super) struct Opened {
    cursor: Option<u64>,
    same: Option<bool>,
    same_guest: bool,
}

impl Opened {
    pub(super) fn of(link: &Link, header: &Header, digest: Digest) -> Self {
        let same_guest = header.guests.first().is_some_and(|guest| link.is_by(guest));
        Self { cursor: link.cursor, same: link.is_of(digest), same_guest }
    }

    pub(super) fn is_well(&self) -> bool {
        self.same != Some(false)
    }

    pub(super) fn json(&self) -> Value {
        json!({ "cursor": self.cursor, "same": self.same, "same_guest": self.same_guest })
    }

    pub(super) fn tell(&self, out: &mut dyn Write) -> Result<(), Problem> {
        let (verdict, style) = match (self.same, self.same_guest) {
            (Some(true), _) => ("✓ this is the run that the link was made of", GOOD),
            (Some(false), true) => {
                ("✗ another run than the link was made of: the scenario, or raftbox, has changed", BAD)
            }
            (Some(false), false) => ("✗ another run than the link was made of: another guest ran it; see --guest", BAD),
            (None, _) => ("(it does not tell which run it was made of)", FAINT),
        };
        writeln!(out, "{FAINT}opened      {FAINT:#}{style}{verdict}{style:#}")?;
        if let Some(event) = self.cursor {
            writeln!(out, "{FAINT}cursor      {FAINT:#}event {}", grouped(event))?;
        }
        Ok(())
    }
}

/// The scenario that the arguments ask for.
pub(super) fn scenario(name: &str, args: &What) -> Result<Scenario, Problem> {
    let profile = args.profile.as_deref();
    let (path, variant) = match name.split_once(".toml:") {
        Some((path, variant)) => (format!("{path}.toml"), Some(variant)),
        None => (name.to_owned(), None),
    };
    let is_path =
        path.contains(['/', '\\']) || Path::new(&path).extension().is_some_and(|extension| extension == "toml");
    let mistake = |mistake: crate::scenario::Mistake| match profile {
        Some(profile) if mistake.what.starts_with("there is no profile") => {
            wrong(format!("--profile {profile}: {}", mistake.what))
        }
        _ => wrong(mistake.to_string()),
    };
    let mut scenario = if is_path {
        let text = files::read_text(Path::new(&path), "scenario file")?;
        Scenario::read_variant(&path, &text, variant, profile).map_err(mistake)?
    } else {
        Scenario::built_in(name, profile).map_err(mistake)?
    };
    let mut flags = Vec::new();
    if let Some(nodes) = args.nodes {
        scenario.nodes = nodes;
        flags.push(format!("--nodes {nodes}"));
    }
    if let Some(duration) = args.duration {
        scenario.duration = duration;
        flags.push(format!("--for {duration}"));
    }
    for (key, value) in &args.set {
        let setting = match (value.as_str(), value.parse()) {
            ("true", _) => Setting::Switch(true),
            ("false", _) => Setting::Switch(false),
            (_, Ok(number)) => Setting::Number(number),
            _ => Setting::Text(value.clone()),
        };
        scenario.node.insert(key.clone(), setting);
    }
    if !flags.is_empty() || !args.set.is_empty() || profile.is_some() {
        // What it expects it expects of itself as it is.
        scenario.expect = None;
    }
    scenario.check().map_err(|(key, what)| {
        wrong(match key.as_str() {
            "nodes" | "for" => format!("--{what}"),
            key if key.starts_with("node") => format!("--set: {what}"),
            _ => format!("{name} with {}: {what}", flags.join(" ")),
        })
    })?;
    Ok(scenario)
}

/// The command that makes the same run again.
pub(super) fn reproduce(args: &Run) -> String {
    match &args.link {
        // Of the flags only --guest goes with a link.
        Some(link) => format!("raftbox run --link {}{}", paint::quoted(link), flags(&args.what)),
        None => command(&args.scenario, args.seed, &args.what),
    }
}

/// The command that runs a seed of a scenario.
pub(super) fn command(scenario: &str, seed: u64, what: &What) -> String {
    format!("raftbox run {} --seed {seed}{}", paint::quoted(scenario), flags(what))
}

/// The flags that say what is run, each with a space before it.
pub(super) fn flags(what: &What) -> String {
    let mut words = Vec::new();
    words.extend(what.nodes.map(|nodes| format!("--nodes {nodes}")));
    words.extend(what.profile.as_ref().map(|profile| format!("--profile {}", paint::quoted(profile))));
    words.extend(what.duration.map(|duration| format!("--for {duration}")));
    words.extend(what.set.iter().map(|(name, value)| format!("--set {}", paint::quoted(&format!("{name}={value}")))));
    words.extend(what.guest.as_ref().map(|guest| format!("--guest {}", paint::quoted(&guest.to_string_lossy()))));
    words.iter().map(|word| format!(" {word}")).collect()
}
