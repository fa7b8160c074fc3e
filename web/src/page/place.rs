//! Places on the screen as text, in hundredths: what writes whole floats weighs more than some panels.

use std::fmt;

/// A coordinate, a length or an angle.
#[derive(Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (self.0 * 100.0) as i64;
        let sign = if hundredths < 0 { "-" } else { "" };
        let size = hundredths.unsigned_abs();
        write!(f, "{sign}{}.{:02}", size / 100, size % 100)
    }
}

/// A number for an attribute.
pub(super) fn px(number: f64) -> String {
    Px(number).to_string()
}

/// The transform that moves something to a place.
pub(super) fn moved_to(x: f64, y: f64) -> String {
    format!("translate({} {})", Px(x), Px(y))
}
