"""The weights of one arc, cut out of those that all arcs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.graph import Dense, Weights
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph


@dataclass(frozen=True)
class SharedWeights:
    """The weights of a supernet.

    Attributes
    ----------
    space : ArcSpace
    params : tuple of numpy.ndarray
        Kernel ``(folds, in, out)`` and bias ``(folds, 1, out)`` of the stem, every layer and the logits.
    """

    space: ArcSpace
    params: tuple[np.ndarray, ...]

    @property
    def n_outputs(self) -> int:
        return int(self.params[-1].shape[-1])


def sliced_weights(shared: SharedWeights, arc: Arc) -> Weights:
    """What an arc's own network needs to compute what the supernet computes for it.

    Parameters
    ----------
    shared : SharedWeights
    arc : Arc

    Returns
    -------
    Weights
        For ``arc_to_graph(arc, shared.space, shared.n_outputs)``; the leading axis are the folds.
    """
    units = shared.space.units(arc)
    graph = arc_to_graph(arc, shared.space, shared.n_outputs)
    dense = [layer for layer in graph.layers if isinstance(layer.spec, Dense)]
    rows: list[Sequence[int]] = [(shared.params[0].shape[1],)]
    for number, bits in enumerate(arc.skips):
        rows.append((units[number], *(units[source] for source, bit in enumerate(bits) if bit)))
    rows.append(units[-1:])
    columns = (*units, shared.n_outputs)
    weights: Weights = {}
    for number, layer in enumerate(dense):
        kernel, bias = shared.params[2 * number : 2 * number + 2]
        # Each part that comes in meets the same rows of the shared kernel, as many as it has units.
        parts = [kernel[:, :part, : columns[number]] for part in rows[number]]
        weights[layer.id] = {
            "kernel": np.concatenate(parts, axis=1),
            "bias": bias[:, 0, : columns[number]].copy(),
        }
    return weights
