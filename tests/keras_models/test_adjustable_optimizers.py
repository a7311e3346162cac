"""Optimizers whose numbers are changed without compiling again."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras.keras_models.adjustable_optimizer import AdjustableOptimizer, is_adaptive, learning_rate_of
from tests.keras_models.any_models import blobs

X, Y = blobs(20)


def trained(adjustable: AdjustableOptimizer, then: AdjustableOptimizer | None = None) -> np.ndarray:
    """Weights behind ten steps, of an optimizer that took over another's numbers before them."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(
        adjustable.optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
    )
    if then is not None:
        adjustable.adjust_to(then)
    for _ in range(10):
        model.train_on_batch(X, Y)
    return np.array(model.get_weights()[0])


@pytest.mark.parametrize(
    ("kind", "first", "other"),
    [
        (
            keras.optimizers.SGD,
            {"momentum": 0.0, "weight_decay": 0.5},
            {"momentum": 0.9, "weight_decay": 0.01},
        ),
        (keras.optimizers.SGD, {"momentum": 0.9}, {"momentum": 0.0}),
        (
            keras.optimizers.RMSprop,
            {"momentum": 0.5, "weight_decay": 0.1},
            {"momentum": 0.9, "weight_decay": 0.2},
        ),
        (keras.optimizers.Adam, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.AdamW, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.Nadam, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.Adamax, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.Lion, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.Adagrad, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
        (keras.optimizers.Adadelta, {"weight_decay": 0.5}, {"weight_decay": 0.01}),
    ],
)
def test_an_adjusted_optimizer_trains_like_one_made_so(
    kind: Any, first: dict[str, float], other: dict[str, float]
) -> None:
    adjusted, plain = AdjustableOptimizer(kind(0.05, **first)), AdjustableOptimizer(kind(0.05, **other))
    assert adjusted.signature == plain.signature
    adjusted.make_adjustable()
    np.testing.assert_allclose(trained(adjusted, plain), trained(plain), rtol=1e-5, atol=1e-6)


def test_optimizers_that_differ_otherwise_cannot_be_made_equal() -> None:
    optimizers = keras.optimizers
    kinds = [
        optimizers.SGD(0.1),
        optimizers.SGD(0.1, nesterov=True),
        optimizers.SGD(0.1, weight_decay=0.1),
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        optimizers.Adam(0.1),
    ]
    assert len({AdjustableOptimizer(optimizer).signature for optimizer in kinds}) == 5


def test_rates_do_not_tell_optimizers_apart() -> None:
    assert (
        AdjustableOptimizer(keras.optimizers.SGD(0.1)).signature
        == AdjustableOptimizer(keras.optimizers.SGD(0.2)).signature
    )


def test_families_and_rates_are_known_behind_loss_scaling() -> None:
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.AdamW(0.003))
    assert is_adaptive(scaled)
    assert not is_adaptive(keras.optimizers.SGD())
    assert learning_rate_of(scaled) == pytest.approx(0.003)
