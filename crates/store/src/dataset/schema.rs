//! Schema, encodings and key-values of a part.
//!
//! Row groups of [`ROW_GROUP_ROWS`] rows, sorted by cell and within a cell by replicate, so that
//! statistics on the axes prune them; zstd level 3; axes and strings dictionary-encoded (sorted,
//! they cost next to nothing), replicates as differences; metrics byte-stream-split without
//! dictionary (25 bytes for four random doubles instead of 30). Key-values hold what identifies the
//! job and nothing that differs between runs, so a part's bytes are a function of the job.

use arrow_schema::{DataType, Field, Schema};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::Identity;
use crate::columns;
use crate::grid::{Grid, Values};
use eigensweep_job::{JobSpec, ROW_GROUP_ROWS};
use eigensweep_sampling::streams::SCHEME;
use eigensweep_theory::Metric;

/// Columns of the rows of a job with this grid: critical alignments have no replicate, and a
/// verdict in place of a status.
pub(super) fn rows(spec: &JobSpec, grid: &Grid, metrics: &[&Metric]) -> Schema {
    let replicate = Field::new(columns::REPLICATE, DataType::Int32, false);
    let mut fields: Vec<Field> = [replicate].into_iter().filter(|_| spec.boundary.is_none()).collect();
    fields.extend(axes(grid));
    fields.push(Field::new(columns::PARADIGM, text(), false));
    fields.extend(metrics.iter().map(|metric| Field::new(metric.name, DataType::Float64, true)));
    let status = if spec.boundary.is_some() { columns::VERDICT } else { columns::STATUS };
    fields.push(Field::new(status, text(), false));
    Schema::new(fields)
}

/// Words: keys into few names in memory, strings in the file.
pub(super) fn text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Columns of the axes.
pub(super) fn axes(grid: &Grid) -> impl Iterator<Item = Field> + '_ {
    grid.axes.iter().map(|axis| {
        let kind = match (&axis.values, axis.name) {
            (Values::Floats(_), _) => DataType::Float64,
            (Values::Integers(_), "samples") => DataType::Int64,
            (Values::Integers(_), _) => DataType::Int32,
        };
        Field::new(axis.name, kind, false)
    })
}

/// How the columns of a section are written; `marks` are what its footer says beside who wrote
/// what, `numbers` the columns of random doubles.
pub(super) fn properties<'a>(
    identity: &Identity,
    marks: &[(&str, &str)],
    numbers: impl Iterator<Item = &'a str>,
) -> WriterProperties {
    let pair = |(key, value): (&str, &str)| KeyValue::new(format!("eigensweep.{key}"), value.to_owned());
    let version = columns::FORMAT_VERSION.to_string();
    let said = [
        ("format_version", version.as_str()),
        ("version", env!("CARGO_PKG_VERSION")),
        ("study", &identity.study),
        ("section_hash", &identity.hash),
        ("streams", SCHEME),
        ("job", &identity.content),
    ]
    .into_iter();
    let group = usize::try_from(ROW_GROUP_ROWS).unwrap_or(usize::MAX);
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(group))
        .set_key_value_metadata(Some(said.chain(marks.iter().copied()).map(pair).collect()));
    if let Ok(level) = ZstdLevel::try_new(3) {
        builder = builder.set_compression(Compression::ZSTD(level));
    }
    let replicate = ColumnPath::from(columns::REPLICATE);
    builder = builder
        .set_column_dictionary_enabled(replicate.clone(), false)
        .set_column_encoding(replicate, Encoding::DELTA_BINARY_PACKED);
    for name in numbers {
        let column = ColumnPath::from(name);
        builder = builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::BYTE_STREAM_SPLIT);
    }
    builder.build()
}
