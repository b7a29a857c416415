//! Combinations of keys, numbered as they come: from columns of keys to a number a row, and from numbers back to keys.
//!
//! A combination is looked up where its run of rows begins, so rows sorted by combination cost next to nothing.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use polars::polars_utils::aliases::PlHashMap;
use polars::prelude::*;

/// Whether keys of this type can be numbered.
pub(super) fn numerable(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Int32 | DataType::Int64 | DataType::Float64 | DataType::String)
}

/// A key's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Value {
    Null,
    Integer(i64),
    /// Bits of a float. As polars groups: zeros are one value, NaNs are one value.
    Float(u64),
    Text(PlSmallStr),
}

impl Value {
    fn of(value: &AnyValue<'_>) -> Self {
        match value {
            AnyValue::Int32(value) => Self::Integer((*value).into()),
            AnyValue::Int64(value) => Self::Integer(*value),
            AnyValue::Float64(value) if value.is_nan() => Self::Float(f64::NAN.to_bits()),
            AnyValue::Float64(value) => Self::Float((value + 0.0).to_bits()),
            _ => value.get_str().map_or(Self::Null, |text| Self::Text(text.into())),
        }
    }

    fn integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    fn float(&self) -> Option<f64> {
        if let Self::Float(bits) = self { Some(f64::from_bits(*bits)) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// What has been seen, numbered as it came.
#[derive(Debug)]
struct Numbered<T> {
    numbers: PlHashMap<T, u32>,
    seen: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: PlHashMap::default(), seen: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> PolarsResult<u32> {
        if let Some(&number) = self.numbers.get(&value) {
            return Ok(number);
        }
        let Ok(number) = u32::try_from(self.seen.len()) else {
            polars_bail!(ComputeError: "more than 2³² groups");
        };
        self.seen.push(value.clone());
        self.numbers.insert(value, number);
        Ok(number)
    }
}

/// The combinations of keys that have been seen, by all threads of a query.
#[derive(Debug)]
pub(super) struct Combinations(Mutex<Seen>);

/// The same, for one thread at a time.
#[derive(Debug)]
struct Seen {
    /// Values, key by key.
    values: Vec<Numbered<Value>>,
    /// Combinations of the keys up to each, as pairs: the number of the combination before it (0 where there is none), and of its value.
    pairs: Vec<Numbered<(u32, u32)>>,
}

impl Combinations {
    pub(super) fn new(keys: usize) -> Self {
        let values = (0..keys).map(|_| Numbered::default()).collect();
        let pairs = (0..keys).map(|_| Numbered::default()).collect();
        Self(Mutex::new(Seen { values, pairs }))
    }

    /// The number of each row's combination. Others wait while runs are looked up, and not while rows are read or written.
    pub(super) fn number(&self, keys: &[Column]) -> PolarsResult<Vec<u32>> {
        let rows = keys.first().map_or(0, Column::len);
        let mut begins = vec![false; rows];
        for key in keys {
            mark_runs(key, &mut begins)?;
        }
        let starts: Vec<usize> = (0..rows).filter(|&row| row == 0 || begins[row]).collect();
        let mut seen = self.seen();
        let found = starts.iter().map(|&row| seen.number(keys, row)).collect::<PolarsResult<Vec<u32>>>()?;
        drop(seen);
        let mut numbers = Vec::with_capacity(rows);
        let ends = starts.iter().skip(1).copied().chain([rows]);
        for (number, end) in found.into_iter().zip(ends) {
            numbers.resize(end, number);
        }
        Ok(numbers)
    }

    /// The values of key `at` in these combinations.
    pub(super) fn key(
        &self,
        at: usize,
        combinations: &Column,
        name: &str,
        dtype: &DataType,
    ) -> PolarsResult<Column> {
        self.seen().key(at, combinations, name, dtype)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// The number of one row's combination.
    fn number(&mut self, keys: &[Column], row: usize) -> PolarsResult<u32> {
        let mut combination = 0;
        for ((key, values), pairs) in keys.iter().zip(&mut self.values).zip(&mut self.pairs) {
            let value = values.number(Value::of(&key.get(row)?))?;
            combination = pairs.number((combination, value))?;
        }
        Ok(combination)
    }

    /// The values of key `at` in these combinations.
    fn key(&self, at: usize, combinations: &Column, name: &str, dtype: &DataType) -> PolarsResult<Column> {
        let value = |mut combination: u32| {
            let mut own = 0;
            // From the last key down to this one.
            for pairs in self.pairs[at..].iter().rev() {
                (combination, own) = pairs.seen[combination as usize];
            }
            &self.values[at].seen[own as usize]
        };
        let values = combinations.u32()?.no_null_iter().map(value);
        let name = PlSmallStr::from(name);
        Ok(match dtype {
            DataType::Int32 => {
                let integers = values.map(|value| value.integer().and_then(|value| value.try_into().ok()));
                Int32Chunked::from_iter_options(name, integers).into_column()
            }
            DataType::Int64 => {
                Int64Chunked::from_iter_options(name, values.map(Value::integer)).into_column()
            }
            DataType::Float64 => {
                Float64Chunked::from_iter_options(name, values.map(Value::float)).into_column()
            }
            _ => StringChunked::from_iter_options(name, values.map(Value::text)).into_column(),
        })
    }
}

/// Marks the rows where a run of one value may begin: at least where the value is another than in the row before.
fn mark_runs(key: &Column, begins: &mut [bool]) -> PolarsResult<()> {
    // One value for all rows.
    if matches!(key, Column::Scalar(_)) {
        return Ok(());
    }
    match key.dtype() {
        DataType::Int32 => {
            mark_chunks(key.i32()?.downcast_iter().map(|chunk| chunk.values().as_slice()), begins)
        }
        DataType::Int64 => {
            mark_chunks(key.i64()?.downcast_iter().map(|chunk| chunk.values().as_slice()), begins)
        }
        DataType::Float64 => {
            mark_chunks(key.f64()?.downcast_iter().map(|chunk| chunk.values().as_slice()), begins)
        }
        // Equal texts of one dictionary are equal views: length, start, and place in the dictionary.
        _ => mark_chunks(key.str()?.downcast_iter().map(|chunk| chunk.views().as_slice()), begins),
    }
    if key.has_nulls() {
        let present = key.is_not_null();
        let pairs = present.no_null_iter().zip(present.no_null_iter().skip(1));
        for (begins, (before, here)) in begins.iter_mut().skip(1).zip(pairs) {
            *begins |= before != here;
        }
    }
    Ok(())
}

/// The same, chunk by chunk.
fn mark_chunks<'c, T: PartialEq + 'c>(chunks: impl Iterator<Item = &'c [T]>, begins: &mut [bool]) {
    let mut rest = begins;
    for chunk in chunks {
        let (here, after) = rest.split_at_mut(chunk.len());
        rest = after;
        if let Some(first) = here.first_mut() {
            *first = true;
        }
        for (begins, pair) in here.iter_mut().skip(1).zip(chunk.windows(2)) {
            *begins |= pair[0] != pair[1];
        }
    }
}
