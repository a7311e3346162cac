"""Which parameters a project chooses: what is tried, what is remembered, what is gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from genokeras.errors import ConfigError, SearchError
from genokeras.projects import ProjectConfig, read_config
from genokeras.projects.selection import select, vae_evaluation
from genokeras.projects.vae import prepare_vae
from genokeras.tuning import Attempt

BEST = {"n_latent": 8, "keep_prob": 1.0}
START = {"n_latent": 8, "n_blocks": 1, "keep_prob": 0.8, "output_nonlinear": None, "learning_rate": 0.01}


class Judge:
    """Evaluates candidates by how near they are to `BEST`, and remembers what it was asked."""

    def __init__(self, rate: float | None = 0.05, until: int | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.epochs: list[int] = []
        self._rate, self._until = rate, until

    def __call__(self, wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        if self._until is not None and len(self.asked) >= self._until:
            raise KeyboardInterrupt
        self.asked += [dict(values) for values in wanted]
        self.epochs.append(epochs)
        return [
            Attempt(-float(sum(abs(values[k] - best) for k, best in BEST.items())), learning_rate=self._rate)
            for values in wanted
        ]


@pytest.fixture
def config_of(make_project: Callable[..., dict[str, Any]]) -> Callable[..., ProjectConfig]:
    def make(model_type: str = "ResNet", **trainer: Any) -> ProjectConfig:
        config = read_config(make_project(model_type, trainer=trainer))
        assert isinstance(config, ProjectConfig)
        return config

    return make


def nothing(state: Mapping[str, Any]) -> None:
    return None


def test_without_a_selector_the_start_values_are_used(config_of):
    judge = Judge()
    assert select(config_of(hyper_selector=False), judge, None, nothing) == START
    assert judge.asked == []


def test_the_selector_takes_the_best_values_and_the_rate_of_the_last_winner(config_of):
    judge = Judge()
    chosen = select(config_of(hyper_selector=True), judge, None, nothing)
    assert chosen == {**START, **BEST, "learning_rate": 0.05}
    assert set(judge.epochs) == {3}


def test_nothing_is_tried_twice(config_of):
    judge = Judge()
    select(config_of(hyper_selector=True), judge, None, nothing)
    # The latent widths with a keep_prob of 0.8, then the kept width with the other one.
    assert [(values["n_latent"], values["keep_prob"]) for values in judge.asked] == [
        (4, 0.8),
        (8, 0.8),
        (8, 1.0),
    ]


def test_rates_that_are_searched_are_tried_one_by_one_and_no_range_test_has_a_say(make_project):
    source = make_project()
    source["hyper_param_spec"]["args"] = {"optimizer_param": {"learning_rate": [0.1, 0.01]}}
    config = read_config(source)
    assert isinstance(config, ProjectConfig)

    def evaluate(wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        return [Attempt(-values["learning_rate"], learning_rate=values["learning_rate"]) for values in wanted]

    assert select(config, evaluate, None, nothing)["learning_rate"] == 0.01


@pytest.mark.parametrize("oracle", ["bayesian", "hyperband", "grid", "random"])
def test_an_oracle_finds_the_best_of_a_small_space(config_of, oracle):
    judge = Judge()
    chosen = select(config_of(hyper_selector=oracle), judge, None, nothing)
    assert {name: chosen[name] for name in BEST} == BEST
    assert chosen["learning_rate"] == 0.05
    assert set(chosen) == set(START)


def test_an_oracle_uses_the_start_rate_where_no_range_test_found_one(config_of):
    chosen = select(config_of(hyper_selector="grid"), Judge(rate=None), None, nothing)
    assert chosen["learning_rate"] == START["learning_rate"]


def test_a_selection_that_was_interrupted_goes_on_behind_what_it_settled(config_of):
    kept: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        select(config_of(hyper_selector=True), Judge(until=2), None, lambda s: kept.append(json.dumps(s)))
    judge = Judge()
    chosen = select(config_of(hyper_selector=True), judge, json.loads(kept[-1]), nothing)
    assert chosen == {**START, **BEST, "learning_rate": 0.05}
    assert {values["n_latent"] for values in judge.asked} == {8}


def test_an_oracle_that_has_chosen_is_not_asked_again(config_of):
    kept: list[str] = []
    config = config_of(hyper_selector="random")
    chosen = select(config, Judge(), None, lambda s: kept.append(json.dumps(s)))
    judge = Judge()
    assert select(config, judge, json.loads(kept[-1]), nothing) == chosen
    assert judge.asked == []


def test_where_nothing_can_be_scored_the_cause_is_said(config_of):
    def evaluate(wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        raise ValueError("no such thing")

    with pytest.raises(SearchError, match="no value of n_latent could be scored.*no such thing"):
        select(config_of(hyper_selector=True), evaluate, None, nothing)


def test_auto_encoders_are_scored_by_their_lower_bound(config_of):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 20))
    data = prepare_vae(x[:24], x[24:])
    evaluate = vae_evaluation(config_of("VAE"), data)
    short, long = (evaluate([START], epochs)[0] for epochs in (1, 30))
    assert 1e-5 < (short.learning_rate or 0) <= 0.101
    assert -2 < short.score < long.score < 0


def test_an_optimizer_that_cannot_train_auto_encoders_is_refused_with_the_file(make_project):
    with pytest.raises(ConfigError, match=r'optimizer\.type: "kfac" is for ResNet and DenseNet'):
        read_config(make_project("VAE", optimizer={"type": "kfac"}))
