//! The form of one line.
