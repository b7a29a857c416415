//! Data sets as one lazy frame.
//!
//! Every file that is scanned is named by a commit record, never found by a glob: a file without a
//! record does not exist.

use std::path::PathBuf;

use eigensweep_job::Detail;
use eigensweep_store::columns::{DATASET, REPLICATES};
use eigensweep_store::dataset::SUMMARY_FILE;
use eigensweep_store::source::{Source, SourceError};
use polars::prelude::*;

use crate::QueryError;

/// What several data sets keep, rows or a summary, as one lazy frame. Of several, the column
/// [`DATASET`] comes first, and axes that one of them does not have are null there.
pub(super) fn scan(sources: &[Source]) -> Result<(Detail, LazyFrame), QueryError> {
    let detail = |source: &Source| source.dataset.spec().output.detail;
    let Some(kept) = sources.first().map(detail) else { return Err(SourceError::NoDataSet.into()) };
    if sources.iter().any(|source| detail(source) != kept) {
        let summary = sources.iter().find(|source| detail(source) == Detail::Summary);
        let path = summary.map(|source| source.dataset.root().to_path_buf()).unwrap_or_default();
        return Err(QueryError::Mixed { path });
    }
    let traced = |source: &&Source| source.dataset.spec().boundary.is_some();
    if let Some(source) =
        sources.iter().find(traced).filter(|_| !sources.iter().all(|source| traced(&source)))
    {
        return Err(QueryError::Kinds { path: source.dataset.root().to_path_buf() });
    }
    let of = match kept {
        Detail::Rows => rows,
        Detail::Summary => summary,
    };
    if let [source] = sources {
        return Ok((kept, of(source)?));
    }
    let named = |source: &Source| {
        let name = lit(source.name.clone()).alias(DATASET);
        Ok(of(source)?.select([name, all().as_expr()]))
    };
    let frames = sources.iter().map(named).collect::<Result<Vec<_>, QueryError>>()?;
    Ok((kept, concat_lf_diagonal(frames, UnionArgs::default())?))
}

fn rows(source: &Source) -> Result<LazyFrame, QueryError> {
    let records = source.dataset.records().filter(|record| !record.file.is_empty());
    files(records.map(|record| source.dataset.part_file(record)).collect())
}

/// The summary that a run wrote: a row per combination and paradigm, with columns named as those of
/// the view [`summary`](eigensweep_store::views), and besides `failed`, variances, extremes and
/// quartiles of each metric. Its quantiles are exact while a combination has few replicates, a
/// sketch's beyond.
fn summary(source: &Source) -> Result<LazyFrame, QueryError> {
    if !source.dataset.has_summary() {
        return Err(SourceError::Empty { path: source.dataset.root().to_path_buf() }.into());
    }
    let mut frame = files(vec![source.dataset.path(SUMMARY_FILE)])?;
    let names: Vec<String> = frame.collect_schema()?.iter_names().map(ToString::to_string).collect();
    let new = names.iter().map(|name| match name.strip_suffix("_standard_error") {
        Some(metric) => format!("{metric}_se"),
        None if name == REPLICATES => "rows".to_owned(),
        None => name.clone(),
    });
    Ok(frame.rename(&names, new.collect::<Vec<_>>(), true))
}

/// Files of one schema, lazily.
fn files(files: Vec<PathBuf>) -> Result<LazyFrame, QueryError> {
    let paths = files.iter().map(|path| PlRefPath::try_from_path(path));
    let paths = paths.collect::<PolarsResult<Vec<_>>>()?.into();
    let options = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    Ok(LazyFrame::scan_parquet_files(paths, options)?)
}
