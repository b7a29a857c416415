//! The table of winners: which paradigm is best in each cell, by how much, and whose threshold is
//! the lower one.

use eigensweep_job::Detail;
use eigensweep_store::format::coordinate;
use eigensweep_store::summary::{Slice, TABLE_ROWS};
use eigensweep_theory::metrics::Metric;

use super::table::{Table, Value};
use crate::FigureError;
use crate::contest::{Contest, Outcome};
use crate::data::{Key, Lines};
use crate::verdict::BEYOND;

/// When nobody wins though one recovers.
const UNCLEAR: &str =
    "No clear difference: the margin is at most 1.96 of its standard errors (95 % of a normal distribution).";

/// The winners, with notes to the table; of lines at the largest n.
pub(super) fn table(
    lines: &Lines<'_>,
    metric: &'static Metric,
) -> Result<Option<(Table, Vec<String>)>, FigureError> {
    let axes: Vec<&str> = lines.axes.iter().map(String::as_str).collect();
    let Some(contest) = Contest::new(lines, &axes, metric)? else { return Ok(None) };
    if contest.cells.values().all(|cell| cell.outcome == Outcome::Missing) {
        return Ok(None);
    }
    let slice = slice(lines, 1);
    // Axes of one value tell nothing.
    let mut told: Vec<usize> = (0..axes.len()).filter(|&at| lines.axis(axes[at]).len() > 1).collect();
    let shown = |key: &[Key]| {
        let mut numbers = told.iter().filter_map(|&at| Some((axes[at], key[at].number()?)));
        numbers.all(|(name, value)| value.is_nan() || slice.holds(name, value))
    };
    let cells: Vec<_> = contest.cells.iter().filter(|(key, _)| shown(key)).collect();
    told.retain(|&at| cells.iter().any(|(key, _)| key[at] != cells[0].0[at]));
    let row = |(key, cell): &(&Vec<Key>, &crate::contest::Cell)| {
        let runner = cell.ranked.get(1).map(|(paradigm, _)| paradigm.name.to_owned());
        let mut row = vec![Value::Text(contest.name(cell.outcome).to_owned())];
        row.extend(told.iter().map(|&at| Value::coordinate(&key[at])));
        // Where nobody wins, the smaller value is told all the same.
        row.push(Value::number(cell.ranked.first().map(|(_, mean)| *mean)));
        row.push(runner.map_or(Value::Missing, Value::Text));
        row.push(Value::number(cell.margin.map(|pair| pair.mean)));
        row.push(Value::number(cell.margin.and_then(|pair| pair.error)));
        row.push(cell.lower().map_or(Value::Missing, |lower| Value::Text(lower.text())));
        row
    };
    let rows = cells.iter().map(row).collect();
    let mut headings = vec![contest.words[1].to_owned()];
    headings.extend(told.iter().map(|&at| lines.heading(axes[at])));
    headings.push(metric.name.replace('_', " "));
    headings.extend(["runner up", "margin", "margin se", "lower α* (by a factor)"].map(str::to_owned));
    let caption = format!("Which paradigm is {} per combination", contest.words[1]);
    let names: Vec<&str> = contest.rivals.iter().map(|rival| rival.name).collect();
    let query = format!("'SELECT * FROM best' --paradigms {}", names.join(","));
    let mut notes = Vec::new();
    if contest.partial {
        notes.push(format!("Of {}, which learn a representation.", contest.field()));
    }
    notes.push(UNCLEAR.to_owned());
    let beyond = cells.iter().any(|(_, cell)| cell.outcome == Outcome::NoThreshold);
    notes.extend(beyond.then(|| BEYOND.to_owned()));
    notes.extend(left_out(lines, &slice, contest.cells.len(), &query));
    if lines.detail == Detail::Summary {
        notes.push("Margins are not paired: the data set keeps a summary in place of rows.".to_owned());
    }
    Ok(Some((Table { caption, headings, rows }, notes)))
}

/// Values of the axes that are shown in a table with so many rows a combination.
pub(super) fn slice(lines: &Lines<'_>, rows: usize) -> Slice {
    let varying = lines.varying().into_iter().filter(|name| *name != "samples");
    let numbers = varying.filter_map(|name| {
        let values: Vec<f64> =
            lines.axis(name).iter().filter_map(Key::number).filter(|it| !it.is_nan()).collect();
        (!values.is_empty()).then_some((name, values))
    });
    Slice::new(numbers, TABLE_ROWS / rows.max(1))
}

/// What a table leaves out, and where it is; and the axes of one value.
///
/// `query` is what `eigensweep query` gives all rows for.
pub(super) fn left_out(lines: &Lines<'_>, slice: &Slice, all: usize, query: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let words = slice.words();
    if !words.is_empty() {
        notes.push(format!(
            "Of {all} combinations those with {}; `eigensweep query DATASET {query}` has all.",
            words.join(", ")
        ));
    }
    let single: Vec<String> = lines
        .axes
        .iter()
        .filter_map(|name| match lines.axis(name) {
            [Key::Number(only)] if !only.is_nan() => {
                Some(format!("{} = {}", lines.heading(name), coordinate(*only)))
            }
            _ => None,
        })
        .collect();
    if !single.is_empty() {
        notes.push(format!("Throughout: {}.", single.join(", ")));
    }
    notes
}
