"""Reads a data set's `data/` with one program; prints rows, failed rows, and sums that every reader must agree on."""

import sys

reader, root = sys.argv[1:]
data = root + "/data"
glob = data + "/*.parquet"

if reader == "polars":
    import polars as pl

    rows = pl.scan_parquet(glob).select("paradigm", "status", "samples", "replicate", "distance", "gap").collect()
    paradigm = rows["paradigm"].cast(pl.String)
    answer = (
        rows.height,
        int((rows["status"].cast(pl.String) != "ok").sum()),
        int((paradigm == "reconstruction").sum()),
        int(rows["samples"].sum()),
        int(rows["replicate"].sum()),
        rows["gap"].null_count(),
        rows["distance"].max(),
    )
elif reader == "pyarrow":
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    rows = ds.dataset(data, format="parquet").to_table()
    text = lambda name: rows[name].cast("string")
    count = lambda condition: pc.sum(condition).as_py() or 0
    answer = (
        rows.num_rows,
        count(pc.not_equal(text("status"), "ok")),
        count(pc.equal(text("paradigm"), "reconstruction")),
        pc.sum(rows["samples"]).as_py(),
        pc.sum(rows["replicate"]).as_py(),
        rows["gap"].null_count,
        pc.max(rows["distance"]).as_py(),
    )
elif reader == "pandas":
    import pandas as pd

    rows = pd.read_parquet(data)
    answer = (
        len(rows),
        int((rows["status"] != "ok").sum()),
        int((rows["paradigm"] == "reconstruction").sum()),
        int(rows["samples"].sum()),
        int(rows["replicate"].sum()),
        int(rows["gap"].isna().sum()),
        float(rows["distance"].max()),
    )
else:
    import duckdb

    query = (
        "SELECT count(*), count(*) FILTER (status <> 'ok'), count(*) FILTER (paradigm = 'reconstruction'), sum(samples), "
        f"sum(replicate), count(*) FILTER (gap IS NULL), max(distance) FROM '{glob}'"
    )
    answer = duckdb.sql(query).fetchall()[0]

*counts, distance = answer
print(*(int(count) for count in counts), repr(float(distance)))
