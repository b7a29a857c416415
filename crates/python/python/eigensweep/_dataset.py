"""Data sets on disk: :class:`Dataset` and :func:`open`."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._errors import Error, optional
from ._values import as_json, whole

if TYPE_CHECKING:
    import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import polars  # type: ignore[import-not-found,unused-ignore]
    import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from ._core import Drawing


class Dataset:
    """A data set on disk, as :func:`run` or the program wrote it.

    It holds a path, from the root, and nothing else: every access reads what is there, so that it
    may be looked at while it grows, and it pickles as its path. Rows are those of committed parts only.

    Parameters
    ----------
    path : path
        The directory.

    Raises
    ------
    Error
        If there is no data set.

    Examples
    --------
    >>> import eigensweep as es
    >>> data = es.run({
    ...     "job": {"name": "small", "replicates": 5},
    ...     "data": {"components": 4},
    ...     "corruption": {"components": 4, "scale": [1e1, 1e3]},
    ...     "grid": {"samples": [100, 10_000]},
    ...     "model": {"dimension": 4},
    ... })
    >>> data.status["complete"]
    True
    >>> es.open(data.path) == data
    True
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The working directory may change.
        self._path = Path(path).absolute()
        # There is one.
        self._described()

    @property
    def path(self) -> Path:
        """The directory."""
        return self._path

    def _described(self) -> dict[str, Any]:
        """Read what it is and how it stands."""
        found: dict[str, Any] = json.loads(_core.describe(self._path))
        return found

    @property
    def job(self) -> dict[str, Any]:
        """The job as resolved: every key with its value."""
        return tomllib.loads(self._described()["job"])

    @property
    def status(self) -> dict[str, Any]:
        """How it stands now.

        ``rows``, ``rows_done``, ``parts``, ``parts_done``, ``failed`` (rows without a value, by
        status), ``faults`` (damaged parts, which a run computes again), ``complete``,
        ``rows_per_second`` of the runs that are alive, and ``shards`` with the last run of each.
        """
        found: dict[str, Any] = self._described()["status"]
        return found

    @property
    def axes(self) -> dict[str, list[float]]:
        """The axes of the grid, each with its values."""
        return dict(self._described()["axes"])

    @property
    def paradigms(self) -> list[str]:
        """The paradigms, in the order of the rows."""
        found: list[str] = self._described()["paradigms"]
        return found

    @property
    def metrics(self) -> list[str]:
        """The metrics, in the order of the columns."""
        found: list[str] = self._described()["metrics"]
        return found

    def __len__(self) -> int:
        """Rows that are done."""
        rows: int = self.status["rows_done"]
        return rows

    def __bool__(self) -> bool:
        """Be true, also without rows."""
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset):
            return NotImplemented
        return self._path.resolve() == other._path.resolve()

    def __hash__(self) -> int:
        return hash(self._path.resolve())

    def __fspath__(self) -> str:
        """Be a path: what takes one takes the data set."""
        return os.fspath(self._path)

    def __reduce__(self) -> tuple[type[Dataset], tuple[Path]]:
        return Dataset, (self._path,)

    # Rows

    def scan(self) -> polars.LazyFrame:
        """Give the rows as a lazy frame of polars, which reads what it needs of the files.

        Returns
        -------
        polars.LazyFrame
            ``replicate``, the axes, ``paradigm``, the metrics (null without a value), ``status``.

        Raises
        ------
        ImportError
            If polars is not installed.
        Error
            If a part is damaged, if there are no rows yet, or if the job keeps a summary in place
            of rows (``detail = "summary"``).

        Examples
        --------
        >>> import eigensweep as es, polars as pl
        >>> data = es.run({"job": {"replicates": 2}, "data": {"components": 4}})
        >>> data.scan().select(pl.len()).collect().item() == len(data)
        True
        """
        return _scan("scan()", _core.part_files(self._path))

    def to_pandas(self) -> pandas.DataFrame:
        """Give all rows as a frame of pandas, with categories of paradigms and statuses.

        Raises
        ------
        ImportError
            If pandas is not installed.
        Error
            As of :meth:`scan`.
        """
        library = optional("pandas", "to_pandas()", "pandas")
        columns: dict[str, Any] = {}
        for name, column in _core.columns(self._path).items():
            if isinstance(column, tuple):
                keys, words = column
                column = library.Categorical.from_codes(keys, words).remove_unused_categories()
            columns[name] = column
        frame: pandas.DataFrame = library.DataFrame(columns, copy=False)
        return frame

    def to_arrow(self) -> pyarrow.Table:
        """Give all rows as a table of pyarrow, with words as dictionaries.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        Error
            As of :meth:`scan`.
        """
        library = optional("pyarrow", "to_arrow()", "pyarrow")
        table: pyarrow.Table = library.RecordBatchReader.from_stream(self).read_all()
        return table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give all rows by the Arrow C interface, a batch at a time.

        What speaks it (pyarrow, polars, duckdb, nanoarrow) takes the data set itself. A schema that
        is requested is passed over, as the interface allows.
        """
        return _core.arrow_stream(self._path)

    def summary(self) -> polars.LazyFrame:
        """Give each combination of the axes over its replicates, as a lazy frame of polars.

        Returns
        -------
        polars.LazyFrame
            The axes, ``paradigm``, ``replicates``, and of each metric count, mean, standard error,
            variance, extremes and quantiles.

        Raises
        ------
        ImportError
            If polars is not installed.
        Error
            If the data set is not complete: the summary is written with the last row.
        """
        return _scan("summary()", [_core.summary_file(self._path)])

    def sql(self, query: str) -> polars.DataFrame:
        """Ask the rows in SQL, of polars.

        Parameters
        ----------
        query : str
            A ``SELECT`` over the tables ``results`` (a row per replicate, combination and
            paradigm), ``summary`` (count, mean, standard error, median, quantiles of each
            combination) and ``best`` (which paradigm is closest, by how much, which recover). Of a
            job with ``detail = "summary"`` there is ``summary`` alone, and of :func:`boundary`
            ``boundary``.

        Returns
        -------
        polars.DataFrame
            What ``eigensweep query`` answers.

        Raises
        ------
        ImportError
            If polars is not installed.
        Error
            As of :meth:`scan`, and where the query is wrong or asks for anything beside the
            tables: a file by ``read_csv``, say.

        Examples
        --------
        >>> import eigensweep as es
        >>> data = es.run({"job": {"replicates": 2}, "data": {"components": 4}})
        >>> found = data.sql("SELECT DISTINCT paradigm FROM results ORDER BY paradigm")
        >>> found["paradigm"].to_list()
        ['joint-embedding', 'reconstruction', 'supervised']
        """
        library = optional("polars", "sql()", "polars")
        if self._described()["detail"] == "summary":
            frame = self.summary()
            names = frame.collect_schema().names()
            renamed = {name: name.replace("_standard_error", "_se") for name in names}
            renamed["replicates"] = "rows"
            frame = frame.rename(renamed)
            context = library.SQLContext({"summary": frame})
        else:
            context = library.SQLContext({self._described()["table"]: self.scan()})
            for name, text in _core.sql_views(self._path):
                context.register(name, context.execute(text, eager=False))
        if reader := _reader(query):
            raise Error(f"SQL: {reader} reads a file, and a query sees {_listed(context)} alone")
        try:
            found: polars.DataFrame = context.execute(query, eager=True)
        except library.exceptions.PolarsError as error:
            # What follows the first lines are plans and parsers' own structures.
            said = str(error).split("\n\n")[0].split(":\n")[0]
            raise Error(f"SQL: {said}; the tables are {_listed(context)}") from error
        return found

    # Figures

    def plot(
        self,
        figure: str = "learning-curves",
        *,
        x: str | None = None,
        y: str | None = None,
        color: str | None = None,
        facet: str | Sequence[str] | None = None,
        where: str | None = None,
        band: str | None = None,
        x_scale: str | None = None,
        y_scale: str | None = None,
        title: str | None = None,
    ) -> Drawing:
        """Draw a figure, with the bytes of ``eigensweep plot``.

        Parameters
        ----------
        figure : str
            ``"learning-curves"``, ``"phase"``, ``"threshold"`` or ``"spectrum"``.
        x, y, color : str, optional
            What runs to the right, upwards, and what colours tell apart: an axis or a metric.
        facet : str or list of str, optional
            What panels tell apart: an axis for the columns, and one for the rows.
        where : str, optional
            Only rows for which this holds, as in SQL: ``"noise_scale = 1e6 and alignment > 1"``.
        band : str, optional
            What a curve and its band show: ``"mean"``, ``"quantiles"`` or ``"none"``.
        x_scale, y_scale : str, optional
            ``"linear"`` or ``"log"``.
        title : str, optional
            The title; empty for none. The job's name by default.

        Returns
        -------
        Drawing
            Shown by notebooks; has ``svg``, ``png()``, ``save(path)`` and ``notes``.

        Raises
        ------
        Error
            If a name is not known, or the rows cannot give the figure.

        Examples
        --------
        >>> import eigensweep as es
        >>> data = es.run({"job": {"replicates": 2}, "data": {"components": 4}})
        >>> data.plot(y="leakage").svg[:4]
        '<svg'
        """
        panels = [facet] if isinstance(facet, str) else list(facet or [])
        return _core.draw(
            [self._path], figure, x=x, y=y, color=color, facet=panels, filter=where, band=band,
            x_scale=x_scale, y_scale=y_scale, title=title,
        )  # fmt: skip

    def report(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write one self-contained page about everything: ``NAME-report.html`` by default.

        Returns
        -------
        Path
            The page.
        """
        page = Path(path or f"{self._path.resolve().name}-report.html")
        _core.report([self._path], page)
        return page

    # Soundness

    def verify(self) -> list[tuple[str, str]]:
        """Read every byte and compare it with its checksum.

        Returns
        -------
        list of (str, str)
            Files that are damaged, each with what is wrong with it; a run computes them again.
        """
        return _core.verify(self._path)

    def replay(
        self, where: str, *, limit: int = 5, set: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Compute single rows again, each alone, and give what is behind them.

        Parameters
        ----------
        where : str
            Which rows, as in SQL: ``"paradigm = 'reconstruction' and distance > 0.5"``. A number
            equals a coordinate also as tables round it.
        limit : int, default 5
            Most rows.
        set : dict, optional
            Values over those of the job, such as ``{"data.images": path}`` where files have moved.

        Returns
        -------
        list of dict
            Of each row ``replicate``, the axes and ``paradigm``; of each metric and of ``status``
            a dict of the value computed ``alone`` and the one ``stored``; ``same_bits``, whether
            they are the same (None with ``detail = "summary"``, which stores no rows); ``file``;
            and as arrays the eigenvalues behind it: ``signal`` (k₀,), or None of raw features,
            ``gamma`` (p,) and ``theta`` (d,), which views of stages have none of; and by paradigm
            ``spectra`` (d,), ω or φ descending, or why there are none.

        Raises
        ------
        Error
            If the condition cannot be read or no row fulfils it, with what there is; or the input
            is another than the data set's.
        JobError, OSError
            If a value of `set` or a file is wrong.

        Examples
        --------
        >>> import eigensweep as es
        >>> data = es.run({"job": {"replicates": 2}, "data": {"components": 4}})
        >>> (row,) = data.replay("paradigm = 'reconstruction'", limit=1)
        >>> row["same_bits"], row["distance"]["alone"] == row["distance"]["stored"]
        (True, True)
        >>> row["spectra"]["reconstruction"].shape == row["theta"].shape
        True
        """
        overrides = [(key, as_json(value, key)) for key, value in (set or {}).items()]
        found = _core.replay(self._path, where, whole("limit", limit), overrides)
        rows: list[dict[str, Any]] = json.loads(found)
        for row in rows:
            for of in (row, row["spectra"]):
                of.update(
                    {key: np.array(value) for key, value in of.items() if isinstance(value, list)}
                )
        return rows

    # For people

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *(f"  {name}: {text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        import html

        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self._lines()
        )
        return f"<b>{html.escape(self._headline())}</b><table>{rows}</table>"

    def _headline(self) -> str:
        # Short where it is below the working directory.
        try:
            place = os.path.relpath(self._path)
        except OSError:  # The working directory is gone.
            place = os.pardir
        return f"Dataset({str(self._path) if place.startswith('..') else place!r})"

    def _lines(self) -> list[tuple[str, str]]:
        try:
            found = self._described()
        except (Error, OSError) as error:
            return [("gone", str(error))]
        status = found["status"]
        rows = f"{status['rows_done']:,} of {status['rows']:,}"
        failed = ", ".join(f"{count:,} {name}" for name, count in status["failed"].items())
        missing = status["rows"] - status["rows_done"]
        rows += f" ({missing:,} missing)" if missing else ""
        axes = [(name, shown(values)) for name, values in found["axes"] if len(values) > 1]
        return [
            ("rows", rows + (f", without a value {failed}" if failed else "")),
            ("data", source_of(found["job"], self._path)),
            *axes,
            ("paradigms", ", ".join(found["paradigms"])),
            ("metrics", ", ".join(found["metrics"])),
        ]


def open(path: str | os.PathLike[str]) -> Dataset:
    """Open a data set that is there, to read it.

    Parameters
    ----------
    path : path
        The directory that :func:`run` or the program wrote.

    Returns
    -------
    Dataset
        The data set.

    Raises
    ------
    Error
        If there is none.
    """
    return Dataset(path)


def _reader(query: str) -> str | None:
    """The first function of a query that reads files; polars has no switch for them."""
    # Texts and comments aside; a name may be quoted.
    code = re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL)
    found = re.search(r"""(?i)\b((?:read|scan)_\w+)["`]?\s*\(""", code)
    return found and found[1]


def _listed(context: polars.SQLContext[Any]) -> str:
    *first, last = sorted(context.tables())
    return f"{', '.join(first)} and {last}" if first else f"`{last}`"


def _scan(what: str, files: Sequence[os.PathLike[str]]) -> polars.LazyFrame:
    frame: polars.LazyFrame = optional("polars", what, "polars").scan_parquet(files, glob=False)
    return frame


def source_of(job: str, root: Path | None = None) -> str:
    """What the data of a resolved job in TOML are, in a line; of arrays in a data set their shape.

    They are where the data set is now, wherever it was when it was made.
    """
    data = tomllib.loads(job)["data"]
    source, inputs = data["source"], data.get("inputs")
    if not isinstance(inputs, str):
        return f"synthetic, {source}"
    path = Path(inputs)
    if path.parent.name == _core.INPUTS:
        own = path if root is None else root / _core.INPUTS / path.name
        if own.is_file():
            sizes = np.load(own, mmap_mode="r").shape
            return f"an array, {' × '.join(map(str, sizes))}"
    return f"{source}, {inputs}"


def shown(values: Sequence[float]) -> str:
    """The first values of an axis, and how many there are."""
    if len(values) <= 6:
        return ", ".join(f"{value:g}" for value in values)
    head = ", ".join(f"{value:g}" for value in values[:4])
    return f"{head}, … {values[-1]:g} ({len(values)} values)"
