//! Gflop/s of Gram matrices of rows in random order, held as doubles and as they are in a file,
//! beside a product and the peak.
//!
//! Rows are added as jobs add them (`RowGram` of `LabelledRows`), from memory: more of them are held
//! than a cache has room for.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use eigensweep_benches::clock::{fastest, processor_seconds};
use eigensweep_benches::limits::Limits;
use eigensweep_benches::machine::processor;
use eigensweep_benches::problems::{SplitMix, stream};
use eigensweep_benches::{Fault, exit};
use eigensweep_engine::input::Input;
use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_inputs::{Blocks, ClassLabels, Dense, Element, LabelledRows, Labels, Sparse};
use eigensweep_sampling::subset::permute;
use eigensweep_spectral::dense::{HeldRows, RowGram, product};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_store::plan::Plan;
use eigensweep_testkit::idx::idx;
use faer::{Accum, Mat};

/// Measures Gram matrices of rows in random order on one core.
///
/// Prints a Markdown table of Gflop/s, of w (w + 1) flops a row of w numbers and 2 w³ of a product of
/// two w × w matrices: of a processor, so that what else runs on the machine takes less part in
/// them.
#[derive(Debug, Parser)]
#[command(after_help = "Example: taskset -c 1 gram-rates --widths 784,2048")]
struct Arguments {
    /// Numbers w of a row
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "784,2048")]
    widths: Vec<usize>,
    /// Megabytes of rows, at least, in each case
    #[arg(long, value_name = "NUMBER", default_value_t = 128)]
    megabytes: usize,
    /// Rows of a job with stages as well: the difference of whole tasks, some ten seconds at 784
    #[arg(long)]
    stages: bool,
    /// Budget of a measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 0.3)]
    seconds: f64,
}

/// Rows of a case: a source of so many bytes.
type Source = fn(usize, usize) -> Result<Arc<dyn Blocks>, Fault>;

/// What rows are held as, and bytes of a number.
const CASES: [(&str, f64, Source); 7] = [
    ("bytes", 1.0, |rows, width| dense(rows, width, byte)),
    ("f32", 4.0, |rows, width| dense(rows, width, float)),
    ("f64", 8.0, |rows, width| dense(rows, width, |uniform| uniform)),
    ("CSR of bytes, 10 %", 0.5, |rows, width| sparse(rows, width, 0.1, byte)),
    ("CSR of bytes, 20 %", 1.0, |rows, width| sparse(rows, width, 0.2, byte)),
    ("CSR of f32, 10 %", 0.8, |rows, width| sparse(rows, width, 0.1, float)),
    ("CSR of f32, 20 %", 1.6, |rows, width| sparse(rows, width, 0.2, float)),
];

/// A byte that is not zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 256")]
fn byte(uniform: f64) -> u8 {
    (1.0 + 255.0 * uniform) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "any number")]
fn float(uniform: f64) -> f32 {
    uniform as f32
}

fn dense<T: Element>(rows: usize, width: usize, number: fn(f64) -> T) -> Result<Arc<dyn Blocks>, Fault> {
    let mut random = SplitMix::new(1);
    let values = (0..rows * width).map(|_| number(random.uniform())).collect();
    Ok(Arc::new(Dense::new(values, rows, width)?))
}

fn sparse<T: Element>(
    rows: usize,
    width: usize,
    share: f64,
    number: fn(f64) -> T,
) -> Result<Arc<dyn Blocks>, Fault> {
    let mut random = SplitMix::new(1);
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..rows {
        for column in 0..u32::try_from(width)? {
            if random.uniform() < share {
                columns.push(column);
                values.push(number(random.uniform()));
            }
        }
        starts.push(values.len());
    }
    Ok(Arc::new(Sparse::new(starts, columns, values, width)?))
}

/// Gflop/s of adding rows in random order.
fn gram(rows: &LabelledRows, budget: Duration) -> Result<f64, Fault> {
    let (width, total) = (rows.numbers(), rows.samples());
    let (mut order, mut pool) = (vec![0; total], vec![0; total]);
    permute(u32::try_from(total)?, &mut order, &mut pool, &mut stream(1));
    // About 100 Mflop a run, in whole blocks.
    let count = (100_000_000 / (width * width)).next_multiple_of(RowGram::depth(width)).min(total);
    let mut runs = order.chunks_exact(count).cycle();
    let mut sums = RowGram::new(InstructionSet::detect(), width, rows.labels());
    let seconds = fastest(budget, || {
        let run = runs.next().unwrap_or_default();
        processor_seconds(|| sums.add(rows, run.iter().map(|&row| row as usize)))
    });
    Ok(1e-9 * (count * width * (width + 1)) as f64 / seconds)
}

/// Gflop/s of the rows of a job with stages, images of w bytes: what tasks of many samples take
/// longer than those of few.
fn staged(width: usize, budget: Duration) -> Result<f64, Fault> {
    const SAMPLES: [u32; 2] = [2_000, 20_000];
    const ROWS: u32 = 45_000;
    let mut random = SplitMix::new(4);
    let directory = tempfile::tempdir()?;
    let write = |name: &str, shape: &[u32], bytes: &[u8]| -> Result<String, Fault> {
        let path = directory.path().join(name);
        std::fs::write(&path, idx(shape, bytes))?;
        Ok(path.display().to_string())
    };
    let images: Vec<u8> = (0..ROWS as usize * width).map(|_| byte(random.uniform())).collect();
    let classes: Vec<u8> = (0..=9).cycle().take(ROWS as usize).collect();
    let text = format!(
        "[data]\nsource = \"idx\"\nimages = {:?}\nlabels = {:?}\n\
         [augmentation]\nstages = [ {{ kind = \"additive\", variance = 0.01 }} ]\n\
         [model]\nparadigms = [\"supervised\"]\ndimension = 10\n[output]\nmetrics = [\"distance\"]\n",
        write("images", &[ROWS, 2, u32::try_from(width / 2)?], &images)?,
        write("labels", &[ROWS], &classes)?
    );
    let job = |samples: u32| {
        let set = [format!("grid.samples={samples}"), "job.replicates=1".to_owned()];
        eigensweep_job::parse("gram-rates.toml", &text, &set, Path::new(""))
            .map_err(|error| error.to_string())
    };
    let input = Arc::new(Input::load(&job(SAMPLES[1])?)?);
    let mut seconds = [0.0; 2];
    for (seconds, samples) in seconds.iter_mut().zip(SAMPLES) {
        let job = job(samples)?;
        let plan = Plan::new(&job.spec, input.extents())?;
        let simulation = Simulation::new(&job.spec, Arc::clone(&input), plan);
        let (mut workspace, mut batch) = (Workspace::new(&simulation), simulation.new_batch());
        *seconds =
            fastest(budget, || processor_seconds(|| simulation.run_task(0, &mut workspace, &mut batch)));
    }
    let rows = f64::from(SAMPLES[1] - SAMPLES[0]);
    Ok(1e-9 * rows * (width * (width + 1)) as f64 / (seconds[1] - seconds[0]))
}

/// Gflop/s of a product of two w × w matrices.
fn dense_product(width: usize, budget: Duration) -> f64 {
    let mut random = SplitMix::new(2);
    let (left, right) = (random.matrix(width, width), random.matrix(width, width));
    let mut to = Mat::zeros(width, width);
    let seconds = fastest(budget, || {
        processor_seconds(|| {
            let isa = InstructionSet::detect();
            product(isa, to.as_mut(), Accum::Replace, left.as_ref(), right.as_ref());
        })
    });
    2e-9 * (width as f64).powi(3) / seconds
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let budget = Duration::from_secs_f64(arguments.seconds);
    let peak = Limits::measure(InstructionSet::detect(), budget / 3).peak;
    println!("| w | rows held as | Gflop/s | of the product | of the peak |");
    println!("|---:|---|---:|---:|---:|");
    for &width in &arguments.widths {
        let reference = dense_product(width, budget);
        let line = |what: &str, rate: f64| {
            let shares = [rate / reference, rate / peak].map(|share| (100.0 * share).round());
            println!("| {width} | {what} | {rate:.1} | {} % | {} % |", shares[0], shares[1]);
        };
        line("(a product)", reference);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
        let rows = |bytes: f64| (1e6 * arguments.megabytes as f64 / (bytes * width as f64)) as usize + 1;
        let labels = |rows: usize| -> Result<Labels, Fault> {
            Ok(Labels::Classes(ClassLabels::new((0..10).cycle().take(rows).collect())?))
        };
        let doubles = SplitMix::new(3).matrix(width, rows(8.0));
        let doubles = Dense::from_matrix(doubles.transpose())?;
        let rows_of_doubles = LabelledRows::with_labels(&doubles, &labels(doubles.samples())?)?;
        line("doubles, centred before", gram(&rows_of_doubles, budget)?);
        for (name, bytes, source) in CASES {
            let source = source(rows(bytes), width)?;
            let labels = labels(source.samples())?;
            line(name, gram(&LabelledRows::centred(source, &labels)?, budget)?);
        }
        if arguments.stages && width % 2 == 0 {
            line("bytes, job with stages", staged(width, budget)?);
        }
    }
    println!("\n{}; peak {peak:.1} Gflop/s", processor());
    Ok(())
}

fn main() -> ExitCode {
    exit(run(&Arguments::parse()).map(|()| true))
}
