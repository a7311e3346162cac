"""``genokeras.features.Rescaling`` in stock Keras layers and operations."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from genokeras.features import LOG_EPSILON, Rescaling, normal_scores


def rescaled(x: Any, rescaling: Rescaling) -> Any:
    """A tensor ``(batch, n_features)`` of raw values, rescaled."""
    if rescaling.kind == "rank":
        ranks = ops.argsort(ops.argsort(x, axis=-1), axis=-1)
        return ops.take(normal_scores(len(rescaling.factors)), ranks, axis=0)
    logs = ops.arcsinh(x * rescaling.factors[None])
    if rescaling.kind == "log":
        return keras.layers.LayerNormalization(epsilon=LOG_EPSILON, center=False, scale=False)(logs)
    if rescaling.kind == "ratio":
        return logs - ops.matmul(logs, rescaling.reference[:, None])
    return logs
