"""Linear models need no path: a gene's value is its coefficient times how far the sample is from the mean.

For ``f(x) = c^T x + d`` and independent features the Shapley value of feature ``i`` is ``c_i (x_i - mean_i)`` (Lundberg and Lee 2017, A
unified approach to interpreting model predictions, NIPS, corollary 1). Linear are the log odds of classes, and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.errors import ParameterError
from genokeras.explain.gradients import OutputGradients
from genokeras.explain.links import Identity, Link, LogOdds, Softmax
from genokeras.explain.outer import against_others
from genokeras.explain.paths import Attributions, ranges_of
from genokeras.graph import Dense
from genokeras.networks import TrainedTrial

_LINEAR_ENOUGH = 1e-3


def attribute_linear_model(
    gradients: OutputGradients, x: np.ndarray, background: np.ndarray, own_units: bool
) -> Attributions:
    """Exact values of a Keras model that is linear in the raw features.

    Parameters
    ----------
    gradients : OutputGradients
        Of log odds or numbers.
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.
    own_units : bool
        See `ranges_of`.

    Raises
    ------
    ParameterError
        If it is not linear.
    """
    mean = background.mean(axis=0, dtype="float64")
    both = np.concatenate([x, background])
    outputs = gradients.outputs(both)
    at_mean = mean[None].astype("float32")
    coefficients = gradients(at_mean)[:, 0].astype("float64").T
    predicted = (both - mean) @ coefficients + gradients.outputs(at_mean)
    ranges = ranges_of(outputs[: len(x)], outputs[len(x) :], own_units)
    if (np.abs(predicted - outputs) / ranges).max() > _LINEAR_ENOUGH:
        raise ParameterError(
            "method='linear' needs log odds or numbers that are linear in the features, and this model's are not. "
            "Use method='expected_gradients'."
        )
    values = (x - mean)[:, :, None] * coefficients
    base = outputs[len(x) :].mean(axis=0)
    return Attributions(values.astype("float32"), base, outputs[: len(x)], ranges)


def attribute_linear_trial(
    trial: TrainedTrial, link: Link, x: np.ndarray, background: np.ndarray
) -> Attributions:
    """Exact values of the mean log odds, or the mean numbers, of a linear trial's members.

    A trial behind the logarithm is linear in the logarithms: ``c_i (u_i - mean u_i)``.

    Parameters
    ----------
    trial : TrainedTrial
        Of a graph that is one Dense layer.
    link : Link
    x, background : numpy.ndarray
        ``(n, p)`` and ``(m, p)`` raw.

    Raises
    ------
    ParameterError
        If answers are neither classes nor numbers.
    """
    rescaling = trial.spaces[trial.graph.input][0].rescaling
    here, there = (
        (rows if rescaling is None else rescaling.apply(rows)).astype("float64") for rows in (x, background)
    )
    coefficients, offset = linear_coefficients(trial, link, x.shape[1])
    mean = there.mean(axis=0)
    outputs, reference = here @ coefficients + offset, there @ coefficients + offset
    values = ((here - mean)[:, :, None] * coefficients).astype("float32")
    return Attributions(
        values, reference.mean(axis=0), outputs, ranges_of(outputs, reference, link.own_units)
    )


def linear_coefficients(trial: TrainedTrial, link: Link, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of a linear trial's members, folded back to the features.

    Parameters
    ----------
    trial : TrainedTrial
    link : Link
    n_features : int

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        ``(p, n_outputs)`` and ``(n_outputs,)``, of log odds or numbers.

    Raises
    ------
    ParameterError
        If answers are neither classes nor numbers.
    """
    layer = next(layer.id for layer in trial.graph.layers if isinstance(layer.spec, Dense))
    kernels, biases = (trial.weights[layer][name].astype("float64") for name in ("kernel", "bias"))
    coefficients, offset = np.zeros((n_features, kernels.shape[2])), np.zeros(kernels.shape[2])
    for space, kernel, bias in zip(trial.of_members(trial.graph.input), kernels, biases, strict=True):
        folded = space.projection().astype("float64") @ kernel[: space.rank] * space.inverse_sd[:, None]
        coefficients[space.columns] += folded / trial.n_members
        offset += (bias - space.mean @ folded) / trial.n_members
    coefficients, offset = trial.sharpness * coefficients, trial.sharpness * offset
    match link.inner:
        case Softmax() | LogOdds():
            return against_others(coefficients, axis=1), against_others(offset, axis=0)
        case Identity():
            return link.outer.gradients(offset, coefficients.T).T, link.outer.values(offset)
        case _:
            raise ParameterError(
                "method='linear' explains classes and numbers, and what this run predicts is neither. "
                "Use method='expected_gradients'."
            )


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
