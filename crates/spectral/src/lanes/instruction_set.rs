//! The instruction set that kernels run on, chosen at run time.

use pulp::{Arch, WithSimd};

/// An instruction set of this machine. Every kernel gives the same bits on each of them.
#[derive(Clone, Copy, Debug)]
pub struct InstructionSet(Arch);

impl InstructionSet {
    /// The widest one that this machine has.
    #[must_use]
    pub fn detect() -> Self {
        Self(Arch::new())
    }

    /// No vector instructions: the reference for the others. Where the hardware has no fused
    /// multiply-add it is done in software, correctly rounded.
    #[must_use]
    pub fn portable() -> Self {
        Self(Arch::Scalar)
    }

    /// All that this machine has, the portable one first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = vec![Self::portable()];
        #[cfg(target_arch = "x86_64")]
        {
            found.extend(pulp::x86::V3::try_new().map(|simd| Self(Arch::V3(simd))));
            found.extend(pulp::x86::V4::try_new().map(|simd| Self(Arch::V4(simd))));
        }
        #[cfg(target_arch = "aarch64")]
        found.extend(pulp::aarch64::Neon::try_new().map(|simd| Self(Arch::Neon(simd))));
        found
    }

    /// Its name: `portable`, `avx2`, `avx512` or `neon`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "neon",
            _ => "portable",
        }
    }

    /// Numbers in a register, and so problems in a group: 8 (AVX-512), 4 (AVX2), 2 (NEON) or 1.
    #[must_use]
    pub fn lanes(self) -> usize {
        self.run(Lanes)
    }

    /// The narrowest instruction set with vectors whose registers hold so many numbers, or else this
    /// one.
    pub(crate) fn holding(self, count: usize) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) if count <= 4 => pulp::x86::V3::try_new().map_or(self, |simd| Self(Arch::V3(simd))),
            _ => self,
        }
    }

    /// Runs a kernel, or a function without arguments that the compiler vectorizes.
    pub fn run<K: WithSimd>(self, kernel: K) -> K::Output {
        self.0.dispatch(kernel)
    }
}

impl Default for InstructionSet {
    fn default() -> Self {
        Self::detect()
    }
}

struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> usize {
        S::F64_LANES
    }
}
