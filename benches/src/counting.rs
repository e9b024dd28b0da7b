//! Bytes that live on the heap.
//!
//! The only unsafe code of the project: a global allocator cannot be written without it. It hands every call on
//! to the system's allocator unchanged and counts beside it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);

/// The system's allocator; counts while [`live_bytes`] runs, and costs one load of a flag otherwise.
#[derive(Debug)]
pub struct Counting;

#[allow(unsafe_code, reason = "implementing the trait is unsafe; every call goes to System as it came")]
// SAFETY: the layouts and pointers are passed on to `System` unchanged, and its results are returned unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: i64) {
    if ON.load(Ordering::Relaxed) {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What `make` makes, and by how many bytes the heap has grown for it. For one thread at a time; 0 unless
/// [`Counting`] is the global allocator.
pub fn live_bytes<T>(make: impl FnOnce() -> T) -> (T, u64) {
    let before = LIVE.load(Ordering::Relaxed);
    ON.store(true, Ordering::Relaxed);
    let made = make();
    ON.store(false, Ordering::Relaxed);
    (made, (LIVE.load(Ordering::Relaxed) - before).max(0) as u64)
}
