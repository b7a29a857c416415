//! Random linear maps with sparse rows, applied to moments without an operator of d × d entries.
//!
//! A sample is read as outer × size × inner numbers, and a map acts on the `size` places of the
//! middle one, the same for all others: an axis of an image (a shift, a crop), or the pixels of a
//! channel (a rotation). What moves places in long runs moves slices; else sums run side by side
//! over [`LANES`] columns, rows or places of a matrix, each in the order of the map's entries and
//! without fused operations: the same bits on every instruction set.

use std::array;

use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;
use rand::Rng;

use super::combine::{pick, shares};
use super::{Choice, Domain, Fault, Scratch, Shape, Stage};

/// Sums that run side by side.
const LANES: usize = 8;

/// Most places of an axis whose pairs are tabulated.
const PAIRED: usize = 64;

/// Most entries of a row, on average, of a map whose places are looked at for runs.
const MOST_ENTRIES: usize = 32;

/// Most places of all maps of a mixture: some hundred megabytes.
const MOST_PLACES: usize = 1 << 23;

/// Sums that it costs to move a number to and from the lanes of two factors, and to add it.
const MOVING: usize = 6;

/// Where the places of a map lie: feature `(o · size + place) · inner + i`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    outer: usize,
    size: usize,
    inner: usize,
}

impl Axis {
    /// The rows of each channel.
    pub(super) fn rows(shape: Shape) -> Self {
        Self { outer: shape.channels, size: shape.rows, inner: shape.columns }
    }

    /// The columns of each channel.
    pub(super) fn columns(shape: Shape) -> Self {
        Self { outer: shape.channels * shape.rows, size: shape.columns, inner: 1 }
    }

    /// The pixels of each channel.
    pub(super) fn pixels(shape: Shape) -> Self {
        Self { outer: shape.channels, size: shape.rows * shape.columns, inner: 1 }
    }

    /// All of `size` features.
    fn all(size: usize) -> Self {
        Self { outer: 1, size, inner: 1 }
    }

    /// Places of the axis in a sample.
    pub(super) fn size(self) -> usize {
        self.size
    }

    /// Features that share a place.
    fn positions(self) -> usize {
        self.outer * self.inner
    }

    /// The first feature of a position: the others follow at every `inner`-th.
    fn base(self, position: usize) -> usize {
        position / self.inner * self.size * self.inner + position % self.inner
    }
}

/// A sparse square matrix: row by row, the places that it sums and their weights.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Where a row's entries start; one more at the end.
    starts: Vec<usize>,
    places: Vec<usize>,
    weights: Vec<f64>,
}

impl Map {
    /// The map with these rows. Weights of one place are added in their order, zeros are left out.
    pub(super) fn new<R: IntoIterator<Item = (usize, f64)>>(rows: impl IntoIterator<Item = R>) -> Self {
        let (mut starts, mut places, mut weights) = (vec![0], Vec::new(), Vec::<f64>::new());
        let mut row = Vec::new();
        for entries in rows {
            row.clear();
            row.extend(entries);
            row.sort_by_key(|(place, _)| *place);
            for one in row.chunk_by(|a, b| a.0 == b.0) {
                let weight: f64 = one.iter().map(|(_, weight)| weight).sum();
                if weight != 0.0 {
                    places.extend(one.first().map(|(place, _)| *place));
                    weights.push(weight);
                }
            }
            starts.push(places.len());
        }
        Self { starts, places, weights }
    }

    /// The map whose rows interpolate at these sources, with zeros outside of `size` places.
    pub(super) fn interpolating(size: usize, sources: impl Iterator<Item = f64>) -> Self {
        Self::new(sources.map(|source| interpolate(size, source)))
    }

    /// `Σ π_s A_s`.
    fn mixture(maps: &[Self], shares: &[f64]) -> Self {
        let size = maps.first().map_or(0, Self::size);
        Self::new((0..size).map(|at| {
            let parts = maps.iter().zip(shares);
            parts
                .flat_map(move |(map, share)| map.row(at).map(move |(place, weight)| (place, share * weight)))
        }))
    }

    /// `Σ π_s A_s ⊗ A_s`, on pairs of places `b · size + a`.
    fn pairs(maps: &[Self], shares: &[f64]) -> Self {
        let size = maps.first().map_or(0, Self::size);
        Self::new((0..size * size).map(|pair| {
            let (b, a) = (pair / size, pair % size);
            maps.iter().zip(shares).flat_map(move |(map, share)| {
                map.row(b).flat_map(move |(at, of_b)| {
                    map.row(a).map(move |(place, of_a)| (at * size + place, share * (of_b * of_a)))
                })
            })
        }))
    }

    /// Rows.
    pub(super) fn size(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether it leaves every place as it is.
    pub(super) fn is_identity(&self) -> bool {
        (0..self.size()).all(|at| self.row(at).eq([(at, 1.0)]))
    }

    /// All weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = f64> {
        self.weights.iter().copied()
    }

    /// What the map makes of a sample on an axis.
    pub(super) fn image(&self, axis: Axis, sample: &[f64]) -> Vec<f64> {
        let mut image = vec![0.0; sample.len()];
        self.apply(axis, sample.as_chunks::<1>().0, image.as_chunks_mut().0);
        image
    }

    /// The places that are moved together; `None` where that is few of them.
    fn runs(&self, inner: usize) -> Option<Vec<Run>> {
        if self.places.len() > MOST_ENTRIES * self.size() {
            return None;
        }
        let mut runs: Vec<Run> = Vec::new();
        // Those that the row before has made longer, and those that this row has.
        let (mut open, mut longer) = (Vec::<usize>::new(), Vec::new());
        for at in 0..self.size() {
            for (place, weight) in self.row(at) {
                let goes_on = open.iter().position(|&run| runs[run].goes_on(place, weight));
                if let Some(found) = goes_on {
                    let run = open.swap_remove(found);
                    runs[run].add(place);
                    longer.push(run);
                } else {
                    longer.push(runs.len());
                    runs.push(Run { first: place, last: place, to: at, count: 1, weight });
                }
            }
            std::mem::swap(&mut open, &mut longer);
            longer.clear();
        }
        (runs.len() * LANES <= self.places.len() * inner).then_some(runs)
    }

    /// Places and weights of a row.
    pub(super) fn row(&self, at: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[at]..self.starts[at + 1];
        self.places[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    /// Applies the map on an axis, to L samples side by side.
    #[inline(always)]
    fn apply<const L: usize>(&self, axis: Axis, from: &[[f64; L]], to: &mut [[f64; L]]) {
        let block = axis.size * axis.inner;
        for (from, to) in from.chunks_exact(block).zip(to.chunks_exact_mut(block)) {
            for (place, to) in to.chunks_exact_mut(axis.inner).enumerate() {
                let range = self.starts[place]..self.starts[place + 1];
                let (places, weights) = (&self.places[range.clone()], &self.weights[range]);
                for (i, to) in to.iter_mut().enumerate() {
                    let mut sum = [0.0; L];
                    for (place, weight) in places.iter().zip(weights) {
                        let terms = &from[place * axis.inner + i];
                        for (sum, term) in sum.iter_mut().zip(terms) {
                            *sum += weight * term;
                        }
                    }
                    *to = sum;
                }
            }
        }
    }
}

/// Consecutive places that come from consecutive places, in the same or in the reverse order, all
/// with one weight.
#[derive(Debug)]
struct Run {
    /// The sources of the first and of the last place.
    first: usize,
    last: usize,
    /// The first place.
    to: usize,
    /// Places.
    count: usize,
    weight: f64,
}

impl Run {
    /// Whether the next place may come from there.
    fn goes_on(&self, place: usize, weight: f64) -> bool {
        let up = self.last >= self.first && place == self.last + 1;
        let down = self.last <= self.first && place + 1 == self.last;
        weight.total_cmp(&self.weight).is_eq() && (up || down)
    }

    /// Adds the next place, which comes from there.
    fn add(&mut self, place: usize) {
        self.last = place;
        self.count += 1;
    }

    /// Adds these places of a block of an axis.
    #[inline(always)]
    fn apply(&self, inner: usize, from: &[f64], to: &mut [f64]) {
        let to = &mut to[self.to * inner..(self.to + self.count) * inner];
        let from = &from[self.first.min(self.last) * inner..][..to.len()];
        let sum = |(to, from): (&mut f64, &f64)| *to += self.weight * from;
        if self.first <= self.last {
            to.iter_mut().zip(from).for_each(sum);
        } else if inner == 1 {
            to.iter_mut().zip(from.iter().rev()).for_each(sum);
        } else {
            let places = to.chunks_exact_mut(inner).zip(from.chunks_exact(inner).rev());
            places.for_each(|(to, from)| to.iter_mut().zip(from).for_each(sum));
        }
    }
}

/// The places beside a source and their weights; nothing outside.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a place")]
pub(super) fn interpolate(size: usize, source: f64) -> impl Iterator<Item = (usize, f64)> + Clone {
    let before = source.floor();
    let share = source - before;
    let inside = move |place: f64| place >= 0.0 && place < size as f64;
    [(before, 1.0 - share), (before + 1.0, share)]
        .into_iter()
        .filter(move |(place, _)| inside(*place))
        .map(|(place, weight)| (place as usize, weight))
}

/// One of several maps of an axis, drawn afresh: `Ā = Σ π_s A_s`, `Φ(S) = Σ π_s A_s S A_sᵀ`.
#[derive(Debug)]
pub(super) struct Mixture {
    axis: Axis,
    maps: Vec<Map>,
    shares: Vec<f64>,
    /// Ā, and its runs where they are long.
    mean: Map,
    runs: Option<Vec<Run>>,
    /// Φ on pairs of places, where that takes fewer sums than one map after another.
    pairs: Option<Map>,
    /// The values that come out, of counts.
    keeps: Domain,
}

impl Mixture {
    /// One of these maps, with these probabilities.
    pub(super) fn new(axis: Axis, maps: Vec<Map>, shares: Vec<f64>) -> Self {
        let (maps, shares): (Vec<_>, Vec<_>) =
            maps.into_iter().zip(shares).filter(|(_, share)| *share > 0.0).unzip();
        let pairs = (axis.size <= PAIRED).then(|| Map::pairs(&maps, &shares)).filter(|pairs| {
            let alone = maps.iter().map(|map| 2 * map.places.len() + MOVING * axis.size);
            pairs.places.len() <= axis.size * alone.sum::<usize>()
        });
        let keeps = keeps(maps.iter().flat_map(|map| map.weights.iter().copied()));
        let mean = Map::mixture(&maps, &shares);
        Self { axis, runs: mean.runs(axis.inner), mean, pairs, keeps, maps, shares }
    }

    /// This map.
    pub(super) fn only(axis: Axis, map: Map) -> Self {
        Self::new(axis, vec![map], vec![1.0])
    }
}

/// One of these stages, as likely as the weights say.
pub(super) fn one_of(mut stages: Vec<Box<dyn Stage>>, weights: &[f64]) -> Result<Box<dyn Stage>, Fault> {
    shares(weights, stages.len())?;
    match stages.pop() {
        Some(only) if stages.is_empty() => Ok(only),
        last => {
            stages.extend(last);
            Ok(Box::new(Choice::new(stages, weights)?))
        }
    }
}

/// Checks how many maps a key asks for.
pub(super) fn check_count(key: &str, maps: usize, axis: Axis) -> Result<(), Fault> {
    if maps == 0 {
        return Err(Fault::new(key, format!("`{key}` is empty"), "list at least one"));
    }
    if maps.saturating_mul(axis.size()) > MOST_PLACES {
        let most = MOST_PLACES / axis.size();
        let message = format!("`{key}` asks for {maps} maps of {} pixels each", axis.size());
        return Err(Fault::new(key, message, format!("there may be {most}")));
    }
    Ok(())
}

/// The values that come out of sums with these weights, of counts.
pub(super) fn keeps(weights: impl Iterator<Item = f64>) -> Domain {
    let each = weights.map(|weight| match weight {
        _ if weight < 0.0 => Domain::Real,
        _ if weight.fract() != 0.0 => Domain::NotNegative,
        _ => Domain::Counts,
    });
    each.min().unwrap_or(Domain::Counts)
}

impl Stage for Mixture {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        InstructionSet::detect().run(|| match &self.runs {
            Some(runs) => moved(runs, self.axis, moment),
            None => left(&self.mean, self.axis, moment),
        });
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], scratch: &mut Scratch) {
        let instruction_set = InstructionSet::detect();
        if let Some(pairs) = &self.pairs {
            instruction_set.run(|| both(pairs, self.axis, second));
            return;
        }
        let size = second.nrows();
        let (mut part, mut sum) = (scratch.take(size, size), scratch.take(size, size));
        for (at, (map, share)) in self.maps.iter().zip(&self.shares).enumerate() {
            part.copy_from(&*second);
            instruction_set.run(|| left(map, self.axis, &mut part));
            instruction_set.run(|| right(map, self.axis, &part, *share, at == 0, &mut sum));
        }
        scratch.give(part);
        scratch.give(std::mem::replace(second, sum));
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        if let Some(map) = self.maps.get(pick(&self.shares, rng)) {
            *values = map.image(self.axis, values);
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(before.min(self.keeps))
    }

    fn is_fixed(&self) -> bool {
        self.maps.len() == 1
    }
}

/// Entries of a column that are brought to the lanes at a time: they stay in L1.
const STRETCH: usize = 64;

/// `M ← A M` of the runs of a map: a column at a time, which stays where it is.
#[inline(always)]
fn moved(runs: &[Run], axis: Axis, matrix: &mut Mat<f64>) {
    let block = axis.size * axis.inner;
    let mut before = vec![0.0; matrix.nrows()];
    for j in 0..matrix.ncols() {
        let column = matrix.col_as_slice_mut(j);
        before.copy_from_slice(column);
        column.fill(0.0);
        for (from, to) in before.chunks_exact(block).zip(column.chunks_exact_mut(block)) {
            runs.iter().for_each(|run| run.apply(axis.inner, from, to));
        }
    }
}

/// `M ← A M`.
#[inline(always)]
fn left(map: &Map, axis: Axis, matrix: &mut Mat<f64>) {
    let (size, columns) = (matrix.nrows(), matrix.ncols());
    let (mut from, mut to) = (vec![[0.0; LANES]; size], vec![[0.0; LANES]; size]);
    for first in (0..columns).step_by(LANES) {
        let lanes = LANES.min(columns - first);
        for (at, from) in from.chunks_mut(STRETCH).enumerate() {
            for lane in 0..lanes {
                let column = &matrix.col_as_slice(first + lane)[at * STRETCH..];
                for (from, entry) in from.iter_mut().zip(column) {
                    from[lane] = *entry;
                }
            }
        }
        map.apply(axis, &from, &mut to);
        for (at, to) in to.chunks(STRETCH).enumerate() {
            for lane in 0..lanes {
                let column = &mut matrix.col_as_slice_mut(first + lane)[at * STRETCH..];
                for (entry, to) in column.iter_mut().zip(to) {
                    *entry = to[lane];
                }
            }
        }
    }
}

/// `T ← s M Aᵀ`, or adds it.
#[inline(always)]
fn right(map: &Map, axis: Axis, matrix: &Mat<f64>, share: f64, replace: bool, sum: &mut Mat<f64>) {
    let (rows, size) = (matrix.nrows(), matrix.ncols());
    let (mut from, mut to) = (vec![[0.0; LANES]; size], vec![[0.0; LANES]; size]);
    for first in (0..rows).step_by(LANES) {
        let range = first..rows.min(first + LANES);
        for (from, column) in from.iter_mut().zip(matrix.col_iter()) {
            let Some(column) = column.try_as_col_major() else { continue };
            let entries = &column.as_slice()[range.clone()];
            if let Ok(entries) = entries.try_into() {
                *from = entries;
            } else {
                from[..entries.len()].copy_from_slice(entries);
            }
        }
        map.apply(axis, &from, &mut to);
        for (to, column) in to.iter().zip(sum.col_iter_mut()) {
            let Some(column) = column.try_as_col_major_mut() else { continue };
            let entries = &mut column.as_slice_mut()[range.clone()];
            for (entry, to) in entries.iter_mut().zip(to) {
                *entry = share * to + if replace { 0.0 } else { *entry };
            }
        }
    }
}

/// `S ← Φ(S)`, of the map of pairs of places.
#[inline(always)]
fn both(pairs: &Map, axis: Axis, matrix: &mut Mat<f64>) {
    let (size, inner, positions) = (axis.size, axis.inner, axis.positions());
    let (mut from, mut to) = (vec![[0.0; LANES]; size * size], vec![[0.0; LANES]; size * size]);
    for position in 0..positions {
        let column = |place: usize| axis.base(position) + place * inner;
        for first in (0..positions).step_by(LANES) {
            let lanes = LANES.min(positions - first);
            // Lanes without a position repeat the last one.
            let bases: [usize; LANES] = array::from_fn(|lane| axis.base(first + lane.min(lanes - 1)));
            for (place, from) in from.chunks_exact_mut(size).enumerate() {
                let column = matrix.col_as_slice(column(place));
                for (at, from) in from.iter_mut().enumerate() {
                    *from = bases.map(|base| column[base + at * inner]);
                }
            }
            pairs.apply(Axis::all(size * size), &from, &mut to);
            for (place, to) in to.chunks_exact(size).enumerate() {
                let column = matrix.col_as_slice_mut(column(place));
                for (at, to) in to.iter().enumerate() {
                    for (base, to) in bases.iter().zip(to) {
                        column[base + at * inner] = *to;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let shape = Shape { channels: 2, rows: 5, columns: 7 };
        let noise = |i: usize, j: usize| ((i * 131 + j * 61) as f64).sin();
        let before = Mat::from_fn(shape.size(), shape.size(), |i, j| noise(i, j) + noise(j, i));
        for axis in [Axis::rows(shape), Axis::columns(shape)] {
            let sources = (0..axis.size).map(|place| 0.8 * place as f64 + 0.3);
            let map = Map::interpolating(axis.size, sources);
            let pairs = Map::pairs(std::slice::from_ref(&map), &[1.0]);
            let results = InstructionSet::available().into_iter().map(|instruction_set| {
                let (mut one, mut two) = (before.clone(), before.clone());
                instruction_set.run(|| left(&map, axis, &mut one));
                let mut other = one.clone();
                instruction_set.run(|| right(&map, axis, &one, 0.3, true, &mut other));
                instruction_set.run(|| right(&map, axis, &one, 0.6, false, &mut other));
                instruction_set.run(|| both(&pairs, axis, &mut two));
                [one, other, two].map(|matrix| {
                    let bits =
                        matrix.col_iter().flat_map(|column| column.iter().map(|entry| entry.to_bits()));
                    bits.collect::<Vec<_>>()
                })
            });
            let results: Vec<_> = results.collect();
            assert!(results.iter().all(|result| *result == results[0]));
        }
    }
    #[test]
    fn runs_are_the_map_that_they_are_of() {
        let shape = Shape { channels: 2, rows: 9, columns: 26 };
        let before = Mat::from_fn(shape.size(), 11, |i, j| ((i * 131 + j * 61) as f64).sin());
        for axis in [Axis::rows(shape), Axis::columns(shape)] {
            let size = axis.size;
            let source = |to: fn(usize, usize) -> usize| Map::new((0..size).map(|at| [(to(at, size), 1.0)]));
            let maps = [
                source(|at, _| at),
                source(|at, size| size - 1 - at),
                source(|at, size| (at + 2) % size),
                source(|at, size| (at + 1).min(size - 1)),
            ];
            for shares in [[0.25; 4], [0.0, 1.0, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0], [0.0, 0.0, 0.7, 0.3]] {
                let mean = Map::mixture(&maps, &shares);
                let runs = mean.runs(axis.inner).expect("long runs");
                let mut expected = before.clone();
                left(&mean, axis, &mut expected);
                let results = InstructionSet::available().into_iter().map(|instruction_set| {
                    let mut result = before.clone();
                    instruction_set.run(|| moved(&runs, axis, &mut result));
                    result
                });
                let results: Vec<_> = results.collect();
                assert!((&results[0] - &expected).norm_max() < 1e-15, "{axis:?}, {shares:?}");
                assert!(results.iter().all(|result| *result == results[0]));
            }
        }
    }

    #[test]
    fn maps_without_long_runs_have_none() {
        let sources = (0..40).map(|place| 0.8 * f64::from(place));
        assert!(Map::interpolating(40, sources).runs(1).is_none());
        let all = Map::new((0..40).map(|_| (0..40).map(|place| (place, 0.025))));
        assert!(all.runs(1).is_none());
    }
}
