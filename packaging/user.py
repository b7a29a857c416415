"""What a user writes, for a type checker and then for Python."""

import tempfile
from pathlib import Path

import eigensweep as es
import numpy as np

generator = np.random.default_rng(0)
inputs = generator.normal(size=(50, 6))
labels = generator.integers(0, 3, 50)

solved = es.solve(inputs, labels, covariance=np.eye(6), dimension=2)
assert solved.joint_embedding is not None  # it is None of moments without G
leading: float = float(solved.joint_embedding.eigenvalues[0])
codes = es.JointEmbedding(n_components=2, covariance=0.5).fit_transform(inputs)

found: es.Diagnosis = es.diagnose(
    inputs,
    repeats=inputs + generator.normal(size=inputs.shape),
    views=lambda rows, rng: rows * (rng.random(rows.shape) < 0.5),
    n_views=2,
    dimension=2,
)
kept: float = found.kept["joint-embedding"].value

with tempfile.TemporaryDirectory() as place:
    data: es.Dataset = es.run(
        {"job": {"replicates": 2}, "grid": {"samples": [100]}},
        output=Path(place) / "set",
        progress=False,
    )
    again = es.open(data.path)
    rows: int = len(again)
    same: bool = all(row["same_bits"] for row in again.replay("samples = 100"))

try:
    es.run({"corruption": {"scal": 1.0}})
except es.JobError as error:
    messages: list[str] = [problem["message"] for problem in error.problems]
print(leading, codes.shape, found.answer, kept, rows, same, messages)
