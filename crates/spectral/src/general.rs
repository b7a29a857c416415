//! Definite pencils with a dense S, solved together in lanes.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | S | `definite` | d × d | positive definite, lower triangle read |
//! | M | `symmetric` | d × d | lower triangle read |
//! | C | `cross` | p × d | |
//! | B | `right` | d × ℓ | right-hand sides |
//! | k | `count` | | number of leading vectors |
//!
//! `S = L Lᵀ` once for each problem, and with it as much as is [`Wanted`]:
//!
//! - **symmetric**: the pencil (M, S). `H = L⁻¹ M L⁻ᵀ = Q Λ Qᵀ`: all λ and the k leading columns of
//!   `V = L⁻ᵀ Q`;
//! - **cross**: the pencil (CᵀC, S). `F = L⁻¹ Cᵀ`, `F Fᵀ = Q Φ² Qᵀ`: all φ² and the k leading
//!   columns of `V = L⁻ᵀ Q`. Squaring costs digits of what is small: φ² has an error of a few
//!   d·ε·φ₁², so that a φ that is nothing beside φ₁ is known to √(d·ε)·φ₁ only, and vectors are
//!   known to d·ε·φ₁² over the gap of their φ²;
//! - **solved**: `S⁻¹ B`.
//!
//! A problem whose S is not *safely* definite is refused: as
//! [`factor_safely_in_place`](crate::cholesky::factor_safely_in_place) does where a pivot is
//! rounding, or a variable is explained by all others to within 10·d·ε of its power. What is
//! refused is a matter of that problem alone; other ways are for the caller.
//!
//! Scaling of the variables by powers of two would change no bit of λ, so nothing is scaled.
//!
//! The leading vectors for one k are those for a larger one, so no result depends on what else is
//! asked for, nor on neighbours, lanes or the instruction set ([`lanes`](crate::lanes)).
//!
//! # Counts
//!
//! Flops: d³/3 (factor) + d³/3 (inverse, for the test) + d³ (H) or d²p (F) + d²p (F Fᵀ), 4/3 d³
//! (reduction) + ≈ 17 d² (QL) + 2dk² (inverse iteration) + 2d²k (reflectors) + d²k (back), and 2d²ℓ
//! (solves).

use std::array;

use faer::{MatMut, MatRef};

use crate::Failure;
use crate::cholesky::SAFE;
use crate::lanes::batch::{Batch, GROUPS, Numbers, part};
use crate::lanes::cholesky::{Factor, SolveLower, SolveUpper};
use crate::lanes::congruence::Congruence;
use crate::lanes::gain::{Gain, InversePowers};
use crate::lanes::interleave::{Interleave, InterleaveColumns, Source};
use crate::lanes::products::{Layout, WideRowForm};
use crate::lanes::reduction::column_start;
use crate::lanes::tiles::stride;
use crate::lanes::{InstructionSet, MAX_LANES};

/// Which answers a batch is to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The pencil (M, S).
    pub symmetric: bool,
    /// The pencil (CᵀC, S).
    pub cross: bool,
    /// `S⁻¹ B`.
    pub solved: bool,
}

/// Largest sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// d.
    pub size: usize,
    /// p.
    pub inputs: usize,
    /// ℓ.
    pub width: usize,
    /// k.
    pub count: usize,
}

/// One problem; what is not wanted is not looked at.
#[derive(Clone, Copy, Debug)]
pub struct General<'a> {
    /// S (d × d), lower triangle read; columns must be contiguous.
    pub definite: MatRef<'a, f64>,
    /// M (d × d), lower triangle read; columns must be contiguous.
    pub symmetric: MatRef<'a, f64>,
    /// C (p × d); fastest where rows are contiguous.
    pub cross: MatRef<'a, f64>,
    /// B (d × ℓ); columns must be contiguous.
    pub right: MatRef<'a, f64>,
}

/// A pencil; its number is that of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pencil {
    /// (M, S).
    Symmetric,
    /// (CᵀC, S).
    Cross,
}

/// Groups of a batch: fewer where one is megabytes, see [`GROUPS`].
fn groups_for(size: usize) -> usize {
    if size <= 128 { GROUPS } else { 2 }
}

/// A batch of problems of one shape.
pub struct GeneralBatch {
    instruction_set: InstructionSet,
    lanes: usize,
    room: Room,
    wanted: Wanted,
    size: usize,
    inputs: usize,
    width: usize,
    count: usize,
    problems: usize,
    /// Of each group: above the diagonal Lᵀ, below it −L⁻¹.
    factor: Numbers,
    inverses: Numbers,
    outcomes: Vec<[Result<(), Failure>; MAX_LANES]>,
    /// Of each group: B, then S⁻¹B.
    rows: Numbers,
    batches: [Batch; 2],
    /// Workspace for one group: M and then H, or F; a line of C; and four of d.
    work: Numbers,
    line: Numbers,
    vectors: [Numbers; 4],
    ones: Vec<f64>,
    /// Eigenvalues of both pencils, a problem after the other.
    values: [Vec<f64>; 2],
}

impl std::fmt::Debug for GeneralBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { instruction_set, room, wanted, .. } = self;
        write!(f, "GeneralBatch {{ {instruction_set:?}, {room:?}, {wanted:?} }}")
    }
}

impl GeneralBatch {
    /// Room for a batch that gives no more than is `wanted`.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, room: Room, wanted: Wanted) -> Self {
        let Room { size, inputs, width, count } = room;
        let (lanes, groups) = (instruction_set.lanes(), groups_for(size));
        let if_wanted = |wanted: bool, x: usize| if wanted { x } else { 0 };
        let square = size * stride(size) * lanes;
        let wants = [wanted.symmetric, wanted.cross];
        Self {
            instruction_set,
            lanes,
            room,
            wanted,
            size: 0,
            inputs: 0,
            width: 0,
            count: 0,
            problems: 0,
            factor: Numbers::new(groups * square),
            inverses: Numbers::new(groups * size * lanes),
            outcomes: vec![[Ok(()); MAX_LANES]; groups],
            rows: Numbers::new(groups * size * width * lanes),
            batches: wants.map(|wanted| {
                let size = if_wanted(wanted, size);
                Batch::of_groups(groups, instruction_set, size, count, true)
            }),
            work: Numbers::new(
                if_wanted(wanted.symmetric, square)
                    .max(if_wanted(wanted.cross, size * stride(inputs) * lanes)),
            ),
            line: Numbers::new(size * lanes),
            vectors: array::from_fn(|_| Numbers::new(size * lanes)),
            ones: vec![1.0; size],
            values: wants.map(|wanted| vec![0.0; if_wanted(wanted, groups * lanes * size)]),
        }
    }

    /// Most problems of up to size d at a time.
    #[must_use]
    pub fn capacity_for(instruction_set: InstructionSet, size: usize) -> usize {
        groups_for(size) * instruction_set.lanes()
    }

    /// Most problems at a time.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.outcomes.len() * self.lanes
    }

    /// Solves problems of one shape, for `count` leading vectors; forgets those before.
    ///
    /// # Panics
    ///
    /// If there are more than there is room for, a shape differs from that of the first or exceeds
    /// the room, columns that must be contiguous are not, more is wanted than there is room for, or
    /// `count` exceeds d or the room.
    pub fn solve(&mut self, wanted: Wanted, count: usize, problems: &[General<'_>]) {
        assert!(problems.len() <= self.capacity(), "room for so many problems");
        self.problems = problems.len();
        let Some(first) = problems.first() else { return };
        self.size = first.definite.nrows();
        self.inputs = if wanted.cross { first.cross.nrows() } else { 0 };
        self.width = if wanted.solved { first.right.ncols() } else { 0 };
        self.count = count;
        let Room { size, inputs, width, count: most } = self.room;
        assert!(self.size <= size && self.inputs <= inputs && self.width <= width, "room for the shape");
        assert!(count <= self.size && count <= most, "k ≤ d, and room for k");
        let both = [(wanted.symmetric, self.wanted.symmetric), (wanted.cross, self.wanted.cross)];
        assert!(both.iter().all(|(wanted, room)| *room || !wanted), "room for what is wanted");
        for problem in problems {
            let General { definite, symmetric, cross, right } = problem;
            let is =
                |matrix: &MatRef<'_, f64>, rows, columns| matrix.nrows() == rows && matrix.ncols() == columns;
            assert!(is(definite, self.size, self.size), "S: d × d");
            assert!(!wanted.symmetric || is(symmetric, self.size, self.size), "M: d × d");
            assert!(!wanted.cross || is(cross, self.inputs, self.size), "C: p × d");
            assert!(!wanted.solved || is(right, self.size, self.width), "B: d × ℓ");
        }
        for (batch, (wanted, _)) in self.batches.iter_mut().zip(both) {
            batch.start(if wanted { self.size } else { 0 });
            batch.adopt(if wanted { problems.len() } else { 0 });
        }
        for group in 0..problems.len().div_ceil(self.lanes) {
            let at = |lane: usize| problems[(group * self.lanes + lane).min(problems.len() - 1)];
            let sources: [General<'_>; MAX_LANES] = array::from_fn(at);
            self.factor(group, &sources);
            if wanted.solved {
                self.solve_right(group);
            }
            if wanted.symmetric {
                self.form_symmetric(group, &sources);
                self.batches[0].reduce_group(group);
            }
            if wanted.cross {
                self.form_cross(group, &sources);
                self.batches[1].reduce_group(group);
            }
        }
        for (number, (wanted, _)) in both.into_iter().enumerate() {
            if wanted {
                self.decompose(number);
            }
        }
    }

    /// Numbers of a group in buffers of d × d, d × ℓ and d.
    fn lengths(&self) -> (usize, usize, usize) {
        let (size, lanes) = (self.size, self.lanes);
        (size * stride(size) * lanes, size * self.width * lanes, size * lanes)
    }

    /// `S = L Lᵀ`, and whether it is safe.
    fn factor(&mut self, group: usize, sources: &[General<'_>; MAX_LANES]) {
        let (square, rows, vector) = self.lengths();
        let (size, width, lanes) = (self.size, self.width, self.lanes);
        let outcome = &mut self.outcomes[group];
        *outcome = [Ok(()); MAX_LANES];
        let matrix = part(&mut self.factor, group, square);
        let inverses = part(&mut self.inverses, group, vector);
        let [roots, scales, pivots, diagonal] =
            self.vectors.each_mut().map(|numbers| &mut numbers.as_mut_slice()[..vector]);
        self.instruction_set.run(Interleave {
            size,
            width,
            sources: sources.map(|source| Source {
                matrix: source.definite,
                right: if width > 0 { source.right } else { source.definite.subcols(0, 0) },
                sigma: &self.ones[..size],
            }),
            layout: Layout::Square,
            matrix,
            rows: part(&mut self.rows, group, rows),
            roots,
            scales,
            outcome,
        });
        for i in 0..size {
            let at = i * (stride(size) + 1) * lanes;
            diagonal[i * lanes..][..lanes].copy_from_slice(&matrix[at..][..lanes]);
        }
        self.instruction_set.run(Factor { size, shift: 0.0, matrix, pivots, inverses });
        // Σ = I: below the diagonal the inverse, above it what is there.
        self.instruction_set.run(Gain { size, matrix, inverses, roots });
        let powers = scales;
        self.instruction_set.run(InversePowers { size, matrix, inverses, powers });
        let floor = size as f64 * f64::EPSILON;
        let numbers = pivots.iter().zip(&*powers).zip(&*diagonal).enumerate();
        for (at, ((pivot, inverse), before)) in numbers {
            let outcome = &mut outcome[at % lanes];
            // The reciprocal of the share that the other variables leave unexplained.
            let inflation = before * inverse;
            let safe = *pivot > floor * before && inflation * (SAFE * floor) < 1.0;
            if !safe && outcome.is_ok() {
                *outcome = Err(match pivot.is_finite() {
                    true => Failure::NotPositiveDefinite { pivot: at / lanes },
                    false => Failure::NotFinite,
                });
            }
        }
    }

    /// `S⁻¹ B`.
    fn solve_right(&mut self, group: usize) {
        let (square, length, vector) = self.lengths();
        let (size, width) = (self.size, self.width);
        let (matrix, inverses) =
            (&*part(&mut self.factor, group, square), &*part(&mut self.inverses, group, vector));
        let rows = part(&mut self.rows, group, length);
        self.instruction_set.run(SolveLower { size, matrix, inverses, rows, width });
        self.instruction_set.run(SolveUpper { size, matrix, inverses, rows, width });
    }

    /// `L⁻¹ M L⁻ᵀ`, packed.
    fn form_symmetric(&mut self, group: usize, sources: &[General<'_>; MAX_LANES]) {
        let (square, _, vector) = self.lengths();
        let (size, lanes) = (self.size, self.lanes);
        let matrix = &mut self.work.as_mut_slice()[..square];
        let [roots, scales, ..] =
            self.vectors.each_mut().map(|numbers| &mut numbers.as_mut_slice()[..vector]);
        // A group that is not finite is found by its batch.
        let mut ignored = [Ok(()); MAX_LANES];
        self.instruction_set.run(Interleave {
            size,
            width: 0,
            sources: sources.map(|source| Source {
                matrix: source.symmetric,
                right: source.symmetric.subcols(0, 0),
                sigma: &self.ones[..size],
            }),
            layout: Layout::Square,
            matrix,
            rows: &mut [],
            roots,
            scales,
            outcome: &mut ignored,
        });
        let (factor, inverses) =
            (&*part(&mut self.factor, group, square), &*part(&mut self.inverses, group, vector));
        self.instruction_set.run(Congruence { size, factor, inverses, matrix });
        let (packed, _, outcome) = self.batches[0].group_mut(group, 0);
        for i in 0..size {
            let from = &matrix[(i * stride(size) + i) * lanes..][..(size - i) * lanes];
            packed[column_start(size, i) * lanes..][..from.len()].copy_from_slice(from);
        }
        *outcome = self.outcomes[group];
    }

    /// `F Fᵀ`, packed.
    fn form_cross(&mut self, group: usize, sources: &[General<'_>; MAX_LANES]) {
        let (square, _, vector) = self.lengths();
        let (size, inputs) = (self.size, self.inputs);
        let rows = &mut self.work.as_mut_slice()[..size * stride(inputs) * self.lanes];
        self.instruction_set.run(InterleaveColumns {
            size,
            width: inputs,
            sources: sources.map(|source| source.cross),
            rows,
            line: self.line.as_mut_slice(),
        });
        let (matrix, inverses) =
            (&*part(&mut self.factor, group, square), &*part(&mut self.inverses, group, vector));
        self.instruction_set.run(SolveLower { size, matrix, inverses, rows, width: stride(inputs) });
        let (to, _, outcome) = self.batches[1].group_mut(group, 0);
        self.instruction_set.run(WideRowForm { size, width: inputs, x: rows, to });
        *outcome = self.outcomes[group];
    }

    /// Eigenvalues of all groups of a pencil, and its leading vectors.
    fn decompose(&mut self, number: usize) {
        let (square, _, vector) = self.lengths();
        let (size, count) = (self.size, self.count);
        let batch = &mut self.batches[number];
        batch.diagonalize(0);
        batch.sort_descending();
        let values = &mut self.values[number];
        for place in 0..self.problems {
            for (i, to) in values[place * size..][..size].iter_mut().enumerate() {
                *to = batch.value(place, i);
            }
        }
        if count == 0 {
            return;
        }
        batch.leading_vectors(count);
        for group in 0..batch.groups() {
            let (matrix, inverses) =
                (&*part(&mut self.factor, group, square), &*part(&mut self.inverses, group, vector));
            let (_, rows, _) = batch.group_mut(group, count);
            self.instruction_set.run(SolveUpper { size, matrix, inverses, rows, width: count });
        }
    }

    /// Whether S of the problem at `place` is safely definite.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if S or B is not, [`Failure::NotPositiveDefinite`] if S is not,
    /// safely.
    pub fn definite(&self, place: usize) -> Result<(), Failure> {
        self.outcomes[place / self.lanes][place % self.lanes]
    }

    /// Eigenvalues of a pencil of the problem at `place`, descending: of (CᵀC, S) φ², below zero by
    /// rounding only.
    ///
    /// # Errors
    ///
    /// As [`definite`](Self::definite); [`Failure::NotFinite`] if a matrix or a result is not;
    /// [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If there is no such problem, or the pencil was not wanted.
    pub fn values(&self, pencil: Pencil, place: usize) -> Result<&[f64], Failure> {
        self.definite(place)?;
        let number = pencil as usize;
        assert!(place < self.batches[number].len(), "a pencil that was wanted");
        self.batches[number].outcome(place)?;
        let values = &self.values[number][place * self.size..][..self.size];
        if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(Failure::NotFinite) }
    }

    /// Writes the leading columns of V of a pencil of the problem at `place` into `vectors` (d ×
    /// k), `VᵀSV = I`.
    ///
    /// # Panics
    ///
    /// If it has not d rows, or more columns than vectors were asked for, or the pencil was not
    /// wanted.
    pub fn vectors(&self, pencil: Pencil, place: usize, mut vectors: MatMut<'_, f64>) {
        let (size, width) = (self.size, self.count);
        assert!(vectors.nrows() == size && vectors.ncols() <= width, "d × k");
        let batch = &self.batches[pencil as usize];
        assert!(place < batch.len(), "a pencil that was wanted");
        for (c, column) in vectors.as_mut().col_iter_mut().enumerate() {
            for (i, to) in column.iter_mut().enumerate() {
                *to = batch.row_entry(place, i, c, width);
            }
        }
    }

    /// Writes `S⁻¹ B` of the problem at `place` into `solution` (d × ℓ).
    ///
    /// # Panics
    ///
    /// If it is not d × ℓ.
    pub fn solution(&self, place: usize, mut solution: MatMut<'_, f64>) {
        let (size, width, lanes) = (self.size, self.width, self.lanes);
        assert!(solution.nrows() == size && solution.ncols() == width, "d × ℓ");
        let (group, lane) = (place / lanes, place % lanes);
        let rows = self.rows.as_slice();
        for (c, column) in solution.as_mut().col_iter_mut().enumerate() {
            for (i, to) in column.iter_mut().enumerate() {
                *to = rows[((group * size + i) * width + c) * lanes + lane];
            }
        }
    }
}
