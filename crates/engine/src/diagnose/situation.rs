//! What goes on from an answer: the encoders, the moments, and a job that simulates the situation.
//!
//! The job's clean rows are the items' own, moved as little as it takes for their covariance to be
//! the estimated Ĉ₀ but for what of it is negative (the linear map of optimal transport between
//! centred normal laws, `A^(−1/2) (A^(1/2) Ĉ₀ A^(1/2))^(1/2) A^(−1/2)` with A the covariance of the
//! items' means); its corruption has the estimated Γ̂ or is the one that was given, and its views
//! are those that were asked about.
//!
//! Source of the map: I. Olkin and F. Pukelsheim, *The distance between two random vectors with
//! given dispersion matrices* (1982).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use eigensweep_diagnose::{DiagnoseError, Labels, Learnt};
use eigensweep_inputs::{InputError, whole_file, write_matrix, write_vector};
use eigensweep_spectral::dense;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::InstructionSet;
use faer::{Accum, Mat, MatRef};

use super::{Found, Measured, Problem, Seen, Unanswered, mean_variance, product};
use crate::EngineError;

/// Sizes of the samples of the job: these shares of the clean rows, and two more than k as long as
/// there are so many.
const SHARES: [usize; 3] = [4, 2, 1];

/// The first line of a job that was written here, which tells a directory of ours.
const FIRST_LINE: &str = "# The situation of a diagnosis as a job";

/// Files that may be written.
const FILES: [&str; 14] = [
    "W.npy",
    "E.npy",
    "mu.npy",
    "covariance.npy",
    "signal.npy",
    "noise.npy",
    "G.npy",
    "S.npy",
    "C.npy",
    "corruption.npy",
    "theta.npy",
    "clean.npy",
    "labels.npy",
    "job.toml",
];

/// Makes the directory that an answer is to be written into, if it is not there, and refuses one
/// that cannot be written into, or whose files of these names are somebody else's.
///
/// # Errors
///
/// What making it gives; [`Unanswered::Arguments`] names the file that would be lost.
pub fn prepare(directory: &Path) -> Result<(), Unanswered> {
    fs::create_dir_all(directory).map_err(EngineError::io("create", directory))?;
    let ours = fs::read_to_string(directory.join("job.toml")).is_ok_and(|job| job.starts_with(FIRST_LINE));
    let lost = FILES.iter().find(|file| !ours && directory.join(file).exists());
    match lost {
        Some(file) => Err(Unanswered::Arguments {
            message: format!("{} is there already, and no answer wrote it", directory.join(file).display()),
            remedy: "write into a directory of its own",
        }),
        None => Ok(whole_file::check(&directory.join("job.toml"))
            .map_err(InputError::from)
            .map_err(EngineError::from)?),
    }
}

impl Problem<'_> {
    /// Writes encoders, moments and a job into a directory, which is made if it is not there.
    ///
    /// | file | what |
    /// |---|---|
    /// | `W.npy`, `E.npy` | the encoders of joint-embedding and reconstruction (d × k); they take `x − mu` |
    /// | `mu.npy` | the mean of the rows (d) |
    /// | `covariance.npy`, `signal.npy`, `noise.npy` | covariance of the rows, Ĉ₀, Γ̂ (d × d) |
    /// | `G.npy`, `S.npy`, `C.npy` | moments of the views at the α of the answer, centred |
    /// | `corruption.npy` | Γ̂ without what is negative of it, as it may be of batches |
    /// | `clean.npy`, `labels.npy` | rows with the covariance Ĉ₀, and what is to be learned of them |
    /// | `job.toml` | the situation as a job |
    ///
    /// # Errors
    ///
    /// What writing gives; those of [`prepare`]; [`Unanswered::Arguments`] if there are no more
    /// clean rows than dimensions, as no job learns so many from them.
    pub fn write(&self, found: &Found, directory: &Path) -> Result<(), Unanswered> {
        prepare(directory)?;
        let learnt = &found.diagnosis.learnt;
        let (clean, items) = self.clean(learnt)?;
        let (rows, dimension) = (clean.nrows(), found.diagnosis.dimension);
        if rows <= dimension {
            return Err(Unanswered::Arguments {
                message: format!(
                    "{rows} clean rows differ in fewer than the {dimension} directions that a job would learn"
                ),
                remedy: "give a smaller dimension, more measurements, or no directory to write into",
            });
        }
        let labels = self.job_labels(&clean, &items, dimension);
        let [je, rc] = &learnt.encoders;
        let views = &learnt.views;
        let mut matrices = vec![
            ("W", je.as_ref()),
            ("E", rc.as_ref()),
            ("covariance", learnt.inputs.as_ref()),
            ("signal", learnt.signal.as_ref()),
            ("noise", learnt.noise.as_ref()),
            ("G", views.mean_views.as_ref()),
            ("S", views.views.as_ref()),
            ("C", views.cross.as_ref()),
            ("clean", clean.as_ref()),
            ("labels", labels.as_ref()),
        ];
        let corruption = match self.measured {
            Measured::Corruption => None,
            Measured::Repeats(_) | Measured::Pairs(_) | Measured::Nuisance(_) => {
                Some(function(&learnt.noise, &|value| value)?)
            }
        };
        matrices.extend(corruption.as_ref().map(|corruption| ("corruption", corruption.as_ref())));
        // Of views that were drawn the covariance goes on, without the noise that α adds.
        let drawn = match self.views {
            Seen::Draws(_) => {
                let alpha = found.diagnosis.alignment_used;
                let own = &views.views - &views.mean_views - faer::Scale(alpha * alpha) * &learnt.noise;
                Some(function(&own, &|value| value)?)
            }
            Seen::Noise | Seen::Covariance(_) | Seen::Stages(_) => None,
        };
        match (self.views, &drawn) {
            (Seen::Covariance(theta), _) => matrices.push(("theta", theta)),
            (_, Some(theta)) => matrices.push(("theta", theta.as_ref())),
            (Seen::Noise | Seen::Stages(_) | Seen::Draws(_), None) => {}
        }
        // What an earlier answer left here, of another kind, belongs to no job.
        for name in ["corruption", "theta"] {
            if matrices.iter().all(|(written, _)| *written != name) {
                let path = directory.join(format!("{name}.npy"));
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(EngineError::io("remove", &path)(error).into());
                    }
                    _ => {}
                }
            }
        }
        for (name, matrix) in matrices {
            write_matrix(&directory.join(format!("{name}.npy")), matrix).map_err(EngineError::from)?;
        }
        write_vector(&directory.join("mu.npy"), &learnt.mean).map_err(EngineError::from)?;
        let still = corruption.is_some_and(|corruption| corruption.norm_max() == 0.0);
        let (path, text) = (directory.join("job.toml"), self.job(found, rows, still, &name(directory)));
        let written = whole_file::write(&path, |file| file.write_all(text.as_bytes()));
        Ok(written.map_err(|error| EngineError::from(eigensweep_store::StoreError::from(error)))?)
    }

    /// Clean rows, an item each (of batches a row each), and the first row of each item.
    fn clean(&self, learnt: &Learnt) -> Result<(Mat<f64>, Vec<usize>), Unanswered> {
        if let Measured::Corruption = self.measured {
            return Ok((self.rows.to_owned(), (0..self.rows.nrows()).collect()));
        }
        let (rows, items) = self.items();
        let centred = crate::given::centred(rows.as_ref()).0;
        // As large as the data.
        drop(rows);
        let covariance = product(centred.as_ref(), centred.as_ref());
        let signal = function(&learnt.signal, &|value| value)?;
        let map = transport(&covariance, &signal)?;
        let mut clean = Mat::zeros(centred.nrows(), centred.ncols());
        dense::product(
            InstructionSet::detect(),
            clean.as_mut(),
            Accum::Replace,
            centred.as_ref(),
            map.as_ref(),
        );
        for row in clean.row_iter_mut() {
            row.iter_mut().zip(&learnt.mean).for_each(|(x, mean)| *x += mean);
        }
        Ok((clean, items))
    }

    /// What items have in common: means of repeats; of batches the rows without what their batch
    /// does.
    fn items(&self) -> (Mat<f64>, Vec<usize>) {
        let (samples, features) = (self.rows.nrows(), self.rows.ncols());
        let ids = match self.measured {
            Measured::Repeats(second) => {
                let mean = |i: usize, j: usize| 0.5 * (self.rows[(i, j)] + second[(i, j)]);
                return (Mat::from_fn(samples, features, mean), (0..samples).collect());
            }
            Measured::Corruption => return (self.rows.to_owned(), (0..samples).collect()),
            Measured::Pairs(ids) | Measured::Nuisance(ids) => ids,
        };
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, id) in ids.iter().enumerate() {
            groups.entry(*id).or_default().push(row);
        }
        groups.retain(|_, rows| rows.len() > 1);
        let mut order: Vec<Vec<usize>> = groups.into_values().collect();
        order.sort_unstable();
        let mean = |rows: &[usize], j: usize| {
            rows.iter().map(|&row| self.rows[(row, j)]).sum::<f64>() / rows.len() as f64
        };
        let means = Mat::from_fn(order.len(), features, |group, j| mean(&order[group], j));
        if let Measured::Pairs(_) = self.measured {
            return (means, order.iter().map(|rows| rows[0]).collect());
        }
        let within =
            order.iter().enumerate().flat_map(|(group, rows)| rows.iter().map(move |&row| (row, group)));
        let mut within: Vec<(usize, usize)> = within.collect();
        within.sort_unstable();
        let rows = Mat::from_fn(within.len(), features, |at, j| {
            let (row, group) = within[at];
            self.rows[(row, j)] - means[(group, j)]
        });
        (rows, within.into_iter().map(|(row, _)| row).collect())
    }

    /// The labels that were given, or the coordinates of the clean rows with the most variance.
    fn job_labels(&self, clean: &Mat<f64>, items: &[usize], dimension: usize) -> Mat<f64> {
        match self.labels {
            Some(Labels::Classes { classes, .. }) => {
                Mat::from_fn(items.len(), 1, |row, _| classes[items[row]] as f64)
            }
            Some(Labels::Targets(targets)) => {
                Mat::from_fn(items.len(), targets.ncols(), |row, j| targets[(items[row], j)])
            }
            None => {
                let variance = |j: &usize| {
                    let column = clean.col(*j);
                    let mean = column.iter().sum::<f64>() / column.nrows() as f64;
                    column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()
                };
                let mut columns: Vec<usize> = (0..clean.ncols()).collect();
                columns.sort_by(|one, other| variance(other).total_cmp(&variance(one)).then(one.cmp(other)));
                Mat::from_fn(clean.nrows(), dimension.min(columns.len()), |row, j| clean[(row, columns[j])])
            }
        }
    }

    /// The job, of so many clean rows; `still` where there is no noise that views could repeat.
    fn job(&self, found: &Found, rows: usize, still: bool, name: &str) -> String {
        let diagnosis = &found.diagnosis;
        let dimension = diagnosis.dimension;
        // Where any map leaks that much, none recovers by the default tolerance, 1/(2k).
        let least = diagnosis.model.as_ref().map_or(0.0, |model| model.least_leakage.max(0.0));
        let tolerance = if least > 0.0 {
            format!(" --set boundary.tolerance={:.4}", least + 0.5 / dimension as f64)
        } else {
            String::new()
        };
        let next = if still {
            "# There is no noise here, so that no α changes anything.".to_owned()
        } else {
            format!(
                "# `eigensweep run job.toml --set 'augmentation.alignment=[0, 0.3, 1, 3, 10]'` simulates it at several α,\n\
                 # `eigensweep boundary job.toml{tolerance}` finds the α from which on the leakage of each\n\
                 # paradigm is less than 1/(2k) above the least that any map has."
            )
        };
        let mut text = format!(
            "{FIRST_LINE}: {}\n{next}\n\n\
             [job]\nname = \"{name}\"\nreplicates = 10\n\n\
             [data]\nsource = \"npy\"\ninputs = \"clean.npy\"     # rows with the covariance of the signal\n",
            found.headline()
        );
        let targets = !matches!(self.labels, Some(Labels::Classes { .. }));
        let _ = writeln!(text, "{} = \"labels.npy\"", if targets { "targets" } else { "labels" });
        let file = self.file();
        let shape = file.and_then(|file| file.shape).or(self.shape);
        if let Some(shape) = shape.filter(|_| file.is_some()) {
            let _ = writeln!(text, "shape = [{}, {}, {}]", shape.channels, shape.rows, shape.columns);
        }
        if self.standardize || self.components.is_some() {
            text.push_str("\n[features]\n");
            if self.standardize {
                text.push_str("standardize = true\n");
            }
            if let Some(components) = self.components {
                let _ = writeln!(text, "components = {components}");
            }
        }
        let unit = mean_variance(self.rows);
        let chains = file.map(|file| file.chains_toml(unit));
        let corruption = match (&self.measured, &chains) {
            (Measured::Corruption, Some([corruption, _])) => corruption.as_str(),
            _ => "[{ kind = \"additive\", covariance = \"corruption.npy\" }]",
        };
        let _ = writeln!(text, "\n[corruption]\nstages = {corruption}");
        let white = 0.01 * trace(diagnosis.learnt.inputs.as_ref()) / diagnosis.learnt.inputs.nrows() as f64;
        let stages = match (self.views, &chains) {
            (Seen::Stages(_), Some([_, stages])) => stages.clone(),
            (Seen::Covariance(_) | Seen::Draws(_), _) => {
                "[{ kind = \"additive\", covariance = \"theta.npy\" }]".to_owned()
            }
            (Seen::Noise | Seen::Stages(_), _) => {
                format!("[{{ kind = \"additive\", variance = {white:?} }}]")
            }
        };
        let alignment = if still { 0.0 } else { diagnosis.alignment_used };
        let _ = writeln!(text, "\n[augmentation]\nstages = {stages}\nalignment = {alignment:?}");
        if let Some(floor) = file.map(|file| file.floor).filter(|floor| *floor > 0.0) {
            let _ = writeln!(text, "floor = {floor:?}");
        }
        let mut samples: Vec<String> = Vec::new();
        for share in SHARES.map(|share| (rows / share).max(dimension + 2).min(rows).to_string()) {
            if !samples.contains(&share) {
                samples.push(share);
            }
        }
        let _ = write!(
            text,
            "\n[model]\nparadigms = [\"joint-embedding\", \"reconstruction\"]\ndimension = {}\n\n\
             [grid]\nsamples = [{}]\n\n[output]\nmetrics = [\"leakage\", \"distance\"]\n",
            dimension,
            samples.join(", ")
        );
        text
    }
}

/// The name of the job: that of its directory, if results can be called so.
fn name(directory: &Path) -> String {
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let is_plain = !name.is_empty() && name.len() <= 64 && name.chars().all(plain);
    if is_plain { name.to_owned() } else { "diagnosed".to_owned() }
}

fn trace(matrix: MatRef<'_, f64>) -> f64 {
    matrix.diagonal().column_vector().iter().sum()
}

fn multiply(left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(left.nrows(), right.ncols());
    dense::product(InstructionSet::detect(), out.as_mut(), Accum::Replace, left.as_ref(), right.as_ref());
    out
}

/// `Q f(Λ) Qᵀ` of a symmetric matrix `Q Λ Qᵀ`, where f of what is negative or rounding is 0;
/// exactly symmetric.
fn function(matrix: &Mat<f64>, f: &dyn Fn(f64) -> f64) -> Result<Mat<f64>, Unanswered> {
    let size = matrix.nrows();
    let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
    let solved = Eigensolver::new(InstructionSet::detect(), size).solve(
        matrix.as_ref(),
        &mut values,
        vectors.as_mut(),
    );
    solved.map_err(|source| {
        let what = "eigenvectors of the covariances that are written";
        Unanswered::Diagnose(DiagnoseError::Kernel { what, source })
    })?;
    let least = 1e-10 * values.first().copied().unwrap_or(0.0);
    let mut scaled = vectors.clone();
    for (column, &value) in scaled.col_iter_mut().zip(&values) {
        let of = if value > least { f(value) } else { 0.0 };
        column.iter_mut().for_each(|entry| *entry *= of);
    }
    let found = multiply(&scaled, &vectors.transpose().to_owned());
    Ok(Mat::from_fn(size, size, |i, j| 0.5 * (found[(i, j)] + found[(j, i)])))
}

/// The linear map T = Tᵀ (d × d) with `T A T = B` on the range of A.
fn transport(from: &Mat<f64>, to: &Mat<f64>) -> Result<Mat<f64>, Unanswered> {
    let (root, inverse) = (function(from, &f64::sqrt)?, function(from, &|value| 1.0 / value.sqrt())?);
    let middle = function(&multiply(&multiply(&root, to), &root), &f64::sqrt)?;
    Ok(multiply(&multiply(&inverse, &middle), &inverse))
}
