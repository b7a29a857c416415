//! Axes: numbers of which a job may give several, and the grid is the product of them all.

/// Most values that one axis may have: chosen well above any figure's, so that what exceeds it is a
/// slip (a `step` where a `ratio` was meant), and small enough that even thirteen such axes fit in
/// memory.
pub const AXIS_LIMIT: usize = 1_000_000;

/// The values of one numeric key: at least one, none twice, in the order in which they were
/// written.
///
/// In a job file an axis is a number, a list of numbers, or a range:
///
/// | form | values |
/// |---|---|
/// | `{ from, to, ratio }` | `from · ratioʲ` up to `to`; `ratio` > 1 |
/// | `{ from, to, step }` | `from + j · step` up to `to`; `step` > 0 |
/// | `{ from, to, count }` | `count` values at equal distances, both ends exact |
/// | `{ from, to, count, scale = "linear" }` | the same |
/// | `{ from, to, count, scale = "log" }` | `count` values at equal ratios, both ends exact |
///
/// `from` must be below `to`, and above 0 where ratios are equal. Axes of whole numbers have whole
/// ends and steps and round what lies between to the nearest; values that coincide then are
/// refused.
///
/// A key that is measured against the data takes `{ relative = … }` around any of these forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis<T> {
    values: Vec<T>,
    relative: bool,
}

impl<T: Copy> Axis<T> {
    /// An axis of one value.
    pub fn single(value: T) -> Axis<T> {
        Axis { values: vec![value], relative: false }
    }

    /// The given values, or `None` if there are none. That none comes twice is the caller's to
    /// know.
    #[must_use]
    pub fn new(values: Vec<T>) -> Option<Axis<T>> {
        (!values.is_empty()).then_some(Axis { values, relative: false })
    }

    /// These values as multiples of the largest eigenvalue of the clean data.
    #[must_use]
    pub fn relative(self) -> Axis<T> {
        Axis { relative: true, ..self }
    }

    /// Whether the values are multiples of the largest eigenvalue of the clean data.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.relative
    }

    /// Keeps the values at these positions, which must not be none.
    pub(super) fn keep(&mut self, positions: &[usize]) {
        self.values = positions.iter().filter_map(|&at| self.values.get(at).copied()).collect();
    }

    /// All values, in the order written.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The value, if there is only one.
    #[must_use]
    pub fn only(&self) -> Option<T> {
        if let [value] = self.values[..] { Some(value) } else { None }
    }
}
