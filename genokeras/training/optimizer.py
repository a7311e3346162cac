"""Adam with decoupled weight decay, one learning rate and one decay for every member.

================  =====================================================  ====================
symbol            meaning                                                shape
================  =====================================================  ====================
w                 a weight                                               ``(M, ...)``
g                 its gradient                                           ``(M, ...)``
m, v              running means of g and g^2                             ``(M, ...)``
a                 step size: learning rate x schedule                    ``(M, 1, 1)``
d                 decay: learning rate x schedule x weight decay         ``(M, 1, 1)``
================  =====================================================  ====================

``w <- w - a * m_hat / (sqrt(v_hat) + eps) - d * w`` (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019,
algorithm 2). Adam's step does not depend on the scale of the gradient, so members may sum their losses.
"""

from __future__ import annotations

from typing import Any

from keras import ops

BETA_1, BETA_2, EPSILON = 0.9, 0.99, 1e-7


def adamw_step(
    weight: Any, gradient: Any, mean: Any, square: Any, step: Any, step_size: Any, decay: Any
) -> tuple[Any, Any, Any]:
    """One update; ``step`` counts from 1. Returns the new weight, mean and square."""
    mean = mean + (1 - BETA_1) * (gradient - mean)
    square = square + (1 - BETA_2) * (gradient * gradient - square)
    # The corrections of both means are scalars: put into step size and epsilon, they cost no pass over the weights.
    root = ops.sqrt(1 - BETA_2**step)
    moved = (1 - decay) * weight - (step_size * root / (1 - BETA_1**step)) * mean / (
        ops.sqrt(square) + EPSILON * root
    )
    return moved, mean, square


def cosine(step: Any, total: int) -> Any:
    """Share of the learning rate left before ``step`` (from 0): cosine to zero (Loshchilov & Hutter 2017, eq. 5)."""
    return 0.5 * (1 + ops.cos(3.141592653589793 * ops.minimum(step / total, 1.0)))
