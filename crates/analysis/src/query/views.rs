//! The ready-made views, as SQL text over `results`: what they compute is what is written here, and `--explain` shows it.
//!
//! **`summary`**, a row per combination of axes and paradigm: `rows` and, for each metric *m*, `m_count` (rows with a value),
//! `m_mean`, `m_se` (standard error of the mean, s/√count), `m_median`, `m_q05`, `m_q95` (quantiles with linear interpolation).
//!
//! **`best`**, a row per combination of axes: the paradigm with the smallest mean distance, the runner-up, and the margin
//! between them with its *paired* standard error. Paradigms of one replicate share their draws, so the difference within a replicate
//! varies far less than either distance: with `Dᵣ` the difference in replicate r over the R replicates where both have a
//! value, `margin = mean D`, `margin_se = sd(D)/√R`. `replicates` is that R.

use eigensweep_store::columns::{DISTANCE, METRICS, PARADIGM, REPLICATE};
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};

use crate::source::Detail;

/// Columns of the table `results`, sorted into kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Axes, in file order; `dataset` first where several data sets are read.
    pub axes: Vec<String>,
    /// Metrics, in file order.
    pub metrics: Vec<String>,
}

impl Columns {
    /// Sorts the columns of a data set: axes stand before `paradigm`, metrics are those that the engine knows, in rows by their names and in
    /// summaries by those of their means.
    #[must_use]
    pub fn new<'a>(detail: Detail, names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let metric = |name: &'a str| match detail {
            Detail::Rows => Some(name),
            Detail::Summary => name.strip_suffix("_mean"),
        };
        let metrics = names.clone().filter_map(metric).filter(|name| METRICS.contains(name));
        let axes = names.clone().take_while(|name| *name != PARADIGM).filter(|name| *name != REPLICATE);
        Self { axes: axes.map(str::to_owned).collect(), metrics: metrics.map(str::to_owned).collect() }
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

/// The view `best`.
#[must_use]
pub fn best(columns: &Columns) -> String {
    let axes = quoted(&columns.axes).join(", ");
    let all = [("sl", SUPERVISED.name), ("je", JOINT_EMBEDDING.name), ("rc", RECONSTRUCTION.name)];
    // One row per replicate, a column per paradigm.
    let wide: Vec<String> = all
        .iter()
        .map(|(short, name)| format!("MAX(CASE WHEN {PARADIGM} = '{name}' THEN {DISTANCE} END) AS {short}"))
        .collect();
    let means: Vec<String> = all.iter().map(|(short, _)| format!("AVG({short}) AS {short}")).collect();
    let pairs = [("sl", "je"), ("sl", "rc"), ("je", "rc")];
    let differences: Vec<String> = pairs
        .iter()
        .map(|(a, b)| {
            format!(
                "AVG({a} - {b}) AS {a}_{b}, STDDEV({a} - {b}) / SQRT(COUNT({a} - {b})) AS {a}_{b}_se, \
                 COUNT({a} - {b}) AS {a}_{b}_n"
            )
        })
        .collect();
    // A paradigm that is not there is infinitely far.
    let far = |name: &str| format!("COALESCE({name}, CAST('inf' AS DOUBLE))");
    let rank = |order: [&str; 3]| {
        let [a, b, c] = order.map(far);
        format!("{a} <= {b} AND {b} <= {c}")
    };
    let orders = [
        ["sl", "je", "rc"],
        ["sl", "rc", "je"],
        ["je", "sl", "rc"],
        ["je", "rc", "sl"],
        ["rc", "sl", "je"],
        ["rc", "je", "sl"],
    ];
    let pick = |value: &dyn Fn([&'static str; 3]) -> String| {
        let cases: Vec<String> =
            orders.iter().map(|&order| format!("WHEN {} THEN {}", rank(order), value(order))).collect();
        format!("CASE {} END", cases.join(" "))
    };
    let name = |short: &str| {
        let found = all.iter().find(|(known, _)| *known == short).map_or("", |(_, name)| *name);
        format!("'{found}'")
    };
    let pair = |a: &str, b: &str, suffix: &str| {
        if pairs.contains(&(a, b)) { format!("{a}_{b}{suffix}") } else { format!("{b}_{a}{suffix}") }
    };
    let signed =
        |a: &str, b: &str| if pairs.contains(&(a, b)) { format!("-{a}_{b}") } else { format!("{b}_{a}") };
    let winner = pick(&|order| name(order[0]));
    let runner_up =
        pick(&|order| format!("CASE WHEN {} IS NULL THEN NULL ELSE {} END", order[1], name(order[1])));
    let distance = pick(&|order| order[0].to_owned());
    let margin = pick(&|order| signed(order[0], order[1]));
    let margin_se = pick(&|order| pair(order[0], order[1], "_se"));
    let count = pick(&|order| pair(order[0], order[1], "_n"));
    format!(
        "WITH wide AS (SELECT {axes}, {REPLICATE}, {} FROM results GROUP BY {axes}, {REPLICATE}), \
         means AS (SELECT {axes}, {}, {} FROM wide GROUP BY {axes}) \
         SELECT {axes}, {winner} AS winner, {runner_up} AS runner_up, {distance} AS {DISTANCE}, {margin} AS margin, \
         {margin_se} AS margin_se, {count} AS replicates FROM means ORDER BY {axes}",
        wide.join(", "),
        means.join(", "),
        differences.join(", "),
    )
}

/// Names as SQL identifiers.
fn quoted(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("\"{name}\"")).collect()
}
