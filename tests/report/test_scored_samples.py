"""What samples that a report is given score: beside the constant answer of training, with hand-made runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genokeras.report.scored import ScoredSamples, chances_of
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.survival import Cox, Hazard
from genokeras.tasks.survival_times import PLACE
from genokeras.tasks.task import Labelled, Task


def run_of(task: Task, targets: Any, trained: int | None = None) -> Any:
    """As much of a run as scores read; its first samples are the training samples, all by default."""
    targets = np.asarray(targets)
    train = (np.arange(len(targets)) < (trained or len(targets)))[None]
    problem = SimpleNamespace(targets=targets, sample_weight=np.ones(len(targets)), train=train)
    return SimpleNamespace(task=task, problem=problem)


def samples_of(targets: Any, answers: Any) -> ScoredSamples:
    targets = np.asarray(targets)
    n = len(targets)
    ids = tuple(f"S{i}" for i in range(n))
    return ScoredSamples(
        targets, np.asarray(answers, dtype="float64"), ids, f"the {n} samples that were given"
    )


def test_chance_of_classes_is_what_the_class_shares_of_training_score_on_the_samples() -> None:
    run = run_of(Classes(2), [0] * 8 + [1] * 2)
    found = chances_of(run, samples_of([0] + [1] * 4, np.full((5, 2), 0.5)))
    assert found["accuracy"] == pytest.approx(0.2)
    assert found["balanced_accuracy"] == found["roc_auc"] == pytest.approx(0.5)
    assert found["log_loss"] == pytest.approx(-(np.log(0.8) + 4 * np.log(0.2)) / 5)


def test_chance_is_learnt_from_training_samples_alone() -> None:
    run = run_of(Classes(2), [0, 0, 0, 1] + [1] * 20, trained=4)
    assert chances_of(run, samples_of([1, 1], np.eye(2)))["log_loss"] == pytest.approx(-np.log(0.25))


def test_chance_of_numbers_is_what_the_mean_of_training_scores_on_the_samples() -> None:
    run = run_of(Numbers((0.0,), (1.0,)), [[1.0], [3.0]])
    found = chances_of(run, samples_of([[5.0], [7.0]], [[5.0], [6.0]]))
    assert found["mae"] == pytest.approx(4.0)
    # Squared errors 9 and 25 beside 1 and 1 of the samples' own mean.
    assert found["r2"] == pytest.approx(1 - 34 / 2)


@pytest.mark.parametrize("kind", [Cox, Hazard])
def test_chance_of_survival_is_what_the_curve_of_all_training_samples_scores(
    kind: type[Cox | Hazard],
) -> None:
    rng = np.random.default_rng(0)

    def labels(n: int, scale: float) -> Labelled:
        values = np.column_stack([rng.exponential(scale, n), rng.random(n) < 0.8])
        return Labelled(values, ("time", "event"), tuple(map(str, range(n))), "here")

    aim = kind.learn(labels(60, 10.0))
    targets = aim.task.read(labels(30, 3.0), aim.names)
    # As the delivered model's own hazards have it, which are of no use to a constant answer.
    moved = targets.copy()
    moved[:, PLACE] *= 0.5 if kind is Cox else 1.0
    found = chances_of(run_of(aim.task, aim.targets), samples_of(moved, rng.random((30, aim.task.n_outputs))))
    assert found["c_index"] == found["auc"] == pytest.approx(0.5)
    objective = aim.task.objective("integrated_brier")
    constant = aim.task.answers.constant(aim.targets, aim.task.n_outputs, None)[:30]
    assert found["integrated_brier"] == pytest.approx(objective.value(constant, targets))
