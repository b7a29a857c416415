//! The values of all keys as read, by the key's path, and the job that they make.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eigensweep_inputs::counts::TargetSum;
use eigensweep_inputs::readers::{self, Choice, Chosen, Orientation};
use eigensweep_inputs::{Answers, Columns, SourceFiles};
use eigensweep_theory::features::Recipe;
use eigensweep_theory::views::stages::{Severities, Shape};
use eigensweep_theory::{features, metrics, paradigms, views};

use super::adaptive::Adaptive;
use super::axis::Axis;
use super::keys;
use super::spec::{
    AugmentationSpec, CorruptionSpec, DataSpec, Detail, FeaturesSpec, GaussianSpec, GridSpec, HeldOut,
    HeldOutRows, JobSpec, ModelSpec, OutputSpec, RowSource, RowsSpec, RunSpec, Sampler, Signal,
    SpectrumShape, SpectrumSpec, Teacher, ValueRange, ViewsSpec,
};
use super::stages::{AlignmentDose, CorruptionDraw, StageSpec, StagesSpec};

/// The value of a key.
pub(super) enum Given {
    Text(String),
    Path(PathBuf),
    Word(&'static str),
    Words(Vec<&'static str>),
    Whole(u64),
    Integers(Axis<i64>),
    Floats(Axis<f64>),
    List(Vec<f64>),
    Adaptive(Adaptive),
    Chain(Vec<StageSpec>),
    Shape(Shape),
    Range([f64; 2]),
    Columns(Columns),
    Names(Vec<String>),
    Flag(bool),
}

impl Given {
    /// What conditions on the key ask about: the word, or what stands in place of one.
    pub(super) fn choice(&self) -> &'static str {
        match self {
            Given::Word(word) => word,
            Given::List(_)
            | Given::Words(_)
            | Given::Chain(_)
            | Given::Shape(_)
            | Given::Range(_)
            | Given::Names(_) => "a list",
            Given::Adaptive(_) => "adaptive",
            Given::Whole(_) | Given::Integers(_) | Given::Floats(_) => "a number",
            Given::Text(_) | Given::Path(_) | Given::Columns(_) => "a text",
            Given::Flag(true) => "true",
            Given::Flag(false) => "false",
        }
    }
}

/// Values by path. A key whose value is wrong, or whose meaning is not known because another value
/// is wrong, holds `None`; one that has no meaning or no value of its own is absent.
#[derive(Default)]
pub(super) struct Values(pub(super) BTreeMap<String, Option<Given>>);

/// The value of a key, if it was read and is of that type.
macro_rules! typed {
    ($($name:ident: $variant:ident($value:ident) -> $type:ty = $given:expr;)*) => {
        $(pub(super) fn $name(&self, path: &str) -> Option<$type> {
            if let Given::$variant($value) = self.0.get(path)?.as_ref()? { Some($given) } else { None }
        })*
    };
}

impl Values {
    typed! {
        text: Text(text) -> &str = text;
        path: Path(path) -> &PathBuf = path;
        word: Word(word) -> &'static str = word;
        words: Words(words) -> &[&'static str] = words;
        whole: Whole(number) -> u64 = *number;
        integers: Integers(axis) -> &Axis<i64> = axis;
        floats: Floats(axis) -> &Axis<f64> = axis;
        list: List(list) -> &[f64] = list;
        adaptive: Adaptive(adaptive) -> Adaptive = *adaptive;
        chain: Chain(chain) -> &Vec<StageSpec> = chain;
        shape: Shape(shape) -> Shape = *shape;
        range: Range(range) -> [f64; 2] = *range;
        columns: Columns(columns) -> &Columns = columns;
        names: Names(names) -> &[String] = names;
        flag: Flag(flag) -> bool = *flag;
    }

    /// The job, if all of its values could be read.
    pub(super) fn spec(&self) -> Option<JobSpec> {
        Some(JobSpec {
            job: self.run()?,
            data: self.data()?,
            views: self.views()?,
            model: ModelSpec {
                paradigms: self
                    .words("model.paradigms")?
                    .iter()
                    .filter_map(|word| paradigms::named(word))
                    .collect(),
                dimension: self.integers("model.dimension")?.clone(),
            },
            grid: GridSpec { samples: self.integers("grid.samples")?.clone() },
            sampler: match self.word("sampler.kind") {
                None if self.has_stages() => Sampler::Moments,
                word => named(&Sampler::ALL, Sampler::name, word?)?,
            },
            output: OutputSpec {
                metrics: self
                    .words("output.metrics")?
                    .iter()
                    .filter_map(|word| metrics::named(word))
                    .collect(),
                detail: named(&Detail::ALL, Detail::name, self.word("output.detail")?)?,
                part_rows: self.whole("output.part_rows")?,
                max_failed: self.floats("output.max_failed")?.only()?,
            },
            boundary: None,
        })
    }

    /// Whether the job has stages.
    pub(super) fn has_stages(&self) -> bool {
        self.word(keys::VIEWS) == Some(keys::STAGES)
    }

    /// The table of severities; the default where it could not be read.
    pub(super) fn severities(&self) -> Severities {
        let word = self.word("corruption.severities");
        word.and_then(|word| named(&Severities::ALL, Severities::name, word)).unwrap_or(Severities::ImageNet)
    }

    fn views(&self) -> Option<ViewsSpec> {
        if !self.has_stages() {
            return Some(ViewsSpec::Spectral {
                corruption: CorruptionSpec {
                    components: self.integers("corruption.components")?.clone(),
                    spectrum: self.spectrum("corruption")?,
                },
                augmentation: self.augmentation()?,
            });
        }
        // A chain that could not be read is there without a value.
        let own = paradigms::ALL.iter().filter_map(|paradigm| {
            let path = format!("augmentation.{}", paradigm.name);
            self.0.contains_key(&path).then(|| Some((*paradigm, self.chain(&path)?.clone())))
        });
        let severity = match self.0.contains_key("corruption.severity") {
            true => Some(self.integers("corruption.severity")?.clone()),
            false => None,
        };
        Some(ViewsSpec::Stages(StagesSpec {
            corruption: self.chain("corruption.stages")?.clone(),
            severity,
            severities: named(&Severities::ALL, Severities::name, self.word("corruption.severities")?)?,
            draw: named(&CorruptionDraw::ALL, CorruptionDraw::name, self.word("corruption.draw")?)?,
            alignment: self.floats("augmentation.alignment")?.clone(),
            dose: named(&AlignmentDose::ALL, AlignmentDose::name, self.word("augmentation.dose")?)?,
            floor: self.floats("augmentation.floor")?.clone(),
            augmentation: self.chain("augmentation.stages")?.clone(),
            own: own.collect::<Option<_>>()?,
            sampled: u32::try_from(self.whole("features.views")?).ok()?,
        }))
    }

    fn run(&self) -> Option<RunSpec> {
        let adaptive = self.adaptive("job.replicates");
        let count = |path| u32::try_from(self.whole(path)?).ok();
        Some(RunSpec {
            name: self.text("job.name")?.to_owned(),
            seed: self.whole("job.seed")?,
            replicates: adaptive.map(|adaptive| adaptive.max).or_else(|| count("job.replicates"))?,
            adaptive,
            first_replicate: if adaptive.is_some() { 0 } else { count("job.first_replicate")? },
        })
    }

    fn data(&self) -> Option<DataSpec> {
        let components = self.integers("data.components").cloned();
        let source = self.word("data.source")?;
        let reader = readers::named(source);
        if reader.is_some() || source == keys::GLYPHS {
            let path = |key: &str| self.path(&format!("data.{key}")).cloned();
            let mut held_out = match self.floats("data.test_share").and_then(Axis::only) {
                None => HeldOut::Nothing,
                Some(share) => {
                    let rows = self.word("data.test_rows")?;
                    HeldOut::Share { share, rows: named(&HeldOutRows::ALL, HeldOutRows::name, rows)? }
                }
            };
            let source = match reader {
                Some(reader) => {
                    let at = |key: &str| format!("data.{key}");
                    let columns = |key: &str| self.columns(&at(key)).cloned();
                    if let Some(inputs) = path(keys::test_key(reader.inputs.key)) {
                        let answers = [keys::LABELS, keys::TARGETS].map(|key| columns(keys::test_key(key)));
                        held_out = HeldOut::Files { inputs, answers: answers.into_iter().flatten().next() };
                    }
                    let labels = columns(keys::LABELS).map(Answers::Labels);
                    let orientation = self.word(&at(Choice::Rows.key()));
                    RowSource::Files(SourceFiles {
                        reader,
                        inputs: path(reader.inputs.key)?,
                        chosen: Chosen {
                            matrix: self.text(&at(Choice::Matrix.key())).map(str::to_owned),
                            columns: self
                                .names(&at(Choice::Columns.key()))
                                .map_or_else(Vec::new, <[_]>::to_vec),
                            rows: orientation
                                .and_then(|word| named(&Orientation::ALL, Orientation::name, word)),
                        },
                        answers: labels.or_else(|| columns(keys::TARGETS).map(Answers::Targets)),
                        groups: columns(keys::GROUPS),
                    })
                }
                None => RowSource::Glyphs { count: u32::try_from(self.whole("data.count")?).ok()? },
            };
            let shape = self.shape("data.shape");
            let range = match (self.range("data.range"), self.word("data.range")) {
                (Some(range), _) => ValueRange::To(range),
                (None, Some(ValueRange::AUTO)) => ValueRange::Auto,
                (None, _) => ValueRange::Own,
            };
            let features = Box::new(self.features()?);
            return Some(DataSpec::Rows(RowsSpec { source, components, shape, range, held_out, features }));
        }
        let teacher = match self.floats("data.separation") {
            Some(separation) => Teacher::Classes { separation: separation.clone() },
            None => Teacher::Linear { label_noise: self.floats("data.label_noise")?.clone() },
        };
        Some(DataSpec::Gaussian(GaussianSpec {
            components: components?,
            spectrum: self.spectrum("data")?,
            signal: {
                let word = self.word("data.signal")?;
                Signal::ALL.into_iter().find(|signal| signal.name() == word)?
            },
            teacher,
            label_count: u32::try_from(self.whole("data.label_count")?).ok()?,
        }))
    }

    fn features(&self) -> Option<FeaturesSpec> {
        let median = self.word("features.normalize").map(|_| TargetSum::Median);
        let number = || self.floats("features.normalize").and_then(Axis::only).map(TargetSum::To);
        Some(FeaturesSpec {
            normalize: median.or_else(number),
            log1p: self.flag("features.log1p")?,
            variable: self.whole("features.variable").and_then(|count| u32::try_from(count).ok()),
            recipe: self.recipe()?,
        })
    }

    /// What features are fitted as.
    pub(super) fn recipe(&self) -> Option<Recipe> {
        let kind = features::named(self.word("features.kind")?)?;
        let value = |name: &'static str| {
            let path = format!("features.{name}");
            let whole = self.integers(&path).and_then(Axis::only).map(|count| count as f64);
            Some((name, whole.or_else(|| self.floats(&path).and_then(Axis::only))?))
        };
        Some(Recipe {
            center: self.flag("features.center")?,
            standardize: self.flag("features.standardize")?,
            kind,
            values: kind.keys.iter().map(|key| value(key.name)).collect::<Option<_>>()?,
        })
    }

    fn augmentation(&self) -> Option<AugmentationSpec> {
        let kind = views::named(self.word("augmentation.kind")?)?;
        let none = || SpectrumSpec { shape: SpectrumShape::Flat, scale: Axis::single(0.0) };
        let spectrum = if kind.spectrum { self.spectrum("augmentation")? } else { none() };
        let values =
            kind.parameters.iter().map(|one| self.floats(&format!("augmentation.{}", one.key)).cloned());
        Some(AugmentationSpec { kind, spectrum, parameters: values.collect::<Option<_>>()? })
    }

    fn spectrum(&self, table: &str) -> Option<SpectrumSpec> {
        let path = |key| format!("{table}.{key}");
        let shape = match (self.list(&path("spectrum")), self.floats(&path("decay"))) {
            (Some(list), _) => SpectrumShape::List(list.to_vec()),
            (None, Some(decay)) => SpectrumShape::PowerLaw { decay: decay.clone() },
            (None, None) => {
                let word = self.word(&path("spectrum"))?;
                let plain = [SpectrumShape::Uniform, SpectrumShape::Flat];
                plain.into_iter().find(|shape| shape.name() == Some(word))?
            }
        };
        Some(SpectrumSpec { shape, scale: self.floats(&path("scale"))?.clone() })
    }
}

/// The one of that name.
fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, word: &str) -> Option<T> {
    all.iter().copied().find(|&one| name(one) == word)
}
