//! A chain as it is evaluated: what must see the samples, and the closed rest that acts on moments.
//!
//! A chain splits behind its last stage without a closed form. Nothing is before the split where
//! every stage is closed; else the part before it is exact a sample where it has independent
//! coordinates with a known law, and drawn where it has not. [`Views::rows`] accumulates the
//! moments that come out of that part, [`Views::push`] pushes the rest through them.
//! [Maps](super::Map) at the end of what is drawn see a block of views at a time.
//!
//! With m views of each sample and x̄ their mean, `E x̄x̄ᵀ = G + (S − G)/m`; what is accumulated is
//! `(m² x̄x̄ᵀ − Σ vvᵀ) / (m (m − 1))`, the mean of `v vᵀ` over pairs of different views, which is
//! unbiased.
//!
//! Source: `views.md`, section 3 (three tiers).

use std::collections::HashMap;

use eigensweep_spectral::dense::{gram_lower, product};
use faer::{Accum, ColRef, Mat, MatMut, MatRef};
use rand::Rng;

use super::combine::unsettled;
use super::{Chain, Domain, Fault, Scratch, Stage, State, Tier};
use crate::InstructionSet;

/// Samples that are drawn at a time.
const BLOCK: usize = 64;

/// Values whose mean and variance are kept for when they come again, as counts and bytes do.
const MOST_KEPT: usize = 1 << 16;

/// The views of one paradigm: a chain of stages, drawn afresh for every view.
#[derive(Debug)]
pub struct Views {
    /// Up to the last stage without a closed form, but for the maps; empty where all have one.
    head: Chain,
    /// The maps after it.
    maps: Vec<Box<dyn Stage>>,
    /// The closed stages after it.
    rest: Vec<Box<dyn Stage>>,
    tier: Tier,
}

impl Views {
    /// The views that these stages make, the first first.
    #[must_use]
    pub fn new(mut stages: Vec<Box<dyn Stage>>) -> Self {
        let last = stages.iter().rposition(|stage| stage.tier() != Tier::Moments);
        let rest = stages.split_off(last.map_or(0, |last| last + 1));
        let drawn = stages.iter().rposition(|stage| stage.as_map().is_none());
        let maps = stages.split_off(drawn.map_or(0, |drawn| drawn + 1));
        let head = Chain { stages };
        let tier = if maps.is_empty() { head.tier() } else { Tier::Sampled };
        Self { head, maps, rest, tier }
    }

    /// What the moments are computed from.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// What each stage's moments are computed from, the first stage first.
    pub fn tiers(&self) -> impl Iterator<Item = Tier> {
        let head = self.head.stages.iter().chain(&self.maps).map(|_| self.tier);
        head.chain(self.rest.iter().map(|_| Tier::Moments))
    }

    /// Features of a view, of samples with d.
    #[must_use]
    pub fn features(&self, samples: usize) -> usize {
        self.rest.iter().fold(self.before_rest(samples), |features, stage| stage.features(features))
    }

    /// Features of what comes out before the closed stages, of samples with d.
    fn before_rest(&self, samples: usize) -> usize {
        self.maps.iter().fold(self.head.features(samples), |features, map| map.features(features))
    }

    /// What values a view has, of such samples; checks that each stage can be drawn where it is.
    ///
    /// # Errors
    ///
    /// The number of the first stage that cannot, and why.
    pub fn check(&self, samples: Domain) -> Result<Domain, (usize, Fault)> {
        if let Some(at) = unsettled(&self.head.stages) {
            return Err((at, mean_unknown()));
        }
        let mut domain = samples;
        for (at, stage) in self.head.stages.iter().chain(&self.maps).chain(&self.rest).enumerate() {
            domain = stage.domain(domain).map_err(|needed| (at, cannot_draw(needed, domain)))?;
        }
        Ok(domain)
    }

    /// Pushes the closed stages through the moments: of the samples where all stages are closed,
    /// else those that [`rows`](Self::rows) has accumulated.
    pub fn push(&mut self, state: &mut State, scratch: &mut Scratch) {
        for stage in &mut self.rest {
            stage.settle(state.mean.col_as_slice(0), scratch);
            state.view(&**stage, scratch);
        }
    }

    /// An empty sum of what comes out before the closed stages; `None` where nothing is before
    /// them.
    ///
    /// `mean` is that of the samples (d), which some stages fill with. `views` is m, the number of
    /// views of each sample, at least 2; it does not matter where the tier is [`Tier::Entries`].
    pub fn rows(&mut self, mean: &[f64], views: usize, scratch: &mut Scratch) -> Option<RowMoments> {
        if self.tier == Tier::Moments {
            return None;
        }
        self.head.settle(mean, scratch);
        Some(RowMoments::new(self, mean.len(), views.max(2)))
    }
}

/// The fault of a stage where such values come in.
fn cannot_draw(needed: Domain, found: Domain) -> Fault {
    let message = format!("it can be drawn at {} only, and {} come in", needed.name(), found.name());
    Fault::new("", message, "put it before the stages that change the values")
}

/// The fault of a stage that fills with a mean that nobody knows.
pub(super) fn mean_unknown() -> Fault {
    let message = "the mean of the features is not known behind a stage without a closed form";
    Fault::new("fill", message, "give the fill as numbers, or put the stage elsewhere")
}

/// The moments of what comes out of the part of a chain that must see the samples.
///
/// Sums run over the samples in their order: neither the blocks that they come in nor the
/// instruction set change a bit.
#[derive(Debug)]
pub struct RowMoments {
    tier: Tier,
    /// m.
    views: usize,
    samples: usize,
    instruction_set: InstructionSet,
    /// c (d), the first x̄: it is taken off every view, so that little is lost where means dwarf
    /// variances.
    origin: Vec<f64>,
    /// Σ (x̄ − c) (d).
    mean: Vec<f64>,
    /// Σ (x̄ − c) xᵀ (d × p).
    cross: Mat<f64>,
    /// Σ (x̄ − c)(x̄ − c)ᵀ (d × d), lower triangle.
    mean_views: Mat<f64>,
    /// Σ (v − c)(v − c)ᵀ over all views (d × d), lower triangle; of exact entries the variances
    /// alone, on the diagonal.
    spread: Mat<f64>,
    /// Σ (x̄ − c) yᵀ (d × ℓ).
    view_labels: Mat<f64>,
    /// Σ x (p).
    target_mean: Vec<f64>,
    /// Σ y (ℓ).
    label_mean: Vec<f64>,
    /// x̄ − c of a block (d × block).
    means: Mat<f64>,
    /// Its views: as they are drawn, and behind each map (a column each, m block); the last ones
    /// become v − c.
    drawn: Vec<Mat<f64>>,
    values: Vec<f64>,
    /// Mean and variance of an entry, by the bits of the value, of samples with this scale.
    entries: HashMap<u64, [f64; 2]>,
    scale: f64,
}

impl RowMoments {
    fn new(of: &Views, before: usize, views: usize) -> Self {
        let after = of.before_rest(before);
        let mut drawn = Vec::new();
        if of.tier == Tier::Sampled {
            let mut features = of.head.features(before);
            drawn.push(Mat::zeros(features, views * BLOCK));
            for map in &of.maps {
                features = map.features(features);
                drawn.push(Mat::zeros(features, views * BLOCK));
            }
        }
        Self {
            tier: of.tier,
            views,
            samples: 0,
            instruction_set: InstructionSet::detect(),
            origin: Vec::new(),
            mean: vec![0.0; after],
            cross: Mat::new(),
            mean_views: Mat::zeros(after, after),
            spread: Mat::zeros(after, after),
            view_labels: Mat::new(),
            target_mean: Vec::new(),
            label_mean: Vec::new(),
            means: Mat::zeros(after, BLOCK),
            drawn,
            values: Vec::with_capacity(before),
            entries: HashMap::new(),
            scale: 1.0,
        }
    }

    /// Adds samples `rows` (d × samples, a column each), with `labels` (ℓ × samples).
    ///
    /// `scales` are factors of the samples, for stages that know them; all 1 if `None`.
    /// `targets` (p × samples) are what C's other side is; the rows themselves if `None`.
    /// `generator` makes the generator of a sample, by its column: views of a sample depend on
    /// nothing else. It is not asked where the tier is [`Tier::Entries`].
    ///
    /// # Panics
    ///
    /// If the numbers of columns differ, or features, targets or labels are not as many as before.
    pub fn add<R: Rng>(
        &mut self,
        views: &mut Views,
        rows: MatRef<'_, f64>,
        scales: Option<&[f64]>,
        targets: Option<MatRef<'_, f64>>,
        labels: MatRef<'_, f64>,
        mut generator: impl FnMut(usize) -> R,
    ) {
        let targets = targets.unwrap_or(rows);
        assert!(targets.ncols() == rows.ncols() && labels.ncols() == rows.ncols(), "a column a sample");
        if self.samples == 0 {
            self.cross = Mat::zeros(self.mean.len(), targets.nrows());
            self.view_labels = Mat::zeros(self.mean.len(), labels.nrows());
            self.target_mean = vec![0.0; targets.nrows()];
            self.label_mean = vec![0.0; labels.nrows()];
        }
        for first in (0..rows.ncols()).step_by(BLOCK) {
            let count = BLOCK.min(rows.ncols() - first);
            for at in 0..count {
                let row = rows.col(first + at);
                let scale = scales.map_or(1.0, |scales| scales[first + at]);
                views.head.scale_next(scale);
                if scale.to_bits() != self.scale.to_bits() {
                    self.entries.clear();
                    self.scale = scale;
                }
                match self.tier {
                    Tier::Moments => {}
                    Tier::Entries => self.exact(views, row, at),
                    Tier::Sampled => self.sample(views, row, at, &mut generator(first + at)),
                }
            }
            if self.tier == Tier::Sampled {
                self.map(views, count);
            }
            self.about_origin(count);
            self.sum(count, targets.subcols(first, count), labels.subcols(first, count));
        }
        self.samples += rows.ncols();
    }

    /// Mean and variance of each entry of a sample.
    fn exact(&mut self, views: &Views, row: ColRef<'_, f64>, at: usize) {
        let to = self.means.col_as_slice_mut(at);
        for (i, (to, &value)) in to.iter_mut().zip(row.iter()).enumerate() {
            let kept = self.entries.get(&value.to_bits()).copied();
            let [mean, variance] = kept.unwrap_or_else(|| {
                let found = views.head.entry(value).unwrap_or([f64::NAN; 2]);
                if self.entries.len() < MOST_KEPT {
                    self.entries.insert(value.to_bits(), found);
                }
                found
            });
            *to = mean;
            self.spread[(i, i)] += variance;
        }
    }

    /// m views of a sample, up to the maps.
    fn sample(&mut self, views: &Views, row: ColRef<'_, f64>, at: usize, rng: &mut dyn Rng) {
        let Some(drawn) = self.drawn.first_mut() else { return };
        for view in 0..self.views {
            self.values.clear();
            self.values.extend(row.iter());
            views.head.draw(&mut self.values, rng);
            drawn.col_as_slice_mut(at * self.views + view).copy_from_slice(&self.values);
        }
    }

    /// Maps the views of a block; their mean.
    fn map(&mut self, views: &Views, count: usize) {
        let columns = count * self.views;
        for (at, map) in views.maps.iter().filter_map(|stage| stage.as_map()).enumerate() {
            let (before, after) = self.drawn.split_at_mut(at + 1);
            let (Some(before), Some(after)) = (before.last_mut(), after.first_mut()) else { continue };
            map.apply(before.as_mut().subcols_mut(0, columns), after.as_mut().subcols_mut(0, columns));
        }
        let Some(drawn) = self.drawn.last() else { return };
        let share = 1.0 / self.views as f64;
        for at in 0..count {
            let mean = self.means.col_as_slice_mut(at);
            mean.fill(0.0);
            for view in 0..self.views {
                let values = drawn.col_as_slice(at * self.views + view);
                mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += share * value);
            }
        }
    }

    /// Takes the origin off the mean views and the views of a block.
    fn about_origin(&mut self, count: usize) {
        if self.origin.is_empty() {
            self.origin = self.means.col_as_slice(0).to_vec();
        }
        let drawn = self.drawn.last_mut().map(|drawn| (drawn, count * self.views));
        for (block, columns) in [(&mut self.means, count)].into_iter().chain(drawn) {
            for column in block.col_iter_mut().take(columns) {
                column.iter_mut().zip(&self.origin).for_each(|(value, origin)| *value -= origin);
            }
        }
    }

    /// Adds a block of `count` samples whose mean views, and views, are there.
    fn sum(&mut self, count: usize, targets: MatRef<'_, f64>, labels: MatRef<'_, f64>) {
        let means = self.means.subcols(0, count);
        let add = |to: MatMut<'_, f64>, right: MatRef<'_, f64>| {
            product(self.instruction_set, to, Accum::Add, means, right.transpose());
        };
        add(self.cross.as_mut(), targets);
        add(self.view_labels.as_mut(), labels);
        gram_lower(self.instruction_set, self.mean_views.as_mut(), Accum::Add, means);
        if let Some(drawn) = self.drawn.last() {
            let drawn = drawn.subcols(0, count * self.views);
            gram_lower(self.instruction_set, self.spread.as_mut(), Accum::Add, drawn);
        }
        accumulate(&mut self.mean, means);
        accumulate(&mut self.target_mean, targets);
        accumulate(&mut self.label_mean, labels);
    }

    /// The moments of the samples so far, before the closed stages.
    #[must_use]
    pub fn state(&self) -> State {
        let share = 1.0 / self.samples as f64;
        let list = |sums: &[f64]| Mat::from_fn(sums.len(), 1, |i, _| share * sums[i]);
        let lower = |i: usize, j: usize| (i.max(j), i.min(j));
        let m = self.views as f64;
        let exact = self.tier == Tier::Entries;
        let (size, origin) = (self.mean.len(), &self.origin);
        let deviation: Vec<f64> = self.mean.iter().map(|sum| share * sum).collect();
        let (input_mean, label_mean) = (list(&self.target_mean), list(&self.label_mean));
        // Σ (x̄ − c) zᵀ/n + c z̄ᵀ.
        let beside = |sums: &Mat<f64>, mean: &Mat<f64>| {
            let entry = |i: usize, j: usize| share * sums[(i, j)] + origin[i] * mean[(j, 0)];
            Mat::from_fn(sums.nrows(), sums.ncols(), entry)
        };
        let square = |entry: &dyn Fn(f64, f64) -> f64| {
            Mat::from_fn(size, size, |i, j| {
                let mixed = origin[i] * deviation[j] + deviation[i] * origin[j];
                let about = share * entry(self.mean_views[lower(i, j)], self.spread[lower(i, j)]);
                about + (mixed + origin[i] * origin[j])
            })
        };
        State {
            mean: Mat::from_fn(size, 1, |i, _| origin[i] + deviation[i]),
            cross: beside(&self.cross, &input_mean),
            mean_views: square(&|g, s| if exact { g } else { (m * g - s / m) / (m - 1.0) }),
            views: square(&|g, s| if exact { g + s } else { s / m }),
            view_labels: beside(&self.view_labels, &label_mean),
            input_mean,
            label_mean,
        }
    }
}

/// Adds columns to a sum of columns.
fn accumulate(sum: &mut [f64], columns: MatRef<'_, f64>) {
    for column in columns.col_iter() {
        sum.iter_mut().zip(column.iter()).for_each(|(sum, value)| *sum += value);
    }
}
