"""A task that the package does not know goes through everything: fit, estimate, export, load and report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import genokeras
from genokeras import GenomeClassifier, GenomeRegressor
from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.tasks import known
from genokeras.tasks.known import check_task, find_task, register_task
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.task import Task
from tests.tasks.poisson import PoissonCounts, deviance_rows

N, P = 60, 12


def table() -> tuple[np.ndarray, np.ndarray]:
    """Counts whose logarithm goes with two genes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, P)).astype("float32")
    return x, rng.poisson(np.exp(1.0 + 0.8 * x[:, 0] - 0.6 * x[:, 1]))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeRegressor:
    arguments: dict[str, Any] = {
        "task": PoissonCounts,
        "time_limit": None,
        "max_trials": 6,
        "folds": 3,
        "searcher_args": {"trainer_args": {"max_iter_num": 150}},
    }
    path = tmp_path_factory.mktemp("runs") / "counts"
    return GenomeRegressor(path, random_state=0, verbose=0, **arguments).fit(*table())


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, type[Task]]]:
    """The tasks that are known, as they are at the start of a process."""
    kinds = {name: kind for name, kind in known._TASKS.items() if kind is not PoissonCounts}
    monkeypatch.setattr(known, "_TASKS", kinds)
    yield kinds


# ---- one run


def test_all_trials_of_a_custom_task_are_trained(fitted: GenomeRegressor) -> None:
    assert fitted.n_trials_ == 6
    assert not fitted._run.history.failed()


def test_its_own_objective_chooses_and_is_estimated_beside_those_of_numbers(
    fitted: GenomeRegressor,
) -> None:
    found = fitted.estimate_
    assert found["metric"] == "poisson_deviance" and not found["greater_is_better"]
    assert found["value"] < found["chance"]
    assert {"r2", "rmse", "mae", "spearman"} <= set(found["also"])


def test_predictions_are_rates_that_beat_the_mean(fitted: GenomeRegressor) -> None:
    x, y = table()
    rates = fitted.predict(x)
    assert rates.shape == (N,) and rates.min() > 0
    constant = np.full((N, 1), y.mean())
    assert deviance_rows(rates[:, None], y[:, None]).mean() < deviance_rows(constant, y[:, None]).mean()


def test_it_is_evaluated_by_all_its_objectives(fitted: GenomeRegressor) -> None:
    found = fitted.evaluate(*table())
    assert set(found) == set(PoissonCounts.objectives)
    assert all(np.isfinite(value) for value in found.values())


def test_the_exported_file_predicts_the_same_without_the_task(
    fitted: GenomeRegressor, tmp_path: Path
) -> None:
    x, _ = table()
    written = fitted.export_keras_model(tmp_path / "counts.keras")
    model = keras.saving.load_model(written, compile=False, safe_mode=True)
    np.testing.assert_allclose(model.predict_on_batch(x)[:, 0], fitted.predict(x), rtol=1e-5)
    beside = json.loads((tmp_path / "counts.json").read_text())
    assert beside["answers"] == "numbers" and len(beside["feature_names"]) == P


def test_a_run_of_a_task_that_is_not_known_says_what_to_do(
    fitted: GenomeRegressor, tasks: dict[str, type[Task]]
) -> None:
    with pytest.raises(RunFolderError, match=r"'poisson_counts', a custom task.*register_task"):
        GenomeRegressor.load(fitted.path_)


def test_a_run_is_loaded_once_its_task_is_registered(
    fitted: GenomeRegressor, tasks: dict[str, type[Task]]
) -> None:
    register_task(PoissonCounts)
    again = GenomeRegressor.load(fitted.path_)
    x, y = table()
    np.testing.assert_allclose(again.predict(x), fitted.predict(x), rtol=1e-6)
    assert again.evaluate(x, y) == pytest.approx(fitted.evaluate(x, y))
    assert again.estimate_ == fitted.estimate_


def test_a_run_is_reported(fitted: GenomeRegressor, tmp_path: Path) -> None:
    page = fitted.report(tmp_path / "report.html", explain=False).read_text(encoding="utf-8")
    assert "poisson" in page.lower()


def test_labels_that_are_no_counts_are_refused() -> None:
    x, y = table()
    with pytest.raises(DataError, match="whole numbers, 0 or more"):
        GenomeRegressor(task=PoissonCounts, max_trials=1, verbose=0).fit(x, y - 0.5)


# ---- what makes a task


def test_a_task_without_a_method_is_refused_and_the_method_named() -> None:
    class Half(Task):
        kind = "half"

        def row_loss(self, outputs: Any, targets: Any) -> Any:
            return outputs

    message = r"Half lacks .*answer_tensor.*row_losses.*see genokeras.tasks.task.Task"
    with pytest.raises(ParameterError, match=message) as caught:
        GenomeRegressor(task=Half, max_trials=1, verbose=0).fit(*table())
    assert "row_loss," not in str(caught.value)


def test_a_task_without_a_kind_is_refused() -> None:
    class Nameless(Task):
        pass

    with pytest.raises(ParameterError, match=r"lacks kind \(a str\)"):
        check_task(Nameless)


@pytest.mark.parametrize("task", [3, dict, np.arange(2)])
def test_what_is_no_task_is_refused(task: Any) -> None:
    with pytest.raises(ParameterError, match="task must be 'classes', 'numbers' or a subclass"):
        check_task(task)


def test_an_instance_counts_as_its_class(tasks: dict[str, type[Task]]) -> None:
    assert find_task(PoissonCounts(1)) is PoissonCounts


def test_a_task_that_a_process_uses_is_known_to_it(tasks: dict[str, type[Task]]) -> None:
    find_task(PoissonCounts)
    assert find_task("poisson_counts") is PoissonCounts


def test_a_run_cannot_be_made_with_the_kind_of_another_task() -> None:
    class Other(PoissonCounts):
        kind = "numbers"

    with pytest.raises(ParameterError, match="give Other another kind"):
        GenomeRegressor(task=Other, max_trials=1, verbose=0).fit(*table())


def test_nothing_in_the_package_knows_the_task() -> None:
    package = Path(genokeras.__file__).parent
    sources = {file: file.read_text(encoding="utf-8") for file in package.rglob("*.py")}
    assert len(sources) > 200
    assert not [
        file for file, text in sources.items() if "PoissonCounts" in text or PoissonCounts.kind in text
    ]


def test_a_task_may_be_given_by_its_kind(tasks: dict[str, type[Task]]) -> None:
    register_task(PoissonCounts)
    assert find_task("poisson_counts") is PoissonCounts
    assert find_task("numbers") is Numbers


def test_an_unknown_kind_is_an_error_with_a_hint() -> None:
    with pytest.raises(ParameterError, match="got 'clases'. Did you mean 'classes'"):
        GenomeClassifier(task="clases", max_trials=1, verbose=0).fit(*table())


def test_two_tasks_cannot_have_one_kind(tasks: dict[str, type[Task]]) -> None:
    class Other(PoissonCounts):
        kind = "numbers"

    with pytest.raises(ParameterError, match="kind 'numbers' is known already"):
        register_task(Other)
    assert find_task("numbers") is Numbers


def test_a_task_may_be_registered_twice(tasks: dict[str, type[Task]]) -> None:
    assert register_task(PoissonCounts) is register_task(PoissonCounts)
