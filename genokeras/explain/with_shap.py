"""The shap package's own explainers, for comparison and for models that want them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.errors import ParameterError
from genokeras.explain.checks import LOG_ODDS, NUMBER
from genokeras.explain.paths import Attributions, ranges_of
from genokeras.support.wording import cause
from genokeras.tasks.links import log_odds

NEED_TENSORFLOW = ("shap_deep", "shap_gradient")


def attribute_with_shap(
    model: Any, x: np.ndarray, background: np.ndarray, method: str, output: str, n_draws: int, seed: int
) -> Attributions:
    """Values of ``shap.DeepExplainer``, ``GradientExplainer`` or ``PermutationExplainer``.

    Parameters
    ----------
    model : keras.Model
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.
    method : {"shap_deep", "shap_gradient", "shap_permutation"}
    output : {"probability", "log_odds", "number"}
    n_draws : int
        Random gradients a sample of "shap_gradient".
    seed : int

    Raises
    ------
    ParameterError
        If shap does not support the backend, or the model's layers.
    """
    backend = keras.backend.backend()
    if method in NEED_TENSORFLOW and backend != "tensorflow":
        raise ParameterError(
            f"method={method!r} works on the TensorFlow backend only, and Keras runs on {backend!r}. "
            "Use method='expected_gradients', which works on every backend."
        )
    explained = _wrapped(model, x.shape[1], output)
    predict = _predictor(explained)
    explain = {"shap_deep": _deep, "shap_gradient": _gradient, "shap_permutation": _permutation}[method]
    values = explain(import_module("shap"), explained, predict, x, background, n_draws, seed)
    outputs, reference = predict(x).astype("float64"), predict(background).astype("float64")
    values = np.asarray(values, dtype="float32").reshape(*x.shape, -1)
    ranges = ranges_of(outputs, reference, output == NUMBER)
    return Attributions(values, reference.mean(axis=0), outputs, ranges)


def _wrapped(model: Any, n_features: int, output: str) -> Any:
    """A model as shap expects it: its output is its last layer's, and it is called with a list."""
    x = keras.Input((n_features,))
    result = model(x)
    if output == LOG_ODDS:
        result = keras.layers.Lambda(log_odds)(result)
    return keras.Model([x], result)


def _predictor(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    def predict(x: np.ndarray) -> np.ndarray:
        found = model([ops.convert_to_tensor(np.asarray(x, dtype="float32"))], training=False)
        return np.asarray(ops.convert_to_numpy(found))

    return predict


def _deep(shap: Any, model: Any, predict: Any, x: np.ndarray, b: np.ndarray, n_draws: int, seed: int) -> Any:
    with _own_gradients(), _said("shap.DeepExplainer"):
        return shap.DeepExplainer(model, b).shap_values(x, check_additivity=False)


def _gradient(
    shap: Any, model: Any, predict: Any, x: np.ndarray, b: np.ndarray, n_draws: int, seed: int
) -> Any:
    with _said("shap.GradientExplainer"):
        return shap.GradientExplainer(model, b).shap_values(x, nsamples=n_draws, rseed=seed)


@contextmanager
def _own_gradients() -> Iterator[None]:
    """TensorFlow's gradients as they were: shap.DeepExplainer replaces how they are recorded, and where it fails leaves it so."""
    execute: Any = import_module("tensorflow.python.eager.execute")
    usual = execute.record_gradient
    try:
        yield
    finally:
        execute.record_gradient = usual


@contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # TensorFlow puts what went wrong behind many lines of where.
        reason = (
            cause(error) if len(str(error).splitlines()) < 2 else str(error).strip().splitlines()[-1].strip()
        )
        raise ParameterError(
            f"{name} cannot explain this model ({type(error).__name__}: {reason}). Use method='expected_gradients'."
        ) from error


def _permutation(
    shap: Any, model: Any, predict: Any, x: np.ndarray, b: np.ndarray, n_draws: int, seed: int
) -> Any:
    explainer = shap.PermutationExplainer(predict, shap.maskers.Independent(b, max_samples=len(b)), seed=seed)
    return explainer(x, max_evals=2 * x.shape[1] + 1, silent=True).values
