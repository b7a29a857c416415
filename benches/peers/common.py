"""What the peers share: reading MNIST, its principal components, the options, the protocol's draws, rows and timing.

The protocol is Appendix C of arXiv:2505.12477 (Figure 3). Inputs are the first 50 principal components of the raw
pixels, or (--pixels) the pixels themselves; 50 noise components are appended, with covariance Gamma = diag(0, lambda^Gamma); a view adds Theta + alpha^2
Gamma. The eigenvalues are lambda^Gamma ~ U[0, noise_scale] and lambda^Theta ~ U[0, 10^4], drawn once for each replicate
and noise scale and shared by every sample size and alignment. A distance is |clean loss - corrupted loss|.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COMPONENTS = 50
"""Principal components kept."""
DIMENSION = 50
"""Dimension k of the representation."""
NOISE_COMPONENTS = 50
CLASSES = 10
THETA_MAX = 1e4
SAMPLES = [100 * 2**j for j in range(10)]
NOISE_SCALES = [1e3, 1e6]
ALIGNMENTS = [0.1, 1.0, 10.0]


class Row(NamedTuple):
    """One cell of one replicate, in the order of the CSV's columns."""

    replicate: int
    samples: int
    noise_scale: float
    alignment: float
    paradigm: str
    loss_clean: float
    loss_corrupted: float
    distance: float


@dataclass(frozen=True)
class Options:
    """The sweep that was asked for; sample sizes in ascending order."""

    images: Path
    labels: Path
    replicates: int
    samples: list[int]
    noise_scales: list[float]
    alignments: list[float]
    seed: int
    pixels: bool
    out: Path


@dataclass(frozen=True)
class Data:
    """Inputs x (N x 50, or N x 784) and one-hot labels y (N x 10)."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Spectra:
    """Eigenvalues of Theta and Gamma over all inputs; Gamma is zero but on the last 50."""

    theta: Array
    gamma: Array

    def view_variance(self, alignment: float) -> Array:
        """The diagonal of Sigma = Theta + alpha^2 Gamma."""
        return self.theta + alignment**2 * self.gamma


Simulation = Callable[[Options, Data], Iterator[Row]]


def read_idx(path: Path) -> NDArray[np.uint8]:
    """A tensor of bytes in idx format, gzipped or not."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path}: not an idx file of unsigned bytes")
    shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def load(options: Options) -> Data:
    """Centred pixels, or these on their leading principal components, unscaled, and one-hot labels."""
    pixels = read_idx(options.images).astype(float)
    pixels = pixels.reshape(len(pixels), -1)
    pixels -= pixels.mean(axis=0)
    labels = read_idx(options.labels)
    if len(labels) != len(pixels):
        raise ValueError(f"{len(pixels)} images but {len(labels)} labels")
    if options.samples[-1] > len(pixels):
        raise ValueError(f"{options.samples[-1]} samples asked of {len(pixels)} images")
    if not options.pixels:
        _, axes = np.linalg.eigh(pixels.T @ pixels)
        pixels = np.ascontiguousarray(pixels @ axes[:, : -COMPONENTS - 1 : -1])
    return Data(pixels, np.eye(CLASSES)[labels])


def draw_spectra(rng: np.random.Generator, noise_scale: float, inputs: int = COMPONENTS) -> Spectra:
    theta = rng.uniform(0, THETA_MAX, inputs + NOISE_COMPONENTS)
    gamma = np.zeros_like(theta)
    gamma[inputs:] = rng.uniform(0, noise_scale, NOISE_COMPONENTS)
    return Spectra(theta, gamma)


def shuffled(rng: np.random.Generator, data: Data) -> Data:
    """The data in random order: its first n rows are the replicate's sample of size n, nested over n."""
    order = rng.permutation(len(data.x))
    return Data(data.x[order], data.y[order])


def parser(description: str | None, out: str) -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--images", type=Path, required=True, help="idx file, gzipped or not")
    p.add_argument("--labels", type=Path, required=True, help="idx file, gzipped or not")
    p.add_argument("--replicates", type=int, default=10)
    p.add_argument("--samples", type=int, nargs="+", default=SAMPLES)
    p.add_argument("--noise-scales", type=float, nargs="+", default=NOISE_SCALES)
    p.add_argument("--alignments", type=float, nargs="+", default=ALIGNMENTS)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--pixels", action="store_true", help="784 raw pixels in place of 50 principal components")
    p.add_argument("--out", type=Path, default=Path(out))
    return p


def parse(p: argparse.ArgumentParser) -> Options:
    values = vars(p.parse_args())
    values["samples"] = sorted(set(values["samples"]))
    if values["samples"][0] <= DIMENSION:
        p.error(f"samples must exceed the dimension of the representation, {DIMENSION}: the probe is singular")
    if values["replicates"] < 1:
        p.error("replicates must be at least 1")
    return Options(**values)


def run(simulation: Simulation, description: str | None, out: str) -> None:
    """Load, simulate, write the CSV; the last line printed is `seconds rows` of the simulation alone."""
    options = parse(parser(description, out))
    data = load(options)
    started = time.perf_counter()
    rows = list(simulation(options, data))
    seconds = time.perf_counter() - started
    with options.out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)
    print(f"{seconds:.3f} {len(rows)}")
