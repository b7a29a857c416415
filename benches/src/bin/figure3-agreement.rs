//! Figure 3 against a reference simulation: every cell with its z, a summary, and an exit status
//! that says whether they agree.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::agreement::{
    ABOVE, Compared, Estimate, LARGEST, MOST_ABOVE, Summary, compare, read_dataset, read_reference,
};
use eigensweep_benches::figure3::{Changes, Figure3, Files};
use eigensweep_benches::{Fault, exit};

/// Compares Figure 3 with a reference simulation.
///
/// Runs jobs/figure3-mnist.toml (or reads the data set of an earlier run) and prints, for each of
/// the 180 cells, z of the mean distance and of the mean corrupted loss. Exits 1 if one of the two
/// metrics does not agree: some |z| of its 180 is at least 4.5, or more than 5 of them are above 3.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: figure3-agreement --reference figure3_mnist.json --replicates 200 --threads 2"
)]
struct Arguments {
    /// The reference, as peers/reference_figure3.py writes it
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// A data set of jobs/figure3-mnist.toml, in place of a run
    #[arg(long, value_name = "DIR", conflicts_with_all = ["images", "labels", "replicates", "distance_only", "threads"])]
    dataset: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
    /// Replicates of the run
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..))]
    replicates: u32,
    /// Run without leakage and gap: joint-embedding then takes its path without eigenvectors
    #[arg(long)]
    distance_only: bool,
    /// Threads of the run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

fn main() -> ExitCode {
    exit(judge(&Arguments::parse()))
}

fn judge(arguments: &Arguments) -> Result<bool, Fault> {
    let reference = read_reference(&arguments.reference)?;
    let compared = match &arguments.dataset {
        Some(root) => compare(&read_dataset(root)?, &reference)?,
        None => {
            let directory = tempfile::tempdir()?;
            let root = directory.path().join("figure3");
            run(arguments, &root)?;
            compare(&read_dataset(&root)?, &reference)?
        }
    };
    print_cells(&compared);
    println!();
    println!("| metric | cells | max abs z | above {ABOVE} | root mean square z | agrees |");
    println!("|---|---:|---:|---:|---:|---|");
    let mut agree = true;
    for (name, z) in [
        ("mean distance", compared.iter().map(Compared::z_distance).collect::<Vec<_>>()),
        ("mean corrupted loss", compared.iter().map(Compared::z_loss).collect()),
    ] {
        let summary = Summary::of(&z);
        agree &= summary.agrees();
        println!(
            "| {name} | {} | {:.2} | {} | {:.2} | {} |",
            summary.cells,
            summary.largest,
            summary.above,
            summary.root_mean_square,
            if summary.agrees() { "yes" } else { "no" }
        );
    }
    println!();
    println!(
        "Each metric agrees if none of its |z| reaches {LARGEST} and at most {MOST_ABOVE} are above {ABOVE}."
    );
    Ok(agree)
}

fn run(arguments: &Arguments, root: &Path) -> Result<(), Fault> {
    eprintln!("loading …");
    let figure = Figure3::load(&Changes {
        pixels: false,
        files: arguments.files.clone(),
        replicates: arguments.replicates,
        distance_only: arguments.distance_only,
    })?;
    let timed = figure.run_into(root, usize::from(arguments.threads))?;
    eprintln!("{} rows in {:.1} s, {:.0} rows/s", timed.rows, timed.seconds, timed.rate());
    Ok(())
}

fn print_cells(compared: &[Compared]) {
    println!(
        "| noise scale | paradigm | α | n | distance | reference | z | corrupted loss | reference | z |\n\
         |---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for one in compared {
        let (ours, reference) = (&one.ours, &one.reference);
        println!(
            "| {} | {} | {} | {:.2} | {} | {} | {:.2} |",
            one.cell,
            text(&ours.distance),
            text(&reference.distance),
            one.z_distance(),
            text(&ours.loss_corrupted),
            text(&reference.loss_corrupted),
            one.z_loss()
        );
    }
}

fn text(estimate: &Estimate) -> String {
    format!("{:.4e} ± {:.0e}", estimate.mean, estimate.standard_error)
}
