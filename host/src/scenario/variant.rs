//! Variants of a scenario: the same, but for what a table `[variant.NAME]` says otherwise.
//!
//! A variant says what it has of its own, laid over the file as the file is laid over its profile: another guest, another
//! setting, other expectations. Its steps come beside those of the file, behind them. It is known as `figure-8:by-count`.

use serde::de::IgnoredAny;
use serde::{Deserialize as _, Deserializer};
use std::collections::BTreeMap;

/// What a file says of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it is known as, the name of its scenario before its own: `figure-8:by-count`.
    pub whole: String,
    /// What is otherwise in it, in a sentence.
    pub about: String,
}

/// The name of a variant of a scenario, as it is known.
pub(crate) fn whole(scenario: &str, variant: &str) -> String {
    format!("{scenario}:{variant}")
}

/// The name of a scenario, and that of its variant if it is one, of what it is known as.
#[must_use]
pub fn parted(whole: &str) -> (&str, Option<&str>) {
    whole.split_once(':').map_or((whole, None), |(scenario, variant)| (scenario, Some(variant)))
}

/// The variants of the scenario of that name in a text, in the order of their names; none, if it cannot be read.
#[must_use]
pub fn variants(scenario: &str, text: &str) -> Vec<Variant> {
    let Ok(mut table) = toml::from_str::<toml::Table>(text) else { return Vec::new() };
    let about = |table: &toml::Table| table.get("about").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let variant =
        |(name, table): (String, toml::Table)| Variant { whole: whole(scenario, &name), about: about(&table), name };
    taken(&mut table).unwrap_or_default().into_iter().map(variant).collect()
}

/// The variants of a file, taken out of it.
pub(super) fn taken(file: &mut toml::Table) -> Result<BTreeMap<String, toml::Table>, String> {
    let Some(variants) = file.remove("variant") else { return Ok(BTreeMap::new()) };
    let toml::Value::Table(variants) = variants else {
        return Err("variant is no table; a variant is begun by [variant.NAME]".into());
    };
    let table = |(name, value): (String, toml::Value)| {
        let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        match value {
            toml::Value::Table(table) if is_name => Ok((name, table)),
            toml::Value::Table(_) => {
                Err(format!("{name:?} is no name of a variant: it has small letters, digits and - alone"))
            }
            _ => Err(format!("the variant {name} is no table; it is begun by [variant.{name}]")),
        }
    };
    variants.into_iter().map(table).collect()
}

/// Lays a variant over its file.
pub(super) fn lay(file: &mut toml::Table, variant: &toml::Table) {
    let mut variant = variant.clone();
    if let (Some(toml::Value::Array(steps)), Some(toml::Value::Array(own))) =
        (file.get_mut("step"), variant.get_mut("step"))
    {
        steps.append(own);
        variant.remove("step");
    }
    super::lay(file, &variant);
}

/// Reads the variants, which are no part of a scenario, and forgets them.
pub(super) fn passed_over<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(from).map(|_| ())
}
