"""The build backend (PEP 517): the program `eigensweep`, then maturin's wheel with both.

maturin builds a module or a program, never both, but packs what lies in the data folder. There is
no source distribution: the crates around this one belong to it.
"""

import json
import shutil
import subprocess
from pathlib import Path

import maturin
from maturin import get_requires_for_build_editable, get_requires_for_build_wheel

__all__ = [
    "build_editable",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

SCRIPTS = Path(__file__).resolve().parent / "eigensweep.data" / "scripts"


def build_program(*rustc: str) -> Path:
    """Builds the program into the data folder, with more arguments for its link."""
    command = ["cargo", "rustc", "--release", "--locked", "--package", "eigensweep-cli"]
    command += ["--bin", "eigensweep", "--features", "hdf5"]
    command += ["--message-format", "json-render-diagnostics", "--", "-C", "strip=symbols", *rustc]
    built = subprocess.run(command, cwd=SCRIPTS.parents[1], check=True, stdout=subprocess.PIPE)
    messages = map(json.loads, built.stdout.splitlines())
    [program] = [message["executable"] for message in messages if message.get("executable")]
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(program, SCRIPTS))


def build_wheel(*arguments, **options):
    build_program()
    return maturin.build_wheel(*arguments, **options)


def build_editable(*arguments, **options):
    build_program()
    return maturin.build_editable(*arguments, **options)


def prepare_metadata_for_build_wheel(*arguments, **options):
    SCRIPTS.mkdir(parents=True, exist_ok=True)  # maturin insists on the folder
    return maturin.prepare_metadata_for_build_wheel(*arguments, **options)


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
