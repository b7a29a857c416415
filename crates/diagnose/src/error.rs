//! What may be wrong with a question.

use eigensweep_spectral::Failure;

use crate::views::Fault;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiagnoseError {
    /// Shapes do not fit one another.
    #[error("{what}: {found} where {expected} are needed")]
    Shape {
        /// What there is too much or too little of, such as "rows of the repeats".
        what: &'static str,
        /// How many fit.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A number is not finite.
    #[error(
        "{what} hold {value} in row {row}, column {column} (counted from 0): leave the row out or fill it in"
    )]
    NotFinite {
        /// Which table.
        what: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What is there.
        value: f64,
    },
    /// A number whose square is none.
    #[error("{what} hold {value:e} in row {row}, column {column} (counted from 0): too large, scale them")]
    TooLarge {
        /// Which table.
        what: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What is there.
        value: f64,
    },
    /// Too few items to hold any out.
    #[error("{} with two rows or more where at least {least} are needed: {remedy}", counted(*found, of))]
    FewItems {
        /// Pairs, groups or batches.
        of: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        least: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// Every row is the same.
    #[error("all rows are the same: there is nothing to represent")]
    NoVariance,
    /// The measurements hold no signal: repeats have nothing in common, or noise drowns it.
    #[error(
        "the {of} seem to have no variance in common (its estimate is {power:.3e}): either rows are not matched as \
         they should be, or noise drowns the signal and more {of} are needed"
    )]
    NoSignal {
        /// Pairs, groups or batches.
        of: &'static str,
        /// tr Ĉ₀.
        power: f64,
    },
    /// No representation has that dimension.
    #[error("{}", dimension(*found, *most, of))]
    Dimension {
        /// k.
        found: usize,
        /// The largest.
        most: usize,
        /// What that is the number of.
        of: &'static str,
    },
    /// k cannot be found from these measurements.
    #[error("{0}")]
    DimensionNeeded(Needs),
    /// There are not so many principal components.
    #[error("components is {found}; it must be from 1 to {most}, {of}")]
    Components {
        /// How many are asked for.
        found: usize,
        /// The largest.
        most: usize,
        /// What that is the number of.
        of: &'static str,
    },
    /// No alignment.
    #[error("alignment {found} is not a number from 0 to 1e100")]
    Alignment {
        /// α.
        found: f64,
    },
    /// The caller's views failed.
    #[error("the views have no moments: {0}")]
    Views(#[source] Fault),
    /// A kernel failed.
    #[error("{what}: {source}")]
    Kernel {
        /// What was computed.
        what: &'static str,
        /// Why it was not.
        source: Failure,
    },
    /// Threads did not start.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        source: std::io::Error,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}

impl DiagnoseError {
    /// Of views that failed; one of ours that came by way of them is what it was.
    pub(crate) fn of_views(fault: Fault) -> Self {
        match fault.downcast::<Self>() {
            Ok(error) => *error,
            Err(fault) => Self::Views(fault),
        }
    }
}

/// A count with what is counted, of which `many` is the plural: `1 batch`, `3 pairs`.
pub(crate) fn counted(count: usize, many: &str) -> String {
    let one = many.strip_suffix("es").filter(|one| one.ends_with("ch")).or(many.strip_suffix('s'));
    format!("{count} {}", one.filter(|_| count == 1).unwrap_or(many))
}

fn dimension(found: usize, most: usize, of: &str) -> String {
    if most == 0 {
        return "the views of all rows are the same: there is nothing to represent; give views that keep something of \
                the rows"
            .to_owned();
    }
    format!("dimension is {found}; it must be from 1 to {most}, {of}")
}

/// Why a dimension must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No more pairs than features.
    Pairs {
        /// Pairs or groups.
        items: usize,
        /// Features.
        features: usize,
    },
    /// Batches say what is noise, and not how many directions hold signal.
    Nuisance,
}

impl std::fmt::Display for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pairs { items, features } => write!(
                f,
                "the dimension is found from more pairs than features only, and there are {items} of {}: give the \
                 dimension, or fewer principal components",
                counted(*features, "features")
            ),
            Self::Nuisance => f.write_str(
                "nuisance groups tell what is noise, but not how many directions hold signal: give the dimension",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_no_plural() {
        let all = [("pairs", "1 pair"), ("batches", "1 batch"), ("ids", "1 id"), ("features", "1 feature")];
        for (many, one) in all {
            assert_eq!(counted(1, many), one);
            assert_eq!(counted(2, many), format!("2 {many}"));
        }
    }
}
