"""Linear models need no path: a gene's value is its coefficient times how far the sample is from the mean.

For ``f(x) = c^T x + d`` and independent features the Shapley value of feature ``i`` is ``c_i (x_i - mean_i)`` (Lundberg and Lee 2017, A
unified approach to interpreting model predictions, NIPS, corollary 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.errors import ParameterError
from genokeras.explain.gradients import OutputGradients
from genokeras.explain.paths import Attributions
from genokeras.features import log_normalised
from genokeras.graph import Dense
from genokeras.networks import TrainedTrial

_LINEAR_ENOUGH = 1e-3


def attribute_linear_model(gradients: OutputGradients, x: np.ndarray, background: np.ndarray) -> Attributions:
    """Exact values of a Keras model whose log odds are linear in the raw features.

    Parameters
    ----------
    gradients : OutputGradients
        Of the log odds.
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.

    Raises
    ------
    ParameterError
        If the log odds are not linear.
    """
    mean = background.mean(axis=0, dtype="float64")
    both = np.concatenate([x, background])
    outputs = gradients.outputs(both)
    coefficients = gradients(mean[None].astype("float32"))[:, 0].astype("float64").T
    predicted = (both - mean) @ coefficients + gradients.outputs(mean[None].astype("float32"))
    spread = float((outputs.max(axis=0) - outputs.min(axis=0)).max())
    if np.abs(predicted - outputs).max() > _LINEAR_ENOUGH * max(spread, 1e-6):
        raise ParameterError(
            "method='linear' needs a model whose log odds are linear in the features, and this one's are not. "
            "Use method='expected_gradients'."
        )
    values = (x - mean)[:, :, None] * coefficients
    base = outputs[len(x) :].mean(axis=0)
    return Attributions(values.astype("float32"), base, outputs[: len(x)], spread)


def attribute_linear_trial(trial: TrainedTrial, x: np.ndarray, background: np.ndarray) -> Attributions:
    """Exact values of the mean log odds of a linear father's members.

    A father behind the logarithm is linear in the logarithms: ``c_i (u_i - mean u_i)``.

    Parameters
    ----------
    trial : TrainedTrial
        Of a graph that is one Dense layer.
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)`` raw.
    """
    factors = trial.spaces[0].log_factors
    here, there = (
        (rows if factors is None else log_normalised(rows, factors)).astype("float64")
        for rows in (x, background)
    )
    coefficients, offset = linear_coefficients(trial, x.shape[1])
    mean = there.mean(axis=0)
    outputs, reference = here @ coefficients + offset, there @ coefficients + offset
    both = np.concatenate([outputs, reference])
    spread = float((both.max(axis=0) - both.min(axis=0)).max())
    values = ((here - mean)[:, :, None] * coefficients).astype("float32")
    return Attributions(values, reference.mean(axis=0), outputs, spread)


def linear_coefficients(trial: TrainedTrial, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """``(p, n_classes)`` and ``(n_classes,)``: mean log odds of the members, folded back to the features."""
    layer = next(layer.id for layer in trial.graph.layers if isinstance(layer.spec, Dense))
    kernels, biases = (trial.weights[layer][name].astype("float64") for name in ("kernel", "bias"))
    coefficients, offset = np.zeros((n_features, kernels.shape[2])), np.zeros(kernels.shape[2])
    for space, kernel, bias in zip(trial.space_of_member, kernels, biases, strict=True):
        folded = space.projection().astype("float64") @ kernel[: space.rank] * space.inverse_sd[:, None]
        coefficients[space.columns] += folded / trial.n_members
        offset += (bias - space.mean @ folded) / trial.n_members
    return _against_others(coefficients), _against_others(offset)


def _against_others(logits: np.ndarray) -> np.ndarray:
    """Logits ``(..., k)`` -> log odds against the geometric mean of the other classes, as ``tasks.links.log_odds``."""
    k = logits.shape[-1]
    return k / (k - 1) * (logits - logits.mean(axis=-1, keepdims=True))


def best_linear(ranked: Sequence[bool]) -> int:
    """Place of the first linear trial.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if True not in ranked:
        raise ParameterError(
            "method='linear' explains the best linear trial, and no trial of this run is linear. "
            "Use method='expected_gradients'."
        )
    return list(ranked).index(True)
