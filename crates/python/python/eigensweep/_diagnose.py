"""Which paradigm for given data and views: :func:`diagnose`."""

from __future__ import annotations

import json
import os
import warnings as _warnings
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._errors import EigensweepWarning
from ._run import _threads
from ._solve import Array, Draw, Views, covariance_of, drawn, draws_of, keys_of_views, matrix
from ._values import by_name, missing, real, refuse_masked, same_index, square_by_name, whole

PARADIGMS = ("joint-embedding", "reconstruction")


class Interval(NamedTuple):
    """An estimate with the ends of its 95 % interval; these are None where there is none."""

    value: float
    low: float | None
    high: float | None

    def __repr__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Diagnosis:
    """What :func:`diagnose` finds; a notebook shows it with its curves.

    Attributes
    ----------
    answer : str
        ``joint-embedding``, ``reconstruction``, ``identical``, ``too-close``, ``it-depends`` or
        ``not-enough-data``: about the views as given, at ``alignment_used``.
    kept : dict of str to Interval
        Share of the clean signal's variance that the representation predicts, on held-out rows and
        at this number of rows, by paradigm; ``difference`` is joint-embedding less reconstruction,
        within folds. At most 1; below 0 it is worse than nothing.
    leakage : dict of str to Interval
        Share of the representation's variance that is noise, likewise.
    alignment : dict of str to float
        The α that serves each paradigm best, by kept; None where others than the given one cannot
        be tried.
    alignment_used : float
        The α that the answer is about.
    dimension : int
        k.
    pairs : int
        Pairs, groups or batches that were used.
    headline : str
        The answer in one line.
    warnings : list of str
        Assumptions that look violated.
    encoders : dict of str to ndarray of shape (d, k)
        What each paradigm learns from all rows: the representation of x is ``(x - mean) @ encoder``,
        of unit covariance.
    mean : ndarray of shape (d,)
    signal, noise : ndarray of shape (d, d)
        The estimated covariances Ĉ₀ and Γ̂. Ĉ₀ is unbiased, and may be indefinite.
    """

    def __init__(self, found: _core.Diagnosis, facts: list[tuple[str, str]]) -> None:
        self._found, self._facts = found, facts
        self._dict: dict[str, Any] = json.loads(found.json())
        self.answer: str = self._dict["answer"]
        self.kept = _intervals(self._dict["kept"])
        self.leakage = _intervals(self._dict["leakage"])
        self.alignment: dict[str, float | None] = self._dict["alignment"]
        self.alignment_used: float = self._dict["alignment_used"]
        self.dimension: int = self._dict["dimension"]
        self.pairs: int = self._dict["pairs"]
        self.headline: str = self._dict["headline"]
        self.warnings: list[str] = self._dict["warnings"]

    @property
    def encoders(self) -> dict[str, Array]:
        return dict(zip(PARADIGMS, self._found.encoders(), strict=True))

    @property
    def mean(self) -> Array:
        return self._found.mean()

    @property
    def signal(self) -> Array:
        return self._found.moments()[0]

    @property
    def noise(self) -> Array:
        return self._found.moments()[1]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values: the object of ``eigensweep diagnose --json``."""
        copied: dict[str, Any] = json.loads(self._found.json())
        return copied

    def save(self, path: str | os.PathLike[str], *, title: str = "Diagnosis") -> None:
        """Write the page: one HTML file with figures and words that needs nothing else.

        Parameters
        ----------
        path : path
            A file whose name ends in ``.html``.
        title : str
            What stands above it.
        """
        self._found.save(os.fspath(path), title, self._facts)

    def __repr__(self) -> str:
        warned = [f"warning: {warning}" for warning in self.warnings]
        return "\n".join([*self._found.sentences(), *warned])

    def _repr_html_(self) -> str:
        part = self._found.part()
        if not self.warnings:
            return part
        items = "\n".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        return f"{part}\n<p>Mind:</p>\n<ul>\n{items}\n</ul>"

    def __copy__(self) -> Diagnosis:
        return Diagnosis(self._found, list(self._facts))

    def __deepcopy__(self, memo: object) -> Diagnosis:
        # What is compiled never changes.
        return self.__copy__()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Diagnosis cannot be pickled: its curves stay in the process that computed them. "
            "Keep found.to_dict(), found.encoders and the like, or found.save('page.html')"
        )


def diagnose(
    X: ArrayLike,
    *,
    repeats: ArrayLike | None = None,
    pairs: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    nuisance: ArrayLike | None = None,
    views: Views | ArrayLike | None = None,
    n_views: int = 8,
    random_state: Any = None,
    labels: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    dimension: int | None = None,
    alignment: float | None = None,
    components: int | None = None,
    standardize: bool = False,
    threads: int | None = None,
) -> Diagnosis:
    """Find which paradigm suits data and views, from repeated measurements.

    Both are trained on nine tenths of the pairs and tried on the others, ten times in three ways of
    dividing; the numbers are those of ``eigensweep diagnose``, bit for bit.

    Parameters
    ----------
    X : array or frame of shape (n, d)
        Measurements, one a row. Rows go by position, here and below: what has another index than a
        frame of pandas is refused, of `repeats` the same index in another order.
    repeats : array or frame of shape (n, d), optional
        A second measurement of each row: what differs is noise. Where X and it have names of
        columns, these are matched, in any order.
    pairs : array of shape (n,), optional
        What each row is a measurement of, numbers or words, none missing; any number of rows of
        each.
    groups : array of shape (n,), optional
        The same as `pairs`.
    nuisance : array of shape (n,), optional
        The batch of each row (donor, site): how batches differ is noise. Needs `dimension`, and at
        least 16 batches for an interval.
    views : list, dict, array or callable, optional
        Stages, as :func:`solve` takes them, or the covariance Σ of additive views: a share of the
        mean variance, variances (d,) or a matrix (d, d), by names as `repeats`. A dict with ``corruption`` needs no
        repeats: it is drawn twice for each row. Or a function of rows and a
        ``numpy.random.Generator`` that gives a view of each, of d features: it is called
        ``n_views`` times with X and, where there are such, with `repeats`, and all folds see the
        same draws, so that a view should depend on its row alone. By default the noise's own.
    n_views : int, default 8
        Draws of views that are a function, at least 2. They are held: so many times X's memory.
    random_state : int, Generator or None, default None
        Seed of these draws: what ``numpy.random.default_rng`` takes.
    labels : array of shape (n,), optional
        Classes where all are whole numbers or words, else real targets; they settle what depends on
        what is wanted.
    targets : array of shape (n,) or (n, ℓ), optional
        Real targets in place of labels.
    dimension : int, optional
        k; found by permutation of the pairs by default.
    alignment : float, optional
        α of the views with the noise that the answer is about; 0 with `views`, else 1. Stages act
        on rows with α times the noise; to views that a function gives it is added afterwards.
    components : int, optional
        Principal components to keep, fitted inside each fold.
    standardize : bool
        Whether features are divided by their standard deviations, inside each fold.
    threads : int, optional
        Worker threads, which change no number.

    Returns
    -------
    Diagnosis
        The answer, the numbers behind it, and what both learn from all rows.

    Raises
    ------
    ValueError
        If arrays do not fit or are not finite, or the data cannot answer; the message names the
        argument and the remedy. What `views` raises comes out as it is.
    JobError
        If stages of `views` are wrong; ``.problems`` has all that is.
    KeyboardInterrupt
        On Ctrl-C, within half a second.

    Warns
    -----
    EigensweepWarning
        Of each assumption that looks violated.

    Examples
    --------
    >>> import numpy as np, eigensweep as es
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))
    >>> first, second = (signal + rng.normal(size=(300, 6)) for _ in range(2))
    >>> found = es.diagnose(first, repeats=second, dimension=2, threads=1)
    >>> found.pairs, found.dimension, found.alignment_used
    (300, 2, 1.0)
    >>> sorted(found.kept)
    ['difference', 'joint-embedding', 'reconstruction']
    """
    if not isinstance(standardize, bool | np.bool_):
        raise TypeError(f"standardize={standardize!r}: give True or False")
    rows = matrix("X", X)
    given = {"repeats": repeats, "pairs": pairs, "groups": groups, "nuisance": nuisance}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ValueError(f"{' and '.join(f'{name}=' for name in named)}: give one of them")
    staged = covariance = None
    facts = [("X", f"array of {rows.shape[0]} × {rows.shape[1]}")]
    if callable(views):
        facts.append(("views", f"a function, drawn {draws_of(n_views)} times of each row"))
    elif views is not None:
        if isinstance(views, Mapping) or _is_stages(views):
            staged = keys_of_views(views)  # type: ignore[arg-type]
        else:
            if isinstance(views, str | bytes | os.PathLike | set | frozenset):
                raise TypeError(
                    f"views= is a {type(views).__name__}: give stages (a list of dicts), a dict with "
                    "'stages' and 'corruption', a covariance, or a function"
                )
            variance = float(np.var(rows, axis=0).mean()) if np.ndim(views) == 0 else np.nan  # type: ignore[arg-type]
            covariance = covariance_of(views, rows.shape[1], variance, "views")  # type: ignore[arg-type]
            covariance = square_by_name("views=", views, covariance, X)
    if not named and not (staged and json.loads(staged).get("corruption")):
        raise ValueError(
            "nothing tells signal from noise: give repeats=, pairs= or nuisance=, or views= with a "
            "corruption"
        )
    beside = given | {"labels": labels, "targets": targets}
    for name, value in beside.items():
        # Second measurements are often other rows of the same frame.
        same_index(f"{name}=", value, X, any_other=name != "repeats")
    second = None
    if repeats is not None:
        second = by_name("repeats=", repeats, matrix("repeats", repeats), X)
    if second is not None and second.shape != rows.shape:
        raise ValueError(
            f"repeats= has the shape {second.shape}, X {rows.shape}: give a second measurement of each row"
        )
    ids = {name: _ids(name, given[name], len(rows)) for name in ("pairs", "groups", "nuisance")}
    classes, reals = _labels(labels, targets, len(rows))
    facts.append(("noise", f"{named[0]}=" if named else "a corruption, drawn twice for each row"))
    if labels is not None or targets is not None:
        facts.append(("labels", "targets=" if labels is None else "labels="))
    tables = [rows] if second is None else [rows, second]
    # What is wrong with X is said of X.
    draws = (
        _draws(views, tables, n_views, random_state)
        if callable(views) and all(np.isfinite(table).all() for table in tables)
        else None
    )
    found = _core.diagnose(
        rows,
        repeats=second,
        pairs=ids["groups"] if pairs is None else ids["pairs"],
        nuisance=ids["nuisance"],
        views=staged,
        covariance=covariance,
        draws=draws,
        classes=classes,
        targets=reals,
        dimension=None if dimension is None else whole("dimension", dimension),
        alignment=None if alignment is None else real("alignment", alignment),
        components=None if components is None else whole("components", components),
        standardize=bool(standardize),
        threads=_threads(threads),
    )
    diagnosis = Diagnosis(found, facts)
    for warning in diagnosis.warnings:
        _warnings.warn(warning, EigensweepWarning, stacklevel=2)
    return diagnosis


def _intervals(of: Mapping[str, Mapping[str, Any]]) -> dict[str, Interval]:
    return {name: Interval(**value) for name, value in of.items()}


def _draws(draw: Draw, tables: list[Array], n_views: int, random_state: Any) -> Array:
    """Views of the rows of all tables (n_views · rows × d): one of each, then another of each."""
    rng, size = np.random.default_rng(random_state), tables[0].shape[1]
    # Copied, as a function may use its array again.
    draws = np.empty((n_views, len(tables), len(tables[0]), size))
    for one in draws:
        for place, rows in zip(one, tables, strict=True):
            place[...] = drawn(draw, rows, rng, size)
    return draws.reshape(-1, size)


def _is_stages(views: object) -> bool:
    """Whether it is a list of stages, and no array."""
    return isinstance(views, list | tuple) and all(isinstance(stage, Mapping) for stage in views)


def _ids(name: str, value: object, samples: int) -> NDArray[np.uint64] | None:
    """A number for each distinct value."""
    if value is None:
        return None
    refuse_masked(f"{name}=", value)
    array = np.asarray(value)
    if array.shape not in ((samples,), (samples, 1)):
        raise ValueError(
            f"{name}= has the shape {array.shape}: give one value for each of {samples} rows"
        )
    # NumPy makes words of NaN beside words in a list.
    entries = np.asarray(value, object) if isinstance(value, list | tuple) else array
    places = missing(entries)
    if array.dtype.kind in "OUT":
        # What `astype(str)` makes of a value that is missing.
        words = (str(entry).strip() for entry in entries.reshape(-1))
        none = {"", "nan", "NaN", "NaT", "None", "<NA>"}
        places = np.union1d(places, np.flatnonzero([word in none for word in words]))
    if len(places):
        first = places[0]
        raise ValueError(
            f"{name}= has no id for {len(places)} of {samples} rows, the first {name}[{first}], "
            f"which is {entries.reshape(-1)[first]}: leave these rows out, of X and of all else"
        )
    try:
        _, numbers = np.unique(array.reshape(-1), return_inverse=True)
    except TypeError:
        raise ValueError(f"{name}= mixes words and numbers: make them all one of these") from None
    return np.ascontiguousarray(numbers, dtype=np.uint64)


def _labels(
    labels: ArrayLike | None, targets: ArrayLike | None, samples: int
) -> tuple[NDArray[np.uint64] | None, Array | None]:
    """Classes from 0, or real targets."""
    from ._solve import _labels as read

    values, distinct = read(labels, targets, samples)
    if values is None:
        return None, None
    if len(values) != samples:
        raise ValueError(f"targets= has {len(values)} rows: give one for each of {samples}")
    if distinct is None:
        return None, values
    return np.argmax(values, axis=1).astype(np.uint64), None
