//! From a job to rows: input, simulation, schedule, and a data set at the end.
//!
//! [`Study`] strings them together.
//!
//! | step | module | does |
//! |---|---|---|
//! | 1 | [`input`] | loads what the job's data source names; checks it against the job |
//! | 2 | [`simulation`] | one task: draws samples, evaluates the paradigms, fills a batch of rows without allocating |
//! | 3 | [`schedule`] | runs tasks on a thread pool; batches arrive at one sink in task order, whose work goes back to the pool |
//! | 4 | [`run`] | whatever parts of a shard are missing, computed and committed |
//! | | [`boundary`] | critical alignments: the search, and where it begins |
//! | | [`theory`], [`thresholds`] | thresholds of a job's spectra, and as a table |
//! | | [`estimate`] | what a job would take |
//! | | [`facts`] | what the data are like as they were read |
//! | | [`signal`] | what the clean data are like |
//! | | [`replay`] | single rows computed again |
//! | | [`given`] | moments of matrices from elsewhere |
//! | | [`diagnose`] | which paradigm for given data and views |
//!
//! The crate knows nothing of arguments, terminals, clocks, plots or SQL.

pub mod boundary;
pub mod diagnose;
mod error;
pub mod estimate;
pub mod facts;
pub mod features;
pub mod given;
pub mod input;
pub mod replay;
pub mod run;
pub mod sample;
pub mod samples;
pub mod schedule;
pub mod signal;
pub mod simulation;
pub mod study;
pub mod theory;
pub mod thresholds;

pub use error::EngineError;
pub use study::Study;
