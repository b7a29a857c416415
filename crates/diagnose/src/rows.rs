//! Representations of single rows: the influence of each item on leakage, probes of labels, and how
//! noise is distributed.

use eigensweep_spectral::dense;
use eigensweep_theory::InstructionSet;
use eigensweep_theory::ridge::{ProbeMoments, RidgeProbe, ridge};
use faer::{Accum, Mat, MatMut, MatRef};

use crate::measurements::{Kind, Labels};
use crate::{DiagnoseError, Setting};

/// Items whose rows are represented at a time; no bit depends on it.
const ITEMS: usize = 64;

/// What is measured of the rows that a fold holds out.
#[derive(Debug, Default)]
pub(crate) struct OfRows {
    /// Of each item, its influence on the leakage of each paradigm.
    pub(crate) influence: Vec<(usize, [f64; 2])>,
    /// Of each direction of each paradigm, Σc² and Σc⁴ over contrasts within items, and their
    /// number.
    pub(crate) tails: Vec<[f64; 3]>,
    /// Of each paradigm, the mean loss and the accuracy of the probe.
    pub(crate) probe: Option<[[f64; 2]; 2]>,
}

/// Represents the rows of items, which must be ascending: hands over each item with its
/// representations z (both paradigms' directions, one above the other; a column a row).
fn represent(
    Setting { items, run, .. }: &Setting<'_>,
    which: impl Iterator<Item = usize>,
    mean: &[f64],
    bases: [MatRef<'_, f64>; 2],
    mut each: impl FnMut(usize, MatRef<'_, f64>),
) -> Result<(), DiagnoseError> {
    let (size, width) = (items.features, bases[0].ncols() + bases[1].ncols());
    let first = bases[0].ncols();
    let encoder =
        Mat::from_fn(width, size, |i, j| if i < first { bases[0][(j, i)] } else { bases[1][(j, i - first)] });
    let shift: Vec<f64> = items.origin.iter().zip(mean).map(|(origin, mean)| origin + mean).collect();
    let which: Vec<usize> = which.collect();
    let (mut centred, mut found) = (Mat::new(), Mat::new());
    for some in which.chunks(ITEMS) {
        run.check()?;
        let count: usize = some.iter().map(|&item| items.of(item).len()).sum();
        if centred.ncols() < count {
            (centred, found) = (Mat::zeros(size, count), Mat::zeros(width, count));
        }
        let rows = some.iter().flat_map(|&item| items.of(item));
        for (column, &row) in centred.as_mut().col_iter_mut().zip(rows) {
            let row = items.row(row).iter().zip(&shift);
            column.iter_mut().zip(row).for_each(|(to, (x, shift))| *to = x - shift);
        }
        let to: MatMut<'_, f64> = found.as_mut().subcols_mut(0, count);
        let centred = centred.as_ref().subcols(0, count);
        dense::product(InstructionSet::detect(), to, Accum::Replace, encoder.as_ref(), centred);
        let mut at = 0;
        for &item in some {
            let own = items.of(item).len();
            each(item, found.as_ref().subcols(at, own));
            at += own;
        }
    }
    Ok(())
}

/// Measures the rows that a fold holds out, represented by whitened bases (d × k) of both
/// paradigms.
pub(crate) fn measure(
    setting: &Setting<'_>,
    of: &[usize],
    fold: usize,
    mean: &[f64],
    bases: [MatRef<'_, f64>; 2],
) -> Result<OfRows, DiagnoseError> {
    let items = &setting.items;
    let count = setting.dimension;
    let held = || (0..items.len()).filter(|&item| of[item] == fold);
    let mut tails = vec![[0.0; 3]; 2 * count];
    // Of each item, the powers within it and in all, of each paradigm.
    let mut powers: Vec<(usize, [[f64; 2]; 2])> = Vec::new();
    let mut rows = 0;
    represent(setting, held(), mean, bases, |item, z| {
        let own = z.ncols();
        rows += own;
        let mut power = [[0.0; 2]; 2];
        for (i, tail) in tails.iter_mut().enumerate() {
            let [within, all] = &mut power[i / count];
            let mut sum = 0.0;
            for number in 0..own {
                let x = z[(i, number)];
                if number > 0 {
                    let before = number as f64;
                    let contrast = (sum - before * x) / (before * (before + 1.0)).sqrt();
                    let square = contrast * contrast;
                    *within += square;
                    *tail = [tail[0] + square, tail[1] + square * square, tail[2] + 1.0];
                }
                sum += x;
                *all += x * x;
            }
        }
        powers.push((item, power));
    })?;
    let (found, rows) = (powers.len() as f64, rows as f64);
    let scale = rows / (rows - found);
    let mut influence: Vec<(usize, [f64; 2])> = powers.iter().map(|(item, _)| (*item, [0.0; 2])).collect();
    for paradigm in 0..2 {
        let noise = |power: &[[f64; 2]; 2]| {
            let [within, all] = power[paradigm];
            match items.kind {
                Kind::Pairs | Kind::Groups => scale * within,
                Kind::Batches => all - scale * within,
            }
        };
        let sum = |of: &dyn Fn(&[[f64; 2]; 2]) -> f64| powers.iter().map(|(_, power)| of(power)).sum::<f64>();
        let (part, whole) = (sum(&noise), sum(&|power| power[paradigm][1]));
        if whole > 0.0 {
            for ((_, to), (_, power)) in influence.iter_mut().zip(&powers) {
                to[paradigm] = (noise(power) - part / whole * power[paradigm][1]) * found / whole;
            }
        }
    }
    let probe = match &setting.question.labels {
        None => None,
        Some(labels) => Some(probes(setting, labels, of, fold, mean, bases)?),
    };
    Ok(OfRows { influence, tails, probe })
}

/// Loss and accuracy of the ridge probes of both paradigms on the held-out rows, fitted on the
/// others, their strength chosen on the fold that follows.
fn probes(
    setting: &Setting<'_>,
    labels: &Labels<'_>,
    of: &[usize],
    fold: usize,
    mean: &[f64],
    bases: [MatRef<'_, f64>; 2],
) -> Result<[[f64; 2]; 2], DiagnoseError> {
    let items = &setting.items;
    let (count, width) = (setting.dimension, labels.width());
    let next = (fold + 1) % setting.folds;
    // Fitted and tried, of each paradigm.
    let mut sums = [(); 2].map(|()| [(); 2].map(|()| ProbeSums::new(count, width)));
    let mut label = vec![0.0; width];
    represent(setting, (0..items.len()).filter(|&item| of[item] != fold), mean, bases, |item, z| {
        for (number, &row) in items.of(item).iter().enumerate() {
            labels.write(items.label_of(row), &mut label);
            for (paradigm, sums) in sums.iter_mut().enumerate() {
                let own = &column(z, number)[paradigm * count..][..count];
                sums[usize::from(of[item] == next)].add(own, &label);
            }
        }
    })?;
    let what = "the probe of the labels";
    let mut fitted = Vec::with_capacity(2);
    for [first, second] in sums {
        let all = first.and(&second);
        let probe = ridge(&all.moments(), &first.moments(), &second.moments());
        fitted.push(probe.map_err(|source| DiagnoseError::Kernel { what, source })?);
    }
    let (mut found, mut rows) = ([[0.0; 2]; 2], 0.0);
    represent(setting, (0..items.len()).filter(|&item| of[item] == fold), mean, bases, |item, z| {
        for (number, &row) in items.of(item).iter().enumerate() {
            labels.write(items.label_of(row), &mut label);
            rows += 1.0;
            for (paradigm, found) in found.iter_mut().enumerate() {
                let own = &column(z, number)[paradigm * count..][..count];
                let (loss, hit) = tried(&fitted[paradigm], own, &label);
                *found = [found[0] + loss, found[1] + f64::from(u8::from(hit))];
            }
        }
    })?;
    Ok(found.map(|sums| sums.map(|sum| sum / rows)))
}

/// A column of contiguous ones.
fn column<'m>(matrix: MatRef<'m, f64>, at: usize) -> &'m [f64] {
    matrix.col(at).try_as_col_major().map_or(&[], |column| column.as_slice())
}

/// The squared loss of a prediction from z (k), and whether its largest entry is that of the label.
fn tried(probe: &RidgeProbe, z: &[f64], label: &[f64]) -> (f64, bool) {
    let (mut loss, mut largest, mut wanted) = (0.0, [f64::NEG_INFINITY; 2], [0; 2]);
    for (c, &label) in label.iter().enumerate() {
        let along: f64 = probe.weights.col_as_slice(c).iter().zip(z).map(|(p, z)| p * z).sum();
        let predicted = probe.intercept[(c, 0)] + along;
        loss += (predicted - label) * (predicted - label);
        for (of, value) in [predicted, label].into_iter().enumerate() {
            if value > largest[of] {
                (largest[of], wanted[of]) = (value, c);
            }
        }
    }
    (loss, wanted[0] == wanted[1])
}

/// Sums over representations with labels.
struct ProbeSums {
    samples: u64,
    /// Σzzᵀ (k × k), lower triangle.
    second: Mat<f64>,
    mean: Mat<f64>,
    labels: Mat<f64>,
    label_mean: Mat<f64>,
    label_power: f64,
}

impl ProbeSums {
    fn new(count: usize, width: usize) -> Self {
        Self {
            samples: 0,
            second: Mat::zeros(count, count),
            mean: Mat::zeros(count, 1),
            labels: Mat::zeros(count, width),
            label_mean: Mat::zeros(width, 1),
            label_power: 0.0,
        }
    }

    fn add(&mut self, z: &[f64], label: &[f64]) {
        self.samples += 1;
        for (j, x) in z.iter().enumerate() {
            self.mean[(j, 0)] += x;
            let column = &mut self.second.col_as_slice_mut(j)[j..];
            column.iter_mut().zip(&z[j..]).for_each(|(to, y)| *to += x * y);
        }
        for (c, &y) in label.iter().enumerate() {
            self.label_mean[(c, 0)] += y;
            self.label_power += y * y;
            if y != 0.0 {
                let column = self.labels.col_as_slice_mut(c);
                column.iter_mut().zip(z).for_each(|(to, x)| *to += x * y);
            }
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            second: &self.second + &other.second,
            mean: &self.mean + &other.mean,
            labels: &self.labels + &other.labels,
            label_mean: &self.label_mean + &other.label_mean,
            label_power: self.label_power + other.label_power,
        }
    }

    fn moments(&self) -> ProbeMoments {
        let share = 1.0 / self.samples as f64;
        let scaled = |matrix: &Mat<f64>| matrix * faer::Scale(share);
        ProbeMoments {
            samples: self.samples,
            second: crate::algebra::symmetric(self.second.nrows(), |i, j| self.second[(i, j)] * share),
            mean: scaled(&self.mean),
            labels: scaled(&self.labels),
            label_mean: scaled(&self.label_mean),
            label_power: self.label_power * share,
        }
    }
}
