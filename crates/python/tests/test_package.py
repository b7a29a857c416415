"""The package as a whole: what it imports, what it says where something is missing, its types."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jobs import SMALL, program, python

import eigensweep as es

OPTIONAL = ("sklearn", "scipy", "polars", "pandas", "pyarrow", "tqdm", "matplotlib", "joblib")


def test_importing_takes_numpy_and_nothing_else() -> None:
    code = "import sys, eigensweep; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(python(code).stdout.split())
    assert "numpy" in loaded
    assert not loaded & set(OPTIONAL)


def test_the_package_runs_the_program() -> None:
    directory = str(Path(program()).parent)
    command = [sys.executable, "-m", "eigensweep", "--version"]
    path = os.pathsep.join([directory, os.environ["PATH"]])
    ended = subprocess.run(
        command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == f"eigensweep {es.__version__}"


def test_what_is_public_is_there_and_documented() -> None:
    for name in es.__all__:
        value = getattr(es, name)
        assert name == "__version__" or inspect.getdoc(value)
    for name, method in inspect.getmembers(es.Dataset, inspect.isfunction):
        assert name.startswith("_") or inspect.getdoc(method), name


@pytest.mark.parametrize(
    ("blocked", "call", "extra"),
    [
        ("polars", "data.scan()", "polars"),
        ("polars", "data.sql('SELECT 1')", "polars"),
        ("polars", "data.summary()", "polars"),
        ("pandas", "data.to_pandas()", "pandas"),
        ("pyarrow", "data.to_arrow()", "pyarrow"),
        ("tqdm", "es.run(job, output=output, progress=True)", "notebook"),
    ],
)
def test_a_library_that_is_missing_is_named(
    tmp_path: Path, blocked: str, call: str, extra: str
) -> None:
    code = f"""
import sys
sys.modules[{blocked!r}] = sys.modules[{blocked!r} + ".auto"] = None
import eigensweep as es
job, output = {SMALL!r}, {str(tmp_path)!r}
data = es.run(job, output=output)
try:
    {call}
except ImportError as error:
    print(error)
"""
    said = python(code).stdout.strip()
    assert re.fullmatch(rf".* needs {blocked}, .*: pip install 'eigensweep\[{extra}\]'", said), said


def test_a_library_that_is_there_and_cannot_be_loaded_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "polars.py").write_text("raise ImportError('it wants another NumPy')")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import eigensweep as es
try:
    es.run({SMALL!r}, output={str(tmp_path / "set")!r}).scan()
except ImportError as error:
    print(error)
"""
    said = python(code).stdout
    assert "polars, which cannot be loaded here (it wants another NumPy)" in said, said


def test_pandas_needs_no_pyarrow(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    code = f"""
import sys
sys.modules["pyarrow"] = None
import eigensweep as es
frame = es.run({SMALL!r}, output={str(tmp_path)!r}).to_pandas()
assert len(frame) == 216
"""
    python(code)


@pytest.mark.parametrize("order", ["eigensweep {}", "{} eigensweep"])
@pytest.mark.parametrize("other", ["pyarrow", "polars", "duckdb"])
def test_it_loads_beside_others_and_ends_well(tmp_path: Path, other: str, order: str) -> None:
    pytest.importorskip(other)
    imports = "\n".join(f"import {name}" for name in order.format(other).split())
    python(f"{imports}\neigensweep.run({SMALL!r}, output={str(tmp_path)!r})")


@pytest.mark.parametrize("module", ["_run", "_dataset", "_theory", "_solve", "_estimators"])
def test_examples_give_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(f"eigensweep.{module}"))
    assert found.attempted > 0 and found.failed == 0


USER = """
import numpy as np
import eigensweep as es

data: es.Dataset = es.run({"job": {"replicates": 2}}, set={"job.seed": 1}, data=np.eye(3))
rows: int = len(data)
done: bool = data.status["complete"]
found = es.theory(signal=[1.0], theta_signal=[1.0], gamma=[1.0], theta_noise=[1.0])
threshold: float = found.alpha_je
table: list[dict[str, object]] = es.theory("job.toml")
plan = es.plan("job.toml")
seconds: float = plan.seconds
svg: str = data.plot("phase", x="alignment").svg
solution = es.solve(np.eye(3), [0, 1, 1], covariance=0.5, dimension=1)
if solution.joint_embedding is not None:
    omega: float = float(solution.joint_embedding.eigenvalues[0])
es.solve(np.eye(3), dimension=1, views=lambda X, rng: X + rng.normal(size=X.shape))
es.JointEmbedding(2, views=[{"kind": "dropout", "probability": 0.5}]).fit(np.eye(3))
try:
    es.run(data.job, progress=lambda rows, total, failed: None)
except es.JobError as error:
    lines: list[int] = [problem["line"] for problem in error.problems]
"""


def test_a_users_file_is_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    # mypy knows what is installed, and else where it is told to look.
    place = Path(es.__file__).parents[1]
    environment = (
        os.environ if place.name == "site-packages" else os.environ | {"MYPYPATH": str(place)}
    )
    ended = subprocess.run(
        [*command, "user.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert ended.returncode == 0, ended.stdout


def test_the_stubs_are_those_of_the_module(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "eigensweep._core"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout
