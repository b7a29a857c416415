//! Jobs from a text, and their rows by coordinates, in memory.

use std::collections::BTreeMap;
use std::ops::Index;
use std::path::Path;
use std::sync::Arc;

use eigensweep_engine::input::Input;
use eigensweep_engine::schedule;
use eigensweep_engine::simulation::Simulation;
use eigensweep_job::{self as job, Job};
use eigensweep_store::columns::Status;
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::{Row, Rows};
use eigensweep_theory::Metric;

/// Parses a job; `set` are overrides, `table.key=value`.
#[must_use]
pub fn job(text: &str, set: &[&str]) -> Job {
    let overrides: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
    job::parse("test.toml", text, &overrides, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Loads and plans a job.
#[must_use]
pub fn prepare(job: &Job) -> Simulation {
    let input = Arc::new(Input::load(job).unwrap());
    let plan = Plan::new(&job.spec, input.extents()).unwrap();
    Simulation::new(&job.spec, input, plan)
}

/// Parses, loads and plans a job.
#[must_use]
pub fn simulation(text: &str, set: &[&str]) -> Simulation {
    prepare(&job(text, set))
}

/// A row that knows its columns: `cell[&LEAKAGE]` is a value of it, NaN where there is none.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Values and status.
    pub row: Row,
    metrics: Vec<&'static Metric>,
}

impl Cell {
    /// The row at this place.
    #[must_use]
    pub fn of(rows: &Rows, at: usize) -> Self {
        Self { row: rows.row(at), metrics: rows.metrics().to_vec() }
    }

    /// All numbers as bits: NaN (no value) equals itself.
    #[must_use]
    pub fn bits(&self) -> (Vec<u64>, Status) {
        self.row.bits()
    }
}

impl Index<&Metric> for Cell {
    type Output = f64;

    fn index(&self, metric: &Metric) -> &f64 {
        let at = self.metrics.iter().position(|known| *known == metric);
        &self.row.values[at.unwrap_or_else(|| panic!("no column {metric:?}"))]
    }
}

/// Coordinates of a row as text: what a row is a function of.
#[must_use]
pub fn coordinates(simulation: &Simulation, row: u64) -> String {
    let grid = &simulation.plan().grid;
    let mut text = format!("replicate {}", grid.replicate(row));
    for axis in &grid.axes {
        text.push_str(&format!(", {} {:e}", axis.name, axis.values.as_float(axis.index(row))));
    }
    let paradigm = simulation.paradigms().nth(grid.paradigm(row)).unwrap();
    format!("{text}, {paradigm}")
}

/// All rows with their numbers, in order.
pub fn cells(simulation: &Simulation, threads: usize) -> impl Iterator<Item = (u64, Cell)> {
    let rows = schedule::rows(simulation, threads).unwrap();
    assert_eq!(rows.len() as u64, simulation.plan().grid.rows());
    (0..rows.len()).map(move |at| (at as u64, Cell::of(&rows, at)))
}

/// All rows by their coordinates.
#[must_use]
pub fn rows(simulation: &Simulation, threads: usize) -> BTreeMap<String, Cell> {
    let mut found = BTreeMap::new();
    for (row, cell) in cells(simulation, threads) {
        assert!(found.insert(coordinates(simulation, row), cell).is_none(), "one row per coordinates");
    }
    found
}
