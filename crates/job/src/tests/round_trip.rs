//! `to_toml` and `parse` are inverse to each other, and no text makes `parse` panic.

use std::path::{Path, PathBuf};

use eigensweep_inputs::counts::TargetSum;
use eigensweep_inputs::readers::{Choice, Chosen, Orientation, READERS, Reader};
use eigensweep_inputs::{Answers, Columns, SourceFiles};
use eigensweep_theory::features::{self, Components, Recipe};
use eigensweep_theory::metrics::{self, Metric};
use eigensweep_theory::paradigms;
use eigensweep_theory::views::SPECTRAL;
use eigensweep_theory::views::stages::{
    Bounds, KINDS, Key, Kind, Severities, Shape, Takes, Unless, Value as Fixed,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use super::super::stages::{
    AlignmentDose, CorruptionDraw, DoseOf, StageNumber, StageSpec, StageValue, StagesSpec,
};
use super::super::*;
use super::job;

fn axis<T: Copy + std::fmt::Debug>(values: impl Strategy<Value = Vec<T>>) -> impl Strategy<Value = Axis<T>> {
    values.prop_map(|values| Axis::new(values).unwrap())
}

/// Distinct floats of a range, given by their bits: positive floats sort as their bits do.
fn floats(low: f64, high: f64) -> impl Strategy<Value = Axis<f64>> {
    let bits = btree_set(low.to_bits()..=high.to_bits(), 1..4);
    axis(bits.prop_map(|bits| bits.into_iter().map(f64::from_bits).collect()))
}

fn wholes(low: i64, high: i64) -> impl Strategy<Value = Axis<i64>> {
    axis(btree_set(low..=high, 1..4).prop_map(|values| values.into_iter().rev().collect()))
}

fn named(low: f64) -> impl Strategy<Value = SpectrumSpec> {
    let shape = prop_oneof![
        Just(SpectrumShape::Uniform),
        Just(SpectrumShape::Flat),
        floats(0.0, 1e300).prop_map(|decay| SpectrumShape::PowerLaw { decay }),
    ];
    (shape, floats(low, f64::MAX)).prop_map(|(shape, scale)| SpectrumSpec { shape, scale })
}

/// A number of components with a spectrum that fits it.
fn counted(low: f64) -> impl Strategy<Value = (Axis<i64>, SpectrumSpec)> {
    let items = vec((low.to_bits()..=1e150_f64.to_bits()).prop_map(f64::from_bits), 1..6);
    let list = (items, floats(low, 1e150)).prop_map(|(list, scale)| {
        let components = Axis::single(i64::try_from(list.len()).unwrap());
        (components, SpectrumSpec { shape: SpectrumShape::List(list), scale })
    });
    prop_oneof![3 => (wholes(1, i64::from(i32::MAX)), named(low)), 1 => list]
}

/// The spectrum measured against the data, where it can be.
fn measured(spectrum: SpectrumSpec, data: &DataSpec) -> SpectrumSpec {
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let listed = |spectrum: &SpectrumSpec| {
        if let SpectrumShape::List(list) = &spectrum.shape { largest(list) } else { 1.0 }
    };
    let of_data = |data: &SpectrumSpec| listed(data) * largest(data.scale.values());
    let most = largest(spectrum.scale.values()) * data.spectrum().map_or(1.0, of_data);
    let possible =
        (listed(&spectrum) * most).is_finite() && spectrum.scale.values().iter().all(|&scale| scale > 0.0);
    if possible { SpectrumSpec { scale: spectrum.scale.relative(), ..spectrum } } else { spectrum }
}

const TINY: f64 = f64::MIN_POSITIVE;

fn data() -> impl Strategy<Value = DataSpec> {
    let teacher = prop_oneof![
        floats(TINY, 1.0 - f64::EPSILON).prop_map(|separation| Teacher::Classes { separation }),
        floats(0.0, 1.0).prop_map(|label_noise| Teacher::Linear { label_noise }),
    ];
    let gaussian =
        (counted(TINY), teacher, 2..1000_u32).prop_map(|((components, spectrum), teacher, label_count)| {
            DataSpec::Gaussian(GaussianSpec {
                components,
                spectrum,
                signal: Signal::Random,
                teacher,
                label_count,
            })
        });
    let files = (files(), option::of(wholes(1, 999)))
        .prop_map(|(source, components)| RowsSpec {
            source: RowSource::Files(SourceFiles { groups: None, ..source }),
            components,
            shape: None,
            range: ValueRange::Own,
            held_out: HeldOut::Nothing,
            features: Box::new(FeaturesSpec::NONE),
        })
        .prop_map(DataSpec::Rows);
    prop_oneof![gaussian, files]
}

/// A text that names something in a file, or a file.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a/b".to_owned()), Just("labels.csv".to_owned()), "[^\0]{1,12}"]
}

/// Columns of the inputs' file, if that has any, or of one of their own.
fn columns(reader: &'static Reader, several: usize) -> impl Strategy<Value = Columns> {
    let names = move |least: usize| {
        btree_set(name(), least..=several).prop_map(|names| names.into_iter().collect::<Vec<_>>())
    };
    let own = (name().prop_map(PathBuf::from), names(0))
        .prop_map(|(file, names)| Columns { file: Some(file), names });
    let inside = names(1).prop_map(|names| Columns { file: None, names });
    if reader.columns { prop_oneof![own, inside].boxed() } else { own.boxed() }
}

/// Any reader's files.
fn files() -> impl Strategy<Value = SourceFiles> {
    (0..READERS.len()).prop_flat_map(|reader| {
        let reader = READERS[reader];
        let has = |choice| reader.choices.contains(&choice);
        let chosen = (option::of(name()), vec(name(), 0..3), option::of(0..2_usize)).prop_map(
            move |(matrix, mut columns, rows)| {
                columns.sort();
                columns.dedup();
                Chosen {
                    matrix: matrix.filter(|_| has(Choice::Matrix)),
                    columns: if has(Choice::Columns) { columns } else { Vec::new() },
                    rows: rows.map(|rows| Orientation::ALL[rows]).filter(|_| has(Choice::Rows)),
                }
            },
        );
        let answers = prop_oneof![
            columns(reader, 1).prop_map(Answers::Labels),
            columns(reader, 3).prop_map(Answers::Targets),
        ];
        let groups = option::of(columns(reader, 1));
        (name(), chosen, answers, groups).prop_map(move |(inputs, chosen, answers, groups)| SourceFiles {
            reader,
            inputs: inputs.into(),
            chosen,
            answers: Some(answers),
            groups,
        })
    })
}

/// Number of the first replicate, and how many there are: the last is below 2³¹.
fn replicates() -> impl Strategy<Value = (u32, u32)> {
    let most = i32::MAX.unsigned_abs();
    (1..=most).prop_flat_map(move |count| (prop_oneof![Just(0), 0..=most - count], Just(count)))
}

/// The metrics that a job without stages can name.
fn spectral_metrics() -> Vec<&'static Metric> {
    metrics::nameable().filter(|metric| !metric.is_probed()).collect()
}

fn spec() -> impl Strategy<Value = JobSpec> {
    let adaptive = option::of((2..1000_u32, 0..10_000_u32, 1e-9..1.0_f64)).prop_map(|drawn| {
        drawn.map(|(min, more, relative_error)| Adaptive { min, max: min + more, relative_error })
    });
    let run = ("[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,20}", any::<u64>(), replicates(), adaptive).prop_map(
        |(name, seed, (first_replicate, replicates), adaptive)| RunSpec {
            name,
            seed,
            replicates: adaptive.map_or(replicates, |adaptive| adaptive.max),
            adaptive,
            first_replicate: if adaptive.is_some() { 0 } else { first_replicate },
        },
    );
    let views = (named(0.0), floats(0.0, f64::MAX), any::<[bool; 3]>());
    let chosen = (
        proptest::sample::subsequence(paradigms::ALL.to_vec(), 1..=3),
        proptest::sample::subsequence(spectral_metrics(), 1..=3),
        proptest::sample::select(Sampler::ALL.to_vec()),
        (proptest::sample::select(Detail::ALL.to_vec()), 1..=MOST_PART_ROWS, (0.0..=1.0_f64)),
    );
    (run, data(), counted(0.0), views, chosen, wholes(1, 100_000_000)).prop_flat_map(
        |(job, data, (components, spectrum), views, (paradigms, metrics, sampler, layout), samples)| {
            let least = |axis: &Axis<i64>| axis.values().iter().copied().min().unwrap();
            let noise = least(&components);
            let most = data.components().map_or(i64::from(i32::MAX), |signal| least(signal) + noise);
            wholes(1, most.min(i64::from(i32::MAX))).prop_map(move |dimension| {
                let (mut view_spectrum, alignment, [listed, relative_noise, relative_views]) = views.clone();
                let signal = data.components().and_then(Axis::only);
                if let (true, Some(signal), Some(noise)) = (listed, signal, components.only())
                    && signal + noise < 50
                {
                    let list = (0..signal + noise).map(|index| 1.0 / (1 + index) as f64).collect();
                    view_spectrum =
                        SpectrumSpec { shape: SpectrumShape::List(list), scale: Axis::single(0.3) };
                }
                if relative_views {
                    view_spectrum = measured(view_spectrum, &data);
                }
                let mut spectrum = spectrum.clone();
                if relative_noise {
                    spectrum = measured(spectrum, &data);
                }
                JobSpec {
                    job: job.clone(),
                    data: data.clone(),
                    views: ViewsSpec::Spectral {
                        corruption: CorruptionSpec { components: components.clone(), spectrum },
                        augmentation: AugmentationSpec {
                            kind: &SPECTRAL,
                            spectrum: view_spectrum,
                            parameters: vec![alignment.clone()],
                        },
                    },
                    model: ModelSpec { paradigms: paradigms.clone(), dimension },
                    grid: GridSpec { samples: samples.clone() },
                    sampler,
                    output: OutputSpec {
                        metrics: metrics.clone(),
                        detail: layout.0,
                        part_rows: layout.1,
                        max_failed: layout.2,
                    },
                    boundary: None,
                }
            })
        },
    )
}

/// Numbers that a key of a stage takes.
fn taken(bounds: Bounds) -> Vec<f64> {
    let numbers = [0.0, 1.0, 0.25, 2.0, 0.1 + 0.2, 3.0, -1.5, 7.0, 1e-300, 1e17, 15.0];
    let whole = |number: &f64| !bounds.whole || number.fract() == 0.0;
    numbers.into_iter().filter(|number| whole(number) && (bounds.holds)(*number)).collect()
}

/// One value, or an axis, whose column is its key until the stage has a name.
fn stage_number(bounds: Bounds, key: &'static str, relative: bool) -> BoxedStrategy<StageNumber> {
    let numbers: Vec<f64> = taken(bounds).into_iter().filter(|number| !relative || *number > 0.0).collect();
    let most = numbers.len().min(3);
    (proptest::sample::subsequence(numbers, 1..=most), any::<bool>(), any::<bool>())
        .prop_map(move |(values, single, measured)| {
            let column = (values.len() > 1 || !single).then_some(key);
            let values = Axis::new(values).unwrap();
            StageNumber { column, values: if relative && measured { values.relative() } else { values } }
        })
        .boxed()
}

fn stage_value(takes: Takes, key: &'static str, variance: bool, depth: u32) -> BoxedStrategy<StageValue> {
    let number = |bounds| stage_number(bounds, key, variance).prop_map(StageValue::Number).boxed();
    let fixed = |strategy: BoxedStrategy<Fixed>| strategy.prop_map(StageValue::Fixed).boxed();
    let list = |bounds, size| fixed(vec(select(taken(bounds)), size).prop_map(Fixed::List).boxed());
    let rows = |bounds, columns: std::ops::RangeInclusive<usize>| {
        let rows = (1..4_usize, columns)
            .prop_flat_map(move |(rows, columns)| vec(vec(select(taken(bounds)), columns), rows));
        let matrix = |rows: Vec<Vec<f64>>| {
            Fixed::Matrix(faer::Mat::from_fn(rows.len(), rows[0].len(), |row, column| rows[row][column]))
        };
        fixed(rows.prop_map(matrix).boxed())
    };
    let word = |words: &'static [&'static str]| fixed(select(words).prop_map(Fixed::Word).boxed());
    let file = || "[^\0/]{1,9}".prop_map(|name| StageValue::File(format!("{name}.npy").into())).boxed();
    match takes {
        Takes::Number(bounds) => number(bounds),
        Takes::NumberOrList(bounds) => prop_oneof![number(bounds), list(bounds, 1..4), file()].boxed(),
        Takes::NumberListOrWord(bounds, words) => {
            prop_oneof![number(bounds), list(bounds, 1..4), word(words), file()].boxed()
        }
        Takes::List(bounds) => prop_oneof![list(bounds, 1..4), file()].boxed(),
        Takes::Pair(bounds) => list(bounds, 2..3),
        Takes::Pairs(bounds) => prop_oneof![rows(bounds, 2..=2), file()].boxed(),
        Takes::Matrix => prop_oneof![rows(Bounds::FINITE, 1..=3), file()].boxed(),
        Takes::Word(words) => word(words),
        Takes::Stages => vec(stage(depth - 1), 1..3).prop_map(StageValue::Stages).boxed(),
        Takes::Options => vec(vec(stage(depth - 1), 0..3), 1..3).prop_map(StageValue::Options).boxed(),
    }
}

/// A stage of any kind, by what the kind says of its keys; chains within it to a depth.
fn stage(depth: u32) -> BoxedStrategy<StageSpec> {
    let holds = |kind: &&&'static Kind| {
        depth > 0 || kind.keys.iter().all(|key| !matches!(key.takes, Takes::Stages | Takes::Options))
    };
    let kinds: Vec<&'static Kind> = KINDS.iter().filter(holds).copied().collect();
    let of_kind = move |kind: &'static Kind| {
        let values: Vec<_> = kind
            .keys
            .iter()
            .map(|key| {
                let value = stage_value(key.takes, key.name, key.is_variance(), depth);
                let value = value.prop_map(|value| (key.name, value));
                if key.unless == Unless::Required {
                    value.prop_map(Some).boxed()
                } else {
                    option::of(value).boxed()
                }
            })
            .collect();
        let has = |name| kind.keys.iter().any(|key| key.name == name);
        let mut doses = Vec::new();
        if !has("probability") {
            doses.push((DoseOf::Probability, Bounds::SHARE, "probability"));
        }
        if !has("strength") {
            doses.push((DoseOf::Strength, Bounds::NOT_NEGATIVE, "strength"));
            doses.push((DoseOf::Uniform, Bounds::NOT_NEGATIVE, "strength"));
        }
        let doses = doses.into_iter().map(|(of, bounds, key)| {
            stage_number(bounds, key, false).prop_map(move |number| Some((of, number))).boxed()
        });
        let doses: Vec<_> = std::iter::once(Just(None).boxed()).chain(doses).collect();
        (values, select(doses).prop_flat_map(|dose| dose)).prop_map(move |(values, dose)| StageSpec {
            kind,
            name: kind.name.to_owned(),
            values: values.into_iter().flatten().collect(),
            dose,
        })
    };
    select(kinds).prop_flat_map(of_kind).boxed()
}

/// Gives every stage that has axes a name of its own, and its axes their columns.
fn named_apart(stages: &mut [StageSpec], count: &mut usize) {
    for stage in stages {
        *count += 1;
        let name = format!("s-{count}");
        let mut renamed = false;
        let mut rename = |number: &mut StageNumber| {
            if let Some(key) = number.column {
                number.column = Some(chains::column(&name, key));
                renamed = true;
            }
        };
        for (_, value) in &mut stage.values {
            match value {
                StageValue::Number(number) => rename(number),
                StageValue::Stages(stages) => named_apart(stages, count),
                StageValue::Options(options) => {
                    options.iter_mut().for_each(|chain| named_apart(chain, count));
                }
                StageValue::Fixed(_) | StageValue::File(_) => {}
            }
        }
        if let Some((_, number)) = &mut stage.dose {
            rename(number);
        }
        if renamed {
            stage.name = name;
        }
    }
}

fn rows() -> impl Strategy<Value = DataSpec> {
    let share = || {
        (1e-9..1.0_f64, 0..2_usize)
            .prop_map(|(share, rows)| HeldOut::Share { share, rows: HeldOutRows::ALL[rows] })
    };
    let held_out = move |source: &SourceFiles| {
        let reader = source.reader;
        let answers = source.answers.as_ref().map(Answers::columns);
        let elsewhere = answers.is_some_and(|columns| columns.file.is_some());
        // Labels in a file of their own are so for held-out rows, too.
        let columns = if elsewhere {
            columns(reader, 1).prop_filter("a file", |columns| columns.file.is_some()).prop_map(Some).boxed()
        } else {
            option::of(columns(reader, 1)).boxed()
        };
        let files =
            (name(), columns).prop_map(|(inputs, answers)| HeldOut::Files { inputs: inputs.into(), answers });
        prop_oneof![Just(HeldOut::Nothing), share(), files]
    };
    let files = files().prop_flat_map(move |source| {
        (held_out(&source), Just(source)).prop_map(|(held_out, source)| {
            let share = matches!(held_out, HeldOut::Share { .. });
            let groups = source.groups.clone().filter(|_| share);
            (RowSource::Files(SourceFiles { groups, ..source }), held_out)
        })
    });
    let glyphs = (1..=i32::MAX.unsigned_abs(), prop_oneof![Just(HeldOut::Nothing), share()])
        .prop_map(|(count, held_out)| (RowSource::Glyphs { count }, held_out));
    let shape =
        option::of((1..9_usize, 1..99_usize, 1..99_usize).prop_map(|(channels, rows, columns)| Shape {
            channels,
            rows,
            columns,
        }));
    let range = prop_oneof![
        Just(ValueRange::Own),
        Just(ValueRange::Auto),
        (-1e300..0.5_f64, 0.5..1e300_f64).prop_map(|(low, high)| ValueRange::To([low, high])),
    ];
    (prop_oneof![files, glyphs], option::of(wholes(1, 999)), shape, range, features()).prop_map(
        |((source, held_out), components, shape, range, features)| {
            let needed = features.recipe.kind.components == Components::Required;
            let components = components.or_else(|| needed.then(|| Axis::single(3)));
            // Of images bytes are all that there is.
            let images = !matches!(&source, RowSource::Files(source) if !source.reader.images);
            let range = if images && range == ValueRange::Auto { ValueRange::Own } else { range };
            DataSpec::Rows(RowsSpec { source, components, shape, range, held_out, features })
        },
    )
}

fn features() -> impl Strategy<Value = Box<FeaturesSpec>> {
    let target = prop_oneof![Just(TargetSum::Median), (1e-300..1e300_f64).prop_map(TargetSum::To)];
    let kind = select(&features::KINDS[..]).prop_flat_map(|kind: &'static features::Kind| {
        let value = |key: &'static Key| match key.takes {
            Takes::Number(bounds) if bounds.whole => (100_000..=1_000_000_u32).prop_map(f64::from).boxed(),
            Takes::Number(_)
            | Takes::NumberOrList(_)
            | Takes::NumberListOrWord(..)
            | Takes::List(_)
            | Takes::Pair(_)
            | Takes::Pairs(_)
            | Takes::Matrix
            | Takes::Word(_)
            | Takes::Stages
            | Takes::Options => (1e-300..1e300_f64).boxed(),
        };
        let values: Vec<_> = kind.keys.iter().map(value).collect();
        let names = kind.keys.iter().map(|key| key.name);
        let names: Vec<_> = names.collect();
        (Just(kind), values.prop_map(move |values| names.iter().copied().zip(values).collect::<Vec<_>>()))
    });
    let flags = [any::<bool>(), any::<bool>(), any::<bool>()];
    (option::of(target), option::of(1..=i32::MAX.unsigned_abs()), kind, flags).prop_map(
        |(normalize, variable, (kind, values), [log1p, center, standardize])| {
            let recipe = Recipe { center, standardize, kind, values };
            Box::new(FeaturesSpec { normalize, log1p, variable, recipe })
        },
    )
}

fn with_stages() -> impl Strategy<Value = JobSpec> {
    let chain = || vec(stage(2), 0..3);
    let own = || option::weighted(0.3, vec(stage(1), 0..3));
    let words = (select(&Severities::ALL), select(&CorruptionDraw::ALL), select(&AlignmentDose::ALL));
    let numbers =
        (proptest::sample::subsequence(vec![1.0, 0.0, 0.5], 1..=3), floats(0.0, 1e300), 2..=1024_u32);
    (spec(), rows(), [chain(), chain()], [own(), own(), own()], words, numbers).prop_map(
        |(spec, data, [mut corruption, mut augmentation], own, words, (alignment, floor, sampled))| {
            let (severities, draw, dose) = words;
            let mut count = 0;
            named_apart(&mut corruption, &mut count);
            named_apart(&mut augmentation, &mut count);
            let mut own: Vec<_> =
                paradigms::ALL.into_iter().zip(own).filter_map(|(one, chain)| Some((one, chain?))).collect();
            own.iter_mut().for_each(|(_, chain)| named_apart(chain, &mut count));
            let severity = corruption.iter().any(|stage| stage.kind.severity.is_some());
            let severity = severity.then(|| Axis::new(vec![3, 0, 5]).unwrap());
            let alignment =
                if corruption.is_empty() { Axis::single(0.0) } else { Axis::new(alignment).unwrap() };
            let views = ViewsSpec::Stages(StagesSpec {
                corruption,
                severity,
                severities,
                draw,
                alignment,
                dose,
                floor,
                augmentation,
                own,
                sampled,
            });
            let model = ModelSpec { dimension: Axis::single(1), ..spec.model };
            let spec = JobSpec { data, views, model, sampler: Sampler::Moments, ..spec };
            // Of a grid that cannot be counted one cell, whose axes are still axes.
            let counted = spec.cells().is_some_and(|cells| cells <= CELLS_LIMIT);
            if counted { spec } else { cell(&spec, u64::from(spec.job.first_replicate), |_| 0) }
        },
    )
}

/// Pieces of job files, so that random texts get past the first syntax error.
fn fragment() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "[job]",
        "[data]",
        "[[grid]]",
        "[corruption]",
        "[augmentation.x]",
        "[model]",
        "\n",
        "\n",
        "=",
        " = ",
        ".",
        ",",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "#",
        "samples",
        "scale",
        "spectrum",
        "components",
        "dimension",
        "decay",
        "name",
        "from = 1",
        "to = 9",
        "ratio = 2",
        "step = 0.1",
        "count = 3",
        "count = 1e6",
        "scale = \"log\"",
        "nan",
        "-inf",
        "1e6",
        "0",
        "-1",
        "1e400",
        "99999999999999999999999999999999999999999999",
        "0xff",
        "true",
        "1979-05-27",
        "\"power-law\"",
        "[1, 2, 2]",
        "{ from = 1e-300, to = 1e300, ratio = 1.0001 }",
        "{ from = 1, to = 1e15, step = 1 }",
        "é",
        "\u{feff}",
        "grid.samples",
        "data.scale = ",
        "data.spectrum = ",
        "corruption.components = ",
        "model.paradigms = ",
        "data.source = \"glyphs\"\n",
        "[[augmentation.stages]]\n",
        "[[augmentation.reconstruction.stages]]\n",
        "corruption.stages = ",
        "augmentation.stages = ",
        "corruption.severity = 3\n",
        "data.range = ",
        "data.shape = [1, 28, 28]\n",
        "{ kind = \"dropout\", ",
        "kind = \"dropout\"\n",
        "kind = \"choice\"\n",
        "kind = \"strength\"\n",
        "kind = \"sometimes\", ",
        "probability = ",
        "probability = [0.1, 0.2]\n",
        "strength = { uniform = 1 }\n",
        "options = [[], [",
        "stages = [",
        "alpha = 0.5\n",
        "fill = \"f.npy\"\n",
        "weights = [1, -1]\n",
        "name = \"b\"\n",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), vec(fragment(), 0..24).prop_map(|pieces| pieces.concat())]
}

/// Every place lies within its source and between characters, and the report can be written.
fn well_formed(problems: &JobProblems) {
    assert!(!problems.problems.is_empty());
    for problem in &problems.problems {
        let text = &problems.sources[problem.place.source].text;
        assert!(text.get(problem.place.span.clone()).is_some(), "{problem:?} in {text:?}");
    }
    let _ = problems.to_string();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_jobs_parse_to_themselves(spec in spec()) {
        let text = spec.to_toml();
        let again = parse("other.toml", &text, &[], Path::new(""));
        let again = again.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        prop_assert_eq!(&again.spec, &spec, "{}", text);
        prop_assert_eq!(again.spec.to_toml(), text);
    }

    #[test]
    fn printed_jobs_with_stages_parse_to_themselves(spec in with_stages()) {
        let text = spec.to_toml();
        let again = parse("other.toml", &text, &[], Path::new(""));
        let again = again.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        prop_assert_eq!(&again.spec, &spec, "{}", text);
        prop_assert_eq!(again.spec.to_toml(), text);
        let names: Vec<_> = spec.axes().iter().map(|axis| axis.name).collect();
        let study: Vec<_> = again.spec.axes().iter().map(|axis| axis.name).collect();
        prop_assert_eq!(names, study);
    }

    #[test]
    fn no_text_panics(file in text(), overrides in vec(text(), 0..3)) {
        if let Err(problems) = parse(&file, &file, &overrides, Path::new(".")) {
            well_formed(&problems);
        }
        if let Err(problems) = views_file("views.toml", &file, Path::new(".")) {
            well_formed(&problems);
        }
    }

    #[test]
    fn no_override_panics(key in "(grid|data|job|model|corruption)\\.(samples|scale|name|components|spectrum)", value in text()) {
        if let Err(problems) = parse("a.toml", "", &[format!("{key}={value}")], Path::new(".")) {
            well_formed(&problems);
        }
    }
}

#[test]
fn resolved_text() {
    let text =
        job("data.components = 3\ngrid.samples = { from = 10, to = 20, step = 5 }\njob.name = \"small\"")
            .spec
            .to_toml();
    insta::assert_snapshot!(text, @r#"
    [job]
    name = "small"
    seed = 0
    replicates = 100
    first_replicate = 0

    [data]
    source = "gaussian"
    components = 3
    spectrum = "power-law"
    scale = 10000.0
    decay = 1.0
    teacher = "classes"
    label_count = 10
    separation = 0.5

    [corruption]
    kind = "spectral"
    components = 50
    spectrum = "uniform"
    scale = 1000.0

    [augmentation]
    kind = "spectral"
    spectrum = "uniform"
    scale = 10000.0
    alignment = 1.0

    [model]
    paradigms = ["supervised", "joint-embedding", "reconstruction"]
    dimension = 3

    [grid]
    samples = [10, 15, 20]

    [sampler]
    kind = "moments"

    [output]
    metrics = ["distance", "leakage", "gap"]
    detail = "rows"
    part_rows = 983040
    max_failed = 0.01
    "#);
}
