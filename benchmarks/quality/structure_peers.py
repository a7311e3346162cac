"""Peers of the structure benchmark: a linear model, a random forest and gradient boosting, each tuned by inner cross-validation.

Everything is chosen on the rows that may be trained on; there is no time limit. The linear model of classes is that of ``tools``,
offered the data as they are and behind the search's own logarithm; that of numbers is the best of ridge, elastic net and PLS of
``regression_peers``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import f_classif
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from benchmarks.quality.regression_peers import FAMILIES, Family, Parts, grid, tune
from benchmarks.quality.regression_sets import RegressionSet
from benchmarks.quality.structure_sets import StructureSet
from benchmarks.quality.tools import logistic
from genokeras.features.logarithm import log_factors, log_normalised

SEED = 0
INNER_FOLDS = 3
# Trees of classes are given this many columns at most, those that differ most between the classes of the rows they are fitted to.
MOST_COLUMNS = 5000

Settings = dict[str, Any]
# Probabilities (n_settings, n_held, k) of models fitted with each of the settings: (x, codes, x_held, settings).
Predict = Callable[[np.ndarray, np.ndarray, np.ndarray, list[Settings]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a peer predicts for the test rows, ``(n, k)`` probabilities or ``(n,)`` numbers, and what it chose."""

    predicted: np.ndarray
    chosen: Settings


def forest(x: np.ndarray, codes: np.ndarray, x_held: np.ndarray, settings: list[Settings]) -> np.ndarray:
    """Random forests: share of the columns tried at a split, rows of the smallest leaf."""
    columns = strongest(x, codes)
    models = (
        RandomForestClassifier(
            each["trees"],
            max_features=each["columns"],
            min_samples_leaf=each["leaf"],
            n_jobs=-1,
            random_state=SEED,
        )
        for each in settings
    )
    return np.array([model.fit(x[:, columns], codes).predict_proba(x_held[:, columns]) for model in models])


def boosting(x: np.ndarray, codes: np.ndarray, x_held: np.ndarray, settings: list[Settings]) -> np.ndarray:
    """Gradient boosting: leaves of a tree, and rounds, of which all numbers come from one fit."""
    columns = strongest(x, codes)
    predicted = np.empty((len(settings), len(x_held), int(codes.max()) + 1))
    for places, common in by_leaves(settings):
        model = fitted_alone(HistGradientBoostingClassifier(**common), x[:, columns], codes)
        stages = list(model.staged_predict_proba(x_held[:, columns]))
        for i in places:
            predicted[i] = stages[min(settings[i]["rounds"], len(stages)) - 1]
    return predicted


def boosted_numbers(parts: Parts, settings: list[Settings]) -> np.ndarray:
    """As `boosting`, for numbers."""
    predicted = np.empty((len(settings), len(parts.x_held)))
    for places, common in by_leaves(settings):
        model = fitted_alone(HistGradientBoostingRegressor(**common), parts.x, parts.y)
        stages = list(model.staged_predict(parts.x_held))
        for i in places:
            predicted[i] = stages[min(settings[i]["rounds"], len(stages)) - 1]
    return predicted


def fitted_alone(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Fit on one thread: with this few rows several wait for each other most of the time, and for all else on a busy machine."""
    with threadpool_limits(1, user_api="openmp"):
        return model.fit(x, y)


def by_leaves(settings: list[Settings]) -> list[tuple[list[int], dict[str, Any]]]:
    """Positions of the settings that one fit answers, with the arguments of that fit."""
    found = []
    for leaves in dict.fromkeys(each["leaves"] for each in settings):
        places = [i for i, each in enumerate(settings) if each["leaves"] == leaves]
        common = {
            "max_leaf_nodes": leaves,
            "max_iter": max(settings[i]["rounds"] for i in places),
            "max_features": 0.1,
            "max_bins": 63,
            "early_stopping": False,
            "random_state": SEED,
        }
        found.append((places, common))
    return found


def strongest(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The columns that trees are given, in order."""
    if x.shape[1] <= MOST_COLUMNS:
        return np.arange(x.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        differ = np.nan_to_num(f_classif(x, codes)[0], nan=-1.0)
    return np.sort(np.argsort(-differ)[:MOST_COLUMNS])


BOOSTING = grid(leaves=[4, 16], rounds=[25, 50, 100])
CLASS_FAMILIES: dict[str, tuple[Predict, list[Settings]]] = {
    "forest": (forest, grid(columns=["sqrt", 0.1], leaf=[1, 5], trees=[300])),
    "boosting": (boosting, BOOSTING),
}
NUMBER_FAMILIES: dict[str, dict[str, Family]] = {
    "linear": {name: FAMILIES[name] for name in ("ridge", "elastic net", "pls")},
    "forest": {"forest": FAMILIES["forest"]},
    "boosting": {"boosting": Family(boosted_numbers, BOOSTING)},
}
PEERS = tuple(NUMBER_FAMILIES)


def answer_of_peer(peer: str, data: StructureSet) -> Answer:
    """Tune a peer on the training rows and predict the test rows.

    Parameters
    ----------
    peer : {"linear", "forest", "boosting"}
    data : StructureSet
        Of classes, all of them among the training rows, or of numbers.
    """
    if data.is_numbers:
        numbers = RegressionSet(data.name, data.x, data.y, data.groups)
        tuned = tune(numbers, data.train, data.test, NUMBER_FAMILIES[peer])
        name = max(tuned, key=lambda each: tuned[each].inner_r2)
        return Answer(tuned[name].predicted, {"family": name, **tuned[name].settings})
    x, codes, x_held = data.x[data.train], data.y[data.train], data.x[data.test]
    if peer == "linear":
        return tuned_linear(x, codes, x_held)
    return tuned_classes(*CLASS_FAMILIES[peer], x, codes, x_held)


def tuned_linear(x: np.ndarray, codes: np.ndarray, x_held: np.ndarray) -> Answer:
    """Logistic regression on the values or on their logarithms, whichever has the better log loss in inner folds."""
    factors = log_factors(x)
    views = {"all": (x, x_held), "log": (log_normalised(x, factors), log_normalised(x_held, factors))}
    best, answer = -np.inf, Answer(np.empty(0), {})
    for view, (rows, held) in views.items():
        model = logistic(int(np.bincount(codes).min())).fit(rows, codes)
        score = float(model[-1].scores_.mean(axis=0).max())
        if score > best:
            best, answer = score, Answer(model.predict_proba(held), {"view": view, "C": float(model[-1].C_)})
    return answer


def tuned_classes(
    predict: Predict, settings: list[Settings], x: np.ndarray, codes: np.ndarray, x_held: np.ndarray
) -> Answer:
    """The settings with the lowest log loss in inner folds, refitted to all rows.

    Parameters
    ----------
    predict : Predict
    settings : list of dict
    x, codes : numpy.ndarray
        ``(n, p)`` and ``(n,)`` to train on; the classes are numbered from 0.
    x_held : numpy.ndarray
        ``(n_held, p)``.
    """
    k = int(codes.max()) + 1
    out_of_fold = np.zeros((len(settings), len(codes), k))
    folds = max(2, min(INNER_FOLDS, int(np.bincount(codes).min())))
    for fit, held in StratifiedKFold(folds, shuffle=True, random_state=SEED).split(x, codes):
        out_of_fold[:, held] = predict(x[fit], codes[fit], x[held], settings)
    losses = [log_loss(codes, p, labels=np.arange(k)) for p in _summing_to_one(out_of_fold)]
    best = settings[int(np.argmin(losses))]
    return Answer(predict(x, codes, x_held, [best])[0], best)


def _summing_to_one(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, 1e-7, 1)
    return np.asarray(clipped / clipped.sum(axis=-1, keepdims=True))
