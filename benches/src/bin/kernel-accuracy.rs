//! Backward errors of eigensweep's lane kernels and of LAPACK over the same random problems of
//! every kind, as a Markdown table.
//!
//! Problems are drawn, solved in full batches, and sent to LAPACK a batch at a time; nothing is
//! kept but the largest errors.

use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::accuracy::lapack::Lapack;
use eigensweep_benches::accuracy::measures::{ALLOWED, ALLOWED_DIFFERENCE, Measures, Tally};
use eigensweep_benches::accuracy::problems::{Kind, solve_round};
use eigensweep_benches::machine::{processor, python_versions};
use eigensweep_benches::problems::SplitMix;
use eigensweep_benches::{Fault, exit};
use eigensweep_spectral::lanes::InstructionSet;

/// Problems between two lines of progress.
const PROGRESS: usize = 20_000;

/// Holds the lane kernels and LAPACK to the same backward errors over random symmetric problems of
/// every kind.
///
/// Prints a Markdown table of the largest errors, in units of d·ε; progress goes to stderr. Exits 1
/// if one of eigensweep's four quantities exceeds 5, if its eigenvalues differ from LAPACK's by
/// more than 10, or if it fails to solve a problem.
#[derive(Debug, Parser)]
#[command(after_help = "Example: kernel-accuracy --python venv/bin/python")]
struct Arguments {
    /// Problems, at least: the last batch is filled
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    problems: u32,
    /// Interpreter that runs LAPACK, with NumPy and SciPy
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Seed of the problems
    #[arg(long, value_name = "N", default_value_t = 2025)]
    seed: u64,
}

fn main() -> ExitCode {
    exit(judge(&Arguments::parse()))
}

fn judge(arguments: &Arguments) -> Result<bool, Fault> {
    let instruction_set = InstructionSet::detect();
    let versions = python_versions(&arguments.python)?;
    let tallies = solve(arguments, instruction_set)?;
    let all = tallies.iter().copied().fold(Tally::default(), Tally::join);
    println!(
        "Largest errors in units of d·ε: eigensweep's, LAPACK's (`dsyevd`), and between their eigenvalues.\n"
    );
    let names = Measures::NAMES.join(" | ");
    println!("| kind | problems | {names} | LAPACK: {names} | eigenvalue difference |");
    println!("|---|{}", "---:|".repeat(10));
    for (kind, tally) in Kind::ALL.into_iter().zip(&tallies) {
        print_row(kind.name(), tally);
    }
    print_row("all", &all);
    println!();
    println!(
        "Failed: {} of eigensweep's, {} of LAPACK's. Allowed of eigensweep: {ALLOWED}; of the difference: {ALLOWED_DIFFERENCE}.",
        all.failed, all.lapack_failed
    );
    println!("{}; {versions}; eigensweep on {}.", processor(), instruction_set.name());
    Ok(all.holds())
}

/// Solves all problems with both; a tally of each kind.
fn solve(arguments: &Arguments, instruction_set: InstructionSet) -> Result<[Tally; Kind::ALL.len()], Fault> {
    let mut lapack = Lapack::start(&arguments.python)?;
    let mut rng = SplitMix::new(arguments.seed);
    let mut tallies = [Tally::default(); Kind::ALL.len()];
    let (mut done, mut round) = (0, 0);
    while done < arguments.problems as usize {
        let (problems, own) = solve_round(instruction_set, &mut rng, round);
        let theirs = lapack.solve(round, &problems)?;
        for ((problem, own), theirs) in problems.iter().zip(&own).zip(&theirs) {
            tallies[problem.kind as usize].take(problem, own.as_ref(), theirs.as_ref());
        }
        if (done + problems.len()) / PROGRESS > done / PROGRESS {
            eprintln!("{} problems …", done + problems.len());
        }
        done += problems.len();
        round += 1;
    }
    lapack.finish()?;
    Ok(tallies)
}

fn print_row(name: &str, tally: &Tally) {
    let errors = tally.own.0.iter().chain(&tally.lapack.0).chain([&tally.difference]);
    let cells: Vec<String> = errors.map(|error| format!("{error:.2}")).collect();
    println!("| {name} | {} | {} |", tally.problems, cells.join(" | "));
}
