//! Acts on disks: they rot, are wiped, exchanged or full, lie, fail, and write elsewhere.

use super::Agenda;
use super::acts::Done;
use super::disk::Unsynced;
use crate::draw::{Concern, Draw};
use crate::event::{Cause, DiskFault, NodeId};
use crate::scenario::step::{Damage, Place};
use crate::world::decider::Order;
use raftbox_abi::boundary::SECTOR;

impl Agenda {
    pub(super) fn damage(&mut self, node: NodeId, damage: Damage) -> Done {
        let fault = match damage {
            Damage::Rot(Some(Place { file, offset, xor })) => DiskFault::Rot { file, offset: u64::from(offset), xor },
            Damage::Rot(None) => self.rot(node)?,
            Damage::Wipe => {
                self.is_down(node)?;
                DiskFault::Wiped
            }
            Damage::Swap(with) => {
                let with = self.target(with);
                self.is_down(node)?;
                self.is_down(with)?;
                DiskFault::Swapped { with }
            }
            Damage::Lie(lies) if self.node(node).lies == lies => {
                return Err(format!("the disk of S{node} does {} already", if lies { "lie" } else { "not lie" }));
            }
            Damage::Lie(lies) => DiskFault::Lies { lies },
            Damage::Fill(full) => {
                self.order(Order::Full(node, full));
                return Ok(());
            }
            Damage::FailWrite => {
                self.order(Order::FailWrite(node));
                return Ok(());
            }
            Damage::Misdirect => {
                let mut draw = self.draws_damage(node);
                let by = (1 + draw.below(8)) * SECTOR;
                self.order(Order::Misdirect(node, by));
                return Ok(());
            }
        };
        self.apply(Cause::Disk { node, fault });
        Ok(())
    }

    /// What became of a disk, whoever asked for it.
    pub(super) fn observe_damage(&mut self, node: NodeId, fault: DiskFault) {
        match fault {
            DiskFault::Rot { .. } => {}
            DiskFault::Wiped => self.node(node).disk = Unsynced::default(),
            DiskFault::Swapped { with } => {
                let theirs = std::mem::take(&mut self.node(with).disk);
                self.node(with).disk = std::mem::replace(&mut self.node(node).disk, theirs);
                let lies = self.node(with).lies;
                self.node(with).lies = std::mem::replace(&mut self.node(node).lies, lies);
            }
            DiskFault::Lies { lies } => self.node(node).lies = lies,
        }
    }

    /// What is drawn of what befalls a disk now: whatever other steps there are, it is the same.
    fn draws_damage(&self, node: NodeId) -> Draw {
        Draw::new(self.seed, Concern::Fault, [u64::MAX, self.now, u64::from(node)])
    }

    fn is_down(&mut self, node: NodeId) -> Done {
        if self.node(node).up { Err(format!("S{node} is up, and has its disk in use")) } else { Ok(()) }
    }

    /// A byte that the node can tell to be damaged: something that was written later says that it was durable by then.
    fn rot(&mut self, node: NodeId) -> Result<DiskFault, String> {
        let mut draw = self.draws_damage(node);
        let places = self.node(node).disk.provable();
        let bytes: u64 = places.iter().map(|(_, bytes)| bytes).sum();
        let mut place = draw.below(bytes);
        let xor = u8::try_from(1 + draw.below(255)).expect("it is below 256");
        for (file, bytes) in places {
            match place.checked_sub(bytes) {
                Some(rest) => place = rest,
                None => return Ok(DiskFault::Rot { file, offset: place, xor }),
            }
        }
        Err(format!("S{node} has nothing on its disk whose damage it could tell from a torn tail"))
    }
}
