"""Where samples lie before the output layer: the numbers that the weightiest network of a run tells classes apart by."""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.engine.methods import row_trial
from genokeras.engine.run import Run
from genokeras.features import Matrix
from genokeras.graph import Dense, Graph
from genokeras.graph.reference import reference_tensors
from genokeras.networks import TrainedTrial

_ROWS_AT_ONCE = 2048


def penultimate(run: Run, x: Matrix) -> np.ndarray:
    """``(n, units)`` float32: what the output layer of the network with the largest share in the ensemble reads.

    That is its last hidden layer, or, where the network is linear, its row-space coordinates; of the member that was trained on the first
    fold, because units of different members have nothing in common.

    Parameters
    ----------
    run : Run
        Of a table.
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n, n_features)`` raw rows in the order of the run, without missing values.
    """
    heaviest = max(run.delivery.shares.items(), key=lambda item: item[1])[0]
    trial = row_trial(run.problem, run.network(run.history.get(heaviest)))
    kept = last_hidden(trial.graph)
    rows: Any = x
    parts = [
        _activations(trial, rows[start : start + _ROWS_AT_ONCE], kept)
        for start in range(0, x.shape[0], _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def last_hidden(graph: Graph) -> tuple[int, ...]:
    """Ids of the layers that the output layer reads: hidden ones, or where there are none what it reads directly."""
    read: list[int] = []
    waiting = [graph.output]
    while waiting:
        layer = graph.layer(waiting.pop())
        if isinstance(layer.spec, Dense):
            read += layer.inputs
        else:
            waiting += layer.inputs
    hidden = [i for i in read if _is_hidden(graph, i)]
    return tuple(sorted(set(hidden or read)))


def _is_hidden(graph: Graph, layer_id: int) -> bool:
    return any(isinstance(graph.layer(i).spec, Dense) for i in (layer_id, *graph.ancestors(layer_id)))


def _activations(trial: TrainedTrial, x: Any, kept: tuple[int, ...]) -> np.ndarray:
    weights = {
        i: {name: values[:1] for name, values in arrays.items()} for i, arrays in trial.weights.items()
    }
    read = {}
    for i in trial.graph.inputs:
        z = trial.of_members(i)[0].transform(x)
        read[i] = np.pad(z, ((0, 0), (0, trial.widths[i] - z.shape[1])))
    tensors = reference_tensors(trial.graph, weights, read, trial.activation)
    return np.concatenate([tensors[i][0] for i in kept], axis=1).astype("float32")
