#!/usr/bin/env python3
"""Seconds of stages of views in NumPy: `second` and one `mean` on a d x d moment, by a module that has `build(spec, shape)`.

Standard input is one JSON object a line, {"name", "shape", "spec"}; standard output gets `name<TAB>seconds<TAB>seconds` for each,
the fastest of as many runs as the budget allows, at least three, in seconds of the processor. Run by the program stage-rates.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # read when the library is loaded, just below

import numpy as np  # noqa: E402


def fastest(budget: float, run: Callable[[], object]) -> float:
    least, runs, started = float("inf"), 0, time.perf_counter()
    while runs < 3 or time.perf_counter() - started < budget:
        before = time.process_time()
        run()
        least = min(least, time.process_time() - before)
        runs += 1
    return least


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--module", required=True, help="the file that has `build`")
    p.add_argument("--seconds", type=float, default=0.5, help="budget of a measurement")
    options = p.parse_args()
    found = importlib.util.spec_from_file_location("views", options.module)
    if found is None or found.loader is None:
        p.error(f"{options.module} is no Python module")
    module = importlib.util.module_from_spec(found)
    sys.modules["views"] = module
    found.loader.exec_module(module)
    moments: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for line in sys.stdin:
        case = json.loads(line)
        size = int(np.prod(case["shape"]))
        if size not in moments:
            moments.clear()
            x = np.random.default_rng(1).random((64, size))
            moments[size] = (x.T @ x / 64, x.mean(0))
        second, mean = moments[size]
        stage = module.build(case["spec"], tuple(case["shape"]))
        times = (
            fastest(options.seconds, lambda: stage.second(second, mean)),
            fastest(options.seconds, lambda: stage.mean(second, mean)),
        )
        print(f"{case['name']}\t{times[0]}\t{times[1]}", flush=True)


if __name__ == "__main__":
    main()
