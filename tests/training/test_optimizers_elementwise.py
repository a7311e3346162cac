"""Updates of packed members move each member as Keras' own optimiser would move it alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from genokeras.errors import ParameterError
from genokeras.support.backends import current_backend
from genokeras.training.optimizers import Update, get_optimizer, get_update
from genokeras.training.optimizers.descent import DynamicMomentumUpdate

Arrays = list[np.ndarray]
SHAPES = ((4, 3), (1, 3))
STEPS = 5
CASES: list[tuple[str, dict[str, Any]]] = [
    ("adadelta", {}),
    ("adagrad", {}),
    ("adam", {}),
    ("adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}),
    ("adamw", {}),
    ("dynamic_momentum", {}),
    ("ftrl", {}),
    (
        "ftrl",
        {
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.2,
            "learning_rate_power": -0.7,
        },
    ),
    ("lamb", {}),
    ("momentum", {}),
    ("momentum", {"nesterov": True}),
    ("rmsprop", {}),
    ("rmsprop", {"momentum": 0.5}),
    ("rmsprop", {"centered": True}),
    ("rmsprop", {"centered": True, "momentum": 0.5}),
    ("sgd", {}),
]
NAMES = sorted({name for name, _ in CASES})


def drawn(seed: int, members: int) -> tuple[Arrays, list[Arrays]]:
    """Weights, and the gradients of every step."""
    rng = np.random.default_rng(seed)

    def weights() -> Arrays:
        return [rng.standard_normal((members, *shape)).astype("float32") for shape in SHAPES]

    return weights(), [weights() for _ in range(STEPS)]


def per_member(values: Any) -> list[Any]:
    """The same numbers for every weight, as tensors ``(members, 1, 1)``."""
    return [ops.convert_to_tensor(np.asarray(values, dtype="float32")[:, None, None]) for _ in SHAPES]


def moved(update: Update, weights: Arrays, gradients: list[Arrays], rates: Any, decays: Any) -> Arrays:
    """The weights after all steps; ``rates`` ``(members,)`` or, to change, ``(steps, members)``."""
    params: list[Any] = [ops.convert_to_tensor(weight) for weight in weights]
    state = update.initial_state(params)
    rates = np.broadcast_to(rates, (len(gradients), weights[0].shape[0]))
    for at, (rate, step) in enumerate(zip(rates, gradients, strict=True), start=1):
        tensors = [ops.convert_to_tensor(gradient) for gradient in step]
        now = ops.convert_to_tensor(np.float32(at))
        params, state = update.step(params, tensors, state, now, per_member(rate), per_member(decays))
    return [np.asarray(ops.convert_to_numpy(param)) for param in params]


def moved_by_keras(optimizer: Any, weights: Arrays, gradients: list[Arrays], rates: Any = None) -> Arrays:
    """What a Keras optimiser makes of the weights of one member."""
    variables = [keras.Variable(weight[0]) for weight in weights]
    for at, step in enumerate(gradients):
        if rates is not None:
            optimizer.learning_rate = float(rates[at])
        optimizer.apply([ops.convert_to_tensor(gradient[0]) for gradient in step], variables)
    return [np.asarray(ops.convert_to_numpy(variable))[None] for variable in variables]


def close(found: Arrays, expected: Arrays, tolerance: float = 1e-6) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_one_member_moves_as_under_keras(name: str, arguments: dict[str, Any]) -> None:
    weights, gradients = drawn(0, 1)
    optimizer = get_optimizer(name, 0.03, **arguments)
    decay = 0.03 * (optimizer.weight_decay or 0.0)
    found = moved(get_update(name, **arguments), weights, gradients, [0.03], [decay])
    close(found, moved_by_keras(optimizer, weights, gradients))


@pytest.mark.parametrize("name", NAMES)
def test_weight_decay_is_that_of_keras(name: str) -> None:
    weights, gradients = drawn(1, 1)
    optimizer = get_optimizer(name, 0.05, weight_decay=0.5)
    found = moved(get_update(name), weights, gradients, [0.05], [0.05 * 0.5])
    close(found, moved_by_keras(optimizer, weights, gradients))


@pytest.mark.parametrize("name", NAMES)
def test_members_know_nothing_of_each_other(name: str) -> None:
    weights, gradients = drawn(2, 2)
    rates, decays = np.array([0.01, 0.2]), np.array([0.1, 0.0])
    together = moved(get_update(name), weights, gradients, rates, decays)
    for m in range(2):
        own = [weight[m : m + 1] for weight in weights]
        steps = [[gradient[m : m + 1] for gradient in step] for step in gradients]
        alone = moved(get_update(name), own, steps, rates[m : m + 1], decays[m : m + 1])
        close([weight[m : m + 1] for weight in together], alone)


@pytest.mark.parametrize("name", NAMES)
def test_steps_inside_a_compiled_loop_are_those_taken_one_by_one(name: str) -> None:
    weights, gradients = drawn(8, 2)
    backend, update, rates = current_backend(), get_update(name), np.array([0.01, 0.1])
    stacked = [ops.convert_to_tensor(np.stack(steps)) for steps in zip(*gradients, strict=True)]

    def body(step: Any, carried: list[Any]) -> list[Any]:
        params, state = carried
        now = [ops.take(steps, step, axis=0) for steps in stacked]
        at = ops.cast(step, "float32") + 1
        return list(update.step(params, now, state, at, per_member(rates), per_member(0 * rates)))

    run = backend.compile(lambda params, state: backend.repeat(STEPS, body, [params, state])[0])
    params = [ops.convert_to_tensor(weight) for weight in weights]
    found = [np.asarray(ops.convert_to_numpy(param)) for param in run(params, update.initial_state(params))]
    close(found, moved(update, weights, gradients, rates, 0 * rates))


def test_a_member_that_is_not_finite_leaves_the_others_alone() -> None:
    weights, gradients = drawn(3, 2)
    alone = moved(get_update("lamb"), weights, gradients, [0.1, 0.1], [0.0, 0.0])
    gradients[0][0][0] = np.nan
    beside = moved(get_update("lamb"), weights, gradients, [0.1, 0.1], [0.0, 0.0])
    close([weight[1:] for weight in beside], [weight[1:] for weight in alone])


def test_each_member_has_a_trust_ratio_of_its_own_under_lamb() -> None:
    weights, gradients = drawn(4, 2)
    scale = np.array([1.0, 10.0], dtype="float32")[:, None, None]
    same = [np.repeat(weight[:1], 2, axis=0) * scale for weight in weights]
    pushes = [[np.repeat(gradient[:1], 2, axis=0) for gradient in step] for step in gradients[:1]]
    after = moved(get_update("lamb"), same, pushes, [0.1, 0.1], [0.0, 0.0])
    steps = [new - old for new, old in zip(after, same, strict=True)]
    for step in steps:
        np.testing.assert_allclose(step[1], 10 * step[0], rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_of_zero_at_the_end_of_a_schedule_keeps_the_weights_finite(name: str) -> None:
    weights, gradients = drawn(5, 1)
    rates = np.array([[0.1], [0.05], [0.01], [0.0], [0.0]])
    for weight in moved(get_update(name), weights, gradients, rates, [0.0]):
        assert np.isfinite(weight).all()


def test_ftrl_stays_where_it_is_once_its_rate_and_gradients_are_zero() -> None:
    weights, gradients = drawn(6, 1)
    before = moved(get_update("ftrl"), weights, gradients[:4], [0.1], [0.0])
    still = [*gradients[:4], [np.zeros_like(gradient) for gradient in gradients[4]]]
    after = moved(get_update("ftrl"), weights, still, [[0.1]] * 4 + [[0.0]], [0.0])
    close(after, before)


def test_the_momentum_moves_against_the_learning_rate() -> None:
    weights, gradients = [np.zeros((1, 1, 1), dtype="float32")] * 2, []
    gradients = [[np.full((1, 1, 1), value, dtype="float32")] * 2 for value in (1.0, 1.0, 1.0)]
    found = moved(DynamicMomentumUpdate(0.8, 0.9), weights, gradients, [[0.2], [0.1], [0.0]], [0.0])
    first = -0.2
    second = 0.85 * first - 0.1
    third = 0.9 * second
    np.testing.assert_allclose(found[0].item(), first + second + third, rtol=1e-6)


def test_the_peak_is_the_highest_rate_so_far() -> None:
    weights = [np.zeros((1, 1, 1), dtype="float32")] * 2
    gradients = [[np.ones((1, 1, 1), dtype="float32")] * 2] * 2
    rising = moved(DynamicMomentumUpdate(0.8, 0.9), weights, gradients, [[0.1], [0.2]], [0.0])
    np.testing.assert_allclose(rising[0].item(), -0.1 + (0.8 * -0.1 - 0.2), rtol=1e-6)


def test_dynamic_momentum_moves_under_keras_as_it_does_packed_while_the_rate_falls() -> None:
    weights, gradients = drawn(7, 1)
    rates = [0.1, 0.08, 0.02, 0.01, 0.05]
    found = moved(get_update("dynamic_momentum"), weights, gradients, np.array(rates)[:, None], [0.0])
    close(found, moved_by_keras(get_optimizer("dynamic_momentum", 0.1), weights, gradients, rates))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("adam", {"beta_1": 1.0}, "beta_1 of AdamUpdate must be a number of at least 0 and below 1, got 1.0"),
        ("rmsprop", {"epsilon": 0}, "epsilon of RmspropUpdate must be a number above 0, got 0"),
        ("adagrad", {"initial_accumulator_value": -1}, "at least 0, got -1"),
        (
            "ftrl",
            {"learning_rate_power": 1},
            "learning_rate_power of FtrlUpdate must be a number of at most 0, got 1",
        ),
        ("momentum", {"momentum": "much"}, "momentum of SgdUpdate must be a number .*, got 'much'"),
        ("dynamic_momentum", {"low": 0.9, "high": 0.8}, "low of .* must be at most its high"),
        ("kfac", {"damping": 0}, "damping of KfacUpdate must be a number above 0, got 0"),
    ],
)
def test_a_hyper_parameter_out_of_its_range_is_refused(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        get_update(name, **arguments)
