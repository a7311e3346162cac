"""A trainer around any Keras model, which stays a plain Keras model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, final

import keras
import numpy as np
import pandas as pd

from genokeras.errors import NotFittedError, ParameterError
from genokeras.keras_models.epoch_curves import EpochCurves
from genokeras.keras_models.epoch_history import Best, EpochHistory, check_monitor
from genokeras.keras_models.epoch_log import EpochLog
from genokeras.keras_models.epochs import EpochPlan, EpochTraining
from genokeras.keras_models.loss_shell import LossShell
from genokeras.keras_models.recipe import RateSchedule, Recipe, make_recipe
from genokeras.keras_models.wrapped_net import PRECISIONS, WrappedNet, check_distribution, wrapped
from genokeras.report import plot_metric
from genokeras.report.picture import Picture
from genokeras.streams import Batches
from genokeras.support.checks import check_choice, check_whole
from genokeras.support.wording import listed
from genokeras.training import (
    KeptVariables,
    Position,
    evaluate_batches,
    jit_compile,
    load_snapshot,
    predict_batches,
)
from genokeras.training.snapshot import read_extra
from genokeras.training.steps import check_trainable

_PREDICTED_ROWS = 256


@final
class LightModel:
    """Trains a Keras model, keeps its best weights, draws its curves and resumes what was interrupted.

    The net itself stays a plain Keras model: it is not compiled, and what is saved of it loads with ``keras`` alone.

    Parameters
    ----------
    net : keras.Model
    distribution : keras.distribution.DataParallel or ModelParallel, optional
        Train on several devices; with JAX. The net has to be serialisable, as a copy of it is spread.
    mixed_precision : {"bfloat16", "float16"}, optional
        What layers compute in while training, except those whose outputs are the net's. Weights stay float32, and with float16
        the loss is scaled. Layers with another dtype policy than float32 keep it.

    Attributes
    ----------
    net : keras.Model
        With the best weights after `fit`.
    history : pandas.DataFrame
        One row per epoch: ``epoch`` (from 1), the loss and the metrics, those on validation rows as ``val_...``,
        ``learning_rate`` and ``seconds``.
    best : Best or None
        Path, score and epoch of the best checkpoint.

    Raises
    ------
    ParameterError
        If `net` is no Keras model, or precision or distribution are not available.

    Examples
    --------
    >>> model = gk.LightModel(net)  # doctest: +SKIP
    >>> model.compile("adam", "binary_crossentropy", metrics=["accuracy", sklearn.metrics.f1_score])  # doctest: +SKIP
    >>> history = model.fit((x, y), (x_valid, y_valid), epochs=20, ckpt_path="best.keras")  # doctest: +SKIP
    >>> net = keras.saving.load_model("best.keras")  # doctest: +SKIP
    """

    def __init__(
        self, net: keras.Model, *, distribution: Any = None, mixed_precision: str | None = None
    ) -> None:
        if not isinstance(net, keras.Model):
            raise ParameterError(f"net must be a keras.Model, got {type(net).__name__}.")
        check_choice(mixed_precision, "mixed_precision", (*PRECISIONS, None))
        check_distribution(distribution)
        self.net = net
        self.history = pd.DataFrame()
        self.best: Best | None = None
        self._distribution = distribution
        self._precision = mixed_precision
        self._recipe: Recipe | None = None
        self._judge: keras.Model | None = None

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        schedule: RateSchedule = None,
        accumulate: int = 1,
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer : str or keras.optimizers.Optimizer
            Its settings are used; its state is not touched.
        loss : str, function, keras.losses.Loss, or list or dict of them
        metrics : list, or dict of name to metric, optional
            Keras metrics and their names, and any function ``(y_true, y_pred) -> float`` of all rows, such as
            scikit-learn's: see :class:`RowMetric` for when it gets labels and when probabilities. Functions see the training
            rows too, unless those come from an iterable that is read once an epoch.
        schedule : {"cosine", "plateau"}, function or keras schedule, optional
            A function takes the epoch, counted from 0, and returns the learning rate; a keras schedule takes the step.
            ``"cosine"`` falls to 0 over the epochs; ``"plateau"`` halves the rate where nothing improved for half of
            the patience.
        accumulate : int
            Batches whose gradients are averaged for one step of the optimizer.

        Raises
        ------
        ParameterError
            If one of them is nothing that can be trained with.
        """
        self._recipe = make_recipe(optimizer, loss, metrics, schedule, accumulate)
        self._judge = None

    def fit(
        self,
        train: Any,
        valid: Any = None,
        epochs: int = 10,
        ckpt_path: str | os.PathLike[str] = "best.keras",
        monitor: str = "val_loss",
        mode: str = "min",
        patience: int | None = 5,
        resume: bool = True,
        plot: bool = True,
        batch_size: int = 32,
        seed: int = 0,
        verbose: int = 1,
        snapshot_seconds: float = 10.0,
    ) -> pd.DataFrame:
        """Train, and end with the best weights.

        Beside the checkpoint is ``<ckpt_path>.resume``, from which a stopped training is resumed; it ends with the same weights
        as without the stop. A finished training continues if it gets more epochs or more patience. The order of arrays and of a
        ``PyDataset`` depends on the seed alone; an iterable has to give the same batches in every process, as does a shuffling
        loader with a seeded generator.

        Parameters
        ----------
        train, valid : tuple of (x, y) or (x, y, sample_weight), dataset, loader, generator or function
            Whatever :class:`genokeras.streams.Batches` takes. A generator can be read only once: a function that returns one is better.
        epochs : int
            In all, those before a resume included.
        ckpt_path : path-like
            Of the best net, a ``.keras`` file. The other files are written beside it.
        monitor : str
            The column of the history that says which epoch is best.
        mode : {"min", "max"}
        patience : int or None
            Epochs without a better one before training stops; None: it never does.
        resume : bool
            Continue from what is found at the path. False begins again, from the net's current weights, and overwrites.
        plot : bool
            Draw the curves: live in a notebook, elsewhere as ``best_loss.png`` and so on beside the checkpoint.
        batch_size : int
            Rows of a batch, where the data are arrays.
        seed : int
            Of the order of the rows.
        verbose : {0, 1}
        snapshot_seconds : float
            Between snapshots, at least; they never take more than a twentieth of the time. 0: a snapshot at every step.

        Returns
        -------
        pandas.DataFrame
            The history.

        Raises
        ------
        NotFittedError
            Before `compile`.
        ParameterError
            If the net has no trainable weights, there is no such metric to monitor, or what is to be resumed was trained on
            other data or with other settings.
        DataError
            If the data hold no rows, or different numbers of them.
        TrainingError
            If the loss is no longer finite; the net then has the best weights so far.
        """
        recipe = self._compiled()
        path = _checked_path(ckpt_path)
        check_whole(epochs, "epochs")
        check_whole(1 if patience is None else patience, "patience")
        options = {"batch_size": batch_size, "same_shapes": not _takes_any_length(self.net)}
        rows = Batches.of(
            train, shuffle=True, seed=seed, whole_only=self._distribution is not None, name="train", **options
        )
        judged = None if valid is None else Batches.of(valid, name="valid", **options)
        plan = EpochPlan(
            epochs=epochs,
            path=path,
            monitor=monitor,
            mode=mode,  # type: ignore[arg-type]
            patience=patience,
            snapshot_seconds=snapshot_seconds,
            settings={
                **recipe.described(),
                "net": _described(self.net, rows),
                "mixed_precision": str(self._precision),
                "monitor": f"{monitor} {mode}",
                "batch_size": str(batch_size),
                "seed": str(seed),
                "train": rows.fingerprint(),
                "valid": "none" if judged is None else judged.fingerprint(),
            },
        )
        curves = EpochCurves(path, monitor) if plot else None
        start_weights = KeptVariables(self.net.weights)
        with (
            wrapped(self.net, recipe, self._precision, self._distribution, rows.first()[0]) as made,
            EpochLog(epochs, rows.n_batches, verbose) as log,
        ):
            check_trainable(made.model, rows)
            names = _metric_names(made, rows, recipe)
            check_monitor(monitor, mode, names, judged is not None)
            position, history = self._begin(made, plan, rows, resume)
            on_epoch = None if curves is None else curves.epoch
            training = EpochTraining(made, recipe, plan, rows, judged, history, log, on_epoch)
            try:
                if training.finished(position):
                    log.say(_nothing_to_do(position, history, plan))
                else:
                    position = training.run(position)
            finally:
                made.publish()
                self._take(history, start_weights)
            if training.interrupted:
                log.say(_interrupted(position, plan))
            elif history.best is not None:
                best = history.best
                log.say(f"best: epoch {best.epoch}, {monitor} {best.score:.4g}, kept in {best.path}")
        if curves is not None and len(self.history):
            curves.draw(self.history)
        return self.history

    def evaluate(self, data: Any, batch_size: int = 256) -> dict[str, float]:
        """The loss and all metrics.

        Parameters
        ----------
        data : tuple of (x, y) or (x, y, sample_weight), dataset, loader, generator or function
        batch_size : int

        Returns
        -------
        dict of str to float
        """
        recipe = self._compiled()
        batches = Batches.of(
            data, batch_size=batch_size, same_shapes=not _takes_any_length(self.net), name="data"
        )
        if self._judge is None:
            self._judge = LossShell(self.net)
            self._judge.compile(loss=recipe.loss, metrics=recipe.metrics, jit_compile=jit_compile())
        found = evaluate_batches(self._judge, batches)
        if recipe.row_metrics:
            outputs, targets = predict_batches(self.net, batches)
            found |= {m.name: m.value(outputs, targets, recipe.loss) for m in recipe.row_metrics}
        return found

    def predict(self, x: Any, batch_size: int = _PREDICTED_ROWS) -> Any:
        """The net's outputs.

        Parameters
        ----------
        x : array, or list or dict of arrays, of shape (n_samples, ...); or an iterable of batches
        batch_size : int

        Returns
        -------
        array, or list or dict of arrays, of shape (n_samples, ...)
        """
        batches = Batches(x, batch_size=batch_size, same_shapes=not _takes_any_length(self.net))
        return predict_batches(self.net, batches)[0]

    def plot(self, metric: str = "loss") -> Picture:
        """A metric by epoch, on training and validation rows."""
        return plot_metric(self.history, metric)

    # ---- parts of `fit`

    def _compiled(self) -> Recipe:
        if self._recipe is None:
            raise NotFittedError("this LightModel is not compiled: call .compile(optimizer, loss) first.")
        return self._recipe

    def _begin(
        self, made: WrappedNet, plan: EpochPlan, rows: Batches, resume: bool
    ) -> tuple[Position, EpochHistory]:
        """Where to continue, or the beginning."""
        optimizer = made.model.optimizer
        if not optimizer.built:
            optimizer.build(made.model.trainable_variables)
        if not resume or not plan.snapshot.exists():
            return Position(), EpochHistory(first_rate=float(optimizer.learning_rate))
        _, extra = read_extra(plan.snapshot)
        _check_same(extra["settings"], plan)
        position, extra = load_snapshot(plan.snapshot, made.model, rows.first())
        history = EpochHistory.from_json(extra["progress"])
        if history.best is not None and not plan.path.exists():
            raise ParameterError(
                f"{str(plan.snapshot)!r} is there to continue from, but the best net {str(plan.path)!r} is missing: "
                "put it back, or pass resume=False to begin again."
            )
        return position, history

    def _take(self, history: EpochHistory, start_weights: KeptVariables) -> None:
        """Publish the history, and give the net its best weights."""
        self.history = history.frame()
        self.best = history.best
        if self.best is not None:
            self.net.load_weights(self.best.path)
        elif not all(np.isfinite(weight).all() for weight in self.net.get_weights()):
            start_weights.put_back()


def _metric_names(made: WrappedNet, rows: Batches, recipe: Recipe) -> list[str]:
    kept = KeptVariables(made.model.variables)
    x, y, weight = rows.first()
    logs = made.model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
    kept.put_back()  # a layer may draw random numbers when it predicts
    made.model.reset_metrics()
    return [*logs, *(metric.name for metric in recipe.row_metrics)]


def _check_same(found: dict[str, str], plan: EpochPlan) -> None:
    other = [name for name, value in plan.settings.items() if found.get(name) != value]
    if other:
        words = listed((f"{name}: {found.get(name)} there, {plan.settings[name]} now" for name in other), 4)
        raise ParameterError(
            f"{str(plan.snapshot)!r} belongs to a training with other settings or data ({words}). Pass resume=False to begin "
            "again and overwrite it, or another ckpt_path."
        )


def _checked_path(path: str | os.PathLike[str]) -> Path:
    found = Path(path)
    if found.suffix != ".keras":
        raise ParameterError(
            f"ckpt_path must end in .keras, as the best net is saved there, got {str(found)!r}."
        )
    return found


def _takes_any_length(net: keras.Model) -> bool:
    inputs = keras.tree.flatten(getattr(net, "inputs", None) or [])
    return not inputs or any(size is None for one in inputs for size in one.shape[1:])


def _described(net: keras.Model, rows: Batches) -> str:
    if not net.built:
        net(rows.first()[0])
    layers = ", ".join(type(layer).__name__ for layer in net.layers)
    return f"{layers}; {', '.join(str(tuple(variable.shape)) for variable in net.variables)}"


def _nothing_to_do(position: Position, history: EpochHistory, plan: EpochPlan) -> str:
    if position.epoch >= plan.epochs:
        return f"already trained for {position.epoch} epochs: pass more epochs to continue, or resume=False to begin again"
    return f"stopped in epoch {position.epoch}, {history.waited} epochs behind the best: pass more patience to continue"


def _interrupted(position: Position, plan: EpochPlan) -> str:
    return (
        f"interrupted in epoch {position.epoch + 1}, behind step {position.step}: call fit again to continue from "
        f"{plan.snapshot}"
    )
