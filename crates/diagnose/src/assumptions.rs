//! Assumptions that can be looked at.

use crate::dimension::Whitened;
use crate::fold::Fold;
use crate::measurements::{Items, Kind, Labels};
use crate::moments::Covariances;
use crate::{Setting, Warning};

/// Rank correlation of noise and level from which it matters, in itself and in standard deviations.
const CORRELATION: [f64; 2] = [0.25, 3.3];

/// Kurtosis from which tails are heavy. Chosen: three times that of normal noise; Student's t of 5
/// degrees of freedom has it.
const KURTOSIS: f64 = 9.0;

/// Share of the noise that one in a hundred items has at most. Chosen: noise of a single direction
/// has 8 %.
const SHARE: f64 = 0.25;

/// Squared shift of the mean, over what noise explains, from which it is one: the 99.95 % point of
/// noise of a single direction, where it varies most.
const SHIFT: f64 = 12.0;

/// Fewest items whose noise is looked at one by one.
const FEW: usize = 50;

/// Warnings about the measurements alone, and their labels.
pub(crate) fn of_measurements(
    items: &Items<'_>,
    labels: Option<&Labels<'_>>,
    all: &Covariances,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let of = match items.kind {
        Kind::Pairs | Kind::Groups => "ids",
        Kind::Batches => "batches",
    };
    if items.singles > 0 {
        warnings.push(Warning::Singles { rows: items.singles, of });
    }
    if let Some(&first) = items.constant.first() {
        warnings.push(Warning::Constant { features: items.constant.len(), first });
    }
    if items.kind != Kind::Batches {
        if (0..items.features).all(|i| all.noise[(i, i)] <= 0.0) {
            warnings.push(Warning::NoNoise);
        } else {
            of_noise(items, all, &mut warnings);
        }
    }
    let label = |row: &usize| items.label_of(*row);
    match labels {
        Some(labels) if items.rows().iter().all(|row| labels.same(label(row), label(&items.rows()[0]))) => {
            warnings.push(Warning::OneLabel { classes: matches!(labels, Labels::Classes { .. }) });
        }
        Some(Labels::Classes { classes, count }) => of_classes(items, classes, *count, &mut warnings),
        Some(Labels::Targets(_)) | None => {}
    }
    warnings
}

/// How noise is distributed over items.
fn of_noise(items: &Items<'_>, all: &Covariances, warnings: &mut Vec<Warning>) {
    let size = items.features;
    let (mut noise, mut levels) = (Vec::new(), [Vec::new(), Vec::new()]);
    let (mut shift, mut mean) = (vec![0.0; size], vec![0.0; size]);
    for item in 0..items.len() {
        let rows = items.of(item);
        let count = rows.len() as f64;
        mean.fill(0.0);
        for &row in rows {
            mean.iter_mut().zip(items.row(row)).for_each(|(mean, x)| *mean += x / count);
        }
        let apart = |row: &usize| {
            items.row(*row).iter().zip(&mean).map(|(x, mean)| (x - mean) * (x - mean)).sum::<f64>()
        };
        noise.push(rows.iter().map(apart).sum::<f64>() / (count - 1.0));
        levels[0].push(mean.iter().sum::<f64>());
        levels[1].push(mean.iter().zip(&items.origin).map(|(x, origin)| (x - origin) * (x - origin)).sum());
        if items.kind == Kind::Pairs {
            let pair = items.row(rows[0]).iter().zip(items.row(rows[1]));
            shift.iter_mut().zip(pair).for_each(|(shift, (x, y))| *shift += x - y);
        }
    }
    let count = items.len() as f64;
    if items.len() >= FEW {
        let correlations = levels.map(|levels| rank_correlation(&noise, &levels));
        let [first, second] = correlations;
        let correlation = if first.abs() > second.abs() { first } else { second };
        if correlation.abs() > CORRELATION[0] && correlation.abs() * count.sqrt() > CORRELATION[1] {
            warnings.push(Warning::Heteroscedastic { correlation });
        }
        noise.sort_by(|a, b| b.total_cmp(a));
        let few = items.len().div_ceil(100);
        let share = noise[..few].iter().sum::<f64>() / noise.iter().sum::<f64>();
        if share > SHARE {
            warnings.push(Warning::FewNoisy { items: few, share });
        }
    }
    let explained = 2.0 * crate::algebra::trace(all.noise.as_ref()) * count;
    let ratio = shift.iter().map(|x| x * x).sum::<f64>() / explained;
    if ratio > SHIFT {
        warnings.push(Warning::Shifted { ratio });
    }
}

/// Labels of several classes that are told by what rows are of.
fn of_classes(items: &Items<'_>, classes: &[usize], count: usize, warnings: &mut Vec<Warning>) {
    let class = |row: usize| classes[items.label_of(row)];
    // How many items have each class, of items with one class only.
    let mut found = vec![0_usize; count];
    for item in 0..items.len() {
        let rows = items.of(item);
        if rows.iter().any(|&row| class(row) != class(rows[0])) {
            return;
        }
        found[class(rows[0])] += 1;
    }
    match items.kind {
        Kind::Batches => warnings.push(Warning::LabelsAreBatches),
        Kind::Groups if found.iter().all(|items| *items < 2) => {
            warnings.push(Warning::LabelsAreGroups);
        }
        Kind::Pairs | Kind::Groups => {}
    }
}

/// Warnings of what the folds of one repetition found.
pub(crate) fn of_folds<'f>(
    setting: &Setting<'_>,
    folds: impl Iterator<Item = &'f Fold> + Clone,
    whitened: Option<&Whitened<'_>>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(whitened) = whitened
        && let Some(bound) = whitened.least_by_chance()
        && let Some(&least) = whitened.values.last()
        && least < bound
    {
        warnings.push(Warning::Indefinite { least, bound });
    }
    if setting.items.kind != Kind::Batches && setting.items.len() >= FEW {
        let directions = 2 * setting.dimension;
        let kurtosis = |direction: usize| {
            let sums = folds.clone().filter_map(|fold| fold.rows.tails.get(direction));
            let [second, fourth, count] =
                sums.fold([0.0; 3], |all, own| std::array::from_fn(|i| all[i] + own[i]));
            if second > 0.0 { fourth * count / (second * second) } else { 3.0 }
        };
        let kurtosis = (0..directions).map(kurtosis).sum::<f64>() / directions as f64;
        if kurtosis > KURTOSIS {
            warnings.push(Warning::HeavyTails { kurtosis });
        }
    }
    warnings
}

/// Spearman's rank correlation; of ties the mean rank.
fn rank_correlation(first: &[f64], second: &[f64]) -> f64 {
    let ranks = [first, second].map(ranks);
    let middle = 0.5 * (first.len() as f64 - 1.0);
    let moment =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (moment(&ranks[0], &ranks[0]) * moment(&ranks[1], &ranks[1])).sqrt();
    if spread > 0.0 { moment(&ranks[0], &ranks[1]) / spread } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let mean = first as f64 + 0.5 * (run.len() as f64 - 1.0);
        run.iter().for_each(|&at| ranks[at] = mean);
        first += run.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::{rank_correlation, ranks};

    #[test]
    fn ties_share_their_mean_rank() {
        let expected = [2.5, 1.0, 2.5, 0.0];
        assert!(ranks(&[3.0, 1.0, 3.0, 0.0]).iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-15));
        assert!((rank_correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]) - 1.0).abs() < 1e-15);
        assert!(rank_correlation(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]).abs() < 1e-15);
    }
}
