"""Which of several learning rates a search keeps, of rates whose scores are known."""

from __future__ import annotations

from typing import Any

import pytest

from genokeras.keras_models.search_options import SearchOptions
from genokeras.keras_models.search_stages import SearchStages
from genokeras.keras_models.short_trainings import ShortResult
from genokeras.tuning import ParamSpec


class Scored:
    """Trainings whose score is a function of the rate."""

    ramp = (1e-4, 1.0)

    def __init__(self, before: float, score: Any) -> None:
        self.before, self.score = before, score

    def score_before(self, spec: ParamSpec) -> float:
        return self.before

    def error(self, score: float) -> float:
        return 0.02

    def short_training(self, spec: ParamSpec, rate: float, times: int = 1) -> ShortResult:
        return ShortResult(self.score(rate), 0.0, True, rate)


def kept(before: float, score: Any) -> float:
    spec = ParamSpec(learning_rate=0.81).with_reasons({"learning_rate": "given"})
    stages = SearchStages(Scored(before, score), SearchOptions(), {}, lambda line: None)
    return float(stages._lowered(spec).learning_rate)


def test_of_rates_that_learn_alike_the_lowest_is_kept() -> None:
    assert kept(0.5, lambda rate: 0.9 if rate > 0.05 else 0.6) == pytest.approx(0.09)


def test_where_no_rate_betters_trained_weights_the_highest_that_does_no_harm_is_kept() -> None:
    assert kept(0.97, lambda rate: 0.97) == pytest.approx(0.81)
    assert kept(0.97, lambda rate: 0.97 if rate < 0.5 else 0.8) == pytest.approx(0.27)
