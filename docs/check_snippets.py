"""Runs the Python and R snippets of documents against a data set.

    python docs/check_snippets.py output/quickstart docs/downstream.md

The snippets of a section are one program, which runs by itself in a directory of its own, in which `output/quickstart` is that
data set and `jobs` are the project's. R's are skipped where there is no `Rscript` with arrow, dplyr and ggplot2.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

R_PACKAGES = ["arrow", "dplyr", "ggplot2"]
ROOT = pathlib.Path(__file__).resolve().parent.parent


def programs():
    """The command that runs a snippet, by its language."""
    found = {"python": [sys.executable, "-c"]}
    rscript = shutil.which("Rscript")
    if rscript:
        loads = "; ".join(f"library({package})" for package in R_PACKAGES)
        if subprocess.run([rscript, "-e", loads], capture_output=True).returncode == 0:
            found["r"] = [rscript, "-e"]
    return found


def snippets(document):
    """Of each section its title, and its code by language."""
    for section in re.split(r"^##+ ", document, flags=re.M):
        title = section.partition("\n")[0]
        blocks = re.findall(r"^```(python|r)\n(.+?)^```", section, re.M | re.S)
        for language in dict.fromkeys(language for language, _ in blocks):
            yield title, language, "\n".join(code for of, code in blocks if of == language)


def main():
    dataset = pathlib.Path(sys.argv[1]).resolve()
    commands = programs()
    for document in map(pathlib.Path, sys.argv[2:]):
        found = list(snippets(document.read_text()))
        if not found:
            sys.exit(f"there are no snippets in {document}")
        for title, language, code in found:
            if language not in commands:
                print(f"not run: {document}: {title} (no Rscript with {', '.join(R_PACKAGES)})")
                continue
            with tempfile.TemporaryDirectory() as place:
                (pathlib.Path(place) / "output").mkdir()
                os.symlink(dataset, pathlib.Path(place) / "output" / "quickstart")
                os.symlink(ROOT / "jobs", pathlib.Path(place) / "jobs")
                done = subprocess.run([*commands[language], code], cwd=place, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"failed: {document}: {title}\n{done.stderr}")
            print(f"fine: {document}: {title}")


main()
