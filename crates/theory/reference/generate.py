#!/usr/bin/env python3
"""High-precision solutions of the paper's closed forms (arXiv:2505.12477), for the tests of `eigensweep-theory`.

Writes `closed_forms.json` beside itself. Every input is a double, printed so that it reads back bit for bit; every
expectation is the solution of the problem with exactly those doubles, computed with 80 and again with 120 significant
digits, both of which must round to the same doubles. Nothing here shares code or an algorithm with the crate: the
solutions come from the definitions, with a spectral `S^(-1/2)` and a singular value decomposition.

With X (n x d) the inputs, X_bar the mean views, Sigma the mean covariance of a view, Y (n x l) the labels,

    G = X_bar' X_bar / n,  S = G + Sigma,  C = X' X_bar / n,  B = X_bar' Y / n,

    joint embedding  (Theorem 3.2)  S^(-1/2) G S^(-1/2) = Q Omega Q',  W* = Q_k' S^(-1/2),  objective 2 (k - sum omega)
    reconstruction   (Theorem 3.1)  C S^(-1/2) = R Phi P',             E* = P_k' S^(-1/2),  D* = R_k Phi_k,
                                    objective tr(X'X)/n - sum phi^2
    supervised       (Lemma B.1)    V* = B' S^(-1),                    objective tr(Y'Y)/n - tr(V* B)

`closed_forms`: the problem, `expect.{je,rc,sl}` and `relative_gap`, (kth - (k+1)th) / first eigenvalue omega or
singular value phi (the missing (d+1)th counts as zero). `projector` is orthogonal, d x d, on the row space of W* or E*,
and arbitrary where the gap is zero (k > rank); `map` is D* E* (d x d) or V* (l x d); `probe` is min over M of
|Y - X E' M'|^2 / n, with the encoder's rank deficiencies projected out.
`thresholds`: Propositions 4.3 and 4.4 and Corollary 4.5 on given spectra, at k = k0 unless `dimension` says less.
`leakage`: tr((V'(C0 + Gamma)V)^(-1) V' Gamma V) / k for a basis V (d x k), Gamma diagonal.
`supervised_loss`: y^2 - 2 tr(VB) + tr(V C V') with V = B' S^(-1), from the moments alone.

Needs `pip install mpmath==1.4.1`. Deterministic: fixed seed, only `random.random` (whose stream Python guarantees) and
mpmath (whose arithmetic does not depend on the platform). Ten seconds:

    python crates/theory/reference/generate.py
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpmath import matrix as Matrix
from mpmath import mp, mpf

SEED = 20250512477
DIGITS = (80, 120)
"""Working precisions; the condition numbers below (1e8 at most) cost a few digits, never thirty."""
NEGLIGIBLE = mpf(10) ** -40
"""Relative size below which a number is an exact zero of the problem: far under every double, far above round-off."""


# --- matrices -------------------------------------------------------------------------------------------------------


def rounded(a: Matrix) -> Matrix:
    """The matrix with every entry rounded to double: what Rust will read."""
    return a.apply(lambda v: mpf(float(v)))


def symmetric(a: Matrix) -> Matrix:
    return (a + a.T) / 2


def columns(a: Matrix, first: int, last: int) -> Matrix:
    return Matrix([[a[i, j] for j in range(first, last)] for i in range(a.rows)])


def trace(a: Matrix) -> mpf:
    return mp.fsum(a[i, i] for i in range(a.rows))


def power(a: Matrix) -> mpf:
    """tr(A'A)"""
    return mp.fsum(v * v for v in a)


def doubles(a: Matrix, scale: mpf) -> list[list[float]]:
    return [[double(a[i, j], scale) for j in range(a.cols)] for i in range(a.rows)]


def double(value: mpf, scale: mpf) -> float:
    return 0.0 if abs(value) <= NEGLIGIBLE * scale else float(value)


def largest(a: Matrix) -> mpf:
    return max(abs(v) for v in a)


# --- solutions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One instance, every entry a double held as an mpf."""

    kind: str
    x: Matrix
    x_bar: Matrix
    sigma: Matrix
    y: Matrix
    k: int

    @property
    def s(self) -> Matrix:
        return symmetric(self.x_bar.T * self.x_bar) / self.x.rows + self.sigma


def inverse_root(s: Matrix) -> Matrix:
    """S^(-1/2), symmetric, by eigendecomposition."""
    values, vectors = mp.eigsy(s)
    assert min(values) > NEGLIGIBLE * max(values), "S must be positive definite"
    return vectors * mp.diag([1 / mp.sqrt(v) for v in values]) * vectors.T


def range_basis(a: Matrix) -> Matrix | None:
    """Orthonormal columns that span the range of `a`; None for the zero matrix."""
    left, values, _ = mp.svd_r(a)
    rank = sum(v > NEGLIGIBLE * values[0] for v in values)
    return columns(left, 0, rank) if rank else None


def probing_loss(encoder: Matrix, x: Matrix, y: Matrix) -> float:
    """min over M of |Y - Z M'|^2 / n on the representation Z = X E': the part of Y outside the range of Z."""
    z = x * encoder.T
    if largest(z) <= NEGLIGIBLE * largest(x) * largest(encoder):
        return float(power(y) / x.rows)
    basis = range_basis(z)
    return double(power(y - basis * (basis.T * y)) / x.rows, power(y) / x.rows)


def row_space_projector(encoder: Matrix) -> list[list[float]]:
    basis = range_basis(encoder.T)
    return doubles(basis * basis.T, mpf(1))


def relative_gap(values: list[mpf], k: int) -> float:
    following = values[k] if k < len(values) else mpf(0)
    return double((values[k - 1] - following) / values[0], mpf(1))


def solve(p: Problem) -> dict[str, Any]:
    """`expect` and `relative_gap` of one problem, at the working precision of the moment."""
    n, d = p.x.rows, p.x.cols
    gram = symmetric(p.x_bar.T * p.x_bar) / n
    cross = p.x.T * p.x_bar / n
    moment = p.x_bar.T * p.y / n
    root = inverse_root(gram + p.sigma)

    omega, q = mp.eigsy(symmetric(root * gram * root))
    order = sorted(range(d), key=lambda i: -omega[i])
    omega = [omega[i] for i in order]
    w = Matrix([[q[j, i] for j in range(d)] for i in order[: p.k]]) * root

    left, phi, right = mp.svd_r(cross * root)
    phi = list(phi)
    e = right[: p.k, :] * root
    autoencoder = columns(left, 0, p.k) * mp.diag(phi[: p.k]) * e
    input_power = power(p.x) / n
    label_power = power(p.y) / n
    v = moment.T * root * root

    return {
        "expect": {
            "je": {
                "eigenvalues": [double(u, omega[0]) for u in omega],
                "projector": row_space_projector(w),
                "objective": double(2 * (p.k - mp.fsum(omega[: p.k])), mpf(1)),
                "probe": probing_loss(w, p.x, p.y),
            },
            "rc": {
                "singular_values": [double(u, phi[0]) for u in phi],
                "projector": row_space_projector(e),
                "map": doubles(autoencoder, largest(autoencoder)),
                "objective": double(input_power - mp.fsum(u * u for u in phi[: p.k]), input_power),
                "probe": probing_loss(e, p.x, p.y),
            },
            "sl": {
                "map": doubles(v, largest(v)),
                "objective": double(label_power - trace(v * moment), label_power),
            },
        },
        "relative_gap": {"je": relative_gap(omega, p.k), "rc": relative_gap(phi, p.k)},
    }


def at_both_precisions(compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result, after checking that more digits change no double (but for projectors that no gap determines)."""
    results = []
    for digits in DIGITS:
        with mp.workdps(digits):
            results.append(compute())
    low, high = (json.loads(json.dumps(r)) for r in results)
    for name, gap in low.get("relative_gap", {}).items():
        if gap == 0.0:
            low["expect"][name]["projector"] = high["expect"][name]["projector"] = None
    assert low == high, "the working precision does not determine every double"
    return results[1]


def closed_form_case(p: Problem) -> dict[str, Any]:
    one = mpf(0)  # inputs are doubles already: only exact zeros are zero
    return {
        "kind": p.kind,
        "n": p.x.rows,
        "d": p.x.cols,
        "k": p.k,
        "l": p.y.cols,
        "X": doubles(p.x, one),
        "X_bar": doubles(p.x_bar, one),
        "Sigma": doubles(p.sigma, one),
        "Y": doubles(p.y, one),
        **at_both_precisions(lambda: solve(p)),
    }


# --- problems -------------------------------------------------------------------------------------------------------


class Draw:
    """Random doubles that depend on the seed alone, not on a C library."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> mpf:
        return mpf(low) + (mpf(high) - low) * mpf(self._random.random())

    def normal(self) -> mpf:
        """Mean 0, variance 1, nearly Gaussian: twelve uniforms."""
        return mp.fsum(mpf(self._random.random()) for _ in range(12)) - 6

    def log_uniform(self, low: float, high: float) -> mpf:
        """10^u with u uniform on [low, high], rounded to double."""
        return mpf(float(mpf(10) ** self.uniform(low, high)))

    def integer(self, low: int, high: int) -> int:
        """Uniform on low..=high."""
        return low + int(self._random.random() * (high - low + 1))

    def matrix(self, rows: int, cols: int) -> Matrix:
        return Matrix([[self.normal() for _ in range(cols)] for _ in range(rows)])

    def spectrum(self, count: int, low: float, high: float) -> list[mpf]:
        return [self.log_uniform(low, high) for _ in range(count)]

    def diagonal(self, d: int, low: float, high: float) -> Matrix:
        return mp.diag(self.spectrum(d, low, high))

    def covariance(self, d: int, scale: float = 1.0) -> Matrix:
        """A dense positive definite matrix."""
        a = self.matrix(d, d)
        return mpf(scale) * (symmetric(a * a.T) / d + mp.eye(d) / 20)

    def features(self, n: int, d: int) -> Matrix:
        """Correlated features with a mean that is not zero, as real ones are."""
        mix = mp.eye(d) + self.matrix(d, d) / 2
        shift = [self.normal() / 2 for _ in range(d)]
        x = self.matrix(n, d) * mix
        return Matrix([[x[i, j] + shift[j] for j in range(d)] for i in range(n)])

    def targets(self, x: Matrix, l: int) -> Matrix:
        """Labels that the features explain in part."""
        return x * self.matrix(x.cols, l) / mp.sqrt(x.cols) + self.matrix(x.rows, l)

    def one_hot(self, n: int, l: int) -> Matrix:
        y = mp.zeros(n, l)
        for i in range(n):
            y[i, self.integer(0, l - 1)] = mpf(1)
        return y


def graded(d: int, decades: float) -> Matrix:
    """diag(1, ..., 10^-decades)"""
    return mp.diag([mpf(10) ** (-mpf(decades) * i / (d - 1)) for i in range(d)])


def collinear(d: int, epsilon: mpf) -> Matrix:
    """T with (x T)_d = x_1 + epsilon x_d, the identity elsewhere."""
    t = mp.eye(d)
    t[0, d - 1], t[d - 1, d - 1] = mpf(1), epsilon
    return t


def problem(kind: str, x: Matrix, x_bar: Matrix, sigma: Matrix, y: Matrix, k: int) -> Problem:
    return Problem(kind, rounded(x), rounded(x_bar), rounded(symmetric(sigma)), rounded(y), k)


def masking(draw: Draw, x: Matrix, keep: mpf) -> tuple[Matrix, Matrix]:
    """Features kept with probability p: X_bar = p X, Sigma = p (1 - p) diag(X'X) / n."""
    second = x.T * x / x.rows
    return keep * x, mp.diag([keep * (1 - keep) * second[j, j] for j in range(x.cols)])


def operators(x: Matrix, views: list[Matrix], jitter: mpf) -> tuple[Matrix, Matrix]:
    """tau(x) = A x + noise, A uniform over `views`: Sigma = mean of (A - A_bar) X'X/n (A - A_bar)' + jitter I."""
    mean = sum(views[1:], views[0]) / len(views)
    second = x.T * x / x.rows
    spread = [(a - mean) * second * (a - mean).T for a in views]
    return x * mean.T, sum(spread[1:], spread[0]) / len(views) + jitter * mp.eye(x.cols)


def blurs(d: int) -> list[Matrix]:
    """Circular smoothing by 1, 3 and 5 taps: neighbouring features averaged."""
    result = []
    for reach in range(3):
        a = mp.zeros(d)
        for i in range(d):
            for step in range(-reach, reach + 1):
                a[i, (i + step) % d] += mpf(1) / (2 * reach + 1)
        result.append(a)
    return result


def problems(draw: Draw) -> Iterator[Problem]:
    """The test problems, from plain to awkward."""
    # Additive noise, X_bar = X, Sigma diagonal: the engine's fast path. (n, d, k, l, decades of Sigma)
    for n, d, k, l, low, high in [
        (7, 1, 1, 1, -1, 1),
        (9, 2, 1, 1, -1, 1),
        (11, 2, 2, 2, -1, 1),
        (16, 4, 1, 3, -2, 1),
        (20, 5, 5, 2, -1, 1),
        (24, 8, 4, 10, -3, 3),
        (30, 12, 7, 3, -2, 2),
        (40, 11, 10, 1, -1, 1),
    ]:
        x = draw.features(n, d)
        yield problem("additive", x, x, draw.diagonal(d, low, high), draw.targets(x, l), k)
    x = draw.features(28, 6)
    yield problem("additive", x, x, draw.diagonal(6, -1, 1), draw.one_hot(28, 4), 3)

    # Sigma diagonal with zeros: S is positive definite, Sigma is not, so the fast path does not apply.
    for n, d, k, zeros in [(15, 4, 2, 1), (22, 7, 4, 3)]:
        x = draw.features(n, d)
        sigma = mp.diag([mpf(0)] * zeros + draw.spectrum(d - zeros, -1, 1))
        yield problem("additive-singular", x, x, sigma, draw.targets(x, 2), k)

    # Additive noise with a dense covariance.
    for n, d, k, l in [(12, 3, 1, 1), (18, 6, 3, 2), (26, 10, 10, 4)]:
        x = draw.features(n, d)
        yield problem("additive-dense", x, x, draw.covariance(d), draw.targets(x, l), k)

    # Views whose mean is not the input.
    for n, d, k, l in [(6, 1, 1, 1), (14, 5, 2, 2), (25, 9, 6, 1)]:
        x = draw.features(n, d)
        yield problem("masking", x, *masking(draw, x, draw.uniform(0.3, 0.9)), draw.targets(x, l), k)
    for n, d, k, l in [(10, 2, 1, 1), (17, 5, 4, 3), (28, 12, 5, 2)]:
        x = draw.features(n, d)
        views = [mp.eye(d) + draw.matrix(d, d) / 3 for _ in range(3)]
        yield problem("operator", x, *operators(x, views, mpf("0.01")), draw.targets(x, l), k)
    for n, d, k, l in [(20, 6, 2, 2), (32, 10, 6, 3)]:
        x = draw.features(n, d)
        yield problem("smoothing", x, *operators(x, blurs(d), mpf("0.05")), draw.targets(x, l), k)

    # S with condition number 10^decades (about): features and noise on scales that differ, not aligned with the axes in
    # the second problem of each pair.
    for n, d, k, decades in [(18, 5, 2, 3), (24, 8, 5, 6), (22, 6, 3, 8)]:
        scale = graded(d, decades / 2)
        x = draw.matrix(n, d) * scale
        sigma = scale * draw.covariance(d, 0.5) * scale
        yield problem("graded", x, x, sigma, draw.targets(x, 2), k)
    x = draw.matrix(20, 5) * graded(5, 4)
    yield problem("graded", x, x, graded(5, 8) / 3, draw.targets(x, 1), 3)

    # Nearly collinear features, x_d = x_1 + epsilon: condition number about (1 / epsilon)^2. Either the noise is as
    # small as the collinear direction (diagonal), or it is nearly collinear as well (dense, with mean views that shrink).
    for n, d, k, epsilon in [(15, 3, 2, "3e-2"), (25, 7, 6, "5e-4")]:
        x = draw.features(n, d) * collinear(d, mpf(epsilon))
        yield problem("collinear", x, x, mpf(epsilon) ** 2 * draw.diagonal(d, -1, 0), draw.targets(x, 2), k)
    for n, d, k, epsilon in [(20, 6, 3, "1e-3"), (26, 9, 4, "3e-4")]:
        transform = collinear(d, mpf(epsilon))
        x = draw.features(n, d) * transform
        sigma = transform.T * draw.covariance(d) * transform
        yield problem("collinear", x, x * mpf("0.8"), sigma, draw.targets(x, 2), k)

    # Fewer samples than features: G has rank n; k below, at and above it.
    for n, d, k, l, diagonal in [(4, 7, 2, 1, True), (5, 8, 5, 2, False), (6, 10, 8, 2, True)]:
        x = draw.matrix(n, d)
        sigma = draw.diagonal(d, -1, 1) if diagonal else draw.covariance(d)
        yield problem("wide", x, x, sigma, draw.targets(x, l), k)
    x = draw.matrix(5, 9)
    views = [mp.eye(9) + draw.matrix(9, 9) / 4 for _ in range(3)]
    yield problem("wide", x, *operators(x, views, mpf("0.5")), draw.targets(x, 2), 3)

    # Labels that are linearly dependent: a repeated column, a zero one, a sum.
    x = draw.features(20, 6)
    y = draw.targets(x, 2)
    y = Matrix([[y[i, 0], y[i, 1], y[i, 0], mpf(0), y[i, 0] + y[i, 1]] for i in range(20)])
    yield problem("dependent-labels", x, x, draw.diagonal(6, -1, 1), y, 3)
    x = draw.features(16, 4)
    yield problem("dependent-labels", x, *masking(draw, x, mpf("0.5")), mp.zeros(16, 2), 2)


# --- thresholds -----------------------------------------------------------------------------------------------------


def thresholds(
    signal: list[mpf], theta_signal: list[mpf], gamma: list[mpf], theta_noise: list[mpf], k: int
) -> dict[str, Any]:
    """Propositions 4.3 and 4.4 and Corollary 4.5; `signal` is kappa^2 / n, `crossover` eta^2 / delta.

    At k < k0 the k-th largest value over the important components stands in place of the smallest.
    """
    eta = sorted((s / mp.sqrt(s + t) for s, t in zip(signal, theta_signal, strict=True)), reverse=True)[k - 1]
    delta = sorted((s / (s + t) for s, t in zip(signal, theta_signal, strict=True)), reverse=True)[k - 1]
    noise = list(zip(gamma, theta_noise, strict=True))
    crossover = eta**2 / delta
    if max(gamma) < crossover:
        verdict = "reconstruction"
    elif min(gamma) > crossover:
        verdict = "joint-embedding"
    else:
        verdict = "undetermined"
    return {
        "delta": float(delta),
        "eta": float(eta),
        "alpha_rc_squared": float(max(g / eta**2 - t / g - 1 for g, t in noise)),
        "alpha_je_squared": float(max((1 - delta) / delta - t / g for g, t in noise)),
        "crossover": float(crossover),
        "corollary_4_5": verdict,
    }


def threshold_spectra(draw: Draw) -> Iterator[tuple[list[mpf], list[mpf], list[mpf], list[mpf]]]:
    """Spectra (signal, theta_signal, gamma, theta_noise), in decades, that meet every verdict and every sign."""

    def counts() -> tuple[int, int]:
        return draw.integer(1, 8), draw.integer(1, 8)

    # Gamma above, around and below the signal: joint-embedding, undetermined, reconstruction.
    for low, high in [(3, 6), (-2, 3), (-5, -2)]:
        for _ in range(18):
            s, p = counts()
            yield draw.spectrum(s, -1, 3), draw.spectrum(s, -2, 2), draw.spectrum(p, low, high), draw.spectrum(p, -2, 2)
    # Theta on the noise far above Gamma: negative thresholds.
    for _ in range(8):
        s, p = counts()
        yield draw.spectrum(s, 0, 3), draw.spectrum(s, -3, 0), draw.spectrum(p, -3, 0), draw.spectrum(p, 2, 4)
    # No Theta anywhere, and on one side only.
    for _ in range(6):
        s, p = counts()
        yield draw.spectrum(s, -1, 2), [mpf(0)] * s, draw.spectrum(p, -2, 3), [mpf(0)] * p
    s, p = 3, 4
    yield draw.spectrum(s, -1, 2), [mpf(0)] * s, draw.spectrum(p, -2, 3), draw.spectrum(p, -2, 2)
    yield draw.spectrum(s, -1, 2), draw.spectrum(s, -2, 2), draw.spectrum(p, -2, 3), [mpf(0)] * p
    # One component against many.
    for s, p in [(1, 1), (1, 60), (60, 1), (50, 50)]:
        yield draw.spectrum(s, 0, 3), draw.spectrum(s, -1, 2), draw.spectrum(p, -2, 0), draw.spectrum(p, -1, 1)
        yield draw.spectrum(s, 0, 3), draw.spectrum(s, -1, 2), draw.spectrum(p, 3, 5), draw.spectrum(p, -1, 1)
    # A tie, exact in doubles: eta^2 / delta = lambda^Gamma = 4, where the corollary says nothing.
    yield [mpf(4)], [mpf(0)], [mpf(4)], [mpf(1)]


def narrow_spectra(draw: Draw) -> Iterator[tuple[tuple[list[mpf], list[mpf], list[mpf], list[mpf]], int]]:
    """Spectra and a k below k0: from 1 to k0 - 1, ties, and views that reverse the order of the components."""
    for low, high in [(3, 6), (-2, 3), (-5, -2)]:
        for _ in range(10):
            s, p = draw.integer(2, 10), draw.integer(1, 8)
            spectra = draw.spectrum(s, -1, 3), draw.spectrum(s, -2, 4), draw.spectrum(p, low, high), draw.spectrum(p, -2, 2)
            yield spectra, draw.integer(1, s - 1)
    # The k-th largest is tied, before and after; exact in doubles.
    tied = [mpf(v) for v in (8, 4, 4, 4, 1)]
    for k in range(1, 5):
        yield (tied, tied, [mpf(2), mpf(16)], [mpf(1), mpf(4)]), k


def threshold_case(
    spectra: tuple[list[mpf], list[mpf], list[mpf], list[mpf]], dimension: int | None = None
) -> dict[str, Any]:
    names = ("signal", "theta_signal", "gamma", "theta_noise")
    k = len(spectra[0]) if dimension is None else dimension
    return {
        **{name: [float(v) for v in values] for name, values in zip(names, spectra, strict=True)},
        **({} if dimension is None else {"dimension": dimension}),
        **at_both_precisions(lambda: {"expect": thresholds(*spectra, k)}),
    }


# --- metrics from moments -------------------------------------------------------------------------------------------


def leakage(second: Matrix, gamma: list[mpf], basis: Matrix) -> float:
    """tr((V'(C0 + Gamma)V)^(-1) V' Gamma V) / k"""
    noise = basis.T * mp.diag(gamma) * basis
    total = basis.T * second * basis + noise
    return double(trace(mp.inverse(total) * noise) / basis.cols, mpf(1))


def leakage_problems(draw: Draw) -> Iterator[tuple[Matrix, list[mpf], Matrix]]:
    """(C0, Gamma, V), doubles."""
    # The paper's setting: signal components first, noise components after, everything diagonal.
    for signal, noise, k in [(1, 1, 1), (3, 2, 2), (5, 5, 5), (8, 4, 6)]:
        d = signal + noise
        second = mp.diag(draw.spectrum(signal, -1, 2) + [mpf(0)] * noise)
        yield second, [mpf(0)] * signal + draw.spectrum(noise, -2, 3), rounded(draw.matrix(d, k))
    # Dense C0, Gamma everywhere; k = d too, where V cancels.
    for d, k in [(2, 1), (5, 3), (7, 7)]:
        yield rounded(draw.covariance(d)), draw.spectrum(d, -2, 1), rounded(draw.matrix(d, k))
    # Basis vectors on scales that differ by ten decades: leakage does not see scale.
    yield rounded(draw.covariance(6)), draw.spectrum(6, -1, 1), rounded(draw.matrix(6, 3) * graded(3, 10))
    # A row that points along a signal component and still carries almost only noise (10^8 times its variance).
    tilted = mp.eye(4)[:, :2]
    tilted[3, 1] = mpf(0.01)
    yield mp.diag([4, 1, 0, 0]), [mpf(v) for v in (0, 0, 1, 1e8)], tilted
    # One noise component in place of a signal component, nothing but noise, no noise at all: 1/k, 1 and 0.
    unit = mp.eye(6)
    clean = mp.diag([3, 2, 1, 0, 0, 0])
    noise = [mpf(v) for v in (0, 0, 0, 5, 7, 0.5)]
    yield clean, noise, columns(unit, 1, 4)
    yield clean, noise, columns(unit, 3, 6)
    yield rounded(draw.covariance(4)), [mpf(0)] * 4, rounded(draw.matrix(4, 2))


def leakage_case(second: Matrix, gamma: list[mpf], basis: Matrix) -> dict[str, Any]:
    return {
        "d": basis.rows,
        "k": basis.cols,
        "second_moment": doubles(second, mpf(0)),
        "gamma": [float(v) for v in gamma],
        "basis": doubles(basis, mpf(0)),
        **at_both_precisions(lambda: {"leakage": leakage(second, gamma, basis)}),
    }


def supervised_loss(s: Matrix, c: Matrix, b: Matrix, label_power: mpf) -> float:
    """y^2 - 2 tr(VB) + tr(V C V') with V = B' S^(-1)"""
    v = b.T * mp.inverse(s)
    return double(label_power - 2 * trace(v * b) + trace(v * c * v.T), label_power)


def supervised_problems(draw: Draw) -> Iterator[tuple[Matrix, Matrix, Matrix, mpf]]:
    """(S, C, B, y^2), doubles: additive noise, a covariance that is dense, and S of condition number 1e6."""
    for n, d, l, decades, dense in [
        (5, 1, 1, 0, False),
        (12, 2, 3, 0, True),
        (20, 6, 2, 0, False),
        (30, 10, 4, 0, True),
        (25, 8, 3, 6, True),
    ]:
        scale = graded(d, decades / 2) if d > 1 else mp.eye(1)
        x = draw.features(n, d) * scale
        y = draw.targets(x, l)
        c = rounded(symmetric(x.T * x) / n)
        sigma = scale * (draw.covariance(d) if dense else draw.diagonal(d, -1, 1)) * scale
        yield rounded(c + symmetric(sigma)), c, rounded(x.T * y / n), mpf(float(power(y) / n))


def supervised_case(s: Matrix, c: Matrix, b: Matrix, label_power: mpf) -> dict[str, Any]:
    return {
        "d": b.rows,
        "l": b.cols,
        "S": doubles(s, mpf(0)),
        "C": doubles(c, mpf(0)),
        "B": doubles(b, mpf(0)),
        "label_power": float(label_power),
        **at_both_precisions(lambda: {"loss": supervised_loss(s, c, b, label_power)}),
    }


# --- the file -------------------------------------------------------------------------------------------------------


def summary(p: Problem, case: dict[str, Any]) -> str:
    values = mp.eigsy(p.s, eigvals_only=True)
    gaps = case["relative_gap"]
    return (
        f"{p.kind:18} n={case['n']:<3} d={case['d']:<3} k={case['k']:<3} l={case['l']:<3} "
        f"cond(S)={float(max(values) / min(values)):8.1e}  gap je={gaps['je']:.1e} rc={gaps['rc']:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("closed_forms.json"))
    out: Path = parser.parse_args().out

    mp.dps = DIGITS[0]
    closed_forms = []
    for p in problems(Draw(SEED)):
        closed_forms.append(closed_form_case(p))
        print(summary(p, closed_forms[-1]), file=sys.stderr)
    lists = {
        "closed_forms": closed_forms,
        "thresholds": [threshold_case(s) for s in threshold_spectra(Draw(SEED + 1))]
        + [threshold_case(s, k) for s, k in narrow_spectra(Draw(SEED + 4))],
        "leakage": [leakage_case(*q) for q in leakage_problems(Draw(SEED + 2))],
        "supervised_loss": [supervised_case(*q) for q in supervised_problems(Draw(SEED + 3))],
    }
    blocks = [
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(case, allow_nan=False) for case in cases) + "\n]"
        for name, cases in lists.items()
    ]
    out.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
    sizes = ", ".join(f"{len(cases)} {name}" for name, cases in lists.items())
    print(f"{out}: {sizes}, {out.stat().st_size / 1e3:.0f} kB", file=sys.stderr)


if __name__ == "__main__":
    main()
