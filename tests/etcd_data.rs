//! Quorums and changes of membership, held against the test data of etcd's Raft.
//!
//! The data is no part of this repository: it lies beside it, in `shared/data`, where there is such a folder, and the tests
//! say that they are skipped where there is not (`RAFTBOX_REQUIRE_DATA` makes that a failure). A file is a list of cases: a
//! command with arguments, more lines of input, `----`, and what is expected, up to an empty line. All of it is compared, to
//! the last space.

use raftbox_node::raft::{Change, ChangeError, Configuration, Tally, committed, tally};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// One case of a file.
struct Case {
    /// The file and the line where it begins.
    place: String,
    command: String,
    /// `key=value`, or `key=(a,b)`.
    arguments: Vec<(String, Vec<String>)>,
    input: String,
    expected: String,
}

impl Case {
    /// The values of an argument.
    fn argument(&self, key: &str) -> Option<&[String]> {
        self.arguments.iter().find(|(name, _)| name == key).map(|(_, values)| values.as_slice())
    }

    /// The nodes that an argument names.
    fn nodes(&self, key: &str) -> Vec<u32> {
        self.argument(key).unwrap_or_default().iter().map(|id| id.parse().unwrap()).collect()
    }
}

/// The arguments of a command line; there may be spaces within parentheses.
fn arguments(mut text: &str) -> Vec<(String, Vec<String>)> {
    let mut arguments = Vec::new();
    while let Some((key, rest)) = text.trim_start().split_once('=') {
        let (values, after) = match rest.strip_prefix('(') {
            Some(list) => list.split_once(')').expect("a list ends"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        let values = values.split(',').map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        arguments.push((key.to_owned(), values.collect()));
        text = after;
    }
    arguments
}

/// The cases of a file.
fn cases(path: &Path, text: &str) -> Vec<Case> {
    let mut lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    let mut cases = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut until = |end: &str| {
            let taken: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != end).collect();
            taken.join("\n")
        };
        let (input, expected) = (until("----"), until(""));
        let place = format!("{}:{number}", path.display());
        let command = command.to_owned();
        cases.push(Case { place, command, arguments: arguments(rest), input, expected });
    }
    cases
}

/// Runs every case of every file in a folder of the data; each file begins with a new `T`.
fn run<T: Default>(folder: &str, mut answer: impl FnMut(&mut T, &Case) -> String) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    let Ok(files) = fs::read_dir(&data) else {
        assert!(env::var_os("RAFTBOX_REQUIRE_DATA").is_none(), "there is no {}", data.display());
        eprintln!("SKIPPED, and nothing was tested: there is no {}", data.display());
        return;
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let mut state = T::default();
        let text = fs::read_to_string(&file).unwrap();
        let cases = cases(&file, &text);
        let answers = text.lines().filter(|line| *line == "----").count();
        assert!(answers > 0 && cases.len() == answers, "{}: {} cases of {answers}", file.display(), cases.len());
        for case in cases {
            assert_eq!(answer(&mut state, &case), case.expected, "{}", case.place);
        }
    }
}

/// How far each voter is, as the data draws it: a bar as long as there are voters before it.
fn drawn(voters: &BTreeMap<u32, Option<u64>>) -> String {
    let mut ranked: Vec<(u64, u32)> = voters.iter().map(|(id, index)| (index.unwrap_or(0), *id)).collect();
    ranked.sort_unstable();
    let width = voters.len();
    let mut text = format!("{}    idx\n", " ".repeat(width));
    for (id, index) in voters {
        let bar = ranked.iter().position(|(other, _)| *other == index.unwrap_or(0)).unwrap_or(0);
        let mark = match index {
            Some(_) => format!("{}>{}", "x".repeat(bar), " ".repeat(width - bar)),
            None => format!("?{}", " ".repeat(width)),
        };
        writeln!(text, "{mark} {:>5}    (id={id})", index.unwrap_or(0)).unwrap();
    }
    text
}

#[test]
fn quorums_decide_as_those_of_etcd_do() {
    run("quorum", |(): &mut (), case| {
        let (incoming, outgoing) = (
            case.nodes("cfg"),
            if case.argument("cfgj") == Some(&["zero".to_owned()]) { Vec::new() } else { case.nodes("cfgj") },
        );
        let configuration = Configuration::joint(incoming.clone(), outgoing.clone(), []);
        // Values are given for the voters of both sets in order, and once for a voter of both.
        let mut voters = incoming;
        voters.extend(outgoing.into_iter().filter(|id| !configuration.voters().contains(id)));
        let given = case.argument("idx").or(case.argument("votes")).unwrap_or_default();
        let values: BTreeMap<u32, &str> = voters.iter().copied().zip(given.iter().map(String::as_str)).collect();
        let value = |id: u32| values.get(&id).copied().filter(|value| *value != "_");
        match case.command.as_str() {
            "committed" => {
                let index = |id: u32| value(id).map(|index| index.parse::<u64>().unwrap());
                let committed = committed(&configuration, |id| index(id).unwrap_or(0));
                let known = voters.iter().map(|id| (*id, index(*id))).collect::<BTreeMap<_, _>>();
                let table = if known.is_empty() { "<empty majority quorum>".to_owned() } else { drawn(&known) };
                format!("{table}{}", if committed == u64::MAX { "∞".to_owned() } else { committed.to_string() })
            }
            "vote" => {
                let tally = tally(&configuration, |id| value(id).map(|vote| vote == "y"));
                match tally {
                    Tally::Won => "VoteWon".into(),
                    Tally::Lost => "VoteLost".into(),
                    Tally::Pending => "VotePending".into(),
                }
            }
            other => panic!("{}: there is no command {other}", case.place),
        }
    });
}

/// A configuration that changes, and when each member came.
#[derive(Default)]
struct Changing {
    configuration: Option<Configuration>,
    /// The number of the command by which each member came, which the data calls its next index.
    came: BTreeMap<u32, u64>,
    commands: u64,
}

/// An error in the words of the data.
fn theirs(error: ChangeError) -> &'static str {
    match error {
        ChangeError::NoVoters => "removed all voters",
        ChangeError::NoVotersBefore => "can't make a zero-voter config joint",
        ChangeError::NotSimple { .. } => "more than one voter changed without entering joint config",
        ChangeError::Joint => "config is already joint",
        ChangeError::NotJoint => "can't leave a non-joint config",
    }
}

/// A configuration in the words of the data, and a line for each of its members.
fn told(configuration: &Configuration, came: &BTreeMap<u32, u64>) -> String {
    let list = |ids: &[u32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut text = format!("voters=({})", list(configuration.voters()));
    if configuration.is_joint() {
        write!(text, "&&({})", list(configuration.outgoing())).unwrap();
    }
    for (name, ids) in [("learners", configuration.learners()), ("learners_next", configuration.learners_next())] {
        if !ids.is_empty() {
            write!(text, " {name}=({})", list(ids)).unwrap();
        }
    }
    if configuration.leaves_itself() {
        text.push_str(" autoleave");
    }
    for (id, next) in came {
        let learner = if configuration.learners().contains(id) { " learner" } else { "" };
        write!(text, "\n{id}: StateProbe match=0 next={next}{learner}").unwrap();
    }
    text
}

#[test]
fn memberships_change_as_those_of_etcd_do() {
    run("confchange", |state: &mut Changing, case| {
        let changes: Vec<Change> = case.input.split_whitespace().map(change).collect();
        let before = state.configuration.clone().unwrap_or_else(|| Configuration::new([], []));
        let changed = match case.command.as_str() {
            "simple" => before.changed(&changes),
            "enter-joint" => before.entered(&changes, case.argument("autoleave") == Some(&["true".to_owned()])),
            "leave-joint" => before.left(),
            other => panic!("{}: there is no command {other}", case.place),
        };
        let number = state.commands;
        state.commands += 1;
        match changed {
            Err(ChangeError::Joint) if case.command == "simple" => {
                "can't apply simple config change in joint config".into()
            }
            Err(error) => theirs(error).into(),
            Ok(configuration) => {
                state.came.retain(|id, _| configuration.members().any(|member| member == *id));
                for id in configuration.members() {
                    state.came.entry(id).or_insert(number.max(1));
                }
                let text = told(&configuration, &state.came);
                state.configuration = Some(configuration);
                text
            }
        }
    });
}

/// A change in the letters of the data.
fn change(text: &str) -> Change {
    let id = text[1..].parse().unwrap();
    match &text[..1] {
        "v" => Change::Voter(id),
        "l" => Change::Learner(id),
        "r" => Change::Remove(id),
        other => panic!("there is no change {other}"),
    }
}
