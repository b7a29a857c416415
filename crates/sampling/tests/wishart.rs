//! Wishart roots: entries, traces and determinants against their exact laws.

mod common;

use common::{assert_moments, assert_same_law, assert_within, eigenvalues, estimate, normals, stream};
use eigensweep_sampling::wishart::{root, root_columns};
use faer::Mat;

fn draw(size: usize, degrees_of_freedom: u64, rng: &mut eigensweep_sampling::streams::Stream) -> Mat<f64> {
    // NaN, so that an entry that is left alone shows.
    let mut r = Mat::from_fn(size, root_columns(size, degrees_of_freedom), |_, _| f64::NAN);
    root(r.as_mut(), degrees_of_freedom, rng);
    &r * r.transpose()
}

#[test]
fn a_root_has_the_rank_of_its_matrix() {
    assert_eq!(root_columns(5, 0), 0);
    assert_eq!(root_columns(5, 3), 3);
    assert_eq!(root_columns(5, 5), 5);
    assert_eq!(root_columns(5, u64::MAX), 5);
    assert_eq!(root_columns(0, 3), 0);
}

/// `E H = m I`, `Var Hᵢⱼ = m (1 + δᵢⱼ)`, and no two entries are correlated; m < p, m = p, m > p,
/// and up to 10¹².
///
/// 5σ a comparison: 7 cases × (2·10 + 45) comparisons, false once in 3700 by the normal
/// approximation.
#[test]
fn entries_have_exact_moments() {
    const SIZE: usize = 4;
    const DRAWS: usize = 20_000;
    let pairs: Vec<(usize, usize)> = (0..SIZE).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    for (case, m) in [1, 3, 4, 5, 60, 1_000_000, 1_000_000_000_000].into_iter().enumerate() {
        let mut rng = stream(100 + case as u64);
        let draws: Vec<Mat<f64>> = (0..DRAWS).map(|_| draw(SIZE, m, &mut rng)).collect();
        let dof = m as f64;
        // In units of √m around the mean: at 10¹² the squares would lose their digits otherwise.
        let entry = |(i, j): (usize, usize)| -> Vec<f64> {
            let mean = if i == j { dof } else { 0.0 };
            draws.iter().map(|h| (h[(i, j)] - mean) / dof.sqrt()).collect()
        };
        for (at, &a) in pairs.iter().enumerate() {
            let variance = if a.0 == a.1 { 2.0 } else { 1.0 };
            assert_moments(&format!("H{a:?}, m = {m}"), &entry(a), 0.0, variance);
            for &b in &pairs[..at] {
                let products: Vec<f64> = entry(a).iter().zip(entry(b)).map(|(x, y)| x * y).collect();
                let found = estimate(&products);
                let what = format!("covariance of H{a:?} and H{b:?}, m = {m}");
                assert_within(&what, found.mean, 0.0, found.mean_error);
            }
        }
    }
}

/// The trace is χ² with pm degrees of freedom: mean pm, variance 2pm, third central moment 8pm.
#[test]
fn the_trace_is_chi_squared() {
    for (case, (size, m)) in
        [(1, 1), (1, 7), (5, 1), (5, 4), (5, 5), (5, 6), (30, 40), (3, 1_000_000_000)].into_iter().enumerate()
    {
        let mut rng = stream(200 + case as u64);
        let dof = size as f64 * m as f64;
        let deviations: Vec<f64> = (0..20_000)
            .map(|_| {
                let h = draw(size, m, &mut rng);
                ((0..size).map(|i| h[(i, i)]).sum::<f64>() - dof) / (2.0 * dof).sqrt()
            })
            .collect();
        assert_moments(&format!("trace, p = {size}, m = {m}"), &deviations, 0.0, 1.0);
        let cubes: Vec<f64> = deviations.iter().map(|x| x.powi(3)).collect();
        let found = estimate(&cubes);
        let skewness = (8.0 / dof).sqrt();
        assert_within(&format!("skewness, p = {size}, m = {m}"), found.mean, skewness, found.mean_error);
    }
}

/// `det H` is a product of independent χ² with m, m − 1, …: `E det H = m! / (m − p)!`, which
/// Bartlett's diagonal alone decides.
#[test]
fn the_determinant_has_its_exact_mean() {
    for (case, m) in [3_u64, 4, 10].into_iter().enumerate() {
        let mut rng = stream(300 + case as u64);
        let dets: Vec<f64> =
            (0..40_000).map(|_| eigenvalues(&draw(3, m, &mut rng)).iter().product()).collect();
        let found = estimate(&dets);
        let exact = (m * (m - 1) * (m - 2)) as f64;
        assert_within(&format!("E det H, m = {m}"), found.mean, exact, found.mean_error);
    }
}

/// Against products of explicit normals, on both sides of m = p.
#[test]
fn equals_the_product_of_normals_in_law() {
    for (case, m) in [2_usize, 4, 5, 6, 40].into_iter().enumerate() {
        let functionals = |h: Mat<f64>| {
            let values = eigenvalues(&h);
            let rank = m.min(5);
            [h[(0, 0)], h[(4, 4)], h[(3, 1)], h[(0, 0)] * h[(4, 4)], values[4], values[5 - rank]]
        };
        let (mut fast, mut slow) = (stream(400 + case as u64), stream(450 + case as u64));
        assert_same_law(
            &format!("p = 5, m = {m}"),
            ["H₀₀", "H₄₄", "H₃₁", "H₀₀ H₄₄", "largest", "smallest of full rank"],
            || functionals(draw(5, m as u64, &mut fast)),
            || {
                let j = normals(m, 5, &mut slow);
                functionals(j.transpose() * &j)
            },
        );
    }
}

#[test]
#[should_panic(expected = "min(p, m)")]
fn a_root_of_another_shape_panics() {
    root(Mat::zeros(3, 3).as_mut(), 2, &mut stream(1));
}
