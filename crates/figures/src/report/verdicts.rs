//! The table of verdicts: every paradigm at every combination of the axes other than n.

use std::collections::BTreeMap;

use eigensweep_job::Detail;
use eigensweep_store::columns::PARADIGM;
use eigensweep_theory::metrics::DISTANCE;

use super::MOST_ROWS;
use super::table::{Table, Value};
use crate::FigureError;
use crate::data::{Key, Lines, Stats};
use crate::verdict::Verdict;
use eigensweep_store::format::{count, digits};

/// The table, and notes to it.
pub(super) fn table(rows: &Lines<'_>) -> Result<(Table, Vec<String>), FigureError> {
    let mut notes = Vec::new();
    let axes: Vec<String> = rows
        .varying()
        .into_iter()
        .filter(|name| !["samples", PARADIGM].contains(name))
        .map(str::to_owned)
        .collect();
    let mut keyed = vec![PARADIGM];
    keyed.extend(axes.iter().map(String::as_str));
    keyed.push("samples");
    let mut lines: BTreeMap<Vec<Key>, Vec<Stats>> = BTreeMap::new();
    let mut failed = 0.0;
    for (mut key, stats) in rows.grouped(&keyed, &DISTANCE)? {
        failed += stats.rows - stats.count;
        // Groups come in order of n, the last of the keys.
        key.pop();
        lines.entry(key).or_default().push(stats);
    }
    if failed > 0.0 {
        let sql = match rows.detail {
            Detail::Rows => "SELECT status, COUNT(*) FROM results GROUP BY status` tells why",
            Detail::Summary => "SELECT * FROM summary WHERE failed > 0` tells where",
        };
        notes.push(format!("{failed} rows have no value: `{sql}."));
    }
    if lines.len() > MOST_ROWS {
        notes.push(format!(
            "The first {MOST_ROWS} of {} lines; `SELECT * FROM summary` has all.",
            count(lines.len() as u128)
        ));
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
        key.and_then(Key::number).map_or_else(String::new, |n| format!("distance, n = {n}"))
    };
    let several = samples.len() > 1;
    let mut headings = vec!["paradigm".to_owned()];
    headings.extend(axes.iter().map(|name| name.replace('_', " ")));
    headings.push(at(samples.first()));
    if several {
        headings.push(at(samples.last()));
    }
    headings.extend(["threshold α*".to_owned(), "α above it".to_owned(), "theory, n → ∞".to_owned()]);
    let body = lines.into_iter().take(MOST_ROWS).map(|(key, by_samples)| {
        let paradigm = key.first().and_then(Key::paradigm);
        let mut cells: Vec<Value> = key.iter().map(Value::coordinate).collect();
        cells.extend(by_samples.first().map(mean));
        if several {
            cells.extend(by_samples.last().map(mean));
        }
        let last = by_samples.last();
        let threshold = last.and_then(|stats| stats.threshold).map(|[median, ..]| median.max(0.0).sqrt());
        cells.push(Value::number(threshold));
        let above = last.and_then(|stats| stats.above);
        cells.push(
            above.map_or(Value::Missing, |share| Value::Number(share, format!("{:.0} %", 100.0 * share))),
        );
        cells.push(Value::Text(Verdict::of(paradigm, above).map_or("unknown", Verdict::name).to_owned()));
        cells
    });
    let body: Vec<Vec<Value>> = body.collect();
    Ok((Table { caption: "Verdicts per paradigm and combination".to_owned(), headings, rows: body }, notes))
}

fn mean(stats: &Stats) -> Value {
    let Some(mean) = stats.mean else { return Value::Missing };
    let error = stats.error.map_or_else(String::new, |error| format!(" ± {}", digits(error, 1)));
    Value::Number(mean, format!("{}{error}", digits(mean, 3)))
}
