"""All there is to go on from, in one file: weights, optimizer, random states, position."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from genokeras.errors import ParameterError, RunFolderError
from genokeras.streams import Batch
from genokeras.support.files import read_arrays, write_arrays
from genokeras.support.json_files import check_format, parse_json
from genokeras.training.random_state import random_state, set_random_state
from genokeras.training.steps import Position, settle

_FORMAT = 1
_KINDS = ("model", "optimizer", "metrics")
_ELSEWHERE = "or keep the new training in another place, or remove the file to begin again."
_ADVICE = {
    "model": f"Build the model as it was then, {_ELSEWHERE}",
    "optimizer": "It was another optimizer, or other layers were trainable: choose the optimizer, and set layer.trainable, as "
    f"they were then, {_ELSEWHERE}",
    "metrics": "Give the metrics of then.",
}


def save_snapshot(
    path: str | os.PathLike[str], model: keras.Model, position: Position, extra: dict[str, Any]
) -> None:
    """Write what training goes on from; what was there before stays until the new file is whole.

    Parameters
    ----------
    path : path-like
    model : keras.Model
        Compiled, with its optimizer built.
    position : Position
    extra : dict
        Anything that JSON can hold.

    Raises
    ------
    RunFolderError
        If the file cannot be written.
    """
    settle(model)
    arrays: dict[str, np.ndarray] = {}
    known: dict[str, list[dict[str, Any]]] = {}
    for kind, variables in _variables(model).items():
        values = [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]
        known[kind] = [
            {"path": variable.path, "shape": list(value.shape), "dtype": value.dtype.name}
            for variable, value in zip(variables, values, strict=True)
        ]
        # As bytes: npz does not know bfloat16.
        arrays |= {f"{kind}_{i}": np.frombuffer(value.tobytes(), "uint8") for i, value in enumerate(values)}
    head = {"format": _FORMAT, "position": asdict(position), "extra": extra, "variables": known}
    arrays |= {f"random_{i}": state for i, state in enumerate(random_state())}
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), "uint8")
    write_arrays(path, arrays)


def load_snapshot(
    path: str | os.PathLike[str], model: keras.Model, batch: Batch | None = None
) -> tuple[Position, dict[str, Any]]:
    """Put a model where it was when the snapshot was written.

    Parameters
    ----------
    path : path-like
    model : keras.Model
        Built and compiled as it was then.
    batch : Batch, optional
        Any batch, to build the model's metrics with, so that their values within an epoch come back too.

    Returns
    -------
    position : Position
    extra : dict

    Raises
    ------
    RunFolderError
        If the file cannot be read, or is none.
    ParameterError
        If the model or its optimizer has other variables; it is then left as it was.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if batch is not None:
        x, y, weight = batch
        model.test_on_batch(x, y, sample_weight=weight)
    head, arrays = _read(path)
    pairs: list[tuple[Any, np.ndarray]] = []
    for kind, variables in _variables(model).items():
        known = head["variables"][kind]
        if kind == "metrics" and not _alike(known, variables):
            continue  # they are not built yet
        if len(known) != len(variables):
            raise ParameterError(
                f"{os.fspath(path)!r} was written for {'a model' if kind == 'model' else 'an optimizer'} of {len(known)} "
                f"variables, but this one has {len(variables)}. {_ADVICE[kind]}"
            )
        for i, (was, variable) in enumerate(zip(known, variables, strict=True)):
            pairs.append((variable, _value(path, was, variable, arrays[f"{kind}_{i}"])))
    for variable, value in pairs:
        variable.assign(value)
    set_random_state(
        [arrays[f"random_{i}"] for i in range(sum(name.startswith("random_") for name in arrays))]
    )
    return Position(**head["position"]), head["extra"]


def read_extra(path: str | os.PathLike[str]) -> tuple[Position, dict[str, Any]]:
    """The position and the extra of a snapshot, without a model."""
    head, _ = _read(path)
    return Position(**head["position"]), head["extra"]


def _variables(model: keras.Model) -> dict[str, list[Any]]:
    own = [*model.variables, *getattr(model, "unseen", ())]
    return dict(zip(_KINDS, (own, model.optimizer.variables, model.metrics_variables), strict=True))


def _alike(known: list[dict[str, Any]], variables: list[Any]) -> bool:
    return [tuple(was["shape"]) for was in known] == [tuple(variable.shape) for variable in variables]


def _value(
    path: str | os.PathLike[str], was: dict[str, Any], variable: Any, content: np.ndarray
) -> np.ndarray:
    own = keras.ops.convert_to_numpy(variable)
    if tuple(was["shape"]) != own.shape or was["dtype"] != own.dtype.name:
        raise ParameterError(
            f"{os.fspath(path)!r} was written for another model: {was['path']!r} was {was['dtype']} of shape "
            f"{tuple(was['shape'])}, but {variable.path!r} is {own.dtype.name} of shape {own.shape}."
        )
    return np.frombuffer(content.tobytes(), own.dtype).reshape(own.shape)


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    arrays = read_arrays(path)
    try:
        head = parse_json(arrays.pop("head").tobytes())
        found = head["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{os.fspath(path)!r} is no snapshot of a training, or is damaged.") from error
    check_format(repr(os.fspath(path)), found, _FORMAT)
    return head, arrays
