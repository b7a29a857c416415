//! From rows to insight: SQL over data sets, the paper's figures, and a report.
//!
//! | module | does |
//! |---|---|
//! | [`source`] | finds and checks a data set's files, opens them as one lazy frame |
//! | [`query`] | SQL over the table `results`, the views `summary` and `best`, output as table, CSV, JSON or Parquet |
//! | [`figure`] | learning curves, phase diagrams, thresholds, spectra as SVG or PNG |
//! | [`report`] | one self-contained HTML page |
//!
//! The crate reads data sets only; it knows nothing of scheduling or kernels. Column names come from
//! [`eigensweep_store::columns`], thresholds from the rows or from [`eigensweep_engine::theory`].

mod error;
pub mod figure;
pub mod format;
pub mod query;
pub mod report;
pub mod source;

pub use error::AnalysisError;
pub use query::Query;
pub use source::Source;
