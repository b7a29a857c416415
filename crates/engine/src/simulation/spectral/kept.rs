//! Problems of the replicates of a single cell, kept so that another alignment takes no other draw.

use std::collections::BTreeMap;

use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;

use super::evaluate::{self, Corrupted};
use super::{Spectral, Workspace, sample};
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
    /// C̃, B̃, κ², the eigenvalues of Γ and of Θ: columns one after another.
    numbers: Vec<f64>,
    label_power: f64,
    /// Loss of the clean model, where it is asked for.
    clean: f64,
}

/// The numbers of a problem in the workspace, by columns.
fn columns(
    workspace: &mut Workspace,
    components: usize,
    labels: usize,
) -> impl Iterator<Item = &mut [f64]> + '_ {
    let Workspace { features, signal, gamma, theta, inputs, input_labels, .. } = workspace;
    let size = *features + components;
    let inputs = inputs.as_mut().subcols_mut(0, size).col_iter_mut();
    let matrices = inputs.chain(input_labels.as_mut().subcols_mut(0, labels).col_iter_mut());
    let matrices =
        matrices.filter_map(move |column| column.try_as_col_major_mut()?.as_slice_mut().get_mut(..size));
    let spectra = [&mut signal[..*features], &mut gamma[..components], &mut theta[..size]];
    matrices.chain(spectra)
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
        let (labels, components) = (self.counts.labels, noise.components);
        let Some((&samples, (_, parameters))) = self.frame.samples.first().zip(views.cells.first()) else {
            return;
        };
        let has_clean = self.frame.columns.has_clean();
        let mut new = Vec::new();
        workspace.begin_task();
        for (at, &replicate) in replicates.iter().enumerate() {
            let label_power = if let Some(problem) = kept.problems.get(&replicate) {
                let mut numbers = problem.numbers.as_slice();
                for column in columns(workspace, components, labels) {
                    let (these, others) = numbers.split_at(column.len());
                    column.copy_from_slice(these);
                    numbers = others;
                }
                problem.label_power
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
                let label_power = evaluate::corrupted(self, workspace, replicate.into(), samples, noise);
                evaluate::theta(self, workspace, replicate.into(), views, workspace.features + components);
                let mut numbers = Vec::new();
                columns(workspace, components, labels).for_each(|column| numbers.extend_from_slice(column));
                new.push((at, replicate, Problem { numbers, label_power, clean: f64::NAN }));
                label_power
            };
            workspace.corrupted.next_sample();
            evaluate::wait(self, workspace, Corrupted { components, parameters, label_power }, at, rows);
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
