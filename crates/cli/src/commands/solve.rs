//! `solve`: one problem in closed form.

use std::fs;
use std::path::Path;

use eigensweep_inputs::{read_matrix, write_matrix};
use eigensweep_theory::closed_forms::{ClosedForms, Encoder};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{Failure, InstructionSet, Supervised};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use serde_json::json;

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

/// An encoder's spectrum, objective, probing loss and map.
struct Representation {
    spectrum: Vec<f64>,
    objective: f64,
    probing_loss: f64,
    /// Vₖᵀ (k × d): W* or E*.
    map: Mat<f64>,
}

/// All three paradigms.
struct Solution {
    dimension: usize,
    joint_embedding: Representation,
    reconstruction: Representation,
    /// D* (d × k).
    decoder: Mat<f64>,
    supervised: Supervised,
    /// V* (ℓ × d).
    supervised_map: Mat<f64>,
}

fn solve(problem: &Problem, dimension: usize) -> Result<Solution, CommandError> {
    let unsolvable = |what| move |source: Failure| CommandError::Unsolvable { what, source };
    let moments = problem.moments();
    let (size, labels) = (problem.size(), problem.input_labels.ncols());
    let mut forms = ClosedForms::new(size, labels);
    let mut probe = Probe::new(InstructionSet::detect(), size, labels);
    forms.prepare(&moments).map_err(unsolvable("problem"))?;
    let mut represent = |encoder: Encoder<'_>, objective: f64| {
        let basis = encoder.basis.subcols(0, dimension);
        Representation {
            spectrum: encoder.spectrum.to_vec(),
            objective,
            probing_loss: probe.loss(basis, moments.inputs, moments.input_labels, moments.label_power),
            map: basis.transpose().to_owned(),
        }
    };
    let encoder = forms.joint_embedding(&moments).map_err(unsolvable("joint-embedding problem"))?;
    let objective = encoder.joint_embedding_objective(dimension);
    let joint_embedding = represent(encoder, objective);
    let encoder = forms.reconstruction(&moments).map_err(unsolvable("reconstruction problem"))?;
    let input_power = (0..size).map(|i| problem.inputs[(i, i)]).sum();
    let objective = encoder.reconstruction_objective(dimension, input_power);
    let reconstruction = represent(encoder, objective);
    let directions = forms.decoder_directions();
    let decoder = Mat::from_fn(size, dimension, |i, j| directions[(i, j)] * reconstruction.spectrum[j]);
    let supervised = forms.supervised(&moments);
    let supervised_map = forms.supervised_map().transpose().to_owned();
    Ok(Solution { dimension, joint_embedding, reconstruction, decoder, supervised, supervised_map })
}

impl Solution {
    fn write(&self, directory: &Path) -> Result<(), CommandError> {
        fs::create_dir_all(directory).map_err(|source| CommandError::Io {
            action: "create",
            path: directory.to_path_buf(),
            source,
        })?;
        let matrices = [
            ("W.npy", &self.joint_embedding.map),
            ("E.npy", &self.reconstruction.map),
            ("D.npy", &self.decoder),
            ("V.npy", &self.supervised_map),
        ];
        for (name, matrix) in matrices {
            write_matrix(&directory.join(name), matrix.as_ref())?;
        }
        Ok(())
    }

    fn print_json(&self, problem: &Problem) {
        let object = json!({
            "joint_embedding": {
                "eigenvalues": self.joint_embedding.spectrum,
                "objective": self.joint_embedding.objective,
                "probing_loss": self.joint_embedding.probing_loss,
            },
            "reconstruction": {
                "singular_values": self.reconstruction.spectrum,
                "objective": self.reconstruction.objective,
                "probing_loss": self.reconstruction.probing_loss,
            },
            "supervised": { "objective": self.supervised.objective, "loss": self.supervised.loss },
            "n": problem.samples,
            "d": problem.size(),
            "k": self.dimension,
        });
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    }

    fn print_tables(&self, problem: &Problem) {
        table::print(&format!("n = {}, d = {}, k = {}", problem.samples, problem.size(), self.dimension));
        let mut losses = table::new(&["paradigm", "objective", "loss"].map(str::to_owned), 1);
        for (name, objective, loss) in [
            ("joint-embedding", self.joint_embedding.objective, self.joint_embedding.probing_loss),
            ("reconstruction", self.reconstruction.objective, self.reconstruction.probing_loss),
            ("supervised", self.supervised.objective, self.supervised.loss),
        ] {
            losses.add_row([name.to_owned(), table::number(objective), table::number(loss)]);
        }
        table::print(&losses.to_string());
        table::print(
            "loss: probing loss of the inputs through the encoder; for supervised, its squared loss on them",
        );
        let headings = ["i", "eigenvalue ω (joint-embedding)", "singular value φ (reconstruction)", "kept"];
        let mut spectra = table::new(&headings.map(str::to_owned), 0);
        let pairs = self.joint_embedding.spectrum.iter().zip(&self.reconstruction.spectrum);
        for (i, (omega, phi)) in pairs.enumerate() {
            let kept = if i < self.dimension { "yes" } else { "" };
            spectra.add_row([
                (i + 1).to_string(),
                table::number(*omega),
                table::number(*phi),
                kept.to_owned(),
            ]);
        }
        table::print(&spectra.to_string());
    }
}
