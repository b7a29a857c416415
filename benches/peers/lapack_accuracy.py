#!/usr/bin/env python3
"""Eigenvalues of symmetric matrices and powers of right-hand sides along the eigenvectors, by SciPy's dsyevd: chunks in, answers out.

Standard input is a sequence of chunks, little-endian throughout, until it ends:

    d, l, count        three u64
    matrices           count x d x d f64, each in column-major order; the lower triangle is read
    right-hand sides   count x d x l f64, each in column-major order

Standard output gets, as soon as a chunk is solved, for each of its problems 2d f64: the eigenvalues, descending, and |q_i' b|^2 in
the same order; NaN throughout where dsyevd did not succeed. Run by the program kernel-accuracy.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
from typing import BinaryIO

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # read when the library is loaded, just below

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.linalg.blas import dgemm  # noqa: E402
from scipy.linalg.lapack import dsyevd  # noqa: E402

Array = NDArray[np.float64]

HEADER = struct.Struct("<3Q")


def read(source: BinaryIO, shape: tuple[int, ...]) -> Array:
    wanted = 8 * int(np.prod(shape))
    data = source.read(wanted)
    if len(data) != wanted:
        raise SystemExit(f"a chunk ends {wanted - len(data)} bytes early")
    return np.frombuffer(data, "<f8").reshape(shape)


def solve(matrix: Array, right: Array) -> tuple[Array, Array] | None:
    """Eigenvalues and powers, ascending; None where dsyevd does not succeed."""
    values, vectors, info = dsyevd(matrix, compute_v=1, lower=1)
    if info != 0:
        return None
    projected = dgemm(1.0, vectors, right, trans_a=1)
    return values, np.einsum("ij,ij->i", projected, projected)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.parse_args()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(HEADER.size):
        size, width, count = HEADER.unpack(header)
        # Transposed, a matrix in C order is one in column-major order.
        matrices = read(source, (count, size, size)).transpose(0, 2, 1)
        rights = read(source, (count, width, size)).transpose(0, 2, 1)
        answers = np.full((count, 2, size), np.nan, "<f8")
        for matrix, right, answer in zip(matrices, rights, answers):
            if (found := solve(matrix, right)) is not None:
                answer[0], answer[1] = found[0][::-1], found[1][::-1]
        sink.write(answers.tobytes())
        sink.flush()


if __name__ == "__main__":
    main()
