"""Executes notebooks, each in a directory of its own: `run_notebook.py [--write] NOTEBOOK.ipynb…`; `--write` keeps what they show."""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

arguments = sys.argv[1:]
for path in (Path(name) for name in arguments if name != "--write"):
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as place:
        NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": place}}).execute()
    if "--write" in arguments:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # times
        notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
        nbformat.write(notebook, path)
    print(f"fine: {path}")
