//! Traced critical alignments of random problems beside the paper's thresholds and the law of
//! finite samples.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::{Fault, exit, median};
use eigensweep_engine::study::Study;
use eigensweep_store::boundary::{ALPHA, HIGH, LAW, LOW, SOLVES, THEORY, WIDTH};
use eigensweep_store::rows::Rows;
use eigensweep_testkit::random::Random;
use eigensweep_theory::Metric;

/// Traces the boundaries of random problems, and compares them with theory.
///
/// Problems have two to six signal and two to six noise components, eigenvalues over two decades
/// and noise up to 10³ times the signal, X given. Prints, for each paradigm and n, the share of the
/// problems whose α* is within one per cent of the threshold of infinite samples, or has it in its
/// interval; the same of the law; and the median of the relative distances. Then the exponents: the
/// slopes of log |α*²/α_∞² − 1| and of the log width of the transition against log n, their median
/// over the problems, its standard error, and quartiles. Exits 1 unless all problems of
/// joint-embedding agree with the threshold from n = 10⁵ on, and 19 of 20 of reconstruction with
/// the law from n = 10⁸ on.
#[derive(Debug, Parser)]
#[command(after_help = "Example: boundary-limits --problems 100 --threads 2")]
struct Arguments {
    /// Random problems
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    problems: u32,
    /// Threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

const SAMPLES: [u64; 6] = [100, 10_000, 100_000, 1_000_000, 100_000_000, 1_000_000_000_000];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    exit(study(&arguments).and_then(|fine| exponents(&arguments).map(|()| fine)))
}

/// How a traced α* lies to a prediction.
#[derive(Clone, Copy)]
struct Distance {
    relative: f64,
    agrees: bool,
}

fn study(arguments: &Arguments) -> Result<bool, Fault> {
    // By paradigm and n: distances to the threshold and to the law, solves of each problem.
    let mut found = vec![(Vec::new(), Vec::new(), 0.0); 2 * SAMPLES.len()];
    let mut traced = 0;
    for problem in 0..arguments.problems {
        let job =
            eigensweep_job::parse("problem.toml", &random_job(problem, &SAMPLES, ""), &[], Path::new(""))?;
        let rows = Study::load(job.traced()?)?.plan()?.rows(usize::from(arguments.threads))?;
        for (at, (limits, laws, solves)) in found.iter_mut().enumerate() {
            let (paradigm, n) = (at / SAMPLES.len(), at % SAMPLES.len());
            // A row a paradigm at each n.
            let row = 2 * n + paradigm;
            let value = |metric: &Metric| value(&rows, metric, row);
            *solves += value(&SOLVES);
            let (alpha, low, high) = (value(&ALPHA), value(&LOW), value(&HIGH));
            if alpha.is_nan() {
                continue;
            }
            traced += 1;
            let distance = |of: f64| Distance {
                relative: (alpha / of - 1.0).abs(),
                agrees: (alpha / of - 1.0).abs() < 0.01 || (low <= of && of <= high),
            };
            limits.push(distance(value(&THEORY)));
            laws.push(distance(value(&LAW)));
        }
    }
    println!(
        "{} problems, {traced} of {} cells traced",
        arguments.problems,
        found.len() * arguments.problems as usize
    );
    println!(
        "| paradigm | n | agree with n → ∞ | distance, median | agree with the law | distance, median | solves |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut fine = true;
    for (at, (limits, laws, solves)) in found.iter().enumerate() {
        let paradigm = ["joint-embedding", "reconstruction"][at / SAMPLES.len()];
        let n = SAMPLES[at % SAMPLES.len()];
        let share = |of: &[Distance]| of.iter().filter(|one| one.agrees).count() as f64 / of.len() as f64;
        let middle = |of: &[Distance]| {
            median(&of.iter().map(|one| one.relative).collect::<Vec<_>>()).unwrap_or(f64::NAN)
        };
        println!(
            "| {paradigm} | {n:e} | {:.2} | {:.1e} | {:.2} | {:.1e} | {:.0} |",
            share(limits),
            middle(limits),
            share(laws),
            middle(laws),
            solves / f64::from(arguments.problems),
        );
        fine &= match paradigm {
            "joint-embedding" => n < 100_000 || share(limits) > 0.999,
            _ => n < 100_000_000 || share(laws) >= 0.95,
        };
    }
    Ok(fine)
}

/// Pairs of n between which slopes are taken.
const SLOPES: [[u64; 2]; 3] = [[100, 10_000], [10_000, 1_000_000], [1_000_000, 100_000_000]];

/// As many replicates for all, bracketed as closely as the narrowest transition needs.
const CLOSE: &str = "precision = 1e-6\nmin_replicates = 400\nmax_replicates = 400";

/// Prints the exponents of n in the distance from the limit and in the width of the transition.
fn exponents(arguments: &Arguments) -> Result<(), Fault> {
    let samples = [100, 10_000, 1_000_000, 100_000_000];
    let mut slopes = vec![Vec::new(); 4 * SLOPES.len()];
    for problem in 0..arguments.problems {
        let text = random_job(problem, &samples, CLOSE);
        let job = eigensweep_job::parse("problem.toml", &text, &[], Path::new(""))?;
        let rows = Study::load(job.traced()?)?.plan()?.rows(usize::from(arguments.threads))?;
        for (at, slopes) in slopes.iter_mut().enumerate() {
            let [paradigm, of, pair] = [at / (2 * SLOPES.len()), at / SLOPES.len() % 2, at % SLOPES.len()];
            let log = |n: u64| {
                let row = 2 * samples.iter().position(|&one| one == n).unwrap_or(0) + paradigm;
                let value = |metric: &Metric| value(&rows, metric, row);
                match of {
                    0 => ((value(&ALPHA) / value(&THEORY)).powi(2) - 1.0).abs().ln(),
                    _ => value(&WIDTH).ln(),
                }
            };
            let [few, many] = SLOPES[pair];
            let slope = (log(many) - log(few)) / (many as f64 / few as f64).ln();
            if slope.is_finite() {
                slopes.push(slope);
            }
        }
    }
    println!("\n| paradigm | of | n | exponent, median | standard error | quartiles | problems |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for (at, slopes) in slopes.iter_mut().enumerate() {
        let paradigm = ["joint-embedding", "reconstruction"][at / (2 * SLOPES.len())];
        let of = ["distance of α*²", "width"][at / SLOPES.len() % 2];
        let [few, many] = SLOPES[at % SLOPES.len()];
        slopes.sort_unstable_by(f64::total_cmp);
        let count = slopes.len() as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let at =
            |rank: f64| slopes.get(rank.max(0.0) as usize).or(slopes.last()).copied().unwrap_or(f64::NAN);
        // The order statistics a binomial deviation to either side of the middle.
        let error = 0.5 * (at(0.5 * (count + count.sqrt())) - at(0.5 * (count - count.sqrt())));
        println!(
            "| {paradigm} | {of} | {few:e} to {many:e} | {:.3} | {error:.3} | {:.3}, {:.3} | {count} |",
            at(0.5 * count),
            at(0.25 * count),
            at(0.75 * count)
        );
    }
    Ok(())
}

fn value(rows: &Rows, metric: &Metric, row: usize) -> f64 {
    rows.column(metric).map_or(f64::NAN, |column| rows.values(column)[row])
}

/// A job about a random problem.
fn random_job(problem: u32, samples: &[u64], boundary: &str) -> String {
    let mut random = Random(u64::from(problem) * 104_729 + 3);
    let (signals, noises) = (2 + random.below(5), 2 + random.below(5));
    let mut spectrum = |count: usize, from: f64, to: f64| -> Vec<f64> {
        (0..count).map(|_| random.decades(from, to)).collect()
    };
    let (signal, theta) = (spectrum(signals, 0.0, 2.0), spectrum(signals + noises, 0.0, 2.0));
    let gamma = spectrum(noises, 1.0, 3.0);
    let samples: Vec<String> = samples.iter().map(u64::to_string).collect();
    format!(
        "[data]\ncomponents = {signals}\nsignal = \"fixed\"\nspectrum = {signal:?}\n[corruption]\ncomponents = {noises}\n\
         spectrum = {gamma:?}\n[augmentation]\nspectrum = {theta:?}\n[model]\nparadigms = [\"joint-embedding\", \"reconstruction\"]\n\
         [grid]\nsamples = [{}]\n[boundary]\n{boundary}\n",
        samples.join(", ")
    )
}
