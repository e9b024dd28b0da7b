//! Where one document may follow another in the same line.

use memchr::memmem;

use super::work;

/// The next places in some bytes at which an object ends and another value begins. In JSON that is so in strings alone.
#[derive(Debug, Default)]
pub(super) struct Glue([usize; PAIRS.len()]);

const PAIRS: [&[u8]; 2] = [b"}{", b"}["];

impl Glue {
    /// The first such place at or behind another; the end of the bytes if there is none. Places never go back.
    pub(super) fn next(&mut self, bytes: &[u8], from: usize) -> usize {
        for (place, pair) in self.0.iter_mut().zip(PAIRS) {
            if *place < from || *place == 0 {
                *place = memmem::find(&bytes[from..], pair).map_or(bytes.len(), |n| from + n);
                work::add(*place - from);
            }
        }
        self.0.into_iter().min().unwrap_or(bytes.len())
    }
}
