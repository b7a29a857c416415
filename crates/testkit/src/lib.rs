//! What tests of several crates share: a dev-dependency, and nothing else.
//!
//! | module | has |
//! |---|---|
//! | [`allocator`] | the global allocator that counts calls and bytes, thread by thread |
//! | [`random`] | a generator of a dozen lines, and random matrices |
//! | [`repeats`] | things that are measured twice, with known signal and noise |
//! | [`kolmogorov_smirnov`] | whether two samples have one law |
//! | [`idx`] | files of images and labels |
//! | [`arrays`] | NumPy's files, and archives of them |
//! | [`files`] | directories as values |
//! | `rows` (feature `engine`) | a job's rows, in memory |
//! | `data_set` (feature `engine`) | runs into data sets, as a whole, in shards, interrupted |
//!
//! Helpers panic where a test would.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic is how a test fails")]

pub mod allocator;
pub mod arrays;
#[cfg(feature = "engine")]
pub mod data_set;
pub mod files;
pub mod idx;
pub mod kolmogorov_smirnov;
pub mod random;
pub mod repeats;
#[cfg(feature = "engine")]
pub mod rows;
