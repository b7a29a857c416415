//! Eigenproblems of one size by way of a band, up to as many at a time as a group has lanes: in
//! lanes of the narrowest registers that hold so many, since empty ones cost as much as full ones.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `squares` | d × d | lower triangle; afterwards the reflectors of Q₁, and Q₂'s above the diagonal |
//! | B | `band` | 2b·d registers | of all problems, in lanes |
//! | T | `batch` | d registers | and the right-hand sides, `Q₂ᵀQ₁ᵀb`, of all problems |
//!
//! Where nobody asks for vectors one square serves all problems, and reflectors are not kept.

use faer::{Mat, MatMut};

use super::chased::{ApplyChased, apply_work_len};
use super::reduction::{self, Workspace};
use super::vectors::{TridiagonalVectors, tridiagonal_vectors, tridiagonal_vectors_work};
use super::{HALF_WIDTH, band_stride};
use crate::Failure;
use crate::lanes::batch::{Batch, Numbers};
use crate::lanes::chase::{Chase, chase_work_len};
use crate::lanes::{InstructionSet, MAX_LANES};
use crate::scaling::normalize_lower_in_place;

/// Rows of a matrix in memory, of which the first `size` are its own: an odd number of cache lines,
/// so that the columns of a tile do not meet in the same sets.
pub(crate) const fn padded(size: usize) -> usize {
    size.next_multiple_of(8) | 8
}

/// A matrix with padded columns.
pub(crate) fn padded_mat(rows: usize, columns: usize) -> Mat<f64> {
    Mat::zeros(if rows == 0 { 0 } else { padded(rows) }, columns)
}

/// The first rows and columns.
pub(crate) fn part(matrix: &mut Mat<f64>, rows: usize, columns: usize) -> MatMut<'_, f64> {
    matrix.as_mut().submatrix_mut(0, 0, rows, columns)
}

/// The largest sizes of a solver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Problems at a time, at most as many as a group has lanes.
    pub(crate) problems: usize,
    /// d.
    pub(crate) size: usize,
    /// ℓ.
    pub(crate) width: usize,
    /// Leading vectors, 0 where there is none.
    pub(crate) count: usize,
}

/// Workspace, and the problems in hand.
pub(crate) struct BandSolver {
    instruction_set: InstructionSet,
    /// Of what is done in lanes, and their number.
    in_lanes: InstructionSet,
    lanes: usize,
    room: Room,
    size: usize,
    /// ℓ of the problems in hand.
    width: usize,
    squares: Vec<Mat<f64>>,
    factors: Vec<Mat<f64>>,
    /// Of each problem: rows and columns that are not 0; and the most of them, of those that were
    /// diagonalized last.
    ranks: Vec<usize>,
    reached: usize,
    right: Mat<f64>,
    band: Numbers,
    pub(crate) batch: Batch,
    reduction: Workspace,
    /// T and eigenvalues of one problem.
    tridiagonal: [Vec<f64>; 3],
    work: Vec<f64>,
}

impl BandSolver {
    pub(crate) fn new(instruction_set: InstructionSet, room: Room) -> Self {
        let Room { problems, size, width, count } = room;
        let in_lanes = instruction_set.holding(problems);
        let (lanes, half) = (in_lanes.lanes(), HALF_WIDTH);
        let kept = if count > 0 { problems } else { problems.min(1) };
        let work = tridiagonal_vectors_work(size, count).max(apply_work_len(size, half, count));
        Self {
            instruction_set,
            in_lanes,
            lanes,
            room,
            size: 0,
            width: 0,
            squares: (0..kept).map(|_| padded_mat(size, size)).collect(),
            factors: (0..kept).map(|_| Mat::zeros(half, size)).collect(),
            ranks: vec![0; problems],
            reached: 0,
            right: padded_mat(size, width),
            band: Numbers::new(size * band_stride(half) * lanes),
            batch: Batch::of_tridiagonal(in_lanes, size, width),
            reduction: Workspace::new(size, half, width.max(count)),
            tridiagonal: std::array::from_fn(|_| vec![0.0; size]),
            work: vec![0.0; work.max(chase_work_len(half) * lanes)],
        }
    }

    /// Bytes of the room, about.
    pub(crate) fn bytes(instruction_set: InstructionSet, room: Room) -> usize {
        let Room { problems, size, width, count } = room;
        let (lanes, half) = (instruction_set.holding(problems).lanes(), HALF_WIDTH);
        let kept = if count > 0 { problems } else { problems.min(1) };
        let vectors = if count > 0 {
            tridiagonal_vectors_work(size, count).max(apply_work_len(size, half, count))
        } else {
            0
        };
        let each = padded(size) * size + half * size;
        8 * (kept * each + size * lanes * (band_stride(half) + width + 12) + vectors)
            + Workspace::bytes(size, half, width.max(count))
    }

    /// Forgets all problems; the next ones are of size d with ℓ = `width` right-hand sides.
    pub(crate) fn start(&mut self, size: usize, width: usize) {
        assert!(size <= self.room.size && width <= self.room.width, "room for this size and width");
        (self.size, self.width) = (size, width);
        self.batch.start(size);
        self.band.as_mut_slice()[..size * band_stride(HALF_WIDTH) * self.lanes].fill(0.0);
        let (.., rows) = self.batch.tridiagonal_mut(width);
        rows.fill(0.0);
    }

    /// A (d × d, lower triangle to be filled) and b (d × ℓ) of the problem at `place`. Before it is
    /// filled, and once its vectors are found, the square is room for anything.
    pub(crate) fn problem_mut(&mut self, place: usize) -> (MatMut<'_, f64>, MatMut<'_, f64>) {
        let (size, own) = (self.size, place.min(self.squares.len() - 1));
        (part(&mut self.squares[own], size, size), part(&mut self.right, size, self.width))
    }

    /// Reduces the problem at `place`, of which the first `rank` rows and columns, and rows of b,
    /// were filled, and the others are 0, unless it has failed before.
    pub(crate) fn reduce(&mut self, place: usize, rank: usize, before: Result<(), Failure>) {
        let (half, lanes, width) = (HALF_WIDTH, self.lanes, self.width);
        let own = place.min(self.squares.len() - 1);
        self.ranks[place] = rank;
        let mut matrix = part(&mut self.squares[own], rank, rank);
        let mut right = part(&mut self.right, rank, width);
        let unit = before.and_then(|()| normalize_lower_in_place(self.instruction_set, matrix.as_mut()));
        let (outcome, units, ..) = self.batch.tridiagonal_mut(width);
        outcome[place] = unit.map(|_| ());
        let Ok(unit) = unit else { return };
        units[place] = unit;
        let factors = self.factors[own].as_mut().subcols_mut(0, rank);
        let workspace = &mut self.reduction;
        reduction::reduce(self.instruction_set, half, matrix.as_mut(), factors, right.as_mut(), workspace);
        let band = self.band.as_mut_slice();
        for j in 0..rank {
            for r in 0..(half + 1).min(rank - j) {
                band[(j * band_stride(half) + r) * lanes + place] = matrix[(j + r, j)];
            }
        }
        let (.., rows) = self.batch.tridiagonal_mut(width);
        for i in 0..rank {
            for c in 0..width {
                rows[(i * width + c) * lanes + place] = right[(i, c)];
            }
        }
    }

    /// Finds the eigenvalues of the first `count` problems, and the projections of their right-hand
    /// sides; whether [`leading_vectors`](Self::leading_vectors) are to come.
    pub(crate) fn diagonalize(&mut self, count: usize, vectors: bool) {
        self.batch.adopt(count);
        let (lanes, width, half) = (self.lanes, self.width, HALF_WIDTH);
        // What is 0 in all problems stays so, and further zeros change no bit of one.
        let reached = self.ranks[..count].iter().copied().max().unwrap_or(0);
        self.reached = reached;
        let kept = if vectors { count } else { 0 };
        let mut squares = self.squares.iter_mut().take(kept);
        let mut squares: [MatMut<'_, f64>; MAX_LANES] = std::array::from_fn(|_| match squares.next() {
            Some(square) => part(square, reached, reached),
            None => MatMut::from_column_major_slice_mut(&mut [], 0, 0),
        });
        let (_, _, diagonal, off_diagonal, rows) = self.batch.tridiagonal_mut(width);
        let (diagonal, rest) = diagonal.split_at_mut(reached * lanes);
        rest.fill(0.0);
        let (off_diagonal, rest) = off_diagonal.split_at_mut(reached * lanes);
        rest.fill(0.0);
        self.in_lanes.run(Chase {
            size: reached,
            half_width: half,
            band: &mut self.band.as_mut_slice()[..reached * band_stride(half) * lanes],
            diagonal,
            off_diagonal,
            rows: &mut rows[..reached * width * lanes],
            width,
            squares: &mut squares[..kept],
            work: &mut self.work[..chase_work_len(half) * lanes],
        });
        self.batch.diagonalize(width);
    }

    /// Writes the leading eigenvectors of the problem at `place`, once eigenvalues are sorted, into
    /// the columns of `vectors` (d × k).
    pub(crate) fn leading_vectors(
        &mut self,
        place: usize,
        mut vectors: MatMut<'_, f64>,
    ) -> Result<(), Failure> {
        self.batch.outcome(place)?;
        let (size, count) = (self.size, vectors.ncols());
        assert!(count <= self.room.count && vectors.nrows() == size, "room for so many vectors");
        let [diagonal, off_diagonal, values] = &mut self.tridiagonal;
        self.batch.read_tridiagonal(place, diagonal, off_diagonal, values);
        let of_one = TridiagonalVectors {
            diagonal: &diagonal[..size],
            off_diagonal: &off_diagonal[..size],
            values: &values[..size],
            vectors: vectors.as_mut(),
            work: &mut self.work[..tridiagonal_vectors_work(size, count)],
        };
        tridiagonal_vectors(self.instruction_set, of_one)?;
        let rank = self.ranks[place];
        let mut vectors = vectors.subrows_mut(0, rank);
        // The columns of the chase count from the last one that it reached.
        let reflectors = self.squares[place].as_ref().submatrix(0, self.reached - rank, rank, rank);
        self.instruction_set.run(ApplyChased {
            size: rank,
            half_width: HALF_WIDTH,
            reflectors,
            vectors: vectors.as_mut(),
            work: &mut self.work[..apply_work_len(rank, HALF_WIDTH, count)],
        });
        let matrix = self.squares[place].as_ref().submatrix(0, 0, rank, rank);
        let factors = self.factors[place].as_ref().subcols(0, rank);
        reduction::apply(self.instruction_set, HALF_WIDTH, matrix, factors, vectors, &mut self.reduction);
        Ok(())
    }
}
