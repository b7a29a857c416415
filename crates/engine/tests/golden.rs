//! Rows that stay what they are: a change of the streams, the samplers or the kernels that changes
//! a bit is a decision, never an accident, and comes with a new scheme of the streams or a new
//! format.
//!
//! `golden/rows.csv` holds 108 rows of one small job, every value as the bits of a double. They are
//! the same on every instruction set; logarithms and powers come from the system's mathematical
//! library, so another one may differ in a last bit. Where views are the inputs of some components
//! several ω are 1, and which of their directions come first is rounding's. After such a decision:
//! `cargo test -p eigensweep-engine --test golden -- --ignored`.

use std::fs;
use std::path::PathBuf;

use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_testkit::rows::{Cell, coordinates, simulation};
use eigensweep_theory::metrics::{GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED, THRESHOLD_SQUARED};
use eigensweep_theory::{InstructionSet, Metric};

/// Drawn spectra of noise and views, fewer samples than features, views that leave Σ zero, S
/// singular or definite, and a k below k₀ beside k = k₀: thresholds are of the k-th strongest
/// component.
const JOB: &str = r#"
[job]
seed = 20250518
replicates = 3
[data]
components = 6
scale = 100
label_count = 3
[corruption]
components = 5
scale = 30
[augmentation]
scale = [0, 20]
alignment = [0, 2, 8]
[model]
dimension = [4, 6]
[grid]
samples = 9
"#;

/// What is checked in, in this order.
const COLUMNS: [&Metric; 5] = [&LOSS_CLEAN, &LOSS_CORRUPTED, &LEAKAGE, &GAP, &THRESHOLD_SQUARED];

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rows.csv")
}

/// The rows by one instruction set, in order.
fn table(simulation: &Simulation, instruction_set: InstructionSet) -> String {
    let mut text =
        "row,loss_clean,loss_corrupted,leakage,gap,threshold_squared,status,coordinates\n".to_owned();
    let mut workspace = Workspace::on(instruction_set, simulation);
    let mut batch = simulation.new_batch();
    let mut row = 0;
    for task in 0..simulation.plan().tasks {
        simulation.run_task(task, &mut workspace, &mut batch);
        for at in 0..batch.len() {
            let cell = Cell::of(&batch, at);
            text.push_str(&row.to_string());
            for metric in COLUMNS {
                let value = cell[metric];
                // NaN is no value; its bits say nothing.
                match value.is_nan() {
                    true => text.push(','),
                    false => text.push_str(&format!(",{:016x}", value.to_bits())),
                }
            }
            text.push_str(&format!(",{},\"{}\"\n", cell.row.status.name(), coordinates(simulation, row)));
            row += 1;
        }
    }
    text
}

#[test]
fn rows_are_those_checked_in() {
    let expected = fs::read_to_string(path()).unwrap();
    let simulation = simulation(JOB, &[]);
    assert_eq!(expected.lines().count() as u64, 1 + simulation.plan().grid.rows());
    assert_eq!(simulation.plan().grid.rows(), 108);
    for instruction_set in InstructionSet::available() {
        let found = table(&simulation, instruction_set);
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{}", instruction_set.name());
        }
    }
}

/// Values of every kind are in it: numbers, and none for the supervised paradigm.
#[test]
fn the_rows_checked_in_have_every_kind_of_value() {
    let text = fs::read_to_string(path()).unwrap();
    let with = |word: &str| text.lines().filter(|line| line.contains(word)).count();
    assert_eq!(with(",ok,"), 108, "{text}");
    assert_eq!([with("supervised"), with("joint-embedding"), with("reconstruction")], [36; 3]);
}

#[test]
#[ignore = "writes the file that the others read"]
fn write_rows() {
    fs::create_dir_all(path().parent().unwrap()).unwrap();
    fs::write(path(), table(&simulation(JOB, &[]), InstructionSet::available()[0])).unwrap();
}
