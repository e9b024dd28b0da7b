//! What is done with bytes, counted where tests ask how it grows.

#[cfg(test)]
pub(super) use counted::{add, take};

/// Counts bytes that are looked at or copied.
#[cfg(not(test))]
#[inline]
pub(super) fn add(_: usize) {}

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<u64> = const { Cell::new(0) };
    }

    pub(in crate::files) fn add(bytes: usize) {
        BYTES.set(BYTES.get() + bytes as u64);
    }

    /// Bytes that were looked at or copied on this thread since this was last asked.
    pub(in crate::files) fn take() -> u64 {
        BYTES.take()
    }
}
