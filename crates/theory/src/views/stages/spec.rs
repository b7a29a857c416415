//! A stage as a job file says it: the values of the keys of its kind.

use faer::Mat;

use super::combine::dosed;
use super::{Kind, Shape, Stage};

/// A stage before it is built: its kind, and values that the kind's keys take.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The kind.
    pub kind: &'static Kind,
    /// The values that are given, by key; what is left out has its default.
    pub values: Vec<(&'static str, Value)>,
    /// How much of it is applied; all of it if `None`.
    pub dose: Option<Dosing>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A list of numbers.
    List(Vec<f64>),
    /// Rows of numbers.
    Matrix(Mat<f64>),
    /// One of a key's words.
    Word(&'static str),
    /// A chain of stages.
    Stages(Vec<Spec>),
    /// Several chains.
    Options(Vec<Vec<Spec>>),
}

/// How much of a stage is applied: `v + a (T(v) − v)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dosing {
    /// `strength = α`: a = α.
    Fixed(f64),
    /// `probability = p`: a = 1 with probability p, else 0.
    Probability(f64),
    /// `strength = { uniform = t }`: a is uniform on \[0, t\].
    Uniform(f64),
}

/// Whose severities 1 to 5 are meant: the corruption benchmarks of D. Hendrycks and T. Dietterich,
/// *Benchmarking neural network robustness to common corruptions and perturbations*, ICLR 2019.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severities {
    /// ImageNet-C, `make_imagenet_c.py` of hendrycks/robustness.
    ImageNet,
    /// CIFAR-C, `make_cifar_c.py` there.
    Cifar,
}

impl Severities {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ImageNet, Self::Cifar];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "imagenet-c",
            Self::Cifar => "cifar-c",
        }
    }
}

/// A key of a kind.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The values that it takes.
    pub takes: Takes,
    /// What it is unless given.
    pub unless: Unless,
    /// What it means, in a line.
    pub help: &'static str,
}

impl Key {
    /// Whether it is a variance, in squared units of the samples: a job may give such a number in
    /// units of the clean data's mean variance.
    #[must_use]
    pub fn is_variance(&self) -> bool {
        self.name == "variance"
    }
}

/// What a key is unless given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unless {
    /// It must be given.
    Required,
    /// Nothing of its own; what happens then, in words.
    Absent(&'static str),
    /// A number.
    Number(f64),
    /// A word.
    Word(&'static str),
}

/// The values that a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A number, which may be an axis of a job.
    Number(Bounds),
    /// A number, which may be an axis, or a list with one for each feature.
    NumberOrList(Bounds),
    /// The same, or one of these words.
    NumberListOrWord(Bounds, &'static [&'static str]),
    /// A list of numbers.
    List(Bounds),
    /// Two numbers, of rows and of columns.
    Pair(Bounds),
    /// A list of such pairs: a matrix of two columns.
    Pairs(Bounds),
    /// A list of rows of numbers.
    Matrix,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A chain of stages.
    Stages,
    /// A list of chains.
    Options,
}

/// Which numbers a key takes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Whether they must be whole.
    pub whole: bool,
    /// Which; written so that NaN fails.
    pub holds: fn(f64) -> bool,
    /// The same in words, to complete "must be …".
    pub words: &'static str,
}

impl Bounds {
    /// Any finite number.
    pub const FINITE: Self = Self { whole: false, holds: f64::is_finite, words: "finite" };
    /// At least 0.
    pub const NOT_NEGATIVE: Self =
        Self { whole: false, holds: |x| (0.0..f64::INFINITY).contains(&x), words: "at least 0" };
    /// Above 0.
    pub const POSITIVE: Self =
        Self { whole: false, holds: |x| x > 0.0 && x < f64::INFINITY, words: "above 0" };
    /// From 0 to 1.
    pub const SHARE: Self = Self { whole: false, holds: |x| (0.0..=1.0).contains(&x), words: "from 0 to 1" };
    /// Above 0, up to 1.
    pub const POSITIVE_SHARE: Self =
        Self { whole: false, holds: |x| x > 0.0 && x <= 1.0, words: "above 0, up to 1" };
    /// Whole, at least 0.
    pub const COUNT: Self =
        Self { whole: true, holds: |x| (0.0..=1e6).contains(&x), words: "a whole number from 0 to 1000000" };
    /// Whole, at least 1.
    pub const SIZE: Self =
        Self { whole: true, holds: |x| (1.0..=1e6).contains(&x), words: "a whole number from 1 to 1000000" };
}

/// What is wrong with a stage.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The key at fault, from the stage: `size`, or `options[0][2].size`; empty for the stage.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// The remedy.
    pub help: String,
}

impl Fault {
    /// A fault of a key.
    #[must_use]
    pub fn new(key: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key: key.to_owned(), message: message.into(), help: help.into() }
    }

    /// The same fault, seen from the stage that holds this one at `place`: `stages[2]`.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.key = if self.key.is_empty() { place.to_owned() } else { format!("{place}.{}", self.key) };
        self
    }
}

/// The number that a key is unless given; NaN where it has none.
pub(crate) fn default_number(keys: &[Key], name: &str) -> f64 {
    match keys.iter().find(|key| key.name == name).map(|key| key.unless) {
        Some(Unless::Number(number)) => number,
        Some(Unless::Required | Unless::Absent(_) | Unless::Word(_)) | None => f64::NAN,
    }
}

/// A number at a key of whole numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, within its bounds")]
pub(crate) fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

impl Spec {
    /// A stage of a kind with these values.
    #[must_use]
    pub fn new(kind: &'static Kind, values: Vec<(&'static str, Value)>) -> Self {
        Self { kind, values, dose: None }
    }

    /// The value of a key, if it is given.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The number at a key, or its default; NaN where it has neither.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        if let Some(Value::Number(number)) = self.value(key) {
            return *number;
        }
        default_number(self.kind.keys, key)
    }

    /// The number at a key of whole numbers.
    #[must_use]
    pub fn count(&self, key: &str) -> usize {
        whole(self.number(key))
    }

    /// The list at a key; empty if it is not given.
    #[must_use]
    pub fn list(&self, key: &str) -> &[f64] {
        if let Some(Value::List(list)) = self.value(key) { list } else { &[] }
    }

    /// The matrix at a key, if it is given.
    #[must_use]
    pub fn matrix(&self, key: &str) -> Option<&Mat<f64>> {
        if let Some(Value::Matrix(matrix)) = self.value(key) { Some(matrix) } else { None }
    }

    /// The rows at a key, if they are given; a list is one row.
    #[must_use]
    pub fn rows(&self, key: &str) -> Option<Mat<f64>> {
        if let Some(Value::List(list)) = self.value(key) {
            return Some(Mat::from_fn(1, list.len(), |_, j| list[j]));
        }
        self.matrix(key).cloned()
    }

    /// The matrix at a key, if it is given; a list is one column.
    #[must_use]
    pub fn columns(&self, key: &str) -> Option<Mat<f64>> {
        if let Some(Value::List(list)) = self.value(key) {
            return Some(Mat::from_fn(list.len(), 1, |i, _| list[i]));
        }
        self.matrix(key).cloned()
    }

    /// The list at a key, or the number there, or its default, for each feature.
    ///
    /// # Errors
    ///
    /// A [`Fault`] where the list is not as long as there are features.
    pub fn per_feature(&self, key: &str, shape: Shape) -> Result<Vec<f64>, Fault> {
        let size = shape.size();
        let Some(Value::List(list)) = self.value(key) else { return Ok(vec![self.number(key); size]) };
        if list.len() != size {
            let message = format!("`{key}` has {} values for {size} features", list.len());
            return Err(Fault::new(key, message, "give one number, or one for each feature"));
        }
        Ok(list.clone())
    }

    /// The numbers at `low` and `high`.
    ///
    /// # Errors
    ///
    /// A [`Fault`] where they are the wrong way round.
    pub fn range(&self) -> Result<(f64, f64), Fault> {
        let (low, high) = (self.number("low"), self.number("high"));
        if low > high {
            let message = format!("`low` = {low} is above `high` = {high}");
            return Err(Fault::new("low", message, "exchange them"));
        }
        Ok((low, high))
    }

    /// Checks that exactly one of these keys is given.
    ///
    /// # Errors
    ///
    /// A [`Fault`] of the stage where none is, of the second one where several are.
    pub fn one_of(&self, keys: &[&str]) -> Result<(), Fault> {
        let list = || keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let mut given = keys.iter().filter(|key| self.value(key).is_some());
        match (given.next(), given.next()) {
            (Some(_), None) => Ok(()),
            (None, _) => Err(Fault::new("", format!("none of {} is given", list()), "give one of them")),
            (Some(first), Some(second)) => {
                let message = format!("`{second}` is given beside `{first}`");
                Err(Fault::new(second, message, format!("give only one of {}", list())))
            }
        }
    }

    /// The word at a key, or its default; empty where it has neither.
    #[must_use]
    pub fn word(&self, key: &str) -> &'static str {
        if let Some(Value::Word(word)) = self.value(key) {
            return word;
        }
        match self.kind.keys.iter().find(|one| one.name == key).map(|one| one.unless) {
            Some(Unless::Word(word)) => word,
            Some(Unless::Required | Unless::Absent(_) | Unless::Number(_)) | None => "",
        }
    }

    /// The stage for samples of a shape.
    ///
    /// # Errors
    ///
    /// A [`Fault`] where values do not fit each other or the shape.
    pub fn build(&self, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
        for key in self.kind.keys {
            let Some(matrix) = self.matrix(key.name) else { continue };
            if !matches!(key.takes, Takes::Matrix | Takes::Pairs(_)) {
                let message =
                    format!("`{}` is {} × {}, not a list", key.name, matrix.nrows(), matrix.ncols());
                return Err(Fault::new(key.name, message, "give a file of one row or one column"));
            }
        }
        let stage = (self.kind.build)(self, shape)?;
        Ok(match self.dose {
            None => stage,
            Some(dosing) => Box::new(dosed(stage, dosing, shape)?),
        })
    }
}

/// Builds a chain's stages: each for what comes out of the one before it.
///
/// # Errors
///
/// The first [`Fault`], its key seen from whoever holds the chain at `place`.
pub fn build_all(specs: &[Spec], shape: Shape, place: &str) -> Result<Vec<Box<dyn Stage>>, Fault> {
    let mut shape = shape;
    let built = specs.iter().enumerate().map(|(at, spec)| {
        let stage = spec.build(shape).map_err(|fault| fault.within(&format!("{place}[{at}]")))?;
        let features = stage.features(shape.size());
        if features != shape.size() {
            shape = Shape::features(features);
        }
        Ok(stage)
    });
    built.collect()
}
