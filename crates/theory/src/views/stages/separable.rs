//! A fixed map of the rows of every channel, then one of its columns: small dense products.
//!
//! `A = R ⊗ K` is applied to one factor of a moment column by column, each of which stays in L1,
//! and to the other by a few rows at a time: the moment is read and written twice. Both are
//! products of [`BLOCK`] rows by [`LANES`] columns, over the places where a map has entries. Sums
//! have the order of the places and no fused operations: the same bits on every instruction set.

use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;
use rand::Rng;

use super::operator::{Axis, Map, keeps};
use super::{Chain, Domain, Scratch, Shape, Stage};

/// Columns of a product.
const LANES: usize = 8;

/// Rows of a product: as many registers as every instruction set has, with some left.
const BLOCK: usize = 4;

/// Groups of lanes of the second factor at a time: a page for each column costs more than the lines
/// that are taken from it.
const GROUPS: usize = 4;

/// A map of the rows, then one of the columns.
pub(super) fn separable(shape: Shape, rows: Map, columns: Map) -> Box<dyn Stage> {
    if rows.is_identity() && columns.is_identity() {
        return Box::new(Chain { stages: Vec::new() });
    }
    let (down, across, lanes) = (bands(&rows), bands(&columns), bands(&columns));
    Box::new(Separable { shape, down, across, lanes, rows, columns })
}

/// N consecutive rows of a map: what they have at consecutive places.
#[derive(Debug)]
struct Band<const N: usize> {
    /// The first place.
    from: usize,
    /// The weights of each place in the rows; zeros in rows beyond the last.
    weights: Vec<[f64; N]>,
}

/// The bands of a map, the first rows first.
fn bands<const N: usize>(map: &Map) -> Vec<Band<N>> {
    let band = |first: usize| {
        let rows = first..map.size().min(first + N);
        let entries = rows.enumerate().flat_map(|(i, at)| map.row(at).map(move |entry| (i, entry)));
        let entries: Vec<_> = entries.collect();
        let places = entries.iter().map(|(_, (place, _))| *place);
        let (from, last) = (places.clone().min().unwrap_or(0), places.max());
        let mut weights = vec![[0.0; N]; last.map_or(0, |last| last + 1 - from)];
        for (i, (place, weight)) in entries {
            weights[place - from][i] = weight;
        }
        Band { from, weights }
    };
    (0..map.size()).step_by(N).map(band).collect()
}

#[derive(Debug)]
struct Separable {
    shape: Shape,
    /// R by blocks, K by blocks, K by lanes.
    down: Vec<Band<BLOCK>>,
    across: Vec<Band<BLOCK>>,
    lanes: Vec<Band<LANES>>,
    rows: Map,
    columns: Map,
}

/// `Σ a bᵀ`, in order.
#[inline(always)]
fn product<'a>(terms: impl Iterator<Item = ([f64; BLOCK], &'a [f64; LANES])>) -> [[f64; LANES]; BLOCK] {
    let mut sums = [[0.0; LANES]; BLOCK];
    for (a, b) in terms {
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

impl Separable {
    /// `M ← A M`.
    #[inline(always)]
    fn left(&self, matrix: &mut Mat<f64>) {
        let Shape { rows, columns, .. } = self.shape;
        let across = self.lanes.len();
        let mut half = vec![[0.0; LANES]; rows.next_multiple_of(BLOCK) * across];
        for j in 0..matrix.ncols() {
            for image in matrix.col_as_slice_mut(j).chunks_exact_mut(rows * columns) {
                for (at, band) in self.lanes.iter().enumerate() {
                    for first in (0..rows).step_by(BLOCK) {
                        // Rows beyond the last repeat it.
                        let row = |i: usize| {
                            let row = &image[(first + i).min(rows - 1) * columns..][..columns];
                            &row[band.from..band.from + band.weights.len()]
                        };
                        let pairs = row(0).iter().zip(row(1)).zip(row(2).iter().zip(row(3)));
                        let values = pairs.map(|((a, b), (c, d))| [*a, *b, *c, *d]);
                        let sums = product(values.zip(&band.weights));
                        for (i, sums) in sums.into_iter().enumerate() {
                            half[(first + i) * across + at] = sums;
                        }
                    }
                }
                for (block, band) in self.down.iter().enumerate() {
                    for at in 0..across {
                        let half = half[(band.from * across + at).min(half.len())..].iter();
                        let sums = product(band.weights.iter().copied().zip(half.step_by(across)));
                        let width = LANES.min(columns - at * LANES);
                        for (row, sums) in (block * BLOCK..rows).zip(&sums) {
                            let to = &mut image[row * columns + at * LANES..][..width];
                            copy(sums, to);
                        }
                    }
                }
            }
        }
    }

    /// `M ← M Aᵀ`.
    #[inline(always)]
    fn right(&self, matrix: &mut Mat<f64>) {
        let Shape { channels, rows, columns } = self.shape;
        let size = matrix.nrows();
        // An odd number of lines apart, so that a column of an image does not fall on few sets.
        let stride = columns.next_multiple_of(BLOCK) + 1;
        let mut image_row = vec![[0.0; LANES]; GROUPS * columns];
        let mut half = vec![[0.0; LANES]; GROUPS * rows * stride];
        for first in (0..size).step_by(GROUPS * LANES) {
            let range = first..size.min(first + GROUPS * LANES);
            let groups = range.len().div_ceil(LANES);
            for channel in 0..channels {
                for row in 0..rows {
                    let at = (channel * rows + row) * columns;
                    for column in 0..columns {
                        let entries = &matrix.col_as_slice(at + column)[range.clone()];
                        for (group, entries) in entries.chunks(LANES).enumerate() {
                            let to = &mut image_row[group * columns + column];
                            match entries.try_into() {
                                Ok(entries) => *to = entries,
                                Err(_) => to[..entries.len()].copy_from_slice(entries),
                            }
                        }
                    }
                    for group in 0..groups {
                        let from = &image_row[group * columns..][..columns];
                        let to = &mut half[(group * rows + row) * stride..][..stride];
                        for (band, to) in self.across.iter().zip(to.chunks_exact_mut(BLOCK)) {
                            let sums = product(band.weights.iter().copied().zip(&from[band.from..]));
                            to.copy_from_slice(&sums);
                        }
                    }
                }
                for column in 0..columns {
                    for (block, band) in self.down.iter().enumerate() {
                        let mut sums = [[[0.0; LANES]; BLOCK]; GROUPS];
                        for (group, sums) in sums.iter_mut().enumerate().take(groups) {
                            let half = &half[(group * rows + band.from) * stride + column..];
                            *sums = product(band.weights.iter().copied().zip(half.iter().step_by(stride)));
                        }
                        for (i, row) in (block * BLOCK..rows).take(BLOCK).enumerate() {
                            let at = (channel * rows + row) * columns + column;
                            let to = &mut matrix.col_as_slice_mut(at)[range.clone()];
                            for (sums, to) in sums.iter().zip(to.chunks_mut(LANES)) {
                                copy(&sums[i], to);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Copies so many lanes as there is room for.
#[inline(always)]
fn copy(from: &[f64; LANES], to: &mut [f64]) {
    match <&mut [f64; LANES]>::try_from(&mut *to) {
        Ok(to) => *to = *from,
        Err(_) => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
    }
}

impl Stage for Separable {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        InstructionSet::detect().run(|| self.left(moment));
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        let instruction_set = InstructionSet::detect();
        instruction_set.run(|| self.left(second));
        instruction_set.run(|| self.right(second));
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        for (map, axis) in [(&self.rows, Axis::rows(self.shape)), (&self.columns, Axis::columns(self.shape))]
        {
            *values = map.image(axis, values);
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(before.min(keeps(self.rows.weights().chain(self.columns.weights()))))
    }

    fn is_fixed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_bits_of_sums_in_order() {
        for shape in [
            Shape { channels: 2, rows: 5, columns: 11 },
            Shape { channels: 1, rows: 9, columns: 4 },
            Shape { channels: 1, rows: 1, columns: 19 },
        ] {
            let along = |axis: Axis| {
                let sources = (0..axis.size()).map(|place| 0.7 * place as f64 + 0.3);
                Map::interpolating(axis.size(), sources)
            };
            let (rows, columns) = (along(Axis::rows(shape)), along(Axis::columns(shape)));
            let noise = |i: usize, j: usize| ((i * 131 + j * 61) as f64).sin();
            let before = Mat::from_fn(shape.size(), shape.size(), noise);
            // Along columns, then along rows, of one vector.
            let mapped = |values: Vec<f64>| {
                rows.image(Axis::rows(shape), &columns.image(Axis::columns(shape), &values))
            };
            let of_columns = |matrix: &Mat<f64>| {
                let columns: Vec<_> =
                    (0..matrix.ncols()).map(|j| mapped(matrix.col_as_slice(j).to_vec())).collect();
                Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| columns[j][i])
            };
            let expected_left = of_columns(&before);
            let expected_right = of_columns(&before.transpose().to_owned()).transpose().to_owned();
            let (down, across, lanes) = (bands(&rows), bands(&columns), bands(&columns));
            let stage =
                Separable { shape, down, across, lanes, rows: rows.clone(), columns: columns.clone() };
            for instruction_set in InstructionSet::available() {
                let (mut left, mut right) = (before.clone(), before.clone());
                instruction_set.run(|| stage.left(&mut left));
                instruction_set.run(|| stage.right(&mut right));
                assert_eq!(left, expected_left, "{shape:?}, {}", instruction_set.name());
                assert_eq!(right, expected_right, "{shape:?}, {}", instruction_set.name());
            }
        }
    }
}
