//! A task of a job like Figure 3 on synthetic data, and a part as Parquet.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eigensweep_benches::problems::SplitMix;
use eigensweep_engine::dataset::{Identity, PartWriter};
use eigensweep_engine::input::Input;
use eigensweep_engine::job;
use eigensweep_engine::plan::Plan;
use eigensweep_engine::simulation::{Simulation, Workspace};

/// Figure 3 with a Gaussian population in place of MNIST. A task is one replicate at one n: 18 rows.
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

fn simulation(metrics: &str) -> (Simulation, Identity) {
    let set = [format!("output.metrics={metrics}")];
    let job = job::parse("figure3-like.toml", JOB, &set, Path::new("")).expect("a valid job");
    let input = Input::load(&job).expect("nothing to load");
    let plan = Plan::new(&job.spec, &input).expect("a small job");
    let identity = Identity::new(&job.spec, &input);
    (Simulation::new(&job.spec, input, plan), identity)
}

fn task(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("task, d = 100, k = 50, l = 10");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    for (name, metrics) in
        [("distance", r#"["distance"]"#), ("all metrics", r#"["distance", "leakage", "gap"]"#)]
    {
        let (simulation, _) = simulation(metrics);
        let (mut workspace, mut batch) = (Workspace::new(&simulation), simulation.new_batch());
        group.throughput(Throughput::Elements(simulation.plan().rows_per_task));
        // Task 5 of each replicate has n = 3200.
        group.bench_function(name, |b| {
            b.iter(|| simulation.run_task(black_box(5), &mut workspace, &mut batch));
        });
    }
}

fn part(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("part");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let (simulation, identity) = simulation(r#"["distance", "leakage", "gap"]"#);
    let plan = simulation.plan();
    let mut writer = PartWriter::new(&simulation, &identity);
    writer.begin(0);
    let mut uniform = SplitMix::new(1);
    let mut batch = simulation.new_batch();
    for _ in 0..plan.tasks_per_part {
        let columns = [
            &mut batch.loss_clean,
            &mut batch.loss_corrupted,
            &mut batch.leakage,
            &mut batch.gap,
            &mut batch.threshold_squared,
        ];
        for values in columns {
            values.fill_with(|| uniform.uniform());
        }
        writer.add(&batch);
    }
    let rows = writer.rows();
    group.throughput(Throughput::Elements(rows.end - rows.start));
    group.bench_function(format!("PartWriter::encode, {} rows", rows.end - rows.start), |b| {
        b.iter(|| writer.encode(black_box(&plan.grid)));
    });
}

criterion_group!(benches, task, part);
criterion_main!(benches);
