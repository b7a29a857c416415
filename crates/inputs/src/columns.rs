//! Columns of inputs that add nothing: constant ones, and linear combinations of others.

use faer::{Mat, MatRef};

/// The columns of X (n × d) whose entries are all the same number, in order.
#[must_use]
pub fn constant(inputs: MatRef<'_, f64>) -> Vec<usize> {
    let is_constant = |column: &usize| {
        let first = inputs.get(0, *column);
        inputs.col(*column).iter().all(|entry| entry.total_cmp(first).is_eq())
    };
    if inputs.nrows() == 0 { Vec::new() } else { (0..inputs.ncols()).filter(is_constant).collect() }
}

/// The rows and columns of a symmetric, positive semidefinite matrix (d × d, its lower triangle)
/// that are linear combinations of those before them, in order; of a second moment XᵀX/n those are
/// the columns of X that are.
///
/// A Cholesky factorization that passes over them: a pivot counts as zero where it is not above d·ε
/// times its diagonal entry, as in the closed forms. d³/3 multiply-adds.
///
/// ```
/// use eigensweep_inputs::columns::dependent;
/// use faer::mat;
///
/// // Columns (1, 0), (2, 0), (0, 1), (1, 1), (0, 0).
/// let inputs = mat![[1.0, 2.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0]];
/// let moment = inputs.transpose() * &inputs;
/// assert_eq!(dependent(moment.as_ref()), [1, 3, 4]);
/// ```
#[must_use]
pub fn dependent(moment: MatRef<'_, f64>) -> Vec<usize> {
    let size = moment.nrows();
    let mut factor: Mat<f64> = Mat::zeros(size, size);
    let mut pivot_column = vec![0.0; size];
    let mut found = Vec::new();
    for at in 0..size {
        let rest = &mut pivot_column[at..];
        rest.iter_mut().zip(at..).for_each(|(entry, row)| *entry = moment[(row, at)]);
        for before in 0..at {
            let weight = factor[(at, before)];
            let column = factor.col(before).subrows(at, size - at);
            rest.iter_mut().zip(column.iter()).for_each(|(entry, other)| *entry -= weight * other);
        }
        let pivot = rest[0];
        // Not above: what is no number is no pivot.
        if pivot > size as f64 * f64::EPSILON * moment[(at, at)] {
            let scale = pivot.sqrt().recip();
            rest.iter().zip(at..).for_each(|(entry, row)| factor[(row, at)] = entry * scale);
        } else {
            found.push(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use eigensweep_testkit::random::Random;
    use faer::{Mat, mat};

    use super::{constant, dependent};

    #[test]
    fn constant_columns_are_found() {
        let inputs = mat![[1.0, 0.0, 2.0, -3.0], [1.0, 0.0, 2.5, -3.0], [1.0, 0.0, 2.0, -3.0]];
        assert_eq!(constant(inputs.as_ref()), [0, 1, 3]);
        assert_eq!(constant(Mat::<f64>::zeros(0, 3).as_ref()), [0_usize; 0]);
    }

    #[test]
    fn combinations_of_other_columns_are_found_whatever_the_scales() {
        let mut random = Random(3);
        for (n, d) in [(40, 12), (200, 30)] {
            let mut inputs =
                Mat::from_fn(n, d, |_, column| random.normal() * [1.0, 1e3, 1e6, 1e9][column % 4]);
            assert_eq!(dependent((inputs.transpose() * &inputs).as_ref()), [0_usize; 0]);
            for row in 0..n {
                inputs[(row, 5)] = 2.0 * inputs[(row, 1)] - 1e-3 * inputs[(row, 3)];
                inputs[(row, 7)] = 0.0;
                inputs[(row, 9)] = inputs[(row, 0)];
            }
            assert_eq!(dependent((inputs.transpose() * &inputs).as_ref()), [5, 7, 9]);
        }
        // Fewer samples than columns: all beyond the rank.
        let wide = Mat::from_fn(3, 6, |_, _| random.normal());
        assert_eq!(dependent((wide.transpose() * &wide).as_ref()), [3, 4, 5]);
    }
}
