"""Times until an event, some of them cut short: what is known of each sample, and what all samples say together.

Targets are ``(n, 4)`` float64: a row has all that scores need, so that any part of the samples can be scored by itself.

==============  ==========================================================================================
column          meaning
==============  ==========================================================================================
TIME            when the event came, or when the follow-up ended
EVENT           1 or 0
PLACE           where on the task's own scale of time that is: the cumulative hazard of all training samples
UNCENSORED      share of the samples whose follow-up would reach beyond that time: of the training samples, or of further ones that are read together
==============  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from genokeras.data import as_numbers
from genokeras.data.targets import missing_mask
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

TIME, EVENT, PLACE, UNCENSORED = range(4)
# Where one of the times is this many times the next lower one, and both sides are this large, they are hardly of one unit.
_UNIT_GAP, _UNIT_SHARE = 8.0, 0.1
_FEW_EVENTS = 20
_YES, _NO = ("1", "1.0", "true"), ("0", "0.0", "false")


@final
@dataclass(frozen=True)
class Steps:
    """A function of time that changes at some times only.

    Attributes
    ----------
    times : tuple of float
        In ascending order.
    values : tuple of float
        From each of them on.
    before : float
        Ahead of the first one.
    """

    times: tuple[float, ...]
    values: tuple[float, ...]
    before: float

    def at(self, times: Any) -> np.ndarray:
        """Its values at any times."""
        known = np.concatenate([[self.before], self.values])
        return np.asarray(known[np.searchsorted(np.asarray(self.times), times, side="right")])

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"times": list(self.times), "values": list(self.values), "before": self.before}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(tuple(data["times"]), tuple(data["values"]), float(data["before"]))


def cumulative_hazard(
    time: np.ndarray, event: np.ndarray, risk: np.ndarray | None = None, weight: np.ndarray | None = None
) -> Steps:
    """How often the event has come to an average sample by each time.

    Parameters
    ----------
    time, event : numpy.ndarray
        ``(n,)``.
    risk : numpy.ndarray, optional
        ``(n,)`` relative hazards. With them it is the cumulative hazard of a sample whose relative hazard is 1 (Breslow 1972, Journal of the
        Royal Statistical Society B 34: 216-217), else that of Nelson (1972) and Aalen (1978).
    weight : numpy.ndarray, optional
        ``(n,)`` how often each sample counts, among the events and at risk: whole numbers are repeated rows.
    """
    at, events, at_risk, _ = _table(time, event, weight, risk)
    kept = events > 0
    hazard = np.cumsum(events[kept] / at_risk[kept])
    return Steps(_floats(at[kept]), _floats(hazard), 0.0)


def survival(time: np.ndarray, event: np.ndarray, weight: np.ndarray | None = None) -> Steps:
    """Share of samples, of these weights, without the event by each time (Kaplan and Meier 1958, JASA 53: 457-481)."""
    at, events, at_risk, _ = _table(time, event, weight)
    kept = events > 0
    return Steps(_floats(at[kept]), _floats(_product(events[kept], at_risk[kept])), 1.0)


def uncensored(time: np.ndarray, event: np.ndarray, weight: np.ndarray | None = None) -> Steps:
    """Share of samples, of these weights, whose follow-up would reach beyond each time; an event at the time of a censoring comes before it."""
    at, events, at_risk, ends = _table(time, event, weight)
    kept = ends > 0
    return Steps(_floats(at[kept]), _floats(_product(ends[kept], (at_risk - events)[kept])), 1.0)


def martingale_residuals(targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``(n,)`` events that came less those that the rows, of these weights, would lead one to expect; 0 for rows without weight.

    Barlow and Prentice (1988), Biometrika 75: 65-74.
    """
    time, event = targets[:, TIME], targets[:, EVENT]
    expected = cumulative_hazard(time, event, weight=weight).at(time)
    return np.asarray(np.where(weight > 0, event - expected, 0.0))


def survival_targets(
    time: np.ndarray, event: np.ndarray, place: Callable[[np.ndarray], np.ndarray], censoring: Steps
) -> np.ndarray:
    """``(n, 4)`` targets of samples.

    Parameters
    ----------
    time, event : numpy.ndarray
        ``(n,)``.
    place : callable
        From times to the task's own scale.
    censoring : Steps
        As of :func:`uncensored`, of samples that are followed as these are.
    """
    # Behind the last censoring nobody would be followed; a sample there counts as the last one that was.
    left = censoring.at(time)
    positive = [value for value in censoring.values if value > 0]
    return np.column_stack([time, event, place(time), np.maximum(left, min(positive, default=1.0))])


# ---- reading


def read_times(
    values: np.ndarray, names: Sequence[str], ids: tuple[str, ...], source: str
) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of samples, ``(n,)`` float64 each.

    Parameters
    ----------
    values : numpy.ndarray
        ``(n, 2)``: times, and whether the event came then.
    names : sequence of str
        What the two are called.
    ids : tuple of str
        Names of the samples.
    source : str
        Where they came from.

    Raises
    ------
    DataError
        If there are not two columns, a time is not above zero, or an event is neither 0 nor 1.
    """
    if values.ndim != 2 or values.shape[1] != 2:
        got = "one column" if values.ndim == 1 else f"{values.shape[1]} columns"
        raise DataError(
            f"survival needs two values of each sample, the time and whether the event came then: got {got} ({source}). Pass "
            "time=... and event=..., or both as y."
        )
    time_name, event_name = (str(name) for name in names)
    time = as_numbers(values[:, 0], ids, f"{source}, column {time_name!r}")[:, 0]
    _check_positive(time, time_name, ids, source)
    return time, _events(values[:, 1], event_name, ids, source)


def check_informative(
    time: np.ndarray, event: np.ndarray, names: Sequence[str], source: str
) -> tuple[str, ...]:
    """Notes on training samples that survival can be learnt from.

    Raises
    ------
    DataError
        If there are no events, no two samples can be compared, or the times seem to be of several units.
    """
    time_name, event_name = names
    n, events = len(time), int(event.sum())
    if not events:
        raise DataError(
            f"no sample of {n} has the event (column {event_name!r}, {source}): at least two events at different times are needed. "
            "It must be 1 where the event came, and 0 where the follow-up ended without it."
        )
    first = time[event > 0].min()
    if (time > first).sum() < 1 or (events < 2):
        raise DataError(
            f"only {counted(events, 'sample')} of {n} {'have' if events > 1 else 'has'} the event (column {event_name!r}, {source}), and no two "
            "samples can be compared: nobody was followed beyond the first event. Bring more events or longer follow-up."
        )
    ended = time[event == 0]
    if len(ended) >= n / 2 and ended.max() < first:
        raise DataError(
            f"all {len(ended)} samples without the event were last seen before the first event came ({time_name!r} at most {ended.max():g}, "
            f"first event at {first:g}, {source}): they say nothing. Are the columns {time_name!r} and {event_name!r} those that "
            "were meant, and of the same samples?"
        )
    _check_one_unit(time, time_name, source)
    if events < _FEW_EVENTS:
        return (f"Only {events} of {n} samples have the event: what is learnt and scored is very uncertain.",)
    return ()


def _check_positive(time: np.ndarray, name: str, ids: tuple[str, ...], source: str) -> None:
    wrong = np.flatnonzero(time <= 0)
    if not len(wrong):
        return
    kind = "below 0" if time[wrong].min() < 0 else "0"
    advice = (
        "Is it the time since diagnosis or treatment? Correct or drop these samples."
        if kind == "below 0"
        else "Drop these samples, or give them half the smallest unit, such as 0.5 days."
    )
    raise DataError(
        f"times must be above 0, but {name!r} is {kind} for {len(wrong)} of {len(time)} samples ({source}): "
        f"{listed((ids[i] for i in wrong), 8)}. {advice}"
    )


def _events(values: np.ndarray, name: str, ids: tuple[str, ...], source: str) -> np.ndarray:
    lost = np.flatnonzero(missing_mask(values))
    if len(lost):
        raise DataError(
            f"the event is missing for {len(lost)} of {len(values)} samples ({source}, column {name!r}): "
            f"{listed((ids[i] for i in lost), 8)}. Give it to them or drop them."
        )
    texts = [str(value).strip().lower() for value in values.tolist()]
    found = np.array([1.0 if text in _YES else 0.0 if text in _NO else np.nan for text in texts])
    if np.isnan(found).any():
        shown = sorted({_written(value) for value in values.tolist()})
        example = shown[-1] if len(shown) <= 3 else "'dead'"
        raise DataError(
            f"the event must be 1 or True where it came, and 0 or False where the follow-up ended without it: column {name!r} of {source} "
            f"holds {listed(shown, 5)}. Say which value is the event, such as event = (column == {example})."
        )
    return found


def _written(value: object) -> str:
    """As one writes it in Python: text in quotes, numbers without."""
    return f"{value:g}" if isinstance(value, int | float) else repr(str(value).strip())


def _check_one_unit(time: np.ndarray, name: str, source: str) -> None:
    ordered = np.sort(time)
    least = max(2, int(np.ceil(_UNIT_SHARE * len(ordered))))
    low, high = ordered[least - 1 : len(ordered) - least], ordered[least : len(ordered) - least + 1]
    if not len(low):
        return
    gaps = high / low
    widest = int(gaps.argmax())
    if gaps[widest] >= _UNIT_GAP:
        below = least + widest
        raise DataError(
            f"times seem to be in several units: {below} samples have {name!r} up to {low[widest]:g}, the other "
            f"{len(ordered) - below} from {high[widest]:g} on, and none lies between ({source}). Give all in one unit, such as days."
        )


def _table(
    time: np.ndarray, event: np.ndarray, weight: np.ndarray | None, risk: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distinct times, and at each of them the weight of events, of what is at risk, and of ends of follow-up."""
    at, place = np.unique(time, return_inverse=True)
    counted = np.ones(len(time)) if weight is None else weight
    events = np.bincount(place, counted * event, minlength=len(at))
    ends = np.bincount(place, counted * (1 - event), minlength=len(at))
    exposed = counted if risk is None else counted * risk
    at_risk = np.cumsum(np.bincount(place, exposed, minlength=len(at))[::-1])[::-1]
    return at, events, at_risk, ends


def _product(leave: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Share that is left after each time; who leaves was there, but for rounding."""
    return np.asarray(np.cumprod(1 - leave / np.maximum(leave, there)))


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, values))


def between_ends(places: np.ndarray, k: int) -> np.ndarray:
    """``(k, times)`` shares of the logarithms of survival at the ends of intervals that make those at some places."""
    at = np.clip(places, 0, k)
    low = np.minimum(np.floor(at).astype(int), k - 1)
    shares = np.zeros((k + 1, len(at)), dtype="float32")
    columns = np.arange(len(at))
    shares[low, columns] += 1 - (at - low)
    shares[low + 1, columns] += at - low
    return shares[1:]
