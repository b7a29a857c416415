//! `theory`: thresholds and the corollary's verdict, without simulating.

use std::fs;
use std::path::Path;

use eigensweep_engine::input::Input;
use eigensweep_engine::theory::{TheoryRow, table as theory_table};
use eigensweep_theory::thresholds::{Spectra, Thresholds, thresholds};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::table;
use crate::args::Theory;
use crate::exit::Exit;
use crate::job;
use crate::report::CommandError;

/// `--spectra FILE.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpectraFile {
    signal: Vec<f64>,
    theta_signal: Vec<f64>,
    gamma: Vec<f64>,
    theta_noise: Vec<f64>,
}

pub(crate) fn call(arguments: &Theory) -> Result<Exit, CommandError> {
    let rows = match (&arguments.spectra, &arguments.job) {
        (Some(path), _) => vec![TheoryRow { axes: Vec::new(), thresholds: Ok(of_file(path)?) }],
        (None, Some(path)) => {
            let job = job::read(path, &arguments.set)?;
            let replicates = job.spec.job.replicates;
            if arguments.replicate >= replicates {
                return Err(CommandError::Replicate { found: arguments.replicate, replicates });
            }
            let input = Input::load(&job)?;
            theory_table(&job.spec, &input, u64::from(arguments.replicate))
        }
        (None, None) => Vec::new(),
    };
    if arguments.json {
        print_json(&rows)
    } else {
        print_table(&rows, arguments)
    }
    Ok(Exit::Success)
}

fn of_file(path: &Path) -> Result<Thresholds, CommandError> {
    let text = fs::read_to_string(path).map_err(|source| CommandError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    })?;
    let file: SpectraFile = serde_json::from_str(&text)
        .map_err(|error| CommandError::SpectraFile { path: path.to_path_buf(), reason: error.to_string() })?;
    let SpectraFile { signal, theta_signal, gamma, theta_noise } = &file;
    thresholds(&Spectra { signal, theta_signal, gamma, theta_noise })
        .map_err(|source| CommandError::Spectra { path: path.to_path_buf(), source })
}

fn print_json(rows: &[TheoryRow]) {
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut object: Map<String, Value> =
                row.axes.iter().map(|&(name, value)| (name.to_owned(), number(value))).collect();
            let found = row.thresholds.as_ref().ok();
            let mut add = |key: &str, value: Option<f64>| {
                object.insert(key.to_owned(), value.map_or(Value::Null, |value| json!(value)));
            };
            add("delta", found.map(|t| t.delta));
            add("eta", found.map(|t| t.eta));
            add("alpha_rc_squared", found.map(|t| t.alpha_rc_squared));
            add("alpha_je_squared", found.map(|t| t.alpha_je_squared));
            add("crossover", found.map(|t| t.crossover));
            let verdict = found.map_or(Value::Null, |t| t.preference.name().into());
            object.insert("corollary_4_5".to_owned(), verdict);
            if let Err(reason) = &row.thresholds {
                object.insert("undefined".to_owned(), reason.to_string().into());
            }
            Value::Object(object)
        })
        .collect();
    table::print(&serde_json::to_string_pretty(&objects).unwrap_or_default());
}

/// Whole numbers without a fraction: counts are integers in JSON, too.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

fn print_table(rows: &[TheoryRow], arguments: &Theory) {
    let Some(first) = rows.first() else { return };
    let mut headings: Vec<String> = first.axes.iter().map(|(name, _)| (*name).to_owned()).collect();
    headings.extend(["δ", "η", "α_RC²", "α_JE²", "η²/δ", "Corollary 4.5"].map(str::to_owned));
    let mut table = table::new(&headings, 0);
    for row in rows {
        let mut cells: Vec<String> = row.axes.iter().map(|&(_, value)| table::coordinate(value)).collect();
        match &row.thresholds {
            Ok(found) => {
                let numbers =
                    [found.delta, found.eta, found.alpha_rc_squared, found.alpha_je_squared, found.crossover];
                cells.extend(numbers.map(table::number));
                cells.push(found.preference.name().to_owned());
            }
            Err(reason) => {
                cells.extend(["–"; 5].map(str::to_owned));
                cells.push(reason.to_string());
            }
        }
        table.add_row(cells);
    }
    table::print(&table.to_string());
    if arguments.job.is_some() {
        table::print(&format!(
            "spectra of replicate {}; α above √α² recovers the clean model as n → ∞",
            arguments.replicate
        ));
    }
}
