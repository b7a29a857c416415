"""Asks DuckDB the queries of queries.sql and writes answers.json.

    cargo test -p eigensweep-query --test duckdb -- --ignored     # views.json, if views have changed
    python3 -m venv duck && duck/bin/pip install duckdb pyarrow
    duck/bin/python crates/query/tests/duckdb/generate.py
"""

import decimal
import json
import pathlib

import duckdb

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parents[3] / "tests" / "fixtures" / "format-3"
SETS = {"one": ["complete"], "two": ["complete", "interrupted"], "partial": ["interrupted"]}


def database(names, views):
    """A connection with the tables that `eigensweep query` has."""
    connection = duckdb.connect()
    parts = []
    for name in names:
        commits = (FIXTURES / name / "commits").glob("*.json")
        files = [str(FIXTURES / name / "data" / json.loads(commit.read_text())["file"].split("/")[-1])
                 for commit in sorted(commits)]
        dataset = f"'{name}' AS dataset, " if len(names) > 1 else ""
        parts.append(f"SELECT {dataset}* FROM read_parquet({files!r})")
    connection.execute("CREATE TABLE results AS " + " UNION ALL BY NAME ".join(parts))
    # Whole numbers are of 64 bits here; DuckDB refuses what does not fit 32.
    for column, kind, *_ in connection.execute("DESCRIBE results").fetchall():
        if kind == "INTEGER":
            connection.execute(f'ALTER TABLE results ALTER "{column}" TYPE BIGINT')
    for view, text in views.items():
        connection.execute(f"CREATE VIEW {view} AS {text}")
    return connection


def plain(value):
    return float(value) if isinstance(value, decimal.Decimal) else value


views = json.loads((HERE / "views.json").read_text())
connections = {name: database(names, views[name]) for name, names in SETS.items()}
answers, current = [], None
for line in (HERE / "queries.sql").read_text().splitlines():
    if line.startswith("-- ") and line[3:] in SETS:
        current = line[3:]
    elif line and not line.startswith("--"):
        try:
            relation = connections[current].sql(line)
            rows = [[plain(value) for value in row] for row in relation.fetchall()]
            answers.append({"set": current, "sql": line, "columns": relation.columns, "rows": rows})
        except duckdb.Error as error:
            raise SystemExit(f"{current}: {line}\n{error}") from error
text = ",\n".join(json.dumps(answer) for answer in answers)
(HERE / "answers.json").write_text(f"[\n{text}\n]\n")
print(f"{len(answers)} answers of DuckDB {duckdb.__version__}")
