"""Runs the Python and R snippets of docs/downstream.md against a data set.

    python docs/check_snippets.py output/quickstart

Each snippet runs by itself in a directory of its own, in which `output/quickstart` is that data set. R's are skipped where there is no
`Rscript` with arrow, dplyr and ggplot2.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

R_PACKAGES = ["arrow", "dplyr", "ggplot2"]


def programs():
    """The command that runs a snippet, by its language."""
    found = {"python": [sys.executable, "-c"]}
    rscript = shutil.which("Rscript")
    if rscript:
        loads = "; ".join(f"library({package})" for package in R_PACKAGES)
        if subprocess.run([rscript, "-e", loads], capture_output=True).returncode == 0:
            found["r"] = [rscript, "-e"]
    return found


def main():
    document = pathlib.Path(__file__).with_name("downstream.md").read_text()
    dataset = pathlib.Path(sys.argv[1]).resolve()
    snippets = re.findall(r"^## ([^\n]+)$(?:(?!^## ).)*?^```(python|r)\n(.+?)^```", document, re.M | re.S)
    if {language for _, language, _ in snippets} != {"python", "r"}:
        sys.exit("there are no snippets of Python or none of R")
    commands = programs()
    for title, language, code in snippets:
        if language not in commands:
            print(f"not run: {title} (no Rscript with {', '.join(R_PACKAGES)})")
            continue
        with tempfile.TemporaryDirectory() as place:
            (pathlib.Path(place) / "output").mkdir()
            os.symlink(dataset, pathlib.Path(place) / "output" / "quickstart")
            done = subprocess.run([*commands[language], code], cwd=place, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"failed: {title}\n{done.stderr}")
        print(f"fine: {title}")


main()
