//! The scenarios that are built in, and the profiles that scenarios are laid over.

use super::mistake::distance;
use super::{Mistake, Scenario};

/// The profiles: a name, and the text that stands for what a scenario leaves out.
pub const PROFILES: &[(&str, &str)] = &[
    ("calm", include_str!("../../profiles/calm.toml")),
    ("lossy", include_str!("../../profiles/lossy.toml")),
    ("chaos", include_str!("../../profiles/chaos.toml")),
];

/// The built-in scenarios: a name, and the text.
pub const LIBRARY: &[(&str, &str)] = &[
    ("tour", include_str!("../../scenarios/tour.toml")),
    ("calm", include_str!("../../scenarios/calm.toml")),
    ("lossy", include_str!("../../scenarios/lossy.toml")),
    ("chaos", include_str!("../../scenarios/chaos.toml")),
    ("leases", include_str!("../../scenarios/leases.toml")),
    ("churn", include_str!("../../scenarios/churn.toml")),
    ("figure-8", include_str!("../../scenarios/figure-8.toml")),
    ("single-server-change", include_str!("../../scenarios/single-server-change.toml")),
    ("rolled-back", include_str!("../../scenarios/rolled-back.toml")),
    ("endurance", include_str!("../../scenarios/endurance.toml")),
];

impl Scenario {
    /// A built-in scenario, over its own profile or the one given.
    ///
    /// # Errors
    /// If there is none of that name, or no such profile.
    pub fn built_in(name: &str, profile: Option<&str>) -> Result<Self, Mistake> {
        let Some((_, text)) = LIBRARY.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = LIBRARY.iter().map(|(known, _)| *known).collect();
            let nearest = known.iter().map(|known| (distance(known, name), known)).min();
            let hint = match nearest {
                Some((distance, known)) if distance <= 2 => format!("did you mean {known}?"),
                _ => format!("there are {}", known.join(", ")),
            };
            let what = format!(
                "there is no built-in scenario of this name; {hint} (a file is named by a path, ./{name}.toml)"
            );
            return Err(Mistake { file: name.into(), place: String::new(), what });
        };
        Self::read(name, text, profile)
    }
}
