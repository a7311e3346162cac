"""One layer of a graph: what it does and what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genokeras.errors import GraphError
from genokeras.graph.specs import LayerSpec, spec_from_dict
from genokeras.support.checks import check_whole
from genokeras.support.json_files import check_format


@dataclass(frozen=True)
class Layer:
    """One layer of a graph.

    Parameters
    ----------
    id : int
        Name of the layer and of the tensor it makes; unique within its graph.
    spec : LayerSpec
        What the layer does.
    inputs : tuple of int
        Ids of the layers it reads, in order.
    """

    id: int
    spec: LayerSpec
    inputs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", check_whole(self.id, "Layer.id", 0, error=GraphError))
        if not isinstance(self.spec, LayerSpec):
            raise GraphError(f"layer {self.id} needs a layer spec such as Dense(64), got {self.spec!r}.")
        inputs = tuple(
            check_whole(i, f"an input of layer {self.id}", 0, error=GraphError) for i in self.inputs
        )
        object.__setattr__(self, "inputs", inputs)
        try:
            self.spec.check_n_inputs(len(inputs))
        except GraphError as error:
            raise GraphError(f"layer {self.id}: {error}") from None

    def __str__(self) -> str:
        return f"layer {self.id} ({self.spec})"


def layers_from_dict(data: object, version: int) -> list[Layer]:
    """Read the layers of a graph's JSON, which must be of this format version."""
    if not isinstance(data, Mapping):
        raise GraphError(f"a graph must be a JSON object, got {type(data).__name__}.")
    missing = [name for name in ("format", "layers") if name not in data]
    if missing:
        raise GraphError(f"the graph is incomplete: it lacks {' and '.join(map(repr, missing))}.")
    check_format("the graph", data["format"], version, GraphError)
    if not isinstance(data["layers"], list):
        raise GraphError(f"'layers' must be a list, got {type(data['layers']).__name__}.")
    return [layer_from_dict(position, entry) for position, entry in enumerate(data["layers"])]


def layer_from_dict(position: int, entry: object) -> Layer:
    """Read one entry of a graph's JSON; `position` counts from 0 and stands in messages."""
    if not isinstance(entry, Mapping):
        raise GraphError(f"layer number {position} must be a JSON object, got {type(entry).__name__}.")
    missing = [name for name in ("id", "kind", "inputs") if name not in entry]
    if missing:
        raise GraphError(
            f"layer number {position} is incomplete: it lacks {' and '.join(map(repr, missing))}."
        )
    if not isinstance(entry["inputs"], (list, tuple)):
        raise GraphError(f"layer number {position}: 'inputs' must be a list of ids, got {entry['inputs']!r}.")
    fields = {name: value for name, value in entry.items() if name not in ("id", "inputs")}
    try:
        return Layer(entry["id"], spec_from_dict(fields), tuple(entry["inputs"]))
    except GraphError as error:
        raise GraphError(f"layer number {position} (id {entry['id']!r}): {error}") from error
