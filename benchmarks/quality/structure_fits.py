"""The arms of the structure benchmark: what is fitted, and what is written down of a fit."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from benchmarks.quality.search_share import counted_compilations, facts_of, warm_up
from benchmarks.quality.structure_peers import PEERS, answer_of_peer
from benchmarks.quality.structure_sets import StructureSet, read_structure_set
from genokeras import GenomeClassifier, GenomeRegressor
from genokeras.engine import Run, load_trial_graph
from genokeras.tasks.objectives import get_objective

MORPHISM, TEMPLATES, RANDOM = "morphism", "templates", "random"
# Keyword arguments of GenomeClassifier and GenomeRegressor.
ARMS: dict[str, Mapping[str, Any]] = {
    MORPHISM: {},
    TEMPLATES: {"searcher": "bayesian", "searcher_args": {"fresh": 1.0}},
    RANDOM: {"searcher": "random"},
}
ALL_ARMS = (*ARMS, *PEERS)


def one_line(folder: Path | None, name: str, seed: int, arm: str, seconds: float | None) -> dict[str, Any]:
    """Fit one arm to the training rows of a set, and what it is worth on the held-out rows.

    Parameters
    ----------
    folder : Path or None
        Where the files of real sets are.
    name : str
        Of the set.
    seed : int
        Of the outer split, and of the search.
    arm : str
        One of `ALL_ARMS`.
    seconds : float or None
        Time limit of a search; peers have none.
    """
    data = _numbered(read_structure_set(folder, name, seed))
    size = {"rows": len(data.train), "columns": data.x.shape[1]}
    given = {**size, "oracle": oracle(data), "chance": loss(data, _constant(data))}
    if arm in PEERS:
        started = time.perf_counter()
        answer = answer_of_peer(arm, data)
        found = {**scores(data, answer.predicted), "chosen": answer.chosen}
        return {**given, **found, "fit_seconds": time.perf_counter() - started}
    assert seconds is not None
    return {**given, **searched(data, ARMS[arm], seconds, seed)}


def searched(data: StructureSet, arguments: Mapping[str, Any], seconds: float, seed: int) -> dict[str, Any]:
    """A fit of GenoKeras: scores of its ensemble and of its best model alone, and facts of its search."""
    make = GenomeRegressor if data.is_numbers else GenomeClassifier
    x, y = data.x[data.train], data.y[data.train]
    warm_up()
    with tempfile.TemporaryDirectory(prefix="quality-") as folder, counted_compilations() as compiled:
        started = time.perf_counter()
        model = make(f"{folder}/run", time_limit=seconds, random_state=seed, verbose=0, **arguments)
        model.fit(x, y, groups=data.train_groups)
        fit_seconds = time.perf_counter() - started
        facts = facts_of(Path(folder) / "run", fit_seconds, compiled())
        ask = model.predict if data.is_numbers else model.predict_proba
        single = best_alone(model._run, data.x[data.test])
        return {
            **scores(data, np.asarray(ask(data.x[data.test]))),
            "single": loss(data, single),
            "fit_seconds": fit_seconds,
            "stop": model.stop_reason_,
            **facts,
        }


def best_alone(run: Run, x: np.ndarray) -> np.ndarray:
    """What the single best network, as the search ranks them, with its replicates answers for rows ``(n, p)``, calibrated."""
    model = load_trial_graph(run.folder, run.best.id, replicates=True).produce_keras_model(weights=True)
    return np.asarray(model.predict(x, verbose=0, batch_size=256))


def scores(data: StructureSet, predicted: np.ndarray) -> dict[str, Any]:
    """The loss of the test rows, and balanced accuracy or R2."""
    if data.is_numbers:
        found = {"balanced_accuracy": None, "r2": float(r2_score(data.y[data.test], predicted.reshape(-1)))}
    else:
        truth, p = data.y[data.test], predicted
        found = {"balanced_accuracy": get_objective("balanced_accuracy").value(p, truth), "r2": None}
    return {"loss": loss(data, predicted), **found}


def loss(data: StructureSet, predicted: np.ndarray) -> float:
    """Log loss of the test rows; of numbers 1 - R2, which is the squared error over the variance."""
    truth = data.y[data.test]
    if data.is_numbers:
        return 1 - float(r2_score(truth, predicted.reshape(-1)))
    return float(get_objective("log_loss").value(np.asarray(predicted, dtype="float64"), truth))


def oracle(data: StructureSet) -> float | None:
    """The loss of the true probabilities, where they are known."""
    return None if data.truth is None else loss(data, data.truth[data.test])


def _constant(data: StructureSet) -> np.ndarray:
    """What constant class frequencies, or the mean of the training rows, answer."""
    y = data.y[data.train]
    if data.is_numbers:
        return np.full(len(data.test), y.mean())
    return np.tile(np.bincount(y) / len(y), (len(data.test), 1))


def _numbered(data: StructureSet) -> StructureSet:
    """Classes that the training rows lack leave the test rows: no arm could know them."""
    if data.is_numbers:
        return data
    present = np.unique(data.y[data.train])
    known = np.isin(data.y, present)
    codes = np.searchsorted(present, np.where(known, data.y, present[0]))
    return dataclasses.replace(data, y=codes, test=data.test[known[data.test]])
