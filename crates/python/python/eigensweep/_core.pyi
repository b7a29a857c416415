"""What is compiled."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, final

import numpy as np
from numpy.typing import NDArray

__version__: str

# A kind of text ("path", "toml", "json"), the text, and keys with values in JSON.
_Job: TypeAlias = tuple[str, str, list[tuple[str, str]]]
_Path: TypeAlias = str | os.PathLike[str]

# run, plan

def threads() -> int: ...
def output(job: _Job, traced: bool) -> Path: ...

INPUTS: str
INPUT_DIGITS: int

def input_names(key: str, hash: str, number: str) -> list[str]: ...
def run(
    job: _Job,
    traced: bool,
    output: _Path,
    threads: int,
    shard: tuple[int, int] | None,
    fresh: bool,
    progress: Callable[[int, int, int], object] | None,
    warn: Callable[[str], object],
) -> None: ...
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
def replay(path: _Path, condition: str, most: int, set: list[tuple[str, str]]) -> str: ...
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

# Moments (moments.rs, solve.rs).

@final
class Moments:
    def __new__(
        cls,
        views: NDArray[np.float64],
        *,
        mean_views: NDArray[np.float64] | None = None,
        cross: NDArray[np.float64] | None = None,
        view_labels: NDArray[np.float64] | None = None,
        inputs: NDArray[np.float64] | None = None,
        input_labels: NDArray[np.float64] | None = None,
        label_power: float | None = None,
        samples: int = 0,
        mean: NDArray[np.float64] | None = None,
    ) -> Moments: ...
    @property
    def mean(self) -> NDArray[np.float64] | None: ...
    @property
    def mean_views(self) -> NDArray[np.float64]: ...
    @property
    def views(self) -> NDArray[np.float64]: ...
    @property
    def cross(self) -> NDArray[np.float64]: ...
    @property
    def view_labels(self) -> NDArray[np.float64]: ...

class _Solved(TypedDict, total=False):
    objective: float
    loss: float | None
    values: NDArray[np.float64]
    W: NDArray[np.float64]
    E: NDArray[np.float64]
    D: NDArray[np.float64]
    V: NDArray[np.float64]

class _Solution(TypedDict):
    dimension: int
    rank: int
    remarks: list[str]
    paradigms: dict[str, _Solved]

def second_moment(
    inputs: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def sparse_second_moment(
    starts: NDArray[np.uint64],
    columns: NDArray[np.uint32],
    values: NDArray[np.float64],
    features: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def cross_moment(
    left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]: ...
def given_moments(
    inputs: NDArray[np.float64],
    labels: NDArray[np.float64] | None,
    mean_views: NDArray[np.float64] | None,
    covariance: NDArray[np.float64] | None,
    center: bool,
) -> Moments: ...
def staged_moments(
    inputs: NDArray[np.float64],
    labels: NDArray[np.float64] | None,
    views: str,
    center: bool,
) -> Moments: ...
def solve(
    moments: Moments,
    paradigms: list[str],
    dimension: int,
    source: str,
    *,
    centred: bool,
    inputs: NDArray[np.float64] | None = None,
    estimator: bool = False,
) -> _Solution: ...
def classes(
    numbers: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], str | None] | None: ...

# diagnose

@final
class Diagnosis:
    def json(self) -> str: ...
    def sentences(self) -> list[str]: ...
    def encoders(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def mean(self) -> NDArray[np.float64]: ...
    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def part(self) -> str: ...
    def save(self, path: _Path, title: str, facts: list[tuple[str, str]]) -> None: ...

def diagnose(
    inputs: NDArray[np.float64],
    *,
    repeats: NDArray[np.float64] | None,
    pairs: NDArray[np.uint64] | None,
    nuisance: NDArray[np.uint64] | None,
    views: str | None,
    covariance: NDArray[np.float64] | None,
    draws: NDArray[np.float64] | None,
    classes: NDArray[np.uint64] | None,
    targets: NDArray[np.float64] | None,
    dimension: int | None,
    alignment: float | None,
    components: int | None,
    standardize: bool,
    threads: int,
) -> Diagnosis: ...

def ending() -> None: ...
def forking() -> None: ...
def forked(in_child: bool) -> None: ...
