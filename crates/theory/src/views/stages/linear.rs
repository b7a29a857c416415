//! `linear`: a fixed matrix and an offset, `T(v) = A v + b`.
//!
//! `Φ(S) = A S Aᵀ + (Aμ) bᵀ + b (Aμ)ᵀ + b bᵀ`. A (d′ × d) may change the number of features.
//! Source: `views.md`, section 3.

use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Accum, Mat};
use rand::Rng;

use super::operator::keeps;
use super::{Bounds, Domain, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Unless};

/// A fixed linear map.
pub static LINEAR: Kind = Kind {
    name: "linear",
    help: "a fixed matrix times the sample, plus an offset",
    keys: &[
        Key {
            name: "matrix",
            takes: Takes::Matrix,
            unless: Unless::Required,
            help: "a row for each feature that comes out, a column for each that goes in",
        },
        Key {
            name: "offset",
            takes: Takes::NumberOrList(Bounds::FINITE),
            unless: Unless::Number(0.0),
            help: "what is added to each feature that comes out",
        },
    ],
    build,
    severity: None,
};

#[derive(Debug)]
struct Linear {
    /// A (d′ × d).
    matrix: Mat<f64>,
    /// b (d′).
    offset: Vec<f64>,
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let Some(matrix) = spec.rows("matrix") else {
        return Err(Fault::new("matrix", "there is no `matrix`", "give rows of numbers"));
    };
    let (rows, columns, size) = (matrix.nrows(), matrix.ncols(), shape.size());
    if rows == 0 || columns != size {
        let message = format!("`matrix` is {rows} × {columns}, samples have {size} features");
        return Err(Fault::new("matrix", message, format!("give rows of {size} numbers each")));
    }
    if !matrix.is_all_finite() {
        return Err(Fault::new("matrix", "`matrix` has an entry that is not finite", "give numbers"));
    }
    let list = spec.list("offset");
    let offset = if list.is_empty() { vec![spec.number("offset"); rows] } else { list.to_vec() };
    if offset.len() != rows {
        let message = format!("`offset` has {} values, `matrix` has {rows} rows", offset.len());
        return Err(Fault::new("offset", message, "give one number, or one for each row"));
    }
    Ok(linear(matrix, offset))
}

/// `T(v) = A v + b`: of A (d′ × d) and b (d′).
///
/// # Panics
///
/// If they have not as many rows.
#[must_use]
pub fn linear(matrix: Mat<f64>, offset: Vec<f64>) -> Box<dyn Stage> {
    assert!(matrix.nrows() == offset.len(), "d′ rows");
    Box::new(Linear { matrix, offset })
}

impl Linear {
    /// `A M`.
    fn times(&self, matrix: &Mat<f64>, scratch: &mut Scratch) -> Mat<f64> {
        let mut to = scratch.take(self.matrix.nrows(), matrix.ncols());
        let accum = Accum::Replace;
        product(InstructionSet::detect(), to.as_mut(), accum, self.matrix.as_ref(), matrix.as_ref());
        to
    }
}

impl Stage for Linear {
    fn features(&self, _: usize) -> usize {
        self.matrix.nrows()
    }

    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], scratch: &mut Scratch) {
        let mut after = self.times(moment, scratch);
        for (column, weight) in after.col_iter_mut().zip(weights) {
            column.iter_mut().zip(&self.offset).for_each(|(entry, offset)| *entry += offset * weight);
        }
        scratch.give(std::mem::replace(moment, after));
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], scratch: &mut Scratch) {
        let half = self.times(second, scratch);
        let mut turned = scratch.take(half.ncols(), half.nrows());
        turned.copy_from(half.transpose());
        let mut after = self.times(&turned, scratch);
        let mut means = scratch.take(mean.len(), 1);
        means.col_as_slice_mut(0).copy_from_slice(mean);
        let moved = self.times(&means, scratch);
        for (j, column) in after.col_iter_mut().enumerate() {
            for (i, entry) in column.iter_mut().enumerate() {
                let (a, b) = (self.offset[i], self.offset[j]);
                *entry += (moved[(i, 0)] * b + a * moved[(j, 0)]) + a * b;
            }
        }
        for matrix in [half, turned, means, moved, std::mem::replace(second, after)] {
            scratch.give(matrix);
        }
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        let mut drawn = self.offset.clone();
        for (column, value) in self.matrix.col_iter().zip(&*values) {
            drawn.iter_mut().zip(column.iter()).for_each(|(drawn, entry)| *drawn += entry * value);
        }
        *values = drawn;
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let entries = self.matrix.col_iter().flat_map(|column| column.iter().copied());
        Ok(before.min(keeps(entries.chain(self.offset.iter().copied()))))
    }

    fn is_fixed(&self) -> bool {
        true
    }
}
