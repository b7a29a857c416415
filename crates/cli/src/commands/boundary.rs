//! `boundary`: the critical alignment of each combination of the other axes, with its interval.

use eigensweep_engine::EngineError;
use eigensweep_job::Job;
use eigensweep_store::boundary::{ALPHA, HIGH, LAW, LOW, Line, REPLICATES, SOLVES, THEORY, WIDTH, read};
use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::{count, whole};
use eigensweep_store::summary::{Slice, TABLE_ROWS};
use eigensweep_theory::Metric;

use super::run::{Ended, simulate};
use super::{failures, relative_scales, table};
use crate::args::Boundary;
use crate::exit::Exit;
use crate::report::CommandError;

/// What stands where there is no value.
const NONE: &str = "–";

pub(crate) fn call(arguments: &Boundary, quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    let done = match simulate(&arguments.run, Job::traced, quiet, verbose)? {
        Ended::Stopped(exit) => return Ok(exit),
        Ended::Done(done) => done,
    };
    if arguments.json {
        let lines: Vec<_> = read(&done.dataset)?.iter().map(Line::json).collect();
        table::print(&serde_json::to_string_pretty(&lines).unwrap_or_default());
    } else if !quiet {
        done.finish(said)?;
    }
    Ok(failures::report(&done.dataset))
}

/// The table, and what it took.
fn said(dataset: &Dataset) -> Result<(), EngineError> {
    let lines = read(dataset)?;
    print(&lines, dataset);
    let Some(boundary) = &dataset.spec().boundary else { return Ok(()) };
    let sum = |of: &dyn Fn(&Line) -> f64| count(whole(lines.iter().map(of).sum()).into());
    let solves = sum(&|line| line.value(&SOLVES).unwrap_or(0.0));
    // Three decades in steps of the precision.
    let steps = (1000.0_f64.ln() / boundary.precision).ceil() + 1.0;
    let grid = sum(&|line| steps * line.value(&REPLICATES).unwrap_or(0.0));
    table::print(&format!(
        "{solves} problems solved; three decades in steps of {} would be {grid} for as many replicates",
        table::number(boundary.precision)
    ));
    Ok(())
}

/// Rows that fit a screen, in columns that differ, as wide as the terminal.
fn print(lines: &[Line], dataset: &Dataset) {
    let Some(first) = lines.first() else { return };
    let names: Vec<&str> = first.axes.iter().map(|(name, _)| *name).collect();
    let values = |at: usize| lines.iter().map(|line| line.axes[at].1).collect::<Vec<f64>>();
    let paradigms = dataset.spec().model.paradigms.len().max(1);
    let slice =
        Slice::new(names.iter().enumerate().map(|(at, name)| (*name, values(at))), TABLE_ROWS / paradigms);
    let mut shown: Vec<&Line> = lines.iter().collect();
    shown.retain(|line| line.axes.iter().all(|&(name, value)| slice.holds(name, value)));
    // Paradigm by paradigm; within one, in the order of the grid.
    shown.sort_by_key(|line| dataset.spec().model.paradigms.iter().position(|one| *one == line.paradigm));
    let differs =
        |at: &usize| lines.iter().any(|line| line.axes[*at].1.to_bits() != first.axes[*at].1.to_bits());
    let (told, constant): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|at| differs(at));
    let width = table::terminal_width().map(usize::from);
    let of = |columns: &[(&str, &Metric)]| table_of(&shown, &names, &told, columns);
    let least = [("α*", &ALPHA), ("low", &LOW), ("high", &HIGH)];
    let theory = [("n → ∞", &THEORY), ("law", &LAW)];
    let rest = [("width", &WIDTH), ("replicates", &REPLICATES), ("solves", &SOLVES)];
    let theory: Vec<_> =
        theory.into_iter().filter(|(_, of)| lines.iter().any(|line| line.value(of).is_some())).collect();
    let forms = [[&least[..], &theory, &rest].concat(), [&least[..], &theory].concat(), least.to_vec()];
    let [widest, narrower @ ..] = &forms;
    let narrower: Vec<&[_]> = narrower.iter().map(Vec::as_slice).collect();
    let (text, _) = table::fitting(widest.as_slice(), &narrower, width, of);
    table::print(&text);
    if let Some(boundary) = &dataset.spec().boundary {
        table::print(&format!(
            "α*: half of the replicates recover (by {}); low and high hold it with a probability of at least {}",
            boundary.recovery.name(),
            boundary.confidence
        ));
    }
    let constant =
        constant.iter().map(|&at| format!("{} = {}", names[at], table::coordinate(first.axes[at].1)));
    let constant: Vec<String> = constant.collect();
    if !constant.is_empty() {
        table::print(&format!("throughout: {}", constant.join(", ")));
    }
    relative_scales(dataset.spec());
    let words = slice.words();
    if !words.is_empty() {
        let (some, all) = (shown.len(), lines.len());
        table::print(&format!("{some} of {all} lines, those with {}; --json has them all", words.join(", ")));
    }
}

fn table_of(lines: &[&Line], names: &[&str], told: &[usize], columns: &[(&str, &Metric)]) -> String {
    let axes = told.iter().map(|&at| names[at]);
    let headings =
        ["paradigm", "verdict"].into_iter().chain(axes).chain(columns.iter().map(|(name, _)| *name));
    let mut table = table::new(&headings.map(str::to_owned).collect::<Vec<_>>(), 2);
    for line in lines {
        let axes = told.iter().map(|&at| table::coordinate(line.axes[at].1));
        let values = columns.iter().map(|(_, of)| line.value(of).map_or_else(|| NONE.to_owned(), shown));
        let words = [line.paradigm.name.to_owned(), line.verdict.clone()];
        table.add_row(words.into_iter().chain(axes).chain(values).collect::<Vec<_>>());
    }
    table.to_string()
}

/// Counts in full, other numbers with four digits.
fn shown(value: f64) -> String {
    if value.fract() == 0.0 { table::coordinate(value) } else { table::number(value) }
}
