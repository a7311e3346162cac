"""The delivered model trained on, its backbone included, where that predicts held-out samples better."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import keras
import numpy as np

from genokeras.data import make_folds
from genokeras.encoders import BackboneEncoder, predict
from genokeras.engine import Run
from genokeras.engine.run import MODEL_FILE
from genokeras.errors import ParameterError
from genokeras.estimators.content import known_targets, validation_parts
from genokeras.estimators.counting import counted_samples
from genokeras.estimators.faces import ClassifierFace
from genokeras.estimators.networks import NetworkEstimator
from genokeras.searchers import Searcher
from genokeras.streams import Batch, Batches
from genokeras.support.checks import check_number, check_whole
from genokeras.support.keras_files import load_keras
from genokeras.support.run_lock import holding_lock
from genokeras.tasks.labels import Labels
from genokeras.tasks.task import Task
from genokeras.training.samples import Samples
from genokeras.training.steps import settle, train_steps
from genokeras.training.tunable import adamw

# Few samples make some twenty batches an epoch: at a low rate a handful of steps would change nothing.
_LEAST_BATCH, _LARGEST_BATCH, _STEPS = 4, 32, 20
_CLIP = 1.0
# A fifth is held out.
_PARTS = 5

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuned:
    """The run with what it delivers now, and how that came about.

    Attributes
    ----------
    run : Run
    note : dict
        ``before`` and ``after`` (log losses on the held-out samples), ``epochs`` (one log loss each), ``best_epoch`` (0 where
        none was better than before), ``trained`` and ``held_out`` (numbers of samples).
    """

    run: Run
    note: dict[str, Any]


def check_fine_tuning(run: Run, epochs: int, learning_rate: float) -> None:
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
    check_whole(epochs, "epochs")
    check_number(learning_rate, "learning_rate", above=0)


@holding_lock(lambda run, *_, **__: run.folder.path)
def fine_tune_run(
    run: Run,
    train: Samples,
    held_out: Samples,
    epochs: int,
    learning_rate: float,
    callbacks: Sequence[Any] = (),
) -> FineTuned:
    """Train all weights of the delivered model, and deliver it anew where an epoch was better than none.

    Parameters
    ----------
    run : Run
        With a backbone.
    train, held_out : Samples
        As the backbone reads them.
    epochs : int
    learning_rate : float
        Of AdamW.
    callbacks : sequence of keras.callbacks.Callback
    """
    model = load_keras(run.folder.path / MODEL_FILE)
    model.trainable = True
    trainer = _trainer(model, run.task, learning_rate)
    rng = np.random.default_rng(int(run.folder.settings["seed"]))
    told = keras.callbacks.CallbackList(list(callbacks), model=trainer, epochs=epochs)
    told.on_train_begin()
    losses, best, kept = [_log_loss(model, held_out)], 0, []
    for epoch in range(1, epochs + 1):
        told.on_epoch_begin(epoch - 1)
        _train(trainer, train, rng)
        losses.append(_log_loss(model, held_out))
        _logger.info("fine-tuning, epoch %d of %d: held-out log loss %.4f", epoch, epochs, losses[-1])
        if not math.isfinite(losses[-1]):
            break
        if losses[-1] < losses[best]:
            best = epoch
            kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.weights]
        told.on_epoch_end(epoch - 1, {"val_loss": losses[-1]})
        if trainer.stop_training:
            break
    told.on_train_end()
    note = {
        "before": losses[0],
        "after": losses[best],
        "epochs": [loss for loss in losses[1:] if math.isfinite(loss)],
        "best_epoch": best,
        "learning_rate": float(learning_rate),
        "trained": len(train.targets),
        "held_out": len(held_out.targets),
    }
    if not best:
        run.folder.record("fine_tuning", **note)
        return FineTuned(run, note)
    for variable, values in zip(model.weights, kept, strict=True):
        variable.assign(values)
    return FineTuned(run.with_model(model, {"fine_tuning": note}), note)


def _trainer(model: Any, task: Task, learning_rate: float) -> Any:
    """A compiled model of the same weights, so that the delivered one is saved without an optimizer."""
    read = model.inputs if len(model.inputs) > 1 else model.inputs[0]
    trainer = keras.Model(read, model.outputs[0])
    jit: Any = False if keras.backend.backend() == "tensorflow" else "auto"
    of_answers = (
        keras.losses.BinaryCrossentropy if isinstance(task, Labels) else keras.losses.CategoricalCrossentropy
    )
    trainer.compile(adamw(learning_rate, clipnorm=_CLIP), of_answers(), jit_compile=jit)
    return trainer


def _train(trainer: Any, samples: Samples, rng: np.random.Generator) -> None:
    """One epoch in batches of one size, in an order drawn anew."""
    n = len(samples.targets)
    size = min(n, int(np.clip(n // _STEPS, _LEAST_BATCH, _LARGEST_BATCH)))
    order, mean = rng.permutation(n), samples.weight.mean()
    names = [tensor.name for tensor in trainer.inputs]

    def batches() -> Iterator[Batch]:
        for first in range(0, n - size + 1, size):
            batch = samples.take(order[first : first + size])
            read = batch.encoder.inputs_named(names, batch.rows)
            targets = batch.task.training_targets(batch.targets)
            yield read if len(read) > 1 else read[0], targets, batch.weight / mean

    train_steps(trainer, Batches(batches, name="the samples"), until=n // size)
    settle(trainer)


def _log_loss(model: Any, samples: Samples) -> float:
    answers = predict(model, samples.encoder, samples.rows)
    return float(np.average(samples.task.row_losses(answers, samples.targets), weights=samples.weight))


class TunedClassifier(ClassifierFace, NetworkEstimator):
    """A classifier whose backbone can be trained on; see its children for parameters and attributes."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_limit: float | None = 60,
        objective: str | None = None,
        folds: int | None = None,
        searcher: str | Searcher = "bayesian",
        max_trials: int | None = None,
        searcher_args: Mapping[str, Any] | None = None,
        executor: Any = "local",
        executor_args: Mapping[str, Any] | None = None,
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
        backbone: Any = None,
        task: Any = None,
        class_weight: str | Mapping[Any, float] | None = None,
        threshold: Mapping[str, Any] | None = None,
        ordered: Sequence[Any] | None = None,
        memory_limit: float | str | None = None,
        keep: str = "all",
        callbacks: Any = None,
        metrics: Any = None,
    ) -> None:
        super().__init__(
            path,
            time_limit=time_limit,
            objective=objective,
            folds=folds,
            searcher=searcher,
            max_trials=max_trials,
            searcher_args=searcher_args,
            executor=executor,
            executor_args=executor_args,
            random_state=random_state,
            resume=resume,
            verbose=verbose,
            backbone=backbone,
            task=task,
            memory_limit=memory_limit,
            keep=keep,
            callbacks=callbacks,
            metrics=metrics,
        )
        self.class_weight = class_weight
        self.threshold = threshold
        self.ordered = ordered

    def fine_tune(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 5,
        learning_rate: float = 1e-5,
        validation_data: tuple[Any, ...] | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        extra: Any = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train the delivered model on, its backbone included, and keep the epoch that is best on held-out samples.

        Where no epoch is better than the model was, it stays. ``estimate_`` still tells of the search with the frozen backbone;
        ``fine_tuning_`` has the log losses before and after, in which samples and classes count as ``sample_weight`` and ``class_weight``
        say. Samples that the search saw flatter both.

        Parameters
        ----------
        x, y, groups, sample_weight, extra : as in ``fit``
        epochs : int, default=5
        learning_rate : float, default=1e-5
            Of AdamW.
        validation_data : (x, y) or (x, y, extra), optional
            What is held out, each sample counting alike; a stratified fifth of the samples by default, whole groups where there are any.
        callbacks : list of keras.callbacks.Callback, optional
            They get the network and its optimiser: an epoch is an epoch, with ``val_loss`` in its logs, and there are no events of batches.

        Raises
        ------
        ParameterError
            If there is no backbone.
        NotFittedError, DataError
        """
        run = self._fitted()
        check_fine_tuning(run, epochs, learning_rate)
        odd = [one for one in callbacks if not isinstance(one, keras.callbacks.Callback)]
        if odd:
            raise ParameterError(f"callbacks are instances of keras.callbacks.Callback, got {odd[0]!r}.")
        self._check_trains_on("fine_tune")
        data, weight = counted_samples(self._read(x, y, groups, extra, training=True), sample_weight)
        train = replace(self._samples(data, y), weight=weight)
        for note in run.task.check_learnable(train.targets, run.names):
            warnings.warn(note, stacklevel=2)
        if validation_data is None:
            strata, seed = run.task.strata(train.targets), int(run.folder.settings["seed"])
            strata = np.zeros(len(train.targets), dtype=np.int64) if strata is None else strata
            folds = make_folds(strata, _PARTS, groups=data.groups, seed=seed)
            train, held = train.take(folds.train[0]), train.take(folds.held_out[0])
        else:
            x_held, y_held, extra_held = validation_parts(validation_data, self.content.takes_extra)
            held = self._samples(self._read(x_held, y_held, None, extra_held, training=True), y_held)
        factors = self._factors(train.targets, run.names, train.weight)
        if factors is not None:
            train, held = (
                replace(part, weight=part.weight * factors[part.targets]) for part in (train, held)
            )
        done = fine_tune_run(run, train, held, epochs, learning_rate, callbacks)
        self._take(done.run)
        self.fine_tuning_ = done.note
        return self

    def _samples(self, data: Any, y: Any) -> Samples:
        """Samples as the delivered model reads them."""
        run, encoder = self._fitted(), self._encoder().reader
        targets = known_targets(run.task, data, y, run.names)
        return Samples(
            run.task, encoder, encoder.rows(self.content.matched(data, run)), targets, np.ones(len(targets))
        )
