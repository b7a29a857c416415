//! From a job file to a data set on disk.
//!
//! | step | module | does |
//! |---|---|---|
//! | 1 | [`job`] | parses and validates a TOML job and its overrides, all problems at once |
//! | 2 | [`input`] | loads what the job's data source names; checks it against the job |
//! | 3 | [`grid`], [`plan`], [`cost`], [`shard`] | axes → rows → tasks (which share a sample) → parts (which are files) → shards |
//! | 4 | [`simulation`] | one task: draws samples, evaluates the paradigms, fills a batch of rows without allocating |
//! | 5 | [`schedule`] | runs tasks on a thread pool; batches arrive at one sink in task order, whose work goes back to the pool |
//! | 6 | [`dataset`] | Parquet parts, staged, fsynced, renamed, committed; manifest; resume |
//! | 7 | [`summary`], [`theory`] | what `run` prints at the end; thresholds of a job's spectra |
//! | 8 | [`filter`], [`replay`] | conditions on rows; single rows computed again |
//!
//! [`run`] strings them together. The crate knows nothing of arguments, terminals, clocks, plots or SQL.

pub mod active;
pub mod adaptive;
pub mod aggregate;
pub mod columns;
pub mod cost;
pub mod dataset;
mod embedding;
mod error;
pub mod filter;
pub mod grid;
pub mod input;
pub mod job;
pub mod plan;
pub mod replay;
pub mod run;
pub mod schedule;
pub mod shard;
pub mod simulation;
pub mod summary;
pub mod theory;

pub use error::EngineError;
