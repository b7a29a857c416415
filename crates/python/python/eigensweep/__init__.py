"""Closed-form self-supervised learning, simulated at scale and put to use."""

from __future__ import annotations

from ._core import __version__
from ._dataset import Dataset, open
from ._errors import EigensweepWarning, Error, JobError
from ._run import plan, run
from ._theory import theory

__all__ = [
    "Dataset",
    "EigensweepWarning",
    "Error",
    "JobError",
    "__version__",
    "open",
    "plan",
    "run",
    "theory",
]
