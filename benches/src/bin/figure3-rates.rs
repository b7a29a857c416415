//! Rows per second on Figure 3 (distance alone): eigensweep beside other programs, one thread each,
//! as a Markdown table.
//!
//! All programs are measured in turn, round after round, so that a slow minute of the machine meets
//! each of them; a ratio is taken within a round, and its median over the rounds is reported.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::figure3::{Changes, Figure3, Files, Timed};
use eigensweep_benches::machine::{processor, python_versions};
use eigensweep_benches::peers::Peer;
use eigensweep_benches::{Fault, exit, median};

/// Rows per second on Figure 3: eigensweep and its peers, one thread each.
///
/// Prints a Markdown table. Loading and principal components are excluded everywhere; writing is
/// included for eigensweep and excluded for the peers of benches/peers.
#[derive(Debug, Parser)]
#[command(
    after_help = "A peer is run as `COMMAND --images FILE --labels FILE --replicates N --out FILE` with one BLAS thread and \
                  must run the whole protocol (180 rows a replicate). Its last output line is `SECONDS`, `SECONDS ROWS` or \
                  `SECONDS s, RATE rows/s`.\n\n\
                  Example: figure3-rates --python venv/bin/python --peer mine:2=scripts/figure3.py"
)]
struct Arguments {
    #[command(flatten)]
    files: Files,
    /// The protocol on 784 raw pixels (jobs/figure3-pixels.toml); direct.py has no such mode
    #[arg(long)]
    pixels: bool,
    /// Interpreter of the Python peers
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Times that each program is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Replicates of eigensweep
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    replicates: u32,
    /// Replicates of moments.py; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 10)]
    moments_replicates: u32,
    /// Replicates of direct.py; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 2)]
    direct_replicates: u32,
    /// A further peer (may be repeated): NAME=COMMAND, or NAME:REPLICATES=COMMAND
    #[arg(long, value_name = "PEER")]
    peer: Vec<String>,
    /// Replicates of further peers that do not say
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    peer_replicates: u32,
    /// Threads of a second measurement of eigensweep; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).map(|()| true))
}

/// What is measured.
enum Subject {
    Eigensweep { threads: usize },
    Peer(Peer),
}

impl Subject {
    fn measure(&self, figure: &Figure3) -> Result<Timed, Fault> {
        let directory = tempfile::tempdir()?;
        match self {
            Self::Eigensweep { threads } => figure.run_into(&directory.path().join("figure3"), *threads),
            Self::Peer(peer) => {
                peer.run(&absolute(figure.images())?, &absolute(figure.labels())?, directory.path())
            }
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    Ok(std::path::absolute(path)?)
}

fn measure(arguments: &Arguments) -> Result<(), Fault> {
    let mut subjects = vec![Subject::Eigensweep { threads: 1 }];
    for (file, replicates) in
        [("moments.py", arguments.moments_replicates), ("direct.py", arguments.direct_replicates)]
    {
        if replicates > 0 && !(arguments.pixels && file == "direct.py") {
            let mut peer = Peer::script(file, &arguments.python, replicates);
            peer.command.extend(arguments.pixels.then(|| "--pixels".to_owned()));
            subjects.push(Subject::Peer(peer));
        }
    }
    for text in &arguments.peer {
        let peer = Peer::parse(text, &arguments.python, arguments.peer_replicates)?;
        subjects.push(Subject::Peer(peer));
    }
    let uses_python =
        |subject: &Subject| matches!(subject, Subject::Peer(p) if p.command[0] == arguments.python);
    let python = match subjects.iter().any(uses_python) {
        true => Some(python_versions(&arguments.python)?),
        false => None,
    };
    if arguments.threads > 0 {
        subjects.push(Subject::Eigensweep { threads: arguments.threads });
    }
    eprintln!("loading …");
    let figure = Figure3::load(&Changes {
        pixels: arguments.pixels,
        files: arguments.files.clone(),
        replicates: arguments.replicates,
        distance_only: true,
    })?;
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); subjects.len()];
    for round in 1..=arguments.rounds {
        for (subject, rates) in subjects.iter().zip(&mut rates) {
            let timed = subject.measure(&figure)?;
            eprintln!(
                "round {round}: {}: {} rows in {:.2} s, {:.0} rows/s",
                name(subject),
                timed.rows,
                timed.seconds,
                timed.rate()
            );
            rates.push(timed.rate());
        }
    }
    print_table(arguments, &subjects, &rates);
    println!();
    println!("{}{}.", processor(), python.map_or_else(String::new, |versions| format!("; {versions}")));
    Ok(())
}

fn name(subject: &Subject) -> &str {
    match subject {
        Subject::Eigensweep { .. } => "eigensweep",
        Subject::Peer(peer) => &peer.name,
    }
}

fn print_table(arguments: &Arguments, subjects: &[Subject], rates: &[Vec<f64>]) {
    println!(
        "| program | threads | replicates | rows/s, median of {} | range | eigensweep, 1 thread, over it |",
        arguments.rounds
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for (subject, own) in subjects.iter().zip(rates) {
        let (threads, replicates) = match subject {
            Subject::Eigensweep { threads } => (*threads, arguments.replicates),
            Subject::Peer(peer) => (1, peer.replicates),
        };
        let ratios: Vec<f64> = rates[0].iter().zip(own).map(|(first, rate)| first / rate).collect();
        let low = own.iter().copied().fold(f64::INFINITY, f64::min);
        let high = own.iter().copied().fold(0.0, f64::max);
        println!(
            "| {} | {threads} | {replicates} | {:.0} | {low:.0}–{high:.0} | {:.2} |",
            name(subject),
            median(own).unwrap_or(f64::NAN),
            median(&ratios).unwrap_or(f64::NAN),
        );
    }
}
