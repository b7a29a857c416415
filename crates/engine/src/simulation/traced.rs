//! Jobs whose rows are critical alignments: each of all replicates of a cell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eigensweep_job::{BoundarySpec, JobSpec, Recovery, cell};
use eigensweep_store::boundary::{self, ALPHA, HIGH, LAW, LOW, REPLICATES, SOLVES, THEORY, WIDTH};
use eigensweep_store::columns::Status;
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::Rows;
use eigensweep_theory::{InstructionSet, Metric, Paradigm};

use super::{Frame, KEPT_BYTES, Kept, Simulation, Workspace};
use crate::boundary::select::{Aim, Oracle, Verdict, trace};
use crate::boundary::start::{Draws, Theory, theory};

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(super) frame: Frame,
    spec: JobSpec,
    boundary: BoundarySpec,
}

/// Why a cell has no answer.
enum Halt {
    /// The run is to stop.
    Stopped,
    /// A problem had no solution.
    Failed(Status),
}

impl Traced {
    pub(super) fn new(spec: &JobSpec, boundary: &BoundarySpec, frame: Frame) -> Self {
        Self { frame, spec: spec.clone(), boundary: boundary.clone() }
    }

    /// A simulation of the replicates of one cell and paradigm, with its job.
    fn cell(&self, row: u64, paradigm: &'static Paradigm) -> Option<(JobSpec, Simulation)> {
        let grid = &self.frame.plan.grid;
        let position = |name: &str| grid.axis(name).map_or(0, |axis| axis.index(row));
        let mut spec = cell(&self.spec, 0, position).replicated();
        spec.model.paradigms = vec![paradigm];
        let input = Arc::new(self.frame.input.for_part(&spec));
        // A row a replicate: no task is too large.
        let plan = Plan::new(&spec, input.extents()).ok()?;
        let simulation = Simulation::new(&spec, input, plan);
        Some((spec, simulation))
    }

    /// Bytes of a workspace, about: that of the first cell's replicates, and what is kept of them.
    pub(super) fn workspace_bytes(&self) -> u64 {
        let first = self.frame.paradigms.first().and_then(|paradigm| self.cell(0, paradigm));
        KEPT_BYTES as u64 + first.map_or(0, |(_, simulation)| simulation.workspace_bytes())
    }

    /// Computes the rows of a unit, which begin at `start`: the paradigms of a cell. Returns
    /// whether it got to the end, which it does not once it is told to stop.
    pub(super) fn run_unit(
        &self,
        unit: u64,
        start: usize,
        instruction_set: InstructionSet,
        stop: &AtomicBool,
        batch: &mut Rows,
    ) -> bool {
        let mut draws = None;
        for (at, paradigm) in self.frame.paradigms.iter().enumerate() {
            let first = unit * self.frame.plan.grid.rows_per_unit;
            let Some((spec, simulation)) = self.cell(first + at as u64, paradigm) else { continue };
            let boundary = &self.boundary;
            let draws =
                draws.get_or_insert_with(|| Draws::of(&spec, simulation.input(), boundary.min_replicates));
            let theory = theory(&spec, simulation.input(), boundary, paradigm, draws);
            let k = spec.model.dimension.only().and_then(|k| usize::try_from(k).ok()).unwrap_or(1);
            let mut replicates = Replicates {
                workspace: Workspace::on(instruction_set, &simulation),
                kept: Kept::default(),
                batch: simulation.new_batch(),
                simulation,
                recovery: boundary.recovery,
                tolerance: boundary.tolerance(k),
                reference: Vec::new(),
                solves: 0,
                stop,
            };
            let aim = Aim {
                precision: boundary.precision,
                confidence: boundary.confidence,
                quantiles: boundary.quantiles.clone(),
                replicates: boundary.min_replicates..boundary.max_replicates,
            };
            let found = trace(&mut replicates, &aim, theory.start);
            match found {
                Err(Halt::Stopped) => return false,
                found => {
                    self.write(start + at, &theory, found.map_err(Halt::status), replicates.solves, batch)
                }
            }
        }
        true
    }

    /// Writes a row.
    fn write(
        &self,
        row: usize,
        theory: &Theory,
        found: Result<crate::boundary::select::Traced, Status>,
        solves: u64,
        batch: &mut Rows,
    ) {
        let mut set = |metric: &Metric, value: f64| {
            if let Some(column) = batch.column(metric).filter(|_| value.is_finite()) {
                batch.values_mut(column)[row] = value;
            }
        };
        set(&THEORY, theory.threshold);
        set(&LAW, theory.law);
        set(&SOLVES, solves as f64);
        let status = match found {
            Err(status) => status,
            Ok(found) => {
                // What recovers at α = 0 has its critical alignment there.
                let alpha = |log: f64| if log == f64::NEG_INFINITY { 0.0 } else { libm::exp(log) };
                set(&REPLICATES, found.replicates.into());
                set(&ALPHA, alpha(found.median));
                set(&LOW, alpha(found.interval[0]));
                set(&HIGH, alpha(found.interval[1]));
                let named = |wanted: f64| {
                    let mut quantiles = self.boundary.quantiles.iter().zip(&found.quantiles);
                    quantiles.find(|(q, _)| q.total_cmp(&wanted).is_eq()).map_or(f64::NAN, |(_, log)| *log)
                };
                set(&WIDTH, named(0.9) - named(0.1));
                for (&q, &log) in self.boundary.quantiles.iter().zip(&found.quantiles) {
                    set(boundary::quantile(q), alpha(log));
                }
                match found.verdict {
                    Verdict::Traced => Status::Ok,
                    Verdict::Always => Status::Always,
                    Verdict::Never => Status::Never,
                }
            }
        };
        batch.set_status(row, status);
    }
}

impl Halt {
    fn status(self) -> Status {
        match self {
            Self::Stopped => Status::Ok,
            Self::Failed(status) => status,
        }
    }
}

/// The replicates of a cell, each drawn as a function of its number.
struct Replicates<'s> {
    simulation: Simulation,
    workspace: Workspace,
    kept: Kept,
    batch: Rows,
    recovery: Recovery,
    tolerance: f64,
    /// By replicate, the distance at α = 0; NaN where it was not asked for.
    reference: Vec<f64>,
    solves: u64,
    stop: &'s AtomicBool,
}

impl Replicates<'_> {
    /// The metric that decides, of replicates at an alignment.
    fn measure(&mut self, replicates: &[u32], alpha: f64) -> Result<Vec<f64>, Halt> {
        let mut values = Vec::with_capacity(replicates.len());
        self.simulation.set_alignment(alpha);
        for some in replicates.chunks(self.simulation.replicates_at_once()) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            self.simulation.run_replicates(some, &mut self.workspace, &mut self.kept, &mut self.batch);
            let column = self.batch.column(self.recovery.metric());
            let found = column.map_or(&[][..], |column| self.batch.values(column));
            for (value, status) in found.iter().zip(self.batch.status()) {
                if *status != Status::Ok {
                    return Err(Halt::Failed(*status));
                }
                if value.is_nan() {
                    return Err(Halt::Failed(Status::NotFinite));
                }
                values.push(*value);
            }
        }
        self.solves += replicates.len() as u64;
        Ok(values)
    }
}

impl Oracle for Replicates<'_> {
    type Error = Halt;

    fn recover(&mut self, replicates: &[u32], log_alpha: f64) -> Result<Vec<bool>, Halt> {
        let tolerance = self.tolerance;
        match self.recovery {
            Recovery::Leakage => {
                let values = self.measure(replicates, libm::exp(log_alpha))?;
                Ok(values.into_iter().map(|leakage| leakage < tolerance).collect())
            }
            Recovery::Distance => {
                let known = |reference: &[f64], replicate: u32| {
                    reference.get(replicate as usize).is_some_and(|distance| !distance.is_nan())
                };
                let new: Vec<u32> =
                    replicates.iter().copied().filter(|&one| !known(&self.reference, one)).collect();
                for (&replicate, distance) in new.iter().zip(self.measure(&new, 0.0)?) {
                    let needed = self.reference.len().max(replicate as usize + 1);
                    self.reference.resize(needed, f64::NAN);
                    self.reference[replicate as usize] = distance;
                }
                let values = match log_alpha == f64::NEG_INFINITY {
                    true => replicates.iter().map(|&one| self.reference[one as usize]).collect(),
                    false => self.measure(replicates, libm::exp(log_alpha))?,
                };
                let share =
                    |(distance, &one): (f64, &u32)| distance < tolerance * self.reference[one as usize];
                Ok(values.into_iter().zip(replicates).map(share).collect())
            }
        }
    }
}
