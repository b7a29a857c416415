//! Microseconds a problem of eigensweep's kernels beside faer's and LAPACK's, and the kernels
//! beside the machine's limits, as Markdown tables.
//!
//! Everything runs on one thread. All programs are measured at a size right after one another, in
//! rounds, and the best of each counts: a slow minute of a shared machine meets all of them.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use eigensweep_benches::faer_tasks::FaerTasks;
use eigensweep_benches::kernels::FullBatch;
use eigensweep_benches::lapack::{self, PencilTimes, Times};
use eigensweep_benches::limits::Limits;
use eigensweep_benches::machine::{processor, python_versions};
use eigensweep_benches::pencils::FullPencils;
use eigensweep_benches::roofline::Measured;
use eigensweep_benches::tasks::{Task, shape};
use eigensweep_benches::{Fault, exit};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::lanes::measure::{Kernel, Shape};
use eigensweep_spectral::scaled::LARGEST_IN_LANES;

/// Microseconds a problem: eigensweep, faer and LAPACK, one thread each; and eigensweep's kernels
/// beside the machine's limits.
///
/// Prints Markdown tables (tasks, general pencils, kernels, crossover); progress goes to stderr. ℓ
/// = 10, and k = d/2 unless --counts says otherwise.
#[derive(Debug, Parser)]
#[command(after_help = "An empty list of sizes (`--crossover-sizes ''`) leaves its table out.\n\n\
                  Example: kernel-rates --python venv/bin/python --sizes 32,100 --seconds 0.1")]
struct Arguments {
    /// Sizes d of the tasks
    #[arg(long, value_name = "LIST", default_value = "8,16,32,50,64,100,128,200,256")]
    sizes: Sizes,
    /// Leading directions k of the tasks and pencils: numbers, or `half` for d/2
    #[arg(long, value_name = "LIST", default_value = "half")]
    counts: Counts,
    /// Sizes d of general pencils
    #[arg(long, value_name = "LIST", default_value = "50,100,200")]
    pencil_sizes: Sizes,
    /// Leaves faer out of the tasks
    #[arg(long)]
    no_faer: bool,
    /// Sizes d of the single kernels
    #[arg(long, value_name = "LIST", default_value = "32,64,100,200")]
    roofline_sizes: Sizes,
    /// Sizes d at which lanes are compared with faer's blocked algorithms
    #[arg(long, value_name = "LIST", default_value = "100,160,200,256,320,400,512")]
    crossover_sizes: Sizes,
    /// Interpreter that runs LAPACK, with NumPy and SciPy
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Leaves LAPACK out
    #[arg(long)]
    no_python: bool,
    /// Budget of a single measurement
    #[arg(long, value_name = "SECONDS", default_value = "0.3", value_parser = budget)]
    seconds: Duration,
    /// Times that each size is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Instruction set of eigensweep: portable, avx2, avx512 or neon [default: the widest]
    #[arg(long, value_name = "NAME", value_parser = instruction_set)]
    instruction_set: Option<InstructionSet>,
}

/// Sizes d, from 2 on.
#[derive(Clone, Debug)]
struct Sizes(Vec<usize>);

impl std::str::FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let size = |word: &str| match word.parse() {
            Ok(size @ 2..=4096) => Ok(size),
            _ => Err(format!("`{word}` is not a size from 2 to 4096; give a list as in 16,32,100")),
        };
        words.map(size).collect::<Result<_, _>>().map(Self)
    }
}

/// Numbers k of leading directions; `None` is d/2.
#[derive(Clone, Debug)]
struct Counts(Vec<Option<usize>>);

impl Counts {
    /// The shapes of a size.
    fn shapes(&self, size: usize) -> impl Iterator<Item = Shape> {
        let shape = move |&count: &Option<usize>| match count {
            None => Some(shape(size)),
            Some(count) => (count <= size).then_some(Shape { count, ..shape(size) }),
        };
        self.0.iter().filter_map(shape)
    }
}

impl std::str::FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = |word: &str| match (word, word.parse()) {
            ("half", _) => Ok(None),
            (_, Ok(count @ 1..=4096)) => Ok(Some(count)),
            _ => {
                Err(format!("`{word}` is no number from 1 to 4096, nor `half`; give a list as in 10,50,half"))
            }
        };
        text.split(',').map(str::trim).map(count).collect::<Result<_, _>>().map(Self)
    }
}

fn budget(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|budget| *budget <= Duration::from_secs(60))
        .ok_or_else(|| "give seconds from 0 to 60".to_owned())
}

fn instruction_set(text: &str) -> Result<InstructionSet, String> {
    let available = InstructionSet::available();
    let names: Vec<&str> = available.iter().map(|set| set.name()).collect();
    let found = available.iter().find(|set| set.name() == text);
    found.copied().ok_or_else(|| format!("this machine has {}", names.join(", ")))
}

fn main() -> ExitCode {
    exit(measure(&Arguments::parse()).map(|()| true))
}

fn measure(arguments: &Arguments) -> Result<(), Fault> {
    let instruction_set = arguments.instruction_set.unwrap_or_default();
    let peers = !arguments.sizes.0.is_empty() || !arguments.pencil_sizes.0.is_empty();
    let python = match arguments.no_python || !peers {
        true => None,
        false => Some(
            python_versions(&arguments.python)
                .map_err(|fault| format!("{fault}; --no-python leaves LAPACK out"))?,
        ),
    };
    eprintln!("limits of the machine …");
    let limits = Limits::measure(instruction_set, arguments.seconds);
    if !arguments.sizes.0.is_empty() {
        tasks(arguments, instruction_set, python.is_some())?;
    }
    if !arguments.pencil_sizes.0.is_empty() {
        pencils(arguments, instruction_set, python.is_some())?;
    }
    if !arguments.roofline_sizes.0.is_empty() {
        kernels(arguments, instruction_set, &limits);
    }
    if !arguments.crossover_sizes.0.is_empty() {
        crossover(arguments, instruction_set)?;
    }
    let python = python.map_or_else(String::new, |versions| format!("; {versions}"));
    println!("{}{python}; eigensweep on {}. {limits}.", processor(), instruction_set.name());
    Ok(())
}

/// A number of microseconds with three digits; a dash if there is none.
fn microseconds(seconds: f64) -> String {
    match 1e6 * seconds {
        x if !x.is_finite() => "–".to_owned(),
        x if x < 9.995 => format!("{x:.2}"),
        x if x < 99.95 => format!("{x:.1}"),
        x => format!("{x:.0}"),
    }
}

/// How many times as long, as a cell; a dash if there is no such number.
fn ratio(theirs: f64, own: f64) -> String {
    if (theirs / own).is_finite() { format!("{:.2}", theirs / own) } else { "–".to_owned() }
}

/// The smaller of what there is.
fn least<T>(best: Option<T>, found: T, min: fn(T, T) -> T) -> Option<T> {
    Some(match best {
        Some(best) => min(best, found),
        None => found,
    })
}

/// Best seconds a problem of a shape.
struct Best {
    own: [f64; 3],
    faer: [f64; 3],
    faer_decomposition: f64,
    lapack: Option<Times>,
}

impl Best {
    fn new() -> Self {
        let none = f64::INFINITY;
        Self { own: [none; 3], faer: [none; 3], faer_decomposition: none, lapack: None }
    }
}

/// The table of tasks.
fn tasks(arguments: &Arguments, instruction_set: InstructionSet, python: bool) -> Result<(), Fault> {
    println!("## Microseconds a problem\n");
    println!(
        "| d | k | joint-embedding | faer evd | faer | dsyevd | LAPACK | dsyevd / own | LAPACK / own | reconstruction | faer \
         | LAPACK | LAPACK / own | supervised | faer | LAPACK | LAPACK / own | LAPACK's fastest |"
    );
    println!("|{}---|", "---:|".repeat(17));
    let sizes = &arguments.sizes.0;
    for shape in sizes.iter().flat_map(|&size| arguments.counts.shapes(size)) {
        let Shape { size, count, .. } = shape;
        let mut best = Best::new();
        let mut faer = (!arguments.no_faer).then(|| FaerTasks::new(shape));
        for round in 1..=arguments.rounds {
            eprintln!("tasks: d = {size}, k = {count}, round {round} …");
            for (n, task) in Task::ALL.into_iter().enumerate() {
                // One at a time: a batch of large problems takes hundreds of megabytes.
                let own = FullBatch::new(task, instruction_set, shape).measure(arguments.seconds)?;
                best.own[n] = best.own[n].min(own);
                if let Some(faer) = &mut faer {
                    best.faer[n] = best.faer[n].min(faer.measure(task, arguments.seconds)?);
                }
            }
            if let Some(faer) = &mut faer {
                let decomposition = faer.measure_decomposition(arguments.seconds)?;
                best.faer_decomposition = best.faer_decomposition.min(decomposition);
            }
            if python {
                let times = lapack::measure(&arguments.python, shape, arguments.seconds)?;
                best.lapack = least(best.lapack, times, Times::min);
            }
        }
        let mut cells = vec![size.to_string(), count.to_string()];
        for (n, task) in Task::ALL.into_iter().enumerate() {
            let none = f64::INFINITY;
            let own = best.own[n];
            let (lapack, dsyevd) =
                best.lapack.as_ref().map_or((none, none), |times| (times.of(task), times.decomposition));
            let first = task == Task::JointEmbedding;
            cells.push(microseconds(own));
            cells.extend(first.then(|| microseconds(best.faer_decomposition)));
            cells.push(microseconds(best.faer[n]));
            cells.extend(first.then(|| microseconds(dsyevd)));
            cells.push(microseconds(lapack));
            cells.extend(first.then(|| ratio(dsyevd, own)));
            cells.push(ratio(lapack, own));
        }
        cells.push(best.lapack.map_or_else(|| "–".to_owned(), |times| times.ways));
        println!("| {} |", cells.join(" | "));
    }
    println!();
    Ok(())
}

/// The table of general pencils.
fn pencils(arguments: &Arguments, instruction_set: InstructionSet, python: bool) -> Result<(), Fault> {
    println!("## Microseconds a general pencil\n");
    println!("| d | k | eigensweep | dsygvd | LAPACK | dsygvd / own | LAPACK / own | LAPACK's fastest |");
    println!("|{}---|", "---:|".repeat(7));
    let sizes = &arguments.pencil_sizes.0;
    for shape in sizes.iter().flat_map(|&size| arguments.counts.shapes(size)) {
        let Shape { size, count, .. } = shape;
        let mut batch = FullPencils::new(instruction_set, shape);
        let (mut own, mut lapack) = (f64::INFINITY, None);
        for round in 1..=arguments.rounds {
            eprintln!("pencils: d = {size}, k = {count}, round {round} …");
            own = own.min(batch.measure(arguments.seconds)?);
            if python {
                let times = lapack::measure_pencil(&arguments.python, shape, arguments.seconds)?;
                lapack = least(lapack, times, PencilTimes::min);
            }
        }
        let none = f64::INFINITY;
        let (dsygvd, task) =
            lapack.as_ref().map_or((none, none), |times: &PencilTimes| (times.decomposition, times.task));
        println!(
            "| {size} | {count} | {} | {} | {} | {} | {} | {} |",
            microseconds(own),
            microseconds(dsygvd),
            microseconds(task),
            ratio(dsygvd, own),
            ratio(task, own),
            lapack.map_or_else(|| "–".to_owned(), |times| times.way),
        );
    }
    println!();
    Ok(())
}

/// The table of kernels.
fn kernels(arguments: &Arguments, instruction_set: InstructionSet, limits: &Limits) {
    println!("## Kernels\n");
    println!(
        "| kernel | d | µs a problem | kflop | Gflop/s | of the peak | kB | GB/s | working set | GB/s there | bound, Gflop/s | \
         of the bound |"
    );
    println!("|---|{}---|{}", "---:|".repeat(7), "---:|".repeat(3));
    for kernel in Kernel::ALL {
        eprintln!("kernels: {} …", kernel.name());
        for &size in &arguments.roofline_sizes.0 {
            let rounds = (0..arguments.rounds)
                .map(|_| Measured::measure(kernel, instruction_set, shape(size), arguments.seconds));
            let Some(best) = rounds.min_by(|a, b| a.seconds.total_cmp(&b.seconds)) else { continue };
            let placed = best.place(limits);
            println!(
                "| {} | {size} | {} | {:.1} | {:.1} | {:.0} % | {:.1} | {:.1} | {:.0} KiB, {} | {:.0} | {:.1} | {:.0} % |",
                kernel.name(),
                microseconds(best.seconds),
                1e-3 * best.counts.flops,
                placed.rate,
                100.0 * placed.share_of_peak,
                1e-3 * best.counts.bytes,
                placed.traffic,
                best.working_set / 1024.0,
                placed.level.name,
                placed.level.bandwidth(),
                placed.bound,
                100.0 * placed.share_of_bound,
            );
        }
    }
    println!();
}

/// The table of crossovers.
fn crossover(arguments: &Arguments, instruction_set: InstructionSet) -> Result<(), Fault> {
    println!("## Crossover\n");
    println!("Sizes up to {LARGEST_IN_LANES} are solved in lanes.\n");
    println!("| d | joint-embedding | faer | faer / own | reconstruction | faer | faer / own |");
    println!("|{}", "---:|".repeat(7));
    for &size in &arguments.crossover_sizes.0 {
        let measured = [Task::JointEmbedding, Task::Reconstruction];
        let mut batches = measured.map(|task| FullBatch::new(task, instruction_set, shape(size)));
        let mut faer = FaerTasks::new(shape(size));
        let mut best = [[f64::INFINITY; 2]; 2];
        for round in 1..=arguments.rounds {
            eprintln!("crossover: d = {size}, round {round} …");
            for (n, task) in measured.into_iter().enumerate() {
                best[n][0] = best[n][0].min(batches[n].measure(arguments.seconds)?);
                best[n][1] = best[n][1].min(faer.measure(task, arguments.seconds)?);
            }
        }
        let cells: Vec<String> = best
            .iter()
            .flat_map(|&[own, faer]| [microseconds(own), microseconds(faer), ratio(faer, own)])
            .collect();
        println!("| {size} | {} |", cells.join(" | "));
    }
    println!();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Counts, Sizes, budget, instruction_set, microseconds, ratio};

    #[test]
    fn lists_of_sizes_are_read() {
        assert_eq!("16, 32,100".parse::<Sizes>().unwrap().0, [16, 32, 100]);
        assert!("".parse::<Sizes>().unwrap().0.is_empty());
        for text in ["1", "16,x", "5000", "-3"] {
            assert!(text.parse::<Sizes>().is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_numbers_or_half_and_no_larger_than_the_size() {
        let counts: Counts = "10, 50,half".parse().unwrap();
        let of = |size| counts.shapes(size).map(|shape| shape.count).collect::<Vec<_>>();
        assert_eq!((of(100), of(20)), (vec![10, 50, 50], vec![10, 10]));
        for text in ["", "0", "third", "10,,5"] {
            assert!(text.parse::<Counts>().is_err(), "{text}");
        }
    }

    #[test]
    fn budgets_are_seconds() {
        assert_eq!(budget("0.25").unwrap().as_millis(), 250);
        for text in ["-1", "nan", "61", "soon"] {
            assert!(budget(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instruction_sets_are_those_of_the_machine() {
        assert_eq!(instruction_set("portable").unwrap().name(), "portable");
        assert!(instruction_set("mmx").unwrap_err().contains("portable"));
    }

    #[test]
    fn cells_have_three_digits_or_a_dash() {
        assert_eq!(
            [1.234e-6, 9.997e-6, 12.34e-6, 123.4e-6].map(microseconds),
            ["1.23", "10.0", "12.3", "123"]
        );
        assert_eq!((microseconds(f64::INFINITY), ratio(f64::INFINITY, 1.0)), ("–".into(), "–".into()));
        assert_eq!(ratio(3.0, 2.0), "1.50");
    }
}
