"""Alignment thresholds, by the paper's propositions or as n → ∞: :func:`theory`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from . import _core
from ._values import whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ._run import Job


class Thresholds(NamedTuple):
    """Thresholds of one problem.

    Alignment α above ``alpha_rc`` (reconstruction) or ``alpha_je`` (joint-embedding) recovers the
    clean model as n → ∞; infinite where no alignment does.
    """

    dimension: int
    """k."""
    delta: float | None
    """δ = minⱼ (κⱼ²/n) / (κⱼ²/n + λⱼ^Θ)."""
    eta: float | None
    """η = minⱼ (κⱼ²/n) / √(κⱼ²/n + λⱼ^Θ)."""
    alpha_rc: float
    """α*_RC = √max(0, α²_RC)."""
    alpha_je: float
    """α*_JE = √max(0, α²_JE)."""
    alpha_rc_squared: float
    """α²_RC = maxᵢ (λᵢ^Γ/η² − λᵢ^Θ/λᵢ^Γ − 1), Proposition 4.3."""
    alpha_je_squared: float
    """α²_JE = maxᵢ ((1 − δ)/δ − λᵢ^Θ/λᵢ^Γ), Proposition 4.4."""
    crossover: float | None
    """η²/δ: reconstruction needs less alignment where all noise is below it."""
    lower_threshold: str | None
    """The paradigm with the lower threshold; None where they are equal."""
    factor: float | None
    """The ratio of the thresholds; infinite where the lower one is 0."""
    corollary_4_5: str | None
    """The verdict of Corollary 4.5."""
    corollary_4_5_reason: str | None
    """The condition that holds."""
    never: str | None
    """Why no alignment recovers, where none does."""
    method: str
    """What the thresholds come from: ``"propositions"`` of spectra."""


@overload
def theory(
    job: Job,
    /,
    *,
    set: Mapping[str, Any] | None = None,
    replicate: int | None = None,
    data: Any = None,
) -> list[dict[str, Any]]: ...
@overload
def theory(
    *,
    signal: ArrayLike,
    theta_signal: ArrayLike,
    gamma: ArrayLike,
    theta_noise: ArrayLike,
    dimension: int | None = None,
) -> Thresholds: ...
def theory(
    job: Job | None = None,
    /,
    *,
    signal: ArrayLike | None = None,
    theta_signal: ArrayLike | None = None,
    gamma: ArrayLike | None = None,
    theta_noise: ArrayLike | None = None,
    dimension: int | None = None,
    set: Mapping[str, Any] | None = None,
    replicate: int | None = None,
    data: Any = None,
) -> Thresholds | list[dict[str, Any]]:
    r"""Find which alignment of the views each paradigm needs, without simulating.

    With :math:`\kappa_j^2/n` the clean second moments and :math:`\lambda^\Theta, \lambda^\Gamma`
    the eigenvalues of Θ and Γ, reconstruction recovers the clean model iff

    .. math:: \alpha^2 > \max_i \lambda_i^\Gamma/\eta^2 - \lambda_i^\Theta/\lambda_i^\Gamma - 1

    (Proposition 4.3) and joint-embedding iff

    .. math:: \alpha^2 > \max_i (1-\delta)/\delta - \lambda_i^\Theta/\lambda_i^\Gamma

    (Proposition 4.4). Raw features share no basis with Θ: then δ and η² are the kth largest
    eigenvalues of the pencils (C₀, C₀ + Θ) and (C₀², C₀ + Θ). Jobs with stages have a population
    limit: the alignment from which on leakage is less than a tolerance (that of ``[boundary]``,
    1/(2k) by default) above the least that any linear map of k dimensions has.

    Parameters
    ----------
    job : path, str or dict, optional
        A job, as :func:`run` takes it, in place of spectra.
    signal, theta_signal : array of shape (k₀,)
        κⱼ²/n > 0 and λⱼ^Θ ≥ 0 of the important components.
    gamma, theta_noise : array of shape (p,)
        λᵢ^Γ > 0 and λᵢ^Θ ≥ 0 of the noise components.
    dimension : int, optional
        k; k₀ by default.
    set : dict, optional
        Values over those of the job.
    replicate : int, optional
        Only this replicate of the job, from 0.
    data : array, tuple of arrays or dict, optional
        The data of the job, as :func:`run` takes them.

    Returns
    -------
    Thresholds or list of dict
        Of spectra a named tuple. Of a job a dict for each combination of the axes that matter, with
        the keys of ``eigensweep theory --json``: medians over the replicates, with quantiles
        ``_q05`` and ``_q95``; what is infinite is None. A list of them makes a frame. ``method``
        says what they come from: ``"propositions"``, ``"pencils"`` (raw features) or
        ``"population-limit"`` (stages). The latter two have a verdict for each paradigm
        (``alpha_je_verdict``: ``"always"``, ``"never"``, or ``"at"`` alpha), the width of the
        transition in log α (``alpha_je_width``) and ``least_leakage``; a population limit has no
        δ, η and corollary, and says why it is ``undefined`` where it is: features that act on
        rows, a corruption without a closed form, more than 1,024 inputs.

    Raises
    ------
    ValueError
        If spectra are outside the propositions' assumptions.
    JobError
        If the job is wrong.

    Examples
    --------
    >>> import eigensweep as es
    >>> found = es.theory(signal=[4, 1], theta_signal=[1, 1], gamma=[8, 2], theta_noise=[1, 1])
    >>> found.delta, round(found.eta, 6)
    (0.5, 0.707107)
    >>> found.lower_threshold
    'joint-embedding'
    >>> len(es.theory({"corruption": {"scale": [1e1, 1e3]}}))
    2
    """
    spectra = (signal, theta_signal, gamma, theta_noise)
    if job is not None:
        if any(spectrum is not None for spectrum in (*spectra, dimension)):
            raise TypeError("theory() takes a job or spectra, not both")
        from ._run import loaded

        if replicate is not None:
            replicate = whole("replicate", replicate, least=0, most=2**32 - 1)
        with loaded(job, set, data) as text:
            rows: list[dict[str, Any]] = json.loads(_core.theory_of_job(text, replicate))
        return rows
    if any(spectrum is None for spectrum in spectra):
        needed = "signal=, theta_signal=, gamma= and theta_noise="
        raise TypeError(f"theory() takes a job, or {needed}")
    if set is not None or replicate is not None or data is not None:
        raise TypeError("set=, replicate= and data= are of a job")
    if dimension is not None:
        dimension = whole("dimension", dimension)
    arrays = [np.require(spectrum, np.float64, "A") for spectrum in spectra]
    for name, array in zip(("signal", "theta_signal", "gamma", "theta_noise"), arrays, strict=True):
        if array.ndim != 1:
            raise ValueError(f"{name} has {array.ndim} dimensions: give the eigenvalues in a row")
    of_signal, of_theta, of_gamma, of_noise = arrays
    found = json.loads(_core.theory_of_spectra(of_signal, of_theta, of_gamma, of_noise, dimension))[
        0
    ]
    infinite = ("alpha_rc", "alpha_je", "alpha_rc_squared", "alpha_je_squared")
    found |= {name: float("inf") for name in infinite if found[name] is None}
    if found["factor"] is None and found["lower_threshold"] is not None:
        found["factor"] = float("inf")
    found.setdefault("never", None)
    return Thresholds(**{name: found[name] for name in Thresholds._fields})
