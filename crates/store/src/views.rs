//! The ready-made views, as SQL text over `results`: what they compute is what is written here,
//! whoever runs it.
//!
//! **`summary`**, a row per combination of axes and paradigm: `rows` and, for each metric *m*,
//! `m_count` (rows with a value), `m_mean`, `m_se` (standard error of the mean, s/√count),
//! `m_median`, `m_q05`, `m_q95` (quantiles with linear interpolation).
//!
//! **`best`**, a row per combination of axes: the paradigm with the smallest mean distance, the
//! runner-up, and the margin between them with its *paired* standard error. Paradigms of one
//! replicate share their draws, so the difference within a replicate varies far less than either
//! distance: with `Dᵣ` the difference in replicate r over the R replicates where both have a value,
//! `margin = mean D`, `margin_se = sd(D)/√R`. `replicates` is that R. Where no paradigm has a
//! distance, there is no winner. `recovers` names the paradigms that recover there, or `none`:
//! those with α² above their threshold in at least half of the replicates, and those that have no
//! threshold; NULL where no threshold is known. To recover is to leak nothing in the limit: for k >
//! k₀ no paradigm with a threshold does, although its distance may fall.

use crate::columns::{PARADIGM, REPLICATE, STATUS, VERDICT};
use eigensweep_job::Detail;
use eigensweep_theory::metrics::{self, DISTANCE, THRESHOLD_SQUARED};
use eigensweep_theory::paradigms;

/// The axis α.
const ALIGNMENT: &str = "alignment";

/// Columns of the table `results`, sorted into kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Axes, in file order; `dataset` first where several data sets are read.
    pub axes: Vec<String>,
    /// Metrics, in file order.
    pub metrics: Vec<String>,
}

impl Columns {
    /// Sorts the columns of a data set: axes stand before `paradigm`, metrics are those that the
    /// engine knows, in rows by their names and in summaries by those of their means.
    #[must_use]
    pub fn new<'a>(detail: Detail, names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let metric = |name: &'a str| match detail {
            Detail::Rows => Some(name),
            Detail::Summary => name.strip_suffix("_mean"),
        };
        let metrics = names.clone().filter_map(metric).filter(|name| metrics::named(name).is_some());
        let axes = names.clone().take_while(|name| *name != PARADIGM).filter(|name| *name != REPLICATE);
        Self { axes: axes.map(str::to_owned).collect(), metrics: metrics.map(str::to_owned).collect() }
    }

    /// Whether a column of a table has values that can be listed.
    #[must_use]
    pub fn has_few_values(&self, name: &str) -> bool {
        let others = [PARADIGM, REPLICATE, STATUS, VERDICT, "winner", "runner_up"];
        others.contains(&name) || self.axes.iter().any(|axis| axis == name)
    }

    fn has_metric(&self, name: &str) -> bool {
        self.metrics.iter().any(|metric| metric == name)
    }
}

/// The view `summary`.
#[must_use]
pub fn summary(columns: &Columns) -> String {
    let mut keys = quoted(&columns.axes);
    keys.push(PARADIGM.to_owned());
    let mut outputs = keys.clone();
    outputs.push("COUNT(*) AS rows".to_owned());
    for m in &columns.metrics {
        outputs.extend([
            format!("COUNT({m}) AS {m}_count"),
            format!("AVG({m}) AS {m}_mean"),
            format!("STDDEV({m}) / SQRT(COUNT({m})) AS {m}_se"),
            format!("MEDIAN({m}) AS {m}_median"),
            format!("QUANTILE_CONT({m}, 0.05) AS {m}_q05"),
            format!("QUANTILE_CONT({m}, 0.95) AS {m}_q95"),
        ]);
    }
    let keys = keys.join(", ");
    format!("SELECT {} FROM results GROUP BY {keys} ORDER BY {keys}", outputs.join(", "))
}

/// The view `best`, among the paradigms of these names, at least two; of equal distances the first
/// wins.
///
/// # Errors
///
/// Why there is no such view: the data sets have no distances.
pub fn best(columns: &Columns, paradigms: &[&str]) -> Result<String, String> {
    if !columns.has_metric(DISTANCE.name) {
        return Err(format!(
            "it compares `{0}`, which the job does not compute: run it with {0} among output.metrics",
            DISTANCE.name
        ));
    }
    let axes = quoted(&columns.axes).join(", ");
    let distance = DISTANCE.name;
    // A column per paradigm, `p0`, `p1` and so on: in `wide` a row per replicate, in `means` per
    // combination, with a column per pair.
    let all = || 0..paradigms.len();
    let list = |texts: Vec<String>| texts.join(", ");
    let wide =
        all().map(|p| format!("MAX(CASE WHEN {PARADIGM} = '{}' THEN {distance} END) AS p{p}", paradigms[p]));
    let means = all().map(|p| format!("AVG(p{p}) AS p{p}"));
    // Shares of replicates that recover, `r0` and so on: all where there is no threshold.
    let (alpha, limit) = (ALIGNMENT, THRESHOLD_SQUARED.name);
    let known = columns.axes.iter().any(|axis| axis == alpha) && columns.has_metric(limit);
    let threshold = |p: &usize| paradigms::named(paradigms[*p]).is_none_or(|known| known.threshold.is_some());
    let recovering = all().filter(|_| known).map(|p| {
        let own = format!("{PARADIGM} = '{}'", paradigms[p]);
        let above = if threshold(&p) {
            format!("CASE WHEN {alpha} * {alpha} > {limit} THEN 1.0 WHEN {limit} IS NOT NULL THEN 0.0 END")
        } else {
            "1.0".to_owned()
        };
        format!("MAX(CASE WHEN {own} THEN {above} END) AS r{p}")
    });
    let wide = wide.chain(recovering);
    let means = means.chain(all().filter(|_| known).map(|p| format!("AVG(r{p}) AS r{p}")));
    let unknown: Vec<String> = all().filter(threshold).map(|p| format!("r{p} IS NULL")).collect();
    let recovers = if known && !unknown.is_empty() {
        let names = all().map(|p| format!("CASE WHEN r{p} >= 0.5 THEN ', {}' ELSE '' END", paradigms[p]));
        let names = names.collect::<Vec<_>>().join(" || ");
        let unknown = unknown.join(" AND ");
        format!("CASE WHEN {unknown} THEN NULL WHEN {names} = '' THEN 'none' ELSE SUBSTR({names}, 3) END")
    } else {
        "CAST(NULL AS VARCHAR)".to_owned()
    };
    let differences = all().flat_map(|a| (0..a).map(move |b| (b, a))).map(|(a, b)| {
        format!(
            "AVG(p{b} - p{a}) AS p{a}_{b}, STDDEV(p{b} - p{a}) / SQRT(COUNT(p{b} - p{a})) AS p{a}_{b}_se, \
             COUNT(p{b} - p{a}) AS p{a}_{b}_n"
        )
    });
    // A paradigm that is not there is infinitely far.
    let far = |p: usize| format!("COALESCE(p{p}, CAST('inf' AS DOUBLE))");
    let closest = |p: usize, but: Option<usize>| {
        let others = all().filter(|&other| other != p && Some(other) != but);
        let near: Vec<String> = others.map(|other| format!("{} <= {}", far(p), far(other))).collect();
        if near.is_empty() { "TRUE".to_owned() } else { near.join(" AND ") }
    };
    // The first pair of a winner and a runner-up that fits.
    let pick = |value: &dyn Fn(usize, usize) -> String| {
        let pairs = all().flat_map(|winner| all().map(move |next| (winner, next)));
        let cases = pairs.filter(|(winner, next)| winner != next).map(|(winner, next)| {
            let fits = format!("{} AND {}", closest(winner, None), closest(next, Some(winner)));
            format!("WHEN {fits} THEN {}", value(winner, next))
        });
        format!("CASE {} END", cases.collect::<Vec<_>>().join(" "))
    };
    let pair = |a: usize, b: usize| format!("p{}_{}", a.min(b), a.max(b));
    // Of paradigms without a distance none is the closest.
    let named = |p: usize| format!("CASE WHEN p{p} IS NULL THEN NULL ELSE '{}' END", paradigms[p]);
    let winner = pick(&|winner, _| named(winner));
    let runner_up = pick(&|_, next| named(next));
    let least = pick(&|winner, _| format!("p{winner}"));
    let margin =
        pick(&|winner, next| format!("{}{}", if winner < next { "" } else { "-" }, pair(winner, next)));
    let margin_se = pick(&|winner, next| format!("{}_se", pair(winner, next)));
    let count = pick(&|winner, next| format!("{}_n", pair(winner, next)));
    Ok(format!(
        "WITH wide AS (SELECT {axes}, {REPLICATE}, {} FROM results GROUP BY {axes}, {REPLICATE}), \
         means AS (SELECT {axes}, {}, {} FROM wide GROUP BY {axes}) \
         SELECT {axes}, {winner} AS winner, {runner_up} AS runner_up, {least} AS {distance}, {margin} AS margin, \
         {margin_se} AS margin_se, {count} AS replicates, {recovers} AS recovers FROM means ORDER BY {axes}",
        list(wide.collect()),
        list(means.collect()),
        list(differences.collect()),
    ))
}

/// Names as SQL identifiers.
fn quoted(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("\"{name}\"")).collect()
}
