//! The world: nodes with their disks and clocks, and the mail between them.
//!
//! A world does one thing: it takes a cause and a time, and writes down the cause and its effects. It decides nothing and
//! knows nothing of Raft; to it, messages and notes are bytes. Who decides is the [agenda](crate::agenda) in a live run,
//! and the recorded causes in a replay; the world cannot tell the difference, which is why a replay is exact.
//!
//! | file | concept |
//! |---|---|
//! | [`turn`] | one turn of one node: serves its imports, writes its effects |
//! | [`disk`] | files, unsynced operations, what a crash leaves |
//! | [`mail`] | messages on their way |
//! | [`decider`] | what goes another way within a turn |

pub mod decider;
pub mod disk;
pub mod mail;
pub mod turn;

use crate::clock::Clock;
use crate::engine::{Abort, Call, Ended, Engine, Node as _};
use crate::event::{Cause, DiskFault, Effect, Encoder, Endpoint, MessageName, Micros, Moot, NodeId, Survivor};
use decider::Decider;
use mail::Letter;
use raftbox_abi::boundary::TRANSFER_BYTES_MAX;
use raftbox_abi::client::Attempt;
use std::rc::Rc;
use turn::{Body, LogLine, Turn};

/// The encoded arguments of a node's boots: from which one on each is given, in order, the first from 1.
pub type Boots = Vec<(u32, Vec<u8>)>;

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The seed of the nodes' random streams.
    pub seed: u64,
    /// Each node, from S1 on: which of the engine's guests it runs, and how it boots.
    pub nodes: Vec<(usize, Boots)>,
    /// How many clients there are.
    pub clients: u32,
}

/// Whether a node takes turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not booted, crashed, halted or trapped.
    Down,
    /// It takes turns.
    Up,
    /// It is up and takes none.
    Paused,
}

/// One node with all that belongs to it.
struct Slot<N> {
    guest: N,
    state: State,
    clock: Clock,
    /// Lent to the turn while the node has one.
    body: Option<Box<Body>>,
}

/// All of a world at one moment, between two causes. Guests' memory, disks and messages are shared with the world that it
/// was taken of as long as neither changes them.
#[derive(Clone)]
pub struct Image<I> {
    slots: Vec<(Option<I>, State, Clock, Body)>,
    mail: mail::Mail,
    decider: Decider,
    at: Micros,
    turns: u64,
}

/// Nodes, disks, clocks and mail, over an engine.
pub struct World<E: Engine<Turn>> {
    engine: Rc<E>,
    setup: Rc<Setup>,
    slots: Vec<Slot<E::Node>>,
    turn: Option<Box<Turn>>,
    at: Micros,
    turns: u64,
    moot: bool,
}

type NodeImage<E> = <<E as Engine<Turn>>::Node as crate::engine::Node<Turn>>::Image;

impl<E: Engine<Turn>> World<E> {
    /// A world at time 0, all of whose nodes are down.
    ///
    /// # Errors
    /// If the engine has no room for its nodes.
    pub fn new(engine: Rc<E>, setup: Rc<Setup>, decider: Decider) -> Result<Self, Abort> {
        let mut slots = Vec::new();
        for (node, (guest, _)) in (1..).zip(&setup.nodes) {
            slots.push(Slot {
                guest: engine.node(*guest)?,
                state: State::Down,
                clock: Clock::default(),
                body: Some(Box::new(Body::new(setup.seed, node))),
            });
        }
        Ok(Self { engine, setup, slots, turn: Some(Box::new(Turn::new(decider))), at: 0, turns: 0, moot: false })
    }

    /// Applies a cause at a time not before the last one's, and returns it with its effects, encoded.
    ///
    /// # Errors
    /// If the engine failed; the world is then of no more use.
    ///
    /// # Panics
    /// If time runs backward.
    pub fn apply(&mut self, at: Micros, cause: &Cause) -> Result<&Encoder, Abort> {
        let later = at.checked_sub(self.at).expect("time does not run backward");
        self.at = at;
        let turn = self.turn();
        turn.step.clear();
        turn.log.clear();
        turn.step.cause(later, cause);
        let acted = self.act(cause)?;
        self.moot = acted.is_err();
        if let Err(reason) = acted {
            self.turn().step.effect(&Effect::Moot { reason });
        }
        Ok(self.step())
    }

    /// The events of the last step.
    ///
    /// # Panics
    /// If the engine failed in it.
    #[must_use]
    pub fn step(&self) -> &Encoder {
        &self.turn.as_ref().expect("the turn is over").step
    }

    /// Whether the cause of the last step had nothing to act on.
    #[must_use]
    pub fn was_moot(&self) -> bool {
        self.moot
    }

    /// What was logged in the last step.
    ///
    /// # Panics
    /// If the engine failed in it.
    #[must_use]
    pub fn log(&self) -> &[LogLine] {
        &self.turn.as_ref().expect("the turn is over").log
    }

    /// What is to go another way within turns.
    pub fn decider(&mut self) -> &mut Decider {
        &mut self.turn().decider
    }

    /// How many turns were taken.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// The messages that are on their way.
    ///
    /// # Panics
    /// If the engine failed in the last step.
    #[must_use]
    pub fn mail(&self) -> &mail::Mail {
        &self.turn.as_ref().expect("the turn is over").mail
    }

    /// Whether a node takes turns; a node that does not exist is down.
    #[must_use]
    pub fn state(&self, node: NodeId) -> State {
        self.index(node).map_or(State::Down, |index| self.slots[index].state)
    }

    /// What a node tells of itself, for people; `None` while it is down, or if it tells nothing.
    pub fn inspect(&mut self, node: NodeId) -> Option<String> {
        let index = self.index(node)?;
        let slot = &mut self.slots[index];
        if slot.state == State::Down { None } else { slot.guest.inspect() }
    }

    /// A hash of the state of each guest that is up, from S1 on.
    pub fn fingerprints(&mut self) -> Vec<Option<u64>> {
        let of = |slot: &mut Slot<E::Node>| {
            if slot.state == State::Down { None } else { slot.guest.fingerprint() }
        };
        self.slots.iter_mut().map(of).collect()
    }

    fn turn(&mut self) -> &mut Turn {
        self.turn.as_mut().expect("the turn is over")
    }

    fn index(&self, node: NodeId) -> Option<usize> {
        let index = usize::try_from(node).ok()?.checked_sub(1)?;
        (index < self.slots.len()).then_some(index)
    }

    fn body(&mut self, index: usize) -> &mut Body {
        self.slots[index].body.as_mut().expect("the turn is over")
    }

    /// The cause's consequences; the inner error says why there were none.
    fn act(&mut self, cause: &Cause) -> Result<Result<(), Moot>, Abort> {
        match cause {
            Cause::Boot { node, survivors } => self.boot(*node, survivors),
            Cause::Deliver { message, keep, alterations, .. } => match self.arrive(*message, *keep) {
                Ok(mut letter) => {
                    letter.alter(alterations);
                    self.deliver(*message, letter)
                }
                Err(moot) => Ok(Err(moot)),
            },
            Cause::Wake { node, boot, alarm } => match self.awake(*node, *boot) {
                Ok(index) => {
                    let body = self.body(index);
                    if !body.alarm_set || body.alarms != *alarm + 1 {
                        return Ok(Err(Moot::AlarmReplaced));
                    }
                    body.alarm_set = false;
                    self.call(index, Call::Wake).map(Ok)
                }
                Err(moot) => Ok(Err(moot)),
            },
            Cause::Synced { node, boot, sync, status } => match self.awake(*node, *boot) {
                Ok(index) => match self.body(index).disk.synced(*sync, *status == 0) {
                    Some(ticket) => self.call(index, Call::Synced(ticket, *status)).map(Ok),
                    None => Ok(Err(Moot::NoSuchSync)),
                },
                Err(moot) => Ok(Err(moot)),
            },
            _ => Ok(self.set(cause)),
        }
    }

    /// The consequences of a cause that gives nobody a turn.
    fn set(&mut self, cause: &Cause) -> Result<(), Moot> {
        match cause {
            Cause::Crash { node } => {
                let index = self.up(*node)?;
                self.slots[index].state = State::Down;
            }
            Cause::Pause { node } => {
                let index = self.up(*node)?;
                if self.slots[index].state == State::Paused {
                    return Err(Moot::NodePaused);
                }
                self.slots[index].state = State::Paused;
            }
            Cause::Resume { node } => {
                let index = self.up(*node)?;
                if self.slots[index].state == State::Up {
                    return Err(Moot::NodeRunning);
                }
                self.slots[index].state = State::Up;
            }
            Cause::Lose { message, keep } => {
                let letter = self.turn().mail.take(*message, *keep).ok_or(Moot::NoSuchMessage)?;
                self.turn().mail.recycle(letter);
            }
            Cause::Request { client, operation, attempt, to, body } => {
                let (from, to) = (Endpoint::Client(*client), Endpoint::Node(*to));
                if *client == 0 || *client > self.setup.clients {
                    return Err(Moot::NoSuchEndpoint);
                }
                if body.len() > TRANSFER_BYTES_MAX as usize {
                    return Err(Moot::TooLarge);
                }
                let operation = Attempt { operation: *operation, attempt: *attempt }.pack();
                let turn = self.turn();
                let message = turn.mail.post(from, to, operation, body);
                turn.step.effect(&Effect::Sent { message, operation, bytes: body });
            }
            Cause::Clock { node, jump, ppm } => {
                let index = self.index(*node).ok_or(Moot::NoSuchEndpoint)?;
                let at = self.at;
                self.slots[index].clock.set(at, *jump, *ppm);
            }
            Cause::Disk { node, fault } => self.befalls(*node, *fault)?,
            _ => {}
        }
        Ok(())
    }

    /// Something befalls a disk.
    fn befalls(&mut self, node: NodeId, fault: DiskFault) -> Result<(), Moot> {
        let index = self.index(node).ok_or(Moot::NoSuchEndpoint)?;
        let is_down = |index: usize| if self.slots[index].state == State::Down { Ok(()) } else { Err(Moot::NodeUp) };
        match fault {
            DiskFault::Rot { file, offset, xor } => {
                let there = self.body(index).disk.rot(file, offset, xor);
                return if there { Ok(()) } else { Err(Moot::NothingThere) };
            }
            DiskFault::Wiped => {
                is_down(index)?;
                self.body(index).disk.wipe();
            }
            DiskFault::Swapped { with } => {
                let other = self.index(with).ok_or(Moot::NoSuchEndpoint)?;
                is_down(index)?;
                is_down(other)?;
                let theirs = std::mem::take(&mut self.body(other).disk);
                let mine = std::mem::replace(&mut self.body(index).disk, theirs);
                self.body(other).disk = mine;
            }
            DiskFault::Lies { lies } => self.body(index).disk.set_lies(lies),
        }
        Ok(())
    }

    /// The place of a node that is up, paused or not.
    fn up(&self, node: NodeId) -> Result<usize, Moot> {
        let index = self.index(node).ok_or(Moot::NoSuchEndpoint)?;
        if self.slots[index].state == State::Down { Err(Moot::NodeDown) } else { Ok(index) }
    }

    /// The place of a node that takes turns, and in that boot.
    fn awake(&mut self, node: NodeId, boot: u32) -> Result<usize, Moot> {
        let index = self.up(node)?;
        if self.slots[index].state == State::Paused {
            return Err(Moot::NodePaused);
        }
        if self.body(index).boot == boot { Ok(index) } else { Err(Moot::BootOver) }
    }

    fn boot(&mut self, node: NodeId, survivors: &[Survivor]) -> Result<Result<(), Moot>, Abort> {
        let Some(index) = self.index(node) else { return Ok(Err(Moot::NoSuchEndpoint)) };
        if self.slots[index].state != State::Down {
            return Ok(Err(Moot::NodeUp));
        }
        let setup = Rc::clone(&self.setup);
        let body = self.body(index);
        body.disk.recover(survivors);
        body.start(setup.seed);
        let boot = body.boot;
        self.slots[index].guest.reset();
        self.slots[index].state = State::Up;
        let argument = setup.nodes[index].1.iter().rfind(|(from, _)| *from <= boot).expect("the first is from boot 1");
        self.call(index, Call::Boot(&argument.1)).map(Ok)
    }

    /// Takes a message off the mail, unless its addressee cannot take a turn now.
    fn arrive(&mut self, name: MessageName, keep: bool) -> Result<Letter, Moot> {
        if let Endpoint::Node(node) = name.to {
            match self.index(node).map(|index| self.slots[index].state) {
                Some(State::Paused) => return Err(Moot::NodePaused),
                Some(State::Up) => {}
                Some(State::Down) | None => {
                    // Whoever is down never gets it: it is gone, as if it had arrived.
                    self.turn().mail.take(name, keep).ok_or(Moot::NoSuchMessage)?;
                    return Err(Moot::NodeDown);
                }
            }
        }
        self.turn().mail.take(name, keep).ok_or(Moot::NoSuchMessage)
    }

    fn deliver(&mut self, name: MessageName, letter: Letter) -> Result<Result<(), Moot>, Abort> {
        match (name.from, name.to) {
            (_, Endpoint::Client(client)) => {
                let effect = Effect::Received { client, operation: letter.operation, body: &letter.bytes };
                self.turn().step.effect(&effect);
            }
            (Endpoint::Node(from), Endpoint::Node(to)) => {
                let index = self.index(to).expect("it arrived");
                self.call(index, Call::Deliver(from, &letter.bytes))?;
            }
            (Endpoint::Client(client), Endpoint::Node(to)) => {
                let index = self.index(to).expect("it arrived");
                self.call(index, Call::Request(client, letter.operation, &letter.bytes))?;
            }
        }
        self.turn().mail.recycle(letter);
        Ok(Ok(()))
    }

    /// Gives a node its turn.
    fn call(&mut self, index: usize, call: Call<'_>) -> Result<(), Abort> {
        let slot = &mut self.slots[index];
        let mut turn = self.turn.take().expect("the turn before is over");
        turn.begin(slot.body.take().expect("the turn before is over"), slot.clock.local(self.at));
        let (mut turn, ended) = slot.guest.call(turn, call);
        let body = turn.end();
        let node = body.node;
        slot.body = Some(body);
        self.turns += 1;
        match ended {
            Ok(Ended::Returned) => {}
            Ok(Ended::Down) => slot.state = State::Down,
            Ok(Ended::Trapped(line)) => {
                slot.state = State::Down;
                turn.step.effect(&Effect::Trapped { node });
                turn.log.push(LogLine { node, level: 1, line });
            }
            Err(abort) => {
                self.turn = Some(turn);
                return Err(abort);
            }
        }
        self.turn = Some(turn);
        Ok(())
    }

    /// All of it, now.
    pub fn save(&mut self) -> Image<NodeImage<E>> {
        let slots = self
            .slots
            .iter_mut()
            .map(|slot| {
                let body = slot.body.as_deref().expect("the turn is over").clone();
                // What a node that is down had in its memory is gone, so there is nothing to keep.
                let guest = (slot.state != State::Down).then(|| slot.guest.save());
                (guest, slot.state, slot.clock, body)
            })
            .collect();
        let turn = self.turn.as_deref().expect("the turn is over");
        Image { slots, mail: turn.mail.clone(), decider: turn.decider.clone(), at: self.at, turns: self.turns }
    }

    /// Puts everything into the state of an image, which a world of the same setup gave.
    ///
    /// # Panics
    /// If the image has another number of nodes.
    pub fn restore(&mut self, image: &Image<NodeImage<E>>) {
        assert_eq!(self.slots.len(), image.slots.len(), "an image fits worlds of its own setup");
        for (slot, (guest, state, clock, body)) in self.slots.iter_mut().zip(&image.slots) {
            if let Some(guest) = guest {
                slot.guest.restore(guest);
            }
            (slot.state, slot.clock) = (*state, *clock);
            slot.body = Some(Box::new(body.clone()));
        }
        (self.at, self.turns) = (image.at, image.turns);
        let turn = self.turn();
        turn.step.clear();
        turn.log.clear();
        turn.mail.clone_from(&image.mail);
        turn.decider.clone_from(&image.decider);
    }

    /// Another world in the same state, which goes its own way from here.
    ///
    /// # Errors
    /// If the engine has no room for its nodes.
    pub fn fork(&mut self) -> Result<Self, Abort> {
        let mut fork = Self::new(Rc::clone(&self.engine), Rc::clone(&self.setup), Decider::default())?;
        for (theirs, ours) in fork.slots.iter_mut().zip(&mut self.slots) {
            if ours.state != State::Down {
                theirs.guest.copy(&mut ours.guest);
            }
            (theirs.state, theirs.clock) = (ours.state, ours.clock);
            theirs.body.clone_from(&ours.body);
        }
        (fork.at, fork.turns) = (self.at, self.turns);
        let turn = self.turn.as_deref().expect("the turn is over");
        let theirs = fork.turn();
        theirs.mail.clone_from(&turn.mail);
        theirs.decider.clone_from(&turn.decider);
        Ok(fork)
    }
}
