//! Scaled problems in lanes, for sizes whose groups stay in the cache.
//!
//! Projected: Householder tridiagonalization `A = H T Hᵀ`, the reflectors applied to b, implicit QL
//! on T with the rows of `Hᵀ b` rotated along; accumulating the d × d eigenvector matrix would take
//! about 6 d³ more.
//!
//! Cost, in flops: ridge d³/3 + 4d²ℓ; projected 4/3 d³ + ≈ 9 d²ℓ; pencil d³/3 (factor, shared with
//! ridge) + d³/3 (inverse) + d³ (F Fᵀ) + 4/3 d³ (reduction) + ≈ 17 d² (QL) + 2dk² (inverse
//! iteration) + 4d²k (reflectors, U and A U) + dk² (M).

mod steps;

use faer::{MatMut, MatRef};

use super::{Fallback, Room, Wanted, finite};
use crate::Failure;
use crate::lanes::batch::{Batch, Numbers, Ranked, groups_for};
use crate::lanes::products::Layout;
use crate::lanes::tiles::stride;
use crate::lanes::{InstructionSet, MAX_LANES};

/// Groups of a batch: factors alone gain nothing from others beside them where one is megabytes.
fn groups_of(room: Room, wanted: Wanted) -> usize {
    let factors_alone = !(wanted.projected || wanted.pencil);
    if factors_alone && room.size > 256 { 1 } else { groups_for(room.size) }
}

/// A batch of scaled problems of one size.
pub(super) struct LaneBatch {
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
    /// Of each group: A, then its factor, then F, in one place.
    matrix: Numbers,
    rows: Numbers,
    roots: Numbers,
    scales: Numbers,
    pivots: Numbers,
    inverses: Numbers,
    scaled: Vec<[Result<(), Failure>; MAX_LANES]>,
    factored: Vec<[Result<(), Failure>; MAX_LANES]>,
    symmetric: Batch,
    pencil: Batch,
    /// Workspace for one group: two of d × k or d × ℓ, two of k × k, two of k × ℓ, four of k, one
    /// of d.
    images: [Numbers; 2],
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

impl LaneBatch {
    /// Room for a batch; `dimensions` is the number of different k of which results are kept.
    pub(super) fn new(
        instruction_set: InstructionSet,
        room: Room,
        dimensions: usize,
        wanted: Wanted,
    ) -> Self {
        let Room { size, width, count, .. } = room;
        let lanes = instruction_set.lanes();
        let groups = groups_of(room, wanted);
        let capacity = groups * lanes;
        let factors = wanted.ridge || wanted.pencil;
        let if_wanted = |wanted: bool, x: usize| if wanted { x } else { 0 };
        let square = size * stride(size) * lanes;
        let vectors = if_wanted(wanted.vectors, count);
        let symmetric = if_wanted(wanted.projected, size);
        let pencil = if_wanted(wanted.pencil, size);
        let image = if_wanted(wanted.pencil, size * count * lanes);
        let work = image.max(if_wanted(factors, size * width * lanes));
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
            scales: Numbers::new(groups * size * lanes),
            pivots: Numbers::new(groups * size * lanes),
            inverses: Numbers::new(groups * size * lanes),
            scaled: vec![[Ok(()); MAX_LANES]; groups],
            factored: vec![[Ok(()); MAX_LANES]; groups],
            symmetric: Batch::adopting(instruction_set, symmetric, width.max(vectors), wanted.vectors),
            pencil: Batch::new(instruction_set, pencil, count, true),
            images: [Numbers::new(work), Numbers::new(image)],
            forms: [form(), form()],
            rights: [right(), right()],
            probed: std::array::from_fn(|_| Numbers::new(count * lanes)),
            vector: Numbers::new(size.max(2) * lanes),
            order: vec![Ranked::default(); size],
            fallback: Fallback::new(count, width),
            ridge: vec![0.0; capacity],
            values: vec![0.0; capacity * symmetric],
            powers: vec![0.0; capacity * symmetric],
            pencil_values: vec![0.0; capacity * pencil],
            explained: vec![0.0; capacity * dimensions],
        }
    }

    /// Bytes of a room, about.
    pub(super) fn bytes(instruction_set: InstructionSet, room: Room, wanted: Wanted) -> usize {
        let Room { size, width, count, .. } = room;
        let (lanes, capacity) = (instruction_set.lanes(), Self::capacity_for(instruction_set, room, wanted));
        let (square, packed) = (size * stride(size), size * (size + 1) / 2);
        let mut numbers = capacity * (square + size * (width + 6));
        if wanted.projected {
            let (kept, columns) = if wanted.vectors { (capacity, width.max(count)) } else { (lanes, width) };
            numbers += kept * packed + capacity * size * (columns + 7);
        }
        if wanted.pencil {
            numbers += capacity * (packed + size * (count + 7));
            numbers += lanes * (2 * size * count + 2 * count * (count + width));
        }
        8 * numbers
    }

    /// Most problems of any size at a time.
    pub(super) fn capacity_for(instruction_set: InstructionSet, room: Room, wanted: Wanted) -> usize {
        groups_of(room, wanted) * instruction_set.lanes()
    }

    /// Most problems at a time.
    pub(super) fn capacity(&self) -> usize {
        self.ridge.len()
    }

    /// Number of problems.
    pub(super) fn len(&self) -> usize {
        self.problems.len()
    }

    /// Forgets all problems; the next ones are of this size and width, and these answers are
    /// wanted.
    ///
    /// # Panics
    ///
    /// If either is larger than the room.
    pub(super) fn start(&mut self, size: usize, width: usize, wanted: Wanted) {
        assert!(size <= self.room.size && width <= self.room.width, "room for this size and width");
        (self.size, self.width, self.wanted) = (size, width, wanted);
        self.problems.clear();
    }

    /// Takes the problem of a source (C, B), which problems may share, and Σ (d), and returns its
    /// place. What is not finite fails by itself, and later.
    ///
    /// # Panics
    ///
    /// If the batch is full, or Σ is not of size d.
    pub(super) fn push(&mut self, source: usize, sigma: &[f64]) -> usize {
        let place = self.problems.len();
        assert!(place < self.capacity(), "room for another problem");
        assert!(sigma.len() == self.size, "Σ of size d");
        self.sigma[place * self.size..][..self.size].copy_from_slice(sigma);
        self.problems.push(source);
        place
    }

    /// Solves all problems for the `dimensions`; `source` gives C (d × d, lower triangle read) and
    /// B (d × ℓ) by number.
    ///
    /// # Panics
    ///
    /// If a dimension is 0 or exceeds d or the room, there are more than there is room for, or a
    /// source has other shapes.
    pub(super) fn solve<'s>(
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
    /// [`Failure::NotFinite`] if the problem or its answer is not, [`Failure::NotPositiveDefinite`]
    /// if `A + I` is not.
    pub(super) fn ridge_power(&self, place: usize) -> Result<f64, Failure> {
        self.factored[place / self.lanes][place % self.lanes]?;
        finite(&[self.ridge[place]])?;
        Ok(self.ridge[place])
    }

    /// Eigenvalues λ of A at `place`, descending, and the power of b along each eigenvector.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or a result is not; [`Failure::NoConvergence`].
    pub(super) fn projected(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
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
    /// [`Failure::NotFinite`] if the problem or a result is not, [`Failure::NotPositiveDefinite`]
    /// if `A + I` is not; [`Failure::NoConvergence`].
    pub(super) fn pencil(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
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
    pub(super) fn eigenvectors(&self, place: usize, vectors: MatMut<'_, f64>) {
        assert!(self.wanted.vectors && self.wanted.projected, "vectors were wanted");
        self.read(&self.symmetric, place, vectors);
    }

    /// Writes the leading columns of U at `place` into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If vectors were not wanted, or not so many.
    pub(super) fn basis(&self, place: usize, vectors: MatMut<'_, f64>) {
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
}
