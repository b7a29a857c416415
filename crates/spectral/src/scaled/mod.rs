//! Symmetric problems scaled by a diagonal, `A = Σ^(−½) C Σ^(−½)` and `b = Σ^(−½) B`, solved
//! together in lanes.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | C | `matrix` | d × d | positive semidefinite, lower triangle read |
//! | B | `right` | d × ℓ | right-hand sides |
//! | Σ | `sigma` | d | a diagonal, positive |
//! | k | `dimensions` | | numbers of leading vectors |
//!
//! Three answers for each problem, as [`Wanted`]:
//!
//! - **ridge**: `‖L⁻¹b‖² + ‖(A+I)⁻¹b‖²`, with `A + I = L Lᵀ`;
//! - **projected**: `A = Q Λ Qᵀ`, all λ and all `‖qᵢᵀb‖²`, no Q;
//! - **pencil**: (A Σ A, A + I) with `F = L⁻¹ A Σ^½`, `F Fᵀ = P Φ² Pᵀ`, `U = L⁻ᵀ P`: all φ², and
//!   for each k what the first k columns of U explain, `tr(Rᵀ M⁺ R)` with `M = UₖᵀAUₖ`, `R = Uₖᵀb`.
//!
//! Backward stable: the result is exact for a matrix within a small multiple of d·ε·‖A‖ of A (the
//! tests bound it by 20). Eigenvalues below that are rounding, of either sign.
//!
//! Two ways, by size alone: up to [`LARGEST_IN_LANES`] all of it in lanes;
//! up to [`band::LARGEST_SIZE`](crate::band::LARGEST_SIZE) one problem at a time to a
//! [`band`](crate::band), and from there in lanes; there without the features that others make
//! superfluous, as far as these are many (`deflation`).
//!
//! Everything for one k is a leading part of the same for a larger one, so no result depends on
//! which others are asked for, nor on neighbours, lanes or the instruction set
//! ([`lanes`](crate::lanes)).

mod band;
mod deflation;
mod lanes;

use faer::{Mat, MatMut, MatRef};

use self::band::BandBatch;
use self::lanes::LaneBatch;
use crate::band::solver::padded_mat;
use crate::lanes::InstructionSet;
use crate::semidefinite::{explained_power, explained_power_scratch};
use crate::{Failure, MemBuffer, MemStack};

/// Which answers a batch is to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ridge regression.
    pub ridge: bool,
    /// Eigenvalues of A and projections.
    pub projected: bool,
    /// The pencil.
    pub pencil: bool,
    /// The leading k vectors of both, for the largest k.
    pub vectors: bool,
}

impl Wanted {
    /// What either wants.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            ridge: self.ridge | other.ridge,
            projected: self.projected | other.projected,
            pencil: self.pencil | other.pencil,
            vectors: self.vectors | other.vectors,
        }
    }
}

/// Largest sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// d.
    pub size: usize,
    /// The smallest d that will come.
    pub smallest: usize,
    /// ℓ.
    pub width: usize,
    /// Largest k.
    pub count: usize,
}

/// Largest size that is solved in lanes all the way.
///
/// Zen 4 (32 MiB of third-level cache), milliseconds in lanes and by way of a band: 1.0 and 2.5 at
/// d = 256, 5.3 and 10 at 512 for eigenvalues and projections; 22 and 38 for the pencil at 512, k =
/// d/2. A processor with a slow third-level cache takes 9.2 in lanes at 512; and a thread's batch
/// has some 150 MB there. `docs/performance.md` has the table.
pub const LARGEST_IN_LANES: usize = 512;

/// How problems are solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All of it in lanes.
    Lanes,
    /// One problem at a time to a [`band`](crate::band), from there in lanes.
    Band,
}

impl Way {
    /// The faster way for problems of size d, a function of d alone, so that results do not depend
    /// on the machine; `None` above [`band::LARGEST_SIZE`](crate::band::LARGEST_SIZE).
    #[must_use]
    pub fn for_size(size: usize) -> Option<Self> {
        if size <= LARGEST_IN_LANES {
            Some(Self::Lanes)
        } else {
            (size <= crate::band::LARGEST_SIZE).then_some(Self::Band)
        }
    }
}

/// A batch of scaled problems of one size.
pub struct ScaledBatch {
    lanes: Option<LaneBatch>,
    band: Option<BandBatch>,
    rooms: Rooms,
    /// What is wanted now.
    wanted: Wanted,
    /// The way of every size, if it was given.
    given: Option<Way>,
    size: usize,
}

impl std::fmt::Debug for ScaledBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScaledBatch {{ {:?} }}", self.rooms)
    }
}

/// Runs a method of the batch that problems of the present size are solved by.
macro_rules! by_size {
    ($self:expr, $batch:ident => $call:expr, $otherwise:expr) => {
        match ($self.lanes_serve(), &$self.lanes, &$self.band) {
            (true, Some($batch), _) => $call,
            (false, _, Some($batch)) => $call,
            _ => $otherwise,
        }
    };
    (mut $self:expr, $batch:ident => $call:expr, $otherwise:expr) => {
        match ($self.lanes_serve(), &mut $self.lanes, &mut $self.band) {
            (true, Some($batch), _) => $call,
            (false, _, Some($batch)) => $call,
            _ => $otherwise,
        }
    };
}

impl ScaledBatch {
    /// Room for a batch, each size solved in the faster way; `dimensions` is the number of
    /// different k of which results are kept.
    ///
    /// # Panics
    ///
    /// If the room is above [`band::LARGEST_SIZE`](crate::band::LARGEST_SIZE).
    #[must_use]
    pub fn new(instruction_set: InstructionSet, room: Room, dimensions: usize, wanted: Wanted) -> Self {
        Self::in_way(None, instruction_set, room, dimensions, wanted)
    }

    /// The same in a given way, if there is one, whatever the size: for tests and measurements.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[must_use]
    pub fn in_way(
        given: Option<Way>,
        instruction_set: InstructionSet,
        room: Room,
        dimensions: usize,
        wanted: Wanted,
    ) -> Self {
        Self::serving(given, instruction_set, &[(room, wanted)], dimensions)
    }

    /// One workspace for batches that are solved one after the other: each way has room for what is
    /// wanted of the sizes that it solves.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[must_use]
    pub fn serving(
        given: Option<Way>,
        instruction_set: InstructionSet,
        of: &[(Room, Wanted)],
        dimensions: usize,
    ) -> Self {
        let largest = of.iter().all(|(room, _)| room.size <= crate::band::LARGEST_SIZE);
        assert!(largest, "a size that there is a way for");
        let rooms = Rooms::of(given, of);
        Self {
            lanes: rooms
                .lanes
                .map(|(room, wanted)| LaneBatch::new(instruction_set, room, dimensions, wanted)),
            band: rooms.band.map(|(room, wanted)| BandBatch::new(instruction_set, room, dimensions, wanted)),
            rooms,
            wanted: Wanted::default(),
            given,
            size: 0,
        }
    }

    /// Most problems of size d at a time of a workspace that [serves](Self::serving) these; 1 where
    /// there is no way for them.
    #[must_use]
    pub fn capacity_for(
        given: Option<Way>,
        instruction_set: InstructionSet,
        size: usize,
        of: &[(Room, Wanted)],
    ) -> usize {
        let Rooms { lanes, band } = Rooms::of(given, of);
        match given.or(Way::for_size(size)) {
            Some(Way::Lanes) => lanes.map_or(1, |(room, wanted)| {
                // Of the largest size, whichever comes.
                LaneBatch::capacity_for(instruction_set, room, wanted)
            }),
            Some(Way::Band) => {
                let wanted = band.map_or(Wanted::default(), |(_, wanted)| wanted);
                band::problems_for(instruction_set, size, wanted)
            }
            None => 1,
        }
    }

    /// Bytes of a workspace that [serves](Self::serving) these, about.
    #[must_use]
    pub fn bytes(instruction_set: InstructionSet, of: &[(Room, Wanted)]) -> usize {
        let Rooms { lanes, band } = Rooms::of(None, of);
        lanes.map_or(0, |(room, wanted)| LaneBatch::bytes(instruction_set, room, wanted))
            + band.map_or(0, |(room, wanted)| BandBatch::bytes(instruction_set, room, wanted))
    }

    fn lanes_serve(&self) -> bool {
        self.given.or(Way::for_size(self.size)) == Some(Way::Lanes)
    }

    /// Most problems of the size that was [`start`](Self::start)ed at a time.
    #[must_use]
    pub fn capacity(&self) -> usize {
        by_size!(self, batch => batch.capacity(), 0)
    }

    /// Number of problems.
    #[must_use]
    pub fn len(&self) -> usize {
        by_size!(self, batch => batch.len(), 0)
    }

    /// Whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size d of the problems.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Forgets all problems; the next ones are of this size and width, and all is wanted that there
    /// is room for.
    ///
    /// # Panics
    ///
    /// If there is no room for this size or width.
    pub fn start(&mut self, size: usize, width: usize) {
        let wanted = self.room_for(size).map_or(Wanted::default(), |(_, wanted)| wanted);
        self.start_wanting(size, width, wanted);
    }

    /// The same, and of the answers that there is room for these alone are wanted.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), or if there is no room for an answer.
    pub fn start_wanting(&mut self, size: usize, width: usize, wanted: Wanted) {
        let room = self.room_for(size);
        assert!(
            room.is_some_and(|(room, most)| {
                (room.smallest..=room.size).contains(&size) && width <= room.width && wanted.or(most) == most
            }),
            "room for this size, width and answers"
        );
        (self.size, self.wanted) = (size, wanted);
        by_size!(mut self, batch => batch.start(size, width, wanted), ());
    }

    /// The room that problems of a size have.
    fn room_for(&self, size: usize) -> Option<(Room, Wanted)> {
        match self.given.or(Way::for_size(size))? {
            Way::Lanes => self.rooms.lanes,
            Way::Band => self.rooms.band,
        }
    }

    /// Takes the problem of a source (C, B), which problems may share, and Σ (d), and returns its
    /// place. What is not finite fails by itself, and later.
    ///
    /// # Panics
    ///
    /// If the batch is full, or Σ is not of size d.
    pub fn push(&mut self, source: usize, sigma: &[f64]) -> usize {
        by_size!(mut self, batch => batch.push(source, sigma), 0)
    }

    /// Solves all problems for the `dimensions`; `source` gives C (d × d, lower triangle read) and
    /// B (d × ℓ) by number.
    ///
    /// # Panics
    ///
    /// If a dimension is 0 or exceeds d or the room, there are more than there is room for, or a
    /// source has other shapes.
    pub fn solve<'s>(
        &mut self,
        dimensions: &[usize],
        source: impl Fn(usize) -> (MatRef<'s, f64>, MatRef<'s, f64>),
    ) {
        by_size!(mut self, batch => batch.solve(dimensions, source), ());
    }

    /// The ridge answer of the problem at `place`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or its answer is not, [`Failure::NotPositiveDefinite`]
    /// if `A + I` is not.
    pub fn ridge_power(&self, place: usize) -> Result<f64, Failure> {
        by_size!(self, batch => batch.ridge_power(place), Err(Failure::NotFinite))
    }

    /// Eigenvalues λ of A at `place`, descending, and the power of b along each eigenvector.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or a result is not; [`Failure::NoConvergence`].
    pub fn projected(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        by_size!(self, batch => batch.projected(place), Err(Failure::NotFinite))
    }

    /// φ² of the pencil at `place`, descending, and what U explains at each of the dimensions.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the problem or a result is not, [`Failure::NotPositiveDefinite`]
    /// if `A + I` is not; [`Failure::NoConvergence`].
    pub fn pencil(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        by_size!(self, batch => batch.pencil(place), Err(Failure::NotFinite))
    }

    /// Writes the leading columns of Q at `place` into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If vectors were not wanted, or not so many.
    pub fn eigenvectors(&self, place: usize, vectors: MatMut<'_, f64>) {
        assert!(self.wanted.vectors && self.wanted.projected, "vectors were wanted");
        by_size!(self, batch => batch.eigenvectors(place, vectors), ());
    }

    /// Writes the leading columns of U at `place` into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If vectors were not wanted, or not so many.
    pub fn basis(&self, place: usize, vectors: MatMut<'_, f64>) {
        assert!(self.wanted.vectors && self.wanted.pencil, "vectors were wanted");
        by_size!(self, batch => batch.basis(place, vectors), ());
    }
}

/// The room of either way, and what is wanted there.
#[derive(Clone, Copy, Debug)]
struct Rooms {
    lanes: Option<(Room, Wanted)>,
    band: Option<(Room, Wanted)>,
}

impl Rooms {
    /// Of all that is to be served, what each way serves.
    fn of(given: Option<Way>, of: &[(Room, Wanted)]) -> Self {
        let both = |(one, wanted): (Room, Wanted), (other, others): (Room, Wanted)| {
            let room = Room {
                size: one.size.max(other.size),
                smallest: one.smallest.min(other.smallest),
                width: one.width.max(other.width),
                count: one.count.max(other.count),
            };
            (room, wanted.or(others))
        };
        let all = || of.iter().copied();
        match given {
            Some(Way::Lanes) => Self { lanes: all().reduce(both), band: None },
            Some(Way::Band) => Self { lanes: None, band: all().reduce(both) },
            None => {
                let most = LARGEST_IN_LANES;
                let lanes = all().filter(|(room, _)| room.smallest <= most).map(|(room, wanted)| {
                    let size = room.size.min(most);
                    (Room { size, count: room.count.min(size), ..room }, wanted)
                });
                let band = all()
                    .filter(|(room, _)| room.size > most)
                    .map(|(room, wanted)| (Room { smallest: room.smallest.max(most + 1), ..room }, wanted));
                Self { lanes: lanes.reduce(both), band: band.reduce(both) }
            }
        }
    }
}

/// What the columns of a basis explain, as a factor of their form found it: M (k × k), R (k × ℓ),
/// the pivots of M with a unit diagonal and the squared rows of `L⁻¹R`, by number.
struct Explained<M, R, P, W> {
    /// d.
    size: usize,
    /// ℓ.
    width: usize,
    entry: M,
    right: R,
    pivot: P,
    power: W,
}

/// Workspace for forms that are not safely definite.
struct Fallback {
    form: Mat<f64>,
    right: Mat<f64>,
    memory: MemBuffer,
}

impl Fallback {
    fn new(count: usize, width: usize) -> Self {
        Self {
            form: padded_mat(count, count),
            right: Mat::zeros(count, width),
            memory: MemBuffer::new(explained_power_scratch(count)),
        }
    }
}

/// What the first k columns explain.
fn explained(
    instruction_set: InstructionSet,
    of: &Explained<
        impl Fn(usize, usize) -> f64,
        impl Fn(usize, usize) -> f64,
        impl Fn(usize) -> f64,
        impl Fn(usize) -> f64,
    >,
    k: usize,
    fallback: &mut Fallback,
) -> f64 {
    let mut sum = 0.0;
    let (mut least, mut largest, mut least_pivot) = (f64::INFINITY, 0.0_f64, f64::INFINITY);
    for j in 0..k {
        sum += (of.power)(j);
        least = least.min((of.entry)(j, j));
        largest = largest.max((of.entry)(j, j));
        least_pivot = least_pivot.min((of.pivot)(j));
    }
    // Columns that `A` does not see count as null; see `theory::probing`.
    let floor = of.size as f64 * f64::EPSILON * largest;
    let safe = least > floor && least_pivot > k as f64 * f64::EPSILON && sum.is_finite();
    if safe {
        return sum;
    }
    let Fallback { form, right, memory } = fallback;
    let mut form = form.as_mut().submatrix_mut(0, 0, k, k);
    let mut right = right.as_mut().submatrix_mut(0, 0, k, of.width);
    for j in 0..k {
        for i in j..k {
            form[(i, j)] = (of.entry)(i, j);
        }
        for c in 0..of.width {
            right[(j, c)] = (of.right)(j, c);
        }
    }
    explained_power(instruction_set, form, right, floor, MemStack::new(memory))
}

fn finite(numbers: &[f64]) -> Result<(), Failure> {
    if numbers.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}
