"""SequenceRegressor, ImageRegressor and TextRegressor from samples to a delivered model that answers numbers."""

from __future__ import annotations

import json

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.metrics import r2_score

from genokeras.errors import DataError, NotFittedError, ParameterError, RunFolderError
from genokeras.estimators import (
    ImageRegressor,
    SequenceClassifier,
    SequenceRegressor,
    TextRegressor,
    load_estimator,
)
from genokeras.report import visualize
from tests.encoders.planted_numbers import bar_places, brightness, motif_copies, ratings

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

# Few and small networks: what is tested is the way from samples to a model, not how good it gets.
QUICK = {"time_limit": None, "folds": 2, "random_state": 0, "verbose": 0}


def args(father, epochs):
    return {"fathers": [father], "trainer_args": {"max_iter_num": epochs}}


def of_sequences(path, trials=5, epochs=6, **options):
    more = {"max_trials": trials, "searcher_args": args("small_cnn", epochs)}
    return SequenceRegressor(path, **(QUICK | more | options))


@pytest.fixture(scope="module")
def study():
    return motif_copies()


@pytest.fixture(scope="module")
def fitted(study, tmp_path_factory):
    return of_sequences(tmp_path_factory.mktemp("runs") / "run").fit(*study)


@pytest.fixture(scope="module")
def of_texts(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    reg = TextRegressor(path, max_trials=3, searcher_args=args("small_text_cnn", 8), **QUICK)
    return reg.fit(*ratings())


def test_copies_of_a_motif_are_counted_in_their_units(fitted):
    x, y = motif_copies(100, seed=1)
    found = fitted.evaluate(x, y)
    assert list(found) == ["r2", "mse", "rmse", "mae", "pearson", "spearman"]
    assert found["r2"] > 0.6
    answers = fitted.predict(x)
    assert answers.shape == (100,) and answers.dtype == np.float64
    assert fitted.score(x, y) == pytest.approx(r2_score(y, answers)) == pytest.approx(found["r2"])
    assert found["rmse"] ** 2 == pytest.approx(found["mse"])


def test_the_estimate_of_numbers_stands_beside_the_ridge_and_the_mean(fitted):
    estimate = fitted.estimate_
    assert estimate["metric"] == "r2" and estimate["greater_is_better"]
    assert estimate["interval"][0] < estimate["value"] < estimate["interval"][1]
    assert estimate["chance"] == pytest.approx(0)
    assert estimate["linear_baseline"] is not None
    assert estimate["also"]["rmse"]["value"] < estimate["also"]["rmse"]["chance"]


def test_the_leaderboard_and_the_curves_of_a_regressor_are_there(fitted):
    table = fitted.leaderboard()
    assert table["status"].eq("ok").all()
    assert table["score"].is_monotonic_decreasing
    assert set(table["view"]) >= {"counts", "tensor"}
    assert fitted.history_.query("kept")["val_loss"].notna().all()
    assert fitted.load_searcher().history[0]["metric_value"] == pytest.approx(
        1 - fitted.load_searcher().history[0]["loss"]
    )
    assert visualize(fitted.path_)


def test_a_regressor_is_one_to_scikit_learn(fitted):
    assert is_regressor(fitted)
    assert clone(fitted).get_params() == fitted.get_params()
    assert fitted.estimate_["metric"] == "r2"
    assert not hasattr(fitted, "predict_proba") and not hasattr(fitted, "classes_")


def test_a_saved_regressor_predicts_the_same_elsewhere(fitted, study, tmp_path):
    copy = fitted.save(tmp_path / "copy")
    again = SequenceRegressor.load(copy)
    np.testing.assert_allclose(again.predict(study[0]), fitted.predict(study[0]), atol=1e-4)
    assert again.estimate_ == fitted.estimate_ and again.targets_ == ("y",)
    assert type(load_estimator(copy)) is SequenceRegressor
    for name in ("best.keras", "result.json"):
        (copy / name).unlink()
    killed = SequenceRegressor.load(copy)
    assert killed.stop_reason_ == "killed"
    np.testing.assert_allclose(killed.predict(study[0]), fitted.predict(study[0]), atol=1e-3)


def test_runs_of_classes_and_of_numbers_are_told_apart(fitted):
    with pytest.raises(RunFolderError, match="SequenceClassifier cannot load; SequenceRegressor.load"):
        SequenceClassifier.load(fitted.path_)


def test_the_exported_model_answers_in_units(fitted, study, tmp_path):
    path = fitted.export_keras_model(tmp_path / "model")
    model = keras.saving.load_model(path)
    one_hot = np.stack([np.eye(4, dtype="float32")[["ACGT".index(c) for c in s]] for s in study[0]])
    np.testing.assert_allclose(
        model.predict(one_hot, verbose=0)[:, 0], fitted.predict(study[0]), rtol=1e-3, atol=1e-3
    )
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["targets"] == ["y"] and "classes" not in sidecar


def test_the_explanation_is_in_units_and_points_at_the_motif(fitted):
    x, _ = motif_copies(60, seed=2)
    plain = [s.replace("GATTACA", "GCTTGCA") for s in x]
    place = [s[:20] + "GATTACA" + s[27:] for s in plain]
    found = fitted.explain(place, num_samples=10)
    assert found.output_names == ("y",)
    np.testing.assert_allclose(found.outputs[:, 0], fitted.predict(place[:10]), rtol=1e-5)
    inside = found.of("y")[:, 20:27].sum(axis=1)
    outside = np.abs(found.of("y")[:, 30:]).mean(axis=1)
    assert (inside > 7 * outside).mean() > 0.7
    np.testing.assert_array_equal(fitted.explain(place[:2], "gradient").values.shape, (2, 50, 1))


def test_the_motifs_of_a_regressor_are_written(fitted, tmp_path):
    assert fitted.write_motifs(tmp_path / "motifs.meme").read_text().startswith("MEME version 4")


def journal(reg):
    lines = (reg.path_ / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "crc")} for line in lines]


def test_the_same_seed_writes_the_same_journal_of_numbers(study, tmp_path):
    first = of_sequences(tmp_path / "a", 4, 2).fit(*study)
    second = of_sequences(tmp_path / "b", 4, 2).fit(*study)
    assert journal(first) == journal(second)


def test_a_resumed_run_of_numbers_goes_on_and_knows_its_data(study, tmp_path):
    of_sequences(tmp_path / "run", 2, 1).fit(*study)
    assert of_sequences(tmp_path / "run", 3, 1, resume=True).fit(*study).n_trials_ == 3
    with pytest.raises(RunFolderError, match="other targets"):
        of_sequences(tmp_path / "run", 1, 1, resume=True).fit(study[0], study[1] + 1)


def test_several_targets_of_a_table_are_answered_together(study, tmp_path):
    frame = pd.DataFrame({"sequence": study[0], "copies": study[1], "less": 5 - 0.1 * study[1]})
    reg = of_sequences(tmp_path / "run", 4, 5).fit(frame, ["copies", "less"])
    assert reg.targets_ == ("copies", "less")
    answers = reg.predict(study[0])
    assert answers.shape == (160, 2)
    assert np.corrcoef(answers.T)[0, 1] < -0.9
    assert reg.score(study[0], frame[["copies", "less"]]) == pytest.approx(
        r2_score(frame[["copies", "less"]], answers), abs=1e-6
    )
    assert reg.explain(study[0][:2]).of("less").shape == (2, 50)
    with pytest.raises(DataError, match=r"2 numbers for each sample \(copies, less\): got 1"):
        reg.evaluate(study[0], study[1])


def test_numbers_of_fasta_headers_are_learnt(study, tmp_path):
    lines = [
        f">s{i} dose={value:.2f}\n{letters}" for i, (letters, value) in enumerate(zip(*study, strict=True))
    ]
    (tmp_path / "x.fasta").write_text("\n".join(lines))
    reg = of_sequences(tmp_path / "run", 2, 1).fit(tmp_path / "x.fasta", "dose")
    assert reg.targets_ == ("dose",)
    assert reg.evaluate(tmp_path / "x.fasta", "dose")["pearson"] > 0


def test_groups_and_validation_data_score_numbers(study, tmp_path):
    x, y = study
    reg = of_sequences(tmp_path / "a", 2, 1).fit(x, y, groups=np.arange(160) // 10)
    assert reg.estimate_["n_samples"] == 160
    held = of_sequences(tmp_path / "b", 2, 1, folds=None).fit(
        x[:120], y[:120], validation_data=(x[120:], y[120:])
    )
    assert held.estimate_["n_samples"] == 40


def test_the_row_of_a_bar_is_found_without_moving_images(tmp_path):
    reg = ImageRegressor(tmp_path / "run", max_trials=3, searcher_args=args("small_cnn", 8), **QUICK)
    reg.fit(*bar_places())
    assert not reg._run.problem.moved.all()
    x, y = bar_places(60, seed=1)
    assert reg.score(x, y) > 0.9
    assert reg.explain(x[:3]).values.shape == (3, 12, 12, 1)


def test_images_whose_brightness_counts_are_moved(tmp_path):
    reg = ImageRegressor(tmp_path / "run", max_trials=3, searcher_args=args("small_cnn", 8), **QUICK)
    x, y = brightness()
    reg.fit(x, y)
    assert reg._run.problem.moved.any()
    assert reg.score(*brightness(60, seed=1)) > 0.7


def test_words_of_praise_and_blame_are_counted(of_texts):
    assert of_texts.score(*ratings(80, seed=1)) > 0.7
    found = of_texts.explain(["the plot was great and the music dull"])
    words = found.places[0]
    scores = dict(zip(words, found.of("y")[0, : len(words)], strict=True))
    assert scores["great"] > 0.2 and scores["dull"] < -0.2
    assert of_texts.predict(["", "great"]).shape == (2,)


def test_a_final_fit_of_numbers_delivers_one_model(of_texts, tmp_path):
    reg = TextRegressor.load(of_texts.save(tmp_path / "copy"))
    reg.verbose = 0
    reg.final_fit(*ratings(), *ratings(60, seed=2), trainer_args={"max_iter_num": 2})
    assert reg.final_evaluation_["r2"] > 0.3


@pytest.mark.parametrize("objective", ["mae", "pearson"])
def test_other_objectives_of_numbers_lead_the_search(objective, tmp_path):
    options = {"max_trials": 2, "objective": objective, "searcher_args": args("small_text_cnn", 1)}
    reg = TextRegressor(tmp_path / "run", **(QUICK | options)).fit(*ratings(60))
    assert reg.estimate_["metric"] == objective
    scores = reg.leaderboard()["score"]
    assert scores.is_monotonic_increasing if objective == "mae" else scores.is_monotonic_decreasing


@pytest.mark.parametrize(
    ("kind", "objective", "message"),
    [
        (SequenceRegressor, "log_loss", "one of r2, mse.* got 'log_loss', which is of classes"),
        (SequenceRegressor, "pearsn", "Did you mean 'pearson'"),
        (SequenceClassifier, "r2", "one of log_loss.* got 'r2', which is of numbers"),
    ],
)
def test_an_objective_of_the_other_kind_is_refused(kind, objective, message, study, tmp_path):
    with pytest.raises(ParameterError, match=message):
        kind(tmp_path / "run", objective=objective, verbose=0).fit(*study)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, 2.0, np.nan, 4.0], "sample_2"),
        ([1.0, np.inf, 3.0, 4.0], "infinite .* sample_1"),
        (["1", "2", "3", "much"], "is no number .* sample_3"),
        (["low", "high", "low", "high"], "'low' is neither a column"),
        ([3.0] * 4, "nothing to learn"),
        ([1.0, 2.0], "expected 4, got 2"),
        (np.ones((3, 2)), "expected 4, got 3"),
        (None, "without labels"),
    ],
)
def test_bad_numbers_are_refused_before_anything_is_written(y, message, tmp_path):
    with pytest.raises(DataError, match=message):
        of_sequences(tmp_path / "run").fit(["ACGTACGTACGTACGTACGTAC"] * 4, y)
    assert not (tmp_path / "run").exists()


def test_a_regressor_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="TextRegressor is not fitted"):
        TextRegressor().predict(["x"])
