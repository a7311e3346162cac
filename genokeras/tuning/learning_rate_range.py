"""The result of a learning-rate range test: its ramp, its smoothed curve and the rate it suggests.

A range test trains for a few steps while the learning rate grows from step to step (Smith 2017, "Cyclical learning rates
for training neural networks", section 3.3). The rate to use is the highest one before training diverges. Everything
here works on plain curves, and trains nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from genokeras.errors import ParameterError, TrainingError
from genokeras.support.checks import check_number, check_whole
from genokeras.support.figures import shown_figure
from genokeras.support.files import written_aside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST_RATE, LAST_RATE = 1e-5, 0.1
WINDOW, MAX_THRES = 50, 10
# A window of half the curve would move everything it shows by a quarter of the ramp.
_WIDEST_WINDOW, _LONGEST_RUN = 1 / 5, 1 / 10
_TOLERANCE = 0.02
_FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class RangeTest:
    """A finished range test.

    Parameters
    ----------
    rates : ndarray of float, shape (n_steps,)
        Learning rates, rising.
    raw : ndarray of float, shape (n_steps,)
        What was measured after the step at each rate; NaN or infinite where training diverged.
    smoothed : ndarray of float, shape (n_steps,)
        NaN from the first value that is not finite.
    suggestion : float
        The learning rate to train with.
    reason : str
        Why this one, in a sentence.
    measured : str
        What the curve shows.
    higher_is_better : bool
        Whether the curve shows accuracies, for example.
    """

    rates: np.ndarray
    raw: np.ndarray
    smoothed: np.ndarray
    suggestion: float
    reason: str
    measured: str = "loss"
    higher_is_better: bool = False

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        ax: Axes | None = None,
        label: str | None = None,
    ) -> Figure:
        """Draw the curve over the rates, on a logarithmic axis, with the suggestion.

        Parameters
        ----------
        path : path-like, optional
            Where to write the picture; the suffix gives the format.
        ax : matplotlib.axes.Axes, optional
            Axes to draw on; those of a new figure by default.
        label : str, optional
            Name of the curve; `measured` by default.

        Returns
        -------
        matplotlib.figure.Figure
            It belongs to no window, so it needs no display and no closing; a notebook shows it.
        """
        label = self.measured if label is None else label
        axes = shown_figure(figsize=(6.4, 4.0), layout="constrained").subplots() if ax is None else ax
        axes.plot(self.rates, _finite(self.raw), color="#9fb3c8", linewidth=1.0, label=label)
        axes.plot(self.rates, self.smoothed, color="#1d4ed8", linewidth=2.0, label=f"{label}, smoothed")
        axes.axvline(
            self.suggestion, color="#d9480f", linestyle="--", label=f"suggested: {self.suggestion:.3g}"
        )
        axes.set_xscale("log")
        if self.higher_is_better:
            low, high = _visible_range(-self.raw, -self.smoothed)
            axes.set_ylim(-high, -low)
        else:
            axes.set_ylim(*_visible_range(self.raw, self.smoothed))
        axes.set_xlabel("learning rate")
        axes.set_ylabel(label)
        axes.legend(frameon=False)
        figure = cast("Figure", axes.get_figure())
        if path is not None:
            with written_aside(path) as aside:
                figure.savefig(aside)
        return figure


def exponential_rates(first: float = FIRST_RATE, last: float = LAST_RATE, steps: int = 100) -> np.ndarray:
    """Learning rates that grow by the same factor from step to step.

    Parameters
    ----------
    first, last : float
        0 < first < last.
    steps : int
        At least 2.

    Returns
    -------
    ndarray of float, shape (steps,)

    Raises
    ------
    ParameterError
        On rates that are no numbers or do not rise from above 0, or fewer than two steps.
    """
    if not 0 < check_number(first, "first") < check_number(last, "last"):
        raise ParameterError(
            f"learning rates must rise from above 0: expected 0 < first < last, got {first!r} and {last!r}."
        )
    return np.geomspace(first, last, check_whole(steps, "steps", 2))


def smooth(curve: Sequence[float] | np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Bias-corrected exponential moving average.

    With decay d = 1 - 2 / (window + 1), s_t = sum_i d^(t-i) c_i / sum_i d^(t-i): the first value is that of the curve, not
    drawn towards 0 (the correction of Kingma & Ba 2015, section 3). It runs (window - 1) / 2 steps behind the curve.

    Parameters
    ----------
    curve : sequence of float, shape (n_steps,)
    window : int
        Steps that count, at least 1; at most a fifth of the curve is used.

    Returns
    -------
    ndarray of float, shape (n_steps,)
        NaN from the first value that is not finite.

    Raises
    ------
    ParameterError
        On values that are no numbers.
    """
    values = _numbers(curve, "curve")
    finite = _finite_length(values)
    decay = 1.0 - 2.0 / (_capped_window(window, len(values)) + 1.0)
    smoothed = np.full(len(values), np.nan)
    total = weight = 0.0
    for step in range(finite):
        total = decay * total + values[step]
        weight = decay * weight + 1.0
        smoothed[step] = total / weight
    return smoothed


def suggest_rate(
    rates: Sequence[float] | np.ndarray,
    losses: Sequence[float] | np.ndarray,
    *,
    higher_is_better: bool = False,
    window: int = WINDOW,
    max_thres: int = MAX_THRES,
) -> RangeTest:
    """The highest learning rate before training diverges.

    Walks along the smoothed curve from its best value, and counts the steps in a row that are worse by more than 2 % of
    what the curve gained. More than `max_thres` of them, or a value that is not finite, is divergence. The suggestion is the
    last rate before these drops, moved back by the steps that smoothing lags behind. Without a drop at its end the curve
    did not diverge, and its last rate is suggested. The first rate is only suggested if training diverged right behind it.

    Drops before the best value do not count: at rates too low to learn anything, curves go up and down with the batches.

    Parameters
    ----------
    rates : sequence of float, shape (n_steps,)
        Rising.
    losses : sequence of float, shape (n_steps,)
        What was measured after the step at each rate: a loss, or a score with `higher_is_better`.
    higher_is_better : bool
        Whether the curve is one of accuracies.
    window : int
        See :func:`smooth`.
    max_thres : int
        Drops in a row that are no divergence yet, at least 0; at most a tenth of the curve is used.

    Returns
    -------
    RangeTest

    Raises
    ------
    ParameterError
        On values that are no numbers, curves of unequal length, rates that do not rise, or a negative `max_thres`.
    TrainingError
        If the very first value is not finite.
    """
    rates, raw = _numbers(rates, "rates"), _numbers(losses, "losses")
    check_walk(window, max_thres)
    _check_curve(rates, raw)
    smoothed = smooth(raw, window)
    n, finite = len(raw), _finite_length(raw)
    if finite == 0:
        raise TrainingError(
            f"the first value of the range test is {raw[0]}, at a learning rate of {rates[0]:.3g}: are there NaN in the "
            "data, or labels that do not fit the loss? If not, begin with a lower rate."
        )
    index, reason = _walk(
        smoothed[:finite] if higher_is_better else -smoothed[:finite],
        broken=finite < n,
        lag=(_capped_window(window, n) - 1) // 2,
        longest=min(max_thres, max(1, int(n * _LONGEST_RUN))),
    )
    suggestion = float(np.sqrt(rates[0] * rates[-1])) if index is None else float(rates[index])
    for array in (rates, raw, smoothed):
        array.setflags(write=False)
    return RangeTest(rates, raw, smoothed, suggestion, reason, higher_is_better=higher_is_better)


def _walk(values: np.ndarray, *, broken: bool, lag: int, longest: int) -> tuple[int | None, str]:
    """Index of the rate to use (None: any is as good), and why; `values` are finite and better when higher."""
    if len(values) == 1:
        return 0, "training diverged right behind the first rate: begin lower"
    if not broken and np.ptp(values) <= _FLAT * np.abs(values).max():
        return None, "the curve is flat, so any rate is as good: the geometric middle of those tried"
    good = top = int(np.argmax(values))
    lowest = values[top] - _TOLERANCE * (values[top] - values[0])
    run = 0
    for step in range(top + 1, len(values)):
        run = 0 if values[step] >= lowest else run + 1
        if run > longest:
            break
        good = good if run else step
    if good == 0:
        return 1, "the curve only got worse: the lowest rate but the first; begin lower"
    if run == 0 and not broken:
        return good, "the curve never diverged: the highest rate tried"
    reason = "the highest rate before the drops at the end, too few for a divergence"
    if run > longest:
        reason = f"the highest rate before more than {longest} drops in a row"
    elif broken:
        reason = "the highest rate before the curve was no longer finite"
    return max(1, good - lag), reason


def check_walk(window: int, max_thres: int) -> None:
    """Refuse a `window` or `max_thres` that :func:`suggest_rate` cannot take.

    Raises
    ------
    ParameterError
    """
    check_whole(window, "window")
    check_whole(max_thres, "max_thres", 0)


def _numbers(values: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    """A copy, ``(n_steps,)`` float64."""
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} must be numbers, one for each step: got {values!r:.60}.") from None


def _check_curve(rates: np.ndarray, raw: np.ndarray) -> None:
    if rates.ndim != 1 or rates.shape != raw.shape or len(rates) < 2:
        raise ParameterError(
            "a range test needs one value for each of two or more rates: got rates of shape "
            f"{rates.shape} and values of shape {raw.shape}."
        )
    if not (np.isfinite(rates).all() and rates[0] > 0 and (np.diff(rates) > 0).all()):
        raise ParameterError("the rates of a range test must rise from above 0.")


def _capped_window(window: int, length: int) -> int:
    return min(check_whole(window, "window"), max(1, int(length * _WIDEST_WINDOW)))


def _finite_length(values: np.ndarray) -> int:
    """How many values come before the first that is not finite."""
    lost = np.flatnonzero(~np.isfinite(values))
    return int(lost[0]) if len(lost) else len(values)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _visible_range(raw: np.ndarray, smoothed: np.ndarray) -> tuple[float, float]:
    """Limits that show the curve up to its divergence: one loss of 1e30 would press all others into a line."""
    shown = raw[np.isfinite(raw)]
    low, middle = float(shown.min()), float(np.nanmedian(smoothed))
    high = min(float(shown.max()), max(middle, float(shown[0])) + 2.0 * (max(middle, float(shown[0])) - low))
    margin = 0.05 * (high - low) or 0.05 * (abs(low) or 1.0)
    return low - margin, high + margin
