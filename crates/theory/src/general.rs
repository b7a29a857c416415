//! The closed forms for any moments, many problems at a time.
//!
//! Up to [`LARGEST_SIZE`] features a problem is solved in lanes
//! ([`spectral::general`](eigensweep_spectral::general)), with the leading columns of V only,
//! unless its S is not safely definite, or known to be off by much: then, and where a paradigm has
//! no form in lanes, [`ClosedForms`] answer. Which way a problem takes, and every bit of what lanes
//! find, is a matter of the problem alone.

use eigensweep_spectral::general::{General, GeneralBatch, Room, Wanted};
use eigensweep_spectral::lanes::LARGEST_SIZE;

use crate::closed_forms::{ClosedForms, Solution};
use crate::moments::Moments;
use crate::root::is_much;
use crate::{Failure, InstructionSet, Paradigm};

/// Moments of a problem, and what S is known to be off by
/// ([`with_rounding`](crate::closed_forms::Problem::with_rounding)).
#[derive(Clone, Copy, Debug)]
pub struct Given<'m> {
    /// The moments.
    pub moments: Moments<'m>,
    /// Of S with a unit diagonal, in the spectral norm; 0 if nothing is known.
    pub rounding: f64,
}

/// Workspace of the closed forms for d features of views, p inputs and ℓ labels.
#[derive(Debug)]
pub struct GeneralForms {
    instruction_set: InstructionSet,
    /// `None` where no paradigm has a form in lanes.
    lanes: Option<GeneralBatch>,
    room: Room,
    forms: ClosedForms,
}

impl GeneralForms {
    /// Workspace for up to `size` inputs and features of views, `labels` = ℓ and `dimension` = k,
    /// and for these paradigms.
    #[must_use]
    pub fn new(
        instruction_set: InstructionSet,
        size: usize,
        labels: usize,
        dimension: usize,
        paradigms: &[&'static Paradigm],
    ) -> Self {
        let room = Self::room(size, labels, dimension);
        let wanted = wanted(paradigms);
        let lanes = (wanted != Wanted::default()).then(|| GeneralBatch::new(instruction_set, room, wanted));
        Self { instruction_set, lanes, room, forms: ClosedForms::on(instruction_set, size, labels) }
    }

    /// Of lanes.
    fn room(size: usize, labels: usize, dimension: usize) -> Room {
        let size = size.min(LARGEST_SIZE);
        Room { size, inputs: size, width: labels, count: dimension.min(size) }
    }

    /// Bytes of the workspace, about: what the constructors count.
    #[must_use]
    pub fn bytes(
        instruction_set: InstructionSet,
        size: usize,
        labels: usize,
        dimension: usize,
        paradigms: &[&'static Paradigm],
    ) -> u64 {
        let wanted = wanted(paradigms);
        let one = ClosedForms::bytes(instruction_set, size) as u64;
        if wanted == Wanted::default() {
            return one;
        }
        let room = Self::room(size, labels, dimension);
        let Room { size, count, .. } = room;
        let pencils = u64::from(wanted.symmetric) + u64::from(wanted.cross);
        let (size, count, labels) = (size as u64, count as u64, labels as u64);
        let problems = Self::capacity_for(instruction_set, room.size, paradigms) as u64;
        // The factor and half a square a pencil; one square more of a group.
        let each = size * size * (2 + pencils) / 2 + size * (count * pencils + labels);
        one + 8 * (problems * each + instruction_set.lanes() as u64 * size * size)
    }

    /// Most problems of d features at a time, by these paradigms.
    #[must_use]
    pub fn capacity_for(
        instruction_set: InstructionSet,
        size: usize,
        paradigms: &[&'static Paradigm],
    ) -> usize {
        if size > LARGEST_SIZE || wanted(paradigms) == Wanted::default() {
            return 1;
        }
        GeneralBatch::capacity_for(instruction_set, size)
    }

    /// Most problems of d features at a time.
    #[must_use]
    pub fn capacity(&self, size: usize) -> usize {
        let room = |lanes: &GeneralBatch| {
            let most = GeneralBatch::capacity_for(self.instruction_set, size);
            if size <= self.room.size { lanes.capacity().min(most) } else { 1 }
        };
        self.lanes.as_ref().map_or(1, room)
    }

    /// Solves problems of one shape by each of the paradigms, for encoders of `dimension` = k
    /// columns or as many as there are, and hands over what each paradigm, by its place, makes of
    /// each problem, by its place: all paradigms of the first problem first.
    ///
    /// Failures are those of [`Problem::solve`](crate::closed_forms::Problem::solve).
    ///
    /// # Panics
    ///
    /// If there are more problems than the [`capacity`](Self::capacity), they differ in shape,
    /// there is no room for them, or columns of G, S or B are not contiguous.
    pub fn solve(
        &mut self,
        paradigms: &[&'static Paradigm],
        dimension: usize,
        problems: &[Given<'_>],
        mut each: impl FnMut(usize, usize, Result<Solution<'_>, Failure>),
    ) {
        let Some(Given { moments, .. }) = problems.first() else { return };
        let size = moments.views.nrows();
        assert!(problems.len() <= self.capacity(size), "room for so many problems");
        let count = dimension.min(size).min(self.room.count);
        let fits = size <= self.room.size && moments.cross.nrows() <= self.room.inputs;
        let wanted = wanted(paradigms);
        let in_lanes = |given: &&Given<'_>| fits && !is_much(given.rounding, size);
        let mut lanes = self.lanes.as_mut().filter(|_| wanted != Wanted::default());
        if let Some(lanes) = &mut lanes {
            let sound: Vec<_> = problems.iter().filter(in_lanes).map(of_lanes).collect();
            lanes.solve(wanted, count, &sound);
        }
        let lanes = lanes.as_deref();
        let mut next = 0;
        for (number, given) in problems.iter().enumerate() {
            let place = in_lanes(&given).then(|| {
                next += 1;
                next - 1
            });
            self.forms.forget();
            self.forms.root.rounding = given.rounding;
            for (at, paradigm) in paradigms.iter().enumerate() {
                if let (Some(place), Some(lanes), Some(form)) = (place, lanes, &paradigm.in_lanes)
                    && let Ok(found) = (form.read)(lanes, place, count, &mut self.forms, &given.moments)
                {
                    each(number, at, Ok(found));
                    continue;
                }
                // What lanes leave, the general form answers, or says what is wrong.
                each(number, at, (paradigm.solve)(&mut self.forms, &given.moments));
            }
        }
    }
}

/// What lanes are to answer.
fn wanted(paradigms: &[&'static Paradigm]) -> Wanted {
    let mut wanted = Wanted::default();
    for form in paradigms.iter().filter_map(|paradigm| paradigm.in_lanes.as_ref()) {
        (form.wants)(&mut wanted);
    }
    wanted
}

fn of_lanes<'m>(given: &Given<'m>) -> General<'m> {
    let Moments { mean_views, views, cross, view_labels, .. } = given.moments;
    General { definite: views, symmetric: mean_views, cross, right: view_labels }
}
