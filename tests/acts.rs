//! Whatever somebody does to a run, at whatever moment: it is one run, its causes make it again, and nothing breaks that
//! Raft holds. What each act does is shown by the scripts in `scripts/scenarios`.

use raftbox::draw::{Concern, Draw};
use raftbox::event::{Alteration, Endpoint, MessageName};
use raftbox::plan::Header;
use raftbox::scenario::step::{
    Act, Ask, Jump, Later, Mail, Moment, Name, Question, ReadMode, Step, Survive, Sync, Syncs, Target, When,
};
use raftbox::simulation::{Simulation, replay};
use raftbox::trace::{Keep, causes, difference};
use raftbox::units::Span;
use raftbox_tests::{header, native, run, wasmtime};

/// Makes up acts.
struct Person(Draw);

impl Person {
    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.0.below(u64::from(bound))).unwrap()
    }

    fn node(&mut self) -> Target {
        match self.below(8) {
            0 => Target::Leader,
            1 => Target::Crashed,
            _ => Target::Node(1 + self.below(5)),
        }
    }

    fn end(&mut self) -> Endpoint {
        if self.below(5) == 0 { Endpoint::Client(1 + self.below(3)) } else { Endpoint::Node(1 + self.below(5)) }
    }

    fn names(&mut self) -> Vec<Name> {
        (0..=self.below(2)).map(|_| Name(self.end())).collect()
    }

    /// A message between nodes, most of which come to be.
    fn message(&mut self) -> MessageName {
        let from = self.below(5);
        let to = (from + 1 + self.below(4)) % 5;
        let n = u64::from(self.below(120));
        MessageName { from: Endpoint::Node(from + 1), to: Endpoint::Node(to + 1), n }
    }

    fn mail(&mut self) -> Mail {
        if self.below(2) == 0 { Mail::One(self.message()) } else { Mail::Links(self.names(), self.names()) }
    }

    fn span(&mut self) -> Span {
        Span(u64::from(self.below(300_000)))
    }

    fn later(&mut self) -> Later {
        if self.below(2) == 0 { Later::By(self.span()) } else { Later::Until(Span(self.span().0 * 10)) }
    }

    fn syncs(&mut self) -> Syncs {
        if self.below(2) == 0 {
            return Syncs::Of(self.node());
        }
        Syncs::One(Sync { node: 1 + self.below(5), boot: 1 + self.below(2), n: u64::from(self.below(90)) })
    }

    fn ask(&mut self) -> Ask {
        let (key, what) = match self.below(7) {
            0 => ("a0", Question::Append("mine".into())),
            1 => ("c1", Question::Increment(2)),
            2 => ("x", Question::Put("1".into())),
            3 => ("r0", Question::CompareAndSet(None, "2".into())),
            4 => ("x", Question::Get([ReadMode::Index, ReadMode::Lease, ReadMode::Local][self.below(3) as usize])),
            5 => ("", Question::Compact),
            _ => ("x", Question::Get(ReadMode::Log)),
        };
        Ask::new(key, what)
    }

    fn act(&mut self) -> Act {
        match self.below(24) {
            0 => Act::Crash(self.node(), None),
            1 => Act::Crash(self.node(), Some(Moment::Nth(self.below(4)))),
            2 => Act::Restart(self.node(), None),
            3 => Act::Restart(self.node(), Some([Survive::None, Survive::All, Survive::Torn][self.below(3) as usize])),
            4 => Act::Pause(self.node()),
            5 => Act::Resume(self.node()),
            6 => Act::Cut(self.names(), self.names()),
            7 => Act::Heal(Vec::new(), Vec::new()),
            8 => Act::Isolate(self.node(), self.below(3)),
            9 => Act::Clock(self.node(), Jump(i64::from(self.below(900_000)) - 450_000), 50_000),
            10 => Act::Timeout(self.node()),
            11 | 12 => Act::Hold(self.mail()),
            13 => Act::Release(Vec::new(), Vec::new()),
            14 => Act::Deliver(self.message()),
            15 => Act::Drop(self.message()),
            16 => match self.mail() {
                Mail::One(name) => Act::Delay(Mail::One(name), self.later()),
                links @ Mail::Links(..) => Act::Delay(links, Later::By(self.span())),
            },
            17 => Act::Duplicate(self.message(), self.later()),
            18 => Act::Alter(self.message(), Alteration { offset: self.below(40), xor: 1 }),
            19 => Act::Stall(self.syncs()),
            20 => Act::Complete(self.syncs()),
            21 => Act::Fail(self.syncs()),
            22 => Act::Request(1 + self.below(3), self.ask(), Some(self.node())),
            _ if self.below(2) == 0 => Act::Elect(self.node()),
            _ => Act::SplitVote(vec![Target::Node(1), Target::Node(2), Target::Node(3)]),
        }
    }

    fn step(&mut self) -> Step {
        let when = match self.below(4) {
            0 => When::At(Span(u64::from(self.below(3_000_000)))),
            _ => When::After(u64::from(self.below(9_000))),
        };
        Step { when, act: self.act() }
    }
}

/// A run of two seconds that a person meddles with, before and after its faults' time.
fn meddled(seed: u64) -> Header {
    let name = ["calm", "lossy", "chaos"][usize::try_from(seed % 3).unwrap()];
    let mut header = header(name, seed, |scenario| {
        scenario.duration = Span(2_000_000);
        scenario.settle = Span(4_000_000);
        scenario.faults.from = Span(500_000);
        scenario.faults.until = Span(0);
    });
    let mut person = Person(Draw::new(seed, Concern::Operation, [77, 77, 77]));
    header.plan.interventions = (0..12).map(|_| person.step()).collect();
    header.plan.scenario.check_steps("act", &header.plan.interventions).unwrap();
    header
}

#[test]
fn whatever_is_done_to_a_run_its_causes_make_it_again_and_nothing_is_violated() {
    for seed in 0..150 {
        let header = meddled(seed);
        let (record, _) = run(native(), &header, Keep::All).unwrap();
        let causes = causes(record.trace.iter());
        let (again, _) = replay(native(), &header, &causes, Keep::All, |_| ()).unwrap();
        assert_eq!(difference(record.trace.iter(), again.trace.iter()), None, "seed {seed}");
        for (property, verdict) in record.checkers.verdicts() {
            let violated = verdict.is_violated();
            assert!(!violated, "seed {seed}: {property}: {verdict:?}\n{:#?}", header.plan.interventions);
        }
    }
}

#[test]
fn it_is_the_same_run_in_both_engines_and_every_step_is_taken_or_told_of() {
    for seed in 0..20 {
        let header = meddled(seed);
        let (native, _) = run(native(), &header, Keep::Nothing).unwrap();
        let mut simulation = Simulation::new(wasmtime(), &header, Keep::Nothing).unwrap();
        simulation.run().unwrap();
        assert_eq!(simulation.record().trace.digest(), native.trace.digest(), "seed {seed}");
        let told = simulation.remarks().iter().filter(|remark| remark.why == "the run ended before");
        let late = |step: &&Step| match step.when {
            When::At(at) => at.0 > native.trace.at(),
            When::After(events) => events > native.trace.events(),
            When::Then(_) | When::Once(_) => false,
        };
        assert_eq!(told.count(), header.plan.interventions.iter().filter(late).count(), "seed {seed}");
    }
}

#[test]
fn an_act_after_an_event_changes_nothing_before_it() {
    for seed in 0..12 {
        let plain = header("tour", seed, |scenario| scenario.duration = Span(1_500_000));
        let (before, _) = run(native(), &plain, Keep::All).unwrap();
        for events in [0, 1, 500, 2_000, before.trace.events() - 1] {
            let mut acted = plain.clone();
            let step = Step { when: When::After(events), act: Act::Clock(Target::Node(1), Jump(1), 0) };
            acted.plan.interventions.push(step);
            let (after, _) = run(native(), &acted, Keep::All).unwrap();
            let difference = difference(before.trace.iter(), after.trace.iter()).unwrap();
            assert!(difference.event >= events, "{} < {events}", difference.event);
            // It comes right after the step in which the run got so far.
            let is_effect =
                |(_, event): (u64, raftbox::event::Event<'_>)| matches!(event, raftbox::event::Event::Effect(_));
            let rest = before.trace.iter().skip(usize::try_from(events).unwrap());
            let effects = rest.take_while(|event| is_effect(event.clone())).count() as u64;
            assert!(difference.event <= events + effects, "seed {seed}, after {events}: {}", difference.event);
        }
    }
}
