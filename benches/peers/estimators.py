#!/usr/bin/env python3
"""Seconds of `fit` of the estimators, beside scikit-learn's principal components and canonical correlations.

Samples are X = N A / sqrt(d), N and A standard normal (n x d and d x d), doubles, row by row. Without other options
n = 10000, d = 784, k = 30. Canonical correlations (`CCA`) have two views of X, X + E and X + E' with E of half the
mean variance: what joint-embedding predicts of one another, found by iteration; of few components, since each takes
its time.

    JointEmbedding, Reconstruction   closed forms of additive views, covariance 0.5; always one thread
    JointEmbedding, dropout          exact moments of views that are stages
    JointEmbedding, callable         moments of `--views` draws of additive views
    PCA                              scikit-learn's, `full`, `covariance_eigh` and `randomized`
    CCA                              of `--cca` components; 0 leaves it out

A time is the best of `--rounds`, in which all take turns. Threads are those of NumPy's library, 1 unless `--threads`
says more. One line is printed for each: name, seconds, and seconds over JointEmbedding's.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=784)
    parser.add_argument("--components", type=int, default=30)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--cca", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    asked = options()
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(asked.threads)  # read when the library is loaded, just below

    import numpy as np
    from sklearn.cross_decomposition import CCA
    from sklearn.decomposition import PCA

    import eigensweep as es

    warnings.simplefilter("ignore")
    rng, k = np.random.default_rng(0), asked.components
    X = rng.normal(size=(asked.samples, asked.features))
    X = X @ rng.normal(size=(asked.features, asked.features)) / np.sqrt(asked.features)
    scale = np.sqrt(0.5 * X.var(axis=0).mean())

    def noisy(X: Any, rng: Any) -> Any:
        return X + scale * rng.normal(size=X.shape)

    pair = [noisy(X, rng) for _ in range(2)] if asked.cca else []
    dropout = [{"kind": "dropout", "probability": 0.5}]
    callable_views = {"views": noisy, "n_views": asked.views, "random_state": 0}
    fits: dict[str, Callable[[], Any]] = {
        "JointEmbedding": lambda: es.JointEmbedding(k).fit(X),
        "Reconstruction": lambda: es.Reconstruction(k).fit(X),
        "JointEmbedding, dropout": lambda: es.JointEmbedding(k, views=dropout).fit(X),
        "JointEmbedding, callable": lambda: es.JointEmbedding(k, **callable_views).fit(X),
        "PCA, full": lambda: PCA(k, svd_solver="full").fit(X),
        "PCA, covariance_eigh": lambda: PCA(k, svd_solver="covariance_eigh").fit(X),
        "PCA, randomized": lambda: PCA(k, svd_solver="randomized", random_state=0).fit(X),
    }
    if asked.cca:
        fits["CCA"] = lambda: CCA(asked.cca).fit(*pair)
    seconds = dict.fromkeys(fits, float("inf"))
    for _ in range(asked.rounds):
        for name, fit in fits.items():
            began = time.perf_counter()
            fit()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    for name, best in seconds.items():
        print(f"{name:24}  {best:8.3f}  {best / seconds['JointEmbedding']:8.2f}")


if __name__ == "__main__":
    main()
