"""Exceptions and warnings of the package."""

from __future__ import annotations

from typing import TypedDict


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
    """Something that a run did and a person should know: damage repaired, rows without a value."""


def missing(what: str, package: str, extra: str) -> ImportError:
    """The error for an optional library that is not there."""
    return ImportError(
        f"{what} needs {package}, which is not installed: pip install 'eigensweep[{extra}]'",
        name=package,
    )
