"""How the asks of a search are shared out: each kind of proposal gets more the more it has earned.

Notation
--------
======  ==========================================================================  =================
symbol  meaning                                                                     shape
======  ==========================================================================  =================
y       gain per trial of a job, in units of the mean, large ones cut off          (n_jobs,)
F       share of each arm, and of all else, among the job's trials                  (n_jobs, n_arms + 1)
w       trials of the job, halved for every 150 trials that came later              (n_jobs,)
b       what a trial of each arm earns                                              (n_arms + 1,)
======  ==========================================================================  =================

A job holds trials of several arms and gains as a whole, so b is a regression of y on F, with the prior that every
trial earns the mean: b = (F' diag(w) F + k I)^-1 (F' diag(w) y + k 1).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from genokeras.searchers.history import History
from genokeras.searchers.values import TrialResult

HYPER, RANDOM, BAYESIAN, REPLICATE = "hyper", "random", "bayesian", "replicate"
ARMS = (HYPER, RANDOM, BAYESIAN, REPLICATE)

# What an arm gets at least, and what morphism gets at least, random and Bayesian taken together.
FLOORS: Mapping[str, float] = {HYPER: 0.05, RANDOM: 0.05, BAYESIAN: 0.25, REPLICATE: 0.05}
LEAST_GROWN = 0.45

HALF_LIFE = 150
_CUT_OFF = 5.0
# Trials of each arm that the prior is worth.
_PRIOR = 6.0


def learnt_shares(history: History, arms: Sequence[str] = ARMS) -> dict[str, float]:
    """The share of the next ask that each arm gets; they sum to 1.

    Beyond its floor an arm gets what is in proportion to its trials' gains, old ones counting less. Trials without a
    gain are left out. At least 45 % goes to morphism, and at least half of that to the Bayesian one.
    """
    worth = _worth(history, arms)
    spare = 1 - sum(FLOORS[arm] for arm in arms)
    shares = {arm: FLOORS[arm] + spare * value / sum(worth.values()) for arm, value in worth.items()}
    if RANDOM in shares and BAYESIAN in shares and shares[RANDOM] > shares[BAYESIAN]:
        shares[RANDOM] = shares[BAYESIAN] = (shares[RANDOM] + shares[BAYESIAN]) / 2
    grown = sum(shares.get(arm, 0.0) for arm in (RANDOM, BAYESIAN))
    if 0 < grown < LEAST_GROWN:
        for arm in shares:
            more = arm in (RANDOM, BAYESIAN)
            shares[arm] *= LEAST_GROWN / grown if more else (1 - LEAST_GROWN) / (1 - grown)
    return shares


def next_arm(counts: Counter[str], wanted: str, arms: Sequence[str]) -> str:
    """The arm that is wanted, or the one that would fall below its floor of all trials so far.

    Parameters
    ----------
    counts : Counter
        Trials beyond the design by origin.
    wanted : str
    arms : sequence of str
        Those that have something left to propose.
    """
    trials = counts.total() + 1
    grown = counts[RANDOM] + counts[BAYESIAN]
    if BAYESIAN in arms:
        if counts[BAYESIAN] < FLOORS[BAYESIAN] * trials:
            return BAYESIAN
        ahead = counts[RANDOM] >= counts[BAYESIAN]
        if (wanted == RANDOM and ahead) or (
            wanted not in (RANDOM, BAYESIAN) and grown < LEAST_GROWN * trials
        ):
            return BAYESIAN
    return wanted


def _worth(history: History, arms: Sequence[str]) -> dict[str, float]:
    """What a trial of each arm earns, in units of the mean; never below 0."""
    jobs = _jobs(history, arms)
    if not jobs:
        return dict.fromkeys(arms, 1.0)
    columns = {arm: place for place, arm in enumerate(arms)}
    shares = np.zeros((len(jobs), len(arms) + 1))
    for row, job in enumerate(jobs):
        for trial in job:
            shares[row, columns.get(trial.proposal.origin, len(arms))] += 1 / len(job)
    sizes = np.array([len(job) for job in jobs])
    gains = np.array([max(0.0, job[0].gain) for job in jobs]) / sizes
    weights = sizes * 0.5 ** ((sizes.sum() - sizes.cumsum()) / HALF_LIFE)
    gains = _relative(gains, weights)
    square = (shares.T * weights) @ shares + _PRIOR * np.eye(len(arms) + 1)
    earned = np.linalg.solve(square, (shares.T * weights) @ gains + _PRIOR)
    worth = dict(zip(arms, np.maximum(earned, 0.0).tolist(), strict=False))
    return worth if any(worth.values()) else dict.fromkeys(arms, 1.0)


def _jobs(history: History, arms: Sequence[str]) -> list[list[TrialResult]]:
    """The trials that have a gain, by job: neighbours of one gain. Jobs of the design alone say nothing about arms."""
    known = (trial for trial in history.trials if math.isfinite(trial.gain))
    jobs = (list(job) for _, job in groupby(known, key=lambda trial: trial.gain))
    return [job for job in jobs if any(trial.proposal.origin in arms for trial in job)]


def _relative(gains: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gains in units of their mean, cut off at 5 times the median of those above 0; ones where nothing was gained."""
    order = np.argsort(gains)
    order = order[gains[order] > 0]
    if not len(order):
        return np.ones_like(gains)
    behind = weights[order].cumsum()
    median = gains[order][np.searchsorted(behind, behind[-1] / 2)]
    gains = np.minimum(gains, _CUT_OFF * median)
    return gains / np.average(gains, weights=weights)
