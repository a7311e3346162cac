"""The graphs a search starts from: fathers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.spatial_templates import SPATIAL_FATHERS
from genokeras.graph.specs import (
    Activation,
    Add,
    Concat,
    Dense,
    Dropout,
    Input,
    LayerNorm,
    LayerSpec,
)
from genokeras.support.checks import check_choice, check_whole


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
        last = _hidden_block(append, units, last, normalise)
    last = append(Dense(n_outputs), last)
    if linear_path:
        append(Add(), append(Dense(n_outputs), 0), last)
    return Graph.build(layers)


def multi_view(n_outputs: int, views: Sequence[str], widths: Sequence[int] = (64,)) -> Graph:
    """Return a network that reads the view of the hyper-parameters and others at once.

    The logits are the sum of a Dense on each Input and a Dense on the last hidden block; the first block sums a Dense
    on each Input.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    views : sequence of str
        Names of the views that further Inputs read.
    widths : sequence of int, default=(64,)
        Units of each hidden block; none is a linear model of all views.

    Examples
    --------
    >>> multi_view(2, ("log",)).describe()
    'linear + linear:log + [64]:main,log'
    """
    inputs = [Layer(k, Input(view=view)) for k, view in enumerate((None, *views))]
    layers = list(inputs)

    def append(spec: LayerSpec, *inputs: int) -> int:
        layers.append(Layer(len(layers), spec, inputs))
        return layers[-1].id

    def fused(units: int) -> list[int]:
        return [append(Dense(units), layer.id) for layer in inputs]

    summands = fused(n_outputs)
    last: int | None = None
    for units in widths:
        parts = fused(units) if last is None else [append(Dense(units), last)]
        joined = append(Add(), *parts) if len(parts) > 1 else parts[0]
        last = append(Dropout(), append(Activation(), append(LayerNorm(), joined)))
    if last is not None:
        summands.append(append(Dense(n_outputs), last))
    if len(summands) > 1:
        append(Add(), *summands)
    return Graph.build(layers)


def rfcn_resnet(
    n_outputs: int, n_latent: int = 64, n_blocks: int = 2, output_nonlinear: str | None = None
) -> Graph:
    """Return a residual fully connected network with additive skips (RFCN-ResNet of AutoGenome).

    A stem brings the features to `n_latent` units; each block adds to its input what a hidden layer makes of it.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    n_latent : int, default=64
        Units of the stem and of every block.
    n_blocks : int, default=2
    output_nonlinear : str, optional
        Activation between the last block and the output layer; none by default.

    Raises
    ------
    ParameterError
        If `n_latent` or `n_blocks` is below 1.

    References
    ----------
    Liu et al. (2021), AutoGenome: an AutoML tool for genomic research, Artificial Intelligence in the Life Sciences 1.

    Examples
    --------
    >>> rfcn_resnet(2, n_latent=32, n_blocks=1).n_parameters(10)
    1474
    """
    return _rfcn(n_outputs, n_latent, n_blocks, output_nonlinear, Add())


def rfcn_densenet(
    n_outputs: int, n_latent: int = 64, n_blocks: int = 2, output_nonlinear: str | None = None
) -> Graph:
    """Return a residual fully connected network with concatenated skips (RFCN-DenseNet of AutoGenome).

    As :func:`rfcn_resnet`, but that each block's output is put beside its input: the width grows by `n_latent` a block.
    """
    return _rfcn(n_outputs, n_latent, n_blocks, output_nonlinear, Concat())


def _rfcn(
    n_outputs: int, n_latent: int, n_blocks: int, output_nonlinear: str | None, skip: LayerSpec
) -> Graph:
    check_whole(n_latent, "n_latent")
    check_whole(n_blocks, "n_blocks")
    layers = [Layer(0, Input())]

    def append(spec: LayerSpec, *inputs: int) -> int:
        layers.append(Layer(len(layers), spec, inputs))
        return layers[-1].id

    last = _hidden_block(append, n_latent, 0)
    for _ in range(n_blocks):
        last = append(skip, last, _hidden_block(append, n_latent, last))
    if output_nonlinear is not None:
        last = append(Activation(output_nonlinear), last)
    append(Dense(n_outputs), last)
    return Graph.build(layers)


def _hidden_block(append: Callable[..., int], units: int, source: int, normalise: bool = True) -> int:
    """Dense, LayerNorm, Activation, Dropout behind the layer `source`; the id of the last."""
    last = append(Dense(units), source)
    if normalise:
        last = append(LayerNorm(), last)
    return append(Dropout(), append(Activation(), last))


FATHERS: MappingProxyType[str, Callable[[int], Graph]] = MappingProxyType(
    {"linear": linear, "mlp": mlp, "rfcn_resnet": rfcn_resnet, "rfcn_densenet": rfcn_densenet}
)


def get_father(name: str, n_outputs: int, input_shape: Sequence[int] | None = None) -> Graph:
    """Return the father of this name.

    Parameters
    ----------
    name : str
        One of `FATHERS`, or one of `SPATIAL_FATHERS` where there is an `input_shape`.
    n_outputs : int
        Number of logits.
    input_shape : sequence of int, optional
        Shape of a sequence, an image or token ids; None is a vector of features.

    Raises
    ------
    ParameterError
        If there is no father of that name for such an input.
    """
    if input_shape is None:
        check_choice(name, "the father of a vector of features", FATHERS)
        return FATHERS[name](n_outputs)
    check_choice(name, "the father of an input with a shape", SPATIAL_FATHERS)
    return SPATIAL_FATHERS[name](input_shape, n_outputs)


def is_linear(graph: Graph) -> bool:
    """Whether a graph is a linear model: one Dense layer on the input."""
    return [type(layer.spec) for layer in graph.layers] == [Input, Dense]
