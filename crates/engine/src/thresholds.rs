//! Thresholds of a job, or of spectra that are given, as `theory` shows them and Python returns
//! them.

use std::sync::Arc;

use eigensweep_job::Job;
use eigensweep_theory::paradigms;
use eigensweep_theory::thresholds::{Spectra, SpectraError, alignment, thresholds};
use serde_json::{Map, Value, json};

use crate::EngineError;
use crate::input::Input;
use crate::theory::{Method, Quantiles, Spread, TheorySpread, limits, over_replicates, table as one_draw};

/// What thresholds are of.
#[derive(Clone, Debug, PartialEq)]
pub enum Draws {
    /// Spectra that were given, or one replicate: numbers are what they are.
    One,
    /// So many replicates of a job: numbers are medians, with quantiles.
    Replicates(u64),
}

/// Thresholds at each combination of the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdTable {
    /// A row a combination.
    pub rows: Vec<TheorySpread>,
    /// What they are of.
    pub draws: Draws,
    /// Axes that hold multiples of λ₁, the largest eigenvalue of the clean data.
    pub relative: Vec<&'static str>,
}

impl ThresholdTable {
    /// Of a job: of one replicate, or over all that [`over_replicates`] takes; of a job with stages
    /// [population limits](limits), which are those of all replicates.
    ///
    /// # Errors
    ///
    /// Those of [`Input::load`], and of [`limits`].
    pub fn of_job(job: &Job, replicate: Option<u32>) -> Result<Self, EngineError> {
        Self::of_job_told(job, replicate, &mut |_, _| {})
    }

    /// The same, where `told` hears how many limits of all are done, if they are what is looked
    /// for.
    ///
    /// # Errors
    ///
    /// Those of [`of_job`](Self::of_job).
    pub fn of_job_told(
        job: &Job,
        replicate: Option<u32>,
        told: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, EngineError> {
        let input = Arc::new(Input::load(job)?);
        let axes = job.spec.axes();
        let relative = axes.iter().filter(|axis| axis.relative).map(|axis| axis.name).collect();
        if job.spec.stages().is_some() {
            let draws = replicate.map_or(Draws::Replicates(1), |_| Draws::One);
            let replicate = replicate.unwrap_or(job.spec.job.first_replicate);
            let rows = limits(&job.spec, &job.boundary, &input, replicate.into(), told)?;
            return Ok(Self { rows, draws, relative });
        }
        let (rows, draws) = match replicate {
            Some(replicate) => {
                let rows = one_draw(&job.spec, &input, u64::from(replicate)).into_iter();
                (rows.map(|row| TheorySpread::of(vec![row])).collect(), Draws::One)
            }
            None => {
                let (rows, drawn) = over_replicates(&job.spec, &input);
                (rows, Draws::Replicates(drawn))
            }
        };
        Ok(Self { rows, draws, relative })
    }

    /// Of spectra at dimension k.
    ///
    /// # Errors
    ///
    /// Why they have none.
    pub fn of_spectra(spectra: &Spectra<'_>, dimension: usize) -> Result<Self, SpectraError> {
        let found = thresholds(spectra, dimension)?;
        let largest = spectra.signal.iter().copied().fold(f64::NAN, f64::max);
        let thresholds = Ok(Spread::of(&[(found, largest)]));
        let row = TheorySpread { axes: vec![("dimension", dimension as f64)], thresholds };
        Ok(Self { rows: vec![row], draws: Draws::One, relative: Vec::new() })
    }

    /// What the thresholds come from; `None` where no row has any.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        self.rows.iter().find_map(|row| Some(row.thresholds.as_ref().ok()?.method))
    }

    /// Whether noise is measured against the data.
    #[must_use]
    pub fn is_noise_relative(&self) -> bool {
        self.relative.contains(&"noise_scale")
    }

    /// Its rows as JSON. What is infinite is null: thresholds where `never` or their verdict says
    /// so, a factor where the lower threshold is 0. The factor is that of the medians, its
    /// quantiles are over replicates. Rows that are not of the propositions have a verdict and a
    /// width for each paradigm, and the least leakage.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        self.rows.iter().map(|row| object(row, self)).collect()
    }
}

impl TheorySpread {
    /// Why no alignment recovers, if none does.
    #[must_use]
    pub fn never(&self) -> Option<String> {
        self.thresholds.as_ref().ok().filter(|found| found.never)?;
        let k = self.axes.last().map_or(f64::NAN, |(_, k)| *k);
        Some(format!("k = {k} is more than there are important components: a noise component is always kept"))
    }
}

impl Spread {
    /// The corollary's verdict with the condition that holds; where draws differ, all with the
    /// shares of the draws that they are of.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.preferences.as_slice() {
            [(only, _)] => format!("{}: {}", only.name(), only.condition()),
            several => {
                let mut several = several.to_vec();
                several.sort_by(|(_, one), (_, other)| other.total_cmp(one));
                let shares = several
                    .iter()
                    .map(|(verdict, share)| format!("{} {:.0} %", verdict.name(), 100.0 * share));
                shares.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// A row as JSON.
fn object(row: &TheorySpread, table: &ThresholdTable) -> Value {
    let mut object: Map<String, Value> =
        row.axes.iter().map(|&(name, value)| (name.to_owned(), number(value))).collect();
    let found = row.thresholds.as_ref().ok();
    let mut add = |key: &str, values: Option<Quantiles>| {
        let mut insert = |key: String, of: fn(&Quantiles) -> f64| {
            object.insert(key, finite(values.as_ref().map(of)));
        };
        insert(key.to_owned(), |values| values.median);
        if matches!(table.draws, Draws::Replicates(_)) {
            insert(format!("{key}_q05"), |values| values.q05);
            insert(format!("{key}_q95"), |values| values.q95);
        }
    };
    let has = found.filter(|found| !found.never);
    add("delta", has.map(|found| found.delta));
    add("eta", has.map(|found| found.eta));
    add("crossover", found.map(|found| found.crossover));
    for paradigm in paradigms::ALL {
        let Some(limit) = &paradigm.threshold else { continue };
        let squared = found.and_then(|found| found.limits.iter().find(|(other, _)| *other == paradigm));
        let squared = squared.map(|(_, squared)| *squared);
        add(limit.key, squared.map(|squared| squared.map(alignment)));
        add(&format!("{}_squared", limit.key), squared);
    }
    if table.is_noise_relative() {
        add("crossover_relative", found.map(|found| found.relative_crossover));
    }
    let lower = found.and_then(|found| found.lower);
    let factors = lower.and(found).map(|found| found.factors);
    add("factor", factors.zip(lower).map(|(factors, lower)| Quantiles { median: lower.factor, ..factors }));
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    object.insert("lower_threshold".to_owned(), text(lower.map(|lower| lower.paradigm.name.to_owned())));
    let verdict = has.filter(|found| !found.preferences.is_empty());
    object
        .insert("corollary_4_5".to_owned(), text(verdict.map(|found| found.preference().name().to_owned())));
    object.insert("corollary_4_5_reason".to_owned(), text(verdict.map(Spread::reason)));
    object.insert("method".to_owned(), text(found.map(|found| found.method.name().to_owned())));
    if table.method().is_some_and(|method| method != Method::Propositions) {
        gradual(found, &mut object);
    }
    if let Draws::Replicates(drawn) = &table.draws {
        object.insert("replicates".to_owned(), json!(drawn));
    }
    if let Some(reason) = row.never() {
        object.insert("never".to_owned(), reason.into());
    }
    if let Err(reason) = &row.thresholds {
        object.insert("undefined".to_owned(), reason.to_string().into());
    }
    Value::Object(object)
}

/// Verdicts, widths and the least leakage. Where noise is on components of its own eigenvalues
/// cross, and signal can be had without noise.
fn gradual(found: Option<&Spread>, object: &mut Map<String, Value>) {
    let exact = found.filter(|found| found.method != Method::PopulationLimit && !found.never).map(|_| 0.0);
    let more = found.and_then(|found| found.gradual.as_ref());
    for paradigm in paradigms::ALL {
        let Some(limit) = &paradigm.threshold else { continue };
        let verdict = found.and_then(|found| found.verdict(paradigm));
        let width = more.and_then(|more| more.widths.iter().find(|(other, _)| *other == paradigm));
        let is_at = verdict == Some("at");
        let width = width.map_or(exact.filter(|_| is_at), |(_, width)| Some(*width));
        object.insert(format!("{}_verdict", limit.key), json!(verdict));
        object.insert(format!("{}_width", limit.key), finite(width));
    }
    object.insert("least_leakage".to_owned(), finite(more.map(|more| more.least).or(exact)));
    object.insert("tolerance".to_owned(), finite(more.map(|more| more.tolerance)));
}

/// A number, null where there is none.
fn finite(value: Option<f64>) -> Value {
    value.filter(|value| value.is_finite()).map_or(Value::Null, |value| json!(value))
}

/// Whole numbers without a fraction: counts are integers in JSON, too.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}
