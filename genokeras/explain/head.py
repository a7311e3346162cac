"""The networks of a run behind their row-space coordinates: packs of members of one graph, and the average of their answers.

===========  ==============================================================================  =================
symbol       meaning                                                                         shape
===========  ==============================================================================  =================
H            what the leaves of a pack's members compute, one below the other                ``(C, P)``
k, p         outputs; average of the members' answers, before it is calibrated or scaled     ``(k, P)``
===========  ==============================================================================  =================

``networks.merge_rows`` makes one Keras model of the same members. That is a small file; this is quick to differentiate, see
``genokeras.explain.lines``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from genokeras.explain.links import Inner
from genokeras.explain.members import Arrays, Network, PackedWeights, centred_leaves
from genokeras.features import RowSpace
from genokeras.graph import Graph
from genokeras.networks import TrainedTrial

# Points of a batch, and numbers of a tensor: the dozen tensors of a member then fit into a processor's cache.
POINTS, _NUMBERS = 1024, 2**16

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class _Member:
    """One member of a trial: its number there, its space by each Input, and its weight in the average."""

    trial: TrainedTrial
    number: int
    spaces: Mapping[int, RowSpace]
    share: float


@dataclass(frozen=True, eq=False)
class Reading:
    """What the leaves behind one Input make of its basis' coordinates.

    Attributes
    ----------
    place : slice
        Of the coordinates.
    rows : slice
        Of ``H``.
    kernel : numpy.ndarray
        ``(r, rows)``: leaf by leaf, there member by member.
    """

    place: slice
    rows: slice
    kernel: np.ndarray


@dataclass(frozen=True, eq=False)
class Pack:
    """Members of one graph that read one basis by each Input.

    Attributes
    ----------
    network : Network
    readings : tuple of Reading
        From the coordinates to the leaves, one for each Input.
    bias : numpy.ndarray
        ``(C,)``.
    leaves : dict of int to (slice, int)
        Rows of ``H`` and units of each leaf.
    weights : mapping of int to (numpy.ndarray, numpy.ndarray)
        Of the Dense layers that are no leaves: ``(members, inputs, units)`` and ``(members, units)``.
    shares : numpy.ndarray
        ``(members,)`` what each counts in the average, its trial's sharpness included.
    """

    network: Network
    readings: tuple[Reading, ...]
    bias: np.ndarray
    leaves: dict[int, tuple[slice, int]]
    weights: PackedWeights
    shares: np.ndarray

    def at(self, q: np.ndarray) -> np.ndarray:
        """``(n, n_coordinates)`` -> ``H``, ``(C, n)``."""
        parts = [each.kernel.T @ q[:, each.place].T.astype("float32") for each in self.readings]
        return np.asarray(np.concatenate(parts) if len(parts) > 1 else parts[0]) + self.bias[:, None]

    def add_gradients(self, gradients: np.ndarray, d: np.ndarray) -> None:
        """Add to ``(K, P, n_coordinates)`` what ``(K, C, P)`` gradients with respect to ``H`` give."""
        for each in self.readings:
            gradients[:, :, each.place] += np.matmul(d[:, each.rows].transpose(0, 2, 1), each.kernel.T)

    def blocks(self, points: int, step: int = 1) -> Iterator[slice]:
        """Members that are worked on at once, of every ``step``-th."""
        widest = max(
            *(units for _, units in self.leaves.values()),
            *(bias.shape[1] for _, bias in self.weights.values()),
            1,
        )
        size = step * max(1, _NUMBERS // (widest * points))
        return (slice(start, start + size, step) for start in range(0, len(self.shares), size))

    def of(self, members: slice) -> PackedWeights:
        """The weights of some members."""
        return {i: (kernel[members], bias[members]) for i, (kernel, bias) in self.weights.items()}

    def parts(self, h: np.ndarray, members: slice) -> Arrays:
        """Views of ``H``: ``(members, units, ...)`` of each leaf."""
        return {
            i: h[rows].reshape(len(self.shares), units, *h.shape[1:])[members]
            for i, (rows, units) in self.leaves.items()
        }


def make_packs(trials: Sequence[TrainedTrial], places: Mapping[int, slice]) -> tuple[Pack, ...]:
    """The members of all trials, packed; those with the largest shares first in each pack.

    Parameters
    ----------
    trials : sequence of TrainedTrial
    places : mapping of int to slice
        Where the coordinates of a space's basis are, by ``id`` of the space.
    """
    total = sum(trial.share for trial in trials)
    groups: dict[tuple[Graph, str, tuple[tuple[int, int, int], ...]], list[_Member]] = {}
    # A rough average takes the first member of every pack, which must not be one without weight.
    for trial in sorted(trials, key=lambda trial: -trial.share):
        share = trial.share * trial.sharpness / total / trial.n_members
        by_input = {i: trial.of_members(i) for i in trial.graph.inputs}
        for number in range(trial.n_members):
            spaces = {i: found[number] for i, found in by_input.items()}
            read = tuple((i, trial.widths[i], places[id(space)].start) for i, space in spaces.items())
            key = trial.graph, trial.activation, read
            groups.setdefault(key, []).append(_Member(trial, number, spaces, share))
    return tuple(
        _pack(graph, activation, members, places) for (graph, activation, _), members in groups.items()
    )


def _pack(graph: Graph, activation: str, members: list[_Member], places: Mapping[int, slice]) -> Pack:
    network = Network(graph, activation)
    centred = centred_leaves(graph)
    readings, biases = [], []
    leaves: dict[int, tuple[slice, int]] = {}
    position = 0
    for source, of_input in network.leaves_of_input.items():
        kernels, first = [], position
        for leaf in of_input:
            found = [_linear(member, source, leaf, leaf in centred) for member in members]
            units = len(found[0][1])
            leaves[leaf] = slice(position, position + units * len(members)), units
            position += units * len(members)
            kernels += [kernel for kernel, _ in found]
            biases += [bias for _, bias in found]
        place = places[id(members[0].spaces[source])]
        readings.append(Reading(place, slice(first, position), np.concatenate(kernels, axis=1)))
    weights = {
        layer: (_stacked(members, layer, "kernel"), _stacked(members, layer, "bias"))
        for layer in network.inner_dense
    }
    shares = np.array([member.share for member in members], dtype="float32")
    return Pack(network, tuple(readings), np.concatenate(biases), leaves, weights, shares)


def _linear(member: _Member, source: int, leaf: int, centred: bool) -> tuple[np.ndarray, np.ndarray]:
    """From a basis' coordinates to a leaf of a member, which may be the Input itself, zeros behind them."""
    space = member.spaces[source]
    size = len(space.columns) if space.basis is None else space.basis.shape[1]
    turned = np.eye(size, dtype="float32") if space.rotation is None else space.rotation
    turned = np.asarray(np.float32(1.0 if space.basis is None else space.scale) * turned, dtype="float32")
    if leaf == source:
        width = member.trial.widths[source]
        return np.pad(turned, ((0, 0), (0, width - turned.shape[1]))), np.zeros(width, dtype="float32")
    weights = member.trial.weights[leaf]
    kernel = np.asarray(weights["kernel"][member.number], dtype="float32")[: turned.shape[1]]
    bias = np.asarray(weights["bias"][member.number], dtype="float32")
    if centred:
        kernel, bias = kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()
    return turned @ kernel, bias


def _stacked(members: list[_Member], layer: int, name: str) -> np.ndarray:
    return np.stack([np.asarray(m.trial.weights[layer][name][m.number], dtype="float32") for m in members])


class Head:
    """The average of all members, and its gradients.

    Parameters
    ----------
    packs : sequence of Pack
    inner : Inner
        From each member's outputs to its answers.
    n_coordinates, n_outputs : int
    """

    def __init__(self, packs: Sequence[Pack], inner: Inner, n_coordinates: int, n_outputs: int) -> None:
        self.packs, self.inner = tuple(packs), inner
        self.n_coordinates, self.n_outputs = n_coordinates, n_outputs

    def average(self, q: np.ndarray) -> np.ndarray:
        """``(n, n_coordinates)`` -> ``p``, ``(k, n)`` float32."""
        found = np.zeros((self.n_outputs, len(q)), dtype="float32")

        def work(rows: slice) -> None:
            for pack in self.packs:
                h = pack.at(q[rows])
                for block in pack.blocks(h.shape[1]):
                    z = pack.network.logits(pack.parts(h, block), pack.of(block))
                    found[:, rows] += np.tensordot(pack.shares[block], self.inner.answers(z), 1)

        in_threads(work, [slice(start, start + POINTS) for start in range(0, len(q), POINTS)])
        return found


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Finding out which libraries are loaded takes longer than a batch."""
    return ThreadpoolController()


def in_threads(work: Callable[[Batch], None], batches: Sequence[Batch]) -> None:
    """Call ``work`` on every batch, a thread for each core; matrix products stay within their thread."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if min(cores, len(batches)) < 2:
        for batch in batches:
            work(batch)
        return
    with _libraries().limit(limits=1, user_api="blas"), ThreadPoolExecutor(min(cores, len(batches))) as pool:
        for _ in pool.map(work, batches):
            pass
