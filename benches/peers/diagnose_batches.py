#!/usr/bin/env python3
"""The answers of `eigensweep diagnose` on single cells, beside what training gives on others.

    pip download --no-deps --no-binary :all: ktplotspy==0.3.5
    python benches/peers/diagnose_batches.py PROGRAM ktplotspy-0.3.5.tar.gz > table.md

The source distribution of ktplotspy (MIT licence) holds 1000 immune cells of 13 human kidneys, of 12
types and from 44 lanes of sequencing: a sample of Stewart et al., Science 365:1461 (2019). What is
noise is told in two ways:

- `lanes`: how lanes differ (`--nuisance`). Half of the lanes train, the cells of the others are the
  test.
- `halves` and `tenths`: two measurements of a cell get a half or a tenth of its molecules each, at
  random and none twice (`--repeats`). Half of the cells train. Sampling is noise then, and lanes and
  kidneys are signal.

Inputs are log1p of counts per 10^4, of the 300 genes that vary most in the training cells. With 13
kidneys in place of lanes there are too few batches for an interval, which the last line shows.

Needs NumPy, SciPy and anndata.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import anndata
import numpy as np

from diagnose import (
    ISOTROPIC,
    Array,
    Covariances,
    Indices,
    Measured,
    Row,
    Views,
    asked,
    both,
    isotropic,
    named,
    report,
    show,
)

ALIGNMENTS = (0.0, 0.3, 1.0, 3.0)
DIMENSIONS = (10, 20)
GENES = 300
KEEP = 0.5
DROPOUT = f'[[stages]]\nkind = "dropout"\nprobability = {1 - KEEP}\n'


class Cells(NamedTuple):
    """Counts (cells × genes), and the lane, the kidney and the type of each cell."""

    counts: Indices
    lanes: Indices
    kidneys: Indices
    types: Indices

    def of(self, which: Indices) -> Cells:
        return Cells(*(of[which] for of in self))


def read(archive: Path) -> Cells:
    """The cells of a source distribution of ktplotspy."""
    with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as place:
        name = next((name for name in tar.getnames() if name.endswith("data/kidneyimmune.h5ad")), None)
        if name is None:
            sys.exit(f"{archive}: no data/kidneyimmune.h5ad; give the source distribution of ktplotspy 0.3.5")
        tar.extract(name, place, filter="data")
        cells = anndata.read_h5ad(Path(place) / name)
    # X is log1p of counts per 10^4, and the rarest gene of a cell has one molecule.
    per_molecule = np.expm1(cells.X.toarray().astype(float))
    per_molecule /= np.min(per_molecule, axis=1, where=per_molecule > 0, initial=np.inf)[:, None]
    counts = np.rint(per_molecule)
    if np.abs(per_molecule - counts).max() > 0.1:
        sys.exit(f"{archive}: X is no log1p of counts per 10^4")
    lanes = [name.rsplit("_", 1)[0] for name in cells.obs_names]
    codes = [np.unique(np.asarray(of, str), return_inverse=True)[1] for of in (lanes, cells.obs["Experiment"], cells.obs["celltype"])]
    return Cells(counts.astype(np.int64), *codes)


def logarithms(counts: Indices) -> Array:
    logged: Array = np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True).clip(1))
    return logged


def variable(train: Cells) -> Indices:
    """The genes that vary most, ascending."""
    return np.sort(np.argsort(-logarithms(train.counts).var(axis=0), kind="stable")[:GENES])


def dropout(of: Covariances, noise: Array) -> tuple[Array, Array, Array]:
    """Genes set to zero, independently."""
    own = of.inputs + noise
    lost = KEEP * (1 - KEEP) * np.diag(np.diag(own) + of.mean**2)
    return KEEP**2 * of.inputs, KEEP**2 * own + lost, KEEP * of.inputs


def views_of(rows: Array) -> dict[str, tuple[str, Views]]:
    variance = float(rows.var(axis=0).mean())
    return {
        "isotropic": (ISOTROPIC.format(variance=variance), isotropic(variance)),
        "isotropic .01": (ISOTROPIC.format(variance=0.01 * variance), isotropic(0.01 * variance)),
        "dropout": (DROPOUT, dropout),
    }


def lanes(cells: Cells) -> tuple[Measured, Measured]:
    """Half of the lanes, and the others: the largest to one, the next to the other, and so on."""
    sizes = np.bincount(cells.lanes)
    ordered = np.argsort(-sizes, kind="stable")
    ordered = ordered[sizes[ordered] > 1]
    parts = [cells.of(np.flatnonzero(np.isin(cells.lanes, ordered[first::2]))) for first in (0, 1)]
    genes = variable(parts[0])
    train, test = (Measured(logarithms(part.counts)[:, genes], part.lanes, part.types, batches=True) for part in parts)
    return train, test


def sampled(cells: Cells, share: float) -> tuple[Measured, Measured]:
    """Half of the cells, and the others, each measured twice with this share of its molecules."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(cells.counts))
    parts = [cells.of(np.sort(half)) for half in np.array_split(order, 2)]
    genes = variable(parts[0])
    found = []
    for part in parts:
        first = rng.binomial(part.counts, share)
        second = rng.binomial(part.counts - first, share / (1 - share))
        rows = np.concatenate([logarithms(of)[:, genes] for of in (first, second)])
        found.append(Measured(rows, np.tile(np.arange(len(part.counts)), 2), np.tile(part.types, 2)))
    return found[0], found[1]


def arrays_of(train: Measured) -> tuple[dict[str, Array], list[str]]:
    """Files for the program, and what it is told of them."""
    if train.batches:
        return {"cells": train.rows, "batch": train.items.astype(float)}, ["--inputs", "cells.npy", "--nuisance", "batch.npy"]
    first, second = np.split(train.rows, 2)
    return {"first": first, "second": second}, ["--inputs", "first.npy", "--repeats", "second.npy"]


def study(program: str, noise: str, train: Measured, test: Measured) -> Iterator[list[Row]]:
    arrays, measured = arrays_of(train)
    for (kind, (text, views)), components, k in itertools.product(views_of(train.rows).items(), (50, None), DIMENSIONS):
        found = asked(program, arrays, measured, text, k, components)
        common = {"data": "cells", "noise": noise, "features": f"{named(components)}, k = {k}", "views": kind}
        shown = both(train, test, views, ALIGNMENTS, k, components)
        yield [report(common, found, alpha, of) for alpha, of in zip(ALIGNMENTS, shown)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="eigensweep")
    parser.add_argument("cells", type=Path, help="the source distribution of ktplotspy")
    parser.add_argument("--save", type=Path, help="the numbers as JSON")
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    cells = read(options.cells)
    rows: list[Row] = []
    noises = {"lanes": lanes(cells), "halves": sampled(cells, 0.5), "tenths": sampled(cells, 0.1)}
    for name, (train, test) in noises.items():
        print(f"{name}: {train.rows.shape} rows and {len(set(train.items))} items, test {test.rows.shape} and {len(set(test.items))}", file=sys.stderr)
        for of_call in study(program, name, train, test):
            rows += of_call
    for name in noises:
        print(f"\n{name}\n")
        show([row for row in rows if row["noise"] == name])
    every = Measured(logarithms(cells.counts)[:, variable(cells)], cells.kidneys, cells.types, batches=True)
    found = asked(program, *arrays_of(every), views_of(every.rows)["isotropic"][0], DIMENSIONS[0], 50)
    at = next(at for at in found["by_alignment"] if at["alignment"] == 1)
    print(f"\n{len(set(every.items))} kidneys as batches, α = 1: {at['answer']}, difference in kept {at['kept']['difference']['value']:+.3f}")
    if options.save:
        options.save.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
