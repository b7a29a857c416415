//! Samples of the replicates of a single cell, kept so that another alignment gathers no row again.

use std::collections::BTreeMap;

use eigensweep_store::rows::Rows;

use super::problem::Population;
use super::waiting::Waiting;
use super::{Moments, Place, Sample, Stages, Workspace};
use crate::simulation::KEPT_BYTES;

/// Moments of the samples of replicates, and what leakage is measured against.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    samples: BTreeMap<u32, (Moments, Option<Moments>)>,
    bytes: usize,
    population: Option<Option<Population>>,
}

impl Moments {
    /// Bytes of the largest of its matrices.
    fn bytes(&self) -> usize {
        let of = |matrix: &faer::Mat<f64>| 8 * matrix.nrows() * matrix.ncols();
        of(&self.raw.second) + self.inputs.iter().map(|inputs| of(&inputs.second)).sum::<usize>()
    }
}

impl Stages {
    /// Computes these replicates of a simulation of one cell with one row: the nth in row n. Their
    /// problems wait for one another; moments of samples are kept as far as there is room.
    pub(crate) fn run_replicates(
        &self,
        replicates: &[u32],
        workspace: &mut Workspace,
        kept: &mut Kept,
        batch: &mut Rows,
    ) {
        let Some(&samples) = self.frame.samples.first() else { return };
        let samples = usize::try_from(samples).unwrap_or(usize::MAX);
        let Some(mut unit) = self.unit(0, 0, kept.population.take(), workspace) else { return };
        let mut waiting = Waiting::new(self.settings.chains.len());
        for (start, &replicate) in replicates.iter().enumerate() {
            unit.replicate = replicate.into();
            self.begin(&unit, workspace);
            let (moments, clean) = match kept.samples.get(&replicate) {
                Some(known) => known.clone(),
                None => {
                    self.extend(&unit, samples, workspace);
                    let drawn = self.moments(&unit, workspace);
                    let bytes = drawn.0.bytes() + drawn.1.as_ref().map_or(0, Moments::bytes);
                    if kept.bytes + bytes <= KEPT_BYTES {
                        kept.bytes += bytes;
                        kept.samples.insert(replicate, drawn.clone());
                    }
                    drawn
                }
            };
            let place = Place { column: 0, within: 0, start, samples };
            self.hand_over(&unit, Sample { place, moments, clean }, &mut waiting, workspace, batch);
        }
        self.finish(&unit, waiting, workspace, batch);
        kept.population = Some(unit.population);
    }
}
