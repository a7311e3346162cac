"""Data of an input function as batches, and what a model is told of their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError
from genokeras.keras_models.functions import Functions
from genokeras.streams import Batch, Batches, BatchesEndedError


def feed(
    functions: Functions,
    run_mode: str,
    *,
    batch_size: int,
    auto_batch: bool = False,
    seed: int = 0,
    shuffle: bool | None = None,
) -> Batches:
    """The batches of a mode: shuffled and whole ones only for training, as they come otherwise.

    A generator is begun anew by calling the input function again.
    """
    data = functions.inputs(run_mode, batch_size)
    if isinstance(data, Iterator):
        begun = [data]
        data = lambda: begun.pop() if begun else functions.inputs(run_mode, batch_size)  # noqa: E731
    training = run_mode == "train"
    return Batches.of(
        data,
        batch_size=batch_size,
        shuffle=training if shuffle is None else shuffle,
        seed=seed,
        auto_batch=auto_batch,
        whole_only=training,
        name=f"the data of input_fn for run_mode {run_mode!r}",
    )


def training_batches(batches: Batches, needed: int) -> Iterator[Batch]:
    """As many batches as are needed, epoch after epoch.

    Raises
    ------
    DataError
        If there are fewer.
    """
    given = batches.endless(needed=needed)
    for count in range(needed):
        try:
            yield next(given)[2]
        except BatchesEndedError as error:
            raise DataError(
                f"input_fn gave {count} batches for run_mode 'train', but {needed} are needed: let it return arrays, a dataset "
                "that repeats, or a new generator every time that it is called; or ask for fewer steps."
            ) from error


def checked_targets(batch: Batch, run_mode: str) -> Batch:
    """The batch, if it has targets.

    Raises
    ------
    DataError
        If it has none.
    """
    if batch[1] is None:
        raise DataError(f"input_fn must give (x, y) for run_mode {run_mode!r}, but it gives no y.")
    return batch


def inputs_spec(x: Any) -> Any:
    """Symbolic inputs of the structure of `x`, each with its shape (its first axis open) and dtype.

    They are what ``keras.Input`` returns, so that a model can be built on them.
    """
    flat = keras.tree.flatten_with_path(x)
    inputs = [_input(path, leaf) for path, leaf in flat]
    return keras.tree.pack_sequence_as(x, inputs)


def _input(path: tuple[Any, ...], leaf: Any) -> Any:
    name = re.sub(r"[^0-9A-Za-z_]", "_", "_".join(str(part) for part in path)) or None
    if name is not None and not name[0].isalpha():
        name = f"input_{name}"
    return keras.Input(tuple(leaf.shape[1:]), dtype=_dtype(leaf), name=name)


def _dtype(leaf: Any) -> str:
    if isinstance(leaf.dtype, np.dtype) and leaf.dtype.kind in "USO":
        return "string"
    name = str(keras.backend.standardize_dtype(leaf.dtype))
    return str(keras.config.floatx()) if "float" in name else name
