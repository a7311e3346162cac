"""The delivered model trained on, its backbone included, where that predicts held-out samples better."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from genokeras.encoders import BackboneEncoder, predict
from genokeras.engine import SpatialRun
from genokeras.engine.fitted import MODEL_FILE, RESULT_FILE, write_model
from genokeras.errors import ParameterError
from genokeras.training import Samples

# Few samples make some twenty batches an epoch: at a low rate a handful of steps would change nothing.
_LEAST_BATCH, _LARGEST_BATCH, _STEPS = 4, 32, 20
_CLIP = 1.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuned:
    """The run with what it delivers now, and how that came about.

    Attributes
    ----------
    run : SpatialRun
    note : dict
        ``before`` and ``after`` (log losses on the held-out samples), ``epochs`` (one log loss each), ``best_epoch`` (0 where
        none was better than before), ``trained`` and ``held_out`` (numbers of samples).
    """

    run: SpatialRun
    note: dict[str, Any]


def check_fine_tuning(run: SpatialRun, epochs: int, learning_rate: float) -> None:
    """Refuse what cannot be fine-tuned.

    Raises
    ------
    ParameterError
        If the run has no backbone, or a number is out of range.
    """
    if not isinstance(run.problem.encoder, BackboneEncoder):
        raise ParameterError(
            "this classifier has no backbone to fine-tune: its networks were trained from the start. Pass backbone= to the "
            "constructor, or go on with final_fit(x, y, retrain=False)."
        )
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise ParameterError(f"epochs must be a whole number, 1 or more, got {epochs!r}.")
    if not (isinstance(learning_rate, int | float) and 0 < learning_rate < math.inf):
        raise ParameterError(f"learning_rate must be a number above 0, got {learning_rate!r}.")


def fine_tune_run(
    run: SpatialRun, train: Samples, held_out: Samples, epochs: int, learning_rate: float
) -> FineTuned:
    """Train all weights of the delivered model, and deliver it anew where an epoch was better than none.

    Parameters
    ----------
    run : SpatialRun
        With a backbone.
    train, held_out : Samples
        As the backbone reads them.
    epochs : int
    learning_rate : float
        Of AdamW.
    """
    model = keras.saving.load_model(run.folder.path / MODEL_FILE, compile=False)
    model.trainable = True
    trainer = _trainer(model, learning_rate)
    rng = np.random.default_rng(int(run.folder.settings["seed"]))
    losses, best, kept = [_log_loss(model, held_out)], 0, []
    for epoch in range(1, epochs + 1):
        _train(trainer, train, rng)
        losses.append(_log_loss(model, held_out))
        _logger.info("fine-tuning, epoch %d of %d: held-out log loss %.4f", epoch, epochs, losses[-1])
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < losses[best]:
            best = epoch
            kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.weights]
    note = {
        "before": losses[0],
        "after": losses[best],
        "epochs": [loss for loss in losses[1:] if math.isfinite(loss)],
        "best_epoch": best,
        "learning_rate": float(learning_rate),
        "trained": len(train.targets),
        "held_out": len(held_out.targets),
    }
    run.folder.record("fine_tuned", **note)
    if not best:
        return FineTuned(run, note)
    for variable, values in zip(model.weights, kept, strict=True):
        variable.assign(values)
    tuned = replace(run, model=model)
    write_model(model, run.folder.path / MODEL_FILE, tuned)
    run.folder.write_json(RESULT_FILE, {**run.folder.read_json(RESULT_FILE), "fine_tuning": note})
    return FineTuned(tuned, note)


def _trainer(model: Any, learning_rate: float) -> Any:
    """A compiled model of the same weights, so that the delivered one is saved without an optimizer."""
    read = model.inputs if len(model.inputs) > 1 else model.inputs[0]
    trainer = keras.Model(read, model.outputs[0])
    optimizer = keras.optimizers.AdamW(learning_rate, clipnorm=_CLIP)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    jit: Any = False if keras.backend.backend() == "tensorflow" else "auto"
    trainer.compile(optimizer, keras.losses.CategoricalCrossentropy(), jit_compile=jit)
    return trainer


def _train(trainer: Any, samples: Samples, rng: np.random.Generator) -> None:
    """One epoch in batches of one size, in an order drawn anew."""
    n = len(samples.targets)
    size = min(n, int(np.clip(n // _STEPS, _LEAST_BATCH, _LARGEST_BATCH)))
    order = rng.permutation(n)
    names = [tensor.name for tensor in trainer.inputs]
    for first in range(0, n - size + 1, size):
        batch = samples.take(order[first : first + size])
        inputs = batch.encoder.model_inputs(batch.rows)
        read = [inputs[name] for name in names]
        trainer.train_on_batch(read if len(read) > 1 else read[0], batch.task.training_targets(batch.targets))


def _log_loss(model: Any, samples: Samples) -> float:
    answers = predict(model, samples.encoder, samples.rows)
    return float(np.mean(samples.task.row_losses(answers, samples.targets)))
