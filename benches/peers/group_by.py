"""Group-by over a large data set: `eigensweep query` beside DuckDB and Python polars on the same files.

    pip install polars duckdb
    python benches/peers/group_by.py DATASET --eigensweep target/release/eigensweep --rounds 3

Each program is started anew, in turn, round after round; printed are the median wall time (start included) and the largest peak of
resident memory over the rounds.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

QUERIES = {
    "mean, deviation, count by 3 axes": (
        "SELECT paradigm, samples, alignment, AVG(distance) AS mean, STDDEV(distance) AS deviation, COUNT(*) AS n "
        "FROM {table} GROUP BY paradigm, samples, alignment",
        "rows.group_by('paradigm', 'samples', 'alignment').agg(mean=pl.col('distance').mean(), "
        "deviation=pl.col('distance').std(), n=pl.len())",
    ),
    "the same where n = 51200": (
        "SELECT paradigm, alignment, AVG(distance) AS mean, COUNT(*) AS n FROM {table} WHERE samples = 51200 "
        "GROUP BY paradigm, alignment",
        "rows.filter(pl.col('samples') == 51200).group_by('paradigm', 'alignment').agg(mean=pl.col('distance').mean(), n=pl.len())",
    ),
    "median by 3 axes": (
        "SELECT paradigm, samples, alignment, MEDIAN(distance) AS median FROM {table} GROUP BY paradigm, samples, alignment",
        "rows.group_by('paradigm', 'samples', 'alignment').agg(median=pl.col('distance').median())",
    ),
}


def commands(dataset, eigensweep):
    files = f"{dataset}/data/*.parquet"
    for name, (sql, lazy) in QUERIES.items():
        yield name, {
            "eigensweep query": [eigensweep, "query", str(dataset), sql.format(table="results"), "--format", "csv"],
            "DuckDB": [
                sys.executable,
                "-c",
                f"import duckdb; print(len(duckdb.sql({sql.format(table=repr(files))!r}).fetchall()))",
            ],
            "Python polars": [
                sys.executable,
                "-c",
                f"import polars as pl; rows = pl.scan_parquet({files!r}); print({lazy}.collect(engine='streaming').height)",
            ],
        }


def run(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024**2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("--eigensweep", default="target/release/eigensweep")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    records = [json.loads(path.read_text()) for path in (arguments.dataset / "commits").glob("*.json")]
    print(f"{sum(record['rows'] for record in records):,} rows in {len(records)} files, "
          f"{sum(record['bytes'] for record in records) / 1e9:.2f} GB\n")
    print("| query | program | seconds, median | range | over the fastest | peak memory, GB |\n|---|---|---:|---:|---:|---:|")
    for name, programs in commands(arguments.dataset, arguments.eigensweep):
        runs = {program: [] for program in programs}
        for _ in range(arguments.rounds):
            for program, command in programs.items():
                runs[program].append(run(command))
        medians = {program: statistics.median(seconds for seconds, _ in found) for program, found in runs.items()}
        for program, found in runs.items():
            seconds = [each for each, _ in found]
            print(f"| {name} | {program} | {medians[program]:.2f} | {min(seconds):.2f}–{max(seconds):.2f} "
                  f"| {medians[program] / min(medians.values()):.2f} | {max(memory for _, memory in found):.2f} |", flush=True)


main()
