//! `theory`: thresholds and the corollary's verdict, without simulating.

use std::fs;
use std::path::Path;

use eigensweep_engine::input::Input;
use eigensweep_engine::theory::{Quantiles, Spread, TheorySpread, over_replicates, table as one_draw};
use eigensweep_theory::paradigms;
use eigensweep_theory::thresholds::{Preference, Spectra, alignment, thresholds};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::table;
use crate::args::Theory;
use crate::exit::Exit;
use crate::job;
use crate::report::CommandError;

/// Most rows of a table.
const SHOWN: usize = 30;

/// What stands where there is no value.
const NONE: &str = "–";

/// `--spectra FILE.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpectraFile {
    signal: Vec<f64>,
    theta_signal: Vec<f64>,
    gamma: Vec<f64>,
    theta_noise: Vec<f64>,
    /// k; k₀ if it is left out.
    dimension: Option<usize>,
}

/// What the spectra are of.
enum Source {
    /// A file, or one replicate: numbers are what they are.
    One(String),
    /// So many replicates of a job: numbers are medians, with quantiles.
    Replicates { drawn: u64, note: String },
}

pub(crate) fn call(arguments: &Theory) -> Result<Exit, CommandError> {
    let (rows, source) = match (&arguments.spectra, &arguments.job) {
        (Some(path), _) => (vec![of_file(path)?], Source::One(String::new())),
        (None, Some(path)) => of_job(path, arguments)?,
        (None, None) => (Vec::new(), Source::One(String::new())),
    };
    if arguments.json {
        let objects: Vec<Value> = rows.iter().map(|row| object(row, &source)).collect();
        table::print(&serde_json::to_string_pretty(&objects).unwrap_or_default());
    } else {
        print_tables(&rows, &source);
    }
    Ok(Exit::Success)
}

fn of_job(path: &Path, arguments: &Theory) -> Result<(Vec<TheorySpread>, Source), CommandError> {
    let job = job::read(path, &arguments.set)?;
    let replicates = job.spec.job.replicates;
    if let Some(found) = arguments.replicate.filter(|&replicate| replicate >= replicates) {
        return Err(CommandError::Replicate { found, replicates });
    }
    let input = Input::load(&job)?;
    if let Some(replicate) = arguments.replicate {
        let rows = one_draw(&job.spec, &input, u64::from(replicate)).into_iter();
        let rows = rows.map(|row| {
            let thresholds = row.thresholds.map(|draw| Spread::of(&[draw]));
            TheorySpread { axes: row.axes, thresholds }
        });
        return Ok((rows.collect(), Source::One(format!("spectra of replicate {replicate}"))));
    }
    let (rows, drawn) = over_replicates(&job.spec, &input);
    let all = job.spec.job.adaptive.map_or(replicates, |adaptive| adaptive.min);
    let note = match (drawn, job.spec.job.adaptive) {
        (1, _) if all == 1 => "spectra of the only replicate".to_owned(),
        (1, _) => "spectra are the same in every replicate".to_owned(),
        (drawn, _) if drawn < u64::from(all) => {
            format!(
                "medians (5 % to 95 %) over the first {drawn} of {all} replicates, whose spectra are drawn"
            )
        }
        (drawn, Some(adaptive)) => format!(
            "medians (5 % to 95 %) over the {drawn} replicates that every combination has, of at most {}, whose spectra are \
             drawn",
            adaptive.max
        ),
        (drawn, None) => {
            format!("medians (5 % to 95 %) over the {drawn} replicates, whose spectra are drawn")
        }
    };
    Ok((rows, Source::Replicates { drawn, note }))
}

fn of_file(path: &Path) -> Result<TheorySpread, CommandError> {
    let text = fs::read_to_string(path).map_err(CommandError::io("read", path))?;
    let file: SpectraFile = serde_json::from_str(&text)
        .map_err(|error| CommandError::SpectraFile { path: path.to_path_buf(), reason: error.to_string() })?;
    let SpectraFile { signal, theta_signal, gamma, theta_noise, dimension } = &file;
    let dimension = dimension.unwrap_or(signal.len());
    let found = thresholds(&Spectra { signal, theta_signal, gamma, theta_noise }, dimension)
        .map_err(|source| CommandError::Spectra { path: path.to_path_buf(), source })?;
    Ok(TheorySpread { axes: vec![("dimension", dimension as f64)], thresholds: Ok(Spread::of(&[found])) })
}

/// Why no alignment recovers.
fn never(row: &TheorySpread) -> Option<String> {
    row.thresholds.as_ref().ok().filter(|found| found.never)?;
    let k = row.axes.last().map_or(f64::NAN, |(_, k)| *k);
    Some(format!("k = {k} is more than there are important components: a noise component is always kept"))
}

/// A row as JSON. What is infinite is null: thresholds where `never` says why, a factor where the
/// lower threshold is 0.
fn object(row: &TheorySpread, source: &Source) -> Value {
    let mut object: Map<String, Value> =
        row.axes.iter().map(|&(name, value)| (name.to_owned(), number(value))).collect();
    let found = row.thresholds.as_ref().ok();
    let mut add = |key: &str, values: Option<Quantiles>| {
        let mut insert = |key: String, of: fn(&Quantiles) -> f64| {
            let value = values.as_ref().map(of).filter(|value| value.is_finite());
            object.insert(key, value.map_or(Value::Null, |value| json!(value)));
        };
        insert(key.to_owned(), |values| values.median);
        if matches!(source, Source::Replicates { .. }) {
            insert(format!("{key}_q05"), |values| values.q05);
            insert(format!("{key}_q95"), |values| values.q95);
        }
    };
    let has = found.filter(|found| !found.never);
    add("delta", has.map(|found| found.delta));
    add("eta", has.map(|found| found.eta));
    add("crossover", found.map(|found| found.crossover));
    for paradigm in paradigms::ALL {
        let Some(limit) = &paradigm.threshold else { continue };
        let squared = found.and_then(|found| found.limits.iter().find(|(other, _)| *other == paradigm));
        let squared = squared.map(|(_, squared)| *squared);
        add(limit.key, squared.map(|squared| squared.map(alignment)));
        add(&format!("{}_squared", limit.key), squared);
    }
    add("factor", found.and_then(|found| found.lower).map(|(_, factor)| factor));
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let lower = found.and_then(|found| found.lower).map(|(paradigm, _)| paradigm.name.to_owned());
    object.insert("lower_threshold".to_owned(), text(lower));
    object.insert("corollary_4_5".to_owned(), text(has.map(|found| found.preference().name().to_owned())));
    object.insert("corollary_4_5_reason".to_owned(), text(has.map(reason)));
    if let Source::Replicates { drawn, .. } = source {
        object.insert("replicates".to_owned(), json!(drawn));
    }
    if let Some(reason) = never(row) {
        object.insert("never".to_owned(), reason.into());
    }
    if let Err(reason) = &row.thresholds {
        object.insert("undefined".to_owned(), reason.to_string().into());
    }
    Value::Object(object)
}

/// Whole numbers without a fraction: counts are integers in JSON, too.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

/// The corollary's verdict with the condition that holds; where draws differ, all with the shares of
/// the draws that they are of.
fn reason(found: &Spread) -> String {
    let word = |verdict: Preference| match verdict {
        Preference::Undetermined => "silent",
        Preference::Reconstruction | Preference::JointEmbedding => verdict.name(),
    };
    match found.preferences.as_slice() {
        [(only, _)] => format!("{}: {}", word(*only), only.condition()),
        several => {
            let mut several = several.to_vec();
            several.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            let shares =
                several.iter().map(|(verdict, share)| format!("{} {:.0} %", word(*verdict), 100.0 * share));
            shares.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Two tables: what is to be done, and what it comes from. Axes of one value are said once.
fn print_tables(rows: &[TheorySpread], source: &Source) {
    let Some(first) = rows.first() else { return };
    let differs = |at: usize| rows.iter().any(|row| row.axes[at].1.to_bits() != first.axes[at].1.to_bits());
    let (varying, constant): (Vec<usize>, Vec<usize>) = (0..first.axes.len()).partition(|&at| differs(at));
    let named = |&at: &usize| format!("{} = {}", first.axes[at].0, table::coordinate(first.axes[at].1));
    if !constant.is_empty() {
        table::print(&constant.iter().map(named).collect::<Vec<_>>().join(", "));
    }
    let limits: Vec<_> =
        paradigms::ALL.into_iter().filter_map(|paradigm| paradigm.threshold.as_ref()).collect();
    let several = matches!(source, Source::Replicates { drawn: 2.., .. });
    let cell = |values: Quantiles| match several && values.q05.to_bits() != values.q95.to_bits() {
        true => format!(
            "{} ({} to {})",
            table::number(values.median),
            table::number(values.q05),
            table::number(values.q95)
        ),
        false => table::number(values.median),
    };
    let titles = |titles: Vec<String>| {
        let axes = varying.iter().map(|&at| first.axes[at].0.to_owned());
        table::new(&axes.chain(titles).collect::<Vec<_>>(), 0)
    };
    let add = |table: &mut comfy_table::Table,
               row: &TheorySpread,
               columns: usize,
               of: &dyn Fn(&Spread) -> Vec<String>| {
        let axes = varying.iter().map(|&at| table::coordinate(row.axes[at].1));
        let mut cells: Vec<String> = axes.collect();
        match &row.thresholds {
            Ok(found) => cells.extend(of(found)),
            Err(reason) => {
                cells.extend(vec![NONE.to_owned(); columns - 1]);
                cells.push(reason.to_string());
            }
        }
        table.add_row(cells);
    };
    let mut headings: Vec<String> = limits.iter().map(|limit| format!("{}*", limit.symbol)).collect();
    headings.extend(["lower threshold", "by a factor of", "Corollary 4.5"].map(str::to_owned));
    let columns = headings.len();
    let mut summary = titles(headings);
    for row in rows.iter().take(SHOWN) {
        add(&mut summary, row, columns, &|found| {
            let mut cells: Vec<String> =
                found.limits.iter().map(|(_, squared)| cell(squared.map(alignment))).collect();
            cells.extend(match (never(row), found.lower) {
                (Some(_), _) => [NONE.to_owned(), NONE.to_owned(), "silent: k > k₀".to_owned()],
                (None, Some((paradigm, factor))) => [paradigm.name.to_owned(), cell(factor), reason(found)],
                (None, None) => [same(found).to_owned(), NONE.to_owned(), reason(found)],
            });
            cells
        });
    }
    table::print(&summary.to_string());
    let mut headings = vec!["δ".to_owned(), "η".to_owned(), "η²/δ".to_owned()];
    headings.extend(limits.iter().map(|limit| format!("{}²", limit.symbol)));
    let columns = headings.len();
    let mut details = titles(headings);
    for row in rows.iter().take(SHOWN) {
        add(&mut details, row, columns, &|found| {
            let scalars = [found.delta, found.eta, found.crossover];
            let mut cells = match found.never {
                true => vec![NONE.to_owned(); scalars.len()],
                false => scalars.map(cell).to_vec(),
            };
            cells.extend(found.limits.iter().map(|(_, squared)| cell(*squared)));
            cells
        });
    }
    table::print(&details.to_string());
    if rows.len() > SHOWN {
        table::print(&format!("{SHOWN} of {} rows; --json has them all", rows.len()));
    }
    for note in [source.note(), "α above its threshold α* = √max(0, α²) recovers the clean model as n → ∞"]
    {
        if !note.is_empty() {
            table::print(note);
        }
    }
    if rows.iter().any(|row| never(row).is_some()) {
        table::print(
            "∞: k is above the number k₀ of important components: a noise component is kept whatever α is, and no α recovers by \
             leakage (distance may fall all the same)",
        );
    }
}

impl Source {
    fn note(&self) -> &str {
        match self {
            Self::One(note) | Self::Replicates { note, .. } => note,
        }
    }
}

/// Why no threshold is the lower one.
fn same(found: &Spread) -> &'static str {
    let mut medians = found.limits.iter().map(|(_, squared)| squared.median);
    if medians.all(|squared| squared <= 0.0) { "none is needed" } else { "depends on the draw" }
}
