//! Data sets on disk: which rows there are, where they are, and how a part becomes durable.
//!
//! | module | does |
//! |---|---|
//! | [`columns`] | names, statuses and version of the format |
//! | [`boundary`] | columns of critical alignments |
//! | [`grid`], [`plan`], [`cost`], [`shard`] | axes → rows → tasks (which share a sample) → parts (which are files) → shards |
//! | [`rows`] | the rows of a task |
//! | [`dataset`] | Parquet parts, staged, fsynced, renamed, committed; manifest; merge; resume |
//! | [`aggregate`], [`summary`] | many values as a few numbers; each combination over its replicates |
//! | [`active`], [`adaptive`] | which combinations adaptive replicates go on with |
//! | [`filter`], [`find`] | conditions on rows, and the rows that fulfil them |
//! | [`source`] | data sets that are read together, each found sound and with a name |
//! | [`status`] | what of a data set is done, and how its shards get on |
//! | [`views`] | the ready-made views of SQL, as texts |
//! | [`format`](mod@format) | numbers for people |
//!
//! The crate knows nothing of how rows are computed.

pub mod active;
pub mod adaptive;
pub mod aggregate;
pub mod boundary;
pub mod columns;
pub mod cost;
pub mod dataset;
mod error;
pub mod filter;
pub mod find;
pub mod format;
pub mod grid;
mod index_map;
pub mod plan;
pub mod rows;
pub mod shard;
pub mod source;
pub mod status;
pub mod summary;
pub mod views;

pub use error::{Remedy, StoreError};
pub use plan::Extents;
