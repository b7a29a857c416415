//! Additive problems of one size, solved together: in lanes, or one by one where lanes do not pay.

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::{InstructionSet, LARGEST_SIZE};
use eigensweep_spectral::scaled::{self, ScaledBatch};
use faer::{Mat, MatRef};

use super::blocked::BlockedSolver;
use super::joint_embedding::{explained, omega_gap};
use super::{Additive, Route};
use crate::Paradigm;
use crate::leakage::{CleanMoment, Leakage, Population};
use crate::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};
use crate::representation::{Representation, relative_gap};

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
    /// Whether leakage is wanted, too.
    pub leakage: bool,
}

/// Representations of every paradigm at every dimension k, for each problem of a batch.
///
/// Moments are given once ([`add_moments`](Self::add_moments)) and shared by the problems of different Σ. Results are those of the
/// problem alone, whatever else is in the batch.
pub struct AdditiveBatch {
    lanes: Option<ScaledBatch>,
    blocked: BlockedSolver,
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
    /// Problem × paradigm × dimension.
    representations: Vec<Representation>,
    /// Problem × paradigm.
    outcomes: Vec<Result<(), Failure>>,
    leakage: Leakage,
    basis: Mat<f64>,
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
        let Room { size, smallest, noise_components, labels, dimension, dimensions } = room;
        let in_lanes = if given.is_some() { size } else { size.min(LARGEST_SIZE) };
        let lanes = (given.unwrap_or(Route::for_size(smallest)) == Route::Lanes).then(|| {
            let has = |paradigm| wanted.paradigms.contains(&paradigm);
            let answers = scaled::Wanted {
                ridge: has(&SUPERVISED),
                projected: has(&JOINT_EMBEDDING),
                pencil: has(&RECONSTRUCTION),
                vectors: wanted.leakage,
            };
            let room = scaled::Room { size: in_lanes, width: labels, count: dimension.min(in_lanes) };
            ScaledBatch::new(instruction_set, room, dimensions, answers)
        });
        let capacity = lanes.as_ref().map_or(1, ScaledBatch::capacity);
        let outcomes = capacity * wanted.paradigms.len();
        let blank = Representation { loss: f64::NAN, leakage: None, gap: None };
        Self {
            blocked: BlockedSolver::new(instruction_set, size, noise_components, labels),
            // Problems that are too large for lanes come one at a time.
            moments: (0..capacity)
                .map(|number| if number == 0 { size } else { in_lanes })
                .map(|size| SampleMoments {
                    inputs: Mat::zeros(size, size),
                    input_labels: Mat::zeros(size, labels),
                    label_power: 0.0,
                })
                .collect(),
            moments_used: 0,
            problems: Vec::with_capacity(capacity),
            sigma: vec![0.0; capacity * size],
            representations: vec![blank; outcomes * dimensions],
            dimensions: Vec::with_capacity(dimensions),
            outcomes: vec![Ok(()); outcomes],
            leakage: Leakage::new(instruction_set, size, noise_components),
            basis: Mat::zeros(size, if wanted.leakage { dimension } else { 0 }),
            lanes,
            wanted,
            room,
            given,
            route: Route::Blocked,
            size: 0,
            labels: 0,
        }
    }

    /// Bytes of the room on the faster routes, about: what the constructors count.
    #[must_use]
    pub fn bytes(instruction_set: InstructionSet, room: Room, wanted: &Wanted) -> u64 {
        let square = (room.size * room.size) as u64;
        // A, L, F, eigenvectors and their like, of this route, the general path, probe and leakage, and scratch.
        let blocked = 8 * 24 * square;
        if Route::for_size(room.smallest) == Route::Blocked {
            return blocked;
        }
        let size = room.size.min(LARGEST_SIZE);
        let problems = ScaledBatch::capacity_for(instruction_set, size) as u64;
        let has = |paradigm| u64::from(wanted.paradigms.contains(&paradigm));
        // Moments and A, packed triangles of either eigenproblem; vectors.
        let (je, rc) = (has(&JOINT_EMBEDDING), has(&RECONSTRUCTION));
        let halves = 4 + je + rc;
        let columns = 3 * room.labels as u64 + room.dimension as u64 * (rc + je * u64::from(wanted.leakage));
        blocked + 8 * problems * ((size * size) as u64 * halves / 2 + size as u64 * columns)
    }

    /// Most problems of any size at a time.
    #[must_use]
    pub fn most(&self) -> usize {
        self.moments.len()
    }

    /// Most problems of the size that was [`start`](Self::start)ed at a time, and most moments.
    #[must_use]
    pub fn capacity(&self) -> usize {
        if self.route == Route::Lanes { self.moments.len() } else { 1 }
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

    /// Forgets all problems and moments; the next ones have `size` = d inputs and `labels` = ℓ, and representations of these
    /// dimensions.
    ///
    /// # Panics
    ///
    /// If anything is larger than the room, or a dimension is not in 1..=d.
    pub fn start(&mut self, size: usize, labels: usize, dimensions: &[usize]) {
        assert!(size <= self.room.size && labels <= self.room.labels, "room for this size");
        assert!(size >= self.room.smallest, "a size that there is room for");
        assert!(dimensions.len() <= self.room.dimensions, "room for as many dimensions");
        let most = size.min(self.room.dimension);
        assert!(
            dimensions.iter().all(|k| (1..=most).contains(k)),
            "dimensions from 1 to d, and room for them"
        );
        self.dimensions.clear();
        self.dimensions.extend_from_slice(dimensions);
        (self.size, self.labels) = (size, labels);
        self.route = self.given.unwrap_or(Route::for_size(size));
        self.moments_used = 0;
        self.problems.clear();
    }

    /// Takes C̃ (d × d, both triangles), B̃ (d × ℓ) and y², and returns the number under which problems share them.
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
        let (size, labels, number) = (self.size, self.labels, self.moments_used);
        assert!(number < self.capacity(), "room for other moments");
        let own = &mut self.moments[number];
        own.inputs.as_mut().submatrix_mut(0, 0, size, size).copy_from(inputs);
        own.input_labels.as_mut().submatrix_mut(0, 0, size, labels).copy_from(input_labels);
        own.label_power = label_power;
        self.moments_used += 1;
        number
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

    /// Solves all problems; `population` says what leakage is measured against, by place, where it is wanted.
    ///
    /// # Panics
    ///
    /// If leakage is wanted and a population is not of size d.
    pub fn solve<'p>(&mut self, population: impl Fn(usize) -> Population<'p>) {
        let (size, labels) = (self.size, self.labels);
        if let (Route::Lanes, Some(lanes)) = (self.route, &mut self.lanes) {
            lanes.start(size, labels);
            for (place, &moments) in self.problems.iter().enumerate() {
                lanes.push(moments, &self.sigma[place * size..][..size]);
            }
            let moments = &self.moments;
            lanes.solve(&self.dimensions, |number| {
                let SampleMoments { inputs, input_labels, .. } = &moments[number];
                (
                    inputs.as_ref().submatrix(0, 0, size, size),
                    input_labels.as_ref().submatrix(0, 0, size, labels),
                )
            });
        }
        let dimensions = self.dimensions.len();
        for place in 0..self.problems.len() {
            let population = self.wanted.leakage.then(|| population(place));
            let in_lanes =
                self.route == Route::Lanes && self.sigma[place * size..][..size].iter().all(|&s| s > 0.0);
            let first = place * self.wanted.paradigms.len();
            let outcomes = &mut self.outcomes[first..][..self.wanted.paradigms.len()];
            let moments = &self.moments[self.problems[place]];
            let problem = Additive {
                inputs: moments.inputs.as_ref().submatrix(0, 0, size, size),
                input_labels: moments.input_labels.as_ref().submatrix(0, 0, size, labels),
                label_power: moments.label_power,
                sigma: &self.sigma[place * size..][..size],
            };
            let blocked = &mut self.blocked;
            let prepared = if in_lanes { Ok(()) } else { blocked.prepare(&problem) };
            for ((n, outcome), &paradigm) in outcomes.iter_mut().enumerate().zip(&self.wanted.paradigms) {
                let out = &mut self.representations[(first + n) * dimensions..][..dimensions];
                let solved = match &self.lanes {
                    Some(lanes) if in_lanes => {
                        let workspaces = (&mut self.leakage, &mut self.basis);
                        let dimensions = &self.dimensions;
                        read(lanes, place, &problem, paradigm, dimensions, population, workspaces, out)
                    }
                    _ => prepared.and_then(|()| {
                        let dimensions = &self.dimensions;
                        if paradigm == &SUPERVISED {
                            let loss = blocked.supervised(&problem)?;
                            out.fill(Representation { loss, leakage: None, gap: None });
                            Ok(())
                        } else if paradigm == &JOINT_EMBEDDING {
                            blocked.joint_embedding(&problem, dimensions, population, out)
                        } else {
                            blocked.reconstruction(&problem, dimensions, population, out)
                        }
                    }),
                };
                let finite = out.iter().all(|at| at.loss.is_finite());
                *outcome = solved.and(if finite { Ok(()) } else { Err(Failure::NotFinite) });
            }
        }
    }

    /// One problem alone: [`start`](Self::start), its moments, itself, [`solve`](Self::solve); it is at place 0.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), or if leakage is wanted and there is no population.
    pub fn solve_one(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
    ) {
        assert!(population.is_some() || !self.wanted.leakage, "leakage needs a population");
        self.start(problem.sigma.len(), problem.input_labels.ncols(), dimensions);
        let moments = self.add_moments(problem.inputs, problem.input_labels, problem.label_power);
        self.push(moments, problem.sigma);
        self.solve(|_| population.unwrap_or(Population { clean: CleanMoment::Diagonal(&[]), gamma: &[] }));
    }

    /// Representations at the dimensions of the problem at `place`, for the nth of the wanted paradigms.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is not, where the paradigm needs it; [`Failure::NotFinite`];
    /// [`Failure::NoConvergence`].
    pub fn representations(&self, place: usize, paradigm: usize) -> Result<&[Representation], Failure> {
        let number = place * self.wanted.paradigms.len() + paradigm;
        self.outcomes[number]?;
        let dimensions = self.dimensions.len();
        Ok(&self.representations[number * dimensions..][..dimensions])
    }
}

/// What lanes found of a problem and a paradigm, as representations.
#[expect(clippy::too_many_arguments, reason = "a problem, what is wanted of it, and where to")]
fn read(
    lanes: &ScaledBatch,
    place: usize,
    problem: &Additive<'_>,
    paradigm: &'static Paradigm,
    dimensions: &[usize],
    population: Option<Population<'_>>,
    (leakage, basis): (&mut Leakage, &mut Mat<f64>),
    out: &mut [Representation],
) -> Result<(), Failure> {
    let power = problem.label_power;
    if paradigm == &SUPERVISED {
        let loss = power - lanes.ridge_power(place)?;
        out.fill(Representation { loss, leakage: None, gap: None });
        return Ok(());
    } else if paradigm == &JOINT_EMBEDDING {
        let (values, powers) = lanes.projected(place)?;
        for (&k, to) in dimensions.iter().zip(&mut *out) {
            let loss = power - explained(values, k, |i| powers[i]);
            *to = Representation { loss, leakage: None, gap: omega_gap(values, k) };
        }
    } else {
        let (values, explained) = lanes.pencil(place)?;
        for ((&k, explained), to) in dimensions.iter().zip(explained).zip(&mut *out) {
            *to = Representation { loss: power - explained, leakage: None, gap: relative_gap(values, k) };
        }
    }
    let Some(population) = population else { return Ok(()) };
    let (size, count) = (problem.sigma.len(), dimensions.iter().copied().max().unwrap_or(0));
    let mut basis = basis.as_mut().submatrix_mut(0, 0, size, count);
    if paradigm == &JOINT_EMBEDDING {
        lanes.eigenvectors(place, basis.as_mut());
    } else {
        lanes.basis(place, basis.as_mut());
    }
    for column in basis.as_mut().col_iter_mut() {
        for (x, sigma) in column.iter_mut().zip(problem.sigma) {
            *x /= sigma.sqrt();
        }
    }
    for (&k, to) in dimensions.iter().zip(out) {
        to.leakage = Some(leakage.of(basis.as_ref().subcols(0, k), population));
    }
    Ok(())
}
