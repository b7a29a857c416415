//! Random queries, answered by a loop over the rows.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(clippy::wildcard_enum_match_arm, reason = "few kinds of values matter here")]

use std::cmp::Ordering;
use std::path::Path;

use eigensweep_query::Query;
use eigensweep_store::source::Source;
use polars::prelude::*;

/// What a row is sorted by, what breaks ties, and what is shown.
type Answer = (Cell, Row, Row);

/// Values of a row, in the order of [`COLUMNS`].
type Row = Vec<Cell>;

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Nothing,
    Number(f64),
    Text(String),
}

const COLUMNS: [&str; 6] =
    ["replicate", "samples", "augmentation_scale", "alignment", "paradigm", "distance"];
const KEYS: usize = 5;

impl Cell {
    /// Ascending, what is missing last.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => Ordering::Greater,
            (_, Self::Nothing) => Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => unreachable!("a column has values of one kind"),
        }
    }

    fn literal(&self) -> String {
        match self {
            Self::Nothing => "NULL".to_owned(),
            Self::Number(value) => format!("{value:?}"),
            Self::Text(text) => format!("'{text}'"),
        }
    }
}

/// A small generator: the same queries everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn some(&mut self, count: usize) -> Vec<usize> {
        (0..count).filter(|_| self.below(2) == 0).collect()
    }
}

fn cells(frame: &DataFrame) -> Vec<Row> {
    let cell = |column: &Column, row| match column.get(row).unwrap() {
        AnyValue::Null => Cell::Nothing,
        value => match value.get_str() {
            Some(text) => Cell::Text(text.to_owned()),
            None => Cell::Number(value.extract().unwrap()),
        },
    };
    (0..frame.height()).map(|row| frame.columns().iter().map(|column| cell(column, row)).collect()).collect()
}

/// What is missing chooses no row.
fn holds(cell: &Cell, operator: &str, literal: &Cell) -> bool {
    if *cell == Cell::Nothing {
        return false;
    }
    let order = cell.compare(literal);
    match operator {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

const AGGREGATES: [&str; 6] = [
    "COUNT(*)",
    "COUNT(distance)",
    "SUM(distance)",
    "AVG(distance)",
    "MIN(distance)",
    "MAX(distance) - MIN(distance)",
];

fn aggregate(which: usize, rows: &[&Row]) -> Cell {
    let values: Vec<f64> = rows
        .iter()
        .filter_map(|row| match row[KEYS] {
            Cell::Number(value) => Some(value),
            _ => None,
        })
        .collect();
    let sum: f64 = values.iter().sum();
    let count = f64::from(u32::try_from(values.len()).unwrap());
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match which {
        0 => Cell::Number(f64::from(u32::try_from(rows.len()).unwrap())),
        1 => Cell::Number(count),
        _ if values.is_empty() => Cell::Nothing,
        2 => Cell::Number(sum),
        3 => Cell::Number(sum / count),
        4 => Cell::Number(least),
        _ => Cell::Number(most - least),
    }
}

fn same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Number(a), Cell::Number(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1e-9),
        _ => a == b,
    }
}

#[test]
fn random_queries_are_answered_as_by_a_loop() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3/complete");
    let mut query = Query::new(&[Source::open(&root).unwrap()]).unwrap();
    let all = cells(&query.collect(&format!("SELECT {} FROM results", COLUMNS.join(", "))).unwrap());
    let mut draw = Draw(14);
    let (mut grouped, mut empty) = (0, 0);
    for _ in 0..300 {
        // WHERE
        let mut conditions = Vec::new();
        let mut chosen: Vec<&Row> = all.iter().collect();
        for column in draw.some(COLUMNS.len()).into_iter().take(2) {
            let literal = all[draw.below(all.len())][column].clone();
            if literal == Cell::Nothing {
                continue;
            }
            let operator = ["=", "<>", "<", "<=", ">", ">="][draw.below(6)];
            conditions.push(format!("{} {operator} {}", COLUMNS[column], literal.literal()));
            chosen.retain(|row| holds(&row[column], operator, &literal));
        }
        let filter =
            if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        // Each answer with what it is sorted by.
        let keys = draw.some(KEYS);
        let aggregates = draw.some(AGGREGATES.len());
        let descending = draw.below(2) == 0;
        let (select, group, sort, mut expected): (Vec<&str>, String, String, Vec<Answer>);
        let names: Vec<&str> = keys.iter().map(|&key| COLUMNS[key]).collect();
        if aggregates.is_empty() {
            // Rows; all keys break ties.
            let by = draw.below(COLUMNS.len());
            select = [names.as_slice(), &["distance"]].concat();
            (group, sort) = (String::new(), COLUMNS[by].to_owned());
            let shown = |row: &Row| keys.iter().chain(&[KEYS]).map(|&key| row[key].clone()).collect();
            expected = chosen.iter().map(|row| (row[by].clone(), row[..KEYS].to_vec(), shown(row))).collect();
        } else {
            // Sorted by an aggregate that may not be shown.
            let by = draw.below(AGGREGATES.len());
            select = names.iter().copied().chain(aggregates.iter().map(|&at| AGGREGATES[at])).collect();
            group = if keys.is_empty() { String::new() } else { format!("GROUP BY {}", names.join(", ")) };
            sort = AGGREGATES[by].to_owned();
            let mut groups: Vec<(Row, Vec<&Row>)> = Vec::new();
            for row in &chosen {
                let key: Row = keys.iter().map(|&key| row[key].clone()).collect();
                match groups.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((key, vec![row])),
                }
            }
            if keys.is_empty() && groups.is_empty() {
                groups.push((Vec::new(), Vec::new()));
            }
            let answer = |(key, rows): &(Row, Vec<&Row>)| {
                let values = aggregates.iter().map(|&at| aggregate(at, rows));
                let shown: Row = key.iter().cloned().chain(values).collect();
                // Sums of equal numbers differ in their last bits with the order of their terms.
                let rounded = match aggregate(by, rows) {
                    Cell::Number(value) => Cell::Number(format!("{value:.9e}").parse().unwrap()),
                    other => other,
                };
                (rounded, key.clone(), shown)
            };
            expected = groups.iter().map(answer).collect();
            grouped += 1;
        }
        let sort = if group.is_empty() && !aggregates.is_empty() {
            String::new()
        } else {
            let ties = if aggregates.is_empty() { COLUMNS[..KEYS].join(", ") } else { names.join(", ") };
            format!("ORDER BY {sort} {}, {ties}", if descending { "DESC NULLS LAST" } else { "" })
        };
        expected.sort_by(|a, b| {
            let first = match (&a.0, &b.0) {
                (Cell::Nothing, _) | (_, Cell::Nothing) => a.0.compare(&b.0),
                (a, b) if descending => b.compare(a),
                (a, b) => a.compare(b),
            };
            let ties = a.1.iter().zip(&b.1).map(|(a, b)| a.compare(b));
            first.then(ties.fold(Ordering::Equal, Ordering::then))
        });
        let sql = format!("SELECT {} FROM results {filter} {group} {sort}", select.join(", "));
        let found = cells(&query.collect(&sql).unwrap());
        empty += usize::from(found.is_empty());
        let agree = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, (_, _, expected))| {
                found.iter().zip(expected).all(|(found, expected)| same(found, expected))
            });
        assert!(agree, "{sql}\n{found:?}\n{expected:?}");
    }
    assert!(grouped > 100 && empty < 100, "{grouped} {empty}");
}
