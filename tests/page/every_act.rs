//! Each thing that can be done to a run, by mouse, by touch and by keyboard: it is the step that its button says, with the
//! digest that the same step has natively.

use super::by_hand::events;
use super::support::{Page, with_page};
use super::{digest, with_steps};
use raftbox::event::{Endpoint, MessageName};
use raftbox::link::Link;
use raftbox::plan::Header;
use raftbox::scenario::step::{Act, Ask, Jump, Later, Mail, Message, Name, Question, ReadMode, Survive, Syncs, Target};
use raftbox::units::Span;
use raftbox_tests::header;
use serde_json::json;

/// How somebody presses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Mouse,
    Touch,
    Key,
}

/// What is selected first.
#[derive(Clone, Copy, Debug)]
enum Of {
    Cluster,
    Node(u32),
    Link(u32, u32),
    Message,
}

/// What is pressed, in order; a field is set to a value first.
enum Hand {
    Press(&'static str),
    Set(&'static str, &'static str),
}

use Hand::{Press, Set};

/// Something to do: what came before it, each by its button; what is pressed; and what it is.
struct Case {
    of: Of,
    before: Vec<(Of, &'static str, Act)>,
    hands: Vec<Hand>,
    act: Act,
}

fn case(of: Of, button: &'static str, act: Act) -> Case {
    Case { of, before: Vec::new(), hands: vec![Press(button)], act }
}

fn after(of: Of, (first, first_act): (&'static str, Act), button: &'static str, act: Act) -> Case {
    Case { before: vec![(of, first, first_act)], ..case(of, button, act) }
}

/// A number in the field whose label begins so, and the button beside it.
fn number(of: Of, field: &'static str, value: &'static str, button: &'static str, act: Act) -> Case {
    Case { hands: vec![Set(field, value), Press(button)], ..case(of, button, act) }
}

/// A short run in which nothing goes wrong.
fn quiet() -> Header {
    header("calm", 3, |scenario| scenario.duration = Span(1_500_000))
}

fn names(nodes: impl IntoIterator<Item = u32>) -> Vec<Name> {
    nodes.into_iter().map(|node| Name(Endpoint::Node(node))).collect()
}

impl Page<'_> {
    fn press(&self, by: By, what: &str) {
        match by {
            By::Mouse => self.click(what),
            By::Touch => self.tap(what),
            By::Key => {
                self.middle(what);
                self.js("found(args).focus()", &json!(what));
                for kind in ["keyDown", "keyUp"] {
                    let text = if kind == "keyDown" { "\r" } else { "" };
                    let params = json!({ "type": kind, "key": "Enter", "text": text, "windowsVirtualKeyCode": 13 });
                    self.browser.devtools("Input.dispatchKeyEvent", &params).unwrap();
                }
            }
        }
    }

    fn select(&self, by: By, of: Of) {
        match (of, by) {
            (Of::Cluster, _) => {
                // What was chosen there before is forgotten.
                self.key("1", 0);
                self.key("Escape", 27);
            }
            (Of::Node(node), By::Key) => self.key(&node.to_string(), 0),
            (Of::Node(node), by) => self.press(by, &format!("[data-node='{node}'] .name")),
            (Of::Link(_, to), By::Key) => (1..to).for_each(|_| self.key("l", 0)),
            (Of::Link(a, b), by) => {
                // Where no message lies over it.
                self.press(by, &format!("[data-link='{a}-{b}'] .target"));
            }
            (Of::Message, By::Key) => self.key("m", 0),
            (Of::Message, by) => {
                let name = self.first_message();
                self.press(by, &format!("#ring [data-message='{name}'] path"));
            }
        }
        let there = "await until('selected it', () => $('.do h2')?.textContent.startsWith(args))";
        let first = match of {
            Of::Cluster => "The cluster".to_owned(),
            Of::Node(node) => format!("S{node}"),
            Of::Link(a, b) => format!("S{a} – S{b}"),
            Of::Message => self.first_message(),
        };
        self.js(there, &json!(first));
    }

    /// The message that was sent first of those on their way.
    fn first_message(&self) -> String {
        let script = "
            const key = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            if (!$('.message.selected')) {
                key('m');
                await turn();
                const { message } = $('#ring .message.selected').dataset;
                key('Escape');
                await turn();
                return message;
            }
            return $('#ring .message.selected').dataset.message";
        self.js(script, &json!(null)).as_str().unwrap().to_owned()
    }

    /// At the moment at which things are done: there is a leader, and it has messages on their way.
    fn at_work(&self) -> u64 {
        self.set("#scrub", "700000", "input");
        self.js(
            "for (let left = 40; left && document.querySelectorAll('#ring .message').length !== 3; left--) {
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
            await turn();
        }",
            &json!(null),
        );
        events(self)
    }

    /// Presses all that a case asks for, and returns the digest of what comes of it and of what should.
    fn does(&self, by: By, first: &str, case: &Case) -> (String, String) {
        let mut steps = Vec::new();
        let mut shown = first.to_owned();
        let mut cursor = self.at_work();
        for (of, button, act) in &case.before {
            self.select(By::Key, *of);
            self.press(By::Mouse, button);
            steps.push((cursor, act.clone()));
            shown = self.other_digest(&shown);
            cursor = events(self);
        }
        self.select(by, case.of);
        for hand in &case.hands {
            match hand {
                Press(what) => self.press(by, what),
                Set(field, value) => self.set(field, value, if field.starts_with('#') { "change" } else { "input" }),
            }
        }
        steps.push((cursor, case.act.clone()));
        (self.other_digest(&shown), digest(&with_steps(quiet(), &steps)))
    }
}

/// When things are done: the time, and the message that was sent first of those on their way.
struct Moment {
    first: MessageName,
    at: u64,
}

fn try_all(cases: impl FnOnce(&Moment) -> Vec<Case>) {
    with_page(super::given, |page| {
        let link = Link::new(quiet().plan, &quiet().guests[0]).encode();
        page.open(&link);
        page.at_work();
        let Message(first) = page.first_message().parse().unwrap();
        let at = page.js("return Number($('#scrub').value)", &json!(null)).as_u64().unwrap();
        let whole = page.text("#digest");
        for case in &cases(&Moment { first, at }) {
            for by in [By::Mouse, By::Touch, By::Key] {
                let (found, expected) = page.does(by, &whole, case);
                assert_eq!(found, expected, "{by:?}: {:?}", case.act);
                page.js("found('#tree button').click()", &json!(null));
                assert_eq!(page.other_digest(&found), whole, "what was there is as it was");
            }
        }
    });
}

fn members(voters: Vec<u32>, learners: Vec<u32>, gone: Vec<u32>) -> Act {
    Act::Request(1, Ask::new("", Question::Members { voters, learners, gone }), None)
}

#[test]
fn to_a_node() {
    let (s3, target) = (Of::Node(3), Target::Node(3));
    let (one, others) = (|| names([3]), || names([1, 2, 4, 5]));
    let crash = || ("crash", Act::Crash(target, None));
    try_all(|_| {
        vec![
            case(s3, "crash", Act::Crash(target, None)),
            number(s3, "crash in its next turn", "2", "crash so", Act::Crash(target, Some("1".parse().unwrap()))),
            after(s3, crash(), "restart", Act::Restart(target, None)),
            after(s3, crash(), "restart, unsynced writes lost", Act::Restart(target, Some(Survive::None))),
            after(s3, crash(), "restart, last write torn", Act::Restart(target, Some(Survive::Torn))),
            after(s3, crash(), "restart, only the last write kept", Act::Restart(target, Some(Survive::Last))),
            case(s3, "time out", Act::Timeout(target)),
            case(s3, "elect", Act::Elect(target)),
            case(s3, "the leader hands over to it", Act::Request(1, Ask::new("", Question::Transfer(3)), None)),
            case(s3, "take a snapshot", Act::Request(1, Ask::new("", Question::Compact), Some(target))),
            case(s3, "it is to learn, without a vote", members(vec![], vec![3], vec![])),
            after(
                s3,
                ("it is to go", members(vec![], vec![], vec![3])),
                "it is to vote",
                members(vec![3], vec![], vec![]),
            ),
            case(s3, "pause", Act::Pause(target)),
            after(s3, ("pause", Act::Pause(target)), "go on", Act::Resume(target)),
            case(s3, "cut off", Act::Isolate(target, 0)),
            case(s3, "deaf: hears nobody", Act::Cut(others(), one())),
            case(s3, "mute: heard by nobody", Act::Cut(one(), others())),
            after(
                s3,
                ("mute: heard by nobody", Act::Cut(one(), others())),
                "heal its links",
                Act::Heal(one(), others()),
            ),
            case(s3, "stall its disk", Act::Stall(Syncs::Of(target))),
            after(
                s3,
                ("stall its disk", Act::Stall(Syncs::Of(target))),
                "its disk answers again",
                Act::Complete(Syncs::Of(target)),
            ),
            case(s3, "its next sync fails", Act::Fail(Syncs::Of(target))),
            number(s3, "clock on by", "-250", "set it", Act::Clock(target, Jump(-250_000), 0)),
            number(s3, "clock faster by", "-20000", "let it drift", Act::Clock(target, Jump(0), -20_000)),
        ]
    });
}

#[test]
fn to_a_link() {
    let link = Of::Link(1, 3);
    let (a, b, both) = (|| names([1]), || names([3]), || names([1, 3]));
    let cut = || ("cut both ways", Act::Cut(both(), both()));
    let hold = || Act::Hold(Mail::Links(both(), both()));
    let slower = Act::Delay(Mail::Links(both(), both()), Later::By(Span(70_000)));
    try_all(|_| {
        vec![
            case(link, "cut both ways", Act::Cut(both(), both())),
            case(link, "cut S1 to S3", Act::Cut(a(), b())),
            case(link, "cut S3 to S1", Act::Cut(b(), a())),
            after(link, cut(), "heal both ways", Act::Heal(both(), both())),
            after(link, cut(), "heal S1 to S3", Act::Heal(a(), b())),
            after(link, cut(), "heal S3 to S1", Act::Heal(b(), a())),
            case(link, "hold all on it", hold()),
            after(link, ("hold all on it", hold()), "deliver what it holds", Act::Release(both(), both())),
            number(link, "slower by", "70", "slow it", slower),
        ]
    });
}

/// Who leads when things are done.
const LEADER: u32 = 2;

/// The groups of nodes that begin with the leader, each so large.
fn groups(sizes: &[u32]) -> Vec<Vec<Name>> {
    let mut first = LEADER - 1;
    let mut group = |size: &u32| {
        let mut members: Vec<u32> = (first..first + size).map(|node| node % 5 + 1).collect();
        members.sort_unstable();
        first += size;
        names(members)
    };
    sizes.iter().map(&mut group).collect()
}

#[test]
fn to_the_cluster() {
    let all = Of::Cluster;
    let ask = |what: Question| Act::Request(1, Ask::new("k", what), None);
    let asks = |question: &'static str, value: Option<&'static str>, what: Question| {
        let (set, press) = (value.map(|value| Set("value", value)), Press("ask"));
        Case {
            hands: [Set("#question", question)].into_iter().chain(set).chain([press]).collect(),
            ..case(all, "", ask(what))
        }
    };
    let way = |button: &'static str, sizes: &[u32]| Case {
        hands: vec![Press("#split summary"), Press(button), Press("split so")],
        ..case(all, button, Act::Partition(groups(sizes)))
    };
    let bridge = Case {
        // The third from the leader on is in no group, and so reaches all.
        act: Act::Partition(vec![groups(&[2])[0].clone(), groups(&[3, 2])[1].clone()]),
        ..way("two halves, one node sees both", &[])
    };
    let others: Vec<Target> = (1..=5).filter(|node| *node != LEADER).map(Target::Node).take(2).collect();
    let hold = Act::Hold(Mail::Links(names([1, 2]), names([1, 2])));
    try_all(|_| {
        vec![
            case(all, "split so", Act::Partition(groups(&[2, 3]))),
            way("leader in the minority", &[2, 3]),
            way("no majority anywhere", &[2, 2, 1]),
            Case { act: Act::Partition((1..=5).map(|node| names([node])).collect()), ..way("each alone", &[]) },
            bridge,
            after(all, ("split so", Act::Partition(groups(&[2, 3]))), "heal all links", Act::Heal(vec![], vec![])),
            Case {
                before: vec![(Of::Link(1, 2), "hold all on it", hold)],
                ..case(all, "deliver all that is held", Act::Release(vec![], vec![]))
            },
            case(all, "split the vote among these", Act::SplitVote(others.clone())),
            Case {
                hands: vec![Press("#campaign [aria-pressed=true]"), Press("#campaign .go")],
                ..case(all, "", Act::Elect(others[1]))
            },
            asks("get", None, Question::Get(ReadMode::Log)),
            asks("get by read index", None, Question::Get(ReadMode::Index)),
            asks("get by lease", None, Question::Get(ReadMode::Lease)),
            asks("get what it has", None, Question::Get(ReadMode::Local)),
            asks("put", Some("7"), Question::Put("7".into())),
            asks("delete", None, Question::Delete),
            asks("append", Some("x"), Question::Append("x".into())),
            asks("increment", Some("-3"), Question::Increment(-3)),
            asks("compare-and-set", Some("7"), Question::CompareAndSet(None, "7".into())),
        ]
    });
}

#[test]
fn to_a_message() {
    let of = Of::Message;
    try_all(|Moment { first, at }| {
        vec![
            case(of, "deliver now", Act::Deliver(*first)),
            case(of, "drop", Act::Drop(*first)),
            case(of, "hold", Act::Hold(Mail::One(*first))),
            case(of, "twice", Act::Duplicate(*first, Later::By(Span(5_000)))),
            number(of, "arrives in", "30", "let it", Act::Delay(Mail::One(*first), Later::Until(Span(at + 30_000)))),
        ]
    });
}
