"""The honest estimate of a run, in words and as a table: beside the linear model, and beside guessing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from genokeras.engine import Run
from genokeras.metric_names import metric_name, span
from genokeras.support.wording import counted

T = TypeVar("T")
_HEADLINES = (("balanced_accuracy", "roc_auc"), ("r2",), ("c_index",))
# The metrics that a reader knows, in the order in which they are told.
_FIRST = (
    "balanced_accuracy",
    "roc_auc",
    "accuracy",
    "f1",
    "mcc",
    "quadratic_kappa",
    "r2",
    "c_index",
    "c_index_uno",
)
_ENDINGS = {
    "time": "The search ended when its time was up",
    "trials": "The search ended after as many trials as were asked for",
    "space": "The search ended because nothing was left to try",
    "searcher": "The search ended because the searcher failed",
    "memory": "The search ended because memory ran out",
    "callback": "A callback ended the search",
    "interrupted": "The search was interrupted",
    "killed": "The search was cut short",
}
FLATTERS = (
    "The samples that gave this score also chose the network, so it flatters, and nothing was left to correct it by: score other "
    "samples with evaluate() before you trust it."
)
ESTIMATE_HEAD = ("metric", "delivered", "95 % interval", "linear alone", "chance", "better is")


def in_digits(value: float | None) -> str:
    """Three digits; a dash for a missing number."""
    return "–" if value is None or value != value else f"{value:.3f}"


def ordered(items: Iterable[T], metric: Callable[[T], str]) -> list[T]:
    """What is of metrics, those first that need no statistics to be read."""
    return sorted(
        items, key=lambda item: _FIRST.index(metric(item)) if metric(item) in _FIRST else len(_FIRST)
    )


def estimate_rows(estimate: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows below ``ESTIMATE_HEAD``, balanced accuracy and AUC of classes first."""
    return [_row(one) for one in ordered((estimate, *estimate.get("also", {}).values()), _metric)]


def _metric(one: Mapping[str, Any]) -> str:
    return str(one["metric"])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        metric_name(one["metric"]),
        in_digits(one["value"]),
        span(one["interval"]) or "–",
        in_digits(one["linear_baseline"]),
        in_digits(one["chance"]),
        "higher" if one["greater_is_better"] else "lower",
    )


def estimate_of(run: Run) -> dict[str, Any]:
    """What a run expects to score, in the entries of ``estimate_``; ``interval`` is None where the score is that of the rows that chose.

    Limits are NaN where samples came in too few groups for an interval.
    """
    held = dict(run.delivery.estimate)
    if "value" in held:
        return held
    unknown = dict.fromkeys(("interval", "linear_baseline", "chance"))
    return {
        **unknown,
        "metric": held["metric"],
        "value": held["uncorrected"],
        "uncorrected": held["uncorrected"],
        "greater_is_better": run.objective.greater_is_better,
        "n_samples": int(run.rows.scored.sum()),
        "n_trials": len(run.history.ok()),
    }


def expectation(estimate: Mapping[str, Any], sample: str) -> str:
    """A sentence with the score itself."""
    if estimate["interval"] is None:
        better = "higher" if estimate["greater_is_better"] else "lower"
        score = f"{metric_name(estimate['metric'])} of {in_digits(estimate['value'])}"
        return f"The best network had a {score} on the {sample}s that chose it ({better} is better)."
    told = headline(estimate)
    scores = " and ".join(
        f"a {metric_name(one['metric'])} of {in_digits(one['value'])}{in_brackets(one['interval'])}"
        for one in told
    )
    worse = all(not one["greater_is_better"] for one in told)
    return f"On new {sample}s, expect {scores}{'; lower is better' if worse else ''}."


def in_brackets(limits: Sequence[float | None] | None) -> str:
    """``" (95 % interval 0.100 to 0.300)"``, to follow a score; nothing where it has no interval."""
    known = span(limits)
    return f" (95 % interval {known})" if known else ""


def headline(estimate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Balanced accuracy and AUC where they are known, R2 or the C-index; else the objective."""
    entries = {_metric(one): one for one in (estimate, *estimate.get("also", {}).values())}
    for names in _HEADLINES:
        found = [entries[name] for name in names if name in entries and entries[name]["interval"]]
        if found:
            return found
    return [estimate]


def verdict(estimate: Mapping[str, Any]) -> str:
    """What the estimate says of the model, in a sentence or two."""
    if estimate["interval"] is None:
        return FLATTERS
    if not span(estimate["interval"]):
        return _verdict_without_interval(estimate)
    sign = 1.0 if estimate["greater_is_better"] else -1.0
    value, chance, linear = estimate["value"], estimate["chance"], estimate["linear_baseline"]
    worst = min(sign * limit for limit in estimate["interval"])
    if not worst > sign * chance:
        return (
            "Nothing says that this model is better than chance: chance lies within the 95 % interval, or beyond its "
            "better end. Do not read anything into its predictions, or into what they depend on."
        )
    if linear is None:
        return "The model is better than chance. No linear model was tried to compare it with."
    if sign * value <= sign * linear:
        return (
            "The model is better than chance. A linear model alone does as well, and is easier to understand."
        )
    by, other = metric_name(estimate["metric"]), _linear_ahead(estimate)
    if worst <= sign * linear:
        return (
            f"The model is better than chance. By {by} it is also ahead of the best linear model, but by less than the "
            f"uncertainty of the estimate{other}."
        )
    return f"The model is better than chance, and by {by} clearly ahead of the best linear model{other}."


def _verdict_without_interval(estimate: Mapping[str, Any]) -> str:
    sign = 1.0 if estimate["greater_is_better"] else -1.0
    value, chance, linear = estimate["value"], estimate["chance"], estimate["linear_baseline"]
    if value is None or not sign * value > sign * chance:
        return "Nothing says that this model is better than chance. Do not read anything into its predictions, or into what they depend on."
    said = "The model was better than chance, in too few groups of samples to say how certain that is."
    if linear is None:
        return f"{said} No linear model was tried to compare it with."
    ahead = sign * value > sign * linear
    return f"{said} The best linear model alone did {'worse' if ahead else 'as well, and is easier to understand'}."


def _linear_ahead(estimate: Mapping[str, Any]) -> str:
    """``"; by accuracy the linear model is ahead"``, of the metrics that say so while the objective says otherwise."""
    names = [
        metric_name(_metric(one))
        for one in ordered(estimate.get("also", {}).values(), _metric)
        if one["linear_baseline"] is not None
        and (one["linear_baseline"] > one["value"]) == one["greater_is_better"]
        and in_digits(one["linear_baseline"]) != in_digits(one["value"])
    ]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"; by {listed} the linear model is ahead" if names else ""


def how_estimated(estimate: Mapping[str, Any], stop_reason: str) -> str:
    """Where the figures come from."""
    trials = counted(estimate["n_trials"], "trial")
    if estimate["interval"] is None:
        return (
            f"{_ENDINGS.get(stop_reason, 'The search ended')}: {trials}, each scored on the same {estimate['n_samples']} samples "
            "that were not trained on."
        )
    return (
        f"{_ENDINGS.get(stop_reason, 'The search ended')}: {trials}. Every network was scored on samples it was not "
        f"trained on, {estimate['n_samples']} in all. Choosing the best of many makes scores look better than they are; "
        f"the figures are corrected for that (before: {in_digits(estimate['uncorrected'])})."
    )
