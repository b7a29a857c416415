//! Thousands of symmetric problems of one size, a problem a lane.
//!
//! A *group* interleaves as many problems as a register holds numbers: entry after entry, the
//! entries of all problems side by side. Every inner loop is then a contiguous full-width load,
//! small d runs at the same speed per flop as large d, and the latency of square roots and
//! divisions is paid once for all lanes. A *batch* is up to four groups.
//!
//! # The same bits everywhere
//!
//! A lane's results depend on its own problem alone. Each operation of a lane rounds once, as IEEE
//! 754 says; sums have a fixed order; sums of products are fused, in software where the hardware
//! cannot. Control flow that differs between lanes is masked. So neighbours, empty lanes, the
//! number of lanes and the instruction set change no bit. `tests/lanes.rs` holds every instruction
//! set of the machine to it, the portable one included.
//!
//! # The size at which it ends
//!
//! A group leaves a second-level cache of 1 MiB at d ≈ 180, and lanes stay ahead of one problem at
//! a time for as long as the third level holds one: [`scaled`](crate::scaled) ends it at
//! [`LARGEST_IN_LANES`](crate::scaled::LARGEST_IN_LANES), [`general`](crate::general), whose
//! matrices are three, at [`LARGEST_SIZE`].

pub(crate) mod arithmetic;
pub(crate) mod batch;
pub(crate) mod chase;
pub(crate) mod cholesky;
pub(crate) mod congruence;
pub(crate) mod equilibrate;
pub(crate) mod gain;
pub(crate) mod implicit_ql;
mod instruction_set;
pub(crate) mod interleave;
pub(crate) mod inverse_iteration;
pub mod measure;
mod normalize;
pub(crate) mod products;
pub(crate) mod reduction;
pub(crate) mod reflectors;
pub(crate) mod tiles;

pub use instruction_set::InstructionSet;

/// Largest size of general pencils in lanes: a function of d alone, so that results do not depend
/// on the machine.
pub const LARGEST_SIZE: usize = 256;

/// Most lanes of any instruction set.
pub(crate) const MAX_LANES: usize = 8;
