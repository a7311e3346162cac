"""How an ask is shared out between kinds of proposals: by what they gained, with floors that always hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from genokeras.graph import HyperParameters, linear
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.searchers.shares import ARMS, FLOORS, LEAST_GROWN, learnt_shares, next_arm

EQUAL = {"hyper": 0.2, "random": 0.2, "bayesian": 0.4, "replicate": 0.2}


def jobs(*done: tuple[dict[str, int], float]) -> History:
    """A history of jobs: how many trials of each kind, and what the job gained."""
    trials: list[TrialResult] = []
    for kinds, gain in done:
        for kind in Counter(kinds).elements():
            proposal = Proposal(linear(2), HyperParameters(), origin=kind)
            trials.append(TrialResult(len(trials), proposal, "ok", 0.5, gain=gain))
    return History(tuple(trials))


def simulated(earner: str, n_jobs: int = 30, seed: int = 0, scale: float = 1.0) -> History:
    """Jobs of all kinds, whose gain comes from one of them, with noise."""
    rng = np.random.default_rng(seed)
    done = []
    for _ in range(n_jobs):
        counts = dict(zip(ARMS, (6 * rng.multinomial(4, 4 * [0.25])).tolist(), strict=True))
        done.append((counts, scale * counts[earner] * rng.exponential()))
    return jobs(*done)


def assert_floors_hold(shares: dict[str, float]) -> None:
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["bayesian"] >= FLOORS["bayesian"] and shares["bayesian"] >= shares["random"]
    assert shares["bayesian"] + shares["random"] >= LEAST_GROWN - 1e-9
    assert min(shares.values()) > 0.02


def test_without_gains_the_spare_is_shared_equally() -> None:
    assert learnt_shares(History()) == pytest.approx(EQUAL)
    assert learnt_shares(jobs(({"hyper": 6}, np.nan))) == pytest.approx(EQUAL)
    assert learnt_shares(jobs(({"father:mlp": 6}, 3.0))) == pytest.approx(EQUAL)
    assert learnt_shares(jobs(({"hyper": 6, "random": 3}, 0.0))) == pytest.approx(EQUAL)


@pytest.mark.parametrize("earner", ARMS)
def test_what_earns_gets_more(earner: str) -> None:
    for seed in range(3):
        shares = learnt_shares(simulated(earner, seed=seed))
        assert shares[earner] > EQUAL[earner] + 0.04
        assert_floors_hold(shares)


def test_jobs_of_one_kind_tell_it_apart() -> None:
    shares = learnt_shares(jobs(*8 * [({"hyper": 6}, 0.01), ({"random": 6}, 0.0), ({"bayesian": 6}, 0.0)]))
    assert shares["hyper"] > 0.35
    assert_floors_hold(shares)


def test_the_scale_of_gains_does_not_matter() -> None:
    small, large = (learnt_shares(simulated("replicate", scale=scale)) for scale in (1e-4, 1e4))
    assert small == pytest.approx(large)


def test_one_stroke_of_luck_decides_little() -> None:
    steady = 10 * [({"hyper": 12}, 0.01), ({"random": 12}, 0.001)]
    without = learnt_shares(jobs(*steady))
    lucky = learnt_shares(jobs(*steady[:10], ({"random": 12}, 100.0), *steady[10:]))
    assert lucky["random"] - without["random"] < 0.2


def test_what_was_earned_long_ago_counts_less() -> None:
    first, then = ({"hyper": 12}, 0.01), ({"random": 12}, 0.01)
    nothing = ({"hyper": 6, "random": 6}, 0.0)
    shares = learnt_shares(
        jobs(*6 * [first, ({"random": 12}, 0.0)], *20 * [nothing], *6 * [then, ({"hyper": 12}, 0.0)])
    )
    assert shares["random"] > shares["hyper"]


def test_losses_count_as_no_gain() -> None:
    history = jobs(({"hyper": 12}, -5.0), ({"random": 12}, 0.01), ({"bayesian": 12}, 0.01))
    assert_floors_hold(learnt_shares(history))
    assert learnt_shares(history)["hyper"] < EQUAL["hyper"]


def test_arms_that_are_not_there_get_nothing() -> None:
    shares = learnt_shares(simulated("hyper"), ("hyper", "random", "bayesian"))
    assert set(shares) == {"hyper", "random", "bayesian"} and sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("wanted", ARMS)
def test_floors_hold_whatever_is_wanted(wanted: str) -> None:
    counts: Counter[str] = Counter()
    for _ in range(200):
        counts[next_arm(counts, wanted, ARMS)] += 1
        assert counts["bayesian"] >= max(0.25 * counts.total(), counts["random"])
        assert counts["bayesian"] + counts["random"] >= LEAST_GROWN * counts.total()


def test_what_has_nothing_left_is_not_waited_for() -> None:
    assert next_arm(Counter(hyper=9), "hyper", ("hyper",)) == "hyper"
    assert next_arm(Counter(random=9), "random", ("random",)) == "random"
