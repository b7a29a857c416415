"""Runs the Python snippets of docs/downstream.md against a data set.

    python docs/check_snippets.py output/quickstart

Each snippet runs by itself in a directory of its own, in which `output/quickstart` is that data set.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

document = pathlib.Path(__file__).with_name("downstream.md")
dataset = pathlib.Path(sys.argv[1]).resolve()
snippets = re.findall(r"^## (.+?)$(?:(?!^## ).)*?^```python\n(.+?)^```", document.read_text(), re.M | re.S)
if not snippets:
    sys.exit("there are no Python snippets")
for title, code in snippets:
    with tempfile.TemporaryDirectory() as place:
        (pathlib.Path(place) / "output").mkdir()
        os.symlink(dataset, pathlib.Path(place) / "output" / "quickstart")
        done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"failed: {title}\n{done.stderr}")
    print(f"fine: {title}")
