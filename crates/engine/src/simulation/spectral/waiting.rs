//! Where problems wait until there are enough of one size to solve them together.

use eigensweep_theory::Failure;
use eigensweep_theory::additive::{Additive, AdditiveBatch, Represented};
use eigensweep_theory::leakage::{CleanMoment, Population};

use super::Spectral;
use super::sample::row_set;

/// Problems that wait, each with a tag of the caller's.
///
/// Whoever brings one asks first whether it [`has room`](Self::has_room_for), and otherwise
/// [`solve`](Self::solve)s, reads the [`solved`](Self::solved), and [`clear`](Self::clear)s.
#[derive(Debug)]
pub(super) struct WaitingRoom<T> {
    solver: AdditiveBatch,
    /// Of each problem: its tag, and its moments.
    waiting: Vec<(T, usize)>,
    /// By number of the moments.
    populations: Vec<Source>,
    /// The moments that problems are pushed for; none at the beginning of a sample or of a batch.
    current: Option<usize>,
}

/// What row spaces are measured against, kept until the batch is solved.
#[derive(Debug)]
struct Source {
    data: usize,
    /// κ² (k₀), of synthetic data.
    signal: Vec<f64>,
    /// Eigenvalues of Γ (p).
    gamma: Vec<f64>,
}

/// Where a sample comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Index of the data setting.
    pub(super) data: usize,
    /// κ² (k₀), of synthetic data.
    pub(super) signal: &'a [f64],
    /// Eigenvalues of Γ (p).
    pub(super) gamma: &'a [f64],
}

impl<T: Copy> WaitingRoom<T> {
    /// Room for as many as the solver takes, with up to so many signal and noise components.
    pub(super) fn new(solver: AdditiveBatch, signal: usize, noise: usize) -> Self {
        let source =
            |_| Source { data: 0, signal: Vec::with_capacity(signal), gamma: Vec::with_capacity(noise) };
        let most = solver.most();
        Self {
            solver,
            waiting: Vec::with_capacity(most),
            populations: (0..most).map(source).collect(),
            current: None,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.current = None;
    }

    /// Moments of another sample come next.
    pub(super) fn next_sample(&mut self) {
        self.current = None;
    }

    /// Whether a problem of size d can wait with those that do.
    pub(super) fn has_room_for(&self, size: usize) -> bool {
        self.waiting.is_empty() || (self.solver.size() == size && self.waiting.len() < self.solver.capacity())
    }

    /// Takes a problem of the present sample, to be solved for these dimensions, which must be
    /// those of all that wait.
    pub(super) fn push(
        &mut self,
        problem: &Additive<'_>,
        origin: Origin<'_>,
        dimensions: impl Iterator<Item = usize>,
        tag: T,
    ) {
        if self.waiting.is_empty() {
            self.solver.start(problem.sigma.len(), problem.input_labels.ncols(), dimensions);
        }
        let moments = self.current.unwrap_or_else(|| {
            let Additive { inputs, input_labels, label_power, .. } = *problem;
            let moments = self.solver.add_moments(inputs, input_labels, label_power);
            let source = &mut self.populations[moments];
            source.data = origin.data;
            source.signal.clear();
            source.signal.extend_from_slice(origin.signal);
            source.gamma.clear();
            source.gamma.extend_from_slice(origin.gamma);
            moments
        });
        self.current = Some(moments);
        self.solver.push(moments, problem.sigma);
        self.waiting.push((tag, moments));
    }

    /// Solves what waits.
    pub(super) fn solve(&mut self, simulation: &Spectral) {
        let Self { solver, waiting, populations, .. } = self;
        if waiting.is_empty() {
            return;
        }
        solver.solve(|place| {
            let source = &populations[waiting[place].1];
            let clean = match row_set(simulation, source.data) {
                Some(set) => set.moment.view(),
                None => CleanMoment::Diagonal(&source.signal),
            };
            Population { clean, gamma: &source.gamma }
        });
    }

    /// Size d of what waits.
    pub(super) fn size(&self) -> usize {
        self.solver.size()
    }

    /// What was solved: each problem's tag, and what the nth of the solver's paradigms made of it.
    pub(super) fn solved(
        &self,
        paradigms: usize,
    ) -> impl Iterator<Item = (T, usize, Result<Represented<'_>, Failure>)> {
        self.waiting.iter().enumerate().flat_map(move |(place, &(tag, _))| {
            (0..paradigms).map(move |n| (tag, n, self.solver.represented(place, n)))
        })
    }
}
