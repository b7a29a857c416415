//! Microseconds per call of the dense kernels and of the paradigms, by size d.
//!
//! Every call that destroys its matrix is given a copy within the measurement; `copy` says what that costs.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use eigensweep_benches::problems::{Cell, LABELS, SIZES, SplitMix, gram_like};
use eigensweep_spectral::cholesky::{factor_in_place, factor_scratch};
use eigensweep_spectral::leading::LeadingEigenvectors;
use eigensweep_spectral::projected::{eigen_in_place, eigen_scratch};
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::singular::{singular_values, singular_values_scratch};
use eigensweep_spectral::symmetric::{eigenvectors, eigenvectors_scratch};
use eigensweep_spectral::{MemBuffer, MemStack};
use eigensweep_theory::Representation;
use eigensweep_theory::additive::AdditiveSolver;
use faer::diag::DiagMut;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par, Spec};

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group
}

fn copy(criterion: &mut Criterion) {
    let mut group = group(criterion, "copy");
    for size in SIZES {
        let (matrix, mut work) = (gram_like(size, 1), Mat::zeros(size, size));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| work.copy_from(black_box(&matrix)));
        });
    }
}

fn projected(criterion: &mut Criterion) {
    let mut group = group(criterion, "projected::eigen_in_place, l = 10");
    for size in SIZES {
        let (matrix, mut work) = (gram_like(size, 1), Mat::zeros(size, size));
        let labels: Vec<f64> = {
            let mut uniform = SplitMix::new(2);
            (0..size * LABELS).map(|_| uniform.uniform()).collect()
        };
        let (mut rows, mut values) = (labels.clone(), vec![0.0; size]);
        let mut memory = MemBuffer::new(eigen_scratch(size, LABELS));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                work.copy_from(black_box(&matrix));
                rows.copy_from_slice(&labels);
                eigen_in_place(work.as_mut(), &mut values, &mut rows, MemStack::new(&mut memory))
            });
        });
    }
}

fn eigenvectors_of_one(criterion: &mut Criterion) {
    let mut group = group(criterion, "symmetric::eigenvectors");
    for size in SIZES {
        let (matrix, mut work) = (gram_like(size, 1), Mat::zeros(size, size));
        let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
        let mut memory = MemBuffer::new(eigenvectors_scratch(size));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                work.copy_from(black_box(&matrix));
                eigenvectors(work.as_mut(), &mut values, vectors.as_mut(), MemStack::new(&mut memory))
            });
        });
    }
}

fn leading(criterion: &mut Criterion) {
    let mut group = group(criterion, "leading::LeadingEigenvectors");
    for size in SIZES {
        let (matrix, mut eigen) = (gram_like(size, 1), LeadingEigenvectors::new(size));
        for (name, count) in [("k = d/2", size / 2), ("k = d", size)] {
            let mut vectors = Mat::zeros(size, count);
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| {
                    eigen.decompose(black_box(matrix.as_ref()))?;
                    eigen.leading(vectors.as_mut()).map(|values| values[0])
                });
            });
        }
    }
}

fn faer_full(criterion: &mut Criterion) {
    let mut group = group(criterion, "faer self_adjoint_evd, all vectors");
    for size in SIZES {
        let matrix = gram_like(size, 1);
        let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
        let compute = ComputeEigenvectors::Yes;
        let mut memory =
            MemBuffer::new(self_adjoint_evd_scratch::<f64>(size, compute, Par::Seq, Spec::default()));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                self_adjoint_evd(
                    black_box(matrix.as_ref()),
                    DiagMut::from_slice_mut(&mut values),
                    Some(vectors.as_mut()),
                    Par::Seq,
                    MemStack::new(&mut memory),
                    Spec::default(),
                )
            });
        });
    }
}

fn cholesky(criterion: &mut Criterion) {
    let mut group = group(criterion, "cholesky::factor_in_place");
    for size in SIZES {
        let (matrix, mut work) = (gram_like(size, 1), Mat::zeros(size, size));
        let mut memory = MemBuffer::new(factor_scratch(size));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                work.copy_from(black_box(&matrix));
                factor_in_place(work.as_mut(), MemStack::new(&mut memory))
            });
        });
    }
}

fn explained(criterion: &mut Criterion) {
    let mut group = group(criterion, "semidefinite::explained_power, k = d/2, l = 10");
    for size in SIZES {
        let dimension = size / 2;
        let matrix = gram_like(dimension, 1);
        let labels = SplitMix::new(2).matrix(dimension, LABELS);
        let (mut work, mut right) = (matrix.clone(), labels.clone());
        let mut memory = MemBuffer::new(explained_power_scratch(dimension));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                work.copy_from(black_box(&matrix));
                right.copy_from(&labels);
                explained_power(work.as_mut(), right.as_mut(), 0.0, MemStack::new(&mut memory))
            });
        });
    }
}

fn singular(criterion: &mut Criterion) {
    let mut group = group(criterion, "singular::singular_values, both sides");
    for size in SIZES {
        let matrix = SplitMix::new(1).matrix(size, size);
        let mut values = vec![0.0; size];
        let (mut left, mut right) = (Mat::zeros(size, size), Mat::zeros(size, size));
        let mut memory = MemBuffer::new(singular_values_scratch(size));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                let stack = MemStack::new(&mut memory);
                let matrix = black_box(matrix.as_ref());
                singular_values(matrix, &mut values, left.as_mut(), right.as_mut(), stack)
            });
        });
    }
}

/// Each method for a newly prepared problem: `prepare` is measured alone, too. Reconstruction and supervised factor
/// A + I, which they share within one problem.
fn paradigms(criterion: &mut Criterion) {
    let mut group = group(criterion, "theory::additive, k = d/2");
    for size in SIZES {
        let cell = Cell::new(size, 1e6).expect("a sample of full rank");
        let problem = cell.problem();
        let mut solver = AdditiveSolver::new(size, size - size / 2, LABELS);
        let mut out = [Representation { loss: 0.0, leakage: None, gap: None }];
        let dimensions = [size / 2];
        group.bench_function(BenchmarkId::new("prepare", size), |b| {
            b.iter(|| solver.prepare(black_box(&problem)));
        });
        group.bench_function(BenchmarkId::new("supervised", size), |b| {
            b.iter(|| {
                solver.prepare(black_box(&problem))?;
                solver.supervised(&problem)
            });
        });
        for (suffix, population) in [("", None), (", leakage", Some(cell.population()))] {
            group.bench_function(BenchmarkId::new(format!("joint-embedding{suffix}"), size), |b| {
                b.iter(|| {
                    solver.prepare(black_box(&problem))?;
                    solver.joint_embedding(&problem, &dimensions, population, &mut out)
                });
            });
            group.bench_function(BenchmarkId::new(format!("reconstruction{suffix}"), size), |b| {
                b.iter(|| {
                    solver.prepare(black_box(&problem))?;
                    solver.reconstruction(&problem, &dimensions, population, &mut out)
                });
            });
        }
    }
}

criterion_group!(
    benches,
    copy,
    projected,
    eigenvectors_of_one,
    leading,
    faer_full,
    cholesky,
    explained,
    singular,
    paradigms
);
criterion_main!(benches);
