"""The networks of a run behind their row-space coordinates, as one Keras model that is quick to differentiate.

``networks.export`` makes small files; here every first layer of every member that reads one basis is a slice of a single matrix
product, and nothing is repeated or padded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.features import RowSpace
from genokeras.graph import Dense, Graph
from genokeras.networks import TrainedTrial
from genokeras.networks.packed import connect
from genokeras.searchers import Calibration

SMALLEST_PROBABILITY = 1e-7


@dataclass
class _Product:
    """What is read from one basis: matrices ``(r, units)`` and biases, side by side."""

    kernels: list[np.ndarray] = field(default_factory=list)
    biases: list[np.ndarray] = field(default_factory=list)
    width: int = 0

    def take(self, kernel: np.ndarray, bias: np.ndarray) -> int:
        """Add a matrix; returns the column where it begins."""
        self.kernels.append(kernel)
        self.biases.append(bias)
        self.width += kernel.shape[1]
        return self.width - kernel.shape[1]


@dataclass(frozen=True)
class _Member:
    """One member of a trial: its number there, its space, and its weight in the average."""

    trial: TrainedTrial
    number: int
    space: RowSpace
    share: float


def make_head(
    trials: Sequence[TrainedTrial],
    places: Mapping[int, slice],
    n_coordinates: int,
    calibration: Calibration,
) -> Any:
    """The average of all members, from coordinates to class probabilities.

    Parameters
    ----------
    trials : sequence of TrainedTrial
    places : mapping of int to slice
        Where the coordinates of a space's basis are, by ``id`` of the space.
    n_coordinates : int
    calibration : Calibration

    Returns
    -------
    keras.Model
        ``(rows, n_coordinates)`` -> ``(rows, n_classes)``.
    """
    groups = [
        (key, sorted(members, key=lambda m: places[id(m.space)].start))
        for key, members in _groups(trials).items()
    ]
    products: dict[int, _Product] = {}
    columns = [_read(members, key[0], places, products) for key, members in groups]
    q = keras.Input((n_coordinates,), name="coordinates", dtype="float32")
    stops = {place.start: place.stop for place in places.values()}
    computed = {start: _dense(q[:, start : stops[start]], product) for start, product in products.items()}
    parts: list[Any] = []
    shares: list[float] = []
    for number, ((key, members), read) in enumerate(zip(groups, columns, strict=True)):
        given = {layer: _gathered(computed, pieces) for layer, pieces in read.items()}
        parts.append(_probabilities(key[0], key[1], members, given, f"g{number}_"))
        shares += [member.share for member in members]
    stacked = ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
    weights = np.asarray(shares, dtype="float32")[None, :, None] / np.float32(sum(shares))
    return keras.Model(q, _calibrated(ops.sum(stacked * weights, axis=1), calibration))


def _groups(trials: Sequence[TrainedTrial]) -> dict[tuple[Graph, str], list[_Member]]:
    groups: dict[tuple[Graph, str], list[_Member]] = {}
    for trial in trials:
        share = trial.share / trial.n_members
        for number, space in enumerate(trial.space_of_member):
            member = _Member(trial, number, space, share)
            groups.setdefault((trial.graph, trial.activation), []).append(member)
    return groups


def _read(
    members: list[_Member], graph: Graph, places: Mapping[int, slice], products: dict[int, _Product]
) -> dict[int, list[tuple[int, int, int, int]]]:
    """For each layer that is read from coordinates: (basis, first column, members, units) pieces in member order."""
    readers = graph.consumers(graph.input)
    dense = all(isinstance(graph.layer(i).spec, Dense) for i in readers)
    width = max(member.trial.input_units for member in members)
    found: dict[int, list[tuple[int, int, int, int]]] = {}
    for layer in readers if dense else (graph.input,):
        pieces: list[tuple[int, int, int, int]] = []
        for member in members:
            kernel, bias = _linear(member, layer if dense else None, width)
            basis = places[id(member.space)].start
            column = products.setdefault(basis, _Product()).take(kernel, bias)
            if pieces and pieces[-1][0] == basis:
                _, first, count, units = pieces.pop()
                pieces.append((basis, first, count + 1, units))
            else:
                pieces.append((basis, column, 1, kernel.shape[1]))
        found[layer] = pieces
    return found


def _linear(member: _Member, layer: int | None, width: int) -> tuple[np.ndarray, np.ndarray]:
    """From a basis' coordinates to a first layer of a member, or to its inputs, zeros behind them, where ``layer`` is None."""
    space = member.space
    size = len(space.columns) if space.basis is None else space.basis.shape[1]
    turned = np.eye(size, dtype="float32") if space.rotation is None else space.rotation
    turned = np.float32(1.0 if space.basis is None else space.scale) * turned
    if layer is None:
        return np.pad(turned, ((0, 0), (0, width - turned.shape[1]))), np.zeros(width, dtype="float32")
    weights = member.trial.weights[layer]
    kernel = np.asarray(weights["kernel"][member.number], dtype="float32")
    return turned @ kernel[: turned.shape[1]], np.asarray(weights["bias"][member.number], dtype="float32")


def _dense(x: Any, product: _Product) -> Any:
    layer = keras.layers.Dense(product.width)
    outputs = layer(x)
    layer.set_weights([np.concatenate(product.kernels, axis=1), np.concatenate(product.biases)])
    return outputs


def _gathered(computed: Mapping[int, Any], pieces: list[tuple[int, int, int, int]]) -> Any:
    """``(rows, members, units)``."""
    blocks = [
        ops.reshape(computed[basis][:, first : first + count * units], (-1, count, units))
        for basis, first, count, units in pieces
    ]
    return ops.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]


def _probabilities(
    graph: Graph, activation: str, members: list[_Member], given: Mapping[int, Any], prefix: str
) -> Any:
    logits, layers = connect(graph, None, len(members), activation, layout="rows", given=given, prefix=prefix)
    for layer_id, layer in layers.items():
        layer.set_weights(
            [
                np.stack([member.trial.weights[layer_id][name][member.number] for member in members])
                for name in ("kernel", "bias")
            ]
        )
    return ops.softmax(logits, axis=-1)


def _calibrated(average: Any, calibration: Calibration) -> Any:
    """As ``networks.export`` has it."""
    if calibration.sharpness != 1.0:
        logs = ops.log(ops.maximum(average, SMALLEST_PROBABILITY))
        average = ops.softmax(calibration.sharpness * logs, axis=-1)
    if calibration.doubt:
        return float(1.0 - calibration.doubt) * average + float(calibration.doubt / average.shape[-1])
    return average
