"""The linear father: logistic regression by scikit-learn, kept as the weights of one Dense layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from genokeras.spatial.encoding import Counts

# scikit-learn cannot be interrupted, so it goes on from where it stood in portions of so many iterations.
_PORTION = 25
_MOST_ITERATIONS = 300
_TOLERANCE = 1e-3
# Logit of a class without training rows.
_NEVER = -30.0


def fit_linear(
    x: Counts,
    codes: np.ndarray,
    weight: np.ndarray,
    n_classes: int,
    weight_decay: float,
    scale: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Minimise the mean log loss plus ``weight_decay / 2`` times the squared length of the kernel.

    Parameters
    ----------
    x : numpy.ndarray or sparse matrix, shape (n, p)
    codes : numpy.ndarray
        ``(n,)`` class numbers; some classes may be missing.
    weight : numpy.ndarray
        ``(n,)``.
    n_classes : int
    weight_decay : float
    scale : bool
        Whether columns have unit variance while they are fitted; the kernel returned takes them as they are.
    should_stop : callable
        Asked now and then.

    Returns
    -------
    kernel : numpy.ndarray
        ``(p, n_classes)`` float32.
    bias : numpy.ndarray
        ``(n_classes,)`` float32.
    iterations : int
    """
    factor = _inverse_spread(x) if scale else np.ones(x.shape[1], dtype="float32")
    scaled = x.multiply(factor[None]).tocsr() if sparse.issparse(x) else x * factor
    strength = 1.0 / max(weight_decay * weight.sum(), 1e-12)
    model = LogisticRegression(C=strength, tol=_TOLERANCE, max_iter=_PORTION, warm_start=True)
    iterations = 0
    while iterations < _MOST_ITERATIONS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaled, codes, sample_weight=weight)
        taken = int(model.n_iter_.max())
        iterations += taken
        if taken < _PORTION or should_stop():
            break
    kernel, bias = _by_class(model, n_classes)
    return (kernel * factor[:, None]).astype("float32"), bias.astype("float32"), iterations


def _by_class(model: LogisticRegression, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """One column for every class, those that were not there among them."""
    kernel, bias = model.coef_.T, model.intercept_
    if kernel.shape[1] == 1:
        kernel = np.hstack([-kernel / 2, kernel / 2])
        bias = np.concatenate([-bias / 2, bias / 2])
    whole, biases = np.zeros((len(kernel), n_classes)), np.full(n_classes, _NEVER)
    whole[:, model.classes_], biases[model.classes_] = kernel, bias
    return whole, biases


def _inverse_spread(x: Counts) -> np.ndarray:
    mean = np.asarray(x.mean(axis=0)).ravel()
    squares = x.multiply(x) if sparse.issparse(x) else x * x
    variance = np.asarray(squares.mean(axis=0)).ravel() - mean**2
    # A column that is nearly constant is left as small as it is.
    return np.asarray(1 / np.sqrt(np.maximum(variance, 1e-4)), dtype="float32")
