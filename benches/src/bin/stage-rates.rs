//! Seconds that stages of views take on a moment of d × d, beside NumPy.
//!
//! Each stage takes its turn with the peer's, so that both meet the same machine.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use eigensweep_benches::clock::{fastest, processor_seconds};
use eigensweep_benches::machine::{processor, python_versions};
use eigensweep_benches::problems::SplitMix;
use eigensweep_benches::{Fault, exit};
use eigensweep_theory::views::stages::{Scratch, Shape, Spec, Takes, Value, named};
use faer::Mat;
use serde_json::{Value as Json, json};

/// Measures stages of views on images of 28 × 28 and of 3 × 32 × 32, beside NumPy.
///
/// Prints a Markdown table of seconds for `second` and for one `mean` of a d × d moment: of a
/// processor, so that what else runs on the machine takes less part in them.
#[derive(Debug, Parser)]
#[command(after_help = "Example: stage-rates --python venv/bin/python --module views.py")]
struct Arguments {
    /// Interpreter with NumPy
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Python module that builds the same stages (`build(spec, shape)`); without it NumPy is left
    /// out
    #[arg(long, value_name = "FILE")]
    module: Option<String>,
    /// Budget of a measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    seconds: f64,
    /// Only stages whose name has this in it
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only 28 × 28
    #[arg(long)]
    small: bool,
}

/// What is measured: kinds and keys as in a job file.
fn cases(shape: Shape) -> Vec<(&'static str, Json)> {
    let cells = [shape.rows / 4, shape.columns / 4];
    let zooms: Vec<f64> = (0..11).map(|i| 1.0 + 0.03 * f64::from(i)).collect();
    let crop = [shape.rows - 8, shape.columns - 8];
    vec![
        ("shift ±2", json!({"kind": "shift", "rows": 2, "columns": 2})),
        ("shift ±2, wrapped", json!({"kind": "shift", "rows": 2, "columns": 2, "padding": "wrap"})),
        ("flip", json!({"kind": "flip", "axis": "columns"})),
        ("crop by 8, 81 boxes", json!({"kind": "crop", "sizes": [crop]})),
        ("rotation, 5 angles", json!({"kind": "rotate", "degrees": [-15, -7, 0, 7, 15]})),
        ("blur, one width of 1", json!({"kind": "blur", "widths": [1.0]})),
        ("blur, 3 widths", json!({"kind": "blur", "widths": [0.0, 0.5, 1.0]})),
        ("zoom, 2 factors", json!({"kind": "zoom", "factors": [1.0, 1.2]})),
        ("zoom blur, 11 zooms", json!({"kind": "zoom-blur", "factors": zooms})),
        ("pixelate, cells of 4", json!({"kind": "pixelate", "cells": cells})),
        ("contrast", json!({"kind": "contrast", "low": 0.4, "high": 1.2})),
        ("scale", json!({"kind": "scale", "low": 0.4, "high": 1.2})),
    ]
}

/// The same as a [`Spec`].
fn spec(table: &Json) -> Result<Spec, Fault> {
    let unknown = || format!("no stage: {table}");
    let table = table.as_object().ok_or_else(unknown)?;
    let kind = table.get("kind").and_then(Json::as_str).and_then(named).ok_or_else(unknown)?;
    let numbers = |list: &[Json]| list.iter().filter_map(Json::as_f64).collect::<Vec<_>>();
    let values = kind.keys.iter().filter_map(|key| {
        let value = match table.get(key.name)? {
            Json::Number(number) => Value::Number(number.as_f64()?),
            Json::String(word) => {
                let Takes::Word(words) = key.takes else { return None };
                Value::Word(words.iter().find(|one| *one == word)?)
            }
            Json::Array(list) if list.first()?.is_array() => {
                let rows: Vec<_> = list.iter().filter_map(Json::as_array).map(|row| numbers(row)).collect();
                Value::Matrix(Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]))
            }
            Json::Array(list) => Value::List(numbers(list)),
            Json::Null | Json::Bool(_) | Json::Object(_) => return None,
        };
        Some((key.name, value))
    });
    Ok(Spec::new(kind, values.collect()))
}

/// The peer, waiting for stages.
struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    fn start(arguments: &Arguments, module: &str) -> Result<Self, Fault> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/stages.py");
        let mut command = Command::new(&arguments.python);
        command.args([script, "--module", module, "--seconds", &arguments.seconds.to_string()]);
        // No bytecode beside scripts that are only read.
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("cannot start {}: {error}", arguments.python))?;
        let missing = || "the peer has no pipes";
        let to = child.stdin.take().ok_or_else(missing)?;
        let from = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, to, from })
    }

    fn measure(&mut self, name: &str, shape: Shape, table: &Json) -> Result<[f64; 2], Fault> {
        let shape = [shape.channels, shape.rows, shape.columns];
        writeln!(self.to, "{}", json!({"name": name, "shape": shape, "spec": table}))?;
        self.to.flush()?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        let mut times = line.trim_end().rsplit('\t').map(str::parse::<f64>);
        match (times.next(), times.next()) {
            (Some(Ok(mean)), Some(Ok(second))) => Ok([second, mean]),
            _ => Err(format!("the peer answers {line:?} for {name}").into()),
        }
    }

    fn end(self) -> Result<(), Fault> {
        let Self { mut child, to, from } = self;
        drop((to, from));
        child.wait()?;
        Ok(())
    }
}

fn own(spec: &Spec, shape: Shape, budget: Duration) -> Result<[f64; 2], Fault> {
    let stage = spec.build(shape).map_err(|fault| format!("{fault}: {}", fault.help))?;
    let (size, mut random) = (shape.size(), SplitMix::new(1));
    let mut scratch = Scratch::default();
    let mut square = random.matrix(size, size);
    for j in 0..size {
        for i in 0..j {
            square[(i, j)] = square[(j, i)];
        }
    }
    let mean = vec![0.5; size];
    let mut moment = square.clone();
    let mut restored = |run: &mut dyn FnMut(&mut Mat<f64>, &mut Scratch)| {
        fastest(budget, || {
            moment.copy_from(&square);
            processor_seconds(|| run(&mut moment, &mut scratch))
        })
    };
    let second = restored(&mut |moment, scratch| stage.second(moment, &mean, scratch));
    Ok([second, restored(&mut |moment, scratch| stage.mean(moment, &mean, scratch))])
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let mut peer = match &arguments.module {
        Some(module) => Some(Peer::start(arguments, module)?),
        None => None,
    };
    println!("| stage | d | `second` | NumPy | NumPy / own | `mean` | NumPy | NumPy / own |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let small = Shape { channels: 1, rows: 28, columns: 28 };
    let large = Shape { channels: 3, rows: 32, columns: 32 };
    for shape in [small, large].into_iter().take(if arguments.small { 1 } else { 2 }) {
        for (name, table) in cases(shape).into_iter().filter(|(name, _)| name.contains(&arguments.only)) {
            let own = own(&spec(&table)?, shape, Duration::from_secs_f64(arguments.seconds))?;
            let numpy = match &mut peer {
                Some(peer) => peer.measure(name, shape, &table)?,
                None => [f64::NAN; 2],
            };
            print!("| {name} | {} |", shape.size());
            for (own, numpy) in own.into_iter().zip(numpy) {
                print!(" {own:.5} | {numpy:.4} | {:.1} |", numpy / own);
            }
            println!();
        }
    }
    println!("\n{}", processor());
    if let Some(peer) = peer {
        peer.end()?;
        println!("{}", python_versions(&arguments.python)?);
    }
    Ok(())
}

fn main() -> ExitCode {
    exit(run(&Arguments::parse()).map(|()| true))
}
