//! Which paradigm for *these* data and views: joint-embedding or reconstruction?
//!
//! The covariance of what is irrelevant is unknown in practice, but it can be learnt from repeated
//! [`Measurements`]. The answer is a *held-out comparison*: both paradigms are trained on the
//! training folds' rows, and repeats of items that they have not seen say
//!
//! - **kept**, the share of the clean signal's variance that the representation predicts, measured
//!   by predicting the repeat: *at this n*, of maps that are fitted on so many items;
//! - **leakage**, the share of the representation's variance that is noise: one minus the mean
//!   reliability of its directions.
//!
//! A model of the data (spectra, thresholds, curves) is computed beside it, and explains; it never
//! answers, since what is learnt of noise looks cleaner in the same sample than it is.
//!
//! # Notation
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | x | `rows` | d | a measurement |
//! | m | `items` | | items: pairs, groups of repeats, or batches; folds are over them |
//! | μ | `mean` | d | of the training rows |
//! | C | `inputs` | d × d | covariance of the training rows about μ |
//! | Γ̂ | `noise` | d × d | covariance of the noise, unbiased |
//! | Ĉ₀ | `signal` | d × d | covariance of the clean signal, unbiased, perhaps indefinite |
//! | G, S, C | `mean_views`, `views`, `cross` | d × d | moments of the views, as in `theory` |
//! | k | `dimension` | | dimension of the representation |
//! | V | `basis` | d × k | the encoder, with `VᵀCV = I` on the training rows |
//! | M | | k × d | `VᵀĈ₀`, the map that predicts a clean input from a representation |
//! | K, J | | | folds (10), and folds over all repetitions (30) |
//!
//! # Method
//!
//! Everything held out is a function of second moments. With C′, Γ′ and Ĉ₀′ those of a fold's
//! held-out items about the *training* mean,
//!
//! - `leakage = tr(VᵀΓ′V) / tr(VᵀC′V)`,
//! - `kept = (2 tr(MᵀVᵀĈ₀′) − tr(MᵀVᵀC′VM)) / tr Ĉ₀`, in units of the mean of `tr Ĉ₀′` over folds.
//!
//! Sums of squares within and between items are all that a fold reads of its rows. Intervals are
//! Nadeau and Bengio's over 10 folds × 3 repetitions, of kept as of a ratio; of leakage at least
//! that of its influence function over items, and of one paradigm's leakage the wider of that and
//! of independent folds. Differences are taken within folds, which all paradigms, alignments and
//! dimensions share.
//!
//! Source: section 3 of this project's specification of statistics. C. Nadeau and Y. Bengio,
//! *Inference for the generalization error* (2003); S. R. Searle, G. Casella and C. E. McCulloch,
//! *Variance components* (1992); P. E. Shrout and J. L. Fleiss, *Intraclass correlations* (1979).
//!
//! The crate is called by the program and by the Python package. It knows nothing of files, jobs or
//! arguments. Answers do not depend on the number of threads, and up to 2048 features not on the
//! processor.

mod algebra;
mod assumptions;
mod decision;
mod dimension;
mod error;
mod explanation;
mod features;
mod fold;
mod interval;
mod measurements;
mod moments;
mod report;
mod rows;
mod scores;
mod solver;
mod tasks;
mod views;
mod warning;

pub use decision::{Answer, Change, DecidedBy, Finding};
pub use error::{DiagnoseError, Needs};
pub use measurements::{Labels, Measurements};
pub use report::{
    AtAlignment, AtDimension, Best, Compared, Diagnosis, DimensionFrom, Estimate, Learnt, Limit, Model, Probe,
};
pub use tasks::Run;
pub use views::{AtAnyAlignment, Fault, Training, ViewMoments, Views, ViewsOfRows};
pub use warning::Warning;

use eigensweep_sampling::streams::Draw;
use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};

use crate::decision::Measured;
use crate::dimension::{PERMUTATIONS, Whitened};
use crate::features::Features;
use crate::fold::Fold;
use crate::interval::{Series, compare, student};
use crate::measurements::{Items, Kind, LARGEST, check_values, expect};
use crate::moments::{Covariances, Sums};
use crate::solver::Solver;
use crate::tasks::Tasks;

/// What is compared, in the order of every pair of numbers here.
pub static PARADIGMS: [&Paradigm; 2] = [&JOINT_EMBEDDING, &RECONSTRUCTION];

/// The alignments that the best one is looked for among.
pub const ALIGNMENTS: [f64; 10] = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];

/// Folds, of fewer items one each.
pub const FOLDS: usize = 10;

/// How many times items are dealt to folds.
pub const REPETITIONS: usize = 3;

/// ε: a difference counts from here on.
pub const MARGIN: f64 = 0.02;

/// c: a difference that is surely below is no difference.
pub const CLOSE: f64 = 0.05;

/// Fewest pairs that get an interval; and twice the dimension.
pub const LEAST_PAIRS: usize = 50;

/// Fewest batches that get an interval.
pub const LEAST_BATCHES: usize = 16;

/// Of the streams that deal items to folds and permute pairs.
const SEED: u64 = 0;

/// The largest α: its square is finite, and times variances.
const LARGEST_ALIGNMENT: f64 = 1e100;

/// How far two subspaces that are the same may be apart by rounding.
const SAME: f64 = 1e-6;

/// No least width of intervals.
const NONE: [f64; 3] = [0.0; 3];

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What was measured.
    pub measurements: Measurements<'a>,
    /// The views.
    pub views: Views<'a>,
    /// Labels of the rows, which decide where the answer depends on what is wanted.
    pub labels: Option<Labels<'a>>,
    /// k; by permutation of pairs if `None`.
    pub dimension: Option<usize>,
    /// α of the views as given; [`Views::alignment`] if `None`.
    pub alignment: Option<f64>,
    /// Alignments that the best one is looked for among: [`ALIGNMENTS`] as a rule, none for the
    /// answer alone.
    pub alignments: &'a [f64],
    /// Principal components that are kept, fitted inside each fold; all features if `None`.
    pub components: Option<usize>,
    /// Whether features are divided by their standard deviations, inside each fold.
    pub standardize: bool,
}

impl<'a> Question<'a> {
    /// Which paradigm for these measurements and views, with every default.
    #[must_use]
    pub fn new(measurements: Measurements<'a>, views: Views<'a>) -> Self {
        Self {
            measurements,
            views,
            labels: None,
            dimension: None,
            alignment: None,
            alignments: &ALIGNMENTS,
            components: None,
            standardize: false,
        }
    }
}

/// Answers a question.
///
/// Cost: N d² flops for each of 4 passes over the N rows; two pencils, ≈ 6 d³ flops, for each of 30
/// folds and 10 more alignments of ten folds; of the permutations, if k is not given, 60 (m d² + 5
/// d³). Memory: some 15 matrices of d × d a thread.
///
/// # Errors
///
/// [`DiagnoseError`] says what is wrong with the input, and where; or that the run was stopped.
pub fn diagnose(question: &Question<'_>, run: &Run<'_>) -> Result<Diagnosis, DiagnoseError> {
    let items = Items::new(&question.measurements, run)?;
    let features = check(question, &items)?;
    run.check()?;
    let total = Sums::of(&items, 0..items.len(), run)?;
    let all = Covariances::of(&total, items.kind);
    let of_all = Features::fit(question, &all, &items.origin)?;
    if let Some(found) = question.components
        && let Some(most) = of_all.rank(&all.inputs).filter(|most| *most < found)
    {
        let of = "the number of directions in which the rows differ";
        return Err(DiagnoseError::Components { found, most, of });
    }
    let permutations = if question.dimension.is_none() { PERMUTATIONS } else { 0 };
    let folds = FOLDS.min(items.len());
    let alignments = alignments(question);
    let tasks =
        Tasks::new(run, permutations + REPETITIONS * folds + explanation::tasks(question, &alignments));
    let mut warnings = assumptions::of_measurements(&items, question.labels.as_ref(), &all);
    if items.kind != Kind::Batches && items.len() <= features {
        let of = items.kind.name();
        warnings.push(Warning::FewerThanFeatures { of, found: items.len(), features });
    }
    let root = dimension::root(&all, &of_all)?;
    let rank = root.ncols();
    let whitened = match items.kind {
        Kind::Pairs | Kind::Groups => Some(Whitened::new(&total, root)?),
        Kind::Batches => None,
    };
    let (dimension, dimension_from) = match (question.dimension, &whitened) {
        (None, Some(whitened)) => whitened.dimension(&items, &tasks)?,
        (given, _) => (given.unwrap_or(1), DimensionFrom::Given),
    };
    if dimension == 0 {
        warnings.push(Warning::NoSignal);
    }
    let sizes = Sizes { rank, dimension: dimension.max(1), folds };
    let setting = Setting::new(question, &items, &total, run, alignments, sizes)?;
    let solver = || Solver::new(features, setting.count);
    let found = tasks.each(REPETITIONS * folds, solver, |solver, number| {
        setting.fold(solver, number / folds, number % folds)
    })?;
    warnings.extend(assumptions::of_folds(&setting, found[..folds].iter(), whitened.as_ref()));
    let (power, error) = setting.power(&found);
    if power <= 0.0 {
        return Err(DiagnoseError::NoSignal { of: items.kind.name(), power });
    }
    if error > UNCERTAIN {
        warnings.push(Warning::UncertainScale { error });
    }
    let mut compared = setting.compare(&found);
    if setting.are_few(setting.dimension) {
        let (of, found, least) = (items.kind.name(), items.len(), setting.least(setting.dimension));
        warnings.push(Warning::FewItems { of, found, least });
    }
    let curves = &mut compared.by_alignment;
    let (learnt, model, tied) = explanation::learn(&setting, &tasks, &solver, all, &of_all, curves)?;
    warnings.extend(
        PARADIGMS
            .iter()
            .zip(tied)
            .filter(|(_, tied)| *tied)
            .map(|(paradigm, _)| Warning::Tied { paradigm: paradigm.name, dimension: setting.dimension }),
    );
    let best = setting.best(&found, &compared.by_alignment);
    if let Some(best) = &best {
        warnings.extend(at_end(best, question.alignments));
    }
    let Comparison { answer, decided_by, .. } = compared;
    Ok(Diagnosis {
        answer,
        decided_by,
        items: items.len(),
        rows: items.rows().len(),
        features,
        dimension: setting.dimension,
        dimension_from,
        alignment_used: setting.alignment,
        findings: decision::labels(compared.probe.as_ref(), answer)
            .into_iter()
            .chain(finding(best.as_ref()))
            .collect(),
        changes: setting.changes(&compared),
        kept: compared.kept,
        leakage: compared.leakage,
        probe: compared.probe,
        by_dimension: compared.by_dimension,
        by_alignment: compared.by_alignment,
        best,
        warnings,
        model,
        learnt,
    })
}

/// Refuses what has no answer; returns the number of features that the paradigms see.
fn check(question: &Question<'_>, items: &Items<'_>) -> Result<usize, DiagnoseError> {
    let size = items.features;
    let Question { components, dimension, alignment, alignments, .. } = *question;
    if let Some(found) = components
        && !(1..=size).contains(&found)
    {
        return Err(DiagnoseError::Components { found, most: size, of: "the number of features" });
    }
    let features = components.unwrap_or(size);
    match dimension {
        Some(found) if !(1..=features).contains(&found) => {
            return Err(DiagnoseError::Dimension { found, most: features, of: "the number of features" });
        }
        Some(_) => {}
        None => dimension::check(items, features)?,
    }
    for &found in alignments.iter().chain(&alignment) {
        if !(0.0..=LARGEST_ALIGNMENT).contains(&found) {
            return Err(DiagnoseError::Alignment { found });
        }
    }
    if let Views::Additive(theta) = question.views {
        expect("rows of the views' covariance", size, theta.nrows())?;
        expect("columns of the views' covariance", size, theta.ncols())?;
        check_values("the views' covariance", theta, LARGEST * LARGEST)?;
    }
    if let Some(labels) = &question.labels {
        labels.check(items.labels())?;
    }
    Ok(features)
}

/// The alignments that are looked at, ascending: those that were asked for and that of the answer.
fn alignments(question: &Question<'_>) -> Vec<f64> {
    let mut alignments = question.alignments.to_vec();
    alignments.push(given(question));
    alignments.sort_by(f64::total_cmp);
    // α = −0 is 0.
    alignments.iter_mut().for_each(|alpha| *alpha += 0.0);
    alignments.dedup_by_key(|alpha| alpha.to_bits());
    alignments
}

/// α of the answer.
fn given(question: &Question<'_>) -> f64 {
    question.alignment.unwrap_or(question.views.alignment()) + 0.0
}

/// Numbers that a setting is made of.
struct Sizes {
    /// r.
    rank: usize,
    /// k.
    dimension: usize,
    /// K.
    folds: usize,
}

/// What every fold shares.
struct Setting<'q> {
    question: &'q Question<'q>,
    items: &'q Items<'q>,
    total: &'q Sums,
    /// Says when to stop.
    run: &'q Run<'q>,
    /// k.
    dimension: usize,
    /// Directions of a paradigm that are found: those of the largest dimension that is told.
    count: usize,
    /// K.
    folds: usize,
    /// Of each repetition, the fold of each item.
    folds_of: Vec<Vec<usize>>,
    /// α of the answer.
    alignment: f64,
    /// Those that are looked at in the first repetition, ascending, and where that of the answer
    /// is.
    alignments: Vec<f64>,
    given_at: usize,
}

/// The numbers behind an answer.
struct Comparison {
    kept: Compared,
    leakage: Compared,
    probe: Option<Probe>,
    by_dimension: Vec<AtDimension>,
    by_alignment: Vec<AtAlignment>,
    answer: Answer,
    decided_by: DecidedBy,
}

/// Both quantities at an alignment and a dimension, and what they say.
struct At {
    kept: Compared,
    leakage: Compared,
    answer: Answer,
    decided_by: DecidedBy,
}

impl<'q> Setting<'q> {
    /// Refuses a k above the rank of the rows that a fold trains on.
    fn new(
        question: &'q Question<'q>,
        items: &'q Items<'q>,
        total: &'q Sums,
        run: &'q Run<'q>,
        alignments: Vec<f64>,
        Sizes { rank, dimension, folds }: Sizes,
    ) -> Result<Self, DiagnoseError> {
        let alignment = given(question);
        let given_at = alignments.iter().position(|alpha| alpha.to_bits() == alignment.to_bits());
        let folds_of = (0..REPETITIONS).map(|repetition| {
            let mut of = vec![0; items.len()];
            for (place, &item) in dimension::order(items.len(), Draw::Folds, repetition).iter().enumerate() {
                of[item as usize] = place % folds;
            }
            of
        });
        let folds_of: Vec<Vec<usize>> = folds_of.collect();
        let held_out = folds_of.iter().flat_map(|of| {
            let mut rows = vec![0; folds];
            of.iter().enumerate().for_each(|(item, &fold)| rows[fold] += items.of(item).len());
            rows
        });
        let fewest = items.rows().len() - held_out.max().unwrap_or(0);
        let most = rank.min(fewest - 1);
        if dimension > most {
            let of = "the rank of the rows that a fold trains on: they differ in no more directions";
            return Err(DiagnoseError::Dimension { found: dimension, most, of });
        }
        Ok(Self {
            question,
            items,
            total,
            run,
            dimension,
            count: most.min(dimension + MORE),
            folds,
            folds_of,
            alignment,
            given_at: given_at.unwrap_or(0),
            alignments,
        })
    }

    /// α of the answer, alone.
    fn given(&self) -> [f64; 1] {
        [self.alignment]
    }

    /// All rows, ascending.
    fn all_rows(&self) -> Vec<usize> {
        let mut rows = self.items.rows().to_vec();
        rows.sort_unstable();
        rows
    }

    /// Fewest items that get an interval at a dimension.
    fn least(&self, dimension: usize) -> usize {
        match self.items.kind {
            Kind::Pairs | Kind::Groups => LEAST_PAIRS.max(2 * dimension),
            Kind::Batches => LEAST_BATCHES,
        }
    }

    /// Whether there are too few items for an interval at a dimension.
    fn are_few(&self, dimension: usize) -> bool {
        self.items.len() < self.least(dimension)
    }

    /// The unit of kept, and half the width of its interval over itself.
    fn power(&self, folds: &[Fold]) -> (f64, f64) {
        let power = Series::mean(folds.iter().map(|fold| fold.power).collect());
        (power.value, power.half(self.folds) / power.value)
    }

    /// Kept and leakage of both paradigms at the `at`th alignment of some folds, at a dimension.
    fn series(&self, folds: &[Fold], at: impl Fn(usize) -> usize, dimension: usize) -> [[Series; 2]; 2] {
        let of = |fold: usize, paradigm: usize| &folds[fold].scores[at(fold)].scores[paradigm];
        let numbers = 0..folds.len();
        let kept = [0, 1].map(|paradigm| {
            let parts =
                numbers.clone().map(|fold| [of(fold, paradigm).predicted[dimension - 1], folds[fold].power]);
            Series::ratio(parts)
        });
        let leakage = [0, 1].map(|paradigm| {
            Series::mean(numbers.clone().map(|fold| of(fold, paradigm).leakage[dimension - 1]).collect())
        });
        [kept, leakage]
    }

    /// Where the alignment of the answer is, in the scores of a fold.
    fn given_in(&self, fold: usize) -> usize {
        if fold < self.folds { self.given_at } else { 0 }
    }

    /// The comparison at the `at`th alignment of some folds, at a dimension, whose leakage has
    /// intervals of no less than `least`.
    fn at(
        &self,
        folds: &[Fold],
        at: impl Fn(usize) -> usize,
        dimension: usize,
        least: [f64; 3],
        probe: Option<&Probe>,
    ) -> At {
        let repetition = (!self.are_few(dimension)).then_some(self.folds);
        let [kept, leakage] = self.series(folds, &at, dimension);
        let kept = compare(&kept, repetition, Series::half, NONE);
        // Of a few batches the training sets differ too much for held-out rows to be all that
        // varies.
        let half = match self.items.kind {
            Kind::Pairs | Kind::Groups => Series::half_of_held_out,
            Kind::Batches => Series::half,
        };
        let leakage = compare(&leakage, repetition, half, least);
        let are_same =
            (0..folds.len()).all(|fold| folds[fold].scores[at(fold)].distances[dimension - 1].abs() < SAME);
        let measured = Measured { are_same, kept: &kept, leakage: &leakage, probe };
        let (answer, decided_by) = decision::answer(measured);
        At { kept, leakage, answer, decided_by }
    }

    fn compare(&self, folds: &[Fold]) -> Comparison {
        let given = |fold: usize| self.given_in(fold);
        let largest = folds.iter().flat_map(|fold| &fold.scores).map(|both| both.distances.len()).min();
        let largest = largest.unwrap_or(self.dimension);
        let probe = self.probe(folds);
        let At { kept, leakage, answer, decided_by } =
            self.at(folds, given, self.dimension, self.influence(folds), probe.as_ref());
        let strip = self.dimension.saturating_sub(FEWER).max(1)..=largest.min(self.dimension + MORE);
        let by_dimension = strip.map(|dimension| {
            if dimension == self.dimension {
                return AtDimension { dimension, kept, leakage, answer };
            }
            let At { kept, leakage, answer, .. } = self.at(folds, given, dimension, NONE, None);
            AtDimension { dimension, kept, leakage, answer }
        });
        let by_dimension = by_dimension.collect();
        let mut by_alignment = Vec::new();
        if !self.question.alignments.is_empty() {
            for (at, &alignment) in self.alignments.iter().enumerate() {
                let first = &folds[..self.folds];
                let At { kept, leakage, answer, .. } = self.at(first, |_| at, self.dimension, NONE, None);
                let (plug_in_kept, plug_in_leakage) = ([f64::NAN; 2], [f64::NAN; 2]);
                by_alignment.push(AtAlignment {
                    alignment,
                    kept,
                    leakage,
                    answer,
                    plug_in_kept,
                    plug_in_leakage,
                });
            }
        }
        Comparison { kept, leakage, probe, by_dimension, by_alignment, answer, decided_by }
    }

    /// The probe of labels, if there are any.
    fn probe(&self, folds: &[Fold]) -> Option<Probe> {
        let repetition = (!self.are_few(self.dimension)).then_some(self.folds);
        let probed: Option<Vec<_>> = folds.iter().map(|fold| fold.rows.probe).collect();
        probed.map(|probed| {
            let compared = |which: usize| {
                let series = [0, 1].map(|paradigm| {
                    Series::mean(probed.iter().map(|found| found[paradigm][which]).collect())
                });
                compare(&series, repetition, Series::half, NONE)
            };
            let classes = matches!(self.question.labels, Some(Labels::Classes { .. }));
            Probe { loss: compared(0), accuracy: classes.then(|| compared(1)) }
        })
    }

    /// Half widths of leakage from its influence function over items: of both paradigms and of
    /// their difference.
    fn influence(&self, folds: &[Fold]) -> [f64; 3] {
        let count = self.items.len();
        let mut sums = vec![[0.0; 2]; count];
        for (item, influence) in folds.iter().flat_map(|fold| &fold.rows.influence) {
            sums[*item] = [sums[*item][0] + influence[0], sums[*item][1] + influence[1]];
        }
        let scale = 1.0 / REPETITIONS as f64;
        let half = |of: &dyn Fn(&[f64; 2]) -> f64| {
            let squares = sums.iter().map(|sums| (scale * of(sums)).powi(2)).sum::<f64>();
            let count = count as f64;
            student(self.items.len() - 1) * (squares / (count * (count - 1.0))).sqrt()
        };
        [half(&|sums| sums[0]), half(&|sums| sums[1]), half(&|sums| sums[0] - sums[1])]
    }

    /// The alignment that serves each paradigm best, by kept.
    fn best(&self, folds: &[Fold], curves: &[AtAlignment]) -> Option<[Best; 2]> {
        let first = &folds[..self.folds];
        let kept = |at: usize| self.series(first, |_| at, self.dimension)[0].clone();
        let given = kept(self.given_at);
        let repetition = curves.first()?.kept.each[0].half.map(|_| self.folds);
        Some([0, 1].map(|paradigm| {
            let of = |curve: &AtAlignment| curve.kept.each[paradigm];
            let best = curves.iter().enumerate().fold(0, |best, (at, curve)| {
                if of(curve).value > of(&curves[best]).value { at } else { best }
            });
            let kept_best = &kept(best)[paradigm];
            let more_than = |other: &Series| {
                let more = kept_best.less(other);
                more.estimate(repetition.map(|repetition| more.half(repetition)), 0.0)
            };
            let is_as_good = |at: usize| {
                let more = more_than(&kept(at)[paradigm]);
                more.value <= more.half.unwrap_or(0.0).max(LITTLE)
            };
            let mut as_good = (0..curves.len()).filter(|&at| is_as_good(at));
            let low = as_good.next().unwrap_or(best);
            let high = as_good.next_back().unwrap_or(low);
            Best {
                alignment: curves[best].alignment,
                range: [low, high].map(|at| curves[at].alignment),
                kept: of(&curves[best]),
                gain: more_than(&given[paradigm]),
            }
        }))
    }

    /// What would change the answer: the nearest dimension and alignment to either side at which
    /// another paradigm is recommended, and more items.
    fn changes(&self, compared: &Comparison) -> Vec<Change> {
        let found = compared.answer;
        let differs = |other: Answer| other != found && (other.is_confident() || other == Answer::ItDepends);
        let mut changes = Vec::new();
        let strip = &compared.by_dimension;
        let below = strip.iter().rev().find(|at| at.dimension < self.dimension && differs(at.answer));
        let above = strip.iter().find(|at| at.dimension > self.dimension && differs(at.answer));
        for AtDimension { dimension, answer, .. } in below.into_iter().chain(above).copied() {
            changes.push(Change::Dimension { dimension, answer });
        }
        let curves = &compared.by_alignment;
        let below = curves.iter().rev().find(|at| at.alignment < self.alignment && differs(at.answer));
        let above = curves.iter().find(|at| at.alignment > self.alignment && differs(at.answer));
        for AtAlignment { alignment, answer, .. } in below.into_iter().chain(above).copied() {
            changes.push(Change::Alignment { alignment, answer });
        }
        if found == Answer::NotEnoughData {
            changes.extend(match self.are_few(self.dimension) {
                true => Some(Change::Interval { items: self.least(self.dimension) }),
                false => decision::items_needed(&compared.kept.difference, self.items.len()),
            });
        }
        changes
    }
}

/// Relative half width of the signal's power from which the scale of kept is uncertain. Chosen.
const UNCERTAIN: f64 = 0.3;

/// A share of the signal that no alignment is better for. Chosen.
const LITTLE: f64 = 0.005;

/// Smaller and larger dimensions that are told beside k.
const FEWER: usize = 2;
const MORE: usize = 4;

/// Whether either paradigm gains more from its best alignment than then lies between them.
fn finding(best: Option<&[Best; 2]>) -> Option<Finding> {
    let [first, second] = best?;
    let gained = |best: &Best| best.gain.low().unwrap_or(f64::NEG_INFINITY);
    let between = (first.kept.value - second.kept.value).abs();
    let surely = gained(first).min(gained(second));
    let gain = first.gain.value.min(second.gain.value);
    (surely > between.max(MARGIN)).then_some(Finding::TuneAlignment { gain, between })
}

/// Warns where the best alignment is the largest.
fn at_end(best: &[Best; 2], alignments: &[f64]) -> impl Iterator<Item = Warning> {
    let largest = alignments.iter().fold(0.0_f64, |largest, alpha| largest.max(*alpha));
    let at_end = best.iter().zip(PARADIGMS).filter(move |(best, _)| {
        let Best { alignment, range, .. } = best;
        *alignment >= largest && largest > 0.0 && range[0] >= largest
    });
    at_end.map(|(best, paradigm)| Warning::AlignmentAtEnd {
        paradigm: paradigm.name,
        alignment: best.alignment,
    })
}
