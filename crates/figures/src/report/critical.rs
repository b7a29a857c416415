//! The table of critical alignments: what was found of each cell.

use eigensweep_store::boundary::{ALPHA, HIGH, LAW, LOW, Line, REPLICATES, THEORY, WIDTH};
use eigensweep_store::summary::TABLE_ROWS;
use eigensweep_theory::Metric;

use super::Section;
use super::table::{Table, Value};
use crate::cells::Cells;

/// What stands above the columns.
const COLUMNS: [(&str, &Metric); 7] = [
    ("α*", &ALPHA),
    ("low", &LOW),
    ("high", &HIGH),
    ("width", &WIDTH),
    ("replicates", &REPLICATES),
    ("n → ∞", &THEORY),
    ("law", &LAW),
];

/// The section, with at most so many lines as other tables.
pub(super) fn section(cells: &Cells<'_>) -> Section {
    let slice = cells.slice(TABLE_ROWS);
    let mut shown = cells.of(&slice);
    shown.sort_by_key(|line| cells.paradigms().iter().position(|paradigm| *paradigm == line.paradigm));
    let differs = |name: &&'static str| {
        shown
            .iter()
            .any(|line| shown.first().is_some_and(|one| Cells::key(line, name) != Cells::key(one, name)))
    };
    let told: Vec<&'static str> = cells.axes.iter().copied().filter(differs).collect();
    let columns: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(_, metric)| cells.lines.iter().any(|line| line.value(metric).is_some()))
        .collect();
    let row = |line: &&Line| {
        let words = [line.paradigm.name.to_owned(), line.verdict.clone()].map(Value::Text);
        let axes = told.iter().map(|name| Value::coordinate(&Cells::key(line, name)));
        words
            .into_iter()
            .chain(axes)
            .chain(columns.iter().map(|(_, of)| Value::number(line.value(of))))
            .collect()
    };
    let headings = ["paradigm", "verdict"].map(str::to_owned).into_iter();
    let axes = told.iter().map(|name| cells.heading(name));
    let table = Table {
        caption: "Critical alignments per paradigm and combination".to_owned(),
        headings: headings.chain(axes).chain(columns.iter().map(|(name, _)| (*name).to_owned())).collect(),
        rows: shown.iter().map(row).collect(),
    };
    let mut notes = Vec::new();
    let words = slice.words();
    if !words.is_empty() {
        notes.push(format!(
            "Of {} lines those with {}; `eigensweep query DATASET 'SELECT * FROM boundary'` has all.",
            cells.lines.len(),
            words.join(", ")
        ));
    }
    let constants = cells.constants();
    if !constants.is_empty() {
        notes.push(format!("Throughout: {}.", constants.join(", ")));
    }
    let boundary = cells.source.job().boundary.as_ref();
    let how = boundary.map_or_else(String::new, |boundary| {
        format!(
            " Recovery is judged by {}; low and high hold α* with a probability of at least {}.",
            boundary.recovery.name(),
            boundary.confidence
        )
    });
    Section {
        id: "boundary",
        title: "Critical alignments",
        intro: format!(
            "α* is the alignment at which half of the replicates recover.{how} The width is that of the transition, log α from \
             10 to 90 % of the replicates; <em>n → ∞</em> is the threshold of infinite samples, and <em>law</em> what the law \
             of finite samples makes of it."
        ),
        table,
        notes,
    }
}
