"""What samples that a report is given score: beside the constant answer of training, with hand-made runs."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from genokeras.data import load_sequences
from genokeras.report.given import given_samples
from genokeras.report.scored import ScoredSamples, chances_of, rates_of, scores_of
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.survival import Cox, Hazard
from genokeras.tasks.survival_times import PLACE
from genokeras.tasks.task import Labelled, Task
from genokeras.tasks.threshold import Threshold


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


def in_groups(right: list[bool], groups: bool = True) -> ScoredSamples:
    """Ten samples a group, of both classes, all of them predicted right or all wrong."""
    codes, group = np.tile([0, 1], 5 * len(right)), np.repeat(np.arange(len(right)), 10)
    said = np.where(np.asarray(right)[group], codes, 1 - codes)
    found = samples_of(codes, 0.8 * np.eye(2)[said] + 0.1)
    return replace(found, groups=np.array([f"donor {i}" for i in group])) if groups else found


def interval_of(samples: ScoredSamples, metric: str = "accuracy") -> tuple[float, float]:
    (score,) = (one for one in scores_of(run_of(Classes(2), [0, 1]), samples) if one.metric == metric)
    return score.low, score.high


def test_whole_groups_are_drawn() -> None:
    # At most one of six groups of which half are right is right in one resample of nine.
    low, high = interval_of(in_groups([True, False] * 3))
    assert low < 0.2 and high > 0.8
    low, high = interval_of(in_groups([True, False] * 3, groups=False))
    assert 0.3 < low < 0.5 < high < 0.7


def test_groups_of_one_sample_each_are_as_samples_are() -> None:
    samples = in_groups([True] * 3 + [False], groups=False)
    each = replace(samples, groups=np.arange(len(samples.ids)))
    assert interval_of(each) == pytest.approx(interval_of(samples), abs=0.03)


def test_sequences_are_given_with_groups() -> None:
    run: Any = SimpleNamespace(kind="sequence", task=Classes(2), names=np.array(["a", "b"]))
    content = load_sequences(["ACGT", "ACGA", "TTTT"], ["a", "b", "b"])
    for y in (None, np.array(["a", "b", "b"])):
        grouped, targets = given_samples(run, content, y, ["P", "P", "Q"])
        assert grouped.groups is not None and grouped.groups.tolist() == ["P", "P", "Q"]
        assert targets.tolist() == [0, 1, 1]


@pytest.mark.parametrize("n", [1, 4])
def test_fewer_than_five_groups_have_no_interval(n: int) -> None:
    assert np.isnan(interval_of(in_groups([True] * n))).all()


def test_groups_without_a_class_leave_the_rate_of_the_other_resamples() -> None:
    samples = replace(
        samples_of([1, 1, 0, 0, 0, 0], np.eye(2)[[1, 0, 0, 0, 0, 0]]), groups=np.array([0, 1, 2, 3, 4, 4])
    )
    sensitivity, specificity = rates_of(Threshold(1, 0.5, {}), samples)
    assert (sensitivity.value, sensitivity.low, sensitivity.high) == (0.5, 0.0, 1.0)
    assert (specificity.low, specificity.high) == (1.0, 1.0)
