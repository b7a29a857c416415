#!/usr/bin/env bash
# Makes what is distributed, in dist/, with SHA256SUMS:
#
#     packaging/build.sh          eigensweep-VERSION-cp311-abi3-manylinux_2_17_x86_64….whl: module and program
#     packaging/build.sh query    eigensweep_query-VERSION-py3-none-manylinux_2_17_x86_64….whl: the SQL program
#     packaging/build.sh tar      eigensweep-VERSION-x86_64-linux.tar.gz: the program, for machines without Python
#
# The program is linked statically and needs no library; the module and the SQL program are linked by
# zig against glibc 2.17. Only the links differ, so what `cargo build --release` compiled is used again.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
what=${1:-module}
tools=$root/target/packaging
mkdir -p "$tools" dist

# The tools, from PyPI, into an environment of their own.
[ -x "$tools/bin/maturin" ] || {
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.14,<2' ziglang auditwheel abi3audit packaging
}
export PATH="$tools/bin:$PATH"
cat >"$tools/bin/zig-cc" <<'ZIG'
#!/bin/sh
exec maturin zig cc -- -target x86_64-linux-gnu.2.17 "$@"
ZIG
chmod +x "$tools/bin/zig-cc"

# maturin checks that the tag is true of what it linked.
wheel() { (cd "$1" && maturin build --release --out "$root/dist" --compatibility manylinux2014 -- -C linker=zig-cc -C strip=symbols); }
program() { PYTHONPATH=crates/python python3 -B -c 'import backend; print(backend.build_program("-C", "target-feature=+crt-static"))'; }

case $what in
module)
    rm -f dist/eigensweep-*.whl
    program
    wheel crates/python
    ;;
query)
    rm -f dist/eigensweep_query-*.whl
    wheel crates/query
    ;;
tar)
    rm -f dist/eigensweep-*.tar.gz
    built=$(program)
    version=$("$built" --version | cut -d' ' -f2)
    # The same bytes of the same program: no times, no names.
    tar -C "$(dirname "$built")" --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=755 -c eigensweep |
        gzip -9n >"dist/eigensweep-$version-x86_64-linux.tar.gz"
    ;;
*)
    echo "packaging/build.sh [module|query|tar], not $what" >&2
    exit 2
    ;;
esac
cd dist
sha256sum eigensweep* >SHA256SUMS
ls -l
