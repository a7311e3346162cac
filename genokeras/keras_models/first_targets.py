"""Whether targets fit the outputs of a net and its loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError
from genokeras.keras_models.net_shapes import Shape, like_shape, output_shapes, same_shape
from genokeras.streams import Batch
from genokeras.streams.arrays import as_numpy
from genokeras.support.wording import counted, did_you_mean, listed

_SPARSE = "sparsecategoricalcrossentropy"
_ONE_HOT = ("categoricalcrossentropy", "categoricalfocalcrossentropy")
_BINARY = ("binarycrossentropy", "bce", "binaryfocalcrossentropy")
# They compare each number of the outputs with one of the targets.
_ELEMENTWISE = (
    *("meansquarederror", "mse", "meanabsoluteerror", "mae", "meanabsolutepercentageerror", "mape"),
    *("meansquaredlogarithmicerror", "msle", "huber", "logcosh", "poisson", "hinge", "squaredhinge"),
    *("kldivergence", "kullbackleiblerdivergence", "kld", "cosinesimilarity", *_ONE_HOT, *_BINARY),
)


def check_targets(name: str, batch: Batch, net: keras.Model, loss: Any) -> None:
    """Check the targets of a batch.

    Parameters
    ----------
    name : str
        What error messages call the data.
    batch : tuple of (x, y, sample_weight)
    net : keras.Model
        One that does not know its outputs yet has their names and shapes unchecked.
    loss : str, function, keras.losses.Loss, or list or dict of them
        Functions that are not of Keras take any targets.

    Raises
    ------
    DataError
        If they have other names or shapes than the outputs, or are labels or numbers that the loss does not take.
    """
    _, y, weight = batch
    outputs = output_shapes(net)
    if not outputs:
        return
    losses = _losses(loss, outputs)
    for key, target in _targets(name, y, outputs, [one for one in outputs if losses.get(one) is not None]):
        what = f"{name}: y of the output {key!r}" if len(outputs) > 1 else f"{name}: y"
        _check_leaf(what, target, outputs[key], losses.get(key), weight is None)


def _losses(loss: Any, outputs: dict[str, Shape]) -> dict[str, Any]:
    """The loss of each output."""
    if isinstance(loss, dict):
        return dict(loss)
    if isinstance(loss, list | tuple):
        # Several losses of one output are added.
        return dict(zip(outputs, loss, strict=True)) if len(loss) == len(outputs) else {}
    return dict.fromkeys(outputs, loss)


def _targets(name: str, y: Any, outputs: dict[str, Shape], judged: list[str]) -> Iterator[tuple[str, Any]]:
    """Each output that has targets, with them."""
    are = f"the net has {counted(len(outputs), 'output')} ({listed(outputs)})"
    if isinstance(y, dict):
        unknown = [key for key in y if key not in outputs]
        missing = [key for key in judged if key not in y]
        if unknown or missing:
            key = (unknown or missing)[0]
            wrong = f"y holds {key!r}" if unknown else f"y holds no {key!r}"
            hint = did_you_mean(key, outputs) if unknown else ""
            one = " pass y as an array, or" if len(outputs) == 1 else ""
            raise DataError(f"{name}: {are}, but {wrong}:{one} name the parts of y as the outputs.{hint}")
        yield from y.items()
        return
    leaves = keras.tree.flatten(y)
    for keys in (list(outputs), judged):
        if len(leaves) == len(keys):
            yield from zip(keys, leaves, strict=True)
            return
    example = f"{{{', '.join(f'{key!r}: ...' for key in list(outputs)[:3])}}}"
    advice = "pass y as one array" if len(outputs) == 1 else f"pass y as a dict, {example}"
    raise DataError(f"{name}: {are}, but y holds {counted(len(leaves), 'array')}: {advice}.")


def _check_leaf(what: str, target: Any, output: Shape, loss: Any, values: bool) -> None:
    kind, found, expected = _kind(loss), tuple(target.shape)[1:], output[1:]
    if kind == _SPARSE:
        if not (same_shape(found, expected[:-1]) or same_shape(found, (*expected[:-1], 1))):
            one_hot = len(expected) and same_shape(found, expected)
            advice = "pass loss='categorical_crossentropy'" if one_hot else "pass one label per sample"
            raise DataError(
                f"{what} has rows of shape {found}, but {_quoted(loss)} needs the number of a class per sample, of shape "
                f"{expected[:-1]}: {advice}."
            )
        if values:
            _check_labels(what, as_numpy(target), expected[-1], loss)
        return
    if kind not in _ELEMENTWISE:
        return
    if not like_shape(found, expected):
        labels = kind in _ONE_HOT and (
            same_shape(found, expected[:-1]) or same_shape(found, (*expected[:-1], 1))
        )
        advice = (
            "pass loss='sparse_categorical_crossentropy' where y holds the numbers of classes"
            if labels
            else "give the last layer of the net as many units as y has columns, or pass y of the shape of the outputs"
        )
        raise DataError(
            f"{what} has rows of shape {found}, but the net gives rows of shape {expected}: {advice}."
        )
    if kind in _BINARY and values:
        numbers = as_numpy(target)
        if ((numbers < 0) | (numbers > 1)).any():
            raise DataError(
                f"{what} holds numbers from {np.nanmin(numbers):g} to {np.nanmax(numbers):g}, but {_quoted(loss)} needs "
                "them from 0 to 1: pass 0 and 1, or loss='sparse_categorical_crossentropy' and an output per class."
            )


def _check_labels(what: str, labels: np.ndarray, n_outputs: int | None, loss: Any) -> None:
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    if n_outputs is None or config.get("axis", -1) != -1:
        return
    labels = (
        labels[labels != config.get("ignore_class")] if config.get("ignore_class") is not None else labels
    )
    if labels.size and (labels.min() < 0 or labels.max() >= n_outputs):
        raise DataError(
            f"{what} holds labels from {labels.min():g} to {labels.max():g}, but the net has "
            f"{counted(n_outputs, 'output')}, for labels from 0 to {n_outputs - 1}: give the last layer of the net an output per "
            "class, and number the classes from 0."
        )


def _kind(loss: Any) -> str:
    """The loss of Keras in small letters without ``_``; empty for a user's own."""
    if not isinstance(loss, str):
        loss = loss if hasattr(loss, "__name__") else type(loss)
        if str(getattr(loss, "__module__", "")).split(".")[0] != "keras":
            return ""
        loss = loss.__name__
    return str(loss).replace("_", "").lower()


def _quoted(loss: Any) -> str:
    """The loss as a user calls it."""
    return f"the loss {loss if isinstance(loss, str) else getattr(loss, '__name__', type(loss).__name__)!r}"
