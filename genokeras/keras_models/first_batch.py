"""Whether data fit a net: the first batch's inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from genokeras.errors import DataError
from genokeras.keras_models.first_targets import check_targets
from genokeras.keras_models.net_shapes import input_shapes, like_shape
from genokeras.streams import Batch
from genokeras.streams.arrays import is_text
from genokeras.support.wording import counted, did_you_mean, listed


def input_check(net: keras.Model, name: str) -> Callable[[Batch], None]:
    """A check of the first batch: does the net read such inputs?

    Parameters
    ----------
    net : keras.Model
    name : str
        What error messages call the data.
    """
    return lambda batch: check_inputs(name, batch[0], net)


def batch_check(net: keras.Model, loss: Any, name: str, given: Any) -> Callable[[Batch], None]:
    """A check of the first batch: does the net read such inputs, and the loss such targets?

    Parameters
    ----------
    net : keras.Model
    loss : str, function, keras.losses.Loss, or list or dict of them
    name : str
        What error messages call the data.
    given : object
        The data as they were given.
    """

    def check(batch: Batch) -> None:
        if batch[1] is None:
            raise DataError(
                f"{name} has no targets: pass (x, y) as a tuple, got {_described(given, batch[0])}."
            )
        check_inputs(name, batch[0], net)
        check_targets(name, batch, net, loss)

    return check


def check_inputs(name: str, x: Any, net: keras.Model) -> None:
    """Check the inputs of a batch.

    Parameters
    ----------
    name : str
        What error messages call the data.
    x : array, or list or dict of arrays
    net : keras.Model
        One that does not know its inputs yet reads anything.

    Raises
    ------
    DataError
        If they have other names, another number or other shapes than those that the net reads, or are text where it reads
        numbers.
    """
    wanted = input_shapes(net)
    if not wanted:
        return
    if isinstance(x, dict) and (len(wanted) > 1 or set(wanted) & set(x)):
        missing = [one for one in wanted if one not in x]
        if missing and not _by_order(net, x):
            raise DataError(
                f"{name}: the net reads the inputs {listed(wanted)}, but x holds {listed(x)}, and no {missing[0]!r}."
                f"{did_you_mean(missing[0], x)} Name the arrays of x as the inputs of the net."
            )
        leaves = list(keras.tree.flatten(x)) if missing else [x[one] for one in wanted]
    else:
        leaves = keras.tree.flatten(x)
    if len(leaves) != len(wanted):
        raise DataError(
            f"{name}: the net reads {counted(len(wanted), 'input')} ({listed(wanted)}), but x holds "
            f"{counted(len(leaves), 'array')}: pass one array for each input."
        )
    reads = dict(zip(wanted, keras.tree.flatten(getattr(net, "inputs", None) or []), strict=False))
    for leaf, (key, shape) in zip(leaves, wanted.items(), strict=True):
        found, expected = tuple(leaf.shape)[1:], shape[1:]
        of = f"x of the input {key!r}" if len(wanted) > 1 else "x"
        if is_text(leaf) and getattr(reads.get(key), "dtype", "string") != "string":
            raise DataError(
                f"{name}: the net reads numbers, but {of} holds text ({', '.join(map(repr, map(str, leaf.flat[:2])))}...): pass "
                "numbers, or build the net with keras.Input(..., dtype='string') and a layer that reads text."
            )
        if not like_shape(found, expected):
            raise DataError(
                f"{name}: the net reads rows of shape {_shown(expected)}, but {of} has rows of shape {found}: pass x of shape "
                f"{_shown(('n_samples', *expected))}, or build the net with keras.Input({found})."
            )


def _by_order(net: keras.Model, x: dict[Any, Any]) -> bool:
    """Whether Keras takes a dict by the order of its keys, as it does where the net was built with a list of inputs."""
    return not isinstance(getattr(net, "input", None), dict) and len(x) == len(net.inputs)


def _shown(shape: tuple[Any, ...]) -> str:
    inner = ", ".join("any" if size is None else str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _described(given: Any, x: Any) -> str:
    if isinstance(given, list):
        return f"a list of {counted(len(given), 'array')}, which are all taken for inputs"
    if isinstance(given, dict):
        return f"a dict of {listed(map(repr, given))}, which are all taken for inputs"
    if isinstance(given, tuple):
        return "a tuple whose second part is None"
    if hasattr(given, "shape"):
        kind = "a table" if hasattr(given, "to_numpy") else "an array"
        return f"{kind} of shape {tuple(given.shape)}"
    shapes = ", ".join(str(tuple(leaf.shape)) for leaf in keras.tree.flatten(x))
    return f"batches of x alone, of shape {shapes}"
