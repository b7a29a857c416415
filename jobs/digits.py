"""Writes scikit-learn's digits (1,797 images of 8 x 8) as npy and as csv.

    python digits.py data/digits

Needs NumPy and scikit-learn, which carries the images.
"""

import pathlib
import sys

import numpy as np
from sklearn.datasets import load_digits


def main(directory: pathlib.Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    images, digits = load_digits(return_X_y=True)
    images = images.astype(np.uint8)  # whole numbers from 0 to 16
    np.save(directory / "images.npy", images)
    np.save(directory / "digits.npy", digits)
    names = [f"pixel{i}" for i in range(64)]
    table = np.column_stack([images, digits])
    np.savetxt(directory / "digits.csv", table, fmt="%d", delimiter=",", comments="", header=",".join([*names, "digit"]))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
