"""MlpModule from loaders to the one network that it delivers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import genokeras as gk
from genokeras.errors import DataError, NotFittedError, ParameterError, RunFolderError
from genokeras.report import plot_search

QUICK = {"max_trials": 2, "trainer_args": {"max_iter_num": 12, "batch_size": 32}, "default_model_len": 1}


def blobs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three classes of points in ten dimensions, as three rows of the corners of a simplex with some noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 10)).astype("float32")
    x[np.arange(n), y] += 4
    return x, y


def module(path: Path, **options: Any) -> gk.MlpModule:
    told: dict[str, Any] = {"loss": gk.classification_loss, "metric": gk.Accuracy, "searcher_args": QUICK}
    return gk.MlpModule(path=path, random_state=0, **(told | options))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> gk.MlpModule:
    x, y = blobs(150, 0)
    found = module(tmp_path_factory.mktemp("runs") / "run")
    return found.fit(3, x.shape, (x, np.eye(3)[y]), (x[:60] + 0.1, y[:60]), time_limit=None)


def test_classes_are_told_apart_with_probabilities(fitted: gk.MlpModule) -> None:
    x, y = blobs(60, 1)
    found = fitted.predict(x)
    assert found.shape == (60, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert fitted.evaluate((x, y))["accuracy"] == (found.argmax(axis=1) == y).mean() > 0.8


def test_predictions_of_a_loader_are_those_of_its_samples(fitted: gk.MlpModule) -> None:
    x, y = blobs(60, 1)
    np.testing.assert_array_equal(
        fitted.predict(lambda: iter([(x[:40], y[:40]), (x[40:], y[40:])])), fitted.predict(x)
    )


def test_the_best_model_is_a_graph_that_makes_keras_models(fitted: gk.MlpModule) -> None:
    x, _ = blobs(5, 1)
    trained = fitted.best_model.produce_keras_model(weights=True)
    assert isinstance(trained, keras.Model)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(trained(x)), fitted.predict(x), atol=1e-6)
    assert fitted.best_model.produce_keras_model().output_shape == (None, 3)


def test_the_searcher_is_loaded_as_in_classic_autokeras(fitted: gk.MlpModule) -> None:
    searcher = fitted.load_searcher()
    assert {"model_id", "loss", "metric_value"} <= set(searcher.history[0])
    assert searcher.get_best_model_id() == fitted.get_best_model_id()
    assert searcher.load_best_model().describe() == fitted.best_model.describe()
    assert "WINNER" not in str(fitted.history_.columns) and len(fitted.history_)


def test_the_notes_say_that_test_data_chose(fitted: gk.MlpModule) -> None:
    assert any("flatters" in note for note in fitted.notes_)


def test_a_final_fit_trains_anew_and_test_data_only_score(fitted: gk.MlpModule, tmp_path: Path) -> None:
    x, y = blobs(150, 0)
    own = gk.MlpModule.load(fitted._fitted().folder.copy_to(tmp_path / "copy").path)
    own.final_fit((x, y), (x[:30], y[:30]), trainer_args={"max_iter_num": 3}, retrain=True)
    assert own.final_evaluation_ == own.evaluate((x[:30], y[:30]))
    again = gk.MlpModule.load(own.path_)
    np.testing.assert_allclose(again.predict(x), own.predict(x), atol=1e-6)
    produced = again.best_model.produce_keras_model(weights=True)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(produced(x)), own.predict(x), atol=1e-6)


def test_the_export_says_what_it_reads_and_answers(fitted: gk.MlpModule, tmp_path: Path) -> None:
    x, _ = blobs(5, 1)
    file = fitted.export_keras_model(tmp_path / "model")
    model = keras.saving.load_model(file)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), fitted.predict(x), atol=1e-6)
    assert json.loads(file.with_suffix(".json").read_text())["answers"] == "probabilities"


def test_a_run_of_a_module_is_loaded_by_its_own_class_alone(fitted: gk.MlpModule) -> None:
    with pytest.raises(RunFolderError, match="gk.MlpModule.load"):
        gk.load_estimator(fitted.path_)
    with pytest.raises(RunFolderError, match="no run of CnnModule"):
        gk.CnnModule.load(fitted.path_)


def quartic(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)


def worst_of(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(np.abs(y_true - y_pred).max())


worst_of.greater_is_better = False  # type: ignore[attr-defined]


def test_a_loss_and_a_metric_of_ones_own_train_and_choose_in_the_units_of_the_targets(tmp_path: Path) -> None:
    x, _ = blobs(120, 0)
    y = np.stack([1000 + 50 * x[:, 0], x[:, 1]], axis=1)
    own = module(tmp_path / "run", loss=quartic, metric=worst_of)
    own.fit(2, (10,), (x[:90], y[:90]), (x[90:], y[90:]), time_limit=None)
    found = own.predict(x[90:])
    assert np.corrcoef(found[:, 0], y[90:, 0])[0, 1] > 0.9 and abs(found[:, 0].mean() - 1000) < 100
    assert own.evaluate((x[90:], y[90:]))["worst_of"] == pytest.approx(np.abs(found - y[90:]).max(), rel=1e-4)
    assert plot_search(own.path_) is not None
    page = gk.write_report(own, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The best network had a worst of of" in page and "(lower is better)" in page

    again = gk.MlpModule.load(own.path_)
    np.testing.assert_allclose(again.predict(x[90:]), found, rtol=1e-5)
    with pytest.raises(ParameterError, match=r"load\(path, loss=...\)"):
        again.evaluate((x, y))
    full = gk.MlpModule.load(own.path_, loss=quartic, metric=worst_of)
    assert full.evaluate((x[90:], y[90:])) == pytest.approx(own.evaluate((x[90:], y[90:])))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_output_node": 2}, DataError, "from 0 to 1"),
        ({"n_output_node": 0}, ParameterError, "n_output_node must be"),
        ({"input_shape": (150, 11)}, DataError, "input_shape is"),
        ({"test_data": None}, DataError, "test_data is missing"),
        ({"test_data": (np.zeros((4, 9)), np.zeros(4))}, DataError, r"test_data has shape \(9,\)"),
        ({"loss": "mean_square_error"}, ParameterError, "unknown loss"),
        ({"metric": "acuracy"}, ParameterError, "unknown metric"),
        ({"searcher_args": {"max_trial": 1}}, ParameterError, "max_trials"),
        (
            {"searcher_args": {"max_trials": 1, "trainer_args": {"max_iter": 1}}},
            ParameterError,
            "max_iter_num",
        ),
        ({"searcher_args": {"default_model_len": 0}}, ParameterError, "default_model_len"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_anything_is_written(
    change: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    x, y = blobs(30, 0)
    told = {"n_output_node": 3, "input_shape": x.shape, "train_data": (x, y), "test_data": (x, y)}
    options = {name: change[name] for name in change if name not in told}
    with pytest.raises(error, match=message):
        module(tmp_path / "run", **options).fit(**(told | {k: v for k, v in change.items() if k in told}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "ask", [lambda m: m.predict(np.zeros((1, 10))), lambda m: m.best_model, lambda m: m.final_fit((1, 2))]
)
def test_before_fit_there_is_nothing_to_ask_for(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match="MlpModule is not fitted yet"):
        ask(module(tmp_path / "run"))
