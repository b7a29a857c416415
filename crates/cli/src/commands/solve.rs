//! `solve`: one problem in closed form.

use std::fmt;
use std::fs;
use std::path::Path;

use eigensweep_engine::given::{Given, GivenError, GivenMoments, Matrix};
use eigensweep_inputs::{ClassLabels, read_matrix, write_matrix};
use eigensweep_theory::closed_forms::{ClosedForms, Encoder};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{Failure, InstructionSet, Supervised};
use faer::Mat;
use serde_json::{Value, json};

use super::table;
use crate::args::Solve;
use crate::exit::Exit;
use crate::report::CommandError;

/// Most classes that the tables name one by one.
const NAMED: usize = 10;

pub(crate) fn call(arguments: &Solve) -> Result<Exit, CommandError> {
    let (moments, labels) = read(arguments)?;
    let solution = solve(&moments, arguments.dimension)?;
    if let Some(directory) = &arguments.write {
        solution.write(directory)?;
    }
    if arguments.json {
        solution.print_json(&moments, &labels);
    } else {
        solution.print_tables(&moments, &labels);
    }
    Ok(Exit::Success)
}

/// What the file of labels was read as.
enum Labels {
    Classes(ClassLabels),
    Targets(Mat<f64>),
}

impl Labels {
    /// One column of whole numbers as classes unless they are said to be real; anything else as real targets.
    fn read(path: &Path, real: bool, samples: usize) -> Result<Self, CommandError> {
        let matrix = read_matrix(path)?;
        let (found, columns) = (matrix.nrows(), matrix.ncols());
        if found != samples {
            // Before classes are counted among rows that do not belong to the inputs.
            let (expected, found) = ((samples, columns), (found, columns));
            let source = GivenError::Shape { matrix: Matrix::Labels, expected, found };
            return Err(CommandError::Misfit { source, path: path.to_path_buf() });
        }
        if real || columns != 1 {
            return Ok(Self::Targets(matrix));
        }
        let numbers: Vec<f64> = matrix.col(0).iter().copied().collect();
        let Some(classes) = ClassLabels::from_whole_numbers(&numbers)? else {
            return Ok(Self::Targets(matrix));
        };
        if 2 * classes.count() > samples {
            tell!(
                "warning: {} holds {} classes in {samples} rows; if these whole numbers are no classes, give them as --targets",
                path.display(),
                classes.count()
            );
        }
        Ok(Self::Classes(classes))
    }

    /// Y (n × ℓ).
    fn matrix(&self) -> Mat<f64> {
        match self {
            Self::Classes(classes) => classes.one_hot(),
            Self::Targets(targets) => targets.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Classes(classes) => {
                json!({ "kind": "classes", "count": classes.count(), "values": classes.values() })
            }
            Self::Targets(targets) => json!({ "kind": "targets", "count": targets.ncols() }),
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize, one, many| if count == 1 { one } else { many };
        match self {
            Self::Classes(classes) => {
                let count = classes.count();
                let first = classes.values().iter().take(NAMED).map(f64::to_string).collect::<Vec<_>>();
                let rest = if count > NAMED { ", …" } else { "" };
                let noun = plural(count, "class", "classes");
                write!(f, "{count} {noun}, one-hot ({}{rest})", first.join(", "))
            }
            Self::Targets(targets) => {
                let count = targets.ncols();
                write!(f, "{count} real {}", plural(count, "target", "targets"))
            }
        }
    }
}

/// The moments of the files, and what the labels were read as.
fn read(arguments: &Solve) -> Result<(GivenMoments, Labels), CommandError> {
    let inputs = read_matrix(&arguments.inputs)?;
    let size = inputs.ncols();
    if !(1..=size).contains(&arguments.dimension) {
        return Err(CommandError::Dimension { found: arguments.dimension, most: size });
    }
    // The arguments make sure of exactly one of them.
    let path = arguments.targets.as_deref().or(arguments.labels.as_deref()).unwrap_or(Path::new(""));
    let labels = Labels::read(path, arguments.targets.is_some(), inputs.nrows())?;
    let matrix = labels.matrix();
    let mean_views = arguments.mean_views.as_deref().map(read_matrix).transpose()?;
    let covariance = arguments.covariance.as_deref().map(read_matrix).transpose()?;
    let given = Given {
        inputs: inputs.as_ref(),
        labels: matrix.as_ref(),
        mean_views: mean_views.as_ref().map(Mat::as_ref),
        covariance: covariance.as_ref().map(Mat::as_ref),
    };
    let moments = given.moments().map_err(|source| {
        let file = match source.matrix() {
            Matrix::Inputs => Some(arguments.inputs.as_path()),
            Matrix::Labels => Some(path),
            Matrix::MeanViews => arguments.mean_views.as_deref(),
            Matrix::Covariance => arguments.covariance.as_deref(),
        };
        CommandError::Misfit { source, path: file.unwrap_or(path).to_path_buf() }
    })?;
    Ok((moments, labels))
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

fn solve(problem: &GivenMoments, dimension: usize) -> Result<Solution, CommandError> {
    let unsolvable = |what| move |source: Failure| CommandError::Unsolvable { what, source };
    let moments = problem.view();
    let (size, labels) = (problem.size(), problem.labels());
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

    fn print_json(&self, problem: &GivenMoments, labels: &Labels) {
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
            "labels": labels.json(),
        });
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    }

    fn print_tables(&self, problem: &GivenMoments, labels: &Labels) {
        table::print(&format!("n = {}, d = {}, k = {}", problem.samples, problem.size(), self.dimension));
        table::print(&format!("labels: {labels}"));
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
