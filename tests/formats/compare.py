"""Has the example `read` read all that make.py made, compares every value and label, and prints a table.

usage: compare.py DIR READ

Values are compared bit by bit as doubles. The sign of a zero counts, but in sparse rows, which hold none, and in
Matrix Market files, whose zeros SciPy makes positive. Exits with 1 if a value differs, or a file is not refused that
should be, or not with the message that it should have.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

directory, program = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
cases = [json.loads(line) for line in open(directory / "cases.jsonl")]


def held(case, found, size):
    """What a matrix is held as, by the bytes that it takes; with a problem if they are of no such thing."""
    widths = {1: "bytes", 4: "f32", 8: "f64"}
    if case["sparse"]:
        entries = int(np.count_nonzero(found))
        rest = size - 8 * (len(found) + 1)
        width, left = divmod(rest, entries)
        if left == 0 and width - 4 in widths:
            return f"sparse {widths[width - 4]}", None
        return "", f"{size} bytes are no sparse rows of {entries} entries"
    width, left = divmod(size, found.size)
    if left == 0 and width in widths:
        return widths[width], None
    return "", f"{size} bytes are no dense rows of {found.size} numbers"


def compare(case):
    """What it is held as, and what is wrong, if anything is."""
    out = directory / f"{case['name']}.found.npy"
    command = [program, case["source"], case["file"], out, *case["arguments"]]
    run = subprocess.run(command, capture_output=True, text=True)
    if case["refused"] is not None:
        if run.returncode != 1:
            return "", f"is not refused (exit code {run.returncode})"
        if case["refused"] not in run.stderr:
            return "", f"is refused without {case['refused']!r}: {run.stderr.strip()}"
        return "refused", None
    if run.returncode != 0:
        return "", f"is refused: {run.stderr.strip()}"
    first, *labels = run.stdout.split("\n")
    rows, columns, size = map(int, first.split())
    found, expected = np.load(out), np.load(directory / f"{case['name']}.npy")
    out.unlink()
    if found.shape != expected.shape or found.shape != (rows, columns):
        return "", f"has the shape {found.shape}, not {expected.shape}"
    if not case["zeros"]:
        found, expected = found + 0.0, expected + 0.0
    differ = np.ascontiguousarray(found).view(np.uint64) != np.ascontiguousarray(expected).view(np.uint64)
    if differ.any():
        at = tuple(int(place) for place in np.argwhere(differ)[0])
        return "", f"{int(differ.sum())} values differ, the first at {at}: {found[at]!r}, not {expected[at]!r}"
    wanted = (directory / f"{case['name']}.labels").read_text().split("\n")
    if len(labels) != len(wanted):
        return "", f"{len(labels) - 1} labels, not {len(wanted) - 1}"
    for row, (label, other) in enumerate(zip(labels, wanted)):
        if label != other and not is_same(label, other):
            return "", f"the label of row {row} is {label!r}, not {other!r}"
    return held(case, found, size)


def is_same(label, other):
    """Whether two texts are the same number."""
    try:
        return float(label) == float(other)
    except ValueError:
        return False


with ThreadPoolExecutor(2) as pool:
    results = list(pool.map(compare, cases))



def union(items):
    """What there is, in the order in which it comes."""
    return ", ".join(dict.fromkeys(item for item in items if item))


def differing(of):
    """What differs between cases: each thing of a list against each of the next."""
    layouts = [case["layout"] for case, _ in of]
    places = range(max(map(len, layouts)))
    return " × ".join(union(layout[place] for layout in layouts if place < len(layout)) for place in places)


def counts(of):
    return f"{len(of)} | {sum(problem is None for _, (_, problem) in of)}"


# A type of elements first; then types that are held alike in one row.
elements, refusals, rows = {}, {}, {}
for case, result in zip(cases, results):
    if case["refused"] is None:
        elements.setdefault((case["what"], case["element"]), []).append((case, result))
    else:
        refusals.setdefault(case["what"], []).append((case, result))
for (what, element), of in elements.items():
    kinds = union(kind for _, (kind, _) in of)
    rows.setdefault((what, kinds), []).extend(of)

print("| format | elements | what differs | readings | equal | held as | compared with |\n|---|---|---|--:|--:|---|---|")
for (what, kinds), of in rows.items():
    types = union(case["element"] for case, _ in of)
    print(f"| {what} | {types} | {differing(of)} | {counts(of)} | {kinds} | {union(case['by'] for case, _ in of)} |")
print("\n| format | is refused | readings | as they should be |\n|---|---|--:|--:|")
for what, of in refusals.items():
    print(f"| {what} | {differing(of)} | {counts(of)} |")

versions = json.loads((directory / "versions.json").read_text())
read = [problem for case, (_, problem) in zip(cases, results) if case["refused"] is None]
refused = [problem for case, (_, problem) in zip(cases, results) if case["refused"] is not None]
print(f"\n{len(read)} readings, {read.count(None)} equal; {len(refused)} refusals, {refused.count(None)} as they should be. "
      + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
for case, (_, problem) in zip(cases, results):
    if problem is not None:
        print(f"{case['file']} {' '.join(case['arguments'])}: {problem}", file=sys.stderr)
sys.exit(any(problem is not None for problem in read + refused))
