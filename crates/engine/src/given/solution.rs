//! One problem solved by the paradigms, and what there is to say of it in words.
//!
//! Who asks says how an argument is spelled ([`Spelling`]): `--mean-views` on a command line,
//! `mean_views=` in Python.

use std::iter;
use std::ops::Range;

use eigensweep_inputs::columns;
use eigensweep_store::format::digits;
use eigensweep_theory::closed_forms::{self, ClosedForms, Encoder, Predictor};
use eigensweep_theory::paradigms::Pencil;
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{Failure, InstructionSet, Paradigm};
use faer::{Mat, MatRef};

use super::{GivenMoments, negative};

/// Most columns or names that are listed one by one.
pub const NAMED: usize = 10;

/// Difference of two eigenvalues, relative to the first, up to which rounding decides which of
/// their eigenvectors comes out.
const TIED: f64 = 1e-10;

/// An argument, `mean_views` say, as it is spelled for a user; with the value that it has.
pub type Spelling = fn(&str, Option<usize>) -> String;

/// Where S has what it has from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The inputs alone.
    Inputs,
    /// Mean views alone.
    MeanViews,
    /// A covariance, beside inputs or mean views.
    Covariance,
    /// Views that moments were taken of.
    Views,
    /// Elsewhere: the moments are given.
    Moments,
}

/// How many dimensions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// So many, or an error.
    Exactly(usize),
    /// So many, or the rank of S where that is less.
    AtMost(usize),
}

/// One problem.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Its moments.
    pub moments: &'a GivenMoments,
    /// X (n × d), whose constant columns are remarked upon; `None` where nobody has it.
    pub inputs: Option<MatRef<'a, f64>>,
    /// Where its moments are from.
    pub source: Source,
    /// Whether they are centred.
    pub centred: bool,
    /// How arguments are spelled.
    pub spelling: Spelling,
}

/// Why a problem has no solution, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unsolved {
    /// A dimension that no problem of this size has.
    #[error("{dimension} is not between 1 and the number of {of}, {most}")]
    Dimension {
        /// As it was given.
        dimension: String,
        /// The largest.
        most: usize,
        /// Of what that is the number.
        of: &'static str,
    },
    /// More dimensions than S has directions.
    #[error("{dimension} is above the rank of S, {rank}: {why}. {remedy}")]
    AboveRank {
        /// As it was given.
        dimension: String,
        /// Of S.
        rank: usize,
        /// What makes S singular.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// What was given for a second moment is none.
    #[error(
        "{moment} is negative in some direction, most along feature {feature} (from 0): it must be positive semidefinite"
    )]
    Negative {
        /// As it was given.
        moment: String,
        /// Where it is most negative.
        feature: usize,
    },
    /// A paradigm failed.
    #[error("the {paradigm} problem has no solution: {source}{remedy}")]
    Failed {
        /// Its name.
        paradigm: &'static str,
        /// How.
        source: Failure,
        /// What to do, after a full stop.
        remedy: String,
    },
}

/// What one paradigm makes of a problem.
#[derive(Clone, Debug)]
pub struct Solved {
    /// Which.
    pub paradigm: &'static Paradigm,
    /// All r values of its pencil, descending, if it learns a representation.
    pub spectrum: Option<Vec<f64>>,
    /// Its objective; NaN where moments that it needs are not known.
    pub objective: f64,
    /// Probing loss of the inputs through its encoder, or the squared loss of its model on them;
    /// `None` without labels, where moments that it needs are not known, and where a view has
    /// another number of features than an input.
    pub loss: Option<f64>,
    /// Its maps, by their symbols in the paper.
    pub maps: Vec<(&'static str, Mat<f64>)>,
}

/// What the paradigms make of a problem, those that learn a representation first.
#[derive(Clone, Debug)]
pub struct Solution {
    /// k.
    pub dimension: usize,
    /// Of S.
    pub rank: usize,
    /// One each.
    pub paradigms: Vec<Solved>,
}

/// Checks that a dimension is one of a problem of so many features.
///
/// # Errors
///
/// [`Unsolved::Dimension`].
pub fn check_dimension(
    dimension: usize,
    (most, of): (usize, &'static str),
    spelling: Spelling,
) -> Result<(), Unsolved> {
    if (1..=most).contains(&dimension) {
        return Ok(());
    }
    Err(Unsolved::Dimension { dimension: spelling("dimension", Some(dimension)), most, of })
}

/// What to think of classes nearly as many as samples, if they are.
#[must_use]
pub fn many_classes(labels: &str, classes: usize, samples: usize, spelling: Spelling) -> Option<String> {
    (2 * classes > samples).then(|| {
        format!(
            "{labels} holds {classes} classes in {samples} rows; if these whole numbers are no classes, give them as {}",
            spelling("targets", None)
        )
    })
}

impl Problem<'_> {
    /// Solves it by these paradigms, by those of labels if there are any; for encoders of
    /// `dimension` = k.
    ///
    /// # Errors
    ///
    /// [`Unsolved`].
    pub fn solve(&self, paradigms: &[&'static Paradigm], dimension: Dimension) -> Result<Solution, Unsolved> {
        let given = self.moments;
        let (size, labels, inputs) = (given.size(), given.labels(), given.inputs.nrows());
        if let Dimension::Exactly(dimension) = dimension {
            check_dimension(dimension, (size, given.features()), self.spelling)?;
        }
        if self.source == Source::Moments {
            self.check_moments()?;
        }
        let (no_inputs, no_labels) = (Mat::zeros(size, size), Mat::zeros(size, labels));
        let mut moments = given.view();
        if !given.is_square() {
            (moments.inputs, moments.input_labels) = (no_inputs.as_ref(), no_labels.as_ref());
        }
        let input_power = (0..inputs).map(|i| given.inputs[(i, i)]).sum::<f64>();
        let label_known =
            (0..inputs.min(1)).all(|i| (0..labels).all(|j| given.input_labels[(i, j)].is_finite()));
        let has_loss = given.is_square()
            && labels > 0
            && label_known
            && input_power.is_finite()
            && given.label_power.is_finite();
        // What is left of terms that cancel is zero up to their rounding, some units for each
        // input.
        let settled = |value: f64, terms: f64| {
            let rounding = 8.0 * f64::EPSILON * size as f64 * terms.abs();
            if value.abs() <= rounding { 0.0 } else { value }
        };
        let mut forms = ClosedForms::new(size.max(inputs), labels);
        let mut probe = has_loss.then(|| Probe::new(InstructionSet::detect(), size, labels));
        let mut solver = forms.problem(moments);
        let mut ordered: Vec<_> =
            paradigms.iter().copied().filter(|of| of.spectrum.is_some() || labels > 0).collect();
        ordered.sort_by_key(|paradigm| paradigm.spectrum.is_none());
        let Some(first) = ordered.first() else {
            return Ok(Solution { dimension: 0, rank: 0, paradigms: Vec::new() });
        };
        let rank = solver.rank().map_err(|source| self.unsolved(first.name, source, 0))?;
        let dimension = match dimension {
            Dimension::Exactly(dimension) => dimension,
            Dimension::AtMost(dimension) => dimension.min(rank),
        };
        let solve = |paradigm: &'static Paradigm| {
            let failed = |source| self.unsolved(paradigm.name, source, dimension);
            let (map, pencil) = (paradigm.map, paradigm.spectrum.as_ref());
            Ok(match solver.solve(paradigm).map_err(&failed)? {
                closed_forms::Solution::Encoder(encoder @ Encoder { spectrum, decoder, .. }) => {
                    let basis = encoder.leading(dimension).map_err(&failed)?;
                    let decoder = pencil.and_then(|pencil| pencil.decoder).zip(decoder);
                    let decoder = decoder.map(|(name, map)| (name, map.subcols(0, dimension).to_owned()));
                    let loss = probe.as_mut().map(|probe| {
                        probe.loss(basis, moments.inputs, moments.input_labels, moments.label_power)
                    });
                    Solved {
                        paradigm,
                        spectrum: Some(spectrum.values.to_vec()),
                        objective: pencil.map_or(f64::NAN, |pencil| {
                            // Where nothing is kept, nothing is subtracted.
                            let terms = (pencil.objective)(&vec![0.0; dimension], input_power);
                            settled((pencil.objective)(&spectrum.values[..dimension], input_power), terms)
                        }),
                        loss: loss.map(|loss| settled(loss, moments.label_power)),
                        maps: iter::once((map, basis.transpose().to_owned())).chain(decoder).collect(),
                    }
                }
                closed_forms::Solution::Predictor(Predictor { objective, loss, map: model, .. }) => {
                    let maps = vec![(map, model.transpose().to_owned())];
                    let [objective, loss] =
                        [objective, loss].map(|value| settled(value, moments.label_power));
                    Solved { paradigm, spectrum: None, objective, loss: has_loss.then_some(loss), maps }
                }
            })
        };
        let paradigms = ordered.into_iter().map(solve).collect::<Result<_, _>>()?;
        Ok(Solution { dimension, rank, paradigms })
    }

    /// Refuses moments from elsewhere that no views or inputs have; S is what the closed forms
    /// refuse.
    fn check_moments(&self) -> Result<(), Unsolved> {
        let given = self.moments;
        for (moment, matrix) in [("G", &given.mean_views), ("input_moment", &given.inputs)] {
            // What is not known is no number.
            if matrix[(0, 0)].is_finite()
                && let Some(feature) = negative(matrix.as_ref())
            {
                return Err(Unsolved::Negative { moment: (self.spelling)(moment, None), feature });
            }
        }
        Ok(())
    }

    /// What a user should know of the problem and its solution, a sentence each.
    #[must_use]
    pub fn remarks(&self, solution: &Solution) -> Vec<String> {
        let of_problem = [self.of_inputs(), self.of_rank(solution.rank), self.of_moments(solution)];
        of_problem.into_iter().flatten().chain(self.ties(solution)).collect()
    }

    /// Where rounding decides what is kept.
    #[must_use]
    pub fn ties(&self, solution: &Solution) -> Vec<String> {
        let (k, spelled) = (solution.dimension, |name| (self.spelling)(name, None));
        let of = |(solved, pencil, values): (&Solved, &Pencil, &[f64])| {
            let (first, symbol, name) = (*values.first()?, pencil.symbol, solved.paradigm.name);
            let among = solved.tied(k);
            if self.source == Source::Inputs && values.len() > 1 && among == (0..values.len()) {
                let value = digits((pencil.eigenvalue)(first), 4);
                return Some(format!(
                    "without {}, {} or {} the views are the inputs: every {symbol} of {name} is {value}, and which directions it \
                     keeps is undetermined",
                    spelled("covariance"),
                    spelled("mean_views"),
                    spelled("views")
                ));
            }
            among.contains(&k).then(|| {
                format!(
                    "{symbol} {k} and {} of {name} are tied: which of their directions it keeps is undetermined; choose another {}",
                    k + 1,
                    spelled("dimension")
                )
            })
        };
        solution.spectra().filter_map(of).collect()
    }

    /// Which inputs are constant; not those that are zero in the views, which lower the rank.
    fn of_inputs(&self) -> Option<String> {
        let mut constant = columns::constant(self.inputs?);
        let of = if self.source == Source::Views { &self.moments.inputs } else { &self.moments.views };
        constant.retain(|&column| of[(column, column)] > 0.0);
        let remark = match self.centred {
            true => String::new(),
            false => format!("; nothing is centred without {}", (self.spelling)("center", None)),
        };
        let said = || format!("{} the same in all samples{remark}", listed("input", &constant));
        (!constant.is_empty()).then(said)
    }

    /// What S is, in words.
    fn moment(&self) -> &'static str {
        match self.source {
            Source::Views => "S of these views",
            Source::Moments => "S",
            Source::Inputs | Source::MeanViews | Source::Covariance => "S = X̄ᵀX̄/n + Σ",
        }
    }

    /// Where S is singular and which inputs make it so, or else which inputs only the views tell
    /// from others.
    fn of_rank(&self, rank: usize) -> Option<String> {
        let Self { moments, source, .. } = *self;
        let (size, spelled) = (moments.size(), |name| (self.spelling)(name, None));
        if rank < size {
            return Some(format!(
                "{} has rank {rank} of {size}: {}. The answer is that on its range, with the maps of smallest norm",
                self.moment(),
                self.deficiency()
            ));
        }
        if !moments.is_square() || source == Source::Moments {
            // Features of views are no inputs; and of moments nobody knows better.
            return None;
        }
        let by = match source {
            Source::Views => spelled("views"),
            Source::Inputs | Source::MeanViews | Source::Covariance | Source::Moments => {
                format!("{} or {}", spelled("covariance"), spelled("mean_views"))
            }
        };
        let (samples, inputs) = (moments.samples, moments.inputs.nrows());
        if samples < inputs {
            return Some(format!(
                "{samples} samples do not determine {inputs} inputs: the answer is that of {by}"
            ));
        }
        let dependent = columns::dependent(moments.inputs.as_ref());
        let said = || {
            let listed = listed("input", &dependent);
            format!("{listed} linear in the inputs before: what tells them apart is {by}")
        };
        (!dependent.is_empty()).then(said)
    }

    /// Whose moments from elsewhere are not of one sample: what is left of a power is negative.
    fn of_moments(&self, solution: &Solution) -> Option<String> {
        let moments = self.moments;
        let input_power = (0..moments.inputs.nrows()).map(|i| moments.inputs[(i, i)]).sum::<f64>();
        let is_strange = |solved: &&Solved| {
            let first = solved.paradigm.spectrum.as_ref().zip(solved.spectrum.as_deref());
            let left = first.map_or(0.0, |(pencil, values)| {
                let of = |values: &[f64]| (pencil.objective)(values, input_power);
                // Of one direction, in parts of what there is without.
                of(&values[..values.len().min(1)]) / of(&[0.0])
            });
            left < -TIED || solved.objective < 0.0 || solved.loss.is_some_and(|loss| loss < 0.0)
        };
        let strange =
            solution.paradigms.iter().find(is_strange).filter(|_| self.source == Source::Moments)?;
        Some(format!(
            "the moments of {} are not those of one sample and its views: its views have more power than there is",
            strange.paradigm.name
        ))
    }

    /// What makes S singular, in words.
    fn deficiency(&self) -> String {
        let moments = self.moments;
        let (samples, size) = (moments.samples, moments.size());
        // Stages may move features about: feature 3 of a view need not be of input 3.
        let (noun, before, everywhere) = match self.source {
            Source::Views | Source::Moments => ("feature", "features", "views"),
            Source::Inputs | Source::MeanViews | Source::Covariance => ("input", "inputs", "samples"),
        };
        let (zero, linear): (Vec<usize>, Vec<usize>) = columns::dependent(moments.views.as_ref())
            .into_iter()
            .partition(|&column| moments.views[(column, column)] <= 0.0);
        let mut faults = Vec::new();
        if !zero.is_empty() {
            faults.push(format!("{} zero in all {everywhere}", listed(noun, &zero)));
        }
        if samples < size && matches!(self.source, Source::Inputs | Source::MeanViews) {
            faults.push(format!("{samples} samples do not determine {size} inputs"));
        } else if !linear.is_empty() {
            faults.push(format!("{} linear in the {before} before", listed(noun, &linear)));
        } else if zero.is_empty() {
            faults.push(format!("some {before} are linear in others up to rounding"));
        }
        faults.join("; ")
    }

    /// The failure of a paradigm, with the inputs at fault.
    fn unsolved(&self, paradigm: &'static str, source: Failure, dimension: usize) -> Unsolved {
        let spelled = |name, value| (self.spelling)(name, value);
        let remedy = match source {
            Failure::DimensionAboveRank { rank } => {
                let remedy = match rank {
                    0 => "All views are zero: there is nothing to represent".to_owned(),
                    rank => format!("Choose a {} of at most {rank}", spelled("dimension", None)),
                };
                let dimension = spelled("dimension", Some(dimension));
                return Unsolved::AboveRank { dimension, rank, why: self.deficiency(), remedy };
            }
            Failure::NotPositiveDefinite { pivot } => {
                let negative = |noun| {
                    let moment = self.moment();
                    format!(". {moment} is negative in some direction, most along {noun} {pivot} (from 0): ")
                };
                match self.source {
                    Source::Views => negative("feature") + "give the views a `floor`",
                    Source::Moments => negative("feature") + "it must be positive semidefinite",
                    Source::Inputs | Source::MeanViews | Source::Covariance => format!(
                        "{}a {} must be positive semidefinite",
                        negative("input"),
                        spelled("covariance", None)
                    ),
                }
            }
            Failure::NoConvergence => String::new(),
            Failure::NotFinite => ". The numbers are too large: rescale the inputs".to_owned(),
        };
        Unsolved::Failed { paradigm, source, remedy }
    }
}

impl Solved {
    /// The places (from 0) of the values that are tied with the k-th, where the next one is: which
    /// of their directions are kept is undetermined. Empty where it is not.
    #[must_use]
    pub fn tied(&self, k: usize) -> Range<usize> {
        let Some((pencil, values)) = self.paradigm.spectrum.as_ref().zip(self.spectrum.as_deref()) else {
            return 0..0;
        };
        let eigenvalue = |at: usize| values.get(at).map(|&value| (pencil.eigenvalue)(value));
        let Some((first, kth)) = eigenvalue(0).zip(k.checked_sub(1).and_then(eigenvalue)) else {
            return 0..0;
        };
        let is_tied =
            |at: &usize| eigenvalue(*at).is_some_and(|value| (value - kth).abs() <= TIED * first.abs());
        let mut places = (0..values.len()).filter(is_tied);
        match (places.next(), places.next_back()) {
            (Some(from), Some(last)) if last >= k => from..last + 1,
            _ => 0..0,
        }
    }
}

impl Solution {
    /// Each paradigm that learns a representation with its pencil and its spectrum.
    pub fn spectra(&self) -> impl Iterator<Item = (&Solved, &'static Pencil, &[f64])> {
        self.paradigms.iter().filter_map(|solved| {
            Some((solved, solved.paradigm.spectrum.as_ref()?, solved.spectrum.as_deref()?))
        })
    }
}

/// `inputs 3, 5 and 8 (from 0) are`, ten at most.
fn listed(noun: &str, columns: &[usize]) -> String {
    let shown: Vec<String> = columns.iter().take(NAMED).map(usize::to_string).collect();
    match &shown[..] {
        [only] => format!("{noun} {only} (from 0) is"),
        _ if columns.len() > shown.len() => {
            format!("{noun}s {}, … (from 0; {} in all) are", shown.join(", "), columns.len())
        }
        [first @ .., last] => format!("{noun}s {} and {last} (from 0) are", first.join(", ")),
        [] => String::new(),
    }
}
