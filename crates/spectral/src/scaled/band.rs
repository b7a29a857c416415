//! Scaled problems by way of a band, for sizes whose groups of lanes would leave the cache.
//!
//! A problem at a time: `A = Σ^(−½) C Σ^(−½)`, its factor `A + I = L Lᵀ`, `F = (Lᵀ − L⁻¹) Σ^½`, F
//! Fᵀ and the reduction of A and of F Fᵀ to bands ([`BandSolver`]); then as many as a register has
//! numbers in lanes, to T and its eigenvalues; then one at a time again, what needs vectors.
//!
//! Cost of a problem, in flops: ridge d³/3 + 4d²ℓ; projected 4/3 d³ + 6d²b + ≈ 11 d²ℓ; pencil d³/3
//! (factor, shared with ridge) + d³/3 (inverse) + d³ (F Fᵀ) + 4/3 d³ + 6d²b (reduction) + ≈ 17 d²
//! (QL) + up to 2dk² (vectors of T) + 4d²k (Q₂ and Q₁) + 2d²k (U and A U) + dk² (M); with the rank
//! r in place of d where features are superfluous (see [`Deflation`]).
//!
//! Rounding: as in lanes, see [`gain`](crate::lanes::gain).

use faer::reborrow::IntoConst;
use faer::{Accum, Mat, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::deflation::Deflation;
use super::{Explained, Fallback, Room, Wanted, explained, finite};
use crate::Failure;
use crate::band::solver::{self, BandSolver, padded, padded_mat, part};
use crate::dense::cholesky::{factor_shifted, invert_lower, solve_upper_in_place};
use crate::dense::product::{Packing, Product, Right, column, column_mut};
use crate::dense::transposition::{Mirror, Transpose};
use crate::dense::{gram_lower, product, solve_lower_in_place};
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};
use crate::lanes::batch::Ranked;

/// Columns of a triangle that are multiplied at a time.
const BLOCK: usize = 64;

/// Problems of size d at a time: a group of the narrower registers, fewer of large ones of which
/// squares are kept, to bound memory, and a whole group of smaller ones of which none is: chase and
/// QL take a twentieth of their time less then.
pub(super) fn problems_for(instruction_set: InstructionSet, size: usize, wanted: Wanted) -> usize {
    let most = match (wanted.pencil || wanted.vectors, size > 896) {
        (true, true) => 2,
        (false, false) => usize::MAX,
        _ => 4,
    };
    instruction_set.lanes().min(most)
}

/// A batch of problems.
pub(super) struct BandBatch {
    instruction_set: InstructionSet,
    /// What there is room for, and of that what is wanted now.
    most: Wanted,
    wanted: Wanted,
    room: Room,
    capacity: usize,
    size: usize,
    width: usize,
    dimensions: usize,
    /// Of each problem: its source.
    problems: Vec<usize>,
    /// Of each problem: Σ (d).
    sigma: Vec<f64>,
    /// Of each problem: which features stay.
    deflations: Vec<Deflation>,
    solver: BandSolver,
    /// Of each problem: F, then `Fᵀ`.
    gains: Vec<Mat<f64>>,
    /// Of each problem: b (d × ℓ).
    rights: Vec<Mat<f64>>,
    /// Of each problem: Σ^½ and 1/L's diagonal (d).
    roots: Vec<f64>,
    inverses: Vec<f64>,
    pivots: Vec<f64>,
    solution: Mat<f64>,
    /// P, and A U (d × k).
    columns: [Mat<f64>; 2],
    /// M (k × k); R, and it scaled (k × ℓ), and of that the squared rows.
    form: Mat<f64>,
    probed: [Mat<f64>; 2],
    probed_powers: Vec<f64>,
    scales: Vec<f64>,
    /// Triangles of a block, with their zeros.
    triangles: [Mat<f64>; 2],
    order: Vec<Ranked>,
    fallback: Fallback,
    scaled: Vec<Result<(), Failure>>,
    factored: Vec<Result<(), Failure>>,
    /// Of each problem: Q (d × k), where they are wanted.
    vectors: Vec<Mat<f64>>,
    /// U (d × k): of each problem, where they are wanted, or else of the one in hand.
    bases: Vec<Mat<f64>>,
    ridge: Vec<f64>,
    values: Vec<f64>,
    powers: Vec<f64>,
    pencil_values: Vec<f64>,
    explained: Vec<f64>,
    eigen: Vec<Result<(), Failure>>,
    pencil: Vec<Result<(), Failure>>,
}

impl BandBatch {
    /// With a square in any case: the factor of a problem stands there, too.
    fn solver_room(room: Room, capacity: usize, wanted: Wanted) -> solver::Room {
        let Room { size, width, count, .. } = room;
        let problems = if wanted.projected || wanted.pencil { capacity } else { 1 };
        let width = if wanted.projected { width } else { 0 };
        solver::Room { problems, size, width, count: if wanted.pencil || wanted.vectors { count } else { 0 } }
    }

    pub(super) fn new(
        instruction_set: InstructionSet,
        room: Room,
        dimensions: usize,
        wanted: Wanted,
    ) -> Self {
        let Room { size, width, count, .. } = room;
        // As many as of the smallest size.
        let capacity = problems_for(instruction_set, room.smallest, wanted);
        let factors = wanted.ridge || wanted.pencil;
        let if_wanted = |wanted: bool, x: usize| if wanted { x } else { 0 };
        let pencil = if_wanted(wanted.pencil, count);
        let kept = if_wanted(wanted.vectors && wanted.projected, count);
        let of_each = |rows: usize, columns: usize, some: bool| -> Vec<Mat<f64>> {
            (0..if_wanted(some, capacity)).map(|_| padded_mat(rows, columns)).collect()
        };
        let bases = if wanted.vectors { capacity } else { 1 };
        let results = if_wanted(wanted.projected, capacity * size);
        Self {
            instruction_set,
            most: wanted,
            wanted,
            room,
            capacity,
            size: 0,
            width: 0,
            dimensions: 0,
            problems: Vec::with_capacity(capacity),
            sigma: vec![0.0; capacity * size],
            deflations: (0..capacity).map(|_| Deflation::new(size)).collect(),
            solver: BandSolver::new(instruction_set, Self::solver_room(room, capacity, wanted)),
            gains: of_each(size, size, wanted.pencil),
            rights: of_each(size, width, factors),
            roots: vec![0.0; capacity * size],
            inverses: vec![0.0; capacity * size],
            pivots: vec![0.0; size.max(count)],
            solution: padded_mat(size, if_wanted(factors, width)),
            columns: std::array::from_fn(|_| padded_mat(size, pencil)),
            form: padded_mat(pencil, pencil),
            probed: std::array::from_fn(|_| padded_mat(pencil, width)),
            probed_powers: vec![0.0; pencil],
            scales: vec![0.0; pencil],
            triangles: std::array::from_fn(|_| Mat::zeros(BLOCK, BLOCK)),
            order: vec![Ranked::default(); size],
            fallback: Fallback::new(pencil, width),
            scaled: vec![Ok(()); capacity],
            factored: vec![Ok(()); capacity],
            vectors: of_each(size, kept, kept > 0),
            bases: (0..if_wanted(pencil > 0, bases)).map(|_| padded_mat(size, count)).collect(),
            ridge: vec![0.0; capacity],
            values: vec![0.0; results],
            powers: vec![0.0; results],
            pencil_values: vec![0.0; if_wanted(wanted.pencil, capacity * size)],
            explained: vec![0.0; capacity * dimensions],
            eigen: vec![Ok(()); capacity],
            pencil: vec![Ok(()); capacity],
        }
    }

    pub(super) fn bytes(instruction_set: InstructionSet, room: Room, wanted: Wanted) -> usize {
        let Room { size, width, count, .. } = room;
        let capacity = problems_for(instruction_set, room.smallest, wanted);
        let square = padded(size) * size;
        let mut numbers = capacity * size * (width + 14);
        if wanted.pencil {
            let bases = if wanted.vectors { capacity } else { 1 };
            numbers += capacity * square + (2 + bases) * padded(size) * count + 3 * padded(count) * count;
        }
        if wanted.vectors && wanted.projected {
            numbers += capacity * padded(size) * count;
        }
        8 * numbers + BandSolver::bytes(instruction_set, Self::solver_room(room, capacity, wanted))
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity.min(problems_for(self.instruction_set, self.size, self.most))
    }

    pub(super) fn len(&self) -> usize {
        self.problems.len()
    }

    pub(super) fn start(&mut self, size: usize, width: usize, wanted: Wanted) {
        (self.size, self.width, self.wanted) = (size, width, wanted);
        self.problems.clear();
    }

    pub(super) fn push(&mut self, source: usize, sigma: &[f64]) -> usize {
        let place = self.problems.len();
        assert!(place < self.capacity(), "room for another problem");
        assert!(sigma.len() == self.size, "Σ of size d");
        self.sigma[place * self.size..][..self.size].copy_from_slice(sigma);
        self.problems.push(source);
        place
    }

    pub(super) fn solve<'s>(
        &mut self,
        dimensions: &[usize],
        source: impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>),
    ) {
        let least = dimensions.iter().copied().min().unwrap_or(1);
        let count = dimensions.iter().copied().max().unwrap_or(0);
        self.dimensions = dimensions.len();
        assert!(least >= 1 && count <= self.size.min(self.room.count), "1 ≤ k ≤ d, and room for k");
        assert!(self.explained.len() >= dimensions.len() * self.capacity(), "room for these dimensions");
        for place in 0..self.problems.len() {
            let (matrix, right) = source(self.problems[place]);
            assert!(matrix.nrows() == self.size && matrix.ncols() == self.size, "d × d");
            assert!(right.nrows() == self.size && right.ncols() == self.width, "d × ℓ");
            let (before, rest) = self.deflations.split_at_mut(place);
            match self.problems[..place].iter().position(|source| *source == self.problems[place]) {
                Some(same) => rest[0].copy_source(&before[same]),
                None => rest[0].of_source(self.instruction_set, matrix, right),
            }
        }
        if self.wanted.projected {
            self.solve_projected(count, &source);
        }
        if self.wanted.ridge || self.wanted.pencil {
            self.solve_factored(&source);
        }
        if self.wanted.pencil {
            self.solve_pencil(count, dimensions);
        }
    }

    fn solve_projected<'s>(
        &mut self,
        count: usize,
        source: &impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>),
    ) {
        let (size, width, problems) = (self.size, self.width, self.problems.len());
        self.solver.start(size, width);
        for place in 0..problems {
            let (matrix, right) = source(self.problems[place]);
            let (to, rows) = self.solver.problem_mut(place);
            self.scaled[place] = self.instruction_set.run(Scale {
                matrix,
                right,
                sigma: &self.sigma[place * size..][..size],
                deflation: &mut self.deflations[place],
                roots: &mut self.roots[place * size..][..size],
                inverses: &mut self.inverses[place * size..][..size],
                to,
                rows,
            });
            self.solver.reduce(place, self.deflations[place].rank(), self.scaled[place]);
        }
        self.solver.diagonalize(problems, self.wanted.vectors);
        for place in 0..problems {
            self.eigen[place] = self.solver.batch.outcome(place);
            let values = &mut self.values[place * size..][..size];
            let powers = &mut self.powers[place * size..][..size];
            self.solver.batch.read_powers(place, &mut self.order, values, powers);
        }
        if self.wanted.vectors {
            self.solver.batch.sort_descending();
            for place in 0..problems {
                let mut to = part(&mut self.vectors[place], size, count);
                let found = self.solver.leading_vectors(place, to.as_mut());
                self.eigen[place] = self.eigen[place].and(found);
                self.deflations[place].expand(to, &mut self.pivots);
            }
        }
    }

    /// Factors `A + I`, answers ridge, and reduces the pencil.
    fn solve_factored<'s>(&mut self, source: &impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>)) {
        let (size, width, set) = (self.size, self.width, self.instruction_set);
        self.solver.start(size, 0);
        for place in 0..self.problems.len() {
            let (matrix, right) = source(self.problems[place]);
            let roots = &mut self.roots[place * size..][..size];
            let (mut square, _) = self.solver.problem_mut(place);
            let mut rows = part(&mut self.rights[place], size, width);
            self.scaled[place] = set.run(Scale {
                matrix,
                right,
                sigma: &self.sigma[place * size..][..size],
                deflation: &mut self.deflations[place],
                roots: &mut *roots,
                inverses: &mut self.inverses[place * size..][..size],
                to: square.as_mut(),
                rows: rows.as_mut(),
            });
            let rank = self.deflations[place].rank();
            let (mut factor, rows) = (square.submatrix_mut(0, 0, rank, rank), rows.subrows(0, rank));
            let roots = &roots[..rank];
            let pivots = &mut self.pivots[..rank];
            let floor = size as f64 * f64::EPSILON;
            let factored =
                self.scaled[place].and_then(|()| factor_shifted(set, factor.as_mut(), 1.0, floor, pivots));
            self.factored[place] = factored;
            if factored.is_err() {
                if self.wanted.pencil {
                    self.solver.reduce(place, rank, factored);
                }
                continue;
            }
            set.run(Mirror { matrix: factor.as_mut(), both: false });
            let factor = factor.into_const();
            if self.wanted.ridge {
                let mut solution = part(&mut self.solution, rank, width);
                solution.copy_from(rows);
                solve_lower_in_place(set, factor, solution.as_mut());
                let lower = set.run(Power { matrix: solution.as_ref() });
                solve_upper_in_place(set, factor, solution.as_mut());
                self.ridge[place] = lower + set.run(Power { matrix: solution.as_ref() });
            }
            if self.wanted.pencil {
                let inverses = &mut self.inverses[place * size..][..rank];
                let mut gain = part(&mut self.gains[place], rank, rank);
                invert_lower(set, factor, gain.as_mut());
                set.run(Gain { factor, roots, pivots, inverses, gain: gain.as_mut() });
                let (square, _) = self.solver.problem_mut(place);
                let form = square.submatrix_mut(0, 0, rank, rank);
                gram_lower(set, form, Accum::Replace, gain.as_ref());
                self.solver.reduce(place, rank, Ok(()));
                set.run(Mirror { matrix: gain, both: true });
            }
        }
    }

    fn solve_pencil(&mut self, count: usize, dimensions: &[usize]) {
        let (size, problems) = (self.size, self.problems.len());
        self.solver.diagonalize(problems, true);
        self.solver.batch.sort_descending();
        for place in 0..problems {
            self.pencil[place] = self.factored[place].and(self.solver.batch.outcome(place));
            if self.pencil[place].is_err() {
                continue;
            }
            for (i, to) in self.pencil_values[place * size..][..size].iter_mut().enumerate() {
                *to = self.solver.batch.value(place, i).max(0.0);
            }
            let columns = part(&mut self.columns[0], size, count);
            self.pencil[place] = self.solver.leading_vectors(place, columns);
            if self.pencil[place].is_ok() {
                self.probe(place, count, dimensions);
            }
        }
    }

    /// U, M and R of a problem whose P stands in the first of the columns, and what they explain.
    fn probe(&mut self, place: usize, count: usize, dimensions: &[usize]) {
        let (size, width, set) = (self.size, self.width, self.instruction_set);
        // Below the rank A is 0, so that U is P.
        let rank = self.deflations[place].rank();
        let roots = &self.roots[place * size..][..rank];
        let inverses = &self.inverses[place * size..][..rank];
        let [given, image] = &mut self.columns;
        let own = place.min(self.bases.len() - 1);
        let mut whole = part(&mut self.bases[own], size, count);
        whole.as_mut().subrows_mut(rank, size - rank).copy_from(given.as_ref().submatrix(
            rank,
            0,
            size - rank,
            count,
        ));
        let mut basis = whole.subrows_mut(0, rank);
        let (given, mut image) = (part(given, rank, count), part(image, rank, count));
        // s and t of `A U = s + t` and `U = P/L − s`: see `lanes::gain::Images`.
        let gain = self.gains[place].as_ref().submatrix(0, 0, rank, rank);
        basis.fill(0.0);
        image.fill(0.0);
        multiply_triangles(set, gain, given.as_ref(), [basis.as_mut(), image.as_mut()], &mut self.triangles);
        let (upper, lower) = (basis.as_mut(), image.as_mut());
        set.run(Images { given: given.as_ref(), roots, inverses, upper, lower });
        // Q is applied: the problem's square is free.
        let mut across = self.solver.problem_mut(place).0.submatrix_mut(0, 0, count, rank);
        set.run(Transpose { from: basis.as_ref(), to: across.as_mut() });
        let across = across.into_const();
        // Needed no more when the fallback is.
        let factor = &mut self.fallback.form;
        let (mut form, mut factor) = (part(&mut self.form, count, count), part(factor, count, count));
        let [right, scaled] = &mut self.probed;
        let (mut right, mut scaled) = (part(right, count, width), part(scaled, count, width));
        set.run(Product {
            to: form.as_mut(),
            accum: Accum::Replace,
            left: [across, across.subcols(0, 0)],
            right: Right::Matrix { right: image.as_ref(), sign: 1.0, lower: true },
            packing: &mut Packing::new(),
        });
        let labels = self.rights[place].as_ref().submatrix(0, 0, rank, width);
        product(set, right.as_mut(), Accum::Replace, across, labels);
        let scales = &mut self.scales[..count];
        for (j, scale) in scales.iter_mut().enumerate() {
            *scale = if form[(j, j)] > 0.0 { 1.0 / form[(j, j)].sqrt() } else { 0.0 };
        }
        for j in 0..count {
            for i in j..count {
                // One factor after the other: their product overflows where M is subnormal.
                factor[(i, j)] = form[(i, j)] * scales[j] * scales[i];
            }
            for c in 0..width {
                scaled[(j, c)] = right[(j, c)] * scales[j];
            }
        }
        let pivots = &mut self.pivots[..count];
        pivots.fill(0.0);
        // Where it stops, pivots are 0 from there on, and what needs them is found another way.
        let _: Result<(), Failure> = factor_shifted(set, factor.as_mut(), 0.0, 0.0, pivots);
        solve_lower_in_place(set, factor.as_ref(), scaled.as_mut());
        let powers = &mut self.probed_powers[..count];
        set.run(RowPowers { matrix: scaled.as_ref(), powers });
        let (form, right) = (form.as_ref(), right.as_ref());
        let of = Explained {
            size,
            width,
            entry: |i: usize, j: usize| form[(i.max(j), i.min(j))],
            right: |j: usize, c: usize| right[(j, c)],
            pivot: |j: usize| pivots[j],
            power: |j: usize| powers[j],
        };
        for (n, &k) in dimensions.iter().enumerate() {
            let sum = explained(set, &of, k, &mut self.fallback);
            self.explained[place * self.dimensions + n] = sum;
        }
        if self.wanted.vectors {
            self.deflations[place].expand(part(&mut self.bases[own], self.size, count), &mut self.pivots);
        }
    }

    pub(super) fn ridge_power(&self, place: usize) -> Result<f64, Failure> {
        self.factored[place]?;
        finite(&[self.ridge[place]])?;
        Ok(self.ridge[place])
    }

    pub(super) fn projected(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        self.eigen[place]?;
        let (values, powers) =
            (&self.values[place * self.size..][..self.size], &self.powers[place * self.size..][..self.size]);
        finite(values)?;
        finite(powers)?;
        Ok((values, powers))
    }

    pub(super) fn pencil(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        self.pencil[place]?;
        let values = &self.pencil_values[place * self.size..][..self.size];
        let explained = &self.explained[place * self.dimensions..][..self.dimensions];
        finite(values)?;
        finite(explained)?;
        Ok((values, explained))
    }

    pub(super) fn eigenvectors(&self, place: usize, vectors: MatMut<'_, f64>) {
        copy(&self.vectors[place], vectors);
    }

    pub(super) fn basis(&self, place: usize, vectors: MatMut<'_, f64>) {
        copy(&self.bases[place], vectors);
    }
}

fn copy(from: &Mat<f64>, mut to: MatMut<'_, f64>) {
    let (rows, columns) = (to.nrows(), to.ncols());
    to.as_mut().copy_from(from.as_ref().submatrix(0, 0, rows, columns));
}

/// Writes the lower triangle of `Σ^(−½) C Σ^(−½)` and `Σ^(−½) B`, with the roundings of
/// [`interleave`](crate::lanes::interleave), and Σ^½; of the features that stay, where others go.
struct Scale<'a> {
    matrix: MatRef<'a, f64>,
    right: MatRef<'a, f64>,
    sigma: &'a [f64],
    deflation: &'a mut Deflation,
    roots: &'a mut [f64],
    /// Workspace (d).
    inverses: &'a mut [f64],
    to: MatMut<'a, f64>,
    rows: MatMut<'a, f64>,
}

impl WithSimd for Scale<'_> {
    type Output = Result<(), Failure>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Self::Output {
        let Self { matrix, right, sigma, deflation, roots, inverses, mut to, mut rows } = self;
        deflation.of_problem([matrix, right], sigma, roots, inverses);
        if let Some(kept) = deflation.kept() {
            let mut zero = 0.0;
            for (b, &j) in kept.iter().enumerate() {
                let (to, from) = (column_mut(to.as_mut(), b), column(matrix, j));
                for (a, &i) in kept.iter().enumerate().skip(b) {
                    to[a] = from[i] * inverses[b] * inverses[a];
                    zero += to[a] * 0.0;
                }
            }
            for c in 0..rows.ncols() {
                let to = column_mut(rows.as_mut(), c);
                for (a, &i) in kept.iter().enumerate() {
                    to[a] = right[(i, c)] * inverses[a];
                    zero += to[a] * 0.0;
                }
                to[kept.len()..].fill(0.0);
            }
            return if zero.is_nan() { Err(Failure::NotFinite) } else { Ok(()) };
        }
        for ((root, inverse), sigma) in roots.iter_mut().zip(&mut *inverses).zip(sigma) {
            *root = sigma.sqrt();
            *inverse = 1.0 / *root;
        }
        // What is not finite is so times 0.
        let (mut zero, mut zero_rest) = (s.all(0.0), 0.0);
        for j in 0..inverses.len() {
            let own = inverses[j];
            let (to, to_rest) = S::as_mut_simd_f64s(&mut column_mut(to.as_mut(), j)[j..]);
            let (from, from_rest) = S::as_simd_f64s(&column(matrix, j)[j..]);
            let (by, by_rest) = S::as_simd_f64s(&inverses[j..]);
            for ((to, x), by) in to.iter_mut().zip(from).zip(by) {
                *to = s.mul(s.mul(*x, s.all(own)), *by);
                zero = s.mul_add(*to, s.all(0.0), zero);
            }
            for ((to, x), by) in to_rest.iter_mut().zip(from_rest).zip(by_rest) {
                *to = x * own * by;
                zero_rest += *to * 0.0;
            }
        }
        for c in 0..rows.ncols() {
            let to = column_mut(rows.as_mut(), c);
            for ((to, x), by) in to.iter_mut().zip(right.col(c).iter()).zip(&*inverses) {
                *to = x * by;
                zero_rest += *to * 0.0;
            }
        }
        let zero = lanes::<S>(zero).iter().fold(zero_rest, |sum, x| sum + x);
        if zero.is_nan() { Err(Failure::NotFinite) } else { Ok(()) }
    }
}

/// Sum of squares, column after column.
struct Power<'a> {
    matrix: MatRef<'a, f64>,
}

impl WithSimd for Power<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut sum = 0.0;
        for c in 0..self.matrix.ncols() {
            for x in column(self.matrix, c) {
                sum = x.mul_add(*x, sum);
            }
        }
        sum
    }
}

/// Sum of squares of each row, columns ascending.
struct RowPowers<'a> {
    matrix: MatRef<'a, f64>,
    powers: &'a mut [f64],
}

impl WithSimd for RowPowers<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { matrix, powers } = self;
        powers.fill(0.0);
        for c in 0..matrix.ncols() {
            for (power, x) in powers.iter_mut().zip(column(matrix, c)) {
                *power = x.mul_add(*x, *power);
            }
        }
    }
}

/// Takes `L⁻¹` to F, below the diagonal `−L⁻¹ Σ^½` and above it `Lᵀ Σ^½`, and finds 1/L's diagonal.
struct Gain<'a> {
    /// L, and `Lᵀ` above the diagonal.
    factor: MatRef<'a, f64>,
    roots: &'a [f64],
    pivots: &'a [f64],
    inverses: &'a mut [f64],
    gain: MatMut<'a, f64>,
}

impl WithSimd for Gain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { factor, roots, pivots, inverses, mut gain } = self;
        for (j, (&root, inverse)) in roots.iter().zip(inverses).enumerate() {
            let (own, from) = (column_mut(gain.as_mut(), j), column(factor, j));
            *inverse = 1.0 / from[j];
            for (to, x) in own[..j].iter_mut().zip(from) {
                *to = x * root;
            }
            own[j] = pivots[j] * *inverse * root;
            for x in &mut own[j + 1..] {
                *x *= -root;
            }
        }
    }
}

/// From what is above the diagonal of F, and on and below it, times P: U and A U in their places.
struct Images<'a> {
    given: MatRef<'a, f64>,
    roots: &'a [f64],
    inverses: &'a [f64],
    upper: MatMut<'a, f64>,
    lower: MatMut<'a, f64>,
}

impl WithSimd for Images<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { given, roots, inverses, mut upper, mut lower } = self;
        for c in 0..given.ncols() {
            let to = column_mut(upper.as_mut(), c).iter_mut().zip(column_mut(lower.as_mut(), c));
            let from = column(given, c).iter().zip(roots.iter().zip(inverses));
            for ((s, t), (p, (root, inverse))) in to.zip(from) {
                let scale = 1.0 / root;
                let (upper, lower) = (*s * scale, *t * scale);
                *s = p.mul_add(*inverse, -upper);
                *t = upper + lower;
            }
        }
    }
}

/// Adds to the first the product of what is above the diagonal of M with P, and to the second that
/// of what is on and below it.
fn multiply_triangles(
    set: InstructionSet,
    matrix: MatRef<'_, f64>,
    columns: MatRef<'_, f64>,
    [mut above, mut below]: [MatMut<'_, f64>; 2],
    triangles: &mut [Mat<f64>; 2],
) {
    let size = matrix.nrows();
    for first in (0..size).step_by(BLOCK) {
        let end = size.min(first + BLOCK);
        let count = end - first;
        let [upper, lower] = triangles.each_mut().map(|to| to.as_mut().submatrix_mut(0, 0, count, count));
        let (mut upper, mut lower) = (upper, lower);
        for j in 0..count {
            for i in 0..count {
                let x = matrix[(first + i, first + j)];
                (upper[(i, j)], lower[(i, j)]) = if i < j { (x, 0.0) } else { (0.0, x) };
            }
        }
        let of = columns.subrows(first, count);
        let strip = matrix.subcols(first, count);
        product(set, above.as_mut().subrows_mut(0, first), Accum::Add, strip.subrows(0, first), of);
        product(set, above.as_mut().subrows_mut(first, count), Accum::Add, upper.as_ref(), of);
        product(set, below.as_mut().subrows_mut(first, count), Accum::Add, lower.as_ref(), of);
        let rest = strip.subrows(end, size - end);
        product(set, below.as_mut().subrows_mut(end, size - end), Accum::Add, rest, of);
    }
}
