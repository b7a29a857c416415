//! Which kernels there are, and what each does by count.

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Matrices one by one to a group, scaled: `A = Σ^(−½) C Σ^(−½)`, `b = Σ^(−½) B`.
    Interleave,
    /// `A = H T Hᵀ`.
    Reduce,
    /// `Hᵀ b`, ℓ columns.
    ReflectRows,
    /// Eigenvalues of T.
    Values,
    /// Eigenvalues of T and projections of ℓ columns.
    Project,
    /// k eigenvectors of T.
    Vectors,
    /// `H Z`, k columns.
    ReflectVectors,
    /// `A + I = L Lᵀ`.
    Factor,
    /// `(A + I)⁻¹ b`, ℓ columns.
    Solve,
    /// `F = L⁻¹ A Σ^½`.
    Gain,
    /// `F Fᵀ`.
    Form,
    /// `U = L⁻ᵀ P` and `A U`, k columns.
    Images,
    /// `UᵀAU` (k × k) and `Uᵀb`.
    Probe,
}

impl Kernel {
    /// All of them, in the order of a batch.
    pub const ALL: [Self; 13] = [
        Self::Interleave,
        Self::Reduce,
        Self::ReflectRows,
        Self::Values,
        Self::Project,
        Self::Vectors,
        Self::ReflectVectors,
        Self::Factor,
        Self::Solve,
        Self::Gain,
        Self::Form,
        Self::Images,
        Self::Probe,
    ];

    /// What it computes, in symbols.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interleave => "interleave: A, b",
            Self::Reduce => "reduce: A = H T H'",
            Self::ReflectRows => "reflect: H'b",
            Self::Values => "QL: values of T",
            Self::Project => "QL: values of T, Q'b",
            Self::Vectors => "inverse iteration: Z",
            Self::ReflectVectors => "reflect: H Z",
            Self::Factor => "factor: A + I = L L'",
            Self::Solve => "solve: (A + I)^-1 b",
            Self::Gain => "gain: F = L^-1 A S^1/2",
            Self::Form => "form: F F'",
            Self::Images => "images: U, A U",
            Self::Probe => "probe: U'AU, U'b",
        }
    }
}

/// Sizes of the problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// d.
    pub size: usize,
    /// ℓ.
    pub width: usize,
    /// k.
    pub count: usize,
}

/// What a kernel does for one problem, by count, leading terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// Additions and multiplications, a fused pair two; of QL also 0.85 d² rotations as derived in
    /// its file.
    pub flops: f64,
    /// Loaded and stored beyond registers.
    pub bytes: f64,
    /// Bytes that the kernel goes over again and again: the working set of a group is that times
    /// its lanes.
    pub working_set: f64,
}

impl Kernel {
    /// Counts for one problem on registers of so many lanes, which decide the shape of tiles.
    #[must_use]
    pub fn counts(self, shape: Shape, lanes: usize) -> Counts {
        let (d, l, k) = (shape.size as f64, shape.width as f64, shape.count as f64);
        // Loads of 8 bytes a flop of a tile of A × C sums.
        let rows = if lanes == 8 { 5.0 } else { 2.0 };
        let tile = 8.0 * (rows + 5.0) / (2.0 * rows * 5.0);
        let triangle = 4.0 * d * d;
        let rotations = 0.85 * d * d;
        let of = |flops: f64, bytes: f64, working_set: f64| Counts { flops, bytes, working_set };
        match self {
            // Once for each eigenproblem.
            Self::Interleave => of(2.0 * (d * d + 2.0 * d * l), 4.0 * triangle + 32.0 * d * l, triangle),
            Self::Reduce => of(4.0 / 3.0 * d.powi(3), 8.0 / 3.0 * d.powi(3), triangle),
            Self::ReflectRows => of(2.0 * d * d * l + 1.5 * d * d, 3.0 * d * d * l, triangle + 8.0 * d * l),
            Self::Values => of(20.0 * rotations, 48.0 * rotations, 32.0 * d),
            // Rows of b are loaded and stored once for two rotations.
            Self::Project => of((20.0 + 6.0 * l) * rotations, (96.0 + 8.0 * l) * rotations, 8.0 * d * l),
            Self::Vectors => of(2.0 * d * k * k + 39.0 * d * k, 16.0 * d * k * k, 8.0 * d * k),
            Self::ReflectVectors => {
                of(2.0 * d * d * k + 1.5 * d * d, 3.0 * d * d * k, triangle + 8.0 * d * k)
            }
            Self::Factor => of(d.powi(3) / 3.0, tile * d.powi(3) / 3.0, triangle),
            Self::Solve => of(2.0 * d * d * l, tile * 2.0 * d * d * l, triangle),
            Self::Gain => of(d.powi(3) / 3.0, tile * d.powi(3) / 3.0, 2.0 * triangle),
            Self::Form => of(d.powi(3), tile * d.powi(3), 3.0 * triangle),
            Self::Images => of(2.0 * d * d * k, tile * 2.0 * d * d * k, 2.0 * triangle + 16.0 * d * k),
            Self::Probe => {
                let flops = d * k * k + 2.0 * d * k * l;
                of(flops, tile * flops, 16.0 * d * k)
            }
        }
    }
}
