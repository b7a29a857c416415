"""Values of a user as what is compiled takes them: whole numbers, JSON, arrays."""

from __future__ import annotations

import json
import math
import operator
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import JobError, Problem

LARGEST = sys.maxsize
"""The largest whole number that what is compiled takes for a count: 2⁶³ − 1."""


def whole(name: str, value: Any, least: int = 1, most: int = LARGEST) -> int:
    """A whole number, Python's or NumPy's, between two."""
    number = operator.index(value)
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
    array = np.asarray(value)
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
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise ValueError(
            f"{name} has columns that are not all numbers, "
            f"{', '.join(map(repr, names[:5]))}{more}: leave them out, or give one of them as labels"
        )


def _columns(frame: Any) -> list[Any]:
    """Names of the columns of a frame of pandas, polars or the like; none of anything else."""
    return list(getattr(frame, "columns", ()))


def _is_of_numbers(column: NDArray[Any]) -> bool:
    kinds = (int, float, np.number, np.bool_)
    return column.dtype.kind in "biuf" or (
        column.dtype.kind == "O" and all(isinstance(item, kinds) for item in column.ravel())
    )


def refuse_missing(name: str, array: NDArray[Any]) -> None:
    """Refuse words and other objects of which some are None, NaN or NA."""
    if array.dtype.kind != "O":
        return
    for at, item in enumerate(array.ravel()):
        # pandas' own are compared to nothing.
        if item is None or item is np.ma.masked or type(item).__name__ in ("NAType", "NaTType") or (
            isinstance(item, float) and math.isnan(item)
        ):  # fmt: skip
            raise ValueError(
                f"{name}[{at}] is {item}: leave rows without a label out, or make a class of them"
            )
