//! A report: one HTML page that needs nothing else, with the verdicts, the figures, who wins, and where the rows come from.
//!
//! The template, its style and its script are in `templates/`; everything is inlined, nothing is fetched. The same data sets give
//! the same bytes.

mod table;
mod verdicts;

use std::path::Path;

use askama::Template;

use crate::AnalysisError;
use crate::figure::data::Key;
use crate::figure::{FigureSpec, Kind, draw, write_whole};
use crate::format::{count, digits, settled_error};
use crate::query::Query;
use crate::source::Source;
use table::{Table, Value};

/// Most rows of a table: what a browser sorts at once.
const MOST_ROWS: usize = 2000;

const CSS: &str = include_str!("../../templates/report.css");
const JS: &str = include_str!("../../templates/report.js");

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    version: &'static str,
    css: &'static str,
    js: &'static str,
    title: String,
    lead: String,
    verdicts: Table,
    verdict_notes: Vec<String>,
    figures: Vec<Figure>,
    figure_notes: Vec<String>,
    best: Option<Table>,
    largest: String,
    sources: Vec<Origin>,
    cite: String,
}

struct Figure {
    name: &'static str,
    caption: String,
    svg: String,
}

/// Where rows come from.
struct Origin {
    name: String,
    facts: Vec<(&'static str, String)>,
    runs: Table,
    job: String,
}

/// The page about some data sets, as HTML.
///
/// # Errors
///
/// What reading the data sets gives; a figure that the rows cannot give is left out with a note.
pub fn html(sources: &[Source]) -> Result<String, AnalysisError> {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let (verdicts, verdict_notes) = verdicts::table(sources)?;
    let (figures, figure_notes) = figures(sources);
    let largest =
        sources.iter().flat_map(|source| source.job.grid.samples.values()).max().copied().unwrap_or(0);
    let rows: u64 = sources.iter().map(|source| source.rows).sum();
    let hashes: Vec<String> =
        sources.iter().map(|source| format!("job {}", short(&source.job_hash))).collect();
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        css: CSS,
        js: JS,
        title: names.join(", "),
        lead: lead(sources, rows),
        verdicts,
        verdict_notes,
        figures,
        figure_notes,
        best: best(sources, largest)?,
        largest: count(largest.unsigned_abs().into()),
        sources: sources.iter().map(origin).collect(),
        cite: hashes.join(", "),
    };
    page.render()
        .map_err(|error| AnalysisError::Figure { reason: format!("the page cannot be made: {error}") })
}

/// Writes the page to a file; it appears whole or not at all.
///
/// # Errors
///
/// As [`html`], or [`AnalysisError::Io`].
pub fn write(sources: &[Source], path: &Path) -> Result<(), AnalysisError> {
    write_whole(path, html(sources)?.as_bytes())
}

/// What was run, in a sentence.
fn lead(sources: &[Source], rows: u64) -> String {
    let mut parts = vec![format!("{} rows", count(rows.into()))];
    if let [source] = sources {
        parts.push(format!("{} replicates", count(source.job.job.replicates.into())));
        for axis in source.job.axes() {
            if axis.values.count() > 1 {
                parts.push(format!("{} values of {}", axis.values.count(), axis.name.replace('_', " ")));
            }
        }
        let paradigms = source.job.model.paradigms.len();
        parts.push(format!("{paradigms} paradigm{}", if paradigms == 1 { "" } else { "s" }));
    } else {
        parts.push(format!("{} data sets", sources.len()));
    }
    parts.join(" · ")
}

/// Every figure that the rows can give, and why others are missing.
fn figures(sources: &[Source]) -> (Vec<Figure>, Vec<String>) {
    let kinds = [
        (
            Kind::LearningCurves,
            "Learning curves",
            "A curve per alignment; dashes tell what theory says of it as n → ∞.",
        ),
        (
            Kind::Phase,
            "Phase diagram",
            "The metric over two axes for each paradigm, which of the two self-supervised paradigms is closer, and the \
             theoretical thresholds (Propositions 4.3 and 4.4, Corollary 4.5).",
        ),
        (
            Kind::Threshold,
            "Thresholds",
            "The alignment from which on the representation holds no irrelevant component, measured against theory.",
        ),
        (
            Kind::Spectrum,
            "Spectrum",
            "Generalized eigenvalues as n → ∞; the representation keeps the first k, and a gap after the k-th makes it \
             well determined.",
        ),
    ];
    let most = |name: &str| {
        let counts = sources.iter().flat_map(|source| source.job.axes()).filter(|axis| axis.name == name);
        counts.map(|axis| axis.values.count()).max().unwrap_or(0)
    };
    let (mut figures, mut notes) = (Vec::new(), Vec::new());
    for (at, (kind, name, caption)) in kinds.into_iter().enumerate() {
        // What a figure needs to say something.
        let needs = match kind {
            Kind::Phase => vec![("noise_scale", 3), ("alignment", 3)],
            Kind::Threshold => vec![("alignment", 5)],
            Kind::LearningCurves | Kind::Spectrum => Vec::new(),
        };
        if let Some((axis, least)) = needs.into_iter().find(|(axis, least)| most(axis) < *least) {
            notes.push(format!("No {}: it needs {least} values of {axis} or more.", name.to_lowercase()));
            continue;
        }
        let spec = FigureSpec { title: Some(String::new()), ..FigureSpec::new(kind) };
        match draw(sources, &spec) {
            Ok(drawing) => figures.push(Figure {
                name,
                caption: caption.to_owned(),
                // One page, several drawings: the names of their clips must differ.
                svg: drawing.svg().replace("panel-", &format!("f{at}-panel-")),
            }),
            Err(error) => notes.push(format!("No {}: {error}.", name.to_lowercase())),
        }
    }
    (figures, notes)
}

/// The view `best` at the largest n, where there are rows.
fn best(sources: &[Source], largest: i64) -> Result<Option<Table>, AnalysisError> {
    // Pairs need replicates; the phase diagram tells what a summary can.
    if !sources.iter().all(Source::keeps_rows) {
        return Ok(None);
    }
    let mut query = Query::new(sources)?;
    let frame = query.collect(&format!("SELECT * FROM best WHERE samples = {largest}"))?;
    if frame.height() == 0 || frame.height() > MOST_ROWS {
        return Ok(None);
    }
    let mut headings = Vec::new();
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for column in frame.columns() {
        let values: Vec<Value> =
            (0..column.len()).filter_map(|row| column.get(row).ok()).map(Value::of).collect();
        let heading = column.name().to_string();
        let values = if heading == "margin_se" { without_rounding(&columns, values) } else { values };
        let axis = query.columns().axes.contains(&heading);
        let values = if axis { values.into_iter().map(as_coordinate).collect() } else { values };
        // Axes of one value tell nothing.
        if !(axis && values.windows(2).all(|pair| pair[0] == pair[1])) {
            headings.push(heading.replace('_', " "));
            columns.push(values);
        }
    }
    let rows =
        (0..frame.height()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect();
    Ok(Some(Table { caption: "The closest paradigm per combination".to_owned(), headings, rows }))
}

/// A number of an axis as figures show it.
fn as_coordinate(value: Value) -> Value {
    match value {
        Value::Number(number, _) => Value::coordinate(&Key::Number(number)),
        other => other,
    }
}

/// Standard errors after the column of the margins that they belong to, without those that are rounding.
fn without_rounding(columns: &[Vec<Value>], errors: Vec<Value>) -> Vec<Value> {
    let Some(margins) = columns.last() else { return errors };
    let both = errors.into_iter().zip(margins);
    both.map(|(error, margin)| match (&error, margin) {
        (Value::Number(value, _), Value::Number(mean, _)) => {
            Value::number(Some(settled_error(*value, *mean)))
        }
        _ => error,
    })
    .collect()
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}

fn origin(source: &Source) -> Origin {
    let planned = source.planned_rows();
    let rows = if u128::from(source.rows) == planned {
        count(planned)
    } else {
        format!("{} of {}", count(source.rows.into()), count(planned))
    };
    let mut facts = vec![
        ("job", source.job.job.name.clone()),
        ("job hash", source.job_hash.clone()),
        ("seed", source.job.job.seed.to_string()),
        ("rows", rows),
        ("parts", format!("{}, {} bytes", source.parts.len(), count(source.bytes.into()))),
    ];
    if !source.provenance.streams.is_empty() {
        facts.push(("random streams", source.provenance.streams.clone()));
    }
    let headings = ["program", "started (UTC)", "host", "instruction sets", "threads", "rows", "seconds"];
    let rows = source.provenance.runs.iter().map(|run| {
        vec![
            Value::Text(run.program.clone()),
            Value::Text(moment(run.started)),
            Value::Text(run.host.clone()),
            Value::Text(run.instruction_set.clone()),
            Value::Number(run.threads as f64, run.threads.to_string()),
            Value::Number(run.rows as f64, count(run.rows.into())),
            Value::Number(run.seconds, digits(run.seconds, 3)),
        ]
    });
    Origin {
        name: source.name.clone(),
        facts,
        runs: Table {
            caption: format!("Runs that added rows to {}", source.name),
            headings: headings.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        },
        job: source.job_text.clone(),
    }
}

/// A time in seconds since 1970 as a date.
fn moment(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "–".to_owned(), |time| time.format("%Y-%m-%d %H:%M").to_string())
}
