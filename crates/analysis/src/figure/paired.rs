//! Differences between two paradigms, replicate by replicate where there are rows.
//!
//! Paradigms of one replicate share their draws, so their difference varies far less than either: with Dᵣ the difference in replicate
//! r over the R replicates where both have a value, the error of its mean is sd(D)/√R. A summary has means and their errors
//! only: taken as if they were independent, √(s₁² + s₂²) is on the safe side, because draws in common make errors alike.

use std::collections::BTreeMap;

use eigensweep_store::columns::{PARADIGM, REPLICATE};
use eigensweep_theory::Paradigm;
use polars::prelude::*;

use super::data::{Key, Rows, Stats};
use crate::AnalysisError;
use crate::format::{settled, settled_error};
use crate::query::collect;

/// Mean difference (first paradigm minus second) with its standard error.
pub(super) type Pair = (f64, f64);

/// Differences of means, where replicates are not kept. `cells` have the paradigm as the first of their keys.
pub(super) fn unpaired(
    cells: &BTreeMap<Vec<Key>, Stats>,
    rivals: [&'static Paradigm; 2],
) -> BTreeMap<Vec<Key>, Pair> {
    let [first, second] = rivals.map(|paradigm| Key::Text(paradigm.name.to_owned()));
    let mut pairs = BTreeMap::new();
    for (key, stats) in cells.iter().filter(|(key, _)| key[0] == first) {
        let mut other = key.clone();
        other[0] = second.clone();
        let found = cells.get(&other).and_then(|other| Some((stats.mean? - other.mean?, other)));
        if let Some((difference, other)) = found {
            let error = f64::hypot(stats.error.unwrap_or(0.0), other.error.unwrap_or(0.0));
            pairs.insert(key[1..].to_vec(), (difference, error));
        }
    }
    pairs
}

/// Paired differences over the replicates where both rivals have a value.
pub(super) fn paired(
    rows: &Rows,
    by: &[&str],
    metric: &str,
    rivals: [&'static Paradigm; 2],
) -> Result<BTreeMap<Vec<Key>, Pair>, AnalysisError> {
    let keys: Vec<Expr> = by.iter().map(|name| col(*name).cast(DataType::Float64)).collect();
    let of = |paradigm: &'static Paradigm| {
        let chosen = col(PARADIGM).cast(DataType::String).eq(lit(paradigm.name));
        when(chosen).then(col(metric)).otherwise(lit(NULL)).max().alias(paradigm.name)
    };
    let [first, second] = rivals;
    let mut each = keys.clone();
    each.push(col(REPLICATE));
    let difference = (col(first.name) - col(second.name)).alias("difference");
    let frame =
        rows.frame().group_by(each).agg([of(first), of(second)]).with_column(difference).group_by(keys).agg(
            [
                col("difference").mean().alias("mean"),
                col("difference").std(1).alias("deviation"),
                col("difference").count().cast(DataType::Float64).alias("count"),
            ],
        );
    let found = collect(frame)?;
    let number =
        |name: &str, row| found.column(name).ok()?.get(row).ok()?.try_extract::<f64>().ok().map(settled);
    let mut pairs = BTreeMap::new();
    for row in 0..found.height() {
        let key: Option<Vec<Key>> = by.iter().map(|name| number(name, row).map(Key::Number)).collect();
        if let (Some(key), Some(mean)) = (key, number("mean", row)) {
            let count = number("count", row).unwrap_or(0.0);
            // One replicate has no spread: its difference stands as it is.
            let error = number("deviation", row)
                .map_or(0.0, |deviation| settled_error(deviation / count.sqrt(), mean));
            pairs.insert(key, (mean, error));
        }
    }
    Ok(pairs)
}
