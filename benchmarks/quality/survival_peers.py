"""The peer of survival: ridge-Cox, elastic-net Cox, a random survival forest and gradient boosting of scikit-survival, the best inside.

Everything is fitted on the rows that may be trained on: the columns' means and spreads, which columns elastic net and boosting see, the
settings of each family, and the choice of the family (mean C-index of five inner folds, stratified by event). Raw intensities are
offered behind ``arcsinh``, too. Ridge-Cox depends on the products of the samples alone, so it is given their coordinates in row space.
scikit-survival is GPL: it judges here, and GenoKeras does not import it.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

SEED, INNER_SEED, INNER_FOLDS = 0, 1, 5
RAW_FROM = 100.0
# Elastic net and boosting see this many columns at most, those most correlated with the martingale residuals of the rows they are fitted to.
MOST_COLUMNS = 2000
SMALLEST_SHARE = 1e-6

Settings = dict[str, Any]
Fit = Callable[[Settings, np.ndarray, np.ndarray], Any]


@dataclass(frozen=True)
class Family:
    """A kind of model: what it is fitted with, the settings it is tried with, and whether it reads row space."""

    fit: Fit
    settings: list[Settings]
    in_row_space: bool = False


def as_survival(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """scikit-survival's structured array."""
    found = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    found["event"], found["time"] = event > 0, time
    return found


def grid(**values: Any) -> list[Settings]:
    """All combinations."""
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


def _ridge(settings: Settings, x: np.ndarray, y: np.ndarray) -> Any:
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    return CoxPHSurvivalAnalysis(alpha=settings["alpha"] * x.shape[0], ties="efron").fit(x, y)


def _elastic_net(settings: Settings, x: np.ndarray, y: np.ndarray) -> Any:
    from sksurv.linear_model import CoxnetSurvivalAnalysis

    return CoxnetSurvivalAnalysis(
        l1_ratio=settings["ratio"], alphas=[settings["alpha"]], fit_baseline_model=True, max_iter=20_000
    ).fit(x, y)


def _forest(settings: Settings, x: np.ndarray, y: np.ndarray) -> Any:
    from sksurv.ensemble import RandomSurvivalForest

    return RandomSurvivalForest(
        settings["trees"],
        min_samples_leaf=settings["leaf"],
        max_features="sqrt",
        n_jobs=-1,
        random_state=SEED,
    ).fit(x, y)


def _boosting(settings: Settings, x: np.ndarray, y: np.ndarray) -> Any:
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    return GradientBoostingSurvivalAnalysis(
        n_estimators=settings["trees"],
        learning_rate=0.05,
        max_depth=settings["depth"],
        subsample=0.5,
        max_features="sqrt",
        random_state=SEED,
    ).fit(x, y)


FAMILIES = {
    "ridge": Family(_ridge, grid(alpha=[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]), True),
    "elastic net": Family(_elastic_net, grid(ratio=[0.1, 0.5, 0.9], alpha=[0.02, 0.05, 0.1, 0.2, 0.4])),
    "forest": Family(_forest, grid(trees=[200], leaf=[3, 10])),
    "boosting": Family(_boosting, grid(trees=[50, 150], depth=[1, 3])),
}


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows to fit on and rows to predict, standardised: in columns, a choice of them, and in row space scaled to a mean square of 1."""

    columns: tuple[np.ndarray, np.ndarray]
    rows: tuple[np.ndarray, np.ndarray]


def parts_of(x: np.ndarray, x_held: np.ndarray, y: np.ndarray, log: bool) -> Parts:
    """What families read."""
    if log:
        scale = 0.1 * np.median(np.abs(x[x != 0]))
        x, x_held = np.arcsinh(x / scale), np.arcsinh(x_held / scale)
    varied = x.std(axis=0) > 0
    scaler = StandardScaler().fit(x[:, varied].astype("float64"))
    x, x_held = (scaler.transform(each[:, varied]) for each in (x, x_held))
    residual = y["event"] - _cumulative_hazard(y)
    strongest = np.sort(np.argsort(-np.abs((residual - residual.mean()) @ x))[:MOST_COLUMNS])
    values, vectors = np.linalg.eigh(x @ x.T)
    kept = values > SMALLEST_SHARE * values[-1]
    roots = np.sqrt(values[kept])
    z, z_held = vectors[:, kept] * roots, (x_held @ x.T) @ vectors[:, kept] / roots
    size = np.sqrt((z**2).mean())
    return Parts((x[:, strongest], x_held[:, strongest]), (z / size, z_held / size))


def _cumulative_hazard(y: np.ndarray) -> np.ndarray:
    from sksurv.nonparametric import nelson_aalen_estimator

    times, hazard = nelson_aalen_estimator(y["event"], y["time"])
    return np.asarray(hazard[np.searchsorted(times, y["time"], side="right") - 1])


def tune(
    x: np.ndarray, y: np.ndarray, x_held: np.ndarray, times: np.ndarray, families: dict[str, Family]
) -> dict[str, dict[str, Any]]:
    """Each family with its best settings, refitted to all rows: ``inner`` C-index, ``risk`` and ``curves`` of the held rows.

    Parameters
    ----------
    x, x_held : numpy.ndarray
        ``(n, p)`` and ``(m, p)``.
    y : numpy.ndarray
        As of `as_survival`.
    times : numpy.ndarray
        Where curves are wanted.
    families : dict of str to Family
    """
    logs = [False, True] if np.abs(x).max() > RAW_FROM else [False]
    tried = {
        name: [(log, each) for log in logs for each in family.settings] for name, family in families.items()
    }
    scores = {name: np.zeros((INNER_FOLDS, len(settings))) for name, settings in tried.items()}
    inner = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=INNER_SEED).split(x, y["event"])
    for number, (fit, held) in enumerate(inner):
        made = {log: parts_of(x[fit], x[held], y[fit], log) for log in logs}
        for name, settings in tried.items():
            for place, (log, each) in enumerate(settings):
                scores[name][number, place] = _inner_score(families[name], each, made[log], y[fit], y[held])
    found = {}
    made = {log: parts_of(x, x_held, y, log) for log in logs}
    for name, settings in tried.items():
        means = scores[name].mean(axis=0)
        log, chosen = settings[int(means.argmax())]
        model, held = _fitted(families[name], chosen, made[log], y)
        curves = np.array(
            [step(np.clip(times, *step.domain)) for step in model.predict_survival_function(held)]
        )
        found[name] = {
            "inner": float(means.max()),
            "settings": {"log": log, **chosen},
            "risk": model.predict(held),
            # Before the first event the hazard is 0, also times a risk that is beyond what numbers hold.
            "curves": np.nan_to_num(curves, nan=1.0),
        }
    return found


def _fitted(family: Family, settings: Settings, parts: Parts, y: np.ndarray) -> tuple[Any, np.ndarray]:
    x, held = parts.rows if family.in_row_space else parts.columns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return family.fit(settings, x, y), held


def _inner_score(
    family: Family, settings: Settings, parts: Parts, y: np.ndarray, y_held: np.ndarray
) -> float:
    """The C-index of the held rows; settings that cannot be fitted are as good as chance."""
    from sksurv.metrics import concordance_index_censored

    try:
        model, held = _fitted(family, settings, parts, y)
        risk = model.predict(held)
        return float(concordance_index_censored(y_held["event"], y_held["time"], risk)[0])
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return 0.5
