//! Where the microseconds of a cell of Figure 3 go: the calls that its paradigms consist of, one by one, at d = 100, k = 50,
//! ℓ = 10, on the moments of one sample (n = 3200, λ_max^Γ = 10⁶, α = 1).
//!
//! The sequences follow `theory::additive` and `spectral`; numbers in the names are the order of the calls. QL is private to
//! `projected`: it is what `eigen_in_place` takes beyond its tridiagonalization and its reflectors.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use eigensweep_benches::problems::{Cell, LABELS, SplitMix};
use eigensweep_spectral::cholesky::{
    factor_in_place, factor_scratch, solve_in_place, solve_lower_in_place, solve_lower_transpose_in_place,
};
use eigensweep_spectral::leading::LeadingEigenvectors;
use eigensweep_spectral::projected::{eigen_in_place, eigen_scratch};
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::{MemBuffer, MemStack};
use eigensweep_theory::probing::Probe;
use faer::diag::{DiagMut, DiagRef};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::evd::{
    ComputeEigenvectors, SelfAdjointEvdParams, self_adjoint_evd_scratch, tridiagonal_self_adjoint_evd,
};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
    apply_block_householder_sequence_transpose_on_the_left_in_place_scratch as apply_transpose_scratch,
    apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj as apply_transpose,
};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::{Accum, Auto, Conj, Mat, MatMut, MatRef, Par, Spec};

const SIZE: usize = 100;
const DIMENSION: usize = 50;
/// As in `spectral`.
const BLOCK: usize = 16;
const DIVIDE_ABOVE: usize = 32;

/// `Σ^(−½) C̃ Σ^(−½)` and `Σ^(−½) B̃`.
fn scaled(cell: &Cell) -> (Mat<f64>, Mat<f64>) {
    let root: Vec<f64> = cell.sigma.iter().map(|x| x.sqrt()).collect();
    let a = Mat::from_fn(SIZE, SIZE, |i, j| cell.inputs[(i, j)] / (root[i] * root[j]));
    let b = Mat::from_fn(SIZE, LABELS, |i, c| cell.input_labels[(i, c)] / root[i]);
    (a, b)
}

/// Lower triangle of `left right`.
fn lower_product(to: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    triangular_matmul(to, lower, Accum::Replace, left, full, right, full, 1.0, Par::Seq);
}

fn params() -> Spec<SelfAdjointEvdParams, f64> {
    let mut params = <SelfAdjointEvdParams as Auto<f64>>::auto();
    params.recursion_threshold = DIVIDE_ABOVE;
    params.into()
}

/// A matrix and its tridiagonal form.
struct Tridiagonal {
    reflectors: Mat<f64>,
    factor: Mat<f64>,
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
}

fn tridiagonalize(matrix: &Mat<f64>, memory: &mut MemBuffer) -> Tridiagonal {
    let mut reflectors = matrix.clone();
    let mut factor = Mat::zeros(BLOCK, SIZE - 1);
    let stack = MemStack::new(memory);
    tridiag_in_place(reflectors.as_mut(), factor.as_mut(), Par::Seq, stack, Spec::default());
    let diagonal = (0..SIZE).map(|i| reflectors[(i, i)]).collect();
    let below = |i| if i + 1 < SIZE { reflectors[(i + 1, i)] } else { 0.0 };
    let off_diagonal = (0..SIZE).map(below).collect();
    Tridiagonal { reflectors, factor, diagonal, off_diagonal }
}

fn reconstruction(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reconstruction");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    let cell = Cell::new(SIZE, 1e6).expect("a sample of full rank");
    let (a, b) = scaled(&cell);
    let mut work = Mat::zeros(SIZE, SIZE);
    let mut memory = MemBuffer::new(factor_scratch(SIZE));
    let mut shifted = a.clone();
    (0..SIZE).for_each(|i| shifted[(i, i)] += 1.0);

    group.bench_function("00 copy of d x d", |b| b.iter(|| work.copy_from(black_box(&a))));
    group.bench_function("01 copy and cholesky of A + I", |b| {
        b.iter(|| {
            work.copy_from(black_box(&shifted));
            factor_in_place(work.as_mut(), MemStack::new(&mut memory))
        });
    });
    let factor = work.clone();
    let right_hand = Mat::from_fn(SIZE, SIZE, |i, j| a[(i, j)] * cell.sigma[j].sqrt());
    group.bench_function("02 copy and solve L F = A S^1/2, d columns", |b| {
        b.iter(|| {
            work.copy_from(black_box(&right_hand));
            solve_lower_in_place(factor.as_ref(), work.as_mut());
        });
    });
    let whitened = work.clone();
    let mut form = Mat::<f64>::zeros(SIZE, SIZE);
    group.bench_function("03 lower product F F'", |b| {
        b.iter(|| {
            lower_product(form.as_mut(), black_box(whitened.as_ref()), whitened.transpose());
        });
    });
    let mut values = vec![0.0; SIZE];
    let mut eigen = LeadingEigenvectors::new(SIZE);
    let mut leading = Mat::<f64>::zeros(SIZE, DIMENSION);
    group.bench_function("04 LeadingEigenvectors, k (05, QL, inverse iteration, 07)", |b| {
        b.iter(|| {
            eigen.decompose(black_box(form.as_ref()))?;
            eigen.leading(leading.as_mut()).map(|values| values[0])
        });
    });
    let mut memory = MemBuffer::new(tridiag_in_place_scratch::<f64>(SIZE, Par::Seq, Spec::default()));
    let mut triangle = Mat::zeros(BLOCK, SIZE - 1);
    group.bench_function("05 copy and tridiagonalization", |b| {
        b.iter(|| {
            work.copy_from(black_box(&form));
            let stack = MemStack::new(&mut memory);
            tridiag_in_place(work.as_mut(), triangle.as_mut(), Par::Seq, stack, Spec::default());
        });
    });
    let tridiagonal = tridiagonalize(&form, &mut memory);
    let compute = ComputeEigenvectors::Yes;
    let mut memory = MemBuffer::new(self_adjoint_evd_scratch::<f64>(SIZE, compute, Par::Seq, params()));
    let mut tridiagonal_vectors = Mat::<f64>::zeros(SIZE, SIZE);
    group.bench_function(
        "06 eigenvectors of T, all (divide and conquer, which the narrow route avoids)",
        |b| {
            b.iter(|| {
                tridiagonal_self_adjoint_evd(
                    DiagRef::from_slice(black_box(&tridiagonal.diagonal)),
                    DiagRef::from_slice(&tridiagonal.off_diagonal),
                    DiagMut::from_slice_mut(&mut values),
                    Some(tridiagonal_vectors.as_mut()),
                    Par::Seq,
                    MemStack::new(&mut memory),
                    params(),
                )
            });
        },
    );
    let mut memory = MemBuffer::new(apply_scratch::<f64>(SIZE, BLOCK, SIZE));
    group.bench_function("07 reflectors on k columns", |b| {
        b.iter(|| {
            apply(
                black_box(tridiagonal.reflectors.as_ref()).submatrix(1, 0, SIZE - 1, SIZE - 1),
                tridiagonal.factor.as_ref(),
                Conj::No,
                tridiagonal_vectors.as_mut().submatrix_mut(1, SIZE - DIMENSION, SIZE - 1, DIMENSION),
                Par::Seq,
                MemStack::new(&mut memory),
            );
        });
    });
    let mut basis = Mat::<f64>::zeros(SIZE, DIMENSION);
    group.bench_function("08 copy and solve L' U = P, k columns", |b| {
        b.iter(|| {
            basis.copy_from(black_box(&leading));
            solve_lower_transpose_in_place(factor.as_ref(), basis.as_mut());
        });
    });
    let mut product = Mat::<f64>::zeros(SIZE, DIMENSION);
    group.bench_function("09 product A U, k columns", |b| {
        b.iter(|| {
            let a = black_box(a.as_ref());
            matmul(product.as_mut(), Accum::Replace, a, basis.as_ref(), 1.0, Par::Seq);
        });
    });
    let mut probe = Mat::<f64>::zeros(DIMENSION, DIMENSION);
    group.bench_function("10 lower product U'(A U)", |b| {
        b.iter(|| lower_product(probe.as_mut(), black_box(basis.transpose()), product.as_ref()));
    });
    let mut right = Mat::<f64>::zeros(DIMENSION, LABELS);
    group.bench_function("11 product U'b", |bench| {
        bench.iter(|| {
            let left = black_box(basis.transpose());
            matmul(right.as_mut(), Accum::Replace, left, b.as_ref(), 1.0, Par::Seq);
        });
    });
    let (mut probe_copy, mut right_copy) = (probe.clone(), right.clone());
    let mut memory = MemBuffer::new(explained_power_scratch(DIMENSION));
    group.bench_function("12 copies and explained_power, k", |b| {
        b.iter(|| {
            probe_copy.copy_from_triangular_lower(black_box(probe.as_ref()));
            right_copy.copy_from(&right);
            let stack = MemStack::new(&mut memory);
            explained_power(probe_copy.as_mut(), right_copy.as_mut(), 0.0, stack)
        });
    });
}

fn joint_embedding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("joint-embedding");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    let cell = Cell::new(SIZE, 1e6).expect("a sample of full rank");
    let (a, b) = scaled(&cell);
    let labels: Vec<f64> = (0..SIZE * LABELS).map(|i| b[(i / LABELS, i % LABELS)]).collect();
    let (mut work, mut rows, mut values) = (Mat::zeros(SIZE, SIZE), labels.clone(), vec![0.0; SIZE]);
    let mut memory = MemBuffer::new(eigen_scratch(SIZE, LABELS));
    group.bench_function("1 copies and eigen_in_place (2 + 3 + QL)", |b| {
        b.iter(|| {
            work.copy_from(black_box(&a));
            rows.copy_from_slice(&labels);
            eigen_in_place(work.as_mut(), &mut values, &mut rows, MemStack::new(&mut memory))
        });
    });
    group.bench_function("1a the same without labels", |b| {
        b.iter(|| {
            work.copy_from(black_box(&a));
            eigen_in_place(work.as_mut(), &mut values, &mut [], MemStack::new(&mut memory))
        });
    });
    let mut memory = MemBuffer::new(tridiag_in_place_scratch::<f64>(SIZE, Par::Seq, Spec::default()));
    let mut triangle = Mat::zeros(BLOCK, SIZE - 1);
    group.bench_function("2 copy and tridiagonalization", |b| {
        b.iter(|| {
            work.copy_from(black_box(&a));
            let stack = MemStack::new(&mut memory);
            tridiag_in_place(work.as_mut(), triangle.as_mut(), Par::Seq, stack, Spec::default());
        });
    });
    let tridiagonal = tridiagonalize(&a, &mut memory);
    let mut memory = MemBuffer::new(apply_transpose_scratch::<f64>(SIZE, BLOCK, LABELS));
    group.bench_function("3 reflectors on l columns", |b| {
        b.iter(|| {
            apply_transpose(
                black_box(tridiagonal.reflectors.as_ref()).submatrix(1, 0, SIZE - 1, SIZE - 1),
                tridiagonal.factor.as_ref(),
                Conj::No,
                MatMut::from_row_major_slice_mut(&mut rows, SIZE, LABELS).subrows_mut(1, SIZE - 1),
                Par::Seq,
                MemStack::new(&mut memory),
            );
        });
    });
}

fn others(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("supervised and moments");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    let cell = Cell::new(SIZE, 1e6).expect("a sample of full rank");
    let (a, b) = scaled(&cell);
    let mut factor = a.clone();
    (0..SIZE).for_each(|i| factor[(i, i)] += 1.0);
    let mut memory = MemBuffer::new(factor_scratch(SIZE));
    factor_in_place(factor.as_mut(), MemStack::new(&mut memory)).expect("A + I is definite");
    let mut map = b.clone();
    group.bench_function("supervised: copy and two solves, l columns", |bench| {
        bench.iter(|| {
            map.copy_from(black_box(&b));
            solve_in_place(factor.as_ref(), map.as_mut());
        });
    });
    let noise_scale = cell.noise_scale();
    let (mut inputs, mut input_labels) = (cell.inputs.clone(), cell.input_labels.clone());
    group.bench_function("corrupted_moments", |b| {
        b.iter(|| {
            let scale = black_box(&noise_scale);
            cell.sums().corrupted_moments(scale, inputs.as_mut(), input_labels.as_mut());
        });
    });
    let signal = cell.signal.len();
    let mut probe = Probe::new(signal, LABELS);
    group.bench_function("clean least_squares_loss, 50 inputs", |b| {
        b.iter(|| {
            let inputs = black_box(cell.inputs.as_ref()).submatrix(0, 0, signal, signal);
            probe.least_squares_loss(inputs, cell.input_labels.as_ref().subrows(0, signal), cell.label_power)
        });
    });
    let mut uniform = SplitMix::new(5);
    let factor = uniform.matrix(60, 60);
    let draws = uniform.matrix(50, 110);
    let (mut cross, mut noise) = (Mat::<f64>::zeros(60, 50), Mat::<f64>::zeros(50, 50));
    group.bench_function("draw: product of 60 x 60 and 60 x 50", |b| {
        b.iter(|| {
            let z = draws.as_ref().subcols(0, 60).transpose();
            matmul(cross.as_mut(), Accum::Replace, black_box(factor.as_ref()), z, 1.0, Par::Seq);
        });
    });
    group.bench_function("draw: lower product of 50 x 110 with itself", |b| {
        b.iter(|| lower_product(noise.as_mut(), black_box(draws.as_ref()), draws.transpose()));
    });
}

criterion_group!(benches, reconstruction, joint_embedding, others);
criterion_main!(benches);
