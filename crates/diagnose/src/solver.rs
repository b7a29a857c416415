//! Leading directions of both paradigms.
//!
//! Up to `lanes::LARGEST_SIZE` features many alignments of a fold are solved at a time, in lanes.
//! Beyond, one at a time by way of a band, and as in lanes reconstruction by squaring: with
//! `S = L Lᵀ` and `F = L⁻¹Cᵀ`, the leading eigenvectors of `L⁻¹ G L⁻ᵀ` and of `F Fᵀ`. What is not
//! safely definite is answered on the range of S, by `closed_forms`. Which way a problem takes is a
//! matter of that problem.
//!
//! Cost, beyond lanes: 2/3 d³ (factor) + d³ (F) + d³ (each form) + 2 · 4/3 d³ flops, where G and C
//! are different d³ more.

use eigensweep_spectral::cholesky::{
    factor_safely_in_place, solve_lower_in_place, solve_lower_transpose_in_place,
};
use eigensweep_spectral::dense::gram_lower;
use eigensweep_spectral::lanes::LARGEST_SIZE;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::closed_forms::{ClosedForms, Encoder};
use eigensweep_theory::general::{GeneralForms, Given};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::{Failure, InstructionSet};
use faer::{Accum, Mat, MatRef};

use crate::algebra::{inner, product};
use crate::{DiagnoseError, PARADIGMS, Run};

/// How far apart, over themselves, values of directions are that rounding does not tell apart.
const TIED: f64 = 1e-9;

/// Moments of views, in the features that the paradigms see (P × P each).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'m> {
    pub(crate) mean_views: MatRef<'m, f64>,
    pub(crate) views: MatRef<'m, f64>,
    pub(crate) cross: MatRef<'m, f64>,
    pub(crate) rounding: f64,
}

/// V of each paradigm (P × k), as many columns as were asked for or as there are.
pub(crate) type Bases = [Mat<f64>; 2];

/// Workspace for problems of up to P features.
pub(crate) enum Solver {
    Lanes(Box<GeneralForms>),
    /// Beyond lanes; the general form once it is needed.
    Band {
        size: usize,
        eigensolver: Box<Eigensolver>,
        forms: Option<Box<ClosedForms>>,
    },
}

impl Solver {
    pub(crate) fn new(size: usize, count: usize) -> Self {
        let isa = InstructionSet::detect();
        if size <= LARGEST_SIZE {
            Self::Lanes(Box::new(GeneralForms::new(isa, size, 0, count, &PARADIGMS)))
        } else {
            Self::Band { size, eigensolver: Box::new(Eigensolver::new(isa, size)), forms: None }
        }
    }

    /// Problems that are solved at a time.
    pub(crate) fn capacity(&self, size: usize) -> usize {
        match self {
            Self::Lanes(forms) => forms.capacity(size),
            Self::Band { .. } => 1,
        }
    }

    /// The leading `count` directions of each paradigm, of each problem; no more than the
    /// [capacity](Self::capacity).
    pub(crate) fn solve(
        &mut self,
        problems: &[Problem<'_>],
        count: usize,
        run: &Run<'_>,
    ) -> Result<Vec<Bases>, DiagnoseError> {
        run.check()?;
        let mut found = vec![[Mat::new(), Mat::new()]; problems.len()];
        match self {
            Self::Lanes(forms) => {
                let given: Vec<_> = problems.iter().map(Problem::given).collect();
                let mut outcome = Ok(());
                forms.solve(&PARADIGMS, count, &given, |problem, paradigm, solved| match solved {
                    Ok(solution) => {
                        if let Some(encoder) = solution.encoder() {
                            found[problem][paradigm] = leading(encoder, count);
                        }
                    }
                    Err(failure) => outcome = Err(kernel(failure)),
                });
                outcome?;
            }
            Self::Band { size, eigensolver, forms } => {
                for (problem, found) in problems.iter().zip(&mut found) {
                    *found = match problem.by_band(eigensolver, count, run)? {
                        Some(bases) => bases,
                        None => {
                            let forms = forms.get_or_insert_with(|| {
                                Box::new(ClosedForms::on(InstructionSet::detect(), *size, 0))
                            });
                            problem.by_closed_forms(forms, count).map_err(kernel)?
                        }
                    };
                }
            }
        }
        Ok(found)
    }
}

fn kernel(source: Failure) -> DiagnoseError {
    DiagnoseError::Kernel { what: "the pencils of the paradigms", source }
}

/// The leading directions of an encoder.
fn leading(encoder: Encoder<'_>, count: usize) -> Mat<f64> {
    encoder.basis.subcols(0, count.min(encoder.rank())).to_owned()
}

impl<'m> Problem<'m> {
    fn given(&self) -> Given<'m> {
        let Self { mean_views, views, cross, rounding } = *self;
        Given { moments: Moments::unlabelled(mean_views, views, cross), rounding }
    }

    /// Whether direction k of each paradigm has the value of the next, so that which of them is
    /// kept is rounding.
    pub(crate) fn tied(&self, bases: &Bases, dimension: usize) -> [bool; 2] {
        let form = |matrix: MatRef<'_, f64>, pair: MatRef<'_, f64>| {
            let image = product(matrix, pair);
            [0, 1].map(|j| inner(pair, j, image.as_ref(), j))
        };
        let squares = |pair: MatRef<'_, f64>| {
            let image = product(self.cross, pair);
            [0, 1].map(|j| inner(image.as_ref(), j, image.as_ref(), j))
        };
        let tied = |basis: &Mat<f64>, powers: &dyn Fn(MatRef<'_, f64>) -> [f64; 2]| {
            if basis.ncols() <= dimension {
                return false;
            }
            let pair = basis.as_ref().subcols(dimension - 1, 2);
            let (powers, views) = (powers(pair), form(self.views, pair));
            let [value, next] = [0, 1].map(|j| powers[j] / views[j]);
            value - next <= TIED * value.abs()
        };
        [tied(&bases[0], &|pair| form(self.mean_views, pair)), tied(&bases[1], &squares)]
    }

    fn by_closed_forms(&self, forms: &mut ClosedForms, count: usize) -> Result<Bases, Failure> {
        let Given { moments, rounding } = self.given();
        let mut problem = forms.problem(moments).with_rounding(rounding);
        let mut bases = [Mat::new(), Mat::new()];
        for (to, paradigm) in bases.iter_mut().zip(PARADIGMS) {
            if let Some(encoder) = problem.solve(paradigm)?.encoder() {
                *to = leading(encoder, count);
            }
        }
        Ok(bases)
    }

    /// `None` where S is not safely definite.
    fn by_band(
        &self,
        eigensolver: &mut Eigensolver,
        count: usize,
        run: &Run<'_>,
    ) -> Result<Option<Bases>, DiagnoseError> {
        let isa = InstructionSet::detect();
        let size = self.views.nrows();
        let mut factor = self.views.to_owned();
        let mut form = Mat::zeros(size, size);
        match factor_safely_in_place(isa, factor.as_mut(), form.as_mut()) {
            Ok(()) if self.rounding <= 0.0 => {}
            Ok(()) | Err(Failure::NotPositiveDefinite { .. }) => return Ok(None),
            Err(failure) => return Err(kernel(failure)),
        }
        let factor = factor.as_ref();
        let reduced = |matrix: MatRef<'_, f64>| {
            let mut reduced = matrix.to_owned();
            solve_lower_in_place(isa, factor, reduced.as_mut());
            reduced
        };
        let mut values = vec![0.0; size];
        let mut vectors = |form: &Mat<f64>| {
            let mut basis = Mat::zeros(size, count);
            run.check()?;
            eigensolver.solve(form.as_ref(), &mut values, basis.as_mut()).map_err(kernel)?;
            solve_lower_transpose_in_place(isa, factor, basis.as_mut());
            Ok::<_, DiagnoseError>(basis)
        };
        let crossed = reduced(self.cross.transpose());
        gram_lower(isa, form.as_mut(), Accum::Replace, crossed.as_ref());
        let reconstruction = vectors(&form)?;
        // G and C of additive views are one matrix, which is symmetric.
        let same = std::ptr::eq(self.mean_views.as_ptr(), self.cross.as_ptr());
        let half = if same { crossed } else { reduced(self.mean_views) };
        let form = reduced(half.transpose());
        let joint_embedding = vectors(&form)?;
        Ok(Some([joint_embedding, reconstruction]))
    }
}

#[cfg(test)]
mod tests {
    use eigensweep_spectral::symmetric::Eigensolver;
    use eigensweep_testkit::random::Random;
    use eigensweep_theory::InstructionSet;
    use eigensweep_theory::closed_forms::ClosedForms;
    use faer::Mat;

    use super::{Problem, Run};

    /// By way of a band and by the general form, the same subspaces: `VᵀSV = I` and the same
    /// projection.
    #[test]
    fn a_band_finds_the_directions_of_the_closed_forms() {
        let mut random = Random(3);
        let size = 40;
        let of = |random: &mut Random, decades: f64| {
            let values: Vec<f64> = (0..size).map(|_| random.decades(-decades, decades)).collect();
            random.with_eigenvalues(&values)
        };
        let (mean_views, noise) = (of(&mut random, 1.0), of(&mut random, 0.5));
        let cross = random.normals(size, size);
        let views = &mean_views + &noise;
        for same in [false, true] {
            let cross = if same { mean_views.as_ref() } else { cross.as_ref() };
            let problem =
                Problem { mean_views: mean_views.as_ref(), views: views.as_ref(), cross, rounding: 0.0 };
            let isa = InstructionSet::detect();
            let band = problem.by_band(&mut Eigensolver::new(isa, size), 5, &Run::on(1)).unwrap().unwrap();
            let general = problem.by_closed_forms(&mut ClosedForms::on(isa, size, 0), 5).unwrap();
            for (band, general) in band.iter().zip(&general) {
                let affinity = band.transpose() * &views * general;
                let identity = affinity.transpose() * &affinity;
                assert!((&identity - Mat::<f64>::identity(5, 5)).norm_max() < 1e-9, "{identity:?}");
            }
        }
    }
}
