"""Names of losses and metrics, checked before anything is trained with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from genokeras.errors import ParameterError
from genokeras.support.wording import did_you_mean, duplicates, listed

# Keras chooses by the shapes what these mean.
LOSSES_BY_SHAPE = ("crossentropy", "ce")
# Columns of a history beside those of the metrics.
_RESERVED = ("loss", "epoch", "seconds", "learning_rate")
_NO_NAMES = ("get", "serialize", "deserialize", "Loss", "Metric", "MeanMetricWrapper")


def check_loss_names(loss: Any) -> None:
    """Check every name in a loss, or in a list or dict of losses.

    Raises
    ------
    ParameterError
        If Keras has no such loss.
    """
    for name in keras.tree.flatten(loss):
        if isinstance(name, str) and name.lower() not in LOSSES_BY_SHAPE:
            _check(name, "loss", keras.losses, LOSSES_BY_SHAPE)


def check_metric_name(metric: Any, by_shape: tuple[str, ...]) -> None:
    """Check a metric that is a name.

    Parameters
    ----------
    metric : object
        What is no name is left to others.
    by_shape : tuple of str
        Names whose meaning depends on the shapes.

    Raises
    ------
    ParameterError
        If Keras has no such metric.
    """
    if isinstance(metric, str) and metric.lower() not in by_shape:
        _check(metric, "metric", keras.metrics, by_shape)


def check_columns(names: Iterable[str], what: str = "metrics") -> None:
    """Check that every metric has a column of its own in the history.

    Parameters
    ----------
    names : iterable of str
        Of the metrics, without the loss.
    what : str
        What error messages call where they come from.

    Raises
    ------
    ParameterError
        If a name is there twice, or that of another column, as those that begin with ``val_`` are.
    """
    given = list(names)
    odd = [f"{name!r} is there {given.count(name)} times" for name in duplicates(given)]
    for name in dict.fromkeys(given):
        if name in _RESERVED:
            odd.append(f"{name!r} is a column of its own")
        elif name.startswith("val_"):
            odd.append(f"{name!r} begins as those on validation rows do")
    if odd:
        example = ", as in metrics={'f1_macro': ...}" if what == "metrics" else ""
        raise ParameterError(
            f"every name among the {what} must be that of one column of the history, but {listed(odd)}: give other names"
            f"{example}."
        )


def _check(name: str, kind: str, module: Any, others: tuple[str, ...]) -> None:
    try:
        module.get(name)
    except (ValueError, TypeError) as error:
        public = [one for one in dir(module) if not one.startswith("_") and one not in _NO_NAMES]
        # Of a class and its function, whose name is written like other arguments, the function.
        known = {one.replace("_", "").lower(): one for one in [*sorted(public), *others]}
        raise ParameterError(
            f"Keras has no {kind} that the name {name!r} gives.{did_you_mean(name, known.values(), 1)} Pass a name of "
            f"keras.{'losses' if kind == 'loss' else 'metrics'}, an object of it, or a function."
        ) from error
