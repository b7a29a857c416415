#!/usr/bin/env python3
"""Seconds a problem of SciPy's best LAPACK calls for the three tasks of a cell, on one thread.

A problem is C = X'X/2d (X: 2d x d, uniform in [-1, 1), column scales j^(-1/2)), B (d x 10, uniform in [-1, 1)), a diagonal
Sigma uniform in [0.1, 1.9), and k = d/2. With S = C + Sigma, and what is explained of the labels as the answer (y^2 less it is
the loss):

    dsyevd            Sigma^(-1/2) C Sigma^(-1/2) = Q Lambda Q', nothing else
    joint embedding   the same, scaling included; sum over i <= k of |q_i' Sigma^(-1/2) B|^2 / lambda_i
    reconstruction    S = K K', (K^(-1) C)(K^(-1) C)' = P Phi^2 P', E = P_k' K^(-1); tr((EB)' (E C E')^(-1) EB)
    supervised        S = K K', S V = B; 2 tr(V'B) - tr(V'CV) = |K^(-1) B|^2 + tr(V' Sigma V)

Routines of LAPACK and BLAS are called directly, on matrices in their own order, without checks, and the faster one where there is
a choice: dsyevd, not dsyevr (even for half of the vectors); dgemm, not dsymm; norms of half solves. A time is that of the best
pass over eight distinct problems, divided by eight. One line is printed for each size:

    d seconds_dsyevd seconds_je seconds_rc seconds_sl
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import NamedTuple

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # read when the library is loaded, just below

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.linalg.blas import dgemm, dsyrk, dtrsm  # noqa: E402
from scipy.linalg.lapack import dpotrf, dsyevd  # noqa: E402

Array = NDArray[np.float64]

LABELS = 10
PROBLEMS = 8
SIZES = [8, 16, 32, 50, 64, 100, 128, 200, 256]
FEWEST = 3
"""Passes made however small the budget."""


class Problem(NamedTuple):
    """Matrices in column-major order."""

    second: Array
    cross: Array
    variance: Array
    scaled: Array
    """Sigma^(-1/2) C Sigma^(-1/2)."""

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int) -> Problem:
        x = rng.uniform(-1, 1, (2 * size, size)) / np.sqrt(np.arange(1, size + 1))
        second = np.asfortranarray(x.T @ x / (2 * size))
        variance = rng.uniform(0.1, 1.9, size)
        scale = 1 / np.sqrt(variance)
        cross = np.asfortranarray(rng.uniform(-1, 1, (size, LABELS)))
        return cls(second, cross, variance, np.asfortranarray(second * np.outer(scale, scale)))


class NoAnswer(Exception):
    """A routine of LAPACK did not succeed."""


def eigen(matrix: Array, overwrite: bool) -> tuple[Array, Array]:
    values, vectors, info = dsyevd(matrix, compute_v=1, lower=1, overwrite_a=overwrite)
    if info != 0:
        raise NoAnswer(f"dsyevd: info = {info}")
    return values, vectors


def factor(matrix: Array) -> Array:
    """K (lower triangle) of K K' = matrix, which is overwritten."""
    lower, info = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
    if info != 0:
        raise NoAnswer(f"dpotrf: info = {info}")
    return lower


def view(problem: Problem) -> Array:
    """S = C + Sigma, a matrix of its own."""
    matrix = problem.second.copy(order="F")
    matrix.ravel(order="K")[:: len(matrix) + 1] += problem.variance
    return matrix


def power(x: Array) -> float:
    flat = x.ravel(order="K")
    return float(flat @ flat)


def decomposition(problem: Problem) -> float:
    return float(eigen(problem.scaled, overwrite=False)[0][-1])


def joint_embedding(problem: Problem) -> float:
    half = len(problem.variance) // 2
    scale = 1 / np.sqrt(problem.variance)
    matrix = problem.second * scale
    matrix *= scale[:, None]
    values, vectors = eigen(matrix, overwrite=True)
    projected = dgemm(1.0, vectors[:, -half:], problem.cross * scale[:, None], trans_a=1)
    return float(np.sum(np.einsum("ij,ij->i", projected, projected) / values[-half:]))


def reconstruction(problem: Problem) -> float:
    half = len(problem.variance) // 2
    lower = factor(view(problem))
    whitened = dtrsm(1.0, lower, problem.second, lower=1)
    _, vectors = eigen(dsyrk(1.0, whitened, lower=1), overwrite=True)
    encoder = dtrsm(1.0, lower, vectors[:, -half:], lower=1, trans_a=1, overwrite_b=1)
    gram = dgemm(1.0, encoder, dgemm(1.0, problem.second, encoder), trans_a=1)
    cross = dgemm(1.0, encoder, problem.cross, trans_a=1)
    return power(dtrsm(1.0, factor(gram), cross, lower=1, overwrite_b=1))


def supervised(problem: Problem) -> float:
    lower = factor(view(problem))
    half = dtrsm(1.0, lower, problem.cross, lower=1)
    explained = power(half)
    weights = dtrsm(1.0, lower, half, lower=1, trans_a=1, overwrite_b=1)
    return explained + float(problem.variance @ np.einsum("ij,ij->i", weights, weights))


TASKS = [decomposition, joint_embedding, reconstruction, supervised]


def seconds_a_problem(task: Callable[[Problem], float], problems: list[Problem], budget: float) -> float:
    """Of the fastest pass over all problems."""
    for problem in problems:
        task(problem)
    best, passes, started = float("inf"), 0, time.perf_counter()
    while passes < FEWEST or time.perf_counter() - started < budget:
        begun = time.perf_counter()
        for problem in problems:
            task(problem)
        best = min(best, time.perf_counter() - begun)
        passes += 1
    return best / len(problems)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="D", help="sizes d, at least 2")
    p.add_argument("--seconds", type=float, default=0.3, help="time budget of one measurement")
    options = p.parse_args()
    if min(options.sizes) < 2:
        p.error("sizes must be at least 2: k = d/2")
    for size in options.sizes:
        rng = np.random.default_rng(size)
        problems = [Problem.draw(rng, size) for _ in range(PROBLEMS)]
        times = (seconds_a_problem(task, problems, options.seconds) for task in TASKS)
        print(size, *(f"{seconds:.4e}" for seconds in times), flush=True)


if __name__ == "__main__":
    main()
