"""The architecture of a network as a value: layers, what they read, their shapes, JSON and fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from genokeras.errors import GraphError
from genokeras.graph.layer import Layer, layer_from_dict
from genokeras.graph.ordering import check_ends, check_ids, topological_order
from genokeras.graph.refinement import fingerprint_of
from genokeras.graph.specs import Activation, Add, Concat, Dense, Input, plain_int

GRAPH_FORMAT = 1


@dataclass(frozen=True)
class Graph:
    """A network's architecture: layers in topological order, from one Input to the logits.

    The first layer is the only Input, the last is the output (logits, so nothing is applied behind a Dense or
    a sum of them). The graph does not know how many features the Input has: methods that need it take
    `input_units`. Use `Graph.build` for layers in any order.

    Parameters
    ----------
    layers : tuple of Layer
        The layers, each behind all of those it reads.

    Raises
    ------
    GraphError
        If the layers are no such graph.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        check_ids(self.layers)
        seen: set[int] = set()
        for layer in self.layers:
            if not seen.issuperset(layer.inputs):
                raise GraphError(f"{layer} stands before a layer it reads; Graph.build puts them in order.")
            seen.add(layer.id)
        check_ends(self.layers)
        if self._widths[self.output][0]:
            raise GraphError(
                f"the width of the logits must not depend on the Input's, but that of {self.layers[-1]} does."
            )

    @classmethod
    def build(cls, layers: Iterable[Layer]) -> Graph:
        """Order layers topologically (ties by id) and check them.

        Parameters
        ----------
        layers : iterable of Layer
            The layers in any order.

        Raises
        ------
        GraphError
            On a cycle, an unknown or repeated id, no Input or several, layers that lead nowhere, an
            activation behind the logits, or an Add of different widths.
        """
        listed = tuple(layers)
        check_ids(listed)
        return cls(topological_order(listed))

    @cached_property
    def _by_id(self) -> dict[int, Layer]:
        return {layer.id: layer for layer in self.layers}

    @cached_property
    def _consumers(self) -> dict[int, tuple[int, ...]]:
        readers: dict[int, list[int]] = {layer.id: [] for layer in self.layers}
        for layer in self.layers:
            for source in dict.fromkeys(layer.inputs):
                readers[source].append(layer.id)
        return {source: tuple(ids) for source, ids in readers.items()}

    @cached_property
    def _widths(self) -> dict[int, tuple[int, int]]:
        # Width as (a, b): a times the width of the Input plus b.
        widths: dict[int, tuple[int, int]] = {}
        for layer in self.layers:
            read = [widths[source] for source in layer.inputs]
            if isinstance(layer.spec, Input):
                widths[layer.id] = (1, 0)
            elif isinstance(layer.spec, Dense):
                widths[layer.id] = (0, layer.spec.units)
            elif isinstance(layer.spec, Concat):
                widths[layer.id] = (sum(a for a, _ in read), sum(b for _, b in read))
            elif isinstance(layer.spec, Add):
                fixed = [width for width in read if width[0] == 0]
                if len(set(fixed)) > 1:
                    raise GraphError(
                        self._mismatch(layer, {source: widths[source] for source in layer.inputs})
                    )
                widths[layer.id] = fixed[0] if fixed else read[0]
            else:
                widths[layer.id] = read[0]
        return widths

    def _mismatch(self, layer: Layer, widths: Mapping[int, tuple[int, int] | int]) -> str:
        def shown(width: tuple[int, int] | int) -> str:
            if isinstance(width, int):
                return f"{width} units"
            return f"{width[1]} units" if not width[0] else "as wide as the Input"

        parts = [f"{self._by_id[source]}: {shown(width)}" for source, width in widths.items()]
        return f"{layer} needs inputs of one width, but reads {'; '.join(parts)}."

    @property
    def input(self) -> int:
        """Id of the Input."""
        return self.layers[0].id

    @property
    def output(self) -> int:
        """Id of the layer that makes the logits."""
        return self.layers[-1].id

    @property
    def n_outputs(self) -> int:
        """Number of logits."""
        return self._widths[self.output][1]

    def layer(self, id: int) -> Layer:
        """Return the layer of this id, or raise GraphError."""
        if id not in self._by_id:
            raise GraphError(f"there is no layer {id!r}; the graph has layers {sorted(self._by_id)}.")
        return self._by_id[id]

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def consumers(self, id: int) -> tuple[int, ...]:
        """Return the ids of the layers that read this one, each once, in topological order."""
        return self._consumers[self.layer(id).id]

    def next_id(self) -> int:
        """Return an id no layer has: the largest one plus 1."""
        return max(self._by_id) + 1

    def known_units(self, id: int) -> int | None:
        """Return the width of a tensor, or None where it depends on the width of the Input."""
        multiple, units = self._widths[self.layer(id).id]
        return None if multiple else units

    def shapes(self, input_units: int) -> dict[int, int]:
        """Return the width of every layer's output.

        Parameters
        ----------
        input_units : int
            Number of features the Input has.

        Returns
        -------
        dict of int to int
            Layer id to units.

        Raises
        ------
        GraphError
            If an Add reads tensors of different widths; the message names them.
        """
        units: dict[int, int] = {}
        for layer in self.layers:
            if isinstance(layer.spec, Input):
                units[layer.id] = plain_int(input_units, "input_units", at_least=1)
                continue
            read = {source: units[source] for source in layer.inputs}
            if isinstance(layer.spec, Add) and len(set(read.values())) > 1:
                raise GraphError(self._mismatch(layer, read))
            units[layer.id] = layer.spec.output_units(tuple(units[source] for source in layer.inputs))
        return units

    def weight_shapes(self, input_units: int) -> dict[int, dict[str, tuple[int, ...]]]:
        """Return the shapes of one member's arrays, by layer id and name; layers without any are left out."""
        units = self.shapes(input_units)
        shapes = {
            layer.id: layer.spec.weight_shapes(tuple(units[source] for source in layer.inputs))
            for layer in self.layers
            if not isinstance(layer.spec, Input)
        }
        return {id: named for id, named in shapes.items() if named}

    def n_parameters(self, input_units: int) -> int:
        """Return the number of trainable numbers of one member."""
        return sum(prod(s) for named in self.weight_shapes(input_units).values() for s in named.values())

    def required_input_units(self) -> int | None:
        """Return the only width of the Input that the sums allow, or None where they allow any."""
        for layer in self.layers:
            if isinstance(layer.spec, Add):
                read = [self._widths[source] for source in layer.inputs]
                fixed = [units for multiple, units in read if not multiple]
                varying = [width for width in read if width[0]]
                if fixed and varying:
                    return (fixed[0] - varying[0][1]) // varying[0][0]
        return None

    def infer_input_units(self, kernel_rows: Mapping[int, int]) -> int:
        """Return the width of the Input that fits kernels with these numbers of rows.

        Parameters
        ----------
        kernel_rows : mapping of int to int
            Dense layer id to the number of rows of its kernel.

        Raises
        ------
        GraphError
            If no kernel depends on the width of the Input.
        """
        for layer in self.layers:
            if isinstance(layer.spec, Dense) and layer.id in kernel_rows:
                multiple, fixed = self._widths[layer.inputs[0]]
                if multiple:
                    return (kernel_rows[layer.id] - fixed) // multiple
        raise GraphError(
            "no Dense layer with weights reads the Input, so its width cannot be told from weights."
        )

    def depth(self) -> int:
        """Return the largest number of Dense layers on a way from the Input to the logits."""
        depths: dict[int, int] = {}
        for layer in self.layers:
            before = max((depths[source] for source in layer.inputs), default=0)
            depths[layer.id] = before + isinstance(layer.spec, Dense)
        return depths[self.output]

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as a JSON object that carries its format version."""
        layers = [{"id": la.id, **la.spec.to_dict(), "inputs": list(la.inputs)} for la in self.layers]
        return {"format": GRAPH_FORMAT, "layers": layers}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Graph:
        """Read what `to_dict` wrote.

        Raises
        ------
        GraphError
            If it is incomplete, of another format version, or no valid graph.
        """
        if not isinstance(data, Mapping):
            raise GraphError(f"a graph must be a JSON object, got {type(data).__name__}.")
        missing = [name for name in ("format", "layers") if name not in data]
        if missing:
            raise GraphError(f"the graph is incomplete: it lacks {' and '.join(map(repr, missing))}.")
        if data["format"] != GRAPH_FORMAT:
            raise GraphError(
                f"the graph has format {data['format']!r}, but this version reads format {GRAPH_FORMAT}; "
                f"it may come from another version of genokeras."
            )
        if not isinstance(data["layers"], list):
            raise GraphError(f"'layers' must be a list, got {type(data['layers']).__name__}.")
        return cls.build(layer_from_dict(position, entry) for position, entry in enumerate(data["layers"]))

    def fingerprint(self) -> str:
        """Return a hex digest that isomorphic graphs share and that others do not, in every process.

        Ids, the order of listing and the order of an Add's inputs do not matter; kinds, widths, functions,
        rates and the order of a Concat's inputs do. By colour refinement (Weisfeiler & Leman 1968).
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_of(self.layers)

    def describe(self) -> str:
        """Return a short line for tables, such as ``"linear + [64-64 relu]"``.

        Each summand of the logits is either ``linear`` (a Dense on the Input) or a bracket with the widths of
        its hidden layers in order, the activations it fixes, and its numbers of sums and concatenations.
        """
        last = self.layers[-1]
        ids = last.inputs if isinstance(last.spec, Add) else (last.id,)
        parts = [self._describe_term(id) for id in ids]
        counts = Counter(sorted(parts, key=lambda part: part != "linear"))
        return " + ".join(part if n == 1 else f"{n} x {part}" for part, n in counts.items())

    def _describe_term(self, id: int) -> str:
        term = self._by_id[id]
        if isinstance(term.spec, Dense) and term.inputs == (self.input,):
            return "linear"
        ancestors = [la for la in self.layers if la.id in self.ancestors(id)]
        hidden = [
            la.spec.units for la in ancestors if isinstance(la.spec, Dense) and not self._is_summand(la)
        ]
        words = ["-".join(map(str, hidden))] if hidden else []
        words += sorted(
            {la.spec.function for la in ancestors if isinstance(la.spec, Activation) and la.spec.function}
        )
        for kind, word in ((Add, "add"), (Concat, "concat")):
            n = sum(isinstance(la.spec, kind) for la in ancestors)
            words += [f"{n} {word}{'s' if n > 1 else ''}"] if n else []
        return f"[{' '.join(words)}]"

    def _is_summand(self, layer: Layer) -> bool:
        readers = self._consumers[layer.id]
        return bool(readers) and all(isinstance(self._by_id[reader].spec, Add) for reader in readers)

    def ancestors(self, id: int) -> frozenset[int]:
        """Return the ids of all layers this one depends on, without itself."""
        return self._ancestors[self.layer(id).id]

    @cached_property
    def _ancestors(self) -> dict[int, frozenset[int]]:
        found: dict[int, frozenset[int]] = {}
        for layer in self.layers:
            found[layer.id] = frozenset(layer.inputs).union(*(found[source] for source in layer.inputs))
        return found

    @cached_property
    def hidden(self) -> frozenset[int]:
        """Layers at or behind some Dense whose output reaches the logits through a further Dense only."""
        behind: set[int] = set()
        for layer in self.layers:
            if isinstance(layer.spec, Dense) or not behind.isdisjoint(layer.inputs):
                behind.add(layer.id)
        shielded: set[int] = set()
        for layer in reversed(self.layers[:-1]):
            readers = self._consumers[layer.id]
            if all(isinstance(self._by_id[r].spec, Dense) or r in shielded for r in readers):
                shielded.add(layer.id)
        return frozenset(behind & shielded)
