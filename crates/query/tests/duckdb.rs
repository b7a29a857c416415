//! Answers are those of `DuckDB`: `duckdb/queries.sql` over the data sets of
//! `tests/fixtures/format-3`, answered by `duckdb/generate.py` in `duckdb/answers.json`.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::{Path, PathBuf};

use eigensweep_query::Query;
use eigensweep_store::source::Source;
use eigensweep_store::views;
use eigensweep_theory::paradigms;
use polars::prelude::*;
use serde_json::{Value, json};

/// Data sets that are asked together.
const SETS: [(&str, &[&str]); 3] =
    [("one", &["complete"]), ("two", &["complete", "interrupted"]), ("partial", &["interrupted"])];

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/duckdb").join(name)
}

fn query(set: &str) -> Query {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3");
    let (_, names) = SETS.iter().find(|(name, _)| *name == set).unwrap();
    let sources: Vec<Source> = names.iter().map(|name| Source::open(&fixtures.join(name)).unwrap()).collect();
    Query::new(&sources).unwrap()
}

/// The texts of the views, which `DuckDB` gets as they are.
fn texts() -> Value {
    let names = paradigms::ALL.map(|paradigm| paradigm.name);
    let texts = SETS.map(|(set, _)| {
        let query = query(set);
        let best = views::best(query.columns(), &names).unwrap();
        (set.to_owned(), json!({ "summary": views::summary(query.columns()), "best": best }))
    });
    Value::Object(texts.into_iter().collect())
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(here(name)).unwrap()).unwrap()
}

fn same(found: &AnyValue<'_>, expected: &Value) -> bool {
    match expected {
        Value::Null => found.is_null(),
        Value::Bool(expected) => matches!(found, AnyValue::Boolean(found) if found == expected),
        Value::Number(expected) => {
            let (Some(found), Some(expected)) = (found.extract::<f64>(), expected.as_f64()) else {
                return false;
            };
            // What is small beside its terms (a difference of equal numbers) is compared with one.
            (found - expected).abs() <= 1e-12 * expected.abs().max(1e-3)
        }
        Value::String(expected) => found.get_str() == Some(expected),
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[test]
fn answers_are_those_of_duckdb() {
    assert_eq!(texts(), read("views.json"), "views have changed: see generate.py");
    let answers = read("answers.json");
    let answers = answers.as_array().unwrap();
    assert!(answers.len() >= 60);
    let mut faults = Vec::new();
    for answer in answers {
        let (set, sql) = (answer["set"].as_str().unwrap(), answer["sql"].as_str().unwrap());
        let frame = match query(set).collect(sql) {
            Ok(frame) => frame,
            Err(error) => {
                faults.push(format!("{set}: {sql}\n  {error}"));
                continue;
            }
        };
        let rows = answer["rows"].as_array().unwrap();
        let width = answer["columns"].as_array().unwrap().len();
        if (frame.height(), frame.width()) != (rows.len(), width) {
            faults.push(format!("{set}: {sql}\n  {:?} for {} × {width}", frame.shape(), rows.len()));
            continue;
        }
        let wrong = rows.iter().enumerate().find_map(|(at, row)| {
            let values = frame.columns().iter().zip(row.as_array().unwrap());
            let mut wrong = values.filter(|(column, expected)| !same(&column.get(at).unwrap(), expected));
            wrong.next().map(|(column, expected)| {
                format!("row {at}, {}: {} for {expected}", column.name(), column.get(at).unwrap())
            })
        });
        faults.extend(wrong.map(|wrong| format!("{set}: {sql}\n  {wrong}")));
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), answers.len(), faults.join("\n"));
}

#[test]
#[ignore = "writes the texts of the views for generate.py"]
fn texts_of_views_are_written() {
    fs::write(here("views.json"), format!("{:#}\n", texts())).unwrap();
}
