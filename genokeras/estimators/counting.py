"""Samples of weight 0 are left out of what a model is trained and judged on, so that they have no effect at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.data import Dataset, impute_median
from genokeras.errors import DataError
from genokeras.estimators.content import Content, weights_of
from genokeras.support.wording import counted, listed
from genokeras.tasks.answers import CLASSES
from genokeras.tasks.task import Aim, Labelled, Task


def counted_samples(content: Content, sample_weight: Any) -> tuple[Content, np.ndarray]:
    """The samples of weight above 0, with a note where there are others.

    Parameters
    ----------
    content : Content
        Its labels and groups go along.
    sample_weight : array-like of shape (n_samples,) or None

    Returns
    -------
    content : Content
    weight : numpy.ndarray
        ``(n_counted,)`` float64.

    Raises
    ------
    DataError
        As `genokeras.data.check_sample_weight`.
    """
    weight = weights_of(content, sample_weight)
    kept = weight > 0
    return of_rows(content, kept), weight[kept]


def of_rows(content: Content, kept: np.ndarray) -> Content:
    """The samples that a mask keeps because their weight is above 0, with a note where there are others."""
    if kept.all():
        return content
    note = f"Left out, because they neither train nor score: {_weightless(kept)}."
    found = content.select(kept) if isinstance(content, Dataset) else content.take(kept)
    return replace(found, notes=(*found.notes, note))


def with_medians_of(content: Content, with_gaps: Callable[[], Content], kept: np.ndarray) -> Content:
    """Samples whose missing values are filled with the medians of those that a mask keeps.

    Parameters
    ----------
    content : Content
        Where it is a table with medians, these are of all samples.
    with_gaps : callable
        Reads the same samples with their missing values.
    kept : numpy.ndarray
        ``(n_samples,)`` bool.
    """
    if kept.all() or not isinstance(content, Dataset) or content.medians is None:
        return content
    gaps = with_gaps()
    assert isinstance(gaps, Dataset)
    medians = impute_median(gaps.x[np.flatnonzero(kept)])[1]
    return replace(content, x=impute_median(gaps.x, medians)[0], medians=medians)


def counted_aim(task: type[Task], labels: Labelled, kept: np.ndarray) -> Aim:
    """What is to be learnt of the samples of weight above 0.

    Parameters
    ----------
    task : type of Task
    labels : Labelled
        Of all samples.
    kept : numpy.ndarray
        ``(n_samples,)`` bool.

    Raises
    ------
    DataError
        If nothing can be learnt of these labels, or all samples of a class have weight 0.
    """
    whole = task.learn(labels)
    if kept.all():
        return whole
    if whole.task.answers.kind == CLASSES.kind:
        lost = np.setdiff1d(whole.targets, whole.targets[kept])
        if len(lost):
            named = listed((repr(str(whole.names[code])) for code in lost), 8)
            raise DataError(
                f"sample_weight is 0 for all samples of {named} ({labels.source}), so nothing could be learnt of it. Give a sample of each "
                "class a weight above 0, or leave the samples of that class out."
            )
    return task.learn(
        replace(
            labels,
            values=labels.values[kept],
            samples=tuple(name for name, counts in zip(labels.samples, kept, strict=True) if counts),
            source=f"{labels.source}, without {_weightless(kept)}",
            weight=None if labels.weight is None else labels.weight[kept],
        )
    )


def _weightless(kept: np.ndarray) -> str:
    return f"{counted(int((~kept).sum()), 'sample')} of weight 0"
