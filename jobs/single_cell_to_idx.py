"""Writes gene expression as idx files, which `[data] source = "idx"` reads.

    pip install anndata numpy
    python jobs/single_cell_to_idx.py cells.h5ad --labels cell_type --out data/single-cell

Counts are normalised to 10^4 a cell and log1p, as usual; the most variable genes are kept; values are stored in 256 steps of equal
size from 0 to the largest, an error of at most 0.2 % of it, far below the noise that the protocol adds.
"""

import argparse
import gzip
import pathlib
import struct

import numpy as np


def normalised(counts, genes):
    """log1p of counts per 10^4, of the `genes` genes with the largest variance."""
    counts = np.asarray(counts, dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    values = np.log1p(counts / np.where(totals > 0, totals, 1) * 1e4)
    return values[:, np.sort(np.argsort(values.var(axis=0))[::-1][:genes])]


def write(path, array):
    """An idx file of unsigned bytes."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(header + np.ascontiguousarray(array, dtype=np.uint8).tobytes())


def convert(counts, labels, out, genes=2000):
    """Writes expression.idx.gz (cells × 1 × genes) and types.idx.gz into `out`."""
    values = normalised(counts, genes)
    steps = np.rint(values / values.max() * 255)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) > 256:
        raise SystemExit(f"{len(classes)} classes: idx labels hold at most 256")
    out.mkdir(parents=True, exist_ok=True)
    write(out / "expression.idx.gz", steps[:, None, :])
    write(out / "types.idx.gz", codes)
    print(f"{len(values)} cells, {values.shape[1]} genes, {len(classes)} classes in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, help="an .h5ad file with counts")
    parser.add_argument("--labels", required=True, help="column of obs with the classes")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory for the idx files")
    parser.add_argument("--genes", type=int, default=2000, help="genes to keep")
    arguments = parser.parse_args()
    import anndata

    cells = anndata.read_h5ad(arguments.file)
    counts = cells.X.toarray() if hasattr(cells.X, "toarray") else cells.X
    convert(counts, cells.obs[arguments.labels].astype(str), arguments.out, arguments.genes)
