"""Pairs of genes that go with the classes or numbers together, whatever each says alone, and how they go with each other.

The statistic is that of `genokeras.features.pair_correlation`; a pair is beyond chance where it exceeds the largest one of all pairs in
19 shufflings of the samples: where targets have nothing to do with the genes, one search in twenty finds a pair (Westfall and Young 1993,
Resampling-based multiple testing, single-step maxT).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from genokeras.engine import Problem
from genokeras.engine.run import Run
from genokeras.errors import ParameterError
from genokeras.explain.checks import pick_rows
from genokeras.explain.runs import table_of, training_rows
from genokeras.explain.scales import loggish
from genokeras.features import pair_correlation, standardisation, strongest_pairs
from genokeras.support.checks import check_whole
from genokeras.support.files import written_aside
from genokeras.tasks.classes import ClassTask
from genokeras.tasks.survival import Survival
from genokeras.tasks.survival_times import martingale_residuals
from genokeras.visible import plain_table

TOP_PAIRS, MOST_PAIRS = 10, 100
PAIRS_FILE = "pairs.csv"
_SHUFFLINGS = 19
_MOST_ROWS = 1000
_FEWEST_IN_PART = 4


@dataclass(frozen=True, eq=False)
class GenePairs:
    """The strongest pairs of genes of a run's training samples.

    Attributes
    ----------
    genes : numpy.ndarray
        ``(k, 2)`` numbers of genes, the strongest pair first.
    strength : numpy.ndarray
        ``(k,)`` squared correlation of the product of both genes with the target; of several classes or targets the mean.
    limit : float
        What no pair reaches with shuffled targets 19 times in 20; NaN where samples come in groups, which shufflings know nothing of.
    in_pairs : numpy.ndarray
        ``(n_features,)`` bool: genes with a partner beyond the limit.
    parts : tuple of str
        The classes; or "lower half" and "upper half" of a number.
    correlation : numpy.ndarray
        ``(k, parts)`` Pearson correlation of both genes within each; NaN with fewer than four samples.
    target : tuple of str
        Of several numbers, the one that goes most with the product of both genes, and by whose halves they are compared: one a pair.
        Empty otherwise.
    """

    genes: np.ndarray
    strength: np.ndarray
    limit: float
    in_pairs: np.ndarray
    parts: tuple[str, ...]
    correlation: np.ndarray
    target: tuple[str, ...] = ()

    @property
    def beyond_chance(self) -> np.ndarray:
        """``(k,)`` bool."""
        return np.asarray(self.strength > self.limit)

    def table(self, feature_names: tuple[str, ...]) -> pd.DataFrame:
        """One row a pair: both genes, ``strength``, ``beyond_chance``, of several targets ``target``, and their correlation within each part."""
        names = np.asarray(feature_names, dtype=object)
        columns = {
            "gene": names[self.genes[:, 0]],
            "partner": names[self.genes[:, 1]],
            "strength": self.strength,
            "beyond_chance": self.beyond_chance,
            **({"target": np.asarray(self.target, dtype=object)} if self.target else {}),
        }
        for part, values in zip(self.parts, self.correlation.T, strict=True):
            columns[f"correlation in {part}"] = values
        return pd.DataFrame(columns)


def pairs_of_run(run: Run, top: int = TOP_PAIRS, seed: int = 0) -> GenePairs:
    """The strongest pairs of genes in the training samples of a run.

    Parameters
    ----------
    run : Run
        Of genes.
    top : int, default=10
        Pairs.
    seed : int
        Of the shufflings, and of which 1,000 samples are looked at where there are more.

    Raises
    ------
    ParameterError
        If `top` is below 1, or the run has no view of all features to read its samples from.
    """
    check_whole(top, "top")
    return pairs_of_problem(run.problem, tuple(str(name) for name in run.names), top, seed)


def write_pairs(run: Run, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the pairs of genes beyond chance to ``pairs.csv`` in a folder: the path, or none where there are no such pairs.

    Nothing is looked for where no pair stood out for the search.
    """
    if not table_of(run.problem).looks_at_pairs:
        return []
    found = pairs_of_run(run, MOST_PAIRS).table(run.feature_names).query("beyond_chance")
    if found.empty:
        return []
    path = Path(folder) / PAIRS_FILE
    with written_aside(path) as aside:
        plain_table(found).to_csv(aside, index=False, float_format="%.4g")
    return [path]


def pairs_of_problem(problem: Problem, names: tuple[str, ...], top: int, seed: int) -> GenePairs:
    """As `pairs_of_run`, of what networks train on."""
    x = training_rows(problem, seed, _MOST_ROWS)
    used = np.flatnonzero(problem.train.any(axis=0))
    used = used[pick_rows(len(used), _MOST_ROWS, seed)]
    targets = targets_for_tests(problem, used)
    if len(x) < 2:
        raise ParameterError(f"pairs of genes need two samples or more: got {len(x)}.")
    scaling, rng = standardisation(x), np.random.default_rng([seed, 4])
    found = strongest_pairs(x, scaling, targets, top)
    everything = np.ones((1, len(x)), dtype=bool)
    shuffled = [
        float(pair_correlation(x, scaling, targets[rng.permutation(len(x))], everything).max())
        for _ in range(_SHUFFLINGS if problem.groups is None else 0)
    ]
    limit = max(shuffled, default=float("nan"))
    logged = loggish(x.astype("float64"), table_of(problem).blocks)
    parts, inside = _parts(problem, used, targets, names)
    correlation = [
        [_correlation(logged[rows][:, pair]) for rows in inside[target if len(inside) > 1 else 0]]
        for pair, target in zip(found.features, found.target, strict=True)
    ]
    return GenePairs(
        found.features,
        found.statistic,
        limit,
        pair_correlation(x, scaling, targets, everything)[0] > limit,
        parts,
        np.array(correlation).reshape(len(found.features), len(parts)),
        _target_names(names, len(inside), found.target),
    )


def targets_for_tests(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """``(n, c)`` numbers that genes are compared with: 0 and 1 of classes, or events in excess of expectation."""
    known = problem.targets[rows]
    if isinstance(problem.task, Survival):
        return martingale_residuals(known, np.ones(len(known)))[:, None]
    return np.asarray(problem.task.training_targets(known))


def _parts(
    problem: Problem, rows: np.ndarray, targets: np.ndarray, names: tuple[str, ...]
) -> tuple[tuple[str, ...], list[list[np.ndarray]]]:
    """What the parts are called within which genes are compared, and the samples of each: once for classes, else for each target."""
    if isinstance(problem.task, ClassTask):
        codes = problem.targets[rows]
        return names, [[codes == code for code in range(len(names))]]
    upper = [_upper_half(target) for target in targets.T]
    return ("lower half", "upper half"), [[~inside, inside] for inside in upper]


def _target_names(names: tuple[str, ...], count: int, target: np.ndarray) -> tuple[str, ...]:
    """The target of each pair, where there are several; by number where targets are no outputs, as a loss of one's own may have it."""
    if count == 1:
        return ()
    return tuple(names[i] if len(names) == count else f"target {i + 1}" for i in target.tolist())


def _upper_half(target: np.ndarray) -> np.ndarray:
    """``(n,)`` bool; of a label that most samples have, those that have it."""
    median = np.median(target)
    return np.asarray(target > median if (target > median).any() else target == median)


def _correlation(pair: np.ndarray) -> float:
    if len(pair) < _FEWEST_IN_PART or (np.ptp(pair, axis=0) == 0).any():
        return float("nan")
    return float(np.corrcoef(pair.T)[0, 1])
