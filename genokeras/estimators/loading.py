"""A run folder -> the classifier that made it."""

from __future__ import annotations

import os

from genokeras.errors import RunFolderError
from genokeras.estimators.base import SearchedClassifier
from genokeras.estimators.genome import GenomeClassifier
from genokeras.estimators.image import ImageClassifier
from genokeras.estimators.sequence import SequenceClassifier
from genokeras.estimators.text import TextClassifier
from genokeras.runs import RunFolder

_BY_KIND: dict[str | None, type[SearchedClassifier]] = {
    None: GenomeClassifier,
    **{kind.kind: kind for kind in (SequenceClassifier, ImageClassifier, TextClassifier)},
}


def load_estimator(path: str | os.PathLike[str]) -> SearchedClassifier:
    """Restore whichever classifier a run folder belongs to.

    Raises
    ------
    RunFolderError
        If the folder holds no run, one of an unknown kind, or none of its trials was finished.
    """
    kind = RunFolder(path).settings.get("kind")
    if kind not in _BY_KIND:
        raise RunFolderError(
            f"{os.fspath(path)!r} holds a run of {kind!r}, which this version of GenoKeras does not know."
        )
    return _BY_KIND[kind].load(path)
