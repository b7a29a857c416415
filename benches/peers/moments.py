#!/usr/bin/env python3
"""Peer 2: Figure 3 of arXiv:2505.12477 from sampled second moments, with the best LAPACK call that SciPy has for each.

The noise is never drawn: its products with the data are, exactly in distribution and at a cost that does not grow with
n. With A = [X Y] the clean sample, A'A = L L' of rank r, and N the n x p noise with covariance Gamma,

    A'N = L Z Gamma^(1/2),    N'N = Gamma^(1/2) (Z'Z + H) Gamma^(1/2),

Z an r x p matrix of standard normals and H ~ Wishart_p(I, n - r), independent. Each paradigm is then one call on the
moments C (100 x 100; 834 x 834 of raw pixels, --pixels), B (100 x 10) and y^2 = tr(Y'Y)/n (Sigma is diagonal and positive):

    joint embedding   Sigma^(-1/2) C Sigma^(-1/2) = Q Lambda Q';
                      loss y^2 - sum over i <= k of |q_i' Sigma^(-1/2) B|^2 / lambda_i
    reconstruction    S = K K', (K^(-1) C)(K^(-1) C)' = P Phi^2 P', E = P_k' K^(-1);
                      loss y^2 - tr((EB)' (E C E')^(-1) EB)
    supervised        S V = B;
                      loss y^2 - 2 tr(V'B) + tr(V'C V)

What separates this peer from eigensweep is the kernels alone. The last line printed is `seconds rows`.

    OPENBLAS_NUM_THREADS=1 python moments.py --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, eigh, solve_triangular

from common import CLASSES, DIMENSION, Array, Data, Options, Row, draw_spectra, run, shuffled

NULL_DIRECTION = 1e-12
"""Relative eigenvalue of A'A below which a direction is numerically absent from the sample, well above round-off."""


@dataclass(frozen=True)
class Moments:
    """C = X'X/n (d x d), B = X'Y/n (d x l) and y^2 = tr(Y'Y)/n of a sample."""

    second: Array
    cross: Array
    label_power: float

    @classmethod
    def of_products(cls, products: Array, n: int) -> Moments:
        """From [X Y]'[X Y] of the clean sample."""
        k = len(products) - CLASSES
        return cls(products[:k, :k] / n, products[:k, k:] / n, float(np.trace(products[k:, k:])) / n)


def eigen(a: Array) -> tuple[Array, Array]:
    """All eigenpairs of a symmetric matrix, which is overwritten: divide and conquer, the fastest driver at d = 100."""
    return eigh(a.T, driver="evd", overwrite_a=True, check_finite=False)


def leading(a: Array) -> tuple[Array, Array]:
    """The leading 50 eigenpairs of a symmetric matrix, which is overwritten, by the fastest driver."""
    d = len(a)
    if d <= 200:
        values, vectors = eigen(a)
        return values[-DIMENSION:], vectors[:, -DIMENSION:]
    few = (d - DIMENSION, d - 1)
    return eigh(a.T, driver="evr", subset_by_index=few, overwrite_a=True, check_finite=False)


def wishart(rng: np.random.Generator, p: int, freedom: int) -> Array:
    """Wishart_p(I, freedom): Bartlett's triangle, or a product of normals if there are fewer degrees than p."""
    if freedom < p:
        normals = rng.standard_normal((max(freedom, 0), p))
        return normals.T @ normals
    triangle = np.tril(rng.standard_normal((p, p)), -1)
    np.fill_diagonal(triangle, np.sqrt(rng.chisquare(freedom - np.arange(p))))
    return triangle @ triangle.T


def product_root(products: Array) -> Array:
    """L (m x r) with L L' = A'A and full column rank."""
    values, vectors = eigen(products.copy())
    present = values > NULL_DIRECTION * values[-1]
    return vectors[:, present] * np.sqrt(values[present])


def corrupt(rng: np.random.Generator, clean: Moments, root: Array, n: int, gamma: Array) -> Moments:
    """Moments of the sample after noise with variances `gamma` (p) is appended to its inputs."""
    k, p, rank = len(clean.second), len(gamma), root.shape[1]
    scale = np.sqrt(gamma)
    z = rng.standard_normal((rank, p))
    cross = (root @ z) * (scale / n)
    noise = (z.T @ z + wishart(rng, p, n - rank)) * np.outer(scale, scale / n)
    second = np.empty((k + p, k + p))
    second[:k, :k] = clean.second
    second[:k, k:] = cross[:k]
    second[k:, :k] = cross[:k].T
    second[k:, k:] = noise
    return Moments(second, np.concatenate([clean.cross, cross[k:].T]), clean.label_power)


def probing_loss(m: Moments) -> float:
    """y^2 - tr(B' C^(-1) B): the probe on the inputs themselves, C singular or not."""
    return m.label_power - float(np.vdot(m.cross, np.linalg.lstsq(m.second, m.cross, rcond=None)[0]))


def supervised(m: Moments, variance: Array) -> float:
    view = m.second + np.diag(variance)
    v = cho_solve(cho_factor(view, overwrite_a=True, check_finite=False), m.cross, check_finite=False)
    return m.label_power - 2 * float(np.vdot(v, m.cross)) + float(np.vdot(v, m.second @ v))


def joint_embedding(m: Moments, variance: Array) -> float:
    scale = 1 / np.sqrt(variance)
    values, vectors = leading(m.second * np.outer(scale, scale))
    projected = vectors.T @ (scale[:, None] * m.cross)
    return m.label_power - float(np.sum(projected**2 / values[:, None]))


def reconstruction(m: Moments, variance: Array) -> float:
    lower = cholesky(m.second + np.diag(variance), lower=True, overwrite_a=True, check_finite=False)
    whitened = solve_triangular(lower, m.second, lower=True, check_finite=False)
    _, vectors = leading(whitened @ whitened.T)
    encoder = solve_triangular(lower, vectors, lower=True, trans="T", check_finite=False)
    cross = encoder.T @ m.cross
    gram = encoder.T @ (m.second @ encoder)
    coefficients = cho_solve(cho_factor(gram, overwrite_a=True, check_finite=False), cross, check_finite=False)
    return m.label_power - float(np.vdot(cross, coefficients))


PARADIGMS = {"supervised": supervised, "joint-embedding": joint_embedding, "reconstruction": reconstruction}


def simulate(options: Options, data: Data) -> Iterator[Row]:
    """Every cell of every replicate."""
    for replicate in range(options.replicates):
        rng = np.random.default_rng([options.seed, replicate])
        sample = shuffled(rng, data)
        inputs_count = sample.x.shape[1]
        spectra = {scale: draw_spectra(rng, scale, inputs_count) for scale in options.noise_scales}
        rows = np.hstack([sample.x, sample.y])
        products, summed = np.zeros((rows.shape[1], rows.shape[1])), 0
        for n in options.samples:
            products, summed = products + rows[summed:n].T @ rows[summed:n], n
            inputs = Moments.of_products(products, n)
            root = product_root(products)
            # A representation of all inputs is as good as they are.
            probe = probing_loss(inputs) if inputs_count == DIMENSION else None
            for scale, drawn in spectra.items():
                moments = corrupt(rng, inputs, root, n, drawn.gamma[inputs_count:])
                theta = drawn.theta[:inputs_count]
                clean = {
                    paradigm: loss_of(inputs, theta) if probe is None or paradigm == "supervised" else probe
                    for paradigm, loss_of in PARADIGMS.items()
                }
                for alignment in options.alignments:
                    variance = drawn.view_variance(alignment)
                    for paradigm, loss_of in PARADIGMS.items():
                        loss = loss_of(moments, variance)
                        distance = abs(loss - clean[paradigm])
                        yield Row(replicate, n, scale, alignment, paradigm, clean[paradigm], loss, distance)


if __name__ == "__main__":
    run(simulate, __doc__, "moments.csv")
