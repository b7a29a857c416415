//! Stages made of stages: chain, choice and dose, under which quadratic stages are closed.
//!
//! Source: `views.md`, section 2 (closure) and section 3 (the last three rows of the table).

use faer::Mat;
use rand::{Rng, RngExt};

use super::evaluation::mean_unknown;
use super::spec::build_all;
use super::tiles::symmetrize;
use super::{
    Bounds, Domain, Dosing, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Tier, Unless, Value,
    mixture,
};

/// One of several chains, drawn afresh.
pub static CHOICE: Kind = Kind {
    name: "choice",
    help: "one of several chains of stages",
    keys: &[
        Key {
            name: "options",
            takes: Takes::Options,
            unless: Unless::Required,
            help: "the chains: a list of lists of stages",
        },
        Key {
            name: "weights",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("all alike"),
            help: "how likely each is, relative to the others",
        },
    ],
    build: |spec, shape| {
        let Some(Value::Options(options)) = spec.value("options") else {
            return Err(Fault::new("options", "there are no options", "list at least one chain of stages"));
        };
        let chains = options.iter().enumerate().map(|(at, specs)| {
            let chain = Chain::new(specs, shape, &format!("options[{at}]"))?;
            Ok(Box::new(chain) as Box<dyn Stage>)
        });
        let chains: Vec<_> = chains.collect::<Result<_, _>>()?;
        let mut features = chains.iter().map(|chain| chain.features(shape.size()));
        let first = features.next();
        if let Some((at, other)) = features.enumerate().find(|(_, other)| Some(*other) != first) {
            let message = format!("{other} features come out, {} of the first option", first.unwrap_or(0));
            let help = "options must agree in the number of features";
            return Err(Fault::new(&format!("options[{}]", at + 1), message, help));
        }
        Ok(Box::new(Choice::new(chains, spec.list("weights"))?))
    },
    severity: None,
};

/// A chain with a probability.
pub static SOMETIMES: Kind = Kind {
    name: "sometimes",
    help: "a chain of stages with a probability",
    keys: &[
        Key {
            name: "probability",
            takes: Takes::Number(Bounds::SHARE),
            unless: Unless::Required,
            help: "of being applied",
        },
        Key { name: "stages", takes: Takes::Stages, unless: Unless::Required, help: "the chain" },
    ],
    build: |spec, shape| {
        let dosing = Dosing::Probability(spec.number("probability"));
        Ok(Box::new(dosed(Box::new(chain(spec, shape)?), dosing, shape)?))
    },
    severity: None,
};

/// A chain at a strength.
pub static STRENGTH: Kind = Kind {
    name: "strength",
    help: "a chain of stages at a strength α: `v + α (T(v) − v)`",
    keys: &[
        Key {
            name: "alpha",
            takes: Takes::Number(Bounds::NOT_NEGATIVE),
            unless: Unless::Required,
            help: "the strength; 1 is the chain itself",
        },
        Key { name: "stages", takes: Takes::Stages, unless: Unless::Required, help: "the chain" },
    ],
    build: |spec, shape| {
        let dosing = Dosing::Fixed(spec.number("alpha"));
        Ok(Box::new(dosed(Box::new(chain(spec, shape)?), dosing, shape)?))
    },
    severity: None,
};

/// The chain at `stages`.
fn chain(spec: &Spec, shape: Shape) -> Result<Chain, Fault> {
    let Some(Value::Stages(specs)) = spec.value("stages") else {
        return Err(Fault::new("stages", "there are no stages", "list at least one"));
    };
    Chain::new(specs, shape, "stages")
}

/// A dose of a stage for samples of a shape.
///
/// # Errors
///
/// A [`Fault`] of the stage itself where it changes the number of features: then `T(v) − v` is not.
pub(super) fn dosed(stage: Box<dyn Stage>, dosing: Dosing, shape: Shape) -> Result<Dose, Fault> {
    let (before, after) = (shape.size(), stage.features(shape.size()));
    if before != after {
        let message = format!("a dose needs as many features out as in, not {after} of {before}");
        return Err(Fault::new("", message, "apply all of it"));
    }
    Ok(Dose::new(stage, dosing))
}

/// The number of the first stage that must be told a mean which is not known there: it is behind
/// one without a closed form.
pub(super) fn unsettled(stages: &[Box<dyn Stage>]) -> Option<usize> {
    let first = stages.iter().position(|stage| stage.tier() != Tier::Moments)? + 1;
    stages[first..].iter().position(|stage| stage.needs_mean()).map(|at| first + at)
}

/// One stage after another.
#[derive(Debug)]
pub struct Chain {
    /// The stages, the first first.
    pub stages: Vec<Box<dyn Stage>>,
}

impl Chain {
    /// The chain of these stages.
    fn new(specs: &[Spec], shape: Shape, place: &str) -> Result<Self, Fault> {
        let stages = build_all(specs, shape, place)?;
        match unsettled(&stages) {
            Some(at) => Err(mean_unknown().within(&format!("{place}[{at}]"))),
            None => Ok(Self { stages }),
        }
    }
}

/// The outcomes of one coordinate at a value behind all stages, the same ones together; `None`
/// where a stage has no [law](Stage::law).
fn outcomes(stages: &[Box<dyn Stage>], value: f64) -> Option<Vec<(f64, f64)>> {
    let mut found = vec![(value, 1.0)];
    let mut next = Vec::new();
    for stage in stages {
        for &(value, share) in &found {
            let from = next.len();
            if !stage.law(value, &mut next) {
                return None;
            }
            next[from..].iter_mut().for_each(|(_, part)| *part *= share);
        }
        next.sort_by(|a, b| a.0.total_cmp(&b.0));
        next.dedup_by(|other, kept| {
            let same = other.0.total_cmp(&kept.0).is_eq();
            kept.1 += if same { other.1 } else { 0.0 };
            same
        });
        std::mem::swap(&mut found, &mut next);
        next.clear();
    }
    Some(found)
}

impl Stage for Chain {
    fn features(&self, before: usize) -> usize {
        self.stages.iter().fold(before, |features, stage| stage.features(features))
    }

    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], scratch: &mut Scratch) {
        self.stages.iter().for_each(|stage| stage.mean(moment, weights, scratch));
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], scratch: &mut Scratch) {
        let mut means = scratch.take(mean.len(), 1);
        means.col_as_slice_mut(0).copy_from_slice(mean);
        for stage in &self.stages {
            stage.second(second, means.col_as_slice(0), scratch);
            stage.mean(&mut means, &[1.0], scratch);
        }
        scratch.give(means);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        self.stages.iter().for_each(|stage| stage.draw(values, rng));
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        self.stages.iter().try_fold(before, |domain, stage| stage.domain(domain))
    }

    fn tier(&self) -> Tier {
        let closed = self.stages.iter().all(|stage| stage.tier() == Tier::Moments);
        match self.entry(0.0) {
            _ if closed => Tier::Moments,
            Some(_) => Tier::Entries,
            None => Tier::Sampled,
        }
    }

    fn is_fixed(&self) -> bool {
        self.stages.iter().all(|stage| stage.is_fixed())
    }

    fn law(&self, value: f64, to: &mut Vec<(f64, f64)>) -> bool {
        outcomes(&self.stages, value).is_some_and(|found| {
            to.extend(found);
            true
        })
    }

    fn entry(&self, value: f64) -> Option<[f64; 2]> {
        // Only the last one need not be discrete.
        let (last, before) = self.stages.split_last()?;
        mixture(&outcomes(before, value)?, |value| last.entry(value))
    }

    fn settle(&mut self, mean: &[f64], scratch: &mut Scratch) {
        let mut means = scratch.take(mean.len(), 1);
        means.col_as_slice_mut(0).copy_from_slice(mean);
        for stage in &mut self.stages {
            stage.settle(means.col_as_slice(0), scratch);
            stage.mean(&mut means, &[1.0], scratch);
        }
        scratch.give(means);
    }

    fn needs_mean(&self) -> bool {
        self.stages.iter().any(|stage| stage.needs_mean())
    }

    fn scale_next(&mut self, scale: f64) {
        self.stages.iter_mut().for_each(|stage| stage.scale_next(scale));
    }
}

/// One of several stages.
#[derive(Debug)]
pub struct Choice {
    options: Vec<Box<dyn Stage>>,
    /// Their probabilities.
    shares: Vec<f64>,
}

impl Choice {
    /// One of these stages, as likely as these weights relative to their sum; all alike if there
    /// are no weights.
    ///
    /// # Errors
    ///
    /// A [`Fault`] of `weights` if there is another number of them, or they are all 0.
    pub fn new(options: Vec<Box<dyn Stage>>, weights: &[f64]) -> Result<Self, Fault> {
        if options.is_empty() {
            return Err(Fault::new("options", "there are no options", "list at least one"));
        }
        let shares = shares(weights, options.len())?;
        Ok(Self { options, shares })
    }
}

/// The probabilities of so many options: these weights relative to their sum, or all alike if there
/// are none.
pub(super) fn shares(weights: &[f64], options: usize) -> Result<Vec<f64>, Fault> {
    let weights = if weights.is_empty() { vec![1.0; options] } else { weights.to_vec() };
    if weights.len() != options {
        let message = format!("{} weights for {options} options", weights.len());
        return Err(Fault::new("weights", message, "give each a weight, or leave `weights` out"));
    }
    let sum: f64 = weights.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return Err(Fault::new("weights", "the weights are all 0", "one at least must be above 0"));
    }
    Ok(weights.iter().map(|weight| weight / sum).collect())
}

/// Draws an option with these probabilities.
pub(super) fn pick(shares: &[f64], rng: &mut dyn Rng) -> usize {
    let mut rest = rng.random::<f64>();
    let at = shares.iter().position(|share| {
        rest -= share;
        rest < 0.0
    });
    // Rounding may leave a little; the last one that can be drawn takes it.
    at.or_else(|| shares.iter().rposition(|share| *share > 0.0)).unwrap_or(0)
}

impl Stage for Choice {
    fn features(&self, before: usize) -> usize {
        self.options.first().map_or(before, |option| option.features(before))
    }

    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], scratch: &mut Scratch) {
        mix(moment, &self.shares, scratch, |at, part, scratch| self.options[at].mean(part, weights, scratch));
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], scratch: &mut Scratch) {
        mix(second, &self.shares, scratch, |at, part, scratch| self.options[at].second(part, mean, scratch));
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        if let Some(option) = self.options.get(pick(&self.shares, rng)) {
            option.draw(values, rng);
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        self.options.iter().try_fold(Domain::Counts, |least, option| Ok(least.min(option.domain(before)?)))
    }

    fn tier(&self) -> Tier {
        let closed = self.options.iter().all(|option| option.tier() == Tier::Moments);
        if closed { Tier::Moments } else { Tier::Sampled }
    }

    fn is_fixed(&self) -> bool {
        matches!(&self.options[..], [only] if only.is_fixed())
    }

    fn settle(&mut self, mean: &[f64], scratch: &mut Scratch) {
        self.options.iter_mut().for_each(|option| option.settle(mean, scratch));
    }

    fn needs_mean(&self) -> bool {
        self.options.iter().any(|option| option.needs_mean())
    }

    fn scale_next(&mut self, scale: f64) {
        self.options.iter_mut().for_each(|option| option.scale_next(scale));
    }
}

/// `M ← Σ π_s f_s(M)`.
fn mix(
    matrix: &mut Mat<f64>,
    shares: &[f64],
    scratch: &mut Scratch,
    apply: impl Fn(usize, &mut Mat<f64>, &mut Scratch),
) {
    let mut sum: Option<Mat<f64>> = None;
    for (at, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let mut part = scratch.copy(matrix);
        apply(at, &mut part, scratch);
        match &mut sum {
            None => {
                scale(&mut part, share);
                sum = Some(part);
            }
            Some(sum) => {
                add(sum, share, &part);
                scratch.give(part);
            }
        }
    }
    if let Some(sum) = sum {
        scratch.give(std::mem::replace(matrix, sum));
    }
}

/// `v + a (T(v) − v)` with a independent random a.
#[derive(Debug)]
pub struct Dose {
    stage: Box<dyn Stage>,
    dosing: Dosing,
}

impl Dose {
    /// So much of a stage.
    #[must_use]
    pub fn new(stage: Box<dyn Stage>, dosing: Dosing) -> Self {
        Self { stage, dosing }
    }

    /// `E a` and `E a²`.
    fn moments(&self) -> [f64; 2] {
        match self.dosing {
            Dosing::Fixed(alpha) => [alpha, alpha * alpha],
            Dosing::Probability(p) => [p, p],
            Dosing::Uniform(most) => [most / 2.0, most * most / 3.0],
        }
    }
}

impl Stage for Dose {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], scratch: &mut Scratch) {
        let [first, _] = self.moments();
        let mut part = scratch.copy(moment);
        self.stage.mean(&mut part, weights, scratch);
        scale(moment, 1.0 - first);
        add(moment, first, &part);
        scratch.give(part);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], scratch: &mut Scratch) {
        let [first, square] = self.moments();
        // mean E[T(v) vᵀ].
        let mut mixed = scratch.copy(second);
        self.stage.mean(&mut mixed, mean, scratch);
        let mut whole = scratch.copy(second);
        self.stage.second(&mut whole, mean, scratch);
        symmetrize(&mut mixed);
        let [own, both] = [1.0 - 2.0 * first + square, 2.0 * (first - square)];
        for ((entries, mixed), whole) in second.col_iter_mut().zip(mixed.col_iter()).zip(whole.col_iter()) {
            for ((entry, mixed), whole) in entries.iter_mut().zip(mixed.iter()).zip(whole.iter()) {
                *entry = own * *entry + both * mixed + square * whole;
            }
        }
        scratch.give(mixed);
        scratch.give(whole);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let a = match self.dosing {
            Dosing::Fixed(alpha) => alpha,
            Dosing::Probability(p) => {
                if rng.random::<f64>() < p {
                    self.stage.draw(values, rng);
                }
                return;
            }
            Dosing::Uniform(most) => most * rng.random::<f64>(),
        };
        let before = values.clone();
        self.stage.draw(values, rng);
        for (value, before) in values.iter_mut().zip(before) {
            *value = before + a * (*value - before);
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let after = self.stage.domain(before)?;
        Ok(match self.dosing {
            Dosing::Probability(_) => after.min(before),
            Dosing::Fixed(most) | Dosing::Uniform(most) if most <= 1.0 => {
                after.min(before).min(Domain::NotNegative)
            }
            Dosing::Fixed(_) | Dosing::Uniform(_) => Domain::Real,
        })
    }

    fn tier(&self) -> Tier {
        match (self.stage.tier(), self.dosing) {
            (Tier::Entries, Dosing::Probability(_) | Dosing::Uniform(_)) => Tier::Sampled,
            (tier, Dosing::Fixed(_) | Dosing::Probability(_) | Dosing::Uniform(_)) => tier,
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self.dosing, Dosing::Fixed(_)) && self.stage.is_fixed()
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        // A random dose is the same in all coordinates.
        let Dosing::Fixed(alpha) = self.dosing else { return false };
        let from = outcomes.len();
        let has = self.stage.law(value, outcomes);
        outcomes[from..].iter_mut().for_each(|(outcome, _)| *outcome = value + alpha * (*outcome - value));
        has
    }

    fn entry(&self, value: f64) -> Option<[f64; 2]> {
        let Dosing::Fixed(alpha) = self.dosing else { return None };
        let [mean, variance] = self.stage.entry(value)?;
        Some([value + alpha * (mean - value), alpha * alpha * variance])
    }

    fn settle(&mut self, mean: &[f64], scratch: &mut Scratch) {
        self.stage.settle(mean, scratch);
    }

    fn needs_mean(&self) -> bool {
        self.stage.needs_mean()
    }

    fn scale_next(&mut self, scale: f64) {
        self.stage.scale_next(scale);
    }
}

/// `M ← s M`.
fn scale(matrix: &mut Mat<f64>, by: f64) {
    for column in matrix.col_iter_mut() {
        column.iter_mut().for_each(|entry| *entry *= by);
    }
}

/// `M ← M + s N`.
fn add(matrix: &mut Mat<f64>, by: f64, other: &Mat<f64>) {
    for (column, other) in matrix.col_iter_mut().zip(other.col_iter()) {
        column.iter_mut().zip(other.iter()).for_each(|(entry, other)| *entry += by * other);
    }
}
