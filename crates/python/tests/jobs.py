"""Jobs and programs that tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]

SMALL: dict[str, Any] = {
    "job": {"name": "small", "replicates": 6, "seed": 3},
    "data": {"components": 4, "label_count": 3},
    "corruption": {"components": 4, "scale": [10.0, 1000.0]},
    "augmentation": {"alignment": [0.1, 1.0, 10.0]},
    "grid": {"samples": [100, 10_000]},
    "model": {"dimension": 4},
}
ROWS = 6 * 2 * 3 * 2 * 3

# Millions of rows: what runs it means to stop it.
LONG: dict[str, Any] = SMALL | {"job": {"name": "long", "replicates": 1_000_000}}


def program(name: str = "eigensweep") -> str:
    """The program, built or named by EIGENSWEEP_BIN; the test is skipped where there is none."""
    places = [Path(os.environ.get("EIGENSWEEP_BIN", "")), PROJECT / "target/debug"]
    for place in places:
        if (place / name).is_file():
            return str(place / name)
    pytest.skip(f"{name} is not built")


def files(root: Path, *patterns: str) -> dict[str, bytes]:
    """The files of a data set that are a function of the job."""
    kept = patterns or ("data/*", "commits/*", "sections/*", "summary/*", "job.toml")
    found = sorted(path for pattern in kept for path in root.glob(pattern))
    assert found
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs code in a process of its own, which must end well."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert ended.returncode == 0, ended.stderr
    return ended
