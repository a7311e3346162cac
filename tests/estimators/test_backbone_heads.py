"""Classifiers with a pretrained backbone: heads are searched on its features, then the whole is fine-tuned."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone
from sklearn.datasets import load_digits

from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.estimators import ImageClassifier, SequenceClassifier, TextClassifier, load_estimator
from genokeras.graph import feature_mlp
from tests.encoders.planted import bars, opinions, planted_sequences
from tests.processes import run_on

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

QUICK = {"fathers": ["mlp"], "trainer_args": {"max_iter_num": 20}}
SEARCH = {
    "time_limit": None,
    "max_trials": 5,
    "folds": 2,
    "random_state": 0,
    "verbose": 0,
    "searcher_args": QUICK,
}


def digits(low, high):
    x, y = load_digits(return_X_y=True)
    of = (y >= low) & (y <= high)
    return x[of].reshape(-1, 8, 8).astype("float32"), y[of]


@pytest.fixture(scope="module")
def backbone():
    """A network that learnt the digits 0 to 4, without its last layer."""
    keras.utils.set_random_seed(0)
    x, y = digits(0, 4)
    read = keras.Input((8, 8, 1))
    inner = layers.Rescaling(1 / 16)(read)
    for filters, size in ((32, 3), (64, 2)):
        inner = layers.Conv2D(filters, size, activation="relu", data_format="channels_last")(inner)
    features = layers.GlobalMaxPooling2D(data_format="channels_last")(inner)
    model = keras.Model(read, layers.Dense(5, activation="softmax")(layers.Dropout(0.3)(features)))
    optimizer = keras.optimizers.Adam(3e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    for _ in range(5):
        for start in range(0, len(x) - 63, 64):
            model.train_on_batch(x[start : start + 64, ..., None], y[start : start + 64])
    return keras.Model(read, features)


@pytest.fixture(scope="module")
def new_digits():
    x, y = digits(5, 9)
    return (x[:60], y[:60]), (x[60:], y[60:])


@pytest.fixture(scope="module")
def fitted(backbone, new_digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("backbone") / "run"
    return ImageClassifier(path, backbone=backbone, **SEARCH).fit(*new_digits[0])


def test_few_images_of_classes_that_the_backbone_never_saw_are_told_apart(fitted, new_digits):
    assert fitted.score(*new_digits[1]) > 0.6


def test_few_images_are_told_apart_better_by_what_was_learnt_from_many(tmp_path):
    keras.utils.set_random_seed(0)
    read = keras.Input((12, 12, 1))
    lines = layers.Conv2D(16, 5, activation="relu", data_format="channels_last")(
        layers.Rescaling(1 / 255)(read)
    )
    backbone = keras.Model(read, layers.GlobalMaxPooling2D(data_format="channels_last")(lines))
    whole = keras.Sequential([backbone, layers.Dense(3, activation="softmax")])
    whole.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", jit_compile=False)
    x, y = bars(300)
    codes = np.unique(y, return_inverse=True)[1]
    for start in [*range(0, 300, 30)] * 5:
        whole.train_on_batch(x[start : start + 30, ..., None].astype("float32"), codes[start : start + 30])
    few, many, losses = bars(30, seed=2), bars(200, seed=3), []
    for given, father in ((backbone, "mlp"), (None, "small_cnn")):
        search = {**SEARCH, "searcher_args": {**QUICK, "fathers": [father]}}
        clf = ImageClassifier(tmp_path / father, backbone=given, **search).fit(*few)
        losses.append(clf.evaluate(*many)["log_loss"])
    assert losses[0] < 0.5 * losses[1]


def test_the_search_grows_heads_and_says_what_they_read(fitted):
    assert set(fitted.leaderboard()["status"]) == {"ok"}
    assert fitted.leaderboard()["graph"].str.contains("linear").any()
    assert any("frozen backbone" in note and "64 features" in note for note in fitted.notes_)


def test_the_model_goes_from_pixels_to_probabilities_and_knows_stock_layers_only(
    fitted, new_digits, tmp_path
):
    x = new_digits[1][0][:20]
    path = fitted.export_keras_model(tmp_path / "model.keras")
    with zipfile.ZipFile(path) as archive:
        assert b'"module": "genokeras' not in archive.read("config.json")
    model = keras.saving.load_model(path, safe_mode=True)
    np.testing.assert_allclose(model.predict_on_batch(x[..., None]), fitted.predict_proba(x), atol=1e-5)


def test_a_loaded_run_has_its_backbone(fitted, new_digits, tmp_path):
    x, y = new_digits[1]
    again = load_estimator(fitted.save(tmp_path / "copy"))
    np.testing.assert_allclose(again.predict_proba(x), fitted.predict_proba(x), atol=1e-6)
    assert isinstance(again.backbone, keras.Model)
    network = again.load_searcher().load_best_model().produce_keras_model(weights=True)
    assert network.output_shape == (None, 5)
    again.final_fit(x[:60], y[:60], trainer_args={"max_iter_num": 1})
    assert again.predict(x).shape == (len(x),)


def test_a_run_goes_on_with_the_same_backbone_only(fitted, backbone, new_digits, tmp_path):
    path = fitted.save(tmp_path / "copy")
    more = {**SEARCH, "max_trials": fitted.n_trials_ + 1, "resume": True}
    longer = ImageClassifier(path, backbone=backbone, **more).fit(*new_digits[0])
    assert longer.n_trials_ == fitted.n_trials_ + 1
    other = keras.models.clone_model(backbone)
    for wrong, args in ((other, QUICK), (None, {})):
        with pytest.raises(RunFolderError, match="was run with another backbone"):
            ImageClassifier(path, backbone=wrong, **{**more, "searcher_args": args}).fit(*new_digits[0])


def test_fathers_may_be_graphs_of_the_features(backbone, new_digits, tmp_path):
    args = {"fathers": [feature_mlp((64,), 5, (16,))], "trainer_args": {"max_iter_num": 2}}
    search = {**SEARCH, "searcher_args": args}
    clf = ImageClassifier(tmp_path / "run", backbone=backbone, **search).fit(*new_digits[0])
    assert clf.leaderboard()["graph"].str.contains("16").any()


def test_pixels_are_explained_through_the_backbone(fitted, new_digits):
    found = fitted.explain(new_digits[1][0][:3])
    assert found.values.shape == (3, 8, 8, 5)
    assert abs(found.values).max() > 0


def test_fine_tuning_keeps_the_best_epoch(fitted, new_digits, tmp_path):
    train, test = new_digits
    clf = ImageClassifier.load(fitted.save(tmp_path / "copy"))
    clf.fine_tune(*train, epochs=2, learning_rate=1e-3, validation_data=test)
    note = clf.fine_tuning_
    assert note["best_epoch"] > 0
    assert note["after"] == min(note["epochs"]) < note["before"]
    assert clf.evaluate(*test)["log_loss"] == pytest.approx(note["after"], abs=1e-4)
    again = ImageClassifier.load(clf.path_)
    np.testing.assert_allclose(again.predict_proba(test[0]), clf.predict_proba(test[0]), atol=1e-6)
    assert (
        json.loads((clf.path_ / "result.json").read_text())["fine_tuning"]["best_epoch"] == note["best_epoch"]
    )


def test_fine_tuning_with_one_class_is_refused(fitted, new_digits):
    x, y = new_digits[0]
    with pytest.raises(DataError, match="at least 2 classes: got only"):
        fitted.fine_tune(x[y == y[0]], y[y == y[0]], epochs=1)


def test_fine_tuning_tells_callbacks_of_keras_and_ends_where_they_want(fitted, new_digits, tmp_path):
    clf, heard = ImageClassifier.load(fitted.save(tmp_path / "copy")), []

    class Two(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            heard.append((epoch, logs["val_loss"], float(self.model.optimizer.learning_rate)))
            self.model.stop_training = epoch == 1

    halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    clf.fine_tune(*new_digits[0], epochs=5, learning_rate=1e-3, callbacks=[halved, Two()])
    assert [epoch for epoch, _, _ in heard] == [0, 1]
    assert [loss for _, loss, _ in heard] == pytest.approx(clf.fine_tuning_["epochs"])
    assert [rate for _, _, rate in heard] == pytest.approx([5e-4, 2.5e-4])
    with pytest.raises(ParameterError, match=r"instances of keras.callbacks.Callback, got 3"):
        clf.fine_tune(*new_digits[0], callbacks=[3])


def test_fine_tuning_that_makes_nothing_better_leaves_the_model(fitted, new_digits, tmp_path):
    clf = ImageClassifier.load(fitted.save(tmp_path / "copy"))
    clf.fine_tune(*new_digits[0], epochs=1, learning_rate=10.0)
    assert clf.fine_tuning_["best_epoch"] == 0
    assert clf.fine_tuning_["held_out"] == pytest.approx(12, abs=3)
    x = new_digits[1][0]
    np.testing.assert_allclose(clf.predict_proba(x), fitted.predict_proba(x), atol=1e-6)


def test_fine_tuning_weighs_the_classes(fitted, new_digits, tmp_path):
    (x, y), (x_new, y_new) = new_digits
    clf = ImageClassifier.load(fitted.save(tmp_path / "copy"))
    clf.set_params(class_weight={clf.classes_[0]: 50.0})
    clf.fine_tune(x, y, epochs=1, learning_rate=1e-3, validation_data=(x_new, y_new))
    weight = np.where(y_new == clf.classes_[0], 50.0, 1.0)
    p = fitted.predict_proba(x_new)[np.arange(len(y_new)), np.searchsorted(clf.classes_, y_new)]
    assert clf.fine_tuning_["before"] == pytest.approx(np.average(-np.log(p), weights=weight), abs=1e-4)
    p = clf.predict_proba(x_new)[np.arange(len(y_new)), np.searchsorted(clf.classes_, y_new)]
    assert clf.fine_tuning_["after"] == pytest.approx(np.average(-np.log(p), weights=weight), abs=1e-4)


def test_fine_tuning_weighs_the_samples(fitted, new_digits, tmp_path):
    x, y = new_digits[0]
    kept = np.arange(len(y)) % 4 > 0

    def tuned(name, picked, **options):
        clf = ImageClassifier.load(fitted.save(tmp_path / name))
        clf.fine_tune(x[picked], y[picked], epochs=1, learning_rate=1e-3, **options)
        return {name: clf.fine_tuning_[name] for name in ("before", "trained", "held_out")}

    everything, alike = np.full(len(y), True), tuned("alike", kept)
    assert tuned("zero", everything, sample_weight=kept * 2.0) == pytest.approx(alike)
    unlike = tuned("unlike", kept, sample_weight=np.where(np.arange(kept.sum()) % 2, 0.1, 2.0))
    assert unlike["before"] != pytest.approx(alike["before"], abs=1e-4)


def test_fine_tuning_of_labels_trains_each_by_itself(backbone, tmp_path):
    x, y = digits(5, 9)
    labels = np.stack([y > 6, y % 2 == 0, y > 0], axis=1).astype(int)
    labels[:20] = 0  # none at all
    clf = ImageClassifier(tmp_path / "run", backbone=backbone, task="labels", **SEARCH).fit(
        x[:120], labels[:120]
    )
    clf.fine_tune(x[:120], labels[:120], epochs=2, learning_rate=1e-3)
    note = clf.fine_tuning_
    assert note["trained"] + note["held_out"] == 120 and len(note["epochs"]) == 2
    assert note["after"] <= note["before"]
    assert load_estimator(tmp_path / "run").fine_tuning_ == note


def test_fine_tuning_needs_a_backbone_and_sensible_numbers(fitted, new_digits, tmp_path):
    train, _ = new_digits
    for options in ({"epochs": 0}, {"epochs": 1.5}, {"learning_rate": 0}):
        with pytest.raises(ParameterError, match=next(iter(options))):
            fitted.fine_tune(*train, **options)
    search = {**SEARCH, "max_trials": 1, "searcher_args": {}}
    plain = ImageClassifier(tmp_path / "run", **search).fit(*train)
    with pytest.raises(ParameterError, match="no backbone to fine-tune"):
        plain.fine_tune(*train)


def test_a_backbone_that_does_not_fit_leaves_no_run_behind(backbone, tmp_path):
    with pytest.raises(ParameterError, match=r"the images are \(8, 8, 2\)"):
        ImageClassifier(tmp_path / "run", backbone=backbone, **SEARCH).fit(np.zeros((6, 8, 8, 2)), [0, 1] * 3)
    assert not (tmp_path / "run").exists()


def test_scikit_learn_clones_a_classifier_with_a_backbone(backbone):
    copy = clone(ImageClassifier(backbone=backbone))
    assert isinstance(copy.backbone, keras.Model)


def test_sequences_are_searched_and_explained_through_a_backbone(tmp_path):
    keras.utils.set_random_seed(0)
    read = keras.Input((None, 4))
    filters = layers.Conv1D(24, 8, activation="relu", data_format="channels_last")(read)
    backbone = keras.Model(read, layers.GlobalMaxPooling1D(data_format="channels_last")(filters))
    x, y, _ = planted_sequences(60, length=24)
    extra = np.random.default_rng(0).normal(size=(60, 1))
    clf = SequenceClassifier(tmp_path / "run", backbone=backbone, **{**SEARCH, "max_trials": 4}).fit(
        x, y, extra=extra
    )
    assert clf._fitted().problem.encoder.input_shape == (25,)
    assert clf.explain(x[:2], extra=extra[:2]).values.shape == (2, 24, 2)
    assert clf.explain(x[:2], "gradient", extra=extra[:2]).values.shape == (2, 24, 2)
    assert clf.predict_proba(x, extra).shape == (60, 2)
    with pytest.raises(ParameterError, match="heads of a backbone"):
        clf.motifs()


def test_texts_are_searched_explained_and_fine_tuned_through_a_backbone(tmp_path):
    keras.utils.set_random_seed(0)
    words = ["great", "moving", "fine", "awful", "dull", "weak", "film", "plot"]
    texts = keras.Input((), dtype="string")
    ids = layers.TextVectorization(vocabulary=words, output_sequence_length=12)(texts)
    backbone = keras.Model(texts, layers.Embedding(10, 4, mask_zero=True)(ids))
    x, y = opinions(60)
    clf = TextClassifier(tmp_path / "run", backbone=backbone, **{**SEARCH, "max_trials": 4}).fit(x, y)
    assert clf.score(*opinions(40, seed=1)) > 0.7
    assert clf.explain(x[:2]).values.shape[0] == 2
    clf.fine_tune(x[:24], y[:24], epochs=1)
    again = TextClassifier.load(clf.path_)
    np.testing.assert_allclose(again.predict_proba(x), clf.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_heads_are_searched_on_other_backends(backend, tmp_path):
    code = """
import sys, keras, numpy as np
from keras import layers
from genokeras.estimators import ImageClassifier
from tests.encoders.planted import bars
backbone = keras.Sequential([keras.Input((12, 12, 1)), layers.Rescaling(1 / 255), layers.Conv2D(6, 3, data_format="channels_last")])
args = {"fathers": ["mlp"], "trainer_args": {"max_iter_num": 3}}
clf = ImageClassifier(
    sys.argv[1], time_limit=None, max_trials=4, folds=2, searcher_args=args, random_state=0, verbose=0, backbone=backbone
)
x, y = bars(60)
clf.fit(x, y)
assert clf.leaderboard()["status"].eq("ok").all()
assert np.isfinite(clf.explain(x[:4]).values).all()
clf.fine_tune(x, y, epochs=1, learning_rate=1e-4)
np.testing.assert_allclose(ImageClassifier.load(sys.argv[1]).predict_proba(x), clf.predict_proba(x), atol=1e-5)
"""
    run_on(backend, code, tmp_path / "run")
