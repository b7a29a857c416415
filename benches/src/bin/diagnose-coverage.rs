//! How often the intervals of a comparison hold the truth, and how often its answer is wrong:
//! random problems with known signal and noise.

use std::process::ExitCode;

use clap::Parser;
use eigensweep_benches::{Fault, exit};
use eigensweep_diagnose::{
    Answer, AtAnyAlignment, Compared, DiagnoseError, Diagnosis, Estimate, Measurements, Question, Run,
    Training, ViewMoments, Views, ViewsOfRows, diagnose,
};
use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_testkit::random::Random;
use eigensweep_testkit::repeats::Repeated;
use faer::{Accum, Mat, Scale};

/// Measures the coverage of the intervals of `eigensweep diagnose`, and its answers.
///
/// Random problems of 50 features, dense noise at a random angle with the signal, a dimension from
/// two below to three above that of the signal, and an alignment of 0, 0.3, 1 or 3; with additive
/// views, and with sampled ones that mask features and add noise. The truth is that of the
/// population for the maps that are trained on all pairs. Problems in which no signal is found at
/// all are refused, counted, and left out. Exits 1 if a coverage is outside 91 to 98 % by more than
/// three binomial standard errors, or 5 % of the confident answers are wrong.
#[derive(Debug, Parser)]
#[command(after_help = "Example: diagnose-coverage --problems 320 --threads 2")]
struct Arguments {
    /// Problems of each kind
    #[arg(long, value_name = "N", default_value_t = 320, value_parser = clap::value_parser!(u32).range(10..))]
    problems: u32,
    /// Pairs of a problem
    #[arg(long, value_name = "M", value_delimiter = ',', default_values_t = [200, 1000])]
    pairs: Vec<usize>,
    /// Draws of each row's views, where they are sampled
    #[arg(long, value_name = "M", default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..))]
    draws: u8,
    /// Of the problems: another seed, other problems
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u32,
    /// Threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
}

const FEATURES: usize = 50;
const ALIGNMENTS: [f64; 4] = [0.0, 0.3, 1.0, 3.0];

/// Upper ends of the true margins that answers are told by.
const MARGINS: [f64; 6] = [0.01, 0.02, 0.05, 0.1, 0.2, f64::INFINITY];

fn main() -> ExitCode {
    exit(study(&Arguments::parse()))
}

fn study(arguments: &Arguments) -> Result<bool, Fault> {
    let mut fine = true;
    for sampled in [false, true] {
        for &pairs in &arguments.pairs {
            let mut tally = Tally::default();
            for number in 0..arguments.problems {
                let number = u64::from(arguments.seed) << 32 | u64::from(number);
                let mut random = Random(number * 7919 + 13);
                tally.take(&mut random, pairs, sampled.then_some(usize::from(arguments.draws)), arguments)?;
            }
            let views = if sampled { "sampled" } else { "additive" };
            fine &= tally.report(&format!("{views} views, {pairs} pairs"));
        }
    }
    Ok(fine)
}

/// Intervals that held the truth, and answers by true margin.
#[derive(Default)]
struct Tally {
    problems: u32,
    /// Problems without an answer, since the measurements seem to have no variance in common.
    refused: u32,
    /// Of kept, then of leakage: of joint-embedding, reconstruction, and their difference.
    held: [[u32; 3]; 2],
    /// Sums of estimate − truth, of its square, and of half widths.
    errors: [[[f64; 3]; 3]; 2],
    /// Of each margin, how many answers are right, wrong, close, not enough, and depend.
    answers: [[u32; 5]; MARGINS.len()],
}

impl Tally {
    fn take(
        &mut self,
        random: &mut Random,
        pairs: usize,
        draws: Option<usize>,
        arguments: &Arguments,
    ) -> Result<(), Fault> {
        let problem = Repeated::random(random, FEATURES);
        let dimension = (problem.rank + random.below(6)).saturating_sub(2).max(1);
        let alignment = ALIGNMENTS[random.below(ALIGNMENTS.len())];
        let tables = problem.measure(random, pairs);
        let measurements = Measurements::Repeats(tables.each_ref().map(Mat::as_ref));
        let columns = tables.each_ref().map(|table| table.transpose().to_owned());
        let sampled = draws.map(|draws| Masked { tables: &columns, theta: 0.1, keep: 0.7, draws });
        let views = match &sampled {
            Some(sampled) => Views::OfRows(sampled),
            None => Views::Additive(problem.theta.as_ref()),
        };
        let question = Question {
            dimension: Some(dimension),
            alignment: Some(alignment),
            alignments: &[],
            ..Question::new(measurements, views)
        };
        let found = match diagnose(&question, &Run::on(usize::from(arguments.threads))) {
            Err(DiagnoseError::NoSignal { .. }) => {
                self.refused += 1;
                return Ok(());
            }
            found => found?,
        };
        let truth = truth(&problem, &found);
        self.problems += 1;
        for (which, found) in [found.kept, found.leakage].iter().enumerate() {
            let Compared { each: [first, second], difference } = found;
            for (place, estimate) in [first, second, difference].into_iter().enumerate() {
                let Estimate { value, half } = *estimate;
                let half = half.ok_or("an interval of so many pairs")?;
                let error = value - truth[which][place];
                self.held[which][place] += u32::from(error.abs() <= half);
                let sums = &mut self.errors[which][place];
                *sums = [sums[0] + error, sums[1] + error * error, sums[2] + half];
            }
        }
        let margin = truth[0][2];
        let row = MARGINS.iter().position(|end| margin.abs() <= *end).unwrap_or(MARGINS.len() - 1);
        let column = match found.answer {
            Answer::JointEmbedding => usize::from(margin < 0.0),
            Answer::Reconstruction => usize::from(margin > 0.0),
            Answer::Identical | Answer::TooClose => 2,
            Answer::NotEnoughData => 3,
            Answer::ItDepends => 4,
        };
        self.answers[row][column] += 1;
        Ok(())
    }

    /// Prints it all; whether it is what is promised.
    fn report(&self, title: &str) -> bool {
        let count = f64::from(self.problems);
        let mut fine = true;
        println!("## {title}, {count} problems\n");
        println!("| | coverage | standard error | bias | root mean square | half width |");
        println!("|---|---:|---:|---:|---:|---:|");
        for (which, name) in ["kept", "leakage"].into_iter().enumerate() {
            for (place, of) in ["joint-embedding", "reconstruction", "difference"].into_iter().enumerate() {
                let coverage = f64::from(self.held[which][place]) / count;
                let error = (coverage * (1.0 - coverage) / count).sqrt();
                let [bias, square, half] = self.errors[which][place].map(|sum| sum / count);
                println!(
                    "| {name}, {of} | {coverage:.3} | {error:.3} | {bias:+.4} | {:.4} | {half:.4} |",
                    square.sqrt()
                );
                let margin = |bound: f64| 3.0 * (bound * (1.0 - bound) / count).sqrt();
                fine &= coverage > 0.91 - margin(0.91) && coverage < 0.98 + margin(0.98);
            }
        }
        println!("\n| true margin | right | wrong | close | not enough | depends | problems |");
        println!("|---|---:|---:|---:|---:|---:|---:|");
        let mut low = 0.0;
        for (end, answers) in MARGINS.iter().zip(&self.answers) {
            let all = answers.iter().sum::<u32>();
            let margin = if end.is_finite() { format!("{low} to {end}") } else { format!("above {low}") };
            let shares = answers.map(|of| format!("{:.2}", f64::from(of) / f64::from(all.max(1))));
            println!("| {margin} | {} | {all} |", shares.join(" | "));
            low = *end;
        }
        let [right, wrong] = [0, 1].map(|column| self.answers.iter().map(|row| row[column]).sum::<u32>());
        println!("\nWrong: {wrong} of {} confident answers. Refused: {}.\n", right + wrong, self.refused);
        fine && f64::from(wrong) < 0.05 * f64::from(right + wrong)
    }
}

/// Kept and leakage in the population of the maps that are trained on all pairs: of
/// joint-embedding, reconstruction, and their difference.
fn truth(problem: &Repeated, found: &Diagnosis) -> [[f64; 3]; 2] {
    let of = |quantity: &dyn Fn(&Mat<f64>) -> f64| {
        let [first, second] = found.learnt.encoders.each_ref().map(quantity);
        [first, second, first - second]
    };
    let map = |basis: &Mat<f64>| basis.transpose() * &found.learnt.signal;
    [
        of(&|basis| problem.kept(basis.as_ref(), map(basis).as_ref())),
        of(&|basis| problem.leakage(basis.as_ref())),
    ]
}

/// Views that keep each feature with a probability, after the noise of another pair at the strength
/// of the alignment, and add white noise; a few draws of each row.
struct Masked<'t> {
    /// A column a row (d × m).
    tables: &'t [Mat<f64>; 2],
    theta: f64,
    keep: f64,
    draws: usize,
}

impl ViewsOfRows for Masked<'_> {
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        Ok(Box::new(move |alpha| Ok(self.at(training, alpha))))
    }
}

impl Masked<'_> {
    fn at(&self, training: &Training<'_>, alpha: f64) -> ViewMoments {
        let (size, pairs) = (self.tables[0].nrows(), self.tables[0].ncols());
        let rows = training.rows.len();
        // A column a row, or a view.
        let [mut inputs, mut means] = [(); 2].map(|()| Mat::<f64>::zeros(size, rows));
        let mut drawn = Mat::<f64>::zeros(size, rows * self.draws);
        let row_of = |row: usize| self.tables[row / pairs].col_as_slice(row % pairs);
        for (at, &row) in training.rows.iter().enumerate() {
            let mut random = Random(row as u64 ^ 0xd1a6);
            let input = inputs.col_as_slice_mut(at);
            for ((to, x), mean) in input.iter_mut().zip(row_of(row)).zip(training.mean) {
                *to = x - mean;
            }
            let mean = means.col_as_slice_mut(at);
            for draw in 0..self.draws {
                let other = training.rows[random.below(rows)] % pairs;
                let view = drawn.col_as_slice_mut(at * self.draws + draw);
                let pair = row_of(other).iter().zip(row_of(pairs + other));
                let numbers = view.iter_mut().zip(&*input).zip(pair).zip(mean.iter_mut());
                for (((to, x), (first, second)), mean) in numbers {
                    let [high, low] = halves(random.bits());
                    let kept = f64::from(u8::from(high < self.keep)) / self.keep;
                    // Uniform, of variance θ.
                    let white = (12.0 * self.theta).sqrt() * (low - 0.5);
                    *to = (x + alpha * (first - second) / 2.0_f64.sqrt()) * kept + white;
                    *mean += *to / self.draws as f64;
                }
            }
        }
        let (count, draws) = (rows as f64, self.draws as f64);
        let (squares, of_means) = (gram(&drawn), gram(&means));
        let of_pairs = |i, j| (draws * of_means[(i, j)] - squares[(i, j)] / draws) / ((draws - 1.0) * count);
        let isa = InstructionSet::detect();
        let mut cross = Mat::zeros(size, size);
        product(isa, cross.as_mut(), Accum::Replace, inputs.as_ref(), means.transpose());
        ViewMoments {
            mean_views: Mat::from_fn(size, size, of_pairs),
            views: Mat::from_fn(size, size, |i, j| squares[(i, j)] / (draws * count)),
            cross: Scale(1.0 / count) * cross,
            rounding: 0.0,
        }
    }
}

/// Two uniform numbers of 32 bits each.
fn halves(bits: u64) -> [f64; 2] {
    [bits >> 32, bits & 0xffff_ffff].map(|half| half as f64 * 2.0_f64.powi(-32))
}

/// `F Fᵀ`, both triangles.
fn gram(factor: &Mat<f64>) -> Mat<f64> {
    let mut gram = Mat::zeros(factor.nrows(), factor.nrows());
    product(InstructionSet::detect(), gram.as_mut(), Accum::Replace, factor.as_ref(), factor.transpose());
    gram
}
