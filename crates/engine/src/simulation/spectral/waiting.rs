//! Where problems wait until there are enough of one size to solve them together.

use eigensweep_theory::Failure;
use eigensweep_theory::additive::{AdditiveBatch, Represented};
use eigensweep_theory::leakage::{CleanMoment, Population};
use faer::{MatMut, MatRef};

use super::Spectral;
use super::sample::row_set;

/// Problems that wait, each with a tag of the caller's.
///
/// Whoever brings one, or another sample, asks first whether it [`has room`](Self::has_room_for), and otherwise
/// [`solve`](Self::solve)s, reads the [`solved`](Self::solved), and [`clear`](Self::clear)s.
#[derive(Debug)]
pub(super) struct WaitingRoom<T> {
    solver: AdditiveBatch,
    /// Of each problem: its tag, and its moments.
    waiting: Vec<(T, usize)>,
    /// By number of the moments.
    populations: Vec<Source>,
    /// The moments that problems are pushed for.
    current: usize,
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
            current: 0,
        }
    }

    /// Forgets all problems, and all moments but those of the present sample.
    pub(super) fn clear(&mut self) {
        if !self.waiting.is_empty() {
            self.solver.keep(self.current);
            self.waiting.clear();
        }
        self.current = 0;
    }

    /// Another sample, of size d with ℓ labels, comes next: C̃, B̃ and y² to be filled. Its problems
    /// are to be solved for these dimensions, which must be those of all that wait.
    pub(super) fn next_sample(
        &mut self,
        (size, labels): (usize, usize),
        dimensions: impl Iterator<Item = usize>,
    ) -> (MatMut<'_, f64>, MatMut<'_, f64>, &mut f64) {
        self.current = self.waiting.last().map_or(0, |(_, last)| last + 1);
        if self.waiting.is_empty() {
            self.solver.start(size, labels, dimensions);
        }
        self.moments_mut()
    }

    /// C̃, B̃ and y² of the present sample.
    pub(super) fn moments_mut(&mut self) -> (MatMut<'_, f64>, MatMut<'_, f64>, &mut f64) {
        self.solver.moments_mut(self.current)
    }

    /// C̃ and B̃ of the present sample.
    pub(super) fn moments(&self) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
        self.solver.moments(self.current)
    }

    /// Whether a problem of size d can wait with those that do.
    pub(super) fn has_room_for(&self, size: usize) -> bool {
        self.waiting.is_empty() || (self.solver.size() == size && self.waiting.len() < self.solver.capacity())
    }

    /// Takes the problem of the present sample with the views of Σ (d).
    pub(super) fn push(&mut self, sigma: &[f64], origin: Origin<'_>, tag: T) {
        let source = &mut self.populations[self.current];
        source.data = origin.data;
        source.signal.clear();
        source.signal.extend_from_slice(origin.signal);
        source.gamma.clear();
        source.gamma.extend_from_slice(origin.gamma);
        self.solver.push(self.current, sigma);
        self.waiting.push((tag, self.current));
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
