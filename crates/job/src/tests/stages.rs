//! Jobs with stages: what their keys take, where problems stand, and what their axes are.

use std::path::{Path, PathBuf};

use eigensweep_theory::views::stages::{Domain, Fault, Value, named};

use super::super::chains::STAGES_LIMIT;
use super::super::stages::{AlignmentDose, CorruptionDraw, StageValue};
use super::super::*;
use super::{each, job, refused, underlined};

const GLYPHS: &str = "data.source = \"glyphs\"\nmodel.dimension = 3\n";

/// [`each`] of jobs on glyphs, from the text after the source.
fn each_of(cases: &str) {
    let lines = cases.lines().filter(|line| !line.trim().is_empty());
    let jobs: Vec<String> = lines
        .map(|line| {
            let line = line.trim_start();
            if line.starts_with("//") {
                line.to_owned()
            } else {
                format!("{}{line}", GLYPHS.replace('\n', "\\n"))
            }
        })
        .collect();
    each(&jobs.join("\n"));
}

const LONG: &str = r#"
[data]
source = "glyphs"
test_share = 0.2
[corruption]
stages = [{ kind = "dropout", name = "lost-pixels", probability = [0.1, 0.2] }]
draw = "population"
[augmentation]
alignment = [0, 1]
[[augmentation.stages]]
kind = "dropout"
probability = { from = 0.1, to = 0.5, count = 3 }
fill = "fill.npy"
[[augmentation.stages]]
kind = "choice"
weights = [1, 2]
options = [[], [{ kind = "dropout", name = "b", probability = 0.2, fill = [1, 2], strength = { uniform = [0.5] } }]]
[[augmentation.reconstruction.stages]]
kind = "sometimes"
probability = 0.5
stages = [{ kind = "dropout", probability = 0.2 }]
[model]
dimension = 5
"#;

#[test]
fn a_job_with_stages_is_printed_with_its_defaults_and_inline() {
    insta::assert_snapshot!(job(LONG).spec.to_toml(), @r#"
    [job]
    name = "figure"
    seed = 0
    replicates = 100
    first_replicate = 0

    [data]
    source = "glyphs"
    count = 20000
    test_share = 0.2

    [corruption]
    severities = "imagenet-c"
    draw = "population"
    stages = [{ kind = "dropout", name = "lost-pixels", probability = [0.1, 0.2] }]

    [augmentation]
    alignment = [0.0, 1.0]
    dose = "fixed"
    floor = 0.0
    stages = [{ kind = "dropout", probability = [0.1, 0.3, 0.5], fill = "fill.npy" }, { kind = "choice", options = [[], [{ kind = "dropout", name = "b", probability = 0.2, fill = [1.0, 2.0], strength = { uniform = [0.5] } }]], weights = [1.0, 2.0] }]
    reconstruction = { stages = [{ kind = "sometimes", probability = 0.5, stages = [{ kind = "dropout", probability = 0.2 }] }] }

    [features]
    views = 8

    [model]
    paradigms = ["supervised", "joint-embedding", "reconstruction"]
    dimension = 5

    [grid]
    samples = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200]

    [output]
    metrics = ["distance", "leakage", "gap", "rank", "tier"]
    detail = "rows"
    part_rows = 983040
    max_failed = 0.01
    "#);
}

#[test]
fn axes_of_stages_have_the_columns_places_and_levels_of_their_tables() {
    let spec = job(LONG).spec;
    let axes: Vec<_> = spec.axes().iter().map(|axis| (axis.name, axis.key, axis.level)).collect();
    assert_eq!(
        axes,
        [
            ("samples", "grid.samples", Level::Samples),
            ("lost_pixels_probability", "corruption.stages[0].probability", Level::Noise),
            ("alignment", "augmentation.alignment", Level::Within),
            ("floor", "augmentation.floor", Level::Views),
            ("dropout_probability", "augmentation.stages[0].probability", Level::Views),
            ("b_strength", "augmentation.stages[1].options[1][0].strength.uniform", Level::Views),
            ("dimension", "model.dimension", Level::Dimension),
        ]
    );
    // One cell keeps the columns, and is a part of the whole.
    let one = cell(&spec, 3, |name| usize::from(name == "dropout_probability"));
    assert_eq!(one.cells(), Some(3));
    assert_eq!(job(&one.to_toml()).spec, one);
    let rest = remainder(&spec, std::slice::from_ref(&one)).unwrap();
    let cells: u128 = rest.iter().filter_map(JobSpec::cells).sum();
    assert_eq!(Some(cells + 3), spec.cells());
}

#[test]
fn a_study_has_the_columns_of_its_axes_and_not_their_values_and_no_paths() {
    let one = job(LONG).spec;
    let grown = LONG.replace("[0.1, 0.2]", "[0.1, 0.2, 0.3]").replace("fill.npy", "other.npy");
    let grown = job(&grown).spec;
    assert_eq!(one.study(), grown.study());
    assert_ne!(one.content(), grown.content());
    assert!(!one.content().contains("npy") && one.to_toml().contains("\"fill.npy\""));
    assert!(one.study().contains("probability = lost_pixels_probability"));
    // A number that is no axis is part of the study.
    assert_ne!(one.study(), job(&LONG.replace("probability = 0.2", "probability = 0.3")).spec.study());
    // Spectral jobs are as they were.
    let spectral = job("[data]").spec;
    assert_eq!((spectral.study(), spectral.content()), (spectral.to_toml(), spectral.to_toml()));
}

#[test]
fn defaults_are_those_of_jobs_with_stages() {
    let job = job(&format!("{GLYPHS}augmentation.stages = []"));
    let stages = job.spec.stages().unwrap();
    assert_eq!((stages.alignment.only(), stages.floor.only(), stages.sampled), (Some(0.0), Some(0.0), 8));
    assert_eq!((stages.draw, stages.dose), (CorruptionDraw::Once, AlignmentDose::Fixed));
    let DataSpec::Rows(rows) = &job.spec.data else { panic!() };
    assert_eq!(
        (rows.range, &rows.source),
        (ValueRange::To([0.0, 1.0]), &RowSource::Glyphs { count: 20_000 })
    );
    // Those of a spectral job leave values as they are.
    let DataSpec::Rows(rows) = super::job(GLYPHS).spec.data else { panic!() };
    assert_eq!(rows.range, ValueRange::Own);
    let as_they_are = super::job(&format!("{GLYPHS}augmentation.stages = []\ndata.range = \"none\"")).spec;
    let DataSpec::Rows(rows) = &as_they_are.data else { panic!() };
    assert_eq!(rows.range, ValueRange::Own);
    assert!(as_they_are.to_toml().contains("range = \"none\""));
}

#[test]
fn stages_of_a_paradigm_replace_those_above_also_by_none() {
    let text = format!(
        "{GLYPHS}[augmentation.joint-embedding]\nstages = []\n[[augmentation.supervised.stages]]\nkind = \"dropout\"\nprobability = 0"
    );
    let spec = job(&text).spec;
    let own = &spec.stages().unwrap().own;
    let found: Vec<_> = own.iter().map(|(paradigm, chain)| (paradigm.name, chain.len())).collect();
    assert_eq!(found, [("supervised", 1), ("joint-embedding", 0)]);
}

#[test]
fn paths_are_relative_to_the_job_file_and_those_of_overrides_are_not() {
    let text = format!(
        "{GLYPHS}augmentation.stages = [{{ kind = \"dropout\", probability = 0.1, fill = \"a.npy\" }}]"
    );
    let set = "corruption.stages=[{ kind = \"dropout\", probability = 0.1, fill = \"b.npy\" }]".to_owned();
    let mut spec = parse("a.toml", &text, &[set], Path::new("jobs")).unwrap().spec;
    let paths: Vec<PathBuf> = spec.paths_mut().into_iter().map(|path| path.clone()).collect();
    assert_eq!(paths, [PathBuf::from("b.npy"), Path::new("jobs").join("a.npy")]);
}

#[test]
fn lists_are_vectors_where_a_key_takes_them_and_ranges_are_axes() {
    let of = |value: &str| {
        let text = format!(
            "{GLYPHS}augmentation.stages = [{{ kind = \"dropout\", probability = 0.1, fill = {value} }}]"
        );
        job(&text).spec.stages().unwrap().augmentation[0].values[1].1.clone()
    };
    assert_eq!(of("[1, 1]"), StageValue::Fixed(Value::List(vec![1.0, 1.0])));
    let StageValue::Number(number) = of("{ from = 0, to = 1, count = 2 }") else { panic!() };
    assert_eq!((number.column, number.values.values()), (Some("dropout_fill"), &[0.0, 1.0][..]));
    let StageValue::Number(number) = of("{ values = [2, 1] }") else { panic!() };
    assert_eq!((number.column, number.values.values()), (Some("dropout_fill"), &[2.0, 1.0][..]));
    let StageValue::Number(number) = of("-1") else { panic!() };
    assert_eq!((number.column, number.values.only()), (None, Some(-1.0)));
}

#[test]
fn stages_that_are_wrong_are_refused_where_they_stand() {
    each_of(
        r##"
        augmentation.stages = 3 | `augmentation.stages` must be a list of stages, not a number | 3 | write a stage as
        augmentation.stages = [3] | `augmentation.stages[0]` must be a stage, not a number | 3 | write a stage as
        augmentation.stages = [{}] | `augmentation.stages[0]` has no `kind` | {} | the kinds are
        [augmentation]\nstages = [{ kind = 3 }] | `augmentation.stages[0].kind` must be a kind of stages, in quotes, not a number | 3 | the kinds are
        [augmentation]\nstages = [{ kind = "dropuot" }] | there is no kind of stages "dropuot" | "dropuot" | did you mean "dropout"?
        [[augmentation.stages]]\nkind = "dropout" | a stage of kind "dropout" needs `probability` | "dropout" | of being replaced
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfil = 3 | `augmentation.stages[0]` has no key `fil` | fil | did you mean `fill`?
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 2 | `augmentation.stages[0].probability` must be from 0 to 1, not 2 | 2 |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = [0.1, -1] | `augmentation.stages[0].probability` must be from 0 to 1, not -1 | -1 |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = nan | `augmentation.stages[0].probability` must be finite, not nan | nan |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = inf | `augmentation.stages[0].probability` must be finite, not inf | inf |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 30 | `augmentation.stages[0].probability` must be from 0 to 1, not 30 | 30 | 30 % is 0.3
        [[augmentation.stages]]\nkind = "dropout"\nprobability = { relative = 1 } | `augmentation.stages[0].probability` is not relative to the data | { relative = 1 } |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfill = [] | `augmentation.stages[0].fill` is empty | [] |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfill = [1, inf] | `augmentation.stages[0].fill` must be finite, not inf | inf |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfill = "median" | `augmentation.stages[0].fill` must be numbers, "mean" or the path of an .npy file, not "median" | "median" | ends with .npy
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfill = { values = 3 } | `augmentation.stages[0].fill.values` must be a list of numbers, not a number | 3 |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nfill = { values = [1, 1] } | `augmentation.stages[0].fill.values` has the value 1.0 twice | 1 |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nname = "A" | `augmentation.stages[0].name` cannot name a column | "A" | letters from a to z
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nname = "" | `augmentation.stages[0].name` cannot name a column | "" | at most 64
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nstrength = -1 | `augmentation.stages[0].strength` must be at least 0, not -1 | -1 |
        [[augmentation.stages]]\nkind = "dropout"\nprobability = 0\nstrength = { uniform = -1 } | `augmentation.stages[0].strength.uniform` must be at least 0, not -1 | -1 |
        [[augmentation.stages]]\nkind = "choice"\noptions = [] | `augmentation.stages[0].options` is empty | [] |
        [[augmentation.stages]]\nkind = "choice"\noptions = [3] | `augmentation.stages[0].options[0]` must be a list of stages, not a number | 3 |
        [[augmentation.stages]]\nkind = "choice"\noptions = [[], [{ kind = "x" }]] | there is no kind of stages "x" | "x" |
        [[augmentation.stages]]\nkind = "choice"\noptions = [[]]\nweights = [-1] | `augmentation.stages[0].weights` must be at least 0, not -1 | -1 | relative to the others
        [[augmentation.stages]]\nkind = "choice"\noptions = [[]]\nweights = 1 | `augmentation.stages[0].weights` must be a list of numbers, or the path of an .npy file, not a number | 1 | no axis
        [[augmentation.stages]]\nkind = "choice"\noptions = [[]]\nprobability = 1\nstrength = 1 | `augmentation.stages[0]` has both a probability and a strength | strength | "sometimes"
        [[augmentation.stages]]\nkind = "strength"\nalpha = 1\nstages = [] | `augmentation.stages[0].stages` is empty | [] |
        augmentation.reconstruction = 3 | `augmentation.reconstruction` must be a table, not a number | 3 | `stages = [ … ]`
        augmentation.reconstruction = {} | `augmentation.reconstruction` has no stages | {} |
        augmentation.reconstruction = { stage = [], stages = [] } | `augmentation.reconstruction` has no key `stage` | stage | did you mean `stages`?
        augmentation.reconstructin = { stages = [] } | [augmentation] has no key `reconstructin` | reconstructin | did you mean `reconstruction`?
        "##,
    );
}

#[test]
fn keys_that_stages_have_no_use_for_are_refused_and_so_are_theirs_without_stages() {
    each_of(
        r##"
        augmentation.stages = []\ncorruption.scale = 3 | `corruption.scale` has no meaning with stages | scale | in both tables alike
        corruption.stages = []\naugmentation.kind = "spectral" | `augmentation.kind` has no meaning with stages | kind | leave out this key
        augmentation.stages = []\nsampler.kind = "moments" | `sampler.kind` has no meaning with stages | kind |
        augmentation.floor = 1 | `augmentation.floor` has no meaning with no stages | floor | only a job with stages
        features.views = 2 | `features.views` has no meaning with no stages | views |
        data.shape = [1, 28, 28] | `data.shape` has no meaning with no stages | shape |
        // What does not fit each other.
        augmentation.stages = []\naugmentation.alignment = [0, 1] | `augmentation.alignment` is a dose of the corruption, and there is none | 1 | leave `alignment` out
        corruption.stages = [{ kind = "dropout", probability = 0 }]\naugmentation.dose = "probability"\naugmentation.alignment = 2 | `augmentation.alignment` must be from 0 to 1, not 2 | 2 |
        corruption.stages = [{ kind = "dropout", probability = 0 }]\ncorruption.severity = 1 | `corruption.severity` has no meaning for these stages | 1 | severities fill in
        corruption.stages = [{ kind = "dropout", probability = [0, 1] }]\naugmentation.stages = [{ kind = "dropout", probability = [0, 0.5] }] | there is another column `dropout_probability` | [0, 0.5] | name = "…"
        corruption.stages = [{ kind = "dropout", probability = [0, 1], name = "gap" }] | there is another column `gap_probability` | [0, 1] | name = "…"
        features.views = 1\naugmentation.stages = [] | `features.views` must be a whole number from 2 to 1024, not 1 | 1 |
        augmentation.stages = []\ndata.shape = [28, 28] | `data.shape` must be three whole numbers, not [28, 28] | [28, 28] | [1, 28, 28]
        augmentation.stages = []\ndata.shape = [1, 0, 28] | `data.shape` must be a whole number from 1 to 1000000, not 0 | 0 |
        augmentation.stages = []\ndata.shape = [1000, 1000, 1000] | `data.shape` has more than 1000000 features | [1000, 1000, 1000] |
        augmentation.stages = []\ndata.shape = [99999999999999999999999999, 1, 1] | `data.shape` must be a whole number from 1 to 1000000, not 99999999999999999999999999 | 99999999999999999999999999 |
        data.range = [1, 0] | `data.range` must be two numbers, the smaller one first, not [1, 0] | [1, 0] |
        data.range = "raw" | `data.range` must be "none", not "raw" | "raw" |
        augmentation.stages = []\ndata.test_share = 1 | `data.test_share` must be above 0 and below 1, not 1 | 1 |
        augmentation.stages = []\ndata.components = 2 | `model.dimension` = 3 is more than the inputs have components | 3 | at most 2
        "##,
    );
    each(
        r##"
        augmentation.stages = [] | a job with stages needs rows of inputs, and source = "gaussian" draws moments | | source = "glyphs"
        model.dimension = 3\naugmentation.stages = []\n[data]\nsource = "idx"\nimages = "i"\nlabels = "l"\ntest_images = "t" | `data.test_images` needs `data.test_labels` | "t" | test_images, test_labels
        model.dimension = 3\naugmentation.stages = []\n[data]\nsource = "idx"\nimages = "i"\nlabels = "l"\ntest_images = "t"\ntest_labels = "u"\ntest_share = 0.1 | `data.test_share` and `data.test_images` exclude each other | 0.1 |
        "##,
    );
}

/// However many there are, of one problem and quickly.
#[test]
fn more_stages_than_there_may_be_are_refused_once() {
    let stages = |count: usize| "{ kind = \"dropout\", probability = 0 },".repeat(count);
    assert!(read_chain(&stages(STAGES_LIMIT)).is_ok());
    for many in [stages(STAGES_LIMIT + 1), stages(1_000_000)] {
        let problems = read_chain(&many).unwrap_err();
        assert_eq!(problems.problems.len(), 1);
        assert_eq!(problems.problems[0].message, "the chains have more than 1000 stages");
    }
    // Those within stages count, too.
    let inner = format!("{{ kind = \"sometimes\", probability = 1, stages = [{}] }},", stages(600));
    assert!(read_chain(&inner).is_ok());
    assert_eq!(read_chain(&inner.repeat(3)).unwrap_err().problems.len(), 1);
}

fn read_chain(stages: &str) -> Result<Job, JobProblems> {
    super::read(&format!("{GLYPHS}augmentation.stages = [{stages}]"), &[])
}

#[test]
fn stages_within_stages_end_where_the_syntax_does() {
    let deep = |depth: usize| {
        let open = "{ kind = \"sometimes\", probability = 1, stages = [".repeat(depth);
        read_chain(&format!("{open}{{ kind = \"dropout\", probability = 0 }}{}", "]}".repeat(depth)))
    };
    assert!(deep(20).is_ok());
    assert!(!deep(10_000).unwrap_err().problems.is_empty());
}

#[test]
fn what_only_a_built_stage_knows_is_told_at_its_key() {
    let job = job(LONG);
    let text = &job.source.texts()[0].text;
    let at = |problem: &Problem| text[problem.place.span.clone()].to_owned();
    let fault = Fault::new("fill", "2 values for 784 features", "give one for each");
    let nested = fault.clone().within("options[1][0]");
    assert_eq!(at(&job.source.problem_of_fault("augmentation.stages[1]", &nested)), "[1, 2]");
    assert_eq!(at(&job.source.problem_of_fault("augmentation.stages[0]", &fault)), "\"fill.npy\"");
    // A key that is not given stands for its stage.
    let fault = Fault::new("fill", "…", "…");
    let problem = job.source.problem_of_fault("augmentation.reconstruction.stages[0].stages[0]", &fault);
    assert_eq!(at(&problem), "{ kind = \"dropout\", probability = 0.2 }");
    let kind = named("dropout").unwrap();
    let problem = job.source.problem_of_domain("augmentation.stages[0]", kind, Domain::Counts, Domain::Real);
    assert_eq!(at(&problem), "\"dropout\"");
    assert_eq!(
        problem.message,
        "a stage of kind \"dropout\" cannot be drawn at real numbers: it needs counts"
    );
    assert!(at(&job.source.problem_of_fixed_corruption()).starts_with("[{ kind = \"dropout\""));
}

#[test]
fn a_file_of_views_has_stages_without_axes() {
    let read = |text: &str| views_file("views.toml", text, Path::new("dir"));
    let text = "shape = [1, 2, 2]\nfloor = 0.5\n[[stages]]\nkind = \"dropout\"\nprobability = 0.5\nfill = \"a.npy\"\n\
        [[corruption]]\nkind = \"dropout\"\nprobability = 0.25";
    let views = read(text).unwrap();
    assert_eq!((views.stages.len(), views.corruption.len(), views.floor), (1, 1, 0.5));
    assert_eq!(views.shape.map(|shape| shape.size()), Some(4));
    assert_eq!(views.stages[0].values[1].1, StageValue::File(Path::new("dir").join("a.npy")));
    assert_eq!(read("stages = []").map(|views| (views.floor, views.shape)).unwrap(), (0.0, None));
    let place = views.source.place("stages[0].probability");
    assert_eq!(&text[place.span], "0.5");
    for (text, message, place) in [
        ("", "`stages` is needed", ""),
        ("stages = []\nflor = 1", "a file of views has no key `flor`", "flor"),
        ("stages = []\nfloor = -1", "`floor` must be at least 0, not -1", "-1"),
        (
            "stages = [{ kind = \"dropout\", probability = [0.1, 0.2] }]",
            "`stages[0].probability` takes one number, not a list",
            "[0.1, 0.2]",
        ),
        ("stages = [{ kind = \"drop\" }]", "there is no kind of stages \"drop\"", "\"drop\""),
        ("stages = [", "unclosed array, expected `]`", ""),
    ] {
        let problems = read(text).unwrap_err();
        assert_eq!(problems.problems[0].message, message, "{text}");
        assert_eq!(underlined(&problems, &problems.problems[0]), place, "{text}");
    }
}

#[test]
fn what_is_refused_is_said_once() {
    let problems =
        refused(&format!("{GLYPHS}augmentation.stages = [{{ kind = \"x\" }}, {{ kind = \"y\" }}]"), &[]);
    assert_eq!(problems.problems.len(), 2);
}
