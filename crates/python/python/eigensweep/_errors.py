"""Exceptions and warnings of the package."""

from __future__ import annotations

import importlib
from typing import Any, TypedDict


class Problem(TypedDict):
    """One thing that is wrong with a job, and where: line and column count from 1."""

    message: str
    label: str
    help: str | None
    source: str | None
    line: int
    column: int


class Error(Exception):
    """Something that eigensweep cannot do; the message names the place and the remedy."""


class JobError(Error, ValueError):
    """A job that is wrong; nothing was written.

    Attributes
    ----------
    problems : list of dict
        All that is wrong, each with ``message``, ``label``, ``help``, ``source``, ``line`` and
        ``column``.
    """

    def __init__(self, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message, problems)
        self.problems: list[Problem] = problems or []

    def __str__(self) -> str:
        return str(self.args[0])


class EigensweepWarning(UserWarning):
    """Something to know of a run, of data or of an answer: damage repaired, a value that is tied."""


def optional(name: str, what: str, extra: str) -> Any:
    """Import an optional library that `what` needs, or say which extra brings it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        missing = isinstance(error, ModuleNotFoundError) and error.name in (name, package)
        reason = "is not installed" if missing else f"cannot be loaded here ({error})"
        raise ImportError(
            f"{what} needs {package}, which {reason}: pip install 'eigensweep[{extra}]'", name=package
        ) from (None if missing else error)
