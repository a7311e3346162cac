"""``genokeras.features.Rescaling`` in stock Keras layers and operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from genokeras.features import LOG_EPSILON, Rescaling, normal_scores


def rescaled(x: Any, rescaling: Rescaling) -> Any:
    """A tensor ``(batch, n_features)`` of raw values, rescaled."""
    if rescaling.ranges is not None:
        return _by_blocks(x, rescaling, rescaling.ranges)
    if rescaling.kind == "rank":
        ranks = ops.argsort(ops.argsort(x, axis=-1), axis=-1)
        return ops.take(normal_scores(len(rescaling.factors)), ranks, axis=0)
    logs = ops.arcsinh(x * rescaling.factors[None])
    if rescaling.kind == "log":
        return keras.layers.LayerNormalization(epsilon=LOG_EPSILON, center=False, scale=False)(logs)
    if rescaling.kind == "ratio":
        return logs - ops.matmul(logs, rescaling.reference[:, None])
    return logs


def _by_blocks(x: Any, rescaling: Rescaling, ranges: Sequence[tuple[int, int]]) -> Any:
    parts, end = [], 0
    for start, stop in ranges:
        parts += [x[:, end:start]] if start > end else []
        parts.append(rescaled(x[:, start:stop], rescaling.part(start, stop)))
        end = stop
    parts += [x[:, end:]] if end < x.shape[1] else []
    return keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
