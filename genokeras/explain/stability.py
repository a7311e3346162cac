"""Would the same genes have been found with other samples?

=========  =====================================================================================  ==============
symbol     meaning                                                                                shape
=========  =====================================================================================  ==============
M, p, k    lists, features, features a list names
f_g        share of the lists that name gene g                                                    ``(p,)``
s_g^2      M / (M - 1) f_g (1 - f_g)                                                              ``(p,)``
index      1 - mean(s_g^2) / (k/p (1 - k/p)): 1 for equal lists, 0 for random ones
=========  =====================================================================================  ==============

The index is that of Nogueira, Sechidis and Brown 2018 (On the stability of feature selection algorithms, Journal of Machine Learning
Research 18 (174): 1-54, definition 4). Folds share most of their training rows, so lists of nothing but noise agree too: how much is found
by fitting ridge regressions to permuted targets on the same folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.encoders import by_sample
from genokeras.engine import Problem
from genokeras.engine.run import Run
from genokeras.errors import ParameterError
from genokeras.explain.checks import as_rows, pick_rows, position_of
from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.links import link_of
from genokeras.explain.models import attribute_frame
from genokeras.explain.runs import aligned, ensemble_trials, output_names, table_of, training_rows
from genokeras.networks import TrainedTrial
from genokeras.support.checks import check_whole

TOP = 50
_SAMPLES, _DRAWS = 40, 60
_PERMUTATIONS = 20
_TRIALS = 16
_NOISE_QUANTILE = 0.95


@dataclass(frozen=True, eq=False)
class Stability:
    """How well the lists of the most important genes agree.

    Attributes
    ----------
    output_names : tuple of str
        The classes or targets.
    top : int
        Length of a list.
    n_lists : int
    frequency : numpy.ndarray
        ``(n_features, n_outputs)`` share of the lists that name a gene.
    index : numpy.ndarray
        ``(n_outputs,)`` Nogueira's index of the lists.
    noise_index : numpy.ndarray
        ``(n_outputs,)`` what lists of pure noise on the same folds stay below 19 times in 20; NaN where that is not known.
    """

    output_names: tuple[str, ...]
    top: int
    n_lists: int
    frequency: np.ndarray
    index: np.ndarray
    noise_index: np.ndarray

    def number_of(self, output: object) -> int:
        """Position of a class or target.

        Raises
        ------
        ParameterError
            If there is none of that name.
        """
        return position_of(output, self.output_names)

    def is_noise(self, output: object) -> bool:
        """Whether the lists of a class or target are known to agree no better than lists of noise would."""
        number = self.number_of(output)
        return bool(self.index[number] <= self.noise_index[number])

    def verdict(self, output: object) -> str:
        """One sentence about the list of a class or target."""
        number = self.number_of(output)
        index, noise = self.index[number], self.noise_index[number]
        found = f"the {self.n_lists} lists of the top {self.top} agree with a stability index of {index:.2f}; noise reaches "
        if np.isnan(index) or np.isnan(noise):
            return f"It is not known whether this list is more than noise: {found}{_shown(noise)}."
        return (
            f"{'This list is noise' if self.is_noise(output) else 'More than noise'}: {found}{_shown(noise)}."
        )


def _shown(index: float) -> str:
    return "an unknown index" if np.isnan(index) else f"{index:.2f}"


def nogueira_index(lists: np.ndarray) -> float:
    """Stability of feature lists.

    Parameters
    ----------
    lists : numpy.ndarray
        ``(M, p)`` bool: which features each list names; lists of any lengths, at least two of them.

    Returns
    -------
    float
        1 for equal lists, about 0 for random ones; NaN where all name everything or nothing.

    Raises
    ------
    ParameterError
        If there are fewer than two lists.
    """
    m, p = lists.shape
    if m < 2:
        raise ParameterError(f"stability compares lists: expected at least 2, got {m}.")
    share = lists.mean(axis=0)
    k = lists.sum() / m
    if k in (0, p):
        return float("nan")
    variance = m / (m - 1) * share * (1.0 - share)
    return float(1.0 - variance.mean() / (k / p * (1.0 - k / p)))


def top_lists(importances: np.ndarray, top: int) -> np.ndarray:
    """``(M, p)`` importances -> ``(M, p)`` bool: the ``top`` largest of each row, ties by position."""
    order = np.argsort(-importances, axis=1, kind="stable")[:, :top]
    lists = np.zeros(importances.shape, dtype=bool)
    np.put_along_axis(lists, order, True, axis=1)
    return lists


def stability_of(
    run: Run,
    x: Any,
    background: Any = None,
    *,
    top: int = TOP,
    num_samples: int = _SAMPLES,
    seed: int = 0,
) -> Stability:
    """Rank genes once for each fold and for each half of the ensemble's trials, and compare the rankings.

    Parameters
    ----------
    run : Run
    x, background
        See `explain_run`.
    top : int, default=50
        Length of a list; at most half of the features.
    num_samples : int, default=40
        Samples that each ranking is made of.
    seed : int

    Raises
    ------
    ParameterError
        If a number is below 1, or the run has a single fold and a single trial: there is nothing to compare.
    """
    check_whole(top, "top")
    check_whole(num_samples, "num_samples")
    dataset = aligned(run, x)
    rows = as_rows(
        dataset.select(pick_rows(dataset.n_samples, num_samples, seed)).x,
        "x",
        dataset.n_features,
        table_of(run.problem).medians,
    )
    reference = training_rows(run.problem, seed) if background is None else aligned(run, background).x
    reference = as_rows(reference, "background", dataset.n_features, table_of(run.problem).medians)
    top = max(1, min(top, dataset.n_features // 2))
    link, importances = link_of(run.problem.task, run.delivery.calibration), []
    for trials in _fold_members(ensemble_trials(run)):
        frame = RowSpaceFrame(trials, link)
        found = attribute_frame(frame, rows, reference, "expected_gradients", _DRAWS, seed)
        importances.append(np.abs(found.values).mean(axis=0))
    stacked = np.stack(importances)
    lists = [top_lists(stacked[:, :, c], top) for c in range(stacked.shape[2])]
    return Stability(
        output_names=output_names(run),
        top=top,
        n_lists=len(stacked),
        frequency=np.stack([chosen.mean(axis=0) for chosen in lists], axis=1),
        index=np.array([nogueira_index(chosen) for chosen in lists]),
        noise_index=_noise_index(run.problem, top, seed),
    )


def _fold_members(trials: Sequence[TrainedTrial]) -> Iterator[list[TrainedTrial]]:
    """What one fold contributes to the ensemble, from either half of its 16 trials with the largest shares."""
    ordered = sorted(trials, key=lambda trial: -trial.share)[:_TRIALS]
    halves = [half for half in (ordered[::2], ordered[1::2]) if half]
    n_folds = trials[0].n_members
    for fold in range(n_folds):
        for half in halves:
            yield [_member(trial, fold) for trial in half]


def _member(trial: TrainedTrial, fold: int) -> TrainedTrial:
    weights = {
        layer: {name: array[fold : fold + 1] for name, array in named.items()}
        for layer, named in trial.weights.items()
    }
    spaces = {i: (trial.of_members(i)[fold],) for i in trial.spaces}
    return replace(trial, weights=weights, spaces=spaces)


def _noise_index(problem: Problem, top: int, seed: int) -> np.ndarray:
    """``(n_outputs,)`` quantile of the index over ridge regressions on permuted targets, one a fold."""
    task = problem.task
    if "all" not in table_of(problem).spaces or problem.n_folds < 2:
        return np.full(task.n_outputs, np.nan)
    rng = np.random.default_rng([seed, 3])
    rows = np.flatnonzero(problem.train.any(axis=0))
    targets = task.training_targets(problem.targets[rows]).astype("float64")
    permuted = np.stack([targets[rng.permutation(len(rows))] for _ in range(_PERMUTATIONS)])
    effects = np.stack([_ridge_effects(problem, fold, rows, permuted) for fold in range(problem.n_folds)])
    indices = np.array(
        [
            [nogueira_index(top_lists(effects[:, :, i, c], top)) for c in range(targets.shape[1])]
            for i in range(_PERMUTATIONS)
        ]
    )
    return np.asarray(np.quantile(indices, _NOISE_QUANTILE, axis=0))


def _ridge_effects(problem: Problem, fold: int, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``(p, permutations, n_outputs)`` sizes of standardised effects, fitted on a fold's training rows."""
    encoder = table_of(problem)
    space = encoder.spaces["all"][fold]
    mine = problem.train[fold, rows]
    z = by_sample(problem.rows["all"])[fold, rows[mine], : space.rank].astype("float64")
    centred = targets[:, mine] - targets[:, mine].mean(axis=1, keepdims=True)
    wide = centred.transpose(1, 0, 2).reshape(len(z), -1)
    solved = np.linalg.solve(z.T @ z + len(z) * np.eye(z.shape[1]), z.T @ wide)
    found = np.zeros((encoder.n_features, wide.shape[1]), dtype="float32")
    found[space.columns] = np.abs(space.projection() @ solved)
    return found.reshape(encoder.n_features, *targets.shape[::2])
