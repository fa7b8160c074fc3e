//! The search against all orders of small histories, which are few enough to try.

use super::*;
use crate::history::{Call, Operation};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a key that holds `held` is answered, and holds then. Written anew, by the meaning of each operation.
fn serve(held: Option<&[u8]>, call: &Call) -> (Option<Answer>, Option<Vec<u8>>) {
    let old = held.map(<[u8]>::to_vec);
    match call {
        Call::Get => (Some(Answer::Value(old.clone())), old),
        Call::Put(value) => (Some(Answer::Done), Some(value.clone())),
        Call::Delete => (Some(Answer::Done), None),
        Call::CompareAndSet(expect, new) if *expect == old => (Some(Answer::Swapped(true)), Some(new.clone())),
        Call::CompareAndSet(..) => (Some(Answer::Swapped(false)), old),
        Call::Append(suffix) => {
            let whole = [old.unwrap_or_default(), suffix.clone()].concat();
            (Some(Answer::Length(whole.len() as u64)), Some(whole))
        }
        Call::Increment(by) => {
            let number = old.as_ref().map_or(Some(0), |digits| str::from_utf8(digits).ok()?.parse::<i64>().ok());
            match number {
                Some(number) => (Some(Answer::Number(number + by)), Some((number + by).to_string().into_bytes())),
                None => (None, old),
            }
        }
    }
}

type Held<'a> = BTreeMap<&'a [u8], Vec<u8>>;

/// Whether any order of what is left fits.
fn any_order<'a>(left: &[&'a Operation], held: &Held<'a>) -> bool {
    if left.iter().all(|operation| operation.answered.is_none()) {
        return true;
    }
    let first = left.iter().filter_map(|operation| operation.answered.as_ref()).map(|(at, _)| *at).min();
    (0..left.len()).any(|place| {
        let next = left[place];
        if first.is_some_and(|first| next.asked > first) {
            return false;
        }
        let (answer, value) = serve(held.get(next.key.as_slice()).map(Vec::as_slice), &next.call);
        if next.answered.as_ref().is_some_and(|(_, given)| Some(given) != answer.as_ref()) {
            return false;
        }
        let mut after = held.clone();
        match value {
            Some(value) => drop(after.insert(&next.key, value)),
            None => drop(after.remove(next.key.as_slice())),
        }
        let rest: Vec<_> = left[..place].iter().chain(&left[place + 1..]).copied().collect();
        any_order(&rest, &after)
    })
}

fn is_linearizable(history: &History) -> bool {
    any_order(&history.operations.iter().collect::<Vec<_>>(), &Held::new())
}

fn calls() -> impl Strategy<Value = Call> {
    let value = || prop_oneof![Just(b"1".to_vec()), Just(b"2".to_vec())];
    prop_oneof![
        4 => Just(Call::Get),
        3 => value().prop_map(Call::Put),
        1 => Just(Call::Delete),
        2 => (prop::option::of(value()), value()).prop_map(|(old, new)| Call::CompareAndSet(old, new)),
        2 => value().prop_map(Call::Append),
        2 => (1..3_i64).prop_map(Call::Increment),
    ]
}

/// A history of a store that serves in some order, and now and then answers what comes to its mind.
fn histories(calls: impl Strategy<Value = Call>, keys: u8) -> impl Strategy<Value = History> {
    let operation = (calls, 0..keys, 0..12_u64, 0..6_u64, 0..20_u8);
    prop::collection::vec(operation, 1..8).prop_map(|drawn| {
        let mut operations: Vec<Operation> = Vec::new();
        let mut held: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        let mut spread = drawn;
        spread.sort_by_key(|(.., at, _, _)| *at);
        for (number, (call, key, at, lasts, kind)) in (0..).zip(spread) {
            let (answer, value) = serve(held.get(&key).map(Vec::as_slice), &call);
            let answer = if kind >= 14 { Some(some_answer(&call, kind)) } else { answer };
            // What is never answered may have happened, or not.
            let open = kind == 1 || kind == 2 || answer.is_none();
            if kind != 2 {
                match value {
                    Some(value) => drop(held.insert(key, value)),
                    None => drop(held.remove(&key)),
                }
            }
            // Distinct places: a hundred to a step, and one more for each operation.
            let asked = at.saturating_sub(lasts) * 100 + number;
            let answered = answer.filter(|_| !open).map(|answer| (at * 100 + 50 + number, answer));
            operations.push(Operation { process: number, key: vec![b'k', key], call, asked, answered });
        }
        operations.sort_by_key(|operation| operation.asked);
        History { operations, empty_is_absent: false }
    })
}

/// An answer that the operation can have, and perhaps has not.
fn some_answer(call: &Call, which: u8) -> Answer {
    match call {
        Call::Get => {
            Answer::Value([None, Some(&b"1"[..]), Some(b"2"), Some(b"12")][usize::from(which % 4)].map(<[u8]>::to_vec))
        }
        Call::Put(_) | Call::Delete => Answer::Done,
        Call::CompareAndSet(..) => Answer::Swapped(which.is_multiple_of(2)),
        Call::Append(_) => Answer::Length(u64::from(which % 4)),
        Call::Increment(_) => Answer::Number(i64::from(which % 4)),
    }
}

fn agrees(history: &History) -> Result<(), TestCaseError> {
    let expected = is_linearizable(history);
    for by_key in [true, false] {
        let report = check(history, Options { by_key, ..Options::default() });
        prop_assert_eq!(matches!(report.verdict, Verdict::Linearizable), expected, "by key: {}", by_key);
        let Verdict::Not(found) = report.verdict else { continue };
        // What it could have been answered is what would fit, if nothing later were asked.
        let (until, _) = history.operations[found.culprit].answered.clone().expect("a culprit has an answer");
        for instead in &found.instead {
            let mut other = history.clone();
            other.operations.retain(|operation| operation.asked < until);
            for operation in &mut other.operations {
                operation.answered = operation.answered.take().filter(|(at, _)| *at <= until);
                if let Some((_, answer)) = operation.answered.as_mut().filter(|(at, _)| *at == until) {
                    answer.clone_from(instead);
                }
            }
            // Of other keys nothing is said.
            let key = history.operations[found.culprit].key.clone();
            other.operations.retain(|operation| operation.key == key);
            prop_assert!(is_linearizable(&other), "{:?} instead", instead);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_has_the_verdict_that_trying_all_orders_has(history in histories(calls(), 1)) {
        agrees(&history)?;
    }

    #[test]
    fn so_has_one_of_several_keys(history in histories(calls(), 3)) {
        agrees(&history)?;
    }

    #[test]
    fn so_has_one_of_appends_alone(
        history in histories(prop_oneof![
            Just(Call::Get),
            Just(Call::Append(b"x".to_vec())),
            Just(Call::Append(b"y".to_vec())),
        ], 1)
    ) {
        agrees(&history)?;
    }
}

#[test]
fn the_histories_that_are_tried_are_of_both_kinds() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let (mut runner, strategy) = (TestRunner::deterministic(), histories(calls(), 1));
    let made = (0..1_000).map(|_| strategy.new_tree(&mut runner).expect("one can be made").current());
    let count = made.filter(is_linearizable).count();
    assert!((300..800).contains(&count), "{count} of 1000 are linearizable");
}

#[test]
fn what_may_be_remembered_is_bounded() {
    let put = |number: u64| Operation {
        process: number,
        key: b"k".to_vec(),
        call: Call::CompareAndSet(
            Some(vec![u8::try_from(number % 7).unwrap()]),
            vec![u8::try_from(number % 5).unwrap()],
        ),
        asked: number,
        answered: None,
    };
    let mut operations: Vec<Operation> = (1..60).map(put).collect();
    operations[0].call = Call::Put(vec![0]);
    operations.push(Operation {
        process: 0,
        key: b"k".to_vec(),
        call: Call::Get,
        asked: 100,
        answered: Some((101, Answer::Value(Some(b"never".to_vec())))),
    });
    let history = History { operations, empty_is_absent: false };
    let report = check(&history, Options { by_key: true, memory: 1 << 20 });
    assert_eq!(report.verdict, Verdict::Unknown(b"k".to_vec()));
    assert!(report.bytes < 4 << 20, "{} bytes", report.bytes);
}
