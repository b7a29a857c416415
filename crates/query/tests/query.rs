//! SQL over data sets: what is read, what the views compute, what is written.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(clippy::cast_possible_truncation, reason = "small whole numbers")]

#[path = "../../figures/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{At, Axes, Place, Values, plausible};
use eigensweep_query::output::{Format, write};
use eigensweep_query::{Query, QueryError};
use eigensweep_store::source::{Source, SourceError};
use eigensweep_store::views;
use polars::prelude::*;

fn number(frame: &DataFrame, column: &str, row: usize) -> f64 {
    frame.column(column).unwrap().get(row).unwrap().try_extract().unwrap()
}

fn text(frame: &DataFrame, column: &str, row: usize) -> String {
    frame.column(column).unwrap().get(row).unwrap().get_str().unwrap().to_owned()
}

/// `tests/fixtures/format-3` was written before the crates were taken apart; its two data sets with
/// rows answer together, missing values as NULL.
#[test]
fn data_sets_written_before_are_asked() {
    let set = |name: &str| {
        Source::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3").join(name))
            .unwrap()
    };
    let mut query = Query::new(&[set("complete"), set("interrupted")]).unwrap();
    let sql = "SELECT COUNT(*) AS n, COUNT(distance) AS measured FROM results";
    let frame = query.collect(sql).unwrap();
    assert_eq!((number(&frame, "n", 0), number(&frame, "measured", 0)), (192.0, 96.0));
    // Alone, it is counted otherwise.
    let frame = query.collect("SELECT COUNT(*) AS n FROM results").unwrap();
    assert_eq!(number(&frame, "n", 0) as usize, 192);
}

#[test]
fn only_recorded_parts_are_read() {
    let place = Place::new();
    let source = place.source("d", &Axes::default(), plausible);
    let rows = usize::try_from(source.dataset.rows()).unwrap();
    let part = source.dataset.part_file(source.dataset.records().next().unwrap());
    fs::copy(part, place.path("d/data/stray.parquet")).unwrap();
    fs::write(place.path("d/data/torn.parquet"), b"PAR1").unwrap();
    let source = Source::open(&place.path("d")).unwrap();
    let frame = Query::new(&[source]).unwrap().collect("SELECT COUNT(*) AS n FROM results").unwrap();
    assert_eq!(number(&frame, "n", 0) as usize, rows);
    // A part whose record is gone does not exist.
    fs::remove_file(place.path("d/commits/000-000001.json")).unwrap();
    let source = Source::open(&place.path("d")).unwrap();
    assert!(source.dataset.rows_done() < source.dataset.rows());
    let frame = Query::new(&[source]).unwrap().collect("SELECT COUNT(*) AS n FROM results").unwrap();
    assert_eq!(number(&frame, "n", 0) as usize, rows / 3 * 2);
}

#[test]
fn damage_is_named_with_its_file() {
    let place = Place::new();
    let open = || Source::open(&place.path("d")).unwrap_err();
    assert!(open().to_string().contains("d holds no data set"), "{}", open());
    let source = place.source("d", &Axes::default(), plausible);
    let part = source.dataset.part_file(source.dataset.records().next().unwrap());
    let sound = fs::read(&part).unwrap();
    fs::write(&part, &sound[1..]).unwrap();
    assert!(matches!(open(), SourceError::Damaged { file, .. } if part.ends_with(&file)));
    fs::remove_file(&part).unwrap();
    assert!(open().to_string().contains("run the job again"), "{}", open());
    fs::write(&part, &sound).unwrap();
    assert!(Source::open(&place.path("d")).is_ok());
    fs::remove_dir_all(place.path("d/commits")).unwrap();
    fs::create_dir(place.path("d/commits")).unwrap();
    assert!(matches!(open(), SourceError::Empty { .. }));
    assert!(matches!(Source::open_all::<&str>(&[]).unwrap_err(), SourceError::NoDataSet));
    let twice = Source::open_all(&[place.path("d"), place.path("d").join(".")]).unwrap_err();
    assert!(matches!(twice, SourceError::Twice { .. }), "{twice}");
}

#[test]
fn several_data_sets_are_one_table() {
    let place = Place::new();
    let sources = [
        place.source("a", &Axes::default(), plausible),
        place.source("b", &Axes { replicates: 2, ..Axes::default() }, plausible),
    ];
    let mut query = Query::new(&sources).unwrap();
    let frame = query
        .collect("SELECT dataset, COUNT(*) AS n FROM results GROUP BY dataset ORDER BY dataset")
        .unwrap();
    assert_eq!((text(&frame, "dataset", 0), text(&frame, "dataset", 1)), ("a".to_owned(), "b".to_owned()));
    assert!((number(&frame, "n", 0) - 2.0 * number(&frame, "n", 1)).abs() < 0.5);
    let best = query.collect("SELECT dataset, replicates FROM best ORDER BY dataset").unwrap();
    assert!((number(&best, "replicates", 0) - 4.0).abs() < 0.5);
}

/// Rows that vary, some of them without values.
fn varied(at: At<'_>) -> Values {
    let seed = f64::from(at.replicate * 7 + 3) * 1.37
        + at.samples as f64 * 0.11
        + at.alignment
        + at.paradigm.len() as f64;
    let failed = at.replicate == 1 && at.paradigm == "reconstruction";
    Values {
        distance: (!failed).then_some(seed.sin().abs()),
        leakage: Some(0.1),
        threshold_squared: Some(1.0),
    }
}

#[test]
fn the_summary_is_what_a_loop_computes() {
    let place = Place::new();
    let axes = Axes { replicates: 9, ..Axes::default() };
    let source = place.source("d", &axes, varied);
    let frame = Query::new(&[source]).unwrap().collect("SELECT * FROM summary").unwrap();
    assert_eq!(frame.height(), 3 * 2 * 3 * 3);
    for row in 0..frame.height() {
        let paradigm = text(&frame, "paradigm", row);
        let at = |replicate| At {
            replicate,
            samples: number(&frame, "samples", row) as i64,
            noise_scale: number(&frame, "noise_scale", row),
            alignment: number(&frame, "alignment", row),
            paradigm: &paradigm,
        };
        let mut values: Vec<f64> = (0..9).filter_map(|replicate| varied(at(replicate)).distance).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let quantile = |share: f64| {
            let place = share * (count - 1.0);
            let below = place.floor() as usize;
            let above = (below + 1).min(values.len() - 1);
            values[below] + place.fract() * (values[above] - values[below])
        };
        let expected = [
            ("rows", 9.0),
            ("distance_count", count),
            ("distance_mean", mean),
            ("distance_se", (variance / count).sqrt()),
            ("distance_median", quantile(0.5)),
            ("distance_q05", quantile(0.05)),
            ("distance_q95", quantile(0.95)),
        ];
        for (name, value) in expected {
            let found = number(&frame, name, row);
            assert!((found - value).abs() <= 1e-12 * value.abs().max(1.0), "{name}: {found} for {value}");
        }
    }
}

/// Quantiles by group are functions of lists, which stream; those of other kinds of SQL stay
/// polars' own. Words have none.
#[test]
fn quantiles_by_group_are_taken_of_lists() {
    let place = Place::new();
    let source = place.source("d", &Axes::default(), varied);
    let mut query = Query::new(&[source]).unwrap();
    let sql = "SELECT samples, MEDIAN(replicate) AS middle, QUANTILE_DISC(distance, 0.9) AS high FROM results \
               GROUP BY samples HAVING MEDIAN(distance) > 0 ORDER BY samples";
    let plan = query.explain(sql).unwrap();
    assert!(plan.contains("implode") && !plan.contains("median"), "{plan}");
    let by_lists = query.collect(sql).unwrap();
    let in_memory = query.frame(sql).unwrap().collect_with_engine(Engine::InMemory).unwrap().unwrap_single();
    assert_eq!(by_lists.height(), 3);
    assert!(by_lists.equals_missing(&in_memory), "{by_lists:?} {in_memory:?}");
    let whole = query.collect("SELECT MEDIAN(replicate) AS middle FROM results").unwrap();
    assert!((number(&whole, "middle", 0) - 1.5).abs() < 1e-12);
    let error = query.collect("SELECT samples, MEDIAN(paradigm) FROM results GROUP BY samples").unwrap_err();
    assert!(error.to_string().contains("`MEDIAN(paradigm)` is of a column which has no numbers"), "{error}");
}

#[test]
fn the_margin_is_paired_over_common_replicates() {
    let place = Place::new();
    let axes = Axes { replicates: 9, ..Axes::default() };
    let source = place.source("d", &axes, varied);
    let frame = Query::new(&[source]).unwrap().collect("SELECT * FROM best").unwrap();
    assert_eq!(frame.height(), 3 * 2 * 3);
    let mut winners = BTreeMap::new();
    for row in 0..frame.height() {
        let of = |paradigm: &str| -> Vec<Option<f64>> {
            let at = |replicate| At {
                replicate,
                samples: number(&frame, "samples", row) as i64,
                noise_scale: number(&frame, "noise_scale", row),
                alignment: number(&frame, "alignment", row),
                paradigm,
            };
            (0..9).map(|replicate| varied(at(replicate)).distance).collect()
        };
        let mean = |values: &[Option<f64>]| {
            let there: Vec<f64> = values.iter().copied().flatten().collect();
            there.iter().sum::<f64>() / there.len() as f64
        };
        let mut ranked = axes.paradigms.clone();
        ranked.sort_by(|a, b| mean(&of(a)).total_cmp(&mean(&of(b))));
        assert_eq!(text(&frame, "winner", row), ranked[0]);
        assert_eq!(text(&frame, "runner_up", row), ranked[1]);
        let pairs: Vec<f64> =
            of(ranked[0]).iter().zip(of(ranked[1])).filter_map(|(a, b)| Some(b? - (*a)?)).collect();
        let count = pairs.len() as f64;
        let margin = pairs.iter().sum::<f64>() / count;
        let variance = pairs.iter().map(|pair| (pair - margin).powi(2)).sum::<f64>() / (count - 1.0);
        let expected = [("replicates", count), ("margin", margin), ("margin_se", (variance / count).sqrt())];
        for (name, value) in expected {
            let found = number(&frame, name, row);
            assert!((found - value).abs() < 1e-12, "{name}: {found} for {value}");
        }
        *winners.entry(ranked[0]).or_insert(0) += 1;
    }
    assert!(winners.len() > 1, "the case must have several winners: {winners:?}");
}

#[test]
fn one_paradigm_wins_without_a_runner_up() {
    let place = Place::new();
    let axes = Axes { paradigms: vec!["joint-embedding"], ..Axes::default() };
    let source = place.source("d", &axes, plausible);
    let frame = Query::new(&[source]).unwrap().collect("SELECT * FROM best").unwrap();
    assert_eq!(text(&frame, "winner", 0), "joint-embedding");
    assert!(frame.column("runner_up").unwrap().get(0).unwrap().is_null());
    assert!(frame.column("margin").unwrap().get(0).unwrap().is_null());
}

#[test]
fn unknown_names_bring_the_nearest() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let mut nearest = |sql: &str| match query.frame(sql).err() {
        Some(QueryError::Unknown(name)) => (name.kind, name.nearest.unwrap_or_default()),
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(nearest("SELECT distanc FROM results"), ("column", "distance".to_owned()));
    assert_eq!(nearest("SELECT AVG(noise) FROM results"), ("column", "noise_scale".to_owned()));
    assert_eq!(nearest("SELECT * FROM results WHERE aligment > 1"), ("column", "alignment".to_owned()));
    assert_eq!(
        nearest("SELECT paradigm FROM results GROUP BY paradigm ORDER BY sample"),
        ("column", "samples".to_owned())
    );
    assert_eq!(nearest("SELECT distance_men FROM summary"), ("column", "distance_mean".to_owned()));
    assert_eq!(nearest("SELECT * FROM sumary"), ("table", "summary".to_owned()));
    assert!(matches!(query.frame("SELEC 1"), Err(QueryError::Query { .. })));
}

#[test]
fn filters_and_columns_reach_the_files() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let plan = query.explain("SELECT AVG(distance) FROM results WHERE samples = 100").unwrap();
    assert!(plan.contains("PROJECT 2/") && plan.contains("SELECTION"), "{plan}");
    // Through a view as well, whatever the type of the axis, without metrics that are not asked
    // for.
    let plan = query.explain("SELECT paradigm, distance_mean FROM summary WHERE dimension = 2").unwrap();
    assert!(plan.contains("SELECTION: col(\"dimension\")") && !plan.contains("implode"), "{plan}");
}

#[test]
fn every_format_holds_the_same_rows() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), varied)]).unwrap();
    let sql = "SELECT replicate, paradigm, distance FROM results WHERE samples = 100 AND alignment = 1 ORDER BY replicate, paradigm, noise_scale";
    let rows = query.collect(sql).unwrap();
    for (format, name) in [
        (Format::Csv, "o.csv"),
        (Format::Json, "o.json"),
        (Format::Parquet, "o.parquet"),
        (Format::Table, "o.txt"),
    ] {
        write(query.frame(sql).unwrap(), format, &[], &place.path(name)).unwrap();
    }
    let csv = fs::read_to_string(place.path("o.csv")).unwrap();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("replicate,paradigm,distance"));
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path("o.json")).unwrap()).unwrap();
    let parquet = ParquetReader::new(fs::File::open(place.path("o.parquet")).unwrap()).finish().unwrap();
    assert_eq!(parquet.height(), rows.height());
    assert_eq!(json.as_array().unwrap().len(), rows.height());
    for row in 0..rows.height() {
        let distance = rows.column("distance").unwrap().get(row).unwrap().try_extract::<f64>().ok();
        let fields: Vec<&str> = lines.next().unwrap().split(',').collect();
        assert_eq!(fields[1], text(&rows, "paradigm", row));
        assert_eq!(fields[2].parse().ok(), distance);
        assert_eq!(json[row]["distance"].as_f64(), distance);
        assert_eq!(json[row]["paradigm"], text(&rows, "paradigm", row));
        assert_eq!(text(&parquet, "paradigm", row), text(&rows, "paradigm", row));
    }
    let table = fs::read_to_string(place.path("o.txt")).unwrap();
    assert_eq!(table.matches("reconstruction").count(), 8);
}

#[test]
fn no_rows_are_still_an_answer_and_a_failure_leaves_the_file() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let nothing = "SELECT replicate, distance FROM results WHERE replicate > 1000";
    for (format, name, expected) in
        [(Format::Csv, "o.csv", "replicate,distance\n"), (Format::Json, "o.json", "[]\n")]
    {
        write(query.frame(nothing).unwrap(), format, &[], &place.path(name)).unwrap();
        assert_eq!(fs::read_to_string(place.path(name)).unwrap(), expected);
    }
    let unwritable = place.path("missing/o.csv");
    assert!(matches!(
        write(query.frame(nothing).unwrap(), Format::Csv, &[], &unwritable),
        Err(QueryError::Store(_))
    ));
    // A part that turns out torn while it is read.
    let source = Source::open(&place.path("d")).unwrap();
    let part = source.dataset.part_file(source.dataset.records().nth(1).unwrap());
    fs::write(part, b"PAR1 not a file").unwrap();
    let torn = query
        .frame("SELECT replicate FROM results")
        .and_then(|frame| write(frame, Format::Csv, &[], &place.path("o.csv")));
    assert!(torn.is_err());
    assert_eq!(fs::read_to_string(place.path("o.csv")).unwrap(), "replicate,distance\n");
    let left: Vec<_> =
        fs::read_dir(place.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("eigensweep")), "{left:?}");
}

/// Winner and runner-up come of any number of paradigms: here two, and four of which one has no
/// rows.
#[test]
fn the_best_of_any_paradigms() {
    let place = Place::new();
    let source = place.source("d", &Axes::default(), plausible);
    let mut query = Query::new(&[source]).unwrap();
    let three = query.collect("SELECT * FROM best").unwrap();
    let names = ["supervised", "joint-embedding", "reconstruction", "to-come"];
    let four = query.collect(&views::best(query.columns(), &names).unwrap()).unwrap();
    for row in 0..three.height() {
        for name in ["winner", "runner_up"] {
            assert_eq!(text(&four, name, row), text(&three, name, row));
        }
        // Replicates are added in any order.
        let apart = number(&four, "margin", row) - number(&three, "margin", row);
        assert!(apart.abs() < 1e-12, "{apart}");
    }
    let two = query.collect(&views::best(query.columns(), &names[1..3]).unwrap()).unwrap();
    assert_eq!(two.height(), three.height());
    for row in 0..two.height() {
        assert!(names[1..3].contains(&text(&two, "winner", row).as_str()));
        assert!(number(&two, "margin", row) >= 0.0);
    }
}

/// One definition: the view says what the summary of the same rows says, that a run writes.
#[test]
fn the_summary_is_that_of_the_file() {
    let place = Place::new();
    let source = place.source("d", &Axes { replicates: 40, ..Axes::default() }, varied);
    let view = Query::new(&[source]).unwrap().collect("SELECT * FROM summary").unwrap();
    let file = fs::File::open(place.path("d/summary/summary.parquet")).unwrap();
    let file = ParquetReader::new(file).finish().unwrap();
    let keys = ["samples", "noise_scale", "alignment", "paradigm"];
    let file = file.sort(keys, SortMultipleOptions::default()).unwrap();
    let view = view.sort(keys, SortMultipleOptions::default()).unwrap();
    assert_eq!((view.height(), file.height()), (54, 54));
    let mut compared = 0;
    for column in view.columns() {
        let name = match column.name().strip_suffix("_se") {
            Some(metric) => format!("{metric}_standard_error"),
            None if column.name() == "rows" => "replicates".to_owned(),
            None => column.name().to_string(),
        };
        let written = file.column(&name).unwrap();
        for row in 0..view.height() {
            let value = |column: &Column| column.get(row).unwrap().try_extract::<f64>().ok();
            match (value(column), value(written)) {
                (Some(a), Some(b)) => {
                    assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-6), "{name}, {row}: {a} and {b}")
                }
                (a, b) => assert_eq!(a, b, "{name}, {row}"),
            }
        }
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// Where no paradigm has a distance, none is the closest; where none recovers, that is said.
#[test]
fn the_best_says_where_none_wins_or_recovers() {
    let place = Place::new();
    let some = |at: At<'_>| Values {
        distance: (at.samples > 100).then_some(0.1 * at.paradigm.len() as f64),
        ..plausible(at)
    };
    let source = place.source("d", &Axes::default(), some);
    let query = Query::new(&[source]).unwrap();
    let mut query = query.among(&["joint-embedding", "reconstruction"]).unwrap();
    let nobody = "SELECT COUNT(*) AS n, COUNT(winner) AS winners, COUNT(margin) AS margins FROM best WHERE samples = 100";
    let frame = query.collect(nobody).unwrap();
    let found = ["n", "winners", "margins"].map(|name| number(&frame, name, 0) as usize);
    assert_eq!(found, [6, 0, 0]);
    let sql = "SELECT DISTINCT noise_scale, alignment, recovers, winner FROM best WHERE samples = 1000 ORDER BY ALL";
    let frame = query.collect(sql).unwrap();
    // Thresholds on α²: 0.5; −0.9 at noise 10, and 99 at noise 10⁴.
    let recovers: Vec<String> = (0..frame.height()).map(|row| text(&frame, "recovers", row)).collect();
    let both = "joint-embedding, reconstruction";
    assert_eq!(recovers, ["reconstruction", both, both, "none", "joint-embedding", both]);
    assert!((0..6).all(|row| text(&frame, "winner", row) == "reconstruction"), "{frame}");
    // Among all, what needs no threshold recovers everywhere.
    let mut all = Query::new(&[Source::open(&place.path("d")).unwrap()]).unwrap();
    let frame = all.collect("SELECT recovers FROM best WHERE noise_scale = 1e4 AND alignment = 0.1").unwrap();
    assert_eq!(text(&frame, "recovers", 0), "supervised");
}

/// A view of what was not computed is none, and says what to compute.
#[test]
fn no_distances_are_no_best() {
    let columns = views::Columns { axes: vec!["samples".to_owned()], metrics: vec!["gap".to_owned()] };
    let why = views::best(&columns, &["supervised", "reconstruction"]).unwrap_err();
    assert!(why.contains("distance") && why.contains("output.metrics"), "{why}");
    let some = Query::new(&[]).map(|_| ()).unwrap_err();
    assert!(matches!(some, QueryError::Source(SourceError::NoDataSet)));
}

/// A condition that no row meets names the values that there are, nearest first.
#[test]
fn absent_values_bring_those_that_are_there() {
    let place = Place::new();
    let axes = Axes { noise_scale: vec![10.0, 5_623.413_251_903_491, 1e4], ..Axes::default() };
    let mut query = Query::new(&[place.source("d", &axes, plausible)]).unwrap();
    let mut absent = |sql: &str| {
        query.collect(sql).unwrap();
        query.absent().unwrap()
    };
    let said = absent("SELECT * FROM results WHERE paradigm = 'joint_embedding'");
    let paradigms = "there are 'joint-embedding', 'reconstruction', 'supervised'";
    assert_eq!(said, [format!("no row has paradigm = 'joint_embedding': {paradigms}")]);
    let said =
        absent("SELECT AVG(distance) FROM results WHERE noise_scale IN (10, 5.623e3) AND samples = 100");
    assert_eq!(said, ["no row has noise_scale = 5623: there are 5623.413251903491, 10000, 10"]);
    let said = absent("SELECT * FROM best WHERE Winner = 'nobody' OR alignment = 1");
    assert!(said.len() == 1 && said[0].starts_with("no row has winner = 'nobody': there are "), "{said:?}");
    assert!(absent("SELECT * FROM results WHERE samples = 100 AND distance = 7").is_empty());
}

/// A data set without rows has its summary, which says what the view says of the same rows.
#[test]
fn a_summary_in_place_of_rows_can_be_asked() {
    let place = Place::new();
    let axes = |detail| Axes { replicates: 40, detail, ..Axes::default() };
    let sources = |names: &[&'static str]| {
        names.iter().map(|name| place.source(name, &axes(name), varied)).collect::<Vec<_>>()
    };
    let sql = "SELECT * FROM summary ORDER BY samples, noise_scale, alignment, paradigm";
    let [view, table] =
        ["rows", "summary"].map(|name| Query::new(&sources(&[name])).unwrap().collect(sql).unwrap());
    assert_eq!((view.height(), table.height()), (54, 54));
    for name in view.get_column_names() {
        if name.as_str() == "paradigm" {
            assert!(view.column(name).unwrap().equals(table.column(name).unwrap()));
            continue;
        }
        // A sketch's quantile is one of the values, a view's may lie between two (the engine's
        // tests have its error).
        if ["_q05", "_q95", "_median"].iter().any(|ending| name.ends_with(ending)) {
            assert!(table.column(name).is_ok(), "{name}");
            continue;
        }
        for row in 0..view.height() {
            let value =
                |frame: &DataFrame| frame.column(name).unwrap().get(row).unwrap().try_extract::<f64>().ok();
            match (value(&view), value(&table)) {
                (None, None) => {}
                (Some(view), Some(table)) => {
                    assert!(
                        (view - table).abs() <= 1e-10 * view.abs().max(1e-6),
                        "{name}: {view} and {table}"
                    );
                }
                found => panic!("{name}: {found:?}"),
            }
        }
    }
    assert!(table.column("distance_variance").is_ok() && table.column("failed").is_ok());
    let open = |names: &[&str]| {
        Source::open_all(&names.iter().map(|name| place.path(name)).collect::<Vec<_>>()).unwrap()
    };
    drop(place.source("copy", &axes("summary"), varied));
    let both = Query::new(&open(&["summary", "copy"])).unwrap().collect("SELECT dataset, rows FROM summary");
    assert_eq!(both.unwrap().height(), 108);
    let mut query = Query::new(&open(&["summary"])).unwrap();
    let error = query.collect("SELECT * FROM results").unwrap_err().to_string();
    assert!(error.contains("results") && error.contains("summary") && !error.contains("best"), "{error}");
    assert!(matches!(Query::new(&open(&["rows", "summary"])), Err(QueryError::Mixed { .. })));
}

/// MAX and MIN order NaN after all numbers, in groups and windows.
#[test]
fn nan_is_the_greatest_number() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let rows = "(SELECT 1 AS i, 2.0 AS x UNION ALL SELECT 2, SQRT(-1) UNION ALL SELECT 3, 1.0 UNION ALL SELECT 4, NULL)";
    let mut row = |sql: &str| {
        let frame = query.collect(sql).unwrap();
        let column = frame.columns().last().unwrap().clone();
        (0..frame.height())
            .map(|row| column.get(row).unwrap().extract::<f64>().map_or("NULL".to_owned(), |x| x.to_string()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(row(&format!("SELECT MAX(x) FROM {rows}")), "NaN");
    assert_eq!(row(&format!("SELECT MIN(x) FROM {rows}")), "1");
    assert_eq!(row(&format!("SELECT MIN(x) FROM {rows} WHERE i = 2")), "NaN");
    assert_eq!(row(&format!("SELECT MAX(x) FROM {rows} WHERE i = 4")), "NULL");
    assert_eq!(row(&format!("SELECT i > 1 AS k, MAX(x) FROM {rows} GROUP BY k ORDER BY k")), "2 NaN");
    assert_eq!(row(&format!("SELECT i, MAX(x) OVER (ORDER BY i) FROM {rows} ORDER BY i")), "2 NaN NaN NaN");
    assert_eq!(row(&format!("SELECT i, MIN(x) OVER (ORDER BY i) FROM {rows} ORDER BY i")), "2 2 1 1");
    let from_nan = "SELECT i, MIN(x) OVER (ORDER BY i) FROM";
    assert_eq!(row(&format!("{from_nan} {rows} WHERE i > 1 ORDER BY i")), "NaN 1 1");
    assert_eq!(row(&format!("SELECT MAX(x) OVER () FROM {rows}")), "NaN NaN NaN NaN");
}

/// JSON has no number that is not finite.
#[test]
fn json_tells_what_is_not_finite_from_nothing() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let frame = query.frame("SELECT 1 / 0 AS a, -1 / 0 AS b, SQRT(-1) AS c, NULL AS d, 0.5 AS e").unwrap();
    write(frame, Format::Json, &[], &place.path("o.json")).unwrap();
    let rows: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path("o.json")).unwrap()).unwrap();
    let expected = serde_json::json!([{ "a": "inf", "b": "-inf", "c": "NaN", "d": null, "e": 0.5 }]);
    assert_eq!(rows, expected);
}

/// Arithmetic in a filter does not keep others from the files.
#[test]
fn filters_reach_the_files_beside_arithmetic() {
    let place = Place::new();
    let mut query = Query::new(&[place.source("d", &Axes::default(), plausible)]).unwrap();
    let sql = "SELECT samples * 2 + 1 AS n FROM results WHERE samples = 2 + 1 AND samples * 2 > replicate";
    let plan = query.explain(sql).unwrap();
    let (_, scan) = plan.split_once("Parquet SCAN").unwrap();
    assert!(scan.contains("SELECTION") && !plan.contains("FILTER"), "{plan}");
}

/// Their only table, and why there is no other; rows of replicates have none of them.
#[test]
fn critical_alignments_are_the_table_boundary() {
    let place = Place::new();
    let job = "[data]\ncomponents = 4\n[grid]\nsamples = [50, 100]\n";
    let source = place.boundary("traced", job, |row| if row == 0 { f64::NAN } else { row as f64 });
    let mut query = Query::new(&[source]).unwrap();
    let frame = query
        .collect("SELECT COUNT(*) AS n, COUNT(alpha) AS traced, MAX(high) AS high FROM boundary")
        .unwrap();
    assert_eq!((number(&frame, "n", 0), number(&frame, "traced", 0)), (4.0, 3.0));
    assert!((number(&frame, "high", 0) - 3.3).abs() < 1e-12);
    let frame = query.collect("SELECT verdict, samples, paradigm FROM boundary WHERE alpha IS NULL").unwrap();
    assert_eq!(
        (text(&frame, "verdict", 0), text(&frame, "paradigm", 0)),
        ("never".to_owned(), "joint-embedding".to_owned())
    );
    for table in ["results", "summary", "best"] {
        let refused = query.collect(&format!("SELECT * FROM {table}")).unwrap_err().to_string();
        assert!(refused.contains("critical alignments"), "{refused}");
    }
    let rows = place.source("d", &Axes::default(), plausible);
    let mut query = Query::new(&[rows]).unwrap();
    let refused = query.collect("SELECT * FROM boundary").unwrap_err().to_string();
    assert!(refused.contains("`eigensweep boundary` finds them"), "{refused}");
    let both = ["traced", "d"].map(|name| Source::open(&place.path(name)).unwrap());
    assert!(matches!(Query::new(&both), Err(QueryError::Kinds { .. })));
}
