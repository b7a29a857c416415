"""`solve`: against SciPy and the program; what it refuses and what it warns of."""

import json
import subprocess
import warnings

import numpy as np
import pytest
import scipy.linalg
from jobs import program

import eigensweep as es


def problem(samples, size, labels=3, seed=0):
    """Inputs, labels and a covariance."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, size)) * np.geomspace(1.0, 0.1, size)
    Y = rng.normal(size=(samples, labels))
    root = rng.normal(size=(size, size))
    return X, Y, root @ root.T / size + 0.1 * np.eye(size)


def quiet(*arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EigensweepWarning)
        return es.solve(*arguments, **keywords)


def probing_loss(X, Y, encoder):
    Z = X @ encoder.T
    weights = np.linalg.lstsq(Z, Y, rcond=None)[0]
    return np.square(Y - Z @ weights).sum() / len(X)


@pytest.mark.parametrize("size", [1, 2, 5, 50, 300])
@pytest.mark.parametrize("of_all", ["one", "half", "all"])
def test_values_and_maps_are_those_of_scipy(size, of_all):
    k = {"one": 1, "half": (size + 1) // 2, "all": size}[of_all]
    X, Y, covariance = problem(3 * size + 5, size)
    solution = es.solve(X, targets=Y, covariance=covariance, dimension=k)
    G = X.T @ X / len(X)
    S = G + covariance
    omega, _ = scipy.linalg.eigh(G, S)
    je = solution.joint_embedding
    np.testing.assert_allclose(je.eigenvalues, omega[::-1], rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(je.W @ S @ je.W.T, np.eye(k), atol=1e-9)
    # Eigenvectors, whatever their signs and scales: (G − ωS) v = 0.
    residual = je.W @ G - je.eigenvalues[:k, None] * (je.W @ S)
    np.testing.assert_allclose(residual, 0, atol=1e-10 * np.abs(S).max())
    np.testing.assert_allclose(je.objective, 2 * (1 - omega[::-1][:k]).sum(), rtol=1e-9, atol=1e-12)
    # φ of C L⁻ᵀ, by LAPACK.
    L = np.linalg.cholesky(S)
    half = scipy.linalg.solve_triangular(L, G.T, lower=True).T
    U, phi, Pt = scipy.linalg.svd(half)
    rc = solution.reconstruction
    np.testing.assert_allclose(rc.singular_values, phi, rtol=1e-9, atol=1e-13 * phi[0])
    product = (
        (U[:, :k] * phi[:k]) @ Pt[:k] @ scipy.linalg.solve_triangular(L, np.eye(size), lower=True)
    )
    np.testing.assert_allclose(rc.D @ rc.E, product, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(
        rc.objective, np.trace(G) - np.square(phi[:k]).sum(), rtol=1e-9, atol=1e-12 * np.trace(G)
    )
    B = X.T @ Y / len(X)
    V = scipy.linalg.solve(S, B, assume_a="pos").T
    np.testing.assert_allclose(solution.supervised.V, V, rtol=1e-7, atol=1e-9)
    power = np.square(Y).sum() / len(X)
    np.testing.assert_allclose(solution.supervised.objective, power - np.sum(V * B.T), rtol=1e-9)
    np.testing.assert_allclose(
        solution.supervised.loss, np.square(Y - X @ V.T).sum() / len(X), rtol=1e-9
    )
    np.testing.assert_allclose(je.probing_loss, probing_loss(X, Y, je.W), rtol=1e-8)
    np.testing.assert_allclose(rc.probing_loss, probing_loss(X, Y, rc.E), rtol=1e-8)
    assert solution.rank == size and solution.dimension == k


def test_mean_views_replace_the_inputs_in_the_views():
    X, Y, covariance = problem(40, 6)
    views = 0.5 * X + 0.1 * np.random.default_rng(1).normal(size=X.shape)
    solution = es.solve(X, targets=Y, mean_views=views, covariance=covariance, dimension=2)
    moments = solution.moments
    np.testing.assert_allclose(moments.G, views.T @ views / 40, rtol=1e-12)
    np.testing.assert_allclose(moments.S, views.T @ views / 40 + covariance, rtol=1e-12)
    np.testing.assert_allclose(moments.C, X.T @ views / 40, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(moments.B, views.T @ Y / 40, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(moments.mu, views.mean(axis=0), atol=1e-15)
    centred = es.solve(X + 100, targets=Y, covariance=covariance, dimension=2, center=True)
    by_hand = es.solve(X - X.mean(axis=0), targets=Y, covariance=covariance, dimension=2)
    np.testing.assert_allclose(
        centred.joint_embedding.eigenvalues, by_hand.joint_embedding.eigenvalues, rtol=1e-9
    )


def test_a_covariance_is_a_share_variances_or_a_matrix():
    X, _, _ = problem(50, 4)
    share = 0.3 * np.var(X, axis=0).mean()
    by = [0.3, np.full(4, share), np.diag(np.full(4, share))]
    found = [es.solve(X, covariance=c, dimension=2).joint_embedding.eigenvalues for c in by]
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
    np.testing.assert_array_equal(found[1], found[2])


def test_moments_in_place_of_arrays_give_the_same():
    X, Y, covariance = problem(60, 5)
    whole = es.solve(X, targets=Y, covariance=covariance, dimension=2)
    m = whole.moments
    alone = es.solve(S=m.S, G=m.G, C=m.C, B=m.B, dimension=2)
    np.testing.assert_array_equal(alone.joint_embedding.W, whole.joint_embedding.W)
    np.testing.assert_array_equal(alone.reconstruction.D, whole.reconstruction.D)
    np.testing.assert_array_equal(alone.supervised.V, whole.supervised.V)
    # What they do not tell is not known.
    assert alone.joint_embedding.objective == whole.joint_embedding.objective
    assert alone.reconstruction.objective is None and alone.supervised.objective is None
    assert alone.losses == {} and alone.moments.mu is None
    known = es.solve(
        S=m.S,
        G=m.G,
        C=m.C,
        B=m.B,
        dimension=2,
        input_moment=X.T @ X / 60,
        input_labels=X.T @ Y / 60,
        label_power=np.square(Y).sum() / 60,
    )
    assert known.losses.keys() == whole.losses.keys()
    for name, loss in known.losses.items():
        np.testing.assert_allclose(loss, whole.losses[name], rtol=1e-9)
    np.testing.assert_allclose(known.reconstruction.objective, whole.reconstruction.objective)
    only = es.solve(S=m.S, C=m.C, dimension=2)
    assert only.joint_embedding is None and only.supervised is None
    assert only.moments.G is None and "reconstruction" in repr(only)


def test_without_labels_there_are_no_losses():
    X, _, covariance = problem(30, 4)
    solution = es.solve(X, covariance=covariance, dimension=2)
    assert solution.supervised is None and solution.losses == {}
    assert solution.moments.B is None and solution.joint_embedding.probing_loss is None
    assert solution.reconstruction.objective > 0


def test_labels_are_classes_if_whole_or_words():
    X, _, covariance = problem(30, 4)
    numbers = np.arange(30) % 3 * 5 - 5
    words = np.array(["b", "c", "a"])[np.arange(30) % 3]
    of = [
        es.solve(X, labels, covariance=covariance, dimension=2)
        for labels in (numbers, numbers[:, None], words, words.astype(object), list(words))
    ]
    np.testing.assert_array_equal(of[0].classes, [-5, 0, 5])
    assert list(of[2].classes) == ["a", "b", "c"]
    one_hot = (numbers[:, None] == [-5, 0, 5]).astype(float)
    by_hand = es.solve(X, targets=one_hot, covariance=covariance, dimension=2)
    for solution in of[:2]:
        np.testing.assert_array_equal(solution.supervised.V, by_hand.supervised.V)
    np.testing.assert_array_equal(of[2].supervised.V[[1, 2, 0]], by_hand.supervised.V)
    real = es.solve(X, numbers + 0.5, covariance=covariance, dimension=2)
    assert real.classes is None and real.supervised.V.shape == (1, 4)
    with pytest.warns(es.EigensweepWarning, match="20 classes in 30 rows.*targets="):
        es.solve(X, np.arange(30) % 20, covariance=covariance, dimension=2)


def test_a_singular_problem_is_solved_on_its_range_with_a_warning():
    X, Y, _ = problem(40, 6)
    X[:, 4] = 2 * X[:, 1]
    X[:, 5] = 0
    with pytest.warns(es.EigensweepWarning) as said:
        solution = es.solve(X, targets=Y, mean_views=0.5 * X, dimension=2)
    words = "S = X̄ᵀX̄/n + Σ has rank 4 of 6: input 5 (from 0) is zero in all samples; input 4"
    assert str(said[0].message).startswith(words)
    assert "ω 2 and 3 of joint-embedding are tied" in str(said[1].message)
    assert solution.rank == 4
    V = np.linalg.pinv(0.5 * X) @ Y
    np.testing.assert_allclose(solution.supervised.V, V.T, rtol=1e-8, atol=1e-10)
    assert np.all(solution.joint_embedding.eigenvalues[4:] == 0)
    with pytest.raises(
        ValueError, match="dimension=5 is above the rank of S, 4.*dimension= of at most 4"
    ):
        es.solve(X, targets=Y, dimension=5)


def test_fewer_samples_than_inputs_are_a_warning():
    X, Y, _ = problem(3, 5)
    with pytest.warns(es.EigensweepWarning) as said:
        solution = es.solve(X, targets=Y, dimension=1, center=True)
    assert "3 samples do not determine 5 inputs" in str(said[0].message)
    assert solution.rank == 2


def test_tied_values_are_a_warning():
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    with pytest.warns(es.EigensweepWarning, match="1 and 2 of .* are tied.*dimension="):
        es.solve(X, covariance=np.eye(2), dimension=1)
    with pytest.warns(es.EigensweepWarning, match="without covariance=, mean_views= or views="):
        es.solve(X, dimension=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        es.solve(X, covariance=np.eye(2), dimension=2)
        es.solve(X, covariance=np.diag([1.0, 3.0]), dimension=1)


def test_stages_have_exact_moments():
    X, Y, _ = problem(50, 4)
    solution = es.solve(
        X, targets=Y, dimension=2, views=[{"kind": "dropout", "probability": np.float64(0.25)}]
    )
    G = 0.75**2 * X.T @ X / 50
    S = G + 0.25 * 0.75 * np.diag(np.square(X).mean(axis=0))
    np.testing.assert_allclose(solution.moments.G, G, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(solution.moments.S, S, rtol=1e-10, atol=1e-15)
    floored = es.solve(
        X,
        targets=Y,
        dimension=2,
        views={"stages": [{"kind": "dropout", "probability": 0.25}], "floor": 0.5},
    )
    np.testing.assert_allclose(floored.moments.S, S, rtol=1e-10, atol=1e-15)
    omega = scipy.linalg.eigh(G, S + 0.5 * np.trace(S) / 4 * np.eye(4), eigvals_only=True)[::-1]
    np.testing.assert_allclose(floored.joint_embedding.eigenvalues, omega, rtol=1e-9)


def test_a_callable_is_sampled_without_bias():
    X, Y, covariance = problem(400, 4)
    root = np.linalg.cholesky(covariance)

    def views(X, rng):
        return 0.5 * X + rng.normal(size=X.shape) @ root.T

    for center in (False, True):
        drawn = es.solve(
            X + 3, targets=Y, dimension=2, views=views, n_views=64, random_state=1, center=center
        )
        exact = es.solve(
            X + 3,
            targets=Y,
            dimension=2,
            mean_views=0.5 * (X + 3),
            covariance=covariance,
            center=center,
        )
        for name in ("G", "S", "C", "B"):
            of = [getattr(solution.moments, name) for solution in (drawn, exact)]
            np.testing.assert_allclose(of[0], of[1], atol=0.02 * np.abs(exact.moments.S).max())
        np.testing.assert_allclose(
            drawn.losses["supervised"], exact.losses["supervised"], rtol=0.01
        )
    again = es.solve(X, dimension=2, views=views, random_state=1)
    np.testing.assert_array_equal(
        again.joint_embedding.W,
        es.solve(X, dimension=2, views=views, random_state=1).joint_embedding.W,
    )
    # Views that are no draw at all: the moments of the stages.
    halved = quiet(X, dimension=2, views=lambda X, rng: 0.5 * X, center=True, targets=Y)
    exact = quiet(X, dimension=2, mean_views=0.5 * X, center=True, targets=Y)
    for name in ("G", "S", "C", "B"):
        of = [getattr(solution.moments, name) for solution in (halved, exact)]
        np.testing.assert_allclose(of[0], of[1], rtol=1e-9, atol=1e-12)


def test_what_does_not_fit_is_refused_by_name():
    X, Y, covariance = problem(20, 4)
    nan, inf = X.copy(), X.copy()
    nan[3, 2], inf[1, 0] = np.nan, -np.inf
    skew = covariance.copy()
    skew[0, 1] += 1
    cases = [
        (dict(inputs=nan), r"inputs\[3, 2\] is NaN"),
        (dict(inputs=nan, covariance=0.5), r"inputs\[3, 2\] is NaN"),
        (dict(inputs=inf), r"inputs\[1, 0\] is -inf"),
        (dict(inputs=X, covariance=nan[:4]), r"covariance\[3, 2\] is NaN"),
        (dict(inputs=X, targets=nan), r"labels\[3, 2\] is NaN"),
        (dict(inputs=X, labels=np.full(20, np.nan)), r"labels\[0\] is nan"),
        (dict(inputs=X[:0]), "expected 1 × 4, found 0 × 4"),
        (dict(inputs=X[:, :0]), "expected 20 × 1, found 20 × 0"),
        (dict(inputs=X[0]), r"inputs has 1 dimensions.*reshape\(-1, 1\)"),
        (dict(inputs=X.astype(object)), "inputs holds entries of type object"),
        (dict(inputs=X + 1j), "inputs holds complex numbers"),
        (dict(inputs=X, dimension=5), "dimension=5 is not between 1 and the number of inputs, 4"),
        (dict(inputs=X, dimension=0), "dimension=0: give 1 or more"),
        (dict(inputs=X, targets=Y[:7]), "expected 20 × 3, found 7 × 3"),
        (dict(inputs=X, labels=Y[:7, 0]), "a row per sample: 20"),
        (dict(inputs=X, mean_views=X[:, :2]), "mean views have the shape of the inputs"),
        (dict(inputs=X, covariance=skew), "expected a symmetric matrix"),
        (dict(inputs=X, covariance=np.eye(3)), r"it is a number, of shape \(4,\)"),
        (dict(inputs=X, covariance=-1.0), "at least 0"),
        (dict(inputs=X, covariance=-np.eye(4)), "a covariance= must be positive semidefinite"),
        (dict(inputs=X, labels=Y, targets=Y), "say the same thing"),
        (dict(inputs=X, views=[], covariance=1.0), "in place of mean_views= and covariance="),
        (dict(inputs=X, views="dropout"), "a list of stages"),
        (dict(inputs=X, views=lambda X, rng: X[1:]), "a row for each of 20 samples"),
        (dict(inputs=X, views=lambda X, rng: X * np.nan), "not finite"),
        (dict(inputs=X, views=lambda X, rng: X, n_views=1), "n_views=1"),
        (dict(), "inputs are needed"),
        (dict(inputs=X, S=covariance), "in place of inputs"),
        (dict(G=covariance), "S= is needed"),
        (dict(S=covariance, G=np.eye(3)), "G is 4 × 4 where S is 4 × 4, found 3 × 3"),
        (dict(S=skew, G=covariance), "S must be symmetric"),
        (dict(S=-covariance, G=covariance), "it must be positive semidefinite"),
        (
            dict(S=np.eye(3), G=np.diag([0.5, -1.0, 0.1])),
            r"G= is negative in some direction, most along feature 1 \(from 0\)",
        ),
        (
            dict(S=np.eye(2), C=np.eye(2), input_moment=np.diag([1.0, -1.0])),
            "input_moment= is negative in some direction, most along feature 1",
        ),
        (dict(S=covariance, C=covariance, input_moment=skew), "input_moment must be symmetric"),
        (dict(S=covariance, G=covariance, label_power=-1.0), "label_power=-1.0"),
        (dict(S=covariance, G=covariance, label_power=np.nan), "label_power=nan"),
        (dict(inputs=X, labels=["a", None] * 10), r"labels\[1\] is None: leave rows"),
        (dict(inputs=X, labels=np.array(["a", np.nan] * 10, object)), r"labels\[1\] is nan"),
        (dict(inputs=X, views={"stages": [], "features": {}}), "views= has no `features`"),
        (dict(inputs=X, views=[lambda X, rng: X]), r"`stages\[0\]` is a function"),
    ]
    for keywords, message in cases:
        with pytest.raises(ValueError, match=message):
            quiet(**{"dimension": 1} | keywords)
    with pytest.raises(TypeError):
        es.solve(X, dimension=1.5)
    scipy_sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="inputs is sparse"):
        es.solve(scipy_sparse.csr_array(X), dimension=1)


def test_moments_of_no_sample_are_a_warning():
    I = np.eye(2)  # noqa: E741
    cases = [
        dict(G=3 * I, B=None),
        dict(G=None, C=2 * I, input_moment=I),
        dict(G=None, B=I, input_moment=I, input_labels=I, label_power=0.5),
    ]
    for keywords in cases:
        with pytest.warns(es.EigensweepWarning, match="are not those of one sample"):
            es.solve(S=I, dimension=2, **keywords)
    # Of rank one, G is as good as any.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        es.solve(S=I, G=np.ones((2, 2)) / 4, dimension=1)


def test_views_that_are_wrong_are_a_job_error_with_its_problems():
    X, _, _ = problem(20, 4)
    with pytest.raises(es.JobError) as caught:
        es.solve(X, dimension=1, views=[{"kind": "dropout", "probabilty": 0.5}])
    problems = caught.value.problems
    assert any("probabilty" in problem["message"] for problem in problems)
    with pytest.raises(es.JobError, match="`shape` has 1 · 3 · 3 = 9 features, the inputs have 4"):
        es.solve(X, dimension=1, views={"shape": [1, 3, 3], "stages": []})


def test_a_callable_cannot_write_to_the_inputs():
    X, _, _ = problem(20, 4)

    def views(X, rng):
        X += 1
        return X

    with pytest.raises(ValueError, match="read-only"):
        es.solve(X, dimension=1, views=views)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("kind", ["inputs", "covariance", "views"])
def test_the_program_finds_the_same(tmp_path, kind, center):
    X, _, covariance = problem(60, 5)
    X += 1
    labels = np.arange(60) % 3
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", labels)
    np.save(tmp_path / "s.npy", covariance)
    (tmp_path / "v.toml").write_text("[[stages]]\nkind = 'dropout'\nprobability = 0.5\n")
    arguments = {
        "inputs": [],
        "covariance": ["--covariance", "s.npy"],
        "views": ["--views", "v.toml"],
    }
    keywords = {
        "inputs": {},
        "covariance": {"covariance": covariance},
        "views": {"views": [{"kind": "dropout", "probability": 0.5}]},
    }
    command = ["solve", "--inputs", "x.npy", "--labels", "y.npy", "--dimension", "2", "--json"]
    command += ["--write", "out", *arguments[kind], *(["--center"] if center else [])]
    done = subprocess.run(
        [program(), *command], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    theirs = json.loads(done.stdout)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = es.solve(X, labels, dimension=2, center=center, **keywords[kind])
    flags = {"covariance=": "--covariance", "mean_views=": "--mean-views", "views=": "--views",
             "center=True": "--center"}  # fmt: skip
    said = [str(warning.message) for warning in caught]
    for name, flag in flags.items():
        said = [text.replace(f" {name}", f" {flag}") for text in said]
    assert [f"warning: {text}" for text in said] == done.stderr.splitlines()
    assert ours.rank == theirs["rank"]
    je, rc, sv = theirs["joint_embedding"], theirs["reconstruction"], theirs["supervised"]
    assert ours.joint_embedding.eigenvalues.tolist() == je["eigenvalues"]
    assert ours.reconstruction.singular_values.tolist() == rc["singular_values"]
    assert ours.joint_embedding.objective == je["objective"]
    assert ours.losses == {
        "joint-embedding": je["probing_loss"],
        "reconstruction": rc["probing_loss"],
        "supervised": sv["loss"],
    }
    maps = {
        "W": ours.joint_embedding.W,
        "E": ours.reconstruction.E,
        "D": ours.reconstruction.D,
        "V": ours.supervised.V,
        **{name: getattr(ours.moments, name) for name in ("G", "S", "C", "B", "mu")},
    }
    for name, array in maps.items():
        np.testing.assert_array_equal(
            array, np.load(tmp_path / "out" / f"{name}.npy"), err_msg=name
        )
