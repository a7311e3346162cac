"""What a model's outputs score: for classes and for numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score, r2_score

_SMALLEST = 1e-7


def score_outputs(
    task: str, y: np.ndarray, outputs: np.ndarray, targets: Sequence[str] = ()
) -> dict[str, float]:
    """Metrics by name.

    Parameters
    ----------
    task : {"classification", "regression"}
    y : numpy.ndarray
        ``(n_samples,)`` class numbers, or ``(n_samples, n_targets)`` numbers.
    outputs : numpy.ndarray
        ``(n_samples, n_classes)`` probabilities, or ``(n_samples, n_targets)`` values.
    targets : sequence of str
        Names of the numbers.

    Returns
    -------
    dict
        ``loss`` (mean log loss in nats, or mean squared error over all numbers) first; then ``accuracy``,
        ``balanced_accuracy`` and ``f1_score`` (macro average over the classes that occur), or ``rmse`` and ``r2`` (the mean
        over the targets) and, where there are several, ``r2_<target>`` of each.
    """
    if task == "regression":
        loss = float(np.mean((outputs.astype("float64") - y) ** 2))
        each = r2_score(y, outputs, multioutput="raw_values") if len(y) > 1 else np.full(y.shape[1], np.nan)
        found = {"loss": loss, "rmse": loss**0.5, "r2": float(np.mean(each))}
        named = zip(targets, each, strict=True) if len(targets) > 1 else ()
        return found | {f"r2_{name}": float(value) for name, value in named}
    probabilities = np.clip(outputs[np.arange(len(y)), y].astype("float64"), _SMALLEST, 1.0)
    predicted = outputs.argmax(axis=1)
    occurring = np.unique(y)
    return {
        "loss": float(-np.log(probabilities).mean()),
        "accuracy": float(np.mean(predicted == y)),
        "balanced_accuracy": float(np.mean([np.mean(predicted[y == c] == c) for c in occurring])),
        "f1_score": float(f1_score(y, predicted, labels=occurring, average="macro", zero_division=0.0)),
    }
