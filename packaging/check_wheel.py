"""What a wheel of eigensweep says of itself, and what lies in it: `check_wheel.py UNPACKED`."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.metadata import Metadata

unpacked = Path(sys.argv[1])
workspace = tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["package"]
version = workspace["version"]

metadata = Metadata.from_email((unpacked / f"eigensweep-{version}.dist-info/METADATA").read_bytes())
assert (metadata.name, str(metadata.version)) == ("eigensweep", version)
assert metadata.license_expression == workspace["license"]
assert str(metadata.requires_python) == ">=3.11"
assert metadata.description_content_type.startswith("text/markdown") and metadata.description
requirements = [str(requirement) for requirement in metadata.requires_dist]
assert [name for name in requirements if "extra ==" not in name] == ["numpy>=1.26"], requirements
# The two programs understand each other at one version only.
assert f'eigensweep-query=={version}; extra == "query"' in requirements, requirements

files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
for name in ["eigensweep/py.typed", "eigensweep/_core.pyi", "eigensweep/_core.abi3.so"]:
    assert name in files, f"{name} is missing"
stray = [
    name
    for name in files
    if not re.fullmatch(
        rf"eigensweep/\w+\.(py|pyi|typed)|eigensweep/_core\.abi3\.so"
        rf"|eigensweep-{re.escape(version)}\.(dist-info/.*|data/scripts/eigensweep)",
        name,
    )
]
assert not stray, stray
