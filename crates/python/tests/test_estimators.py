"""`JointEmbedding` and `Reconstruction`: scikit-learn's own checks, and what they compute."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

# One of scikit-learn's checks asks for it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
pytest.importorskip("sklearn")
import scipy.linalg
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import eigensweep as es

BOTH = pytest.mark.parametrize("Encoder", [es.JointEmbedding, es.Reconstruction])


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(80, 6)) @ rng.normal(size=(6, 6)) + 5


class OfAnySize:
    """With covariances of however many features come: checks have data of many sizes."""

    def _moments(self, X):
        named, size = self.covariance, X.shape[1]
        if isinstance(named, str):
            variances = np.linspace(0.5, 1.5, size)
            self.covariance = variances if named == "vector" else np.diag(variances) + 0.1
        try:
            return super()._moments(X)
        finally:
            self.covariance = named


class SizedJointEmbedding(OfAnySize, es.JointEmbedding):
    pass


class SizedReconstruction(OfAnySize, es.Reconstruction):
    pass


def complaints(estimator):
    found = check_estimator(estimator, on_fail=None)
    failed = [
        (check["check_name"], check["exception"]) for check in found if check["status"] != "passed"
    ]
    # Where SciPy was imported before, this one skips itself.
    assert [(name, error) for name, error in failed if name != "check_array_api_input"] == []
    assert len(found) > 40


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("Encoder", [SizedJointEmbedding, SizedReconstruction])
@pytest.mark.parametrize("n_components", [None, 1, 5])
@pytest.mark.parametrize("covariance", [None, 0.1, "vector", "matrix"])
@pytest.mark.parametrize("center", [True, False])
def test_scikit_learn_finds_nothing_to_complain_of(Encoder, n_components, covariance, center):
    complaints(Encoder(n_components, covariance=covariance, center=center))


def noisy(X, rng):
    return X + rng.normal(size=X.shape)


@BOTH
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("views", [[{"kind": "dropout", "probability": 0.5}], noisy])
def test_nor_of_views(Encoder, views):
    complaints(Encoder(views=views, random_state=0))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(
    "covariance", [0.5, np.linspace(0.1, 2, 6), np.diag(np.arange(1.0, 7)) + 0.5]
)
def test_both_are_those_of_scipy(X, center, covariance):
    moved = X - X.mean(axis=0)
    share = np.square(moved).mean()
    G = moved.T @ moved / 80 if center else X.T @ X / 80
    sigma = np.asarray(covariance)
    sigma = (
        sigma
        if sigma.ndim == 2
        else np.diag(np.broadcast_to(sigma * (share if sigma.ndim == 0 else 1), 6))
    )
    S = G + sigma
    je = es.JointEmbedding(3, covariance=covariance, center=center).fit(X)
    omega, V = scipy.linalg.eigh(G, S)
    V = V[:, :2:-1]
    V = V * np.sign(V[np.abs(V).argmax(axis=0), np.arange(3)])
    np.testing.assert_allclose(je.eigenvalues_, omega[:2:-1], rtol=1e-9)
    np.testing.assert_allclose(je.components_, V.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        je.transform(X), ((moved if center else X) @ V), rtol=1e-6, atol=1e-8
    )
    rc = es.Reconstruction(3, covariance=covariance, center=center).fit(X)
    root = np.linalg.inv(scipy.linalg.sqrtm(S))
    U, phi, Pt = scipy.linalg.svd(G @ root)
    np.testing.assert_allclose(rc.singular_values_, phi[:3], rtol=1e-9)
    np.testing.assert_allclose(
        rc.decoder_ @ rc.components_, (U[:, :3] * phi[:3]) @ Pt[:3] @ root, atol=1e-8
    )
    assert (np.abs(rc.components_).max(axis=1) == rc.components_.max(axis=1)).all()


def test_directions_of_white_views_are_principal_components(X):
    pca = PCA(3).fit(X)
    for Encoder in (es.JointEmbedding, es.Reconstruction):
        components = Encoder(3).fit(X).components_
        cosines = np.abs(
            (components / np.linalg.norm(components, axis=1)[:, None]) * pca.components_
        )
        np.testing.assert_allclose(cosines.sum(axis=1), np.abs(cosines).sum(axis=1))
        unit = components / np.linalg.norm(components, axis=1)[:, None]
        np.testing.assert_allclose(np.abs(np.sum(unit * pca.components_, axis=1)), 1, rtol=1e-9)
    # Almost no noise, all components: the samples themselves.
    whole = es.Reconstruction(covariance=1e-12).fit(X)
    np.testing.assert_allclose(whole.inverse_transform(whole.transform(X)), X, atol=1e-6)


@BOTH
def test_a_fit_is_what_solve_finds(Encoder, X):
    views = [{"kind": "dropout", "probability": 0.3}]
    solution = es.solve(X, dimension=2, views=views, center=True)
    encoder = Encoder(2, views=views).fit(X)
    of = solution.joint_embedding if Encoder is es.JointEmbedding else solution.reconstruction
    expected = of.W if Encoder is es.JointEmbedding else of.E
    np.testing.assert_allclose(np.abs(encoder.components_), np.abs(expected), rtol=1e-9, atol=1e-12)

    def drawn(X, rng):
        return X * (rng.random(X.shape) > 0.3)

    many = Encoder(2, views=drawn, n_views=400, random_state=0).fit(X)
    np.testing.assert_allclose(
        many.components_, encoder.components_, atol=0.1 * np.abs(expected).max()
    )


@BOTH
def test_images_have_a_shape(Encoder):
    images = load_digits().data
    views = {
        "shape": [1, 8, 8],
        "stages": [{"kind": "shift", "rows": 1, "columns": 1}],
        "floor": 1e-3,
    }
    encoder = Encoder(5, views=views).fit(images)
    assert encoder.transform(images).shape == (1797, 5)


@BOTH
@pytest.mark.parametrize(
    "kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array"]
)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("of", ["real", "counts"])
def test_sparse_samples_are_fitted_as_dense_ones(Encoder, kind, center, of):
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.3, size=(200, 12)).astype(float)
    if of == "real":
        dense *= rng.normal(size=dense.shape)
    dense[:, 3] += 10
    sparse = getattr(scipy.sparse, kind)(dense)
    a, b = Encoder(4, center=center).fit(dense), Encoder(4, center=center).fit(sparse)
    np.testing.assert_allclose(b.components_, a.components_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(b.transform(sparse), a.transform(dense), rtol=1e-8, atol=1e-9)
    assert isinstance(b.transform(sparse), np.ndarray)


def test_duplicates_of_sparse_entries_are_added_up_and_the_users_stay():
    sparse = scipy.sparse.csr_array(
        (np.ones(6), np.array([1, 0, 0, 1, 1, 0]), np.array([0, 3, 5, 6])), shape=(3, 2)
    )
    dense, before = sparse.toarray(), sparse.data.copy()
    a, b = es.Reconstruction(1).fit(sparse), es.Reconstruction(1).fit(dense)
    np.testing.assert_allclose(a.components_, b.components_)
    np.testing.assert_array_equal(sparse.data, before)


def test_sparse_samples_are_not_made_dense():
    import tracemalloc

    sparse = scipy.sparse.random(20_000, 500, density=0.01, format="csr", random_state=0)
    tracemalloc.start()
    encoder = es.JointEmbedding(3).fit(sparse)
    encoder.transform(sparse)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000 * 500 * 8 / 3


@BOTH
def test_single_precision_stays(Encoder, X):
    single = Encoder(2).fit(X.astype(np.float32))
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    assert single.transform(X).dtype == np.float64
    np.testing.assert_allclose(
        single.components_, Encoder(2).fit(X).components_, rtol=1e-3, atol=1e-4
    )


@BOTH
def test_names_and_frames(Encoder, X):
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    encoder = Encoder(2).set_output(transform="pandas").fit(frame)
    found = encoder.transform(frame)
    prefix = Encoder.__name__.lower()
    assert list(found.columns) == [f"{prefix}0", f"{prefix}1"]
    assert list(encoder.get_feature_names_out()) == list(found.columns)
    assert list(encoder.feature_names_in_) == list("abcdef") and encoder.n_features_in_ == 6
    found = (
        Encoder(2).set_output(transform="polars").fit_transform(pl.DataFrame(frame.to_dict("list")))
    )
    assert isinstance(found, pl.DataFrame) and found.shape == (80, 2)


@BOTH
def test_clones_and_pickles_are_the_same(Encoder, X):
    encoder = Encoder(2, covariance=np.linspace(1, 2, 6)).fit(X)
    np.testing.assert_array_equal(clone(encoder).fit(X).components_, encoder.components_)
    again = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(again.transform(X), encoder.transform(X))
    with_views = Encoder(2, views=[{"kind": "dropout", "probability": 0.5}])
    assert clone(with_views).views == with_views.views


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@BOTH
def test_a_grid_is_searched_by_workers(Encoder):
    X, y = load_digits(return_X_y=True)
    name = Encoder.__name__.lower()
    search = GridSearchCV(
        make_pipeline(Encoder(), LogisticRegression(max_iter=200)),
        {f"{name}__n_components": [5, 20], f"{name}__covariance": [0.1, 1.0]},
        n_jobs=2,
        cv=3,
    ).fit(X, y)
    assert search.best_params_[f"{name}__n_components"] == 20 and search.best_score_ > 0.85


@BOTH
def test_more_components_than_there_are_is_a_warning(Encoder, X):
    with pytest.warns(es.EigensweepWarning, match="n_components=9 is above .* 6, which are kept"):
        assert Encoder(9).fit(X).components_.shape == (6, 6)
    with pytest.warns(es.EigensweepWarning, match="which are kept"):
        assert Encoder(10**30).fit(X).n_components_ == 6
    X = X[:, [0, 1, 1]]
    with pytest.warns(es.EigensweepWarning, match="directions that there are, 2"):
        assert Encoder(3, covariance=0.0).fit(X).n_components_ == 2


@BOTH
def test_ties_at_the_last_component_are_a_warning(Encoder):
    square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    with pytest.warns(es.EigensweepWarning, match="tied.*another n_components="):
        Encoder(1).fit(square)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Encoder(2).fit(square)


@BOTH
def test_what_does_not_fit_is_refused(Encoder, X):
    cases = [
        (dict(n_components=0), "n_components=0"),
        (dict(n_components=1.5), "n_components=1.5"),
        (dict(n_components=True), "n_components=True"),
        (dict(covariance="much"), "covariance="),
        (dict(covariance=np.eye(3)), r"of shape \(6,\)"),
        (dict(covariance=-1.0), "at least 0"),
        (dict(covariance=-np.eye(6) * 1e6), "covariance= must be positive semidefinite"),
        (dict(views=[], covariance=1.0), "give one of them"),
        (dict(views="dropout"), "a list of stages"),
        (dict(views=lambda X, rng: X[:, :2]), "2 features and X has 6"),
        (dict(views=lambda X, rng: X, n_views=1), "n_views=1"),
        (dict(views=lambda X, rng: X, n_views=10**30), "n_views is above"),
    ]
    for parameters, message in cases:
        with pytest.raises(ValueError, match=message):
            Encoder(**parameters).fit(X)
    with pytest.raises(ValueError, match="nothing to represent"):
        Encoder().fit(np.ones((5, 3)))
    with pytest.raises(TypeError, match="views see every entry.*X is sparse: pass X.toarray()"):
        Encoder(views=[]).fit(scipy.sparse.csr_array(X))
    with pytest.raises(es.JobError, match="kind"):
        Encoder(views=[{"kind": "nonsense"}]).fit(X)
    for wrong in (X.astype(complex), np.full((4, 2), np.nan), X[0], X[:0]):
        with pytest.raises(ValueError):
            Encoder().fit(wrong)
    with pytest.raises(ValueError, match="has 3 columns"):
        es.Reconstruction(2).fit(X).inverse_transform(np.ones((4, 3)))


@pytest.mark.parametrize("name", ["JointEmbedding", "Reconstruction"])
def test_without_scikit_learn_the_extra_is_named(name):
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        f"import eigensweep as es\ntry: es.{name}\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'eigensweep[sklearn]'" in done.stdout and done.stdout.count("\n") == 1


def test_the_package_is_imported_without_scikit_learn():
    code = "import sys, eigensweep; print(sorted({'sklearn', 'scipy', 'pandas', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
