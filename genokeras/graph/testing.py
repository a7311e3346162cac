"""Contract tests for morphisms, and random graphs and weights to test with.

A custom morphism passes them if this class does under pytest::

    class TestMyMorphism(MorphismContract):
        morphism = MyMorphism
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.graph import Graph
from genokeras.graph.morphisms import MORPHISMS, Limits, Morphism, mutations
from genokeras.graph.reference import Weights, reference_forward
from genokeras.graph.spatial_testing import random_inputs, random_spatial_graph
from genokeras.graph.specs import ACTIVATIONS
from genokeras.graph.templates import linear, mlp, multi_view

# Names of views, and how many features each has, for random graphs with several Inputs.
VIEW_WIDTHS: Mapping[str, int] = MappingProxyType({"log": 5, "top": 3, "ranks": 6})


def random_graph(
    rng: np.random.Generator,
    n_morphisms: int,
    kinds: Sequence[type[Morphism]] = MORPHISMS,
    views: Sequence[str] = (),
) -> Graph:
    """Return a small random graph: a father of 1 to 4 outputs, grown by `n_morphisms` random morphisms.

    With `views`, further Inputs may read them, and the father reads some of them in about half of the graphs.
    """
    n_outputs = int(rng.integers(1, 5))
    widths = tuple(int(units) for units in rng.integers(2, 7, size=int(rng.integers(0, 3))))
    normalise, linear_path = (bool(flag) for flag in rng.integers(0, 2, size=2))
    graph = mlp(n_outputs, widths, normalise, linear_path) if widths else linear(n_outputs)
    if views and rng.random() < 0.5:
        graph = multi_view(n_outputs, views[: int(rng.integers(1, len(views) + 1))], widths)
    for _ in range(n_morphisms):
        drawn = mutations(graph, rng, 1, kinds=kinds, limits=Limits(views=tuple(views)))
        graph = drawn[0].edit(graph) if drawn else graph
    return graph


def random_widths(graph: Graph, input_units: int) -> dict[int, int]:
    """Return a width for each Input: `input_units` for the main one, and of others that of `VIEW_WIDTHS`."""
    return {id: VIEW_WIDTHS.get(view, input_units) for id, view in graph.views("").items()}


def random_weights(
    graph: Graph, input_units: int | Mapping[int, int] | None, n_members: int, rng: np.random.Generator
) -> Weights:
    """Return normal weights of unit gain for every layer, also where a morphism would leave zeros.

    Moving variances are between 0.5 and 1.5. `input_units` is None for a graph that knows the shape of its Input.
    """
    return {
        id: {name: _random_array(name, (n_members, *shape), rng) for name, shape in shapes.items()}
        for id, shapes in graph.weight_shapes(input_units).items()
    }


def _random_array(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    if name == "moving_variance":
        return (0.5 + rng.random(shape)).astype(np.float32)
    n_read = prod(shape[1:-1]) if len(shape) > 2 else shape[1]
    return (rng.standard_normal(shape) / np.sqrt(n_read)).astype(np.float32)


def relative_difference(actual: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return the largest absolute difference over the largest absolute expected value (or over 1e-6)."""
    return float(np.max(np.abs(actual - expected)) / max(float(np.max(np.abs(expected))), 1e-6))


class MorphismContract:
    """What every kind of morphism must hold; subclass it in a pytest file and set `morphism`.

    Attributes
    ----------
    morphism : type of Morphism
        The kind under test.
    n_graphs : int
        Number of random graphs to try, and of those with several Inputs.
    input_units, n_members, n_samples : int
        Sizes of the weights and samples.
    limits : Limits
        For the sites; its views are some of `VIEW_WIDTHS`.
    tolerance : float
        Largest allowed change of the logits, relative to their scale.
    """

    morphism: type[Morphism]
    n_graphs: int = 12
    input_units: int = 7
    n_members: int = 3
    n_samples: int = 9
    tolerance: float = 1e-5
    limits: Limits = Limits(views=tuple(VIEW_WIDTHS))

    def graphs(self) -> Iterator[Graph]:
        """Yield the graphs to try; override it for a morphism that needs special ones."""
        for seed in range(self.n_graphs):
            yield random_graph(np.random.default_rng(seed), seed % 5)
            yield random_graph(np.random.default_rng(seed), seed % 5, views=self.limits.views)

    def units_of(self, graph: Graph) -> dict[int, int] | None:
        """Return the width of each Input to try, or None where the graph knows its shape."""
        return None if graph.input_shape is not None else random_widths(graph, self.input_units)

    def cases(self, per_graph: int = 4) -> Iterator[tuple[Graph, Morphism]]:
        """Yield graphs with some of their sites."""
        for seed, graph in enumerate(self.graphs()):
            sites = self.morphism.sites(graph, np.random.default_rng(seed), limits=self.limits)
            for morphism in sites[:per_graph]:
                yield graph, morphism

    def test_some_graph_has_a_site(self) -> None:
        """A kind that never fits is never tested."""
        assert any(self.cases()), f"no graph offers a site for {self.morphism.__name__}"

    def test_every_member_computes_what_it_did_for_every_activation(self) -> None:
        """The outputs stay the same to float32 rounding, with weights that are zero nowhere."""
        for graph, morphism in self.cases():
            rng = np.random.default_rng(0)
            weights = random_weights(graph, self.units_of(graph), self.n_members, rng)
            grown, carried = morphism.apply(graph, weights, rng, VIEW_WIDTHS)
            assert carried is not None
            x = random_inputs(grown, self.n_samples, rng, self.units_of(grown) or 1)
            for activation in ACTIVATIONS:
                before = reference_forward(graph, weights, x, activation)
                after = reference_forward(grown, carried, x, activation)
                assert relative_difference(after, before) <= self.tolerance, (graph, morphism, activation)

    def test_weights_have_the_shapes_of_the_grown_graph(self) -> None:
        """No array is missing, left over, or of another shape or type."""
        for graph, morphism in self.cases():
            rng = np.random.default_rng(0)
            weights = random_weights(graph, self.units_of(graph), self.n_members, rng)
            grown, carried = morphism.apply(graph, weights, rng, VIEW_WIDTHS)
            assert carried is not None
            expected = grown.weight_shapes(self.units_of(grown))
            assert {
                id: {k: a.shape[1:] for k, a in arrays.items()} for id, arrays in carried.items()
            } == expected
            arrays = [array for named in carried.values() for array in named.values()]
            assert {(array.shape[0], array.dtype.name) for array in arrays} == {(self.n_members, "float32")}

    def test_the_graph_grows_the_same_without_weights(self) -> None:
        """A search can look at graphs alone and grow the weights later."""
        for graph, morphism in self.cases():
            weights = random_weights(graph, self.units_of(graph), self.n_members, np.random.default_rng(0))
            with_weights, _ = morphism.apply(graph, weights, np.random.default_rng(1), VIEW_WIDTHS)
            without, nothing = morphism.apply(graph, None, np.random.default_rng(2))
            assert with_weights == without and nothing is None

    def test_the_same_seed_gives_the_same_weights(self) -> None:
        """All randomness comes from the generator given."""
        for graph, morphism in self.cases():
            weights = random_weights(graph, self.units_of(graph), self.n_members, np.random.default_rng(0))
            first, second = (
                morphism.apply(graph, weights, np.random.default_rng(5), VIEW_WIDTHS)[1] for _ in range(2)
            )
            assert first is not None and second is not None
            for id, arrays in first.items():
                assert all(np.array_equal(array, second[id][name]) for name, array in arrays.items())

    def test_the_given_weights_are_left_alone(self) -> None:
        """The father's weights are needed again for its next child."""
        for graph, morphism in self.cases():
            weights = random_weights(graph, self.units_of(graph), self.n_members, np.random.default_rng(0))
            kept = {id: {k: array.copy() for k, array in arrays.items()} for id, arrays in weights.items()}
            morphism.apply(graph, weights, np.random.default_rng(1), VIEW_WIDTHS)
            assert weights.keys() == kept.keys()
            for id, arrays in kept.items():
                assert all(np.array_equal(array, weights[id][name]) for name, array in arrays.items())

    def test_the_fingerprint_changes(self) -> None:
        """A child that looks like its father would be skipped as a duplicate."""
        for graph, morphism in self.cases():
            assert (
                morphism.apply(graph, None, np.random.default_rng(0))[0].fingerprint() != graph.fingerprint()
            )

    def test_the_logits_keep_their_number(self) -> None:
        """Only hidden layers grow."""
        for graph, morphism in self.cases():
            assert morphism.apply(graph, None, np.random.default_rng(0))[0].n_outputs == graph.n_outputs

    def test_json_gives_the_morphism_back(self) -> None:
        """Journals hold morphisms as JSON."""
        for _, morphism in self.cases():
            assert Morphism.from_dict(json.loads(json.dumps(morphism.to_dict()))) == morphism

    def test_sites_are_the_same_with_and_without_shuffling(self) -> None:
        """A generator only changes the order."""
        for graph in self.graphs():
            shuffled = self.morphism.sites(graph, np.random.default_rng(0), limits=self.limits)
            assert set(shuffled) == set(self.morphism.sites(graph, None, limits=self.limits))
            assert len(set(shuffled)) == len(shuffled)


class SpatialMorphismContract(MorphismContract):
    """The same for graphs of sequences, images and token ids."""

    n_graphs: int = 24
    n_members: int = 2
    n_samples: int = 3
    tolerance: float = 2e-5

    def graphs(self) -> Iterator[Graph]:
        """Yield the graphs to try; override it for a morphism that needs special ones."""
        for seed in range(self.n_graphs):
            yield random_spatial_graph(np.random.default_rng(seed), seed % 3)
