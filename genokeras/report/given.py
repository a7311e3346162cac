"""Samples that a report is given, read as ``fit`` reads them, with their targets where these are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from genokeras.data import (
    Dataset,
    ImageData,
    SequenceData,
    TextData,
    align_features,
    load_dataset,
    load_images,
    load_sequences,
    load_texts,
    read_targets,
    target_names,
)
from genokeras.data.block import reading_of
from genokeras.encoders import ImageEncoder, SequenceEncoder, TextEncoder
from genokeras.engine import Run
from genokeras.errors import DataError, ParameterError
from genokeras.report.answers import of_classes
from genokeras.report.finished import kind_of
from genokeras.tasks.task import Labelled

Samples = SequenceData | ImageData | TextData
_LOADERS: dict[str, Callable[..., Samples]] = {
    SequenceEncoder.kind: load_sequences,
    ImageEncoder.kind: load_images,
    TextEncoder.kind: partial(load_texts, empty="keep"),
}


def check_groups_given(x: Any, groups: Any) -> None:
    """Raise ``ParameterError`` where groups came without the samples that they are of."""
    if x is None and groups is not None:
        raise ParameterError("groups are of the samples x, which is missing.")


def given_dataset(run: Run, x: Any, y: Any = None, groups: Any = None) -> tuple[Dataset, np.ndarray | None]:
    """Samples of genes that a user passes, genes in the run's order, and their targets where they are known.

    Raises
    ------
    DataError
        If they do not have the run's genes, or a label is none of its classes.
    """
    several = not of_classes(run)
    read = isinstance(x, Dataset) and y is None and groups is None
    reading = reading_of(run.folder.settings)
    found = x
    if not read:
        found = load_dataset(x, y, groups=groups, missing="keep", several_targets=several, **reading)
    dataset = align_features(found, run.feature_names)
    if dataset.y is None:
        return dataset, None
    labels = Labelled(dataset.y, target_names(y), dataset.sample_ids, dataset.source)
    return dataset, run.task.read(labels, run.names)


def given_samples(run: Run, x: Any, y: Any = None, groups: Any = None) -> tuple[Samples, np.ndarray]:
    """Sequences, images or texts that a user passes, and their targets.

    Raises
    ------
    DataError
        If they cannot be read, came without targets, or a label is none of the run's classes.
    ParameterError
        If the run is of other samples.
    """
    if run.kind not in _LOADERS:
        raise ParameterError(
            f"{str(run.folder.path)!r} holds a run of {kind_of(run).sample}s in memory, and its report looks at none: leave out x and y."
        )
    several = not of_classes(run)
    content, values = _read(partial(_LOADERS[run.kind], groups=groups), x, y, groups is None, several)
    if values is None:
        raise DataError(
            f"{content.source} came without labels, and a report of {kind_of(run).sample}s looks at samples to score them: pass y as an array, "
            "the name of a column, or a file of labels."
        )
    return content, run.task.read(Labelled(values, target_names(y), content.names, content.source), run.names)


def _read(
    load: Callable[[Any, Any], Samples], x: Any, y: Any, whole: bool, several: bool
) -> tuple[Samples, np.ndarray | None]:
    """The samples, and their labels as they came.

    `whole`: those read before lack nothing but, perhaps, labels. `several`: a list of text may name columns; else it holds labels.
    """
    if y is None or not several:
        content = x if isinstance(x, Samples) and y is None and whole else load(x, y)
        return content, content.labels
    read: list[Samples] = []

    def labels(column: Any) -> np.ndarray:
        read.append(load(x, column))
        return np.asarray(read[-1].labels)

    values = read_targets(y, labels)
    return read[0], values
