from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.graph import HyperParameters, linear, mlp
from genokeras.searchers.space import HyperSpace

SPACE = HyperSpace(views=("all", "top_100"))


def listed(hyper: HyperParameters, space: HyperSpace) -> bool:
    return (
        hyper.learning_rate in space.learning_rate
        and hyper.weight_decay in space.weight_decay
        and hyper.dropout in space.dropout
        and hyper.activation in space.activation
        and hyper.view in space.views
    )


def changes(a: HyperParameters, b: HyperParameters) -> list[str]:
    before, after = a.to_dict(), b.to_dict()
    return [name for name in before if before[name] != after[name]]


def test_samples_are_combinations_of_the_space() -> None:
    rng = np.random.default_rng(0)
    samples = [SPACE.sample(rng) for _ in range(200)]
    assert all(listed(hyper, SPACE) for hyper in samples)
    assert {hyper.view for hyper in samples} == {"all", "top_100"}


def test_a_neighbour_differs_in_one_thing() -> None:
    rng = np.random.default_rng(0)
    hyper = SPACE.sample(rng)
    for _ in range(100):
        near = SPACE.neighbour(hyper, rng)
        assert len(changes(hyper, near)) == 1 and listed(near, SPACE)
        hyper = near


def test_a_neighbour_of_a_rate_is_one_step_away() -> None:
    space = HyperSpace(weight_decay=(0.1,), dropout=(0.0,), activation=("relu",))
    found = {space.neighbour(HyperParameters(1e-3, 0.1, 0.0), np.random.default_rng(s)) for s in range(9)}
    assert {hyper.learning_rate for hyper in found} == {3e-3}


def test_a_space_of_one_combination_has_itself_as_neighbour() -> None:
    space = HyperSpace((0.01,), (0.1,), (0.2,), ("relu",))
    assert space.neighbour(HyperParameters(), np.random.default_rng(0)) == HyperParameters()


def test_siblings_are_all_rates_of_one_activation_and_view() -> None:
    siblings = SPACE.siblings(HyperParameters(activation="tanh", view="top_100"))
    assert len(set(siblings)) == 4 * 5 * 3
    assert {(hyper.activation, hyper.view) for hyper in siblings} == {("tanh", "top_100")}


def test_rates_are_encoded_by_their_logarithm() -> None:
    space = HyperSpace(learning_rate=(1e-3, 1e-2, 1e-1), weight_decay=(0.0, 0.1, 1.0))
    hypers = [HyperParameters(lr, wd) for lr, wd in ((1e-3, 0.0), (1e-2, 0.1), (1e-1, 1.0))]
    learning_rate, weight_decay = space.blocks(hypers)[:2]
    np.testing.assert_allclose(learning_rate[:, 0], [0.0, 0.5, 1.0])
    np.testing.assert_allclose(weight_decay[:, 0], [0.0, 0.5, 1.0])


def test_encoding_lies_in_the_unit_cube() -> None:
    rng = np.random.default_rng(0)
    codes = np.array([SPACE.encode(SPACE.sample(rng)) for _ in range(50)])
    assert codes.min() >= 0 and codes.max() <= 1


def test_names_are_encoded_at_distance_one() -> None:
    a, b = (SPACE.encode(HyperParameters(activation=name)) for name in ("relu", "gelu"))
    assert np.linalg.norm(a - b) == pytest.approx(1.0)


def test_values_outside_of_the_space_have_coordinates_too() -> None:
    code = SPACE.encode(HyperParameters(learning_rate=1.0, activation="selu", view="gone"))
    assert np.isfinite(code).all()


def test_what_a_graph_does_not_read_is_set_alike() -> None:
    hyper = HyperParameters(dropout=0.5, activation="tanh")
    assert SPACE.canonical(hyper, linear(2)) == HyperParameters(dropout=0.0, activation="gelu")
    assert SPACE.canonical(hyper, mlp(2)) == hyper


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dropout": ()}, "HyperSpace.dropout needs at least one value"),
        ({"dropout": (0.1, 0.1)}, "none twice"),
        ({"learning_rate": 0.1}, "HyperSpace.learning_rate must be a sequence"),
        ({"views": "all"}, "HyperSpace.views must be a sequence"),
        ({"activation": ("rellu",)}, "Did you mean 'relu'"),
    ],
)
def test_a_bad_list_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        HyperSpace(**arguments)  # type: ignore[arg-type]


def test_what_a_linear_model_does_not_read_has_the_middle_value() -> None:
    space = HyperSpace(linear_unread=("learning_rate",))
    hyper = HyperParameters(learning_rate=1e-3, weight_decay=0.3)
    assert space.canonical(hyper, linear(2)).learning_rate == 1e-2
    assert space.canonical(hyper, linear(2)).weight_decay == 0.3
    assert space.canonical(hyper, mlp(2)).learning_rate == 1e-3
    assert HyperSpace().canonical(hyper, linear(2)).learning_rate == 1e-3
    both = HyperSpace(linear_unread=("learning_rate", "weight_decay"))
    assert both.canonical(hyper, linear(2)) == both.canonical(HyperParameters(), linear(2))
