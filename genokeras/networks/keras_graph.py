"""A Keras model as a graph: an architecture that a search may start from, with the model's own weights beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from genokeras.errors import GraphError, ParameterError
from genokeras.graph import (
    Activation,
    BatchNorm,
    Dense,
    Graph,
    HyperParameters,
    Input,
    Layer,
    LayerSpec,
    Weights,
)
from genokeras.networks.convolutional import build_network
from genokeras.networks.keras_specs import Arrays, left_out, piece_of, refused
from genokeras.support.wording import listed

# Nothing in such a graph is left open for them.
_HYPER = HyperParameters()
# What stands for the input where steps are counted from 0.
_INPUT = -1
_NORM = "LayerNormalization(center=False, scale=False)"


@dataclass(frozen=True, eq=False)
class KerasGraph(Graph):
    """The graph of a Keras model.

    Attributes
    ----------
    weights : mapping of int to mapping of str to numpy.ndarray
        The model's arrays ``(1, ...)``, by layer id and name.
    answers : str
        What the model applies to the logits: "softmax", "sigmoid", or "linear" for nothing.
    n_features : int or None
        Of a model of features; other graphs know their shape.
    """

    weights: Weights = field(default_factory=dict, repr=False)
    answers: str = "linear"
    n_features: int | None = None

    def produce_keras_model(self, weights: bool = True) -> Any:
        """A new ``keras.Model`` of this graph.

        Parameters
        ----------
        weights : bool, default=True
            With the weights of the model that the graph was read from, so that it answers alike; False for fresh ones.

        Returns
        -------
        keras.Model
            It answers what the model did; two probabilities where that answered one by a sigmoid.
        """
        shape = None if self.n_features is None else (self.n_features,)
        carried = self.weights if weights else None
        network = build_network(self, shape, _HYPER, weights=carried, logits=True)
        if self.answers == "linear":
            return network
        layer = keras.layers.Activation(self.answers, name="probabilities")
        return keras.Model(network.input, layer(network.output))


def from_keras(model: Any) -> KerasGraph:
    """Read the architecture and the weights of a Keras model, for ``searcher_args={"fathers": [gk.from_keras(model)]}``.

    A search trains the architecture from fresh weights, in every fold on that fold's samples, as it does all fathers: what the
    model has learnt before may come from the very samples that a fold holds out. Its children grow by morphism. The model's own
    weights go along in ``weights``, and ``produce_keras_model()`` gives them back in a model that answers alike.

    A softmax at the end is left to the search. One probability by a sigmoid becomes two logits, 0 and its own, because a
    classifier has one for each class.

    A warning names what changes the training of a layer alone, and is left out: regularisers, constraints, LoRA, and that a layer is
    frozen. A search trains all weights, from its own initialisers, with its own weight decay and momentum of batch normalisation.

    Parameters
    ----------
    model : keras.Model
        Built, functional or sequential, with one input and one output. A model of features reads ``(n_features,)``: a table's
        networks read views, so that their width becomes that of the view.

    Returns
    -------
    Graph

    Raises
    ------
    ParameterError
        If it is no built Keras model.
    GraphError
        If a layer, or a setting that changes what it answers, such as ``Dense(use_bias=False)``, cannot become part of a graph; the
        message names it, and all that can. Also if a layer is used twice, there are
        several inputs or outputs, or a function stands behind the logits.

    Examples
    --------
    >>> import keras
    >>> import genokeras as gk
    >>> net = keras.Sequential([keras.Input((50,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(3, "softmax")])
    >>> graph = gk.from_keras(net)
    >>> graph.describe(), graph.answers
    ('[32 relu]', 'softmax')
    """
    if not isinstance(model, keras.Model):
        raise ParameterError(f"from_keras reads a keras.Model, got {type(model).__name__}.")
    if not model.built or not getattr(model, "inputs", None):
        raise ParameterError(
            f"the layers of {model.name!r} are not known: from_keras reads functional and sequential models that were built, "
            "with a keras.Input or by a call on some rows."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise GraphError(
            f"{model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; from_keras reads models with one of each."
        )
    reading = _Reading(model)
    graph = reading.graph()
    if reading.left_out:
        warnings.warn(
            f"from_keras leaves out of {model.name!r} what changes its training alone: {listed(reading.left_out, 8)}. A search trains "
            "all weights, with its own weight decay.",
            stacklevel=2,
        )
    return graph


class _Reading:
    """Layers and arrays that are collected while the operations of a model are walked."""

    def __init__(self, model: Any) -> None:
        shape = tuple(model.inputs[0].shape[1:])
        if None in shape:
            raise GraphError(f"{model.name!r} reads samples of shape {shape}; a graph needs every size.")
        self._steps = _steps(model)
        tokens = any(type(step.operation).__name__ == "Embedding" for step in self._steps)
        self._n_features = shape[0] if len(shape) == 1 and not tokens else None
        self._layers: list[Layer] = []
        self._weights: dict[int, dict[str, np.ndarray]] = {}
        self._append(Input(None if self._n_features else shape))
        # The layer that makes what each step answers; a softmax or sigmoid behind it is left out.
        self._made: dict[int, int] = {_INPUT: 0}
        self._ended: dict[int, str] = {}
        self.left_out: list[str] = []

    def graph(self) -> KerasGraph:
        for number, step in enumerate(self._steps):
            self._read(number, step)
        last = len(self._steps) - 1
        output, answers = self._made[last], self._ended.get(last, "linear")
        if answers == "sigmoid" and self._steps[last].units == 1:
            self._double(output)
            answers = "softmax"
        graph = Graph.build(self._layers)
        weights = {
            i: {name: array[None] for name, array in held.items()} for i, held in self._weights.items()
        }
        return KerasGraph(graph.layers, weights, answers, self._n_features)

    def _append(self, spec: LayerSpec, *inputs: int) -> int:
        self._layers.append(Layer(len(self._layers), spec, inputs))
        return len(self._layers) - 1

    def _read(self, number: int, step: _Step) -> None:
        operation, piece = step.operation, piece_of(step.operation, step.rank)
        self.left_out += [f"{name} of {operation.name!r}" for name in left_out(operation)]
        for source in step.sources:
            if source in self._ended:
                raise refused(
                    self._steps[source].operation, f"{self._ended[source]} may stand at the end only"
                )
        if self._n_features and isinstance(piece.spec, BatchNorm):
            raise refused(
                operation, f"networks of features train all folds at once and have none; {_NORM} is there"
            )
        read = [self._made[source] for source in step.sources]
        if piece.spec is not None:
            read = [self._added(piece.spec, piece.arrays, read, operation)]
        at_end = number == len(self._steps) - 1
        if piece.function == "softmax" or (piece.function == "sigmoid" and at_end):
            self._ended[number] = piece.function
        elif piece.function != "linear":
            read = [self._append(Activation(piece.function), *read)]
        self._made[number] = read[0]

    def _added(self, spec: LayerSpec, arrays: Arrays, read: list[int], operation: Any) -> int:
        least, most = spec.n_inputs
        if len(read) < least or (most is not None and len(read) > most):
            raise refused(operation, f"it reads {len(read)} tensors of the model, beside numbers")
        added = self._append(spec, *read)
        if arrays:
            self._weights[added] = dict(arrays)
        return added

    def _double(self, output: int) -> None:
        """Two logits for one, 0 and it: what a sigmoid says of it, a softmax says of both."""
        if not isinstance(self._layers[output].spec, Dense):
            raise GraphError("a sigmoid of one number needs a Dense(1) layer before it.")
        self._layers[output] = replace(self._layers[output], spec=Dense(2))
        self._weights[output] = {
            name: np.concatenate([np.zeros_like(array), array], axis=-1)
            for name, array in self._weights[output].items()
        }


@dataclass(frozen=True)
class _Step:
    """One operation of a model: the numbers of the steps whose results it reads, and the shape of its own."""

    operation: Any
    sources: tuple[int, ...]
    rank: int
    units: int


def _steps(model: Any) -> list[_Step]:
    """The operations between the input and the output, each behind those it reads."""
    if isinstance(model, keras.Sequential):
        # A layer that was added one by one stands in several networks, of which the last one is meant.
        layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        shapes = _sequential_shapes(layers, tuple(model.inputs[0].shape))
        return [
            _Step(layer, (number - 1 if number else _INPUT,), len(shape), shape[-1])
            for number, (layer, shape) in enumerate(zip(layers, shapes, strict=True))
        ]
    found: list[_Step] = []
    numbers: dict[tuple[int, int], int] = {}
    seen: set[int] = set()

    def walk(tensor: Any) -> int:
        if tensor is model.inputs[0]:
            return _INPUT
        operation, node, _ = tensor._keras_history
        key = (id(operation), node)
        if key in numbers:
            return numbers[key]
        if isinstance(operation, keras.layers.InputLayer):
            raise refused(operation, "it is no input of this model")
        if id(operation) in seen:
            raise refused(operation, "it is used twice, and layers of a graph share no weights")
        seen.add(id(operation))
        sources = tuple(walk(read) for read in operation._inbound_nodes[node].input_tensors)
        found.append(_Step(operation, sources, len(tensor.shape), tensor.shape[-1]))
        numbers[key] = len(found) - 1
        return numbers[key]

    walk(model.outputs[0])
    return found


def _sequential_shapes(layers: list[Any], shape: tuple[int | None, ...]) -> Iterator[tuple[Any, ...]]:
    for layer in layers:
        shape = tuple(layer.compute_output_shape(shape))
        yield shape
