//! How often the interval of a critical alignment holds it, and what it costs: thousands of
//! searches on pools of critical alignments of real problems.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::{Fault, exit};
use eigensweep_engine::boundary::select::{Aim, Oracle, Start, trace};
use eigensweep_engine::study::Study;
use eigensweep_testkit::random::Random;
use eigensweep_theory::Paradigm;
use eigensweep_theory::finite::law;
use eigensweep_theory::metrics::LEAKAGE;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::thresholds::Spectra;

/// Measures the coverage of the intervals of `eigensweep boundary`.
///
/// For both paradigms and n = 100 and 10,000, a pool of critical alignments is made of as many
/// draws of a problem of three signal and three noise components, each solved at 128 alignments;
/// then the search runs on draws from the pool. Exits 1 if a coverage is outside 92.5 to 97.5 %
/// where replicates were added, or below 93 % elsewhere, by more than three binomial standard
/// errors.
#[derive(Debug, Parser)]
#[command(after_help = "Example: boundary-coverage --repetitions 3000 --pool 20000 --threads 2")]
struct Arguments {
    /// Searches of each kind
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(10..))]
    repetitions: u32,
    /// Critical alignments in each pool
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..))]
    pool: u32,
    /// Threads that make the pools
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

const SPECTRA: Spectra<'static> = Spectra {
    signal: &[5.0, 20.0, 60.0],
    theta_signal: &[2.0, 1.0, 10.0],
    gamma: &[10.0, 100.0, 300.0],
    theta_noise: &[3.0, 1.0, 20.0],
};

/// Alignments that pools are solved at, and how far they reach to either side in standard
/// deviations of the law.
const POINTS: usize = 128;
const REACH: f64 = 8.0;

fn main() -> ExitCode {
    exit(study(&Arguments::parse()))
}

fn study(arguments: &Arguments) -> Result<bool, Fault> {
    let mut fine = true;
    println!(
        "| paradigm | n | precision | coverage | standard error | replicates | solves | grid / solves |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
        for samples in [100, 10_000] {
            let (pool, start) = pool(paradigm, samples, arguments)?;
            for precision in [0.02, 0.05] {
                let found = search(&pool, start, precision, arguments.repetitions)?;
                println!("| {paradigm} | {samples} | {precision} | {found} |");
                fine &= found.is_fine();
            }
        }
    }
    Ok(fine)
}

/// Critical log α of a problem, ascending, and where a search for their median begins.
fn pool(paradigm: &Paradigm, samples: u64, arguments: &Arguments) -> Result<(Vec<f64>, Start), Fault> {
    let found = law(paradigm, &SPECTRA, SPECTRA.signal.len(), samples as f64, false)?;
    let found = found.ok_or("a problem that the law says nothing of")?;
    let (middle, spread) = (0.5 * found.squared.ln(), found.deviation.min(0.5));
    let start = Start { pivot: middle, step: spread.min(0.2), top: middle + 1000_f64.ln() };
    let at = |point: usize| middle + spread * REACH * (2.0 * point as f64 / (POINTS - 1) as f64 - 1.0);
    let list = |values: &[f64]| format!("{values:?}");
    let text = format!(
        "[job]\nreplicates = {}\n[data]\ncomponents = 3\nsignal = \"fixed\"\nspectrum = {}\n[corruption]\ncomponents = 3\n\
         spectrum = {}\n[augmentation]\nspectrum = {}\nalignment = {}\n[model]\nparadigms = [{:?}]\n[grid]\nsamples = {samples}\n\
         [output]\nmetrics = [\"leakage\"]\n",
        arguments.pool,
        list(SPECTRA.signal),
        list(SPECTRA.gamma),
        list(&[SPECTRA.theta_signal, SPECTRA.theta_noise].concat()),
        list(&(0..POINTS).map(|point| at(point).exp()).collect::<Vec<_>>()),
        paradigm.name,
    );
    let job = eigensweep_job::parse("pool.toml", &text, &[], Path::new(""))?;
    let rows = Study::load(job)?.plan()?.rows(usize::from(arguments.threads))?;
    let column = rows.column(&LEAKAGE).ok_or("rows without leakage")?;
    let tolerance = 0.5 / SPECTRA.signal.len() as f64;
    // A replicate's rows are next to one another, in the order of α.
    let mut random = Random(7);
    let critical = rows.values(column).chunks_exact(POINTS).map(|leakage| {
        match leakage.iter().position(|&leakage| leakage < tolerance) {
            Some(0) => f64::NEG_INFINITY,
            Some(point) => at(point - 1) + random.uniform() * (at(point) - at(point - 1)),
            None => f64::INFINITY,
        }
    });
    let mut critical: Vec<f64> = critical.collect();
    critical.sort_by(f64::total_cmp);
    Ok((critical, start))
}

/// An oracle that knows a replicate's critical alignment: one of the pool, by chance.
struct Drawn<'p> {
    pool: &'p [f64],
    random: Random,
    drawn: Vec<f64>,
}

impl Oracle for Drawn<'_> {
    type Error = Fault;

    fn recover(&mut self, replicates: &[u32], log_alpha: f64) -> Result<Vec<bool>, Fault> {
        let most = replicates.iter().max().map_or(0, |&most| most as usize + 1);
        while self.drawn.len() < most {
            self.drawn.push(self.pool[self.random.below(self.pool.len())]);
        }
        Ok(replicates.iter().map(|&replicate| self.drawn[replicate as usize] <= log_alpha).collect())
    }
}

/// What came of many searches.
struct Searched {
    coverage: f64,
    error: f64,
    replicates: f64,
    solves: f64,
    saved: f64,
}

impl Searched {
    fn is_fine(&self) -> bool {
        let margin = 3.0 * self.error;
        let grown = self.replicates > 1.5 * f64::from(FIRST);
        let least = if grown { 0.925 } else { 0.93 };
        self.coverage > least - margin && (!grown || self.coverage < 0.975 + margin)
    }
}

impl std::fmt::Display for Searched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { coverage, error, replicates, solves, saved } = self;
        write!(f, "{coverage:.4} | {error:.4} | {replicates:.0} | {solves:.0} | {saved:.0}")
    }
}

/// Replicates at first.
const FIRST: u32 = 24;

fn search(pool: &[f64], start: Start, precision: f64, repetitions: u32) -> Result<Searched, Fault> {
    let truth = pool[pool.len() / 2];
    let aim = Aim { precision, confidence: 0.95, quantiles: vec![0.1, 0.9], replicates: FIRST..4096 };
    let (mut held, mut replicates, mut solves, mut grid) = (0_u32, 0.0, 0.0, 0.0);
    for repetition in 0..repetitions {
        let random = Random(u64::from(repetition) * 7919 + 13);
        let found = trace(&mut Drawn { pool, random, drawn: Vec::new() }, &aim, start)?;
        let [low, high] = found.interval;
        held += u32::from(low <= truth && truth < high);
        replicates += f64::from(found.replicates);
        solves += found.solves as f64;
        // Three decades in steps of the precision, for as many replicates.
        grid += f64::from(found.replicates) * (1000_f64.ln() / precision).ceil();
    }
    let count = f64::from(repetitions);
    let coverage = f64::from(held) / count;
    let error = (coverage * (1.0 - coverage) / count).sqrt();
    Ok(Searched {
        coverage,
        error,
        replicates: replicates / count,
        solves: solves / count,
        saved: grid / solves,
    })
}
