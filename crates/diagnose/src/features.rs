//! The features that the paradigms see: all, or principal components, fitted to training rows.

use std::borrow::Cow;

use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_theory::features::{self, Features as Fitted, IDENTITY, Principal, Recipe};
use faer::Mat;

use crate::algebra::{inner, product, trace, transposed_product};
use crate::moments::Covariances;
use crate::{DiagnoseError, Question};

/// Share of the largest variance that is rounding.
const NOTHING: f64 = 1e-12;

/// `x ↦ Tᵀx`.
pub(crate) struct Features {
    /// T (d × P); `None` where it is I.
    map: Option<Mat<f64>>,
}

impl Features {
    /// Fits what is asked for to rows with these moments; `origin` (d) was taken off them.
    pub(crate) fn fit(
        question: &Question<'_>,
        training: &Covariances,
        origin: &[f64],
    ) -> Result<Self, DiagnoseError> {
        let Question { components, standardize, .. } = *question;
        if components.is_none() && !standardize {
            return Ok(Self { map: None });
        }
        let failed = |source| DiagnoseError::Kernel { what: "principal components", source };
        let recipe = Recipe { standardize, kind: &IDENTITY, ..Recipe::IDENTITY };
        let mean = training.mean.iter().zip(origin).map(|(mean, origin)| mean + origin).collect();
        let moments = features::Moments { mean, covariance: training.inputs.clone() };
        let principal = Principal::new(&recipe, moments, components).map_err(failed)?;
        // Nothing that is linear draws anything.
        let mut rng = Streams::new(0).stream(Draw::Features, &[]);
        let fitted = Fitted::new(&recipe, &principal, components, &mut rng).map_err(failed)?;
        Ok(Self { map: fitted.linear().and_then(|linear| linear.matrix(origin.len())) })
    }

    /// Number of the first features, of falling variance, that have any; `inputs` is C (d × d).
    pub(crate) fn rank(&self, inputs: &Mat<f64>) -> Option<usize> {
        let map = self.map.as_ref()?;
        let image = product(inputs.as_ref(), map.as_ref());
        let variance = |j: usize| inner(map.as_ref(), j, image.as_ref(), j);
        let least = NOTHING * variance(0);
        (0..map.ncols()).position(|j| variance(j) <= least).or(Some(map.ncols()))
    }

    /// `TᵀMT` (P × P) of a symmetric M, or of another.
    pub(crate) fn moment<'m>(&self, moment: &'m Mat<f64>) -> Cow<'m, Mat<f64>> {
        match &self.map {
            None => Cow::Borrowed(moment),
            Some(map) => {
                let half = product(moment.as_ref(), map.as_ref());
                Cow::Owned(transposed_product(map.as_ref(), half.as_ref()))
            }
        }
    }

    /// `tr TᵀMT`.
    pub(crate) fn trace(&self, moment: &Mat<f64>) -> f64 {
        match &self.map {
            None => trace(moment.as_ref()),
            Some(map) => {
                let half = product(moment.as_ref(), map.as_ref());
                (0..map.ncols()).map(|j| inner(map.as_ref(), j, half.as_ref(), j)).sum()
            }
        }
    }

    /// `T V` (d × k): directions of features as directions of inputs.
    pub(crate) fn lift(&self, basis: Mat<f64>) -> Mat<f64> {
        match &self.map {
            None => basis,
            Some(map) => product(map.as_ref(), basis.as_ref()),
        }
    }

    /// `TᵀB` (P × k) of columns in the inputs' space.
    pub(crate) fn project(&self, columns: Mat<f64>) -> Mat<f64> {
        match &self.map {
            None => columns,
            Some(map) => transposed_product(map.as_ref(), columns.as_ref()),
        }
    }
}
