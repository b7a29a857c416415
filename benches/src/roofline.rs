//! Each kernel by itself, and what the machine's limits would let it do: the roofline (Williams,
//! Waterman and Patterson, 2009).
//!
//! A kernel of f flops and b bytes, by count, can do no more than `min(peak, bandwidth · f/b)`
//! flops a second, the bandwidth being that of the cache which its working set sits in: the larger
//! of reading and updating in place, so that it is a bound.
//!
//! What has chains of square roots and divisions (QL) is bound by their latency, not by this;
//! limits tell that time, too. Interleaving gathers entry by entry and is bound by neither. Called
//! by `kernel-rates`.

use std::time::Duration;

use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::lanes::measure::{Counts, Kernel, Shape, Stage};

use crate::clock::{fastest, seconds};
use crate::limits::{Level, Limits};

/// Groups that run beside each other, as in a batch.
const GROUPS: usize = 4;

/// A kernel, measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Which one.
    pub kernel: Kernel,
    /// d.
    pub size: usize,
    /// Seconds a problem.
    pub seconds: f64,
    /// Of a problem, by count.
    pub counts: Counts,
    /// Bytes that a group goes over again and again.
    pub working_set: f64,
}

/// What is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Gflop/s.
    pub rate: f64,
    /// Of the peak.
    pub share_of_peak: f64,
    /// GB/s, by count.
    pub traffic: f64,
    /// Where the working set sits.
    pub level: Level,
    /// Gflop/s.
    pub bound: f64,
    /// Of the bound.
    pub share_of_bound: f64,
}

impl Measured {
    /// Measures a kernel: the best run within the budget, which also pays for putting back what it
    /// is given.
    ///
    /// # Panics
    ///
    /// If k is not in 1..=d.
    #[must_use]
    pub fn measure(kernel: Kernel, instruction_set: InstructionSet, shape: Shape, budget: Duration) -> Self {
        let mut stage = Stage::new(kernel, instruction_set, shape, GROUPS);
        let lanes = instruction_set.lanes();
        let all = fastest(budget, || {
            stage.prepare();
            seconds(|| stage.run())
        });
        let counts = kernel.counts(shape, lanes);
        Self {
            kernel,
            size: shape.size,
            seconds: all / stage.problems() as f64,
            counts,
            working_set: counts.working_set * lanes as f64,
        }
    }

    /// Beside the limits of the machine.
    #[must_use]
    pub fn place(&self, limits: &Limits) -> Placed {
        let Counts { flops, bytes, .. } = self.counts;
        let level = limits.level_for(self.working_set);
        let rate = 1e-9 * flops / self.seconds;
        let bound = roofline(limits.peak, level.bandwidth(), flops / bytes);
        Placed {
            rate,
            share_of_peak: rate / limits.peak,
            traffic: 1e-9 * bytes / self.seconds,
            level,
            bound,
            share_of_bound: rate / bound,
        }
    }
}

/// Gflop/s that are possible at a peak (Gflop/s), a bandwidth (GB/s) and an intensity (flops a
/// byte).
#[must_use]
pub fn roofline(peak: f64, bandwidth: f64, intensity: f64) -> f64 {
    peak.min(bandwidth * intensity)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_spectral::lanes::InstructionSet;
    use eigensweep_spectral::lanes::measure::{Counts, Kernel};

    use super::{Measured, roofline};
    use crate::limits::{Level, Limits};
    use crate::tasks::shape;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs()
    }

    #[test]
    fn the_roof_is_the_bandwidth_below_the_ridge_and_the_peak_above() {
        assert!(near(roofline(40.0, 100.0, 0.1), 10.0));
        assert!(near(roofline(40.0, 100.0, 0.4), 40.0));
        assert!(near(roofline(40.0, 100.0, 8.0), 40.0));
    }

    #[test]
    fn a_kernel_is_placed_below_the_roof_of_its_level() {
        let level = |name, capacity, reading, updating| Level { name, capacity, reading, updating };
        let limits = Limits {
            peak: 40.0,
            root_latency: 1.0,
            root_throughput: 1.0,
            levels: [
                level("L1", 1 << 10, 100.0, 90.0),
                level("L2", 1 << 20, 50.0, 60.0),
                level("L3", 1 << 24, 20.0, 20.0),
                level("memory", usize::MAX, 10.0, 10.0),
            ],
        };
        let counts = Counts { flops: 1e3, bytes: 2e3, working_set: 8e3 };
        let measured =
            Measured { kernel: Kernel::Reduce, size: 32, seconds: 1e-7, counts, working_set: 64e3 };
        let placed = measured.place(&limits);
        assert_eq!(placed.level.name, "L2");
        assert!(near(placed.rate, 10.0) && near(placed.traffic, 20.0) && near(placed.share_of_peak, 0.25));
        assert!(near(placed.bound, 30.0) && near(placed.share_of_bound, 1.0 / 3.0));
    }

    #[test]
    fn every_kernel_is_measured() {
        for kernel in Kernel::ALL {
            let measured = Measured::measure(kernel, InstructionSet::detect(), shape(8), Duration::ZERO);
            assert!(measured.seconds > 0.0 && measured.counts.flops > 0.0, "{kernel:?}");
        }
    }
}
