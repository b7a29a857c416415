//! Statistics of a metric in each group of a figure: taken of the rows, or found in the summary that is kept in their place.

use std::collections::BTreeMap;

use eigensweep_store::columns::THRESHOLD_SQUARED;
use polars::prelude::*;

use super::data::{Key, Rows, Spread, Stats, key, keys};
use crate::AnalysisError;
use crate::format::{settled, settled_error};
use crate::query::collect;
use crate::source::Detail;

/// Values of an axis that are more than a figure can tell apart.
const MOST_GROUPS: usize = 200_000;

impl Rows {
    /// Statistics of `metric` in each group of `by`, which every axis that varies belongs to.
    pub(crate) fn grouped(
        &self,
        by: &[&str],
        metric: &str,
        spread: Spread,
    ) -> Result<BTreeMap<Vec<Key>, Stats>, AnalysisError> {
        let product = by.iter().map(|name| self.axis(name).len()).try_fold(1_usize, usize::checked_mul);
        let groups = product.unwrap_or(usize::MAX).min(self.combinations);
        if groups > MOST_GROUPS {
            return Err(AnalysisError::Figure {
                reason: format!("{groups} points are more than a figure can show: choose some with --where"),
            });
        }
        let keyed = by.iter().map(|name| key(name, self.is_text(name)).alias(format!("key_{name}")));
        let thresholds = self.columns.metrics.iter().any(|name| name == THRESHOLD_SQUARED);
        let found = match self.detail {
            Detail::Rows => collect(
                self.frame().group_by(keyed.collect::<Vec<_>>()).agg(of_rows(metric, spread, thresholds)),
            )?,
            Detail::Summary => {
                collect(self.frame().select(keyed.chain(of_summary(metric, thresholds)).collect::<Vec<_>>()))?
            }
        };
        let key_columns: Vec<Vec<Key>> =
            by.iter().map(|name| keys(&found, &format!("key_{name}"))).collect::<Result<_, _>>()?;
        let number = |name: &str, row: usize| -> Option<f64> {
            let value = found.column(name).ok()?.get(row).ok()?.try_extract::<f64>().ok();
            value.filter(|value| value.is_finite()).map(settled)
        };
        let mut table = BTreeMap::new();
        for row in 0..found.height() {
            let mean = number("mean", row);
            let thresholds =
                [number("threshold", row), number("threshold_low", row), number("threshold_high", row)];
            let stats = Stats {
                count: number("count", row).unwrap_or(0.0),
                rows: number("rows", row).unwrap_or(0.0),
                mean,
                error: number("error", row).map(|error| settled_error(error, mean.unwrap_or(0.0))),
                median: number("median", row),
                low: number("low", row),
                high: number("high", row),
                above: number("above", row),
                threshold: match thresholds {
                    [Some(middle), Some(low), Some(high)] => Some([middle, low, high]),
                    _ => None,
                },
            };
            table.insert(key_columns.iter().map(|column| column[row].clone()).collect(), stats);
        }
        Ok(table)
    }
}

/// The statistics as aggregates of a group's rows.
fn of_rows(metric: &str, spread: Spread, thresholds: bool) -> Vec<Expr> {
    let value = || col(metric);
    let count = || value().count().cast(DataType::Float64);
    let quantile = |share: f64| value().quantile(lit(share), QuantileMethod::Linear);
    let threshold = || col(THRESHOLD_SQUARED);
    let threshold_at = |share: f64| threshold().quantile(lit(share), QuantileMethod::Linear);
    let mut outputs = vec![
        len().cast(DataType::Float64).alias("rows"),
        count().alias("count"),
        value().mean().alias("mean"),
        (value().std(1) / count().sqrt()).alias("error"),
    ];
    if spread == Spread::Quantiles {
        outputs.extend([
            value().median().alias("median"),
            quantile(0.05).alias("low"),
            quantile(0.95).alias("high"),
        ]);
    }
    if thresholds {
        outputs.extend([
            alpha_squared().gt(threshold()).cast(DataType::Float64).mean().alias("above"),
            threshold_at(0.5).alias("threshold"),
            threshold_at(0.05).alias("threshold_low"),
            threshold_at(0.95).alias("threshold_high"),
        ]);
    }
    outputs
}

/// The same, as a summary has them: a line of it is a group.
fn of_summary(metric: &str, thresholds: bool) -> Vec<Expr> {
    let of = |statistic: &str| col(format!("{metric}_{statistic}"));
    let mut outputs = vec![
        col("rows").cast(DataType::Float64).alias("rows"),
        of("count").cast(DataType::Float64).alias("count"),
        of("mean").alias("mean"),
        of("se").alias("error"),
        of("median").alias("median"),
        of("q05").alias("low"),
        of("q95").alias("high"),
    ];
    if thresholds {
        outputs.extend([
            share_above().alias("above"),
            threshold_statistic("median").alias("threshold"),
            threshold_statistic("q05").alias("threshold_low"),
            threshold_statistic("q95").alias("threshold_high"),
        ]);
    }
    outputs
}

fn alpha_squared() -> Expr {
    col("alignment") * col("alignment")
}

fn threshold_statistic(statistic: &str) -> Expr {
    col(format!("{THRESHOLD_SQUARED}_{statistic}"))
}

/// Share of the replicates whose threshold α² exceeds, by what a summary says of the thresholds: none and all are exact, between them
/// the quantiles are joined by straight lines.
fn share_above() -> Expr {
    let known = [
        ("min", 0.0),
        ("q05", 0.05),
        ("q25", 0.25),
        ("median", 0.5),
        ("q75", 0.75),
        ("q95", 0.95),
        ("max", 1.0),
    ];
    let between = known.windows(2).rev().fold(lit(1.0), |beyond, pair| {
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        let [from, to] = [from, to].map(threshold_statistic);
        let way = (alpha_squared() - from.clone()) / (to.clone() - from);
        when(alpha_squared().lt_eq(to)).then(lit(low) + way * lit(high - low)).otherwise(beyond)
    });
    // Whole replicates, and at least one on either side.
    let count = || threshold_statistic("count").cast(DataType::Float64);
    let replicates = || (between.clone() * count() + lit(0.5)).cast(DataType::Int64).cast(DataType::Float64);
    let replicates = when(replicates().lt(lit(1.0))).then(lit(1.0)).otherwise(replicates());
    let rest = || count() - lit(1.0);
    let between = when(replicates.clone().gt(rest())).then(rest()).otherwise(replicates) / count();
    when(threshold_statistic("max").is_null())
        .then(lit(NULL))
        .when(alpha_squared().gt(threshold_statistic("max")))
        .then(lit(1.0))
        .when(alpha_squared().lt_eq(threshold_statistic("min")))
        .then(lit(0.0))
        .otherwise(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None and all are exact, the ends included; between them the quantiles are joined, and neither none nor all is said.
    #[test]
    fn the_share_above_a_threshold_is_read_between_quantiles() {
        let statistics = [
            ("min", 1.0),
            ("q05", 2.0),
            ("q25", 3.0),
            ("median", 4.0),
            ("q75", 5.0),
            ("q95", 6.0),
            ("max", 16.0),
        ];
        let squares = [0.5, 1.0, 1.001, 3.5, 4.0, 5.5, 16.0, 16.5];
        let mut frame = df!["alignment" => squares.map(f64::sqrt)].expect("a frame").lazy();
        frame = frame.with_column(lit(50_i64).alias(format!("{THRESHOLD_SQUARED}_count")));
        for (statistic, value) in statistics {
            frame = frame.with_column(lit(value).alias(format!("{THRESHOLD_SQUARED}_{statistic}")));
        }
        let shares = collect(frame.clone().select([share_above().alias("share")])).expect("shares");
        let shares: Vec<f64> =
            shares.column("share").expect("shares").f64().expect("floats").no_null_iter().collect();
        let expected = [0.0, 0.0, 0.02, 0.38, 0.5, 0.86, 0.98, 1.0];
        for ((share, expected), square) in shares.iter().zip(expected).zip(squares) {
            assert!((share - expected).abs() < 1e-12, "{share} at {square}, not {expected}");
        }
        // Supervised learning has no threshold.
        let none = statistics.map(|(statistic, _)| {
            lit(NULL).cast(DataType::Float64).alias(format!("{THRESHOLD_SQUARED}_{statistic}"))
        });
        let shares =
            collect(frame.with_columns(none).select([share_above().alias("share")])).expect("shares");
        assert_eq!(shares.column("share").expect("shares").null_count(), squares.len());
    }
}
