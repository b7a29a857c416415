"""Exceptions of the package."""

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
    """Something of the data or of the answer that a user should know."""
