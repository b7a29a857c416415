"""Reading and reducing to 50 principal components: processor seconds and memory beside NumPy, pandas, polars, anndata, scanpy.

usage: reading.py PROGRAM MNIST [EMBEDDINGS]     (jobs/embeddings.py writes EMBEDDINGS; Linux; files go to a temporary directory)

Each is a process of its own on one thread, of which the fastest of three runs counts: seconds of the processor in user
and system mode, and the largest resident memory. PROGRAM runs a job of three rows, which take hundredths of a second: it
reads, identifies the contents, finds 50 components, and projects. The others read, take the covariance block by block in
doubles, `numpy.linalg.eigh`, and project.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import scanpy

PCA = """
import numpy as np
x = np.asarray(x)
mean = x.mean(axis=0, dtype=np.float64)
blocks = [slice(first, first + 4096) for first in range(0, len(x), 4096)]
covariance = np.zeros((x.shape[1], x.shape[1]))
for block in blocks:
    centred = x[block].astype(np.float64) - mean
    covariance += centred.T @ centred
variances, axes = np.linalg.eigh(covariance / len(x))
reduced = np.concatenate([(x[block].astype(np.float64) - mean) @ axes[:, :-51:-1] for block in blocks])
"""
JOB = """
[job]
replicates = 1
[data]
{}
[features]
components = 50
[model]
dimension = 5
[grid]
samples = [500]
"""
# A child begins with the memory of its parent: a small one in between.
LAUNCHER = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(status)
"""
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def measured(command):
    """Processor seconds and MiB of the fastest of three runs."""
    runs = []
    one = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"], "1")
    for _ in range(3):
        shutil.rmtree("out", ignore_errors=True)
        run = [sys.executable, "-c", LAUNCHER, *command]
        out = subprocess.run(run, stdout=subprocess.PIPE, env={**os.environ, **one}, text=True, check=True).stdout
        runs.append(tuple(map(float, out.split())))
    return "{:.2f} s, {:,.0f} MiB".format(*min(runs))


def compare(what, data, **others):
    """Prints a row: the program on a table `[data]`, and Python that makes `x` of the same file."""
    Path("job.toml").write_text(JOB.format(data))
    cells = [measured([program, "run", "job.toml", "--threads", "1", "--output", "out", "--quiet"])]
    for library, code in others.items():
        code = code if library == "scanpy" else code + PCA
        cells.append(f"{library} {measured([sys.executable, '-c', code])}")
    print(f"| {what} | " + " | ".join([cells[0], "; ".join(cells[1:])]) + " |", flush=True)


def of_table(name, make):
    """How pandas and polars make `x` of a table."""
    return {library: f"import {library}\ntable = {library}.{make}('{name}')\n" for library in ["pandas", "polars"]}


program, mnist = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
embeddings = Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
cells = Path(scanpy.__file__).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"

with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    print("| file | eigensweep | others |\n|---|---|---|")
    images = np.frombuffer(gzip.open(mnist / IMAGES).read(), "u1", offset=16).reshape(-1, 784)
    labels = np.frombuffer(gzip.open(mnist / LABELS).read(), "u1", offset=8)
    read = f"import gzip, numpy\nx = numpy.frombuffer(gzip.open('{mnist / IMAGES}').read(), 'u1', offset=16).reshape(-1, 784)\n"
    compare("MNIST, idx.gz", f"source = 'idx'\nimages = '{mnist / IMAGES}'\nlabels = '{mnist / LABELS}'", NumPy=read)
    np.save("x.npy", images)
    np.save("y.npy", labels)
    compare("MNIST, npy of bytes", "source = 'npy'\ninputs = 'x.npy'\nlabels = 'y.npy'", NumPy="import numpy as np\nx = np.load('x.npy')\n")
    table = pl.DataFrame(images, schema=[f"pixel{at}" for at in range(784)]).with_columns(label=pl.Series(labels))
    table.write_csv("x.csv")
    table.write_parquet("x.parquet", compression="zstd")
    drop = {"pandas": "x = table.drop(columns='label').to_numpy()\n", "polars": "x = table.drop('label').to_numpy()\n"}
    for source in ["csv", "parquet"]:
        others = {library: code + drop[library] for library, code in of_table(f"x.{source}", f"read_{source}").items()}
        compare(f"MNIST, {source} of 784 columns", f"source = '{source}'\ninputs = 'x.{source}'\nlabels = 'label'", **others)

    if embeddings:
        whole, labels = np.load(embeddings / "embeddings.npy"), np.load(embeddings / "labels.npy")
        size = f"{len(whole):,} × {whole.shape[1]} embeddings"
        compare(f"{size}, npy of float32", f"source = 'npy'\ninputs = '{embeddings}/embeddings.npy'\nlabels = '{embeddings}/labels.npy'",
                NumPy=f"import numpy as np\nx = np.load('{embeddings}/embeddings.npy')\n")
        columns = [f"e{at}" for at in range(whole.shape[1])]
        pl.DataFrame(whole, schema=columns).with_columns(label=pl.Series(labels)).write_parquet("x.parquet", compression="zstd")
        others = {library: code + drop[library] for library, code in of_table("x.parquet", "read_parquet").items()}
        compare(f"{size}, parquet of 512 columns", "source = 'parquet'\ninputs = 'x.parquet'\nlabels = 'label'", **others)
        pl.DataFrame({"x": pl.Series(whole).arr.to_list(), "label": labels}).write_parquet("x.parquet", compression="zstd")
        stack = {"pandas": "import numpy\nx = numpy.stack(table['x'].to_numpy())\n",
                 "polars": f"x = table['x'].list.to_array({whole.shape[1]}).to_numpy()\n"}
        others = {library: code + stack[library] for library, code in of_table("x.parquet", "read_parquet").items()}
        compare(f"{size}, parquet of one column of lists", "source = 'parquet'\ninputs = 'x.parquet'\ncolumns = ['x']\nlabels = 'label'", **others)

    compare("700 cells × 765 genes, scanpy's h5ad", f"source = 'h5ad'\ninputs = '{cells}'\nlabels = 'bulk_labels'",
            anndata=f"import anndata\nx = anndata.read_h5ad('{cells}').X\n",
            scanpy=f"import scanpy\ncells = scanpy.read_h5ad('{cells}')\nscanpy.pp.pca(cells, n_comps=50)\n")
