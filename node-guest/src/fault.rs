//! Why a node stops on purpose.

use std::fmt;

/// The reason of a halt: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One of [`code`].
    pub code: u32,
    /// What is wrong, where, and what was expected.
    pub reason: String,
}

/// The codes with which a node halts.
pub mod code {
    /// It was booted with settings that make no sense.
    pub const SETTINGS: u32 = 1;
    /// Its disk holds what cannot be: to go on would be to forget promises.
    pub const CORRUPT: u32 = 2;
    /// Its disk failed to read, write or sync.
    pub const DISK: u32 = 3;
}

impl Fault {
    /// A fault of the settings.
    #[must_use]
    pub fn settings(reason: String) -> Self {
        Self { code: code::SETTINGS, reason }
    }

    /// A corrupt disk.
    #[must_use]
    pub fn corrupt(reason: String) -> Self {
        Self { code: code::CORRUPT, reason }
    }

    /// A disk that failed with one of the boundary's status codes.
    #[must_use]
    pub fn disk(what: fmt::Arguments<'_>, status: i32) -> Self {
        let why = match status {
            raftbox_abi::boundary::status::IO => "the device failed",
            raftbox_abi::boundary::status::FULL => "the disk is full",
            _ => "for a reason unknown here",
        };
        Self { code: code::DISK, reason: format!("{what}: {why} (status {status})") }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
