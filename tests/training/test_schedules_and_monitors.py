"""Learning rates over time, and what tells which step is the best."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from sklearn.metrics import accuracy_score, f1_score

from genokeras.errors import ParameterError
from genokeras.training import Cosine, Plateau, Ramp, TrainingSettings
from genokeras.training.goals import MONITORS

NOTHING = np.empty((0, 1))


def test_a_cosine_falls_from_all_to_nothing_whatever_the_chunks() -> None:
    whole = Cosine(20).factors(0, 20, NOTHING)
    parts = [Cosine(20).factors(done, 5, NOTHING) for done in (0, 5, 10, 15)]
    np.testing.assert_allclose(np.concatenate(parts), whole)
    assert whole[0] == 1 and whole[10] == pytest.approx(0.5) and not Cosine(20).factors(20, 3, NOTHING).any()


def test_a_ramp_climbs_exponentially_to_its_ratio() -> None:
    ramp = Ramp(1e4, 9).factors(0, 9, NOTHING)[:, 0]
    np.testing.assert_allclose(ramp[1:] / ramp[:-1], 10**0.5)
    assert ramp[-1] == pytest.approx(1e4)


def test_a_plateau_halves_the_rate_of_the_trial_that_stands_still() -> None:
    falling, flat = np.linspace(1, 0, 7), np.ones(7)
    factors = Plateau(3).factors(7, 2, np.stack([falling, flat], axis=1))
    np.testing.assert_allclose(factors, [[1, 0.25], [1, 0.25]])


@pytest.mark.parametrize("name", ["accuracy", "f1_score"])
def test_what_is_monitored_is_what_scikit_learn_says_negative(name: str) -> None:
    rng = np.random.default_rng(0)
    outputs, codes = rng.normal(size=(1, 40, 3)).astype("float32"), rng.integers(0, 3, 40)
    monitor, targets = MONITORS[name], np.eye(3, dtype="float32")[codes][None]
    weights = ops.convert_to_tensor(np.full((1, 40), 1 / 40, dtype="float32"))
    sums = monitor.sums(ops.convert_to_tensor(outputs), ops.convert_to_tensor(targets), weights)
    value = float(ops.convert_to_numpy(monitor.value(sums, ops.zeros((1,))))[0])
    predicted = outputs[0].argmax(axis=1)
    scores = {
        "accuracy": accuracy_score(codes, predicted),
        "f1_score": f1_score(codes, predicted, average="macro"),
    }
    assert value == pytest.approx(-scores[name], abs=1e-6)


def test_of_two_steps_as_accurate_the_one_of_the_lower_loss_is_better() -> None:
    value = MONITORS["accuracy"].value(
        ops.ones((2, 1)), ops.convert_to_tensor(np.array([0.5, 0.2], "float32"))
    )
    first, second = ops.convert_to_numpy(value)
    assert second < first


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"monitor": "acuracy"}, "monitor must be one of .*got 'acuracy'.*Did you mean 'accuracy'"),
        ({"loss": "mae"}, "loss must be one of cross_entropy, mse, .*got 'mae'"),
        ({"loss": "mse", "monitor": "accuracy"}, "monitor 'accuracy' is for classes"),
    ],
)
def test_a_goal_that_is_not_there_is_refused(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        TrainingSettings(**wrong)  # type: ignore[arg-type]


def test_a_plateau_without_patience_is_refused() -> None:
    with pytest.raises(ParameterError, match="patience must be a whole number of at least 1"):
        Plateau(0)
