"""One problem in closed form: NumPy in, NumPy out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._errors import EigensweepWarning
from ._values import as_json, dense, real, refuse_masked, refuse_missing, whole

Array = NDArray[np.float64]
Draw = Callable[[Array, np.random.Generator], ArrayLike]
Views = Sequence[Mapping[str, Any]] | Mapping[str, Any] | Draw


class _Shown:
    """Shows arrays by their shapes, and what is not known not at all."""

    def __repr__(self) -> str:
        def shown(value: object) -> str:
            if isinstance(value, np.ndarray):
                return f"array{value.shape}"
            return f"{value:.6g}" if isinstance(value, float) else repr(value)

        values = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]
        known = (f"{name}={shown(value)}" for name, value in values if value is not None)
        return f"{type(self).__name__}({', '.join(known)})"


@dataclass(frozen=True, eq=False, repr=False)
class JointEmbeddingSolution(_Shown):
    """Joint-embedding in closed form (Theorem 3.2).

    Attributes
    ----------
    W : ndarray of shape (k, d)
        The encoder, ``W S Wᵀ = I``: the leading eigenvectors of (G, S).
    eigenvalues : ndarray of shape (d,)
        All ω, descending; 0 beyond the rank of S.
    objective : float
        ``2 Σ (1 − ω)`` over the k that are kept.
    probing_loss : float or None
        Mean squared error of the best linear map from ``W x`` to the labels; None without labels.
    """

    W: Array
    eigenvalues: Array
    objective: float
    probing_loss: float | None


@dataclass(frozen=True, eq=False, repr=False)
class ReconstructionSolution(_Shown):
    """Reconstruction in closed form (Theorem 3.1).

    Attributes
    ----------
    E : ndarray of shape (k, d)
        The encoder, ``E S Eᵀ = I``.
    D : ndarray of shape (p, k)
        The decoder: ``D E v`` predicts the input of a view v.
    singular_values : ndarray of shape (d,)
        All φ of ``C S^(−1/2)``, descending; 0 beyond the rank of S.
    objective : float or None
        ``tr(XᵀX)/n − Σ φ²`` over the k that are kept; None where XᵀX/n is not known.
    probing_loss : float or None
        Mean squared error of the best linear map from ``E x`` to the labels; None without labels.
    """

    E: Array
    D: Array
    singular_values: Array
    objective: float | None
    probing_loss: float | None


@dataclass(frozen=True, eq=False, repr=False)
class SupervisedSolution(_Shown):
    """The linear model of the labels on views (Lemma B.1).

    Attributes
    ----------
    V : ndarray of shape (ℓ, d)
        ``Bᵀ S⁺``: ``V v`` predicts the labels of a view v.
    objective : float or None
        Expected squared loss on views; None where tr(YᵀY)/n is not known.
    loss : float or None
        Squared loss on the inputs without views.
    """

    V: Array
    objective: float | None
    loss: float | None


@dataclass(frozen=True, eq=False, repr=False)
class Moments(_Shown):
    """The moments of a problem of p inputs, d features of a view and ℓ labels.

    Attributes
    ----------
    mu : ndarray of shape (d,) or None
        Mean of the views.
    G : ndarray of shape (d, d) or None
        ``X̄ᵀX̄/n``, X̄ the expected views.
    S : ndarray of shape (d, d)
        The second moment of the views, before a floor.
    C : ndarray of shape (p, d) or None
        ``XᵀX̄/n``.
    B : ndarray of shape (d, ℓ) or None
        ``X̄ᵀY/n``.
    """

    mu: Array | None
    G: Array | None
    S: Array
    C: Array | None
    B: Array | None


@dataclass(frozen=True, eq=False, repr=False)
class Solution(_Shown):
    """What :func:`solve` finds.

    Attributes
    ----------
    joint_embedding : JointEmbeddingSolution or None
    reconstruction : ReconstructionSolution or None
    supervised : SupervisedSolution or None
        None of a paradigm whose moments were not given, as the last without labels.
    rank : int
        Rank of S. Where it is below d, the problem is solved on the range of S, with the maps of
        smallest norm.
    dimension : int
        k.
    classes : ndarray of shape (ℓ,) or None
        What labels were taken for, if for classes; a row of V each.
    moments : Moments
    """

    joint_embedding: JointEmbeddingSolution | None
    reconstruction: ReconstructionSolution | None
    supervised: SupervisedSolution | None
    rank: int
    dimension: int
    classes: NDArray[Any] | None
    moments: Moments

    @property
    def losses(self) -> dict[str, float]:
        """Probing losses, and the loss of the supervised model, by paradigm; those that are known."""
        je, rc, sv = self.joint_embedding, self.reconstruction, self.supervised
        found = {
            "joint-embedding": None if je is None else je.probing_loss,
            "reconstruction": None if rc is None else rc.probing_loss,
            "supervised": None if sv is None else sv.loss,
        }
        return {name: loss for name, loss in found.items() if loss is not None}


def solve(
    inputs: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    *,
    dimension: int,
    targets: ArrayLike | None = None,
    mean_views: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    views: Views | None = None,
    center: bool = False,
    n_views: int = 8,
    random_state: Any = None,
    S: ArrayLike | None = None,
    G: ArrayLike | None = None,
    C: ArrayLike | None = None,
    B: ArrayLike | None = None,
    input_moment: ArrayLike | None = None,
    input_labels: ArrayLike | None = None,
    label_power: float | None = None,
) -> Solution:
    r"""Solve one problem in closed form, by all three paradigms.

    With X the inputs (n × d), X̄ their expected views, Σ the mean covariance of the views and Y
    the labels (n × ℓ), all that the closed forms need are ``G = X̄ᵀX̄/n``, ``S = G + Σ``,
    ``C = XᵀX̄/n`` and ``B = X̄ᵀY/n``:

    * joint-embedding, ``min_W mean E‖Wτ₁(x) − Wτ₂(x)‖²`` with ``mean E[Wτ(x)τ(x)ᵀWᵀ] = I``, by the
      leading eigenvectors of (G, S);
    * reconstruction, ``min_{E,D} mean E‖x − D E τ(x)‖²``, by the leading singular vectors of
      ``C S^(−1/2)``;
    * supervised, ``min_V mean E‖y − V τ(x)‖²``, ``V = Bᵀ S⁻¹``.

    They are those of the command ``eigensweep solve``. The work is done on one thread, without the
    interpreter's lock.

    Parameters
    ----------
    inputs : array-like of shape (n, d)
        X, a sample a row. Doubles are not copied, whatever their strides.
    labels : array-like of shape (n,) or (n, ℓ), optional
        One column of whole numbers or words is classes (one-hot, ascending), anything else real
        targets.
    dimension : int
        k, of the representation.
    targets : array-like of shape (n,) or (n, ℓ), optional
        Real targets in place of labels, whole numbers or not.
    mean_views : array-like of shape (n, d), optional
        X̄, the expected view of each sample; the inputs if left out.
    covariance : float, array-like of shape (d,) or (d, d), optional
        Σ: a share of the mean variance of the inputs in each of them, variances, or the matrix;
        zero if left out.
    views : list of dict, dict or callable, optional
        Views in place of ``mean_views`` and ``covariance``. Stages as dicts with the keys of a job
        file, or a dict with ``stages`` and what else a file of views has (``shape`` of images as
        channels, rows and columns, ``corruption``, ``floor``): the moments are exact where stages
        have closed forms. Or a function of the inputs and a ``numpy.random.Generator`` that gives a
        view of each, a row each: S, G, C and B are *estimated* from ``n_views`` draws, S as the mean
        of the draws' second moments and G over pairs of different draws, without bias.
    center : bool, default False
        Subtract from each column of inputs and views its mean; labels stay as they are.
    n_views : int, default 8
        Draws of views that are a function, at least 2.
    random_state : int, Generator or None, default None
        Seed of these draws: what ``numpy.random.default_rng`` takes.
    S, G, C, B : array-like of shapes (d, d), (d, d), (p, d) and (d, ℓ), optional
        The moments, in place of all that is before. S is needed; joint-embedding takes G,
        reconstruction C, the supervised model B, and whose moment is left out is not solved.
    input_moment, input_labels, label_power : of shapes (p, p), (p, ℓ) and float, optional
        Beside moments: ``XᵀX/n``, ``XᵀY/n`` and ``tr(YᵀY)/n``. Objectives and losses that need
        them are None without.

    Returns
    -------
    Solution
        ``.joint_embedding`` (``W``, ``eigenvalues``), ``.reconstruction`` (``E``, ``D``,
        ``singular_values``), ``.supervised`` (``V``), each with its objective and loss; ``.rank``
        and ``.moments``.

    Raises
    ------
    ValueError
        If an array does not fit or is not finite, k is above the rank of S, or S is negative in
        some direction. The message names the argument and the entry.
    JobError
        If ``views`` is wrong; ``.problems`` has all that is.

    Warns
    -----
    EigensweepWarning
        Where S is singular, values are tied at k, or inputs are constant or linear in others.

    Examples
    --------
    >>> import numpy as np, eigensweep as es
    >>> X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> solution = es.solve(X, [0, 0, 1, 1], covariance=np.diag([1.0, 3.0]), dimension=1)
    >>> solution.joint_embedding.eigenvalues
    array([0.5 , 0.25])
    >>> solution.classes, solution.rank
    (array([0., 1.]), 2)
    >>> dropped = es.solve(
    ...     X * [1, 2], dimension=2, views=[{"kind": "dropout", "probability": 0.5}]
    ... )
    >>> dropped.moments.G.tolist(), dropped.moments.S.tolist()
    ([[0.25, 0.0], [0.0, 1.0]], [[0.5, 0.0], [0.0, 2.0]])
    """
    dimension = whole("dimension", dimension)
    beside = {"input_moment": input_moment, "input_labels": input_labels}
    given: dict[str, ArrayLike | None] = {"S": S, "G": G, "C": C, "B": B} | beside
    classes = None
    if any(value is not None for value in given.values()) or label_power is not None:
        others = (inputs, labels, targets, mean_views, covariance, views)
        if any(value is not None for value in others) or center:
            raise ValueError("moments (S=, G=, C=, B=) come in place of inputs, labels and views")
        if S is None or (G is None and C is None and B is None):
            raise ValueError("S= is needed, and one of G=, C= and B= at least")
        arrays = {name: matrix(name, value, column=name in ("B", "input_labels"))
                  for name, value in given.items() if value is not None}  # fmt: skip
        moments = _core.Moments(
            arrays["S"],
            mean_views=arrays.get("G"),
            cross=arrays.get("C"),
            view_labels=arrays.get("B"),
            inputs=arrays.get("input_moment"),
            input_labels=arrays.get("input_labels"),
            label_power=None if label_power is None else real("label_power", label_power),
        )
        source, X = "moments", None
        wanted = {"joint-embedding": G, "reconstruction": C, "supervised": B}
        paradigms = [name for name, moment in wanted.items() if moment is not None]
    elif inputs is None:
        raise ValueError("inputs are needed, or moments (S=, G=, C=, B=) in their place")
    else:
        X = matrix("inputs", inputs)
        Y, classes = _labels(labels, targets, len(X))
        paradigms = ["joint-embedding", "reconstruction", "supervised"][: 3 if Y is not None else 2]
        if views is not None:
            if mean_views is not None or covariance is not None:
                raise ValueError("views= come in place of mean_views= and covariance=")
            source = "views"
            moments = view_moments(views, X, Y, center, n_views, random_state)
        else:
            given_by = {"covariance": covariance, "mean_views": mean_views, "inputs": X}
            source = next(name for name, value in given_by.items() if value is not None)
            # It takes a copy of X, and is asked for by a share only.
            share = covariance is not None and np.ndim(covariance) == 0
            variance = float(np.var(X, axis=0).mean()) if share else np.nan
            if share and not np.isfinite(variance) and not np.isfinite(X).all():
                variance = 0.0  # What is wrong with X is said of X.
            moments = _core.given_moments(
                X,
                Y,
                None if mean_views is None else matrix("mean_views", mean_views),
                None if covariance is None else covariance_of(covariance, X.shape[1], variance),
                center,
            )
    found = _core.solve(moments, paradigms, dimension, source, centred=center, inputs=X)
    for remark in found["remarks"]:
        warnings.warn(remark, EigensweepWarning, stacklevel=2)
    S_found = moments.views

    def padded(values: Array) -> Array:
        return np.concatenate([values, np.zeros(len(S_found) - len(values))])

    def known(value: float | None) -> float | None:
        return None if value is None or np.isnan(value) else value

    of = found["paradigms"]
    je, rc, sv = (of.get(name) for name in ("joint-embedding", "reconstruction", "supervised"))
    return Solution(
        joint_embedding=JointEmbeddingSolution(
            je["W"], padded(je["values"]), je["objective"], known(je["loss"])
        )
        if je
        else None,
        reconstruction=ReconstructionSolution(
            rc["E"], rc["D"], padded(rc["values"]), known(rc["objective"]), known(rc["loss"])
        )
        if rc
        else None,
        supervised=SupervisedSolution(sv["V"], known(sv["objective"]), known(sv["loss"]))
        if sv
        else None,
        rank=found["rank"],
        dimension=found["dimension"],
        classes=classes,
        moments=Moments(
            mu=moments.mean,
            G=moments.mean_views if je else None,
            S=S_found,
            C=moments.cross if rc else None,
            B=moments.view_labels if sv else None,
        ),
    )


def matrix(name: str, value: ArrayLike, *, column: bool = False) -> Array:
    """Aligned doubles in two dimensions, not copied if they are; one column of a vector."""
    array = dense(name, value, f"pass {name}.toarray(), or fit an estimator")
    if array.dtype.kind not in "biuf":
        if array.ndim == 0:
            raise ValueError(f"{name} is of type {type(value).__name__}: give an array of numbers")
        what = "complex numbers" if array.dtype.kind == "c" else f"entries of type {array.dtype}"
        raise ValueError(f"{name} holds {what}: real numbers are needed, {name}.astype(float) say")
    if column and array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(
            f"{name} has {array.ndim} dimensions instead of two: {name}.reshape(-1, 1) is one "
            f"column, {name}.reshape(1, -1) one row, {name}.reshape(len({name}), -1) a row each"
        )
    return np.require(array, np.float64, "A")


def covariance_of(
    covariance: ArrayLike, size: int, variance: float, name: str = "covariance"
) -> Array:
    """Σ (d × d): of a share of the mean variance of the inputs, of variances, or itself."""
    array = dense(f"{name}=", covariance, f"pass {name}.toarray()")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}= holds entries of type {array.dtype}: numbers are needed")
    if array.ndim == 2 and array.shape == (size, size):
        return matrix(name, array)
    if array.ndim == 0 or array.shape == (size,):
        if not (np.isfinite(array).all() and (array >= 0).all()):
            raise ValueError(f"{name}= is finite and at least 0 where it is no matrix")
        if array.ndim == 0:
            array = array * variance
        return np.diag(np.broadcast_to(array.astype(np.float64), size))
    raise ValueError(
        f"{name}= has the shape {array.shape}: it is a number, of shape ({size},), or of "
        f"({size}, {size})"
    )


def _labels(
    labels: ArrayLike | None, targets: ArrayLike | None, samples: int
) -> tuple[Array | None, NDArray[Any] | None]:
    """Y (n × ℓ), and the classes that it is one-hot of."""
    if targets is not None:
        if labels is not None:
            raise ValueError("labels and targets= say the same thing: give one of them")
        return matrix("targets", targets, column=True), None
    if labels is None:
        return None, None
    refuse_masked("labels", labels)
    array = np.asarray(labels)
    if array.ndim == 0 or len(array) != samples:
        raise ValueError(f"labels need a row per sample: {samples}, found shape {array.shape}")
    if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1):
        return matrix("labels", array), None
    array = array.reshape(-1)
    refuse_missing("labels", array)
    words = None
    if array.dtype.kind in "OUST":
        try:
            words, array = np.unique(array, return_inverse=True)
        except TypeError:
            raise ValueError("labels mix words and numbers: make them all one of these") from None
    column = matrix("labels", array, column=True)
    if not np.isfinite(column).all():
        place = int(np.argmin(np.isfinite(column[:, 0])))
        raise ValueError(f"labels[{place}] is {column[place, 0]}: all labels must be finite")
    found = _core.classes(np.ascontiguousarray(column[:, 0]))
    if found is None:
        return column, None
    values, one_hot, remark = found
    if remark:
        warnings.warn(remark, EigensweepWarning, stacklevel=3)
    return one_hot, values if words is None else words


def view_moments(
    views: Views,
    inputs: Array,
    labels: Array | None,
    center: bool,
    n_views: int,
    random_state: Any,
) -> _core.Moments:
    """Moments of inputs and labels under views: exact of stages, estimated of a callable."""
    if callable(views):
        return _drawn_moments(views, inputs, labels, center, n_views, random_state)
    return _core.staged_moments(inputs, labels, keys_of_views(views), center)


def keys_of_views(views: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """The keys of a file of views as JSON, of stages or of a dict with them."""
    if isinstance(views, str | bytes) or not isinstance(views, Mapping | Sequence):
        raise ValueError(
            "views= is a list of stages, a dict with `stages`, or a callable (inputs, rng) -> views, "
            f"found {type(views).__name__}"
        )
    keys = views if isinstance(views, Mapping) else {"stages": list(views)}
    if "features" in keys:
        raise ValueError(
            "views= has no `features`: they are what becomes of inputs before they are viewed. "
            "Pass inputs that are standardized, or whatever it is, or run a job with [features]"
        )
    return as_json(keys, "")


def draws_of(n_views: int) -> int:
    """How often views are drawn: two draws at least tell them from their mean."""
    return whole("n_views", n_views, least=2)


def drawn(draw: Draw, inputs: Array, rng: np.random.Generator, features: int | None) -> Array:
    """A view of each row, of so many `features` if that is known."""
    shown = inputs.view()
    # A function that writes to its argument would change the user's array.
    shown.flags.writeable = False
    view = matrix("views(inputs, rng)", draw(shown, rng))
    if len(view) != len(inputs) or (features is not None and view.shape[1] != features):
        columns = (
            "the same number of columns each time" if features is None else f"{features} columns"
        )
        raise ValueError(
            f"views(inputs, rng) gave shape {view.shape}: a row for each of {len(inputs)} samples, "
            f"and {columns}"
        )
    if not np.isfinite(view).all():
        raise ValueError("views(inputs, rng) gave numbers that are not finite")
    return view


def _drawn_moments(
    draw: Draw,
    inputs: Array,
    labels: Array | None,
    center: bool,
    n_views: int,
    random_state: Any,
) -> _core.Moments:
    n_views = draws_of(n_views)
    rng, samples = np.random.default_rng(random_state), len(inputs)
    mean_inputs, second_inputs = _core.second_moment(inputs)
    means: list[Array] = []
    mean_view: Array | None = None
    for _ in range(n_views):
        view = drawn(draw, inputs, rng, None if mean_view is None else mean_view.shape[1])
        mean, moment = _core.second_moment(view)
        means.append(mean)
        if mean_view is None:
            mean_view, second = view.copy(), moment
        else:
            mean_view += view
            second += moment
    assert mean_view is not None
    mean_view /= n_views
    mean, mean_views = _core.second_moment(mean_view)
    spread = np.array(means) - mean
    second = (second + spread.T @ spread) / n_views
    # E x̄x̄ᵀ = G + (S − G)/m.
    mean_views = (n_views * mean_views - second) / (n_views - 1)
    mean_view -= mean
    deviations = inputs - mean_inputs
    cross = _core.cross_moment(deviations, mean_view)
    view_labels = input_labels = None
    label_power = None
    if labels is not None:
        label_mean = labels.mean(axis=0)
        view_labels = _core.cross_moment(mean_view, labels)
        input_labels = _core.cross_moment(deviations, labels)
        label_power = float(np.square(labels).sum() / samples)
    if not center:
        mean_views += np.outer(mean, mean)
        second += np.outer(mean, mean)
        cross += np.outer(mean_inputs, mean)
        second_inputs += np.outer(mean_inputs, mean_inputs)
        if view_labels is not None and input_labels is not None:
            view_labels += np.outer(mean, label_mean)
            input_labels += np.outer(mean_inputs, label_mean)
    return _core.Moments(
        second,
        mean_views=mean_views,
        cross=cross,
        view_labels=view_labels,
        inputs=second_inputs,
        input_labels=input_labels,
        label_power=label_power,
        samples=samples,
        mean=mean if not center else np.zeros_like(mean),
    )
