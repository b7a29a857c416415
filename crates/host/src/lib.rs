//! The machine and the moment: what only manifests and logs may know, for the program and the
//! Python module alike.
//!
//! | module | does |
//! |---|---|
//! | [`machine`] | the host's name, its instruction sets, the time, programs on PATH |
//! | [`batch`] | what a batch system granted, and what it calls this job |
//! | [`run_log`] | writes down how a run gets on |
#![allow(clippy::disallowed_methods, reason = "clock and environment are read here and by the program alone")]

pub mod batch;
pub mod machine;
pub mod run_log;

pub use batch::threads;
pub use run_log::{RunLog, clock};
