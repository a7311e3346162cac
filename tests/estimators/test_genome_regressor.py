"""Numbers from a matrix of genes, in the units of the targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score

from genokeras import GenomeClassifier, GenomeRegressor, load_estimator
from genokeras.errors import ParameterError, RunFolderError

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 8, "folds": 3, "random_state": 0, "verbose": 0}


def table(n: int = 60, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """An age about 1,000 that two of 20 genes move."""
    x = np.random.default_rng(seed).normal(8, 2, size=(n, 20))
    y = 1000 + 60 * (x[:, 0] - x[:, 1]) + np.random.default_rng(seed + 1).normal(0, 20, n)
    return pd.DataFrame(x, columns=[f"GENE{i}" for i in range(20)]), y


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeRegressor:
    return GenomeRegressor(tmp_path_factory.mktemp("runs") / "age", **QUICK).fit(*table())


def test_predictions_are_in_the_units_of_the_target(fitted: GenomeRegressor) -> None:
    x, y = table(seed=10)
    answers = fitted.predict(x)
    assert answers.shape == (60,) and answers.dtype == np.float64
    assert r2_score(y, answers) > 0.8
    assert fitted.score(x, y) == pytest.approx(r2_score(y, answers), abs=1e-6)
    found = fitted.evaluate(x, y)
    assert list(found) == ["r2", "mse", "rmse", "mae", "pearson", "spearman"]
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((y - answers) ** 2)), rel=1e-4)


def test_the_estimate_stands_beside_ridge_and_the_mean(fitted: GenomeRegressor) -> None:
    estimate = fitted.estimate_
    assert estimate["metric"] == "r2" and estimate["greater_is_better"]
    low, high = estimate["interval"]
    assert low < estimate["value"] < high
    assert estimate["chance"] == pytest.approx(0, abs=1e-6)
    assert estimate["linear_baseline"] > 0.5


def test_a_loaded_run_predicts_the_same(fitted: GenomeRegressor) -> None:
    x, _ = table(seed=10)
    loaded = load_estimator(fitted.path_)
    assert type(loaded) is GenomeRegressor
    np.testing.assert_array_equal(loaded.predict(x), fitted.predict(x))


def test_genes_are_matched_by_name(fitted: GenomeRegressor) -> None:
    x, _ = table(seed=10)
    np.testing.assert_allclose(fitted.predict(x[x.columns[::-1]]), fitted.predict(x), rtol=1e-5)


def test_the_genes_that_move_the_number_come_first(fitted: GenomeRegressor) -> None:
    found = fitted.explain(table(seed=10)[0], num_samples=20)
    assert {found.feature_names[i] for i in found.order()[:2]} == {"GENE0", "GENE1"}


def test_the_exported_model_answers_in_the_units_too(fitted: GenomeRegressor, tmp_path: Path) -> None:
    import keras

    model = keras.saving.load_model(fitted.export_keras_model(tmp_path / "age.keras"))
    x, _ = table(seed=10)
    np.testing.assert_allclose(np.asarray(model(x.to_numpy("float32")))[:, 0], fitted.predict(x), rtol=1e-4)


def test_several_targets_are_learnt_at_once(tmp_path: Path) -> None:
    x, y = table()
    targets = pd.DataFrame({"age": y, "weight": -0.01 * y})
    reg = GenomeRegressor(tmp_path / "run", **QUICK).fit(x, targets)
    assert reg.targets_ == ("age", "weight")
    answers = reg.predict(x)
    assert answers.shape == (60, 2)
    assert (answers[:, 0] > 100).all() and (answers[:, 1] < 0).all()


def test_groups_are_never_on_both_sides(tmp_path: Path) -> None:
    donors = np.repeat(np.arange(12), 5)
    reg = GenomeRegressor(tmp_path / "run", **QUICK).fit(*table(), groups=donors)
    problem = reg._run.problem
    for train, held in zip(problem.train, problem.held_out, strict=True):
        assert not set(donors[train]) & set(donors[held])


def test_a_run_goes_on_with_the_same_targets_only(tmp_path: Path) -> None:
    x, y = table()
    few = QUICK | {"max_trials": 4}
    GenomeRegressor(tmp_path / "run", **few).fit(x, y)
    with pytest.raises(RunFolderError, match="other targets"):
        GenomeRegressor(tmp_path / "run", resume=True, **few).fit(x, y + 1)
    assert GenomeRegressor(tmp_path / "run", resume=True, **few | {"max_trials": 8}).fit(x, y).n_trials_ > 4


def test_a_run_of_classes_is_not_resumed_as_numbers(tmp_path: Path) -> None:
    x, y = table()
    GenomeClassifier(tmp_path / "run", **(QUICK | {"max_trials": 2})).fit(x, (y > 1000).astype(int))
    with pytest.raises(RunFolderError):
        GenomeRegressor(tmp_path / "run", resume=True, **QUICK).fit(x, y)
    assert type(load_estimator(tmp_path / "run")) is GenomeClassifier


def test_objectives_of_classes_are_none_of_numbers(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="log_loss"):
        GenomeRegressor(tmp_path / "run", objective="log_loss", **QUICK).fit(*table())
    assert not (tmp_path / "run").exists()


def test_it_is_a_regressor_to_scikit_learn(fitted: GenomeRegressor) -> None:
    assert clone(fitted).get_params()["max_trials"] == fitted.max_trials
    assert fitted.__sklearn_is_fitted__() and not clone(fitted).__sklearn_is_fitted__()
