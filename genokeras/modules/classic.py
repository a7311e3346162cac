"""The two modules: perceptrons and convolutional networks."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import ClassVar, final

from genokeras.encoders import CHANNELS_FIRST, FLAT, KEPT
from genokeras.engine import Fathers
from genokeras.errors import DataError
from genokeras.graph import Shape, feature_mlp, residual_cnn, small_cnn
from genokeras.modules.module import NetModule
from genokeras.searchers import HyperSpace

MLP_SPACE = HyperSpace(
    learning_rate=(1e-3, 2e-3, 4e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.0, 0.2, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
CNN_SPACE = HyperSpace(
    learning_rate=(1e-3, 2e-3, 4e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.1, 0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Classic AutoKeras' default_model_len and default_model_width.
LENGTH, WIDTH = 3, 64


@final
class MlpModule(NetModule):
    """Searches for a perceptron by network morphism, as ``MlpModule`` of classic AutoKeras did.

    Samples of several axes are read as one row of numbers. Networks are trained on ``train_data`` and compared on ``test_data``.

    Parameters
    ----------
    loss : function, str, or keras.losses.Loss
        ``gk.classification_loss`` (class numbers or one-hot targets; answers are probabilities), ``gk.regression_loss`` (mean
        squared error), a loss of Keras, its name, or any function ``(y_true, y_pred)`` of tensors that returns a number a row, or
        one in all. Cross-entropies of Keras get probabilities answered, whatever their ``from_logits``; all other losses see
        plain outputs, and a function of class targets thus logits. Of a function with several outputs, whole numbers ``(n,)`` as
        targets are class numbers.
    metric : class, function or str
        ``gk.Accuracy`` or ``gk.MSE``, "accuracy", "roc_auc" and so on, a metric of Keras (class, instance or name), a class with
        ``compute(prediction, target)`` and ``higher_better()``, or a function ``(y_true, y_pred)`` such as scikit-learn's: see
        :class:`genokeras.keras_models.RowMetric` for when it gets labels and when probabilities. An attribute ``greater_is_better``
        says which way is better, or else the name: errors, losses, deviances, distances and the like are better low, all others high.
    searcher_args : dict, optional
        ``trainer_args`` (``max_iter_num`` epochs of a trial at most, 200; ``max_no_improvement_num`` scorings without
        improvement, 5; ``min_loss_dec``, 1e-4; ``batch_size``), ``max_trials``, ``default_model_len`` and ``default_model_width``
        (layers of the first network and their width, 3 and 64), ``search_type`` (a Searcher class or instance), ``fathers``
        (of "mlp", "shallow_mlp", or graphs) and whatever else the searcher takes.
    path : path-like, optional
        The run folder, new or empty. By default a temporary one, which is gone when Python ends.
    verbose : bool, default=False
        Progress on stderr.
    search_type : optional
        As in `searcher_args`.
    random_state : int, optional
        Seed; drawn, and written down in ``run.json``, where it is None.

    Attributes
    ----------
    best_model : LoadedGraph
        The best graph; ``produce_keras_model(weights=True)`` is ``model_``.
    model_ : keras.Model
        Samples as they were given in, what ``predict`` answers out.
    final_evaluation_ : dict or None
        Loss and metric on the ``test_data`` of ``final_fit``.
    history_ : DataFrame
        Learning curves.
    path_, n_trials_, stop_reason_, notes_
        As of ``SequenceClassifier``.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD.

    Examples
    --------
    >>> import genokeras as gk
    >>> module = gk.MlpModule(loss=gk.classification_loss, metric=gk.Accuracy, searcher_args={}, path="runs/mlp")
    >>> module.fit(3, x_train.shape, (x_train, y_train), (x_test, y_test), time_limit=600)  # doctest: +SKIP
    >>> module.final_fit((x_train, y_train), (x_test, y_test), retrain=True)  # doctest: +SKIP
    >>> module.predict(x_new)  # doctest: +SKIP
    """

    kind: ClassVar[str] = "mlp_module"

    def _layout(self, found: Shape, wanted: Shape, name: str) -> str:
        if not prod(found):
            raise DataError(f"{name}: samples of shape {found} hold no numbers.")
        return KEPT if len(found) == 1 else FLAT

    def _fathers(self, shape: Shape, n_outputs: int, length: int | None, width: int | None) -> Fathers:
        width = width or WIDTH
        known = {
            "mlp": partial(feature_mlp, shape, n_outputs, (width,) * (length or LENGTH)),
            "shallow_mlp": partial(feature_mlp, shape, n_outputs, (2 * width,)),
        }
        return Fathers(known, tuple(known), MLP_SPACE, ())


@final
class CnnModule(NetModule):
    """Searches for a convolutional network by network morphism, as ``CnnModule`` of classic AutoKeras did.

    Samples are ``(length, channels)`` or ``(height, width, channels)``. Where ``input_shape`` says so and loaders give the
    channels first, as PyTorch's do, networks turn the samples themselves. Nothing is augmented: a loader may do that, but it is
    read once.

    Parameters
    ----------
    loss, metric, path, verbose, search_type, random_state
        As of ``MlpModule``.
    searcher_args : dict, optional
        As of ``MlpModule``; fathers are "small_cnn", whose blocks ``default_model_len`` and ``default_model_width`` set (32 and 64
        filters by default), "residual_cnn", or graphs.

    Attributes
    ----------
    best_model, model_, final_evaluation_, history_, path_, n_trials_, stop_reason_, notes_
        As of ``MlpModule``.

    Examples
    --------
    >>> import genokeras as gk
    >>> module = gk.CnnModule(loss=gk.classification_loss, metric=gk.Accuracy, searcher_args={}, path="runs/cnn")
    >>> module.fit(10, x_train.shape, train_loader, test_loader, time_limit=600)  # doctest: +SKIP
    >>> module.best_model.produce_keras_model().summary()  # doctest: +SKIP
    """

    kind: ClassVar[str] = "cnn_module"

    def _layout(self, found: Shape, wanted: Shape, name: str) -> str:
        if len(found) not in (2, 3) or not prod(found):
            raise DataError(
                f"CnnModule reads samples (length, channels) or (height, width, channels), but those of {name} have shape {found}. "
                "Add an axis of channels, or take MlpModule for rows of numbers."
            )
        return KEPT if wanted == found else CHANNELS_FIRST

    def _fathers(self, shape: Shape, n_outputs: int, length: int | None, width: int | None) -> Fathers:
        blocks = (width or WIDTH,) * (length or LENGTH) if length or width else (32, 64)
        known = {
            "small_cnn": partial(small_cnn, shape, n_outputs, filters=blocks),
            "residual_cnn": partial(residual_cnn, shape, n_outputs),
        }
        return Fathers(known, tuple(known), CNN_SPACE, ())
