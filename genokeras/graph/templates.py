"""The graphs a search starts from: fathers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.specs import (
    Activation,
    Add,
    Dense,
    Dropout,
    Input,
    LayerNorm,
    LayerSpec,
    did_you_mean,
)


def linear(n_outputs: int) -> Graph:
    """Return a linear model: one Dense layer from the features to the logits.

    Parameters
    ----------
    n_outputs : int
        Number of logits.

    Examples
    --------
    >>> linear(2).describe()
    'linear'
    """
    return Graph.build([Layer(0, Input()), Layer(1, Dense(n_outputs), (0,))])


def mlp(
    n_outputs: int, widths: Sequence[int] = (64,), normalise: bool = True, linear_path: bool = True
) -> Graph:
    """Return a multi-layer perceptron, by default beside a linear path.

    A hidden block is Dense, LayerNorm, Activation, Dropout; the logits are the sum of a Dense on the last
    block and a Dense on the features.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    widths : sequence of int, default=(64,)
        Units of each hidden block, at least one.
    normalise : bool, default=True
        Whether blocks have a LayerNorm.
    linear_path : bool, default=True
        Whether the linear path is there.

    Raises
    ------
    ParameterError
        If `widths` is empty.

    Examples
    --------
    >>> mlp(3, widths=(64, 32)).describe()
    'linear + [64-32]'
    """
    if not widths:
        raise ParameterError(
            "widths must name at least one hidden width, such as (64,); use linear for none."
        )
    layers = [Layer(0, Input())]

    def append(spec: LayerSpec, *inputs: int) -> int:
        layers.append(Layer(len(layers), spec, inputs))
        return layers[-1].id

    last = 0
    for units in widths:
        last = append(Dense(units), last)
        if normalise:
            last = append(LayerNorm(), last)
        last = append(Dropout(), append(Activation(), last))
    last = append(Dense(n_outputs), last)
    if linear_path:
        append(Add(), append(Dense(n_outputs), 0), last)
    return Graph.build(layers)


FATHERS: MappingProxyType[str, Callable[[int], Graph]] = MappingProxyType({"linear": linear, "mlp": mlp})


def get_father(name: str, n_outputs: int) -> Graph:
    """Return the father of this name.

    Raises
    ------
    ParameterError
        If there is no father of that name.
    """
    if name not in FATHERS:
        raise ParameterError(
            f"unknown father {name!r}{did_you_mean(name, FATHERS)}; known: {', '.join(FATHERS)}."
        )
    return FATHERS[name](n_outputs)
