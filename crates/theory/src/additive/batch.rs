//! Additive problems of one size, solved together, or one by one where they are too large for it.

use std::sync::{Arc, Mutex, PoisonError};

use eigensweep_spectral::Failure;
use eigensweep_spectral::band::LARGEST_SIZE;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::scaled::{self, ScaledBatch};
use faer::{Mat, MatMut, MatRef};

use super::blocked::BlockedSolver;
use super::{Additive, Route};
use crate::closed_forms::ClosedForms;
use crate::leakage::{CleanMoment, Leakage, Population};
use crate::metrics::{Found, measure};
use crate::paradigms::Scaled;
use crate::spectrum::Spectrum;
use crate::views::stages::Tier;
use crate::{Metric, Paradigm};

/// Largest sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// d.
    pub size: usize,
    /// The smallest d that will come.
    pub smallest: usize,
    /// p, of the d inputs.
    pub noise_components: usize,
    /// ℓ.
    pub labels: usize,
    /// Largest k.
    pub dimension: usize,
    /// Most different k at a time.
    pub dimensions: usize,
}

/// What is wanted of each problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Paradigms.
    pub paradigms: Vec<&'static Paradigm>,
    /// Metrics of representations, beside the loss; others have no values here.
    pub metrics: Vec<&'static Metric>,
}

impl Wanted {
    fn row_space(&self) -> bool {
        self.metrics.iter().any(|metric| metric.needs_row_space())
    }

    /// What a batch is to answer.
    fn of_batch(&self) -> scaled::Wanted {
        let mut wanted = scaled::Wanted { vectors: self.row_space(), ..scaled::Wanted::default() };
        for scaled in self.paradigms.iter().filter_map(|paradigm| paradigm.scaled.as_ref()) {
            (scaled.wants)(&mut wanted);
        }
        wanted
    }
}

/// What is wanted of one problem.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) dimensions: &'a [usize],
    pub(super) metrics: &'a [&'static Metric],
    /// What the row space is measured against, if a metric needs it.
    pub(super) population: Option<Population<'a>>,
}

impl Wish<'_> {
    /// Where the metrics at the nth dimension go: metric × dimension.
    pub(super) fn at<'v>(
        &self,
        values: &'v mut [f64],
        n: usize,
    ) -> impl Iterator<Item = &'v mut f64> + use<'v> {
        values.iter_mut().skip(n).step_by(self.dimensions.len())
    }

    /// Writes the metrics of a problem whose paradigm learns no representation.
    pub(super) fn measure_problem(&self, rank: usize, workspace: &mut Leakage, values: &mut [f64]) {
        let found = Found { rank, tier: Tier::Moments, spectrum: None, row_space: None };
        for n in 0..self.dimensions.len() {
            measure(self.metrics, found, workspace, self.at(values, n));
        }
    }
}

/// A problem as one paradigm solves it, at each of the dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Represented<'a> {
    /// Losses: linear probing losses (equation 93), or those of the model of the labels; in units
    /// of the labels' power. NaN of a representation above the [`rank`](Self::rank).
    pub losses: &'a [f64],
    /// Rank of S: as many dimensions as a representation can have.
    pub rank: usize,
    /// Metric × dimension.
    values: &'a [f64],
}

impl<'a> Represented<'a> {
    /// The loss at the nth of the dimensions.
    ///
    /// # Errors
    ///
    /// [`Failure::DimensionAboveRank`] where a representation has not so many.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub fn loss(&self, n: usize) -> Result<f64, Failure> {
        let loss = self.losses[n];
        if loss.is_nan() { Err(Failure::DimensionAboveRank { rank: self.rank }) } else { Ok(loss) }
    }

    /// Values of the nth of the wanted metrics; NaN where there is none.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    pub fn metric(&self, n: usize) -> &'a [f64] {
        &self.values[n * self.losses.len()..][..self.losses.len()]
    }
}

/// Losses and metrics of every paradigm at every dimension k, for each problem of a batch.
///
/// Moments are given once ([`add_moments`](Self::add_moments)) and shared by the problems of
/// different Σ. Results are those of the problem alone, whatever else is in the batch.
pub struct AdditiveBatch {
    /// Others may share it: nothing of it is needed between calls.
    batch: Option<Arc<Mutex<ScaledBatch>>>,
    /// All that it serves.
    served: Arc<[(scaled::Room, scaled::Wanted)]>,
    /// From the first problem on that needs it.
    blocked: Option<Box<BlockedSolver>>,
    instruction_set: InstructionSet,
    leakage: Leakage,
    /// A basis of a row space (d × k), where metrics want one.
    basis: Mat<f64>,
    wanted: Wanted,
    room: Room,
    /// The route of every size, if it was given.
    given: Option<Route>,
    route: Route,
    size: usize,
    labels: usize,
    /// The dimensions k of the representations.
    dimensions: Vec<usize>,
    moments: Vec<SampleMoments>,
    moments_used: usize,
    problems: Vec<usize>,
    /// Of each problem: Σ (d).
    sigma: Vec<f64>,
    /// Problem × paradigm × (loss, metrics) × dimension.
    values: Vec<f64>,
    /// Problem × paradigm: the rank of S.
    outcomes: Vec<Result<usize, Failure>>,
}

/// Moments that problems share.
struct SampleMoments {
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
}

impl std::fmt::Debug for AdditiveBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AdditiveBatch {{ {:?}, {:?} }}", self.room, self.wanted)
    }
}

impl AdditiveBatch {
    /// Room for a batch on the faster route for each size.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, room: Room, wanted: Wanted) -> Self {
        Self::on_route(None, instruction_set, room, wanted)
    }

    /// Room for a batch; on the given route, if there is one, whatever the size.
    #[must_use]
    pub fn on_route(
        given: Option<Route>,
        instruction_set: InstructionSet,
        room: Room,
        wanted: Wanted,
    ) -> Self {
        let [batch] = Self::sharing(given, instruction_set, [(room, wanted)]);
        batch
    }

    /// Room for batches that are solved one after the other, in one workspace.
    #[must_use]
    pub fn sharing<const N: usize>(
        given: Option<Route>,
        instruction_set: InstructionSet,
        of: [(Room, Wanted); N],
    ) -> [Self; N] {
        let served: Arc<[_]> = served(given, &of).into();
        let dimensions = of.iter().map(|(room, _)| room.dimensions).max().unwrap_or(0);
        let batch = (!served.is_empty()).then(|| {
            let way = given.and_then(Route::way);
            Arc::new(Mutex::new(ScaledBatch::serving(way, instruction_set, &served, dimensions)))
        });
        of.map(|(room, wanted)| {
            Self::with(given, instruction_set, room, wanted, batch.clone(), Arc::clone(&served))
        })
    }

    fn with(
        given: Option<Route>,
        instruction_set: InstructionSet,
        room: Room,
        wanted: Wanted,
        batch: Option<Arc<Mutex<ScaledBatch>>>,
        served: Arc<[(scaled::Room, scaled::Wanted)]>,
    ) -> Self {
        let Room { size, smallest, labels, dimensions, .. } = room;
        let capacity_for = |size| capacity_for(given, instruction_set, size, &served);
        let capacity = capacity_for(smallest);
        let outcomes = capacity * wanted.paradigms.len();
        let (rows, columns) = if wanted.row_space() { (size, room.dimension) } else { (0, 0) };
        Self {
            blocked: None,
            leakage: Leakage::up_to(instruction_set, rows, room.noise_components, columns),
            basis: Mat::zeros(rows, columns),
            // The larger problems are, the fewer come at a time.
            moments: (0..capacity)
                .map(|number| {
                    (smallest..=size).rev().find(|size| capacity_for(*size) > number).unwrap_or(size)
                })
                .map(|size| SampleMoments {
                    inputs: Mat::zeros(size, size),
                    input_labels: Mat::zeros(size, labels),
                    label_power: 0.0,
                })
                .collect(),
            moments_used: 0,
            problems: Vec::with_capacity(capacity),
            sigma: vec![0.0; capacity * size],
            values: vec![f64::NAN; outcomes * (1 + wanted.metrics.len()) * dimensions],
            dimensions: Vec::with_capacity(dimensions),
            outcomes: vec![Ok(0); outcomes],
            batch: batch_room(given, room).and(batch),
            served,
            instruction_set,
            wanted,
            room,
            given,
            route: Route::Blocked,
            size: 0,
            labels: 0,
        }
    }

    /// Bytes of rooms that [share](Self::sharing) a workspace, on the faster routes, about: what
    /// the constructors count.
    #[must_use]
    pub fn bytes(instruction_set: InstructionSet, of: &[(Room, Wanted)]) -> u64 {
        let served = served(None, of);
        ScaledBatch::bytes(instruction_set, &served) as u64
            + of.iter()
                .map(|(room, wanted)| Self::own_bytes(instruction_set, *room, wanted, &served))
                .sum::<u64>()
    }

    /// Bytes beside the workspace.
    fn own_bytes(
        instruction_set: InstructionSet,
        room: Room,
        wanted: &Wanted,
        served: &[(scaled::Room, scaled::Wanted)],
    ) -> u64 {
        let square = room.size * room.size;
        let general = wanted.paradigms.iter().any(|paradigm| paradigm.scaled.is_none());
        let capacity = |size| capacity_for(None, instruction_set, size, served);
        // Moments of as many problems of the largest size, or more of smaller ones.
        let moments =
            (capacity(room.size) * square).max(capacity(room.smallest) * room.smallest * room.smallest);
        // A, L, eigenvectors and their like, the general path, probe and scratch.
        let general = general || room.size > LARGEST_SIZE;
        let blocked = if general { 15 * square } else { 0 };
        let forms = if general { ClosedForms::bytes(instruction_set, room.size) } else { 0 };
        let Room { size, noise_components, dimension, .. } = room;
        let row_space = if wanted.row_space() {
            size * dimension + Leakage::numbers(size, noise_components, dimension)
        } else {
            0
        };
        (8 * (moments + blocked + row_space) + forms) as u64
    }

    /// Most problems of any size at a time.
    #[must_use]
    pub fn most(&self) -> usize {
        self.moments.len()
    }

    /// Most problems of the size that was [`start`](Self::start)ed at a time, and most moments.
    #[must_use]
    pub fn capacity(&self) -> usize {
        capacity_for(self.given, self.instruction_set, self.size, &self.served)
    }

    /// Number of problems.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Size d of the problems.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Forgets all problems and moments; the next ones have `size` = d inputs and `labels` = ℓ, and
    /// representations of these dimensions.
    ///
    /// # Panics
    ///
    /// If anything is larger than the room, or a dimension is not in 1..=d.
    pub fn start(&mut self, size: usize, labels: usize, dimensions: impl Iterator<Item = usize>) {
        assert!(size <= self.room.size && labels <= self.room.labels, "room for this size");
        assert!(size >= self.room.smallest, "a size that there is room for");
        self.dimensions.clear();
        self.dimensions.extend(dimensions);
        assert!(self.dimensions.len() <= self.room.dimensions, "room for as many dimensions");
        let most = size.min(self.room.dimension);
        assert!(
            self.dimensions.iter().all(|k| (1..=most).contains(k)),
            "dimensions from 1 to d, and room for them"
        );
        (self.size, self.labels) = (size, labels);
        self.route = self.given.unwrap_or(Route::for_size(size));
        self.moments_used = 0;
        self.problems.clear();
    }

    /// Takes C̃ (d × d, both triangles), B̃ (d × ℓ) and y², and returns the number under which
    /// problems share them.
    ///
    /// # Panics
    ///
    /// If there are as many as the capacity, or the shapes are not those of [`start`](Self::start).
    pub fn add_moments(
        &mut self,
        inputs: MatRef<'_, f64>,
        input_labels: MatRef<'_, f64>,
        label_power: f64,
    ) -> usize {
        let number = self.moments_used;
        let (mut own_inputs, mut own_labels, power) = self.moments_mut(number);
        own_inputs.copy_from(inputs);
        own_labels.copy_from(input_labels);
        *power = label_power;
        number
    }

    /// C̃ (d × d, both triangles), B̃ (d × ℓ) and y² under a number, which may be the next one, to be
    /// filled.
    ///
    /// # Panics
    ///
    /// If it is not below the capacity.
    pub fn moments_mut(&mut self, number: usize) -> (MatMut<'_, f64>, MatMut<'_, f64>, &mut f64) {
        let (size, labels) = (self.size, self.labels);
        assert!(number <= self.moments_used && number < self.capacity(), "room for other moments");
        self.moments_used = self.moments_used.max(number + 1);
        let SampleMoments { inputs, input_labels, label_power } = &mut self.moments[number];
        let inputs = inputs.as_mut().submatrix_mut(0, 0, size, size);
        (inputs, input_labels.as_mut().submatrix_mut(0, 0, size, labels), label_power)
    }

    /// C̃ and B̃ under a number.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[must_use]
    pub fn moments(&self, number: usize) -> (MatRef<'_, f64>, MatRef<'_, f64>) {
        assert!(number < self.moments_used, "moments of that number");
        let SampleMoments { inputs, input_labels, .. } = &self.moments[number];
        (
            inputs.as_ref().submatrix(0, 0, self.size, self.size),
            input_labels.as_ref().submatrix(0, 0, self.size, self.labels),
        )
    }

    /// Forgets all problems, and all moments but these, which are under 0 from now on.
    ///
    /// # Panics
    ///
    /// If there are none of that number.
    pub fn keep(&mut self, number: usize) {
        let used = std::mem::replace(&mut self.moments_used, 1);
        self.problems.clear();
        let Some(last) = number.checked_sub(1) else { return };
        assert!(last + 1 < used, "moments of that number");
        let (size, labels) = (self.size, self.labels);
        let [first, .., from] = &mut self.moments[..=number] else { return };
        let square = from.inputs.as_ref().submatrix(0, 0, size, size);
        first.inputs.as_mut().submatrix_mut(0, 0, size, size).copy_from(square);
        let right = from.input_labels.as_ref().submatrix(0, 0, size, labels);
        first.input_labels.as_mut().submatrix_mut(0, 0, size, labels).copy_from(right);
        first.label_power = from.label_power;
    }

    /// Takes the problem of these moments with the views of Σ (d, ≥ 0), and returns its place.
    ///
    /// # Panics
    ///
    /// If the batch is full, there are no such moments, or Σ is not of size d.
    pub fn push(&mut self, moments: usize, sigma: &[f64]) -> usize {
        let place = self.problems.len();
        assert!(place < self.capacity(), "room for another problem");
        assert!(moments < self.moments_used && sigma.len() == self.size, "moments, and Σ of size d");
        self.sigma[place * self.size..][..self.size].copy_from_slice(sigma);
        self.problems.push(moments);
        place
    }

    /// Solves all problems; `population` says what row spaces are measured against, by place, where
    /// a metric needs them.
    ///
    /// # Panics
    ///
    /// If a population is asked for and not of size d.
    pub fn solve<'p>(&mut self, population: impl Fn(usize) -> Population<'p>) {
        let (size, labels) = (self.size, self.labels);
        let shared = self.batch.clone().filter(|_| self.route != Route::Blocked);
        let mut shared = shared.as_ref().map(|batch| batch.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(batch) = &mut shared {
            batch.start_wanting(size, labels, self.wanted.of_batch());
            for (place, &moments) in self.problems.iter().enumerate() {
                batch.push(moments, &self.sigma[place * size..][..size]);
            }
            batch.solve(&self.dimensions, |number| self.moments(number));
        }
        let row_space = self.wanted.row_space();
        let outcomes = self.outcomes.chunks_exact_mut(self.wanted.paradigms.len().max(1));
        let each = (1 + self.wanted.metrics.len()) * self.dimensions.len();
        let values = self.values.chunks_exact_mut(each * self.wanted.paradigms.len().max(1));
        for (place, (&moments, (outcomes, values))) in
            self.problems.iter().zip(outcomes.zip(values)).enumerate()
        {
            let SampleMoments { inputs, input_labels, label_power } = &self.moments[moments];
            let problem = Additive {
                inputs: inputs.as_ref().submatrix(0, 0, size, size),
                input_labels: input_labels.as_ref().submatrix(0, 0, size, labels),
                label_power: *label_power,
                sigma: &self.sigma[place * size..][..size],
            };
            let wish = Wish {
                dimensions: &self.dimensions,
                metrics: &self.wanted.metrics,
                population: row_space.then(|| population(place)),
            };
            let definite = problem.sigma.iter().all(|&s| s > 0.0);
            let batch = shared.as_deref().filter(|_| definite);
            let mut started = false;
            let of_paradigms = outcomes.iter_mut().zip(values.chunks_exact_mut(each));
            for ((outcome, out), paradigm) in of_paradigms.zip(&self.wanted.paradigms) {
                out.fill(f64::NAN);
                let solved = match (batch, &paradigm.scaled) {
                    (Some(batch), Some(scaled)) => {
                        let workspace = (&mut self.basis, &mut self.leakage);
                        read(batch, place, &problem, scaled, wish, workspace, out)
                    }
                    _ => {
                        let new = || Box::new(BlockedSolver::new(self.instruction_set, self.room));
                        let solver = self.blocked.get_or_insert_with(new);
                        if !started {
                            solver.start(&problem);
                            started = true;
                        }
                        solver.solve(&problem, paradigm, wish, out)
                    }
                };
                // Above its rank a representation has none.
                let most = |rank| if paradigm.spectrum.is_some() { rank } else { size };
                let is_sound = |rank, (&k, loss): (&usize, &f64)| loss.is_finite() || k > most(rank);
                *outcome = solved.and_then(|rank| {
                    let sound = wish.dimensions.iter().zip(&*out).all(|at| is_sound(rank, at));
                    if sound { Ok(rank) } else { Err(Failure::NotFinite) }
                });
            }
        }
    }

    /// One problem alone: [`start`](Self::start), its moments, itself, [`solve`](Self::solve); it
    /// is at place 0.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), or if a metric needs the row space and there is no population.
    pub fn solve_one(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
    ) {
        assert!(population.is_some() || !self.wanted.row_space(), "row spaces need a population");
        self.start(problem.sigma.len(), problem.input_labels.ncols(), dimensions.iter().copied());
        let moments = self.add_moments(problem.inputs, problem.input_labels, problem.label_power);
        self.push(moments, problem.sigma);
        self.solve(|_| population.unwrap_or(Population { clean: CleanMoment::Diagonal(&[]), gamma: &[] }));
    }

    /// What the nth of the wanted paradigms made of the problem at `place`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is negative in some direction, and so no second
    /// moment; [`Failure::NotFinite`]; [`Failure::NoConvergence`].
    pub fn represented(&self, place: usize, paradigm: usize) -> Result<Represented<'_>, Failure> {
        let number = place * self.wanted.paradigms.len() + paradigm;
        let rank = self.outcomes[number]?;
        let (dimensions, rows) = (self.dimensions.len(), 1 + self.wanted.metrics.len());
        let own = &self.values[number * rows * dimensions..][..rows * dimensions];
        let (losses, values) = own.split_at(dimensions);
        Ok(Represented { losses, rank, values })
    }
}

/// Most problems of a size at a time.
fn capacity_for(
    given: Option<Route>,
    instruction_set: InstructionSet,
    size: usize,
    served: &[(scaled::Room, scaled::Wanted)],
) -> usize {
    match given.unwrap_or(Route::for_size(size)) {
        Route::Batch(_) => {
            ScaledBatch::capacity_for(given.and_then(Route::way), instruction_set, size, served)
        }
        Route::Blocked => 1,
    }
}

/// The room of a batch of scaled problems, if one is needed.
fn batch_room(given: Option<Route>, room: Room) -> Option<scaled::Room> {
    let size = if given.is_some() { room.size } else { room.size.min(LARGEST_SIZE) };
    (given != Some(Route::Blocked) && room.smallest <= size).then(|| scaled::Room {
        size,
        smallest: room.smallest,
        width: room.labels,
        count: room.dimension.min(size),
    })
}

/// What a workspace for several batches is to serve.
fn served(given: Option<Route>, of: &[(Room, Wanted)]) -> Vec<(scaled::Room, scaled::Wanted)> {
    let of = of.iter().filter_map(|(room, wanted)| Some((batch_room(given, *room)?, wanted.of_batch())));
    of.collect()
}

/// Writes what a batch found of a problem: losses and metrics.
fn read(
    batch: &ScaledBatch,
    place: usize,
    problem: &Additive<'_>,
    scaled: &Scaled,
    wish: Wish<'_>,
    (basis, leakage): (&mut Mat<f64>, &mut Leakage),
    out: &mut [f64],
) -> Result<usize, Failure> {
    let (losses, metrics) = out.split_at_mut(wish.dimensions.len());
    let values = (scaled.read)(batch, place, problem.label_power, wish.dimensions, losses)?;
    // Σ is positive, and so is S.
    let rank = problem.sigma.len();
    let Some(encoder) = &scaled.encoder else {
        wish.measure_problem(rank, leakage, metrics);
        return Ok(rank);
    };
    let (size, count) = (rank, wish.dimensions.iter().copied().max().unwrap_or(0));
    if wish.population.is_some() {
        let mut basis = basis.as_mut().submatrix_mut(0, 0, size, count);
        (encoder.basis)(batch, place, basis.as_mut());
        for column in basis.as_mut().col_iter_mut() {
            for (x, sigma) in column.iter_mut().zip(problem.sigma) {
                *x /= sigma.sqrt();
            }
        }
    }
    let spectrum = Spectrum { of: encoder.values, values };
    let basis = basis.as_ref();
    for (n, &k) in wish.dimensions.iter().enumerate() {
        let row_space = wish.population.map(|population| (basis.submatrix(0, 0, size, k), population));
        let found = Found { rank, tier: Tier::Moments, spectrum: Some((spectrum, k)), row_space };
        measure(wish.metrics, found, leakage, wish.at(metrics, n));
    }
    Ok(rank)
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::{AdditiveBatch, Room, Wanted};
    use crate::additive::{Additive, Route, Way};
    use crate::closed_forms::Solution;
    use crate::leakage::{CleanMoment, Population};
    use crate::metrics::{GAP, LEAKAGE};
    use crate::paradigms::{JOINT_EMBEDDING, Paradigm, Pencil, RECONSTRUCTION, SUPERVISED};
    use crate::{InstructionSet, Metric};

    const RIDGE: f64 = 0.5;

    /// Joint-embedding with S + ρI in place of S, in its general form alone.
    static RIDGED: Paradigm = Paradigm {
        name: "ridged",
        help: "a paradigm of this test",
        map: "W",
        spectrum: Some(Pencil {
            name: "eigenvalues",
            symbol: "ω",
            eigenvalue: |omega| omega,
            population: |moment, views| moment / (views + RIDGE),
            objective: |_, _| f64::NAN,
            decoder: None,
        }),
        threshold: None,
        solve: |forms, moments| {
            forms.factor(moments, RIDGE)?;
            forms.pencil(moments.mean_views).map(Solution::Encoder)
        },
        scaled: None,
        in_lanes: None,
    };

    const SIZE: usize = 5;
    const DIMENSIONS: [usize; 2] = [4, 2];
    const METRICS: [&Metric; 2] = [&GAP, &LEAKAGE];

    /// Losses and metrics of a problem of five inputs, two of them noise, on a route.
    fn solve(route: Route, sigma: &[f64], paradigms: &[&'static Paradigm]) -> Vec<Vec<f64>> {
        let entry = |i: usize, j: usize| if i == j { 3.0 + i as f64 } else { 1.0 / (1 + i + j) as f64 };
        let (inputs, labels) =
            (Mat::from_fn(SIZE, SIZE, entry), Mat::from_fn(SIZE, 2, |i, j| (i + 2 * j) as f64));
        let problem =
            Additive { inputs: inputs.as_ref(), input_labels: labels.as_ref(), label_power: 40.0, sigma };
        let room = Room {
            size: SIZE,
            smallest: SIZE,
            noise_components: 2,
            labels: 2,
            dimension: SIZE,
            dimensions: DIMENSIONS.len(),
        };
        let wanted = Wanted { paradigms: paradigms.to_vec(), metrics: METRICS.to_vec() };
        let mut batch = AdditiveBatch::on_route(Some(route), InstructionSet::detect(), room, wanted);
        let population = Population { clean: CleanMoment::Diagonal(&[3.0, 4.0, 5.0]), gamma: &[6.0, 7.0] };
        batch.solve_one(&problem, &DIMENSIONS, Some(population));
        let of = |n| {
            let found = batch.represented(0, n).unwrap();
            [found.losses, found.metric(0), found.metric(1)].concat()
        };
        (0..paradigms.len()).map(of).collect()
    }

    /// Σ + ρ is the Σ of another problem, which joint-embedding solves in its scaled form; and
    /// neighbours keep their bits.
    #[test]
    fn a_paradigm_without_a_scaled_form_is_solved_by_its_general_one() {
        let sigma = [0.3, 1.0, 2.0, 0.7, 1.5];
        let with_ridge = sigma.map(|s| s + RIDGE);
        for route in [Route::Batch(Way::Lanes), Route::Batch(Way::Band), Route::Blocked] {
            let among =
                solve(route, &sigma, &[&RIDGED, &SUPERVISED, &JOINT_EMBEDDING, &RIDGED, &RECONSTRUCTION]);
            let expected = &solve(route, &with_ridge, &[&JOINT_EMBEDDING])[0];
            for (found, expected) in among[0].iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-12, "{route:?}: {found} and {expected}");
            }
            assert_eq!(among[3], among[0], "{route:?}: again");
            let alone = solve(route, &sigma, &[&JOINT_EMBEDDING, &RECONSTRUCTION]);
            assert_eq!((&among[2], &among[4]), (&alone[0], &alone[1]), "{route:?}: neighbours");
        }
    }

    /// The factor of S + ρI is not taken for that of S, and the other way round.
    #[test]
    fn the_general_form_of_each_paradigm_has_its_own_factor() {
        let sigma = [0.3, 0.0, 2.0, 0.7, 1.5];
        let among = solve(Route::Blocked, &sigma, &[&RIDGED, &JOINT_EMBEDDING, &RIDGED, &RECONSTRUCTION]);
        let alone = |paradigm| solve(Route::Blocked, &sigma, &[paradigm]).remove(0);
        assert_eq!(among[0], alone(&RIDGED));
        assert_eq!(among[1], alone(&JOINT_EMBEDDING));
        assert_eq!(among[2], among[0]);
        assert_eq!(among[3], alone(&RECONSTRUCTION));
    }
}
