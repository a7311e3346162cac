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
    nothing = ops.zeros_like(eta + code + w)
    *lead, n = nothing.shape
    if len(lead) != 1:
        found = partial_likelihood_loss(*(ops.reshape(part + nothing, (-1, n)) for part in (eta, code, w)))
        return ops.reshape(found, lead)
    # Members mostly share their targets, which are then sorted once for all.
    code = ops.reshape(code, (-1, n))
    order = ops.argsort(-ops.abs(code), axis=-1)
    code = _taken(code, _flat(order, code))
    row = n * _rows(nothing)
    order = ops.cast(order, "int32") + row
    eta, w = (_taken(part + nothing, order) for part in (eta, w))
    event = ops.cast(code > 0, "float32")
    counted, there = event * w, event * ops.cast(w > 0, "float32")
    first, last = (places + row for places in _ties(ops.abs(code)))
    ranks = ops.cumsum(there, axis=-1)
    ahead = _taken(ranks - there, first)
    tied = ops.maximum(_taken(ranks, last) - ahead, 1.0)
    share = ops.maximum(ranks - ahead - 1.0, 0.0) / tied
    # Each of several tied events counts by their mean weight.
    mean = there * _between(counted, first, last) / tied
    level = ops.max(ops.where(w > 0, eta, -1e30), axis=-1, keepdims=True)
    level = ops.stop_gradient(ops.where(level > -1e29, level, ops.zeros_like(level)))

    def log_sums(hazards: Any) -> Any:
        total = _taken(ops.cumsum(hazards, axis=-1), last)
        lost = _between(there * hazards, first, last)
        return ops.log(ops.maximum(total - share * lost, _SMALLEST))

    gained = log_sums(w * ops.exp(ops.minimum(eta - level, 0.0))) + level - log_sums(w)
    return ops.sum(mean * gained - counted * eta, axis=-1)


def _ties(size: Any) -> tuple[Any, Any]:
    """First and last place of the run of equal values that each sorted value is in, ``(m, n)`` int32."""
    n = size.shape[-1]
    changes = ops.cast(ops.not_equal(size[:, 1:], size[:, :-1]), "int32")
    run = ops.concatenate([ops.zeros_like(changes[:, :1]), ops.cumsum(changes, axis=-1)], axis=-1)
    row = n * _rows(run)
    # The runs of all rows, one row behind the other, are in ascending order.
    keys = ops.reshape(run + row, (-1,))
    first = ops.reshape(ops.searchsorted(keys, keys, side="left"), (-1, n))
    behind = ops.reshape(ops.searchsorted(keys, keys, side="right"), (-1, n))
    return ops.cast(first, "int32") - row, ops.cast(behind, "int32") - 1 - row


def _between(values: Any, first: Any, last: Any) -> Any:
    """Sums of values from the first to the last place."""
    sums = ops.cumsum(values, axis=-1)
    return _taken(sums, last) - _taken(sums - values, first)


def _taken(values: Any, flat: Any) -> Any:
    """``(m, n)`` values at places ``(m, n)`` of the flat array; of `ops.take_along_axis` no rank would be known where m is free."""
    return ops.reshape(ops.take(ops.reshape(values, (-1,)), flat), (-1, values.shape[-1]))


def _flat(places: Any, values: Any) -> Any:
    """Places of the flat array, from those in each row."""
    return ops.cast(places, "int32") + values.shape[-1] * _rows(values)


def _rows(values: Any) -> Any:
    """``(m, 1)`` int32 numbers of the rows."""
    return ops.cumsum(ops.ones_like(values[:, :1], dtype="int32"), axis=0) - 1
