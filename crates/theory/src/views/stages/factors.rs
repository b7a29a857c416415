//! A random factor: one of a list, or uniform between two numbers.

use rand::{Rng, RngExt};

use super::{Bounds, Fault, Key, Spec, Takes, Unless};

/// The keys of a kind with a random factor.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "factors",
        takes: Takes::List(Bounds::NOT_NEGATIVE),
        unless: Unless::Absent("uniform from `low` to `high`"),
        help: "the factors, each as likely",
    },
    Key {
        name: "low",
        takes: Takes::Number(Bounds::NOT_NEGATIVE),
        unless: Unless::Absent("one of `factors`"),
        help: "the least factor",
    },
    Key {
        name: "high",
        takes: Takes::Number(Bounds::NOT_NEGATIVE),
        unless: Unless::Absent("one of `factors`"),
        help: "the greatest factor",
    },
];

/// How a factor is drawn.
#[derive(Debug)]
pub(super) enum Factors {
    /// One of these, each as likely.
    Listed(Vec<f64>),
    /// Uniform between these.
    Between(f64, f64),
}

impl Factors {
    /// The factors that are asked for.
    pub(super) fn of(spec: &Spec) -> Result<Self, Fault> {
        let given = |key: &str| spec.value(key).is_some();
        match (given("factors"), given("low"), given("high")) {
            (true, false, false) if spec.list("factors").is_empty() => {
                Err(Fault::new("factors", "`factors` is empty", "list at least one"))
            }
            (true, false, false) => Ok(Self::Listed(spec.list("factors").to_vec())),
            (true, _, _) => {
                let message = "`factors` are given, and `low` or `high` too";
                Err(Fault::new("factors", message, "give `factors`, or `low` and `high`"))
            }
            (false, true, true) => {
                let (low, high) = (spec.number("low"), spec.number("high"));
                if low > high {
                    let message = format!("`low` is {low}, above `high`, which is {high}");
                    return Err(Fault::new("low", message, "`low` is at most `high`"));
                }
                Ok(Self::Between(low, high))
            }
            (false, true, false) => Err(Fault::new("low", "`low` is given without `high`", "give both")),
            (false, false, true) => Err(Fault::new("high", "`high` is given without `low`", "give both")),
            (false, false, false) => {
                Err(Fault::new("", "there are no factors", "give `factors`, or `low` and `high`"))
            }
        }
    }

    /// `E t` and `E t²`.
    pub(super) fn moments(&self) -> [f64; 2] {
        match self {
            Self::Listed(factors) => {
                let count = factors.len() as f64;
                let power = |n: i32| factors.iter().map(|factor| factor.powi(n)).sum::<f64>() / count;
                [power(1), power(2)]
            }
            Self::Between(low, high) => {
                [f64::midpoint(*low, *high), (low * low + low * high + high * high) / 3.0]
            }
        }
    }

    /// The greatest.
    pub(super) fn greatest(&self) -> f64 {
        match self {
            Self::Listed(factors) => factors.iter().copied().fold(0.0, f64::max),
            Self::Between(_, high) => *high,
        }
    }

    /// The only one, if there is but one.
    pub(super) fn only(&self) -> Option<f64> {
        match self {
            Self::Listed(factors) => {
                factors.first().copied().filter(|first| factors.iter().all(|other| same(*other, *first)))
            }
            Self::Between(low, high) => same(*low, *high).then_some(*low),
        }
    }

    /// All of them, of a list.
    pub(super) fn listed(&self) -> &[f64] {
        match self {
            Self::Listed(factors) => factors,
            Self::Between(..) => &[],
        }
    }

    /// One of them.
    pub(super) fn draw(&self, rng: &mut dyn Rng) -> f64 {
        match self {
            Self::Listed(factors) => factors[rng.random_range(0..factors.len())],
            Self::Between(low, high) => low + (high - low) * rng.random::<f64>(),
        }
    }
}

/// Whether two factors are one.
fn same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}
