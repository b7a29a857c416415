//! `[boundary]`: how critical alignments are found, and the job whose rows are such alignments.

use super::fields::{Field, quoted};
use super::keys;
use super::problem::Problem;
use super::source::JobSource;
use super::values::Values;
use super::{Axis, Job, JobProblems, JobSpec, SpectrumSpec, ViewsSpec};
use eigensweep_theory::Metric;
use eigensweep_theory::metrics::{DISTANCE, LEAKAGE};

/// When a replicate counts as recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Its leakage is below the tolerance.
    Leakage,
    /// Its distance is below a share, the tolerance, of the distance at α = 0.
    Distance,
}

impl Recovery {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Leakage, Self::Distance];

    /// The name in job files, that of its [`metric`](Self::metric).
    #[must_use]
    pub fn name(self) -> &'static str {
        self.metric().name
    }

    /// The metric that decides.
    #[must_use]
    pub fn metric(self) -> &'static Metric {
        match self {
            Self::Leakage => &LEAKAGE,
            Self::Distance => &DISTANCE,
        }
    }
}

/// `[boundary]`: how the alignment is found at which recovery has a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundarySpec {
    /// When a replicate counts as recovered.
    pub recovery: Recovery,
    /// What the metric is below then, in (0, 1); see [`tolerance`](Self::tolerance).
    pub tolerance: Option<f64>,
    /// Half width of the interval of log α at which no replicate is added, above 0.
    pub precision: f64,
    /// Least probability that the interval holds α*, in (0, 1).
    pub confidence: f64,
    /// Probabilities of recovery whose alignments are reported beside α*, each in (0, 1), no two
    /// the same.
    pub quantiles: Vec<f64>,
    /// Replicates that every cell has.
    pub min_replicates: u32,
    /// Replicates after which no more are added.
    pub max_replicates: u32,
}

impl BoundarySpec {
    /// What the metric of a representation of dimension k is below where it recovers: as given, or
    /// else 1/(2k) of leakage, half of what a single noise component in place of a signal component
    /// leaks, and half of the distance at α = 0.
    #[must_use]
    pub fn tolerance(&self, dimension: usize) -> f64 {
        self.tolerance.unwrap_or(match self.recovery {
            Recovery::Leakage => 0.5 / dimension as f64,
            Recovery::Distance => 0.5,
        })
    }

    /// The table, if its values could be read.
    pub(super) fn of(values: &Values) -> Option<Self> {
        let number = |key: &str| values.floats(&format!("boundary.{key}"))?.only();
        let count = |key: &str| u32::try_from(values.whole(&format!("boundary.{key}"))?).ok();
        let recovery = values.word("boundary.recovery")?;
        Some(Self {
            recovery: Recovery::ALL.into_iter().find(|one| one.name() == recovery)?,
            tolerance: number("tolerance"),
            precision: number("precision")?,
            confidence: number("confidence")?,
            quantiles: values.list("boundary.quantiles")?.to_vec(),
            min_replicates: count("min_replicates")?,
            max_replicates: count("max_replicates")?,
        })
    }

    /// Keys with their values.
    pub(super) fn fields<I, F, C>(&self) -> Vec<(&'static str, &'static str, Field<I, F, C>)> {
        let Self { recovery, tolerance, precision, confidence, quantiles, min_replicates, max_replicates } =
            self;
        let mut fields = vec![("recovery", quoted(recovery.name()))];
        fields.extend(tolerance.map(|tolerance| ("tolerance", format!("{tolerance:?}"))));
        fields.extend([
            ("precision", format!("{precision:?}")),
            ("confidence", format!("{confidence:?}")),
            ("quantiles", format!("{quantiles:?}")),
            ("min_replicates", min_replicates.to_string()),
            ("max_replicates", max_replicates.to_string()),
        ]);
        fields.into_iter().map(|(key, text)| ("boundary", key, Field::Toml(text))).collect()
    }
}

/// Numbers of replicates that leave no interval.
pub(super) fn check(source: &JobSource, values: &Values) -> Option<Problem> {
    const MIN: &str = "boundary.min_replicates";
    let (min, max) = (values.whole(MIN)?, values.whole("boundary.max_replicates")?);
    if min > max {
        let key = if source.has(MIN) { MIN } else { "boundary.max_replicates" };
        let message = format!("`{MIN}` = {min} is more than `boundary.max_replicates` = {max}");
        let help = "replicates are added from the one to the other: raise max_replicates, or lower the other";
        return Some(source.problem_at(key, message, "the wrong way round", Some(help.to_owned())));
    }
    let confidence = values.floats("boundary.confidence")?.only()?;
    // From the least to the largest of R critical alignments the median lies with probability
    // 1 − 2^(1 − R).
    let needed = (2..=1100_u32).find(|&count| 1.0 - 0.5_f64.powi(count.cast_signed() - 1) >= confidence)?;
    if min >= u64::from(needed) {
        return None;
    }
    let key = if source.has(MIN) { MIN } else { "boundary.confidence" };
    let message = format!("{min} replicates have no interval at confidence {confidence}");
    let help = format!("the least is {needed}: set min_replicates so, or a lower confidence");
    Some(source.problem_at(key, message, "too few", Some(help)))
}

impl Job {
    /// The job whose rows are critical alignments: a row for each combination of the other axes and
    /// each paradigm that learns a representation, over all of its replicates.
    ///
    /// What such rows do not depend on (`[job] replicates`, `[output] metrics`) is as if it had not
    /// been given.
    ///
    /// # Errors
    ///
    /// [`JobProblems`] if the job has several alignments, or none, or no noise, or no paradigm that
    /// learns a representation.
    pub fn traced(mut self) -> Result<Self, JobProblems> {
        let (mut problems, source, spec) = (Vec::new(), &self.source, &mut self.spec);
        let mut refuse = |key: &str, message: &str, label: &str, help: &str| {
            problems.push(source.problem_at(key, message, label, Some(help.to_owned())));
        };
        const ALIGNMENT: &str = "augmentation.alignment";
        let noise = "a boundary is where noise is told from signal: give the noise a variance";
        match &spec.views {
            ViewsSpec::Spectral { corruption, augmentation } => {
                let SpectrumSpec { shape, scale } = &corruption.spectrum;
                let listed = shape.list().is_some_and(|list| list.iter().all(|value| *value == 0.0));
                if scale.values().contains(&0.0) {
                    refuse(
                        "corruption.scale",
                        "a boundary needs noise, and `corruption.scale` is 0",
                        "none",
                        noise,
                    );
                } else if listed {
                    let message = "a boundary needs noise, and `corruption.spectrum` is 0";
                    refuse("corruption.spectrum", message, "none", noise);
                }
                if augmentation.parameter("alignment").is_none() {
                    let message = format!("`{}` views have no alignment", augmentation.kind.name);
                    let help = "the boundary is an alignment: take views that have one, such as \"spectral\"";
                    refuse("augmentation.kind", &message, "no boundary", help);
                }
            }
            ViewsSpec::Stages(stages) => {
                if stages.corruption.is_empty() {
                    let help =
                        "a boundary is where noise is told from signal: list its stages in corruption.stages";
                    refuse(
                        "corruption.stages",
                        "a boundary needs noise, and there is no corruption",
                        "none",
                        help,
                    );
                }
                if stages.severity.as_ref().is_some_and(|severity| severity.values().contains(&0)) {
                    let message = "a boundary needs noise, and severity 0 is none";
                    refuse("corruption.severity", message, "none", "leave 0 out");
                }
            }
        }
        if spec.alignment().is_some_and(|alignment| alignment.values().len() > 1) {
            let message =
                format!("`{ALIGNMENT}` has several values, and `boundary` finds the alignment itself");
            refuse(ALIGNMENT, &message, "not used", "leave it out: the other axes are traced");
        }
        let paradigms = &mut spec.model.paradigms;
        paradigms.retain(|paradigm| paradigm.spectrum.is_some());
        if paradigms.is_empty() {
            let help = "name \"joint-embedding\", \"reconstruction\", or both";
            refuse("model.paradigms", "no paradigm here learns a representation", "no boundary", help);
        }
        if !problems.is_empty() {
            return Err(source.report(problems));
        }
        (spec.job.replicates, spec.job.adaptive, spec.job.first_replicate) = (1, None, 0);
        spec.output.metrics = vec![self.boundary.recovery.metric()];
        spec.output.detail = super::Detail::Rows;
        // Whether views can repeat the noise at all is asked of an alignment above 0.
        spec.set_alignment(1.0);
        spec.boundary = Some(self.boundary.clone());
        Ok(self)
    }
}

impl JobSpec {
    /// The job of so many replicates, from the first on, whose rows a cell of this job's boundary
    /// is found from; itself if it has none.
    #[must_use]
    pub fn replicated(&self) -> Self {
        let mut spec = self.clone();
        if let Some(boundary) = spec.boundary.take() {
            spec.job.replicates = boundary.max_replicates;
        }
        spec
    }

    /// The axis α, of views that have one.
    #[must_use]
    pub fn alignment(&self) -> Option<&Axis<f64>> {
        match &self.views {
            ViewsSpec::Spectral { augmentation, .. } => augmentation.parameter("alignment"),
            ViewsSpec::Stages(stages) => Some(&stages.alignment),
        }
    }

    fn set_alignment(&mut self, alpha: f64) {
        match &mut self.views {
            ViewsSpec::Spectral { augmentation, .. } => {
                let named = augmentation.kind.parameters.iter().zip(&mut augmentation.parameters);
                for (_, axis) in named.filter(|(parameter, _)| parameter.key == "alignment") {
                    *axis = Axis::single(alpha);
                }
            }
            ViewsSpec::Stages(stages) => stages.alignment = Axis::single(alpha),
        }
    }

    /// Whether a key is an axis of the rows: the alignment is none where it is what is found.
    pub(super) fn is_axis(&self, table: &str, name: &str) -> bool {
        let column = keys::find(table, name).and_then(|key| key.axis);
        self.boundary.is_none() || column.is_none_or(|column| column.name != "alignment")
    }
}
