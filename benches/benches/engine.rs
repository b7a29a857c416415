//! A task of a job like Figure 3 on synthetic data, and a part as Parquet.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eigensweep_benches::problems::SplitMix;
use eigensweep_engine::input::Input;
use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_job::{self as job, Job};
use eigensweep_store::dataset::{Collector, Dataset};
use eigensweep_store::plan::Plan;
use eigensweep_store::shard::Shard;

/// Figure 3 with a Gaussian population in place of MNIST. A task is one replicate at one n: 18
/// rows.
const JOB: &str = r#"
[job]
replicates = 200
[data]
source = "gaussian"
components = 50
scale = 3.3e5
decay = 0.85
[corruption]
components = 50
scale = [1e3, 1e6]
[augmentation]
scale = 1e4
alignment = [0.1, 1.0, 10.0]
[model]
dimension = 50
"#;

fn load(metrics: &str) -> (Job, Arc<Input>) {
    let set = [format!("output.metrics={metrics}")];
    let job = job::parse("figure3-like.toml", JOB, &set, Path::new("")).expect("a valid job");
    let input = Input::load(&job).expect("nothing to load");
    (job, Arc::new(input))
}

fn simulation((job, input): (Job, Arc<Input>)) -> Simulation {
    let plan = Plan::new(&job.spec, input.extents()).expect("a small job");
    Simulation::new(&job.spec, input, plan)
}

fn task(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("task, d = 100, k = 50, l = 10");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    for (name, metrics) in
        [("distance", r#"["distance"]"#), ("all metrics", r#"["distance", "leakage", "gap"]"#)]
    {
        let simulation = simulation(load(metrics));
        let plan = simulation.plan();
        // The first of those with n = 3200, the sixth sample size.
        let task = 5 * plan.grid.replicates / plan.units_per_task;
        let (mut workspace, mut batch) = (Workspace::new(&simulation), simulation.new_batch());
        group.throughput(Throughput::Elements(plan.rows_per_task()));
        group.bench_function(name, |b| {
            b.iter(|| simulation.run_task(black_box(task), &mut workspace, &mut batch));
        });
    }
}

fn part(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("part");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let (job, input) = load(r#"["distance", "leakage", "gap"]"#);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (dataset, _) =
        Dataset::open(directory.path(), &job.spec, &input.facts(), Shard::WHOLE, "a benchmark")
            .expect("an empty directory");
    let section = &dataset.sections()[0];
    let plan = &section.plan;
    let simulation = simulation((job, input));
    let mut writer = Collector::new(section, None);
    writer.begin(plan, 0);
    let mut uniform = SplitMix::new(1);
    let mut batch = simulation.new_batch();
    for _ in plan.part_tasks(0) {
        batch.restart(usize::try_from(plan.rows_per_task()).expect("a small task"));
        for column in 0..batch.metrics().len() {
            batch.values_mut(column).fill_with(|| uniform.uniform());
        }
        writer.add(plan, &batch);
    }
    let rows = plan.part_rows(0);
    let rows = rows.end - rows.start;
    group.throughput(Throughput::Elements(rows));
    // Sorted, encoded, hashed, written and fsynced; the file is removed.
    group.bench_function(format!("Collector::encode, {rows} rows"), |b| {
        b.iter(|| writer.encode(black_box(plan), 0, &dataset.path("staging")).expect("space for a part"));
    });
}

criterion_group!(benches, task, part);
criterion_main!(benches);
