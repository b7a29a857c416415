#!/usr/bin/env python3
"""Monte Carlo reference for Figure 3: means and standard errors of the explicit simulation (direct.py), as JSON.

Takes direct.py's options; `--out` names the JSON. A standard error is the sample standard deviation over replicates
divided by the square root of their number (so at least two replicates).

    OPENBLAS_NUM_THREADS=1 python reference_figure3.py --images train-images-idx3-ubyte.gz \\
        --labels train-labels-idx1-ubyte.gz --replicates 200 --seed 7 --out figure3_mnist.json
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from common import Array, Options, Row, load, parse, parser
from direct import simulate

Cell = tuple[float, str, float, int]


def standard_error(values: Array) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def summarize(rows: Iterable[Row]) -> list[dict[str, float | int | str]]:
    """One record a cell, ordered by noise scale, paradigm, alignment and sample size."""
    cells: dict[Cell, list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.noise_scale, row.paradigm, row.alignment, row.samples].append(row)
    records = []
    for (noise_scale, paradigm, alignment, samples), members in sorted(cells.items()):
        distance, clean, corrupted = np.array([(r.distance, r.loss_clean, r.loss_corrupted) for r in members]).T
        records.append(
            {
                "noise_scale": noise_scale,
                "paradigm": paradigm,
                "alignment": alignment,
                "samples": samples,
                "mean_distance": float(distance.mean()),
                "standard_error": standard_error(distance),
                "median_distance": float(np.median(distance)),
                "mean_loss_clean": float(clean.mean()),
                "mean_loss_corrupted": float(corrupted.mean()),
                "se_loss_corrupted": standard_error(corrupted),
                "replicates": len(members),
            }
        )
    return records


def about(options: Options) -> str:
    return (
        "Figure 3 by explicit simulation (benches/peers/reference_figure3.py "
        f"--replicates {options.replicates} --seed {options.seed}, NumPy {np.__version__}): "
        "Monte Carlo means over replicates and their standard errors"
    )


def main() -> None:
    p = parser(__doc__, "figure3.json")
    options = parse(p)
    if options.replicates < 2:
        p.error("a standard error needs at least two replicates")
    records = summarize(simulate(options, load(options)))
    lines = ",\n".join(json.dumps(r, allow_nan=False) for r in records)
    options.out.write_text(f'{{"about": {json.dumps(about(options))},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
