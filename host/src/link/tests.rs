//! A link is read as what it was made of; whatever else is read makes a message, and no panic.

use super::*;
use crate::event::{Alteration, Endpoint, MessageName};
use crate::scenario::step::{
    Act, Ask, Later, Mail, Moment, Name, Question, READ_MODES, Survive, Sync, Syncs, Target, When,
};
use crate::units::Span;
use proptest::prelude::*;

fn link(scenario: Scenario, interventions: Vec<Step>) -> Link {
    let plan = Plan { scenario, seed: 7, interventions };
    Link::new(plan, &"0123456789abcdef".repeat(4)).with_digest(Digest(0x1122_3344_5566_7788 << 64))
}

fn tour() -> Scenario {
    Scenario::built_in("tour", None).unwrap()
}

fn back(link: &Link) -> Result<Link, Broken> {
    Link::decode(&link.encode())
}

#[test]
fn a_built_in_scenario_is_its_name() {
    let link = Link { cursor: Some(1234), ..link(tour(), Vec::new()) };
    assert_eq!(link.guest, [1, 0x23, 0x45, 0x67]);
    assert_eq!(back(&link), Ok(link.clone()));
    assert!(link.encode().len() < 50, "{}", link.encode());
    assert_eq!(Link::decode(&format!("https://example.org/raftbox/#{}\n", link.encode())), Ok(link));
}

#[test]
fn another_scenario_is_what_it_says_beyond_its_profile() {
    let text = "name = \"mine\"\nprofile = \"chaos\"\nnodes = 3\n[node]\npre_vote = false\n[[step]]\nat = \"1s\"\ndo = \"heal\"\n";
    let mine = link(Scenario::read("mine", text, None).unwrap(), Vec::new());
    assert_eq!(back(&mine), Ok(mine.clone()));
    assert!(mine.encode().len() < 200, "{}", mine.encode());
    // A profile's fault that is taken away cannot be said in TOML.
    let mut less = Scenario::built_in("chaos", None).unwrap();
    less.faults.crash = None;
    let less = link(less, Vec::new());
    assert_eq!(back(&less), Ok(less));
}

#[test]
fn a_link_that_was_made_once_is_read_for_ever() {
    let act = Act::Hold(Mail::One(MessageName { from: Endpoint::Node(1), to: Endpoint::Client(2), n: 300 }));
    let step = Step { when: When::After(1_000), act };
    let calm = Scenario { duration: Span(300_000), ..Scenario::built_in("calm", None).unwrap() };
    let link = Link { cursor: Some(99), ..link(calm, vec![step]) };
    let text = concat!(
        "AQcBI0VnAREiM0RVZneIZAF9YWJvdXQgPSAiRml2ZSBub2RlcyBvbiBhIGdvb2QgbmV0d29yazogYW4gZWxlY3Rpb24sIGFuZCB0aGVuI",
        "G5vdGhpbmcgYnV0IHdvcmsuIgpmb3IgPSAiMzAwbXMiCm5hbWUgPSAiY2FsbSIKcHJvZmlsZSA9ICJjYWxtIgoAARXQD4AEAgWsAlBhUP0",
    );
    assert_eq!(link.encode(), text);
    assert_eq!(Link::decode(text), Ok(link));
}

#[test]
fn a_link_tells_whether_a_run_is_its_own() {
    let link = link(tour(), Vec::new());
    assert_eq!(link.is_of(Digest(0x1122_3344_5566_7788 << 64 | 5)), Some(true));
    assert_eq!(link.is_of(Digest(1)), Some(false));
    assert_eq!(Link { digest: None, ..link.clone() }.is_of(Digest(1)), None);
    assert!(link.is_by("01234567ffff") && !link.is_by("11234567ffff") && !link.is_by(""));
}

/// As many interventions of all kinds as a patient person makes, each at a moment of its own.
fn hundred() -> Vec<Step> {
    let node = |n: u32| Endpoint::Node(1 + n % 5);
    let message = |n: u32| MessageName { from: node(n), to: node(n + 1), n: 40 + u64::from(n) };
    let act = |n: u32| match n % 8 {
        0 => Act::Crash(Target::Node(1 + n % 5), Some(Moment::Nth(3))),
        1 => Act::Hold(Mail::One(message(n))),
        2 => Act::Deliver(message(n)),
        3 => Act::Delay(Mail::One(message(n)), Later::By(Span(20_000))),
        4 => Act::Cut(vec![Name(node(0))], vec![Name(node(1)), Name(Endpoint::Client(1))]),
        5 => Act::Restart(Target::Crashed, Some(Survive::Torn)),
        6 => Act::Fail(Syncs::One(Sync { node: 1, boot: 2, n: 300 })),
        _ => Act::Request(1, Ask::new("x", Question::Put("8".into())), None),
    };
    (0..100).map(|n| Step { when: When::After(9_000 + 120 * u64::from(n)), act: act(n) }).collect()
}

#[test]
fn a_hundred_interventions_fit_into_two_thousand_letters() {
    let link = link(tour(), hundred());
    assert_eq!(back(&link), Ok(link.clone()));
    let letters = link.encode().len();
    assert!(letters < 2_000, "{letters}");
}

#[test]
fn what_is_wrong_is_said() {
    let text = link(tour(), hundred()).encode();
    let told = |text: &str| Link::decode(text).unwrap_err().to_string();
    assert_eq!(told(" "), "this link is empty; `raftbox run --share` prints one");
    assert_eq!(told("https://example.org/#"), "this link is empty; `raftbox run --share` prints one");
    assert_eq!(told("abc=def"), "this is no link: '=', its letter 4, is none that a link has; copy it again");
    let damaged = "this link is damaged, or was cut short; copy it again, whole";
    for cut in 1..text.len() {
        assert_eq!(told(&text[..cut]), damaged, "{cut}");
    }
    let other = |change: fn(&mut Vec<u8>)| {
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        bytes.truncate(bytes.len() - 4);
        change(&mut bytes);
        let check = xxh3_64(&bytes).to_le_bytes();
        URL_SAFE_NO_PAD.encode([&bytes[..], &check[..4]].concat())
    };
    let newer = other(|bytes| bytes[0] = 9);
    assert_eq!(
        told(&newer),
        "this link is of format 9, and this raftbox reads format 1; open it with the raftbox that made it"
    );
    let unknown = "open it with the raftbox that made it";
    assert!(told(&other(|bytes| bytes.push(0))).ends_with(unknown));
    let strange = Link {
        plan: Plan { scenario: Scenario { nodes: 3, ..tour() }, seed: 1, interventions: hundred() },
        ..link(tour(), vec![])
    };
    assert_eq!(
        told(&strange.encode()),
        "this link is wrong at interventions.2: step 3: there is no S4; the last is S3"
    );
    let long = "A".repeat(LETTERS_MAX + 1);
    assert_eq!(told(&long), "this link has 262145 letters, and one has at most 262144");
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![Just(Target::Leader), Just(Target::Crashed), (1..=5_u32).prop_map(Target::Node)]
}

fn names() -> impl Strategy<Value = Vec<Name>> {
    let name = prop_oneof![(1..=5_u32).prop_map(Endpoint::Node), (1..=3_u32).prop_map(Endpoint::Client)];
    proptest::collection::vec(name.prop_map(Name), 1..4)
}

fn message() -> impl Strategy<Value = MessageName> {
    (1..=5_u32, 1..=5_u32, any::<u64>()).prop_map(|(from, to, n)| MessageName {
        from: Endpoint::Node(from),
        to: Endpoint::Node(to),
        n,
    })
}

fn span() -> impl Strategy<Value = Span> {
    (0..=Span::MAX.0).prop_map(Span)
}

fn mail() -> impl Strategy<Value = Mail> {
    prop_oneof![message().prop_map(Mail::One), (names(), names()).prop_map(|(from, to)| Mail::Links(from, to))]
}

fn syncs() -> impl Strategy<Value = Syncs> {
    let one = (1..=5_u32, 1..9_u32, any::<u64>()).prop_map(|(node, boot, n)| Syncs::One(Sync { node, boot, n }));
    prop_oneof![one, target().prop_map(Syncs::Of)]
}

fn ask() -> impl Strategy<Value = Ask> {
    let what = prop_oneof![
        proptest::sample::select(&READ_MODES[..]).prop_map(Question::Get),
        Just(Question::Delete),
        any::<String>().prop_map(Question::Put),
        any::<String>().prop_map(Question::Append),
        any::<i64>().prop_map(Question::Increment),
        (any::<Option<String>>(), any::<String>()).prop_map(|(old, new)| Question::CompareAndSet(old, new)),
    ];
    let answer = any::<Option<String>>();
    ("x[a-zé]{0,9}", what, answer).prop_map(|(key, what, answer)| Ask { answer, ..Ask::new(&key, what) })
}

fn moment() -> impl Strategy<Value = Moment> {
    let named = ["send", "send to S2", "reply", "reply to C1", "write", "truncate", "sync", "alarm"];
    let named = proptest::sample::select(named.to_vec()).prop_map(|text| text.parse().unwrap());
    prop_oneof![any::<u32>().prop_map(Moment::Nth), named]
}

fn act() -> impl Strategy<Value = Act> {
    let survive = prop_oneof![Just(Survive::None), Just(Survive::All), Just(Survive::Torn), Just(Survive::Last)];
    let jump = (0..=Span::MAX.0.cast_signed()).prop_flat_map(|jump| prop_oneof![Just(jump), Just(-jump)]);
    let later = prop_oneof![span().prop_map(Later::By), span().prop_map(Later::Until)];
    prop_oneof![
        (target(), proptest::option::of(moment())).prop_map(|(node, moment)| Act::Crash(node, moment)),
        (target(), proptest::option::of(survive)).prop_map(|(node, survive)| Act::Restart(node, survive)),
        (names(), names()).prop_map(|(from, to)| Act::Cut(from, to)),
        Just(Act::Heal(Vec::new(), Vec::new())),
        Just(Act::Partition(vec![vec![Name(Endpoint::Node(1))], vec![Name(Endpoint::Node(2))]])),
        (target(), any::<u32>()).prop_map(|(node, with)| Act::Isolate(node, with)),
        (target(), jump, any::<i32>()).prop_map(|(node, jump, ppm)| Act::Clock(
            node,
            crate::scenario::step::Jump(jump),
            ppm
        )),
        target().prop_map(Act::Timeout),
        target().prop_map(Act::Elect),
        Just(Act::SplitVote(vec![Target::Node(2), Target::Leader])),
        mail().prop_map(Act::Hold),
        (names(), names()).prop_map(|(from, to)| Act::Release(from, to)),
        (message(), later.clone()).prop_map(|(name, later)| Act::Delay(Mail::One(name), later)),
        (names(), names(), span()).prop_map(|(from, to, by)| Act::Delay(Mail::Links(from, to), Later::By(by))),
        (message(), later).prop_map(|(name, later)| Act::Duplicate(name, later)),
        (message(), any::<u32>(), 1..=255_u8)
            .prop_map(|(name, offset, xor)| Act::Alter(name, Alteration { offset, xor })),
        syncs().prop_map(Act::Stall),
        syncs().prop_map(Act::Complete),
        syncs().prop_map(Act::Fail),
        (1..=3_u32, ask(), proptest::option::of(target()))
            .prop_map(|(client, ask, node)| Act::Request(client, ask, node)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let when = prop_oneof![any::<u64>().prop_map(When::After), span().prop_map(When::At)];
    (when, act()).prop_map(|(when, act)| Step { when, act })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_link_is_read_as_it_was_made(
        interventions in proptest::collection::vec(step(), 0..20),
        script in proptest::collection::vec(step(), 0..4),
        seed in any::<u64>(),
        cursor in any::<Option<u32>>(),
        built_in in any::<bool>(),
    ) {
        let mut scenario = tour();
        if !built_in {
            scenario.step = script;
        }
        let fits = scenario.check().is_ok() && scenario.check_steps("interventions", &interventions).is_ok();
        let plan = Plan { scenario, seed, interventions };
        let link = Link { cursor: cursor.map(u64::from), ..Link::new(plan, "00000001") };
        match back(&link) {
            Ok(read) => prop_assert_eq!(read, link),
            Err(broken) => prop_assert!(!fits, "{}", broken),
        }
    }

    #[test]
    fn a_step_in_a_file_is_read_as_it_was_written(step in step()) {
        let text = serde_json::to_string(&step).unwrap();
        prop_assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), step);
    }

    #[test]
    fn garbage_makes_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        let _ = Link::decode(&text).map_err(|broken| broken.to_string());
        let body = [&[FORMAT][..], &bytes].concat();
        let check = xxh3_64(&body).to_le_bytes();
        let whole = URL_SAFE_NO_PAD.encode([&body[..], &check[..4]].concat());
        let _ = Link::decode(&whole).map_err(|broken| broken.to_string());
    }

    #[test]
    fn a_link_with_one_other_byte_is_damaged_or_makes_a_message(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let text = link(tour(), hundred()).encode();
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        bytes.truncate(bytes.len() - 4);
        let place = place.index(bytes.len());
        bytes[place] = to;
        let check = xxh3_64(&bytes).to_le_bytes();
        let altered = URL_SAFE_NO_PAD.encode([&bytes[..], &check[..4]].concat());
        let _ = Link::decode(&altered).map_err(|broken| broken.to_string());
    }
}
