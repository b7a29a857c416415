//! The system's allocator, counting what each thread does.
//!
//! A test program declares it, `#[global_allocator] static ALLOCATOR: Counting = Counting;`, and
//! then measures.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// A global allocator that counts by thread.
#[derive(Debug)]
pub struct Counting;

/// What a thread did with the allocator.
#[derive(Clone, Copy)]
struct Counts {
    /// To take, to change and to give back.
    calls: usize,
    /// Bytes taken and not given back.
    live: usize,
    /// The most of these since [`peak`] began.
    peak: usize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { calls: 0, live: 0, peak: 0 }) };
}

fn count(added: usize, removed: usize) {
    // Memory may be freed by another thread than took it, hence saturating; and a thread's last
    // frees come after its counts are gone, hence no unwrapping.
    let _ = COUNTS.try_with(|cell| {
        let Counts { calls, live, peak } = cell.get();
        let live = live.saturating_add(added).saturating_sub(removed);
        cell.set(Counts { calls: calls + 1, live, peak: peak.max(live) });
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged; the counts are plain
// thread-local numbers without destructor, so that touching them neither allocates nor unwinds.
#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's contract is `System`'s own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While it moves, both are held.
        count(size, 0);
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Calls of the allocator on this thread while `work` runs.
///
/// # Panics
///
/// If the program's allocator is not [`Counting`].
pub fn calls(work: impl FnOnce()) -> usize {
    measured(work).0
}

/// The most bytes that this thread held while `work` ran, beyond what it held before.
///
/// # Panics
///
/// As [`calls`].
pub fn peak(work: impl FnOnce()) -> usize {
    measured(work).1
}

fn measured(work: impl FnOnce()) -> (usize, usize) {
    let calls = COUNTS.get().calls;
    drop(std::hint::black_box(Box::new(0_u8)));
    let before = COUNTS.get();
    assert_eq!(before.calls - calls, 2, "the program declares the counting allocator");
    COUNTS.set(Counts { peak: before.live, ..before });
    work();
    let after = COUNTS.get();
    (after.calls - before.calls, after.peak - before.live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[test]
    fn calls_and_bytes_are_counted() {
        assert_eq!(measured(|| ()), (0, 0));
        assert_eq!(measured(|| drop(std::hint::black_box(vec![1.0; 10]))), (2, 80));
        let grows = || {
            let mut bytes = std::hint::black_box(Vec::<u8>::with_capacity(1000));
            bytes.reserve_exact(3000);
        };
        assert_eq!(peak(grows), 4000);
        assert_eq!(calls(|| std::thread::scope(|_| ())), calls(|| std::thread::scope(|_| ())));
    }
}
