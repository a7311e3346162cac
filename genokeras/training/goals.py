"""What members minimise, and what tells which of their steps is the best: in ``keras.ops``, for packed members.

================  ============================================================  ======================
symbol            meaning                                                       shape
================  ============================================================  ======================
outputs           logits, or predicted values                                   ``(M, rows, k)``
targets           one-hot classes, or values                                    ``(1 or M, rows, k)``
weights           of the rows; those of one trial's members sum to 1            ``(M, rows)``
================  ============================================================  ======================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, final

from keras import ops

# Of two steps equally accurate, the one of the lower loss is the better.
_LOSS_DECIDES = 1e-4


def cross_entropy(outputs: Any, targets: Any) -> Any:
    """``(M, rows)`` nats."""
    return -ops.sum(targets * ops.log_softmax(outputs, axis=-1), axis=-1)


def squared_error(outputs: Any, targets: Any) -> Any:
    """``(M, rows)`` mean over the outputs."""
    return ops.mean(ops.square(outputs - targets), axis=-1)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {"cross_entropy": cross_entropy, "mse": squared_error}


class Loss(Protocol):
    """What members minimise; a `genokeras.tasks.task.Task` is one."""

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        """``(M, rows)`` loss of each row."""

    def total_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        """``(M,)`` loss of all rows under weights ``(M, rows)``; it need not be a sum over rows."""


@final
@dataclass(frozen=True)
class NamedLoss:
    """A loss of ``LOSSES``."""

    name: str

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return LOSSES[self.name](outputs, targets)

    def total_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        return ops.sum(weights * self.row_loss(outputs, targets), axis=-1)


class Monitor(ABC):
    """What is monitored, from sums over rows that may be taken in blocks; lower is better."""

    @abstractmethod
    def sums(self, outputs: Any, targets: Any, weights: Any) -> Any:
        """``(M, c)`` sums over the rows of a block."""

    @abstractmethod
    def value(self, sums: Any, loss: Any) -> Any:
        """``(T,)`` from the sums ``(T, c)`` and the losses ``(T,)`` of trials."""


@final
@dataclass(frozen=True)
class LossMonitor(Monitor):
    """The loss itself."""

    def sums(self, outputs: Any, targets: Any, weights: Any) -> Any:
        return ops.zeros_like(weights[:, :1])

    def value(self, sums: Any, loss: Any) -> Any:
        return loss


@final
@dataclass(frozen=True)
class AccuracyMonitor(Monitor):
    """Share of the rows whose class is the most probable one, negative."""

    def sums(self, outputs: Any, targets: Any, weights: Any) -> Any:
        right = ops.equal(ops.argmax(outputs, axis=-1), ops.argmax(targets, axis=-1))
        return ops.sum(weights * ops.cast(right, "float32"), axis=1)[:, None]

    def value(self, sums: Any, loss: Any) -> Any:
        return _LOSS_DECIDES * loss - sums[:, 0]


@final
@dataclass(frozen=True)
class F1Monitor(Monitor):
    """F1 score, averaged over the classes that occur, negative."""

    def sums(self, outputs: Any, targets: Any, weights: Any) -> Any:
        predicted = ops.one_hot(ops.argmax(outputs, axis=-1), outputs.shape[-1], dtype="float32")
        rows = weights[:, :, None]
        counts = [rows * predicted * targets, rows * predicted, rows * targets]
        return ops.concatenate([ops.sum(count, axis=1) for count in counts], axis=-1)

    def value(self, sums: Any, loss: Any) -> Any:
        both, predicted, true = ops.split(sums, 3, axis=-1)
        occurs = ops.cast(true > 0, "float32")
        scores = 2 * both / ops.maximum(predicted + true, 1e-12)
        mean = ops.sum(occurs * scores, axis=-1) / ops.maximum(ops.sum(occurs, axis=-1), 1.0)
        return _LOSS_DECIDES * loss - mean


MONITORS: dict[str, Monitor] = {
    "loss": LossMonitor(),
    "accuracy": AccuracyMonitor(),
    "f1_score": F1Monitor(),
}
