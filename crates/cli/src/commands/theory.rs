//! `theory`: thresholds and the corollary's verdict, without simulating.

use std::fs;
use std::path::Path;

use eigensweep_engine::theory::{Gradual, Method, Quantiles, Spread, TheorySpread};
use eigensweep_engine::thresholds::{Draws, ThresholdTable};
use eigensweep_store::summary::{Slice, TABLE_ROWS};
use eigensweep_theory::thresholds::{Spectra, alignment};
use eigensweep_theory::{Paradigm, paradigms};
use serde::Deserialize;

use super::{ABOVE_COMPONENTS, table};
use crate::args::Theory;
use crate::exit::Exit;
use crate::job;
use crate::progress::Progress;
use crate::report::CommandError;

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

/// Thresholds, and in words what they are of.
struct Table {
    found: ThresholdTable,
    note: String,
}

pub(crate) fn call(arguments: &Theory, quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    let table = match (&arguments.spectra, &arguments.job) {
        (Some(path), _) => of_file(path)?,
        (None, Some(path)) => of_job(path, arguments, Progress::of("limit", quiet, verbose))?,
        (None, None) => return Ok(Exit::Success),
    };
    if arguments.json {
        table::print(&serde_json::to_string_pretty(&table.found.json()).unwrap_or_default());
    } else {
        print_tables(&table, table::terminal_width().map(usize::from));
    }
    Ok(Exit::Success)
}

fn of_job(path: &Path, arguments: &Theory, mut progress: Progress) -> Result<Table, CommandError> {
    let job = job::read(path, &arguments.set)?;
    let replicates = job.spec.job.replicates;
    if let Some(found) = arguments.replicate.filter(|&replicate| replicate >= replicates) {
        return Err(CommandError::Replicate { found, replicates });
    }
    let mut told = |done: usize, of: usize| progress.reached(done as u64, of as u64);
    let found = ThresholdTable::of_job_told(&job, arguments.replicate, &mut told);
    progress.finish();
    let found = found?;
    let all = job.spec.job.adaptive.map_or(replicates, |adaptive| adaptive.min);
    if job.spec.stages().is_some() {
        return Ok(Table { found, note: String::new() });
    }
    let note = match (&found.draws, job.spec.job.adaptive) {
        (Draws::One, _) => {
            format!("spectra of replicate {}", arguments.replicate.unwrap_or(job.spec.job.first_replicate))
        }
        (Draws::Replicates(1), _) if all == 1 => "spectra of the only replicate".to_owned(),
        (Draws::Replicates(1), _) => "spectra are the same in every replicate".to_owned(),
        (Draws::Replicates(drawn), _) if *drawn < u64::from(all) => {
            format!(
                "medians (5 % to 95 %) over the first {drawn} of {all} replicates, whose spectra are drawn"
            )
        }
        (Draws::Replicates(drawn), Some(adaptive)) => format!(
            "medians (5 % to 95 %) over the {drawn} replicates that every combination has, of at most {}, whose spectra are \
             drawn",
            adaptive.max
        ),
        (Draws::Replicates(drawn), None) => {
            format!("medians (5 % to 95 %) over the {drawn} replicates, whose spectra are drawn")
        }
    };
    Ok(Table { found, note })
}

fn of_file(path: &Path) -> Result<Table, CommandError> {
    let text = fs::read_to_string(path).map_err(CommandError::io("read", path))?;
    let file: SpectraFile = serde_json::from_str(&text)
        .map_err(|error| CommandError::SpectraFile { path: path.to_path_buf(), reason: error.to_string() })?;
    let SpectraFile { signal, theta_signal, gamma, theta_noise, dimension } = &file;
    let spectra = Spectra { signal, theta_signal, gamma, theta_noise };
    let found = ThresholdTable::of_spectra(&spectra, dimension.unwrap_or(signal.len()))
        .map_err(|source| CommandError::Spectra { path: path.to_path_buf(), source })?;
    Ok(Table { found, note: String::new() })
}

/// What a table shows of Corollary 4.5.
#[derive(Clone, Copy)]
enum Corollary {
    /// The verdict, and the condition that holds or the shares of the draws.
    Reason,
    Verdict,
    Nothing,
}

/// How much of the tables fits.
#[derive(Clone, Copy)]
struct Form {
    /// Quantiles beside the medians.
    ranges: bool,
    /// What of the corollary.
    corollary: Corollary,
    /// Headings in one line, and columns apart.
    wide: bool,
}

const WIDEST: Form = Form { ranges: true, corollary: Corollary::Reason, wide: true };
const NARROWER: [Form; 4] = [
    Form { ranges: false, ..WIDEST },
    Form { ranges: false, corollary: Corollary::Verdict, wide: true },
    Form { ranges: false, corollary: Corollary::Verdict, wide: false },
    Form { ranges: false, corollary: Corollary::Nothing, wide: false },
];

/// Two tables as wide as the terminal: what is to be done, and what it comes from. Of many rows
/// those at some values of each axis; axes of one value are said once.
fn print_tables(Table { found, note }: &Table, width: Option<usize>) {
    let Some(first) = found.rows.first() else { return };
    let names: Vec<&str> = first.axes.iter().map(|(name, _)| *name).collect();
    let values = |at: usize| found.rows.iter().map(|row| row.axes[at].1).collect::<Vec<f64>>();
    let slice = Slice::new(names.iter().enumerate().map(|(at, name)| (*name, values(at))), TABLE_ROWS);
    let mut rows: Vec<&TheorySpread> = found.rows.iter().collect();
    rows.retain(|row| row.axes.iter().all(|&(name, value)| slice.holds(name, value)));
    let varies = |rows: &[&TheorySpread], at: usize| {
        rows.iter().any(|row| row.axes[at].1.to_bits() != rows[0].axes[at].1.to_bits())
    };
    let all: Vec<&TheorySpread> = found.rows.iter().collect();
    let constant = (0..names.len()).filter(|&at| !varies(&all, at));
    let named = |at: usize| format!("{} = {}", names[at], table::coordinate(first.axes[at].1));
    let constant: Vec<String> = constant.map(named).collect();
    if !constant.is_empty() {
        table::print(&constant.join(", "));
    }
    let varying: Vec<usize> = (0..names.len()).filter(|&at| varies(&rows, at)).collect();
    let mut narrowed = false;
    for of in [summary, details] {
        let text = |form| table_of(found, &rows, &varying, form, of);
        let (text, form) = table::fitting(WIDEST, &NARROWER, width, text);
        table::print(&text);
        narrowed |= !form.ranges;
    }
    if narrowed {
        table::print(
            "a wider terminal shows more: 5 % to 95 %, Corollary 4.5 and its condition; --json has all",
        );
    }
    let words = slice.words();
    if !words.is_empty() {
        let (shown, all) = (rows.len(), found.rows.len());
        table::print(&format!("{shown} of {all} rows, those with {}; --json has them all", words.join(", ")));
    }
    let is_limit = found.method() == Some(Method::PopulationLimit);
    let method = found.method().filter(|method| *method != Method::Propositions).map(Method::words);
    let recovers = "α above its threshold α* = √max(0, α²) recovers the clean model as n → ∞";
    let recovers = if is_limit { "" } else { recovers };
    for note in [note.as_str(), method.unwrap_or_default(), recovers] {
        if !note.is_empty() {
            table::print(note);
        }
    }
    if is_limit {
        let tolerances =
            rows.iter().filter_map(|row| Some(row.thresholds.as_ref().ok()?.gradual.as_ref()?.tolerance));
        let mut tolerances: Vec<String> = tolerances.map(table::number).collect();
        tolerances.sort_by(|one, other| other.cmp(one));
        tolerances.dedup();
        table::print(&format!("tolerance: {}", tolerances.join(", ")));
        table::print(
            "width: of the transition in log α, from three quarters of a component in excess to one quarter",
        );
        if rows.iter().any(|row| is_out_of_reach(row)) {
            table::print(
                "∞: no α is enough, up to 10⁴ times that at which views are as strong in the noise as in all",
            );
        }
    }
    if rows.iter().any(|row| row.thresholds.as_ref().is_ok_and(|found| found.lower.is_some())) {
        table::print("by a factor of: the ratio of the two thresholds α* shown");
    }
    super::say_relative(&found.relative, is_limit);
    if found.is_noise_relative() {
        table::print("η²/δ is in the squared units of the inputs; η²/δ/λ₁ is on the axis noise_scale");
    }
    if rows.iter().any(|row| row.never().is_some()) {
        table::print(&format!("∞: {ABOVE_COMPONENTS}"));
    }
}

/// Headings with the cells of a row, of which there are none for the headings alone.
type Columns = Vec<(String, Option<String>)>;

/// A table of rows: the axes that vary, then the columns of each.
fn table_of(
    found: &ThresholdTable,
    rows: &[&TheorySpread],
    varying: &[usize],
    form: Form,
    of: fn(&ThresholdTable, Option<(&TheorySpread, &Spread)>, Form) -> Columns,
) -> String {
    let headings: Vec<String> = of(found, None, form).into_iter().map(|(heading, _)| heading).collect();
    let axes = varying.iter().filter_map(|&at| Some(rows.first()?.axes[at].0));
    let axes = axes.map(|name| if form.wide { name.to_owned() } else { name.replace('_', "_\n") });
    let mut table = table::new(&axes.chain(headings.iter().cloned()).collect::<Vec<_>>(), 0);
    if !form.wide {
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 1));
        });
    }
    for row in rows {
        let mut cells: Vec<String> = varying.iter().map(|&at| table::coordinate(row.axes[at].1)).collect();
        match &row.thresholds {
            Ok(spread) => {
                let columns = of(found, Some((row, spread)), form);
                cells.extend(columns.into_iter().map(|(_, cell)| cell.unwrap_or_else(|| NONE.to_owned())));
            }
            Err(reason) => {
                cells.extend(vec![NONE.to_owned(); headings.len() - 1]);
                cells.push(reason.to_string());
            }
        }
        table.add_row(cells);
    }
    table.to_string()
}

/// The thresholds on α, which is the lower one, and the corollary.
fn summary(found: &ThresholdTable, row: Option<(&TheorySpread, &Spread)>, form: Form) -> Columns {
    let space = if form.wide { " " } else { "\n" };
    let mut columns: Columns = limits()
        .map(|(paradigm, symbol)| {
            let squared =
                row.and_then(|(_, spread)| spread.limits.iter().find(|(other, _)| *other == paradigm));
            (format!("{symbol}*"), squared.map(|(_, squared)| cell(found, squared.map(alignment), form)))
        })
        .collect();
    let is_never = row.is_some_and(|(row, _)| row.never().is_some());
    let known = row.map(|(_, spread)| spread).filter(|_| !is_never);
    columns.push((
        format!("lower{space}threshold"),
        known.map(|spread| spread.lower.map_or_else(|| same(spread), |lower| lower.paradigm.name).to_owned()),
    ));
    columns.push((
        format!("by a{space}factor of"),
        known.and_then(|spread| spread.lower).map(|lower| table::number(lower.factor)),
    ));
    if found.method() == Some(Method::PopulationLimit) {
        return columns;
    }
    let verdict = |spread: &Spread| spread.preference().name().to_owned();
    let corollary = row.map(|(_, spread)| match form.corollary {
        Corollary::Reason if is_never => format!("{}: k > k₀", verdict(spread)),
        Corollary::Reason => spread.reason(),
        Corollary::Verdict | Corollary::Nothing => verdict(spread),
    });
    match form.corollary {
        Corollary::Reason | Corollary::Verdict => columns.push((format!("Corollary{space}4.5"), corollary)),
        Corollary::Nothing => {}
    }
    columns
}

/// What the thresholds come from.
fn details(found: &ThresholdTable, row: Option<(&TheorySpread, &Spread)>, form: Form) -> Columns {
    if found.method() == Some(Method::PopulationLimit) {
        return limit_details(row.map(|(_, spread)| spread));
    }
    let is_never = row.is_some_and(|(row, _)| row.never().is_some());
    let known = row.map(|(_, spread)| spread).filter(|_| !is_never);
    let column = |heading: &str, of: fn(&Spread) -> Quantiles| {
        (heading.to_owned(), known.map(|spread| cell(found, of(spread), form)))
    };
    let mut columns = vec![
        column("δ", |spread| spread.delta),
        column("η", |spread| spread.eta),
        column("η²/δ", |spread| spread.crossover),
    ];
    if found.is_noise_relative() {
        columns.push(column("η²/δ/λ₁", |spread| spread.relative_crossover));
    }
    columns.extend(limits().map(|(paradigm, symbol)| {
        let squared = row.and_then(|(_, spread)| spread.limits.iter().find(|(other, _)| *other == paradigm));
        (format!("{symbol}²"), squared.map(|(_, squared)| cell(found, *squared, form)))
    }));
    columns
}

/// What a population limit is beside its alignments.
fn limit_details(row: Option<&Spread>) -> Columns {
    let more = row.and_then(|spread| spread.gradual.as_ref());
    let mut columns = Columns::new();
    for (paradigm, symbol) in limits() {
        let verdict = row.and_then(|spread| spread.verdict(paradigm)).map(str::to_owned);
        let width = |more: &Gradual| {
            more.widths.iter().find(|(other, _)| *other == paradigm).map(|(_, width)| *width)
        };
        let width = more.and_then(width).filter(|width| !width.is_nan());
        columns.push((format!("{symbol} recovers"), verdict));
        columns.push(("width".to_owned(), width.map(table::number)));
    }
    columns.push(("least leakage".to_owned(), more.map(|more| table::number(more.least))));
    columns
}

/// Whether no α is enough for a paradigm.
fn is_out_of_reach(row: &TheorySpread) -> bool {
    let spread = row.thresholds.as_ref().ok();
    spread.is_some_and(|spread| limits().any(|(paradigm, _)| spread.verdict(paradigm) == Some("never")))
}

/// The paradigms that have a threshold, and its symbol.
fn limits() -> impl Iterator<Item = (&'static Paradigm, &'static str)> {
    paradigms::ALL.into_iter().filter_map(|paradigm| Some((paradigm, paradigm.threshold.as_ref()?.symbol)))
}

/// A median, with its range where draws differ and there is room.
fn cell(found: &ThresholdTable, values: Quantiles, form: Form) -> String {
    let several = matches!(found.draws, Draws::Replicates(2..));
    let [low, median, high] = [values.q05, values.median, values.q95].map(table::number);
    match several && form.ranges && values.q05.to_bits() != values.q95.to_bits() {
        true => format!("{median} ({low} to {high})"),
        false => median,
    }
}

/// Why no threshold is the lower one.
fn same(found: &Spread) -> &'static str {
    let mut medians = found.limits.iter().map(|(_, squared)| squared.median);
    if medians.all(|squared| squared <= 0.0) { "none is needed" } else { "they are equal" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = r#"
    [job]
    replicates = 5
    [data]
    components = 5
    [corruption]
    components = 5
    scale = { relative = [0.01, 0.1, 10] }
    [augmentation]
    scale = [1, 100]
    "#;

    #[test]
    fn tables_fit_the_terminal_and_leave_out_ranges_before_anything_else() {
        let job = eigensweep_job::parse("job.toml", JOB, &[], Path::new("")).unwrap();
        let found = ThresholdTable::of_job(&job, None).unwrap();
        let rows: Vec<&TheorySpread> = found.rows.iter().collect();
        let names: Vec<&str> = rows[0].axes.iter().map(|(name, _)| *name).collect();
        let varying: Vec<usize> = (0..names.len())
            .filter(|&at| names[at].ends_with("_scale") && names[at] != "signal_scale")
            .collect();
        let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        for of in [summary, details] {
            let text = |form| table_of(&found, &rows, &varying, form, of);
            let full = widest(&text(WIDEST));
            assert!(full > 150, "{full}");
            for width in [80, 100, 120, 140, full] {
                let (text, form) = table::fitting(WIDEST, &NARROWER, Some(width), text);
                assert!(widest(&text) <= width, "{width}:\n{text}");
                assert_eq!(form.ranges, width == full);
                assert_eq!(text.contains(" to "), width == full, "{text}");
            }
        }
        // A relative noise scale has its crossover beside it.
        assert!(table_of(&found, &rows, &varying, WIDEST, details).contains("η²/δ/λ₁"));
    }
}
