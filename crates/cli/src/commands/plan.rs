//! `plan`: what a job would take, from its grid and a calibration of about a second on one thread.

use std::time::{Duration, Instant};

use eigensweep_engine::estimate::{CALIBRATION, Estimate, Shards};
use eigensweep_engine::facts::facts;
use eigensweep_engine::input::Input;
use eigensweep_engine::samples::Samples;
use eigensweep_engine::signal::{Signal, signals};
use eigensweep_engine::simulation::Simulation;
use eigensweep_engine::simulation::stages::{ChainTiers, tiers};
use eigensweep_engine::study::Study;
use eigensweep_job::JobSpec;
use eigensweep_job::stages::StagesSpec;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::counted;
use eigensweep_store::grid::GridAxis;
use eigensweep_store::plan::Plan as Division;
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::{data, relative_scales, table};
use crate::args::Plan;
use crate::exit::Exit;
use crate::job;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Plan) -> Result<Exit, CommandError> {
    let job = job::read(&arguments.file.job, &arguments.file.set)?;
    let spec = job.spec.clone();
    let facts = facts(&job)?;
    let clock = Instant::now();
    let planned = Study::load(job)?.plan()?;
    let simulation = planned.simulation();
    let loading = clock.elapsed();
    let threads = arguments.threads.unwrap_or_else(eigensweep_host::threads);
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

    let estimate = Estimate::new(&planned, threads, eigensweep_host::clock)?;
    let line = |name: &str, value: String| table::print(&format!("{name:<10}{value}"));
    line("rows", HumanCount(estimate.rows).to_string());
    line(
        "tasks",
        format!("{} of {} each", HumanCount(estimate.tasks), counted(estimate.rows_per_task, "row")),
    );
    line(
        "parts",
        format!("{} of {} each", HumanCount(estimate.parts), counted(estimate.rows_per_part, "row")),
    );
    line("disk", format!("about {}", HumanBytes(estimate.bytes)));
    line("memory", format!("about {} with {threads} threads", HumanBytes(estimate.memory)));
    line(
        "time",
        format!(
            "about {} with {threads} threads ({:.3} ms a row and thread)",
            duration(estimate.seconds),
            1e3 * estimate.seconds_per_row()
        ),
    );
    if loading.as_secs_f64() > CALIBRATION / 10.0 {
        line("loading", format!("{:.1} s before that", loading.as_secs_f64()));
    }
    if arguments.shards > 1 {
        line("shards", shards(plan, estimate.shards(plan, arguments.shards)));
    }
    let (identity, root) = (planned.identity(), spec.default_output());
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

/// How unlike the shards are.
fn shards(plan: &Division, Shards { count, empty, parts, seconds }: Shards) -> String {
    let idle = match empty {
        0 => String::new(),
        _ => {
            let are = if plan.parts == 1 { "is all there is" } else { "are all there are" };
            format!("; {empty} of them have nothing to do: {} {are}", counted(plan.parts, "part"))
        }
    };
    let between = |[least, most]: [String; 2]| {
        if least == most { most } else { format!("{least} to {most}") }
    };
    let noun = if parts[1] == 1 { "part" } else { "parts" };
    let parts = between(parts.map(|count| count.to_string()));
    format!("{count} of {parts} {noun}, about {} each{idle}", between(seconds.map(duration)))
}

fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time < Duration::from_secs(10) => format!("{seconds:.1} seconds"),
        time => HumanDuration(time.unwrap_or(Duration::MAX)).to_string(),
    }
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
