"""The partial likelihood of Cox's model in ``keras.ops``, for packed members and in mini-batches.

=======  ======================================================================  ==================
symbol   meaning                                                                 shape
=======  ======================================================================  ==================
eta      outputs: logarithms of relative hazards                                 (..., n)
code     the place of the time on a scale that grows at events only, negative    (..., n)
         where the follow-up ended; 0 ahead of the first event
w        weights of the rows; one of weight 0 is not there                       (..., n)
R_i      sum of ``w exp(eta)`` over the rows whose time is not below that of i   (..., n)
T_i      the same over the rows that have the event at that very time            (..., n)
=======  ======================================================================  ==================

The loss is ``sum_i w_i event_i (log(R_i - f_i T_i) - eta_i)``, where ``f_i`` is 0, 1/m, 2/m... for m tied events (Efron 1977, The efficiency of
Cox's likelihood function for censored data, JASA 72: 557-565). It is that of all rows together: what a row adds depends on the others.
The rows are sorted once, and ``R`` is a cumulative sum.
"""

from __future__ import annotations

from typing import Any

from keras import ops

# Relative hazards below this share of the largest do not count.
_SMALLEST = 1e-30


def partial_likelihood_loss(eta: Any, code: Any, w: Any) -> Any:
    """``(...)`` the negative logarithm of the weighted partial likelihood, less what it is where all rows are alike.

    Parameters
    ----------
    eta, code, w : tensor
        See the module.
    """
    eta, code, w = (ops.broadcast_to(part, _common_shape(eta, code, w)) for part in (eta, code, w))
    order = ops.argsort(-ops.abs(code), axis=-1)
    eta, code, w = (ops.take_along_axis(part, order, axis=-1) for part in (eta, code, w))
    counted = ops.cast(code > 0, "float32") * w
    first, last = _ties(ops.abs(code))
    there = ops.cast(counted > 0, "float32")
    tied = _between(ops.cumsum(there, axis=-1), there, first, last)
    rank = ops.cumsum(there, axis=-1) - _ahead(ops.cumsum(there, axis=-1), there, first) - 1.0
    share = ops.maximum(rank, 0.0) / ops.maximum(tied, 1.0)
    level = ops.max(ops.where(w > 0, eta, -1e30), axis=-1, keepdims=True)
    level = ops.stop_gradient(ops.where(level > -1e29, level, ops.zeros_like(level)))
    # Each of several tied events counts by their mean weight.
    mean = _between(ops.cumsum(counted, axis=-1), counted, first, last) / ops.maximum(tied, 1.0)

    def log_sums(hazards: Any) -> Any:
        total = ops.take_along_axis(ops.cumsum(hazards, axis=-1), last, axis=-1)
        of_events = there * hazards
        lost = _between(ops.cumsum(of_events, axis=-1), of_events, first, last)
        return ops.log(ops.maximum(total - share * lost, _SMALLEST))

    gained = log_sums(w * ops.exp(ops.minimum(eta - level, 0.0))) + level - log_sums(w)
    return ops.sum(there * mean * gained - counted * eta, axis=-1)


def _common_shape(eta: Any, code: Any, w: Any) -> Any:
    return ops.shape(eta + code + w)


def _ties(size: Any) -> tuple[Any, Any]:
    """First and last place of the run of equal values that each sorted value is in, ``(..., n)`` int32."""
    n = size.shape[-1]
    places = ops.zeros_like(size, dtype="int32") + ops.arange(n, dtype="int32")
    changes = ops.not_equal(size[..., 1:], size[..., :-1])
    edge = ops.ones_like(size[..., :1], dtype="bool")
    starts = ops.where(ops.concatenate([edge, changes], axis=-1), places, 0)
    ends = ops.where(ops.concatenate([changes, edge], axis=-1), places, n - 1)
    first = ops.associative_scan(ops.maximum, starts, axis=-1)
    last = ops.associative_scan(ops.minimum, ends, reverse=True, axis=-1)
    return first, last


def _ahead(sums: Any, values: Any, first: Any) -> Any:
    """Of cumulative sums, what they are ahead of the first place."""
    return ops.take_along_axis(sums - values, first, axis=-1)


def _between(sums: Any, values: Any, first: Any, last: Any) -> Any:
    """Of cumulative sums, what the places from the first to the last one add."""
    return ops.take_along_axis(sums, last, axis=-1) - _ahead(sums, values, first)
