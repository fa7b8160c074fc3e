//! Branches: what was done to a run, and what else was done to it instead.
//!
//! A [`Tree`] holds every course that somebody has given to one run. The first branch is the run as it was opened, and is
//! never changed. Acting at an event of a branch begins another, which does until there what its parent does, and from
//! there on what it is told; unless nobody has seen anything of the branch beyond that event: then the branch itself goes
//! on so. Whatever was seen is there for ever.
//!
//! A branch is data: a name, where it left its parent, and its interventions. [`Tree::plan`] makes a plan of it, which
//! runs like any other.

use crate::event::Micros;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::scenario::step::{Act, Step, When};
use serde::{Deserialize, Serialize};

/// A branch of a tree, from 0.
pub type BranchId = u32;

/// The most letters of a name.
const NAME_MAX: usize = 80;

/// Where a branch left another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// Which other.
    pub branch: BranchId,
    /// How many events they have in common at least.
    pub event: u64,
}

/// One course of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What people call it.
    pub name: String,
    /// Where it comes from; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Fork>,
    /// All that is done in it, its parents' part included.
    pub interventions: Vec<Step>,
    /// How many of its events anybody has seen.
    pub seen: u64,
}

/// Every course of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Tree {
    scenario: Scenario,
    seed: u64,
    branches: Vec<Branch>,
}

/// A tree as it is stored, not yet checked.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    scenario: Scenario,
    seed: u64,
    branches: Vec<Branch>,
}

/// Why something cannot be done to a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// There is no such branch.
    #[error("there is no branch {0}")]
    NoSuchBranch(BranchId),
    /// It is about nodes, clients or keys that there are not.
    #[error("{0}")]
    Act(String),
    /// A branch cannot be called so.
    #[error("a branch cannot be called {name:?}: {why}")]
    Name {
        /// How it was to be called.
        name: String,
        /// Why it cannot.
        why: &'static str,
    },
    /// What was stored is no tree.
    #[error("branch {0} {1}")]
    Stored(usize, &'static str),
}

impl Tree {
    /// The tree of a run that nothing was done to yet, but what its plan says.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let Plan { scenario, seed, interventions } = plan;
        let first = Branch { name: "as it was".into(), parent: None, interventions, seen: 0 };
        Self { scenario, seed, branches: vec![first] }
    }

    /// Every branch, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (BranchId, &Branch)> {
        (0..).zip(&self.branches)
    }

    /// A branch.
    ///
    /// # Errors
    /// If there is none of that number.
    pub fn branch(&self, id: BranchId) -> Result<&Branch, Wrong> {
        self.branches.get(id as usize).ok_or(Wrong::NoSuchBranch(id))
    }

    /// The plan that a branch is run by.
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn plan(&self, id: BranchId) -> Result<Plan, Wrong> {
        let interventions = self.branch(id)?.interventions.clone();
        Ok(Plan { scenario: self.scenario.clone(), seed: self.seed, interventions })
    }

    /// Somebody has seen so many events of a branch.
    ///
    /// # Errors
    /// If there is no such branch.
    pub fn see(&mut self, id: BranchId, events: u64) -> Result<(), Wrong> {
        self.branch(id)?;
        let seen = &mut self.branches[id as usize].seen;
        *seen = events.max(*seen);
        Ok(())
    }

    /// Somebody acts in a branch when it has so many events, at that time. Returns the branch in which that is done: a
    /// new one, or the same if nobody has seen more of it, and it is not the first.
    ///
    /// # Errors
    /// If there is no such branch, or the act is about what there is not.
    pub fn act(&mut self, id: BranchId, events: u64, at: Micros, act: Act) -> Result<BranchId, Wrong> {
        let branch = self.branch(id)?.clone();
        let step = Step { when: When::After(events), act };
        self.scenario.check_steps("interventions", std::slice::from_ref(&step)).map_err(|(_, what)| {
            let what = what.strip_prefix("step 1: ").unwrap_or(&what);
            Wrong::Act(what.to_owned())
        })?;
        let before = |step: &Step| match step.when {
            When::After(when) => when <= events,
            When::At(when) => when.0 <= at,
            // Only a scenario's steps wait for one another.
            When::Then(_) | When::Once(_) => true,
        };
        if id > 0 && branch.seen <= events && branch.interventions.iter().all(before) {
            let branch = &mut self.branches[id as usize];
            branch.interventions.push(step);
            branch.seen = events;
            return Ok(id);
        }
        let name = self.unused(&step.to_string());
        let mut interventions: Vec<Step> = branch.interventions.into_iter().filter(before).collect();
        interventions.push(step);
        let parent = Some(Fork { branch: id, event: events });
        self.branches.push(Branch { name, parent, interventions, seen: events });
        Ok(BranchId::try_from(self.branches.len() - 1).expect("there are fewer than 2³² branches"))
    }

    /// Calls a branch something else.
    ///
    /// # Errors
    /// If there is no such branch, or another one is called so, or nobody could read the name.
    pub fn rename(&mut self, id: BranchId, name: &str) -> Result<(), Wrong> {
        self.branch(id)?;
        let name = name.trim();
        let others = self.iter().filter(|(other, _)| *other != id);
        let why = flaw(name, others.map(|(_, branch)| branch.name.as_str()));
        match why {
            Some(why) => Err(Wrong::Name { name: name.into(), why }),
            None => {
                self.branches[id as usize].name = name.into();
                Ok(())
            }
        }
    }

    /// A name like this that no branch has.
    fn unused(&self, name: &str) -> String {
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX - 10).collect();
        let is_taken = |name: &String| self.branches.iter().any(|branch| branch.name == *name);
        let others = (2..).map(|n: u64| format!("{name} ({n})"));
        std::iter::once(name.clone()).chain(others).find(|name| !is_taken(name)).expect("there are numbers enough")
    }
}

/// What is wrong with a name, among others.
fn flaw<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.chars().count() > NAME_MAX {
        Some("it has more than 80 letters")
    } else if name.chars().any(char::is_control) {
        Some("it has letters that cannot be seen")
    } else {
        others.any(|other| other == name).then_some("another one is called so")
    }
}

impl From<Tree> for Raw {
    fn from(Tree { scenario, seed, branches }: Tree) -> Self {
        Self { scenario, seed, branches }
    }
}

impl TryFrom<Raw> for Tree {
    type Error = String;

    fn try_from(Raw { scenario, seed, branches }: Raw) -> Result<Self, String> {
        scenario.check().map_err(|(key, what)| format!("the scenario is wrong at {key}: {what}"))?;
        for (number, branch) in branches.iter().enumerate() {
            let wrong = |why| Wrong::Stored(number, why).to_string();
            let comes_later = |fork: Fork| fork.branch as usize >= number;
            match branch.parent {
                None if number > 0 => return Err(wrong("comes from nowhere")),
                Some(fork) if comes_later(fork) => return Err(wrong("comes from one that came later")),
                _ => {}
            }
            let others = branches[..number].iter().map(|branch| branch.name.as_str());
            if let Some(why) = flaw(&branch.name, others) {
                return Err(Wrong::Name { name: branch.name.clone(), why }.to_string());
            }
            scenario
                .check_steps("interventions", &branch.interventions)
                .map_err(|(_, what)| format!("branch {number}: {what}"))?;
        }
        if branches.is_empty() {
            return Err("there is no branch".into());
        }
        Ok(Self { scenario, seed, branches })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::step::Target;

    fn tree() -> Tree {
        Tree::new(Plan { scenario: Scenario::default(), seed: 1, interventions: Vec::new() })
    }

    fn crash(node: u32) -> Act {
        Act::Crash(Target::Node(node), None)
    }

    fn whens(tree: &Tree, id: BranchId) -> Vec<String> {
        tree.plan(id).unwrap().interventions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn acting_in_the_past_begins_a_branch_and_keeps_what_was_there() {
        let mut tree = tree();
        tree.see(0, 5_000).unwrap();
        let one = tree.act(0, 1_000, 100_000, crash(1)).unwrap();
        assert_eq!(one, 1);
        assert_eq!(tree.branch(1).unwrap().parent, Some(Fork { branch: 0, event: 1_000 }));
        tree.see(1, 4_000).unwrap();
        let two = tree.act(1, 2_000, 200_000, crash(2)).unwrap();
        let three = tree.act(1, 500, 50_000, crash(3)).unwrap();
        assert_eq!((two, three), (2, 3));
        assert!(whens(&tree, 0).is_empty());
        assert_eq!(whens(&tree, 1), ["crash S1 after 1000 events"]);
        assert_eq!(whens(&tree, 2), ["crash S1 after 1000 events", "crash S2 after 2000 events"]);
        assert_eq!(whens(&tree, 3), ["crash S3 after 500 events"]);
    }

    #[test]
    fn acting_where_nobody_has_seen_more_goes_on_with_the_branch() {
        let mut tree = tree();
        let one = tree.act(0, 1_000, 100_000, crash(1)).unwrap();
        assert_eq!(tree.act(one, 1_000, 100_000, crash(2)), Ok(one), "twice at one moment");
        tree.see(one, 1_500).unwrap();
        assert_eq!(tree.act(one, 1_500, 150_000, crash(3)), Ok(one));
        assert_eq!(tree.act(one, 1_499, 149_000, crash(4)), Ok(one + 1));
        assert_eq!(whens(&tree, one).len(), 3);
        assert_eq!(whens(&tree, one + 1).len(), 3);
        assert!(whens(&tree, 0).is_empty(), "the run as it was is never changed");
    }

    #[test]
    fn a_step_at_a_time_is_kept_if_its_time_had_come() {
        let at = |at| Step { when: When::At(crate::units::Span(at)), act: crash(1) };
        let interventions = vec![at(100), at(200)];
        let mut tree = Tree::new(Plan { scenario: Scenario::default(), seed: 1, interventions });
        let one = tree.act(0, 10, 150, crash(2)).unwrap();
        assert_eq!(whens(&tree, one), ["crash S1 at 100us", "crash S2 after 10 events"]);
    }

    #[test]
    fn names_are_one_of_a_kind_and_can_be_read() {
        let mut tree = tree();
        tree.see(0, 10).unwrap();
        let one = tree.act(0, 5, 0, crash(1)).unwrap();
        let two = tree.act(0, 5, 0, crash(1)).unwrap();
        assert_eq!(tree.branch(two).unwrap().name, "crash S1 after 5 events (2)");
        tree.rename(one, " without S1 ").unwrap();
        assert_eq!(tree.branch(one).unwrap().name, "without S1");
        tree.rename(one, "without S1").unwrap();
        let told = |wrong: Result<(), Wrong>| wrong.unwrap_err().to_string();
        assert_eq!(
            told(tree.rename(two, "without S1")),
            "a branch cannot be called \"without S1\": another one is called so"
        );
        assert_eq!(told(tree.rename(two, " ")), "a branch cannot be called \"\": it is empty");
        assert!(told(tree.rename(two, &"x".repeat(81))).ends_with("it has more than 80 letters"));
        assert_eq!(told(tree.rename(9, "x")), "there is no branch 9");
        assert_eq!(tree.act(0, 5, 0, crash(9)).unwrap_err().to_string(), "there is no S9; the last is S5");
    }

    #[test]
    fn a_tree_is_read_as_it_was_stored_and_checked() {
        let mut tree = tree();
        tree.see(0, 10).unwrap();
        tree.act(0, 5, 0, crash(1)).unwrap();
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
        let told = |old, new| {
            let text = text.replace(old, new);
            serde_json::from_str::<Tree>(&text).unwrap_err().to_string()
        };
        assert_eq!(told("\"branch\":0", "\"branch\":1"), "branch 1 comes from one that came later");
        assert_eq!(told("\"node\":\"S1\"", "\"node\":\"S7\""), "branch 1: step 1: there is no S7; the last is S5");
        assert_eq!(told("\"parent\":{\"branch\":0,\"event\":5},", ""), "branch 1 comes from nowhere");
    }
}
