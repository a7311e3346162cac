"""Run under one Keras backend by ``test_gradients_on_every_backend.py``: ``python -m tests.explain.gradients_on_one_backend OUT.npz``.

The gradients that ``genokeras.explain`` computes in numpy, multiplied out to the genes, against automatic differentiation of the
same networks in Keras.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.links import link_of
from genokeras.networks import TrainedTrial
from genokeras.searchers import GEOMETRIC, MEAN
from genokeras.support.backends import current_backend
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from genokeras.tasks.loss import LossTask
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.task import Task
from tests.explain.random_ensembles import GENES, KerasMembers, expression, random_trial, read_by

# JAX and PyTorch compute fewer of the random graphs: JAX compiles each, PyTorch takes many small steps.
GRAPHS, ENSEMBLES = (14, 6) if keras.backend.backend() == "tensorflow" else (4, 3)
SAMPLES, BACKGROUND, PLACES = 2, 2, 2
LINES = SAMPLES * BACKGROUND
# Of the ensembles, those that are multiplied, too.
PRODUCTS = (1, 2, 4)
CALIBRATIONS = (Calibration(), Calibration(1.4, 0.05), Calibration(0.7, 0.02))


@dataclass(frozen=True)
class Case:
    """Networks, and what of them is explained."""

    name: str
    trials: list[TrainedTrial]
    task: Task
    calibration: Calibration = field(default_factory=Calibration)
    output: str | None = None
    pooling: str = MEAN


def cases() -> list[Case]:
    """Random graphs alone, for three kinds of tasks, then ensembles of three of them, calibrated in several ways."""
    found = []
    for seed in range(GRAPHS):
        trial = random_trial(seed, 1 + seed % 4)
        found.append(Case(f"graph {seed}", [trial], tasks(trial.graph.n_outputs)[seed % 3]))
    for seed in range(ENSEMBLES):
        trials = [replace(random_trial(100 + 3 * seed + i, 2 + seed % 3), share=i + 1.0) for i in range(3)]
        case = Case(f"ensemble {seed}", trials, tasks(2 + seed % 3)[min(seed, 1)])
        if seed:
            output = ("probability", "log_odds")[seed % 2]
            case = replace(case, calibration=CALIBRATIONS[seed % 3], output=output)
        found.append(case)
        if seed in PRODUCTS:
            found.append(replace(case, name=f"product {seed}", pooling=GEOMETRIC))
    return found


def tasks(k: int) -> tuple[Task, Task, Task]:
    """Numbers in units of their own, classes (or one number), and a task whose link the module does not know by name."""
    numbers = Numbers(tuple(100.0 * i for i in range(k)), tuple(2.0 + i for i in range(k)))
    return numbers, Classes(k) if k > 1 else numbers, LossTask(k, None, link="sigmoid")


class InKeras:
    """What a case explains, as Keras computes it."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._members = [KerasMembers(trial) for trial in case.trials]

    def explained(self, read: dict[bytes | None, Any]) -> Any:
        """``(rows, outputs)``."""
        shares = np.array([trial.share for trial in self._case.trials])
        task, calibration, found = self._case.task, self._case.calibration, 0.0
        for share, members in zip((shares / shares.sum()).tolist(), self._members, strict=True):
            answers = task.answer_tensor(members.outputs(read))
            answers = ops.log(answers) if self._case.pooling == GEOMETRIC else answers
            found += share * ops.mean(answers, axis=0)
        if self._case.pooling == GEOMETRIC:
            found = ops.softmax(found, axis=-1)
        if isinstance(task, Classes):
            found = ops.softmax(calibration.sharpness * ops.log(found), axis=-1)
            found = (1.0 - calibration.doubt) * found + calibration.doubt / found.shape[-1]
        return task.explained(found) if self._case.output == "log_odds" else found

    def values(
        self, x: np.ndarray, background: np.ndarray, places: np.ndarray, mix: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """By automatic differentiation: the outputs at the points of all lines, and difference x gradient, summed over points.

        Both are mixtures of the outputs: ``(lines, places)`` and ``(samples, genes)``.
        """
        starts, ends = (read_by(self._case.trials, rows) for rows in (background, x))
        first = {key: np.tile(u, (SAMPLES, 1)) for key, u in starts.items()}
        ahead = {key: np.repeat(u, BACKGROUND, axis=0) - first[key] for key, u in ends.items()}
        points = [
            (first[key][:, None] + places[:, :, None] * ahead[key][:, None])
            .reshape(-1, GENES)
            .astype("float32")
            for key in first
        ]

        def mixed(given: list[Any]) -> Any:
            return ops.matmul(
                self.explained(dict(zip(first, given, strict=True))), mix[:, None].astype("float32")
            )

        backend = current_backend()

        def both(given: list[Any]) -> list[Any]:
            _, slopes = backend.value_and_gradients(lambda tensors: ops.sum(mixed(tensors)), given)
            return [mixed(given), *slopes]

        # Each operation by itself would be compiled for each shape.
        run = backend.compile(both) if keras.backend.backend() == "jax" else both
        outputs, *slopes = (to_numpy(each) for each in run([ops.convert_to_tensor(u) for u in points]))
        values = np.zeros((SAMPLES, GENES))
        for slope, step in zip(slopes, ahead.values(), strict=True):
            along = slope.reshape(LINES, PLACES, GENES).sum(axis=1) * step
            values += along.reshape(SAMPLES, BACKGROUND, GENES).sum(axis=1)
        return outputs.reshape(places.shape), values


def to_numpy(tensor: Any) -> np.ndarray:
    """A tensor that may still carry gradients."""
    return np.asarray(ops.convert_to_numpy(ops.stop_gradient(tensor)))


def errors(case: Case, seed: int) -> tuple[float, float]:
    """Largest differences of outputs and of values, as shares of the largest ones."""
    rng = np.random.default_rng(seed)
    x, background = expression(SAMPLES, 2 * seed + 1), expression(BACKGROUND, 2 * seed + 2)
    places = rng.random((LINES, PLACES))
    frame = RowSpaceFrame(case.trials, link_of(case.task, case.calibration, case.output, case.pooling))
    lines = frame.lines(frame.coordinates(background), frame.coordinates(x))
    gradients = lines.gradients(places).sum(axis=2)
    gradients = gradients.reshape(len(gradients), SAMPLES, BACKGROUND, -1).transpose(1, 0, 2, 3)
    mix = rng.normal(size=frame.n_outputs)
    outputs, values = InKeras(case).values(x, background, places, mix)
    return (
        difference(lines.outputs(places) @ mix, outputs),
        difference(frame.multiply_out(x, background, gradients) @ mix, values),
    )


def difference(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def main(path: str) -> None:
    """Write the errors of every case."""
    every = cases()
    found = [errors(case, seed) for seed, case in enumerate(every)]
    layers = [layer.spec.kind for case in every for trial in case.trials for layer in trial.graph.layers]
    np.savez(
        path,
        backend=np.array(keras.backend.backend()),
        names=np.array([case.name for case in every]),
        errors=np.array(found),
        kinds=np.unique(layers),
    )


if __name__ == "__main__":
    main(sys.argv[1])
