"""How answers come from what networks compute, forwards and backwards, in numpy.

=========  =========================================================================  =============
symbol     meaning                                                                    shape
=========  =========================================================================  =============
m, k, P    members of a block, outputs, points
z          what the members compute: logits, or standardised numbers                  ``(m, k, P)``
a          what is averaged over the members: probabilities, their logarithms, numbers  ``(m, k, P)``
=========  =========================================================================  =============

What follows the average is in ``genokeras.explain.outer``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import ClassVar, Protocol, final

import numpy as np

from genokeras.explain.checks import LOG_ODDS, NUMBER, PROBABILITY
from genokeras.explain.outer import Bent, Calibrated, Outer, Product, Scaled
from genokeras.searchers import GEOMETRIC, MEAN
from genokeras.support.checks import check_choice
from genokeras.tasks.answers import CLASSES
from genokeras.tasks.calibration import Calibration, CurveCalibration, RiskCalibration
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.classes import Classes
from genokeras.tasks.labels import LABELS
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.survival import Cox
from genokeras.tasks.task import Task

_STEP = 1e-4


class Inner(Protocol):
    """From a member's outputs to its answers."""

    @property
    def fixed_sum(self) -> bool:
        """Whether the answers of a point always have the same sum; the gradient of the last is then known from the others."""
        ...

    def answers(self, z: np.ndarray) -> np.ndarray:
        """``z`` -> ``a``."""
        ...

    def slopes(self, z: np.ndarray, a: np.ndarray) -> Iterator[np.ndarray]:
        """For one answer after the other, without the last where sums are fixed: ``(m, k, P)`` its slopes in ``z``, a new array."""
        ...


@final
class Softmax:
    """Classes."""

    fixed_sum: ClassVar[bool] = True

    def answers(self, z: np.ndarray) -> np.ndarray:
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def slopes(self, z: np.ndarray, a: np.ndarray) -> Iterator[np.ndarray]:
        for c in range(a.shape[1] - 1):
            slope = a * -a[:, c : c + 1]
            slope[:, c] += a[:, c]
            yield slope


@final
class LogOdds:
    """Classes whose probabilities are multiplied: logarithms less that of the last class, whose own row is 0."""

    fixed_sum: ClassVar[bool] = True

    def answers(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(z - z[:, -1:])

    def slopes(self, z: np.ndarray, a: np.ndarray) -> Iterator[np.ndarray]:
        for c in range(a.shape[1] - 1):
            slope = np.zeros_like(z)
            slope[:, c], slope[:, -1] = 1.0, -1.0
            yield slope


@final
class Identity:
    """Numbers: they are averaged as they are."""

    fixed_sum: ClassVar[bool] = False

    def answers(self, z: np.ndarray) -> np.ndarray:
        return z

    def slopes(self, z: np.ndarray, a: np.ndarray) -> Iterator[np.ndarray]:
        for c in range(a.shape[1]):
            slope = np.zeros_like(z)
            slope[:, c] = 1.0
            yield slope


@final
@dataclass(frozen=True)
class Differences:
    """Any other task: slopes are central differences of its answers.

    Parameters
    ----------
    function : callable
        ``(n, k)`` float64 outputs -> ``(n, k)`` answers.
    """

    function: Callable[[np.ndarray], np.ndarray]
    fixed_sum: ClassVar[bool] = False

    def answers(self, z: np.ndarray) -> np.ndarray:
        return self._of(z.astype("float64")).astype("float32")

    def slopes(self, z: np.ndarray, a: np.ndarray) -> Iterator[np.ndarray]:
        wide, found = z.astype("float64"), np.empty((a.shape[1], *z.shape), dtype="float32")
        for j in range(z.shape[1]):
            step = np.zeros_like(wide)
            step[:, j] = _STEP * np.maximum(1.0, np.abs(wide[:, j]))
            rise = self._of(wide + step) - self._of(wide - step)
            found[:, :, j] = (rise / (2.0 * step[:, j : j + 1])).transpose(1, 0, 2)
        yield from found

    def _of(self, z: np.ndarray) -> np.ndarray:
        """``(m, k, P)`` -> the same shape, all points in one call."""
        m, k, points = z.shape
        rows = self.function(z.transpose(0, 2, 1).reshape(-1, k))
        return np.asarray(rows, dtype="float64").reshape(m, points, k).transpose(0, 2, 1)


@dataclass(frozen=True)
class Link:
    """From the outputs of members to what is explained.

    Attributes
    ----------
    inner : Inner
        From each member's outputs to its answers.
    outer : Outer
        From the average of the answers to what is explained.
    output : {"probability", "log_odds", "number"}
        What that is.
    """

    inner: Inner
    outer: Outer
    output: str

    @property
    def own_units(self) -> bool:
        """Whether each output has units of its own, so that sizes of different outputs cannot be compared."""
        return self.output == NUMBER


def outputs_of(task: Task) -> tuple[str, ...]:
    """What can be explained of a task's answers, the usual first."""
    if task.answers.kind == LABELS.kind:
        return (PROBABILITY,)
    return (PROBABILITY, LOG_ODDS) if task.answers.kind == CLASSES.kind else (NUMBER,)


def chosen_output(task: Task, output: str | None, method: str = "") -> str:
    """What is explained of a task's answers.

    Parameters
    ----------
    task : Task
    output : str or None
        What is asked for; None for the usual.
    method : str
        "linear" explains log odds and numbers only.

    Raises
    ------
    ParameterError
        If a task has no such output.
    """
    known = outputs_of(task)
    chosen = known[0] if output is None else check_choice(output, "output", known)
    return known[-1] if method == "linear" else chosen


def link_of(
    task: Task, calibration: Calibration | None = None, output: str | None = None, pooling: str = MEAN
) -> Link:
    """The link of a task.

    Parameters
    ----------
    task : Task
    calibration : Calibration, optional
        Of the average.
    output : str, optional
        See `chosen_output`.
    pooling : {"mean", "geometric"}
        Of the members, see `genokeras.searchers.combine`.

    Raises
    ------
    ParameterError
        If the task has no such output.
    """
    chosen = chosen_output(task, output)
    inner, outer = _parts(task)
    if pooling == GEOMETRIC:
        multiplied = LogOdds() if isinstance(inner, Softmax) else Differences(partial(_logarithms, task))
        return Link(multiplied, Product(Calibrated(calibration or Calibration(), chosen)), chosen)
    if isinstance(calibration, RiskCalibration):
        outer = Scaled((calibration.sharpness,) * task.n_outputs, (calibration.shift,) * task.n_outputs)
    if isinstance(calibration, CurveCalibration) and calibration.levels:
        outer = Bent(calibration)
    if chosen != NUMBER and task.answers.kind != LABELS.kind:
        outer = Calibrated(calibration or Calibration(), chosen)
    return Link(inner, outer, chosen)


def _logarithms(task: Task, outputs: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(task.answers_of(outputs), SMALLEST_PROBABILITY))


@singledispatch
def _parts(task: Task) -> tuple[Inner, Outer]:
    ones = (1.0,) * task.n_outputs
    return Differences(task.answers_of), Scaled(ones, (0.0,) * task.n_outputs)


@_parts.register
def _(task: Classes) -> tuple[Inner, Outer]:
    return Softmax(), Calibrated(Calibration(), PROBABILITY)


@_parts.register
def _(task: Cox) -> tuple[Inner, Outer]:
    return Identity(), Scaled((1.0,), (0.0,))


@_parts.register
def _(task: Numbers) -> tuple[Inner, Outer]:
    return Identity(), Scaled(task.sd, task.mean)
