"""Thresholds, from Python."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from jobs import SMALL, program

import eigensweep as es


def propositions(
    signal: np.ndarray, theta: np.ndarray, gamma: np.ndarray, noise: np.ndarray
) -> tuple[float, float, float, float]:
    """Propositions 4.3 and 4.4 as they stand in the paper."""
    delta = np.min(signal / (signal + theta))
    eta = np.min(signal / np.sqrt(signal + theta))
    reconstruction = np.max(gamma / eta**2 - noise / gamma - 1)
    joint_embedding = np.max((1 - delta) / delta - noise / gamma)
    return delta, eta, reconstruction, joint_embedding


def test_thresholds_are_those_of_the_propositions() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        signal, theta = random.uniform(0.1, 9, 5), random.uniform(0, 9, 5)
        gamma, noise = random.uniform(0.1, 99, 7), random.uniform(0, 9, 7)
        found = es.theory(signal=signal, theta_signal=theta, gamma=gamma, theta_noise=noise)
        delta, eta, reconstruction, joint_embedding = propositions(signal, theta, gamma, noise)
        assert found.delta == pytest.approx(delta) and found.eta == pytest.approx(eta)
        assert found.alpha_rc_squared == pytest.approx(reconstruction)
        assert found.alpha_je_squared == pytest.approx(joint_embedding)
        assert found.alpha_rc == pytest.approx(math.sqrt(max(0, reconstruction)))
        assert found.crossover == pytest.approx(eta**2 / delta)
        assert found.dimension == 5 and found.never is None
        lower = "reconstruction" if reconstruction < joint_embedding else "joint-embedding"
        if max(reconstruction, joint_embedding) > 0:
            assert found.lower_threshold == lower


def test_spectra_are_taken_as_numpy_has_them() -> None:
    spectra = {
        "signal": np.array([4.0, 9, 1, 9])[::2],
        "theta_signal": (1, 1),
        "gamma": np.array([2, 8])[::-1],
        "theta_noise": np.array([1, 1], ">f4"),
    }
    found = es.theory(**spectra)
    assert found == es.theory(signal=[4, 1], theta_signal=[1, 1], gamma=[8, 2], theta_noise=[1, 1])
    assert found._asdict()["delta"] == 0.5
    assert found.method == "propositions"


def test_no_alignment_recovers_more_dimensions_than_there_is_signal() -> None:
    spectra = {"signal": [4, 1], "theta_signal": [1, 1], "gamma": [8, 2], "theta_noise": [1, 1]}
    found = es.theory(**spectra, dimension=3)
    assert math.isinf(found.alpha_rc) and math.isinf(found.alpha_je)
    assert found.never is not None and "k = 3" in found.never
    assert found.delta is None


def test_bad_spectra_are_refused() -> None:
    good = {"signal": [4, 1], "theta_signal": [1, 1], "gamma": [8, 2], "theta_noise": [1, 1]}
    with pytest.raises(ValueError, match="`gamma`|theta_noise"):
        es.theory(**good | {"gamma": [1]})
    with pytest.raises(ValueError, match="signal has 2 dimensions"):
        es.theory(**good | {"signal": [[4, 1]]})
    with pytest.raises(ValueError, match="signal"):
        es.theory(**good | {"signal": [4, -1]})
    with pytest.raises(ValueError, match="dimension"):
        es.theory(**good, dimension=9)
    with pytest.raises(TypeError, match="takes a job, or signal="):
        es.theory(signal=[1])  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="not both"):
        es.theory(SMALL, **good)  # type: ignore[call-overload]


def test_a_job_gives_what_the_program_gives(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text("[corruption]\nscale = [1e1, 1e3]\n[model]\ndimension = [5, 60]\n")
    theirs = json.loads(
        subprocess.run(
            [program(), "theory", path, "--json"], check=True, capture_output=True
        ).stdout
    )
    assert es.theory(path) == theirs
    assert len(theirs) == 4
    command = [program(), "theory", path, "--json", "--replicate", "2"]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert es.theory(path, replicate=2) == theirs
    with pytest.raises(ValueError, match="replicate=100: the job has 100"):
        es.theory(path, replicate=100)
    with pytest.raises(es.JobError):
        es.theory(path, set={"corruption.scale": "x"})


def test_stages_have_a_population_limit(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    inputs = random.normal(size=(400, 6)) * [3, 2, 1.5, 0.5, 0.4, 0.3]
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", (inputs[:, :1] > 0).astype(np.float64))
    gamma, theta = np.diag([0.0, 0, 0, 9, 4, 1]), np.diag([1.0, 1, 1, 1, 0.5, 0.5])
    for name, matrix in ("gamma", gamma), ("theta", theta):
        turn = np.linalg.qr(random.normal(size=(6, 6)))[0] if name == "theta" else np.eye(6)
        np.save(tmp_path / f"{name}.npy", turn @ matrix @ turn.T)
    job = {
        "data": {
            "source": "npy",
            "inputs": str(tmp_path / "x.npy"),
            "targets": str(tmp_path / "y.npy"),
        },
        "corruption": {
            "stages": [{"kind": "additive", "covariance": str(tmp_path / "gamma.npy")}]
        },
        "augmentation": {
            "floor": 0,
            "stages": [{"kind": "additive", "covariance": str(tmp_path / "theta.npy")}],
        },
        "model": {"dimension": 3},
        "grid": {"samples": 400},
    }
    (found,) = es.theory(job)
    assert found["method"] == "population-limit" and found["delta"] is None
    assert found["corollary_4_5"] is None and 0 <= found["least_leakage"] < 0.1
    # The excess leakage at the limit, worked out here.
    centred = inputs - inputs.mean(axis=0)
    clean, theta = centred.T @ centred / 400, np.load(tmp_path / "theta.npy")
    corrupted = clean + gamma

    def leakage(alpha: float, power: int) -> float:
        root = np.linalg.inv(np.linalg.cholesky(corrupted + theta + alpha**2 * gamma))
        moment = np.linalg.matrix_power(corrupted, power)
        basis = root.T @ np.linalg.eigh(root @ moment @ root.T)[1][:, -3:]
        spread = np.linalg.inv(basis.T @ corrupted @ basis)
        return float(np.trace(spread @ basis.T @ gamma @ basis)) / 3

    for key, power in ("alpha_je", 1), ("alpha_rc", 2):
        excess = [leakage(a, power) - found["least_leakage"] for a in (0, 1e4)]
        match found[f"{key}_verdict"]:
            case "always":
                assert excess[0] < 1 / 6 and found[key] == 0 and found[f"{key}_squared"] is None
            case "never":
                assert excess[1] >= 1 / 6 and found[key] is None
            case verdict:
                assert verdict == "at" and found[f"{key}_width"] >= 0
                at = leakage(found[key], power) - found["least_leakage"]
                assert at == pytest.approx(1 / 6, rel=1e-4)
    assert "at" in (found["alpha_je_verdict"], found["alpha_rc_verdict"])


def test_a_list_of_thresholds_is_a_frame() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(es.theory(SMALL))
    assert frame["noise_scale"].to_list() == [10, 1000]
    assert {"alpha_je", "alpha_je_q05", "alpha_rc"} <= set(frame.columns)


def test_thresholds_of_arrays_are_those_of_their_files(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 3
    inputs = rng.normal(size=(200, 5)) * 20 + 10 * labels[:, None]
    job = {
        "data": {"components": 3},
        "corruption": {"components": 3},
        "model": {"dimension": 3},
        "grid": {"samples": [50, 200]},
    }
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", labels)
    files = {"source": "npy", "inputs": tmp_path / "x.npy", "labels": tmp_path / "y.npy"}
    found = es.theory(job, data=(inputs, labels))
    assert found == es.theory(job | {"data": job["data"] | files})
    assert found != es.theory(job)
    with pytest.raises(TypeError, match="data= are of a job"):
        es.theory(signal=[1], theta_signal=[1], gamma=[1], theta_noise=[1], data=inputs)
