//! No task allocates once its workspace is warm.

use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_store::columns::Status;
use eigensweep_testkit::allocator::{Counting, calls};
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::simulation;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs the first task to warm up, then all others under the counter; returns the rows that had no
/// value.
#[track_caller]
fn assert_no_allocation(what: &str, simulation: &Simulation) -> usize {
    let mut workspace = Workspace::new(simulation);
    let mut batch = simulation.new_batch();
    let tasks = simulation.plan().tasks;
    assert!(tasks >= 3, "{what}: tasks beside the warm-up");
    simulation.run_task(0, &mut workspace, &mut batch);
    let mut failed = 0;
    for task in 1..tasks {
        let count = calls(|| simulation.run_task(task, &mut workspace, &mut batch));
        assert_eq!(count, 0, "{what}: task {task}");
        failed += batch.status().iter().filter(|&&status| status != Status::Ok).count();
    }
    failed
}

const REST: &str = r#"
[corruption]
components = [9, 5]
scale = [40, 3]
[augmentation]
scale = [3, 20]
alignment = [0.5, 2]
[model]
dimension = [4, 9]
"#;

const METRICS: [&str; 2] =
    ["output.metrics=['distance', 'gap']", "output.metrics=['distance', 'leakage', 'gap']"];
const SAMPLERS: [&str; 2] = ["sampler.kind=moments", "sampler.kind=explicit"];

#[test]
fn tasks_of_synthetic_data_do_not_allocate() {
    for teacher in ["classes", "linear"] {
        let data =
            format!("[job]\nreplicates = 3\n[data]\nscale = 50\nlabel_count = 4\nteacher = \"{teacher}\"\n");
        let sizes = "components = [7, 40]\n";
        let text = format!("{data}{sizes}{REST}[grid]\nsamples = [6, 14, 300]\n");
        for sampler in SAMPLERS {
            for metrics in METRICS {
                let what = format!("{teacher}, {sampler}, {metrics}");
                let failed = assert_no_allocation(&what, &simulation(&text, &[sampler, metrics]));
                assert_eq!(failed, 0, "{what}");
            }
        }
    }
}

/// Labels without noise make AᵀA singular; more classes than rows leave classes empty.
#[test]
fn tasks_of_degenerate_samples_do_not_allocate() {
    let rest = format!("{REST}[grid]\nsamples = [1, 3, 50]\n");
    let linear = "[data]\ncomponents = 6\nlabel_count = 3\nteacher = \"linear\"\nlabel_noise = 0\n";
    let classes = "[data]\ncomponents = 6\nlabel_count = 12\n";
    for data in [linear, classes] {
        for sampler in SAMPLERS {
            let text = format!("[job]\nreplicates = 12\n{data}{rest}");
            assert_eq!(assert_no_allocation(data, &simulation(&text, &[sampler])), 0);
        }
    }
}

/// Σ singular: the general path; with n below d on the range of S, and above its rank no answer,
/// which does not allocate either.
#[test]
fn tasks_on_the_general_path_do_not_allocate() {
    let data = "[job]\nreplicates = 12\n[data]\ncomponents = 7\nlabel_count = 4\n[grid]\nsamples = [3, 60]\n";
    let text = format!("{data}{}", REST.replace("scale = [3, 20]", "scale = [0, 3]"));
    for sampler in SAMPLERS {
        for metrics in METRICS {
            let failed = assert_no_allocation("singular", &simulation(&text, &[sampler, metrics]));
            assert!(failed > 0, "some rows have no value");
        }
    }
}

#[test]
fn tasks_of_images_do_not_allocate() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 200, 4, 4);
    for components in ["components = [6, 11]", ""] {
        let source = images.source(components);
        let text = format!("[job]\nreplicates = 4\n{source}{REST}[grid]\nsamples = [150, 70, 5]\n");
        for sampler in SAMPLERS {
            for metrics in METRICS {
                let what = format!("images, {components}, {sampler}, {metrics}");
                assert_eq!(assert_no_allocation(&what, &simulation(&text, &[sampler, metrics])), 0);
            }
        }
    }
}
