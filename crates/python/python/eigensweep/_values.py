"""Values of a user as what is compiled takes them: whole numbers, JSON, arrays."""

from __future__ import annotations

import json
import math
import operator
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import JobError, Problem

LARGEST = sys.maxsize
"""The largest whole number that what is compiled takes for a count: 2⁶³ − 1."""


def whole(name: str, value: Any, least: int = 1, most: int = LARGEST) -> int:
    """A whole number, Python's or NumPy's, between two."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: give a whole number") from None
    if number < least:
        # A number of thousands of digits has no text.
        found = f"={number}" if number > -LARGEST else ""
        raise ValueError(f"{name}{found}: give {least} or more")
    if number > most:
        raise ValueError(f"{name} is above {most}, the most that is taken")
    return number


def real(name: str, value: Any) -> float:
    """A finite number of at least 0."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise ValueError(f"{name}={number}: give a finite number of at least 0")
    return number


def as_json(value: Any, place: str) -> str:
    """A value of a job, or of views, as JSON."""
    return json.dumps(_plain(value, place), ensure_ascii=False)


def _plain(value: Any, place: str) -> Any:
    """A value as JSON knows it; entries that are None are left out."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        within = ((str(key), entry) for key, entry in value.items() if entry is not None)
        return {key: _plain(entry, f"{place}.{key}" if place else key) for key, entry in within}
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= sys.float_info.max:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_plain(item, f"{place}[{at}]") for at, item in enumerate(value)]
    what = f"a {type(value).__name__}"
    help = "give a finite number, a text, a boolean, a list or a dict"
    if isinstance(value, float):
        what = repr(value)
    elif isinstance(value, int):
        what = "beyond what numbers hold"
    elif callable(value):
        help = "list stages as dicts; a function is `views=` itself, of solve() and the estimators"
    message = f"`{place}` is {what}, which no key takes"
    problem: Problem = {
        "message": message, "label": "of no type that is taken", "help": help,
        "source": "job", "line": 1, "column": 1,
    }  # fmt: skip
    raise JobError(f"{message}\n  help: {help}", [problem])


def is_sparse(value: object) -> bool:
    """Whether a value is a sparse matrix or array of SciPy's."""
    return hasattr(value, "tocsr")


def dense(name: str, value: Any, instead: str, *, words: bool = False) -> NDArray[Any]:
    """An array of what is one, or of a frame; `instead` is the remedy of what is sparse."""
    if is_sparse(value):
        raise TypeError(f"{name} is sparse: {instead}")
    refuse_masked(name, value)
    if not words:
        refuse_words(name, value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        # NumPy's words do not say of what; lists are of rows of several lengths.
        raise ValueError(f"{name} is no array: {error}") from error
    # What a frame of several types of numbers makes of itself.
    is_mixed = array.dtype.kind == "O" and not words and _columns(value)
    return np.asarray(value, np.float64) if is_mixed else array


def refuse_masked(name: str, value: object) -> None:
    """Refuse arrays of which some entries are masked: closed forms need all of them."""
    if np.ma.is_masked(value):
        raise ValueError(
            f"{name} has masked entries: leave their rows out, or fill them in, "
            f"{name}.filled(0) say"
        )


def refuse_words(name: str, value: Any) -> None:
    """Refuse frames with columns that are no numbers, by their names."""
    columns = _columns(value)
    if not columns or np.asarray(value).dtype.kind in "biuf":
        return
    names = [column for column in columns if not _is_of_numbers(np.asarray(value[column]))]
    if names:
        raise ValueError(
            f"{name} has columns that are not all numbers, {_listed(names)}: leave them out, or "
            "give one of them as labels"
        )


def _columns(frame: Any) -> list[Any]:
    """Names of the columns of a frame of pandas, polars, Arrow or the like; none of anything else."""
    # What Arrow calls columns are their values.
    is_arrow = hasattr(type(frame), "column_names")
    return list(frame.column_names if is_arrow else getattr(frame, "columns", ()))


def _index(frame: Any) -> list[Any]:
    """Names of the rows of a frame or series of pandas; none of anything else."""
    index = getattr(frame, "index", ())
    # A list has a method of this name.
    return [] if callable(index) else list(index)


def same_index(name: str, value: Any, first: Any, *, any_other: bool = True) -> None:
    """Refuse a frame or series of pandas with another index than that of `first`, the frame X.

    Rows go by position, so that such rows would be matched wrongly. Without `any_other` only the
    same index in another order is refused.
    """
    index: Any = getattr(value, "index", None)
    expected: Any = getattr(first, "index", None)
    if not hasattr(index, "equals") or not hasattr(expected, "equals"):
        return
    if len(index) != len(expected) or index.equals(expected):
        return
    if any_other or set(index) == set(expected):
        bare = name.removesuffix("=")
        raise ValueError(
            f"{name} has another index than X, and rows go by position: give "
            f"{bare}.loc[X.index] to match them by index, or {bare}.to_numpy() if they are in order"
        )


def by_name(name: str, value: Any, array: NDArray[Any], first: Any) -> NDArray[Any]:
    """An array of `value` with its columns in the order of those of `first`, the frame X.

    Where one of them is without names, or has numbers from 0 in their place, they are left as they
    are.
    """
    order = _order(name, _columns(value), _columns(first))
    return array if order is None else array[:, order]


def square_by_name(
    name: str, value: Any, array: NDArray[np.float64], first: Any
) -> NDArray[np.float64]:
    """A covariance of `value` with rows and columns in the order of the columns of `first`.

    Rows without names are in the order of the columns, and those of a series are both.
    """
    columns, names = _order(name, _columns(value), _columns(first)), _columns(first)
    rows = _order(name, _index(value), names) or columns
    columns = columns or rows
    return array if rows is None or columns is None else array[np.ix_(rows, columns)]


def _order(name: str, names: list[Any], expected: list[Any]) -> list[int] | None:
    """Where in `names` those that X has are; None if there is nothing to go by."""
    if not names or not expected:
        return None
    if names == expected:
        return list(range(len(names)))
    numbered = any(given == list(range(len(given))) for given in (names, expected))
    if numbered and set(names) != set(expected):
        return None
    help = f"np.asarray({name.removesuffix('=')}) goes by position"
    for of, given in ((name, names), ("X", expected)):
        if twice := [column for column, count in Counter(given).items() if count > 1]:
            raise ValueError(f"{of} has {_listed(twice)} twice: rename one, or {help}")
    missing = [column for column in expected if column not in set(names)]
    extra = [column for column in names if column not in set(expected)]
    if missing or extra:
        wrong = [f"is without {_listed(missing)}"] if missing else []
        wrong += [f"has {_listed(extra)} beside them"] if extra else []
        raise ValueError(
            f"{name} has other columns than X: it {' and '.join(wrong)}; give those of X, in any "
            f"order, or {help}"
        )
    place = {column: at for at, column in enumerate(names)}
    return [place[column] for column in expected]


def _listed(names: list[Any]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(map(repr, names[:5]))}{more}"


def _is_of_numbers(column: NDArray[Any]) -> bool:
    kinds = (int, float, np.number, np.bool_)
    return column.dtype.kind in "biuf" or (
        column.dtype.kind == "O" and all(isinstance(item, kinds) for item in column.ravel())
    )


def missing(array: NDArray[Any]) -> NDArray[np.intp]:
    """Places, in the order of C, of what is None, NaN, NaT, NA, masked or not finite."""
    kind, flat = array.dtype.kind, array.reshape(-1)
    if kind in "fc":
        return np.flatnonzero(~np.isfinite(flat))
    if kind in "mM":
        return np.flatnonzero(np.isnat(flat))
    found = [at for at, item in enumerate(flat) if _is_missing(item)] if kind in "OT" else []
    return np.asarray(found, np.intp)


def _is_missing(item: object) -> bool:
    # pandas' own are compared to nothing; what is no number is without an equal to itself.
    return (
        item is None
        or item is np.ma.masked
        or type(item).__name__ in ("NAType", "NaTType")
        or (isinstance(item, Number | np.generic) and bool(item != item))
    )


def refuse_missing(name: str, array: NDArray[Any]) -> None:
    """Refuse words and other objects of which some are None, NaN or NA."""
    if array.dtype.kind in "OT" and len(places := missing(array)):
        raise ValueError(
            f"{name}[{places[0]}] is {array.reshape(-1)[places[0]]}: leave rows without a label "
            "out, or make a class of them"
        )
