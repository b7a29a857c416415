//! NumPy's arrays as matrices, without a copy, and matrices as arrays.

use faer::MatRef;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;

use crate::interrupt::interruptible;

/// A matrix of doubles that Python owns, of any strides.
///
/// Nothing stops another thread of Python from writing to it meanwhile, as with any function of
/// NumPy's: what comes out then is undetermined.
pub(crate) struct Array {
    name: &'static str,
    pointer: *const f64,
    shape: [usize; 2],
    /// In doubles.
    strides: [isize; 2],
    /// Keeps the numbers alive.
    _owner: Py<PyArray2<f64>>,
}

// SAFETY: the pointer is to numbers that `_owner`, which may be sent, keeps alive and in place.
unsafe impl Send for Array {}

/// An entry that is no finite number.
#[derive(Debug)]
pub(crate) struct NotFinite {
    name: &'static str,
    place: [usize; 2],
    value: f64,
}

impl From<NotFinite> for PyErr {
    fn from(NotFinite { name, place: [row, column], value }: NotFinite) -> Self {
        PyValueError::new_err(format!(
            "{name}[{row}, {column}] is {value}: all numbers must be finite; fill in what is missing, or drop the row"
        ))
    }
}

impl Array {
    /// An array that is called so.
    ///
    /// # Errors
    ///
    /// `ValueError` if its numbers are not aligned.
    pub(crate) fn new(name: &'static str, array: &PyReadonlyArray2<'_, f64>) -> PyResult<Self> {
        let pointer = array.data().cast_const();
        let (shape, bytes) = (array.shape(), array.strides());
        let mut strides = [0; 2];
        let mut aligned = pointer.is_aligned();
        for axis in 0..2 {
            // NumPy does not care for the stride of a single row or column.
            if shape[axis] > 1 {
                let step = size_of::<f64>().cast_signed();
                aligned &= bytes[axis] % step == 0;
                strides[axis] = bytes[axis] / step;
            }
        }
        if !aligned {
            return Err(PyValueError::new_err(format!(
                "{name} is not aligned in memory: pass np.require({name}, np.float64, \"A\")"
            )));
        }
        let owner = (**array).clone().unbind();
        Ok(Self { name, pointer, shape: [shape[0], shape[1]], strides, _owner: owner })
    }

    pub(crate) fn view(&self) -> MatRef<'_, f64> {
        let ([rows, columns], [down, across]) = (self.shape, self.strides);
        // SAFETY: NumPy's array of this shape and these strides is aligned and alive, see `new`.
        unsafe { MatRef::from_raw_parts(self.pointer, rows, columns, down, across) }
    }

    /// The matrix, all of whose numbers are finite.
    ///
    /// # Errors
    ///
    /// The first of a row that is not, row by row.
    pub(crate) fn finite(&self) -> Result<MatRef<'_, f64>, NotFinite> {
        let matrix = self.view();
        // Along what is contiguous: the sum of what is finite times 0 is 0.
        let sound = if self.strides[0].unsigned_abs() < self.strides[1].unsigned_abs() {
            matrix.col_iter().all(|column| column.iter().all(|value| value.is_finite()))
        } else {
            matrix.row_iter().all(|row| row.iter().all(|value| value.is_finite()))
        };
        if sound {
            return Ok(matrix);
        }
        let fault = |(row, values): (usize, faer::RowRef<'_, f64>)| {
            let column = values.iter().position(|value| !value.is_finite())?;
            Some(NotFinite { name: self.name, place: [row, column], value: values[column] })
        };
        matrix.row_iter().enumerate().find_map(fault).map_or(Ok(matrix), Err)
    }
}

/// Arrays that may be left out, called so.
pub(crate) fn optional(
    name: &'static str,
    array: Option<PyReadonlyArray2<'_, f64>>,
) -> PyResult<Option<Array>> {
    array.map(|array| Array::new(name, &array)).transpose()
}

/// A new array of a matrix.
///
/// # Errors
///
/// `MemoryError`.
pub(crate) fn of_matrix<'py>(
    python: Python<'py>,
    matrix: MatRef<'_, f64>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (rows, columns) = (matrix.nrows(), matrix.ncols());
    let mut values = Vec::new();
    values.try_reserve_exact(rows * columns).map_err(|_| no_memory(doubles(1, rows, columns), "an array"))?;
    values.extend(matrix.row_iter().flat_map(|row| row.iter().copied()));
    PyArray1::from_vec(python, values).reshape([rows, columns])
}

/// Bytes of so many matrices of doubles.
pub(crate) fn doubles(count: usize, rows: usize, columns: usize) -> u128 {
    [count, rows, columns].into_iter().fold(size_of::<f64>() as u128, |bytes, number| bytes * number as u128)
}

/// Makes sure of so many bytes of memory: what allocates later must not end the process.
///
/// # Errors
///
/// `MemoryError`.
pub(crate) fn reserve(bytes: u128, what: &str) -> PyResult<()> {
    /// For what is not counted, small buffers of products for example.
    const BESIDE: u128 = 1 << 23;
    let there =
        usize::try_from(bytes + BESIDE).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    if there { Ok(()) } else { Err(no_memory(bytes, what)) }
}

fn no_memory(bytes: u128, what: &str) -> PyErr {
    let megabytes = bytes.div_ceil(1_000_000);
    PyMemoryError::new_err(format!("{what} takes about {megabytes} MB, and so much memory is not to be had"))
}

/// Does work that Ctrl-C interrupts on what is `held`, which is given back to the interpreter
/// afterwards. It `needs` so many bytes for something: they are made sure of on the thread that
/// allocates them, as a thread's memory is not another's.
///
/// # Errors
///
/// `MemoryError`, or as [`interruptible`].
pub(crate) fn with<H: Send + 'static, T: Send + 'static>(
    python: Python<'_>,
    held: H,
    needs: (u128, &'static str),
    work: impl FnOnce(&H) -> T + Send + 'static,
) -> PyResult<T> {
    // Dropped here, where the interpreter's lock is held, an array is let go of at once.
    let work = move |_: &_| (reserve(needs.0, needs.1).map(|()| work(&held)), held);
    let (found, _held) = interruptible(python, work, |_| Ok(()))?;
    found
}
