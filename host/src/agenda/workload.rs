//! The clients: what each asks, of whom, and what it makes of the answers.
//!
//! A client is one process with one session and at most one operation outstanding (thesis, 6.3). It tries an operation
//! again, at another node, when no answer comes in time; it returns at the first success of any attempt. If it gives up,
//! or the session is gone, the outcome is *unknown*, and it goes on as a new process with a new session. Only if every
//! attempt was definitely refused has an operation *failed*.
//!
//! Keys come in families, so that what was acknowledged can be told from what is there at the end: `a…` keys are only
//! appended to, `c…` keys only incremented, `r…` keys get everything else. The last client is the *auditor*: when all is
//! healed it reads every key through the log.
//!
//! This file speaks the client protocol of the boundary, as any client would; it knows nothing of Raft.

mod operations;

use super::queue::{Item, Queue};
use crate::draw::{Concern, Draw};
use crate::event::{Cause, ClientId, Micros, NodeId};
use crate::scenario::Clients;
use crate::scenario::step::{Ask, READ_MODES};
use operations::{Of, encode, read, weighted};
use raftbox_abi::client::{Attempt, Operation, Outcome, Reply, Request};
use raftbox_abi::note::ReadMode;
use std::collections::VecDeque;

/// An operation that awaits its answer.
#[derive(Clone, Debug)]
struct Asked {
    body: Vec<u8>,
    /// The attempt that was sent last.
    attempt: u64,
    to: NodeId,
    /// How many attempts were definitely refused.
    refused: u64,
    /// Whether the last attempt still awaits its answer or its timeout.
    waiting: bool,
    /// Until when it does.
    deadline: Micros,
    of: Of,
    /// The step that wanted it, if one did.
    step: Option<u32>,
}

#[derive(Clone, Debug)]
struct Client {
    id: ClientId,
    /// The number of its next or outstanding operation.
    operation: u64,
    session: Option<u64>,
    sequence: u64,
    asked: Option<Asked>,
    /// Whether a timeout of its is due, be it for an attempt that is over.
    timed: bool,
    /// Whom it asks next.
    to: NodeId,
    /// Whom it turned to last because nobody named another. It goes round by this and not by whom it asked last, or two nodes
    /// of which one names the other, who knows nobody, would keep it for ever.
    round: NodeId,
    /// What the registers held when it last saw them, so that a compare-and-set may succeed.
    seen: Vec<Option<Vec<u8>>>,
    /// For the auditor: how many keys it has read.
    audited: u32,
    /// What somebody wants it to ask beside what it makes up, in order.
    wanted: VecDeque<Wanted>,
    /// How many of those it has asked: they do not count among those that it makes up.
    extra: u64,
}

/// An operation that somebody wants a client to ask.
#[derive(Clone, Debug)]
struct Wanted {
    step: u32,
    ask: Ask,
    to: Option<NodeId>,
}

impl Client {
    /// The number of its operation among those that it makes up, which is what they are drawn by.
    fn drawn(&self) -> u64 {
        self.operation - self.extra
    }
}

impl Client {
    /// Turns to the next node in the round that it has not just asked.
    fn turn_elsewhere(&mut self, nodes: NodeId) {
        let just = self.asked.as_ref().map(|asked| asked.to);
        let next = |node: NodeId| node % nodes + 1;
        let round = next(self.round);
        self.round = if just == Some(round) { next(round) } else { round };
        self.to = self.round;
    }
}

/// All clients.
#[derive(Clone, Debug)]
pub struct Workload {
    seed: u64,
    spec: Clients,
    nodes: u32,
    clients: Vec<Client>,
    stopped: bool,
    leader: Option<NodeId>,
}

/// The families of keys, in the order in which the auditor reads them.
const FAMILIES: [char; 3] = ['a', 'c', 'r'];

/// How long a client waits before it tries again where nobody knew a leader.
const BACK_OFF: crate::draw::Range = crate::draw::Range { low: 20_000, high: 80_000 };

impl Workload {
    /// The clients of a scenario, and the auditor.
    #[must_use]
    pub fn new(seed: u64, spec: &Clients, nodes: NodeId) -> Self {
        let client = |id: ClientId| Client {
            id,
            operation: 0,
            session: None,
            sequence: 0,
            asked: None,
            timed: false,
            to: (id - 1) % nodes + 1,
            round: (id - 1) % nodes + 1,
            seen: vec![None; spec.keys as usize],
            audited: 0,
            wanted: VecDeque::new(),
            extra: 0,
        };
        let clients = (1..=spec.count + 1).map(client).collect();
        Self { seed, spec: spec.clone(), nodes, clients, stopped: false, leader: None }
    }

    /// The clients begin, one by one.
    pub fn start(&self, queue: &mut Queue) {
        for client in &self.clients[..self.clients.len() - 1] {
            let at = Draw::new(self.seed, Concern::Operation, [u64::from(client.id), u64::MAX, 0]);
            queue.push(at.clone().within(self.spec.think.range()), Item::Ask(client.id, 0));
        }
    }

    /// The node that last answered a client with success.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// No client asks anything new from now on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether every client but the auditor has its answers.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let idle = |client: &Client| client.asked.is_none() && client.wanted.is_empty();
        self.clients[..self.clients.len() - 1].iter().all(idle)
    }

    /// A step wants a client to ask this, of that node first or of whom it likes, after all that it was to ask before.
    pub fn want(&mut self, id: ClientId, step: u32, ask: Ask, to: Option<NodeId>) {
        let client = self.client_mut(id);
        // Whoever is to ask something of a node begins there, and opens a session there first.
        if client.session.is_none() {
            client.to = to.unwrap_or(client.to);
        }
        client.wanted.push_back(Wanted { step, ask, to });
    }

    /// A client that has nothing outstanding asks what is wanted, without waiting for its time.
    pub fn ask_now(&mut self, id: ClientId) -> Option<Cause> {
        self.ask(id, self.client(id).operation)
    }

    /// The step that wanted what a client asks now, if one did.
    #[must_use]
    pub fn step_of(&self, id: ClientId) -> Option<u32> {
        self.clients.get(id as usize - 1)?.asked.as_ref()?.step
    }

    /// The steps that wanted what was never asked.
    #[must_use]
    pub fn unasked(&self) -> Vec<u32> {
        self.clients.iter().flat_map(|client| client.wanted.iter().map(|wanted| wanted.step)).collect()
    }

    fn auditor(&self) -> ClientId {
        self.spec.count + 1
    }

    /// The auditor begins, or begins again.
    pub fn audit(&mut self, at: Micros, queue: &mut Queue) {
        self.client_mut(self.auditor()).audited = 0;
        queue.push(at, Item::Ask(self.auditor(), self.client(self.auditor()).operation));
    }

    /// Whether the auditor has read every key.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        self.client(self.auditor()).audited == self.spec.keys * 3
    }

    fn client(&self, id: ClientId) -> &Client {
        &self.clients[id as usize - 1]
    }

    fn client_mut(&mut self, id: ClientId) -> &mut Client {
        &mut self.clients[id as usize - 1]
    }

    /// It is time for a client's operation of that number.
    pub fn ask(&mut self, id: ClientId, operation: u64) -> Option<Cause> {
        let audits = id == self.auditor();
        let client = self.client(id);
        let most = self.spec.operations;
        let enough = !audits && client.wanted.is_empty() && (self.stopped || most != 0 && client.drawn() >= most);
        if client.operation != operation || client.asked.is_some() || enough || audits && self.is_audited() {
            return None;
        }
        let (mut body, mut wanted, mut of, mut by) = (Vec::new(), None, Of::Leader, None);
        match client.session {
            None => Request { session: 0, sequence: 0, operation: Operation::Register }.encode(&mut body),
            Some(session) => {
                let sequence = client.sequence + 1;
                let put = |operation: Operation<'_>| {
                    of = Of::operation(&operation);
                    Request { session, sequence, operation }.encode(&mut body);
                };
                let client = self.client_mut(id);
                client.sequence = sequence;
                if let Some(Wanted { ask, to, step }) = client.wanted.pop_front() {
                    client.extra += 1;
                    (wanted, by) = (to, Some(step));
                    encode(&ask, put);
                } else {
                    let drawn = client.drawn();
                    self.compose(id, drawn, put);
                }
            }
        }
        let client = self.client(id);
        // What nobody sent somewhere, and any node may serve, is asked of one or another.
        let to = wanted.unwrap_or_else(|| {
            if of == Of::Leader {
                return client.to;
            }
            let key = [u64::from(id), client.operation, u64::MAX];
            let draw = Draw::new(self.seed, Concern::Operation, key).below(u64::from(self.nodes));
            NodeId::try_from(draw).expect("there are few nodes") + 1
        });
        if of == Of::Leader {
            self.client_mut(id).to = to;
        }
        self.client_mut(id).asked =
            Some(Asked { body, attempt: 0, to, refused: 0, waiting: false, deadline: 0, of, step: by });
        self.send(id)
    }

    /// Makes up a client's operation of that number, and hands it on.
    fn compose(&self, id: ClientId, number: u64, then: impl FnOnce(Operation<'_>)) {
        let client = self.client(id);
        if id == self.auditor() {
            let (family, key) = (client.audited / self.spec.keys, client.audited % self.spec.keys);
            return then(Operation::Get(format!("{}{key}", FAMILIES[family as usize]).as_bytes()));
        }
        let mut draw = Draw::new(self.seed, Concern::Operation, [u64::from(id), number, 0]);
        let key = draw.below(u64::from(self.spec.keys));
        let kind = weighted(&mut draw, &self.spec.mix);
        let register = format!("r{key}");
        let mut value = format!("{id}.{number};").into_bytes();
        match kind {
            0 => then(Operation::Append(format!("a{key}").as_bytes(), &value)),
            1 => {
                let by = 1 + i64::try_from(draw.below(9)).expect("it is below nine");
                then(Operation::Increment(format!("c{key}").as_bytes(), by));
            }
            kind => {
                let size = usize::try_from(self.spec.value.0).expect("a value is at most 64 KiB");
                value.resize(size.max(value.len()), b'.');
                let seen = client.seen[usize::try_from(key).expect("there are few keys")].as_deref();
                then(match kind {
                    2 => read(self.mode(&mut draw), register.as_bytes()),
                    3 => Operation::Put(register.as_bytes(), &value),
                    4 => Operation::Delete(register.as_bytes()),
                    _ => Operation::CompareAndSet(register.as_bytes(), seen, &value),
                });
            }
        }
    }

    /// How a read is made, by the weights.
    fn mode(&self, draw: &mut Draw) -> ReadMode {
        let weights = self.spec.reads;
        if weights[1..] == [0; 3] {
            return ReadMode::Log;
        }
        READ_MODES[weighted(draw, &weights)]
    }

    /// Sends the attempt that is next.
    fn send(&mut self, id: ClientId) -> Option<Cause> {
        let client = self.client_mut(id);
        let operation = client.operation;
        let asked = client.asked.as_mut()?;
        asked.waiting = true;
        let (attempt, to, body) = (asked.attempt, asked.to, asked.body.clone());
        Some(Cause::Request { client: id, operation, attempt, to, body })
    }

    /// It is time to try an operation again, unless it was answered meanwhile.
    pub fn retry(&mut self, id: ClientId, operation: u64, attempt: u64) -> Option<Cause> {
        let client = self.client(id);
        let due = client.operation == operation
            && client.asked.as_ref().is_some_and(|asked| asked.attempt == attempt && !asked.waiting);
        if due { self.send(id) } else { None }
    }

    /// A timeout is due. If it is that of the attempt that awaits its answer, it is a cause, and says whether it is the last;
    /// if it is that of an earlier one, the current one's takes its place. So there is one a client, and not one for each
    /// of the many attempts that are answered in time.
    pub fn timeout(&mut self, at: Micros, id: ClientId, queue: &mut Queue) -> Option<Cause> {
        let attempts = u64::from(self.spec.attempts);
        let client = self.client_mut(id);
        client.timed = false;
        let operation = client.operation;
        let asked = client.asked.as_ref().filter(|asked| asked.waiting)?;
        if asked.deadline > at {
            client.timed = true;
            queue.push(asked.deadline, Item::Timeout(id, operation, asked.attempt));
            return None;
        }
        let attempt = asked.attempt;
        Some(Cause::ClientTimeout { client: id, operation, attempt, last: attempt + 1 >= attempts })
    }

    /// A request was sent: its answer is awaited only so long.
    pub fn observe_request(&mut self, at: Micros, id: ClientId, operation: u64, attempt: u64, queue: &mut Queue) {
        let deadline = at + self.spec.timeout.0;
        let client = self.client_mut(id);
        if let Some(asked) = &mut client.asked {
            asked.deadline = deadline;
        }
        if !std::mem::replace(&mut client.timed, true) {
            queue.push(deadline, Item::Timeout(id, operation, attempt));
        }
    }

    /// A client stopped waiting.
    pub fn observe_timeout(&mut self, at: Micros, id: ClientId, last: bool, queue: &mut Queue) {
        let nodes = self.nodes;
        let client = self.client_mut(id);
        if client.asked.is_none() {
            return;
        }
        client.turn_elsewhere(nodes);
        if last { self.give_up(at, id, queue) } else { self.again(at, id, queue) }
    }

    /// Tries again, at whom the client turns to next; a snapshot is wanted of one node and no other.
    fn again(&mut self, at: Micros, id: ClientId, queue: &mut Queue) {
        let attempts = u64::from(self.spec.attempts);
        let client = self.client_mut(id);
        let operation = client.operation;
        let Some(asked) = &mut client.asked else { return };
        let to = if asked.of == Of::One { asked.to } else { client.to };
        (asked.attempt, asked.to, asked.waiting) = (asked.attempt + 1, to, false);
        let attempt = asked.attempt;
        if attempt < attempts {
            queue.push(at, Item::Retry(id, operation, attempt));
        } else {
            self.give_up(at, id, queue);
        }
    }

    /// Ends an operation whose outcome is not known, or which failed.
    fn give_up(&mut self, at: Micros, id: ClientId, queue: &mut Queue) {
        let client = self.client_mut(id);
        let failed = client.asked.as_ref().is_some_and(|asked| asked.refused > asked.attempt);
        if !failed {
            // Whether it takes effect is open, so nothing more may be asked in its session.
            (client.session, client.sequence) = (None, 0);
        }
        self.next(at, id, queue);
    }

    /// Goes on to the next operation.
    fn next(&mut self, at: Micros, id: ClientId, queue: &mut Queue) {
        let think = if id == self.auditor() { crate::draw::Range::exactly(0) } else { self.spec.think.range() };
        let seed = self.seed;
        let client = self.client_mut(id);
        client.asked = None;
        client.operation += 1;
        let pause = Draw::new(seed, Concern::Operation, [u64::from(id), client.drawn(), 1]).within(think);
        let pause = if client.wanted.is_empty() { pause } else { 0 };
        queue.push(at + pause, Item::Ask(id, client.operation));
    }

    /// An answer came.
    pub fn observe_reply(&mut self, at: Micros, id: ClientId, packed: u64, body: &[u8], queue: &mut Queue) {
        let Attempt { operation, attempt } = Attempt::unpack(packed);
        let Some(client) = self.clients.get_mut(id as usize - 1) else { return };
        let Some(asked) = client.asked.as_mut().filter(|_| client.operation == operation) else { return };
        let from = asked.to;
        match Reply::decode(body) {
            Some(Reply::Ok(outcome)) => {
                if attempt == asked.attempt && asked.of == Of::Leader {
                    self.leader = Some(from);
                }
                self.succeed(at, id, outcome, queue);
            }
            // Only an answer to the last attempt says where to go; an older one only that it came to nothing.
            Some(Reply::Redirect(hint)) => {
                asked.refused += 1;
                if attempt == asked.attempt && asked.waiting {
                    self.redirect(at, id, hint, queue);
                }
            }
            Some(Reply::Refused(_)) => {
                asked.refused += 1;
                if attempt == asked.attempt {
                    self.give_up(at, id, queue);
                }
            }
            Some(Reply::SessionExpired) => self.give_up(at, id, queue),
            None => {}
        }
    }

    fn succeed(&mut self, at: Micros, id: ClientId, outcome: Outcome<'_>, queue: &mut Queue) {
        let auditor = self.auditor();
        let client = self.client_mut(id);
        let asked = client.asked.as_ref().expect("an operation is outstanding");
        if asked.of == Of::Leader {
            client.to = asked.to;
        }
        if let Outcome::Session(session) = outcome {
            client.session = Some(session);
        } else if id == auditor {
            client.audited += 1;
        } else if let Some(request) = Request::decode(&asked.body) {
            let register = |key: &[u8]| str::from_utf8(key).ok()?.strip_prefix('r')?.parse::<usize>().ok();
            let saw = match (request.operation, outcome) {
                (Operation::Get(key) | Operation::Read(_, key), Outcome::Value(value)) => Some((key, value)),
                (Operation::Put(key, value), Outcome::Done)
                | (Operation::CompareAndSet(key, _, value), Outcome::Swapped(true)) => Some((key, Some(value))),
                (Operation::Delete(key), Outcome::Done) => Some((key, None)),
                _ => None,
            };
            if let Some((index, value)) = saw.and_then(|(key, value)| Some((register(key)?, value)))
                && let Some(seen) = client.seen.get_mut(index)
            {
                *seen = value.map(<[u8]>::to_vec);
            }
        }
        self.next(at, id, queue);
    }

    /// Turns to the named node at once, or, where nobody was named, to the next after a while.
    fn redirect(&mut self, at: Micros, id: ClientId, hint: NodeId, queue: &mut Queue) {
        let (nodes, seed) = (self.nodes, self.seed);
        let client = self.client_mut(id);
        let Some((to, attempt)) = client.asked.as_ref().map(|asked| (asked.to, asked.attempt)) else { return };
        let known = (1..=nodes).contains(&hint) && hint != to;
        if known {
            client.to = hint;
        } else {
            client.turn_elsewhere(nodes);
        }
        let key = [u64::from(id), client.operation, 2 + attempt];
        let pause = if known { 0 } else { Draw::new(seed, Concern::Operation, key).within(BACK_OFF) };
        self.again(at + pause, id, queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raftbox_abi::client::Reason;

    /// One client (and the auditor) of three nodes, and its registration answered.
    fn registered() -> (Workload, Queue) {
        let mut workload = Workload::new(1, &Clients { count: 1, attempts: 3, ..Clients::default() }, 3);
        let mut queue = Queue::new(1);
        assert!(matches!(workload.ask(1, 0), Some(Cause::Request { attempt: 0, to: 1, .. })));
        answer(&mut workload, &mut queue, 0, 0, Reply::Ok(Outcome::Session(9)));
        (workload, queue)
    }

    fn answer(workload: &mut Workload, queue: &mut Queue, operation: u64, attempt: u64, reply: Reply<'_>) {
        let mut body = Vec::new();
        reply.encode(&mut body);
        workload.observe_reply(100, 1, Attempt { operation, attempt }.pack(), &body, queue);
    }

    /// The session that the client's outstanding operation is asked in.
    fn session(cause: Option<Cause>) -> u64 {
        let Some(Cause::Request { body, .. }) = cause else { panic!("{cause:?} is no request") };
        Request::decode(&body).unwrap().session
    }

    #[test]
    fn a_client_registers_and_then_asks_in_its_session() {
        let (mut workload, _) = registered();
        assert_eq!(session(workload.ask(1, 1)), 9);
        assert!(workload.ask(1, 1).is_none(), "one at a time");
        assert_eq!(workload.leader(), Some(1));
    }

    #[test]
    fn it_follows_a_redirect_and_takes_the_first_success_of_any_attempt() {
        let (mut workload, mut queue) = registered();
        workload.ask(1, 1);
        answer(&mut workload, &mut queue, 1, 0, Reply::Redirect(3));
        assert!(matches!(workload.retry(1, 1, 1), Some(Cause::Request { attempt: 1, to: 3, .. })));
        answer(&mut workload, &mut queue, 1, 0, Reply::Ok(Outcome::Done));
        assert!(workload.is_idle());
        assert_eq!(session(workload.ask(1, 2)), 9, "the session goes on");
    }

    #[test]
    fn two_nodes_that_know_no_better_do_not_keep_it() {
        let (mut workload, mut queue) = registered();
        workload.ask(1, 1);
        let mut asked = Vec::new();
        for attempt in 0..2 {
            // S1 names S2, which knows nobody.
            answer(&mut workload, &mut queue, 1, attempt, Reply::Redirect(if attempt == 0 { 2 } else { 0 }));
            let Some(Cause::Request { to, .. }) = workload.retry(1, 1, attempt + 1) else { panic!() };
            asked.push(to);
        }
        assert_eq!(asked, [2, 3], "the third may know");
    }

    #[test]
    fn an_unknown_outcome_ends_the_session() {
        let (mut workload, mut queue) = registered();
        workload.ask(1, 1);
        for attempt in 0..3 {
            let Some(Cause::ClientTimeout { last, .. }) = workload.timeout(1_000_000, 1, &mut queue) else { panic!() };
            assert_eq!(last, attempt == 2);
            workload.observe_timeout(100, 1, last, &mut queue);
            assert_eq!(workload.retry(1, 1, attempt + 1).is_some(), !last);
        }
        assert_eq!(session(workload.ask(1, 2)), 0, "it registers again");
    }

    #[test]
    fn a_definite_failure_does_not() {
        let (mut workload, mut queue) = registered();
        workload.ask(1, 1);
        answer(&mut workload, &mut queue, 1, 0, Reply::Refused(Reason::LogFull));
        assert_eq!(session(workload.ask(1, 2)), 9);
        workload.observe_timeout(100, 1, false, &mut queue);
        workload.retry(1, 2, 1);
        answer(&mut workload, &mut queue, 2, 1, Reply::Refused(Reason::LogFull));
        assert_eq!(session(workload.ask(1, 3)), 0, "the first attempt of the last may yet take effect");
    }

    #[test]
    fn the_auditor_reads_every_key() {
        let mut workload = Workload::new(1, &Clients { count: 1, keys: 2, ..Clients::default() }, 3);
        let mut queue = Queue::new(1);
        let mut keys = Vec::new();
        workload.audit(0, &mut queue);
        while let Some(due) = queue.pop() {
            let Item::Ask(id, operation) = due.item else { continue };
            let Some(Cause::Request { body, .. }) = workload.ask(id, operation) else { break };
            let outcome = match Request::decode(&body).unwrap().operation {
                Operation::Register => Outcome::Session(1),
                Operation::Get(key) => {
                    keys.push(String::from_utf8(key.to_vec()).unwrap());
                    Outcome::Value(None)
                }
                other => panic!("the auditor asked {other:?}"),
            };
            let mut reply = Vec::new();
            Reply::Ok(outcome).encode(&mut reply);
            workload.observe_reply(due.at, id, Attempt { operation, attempt: 0 }.pack(), &reply, &mut queue);
        }
        assert_eq!(keys, ["a0", "a1", "c0", "c1", "r0", "r1"]);
        assert!(workload.is_audited());
    }

    #[test]
    fn every_kind_of_operation_is_asked() {
        let workload = Workload::new(3, &Clients::default(), 3);
        let mut kinds = std::collections::BTreeSet::new();
        for number in 0..200 {
            workload.compose(1, number, |operation| {
                kinds.insert(format!("{operation:?}").split('(').next().unwrap().to_owned());
            });
        }
        let all = ["Append", "CompareAndSet", "Delete", "Get", "Increment", "Put"];
        assert_eq!(kinds.iter().collect::<Vec<_>>(), all);
    }
}
