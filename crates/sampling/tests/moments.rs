//! The exact moment sampler: its factor, its exact moments, and its law against explicit noise.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{
    assert_moments, assert_same_law, assert_within, eigenvalues, estimate, largest, normals, stream,
};
use eigensweep_sampling::explicit::{BLOCK_ROWS, ExplicitNoise};
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::streams::Stream;
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemBuffer, MemStack};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use rand_distr::{Distribution, StandardNormal};

/// A clean sample A (n × w): signal components in very different units, then one-hot labels of
/// three classes.
fn clean_sample(samples: usize, signal: usize, rng: &mut Stream) -> Mat<f64> {
    let x = normals(samples, signal, rng);
    Mat::from_fn(samples, signal + 3, |i, j| match j.checked_sub(signal) {
        None => (x[(i, j)] + if i % 3 == 0 { 0.5 } else { 0.0 }) * [1e3, 10.0, 0.1, 1e-3][j % 4],
        Some(class) => f64::from(u8::from(i % 3 == class)),
    })
}

fn gram(rows: &Mat<f64>) -> Mat<f64> {
    rows.transpose() * rows
}

/// Scratch for the largest of these samples.
fn memory() -> MemBuffer {
    MemBuffer::new(MomentSampler::scratch(120, 360))
}

/// A sampler that is larger than it needs to be, conditioned on the lower triangle of `AᵀA` alone.
fn conditioned(clean: &Mat<f64>, samples: u64) -> MomentSampler {
    let width = clean.nrows();
    let lower = Mat::from_fn(width, width, |i, j| if i >= j { clean[(i, j)] } else { f64::NAN });
    let mut sampler = MomentSampler::new(InstructionSet::detect(), width + 2);
    sampler.condition_on(lower.as_ref(), samples, MemStack::new(&mut memory())).unwrap();
    sampler
}

/// One draw of (AᵀN, both triangles of NᵀN); what the sampler leaves alone is NaN.
fn draw(
    sampler: &mut MomentSampler,
    width: usize,
    components: usize,
    rng: &mut Stream,
) -> (Mat<f64>, Mat<f64>) {
    let mut cross = Mat::from_fn(width, components, |_, _| f64::NAN);
    let mut noise = Mat::from_fn(components, components, |_, _| f64::NAN);
    sampler.draw(cross.as_mut(), noise.as_mut(), rng, MemStack::new(&mut memory()));
    (cross, mirrored(&noise))
}

fn mirrored(lower: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(lower.nrows(), lower.nrows(), |i, j| lower[(i.max(j), i.min(j))])
}

/// The same by drawing N, block by block.
fn draw_explicit(
    explicit: &mut ExplicitNoise,
    clean: &Mat<f64>,
    components: usize,
    rng: &mut Stream,
) -> (Mat<f64>, Mat<f64>) {
    let mut cross = Mat::zeros(clean.ncols(), components);
    let mut noise = Mat::zeros(components, components);
    for start in (0..clean.nrows()).step_by(BLOCK_ROWS) {
        let some = BLOCK_ROWS.min(clean.nrows() - start);
        let rows = clean.as_ref().subrows(start, some).transpose().to_owned();
        explicit.add_rows(rows.as_ref(), cross.as_mut(), noise.as_mut(), rng);
    }
    (cross, mirrored(&noise))
}

/// L, found from the outside: with the documented order of draws Z is known, and `AᵀN = L Z`.
fn factor(sampler: &mut MomentSampler, width: usize) -> Mat<f64> {
    let (rank, components) = (sampler.rank(), 3 * width);
    let mut replay = stream(77);
    let z = Mat::from_fn(components, rank, |_, _| StandardNormal.sample(&mut replay));
    let (cross, _) = draw(sampler, width, components, &mut stream(77));
    let right: Mat<f64> = cross * &z;
    gram(&z).llt(Side::Lower).unwrap().solve(right.transpose()).transpose().to_owned()
}

#[test]
fn the_factor_reproduces_the_gram_matrix() {
    for (samples, signal) in
        [(1, 4), (2, 4), (6, 4), (7, 4), (8, 4), (100, 4), (5, 30), (33, 30), (60, 30), (500, 60)]
    {
        let a = clean_sample(samples, signal, &mut stream(1));
        let (clean, width) = (gram(&a), signal + 3);
        let mut sampler = conditioned(&clean, samples as u64);
        // No two of these columns are dependent but for want of samples (or of a member of a
        // class).
        assert_eq!(sampler.rank(), samples.min(width), "n = {samples}, w = {width}");
        let l = factor(&mut sampler, width);
        let product = &l * l.transpose();
        for i in 0..width {
            for j in 0..width {
                let unit = (clean[(i, i)] * clean[(j, j)]).sqrt();
                let error = (product[(i, j)] - clean[(i, j)]).abs();
                assert!(
                    error <= 1e-10 * unit,
                    "n = {samples}, w = {width}, ({i}, {j}): {error:e} of {unit:e}"
                );
            }
        }
    }
}

#[test]
fn dependent_columns_do_not_count() {
    // Noise-free linear labels: two targets in the span of three components.
    let x = normals(50, 3, &mut stream(2));
    let a = Mat::from_fn(50, 5, |i, j| match j {
        3 => 2.0 * x[(i, 0)] - x[(i, 2)],
        4 => 1e-4 * x[(i, 1)],
        _ => x[(i, j)],
    });
    assert_eq!(conditioned(&gram(&a), 50).rank(), 3);
    // Centred classes: the last label is minus the sum of the others.
    let classes = Mat::from_fn(60, 6, |i, j| match j {
        0..3 => x[(i % 50, j)],
        _ => f64::from(u8::from(i % 3 == j - 3)) - 1.0 / 3.0,
    });
    assert_eq!(conditioned(&gram(&classes), 60).rank(), 5);
    // A component that is zero in this sample, and a repeated one.
    let degenerate = Mat::from_fn(50, 4, |i, j| [x[(i, 0)], 0.0, x[(i, 1)], x[(i, 0)]][j]);
    assert_eq!(conditioned(&gram(&degenerate), 50).rank(), 2);
    // Nothing at all.
    let mut nothing = conditioned(&Mat::zeros(4, 4), 50);
    assert_eq!(nothing.rank(), 0);
    let (cross, noise) = draw(&mut nothing, 4, 3, &mut stream(1));
    assert!(largest(&cross) == 0.0);
    assert!(eigenvalues(&noise)[0] > 0.0);
}

#[test]
fn there_are_no_more_directions_than_rows() {
    // A Gram matrix that was summed carelessly: its null directions hold a hundred times what is
    // called rounding.
    let a = clean_sample(3, 4, &mut stream(9));
    let mut clean = gram(&a);
    for i in 0..7 {
        clean[(i, i)] *= 1.0 + 1e-10 * (1 + i) as f64;
    }
    let mut sampler = conditioned(&clean, 3);
    assert_eq!(sampler.rank(), 3);
    let (_, noise) = draw(&mut sampler, 7, 4, &mut stream(1));
    assert!(eigenvalues(&noise)[0] <= 1e-13, "three rows of noise have rank three");
}

#[test]
fn a_repeated_column_gets_the_same_noise() {
    let x = normals(50, 2, &mut stream(2));
    let a = Mat::from_fn(50, 3, |i, j| [x[(i, 0)], x[(i, 1)], -1e3 * x[(i, 0)]][j]);
    let mut sampler = conditioned(&gram(&a), 50);
    let (cross, _) = draw(&mut sampler, 3, 4, &mut stream(3));
    for c in 0..4 {
        let error = (cross[(2, c)] + 1e3 * cross[(0, c)]).abs();
        assert!(error <= 1e-9 * cross[(2, c)].abs(), "{error:e}");
    }
}

#[test]
fn the_joint_gram_matrix_is_semidefinite_of_the_right_rank() {
    for (samples, signal, components) in
        [(1, 3, 4), (4, 3, 4), (6, 3, 4), (7, 3, 4), (9, 3, 4), (10, 3, 4), (40, 3, 4)]
    {
        let a = clean_sample(samples, signal, &mut stream(4));
        let (clean, width) = (gram(&a), signal + 3);
        let mut sampler = conditioned(&clean, samples as u64);
        for seed in 0..20 {
            let (cross, noise) = draw(&mut sampler, width, components, &mut stream(1000 + seed));
            let values = eigenvalues(&equilibrated_joint(&clean, &cross, &noise));
            let found = values.iter().filter(|&&x| x > 1e-11).count();
            assert!(values[0] >= -1e-13, "{values:?}");
            assert_eq!(found, samples.min(width + components), "n = {samples}: {values:?}");
        }
    }
}

/// `[A N]ᵀ[A N]` scaled to unit diagonal.
fn equilibrated_joint(clean: &Mat<f64>, cross: &Mat<f64>, noise: &Mat<f64>) -> Mat<f64> {
    let (width, size) = (clean.nrows(), clean.nrows() + noise.nrows());
    let joint = Mat::from_fn(size, size, |i, j| match (i < width, j < width) {
        (true, true) => clean[(i, j)],
        (true, false) => cross[(i, j - width)],
        (false, true) => cross[(j, i - width)],
        (false, false) => noise[(i - width, j - width)],
    });
    let unit = |i: usize| if joint[(i, i)] > 0.0 { joint[(i, i)].sqrt() } else { 1.0 };
    Mat::from_fn(size, size, |i, j| joint[(i, j)] / (unit(i) * unit(j)))
}

/// `E AᵀN = 0`, `Cov = AᵀA ⊗ I`, `E NᵀN = n I`, `Var (NᵀN)ᵢⱼ = n (1 + δᵢⱼ)`; AᵀN and NᵀN are
/// uncorrelated. For n up to 10¹², where a clean Gram matrix stands for a sample that nobody could
/// draw.
///
/// 5σ a comparison, ≈ 100 comparisons a case, five cases: false once in 3500 by the normal
/// approximation.
#[test]
fn moments_are_exact() {
    const DRAWS: usize = 20_000;
    const P: usize = 3;
    for (case, samples) in [1_u64, 3, 5, 40, 1_000_000_000_000].into_iter().enumerate() {
        let rows = usize::try_from(samples).unwrap().min(40);
        let a = clean_sample(rows, 2, &mut stream(10 + case as u64));
        let n = samples as f64;
        // Beyond 40 rows, as if those were repeated.
        let clean = gram(&a) * faer::Scale(n / rows as f64);
        let mut sampler = conditioned(&clean, samples);
        let mut rng = stream(20 + case as u64);
        let draws: Vec<_> = (0..DRAWS).map(|_| draw(&mut sampler, 5, P, &mut rng)).collect();
        let cross = |i: usize, c: usize| -> Vec<f64> {
            draws.iter().map(|(cross, _)| cross[(i, c)] / clean[(i, i)].sqrt().max(1e-9)).collect()
        };
        let noise = |i: usize, j: usize| -> Vec<f64> {
            let mean = if i == j { n } else { 0.0 };
            draws.iter().map(|(_, noise)| (noise[(i, j)] - mean) / n.sqrt()).collect()
        };
        let assert_covariance = |what: &str, one: &[f64], other: &[f64], exact: f64| {
            let products: Vec<f64> = one.iter().zip(other).map(|(x, y)| x * y).collect();
            let found = estimate(&products);
            // Identically correlated columns have no spread beside rounding.
            assert_within(what, found.mean, exact, found.mean_error + 1e-12);
        };
        for i in 0..5 {
            // A class without a member has a zero column.
            if clean[(i, i)] <= 0.0 {
                assert!(cross(i, 0).iter().all(|&x| x == 0.0));
                continue;
            }
            assert_moments(&format!("AᵀN({i}, 1), n = {samples}"), &cross(i, 1), 0.0, 1.0);
            for j in (0..i).filter(|&j| clean[(j, j)] > 0.0) {
                let exact = clean[(i, j)] / (clean[(i, i)] * clean[(j, j)]).sqrt();
                let what = format!("AᵀN({i}, 1) AᵀN({j}, 1), n = {samples}");
                assert_covariance(&what, &cross(i, 1), &cross(j, 1), exact);
                let what = format!("AᵀN({i}, 1) AᵀN({j}, 2), n = {samples}");
                assert_covariance(&what, &cross(i, 1), &cross(j, 2), 0.0);
            }
            let what = format!("AᵀN({i}, 0) NᵀN(0, 0), n = {samples}");
            assert_covariance(&what, &cross(i, 0), &noise(0, 0), 0.0);
            // E (AᵀN)²ᵢ₀ (NᵀN − n)₀₀ = 2 (AᵀA)ᵢᵢ: the part of the noise that A sees is in both.
            let squares: Vec<f64> = cross(i, 0).iter().map(|x| x * x).collect();
            let what = format!("AᵀN({i}, 0)² NᵀN(0, 0), n = {samples}");
            assert_covariance(&what, &squares, &noise(0, 0), 2.0 / n.sqrt());
            let products: Vec<f64> = cross(i, 0).iter().zip(cross(i, 1)).map(|(x, y)| x * y).collect();
            let what = format!("AᵀN({i}, 0) AᵀN({i}, 1) NᵀN(1, 0), n = {samples}");
            assert_covariance(&what, &products, &noise(1, 0), 1.0 / n.sqrt());
        }
        for i in 0..P {
            for j in 0..=i {
                let variance = if i == j { 2.0 } else { 1.0 };
                assert_moments(&format!("NᵀN({i}, {j}), n = {samples}"), &noise(i, j), 0.0, variance);
            }
        }
    }
}

/// What a draw is reduced to for a two-sample test, joint functionals of both matrices among it.
const FUNCTIONALS: [&str; 11] = [
    "AᵀN first",
    "AᵀN last",
    "NᵀN diagonal",
    "NᵀN off-diagonal",
    "tr NᵀN",
    "‖AᵀN‖",
    "(AᵀN)² beside NᵀN",
    "largest eigenvalue",
    "smallest eigenvalue of full rank",
    "middle eigenvalue",
    "tr of the Schur complement",
];

fn functionals(
    clean: &Mat<f64>,
    (cross, noise): &(Mat<f64>, Mat<f64>),
    samples: usize,
    inverse: &Mat<f64>,
) -> [f64; 11] {
    let (width, components) = (clean.nrows(), noise.nrows());
    let unit = |i: usize| clean[(i, i)].sqrt().max(1e-9);
    let values = eigenvalues(&equilibrated_joint(clean, cross, noise));
    let size = values.len();
    let scaled: f64 =
        (0..width).map(|i| (0..components).map(|c| (cross[(i, c)] / unit(i)).powi(2)).sum::<f64>()).sum();
    let trace: f64 = (0..components).map(|i| noise[(i, i)]).sum();
    let explained: f64 = {
        let solved = inverse * cross;
        (0..components).map(|c| (0..width).map(|i| cross[(i, c)] * solved[(i, c)]).sum::<f64>()).sum()
    };
    // At n ≤ w the noise has nothing beyond what A sees, at n = 1 all is one number: rounding is
    // not to be compared.
    let rounded = |x: f64| (x * 1e8).round() / 1e8 + 0.0;
    [
        cross[(0, 0)],
        cross[(width - 1, components - 1)],
        noise[(0, 0)],
        noise[(1, 0)],
        trace,
        scaled.sqrt(),
        rounded((cross[(0, 0)] / unit(0)).powi(2) / noise[(0, 0)]),
        rounded(values[size - 1]),
        rounded(values[size - samples.min(size)]),
        rounded(values[size - samples.min(size).div_ceil(2)]),
        rounded(trace - explained),
    ]
}

/// Pseudo-inverse of an equilibrated clean Gram matrix, in the original units.
fn pseudo_inverse(clean: &Mat<f64>) -> Mat<f64> {
    let width = clean.nrows();
    let unit = |i: usize| if clean[(i, i)] > 0.0 { clean[(i, i)].sqrt() } else { 1.0 };
    let scaled = Mat::from_fn(width, width, |i, j| clean[(i, j)] / (unit(i) * unit(j)));
    let eigen = scaled.self_adjoint_eigen(Side::Lower).unwrap();
    let weight = |k: usize| if eigen.S()[k] > 1e-10 { 1.0 / eigen.S()[k] } else { 0.0 };
    let weighted = Mat::from_fn(width, width, |i, k| eigen.U()[(i, k)] * weight(k));
    let inverse = weighted * eigen.U().transpose();
    Mat::from_fn(width, width, |i, j| inverse[(i, j)] / (unit(i) * unit(j)))
}

/// n = 1, n < w, n = w, slightly above, between w and w + p, 20 w; p below and above w. Seven
/// cases, 11 functionals each.
#[test]
fn equals_explicit_noise_in_law() {
    for (case, (samples, components)) in
        [(1, 5), (4, 5), (7, 5), (8, 5), (10, 5), (140, 5), (10, 12)].into_iter().enumerate()
    {
        let a = clean_sample(samples, 4, &mut stream(40 + case as u64));
        let clean = gram(&a);
        let inverse = pseudo_inverse(&clean);
        let mut sampler = conditioned(&clean, samples as u64);
        let mut explicit = ExplicitNoise::new(InstructionSet::detect(), components);
        let (mut fast, mut slow) = (stream(50 + case as u64), stream(60 + case as u64));
        assert_same_law(
            &format!("n = {samples}, w = 7, p = {components}"),
            FUNCTIONALS,
            || functionals(&clean, &draw(&mut sampler, 7, components, &mut fast), samples, &inverse),
            || {
                let drawn = draw_explicit(&mut explicit, &a, components, &mut slow);
                functionals(&clean, &drawn, samples, &inverse)
            },
        );
    }
}

#[test]
fn explicit_noise_is_the_product_of_what_it_drew() {
    let a = clean_sample(150, 3, &mut stream(5));
    let (cross, noise) =
        draw_explicit(&mut ExplicitNoise::new(InstructionSet::detect(), 9), &a, 4, &mut stream(6));
    let mut replay = stream(6);
    let mut n = Mat::zeros(150, 4);
    for i in 0..150 {
        for c in 0..4 {
            n[(i, c)] = StandardNormal.sample(&mut replay);
        }
    }
    let difference = largest(&(cross - a.transpose() * &n)) / largest(&a);
    assert!(difference <= 1e-12, "{difference:e}");
    assert!(largest(&(noise - gram(&n))) <= 1e-11);
}

#[test]
fn conditioning_again_forgets_the_sample_before() {
    let (one, other) =
        (gram(&clean_sample(5, 4, &mut stream(1))), gram(&clean_sample(90, 3, &mut stream(2))));
    let mut sampler = MomentSampler::new(InstructionSet::detect(), 7);
    sampler.condition_on(one.as_ref(), 5, MemStack::new(&mut memory())).unwrap();
    sampler.condition_on(other.as_ref(), 90, MemStack::new(&mut memory())).unwrap();
    let mut fresh = MomentSampler::new(InstructionSet::detect(), 7);
    fresh.condition_on(other.as_ref(), 90, MemStack::new(&mut memory())).unwrap();
    let (again, first) = (draw(&mut sampler, 6, 4, &mut stream(3)), draw(&mut fresh, 6, 4, &mut stream(3)));
    assert_eq!(again, first);
}

#[test]
fn what_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (i, j) in [(0, 0), (3, 1), (6, 6)] {
            let mut clean = gram(&clean_sample(20, 4, &mut stream(1)));
            clean[(i, j)] = bad;
            let outcome = MomentSampler::new(InstructionSet::detect(), 7).condition_on(
                clean.as_ref(),
                20,
                MemStack::new(&mut memory()),
            );
            assert_eq!(outcome, Err(Failure::NotFinite), "{bad} at ({i}, {j})");
        }
    }
}

#[test]
fn a_negative_power_is_refused() {
    let clean = Mat::from_fn(2, 2, |i, j| if i == j { -1.0 } else { 0.0 });
    assert_eq!(
        MomentSampler::new(InstructionSet::detect(), 2).condition_on(
            clean.as_ref(),
            20,
            MemStack::new(&mut memory())
        ),
        Err(Failure::NotFinite)
    );
}

#[test]
#[should_panic(expected = "a clean sample")]
fn drawing_before_conditioning_panics() {
    let _ = draw(&mut MomentSampler::new(InstructionSet::detect(), 2), 0, 2, &mut stream(1));
}

#[test]
#[should_panic(expected = "a clean sample")]
fn drawing_after_a_failure_panics() {
    let clean = gram(&clean_sample(20, 4, &mut stream(1)));
    let mut sampler = conditioned(&clean, 20);
    assert!(
        sampler
            .condition_on(Mat::from_fn(7, 7, |_, _| f64::NAN).as_ref(), 20, MemStack::new(&mut memory()))
            .is_err()
    );
    let _ = draw(&mut sampler, 7, 2, &mut stream(1));
}

#[test]
#[should_panic(expected = "cross is w × p")]
fn a_cross_moment_of_another_shape_panics() {
    let clean = gram(&clean_sample(20, 4, &mut stream(1)));
    let _ = draw(&mut conditioned(&clean, 20), 6, 2, &mut stream(1));
}

#[test]
#[should_panic(expected = "in this workspace")]
fn a_gram_matrix_larger_than_the_workspace_panics() {
    let clean = gram(&clean_sample(20, 4, &mut stream(1)));
    let _ = MomentSampler::new(InstructionSet::detect(), 6).condition_on(
        clean.as_ref(),
        20,
        MemStack::new(&mut memory()),
    );
}

#[test]
#[should_panic(expected = "ncols")]
fn more_rows_than_a_block_panic() {
    let clean = Mat::zeros(2, BLOCK_ROWS + 1);
    let (mut cross, mut noise) = (Mat::zeros(2, 2), Mat::zeros(2, 2));
    ExplicitNoise::new(InstructionSet::detect(), 2).add_rows(
        clean.as_ref(),
        cross.as_mut(),
        noise.as_mut(),
        &mut stream(1),
    );
}
