"""TextClassifier from strings to a delivered model that takes strings."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from genokeras.errors import DataError
from genokeras.estimators import TextClassifier
from tests.encoders.planted import opinions
from tests.processes import run_alone, run_on

QUICK = {"fathers": ["small_text_cnn"], "trainer_args": {"max_iter_num": 10}}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    clf = TextClassifier(
        path, time_limit=None, max_trials=5, folds=2, searcher_args=QUICK, random_state=0, verbose=0
    )
    return clf.fit(*opinions(160))


def test_opinions_are_told_apart(fitted):
    x, y = opinions(100, seed=1)
    assert fitted.evaluate(x, y)["accuracy"] > 0.9


def test_linear_and_convolutional_trials_are_there(fitted):
    table = fitted.leaderboard()
    assert set(table["view"]) == {"counts", "tensor"}
    assert table["status"].eq("ok").all()


def test_texts_that_say_nothing_are_answered_with_a_warning(fitted):
    with pytest.warns(
        UserWarning, match=r"2 texts have no word that .*: sample_0, sample_2\. Such an answer says nothing"
    ):
        found = fitted.predict_proba(["", "great film", "\u0436\u0449\u0444"])
    np.testing.assert_allclose(found[0], found[2], atol=1e-6)
    assert not np.allclose(found[0], found[1], atol=0.05)


def test_known_texts_are_answered_without_a_warning(fitted):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(["great film", "a part of greatest"])


def test_the_export_takes_strings_where_genokeras_is_not_installed(fitted, tmp_path):
    x, _ = opinions(20, seed=1)
    model = fitted.export_keras_model(tmp_path / "model.keras")
    (tmp_path / "x.txt").write_text("\n".join(x), encoding="utf-8")
    code = """
import sys, numpy as np, keras
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
texts = open(sys.argv[2], encoding="utf-8").read().split("\\n")
np.save(sys.argv[3], np.asarray(model(keras.ops.convert_to_tensor(texts, dtype="string"))))
"""
    run_alone(code, model, tmp_path / "x.txt", tmp_path / "p.npy")
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(x), atol=1e-4)


def test_a_loaded_run_predicts_the_same(fitted):
    x, _ = opinions(20, seed=1)
    again = TextClassifier.load(fitted.path_)
    np.testing.assert_allclose(again.predict_proba(x), fitted.predict_proba(x), atol=1e-6)


def test_the_telling_word_is_found(fitted):
    x, y = opinions(12, seed=1)
    found = fitted.explain(x)
    telling = {"awful.", "dull.", "weak.", "great.", "moving.", "fine."}
    hits = 0
    for i, words in enumerate(found.places):
        scores = found.of(y[i])[i, : len(words)]
        hits += f"{words[int(scores.argmax())].lower().strip('.')}." in telling
    assert hits >= 10


def test_a_final_fit_delivers_one_model_of_all_texts(fitted, tmp_path):
    clf = TextClassifier.load(fitted.save(tmp_path / "copy"))
    clf.verbose = 0
    clf.final_fit(*opinions(160), *opinions(60, seed=2), trainer_args={"max_iter_num": 2})
    assert clf.final_evaluation_["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (["good", " "], [0, 1], "empty"),
        (["good", None], [0, 1], "missing"),
        (["good", "bad"], [0], "expected 2"),
        ([b"\xff\xfe", b"ok"], [0, 1], "UTF-8"),
    ],
)
def test_bad_texts_are_refused(x, y, message, tmp_path):
    with pytest.raises(DataError, match=message):
        TextClassifier(tmp_path / "run", verbose=0).fit(x, y)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_texts_are_token_ids_and_numbers_on_other_backends(backend, tmp_path):
    code = """
import sys, numpy as np
from genokeras.estimators import TextClassifier
from tests.encoders.planted import opinions
args = {"fathers": ["small_text_cnn"], "trainer_args": {"max_iter_num": 2}}
clf = TextClassifier(sys.argv[1], time_limit=None, max_trials=5, folds=2, searcher_args=args, random_state=0, verbose=0)
clf.fit(*opinions(80))
assert clf.leaderboard()["status"].eq("ok").all()
assert {t.name for t in clf.model_.inputs} <= {"tokens", "ngrams"}
"""
    run_on(backend, code, tmp_path / "run")


def test_samples_of_weight_0_teach_nothing(tmp_path):
    x, y = opinions(120)
    # Every other text has the wrong label, and no weight.
    wrong = np.arange(120) % 4 > 1
    labels = np.where(wrong, np.where(y == y[0], y[y != y[0]][0], y[0]), y)
    clf = TextClassifier(tmp_path / "run", time_limit=None, max_trials=3, folds=2, random_state=0, verbose=0)
    clf.fit(x, labels, sample_weight=np.where(wrong, 0.0, 1.0))
    held_out, truth = opinions(100, seed=1)
    assert clf.evaluate(held_out, truth)["accuracy"] > 0.85


def test_weights_of_other_samples_are_refused_before_anything_is_written(tmp_path):
    x, y = opinions(20)
    with pytest.raises(DataError, match=r"sample_weight must have one number per sample: expected 20"):
        TextClassifier(tmp_path / "run").fit(x, y, sample_weight=np.ones(19))
    assert not (tmp_path / "run").exists()
