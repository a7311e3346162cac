"""Values of plain Keras models."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError
from genokeras.explain import explain_model


def linear_network(n_classes: int) -> Any:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(n_classes, activation="softmax")])
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0, 0.4, (6, n_classes)), rng.normal(size=n_classes)])
    return model


@pytest.mark.parametrize("output", ["probability", "log_odds"])
@pytest.mark.parametrize("method", ["expected_gradients", "integrated_gradients"])
def test_values_and_base_add_up_to_the_output(
    small_network: Any, rows: np.ndarray, method: str, output: str
) -> None:
    found = explain_model(small_network, rows, rows, method=method, output=output)
    assert found.additivity.maximum < 1e-3
    assert np.allclose(
        found.base_values + found.values.sum(axis=1),
        found.outputs,
        rtol=0,
        atol=1.01e-3 * found.additivity.output_range,
    )


def test_probabilities_are_what_the_model_predicts(small_network: Any, rows: np.ndarray) -> None:
    found = explain_model(small_network, rows, rows)
    assert np.allclose(found.outputs, small_network.predict(rows, verbose=0), atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", ["linear", "integrated_gradients"])
def test_a_linear_network_gets_coefficient_times_distance(
    rows: np.ndarray, n_classes: int, method: str
) -> None:
    model = linear_network(n_classes)
    kernel = model.get_weights()[0]
    against_others = n_classes / (n_classes - 1) * (kernel - kernel.mean(axis=1, keepdims=True))
    expected = (rows - rows.mean(axis=0))[:, :, None] * against_others
    found = explain_model(model, rows, rows, method=method, output="log_odds")
    assert np.abs(found.values - expected).max() < 1e-5


def test_two_classes_have_the_usual_log_odds(rows: np.ndarray) -> None:
    model = linear_network(2)
    p = model.predict(rows, verbose=0)
    found = explain_model(model, rows, rows, method="linear")
    assert np.allclose(found.outputs[:, 1], np.log(p[:, 1] / p[:, 0]), atol=1e-4)


def test_a_single_output_unit_is_one_class(rows: np.ndarray) -> None:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, activation="sigmoid")])
    found = explain_model(model, rows, rows, output="log_odds")
    assert found.shape == (30, 6, 1)
    assert found.additivity.maximum < 1e-3


def test_outputs_that_are_no_probabilities_are_explained_too(rows: np.ndarray) -> None:
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, activation="elu"), keras.layers.Dense(2)]
    )
    assert explain_model(model, rows, rows).additivity.maximum < 1e-3


def test_a_step_that_is_steep_is_still_found(rows: np.ndarray) -> None:
    model = linear_network(2)
    model.set_weights([40.0 * model.get_weights()[0], model.get_weights()[1]])
    assert explain_model(model, rows, rows).additivity.maximum < 1e-3


def test_kinks_are_no_hindrance(rows: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.set_weights([rng.normal(0, 0.6, (6, 8)), np.zeros(8), rng.normal(0, 0.5, (8, 3)), np.zeros(3)])
    assert explain_model(model, rows, rows).additivity.maximum < 1e-3


def test_a_feature_that_the_network_ignores_gets_nothing(rows: np.ndarray) -> None:
    model = linear_network(3)
    kernel, bias = model.get_weights()
    kernel[2] = 0.0
    model.set_weights([kernel, bias])
    assert np.abs(explain_model(model, rows, rows).values[:, 2]).max() == 0.0


def test_the_same_seed_gives_the_same_values(small_network: Any, rows: np.ndarray) -> None:
    many = np.random.default_rng(1).normal(size=(200, 6)).astype("float32")
    first, second = (explain_model(small_network, rows, many, seed=4) for _ in range(2))
    assert np.array_equal(first.values, second.values)


def test_num_samples_limits_what_is_explained(small_network: Any, rows: np.ndarray) -> None:
    found = explain_model(small_network, rows, rows, num_samples=7)
    assert found.shape == (7, 6, 3)
    assert all(
        np.array_equal(rows[int(i.split("_")[1])], x)
        for i, x in zip(found.sample_ids, found.data, strict=True)
    )


def test_one_sample_is_enough(small_network: Any, rows: np.ndarray) -> None:
    assert explain_model(small_network, rows[:1], rows).shape == (1, 6, 3)


def test_shap_agrees(small_network: Any, rows: np.ndarray) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("shap.GradientExplainer needs TensorFlow")
    ours = explain_model(small_network, rows[:6], rows)
    theirs = explain_model(small_network, rows[:6], rows, method="shap_gradient", n_draws=2000)
    assert np.corrcoef(ours.values.ravel(), theirs.values.ravel())[0, 1] > 0.9


def test_what_shap_cannot_explain_is_said_and_leaves_gradients_as_they_were(
    small_network: Any, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("shap.DeepExplainer needs TensorFlow")
    execute = pytest.importorskip("tensorflow.python.eager.execute")
    usual = execute.record_gradient

    def replacing(*_: Any) -> Any:
        execute.record_gradient = None
        raise LookupError("in user code:\n  line 1\n  no entry for: shap_Log")

    monkeypatch.setattr("shap.DeepExplainer", replacing)
    message = r"shap\.DeepExplainer cannot explain this model \(LookupError: no entry for: shap_Log\)"
    with pytest.raises(ParameterError, match=message):
        explain_model(small_network, rows[:2], rows, method="shap_deep")
    assert execute.record_gradient is usual


@pytest.mark.slow
def test_shap_explains_a_linear_model_as_we_do(rows: np.ndarray) -> None:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    kernel, bias = np.random.default_rng(0).normal(size=(6, 2)), np.array([1.0, -2.0])
    model.set_weights([kernel, bias])
    found = explain_model(model, rows[:2], rows, method="shap_permutation")
    expected = (rows[:2] - rows.mean(axis=0))[:, :, None] * kernel
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    np.testing.assert_allclose(found.base_values[0], rows.mean(axis=0) @ kernel + bias, rtol=1e-4)


def test_a_network_that_is_not_linear_has_no_linear_values(small_network: Any, rows: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="linear in the features"):
        explain_model(small_network, rows, rows, method="linear")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"feature_names": ["A", "B"]}, ParameterError, "expected 6, got 2"),
        ({"output_names": ["low", "high"]}, ParameterError, "expected 3, got 2"),
        ({"background": np.zeros((4, 5))}, DataError, "background must have 6 features.*got 5"),
        ({"x": np.full((2, 6), np.nan)}, DataError, "missing or infinite values in 2 of 2 rows"),
        ({"x": np.zeros(6)}, DataError, r"Pass a single sample as x\[None, :\]"),
        ({"x": np.zeros((0, 6))}, DataError, r"got the shape \(0, 6\)"),
        ({"x": np.full((2, 6), "a")}, DataError, "must hold numbers"),
        ({"method": "expected_gradient"}, ParameterError, "Did you mean 'expected_gradients'"),
        ({"output": "logit"}, ParameterError, "output must be one of"),
        ({"n_draws": 0}, ParameterError, "n_draws must be a whole number"),
        ({"num_samples": 1.5}, ParameterError, "num_samples must be a whole number"),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    small_network: Any, rows: np.ndarray, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"x": rows, "background": rows} | change
    with pytest.raises(error, match=message):
        explain_model(small_network, **arguments)
