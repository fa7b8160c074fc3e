//! Values as few bytes: numbers as LEB128 varints (signed ones zigzag first), texts and lists after their length.
//!
//! There is one way to write each value, and whatever is read again is read as if an enemy had written it.

use crate::event::{Endpoint, MessageName};
use crate::fact::Fact;
use crate::scenario::step::{Jump, Message, Moment, Name, Survive, Sync, Target};
use crate::units::Span;
use std::str::FromStr;

/// Bytes that are yet to be read.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next so many bytes.
    pub(crate) fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

/// What can be packed.
pub(crate) trait Pack: Sized {
    /// Appends it.
    fn pack(&self, out: &mut Vec<u8>);
    /// Reads it; `None` if that cannot be read, or would have been written in another way.
    fn unpack(from: &mut Reader<'_>) -> Option<Self>;
}

impl Pack for u64 {
    fn pack(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            out.push(if rest == 0 { low } else { low | 0x80 });
            if rest == 0 {
                break;
            }
        }
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = from.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Pack for i64 {
    fn pack(&self, out: &mut Vec<u8>) {
        ((*self << 1) ^ (*self >> 63)).cast_unsigned().pack(out);
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        let value = u64::unpack(from)?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

/// Packs a type as another one that it converts into, and perhaps from.
macro_rules! pack_as {
    ($($type:ty as $other:ty: $into:expr, $from:expr;)*) => {
        $(impl Pack for $type {
            fn pack(&self, out: &mut Vec<u8>) {
                let into: fn(&$type) -> $other = $into;
                into(self).pack(out);
            }

            fn unpack(from: &mut Reader<'_>) -> Option<Self> {
                let back: fn($other) -> Option<$type> = $from;
                back(<$other>::unpack(from)?)
            }
        })*
    };
}

pack_as! {
    u8 as u64: |value| u64::from(*value), |value| value.try_into().ok();
    u32 as u64: |value| u64::from(*value), |value| value.try_into().ok();
    i32 as i64: |value| i64::from(*value), |value| value.try_into().ok();
    Span as u64: |span| span.0, |micros| (micros <= Span::MAX.0).then_some(Self(micros));
    Jump as i64: |jump| jump.0, |micros| (micros.unsigned_abs() <= Span::MAX.0).then_some(Self(micros));
    Name as u64: |name| match name.0 {
        Endpoint::Node(node) => u64::from(node) << 1,
        Endpoint::Client(client) => u64::from(client) << 1 | 1,
    }, |value| {
        let number = u32::try_from(value >> 1).ok().filter(|number| *number > 0)?;
        Some(Self(if value & 1 == 0 { Endpoint::Node(number) } else { Endpoint::Client(number) }))
    };
    Target as u64: |target| match target {
        Target::Leader => 0,
        Target::Crashed => 1,
        Target::Node(node) => u64::from(*node) + 1,
    }, |value| match value {
        0 => Some(Self::Leader),
        1 => Some(Self::Crashed),
        node => Some(Self::Node(u32::try_from(node - 1).ok()?)),
    };
    Survive as u64: |survive| match survive {
        Survive::None => 0,
        Survive::All => 1,
        Survive::Torn => 2,
        Survive::Last => 3,
    }, |value| [Self::None, Self::All, Self::Torn, Self::Last].get(usize::try_from(value).ok()?).copied();
}

impl Pack for Message {
    fn pack(&self, out: &mut Vec<u8>) {
        let MessageName { from, to, n } = self.0;
        Name(from).pack(out);
        Name(to).pack(out);
        n.pack(out);
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        let (Name(sender), Name(to)) = (Pack::unpack(from)?, Pack::unpack(from)?);
        Some(Self(MessageName { from: sender, to, n: Pack::unpack(from)? }))
    }
}

impl Pack for Sync {
    fn pack(&self, out: &mut Vec<u8>) {
        self.node.pack(out);
        self.boot.pack(out);
        self.n.pack(out);
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { node: Pack::unpack(from)?, boot: Pack::unpack(from)?, n: Pack::unpack(from)? })
    }
}

/// A number as it is; what is named, by its text behind a number that none can be.
impl Pack for Moment {
    fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nth(nth) => nth.pack(out),
            named => {
                NAMED.pack(out);
                named.to_string().pack(out);
            }
        }
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        let number = u64::unpack(from)?;
        if number == NAMED { unpack_text(from) } else { Some(Self::Nth(number.try_into().ok()?)) }
    }
}

/// What tells that a moment is named.
const NAMED: u64 = 1 << 32;

/// A value that is packed as its text, and would be written as just that.
fn unpack_text<T: FromStr + ToString>(from: &mut Reader<'_>) -> Option<T> {
    let text = String::unpack(from)?;
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

impl Pack for Fact {
    fn pack(&self, out: &mut Vec<u8>) {
        self.to_string().pack(out);
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        unpack_text(from)
    }
}

impl Pack for String {
    fn pack(&self, out: &mut Vec<u8>) {
        (self.len() as u64).pack(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        let len = u64::unpack(from)?;
        Self::from_utf8(from.take(len)?.to_vec()).ok()
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, out: &mut Vec<u8>) {
        (self.len() as u64).pack(out);
        self.iter().for_each(|item| item.pack(out));
    }

    fn unpack(from: &mut Reader<'_>) -> Option<Self> {
        // Each item takes a byte at least, so a false length does not make room for what never comes.
        let len = usize::try_from(u64::unpack(from)?).ok().filter(|len| *len <= from.0.len())?;
        (0..len).map(|_| T::unpack(from)).collect()
    }
}
