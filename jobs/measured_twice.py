"""Writes scikit-learn's digits (1,797 images of 8 x 8), each measured twice under a random light, for `eigensweep diagnose`.

    python measured_twice.py data/twice

Makes first.npy, second.npy (a row the same digit in both), digits.npy, the same as one table with a column `digit`
and a column `image`, and views.toml: shifts by one pixel. Needs NumPy and scikit-learn, which carries the images.
"""

import pathlib
import sys

import numpy as np
from sklearn.datasets import load_digits

VIEWS = """\
shape = [1, 8, 8]

[[stages]]
kind = "shift"
rows = 1
columns = 1
"""


def light(rng: np.random.Generator, count: int) -> np.ndarray:
    """Waves across the image, of any direction and phase, with a root mean square of 0.4."""
    rows, columns = np.mgrid[:8, :8] / 8
    waves = np.zeros((count, 8, 8))
    for across in (0.0, 0.5, 1.0):
        for down in (0.0, 0.5, 1.0):
            phase = rng.uniform(0, 2 * np.pi, (count, 1, 1))
            waves += rng.normal(size=(count, 1, 1)) * np.cos(2 * np.pi * (across * columns + down * rows) + phase)
    return (0.4 * waves / waves.std()).reshape(count, 64)


def main(directory: pathlib.Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    images, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    first, second = (images / 16 + light(rng, len(images)) + 0.05 * rng.normal(size=images.shape) for _ in range(2))
    np.save(directory / "first.npy", first)
    np.save(directory / "second.npy", second)
    np.save(directory / "digits.npy", digits)
    table = np.column_stack([np.concatenate([first, second]), np.tile(digits, 2), np.tile(np.arange(len(digits)), 2)])
    names = [f"pixel{i}" for i in range(64)] + ["digit", "image"]
    np.savetxt(directory / "table.csv", table, fmt="%.6g", delimiter=",", comments="", header=",".join(names))
    (directory / "views.toml").write_text(VIEWS)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
