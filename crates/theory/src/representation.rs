//! What is reported of a k-dimensional representation.

/// Metrics of one representation of dimension k; each is invariant to the encoder's free factor (T or U).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Representation {
    /// Linear probing loss, equation 93; in units of the labels' power.
    pub loss: f64,
    /// Share of the representation's variance that is irrelevant noise, in \[0, 1\]; `None` where it was not asked for.
    pub leakage: Option<f64>,
    /// (kth − (k+1)th) eigenvalue of the pencil over the first, in \[0, 1\]; `None` at k = d.
    pub gap: Option<f64>,
}

/// (kth − (k+1)th) value over the first of a descending spectrum; `None` where there is no (k+1)th.
///
/// A small gap says that the row space of the encoder is ill-determined. Zero if the first value is.
#[must_use]
pub fn relative_gap(descending: &[f64], dimension: usize) -> Option<f64> {
    let next = descending.get(dimension)?;
    let kth = descending.get(dimension.checked_sub(1)?)?;
    let first = descending.first()?;
    Some(if *first > 0.0 { ((kth - next) / first).max(0.0) } else { 0.0 })
}
