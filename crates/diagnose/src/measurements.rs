//! What was measured: repeats, and what they are repeats of.

use faer::MatRef;

/// Measurements that tell signal from noise. Rows are measurements, columns the d features.
#[derive(Clone, Copy, Debug)]
pub enum Measurements<'a> {
    /// Two measurements of each of m things (m × d each), or a corruption drawn twice for each row: what
    /// differs is noise.
    Repeats([MatRef<'a, f64>; 2]),
    /// Rows of one id (N) are measurements of the same thing, any number of them: what differs within an id
    /// is noise. Ids of a single row are left out.
    Groups {
        /// All rows (N × d).
        rows: MatRef<'a, f64>,
        /// What each is a measurement of (N): any numbers.
        ids: &'a [usize],
    },
    /// Rows of one batch (N): what differs *between* batches is noise, what differs within is signal. Whole
    /// batches are held out. Batches of a single row are left out.
    Nuisance {
        /// All rows (N × d).
        rows: MatRef<'a, f64>,
        /// The batch of each (N): any numbers.
        batches: &'a [usize],
    },
}

/// Labels: of each of the m things that were measured twice, else of each row.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// Classes, numbered from 0.
    Classes {
        /// The class of each.
        classes: &'a [usize],
        /// How many classes there are.
        count: usize,
    },
    /// Real targets, a row each (× ℓ).
    Targets(MatRef<'a, f64>),
}
