"""What a biologist asks of a gene beside its importance: fold change and t-test, or correlation with the target; copies of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from genokeras.data.block import Block
from genokeras.errors import DataError
from genokeras.explain.checks import as_rows
from genokeras.explain.scales import fit_for_tests
from genokeras.support.wording import listed

# Spread below this share of the largest value is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Association:
    """How each gene goes with each class or target, by itself and without a model.

    Attributes
    ----------
    output_names : tuple of str
        The classes or targets.
    effect_name : {"log2_fold_change", "pearson_r"}
    effect : numpy.ndarray
        ``(n_features, n_outputs)`` mean of the class against mean of the rest, or correlation with the target. Of intensities, a
        mean below zero counts as zero.
    p_value : numpy.ndarray
        ``(n_features, n_outputs)`` of the test; 1 for constant genes.
    q_value : numpy.ndarray
        The same, corrected for the number of genes (Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57: 289-300).
    """

    output_names: tuple[str, ...]
    effect_name: str
    effect: np.ndarray
    p_value: np.ndarray
    q_value: np.ndarray


def class_changes(
    x: Any, y: Any, classes: Sequence[Any], logged: bool | None = None, blocks: Sequence[Block] = ()
) -> Association:
    """Fold changes and t-tests of labelled samples, each class against all others.

    The p-value is the larger one of Welch's (1947, Biometrika 34: 28-35) and Student's (1908, Biometrika 6: 1-25) t-test. Student's is too
    bold where a small class varies more than the rest, Welch's where it shows no spread by luck, as counts that are mostly zero often do.

    Parameters
    ----------
    x : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels.
    classes : sequence
        The classes that are compared with the rest.
    logged : bool, optional
        Whether ``x`` holds logarithms (base 2) already; by default unless most columns exceed 50, or several of a sparse table that begin
        at about zero do, as counts do. One column among the genes, such as age, decides nothing. Other data are compared by their means
        and tested as ``arcsinh(10 x / median)``, a logarithm that is defined for zeros and negative intensities.
    blocks : sequence of Block
        Columns of each assay, where several are joined: each is looked at by itself.

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
            f"{len(labels)} labelled samples; the labels are {listed(sorted(set(labels)))}."
        )
    tested, offset = fit_for_tests(rows, logged, blocks)
    effects = [_change(rows, labels == name, offset) for name in names]
    p_values = [_cautious_p_values(tested, labels == name) for name in names]
    return _association(names, "log2_fold_change", effects, p_values)


def target_correlations(
    x: Any, y: Any, targets: Sequence[Any], logged: bool | None = None, blocks: Sequence[Block] = ()
) -> Association:
    """Pearson's correlation of each gene with each target, and its t-test.

    Parameters
    ----------
    x : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Numbers.
    targets : sequence
        What the numbers are called.
    logged : bool, optional
        As in `class_changes`; data that are not are correlated as ``arcsinh(10 x / median)``.
    blocks : sequence of Block
        As in `class_changes`.

    Raises
    ------
    DataError
        If there are fewer than three samples, or numbers are missing, infinite, or the same for all samples, or there is not one
        column for each target.
    """
    rows, given = as_rows(x, "x").astype("float64"), np.asarray(y)
    numbers = as_rows(given[:, None] if given.ndim == 1 else given, "y").astype("float64")
    if numbers.shape[1] != len(targets):
        raise DataError(
            f"y must have one column per target: expected {len(targets)}, got {numbers.shape[1]}."
        )
    if len(numbers) != len(rows):
        raise DataError(f"y must have one row per sample: expected {len(rows)}, got {len(numbers)}.")
    if len(rows) < 3:
        raise DataError(f"a correlation needs three samples, got {len(rows)}.")
    names = tuple(str(name) for name in targets)
    constant = [name for name, column in zip(names, numbers.T, strict=True) if np.ptp(column) == 0]
    if constant:
        raise DataError(f"y must vary: {listed(constant)} is the same for all {len(rows)} samples.")
    r = unit_columns(fit_for_tests(rows, logged, blocks)[0]).T @ unit_columns(numbers)
    p = 2.0 * stats.t.sf(np.abs(r) * np.sqrt((len(rows) - 2) / np.maximum(1.0 - r**2, 1e-300)), len(rows) - 2)
    return _association(names, "pearson_r", list(r.T), list(p.T))


def _association(
    names: tuple[str, ...], effect_name: str, effects: list[np.ndarray], p_values: list[np.ndarray]
) -> Association:
    q_values = [stats.false_discovery_control(p) for p in p_values]
    effect, p_value, q_value = (np.stack(columns, axis=1) for columns in (effects, p_values, q_values))
    return Association(names, effect_name, effect, p_value, q_value)


def _change(x: np.ndarray, member: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Difference of means of each gene whose offset is NaN, which are logarithms; of others the log2 of their ratio."""
    inside, outside = x[member].mean(axis=0), x[~member].mean(axis=0)
    # Intensities of genes that are off may be below zero on average: they count as none.
    ratio = (np.maximum(inside, 0.0) + offset) / (np.maximum(outside, 0.0) + offset)
    return np.asarray(np.where(np.isnan(offset), inside - outside, np.log2(ratio)))


def _cautious_p_values(x: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The larger p-value of Welch's and Student's t-test of each gene, ``(n_features,)``.

    Genes without spread in either part have 0 where the two differ by more than rounding, and 1 elsewhere.
    """
    a, b = x[member], x[~member]
    rounding = _ROUNDING * np.abs(x).max(axis=0)
    varies = a.std(axis=0) + b.std(axis=0) > rounding
    p = np.where(np.abs(a.mean(axis=0) - b.mean(axis=0)) > rounding, 0.0, 1.0)
    with warnings.catch_warnings():
        # A class without spread, which Student's test is there for.
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        welch, student = (
            stats.ttest_ind(a[:, varies], b[:, varies], axis=0, equal_var=equal).pvalue
            for equal in (False, True)
        )
    p[varies] = np.maximum(welch, student)
    return np.asarray(p)


def copies(x: np.ndarray, above: float = 0.95) -> np.ndarray:
    """Groups of features that go together: numbers ``(k,)`` from 1 by first member, 0 for features without a copy.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, k)``; with fewer than three samples nothing is grouped.
    above : float
        Features are linked where ``|r|`` exceeds it.
    """
    if len(x) < 3:
        return np.zeros(x.shape[1], dtype=int)
    unit = unit_columns(x.astype("float64"))
    linked = np.abs(unit.T @ unit) > above
    _, label = connected_components(sparse.csr_array(linked), directed=False)
    alone = np.bincount(label)[label] == 1
    numbers = np.zeros(len(label), dtype=int)
    first_seen = list(dict.fromkeys(label[~alone].tolist()))
    for number, component in enumerate(first_seen, start=1):
        numbers[label == component] = number
    return numbers


def unit_columns(x: np.ndarray) -> np.ndarray:
    """Columns centred and of length 1; constant ones are 0."""
    centred = x - x.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    varies = norms > _ROUNDING * np.abs(x).max(axis=0) * np.sqrt(len(x))
    return np.where(varies, centred / np.where(varies, norms, 1.0), 0.0)
