//! `solve`: one problem in closed form.

use std::path::Path;
use std::{fs, iter};

use eigensweep_inputs::{read_matrix, write_matrix};
use eigensweep_theory::closed_forms::{self, ClosedForms, Encoder, Predictor};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{self, Pencil};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{InstructionSet, Paradigm};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use serde_json::{Map, Value, json};

use super::table;
use crate::args::Solve;
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Solve) -> Result<Exit, CommandError> {
    let problem = Problem::read(arguments)?;
    let solution = solve(&problem, arguments.dimension)?;
    if let Some(directory) = &arguments.write {
        solution.write(directory)?;
    }
    if arguments.json {
        solution.print_json(&problem);
    } else {
        solution.print_tables(&problem);
    }
    Ok(Exit::Success)
}

/// The moments of the files.
struct Problem {
    samples: usize,
    mean_views: Mat<f64>,
    views: Mat<f64>,
    cross: Mat<f64>,
    view_labels: Mat<f64>,
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
}

impl Problem {
    fn read(arguments: &Solve) -> Result<Self, CommandError> {
        let x = read_matrix(&arguments.inputs)?;
        let (samples, size) = (x.nrows(), x.ncols());
        if !(1..=size).contains(&arguments.dimension) {
            return Err(CommandError::Dimension { found: arguments.dimension, most: size });
        }
        let y = read_matrix(&arguments.labels)?;
        check("labels need a row per sample", &y, (samples, y.ncols().max(1)), &arguments.labels)?;
        let x_bar = match &arguments.mean_views {
            None => None,
            Some(path) => {
                let x_bar = read_matrix(path)?;
                check("mean views have the shape of the inputs", &x_bar, (samples, size), path)?;
                Some(x_bar)
            }
        };
        let x_bar = x_bar.as_ref().unwrap_or(&x);
        let inverse = 1.0 / samples as f64;
        let product = |a: MatRef<'_, f64>, b: MatRef<'_, f64>| {
            let mut out = Mat::zeros(a.ncols(), b.ncols());
            matmul(out.as_mut(), Accum::Replace, a.transpose(), b, inverse, Par::Seq);
            out
        };
        let mean_views = product(x_bar.as_ref(), x_bar.as_ref());
        let mut views = mean_views.clone();
        if let Some(path) = &arguments.covariance {
            let sigma = read_matrix(path)?;
            check("the covariance is d × d", &sigma, (size, size), path)?;
            let asymmetry = (&sigma - sigma.transpose()).norm_max();
            if asymmetry > 1e-9 * sigma.norm_max() {
                return Err(CommandError::Shape {
                    what: "the covariance",
                    expected: "a symmetric matrix".to_owned(),
                    found: format!("entries that differ by {asymmetry:e}"),
                    path: path.clone(),
                });
            }
            views += &sigma;
        }
        Ok(Self {
            samples,
            views,
            cross: product(x.as_ref(), x_bar.as_ref()),
            view_labels: product(x_bar.as_ref(), y.as_ref()),
            inputs: product(x.as_ref(), x.as_ref()),
            input_labels: product(x.as_ref(), y.as_ref()),
            label_power: y.squared_norm_l2() * inverse,
            mean_views,
        })
    }

    fn moments(&self) -> Moments<'_> {
        Moments {
            mean_views: self.mean_views.as_ref(),
            views: self.views.as_ref(),
            cross: self.cross.as_ref(),
            view_labels: self.view_labels.as_ref(),
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
        }
    }

    fn size(&self) -> usize {
        self.inputs.nrows()
    }
}

fn check(
    what: &'static str,
    matrix: &Mat<f64>,
    expected: (usize, usize),
    path: &Path,
) -> Result<(), CommandError> {
    let found = (matrix.nrows(), matrix.ncols());
    if found == expected {
        return Ok(());
    }
    let text = |(rows, columns): (usize, usize)| format!("{rows} × {columns}");
    Err(CommandError::Shape { what, expected: text(expected), found: text(found), path: path.to_path_buf() })
}

/// What one paradigm makes of the problem.
struct Solved {
    paradigm: &'static Paradigm,
    /// All d values of its pencil, descending, if it learns a representation.
    spectrum: Option<Vec<f64>>,
    objective: f64,
    loss: f64,
    /// Its maps, by their symbols in the paper.
    maps: Vec<(&'static str, Mat<f64>)>,
}

/// All paradigms, those that learn a representation first.
struct Solution {
    dimension: usize,
    paradigms: Vec<Solved>,
}

fn solve(problem: &Problem, dimension: usize) -> Result<Solution, CommandError> {
    let moments = problem.moments();
    let (size, labels) = (problem.size(), problem.input_labels.ncols());
    let input_power = (0..size).map(|i| problem.inputs[(i, i)]).sum();
    let mut forms = ClosedForms::new(size, labels);
    let mut probe = Probe::new(InstructionSet::detect(), size, labels);
    let mut solver = forms.problem(moments);
    let solve = |paradigm: &'static Paradigm| {
        let unsolvable = |source| CommandError::Unsolvable { what: paradigm.name, source };
        let (map, pencil) = (paradigm.map, paradigm.spectrum.as_ref());
        Ok(match solver.solve(paradigm).map_err(unsolvable)? {
            closed_forms::Solution::Encoder(Encoder { spectrum, basis, decoder }) => {
                let basis = basis.subcols(0, dimension);
                let decoder = pencil.and_then(|pencil| pencil.decoder).zip(decoder);
                let decoder = decoder.map(|(name, map)| (name, map.subcols(0, dimension).to_owned()));
                Solved {
                    paradigm,
                    spectrum: Some(spectrum.values.to_vec()),
                    objective: pencil.map_or(f64::NAN, |pencil| {
                        (pencil.objective)(&spectrum.values[..dimension], input_power)
                    }),
                    loss: probe.loss(basis, moments.inputs, moments.input_labels, moments.label_power),
                    maps: iter::once((map, basis.transpose().to_owned())).chain(decoder).collect(),
                }
            }
            closed_forms::Solution::Predictor(Predictor { objective, loss, map: model }) => {
                let maps = vec![(map, model.transpose().to_owned())];
                Solved { paradigm, spectrum: None, objective, loss, maps }
            }
        })
    };
    let mut paradigms = paradigms::ALL;
    paradigms.sort_by_key(|paradigm| paradigm.spectrum.is_none());
    let paradigms = paradigms.into_iter().map(solve).collect::<Result<_, CommandError>>()?;
    Ok(Solution { dimension, paradigms })
}

impl Solution {
    fn write(&self, directory: &Path) -> Result<(), CommandError> {
        fs::create_dir_all(directory).map_err(|source| CommandError::Io {
            action: "create",
            path: directory.to_path_buf(),
            source,
        })?;
        for (name, map) in self.paradigms.iter().flat_map(|solved| &solved.maps) {
            write_matrix(&directory.join(format!("{name}.npy")), map.as_ref())?;
        }
        Ok(())
    }

    /// Each paradigm that learns a representation with its pencil and its spectrum.
    fn spectra(&self) -> impl Iterator<Item = (&'static Paradigm, &'static Pencil, &[f64])> {
        self.paradigms.iter().filter_map(|solved| {
            Some((solved.paradigm, solved.paradigm.spectrum.as_ref()?, solved.spectrum.as_deref()?))
        })
    }

    fn print_json(&self, problem: &Problem) {
        let numbers = [("n", problem.samples), ("d", problem.size()), ("k", self.dimension)];
        let mut object: Map<String, Value> =
            numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
        for Solved { paradigm, objective, loss, .. } in &self.paradigms {
            let loss_name = if paradigm.spectrum.is_some() { "probing_loss" } else { "loss" };
            object
                .insert(paradigm.name.replace('-', "_"), json!({ "objective": objective, loss_name: loss }));
        }
        for (paradigm, pencil, values) in self.spectra() {
            object[&paradigm.name.replace('-', "_")][pencil.name.replace(' ', "_")] = values.into();
        }
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    }

    fn print_tables(&self, problem: &Problem) {
        table::print(&format!("n = {}, d = {}, k = {}", problem.samples, problem.size(), self.dimension));
        let mut losses = table::new(&["paradigm", "objective", "loss"].map(str::to_owned), 1);
        for Solved { paradigm, objective, loss, .. } in &self.paradigms {
            losses.add_row([paradigm.name.to_owned(), table::number(*objective), table::number(*loss)]);
        }
        table::print(&losses.to_string());
        table::print(
            "loss: probing loss of the inputs through the encoder; for supervised, its squared loss on them",
        );
        let headings = self.spectra().map(|(paradigm, pencil, _)| {
            let value = pencil.name.trim_end_matches('s');
            format!("{value} {} ({})", pencil.symbol, paradigm.name)
        });
        let headings: Vec<String> =
            iter::once("i".to_owned()).chain(headings).chain(["kept".to_owned()]).collect();
        let mut spectra = table::new(&headings, 0);
        for i in 0..problem.size() {
            let kept = if i < self.dimension { "yes" } else { "" };
            let values = self.spectra().map(|(_, _, values)| table::number(values[i]));
            spectra.add_row(iter::once((i + 1).to_string()).chain(values).chain([kept.to_owned()]));
        }
        table::print(&spectra.to_string());
    }
}
