"""The external validation of a report: what samples that were given score, beside what was to be expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binomtest

from genokeras.engine import Run
from genokeras.metric_names import metric_name, span
from genokeras.report.answers import class_counts, of_classes
from genokeras.report.diagnostics import Predictions
from genokeras.report.estimate import estimate_of, in_digits, ordered
from genokeras.report.page import paragraph, table
from genokeras.report.predicted import NumberPredictions
from genokeras.report.scored import Score, ScoredSamples, chances_of, rates_of, scores_of
from genokeras.searchers import FEWEST_GROUPS
from genokeras.support.wording import counted, listed, sentence
from genokeras.tasks.threshold import Threshold

_HEAD = ("metric", "these samples", "95 % interval", "expected", "95 % interval", "chance", "better is")
_NOTE = "Predictions of the delivered model for samples that this report was given."
_MOST_ERRORS = 15
_NAMED = 12
# Scores that are bad where probabilities are wrong although the order of the samples is right.
_OF_PROBABILITIES = ("log_loss", "brier", "ranked_probability_score", "integrated_brier")
_LEAST_SHIFT, _CHANCE_OF_SHIFT, _MOST_SHIFTED = 0.1, 0.01, 3


def validation_tables(run: Run, samples: ScoredSamples, threshold: Threshold | None = None) -> list[str]:
    """HTML: scores beside the estimate, and what to think of them; with a threshold, also the rates that it reaches."""
    expected, scores = entries(estimate_of(run)), ordered(scores_of(run, samples), lambda one: one.metric)
    chances = chances_of(run, samples)
    rows = [_row(score, expected.get(score.metric, {}), chances.get(score.metric)) for score in scores]
    if threshold is not None:
        rows += [_row(rate, _expected_rate(threshold, rate.metric)) for rate in rates_of(threshold, samples)]
    n = counted(len(samples.ids), "sample")
    parts = [
        paragraph(verdict_on(samples, scores, expected, shifted_classes(run, samples)), "verdict"),
        table(f"{n} that were given, and the estimate", _HEAD, rows, numbers=[1, 2, 3, 4, 5]),
        paragraph(
            f"{_how_resampled(run, samples)} Intervals of what is expected are of the training samples, out of fold. Chance is what the best "
            "answer that is the same for every sample, learnt from the training samples, scores on these. The delivered model is fixed: "
            "nothing here chose it.",
            "faint",
        ),
    ]
    return parts


def _how_resampled(run: Run, samples: ScoredSamples) -> str:
    """Where the intervals of these samples come from."""
    if samples.groups is not None and samples.n_units < FEWEST_GROUPS:
        n = counted(samples.n_units, "group")
        return f"All of these samples are of {n}, and scores have intervals from {FEWEST_GROUPS} groups on."
    if samples.groups is not None:
        rest = "; those of single classes further down take samples as independent" if of_classes(run) else ""
        return f"Intervals of these samples are by resampling their {samples.n_units} groups, each as a whole (1,000 times){rest}."
    said = "Intervals of these samples are by resampling them (1,000 times, every class keeping its size)."
    settings = run.folder.settings
    if settings.get("groups") is not None and "batches" not in settings:
        said += (
            " The run was fitted with groups, and these samples came without, so that they are taken as independent: with groups= a report "
            "draws those of one group together."
        )
    return said


def entries(estimate: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The parts of an estimate, by metric."""
    return {str(estimate["metric"]): estimate, **estimate.get("also", {})}


def _row(score: Score, expected: Mapping[str, Any], chance: float | None = None) -> tuple[str, ...]:
    return (
        metric_name(score.metric),
        in_digits(score.value),
        span((score.low, score.high)) or "–",
        in_digits(expected.get("value")),
        span(expected.get("interval")) or "–",
        in_digits(chance),
        "higher" if score.greater_is_better else "lower",
    )


def _expected_rate(threshold: Threshold, name: str) -> Mapping[str, Any]:
    if name not in threshold.rates:
        return {}
    value, low, high = threshold.rates[name]
    return {"value": value, "interval": (low, high)}


def verdict_on(
    samples: ScoredSamples,
    scores: list[Score],
    expected: Mapping[str, Mapping[str, Any]],
    shifted: str = "",
) -> str:
    """What the scores say, and whether they may be believed.

    Parameters
    ----------
    samples : ScoredSamples
    scores : list of Score
        The headline first.
    expected : mapping
        The parts of an estimate by metric, the objective of the fit first.
    shifted : str
        What `shifted_classes` says.
    """
    score = scores[0]
    within = span((score.low, score.high))
    interval = f" (95 % interval {within})" if within else ""
    said = f"{sentence(metric_name(score.metric))} of {in_digits(score.value)}{interval} on {samples.words}."
    apart = _worse_beyond_chance(scores, expected)
    said += _headline(score, expected.get(score.metric, {}), apart) + _other_scores(score, apart, expected)
    said += _of_probabilities(apart, shifted)
    if samples.trained_on:
        n = len(samples.trained_on)
        said += (
            f" But {n} of these samples {'is a training sample' if n == 1 else 'are training samples'}, by the values "
            f"({listed(samples.trained_on, _NAMED)}): this is no external validation, and its scores flatter."
        )
    return said + _when_all_are_right(score, samples)


def _worse_beyond_chance(scores: list[Score], expected: Mapping[str, Mapping[str, Any]]) -> dict[str, Score]:
    """Scores whose interval lies wholly on the worse side of what was expected, by metric, in the order of the estimate."""
    by_name = {score.metric: score for score in scores}
    found = {}
    for name, held in expected.items():
        score, interval = by_name.get(name), held.get("interval")
        if score is None or interval is None or not span(interval):
            continue
        sign = 1.0 if score.greater_is_better else -1.0
        if max(sign * score.low, sign * score.high) < min(sign * limit for limit in interval):
            found[name] = score
    return found


def _headline(score: Score, held: Mapping[str, Any], apart: Mapping[str, Score]) -> str:
    """How the first score stands to what was expected of it."""
    interval = held.get("interval")
    if interval is None:
        return ""
    within = span(interval)
    if not within:
        return f" Expected was {in_digits(held['value'])}, without an interval."
    if score.metric in apart:
        return (
            f" That is worse than the {in_digits(held['value'])} that was expected, by more than chance: these samples may be of another "
            "kind, or were measured in another way."
        )
    sign = 1.0 if score.greater_is_better else -1.0
    worst, best = sorted((sign * interval[0], sign * interval[1]))
    if sign * score.value < worst:
        doubt = "not by more than chance" if apart else "so few samples cannot tell"
        return f" That is below what was expected ({within}), but {doubt}."
    beyond = "better than" if sign * score.value > best else "as"
    return f" That is {beyond} expected ({within})."


def _other_scores(
    headline: Score, apart: Mapping[str, Score], expected: Mapping[str, Mapping[str, Any]]
) -> str:
    """The other scores that are worse by more than chance."""
    others = [
        f"{metric_name(name)} {in_digits(one.value)} ({span((one.low, one.high))}, expected {span(expected[name]['interval'])})"
        for name, one in apart.items()
        if name != headline.metric
    ]
    if not others:
        return ""
    which = "Another score is" if len(others) == 1 else "Other scores are"
    also = " also" if headline.metric in apart else ""
    return f" {which}{also} worse than expected, by more than chance: {listed(others)}."


def _of_probabilities(apart: Mapping[str, Score], shifted: str) -> str:
    """Whether probabilities hold, and whether class shares may be why not."""
    if any(name in _OF_PROBABILITIES for name in apart):
        why = f", whose class shares differ from training: {shifted}" if shifted else ""
        return f" Its probabilities do not hold for these samples{why}."
    return (
        f" Class shares differ from training: {shifted}. Accuracy and probabilities depend on them."
        if shifted
        else ""
    )


def shifted_classes(run: Run, samples: ScoredSamples) -> str:
    """Classes whose share differs by a tenth of all samples or more, and by more than chance; empty where none does.

    Parameters
    ----------
    run : Run
    samples : ScoredSamples

    Returns
    -------
    str
        ``"20 % ill in training, 80 % here"``; of two classes the one that grew, of more those that differ most.
    """
    if not of_classes(run):
        return ""
    trained, n = np.asarray(class_counts(run), dtype="float64"), len(samples.targets)
    trained /= trained.sum()
    here = np.bincount(samples.targets, minlength=len(trained))
    gain = here / n - trained
    found = [
        f"{_percent(trained[c])} {run.names[c]} in training, {_percent(here[c] / n)} here"
        for c in np.argsort(-np.abs(gain), kind="stable").tolist()
        if (gain[c] > 0 or len(trained) > 2)
        and abs(gain[c]) >= _LEAST_SHIFT
        and binomtest(int(here[c]), n, trained[c]).pvalue < _CHANCE_OF_SHIFT / len(trained)
    ]
    return "; ".join(found[:_MOST_SHIFTED])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _when_all_are_right(score: Score, samples: ScoredSamples) -> str:
    """Resampling samples that are all predicted right knows no doubt; how often that comes by luck does."""
    if score.metric not in ("accuracy", "balanced_accuracy") or not score.low >= 1.0:
        return ""
    low = binomtest(samples.n_units, samples.n_units).proportion_ci(0.95).low
    share = "their share" if samples.groups is None else "the share of such groups"
    return f" All are predicted right, so that resampling shows no doubt: the exact interval of {share} begins at {low:.3f}."


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
