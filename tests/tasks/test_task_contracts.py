"""Every task holds to the contract, one that lives outside of the package too."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from genokeras.tasks.classes import Classes
from genokeras.tasks.labels import Labels
from genokeras.tasks.loss import SIGMOID, SOFTMAX, LossTask
from genokeras.tasks.numbers import Numbers, numbers_like
from genokeras.tasks.ordered import Ordered
from genokeras.tasks.survival import Cox, Hazard
from genokeras.tasks.task import Labelled, Task
from genokeras.tasks.testing import TaskContract
from tests.tasks.poisson import PoissonCounts

N = 12
NUMBERS = np.random.default_rng(0).normal([3.0, 500.0], [1.0, 80.0], size=(N, 2))


def labelled(values: Any, *names: str) -> Labelled:
    return Labelled(np.asarray(values), names, tuple(f"S{i}" for i in range(N)), "array")


class TestClasses(TaskContract):
    def make_task(self) -> Classes:
        return Classes(3)

    def labels(self) -> Labelled:
        return labelled([["a", "b", "c"][i % 3] for i in range(N)], "status")


class TestTwoClasses(TaskContract):
    def make_task(self) -> Classes:
        return Classes(2)

    def labels(self) -> Labelled:
        return labelled(np.arange(N) % 2, "status")


class TestOrdered(TaskContract):
    def make_task(self) -> Ordered:
        return Ordered(4)

    def labels(self) -> Labelled:
        return labelled([["1", "2", "3", "10"][i % 4] for i in range(N)], "grade")


class TestLabels(TaskContract):
    def make_task(self) -> Labels:
        return Labels(3)

    def labels(self) -> Labelled:
        return labelled(np.arange(N)[:, None] % np.array([2, 3, 4]) == 0, "cancer", "male", "smoker")


class TestNumbers(TaskContract):
    def make_task(self) -> Numbers:
        return numbers_like(NUMBERS)

    def labels(self) -> Labelled:
        return labelled(NUMBERS, "age", "dose")


class TestOneNumber(TaskContract):
    def make_task(self) -> Numbers:
        return numbers_like(NUMBERS[:, :1])

    def labels(self) -> Labelled:
        return labelled(NUMBERS[:, :1], "age")


class TestAnyLoss(TaskContract):
    learns = False

    def make_task(self) -> Task:
        return LossTask(2, keras.losses.LogCosh(), scale=(1.0, 80.0), offset=(3.0, 500.0))

    def labels(self) -> Labelled:
        return labelled(NUMBERS, "age", "dose")


class TestAnyCrossEntropy(TaskContract):
    learns = False

    def make_task(self) -> Task:
        return LossTask(3, keras.losses.CategoricalCrossentropy(from_logits=True), SOFTMAX)

    def labels(self) -> Labelled:
        return labelled(np.eye(3)[np.arange(N) % 3], "a", "b", "c")


class TestAnyBinaryCrossEntropy(TestAnyCrossEntropy):
    def make_task(self) -> Task:
        return LossTask(3, keras.losses.BinaryCrossentropy(from_logits=True), SIGMOID)


# Some events at one time, a censoring at that of an event, and one ahead of all events.
TIMES = [3.0, 5.0, 5.0, 5.0, 1.0, 8.0, 8.0, 12.0, 20.0, 21.0, 30.0, 31.0]
EVENTS = [1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0]


class TestCox(TaskContract):
    def make_task(self) -> Task:
        return Cox.learn(self.labels()).task

    def labels(self) -> Labelled:
        return labelled(np.column_stack([TIMES, EVENTS]), "days", "dead")


class TestHazard(TestCox):
    def make_task(self) -> Task:
        return Hazard.learn(self.labels()).task


class TestPoissonCounts(TaskContract):
    def make_task(self) -> PoissonCounts:
        return PoissonCounts(2)

    def labels(self) -> Labelled:
        return labelled(np.random.default_rng(0).poisson(2.0, size=(N, 2)), "spikes", "reads")


def test_notes_on_folds_name_the_label_that_samples_are_dealt_by() -> None:
    targets = np.array([[1, 0], [1, 0], [0, 0], [0, 1]])
    assert Labels(2).strata_names(targets, ["T", "B"]) == ["label 'B' = 0", "label 'B' = 1"]
