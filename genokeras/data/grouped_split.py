"""Shuffled splits of groups into folds."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

_TRIES = 20


def best_grouped_split(
    codes: np.ndarray, groups: np.ndarray, free: np.ndarray, n_folds: int, seed: int | None
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Try some shuffles for one where every fold scores something and trains on every class."""
    rng = np.random.default_rng(seed)
    best: tuple[np.ndarray, list[tuple[int, int]]] | None = None
    for _ in range(_TRIES):
        assigned = _grouped_split(codes[free], groups[free], n_folds, int(rng.integers(2**31)))
        if len(np.unique(assigned)) < n_folds:
            continue
        lost = _classes_lost(codes, free, assigned, n_folds)
        if best is None or len(lost) < len(best[1]):
            best = assigned, lost
        if not lost:
            break
    if best is None:
        assigned = np.empty(len(free), dtype=np.int64)
        for fold, (_, test) in enumerate(GroupKFold(n_folds).split(free, groups=groups[free])):
            assigned[test] = fold
        best = assigned, _classes_lost(codes, free, assigned, n_folds)
    return best


def _grouped_split(codes: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    assigned = np.full(len(codes), -1, dtype=np.int64)
    if np.bincount(codes).max() < n_folds:  # refused by StratifiedGroupKFold
        return assigned
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a class with fewer rows than folds is said in the notes where it matters
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, test) in enumerate(splitter.split(np.zeros(len(codes)), codes, groups)):
            assigned[test] = fold
    return assigned


def _classes_lost(
    codes: np.ndarray, free: np.ndarray, assigned: np.ndarray, n_folds: int
) -> list[tuple[int, int]]:
    everything = set(np.unique(codes).tolist())
    lost = []
    for fold in range(n_folds):
        train = np.ones(len(codes), dtype=bool)
        train[free[assigned == fold]] = False
        lost += [(fold, int(code)) for code in sorted(everything - set(np.unique(codes[train]).tolist()))]
    return lost
