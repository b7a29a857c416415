//! Each kernel by itself on a group of problems, with its flops and bytes by count: for benches and
//! `docs/performance.md`.
//!
//! A [`Stage`] holds what the kernel is given in a batch, made by the kernels before it, and puts
//! it back before each run.

mod counts;

use faer::{Mat, Scale};

use super::batch::{GROUPS, Numbers};
use super::cholesky::{Factor, SolveLower, SolveUpper};
use super::gain::{Gain, Images};
use super::implicit_ql::{self, Group, ImplicitQl};
use super::interleave::{Interleave, Source};
use super::inverse_iteration::{InverseIteration, WORK};
use super::products::{Layout, Product, RowForm};
use super::reduction::{Reduce, packed_len};
use super::reflectors::{Apply, Side};
use super::tiles::stride;
use super::{InstructionSet, MAX_LANES};
use crate::Failure;

pub use counts::{Counts, Kernel, Shape};

/// One kernel with what it is given, for as many groups as run beside each other in a batch.
#[derive(Debug)]
pub struct Stage {
    kernel: Kernel,
    instruction_set: InstructionSet,
    shape: Shape,
    problems: Vec<Problem>,
    given: Vec<Buffers>,
    groups: Vec<Buffers>,
    /// QL's, of all groups together.
    work: Numbers,
}

/// C (d × d), B (d × ℓ) and Σ (d).
type Problem = (Mat<f64>, Mat<f64>, Vec<f64>);

/// Everything that a kernel of a group reads or overwrites.
#[derive(Clone, Debug)]
struct Buffers {
    matrix: Numbers,
    rows: Numbers,
    roots: Numbers,
    scales: Numbers,
    packed: Numbers,
    diagonal: Numbers,
    off_diagonal: Numbers,
    tau: Numbers,
    values: Numbers,
    vectors: Numbers,
    pivots: Numbers,
    inverses: Numbers,
    images: [Numbers; 2],
    forms: [Numbers; 2],
    work: Numbers,
    outcome: [Result<(), Failure>; MAX_LANES],
}

impl Buffers {
    fn all_mut(&mut self) -> [&mut Numbers; 17] {
        let [first, second] = &mut self.images;
        let [form, right] = &mut self.forms;
        [
            &mut self.matrix,
            &mut self.rows,
            &mut self.roots,
            &mut self.scales,
            &mut self.packed,
            &mut self.diagonal,
            &mut self.off_diagonal,
            &mut self.tau,
            &mut self.values,
            &mut self.vectors,
            &mut self.pivots,
            &mut self.inverses,
            first,
            second,
            form,
            right,
            &mut self.work,
        ]
    }

    fn copy_from(&mut self, from: &mut Self) {
        for (to, from) in self.all_mut().into_iter().zip(from.all_mut()) {
            to.as_mut_slice().copy_from_slice(from.as_slice());
        }
        self.outcome = from.outcome;
    }
}

impl Stage {
    /// The kernel on `groups` groups of positive definite problems of this shape, the same ones in
    /// each group.
    ///
    /// # Panics
    ///
    /// If k is not in 1..=d or there are not 1 to 4 groups.
    #[must_use]
    pub fn new(kernel: Kernel, instruction_set: InstructionSet, shape: Shape, groups: usize) -> Self {
        let Shape { size, width, count } = shape;
        assert!((1..=size).contains(&count) && (1..=GROUPS).contains(&groups), "1 ≤ k ≤ d, 1 to 4 groups");
        let lanes = instruction_set.lanes();
        let problems: Vec<Problem> = (0..lanes).map(|lane| problem(shape, lane)).collect();
        let square = size * stride(size) * lanes;
        let numbers = |length: usize| Numbers::new(length * lanes);
        let mut group = Buffers {
            matrix: Numbers::new(square),
            rows: numbers(size * width),
            roots: numbers(size),
            scales: numbers(size),
            packed: numbers(packed_len(size)),
            diagonal: numbers(size),
            off_diagonal: numbers(size),
            tau: numbers(size),
            values: numbers(size),
            vectors: numbers(size * count),
            pivots: numbers(size),
            inverses: numbers(size),
            images: [numbers(size * count), numbers(size * count)],
            forms: [numbers(count * stride(count)), numbers(count * width)],
            work: numbers(size * WORK),
            outcome: [Ok(()); MAX_LANES],
        };
        let mut work = Numbers::new(groups * implicit_ql::WORK * size * lanes);
        for before in kernel.before() {
            let groups = std::slice::from_mut(&mut group);
            run(*before, instruction_set, shape, &problems, groups, &mut work);
        }
        let given = vec![group; groups];
        Self { kernel, instruction_set, shape, problems, groups: given.clone(), given, work }
    }

    /// Number of problems.
    #[must_use]
    pub fn problems(&self) -> usize {
        self.groups.len() * self.instruction_set.lanes()
    }

    /// Puts back what the kernel is given.
    pub fn prepare(&mut self) {
        for (to, from) in self.groups.iter_mut().zip(&mut self.given) {
            to.copy_from(from);
        }
    }

    /// Runs the kernel; the result of the last run is not a problem to run on.
    pub fn run(&mut self) {
        let Self { kernel, instruction_set, shape, problems, groups, work, .. } = self;
        run(*kernel, *instruction_set, *shape, problems, groups, work);
    }
}

impl Kernel {
    /// The kernels that make what this one is given.
    fn before(self) -> &'static [Self] {
        match self {
            Self::Interleave => &[],
            Self::Reduce | Self::Factor => &[Self::Interleave],
            Self::ReflectRows => &[Self::Interleave, Self::Reduce],
            Self::Values | Self::Project => &[Self::Interleave, Self::Reduce, Self::ReflectRows],
            Self::Vectors => &[Self::Interleave, Self::Reduce, Self::Values],
            Self::ReflectVectors => &[Self::Interleave, Self::Reduce, Self::Values, Self::Vectors],
            Self::Solve | Self::Gain => &[Self::Interleave, Self::Factor],
            Self::Form => &[Self::Interleave, Self::Factor, Self::Gain],
            Self::Images => {
                &[Self::Interleave, Self::Reduce, Self::Values, Self::Vectors, Self::Factor, Self::Gain]
            }
            Self::Probe => &[
                Self::Interleave,
                Self::Reduce,
                Self::Values,
                Self::Vectors,
                Self::Factor,
                Self::Gain,
                Self::Images,
            ],
        }
    }
}

/// A positive definite problem: `C = XᵀX/2d` of 2d rows with column scales `j^(−½)`.
fn problem(Shape { size, width, .. }: Shape, lane: usize) -> Problem {
    let mut state = lane as u64;
    // SplitMix64 (Steele, Lea and Flood, 2014), uniform in [−1, 1).
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let x = Mat::from_fn(2 * size, size, |_, j| uniform() / ((j + 1) as f64).sqrt());
    let matrix = x.transpose() * &x * Scale(1.0 / (2 * size) as f64);
    let right = Mat::from_fn(size, width, |_, _| uniform());
    (matrix, right, (0..size).map(|_| 1.0 + 0.9 * uniform()).collect())
}

/// Runs a kernel on every group; QL on all of them together.
fn run(
    kernel: Kernel,
    isa: InstructionSet,
    shape: Shape,
    problems: &[Problem],
    groups: &mut [Buffers],
    work: &mut Numbers,
) {
    match (kernel, groups) {
        (Kernel::Values | Kernel::Project, [a]) => diagonalize(kernel, isa, shape, [a], work),
        (Kernel::Values | Kernel::Project, [a, b]) => diagonalize(kernel, isa, shape, [a, b], work),
        (Kernel::Values | Kernel::Project, [a, b, c]) => diagonalize(kernel, isa, shape, [a, b, c], work),
        (Kernel::Values | Kernel::Project, [a, b, c, d]) => {
            diagonalize(kernel, isa, shape, [a, b, c, d], work)
        }
        (_, groups) => groups.iter_mut().for_each(|group| run_group(kernel, isa, shape, problems, group)),
    }
}

fn diagonalize<const G: usize>(
    kernel: Kernel,
    isa: InstructionSet,
    Shape { size, width, .. }: Shape,
    groups: [&mut Buffers; G],
    work: &mut Numbers,
) {
    let width = if kernel == Kernel::Project { width } else { 0 };
    let lanes = isa.lanes();
    let work = &mut work.as_mut_slice()[..G * implicit_ql::WORK * size * lanes];
    let mut groups = groups.map(|group| {
        let Buffers { diagonal, off_diagonal, values, rows, outcome, .. } = group;
        values.as_mut_slice().copy_from_slice(diagonal.as_slice());
        Group {
            diagonal: values.as_mut_slice(),
            off_diagonal: off_diagonal.as_slice(),
            rows: &mut rows.as_mut_slice()[..size * width * lanes],
            outcome: *outcome,
        }
    });
    isa.run(ImplicitQl { size, width, groups: groups.each_mut(), work });
    if kernel == Kernel::Values {
        for group in &mut groups {
            sort_descending(group.diagonal, lanes);
        }
    }
}

/// As [`Vectors`](Kernel::Vectors) wants them.
fn sort_descending(values: &mut [f64], lanes: usize) {
    for lane in 0..lanes {
        let mut own: Vec<f64> = values.iter().skip(lane).step_by(lanes).copied().collect();
        own.sort_unstable_by(|a, b| b.total_cmp(a));
        for (to, x) in values.iter_mut().skip(lane).step_by(lanes).zip(own) {
            *to = x;
        }
    }
}

fn run_group(kernel: Kernel, isa: InstructionSet, shape: Shape, problems: &[Problem], group: &mut Buffers) {
    let Shape { size, width, count } = shape;
    let Buffers {
        matrix,
        rows,
        roots,
        scales,
        packed,
        diagonal,
        off_diagonal,
        tau,
        values,
        vectors,
        pivots,
        inverses,
        images,
        forms,
        work,
        outcome,
        ..
    } = group;
    let (matrix, rows, roots) = (matrix.as_mut_slice(), rows.as_mut_slice(), roots.as_mut_slice());
    let (packed, tau, work) = (packed.as_mut_slice(), tau.as_mut_slice(), work.as_mut_slice());
    let (diagonal, off_diagonal) = (diagonal.as_mut_slice(), off_diagonal.as_mut_slice());
    let (vectors, inverses) = (vectors.as_mut_slice(), inverses.as_mut_slice());
    let [first, second] = images.each_mut().map(Numbers::as_mut_slice);
    let scales = scales.as_mut_slice();
    let work = &mut work[..];
    match kernel {
        Kernel::Interleave => {
            let sources = std::array::from_fn(|lane| {
                let (matrix, right, sigma) = &problems[lane % problems.len()];
                Source { matrix: matrix.as_ref(), right: right.as_ref(), sigma }
            });
            for (layout, matrix) in [(Layout::Packed, packed), (Layout::Square, matrix)] {
                isa.run(Interleave { size, width, sources, layout, matrix, rows, roots, scales, outcome });
            }
        }
        Kernel::Reduce => isa.run(Reduce { size, packed, diagonal, off_diagonal, tau, work }),
        Kernel::ReflectRows => {
            isa.run(Apply { side: Side::Transposed, size, packed, tau, rows, width, work });
        }
        Kernel::ReflectVectors => {
            isa.run(Apply { side: Side::Forward, size, packed, tau, rows: vectors, width: count, work });
        }
        Kernel::Values | Kernel::Project => {}
        Kernel::Vectors => {
            let values = values.as_slice();
            isa.run(InverseIteration { size, count, diagonal, off_diagonal, values, vectors, work, outcome });
        }
        Kernel::Factor => {
            let pivots = pivots.as_mut_slice();
            isa.run(Factor { size, shift: 1.0, matrix, pivots, inverses });
        }
        Kernel::Solve => {
            isa.run(SolveLower { size, matrix, inverses, rows, width });
            isa.run(SolveUpper { size, matrix, inverses, rows, width });
        }
        Kernel::Gain => {
            isa.run(Gain { size, matrix, inverses, roots });
        }
        Kernel::Form => isa.run(RowForm { size, x: matrix, to: packed }),
        Kernel::Images => isa.run(Images {
            size,
            matrix,
            inverses,
            scales,
            columns: vectors,
            width: count,
            basis: first,
            image: second,
        }),
        Kernel::Probe => {
            let [form, right] = forms.each_mut().map(Numbers::as_mut_slice);
            let product = |y, y_width, symmetric, to| Product {
                rows: size,
                x: &*first,
                x_width: count,
                y,
                y_width,
                symmetric,
                to,
            };
            isa.run(product(second, count, true, form));
            isa.run(product(rows, width, false, right));
        }
    }
}
