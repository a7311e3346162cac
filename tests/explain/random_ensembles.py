"""Small ensembles of random networks in row space, and what Keras makes of the same networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from genokeras.features import RowSpace, fit_views, key_of
from genokeras.graph import ACTIVATIONS, Graph, mlp, reference_forward
from genokeras.graph.testing import random_graph, random_weights
from genokeras.networks import TrainedTrial, build_packed, slot_array
from genokeras.tasks.task import Task

GENES, ROWS, FOLDS = 20, 10, 2
# What further Inputs read; one is also the view of some main Inputs.
FURTHER = ("log", "top15", "top6")
VIEWS = ("all", "log", "top15", "log:top15", "top6", "weighted12", "rank:top15", "ratio")
TRAIN = np.arange(ROWS) % FOLDS != np.arange(FOLDS)[:, None]


def expression(n: int = ROWS, seed: int = 0) -> np.ndarray:
    """``(n, GENES)`` intensities; one gene is constant."""
    x = np.random.default_rng(seed).gamma(2.0, 3.0, size=(n, GENES)).astype("float32")
    x[:, 2] = 4.0
    return x


_FITTED = fit_views(VIEWS, expression(), np.arange(ROWS) % 2, TRAIN)


def spaces(view: str) -> tuple[RowSpace, ...]:
    """A space for each fold; the same objects for every trial, as in a run."""
    return _FITTED[view].spaces


def trial_of(graph: Graph, view: str, activation: str, seed: int, share: float = 1.0) -> TrainedTrial:
    """A member for each fold, with random weights that are zero nowhere."""
    read = {i: spaces(name) for i, name in graph.views(view).items()}
    units = {i: max(space.rank for space in found) + seed % 2 for i, found in read.items()}
    weights = random_weights(graph, units, FOLDS, np.random.default_rng(seed))
    return TrainedTrial(graph, activation, weights, read, share)


def random_trial(seed: int, n_outputs: int) -> TrainedTrial:
    """A random graph with this number of outputs, on one of the views, or on several where the seed is odd."""
    rng = np.random.default_rng(seed)
    views = FURTHER[: 3 * (seed % 2)]
    graphs = (random_graph(rng, int(rng.integers(0, 7)), views=views) for _ in range(200))
    graph = next((graph for graph in graphs if graph.n_outputs == n_outputs), mlp(n_outputs, (4,)))
    return trial_of(graph, VIEWS[seed % len(VIEWS)], ACTIVATIONS[seed % len(ACTIVATIONS)], seed)


def read_by(trials: Sequence[TrainedTrial], x: np.ndarray) -> dict[bytes | None, np.ndarray]:
    """``(n, GENES)`` samples as the networks read them: as they are, behind the logarithm, or both."""
    read = {key_of(space.rescaling): space.rescaling for trial in trials for space in trial.every_space}
    return {key: x if each is None else each.apply(x) for key, each in read.items()}


class KerasMembers:
    """The packed Keras network of a trial, behind what its members read of the genes."""

    def __init__(self, trial: TrainedTrial) -> None:
        self._trial = trial
        self._network = build_packed(trial.graph, trial.widths, trial.n_members, trial.activation)
        self._weights = [
            ops.convert_to_tensor(slot_array(trial.weights, slot)) for slot in self._network.slots
        ]
        self._kernels, self._means = {}, {}
        for i, width in trial.widths.items():
            kernels = np.zeros((trial.n_members, GENES, width), dtype="float32")
            means = np.zeros((trial.n_members, 1, GENES), dtype="float32")
            for member, space in enumerate(trial.of_members(i)):
                kernels[member, space.columns, : space.rank] = space.projection() * space.inverse_sd[:, None]
                means[member, 0, space.columns] = space.mean
            self._kernels[i], self._means[i] = ops.convert_to_tensor(kernels), ops.convert_to_tensor(means)

    def outputs(self, read: dict[bytes | None, Any]) -> Any:
        """``(members, rows, outputs)`` tensor, of tensors ``(rows, GENES)``."""
        x = []
        for i, kernel in self._kernels.items():
            u = read[key_of(self._trial.spaces[i][0].rescaling)]
            x.append(ops.matmul(u[None] - self._means[i], kernel))
        masks = [ops.ones((*x[0].shape[:2], units)) for _, units in self._network.masks]
        return self._network.model.stateless_call(self._weights, [], [*x, *masks])[0]


def mean_answers(trials: Sequence[TrainedTrial], task: Task, x: np.ndarray) -> np.ndarray:
    """``(n, outputs)`` the weighted mean of the members' answers, each on its own transform, by the definition of graphs."""
    found = np.zeros((len(x), task.n_outputs))
    for trial in trials:
        for member in range(trial.n_members):
            z = {}
            for i, width in trial.widths.items():
                found_z = trial.of_members(i)[member].transform(x)
                z[i] = np.pad(found_z, ((0, 0), (0, width - found_z.shape[1])))
            own = {i: {k: a[[member]] for k, a in named.items()} for i, named in trial.weights.items()}
            outputs = reference_forward(trial.graph, own, z, trial.activation)[0]
            found += trial.share / trial.n_members * task.answers_of(outputs)
    return found / sum(trial.share for trial in trials)
