"""The optimiser: AdamW as Keras and the paper have it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from genokeras.training.optimizer import adamw_step, cosine


def numpy(value: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(value))


def test_the_first_step_goes_by_the_step_size_against_the_sign_of_the_gradient() -> None:
    weight, gradient = np.array([[1.0, -2.0, 0.5]], "float32"), np.array([[3.0, -0.01, 0.0]], "float32")
    moved, mean, square = adamw_step(
        ops.convert_to_tensor(weight), ops.convert_to_tensor(gradient), 0.0, 0.0, 1.0, 0.1, 0.02
    )
    np.testing.assert_allclose(numpy(moved), [[1 - 0.1 - 0.02, -2 + 0.1 + 0.04, 0.5 - 0.01]], rtol=1e-5)
    np.testing.assert_allclose(numpy(mean), 0.1 * gradient, rtol=1e-6)
    np.testing.assert_allclose(numpy(square), 0.01 * gradient**2, rtol=1e-6)


def test_steps_are_those_of_keras_adamw() -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal((2, 3, 4)).astype("float32")
    variable = keras.Variable(start)
    optimizer = keras.optimizers.AdamW(learning_rate=0.03, weight_decay=0.2, beta_2=0.99)
    ours, mean, square = ops.convert_to_tensor(start), 0.0, 0.0
    for step in range(1, 6):
        gradient = ops.convert_to_tensor(rng.standard_normal(start.shape).astype("float32"))
        optimizer.apply([gradient], [variable])
        ours, mean, square = adamw_step(ours, gradient, mean, square, float(step), 0.03, 0.03 * 0.2)
    np.testing.assert_allclose(numpy(ours), numpy(variable), atol=1e-6)


@pytest.mark.parametrize(("step", "left"), [(0, 1.0), (50, 0.5), (100, 0.0), (150, 0.0)])
def test_the_learning_rate_falls_along_a_cosine(step: float, left: float) -> None:
    assert float(numpy(cosine(step, 100))) == pytest.approx(left, abs=1e-6)
