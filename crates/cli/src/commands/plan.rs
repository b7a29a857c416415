//! `plan`: what a job would take, from its grid and a calibration of about a second on one thread.

use std::time::{Duration, Instant};

use eigensweep_engine::grid::GridAxis;
use eigensweep_engine::simulation::{Simulation, Workspace};
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::table;
use crate::args::Plan;
use crate::exit::Exit;
use crate::progress::whole;
use crate::report::CommandError;
use crate::{cluster, job};

/// Time after which the calibration begins no other task.
const CALIBRATION: Duration = Duration::from_secs(1);

pub(crate) fn call(arguments: &Plan) -> Result<Exit, CommandError> {
    let job = job::read(&arguments.file.job, &arguments.file.set)?;
    let (simulation, identity) = job::prepare(&job)?;
    let threads = arguments.threads.unwrap_or_else(cluster::threads);
    let plan = simulation.plan();
    let grid = &plan.grid;
    let mut table = table::new(&["axis".to_owned(), "values".to_owned()], 1);
    table.add_row(["replicate".to_owned(), HumanCount(grid.replicates).to_string()]);
    for axis in &grid.axes {
        table.add_row([axis.name.to_owned(), values(axis)]);
    }
    let paradigms: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name()).collect();
    table.add_row(["paradigm".to_owned(), paradigms.join(", ")]);
    table::print(&table.to_string());

    let seconds_per_task = calibrate(&simulation);
    let seconds = seconds_per_task * plan.tasks as f64 / threads as f64;
    let rows = grid.rows();
    let line = |name: &str, value: String| table::print(&format!("{name:<10}{value}"));
    line("rows", HumanCount(rows).to_string());
    line("tasks", format!("{} of {} rows each", HumanCount(plan.tasks), HumanCount(plan.rows_per_task())));
    line("parts", HumanCount(plan.parts).to_string());
    let bytes = whole(rows as f64 * simulation.bytes_per_row());
    line("disk", format!("about {}", HumanBytes(bytes)));
    let memory = simulation.memory_bytes(threads);
    line("memory", format!("about {} with {threads} threads", HumanBytes(memory)));
    let elapsed = HumanDuration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    line(
        "time",
        format!("about {elapsed} with {threads} threads ({:.3} ms a row and thread)", {
            seconds_per_task * 1e3 / plan.rows_per_task() as f64
        }),
    );
    line("job hash", identity.hash);
    Ok(Exit::Success)
}

/// Mean seconds of a task: tasks spread evenly over one replicate, after one to warm up.
fn calibrate(simulation: &Simulation) -> f64 {
    let plan = simulation.plan();
    let mut workspace = Workspace::new(simulation);
    let mut batch = simulation.new_batch();
    let in_replicate = (plan.grid.rows_per_replicate / plan.rows_per_task()).max(1);
    let begun = Instant::now();
    simulation.run_task(0, &mut workspace, &mut batch);
    let warm_up = begun.elapsed();
    if warm_up > CALIBRATION {
        return warm_up.as_secs_f64();
    }
    let (clock, mut count) = (Instant::now(), 0);
    // A stride that is coprime to nearly every count visits cheap and dear tasks alike.
    let stride = (in_replicate / 7).max(1) | 1;
    while clock.elapsed() < CALIBRATION && count < plan.tasks.max(64) {
        let task =
            (count * stride) % in_replicate + in_replicate * (count / in_replicate % plan.grid.replicates);
        simulation.run_task(task.min(plan.tasks - 1), &mut workspace, &mut batch);
        count += 1;
    }
    clock.elapsed().as_secs_f64() / count as f64
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
