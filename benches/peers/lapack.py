#!/usr/bin/env python3
"""Seconds a problem of SciPy's best LAPACK calls for the three tasks of a cell, on one thread.

A problem is C = X'X/2d (X: 2d x d, uniform in [-1, 1), column scales j^(-1/2)), B (d x 10, uniform in [-1, 1)), a diagonal
Sigma uniform in [0.1, 1.9), and k leading directions. With S = C + Sigma, and what is explained of the labels as the answer
(y^2 less it is the loss):

    dsyevd            Sigma^(-1/2) C Sigma^(-1/2) = Q Lambda Q', nothing else
    joint embedding   the same, scaling included; sum over i <= k of |q_i' Sigma^(-1/2) B|^2 / lambda_i
    reconstruction    S = K K', (K^(-1) C)(K^(-1) C)' = P Phi^2 P', E = P_k' K^(-1); tr((EB)' (E C E')^(-1) EB)
    supervised        S = K K', S V = B; 2 tr(V'B) - tr(V'CV) = |K^(-1) B|^2 + tr(V' Sigma V)

With --pencil instead, S is another C + Sigma, and the answer is the sum over i <= k of |v_i' B|^2:

    dsygvd            C V = S V Lambda, V'SV = 1, nothing else
    general pencil    the same, of which k columns are wanted

Routines of LAPACK and BLAS are called directly, on matrices in their own order, without checks: dgemm, not dsymm; norms of half
solves. Of several ways to the same answer the fastest counts:

    joint embedding   dsyevd (all vectors) or dsyevr (k of them)
    reconstruction    dsyevd or dsyevr of F F'; dsygvd or dsygvx of the pencil (C C, S), whose vectors are E'
    general pencil    dsygvd, dsygvx, or dpotrf, dsygst and dsyevr

A time is that of the best pass over distinct problems (eight up to d = 512, then two), divided by their number; a way that takes
three times as long as another is not tried again. One line is printed for each size, the names of the ways last:

    d seconds_dsyevd seconds_je seconds_rc seconds_sl je,rc
    d seconds_dsygvd seconds_general general
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
from scipy.linalg.lapack import dpotrf, dsyevd, dsyevr, dsygst, dsygvd, dsygvx  # noqa: E402

Array = NDArray[np.float64]

LABELS = 10
PROBLEMS = 8
SIZES = [8, 16, 32, 50, 64, 100, 128, 200, 256]
FEWEST = 3
"""Passes made however small the budget."""


def gram_like(rng: np.random.Generator, size: int) -> Array:
    x = rng.uniform(-1, 1, (2 * size, size)) / np.sqrt(np.arange(1, size + 1))
    return np.asfortranarray(x.T @ x / (2 * size))


class Problem(NamedTuple):
    """Matrices in column-major order."""

    second: Array
    cross: Array
    variance: Array
    scaled: Array
    """Sigma^(-1/2) C Sigma^(-1/2)."""
    dense: Array
    """Another C + Sigma."""

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int) -> Problem:
        second, other = (gram_like(rng, size) for _ in range(2))
        variance = rng.uniform(0.1, 1.9, size)
        scale = 1 / np.sqrt(variance)
        cross = np.asfortranarray(rng.uniform(-1, 1, (size, LABELS)))
        scaled = np.asfortranarray(second * np.outer(scale, scale))
        return cls(second, cross, variance, scaled, np.asfortranarray(other + np.diag(variance)))


class NoAnswer(Exception):
    """A routine of LAPACK did not succeed."""


def checked(routine: str, *results: Array | int) -> list[Array]:
    *found, info = results
    if info != 0:
        raise NoAnswer(f"{routine}: info = {info}")
    return found


def eigen(matrix: Array, overwrite: bool) -> tuple[Array, Array]:
    values, vectors = checked("dsyevd", *dsyevd(matrix, compute_v=1, lower=1, overwrite_a=overwrite))
    return values, vectors


def all_vectors(matrix: Array, count: int) -> tuple[Array, Array]:
    """The leading eigenpairs of a matrix, which is overwritten."""
    values, vectors = eigen(matrix, overwrite=True)
    return values[-count:], vectors[:, -count:]


def few_vectors(matrix: Array, count: int) -> tuple[Array, Array]:
    size = len(matrix)
    found = dsyevr(matrix, compute_v=1, range="I", il=size - count + 1, iu=size, lower=1, overwrite_a=1)
    values, vectors, *_ = checked("dsyevr", *found)
    return values[:count], vectors[:, :count]


def pencil_all(matrix: Array, definite: Array, count: int) -> Array:
    """The leading V of matrix V = definite V Lambda; both are overwritten."""
    vectors = checked("dsygvd", *dsygvd(matrix, definite, uplo="L", overwrite_a=1, overwrite_b=1))[1]
    return vectors[:, -count:]


def pencil_few(matrix: Array, definite: Array, count: int) -> Array:
    size = len(matrix)
    il = size - count + 1
    found = dsygvx(matrix, definite, range="I", uplo="L", il=il, iu=size, overwrite_a=1, overwrite_b=1)
    return checked("dsygvx", *found)[1][:, :count]


def pencil_reduced(matrix: Array, definite: Array, count: int) -> Array:
    lower = factor(definite)
    reduced = checked("dsygst", *dsygst(matrix, lower, lower=1, overwrite_a=1))[0]
    return dtrsm(1.0, lower, few_vectors(reduced, count)[1], lower=1, trans_a=1)


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


def joint_embedding(problem: Problem, leading: Callable, count: int) -> float:
    scale = 1 / np.sqrt(problem.variance)
    matrix = problem.second * scale
    matrix *= scale[:, None]
    values, vectors = leading(matrix, count)
    projected = dgemm(1.0, vectors, problem.cross * scale[:, None], trans_a=1)
    return float(np.sum(np.einsum("ij,ij->i", projected, projected) / values))


def reconstruction(problem: Problem, leading: Callable, count: int) -> float:
    lower = factor(view(problem))
    whitened = dtrsm(1.0, lower, problem.second, lower=1)
    _, vectors = leading(dsyrk(1.0, whitened, lower=1), count)
    return probed(problem, dtrsm(1.0, lower, vectors, lower=1, trans_a=1, overwrite_b=1))


def reconstruction_of_pencil(problem: Problem, pencil: Callable, count: int) -> float:
    return probed(problem, pencil(dsyrk(1.0, problem.second, lower=1), view(problem), count))


def probed(problem: Problem, encoder: Array) -> float:
    gram = dgemm(1.0, encoder, dgemm(1.0, problem.second, encoder), trans_a=1)
    cross = dgemm(1.0, encoder, problem.cross, trans_a=1)
    return power(dtrsm(1.0, factor(gram), cross, lower=1, overwrite_b=1))


def supervised(problem: Problem) -> float:
    lower = factor(view(problem))
    half = dtrsm(1.0, lower, problem.cross, lower=1)
    explained = power(half)
    weights = dtrsm(1.0, lower, half, lower=1, trans_a=1, overwrite_b=1)
    return explained + float(problem.variance @ np.einsum("ij,ij->i", weights, weights))


def general(problem: Problem, pencil: Callable, count: int) -> float:
    vectors = pencil(problem.second.copy(order="F"), problem.dense.copy(order="F"), count)
    return power(dgemm(1.0, vectors, problem.cross, trans_a=1))


def pencil_decomposition(problem: Problem) -> float:
    return float(checked("dsygvd", *dsygvd(problem.second, problem.dense, uplo="L"))[0][-1])


Task = Callable[[Problem], float]


EIGEN = {"dsyevd": all_vectors, "dsyevr": few_vectors}
PENCIL = {"dsygvd": pencil_all, "dsygvx": pencil_few}


def ways(task: Callable, hows: dict[str, Callable], count: int) -> dict[str, Task]:
    return {name: lambda problem, how=how: task(problem, how, count) for name, how in hows.items()}


def seconds_a_problem(task: Task, problems: list[Problem], budget: float, fewest: int = FEWEST) -> float:
    """Of the fastest pass over all problems."""
    for problem in problems:
        task(problem)
    best, passes, started = float("inf"), 0, time.perf_counter()
    while passes < fewest or time.perf_counter() - started < budget:
        begun = time.perf_counter()
        for problem in problems:
            task(problem)
        best = min(best, time.perf_counter() - begun)
        passes += 1
    return best / len(problems)


def fastest(tasks: dict[str, Task], problems: list[Problem], budget: float) -> tuple[float, str]:
    """Of several ways to the same answer."""
    trial = {}
    for name, task in tasks.items():
        begun = time.perf_counter()
        answer = task(problems[0])
        trial[name] = (time.perf_counter() - begun, answer)
    answers = [answer for _, answer in trial.values()]
    if max(answers) - min(answers) > 1e-6 * max(map(abs, answers)):
        raise NoAnswer(f"ways to one answer differ: {trial}")
    least = min(seconds for seconds, _ in trial.values())
    promising = [name for name, (seconds, _) in trial.items() if seconds <= 3 * least]
    return min((seconds_a_problem(tasks[name], problems, budget / len(promising)), name) for name in promising)


def measure(size: int, count: int, problems: list[Problem], budget: float) -> list[object]:
    joint = ways(joint_embedding, EIGEN, count)
    rebuilt = ways(reconstruction, EIGEN, count) | ways(reconstruction_of_pencil, PENCIL, count)
    bests = [fastest(tasks, problems, budget) for tasks in (joint, rebuilt)]
    alone = seconds_a_problem(decomposition, problems, budget)
    ridge = seconds_a_problem(supervised, problems, budget)
    times = [alone, *(seconds for seconds, _ in bests), ridge]
    return [size, *(f"{seconds:.4e}" for seconds in times), ",".join(name for _, name in bests)]


def measure_pencil(size: int, count: int, problems: list[Problem], budget: float) -> list[object]:
    tasks = ways(general, PENCIL | {"dsygst": pencil_reduced}, count)
    best, name = fastest(tasks, problems, budget)
    return [size, f"{seconds_a_problem(pencil_decomposition, problems, budget):.4e}", f"{best:.4e}", name]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="D", help="sizes d, at least 2")
    p.add_argument("--count", type=int, metavar="K", help="leading directions k [default: d/2]")
    p.add_argument("--pencil", action="store_true", help="general pencils in place of the three tasks")
    p.add_argument("--seconds", type=float, default=0.3, help="time budget of one measurement")
    options = p.parse_args()
    if min(options.sizes) < 2:
        p.error("sizes must be at least 2: k = d/2")
    if options.count is not None and not 1 <= options.count <= min(options.sizes):
        p.error("k is from 1 to d")
    for size in options.sizes:
        rng = np.random.default_rng(size)
        problems = [Problem.draw(rng, size) for _ in range(PROBLEMS if size <= 512 else 2)]
        how = measure_pencil if options.pencil else measure
        print(*how(size, options.count or size // 2, problems, options.seconds), flush=True)


if __name__ == "__main__":
    main()
