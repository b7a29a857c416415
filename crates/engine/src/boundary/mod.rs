//! Critical alignments: at which α half of the replicates recover.
//!
//! A job is made one whose rows they are by [`Job::traced`](eigensweep_job::Job::traced); from
//! there on it is planned, run, sharded and resumed as any other, and the simulation computes its
//! rows:
//!
//! | module | does |
//! |---|---|
//! | [`select`] | order statistics of alignments that nobody has computed, from answers of an oracle |
//! | [`start`](mod@start) | where the search begins: what theory says of a cell |
//! | `simulation::traced` | the oracle: problems of a cell's replicates at an alignment, in full lanes |
//!
//! A cell depends on itself alone, its draws are those of `run`, and so are the bits of the metrics
//! that decide.

pub mod select;
pub mod start;
