"""Trained members of several trials in row space -> one plain Keras model: raw features in, answers out.

Only stock Keras layers and operations are used, so the saved file loads with ``keras.saving.load_model`` in safe mode
where GenoKeras is not installed. Members of equal graphs stay packed. Between the standardised features and the first
layers stands either one shared projection per basis or the folded kernels ``c V A``, whichever is smaller, Input by Input.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.features import RowSpace, key_of
from genokeras.graph import Dense, Graph, Weights
from genokeras.networks.packed import connect
from genokeras.networks.rescaled import rescaled
from genokeras.tasks.calibration import (
    SMALLEST_HAZARD,
    SMALLEST_SURVIVAL,
    Calibration,
    CurveCalibration,
    RiskCalibration,
)
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.task import Task


@dataclass(frozen=True)
class TrainedTrial:
    """The members of one trial in row space, as merging needs them.

    Attributes
    ----------
    graph : Graph
    activation : str
    weights : Weights
        Leading axis: members.
    spaces : mapping of int to tuple of RowSpace
        For each Input of the graph, by its id: one for every member, or a single one that all members share.
    share : float
        Weight of the trial in the delivered average.
    sharpness : float
        What its answers are multiplied by before they are averaged, where these are logarithms of hazards; else 1.
    """

    graph: Graph
    activation: str
    weights: Weights
    spaces: Mapping[int, tuple[RowSpace, ...]]
    share: float = 1.0
    sharpness: float = 1.0

    @property
    def n_members(self) -> int:
        return len(next(iter(self.weights.values()))["bias"])

    @cached_property
    def widths(self) -> dict[int, int]:
        """Width of the (zero-padded) basis that the members read by each Input."""
        return self.graph.infer_input_widths(
            {i: named["kernel"].shape[1] for i, named in self.weights.items()}
        )

    @property
    def every_space(self) -> tuple[RowSpace, ...]:
        """The spaces of all Inputs, one Input behind the other."""
        return tuple(space for spaces in self.spaces.values() for space in spaces)

    def of_members(self, input_id: int) -> tuple[RowSpace, ...]:
        """The space of each member by an Input."""
        spaces = self.spaces[input_id]
        return spaces * self.n_members if len(spaces) == 1 else spaces


def merge_rows(
    trials: Sequence[TrainedTrial],
    task: Task,
    n_features: int,
    medians: np.ndarray | None = None,
    calibration: Calibration | None = None,
    name: str = "genokeras",
    inputs: Mapping[str, int] | None = None,
    geometric: bool = False,
) -> Any:
    """Merge trained trials into one ``keras.Model``.

    Parameters
    ----------
    trials : sequence of TrainedTrial
        Their shares are normalised to sum to 1; members of a trial count equally.
    task : Task
        Its link turns outputs into answers, which are averaged.
    n_features : int
        Raw features.
    medians : numpy.ndarray, optional
        ``(n_features,)``; stand in for NaN.
    calibration : Calibration, optional
        Of the average; none by default.
    name : str
    inputs : mapping of str to int, optional
        Names and widths of the inputs, whose columns lie one behind the other; one called "features" by default.
    geometric : bool
        Average the logarithms of all members' probabilities, and normalise, in place of the probabilities.

    Returns
    -------
    keras.Model
        ``(batch, n_features)`` float32, or several such inputs -> ``(batch, n_outputs)`` answers.
    """
    read = [
        keras.Input((width,), name=part, dtype="float32")
        for part, width in (inputs or {"features": n_features}).items()
    ]
    raw = keras.layers.Concatenate(name="blocks")(read) if len(read) > 1 else read[0]
    merger = _Merger(_standardised(raw, trials, medians), n_features)
    answers: list[Any] = []
    shares: list[float] = []
    total = sum(trial.share for trial in trials)
    for number, (group, folded) in enumerate(_groups(trials)):
        answers.append(task.answer_tensor(merger.outputs(group, folded, f"g{number}_")))
        for trial in group:
            shares += [trial.share * trial.sharpness / trial.n_members] * trial.n_members
    stacked = keras.layers.Concatenate(axis=1)(answers) if len(answers) > 1 else answers[0]
    weights = np.asarray(shares, dtype="float32")[None, :, None] / np.float32(total)
    if geometric:
        stacked = ops.log(ops.maximum(stacked, SMALLEST_PROBABILITY))
    average = ops.sum(stacked * weights, axis=1)
    if geometric:
        average = keras.layers.Softmax(name="product")(average)
    answer = calibrated(average, calibration)
    return keras.Model(read if len(read) > 1 else raw, answer, name=name)


def calibrated(answers: Any, calibration: Calibration | None, name: str = "calibrated") -> Any:
    """The tensor of probabilities raised to a power, normalised, and mixed with a share of the uniform ones; of risks moved and stretched; of curves bent."""
    if calibration is None:
        return answers
    if isinstance(calibration, RiskCalibration):
        return keras.layers.Rescaling(calibration.sharpness, calibration.shift)(answers)
    if isinstance(calibration, CurveCalibration):
        return _bent(answers, calibration) if calibration.levels else answers
    found = answers
    if calibration.sharpness != 1.0:
        logs = ops.log(ops.maximum(found, SMALLEST_PROBABILITY))
        # A layer with a name: Keras before 3.13 saves operations without theirs, and reads this one as "softmax", as a layer may be called.
        found = keras.layers.Softmax(name=name)(calibration.sharpness * logs)
    if calibration.doubt:
        found = float(1.0 - calibration.doubt) * found + float(calibration.doubt / found.shape[-1])
    return found


def _bent(curves: Any, calibration: CurveCalibration) -> Any:
    """What `CurveCalibration.apply` makes of curves ``(batch, k)``."""
    logs = -ops.log(ops.maximum(curves, SMALLEST_SURVIVAL))
    hazards = ops.maximum(logs - ops.pad(logs[:, :-1], ((0, 0), (1, 0))), SMALLEST_HAZARD)
    levels = np.asarray(calibration.levels, dtype="float32")[None]
    bent = ops.exp(calibration.sharpness * ops.log(hazards) + levels)
    return ops.exp(-ops.cumsum(bent, axis=-1))


def _groups(trials: Sequence[TrainedTrial]) -> list[tuple[list[TrainedTrial], frozenset[int]]]:
    """Trials whose members can be packed together, and the Inputs that are folded (one trial by itself then)."""
    folded = _folded_inputs(trials)
    groups: dict[Any, tuple[list[TrainedTrial], frozenset[int]]] = {}
    for number, trial in enumerate(trials):
        inputs = frozenset(i for i in trial.graph.inputs if (number, i) in folded)
        alone = number if inputs else None
        key = alone, trial.graph, trial.activation, tuple(trial.widths.items())
        groups.setdefault(key, ([], inputs))[0].append(trial)
    return list(groups.values())


def _standardised(
    raw: Any, trials: Sequence[TrainedTrial], medians: np.ndarray | None
) -> dict[bytes | None, Any]:
    """The features standardised, as they are and behind each rescaling that a trial reads, by the rescaling's key."""
    filled = raw
    if medians is not None:
        filled = ops.where(ops.isnan(raw), np.asarray(medians, dtype="float32")[None], raw)
    by_rescaling: dict[bytes | None, list[RowSpace]] = {}
    for space in {id(s): s for trial in trials for s in trial.every_space}.values():
        by_rescaling.setdefault(key_of(space.rescaling), []).append(space)
    found: dict[bytes | None, Any] = {}
    for key, spaces in by_rescaling.items():
        mean, inverse_sd = np.zeros(raw.shape[1]), np.ones(raw.shape[1])
        for space in spaces:
            mean[space.columns] = space.mean
            inverse_sd[space.columns] = space.inverse_sd
        first = spaces[0].rescaling
        values = filled if first is None else rescaled(filled, first)
        # keras.layers.Normalization would do, if it did not take every standard deviation below 1e-7 for 1e-7.
        found[key] = (values - mean.astype("float32")[None]) * inverse_sd.astype("float32")[None]
    return found


def _first_layers(graph: Graph, input_id: int) -> list[int] | None:
    """The Dense layers that read an Input, or None where something else reads it too."""
    readers = graph.consumers(input_id)
    return list(readers) if all(isinstance(graph.layer(i).spec, Dense) for i in readers) else None


def _folded_inputs(trials: Sequence[TrainedTrial]) -> set[tuple[int, int]]:
    """Trials' numbers and ids of the Inputs to fold: those whose bases would cost more than the folded kernels of all their users."""
    users: dict[frozenset[int], list[tuple[int, int]]] = {}
    for number, trial in enumerate(trials):
        for input_id, spaces in trial.spaces.items():
            users.setdefault(frozenset(id(space.basis) for space in spaces), []).append((number, input_id))
    return {
        user
        for found in users.values()
        if _folding_is_smaller([(trials[number], input_id) for number, input_id in found])
        for user in found
    }


def _folding_is_smaller(users: Sequence[tuple[TrainedTrial, int]]) -> bool:
    """Whether ``V A`` for all the members of trials, by an Input each, holds fewer numbers than the bases ``V`` do."""
    folded, bases = 0, {}
    for trial, input_id in users:
        first = _first_layers(trial.graph, input_id)
        if first is None:
            return False
        units = sum(trial.weights[i]["bias"].shape[1] for i in first)
        for space in trial.of_members(input_id):
            if space.basis is None:
                return False
            folded += units * len(space.columns)
            bases[id(space.basis)] = space.basis.size
    return folded < sum(bases.values())


class _Merger:
    """Builds the parts of one merged model; a basis met twice is projected on once."""

    def __init__(self, standardised: dict[bytes | None, Any], n_features: int) -> None:
        self._standardised = standardised
        self._n_features = n_features
        self._tensors: dict[Hashable, Any] = {}

    def outputs(self, group: list[TrainedTrial], folded: frozenset[int], prefix: str) -> Any:
        """``(batch, members, n_outputs)`` of all the members of a group, one trial behind the other."""
        graph, activation = group[0].graph, group[0].activation
        members = sum(trial.n_members for trial in group)
        x: dict[int, Any] = {}
        given: dict[int, Any] = {}
        for input_id in graph.inputs:
            if input_id in folded:
                given |= self._folded(group[0], input_id)
                continue
            parts = [self._inputs(trial, input_id) for trial in group]
            x[input_id] = keras.layers.Concatenate(axis=1)(parts) if len(parts) > 1 else parts[0]
        logits, layers = connect(graph, x, members, activation, layout="rows", given=given, prefix=prefix)
        for layer_id, layer in layers.items():
            names = ("kernel", "bias")
            layer.set_weights(
                [np.concatenate([trial.weights[layer_id][n] for trial in group]) for n in names]
            )
        return logits

    def _inputs(self, trial: TrainedTrial, input_id: int) -> Any:
        """``(batch, members, width)``: what the members of a trial see by an Input."""
        views = [self._projection(space, trial.widths[input_id]) for space in trial.spaces[input_id]]
        if len(views) == 1:
            return keras.layers.RepeatVector(trial.n_members)(views[0])
        return ops.stack(views, axis=1)

    def _projection(self, space: RowSpace, width: int) -> Any:
        """``(batch, width)``: the basis, shared by the folds of a view, then the fold's own rotation."""
        basis = space.basis
        if basis is None:
            return self._features_part(space, width)
        base = self._once(("basis", id(basis)), lambda: _linear(self._selected(space), basis, None))
        rotation = np.eye(basis.shape[1]) if space.rotation is None else space.rotation
        kernel = np.zeros((rotation.shape[0], width), dtype="float32")
        kernel[:, : rotation.shape[1]] = space.scale * rotation
        return self._once(("space", id(space), width), lambda: _linear(base, kernel, None))

    def _features_part(self, space: RowSpace, width: int) -> Any:
        """Features that stay themselves, with zero columns behind them up to ``width``."""
        selected = self._selected(space)
        return (
            ops.pad(selected, ((0, 0), (0, width - len(space.columns))))
            if width > len(space.columns)
            else selected
        )

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._tensors:
            self._tensors[key] = make()
        return self._tensors[key]

    def _folded(self, trial: TrainedTrial, input_id: int) -> dict[int, Any]:
        """Outputs ``(batch, members, units)`` of the first layers behind an Input, straight from the standardised features."""
        given, spaces = {}, trial.spaces[input_id]
        for layer_id in _first_layers(trial.graph, input_id) or []:
            kernel, bias = trial.weights[layer_id]["kernel"], trial.weights[layer_id]["bias"]
            blocks = []
            for i, space in enumerate(spaces):
                members = range(trial.n_members) if len(spaces) == 1 else [i]
                projection = space.projection()
                whole = np.concatenate([projection @ kernel[m, : space.rank] for m in members], axis=1)
                blocks.append(
                    _linear(self._selected(space), whole, np.concatenate([bias[m] for m in members]))
                )
            flat = keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]
            given[layer_id] = keras.layers.Reshape((trial.n_members, bias.shape[1]))(flat)
        return given

    def _selected(self, space: RowSpace) -> Any:
        if len(space.columns) == self._n_features:
            return self._standardised[key_of(space.rescaling)]
        columns, features = space.columns, self._standardised[key_of(space.rescaling)]
        return self._once(
            ("columns", id(columns)), lambda: ops.take(features, columns.astype("int32"), axis=1)
        )


def _linear(x: Any, kernel: np.ndarray, bias: np.ndarray | None) -> Any:
    # Zeros cost nothing to draw.
    layer = keras.layers.Dense(int(kernel.shape[1]), use_bias=bias is not None, kernel_initializer="zeros")
    outputs = layer(x)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return outputs
