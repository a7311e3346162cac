"""A trainer around any Keras model, which stays a plain Keras model."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import pandas as pd

from genokeras.errors import NotFittedError, ParameterError
from genokeras.keras_models.backend_errors import backend_errors_named
from genokeras.keras_models.epoch_curves import EpochCurves
from genokeras.keras_models.epoch_history import Best, EpochHistory, check_monitor
from genokeras.keras_models.epoch_log import EpochLog
from genokeras.keras_models.epochs import EpochPlan, EpochTraining
from genokeras.keras_models.first_batch import batch_check, input_check
from genokeras.keras_models.light_nets import as_keras_net, set_mode
from genokeras.keras_models.light_parts import (
    check_place,
    checked_path,
    ended,
    ending,
    metric_names,
    nothing_to_do,
    takes_any_length,
)
from genokeras.keras_models.metric_directions import monitored_mode
from genokeras.keras_models.net_shapes import output_shapes
from genokeras.keras_models.recipe import RateSchedule, Recipe, make_recipe
from genokeras.keras_models.same_training import check_same, described_data, described_net, details
from genokeras.keras_models.step_shell import step_names, step_recipe, step_wrapped
from genokeras.keras_models.stepping import Stepping
from genokeras.keras_models.wrapped_net import (
    PRECISIONS,
    WrappedNet,
    check_distribution,
    judging_net,
    trains_itself,
    wrapped,
)
from genokeras.report import plot_metric
from genokeras.report.picture import Picture
from genokeras.streams import Batches
from genokeras.support.checks import check_choice, check_whole
from genokeras.support.retracing import without_retracing_advice
from genokeras.training import (
    KeptVariables,
    Position,
    TorchOptimizer,
    evaluate_batches,
    load_snapshot,
    predict_batches,
    seed_noise,
)
from genokeras.training.snapshot import read_extra
from genokeras.training.steps import check_trainable

_PREDICTED_ROWS = 256


class LightModel(Stepping):
    """Trains a Keras model, keeps its best weights, draws its curves and resumes what was interrupted.

    The net itself stays a plain Keras model: it is not compiled, and what is saved of it loads with ``keras`` alone. Only one
    with a ``train_step``, ``test_step``, ``compute_loss`` or ``compute_metrics`` of its own is compiled, as it trains itself.

    Either ``compile`` says how to train, or a subclass does, by two methods: ``shared_step(batch)`` returns a dict with "loss"
    and whatever else is to be logged, as means over the batch; ``configure_optimizers()`` returns an optimizer, or
    ``{"optimizer": ..., "lr_scheduler": ...}``. With these the net may be a ``torch.nn.Module``, where Keras runs on PyTorch;
    its optimizer and scheduler are PyTorch's then.

    Parameters
    ----------
    net : keras.Model or torch.nn.Module
    distribution : keras.distribution.DataParallel or ModelParallel, optional
        Train on several devices; with JAX. The net has to be serialisable, as a copy of it is spread.
    mixed_precision : {"bfloat16", "float16"}, optional
        What layers compute in while training, except those whose outputs are the net's. Weights stay float32, and with float16
        the loss is scaled. Layers with another dtype policy than float32 keep it.

    Attributes
    ----------
    net : keras.Model or torch.nn.Module
        With the best weights after `fit`.
    history : pandas.DataFrame
        One row per epoch: ``epoch`` (from 1), the loss and the metrics, those on validation rows as ``val_...``,
        ``learning_rate`` and ``seconds``. The loss is the mean over all rows. Where the net has several outputs, the loss of each
        is what Keras computes, the mean over the batches: a smaller last batch counts as much as the others.
    best : Best or None
        Path, score and epoch of the best checkpoint.
    interrupted : bool
        Whether Ctrl-C, SIGTERM or SIGUSR1 ended the last `fit`, which is gone on with when called again.

    Raises
    ------
    ParameterError
        If `net` is none of these, or precision or distribution are not available; and, where a subclass is defined, if it has
        a hook of PyTorch Lightning that nobody calls.

    Examples
    --------
    >>> model = gk.LightModel(net)  # doctest: +SKIP
    >>> model.compile("adam", "binary_crossentropy", metrics=["accuracy", sklearn.metrics.f1_score])  # doctest: +SKIP
    >>> history = model.fit((x, y), (x_valid, y_valid), epochs=20, ckpt_path="best.keras")  # doctest: +SKIP
    >>> net = keras.saving.load_model("best.keras")  # doctest: +SKIP
    """

    def __init__(self, net: Any, *, distribution: Any = None, mixed_precision: str | None = None) -> None:
        self._stepped = type(self).shared_step is not Stepping.shared_step
        check_choice(mixed_precision, "mixed_precision", (*PRECISIONS, None))
        check_distribution(distribution)
        self._model = as_keras_net(net, self._stepped, mixed_precision, distribution)
        self.net = net
        self.history = pd.DataFrame()
        self.interrupted = False
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
        metrics : list, or dict of name to metric, or of output to metrics, optional
            Keras metrics and their names, and any function ``(y_true, y_pred) -> float`` of all rows, such as
            scikit-learn's: see :class:`RowMetric` for when it gets labels and when probabilities. Functions see the training
            rows too, unless those come from an iterable that is read once an epoch. Where the net has several outputs: a dict
            of output to metrics of Keras, whose columns are called by both, such as ``c_mae``.
        schedule : {"cosine", "plateau"}, function or keras schedule, optional
            A function takes the epoch, counted from 0, and returns the learning rate; a keras schedule takes the step.
            ``"cosine"`` falls to 0 over the epochs; ``"plateau"`` halves the rate where nothing improved for half of
            the patience.
        accumulate : int
            Batches whose gradients are averaged for one step of the optimizer.

        Raises
        ------
        ParameterError
            If one of them is nothing that can be trained with, or metrics have one name, or that of another column.
        """
        if self._stepped:
            raise ParameterError(
                "shared_step and configure_optimizers say how this model is trained: leave out compile, or shared_step."
            )
        outputs = tuple(output_shapes(self._model))
        self._recipe = make_recipe(optimizer, loss, metrics, schedule, accumulate, outputs)
        self._judge = None

    @without_retracing_advice()
    def fit(
        self,
        train: Any,
        valid: Any = None,
        epochs: int = 10,
        ckpt_path: str | os.PathLike[str] = "best.keras",
        monitor: str = "val_loss",
        mode: str = "auto",
        patience: int | None = 5,
        resume: bool = True,
        plot: bool = True,
        batch_size: int = 32,
        seed: int = 0,
        verbose: int = 1,
        snapshot_seconds: float = 10.0,
        save_top_k: int = 1,
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
            An epoch ends where they end: what repeats for ever cannot be trained on.
        epochs : int
            In all, those before a resume included.
        ckpt_path : path-like
            Of the best net, a ``.keras`` file. The other files are written beside it.
        monitor : str
            The column of the history that says which epoch is best.
        mode : {"auto", "min", "max"}
            Whether the lowest or the highest value is best. ``"auto"``: the highest of an accuracy, AUC, F1, precision, recall,
            R2 or ``..._score``, and of metrics whose Keras class says so; else the lowest. The log says which.
        patience : int or None
            Epochs without a better one before training stops; None: it never does.
        resume : bool
            Continue from what is found at the path. False begins again, from the net's current weights, and overwrites.
        plot : bool
            Draw the curves: live in a notebook, elsewhere as ``best_loss.png`` and so on beside the checkpoint.
        batch_size : int
            Rows of a batch, where the data are arrays.
        seed : int
            Of the order of the rows. Noise, as of dropout, is by the random states of the layers, so that a net that was built
            with the same ``keras.utils.set_random_seed`` trains alike.
        verbose : {0, 1}
        snapshot_seconds : float
            Between snapshots, at least; they never take more than a twentieth of the time. 0: a snapshot at every step.
        save_top_k : int
            Above 1, the nets of this number of best epochs are kept too, as ``best-epoch=03.keras`` and so on; -1: of all.

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
            If the data hold no rows, or different numbers of them; if there are no targets, or the data do not fit the net and
            its loss; if they never end.
        TrainingError
            If the loss is no longer finite, or the backend cannot compute a step; the net then has the best weights so far.
        RunFolderError
            If `ckpt_path` cannot be written, which is seen before anything is trained; or the disk fills up later.
        """
        recipe = step_recipe(self.configure_optimizers()) if self._stepped else self._compiled()
        path = checked_path(ckpt_path, self._model)
        aim = monitored_mode(monitor, mode, recipe)
        check_whole(epochs, "epochs")
        check_whole(1 if patience is None else patience, "patience")
        check_whole(1 if save_top_k == -1 else save_top_k, "save_top_k (-1 for all)")
        options = {"batch_size": batch_size}
        rows = self._batches(
            train, "train", shuffle=True, seed=seed, whole_only=self._distribution is not None, **options
        )
        judged = None if valid is None else self._batches(valid, "valid", **options)
        plain = rows
        if self._stepped:
            rows, judged = rows.whole(), None if judged is None else judged.whole()
        plan = EpochPlan(
            epochs=epochs,
            path=path,
            monitor=monitor,
            mode=aim,
            patience=patience,
            snapshot_seconds=snapshot_seconds,
            keep=save_top_k,
            settings={
                **recipe.described(),
                **described_net(self._model, plain),
                "mixed_precision": str(self._precision),
                "monitor": f"{monitor} {aim}",
                "batch_size": str(batch_size),
                "seed": str(seed),
                **described_data(rows, judged),
            },
            details=details(self._model, recipe, self.shared_step if self._stepped else None),
        )
        check_place(path)
        curves = EpochCurves(path, monitor) if plot else None
        start_weights = KeptVariables(self._model.weights)
        with (
            self._wrapped(recipe, rows) as made,
            EpochLog(epochs, rows.n_batches, verbose) as log,
        ):
            check_trainable(made.model, rows)
            names = metric_names(made, rows, recipe)
            check_monitor(monitor, names, judged is not None)
            position, history = self._begin(made, plan, rows, resume)
            on_epoch = None if curves is None else curves.epoch
            training = EpochTraining(made, recipe, plan, rows, judged, history, log, on_epoch)
            try:
                if training.finished(position):
                    log.say(nothing_to_do(position, history, plan))
                else:
                    position = training.run(position)
            finally:
                made.publish()
                self._take(history, start_weights)
            self.interrupted = training.interrupted
            log.say(ended(position, history, plan, interrupted=self.interrupted))
        if curves is not None and len(self.history):
            curves.draw(self.history)
        return self.history

    @without_retracing_advice()
    def evaluate(self, data: Any, batch_size: int = 256) -> dict[str, float]:
        """The loss and all metrics.

        Parameters
        ----------
        data : tuple of (x, y) or (x, y, sample_weight), dataset, loader, generator or function
        batch_size : int

        Returns
        -------
        dict of str to float
            The loss of each of several outputs is a mean over batches, which depends a little on `batch_size`.

        Raises
        ------
        NotFittedError
            Before `compile`.
        DataError
            If there are no targets, the data do not fit the net and its loss, or they never end.
        """
        batches = self._batches(data, "data", batch_size=batch_size)
        if self._stepped:
            return self._step_evaluated(batches)
        recipe = self._compiled()
        if self._judge is None or self._judge is self.net:  # which others may have compiled meanwhile
            self._judge = judging_net(self.net, recipe)
        with backend_errors_named(lambda: "data cannot be evaluated"):
            found = evaluate_batches(self._judge, batches)
        if recipe.row_metrics:
            outputs, targets = predict_batches(self.net, batches)
            found |= {m.name: m.value(outputs, targets, recipe.loss) for m in recipe.row_metrics}
        return found

    @without_retracing_advice()
    def predict(self, x: Any, batch_size: int = _PREDICTED_ROWS) -> Any:
        """The net's outputs.

        Parameters
        ----------
        x : array, or list or dict of arrays, of shape (n_samples, ...); or an iterable of batches
        batch_size : int

        Returns
        -------
        array, or list or dict of arrays, of shape (n_samples, ...)

        Raises
        ------
        DataError
            If the net does not read rows of this shape, or the batches never end.
        """
        batches = Batches(x, batch_size=batch_size, same_shapes=not takes_any_length(self._model))
        ending(batches, "x").check_first(input_check(self._model, "x"))
        return predict_batches(self._model, batches)[0]

    def plot(self, metric: str = "loss") -> Picture:
        """A metric by epoch, on training and validation rows."""
        return plot_metric(self.history, metric)

    # ---- parts

    def _batches(self, data: Any, name: str, **options: Any) -> Batches:
        """The data as batches, the first of which is compared with the net and its loss."""
        made = Batches.of(data, name=name, same_shapes=not takes_any_length(self._model), **options)
        ending(made, name)
        if self._recipe is not None and not trains_itself(self._model):
            made.check_first(batch_check(self._model, self._recipe.loss, name, data))
            # To look into a stream ahead of its time would change what it draws between two epochs.
            if made.seekable:
                made.first()
        return made

    def _wrapped(self, recipe: Recipe, rows: Batches) -> AbstractContextManager[WrappedNet]:
        if not self._stepped:
            return wrapped(self._model, recipe, self._precision, self._distribution, rows.first()[0])
        return step_wrapped(
            self._model,
            recipe,
            self.shared_step,
            step_names(self.shared_step, rows, self._set_mode),
            self._set_mode,
        )

    def _step_evaluated(self, batches: Batches) -> dict[str, float]:
        if self._judge is None:
            whole = batches.whole()
            recipe = step_recipe(keras.optimizers.SGD(0.0))
            names = step_names(self.shared_step, whole, self._set_mode)
            with step_wrapped(self._model, recipe, self.shared_step, names, self._set_mode) as made:
                self._judge = made.model
        return evaluate_batches(self._judge, batches.whole())

    def _set_mode(self, training: bool) -> None:
        set_mode(self.net, training=training)

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
            seed_noise(made.model)
            return Position(), EpochHistory(first_rate=float(optimizer.learning_rate))
        _, extra = read_extra(plan.snapshot)
        check_same(extra, plan)
        if isinstance(optimizer, TorchOptimizer):
            optimizer.prime()
        position, extra = load_snapshot(plan.snapshot, made.model, rows.first())
        if isinstance(optimizer, TorchOptimizer):
            optimizer.rate_at(position.epoch)
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
        if self.best is not None and os.path.exists(self.best.path):  # not where the disk refused it
            self._model.load_weights(self.best.path)
        elif not all(np.isfinite(weight).all() for weight in self._model.get_weights()):
            start_weights.put_back()
