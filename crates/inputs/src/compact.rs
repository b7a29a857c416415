//! Numbers that arrive one by one and are held as the least of three types that has them all.
//!
//! Text and counts do not say which type they are of. Bytes take an eighth of the memory of
//! doubles, and their moments are exact.

use std::collections::TryReserveError;

use crate::memory::may_fail;
use crate::{Blocks, Dense, InputError, Sparse};

/// A list of numbers: bytes as long as all are whole numbers from 0 to 255, then 32-bit floats as
/// long as all have one of the same value, then doubles.
#[derive(Debug, Clone, PartialEq)]
pub enum Compact {
    /// Whole numbers from 0 to 255.
    Bytes(Vec<u8>),
    /// Numbers that a 32-bit float holds exactly.
    Floats(Vec<f32>),
    /// Any.
    Doubles(Vec<f64>),
}

impl Default for Compact {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Compact {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Doubles(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers as doubles.
    pub fn iter(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self {
            Self::Bytes(values) => Box::new(values.iter().map(|&value| f64::from(value))),
            Self::Floats(values) => Box::new(values.iter().map(|&value| f64::from(value))),
            Self::Doubles(values) => Box::new(values.iter().copied()),
        }
    }

    /// Adds a number.
    ///
    /// # Errors
    ///
    /// If there is no memory for it; those before are then still there.
    pub fn push(&mut self, value: f64) -> Result<(), TryReserveError> {
        if let Self::Bytes(values) = self {
            if let Some(byte) = byte(value) {
                reserve(values)?;
                values.push(byte);
                return Ok(());
            }
            let wider = widened(values, f32::from)?;
            *self = Self::Floats(wider);
        }
        if let Self::Floats(values) = self {
            if let Some(float) = float(value) {
                reserve(values)?;
                values.push(float);
                return Ok(());
            }
            let wider = widened(values, f64::from)?;
            *self = Self::Doubles(wider);
        }
        if let Self::Doubles(values) = self {
            reserve(values)?;
            values.push(value);
        }
        Ok(())
    }

    /// So many zeros, for [`set`](Self::set): of the type of `self`, which is empty.
    ///
    /// # Errors
    ///
    /// If there is no memory for them.
    pub fn zeros(mut self, count: usize) -> Result<Self, TryReserveError> {
        match &mut self {
            Self::Bytes(values) => zeros(values, count)?,
            Self::Floats(values) => zeros(values, count)?,
            Self::Doubles(values) => zeros(values, count)?,
        }
        Ok(self)
    }

    /// Puts a number in the place of another.
    ///
    /// # Errors
    ///
    /// If there is no memory for a wider type; all are then as before.
    ///
    /// # Panics
    ///
    /// If there is none at that place.
    pub fn set(&mut self, at: usize, value: f64) -> Result<(), TryReserveError> {
        if let Self::Bytes(values) = self {
            if let Some(byte) = byte(value) {
                values[at] = byte;
                return Ok(());
            }
            let wider = widened(values, f32::from)?;
            *self = Self::Floats(wider);
        }
        if let Self::Floats(values) = self {
            if let Some(float) = float(value) {
                values[at] = float;
                return Ok(());
            }
            let wider = widened(values, f64::from)?;
            *self = Self::Doubles(wider);
        }
        if let Self::Doubles(values) = self {
            values[at] = value;
        }
        Ok(())
    }

    /// These values as rows, samples × features, row-major. Their type says nothing of which values
    /// could have been there, so that they have no [bounds](Blocks::bounds).
    ///
    /// # Errors
    ///
    /// As [`Dense::new`].
    pub fn into_rows(self, samples: usize, features: usize) -> Result<Box<dyn Blocks>, InputError> {
        Ok(match self {
            Self::Bytes(values) => Box::new(Dense::new(values, samples, features)?.unbounded()),
            Self::Floats(values) => Box::new(Dense::new(values, samples, features)?),
            Self::Doubles(values) => Box::new(Dense::new(values, samples, features)?),
        })
    }

    /// These values as the nonzero entries of sparse rows.
    ///
    /// # Errors
    ///
    /// As [`Sparse::new`].
    pub fn into_sparse(
        self,
        starts: Vec<usize>,
        columns: Vec<u32>,
        features: usize,
    ) -> Result<Box<dyn Blocks>, InputError> {
        Ok(match self {
            Self::Bytes(values) => Box::new(Sparse::new(starts, columns, values, features)?),
            Self::Floats(values) => Box::new(Sparse::new(starts, columns, values, features)?),
            Self::Doubles(values) => Box::new(Sparse::new(starts, columns, values, features)?),
        })
    }
}

/// Room for one more.
fn reserve<T>(values: &mut Vec<T>) -> Result<(), TryReserveError> {
    if values.len() == values.capacity() { may_fail(|| values.try_reserve(1)) } else { Ok(()) }
}

fn zeros<T: Copy + Default>(values: &mut Vec<T>, count: usize) -> Result<(), TryReserveError> {
    may_fail(|| values.try_reserve_exact(count))?;
    values.resize(count, T::default());
    Ok(())
}

fn widened<T: Copy, U>(values: &[T], wider: fn(T) -> U) -> Result<Vec<U>, TryReserveError> {
    let mut all = Vec::new();
    may_fail(|| all.try_reserve(values.len() + 1))?;
    all.extend(values.iter().map(|&value| wider(value)));
    Ok(all)
}

/// The double of the same value, if there is one.
#[expect(clippy::cast_possible_truncation, reason = "the cast back is the test")]
pub(crate) fn double(value: i128) -> Option<f64> {
    let double = value as f64;
    (double as i128 == value).then_some(double)
}

/// The byte of the same value; there is no negative zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast back is the test")]
fn byte(value: f64) -> Option<u8> {
    let byte = value as u8;
    (f64::from(byte).to_bits() == value.to_bits()).then_some(byte)
}

/// The 32-bit float of the same value.
#[expect(clippy::cast_possible_truncation, reason = "the cast back is the test")]
fn float(value: f64) -> Option<f32> {
    let float = value as f32;
    (f64::from(float).to_bits() == value.to_bits()).then_some(float)
}

#[cfg(test)]
mod tests {
    use super::Compact;

    #[test]
    fn the_least_type_that_has_all_numbers_is_taken_and_no_value_changes() {
        let mut numbers = Compact::default();
        for value in [0.0, 255.0] {
            numbers.push(value).unwrap();
        }
        assert_eq!(numbers, Compact::Bytes(vec![0, 255]));
        for value in [-0.0, 0.5, 256.0] {
            numbers.push(value).unwrap();
        }
        assert!(matches!(&numbers, Compact::Floats(values) if values[2].is_sign_negative()));
        numbers.push(0.1).unwrap();
        assert_eq!(numbers, Compact::Doubles(vec![0.0, 255.0, -0.0, 0.5, 256.0, 0.1]));
        let rows = numbers.into_rows(2, 3).unwrap();
        assert_eq!((rows.samples(), rows.features(), rows.bounds()), (2, 3, None));
    }
}
