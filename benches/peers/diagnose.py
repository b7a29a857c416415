#!/usr/bin/env python3
"""The answers of `eigensweep diagnose` on images, beside what training gives on held-out ones.

    python benches/peers/diagnose.py PROGRAM MNIST [--only digits] > table.md

2000 training images of MNIST, or half of scikit-learn's digits, are measured twice, with independent
noise of one of four kinds, and `diagnose` sees these rows and nothing else. Beside it both paradigms
are trained on all of them with NumPy and SciPy, and tried on two fresh measurements of each test
image: a ridge probe of the digit (its accuracy), kept and leakage. A row of the table is a kind of
noise, features, views and an alignment; the program is called once for all alignments.
`diagnose_batches.py` does the same for single cells.

Needs NumPy and SciPy, and scikit-learn for its digits.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Row = dict[str, Any]
"""A row of the table, a part of one, or what the program says."""

ALIGNMENTS = (0.0, 0.3, 1.0, 3.0)
MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
PARADIGMS = ("joint-embedding", "reconstruction")


def idx(path: Path) -> NDArray[np.uint8]:
    """The array of an idx file of bytes."""
    data = gzip.decompress(path.read_bytes())
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def background(rms: float, side: int) -> Callable[[np.random.Generator, int], Array]:
    """Smooth light of this root mean square: a normal field, blurred over a ninth of the image."""

    def draw(rng: np.random.Generator, count: int) -> Array:
        field = gaussian_filter(rng.normal(size=(count, side, side)), (0, side / 9, side / 9), mode="wrap")
        light: Array = (rms * field / field.std()).reshape(count, -1)
        return light

    return draw


def pixels(deviation: float, side: int) -> Callable[[np.random.Generator, int], Array]:
    """Independent noise of each pixel."""
    return lambda rng, count: deviation * rng.normal(size=(count, side * side))


class Covariances(NamedTuple):
    """C, Γ̂ and Ĉ₀ (d × d each) about a mean (d)."""

    mean: Array
    inputs: Array
    noise: Array
    signal: Array


class Measured(NamedTuple):
    """Rows (n × d), the item of each and its label; items are things measured again, or batches."""

    rows: Array
    items: Indices
    labels: Indices
    batches: bool = False

    def covariances(self, mean: Array | None = None) -> Covariances:
        """Analysis of variance, about the rows' own mean or one that does not depend on them."""
        order = np.argsort(self.items, kind="stable")
        starts = np.flatnonzero(np.diff(self.items[order], prepend=-1))
        counts = np.diff(starts, append=len(order))
        count = len(order)
        about = self.rows.mean(axis=0) if mean is None else mean
        rows = self.rows[order] - about
        squares = rows.T @ rows
        sums = np.add.reduceat(rows, starts) / np.sqrt(counts)[:, None]
        within = (squares - sums.T @ sums) / (count - len(counts))
        between = squares / count - within
        if mean is None:
            between = (squares - (count - 1) * within) / (count - np.square(counts).sum() / count)
        noise, signal = (between, within) if self.batches else (within, between)
        return Covariances(about, squares / count, noise, signal)


Views = Callable[[Covariances, Array], tuple[Array, Array, Array]]
"""G, S and C of views of rows with these covariances, noise (α²Γ̂, d × d) being added first."""


def isotropic(variance: float) -> Views:
    """White noise of this variance in each feature."""
    return lambda of, noise: (of.inputs, of.inputs + noise + variance * np.eye(len(noise)), of.inputs)


def shifts(side: int) -> Views:
    """Images moved by up to one row and column, zeros coming in, each of nine ways as likely."""
    one = [scipy.sparse.eye_array(side, k=k) for k in (-1, 0, 1)]
    moves = [scipy.sparse.kron(rows, columns, format="csr") for rows in one for columns in one]
    average = (sum(moves) / len(moves)).toarray()

    def of_rows(of: Covariances, noise: Array) -> tuple[Array, Array, Array]:
        second = of.inputs + noise + np.outer(of.mean, of.mean)
        moved = average @ of.mean
        views = sum(move @ second @ move.T for move in moves) / len(moves) - np.outer(moved, moved)
        return average @ of.inputs @ average.T, views, of.inputs @ average.T

    return of_rows


def encoders(G: Array, S: Array, C: Array, covariance: Array, k: int) -> list[Array]:
    """V of each paradigm (d × k), of unit covariance on the training rows."""
    values, vectors = scipy.linalg.eigh(S)
    kept = values > 1e-10 * values[-1]
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    found = []
    for A in (G, C.T @ C):
        top = scipy.linalg.eigh(whiten.T @ A @ whiten)[1][:, ::-1][:, :k]
        V = whiten @ top
        found.append(V @ np.linalg.inv(np.linalg.cholesky(V.T @ covariance @ V)).T)
    return found


def tried(V: Array, train: Measured, trained: Covariances, test: Measured, tested: Covariances) -> tuple[dict[str, float], Array]:
    """Accuracy of a ridge probe, kept and leakage on test rows; whether each row's label is found."""
    Z, Y = (train.rows - trained.mean) @ V, np.eye(1 + train.labels.max())[train.labels]
    weights = np.linalg.solve(Z.T @ Z + 1e-3 * len(Z) * np.eye(V.shape[1]), Z.T @ (Y - Y.mean(axis=0)))
    scores = (test.rows - trained.mean) @ V @ weights + Y.mean(axis=0)
    found = np.argmax(scores, axis=1) == test.labels
    M = V.T @ trained.signal
    power = 2 * np.sum(M * (V.T @ tested.signal)) - np.sum(M * (V.T @ tested.inputs @ V @ M))
    return {
        "accuracy": float(found.mean()),
        "kept": float(power / np.trace(tested.signal)),
        "leakage": float(np.trace(V.T @ tested.noise @ V) / np.trace(V.T @ tested.inputs @ V)),
    }, found.astype(float)


def both(train: Measured, test: Measured, views: Views, alphas: Iterable[float], k: int, components: int | None) -> list[Row]:
    """What each paradigm does on test rows at each α; the error of the accuracies' difference."""
    trained = train.covariances()
    tested = test.covariances(trained.mean)
    noise = trained.noise
    if train.batches:
        values, vectors = scipy.linalg.eigh(noise)
        noise = vectors * values.clip(0) @ vectors.T
    basis = np.eye(len(noise))
    if components is not None:
        basis = scipy.linalg.eigh(trained.inputs)[1][:, ::-1][:, :components]

    def seen(of: Covariances) -> Covariances:
        return Covariances(of.mean @ basis, *(basis.T @ A @ basis for A in of[1:]))

    own, held = seen(trained), seen(tested)
    rows = [part._replace(rows=part.rows @ basis) for part in (train, test)]
    found = []
    for alpha in alphas:
        G, S, C = (basis.T @ A @ basis for A in views(trained, alpha**2 * noise))
        shown, right = zip(*(tried(V, rows[0], own, rows[1], held) for V in encoders(G, S, C, own.inputs, k)))
        # Rows of one thing are not independent; those of one batch are, given the encoders.
        difference = right[1] - right[0]
        if not test.batches:
            difference = np.bincount(test.items, difference) / np.bincount(test.items)
        found.append({"test": shown, "error": float(difference.std() / np.sqrt(len(difference)))})
    return found


def cases(side: int, scale: float) -> dict[str, Callable[[np.random.Generator, int], Array]]:
    return {
        "weak background (.1)": background(0.1 * scale, side),
        "background (.4)": background(0.4 * scale, side),
        "strong background (1)": background(1.0 * scale, side),
        "pixel noise (.7)": pixels(0.7 * scale, side),
    }


SHIFTS = 'shape = [1, {side}, {side}]\n[[stages]]\nkind = "shift"\nrows = 1\ncolumns = 1\n'
ISOTROPIC = '[[stages]]\nkind = "additive"\nvariance = {variance!r}\n'


def study(program: str, name: str, images: Array, labels: Indices, test: Array, answers: Indices, side: int, k: int, few: int) -> Iterator[list[Row]]:
    """The rows of each call of the program; `few` principal components stand beside all features.

    All kinds of noise come first and the settings after them, so that half of the time gives a fair half.
    """
    for components, kind in itertools.product((few, None), ("shifts", "isotropic")):
        for noise, draw in cases(side, 1.0).items():
            rng = np.random.default_rng(0)
            train, held = (
                Measured(np.concatenate([of + draw(rng, len(of)) for _ in range(2)]), np.tile(np.arange(len(of)), 2), np.tile(own, 2))
                for of, own in ((images, labels), (test, answers))
            )
            variance = float(train.rows.var(axis=0).mean())
            views = shifts(side) if kind == "shifts" else isotropic(variance)
            text = (SHIFTS if kind == "shifts" else ISOTROPIC).format(side=side, variance=variance)
            first, second = np.split(train.rows, 2)
            arrays = {"first": first, "second": second}
            found = asked(program, arrays, ["--inputs", "first.npy", "--repeats", "second.npy"], text, k, components)
            common = {"data": name, "noise": noise, "features": named(components), "views": kind}
            shown = both(train, held, views, ALIGNMENTS, k, components)
            yield [report(common, found, alpha, of) for alpha, of in zip(ALIGNMENTS, shown)]


def named(components: int | None) -> str:
    return "raw" if components is None else f"PCA {components}"


def report(common: Row, found: Row, alpha: float, shown: Row) -> Row:
    """A row of the table: what the program found at an alignment, beside what training gives."""
    at = next(at for at in found["by_alignment"] if at["alignment"] == alpha)
    of = at["kept"]["difference"]
    half = np.nan if of["high"] is None else of["high"] - of["value"]
    row = common | shown | {"alpha": alpha, "answer": at["answer"], "difference": of["value"], "half": half}
    print(line(row), file=sys.stderr, flush=True)
    return row


def asked(program: str, arrays: dict[str, Array], measured: list[str], views: str, k: int, components: int | None) -> Row:
    """What the program says, from one thread: the numbers are the same from any."""
    with tempfile.TemporaryDirectory() as place:
        for name, array in arrays.items():
            np.save(Path(place) / f"{name}.npy", array)
        (Path(place) / "views.toml").write_text(views)
        command = [program, "diagnose", *measured, "--views", "views.toml", "--dimension", str(k), "--threads", "1", "--json", "--quiet"]
        if components is not None:
            command += ["--components", str(components)]
        done = subprocess.run(command, check=False, cwd=place, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        said: Row = json.loads(done.stdout)
        return said


def verdict(row: Row) -> str:
    """Whether the answer agrees with the accuracies; even are those within two standard errors."""
    je, rc = (of["accuracy"] for of in row["test"])
    if row["answer"] not in PARADIGMS:
        return ""
    if abs(rc - je) <= 2 * row["error"]:
        return "even"
    return "right" if row["answer"] == PARADIGMS[int(rc > je)] else "**wrong**"


def line(row: Row) -> str:
    je, rc = row["test"]
    numbers = [f"{je[of]:.3f} / {rc[of]:.3f}" for of in ("leakage", "kept", "accuracy")]
    said = f"{row['difference']:+.3f} ± {row['half']:.3f}"
    cells = [row["noise"], f"{row['features']}, {row['views']}", f"{row['alpha']:g}", *numbers, said, row["answer"], verdict(row)]
    return f"| {' | '.join(cells)} |"


def show(rows: list[Row]) -> None:
    """The table, sorted by noise, and how many of its answers were right."""
    print("| noise | features, views | α | leakage JE / RC | kept JE / RC | accuracy JE / RC | kept, difference | answer | |")
    print("|---|---|---:|---|---|---|---|---|---|")
    noises = list(dict.fromkeys(row["noise"] for row in rows))
    print("\n".join(line(row) for row in sorted(rows, key=lambda row: noises.index(row["noise"]))))
    decided = [row for row in rows if row["answer"] in PARADIGMS]
    counts = Counter(verdict(row) for row in decided)
    sides = [row for row in rows if row["alpha"] > 0 or row["views"] not in ("isotropic", "isotropic .01")]
    apart = [abs(row["test"][0]["kept"] - row["test"][1]["kept"] - row["difference"]) for row in sides]
    inside = sum(off <= row["half"] for off, row in zip(apart, sides))
    print(
        f"\n{len(rows)} cells, {len(decided)} recommendations: {counts['right']} right, {counts['**wrong**']} wrong by the accuracy on test "
        f"data, {counts['even']} within two standard errors of it. Of the {len(sides)} cells where the paradigms are not "
        f"identical the difference in kept on test data is inside the interval in {inside}; they are apart by "
        f"{np.sqrt(np.mean(np.square(apart))):.3f} (root mean square)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="eigensweep")
    parser.add_argument("mnist", type=Path, help="the folder with MNIST's four files")
    parser.add_argument("--only", choices=["mnist", "digits"])
    parser.add_argument("--save", type=Path, help="the numbers as JSON, after each call of the program")
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    studies: list[Iterator[list[Row]]] = []
    if options.only != "mnist":
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(images))
        images, labels = images[order] / 16, labels[order]
        studies.append(study(program, "digits", images[:900], labels[:900], images[900:], labels[900:], side=8, k=10, few=20))
    if options.only != "digits":
        read = {of: idx(options.mnist / f"{of}-ubyte.gz") for of in MNIST}
        images, labels = (read[of][:2000] for of in MNIST[:2])
        test, answers = (read[of] for of in MNIST[2:])
        flat = [x.reshape(len(x), -1) / 255.0 for x in (images, test)]
        digits = [of.astype(np.int64) for of in (labels, answers)]
        studies.append(study(program, "mnist", flat[0], digits[0], flat[1], digits[1], side=28, k=20, few=50))
    rows: list[Row] = []
    for found in itertools.chain(*studies):
        rows += found
        if options.save:
            options.save.write_text(json.dumps(rows))
    for name in dict.fromkeys(row["data"] for row in rows):
        print(f"\n{name}\n")
        show([row for row in rows if row["data"] == name])


if __name__ == "__main__":
    main()
