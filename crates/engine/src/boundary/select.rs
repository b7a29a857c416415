//! Order statistics of critical alignments that nobody has computed: quickselect with an oracle.
//!
//! The draws of replicate r do not depend on α, so it has a critical alignment `αᵣ`, above which it
//! recovers. `N(α)`, the number of replicates that recover at α, is binomial at any α, with success
//! probability q at the quantile `α_q`; so `[α_(l), α_(u))` holds `α_q` with the probability that
//! `l ≤ Bin(R, q) ≤ u − 1`, whatever the distribution of the `αᵣ` is ([`ranks`]). Where a replicate
//! recovers at some α and not at all larger ones, `αᵣ` is one of the places where it begins to.
//!
//! A replicate is solved at a pivot only where its own bracket does not tell whether it recovers
//! there, and each pivot serves every order statistic (`Select`). How many replicates there are
//! depends on the width of the interval and never on where it is ([`trace`]).

use std::ops::Range;

/// How closely the median and the ends of its interval are bracketed, over the precision.
const FINE: f64 = 0.1;

/// How closely the ends are bracketed, over the precision, to see whether replicates are to be
/// added.
const COARSE: f64 = 0.5;

/// Decides which replicates recover at a log α, −∞ for α = 0: for each of the given numbers, in
/// their order, whether it does.
pub trait Oracle {
    /// Why there is no answer.
    type Error;

    /// Whether each of these replicates recovers at log α.
    ///
    /// # Errors
    ///
    /// Any error ends the search.
    fn recover(&mut self, replicates: &[u32], log_alpha: f64) -> Result<Vec<bool>, Self::Error>;
}

/// What is searched for, and how closely.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// Half width of the interval of log α at which no replicate is added.
    pub precision: f64,
    /// Least probability that the interval holds α*.
    pub confidence: f64,
    /// Further quantiles, each in (0, 1).
    pub quantiles: Vec<f64>,
    /// Replicates at first and at most.
    pub replicates: Range<u32>,
}

/// Where a search begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// log α of the first pivot.
    pub pivot: f64,
    /// How far the second is from it; each further one is twice as far.
    pub step: f64,
    /// The largest log α; who does not recover there never does.
    pub top: f64,
}

impl Start {
    /// Below `top` by so much, α is as good as zero: 10⁻¹¹ of the largest.
    const DEPTH: f64 = 25.0;
}

/// Whether there is a critical alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is.
    Traced,
    /// So many recover at α = 0 that α* is zero.
    Always,
    /// So few recover at the largest α that there is none.
    Never,
}

/// What was found. Alignments are logarithms, −∞ where α = 0 and +∞ where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Whether there is a critical alignment; if not, it and the quantiles are NaN.
    pub verdict: Verdict,
    /// The median.
    pub median: f64,
    /// Its interval, rounded outwards to a tenth of the precision.
    pub interval: [f64; 2],
    /// The further quantiles, bracketed within the precision.
    pub quantiles: Vec<f64>,
    /// Replicates.
    pub replicates: u32,
    /// Problems solved: pairs of a replicate and an α.
    pub solves: u64,
}

/// The 1-based ranks (l, u) of the shortest interval of order statistics of R values that holds
/// their quantile q with a probability of at least `confidence`: `P(l ≤ Bin(R, q) ≤ u − 1)`. Of
/// several the one closest to the middle; `None` where R is too small.
#[must_use]
pub fn ranks(replicates: u32, q: f64, confidence: f64) -> Option<(u32, u32)> {
    let below = distribution(replicates, q);
    let most = replicates as usize;
    let mut best: Option<((usize, usize), (usize, usize))> = None;
    let mut u = 1;
    for l in 1..=most {
        u = u.max(l);
        // P(Bin ≤ u − 1) − P(Bin ≤ l − 1); sums of 10⁻¹⁶ each.
        while u <= most && below[u] - below[l] < confidence - 1e-12 {
            u += 1;
        }
        if u > most {
            break;
        }
        let found = (u - l, (u + l).abs_diff(most + 1));
        if best.is_none_or(|(least, _)| found < least) {
            best = Some((found, (l, u)));
        }
    }
    let rank = |rank: usize| u32::try_from(rank).ok();
    let (_, (l, u)) = best?;
    Some((rank(l)?, rank(u)?))
}

/// `P(Bin(n, q) < i)` for i = 0 … n + 1: weights by their ratios outwards from the mode, where they
/// are largest, so that none overflows and what underflows does not matter.
fn distribution(n: u32, q: f64) -> Vec<f64> {
    let trials = f64::from(n);
    let odds = q / (1.0 - q);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to n")]
    let mode = (((trials + 1.0) * q).floor().min(trials)) as usize;
    let mut weights = vec![0.0; n as usize + 1];
    weights[mode] = 1.0;
    for i in mode + 1..weights.len() {
        weights[i] = weights[i - 1] * odds * (trials - i as f64 + 1.0) / i as f64;
    }
    for i in (0..mode).rev() {
        weights[i] = weights[i + 1] * (i as f64 + 1.0) / (odds * (trials - i as f64));
    }
    let total: f64 = weights.iter().sum();
    let mut below = vec![0.0];
    let mut sum = 0.0;
    for weight in weights {
        sum += weight;
        below.push(sum / total);
    }
    below
}

/// The standard normal quantile to 4.5 · 10⁻⁴ (Abramowitz and Stegun, 26.2.23): it places pivots.
fn probit(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let t = (-2.0 * libm::log(tail)).sqrt();
    let above = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    if p < 0.5 { -above } else { above }
}

/// Order statistics of the critical log α of replicates.
///
/// Each replicate keeps a bracket: it does not recover at its lower end, and does at its upper end.
struct Select<'o, O> {
    oracle: &'o mut O,
    start: Start,
    low: Vec<f64>,
    high: Vec<f64>,
    /// Pivots in ascending order, with how many recover there.
    counts: Vec<(f64, usize)>,
    solves: u64,
}

impl<O: Oracle> Select<'_, O> {
    /// Has so many replicates; pivots are counted anew from `start` on.
    fn grow(&mut self, replicates: u32, start: Start) {
        self.low.resize(replicates as usize, f64::NEG_INFINITY);
        self.high.resize(replicates as usize, f64::INFINITY);
        self.start = start;
        self.counts.clear();
    }

    /// How many recover at a log α; solves for those that are not known to or not to.
    fn count(&mut self, at: f64) -> Result<usize, O::Error> {
        if let Some((_, count)) = self.counts.iter().find(|(pivot, _)| pivot.total_cmp(&at).is_eq()) {
            return Ok(*count);
        }
        // Who does not recover at some α does not at α = 0 either, and is not asked there.
        let from = if at.is_finite() { at } else { f64::MIN };
        let open = |(low, high): (&f64, &f64)| *low < from && *high > at;
        let brackets = self.low.iter().zip(&self.high);
        let asked: Vec<u32> =
            (0..).zip(brackets).filter(|(_, bracket)| open(*bracket)).map(|(r, _)| r).collect();
        if !asked.is_empty() {
            let recover = self.oracle.recover(&asked, at)?;
            self.solves += asked.len() as u64;
            for (&replicate, recovers) in asked.iter().zip(recover) {
                let bracket = if recovers { &mut self.high } else { &mut self.low };
                bracket[replicate as usize] = if recovers { at } else { from };
            }
        }
        let count = self.high.iter().filter(|high| **high <= at).count();
        let place = self.counts.partition_point(|(pivot, _)| *pivot < at);
        self.counts.insert(place, (at, count));
        Ok(count)
    }

    /// A bracket, at most so wide, of the critical log α of this rank, from 1: −∞ twice where it
    /// recovers at α = 0, +∞ twice where it does not at the largest α.
    ///
    /// α = 0 is asked only where the search goes down twice and still so many recover: most
    /// searches never do.
    fn order(&mut self, rank: u32, resolution: f64) -> Result<[f64; 2], O::Error> {
        let (rank, bottom) = (rank as usize, self.start.top - Start::DEPTH);
        if !self.counts.iter().any(|(pivot, _)| pivot.is_finite()) {
            self.count(self.start.pivot.clamp(bottom, self.start.top))?;
        }
        let (mut step, mut stalled, mut descents) = (self.start.step, 0, 0);
        loop {
            let split = self.counts.partition_point(|(_, count)| *count < rank);
            let below = split.checked_sub(1).map(|at| self.counts[at]).filter(|(pivot, _)| pivot.is_finite());
            let above = self.counts.get(split).copied();
            match (below, above) {
                (Some((low, _)), Some((high, _))) if high - low <= resolution => return Ok([low, high]),
                (Some((low, fewer)), Some((high, more))) => {
                    let [from, to] = [fewer, more].map(|count| self.score(count));
                    let within = if stalled > 1 || to <= from {
                        0.5
                    } else {
                        ((self.wanted(rank) - from) / (to - from)).clamp(0.05, 0.95)
                    };
                    // A little to the side of the farther end, so that two good guesses are a
                    // bracket.
                    let edge = 0.5 * resolution;
                    let guess = low + within * (high - low);
                    let guess = if within < 0.5 { guess + 0.9 * edge } else { guess - 0.9 * edge };
                    let pivot = guess.max(low + edge).min(high - edge);
                    let after = if self.count(pivot)? >= rank { pivot - low } else { high - pivot };
                    stalled = if after > 0.6 * (high - low) { stalled + 1 } else { 0 };
                }
                (Some((low, _)), None) if low >= self.start.top => return Ok([f64::INFINITY; 2]),
                (None, Some((f64::NEG_INFINITY, _))) => return Ok([f64::NEG_INFINITY; 2]),
                (None, Some((high, _))) if high <= bottom => return Ok([f64::NEG_INFINITY, bottom]),
                (None, Some((_, count)))
                    if self.counts[0].0.is_finite() && (descents > 0 || count == self.low.len()) =>
                {
                    self.count(f64::NEG_INFINITY)?;
                }
                (Some((end, count)), None) | (None, Some((end, count))) => {
                    let apart = self.apart(rank, count, step);
                    let pivot = if below.is_some() { end + apart } else { end - apart };
                    descents += u32::from(below.is_none());
                    self.count(pivot.clamp(bottom, self.start.top))?;
                    step *= 2.0;
                }
                // There is a pivot.
                (None, None) => return Ok([f64::NEG_INFINITY, f64::INFINITY]),
            }
        }
    }

    /// The normal score of a count of replicates that recover.
    fn score(&self, count: usize) -> f64 {
        probit((count as f64 + 0.5) / (self.low.len() as f64 + 1.0))
    }

    /// How far the next pivot is from the outermost one, where so many recover: on the line through
    /// the outermost two points, but nearer to the side where fewer replicates are, which are then
    /// asked again; `step` where these points do not tell.
    fn apart(&self, rank: usize, count: usize, step: f64) -> f64 {
        const NEAREST: f64 = 0.1;
        const FARTHEST: f64 = 16.0;
        let mut finite = self.counts.iter().filter(|(pivot, _)| pivot.is_finite());
        let line = finite
            .next()
            .zip(finite.next_back())
            .map(|((from, fewer), (to, more))| (self.score(*more) - self.score(*fewer)) / (to - from));
        match line {
            Some(slope) if slope > 0.0 => {
                let beyond = if rank <= count { rank } else { self.low.len() - rank };
                let share = if rank.abs_diff(count) > beyond { 0.9 } else { 1.25 };
                let apart = (self.wanted(rank) - self.score(count)).abs() / slope;
                (share * apart).clamp(NEAREST * step, FARTHEST * step)
            }
            Some(_) | None => step,
        }
    }

    /// The normal score of the critical alignment of a rank.
    fn wanted(&self, rank: usize) -> f64 {
        probit((rank as f64 - 0.5) / self.low.len() as f64)
    }
}

/// Finds the quantiles of the critical log α, adding replicates until the median's interval is as
/// narrow as it shall be.
///
/// Replicates are solved at α = 0 and at the largest α only where the search leads there, which
/// gives the verdict: where the upper end of the interval is α = 0, and where the lower one is
/// beyond the largest α. Replicates are then added by the width h of the interval:
/// `R ← min(8 R, max(1.3 R, 1.1 R (h/precision)²))`.
///
/// # Errors
///
/// The oracle's.
pub fn trace<O: Oracle>(oracle: &mut O, aim: &Aim, start: Start) -> Result<Traced, O::Error> {
    let mut replicates = aim.replicates.start;
    let resolution = aim.precision * FINE;
    let mut select =
        Select { oracle, start, low: Vec::new(), high: Vec::new(), counts: Vec::new(), solves: 0 };
    select.grow(replicates, start);
    let none = |verdict, replicates, solves| Traced {
        verdict,
        median: f64::NAN,
        interval: [f64::NAN; 2],
        quantiles: vec![f64::NAN; aim.quantiles.len()],
        replicates,
        solves,
    };
    loop {
        // The job reader sees to it that there is an interval.
        let (l, u) = ranks(replicates, 0.5, aim.confidence).unwrap_or((1, replicates));
        let coarse = [select.order(l, aim.precision * COARSE)?, select.order(u, aim.precision * COARSE)?];
        let more_are_added =
            coarse[1][0] - coarse[0][1] > 2.0 * aim.precision && replicates < aim.replicates.end;
        let [low, high] = match more_are_added {
            true => [coarse[0][0], coarse[1][1]],
            false => [select.order(l, resolution)?[0], select.order(u, resolution)?[1]],
        };
        if high == f64::NEG_INFINITY {
            return Ok(none(Verdict::Always, replicates, select.solves));
        }
        if low == f64::INFINITY {
            return Ok(none(Verdict::Never, replicates, select.solves));
        }
        let half = (high - low) / 2.0;
        if half <= aim.precision || replicates >= aim.replicates.end {
            let middle = |bracket: [f64; 2]| match bracket[0].is_finite() {
                true => f64::midpoint(bracket[0], bracket[1]),
                false => bracket[0],
            };
            let mut quantile = |q: f64, resolution: f64| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to R")]
                let rank = (q * f64::from(replicates)).ceil().clamp(1.0, f64::from(replicates)) as u32;
                select.order(rank, resolution).map(middle)
            };
            let median = quantile(0.5, resolution)?;
            let quantiles =
                aim.quantiles.iter().map(|&q| quantile(q, aim.precision)).collect::<Result<_, _>>()?;
            let (verdict, interval, solves) = (Verdict::Traced, [low, high], select.solves);
            return Ok(Traced { verdict, median, interval, quantiles, replicates, solves });
        }
        let current = f64::from(replicates);
        let wanted =
            (1.1 * current * (half / aim.precision).powi(2)).ceil().max(1.3 * current).min(8.0 * current);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0 and bounded")]
        let more = (wanted.min(f64::from(aim.replicates.end))) as u32;
        let grown = more.max(replicates + 1).min(aim.replicates.end);
        let next = match half.is_finite() {
            // From the middle to well beyond either end of the interval, as it will be: what lies
            // outside is then asked no more for either end.
            true => {
                let half = half * (current / f64::from(grown)).sqrt();
                Start { pivot: f64::midpoint(low, high), step: (3.0 * half).max(resolution), ..start }
            }
            false => start,
        };
        replicates = grown;
        select.grow(replicates, next);
    }
}
