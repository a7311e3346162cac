"""What a model's outputs score: for classes and for numbers."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score, r2_score

_SMALLEST = 1e-7


def score_outputs(task: str, y: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Metrics by name.

    Parameters
    ----------
    task : {"classification", "regression"}
    y : numpy.ndarray
        ``(n_samples,)`` class numbers, or numbers.
    outputs : numpy.ndarray
        ``(n_samples, n_classes)`` probabilities, or ``(n_samples, 1)`` values.

    Returns
    -------
    dict
        ``loss`` (mean log loss in nats, or mean squared error) first; then ``accuracy``, ``balanced_accuracy`` and
        ``f1_score`` (macro average over the classes that occur), or ``rmse`` and ``r2``.
    """
    if task == "regression":
        error = outputs[:, 0].astype("float64") - y
        loss = float(np.mean(error**2))
        r2 = float(r2_score(y, outputs[:, 0])) if len(y) > 1 else float("nan")
        return {"loss": loss, "rmse": loss**0.5, "r2": r2}
    probabilities = np.clip(outputs[np.arange(len(y)), y].astype("float64"), _SMALLEST, 1.0)
    predicted = outputs.argmax(axis=1)
    occurring = np.unique(y)
    return {
        "loss": float(-np.log(probabilities).mean()),
        "accuracy": float(np.mean(predicted == y)),
        "balanced_accuracy": float(np.mean([np.mean(predicted[y == c] == c) for c in occurring])),
        "f1_score": float(f1_score(y, predicted, labels=occurring, average="macro", zero_division=0.0)),
    }
