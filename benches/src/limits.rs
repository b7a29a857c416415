//! What one core of this machine can do at most with an instruction set: what the kernels are held
//! against.
//!
//! | limit | measured with |
//! |---|---|
//! | flops | ten independent chains of fused multiply-adds in registers |
//! | square root and division | `x ← √(c/x)`: one chain (latency), and ten beside each other (throughput) |
//! | bandwidth, reading | the sum of a vector |
//! | bandwidth, updating | `x ← a x` in place: each number is read and written |
//!
//! The vectors take half of each level of cache, and four times the last one for memory. Each is
//! the best of many runs. Without vector instructions the fused multiply-add of an x86-64 is done
//! in software, by the kernels as by the chains here.
//!
//! Called by `kernel-rates`; [`roofline`](crate::roofline) derives bounds from it.

use std::hint::black_box;
use std::time::Duration;

use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;
use pulp::{Arch, Simd, WithSimd};

use crate::caches::Caches;
use crate::clock::{fastest, seconds};

/// Chains that hide each other's latency: more than latency times throughput of any processor
/// asked, fewer than AVX2 has registers.
const CHAINS: usize = 10;

/// Registers that a pass over a vector takes at a time.
const UNROLL: usize = 8;

/// Steps of each chain in a run: some ten microseconds.
const STEPS: usize = 4096;

/// Bytes that a run moves at least, so that reading the clock costs nothing beside.
const RUN: usize = 1 << 20;

/// The limits of one core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Gflop/s, a fused multiply-add two flops.
    pub peak: f64,
    /// Nanoseconds of a square root and a division in a chain.
    pub root_latency: f64,
    /// Nanoseconds of a square root and a division, a register of each, where nothing waits for
    /// them.
    pub root_throughput: f64,
    /// L1, L2, L3 and memory.
    pub levels: [Level; 4],
}

/// A level of the memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Its name.
    pub name: &'static str,
    /// Bytes that it holds; without bound for memory.
    pub capacity: usize,
    /// GB/s of reading.
    pub reading: f64,
    /// GB/s of reading and writing in place, both counted.
    pub updating: f64,
}

impl Level {
    /// The larger of the two: what no kernel can exceed.
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
        self.reading.max(self.updating)
    }
}

impl Limits {
    /// Measures them on this core, each of the eleven within `budget`.
    #[must_use]
    pub fn measure(instruction_set: InstructionSet, budget: Duration) -> Self {
        let arch = arch(instruction_set);
        let lanes = instruction_set.lanes();
        let fused = fastest(budget, || seconds(|| arch.dispatch(FusedChains)));
        let nanoseconds_a_step = |seconds: f64| 1e9 * seconds / STEPS as f64;
        let latency = fastest(budget, || seconds(|| arch.dispatch(RootChains::<1>)));
        let throughput = fastest(budget, || seconds(|| arch.dispatch(RootChains::<CHAINS>)));
        let [first, second, third] = Caches::detect().sizes();
        let level = |name, capacity, bytes| {
            let (reading, updating) = bandwidths(arch, bytes, budget);
            Level { name, capacity, reading, updating }
        };
        Self {
            peak: 1e-9 * (2 * CHAINS * STEPS * lanes) as f64 / fused,
            root_latency: nanoseconds_a_step(latency),
            root_throughput: nanoseconds_a_step(throughput) / CHAINS as f64,
            levels: [
                level("L1", first, first / 2),
                level("L2", second, second / 2),
                level("L3", third, third / 2),
                level("memory", usize::MAX, 4 * third),
            ],
        }
    }

    /// The nearest level that holds so many bytes.
    #[must_use]
    pub fn level_for(&self, bytes: f64) -> Level {
        let [.., last] = self.levels;
        self.levels.into_iter().find(|level| bytes <= level.capacity as f64).unwrap_or(last)
    }
}

impl std::fmt::Display for Limits {
    /// One sentence.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { peak, root_latency, root_throughput, levels } = self;
        write!(
            f,
            "Peak {peak:.1} Gflop/s; square root and division {root_throughput:.1} ns a register, {root_latency:.1} ns in a \
             chain; GB/s reading and updating: "
        )?;
        for (n, Level { name, reading, updating, .. }) in levels.iter().enumerate() {
            let separator = if n > 0 { ", " } else { "" };
            write!(f, "{separator}{name} {reading:.0} and {updating:.0}")?;
        }
        Ok(())
    }
}

/// What `pulp` calls an instruction set.
fn arch(instruction_set: InstructionSet) -> Arch {
    match instruction_set.name() {
        #[cfg(target_arch = "x86_64")]
        "avx2" => pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3),
        #[cfg(target_arch = "x86_64")]
        "avx512" => pulp::x86::V4::try_new().map_or(Arch::Scalar, Arch::V4),
        #[cfg(target_arch = "aarch64")]
        "neon" => pulp::aarch64::Neon::try_new().map_or(Arch::Scalar, Arch::Neon),
        _ => Arch::Scalar,
    }
}

/// GB/s of reading and of updating a vector of so many bytes.
fn bandwidths(arch: Arch, bytes: usize, budget: Duration) -> (f64, f64) {
    // Whole rounds of any register; aligned as a matrix is.
    let length = (bytes / 8).next_multiple_of(8 * UNROLL);
    let mut vector = Mat::<f64>::full(length, 1, 1.0);
    let mut column = vector.col_mut(0);
    let numbers = column.as_mut().try_as_col_major_mut().map_or(&mut [][..], |column| column.as_slice_mut());
    let passes = RUN.div_ceil(bytes);
    let moved = 1e-9 * (8 * length * passes) as f64;
    let reading = fastest(budget, || seconds(|| arch.dispatch(Read { numbers, passes })));
    let updating = fastest(budget, || seconds(|| arch.dispatch(Update { numbers, passes })));
    (moved / reading, 2.0 * moved / updating)
}

/// `x ← a x + b`, [`STEPS`] times in each of [`CHAINS`].
struct FusedChains;

impl WithSimd for FusedChains {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        // No sum is exact: in software an exact one takes another time.
        let (a, b) = (s.splat_f64s(black_box(0.7)), s.splat_f64s(black_box(0.1)));
        let mut x = [s.splat_f64s(black_box(1.5)); CHAINS];
        for _ in 0..STEPS {
            for x in &mut x {
                *x = s.mul_add_f64s(*x, a, b);
            }
        }
        black_box(x);
    }
}

/// `x ← √(c/x)`, [`STEPS`] times in each of G chains.
struct RootChains<const G: usize>;

impl<const G: usize> WithSimd for RootChains<G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let c = s.splat_f64s(black_box(2.0));
        let mut x = [s.splat_f64s(black_box(1.5)); G];
        for _ in 0..STEPS {
            for x in &mut x {
                *x = s.sqrt_f64s(s.div_f64s(c, *x));
            }
        }
        black_box(x);
    }
}

/// The sum of a vector, again and again.
struct Read<'a> {
    numbers: &'a [f64],
    passes: usize,
}

impl WithSimd for Read<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let mut sums = [s.splat_f64s(0.0); UNROLL];
        for _ in 0..self.passes {
            let (registers, _) = S::as_simd_f64s(black_box(self.numbers));
            let (rounds, _) = pulp::as_arrays::<UNROLL, _>(registers);
            for round in rounds {
                for (sum, x) in sums.iter_mut().zip(round) {
                    *sum = s.add_f64s(*sum, *x);
                }
            }
        }
        black_box(sums);
    }
}

/// `x ← a x`, again and again.
struct Update<'a> {
    numbers: &'a mut [f64],
    passes: usize,
}

impl WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let a = s.splat_f64s(black_box(1.0));
        for _ in 0..self.passes {
            let (registers, _) = S::as_mut_simd_f64s(black_box(&mut *self.numbers));
            let (rounds, _) = pulp::as_arrays_mut::<UNROLL, _>(registers);
            for round in rounds {
                for x in round {
                    *x = s.mul_f64s(*x, a);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_spectral::lanes::InstructionSet;

    use super::{Level, Limits, arch};

    fn limits() -> Limits {
        let level = |name, capacity| Level { name, capacity, reading: 2.0, updating: 3.0 };
        let levels = [level("L1", 100), level("L2", 1000), level("L3", 1000), level("memory", usize::MAX)];
        Limits { peak: 10.0, root_latency: 8.0, root_throughput: 4.0, levels }
    }

    #[test]
    fn the_nearest_level_that_holds_a_working_set_is_its_own() {
        for (bytes, name) in [(0.0, "L1"), (100.0, "L1"), (101.0, "L2"), (1e3, "L2"), (1e4, "memory")] {
            assert_eq!(limits().level_for(bytes).name, name, "{bytes}");
        }
        assert_eq!(limits().level_for(f64::INFINITY).name, "memory");
    }

    #[test]
    fn every_instruction_set_is_measured_on_itself() {
        for instruction_set in InstructionSet::available() {
            let registers = format!("{:?}", arch(instruction_set));
            assert_eq!(registers.starts_with("Scalar"), instruction_set.name() == "portable");
        }
    }

    #[test]
    fn measured_limits_are_positive_and_finite() {
        let Limits { peak, root_latency, root_throughput, levels } =
            Limits::measure(InstructionSet::detect(), Duration::ZERO);
        let bandwidths = levels.iter().flat_map(|level| [level.reading, level.updating]);
        for limit in [peak, root_latency, root_throughput].into_iter().chain(bandwidths) {
            assert!(limit.is_finite() && limit > 0.0);
        }
    }
}
