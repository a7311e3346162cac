"""Controllers: the policy's gradients, learning, state."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.enas import CONTROLLERS, Controller, get_controller
from genokeras.enas.policy import ArcPolicy
from genokeras.errors import ParameterError
from genokeras.graph.arcs import Arc, ArcSpace

SPACE = ArcSpace(4, 10)


def planted(arc: Arc) -> float:
    """Highest, at 0, for layers of the fourth width and no skips."""
    return -0.02 * sum(abs(op - 3) for op in arc.ops) - 0.01 * sum(map(sum, arc.skips))


def rewards_of(controller: Controller, rounds: int, n: int = 20) -> np.ndarray:
    """``(rounds, n)`` planted rewards of what a controller asks for; the controller receives them."""
    found = []
    for _ in range(rounds):
        arcs = controller.ask(n)
        found.append(np.array([planted(arc) for arc in arcs]))
        controller.tell(arcs, found[-1])
    return np.array(found)


@pytest.mark.parametrize(
    "name", ["lstm", "lstm_bias", "start", "embedding", "widths", "from", "to", "attention"]
)
def test_the_gradient_is_that_of_small_differences(name: str) -> None:
    rng = np.random.default_rng(0)
    policy = ArcPolicy(4, 4, temperature=1.5, tanh_constant=2.5, rng=rng)
    for array in policy.parameters.values():
        array *= 6
    arcs, weights = [SPACE.random(rng) for _ in range(5)], rng.standard_normal(5)

    def value() -> float:
        rollout = policy.retrace(arcs)
        return float(weights @ rollout.log_probability + 0.3 * rollout.entropy.sum())

    exact = policy.gradients(policy.retrace(arcs), weights, 0.3)[name]
    array = policy.parameters[name]
    for place in list(np.ndindex(array.shape))[::3]:
        kept = array[place]
        array[place] = kept + 1e-5
        above = value()
        array[place] = kept - 1e-5
        below = value()
        array[place] = kept
        assert exact[place] == pytest.approx((above - below) / 2e-5, abs=1e-7)


def test_probabilities_of_all_arcs_sum_to_one() -> None:
    space = ArcSpace(2, 5)
    policy = ArcPolicy(2, 4, 1.0, 2.5, np.random.default_rng(0))
    total = np.exp(policy.retrace(list(space.all_arcs())).log_probability).sum()
    assert total == pytest.approx(1.0)


def test_drawn_arcs_have_the_probability_that_retracing_them_gives() -> None:
    policy = ArcPolicy(4, 4, 1.0, 2.5, np.random.default_rng(0))
    drawn = policy.draw(6, np.random.default_rng(1))
    np.testing.assert_allclose(policy.retrace(drawn.arcs()).log_probability, drawn.log_probability)


@pytest.mark.parametrize("name", ["reinforce", "evolution"])
def test_a_controller_that_learns_finds_a_planted_reward_better_than_chance(name: str) -> None:
    learnt = rewards_of(get_controller(name, SPACE, np.random.default_rng(0)), 40)
    drawn = rewards_of(get_controller("random", SPACE, np.random.default_rng(0)), 40)
    assert learnt[-10:].mean() > drawn.mean() + 2 * drawn.std()
    assert learnt.max() >= drawn.max()


def test_the_baseline_follows_the_rewards() -> None:
    controller = get_controller("reinforce", SPACE, np.random.default_rng(0))
    for _ in range(50):
        arcs = controller.ask(4)
        controller.tell(arcs, np.full(4, 0.7))
    assert controller.baseline == pytest.approx(0.7)


def test_more_entropy_keeps_more_arcs_in_play() -> None:
    different = []
    for weight in (0.0, 1.0):
        controller = get_controller("reinforce", SPACE, np.random.default_rng(0), entropy_weight=weight)
        rewards_of(controller, 60)
        different.append(len(set(controller.ask(100))))
    assert different[0] < different[1]


@pytest.mark.parametrize("name", sorted(CONTROLLERS))
def test_a_restored_controller_goes_on_as_the_first_would(name: str, tmp_path) -> None:
    first = get_controller(name, SPACE, np.random.default_rng(0))
    rewards_of(first, 5)
    np.savez(tmp_path / "state.npz", **first.state())
    second = get_controller(name, SPACE, np.random.default_rng(9))
    with np.load(tmp_path / "state.npz") as arrays:
        second.restore(dict(arrays))
    np.testing.assert_array_equal(rewards_of(first, 4), rewards_of(second, 4))


def test_enumerating_ends_when_all_arcs_have_been() -> None:
    space = ArcSpace(2, 5)
    controller = get_controller("enumerate", space, np.random.default_rng(0))
    asked = [controller.ask(20) for _ in range(4)]
    assert [len(arcs) for arcs in asked] == [20, 20, 10, 0]
    assert {arc for arcs in asked for arc in arcs} == set(space.all_arcs())


def test_the_oldest_die_first() -> None:
    controller = get_controller("evolution", SPACE, np.random.default_rng(0), population=5, sample=2)
    arcs = controller.ask(12)
    controller.tell(arcs, np.arange(12.0)[::-1])
    assert controller.state()["rewards"].tolist() == [4.0, 3.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("reinforced", {}, "Did you mean 'reinforce'"),
        ("random", {"hidden": 3}, "cannot be made"),
        ("evolution", {"population": 3}, "sample must be"),
        ("reinforce", {"temperature": 0.0}, "temperature"),
        ("reinforce", {"entropy_weight": -1.0}, "entropy_weight"),
    ],
)
def test_unknown_names_and_bad_arguments_are_refused(name: str, arguments: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        get_controller(name, SPACE, np.random.default_rng(0), **arguments)
