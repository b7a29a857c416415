//! Good jobs: defaults, forms of axes, overrides, columns.

use std::path::Path;

use eigensweep_theory::metrics::{DISTANCE, GAP, LEAKAGE};
use eigensweep_theory::paradigms;

use super::super::{
    AugmentationSpec, AxisValues, CorruptionSpec, DataSpec, JobSpec, Level, Place, RowSource, RowsSpec,
    Sampler, SpectrumShape, Teacher, parse,
};
use super::{job, read, refused, underlined};

fn corruption(spec: &JobSpec) -> &CorruptionSpec {
    spec.spectral().unwrap().0
}

fn augmentation(spec: &JobSpec) -> &AugmentationSpec {
    spec.spectral().unwrap().1
}

#[test]
fn a_lone_table_has_every_default() {
    let spec = job("[data]").spec;
    assert_eq!(spec.job.name, "figure");
    assert_eq!((spec.job.seed, spec.job.replicates, spec.job.first_replicate), (0, 100, 0));
    let DataSpec::Gaussian(data) = &spec.data else { panic!("{:?}", spec.data) };
    assert_eq!(data.components.values(), [50]);
    assert_eq!(data.spectrum.scale.values(), [1e4]);
    assert_eq!(data.label_count, 10);
    assert!(matches!(&data.teacher, Teacher::Classes { separation } if separation.values() == [0.5]));
    assert!(matches!(&data.spectrum.shape, SpectrumShape::PowerLaw { decay } if decay.values() == [1.0]));
    assert_eq!(corruption(&spec).components.values(), [50]);
    assert_eq!(corruption(&spec).spectrum.shape, SpectrumShape::Uniform);
    assert_eq!(corruption(&spec).spectrum.scale.values(), [1e3]);
    assert_eq!(augmentation(&spec).spectrum.scale.values(), [1e4]);
    assert_eq!(augmentation(&spec).alignment(), [1.0]);
    assert_eq!(spec.model.paradigms, paradigms::ALL);
    assert_eq!(spec.model.dimension.values(), [50]);
    assert_eq!(spec.grid.samples.values(), [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200]);
    assert_eq!(spec.sampler, Sampler::Moments);
    assert_eq!(spec.output.metrics, [&DISTANCE, &LEAKAGE, &GAP]);
    assert_eq!((spec.output.part_rows, spec.output.max_failed.to_bits()), (983_040, 0.01_f64.to_bits()));
    assert_eq!(spec.cells(), Some(10 * 3 * 100));
}

/// The job file of the contract, as it stands there.
#[test]
fn the_example_of_the_contract() {
    let text = r#"
        [job]
        name = "figure3-mnist"
        seed = 20250518
        replicates = 100
        [data]                      # clean inputs, the important features, and labels
        source = "idx"
        images = "path/to/train-images-idx3-ubyte.gz"
        labels = "/data/train-labels-idx1-ubyte.gz"
        components = 50
        [corruption]
        kind = "spectral"
        components = 50
        spectrum = "uniform"
        scale = [1e3, 1e6]
        [augmentation]
        kind = "spectral"
        spectrum = "uniform"
        scale = 1e4
        alignment = [0.1, 1.0, 10.0]
        [model]
        paradigms = ["supervised", "joint-embedding", "reconstruction"]
        dimension = 50
        [grid]
        samples = { from = 100, to = 51200, ratio = 2 }
        [sampler]
        kind = "moments"
        [output]
        metrics = ["distance", "leakage", "gap"]
        detail = "rows"
    "#;
    let spec = parse("x.toml", text, &[], Path::new("jobs")).unwrap().spec;
    assert_eq!(spec.cells(), Some(10 * 2 * 3 * 3 * 100));
    let DataSpec::Rows(RowsSpec { source: RowSource::Files(data), .. }) = &spec.data else {
        panic!("{:?}", spec.data)
    };
    let files = ["jobs/path/to/train-images-idx3-ubyte.gz", "/data/train-labels-idx1-ubyte.gz"];
    assert_eq!(data.files(), files.map(Path::new));
    assert_eq!(data.reader.name, "idx");
    let names: Vec<_> = spec.axes().iter().map(|axis| (axis.name, axis.values.count())).collect();
    assert_eq!(
        names,
        [
            ("samples", 10),
            ("signal_components", 1),
            ("noise_components", 1),
            ("noise_scale", 2),
            ("augmentation_scale", 1),
            ("alignment", 3),
            ("dimension", 1)
        ]
    );
}

#[test]
fn axes_in_canonical_order() {
    let power = "spectrum = \"power-law\"\ndecay = [1, 2]";
    let text = format!("[data]\nteacher = \"linear\"\n[corruption]\n{power}\n[augmentation]\n{power}");
    let spec = job(&text).spec;
    let names: Vec<_> = spec.axes().iter().map(|axis| axis.name).collect();
    assert_eq!(
        names,
        [
            "samples",
            "signal_components",
            "signal_scale",
            "signal_decay",
            "label_noise",
            "noise_components",
            "noise_decay",
            "noise_scale",
            "augmentation_decay",
            "augmentation_scale",
            "alignment",
            "dimension"
        ]
    );
    assert_eq!(spec.axes()[6].values, AxisValues::Floats(&[1.0, 2.0]));
    assert_eq!(spec.axes()[6].key, "corruption.decay");
    assert_eq!(job("[data]").spec.axes()[4].name, "separation");
    let levels: Vec<_> = spec.axes().iter().map(|axis| axis.level).collect();
    let [data, noise, views] = [Level::Data, Level::Noise, Level::Views];
    let expected =
        [&[Level::Samples][..], &[data; 4], &[noise; 3], &[views; 2], &[Level::Within, Level::Dimension]];
    assert_eq!(levels, expected.concat());
}

fn samples(range: &str) -> Vec<i64> {
    job(&format!("grid.samples = {range}")).spec.grid.samples.values().to_vec()
}

fn alignment(range: &str) -> Vec<f64> {
    augmentation(&job(&format!("augmentation.alignment = {range}")).spec).alignment().to_vec()
}

#[test]
fn ranges_of_whole_numbers() {
    let figure = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200];
    assert_eq!(samples("{ from = 100, to = 51200, ratio = 2 }"), figure);
    assert_eq!(samples("{ from = 100, to = 51199, ratio = 2 }"), figure[..9]);
    assert_eq!(samples("{ from = 100, to = 400, ratio = 1.5 }"), [100, 150, 225, 338]);
    assert_eq!(samples("{ from = 10, to = 35, step = 10 }"), [10, 20, 30]);
    assert_eq!(samples("{ from = 10, to = 30, step = 10 }"), [10, 20, 30]);
    assert_eq!(samples("{ from = 1, to = 10, count = 4 }"), [1, 4, 7, 10]);
    assert_eq!(
        samples("{ from = 1, to = 1e15, count = 4, scale = \"log\" }"),
        [1, 100_000, 10_000_000_000, 1_000_000_000_000_000]
    );
    assert_eq!(samples("1e6"), [1_000_000]);
    assert_eq!(samples("[0x10, 1_000, 5]"), [16, 1000, 5]);
    let powers = samples("{ from = 1, to = 562949953421312, ratio = 2 }");
    assert!(powers.iter().enumerate().all(|(index, &value)| value == 1 << index) && powers.len() == 50);
}

#[test]
#[expect(clippy::float_cmp, reason = "the values are promised exactly")]
fn ranges_of_real_numbers() {
    assert_eq!(alignment("{ from = 0.1, to = 10, count = 3, scale = \"log\" }"), [0.1, 1.0, 10.0]);
    assert_eq!(alignment("{ from = 0.1, to = 0.7, step = 0.1 }"), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    assert_eq!(alignment("{ from = 0, to = 1, count = 5, scale = \"linear\" }"), [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(
        alignment("{ from = 0.001, to = 1000, ratio = 10 }"),
        [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
    );
    // Ends with more digits than are kept between them.
    let (from, to) = (0.123_456_789_012_345_67, 0.987_654_321_098_765_4);
    let ends = alignment(&format!("{{ from = {from:?}, to = {to:?}, count = 9 }}"));
    assert_eq!((ends[0], ends[8]), (from, to));
    assert_eq!(alignment(&format!("{{ from = {from:?}, to = 1, ratio = 3 }}"))[0], from);
    assert_eq!(alignment("-0.0")[0].to_bits(), 0);
}

#[test]
fn a_scale_may_be_relative_to_the_data_in_any_form_of_an_axis() {
    for (text, values) in [
        ("{ relative = 2 }", &[2.0][..]),
        ("{ relative = [0.1, 1] }", &[0.1, 1.0]),
        ("{ relative = { from = 0.1, to = 10, count = 3, scale = \"log\" } }", &[0.1, 1.0, 10.0]),
    ] {
        let spec = read("[data]", &[&format!("corruption.scale={text}")]).unwrap().spec;
        let scale = &corruption(&spec).spectrum.scale;
        assert_eq!((scale.values(), scale.is_relative()), (values, true), "{text}");
        assert!(!augmentation(&spec).spectrum.scale.is_relative());
    }
    let spec = job("[corruption]\nspectrum = [3, 1]\nscale = { relative = 0.1 }").spec;
    let listed = &corruption(&spec).spectrum;
    assert_eq!((listed.shape.length(), listed.scale.is_relative()), (Some(2), true));
}

#[test]
fn the_longest_axis_is_allowed() {
    let values = alignment("{ from = 1, to = 2, count = 1000000 }");
    assert_eq!(values.len(), 1_000_000);
    assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(samples("{ from = 1, to = 1000000, step = 1 }").len(), 1_000_000);
}

#[test]
fn overrides_replace_add_and_the_last_wins() {
    let text = "[grid]\nsamples = { from = 1, to = 8, ratio = 2 }\n[output]\nmetrics = [\"gap\"]";
    let overrides = [
        "grid.samples=5",
        "output.metrics=[\"leakage\", \"distance\"]",
        " grid . samples = { from = 10, to = 30, step = 10 } ",
        "augmentation.alignment=[0.5,2]",
        "job.name=run-7",
    ];
    let spec = read(text, &overrides).unwrap().spec;
    assert_eq!(spec.grid.samples.values(), [10, 20, 30]);
    assert_eq!(spec.output.metrics, [&DISTANCE, &LEAKAGE]);
    assert_eq!(augmentation(&spec).alignment(), [0.5, 2.0]);
    assert_eq!(spec.job.name, "run-7");
}

#[test]
fn an_override_mends_a_bad_value_and_paths_need_no_quotes() {
    let overrides = ["data.source=idx", "data.images=../x.gz", "data.labels=\"y.gz\"", "model.dimension=3"];
    let spec = read("[data]\nimages = 7", &overrides).unwrap().spec;
    let DataSpec::Rows(RowsSpec { source: RowSource::Files(data), components, .. }) = &spec.data else {
        panic!("{:?}", spec.data)
    };
    assert_eq!(data.files(), ["../x.gz", "y.gz"].map(Path::new));
    assert_eq!(*components, None);
}

#[test]
fn paths_of_the_file_are_relative_to_it_and_those_of_overrides_to_the_working_directory() {
    let text = "[model]\ndimension = 3\n[data]\nsource = \"idx\"\nimages = \"x.gz\"\nlabels = \"y.gz\"";
    let files = |overrides: &[&str]| {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        let spec = parse("jobs/a.toml", text, &overrides, Path::new("jobs")).unwrap().spec;
        let DataSpec::Rows(RowsSpec { source: RowSource::Files(data), .. }) = spec.data else {
            panic!("{:?}", spec.data)
        };
        data.files()
    };
    assert_eq!(files(&[]), ["jobs/x.gz", "jobs/y.gz"].map(Path::new));
    assert_eq!(files(&["data.labels=here/y.gz"]), ["jobs/x.gz", "here/y.gz"].map(Path::new));
    assert_eq!(files(&["data.images=/x.gz", "data.labels=../y"]), ["/x.gz", "../y"].map(Path::new));
}

#[test]
fn lists_of_eigenvalues() {
    let text = "[data]\nspectrum = [4, 4, 1]\n[corruption]\ncomponents = 2\nspectrum = [1, 0.0]\nscale = [1, 10]\n\
        [augmentation]\nspectrum = [1, 2, 3, 4, 5]";
    let spec = job(text).spec;
    let DataSpec::Gaussian(data) = &spec.data else { panic!("{:?}", spec.data) };
    assert_eq!(data.components.values(), [3]);
    assert_eq!(data.spectrum.scale.values(), [1.0]);
    assert_eq!(data.spectrum.shape, SpectrumShape::List(vec![4.0, 4.0, 1.0]));
    assert_eq!(corruption(&spec).spectrum.scale.values(), [1.0, 10.0]);
    assert_eq!(spec.model.dimension.values(), [3]);
    // With raw features the number of components is not known yet: the list is taken on trust.
    let text = "[data]\nsource = \"idx\"\nimages = \"i\"\nlabels = \"l\"\n[augmentation]\nspectrum = [1]\n[model]\ndimension = 9";
    assert_eq!(augmentation(&job(text).spec).spectrum.shape.length(), Some(1));
}

#[test]
fn seeds_use_all_64_bits() {
    assert_eq!(job("job.seed = 18446744073709551615").spec.job.seed, u64::MAX);
    assert_eq!(job("job.seed = 1e6").spec.job.seed, 1_000_000);
}

#[test]
fn later_problems_stand_where_the_value_does() {
    let text = "[grid]\nsamples = [10, 70000]\n[model]\n";
    let source = read(text, &["data.components=4", "augmentation.alignment=[1,2]"]).unwrap().source;
    let place = |key: &str, index| {
        let problems = source.report(vec![source.problem_at_item(key, index, "m", "l", None)]);
        let problem = problems.problems[0].clone();
        (underlined(&problems, &problem).to_owned(), problem.place.source)
    };
    assert_eq!(place("grid.samples", 1), ("70000".into(), 0));
    assert_eq!(place("data.components", 0), ("4".into(), 1));
    assert_eq!(place("augmentation.alignment", 1), ("2".into(), 2));
    assert_eq!(place("model.dimension", 0), ("[model]".into(), 0));
    assert_eq!(source.problem_at("sampler.kind", "m", "l", None).place, Place::FILE);
    assert_eq!(source.problem_at("grid.samples", "m", "l", None).place.span, 17..28);
    assert_eq!(source.texts().len(), 3);
}

#[test]
fn the_name_comes_from_the_file() {
    let name = |file: &str| parse(file, "[job]", &[], Path::new("")).map(|job| job.spec.job.name);
    assert_eq!(name("jobs/a-b.c_1.toml").unwrap(), "a-b.c_1");
    assert!(name("jobs/my job.toml").is_err());
    assert!(name("").is_err());
    assert!(refused("job.name = \"a/b\"", &[]).problems[0].message.contains("cannot name a directory"));
}
