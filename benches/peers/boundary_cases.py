"""Critical alignments by brute force: problems of the project's own, each of whose replicates is bisected by itself.

Nothing is shared with the engine: samples are drawn one by one, second moments are sums over them, the
pencils are solved through NumPy's Cholesky factors. Writes JSON that the tests of `engine` compare
`eigensweep boundary` with:

    python boundary_cases.py --replicates 4000 > ../../crates/engine/tests/boundary/brute_force.json
"""

import argparse
import json
import math

import numpy as np

SMALL = {"signal": [5, 20, 60], "theta_signal": [2, 1, 10], "gamma": [10, 100, 300], "theta_noise": [3, 1, 20]}
FEW = {"signal": [4, 8, 30, 90], "theta_signal": [9, 5, 2, 30], "gamma": [50, 200], "theta_noise": [1, 4]}
BULK = {"signal": [40, 80], "theta_signal": [10, 10], "gamma": [30] * 8, "theta_noise": [2] * 8}
LOUD = {"signal": [1, 3], "theta_signal": [1, 2], "gamma": [20, 300], "theta_noise": [1, 1]}
QUIET = {"signal": [10, 40], "theta_signal": [30, 20], "gamma": [3, 6], "theta_noise": [1, 0.5]}
FAINT = {"signal": [10, 40], "theta_signal": [1, 1], "gamma": [0.5, 1], "theta_noise": [3, 3]}
CASES = [
    ("joint-embedding", SMALL, 100, {}),
    ("reconstruction", SMALL, 100, {}),
    ("joint-embedding", SMALL, 1000, {"fixed": True}),
    ("reconstruction", SMALL, 1000, {"fixed": True}),
    ("joint-embedding", FEW, 200, {"dimension": 2}),
    ("reconstruction", FEW, 200, {"dimension": 2}),
    ("joint-embedding", BULK, 40, {"fixed": True}),
    ("reconstruction", BULK, 60, {}),
    ("reconstruction", LOUD, 3000, {}),
    ("joint-embedding", QUIET, 80, {"tolerance": 0.1}),
    ("reconstruction", QUIET, 150, {"fixed": True}),
    ("joint-embedding", FAINT, 300, {}),
]

LOWEST, HIGHEST = math.log(1e-6), math.log(1e4)
STEPS = 30


def second_moments(random, case, replicates, n, fixed):
    """Second moments (replicates, d, d) of n corrupted samples each."""
    signal, gamma = np.sqrt(case["signal"]), np.sqrt(case["gamma"])
    moments = []
    for _ in range(replicates):
        clean = random.standard_normal((n, len(signal)))
        if fixed:
            # An orthonormal basis of its columns: the clean second moment is the spectrum itself.
            clean = np.linalg.qr(clean)[0] * math.sqrt(n)
        samples = np.hstack([clean * signal, random.standard_normal((n, len(gamma))) * gamma])
        moments.append(samples.T @ samples / n)
    return np.array(moments)


def leakage(paradigm, moments, case, alpha, k):
    """Leakage (replicates) of each representation at its own α, of new inputs of the population."""
    zeros = np.zeros(len(case["signal"]))
    noise = np.concatenate([zeros, case["gamma"]])
    inputs = noise + np.concatenate([case["signal"], 0 * np.array(case["gamma"], float)])
    theta = np.concatenate([case["theta_signal"], case["theta_noise"]])
    views = moments + np.eye(len(noise)) * (theta + alpha[:, None] ** 2 * noise)[:, None, :]
    inverse = np.linalg.inv(np.linalg.cholesky(views))
    left = moments if paradigm == "joint-embedding" else moments @ moments
    pencil = inverse @ left @ inverse.transpose(0, 2, 1)
    leading = np.linalg.eigh((pencil + pencil.transpose(0, 2, 1)) / 2)[1][:, :, -k:]
    encoder = inverse.transpose(0, 2, 1) @ leading
    within = lambda diagonal: encoder.transpose(0, 2, 1) @ (diagonal[:, None] * encoder)
    return np.trace(np.linalg.solve(within(inputs), within(noise)), axis1=1, axis2=2) / k


def critical(paradigm, moments, case, k, tolerance):
    """Critical log α of each replicate: −∞ where it recovers at α = 0, by bisection elsewhere."""
    recovers = lambda log_alpha: leakage(paradigm, moments, case, np.exp(log_alpha), k) < tolerance
    count = len(moments)
    always = leakage(paradigm, moments, case, np.zeros(count), k) < tolerance
    low, high = np.full(count, LOWEST), np.full(count, HIGHEST)
    never = ~recovers(high)
    for _ in range(STEPS):
        middle = (low + high) / 2
        below = recovers(middle)
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return np.where(always, -np.inf, np.where(never, np.inf, (low + high) / 2))


def quantile(values, q):
    """A quantile, and its standard error by the order statistics one binomial deviation to either side."""
    values, count = np.sort(values), len(values)
    deviation = math.sqrt(count * q * (1 - q))
    at = lambda rank: values[min(max(int(round(rank)), 0), count - 1)]
    value, error = at(count * q), (at(count * q + deviation) - at(count * q - deviation)) / 2
    return {"log_alpha": float(value), "error": float(error)} if np.isfinite(value) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=4000, metavar="R")
    arguments = parser.parse_args()
    found = []
    for number, (paradigm, case, n, more) in enumerate(CASES):
        random = np.random.default_rng([20, number])
        k = more.get("dimension", len(case["signal"]))
        tolerance = more.get("tolerance", 0.5 / k)
        moments = second_moments(random, case, arguments.replicates, n, more.get("fixed", False))
        values = critical(paradigm, moments, case, k, tolerance)
        middle = np.sort(values)[len(values) // 2]
        verdict = {-np.inf: "always", np.inf: "never"}.get(middle, "traced")
        quantiles = {str(q): quantile(values, q) for q in (0.1, 0.5, 0.9)} if verdict == "traced" else {}
        found.append(
            {"paradigm": paradigm, "samples": n, **case, "fixed": more.get("fixed", False), "dimension": k}
            | {"tolerance": tolerance, "verdict": verdict, "quantiles": quantiles}
        )
    print("[\n" + ",\n".join(json.dumps(case) for case in found) + "\n]")


if __name__ == "__main__":
    main()
