"""SequenceClassifier from strings to a delivered model."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, NotFittedError, ParameterError, RunFolderError
from genokeras.estimators import (
    GenomeClassifier,
    ImageClassifier,
    SequenceClassifier,
    load_estimator,
)
from genokeras.report import visualize
from tests.encoders.planted import planted_sequences
from tests.processes import run_alone, run_on

# Few and small networks: what is tested is the way from strings to a model, not how good it gets.
QUICK = {"fathers": ["small_cnn"], "trainer_args": {"max_iter_num": 8}}


def quick(path, **options):
    settings = {"time_limit": None, "max_trials": 20, "folds": 2, "random_state": 0, "verbose": 0}
    return SequenceClassifier(path, searcher_args=QUICK, **(settings | options))


@pytest.fixture(scope="module")
def study():
    x, y, _ = planted_sequences(160, 40)
    return x, np.array(["other", "bound"])[y]


@pytest.fixture(scope="module")
def fitted(study, tmp_path_factory):
    return quick(tmp_path_factory.mktemp("runs") / "run").fit(*study)


def test_a_planted_motif_is_found(fitted):
    x, y, _ = planted_sequences(200, 40, seed=1)
    found = fitted.evaluate(x, np.array(["other", "bound"])[y])
    assert found["roc_auc"] > 0.9
    assert fitted.score(x, np.array(["other", "bound"])[y]) == pytest.approx(found["accuracy"])


def test_probabilities_are_in_the_order_of_the_classes(fitted, study):
    p = fitted.predict_proba(study[0])
    assert list(fitted.classes_) == ["bound", "other"]
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (fitted.predict(study[0]) == fitted.classes_[p.argmax(axis=1)]).all()


def test_strings_one_hot_arrays_and_lower_case_are_answered_alike(fitted, study):
    strings = study[0][:5]
    one_hot = np.stack([np.eye(4)[["ACGT".index(c) for c in s]] for s in strings])
    wanted = fitted.predict_proba(strings)
    np.testing.assert_allclose(fitted.predict_proba(one_hot), wanted, atol=1e-6)
    np.testing.assert_allclose(fitted.predict_proba([s.lower() for s in strings]), wanted, atol=1e-6)


def test_the_estimate_stands_beside_the_linear_model_and_chance(fitted):
    estimate = fitted.estimate_
    assert estimate["metric"] == "log_loss"
    assert estimate["value"] < estimate["chance"]
    assert estimate["linear_baseline"] is not None


def test_the_leaderboard_and_the_curves_tell_of_every_trial(fitted):
    table = fitted.leaderboard()
    assert len(table) == fitted.n_trials_ == 20
    assert table["share"].sum() == pytest.approx(1)
    assert {"rung", "graph", "view"} <= set(table.columns)
    assert set(fitted.history_["member"]) == set(table["model_id"])


def test_a_network_was_sent_on_or_grew(fitted):
    history = fitted.load_searcher().history
    assert any(entry["father_id"] is not None for entry in history)


def test_the_graph_of_a_trial_makes_fresh_and_trained_models(fitted, study):
    searcher = fitted.load_searcher()
    network = next(e["model_id"] for e in searcher.history if e["hyper"]["view"] == "tensor")
    graph = searcher.load_model_by_id(network)
    assert graph.produce_keras_model().input_shape == (None, 40, 4)
    assert graph.produce_keras_model(weights=True).output_shape == (None, 2)
    assert searcher.get_best_model_id() == fitted.get_best_model_id()


@pytest.mark.slow
def test_a_saved_run_predicts_the_same_elsewhere(fitted, study, tmp_path):
    fitted.save(tmp_path / "copy")
    again = SequenceClassifier.load(tmp_path / "copy")
    np.testing.assert_allclose(again.predict_proba(study[0]), fitted.predict_proba(study[0]), atol=1e-6)
    assert again.estimate_ == fitted.estimate_


@pytest.mark.slow
def test_a_run_killed_before_its_end_is_delivered_when_it_is_loaded(fitted, study, tmp_path):
    copy = fitted.save(tmp_path / "copy")
    for name in ("best.keras", "result.json"):
        (copy / name).unlink()
    again = SequenceClassifier.load(copy)
    assert again.stop_reason_ == "killed"
    np.testing.assert_allclose(again.predict_proba(study[0]), fitted.predict_proba(study[0]), atol=1e-5)


@pytest.mark.slow
def test_the_export_loads_where_genokeras_is_not_installed(fitted, study, tmp_path):
    model = fitted.export_keras_model(tmp_path / "model")
    one_hot = np.stack([np.eye(4, dtype="float32")[["ACGT".index(c) for c in s]] for s in study[0]])
    np.save(tmp_path / "x.npy", one_hot)
    code = """
import sys, numpy as np, keras
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""
    run_alone(code, model, tmp_path / "x.npy", tmp_path / "p.npy")
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(study[0]), atol=1e-4)
    sidecar = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["classes"] == ["bound", "other"]
    assert "A, C, G, T" in sidecar["inputs"]["sequence"]


def journal(clf):
    lines = (clf.path_ / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "crc")} for line in lines]


@pytest.mark.slow
def test_the_same_seed_writes_the_same_journal(study, tmp_path):
    first = quick(tmp_path / "a", max_trials=3).fit(*study)
    second = quick(tmp_path / "b", max_trials=3).fit(*study)
    assert journal(first) == journal(second)


@pytest.mark.slow
def test_a_resumed_run_goes_on_where_it_stopped(study, tmp_path):
    quick(tmp_path / "run", max_trials=3).fit(*study)
    again = quick(tmp_path / "run", max_trials=5, resume=True).fit(*study)
    assert again.n_trials_ == 5
    with pytest.raises(RunFolderError, match="other samples"):
        quick(tmp_path / "run", resume=True).fit(study[0][:-2], study[1][:-2])


def test_a_time_limit_is_kept_and_delivers(study, tmp_path):
    clf = quick(tmp_path / "run", max_trials=None, time_limit=4, folds=None).fit(*study)
    assert clf.stop_reason_ == "time"
    assert clf.n_trials_ >= 1


def test_validation_data_score_in_place_of_folds(study, tmp_path):
    x, y = study
    clf = quick(tmp_path / "run", max_trials=2, folds=None)
    clf.fit(x[:120], y[:120], validation_data=(x[120:], y[120:]))
    assert clf.estimate_["n_samples"] == 40


@pytest.mark.slow
def test_numbers_beside_sequences_tell_the_classes_apart(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = ["".join(row) for row in rng.choice(list("ACGT"), size=(120, 30))]
    extra = np.column_stack([y * 4 + rng.normal(size=120), rng.normal(100, 5, size=120)])
    clf = quick(tmp_path / "run", max_trials=4).fit(x, y, extra=extra)
    assert clf.evaluate(x, y, extra=extra)["accuracy"] > 0.9
    assert [tensor.name for tensor in clf.model_.inputs] == ["sequence", "extra"]
    with pytest.raises(DataError, match="Pass extra="):
        clf.predict(x)


def test_sequences_of_several_lengths_can_be_learnt(tmp_path):
    x, y, _ = planted_sequences(120, 40)
    cut = [s[: 40 - i % 7] for i, s in enumerate(x)]
    clf = quick(tmp_path / "run", max_trials=2).fit(cut, y)
    with pytest.warns(UserWarning, match="1 sequence is longer than the 40 letters that the model reads"):
        assert clf.predict_proba(["ACGT" * 3, "ACGT" * 20]).shape == (2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"searcher_args": {"fathers": ["motif_cn"]}}, "Did you mean 'motif_cnn'"),
        ({"searcher_args": {"trainer_args": {"max_iter": 3}}}, "Did you mean 'max_iter_num'"),
        ({"searcher_args": {"factr": 3}}, "Did you mean 'factor'"),
        ({"searcher": "bayesan"}, "Did you mean 'bayesian'"),
        ({"time_limit": None}, "never ends"),
        ({"folds": 1}, "folds must be"),
        ({"objective": "acuracy"}, "objective"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_written(options, message, study, tmp_path):
    with pytest.raises(ParameterError, match=message):
        SequenceClassifier(tmp_path / "run", verbose=0, **options).fit(*study)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (["ACGT", "ACXT"], [0, 1], "sample_1"),
        (["ACGT", ""], [0, 1], "empty"),
        (["ACGU", "ACGT", "AUGT"], [0, 1, 0], "U"),
        (["ACGT", "ACGT"], [0], "expected 2"),
        (["ACGT" * 5] * 8, None, "without labels"),
        (["ACGT" * 5] * 8, [1] * 8, "2 classes"),
    ],
)
def test_bad_sequences_and_labels_are_refused(x, y, message, tmp_path):
    with pytest.raises(DataError, match=message):
        quick(tmp_path / "run").fit(x, y)
    assert not (tmp_path / "run").exists()


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="SequenceClassifier is not fitted"):
        SequenceClassifier().predict(["ACGT"])


def test_a_run_of_sequences_is_no_run_of_images(fitted):
    with pytest.raises(RunFolderError, match="a run of sequences"):
        ImageClassifier.load(fitted.path_)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_ends_on_other_backends_and_its_model_loads_here(backend, study, tmp_path):
    code = """
import sys, numpy as np
from genokeras.estimators import SequenceClassifier
from tests.encoders.planted import planted_sequences
x, y, _ = planted_sequences(80, 30)
args = {"fathers": ["small_cnn"], "trainer_args": {"max_iter_num": 2}}
clf = SequenceClassifier(sys.argv[1], time_limit=None, max_trials=13, folds=2, searcher_args=args, random_state=0, verbose=0)
clf.fit(x, y)
assert not clf.leaderboard()["status"].eq("failed").any(), clf.leaderboard()
assert clf.leaderboard()["father"].notna().any()
np.save(sys.argv[2], clf.predict_proba(x))
"""
    run_on(backend, code, tmp_path / "run", tmp_path / "p.npy")
    x, _, _ = planted_sequences(80, 30)
    again = SequenceClassifier.load(tmp_path / "run")
    assert isinstance(again.model_, keras.Model)
    np.testing.assert_allclose(again.predict_proba(x), np.load(tmp_path / "p.npy"), atol=1e-4)


@pytest.mark.slow
def test_the_explanation_points_at_a_planted_motif(tmp_path):
    def noisy(n, seed):
        x, y, at = planted_sequences(n, 60, seed)
        rng = np.random.default_rng([seed, 9])
        flip = rng.random(n) < 0.15
        return x, np.where(flip, 1 - y, y), y, at

    x, labels, _, _ = noisy(1200, 0)
    clf = SequenceClassifier(tmp_path / "run", time_limit=90, random_state=0, verbose=0).fit(x, labels)
    new, _, true, at = noisy(80, 1)
    positive = np.flatnonzero(true == 1)
    starts = clf.explain([new[i] for i in positive]).top_window(1, 8)
    assert np.mean(np.abs(starts - at[positive]) < 8) >= 0.9
    target = clf.write_motifs(tmp_path / "motifs.meme")
    assert any("GATTACA" in motif.consensus or "TGTAATC" in motif.consensus for motif in clf.motifs())
    assert target.read_text().startswith("MEME version 4")


def test_any_run_opens_as_what_it_is_and_is_drawn(fitted):
    found = load_estimator(fitted.path_)
    assert type(found) is SequenceClassifier and found.n_trials_ == fitted.n_trials_
    assert visualize(fitted.path_)
    with pytest.raises(RunFolderError, match="a run of sequences.*SequenceClassifier.load"):
        GenomeClassifier.load(fitted.path_)
