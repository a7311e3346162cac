"""From answers to what explanations take differences of, in ``keras.ops``."""

from __future__ import annotations

from typing import Any

from keras import ops

SMALLEST_PROBABILITY = 1e-30


def log_odds(p: Any) -> Any:
    """``(rows, k)`` probabilities -> log odds of each class against the geometric mean of the others.

    For two classes these are the usual log odds; for more they are what is linear in the features where the logits are:
    ``log p_c - mean of log p_j over j != c``. A single column is the probability of one class against all else.
    """
    k = p.shape[-1]
    logs = ops.log(ops.maximum(p, SMALLEST_PROBABILITY))
    if k == 1:
        return logs - ops.log(ops.maximum(1.0 - p, SMALLEST_PROBABILITY))
    return float(k / (k - 1)) * (logs - ops.mean(logs, axis=-1, keepdims=True))
