"""Explain any Keras model that reads raw features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.explain.checks import (
    METHODS,
    OUTPUTS,
    as_rows,
    named,
    pick_rows,
)
from genokeras.explain.explanation import Explanation, measure_additivity
from genokeras.explain.gradients import ModelFrame, OutputGradients
from genokeras.explain.linear import attribute_linear_model
from genokeras.explain.paths import DRAWS, Attributions, Frame, attribute, background_rows
from genokeras.explain.with_shap import attribute_with_shap
from genokeras.support.checks import check_choice, check_whole


def explain_model(
    model: Any,
    x: Any,
    background: Any,
    *,
    method: str = "expected_gradients",
    num_samples: int | None = 80,
    n_draws: int = DRAWS,
    seed: int = 0,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[Any] | None = None,
    sample_ids: Sequence[str] | None = None,
    output: str = "probability",
) -> Explanation:
    """How much each feature moved each output of a Keras model.

    Parameters
    ----------
    model : keras.Model
        ``(n, n_features)`` -> ``(n, n_classes)``, on TensorFlow, JAX or PyTorch.
    x : array-like of shape (n_samples, n_features)
        What is explained.
    background : array-like of shape (m, n_features)
        Rows that stand for "nothing known", the training samples say.
    method : str, default="expected_gradients"
        "expected_gradients" averages over about twenty rows spread over the background; "integrated_gradients" starts from the mean of
        the background; "linear" is exact for models with linear log odds; "shap_deep", "shap_gradient" and
        "shap_permutation" hand over to the shap package.
    num_samples : int or None, default=80
        Samples explained at most, drawn at random; None for all.
    n_draws : int, default=200
        Evaluations of the network a sample to begin with; samples whose values do not add up to 0.1 % get more.
    seed : int
    feature_names, class_names, sample_ids : sequence of str, optional
    output : {"probability", "log_odds"}, default="probability"
        What the values add up to: the model's outputs, or the log odds of each class against the geometric mean of the others.

    Returns
    -------
    Explanation

    Raises
    ------
    DataError
        If ``x`` or the background cannot be used.
    ParameterError
        If an option is unknown, or names do not fit.
    """
    check_options(method, output, num_samples, n_draws)
    rows = as_rows(x, "x", _width(model))
    reference = as_rows(background, "background", rows.shape[1])
    names = named(feature_names, rows.shape[1], "feature_names", "feature_")
    ids = named(sample_ids, len(rows), "sample_ids", "sample_")
    classes = named(class_names, int(model.output_shape[-1]), "class_names", "class_")
    picked = pick_rows(len(rows), num_samples, seed)
    output = "log_odds" if method == "linear" else output
    found = attribute_model(model, rows[picked], reference, method, output, n_draws, seed)
    return as_explanation(found, rows[picked], names, classes, tuple(ids[i] for i in picked), method, output)


def check_options(method: str, output: str, num_samples: int | None, n_draws: int) -> None:
    """Raise ``ParameterError`` where an option is unknown."""
    check_choice(method, "method", METHODS)
    check_choice(output, "output", OUTPUTS)
    check_whole(n_draws, "n_draws")
    if num_samples is not None:
        check_whole(num_samples, "num_samples")


def attribute_model(
    model: Any, x: np.ndarray, background: np.ndarray, method: str, output: str, n_draws: int, seed: int
) -> Attributions:
    """The values of any method on a whole Keras model; arguments are checked already."""
    if method.startswith("shap_"):
        return attribute_with_shap(model, x, background, method, output, n_draws, seed)
    if method == "linear":
        gradients = OutputGradients(model, x.shape[1], "log_odds")
        return attribute_linear_model(gradients, x, background)
    return attribute_frame(ModelFrame(model, x.shape[1], output), x, background, method, n_draws, seed)


def attribute_frame(
    frame: Frame, x: np.ndarray, background: np.ndarray, method: str, n_draws: int, seed: int
) -> Attributions:
    """Expected or integrated gradients."""
    if method == "integrated_gradients":
        chosen = background.mean(axis=0, keepdims=True, dtype="float64").astype("float32")
    else:
        chosen = background_rows(frame, background, n_draws, np.random.default_rng([seed, 1]))
    return attribute(frame, x, chosen, n_draws)


def as_explanation(
    found: Attributions,
    x: np.ndarray,
    names: tuple[str, ...],
    classes: tuple[str, ...],
    ids: tuple[str, ...],
    method: str,
    output: str,
) -> Explanation:
    """Attributions with their names, and how well they add up."""
    base = np.tile(found.base, (len(x), 1))
    additivity = measure_additivity(found.values, base, found.outputs, found.output_range)
    return Explanation(found.values, base, x, names, classes, ids, found.outputs, additivity, method, output)


def _width(model: Any) -> int | None:
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ParameterError(
            f"the model must be a built keras.Model that reads (n_samples, n_features), its input is {shape!r}."
        )
    return None if shape[1] is None else int(shape[1])
