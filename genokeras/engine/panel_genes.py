"""Which few genes a panel has: chosen on all samples, again inside every fold, and again in bootstraps; and which could stand in.

========  ==================================================  ======================
symbol    meaning                                             shape
========  ==================================================  ======================
n, p, F   samples, genes, folds
========  ==================================================  ======================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.encoders import TableEncoder
from genokeras.engine.problem import Problem
from genokeras.features import (
    Rescaling,
    Selected,
    fit_rescaling,
    forward_selection,
    selection_scale,
    standardisation,
    strongest_pairs,
)

_BOOTSTRAPS = 40
# Pairs of genes whose products may be chosen.
_PAIRS = 10
# What may stand in for a gene is correlated with it; so many are tried, and so many named.
_LEAST_CORRELATION, _TRIED, _NAMED = 0.5, 40, 10
_COPY = 0.999
# Penalty of the ridge regressions that genes are exchanged in.
_RIDGE = 0.1
_GENES_AT_ONCE = 2000


@dataclass(frozen=True, eq=False)
class PanelSamples:
    """The training samples that a panel is chosen on.

    Attributes
    ----------
    x : numpy.ndarray
        ``(n, p)`` float32 raw values; rows that take no part are anything.
    problem : Problem
        Targets, folds, weights, groups and the task; what it holds of the samples is not read.
    feature_names : tuple of str
    medians : numpy.ndarray or None
    """

    x: np.ndarray
    problem: Problem
    feature_names: tuple[str, ...]
    medians: np.ndarray | None

    @property
    def used(self) -> np.ndarray:
        """``(n,)`` bool: the samples that any fold trains on."""
        return np.asarray(self.problem.train.any(axis=0))


@dataclass(frozen=True, eq=False)
class Choice:
    """Genes in the order in which they are chosen.

    Attributes
    ----------
    whole : numpy.ndarray
        ``(k,)`` columns, on all samples.
    by_fold : tuple of numpy.ndarray
        The same on the training samples of each fold.
    draws : numpy.ndarray
        ``(draws, k)`` the same on bootstraps of all samples; -1 behind their end.
    rescaling : Rescaling or None
        What they were chosen behind.
    pairs : numpy.ndarray
        ``(m, 2)`` columns of `whole` that were chosen for their product.
    """

    whole: np.ndarray
    by_fold: tuple[np.ndarray, ...]
    draws: np.ndarray
    rescaling: Rescaling | None
    pairs: np.ndarray

    def frequency(self, count: int, n_features: int) -> np.ndarray:
        """``(p,)`` share of folds and bootstraps in which each gene is among the first ``count``."""
        found = np.zeros(n_features)
        chosen = [*self.by_fold, *self.draws]
        for columns in chosen:
            first = columns[:count]
            found[first[first >= 0]] += 1
        return found / len(chosen)


def choose_genes(samples: PanelSamples, count: int, rng: np.random.Generator) -> Choice:
    """Choose ``count`` genes on all samples, on the training samples of each fold, and on bootstraps.

    Where a pair stood out for the search of the whole, products of the strongest pairs may be chosen, too.
    """
    problem, used = samples.problem, samples.used
    kind = selection_scale(samples.x[used])
    rescaling = None if kind is None else fit_rescaling(kind, samples.x[used])
    x = samples.x if rescaling is None else rescaling.apply(samples.x)

    encoder = problem.encoder
    with_pairs = isinstance(encoder, TableEncoder) and encoder.looks_at_pairs

    def chosen(weight: np.ndarray) -> Selected:
        rows = weight > 0
        responses, pairs = problem.task.responses(problem.targets, weight)[rows], None
        if with_pairs:
            pairs = strongest_pairs(x[rows], standardisation(x[rows]), responses, _PAIRS).features
        return forward_selection(x[rows], responses, count, weight[rows], pairs)

    weights = problem.train * problem.sample_weight
    drawn = [chosen(weight).features for weight in _bootstraps(problem, used, rng)]
    draws = np.full((len(drawn), count), -1)
    for row, columns in zip(draws, drawn, strict=True):
        row[: len(columns)] = columns
    whole = chosen(used * problem.sample_weight)
    by_fold = tuple(chosen(weight).features for weight in weights)
    return Choice(whole.features, by_fold, draws, rescaling, whole.pairs)


def _bootstraps(problem: Problem, used: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """``(n,)`` weights each; samples are drawn within their class, groups whole."""
    strata = problem.task.strata(problem.targets)
    units = np.arange(len(used)) if problem.groups is None else problem.groups
    found = []
    for _ in range(_BOOTSTRAPS):
        times = np.zeros(len(used))
        if problem.groups is None:
            for stratum in [used] if strata is None else [used & (strata == c) for c in np.unique(strata)]:
                rows = np.flatnonzero(stratum)
                np.add.at(times, rng.choice(rows, len(rows)), 1.0) if len(rows) else None
        else:
            names = np.unique(units[used])
            drawn = np.bincount(np.searchsorted(names, rng.choice(names, len(names))), minlength=len(names))
            times[used] = drawn[np.searchsorted(names, units[used])]
        weight = times * problem.sample_weight
        if (weight > 0).sum() > 1:
            found.append(weight)
    return found


# ---- genes that could stand in


def equivalent_genes(samples: PanelSamples, choice: Choice, panel: np.ndarray) -> list[dict[str, object]]:
    """For each gene of a panel, the genes that can take its place without loss.

    In every fold, a ridge regression of the responses on the panel, and on the products that it was chosen for, is fitted with the other gene in the place of the one; the
    squared errors of the held-out samples must not grow by more than the standard error of their difference. Only genes that are
    correlated with the one are tried (absolutely, at least .5). Signatures are rarely unique: Statnikov and Aliferis 2010, PLoS
    Computational Biology 6: e1000790; Lagani et al. 2017, Journal of Statistical Software 80 (7).

    Returns
    -------
    list of dict
        ``gene``, ``equivalents`` (``gene``, ``correlation``, ``copy``, ``loss``: what the squared error grows by, relative), and
        ``needed``: whether leaving it out makes the error grow by more than the standard error.
    """
    x = samples.x if choice.rescaling is None else choice.rescaling.apply(samples.x)
    found, names = [], samples.feature_names
    exchange = _Exchange(x, samples, panel, choice.pairs)
    for place, column in enumerate(panel):
        correlation = _correlations(x, samples.used, int(column))
        correlation[panel] = 0.0
        tried = np.argsort(-np.abs(correlation), kind="stable")[:_TRIED]
        tried = tried[np.abs(correlation[tried]) >= _LEAST_CORRELATION]
        growth, error = exchange.without(place)
        kept = []
        for other in tried:
            loss, margin = exchange.instead(place, int(other))
            copy = bool(abs(correlation[other]) >= _COPY)
            if copy or loss <= margin:
                about = {"gene": names[other], "correlation": round(float(correlation[other]), 4)}
                kept.append({**about, "copy": copy, "loss": round(loss, 4)})
        kept.sort(key=lambda one: (not one["copy"], one["loss"]))
        found.append({"gene": names[column], "needed": bool(growth > error), "equivalents": kept[:_NAMED]})
    return found


class _Exchange:
    """Out-of-fold errors of a panel with one gene exchanged."""

    def __init__(self, x: np.ndarray, samples: PanelSamples, panel: np.ndarray, pairs: np.ndarray) -> None:
        self._x, self._problem, self._panel = x, samples.problem, panel
        weight = samples.used * samples.problem.sample_weight
        self._responses = samples.problem.task.responses(samples.problem.targets, weight)
        places = {int(column): place for place, column in enumerate(panel)}
        self._pairs = [
            (places[one], places[other]) for one, other in pairs.tolist() if {one, other} <= places.keys()
        ]
        self._whole = self._errors(panel)

    def instead(self, place: int, other: int) -> tuple[float, float]:
        """By how much the mean error grows, relative to it, and the standard error of that."""
        columns = self._panel.copy()
        columns[place] = other
        return self._difference(self._errors(columns))

    def without(self, place: int) -> tuple[float, float]:
        """The same with a gene left out."""
        return self._difference(self._errors(self._panel, place))

    def _difference(self, errors: np.ndarray) -> tuple[float, float]:
        mean = max(float(self._whole.mean()), 1e-12)
        gap = errors - self._whole
        return float(gap.mean() / mean), float(gap.std() / np.sqrt(max(len(gap) - 1, 1)) / mean)

    def _errors(self, columns: np.ndarray, without: int | None = None) -> np.ndarray:
        """Squared error of every held-out sample; without the gene at a place."""
        problem, found = self._problem, []
        for rows, held in zip(problem.train, problem.held_out & (problem.sample_weight > 0), strict=True):
            values, r = self._x[:, columns].astype("float64"), self._responses[rows]
            mean, sd = values[rows].mean(axis=0), np.maximum(values[rows].std(axis=0), 1e-9)
            z, middle = self._with_products((values - mean) / sd, without), r.mean(axis=0)
            gram = z[rows].T @ z[rows] + _RIDGE * rows.sum() * np.eye(z.shape[1])
            kernel = np.linalg.solve(gram, z[rows].T @ (r - middle))
            found.append(((z[held] @ kernel + middle - self._responses[held]) ** 2).sum(axis=1))
        return np.concatenate(found)

    def _with_products(self, z: np.ndarray, without: int | None) -> np.ndarray:
        products = [z[:, a] * z[:, b] for a, b in self._pairs if without not in (a, b)]
        singles = z if without is None else np.delete(z, without, axis=1)
        return np.column_stack([singles, *products])


def _correlations(x: np.ndarray, rows: np.ndarray, column: int) -> np.ndarray:
    """``(p,)`` correlation of every gene with one; 0 of constant ones, and of itself."""
    found, mine = np.zeros(x.shape[1]), x[rows, column].astype("float64")
    mine = (mine - mine.mean()) / max(float(mine.std()), 1e-12)
    for start in range(0, x.shape[1], _GENES_AT_ONCE):
        part = x[rows, start : start + _GENES_AT_ONCE].astype("float64")
        sd = part.std(axis=0)
        products = mine @ (part - part.mean(axis=0)) / rows.sum()
        found[start : start + _GENES_AT_ONCE] = np.divide(
            products, sd, out=np.zeros_like(sd), where=sd > 1e-9
        )
    found[column] = 0.0
    return found


def sizes_to_try(count: int, n_features: int, usual: Sequence[int] = (1, 2, 5, 10, 20, 50)) -> list[int]:
    """The sizes of the curve: the usual ones that are below the number of genes, and that of the panel."""
    return sorted({size for size in usual if size < n_features} | {count})
