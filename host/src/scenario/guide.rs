//! How scenarios are written, as a text for people.

/// The text, in Markdown: every key, every step and every fact, with an example of each.
pub const GUIDE: &str = include_str!("../../scenarios/README.md");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Fact;
    use crate::scenario::{Scenario, variants};

    /// The pieces of TOML in it.
    fn examples() -> Vec<&'static str> {
        let blocks = GUIDE.split("```toml\n").skip(1);
        blocks.map(|rest| rest.split_once("```").expect("a block ends").0).collect()
    }

    #[test]
    fn every_example_is_read() {
        for example in examples() {
            let whole = example.contains("nodes = 5") || example.contains("name = ");
            let text = if whole { example.to_owned() } else { format!("nodes = 5\n{example}") };
            Scenario::read("guide.toml", &text, None).unwrap_or_else(|mistake| panic!("{mistake}\n{example}"));
            for variant in variants("guide", &text) {
                Scenario::read_variant("guide.toml", &text, Some(&variant.name), None).unwrap();
            }
        }
        assert!(examples().len() >= 10);
    }

    #[test]
    fn every_row_of_facts_is_read() {
        let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `"));
        for quantity in rows.flat_map(|row| row.split(" | ").next().unwrap().split("`, `")) {
            let quantity = quantity.trim_end_matches('`');
            let read = |value: &str| format!("{quantity} = {value}").parse::<Fact>().is_ok();
            assert!(["3", "S1", "leader", "1s"].into_iter().any(read), "{quantity}");
        }
    }
}
