//! Intervals of numbers that are means over folds.
//!
//! Nadeau and Bengio, *Inference for the generalization error* (2003): over J folds whose training sets
//! overlap, K of them a repetition, the variance of the mean is `(1/J + 1/(K − 1)) s²`.

use crate::{Compared, Estimate};

/// A number, and what each fold says of it.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) value: f64,
    pub(crate) folds: Vec<f64>,
}

impl Series {
    /// A mean over folds.
    pub(crate) fn mean(folds: Vec<f64>) -> Self {
        Self { value: folds.iter().sum::<f64>() / folds.len() as f64, folds }
    }

    /// A mean over folds in units of another: of `[part, whole]` each, parts over the mean whole.
    ///
    /// The unit counts as known. Were its error part of the interval, as in a ratio, differences would have
    /// intervals twice as wide, in the study of this crate, for the error of a factor that both share.
    pub(crate) fn in_units(folds: impl Iterator<Item = [f64; 2]> + Clone) -> Self {
        let unit = Self::mean(folds.clone().map(|[_, whole]| whole).collect()).value;
        Self::mean(folds.map(|[part, _]| part / unit).collect())
    }

    /// One less another, fold by fold.
    pub(crate) fn less(&self, other: &Self) -> Self {
        let folds = self.folds.iter().zip(&other.folds).map(|(a, b)| a - b).collect();
        Self { value: self.value - other.value, folds }
    }

    /// Half the width of the 95 % interval, of K folds a repetition.
    pub(crate) fn half(&self, repetition: usize) -> f64 {
        let count = self.folds.len() as f64;
        let mean = self.folds.iter().sum::<f64>() / count;
        let square = |x: &f64| (x - mean) * (x - mean);
        let variance = self.folds.iter().map(square).sum::<f64>() / (count - 1.0);
        let share = 1.0 / count + 1.0 / (repetition as f64 - 1.0);
        student(self.folds.len() - 1) * (share * variance).sqrt()
    }

    /// As an estimate, with an interval if there is to be one, of no less than `least` to either side.
    pub(crate) fn estimate(&self, repetition: Option<usize>, least: f64) -> Estimate {
        let half = repetition.map(|repetition| self.half(repetition).max(least));
        Estimate { value: self.value, half }
    }
}

/// Both paradigms and their difference; `least` are those of an [`Series::estimate`], the difference last.
pub(crate) fn compare(each: &[Series; 2], repetition: Option<usize>, least: [f64; 3]) -> Compared {
    let [first, second] = each;
    Compared {
        each: [first.estimate(repetition, least[0]), second.estimate(repetition, least[1])],
        difference: first.less(second).estimate(repetition, least[2]),
    }
}

/// The 97.5 % point of Student's t: P(|t| ≤ it) = 95 %.
///
/// Source: Abramowitz and Stegun, *Handbook of mathematical functions*, 26.7.3 and 26.7.4, by bisection.
pub(crate) fn student(freedom: usize) -> f64 {
    // Beyond, the point moves by less than 2·10⁻⁴ of itself.
    let freedom = freedom.clamp(1, 5000);
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(|t| ≤ point).
fn within(point: f64, freedom: usize) -> f64 {
    let angle = libm::atan(point / (freedom as f64).sqrt());
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2;
    // Products of even numbers over odd ones, or of odd over even, with powers of the cosine.
    let mut term = if odd == 1 { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    for j in (2 + odd..freedom.saturating_sub(1)).step_by(2) {
        term *= cosine * cosine * (j - 1) as f64 / j as f64;
        sum += term;
    }
    if odd == 1 { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::{Series, student};

    /// Abramowitz and Stegun, table 26.10.
    #[test]
    fn points_of_student_are_those_of_the_table() {
        let table = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (9, 2.262),
            (10, 2.228),
            (29, 2.045),
            (30, 2.042),
            (120, 1.980),
            (100_000, 1.960),
        ];
        for (freedom, expected) in table {
            let found = student(freedom);
            assert!((found - expected).abs() < 6e-4, "{freedom}: {found}");
        }
    }

    #[test]
    fn an_interval_is_the_one_worked_by_hand() {
        let series = Series::mean(vec![1.0, 2.0, 3.0]);
        // s² = 1, J = K = 3: t₂ √(1/3 + 1/2).
        assert!((series.half(3) - 4.302_653 * (5.0_f64 / 6.0).sqrt()).abs() < 1e-5);
    }

    #[test]
    fn parts_are_in_units_of_the_mean_whole() {
        let series = Series::in_units([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]].into_iter());
        assert!((series.value - 0.5).abs() < 1e-15);
        let halves = Series::mean(vec![0.25, 0.5, 0.75]);
        assert!((series.half(3) - halves.half(3)).abs() < 1e-15);
    }
}
