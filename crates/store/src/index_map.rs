//! Where the rows of a section stand in the grid of the whole job.

use crate::grid::Grid;

/// The place of each value of a grid's axes on those of a larger grid.
#[derive(Clone, Debug)]
pub(crate) struct IndexMap<'g> {
    part: &'g Grid,
    whole: &'g Grid,
    /// By axis and value: what it adds to the number of a row.
    digits: Vec<Vec<u64>>,
}

impl<'g> IndexMap<'g> {
    /// Of `part` in `whole`, which has all its axes and values.
    pub(crate) fn new(part: &'g Grid, whole: &'g Grid) -> Self {
        let digits = part.axes.iter().zip(&whole.axes).map(|(some, all)| {
            let place: std::collections::HashMap<u64, u64> =
                (0..all.values.len()).map(|at| (all.values.as_float(at).to_bits(), at as u64)).collect();
            let find = |at: usize| place.get(&some.values.as_float(at).to_bits()).copied().unwrap_or(0);
            (0..some.values.len()).map(|at| find(at) * all.stride).collect()
        });
        Self { part, whole, digits: digits.collect() }
    }

    /// Number of the row in the whole.
    pub(crate) fn row(&self, row: u64) -> u64 {
        let axes = self.part.axes.iter().zip(&self.digits);
        let cell: u64 = axes.map(|(axis, digits)| digits[axis.index(row)]).sum();
        let replicate = self.part.replicate(row) - self.whole.first_replicate;
        cell + replicate * self.whole.rows_per_unit + row % self.part.paradigms
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::IndexMap;
    use crate::grid::Grid;
    use eigensweep_job as job;

    const JOB: &str = "[data]\ncomponents = [2, 5]\n[augmentation]\nalignment = [0.1, 1, 10]\n[model]\ndimension = 2\n[grid]\n\
        samples = [10, 100, 1000]\n[job]\nreplicates = 6";

    fn grid(set: &[&str]) -> Grid {
        let set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        Grid::new(&job::parse("test.toml", JOB, &set, Path::new("")).unwrap().spec)
    }

    #[test]
    fn a_row_keeps_its_coordinates() {
        let whole = grid(&[]);
        let part = grid(&[
            "data.components=5",
            "augmentation.alignment=[10, 0.1]",
            "grid.samples=[1000, 10]",
            "job.first_replicate=2",
            "job.replicates=3",
        ]);
        let map = IndexMap::new(&part, &whole);
        for row in 0..part.rows() {
            let there = map.row(row);
            assert_eq!(whole.replicate(there), part.replicate(row));
            assert_eq!(whole.paradigm(there), part.paradigm(row));
            for (one, other) in part.axes.iter().zip(&whole.axes) {
                let (one, other) =
                    (one.values.as_float(one.index(row)), other.values.as_float(other.index(there)));
                assert_eq!(one.to_bits(), other.to_bits());
            }
        }
    }
}
