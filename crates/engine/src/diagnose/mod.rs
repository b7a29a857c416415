//! Which paradigm for given data and views: from tables and stages to the statistics of
//! [`eigensweep_diagnose`], and from its answer to words, JSON and files.
//!
//! ```
//! use eigensweep_engine::diagnose::statistics::Run;
//! use eigensweep_engine::diagnose::{Measured, Problem, Seen};
//! use faer::Mat;
//!
//! // One strong signal, and noise of another size in each measurement.
//! let row = |i: usize, j: usize, repeat: f64| {
//!     let signal = (i as f64 * 0.7).sin() * 3.0 / (1 + j) as f64;
//!     signal + ((i * 31 + j * 17) as f64 * (1.3 + repeat)).sin()
//! };
//! let first = Mat::from_fn(80, 4, |i, j| row(i, j, 0.0));
//! let second = Mat::from_fn(80, 4, |i, j| row(i, j, 1.0));
//! let problem = Problem {
//!     dimension: Some(1),
//!     ..Problem::new(first.as_ref(), Measured::Repeats(second.as_ref()), Seen::Noise)
//! };
//! let found = problem.diagnose(&Run::on(1))?;
//! assert_eq!((found.diagnosis.items, found.of), (80, "pairs"));
//! println!("{}", found.headline());
//! # Ok::<(), eigensweep_engine::diagnose::Unanswered>(())
//! ```
//!
//! | module | is about |
//! |---|---|
//! | [`files`] | inputs, repeats, ids and labels from files |
//! | `views` | moments of views that are stages, for any rows and alignment |
//! | `drawn` | the same of views that the caller drew |
//! | `words` | the answer in plain English |
//! | `json` | the answer for programs |
//! | `situation` | encoders, moments, and a job that goes on from there |

mod drawn;
pub mod files;
mod json;
mod situation;
mod views;
mod words;

use eigensweep_diagnose::{ALIGNMENTS, DiagnoseError, Diagnosis, Labels, Measurements, Question, Run, Views};
use eigensweep_job::ViewsFile;
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_store::format::counted;
use eigensweep_theory::views::stages::{Domain, Scratch, Shape, Stage};
use faer::MatRef;

use crate::EngineError;
use crate::given::views::{Chains, SEED, refused};
use crate::given::{asymmetry, negative, product};
use drawn::DrawnViews;
use views::RowViews;

pub use eigensweep_diagnose as statistics;
pub use situation::prepare;
pub use words::{difference, interval, percent};

/// Measurements of the rows, and what tells their noise.
#[derive(Clone, Copy, Debug)]
pub enum Measured<'a> {
    /// Another measurement of each row (n × d).
    Repeats(MatRef<'a, f64>),
    /// What each row is a measurement of (n).
    Pairs(&'a [usize]),
    /// The batch of each row (n): how batches differ is noise.
    Nuisance(&'a [usize]),
    /// The rows are clean, and the corruption of the views' file is drawn twice for each.
    Corruption,
}

impl Measured<'_> {
    /// What items are called.
    fn name(&self) -> &'static str {
        match self {
            Self::Repeats(_) | Self::Corruption => "pairs",
            Self::Pairs(_) => "groups",
            Self::Nuisance(_) => "batches",
        }
    }
}

/// The views that both paradigms learn from.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// None given: the noise's own.
    Noise,
    /// Additive, of this covariance Θ (d × d).
    Covariance(MatRef<'a, f64>),
    /// Stages of a file.
    Stages(&'a ViewsFile),
    /// Draws that were made of all rows that were measured, those of repeats behind X (N in all): a
    /// view of each, then another of each, m times (mN × d), m at least 2.
    Draws(MatRef<'a, f64>),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// X (n × d); rows that are contiguous are not copied.
    pub rows: MatRef<'a, f64>,
    /// What tells signal from noise.
    pub measured: Measured<'a>,
    /// The views.
    pub views: Seen<'a>,
    /// The shape of a row, where the views' file says none.
    pub shape: Option<Shape>,
    /// A label of each row of X.
    pub labels: Option<Labels<'a>>,
    /// k; by permutation of pairs if `None`.
    pub dimension: Option<usize>,
    /// α; 0 of views that are given, else 1, if `None`.
    pub alignment: Option<f64>,
    /// Principal components, fitted inside each fold.
    pub components: Option<usize>,
    /// Whether features are divided by their standard deviations, inside each fold.
    pub standardize: bool,
}

/// The answer, and what it is about.
#[derive(Clone, Debug)]
pub struct Found {
    /// The numbers.
    pub diagnosis: Diagnosis,
    /// What items are called: `pairs`, `groups` or `batches`.
    pub of: &'static str,
    /// Whether rows were clean, and corrupted twice.
    pub corrupted: bool,
    /// The views, in words.
    pub views: String,
    /// Why other alignments were not tried, if they were not.
    pub fixed_alignment: Option<&'static str>,
    /// Whether PCA and standardizing were asked for.
    pub components: Option<usize>,
    /// Whether features were divided by their standard deviations.
    pub standardize: bool,
    /// Features of X.
    pub inputs: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// A file, a stage, or the arguments.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The numbers.
    #[error(transparent)]
    Diagnose(DiagnoseError),
    /// Arguments that do not go together.
    #[error("{message}: {remedy}")]
    Arguments {
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl From<DiagnoseError> for Unanswered {
    fn from(error: DiagnoseError) -> Self {
        // What the views' moments failed with is ours.
        let DiagnoseError::Views(fault) = error else { return Self::Diagnose(error) };
        match fault.downcast::<EngineError>() {
            Ok(error) => Self::Engine(*error),
            Err(fault) => Self::Diagnose(DiagnoseError::Views(fault)),
        }
    }
}

impl<'a> Problem<'a> {
    /// A problem with every default.
    #[must_use]
    pub fn new(rows: MatRef<'a, f64>, measured: Measured<'a>, views: Seen<'a>) -> Self {
        Self {
            rows,
            measured,
            views,
            shape: None,
            labels: None,
            dimension: None,
            alignment: None,
            components: None,
            standardize: false,
        }
    }

    /// Answers.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] says what is wrong, and where.
    pub fn diagnose(&self, run: &Run<'_>) -> Result<Found, Unanswered> {
        let corrupted = self.corrupted(run)?;
        let views = self.row_views(corrupted.as_ref(), *run)?;
        let measurements = match (self.measured, &corrupted) {
            (Measured::Repeats(second), _) => Measurements::Repeats([self.rows, second]),
            (Measured::Pairs(ids), _) => Measurements::Groups { rows: self.rows, ids },
            (Measured::Nuisance(batches), _) => Measurements::Nuisance { rows: self.rows, batches },
            (Measured::Corruption, Some(drawn)) => Measurements::Repeats(drawn.each_ref().map(Drawn::view)),
            (Measured::Corruption, None) => return Err(no_corruption()),
        };
        let drawn;
        let seen = match (&views, self.views) {
            (Some(views), _) => Views::OfRows(views),
            (None, Seen::Draws(views)) => {
                let tables = match measurements {
                    Measurements::Repeats(tables) => tables.to_vec(),
                    Measurements::Groups { rows, .. } | Measurements::Nuisance { rows, .. } => vec![rows],
                };
                let remedy = "draw at least two views of each, of as many features";
                drawn = DrawnViews::new(tables, views, *run)
                    .map_err(|message| Unanswered::Arguments { message, remedy })?;
                Views::OfRows(&drawn)
            }
            (None, Seen::Covariance(theta)) => {
                self.check_covariance(theta)?;
                Views::Additive(theta)
            }
            (None, Seen::Noise | Seen::Stages(_)) => Views::Noise,
        };
        let fixed_alignment = views.as_ref().and_then(RowViews::fixed_alignment);
        if let (Some(why), Some(alignment)) = (fixed_alignment, self.alignment.filter(|alpha| *alpha > 0.0)) {
            return Err(Unanswered::Arguments {
                message: format!("alignment {alignment} adds noise to rows before their views, and {why}"),
                remedy: "leave the alignment out, or change the stages",
            });
        }
        let question = Question {
            labels: self.labels,
            dimension: self.dimension,
            alignment: self.alignment,
            alignments: if fixed_alignment.is_some() { &[] } else { &ALIGNMENTS },
            components: self.components,
            standardize: self.standardize,
            ..Question::new(measurements, seen)
        };
        Ok(Found {
            diagnosis: eigensweep_diagnose::diagnose(&question, run)?,
            of: self.measured.name(),
            corrupted: matches!(self.measured, Measured::Corruption),
            views: words::views(&self.views),
            fixed_alignment,
            components: self.components,
            standardize: self.standardize,
            inputs: self.rows.ncols(),
        })
    }

    /// The file of stages, if views are given so.
    fn file(&self) -> Option<&'a ViewsFile> {
        match self.views {
            Seen::Stages(file) => Some(file),
            Seen::Noise | Seen::Covariance(_) | Seen::Draws(_) => None,
        }
    }

    fn chains(&self, file: &'a ViewsFile) -> Result<Chains<'a>, EngineError> {
        Chains::new(file, self.rows.ncols(), self.shape, mean_variance(self.rows))
    }

    /// Which values the rows have.
    fn domain(&self) -> Domain {
        crate::given::views::domain(self.rows)
    }

    /// The corruption drawn twice for each row, where that tells the noise.
    fn corrupted(&self, run: &Run<'_>) -> Result<Option<[Drawn; 2]>, Unanswered> {
        let file = self.file();
        let there = file.is_some_and(|file| !file.corruption.is_empty());
        let file = match (self.measured, file) {
            (Measured::Corruption, Some(file)) if there => file,
            (Measured::Corruption, _) => return Err(no_corruption()),
            (Measured::Repeats(_) | Measured::Pairs(_) | Measured::Nuisance(_), _) if there => {
                return Err(Unanswered::Arguments {
                    message: "the views have a corruption, and there are measurements already".to_owned(),
                    remedy: "give one of the two: a corruption is drawn twice for each row, in place of repeats",
                });
            }
            (Measured::Repeats(_) | Measured::Pairs(_) | Measured::Nuisance(_), _) => return Ok(None),
        };
        let chains = self.chains(file)?;
        let Some(mut chain) = chains.corrupted(&mut self.domain()).map_err(EngineError::from)? else {
            return Err(no_corruption());
        };
        if chain.is_fixed() {
            let (message, help) = ("it draws nothing, so that drawn twice it is the same", "add noise");
            let fault = eigensweep_theory::views::stages::Fault::new("", message, help);
            return Err(EngineError::from(refused(file, "corruption", "no noise", fault)).into());
        }
        chain.settle(&mean(self.rows), &mut Scratch::default());
        let streams = Streams::new(SEED);
        let drawn = |copy: u64| {
            let (samples, features) = (self.rows.nrows(), self.rows.ncols());
            let (mut all, mut values) = (Vec::with_capacity(samples * features), Vec::new());
            for (number, row) in (0_u64..).zip(self.rows.row_iter()) {
                run.check()?;
                values.clear();
                values.extend(row.iter());
                chain.draw(&mut values, &mut streams.stream(Draw::Corruption, &[copy, number]));
                all.append(&mut values);
            }
            Ok::<_, DiagnoseError>(Drawn { values: all, features })
        };
        Ok(Some([drawn(0)?, drawn(1)?]))
    }

    /// The views of stages, of the rows that were measured.
    fn row_views<'b>(
        &self,
        corrupted: Option<&'b [Drawn; 2]>,
        run: Run<'b>,
    ) -> Result<Option<RowViews<'b>>, Unanswered>
    where
        'a: 'b,
    {
        let Some(file) = self.file() else { return Ok(None) };
        let chains = self.chains(file)?;
        let mut domain = self.domain();
        let tables = match (self.measured, corrupted) {
            (Measured::Repeats(second), _) => {
                domain = domain.min(crate::given::views::domain(second));
                vec![self.rows, second]
            }
            (_, Some(drawn)) => {
                chains.corrupted(&mut domain).map_err(EngineError::from)?;
                drawn.iter().map(Drawn::view).collect()
            }
            (_, None) => vec![self.rows],
        };
        Ok(Some(RowViews::new(&chains, file, domain, tables, run)?))
    }

    fn check_covariance(&self, theta: MatRef<'_, f64>) -> Result<(), Unanswered> {
        let size = self.rows.ncols();
        let refuse = |message: String, remedy| Err(Unanswered::Arguments { message, remedy });
        if (theta.nrows(), theta.ncols()) != (size, size) {
            let (rows, columns) = (theta.nrows(), theta.ncols());
            let features = counted(size as u64, "feature");
            let message = format!("the covariance of the views is {rows} × {columns} for {features}");
            return refuse(message, "give a row and a column for each feature");
        }
        match asymmetry(theta) {
            Some(difference) => {
                let message = format!(
                    "the covariance of the views is not symmetric, entries that should be equal differ by {difference:e}"
                );
                refuse(message, "a covariance is symmetric: take (Θ + Θᵀ)/2")
            }
            None => match negative(theta) {
                Some(feature) => refuse(
                    format!(
                        "the covariance of the views is negative in some direction, most along feature {feature}"
                    ),
                    "a covariance is positive semidefinite: check how it was computed",
                ),
                None => Ok(()),
            },
        }
    }
}

fn no_corruption() -> Unanswered {
    Unanswered::Arguments {
        message: "nothing tells signal from noise".to_owned(),
        remedy: "give repeats, pairs, nuisance groups, or a corruption with the views",
    }
}

/// Rows that were drawn, row by row.
#[derive(Debug)]
struct Drawn {
    values: Vec<f64>,
    features: usize,
}

impl Drawn {
    fn view(&self) -> MatRef<'_, f64> {
        let rows = self.values.len() / self.features.max(1);
        MatRef::from_row_major_slice(&self.values, rows, self.features)
    }
}

/// The mean of the rows (d).
fn mean(rows: MatRef<'_, f64>) -> Vec<f64> {
    let mut mean = vec![0.0; rows.ncols()];
    for row in rows.row_iter() {
        mean.iter_mut().zip(row.iter()).for_each(|(mean, x)| *mean += x);
    }
    mean.iter_mut().for_each(|mean| *mean /= rows.nrows() as f64);
    mean
}

/// Mean variance of the features.
fn mean_variance(rows: MatRef<'_, f64>) -> f64 {
    let mean = mean(rows);
    let square = |(x, mean): (&f64, &f64)| (x - mean) * (x - mean);
    let of_row = |row: faer::RowRef<'_, f64>| row.iter().zip(&mean).map(square).sum::<f64>();
    rows.row_iter().map(of_row).sum::<f64>() / (rows.nrows() * rows.ncols()) as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use eigensweep_diagnose::{Training, ViewsOfRows};
    use eigensweep_testkit::random::Random;
    use faer::Mat;

    use super::{DiagnoseError, Measured, Problem, Run, Seen, Unanswered};

    #[test]
    fn what_is_drawn_hears_the_stop() {
        let text = "[[stages]]\nkind = \"clip\"\nlow = -1\nhigh = 1\n";
        let noise = "[[corruption]]\nkind = \"additive\"\nvariance = 1\n";
        let [views, corrupted] = [text.to_owned(), format!("{text}{noise}")]
            .map(|text| eigensweep_job::views_file("views.toml", &text, Path::new("")).unwrap());
        let mut random = Random(1);
        let [first, second] = [(); 2].map(|()| random.normals(40, 3));
        let stop = AtomicBool::new(false);
        let run = Run { threads: 1, stop: &stop, progress: &|_, _| {} };
        let repeats = Measured::Repeats(second.as_ref());
        let problem = Problem::new(first.as_ref(), repeats, Seen::Stages(&views));
        let found = problem.row_views(None, run).unwrap().unwrap();
        let (rows, one): (Vec<usize>, _) = ((0..80).collect(), Mat::<f64>::identity(3, 3));
        let (inputs, noise) = (one.as_ref(), one.as_ref());
        let training = Training { mean: &[0.0; 3], inputs, noise, rows: &rows, held_out: &[] };
        let mut moments = found.of(&training).unwrap();
        assert!(moments(1.0).is_ok());
        stop.store(true, Ordering::Relaxed);
        for alpha in [0.0, 1.0] {
            let fault = moments(alpha).unwrap_err();
            assert!(matches!(fault.downcast_ref(), Some(DiagnoseError::Stopped)), "{fault}");
        }
        let problem = Problem::new(first.as_ref(), Measured::Corruption, Seen::Stages(&corrupted));
        let stopped = problem.corrupted(&run);
        assert!(matches!(stopped, Err(Unanswered::Diagnose(DiagnoseError::Stopped))));
    }
}
