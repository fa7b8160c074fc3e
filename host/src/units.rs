//! Times, ranges, ratios and sizes, as people write them: `150ms`, `["1ms", "5ms"]`, `1/100`, `4MiB`.
//!
//! All are integers underneath. Each is written back in the shortest form that means exactly the same, so that a scenario
//! that is read and written again is the same scenario.

use crate::draw::{Range, Ratio};
use crate::event::Micros;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What was wrong with a value, in words that complete "it ...".
type Wrong = String;

/// Splits `12.5ms` into its number, in units of the least of `units`, exactly; the units are (name, size) pairs.
fn quantity(text: &str, units: &[(&str, u64)], example: &str) -> Result<u64, Wrong> {
    let wrong = || format!("is {text:?}, and should be a number and a unit, such as {example}");
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let &(_, size) = units.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut value = whole.parse::<u64>().map_err(|_| wrong())?.checked_mul(size).ok_or_else(wrong)?;
    if !fraction.is_empty() {
        let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).map_err(|_| wrong())?).ok_or_else(wrong)?;
        let parts = fraction.parse::<u64>().map_err(|_| wrong())?.checked_mul(size).ok_or_else(wrong)?;
        if parts % scale != 0 {
            return Err(format!("is {text:?}, which is finer than the smallest unit, {}", units[0].0));
        }
        value = value.checked_add(parts / scale).ok_or_else(wrong)?;
    }
    Ok(value)
}

/// Writes a number with the largest unit that divides it.
fn shortest(value: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (name, size) = units.iter().rev().find(|(_, size)| value.is_multiple_of(*size)).expect("the least unit is 1");
    write!(f, "{}{name}", value / size)
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub Micros);

const TIMES: &[(&str, u64)] = &[("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

/// The longest time that a scenario can name: a virtual day.
const SPAN_MAX: u64 = 24 * 3_600_000_000;

impl Span {
    /// The longest: a virtual day.
    pub const MAX: Self = Self(SPAN_MAX);
}

impl FromStr for Span {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let micros = quantity(text, TIMES, "\"150ms\" or \"1.5s\"")?;
        if micros > SPAN_MAX { Err(format!("is {text:?}, which is longer than 24h")) } else { Ok(Self(micros)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0s") } else { shortest(self.0, TIMES, f) }
    }
}

/// A closed range of spans, `["1ms", "5ms"]`, or one span, `"1ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The shortest.
    pub low: Span,
    /// The longest.
    pub high: Span,
}

impl Spans {
    /// The spans between two numbers of microseconds.
    #[must_use]
    pub const fn micros(low: u64, high: u64) -> Self {
        Self { low: Span(low), high: Span(high) }
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.high.0 == 0
    }

    /// The same as a range of microseconds.
    #[must_use]
    pub const fn range(self) -> Range {
        Range { low: self.low.0, high: self.high.0 }
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

const SIZES: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl FromStr for Size {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        quantity(text, SIZES, "\"4MiB\"").map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shortest(self.0, SIZES, f)
    }
}

impl FromStr for Ratio {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || format!("is {text:?}, and should be a ratio from 0 to 1, such as \"1/100\"");
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (times, of) = match text.split_once('/') {
            Some((times, of)) => (number(times)?, number(of)?),
            None => (number(text)?, 1),
        };
        if of == 0 || times > of { Err(wrong()) } else { Ok(Self { times, of }) }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.of == 1 { write!(f, "{}", self.times) } else { write!(f, "{}/{}", self.times, self.of) }
    }
}

/// Makes a type that has `Display` and `FromStr` a text in files. The error of `FromStr` completes "it ...".
macro_rules! as_text {
    ($type:ty) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(|wrong| ::serde::de::Error::custom(format!("it {wrong}")))
            }
        }
    };
}
pub(crate) use as_text;

as_text!(Span);
as_text!(Size);
as_text!(Ratio);

impl Serialize for Spans {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high { self.low.serialize(to) } else { [self.low, self.high].serialize(to) }
    }
}

impl<'de> Deserialize<'de> for Spans {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Spans;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"5ms\", or a range of times such as [\"1ms\", \"5ms\"]")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Spans, E> {
                let span = text.parse().map_err(|wrong| E::custom(format!("it {wrong}")))?;
                Ok(Spans { low: span, high: span })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Spans, A::Error> {
                let wrong = || A::Error::custom("it should be two times, the shortest and the longest");
                let low: Span = list.next_element()?.ok_or_else(wrong)?;
                let high: Span = list.next_element()?.ok_or_else(wrong)?;
                if list.next_element::<Span>()?.is_some() {
                    return Err(wrong());
                }
                if low > high {
                    return Err(A::Error::custom(format!("its shortest time, {low}, is above its longest, {high}")));
                }
                Ok(Spans { low, high })
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in ["0s", "1us", "150ms", "1500us", "2s", "1m", "90s", "24h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("1.5s".parse::<Span>().unwrap(), Span(1_500_000));
        assert_eq!("4MiB".parse::<Size>().unwrap().to_string(), "4MiB");
        for text in ["0", "1", "3/100"] {
            assert_eq!(text.parse::<Ratio>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let span = |text: &str| text.parse::<Span>().unwrap_err();
        assert_eq!(span("5"), "is \"5\", and should be a number and a unit, such as \"150ms\" or \"1.5s\"");
        assert_eq!(
            span("5 parsecs"),
            "is \"5 parsecs\", and should be a number and a unit, such as \"150ms\" or \"1.5s\""
        );
        assert_eq!(span("0.5us"), "is \"0.5us\", which is finer than the smallest unit, us");
        assert_eq!(span("25h"), "is \"25h\", which is longer than 24h");
        assert!("1/0".parse::<Ratio>().is_err() && "2".parse::<Ratio>().is_err() && "0.5".parse::<Ratio>().is_err());
    }
}
