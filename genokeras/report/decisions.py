"""How classes follow from probabilities in a report: as ``predict`` has it, by the threshold where the classifier has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genokeras.engine import Problem, Run, read_problem
from genokeras.engine.thresholds import chosen_threshold
from genokeras.errors import DataError, ParameterError
from genokeras.report.estimate import in_brackets
from genokeras.tasks.threshold import RATES, Threshold

_FROM_RUN = object()


@dataclass(frozen=True)
class Decision:
    """What ``predict`` goes by.

    Attributes
    ----------
    threshold : Threshold or None
        None where it answers the most probable class.
    why_not : str
        Why there is none although one was asked for; empty else.
    """

    threshold: Threshold | None = None
    why_not: str = ""

    def in_words(self, names: Sequence[Any]) -> list[str]:
        """Sentences for readers of a report; none where the most probable class is answered, as everybody expects."""
        if self.why_not:
            return [f"The threshold that was asked for is not used here: {self.why_not}"]
        if self.threshold is None:
            return []
        positive, other = names[self.threshold.positive], names[1 - self.threshold.positive]
        rates = [
            f"a {name} of {value:.3f}{in_brackets((low, high))}"
            for name in RATES
            if name in self.threshold.rates
            for value, low, high in [self.threshold.rates[name]]
        ]
        expected = f" On new samples, expect {' and '.join(rates)}." if rates else ""
        return [
            f"predict answers {positive} where its probability is {self.threshold.value:.4g} or more, else {other}: the threshold that was "
            f"asked for.{expected}",
            "Confusion, recall and precision of each class, and the samples predicted wrong go by this threshold; accuracy and all other "
            "scores go by the more probable class, or by the probabilities.",
        ]


NO_THRESHOLD = Decision()


def decision_of(run: Run, asked: Any = _FROM_RUN) -> Decision:
    """What ``predict`` of a run goes by.

    Parameters
    ----------
    run : Run
        Its samples are read where it has none and they are needed.
    asked : mapping or None, optional
        ``threshold`` of the estimator; by default the one that the run was fitted with.
    """
    if asked is _FROM_RUN:
        asked = run.folder.settings.get("settings", {}).get("threshold")
    if asked is None:
        return NO_THRESHOLD
    whole = run if isinstance(run.rows, Problem) else replace(run, rows=read_problem(run.folder))
    try:
        return Decision(chosen_threshold(whole, asked))
    except (ParameterError, DataError) as error:
        return Decision(why_not=str(error))


def asked_of(source: Any) -> Any:
    """The ``threshold`` of a fitted estimator, for :func:`decision_of`; of all else that of its run."""
    held = getattr(source, "threshold", _FROM_RUN)
    return held if held is None or isinstance(held, Mapping) else _FROM_RUN
