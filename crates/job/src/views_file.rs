//! Files of views: chains of stages without a job.

use std::path::Path;

use eigensweep_theory::views::stages::Shape;

use super::axis::Axis;
use super::numbers::Allowed;
use super::problem::{JobProblems, Problem, SourceText};
use super::read::{Reader, nearest};
use super::source::JobSource;
use super::stages::{StageSpec, Writing, chain_toml, numbers_mut, paths_mut};
use super::tree::{self, find};

/// The views of one problem: what `solve --views` reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewsFile {
    /// Channels, rows and columns of a sample; of `None` it is one row of features.
    pub shape: Option<Shape>,
    /// What is done to each sample, once; none leave it clean.
    pub corruption: Vec<StageSpec>,
    /// What makes a view of a sample.
    pub stages: Vec<StageSpec>,
    /// White noise of `floor · tr S / d`, last in the views; at least 0.
    pub floor: f64,
    /// The text and the places of its keys, `stages[2].size`.
    pub source: JobSource,
}

impl ViewsFile {
    /// Corruption and stages as a job has them, `stages = …` of `[corruption]` and of
    /// `[augmentation]`, each on one line: paths are absolute, and relative numbers are multiplied
    /// by `unit`.
    #[must_use]
    pub fn chains_toml(&self, unit: f64) -> [String; 2] {
        [&self.corruption, &self.stages].map(|chain| {
            let mut chain = chain.clone();
            for path in paths_mut(&mut chain) {
                if let Ok(absolute) = std::path::absolute(&path) {
                    *path = absolute;
                }
            }
            let mut numbers = Vec::new();
            numbers_mut(&mut chain, "", &mut numbers);
            for (_, number) in numbers {
                if let (true, Some(value)) = (number.values.is_relative(), number.values.only()) {
                    number.values = Axis::single(value * unit);
                }
            }
            chain_toml(&chain, Writing::Job)
        })
    }
}

/// The keys of the file.
const KEYS: [&str; 4] = ["shape", "stages", "corruption", "floor"];

/// Reads a file of views: `shape`, `stages`, `corruption` and `floor` (0 unless given), as in a job
/// but without axes.
///
/// `file_name` names the file in problems; relative paths in it are joined to `base_dir`, its
/// directory. Nothing is read from disk.
///
/// # Errors
///
/// [`JobProblems`] with every problem of the file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// let text = "[[stages]]\nkind = \"dropout\"\nprobability = 0.5";
/// let views = eigensweep_job::views_file("views.toml", text, Path::new("."))?;
/// assert_eq!(views.stages[0].kind.name, "dropout");
/// # Ok::<(), eigensweep_job::JobProblems>(())
/// ```
pub fn views_file(file_name: &str, text: &str, base_dir: &Path) -> Result<ViewsFile, JobProblems> {
    let mut problems = Vec::new();
    let (entries, sound) = tree::read_flat(text, &mut problems);
    let source =
        JobSource::of_file(SourceText { name: file_name.to_owned(), text: text.to_owned() }, &entries);
    if !sound {
        return Err(source.report(problems));
    }
    for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.name.as_str())) {
        let near = nearest(&entry.name, KEYS.into_iter());
        let help = near.map_or_else(
            || format!("the keys are {}", KEYS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(Problem {
            message: format!("a file of views has no key `{}`", entry.name),
            label: "unknown key".into(),
            help: Some(help),
            place: entry.key.clone(),
        });
    }
    if find(&entries, "stages").is_none() {
        let help =
            "list the stages of a view, each below a [[stages]]; `stages = []` leaves samples as they are";
        problems.push(source.problem_at("stages", "`stages` is needed", "no stages", Some(help.into())));
    }
    let mut reader = Reader::new(&source, false, base_dir, &mut problems);
    reader.axes = false;
    let shape = find(&entries, "shape").and_then(|node| reader.shape(node, "shape"));
    let mut chain = |key| {
        let node = find(&entries, key);
        node.and_then(|node| reader.chain(node, key, None)).unwrap_or_default()
    };
    let (stages, corruption) = (chain("stages"), chain("corruption"));
    let allowed = Allowed::real(
        "at least 0",
        |value| value >= 0.0,
        "white noise of floor · tr S / d, last in the views",
    );
    let floor = find(&entries, "floor").and_then(|node| reader.number(node, "floor", allowed));
    if problems.is_empty() {
        return Ok(ViewsFile { shape, corruption, stages, floor: floor.unwrap_or(0.0), source });
    }
    Err(source.report(problems))
}
