//! The steps of a batch, a group after the other.

use faer::MatRef;

use super::super::{Explained, explained};
use super::LaneBatch;
use crate::Failure;
use crate::lanes::MAX_LANES;
use crate::lanes::batch::part;
use crate::lanes::cholesky::{Factor, SolveLower, SolveUpper};
use crate::lanes::equilibrate::{Equilibrate, Powers};
use crate::lanes::gain::{Gain, Images};
use crate::lanes::interleave::{Interleave, Source};
use crate::lanes::products::{Layout, Product, RowForm};
use crate::lanes::reduction::packed_len;
use crate::lanes::tiles::stride;

impl LaneBatch {
    /// Numbers of a group in buffers of d × d, d × ℓ and d.
    fn lengths(&self) -> (usize, usize, usize) {
        let (size, lanes) = (self.size, self.lanes);
        (size * stride(size) * lanes, size * self.width * lanes, size * lanes)
    }

    pub(super) fn interleave<'s>(
        &mut self,
        group: usize,
        source: &impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>),
        layout: Layout,
    ) {
        let (square, rows, vector) = self.lengths();
        let (size, width) = (self.size, self.width);
        let last = self.problems.len() - 1;
        let sources = std::array::from_fn(|lane| {
            let place = (group * self.lanes + lane).min(last);
            let (matrix, right) = source(self.problems[place]);
            assert!(matrix.nrows() == size && matrix.ncols() == size, "d × d");
            assert!(right.nrows() == size && right.ncols() == width, "d × ℓ");
            Source { matrix, right, sigma: &self.sigma[place * size..][..size] }
        });
        let outcome = &mut self.scaled[group];
        *outcome = [Ok(()); MAX_LANES];
        let (matrix, own_rows) = match layout {
            Layout::Square => (part(&mut self.matrix, group, square), part(&mut self.rows, group, rows)),
            Layout::Packed => {
                let (packed, rows, _) = self.symmetric.group_mut(group, width);
                (packed, rows)
            }
        };
        self.instruction_set.run(Interleave {
            size,
            width,
            sources,
            layout,
            matrix,
            rows: own_rows,
            roots: part(&mut self.roots, group, vector),
            scales: part(&mut self.scales, group, vector),
            outcome,
        });
        match layout {
            Layout::Square => self.factored[group] = self.scaled[group],
            Layout::Packed => *self.symmetric.group_mut(group, width).2 = self.scaled[group],
        }
    }

    /// `A + I = L Lᵀ`.
    pub(super) fn factor(&mut self, group: usize) {
        let (square, _, vector) = self.lengths();
        let (size, lanes) = (self.size, self.lanes);
        let matrix = part(&mut self.matrix, group, square);
        let diagonal = &mut self.vector.as_mut_slice()[..vector];
        for i in 0..size {
            let at = i * (stride(size) + 1) * lanes;
            diagonal[i * lanes..][..lanes].copy_from_slice(&matrix[at..][..lanes]);
        }
        let pivots = part(&mut self.pivots, group, vector);
        self.instruction_set.run(Factor {
            size,
            shift: 1.0,
            matrix,
            pivots,
            inverses: part(&mut self.inverses, group, vector),
        });
        let floor = size as f64 * f64::EPSILON;
        for (at, (pivot, before)) in pivots.iter().zip(&*diagonal).enumerate() {
            let outcome = &mut self.factored[group][at % lanes];
            let safe = 1.0 + pivot > floor * (1.0 + before);
            if !safe && outcome.is_ok() {
                *outcome = Err(match pivot.is_finite() {
                    true => Failure::NotPositiveDefinite { pivot: at / lanes },
                    false => Failure::NotFinite,
                });
            }
        }
    }

    pub(super) fn ridge(&mut self, group: usize) {
        let (square, rows, vector) = self.lengths();
        let (size, width, lanes) = (self.size, self.width, self.lanes);
        let (matrix, inverses) =
            (part(&mut self.matrix, group, square), part(&mut self.inverses, group, vector));
        let work = &mut self.images[0].as_mut_slice()[..rows];
        work.copy_from_slice(part(&mut self.rows, group, rows));
        let lengths = &mut self.vector.as_mut_slice()[..2 * lanes];
        let (lower, both) = lengths.split_at_mut(lanes);
        self.instruction_set.run(SolveLower { size, matrix, inverses, rows: work, width });
        self.instruction_set.run(Powers { width: size * width, rows: work, powers: lower });
        self.instruction_set.run(SolveUpper { size, matrix, inverses, rows: work, width });
        self.instruction_set.run(Powers { width: size * width, rows: work, powers: both });
        let to = self.ridge.iter_mut().skip(group * lanes);
        for (to, (x, y)) in to.zip(lower.iter().zip(&*both)) {
            *to = x + y;
        }
    }

    pub(super) fn form_pencil(&mut self, group: usize) {
        let (square, _, vector) = self.lengths();
        let (size, lanes) = (self.size, self.lanes);
        let matrix = part(&mut self.matrix, group, square);
        self.instruction_set.run(Gain {
            size,
            matrix,
            inverses: part(&mut self.inverses, group, vector),
            roots: part(&mut self.roots, group, vector),
        });
        let (packed, _, outcome) = self.pencil.group_mut(group, 0);
        debug_assert_eq!(packed.len(), packed_len(size) * lanes);
        self.instruction_set.run(RowForm { size, x: matrix, to: packed });
        *outcome = self.factored[group];
    }

    pub(super) fn solve_symmetric(&mut self) {
        let (size, width) = (self.size, self.width);
        let batch = &mut self.symmetric;
        batch.diagonalize(width);
        for place in 0..self.problems.len() {
            let (values, powers) =
                (&mut self.values[place * size..][..size], &mut self.powers[place * size..][..size]);
            batch.read_powers(place, &mut self.order, values, powers);
        }
        if self.wanted.vectors {
            batch.sort_descending();
            batch.leading_vectors(self.count);
        }
    }

    pub(super) fn solve_pencil(&mut self) {
        let size = self.size;
        let batch = &mut self.pencil;
        batch.diagonalize(0);
        batch.sort_descending();
        for place in 0..self.problems.len() {
            for (i, to) in self.pencil_values[place * size..][..size].iter_mut().enumerate() {
                *to = batch.value(place, i).max(0.0);
            }
        }
        batch.leading_vectors(self.count);
    }

    /// U, M and R, and what each column explains.
    pub(super) fn probe(&mut self, group: usize) {
        let (square, rows, vector) = self.lengths();
        let (size, width, count, lanes) = (self.size, self.width, self.count, self.lanes);
        let columns = size * count * lanes;
        let [basis, image] = &mut self.images;
        let (basis, image) = (&mut basis.as_mut_slice()[..columns], &mut image.as_mut_slice()[..columns]);
        let (_, vectors, _) = self.pencil.group_mut(group, count);
        self.instruction_set.run(Images {
            size,
            matrix: part(&mut self.matrix, group, square),
            inverses: part(&mut self.inverses, group, vector),
            scales: part(&mut self.scales, group, vector),
            columns: vectors,
            width: count,
            basis,
            image,
        });
        let [form, factor] = &mut self.forms;
        let length = count * stride(count) * lanes;
        let (form, factor) = (&mut form.as_mut_slice()[..length], &mut factor.as_mut_slice()[..length]);
        let [right, scaled] = &mut self.rights;
        let length = count * width * lanes;
        let (right, scaled) = (&mut right.as_mut_slice()[..length], &mut scaled.as_mut_slice()[..length]);
        let product = |y, y_width, symmetric, to| Product {
            rows: size,
            x: &*basis,
            x_width: count,
            y,
            y_width,
            symmetric,
            to,
        };
        self.instruction_set.run(product(image, count, true, form));
        self.instruction_set.run(product(part(&mut self.rows, group, rows), width, false, right));
        if self.wanted.vectors {
            // U is what `basis` gives.
            vectors.copy_from_slice(basis);
        }
        let small = count * lanes;
        let [scales, pivots, inverses, powers] = &mut self.probed;
        let (pivots, inverses) = (&mut pivots.as_mut_slice()[..small], &mut inverses.as_mut_slice()[..small]);
        let (scales, powers) = (&mut scales.as_mut_slice()[..small], &mut powers.as_mut_slice()[..small]);
        self.instruction_set.run(Equilibrate {
            size: count,
            width,
            form,
            right,
            factor,
            rows: scaled,
            scales,
        });
        self.instruction_set.run(Factor { size: count, shift: 0.0, matrix: factor, pivots, inverses });
        self.instruction_set.run(SolveLower { size: count, matrix: factor, inverses, rows: scaled, width });
        self.instruction_set.run(Powers { width, rows: scaled, powers });
    }

    /// What U explains at each dimension, from what [`probe`](Self::probe) left.
    pub(super) fn explain(&mut self, group: usize, dimensions: &[usize]) {
        let (lanes, count, width) = (self.lanes, self.count, self.width);
        let form = self.forms[0].as_slice();
        let right = self.rights[0].as_slice();
        let [_, pivots, _, powers] = &self.probed;
        let (pivots, powers) = (pivots.as_slice(), powers.as_slice());
        for lane in 0..lanes.min(self.problems.len() - group * lanes) {
            if self.factored[group][lane].is_err() {
                continue;
            }
            let of = Explained {
                size: self.size,
                width,
                entry: |i: usize, j: usize| form[(i.min(j) * stride(count) + i.max(j)) * lanes + lane],
                right: |j: usize, c: usize| right[(j * width + c) * lanes + lane],
                pivot: |j: usize| pivots[j * lanes + lane],
                power: |j: usize| powers[j * lanes + lane],
            };
            for (n, &k) in dimensions.iter().enumerate() {
                let sum = explained(self.instruction_set, &of, k, &mut self.fallback);
                self.explained[(group * lanes + lane) * self.dimensions + n] = sum;
            }
        }
    }
}
