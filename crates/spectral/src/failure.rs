//! Why a kernel could not answer.

/// Why a dense kernel has no result for one problem.
///
/// Small and `Copy`: a failed problem becomes the status of one row, it never stops its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The matrix is not (numerically) positive definite.
    #[error("not positive definite: pivot {pivot} is not safely positive")]
    NotPositiveDefinite {
        /// Index of the first pivot that is not safely positive.
        pivot: usize,
    },
    /// There is no representation of so many dimensions: the problem has only its rank of them.
    #[error("the dimension is above the rank, {rank}")]
    DimensionAboveRank {
        /// Rank of S.
        rank: usize,
    },
    /// An iteration did not converge.
    #[error("no convergence")]
    NoConvergence,
    /// The input or the result holds a NaN or an infinity.
    #[error("not finite")]
    NotFinite,
}
