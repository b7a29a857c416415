//! Two-sample Kolmogorov–Smirnov tests, of [`REPLICATES`] draws each.

/// Replicates of each sampler in a test.
pub const REPLICATES: usize = 4000;

/// Tests that one test program may make together; counted generously.
const TESTS: f64 = 1000.0;

/// The distance of two samples of [`REPLICATES`] that one law exceeds with probability at most 1e-6
/// over a thousand tests together, whatever the law, ties included: `P(D ≥ c) ≤ 2 exp(−n c²)` for
/// equal sizes n ≥ 458 (Wei and Dudley, 2012, *Two-sample Dvoretzky–Kiefer–Wolfowitz
/// inequalities*). It is 0.073.
#[must_use]
pub fn critical_distance() -> f64 {
    ((2.0 * TESTS / 1e-6).ln() / REPLICATES as f64).sqrt()
}

/// The largest distance of two empirical distribution functions; ties are passed together. Sorts
/// both.
pub fn distance(a: &mut [f64], b: &mut [f64]) -> f64 {
    assert!(a.iter().chain(b.iter()).all(|x| x.is_finite()));
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        while i < a.len() && a[i] <= x {
            i += 1;
        }
        while j < b.len() && b[j] <= x {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}
