"""The external validation of a report: what samples that were given score, beside what was to be expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binomtest

from genokeras.engine import Run
from genokeras.metric_names import metric_name
from genokeras.report.diagnostics import Predictions
from genokeras.report.estimate import estimate_of, in_digits, ordered
from genokeras.report.page import paragraph, table
from genokeras.report.predicted import NumberPredictions
from genokeras.report.scored import Score, ScoredSamples, chances_of, rates_of, scores_of
from genokeras.support.wording import counted, listed, sentence
from genokeras.tasks.threshold import Threshold

_HEAD = ("metric", "these samples", "95 % interval", "expected", "95 % interval", "chance", "better is")
_NOTE = "Predictions of the delivered model for samples that this report was given."
_MOST_ERRORS = 15
_NAMED = 12


def validation_tables(run: Run, samples: ScoredSamples, threshold: Threshold | None = None) -> list[str]:
    """HTML: scores beside the estimate, and what to think of them; with a threshold, also the rates that it reaches."""
    expected, scores = entries(estimate_of(run)), ordered(scores_of(run, samples), lambda one: one.metric)
    chances = chances_of(run, samples)
    rows = [_row(score, expected.get(score.metric, {}), chances.get(score.metric)) for score in scores]
    if threshold is not None:
        rows += [_row(rate, _expected_rate(threshold, rate.metric)) for rate in rates_of(threshold, samples)]
    n = counted(len(samples.ids), "sample")
    parts = [
        paragraph(verdict_on(samples, scores, expected), "verdict"),
        table(f"{n} that were given, and the estimate", _HEAD, rows, numbers=[1, 2, 3, 4, 5]),
        paragraph(
            "Intervals of these samples are by resampling them (1,000 times, every class keeping its size); those of what is expected are of "
            "the training samples, out of fold. Chance is what the best answer that is the same for every sample, learnt from the training samples, "
            "scores on these. The delivered model is fixed: nothing here chose it.",
            "faint",
        ),
    ]
    return parts


def entries(estimate: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The parts of an estimate, by metric."""
    return {str(estimate["metric"]): estimate, **estimate.get("also", {})}


def _row(score: Score, expected: Mapping[str, Any], chance: float | None = None) -> tuple[str, ...]:
    interval = expected.get("interval") or ()
    return (
        metric_name(score.metric),
        in_digits(score.value),
        _interval(score.low, score.high),
        in_digits(expected.get("value")),
        _interval(*interval) if len(interval) else "–",
        in_digits(chance),
        "higher" if score.greater_is_better else "lower",
    )


def _expected_rate(threshold: Threshold, name: str) -> Mapping[str, Any]:
    if name not in threshold.rates:
        return {}
    value, low, high = threshold.rates[name]
    return {"value": value, "interval": (low, high)}


def _interval(low: float, high: float) -> str:
    return "–" if low != low else f"{in_digits(low)} to {in_digits(high)}"


def verdict_on(samples: ScoredSamples, scores: list[Score], expected: Mapping[str, Mapping[str, Any]]) -> str:
    """What the first of the scores says, and whether it may be believed."""
    score = scores[0]
    said = (
        f"{sentence(metric_name(score.metric))} of {in_digits(score.value)} "
        f"(95 % interval {_interval(score.low, score.high)}) on {samples.words}."
    )
    held = expected.get(score.metric, {})
    interval = held.get("interval")
    if interval is not None:
        sign = 1.0 if score.greater_is_better else -1.0
        worst, best = sorted((sign * interval[0], sign * interval[1]))
        if max(sign * score.low, sign * score.high) < worst:
            said += (
                f" That is worse than the {in_digits(held['value'])} that was expected, by more than chance: these samples may be of another "
                "kind, or were measured in another way."
            )
        elif sign * score.value < worst:
            said += (
                f" That is below what was expected ({_interval(*interval)}), but so few samples cannot tell."
            )
        else:
            beyond = "better than" if sign * score.value > best else "as"
            said += f" That is {beyond} expected ({_interval(*interval)})."
    if samples.trained_on:
        n = len(samples.trained_on)
        said += (
            f" But {n} of these samples {'is a training sample' if n == 1 else 'are training samples'}, by the values "
            f"({listed(samples.trained_on, _NAMED)}): this is no external validation, and its scores flatter."
        )
    return said + _when_all_are_right(score, len(samples.ids))


def _when_all_are_right(score: Score, n: int) -> str:
    """Resampling samples that are all predicted right knows no doubt; how often that comes by luck does."""
    if score.metric not in ("accuracy", "balanced_accuracy") or score.low < 1.0:
        return ""
    low = binomtest(n, n).proportion_ci(0.95).low
    return f" All are predicted right, so that resampling shows no doubt: the exact interval of their share begins at {low:.3f}."


def given_predictions(run: Run, samples: ScoredSamples, threshold: Threshold | None = None) -> Predictions:
    """Class predictions of the samples that were given, as pictures take them."""
    names = [str(name) for name in run.names]
    return Predictions(samples.targets, samples.answers, names, note=_NOTE, threshold=threshold)


def given_numbers(run: Run, samples: ScoredSamples) -> NumberPredictions:
    """Predicted numbers of the samples that were given."""
    return NumberPredictions(samples.targets, samples.answers, run.names, _NOTE)


def largest_errors(run: Run, samples: ScoredSamples) -> str:
    """HTML: the samples furthest off, by the error as a share of the errors' spread where there are several targets."""
    truth = np.asarray(samples.targets, dtype="float64").reshape(samples.answers.shape)
    error = samples.answers - truth
    spread = np.sqrt((error**2).mean(axis=0))
    size = np.abs(error / np.where(spread > 0, spread, 1.0))
    rows = []
    for place in np.argsort(-size, axis=None, kind="stable")[:_MOST_ERRORS].tolist():
        i, c = divmod(place, size.shape[1])
        rows.append(
            (
                samples.ids[i],
                run.names[c],
                f"{truth[i, c]:.4g}",
                f"{samples.answers[i, c]:.4g}",
                f"{error[i, c]:+.3g}",
            )
        )
    head = ("sample", "target", "true", "predicted", "error")
    return table("Samples that are furthest off", head, rows, numbers=[2, 3, 4], long=[0, 1])
