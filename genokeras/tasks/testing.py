"""A contract test for tasks, custom ones too.

    from genokeras.tasks.testing import TaskContract

    class TestMyTask(TaskContract):
        def make_task(self):
            return MyTask(...)

        def labels(self):
            return Labelled(...)

Collect it with pytest.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from genokeras.features import standardisation
from genokeras.tasks.known import check_task
from genokeras.tasks.objectives import Objective
from genokeras.tasks.task import Aim, Labelled, Task

_FOLDS, _FEATURES, _SEED = 2, 5, 0


class TaskContract(ABC):
    """What every task must hold to.

    Attributes
    ----------
    learns : bool
        Whether labels alone make the task; False where it needs more, such as a loss.
    one_loss : bool
        Whether `Task.row_loss` of outputs and `Task.row_losses` of their answers are the same loss.
    """

    learns: ClassVar[bool] = True
    one_loss: ClassVar[bool] = True

    @abstractmethod
    def make_task(self) -> Task:
        """A task that fits the labels."""

    @abstractmethod
    def labels(self) -> Labelled:
        """Labels of six samples or more."""

    # ---- what the tests work with

    def aim(self) -> Aim:
        """The task, and the targets that it makes of the labels."""
        task, labels = self.make_task(), self.labels()
        if self.learns:
            return type(task).learn(labels)
        names = np.array([f"output_{i}" for i in range(task.n_outputs)])
        return Aim(task, task.read(labels, names), names)

    def outputs(self, task: Task, n: int, seed: int = _SEED) -> np.ndarray:
        """``(n, k)`` float32 outputs of a network that was hardly trained."""
        return np.random.default_rng(seed).normal(0, 0.7, size=(n, task.n_outputs)).astype("float32")

    def row_loss(self, task: Task, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Losses by the task's own operations."""
        inside = task.training_targets(targets)
        return _array(task.row_loss(ops.convert_to_tensor(outputs), ops.convert_to_tensor(inside)))

    # ---- targets

    def test_the_class_is_complete(self) -> None:
        kind = check_task(self.make_task())
        assert isinstance(kind.kind, str) and kind.kind

    def test_labels_make_the_targets_and_are_read_again_alike(self) -> None:
        aim, labels = self.aim(), self.labels()
        assert isinstance(aim.task, type(self.make_task()))
        assert len(aim.targets) == len(labels.values)
        assert len(aim.names) == aim.task.n_outputs
        np.testing.assert_array_equal(aim.task.read(labels, aim.names), aim.targets)

    def test_training_targets_are_finite_float32_with_a_column_for_each_output(self) -> None:
        aim = self.aim()
        found = aim.task.training_targets(aim.targets)
        assert found.dtype == np.float32
        assert found.shape == (len(aim.targets), aim.task.n_outputs)
        assert np.isfinite(found).all()

    def test_a_sample_has_the_same_training_target_whatever_stands_beside_it(self) -> None:
        aim = self.aim()
        whole = aim.task.training_targets(aim.targets)
        np.testing.assert_array_equal(aim.task.training_targets(aim.targets[:3]), whole[:3])

    def test_strata_and_kinds_are_whole_numbers_one_for_each_sample(self) -> None:
        aim = self.aim()
        strata, kinds = aim.task.strata(aim.targets), np.asarray(aim.task.kinds(aim.targets))
        assert strata is None or (len(strata) == len(aim.targets) and strata.dtype.kind == "i")
        names = aim.task.strata_names(aim.targets, [str(name) for name in aim.names])
        assert strata is None or (len(set(names)) == len(names) > strata.max())
        assert kinds.shape == (len(aim.targets),) and kinds.dtype.kind == "i"
        assert len(np.unique(kinds)) >= 2

    def test_features_are_screened_fold_by_fold_on_training_rows_alone(self) -> None:
        aim = self.aim()
        n = len(aim.targets)
        x = np.random.default_rng(_SEED).normal(size=(n, _FEATURES)).astype("float32")
        train = np.arange(n) % _FOLDS != np.arange(_FOLDS)[:, None]
        scaling = standardisation(x)
        other = np.where(train[0], np.arange(n), np.flatnonzero(train[0])[0])
        for statistic in (aim.task.screen, aim.task.weigh):
            found = np.asarray(statistic(x, scaling, aim.targets, train))
            assert found.shape == (_FOLDS, _FEATURES)
            assert not np.isnan(found).any()
            changed = np.asarray(statistic(x, scaling, aim.targets[other], train))
            np.testing.assert_allclose(changed[0], found[0], rtol=1e-6)

    def test_what_run_json_says_is_json(self) -> None:
        aim = self.aim()
        said = json.loads(json.dumps(aim.task.described(aim.targets, aim.names)))
        assert said[aim.task.names_key] == np.asarray(aim.names).tolist()

    # ---- losses

    def test_losses_are_finite_one_for_each_row(self) -> None:
        aim = self.aim()
        n = len(aim.targets)
        found = self.row_loss(aim.task, self.outputs(aim.task, n), aim.targets)
        assert found.shape == (n,)
        assert np.isfinite(found).all()

    def test_many_members_have_their_losses_at_once(self) -> None:
        aim = self.aim()
        n = len(aim.targets)
        members = np.stack([self.outputs(aim.task, n, seed) for seed in range(3)])
        inside = ops.convert_to_tensor(np.stack([aim.task.training_targets(aim.targets)] * 3))
        together = _array(aim.task.row_loss(ops.convert_to_tensor(members), inside))
        alone = [self.row_loss(aim.task, outputs, aim.targets) for outputs in members]
        np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)

    def test_the_loss_in_training_is_that_of_the_answers(self) -> None:
        aim = self.aim()
        outputs = self.outputs(aim.task, len(aim.targets))
        inside = self.row_loss(aim.task, outputs, aim.targets)
        outside = aim.task.row_losses(aim.task.answers_of(outputs), aim.targets)
        assert outside.shape == inside.shape
        if self.one_loss:
            np.testing.assert_allclose(inside, outside, rtol=1e-4, atol=1e-5)

    def test_the_total_loss_of_an_additive_task_is_the_weighted_sum(self) -> None:
        aim = self.aim()
        n = len(aim.targets)
        weights = np.random.default_rng(_SEED).uniform(0.5, 2, size=n).astype("float32")
        outputs = self.outputs(aim.task, n)
        inside = ops.convert_to_tensor(aim.task.training_targets(aim.targets))
        total = _array(aim.task.total_loss(ops.convert_to_tensor(outputs), inside, weights))
        assert total.shape == () and np.isfinite(total)
        if aim.task.additive:
            rows = self.row_loss(aim.task, outputs, aim.targets)
            np.testing.assert_allclose(total, weights @ rows, rtol=1e-4)

    def test_mini_batches_have_one_finite_loss(self) -> None:
        aim = self.aim()
        loss = aim.task.training_loss(0.0)
        assert isinstance(loss, keras.losses.Loss)
        outputs = self.outputs(aim.task, len(aim.targets))
        found = _array(loss(aim.task.training_targets(aim.targets), outputs))
        assert found.shape == () and np.isfinite(found)

    def test_rows_without_weight_do_not_touch_the_held_out_loss(self) -> None:
        aim = self.aim()
        n = len(aim.targets)
        weight = np.r_[0.0, np.linspace(1, 2, n - 1)]
        outputs = self.outputs(aim.task, n)
        changed = outputs.copy()
        changed[0] += 1.0
        first, second = (
            aim.task.held_out_loss(aim.task.answers_of(each), aim.targets, weight)
            for each in (outputs, changed)
        )
        assert isinstance(first, float) and np.isfinite(first)
        np.testing.assert_allclose(first, second, rtol=1e-9)

    def test_the_held_out_loss_of_an_additive_task_is_the_weighted_mean(self) -> None:
        aim = self.aim()
        if not aim.task.additive:
            return
        weight = np.linspace(1, 2, len(aim.targets))
        answers = aim.task.answers_of(self.outputs(aim.task, len(aim.targets)))
        wanted = np.average(aim.task.row_losses(answers, aim.targets), weights=weight)
        np.testing.assert_allclose(aim.task.held_out_loss(answers, aim.targets, weight), wanted, rtol=1e-6)

    # ---- answers and scores

    def test_answers_are_finite_and_in_float64(self) -> None:
        task = self.make_task()
        for scale in (0.0, 1.0, 10.0):
            found = task.answers_of(scale * self.outputs(task, 4))
            assert found.shape == (4, task.n_outputs) and found.dtype == np.float64
            assert np.isfinite(found).all()

    def test_the_model_answers_as_the_array_does(self) -> None:
        task = self.make_task()
        outputs = self.outputs(task, 4)
        read = keras.Input((task.n_outputs,))
        model = keras.Model(read, task.answer_tensor(read))
        found = _array(model(ops.convert_to_tensor(outputs)))
        np.testing.assert_allclose(found, task.answers_of(outputs), rtol=1e-5, atol=1e-6)

    def test_the_default_objective_is_one_of_the_task(self) -> None:
        task = self.make_task()
        objective = task.objective()
        assert isinstance(objective, Objective)
        assert objective.name in task.objectives
        assert objective.answers.kind == task.answers.kind

    def test_every_score_of_the_task_has_a_value_for_its_answers(self) -> None:
        aim = self.aim()
        answers = aim.task.answers_of(self.outputs(aim.task, len(aim.targets)))
        for name in {*aim.task.objectives, *aim.task.evaluated()}:
            assert np.isfinite(aim.task.objective(name).value(answers, aim.targets)), name

    # ---- linear models

    def test_a_linear_model_has_a_kernel_and_a_bias_for_each_output(self) -> None:
        aim = self.aim()
        n, k = len(aim.targets), aim.task.n_outputs
        x = np.random.default_rng(_SEED).normal(size=(n, _FEATURES)).astype("float32")
        found = []
        if aim.task.has_linear_fit:
            found.append(aim.task.fit_linear(x, aim.targets, np.ones(n), 0.1, 0.0)[:2])
        if aim.task.solves_linear(n, _FEATURES):
            found.append(aim.task.solve_linear(x, aim.targets, np.ones(n), 0.1))
        for kernel, bias in found:
            assert kernel.shape == (_FEATURES, k) and bias.shape == (k,)
            assert np.isfinite(aim.task.answers_of(x @ kernel + bias)).all()

    # ---- on disk

    def test_the_task_survives_json(self) -> None:
        task = self.make_task()
        written = json.loads(json.dumps(task.to_dict()))
        assert written["kind"] == task.kind
        again = type(task).from_dict(written)
        assert again.to_dict() == task.to_dict()
        outputs = self.outputs(task, 4)
        np.testing.assert_array_equal(again.answers_of(outputs), task.answers_of(outputs))


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))
