//! From values to positions: linear, logarithmic, or equal steps through listed values.

use kuva::render::render_utils::{generate_ticks, generate_ticks_log};

use crate::names::{pretty, superscript};
use eigensweep_store::format::coordinate;

/// How an axis is spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Spacing {
    /// Equal differences are equal lengths
    Linear,
    /// Equal ratios are equal lengths
    Log,
}

/// Positive values that span this ratio or more are spaced logarithmically unless told otherwise.
const LOG_RATIO: f64 = 20.0;

/// A scale over a domain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scale {
    Linear {
        low: f64,
        high: f64,
        /// Whether ticks are at whole numbers only.
        whole: bool,
    },
    Log {
        low: f64,
        high: f64,
    },
    /// Values in ascending order, a step apart: for axes that hold 0 and span decades.
    Steps(Vec<f64>),
}

impl Scale {
    /// A scale for the values of an axis, which need not be sorted. `margin` is the share of the
    /// length that stays free at each end. Values that are not finite do not count, nor do those at
    /// or below 0 on a logarithmic axis.
    pub(crate) fn fit(values: &[f64], spacing: Option<Spacing>, margin: f64) -> Self {
        let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        finite.sort_by(f64::total_cmp);
        finite.dedup();
        let positive: Vec<f64> = finite.iter().copied().filter(|&value| value > 0.0).collect();
        let wide = |values: &[f64]| match (values.first(), values.last()) {
            (Some(low), Some(high)) => high / low >= LOG_RATIO,
            _ => false,
        };
        // Exact zeros among positive values stay for the figure to place on the edge.
        let none_negative = finite.first().is_none_or(|&least| least >= 0.0);
        match spacing {
            Some(Spacing::Log) => Self::log(&positive, margin),
            None if none_negative && wide(&positive) => Self::log(&positive, margin),
            _ => Self::linear(&finite, margin),
        }
    }

    /// The scale for the values of a job's axis: where 0 is among values that span decades, each
    /// value is a step.
    pub(crate) fn fit_axis(values: &[f64], spacing: Option<Spacing>, margin: f64) -> Self {
        let mut listed = values.to_vec();
        listed.sort_by(f64::total_cmp);
        listed.dedup();
        let positive: Vec<f64> = listed.iter().copied().filter(|&value| value > 0.0).collect();
        let wide = positive.last().zip(positive.first()).is_some_and(|(high, low)| high / low >= LOG_RATIO);
        let steps = spacing != Some(Spacing::Linear) && positive.len() < listed.len() && wide;
        // Between whole numbers (k = 4, 5, 6) there is nothing.
        let all_whole = !listed.is_empty() && listed.iter().all(|value| value.fract() == 0.0);
        match Self::fit(values, spacing, margin) {
            _ if steps => Self::Steps(listed),
            Self::Linear { low, high, .. } => Self::Linear { low, high, whole: all_whole },
            other @ (Self::Log { .. } | Self::Steps(_)) => other,
        }
    }

    /// The scale for an axis of cells, each value in the middle of one: with half a step beyond the
    /// first and the last value, on a logarithmic axis half a decade at most.
    pub(crate) fn around(values: &[f64], spacing: Option<Spacing>) -> Self {
        let decade = 10.0_f64.sqrt();
        let scale = Self::fit_axis(values, spacing, 0.0);
        let mut sorted: Vec<f64> =
            values.iter().copied().filter(|value| scale.share(*value).is_some()).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let (&[first, second, ..], &[.., before, last]) = (sorted.as_slice(), sorted.as_slice()) else {
            return scale;
        };
        match scale {
            Self::Linear { whole, .. } => {
                let (low, high) = (first - 0.5 * (second - first), last + 0.5 * (last - before));
                Self::Linear { low, high, whole }
            }
            Self::Log { low, high } => {
                let half = |from: f64, to: f64| ratio(to, from).sqrt().min(decade);
                let low = (low / half(first, second)).max(f64::from_bits(1));
                Self::Log { low, high: (high * half(before, last)).min(1e308) }
            }
            steps @ Self::Steps(_) => steps,
        }
    }

    fn linear(sorted: &[f64], margin: f64) -> Self {
        let (low, high) = (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(1.0));
        let pad = if high > low { (high - low) * margin } else { (0.5 * low.abs()).max(0.5) };
        Self::Linear { low: (low - pad).max(f64::MIN), high: (high + pad).min(f64::MAX), whole: false }
    }

    fn log(sorted: &[f64], margin: f64) -> Self {
        let (low, high) = (sorted.first().copied().unwrap_or(1.0), sorted.last().copied().unwrap_or(10.0));
        let pad = if high > low { ratio(high, low).powf(margin) } else { 3.0 };
        // Ends that could not be drawn would have ticks without end.
        Self::Log { low: (low / pad).max(f64::from_bits(1)), high: (high * pad).min(1e308) }
    }

    /// Whether positions are logarithms.
    pub(crate) fn is_log(&self) -> bool {
        matches!(self, Self::Log { .. })
    }

    /// Lowest value of the domain.
    pub(crate) fn low(&self) -> f64 {
        match self {
            Self::Linear { low, .. } | Self::Log { low, .. } => *low,
            Self::Steps(values) => values.first().copied().unwrap_or(0.0),
        }
    }

    /// Highest value of the domain.
    pub(crate) fn high(&self) -> f64 {
        match self {
            Self::Linear { high, .. } | Self::Log { high, .. } => *high,
            Self::Steps(values) => values.last().copied().unwrap_or(1.0),
        }
    }

    /// Position of a value, 0 at the low end and 1 at the high end; outside of it beyond them.
    /// `None` where the scale has no place (0 on a logarithmic axis, NaN).
    pub(crate) fn share(&self, value: f64) -> Option<f64> {
        match self {
            Self::Linear { low, high, .. } => Some((value - low) / (high - low)),
            Self::Log { low, high } => {
                let log = |high: f64| match high / low {
                    ratio if ratio.is_finite() && ratio > 0.0 => ratio.ln(),
                    _ => high.ln() - low.ln(),
                };
                (value > 0.0).then(|| log(value) / log(*high))
            }
            Self::Steps(values) => step_share(values, value),
        }
        .filter(|share| share.is_finite())
    }

    /// The value at a position, where positions between values have one.
    pub(crate) fn value(&self, share: f64) -> Option<f64> {
        match self {
            Self::Linear { low, high, .. } => Some(low + share * (high - low)),
            Self::Log { low, high } => Some((low.ln() + share * (high.ln() - low.ln())).exp()),
            Self::Steps(_) => None,
        }
    }

    /// Values with a tick and a label, and values with a small tick only. At most about `most`
    /// labels.
    pub(crate) fn ticks(&self, most: usize) -> (Vec<(f64, String)>, Vec<f64>) {
        match self {
            Self::Linear { low, high, whole } => {
                let ticks = generate_ticks(*low, *high, most);
                let inside = ticks.into_iter().filter(|tick| (*low..=*high).contains(tick));
                let inside = inside.filter(|tick| !whole || clean(*tick, high - low).fract() == 0.0);
                (inside.map(|tick| (tick, coordinate(clean(tick, high - low)))).collect(), Vec::new())
            }
            Self::Log { low, high } => log_ticks(*low, *high, most),
            Self::Steps(values) => {
                let every = values.len().div_ceil(most.max(1));
                let labelled = values.iter().step_by(every).map(|&value| (value, pretty(value))).collect();
                (labelled, values.clone())
            }
        }
    }
}

/// The ratio of two positive numbers, or the largest that there is.
fn ratio(high: f64, low: f64) -> f64 {
    (high / low).min(f64::MAX)
}

/// Steps have half a step free at each end.
fn step_share(values: &[f64], value: f64) -> Option<f64> {
    let after = values.partition_point(|&step| step < value);
    let index = match (after.checked_sub(1).map(|before| values[before]), values.get(after)) {
        (_, Some(&next)) if next <= value => after as f64,
        (Some(before), Some(&next)) => after as f64 - (next - value) / (next - before),
        (None, Some(_)) => -0.5,
        _ => values.len() as f64 - 0.5,
    };
    value.is_finite().then(|| (index + 0.5) / values.len() as f64)
}

/// Rounding errors of a tick are not shown.
fn clean(tick: f64, span: f64) -> f64 {
    if tick.abs() < 1e-9 * span { 0.0 } else { format!("{tick:.9e}").parse().unwrap_or(tick) }
}

fn log_ticks(low: f64, high: f64, most: usize) -> (Vec<(f64, String)>, Vec<f64>) {
    let inside = |tick: &f64| *tick >= low * (1.0 - 1e-12) && *tick <= high * (1.0 + 1e-12);
    let power = |exponent: i32| 10.0_f64.powi(exponent);
    #[expect(clippy::cast_possible_truncation, reason = "exponents of f64 fit")]
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades: Vec<i32> = (first..=last).filter(|&exponent| inside(&power(exponent))).collect();
    if decades.len() < 2 {
        // Less than two powers of ten: 1, 2, 5, or whatever fits.
        let fine = generate_ticks_log(low, high).into_iter().filter(inside).collect::<Vec<_>>();
        let ticks = if (2..=most).contains(&fine.len()) {
            fine
        } else {
            let steps =
                (first..=last).flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| digit * power(exponent)));
            let steps: Vec<f64> = steps.filter(inside).collect();
            if steps.len() >= 2 {
                steps
            } else {
                generate_ticks(low, high, most).into_iter().filter(inside).collect()
            }
        };
        return (ticks.into_iter().map(|tick| (tick, coordinate(clean(tick, high)))).collect(), Vec::new());
    }
    let every = decades.len().div_ceil(most.max(1));
    let every_i32 = i32::try_from(every).unwrap_or(1);
    let labelled: Vec<i32> =
        decades.iter().copied().filter(|exponent| exponent.rem_euclid(every_i32) == 0).collect();
    // Short axes are read as plain numbers.
    let plain = labelled.iter().all(|exponent| (-2..=3).contains(exponent));
    let label = |exponent: i32| {
        if plain { coordinate(power(exponent)) } else { format!("10{}", superscript(exponent)) }
    };
    let major = labelled.iter().map(|&exponent| (power(exponent), label(exponent))).collect();
    let minor: Vec<f64> = if every > 1 {
        decades.iter().map(|&exponent| power(exponent)).collect()
    } else if decades.len() <= 6 {
        let digits =
            (first..=last).flat_map(|exponent| (2..10).map(move |digit| f64::from(digit) * power(exponent)));
        digits.filter(inside).collect()
    } else {
        Vec::new()
    };
    (major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale, most: usize) -> Vec<String> {
        scale.ticks(most).0.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn decades_have_powers_of_ten() {
        let scale = Scale::fit(&[3e-8, 0.4], None, 0.0);
        assert!(scale.is_log());
        assert_eq!(labels(&scale, 4), ["10⁻⁶", "10⁻⁴", "10⁻²"]);
        assert_eq!(labels(&Scale::fit(&[100.0, 51200.0], None, 0.0), 6), ["10²", "10³", "10⁴"]);
        assert_eq!(labels(&Scale::fit(&[0.1, 10.0], None, 0.0), 6), ["0.1", "1", "10"]);
    }

    #[test]
    fn ticks_show_no_rounding() {
        assert_eq!(labels(&Scale::Linear { low: 0.4, high: 20.6, whole: false }, 5), ["5", "10", "15", "20"]);
        assert_eq!(
            labels(&Scale::Linear { low: -0.31, high: 0.31, whole: false }, 4).join(" "),
            "-0.2 0 0.2"
        );
        assert_eq!(labels(&Scale::Log { low: 0.8, high: 9.0 }, 5), ["1", "2", "5"]);
    }

    #[test]
    fn whole_numbers_have_whole_ticks() {
        for dimensions in [&[4.0, 8.0, 12.0, 16.0][..], &[1.0, 2.0], &[3.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
        {
            for scale in [Scale::fit_axis(dimensions, None, 0.03), Scale::around(dimensions, None)] {
                for most in 2..10 {
                    let found = labels(&scale, most);
                    assert!(!found.is_empty() && found.iter().all(|label| !label.contains('.')), "{found:?}");
                }
            }
        }
    }

    #[test]
    fn one_value_stands_in_the_middle() {
        for value in [5.0, 0.0, -3.0] {
            let scale = Scale::fit(&[value], None, 0.05);
            assert!((scale.share(value).unwrap() - 0.5).abs() < 1e-12, "{value}");
        }
        let scale = Scale::fit(&[5.0], Some(Spacing::Log), 0.05);
        assert!((scale.share(5.0).unwrap() - 0.5).abs() < 1e-12);
        assert!(!scale.ticks(5).0.is_empty());
    }

    /// They would have had ticks without end.
    #[test]
    fn the_widest_axes_are_drawn() {
        for values in [&[1e308][..], &[5e-324], &[1e-200, 1e120], &[5e-324, 1.7e308], &[-1.7e308, 1.7e308]] {
            for spacing in [None, Some(Spacing::Log), Some(Spacing::Linear)] {
                let scale = Scale::fit(values, spacing, 0.05);
                assert!(scale.ticks(5).0.len() < 400, "{values:?}");
            }
        }
        let scale = Scale::fit(&[1e-200, 1e120], None, 0.05);
        assert!((scale.share(1e-40).unwrap() - 0.5).abs() < 0.02);
    }

    #[test]
    fn zero_among_decades_is_a_step_of_its_own() {
        let scale = Scale::fit_axis(&[10.0, 0.0, 0.1, 1.0], None, 0.05);
        assert_eq!(scale, Scale::Steps(vec![0.0, 0.1, 1.0, 10.0]));
        assert_eq!(scale.share(0.0), Some(0.125));
        assert_eq!(scale.share(1.0), Some(0.625));
        assert_eq!(Scale::fit(&[0.1, 10.0], None, 0.0).share(0.0), None);
    }

    /// Within a decade of the data, however uneven the values.
    #[test]
    fn cells_reach_half_a_step_and_half_a_decade_at_most() {
        let Scale::Log { low, high } = Scale::around(&[1.0, 1000.0, 1100.0], None) else { panic!("no log") };
        assert!((low - 0.1_f64.sqrt()).abs() < 1e-12 && (high / 1100.0 - 1.1_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Scale::around(&[1.0, 2.0, 4.0], None), Scale::Linear { low: 0.5, high: 5.0, whole: true });
        let Scale::Log { low, high } = Scale::around(&[5.0], Some(Spacing::Log)) else { panic!("no log") };
        assert!(low > 0.5 && high < 50.0);
        assert_eq!(Scale::around(&[0.0, 1.0, 100.0], None), Scale::Steps(vec![0.0, 1.0, 100.0]));
    }

    #[test]
    fn nothing_gives_a_scale_all_the_same() {
        for spacing in [None, Some(Spacing::Linear), Some(Spacing::Log)] {
            let scale = Scale::fit(&[f64::NAN, f64::INFINITY], spacing, 0.05);
            assert!(scale.high() > scale.low());
        }
    }
}
