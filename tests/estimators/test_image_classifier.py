"""ImageClassifier from arrays and folders to a delivered model."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import DataError
from genokeras.estimators import ImageClassifier
from tests.encoders.planted import bars
from tests.processes import run_alone, run_on

QUICK = {"fathers": ["small_cnn"], "trainer_args": {"max_iter_num": 12}}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    clf = ImageClassifier(
        path, time_limit=None, max_trials=5, folds=2, searcher_args=QUICK, random_state=0, verbose=0
    )
    return clf.fit(*bars(150))


def test_bars_are_told_apart(fitted):
    x, y = bars(90, seed=1)
    assert fitted.evaluate(x, y)["accuracy"] > 0.8
    assert list(fitted.classes_) == ["column", "none", "row"]


def test_the_model_takes_pixels_as_they_came(fitted):
    x, _ = bars(5, seed=1)
    answers = np.asarray(fitted.model_(x[..., None].astype("float32")))
    np.testing.assert_allclose(answers, fitted.predict_proba(x), atol=1e-5)


def test_a_loaded_run_predicts_the_same(fitted):
    x, _ = bars(20, seed=1)
    again = ImageClassifier.load(fitted.path_)
    np.testing.assert_allclose(again.predict_proba(x), fitted.predict_proba(x), atol=1e-6)


def test_the_export_loads_where_genokeras_is_not_installed(fitted, tmp_path):
    x, _ = bars(20, seed=1)
    model = fitted.export_keras_model(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x[..., None].astype("float32"))
    code = """
import sys, numpy as np, keras
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""
    run_alone(code, model, tmp_path / "x.npy", tmp_path / "p.npy")
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(x), atol=1e-4)


def test_pixels_are_explained(fitted):
    x, _ = bars(4, seed=1)
    found = fitted.explain(x)
    assert found.values.shape == (4, 12, 12, 3)
    assert np.isfinite(found.values).all()


def test_a_final_fit_delivers_one_network_of_all_images(fitted, tmp_path):
    x, y = bars(60)
    clf = ImageClassifier.load(fitted.save(tmp_path / "copy"))
    clf.verbose = 0
    clf.final_fit(x, y, *bars(30, seed=2), trainer_args={"max_iter_num": 2})
    assert set(clf.final_evaluation_) >= {"accuracy", "log_loss"}
    again = ImageClassifier.load(clf.path_)
    np.testing.assert_allclose(again.predict_proba(x), clf.predict_proba(x), atol=1e-5)


def test_it_works_as_in_classic_autokeras(tmp_path):
    x, y = bars(60)
    clf = ImageClassifier(
        verbose=True,
        path=f"{tmp_path}/auto-keras/",
        searcher_args={"trainer_args": {"max_iter_num": 1}},
    )
    codes = np.unique(y, return_inverse=True)[1][:, None]
    clf.fit(x[..., None], codes, time_limit=6)
    assert clf.get_best_model_id() == clf.load_searcher().get_best_model_id()
    assert clf.load_searcher().load_best_model().produce_keras_model().output_shape == (None, 3)
    clf.final_fit(x[..., None], codes, x[..., None], codes, retrain=True, trainer_args={"max_iter_num": 1})
    assert clf.final_evaluation_ == clf.evaluate(x[..., None], codes)
    assert clf.predict(x[..., None]).shape == (60,)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((4, 3, 8, 8)), [0, 1, 0, 1], "channels"),
        ([np.zeros((8, 8)), np.zeros((9, 9))], [0, 1], "size"),
        (np.zeros((4, 8, 8)), [0, 1], "expected 4"),
        (np.full((4, 8, 8), np.nan), [0, 1, 0, 1], "NaN|finite|missing"),
    ],
)
def test_bad_images_are_refused(x, y, message, tmp_path):
    with pytest.raises(DataError, match=message):
        ImageClassifier(tmp_path / "run", verbose=0).fit(x, y)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_images_are_learnt_on_other_backends(backend, tmp_path):
    code = """
import sys, numpy as np
from genokeras.estimators import ImageClassifier
from tests.encoders.planted import bars
args = {"fathers": ["small_cnn"], "trainer_args": {"max_iter_num": 2}}
clf = ImageClassifier(sys.argv[1], time_limit=None, max_trials=5, folds=2, searcher_args=args, random_state=0, verbose=0)
clf.fit(*bars(60))
assert clf.leaderboard()["status"].eq("ok").all()
assert np.isfinite(clf.explain(bars(4)[0]).values).all()
"""
    run_on(backend, code, tmp_path / "run")
