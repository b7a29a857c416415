//! Drawing: the population or subset of a replicate, clean Gram matrices, noise moments, spectra.
//!
//! Streams and coordinates are those of [`Draw`]: spectra, teacher and permutation a replicate;
//! clean sample and noise a (replicate, n). So views, alignments, scales, dimensions and paradigms
//! see the same sample (common random numbers).

use eigensweep_sampling::explicit::BLOCK_ROWS;
use eigensweep_sampling::streams::Draw;
use eigensweep_sampling::subset::permute;
use eigensweep_theory::{Failure, MemStack};

use super::setting::DataSetting;
use super::{Spectral, Workspace};
use crate::input::{Input, RowSet, teacher};
use eigensweep_job::Sampler;

/// Chooses replicate and data setting: spectrum and teacher, or permutation.
pub(super) fn begin(simulation: &Spectral, workspace: &mut Workspace, replicate: u64, data: usize) {
    workspace.data = data;
    match &simulation.settings.data[data] {
        DataSetting::Gaussian { components, spectrum, teacher: spec, teacher_index } => {
            workspace.features = *components;
            let signal = &mut workspace.signal[..*components];
            // The signal is what others are relative to.
            spectrum.fill(&simulation.frame.streams, Draw::SignalSpectrum, replicate, || 1.0, signal);
            if let Some(gaussian) = &mut workspace.gaussian {
                let labels = simulation.counts.labels;
                let mut rng = simulation.frame.streams.stream(Draw::Teacher, &[replicate]);
                gaussian.draw_teacher(signal, teacher(spec, *teacher_index, labels), &mut rng);
            }
        }
        DataSetting::Rows(index) => {
            if let Some(set) = row_set(simulation, data) {
                workspace.features = set.rows.features();
                let mut rng = simulation.frame.streams.stream(Draw::Subset, &[replicate]);
                let total = u32::try_from(set.rows.samples()).unwrap_or(u32::MAX);
                permute(total, &mut workspace.order, &mut workspace.pool, &mut rng);
            }
            if let Some(nested) = workspace.nested.get_mut(*index) {
                nested.restart();
            }
        }
    }
}

/// Writes AᵀA of the sample of size n into `workspace.clean` and, for the moment sampler, factors
/// it.
pub(super) fn clean(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
) -> Result<(), Failure> {
    let width = workspace.features + simulation.counts.labels;
    let mut gram = workspace.clean.as_mut().submatrix_mut(0, 0, width, width);
    let nested = match simulation.settings.data.get(workspace.data) {
        Some(DataSetting::Rows(index)) => workspace.nested.get_mut(*index),
        _ => None,
    };
    match (row_set(simulation, workspace.data), nested, &mut workspace.gaussian) {
        (Some(set), Some(nested), _) => {
            let count = usize::try_from(samples).unwrap_or(usize::MAX);
            nested.extend_to(&set.rows, &workspace.order, count, gram.as_mut());
        }
        (_, _, Some(gaussian)) if simulation.sampler == Sampler::Moments => {
            let mut rng = simulation.frame.streams.stream(Draw::Clean, &[replicate, samples]);
            gaussian.draw_gram(samples, gram.as_mut(), &mut rng, MemStack::new(&mut workspace.memory));
        }
        // Explicit synthetic rows are drawn together with their noise.
        _ => return Ok(()),
    }
    match simulation.sampler {
        Sampler::Moments => {
            let stack = MemStack::new(&mut workspace.memory);
            workspace.moments.condition_on(gram.as_ref(), samples, stack)
        }
        Sampler::Explicit => Ok(()),
    }
}

/// Writes AᵀN and NᵀN of `components` unit noise components (and AᵀA, for explicit synthetic rows).
pub(super) fn noise(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    components: usize,
) {
    let width = workspace.features + simulation.counts.labels;
    let mut cross = workspace.cross.as_mut().submatrix_mut(0, 0, width, components);
    let mut noise = workspace.noise.as_mut().submatrix_mut(0, 0, components, components);
    let mut rng = simulation.frame.streams.stream(Draw::Noise, &[replicate, samples]);
    if simulation.sampler == Sampler::Moments {
        workspace.moments.draw(cross, noise, &mut rng, MemStack::new(&mut workspace.memory));
        return;
    }
    cross.fill(0.0);
    noise.fill(0.0);
    let mut clean_rng = simulation.frame.streams.stream(Draw::Clean, &[replicate, samples]);
    let set = row_set(simulation, workspace.data);
    let mut gram = workspace.clean.as_mut().submatrix_mut(0, 0, width, width);
    if set.is_none() {
        gram.fill(0.0);
    }
    // The job reader bounds explicit samples far below the range of usize.
    let total = usize::try_from(samples).unwrap_or(usize::MAX);
    let mut start = 0;
    while start < total {
        let count = BLOCK_ROWS.min(total - start);
        if let Some(set) = set {
            for (column, &row) in workspace.order[start..start + count].iter().enumerate() {
                set.rows.write(row as usize, &mut workspace.block.col_as_slice_mut(column)[..width]);
            }
        }
        let mut block = workspace.block.as_mut().submatrix_mut(0, 0, width, count);
        if let (None, Some(gaussian)) = (set, &mut workspace.gaussian) {
            gaussian.draw_rows(block.as_mut(), &mut clean_rng);
            workspace.explicit.add_gram(block.as_ref(), gram.as_mut());
        }
        workspace.explicit.add_rows(block.as_ref(), cross.as_mut(), noise.as_mut(), &mut rng);
        start += count;
    }
}

/// The row set of a data setting, if the data are real.
pub(super) fn row_set(simulation: &Spectral, data: usize) -> Option<&RowSet> {
    match (&*simulation.frame.input, simulation.settings.data.get(data)) {
        (Input::Rows { sets, .. }, Some(DataSetting::Rows(index))) => sets.get(*index).map(|set| &**set),
        _ => None,
    }
}
