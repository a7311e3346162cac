"""Colour refinement of layer graphs: the fingerprint, and the labels that graph distance counts.

Two layers get one colour while nothing around them tells them apart (Weisfeiler & Leman 1968). Colours are
hex digests, so that they mean the same in every process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from genokeras.graph.layer import Layer
from genokeras.graph.specs import Add


def digest(*parts: object) -> str:
    """Return 32 hex digits for a nesting of lists, tuples, strings and numbers."""
    text = json.dumps(parts, separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fingerprint_of(layers: tuple[Layer, ...]) -> str:
    """Return the hex digest of topologically ordered layers; see `Graph.fingerprint`."""
    colours = {layer.id: digest(layer.spec.to_dict()) for layer in layers}
    n_colours = 0
    # A round sees all of a layer's ancestors and descendants, so few are needed until no colour splits.
    while len(set(colours.values())) > n_colours:
        n_colours = len(set(colours.values()))
        upward = _from_inputs(layers, colours)
        downward = _from_consumers(layers, colours)
        colours = {id: digest(upward[id], downward[id]) for id in colours}
    edges = sorted(
        [colours[s], colours[la.id], _place(la, p)] for la in layers for p, s in enumerate(la.inputs)
    )
    return digest(sorted(colours.values()), edges)


def neighbour_round(layers: tuple[Layer, ...], labels: Mapping[int, str]) -> dict[int, str]:
    """Return one Weisfeiler-Lehman round: each label joined with those the layer reads and is read by."""
    readers = _readers(layers)
    return {
        layer.id: digest(
            labels[layer.id],
            _ordered(layer, [labels[source] for source in layer.inputs]),
            sorted([labels[reader.id], _place(reader, place)] for reader, place in readers[layer.id]),
        )
        for layer in layers
    }


def _from_inputs(layers: tuple[Layer, ...], colours: Mapping[int, str]) -> dict[int, str]:
    refined: dict[int, str] = {}
    for layer in layers:
        refined[layer.id] = digest(colours[layer.id], _ordered(layer, [refined[s] for s in layer.inputs]))
    return refined


def _from_consumers(layers: tuple[Layer, ...], colours: Mapping[int, str]) -> dict[int, str]:
    readers = _readers(layers)
    refined: dict[int, str] = {}
    for layer in reversed(layers):
        around = sorted([refined[reader.id], _place(reader, place)] for reader, place in readers[layer.id])
        refined[layer.id] = digest(colours[layer.id], around)
    return refined


def _readers(layers: tuple[Layer, ...]) -> dict[int, list[tuple[Layer, int]]]:
    readers: dict[int, list[tuple[Layer, int]]] = {layer.id: [] for layer in layers}
    for layer in layers:
        for place, source in enumerate(layer.inputs):
            readers[source].append((layer, place))
    return readers


def _ordered(layer: Layer, labels: Iterable[str]) -> list[str]:
    return sorted(labels) if isinstance(layer.spec, Add) else list(labels)


def _place(layer: Layer, place: int) -> str:
    # Zero-padded text sorts like the numbers; the inputs of an Add have no order.
    return "" if isinstance(layer.spec, Add) else f"{place:04d}"
