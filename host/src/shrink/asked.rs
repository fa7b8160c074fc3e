//! What clients make up, as steps: so what need not be asked can be taken away like any other step.

use crate::engine::{Abort, Engine};
use crate::event::{Cause, Event};
use crate::plan::Header;
use crate::scenario::Scenario;
use crate::scenario::step::{Act, Ask, Question, Step, Target, When};
use crate::simulation::Simulation;
use crate::trace::Keep;
use crate::units::Span;
use crate::world::turn::Turn;
use raftbox_abi::client::{Operation, Request};
use raftbox_abi::note::ReadMode;
use std::rc::Rc;

/// Where clients ask more, each by itself would take too long: then they go on making it up.
const MOST: usize = 64;

/// The scenario of a header with all that its clients ask as steps, each at its time and of the node that was asked first; and
/// they make up nothing more. `None` if they make up nothing or too much, or steps have them ask something already: then what
/// they make up cannot be told from that.
pub(super) fn asked<E: Engine<Turn>>(engine: Rc<E>, header: &Header) -> Result<Option<Scenario>, Abort> {
    let scenario = &header.plan.scenario;
    let asks = |step: &Step| matches!(&step.act, Act::Request(_, ask, _) if !ask.key.is_empty());
    if scenario.clients.operations == 1 || scenario.step.iter().any(asks) {
        return Ok(None);
    }
    let steps = requests(engine, header)?;
    if steps.len() > MOST {
        return Ok(None);
    }
    let mut explicit = scenario.clone();
    // The first is that they open a session.
    explicit.clients.operations = 1;
    explicit.step.extend(steps);
    Ok(Some(explicit))
}

/// What the clients of a run ask of keys, as steps; the auditor's reads are not among them.
pub(super) fn requests<E: Engine<Turn>>(engine: Rc<E>, header: &Header) -> Result<Vec<Step>, Abort> {
    let auditor = header.plan.scenario.clients.count + 1;
    let mut steps = Vec::new();
    let mut simulation = Simulation::new(engine, header, Keep::Nothing)?;
    let mut look = |at: u64, event: &Event<'_>| {
        if let Event::Cause(Cause::Request { client, attempt: 0, to, body, .. }) = event
            && *client != auditor
            && let Some(ask) = Request::decode(body).and_then(|request| ask(&request.operation))
        {
            let act = Act::Request(*client, ask, Some(Target::Node(*to)));
            steps.push(Step { when: When::At(Span(at)), act });
        }
    };
    while simulation.step(|observed| look(observed.at, observed.event))? {}
    Ok(steps)
}

/// What is asked of a key, as a step has it.
fn ask(operation: &Operation<'_>) -> Option<Ask> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let (key, what) = match *operation {
        Operation::Get(key) => (key, Question::Get(ReadMode::Log)),
        Operation::Read(mode, key) => (key, Question::Get(mode)),
        Operation::Put(key, value) => (key, Question::Put(text(value)?)),
        Operation::Delete(key) => (key, Question::Delete),
        Operation::CompareAndSet(key, None, value) => (key, Question::CompareAndSet(None, text(value)?)),
        Operation::CompareAndSet(key, Some(old), value) => {
            (key, Question::CompareAndSet(Some(text(old)?), text(value)?))
        }
        Operation::Append(key, value) => (key, Question::Append(text(value)?)),
        Operation::Increment(key, by) => (key, Question::Increment(by)),
        Operation::Register | Operation::Members { .. } | Operation::Transfer(_) | Operation::Compact => return None,
    };
    Some(Ask::new(&text(key)?, what))
}
