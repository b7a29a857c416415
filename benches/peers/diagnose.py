#!/usr/bin/env python3
"""The answers of `eigensweep diagnose` on MNIST and on scikit-learn's digits, beside what training gives on held-out images.

    python benches/peers/diagnose.py PROGRAM MNIST [--only digits] > table.md

2000 training images are measured twice, with independent noise of one of four kinds, and `diagnose` sees these 4000
rows and nothing else. Beside it both paradigms are trained on all of them with NumPy and SciPy, and tried on test images that
nobody has seen: a ridge probe of the digit (its accuracy), kept and leakage on two fresh measurements of each. A row
of the table is a kind of noise, features, views and an alignment; the program is called once for all alignments.

Needs NumPy and SciPy, and scikit-learn for its digits.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float64]

ALIGNMENTS = (0.0, 0.3, 1.0, 3.0)
PARADIGMS = ("joint-embedding", "reconstruction")


def idx(path: Path) -> NDArray[np.uint8]:
    """The array of an idx file of bytes."""
    data = gzip.decompress(path.read_bytes())
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def background(rms: float, side: int) -> Callable[[np.random.Generator, int], Array]:
    """Smooth random light: a normal field, blurred over a ninth of the image, of so much root mean square."""

    def draw(rng: np.random.Generator, count: int) -> Array:
        field = gaussian_filter(rng.normal(size=(count, side, side)), (0, side / 9, side / 9), mode="wrap")
        return (rms * field / field.std()).reshape(count, -1)

    return draw


def pixels(deviation: float, side: int) -> Callable[[np.random.Generator, int], Array]:
    """Independent noise of each pixel."""
    return lambda rng, count: deviation * rng.normal(size=(count, side * side))


def shifts(side: int) -> list[Array]:
    """The nine matrices that move an image by up to one row and column, zeros coming in."""
    one = [np.eye(side, k=k) for k in (-1, 0, 1)]
    return [np.kron(rows, columns) for rows in one for columns in one]


def moments(views: str, covariance: Array, noise: Array, variance: float, alpha: float, moves: list[Array]) -> list[Array]:
    """G, S and C of views of rows with this covariance, alpha times the noise being added before."""
    noisy = covariance + alpha**2 * noise
    if views == "isotropic":
        return [covariance, noisy + variance * np.eye(len(noise)), covariance]
    mean = sum(moves) / len(moves)
    return [mean @ covariance @ mean.T, sum(move @ noisy @ move.T for move in moves) / len(moves), covariance @ mean.T]


def encoders(G: Array, S: Array, C: Array, covariance: Array, k: int) -> list[Array]:
    """V of each paradigm (d x k), of unit covariance on the training rows."""
    values, vectors = scipy.linalg.eigh(S)
    kept = values > 1e-10 * values[-1]
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    found = []
    for A in (G, C.T @ C):
        top = scipy.linalg.eigh(whiten.T @ A @ whiten)[1][:, ::-1][:, :k]
        V = whiten @ top
        found.append(V @ np.linalg.inv(np.linalg.cholesky(V.T @ covariance @ V)).T)
    return found


def tried(V: Array, train: Array, labels: Array, test: tuple[Array, Array], answers: Array, signal: Array) -> dict[str, float]:
    """Accuracy of a ridge probe, kept and leakage on test images."""
    Z, Y = train @ V, np.eye(10)[labels]
    weights = np.linalg.solve(Z.T @ Z + 1e-3 * len(Z) * np.eye(V.shape[1]), Z.T @ (Y - Y.mean(axis=0)))
    first, second = (x @ V for x in test)
    accuracy = float(np.mean(np.argmax(first @ weights + Y.mean(axis=0), axis=1) == answers))
    M = V.T @ signal
    power = 0.5 * sum(np.square(x).sum() for x in test)
    missed = 0.5 * (np.square(test[1] - first @ M).sum() + np.square(test[0] - second @ M).sum())
    leakage = np.square(first - second).sum() / (np.square(first).sum() + np.square(second).sum())
    return {"accuracy": accuracy, "kept": (power - missed) / (test[0] * test[1]).sum(), "leakage": leakage}


def cases(side: int, scale: float) -> dict[str, Callable[[np.random.Generator, int], Array]]:
    return {
        "weak background (.1)": background(0.1 * scale, side),
        "background (.4)": background(0.4 * scale, side),
        "strong background (1)": background(1.0 * scale, side),
        "pixel noise (.7)": pixels(0.7 * scale, side),
    }


VIEWS = {
    "shifts": 'shape = [1, {side}, {side}]\n[[stages]]\nkind = "shift"\nrows = 1\ncolumns = 1\n',
    "isotropic": '[[stages]]\nkind = "additive"\nvariance = {variance!r}\n',
}


def study(program: str, name: str, images: Array, labels: Array, test: Array, answers: Array, side: int, k: int, few: int) -> list[dict]:
    """All rows of a set of images; `few` is the number of principal components beside all features."""
    rows, moves = [], shifts(side)
    for noise_name, draw in cases(side, 1.0).items():
        rng = np.random.default_rng(0)
        first, second = (images + draw(rng, len(images)) for _ in range(2))
        held = tuple(test + draw(rng, len(test)) for _ in range(2))
        train = np.concatenate([first, second])
        mean = train.mean(axis=0)
        train = train - mean
        covariance = train.T @ train / len(train)
        difference = first - second
        noise = difference.T @ difference / (2 * len(first))
        variance = float(np.trace(covariance) / len(covariance))
        for components in (None, few):
            basis = np.eye(side * side)
            if components is not None:
                basis = scipy.linalg.eigh(covariance)[1][:, ::-1][:, :components]
            for views, text in VIEWS.items():
                found = asked(program, first, second, text.format(side=side, variance=variance), k, components)
                curve = {at["alignment"]: at for at in found["by_alignment"]}
                for alpha in ALIGNMENTS:
                    G, S, C = (basis.T @ A @ basis for A in moments(views, covariance, noise, variance, alpha, moves))
                    own = basis.T @ covariance @ basis
                    signal = own - basis.T @ noise @ basis
                    shown = [
                        tried(V, train @ basis, np.concatenate([labels] * 2), tuple((x - mean) @ basis for x in held), answers, signal)
                        for V in encoders(G, S, C, own, k)
                    ]
                    at = curve[alpha]
                    of = at["kept"]["difference"]
                    rows.append({
                        "data": name, "noise": noise_name, "features": "raw" if components is None else f"PCA {components}",
                        "views": views, "alpha": alpha, "test": shown, "answer": at["answer"],
                        "difference": of["value"], "half": of["high"] - of["value"] if of["high"] is not None else np.nan,
                    })
                    print(line(rows[-1]), file=sys.stderr, flush=True)
    return rows


def asked(program: str, first: Array, second: Array, views: str, k: int, components: int | None) -> dict:
    """What the program says."""
    with tempfile.TemporaryDirectory() as place:
        np.save(Path(place) / "first.npy", first)
        np.save(Path(place) / "second.npy", second)
        (Path(place) / "views.toml").write_text(views)
        command = [program, "diagnose", "--inputs", "first.npy", "--repeats", "second.npy", "--views", "views.toml"]
        command += ["--dimension", str(k), "--json", "--quiet"]
        if components is not None:
            command += ["--components", str(components)]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return json.loads(done.stdout)


def verdict(row: dict) -> str:
    """Whether the answer agrees with the accuracies on test images."""
    je, rc = (of["accuracy"] for of in row["test"])
    if row["answer"] not in PARADIGMS:
        return ""
    better = PARADIGMS[int(rc > je)]
    return "right" if row["answer"] == better else "**wrong**"


def line(row: dict) -> str:
    je, rc = row["test"]
    numbers = [f"{je[of]:.3f} / {rc[of]:.3f}" for of in ("leakage", "kept", "accuracy")]
    said = f"{row['difference']:+.3f} ± {row['half']:.3f}"
    cells = [row["noise"], f"{row['features']}, {row['views']}", f"{row['alpha']:g}", *numbers, said, row["answer"], verdict(row)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="eigensweep")
    parser.add_argument("mnist", type=Path, help="the folder with MNIST's four files")
    parser.add_argument("--only", choices=["mnist", "digits"])
    parser.add_argument("--save", type=Path, help="the numbers as JSON")
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    rows: list[dict] = []
    if options.only != "mnist":
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(images))
        images, labels = images[order] / 16, labels[order]
        rows += study(program, "digits", images[:900], labels[:900], images[900:], labels[900:], side=8, k=10, few=20)
    if options.only != "digits":
        read = lambda kind, of: idx(options.mnist / f"{kind}-{of}-ubyte.gz")  # noqa: E731
        images, labels = read("train", "images-idx3")[:2000], read("train", "labels-idx1")[:2000]
        test, answers = read("t10k", "images-idx3"), read("t10k", "labels-idx1")
        flat = [x.reshape(len(x), -1) / 255.0 for x in (images, test)]
        rows += study(program, "mnist", flat[0], labels, flat[1], answers, side=28, k=20, few=50)
    for name in dict.fromkeys(row["data"] for row in rows):
        print(f"\n{name}\n\n| noise | features, views | α | leakage JE / RC | kept JE / RC | accuracy JE / RC | kept, difference | answer | |")
        print("|---|---|---:|---|---|---|---|---|---|")
        own = [row for row in rows if row["data"] == name]
        print("\n".join(line(row) for row in own))
        decided = [row for row in own if row["answer"] in PARADIGMS]
        right = sum(verdict(row) == "right" for row in decided)
        inside = [abs(row["test"][0]["kept"] - row["test"][1]["kept"] - row["difference"]) <= row["half"] for row in own]
        print(f"\n{right} of {len(decided)} recommendations have the better test accuracy; {len(own)} cells. The difference in kept on "
              f"test images is inside the interval in {sum(inside)}.")
    if options.save:
        options.save.write_text(json.dumps(rows))


main()
