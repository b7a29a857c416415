"""Writes a float32 matrix of 100,000 embeddings of 512 numbers, and their labels.

    python embeddings.py data/mnist data/embeddings

A network of one hidden layer of 512 rectified units learns MNIST's digits by a few passes of gradient descent; the
embeddings are what that layer makes of images that are shifted by up to two pixels. Needs NumPy and MNIST's training
set as idx files; takes a minute.
"""

import gzip
import pathlib
import sys

import numpy as np

SIZE, EMBEDDINGS, PASSES, BATCH, RATE = 512, 100_000, 4, 128, 0.1


def read(path: pathlib.Path) -> np.ndarray:
    data = gzip.open(path).read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def main(mnist: pathlib.Path, directory: pathlib.Path) -> None:
    images = read(mnist / "train-images-idx3-ubyte.gz").reshape(-1, 784).astype(np.float32) / 255
    labels = read(mnist / "train-labels-idx1-ubyte.gz").astype(np.int64)
    rng = np.random.default_rng(0)
    hidden = rng.normal(0, (2 / 784) ** 0.5, (784, SIZE)).astype(np.float32)
    output = rng.normal(0, (1 / SIZE) ** 0.5, (SIZE, 10)).astype(np.float32)
    for _ in range(PASSES):
        for batch in np.array_split(rng.permutation(len(images)), len(images) // BATCH):
            x = images[batch]
            h = np.maximum(x @ hidden, 0)
            scores = h @ output
            scores = np.exp(scores - scores.max(1, keepdims=True))
            error = scores / scores.sum(1, keepdims=True)
            error[np.arange(len(batch)), labels[batch]] -= 1
            error /= len(batch)
            back = (error @ output.T) * (h > 0)
            output -= RATE * h.T @ error
            hidden -= RATE * x.T @ back
    which = np.arange(EMBEDDINGS) % len(images)
    embeddings = np.empty((EMBEDDINGS, SIZE), np.float32)
    for first in range(0, EMBEDDINGS, 10_000):
        rows = which[first : first + 10_000]
        shifted = images[rows].reshape(-1, 28, 28)
        for image, (down, right) in zip(shifted, rng.integers(-2, 3, (len(rows), 2))):
            image[:] = np.roll(image, (down, right), (0, 1))
        embeddings[first : first + 10_000] = np.maximum(shifted.reshape(-1, 784) @ hidden, 0)
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / "embeddings.npy", embeddings)
    np.save(directory / "labels.npy", labels[which])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
