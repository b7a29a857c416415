"""What is compiled."""

from typing import TypedDict, final

import numpy as np
from numpy.typing import NDArray

__version__: str

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
