//! A report: one HTML page that needs nothing else: what was found in a sentence, the figures, who
//! wins, the verdicts, and where the rows come from.
//!
//! The template, its style and its script are in `templates/`; everything is inlined, nothing is
//! fetched. The same data sets give the same bytes. Figures are drawn as the files are, and their
//! colours then are names, which a dark page gives other values.

mod best;
mod critical;
pub mod diagnosis;
mod table;
mod verdicts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use askama::Template;

use crate::cells::Cells;
use crate::data::{Lines, first_metric};
use crate::kinds::KINDS;
use crate::theme::{Rgb, on_dark};
use crate::{FigureError, FigureSpec, Source, called, draw, finding, one_kind};
use eigensweep_inputs::whole_file;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::Manifest;
use eigensweep_store::format::{count, digits};
use table::{Table, Value};

const CSS: &str = include_str!("../../templates/report.css");
const JS: &str = include_str!("../../templates/report.js");

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    version: &'static str,
    css: &'static str,
    js: &'static str,
    /// Values of the figures' colours on a dark page, as CSS.
    dark: String,
    title: String,
    lead: String,
    finding: Option<String>,
    figures: Vec<Figure>,
    figure_notes: Vec<String>,
    sections: Vec<Section>,
    /// The command that gives the rows again.
    command: &'static str,
    sources: Vec<Origin>,
    cite: String,
}

/// A table with what it says.
struct Section {
    id: &'static str,
    title: &'static str,
    /// HTML.
    intro: String,
    table: Table,
    notes: Vec<String>,
}

struct Figure {
    name: &'static str,
    caption: &'static str,
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
pub fn html(sources: &[Source]) -> Result<String, FigureError> {
    one_kind(sources)?;
    let boundaries = sources.iter().all(Source::has_boundaries);
    let (found, sections) = if boundaries { traced(sources)? } else { compared(sources)? };
    let (mut figures, figure_notes) = figures(sources, boundaries);
    let rows: u64 = sources.iter().map(|source| source.dataset.rows_done()).sum();
    let hashes: Vec<String> =
        sources.iter().map(|source| format!("job {}", short(&source.dataset.identity().hash))).collect();
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        css: CSS,
        js: JS,
        dark: name_colors(&mut figures),
        title: called(sources).join(", "),
        lead: lead(sources, rows),
        // A number and its unit stay together.
        finding: found.map(|found| found.replace(" %", "\u{a0}%")),
        figures,
        figure_notes,
        sections,
        command: if boundaries { "boundary" } else { "run" },
        sources: sources.iter().map(origin).collect(),
        cite: hashes.join(", "),
    };
    page.render().map_err(|error| FigureError::Figure { reason: format!("the page cannot be made: {error}") })
}

/// What critical alignments say, and their table.
fn traced(sources: &[Source]) -> Result<(Option<String>, Vec<Section>), FigureError> {
    let cells = Cells::read(sources, None)?;
    Ok((finding::traced(&cells), vec![critical::section(&cells)]))
}

/// What rows of replicates say, who wins, and the verdicts.
fn compared(sources: &[Source]) -> Result<(Option<String>, Vec<Section>), FigureError> {
    let metric = first_metric(sources);
    let mut lines = Lines::read(sources, None, Some(metric))?;
    let (verdicts, verdict_notes) = verdicts::table(&lines, metric)?;
    lines.keep_largest();
    let samples = sources.iter().flat_map(|source| source.job().grid.samples.values());
    let largest = count(samples.max().copied().unwrap_or(0).unsigned_abs().into());
    let metric_title = metric.title;
    let best = best::table(&lines, metric)?.map(|(table, notes)| Section {
        id: "best",
        title: "Who wins, and by how much",
        intro: format!(
            "Which paradigm is best by {metric_title} at n = {largest}, and by how much: the margin over the runner-up with its \
             standard error, paired over the replicates that both have. Nobody wins where theory says that none recovers the \
             clean model. The last column names the lower of the thresholds α* (medians over replicates), and the ratio of the \
             other one to it; Corollary 4.5's condition suffices for it and is not needed (<code>eigensweep theory</code> tells \
             where it holds)."
        ),
        table,
        notes,
    });
    let verdicts = Section {
        id: "verdicts",
        title: "Verdicts",
        intro: format!(
            "What theory says as n → ∞, where a paradigm recovers the clean model once α exceeds its threshold α* (median over \
             replicates, and 5 % to 95 % where their spectra differ); and {metric_title} at the smallest and the largest sample \
             (mean ± standard error over replicates)."
        ),
        table: verdicts,
        notes: verdict_notes,
    };
    Ok((finding::of(&lines, metric)?, best.into_iter().chain([verdicts]).collect()))
}

/// Writes the page to a file; it appears whole or not at all.
///
/// # Errors
///
/// As [`html`], or [`FigureError::Store`] where the file cannot be written.
pub fn write(sources: &[Source], path: &Path) -> Result<(), FigureError> {
    let page = html(sources)?;
    let written = whole_file::write(path, |file| file.write_all(page.as_bytes()));
    Ok(written.map_err(StoreError::from)?)
}

/// What was run, in a sentence.
fn lead(sources: &[Source], rows: u64) -> String {
    let mut parts = vec![format!("{} rows", count(rows.into()))];
    if let [source] = sources {
        // Those of critical alignments differ from cell to cell.
        if !source.has_boundaries() {
            parts.push(format!("{} replicates", count(source.job().job.replicates.into())));
        }
        for axis in source.job().axes() {
            if axis.values.count() > 1 {
                parts.push(format!("{} values of {}", axis.values.count(), axis.name.replace('_', " ")));
            }
        }
        let paradigms = source.job().model.paradigms.len();
        parts.push(format!("{paradigms} paradigm{}", if paradigms == 1 { "" } else { "s" }));
    } else {
        parts.push(format!("{} data sets", sources.len()));
    }
    parts.join(" · ")
}

/// Every figure that the rows can give, and why others are missing.
fn figures(sources: &[Source], boundaries: bool) -> (Vec<Figure>, Vec<String>) {
    let most = |name: &str| {
        let counts = sources.iter().flat_map(|source| source.job().axes()).filter(|axis| axis.name == name);
        counts.map(|axis| axis.values.count()).max().unwrap_or(0)
    };
    let (mut figures, mut notes) = (Vec::new(), Vec::new());
    for kind in KINDS.into_iter().filter(|kind| kind.shows.includes(boundaries)) {
        let name = kind.title.to_lowercase();
        // Critical alignments are no axis.
        let mut needs = kind.needs.iter().filter(|_| !boundaries);
        if let Some((axis, least)) = needs.find(|(axis, least)| most(axis) < *least) {
            notes.push(format!("No {name}: it needs {least} values of {axis} or more."));
            continue;
        }
        let spec = FigureSpec { title: Some(String::new()), ..FigureSpec::new(kind) };
        match draw(sources, &spec) {
            Ok(drawing) => {
                figures.push(Figure { name: kind.title, caption: kind.caption, svg: drawing.svg_in_page() })
            }
            Err(error) => notes.push(format!("No {name}: {error}.")),
        }
    }
    (figures, notes)
}

/// Gives colours names within the figures, and returns what these are on a dark page: the text of
/// CSS declarations. A rectangle is an area; everything else is a line or a point.
fn name_colors(figures: &mut [Figure]) -> String {
    let mut twins: BTreeMap<String, Rgb> = BTreeMap::new();
    for figure in figures {
        let mut named = String::with_capacity(2 * figure.svg.len());
        for line in figure.svg.split_inclusive('\n') {
            let area = line.trim_start().starts_with("<rect");
            let mut pieces = line.split("=\"#");
            named.extend(pieces.next());
            for piece in pieces {
                let twin = piece.get(..6).and_then(|hex| Some((hex, on_dark(rgb(hex)?, area)?)));
                let _ = match twin {
                    Some((hex, twin)) => {
                        twins.insert(hex.to_owned(), twin);
                        write!(named, "=\"var(--c{hex},#{hex}){}", &piece[6..])
                    }
                    None => write!(named, "=\"#{piece}"),
                };
            }
        }
        figure.svg = named;
    }
    let declared =
        |(hex, (red, green, blue)): (&String, &Rgb)| format!("--c{hex}: #{red:02x}{green:02x}{blue:02x};");
    twins.iter().map(declared).collect::<Vec<_>>().join(" ")
}

/// A colour from its six digits.
fn rgb(hex: &str) -> Option<Rgb> {
    let [_, red, green, blue] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
    Some((red, green, blue))
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}

fn origin(source: &Source) -> Origin {
    let (dataset, job) = (&source.dataset, source.job());
    let rows = match source.unfinished() {
        None => count(dataset.rows_done().into()),
        Some((done, all)) => format!("{} of {}", count(done.into()), count(all.into())),
    };
    let parts = || dataset.records().filter(|record| !record.file.is_empty());
    let bytes: u64 = parts().map(|record| record.bytes).sum();
    let mut facts = vec![
        ("job", job.job.name.clone()),
        ("job hash", dataset.identity().hash.clone()),
        ("seed", job.job.seed.to_string()),
        ("rows", rows),
        ("parts", format!("{}, {} bytes", parts().count(), count(bytes.into()))),
    ];
    // The manifest loses nothing but the history of runs: it may be missing or garbled.
    let manifest = Manifest::read(dataset.root());
    facts.extend(manifest.as_ref().map(|manifest| ("random streams", manifest.streams.clone())));
    let headings = ["program", "started (UTC)", "host", "instruction sets", "threads", "rows", "seconds"];
    let rows = manifest.iter().flat_map(|manifest| &manifest.runs).map(|run| {
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
        job: dataset.identity().job.clone(),
    }
}

/// A time in seconds since 1970 as a date.
fn moment(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "–".to_owned(), |time| time.format("%Y-%m-%d %H:%M").to_string())
}
