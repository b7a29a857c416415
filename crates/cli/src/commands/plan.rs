//! `plan`: what a job would take, from its grid and a calibration of about a second on one thread.

use std::path::Path;
use std::time::{Duration, Instant};

use eigensweep_engine::facts::facts;
use eigensweep_engine::input::Input;
use eigensweep_engine::sample::encode_sample;
use eigensweep_engine::samples::Samples;
use eigensweep_engine::signal::{Signal, signals};
use eigensweep_engine::simulation::stages::{ChainTiers, tiers};
use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_engine::study::{Planned, Study};
use eigensweep_job::JobSpec;
use eigensweep_job::stages::StagesSpec;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::counted;
use eigensweep_store::grid::GridAxis;
use eigensweep_store::plan::Plan as Division;
use eigensweep_store::shard::Shard;
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::{data, relative_scales, table};
use crate::args::Plan;
use crate::exit::Exit;
use crate::progress::whole;
use crate::report::CommandError;
use crate::{cluster, job};

/// Time after which the calibration begins no other task.
const CALIBRATION: Duration = Duration::from_secs(1);

pub(crate) fn call(arguments: &Plan) -> Result<Exit, CommandError> {
    let job = job::read(&arguments.file.job, &arguments.file.set)?;
    let spec = job.spec.clone();
    let facts = facts(&job)?;
    let clock = Instant::now();
    let planned = Study::load(job)?.plan()?;
    let simulation = planned.simulation();
    let loading = clock.elapsed();
    let threads = arguments.threads.unwrap_or_else(cluster::threads);
    let plan = simulation.plan();
    let grid = &plan.grid;
    let mut table = table::new(&["axis".to_owned(), "values".to_owned()], 1);
    table.add_row(["replicate".to_owned(), HumanCount(grid.replicates).to_string()]);
    for axis in &grid.axes {
        table.add_row([axis.name.to_owned(), values(axis)]);
    }
    let paradigms: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name).collect();
    table.add_row(["paradigm".to_owned(), paradigms.join(", ")]);
    table::print(&table.to_string());
    relative_scales(&spec);
    if let Some(facts) = &facts {
        data::print(facts);
    }
    match (&**simulation.input(), spec.stages()) {
        (Input::Samples(samples), Some(staged)) => print_samples(&spec, staged, samples),
        (Input::Samples(_) | Input::Rows { .. } | Input::Synthetic { .. }, _) => {
            print_signals(&spec, simulation);
        }
    }

    let seconds_per_flop = match spec.stages() {
        None => calibrate(simulation),
        Some(_) => calibrate_cell(&planned)?,
    };
    let seconds = |flops: f64| flops * seconds_per_flop / threads as f64;
    let total = seconds(plan.cost.total());
    let rows = grid.rows();
    let line = |name: &str, value: String| table::print(&format!("{name:<10}{value}"));
    line("rows", HumanCount(rows).to_string());
    line("tasks", format!("{} of {} each", HumanCount(plan.tasks), counted(plan.rows_per_task(), "row")));
    let part_rows = plan.part_rows(0);
    line("parts", format!("{} of {} each", HumanCount(plan.parts), counted(part_rows.end, "row")));
    let sample = seconds_per_flop * plan.cost.total() / plan.units as f64;
    let bytes = match spec.stages() {
        None => sample_bytes(&spec, simulation, CALIBRATION.as_secs_f64() / sample)?,
        // A part takes long; values hardly compress.
        Some(_) => 8.0 * simulation.no_rows().metrics().len() as f64,
    };
    let bytes = rows as f64 * bytes;
    line("disk", format!("about {}", HumanBytes(whole(bytes))));
    line("memory", format!("about {} with {threads} threads", HumanBytes(simulation.memory_bytes(threads))));
    let row_milliseconds = total * threads as f64 * 1e3 / rows as f64;
    line(
        "time",
        format!(
            "about {} with {threads} threads ({row_milliseconds:.3} ms a row and thread)",
            duration(total)
        ),
    );
    if loading > CALIBRATION / 10 {
        line("loading", format!("{:.1} s before that", loading.as_secs_f64()));
    }
    if arguments.shards > 1 {
        line("shards", shards(plan, arguments.shards, &|flops| duration(seconds(flops))));
    }
    let (identity, root) = (planned.identity(), Path::new("output").join(&spec.job.name));
    // What is there of another study, or cannot be read, is `run`'s to refuse.
    let there = Dataset::read(&root, false).ok().map(|(dataset, _)| dataset);
    if let Some(there) = there.filter(|there| there.identity().study == identity.study) {
        let (done, root) = (counted(there.rows_done(), "row"), root.display());
        line("there", format!("{done} of this study are in {root} already"));
    }
    line("job hash", identity.hash);
    Ok(Exit::Success)
}

/// What rows are like, and how the moments of their views are found.
fn print_samples(spec: &JobSpec, staged: &StagesSpec, samples: &Samples) {
    let Samples { shape, training, held_out, .. } = samples;
    let held = held_out.as_ref().map_or(0, |rows| rows.len() as u64);
    let words = format!(
        "{} of {} × {} × {}, {} held out; mean variance {} a feature, {} without any",
        counted(training.len() as u64, "row"),
        shape.channels,
        shape.rows,
        shape.columns,
        HumanCount(held),
        table::number(samples.mean_variance()),
        samples.constant(),
    );
    table::print(&format!("samples   {words}"));
    for ChainTiers { paradigms, stages } in tiers(spec, staged, samples) {
        let stages: Vec<String> =
            stages.iter().map(|(name, tier)| format!("{name} {}", tier.name())).collect();
        let stages =
            if stages.is_empty() { "none: the samples themselves".to_owned() } else { stages.join(", ") };
        let names: Vec<&str> = paradigms.iter().map(|paradigm| paradigm.name).collect();
        table::print(&format!("views     {}: {stages}", names.join(", ")));
    }
}

/// What the clean data are like, so that scales of noise and views can be chosen.
fn print_signals(spec: &JobSpec, simulation: &Simulation) {
    /// Most settings of the data that are shown.
    const SHOWN: usize = 4;
    let (signals, settings) = signals(spec, simulation.input(), SHOWN);
    for signal in &signals {
        let axes = simulation.plan().grid.axes.iter().filter(|axis| axis.values.count() > 1);
        let axes: Vec<&str> = axes.map(|axis| axis.name).collect();
        let at = signal.axes.iter().filter(|(name, _)| axes.contains(name));
        let at: Vec<String> =
            at.map(|(name, value)| format!("{name} = {}", table::coordinate(*value))).collect();
        let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(", ")) };
        table::print(&format!("signal    {}{at}", variances(signal, spec.model.dimension.values())));
        table::print(&format!("labels    {}", label_power(signal)));
    }
    if settings > signals.len() as u64 {
        table::print(&format!("          (the first {} of {settings} settings of the data)", signals.len()));
    }
}

/// The spectrum of the signal in words: its ends, what stands at each k, and its trace.
fn variances(signal: &Signal, dimensions: &[i64]) -> String {
    /// Most dimensions of which the variance is shown.
    const SHOWN: usize = 3;
    let Signal { components, trace, variances, .. } = signal;
    let trace = table::number(*trace);
    let (Some(&largest), Some(&smallest)) = (variances.first(), variances.last()) else {
        return format!("variance {trace} in {components} features, not decomposed");
    };
    let mut text = format!("variances {} (largest)", table::number(largest));
    for &k in dimensions.iter().take(SHOWN) {
        let at = usize::try_from(k).ok().filter(|&k| k > 1 && k < *components);
        if let Some(kth) = at.and_then(|k| variances.get(k - 1)) {
            text.push_str(&format!(", {} (component {k}, k)", table::number(*kth)));
        }
    }
    format!("{text}, {} (smallest), {trace} in all {components}", table::number(smallest))
}

/// Where the labels' power stands, in words.
fn label_power(signal: &Signal) -> String {
    let Signal { variances, label_power, label_mean, explained, .. } = signal;
    let mut text = format!("power {} a sample", table::number(*label_power));
    if *label_mean > 1e-12 * label_power {
        text.push_str(&format!(
            ", of it {} their mean, which every loss contains",
            table::number(*label_mean)
        ));
    }
    let along: f64 = explained.iter().sum();
    let (Some(first), Some(last)) = (explained.first(), explained.last()) else { return text };
    text.push_str(&format!("; {} along the signal, ", table::number(along)));
    if first.to_bits() == last.to_bits() && explained.iter().all(|power| power.to_bits() == first.to_bits()) {
        return text + "on average the same in each component";
    }
    let mut sum = 0.0;
    let half = explained.iter().position(|power| {
        sum += power;
        sum >= along / 2.0
    });
    let half = half.unwrap_or(0);
    let variance = variances.get(half).copied().unwrap_or(f64::NAN);
    let strongest = if half == 0 {
        "strongest component".to_owned()
    } else {
        format!("{} strongest components", half + 1)
    };
    format!("{text}half of it in the {strongest} (variance {} and more)", table::number(variance))
}

/// Bytes a row of a part that is computed and encoded in a temporary directory: as many units as
/// fit in the time, up to a part.
fn sample_bytes(spec: &JobSpec, simulation: &Simulation, units: f64) -> Result<f64, CommandError> {
    let plan = simulation.plan();
    let units = whole(units.max(1.0)).min(plan.units_per_part);
    let mut sample = spec.rounds().swap_remove(0);
    sample.output.part_rows = units * plan.grid.rows_per_unit;
    let directory = tempfile::tempdir().map_err(|source| CommandError::Io {
        action: "create a directory in",
        path: std::env::temp_dir(),
        source,
    })?;
    let encoded = encode_sample(&sample, simulation.input(), directory.path())?;
    Ok(encoded.bytes as f64 / encoded.rows as f64)
}

/// How unlike the shards are.
fn shards(plan: &Division, count: u64, time: &dyn Fn(f64) -> String) -> String {
    let mut empty = 0;
    let (mut least, mut most) = ((u64::MAX, f64::INFINITY), (0, 0.0_f64));
    for index in 1..=count {
        // Cannot fail: 1 ≤ index ≤ count.
        let Ok(shard) = Shard::new(index, count) else { continue };
        let parts = shard.parts(plan);
        let flops = plan.cost.before(plan.part_units(parts.end).start.min(plan.units))
            - plan.cost.before(plan.part_units(parts.start).start.min(plan.units));
        empty += u64::from(parts.is_empty());
        let number = parts.end - parts.start;
        least = (least.0.min(number), least.1.min(flops));
        most = (most.0.max(number), most.1.max(flops));
    }
    let idle = match empty {
        0 => String::new(),
        _ => {
            let are = if plan.parts == 1 { "is all there is" } else { "are all there are" };
            format!("; {empty} of them have nothing to do: {} {are}", counted(plan.parts, "part"))
        }
    };
    let between =
        |least: String, most: String| if least == most { most } else { format!("{least} to {most}") };
    let noun = if most.0 == 1 { "part" } else { "parts" };
    let parts = between(least.0.to_string(), most.0.to_string());
    format!("{count} of {parts} {noun}, about {} each{idle}", between(time(least.1), time(most.1)))
}

fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time < Duration::from_secs(10) => format!("{seconds:.1} seconds"),
        time => HumanDuration(time.unwrap_or(Duration::MAX)).to_string(),
    }
}

/// Seconds per estimated flop on one thread: over tasks spread evenly over the whole job, after one
/// to warm up.
fn calibrate(simulation: &Simulation) -> f64 {
    /// Fractional part of the golden ratio: its multiples, modulo 1, are spread more evenly than
    /// those of any other number.
    const SPREAD: f64 = 0.618_033_988_749_894_9;
    let plan = simulation.plan();
    let flops = |task: u64| {
        let units = plan.task_units(task);
        plan.cost.before(units.end) - plan.cost.before(units.start)
    };
    let mut workspace = Workspace::new(simulation);
    let mut batch = simulation.new_batch();
    let begun = Instant::now();
    simulation.run_task(0, &mut workspace, &mut batch);
    let warm_up = begun.elapsed();
    if warm_up > CALIBRATION {
        return warm_up.as_secs_f64() / flops(0);
    }
    let (clock, mut counted, mut place) = (Instant::now(), 0.0, SPREAD);
    while clock.elapsed() < CALIBRATION {
        let task = whole((place * plan.tasks as f64).floor()).min(plan.tasks - 1);
        simulation.run_task(task, &mut workspace, &mut batch);
        counted += flops(task);
        place = (place + SPREAD).fract();
    }
    clock.elapsed().as_secs_f64() / counted
}

/// The same of a job with stages, whose tasks may take minutes: over one cell, the first.
fn calibrate_cell(planned: &Planned) -> Result<f64, CommandError> {
    let first = planned.simulation().plan().grid.first_replicate;
    let mut cell = planned.cell(first, |_| 0)?;
    let begun = Instant::now();
    cell.compute();
    Ok(begun.elapsed().as_secs_f64() / cell.flops())
}

/// The first values of an axis, and how many there are.
fn values(axis: &GridAxis) -> String {
    const SHOWN: u64 = 6;
    let count = axis.values.count();
    #[expect(clippy::cast_possible_truncation, reason = "an axis' length is a usize")]
    let text = |index: u64| table::coordinate(axis.values.as_float(index as usize));
    if count <= SHOWN {
        return (0..count).map(text).collect::<Vec<_>>().join(", ");
    }
    let head: Vec<_> = (0..SHOWN - 2).map(text).collect();
    format!("{}, … {} ({count} values)", head.join(", "), text(count - 1))
}
