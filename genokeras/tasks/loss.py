"""Networks that are trained with any loss.

| symbol | meaning | shape |
|---|---|---|
| n, k | samples, outputs | |
| targets | as the loss takes them: numbers, or class numbers where that is what it takes | (n, k) or (n,) |
| outputs | what a network says before its last step | (n, k) |
| answers | ``outputs * scale + offset``, or probabilities of logits where the loss is a cross-entropy of Keras | (n, k) |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import keras
import numpy as np
from scipy.special import expit, softmax

from genokeras.errors import ParameterError
from genokeras.tasks.task import Aim, Labelled, RowLoss, Task

NO_LINK, SIGMOID, SOFTMAX = "none", "sigmoid", "softmax"


@final
@dataclass(frozen=True)
class LossTask(Task):
    """Outputs judged by any loss.

    Attributes
    ----------
    k : int
        Outputs of a network.
    loss : keras.losses.Loss, callable or None
        ``(targets, answers) -> (n,)`` or one number. None where a run was read back whose loss is a function: such a task
        predicts, and does not train.
    link : {"none", "sigmoid", "softmax"}
        From logits to answers, where the loss is a Keras loss with ``from_logits``.
    scale, offset : tuple of float
        ``(k,)`` what outputs are brought to before the loss sees them; without a link only. Outputs near 0 and 1 suit the
        rates and penalties of training, whatever the units of the targets.
    """

    k: int
    loss: Any
    link: str = NO_LINK
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    kind: ClassVar[str] = "loss"
    answers_name: ClassVar[str] = "outputs"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        """Labels alone make no such task, which needs a loss: TypeError."""
        raise TypeError("a task with any loss is made by a module, which is given its loss")

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        return np.asarray(labels.values)

    @property
    def n_outputs(self) -> int:
        return self.k

    @property
    def _is_scaled(self) -> bool:
        return bool(self.scale)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return targets.astype("float32")

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return self.training_loss(0.0).call(targets, outputs)

    def training_loss(self, label_smoothing: float) -> Any:
        if self.loss is None:
            raise ParameterError(
                "the loss of this run is a function, which no run folder can hold: give it again, load(path, loss=...)."
            )
        if self.link != NO_LINK:
            return RowLoss(_per_row(_from_logits(self.loss, True)))
        return RowLoss(self._of_outputs)

    def _of_outputs(self, targets: Any, outputs: Any) -> Any:
        if not self._is_scaled:
            return _per_row(self.loss)(targets, outputs)
        scale, offset = (keras.ops.convert_to_tensor(v, "float32") for v in (self.scale, self.offset))
        return _per_row(self.loss)(targets, outputs * scale + offset)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        values = outputs.astype("float64")
        if self.link == SOFTMAX:
            return np.asarray(softmax(values, axis=1))
        if self.link == SIGMOID:
            return np.asarray(expit(values))
        return values * self.scale + self.offset if self._is_scaled else values

    def answer_tensor(self, outputs: Any) -> Any:
        if self.link == SOFTMAX:
            return keras.layers.Softmax()(outputs)
        if self.link == SIGMOID:
            return keras.layers.Activation("sigmoid")(outputs)
        if self._is_scaled:
            return keras.layers.Rescaling(list(self.scale), list(self.offset))(outputs)
        return outputs

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """``(n,)`` loss of each row; where the loss tells one number alone, that number for each."""
        judged = _from_logits(self.loss, False) if self.link != NO_LINK else self.loss
        read = [keras.ops.convert_to_tensor(values.astype("float32")) for values in (targets, answers)]
        found = np.asarray(keras.ops.convert_to_numpy(_per_row(judged)(*read)), dtype="float64")
        if found.ndim == 0:
            return np.full(len(answers), float(found))
        if len(found) != len(answers):
            raise ParameterError(
                f"the loss must give one number for each of the {len(answers)} rows, or one in all, got shape {found.shape}."
            )
        return np.asarray(found.reshape(len(found), -1).mean(axis=1))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; a loss of Keras is among them, a function is not."""
        return {
            "kind": self.kind,
            "n_outputs": self.k,
            "loss": keras.losses.serialize(self.loss) if is_of_keras(self.loss) else None,
            "link": self.link,
            "scale": list(self.scale),
            "offset": list(self.offset),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LossTask:
        """Read what `to_dict` wrote."""
        loss = None if data["loss"] is None else keras.losses.deserialize(dict(data["loss"]))
        return cls(data["n_outputs"], loss, data["link"], tuple(data["scale"]), tuple(data["offset"]))


def is_of_keras(loss: Any) -> bool:
    """Whether this is a loss object that Keras itself can write down and read back."""
    return isinstance(loss, keras.losses.Loss) and type(loss).__module__.split(".")[0] == "keras"


def _per_row(loss: Any) -> Callable[[Any, Any], Any]:
    """Values before any reduction."""
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def _from_logits(loss: Any, logits: bool) -> Any:
    return type(loss).from_config({**loss.get_config(), "from_logits": logits})
