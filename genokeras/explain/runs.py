"""Explain what a run delivers, in row space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from genokeras.data import Dataset, align_features, load_dataset
from genokeras.data.block import reading_of
from genokeras.encoders import TableEncoder, by_sample
from genokeras.engine import Problem, Run, row_trial
from genokeras.errors import ParameterError
from genokeras.explain.checks import as_rows, named, pick_rows
from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.explanation import Explanation
from genokeras.explain.linear import attribute_linear_trial, best_linear
from genokeras.explain.links import chosen_output, link_of
from genokeras.explain.models import as_explanation, attribute_frame, attribute_model, check_options
from genokeras.explain.paths import DRAWS, Attributions
from genokeras.features import RowSpace
from genokeras.graph import is_linear
from genokeras.networks import TrainedTrial
from genokeras.support.precision import single_precision

_BACKGROUND_ROWS = 500


@single_precision()
def explain_run(
    run: Run,
    x: Any,
    background: Any = None,
    *,
    method: str = "expected_gradients",
    num_samples: int | None = 80,
    n_draws: int = DRAWS,
    seed: int = 0,
    feature_names: Sequence[str] | None = None,
    output: str | None = None,
) -> Explanation:
    """How much each gene moved each class or target, for the model that a run delivers.

    Gradients are taken with respect to the few row-space coordinates and multiplied out. Along a path the views move evenly, each on its own
    scale: raw views from raw value to raw value, views behind the logarithm from logarithm to logarithm.

    Parameters
    ----------
    run : Run
    x : array-like, sparse matrix, DataFrame, AnnData, Dataset or path, shape (n_samples, n_features)
        Named genes are matched by name.
    background : the same, optional
        By default the training rows, read back from the run's views.
    method, num_samples, n_draws, seed
        See `explain_model`; "linear" explains the mean log odds, or the mean numbers, of the best linear trial's members, exactly.
    feature_names : sequence of str, optional
        In place of the names that the run knows; they may repeat.
    output : {"probability", "log_odds", "number"}, optional
        What the values add up to. By default the probability of each class, or the number that is predicted for each target; "log_odds" is for
        classes alone.

    Returns
    -------
    Explanation

    Raises
    ------
    DataError
        If ``x`` or the background cannot be used.
    ParameterError
        If an option is unknown or not for the task of the run, or names do not fit.
    """
    check_options(method, num_samples, n_draws)
    kind = chosen_output(run.problem.task, output, method)
    dataset = aligned(run, x)
    medians = table_of(run.problem).medians
    names = named(feature_names or run.feature_names, dataset.n_features, "feature_names", "feature_")
    picked = pick_rows(dataset.n_samples, num_samples, seed)
    rows = as_rows(dataset.select(picked).x, "x", dataset.n_features, medians)
    reference = training_rows(run.problem, seed) if background is None else _background(run, background, seed)
    found = _attributions(run, rows, reference, method, kind, n_draws, seed)
    ids = tuple(dataset.sample_ids[i] for i in picked)
    explanation = as_explanation(found, rows, names, output_names(run), ids, method, kind)
    owners = tuple(block.name for block in table_of(run.problem).blocks for _ in range(block.size))
    return replace(explanation, blocks=owners)


def output_names(run: Run) -> tuple[str, ...]:
    """The classes, or what the numbers are called."""
    return tuple(str(name) for name in run.names)


def _attributions(
    run: Run, x: np.ndarray, background: np.ndarray, method: str, output: str, n_draws: int, seed: int
) -> Attributions:
    link = link_of(run.problem.task, run.delivery.calibration, output, run.delivery.pooling)
    if method == "linear":
        ranked = run.history.ranked()
        trial = ranked[best_linear([is_linear(trial.proposal.graph) for trial in ranked])]
        trained = row_trial(run.problem, run.network(trial))
        return attribute_linear_trial(trained, link, x, background)
    # A final fit trains anew: its weights are in the delivered model only.
    refitted = "final_fit" in run.noted
    if refitted or method.startswith("shap_"):
        return attribute_model(_joined_model(run), x, background, method, output, n_draws, seed)
    return attribute_frame(RowSpaceFrame(ensemble_trials(run), link), x, background, method, n_draws, seed)


def ensemble_trials(run: Run) -> list[TrainedTrial]:
    """The trials of the delivered ensemble, with their shares."""
    return [row_trial(run.problem, network) for network in run.ensemble()]


def table_of(problem: Problem) -> TableEncoder:
    """The encoder of a problem on a table.

    Raises
    ------
    ParameterError
        If the samples are of another kind.
    """
    if not isinstance(problem.encoder, TableEncoder):
        raise ParameterError(
            f"genes are explained, and these samples are of the kind {problem.encoder.kind!r}."
        )
    return problem.encoder


def aligned(run: Run, x: Any) -> Dataset:
    """``x`` read, checked and brought into the run's order of genes; NaN may stay where the run fills it in."""
    missing = "error" if table_of(run.problem).medians is None else "keep"
    reading: dict[str, Any] = {"missing": missing, **reading_of(run.folder.settings)}
    dataset = load_dataset(x, several_targets=True, **reading)
    return align_features(dataset, run.feature_names)


def _joined_model(run: Run) -> Any:
    """What the run delivers, with one input for all genes; some models have one a block."""
    blocks = table_of(run.problem).blocks
    if not blocks:
        return run.model
    joined = keras.Input((blocks[-1].stop,), name="features", dtype="float32")
    parts = [joined[:, block.columns] for block in blocks]
    return keras.Model(joined, run.model(parts if len(parts) > 1 else parts[0]))


def _background(run: Run, background: Any, seed: int) -> np.ndarray:
    dataset = aligned(run, background)
    picked = pick_rows(dataset.n_samples, _BACKGROUND_ROWS, seed)
    return as_rows(dataset.select(picked).x, "background", dataset.n_features, table_of(run.problem).medians)


def training_rows(problem: Problem, seed: int = 0, most: int | None = _BACKGROUND_ROWS) -> np.ndarray:
    """The rows that a run was trained on, ``(n, p)`` float32, read back from the view of all features.

    A basis that spans the training rows holds all there is to know of them. Constant features, which no network reads, come back as 0, and
    rows beyond 1,024 directions as the networks see them.

    Parameters
    ----------
    problem : Problem
    seed : int
    most : int or None
        Rows, drawn at random; None for all.

    Raises
    ------
    ParameterError
        If the run has no view of all features.
    """
    encoder = table_of(problem)
    if "all" not in encoder.spaces:
        raise ParameterError(
            "this run has no view of all features to read the training rows from: pass a background, such as the "
            "training samples."
        )
    z = by_sample(problem.rows["all"])
    used = np.flatnonzero(problem.train.any(axis=0))
    used = used[pick_rows(len(used), most, seed)]
    rows = np.zeros((len(used), encoder.n_features), dtype="float32")
    fold_of_row = problem.train[:, used].argmax(axis=0)
    for fold in np.unique(fold_of_row):
        mine = np.flatnonzero(fold_of_row == fold)
        space = encoder.spaces["all"][fold]
        rows[np.ix_(mine, space.columns)] = _restored(space, z[fold, used[mine]])
    return rows


def _restored(space: RowSpace, z: np.ndarray) -> np.ndarray:
    """``(n, rank or more)`` coordinates -> ``(n, k)`` raw values."""
    inner = z[:, : space.rank].astype("float64")
    standardised = inner if space.basis is None else inner @ space.projection().T / space.scale**2
    return np.asarray(standardised / space.inverse_sd + space.mean, dtype="float32")
