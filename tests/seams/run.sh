#!/usr/bin/env bash
# Adds a metric, a paradigm, a kind of views, a kind of stages, a reader and a kind of figure to a copy of the project, each the way ARCHITECTURE.md
# says (one new file, and its line in the table), and uses them. The copy shares the dependencies that `target/` has compiled.
set -euo pipefail
for tool in git perl; do
    command -v "$tool" >/dev/null || { echo "no $tool: seams are not tried"; exit 0; }
done
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/seams
copy=$(mktemp -d)
# Leaves the program of the project itself where it was.
trap 'rm -rf "$copy"; cd "$root"; cargo build --quiet -p eigensweep-cli' EXIT
cd "$root"
cp -r Cargo.toml Cargo.lock rustfmt.toml clippy.toml crates benches docs "$copy"
cd "$copy"
git init -q && git add -A

# add DIRECTORY MODULE STATIC TABLE: the file, and in the table's module its name, which stands there as module, export and entry.
add() {
    cp "$here/$2.rs" "$1/$2.rs"
    perl -0pi -e "
        s/^((?:pub )?mod )/mod $2;\n\$1/m or die 'no modules';
        s/^(pub use )/pub use $2::$3;\n\$1/m or die 'no exports';
        s/(static $4: \[&\w+; )(\d+)(\] =\s*\[)/\$1 . (\$2 + 1) . \"\$3&$3, \"/e or die 'no table';
    " "$1/mod.rs"
    git add -A
    touched=$(git diff --cached --name-only HEAD 2>/dev/null | wc -l)
    [ "$touched" -eq 2 ] || { echo "$2: $touched files touched, two allowed" >&2; exit 1; }
    git -c user.name=seams -c user.email=seams@localhost commit -qm "$2"
}
git -c user.name=seams -c user.email=seams@localhost commit -qm project
add crates/theory/src/metrics stable_rank STABLE_RANK ALL
add crates/theory/src/paradigms ridge_joint_embedding RIDGE_JOINT_EMBEDDING ALL
add crates/theory/src/views multiplicative MULTIPLICATIVE KINDS
add crates/theory/src/views/stages invert INVERT KINDS
add crates/inputs/src/readers raw RAW READERS
add crates/figures/src/kinds alignment_curves ALIGNMENT_CURVES KINDS

CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} cargo build --quiet -p eigensweep-cli
program=${CARGO_TARGET_DIR:-$root/target}/debug/eigensweep
mv "$program" "$copy/eigensweep"
program=$copy/eigensweep

# Inputs of two classes as bare doubles, and their labels as text.
perl -e 'srand 1; print pack "d<*", 60, 4, map { my $c = $_ % 2; map { $c * ($_ < 2) + rand } 1 .. 4 } 0 .. 59' >inputs.raw
perl -e 'print $_ % 2, "\n" for 0 .. 59' >labels.txt
cat >job.toml <<'TOML'
[job]
replicates = 3
[data]
source = "raw"
inputs = "inputs.raw"
labels = "labels.txt"
components = 3
[corruption]
components = 2
[augmentation]
kind = "multiplicative"
variance = [0.1, 1.0]
[model]
dimension = 2
[grid]
samples = [20, 50]
[output]
metrics = ["distance", "stable_rank"]
TOML
"$program" run job.toml --output out --quiet
"$program" replay out --where "paradigm = 'ridge-joint-embedding' and stable_rank >= 1" --limit 1 | tee replayed
grep -q "the same bits" replayed
"$program" run job.toml --output spectral --quiet --set augmentation.kind=spectral --set augmentation.alignment='[0.1, 1, 10]' \
    --set augmentation.variance=0.1 2>/dev/null && { echo "variance is no key of spectral views" >&2; exit 1; }
sed -e 's/"multiplicative"/"spectral"/' -e 's/^variance.*/alignment = [0.1, 1, 10]/' job.toml >spectral.toml
"$program" run spectral.toml --output spectral --quiet
"$program" plot spectral --figure alignment-curves --y stable_rank -o curves.svg
grep -q "stable rank" curves.svg
"$program" report spectral -o report.html
# The same images as their negatives: other means, the same covariance, the same losses.
cat >stages.toml <<'TOML'
[job]
replicates = 1
[data]
source = "raw"
inputs = "inputs.raw"
labels = "labels.txt"
[augmentation]
stages = [ { kind = "invert", level = [1, 2] }, { kind = "additive", variance = 0.1 } ]
[model]
dimension = 2
[grid]
samples = 60
TOML
"$program" run stages.toml --output negatives --quiet
"$program" replay negatives --where "invert_level = 2 and loss_corrupted > 0" --limit 1 | tee replayed
grep -q "the same bits" replayed
echo "seams: six things added, each a file and a line, and used"
