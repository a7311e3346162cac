"""Linear models: logistic or ridge regression by scikit-learn, kept as the weights of one Dense layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import linalg, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from genokeras.encoders.encoder import Counts

# scikit-learn cannot be interrupted, so it goes on from where it stood in portions of this number of iterations; fewer where each takes long.
_PORTIONS = (5, 25)
_PORTION_WORK = 500_000_000
_MOST_ITERATIONS = 300
_TOLERANCE = 1e-4
_RIDGE_TOLERANCE = 1e-5
# Logit of a class without training rows.
_NEVER = -30.0
# Logit where all training rows are positive.
_SURE = 10.0


def fit_logistic(
    x: Counts,
    codes: np.ndarray,
    weight: np.ndarray,
    n_classes: int,
    weight_decay: float,
    scaling: float,
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
    scaling : float
        Columns are divided by their standard deviation to this power while they are fitted; the kernel returned takes them as they
        are.
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
    factor, scaled = _scaled(x, scaling)
    strength = 1.0 / max(weight_decay * weight.sum(), 1e-12)
    work = (x.nnz if sparse.issparse(x) else x.size) * n_classes
    portion = int(np.clip(_PORTION_WORK // max(work, 1), *_PORTIONS))
    model = LogisticRegression(C=strength, tol=_TOLERANCE, max_iter=portion, warm_start=True)
    iterations = 0
    while iterations < _MOST_ITERATIONS:
        # Sparse products have one thread; others would only wait for work, and hold up whoever shares the machine.
        with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaled, codes, sample_weight=weight)
        taken = int(model.n_iter_.max())
        iterations += taken
        if taken < portion or should_stop():
            break
    kernel, bias = _by_class(model, n_classes)
    return (kernel * factor[:, None]).astype("float32"), bias.astype("float32"), iterations


def solve_logistic(
    z: np.ndarray, codes: np.ndarray, weight: np.ndarray, n_classes: int, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the weighted mean log loss plus ``penalty / 2`` times the squared length of the kernel, to the end.

    Parameters
    ----------
    z : numpy.ndarray
        ``(n, r)``, dense and small.
    codes : numpy.ndarray
        ``(n,)`` class numbers; a class may be missing.
    weight : numpy.ndarray
        ``(n,)``; rows of weight 0 play no part.
    n_classes : int
    penalty : float

    Returns
    -------
    kernel : numpy.ndarray
        ``(r, n_classes)`` float32.
    bias : numpy.ndarray
        ``(n_classes,)`` float32; nothing holds it back.
    """
    rows = weight > 0
    x, y, share = np.asarray(z[rows], dtype="float64"), codes[rows], weight[rows] / weight[rows].sum()
    if len(np.unique(y)) < 2:
        bias = np.full(n_classes, _NEVER, dtype="float32")
        bias[y[0]] = 0.0
        return np.zeros((z.shape[1], n_classes), dtype="float32"), bias
    model = LogisticRegression(C=1.0 / max(penalty, 1e-9), tol=_TOLERANCE, max_iter=_MOST_ITERATIONS)
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, sample_weight=share)
    kernel, bias = _by_class(model, n_classes)
    return kernel.astype("float32"), bias.astype("float32")


def fit_binary(
    x: Counts,
    positive: np.ndarray,
    weight: np.ndarray,
    weight_decay: float,
    scaling: float,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[np.ndarray, float, int]:
    """Log odds of rows that are positive: kernel ``(p,)`` float32, bias, and iterations.

    Parameters
    ----------
    x, weight, weight_decay, scaling, should_stop : as in `fit_logistic`
    positive : numpy.ndarray
        ``(n,)`` 0 or 1; where rows with a weight are all alike, the bias alone says so.
    """
    codes = np.asarray(positive).astype(np.int64)
    counted = codes[weight > 0]
    if counted.min(initial=1) == counted.max(initial=0):
        return np.zeros(x.shape[1], "float32"), _SURE if counted.any() else -_SURE, 0
    kernel, bias, steps = fit_logistic(x, codes, weight, 2, weight_decay, scaling, should_stop)
    return kernel[:, 1] - kernel[:, 0], float(bias[1] - bias[0]), steps


def fit_ridge(
    x: Counts, targets: np.ndarray, weight: np.ndarray, weight_decay: float, scaling: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Minimise half the mean squared error plus ``weight_decay / 2`` times the squared length of the kernel.

    Parameters
    ----------
    x : numpy.ndarray or sparse matrix, shape (n, p)
    targets : numpy.ndarray
        ``(n, k)``; what is constant about them is the bias, which nothing holds back.
    weight : numpy.ndarray
        ``(n,)``.
    weight_decay : float
    scaling : float
        As in `fit_logistic`.

    Returns
    -------
    kernel : numpy.ndarray
        ``(p, k)`` float32.
    bias : numpy.ndarray
        ``(k,)`` float32.
    iterations : int
        The most that one of the targets took.
    """
    factor, scaled = _scaled(x, scaling)
    alpha = weight_decay * float(weight.sum())
    model = Ridge(alpha, solver="lsqr", tol=_RIDGE_TOLERANCE, max_iter=_MOST_ITERATIONS, copy_X=False)
    model.fit(scaled, targets, sample_weight=weight)
    kernel = np.atleast_2d(model.coef_).T * factor[:, None]
    bias = np.broadcast_to(model.intercept_, (targets.shape[1],))
    return kernel.astype("float32"), bias.astype("float32"), int(np.max(model.n_iter_))


def solve_ridge(
    z: np.ndarray, targets: np.ndarray, weight: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the weighted mean squared error plus ``penalty`` times the squared length of the kernel, exactly.

    Parameters
    ----------
    z : numpy.ndarray
        ``(n, r)``, dense and small.
    targets : numpy.ndarray
        ``(n, k)``.
    weight : numpy.ndarray
        ``(n,)``; rows of weight 0 play no part.
    penalty : float

    Returns
    -------
    kernel : numpy.ndarray
        ``(r, k)`` float32.
    bias : numpy.ndarray
        ``(k,)`` float32; nothing holds it back.
    """
    share = np.asarray(weight, dtype="float64") / np.sum(weight)
    x, y = np.asarray(z, dtype="float64"), np.asarray(targets, dtype="float64")
    x_mean, y_mean = share @ x, share @ y
    x, y = x - x_mean, y - y_mean
    gram = (x * share[:, None]).T @ x
    gram[np.diag_indices_from(gram)] += max(penalty, 1e-9)
    kernel = linalg.solve(gram, (x * share[:, None]).T @ y, assume_a="pos")
    return kernel.astype("float32"), (y_mean - x_mean @ kernel).astype("float32")


def _scaled(x: Counts, scaling: float) -> tuple[np.ndarray, Counts]:
    """What columns are multiplied by while a model is fitted, and the product."""
    factor = _inverse_spread(x) ** scaling
    return factor, sparse.csr_matrix(x.multiply(factor[None])) if sparse.issparse(x) else x * factor


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
