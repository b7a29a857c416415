//! Reduction `A = Q₁ B Q₁ᵀ` of one problem to a band of half-width b.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `matrix` | d × d | lower triangle; afterwards B in the lower diagonals 0, …, b, and below them V |
//! | V | | d × d | reflectors of the panel of columns j, …, j + b − 1 on rows j + b, …: unit lower trapezoid |
//! | T | `factors` | b × d | of that panel in its columns, upper triangle: `Q = I − V T Vᵀ` |
//! | b | `right` | d × ℓ | right-hand sides; afterwards `Q₁ᵀ b` |
//!
//! A panel is factored, `A(j+b:, j:j+b) = Q R`; then, on the trailing matrix,
//! `A ← QᵀAQ = A − V Wᵀ − W Vᵀ` with `Y = A V T`, `W = Y − ½ V Tᵀ(VᵀY)` (Dongarra, Hammarling and
//! Sorensen, 1989).
//!
//! Only the lower triangle is read and updated. It takes W and V of a panel with the product A V of
//! the next one, a block of columns after the other: each comes near once, is updated, contributes
//! to the rows below its diagonal, and transposed, from these rows, to those of the diagonal.
//! Before that the columns of the next panel alone take them.
//!
//! # Counts
//!
//! 4/3 d³ flops in the products `A V` and `V Wᵀ + W Vᵀ`; ≈ 4 d² b in what is left, panels and
//! narrow products. Bytes, of a trailing matrix of m: 4 m² read and 4 m² written for 4 m² b flops,
//! 0.13 a flop at b = 16: at 50 Gflop/s 6 GB/s.
//!
//! # Rounding
//!
//! Backward stable as any sequence of reflections (Higham, 2002, section 19.3). Dots of a panel
//! have [`PARTS`] partial sums whatever the instruction set; all else is chains of fused
//! multiply-adds.

use std::ops::Range;

use faer::reborrow::IntoConst;
use faer::{Accum, Mat, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::dense::cholesky::{scale, subtract_multiple};
use crate::dense::product::{Packing, Product, Right, column, column_mut, product_in};
use crate::dense::transposition::{Mirror, Transpose};
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};

/// Partial sums of a dot: entry i goes to sum i mod 16.
const PARTS: usize = 16;

/// ‖x‖² up to which a column counts as zero: 2⁻⁹⁰⁰.
const NOTHING: f64 = f64::from_bits((1023 - 900) << 52);

/// Columns of the trailing matrix that are updated, and multiplied, at a time: in between they stay
/// in L2.
const BLOCK: usize = 64;

/// Columns that a reflector is applied to at a time.
const TOGETHER: usize = 4;

/// Workspace for matrices of up to d, and `width` columns.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// V (d × b), of this panel and of the last, and its transposed.
    v: [Mat<f64>; 2],
    rows: Mat<f64>,
    /// Y (d × b), and the rows of a block of it, transposed.
    y: Mat<f64>,
    turned: Mat<f64>,
    /// W (d × b), of this panel and of the last.
    w: [Mat<f64>; 2],
    /// VᵀV, VᵀY, TᵀVᵀY (b × b).
    small: [Mat<f64>; 3],
    /// VᵀZ and T VᵀZ (b × width).
    wide: [Mat<f64>; 2],
    /// T, or its transposed, with contiguous columns (b × b).
    triangle: Mat<f64>,
    packing: Box<Packing>,
}

impl Workspace {
    pub(crate) fn new(size: usize, half_width: usize, width: usize) -> Self {
        let tall = || Mat::zeros(size, half_width);
        let small = || Mat::zeros(half_width, half_width);
        let wide = || Mat::zeros(half_width, width);
        Self {
            v: [tall(), tall()],
            rows: Mat::zeros(half_width, size),
            y: tall(),
            turned: Mat::zeros(half_width, BLOCK),
            w: [tall(), tall()],
            small: [small(), small(), small()],
            wide: [wide(), wide()],
            triangle: small(),
            packing: Box::new(Packing::new()),
        }
    }

    /// Bytes of one.
    pub(crate) fn bytes(size: usize, half_width: usize, width: usize) -> usize {
        8 * half_width * (6 * size + BLOCK + 4 * half_width + 2 * width) + size_of::<Packing>()
    }

    /// Brings the V of a panel (m × b) to `v` and `rows`, with its ones and zeros, and returns
    /// both.
    fn load(
        &mut self,
        instruction_set: InstructionSet,
        panel: MatRef<'_, f64>,
    ) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
        let (rows, count) = (panel.nrows(), panel.ncols());
        let v = &mut self.v[0];
        for c in 0..count {
            let to = &mut column_mut(v.as_mut(), c)[..rows];
            to[..c].fill(0.0);
            to[c] = 1.0;
            to[c + 1..].copy_from_slice(&column(panel, c)[c + 1..]);
        }
        let v = v.as_ref().submatrix(0, 0, rows, count);
        let mut across = self.rows.as_mut().submatrix_mut(0, 0, count, rows);
        instruction_set.run(Transpose { from: v, to: across.as_mut() });
        (v, across.into_const())
    }
}

/// First row of the panel at column j and number of its reflectors, if it has any.
fn panel_at(size: usize, half_width: usize, j: usize) -> Option<(usize, usize)> {
    let first = j + half_width;
    (first + 1 < size).then(|| (first, half_width.min(size - first - 1)))
}

/// Reduces a matrix (d × d, lower triangle read, entries at most 2 in size) to a band. What is
/// above the diagonal does not matter, and changes.
pub(crate) fn reduce(
    instruction_set: InstructionSet,
    half_width: usize,
    mut matrix: MatMut<'_, f64>,
    mut factors: MatMut<'_, f64>,
    mut right: MatMut<'_, f64>,
    workspace: &mut Workspace,
) {
    let size = matrix.nrows();
    // Reflectors of the last panel, which the trailing matrix has not taken yet.
    let mut last = 0;
    for j in (0..size).step_by(half_width) {
        workspace.v.swap(0, 1);
        workspace.w.swap(0, 1);
        let mut trailing = matrix.as_mut().submatrix_mut(j, j, size - j, size - j);
        let Some((first, count)) = panel_at(size, half_width, j) else {
            let [_, w] = &workspace.w;
            let [_, v] = &workspace.v;
            let known = [v, w].map(|x| x.as_ref().submatrix(0, 0, size - j, last));
            take_last(instruction_set, trailing, known, 0..size - j, &mut workspace.packing);
            return;
        };
        let rows = size - first;
        let known = [&workspace.v[1], &workspace.w[1]].map(|x| x.as_ref().submatrix(0, 0, size - j, last));
        take_last(instruction_set, trailing.as_mut(), known, 0..half_width, &mut workspace.packing);
        let mut panel = trailing.as_mut().submatrix_mut(half_width, 0, rows, half_width);
        let mut tau = [0.0; MOST_HALF_WIDTH];
        instruction_set.run(Panel { panel: panel.as_mut(), count, tau: &mut tau });
        workspace.load(instruction_set, panel.as_ref().subcols(0, count));
        let Workspace {
            v: [v, v_last],
            rows: across,
            y,
            turned,
            w: [w, w_last],
            small,
            wide,
            triangle,
            packing,
        } = &mut *workspace;
        let known = [v_last, w_last].map(|x| x.as_ref().submatrix(0, 0, size - j, last));
        let v = v.as_ref().submatrix(0, 0, rows, count);
        let across = across.as_ref().submatrix(0, 0, count, rows);
        let [overlaps, inner, half] =
            small.each_mut().map(|small| small.as_mut().submatrix_mut(0, 0, count, count));
        let mut factor = factors.as_mut().submatrix_mut(0, j, count, count);
        triangular_factor(instruction_set, v, across, &tau[..count], overlaps, factor.as_mut(), packing);
        let factor = factor.as_ref();
        let (mut inner, mut half) = (inner, half);
        let mut y = y.as_mut().submatrix_mut(0, 0, rows, count);
        let mut w = w.as_mut().submatrix_mut(0, 0, rows, count);
        let mut turned = turned.as_mut().submatrix_mut(0, 0, count, BLOCK);
        y.fill(0.0);
        for at in (0..rows).step_by(BLOCK) {
            let own = BLOCK.min(rows - at);
            let begin = half_width + at;
            take_last(instruction_set, trailing.as_mut(), known, begin..begin + own, packing);
            let block = trailing.as_mut().submatrix_mut(begin, begin, rows - at, own);
            let turned = turned.as_mut().subcols_mut(0, own);
            add_block(
                instruction_set,
                block,
                y.as_mut().subrows_mut(at, rows - at),
                turned,
                (v.subrows(at, own), across.subcols(at + own, rows - at - own)),
                packing,
            );
        }
        // W = Y T − ½ V Tᵀ Vᵀ Y T.
        product_in(instruction_set, w.as_mut(), Accum::Replace, y.as_ref(), factor, packing);
        product_in(instruction_set, inner.as_mut(), Accum::Replace, across, w.as_ref(), packing);
        let mut triangle = triangle.as_mut().submatrix_mut(0, 0, count, count);
        triangle.copy_from(factor.transpose());
        product_in(
            instruction_set,
            half.as_mut(),
            Accum::Replace,
            triangle.as_ref(),
            inner.as_ref(),
            packing,
        );
        for c in 0..count {
            column_mut(half.as_mut(), c).iter_mut().for_each(|x| *x *= -0.5);
        }
        product_in(instruction_set, w, Accum::Add, v, half.as_ref(), packing);
        let own = right.as_mut().subrows_mut(first, rows);
        apply_block(instruction_set, (v, across), triangle.as_ref(), own, wide, packing);
        last = count;
    }
}

/// `A ← A − V Wᵀ − W Vᵀ` of some columns, on and below the diagonal.
fn take_last(
    instruction_set: InstructionSet,
    matrix: MatMut<'_, f64>,
    [v, w]: [MatRef<'_, f64>; 2],
    columns: Range<usize>,
    packing: &mut Packing,
) {
    let (first, rows) = (columns.start, matrix.nrows() - columns.start);
    let [v, w] = [v, w].map(|x| x.subrows(first, rows));
    instruction_set.run(Product {
        to: matrix.submatrix_mut(first, first, rows, columns.len()),
        accum: Accum::Add,
        left: [v, w],
        right: Right::Rows { rows: [w, v], sign: -1.0 },
        packing,
    });
}

/// Adds to Y = A V what a block of columns of a symmetric A contributes from its diagonal on: to
/// the rows from there on, and, transposed, to those of the diagonal from the rows below, of V
/// `across`.
fn add_block(
    instruction_set: InstructionSet,
    mut block: MatMut<'_, f64>,
    mut y: MatMut<'_, f64>,
    mut turned: MatMut<'_, f64>,
    (v, across): (MatRef<'_, f64>, MatRef<'_, f64>),
    packing: &mut Packing,
) {
    let own = block.ncols();
    instruction_set.run(Mirror { matrix: block.as_mut().subrows_mut(0, own), both: false });
    product_in(instruction_set, y.as_mut(), Accum::Add, block.as_ref(), v, packing);
    let mut y = y.subrows_mut(0, own);
    instruction_set.run(Transpose { from: y.as_ref(), to: turned.as_mut() });
    let below = block.as_ref().subrows(own, block.nrows() - own);
    product_in(instruction_set, turned.as_mut(), Accum::Add, across, below, packing);
    instruction_set.run(Transpose { from: turned.as_ref(), to: y.as_mut() });
}

/// Overwrites `columns` (d × m) by `Q₁` times them.
pub(crate) fn apply(
    instruction_set: InstructionSet,
    half_width: usize,
    matrix: MatRef<'_, f64>,
    factors: MatRef<'_, f64>,
    mut columns: MatMut<'_, f64>,
    workspace: &mut Workspace,
) {
    let size = matrix.nrows();
    for j in (0..size).step_by(half_width).rev() {
        let Some((first, count)) = panel_at(size, half_width, j) else { continue };
        let panel = matrix.submatrix(first, j, size - first, count);
        let factor = factors.submatrix(0, j, count, count);
        let own = columns.as_mut().subrows_mut(first, size - first);
        apply_panel(instruction_set, panel, factor, own, workspace);
    }
}

/// Overwrites `columns` (m × n) by `I − V F Vᵀ` times them: V stands below the diagonal of a panel
/// (m × b), and F is T or its transposed.
pub(crate) fn apply_panel(
    instruction_set: InstructionSet,
    panel: MatRef<'_, f64>,
    factor: MatRef<'_, f64>,
    columns: MatMut<'_, f64>,
    workspace: &mut Workspace,
) {
    let (rows, count) = (panel.nrows(), panel.ncols());
    workspace.load(instruction_set, panel);
    let Workspace { v: [v, _], rows: across, wide, triangle, packing, .. } = workspace;
    let v = v.as_ref().submatrix(0, 0, rows, count);
    let across = across.as_ref().submatrix(0, 0, count, rows);
    let mut triangle = triangle.as_mut().submatrix_mut(0, 0, count, count);
    triangle.copy_from(factor);
    apply_block(instruction_set, (v, across), triangle.as_ref(), columns, wide, packing);
}

/// Writes T of a panel (m × b) with those τ to `factor` (b × b).
pub(crate) fn panel_factor(
    instruction_set: InstructionSet,
    panel: MatRef<'_, f64>,
    tau: &[f64],
    factor: MatMut<'_, f64>,
    workspace: &mut Workspace,
) {
    let (rows, count) = (panel.nrows(), panel.ncols());
    workspace.load(instruction_set, panel);
    let Workspace { v: [v, _], rows: across, small, packing, .. } = workspace;
    let v = v.as_ref().submatrix(0, 0, rows, count);
    let across = across.as_ref().submatrix(0, 0, count, rows);
    let overlaps = small[0].as_mut().submatrix_mut(0, 0, count, count);
    triangular_factor(instruction_set, v, across, tau, overlaps, factor, packing);
}

/// Largest half-width.
pub(crate) const MOST_HALF_WIDTH: usize = 64;

/// `Z ← Z − V (F (Vᵀ Z))` of a triangle F.
fn apply_block(
    instruction_set: InstructionSet,
    (v, across): (MatRef<'_, f64>, MatRef<'_, f64>),
    factor: MatRef<'_, f64>,
    columns: MatMut<'_, f64>,
    [inner, outer]: &mut [Mat<f64>; 2],
    packing: &mut Packing,
) {
    let (count, width) = (v.ncols(), columns.ncols());
    if width == 0 {
        return;
    }
    let mut inner = inner.as_mut().submatrix_mut(0, 0, count, width);
    let mut outer = outer.as_mut().submatrix_mut(0, 0, count, width);
    product_in(instruction_set, inner.as_mut(), Accum::Replace, across, columns.as_ref(), packing);
    product_in(instruction_set, outer.as_mut(), Accum::Replace, factor, inner.as_ref(), packing);
    instruction_set.run(Product {
        to: columns,
        accum: Accum::Add,
        left: [v, v.subcols(0, 0)],
        right: Right::Matrix { right: outer.into_const(), sign: -1.0, lower: false },
        packing,
    });
}

/// T with `H₀ H₁ … = I − V T Vᵀ` (Schreiber and Van Loan, 1989):
/// `T(:c, c) = −τ_c T(:c, :c) V(:, :c)ᵀ v_c`. What is below the diagonal becomes 0.
fn triangular_factor(
    instruction_set: InstructionSet,
    v: MatRef<'_, f64>,
    across: MatRef<'_, f64>,
    tau: &[f64],
    mut overlaps: MatMut<'_, f64>,
    mut factor: MatMut<'_, f64>,
    packing: &mut Packing,
) {
    product_in(instruction_set, overlaps.as_mut(), Accum::Replace, across, v, packing);
    for (c, tau) in tau.iter().enumerate() {
        for i in 0..c {
            let mut sum = 0.0_f64;
            for p in i..c {
                sum = factor[(i, p)].mul_add(overlaps[(p, c)], sum);
            }
            factor[(i, c)] = -tau * sum;
        }
        factor[(c, c)] = *tau;
        for i in c + 1..factor.nrows() {
            factor[(i, c)] = 0.0;
        }
    }
}

/// Factors a panel (m × b), `P = H₀ H₁ … R`: R above, the reflectors without their first entries,
/// which are 1, below.
pub(crate) struct Panel<'a> {
    pub(crate) panel: MatMut<'a, f64>,
    /// Number of reflectors.
    pub(crate) count: usize,
    pub(crate) tau: &'a mut [f64],
}

impl WithSimd for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { mut panel, count, tau } = self;
        for c in 0..count {
            let (own, mut others) = panel.as_mut().split_at_col_mut(c + 1);
            let x = &mut column_mut(own, c)[c..];
            tau[c] = eliminate(s, x, others.as_mut(), c);
        }
    }
}

/// Overwrites x by (β, v) of the reflector that takes it to β e₀, v without its first entry,
/// applies the reflector to the rows of other columns from `first` on, and returns τ.
#[inline(always)]
pub(crate) fn eliminate<S: Simd>(s: S, x: &mut [f64], others: MatMut<'_, f64>, first: usize) -> f64 {
    let (head, v) = x.split_at_mut(1);
    let (beta, tau, inverse) = reflector(head[0], dots(s, v, [&*v])[0]);
    head[0] = beta;
    scale(s, v, inverse);
    reflect_columns(s, v, tau, others, first);
    tau
}

/// `Y ← Y − τ v (vᵀ Y)` of the rows of Y from `first` on; v begins behind its 1.
#[inline(always)]
fn reflect_columns<S: Simd>(s: S, v: &[f64], tau: f64, mut columns: MatMut<'_, f64>, first: usize) {
    let mut rest = columns.as_mut().col_iter_mut();
    let mut left = rest.len();
    while left > 0 {
        let mut own: [&mut [f64]; TOGETHER] = Default::default();
        let taken = left.min(TOGETHER);
        for (to, column) in own.iter_mut().zip(rest.by_ref()) {
            *to = column.try_as_col_major_mut().map_or(&mut [], |x| &mut x.as_slice_mut()[first..]);
        }
        left -= taken;
        if taken == TOGETHER {
            reflect(s, v, tau, own);
        } else {
            for column in own.into_iter().take(taken) {
                reflect(s, v, tau, [column]);
            }
        }
    }
}

/// β, τ and 1/(x₀ − β) for x of first entry x₀ and ‖x(1:)‖² = `rest`.
fn reflector(first: f64, rest: f64) -> (f64, f64, f64) {
    if rest <= NOTHING {
        return (first, 0.0, 0.0);
    }
    let length = first.mul_add(first, rest).sqrt();
    let beta = if first < 0.0 { length } else { -length };
    let head = first - beta;
    (beta, -(head / beta), 1.0 / head)
}

/// `y ← y − τ v (vᵀ y)` of C columns; v begins behind its 1.
#[inline(always)]
fn reflect<S: Simd, const C: usize>(s: S, v: &[f64], tau: f64, mut columns: [&mut [f64]; C]) {
    let mut tails: [&[f64]; C] = [&[]; C];
    for (tail, column) in tails.iter_mut().zip(&columns) {
        *tail = &column[1..];
    }
    let along = dots(s, v, tails);
    for (column, along) in columns.iter_mut().zip(along) {
        let sum = tau * (column[0] + along);
        column[0] -= sum;
        subtract_multiple(s, &mut column[1..], v, sum);
    }
}

/// vᵀy of C columns y, each in [`PARTS`] partial sums.
#[inline(always)]
pub(crate) fn dots<S: Simd, const C: usize>(s: S, v: &[f64], columns: [&[f64]; C]) -> [f64; C] {
    match S::F64_LANES {
        8 => dots_in::<S, C, 2>(s, v, columns),
        4 => dots_in::<S, C, 4>(s, v, columns),
        2 => dots_in::<S, C, 8>(s, v, columns),
        _ => dots_in::<S, C, PARTS>(s, v, columns),
    }
}

/// The same with the partial sums of a column in N registers.
#[inline(always)]
fn dots_in<S: Simd, const C: usize, const N: usize>(s: S, v: &[f64], columns: [&[f64]; C]) -> [f64; C] {
    let (v_parts, v_rest) = pulp::as_arrays::<PARTS, _>(v);
    let mut parts: [&[[f64; PARTS]]; C] = [&[]; C];
    let mut rests: [&[f64]; C] = [&[]; C];
    for c in 0..C {
        (parts[c], rests[c]) = pulp::as_arrays::<PARTS, _>(&columns[c][..v.len()]);
        parts[c] = &parts[c][..v_parts.len()];
    }
    let mut sums = [[s.all(0.0); N]; C];
    for (i, v) in v_parts.iter().enumerate() {
        let (v, _) = S::as_simd_f64s(v);
        let v = &v[..N];
        for c in 0..C {
            let (y, _) = S::as_simd_f64s(&parts[c][i]);
            let y = &y[..N];
            for n in 0..N {
                sums[c][n] = s.mul_add(v[n], y[n], sums[c][n]);
            }
        }
    }
    let mut out = [0.0; C];
    for c in 0..C {
        let mut numbers = [0.0; PARTS];
        for n in 0..N {
            let own = lanes::<S>(sums[c][n]);
            numbers[n * S::F64_LANES..][..S::F64_LANES].copy_from_slice(&own[..S::F64_LANES]);
        }
        for ((sum, v), y) in numbers.iter_mut().zip(v_rest).zip(rests[c]) {
            *sum = v.mul_add(*y, *sum);
        }
        let mut half = PARTS / 2;
        while half > 0 {
            for n in 0..half {
                numbers[n] += numbers[n + half];
            }
            half /= 2;
        }
        out[c] = numbers[0];
    }
    out
}
