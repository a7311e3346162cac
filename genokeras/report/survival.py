"""How good predicted survival is, as pictures: Kaplan-Meier curves of risk groups, and predicted against observed survival.

Of a run, these are the out-of-fold predictions of the ensemble it delivers. Nobody trained on them, but the ensemble
was chosen by them, so the pictures and the log-rank test are a little too kind; ``estimate_`` is corrected for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import chi2, norm

from genokeras.engine import read_record
from genokeras.errors import ParameterError
from genokeras.report.picture import COLOURS, FAINT, LINES, Picture, house_style, label_axes, write_note
from genokeras.report.sources import run_folder
from genokeras.tasks.survival import Cox, Survival, calibrated_baseline
from genokeras.tasks.survival_times import EVENT, TIME, Steps, survival

GROUPS = ("low risk", "middle risk", "high risk")
_NOTE = "Out-of-fold predictions of the delivered ensemble, which was chosen by them, so that {} is a little too {}; estimate_ is corrected for that."
_TIMES, _BINS, _FEWEST = 3, 4, 24
_LEVEL = float(norm.ppf(0.975))


@dataclass(frozen=True, eq=False)
class SurvivalPredictions:
    """Predictions of samples whose times and events are known.

    Attributes
    ----------
    time, event, risk : numpy.ndarray
        ``(n,)``.
    fold : numpy.ndarray
        ``(n,)`` samples whose predictions come from the same networks.
    times : numpy.ndarray
        ``(m,)`` chosen ones: quartiles of the events.
    curves : numpy.ndarray
        ``(n, m)`` predicted probability of no event by these.
    unit : str
        What the times are called.
    """

    time: np.ndarray
    event: np.ndarray
    risk: np.ndarray
    fold: np.ndarray
    times: np.ndarray
    curves: np.ndarray
    unit: str


def survival_predictions(source: Any, times: np.ndarray | None = None) -> SurvivalPredictions:
    """Out-of-fold predictions of a run.

    Parameters
    ----------
    source : SurvivalPredictions, path-like or fitted estimator
    times : numpy.ndarray, optional
        As in :func:`predictions_of`.

    Raises
    ------
    ParameterError
        If the run does not predict survival.
    RunFolderError
        If it is no run, or was not finished.
    """
    if isinstance(source, SurvivalPredictions):
        return source
    record = read_record(run_folder(source))
    task = record.task
    if not isinstance(task, Survival):
        raise ParameterError(
            f"{str(record.folder.path)!r} predicts no survival, and has no curves of risk groups."
        )
    found = record.out_of_fold()
    baseline = calibrated_baseline(task, found.targets, found.answers, found.weight)
    return predictions_of(task, found.targets, found.answers, baseline, found.fold, times)


def predictions_of(
    task: Survival,
    targets: np.ndarray,
    answers: np.ndarray,
    baseline: Steps,
    fold: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> SurvivalPredictions:
    """What answers ``(n, n_outputs)`` say of samples whose times and events are known.

    Parameters
    ----------
    task : Survival
    targets : numpy.ndarray
        ``(n, 3)`` as the task reads them.
    answers : numpy.ndarray
    baseline : Steps
        The cumulative hazard of a sample whose risk is 0.
    fold : numpy.ndarray, optional
        ``(n,)``; by default all answers come from the same networks.
    times : numpy.ndarray, optional
        ``(m,)`` at which curves are wanted; by default quartiles of the events.

    Raises
    ------
    ParameterError
        If no sample has the event.
    """
    time, event = targets[:, TIME], targets[:, EVENT]
    if not (event > 0).any():
        raise ParameterError(f"none of these {len(event)} samples has the event: there is nothing to draw.")
    if times is None:
        places = np.arange(1, _TIMES + 1) / (_TIMES + 1)
        times = np.unique(np.quantile(time[event > 0], places, method="nearest"))
    scaled = baseline.at(times) if isinstance(task, Cox) else task.places(times)
    kind = task.survival_answers
    return SurvivalPredictions(
        time,
        event,
        kind.risk(answers),
        np.zeros(len(time), dtype=int) if fold is None else fold,
        times,
        kind.curves(answers, scaled),
        task.columns[0],
    )


def risk_thirds(risk: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """``(n,)`` 0, 1 or 2: the third of its fold that each sample's risk is in."""
    third = np.empty(len(risk), dtype=np.int64)
    for number in np.unique(fold):
        own = np.flatnonzero(fold == number)
        place = np.argsort(np.argsort(risk[own], kind="stable"), kind="stable")
        third[own] = len(GROUPS) * place // len(own)
    return third


def log_rank(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Statistic and p of the log-rank test that groups have the same hazard (Mantel 1966; Peto and Peto 1972, JRSS A 135: 185-207).

    Parameters
    ----------
    time, event, group : numpy.ndarray
        ``(n,)``.
    """
    names = np.unique(group)
    excess, covariance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    member = (group[:, None] == names).astype("float64")
    for at in np.unique(time[event > 0]):
        at_risk = member[time >= at].sum(axis=0)
        events = member[(time == at) & (event > 0)].sum(axis=0)
        n, d = at_risk.sum(), events.sum()
        share = at_risk / n
        excess += events - d * share
        if n > 1:
            covariance += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    statistic = float(excess[1:] @ np.linalg.pinv(covariance[1:, 1:]) @ excess[1:])
    return statistic, float(chi2.sf(statistic, len(names) - 1))


def survival_band(
    time: np.ndarray, event: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kaplan-Meier survival at some times, and its 95 % interval (Greenwood's variance, on the log-log scale)."""
    curve = survival(time, event)
    value = curve.at(times)
    at = np.asarray(curve.times)
    events = np.array([((time == one) & (event > 0)).sum() for one in at])
    at_risk = np.array([(time >= one).sum() for one in at])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.cumsum(events / (at_risk * (at_risk - events)))
        summed = np.concatenate([[0.0], terms])[np.searchsorted(at, times, side="right")]
        width = _LEVEL * np.sqrt(summed) / np.abs(np.log(value))
        low, high = value ** np.exp(width), value ** np.exp(-width)
    inside = np.isfinite(low) & np.isfinite(high)
    return value, np.where(inside, low, value), np.where(inside, high, value)


@house_style()
def plot_risk_groups(source: Any) -> Picture:
    """Kaplan-Meier curves of the thirds of samples with the lowest, middle and highest risk out of fold, and the log-rank test.

    Parameters
    ----------
    source : SurvivalPredictions, path-like or fitted estimator

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If the run does not predict survival.
    RunFolderError
        If the run was not finished.
    """
    found = survival_predictions(source)
    figure = Picture(figsize=(7.2, 4.8), layout="constrained")
    figure.alt = draw_risk_groups(figure.subplots(), found, "Risk thirds out of fold")
    write_note(
        figure,
        f"Thirds within each fold; bands are 95 % intervals, ticks ends of follow-up. {_NOTE.format('p', 'small')}",
    )
    return figure


def draw_risk_groups(axes: Axes, found: SurvivalPredictions, title: str) -> str:
    """Draw Kaplan-Meier curves of risk thirds; see :func:`plot_risk_groups`.

    Returns
    -------
    str
        What it shows, in a sentence or two.
    """
    third = risk_thirds(found.risk, found.fold)
    said = [_draw_group(axes, found, third == number, number) for number in range(len(GROUPS))]
    p = log_rank(found.time, found.event, third)[1]
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlim(left=0)
    label_axes(axes, f"{title}: log-rank {in_words(p)}", found.unit, "share without the event")
    axes.legend(loc="lower left")
    return f"Kaplan-Meier curves of {len(third)} samples by thirds of their risk: {'; '.join(said)}. Log-rank {in_words(p)}."


def _draw_group(axes: Axes, found: SurvivalPredictions, rows: np.ndarray, number: int) -> str:
    time, event = found.time[rows], found.event[rows]
    times = np.unique(np.concatenate([[0.0], time]))
    value, low, high = survival_band(time, event, times)
    words = f"{GROUPS[number]} ({rows.sum()} samples, {int(event.sum())} events)"
    colour, line = COLOURS[number], LINES[number]
    axes.step(times, value, where="post", color=colour, linestyle=line, label=words)
    axes.fill_between(times, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    ends = time[event == 0]
    axes.plot(ends, survival(time, event).at(ends), "|", color=colour, markersize=6)
    return words


@house_style()
def plot_survival_calibration(source: Any) -> Picture:
    """Predicted against observed survival at three times, the quartiles of the events, samples in four groups of like prediction.

    Parameters
    ----------
    source : SurvivalPredictions, path-like or fitted estimator

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If the run does not predict survival, or there are too few samples.
    RunFolderError
        If the run was not finished.
    """
    found = survival_predictions(source)
    figure = Picture(figsize=(4.0 * len(found.times), 4.2), layout="constrained")
    panels = figure.subplots(1, len(found.times), squeeze=False)[0]
    gaps = [draw_survival_calibration(panel, found, place) for place, panel in enumerate(panels)]
    panels[0].set_ylabel("observed survival (Kaplan-Meier)")
    write_note(
        figure,
        f"Four groups of samples by predicted survival; bars are 95 % intervals. {_NOTE.format('the fit', 'good')}",
    )
    figure.alt = "Predicted against observed survival: " + "; ".join(
        f"at {at:.4g} they differ by {gap:.2f} on average" for at, gap in zip(found.times, gaps, strict=True)
    )
    return figure


def draw_survival_calibration(axes: Axes, found: SurvivalPredictions, place: int) -> float:
    """Draw predicted against observed survival at one of the times; see :func:`plot_survival_calibration`.

    Returns
    -------
    float
        By how much the two differ, on average over the groups.

    Raises
    ------
    ParameterError
        If there are too few samples.
    """
    if len(found.time) < _FEWEST:
        raise ParameterError(f"calibration needs {_FEWEST} samples or more: got {len(found.time)}.")
    at, predicted = found.times[place], found.curves[:, place]
    groups = np.array_split(np.argsort(predicted, kind="stable"), _BINS)
    means = np.array([predicted[rows].mean() for rows in groups])
    bands = [survival_band(found.time[rows], found.event[rows], np.array([at])) for rows in groups]
    value, low, high = np.array(bands)[:, :, 0].T
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=":")
    axes.errorbar(
        means, value, yerr=[value - low, high - value], fmt="o", color=COLOURS[0], markersize=5, capsize=2
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel="predicted survival")
    axes.set_title(f"{found.unit} {at:.4g}", parse_math=False)
    return float(np.abs(means - value).mean())


def in_words(p: float) -> str:
    """``p = 0.013``."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
