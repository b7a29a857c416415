"""Data sets on disk, from Python."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs import LONG, ROWS, SMALL, files, program

import eigensweep as es

pl: Any = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> es.Dataset:
    return es.run(SMALL, output=tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> es.Dataset:
    job = SMALL | {"output": {"detail": "summary"}}
    return es.run(job, output=tmp_path_factory.mktemp("data") / "summaries")


def test_a_handle_says_what_it_is(data: es.Dataset) -> None:
    assert len(data) == ROWS and data
    assert data.axes["noise_scale"] == [10.0, 1000.0]
    assert list(data.axes)[-1] == "dimension"
    assert data.paradigms == ["supervised", "joint-embedding", "reconstruction"]
    assert "distance" in data.metrics
    assert data.job["job"]["name"] == "small"
    status = data.status
    assert status["complete"] and status["rows"] == status["rows_done"] == ROWS
    assert (status["parts"], status["parts_done"], status["failed"], status["faults"]) == (
        1,
        1,
        {},
        0,
    )
    assert status["shards"][0]["state"] == "finished"
    assert str(status["rows_per_second"]) == "0.0"


def test_it_is_shown_to_people(data: es.Dataset) -> None:
    text = repr(data)
    assert text.startswith("Dataset(") and "216 of 216" in text
    assert "alignment: 0.1, 1, 10" in text
    page = data._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") > 4 and "216 of 216" in page


def test_handles_are_their_paths(data: es.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pickle.loads(pickle.dumps(data)) == data
    assert len({data, es.open(str(data.path))}) == 1
    assert data != es.open and data != data.path
    monkeypatch.chdir(data.path.parent)
    assert es.open("small") == data


def test_a_directory_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(es.Error, match="holds no data set"):
        es.open(tmp_path)
    with pytest.raises(es.Error, match="holds no data set"):
        es.open(tmp_path / "none")


def test_a_handle_reads_anew_what_is_there(tmp_path: Path) -> None:
    data = es.run(SMALL, output=tmp_path)
    es.run(SMALL, set={"job.replicates": 9}, output=tmp_path)
    assert len(data) == ROWS // 6 * 9
    assert data.scan().select(pl.len()).collect().item() == ROWS // 6 * 9


def test_what_the_program_wrote_is_opened(tmp_path: Path) -> None:
    command = [program(), "run", "--output", str(tmp_path), "--set", "job.replicates=2", "-q"]
    (job := tmp_path.parent / "x.toml").write_text("[data]\ncomponents = 4\n")
    subprocess.run([*command, str(job)], check=True)
    data = es.open(tmp_path)
    assert data.status["complete"] and len(data.to_pandas()) == len(data)


# Rows


def test_all_ways_give_the_same_rows(data: es.Dataset) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    lazy = data.scan().collect()
    assert lazy.height == ROWS
    names = ["replicate", *data.axes, "paradigm", *data.metrics, "status"]
    assert lazy.columns == names
    frame = data.to_pandas()
    table = data.to_arrow()
    assert isinstance(table, pyarrow.Table) and isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == names == table.column_names
    assert isinstance(frame["paradigm"].dtype, pandas.CategoricalDtype)
    assert sorted(frame["paradigm"].cat.categories) == sorted(data.paradigms)
    for name in names:
        expected = lazy[name].to_list()
        assert table[name].to_pylist() == expected
        found = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        assert found == expected


def test_others_take_the_data_set_itself(data: es.Dataset) -> None:
    expected = data.scan().sort(pl.all()).collect()
    frame = pl.DataFrame(data)
    words = [pl.col("paradigm", "status").cast(pl.String)]
    assert (
        frame.with_columns(words).sort(pl.all()).equals(expected.with_columns(words).sort(pl.all()))
    )
    pyarrow = pytest.importorskip("pyarrow")
    assert pyarrow.table(data).num_rows == ROWS


def test_duckdb_takes_the_data_set_itself(data: es.Dataset) -> None:
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql("SELECT paradigm, count(*) FROM data GROUP BY paradigm ORDER BY paradigm")
    third = ROWS // 3
    assert found.fetchall() == [(name, third) for name in sorted(data.paradigms)]


def test_rows_without_a_value_are_null(tmp_path: Path) -> None:
    # More dimensions than S has directions.
    job = {
        "job": {"replicates": 2},
        "data": {"components": 2, "label_count": 2},
        "corruption": {"components": 2, "spectrum": [1, 0], "scale": 1},
        "augmentation": {"spectrum": "flat", "scale": 0, "alignment": 0},
        "grid": {"samples": 100},
        "model": {"dimension": 4},
        "output": {"max_failed": 1},
    }
    with pytest.warns(es.EigensweepWarning, match="without a value"):
        data = es.run(job, output=tmp_path)
    failed = data.to_pandas().query("status != 'ok'")
    assert len(failed) and failed["distance"].isna().all()
    assert data.to_arrow()["distance"].null_count == len(failed)
    assert sum(data.status["failed"].values()) == len(failed)


def test_files_that_no_record_names_do_not_exist(tmp_path: Path) -> None:
    data = es.run(SMALL, output=tmp_path)
    part = next(tmp_path.glob("data/*"))
    part.with_name("part-000-000009-00000000.parquet").write_bytes(part.read_bytes())
    assert data.scan().collect().height == len(data.to_pandas()) == ROWS


def test_damage_is_named(tmp_path: Path) -> None:
    data = es.run(SMALL, output=tmp_path)
    assert data.verify() == []
    part = next(tmp_path.glob("data/*"))
    content = bytearray(part.read_bytes())
    content[100] ^= 1
    part.write_bytes(content)
    assert data.verify() == [(f"data/{part.name}", "does not match its checksum")]
    part.write_bytes(content[:-9])
    with pytest.raises(es.Error, match="is damaged"):
        data.scan()
    assert len(data) == 0 and data.status["faults"] == 1


def test_what_is_not_finished_has_rows_and_no_summary(tmp_path: Path) -> None:
    def enough(rows: int, total: int, failed: int) -> None:
        if rows > 3000:
            raise StopIteration

    with pytest.raises(StopIteration):
        es.run(LONG, set={"output.part_rows": 1000}, output=tmp_path, progress=enough)
    data = es.open(tmp_path)
    assert data.scan().collect().height == len(data) > 0
    with pytest.raises(es.Error, match="has no summary"):
        data.summary()


def test_a_data_set_of_several_sections_is_read_whole(tmp_path: Path) -> None:
    es.run(SMALL, output=tmp_path)
    data = es.run(SMALL, set={"augmentation.alignment": [0.1, 1, 5, 10]}, output=tmp_path)
    assert len(list(tmp_path.glob("sections/*"))) > 1
    assert data.axes["alignment"] == [0.1, 1, 5, 10]
    rows = data.scan().collect()
    assert rows.height == ROWS // 3 * 4 == len(data.to_pandas()) == data.to_arrow().num_rows


# Summaries and SQL


def test_a_summary_has_a_row_a_combination(data: es.Dataset) -> None:
    summary = data.summary().collect()
    assert summary.height == ROWS // 6
    means = data.scan().group_by(*data.axes, "paradigm").agg(pl.col("distance").mean())
    both = summary.join(means.collect(), on=[*data.axes, "paradigm"])
    assert both.height == summary.height
    np.testing.assert_allclose(both["distance_mean"], both["distance"], rtol=1e-12)


QUERIES = [
    """SELECT paradigm, alignment, AVG(leakage) AS leakage FROM results
    GROUP BY paradigm, alignment ORDER BY paradigm, alignment""",
    "SELECT * FROM best WHERE samples = 10000",
    "SELECT * FROM summary WHERE paradigm = 'reconstruction'",
    "SELECT winner, COUNT(*) AS cells FROM best GROUP BY winner ORDER BY winner",
]


@pytest.mark.parametrize("query", QUERIES)
def test_sql_gives_what_the_query_program_gives(data: es.Dataset, query: str) -> None:
    command = [program("eigensweep-query"), str(data.path), query, "--format", "json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = data.sql(query).to_dicts()
    assert len(found) == len(answer) > 0
    for ours, theirs in zip(found, answer, strict=True):
        assert list(ours) == list(theirs)
        for name in ours:
            expected = theirs[name]
            if isinstance(expected, float):
                expected = pytest.approx(expected, rel=1e-12, abs=1e-300)
            assert ours[name] == expected, name


@pytest.mark.parametrize("query", QUERIES)
def test_sql_gives_what_duckdb_gives(data: es.Dataset, query: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    from eigensweep import _core

    connection = duckdb.connect()
    connection.register("results", data.to_arrow())
    for name, text in _core.sql_views(data.path):
        connection.execute(f"CREATE VIEW {name} AS {text}")
    expected = connection.sql(query).fetchall()
    found = data.sql(query).rows()
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            is_number = isinstance(other, float)
            assert one == (pytest.approx(other, rel=1e-9, abs=1e-300) if is_number else other)


def test_a_table_that_there_is_not_is_refused(data: es.Dataset) -> None:
    with pytest.raises(es.Error, match="'nothing' was not found; .* best, results and summary"):
        data.sql("SELECT * FROM nothing")
    with pytest.raises(es.Error, match="SQL: unable to find column .*distance"):
        data.sql("SELECT nothing FROM results")
    with pytest.raises(es.Error, match="SQL: .*found: SELEC"):
        data.sql("SELEC 1")


def test_sql_sees_the_tables_alone(data: es.Dataset, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    for reader in ("read_csv", "READ_CSV ", '"read_csv"', "read_csv/* */", "read_parquet"):
        with pytest.raises(es.Error, match="(?i)read_[a-z]+ reads a file"):
            data.sql(f"SELECT * FROM {reader}('{tmp_path / 'x.csv'}')")
    with pytest.raises(es.Error, match="was not found"):
        data.sql(f"SELECT * FROM '{tmp_path / 'x.csv'}'")
    # What only looks like one.
    found = data.sql(
        "SELECT COUNT(*) AS n FROM results -- read_csv('x')\nWHERE status <> 'read_csv('"
    )
    assert found.item() == ROWS


def test_a_data_set_of_summaries_has_its_summary_alone(summaries: es.Dataset) -> None:
    for rows in (summaries.scan, summaries.to_pandas, summaries.to_arrow):
        with pytest.raises(es.Error, match=re.escape("summary() has it")):
            rows()
    assert summaries.summary().collect().height == ROWS // 6
    assert summaries.sql("SELECT SUM(rows) AS rows FROM summary").item() == ROWS
    assert "distance_se" in summaries.sql("SELECT * FROM summary").columns


# Figures


def test_a_figure_has_the_bytes_of_the_programs(data: es.Dataset, tmp_path: Path) -> None:
    drawing = data.plot("phase", x="noise_scale", y="alignment", color="leakage")
    drawing.save(tmp_path / "ours.svg")
    drawing.save(tmp_path / "ours.png", resolution=1.0)
    assert (tmp_path / "ours.svg").read_text() == drawing.svg
    assert drawing.png(1.0) == (tmp_path / "ours.png").read_bytes()
    assert drawing.png().startswith(b"\x89PNG")
    options = ["--figure", "phase", "--x", "noise_scale", "--y", "alignment", "--color", "leakage"]
    for name, more in (("svg", []), ("png", ["--resolution", "1"])):
        theirs = tmp_path / f"theirs.{name}"
        command = [program(), "plot", str(data.path), *options, *more, "-o", str(theirs), "-q"]
        subprocess.run(command, check=True)
        assert theirs.read_bytes() == (tmp_path / f"ours.{name}").read_bytes()


def test_figures_on_one_page_have_names_of_their_own(data: es.Dataset) -> None:
    drawings = [data.plot(), data.plot("phase", x="noise_scale", y="alignment"), data.plot()]
    shown = [drawing._repr_svg_() for drawing in drawings]
    names = [set(re.findall(r'id="([^"]+)"', svg)) for svg in shown]
    assert names[0] and names[1] and not names[0] & names[1]
    assert shown[0] == shown[2], "the same figure, the same bytes"
    for svg, own, drawing in zip(shown, names, drawings, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) == own
        assert re.sub("panel-[0-9a-f]{8}-", "panel-", svg) == drawing.svg


def test_every_kind_of_figure_is_drawn(data: es.Dataset) -> None:
    for figure in ("learning-curves", "phase", "spectrum"):
        drawing = data.plot(figure, title="")
        assert drawing.svg.startswith("<svg") and drawing.label
        assert not any("--" in note for note in drawing.notes), drawing.notes
    lines = data.plot(facet=["noise_scale", "paradigm"], where="alignment > 1", band="none")
    assert lines.svg != data.plot().svg
    assert data.plot(x_scale="linear").svg != data.plot(x_scale="log").svg


def test_what_cannot_be_drawn_is_said_in_pythons_words(data: es.Dataset, tmp_path: Path) -> None:
    with pytest.raises(es.Error, match=r"x= means nothing for a figure of kind `spectrum`"):
        data.plot("spectrum", x="alignment")
    with pytest.raises(es.Error, match="did you mean `alignment`"):
        data.plot(x="alignmnt")
    with pytest.raises(ValueError, match="did you mean `phase`"):
        data.plot("phas")
    with pytest.raises(ValueError, match="band='all' is not one of"):
        data.plot(band="all")
    with pytest.raises(es.Error, match="there is no column `nothing`"):
        data.plot(where="nothing = 1")
    with pytest.raises(es.Error, match="must end in .svg or .png"):
        data.plot().save(tmp_path / "figure.pdf")
    with pytest.raises(ValueError, match="beyond what numbers hold"):
        data.plot().png(10**400)


def test_a_report_is_a_page(data: es.Dataset, tmp_path: Path) -> None:
    page = data.report(tmp_path / "page.html")
    assert page.read_text().startswith("<!")
    with pytest.raises(es.Error, match="must end in .html"):
        data.report(tmp_path / "page.pdf")
    with pytest.raises(FileNotFoundError):
        data.report(tmp_path / "none" / "page.html")


def test_two_handles_of_one_job_have_the_same_files(data: es.Dataset, tmp_path: Path) -> None:
    assert files(es.run(SMALL, output=tmp_path, threads=2).path) == files(data.path)


# Rows again


def test_rows_are_computed_again_as_the_program_does(data: es.Dataset) -> None:
    where = "paradigm <> 'supervised' and samples = 100 and alignment > 1"
    rows = data.replay(where, limit=30)
    assert len(rows) == 6 * 2 * 2 and all(row["same_bits"] for row in rows)
    assert len(data.replay(where)) == 5
    command = [program(), "replay", str(data.path), "--where", where, "--limit", "30", "--json"]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for row, expected in zip(rows, theirs, strict=True):
        expected.pop("seconds")
        spectra = {name: values.tolist() for name, values in row["spectra"].items()}
        arrays = {name: row[name].tolist() for name in ("signal", "gamma", "theta")}
        assert row | arrays | {"spectra": spectra} == expected
    first = rows[0]
    stored = data.to_pandas().query("replicate == 0 and samples == 100 and alignment == 10")
    stored = stored[stored.paradigm == first["paradigm"]].iloc[0]
    assert first["distance"] == {"alone": stored.distance, "stored": stored.distance}
    assert isinstance(first["samples"], int) and first["status"]["stored"] == "ok"


def test_rows_that_cannot_be_computed_again_are_said(
    data: es.Dataset, summaries: es.Dataset, tmp_path: Path
) -> None:
    for where, said in (
        ("samples = 7", "no row fulfils samples = 7: samples is 100 or 10,?000"),
        ("smaples = 100", 'where=.*did you mean "samples"'),
        ("samples = ", "where=.*cannot be read"),
    ):
        with pytest.raises(es.Error, match=said):
            data.replay(where)
    with pytest.raises(es.JobError):
        data.replay("samples = 100", set={"job.sed": 1})
    with pytest.raises(es.Error, match="another job|different"):
        data.replay("samples = 100", set={"job.seed": 99})
    with pytest.raises(ValueError, match="limit=0"):
        data.replay("samples = 100", limit=0)
    assert summaries.replay("replicate = 1", limit=1)[0]["same_bits"] is None
    traced = SMALL | {"augmentation": {}, "boundary": {"max_replicates": 30}}
    with pytest.raises(es.Error, match="critical alignments"):
        es.boundary(traced, output=tmp_path / "traced").replay("samples = 100")


def test_rows_of_arrays_are_computed_again_where_the_data_set_was_moved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 6)), rng.integers(0, 2, 60)
    job = {"job": {"replicates": 2}, "data": {"components": 4}, "grid": {"samples": [20]}}
    data = es.run(job, data=(X, y), output=tmp_path / "before")
    moved = es.open(data.path.rename(tmp_path / "after"))
    rows = moved.replay("replicate = 1")
    assert rows and all(row["same_bits"] for row in rows)
