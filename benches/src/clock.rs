//! How long something takes: the fastest of many runs, which is what a shared machine disturbs
//! least.
//!
//! Called by everything that `kernel-rates` measures.

use std::time::{Duration, Instant};

/// Fewest runs of a measurement, however small its budget.
const FEWEST: usize = 3;

/// Seconds that something takes once.
pub fn seconds(run: impl FnOnce()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_secs_f64()
}

/// Seconds of a processor that something takes once on this thread: while others have it, no time
/// passes.
pub fn processor_seconds(run: impl FnOnce()) -> f64 {
    let started = thread_time();
    run();
    thread_time() - started
}

/// Seconds of a processor that this thread has had.
fn thread_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes, and the clock only reads what the kernel knows.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// The least of what `run` returns, called as often as the budget allows and at least three times.
///
/// What it returns are the seconds of what is to be measured; the budget also pays for what it does
/// beside.
pub fn fastest(budget: Duration, mut run: impl FnMut() -> f64) -> f64 {
    let started = Instant::now();
    let (mut least, mut runs) = (f64::INFINITY, 0);
    while runs < FEWEST || started.elapsed() < budget {
        least = least.min(run());
        runs += 1;
    }
    least
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FEWEST, fastest, processor_seconds, seconds};

    #[test]
    fn the_fastest_run_counts_and_a_few_are_made_without_a_budget() {
        let mut runs = vec![3.0, 1.0, 2.0].into_iter().cycle();
        let mut count = 0;
        let least = fastest(Duration::ZERO, || {
            count += 1;
            runs.next().unwrap()
        });
        assert_eq!((least.to_bits(), count), (1.0_f64.to_bits(), FEWEST));
    }

    #[test]
    fn a_pause_takes_its_time_and_no_processor() {
        let pause = || std::thread::sleep(Duration::from_millis(20));
        let mut without = 0.0;
        let with = seconds(|| without = processor_seconds(pause));
        assert!(with >= 0.02);
        assert!((0.0..with).contains(&without));
    }
}
