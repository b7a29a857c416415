//! Thresholds of a job, or of spectra that are given, as `theory` shows them and Python returns
//! them.

use eigensweep_job::Job;
use eigensweep_theory::paradigms;
use eigensweep_theory::thresholds::{Spectra, SpectraError, alignment, thresholds};
use serde_json::{Map, Value, json};

use crate::EngineError;
use crate::input::Input;
use crate::theory::{Quantiles, Spread, TheorySpread, over_replicates, table as one_draw};

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
    /// A row a combination; none of a job with stages.
    pub rows: Vec<TheorySpread>,
    /// What they are of.
    pub draws: Draws,
    /// Axes that hold multiples of λ₁, the largest eigenvalue of the clean data.
    pub relative: Vec<&'static str>,
}

impl ThresholdTable {
    /// Of a job: of one replicate, or over all that [`over_replicates`] takes.
    ///
    /// # Errors
    ///
    /// Those of [`Input::load`].
    pub fn of_job(job: &Job, replicate: Option<u32>) -> Result<Self, EngineError> {
        let input = Input::load(job)?;
        let axes = job.spec.axes();
        let relative = axes.iter().filter(|axis| axis.relative).map(|axis| axis.name).collect();
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

    /// Whether noise is measured against the data.
    #[must_use]
    pub fn is_noise_relative(&self) -> bool {
        self.relative.contains(&"noise_scale")
    }

    /// Its rows as JSON. What is infinite is null: thresholds where `never` says why, a factor where
    /// the lower threshold is 0. The factor is that of the medians, its quantiles are over
    /// replicates.
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
            let value = values.as_ref().map(of).filter(|value| value.is_finite());
            object.insert(key, value.map_or(Value::Null, |value| json!(value)));
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
    object.insert("corollary_4_5".to_owned(), text(has.map(|found| found.preference().name().to_owned())));
    object.insert("corollary_4_5_reason".to_owned(), text(has.map(Spread::reason)));
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

/// Whole numbers without a fraction: counts are integers in JSON, too.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}
