"""Writes the covariance of small pieces of two photographs, which `jobs/phase-clutter.toml` reads.

    pip install numpy scikit-learn pillow
    python jobs/clutter_to_npy.py --variance 0.0660 --out data/clutter.npy

The photographs are scikit-learn's china.jpg and flower.jpg. Every piece of 28 × 28 pixels, in grey levels and less the mean
of all pieces, enters the covariance; the covariance is scaled so that a pixel's mean variance is `--variance`, that of the data
(`eigensweep plan JOB` prints it). `strength = s` of the stage is then clutter of s² times the data's total variance.
"""

import argparse
import pathlib

import numpy as np


def covariance(images, size, variance, step=3):
    """Covariance (size² × size², pixels row by row) of all pieces, `step` pixels apart, with `variance` as mean of its diagonal."""
    pieces = []
    for image in images:
        grey = np.asarray(image, dtype=np.float64).mean(axis=2)
        windows = np.lib.stride_tricks.sliding_window_view(grey, (size, size))[::step, ::step]
        pieces.append(windows.reshape(-1, size * size))
    found = np.cov(np.concatenate(pieces), rowvar=False, bias=True)
    found = (found + found.T) / 2
    return found * (variance / found.diagonal().mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variance", type=float, required=True, help="mean variance of a pixel of the data")
    parser.add_argument("--size", type=int, default=28, help="rows and columns of an image")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the .npy file")
    arguments = parser.parse_args()
    from sklearn.datasets import load_sample_images

    matrix = covariance(load_sample_images().images, arguments.size, arguments.variance)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.save(arguments.out, matrix)
    print(f"{matrix.shape[0]} × {matrix.shape[0]}, mean variance {matrix.diagonal().mean():.4f} in {arguments.out}")
