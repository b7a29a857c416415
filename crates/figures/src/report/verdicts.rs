//! The table of verdicts: every paradigm at every combination of the axes other than n.

use std::collections::BTreeMap;

use eigensweep_job::Detail;
use eigensweep_store::columns::PARADIGM;
use eigensweep_store::format::digits;
use eigensweep_theory::metrics::Metric;

use super::best::{left_out, slice};
use super::table::{Table, Value};
use crate::FigureError;
use crate::data::{Key, Lines, Stats};
use crate::verdict::{BEYOND, Verdict};

/// The table, and notes to it.
pub(super) fn table(rows: &Lines<'_>, metric: &'static Metric) -> Result<(Table, Vec<String>), FigureError> {
    let mut notes = Vec::new();
    let slice = slice(rows, rows.paradigms().len());
    let mut keyed = vec![PARADIGM];
    keyed.extend(rows.varying().into_iter().filter(|name| !["samples", PARADIGM].contains(name)));
    let axes = keyed.len();
    keyed.push("samples");
    let mut lines: BTreeMap<Vec<Key>, Vec<Stats>> = BTreeMap::new();
    let mut failed = 0.0;
    for (mut key, stats) in rows.grouped(&keyed, metric)? {
        failed += stats.rows - stats.count;
        // Groups come in order of n, the last of the keys.
        key.pop();
        lines.entry(key).or_default().push(stats);
    }
    let all = lines.len();
    lines.retain(|key, _| {
        let numbers = keyed.iter().zip(key).filter_map(|(name, key)| Some((name, key.number()?)));
        numbers.into_iter().all(|(name, value)| value.is_nan() || slice.holds(name, value))
    });
    // What the slice left one value of is said once.
    let several = |at: &usize| {
        *at == 0 || lines.keys().any(|key| lines.keys().next().is_some_and(|first| key[*at] != first[*at]))
    };
    let told: Vec<usize> = (0..axes).filter(several).collect();
    if failed > 0.0 {
        let sql = match rows.detail {
            Detail::Rows => "SELECT status, COUNT(*) FROM results GROUP BY status` tells why",
            Detail::Summary => "SELECT * FROM summary WHERE failed > 0` tells where",
        };
        notes.push(format!("{failed} rows have no value: `{sql}."));
    }
    notes.extend(left_out(rows, &slice, all, "'SELECT * FROM summary'"));
    if lines.values().flatten().any(Stats::has_no_threshold) {
        notes.push(BEYOND.to_owned());
    }
    if rows.detail == Detail::Summary {
        notes.push(
            "Of a summary, that keeps no rows: medians and quantiles within 1 %, and where thresholds are drawn on either side of α, \
             the share that it exceeds is read between quantiles."
                .to_owned(),
        );
    }
    let samples = rows.axis("samples");
    let at = |key: Option<&Key>| {
        format!("{}, n = {}", metric.name.replace('_', " "), key.map_or_else(String::new, Key::text))
    };
    let mut headings = vec!["theory, n\u{a0}→\u{a0}∞".to_owned()];
    headings.extend(told.iter().map(|&at| rows.heading(keyed[at])));
    headings.push(at(samples.first()));
    if samples.len() > 1 {
        headings.push(at(samples.last()));
    }
    headings.push("threshold α*".to_owned());
    let body = lines.into_iter().map(|(key, by_samples)| {
        let last = by_samples.last();
        let paradigm = key.first().and_then(Key::paradigm);
        let mut cells = vec![Value::Text(verdict(last.and_then(|stats| Verdict::of(paradigm, stats)), last))];
        cells.extend(told.iter().map(|&at| Value::coordinate(&key[at])));
        cells.extend(by_samples.first().map(mean));
        if samples.len() > 1 {
            cells.extend(last.map(mean));
        }
        cells.push(last.and_then(Stats::alpha).map_or(Value::Missing, Value::threshold));
        cells
    });
    let body: Vec<Vec<Value>> = body.collect();
    Ok((Table { caption: "Verdicts per paradigm and combination".to_owned(), headings, rows: body }, notes))
}

/// What theory says, with the share of the replicates where it is between.
fn verdict(verdict: Option<Verdict>, stats: Option<&Stats>) -> String {
    match (verdict, stats.and_then(|stats| stats.above)) {
        (Some(Verdict::Sometimes), Some(share)) => format!("recovers in {:.0} %", 100.0 * share),
        (Some(verdict), _) => verdict.name().to_owned(),
        (None, _) => "not known".to_owned(),
    }
}

fn mean(stats: &Stats) -> Value {
    let Some(mean) = stats.mean else { return Value::Missing };
    let error = stats.error.map_or_else(String::new, |error| format!(" ± {}", digits(error, 1)));
    Value::Number(mean, format!("{}{error}", digits(mean, 3)))
}
