//! Single rows again: found by a condition, computed alone, compared bit for bit with what is stored.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;

use crate::EngineError;
use crate::input::Input;
use crate::simulation::explain::{Explained, explain};
use crate::simulation::{Simulation, Workspace};
use eigensweep_job::{self as job, Detail, JobSpec};
use eigensweep_store::columns::{self, METRICS};
use eigensweep_store::dataset::{Dataset, Section, floats, read_columns, value};
use eigensweep_store::filter::{Filter, Value};
use eigensweep_store::grid::Grid;
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::Values;

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
    pub stored: Option<StoredValues>,
}

/// What is stored of a row.
#[derive(Clone, Debug)]
pub struct StoredValues {
    /// Its metrics, in the order of [`METRICS`].
    pub metrics: [Option<f64>; 6],
    /// Its status.
    pub status: String,
}

/// The columns that a condition may name, each with whether it holds texts.
#[must_use]
pub fn columns(dataset: &Dataset) -> Vec<(&'static str, bool)> {
    let grid = Grid::new(dataset.spec());
    let mut names = vec![(columns::REPLICATE, false)];
    names.extend(grid.axes.iter().map(|axis| (axis.name, false)));
    names.push((columns::PARADIGM, true));
    names.extend(METRICS.map(|name| (name, false)));
    names.push((columns::STATUS, true));
    names
}

/// The first `most` rows that fulfil a condition, in order, and whether there are more.
///
/// # Errors
///
/// [`EngineError`] if a part cannot be read.
pub fn find(dataset: &Dataset, filter: &Filter, most: usize) -> Result<(Vec<StoredRow>, bool), EngineError> {
    let mut found = Vec::new();
    for (place, section) in dataset.sections().iter().enumerate() {
        for record in section.records() {
            let possible = |row: u64| {
                filter.holds(&|name| coordinate(section, row, name).unwrap_or(Value::Unknown)) != Some(false)
            };
            if !section.written(record).any(possible) {
                continue;
            }
            let mut rows = section.written(record);
            if section.spec.output.detail == Detail::Summary {
                // No rows are stored: whatever the coordinates decide is a row that was computed.
                let fits = |row: &u64| {
                    let value = |name: &str| coordinate(section, *row, name).unwrap_or(Value::Missing);
                    filter.holds(&value) == Some(true)
                };
                for row in rows.filter(fits) {
                    if found.len() == most {
                        return Ok((found, true));
                    }
                    found.push(StoredRow { section: place, row, file: record.file.clone(), stored: None });
                }
                continue;
            }
            let names: Vec<&str> = METRICS.into_iter().chain([columns::STATUS]).collect();
            for batch in read_columns(&dataset.part_file(record), &names)? {
                let batch = batch?;
                for at in 0..batch.num_rows() {
                    let Some(row) = rows.next() else { break };
                    let status = text(&batch, columns::STATUS, at).unwrap_or_default();
                    let stored = |name: &str| {
                        coordinate(section, row, name).unwrap_or_else(|| match name {
                            columns::STATUS => Value::Text(status),
                            _ => number(&batch, name, at).map_or(Value::Missing, Value::Number),
                        })
                    };
                    if filter.holds(&stored) != Some(true) {
                        continue;
                    }
                    if found.len() == most {
                        return Ok((found, true));
                    }
                    found.push(StoredRow {
                        section: place,
                        row,
                        file: record.file.clone(),
                        stored: Some(StoredValues {
                            metrics: METRICS.map(|name| number(&batch, name, at)),
                            status: status.to_owned(),
                        }),
                    });
                }
            }
        }
    }
    Ok((found, false))
}

/// A coordinate of a row, if the column is one.
fn coordinate(section: &Section, row: u64, name: &str) -> Option<Value<'static>> {
    let grid = &section.plan.grid;
    match name {
        columns::REPLICATE => Some(Value::Number(grid.replicate(row) as f64)),
        columns::PARADIGM => Some(Value::Text(section.spec.model.paradigms[grid.paradigm(row)].name)),
        _ => grid.axis(name).map(|axis| Value::Number(axis.values.as_float(axis.index(row)))),
    }
}

fn number(batch: &RecordBatch, name: &str, at: usize) -> Option<f64> {
    value(floats(batch, name), at)
}

fn text<'b>(batch: &'b RecordBatch, name: &str, at: usize) -> Option<&'b str> {
    batch.column_by_name(name)?.as_string_opt::<i32>().map(|column| column.value(at))
}

/// A row on its own: a job of one cell.
#[derive(Debug)]
pub struct Alone {
    simulation: Simulation,
    workspace: Workspace,
    samples: u64,
    paradigm: usize,
}

/// What a row computed alone gave.
#[derive(Debug)]
pub struct Replayed {
    /// Its metrics, in the order of [`METRICS`]; NaN where there is none.
    pub metrics: [f64; 6],
    /// Its status.
    pub status: &'static str,
    /// Spectra and eigenvalues of its problem.
    pub explained: Explained,
}

impl Alone {
    /// Prepares the row with this number of a section, from the input of the whole job.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if the cell cannot be planned, which the whole job could.
    pub fn new(section: &Section, row: u64, input: &Arc<Input>) -> Result<Self, EngineError> {
        let grid = &section.plan.grid;
        let spec: JobSpec = job::cell(&section.spec, grid.replicate(row), |name| {
            grid.axis(name).map_or(0, |axis| axis.index(row))
        });
        let input = Arc::new(input.for_part(&spec));
        let plan = Plan::new(&spec, input.extents())?;
        let samples = spec.grid.samples.values().first().map_or(0, |n| n.unsigned_abs());
        let simulation = Simulation::new(&spec, input, plan);
        let workspace = Workspace::new(&simulation);
        Ok(Self { simulation, workspace, samples, paradigm: grid.paradigm(row) })
    }

    /// Computes the row.
    pub fn compute(&mut self) -> Values {
        let mut batch = self.simulation.new_batch();
        self.simulation.run_task(0, &mut self.workspace, &mut batch);
        Values::of(&batch, self.paradigm)
    }

    /// Explains what was computed last.
    #[must_use]
    pub fn explain(&self, values: &Values) -> Replayed {
        Replayed {
            metrics: values.metrics(self.simulation.wants_distance()),
            status: values.status.name(),
            explained: explain(&self.simulation, &self.workspace, self.samples),
        }
    }
}

impl Replayed {
    /// Whether every bit is as stored.
    #[must_use]
    pub fn is_as_stored(&self, stored: &StoredValues) -> bool {
        let same = |(new, old): (&f64, &Option<f64>)| match old {
            None => new.is_nan(),
            Some(old) => new.to_bits() == old.to_bits(),
        };
        self.status == stored.status && self.metrics.iter().zip(&stored.metrics).all(same)
    }
}
