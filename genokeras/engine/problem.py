"""The data of a run as trials see it: rows, folds, weights, and every view in row space."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from genokeras.features import FittedView, Matrix, RowSpace, fit_views

_TYPICAL_UNITS = 64
_WIDTH_STEP = 32
_PACK_MULTIPLICATIONS = 250_000_000
_SMALLEST_PACK, _LARGEST_PACK = 4, 24


class ScoredProblem(Protocol):
    """What choosing an ensemble needs to know of a problem, whatever its samples are; attributes as of `Problem`."""

    @property
    def codes(self) -> np.ndarray: ...

    @property
    def held_out(self) -> np.ndarray: ...

    @property
    def sample_weight(self) -> np.ndarray: ...

    @property
    def scored(self) -> np.ndarray: ...


@dataclass(frozen=True)
class ScoredRows:
    """What a run has written down of its rows, whatever its samples are; attributes as of `Problem`."""

    codes: np.ndarray
    held_out: np.ndarray
    sample_weight: np.ndarray

    @property
    def n_folds(self) -> int:
        return len(self.held_out)

    @property
    def scored(self) -> np.ndarray:
        return np.asarray(self.held_out.any(axis=0))


@dataclass(frozen=True)
class Problem:
    """What all trials of a run have in common.

    Attributes
    ----------
    codes : numpy.ndarray
        ``(n_samples,)`` class numbers.
    n_classes : int
    n_features : int
    train, held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    sample_weight : numpy.ndarray
        ``(n_samples,)`` float64.
    views : dict
        By name; padded to widths from a short list, so that networks of different views share their shapes.
    medians : numpy.ndarray or None
        ``(n_features,)`` stand-ins for NaN.
    """

    codes: np.ndarray
    n_classes: int
    n_features: int
    train: np.ndarray
    held_out: np.ndarray
    sample_weight: np.ndarray
    views: dict[str, FittedView]
    medians: np.ndarray | None = None

    @property
    def n_folds(self) -> int:
        return len(self.train)

    @property
    def widths(self) -> dict[str, int]:
        """Width of a network's input, by view."""
        return {name: view.rank for name, view in self.views.items()}

    @property
    def pack_size(self) -> int:
        """Trials that train well in one run: as many as keep its matrix products within a few milliseconds a step."""
        multiplications = len(self.codes) * self.n_folds * max(self.widths.values()) * _TYPICAL_UNITS
        return int(np.clip(_PACK_MULTIPLICATIONS // multiplications, _SMALLEST_PACK, _LARGEST_PACK))

    @property
    def scored(self) -> np.ndarray:
        """``(n_samples,)`` bool: rows that some fold holds out."""
        return np.asarray(self.held_out.any(axis=0))


def make_problem(
    x: Matrix,
    codes: np.ndarray,
    n_classes: int,
    train: np.ndarray,
    held_out: np.ndarray,
    view_names: tuple[str, ...],
    sample_weight: np.ndarray | None = None,
    medians: np.ndarray | None = None,
) -> Problem:
    """Fit the views of a run."""
    fitted = fit_views(view_names, x, codes, train)
    views = {name: _widened(view) for name, view in fitted.items()}
    weight = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight, dtype="float64")
    return Problem(codes, n_classes, x.shape[1], train, held_out, weight, views, medians)


def _widened(view: FittedView) -> FittedView:
    """Zero columns up to the next multiple of 32: what they cost is less than another compilation."""
    return replace(view, z=np.pad(view.z, ((0, 0), (0, 0), (0, -view.rank % _WIDTH_STEP))))


# ---- to and from npz


def problem_to_arrays(problem: Problem) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The rows' part (``data.npz``) and the views' part (``features.npz``); arrays only."""
    data = {
        "codes": problem.codes,
        "train": problem.train,
        "held_out": problem.held_out,
        "sample_weight": problem.sample_weight,
        "n_classes": np.array(problem.n_classes),
        "n_features": np.array(problem.n_features),
    }
    if problem.medians is not None:
        data["medians"] = problem.medians
    features: dict[str, np.ndarray] = {}
    for name, view in problem.views.items():
        features[f"{name}/z"] = view.z
        known: dict[int, int] = {}
        for fold, space in enumerate(view.spaces):
            shared = known.setdefault(id(space.basis), fold) if space.basis is not None else fold
            features |= _space_arrays(f"{name}/{fold}/", space, None if shared == fold else shared)
    return data, features


def _space_arrays(prefix: str, space: RowSpace, shared: int | None) -> dict[str, np.ndarray]:
    arrays = {"scale": np.array(space.scale)}
    if space.rotation is not None:
        arrays["rotation"] = space.rotation
    if shared is not None:
        arrays["shared"] = np.array(shared)
    else:
        arrays |= {"columns": space.columns, "mean": space.mean, "inverse_sd": space.inverse_sd}
        if space.basis is not None:
            arrays["basis"] = space.basis
        if space.log_factors is not None:
            arrays["log_factors"] = space.log_factors
    return {prefix + name: array for name, array in arrays.items()}


def problem_from_arrays(data: dict[str, np.ndarray], features: dict[str, np.ndarray]) -> Problem:
    """The inverse of :func:`problem_to_arrays`."""
    names = [key.removesuffix("/z") for key in features if key.endswith("/z")]
    views = {}
    for name in names:
        spaces: list[RowSpace] = []
        for fold in range(len(data["train"])):
            spaces.append(_read_space(features, f"{name}/{fold}/", spaces))
        views[name] = FittedView(name, tuple(spaces), features[f"{name}/z"])
    return Problem(
        codes=data["codes"],
        n_classes=int(data["n_classes"]),
        n_features=int(data["n_features"]),
        train=data["train"],
        held_out=data["held_out"],
        sample_weight=data["sample_weight"],
        views=views,
        medians=data.get("medians"),
    )


def _read_space(features: dict[str, np.ndarray], prefix: str, earlier: list[RowSpace]) -> RowSpace:
    scale, rotation = float(features[prefix + "scale"]), features.get(prefix + "rotation")
    if prefix + "shared" in features:
        return replace(earlier[int(features[prefix + "shared"])], scale=scale, rotation=rotation)
    columns, mean, inverse_sd = (features[prefix + name] for name in ("columns", "mean", "inverse_sd"))
    basis, log_factors = (features.get(prefix + name) for name in ("basis", "log_factors"))
    return RowSpace(columns, mean, inverse_sd, basis, scale, rotation, log_factors)
