//! Problems of a unit that wait to be solved together.

use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;
use eigensweep_theory::closed_forms::Solution;

use super::problem::Problem;
use super::{CLEAN, HELD_OUT, Of, Place, Sample, Solved, Stages, TRAINING, Target, Unit, Workspace};

/// Problems that wait, and what was found and waits to be written.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Samples that problems wait of, the present one last.
    samples: Vec<Sample>,
    /// By chain of views.
    problems: Vec<Vec<Wait>>,
    /// The sample whose models wait to be tried.
    tried: Option<Place>,
    /// Losses of clean models by row, which are written last.
    clean: Vec<(usize, Result<f64, Status>)>,
}

/// A problem that waits.
#[derive(Debug)]
struct Wait {
    key: Key,
    problem: Problem,
}

/// Where a problem belongs: sample by number, view setting and model.
#[derive(Clone, Copy, Debug)]
struct Key {
    sample: usize,
    views: usize,
    of: Of,
}

/// What a paradigm, by number, makes of a problem at each dimension.
struct Found {
    key: Key,
    paradigm: usize,
    solved: Vec<Result<Solved, Status>>,
}

impl Waiting {
    /// No problems of so many chains of views.
    pub(super) fn new(chains: usize) -> Self {
        let problems = (0..chains).map(|_| Vec::new()).collect();
        Self { samples: Vec::new(), problems, tried: None, clean: Vec::new() }
    }

    /// The next problems are of this sample.
    pub(super) fn begin(&mut self, sample: Sample) {
        self.samples.push(sample);
    }
}

impl Stages {
    /// Has the problems of a model wait, one of each chain of views; solves all that wait if these
    /// are as many as fit.
    pub(super) fn add(
        &self,
        unit: &Unit<'_>,
        views: usize,
        of: Of,
        waiting: &mut Waiting,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        let mut full = false;
        for (number, chain) in self.settings.chains.iter().enumerate() {
            if !self.settings.of.contains(&number) {
                continue;
            }
            let Some((sample, last)) = waiting.samples.len().checked_sub(1).zip(waiting.samples.last())
            else {
                return;
            };
            let given = self.given(unit, last, of);
            let setting = &self.settings.views[views];
            let mut chain = self.views(&given, chain, setting.at);
            let problem = self.problem(&given, last.place, &mut chain, setting.floor, workspace);
            full |= waiting.problems[number].len() + 1 >= workspace.forms.capacity(problem.size());
            waiting.problems[number].push(Wait { key: Key { sample, views, of }, problem });
        }
        if full {
            self.solve(unit, waiting, workspace, batch);
        }
    }

    /// Solves the problems that still wait, and writes what has waited for that.
    pub(super) fn finish(
        &self,
        unit: &Unit<'_>,
        mut waiting: Waiting,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        self.solve(unit, &mut waiting, workspace, batch);
        self.try_all(unit, &mut waiting, None, workspace, batch);
        for (row, loss) in waiting.clean {
            match loss {
                _ if batch.status()[row] != Status::Ok => {}
                Err(status) => batch.fail(row..row + 1, status),
                Ok(loss) => self.frame.columns.write_clean(batch, row, loss),
            }
        }
    }

    /// Solves all problems that wait, and writes their rows.
    fn solve(&self, unit: &Unit<'_>, waiting: &mut Waiting, workspace: &mut Workspace, batch: &mut Rows) {
        let mut found = Vec::new();
        for number in 0..waiting.problems.len() {
            self.solve_chain(unit, number, waiting, workspace, &mut found);
        }
        // Models are tried on the rows of one sample after the other.
        found.sort_by_key(|found| found.key.sample);
        for Found { key: Key { sample, views, of }, paradigm, solved } in found {
            let Some(Sample { place, clean, .. }) = waiting.samples.get(sample) else { continue };
            let (place, same) = (*place, clean.is_none());
            self.try_all(unit, waiting, Some(place), workspace, batch);
            for (at_k, solved) in solved.into_iter().enumerate() {
                let row =
                    |cell| self.first_row(place, views, cell) + self.settings.dimensions[at_k] + paradigm;
                let mut predict = |on: &[usize], solved: &Solved, cell: Option<usize>, batch: &mut Rows| {
                    let target = Target { views, cell, dimension: at_k, paradigm };
                    self.predict(on, solved, target, unit, place, workspace, batch);
                };
                match (of, solved) {
                    (Of::Clean, solved) => {
                        if let Ok(solved) = &solved {
                            predict(&[CLEAN], solved, None, batch);
                        }
                        let loss = solved.map(|solved| solved.loss);
                        let rows = self.cells(place, views).map(|cell| (row(cell), loss));
                        waiting.clean.extend(rows);
                    }
                    (Of::Cell(cell), Err(status)) => batch.fail(row(cell)..row(cell) + 1, status),
                    (Of::Cell(cell), Ok(solved)) => {
                        self.frame.columns.write_problem(batch, row(cell), solved.loss, &solved.metrics);
                        let on: &[usize] =
                            if same { &[CLEAN, TRAINING, HELD_OUT] } else { &[TRAINING, HELD_OUT] };
                        predict(on, &solved, Some(cell), batch);
                        if same {
                            self.frame.columns.write_clean(batch, row(cell), solved.loss);
                        }
                    }
                }
            }
        }
        let before = waiting.samples.len().saturating_sub(1);
        waiting.samples.drain(..before);
    }

    /// Solves the problems that wait of a chain of views.
    fn solve_chain(
        &self,
        unit: &Unit<'_>,
        chain: usize,
        waiting: &mut Waiting,
        workspace: &mut Workspace,
        found: &mut Vec<Found>,
    ) {
        let waits = std::mem::take(&mut waiting.problems[chain]);
        let numbers: Vec<usize> =
            self.settings.of.iter().enumerate().filter(|(_, of)| **of == chain).map(|(at, _)| at).collect();
        let paradigms: Vec<_> = numbers.iter().map(|&at| self.frame.paradigms[at]).collect();
        let problems: Vec<_> = waits.iter().map(|wait| wait.problem.given()).collect();
        let Workspace { forms, probe, leakage, spectra, .. } = workspace;
        forms.solve(&paradigms, self.largest_dimension(), &problems, |place, at, solution| {
            let (Wait { key, problem }, paradigm) = (&waits[place], paradigms[at]);
            if paradigm.spectrum.is_some() {
                let values = solution.as_ref().map(|solution| match solution {
                    Solution::Encoder(encoder) => encoder.spectrum.values.to_vec(),
                    Solution::Predictor(_) => Vec::new(),
                });
                spectra.retain(|(of, _)| *of != paradigm);
                spectra.push((paradigm, values.map_err(|failure| *failure)));
            }
            let given = self.given(unit, &waiting.samples[key.sample], key.of);
            let solved = problem.evaluate(&given, solution, (self, probe, leakage));
            found.push(Found { key: *key, paradigm: numbers[at], solved });
        });
    }

    /// Tries the models that wait, unless they are of that sample, on whose rows further ones are
    /// to be tried.
    fn try_all(
        &self,
        unit: &Unit<'_>,
        waiting: &mut Waiting,
        next: Option<Place>,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        let before = std::mem::replace(&mut waiting.tried, next);
        let same = before.zip(next).is_some_and(|(before, next)| before.within == next.within);
        if let (Some(before), false) = (before, same) {
            for on in [CLEAN, TRAINING, HELD_OUT] {
                self.try_on(on, unit, before, workspace, batch);
            }
        }
    }
}
