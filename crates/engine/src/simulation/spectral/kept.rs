//! Problems of the replicates of a single cell, kept so that another alignment takes no other draw.

use std::collections::BTreeMap;

use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;

use super::{Spectral, Workspace, evaluate, sample};
use crate::simulation::KEPT_BYTES;

/// Problems of replicates, all but the alignment of their views.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    problems: BTreeMap<u32, Problem>,
    bytes: usize,
}

/// What was drawn of a replicate.
#[derive(Debug)]
struct Problem {
    /// C̃, B̃, y², κ², the eigenvalues of Γ and of Θ: columns one after another.
    numbers: Vec<f64>,
    /// Loss of the clean model, where it is asked for.
    clean: f64,
}

/// The numbers of the present problem of the workspace, by columns.
fn columns(workspace: &mut Workspace, components: usize) -> impl Iterator<Item = &mut [f64]> + '_ {
    let Workspace { features, signal, gamma, theta, corrupted, .. } = workspace;
    let size = *features + components;
    let (inputs, input_labels, label_power) = corrupted.moments_mut();
    let matrices = inputs.col_iter_mut().chain(input_labels.col_iter_mut());
    let matrices = matrices.filter_map(|column| Some(column.try_as_col_major_mut()?.as_slice_mut()));
    let spectra = [&mut signal[..*features], &mut gamma[..components], &mut theta[..size]];
    matrices.chain([std::slice::from_mut(label_power)]).chain(spectra)
}

impl Spectral {
    /// Computes these replicates of a simulation of one cell with one row: the nth in row n. What
    /// is drawn of them is kept, as far as there is room.
    pub(crate) fn run_replicates(
        &self,
        replicates: &[u32],
        workspace: &mut Workspace,
        kept: &mut Kept,
        rows: &mut Rows,
    ) {
        let (Some(noise), Some(views)) = (self.settings.noise.first(), self.settings.views.first()) else {
            return;
        };
        let components = noise.components;
        let Some((&samples, (_, parameters))) = self.frame.samples.first().zip(views.cells.first()) else {
            return;
        };
        let has_clean = self.frame.columns.has_clean();
        let mut new = Vec::new();
        workspace.begin_task();
        for (at, &replicate) in replicates.iter().enumerate() {
            if let Some(problem) = kept.problems.get(&replicate) {
                evaluate::next_corrupted(self, workspace, components, rows);
                let mut numbers = problem.numbers.as_slice();
                for column in columns(workspace, components) {
                    let (these, others) = numbers.split_at(column.len());
                    column.copy_from_slice(these);
                    numbers = others;
                }
            } else {
                sample::begin(self, workspace, replicate.into(), 0);
                if let Err(failure) = sample::clean(self, workspace, replicate.into(), samples) {
                    rows.fail(at..at + 1, failure.into());
                    continue;
                }
                sample::noise(self, workspace, replicate.into(), samples, components);
                if has_clean {
                    evaluate::clean(self, workspace, replicate.into(), samples, at);
                }
                evaluate::corrupted(self, workspace, replicate.into(), samples, noise, rows);
                evaluate::theta(self, workspace, replicate.into(), views, workspace.features + components);
                let mut numbers = Vec::new();
                columns(workspace, components).for_each(|column| numbers.extend_from_slice(column));
                new.push((at, replicate, Problem { numbers, clean: f64::NAN }));
            }
            evaluate::wait(self, workspace, (components, parameters), at, rows);
        }
        evaluate::finish(self, workspace, rows);
        if has_clean {
            for (at, problem) in
                replicates.iter().enumerate().filter_map(|(at, one)| Some((at, kept.problems.get(one)?)))
            {
                if rows.status()[at] == Status::Ok {
                    self.frame.columns.write_clean(rows, at, problem.clean);
                }
            }
        }
        for (at, replicate, problem) in new {
            let bytes = 8 * problem.numbers.len();
            if rows.status()[at] == Status::Ok && kept.bytes + bytes <= KEPT_BYTES {
                let clean = self.frame.columns.clean_loss(rows, at);
                kept.bytes += bytes;
                kept.problems.insert(replicate, Problem { clean, ..problem });
            }
        }
    }
}
