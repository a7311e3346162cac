"""Explain any Keras model that reads raw features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.explain.checks import (
    LOG_ODDS,
    METHODS,
    NUMBER,
    OUTPUTS,
    PROBABILITY,
    as_rows,
    distinct,
    named,
    pick_rows,
)
from genokeras.explain.explanation import Explanation, measure_additivity
from genokeras.explain.gradients import ModelFrame, OutputGradients, model_outputs
from genokeras.explain.linear import attribute_linear_model
from genokeras.explain.paths import DRAWS, Attributions, Frame, attribute, background_rows
from genokeras.explain.with_shap import attribute_with_shap
from genokeras.support.checks import check_choice, check_whole

# Background rows whose outputs show what a model predicts.
_LOOKED_AT = 200
_ROUNDING = 1e-3
_PREFIX = {PROBABILITY: "class_", LOG_ODDS: "class_", NUMBER: "target_"}


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
    output_names: Sequence[Any] | None = None,
    sample_ids: Sequence[str] | None = None,
    output: str | None = None,
) -> Explanation:
    """How much each feature moved each output of a Keras model.

    Parameters
    ----------
    model : keras.Model
        ``(n, n_features)`` -> ``(n, n_outputs)``, on TensorFlow, JAX or PyTorch.
    x : array-like of shape (n_samples, n_features)
        What is explained.
    background : array-like of shape (m, n_features)
        Rows that stand for "nothing known": the training samples, for example.
    method : str, default="expected_gradients"
        "expected_gradients" averages over about twenty rows spread over the background; "integrated_gradients" starts from the mean of
        the background; "linear" is exact for models with linear log odds or linear numbers; "shap_deep", "shap_gradient" and
        "shap_permutation" use the shap package.
    num_samples : int or None, default=80
        Samples explained at most, drawn at random; None for all.
    n_draws : int, default=200
        Evaluations of the network per sample in the first round; samples whose values do not add up within 0.1 % get more.
    seed : int
    feature_names, output_names, sample_ids : sequence of str, optional
        Outputs are classes, or targets where they are numbers.
    output : {"probability", "log_odds", "number"}, optional
        What the values add up to: the probabilities that the model predicts; the log odds of each class against the geometric mean of
        the others; the numbers that it predicts, in their units. By default "probability" where all outputs lie between 0 and 1, else
        "number".

    Returns
    -------
    Explanation

    Raises
    ------
    DataError
        If ``x`` or the background cannot be used.
    ParameterError
        If an option is unknown, names do not fit, outputs have the same name, or "probability" or "log_odds" is asked for and outputs are not between 0 and 1.
    """
    check_options(method, num_samples, n_draws)
    rows = as_rows(x, "x", _width(model))
    reference = as_rows(background, "background", rows.shape[1])
    names = named(feature_names, rows.shape[1], "feature_names", "feature_")
    ids = named(sample_ids, len(rows), "sample_ids", "sample_")
    picked = pick_rows(len(rows), num_samples, seed)
    shown = np.concatenate([rows[picked], reference[pick_rows(len(reference), _LOOKED_AT, seed)]])
    kind = _kind_of(model_outputs(model, shown), output, method)
    outputs = distinct(
        named(output_names, int(model.output_shape[-1]), "output_names", _PREFIX[kind]), "output_names"
    )
    found = attribute_model(model, rows[picked], reference, method, kind, n_draws, seed)
    return as_explanation(found, rows[picked], names, outputs, tuple(ids[i] for i in picked), method, kind)


def check_options(method: str, num_samples: int | None, n_draws: int) -> None:
    """Check options that every model has.

    Parameters
    ----------
    method : str
    num_samples : int or None
    n_draws : int

    Raises
    ------
    ParameterError
        If one is unknown.
    """
    check_choice(method, "method", METHODS)
    check_whole(n_draws, "n_draws")
    if num_samples is not None:
        check_whole(num_samples, "num_samples")


def _kind_of(outputs: np.ndarray, output: str | None, method: str) -> str:
    """What is explained of a model with such outputs, where ``output`` is asked for."""
    least, largest = float(outputs.min()), float(outputs.max())
    probabilities = least > -_ROUNDING and largest < 1.0 + _ROUNDING
    if output is None:
        output = PROBABILITY if probabilities else NUMBER
    elif check_choice(output, "output", OUTPUTS) != NUMBER and not probabilities:
        raise ParameterError(
            f"output={output!r} needs a model that predicts probabilities, and this one's outputs go from {least:.3g} to "
            f"{largest:.3g}. Pass output='number'."
        )
    return LOG_ODDS if method == "linear" and output == PROBABILITY else output


def attribute_model(
    model: Any, x: np.ndarray, background: np.ndarray, method: str, output: str, n_draws: int, seed: int
) -> Attributions:
    """The values of any method on a whole Keras model.

    Parameters
    ----------
    model : keras.Model
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.
    method, output, n_draws, seed
        See `explain_model`; they are checked already, and "linear" goes with "log_odds" or "number".
    """
    if method.startswith("shap_"):
        return attribute_with_shap(model, x, background, method, output, n_draws, seed)
    if method == "linear":
        gradients = OutputGradients(model, x.shape[1], output)
        return attribute_linear_model(gradients, x, background, output == NUMBER)
    return attribute_frame(ModelFrame(model, x.shape[1], output), x, background, method, n_draws, seed)


def attribute_frame(
    frame: Frame, x: np.ndarray, background: np.ndarray, method: str, n_draws: int, seed: int
) -> Attributions:
    """Expected or integrated gradients.

    Parameters
    ----------
    frame : Frame
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.
    method : {"expected_gradients", "integrated_gradients"}
    n_draws, seed : int
        See `explain_model`.
    """
    if method == "integrated_gradients":
        chosen = background.mean(axis=0, keepdims=True, dtype="float64").astype("float32")
    else:
        chosen = background_rows(frame, background, n_draws, np.random.default_rng([seed, 1]))
    return attribute(frame, x, chosen, n_draws)


def as_explanation(
    found: Attributions,
    x: np.ndarray,
    feature_names: tuple[str, ...],
    output_names: tuple[str, ...],
    sample_ids: tuple[str, ...],
    method: str,
    output: str,
) -> Explanation:
    """Attributions with their names, and how well they add up.

    Parameters
    ----------
    found : Attributions
    x : numpy.ndarray
        ``(n, p)`` the explained samples.
    feature_names, output_names, sample_ids : tuple of str
    method, output : str
        See `Explanation`.
    """
    base = np.tile(found.base, (len(x), 1))
    additivity = measure_additivity(found.values, base, found.outputs, found.ranges)
    return Explanation(
        found.values,
        base,
        x,
        feature_names,
        output_names,
        sample_ids,
        found.outputs,
        additivity,
        method,
        output,
    )


def _width(model: Any) -> int | None:
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ParameterError(
            f"the model must be a built keras.Model that reads (n_samples, n_features), its input is {shape!r}."
        )
    return None if shape[1] is None else int(shape[1])
