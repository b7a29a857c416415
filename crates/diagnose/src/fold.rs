//! One fold: both paradigms trained on its training items, and measured on those it holds out.

use std::borrow::Cow;

use faer::Mat;

use crate::features::Features;
use crate::measurements::{Kind, expect};
use crate::moments::{Covariances, Sums, clipped};
use crate::rows::{self, OfRows};
use crate::scores::{Scores, distances, score, whiten};
use crate::solver::{Bases, Solver};
use crate::views::{AtAnyAlignment, Seen, Training, ViewMoments, Views};
use crate::{DiagnoseError, Setting};

/// Share of the mean variance that isotropic noise adds to the noise's own views.
const ISOTROPIC: f64 = 0.01;

/// What a fold says.
pub(crate) struct Fold {
    /// `tr Ĉ₀′`, in the features that the paradigms see.
    pub(crate) power: f64,
    /// At each alignment that was asked for.
    pub(crate) scores: Vec<Both>,
    /// Rows that are held out, at the alignment of the answer.
    pub(crate) rows: OfRows,
}

/// What a fold says of both paradigms at an alignment.
pub(crate) struct Both {
    /// Of each.
    pub(crate) scores: [Scores; 2],
    /// How far their subspaces are from one another, at k′ = 1, 2, ….
    pub(crate) distances: Vec<f64>,
}

/// Both paradigms at some alignments.
pub(crate) struct Fit<'s, 'q> {
    setting: &'s Setting<'q>,
    pub(crate) training: &'s Covariances,
    pub(crate) features: &'s Features,
    /// Γ̂ that views repeat, where it is not that of the training rows.
    injected: Option<Mat<f64>>,
}

impl<'s, 'q> Fit<'s, 'q> {
    pub(crate) fn new(
        setting: &'s Setting<'q>,
        training: &'s Covariances,
        features: &'s Features,
    ) -> Result<Self, DiagnoseError> {
        // Noise within items is a covariance; a difference of two is not.
        let what = "the covariance of the noise between batches";
        let injected = match setting.items.kind {
            Kind::Pairs | Kind::Groups => None,
            Kind::Batches => Some(
                clipped(training.noise.as_ref()).map_err(|source| DiagnoseError::Kernel { what, source })?,
            ),
        };
        Ok(Self { setting, training, features, injected })
    }

    /// Γ̂ that views repeat (d × d).
    fn noise(&self) -> &Mat<f64> {
        self.injected.as_ref().unwrap_or(&self.training.noise)
    }

    /// V of both paradigms (d × k) in the inputs' space, whitened, of their directions of features.
    pub(crate) fn whitened(&self, bases: Bases) -> Bases {
        bases.map(|basis| whiten(self.features.lift(basis), self.training.inputs.as_ref()))
    }

    /// Directions of both paradigms in the features that they see, at each alignment in turn.
    pub(crate) fn each(
        &self,
        solver: &mut Solver,
        alignments: &[f64],
        (training, held_out): (&[usize], &[usize]),
        mut take: impl FnMut(usize, Bases, Seen<'_>),
    ) -> Result<(), DiagnoseError> {
        let Self { setting, training: moments, features, .. } = self;
        let (inputs, noise) = (features.moment(&moments.inputs), features.moment(self.noise()));
        let size = inputs.nrows();
        let mean: Vec<f64> =
            moments.mean.iter().zip(&setting.items.origin).map(|(mean, origin)| mean + origin).collect();
        let given = Training {
            mean: &mean,
            inputs: moments.inputs.as_ref(),
            noise: self.noise().as_ref(),
            rows: training,
            held_out,
        };
        let mut source = Source::new(setting.question.views, features, &inputs, &given)?;
        for (number, some) in alignments.chunks(solver.capacity(size)).enumerate() {
            let seen: Vec<Seen<'_>> = some
                .iter()
                .map(|&alpha| {
                    setting.run.check()?;
                    source.at(alpha, setting.items.features, features, &inputs, &noise)
                })
                .collect::<Result<_, _>>()?;
            let problems: Vec<_> = seen.iter().map(Seen::problem).collect();
            let found = solver.solve(&problems, setting.count, setting.run)?;
            drop(problems);
            let first = number * solver.capacity(size);
            for (at, (bases, seen)) in found.into_iter().zip(seen).enumerate() {
                let rank = bases[0].ncols().min(bases[1].ncols());
                let found = setting.dimension;
                if rank < found {
                    let of = "the number of directions in which views of the training rows differ";
                    return Err(DiagnoseError::Dimension { found, most: rank, of });
                }
                take(first + at, bases, seen);
            }
        }
        Ok(())
    }
}

/// Where Σ comes from.
enum Source<'a> {
    /// Its constant part, in the features that the paradigms see.
    Additive(Mat<f64>),
    Any(AtAnyAlignment<'a>),
}

impl<'a> Source<'a> {
    fn new(
        views: Views<'a>,
        features: &Features,
        inputs: &Mat<f64>,
        training: &'a Training<'a>,
    ) -> Result<Self, DiagnoseError> {
        Ok(match views {
            Views::Noise => {
                let size = inputs.nrows();
                let share = ISOTROPIC * crate::algebra::trace(inputs.as_ref()) / size as f64;
                Self::Additive(Mat::from_fn(size, size, |i, j| if i == j { share } else { 0.0 }))
            }
            Views::Additive(theta) => {
                let theta = theta.to_owned();
                Self::Additive(features.moment(&theta).into_owned())
            }
            Views::OfRows(views) => Self::Any(views.of(training).map_err(DiagnoseError::of_views)?),
        })
    }

    fn at<'f>(
        &mut self,
        alpha: f64,
        size: usize,
        features: &Features,
        inputs: &'f Mat<f64>,
        noise: &Mat<f64>,
    ) -> Result<Seen<'f>, DiagnoseError> {
        match self {
            Self::Additive(theta) => {
                let count = inputs.nrows();
                let views = Mat::from_fn(count, count, |i, j| {
                    inputs[(i, j)] + theta[(i, j)] + alpha * alpha * noise[(i, j)]
                });
                Ok(Seen::Additive { inputs, views })
            }
            Self::Any(moments) => {
                let ViewMoments { mean_views, views, cross, rounding } =
                    moments(alpha).map_err(DiagnoseError::of_views)?;
                let seen = |matrix: Mat<f64>| -> Result<Mat<f64>, DiagnoseError> {
                    expect("features of the views", size, matrix.nrows())?;
                    expect("features of the views", matrix.nrows(), matrix.ncols())?;
                    Ok(match features.moment(&matrix) {
                        Cow::Borrowed(_) => matrix,
                        Cow::Owned(moment) => moment,
                    })
                };
                Ok(Seen::Any(ViewMoments {
                    mean_views: seen(mean_views)?,
                    views: seen(views)?,
                    cross: seen(cross)?,
                    rounding,
                }))
            }
        }
    }
}

impl Setting<'_> {
    /// The folds of a repetition: of each item, the number of its fold.
    fn fold_of(&self, repetition: usize) -> &[usize] {
        &self.folds_of[repetition]
    }

    /// Does fold `fold` of a repetition.
    pub(crate) fn fold(
        &self,
        solver: &mut Solver,
        repetition: usize,
        fold: usize,
    ) -> Result<Fold, DiagnoseError> {
        let Self { items, .. } = self;
        let of = self.fold_of(repetition);
        let held: Vec<usize> = (0..items.len()).filter(|&item| of[item] == fold).collect();
        let sums = Sums::of(items, held.iter().copied(), self.run)?;
        let training = Covariances::of(&self.total.less(&sums), items.kind);
        let held_out = Covariances::held_out(&sums, items.kind, &training.mean);
        drop(sums);
        let features = Features::fit(self.question, &training, &items.origin)?;
        let fit = Fit::new(self, &training, &features)?;
        let rows = self.rows_of(of, fold);
        let alignments = if repetition == 0 { &self.alignments[..] } else { &self.given()[..] };
        let power = features.trace(&held_out.signal);
        let mut scores = Vec::with_capacity(alignments.len());
        let mut measured = None;
        let here = if repetition == 0 { self.given_at } else { 0 };
        fit.each(solver, alignments, (&rows[0], &rows[1]), |at, bases, _| {
            let bases = fit.whitened(bases);
            scores.push(Both {
                scores: bases.each_ref().map(|basis| score(basis.as_ref(), &training, &held_out, &features)),
                distances: distances(bases.each_ref().map(Mat::as_ref), training.inputs.as_ref()),
            });
            if at == here {
                let leading = bases.each_ref().map(|basis| basis.as_ref().subcols(0, self.dimension));
                measured = Some(rows::measure(self, of, fold, &training.mean, leading));
            }
        })?;
        // The alignment of the answer is one of those.
        let rows = measured.unwrap_or_else(|| Ok(OfRows::default()))?;
        Ok(Fold { power, scores, rows })
    }

    /// Rows in training and held out, ascending; empty where views do not look at them.
    fn rows_of(&self, of: &[usize], fold: usize) -> [Vec<usize>; 2] {
        let mut rows = [Vec::new(), Vec::new()];
        if let Views::OfRows(_) = self.question.views {
            for (item, &own) in of.iter().enumerate() {
                rows[usize::from(own == fold)].extend(self.items.of(item));
            }
            rows.iter_mut().for_each(|rows| rows.sort_unstable());
        }
        rows
    }
}
