//! `solve`: one problem in closed form.

use std::path::Path;
use std::{fmt, fs, iter};

use eigensweep_engine::given::{Given, GivenError, GivenMoments, Matrix};
use eigensweep_inputs::{ClassLabels, read_matrix, write_matrix};
use eigensweep_theory::closed_forms::{self, ClosedForms, Encoder, Predictor};
use eigensweep_theory::paradigms::{self, Pencil};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{InstructionSet, Paradigm};
use faer::Mat;
use serde_json::{Map, Value, json};

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
    /// One column of whole numbers as classes unless they are said to be real; anything else as
    /// real targets.
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

fn solve(problem: &GivenMoments, dimension: usize) -> Result<Solution, CommandError> {
    let moments = problem.view();
    let (size, labels) = (problem.size(), problem.labels());
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

    fn print_json(&self, problem: &GivenMoments, labels: &Labels) {
        let numbers = [("n", problem.samples), ("d", problem.size()), ("k", self.dimension)];
        let mut object: Map<String, Value> =
            numbers.into_iter().map(|(name, number)| (name.to_owned(), number.into())).collect();
        object.insert("labels".to_owned(), labels.json());
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

    fn print_tables(&self, problem: &GivenMoments, labels: &Labels) {
        table::print(&format!("n = {}, d = {}, k = {}", problem.samples, problem.size(), self.dimension));
        table::print(&format!("labels: {labels}"));
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
