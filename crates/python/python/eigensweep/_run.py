"""Running jobs: :func:`run`, :func:`boundary` and :func:`plan`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _core
from ._dataset import Dataset, shown, source_of
from ._errors import EigensweepWarning, optional
from ._values import as_json, dense, refuse_missing, whole

Job = str | os.PathLike[str] | Mapping[str, Any]
"""A path, TOML text, or a dict of the job file's keys."""

Progress = Callable[[int, int, int], object]
"""Hears rows done, all rows, and rows without a value."""

_JobText = tuple[str, str, list[tuple[str, str]]]


def run(
    job: Job,
    *,
    set: Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    shard: str | tuple[int, int] | None = None,
    fresh: bool = False,
    data: Any = None,
    progress: bool | Progress | None = None,
) -> Dataset:
    """Compute what is missing of a job's data set.

    The same call goes on where an earlier one, of this module or of the program, was stopped. A
    data set has the same bytes whoever writes it.

    Parameters
    ----------
    job : path, str or dict
        The path of a job file, its text in TOML, or a dict of the same keys. A str is text if it
        has a line break or a ``=`` and is not the name of a file. Values of a dict may be NumPy
        arrays and scalars, tuples and paths. Relative paths are relative to the job file, of text
        and dicts to the working directory.
    set : dict, optional
        Values over those of the job, such as ``{"job.replicates": 200}``.
    output : path, optional
        The data set's directory; ``output/NAME`` by default.
    threads : int, optional
        Worker threads; by default the processors that were granted, and one in a worker of joblib.
    shard : str or tuple of int, optional
        The share of the work, ``"1/3"`` or ``(1, 3)``.
    fresh : bool
        Whether a data set that is there is removed first.
    data : array, tuple of arrays or dict, optional
        What the job's ``[data]`` would name as files: inputs `X` (a row a sample; of images more
        dimensions), a pair `(X, Y)` of inputs and labels, or a dict of keys of ``[data]``:
        ``inputs``, ``labels``, ``targets``, ``groups``, ``test_inputs``, ``test_labels`` and
        ``test_targets`` with arrays, others with values. Arrays are written once into the data
        set, so that the program, replays and batch jobs go on from there.
    progress : bool or callable, optional
        ``True`` shows a bar, which needs tqdm; ``None`` shows it where a person looks and tqdm is
        installed. A function is called with the rows done, all rows and the rows without a value,
        every 0.1 s at most; what it raises ends the run, and parts that are done stay.

    Returns
    -------
    Dataset
        The data set.

    Raises
    ------
    JobError
        If the job is wrong; all that is wrong is in ``problems``, and nothing was written.
    Error
        If the directory holds something else, or another process writes it.
    OSError
        If a file cannot be read or written.
    KeyboardInterrupt
        On Ctrl-C, within half a second. Parts that are done stay.

    Examples
    --------
    >>> import eigensweep as es
    >>> job = {
    ...     "job": {"name": "small", "replicates": 5},
    ...     "data": {"components": 4},
    ...     "corruption": {"components": 4, "scale": [1e1, 1e3]},
    ...     "grid": {"samples": [100, 10_000]},
    ...     "model": {"dimension": 4},
    ... }
    >>> data = es.run(job)
    >>> len(data)
    60
    >>> data.axes["samples"]
    [100, 10000]
    """
    return _compute(job, False, set, output, threads, shard, fresh, data, progress)


def boundary(
    job: Job,
    *,
    set: Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    shard: str | tuple[int, int] | None = None,
    fresh: bool = False,
    data: Any = None,
    progress: bool | Progress | None = None,
) -> Dataset:
    """Find the critical alignment of each combination of a job's other axes.

    At the critical alignment half of the replicates recover, which the table ``[boundary]`` of the
    job says what it is. Each has an interval from order statistics, whatever the distribution of
    the replicates' own critical alignments is. The answers are those of the program, bit for bit.

    Parameters
    ----------
    job, set, output, threads, shard, fresh, data, progress
        As of :func:`run`; the data set goes to ``output/NAME-boundary`` by default. The job has one
        alignment at most, which is not used, and its ``replicates`` are those of ``[boundary]``.

    Returns
    -------
    Dataset
        A row for each combination and paradigm: the axes, ``paradigm``, ``alpha`` with its interval
        ``low`` to ``high``, the further quantiles (``alpha_q10``), the ``width`` of the transition,
        ``replicates``, ``solves``, the limit of ``theory`` and what the ``law`` of finite samples
        makes of it, and the ``verdict``: ``traced``, or ``always`` or ``never`` where no alignment
        is critical. In SQL it is the table ``boundary``.

    Raises
    ------
    JobError
        If the job is wrong, or has no boundary: several alignments, or no noise.

    Examples
    --------
    >>> import eigensweep as es
    >>> found = es.boundary({
    ...     "job": {"name": "small"},
    ...     "data": {"components": 3, "spectrum": [5.0, 20.0, 60.0]},
    ...     "corruption": {"components": 3, "spectrum": [10.0, 100.0, 300.0]},
    ...     "augmentation": {"spectrum": [2.0, 1.0, 10.0, 3.0, 1.0, 20.0]},
    ...     "grid": {"samples": [100, 10_000]},
    ...     "boundary": {"precision": 0.1},
    ... })
    >>> len(found)
    4
    >>> sorted(set(found.paradigms))
    ['joint-embedding', 'reconstruction']
    """
    return _compute(job, True, set, output, threads, shard, fresh, data, progress)


def _compute(
    job: Job,
    traced: bool,
    set: Mapping[str, Any] | None,
    output: str | os.PathLike[str] | None,
    threads: int | None,
    shard: str | tuple[int, int] | None,
    fresh: bool,
    data: Any,
    progress: bool | Progress | None,
) -> Dataset:
    """Compute what is missing of a data set of rows, or of critical alignments."""
    count, share = _threads(threads), _shard(shard)
    text = _text(job, set, data)
    root = _core.output(text, traced) if output is None else Path(output).absolute()
    with contextlib.ExitStack() as stack:
        hear = stack.enter_context(_bar(progress))
        if data is not None:
            _core.refuse_strange(root)
            text = stack.enter_context(_kept(root, text, data))
        _core.run(text, traced, root, count, share, fresh, hear, _warn)
    return Dataset(root)


@dataclass(frozen=True)
class Plan:
    """What a job would take: its grid, and the cost by a calibration of about a second.

    Attributes
    ----------
    name, hash : str
        The job's name, and what identifies its rows.
    replicates : int
        How often each combination is drawn, at most if that is adaptive.
    axes : dict
        The axes of the grid, each with its values.
    paradigms, metrics : list of str
        What is evaluated, and what of it is kept.
    rows, tasks, parts : int
        Rows, what a thread takes at a time, and files.
    bytes, memory : int
        About so many on disk, and in memory beside the input.
    threads : int
        Worker threads that `seconds` is for.
    seconds, loading : float
        About so many for all rows, and before that for the input.
    shards : dict
        ``count``, ``empty`` (those with nothing to do), and the least and the most ``parts`` and
        ``seconds`` of one.
    source : str
        Where the data are from: a distribution, files, or arrays.
    """

    name: str
    hash: str
    replicates: int
    axes: dict[str, list[float]]
    paradigms: list[str]
    metrics: list[str]
    rows: int
    tasks: int
    parts: int
    bytes: int
    memory: int
    threads: int
    seconds: float
    loading: float
    shards: dict[str, Any]
    source: str

    def __repr__(self) -> str:
        axes = [f"  {name}: {shown(values)}" for name, values in self.axes.items()]
        head = f"Plan of {self.name}: {self.rows:,} rows in {self.parts:,} part"
        head += f"{'s' if self.parts != 1 else ''}, {self.replicates:,} replicates"
        cost = f"about {_bytes(self.bytes)} on disk, {_bytes(self.memory)} of memory, "
        cost += f"{_seconds(self.seconds)} with {self.threads} thread"
        cost += "s" if self.threads != 1 else ""
        return "\n".join([head, f"  data: {self.source}", *axes, f"  {cost}"])


def plan(
    job: Job,
    *,
    set: Mapping[str, Any] | None = None,
    threads: int | None = None,
    shards: int = 1,
    data: Any = None,
) -> Plan:
    """Say what a job would take, without running it.

    Parameters
    ----------
    job, set, threads, data
        As of :func:`run`.
    shards : int
        How many processes are to share the work.

    Returns
    -------
    Plan
        The grid, and about how many bytes and seconds it takes.

    Examples
    --------
    >>> import eigensweep as es
    >>> found = es.plan({"job": {"replicates": 3}, "data": {"components": 4}}, threads=1)
    >>> found.rows == 3 * 3 * len(found.axes["samples"]) * len(found.axes["alignment"])
    True
    """
    shards = whole("shards", shards)
    count = _threads(threads)
    with loaded(job, set, data) as text:
        found = _core.plan(text, count, shards)
        source = source_of(found.pop("job"))
    return Plan(**found, source=source)


@contextlib.contextmanager
def loaded(job: Job, set: Mapping[str, Any] | None, data: Any) -> Iterator[_JobText]:
    """A job as ``_core`` takes it, with arrays in a directory as long as it is used."""
    text = _text(job, set, data)
    if data is None:
        yield text
        return
    import tempfile

    with tempfile.TemporaryDirectory() as place, _kept(Path(place), text, data) as kept:
        yield kept


def _warn(message: str) -> None:
    """Warns at the line that called :func:`run` or :func:`boundary`."""
    warnings.warn(message, EigensweepWarning, stacklevel=4)


def _text(job: Job, set: Mapping[str, Any] | None, data: Any = None) -> _JobText:
    """A job as ``_core`` takes it."""
    overrides = [(key, as_json(value, key)) for key, value in (set or {}).items()]
    if data is not None:
        overrides.append(("data.source", '"npy"'))
        for key, value in _named(data).items():
            # Where arrays are is known once they are written; the job can be checked without.
            # A key that is no array's and has one is wrong, whatever is in it.
            is_array = _is_array(key) or np.ndim(value) > 1
            text = json.dumps(f"{key}.npy") if is_array else as_json(value, f"data.{key}")
            overrides.append((f"data.{key}", text))
    if isinstance(job, Mapping):
        return "json", as_json(job, ""), overrides
    if isinstance(job, os.PathLike):
        return "path", os.fspath(job), overrides
    if not isinstance(job, str):
        raise TypeError(f"a job is a path, TOML text or a dict, not {type(job).__name__}")
    is_text = "\n" in job or (
        not job.endswith(".toml") and ("=" in job or "[" in job) and not os.path.isfile(job)
    )
    return "toml" if is_text else "path", job, overrides


def _named(data: Any) -> dict[str, Any]:
    """Arrays by the keys of ``[data]`` that they stand for."""
    if isinstance(data, Mapping):
        named = dict(data)
    elif isinstance(data, tuple):
        if len(data) != 2:
            raise ValueError(f"data has {len(data)} arrays: give X, (X, Y), or a dict of names")
        named = {"inputs": data[0], "labels": data[1]}
    else:
        named = {"inputs": data}
    return {key: value for key, value in named.items() if value is not None}


def _is_array(key: str) -> bool:
    """Whether a key of ``[data]`` names a file: others are values."""
    return key.removeprefix("test_") in ("inputs", "labels", "targets", "groups")


@contextlib.contextmanager
def _kept(root: Path, text: _JobText, data: Any) -> Iterator[_JobText]:
    """Writes arrays into a data set and gives the job with the keys that name them.

    Each has the hash of its content in its name: what is there is not written again, and other
    arrays do not take the place of those that a data set was computed from. What was written for a
    run that was refused is taken back.
    """
    directory = root / _core.INPUTS
    directory.mkdir(parents=True, exist_ok=True)
    new: list[Path] = []
    try:
        keys = []
        for key, value in _named(data).items():
            if not _is_array(key):
                continue
            path = _keep(directory, key, _array(key, value), new)
            keys.append((f"data.{key}", json.dumps(str(path), ensure_ascii=False)))
        yield text[0], text[1], [*text[2], *keys]
    except BaseException:
        if not (root / "job.toml").exists():
            for path in new:
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                directory.rmdir()
                root.rmdir()
        raise


def _array(key: str, value: Any) -> np.ndarray[Any, Any]:
    """An array as npy files hold it: of one byte order and one order of entries."""
    name = f"data {key!r}"
    instead = f"give {key}.toarray(), or a job that reads it: scipy.io.mmwrite, source = 'mtx'"
    words = not key.endswith("inputs")
    array = dense(name, value, instead, words=words)
    if words:
        refuse_missing(name, array)
    if array.dtype.kind == "O":
        texts = np.asarray([str(item) for item in array.ravel()]).reshape(array.shape)
        array = texts if all(isinstance(item, str) for item in array.ravel()) else array
    if array.dtype.kind not in "biufU":
        raise TypeError(f"{name} is an array of {array.dtype}: give numbers or, as labels, texts")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def _keep(directory: Path, key: str, array: np.ndarray[Any, Any], new: list[Path]) -> Path:
    """Writes an array under the hash of its content, unless it is there; whole or not at all."""
    import hashlib

    kind = f"{array.dtype.str} {array.shape}\n".encode()
    bytes = _core.INPUT_DIGITS // 2
    digest = hashlib.blake2b(kind, digest_size=bytes)
    digest.update(array.reshape(-1).view(np.uint8).data)
    names = _core.input_names(key, digest.hexdigest(), secrets.token_hex(bytes))
    path, staged = (directory / name for name in names)
    if path.exists():
        return path
    try:
        with open(staged, "xb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        staged.rename(path)
        new.append(path)
    finally:
        staged.unlink(missing_ok=True)
    return path


def _shard(shard: str | tuple[int, int] | None) -> tuple[int, int] | None:
    """A shard as its number and how many there are."""
    if shard is None:
        return None
    if isinstance(shard, str):
        parts = [part.strip() for part in shard.split("/")]
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise ValueError(f"shard={shard!r}: give I/N, such as '1/3'")
        shard = int(parts[0]), int(parts[1])
    index, count = shard
    return whole("shard=(I, N): I", index, least=0), whole("shard=(I, N): N", count, least=0)


def _threads(asked: int | None) -> int:
    """Worker threads: those asked for, or what this process may use."""
    if asked is not None:
        return whole("threads", asked)
    if not _in_worker():
        return _core.threads()
    # loky sets it to the share of a worker.
    granted = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(granted), _core.threads()) if granted.isdecimal() and int(granted) else 1


def _in_worker() -> bool:
    """Whether others parallelize already: a worker of joblib, or of a pool of processes."""
    # What starts one has imported it.
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"].current_process()
        if process.daemon or process.name.startswith("LokyProcess"):
            return True
    # A thread of joblib's.
    parallel = sys.modules.get("joblib.parallel")
    backend = getattr(parallel, "get_active_backend", None)
    return backend is not None and (getattr(backend()[0], "nesting_level", 0) or 0) > 0


@contextlib.contextmanager
def _bar(progress: bool | Progress | None) -> Iterator[Progress | None]:
    """What hears how a run gets on; a bar is closed in the end, whatever happens."""
    if callable(progress):
        yield progress
        return
    tqdm = _tqdm(progress)
    if tqdm is None:
        yield None
        return
    bar = None

    def hear(rows: int, total: int, failed: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, initial=rows, unit=" rows", unit_scale=True)
        if failed:
            bar.set_postfix(failed=failed, refresh=False)
        bar.update(rows - bar.n)

    try:
        yield hear
    finally:
        if bar is not None:
            bar.close()


def _tqdm(progress: bool | None) -> Any:
    """tqdm where a bar is wanted, and there is somebody to look at it or it is asked for."""
    looked_at = sys.stderr is not None and sys.stderr.isatty() or "ipykernel" in sys.modules
    if progress is False or (progress is None and not looked_at):
        return None
    try:
        return optional("tqdm.auto", "progress=True", "notebook").tqdm
    except ImportError:
        if progress:
            raise
        return None


def _bytes(count: float) -> str:
    """A size for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _seconds(seconds: float) -> str:
    """A time for people."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
