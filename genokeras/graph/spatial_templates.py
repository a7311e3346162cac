"""Fathers for sequences, images, token ids and features of a backbone: functions of the input's shape and the number of logits.

A block is Conv (without bias), BatchNorm, Activation. Sizes are small enough for two cores: an epoch of some 30,000
sequences of 300 bases takes seconds to tens of seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.specs import (
    N_BASES,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    Input,
    LayerNorm,
    LayerSpec,
    Pool,
    Shape,
)
from genokeras.support.checks import check_choice

LARGEST_FLAT = 4096
_BLOCKS = (32, 64, 128, 128)
# Images up to this many pixels a side need no more than two blocks.
_SMALL_SIDE = 48
HEADS = ("flatten", "max", "average", "attention")


class _Chain:
    """Layers under construction; what is appended reads the last layer unless other inputs are named."""

    def __init__(
        self, shape: Sequence[int], axes: tuple[int, ...], what: str, activation: str | None
    ) -> None:
        self.shape: Shape = tuple(shape)
        if len(self.shape) not in axes:
            raise ParameterError(f"{what}; got input_shape {self.shape}.")
        self.layers = [Layer(0, Input(self.shape))]
        self._activation = activation

    @property
    def last(self) -> int:
        return self.layers[-1].id

    @property
    def rank(self) -> int:
        return len(self.shape) - 1

    @property
    def halvings(self) -> int:
        """How often an image is halved, twice at most, before it is as small as those that two blocks are enough for."""
        side = min(self.shape[:-1]) if self.rank == 2 else 1
        return (side > _SMALL_SIDE) + (side > 2 * _SMALL_SIDE)

    def append(self, spec: LayerSpec, *inputs: int) -> int:
        """Append a layer and return its id."""
        self.layers.append(Layer(len(self.layers), spec, inputs or (self.last,)))
        return self.last

    def activation(self) -> int:
        return self.append(Activation(self._activation))

    def block(self, filters: int, size: int, **options: Any) -> int:
        self.append(Conv(filters, (size,) * self.rank, bias=False, **options))
        self.append(BatchNorm())
        return self.activation()

    def hidden(self, units: int) -> None:
        for spec in (Dense(units), LayerNorm(), Activation(self._activation), Dropout()):
            self.append(spec)

    def here(self) -> Shape:
        """Shape of the last tensor."""
        shapes: dict[int, Shape] = {0: self.shape}
        for layer in self.layers[1:]:
            shapes[layer.id] = layer.spec.output_shape(tuple(shapes[source] for source in layer.inputs))
        return shapes[self.last]

    def pool(self, size: int) -> None:
        """Append a max pool where every axis has room for two windows."""
        if min(self.here()[:-1]) >= 2 * size:
            self.append(Pool("max", (size,) * self.rank))

    def head(self, how: str | None, units: int, n_outputs: int) -> Graph:
        """Append what makes logits of the last tensor, and return the graph; no hidden block for 0 units."""
        if how is None:
            how = "flatten" if prod(self.here()) <= LARGEST_FLAT else "max"
        check_choice(how, "head", HEADS)
        self.append(Flatten() if how == "flatten" else GlobalPool(how))
        self.append(Dropout())
        if units:
            self.hidden(units)
        self.append(Dense(n_outputs))
        return Graph.build(self.layers)


_SEQUENCE_OR_IMAGE = "a convolutional network reads (length, channels) or (height, width, channels)"
_DNA = "a network for DNA reads (length, channels), the first four of them A, C, G and T"


def flat_linear(input_shape: Sequence[int], n_outputs: int) -> Graph:
    """Return a linear model of all positions and channels.

    Examples
    --------
    >>> flat_linear((100, 4), 2).describe()
    'linear'
    """
    chain = _Chain(input_shape, (2, 3), _SEQUENCE_OR_IMAGE, None)
    chain.append(Flatten())
    chain.append(Dense(n_outputs))
    return Graph.build(chain.layers)


def small_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    filters: Sequence[int] | None = None,
    kernel_size: int | None = None,
    units: int = 64,
    head: str | None = None,
    activation: str | None = None,
) -> Graph:
    """Return a plain convolutional network: blocks with max pools between them, a hidden layer, the logits.

    Parameters
    ----------
    input_shape : sequence of int
        ``(length, channels)`` or ``(height, width, channels)``.
    n_outputs : int
        Number of logits.
    filters : sequence of int, optional
        Of each block; 32, 64 by default, and for large images 128 once or twice behind them.
    kernel_size : int, optional
        Along each axis; 7 for sequences and 3 for images by default.
    units : int, default=64
        Of the hidden layer before the logits; 0 is none.
    head : {"flatten", "max", "average", "attention"}, optional
        How positions become one vector; by default they are flattened where that gives at most 4,096 numbers, and
        pooled by their maximum otherwise.
    activation : str, optional
        Of all blocks; that of the proposal's hyper-parameters by default.

    Raises
    ------
    ParameterError
        If the input has another number of axes.

    Examples
    --------
    >>> small_cnn((28, 28, 1), 10).describe()
    '[32x3-max2-64x3-max2-flatten-64]'
    """
    chain = _Chain(input_shape, (2, 3), _SEQUENCE_OR_IMAGE, activation)
    for width in filters or _BLOCKS[: 2 + chain.halvings]:
        chain.block(width, kernel_size or (7 if chain.rank == 1 else 3))
        chain.pool(4 if chain.rank == 1 else 2)
    return chain.head(head, units, n_outputs)


def residual_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    filters: Sequence[int] | None = None,
    blocks: int = 1,
    kernel_size: int | None = None,
    head: str | None = "average",
    activation: str | None = None,
) -> Graph:
    """Return a residual network (He et al. 2016): a block, then stages that halve positions between them.

    Sequences are pooled by 4 behind the first block, large images by 2 or 4. Parameters as for :func:`small_cnn`, but that the filters, one
    number a stage, are 32 and 64 for sequences and 16, 32 and 64 for images by default; `blocks` is the number of
    residual blocks a stage.
    """
    chain = _Chain(input_shape, (2, 3), _SEQUENCE_OR_IMAGE, activation)
    size = kernel_size or (7 if chain.rank == 1 else 3)
    filters = filters or ((32, 64) if chain.rank == 1 else (16, 32, 64))
    chain.block(filters[0], size)
    if chain.rank == 1 or chain.halvings:
        chain.pool(4 if chain.rank == 1 else 2**chain.halvings)
    for stage, width in enumerate(filters):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            _residual_block(chain, width, size, stride, project=stage > 0 and block == 0)
    return chain.head(head, 0, n_outputs)


def _residual_block(chain: _Chain, width: int, size: int, stride: int, project: bool) -> None:
    start = chain.last
    chain.block(width, size, strides=(stride,) * chain.rank)
    chain.append(Conv(width, (size,) * chain.rank, bias=False))
    branch = chain.append(BatchNorm())
    short = start
    if project:
        chain.append(Conv(width, (1,) * chain.rank, (stride,) * chain.rank, bias=False), start)
        short = chain.append(BatchNorm())
    chain.append(Add(), short, branch)
    chain.activation()


def motif_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    filters: int = 64,
    kernel_size: int = 15,
    units: int = 32,
    head: str | None = "max",
    both_strands: bool = True,
    activation: str | None = None,
) -> Graph:
    """Return a network that scans DNA for motifs, on both strands with the same filters.

    Parameters
    ----------
    input_shape : sequence of int
        ``(length, channels)``; the first four channels are A, C, G, T.
    n_outputs : int
    filters : int, default=64
        Motifs, and filters of the convolution behind them.
    kernel_size : int, default=15
        Bases a motif may cover, 12 to 24 for transcription factors.
    units, head, activation
        As for :func:`small_cnn`.
    both_strands : bool, default=True
        Whether a motif counts on either strand; see `Conv`.

    Raises
    ------
    ParameterError
        If the input is no sequence of four channels or more.

    Examples
    --------
    >>> motif_cnn((200, 4), 2).describe()
    '[64x15rc-max4-64x5-global-max-32]'
    """
    chain = _Chain(input_shape, (2,), _DNA, activation)
    _motif_block(chain, filters, kernel_size, both_strands)
    chain.pool(4)
    chain.block(filters, 5)
    return chain.head(head, units, n_outputs)


def dilated_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    filters: int = 48,
    kernel_size: int = 15,
    dilations: Sequence[int] = (1, 2, 4, 8),
    head: str | None = "attention",
    both_strands: bool = True,
    activation: str | None = None,
) -> Graph:
    """Return a dilated residual network for DNA, as in BPNet (Avsec et al. 2021, doi:10.1038/s41588-021-00782-6).

    Behind the motifs, each block adds to its input what a convolution of kernel size 3 makes of it, with a larger
    dilation each time. Further parameters as for :func:`motif_cnn`.
    """
    chain = _Chain(input_shape, (2,), _DNA, activation)
    _motif_block(chain, filters, kernel_size, both_strands)
    chain.pool(4)
    for dilation in dilations:
        start = chain.last
        chain.block(filters, 3, dilation=(dilation,))
        chain.append(Add(), start, chain.append(Conv(filters, (1,))))
    return chain.head(head, 0, n_outputs)


def _motif_block(chain: _Chain, filters: int, kernel_size: int, both_strands: bool) -> None:
    if both_strands and chain.shape[-1] < N_BASES:
        raise ParameterError(f"{_DNA}; got input_shape {chain.shape}.")
    chain.block(filters, kernel_size, both_strands=both_strands)


def text_cnn(
    input_shape: Sequence[int],
    n_outputs: int,
    vocabulary: int = 20_000,
    units: int = 64,
    filters: int = 64,
    kernel_sizes: Sequence[int] = (2, 3, 4),
    activation: str | None = None,
) -> Graph:
    """Return a network for token ids: an embedding, convolutions side by side, their maxima (Kim 2014, EMNLP).

    Parameters
    ----------
    input_shape : sequence of int
        ``(length,)``.
    n_outputs : int
    vocabulary : int, default=20_000
        Ids are 0 to `vocabulary` - 1.
    units : int, default=64
        Width of the embedding.
    filters : int, default=64
        Of each kernel size.
    kernel_sizes : sequence of int, default=(2, 3, 4)
        Tokens that the convolutions see.
    activation : str, optional
    """
    chain = _Chain(input_shape, (1,), "a text network reads token ids, (length,)", activation)
    chain.append(Embedding(vocabulary, units))
    start = chain.append(Dropout())
    maxima = []
    for size in kernel_sizes:
        chain.append(Conv(filters, (size,)), start)
        chain.activation()
        maxima.append(chain.append(GlobalPool("max")))
    if len(maxima) > 1:
        chain.append(Concat(), *maxima)
    chain.append(Dropout())
    chain.append(Dense(n_outputs))
    return Graph.build(chain.layers)


def text_attention(
    input_shape: Sequence[int], n_outputs: int, vocabulary: int = 20_000, units: int = 64
) -> Graph:
    """Return a network for token ids that trains fast: an embedding, whose mean is weighted by what each token says.

    Parameters as for :func:`text_cnn`.

    Examples
    --------
    >>> text_attention((50,), 2, 1000).describe()
    '[embed1000x64-global-attention]'
    """
    chain = _Chain(input_shape, (1,), "a text network reads token ids, (length,)", None)
    chain.append(Embedding(vocabulary, units))
    chain.append(Dropout())
    return chain.head("attention", 0, n_outputs)


def feature_mlp(
    input_shape: Sequence[int],
    n_outputs: int,
    widths: Sequence[int] = (64,),
    activation: str | None = None,
) -> Graph:
    """Return a multi-layer perceptron on features, such as those that a pretrained network makes of a sample.

    A hidden block is Dense, LayerNorm, Activation, Dropout.

    Parameters
    ----------
    input_shape : sequence of int
        ``(n_features,)``.
    n_outputs : int
    widths : sequence of int, default=(64,)
        Units of each hidden block, at least one.
    activation : str, optional
        Of all blocks; that of the proposal's hyper-parameters by default.

    Raises
    ------
    ParameterError
        If the input has another number of axes, or `widths` is empty.

    Examples
    --------
    >>> feature_mlp((512,), 10, widths=(128, 64)).describe()
    '[128-64]'
    """
    chain = _Chain(input_shape, (1,), "a perceptron reads features, (n_features,)", activation)
    if not widths:
        raise ParameterError("widths must name at least one hidden width, such as (64,).")
    for units in widths:
        chain.hidden(units)
    chain.append(Dense(n_outputs))
    return Graph.build(chain.layers)


SPATIAL_FATHERS: MappingProxyType[str, Callable[[Sequence[int], int], Graph]] = MappingProxyType(
    {
        "flat_linear": flat_linear,
        "small_cnn": small_cnn,
        "residual_cnn": residual_cnn,
        "motif_cnn": motif_cnn,
        "dilated_cnn": dilated_cnn,
        "text_cnn": text_cnn,
        "text_attention": text_attention,
    }
)
