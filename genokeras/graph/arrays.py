"""Arrays of a new layer for every member."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.specs import Embedding, LayerSpec
from genokeras.graph.specs.spatial import is_attention

EMBEDDING_SCALE = 0.05
# Enformer starts there: positions of larger values count more from the start.
ATTENTION_SCALE = 2.0


def fresh_arrays(
    spec: LayerSpec,
    input_units: tuple[int, ...],
    n_members: int,
    rng: np.random.Generator,
    scale: float = 1.0,
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays a layer starts with, independent for every member.

    Kernels are He-normal (He et al. 2015, eq. 10), those of attention twice the identity, embeddings normal; biases
    are zero, and a batch normalisation is the identity but for its epsilon.

    Parameters
    ----------
    spec : LayerSpec
    input_units : tuple of int
        Channels of what the layer reads.
    n_members : int
    rng : numpy.random.Generator
        Draws kernels; untouched where nothing is random.
    scale : float, default=1.0
        Factor of the kernel; at 0 nothing is drawn.

    Returns
    -------
    dict of str to ndarray
        Name to float32 array of shape ``(n_members, ...)``; empty for a layer without arrays.
    """
    return {
        name: _fresh(spec, name, (n_members, *shape), rng, scale)
        for name, shape in spec.weight_shapes(input_units).items()
    }


def _fresh(
    spec: LayerSpec, name: str, shape: tuple[int, ...], rng: np.random.Generator, scale: float
) -> NDArray[np.float32]:
    if name in ("gamma", "moving_variance"):
        return np.ones(shape, dtype=np.float32)
    if name not in ("kernel", "embeddings") or not scale:
        return np.zeros(shape, dtype=np.float32)
    if is_attention(spec):
        return np.broadcast_to(
            np.eye(shape[-1], dtype=np.float32) * np.float32(ATTENTION_SCALE), shape
        ).copy()
    values = rng.standard_normal(shape, dtype=np.float32)
    # A depthwise kernel reads one channel at a time, and has it on the last axis but one.
    n_read = prod(shape[1:-1]) if spec.own_units is not None else prod(shape[1:-2])
    factor = EMBEDDING_SCALE if isinstance(spec, Embedding) else scale * np.sqrt(2 / n_read)
    values *= np.float32(factor)
    return values
