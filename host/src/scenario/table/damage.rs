//! The verbs that are about disks.

use super::Table;
use crate::scenario::act::{Damage, Place};

impl Table {
    /// What befalls the disk, if the verb is about one. The keys that it must have are there.
    pub(super) fn damage(&self) -> Result<Option<Damage>, String> {
        Ok(Some(match self.r#do.as_str() {
            "rot" => Damage::Rot(self.place()?),
            "wipe" => Damage::Wipe,
            "swap" => Damage::Swap(self.other.ok_or("the step \"swap\" needs an \"other\"")?),
            "lie" => Damage::Lie(true),
            "honest" => Damage::Lie(false),
            "fill" => Damage::Fill(true),
            "free" => Damage::Fill(false),
            "fail-write" => Damage::FailWrite,
            "misdirect" => Damage::Misdirect,
            _ => return Ok(None),
        }))
    }

    /// The verb of it, and its keys.
    pub(super) fn of_damage(damage: Damage) -> Self {
        let verb = |verb: &str| Self { r#do: verb.into(), ..Self::default() };
        match damage {
            Damage::Rot(None) => verb("rot"),
            Damage::Rot(Some(Place { file, offset, xor })) => {
                Self { file: Some(file), offset: Some(offset), xor: Some(xor), ..verb("rot") }
            }
            Damage::Wipe => verb("wipe"),
            Damage::Swap(with) => Self { other: Some(with), ..verb("swap") },
            Damage::Lie(lies) => verb(if lies { "lie" } else { "honest" }),
            Damage::Fill(full) => verb(if full { "fill" } else { "free" }),
            Damage::FailWrite => verb("fail-write"),
            Damage::Misdirect => verb("misdirect"),
        }
    }

    /// The byte that rots, if it is said.
    fn place(&self) -> Result<Option<Place>, String> {
        match (self.file, self.offset, self.xor) {
            (None, None, None) => Ok(None),
            (Some(_), Some(_), Some(0)) => Err("xor is 0, which changes nothing".into()),
            (Some(file), Some(offset), Some(xor)) => Ok(Some(Place { file, offset, xor })),
            _ => Err("the step \"rot\" takes all of \"file\", \"offset\" and \"xor\", or none".into()),
        }
    }
}
