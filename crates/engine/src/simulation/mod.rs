//! One task: from coordinates to rows, as a pure function of (job, seed, coordinates).
//!
//! | module | computes jobs with |
//! |---|---|
//! | `spectral` | additive views of a diagonal covariance (Section 4.1), many problems in lanes |
//! | [`stages`] | chains of stages that act on moments, one problem at a time |
//! | `traced` | critical alignments, from the rows that one of these computes of a cell's replicates |
//!
//! [`Simulation`] is shared and immutable; each thread owns a [`Workspace`] and fills a [`Rows`].

mod columns;
pub mod explain;
pub(crate) mod spectral;
pub mod stages;
mod traced;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eigensweep_sampling::streams::Streams;
use eigensweep_theory::{InstructionSet, Paradigm};

use crate::input::{Input, size};
use columns::Columns;
use eigensweep_job::{JobSpec, ROW_GROUP_ROWS};
use eigensweep_store::active::Active;
use eigensweep_store::columns::ThresholdsOf;
use eigensweep_store::plan::{Plan, parts_in_writing};
use eigensweep_store::rows::Rows;
use spectral::Spectral;
use stages::Stages;
use traced::Traced;

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub struct Simulation(Protocol);

/// How a job's views are computed.
#[derive(Debug)]
enum Protocol {
    Spectral(Box<Spectral>),
    Stages(Box<Stages>),
    Traced(Box<Traced>),
}

/// Most bytes that a thread keeps of the replicates of a cell: what is beyond is drawn anew each
/// time.
const KEPT_BYTES: usize = 256 << 20;

/// What was drawn of the replicates of a cell, all but the alignment of their views.
#[derive(Debug, Default)]
struct Kept {
    spectral: spectral::Kept,
    stages: stages::Kept,
}

/// Buffers of one thread.
#[derive(Debug)]
pub struct Workspace(Buffers);

#[derive(Debug)]
enum Buffers {
    Spectral(Box<spectral::Workspace>),
    Stages(Box<stages::Workspace>),
    /// Cells have buffers of their own.
    Traced(InstructionSet),
}

/// What every job has.
#[derive(Debug)]
pub(crate) struct Frame {
    input: Arc<Input>,
    plan: Plan,
    streams: Streams,
    samples: Vec<u64>,
    dimensions: Vec<usize>,
    paradigms: Vec<&'static Paradigm>,
    /// A blank of the rows.
    blank: Rows,
    columns: Columns,
    /// Combinations that are computed; `None` for all.
    active: Option<Arc<Active>>,
}

impl Frame {
    fn new(spec: &JobSpec, input: Arc<Input>, plan: Plan) -> Self {
        let blank = Rows::with_capacity(spec, 0);
        Self {
            streams: Streams::new(spec.job.seed),
            samples: spec.grid.samples.values().iter().map(|&n| n.unsigned_abs()).collect(),
            dimensions: spec.model.dimension.values().iter().map(|&k| size(k)).collect(),
            paradigms: spec.model.paradigms.clone(),
            columns: Columns::new(&blank, &spec.output.metrics),
            blank,
            input,
            plan,
            active: None,
        }
    }

    /// Whether any of some rows of a column's unit is computed.
    fn wants(&self, column: u64, rows: std::ops::Range<u64>) -> bool {
        let paradigms = self.plan.grid.paradigms;
        self.active
            .as_ref()
            .is_none_or(|active| active.any(column, rows.start / paradigms..rows.end.div_ceil(paradigms)))
    }

    /// Rows of one problem.
    fn rows_per_cell(&self) -> usize {
        self.dimensions.len() * self.paradigms.len()
    }
}

impl Simulation {
    /// Prepares a planned job.
    #[must_use]
    pub fn new(spec: &JobSpec, input: Arc<Input>, plan: Plan) -> Self {
        let frame = Frame::new(spec, input, plan);
        Self(match (&spec.boundary, spec.stages()) {
            (Some(boundary), _) => Protocol::Traced(Box::new(Traced::new(spec, boundary, frame))),
            (None, Some(staged)) => Protocol::Stages(Box::new(Stages::new(spec, staged, frame))),
            (None, None) => Protocol::Spectral(Box::new(Spectral::new(spec, frame))),
        })
    }

    fn frame(&self) -> &Frame {
        match &self.0 {
            Protocol::Spectral(spectral) => &spectral.frame,
            Protocol::Stages(stages) => &stages.frame,
            Protocol::Traced(traced) => &traced.frame,
        }
    }

    /// The same with thresholds of another dimension than each row's, as earlier data sets have
    /// them.
    #[must_use]
    pub fn with_thresholds_of(mut self, thresholds: ThresholdsOf) -> Self {
        if let Protocol::Spectral(spectral) = &mut self.0 {
            spectral.thresholds = thresholds;
        }
        self
    }

    /// The same for these combinations only: the rows of others have no values, and are to be
    /// passed over.
    #[must_use]
    pub fn restricted_to(mut self, active: Arc<Active>) -> Self {
        let frame = match &mut self.0 {
            Protocol::Spectral(spectral) => &mut spectral.frame,
            Protocol::Stages(stages) => &mut stages.frame,
            Protocol::Traced(traced) => &mut traced.frame,
        };
        frame.active = Some(active);
        self
    }

    /// The combinations that are computed; `None` for all.
    #[must_use]
    pub fn active(&self) -> Option<&Arc<Active>> {
        self.frame().active.as_ref()
    }

    /// The plan that numbers the tasks.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.frame().plan
    }

    /// The input that was loaded.
    #[must_use]
    pub fn input(&self) -> &Arc<Input> {
        &self.frame().input
    }

    /// Names of the paradigms, in row order.
    pub fn paradigms(&self) -> impl Iterator<Item = &'static Paradigm> + '_ {
        self.frame().paradigms.iter().copied()
    }

    /// Bytes that a run needs, about: the larger of what loading took and of the input, a workspace
    /// and three batches a thread, and one part.
    #[must_use]
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        let Frame { plan, blank, input, .. } = self.frame();
        // The allocator lays large blocks out in huge pages: up to a quarter more than they hold, as
        // measured at 1,024 inputs.
        let workspace = self.workspace_bytes() * 5 / 4;
        let row = blank.metrics().len() as u64 * 8 + 1;
        let rows = 3 * plan.rows_per_task();
        let part = plan.part_rows(0).end;
        let group = part.min(ROW_GROUP_ROWS);
        let (input, loading) = input.bytes();
        // The program itself; a part as collected; a row group as arrays and encoded.
        const PROGRAM: u64 = 24 << 20;
        // Of a full row group, each column's compressor and dictionary take about so much.
        const COLUMN: u64 = 4 << 20;
        let columns = (plan.grid.axes.len() + blank.metrics().len() + 3) as u64;
        let encoder = group * 2 * (row + 8 * 12) + columns * COLUMN * group / ROW_GROUP_ROWS;
        let writing = parts_in_writing(threads) as u64;
        let parts = (1 + writing) * part * row + writing * encoder;
        let running = input + threads as u64 * (workspace + rows * row) + parts;
        PROGRAM + running.max(loading)
    }

    /// Bytes of a workspace, about.
    fn workspace_bytes(&self) -> u64 {
        match &self.0 {
            Protocol::Spectral(spectral) => spectral.workspace_bytes(),
            Protocol::Stages(stages) => stages.workspace_bytes(),
            Protocol::Traced(traced) => traced.workspace_bytes(),
        }
    }

    /// No rows, with the columns that this simulation's have.
    #[must_use]
    pub fn no_rows(&self) -> Rows {
        self.frame().blank.clone()
    }

    /// An empty batch for one task.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
    pub fn new_batch(&self) -> Rows {
        let mut rows = self.no_rows();
        rows.restart(self.plan().rows_per_task() as usize);
        rows
    }

    /// Computes a task into `batch`; earlier contents of both are irrelevant.
    ///
    /// # Panics
    ///
    /// If there is no such task, or the workspace or batch is another simulation's.
    pub fn run_task(&self, task: u64, workspace: &mut Workspace, batch: &mut Rows) {
        self.run_task_until(&AtomicBool::new(false), task, workspace, batch);
    }

    /// The same, unless `stop` is set before a task that takes long has come to its end; returns
    /// whether it has.
    ///
    /// # Panics
    ///
    /// As [`run_task`](Self::run_task).
    #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
    pub fn run_task_until(
        &self,
        stop: &AtomicBool,
        task: u64,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) -> bool {
        let plan = self.plan();
        assert!(task < plan.tasks, "a task of this plan");
        let rows = plan.task_rows(task);
        batch.restart((rows.end - rows.start) as usize);
        let per_unit = plan.grid.rows_per_unit;
        let mut units = plan.task_units(task).map(|unit| (unit, (unit * per_unit - rows.start) as usize));
        if let (Protocol::Traced(traced), Buffers::Traced(instruction_set)) = (&self.0, &workspace.0) {
            return units.all(|(unit, start)| traced.run_unit(unit, start, *instruction_set, stop, batch));
        }
        self.run_units(units, workspace, batch);
        true
    }

    /// Computes units of rows of replicates, each of which has its rows from a place of the batch
    /// on.
    fn run_units(
        &self,
        units: impl Iterator<Item = (u64, usize)>,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        match (&self.0, &mut workspace.0) {
            (Protocol::Spectral(spectral), Buffers::Spectral(workspace)) => {
                spectral.run_units(units, workspace, batch);
            }
            (Protocol::Stages(stages), Buffers::Stages(workspace)) => {
                units.for_each(|(unit, start)| stages.run_unit(unit, start, workspace, batch));
            }
            (Protocol::Spectral(_) | Protocol::Stages(_) | Protocol::Traced(_), _) => {
                panic!("a workspace of this simulation")
            }
        }
    }

    /// Views repeat so much of the corruption's noise from now on, of a simulation of one cell.
    fn set_alignment(&mut self, alpha: f64) {
        match &mut self.0 {
            Protocol::Spectral(spectral) => spectral.set_alignment(alpha),
            Protocol::Stages(stages) => stages.set_alignment(alpha),
            Protocol::Traced(_) => {}
        }
    }

    /// So many replicates of a single cell are computed together.
    fn replicates_at_once(&self) -> usize {
        usize::try_from(self.plan().units_per_task).unwrap_or(1).max(1)
    }

    /// Computes these replicates of a simulation of one cell, paradigm and dimension: their rows,
    /// one after another. What is drawn of them may be kept for another alignment.
    fn run_replicates(
        &self,
        replicates: &[u32],
        workspace: &mut Workspace,
        kept: &mut Kept,
        batch: &mut Rows,
    ) {
        batch.restart(replicates.len());
        match (&self.0, &mut workspace.0) {
            (Protocol::Spectral(spectral), Buffers::Spectral(workspace)) => {
                spectral.run_replicates(replicates, workspace, &mut kept.spectral, batch);
            }
            (Protocol::Stages(stages), Buffers::Stages(workspace)) => {
                stages.run_replicates(replicates, workspace, &mut kept.stages, batch);
            }
            (Protocol::Spectral(_) | Protocol::Stages(_) | Protocol::Traced(_), _) => {
                panic!("a workspace of this simulation")
            }
        }
    }
}

impl Workspace {
    /// Buffers for the tasks of `simulation`.
    #[must_use]
    pub fn new(simulation: &Simulation) -> Self {
        Self::on(InstructionSet::detect(), simulation)
    }

    /// The same for kernels on the given instruction set; which one changes no row of up to
    /// 2,048 inputs.
    #[must_use]
    pub fn on(instruction_set: InstructionSet, simulation: &Simulation) -> Self {
        Self(match &simulation.0 {
            Protocol::Spectral(spectral) => {
                Buffers::Spectral(Box::new(spectral::Workspace::on(instruction_set, spectral)))
            }
            Protocol::Stages(stages) => {
                Buffers::Stages(Box::new(stages::Workspace::on(instruction_set, stages)))
            }
            Protocol::Traced(_) => Buffers::Traced(instruction_set),
        })
    }
}
