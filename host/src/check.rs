//! stub
use crate::event::{Event, Micros};
use raftbox_abi::Note;
/// o
pub struct Observed<'a> {
    /// i
    pub index: u64,
    /// a
    pub at: Micros,
    /// e
    pub event: &'a Event<'a>,
    /// n
    pub note: Option<&'a Note>,
}
/// c
#[derive(Clone)]
pub struct Checkers;
impl Checkers {
    /// n
    #[must_use]
    pub fn new(_: u32, _: u32) -> Self {
        Self
    }
    /// o
    pub fn observe(&mut self, _: &Observed<'_>) {}
}
