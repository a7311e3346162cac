"""What a biologist asks of a gene beside its importance: fold change, a t-test, copies of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from genokeras.errors import DataError
from genokeras.explain.checks import as_rows
from genokeras.support.wording import listed

# Logarithms of expression rarely exceed 30; intensities and counts do.
_LARGEST_LOGARITHM = 50.0
_SHARE_OF_MEDIAN = 0.1


@dataclass(frozen=True, eq=False)
class Changes:
    """Each class against all others, gene by gene.

    Attributes
    ----------
    classes : tuple of str
    log2_fold_change : numpy.ndarray
        ``(n_features, n_classes)`` mean of the class against mean of the rest.
    q_value : numpy.ndarray
        ``(n_features, n_classes)`` of Welch's t-test, corrected for the number of genes (Benjamini and Hochberg 1995, Journal of the
        Royal Statistical Society B 57: 289-300); 1 for constant genes.
    """

    classes: tuple[str, ...]
    log2_fold_change: np.ndarray
    q_value: np.ndarray


def class_changes(x: Any, y: Any, classes: Sequence[Any], logged: bool | None = None) -> Changes:
    """Fold changes and t-tests of labelled samples.

    Parameters
    ----------
    x : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels.
    classes : sequence
        The classes that are compared with the rest.
    logged : bool, optional
        Whether ``x`` holds logarithms (base 2) already; by default where no value exceeds 50. Other data are compared by their means and tested as
        ``arcsinh(10 x / median)``, a logarithm that bears zeros and negative intensities.

    Raises
    ------
    DataError
        If a class, or the rest, has fewer than two samples.
    """
    rows = as_rows(x, "x").astype("float64")
    labels = np.asarray([str(label) for label in np.asarray(y).ravel()])
    if len(labels) != len(rows):
        raise DataError(f"y must have one label per sample: expected {len(rows)}, got {len(labels)}.")
    names = tuple(str(name) for name in classes)
    small = [n for n in names if (labels == n).sum() < 2 or (labels != n).sum() < 2]
    if small:
        raise DataError(
            f"a t-test needs two samples of a class and two of the rest: {listed(small)} has fewer among the "
            f"{len(labels)} labelled samples."
        )
    is_log = bool(np.abs(rows).max() <= _LARGEST_LOGARITHM) if logged is None else logged
    offset = 0.0 if is_log else _offset(rows)
    tested = rows if is_log else np.arcsinh(rows / offset)
    changes = [_change(rows, labels == name, is_log, offset) for name in names]
    q_values = [_q_values(tested, labels == name) for name in names]
    return Changes(names, np.stack(changes, axis=1), np.stack(q_values, axis=1))


def _offset(x: np.ndarray) -> float:
    sizes = np.abs(x[x != 0])
    return _SHARE_OF_MEDIAN * float(np.median(sizes)) if len(sizes) else 1.0


def _change(x: np.ndarray, member: np.ndarray, logged: bool, offset: float) -> np.ndarray:
    inside, outside = x[member].mean(axis=0), x[~member].mean(axis=0)
    if logged:
        return np.asarray(inside - outside)
    inside, outside = np.maximum(inside, 0.0) + offset, np.maximum(outside, 0.0) + offset
    return np.asarray(np.log2(inside / outside))


def _q_values(x: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Welch's t-test by hand: genes without any spread, which scipy warns about, get p = 1."""
    a, b = x[member], x[~member]
    errors = a.var(axis=0, ddof=1) / len(a), b.var(axis=0, ddof=1) / len(b)
    error = errors[0] + errors[1]
    difference = np.abs(a.mean(axis=0) - b.mean(axis=0))
    usable = error > 1e-12 * np.maximum(difference**2, 1e-300)
    safe = np.where(usable, error, 1.0)
    freedom = safe**2 / np.maximum(errors[0] ** 2 / (len(a) - 1) + errors[1] ** 2 / (len(b) - 1), 1e-300)
    p = 2.0 * stats.t.sf(difference / np.sqrt(safe), np.where(usable, freedom, 1.0))
    p = np.where(usable, p, np.where(difference > 0, 0.0, 1.0))
    return np.asarray(stats.false_discovery_control(p))


def copies(x: np.ndarray, above: float = 0.95) -> np.ndarray:
    """Groups of features that go together: numbers ``(k,)`` from 1 by first member, 0 for features on their own.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, k)``; with fewer than three samples nothing is grouped.
    above : float
        Features are linked where ``|r|`` exceeds it.
    """
    n, k = x.shape
    groups = np.zeros(k, dtype=int)
    if n < 3:
        return groups
    centred = x.astype("float64") - x.mean(axis=0, dtype="float64")
    norms = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(norms > 0, norms, 1.0)
    linked = np.abs(unit.T @ unit) > above
    number = 0
    for first in range(k):
        if groups[first] or linked[first].sum() - linked[first, first] == 0:
            continue
        number += 1
        waiting = [first]
        while waiting:
            current = waiting.pop()
            groups[current] = number
            waiting += [
                j for j in np.flatnonzero(linked[current]).tolist() if not groups[j] and j not in waiting
            ]
    return groups
