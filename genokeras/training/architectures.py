"""What a compiled program is made for: one graph, or all graphs of a shape class.

Either says what members compute, how fast each of their weights moves, and where the weights of a task go.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, final

import numpy as np

from genokeras.graph import Dropout, Graph, NodeForm, Weights, node_form
from genokeras.networks import (
    FUNCTIONS,
    LINEAR,
    OUTPUT_BIAS,
    SLOPES,
    DenseRole,
    PackedNetwork,
    Placement,
    ShapeClass,
    build_packed,
    dense_roles,
    function_of,
    gather_weights,
    padded_gradients,
    padded_pass,
    place,
    selectors,
    slot_array,
)
from genokeras.support.backends import Backend
from genokeras.training.noise import DropoutNoise, SharedNoise, TrialNoise
from genokeras.training.task import MemberTask, MixedTask, PackedTask, TrialNetwork

LINEAR_RATE_FACTOR = 10.0
# Functions that every program of a shape class knows, so that the usual ones need no program of their own.
USUAL_FUNCTIONS = ("gelu", "relu", "tanh")


class Architecture(ABC):
    """The networks of a program.

    Attributes
    ----------
    masks : tuple of int
        Units of each layer that drops some.
    packed : PackedNetwork or None
        The Keras model, where there is one graph.
    """

    masks: tuple[int, ...]
    packed: PackedNetwork | None = None

    @abstractmethod
    def outputs(
        self, params: list[Any], x: Any, masks: Sequence[Any] | None, constants: dict[str, Any]
    ) -> Any:
        """``(M, rows, k)``; without masks in inference mode."""

    @abstractmethod
    def gradients(
        self,
        loss: Callable[[Any], Any],
        params: list[Any],
        x: Any,
        masks: list[Any],
        constants: dict[str, Any],
    ) -> list[Any]:
        """The gradient of ``loss(outputs)``, a scalar, with respect to each weight that is there; those of padding are zero."""

    @abstractmethod
    def rates(self, constants: dict[str, Any], left: Any) -> list[tuple[Any, Any]]:
        """Step size and decay of every weight: the linear path moves faster; biases do not decay."""

    @abstractmethod
    def constants(self, task: Any) -> dict[str, np.ndarray]:
        """Arrays of a task that `outputs`, `gradients` and `rates` need, the member axis as in `member_axis`."""

    @abstractmethod
    def dropout_rates(self, task: Any) -> np.ndarray:
        """``(layers that drop, M)``."""

    @abstractmethod
    def noise(self, task: Any, rows: int) -> DropoutNoise:
        """What drops units of a task, of which this number of rows is used at once."""

    @abstractmethod
    def start(self, task: Any) -> list[np.ndarray]:
        """The arrays of all members' weights."""

    @abstractmethod
    def weights(self, task: Any, arrays: list[np.ndarray]) -> tuple[Weights, ...]:
        """The inverse of `start`: weights of each trial."""


def step_sizes(task: MemberTask) -> dict[str, np.ndarray]:
    """``(M,)`` each: step size and decay of usual weights, step size of the linear path."""
    return {
        "learning_rate": task.learning_rate,
        "linear_rate": LINEAR_RATE_FACTOR * task.learning_rate / np.sqrt(task.input_rank),
        "decay": task.learning_rate * task.weight_decay,
    }


@final
class OneGraph(Architecture):
    """One graph, as a packed Keras model.

    Parameters
    ----------
    task : PackedTask
    probes : bool
        As in `build_packed`.
    backend : Backend
    """

    def __init__(self, task: PackedTask, probes: bool, backend: Backend) -> None:
        self._backend = backend
        width, members = task.inputs.shape[2], task.n_members
        self._columns = task.columns
        units: Any = width if task.columns is None else {i: n for i, (_, n) in task.columns.items()}
        self.packed: PackedNetwork = build_packed(task.graph, units, members, task.activation, probes=probes)
        self.masks = tuple(units for _, units in self.packed.masks)
        self._roles = dense_roles(task.graph)

    @staticmethod
    def key(task: PackedTask) -> Hashable:
        """Equal for tasks that one program can train, their shapes apart."""
        columns = None if task.columns is None else tuple(sorted(task.columns.items()))
        return task.graph, task.activation, columns, task.n_members, task.n_trials

    def model_arrays(self, x: Any, masks: Sequence[Any]) -> list[Any]:
        """What the Keras model reads, its probes apart."""
        parts = [x] if self._columns is None else [x[:, :, i : i + n] for i, n in self._columns.values()]
        return [*parts, *masks]

    def outputs(
        self, params: list[Any], x: Any, masks: Sequence[Any] | None, constants: dict[str, Any]
    ) -> Any:
        given = [constants["one"]] * len(self.masks) if masks is None else masks
        silent = [constants["nothing"]] * len(self.packed.probes)
        found, _ = self.packed.model.stateless_call(params, [], [*self.model_arrays(x, given), *silent])
        return found[0] if self.packed.probes else found

    def gradients(
        self,
        loss: Callable[[Any], Any],
        params: list[Any],
        x: Any,
        masks: list[Any],
        constants: dict[str, Any],
    ) -> list[Any]:
        def of_params(given: list[Any]) -> Any:
            return loss(self.outputs(given, x, masks, constants))

        return self._backend.value_and_gradients(of_params, params)[1]

    def rates(self, constants: dict[str, Any], left: Any) -> list[tuple[Any, Any]]:
        rates = []
        for layer_id, name in self.packed.slots:
            linear = self._roles[layer_id] is DenseRole.LINEAR
            rate = constants["linear_rate"] if linear else constants["learning_rate"]
            decay = constants["decay"] * (LINEAR_RATE_FACTOR if linear else 1.0)
            rates.append((left * rate, 0.0 * decay if name == "bias" else left * decay))
        return rates

    def constants(self, task: PackedTask) -> dict[str, np.ndarray]:
        sizes = {name: values[:, None, None] for name, values in step_sizes(task).items()}
        return {**sizes, "one": np.ones((1, 1, 1)), "nothing": np.zeros((1, 1, 1))}

    def dropout_rates(self, task: PackedTask) -> np.ndarray:
        rates = np.empty((len(self.masks), task.n_members))
        for row, (layer_id, _) in zip(rates, self.packed.masks, strict=True):
            spec = task.graph.layer(layer_id).spec
            row[:] = spec.rate if isinstance(spec, Dropout) and spec.rate is not None else task.dropout
        return rates

    def noise(self, task: PackedTask, rows: int) -> DropoutNoise:
        return SharedNoise(task.seed, self.masks, task.n_members, rows)

    def start(self, task: PackedTask) -> list[np.ndarray]:
        return [slot_array(task.weights, slot) for slot in self.packed.slots]

    def weights(self, task: PackedTask, arrays: list[np.ndarray]) -> tuple[Weights, ...]:
        whole = gather_weights(self.packed.slots, arrays)
        members = [np.flatnonzero(task.trial_of_member == trial) for trial in range(task.n_trials)]
        return tuple(
            {layer: {name: array[own] for name, array in named.items()} for layer, named in whole.items()}
            for own in members
        )


@final
class PaddedGraphs(Architecture):
    """All graphs of a shape class.

    Parameters
    ----------
    shape : ShapeClass
    functions : tuple of str
        That members may have; members of one function stand together, in this order.
    backend : Backend
    """

    def __init__(self, shape: ShapeClass, functions: tuple[str, ...], backend: Backend) -> None:
        self.shape = shape
        self.functions = functions
        self._backend = backend
        self.masks = (shape.units,) * shape.nodes

    def outputs(
        self, params: list[Any], x: Any, masks: Sequence[Any] | None, constants: dict[str, Any]
    ) -> Any:
        apply = self._of_members(FUNCTIONS, constants)
        return padded_pass(self.shape, apply, params, x, masks or (), constants).logits

    def gradients(
        self,
        loss: Callable[[Any], Any],
        params: list[Any],
        x: Any,
        masks: list[Any],
        constants: dict[str, Any],
    ) -> list[Any]:
        given = (params, x, masks, constants)
        done = padded_pass(self.shape, self._of_members(FUNCTIONS, constants), *given)
        _, (change,) = self._backend.value_and_gradients(lambda outputs: loss(outputs[0]), [done.logits])
        slope = self._of_members(SLOPES, constants)
        found = padded_gradients(self.shape, slope, *given, done, change, self._backend.product)
        return [gradient * constants[f"mask_{i}"] for i, gradient in enumerate(found)]

    def _of_members(
        self, table: Mapping[str, Callable[[Any], Any]], constants: dict[str, Any]
    ) -> Callable[[Any], Any]:
        """What takes each member's part of a tensor through the entry of a table for its function."""
        functions = [table[name] for name in self.functions]

        def apply(node: Any) -> Any:
            return self._backend.apply_in_parts(
                node, functions, constants["function_sizes"], constants["function"]
            )

        return apply

    def rates(self, constants: dict[str, Any], left: Any) -> list[tuple[Any, Any]]:
        usual = (left * constants["learning_rate"], left * constants["decay"])
        found = [(left * constants["linear_rate"], left * constants["linear_decay"])]
        found.append((left * constants["output_bias_rate"], 0.0 * constants["decay"]))
        if self.shape.nodes:
            found += [usual, (left * constants["bias_rate"], 0.0 * constants["decay"]), usual]
            found += [usual] * (self.shape.nodes - 1)
        return found

    def constants(self, task: MixedTask) -> dict[str, np.ndarray]:
        counts = np.bincount(task.trial_of_member, minlength=task.n_trials)
        parts = [self._of_trial(task, trial) for trial in range(task.n_trials)]
        found = {}
        for name in parts[0]:
            axis = member_axis(name)
            repeated = [
                np.repeat(part[name], int(n) // part[name].shape[axis], axis=axis)
                for part, n in zip(parts, counts, strict=True)
            ]
            found[name] = np.concatenate(repeated, axis=axis)
        numbers = np.repeat([self._function(network) for network in task.networks], counts)
        assert (np.diff(numbers) >= 0).all(), "members of one function stand together"
        places = np.arange(len(self.functions))
        found["function_sizes"] = np.bincount(numbers, minlength=len(places)).astype("int32")
        found["function"] = (numbers == places[:, None]).astype("float32")[..., None, None]
        return found

    def _function(self, network: TrialNetwork) -> int:
        return self.functions.index(function_of(network.graph, network.activation))

    def _of_trial(self, task: MixedTask, trial: int) -> dict[str, np.ndarray]:
        """Arrays of one trial: those that its members share have a member axis of 1."""
        network, placement = task.networks[trial], self._placement(task.networks[trial])
        own = task.trial_of_member == trial
        sizes = {name: values[own][:, None, None] for name, values in step_sizes(task).items()}
        rates = _Rates(network.graph, placement, sizes)
        chosen = selectors(self.shape, network.graph)
        masks = {f"mask_{i}": mask for i, mask in enumerate(placement.masks())}
        shaped = {n: a[..., None, None] if n in _OF_NODES else a for n, a in chosen.items()}
        return {**shaped, **masks, **rates.arrays()}

    def dropout_rates(self, task: MixedTask) -> np.ndarray:
        rates = np.zeros((self.shape.nodes, task.n_members))
        for trial, network in enumerate(task.networks):
            members = task.trial_of_member == trial
            for number, node in enumerate(_form(network.graph).nodes):
                rates[number, members] = task.dropout[members] if node.rate is None else node.rate
        return rates

    def noise(self, task: MixedTask, rows: int) -> DropoutNoise:
        dropping = [
            tuple(number for number, node in enumerate(_form(network.graph).nodes) if node.rate != 0.0)
            for network in task.networks
        ]
        counts = np.bincount(task.trial_of_member, minlength=task.n_trials).tolist()
        seeds = [network.seed for network in task.networks]
        return TrialNoise(seeds, counts, dropping, self.shape.nodes, rows, self.shape.units)

    def start(self, task: MixedTask) -> list[np.ndarray]:
        counts = np.bincount(task.trial_of_member, minlength=task.n_trials)
        parts = [
            self._placement(network).arrays(network.weights, int(n))
            for network, n in zip(task.networks, counts, strict=True)
        ]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def weights(self, task: MixedTask, arrays: list[np.ndarray]) -> tuple[Weights, ...]:
        return tuple(
            self._placement(network).weights([array[task.trial_of_member == trial] for array in arrays])
            for trial, network in enumerate(task.networks)
        )

    def _placement(self, network: TrialNetwork) -> Placement:
        return place(network.graph, self.shape, network.columns)


_OF_NODES = ("normalised", "units", "activated", "squared")


def member_axis(name: str) -> int:
    """The axis of the members in a constant of `PaddedGraphs`."""
    return 1 if name in (*_OF_NODES, "function") else 0


class _Rates:
    """Step sizes of one trial's padded weights, ``(members, ...)``.

    A bias of several Dense layers moves as far as they would together: their gradients are the same. Rows of the linear array that
    belong to a Dense layer on more than an Input move as usual weights.

    Parameters
    ----------
    graph : Graph
    placement : Placement
    sizes : dict of str to numpy.ndarray
        As of `step_sizes`, ``(members, 1, 1)``.
    """

    def __init__(self, graph: Graph, placement: Placement, sizes: dict[str, np.ndarray]) -> None:
        self._linear = {id for id, role in dense_roles(graph).items() if role is DenseRole.LINEAR}
        self._placement = placement
        self._sizes = sizes

    def arrays(self) -> dict[str, np.ndarray]:
        sizes, shape = self._sizes, self._placement.shape
        found = {name: sizes[name] for name in ("learning_rate", "decay")}
        found["linear_rate"] = np.repeat(sizes["linear_rate"], shape.input_units, axis=1)
        found["linear_decay"] = np.repeat(LINEAR_RATE_FACTOR * sizes["decay"], shape.input_units, axis=1)
        for region in self._placement.regions:
            if region.array == LINEAR and region.layer not in self._linear:
                rows = slice(region.row, region.row + region.rows)
                found["linear_rate"][:, rows] = sizes["learning_rate"]
                found["linear_decay"][:, rows] = sizes["decay"]
        return found | self._biases()

    def _biases(self) -> dict[str, np.ndarray]:
        shape, usual = self._placement.shape, self._sizes["learning_rate"]
        output = np.zeros_like(usual)
        nodes = np.zeros((len(usual), 1, shape.nodes * shape.units))
        for region in self._placement.biases:
            if region.array == OUTPUT_BIAS:
                output += self._sizes["linear_rate"] if region.layer in self._linear else usual
            else:
                nodes[:, :, region.column : region.column + region.columns] += usual
        return {"output_bias_rate": output, **({"bias_rate": nodes} if shape.nodes else {})}


def _form(graph: Graph) -> NodeForm:
    form = node_form(graph)
    assert form is not None
    return form


def functions_for(networks: Sequence[TrialNetwork]) -> tuple[str, ...]:
    """Functions that a program for these networks must know; the usual ones are among them."""
    needed = {function_of(network.graph, network.activation) for network in networks}
    return tuple(sorted(needed.union(USUAL_FUNCTIONS) - {"linear"}))
