//! A batch of symmetric matrices of one size, interleaved lane by lane, and its reduction to
//! tridiagonal form.

use faer::{Mat, MatRef};

use super::equilibrate::Powers;
use super::implicit_ql::{self, Group, ImplicitQl};
use super::inverse_iteration::{InverseIteration, WORK};
use super::normalize::Normalize;
use super::reduction::{Reduce, packed_len};
use super::reflectors::{Apply, Side};
use super::{InstructionSet, MAX_LANES};
use crate::Failure;

/// Most groups of lanes in a batch: their chains of square roots and divisions run beside each
/// other. QL at d = 100, values only, takes 46, 29, 22 and 19 µs a problem for 1 to 4 groups with
/// AVX2, 25, 17, 15 and 16 µs with AVX-512 (Zen 4).
pub(crate) const GROUPS: usize = 4;

/// Groups of a batch of matrices of size d: fewer where they are large and chains are a small part
/// of the work, to bound memory.
pub(crate) fn groups_for(size: usize) -> usize {
    match size {
        0..=256 => GROUPS,
        257..=512 => 2,
        _ => 1,
    }
}

/// Numbers at the alignment of a cache line, without growth.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(Mat<f64>);

impl Numbers {
    pub(crate) fn new(length: usize) -> Self {
        Self(Mat::zeros(length, 1))
    }

    pub(crate) fn as_slice(&self) -> &[f64] {
        self.0.col(0).try_as_col_major().map_or(&[], |column| column.as_slice())
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f64] {
        self.0.col_mut(0).try_as_col_major_mut().map_or(&mut [], |column| column.as_slice_mut())
    }
}

/// A number and where it stood; the largest is the first, of equal ones the one that stood before.
/// The order is [`f64::total_cmp`]'s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked {
    descending: i64,
    number: u32,
}

impl Ranked {
    fn new(x: f64, number: u32) -> Self {
        // Bits of a float order as a signed number does once those of negative ones are turned
        // round.
        let bits = x.to_bits().cast_signed();
        let ascending = bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed();
        Self { descending: !ascending, number }
    }
}

/// Outcomes, units, diagonal and off-diagonal of T, and right-hand sides of a group.
pub(crate) type Tridiagonal<'a> =
    (&'a mut [Result<(), Failure>; MAX_LANES], &'a mut [f64], &'a mut [f64], &'a mut [f64], &'a mut [f64]);

/// Up to [`GROUPS`] groups of problems `A = H T Hᵀ` of one size d.
#[derive(Debug)]
pub(crate) struct Batch {
    instruction_set: InstructionSet,
    lanes: usize,
    /// Groups that there is room for.
    most: usize,
    size: usize,
    count: usize,
    /// The power of two that A was divided by.
    units: Vec<f64>,
    outcomes: [[Result<(), Failure>; MAX_LANES]; GROUPS],
    /// Triangles of all groups, or of the one in hand where nobody asks for reflectors later.
    packed: Numbers,
    packed_groups: usize,
    diagonal: Numbers,
    off_diagonal: Numbers,
    tau: Numbers,
    /// T once more, for QL to use up.
    values: Numbers,
    /// Right-hand sides (d rows of ℓ), and in the end their squared lengths by row.
    rows: Numbers,
    powers: Numbers,
    work: Numbers,
}

impl Batch {
    /// Room for matrices of up to `size` = d and right-hand sides of up to `width` columns; with
    /// `vectors`, for inverse iteration.
    pub(crate) fn new(instruction_set: InstructionSet, size: usize, width: usize, vectors: bool) -> Self {
        Self::of_groups(groups_for(size), instruction_set, size, width, vectors)
    }

    /// The same for problems that stand in lanes already and are reduced one group after the other,
    /// none of which is needed again unless `vectors` are.
    pub(crate) fn adopting(
        instruction_set: InstructionSet,
        size: usize,
        width: usize,
        vectors: bool,
    ) -> Self {
        let mut batch = Self::new(instruction_set, size, width, vectors);
        if !vectors {
            batch.packed_groups = 1;
            batch.packed = Numbers::new(packed_len(size) * batch.lanes);
        }
        batch
    }

    /// Room for one group of problems that come as T: no triangles.
    pub(crate) fn of_tridiagonal(instruction_set: InstructionSet, size: usize, width: usize) -> Self {
        let mut batch = Self::of_groups(1, instruction_set, 0, 0, false);
        let length = size * batch.lanes;
        batch.diagonal = Numbers::new(length);
        batch.off_diagonal = Numbers::new(length);
        batch.values = Numbers::new(length);
        batch.rows = Numbers::new(length * width);
        batch.powers = Numbers::new(length);
        batch.work = Numbers::new(length * implicit_ql::WORK);
        batch
    }

    /// Outcomes, units, T and right-hand sides (d rows of ℓ = `width`) of the first group, to be
    /// filled.
    pub(crate) fn tridiagonal_mut(&mut self, width: usize) -> Tridiagonal<'_> {
        let length = self.size * self.lanes;
        (
            &mut self.outcomes[0],
            &mut self.units[..self.lanes],
            part(&mut self.diagonal, 0, length),
            part(&mut self.off_diagonal, 0, length),
            part(&mut self.rows, 0, length * width),
        )
    }

    /// Writes T and the eigenvalues of the problem at `place`, in the unit of T and their present
    /// order.
    pub(crate) fn read_tridiagonal(
        &self,
        place: usize,
        diagonal: &mut [f64],
        off_diagonal: &mut [f64],
        values: &mut [f64],
    ) {
        for i in 0..self.size {
            let at = self.at(place, i);
            diagonal[i] = self.diagonal.as_slice()[at];
            off_diagonal[i] = self.off_diagonal.as_slice()[at];
            values[i] = self.values.as_slice()[at];
        }
    }

    /// The same with room for so many groups.
    pub(crate) fn of_groups(
        most: usize,
        instruction_set: InstructionSet,
        size: usize,
        width: usize,
        vectors: bool,
    ) -> Self {
        let lanes = instruction_set.lanes();
        let all = most * lanes;
        let work = if vectors { WORK } else { 2 }.max(implicit_ql::WORK * most);
        Self {
            instruction_set,
            lanes,
            most,
            size: 0,
            count: 0,
            units: vec![1.0; all],
            outcomes: [[Ok(()); MAX_LANES]; GROUPS],
            packed: Numbers::new(packed_len(size) * all),
            packed_groups: most,
            diagonal: Numbers::new(size * all),
            off_diagonal: Numbers::new(size * all),
            tau: Numbers::new(size * all),
            values: Numbers::new(size * all),
            rows: Numbers::new(size * width * all),
            powers: Numbers::new(size * all),
            // For QL of all groups, or for a kernel of a single one.
            work: Numbers::new(size * lanes * work),
        }
    }

    /// Most problems.
    pub(crate) fn capacity(&self) -> usize {
        self.most * self.lanes
    }

    /// Number of problems.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Size d of the problems.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Forgets all problems; the next ones are of size d.
    pub(crate) fn start(&mut self, size: usize) {
        (self.size, self.count) = (size, 0);
        self.outcomes = [[Ok(()); MAX_LANES]; GROUPS];
    }

    /// Takes a matrix (d × d, lower triangle read) and returns its place.
    pub(crate) fn push(&mut self, matrix: MatRef<'_, f64>) -> usize {
        let (place, size, lanes) = (self.count, self.size, self.lanes);
        let length = packed_len(size) * lanes;
        let mut packed = &mut self.packed.as_mut_slice()[place / lanes * length..][..length];
        for j in 0..size {
            let (line, rest) = std::mem::take(&mut packed).split_at_mut((size - j) * lanes);
            packed = rest;
            let column = matrix.col(j).subrows(j, size - j);
            for (to, x) in line[place % lanes..].iter_mut().step_by(lanes).zip(column.iter()) {
                *to = *x;
            }
        }
        self.count += 1;
        place
    }

    /// Takes `count` problems that stand in lanes already: [`group_mut`](Self::group_mut) is theirs
    /// to fill, empty lanes with copies of full ones.
    pub(crate) fn adopt(&mut self, count: usize) {
        self.count = count;
    }

    /// Packed lower triangles, right-hand sides (d rows of ℓ = `width`) and outcomes of a group.
    pub(crate) fn group_mut(
        &mut self,
        group: usize,
        width: usize,
    ) -> (&mut [f64], &mut [f64], &mut [Result<(), Failure>; MAX_LANES]) {
        let (size, lanes, own) = (self.size, self.lanes, self.packed_group(group));
        (
            part(&mut self.packed, own, packed_len(size) * lanes),
            part(&mut self.rows, group, size * width * lanes),
            &mut self.outcomes[group],
        )
    }

    /// Where the triangles of a group stand.
    fn packed_group(&self, group: usize) -> usize {
        group.min(self.packed_groups - 1)
    }

    /// What became of a problem.
    pub(crate) fn outcome(&self, place: usize) -> Result<(), Failure> {
        self.outcomes[place / self.lanes][place % self.lanes]
    }

    /// Number of groups in use.
    pub(crate) fn groups(&self) -> usize {
        self.count.div_ceil(self.lanes)
    }

    /// Reduces all problems to tridiagonal form.
    pub(crate) fn reduce(&mut self) {
        self.fill_empty_lanes();
        (0..self.groups()).for_each(|group| self.reduce_group(group));
    }

    /// Reduces the problems of a group to tridiagonal form.
    pub(crate) fn reduce_group(&mut self, group: usize) {
        let (size, lanes, own) = (self.size, self.lanes, self.packed_group(group));
        let length = packed_len(size) * lanes;
        self.instruction_set.run(Normalize {
            numbers: part(&mut self.packed, own, length),
            units: &mut self.units[group * lanes..][..lanes],
            outcome: &mut self.outcomes[group],
        });
        self.instruction_set.run(Reduce {
            size,
            packed: part(&mut self.packed, own, length),
            diagonal: part(&mut self.diagonal, group, size * lanes),
            off_diagonal: part(&mut self.off_diagonal, group, size * lanes),
            tau: part(&mut self.tau, group, size * lanes),
            work: &mut self.work.as_mut_slice()[..2 * size * lanes],
        });
    }

    /// Makes the empty lanes of the last group copies of its first: they do what that does, at the
    /// same time.
    fn fill_empty_lanes(&mut self) {
        let (full, length) = (self.count % self.lanes, packed_len(self.size) * self.lanes);
        if full > 0 {
            let packed = part(&mut self.packed, self.count / self.lanes, length);
            for entry in packed.chunks_exact_mut(self.lanes) {
                let first = entry[0];
                entry[full..].fill(first);
            }
        }
    }

    /// Overwrites the right-hand sides of a group, ℓ = `width`, by `Hᵀ` times them.
    pub(crate) fn reflect_rows_of_group(&mut self, group: usize, width: usize) {
        let (size, lanes, own) = (self.size, self.lanes, self.packed_group(group));
        self.instruction_set.run(Apply {
            side: Side::Transposed,
            size,
            packed: part(&mut self.packed, own, packed_len(size) * lanes),
            tau: part(&mut self.tau, group, size * lanes),
            rows: part(&mut self.rows, group, size * width * lanes),
            width,
            work: &mut self.work.as_mut_slice()[..2 * size * lanes],
        });
    }

    /// Diagonalizes all T: eigenvalues, unordered, into `values`, and right-hand sides, ℓ =
    /// `width`, projected on the eigenvectors.
    pub(crate) fn diagonalize(&mut self, width: usize) {
        let all = self.groups() * self.size * self.lanes;
        self.values.as_mut_slice()[..all].copy_from_slice(&self.diagonal.as_slice()[..all]);
        match self.groups() {
            0 => {}
            1 => self.diagonalize_groups::<1>(width),
            2 => self.diagonalize_groups::<2>(width),
            3 => self.diagonalize_groups::<3>(width),
            _ => self.diagonalize_groups::<GROUPS>(width),
        }
    }

    fn diagonalize_groups<const G: usize>(&mut self, width: usize) {
        let length = self.size * self.lanes;
        if length == 0 {
            return;
        }
        let mut values = self.values.as_mut_slice().chunks_exact_mut(length);
        let mut rest = self.off_diagonal.as_slice().chunks_exact(length);
        let mut rows = self.rows.as_mut_slice();
        let mut outcomes = self.outcomes.iter().copied();
        let mut groups: [Group<'_>; G] = std::array::from_fn(|_| {
            let (own, others) = std::mem::take(&mut rows).split_at_mut(length * width);
            rows = others;
            Group {
                diagonal: values.next().unwrap_or_default(),
                off_diagonal: rest.next().unwrap_or_default(),
                rows: own,
                outcome: outcomes.next().unwrap_or([Ok(()); MAX_LANES]),
            }
        });
        let work = &mut self.work.as_mut_slice()[..G * implicit_ql::WORK * length];
        self.instruction_set.run(ImplicitQl { size: self.size, width, groups: groups.each_mut(), work });
        for (outcome, group) in self.outcomes.iter_mut().zip(groups) {
            *outcome = group.outcome;
        }
        if width > 0 {
            let rows = &self.rows.as_slice()[..G * length * width];
            let powers = &mut self.powers.as_mut_slice()[..G * length];
            self.instruction_set.run(Powers { width, rows, powers });
        }
    }

    /// Eigenvalue number i of the problem at `place`, in its own unit and in the order of
    /// [`diagonalize`](Self::diagonalize).
    pub(crate) fn value(&self, place: usize, i: usize) -> f64 {
        self.values.as_slice()[self.at(place, i)] * self.units[place]
    }

    fn at(&self, place: usize, i: usize) -> usize {
        (place / self.lanes * self.size + i) * self.lanes + place % self.lanes
    }

    /// Writes the eigenvalues of the problem at `place`, descending, and the squared lengths of
    /// their rows of the right-hand sides; `order` is scratch of d.
    pub(crate) fn read_powers(
        &self,
        place: usize,
        order: &mut [Ranked],
        values: &mut [f64],
        powers: &mut [f64],
    ) {
        let order = &mut order[..self.size];
        for (i, to) in (0..).zip(order.iter_mut()) {
            *to = Ranked::new(self.value(place, i as usize), i);
        }
        order.sort_unstable();
        for ((value, power), Ranked { number, .. }) in values.iter_mut().zip(powers).zip(&*order) {
            let at = self.at(place, *number as usize);
            *value = self.values.as_slice()[at] * self.units[place];
            *power = self.powers.as_slice()[at];
        }
    }

    /// Sorts the eigenvalues of each problem, largest first.
    pub(crate) fn sort_descending(&mut self) {
        let (size, lanes) = (self.size, self.lanes);
        // Rotations are done with.
        let scratch = &mut self.work.as_mut_slice()[..size];
        for place in 0..self.count.div_ceil(lanes) * lanes {
            let first = place / lanes * size * lanes + place % lanes;
            let values = &mut self.values.as_mut_slice()[first..];
            for (to, x) in scratch.iter_mut().zip(values.iter().step_by(lanes)) {
                *to = *x;
            }
            scratch.sort_unstable_by(|a, b| b.total_cmp(a));
            for (to, x) in values.iter_mut().step_by(lanes).zip(&*scratch) {
                *to = *x;
            }
        }
    }

    /// Writes the eigenvectors of the `count` largest eigenvalues, sorted before, into the
    /// right-hand sides (d rows of `count`), and multiplies them by H.
    pub(crate) fn leading_vectors(&mut self, count: usize) {
        let (size, lanes) = (self.size, self.lanes);
        let length = size * lanes;
        for group in 0..self.groups() {
            self.instruction_set.run(InverseIteration {
                size,
                count,
                diagonal: part(&mut self.diagonal, group, length),
                off_diagonal: part(&mut self.off_diagonal, group, length),
                values: part(&mut self.values, group, length),
                vectors: part(&mut self.rows, group, length * count),
                work: &mut self.work.as_mut_slice()[..length * WORK],
                outcome: &mut self.outcomes[group],
            });
            self.instruction_set.run(Apply {
                side: Side::Forward,
                size,
                packed: part(&mut self.packed, group, packed_len(size) * lanes),
                tau: part(&mut self.tau, group, length),
                rows: part(&mut self.rows, group, length * count),
                width: count,
                work: &mut self.work.as_mut_slice()[..2 * length],
            });
        }
    }

    /// Entry (i, c) of the right-hand sides, ℓ = `width`, of the problem at `place`.
    pub(crate) fn row_entry(&self, place: usize, i: usize, c: usize, width: usize) -> f64 {
        let (group, lane) = (place / self.lanes, place % self.lanes);
        self.rows.as_slice()[((group * self.size + i) * width + c) * self.lanes + lane]
    }
}

/// The part of a buffer that belongs to a group.
pub(crate) fn part(numbers: &mut Numbers, group: usize, length: usize) -> &mut [f64] {
    &mut numbers.as_mut_slice()[group * length..][..length]
}
