//! `diagnose`: which paradigm for these data and views.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use eigensweep_engine::diagnose::files::{Files, Named, Tables};
use eigensweep_engine::diagnose::statistics::{AtDimension, DiagnoseError, Needs, PARADIGMS, Run};
use eigensweep_engine::diagnose::{Found, Problem, Seen, Unanswered, difference, prepare};
use eigensweep_figures::report::diagnosis as page;
use eigensweep_inputs::{InputError, whole_file};
use eigensweep_job::ViewsFile;

use super::{solve, table};
use crate::args::Diagnose;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::report::CommandError;
use crate::stop::Stop;

pub(crate) fn call(arguments: &Diagnose, quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    // Now and not after minutes of work.
    if let Some(directory) = &arguments.write {
        prepare(directory)?;
    }
    if let Some(path) = &arguments.output {
        page::check_name(path)?;
        whole_file::check(path).map_err(InputError::from)?;
    }
    let stop = Stop::catch().map_err(|source| CommandError::Io {
        action: "catch signals for",
        path: PathBuf::from("this process"),
        source,
    })?;
    stop.watch(|_| {});
    let views = arguments.views.as_deref().map(solve::views_file).transpose()?;
    let files = files(arguments);
    let tables = files.read()?;
    let problem = problem(arguments, &tables, views.as_ref());
    let progress = Mutex::new(Progress::of("task", quiet, verbose));
    let said = |done: usize, of: usize| {
        progress.lock().unwrap_or_else(PoisonError::into_inner).reached(done as u64, of as u64);
    };
    let threads = arguments.threads.unwrap_or_else(eigensweep_host::threads);
    let run = Run { threads, stop: &stop.flag, progress: &said };
    let answered = problem.diagnose(&run);
    progress.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let found = match answered {
        Err(Unanswered::Diagnose(DiagnoseError::Stopped)) => return Ok(stop.exit()),
        answered => answered?,
    };
    if let Some(directory) = &arguments.write {
        problem.write(&found, directory)?;
    }
    if let Some(path) = &arguments.output {
        let title = arguments.inputs.file_name().unwrap_or_default().to_string_lossy();
        page::write(&found, &title, &facts(arguments, &found), path)?;
    }
    if arguments.json {
        table::print(&serde_json::to_string_pretty(&found.json()).unwrap_or_default());
    } else {
        print(&found);
    }
    if !quiet {
        for path in arguments.output.iter().chain(&arguments.write) {
            tell!("wrote {}", path.display());
        }
    }
    Ok(Exit::Success)
}

fn files(arguments: &Diagnose) -> Files {
    let measured = match (&arguments.repeats, &arguments.pairs, &arguments.nuisance) {
        (Some(path), ..) => Named::Repeats(path.clone()),
        (_, Some(column), _) => Named::Pairs(column.clone()),
        (.., Some(column)) => Named::Nuisance(column.clone()),
        (None, None, None) => Named::Corruption,
    };
    Files {
        inputs: arguments.inputs.clone(),
        columns: arguments.columns.clone(),
        measured,
        labels: arguments.labels.clone(),
    }
}

fn problem<'a>(arguments: &Diagnose, tables: &'a Tables, views: Option<&'a ViewsFile>) -> Problem<'a> {
    let seen = views.map_or(Seen::Noise, Seen::Stages);
    Problem {
        shape: tables.shape(),
        labels: tables.labels(),
        dimension: arguments.dimension,
        alignment: arguments.alignment,
        components: arguments.components,
        standardize: arguments.standardize,
        ..Problem::new(tables.rows(), tables.measured(), seen)
    }
}

/// Where the answer is from.
fn facts(arguments: &Diagnose, found: &Found) -> Vec<(String, String)> {
    let path = |path: &PathBuf| path.display().to_string();
    let Diagnose { inputs, repeats, pairs, nuisance, views, labels, components, standardize, .. } = arguments;
    let noise = match (repeats, pairs, nuisance) {
        (Some(file), ..) => format!("repeats in {}", file.display()),
        (_, Some(column), _) => format!("rows of one {column} are the same thing"),
        (.., Some(column)) => format!("how {column} differs is noise"),
        (None, None, None) => "the corruption of the views, drawn twice for each row".to_owned(),
    };
    let all = [
        ("inputs", Some(path(inputs))),
        ("noise", Some(noise)),
        ("views", Some(views.as_ref().map_or_else(|| found.views.clone(), path))),
        ("labels", labels.clone()),
        ("components", components.map(|components| components.to_string())),
        ("standardize", standardize.then(|| "yes".to_owned())),
        ("setting", Some(found.setting())),
    ];
    all.into_iter().filter_map(|(term, value)| Some((term.to_owned(), value?))).collect()
}

fn print(found: &Found) {
    table::print(&found.headline());
    table::print(&found.setting());
    let headings = ["", PARADIGMS[0].name, PARADIGMS[1].name, "difference"].map(str::to_owned);
    let mut numbers = table::new(&headings, 1);
    for row in found.numbers() {
        numbers.add_row(row);
    }
    table::print(&numbers.to_string());
    if let Some(text) = found.dimension_found() {
        table::print(&text);
    }
    if found.diagnosis.by_dimension.len() > 1 {
        let mut strip = table::new(&["k", "answer", "difference in kept"].map(str::to_owned), 0);
        for AtDimension { dimension, answer, kept, .. } in &found.diagnosis.by_dimension {
            let mark = if *dimension == found.diagnosis.dimension { "→ " } else { "" };
            strip.add_row([
                format!("{mark}{dimension}"),
                answer.name().to_owned(),
                difference(&kept.difference),
            ]);
        }
        table::print(&strip.to_string());
    }
    for sentence in [found.alignments(), found.findings(), found.changes()].concat() {
        table::print(&sentence);
    }
    for warning in &found.diagnosis.warnings {
        tell!("warning: {warning}");
    }
}

/// What to do about an error, in the flags of the command.
pub(crate) fn flags(error: &Unanswered) -> Option<&'static str> {
    let Unanswered::Diagnose(error) = error else { return None };
    if matches!(error, DiagnoseError::DimensionNeeded(Needs::Pairs { .. })) {
        Some("--dimension K, or --components P")
    } else if matches!(error, DiagnoseError::DimensionNeeded(_) | DiagnoseError::Dimension { .. }) {
        Some("--dimension K")
    } else if matches!(error, DiagnoseError::Components { .. }) {
        Some("--components P")
    } else {
        matches!(error, DiagnoseError::Alignment { .. }).then_some("--alignment A")
    }
}

/// What readers say of a job's keys, and the engine of what was asked, as flags of the command:
/// `labels = "y"` is `--labels 'y'`; what has no flag is done to the file.
pub(crate) fn spelled(text: &str) -> String {
    /// Up to a value and the end of the quotation.
    const VALUES: [(&str, &str); 2] = [("`columns = [", "`--columns "), ("`labels = ", "`--labels ")];
    const WORDS: [(&str, &str); 9] = [
        ("`columns`", "`--columns`"),
        ("label file, swap `images` and `labels`", "label file, give it as `--labels`"),
        ("image file, swap `images` and `labels`", "image file, give it as `--inputs`"),
        ("`labels`", "`--labels`"),
        ("the choice of columns", "`--columns`"),
        ("say which one it is: `{ file = \"…\", column = \"…\" }`", "say which one it is: FILE:COLUMN"),
        ("say which one with `matrix = \"…\"`", "write the one that is meant to a file of its own"),
        (", or `rows = \"samples\"`", ""),
        (
            "give repeats, pairs, nuisance groups, or a corruption with the views",
            "give --repeats, --pairs, --nuisance, or a corruption in --views",
        ),
    ];
    let mut text = WORDS.iter().fold(text.to_owned(), |text, (word, flag)| text.replace(word, flag));
    for (key, flag) in VALUES {
        while let Some((before, after)) = text.split_once(key) {
            let (value, after) = after.split_once('`').unwrap_or((after, ""));
            text = format!("{before}{flag}{}`{after}", quoted(value));
        }
    }
    text
}

/// A text as a job has it, perhaps the only one of a list, as a shell takes it.
fn quoted(value: &str) -> String {
    let value = value.trim_end_matches(']').trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Whether the arguments are at fault.
pub(crate) fn is_usage(error: &Unanswered) -> bool {
    match error {
        Unanswered::Arguments { .. } => true,
        Unanswered::Engine(_) => false,
        Unanswered::Diagnose(_) => flags(error).is_some(),
    }
}
