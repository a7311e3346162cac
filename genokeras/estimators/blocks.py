"""Several blocks of the same samples in a fit: the matrix that is learnt from, its views, and the networks that a search starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from genokeras.data import Dataset
from genokeras.data.block import Block
from genokeras.data.blocks import MASK
from genokeras.errors import DataError
from genokeras.features import Matrix, available_views, block_of, block_views, column_blocks
from genokeras.graph import Graph, multi_view

# Further Inputs of the networks that read several blocks from the start: a graph has four at most.
_MOST_FURTHER = 3


class TrainingMatrix(NamedTuple):
    """What views are fitted to.

    Attributes
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, without missing values.
    stand_ins : numpy.ndarray or None
        ``(n_features,)``, of missing values.
    present : numpy.ndarray or None
        ``(n_samples, n_blocks)`` bool: which samples have which block; None where all have all.
    """

    x: Matrix
    stand_ins: np.ndarray | None
    present: np.ndarray | None


def training_matrix(dataset: Dataset, held: Dataset | None, x: Matrix, missing_blocks: str) -> TrainingMatrix:
    """The matrix of all samples, with the means of the training samples where one lacks a block.

    Parameters
    ----------
    dataset : Dataset
        Training samples.
    held : Dataset or None
        Validation samples, whose rows stand behind those in ``x``.
    x : numpy.ndarray or scipy.sparse.csr_matrix
    missing_blocks : {"drop", "mask"}

    Raises
    ------
    DataError
        If samples lack blocks, and must not.
    """
    if dataset.present is not None and missing_blocks != MASK:
        raise DataError(
            f"{dataset.source}: {int((~dataset.present).any(axis=1).sum())} of {dataset.n_samples} samples lack a block. Fit with "
            "missing_blocks='mask', as they were loaded, or load them with missing_blocks='drop'."
        )
    if not dataset.blocks or missing_blocks != MASK:
        return TrainingMatrix(x, dataset.medians, None)
    parts = [_presence(dataset, dataset.blocks), *([] if held is None else [_presence(held, dataset.blocks)])]
    present = np.concatenate(parts)
    means = np.zeros(x.shape[1], dtype="float32")
    for columns, values in column_blocks(x[: dataset.n_samples]):
        known = ~np.isnan(values)
        counts = known.sum(axis=0)
        means[columns] = np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return TrainingMatrix(_filled(x, means), means, None if present.all() else present)


def views_of(dataset: Dataset, names: Sequence[str], n_samples: int) -> tuple[str, ...]:
    """Those of these views that the data allow; where there are blocks, of each and of all together."""
    if not dataset.blocks:
        return available_views(dataset.n_features, tuple(names), n_samples=n_samples)
    if any(block_of(name) for name in names):
        return tuple(names)
    return block_views(dataset.x, dataset.blocks, names)


def fusing_fathers(blocks: Sequence[Block], views: Mapping[str, int], n_outputs: int) -> list[str | Graph]:
    """What a search over several blocks starts from: beside the usual networks one with an Input for each block.

    Its logits add up a linear model of each, and its hidden layer sees all.
    """
    wholes = [name for name in (f"{block.name}/all" for block in blocks) if name in views]
    fathers: list[str | Graph] = ["linear", "mlp"]
    if len(wholes) > 1:
        fathers.append(multi_view(n_outputs, wholes[1 : 1 + _MOST_FURTHER]))
    return fathers


def _presence(dataset: Dataset, blocks: Sequence[Block]) -> np.ndarray:
    if dataset.present is not None:
        return dataset.present
    return np.ones((dataset.n_samples, len(blocks)), dtype=bool)


def _filled(x: Matrix, means: np.ndarray) -> Matrix:
    if isinstance(x, sparse.csr_matrix):
        lost = np.isnan(x.data)
        found: Any = x.copy()
        found.data[lost] = means[x.indices[lost]]
        return found
    lost = np.isnan(x)
    return np.where(lost, means, x) if lost.any() else np.asarray(x)
