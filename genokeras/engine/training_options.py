"""Classic AutoKeras' ``trainer_args`` -> training settings of either method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.wording import did_you_mean
from genokeras.training import TrainingSettings
from genokeras.training.allotment import Allotment
from genokeras.training.members import NetworkSettings

# Names of classic AutoKeras' trainer_args -> fields of TrainingSettings and NetworkSettings.
TRAINER_ARGS = {
    "max_iter_num": "max_steps",
    "max_no_improvement_num": "patience",
    "min_loss_dec": "min_improvement",
    "batch_size": "batch_size",
}
EPOCHS = 25
MOST_STEPS = 2_000
SCORING_SHARE = 0.1
# Forward and backward, against the forward pass alone of a scoring.
_PASSES_OF_A_STEP = 3


def training_settings(trainer_args: Mapping[str, Any] | None) -> TrainingSettings:
    """Packed training from ``searcher_args["trainer_args"]``.

    Raises
    ------
    ParameterError
        On an unknown name or a value out of range.
    """
    return TrainingSettings(**_renamed(trainer_args, TRAINER_ARGS))


def network_settings(
    trainer_args: Mapping[str, Any] | None, label_smoothing: float | None = None
) -> tuple[NetworkSettings, dict[str, int]]:
    """How networks train by mini-batches, and the most epochs where these are given.

    Parameters
    ----------
    trainer_args : mapping or None
    label_smoothing : float, optional
        In place of the usual one.

    Raises
    ------
    ParameterError
        On an unknown name or a value out of range.
    """
    values = _renamed(trainer_args, TRAINER_ARGS | {"max_iter_num": "most_epochs"})
    epochs = {"most_epochs": values.pop("most_epochs")} if "most_epochs" in values else {}
    Allotment(epoch=1, time_limit=None, **epochs)
    if label_smoothing is not None:
        values["label_smoothing"] = label_smoothing
    return NetworkSettings(**values), epochs


def _renamed(trainer_args: Mapping[str, Any] | None, names: Mapping[str, str]) -> dict[str, Any]:
    given = dict(trainer_args or {})
    for name in given:
        if name not in names:
            known = list(names)
            raise ParameterError(
                f"unknown trainer_args {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}."
            )
    return {names[name]: value for name, value in given.items()}


def scaled_training(
    settings: TrainingSettings, train: np.ndarray, held_out: np.ndarray, steps_given: bool = False
) -> TrainingSettings:
    """Steps and scorings for mini-batches: 25 epochs within limits, and scorings that cost a tenth of the training.

    Parameters
    ----------
    settings : TrainingSettings
        Returned as they are where every step uses all rows.
    train, held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    steps_given : bool
        Leave ``max_steps`` alone.
    """
    batch = settings.batch_of(train.shape[1])
    if train.shape[1] == batch:
        return settings
    epochs = EPOCHS * -(-int(train.any(axis=0).sum()) // batch)
    steps = max(settings.max_steps, min(epochs, MOST_STEPS))
    scored = int(held_out.sum(axis=1).max()) + batch
    every = -(-scored // round(SCORING_SHARE * _PASSES_OF_A_STEP * batch))
    steps = settings.max_steps if steps_given else steps
    return replace(settings, max_steps=steps, score_every=min(max(settings.score_every, every), steps))
