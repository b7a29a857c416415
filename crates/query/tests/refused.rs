//! What is refused, in a line that says what to do; and whatever is asked, nothing panics.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::Path;

use eigensweep_query::{Query, QueryError};
use eigensweep_store::source::Source;

fn fixtures(names: &[&str]) -> Query {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3");
    let sources: Vec<Source> = names.iter().map(|name| Source::open(&root.join(name)).unwrap()).collect();
    Query::new(&sources).unwrap()
}

/// SQL, and what its refusal says.
const REFUSED: &[(&str, &str)] = &[
    ("DELETE FROM results", "read only"),
    ("DELETE FROM results WHERE samples = 3", "read only"),
    ("DROP TABLE results", "read only"),
    ("TRUNCATE TABLE results", "read only"),
    ("CREATE TABLE t AS SELECT 1", "read only"),
    ("INSERT INTO results VALUES (1)", "read only"),
    ("UPDATE results SET samples = 1", "read only"),
    ("SHOW TABLES", "read only"),
    ("EXPLAIN SELECT 1", "--explain"),
    ("SELECT 1; SELECT 2", "more than one statement"),
    ("", "no statement"),
    ("SELEC 1", "not SQL"),
    ("SELECT 'a", "not SQL"),
    ("SELECT * FROM read_csv('/etc/passwd')", "table function `read_csv`"),
    ("SELECT * FROM read_parquet('x.parquet')", "table function"),
    ("SELECT * FROM 'x.parquet'", "there is no table"),
    ("SELECT * FROM a.results", "`a.results`"),
    ("SELECT samples, COUNT(*) FROM results GROUP BY ROLLUP (samples)", "UNION ALL"),
    ("SELECT samples, COUNT(*) FROM results GROUP BY CUBE (samples)", "UNION ALL"),
    ("SELECT samples, COUNT(*) FROM results GROUP BY GROUPING SETS ((samples), ())", "UNION ALL"),
    ("SELECT samples, COUNT(*) FROM results GROUP BY samples WITH ROLLUP", "UNION ALL"),
    ("SELECT * FROM results, LATERAL (SELECT 1)", "LATERAL"),
    ("WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t", "WITH RECURSIVE"),
    ("SELECT TOP 3 * FROM results", "LIMIT"),
    ("SELECT DISTINCT ON (samples) * FROM results", "QUALIFY"),
    ("SELECT * FROM results WHERE EXISTS (SELECT 1)", "EXISTS"),
    ("SELECT samples IN (SELECT 3) FROM results", "IN (SELECT"),
    ("SELECT (SELECT samples FROM results) FROM results", "LIMIT 1"),
    (
        "SELECT SUM(distance) OVER (ORDER BY samples ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM results",
        "frame",
    ),
    ("SELECT STDDEV(distance) OVER (ORDER BY samples) FROM results", "ORDER BY"),
    ("SELECT NTILE(4) OVER (ORDER BY samples) FROM results", "`ntile`"),
    ("SELECT ROW_NUMBER() OVER () FROM results", "without ORDER BY"),
    ("SELECT STRING_AGG(DISTINCT paradigm, ',') FROM results", "not supported"),
    ("SELECT ARRAY_AGG(samples) FROM results", "the function array_agg"),
    ("SELECT SUM(DISTINCT samples) FROM results", "SELECT DISTINCT"),
    ("SELECT COUNT(*) FROM results WHERE COUNT(*) > 1", "HAVING"),
    ("SELECT samples FROM results GROUP BY COUNT(*)", "GROUP BY"),
    ("SELECT SUM(MAX(distance)) FROM results", "an aggregate"),
    ("SELECT samples, COUNT(*) FROM results", "`samples` stands neither in GROUP BY nor in an aggregate"),
    ("SELECT samples, alignment FROM results GROUP BY samples", "`alignment` stands neither"),
    ("SELECT paradigm FROM results GROUP BY paradigm ORDER BY distance", "`distance` stands neither"),
    ("SELECT DISTINCT samples FROM results ORDER BY distance", "DISTINCT"),
    ("SELECT samples FROM results HAVING samples > 1", "WHERE"),
    ("SELECT samples FROM results GROUP BY samples HAVING COUNT(*) OVER () > 1", "QUALIFY"),
    ("SELECT samples FROM results ORDER BY 2", "there are 1 columns"),
    ("SELECT * FROM results PIVOT (SUM(distance) FOR samples IN (3, 4))", "in FROM"),
    ("SELECT * FROM results LIMIT 1 + 1", "whole number"),
    ("SELECT samples FROM results FETCH FIRST 10 PERCENT ROWS ONLY", "LIMIT"),
    ("SELECT [1, 2]", "not supported"),
    ("SELECT samples ** 2 FROM results", "not"),
    ("SELECT CAST(samples AS REAL) FROM results", "DOUBLE"),
    ("SELECT DATE '2024-01-01'", "not supported"),
    ("SELECT INTERVAL '1 day'", "not supported"),
    ("SELECT samples & 1 FROM results", "operator &"),
    ("SELECT ABS() FROM results", "abs of 0 arguments"),
    ("SELECT QUANTILE_CONT(distance, 1.5) FROM results", "from 0 to 1"),
    ("SELECT QUANTILE_CONT(distance, samples) FROM results", "from 0 to 1"),
    ("SELECT ROUND(distance, samples) FROM results", "ROUND(x, 3)"),
    ("SELECT SUBSTR(paradigm, -2) FROM results", "SUBSTR(x, 1, 3)"),
    ("SELECT distance // 2 FROM results", "FLOOR(a / b)"),
    ("SELECT a.samples FROM results a JOIN results b USING (samples) WHERE replicate = 1", "several columns"),
    ("SELECT a.samples FROM results a LEFT JOIN results b ON a.samples < b.samples", "outer JOIN"),
    ("SELECT samples FROM results UNION ALL SELECT samples, alignment FROM results", "as many"),
    ("VALUES (1)", "VALUES"),
    ("TABLE results", "not SQL"),
    ("SELECT MAX(samples * 9000000000000000000) FROM results", "does not fit 64 bits"),
    ("SELECT 9223372036854775807 + samples FROM results", "does not fit 64 bits"),
    ("SELECT 5000000000 * 5000000000", "5000000000 * 5000000000 does not fit 64 bits"),
    ("SELECT -9223372036854775808 - samples FROM results", "does not fit 64 bits"),
    ("SELECT -(-9223372036854775807 - samples // samples) FROM results", "does not fit 64 bits"),
    ("SELECT ABS(-9223372036854775807 - samples // samples) FROM results", "does not fit 64 bits"),
    ("SELECT (-9223372036854775807 - samples // samples) // -1 FROM results", "does not fit 64 bits"),
    ("SELECT SUM(samples + 9000000000000000000) FROM results", "SUM does not fit 64 bits"),
    (
        "SELECT SUM(samples + 9000000000000000000) OVER (ORDER BY samples) FROM results",
        "SUM does not fit 64 bits",
    ),
    ("SELECT CAST(distance * 1e30 AS BIGINT) FROM results WHERE distance > 0.01", "does not fit 64 bits"),
    ("SELECT CAST('true' AS BOOLEAN)", "x = 'true'"),
    ("SELECT NOT samples FROM results", "x <> 0"),
    ("SELECT samples FROM results WHERE samples", "x <> 0"),
    ("SELECT samples FROM results WHERE samples AND TRUE", "x <> 0"),
    ("SELECT BOOL_AND(samples) FROM results", "x <> 0"),
    ("SELECT LENGTH(samples) FROM results", "AS VARCHAR"),
    ("SELECT a", "no FROM"),
    ("SELECT \"Samples\" FROM results", "keep their case"),
    ("FROM results |> WHERE samples = 3", "not"),
    ("SELECT * FROM results FOR UPDATE", "FOR"),
    ("SELECT samples INTO t FROM results", "-o FILE"),
    ("SELECT * RENAME (samples AS n) FROM results", "EXCLUDE"),
    ("SELECT * FROM results WHERE paradigm = \"supervised\"", "single quotes"),
    ("SELECT nothing.samples FROM results", "there is no table `nothing`"),
    ("SELECT summary.distance FROM summary", "`distance`"),
    ("SELECT median(paradigm) FROM results", "no numbers"),
    ("SELECT paradigm + 1 FROM results", "no number"),
    ("SELECT SUM(distance) FROM results WHERE 'a'", ""),
    ("SELECT * FROM results MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS samples > 1)", ""),
    ("SELECT paradigm::INT FROM results", ""),
    ("SELECT x FROM UNNEST([1, 2]) AS t(x)", "UNNEST"),
    ("SELECT * FROM results TABLESAMPLE (10 ROWS)", "in FROM"),
];

#[test]
fn refusals_are_a_line_with_a_remedy() {
    let mut query = fixtures(&["complete"]);
    let mut faults = Vec::new();
    for (sql, says) in REFUSED {
        let error = match query.collect(sql) {
            Ok(frame) => {
                faults.push(format!("{sql}: {:?}", frame.shape()));
                continue;
            }
            Err(error) => error,
        };
        let text = error.to_string();
        let plain = !text.contains('\n') && text.len() < 400 && !matches!(error, QueryError::Panic(_));
        // Neither the parser's tree nor its spans.
        if !plain || !text.contains(says) || text.contains("Ident {") || text.contains("span") {
            faults.push(format!("{sql}: {text}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Deep and long texts: an answer, or a line that says which is too deep.
#[test]
fn texts_of_any_length_have_an_answer_or_a_refusal() {
    let mut query = fixtures(&["complete"]);
    let chain = |part: &str, by: &str, count: usize| vec![part; count].join(by);
    let all = query.collect("SELECT * FROM results").unwrap().height();
    for count in [300, 2000] {
        let sql = format!("SELECT samples FROM results WHERE {}", chain("samples > 0", " OR ", count));
        assert_eq!(query.collect(&sql).unwrap().height(), all);
        let sql = format!("SELECT samples FROM results WHERE {}", chain("samples > 0", " AND ", count));
        assert_eq!(query.collect(&sql).unwrap().height(), all);
        let text = query.collect(&format!("SELECT {}", chain("'a'", " || ", count))).unwrap();
        assert_eq!(text.columns()[0].get(0).unwrap().get_str().unwrap().len(), count);
        let values: Vec<String> = (0..count).map(|value| value.to_string()).collect();
        let sql = format!("SELECT samples FROM results WHERE samples IN ({})", values.join(", "));
        assert_eq!(query.collect(&sql).unwrap().height(), all);
    }
    let sum = query.collect(&format!("SELECT {} AS n FROM results", chain("samples", " + ", 90))).unwrap();
    assert_eq!(sum.height(), all);
    for count in [300, 50_000] {
        let error = query.collect(&format!("SELECT {} FROM results", chain("1", "+", count))).unwrap_err();
        assert!(error.to_string().contains("within each other"), "{error}");
        let whens = chain("WHEN samples = 1 THEN 2 ", "", count.min(5000));
        let error = query.collect(&format!("SELECT CASE {whens} END FROM results")).unwrap_err();
        assert!(error.to_string().contains("within each other"), "{error}");
    }
    let error = query.collect(&format!("SELECT {}", chain("1", "+", 200_000))).unwrap_err();
    assert!(error.to_string().contains("bytes"), "{error}");
}

/// A long list of values that are not there is told in ten lines.
#[test]
fn notes_about_absent_values_are_few() {
    let mut query = fixtures(&["complete"]);
    let values: Vec<String> = (1000..2000).map(|value| format!("samples = {value}")).collect();
    let frame = query.collect(&format!("SELECT * FROM results WHERE {}", values.join(" OR "))).unwrap();
    assert_eq!(frame.height(), 0);
    assert_eq!(query.absent().unwrap().len(), 10);
}

/// All that may follow each other, whether it makes sense or not: an answer or a line.
#[test]
fn nothing_panics() {
    let mut query = fixtures(&["complete", "interrupted"]);
    let columns = [
        "*",
        "samples",
        "COUNT(*)",
        "distance, SUM(distance) OVER (ORDER BY samples)",
        "MEDIAN(gap)",
        "1",
        "NULL",
    ];
    let tables = [
        "results",
        "summary",
        "best",
        "(SELECT 1 AS samples)",
        "results a, results b",
        "results CROSS JOIN best",
    ];
    let clauses = [
        "",
        "WHERE samples > 3",
        "WHERE FALSE",
        "GROUP BY samples",
        "GROUP BY ALL",
        "ORDER BY 1",
        "ORDER BY COUNT(*)",
        "LIMIT 0",
    ];
    let mut answers = 0;
    for columns in columns {
        for table in tables {
            for clause in clauses {
                let limited = if clause == "LIMIT 0" { "" } else { "LIMIT 3" };
                match query.collect(&format!("SELECT {columns} FROM {table} {clause} {limited}")) {
                    Ok(_) => answers += 1,
                    Err(QueryError::Panic(panic)) => {
                        panic!("SELECT {columns} FROM {table} {clause}: {panic}")
                    }
                    Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
                }
            }
        }
    }
    assert!(answers > 100, "{answers}");
}
