//! What scripts that run scenarios share: keys of commands, as TOML.

use goldenscript::Command;

/// A command's keys as lines of TOML: what does not look like a number, a list, a table or a switch is a text.
pub(crate) fn keys(command: &Command) -> String {
    let mut lines = String::new();
    let mut arguments = command.consume_args();
    while let Some((key, value)) = arguments.next_key() {
        let text =
            ["loss", "duplicate", "reorder", "late", "survive", "key", "value", "expect", "answer"].contains(&key);
        let bare = !text && value.parse::<i64>().is_ok()
            || value.starts_with(['[', '{'])
            || value == "true"
            || value == "false";
        let line = if bare { format!("{key} = {value}\n") } else { format!("{key} = {value:?}\n") };
        lines.push_str(&line);
    }
    lines
}

/// The positional arguments of a command.
pub(crate) fn words(command: &Command) -> Vec<String> {
    let mut arguments = command.consume_args();
    std::iter::from_fn(|| arguments.next_pos().map(str::to_owned)).collect()
}
