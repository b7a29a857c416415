//! Views that are stages, as the statistics ask for them: moments of any training rows, with noise
//! of any alignment added to each view before its stages.
//!
//! A closed chain pushes the training moments; no row is touched. Of other chains views are drawn.
//! At α = 0 those of a row depend on the row alone: sums over all rows are had once, and those over
//! the rows that are held out are taken off. Above, the noise is the training fold's, and each fold
//! draws anew, every view with noise of its own.

use std::sync::{Arc, Mutex, PoisonError};

use eigensweep_diagnose::{AtAnyAlignment, Fault, Run, Training, ViewMoments, ViewsOfRows};
use eigensweep_job::ViewsFile;
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_store::format::counted;
use eigensweep_theory::InstructionSet;
use eigensweep_theory::views::stages::{
    ADDITIVE, Domain, Scratch, Shape, Spec, Stage, State, Tier, Value, Views, build_all,
};
use faer::{Mat, MatRef};

use crate::EngineError;
use crate::given::views::{Chains, SAMPLED, SEED, refused};

/// Rows of a block.
const BLOCK_ROWS: usize = 256;

/// Views that are drawn of all rows together, as long as each has two.
const MOST_DRAWN: usize = 40_000;

/// Stages, and the rows that are viewed.
pub(super) struct RowViews<'a> {
    specs: Vec<Spec>,
    shape: Shape,
    floor: f64,
    tables: Vec<MatRef<'a, f64>>,
    tier: Tier,
    /// Whether a stage fills with the mean of what comes in.
    needs_mean: bool,
    /// Whether real numbers may come in.
    takes_noise: bool,
    /// m.
    views: usize,
    /// What is drawn of all rows without noise.
    all: AllRows,
    /// Says when to stop.
    run: Run<'a>,
}

impl<'a> RowViews<'a> {
    /// The stages of a file, for rows of one table or two.
    ///
    /// # Errors
    ///
    /// Stages that do not fit, cannot be drawn at such values, or change the number of features.
    pub(super) fn new(
        chains: &Chains<'_>,
        file: &ViewsFile,
        domain: Domain,
        tables: Vec<MatRef<'a, f64>>,
        run: Run<'a>,
    ) -> Result<Self, EngineError> {
        let views = chains.views(domain)?;
        let (specs, shape) = (chains.specs(), chains.shape);
        let (size, after) = (shape.size(), views.features(shape.size()));
        if after != size {
            let after = counted(after as u64, "feature");
            let message = format!("a view has {after}, an input {size}: no encoder takes both");
            let help = "leave out the stage that changes the number of features";
            let fault = eigensweep_theory::views::stages::Fault::new("", message, help);
            return Err(refused(file, "stages", "another size", fault).into());
        }
        let rows: usize = tables.iter().map(MatRef::nrows).sum();
        Ok(Self {
            specs,
            shape,
            floor: file.floor,
            tables,
            tier: views.tier(),
            needs_mean: chains.stages()?.iter().any(|stage| stage.needs_mean()),
            takes_noise: views.check(Domain::Real).is_ok(),
            views: (MOST_DRAWN / rows.max(1)).clamp(2, SAMPLED),
            all: AllRows::default(),
            run,
        })
    }

    /// Why no noise can be added to the rows, if it cannot.
    pub(super) fn fixed_alignment(&self) -> Option<&'static str> {
        (!self.takes_noise).then_some("these stages can be drawn at counts or values from 0 only")
    }

    /// The stages, behind noise of covariance FFᵀ if there is any.
    fn stages(&self, noise: Option<Mat<f64>>) -> Result<Vec<Box<dyn Stage>>, Fault> {
        let noise = noise.map(|factor| Spec {
            kind: &ADDITIVE,
            values: vec![("factor", Value::Matrix(factor))],
            dose: None,
        });
        let specs: Vec<Spec> = noise.into_iter().chain(self.specs.iter().cloned()).collect();
        build_all(&specs, self.shape, "stages")
            .map_err(|fault| format!("{}: {}: {}", fault.key, fault.message, fault.help).into())
    }

    /// Moments of views of some rows, as far as they must be drawn.
    fn drawn(&self, views: &mut Views, rows: &[usize], mean: &[f64]) -> Result<State, Fault> {
        let mut scratch = Scratch::default();
        let Some(mut sums) = views.rows(mean, self.views, &mut scratch) else {
            unreachable!("a chain that is drawn sees rows")
        };
        let (streams, each) = (Streams::new(SEED), self.tables[0].nrows());
        for block in rows.chunks(BLOCK_ROWS) {
            self.run.check()?;
            let samples = Mat::from_fn(self.shape.size(), block.len(), |i, at| {
                let row = block[at];
                self.tables[row / each][(row % each, i)]
            });
            let labels = MatRef::from_column_major_slice(&[], 0, block.len());
            sums.add(views, samples.as_ref(), None, None, labels, |column| {
                streams.stream(Draw::SampledViews, &[0, block[column] as u64])
            });
        }
        Ok(sums.state())
    }

    /// Centred, with its floor.
    fn finished(&self, mut state: State, rows: usize) -> ViewMoments {
        let before = state.centre(rows + self.shape.size());
        state.floor(self.floor);
        ViewMoments {
            rounding: state.rounding(&before),
            mean_views: state.mean_views,
            views: state.views,
            cross: state.cross.transpose().to_owned(),
        }
    }

    /// The moments at α = 0 of chains that must see the rows.
    fn without_noise(&self, training: &Training<'_>) -> Result<State, Fault> {
        let mut views = Views::new(self.stages(None)?);
        if self.needs_mean {
            return self.drawn(&mut views, training.rows, training.mean);
        }
        self.all.training(training, |rows| self.drawn(&mut views, rows, training.mean))
    }
}

/// Moments of views of all rows, which are had once: those of training rows are what is left
/// without the rows that are held out.
#[derive(Default)]
pub(super) struct AllRows(Mutex<Option<Arc<State>>>);

impl AllRows {
    /// Moments of training rows, by those `of` some rows.
    pub(super) fn training(
        &self,
        Training { rows, held_out, .. }: &Training<'_>,
        mut of: impl FnMut(&[usize]) -> Result<State, Fault>,
    ) -> Result<State, Fault> {
        // Whoever comes first sums, the others wait. Only a panic poisons, and that ends the
        // threads.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match &*known {
            Some(all) => Arc::clone(all),
            None => {
                let mut rows = [*rows, *held_out].concat();
                rows.sort_unstable();
                Arc::clone(known.insert(Arc::new(of(&rows)?)))
            }
        };
        drop(known);
        if held_out.is_empty() {
            return Ok(State::clone(&all));
        }
        Ok(less(&all, &of(held_out)?, held_out.len() as f64 / rows.len() as f64))
    }
}

impl ViewsOfRows for RowViews<'_> {
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        let rows = training.rows.len();
        if self.tier == Tier::Moments {
            let mut views = Views::new(self.stages(None)?);
            return Ok(Box::new(move |alpha| {
                let mean = MatRef::from_column_major_slice(training.mean, training.mean.len(), 1);
                let second = training.inputs + mean * mean.transpose();
                let none = Mat::zeros(training.mean.len(), 0);
                let mut state = State::of(second.as_ref(), mean, none.as_ref(), Mat::zeros(0, 1).as_ref());
                if alpha > 0.0 {
                    state.views += faer::Scale(alpha * alpha) * training.noise;
                }
                views.push(&mut state, &mut Scratch::default());
                Ok(self.finished(state, rows))
            }));
        }
        let mut factor: Option<Mat<f64>> = None;
        Ok(Box::new(move |alpha| {
            let (mut state, mut views) = if alpha > 0.0 {
                let factor = match &factor {
                    Some(factor) => factor,
                    None => factor.insert(root(training.noise)?),
                };
                let mut views = Views::new(self.stages(Some(faer::Scale(alpha) * factor))?);
                (self.drawn(&mut views, training.rows, training.mean)?, views)
            } else {
                (self.without_noise(training)?, Views::new(self.stages(None)?))
            };
            views.push(&mut state, &mut Scratch::default());
            Ok(self.finished(state, rows))
        }))
    }
}

/// F with FFᵀ the part of a symmetric matrix that is not negative.
fn root(matrix: MatRef<'_, f64>) -> Result<Mat<f64>, eigensweep_spectral::Failure> {
    let size = matrix.nrows();
    let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
    Eigensolver::new(InstructionSet::detect(), size).solve(matrix, &mut values, vectors.as_mut())?;
    for (column, value) in vectors.col_iter_mut().zip(&values) {
        let share = value.max(0.0).sqrt();
        column.iter_mut().for_each(|entry| *entry *= share);
    }
    Ok(vectors)
}

/// Moments of some rows: those of all less those of the others, which are `share` times as many.
fn less(all: &State, others: &State, share: f64) -> State {
    let of = |all: &Mat<f64>, others: &Mat<f64>| {
        Mat::from_fn(all.nrows(), all.ncols(), |i, j| all[(i, j)] + share * (all[(i, j)] - others[(i, j)]))
    };
    State {
        mean: of(&all.mean, &others.mean),
        cross: of(&all.cross, &others.cross),
        mean_views: of(&all.mean_views, &others.mean_views),
        views: of(&all.views, &others.views),
        view_labels: of(&all.view_labels, &others.view_labels),
        input_mean: of(&all.input_mean, &others.input_mean),
        label_mean: of(&all.label_mean, &others.label_mean),
    }
}
