//! The guest bytes.
