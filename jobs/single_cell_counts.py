"""Writes integer counts of real single cells, which thinning and `[data] source = "mtx"` or "h5ad" need.

    pip install scanpy
    python jobs/single_cell_counts.py --out data/single-cell
    python jobs/single_cell_counts.py cells.h5ad --labels louvain --out data/single-cell

The file in scanpy's wheel holds 700 blood cells × 765 genes with `raw.X`, log1p of counts normalised to 10^4 a cell, and
`n_counts`, the counts of a cell in all genes: round(expm1(raw.X) · n_counts / 10^4) gives the integers back. What is rounded
away is printed; it must be well below 1/2.

Writes, into a new or empty directory or over an earlier run:

    matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz   a folder as Cell Ranger writes it, genes × cells
    types.csv                                         a type a cell, in the order of the cells
    counts.h5ad                                       the same for programs with the feature `hdf5`
"""

import argparse
import gzip
import importlib.util
import io
import pathlib

import numpy as np

NORMALISED_TO = 1e4


def counts_of(cells):
    """Integer counts (sparse, cells × genes) and the largest deviation from a whole number."""
    from scipy import sparse

    logged = sparse.csr_matrix(cells.raw.X, dtype=np.float64)
    logged.sort_indices()
    scale = np.repeat(cells.obs["n_counts"].to_numpy(np.float64) / NORMALISED_TO, np.diff(logged.indptr))
    exact = np.expm1(logged.data) * scale
    logged.data = np.rint(exact)
    deviation = np.abs(exact - logged.data).max(initial=0.0)
    logged.eliminate_zeros()
    return logged.astype(np.int64), deviation


def write_gzip(path, data):
    """The same bytes give the same file."""
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(data)


def write_folder(out, counts, genes, cells):
    from scipy import io as scipy_io

    matrix = io.BytesIO()
    scipy_io.mmwrite(matrix, counts.T.tocoo(), field="integer", symmetry="general")
    write_gzip(out / "matrix.mtx.gz", matrix.getvalue())
    write_gzip(out / "features.tsv.gz", "".join(f"{gene}\t{gene}\tGene Expression\n" for gene in genes).encode())
    write_gzip(out / "barcodes.tsv.gz", "".join(f"{cell}\n" for cell in cells).encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, nargs="?", help="an .h5ad file with raw.X and n_counts; scanpy's own if left out")
    parser.add_argument("--labels", default="bulk_labels", help="column of obs with the types (default: bulk_labels)")
    parser.add_argument("--least", type=int, default=3, help="leave out genes with fewer counts in all (default: 3; 0 keeps all)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory for the files")
    arguments = parser.parse_args()
    import anndata

    file = arguments.file
    if file is None:
        # Where the wheel has it; importing scanpy itself takes seconds.
        file = pathlib.Path(importlib.util.find_spec("scanpy").origin).parent / "datasets/10x_pbmc68k_reduced.h5ad"
    cells = anndata.read_h5ad(file)
    counts, deviation = counts_of(cells)
    if deviation > 0.25:
        raise SystemExit(f"raw.X is no log1p of counts per 10^4: they are {deviation:.2f} from whole numbers")
    kept = np.flatnonzero(np.asarray(counts.sum(axis=0)).ravel() >= arguments.least)
    counts = counts[:, kept]
    genes = cells.raw.var_names[kept]
    types = cells.obs[arguments.labels].astype(str)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_folder(arguments.out, counts, genes, cells.obs_names)
    quoted = ['"' + name.replace('"', '""') + '"' for name in types]
    (arguments.out / "types.csv").write_text("type\n" + "".join(f"{name}\n" for name in quoted), encoding="utf-8")
    kept_cells = anndata.AnnData(counts.astype(np.float32), obs=types.to_frame("type"))
    kept_cells.var_names = genes
    kept_cells.write_h5ad(arguments.out / "counts.h5ad", compression="gzip")
    print(
        f"{counts.shape[0]} cells × {counts.shape[1]} genes, {types.nunique()} types, {counts.sum() / counts.shape[0]:.1f} counts a cell, "
        f"{1 - counts.nnz / np.prod(counts.shape):.1%} zeros; at most {deviation:.3f} from whole numbers; in {arguments.out}"
    )


if __name__ == "__main__":
    main()
