"""A Gaussian process over several blocks of coordinates: an architecture's, and each hyper-parameter's.

Notation
--------
======  =================================================================  ===========
symbol  meaning                                                            shape
======  =================================================================  ===========
x_b     coordinates of the observations in block b                         (n, d_b)
D_b     squared Euclidean distances within block b                         (n, n)
l_b     length scale of block b                                            (B,)
s2      signal variance, of standardised scores                            ()
t2      noise variance, of standardised scores                             ()
y       scores, standardised inside                                        (n,)
K       s2 * exp(-1/2 * sum_b D_b / l_b^2) + t2 * I + known noise          (n, n)
L       lower Cholesky factor of K                                         (n, n)
alpha   K^-1 y                                                             (n,)
theta   log of (l_1 .. l_B, s2, t2)                                        (B + 2,)
======  =================================================================  ===========

The blocks' kernels multiply: two proposals are alike if their graphs *and* their hyper-parameters are. theta
maximises the log marginal likelihood plus a weak normal prior, so that a handful of scores cannot drive a
length scale to a bound. One kernel serves both fitting and prediction.

References
----------
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, MIT Press: algorithm 2.1 (prediction),
equations 2.30 (log marginal likelihood) and 5.9 (its gradient).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from genokeras.errors import ParameterError, SearchError

Array = NDArray[np.float64]

FEWEST_TO_FIT = 4
PRIOR_SIGNAL, PRIOR_NOISE = 1.0, 0.05
PRIOR_SPREAD_SCALE, PRIOR_SPREAD_VARIANCE = 1.0, 1.5
LOG_BOUND_SCALE = float(np.log(30.0))
BOUNDS_SIGNAL, BOUNDS_NOISE = (0.05, 20.0), (1e-4, 2.0)
STARTS = (0.0, 1.0)


def squared_distances(a: Array, b: Array) -> Array:
    """Squared Euclidean distances between the rows of `a` (m, d) and `b` (n, d), shape (m, n)."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.maximum(squares, 0.0)


@dataclass(frozen=True)
class KernelParameters:
    """Length scales of the blocks, signal variance and noise variance (of standardised scores)."""

    length_scales: tuple[float, ...]
    signal: float
    noise: float

    @classmethod
    def from_theta(cls, theta: Array) -> KernelParameters:
        """From logarithms: the length scales, then signal and noise."""
        values = np.exp(theta)
        return cls(tuple(float(v) for v in values[:-2]), float(values[-2]), float(values[-1]))


def product_kernel(distances: Sequence[Array], parameters: KernelParameters) -> Array:
    """Noiseless covariances from the squared distances of every block."""
    exponent = np.zeros_like(distances[0])
    for block, scale in zip(distances, parameters.length_scales, strict=True):
        exponent += block / scale**2
    return parameters.signal * np.exp(-0.5 * exponent)


def stable_cholesky(matrix: Array) -> Array:
    """Lower Cholesky factor, adding the smallest jitter that makes the matrix positive definite.

    Raises
    ------
    SearchError
        If a jitter of a hundredth of the largest variance does not help: the matrix is no covariance.
    """
    scale = float(np.diagonal(matrix).max())
    for jitter in (0.0, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
        try:
            factor, _ = cho_factor(matrix + jitter * scale * np.eye(len(matrix)), lower=True)
        except (LinAlgError, ValueError):
            continue
        return np.tril(factor)
    raise SearchError(
        "the covariance of the scores is not positive definite, or not finite, even with jitter."
    )


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """Scores as a Gaussian process, conditioned on observations. Make one with `fit`; it never changes.

    Attributes
    ----------
    inputs : tuple of ndarray of shape (n, d_b)
    targets : ndarray of shape (n,)
        Standardised scores.
    noise : ndarray of shape (n,)
        Known noise variances of the standardised scores, beside the fitted one.
    centre, scale : float
        What the scores were standardised by.
    parameters : KernelParameters
    """

    inputs: tuple[Array, ...]
    targets: Array
    noise: Array
    centre: float
    scale: float
    parameters: KernelParameters
    cholesky: Array
    alpha: Array

    @classmethod
    def fit(
        cls,
        inputs: Sequence[ArrayLike],
        y: ArrayLike,
        noise: ArrayLike | None = None,
        max_iterations: int = 25,
        parameters: KernelParameters | None = None,
    ) -> GaussianProcess:
        """Fit to scores; below 4 of them the kernel parameters stay at the prior's mode.

        Parameters
        ----------
        inputs : sequence of array-like of shape (n, d_b)
            One array per block.
        y : array-like of shape (n,)
        noise : array-like of shape (n,), optional
            Known noise variance of each score, in squared units of `y`.
        max_iterations : int
            Cap of the optimiser, for each of its starts.
        parameters : KernelParameters, optional
            To be taken as they are.

        Raises
        ------
        ParameterError
            If shapes do not fit, nothing was observed, or a number is not finite.
        """
        blocks, scores, variances = _checked(inputs, y, noise)
        centre = float(scores.mean())
        spread = float(scores.std())
        # Equal scores carry no scale of their own.
        scale = spread if spread > 1e-12 * max(1.0, abs(centre)) else 1.0
        targets, variances = (scores - centre) / scale, variances / scale**2
        if parameters is None:
            distances = [squared_distances(block, block) for block in blocks]
            theta = prior = _prior_mode(distances)
            if len(scores) >= FEWEST_TO_FIT and scale == spread:
                # Threads only get in each other's way on matrices this small: one is 10 to 100 times faster
                # than two.
                with threadpool_limits(1, user_api="blas"):
                    theta = _fit_theta(distances, targets, variances, prior, max_iterations)
            parameters = KernelParameters.from_theta(theta)
        return cls._condition(blocks, targets, variances, centre, scale, parameters)

    @classmethod
    def _condition(
        cls,
        inputs: tuple[Array, ...],
        targets: Array,
        noise: Array,
        centre: float,
        scale: float,
        parameters: KernelParameters,
    ) -> GaussianProcess:
        distances = [squared_distances(block, block) for block in inputs]
        covariance = product_kernel(distances, parameters) + np.diag(parameters.noise + noise)
        cholesky = stable_cholesky(covariance)
        alpha = cho_solve((cholesky, True), targets)
        return cls(inputs, targets, noise, centre, scale, parameters, cholesky, alpha)

    def predict(self, inputs: Sequence[ArrayLike]) -> tuple[Array, Array]:
        """Mean and standard deviation of the noiseless score at new points, in units of the scores.

        Parameters
        ----------
        inputs : sequence of array-like of shape (m, d_b)

        Returns
        -------
        mean, std : ndarray of shape (m,)
        """
        mean, explained = self._explained(inputs)
        variance = np.maximum(self.parameters.signal - (explained**2).sum(0), 1e-12)
        return mean, self.scale * np.sqrt(variance)

    def joint(self, inputs: Sequence[ArrayLike]) -> tuple[Array, Array]:
        """Mean and covariance of the noiseless scores at new points, in units of the scores and their squares.

        Parameters
        ----------
        inputs : sequence of array-like of shape (m, d_b)

        Returns
        -------
        mean : ndarray of shape (m,)
        covariance : ndarray of shape (m, m)
        """
        mean, explained = self._explained(inputs)
        blocks = [np.asarray(block, dtype=np.float64) for block in inputs]
        prior = product_kernel([squared_distances(block, block) for block in blocks], self.parameters)
        return mean, self.scale**2 * (prior - explained.T @ explained)

    @property
    def noise_variance(self) -> float:
        """Fitted noise of a score, in squared units of the scores."""
        return self.scale**2 * self.parameters.noise

    def _explained(self, inputs: Sequence[ArrayLike]) -> tuple[Array, Array]:
        """Mean (m,), and L^-1 times the covariances with the observations (n, m)."""
        blocks = [np.asarray(block, dtype=np.float64) for block in inputs]
        cross = [squared_distances(new, old) for new, old in zip(blocks, self.inputs, strict=True)]
        covariance = product_kernel(cross, self.parameters)
        explained = solve_triangular(self.cholesky, covariance.T, lower=True)
        return self.centre + self.scale * (covariance @ self.alpha), explained


def _checked(
    inputs: Sequence[ArrayLike], y: ArrayLike, noise: ArrayLike | None
) -> tuple[tuple[Array, ...], Array, Array]:
    scores = np.asarray(y, dtype=np.float64)
    blocks = tuple(np.asarray(block, dtype=np.float64) for block in inputs)
    variances = np.zeros(scores.shape) if noise is None else np.asarray(noise, dtype=np.float64)
    shapes = [block.shape for block in blocks]
    if (
        scores.ndim != 1
        or not len(scores)
        or not blocks
        or any(s[:1] != scores.shape or len(s) != 2 for s in shapes)
    ):
        raise ParameterError(
            f"expected at least one score and blocks of coordinates (n, d) with a row for each of the "
            f"{scores.size} scores: got {shapes}."
        )
    if variances.shape != scores.shape or (variances < 0).any():
        raise ParameterError(
            f"noise must hold {len(scores)} variances, none negative: got {variances.shape}."
        )
    if not all(np.isfinite(array).all() for array in (scores, variances, *blocks)):
        raise ParameterError("scores, noise and coordinates must be finite: leave failed trials out.")
    return blocks, scores, variances


def _prior_mode(distances: Sequence[Array]) -> Array:
    """Length scales at the median distance between points that differ; unit signal, little noise."""
    logs = []
    for block in distances:
        apart = block[block > 1e-12]
        logs.append(0.5 * np.log(np.median(apart)) if len(apart) else 0.0)
    return np.array([*logs, np.log(PRIOR_SIGNAL), np.log(PRIOR_NOISE)])


def _fit_theta(
    distances: Sequence[Array], y: Array, noise: Array, prior: Array, max_iterations: int
) -> Array:
    bounds = [(centre - LOG_BOUND_SCALE, centre + LOG_BOUND_SCALE) for centre in prior[:-2]]
    bounds += [tuple(np.log(BOUNDS_SIGNAL)), tuple(np.log(BOUNDS_NOISE))]
    best, lowest = prior, np.inf
    for shift in STARTS:
        start = prior.copy()
        start[:-2] += shift
        found = minimize(
            negative_log_posterior,
            start,
            args=(distances, y, noise, prior),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iterations, "maxfun": 2 * max_iterations},
        )
        if np.isfinite(found.fun) and found.fun < lowest:
            best, lowest = found.x, found.fun
    return best


def negative_log_posterior(
    theta: Array, distances: Sequence[Array], y: Array, noise: Array, prior: Array
) -> tuple[float, Array]:
    """Minus the log marginal likelihood (equation 2.30) and the log prior of theta, and its gradient (5.9).

    Parameters
    ----------
    theta, prior : ndarray of shape (B + 2,)
        Logarithms of the kernel parameters, and the prior's mode.
    distances : sequence of ndarray of shape (n, n)
    y, noise : ndarray of shape (n,)
    """
    parameters = KernelParameters.from_theta(theta)
    kernel = product_kernel(distances, parameters)
    cholesky = stable_cholesky(kernel + np.diag(parameters.noise + noise))
    alpha = cho_solve((cholesky, True), y)
    value = 0.5 * y @ alpha + np.log(np.diagonal(cholesky)).sum() + 0.5 * len(y) * np.log(2 * np.pi)
    inner = cho_solve((cholesky, True), np.eye(len(y))) - np.outer(alpha, alpha)
    weighted = inner * kernel
    gradient = [
        0.5 * (weighted * block).sum() / scale**2
        for block, scale in zip(distances, parameters.length_scales, strict=True)
    ]
    gradient += [0.5 * weighted.sum(), 0.5 * parameters.noise * np.trace(inner)]
    spread = np.full(len(theta), PRIOR_SPREAD_SCALE)
    spread[-2:] = PRIOR_SPREAD_VARIANCE
    away = (theta - prior) / spread
    return float(value + 0.5 * away @ away), np.array(gradient) + away / spread
