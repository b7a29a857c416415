"""Loads libraries with native code in the order of its arguments, and uses each of them."""

import importlib
import sys

modules = {name: importlib.import_module(name) for name in sys.argv[1:]}
assert modules["pyarrow"].array([1, 2]).sum().as_py() == 3
assert modules["polars"].DataFrame({"a": [1, 2]})["a"].sum() == 3
assert modules["eigensweep"].__version__
print("fine:", *modules)
