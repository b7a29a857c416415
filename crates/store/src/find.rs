//! Stored rows found by a condition.

use arrow_array::Float64Array;
use eigensweep_job::Detail;

use crate::StoreError;
use crate::columns::{self, Status};
use crate::dataset::{Dataset, Section, floats, read_columns, text, value};
use crate::filter::{Filter, Known, Value};
use crate::grid::Grid;
use crate::rows::{Row, metrics_of};
use crate::summary::failures;

/// A stored row.
#[derive(Clone, Debug)]
pub struct StoredRow {
    /// Place of its section in the data set.
    pub section: usize,
    /// Its number in the section.
    pub row: u64,
    /// Its part's file, within `data/`.
    pub file: String,
    /// What is stored of it; nothing with `detail = "summary"`.
    pub stored: Option<Row>,
}

/// The columns that a condition may name, each with whether it holds texts.
#[must_use]
pub fn columns(dataset: &Dataset) -> Vec<(&'static str, bool)> {
    let grid = Grid::new(dataset.spec());
    let mut names = vec![(columns::REPLICATE, false)];
    names.extend(grid.axes.iter().map(|axis| (axis.name, false)));
    names.push((columns::PARADIGM, true));
    names.extend(metrics_of(dataset.spec()).iter().map(|metric| (metric.name, false)));
    names.push((columns::STATUS, true));
    names
}

/// A coordinate of a row, if the column is one.
#[must_use]
pub fn coordinate(section: &Section, row: u64, name: &str) -> Option<Value<'static>> {
    let grid = &section.plan.grid;
    match name {
        columns::REPLICATE => Some(Value::Number(grid.replicate(row) as f64)),
        columns::PARADIGM => Some(Value::Text(section.spec.model.paradigms[grid.paradigm(row)].name)),
        name => grid.axis(name).map(|axis| Value::Number(axis.values.as_float(axis.index(row)))),
    }
}

/// What a column of a data set that goes by the name `called` holds, if that is known without its
/// rows: a coordinate, the statuses that there are, or the name itself.
fn known(dataset: &Dataset, called: &str, column: &str) -> Option<Known> {
    let grid = Grid::new(dataset.spec());
    let texts = |names: Vec<&str>| Some(Known::Texts(names.into_iter().map(str::to_owned).collect()));
    match column {
        columns::REPLICATE => {
            Some(Known::Range(grid.first_replicate..grid.first_replicate + grid.replicates))
        }
        columns::PARADIGM => {
            texts(dataset.spec().model.paradigms.iter().map(|paradigm| paradigm.name).collect())
        }
        columns::STATUS => {
            let failed = failures(dataset);
            let sound = failed.iter().map(|(_, count)| count).sum::<u64>() < dataset.rows_done();
            let sound = sound.then_some(Status::Ok.name());
            texts(sound.into_iter().chain(failed.into_iter().map(|(name, _)| name)).collect())
        }
        columns::DATASET => texts(vec![called]),
        name => grid.axis(name).map(|axis| Known::Numbers(axis.values.as_floats())),
    }
}

/// Why no row of these data sets, each with the name that it goes by, fulfils a condition, as the
/// end of a sentence: [`Filter::why_none`].
#[must_use]
pub fn why_none<'d>(
    filter: &Filter,
    datasets: impl Iterator<Item = (&'d str, &'d Dataset)> + Clone,
) -> String {
    let known = |column: &str| {
        let each = datasets.clone().filter_map(|(called, dataset)| known(dataset, called, column));
        each.reduce(Known::and)
    };
    filter.why_none(&known)
}

/// The first `most` rows that fulfil a condition, its numbers read as tables show them
/// ([`Filter::as_shown`]), in order, and whether there are more.
///
/// # Errors
///
/// [`StoreError`] if a part cannot be read.
pub fn find(dataset: &Dataset, filter: &Filter, most: usize) -> Result<(Vec<StoredRow>, bool), StoreError> {
    dataset.refuse_boundaries()?;
    let grid = Grid::new(dataset.spec());
    let filter = filter.as_shown(&|name| grid.axis(name).map(|axis| axis.values.as_floats()));
    let mut found = Vec::new();
    let metrics = metrics_of(dataset.spec());
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name).chain([columns::STATUS]).collect();
    for (place, section) in dataset.sections().iter().enumerate() {
        for record in section.records() {
            let possible = |row: u64| {
                filter.holds(&|name| coordinate(section, row, name).unwrap_or(Value::Unknown)) != Some(false)
            };
            if !section.written(record).any(possible) {
                continue;
            }
            let mut rows = section.written(record);
            let mut keep = |row, stored| {
                let full = found.len() == most;
                if !full {
                    found.push(StoredRow { section: place, row, file: record.file.clone(), stored });
                }
                full
            };
            if section.spec.output.detail == Detail::Summary {
                // No rows are stored: whatever the coordinates decide is a row that was computed.
                let fits = |row: &u64| {
                    let value = |name: &str| coordinate(section, *row, name).unwrap_or(Value::Missing);
                    filter.holds(&value) == Some(true)
                };
                if rows.filter(fits).any(|row| keep(row, None)) {
                    return Ok((found, true));
                }
                continue;
            }
            let path = dataset.part_file(record);
            for batch in read_columns(&path, &names)? {
                let batch = batch?;
                let columns: Vec<Option<&Float64Array>> =
                    metrics.iter().map(|metric| floats(&batch, metric.name)).collect();
                for at in 0..batch.num_rows() {
                    let Some(row) = rows.next() else { break };
                    let status = text(&batch, columns::STATUS, at).unwrap_or_default();
                    let stored = |name: &str| {
                        coordinate(section, row, name).unwrap_or_else(|| match name {
                            columns::STATUS => Value::Text(status),
                            name => value(floats(&batch, name), at).map_or(Value::Missing, Value::Number),
                        })
                    };
                    if filter.holds(&stored) != Some(true) {
                        continue;
                    }
                    let status = Status::named(status)
                        .ok_or_else(|| StoreError::Status { path: path.clone(), found: status.to_owned() })?;
                    let values =
                        columns.iter().map(|column| value(*column, at).unwrap_or(f64::NAN)).collect();
                    if keep(row, Some(Row { values, status })) {
                        return Ok((found, true));
                    }
                }
            }
        }
    }
    Ok((found, false))
}
