"""`diagnose`: against the program, and what it refuses."""

import _thread
import json
import os
import pathlib
import pickle
import signal
import subprocess
import threading
import warnings

import numpy as np
import pytest

import eigensweep as es

ROOT = pathlib.Path(__file__).parents[3]


def measured(things=200, size=8, seed=0):
    """Two measurements of each thing, and a class of each."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(things, 2)) * [3.0, 2.0]

    def rows():
        noise = rng.normal(size=(things, size)) * np.where(np.isin(np.arange(size), [2, 3]), 5.0, 0.3)
        return noise + np.pad(signal, [(0, 0), (0, size - 2)])

    return rows(), rows(), (signal[:, 0] > 0).astype(int)


def diagnose(*arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EigensweepWarning)
        return es.diagnose(*arguments, **keywords)


def program(*arguments, cwd):
    """What `eigensweep diagnose --json` says."""
    found = os.environ.get("EIGENSWEEP_PROGRAM") or ROOT / "target" / "debug" / "eigensweep"
    if not pathlib.Path(found).exists():
        pytest.skip("the program is not built")
    command = [found, "diagnose", *arguments, "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_numbers_are_those_of_the_program_bit_for_bit(tmp_path):
    first, second, classes = measured()
    np.save(tmp_path / "first.npy", first)
    np.save(tmp_path / "second.npy", second)
    np.save(tmp_path / "classes.npy", classes)
    views = '[[stages]]\nkind = "dropout"\nprobability = 0.3\n[[stages]]\nkind = "additive"\nvariance = 0.5\n'
    (tmp_path / "views.toml").write_text(views)
    fixed = ("--inputs", "first.npy", "--repeats", "second.npy")
    stages = [
        {"kind": "dropout", "probability": 0.3},
        {"kind": "additive", "variance": 0.5},
    ]
    cases = [
        ((), {}),
        (("--labels", "classes.npy", "--threads", "1"), {"labels": classes, "threads": 2}),
        (("--views", "views.toml", "--dimension", "2"), {"views": stages, "dimension": 2}),
        (
            ("--components", "5", "--standardize", "--alignment", "0.3"),
            {"components": 5, "standardize": True, "alignment": 0.3},
        ),
    ]
    for arguments, keywords in cases:
        found = diagnose(first, repeats=second, **keywords).to_dict()
        assert found == program(*fixed, *arguments, cwd=tmp_path)
    # The same from float32 and Fortran order, where they hold the same values.
    halves = [np.asfortranarray(x.astype(np.float32)) for x in (first, second)]
    plain = [x.astype(np.float64) for x in halves]
    assert diagnose(halves[0], repeats=halves[1]).to_dict() == diagnose(
        np.ascontiguousarray(plain[0]), repeats=np.ascontiguousarray(plain[1])
    ).to_dict()


def test_an_answer_has_its_numbers_and_shows_itself(tmp_path):
    first, second, classes = measured()
    found = diagnose(first, repeats=second, labels=classes, dimension=2)
    assert found.answer == "joint-embedding"
    assert (found.pairs, found.dimension, found.alignment_used) == (200, 2, 1.0)
    for numbers in (found.kept, found.leakage):
        assert set(numbers) == {"joint-embedding", "reconstruction", "difference"}
        assert all(low <= value <= high for value, low, high in numbers.values())
    assert set(found.alignment) == {"joint-embedding", "reconstruction"}
    assert found.headline in repr(found)
    html = found._repr_html_()
    assert "<svg" in html and "kept at your n" in html and "http" not in html.replace(
        "http://www.w3.org", ""
    )
    found.save(tmp_path / "page.html", title="Two measurements")
    page = (tmp_path / "page.html").read_text()
    assert "Two measurements" in page and "probe accuracy" in page
    with pytest.raises(es.Error, match=r"\.html"):
        found.save(tmp_path / "page.txt")
    # Encoders have unit covariance on all rows.
    rows = np.concatenate([first, second]) - found.mean
    for encoder in found.encoders.values():
        assert encoder.shape == (8, 2)
        z = rows @ encoder
        np.testing.assert_allclose(z.T @ z / len(z), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(found.signal + found.noise, np.cov(rows.T), rtol=0, atol=0.1)
    with pytest.raises(TypeError):
        pickle.dumps(found)


def test_ids_of_words_and_numbers_mean_what_repeats_do():
    first, second, classes = measured(100)
    stacked = np.concatenate([first, second])
    ids = np.concatenate([np.arange(100)] * 2)
    two = diagnose(first, repeats=second, labels=classes)
    for one in (
        diagnose(stacked, pairs=ids, labels=np.concatenate([classes] * 2)),
        diagnose(stacked, groups=[f"t{i}" for i in ids], labels=np.concatenate([classes] * 2)),
    ):
        for name in ("kept", "leakage"):
            for of, expected in getattr(two, name).items():
                assert getattr(one, name)[of].value == pytest.approx(expected.value, abs=1e-9)


def test_views_may_be_a_covariance_or_a_corruption():
    first, second, _ = measured(120)
    same = diagnose(first, repeats=second, views=np.eye(8), dimension=2)
    assert (same.answer, same.alignment_used) == ("identical", 0.0)
    assert diagnose(first, repeats=second, views=np.ones(8), dimension=2).to_dict() == same.to_dict()
    views = {
        "stages": [{"kind": "dropout", "probability": 0.3}],
        "corruption": [{"kind": "additive", "variance": 4.0}],
    }
    found = diagnose(first, views=views, dimension=2)
    assert found.pairs == 120


def test_batches_are_told_apart():
    rng = np.random.default_rng(0)
    batches = np.repeat(np.arange(20), 10)
    rows = rng.normal(size=(200, 4)) * [3, 1, 1, 1] + rng.normal(size=(20, 4))[batches] * [0, 4, 0, 0]
    with pytest.raises(ValueError, match="give the dimension"):
        diagnose(rows, nuisance=batches)
    found = diagnose(rows, nuisance=batches, dimension=1)
    assert found.pairs == 20 and found.kept["difference"].low is not None
    few = diagnose(rows, nuisance=batches % 5, dimension=1)
    assert few.answer == "not-enough-data" and few.kept["difference"].low is None


def test_what_is_wrong_is_named_with_a_remedy():
    first, second, _ = measured(60)
    hole = second.copy()
    hole[3, 1] = np.nan
    cases = [
        ({}, "nothing tells signal from noise"),
        ({"repeats": second, "pairs": np.arange(60)}, "repeats= and pairs="),
        ({"repeats": second[:-1]}, r"repeats= has the shape \(59, 8\)"),
        ({"repeats": hole}, r"repeats\[3, 1\] is NaN"),
        ({"pairs": np.arange(59)}, "pairs= has the shape"),
        ({"repeats": second, "labels": np.zeros(59)}, "labels need a row"),
        ({"repeats": second, "dimension": 9}, "from 1 to 8"),
        ({"repeats": second, "views": lambda x, rng: x}, "views= is a callable"),
        ({"repeats": second, "views": np.eye(3)}, "covariance"),
        ({"repeats": second, "views": np.triu(np.ones((8, 8)))}, "symmetric"),
    ]
    for keywords, said in cases:
        with pytest.raises(ValueError, match=said):
            diagnose(first, **keywords)
    with pytest.raises(es.JobError) as raised:
        diagnose(first, repeats=second, views=[{"kind": "dropuot"}])
    assert raised.value.problems


def test_an_assumption_that_looks_violated_is_a_warning():
    first, _, _ = measured(60)
    with pytest.warns(es.EigensweepWarning, match="identical"):
        es.diagnose(first, repeats=first, dimension=2)


def test_ctrl_c_interrupts():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3000, 300))
    # A shell that runs tests in the background has Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            diagnose(first, repeats=second, dimension=20)
    finally:
        signal.signal(signal.SIGINT, before)
