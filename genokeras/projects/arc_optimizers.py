"""Optimizers of an ENAS project, whose learning rates are fixed: each with a scale of rates that suits it."""

from __future__ import annotations

from dataclasses import dataclass

from genokeras.training import get_update
from genokeras.training.optimizers import AdamUpdate, Update

# Rates are named as Adam's. Where the size of a step depends on the gradient's, or a step starts tiny, the same rates hardly
# train anything in the few steps of a search: measured on 220 rows of three classes, ranks were those of chance.
_SCALES = {
    "adadelta": 1000.0,
    "adagrad": 100.0,
    "dynamic_momentum": 30.0,
    "ftrl": 100.0,
    "lamb": 10.0,
    "momentum": 30.0,
    "sgd": 100.0,
}
_DECAY = 0.1
_ADAM = AdamUpdate(beta_2=0.99)  # quicker to forget than Keras' own, as trainings are short


@dataclass(frozen=True)
class ArcOptimizer:
    """An optimizer, and what its learning rates and its weight decay are.

    Attributes
    ----------
    update : Update
    scale : float
        What a learning rate of Adam is multiplied by.
    """

    update: Update = _ADAM
    scale: float = 1.0

    @property
    def decay(self) -> float:
        """The weight decay: a step shrinks the weights by its product with the rate, whose scale is taken back."""
        return _DECAY / self.scale


def arc_optimizer(name: str, *, shared: bool = False) -> ArcOptimizer:
    """Return what a name stands for.

    Parameters
    ----------
    name : str
        The configuration's ``optimizer.type``. ``"adam"`` and ``"adamw"`` are the same here: weights always decay.
    shared : bool
        Whether it is to train the shared weights, which ``"kfac"`` cannot, as it needs to know what each layer reads: Adam
        takes its place.
    """
    if name in ("adam", "adamw"):
        return ArcOptimizer()
    update = get_update(name)
    if shared and update.needs_factors:
        return ArcOptimizer()
    return ArcOptimizer(update, _SCALES.get(name, 1.0))
