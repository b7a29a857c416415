//! Memory that is not to be had: the process ends at once, with a line and an exit code.
//!
//! The standard library's own answer takes more steps, and any of them may wait for ever: libraries
//! turn a failed allocation into a panic, the panic's backtrace needs memory and holds a lock, and
//! the message about *that* failure wants the lock, too. A program that has [`OrEnd`] as its global
//! allocator takes one step. Whatever it was writing is as after a kill.
//!
//! Where a size comes from a file, failure is a fact about the file, and an error that names it:
//! [`may_fail`].

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    /// Whether this thread looks after failure by itself.
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Calls something whose allocations may fail, and say so to their caller (`try_reserve`).
pub fn may_fail<T>(allocate: impl FnOnce() -> T) -> T {
    let outer = MAY_FAIL.replace(true);
    let result = allocate();
    MAY_FAIL.set(outer);
    result
}

/// An allocator that ends the process, with exit code 1, where another one has no memory to give,
/// unless that [`may_fail`].
#[derive(Debug)]
pub struct OrEnd<A>(pub A);

// SAFETY: all memory is the other allocator's, under the same contract.
unsafe impl<A: GlobalAlloc> GlobalAlloc for OrEnd<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        checked(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        checked(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        checked(unsafe { self.0.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { self.0.dealloc(old, layout) }
    }
}

fn checked(memory: *mut u8, bytes: usize) -> *mut u8 {
    if memory.is_null() && !MAY_FAIL.get() {
        end(bytes);
    }
    memory
}

/// Says that so many bytes were not to be had, and ends the process. Allocates nothing, waits for
/// no lock, and runs nothing else's farewells.
#[cold]
fn end(bytes: usize) -> ! {
    #[cfg(unix)]
    {
        use std::io::Write;
        let mut line = [0; 256];
        let mut rest = &mut line[..];
        // It fits: the number has twenty digits at most.
        let _ = writeln!(
            rest,
            "error: out of memory: {bytes} bytes more are not to be had. Give the program more memory (or `run` fewer \
             --threads); a data set goes on from its last finished part"
        );
        let left = rest.len();
        // SAFETY: the first bytes of an array that is there; descriptor 2 may be closed, which is
        // an error that nobody asks for.
        unsafe { libc::write(2, line.as_ptr().cast(), line.len() - left) };
        // SAFETY: ends the process, whatever its state.
        unsafe { libc::_exit(1) }
    }
    #[cfg(not(unix))]
    {
        let _ = bytes;
        std::process::abort()
    }
}
