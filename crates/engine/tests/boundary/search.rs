//! The search, with an oracle that knows all critical alignments.

use eigensweep_engine::boundary::select::{Aim, Oracle, Start, Traced, Verdict, ranks, trace};
use eigensweep_testkit::random::Random;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Critical log α by replicate: −∞ recovers always, +∞ never.
struct Known<F: FnMut(u32) -> f64> {
    of: F,
    /// Critical values so far.
    drawn: Vec<f64>,
    asked: u64,
}

impl<F: FnMut(u32) -> f64> Known<F> {
    fn new(of: F) -> Self {
        Self { of, drawn: Vec::new(), asked: 0 }
    }
}

impl<F: FnMut(u32) -> f64> Oracle for Known<F> {
    type Error = ();

    fn recover(&mut self, replicates: &[u32], log_alpha: f64) -> Result<Vec<bool>, ()> {
        self.asked += replicates.len() as u64;
        let most = replicates.iter().max().map_or(0, |most| *most + 1);
        while (self.drawn.len() as u32) < most {
            let next = (self.of)(self.drawn.len() as u32);
            self.drawn.push(next);
        }
        Ok(replicates.iter().map(|&one| self.drawn[one as usize] <= log_alpha).collect())
    }
}

const START: Start = Start { pivot: 0.3, step: 0.2, top: 7.0 };

fn aim(precision: f64) -> Aim {
    Aim { precision, confidence: 0.95, quantiles: vec![0.1, 0.9], replicates: 24..4096 }
}

fn traced<F: FnMut(u32) -> f64>(of: F, precision: f64) -> (Traced, Known<F>) {
    let mut oracle = Known::new(of);
    (trace(&mut oracle, &aim(precision), START).unwrap(), oracle)
}

/// `P(Bin(n, q) ≤ i)` from Pascal's triangle, for small n.
fn binomial(n: u32, q: f64) -> Vec<f64> {
    let mut row = vec![1.0];
    for _ in 0..n {
        let before = |i: usize| row.get(i).copied().unwrap_or(0.0);
        row = (0..=row.len())
            .map(|i| before(i) * (1.0 - q) + if i > 0 { before(i - 1) * q } else { 0.0 })
            .collect();
    }
    let mut sum = 0.0;
    row.iter()
        .map(|p| {
            sum += p;
            sum
        })
        .collect()
}

#[test]
fn ranks_are_those_of_the_shortest_interval_that_holds_the_quantile() {
    assert_eq!(ranks(5, 0.5, 0.95), None);
    assert_eq!(ranks(6, 0.5, 0.95), Some((1, 6)));
    assert_eq!(ranks(24, 0.5, 0.95), Some((7, 17)));
    for (n, q, confidence) in
        [(6, 0.5, 0.95), (24, 0.5, 0.95), (25, 0.5, 0.9), (60, 0.1, 0.95), (200, 0.9, 0.99)]
    {
        let at_most = binomial(n, q);
        let holds = |l: u32, u: u32| {
            let below = if l == 0 { 0.0 } else { at_most[l as usize - 1] };
            at_most[u as usize - 1] - below >= confidence - 1e-12
        };
        let (l, u) = ranks(n, q, confidence).unwrap();
        assert!(holds(l, u), "{n} {q}");
        for other in 1..=n - (u - l - 1) {
            assert!(!holds(other, other + (u - l - 1)), "{n} {q}: {other} is shorter than {l} to {u}");
        }
    }
}

/// The normal approximation, whose error is 1/√R of it: at the largest R no weight may underflow to
/// a wrong sum.
#[test]
fn ranks_of_thousands_are_near_those_of_a_normal_law() {
    for n in [1000_u32, 4096, 100_000] {
        for q in [0.5, 0.1] {
            let (l, u) = ranks(n, q, 0.95).unwrap();
            let spread = 2.0 * 1.959_964 * (f64::from(n) * q * (1.0 - q)).sqrt();
            assert!((f64::from(u - l) - spread).abs() < 2.0, "{n} {q}: {l} to {u}, {spread}");
        }
    }
}

/// Reconstruction's law at finite n, skewed (`α² ∝ 1/(1 + c|z|)`), and joint-embedding's.
#[derive(Clone, Copy)]
enum Law {
    Skewed(f64),
    Normal(f64),
}

impl Law {
    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Skewed(c) => -0.5 * (1.0 + c * random.normal().abs()).ln(),
            Self::Normal(s) => 0.5 * (1.0 + s * random.normal()).ln(),
        }
    }

    fn median(self) -> f64 {
        match self {
            Self::Skewed(c) => -0.5 * (1.0 + 0.674_489_75 * c).ln(),
            Self::Normal(_) => 0.0,
        }
    }
}

/// A small version of the study of coverage: where replicates are added, exact but for growth by
/// width (which may cost a per cent); elsewhere at least so much, as ends are rounded outwards.
#[test]
fn intervals_hold_the_median_as_often_as_they_say() {
    const TRIALS: u32 = 600;
    for (law, precision) in [
        (Law::Skewed(2.0), 0.05),
        (Law::Skewed(0.4), 0.02),
        (Law::Normal(0.1), 0.02),
        (Law::Normal(0.01), 0.02),
    ] {
        let (mut held, mut replicates, mut solves, mut grid) = (0, 0, 0, 0.0);
        for trial in 0..TRIALS {
            let mut random = Random(u64::from(trial) * 7919 + 5);
            let mut oracle = Known::new(|_| law.draw(&mut random));
            // The law of finite samples starts it near the median.
            let start = Start { pivot: law.median() + 0.03, step: 0.05, ..START };
            let found = trace(&mut oracle, &aim(precision), start).unwrap();
            assert_eq!((found.verdict, found.solves), (Verdict::Traced, oracle.asked));
            let [low, high] = found.interval;
            held += u32::from(low <= law.median() && law.median() < high);
            assert!(low <= found.median && found.median <= high);
            assert!((high - low) / 2.0 <= precision || found.replicates == 4096);
            replicates += found.replicates;
            solves += found.solves;
            grid += f64::from(found.replicates) * (1000.0_f64.ln() / precision).ceil();
        }
        let coverage = f64::from(held) / f64::from(TRIALS);
        let error = 3.0 * (0.95_f64 * 0.05 / f64::from(TRIALS)).sqrt();
        assert!(coverage > 0.94 - error, "{coverage}");
        let grown = replicates > 2 * 24 * TRIALS;
        assert!(!grown || coverage < 0.965 + error, "{coverage}");
        let saved = grid / solves as f64;
        println!(
            "coverage {coverage:.3}, {} replicates, {} solves, {saved:.0} times fewer",
            replicates / TRIALS,
            solves / u64::from(TRIALS)
        );
        assert!(saved > 30.0, "{saved}");
    }
}

#[test]
fn verdicts_are_those_of_the_median() {
    let share = |k: u32, value: f64| move |r: u32| if r % 10 < k { value } else { 0.01 * f64::from(r % 7) };
    let always = traced(share(9, f64::NEG_INFINITY), 0.02).0;
    assert_eq!((always.verdict, always.median.is_nan(), always.solves), (Verdict::Always, true, 48));
    let never = traced(share(9, f64::INFINITY), 0.02).0;
    assert_eq!((never.verdict, never.interval[0].is_nan()), (Verdict::Never, true));
    // Some never recover, and the median is there.
    let some = traced(share(2, f64::INFINITY), 0.02).0;
    assert_eq!(some.verdict, Verdict::Traced);
    assert!((0.0..0.06).contains(&some.median) && some.interval[1].is_finite());
    assert_eq!(some.quantiles[1], f64::INFINITY);
    // Half always recover: whatever is found, the interval begins at α = 0.
    let half = traced(share(5, f64::NEG_INFINITY), 0.02).0;
    assert_eq!((half.verdict, half.interval[0], half.replicates), (Verdict::Traced, f64::NEG_INFINITY, 4096));
}

#[test]
fn replicates_that_recover_far_from_the_start_are_found() {
    for at in [-17.0, -3.0, 6.9] {
        let (found, _) = traced(|r| at + 1e-3 * f64::from(r % 5), 0.02);
        assert!((found.median - at).abs() < 0.01, "{at}: {}", found.median);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(20), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the critical values are, what is found are their order statistics to the
    /// resolution.
    #[test]
    fn order_statistics_are_those_of_the_replicates(
        values in prop::collection::vec(prop_oneof![
            6 => -3.0_f64..3.0, 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY), 2 => Just(0.5)
        ], 64),
        precision in 0.01_f64..0.5,
    ) {
        let mut oracle = Known::new(|r| values[r as usize % values.len()]);
        let found = trace(&mut oracle, &Aim { replicates: 24..64, ..aim(precision) }, START).unwrap();
        prop_assert_eq!(found.solves, oracle.asked);
        let mut sorted: Vec<f64> = values[..found.replicates as usize].to_vec();
        sorted.sort_by(f64::total_cmp);
        let (l, u) = ranks(found.replicates, 0.5, 0.95).unwrap();
        let at = |rank: u32| sorted[rank as usize - 1];
        match found.verdict {
            Verdict::Always => prop_assert_eq!(at(u), f64::NEG_INFINITY),
            Verdict::Never => prop_assert_eq!(at(l), f64::INFINITY),
            Verdict::Traced => {
                let near = |found: f64, value: f64, by: f64| found == value || (found - value).abs() <= by;
                prop_assert!(found.interval[0] <= at(l) && at(u) <= found.interval[1]);
                prop_assert!(near(found.interval[0], at(l), 0.11 * precision), "{} {}", found.interval[0], at(l));
                prop_assert!(near(found.interval[1], at(u), 0.11 * precision), "{} {}", found.interval[1], at(u));
                for (q, log) in [(0.5, found.median), (0.1, found.quantiles[0]), (0.9, found.quantiles[1])] {
                    let rank = (q * f64::from(found.replicates)).ceil() as u32;
                    let by = if q == 0.5 { 0.06 } else { 0.51 };
                    prop_assert!(near(log, at(rank), by * precision), "{q}: {log} {}", at(rank));
                }
            }
        }
    }
}
