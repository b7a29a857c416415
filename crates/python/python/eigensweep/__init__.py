"""Closed-form self-supervised learning, simulated at scale and put to use."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import __version__
from ._dataset import Dataset, open
from ._diagnose import Diagnosis, diagnose
from ._errors import EigensweepWarning, Error, JobError
from ._run import boundary, plan, run
from ._solve import solve
from ._theory import theory

if TYPE_CHECKING:
    from ._estimators import JointEmbedding, Reconstruction

__all__ = [
    "Dataset",
    "Diagnosis",
    "EigensweepWarning",
    "Error",
    "JobError",
    "JointEmbedding",
    "Reconstruction",
    "__version__",
    "boundary",
    "diagnose",
    "open",
    "plan",
    "run",
    "solve",
    "theory",
]

# Runs of other threads stop before the interpreter does; a forked child has none, nor their locks.
atexit.register(_core.ending)
os.register_at_fork(
    before=_core.forking,
    after_in_parent=lambda: _core.forked(False),
    after_in_child=lambda: _core.forked(True),
)

# Loaded on first use: they need optional packages.
_LAZY = {"JointEmbedding": "_estimators", "Reconstruction": "_estimators"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LAZY[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
