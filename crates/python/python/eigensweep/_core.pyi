"""What is compiled."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__version__: str

# A kind of text ("path", "toml", "json"), the text, and keys with values in JSON.
_Job: TypeAlias = tuple[str, str, list[tuple[str, str]]]
_Path: TypeAlias = str | os.PathLike[str]

# run, plan

def threads() -> int: ...
def output(job: _Job) -> Path: ...
def run(
    job: _Job,
    output: _Path | None,
    threads: int,
    shard: tuple[int, int] | None,
    fresh: bool,
    progress: Callable[[int, int, int], object] | None,
    warn: Callable[[str], object],
) -> Path: ...
def plan(job: _Job, threads: int, shards: int) -> dict[str, Any]: ...

# theory

def theory_of_spectra(
    signal: NDArray[np.float64],
    theta_signal: NDArray[np.float64],
    gamma: NDArray[np.float64],
    theta_noise: NDArray[np.float64],
    dimension: int | None,
) -> str: ...
def theory_of_job(job: _Job, replicate: int | None) -> str: ...

# data sets

def refuse_strange(path: _Path) -> None: ...
def describe(path: _Path) -> str: ...
def part_files(path: _Path) -> list[Path]: ...
def summary_file(path: _Path) -> Path: ...
def sql_views(path: _Path) -> list[tuple[str, str]]: ...
def columns(path: _Path) -> dict[str, NDArray[Any] | tuple[NDArray[np.int32], list[str]]]: ...
def arrow_stream(path: _Path) -> object: ...
def verify(path: _Path) -> list[tuple[str, str]]: ...
def draw(
    paths: Sequence[_Path],
    figure: str,
    *,
    x: str | None,
    y: str | None,
    color: str | None,
    facet: Sequence[str],
    filter: str | None,
    band: str | None,
    x_scale: str | None,
    y_scale: str | None,
    title: str | None,
) -> Drawing: ...
def report(paths: Sequence[_Path], path: _Path) -> None: ...

@final
class Drawing:
    """A figure that was drawn."""

    @property
    def svg(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def label(self) -> str: ...
    def png(self, resolution: float = 2.0) -> bytes: ...
    def save(self, path: _Path, resolution: float = 2.0) -> None: ...
    def _repr_svg_(self) -> str: ...
