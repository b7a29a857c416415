//! What a fold says of a representation: kept and leakage at every dimension up to k.
//!
//! Columns of V are made orthonormal with respect to C one after another, so that the first k′ are
//! the whitened representation of dimension k′, and every number is a running sum over them.
//!
//! Cost: 8 d²k + 6 dk² flops.

use faer::{Mat, MatRef};

use crate::algebra::{gram, inner, product, transposed_product};
use crate::features::Features;
use crate::moments::Covariances;

/// Share of a direction's variance that its predecessors leave, below which it adds nothing.
const NOTHING: f64 = 1e-12;

/// Of one fold and paradigm, at k′ = 1, 2, ….
#[derive(Clone, Debug)]
pub(crate) struct Scores {
    /// `2 tr(MᵀVᵀĈ₀′) − tr(MᵀVᵀC′VM)`: clean power that is predicted.
    pub(crate) predicted: Vec<f64>,
    /// `tr(VᵀΓ′V) / tr(VᵀC′V)`.
    pub(crate) leakage: Vec<f64>,
}

/// Makes the columns of `basis` (d × k) orthonormal with respect to C (d × d), each after those
/// before; one that has no variance of its own becomes zero.
pub(crate) fn whiten(mut basis: Mat<f64>, inputs: MatRef<'_, f64>) -> Mat<f64> {
    let image = product(inputs, basis.as_ref());
    let form = transposed_product(basis.as_ref(), image.as_ref());
    let count = basis.ncols();
    // Cholesky's factor of VᵀCV, row by row, applied as it is found.
    let mut factor: Mat<f64> = Mat::zeros(count, count);
    for j in 0..count {
        for i in 0..j {
            let known: f64 = (0..i).map(|l| factor[(i, l)] * factor[(j, l)]).sum();
            let pivot = factor[(i, i)];
            factor[(j, i)] = if pivot > 0.0 { (form[(j, i)] - known) / pivot } else { 0.0 };
        }
        let explained: f64 = (0..j).map(|l| factor[(j, l)] * factor[(j, l)]).sum();
        let left = form[(j, j)] - explained;
        let pivot = if left > NOTHING * form[(j, j)] { left.sqrt() } else { 0.0 };
        factor[(j, j)] = pivot;
        let scale = if pivot > 0.0 { 1.0 / pivot } else { 0.0 };
        for row in 0..basis.nrows() {
            let before: f64 = (0..j).map(|l| factor[(j, l)] * basis[(row, l)]).sum();
            basis[(row, j)] = (basis[(row, j)] - before) * scale;
        }
    }
    basis
}

/// Scores of a whitened basis (d × k) on held-out rows.
pub(crate) fn score(
    basis: MatRef<'_, f64>,
    training: &Covariances,
    held_out: &Covariances,
    features: &Features,
) -> Scores {
    let count = basis.ncols();
    let image = |matrix: &Mat<f64>| product(matrix.as_ref(), basis);
    let (inputs, noise) = (image(&held_out.inputs), image(&held_out.noise));
    let map = features.project(image(&training.signal));
    let signal = features.project(image(&held_out.signal));
    let variances = transposed_product(basis, inputs.as_ref());
    // M Mᵀ.
    let maps = gram(map.transpose().to_owned().as_ref());
    let mut scores = Scores { predicted: Vec::with_capacity(count), leakage: Vec::with_capacity(count) };
    let (mut predicted, mut leaked, mut total) = (0.0, 0.0, 0.0);
    for j in 0..count {
        let crossed: f64 = (0..j).map(|i| variances[(i, j)] * maps[(i, j)]).sum();
        let quadratic = 2.0 * crossed + variances[(j, j)] * maps[(j, j)];
        predicted += 2.0 * inner(map.as_ref(), j, signal.as_ref(), j) - quadratic;
        leaked += inner(basis, j, noise.as_ref(), j);
        total += variances[(j, j)];
        scores.predicted.push(predicted);
        scores.leakage.push(if total > 0.0 { leaked / total } else { 0.0 });
    }
    scores
}

/// How far from one another two whitened subspaces are, at k′ = 1, 2, …, of the first k′ columns of
/// each (d × k): `1 − ‖VᵀCU‖²/k′`.
pub(crate) fn distances(bases: [MatRef<'_, f64>; 2], inputs: MatRef<'_, f64>) -> Vec<f64> {
    let image = product(inputs, bases[1]);
    let affinity = transposed_product(bases[0], image.as_ref());
    let mut shared = 0.0;
    let at = |j: usize| {
        // What a column and a row more add to the squared norm.
        let beside = (0..j).map(|i| affinity[(i, j)].powi(2) + affinity[(j, i)].powi(2)).sum::<f64>();
        shared += beside + affinity[(j, j)].powi(2);
        1.0 - shared / (j + 1) as f64
    };
    (0..affinity.nrows().min(affinity.ncols())).map(at).collect()
}
