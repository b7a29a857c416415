//! A job's values by key: its axes as columns, and the job as TOML.

use std::fmt::Debug;
use std::path::Path;

use eigensweep_inputs::counts::TargetSum;
use eigensweep_inputs::readers::{Choice, Chosen};
use eigensweep_inputs::{Answers, Columns, SourceFiles};
use eigensweep_theory::features::Recipe;
use eigensweep_theory::views::stages::Takes;

use super::adaptive::Adaptive;
use super::axis::Axis;
use super::chains::intern;
use super::columns::{columns_toml, list_toml};
use super::keys::{self, Default, KEYS, Key, Kind, Level};
use super::spec::{
    AugmentationSpec, CorruptionSpec, DataSpec, FeaturesSpec, GaussianSpec, GridSpec, HeldOut, JobSpec,
    ModelSpec, OutputSpec, RowSource, RowsSpec, RunSpec, SpectrumShape, SpectrumSpec, Teacher, ValueRange,
    ViewsSpec,
};
use super::stages::{self, StageSpec, StagesSpec, Writing};

/// One axis of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisColumn<'a> {
    /// The column of the data set.
    pub name: &'static str,
    /// The key of the job file, for problems with its values.
    pub key: &'static str,
    /// What a step along the axis changes.
    pub level: Level,
    /// Whether the values are multiples of the largest eigenvalue of the clean data, or of a
    /// stage's axis of their mean variance.
    pub relative: bool,
    /// The values, in the order of the job file.
    pub values: AxisValues<'a>,
}

/// The values of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AxisValues<'a> {
    /// Counts: samples, components, dimensions.
    Integers(&'a [i64]),
    /// Real numbers.
    Floats(&'a [f64]),
}

impl AxisValues<'_> {
    /// The number of values, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            AxisValues::Integers(values) => values.len(),
            AxisValues::Floats(values) => values.len(),
        }
    }
}

/// A value of a job: an axis or a chain of stages, shared or to be changed, or the TOML of what is
/// neither.
pub(super) enum Field<I, F, C> {
    Integers(I),
    Floats(F),
    Chain(C),
    Toml(String),
}

/// A value with its table and key.
type Placed<I, F, C> = (&'static str, &'static str, Field<I, F, C>);

/// An axis to be changed.
pub(super) enum AxisMut<'a> {
    Integers(&'a mut Axis<i64>),
    Floats(&'a mut Axis<f64>),
}

/// Every value of a job that has a key, its axes in the order of the data set's columns.
///
/// One text for shared and for mutable references: the patterns bind whichever is given.
macro_rules! fields {
    ($spec:expr) => {{
        let JobSpec { job, data, views, model, grid, sampler, output, boundary } = $spec;
        let mut fields = Vec::new();
        let GridSpec { samples } = grid;
        fields.push(("grid", "samples", Field::Integers(samples)));
        match data {
            DataSpec::Gaussian(GaussianSpec { components, spectrum, signal, teacher, label_count }) => {
                let SpectrumSpec { shape, scale } = spectrum;
                fields.push(("data", "source", Field::Toml(quoted(keys::GAUSSIAN))));
                fields.push(("data", "components", Field::Integers(components)));
                fields.push(("data", "spectrum", Field::Toml(shape.toml())));
                fields.push(("data", "scale", Field::Floats(scale)));
                fields.extend(decay!("data", shape));
                fields.push(("data", "signal", Field::Toml(quoted(signal.name()))));
                fields.push(("data", "label_count", plain(label_count)));
                let (name, key, axis) = match teacher {
                    Teacher::Classes { separation } => ("classes", "separation", separation),
                    Teacher::Linear { label_noise } => ("linear", "label_noise", label_noise),
                };
                fields.push(("data", "teacher", Field::Toml(quoted(name))));
                fields.push(("data", key, Field::Floats(axis)));
            }
            DataSpec::Rows(RowsSpec { source, components, shape, range, held_out, features }) => {
                let path = |path: &Path| Field::Toml(quoted(&path.to_string_lossy()));
                match source {
                    RowSource::Files(SourceFiles { reader, inputs, chosen, answers, groups }) => {
                        fields.push(("data", "source", Field::Toml(quoted(reader.name))));
                        fields.push(("data", reader.inputs.key, path(inputs)));
                        let Chosen { matrix, columns, rows } = &*chosen;
                        if let Some(matrix) = matrix {
                            fields.push(("data", Choice::Matrix.key(), Field::Toml(quoted(matrix))));
                        }
                        if !columns.is_empty() {
                            fields.push(("data", Choice::Columns.key(), Field::Toml(list_toml(columns))));
                        }
                        if let Some(rows) = rows {
                            fields.push(("data", Choice::Rows.key(), Field::Toml(quoted(rows.name()))));
                        }
                        let columns_of = |columns: &Columns| Field::Toml(columns_toml(columns, reader));
                        let answers_key = answers.as_ref().map_or(keys::LABELS, Answers::key);
                        if let Some(answers) = &*answers {
                            fields.push(("data", answers_key, columns_of(answers.columns())));
                        }
                        if let Some(groups) = &*groups {
                            fields.push(("data", keys::GROUPS, columns_of(groups)));
                        }
                        if let HeldOut::Files { inputs, answers } = &*held_out {
                            fields.push(("data", keys::test_key(reader.inputs.key), path(inputs)));
                            let answers = answers.as_ref();
                            fields.extend(
                                answers.map(|columns| {
                                    ("data", keys::test_key(answers_key), columns_of(columns))
                                }),
                            );
                        }
                    }
                    RowSource::Glyphs { count } => {
                        fields.push(("data", "source", Field::Toml(quoted(keys::GLYPHS))));
                        fields.push(("data", "count", plain(count)));
                    }
                }
                fields
                    .extend(components.into_iter().map(|axis| ("data", "components", Field::Integers(axis))));
                if let Some(shape) = &*shape {
                    fields.push(("data", "shape", plain(&[shape.channels, shape.rows, shape.columns])));
                }
                let range = match &*range {
                    ValueRange::Own => Field::Toml(quoted(ValueRange::OWN)),
                    ValueRange::Auto => Field::Toml(quoted(ValueRange::AUTO)),
                    ValueRange::To(range) => plain(range),
                };
                fields.push(("data", "range", range));
                if let HeldOut::Share { share, rows } = &*held_out {
                    fields.push(("data", "test_rows", Field::Toml(quoted(rows.name()))));
                    fields.push(("data", "test_share", plain(share)));
                }
                fields.extend(
                    features.toml().into_iter().map(|(key, text)| ("features", key, Field::Toml(text))),
                );
            }
        }
        match views {
            ViewsSpec::Spectral { corruption, augmentation } => {
                let CorruptionSpec { components, spectrum: SpectrumSpec { shape, scale } } = corruption;
                fields.push(("corruption", "kind", Field::Toml(quoted("spectral"))));
                fields.push(("corruption", "components", Field::Integers(components)));
                fields.push(("corruption", "spectrum", Field::Toml(shape.toml())));
                fields.extend(decay!("corruption", shape));
                fields.push(("corruption", "scale", Field::Floats(scale)));
                let AugmentationSpec { kind, spectrum: SpectrumSpec { shape, scale }, parameters } =
                    augmentation;
                fields.push(("augmentation", "kind", Field::Toml(quoted(kind.name))));
                if kind.spectrum {
                    fields.push(("augmentation", "spectrum", Field::Toml(shape.toml())));
                    fields.extend(decay!("augmentation", shape));
                    fields.push(("augmentation", "scale", Field::Floats(scale)));
                }
                let named = kind.parameters.iter().zip(parameters);
                fields.extend(named.map(|(one, axis)| ("augmentation", one.key, Field::Floats(axis))));
                fields.push(("sampler", "kind", Field::Toml(quoted(sampler.name()))));
            }
            ViewsSpec::Stages(stages) => {
                let StagesSpec { corruption, severity, severities, draw, .. } = stages;
                fields.push(("corruption", "severities", Field::Toml(quoted(severities.name()))));
                fields.extend(
                    severity.into_iter().map(|axis| ("corruption", "severity", Field::Integers(axis))),
                );
                fields.push(("corruption", "draw", Field::Toml(quoted(draw.name()))));
                fields.push(("corruption", "stages", Field::Chain(corruption)));
                let StagesSpec { alignment, dose, floor, augmentation, own, sampled, .. } = stages;
                fields.push(("augmentation", "alignment", Field::Floats(alignment)));
                fields.push(("augmentation", "dose", Field::Toml(quoted(dose.name()))));
                fields.push(("augmentation", "floor", Field::Floats(floor)));
                fields.push(("augmentation", "stages", Field::Chain(augmentation)));
                for (paradigm, chain) in own {
                    fields.push(("augmentation", paradigm.name, Field::Chain(chain)));
                }
                fields.push(("features", "views", plain(sampled)));
            }
        }
        let ModelSpec { paradigms, dimension } = model;
        fields.push(("model", "dimension", Field::Integers(dimension)));
        fields.push(("model", "paradigms", plain(&paradigms.iter().map(|one| one.name).collect::<Vec<_>>())));
        let RunSpec { name, seed, replicates, adaptive, first_replicate } = job;
        fields.push(("job", "name", Field::Toml(quoted(name))));
        fields.push(("job", "seed", plain(seed)));
        if let Some(Adaptive { min, max, relative_error }) = adaptive {
            let table = format!("{{ min = {min}, max = {max}, relative_error = {relative_error:?} }}");
            fields.push(("job", "replicates", Field::Toml(table)));
        } else {
            fields.push(("job", "replicates", plain(replicates)));
            fields.push(("job", "first_replicate", plain(first_replicate)));
        }
        let OutputSpec { metrics, detail, part_rows, max_failed } = output;
        fields.push(("output", "metrics", plain(&metrics.iter().map(|one| one.name).collect::<Vec<_>>())));
        fields.push(("output", "detail", Field::Toml(quoted(detail.name()))));
        fields.push(("output", "part_rows", plain(part_rows)));
        fields.push(("output", "max_failed", plain(max_failed)));
        fields.extend(boundary.iter().flat_map(|boundary| boundary.fields()));
        fields
    }};
}

/// The decay of a shape that has one.
macro_rules! decay {
    ($table:literal, $shape:expr) => {
        if let SpectrumShape::PowerLaw { decay } = $shape {
            Some(($table, "decay", Field::Floats(decay)))
        } else {
            None
        }
    };
}

impl JobSpec {
    fn fields(&self) -> Vec<Placed<&Axis<i64>, &Axis<f64>, &Vec<StageSpec>>> {
        fields!(self)
    }

    /// The axes in the order of [`axes`](Self::axes), to be changed.
    pub(super) fn axes_mut(&mut self) -> Vec<AxisMut<'_>> {
        let alignment = self.is_axis("augmentation", "alignment");
        let fields: Vec<Placed<&mut Axis<i64>, &mut Axis<f64>, &mut Vec<StageSpec>>> = fields!(self);
        let mut axes = Vec::new();
        for (table, name, field) in fields {
            if !alignment && (table, name) == ("augmentation", "alignment") {
                continue;
            }
            match field {
                Field::Integers(axis) => axes.push(AxisMut::Integers(axis)),
                Field::Floats(axis) => axes.push(AxisMut::Floats(axis)),
                Field::Chain(chain) => {
                    let mut numbers = Vec::new();
                    stages::numbers_mut(chain, "", &mut numbers);
                    let several = numbers.into_iter().filter(|(_, number)| number.column.is_some());
                    axes.extend(several.map(|(_, number)| AxisMut::Floats(&mut number.values)));
                }
                Field::Toml(_) => {}
            }
        }
        axes
    }

    /// Every axis that the job has, those of one value included, in the order of the data set's
    /// columns: samples, then those of the data, of the corruption, of the augmentation, and the
    /// dimension. Numbers of stages are axes where the job gives them as a list or a range.
    ///
    /// What the job's source, spectra, teacher and views have no use for is left out.
    #[must_use]
    pub fn axes(&self) -> Vec<AxisColumn<'_>> {
        let mut axes = Vec::new();
        for (table, name, field) in self.fields() {
            let Some(key) = keys::find(table, name) else { continue };
            let (relative, values) = match field {
                Field::Integers(axis) => (axis.is_relative(), AxisValues::Integers(axis.values())),
                Field::Floats(axis) => (axis.is_relative(), AxisValues::Floats(axis.values())),
                Field::Chain(chain) => {
                    axes.extend(stage_axes(key, chain));
                    continue;
                }
                Field::Toml(_) => continue,
            };
            let Some(column) = key.axis.filter(|_| self.is_axis(table, name)) else { continue };
            axes.push(AxisColumn {
                name: column.name,
                key: &key.path,
                level: column.level,
                relative,
                values,
            });
        }
        axes
    }

    /// The number of rows: the product of all axes, the paradigms and the replicates. `None` past
    /// 128 bits, which no parsed job reaches.
    #[must_use]
    pub fn cells(&self) -> Option<u128> {
        let others = [self.model.paradigms.len() as u128, u128::from(self.job.replicates)];
        let axes = self.axes().into_iter().map(|axis| axis.values.count() as u128);
        axes.chain(others).try_fold(1, u128::checked_mul)
    }

    /// The job with every default filled in and every range written out, as a job file that parses
    /// to an equal `JobSpec`: floats have the fewest digits that identify their bits.
    ///
    /// Paths are printed as they were joined to the job file's directory, so a relative one holds
    /// from where the program was started; one that is not UTF-8 is printed with replacement
    /// characters and does not come back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.written(Writing::Job)
    }

    /// The job in TOML without the paths of stages' files: what the identity of a section is made
    /// of.
    #[must_use]
    pub fn content(&self) -> String {
        self.written(Writing::Content)
    }

    /// The job in TOML with the columns of stages' axes in place of their values: what the identity
    /// of a study is made of.
    #[must_use]
    pub fn study(&self) -> String {
        self.written(Writing::Study)
    }

    fn written(&self, writing: Writing) -> String {
        let mut fields = self.fields();
        let (mut text, mut table) = (String::new(), "");
        let views = if self.stages().is_some() { keys::STAGES } else { keys::SPECTRAL };
        let source = self.data.source();
        for key in KEYS.iter().filter(|key| key.is_for(views) && key.is_of(source)) {
            let place = fields.iter().position(|(table, name, _)| (key.table, key.name) == (*table, *name));
            let Some((.., field)) = place.map(|place| fields.swap_remove(place)) else { continue };
            let value = match field {
                Field::Integers(axis) => axis_toml(axis),
                Field::Floats(axis) => axis_toml(axis),
                Field::Chain(chain) => {
                    let chain = stages::chain_toml(chain, writing);
                    if matches!(key.kind, Kind::Own(_)) { format!("{{ stages = {chain} }}") } else { chain }
                }
                Field::Toml(value) => value,
            };
            if key.silent && matches!(&key.default, Default::Is(default) if *default == value) {
                continue;
            }
            if key.table != table {
                let gap = if table.is_empty() { "" } else { "\n" };
                table = key.table;
                text.push_str(&format!("{gap}[{table}]\n"));
            }
            text.push_str(&format!("{} = {value}\n", key.name));
        }
        text
    }
}

/// The axes of a chain at a key.
fn stage_axes<'a>(key: &Key, chain: &'a [StageSpec]) -> impl Iterator<Item = AxisColumn<'a>> + use<'a> {
    let (place, level) = match key.kind {
        Kind::Stages(level) => (key.path.clone(), Some(level)),
        Kind::Own(level) => (format!("{}.stages", key.path), Some(level)),
        Kind::Text
        | Kind::Path
        | Kind::Word(_)
        | Kind::Words(_)
        | Kind::Whole(_)
        | Kind::Number(_)
        | Kind::Numbers(_)
        | Kind::NumberOr(..)
        | Kind::Spectrum(_)
        | Kind::Replicates
        | Kind::Shape
        | Kind::Columns
        | Kind::Patterns
        | Kind::Flag
        | Kind::Range(_) => (String::new(), None),
    };
    let mut numbers = Vec::new();
    stages::numbers(chain, &place, &mut numbers);
    numbers.into_iter().filter_map(move |(place, number)| {
        let (relative, values) = (number.values.is_relative(), AxisValues::Floats(number.values.values()));
        Some(AxisColumn { name: number.column?, key: intern(place), level: level?, relative, values })
    })
}

impl FeaturesSpec {
    /// Keys of `[features]` with their values.
    fn toml(&self) -> Vec<(&'static str, String)> {
        let Self { normalize, log1p, variable, recipe: Recipe { center, standardize, kind, values } } = self;
        let normalize = normalize.map(|target| match target {
            TargetSum::Median => quoted(keys::MEDIAN),
            TargetSum::To(number) => format!("{number:?}"),
        });
        let flags = [("log1p", log1p), ("center", center), ("standardize", standardize)];
        let is_whole = |name: &str| {
            let key = kind.keys.iter().find(|key| key.name == name);
            key.is_some_and(|key| matches!(key.takes, Takes::Number(bounds) if bounds.whole))
        };
        let number = |(name, value): &(&'static str, f64)| {
            (*name, if is_whole(name) { format!("{value}") } else { format!("{value:?}") })
        };
        let mut toml: Vec<(&'static str, String)> =
            normalize.map(|text| ("normalize", text)).into_iter().collect();
        toml.extend(flags.map(|(key, flag)| (key, flag.to_string())));
        toml.extend(variable.map(|count| ("variable", count.to_string())));
        toml.push(("kind", quoted(kind.name)));
        toml.extend(values.iter().map(number));
        toml
    }
}

impl SpectrumShape {
    /// The shape's name in job files, if it has one.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            SpectrumShape::Uniform => Some(Self::UNIFORM),
            SpectrumShape::Flat => Some(Self::FLAT),
            SpectrumShape::PowerLaw { .. } => Some(Self::POWER_LAW),
            SpectrumShape::List(_) => None,
        }
    }

    fn toml(&self) -> String {
        match self {
            SpectrumShape::List(list) => format!("{list:?}"),
            SpectrumShape::Uniform | SpectrumShape::Flat | SpectrumShape::PowerLaw { .. } => {
                self.name().map_or_else(String::new, quoted)
            }
        }
    }
}

/// Numbers and lists: `Debug` prints a float with a point or an exponent, and so that its bits come
/// back.
fn plain<I, F, C>(value: &impl Debug) -> Field<I, F, C> {
    Field::Toml(format!("{value:?}"))
}

fn axis_toml<T: Copy + Debug>(axis: &Axis<T>) -> String {
    let values = axis.only().map_or_else(|| format!("{:?}", axis.values()), |value| format!("{value:?}"));
    if axis.is_relative() { format!("{{ relative = {values} }}") } else { values }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
