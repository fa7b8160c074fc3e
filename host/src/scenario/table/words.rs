//! What a step's keys are in words, for its sentence.

use crate::fact::Fact;
use crate::scenario::name::{Jump, Message, Moment, Name, Survive, Sync, Target};
use crate::units::Span;

/// What a key's value is in words.
pub(super) trait Words {
    /// What stands between two of them in a list.
    const BETWEEN: &'static str = " ";
    /// The words.
    fn words(&self) -> String;
}

/// What is in words what it is as text.
macro_rules! words {
    ($($type:ty),*) => {
        $(impl Words for $type {
            fn words(&self) -> String {
                self.to_string()
            }
        })*
    };
}

words!(i32, i64, u8, u32, String, Span, Name, Target, Jump, Message, Sync, Survive, Moment, Fact);

impl<T: Words> Words for Vec<T> {
    const BETWEEN: &'static str = " | ";

    fn words(&self) -> String {
        self.iter().map(Words::words).collect::<Vec<_>>().join(T::BETWEEN)
    }
}
