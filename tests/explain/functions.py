"""Functions in closed form as models, and explanations made of given numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genokeras.explain import Additivity, Explanation

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class FunctionFrame:
    """A `Frame` of a function whose gradient is known; its coordinates are the features.

    Attributes
    ----------
    function : callable
        ``(n, p)`` -> ``(n, k)``.
    gradient : callable
        ``(n, p)`` -> ``(k, n, p)``.
    n_coordinates, n_outputs : int
        ``p`` and ``k``.
    """

    function: Function
    gradient: Function
    n_coordinates: int
    n_outputs: int = 1
    own_units: bool = True

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        return x.astype("float64")

    def outputs(self, q: np.ndarray) -> np.ndarray:
        return self.function(q)

    def lines(self, start: np.ndarray, end: np.ndarray) -> FunctionLines:
        first = np.tile(start, (len(end), 1))
        return FunctionLines(self, first, np.repeat(end, len(start), axis=0) - first)

    def multiply_out(self, x: np.ndarray, background: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        return np.einsum("nkmp,nmp->npk", gradients, x[:, None] - background)


@dataclass(frozen=True)
class FunctionLines:
    """Straight lines between features."""

    frame: FunctionFrame
    start: np.ndarray
    ahead: np.ndarray

    def outputs(self, alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        return self.frame.function(self._points(alphas)).reshape(*alphas.shape, -1)

    def gradients(self, alphas: np.ndarray) -> np.ndarray:
        found = self.frame.gradient(self._points(alphas)).astype("float32")
        return found.reshape(len(found), *alphas.shape, -1)

    def _points(self, alphas: np.ndarray) -> np.ndarray:
        points = self.start[:, None] + alphas[:, :, None] * self.ahead[:, None]
        return points.reshape(-1, self.start.shape[1])


def made_explanation(
    values: np.ndarray,
    data: np.ndarray | None = None,
    output: str = "probability",
    output_names: tuple[str, ...] | None = None,
    outputs: np.ndarray | None = None,
) -> Explanation:
    """An explanation of given values ``(n, p, k)``; the base is 0, and genes are called g0, g1 and so on."""
    values = np.asarray(values, dtype="float32")
    n, p, k = values.shape
    return Explanation(
        values,
        np.zeros((n, k)),
        np.arange(float(n * p)).reshape(n, p) if data is None else np.asarray(data),
        tuple(f"g{i}" for i in range(p)),
        output_names or tuple(f"class_{i}" for i in range(k)),
        tuple(f"s{i}" for i in range(n)),
        values.sum(axis=1) if outputs is None else np.asarray(outputs),
        Additivity(0.0, 0.0, 1.0),
        "expected_gradients",
        output,
    )
