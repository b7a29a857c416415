//! Reads a source as a job does, and writes its inputs as doubles (npy) and its labels, a line
//! each.
//!
//! ```text
//! cargo run -p eigensweep-inputs --example read -- csv table.csv out.npy labels=species columns='*_mm'
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use eigensweep_inputs::readers::{Chosen, Orientation, named};
use eigensweep_inputs::{Answers, Columns, Labels, Source, SourceFiles, write_matrix};
use faer::MatRef;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, inputs, out, rest @ ..] = &arguments[..] else {
        return Err("usage: read SOURCE FILE OUT.npy [KEY=VALUE …]".into());
    };
    let reader = named(source).ok_or("no such source")?;
    let value = |key: &str| rest.iter().find_map(|one| one.strip_prefix(key)?.strip_prefix('='));
    let columns = |text: &str| match text.strip_prefix("file:") {
        Some(path) => Columns { file: Some(PathBuf::from(path)), names: Vec::new() },
        None => Columns { file: None, names: text.split(',').map(str::to_owned).collect() },
    };
    let files = SourceFiles {
        reader,
        inputs: inputs.into(),
        chosen: Chosen {
            matrix: value("matrix").map(str::to_owned),
            columns: value("columns")
                .map_or_else(Vec::new, |text| text.split(',').map(str::to_owned).collect()),
            rows: value("rows").and_then(|word| Orientation::ALL.into_iter().find(|one| one.name() == word)),
        },
        answers: value("labels")
            .map(|text| Answers::Labels(columns(text)))
            .or(value("targets").map(|text| Answers::Targets(columns(text)))),
        groups: None,
    };
    let Source { inputs, labels, .. } = files.read()?;
    let (rows, features) = (inputs.rows.samples(), inputs.rows.features());
    let mut values = vec![0.0; rows * features];
    inputs.rows.write_rows(0, &mut values);
    write_matrix(Path::new(out), MatRef::from_row_major_slice(&values, rows, features))?;
    println!("{rows} {features} {}", inputs.rows.bytes());
    match labels {
        Some(Labels::Classes(classes)) => {
            classes.classes().iter().for_each(|&class| println!("{}", classes.name(usize::from(class))));
        }
        Some(Labels::Targets(targets)) => {
            for row in targets.row_iter() {
                println!("{}", row.iter().map(f64::to_string).collect::<Vec<_>>().join(","));
            }
        }
        None => {}
    }
    Ok(())
}
