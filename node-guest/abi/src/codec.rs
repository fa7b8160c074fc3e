//! Little-endian reading and writing, shared by everything that crosses the boundary.
//!
//! A [`Reader`] takes values off the front of a slice; each method returns `None` where the slice is too short, so that
//! a decoder is a row of `?`. Writing is [`Write`] on a `Vec<u8>`.

/// Takes little-endian values off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// The next `u32`.
    #[inline]
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next `u64`.
    #[inline]
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next bytes, preceded by their number as `u32`.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.u32()?;
        self.take(usize::try_from(count).ok()?)
    }

    /// The next identifiers (`u32` each), preceded by their number as `u32`.
    pub fn ids(&mut self) -> Option<Vec<u32>> {
        let count = usize::try_from(self.u32()?).ok()?;
        let bytes = self.take(count.checked_mul(4)?)?;
        Some(bytes.as_chunks().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect())
    }

    /// `value`, if nothing is left over: a decoder's last word, so that trailing bytes are an error and not a secret.
    pub fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// Appends little-endian values.
pub trait Write {
    /// Appends a `u32`.
    fn put_u32(&mut self, value: u32);
    /// Appends a `u64`.
    fn put_u64(&mut self, value: u64);
    /// Appends bytes, preceded by their number as `u32`.
    ///
    /// # Panics
    /// If there are 4 GiB of them or more.
    fn put_bytes(&mut self, bytes: &[u8]);
    /// Appends identifiers, preceded by their number as `u32`.
    ///
    /// # Panics
    /// If there are 2³² of them or more.
    fn put_ids(&mut self, ids: &[u32]);
}

impl Write for Vec<u8> {
    #[inline]
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_u32(u32::try_from(bytes.len()).expect("a field stays below 4 GiB"));
        self.extend_from_slice(bytes);
    }

    fn put_ids(&mut self, ids: &[u32]) {
        self.put_u32(u32::try_from(ids.len()).expect("fewer than 2^32 identifiers"));
        ids.iter().for_each(|id| self.put_u32(*id));
    }
}
