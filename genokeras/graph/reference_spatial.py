"""Convolutions and pooling in plain numpy, over one or two axes of positions.

Tensors have shape ``(members, samples, *positions, channels)``, kernels ``(members, *kernel_size, channels, filters)``;
the member axis of a tensor may be 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.specs import (
    N_BASES,
    Conv,
    DepthwiseConv,
    GlobalPool,
    Pool,
    padding_before_after,
)
from genokeras.graph.specs.base import Shape

FloatArray = NDArray[np.floating]


def convolve(spec: Conv, x: FloatArray, arrays: Mapping[str, FloatArray]) -> FloatArray:
    """Return what a `Conv` makes of a tensor."""
    if not spec.both_strands:
        return _convolve(spec, x, arrays)
    other = _convolve(spec, reverse_complement(x), arrays)
    return np.maximum(_convolve(spec, x, arrays), np.flip(other, axis=2))


def reverse_complement(x: FloatArray) -> FloatArray:
    """Return ``(..., length, channels)`` read from the end, with A and T, C and G exchanged."""
    channels = [*range(N_BASES - 1, -1, -1), *range(N_BASES, x.shape[-1])]
    return np.flip(x, axis=-2)[..., channels]


def depthwise(spec: DepthwiseConv, x: FloatArray, arrays: Mapping[str, FloatArray]) -> FloatArray:
    """Return what a `DepthwiseConv` makes of a tensor."""
    total = np.zeros(())
    for place, window in _windows(spec, x):
        total = total + window * beside(_at(arrays["kernel"], place)[..., 0], x.ndim)
    return _with_bias(total, arrays, x.ndim)


def pool(spec: Pool, x: FloatArray, arrays: Mapping[str, FloatArray]) -> FloatArray:
    """Return what a `Pool` makes of a tensor."""
    values = np.stack(list(_cut(x, spec.size, spec.strides or spec.size)))
    if spec.function == "max":
        return values.max(axis=0)
    if spec.function == "average":
        return values.mean(axis=0)
    return _attend(values, values @ beside(arrays["kernel"], x.ndim), (0,))


def global_pool(spec: GlobalPool, x: FloatArray, arrays: Mapping[str, FloatArray]) -> FloatArray:
    """Return what a `GlobalPool` makes of a tensor."""
    axes = tuple(range(2, x.ndim - 1))
    if spec.function == "max":
        return x.max(axis=axes)
    if spec.function == "average":
        return x.mean(axis=axes)
    return _attend(x, x @ beside(arrays["kernel"], x.ndim), axes)


def _attend(values: FloatArray, scores: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    shares = np.exp(scores - scores.max(axis=axes, keepdims=True))
    return (values * shares).sum(axis=axes) / shares.sum(axis=axes)


def _convolve(spec: Conv, x: FloatArray, arrays: Mapping[str, FloatArray]) -> FloatArray:
    total = np.zeros(())
    for place, window in _windows(spec, x):
        total = total + window @ beside(_at(arrays["kernel"], place), x.ndim)
    return _with_bias(total, arrays, x.ndim)


def _windows(spec: Conv | DepthwiseConv, x: FloatArray) -> Iterator[tuple[Shape, FloatArray]]:
    """Yield each place in the kernel, and the part of the tensor that meets it at all positions of the output."""
    along = list(zip(x.shape[2:-1], spec.kernel_size, spec.strides, spec.dilation, strict=True))
    pads = [padding_before_after(n, k, s, d, spec.padding) for n, k, s, d in along]
    padded = np.pad(x, [(0, 0), (0, 0), *pads, (0, 0)])
    extents = tuple((k - 1) * d + 1 for k, d in zip(spec.kernel_size, spec.dilation, strict=True))
    cut = _cut(padded, extents, spec.strides)
    for offsets, window in zip(itertools.product(*map(range, extents)), cut, strict=True):
        if all(offset % d == 0 for offset, d in zip(offsets, spec.dilation, strict=True)):
            yield tuple(o // d for o, d in zip(offsets, spec.dilation, strict=True)), window


def _cut(x: FloatArray, size: Shape, strides: Shape) -> Iterator[FloatArray]:
    """Yield for each place in a window, last axis fastest, what stands there in all the windows."""
    counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:-1], size, strides, strict=True)]
    for offsets in itertools.product(*map(range, size)):
        steps = (slice(o, o + (m - 1) * s + 1, s) for o, m, s in zip(offsets, counts, strides, strict=True))
        yield x[(slice(None), slice(None), *steps)]


def _with_bias(total: FloatArray, arrays: Mapping[str, FloatArray], ndim: int) -> FloatArray:
    return total + beside(arrays["bias"], ndim) if "bias" in arrays else total


def _at(kernel: FloatArray, place: Shape) -> FloatArray:
    """Return the members' matrices ``(members, channels, filters)`` at a place in the kernel."""
    index: tuple[Any, ...] = (slice(None), *place)
    return kernel[index]


def beside(array: FloatArray, ndim: int) -> FloatArray:
    """Return ``(members, ...)`` with axes behind the first, so that it meets a tensor of `ndim` axes."""
    return array.reshape(array.shape[0], *(1,) * (ndim - array.ndim), *array.shape[1:])
