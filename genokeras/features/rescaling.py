"""What raw rows go through before features are standardised, sample by sample.

==========  =====================================================================================================
kind        a row ``g`` of the arcsinh of raw values times their factors (``genokeras.features.logarithm``) becomes
==========  =====================================================================================================
arcsinh     ``g`` itself
log         ``g`` of mean 0 and variance 1
ratio       ``g`` less the mean of its stable genes: logarithms of ratios, as housekeeping genes are used
rank        normal scores: the quantiles of the normal distribution in the order of the raw values
==========  =====================================================================================================

The last two look at nothing that a cohort or platform changes for all genes of a sample together; ranks at nothing but their
order (Bolstad et al. 2003, Bioinformatics 19: 185-193, for what they cost and bring).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri

from genokeras.features.logarithm import log_factors, log_normalised

Kind = Literal["arcsinh", "log", "ratio", "rank"]
KINDS: tuple[str, ...] = get_args(Kind)
# Stable genes: so many of a hundred, of those that are read strongly.
_STABLE_SHARE, _FEWEST_STABLE = 0.05, 10
_ROWS_AT_ONCE = 256
_NONE = np.empty(0, dtype="float32")


@dataclass(frozen=True, eq=False)
class Rescaling:
    """What each row goes through.

    Attributes
    ----------
    kind : {"arcsinh", "log", "ratio", "rank"}
    factors : numpy.ndarray
        ``(n_features,)`` float32: what raw values are multiplied by; 0 for a constant feature. Ranks need none.
    reference : numpy.ndarray
        ``(n_features,)`` float32 of ratios: ``1 / k`` for the ``k`` stable features, else 0; empty of the others.
    ranges : tuple of (int, int) or None
        First and last column, the latter exclusive, of blocks that are rescaled each by itself; all others stay raw. None for all
        columns together.
    """

    kind: Kind
    factors: np.ndarray
    reference: np.ndarray = field(default_factory=lambda: _NONE)
    ranges: tuple[tuple[int, int], ...] | None = None

    @cached_property
    def key(self) -> bytes:
        """Equal for equal ones."""
        ranges = b"" if self.ranges is None else repr(self.ranges).encode()
        return self.kind.encode() + self.factors.tobytes() + self.reference.tobytes() + ranges

    def part(self, start: int, stop: int) -> Rescaling:
        """That of the columns from ``start`` to ``stop`` by themselves."""
        return Rescaling(self.kind, self.factors[start:stop], self.reference[start:stop])

    def placed(self, start: int, n_features: int) -> Rescaling:
        """That of a block as one of all columns, of which it begins at ``start``."""
        stop = start + len(self.factors)

        def wide(values: np.ndarray) -> np.ndarray:
            if not len(values):
                return values
            found = np.zeros(n_features, dtype="float32")
            found[start:stop] = values
            return found

        return Rescaling(self.kind, wide(self.factors), wide(self.reference), ((start, stop),))

    def apply(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` raw rows -> ``(n, p)`` float32."""
        if self.ranges is not None:
            blocks = np.array(x, dtype="float32")
            for start, stop in self.ranges:
                blocks[:, start:stop] = self.part(start, stop).apply(x[:, start:stop])
            return blocks
        if self.kind == "log":
            return log_normalised(x, self.factors)
        result = np.empty(x.shape, dtype="float32")
        for start in range(0, len(x), _ROWS_AT_ONCE):
            rows = np.asarray(x[start : start + _ROWS_AT_ONCE], dtype="float32")
            result[start : start + _ROWS_AT_ONCE] = self._rows(rows)
        return result

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        if self.kind == "rank":
            order = np.argsort(rows, axis=1, kind="stable")
            return normal_scores(rows.shape[1])[np.argsort(order, axis=1, kind="stable")]
        logs = np.arcsinh(rows.astype("float64") * self.factors)
        return logs - (logs @ self.reference)[:, None] if self.kind == "ratio" else logs


def normal_scores(count: int) -> np.ndarray:
    """``(count,)`` float32 quantiles of the standard normal distribution, in rising order (Blom 1958)."""
    return np.asarray(ndtri((np.arange(1, count + 1) - 0.375) / (count + 0.25)), dtype="float32")


def key_of(rescaling: Rescaling | None) -> bytes | None:
    """As `Rescaling.key`; None for raw values."""
    return None if rescaling is None else rescaling.key


def fit_rescaling(kind: str, x: np.ndarray) -> Rescaling:
    """A rescaling with its factors, and stable features, from training rows ``(n_samples, n_features)``."""
    factors = log_factors(x)
    match kind:
        case "ratio":
            return Rescaling("ratio", factors, _stable(x, factors))
        case "rank":
            return Rescaling("rank", np.asarray(factors > 0, dtype="float32"))
        case "log":
            return Rescaling("log", factors)
        case _:
            return Rescaling("arcsinh", factors)


def _stable(x: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Of the features that stand above the middle, those that vary least once samples are on one scale."""
    used = np.flatnonzero(factors > 0)
    if not len(used):
        return np.zeros(x.shape[1], dtype="float32")
    logs = log_normalised(x, factors)[:, used]
    level, spread = logs.mean(axis=0), logs.std(axis=0)
    high = np.flatnonzero(level >= np.median(level))
    count = min(len(high), max(_FEWEST_STABLE, round(_STABLE_SHARE * len(used))))
    chosen = used[high[np.argsort(spread[high], kind="stable")[:count]]]
    reference = np.zeros(x.shape[1], dtype="float32")
    reference[chosen] = 1.0 / count
    return reference
