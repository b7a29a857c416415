//! `[corruption]` and `[augmentation]` as chains of stages: numbers may be axes.

use std::path::{Path, PathBuf};

use eigensweep_theory::Paradigm;
use eigensweep_theory::views::stages::{Dosing, Kind, Severities, Shape, Spec, Takes, Value};
use faer::Mat;

use super::axis::Axis;
use super::fields::quoted;

/// Corruption and views of a job with stages.
#[derive(Clone, Debug, PartialEq)]
pub struct StagesSpec {
    /// Stages of `[corruption]`, drawn once a sample; none leave samples clean.
    pub corruption: Vec<StageSpec>,
    /// From 0 (no corruption) to 5: fills in the keys of the corruption's stages that are not
    /// given.
    pub severity: Option<Axis<i64>>,
    /// The table that a severity reads.
    pub severities: Severities,
    /// How samples are corrupted.
    pub draw: CorruptionDraw,
    /// Dose of the corruption, first in every view of a corrupted sample; 0 leaves it out.
    pub alignment: Axis<f64>,
    /// What an alignment is.
    pub dose: AlignmentDose,
    /// White noise of `floor · tr S / d`, last in the views.
    pub floor: Axis<f64>,
    /// Stages of `[augmentation]`.
    pub augmentation: Vec<StageSpec>,
    /// Those of single paradigms, in place of the augmentation's.
    pub own: Vec<(&'static Paradigm, Vec<StageSpec>)>,
    /// m, views of each sample where a stage has no closed form, at least 2.
    pub sampled: u32,
}

/// How samples are corrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorruptionDraw {
    /// A draw a sample.
    Once,
    /// The limit of many samples, in closed form.
    Population,
}

impl CorruptionDraw {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Once, Self::Population];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Population => "population",
        }
    }
}

/// What the alignment is a dose of the corruption by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlignmentDose {
    /// Its strength.
    Fixed,
    /// Its probability.
    Probability,
    /// The largest of uniformly drawn strengths.
    Uniform,
}

impl AlignmentDose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fixed, Self::Probability, Self::Uniform];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Probability => "probability",
            Self::Uniform => "uniform",
        }
    }

    /// The dose of an alignment; `None` of 0, which leaves the corruption out.
    #[must_use]
    pub fn of(self, alignment: f64) -> Option<Dosing> {
        (alignment > 0.0).then_some(match self {
            Self::Fixed => Dosing::Fixed(alignment),
            Self::Probability => Dosing::Probability(alignment),
            Self::Uniform => Dosing::Uniform(alignment),
        })
    }
}

/// A stage of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSpec {
    /// Its kind.
    pub kind: &'static Kind,
    /// What columns of its axes are called by.
    pub name: String,
    /// The values that are given, by key.
    pub values: Vec<(&'static str, StageValue)>,
    /// How much of it is applied; all of it if `None`.
    pub dose: Option<(DoseOf, StageNumber)>,
}

/// What a stage's dose is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoseOf {
    /// `probability`.
    Probability,
    /// `strength`.
    Strength,
    /// `strength = { uniform = … }`.
    Uniform,
}

/// A number of a stage: one value, or an axis of the job.
#[derive(Clone, Debug, PartialEq)]
pub struct StageNumber {
    /// The column, where it is an axis: the job gives a list or a range.
    pub column: Option<&'static str>,
    /// Its values.
    pub values: Axis<f64>,
}

/// A value of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum StageValue {
    /// A number; of one that is [relative](Axis::is_relative) in units of the clean data's mean
    /// variance.
    Number(StageNumber),
    /// A list, rows, or a word.
    Fixed(Value),
    /// An npy file with a list or rows.
    File(PathBuf),
    /// A chain.
    Stages(Vec<StageSpec>),
    /// Several chains.
    Options(Vec<Vec<StageSpec>>),
}

/// What is filled in where a stage is put together.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    /// The value of an axis, by its column.
    pub axis: &'a dyn Fn(&str) -> Option<f64>,
    /// The numbers of a file.
    pub file: &'a dyn Fn(&Path) -> Option<Mat<f64>>,
    /// What relative numbers are multiples of.
    pub unit: f64,
    /// The severity of the corruption, from 1, of samples of a shape.
    pub severity: Option<(Severities, usize, Shape)>,
}

impl StageNumber {
    /// Its value.
    fn at(&self, filling: Filling<'_>) -> f64 {
        let only = || self.values.values().first().copied().unwrap_or(f64::NAN);
        let value = self.column.and_then(filling.axis).unwrap_or_else(only);
        if self.values.is_relative() { value * filling.unit } else { value }
    }
}

impl StageSpec {
    /// The stage with everything filled in.
    #[must_use]
    pub fn at(&self, filling: Filling<'_>) -> Spec {
        let mut values: Vec<(&'static str, Value)> = self
            .values
            .iter()
            .filter_map(|(key, value)| {
                let value = match value {
                    StageValue::Number(number) => Value::Number(number.at(filling)),
                    StageValue::Fixed(value) => value.clone(),
                    StageValue::File(path) => of_file((filling.file)(path)?),
                    StageValue::Stages(stages) => Value::Stages(all(stages, filling)),
                    StageValue::Options(options) => {
                        Value::Options(options.iter().map(|stages| all(stages, filling)).collect())
                    }
                };
                Some((*key, value))
            })
            .collect();
        if let Some((table, severity, shape)) = filling.severity
            && let Some(of) = self.kind.severity
        {
            for (key, value) in of(table, severity, shape) {
                if values.iter().all(|(given, _)| *given != key) {
                    values.push((key, value));
                }
            }
        }
        let dose = self.dose.as_ref().map(|(of, number)| {
            let number = number.at(filling);
            match of {
                DoseOf::Probability => Dosing::Probability(number),
                DoseOf::Strength => Dosing::Fixed(number),
                DoseOf::Uniform => Dosing::Uniform(number),
            }
        });
        Spec { kind: self.kind, values, dose }
    }
}

/// Every number of a chain, with the path of its key from what holds the chain at `place`.
macro_rules! numbers {
    ($name:ident, $reference:ty, $number:ty, $iter:ident) => {
        pub(super) fn $name<'a>(stages: $reference, place: &str, found: &mut Vec<(String, $number)>) {
            for (at, StageSpec { values, dose, .. }) in stages.$iter().enumerate() {
                for (key, value) in values {
                    let place = format!("{place}[{at}].{key}");
                    match value {
                        StageValue::Number(number) => found.push((place, number)),
                        StageValue::Stages(stages) => $name(stages, &place, found),
                        StageValue::Options(options) => {
                            for (option, chain) in options.$iter().enumerate() {
                                $name(chain, &format!("{place}[{option}]"), found);
                            }
                        }
                        StageValue::Fixed(_) | StageValue::File(_) => {}
                    }
                }
                if let Some((of, number)) = dose {
                    found.push((format!("{place}[{at}].{}", of.path()), number));
                }
            }
        }
    };
}

numbers!(numbers, &'a [StageSpec], &'a StageNumber, iter);
numbers!(numbers_mut, &'a mut [StageSpec], &'a mut StageNumber, iter_mut);

impl DoseOf {
    /// The key whose value is the number.
    fn path(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Strength => "strength",
            Self::Uniform => "strength.uniform",
        }
    }
}

/// For whom a job is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Whoever reads it as a job.
    Job,
    /// An identity, which has the contents of files and not their paths.
    Content,
    /// The identity of a study: also without the values of axes.
    Study,
}

/// A chain in TOML, on one line.
pub(super) fn chain_toml(stages: &[StageSpec], writing: Writing) -> String {
    let stages: Vec<String> = stages.iter().map(|stage| stage.toml(writing)).collect();
    format!("[{}]", stages.join(", "))
}

impl StageSpec {
    fn toml(&self, writing: Writing) -> String {
        let mut entries = vec![format!("kind = {:?}", self.kind.name)];
        if self.name != self.kind.name {
            entries.push(format!("name = {:?}", self.name));
        }
        for (key, value) in &self.values {
            let value = match value {
                StageValue::Number(number) => {
                    let listed = self.kind.keys.iter().any(|one| one.name == *key && takes_list(one.takes));
                    number.toml(writing, listed)
                }
                StageValue::Fixed(value) => fixed_toml(value),
                StageValue::File(path) if writing == Writing::Job => quoted(&path.to_string_lossy()),
                StageValue::File(_) => "file".to_owned(),
                StageValue::Stages(stages) => chain_toml(stages, writing),
                StageValue::Options(options) => {
                    let options: Vec<_> = options.iter().map(|chain| chain_toml(chain, writing)).collect();
                    format!("[{}]", options.join(", "))
                }
            };
            entries.push(format!("{key} = {value}"));
        }
        if let Some((of, number)) = &self.dose {
            let number = number.toml(writing, false);
            entries.push(match of {
                DoseOf::Probability => format!("probability = {number}"),
                DoseOf::Strength => format!("strength = {number}"),
                DoseOf::Uniform => format!("strength = {{ uniform = {number} }}"),
            });
        }
        format!("{{ {} }}", entries.join(", "))
    }
}

impl StageNumber {
    /// The number in TOML, of a key where a list is one value (`listed`) or an axis.
    fn toml(&self, writing: Writing, listed: bool) -> String {
        let values = match (self.column, self.values.only()) {
            (Some(column), _) if writing == Writing::Study => column.to_owned(),
            (Some(_), _) if listed && !self.values.is_relative() => {
                format!("{{ values = {:?} }}", self.values.values())
            }
            // Of an axis a list, also where only one value is left of it.
            (Some(_), _) | (None, None) => format!("{:?}", self.values.values()),
            (None, Some(value)) => format!("{value:?}"),
        };
        if self.values.is_relative() { format!("{{ relative = {values} }}") } else { values }
    }
}

/// Whether a list at a key is a value of it, where it takes a number, too.
pub(super) fn takes_list(takes: Takes) -> bool {
    match takes {
        Takes::NumberOrList(_) | Takes::NumberListOrWord(..) => true,
        Takes::Number(_)
        | Takes::List(_)
        | Takes::Pair(_)
        | Takes::Pairs(_)
        | Takes::Matrix
        | Takes::Word(_)
        | Takes::Stages
        | Takes::Options => false,
    }
}

fn fixed_toml(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{number:?}"),
        Value::List(list) => format!("{list:?}"),
        Value::Matrix(matrix) => {
            let rows = matrix.row_iter().map(|row| format!("{:?}", row.iter().collect::<Vec<_>>()));
            format!("[{}]", rows.collect::<Vec<_>>().join(", "))
        }
        Value::Word(word) => format!("{word:?}"),
        // Chains are values of their own in a job.
        Value::Stages(_) | Value::Options(_) => "[]".to_owned(),
    }
}

/// The paths of a chain's files, to be changed.
pub(super) fn paths_mut(stages: &mut [StageSpec]) -> Vec<&mut PathBuf> {
    let mut paths = Vec::new();
    for (_, value) in stages.iter_mut().flat_map(|stage| &mut stage.values) {
        match value {
            StageValue::File(path) => paths.push(path),
            StageValue::Stages(stages) => paths.extend(paths_mut(stages)),
            StageValue::Options(options) => {
                paths.extend(options.iter_mut().flat_map(|chain| paths_mut(chain)))
            }
            StageValue::Number(_) | StageValue::Fixed(_) => {}
        }
    }
    paths
}

/// A chain with everything filled in.
#[must_use]
pub fn all(stages: &[StageSpec], filling: Filling<'_>) -> Vec<Spec> {
    stages.iter().map(|stage| stage.at(filling)).collect()
}

/// The numbers of a file: of one column or row as a list.
fn of_file(matrix: Mat<f64>) -> Value {
    if matrix.ncols() == 1 || matrix.nrows() == 1 {
        let list = matrix.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<_>>());
        return Value::List(list.collect());
    }
    Value::Matrix(matrix)
}
