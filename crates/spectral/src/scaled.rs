//! Symmetric problems scaled by a diagonal, `A = Σ^(−½) C Σ^(−½)` and `b = Σ^(−½) B`, solved together in lanes.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | C | `matrix` | d × d | positive semidefinite, lower triangle read |
//! | B | `right` | d × ℓ | right-hand sides |
//! | Σ | `sigma` | d | a diagonal, positive |
//! | k | `dimensions` | | numbers of leading vectors |
//!
//! Three answers for each problem, as [`Wanted`]:
//!
//! - **ridge**: `‖L⁻¹b‖² + ‖(A+I)⁻¹b‖²`, with `A + I = L Lᵀ`;
//! - **projected**: `A = Q Λ Qᵀ`, all λ and all `‖qᵢᵀb‖²`, no Q;
//! - **pencil**: (A Σ A, A + I) with `F = L⁻¹ A Σ^½`, `F Fᵀ = P Φ² Pᵀ`, `U = L⁻ᵀ P`: all φ², and for each k what the first k columns of
//!   U explain, `tr(Rᵀ M⁺ R)` with `M = UₖᵀAUₖ`, `R = Uₖᵀb`.
//!
//! Everything for one k is a leading part of the same for a larger one, so no result depends on which others are asked for,
//! nor on neighbours, lanes or the instruction set ([`lanes`](crate::lanes)).
//!
//! Cost, in flops: ridge d³/3 + 4d²ℓ; projected 4/3 d³ + ≈ 9 d²ℓ; pencil d³/3 (factor, shared with ridge) + d³/3 (inverse) +
//! d³ (F Fᵀ) + 4/3 d³ (reduction) + ≈ 17 d² (QL) + 2dk² (inverse iteration) + 4d²k (reflectors, U and A U) + dk² (M).

use faer::{Mat, MatMut, MatRef};

use crate::lanes::batch::{Batch, Numbers, Ranked, groups_for, part};
use crate::lanes::cholesky::{Factor, SolveLower, SolveUpper};
use crate::lanes::equilibrate::{Equilibrate, Powers};
use crate::lanes::gain::{Gain, Images};
use crate::lanes::interleave::{Interleave, Source};
use crate::lanes::products::{Form, Layout, Product};
use crate::lanes::reduction::packed_len;
use crate::lanes::tiles::stride;
use crate::lanes::{InstructionSet, MAX_LANES};
use crate::semidefinite::{explained_power, explained_power_scratch};
use crate::{Failure, MemBuffer, MemStack};

/// Which answers a batch is to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ridge regression.
    pub ridge: bool,
    /// Eigenvalues of A and projections.
    pub projected: bool,
    /// The pencil.
    pub pencil: bool,
    /// The leading k vectors of both, for the largest k.
    pub vectors: bool,
}

/// Largest sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// d.
    pub size: usize,
    /// ℓ.
    pub width: usize,
    /// Largest k.
    pub count: usize,
}

/// A batch of scaled problems of one size.
pub struct ScaledBatch {
    instruction_set: InstructionSet,
    lanes: usize,
    wanted: Wanted,
    room: Room,
    size: usize,
    width: usize,
    /// Largest k of the last [`solve`](Self::solve).
    count: usize,
    /// Number of dimensions of the last solve.
    dimensions: usize,
    /// Of each problem: its source.
    problems: Vec<usize>,
    /// Of each problem: Σ (d).
    sigma: Vec<f64>,
    /// Of each group: A, then its factor, then G; see [`Gain`].
    matrix: Numbers,
    rows: Numbers,
    roots: Numbers,
    pivots: Numbers,
    inverses: Numbers,
    scaled: Vec<[Result<(), Failure>; MAX_LANES]>,
    factored: Vec<[Result<(), Failure>; MAX_LANES]>,
    symmetric: Batch,
    pencil: Batch,
    /// Workspace for one group: two of d × d, two of k × k, two of k × ℓ, four of k, one of d.
    squares: [Numbers; 2],
    forms: [Numbers; 2],
    rights: [Numbers; 2],
    /// Scales, pivots and their inverses, and squared rows of `L⁻¹R`.
    probed: [Numbers; 4],
    vector: Numbers,
    order: Vec<Ranked>,
    fallback: Fallback,
    /// Results, a problem after the other.
    ridge: Vec<f64>,
    values: Vec<f64>,
    powers: Vec<f64>,
    pencil_values: Vec<f64>,
    explained: Vec<f64>,
}

/// Workspace for forms that are not safely definite.
struct Fallback {
    form: Mat<f64>,
    right: Mat<f64>,
    memory: MemBuffer,
}

impl std::fmt::Debug for ScaledBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { instruction_set, room, wanted, .. } = self;
        write!(f, "ScaledBatch {{ {instruction_set:?}, {room:?}, {wanted:?} }}")
    }
}

impl ScaledBatch {
    /// Room for a batch; `dimensions` is the number of different k of which results are kept.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, room: Room, dimensions: usize, wanted: Wanted) -> Self {
        let Room { size, width, count } = room;
        let lanes = instruction_set.lanes();
        let groups = groups_for(size);
        let capacity = groups * lanes;
        let factors = wanted.ridge || wanted.pencil;
        let if_wanted = |wanted: bool, x: usize| if wanted { x } else { 0 };
        let square = size * stride(size) * lanes;
        let vectors = if_wanted(wanted.vectors, count);
        let symmetric = if_wanted(wanted.projected, size);
        let pencil = if_wanted(wanted.pencil, size);
        let work = if_wanted(wanted.pencil, square).max(if_wanted(factors, size * width * lanes));
        let form = || Numbers::new(if_wanted(wanted.pencil, count * stride(count) * lanes));
        let right = || Numbers::new(if_wanted(wanted.pencil, count * width * lanes));
        Self {
            instruction_set,
            lanes,
            wanted,
            room,
            size: 0,
            width: 0,
            count: 0,
            dimensions: 0,
            problems: Vec::with_capacity(capacity),
            sigma: vec![0.0; capacity * size],
            matrix: Numbers::new(groups * square),
            rows: Numbers::new(groups * size * width * lanes),
            roots: Numbers::new(groups * size * lanes),
            pivots: Numbers::new(groups * size * lanes),
            inverses: Numbers::new(groups * size * lanes),
            scaled: vec![[Ok(()); MAX_LANES]; groups],
            factored: vec![[Ok(()); MAX_LANES]; groups],
            symmetric: Batch::adopting(instruction_set, symmetric, width.max(vectors), wanted.vectors),
            pencil: Batch::new(instruction_set, pencil, count, true),
            squares: [Numbers::new(work), Numbers::new(if_wanted(wanted.pencil, square))],
            forms: [form(), form()],
            rights: [right(), right()],
            probed: std::array::from_fn(|_| Numbers::new(count * lanes)),
            vector: Numbers::new(size.max(2) * lanes),
            order: vec![Ranked::default(); size],
            fallback: Fallback {
                form: Mat::zeros(count, count),
                right: Mat::zeros(count, width),
                memory: MemBuffer::new(explained_power_scratch(count)),
            },
            ridge: vec![0.0; capacity],
            values: vec![0.0; capacity * symmetric],
            powers: vec![0.0; capacity * symmetric],
            pencil_values: vec![0.0; capacity * pencil],
            explained: vec![0.0; capacity * dimensions],
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
        self.ridge.len()
    }

    /// Number of problems.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Size d of the problems.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Forgets all problems; the next ones are of this size and width.
    ///
    /// # Panics
    ///
    /// If either is larger than the room.
    pub fn start(&mut self, size: usize, width: usize) {
        assert!(size <= self.room.size && width <= self.room.width, "room for this size and width");
        (self.size, self.width) = (size, width);
        self.problems.clear();
    }

    /// Takes the problem of a source (C, B), which problems may share, and Σ (d), and returns its place. What is not finite fails
    /// by itself, and later.
    ///
    /// # Panics
    ///
    /// If the batch is full, or Σ is not of size d.
    pub fn push(&mut self, source: usize, sigma: &[f64]) -> usize {
        let place = self.problems.len();
        assert!(place < self.capacity(), "room for another problem");
        assert!(sigma.len() == self.size, "Σ of size d");
        self.sigma[place * self.size..][..self.size].copy_from_slice(sigma);
        self.problems.push(source);
        place
    }

    /// Solves all problems for the `dimensions`; `source` gives C (d × d, lower triangle read) and B (d × ℓ) by number.
    ///
    /// # Panics
    ///
    /// If a dimension is 0 or exceeds d or the room, there are more than there is room for, or a source has other shapes.
    pub fn solve<'s>(
        &mut self,
        dimensions: &[usize],
        source: impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>),
    ) {
        let least = dimensions.iter().copied().min().unwrap_or(1);
        self.count = dimensions.iter().copied().max().unwrap_or(0);
        self.dimensions = dimensions.len();
        assert!(least >= 1 && self.count <= self.size.min(self.room.count), "1 ≤ k ≤ d, and room for k");
        assert!(self.explained.len() >= dimensions.len() * self.capacity(), "room for these dimensions");
        self.symmetric.start(if self.wanted.projected { self.size } else { 0 });
        self.pencil.start(if self.wanted.pencil { self.size } else { 0 });
        let groups = self.problems.len().div_ceil(self.lanes);
        self.symmetric.adopt(self.problems.len());
        self.pencil.adopt(self.problems.len());
        for group in 0..groups {
            // Twice where both are wanted: what is made is then used while it is near.
            if self.wanted.projected {
                self.interleave(group, &source, Layout::Packed);
                self.symmetric.reduce_group(group);
                self.symmetric.reflect_rows_of_group(group, self.width);
            }
            if self.wanted.ridge || self.wanted.pencil {
                self.interleave(group, &source, Layout::Square);
                self.factor(group);
            }
            if self.wanted.ridge {
                self.ridge(group);
            }
            if self.wanted.pencil {
                self.form_pencil(group);
                self.pencil.reduce_group(group);
            }
        }
        if self.wanted.projected {
            self.solve_symmetric();
        }
        if self.wanted.pencil {
            self.solve_pencil();
            for group in 0..groups {
                self.probe(group);
                self.explain(group, dimensions);
            }
        }
    }

    /// The ridge answer of the problem at `place`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or its answer is not, [`Failure::NotPositiveDefinite`] if `A + I` is not.
    pub fn ridge_power(&self, place: usize) -> Result<f64, Failure> {
        self.factored[place / self.lanes][place % self.lanes]?;
        finite(&[self.ridge[place]])?;
        Ok(self.ridge[place])
    }

    /// Eigenvalues λ of A at `place`, descending, and the power of b along each eigenvector.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or a result is not; [`Failure::NoConvergence`].
    pub fn projected(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        self.scaled[place / self.lanes][place % self.lanes]?;
        self.symmetric.outcome(place)?;
        let (values, powers) =
            (&self.values[place * self.size..][..self.size], &self.powers[place * self.size..][..self.size]);
        finite(values)?;
        finite(powers)?;
        Ok((values, powers))
    }

    /// φ² of the pencil at `place`, descending, and what U explains at each of the dimensions.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or a result is not, [`Failure::NotPositiveDefinite`] if `A + I` is not;
    /// [`Failure::NoConvergence`].
    pub fn pencil(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        self.factored[place / self.lanes][place % self.lanes]?;
        self.pencil.outcome(place)?;
        let values = &self.pencil_values[place * self.size..][..self.size];
        let explained = &self.explained[place * self.dimensions..][..self.dimensions];
        finite(values)?;
        finite(explained)?;
        Ok((values, explained))
    }

    /// Writes the leading columns of Q at `place` into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If vectors were not wanted, or not so many.
    pub fn eigenvectors(&self, place: usize, vectors: MatMut<'_, f64>) {
        assert!(self.wanted.vectors && self.wanted.projected, "vectors were wanted");
        self.read(&self.symmetric, place, vectors);
    }

    /// Writes the leading columns of U at `place` into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If vectors were not wanted, or not so many.
    pub fn basis(&self, place: usize, vectors: MatMut<'_, f64>) {
        assert!(self.wanted.vectors && self.wanted.pencil, "vectors were wanted");
        self.read(&self.pencil, place, vectors);
    }

    fn read(&self, batch: &Batch, place: usize, mut vectors: MatMut<'_, f64>) {
        assert!(vectors.nrows() == self.size && vectors.ncols() <= self.count, "d × k");
        for c in 0..vectors.ncols() {
            for i in 0..self.size {
                vectors[(i, c)] = batch.row_entry(place, i, c, self.count);
            }
        }
    }

    /// Numbers of a group in buffers of d × d, d × ℓ and d.
    fn lengths(&self) -> (usize, usize, usize) {
        let (size, lanes) = (self.size, self.lanes);
        (size * stride(size) * lanes, size * self.width * lanes, size * lanes)
    }

    fn interleave<'s>(
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
            scales: &mut self.vector.as_mut_slice()[..vector],
            outcome,
        });
        match layout {
            Layout::Square => self.factored[group] = self.scaled[group],
            Layout::Packed => *self.symmetric.group_mut(group, width).2 = self.scaled[group],
        }
    }

    /// `A + I = L Lᵀ`.
    fn factor(&mut self, group: usize) {
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

    fn ridge(&mut self, group: usize) {
        let (square, rows, vector) = self.lengths();
        let (size, width, lanes) = (self.size, self.width, self.lanes);
        let (matrix, inverses) =
            (part(&mut self.matrix, group, square), part(&mut self.inverses, group, vector));
        let work = &mut self.squares[0].as_mut_slice()[..rows];
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

    fn form_pencil(&mut self, group: usize) {
        let (square, _, vector) = self.lengths();
        let (size, lanes) = (self.size, self.lanes);
        let [inverse, transposed] = &mut self.squares;
        let transposed = &mut transposed.as_mut_slice()[..square];
        self.instruction_set.run(Gain {
            size,
            matrix: part(&mut self.matrix, group, square),
            inverses: part(&mut self.inverses, group, vector),
            roots: part(&mut self.roots, group, vector),
            inverse: &mut inverse.as_mut_slice()[..square],
            transposed,
        });
        let (packed, _, outcome) = self.pencil.group_mut(group, 0);
        debug_assert_eq!(packed.len(), packed_len(size) * lanes);
        self.instruction_set.run(Form {
            rows: size,
            size,
            x: transposed,
            y: transposed,
            stride: stride(size),
            to: packed,
            layout: Layout::Packed,
        });
        *outcome = self.factored[group];
    }

    fn solve_symmetric(&mut self) {
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

    fn solve_pencil(&mut self) {
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
    fn probe(&mut self, group: usize) {
        let (square, rows, vector) = self.lengths();
        let (size, width, count, lanes) = (self.size, self.width, self.count, self.lanes);
        let columns = size * count * lanes;
        let [basis, image] = &mut self.squares;
        let (basis, image) = (&mut basis.as_mut_slice()[..columns], &mut image.as_mut_slice()[..columns]);
        let (_, vectors, _) = self.pencil.group_mut(group, count);
        self.instruction_set.run(Images {
            size,
            matrix: part(&mut self.matrix, group, square),
            inverses: part(&mut self.inverses, group, vector),
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
        self.instruction_set.run(Form {
            rows: size,
            size: count,
            x: basis,
            y: image,
            stride: count,
            to: form,
            layout: Layout::Square,
        });
        self.instruction_set.run(Product {
            rows: size,
            x: basis,
            x_width: count,
            y: part(&mut self.rows, group, rows),
            y_width: width,
            to: right,
        });
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
    fn explain(&mut self, group: usize, dimensions: &[usize]) {
        let (lanes, count, width) = (self.lanes, self.count, self.width);
        let form = self.forms[0].as_slice();
        let right = self.rights[0].as_slice();
        let [_, pivots, _, powers] = &self.probed;
        let (pivots, powers) = (pivots.as_slice(), powers.as_slice());
        for lane in 0..lanes.min(self.problems.len() - group * lanes) {
            if self.factored[group][lane].is_err() {
                continue;
            }
            let entry = |i: usize, j: usize| form[(i.min(j) * stride(count) + i.max(j)) * lanes + lane];
            for (n, &k) in dimensions.iter().enumerate() {
                let mut sum = 0.0;
                let (mut least, mut largest, mut least_pivot) = (f64::INFINITY, 0.0_f64, f64::INFINITY);
                for j in 0..k {
                    sum += powers[j * lanes + lane];
                    least = least.min(entry(j, j));
                    largest = largest.max(entry(j, j));
                    least_pivot = least_pivot.min(pivots[j * lanes + lane]);
                }
                // Columns that `A` does not see count as null; see `theory::probing`.
                let floor = self.size as f64 * f64::EPSILON * largest;
                let safe = least > floor && least_pivot > k as f64 * f64::EPSILON && sum.is_finite();
                if !safe {
                    let Fallback { form: own, right: own_right, memory } = &mut self.fallback;
                    let mut own = own.as_mut().submatrix_mut(0, 0, k, k);
                    let mut own_right = own_right.as_mut().submatrix_mut(0, 0, k, width);
                    for j in 0..k {
                        for i in j..k {
                            own[(i, j)] = entry(i, j);
                        }
                        for c in 0..width {
                            own_right[(j, c)] = right[(j * width + c) * lanes + lane];
                        }
                    }
                    sum = explained_power(self.instruction_set, own, own_right, floor, MemStack::new(memory));
                }
                self.explained[(group * lanes + lane) * self.dimensions + n] = sum;
            }
        }
    }
}

fn finite(numbers: &[f64]) -> Result<(), Failure> {
    if numbers.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}
