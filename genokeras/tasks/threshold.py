"""From which probability on a sample is called positive, so that a stated share of the positives, or of the negatives, is called right.

The threshold is the bound that this share of the out-of-fold rows of one side reaches, as one more of them would (conformal by class; see
``genokeras.tasks.conformal``): a new sample of that side is called right as often as was asked for, or more. What
becomes of the other side is estimated as the delivered model is: rows are drawn with replacement, the threshold is chosen on them, and
rates are those of the rows left out (Tsamardinos, Greasidou and Borboudakis 2018, Machine Learning 107: 1895-1922).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.support.checks import check_number
from genokeras.support.wording import did_you_mean, listed
from genokeras.tasks.class_names import class_name
from genokeras.tasks.conformal import fewest, limit
from genokeras.tasks.rows import Array

RATES = ("sensitivity", "specificity")
RESAMPLES, _MARGIN = 500, 0.025


@dataclass(frozen=True)
class Aimed:
    """What a threshold is to reach.

    Attributes
    ----------
    positive : int
        Number of the class that is called positive.
    rate : {"sensitivity", "specificity"}
    share : float
    """

    positive: int
    rate: str
    share: float


@dataclass(frozen=True)
class Threshold:
    """Samples are positive where the probability of that class is ``value`` or more.

    Attributes
    ----------
    positive : int
    value : float
    rates : dict of str to (float, float, float)
        Sensitivity and specificity on new samples, each with its 95 % interval; NaN where samples come in fewer than five groups.
    """

    positive: int
    value: float
    rates: Mapping[str, tuple[float, float, float]]

    def decided(self, p: np.ndarray) -> np.ndarray:
        """``(n,)`` class numbers by probabilities ``(n, 2)``."""
        above = p[:, self.positive].astype("float64") >= self.value
        return np.where(above, self.positive, 1 - self.positive)

    def reached(self, p: np.ndarray, codes: np.ndarray) -> dict[str, float]:
        """Sensitivity and specificity of probabilities ``(n, 2)``; NaN where a class has no sample."""
        right, positive = self.decided(p) == codes, codes == self.positive
        sides = zip(RATES, (positive, ~positive), strict=True)
        return {name: float(right[side].mean()) if side.any() else math.nan for name, side in sides}

    def described(self, names: Sequence[Any]) -> dict[str, Any]:
        """As a mapping: ``class``, ``value``, both rates and their intervals."""
        found: dict[str, Any] = {"class": names[self.positive], "value": self.value}
        for name, (value, low, high) in self.rates.items():
            found |= {name: value, f"{name}_interval": [low, high]}
        return found


def read_aim(threshold: Any, names: Sequence[str]) -> Aimed:
    """What was asked for, such as ``{"class": "tumor", "sensitivity": 0.95}``.

    Raises
    ------
    ParameterError
        If it is something else, or there are not two classes.
    """
    form = "threshold must be such as {'class': 'tumor', 'sensitivity': 0.95}, or 'specificity' in its place"
    if not isinstance(threshold, Mapping) or "class" not in threshold:
        raise ParameterError(f"{form}: got {threshold!r}.")
    rates = [name for name in RATES if name in threshold]
    if len(rates) != 1 or len(threshold) != 2:
        raise ParameterError(f"{form}: got {dict(threshold)!r}.")
    if len(names) != 2:
        raise ParameterError(
            f"a threshold separates two classes, and there are {len(names)}: {listed(names, 8)}."
        )
    wanted = class_name(threshold["class"], names)
    if wanted not in names:
        hint = did_you_mean(wanted, names)
        raise ParameterError(
            f"threshold names the class {wanted!r}, and there are {' and '.join(names)}.{hint}"
        )
    share = check_number(threshold[rates[0]], f"threshold[{rates[0]!r}]", above=0, below=1)
    return Aimed(list(names).index(wanted), rates[0], share)


def check_enough(aim: Aimed, codes: np.ndarray, names: Sequence[str], weight: Array | None = None) -> None:
    """See that the side whose rate is stated has samples enough.

    Raises
    ------
    DataError
        If there are too few for that share.
    """
    side = aim.positive if aim.rate == "sensitivity" else 1 - aim.positive
    there = (codes == side).sum()
    counts = there if weight is None else weight[codes == side].sum()
    if counts < fewest(aim.share) - 1e-9:
        grouped = (
            "" if np.isclose(counts, there) else f", which count as {counts:.1f} by their groups and weights"
        )
        raise DataError(
            f"a {aim.rate} of {aim.share:g} needs {fewest(aim.share)} samples of {names[side]!r} or more, and there are {there}{grouped}. "
            "Ask for a lower one."
        )


def choose(aim: Aimed, p: np.ndarray, codes: np.ndarray, weight: Array, resamples: np.ndarray) -> Threshold:
    """The threshold, and the rates to expect.

    Parameters
    ----------
    aim : Aimed
    p : numpy.ndarray
        ``(n,)`` probabilities of the positive class, out of fold.
    codes : numpy.ndarray
        ``(n,)``.
    weight : numpy.ndarray
        ``(n,)``; each class is looked at by itself.
    resamples : numpy.ndarray
        ``(m, n)`` how often each resample draws each row.
    """
    positive, counting = codes == aim.positive, weight > 0
    found: dict[str, list[float]] = {name: [] for name in RATES}
    for counts in resamples:
        value = _value(aim, p, positive, weight * counts)
        out = (counts == 0) & counting
        if not math.isfinite(value):
            continue
        called = p >= value
        for name, rows, right in (
            ("sensitivity", out & positive, called),
            ("specificity", out & ~positive, ~called),
        ):
            if rows.any():
                found[name].append(float(np.average(right[rows], weights=weight[rows])))
    rates = {
        name: (float(np.mean(values)), *map(float, np.quantile(values, [_MARGIN, 1 - _MARGIN])))
        for name, values in found.items()
        if values
    }
    return Threshold(aim.positive, _value(aim, p, positive, weight), rates)  # type: ignore[arg-type]


def _value(aim: Aimed, p: Array, positive: np.ndarray, weight: Array) -> float:
    side = positive if aim.rate == "sensitivity" else ~positive
    used = side & (weight > 0)
    if aim.rate == "sensitivity":
        # Reversed by comparison rather than by 1 - p, which rounds.
        return -limit(-p[used], weight[used], aim.share)
    return float(np.nextafter(limit(p[used], weight[used], aim.share), np.inf))
