"""Joint-embedding and reconstruction as transformers of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

# mypy: disable-error-code="import-untyped,import-not-found,misc"
try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_array
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "JointEmbedding and Reconstruction need scikit-learn 1.6 or later: "
        "pip install 'eigensweep[sklearn]'"
    ) from error

from . import _core
from ._errors import EigensweepWarning
from ._solve import Array, Views, covariance_of, view_moments
from ._values import is_sparse, refuse_masked, refuse_words

_DTYPES = (np.float64, np.float32)

# Σ where neither it nor views are given, as a share of the mean variance.
_SHARE = 0.5


class _Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A linear encoder: what both estimators share."""

    _paradigm: str
    _encoder: str

    def __init__(
        self,
        n_components: int | None = None,
        *,
        covariance: ArrayLike | None = None,
        views: Views | None = None,
        n_views: int = 8,
        center: bool = True,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance = covariance
        self.views = views
        self.n_views = n_views
        self.center = center
        self.random_state = random_state

    def _fit(self, X: Any) -> tuple[Array, dict[str, Any]]:
        """Fits what is shared; returns the k signs, and what was solved."""
        sparse = "csr" if self._takes_sparse else False
        refuse_masked("X", X)
        if is_sparse(X) and not sparse:
            raise TypeError(
                "views see every entry of a sample, and X is sparse: pass X.toarray(), or a "
                "covariance in place of views"
            )
        if not is_sparse(X):
            refuse_words("X", X)
        X = validate_data(self, X, accept_sparse=sparse, dtype=_DTYPES, ensure_min_samples=2)
        most = min(X.shape)
        wanted: Any = most if self.n_components is None else self.n_components
        if not isinstance(wanted, int | np.integer) or isinstance(wanted, bool) or wanted < 1:
            raise ValueError(f"n_components={wanted!r} is no whole number from 1 on, nor None")
        moments, mean = self._moments(X)
        source = "covariance" if self.views is None else "views"
        found = _core.solve(
            moments,
            [self._paradigm],
            min(int(wanted), X.shape[1]),
            source,
            centred=self.center,
            estimator=True,
        )
        dimension = found["dimension"]
        if dimension == 0:
            raise ValueError("all views of X are zero: there is nothing to represent")
        remarks = found["remarks"]
        if self.n_components is not None and dimension < wanted:
            remarks = [
                (
                    f"n_components={wanted} is above the number of directions that there are, "
                    f"{dimension}, which are kept"
                ),
                *remarks,
            ]
        for remark in remarks:
            warnings.warn(remark, EigensweepWarning, stacklevel=3)
        solved: Any = found["paradigms"][self._paradigm]
        encoder = solved[self._encoder]
        # The sign of a direction is free; with this one, fits of the same data agree.
        largest = encoder[np.arange(dimension), np.abs(encoder).argmax(axis=1)]
        signs = np.where(largest < 0, -1.0, 1.0)
        self.components_ = encoder * signs[:, np.newaxis]
        self.n_components_ = dimension
        self.mean_ = mean
        return signs, solved

    def _moments(self, X: Any) -> tuple[_core.Moments, Array]:
        """The moments of X under the views, and what is taken off X before it is encoded."""
        size = X.shape[1]
        if self.views is not None:
            if self.covariance is not None:
                raise ValueError("views come in place of a covariance: give one of them")
            X = np.require(X, np.float64, "A")
            mean = X.mean(axis=0) if self.center else np.zeros(size)
            moments = view_moments(
                self.views, X, None, self.center, self.n_views, self.random_state
            )
            features = moments.views.shape[0]
            if features != size:
                raise ValueError(
                    f"a view has {features} features and X has {size}: an encoder of such views "
                    "does not take X"
                )
            return moments, mean
        if is_sparse(X):
            if not X.has_canonical_format:
                X = X.copy()
                X.sum_duplicates()
            mean, moment = _core.sparse_second_moment(
                X.indptr.astype(np.uint64),
                X.indices.astype(np.uint32),
                X.data.astype(np.float64),
                size,
            )
        else:
            mean, moment = _core.second_moment(np.require(X, np.float64, "A"))
        share = _SHARE if self.covariance is None else self.covariance
        covariance = covariance_of(share, size, float(np.trace(moment)) / size)
        if self.center:
            taken = mean
        else:
            moment += np.outer(mean, mean)
            taken = np.zeros(size)
        return _core.Moments(moment + covariance, mean_views=moment, cross=moment), taken

    def transform(self, X: Any) -> Any:
        """Encode samples: ``(X − mean_) components_ᵀ``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components_)
            Single precision if X is.
        """
        check_is_fitted(self)
        sparse = ("csr", "csc") if self._takes_sparse else False
        X = validate_data(self, X, accept_sparse=sparse, dtype=_DTYPES, reset=False)
        components = self.components_.astype(X.dtype, copy=False)
        if is_sparse(X):
            return X @ components.T - (self.mean_ @ self.components_.T).astype(X.dtype)
        return (X - self.mean_.astype(X.dtype, copy=False)) @ components.T

    @property
    def _takes_sparse(self) -> bool:
        # Stages and functions see the samples.
        return self.views is None

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._takes_sparse
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


_PARAMETERS = """n_components : int, default None
        k, the dimension of the representation; as many as there are if None, or if it is larger
        (with a warning).
    covariance : float, array-like of shape (d,) or (d, d), default None
        Σ, the mean covariance of additive views: a share of the mean variance of the features in
        each of them, variances, or the matrix. None is a share of 0.5.
    views : list of dict, dict or callable, default None
        Views in place of a covariance. Stages as dicts with the keys of a job file, or a dict with
        ``stages`` and what else a file of views has: ``shape`` of images, as channels, rows and
        columns (``{"shape": [1, 28, 28], "stages": [{"kind": "shift", "rows": 2, "columns": 2}]}``),
        ``corruption``, ``floor``. Their moments are exact where stages have closed forms. Or a
        function of X and a ``numpy.random.Generator`` that gives a view of each sample, a row each:
        the moments are then estimated from ``n_views`` draws, without bias.
    n_views : int, default 8
        Draws of views that are a function, at least 2.
    center : bool, default True
        Whether means are taken off: those of X off samples, those of views off views.
    random_state : int, Generator or None, default None
        Seed of the draws.

    Attributes
    ----------
    components_ : ndarray of shape (k, d)
        The encoder; the largest entry of each row is positive.
    mean_ : ndarray of shape (d,)
        What is taken off a sample before it is encoded: the mean of X, or 0.
    n_components_ : int
        k.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (d,)
        Where X has names that are all texts."""


class JointEmbedding(_Encoder):
    __doc__ = f"""Joint-embedding in closed form, as a transformer.

    The encoder predicts its own output on one view from that on another,
    ``min_W mean E‖Wτ₁(x) − Wτ₂(x)‖²`` with ``mean E[Wτ(x)τ(x)ᵀWᵀ] = I`` (Theorem 3.2 of
    arXiv:2505.12477): its rows are the leading eigenvectors of (G, S), second moments of expected
    views and of views. Views with a covariance Σ have ``S = G + Σ``: what Σ is large on is not
    represented. Fitting takes one thread.

    Parameters
    ----------
    {_PARAMETERS}
    eigenvalues_ : ndarray of shape (k,)
        ω, descending: 1 of a direction that views leave as it is, 0 of one that they hide.

    Examples
    --------
    >>> import numpy as np
    >>> from eigensweep import JointEmbedding
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1.0, 2.0, 5.0]
    >>> loud = np.diag([0.1, 0.1, 100.0])                 # views hide the third feature
    >>> encoder = JointEmbedding(2, covariance=loud).fit(X)
    >>> np.abs(encoder.components_).argmax(axis=1).tolist()
    [1, 0]
    >>> encoder.transform(X).shape
    (100, 2)
    """

    _paradigm = "joint-embedding"
    _encoder = "W"

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the encoder to samples; ``y`` is not looked at."""
        _, solved = self._fit(X)
        self.eigenvalues_: NDArray[np.float64] = solved["values"][: self.n_components_]
        return self


class Reconstruction(_Encoder):
    __doc__ = f"""Reconstruction in closed form, as a transformer.

    Encoder and decoder predict a sample from a view of it, ``min_(E,D) mean E‖x − D E τ(x)‖²``
    (Theorem 3.1 of arXiv:2505.12477), by the leading singular vectors of ``C S^(−1/2)``: C is the
    moment of samples and expected views, S that of views: a linear denoising or masked autoencoder.
    With a covariance that is the same in all directions the components are principal ones. Fitting
    takes one thread.

    Parameters
    ----------
    {_PARAMETERS}
    singular_values_ : ndarray of shape (k,)
        φ, descending: the error falls by φ² with each.
    decoder_ : ndarray of shape (d, k)

    Examples
    --------
    >>> import numpy as np
    >>> from eigensweep import Reconstruction
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) * [1.0, 2.0, 5.0]
    >>> autoencoder = Reconstruction(1, views=[{{"kind": "dropout", "probability": 0.5}}]).fit(X)
    >>> autoencoder.inverse_transform(autoencoder.transform(X)).shape
    (100, 3)
    """

    _paradigm = "reconstruction"
    _encoder = "E"

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit encoder and decoder to samples; ``y`` is not looked at."""
        signs, solved = self._fit(X)
        self.singular_values_: NDArray[np.float64] = solved["values"][: self.n_components_]
        self.decoder_: NDArray[np.float64] = solved["D"] * signs
        return self

    def inverse_transform(self, X: Any) -> Any:
        """Decode: ``X decoder_ᵀ + mean_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components_)

        Returns
        -------
        ndarray of shape (n_samples, n_features_in_)
        """
        check_is_fitted(self)
        X = check_array(X, dtype=_DTYPES)
        if X.shape[1] != self.n_components_:
            raise ValueError(
                f"X has {X.shape[1]} columns, the representation has {self.n_components_}"
            )
        return X @ self.decoder_.astype(X.dtype, copy=False).T + self.mean_.astype(X.dtype)

