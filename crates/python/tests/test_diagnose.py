"""`diagnose`: against the program, and what it refuses."""

import _thread
import copy
import json
import pickle
import re
import signal
import subprocess
import threading
import warnings
from html import escape
from pathlib import Path

import jobs
import numpy as np
import pytest

import eigensweep as es


def measured(things=200, size=8, seed=0):
    """Two measurements of each thing, and a class of each."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(things, 2)) * [3.0, 2.0]

    def rows():
        noise = rng.normal(size=(things, size)) * np.where(
            np.isin(np.arange(size), [2, 3]), 5.0, 0.3
        )
        return noise + np.pad(signal, [(0, 0), (0, size - 2)])

    return rows(), rows(), (signal[:, 0] > 0).astype(int)


def diagnose(*arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EigensweepWarning)
        return es.diagnose(*arguments, **keywords)


def program(*arguments, cwd):
    """What `eigensweep diagnose --json` says."""
    command = [jobs.program(), "diagnose", *arguments, "--json"]
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
    assert (
        diagnose(halves[0], repeats=halves[1]).to_dict()
        == diagnose(
            np.ascontiguousarray(plain[0]), repeats=np.ascontiguousarray(plain[1])
        ).to_dict()
    )


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
    assert (
        "<svg" in html
        and "kept at your n" in html
        and "http" not in html.replace("http://www.w3.org", "")
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


def test_an_answer_is_copied_and_not_pickled():
    first, second, _ = measured(60)
    found = diagnose(first, repeats=second, dimension=2)
    for copied in (copy.copy(found), copy.deepcopy(found), copy.deepcopy([found])[0]):
        assert copied.to_dict() == found.to_dict() and repr(copied) == repr(found)
        copied.kept.clear()
        assert found.kept
    with pytest.raises(TypeError, match=r"cannot be pickled.*to_dict\(\)"):
        pickle.dumps(found)


FRAMES = {
    "pandas": lambda table: pytest.importorskip("pandas").DataFrame(table),
    "polars": lambda table: pytest.importorskip("polars").DataFrame(table),
    "pyarrow": lambda table: pytest.importorskip("pyarrow").table(table),
}


@pytest.mark.parametrize("library", FRAMES)
def test_columns_of_repeats_are_matched_by_name(library):
    first, second, _ = measured(60)
    names = [f"g{i}" for i in range(8)]
    order = [3, 0, 7, 1, 2, 6, 5, 4]

    def frame(rows, columns, of=names):
        return FRAMES[library]({of[i]: rows[:, i] for i in columns})

    expected = diagnose(first, repeats=second, dimension=2).to_dict()
    X = frame(first, range(8))
    for repeats in (frame(second, range(8)), frame(second, order), second):
        assert diagnose(X, repeats=repeats, dimension=2).to_dict() == expected
    # Without names in X there is nothing to match.
    assert diagnose(first, repeats=frame(second, range(8)), dimension=2).to_dict() == expected
    for repeats, said in (
        (frame(second, order, [*names[:7], "h7"]), "is without 'g7' and has 'h7' beside"),
        (frame(second, order[1:]), "is without 'g3'; give those of X"),
        (frame(np.c_[second, first], range(9), [*names, "h8"]), "it has 'h8' beside them"),
    ):
        with pytest.raises(ValueError, match=said) as raised:
            diagnose(X, repeats=repeats, dimension=2)
        assert "np.asarray(repeats) goes by position" in str(raised.value)
    # A covariance of views.
    theta = np.cov(second.T)
    square = frame(theta[order], order)
    if library == "pandas":
        square.index = [names[i] for i in order]
    plain = diagnose(X, repeats=second, views=theta, dimension=2).to_dict()
    assert diagnose(X, repeats=second, views=square, dimension=2).to_dict() == plain
    with pytest.raises(ValueError, match="views= has other columns than X"):
        wrong = frame(theta, range(8), [*names[:7], "h7"])
        diagnose(X, repeats=second, views=wrong, dimension=2)


def test_rows_go_by_position_and_another_index_is_refused():
    pandas = pytest.importorskip("pandas")
    first, second, classes = measured(60)
    ids = [f"t{i}" for i in range(60)]
    plain = diagnose(first, repeats=second, labels=classes, dimension=2).to_dict()
    # A shuffled index is no order of rows: that of X and of all else is the same.
    index = np.random.default_rng(0).permutation(60)
    X, repeats = (pandas.DataFrame(rows, index) for rows in (first, second))
    labels = pandas.Series(classes, index)
    assert diagnose(X, repeats=repeats, labels=labels, dimension=2).to_dict() == plain
    assert diagnose(first, repeats=second, labels=labels, dimension=2).to_dict() == plain
    # Other rows of one frame are second measurements.
    both = pandas.DataFrame(np.concatenate([first, second]))
    found = diagnose(both[:60], repeats=both[60:], labels=classes, dimension=2)
    assert found.to_dict() == plain
    for name, value in (
        ("repeats", repeats[::-1]),
        ("labels", labels[::-1]),
        ("labels", labels.reset_index(drop=True)),
        ("targets", labels[::-1].to_frame() * 0.5),
        ("pairs", pandas.Series(ids, index)[::-1]),
        ("groups", pandas.Series(ids)),
        ("nuisance", pandas.Series(ids)),
    ):
        rest = {} if name in ("repeats", "pairs", "groups", "nuisance") else {"repeats": second}
        said = (
            rf"^{name}= has another index than X.*{name}.loc\[X.index\].*{name}.to_numpy\(\)"
        )
        with pytest.raises(ValueError, match=said):
            diagnose(X, **{name: value}, **rest, dimension=2)
    for value in (labels[::-1].loc[X.index], labels.to_numpy()):
        assert diagnose(X, repeats=second, labels=value, dimension=2).to_dict() == plain


def test_names_that_are_numbers_or_twice_there_are_told_apart():
    pandas = pytest.importorskip("pandas")
    first, second, _ = measured(60)
    expected = diagnose(first, repeats=second, dimension=2).to_dict()
    X, repeats = pandas.DataFrame(first), pandas.DataFrame(second)
    named = X.set_axis(list("abcdefgh"), axis=1)
    for one, other in ((X, repeats[[3, 0, 7, 1, 2, 6, 5, 4]]), (named, repeats)):
        assert diagnose(one, repeats=other, dimension=2).to_dict() == expected
    variances = pandas.Series(np.arange(1.0, 9), list("abcdefgh"))
    plain = diagnose(named, repeats=second, views=variances.to_numpy(), dimension=2)
    for views in (variances, variances[::-1]):
        found = diagnose(named, repeats=second, views=views, dimension=2)
        assert found.to_dict() == plain.to_dict()
    twice = named.set_axis(list("abcdefgg"), axis=1)
    assert diagnose(twice, repeats=twice.copy() + 0.1 * second, dimension=2).pairs == 60
    for one, other, of in ((twice, named, "X"), (named, twice, "repeats=")):
        with pytest.raises(ValueError, match=f"^{of} has 'g' twice: rename one"):
            diagnose(one, repeats=other)


@pytest.mark.parametrize("name", ["pairs", "groups", "nuisance"])
def test_rows_without_an_id_are_counted_and_refused(name):
    rows, _, _ = measured(60)
    ids = np.repeat(np.arange(20), 3)
    gone = np.isin(np.arange(60), [4, 7])
    words = ids.astype(str).astype(object)
    cases = [
        np.where(gone, np.nan, ids),
        np.where(gone, np.nan, ids).astype(np.float32).astype(object),
        np.where(gone, np.inf, ids),
        np.where(gone, None, ids),
        np.where(gone, None, words),
        np.where(gone, np.nan, words).tolist(),
        np.where(gone, np.datetime64("NaT"), ids.astype("M8[D]")),
        np.where(gone, None, words)[:, None],
        np.where(gone, np.nan, ids).astype(str),
        np.where(gone, " ", words),
    ]
    for value in cases:
        said = (
            rf"^{name}= has no id for 2 of 60 rows, the first {name}\[4\], which is .*leave these"
        )
        with pytest.raises(ValueError, match=said) as raised:
            diagnose(rows, **{name: value}, dimension=2)
        assert "label" not in str(raised.value)
    with pytest.raises(ValueError, match="masked"):
        diagnose(rows, **{name: np.ma.array(ids, mask=gone)}, dimension=2)


def test_missing_ids_of_libraries_are_refused():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    rows, _, _ = measured(60)
    ids = [None if i == 4 else i // 3 for i in range(60)]
    words = [None if i is None else f"t{i}" for i in ids]
    cases = [
        pandas.Series(ids, dtype="Int64"),
        pandas.Series(words),
        pandas.Series(words, dtype="string"),
        pandas.Categorical(words),
        pandas.to_datetime(pandas.Series(ids, dtype="Int64"), unit="D"),
        [pandas.NaT if i is None else i for i in ids],
        polars.Series(ids),
        polars.Series(words),
        polars.Series(words, dtype=polars.Categorical),
        arrow.array(ids),
        arrow.chunked_array([words]),
    ]
    for value in cases:
        with pytest.raises(ValueError, match=r"no id for 1 of 60 rows, the first pairs\[4\]"):
            diagnose(rows, pairs=value)


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
    assert (
        diagnose(first, repeats=second, views=np.ones(8), dimension=2).to_dict() == same.to_dict()
    )
    views = {
        "stages": [{"kind": "dropout", "probability": 0.3}],
        "corruption": [{"kind": "additive", "variance": 4.0}],
    }
    found = diagnose(first, views=views, dimension=2)
    assert found.pairs == 120


def close(found, expected, margin):
    """Whether two answers have the same numbers, but for so much."""
    for name in ("kept", "leakage"):
        for of, interval in getattr(expected, name).items():
            assert getattr(found, name)[of].value == pytest.approx(interval.value, abs=margin), (
                name,
                of,
            )


def test_views_may_be_a_function():
    first, second, classes = measured(150)
    fixed = {"repeats": second, "labels": classes, "dimension": 2}
    # Of views that are not random two draws are the moments themselves.
    plain = diagnose(first, **fixed, views=np.zeros(8), alignment=1)
    same = diagnose(first, **fixed, views=lambda x, rng: x, n_views=2, alignment=1)
    close(same, plain, 1e-9)
    assert same.answer == plain.answer and "a function" in repr(same)
    # Additive noise, against its covariance, at every alignment.
    variance = np.geomspace(0.1, 10, 8)
    for alignment in (0.0, 1.0, 30.0):
        drawn = diagnose(
            first,
            **fixed,
            views=lambda x, rng: x + rng.normal(size=x.shape) * np.sqrt(variance),
            n_views=30,
            random_state=0,
            alignment=alignment,
        )
        exact = diagnose(first, **fixed, views=variance, alignment=alignment)
        close(drawn, exact, 0.01)
    default = diagnose(first, **fixed, views=lambda x, rng: x + rng.normal(size=x.shape))
    assert default.alignment_used == 0
    assert drawn.alignment.keys() == exact.alignment.keys() and None not in drawn.alignment.values()


def test_views_of_a_function_are_those_of_stages():
    first, second, _ = measured(400)
    fixed = {"repeats": second, "dimension": 2, "components": 6, "standardize": True}
    stages = [{"kind": "dropout", "probability": 0.3}, {"kind": "additive", "variance": 0.5}]
    exact = diagnose(first, **fixed, views=stages)
    drawn = diagnose(
        first,
        **fixed,
        views=lambda x, rng: x * (rng.random(x.shape) > 0.3) + rng.normal(size=x.shape) * 0.5**0.5,
        n_views=40,
        random_state=1,
    )
    close(drawn, exact, 0.01)


def test_every_fold_has_the_views_of_its_rows():
    first, second, _ = measured(150)
    fixed = {"repeats": second, "dimension": 2}
    drawn = diagnose(first, **fixed, views=lambda x, rng: np.clip(x, -2, 3), n_views=3)
    stage = diagnose(first, **fixed, views=[{"kind": "clip", "low": -2, "high": 3}])
    # Joint-embedding has no preference among directions that views leave as they are.
    for found, expected in ((drawn.kept, stage.kept), (drawn.leakage, stage.leakage)):
        one, other = found["reconstruction"], expected["reconstruction"]
        np.testing.assert_allclose(list(one), list(other), rtol=0, atol=1e-9)


def test_views_of_a_function_belong_to_their_rows_however_these_are_given():
    first, second, _ = measured(120)
    # α tells directions apart that views leave as they are.
    fixed = {"views": lambda x, rng: np.tanh(x / 3), "dimension": 2, "alignment": 1}
    two = diagnose(first, repeats=second, **fixed)
    order = np.random.default_rng(0).permutation(240)
    ids = np.concatenate([np.arange(120)] * 2)[order]
    rows = np.asfortranarray(np.concatenate([first, second])[order])
    one = diagnose(rows, pairs=ids, **fixed)
    assert one.pairs == two.pairs
    np.testing.assert_allclose(
        one.encoders["joint-embedding"] @ one.encoders["joint-embedding"].T,
        two.encoders["joint-embedding"] @ two.encoders["joint-embedding"].T,
        atol=1e-8,
    )
    batches = np.repeat(np.arange(20), 12)
    found = diagnose(rows, nuisance=batches, **fixed | {"dimension": 1})
    assert found.pairs == 20 and np.isfinite(found.kept["difference"].value)


def test_the_same_seed_draws_the_same_views():
    first, second, _ = measured(100)

    def noisy(x, rng):
        return x + rng.normal(size=x.shape)

    buffer = np.empty_like(first)

    def thrifty(x, rng):
        buffer[...] = noisy(x, rng)
        return buffer

    fixed = {"repeats": second, "dimension": 2}
    one = diagnose(first, **fixed, views=noisy, random_state=5, threads=1).to_dict()
    for views, seed in ((noisy, 5), (thrifty, np.random.default_rng(5))):
        assert diagnose(first, **fixed, views=views, random_state=seed, threads=3).to_dict() == one
    assert diagnose(first, **fixed, views=noisy, random_state=6).to_dict() != one


def test_what_a_function_of_views_raises_comes_out():
    first, second, _ = measured(60)

    def fails(x, rng):
        raise KeyError("no such image")

    def writes(x, rng):
        x += 1
        return x

    with pytest.raises(KeyError, match="no such image"):
        diagnose(first, repeats=second, views=fails)
    with pytest.raises(ValueError, match="read-only"):
        diagnose(first, repeats=second, views=writes)
    with pytest.raises(MemoryError):
        diagnose(first, repeats=second, views=lambda x, rng: x, n_views=10**12)


def test_figures_of_several_answers_have_names_of_their_own():
    first, second, _ = measured(100)
    pages = [diagnose(first, repeats=second, dimension=k)._repr_html_() for k in (1, 2)]
    names = [set(re.findall(r'id="([^"]+)"', page)) for page in pages]
    assert names[0] and names[1] and not names[0] & names[1]
    for page, own in zip(pages, names, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", page)) <= own


def test_batches_are_told_apart():
    rng = np.random.default_rng(0)
    batches = np.repeat(np.arange(20), 10)
    rows = rng.normal(size=(200, 4)) * [3, 1, 1, 1] + rng.normal(size=(20, 4))[batches] * [
        0,
        4,
        0,
        0,
    ]
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
        ({"repeats": [[1, 2], [3]]}, "repeats is no array: .*inhomogeneous"),
        ({"repeats": "second.npy"}, "repeats is of type str: give an array"),
        ({"repeats": hole}, r"repeats\[3, 1\] is NaN"),
        ({"pairs": np.arange(59)}, "pairs= has the shape"),
        ({"repeats": second, "labels": np.zeros(59)}, "labels need a row"),
        ({"repeats": second, "dimension": 9}, "from 1 to 8"),
        ({"views": lambda x, rng: x}, "nothing tells signal from noise"),
        ({"repeats": second, "views": lambda x, rng: x, "n_views": 1}, "n_views=1: give 2"),
        (
            {"repeats": second, "views": lambda x, rng: x[:-1]},
            r"gave shape \(59, 8\): a row for each of 60",
        ),
        (
            {"repeats": second, "views": lambda x, rng: x[:, :3]},
            r"gave shape \(60, 3\).* and 8 columns",
        ),
        ({"repeats": second, "views": lambda x, rng: x[0]}, "views.* has 1 dimensions"),
        ({"repeats": second, "views": lambda x, rng: x * np.inf}, "views.* not finite"),
        ({"repeats": hole, "views": lambda x, rng: x}, r"repeats\[3, 1\] is NaN"),
        ({"repeats": second, "views": np.eye(3)}, "views= has the shape"),
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
        found = es.diagnose(first, repeats=first, dimension=2)
    assert found.warnings
    lines, html = repr(found).splitlines(), found._repr_html_()
    for warning in found.warnings:
        assert f"warning: {warning}" in lines and f"<li>{escape(warning)}</li>" in html
    found.warnings.clear()
    assert "warning: " not in repr(found) and "<li>" not in found._repr_html_()


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


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"views": "views.toml"}, "views= is a str: give stages"),
        ({"views": Path("views.toml")}, "views= is a PosixPath: give stages"),
        ({"views": np.eye(3)}, r"^views= has the shape \(3, 3\)"),
        ({"views": -np.eye(8)}, "negative in some direction"),
        ({"dimension": 2.0}, r"^dimension=2.0: give a whole number"),
        ({"components": "3"}, r"^components='3': give a whole number"),
        ({"standardize": 1}, r"^standardize=1: give True or False"),
    ],
)
def test_arguments_of_other_kinds_are_refused_by_name(wrong, said):
    first, second, _ = measured(60)
    with pytest.raises((TypeError, ValueError), match=said):
        diagnose(first, repeats=second, **({"dimension": 2} | wrong))
