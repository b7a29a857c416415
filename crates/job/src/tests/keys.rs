//! The table of keys checks itself: what a declaration says is what is read, printed and
//! documented.

use std::collections::BTreeSet;
use std::path::Path;

use eigensweep_inputs::readers::READERS;
use eigensweep_theory::features::{Components, Kind as FeatureKind, named as feature_kind};
use eigensweep_theory::views::stages::KINDS;

use super::super::keys::{
    Default, Identity, KEYS, Key, Kind, STAGES, VIEWS, When, axes, enters, find, markdown, names, tables,
};
use super::super::{AxisValues, JobSpec, Shown, commented, stored};
use super::{job, read};

/// What must stand in a table so that a key has a meaning: its conditions, and what files are read.
fn beside(key: &Key) -> String {
    let mut text = String::new();
    for when in &key.when {
        if when.key == VIEWS && when.is.contains(&STAGES) {
            let other = if key.path == "augmentation.stages" { "corruption" } else { "augmentation" };
            text.push_str(&format!("{other}.stages = []\n"));
            text.push_str(if key.table == "data" { "" } else { "data.source = \"glyphs\"\n" });
        }
        let (table, name) = when.place(key.table);
        if find(table, name).is_some_and(|key| matches!(key.kind, Kind::Word(_) | Kind::Spectrum(_))) {
            text.push_str(&format!("{table}.{name} = {:?}\n", when.is[0]));
        }
    }
    if key.path == "corruption.severity"
        && let Some(kind) = with_severities()
    {
        text.push_str(&format!("corruption.stages = [{{ kind = {kind:?} }}]\n"));
    }
    if key.name == "test_rows" || key.name == "groups" {
        text.push_str("data.test_share = 0.5\n");
    }
    // Files have labels or targets, those of held-out rows the same.
    if READERS.iter().any(|reader| holds(key, "source", &[reader.name])) {
        let of = if key.name.ends_with("targets") { "targets" } else { "labels" };
        if key.name != of {
            text.push_str(&format!("data.{of} = \"x\"\n"));
        }
        if let Some(of_key) =
            key.name.strip_prefix("test_").filter(|_| matches!(key.kind, Kind::Path | Kind::Columns))
        {
            let inputs =
                READERS.iter().find(|reader| holds(key, "source", &[reader.name])).unwrap().inputs.key;
            let other = if of_key == inputs { of } else { inputs };
            text.push_str(&format!("data.test_{other} = \"x\"\n"));
        }
    }
    let needed = KEYS.iter().filter(|other| matches!(other.default, Default::Required));
    for other in needed.filter(|other| {
        other.path != key.path && other.when.iter().all(|when| holds(key, when.key, &when.is))
    }) {
        text.push_str(&format!("{} = \"x\"\n", other.path));
    }
    text
}

/// A kind of stages that a severity fills in.
fn with_severities() -> Option<&'static str> {
    KINDS.iter().find(|kind| kind.severity.is_some()).map(|kind| kind.name)
}

/// The keys of which there is a job: of a severity only where a kind has some.
fn possible() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.path != "corruption.severity" || with_severities().is_some())
}

/// Whether a key stands beside one of these words of another key.
fn holds(key: &Key, name: &str, is: &[&str]) -> bool {
    key.table == "data" && key.when.iter().any(|when| when.key == name && is.contains(&when.is[0]))
}

/// Some value that a key takes, in TOML.
fn example(key: &Key) -> String {
    match (&key.default, &key.kind) {
        (_, Kind::Range(_)) => "[0.0, 0.5]".to_owned(),
        (_, Kind::Patterns) => "[\"some*\"]".to_owned(),
        (_, Kind::Flag) => "true".to_owned(),
        (_, Kind::Word(words)) if key.silent => format!("{:?}", words[words.len() - 1]),
        (Default::Derived(_), Kind::Whole(_)) | (_, Kind::NumberOr(..)) => "3".to_owned(),
        (Default::Derived(_), Kind::Word(words)) => format!("{:?}", words[0]),
        (_, Kind::Shape) => "[1, 4, 7]".to_owned(),
        (_, Kind::Own(_)) => "{ stages = [] }".to_owned(),
        (Default::Is(value), _) => value.clone(),
        (_, Kind::Number(allowed)) if !(allowed.holds)(3.0) => "0.5".to_owned(),
        (Default::Listed { named, .. }, _) => (*named).to_owned(),
        (Default::Required | Default::Derived(_), Kind::Number(_)) => "3".to_owned(),
        (Default::Required | Default::Derived(_), _) => "\"some\"".to_owned(),
    }
}

/// A job in which a key has a meaning and is given.
fn with(key: &Key, value: &str) -> JobSpec {
    let dimension = if key.path == "model.dimension" { "" } else { "model.dimension = 2\n" };
    of_key(key, &format!("{dimension}{}{} = {value}\n", beside(key), key.path))
}

/// A job as the key's table is part of it.
fn of_key(key: &Key, text: &str) -> JobSpec {
    let job = job(text);
    if key.table == "boundary" { job.traced().unwrap().spec } else { job.spec }
}

/// The value of a key in a printed job.
fn printed(spec: &JobSpec, key: &Key) -> Option<String> {
    let table: toml::Table = spec.to_toml().parse().unwrap();
    let (of, name) = key.same_as.map_or((key.table, key.name), |path| path.split_once('.').unwrap());
    Some(table.get(of)?.get(name)?.to_string())
}

#[test]
fn every_key_is_read_from_a_job_printed_and_read_back() {
    for key in possible() {
        let spec = with(key, &example(key));
        assert!(printed(&spec, key).is_some(), "{} [{}]", key.path, key.condition());
        assert_eq!(stored("figure.toml", &spec.to_toml(), &[]).unwrap().spec, spec, "{}", key.path);
    }
}

#[test]
fn a_key_that_is_left_out_has_its_default() {
    for key in KEYS.iter() {
        let (Default::Is(value), false) = (&key.default, key.path == "model.dimension") else { continue };
        let without = of_key(key, &format!("model.dimension = 2\n{}", beside(key)));
        let given = with(key, value);
        assert_eq!(printed(&without, key), printed(&given, key), "{}", key.path);
        if key.silent {
            assert_eq!(printed(&given, key), None, "{}", key.path);
        }
    }
}

#[test]
fn what_a_key_says_of_its_axis_is_what_axes_gives() {
    for key in possible() {
        let spec = with(key, &example(key));
        let found = spec.axes().into_iter().find(|axis| axis.key == key.same_as.unwrap_or(&key.path));
        let declared = key.axis.map(|column| (column.name, column.level));
        assert_eq!(found.map(|axis| (axis.name, axis.level)), declared, "{}", key.path);
        let Kind::Number(allowed) = &key.kind else { continue };
        if let Some(found) = found {
            assert_eq!(allowed.whole, matches!(found.values, AxisValues::Integers(_)), "{}", key.path);
        }
        assert!(!(allowed.holds)(f64::NAN), "{}", key.path);
    }
}

#[test]
fn a_key_that_is_relative_to_the_data_says_so_and_is_printed_as_it_was_read() {
    let relative: Vec<&Key> = KEYS.iter().filter(|key| key.relative).collect();
    let paths: Vec<&str> = relative.iter().map(|key| key.path.as_str()).collect();
    assert_eq!(paths, ["corruption.scale", "augmentation.scale"]);
    for key in relative {
        assert!(key.allowed().contains("{ relative = x }") && key.help.contains("the column holds x"));
        for value in ["0.5", "[0.1, 1.0]"] {
            let spec = with(key, &format!("{{ relative = {value} }}"));
            assert_eq!(printed(&spec, key), Some(format!("{{ relative = {value} }}")), "{}", key.path);
            assert_eq!(job(&spec.to_toml()).spec, spec);
            let axes = spec.axes();
            let axes: Vec<_> = axes.iter().filter(|axis| axis.relative).map(|axis| axis.key).collect();
            assert_eq!(axes, [key.path.as_str()]);
        }
    }
}

#[test]
fn commented_jobs_are_read_without_problems_and_amount_to_the_defaults() {
    let defaults = job("[data]").spec;
    for shown in [Shown::Minimal, Shown::Common, Shown::Full] {
        let text = commented(shown);
        assert_eq!(job(&text).spec, defaults, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{text}");
    }
}

/// A line of a commented job that is a key, or would be one without its mark.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim_start_matches("# ").split_once(" = ")?;
    let plain = name
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter));
    plain.then_some((name, value))
}

#[test]
fn commented_jobs_grow_and_the_full_one_has_every_key_with_its_help() {
    let keys = |shown| {
        let text = commented(shown);
        let mut found = BTreeSet::new();
        for page in text.split("\n[").skip(1) {
            let (table, page) = page.split_once("]\n").unwrap();
            found.extend(page.lines().filter_map(entry).map(|(name, _)| format!("{table}.{name}")));
        }
        (text, found)
    };
    let [minimal, common, full] = [Shown::Minimal, Shown::Common, Shown::Full].map(keys);
    assert!(minimal.1.is_subset(&common.1) && common.1.is_subset(&full.1));
    let expected = ["augmentation.alignment", "corruption.scale", "data.source", "grid.samples"];
    assert_eq!(minimal.1, expected.map(str::to_owned).into());
    assert_eq!(full.1, KEYS.iter().map(|key| key.path.clone()).collect());
    let words = |text: &str| text.replace("\n# ", " ").to_lowercase();
    let text = words(&full.0);
    for key in KEYS.iter() {
        assert!(text.contains(&words(&format!("{}.", key.help))), "{}", key.path);
    }
}

#[test]
fn what_is_commented_out_of_a_full_job_is_a_value_that_its_key_takes() {
    let text = commented(Shown::Full);
    let mut table = "";
    for line in text.lines() {
        table = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(table);
        let Some((name, value)) = line.strip_prefix("# ").and_then(entry) else { continue };
        let mut keys = KEYS.iter().filter(|key| key.table == table && key.name == name);
        if (table, name) == ("corruption", "severity") && with_severities().is_none() {
            continue;
        }
        let read = |key: &Key| {
            let beside = beside(key);
            // What another choice needs: a reader its files.
            let needed = KEYS.iter().filter(|other| {
                let this = |when: &When| when.key == name && when.is.contains(&value.trim_matches('"'));
                other.table == table
                    && matches!(other.default, Default::Required)
                    && other.when.iter().any(this)
            });
            let mut more: String = needed.map(|other| format!("{} = 'x'\n", other.path)).collect();
            if name == "source" && READERS.iter().any(|reader| reader.name == value.trim_matches('"')) {
                more.push_str("data.labels = 'x'\n");
            }
            let of_components = |kind: &FeatureKind| kind.components == Components::Required;
            if key.path == "features.kind" && feature_kind(value.trim_matches('"')).is_some_and(of_components)
            {
                more.push_str("features.components = 3\n");
            }
            let dimension = if key.path == "model.dimension" { "" } else { "model.dimension = 2\n" };
            read(&format!("{dimension}{beside}{more}{} = {value}", key.path), &[])
        };
        assert!(keys.any(|key| read(key).is_ok()), "{table}: {line}");
    }
}

#[test]
fn every_key_has_help_and_no_two_mean_the_same() {
    let mut seen = BTreeSet::new();
    for key in KEYS.iter() {
        assert!(key.help.len() > 8 && !key.allowed().is_empty(), "{}", key.path);
        assert!(seen.insert((key.path.clone(), key.condition())), "{} twice", key.path);
        // Column, place and identity are asked for by path alone.
        let first = find(key.table, key.name).unwrap();
        assert_eq!(
            (first.axis, first.enters, first.silent),
            (key.axis, key.enters, key.silent),
            "{}",
            key.path
        );
        for when in key.when.iter().filter(|when| when.key != VIEWS) {
            let place = when.place(key.table);
            let other = KEYS.iter().position(|other| (other.table, other.name) == place);
            let own = KEYS.iter().position(|other| std::ptr::eq(other, key));
            assert!(other < own && other.is_some(), "{} hangs on {}", key.path, when.key);
        }
    }
}

#[test]
fn identities_of_keys_are_those_that_data_sets_were_written_with() {
    // Their contents, and the names of columns, are in the fingerprint of the input.
    let names_files = |key: &Key| matches!(key.kind, Kind::Path | Kind::Columns);
    let of = |identity: Identity| {
        let keys = KEYS.iter().filter(move |key| key.axis.is_none() && enters(&key.path) == identity);
        keys.filter(|key| !names_files(key)).map(|key| key.path.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(Identity::Nothing), ["job.name", "output.max_failed"]);
    assert_eq!(of(Identity::Extensible), ["job.replicates", "job.first_replicate", "output.part_rows"]);
    assert!(KEYS.iter().all(|key| !names_files(key) || key.enters == Identity::Nothing));
    assert!(KEYS.iter().all(|key| key.axis.is_none() || key.enters == Identity::Extensible));
    assert_eq!(enters("data.no_such_key"), Identity::Study);
}

#[test]
fn tables_and_axes_stand_in_the_order_in_which_messages_list_them() {
    let expected = [
        "job",
        "data",
        "corruption",
        "augmentation",
        "features",
        "model",
        "grid",
        "sampler",
        "output",
        "boundary",
    ];
    assert_eq!(tables(), expected);
    let spectral = ["kind", "components", "spectrum", "scale", "decay"];
    let stages = ["severities", "severity", "draw", "stages"];
    assert_eq!(names("corruption"), [&spectral[..], &stages].concat());
    let (first, last) = (&axes()[..6], axes().pop());
    let data = ["components", "scale", "decay", "separation", "label_noise"].map(|key| format!("data.{key}"));
    assert_eq!(
        (first[0], &first[1..], last),
        ("grid.samples", &data.each_ref().map(String::as_str)[..], Some("model.dimension"))
    );
}

/// Set `UPDATE_DOCS` to write the page's table anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "asked by whoever runs the tests, never by the program")]
fn the_documentation_has_the_table_of_keys() {
    const MARKERS: [&str; 2] = ["<!-- keys: begin -->\n", "<!-- keys: end -->"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/jobs.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKERS[0]).unwrap();
    let (_, after) = rest.split_once(MARKERS[1]).unwrap();
    let right = [before, MARKERS[0], "\n", &markdown(), "\n", MARKERS[1], after].concat();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &right).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == right, "docs/jobs.md is out of date: run these tests with UPDATE_DOCS=1");
    for key in KEYS.iter() {
        assert!(page.contains(&format!("| `{}` | {} |", key.name, key.condition())), "{}", key.path);
    }
}

/// What the program printed of these jobs before keys were a table: identities of data sets hang on
/// it.
#[test]
fn printed_jobs_are_byte_for_byte_those_of_old() {
    insta::assert_snapshot!(job(r#"
    [job]
    name = "a"
    replicates = { min = 5, max = 10, relative_error = 0.1 }
    [data]
    spectrum = [4, 1]
    teacher = "linear"
    label_noise = [0, 0.5]
    [corruption]
    spectrum = "power-law"
    decay = 2
    [augmentation]
    spectrum = "flat"
    alignment = [0.1, 1]
    [output]
    metrics = ["gap", "distance"]
    [sampler]
    kind = "explicit"
    [grid]
    samples = 10
    "#).spec.to_toml(), @r#"
    [job]
    name = "a"
    seed = 0
    replicates = { min = 5, max = 10, relative_error = 0.1 }

    [data]
    source = "gaussian"
    components = 2
    spectrum = [4.0, 1.0]
    scale = 1.0
    teacher = "linear"
    label_count = 10
    label_noise = [0.0, 0.5]

    [corruption]
    kind = "spectral"
    components = 50
    spectrum = "power-law"
    scale = 1000.0
    decay = 2.0

    [augmentation]
    kind = "spectral"
    spectrum = "flat"
    scale = 10000.0
    alignment = [0.1, 1.0]

    [model]
    paradigms = ["supervised", "joint-embedding", "reconstruction"]
    dimension = 2

    [grid]
    samples = 10

    [sampler]
    kind = "explicit"

    [output]
    metrics = ["distance", "gap"]
    detail = "rows"
    part_rows = 983040
    max_failed = 0.01
    "#);
    insta::assert_snapshot!(job(r#"
    job.name = "b"
    job.replicates = 3
    model.dimension = 3
    [data]
    source = "idx"
    images = "i \"1\""
    labels = "l"
    components = [3, 4]
    [corruption]
    spectrum = [1, 2]
    scale = 3
    [grid]
    samples = 20
    "#).spec.to_toml(), @r#"
    [job]
    name = "b"
    seed = 0
    replicates = 3
    first_replicate = 0

    [data]
    source = "idx"
    images = 'i "1"'
    labels = "l"
    components = [3, 4]

    [corruption]
    kind = "spectral"
    components = 2
    spectrum = [1.0, 2.0]
    scale = 3.0

    [augmentation]
    kind = "spectral"
    spectrum = "uniform"
    scale = 10000.0
    alignment = 1.0

    [model]
    paradigms = ["supervised", "joint-embedding", "reconstruction"]
    dimension = 3

    [grid]
    samples = 20

    [sampler]
    kind = "moments"

    [output]
    metrics = ["distance", "leakage", "gap"]
    detail = "rows"
    part_rows = 983040
    max_failed = 0.01
    "#);
    insta::assert_snapshot!(job(r#"
    job.name = "c"
    job.first_replicate = 2
    job.replicates = 3
    [data]
    spectrum = "flat"
    components = 3
    label_count = 4
    [corruption]
    components = [3, 5]
    [augmentation]
    spectrum = "power-law"
    decay = [0, 0.5]
    alignment = { from = 0.1, to = 10, count = 3, scale = "log" }
    [grid]
    samples = 20
    [output]
    max_failed = 1
    "#).spec.to_toml(), @r#"
    [job]
    name = "c"
    seed = 0
    replicates = 3
    first_replicate = 2

    [data]
    source = "gaussian"
    components = 3
    spectrum = "flat"
    scale = 10000.0
    teacher = "classes"
    label_count = 4
    separation = 0.5

    [corruption]
    kind = "spectral"
    components = [3, 5]
    spectrum = "uniform"
    scale = 1000.0

    [augmentation]
    kind = "spectral"
    spectrum = "power-law"
    scale = 10000.0
    decay = [0.0, 0.5]
    alignment = [0.1, 1.0, 10.0]

    [model]
    paradigms = ["supervised", "joint-embedding", "reconstruction"]
    dimension = 3

    [grid]
    samples = 20

    [sampler]
    kind = "moments"

    [output]
    metrics = ["distance", "leakage", "gap"]
    detail = "rows"
    part_rows = 983040
    max_failed = 1.0
    "#);
}
