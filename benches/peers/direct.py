#!/usr/bin/env python3
"""Peer 1: Figure 3 of arXiv:2505.12477 by explicit simulation in NumPy and SciPy, as a researcher would write it.

Draws the n x 50 noise, forms the empirical moments C = X'X/n and B = X'Y/n of the corrupted sample X, solves each
paradigm with S = C + Sigma by one LAPACK call,

    joint embedding   top-k eigenvectors of the pencil (C, S)      (Theorem 3.2)
    reconstruction    top-k eigenvectors of the pencil (C'C, S)    (Theorem 3.1)
    supervised        S V = B                                      (Lemma B.1)

and fits the linear probe to the representation of the sample by least squares. It shares across cells what a careful
author would (the sample, its moments, the clean loss). The last line printed is `seconds rows`.

    OPENBLAS_NUM_THREADS=1 python direct.py --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from common import COMPONENTS, NOISE_COMPONENTS, Array, Data, Options, Row, draw_spectra, run, shuffled


def mean_square(residual: Array) -> float:
    """|R|^2 / n"""
    return float(np.vdot(residual, residual)) / len(residual)


def probing_loss(z: Array, y: Array) -> float:
    """min over M of |Y - Z M|^2 / n, evaluated on the sample.

    By the normal equations: every representation here is whitened or a set of principal components, so Z'Z is well
    conditioned, the loss agrees with an orthogonal factorization's to round-off, in a quarter of the time.
    """
    return mean_square(y - z @ cho_solve(cho_factor(z.T @ z, check_finite=False), z.T @ y, check_finite=False))


def leading(a: Array, b: Array) -> Array:
    """Eigenvectors of the pencil (A, B) that belong to its k largest eigenvalues, as columns."""
    return eigh(a, b, driver="gvd", check_finite=False)[1][:, -COMPONENTS:]


def ridge(second: Array, cross: Array, variance: Array) -> Array:
    """(C + Sigma)^(-1) B"""
    return cho_solve(cho_factor(second + np.diag(variance), check_finite=False), cross, check_finite=False)


def corrupted_losses(x: Array, y: Array, second: Array, cross: Array, variance: Array) -> dict[str, float]:
    """The loss of each paradigm trained and evaluated on the corrupted sample."""
    view = second + np.diag(variance)
    return {
        "supervised": mean_square(y - x @ ridge(second, cross, variance)),
        "joint-embedding": probing_loss(x @ leading(second, view), y),
        "reconstruction": probing_loss(x @ leading(second @ second, view), y),
    }


def simulate(options: Options, data: Data) -> Iterator[Row]:
    """Every cell of every replicate."""
    for replicate in range(options.replicates):
        rng = np.random.default_rng([options.seed, replicate])
        sample = shuffled(rng, data)
        spectra = {scale: draw_spectra(rng, scale) for scale in options.noise_scales}
        for n in options.samples:
            x, y = sample.x[:n], sample.y[:n]
            probe = probing_loss(x, y)
            clean_second, clean_cross = x.T @ x / n, x.T @ y / n
            corrupted = np.empty((n, COMPONENTS + NOISE_COMPONENTS))
            corrupted[:, :COMPONENTS] = x
            for scale, drawn in spectra.items():
                noise = rng.standard_normal((n, NOISE_COMPONENTS))
                np.multiply(noise, np.sqrt(drawn.gamma[COMPONENTS:]), out=corrupted[:, COMPONENTS:])
                second, cross = corrupted.T @ corrupted / n, corrupted.T @ y / n
                model = ridge(clean_second, clean_cross, drawn.theta[:COMPONENTS])
                clean = {"supervised": mean_square(y - x @ model), "joint-embedding": probe, "reconstruction": probe}
                for alignment in options.alignments:
                    losses = corrupted_losses(corrupted, y, second, cross, drawn.view_variance(alignment))
                    for paradigm, loss in losses.items():
                        distance = abs(loss - clean[paradigm])
                        yield Row(replicate, n, scale, alignment, paradigm, clean[paradigm], loss, distance)


if __name__ == "__main__":
    run(simulate, __doc__, "direct.csv")
