//! Things that are numbered in the order in which they come, and found again by their hash.

use hashbrown::HashTable;

/// The numbers of things, by the hashes of these. What the things are only its owner knows.
#[derive(Default)]
pub(super) struct Index {
    table: HashTable<u32>,
    hashes: Vec<u64>,
}

impl Index {
    /// The number of the thing of that hash which `is` it.
    pub(super) fn find(&self, hash: u64, is: &dyn Fn(usize) -> bool) -> Option<u32> {
        self.table.find(hash, |number| is(*number as usize)).copied()
    }

    /// Gives the next number to a thing that has none.
    pub(super) fn insert(&mut self, hash: u64) -> u32 {
        let number = u32::try_from(self.hashes.len()).expect("what is remembered is bounded");
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.table.insert_unique(hash, number, |number| hashes[*number as usize]);
        number
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.table.allocation_size() + self.hashes.capacity() * size_of::<u64>()
    }
}
