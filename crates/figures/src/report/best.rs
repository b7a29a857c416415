//! The table of winners: which paradigm's corrupted model is closest to its clean one, and by how
//! much.

use std::collections::{BTreeMap, BTreeSet};

use eigensweep_job::Detail;
use eigensweep_store::columns::PARADIGM;
use eigensweep_theory::metrics::DISTANCE;

use super::MOST_ROWS;
use super::table::{Table, Value};
use crate::FigureError;
use crate::data::{Key, Lines, Stats};

/// The winners at n = `largest`, where rows are kept: pairs need replicates, and the phase diagram
/// tells what a summary can.
pub(super) fn table(lines: &Lines<'_>, largest: i64) -> Result<Option<Table>, FigureError> {
    if lines.detail == Detail::Summary {
        return Ok(None);
    }
    let axes: Vec<&str> = lines.axes.iter().map(String::as_str).collect();
    let all: Vec<&str> = axes.iter().copied().chain([PARADIGM]).collect();
    let mut combinations: BTreeMap<Vec<Key>, Vec<Stats>> = BTreeMap::new();
    let samples = axes.iter().position(|name| *name == "samples");
    let at_largest = |key: &[Key]| samples.is_some_and(|at| key[at] == Key::Number(largest as f64));
    let paradigms = lines.paradigms();
    for (mut key, stats) in lines.grouped(&all, &DISTANCE)?.into_iter().filter(|(key, _)| at_largest(key)) {
        let paradigm = key.pop().and_then(|key| key.paradigm());
        let own = combinations.entry(key).or_insert_with(|| vec![Stats::default(); paradigms.len()]);
        if let Some(at) = paradigms.iter().position(|known| Some(*known) == paradigm) {
            own[at] = stats;
        }
    }
    if combinations.is_empty() || combinations.len() > MOST_ROWS {
        return Ok(None);
    }
    // Axes of one value tell nothing.
    let several = |at: usize| combinations.keys().map(|key| &key[at]).collect::<BTreeSet<_>>().len() > 1;
    let told: Vec<usize> = (0..axes.len()).filter(|&at| several(at)).collect();
    let mut pairs = BTreeMap::new();
    for (second, &later) in paradigms.iter().enumerate() {
        for (first, &earlier) in paradigms[..second].iter().enumerate() {
            pairs.insert((first, second), lines.pairs(&axes, &DISTANCE, [earlier, later]));
        }
    }
    let row = |(key, stats): (&Vec<Key>, &Vec<Stats>)| {
        // A paradigm without a value is infinitely far; of equals the first wins.
        let mut ranked: Vec<usize> = (0..paradigms.len()).filter(|&at| stats[at].mean.is_some()).collect();
        ranked.sort_by(|&a, &b| stats[a].mean.unwrap_or(0.0).total_cmp(&stats[b].mean.unwrap_or(0.0)));
        let name =
            |at: Option<&usize>| at.map_or(Value::Missing, |&at| Value::Text(paradigms[at].name.to_owned()));
        let distance = ranked.first().and_then(|&at| stats[at].mean);
        let margin = ranked.first().zip(ranked.get(1)).and_then(|(&winner, &other)| {
            let pair = pairs.get(&(winner.min(other), winner.max(other)))?.get(key)?;
            Some((if winner < other { -pair.mean } else { pair.mean }, pair))
        });
        let mut cells: Vec<Value> = told.iter().map(|&at| Value::coordinate(&key[at])).collect();
        cells.extend([name(ranked.first()), name(ranked.get(1)), Value::number(distance)]);
        cells.push(Value::number(margin.map(|(margin, _)| margin)));
        cells.push(Value::number(margin.and_then(|(_, pair)| pair.error)));
        cells.push(Value::number(margin.and_then(|(_, pair)| pair.count)));
        cells
    };
    let rows: Vec<Vec<Value>> = combinations.iter().map(row).collect();
    let mut headings: Vec<String> = told.iter().map(|&at| axes[at].replace('_', " ")).collect();
    headings
        .extend(["winner", "runner up", "distance", "margin", "margin se", "replicates"].map(str::to_owned));
    Ok(Some(Table { caption: "The closest paradigm per combination".to_owned(), headings, rows }))
}
