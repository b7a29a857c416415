//! What a program says on standard error.

/// A line on standard error. Where it cannot be written (a log on a full disk, a closed pipe) it is
/// lost, and the work goes on: `eprintln!` would panic.
macro_rules! tell {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}
