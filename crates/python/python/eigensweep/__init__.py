"""Closed-form self-supervised learning, simulated at scale and put to use."""

from __future__ import annotations

from ._core import __version__
from ._errors import Error, JobError

__all__ = ["Error", "JobError", "__version__"]
