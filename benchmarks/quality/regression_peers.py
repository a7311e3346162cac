"""The peer of regressors: ridge, elastic net, PLS, support vectors and a random forest, the best by inner cross-validation.

Everything is fitted on the rows that may be trained on: the columns' means and spreads, the target's mean and spread, the settings
of each family, and the choice of the family (R2 of the pooled out-of-fold predictions of five inner folds, groups kept together).
Raw intensities are offered behind ``arcsinh``, too. Ridge, PLS and support vectors depend on the products of the samples alone, so
they are given the samples' coordinates in their own row space, which gives the same predictions sooner where p >> n.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge, enet_path
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from benchmarks.quality.regression_sets import RegressionSet, folds_of

SEED = 0
INNER_SEED = 1
# From this many rows on there are three inner folds in place of five.
MANY_ROWS = 1000
# Directions with less of the largest variance than this are rounding.
SMALLEST_SHARE = 1e-6
# Above this size values cannot be logarithms.
RAW_FROM = 100.0
# Elastic net and forest are given this many columns at most, those most correlated with the target on the rows they are fitted to.
MOST_COLUMNS = 5000

Settings = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows to fit on and rows to predict, standardised: ``x`` ``(n, p)`` in columns, ``z`` ``(n, r)`` in row space."""

    x: np.ndarray
    x_held: np.ndarray
    z: np.ndarray
    z_held: np.ndarray
    y: np.ndarray
    n_columns: int


# Predictions (n_settings, n_held) of models fitted with each of the settings.
Predict = Callable[[Parts, list[Settings]], np.ndarray]


@dataclass(frozen=True)
class Family:
    """A kind of model and the settings it is tried with."""

    predict: Predict
    settings: list[Settings]


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best of a family: its settings, their R2 in inner cross-validation, its predictions of the test rows."""

    settings: Settings
    inner_r2: float
    predicted: np.ndarray


def grid(**values: Any) -> list[Settings]:
    """All combinations, as scikit-learn's ``ParameterGrid`` but in the order given."""
    return [
        dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())
    ]


def ridge(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """``alpha`` is per column, so that it means the same for any number of them."""
    models = (Ridge(alpha=each["alpha"] * parts.n_columns).fit(parts.z, parts.y) for each in settings)
    return np.array([model.predict(parts.z_held) for model in models])


def elastic_net(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """``l1`` is the correlation below which a column stays out, ``ratio`` the share of the absolute penalty."""
    predicted = np.empty((len(settings), len(parts.x_held)))
    for ratio in dict.fromkeys(each["ratio"] for each in settings):
        places = [i for i, each in enumerate(settings) if each["ratio"] == ratio]
        places.sort(key=lambda i: -settings[i]["l1"])
        alphas = np.array([settings[i]["l1"] / ratio for i in places])
        _, weights, _ = enet_path(parts.x, parts.y, l1_ratio=ratio, alphas=alphas, tol=1e-3, max_iter=2000)
        predicted[places] = (parts.x_held @ weights).T
    return predicted


def partial_least_squares(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """As many ``components`` as asked for, or as there are."""
    most = min(parts.z.shape[1], len(parts.z) - 1)
    models = (
        PLSRegression(min(each["components"], most), scale=False).fit(parts.z, parts.y) for each in settings
    )
    return np.array([model.predict(parts.z_held).reshape(-1) for model in models])


def support_vectors(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """Products of the samples, or ``exp(-gamma d^2)``, both per column; ``gamma`` 0 is the linear kernel."""
    kernels = {
        gamma: (_kernel(parts.z, parts.z, gamma, parts), _kernel(parts.z_held, parts.z, gamma, parts))
        for gamma in dict.fromkeys(each["gamma"] for each in settings)
    }
    predicted = []
    for each in settings:
        inner, outer = kernels[each["gamma"]]
        model = SVR(kernel="precomputed", C=each["C"], epsilon=each["epsilon"], max_iter=100_000)
        predicted.append(model.fit(inner, parts.y).predict(outer))
    return np.array(predicted)


def _kernel(a: np.ndarray, b: np.ndarray, gamma: float, parts: Parts) -> np.ndarray:
    if gamma == 0:
        return a @ b.T / parts.n_columns
    return np.exp(-gamma / parts.n_columns * euclidean_distances(a, b, squared=True))


def forest(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """A random forest: columns tried at a split, rows of the smallest leaf, trees."""
    predicted = []
    for each in settings:
        model = RandomForestRegressor(
            each["trees"],
            max_features=min(each["columns"], parts.x.shape[1]),
            min_samples_leaf=each["leaf"],
            n_jobs=-1,
            random_state=SEED,
        )
        predicted.append(model.fit(parts.x, parts.y).predict(parts.x_held))
    return np.array(predicted)


def tenths(low: float, high: float, step: float) -> list[float]:
    """10 to the power of ``low`` to ``high``, to four digits."""
    return [float(f"{10.0**power:.4g}") for power in np.arange(low, high + step / 2, step)]


FAMILIES = {
    "ridge": Family(ridge, grid(alpha=tenths(-4, 2, 1 / 3))),
    "elastic net": Family(elastic_net, grid(ratio=[0.03, 0.1, 0.5, 0.9], l1=tenths(-3, 0, 0.2))),
    "pls": Family(partial_least_squares, grid(components=[1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20])),
    "svr": Family(
        support_vectors,
        [
            *grid(gamma=[0], C=tenths(-2, 3, 1), epsilon=[0.03, 0.1, 0.3]),
            *grid(gamma=[0.03, 0.1, 0.3, 1.0], C=tenths(-1, 3, 1), epsilon=[0.03, 0.1, 0.3]),
        ],
    ),
    "forest": Family(forest, grid(columns=[30, 300], leaf=[1, 5], trees=[200])),
}


def tune(
    data: RegressionSet, train: np.ndarray, test: np.ndarray, families: dict[str, Family]
) -> dict[str, Tuned]:
    """Each family with its best settings, refitted to all of ``train``.

    Parameters
    ----------
    data : RegressionSet
        The set.
    train, test : numpy.ndarray
        Positions of the rows that may be trained on, and of those predicted; the targets of ``test`` are not looked at.
    families : dict of str to Family
        What is tried.
    """
    known = data.take(train)
    logs = [False, True] if np.abs(known.x).max() > RAW_FROM else [False]
    tried = {
        name: [{"log": log, **each} for log in logs for each in family.settings]
        for name, family in families.items()
    }
    held_out = {name: np.empty((len(settings), len(train))) for name, settings in tried.items()}
    for fit, held in folds_of(known, 5 if len(train) < MANY_ROWS else 3, seed=INNER_SEED):
        for name, found in _predictions(known.take(fit), known.x[held], families, tried).items():
            held_out[name][:, held] = found
    scores = {name: [r2_score(known.y, found) for found in rows] for name, rows in held_out.items()}
    best = {name: [tried[name][int(np.argmax(found))]] for name, found in scores.items()}
    refitted = _predictions(known, data.x[test], families, best)
    return {
        name: Tuned(best[name][0], float(max(scores[name])), refitted[name][0].astype(float))
        for name in families
    }


def _predictions(
    known: RegressionSet, x_held: np.ndarray, families: dict[str, Family], tried: dict[str, list[Settings]]
) -> dict[str, np.ndarray]:
    """Predictions ``(n_settings, n_held)`` of each family, in the target's units."""
    centre, spread = known.y.mean(), known.y.std()
    predicted = {name: np.empty((len(settings), len(x_held))) for name, settings in tried.items()}
    for log in sorted({each["log"] for settings in tried.values() for each in settings}):
        parts = _parts(known.x, (known.y - centre) / spread, x_held, log)
        for name, settings in tried.items():
            places = [i for i, each in enumerate(settings) if each["log"] == log]
            if places:
                own = [{key: value for key, value in settings[i].items() if key != "log"} for i in places]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    predicted[name][places] = families[name].predict(parts, own)
    return {name: centre + spread * found for name, found in predicted.items()}


def _parts(x: np.ndarray, y: np.ndarray, x_held: np.ndarray, log: bool) -> Parts:
    if log:
        scale = 0.1 * np.median(np.abs(x[x != 0]))
        x, x_held = np.arcsinh(x / scale), np.arcsinh(x_held / scale)
    scaler = StandardScaler().fit(x)
    x, x_held = scaler.transform(x), scaler.transform(x_held)
    z, z_held = _row_space(x, x_held)
    strongest = np.sort(np.argsort(-np.abs(y @ x))[:MOST_COLUMNS])
    return Parts(x[:, strongest], x_held[:, strongest], z, z_held, y, x.shape[1])


def _row_space(x: np.ndarray, x_held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of all rows along the directions that ``x`` spans; ``x`` itself where it is not wide."""
    if x.shape[1] <= x.shape[0]:
        return x, x_held
    values, vectors = np.linalg.eigh((x @ x.T).astype("float64"))
    kept = values > SMALLEST_SHARE * values[-1]
    roots = np.sqrt(values[kept])
    return vectors[:, kept] * roots, (x_held @ x.T) @ vectors[:, kept] / roots
