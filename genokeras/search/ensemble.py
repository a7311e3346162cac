"""The few trials that predict best together: bagged greedy selection on out-of-fold probabilities.

Notation
--------
======  ====================================================  ===========
symbol  meaning                                               shape
======  ====================================================  ===========
p       out-of-fold probabilities of every trial              (t, n, k)
q       probability each trial gives to the true class        (t, n)
w       row weights, summing to 1                             (n,)
bags    the trials that each bag may pick from                (b, m)
======  ====================================================  ===========

References
----------
Caruana, Niculescu-Mizil, Crew and Ksikes (2004), Ensemble selection from libraries of models, ICML: greedy
selection with replacement (section 2.1), from random bags of models (section 2.3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genokeras.errors import ParameterError
from genokeras.search.scores import (
    SMALLEST_PROBABILITY,
    Array,
    Codes,
    Objective,
    get_objective,
    log_loss_rows,
)

Indices = NDArray[np.int64]
Stack = NDArray[np.floating]


def select_ensemble(
    p: ArrayLike,
    codes: ArrayLike,
    objective: str | Objective = "log_loss",
    *,
    rng: np.random.Generator,
    sample_weight: ArrayLike | None = None,
    n_bags: int = 20,
    picks: int = 6,
    fraction: float = 1 / 3,
    shortlist: int = 100,
) -> Array:
    """Weights of the trials in the ensemble that is best on the given rows.

    Each bag holds a random share of the trials and makes its picks greedily, with replacement; the weight of
    a trial is its share of all picks. Bags make the choice steadier than one greedy run over all trials.

    Parameters
    ----------
    p : array-like of shape (n_trials, n_samples, n_classes)
        Out-of-fold probabilities.
    codes : array-like of shape (n_samples,)
    objective : str or Objective
        What to minimise the loss of. Ties are broken by log loss.
    rng : numpy.random.Generator
        Draws the bags.
    sample_weight : array-like of shape (n_samples,), optional
        Rows of weight 0 play no part.
    n_bags, picks : int
        Number of bags, and picks in each.
    fraction : float
        Share of the trials in a bag; a bag never holds fewer than `picks` trials where there are that many.
    shortlist : int
        Only that many trials, the best by themselves on these rows, stand for selection.

    Returns
    -------
    ndarray of shape (n_trials,)
        Not negative, summing to 1.

    Raises
    ------
    ParameterError
        If the shapes do not fit, a probability is not finite, or an argument is out of range.
    """
    goal = get_objective(objective)
    stack, labels, weight = check_stack(p, codes, sample_weight)
    if n_bags < 1 or picks < 1 or shortlist < 1 or not 0 < fraction <= 1:
        raise ParameterError(
            "n_bags, picks and shortlist must be at least 1 and fraction in (0, 1]: "
            f"got {n_bags}, {picks}, {shortlist} and {fraction}."
        )
    return greedy_selection(stack, labels, weight, goal, rng, n_bags, picks, fraction, shortlist)


def combine(p: ArrayLike, weights: ArrayLike) -> Array:
    """Weighted mean of the trials' probabilities, (n_samples, n_classes)."""
    shares = np.asarray(weights, dtype=np.float64)
    used = np.flatnonzero(shares)
    return np.tensordot(shares[used], np.asarray(p)[used].astype(np.float64), axes=1)


def check_stack(
    p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Stack, Codes, Array]:
    """Probabilities, codes and row weights as arrays that fit each other; raises ParameterError otherwise."""
    stack = np.asarray(p)
    labels = np.asarray(codes, dtype=np.int64)
    if stack.ndim != 3 or len(stack) == 0 or labels.ndim != 1 or stack.shape[1] != len(labels):
        raise ParameterError(
            f"expected probabilities (n_trials, n_samples, n_classes) of at least one trial and "
            f"{len(labels)} samples: got shape {stack.shape}."
        )
    if not np.isfinite(stack).all():
        bad = np.flatnonzero(~np.isfinite(stack).all((1, 2)))[:5].tolist()
        raise ParameterError(f"probabilities must be finite: those of trials {bad} are not. Leave them out.")
    weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != labels.shape or not weight.sum() > 0:
        raise ParameterError(
            f"sample_weight must have {len(labels)} values with a positive sum: got shape {weight.shape}."
        )
    return stack, labels, weight


def greedy_selection(
    p: Stack,
    codes: Codes,
    w: Array,
    objective: Objective,
    rng: np.random.Generator,
    n_bags: int = 20,
    picks: int = 6,
    fraction: float = 1 / 3,
    shortlist: int = 100,
) -> Array:
    """`select_ensemble` for arguments that were checked before."""
    rows = np.flatnonzero(w > 0)
    labels, weight = codes[rows], w[rows] / w[rows].sum()
    fast = objective.name == "log_loss"
    if fast:
        q = np.maximum(p[:, rows, labels].astype(np.float64), SMALLEST_PROBABILITY)
        losses = -np.log(q) @ weight
    else:
        losses = np.nan_to_num(objective.losses(p[:, rows], labels, weight), nan=np.inf)
    listed = np.sort(np.argsort(losses, kind="stable")[:shortlist])
    bags = _draw_bags(len(listed), n_bags, picks, fraction, rng)
    if fast:
        chosen = np.concatenate(
            [_greedy_log_loss(q[listed], weight, part, picks) for part in _parts(bags, len(rows))]
        )
    else:
        local = [_greedy(p[listed[bag]][:, rows], labels, weight, objective, picks) for bag in bags]
        chosen = np.take_along_axis(bags, np.stack(local), axis=1)
    counts = np.bincount(listed[chosen].ravel(), minlength=len(p))
    return counts / counts.sum()


def _parts(bags: Indices, n: int) -> list[Indices]:
    """Bags in parts that need tens of megabytes each, not gigabytes, for very many rows."""
    return np.array_split(bags, max(1, min(len(bags), bags.size * n // 4_000_000)))


def _draw_bags(t: int, n_bags: int, picks: int, fraction: float, rng: np.random.Generator) -> Indices:
    # A third of four trials would be one trial, and its "selection" no selection at all.
    size = min(t, max(int(np.ceil(fraction * t)), picks))
    if size == t:
        return np.arange(t)[None]
    return np.sort(rng.random((n_bags, t)).argsort(axis=1)[:, :size], axis=1)


def _greedy_log_loss(q: Array, w: Array, bags: Indices, picks: int) -> Indices:
    """Greedy picks of all bags at once, (b, picks): log loss needs the true class's probability only."""
    candidates = q[bags]
    total = np.zeros((len(bags), 1, q.shape[1]))
    chosen = np.empty((len(bags), picks), dtype=np.int64)
    for pick in range(picks):
        # The mixture is total / (pick + 1); dividing shifts every candidate's loss alike.
        best = (np.log(total + candidates) @ w).argmax(axis=1)
        total += np.take_along_axis(candidates, best[:, None, None], axis=1)
        chosen[:, pick] = bags[np.arange(len(bags)), best]
    return chosen


def _greedy(p: Stack, codes: Codes, w: Array, objective: Objective, picks: int) -> Indices:
    """Greedy picks of one bag for any objective, (picks,)."""
    total = np.zeros(p.shape[1:])
    chosen = np.empty(picks, dtype=np.int64)
    for pick in range(picks):
        mixtures = (total + p) / (pick + 1)
        losses = np.nan_to_num(objective.losses(mixtures, codes, w), nan=np.inf)
        tied = np.flatnonzero(losses <= losses.min() + 1e-12)
        best = tied[(log_loss_rows(mixtures[tied], codes) @ w).argmin()] if len(tied) > 1 else tied[0]
        total += p[best]
        chosen[pick] = best
    return chosen
