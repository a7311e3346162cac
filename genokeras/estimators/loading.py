"""A run folder -> the estimator that made it."""

from __future__ import annotations

import os

from genokeras.engine.faces import estimator_name
from genokeras.errors import RunFolderError
from genokeras.estimators.base import SearchedEstimator
from genokeras.estimators.genome import GenomeClassifier, GenomeRegressor
from genokeras.estimators.image import ImageClassifier, ImageRegressor
from genokeras.estimators.sequence import SequenceClassifier, SequenceRegressor
from genokeras.estimators.survival import GenomeSurvival
from genokeras.estimators.text import TextClassifier, TextRegressor
from genokeras.support import RunFolder

_ESTIMATORS: dict[str, type[SearchedEstimator]] = {
    kind.__name__: kind
    for kind in (
        GenomeClassifier,
        GenomeRegressor,
        GenomeSurvival,
        ImageClassifier,
        ImageRegressor,
        SequenceClassifier,
        SequenceRegressor,
        TextClassifier,
        TextRegressor,
    )
}


def load_estimator(path: str | os.PathLike[str]) -> SearchedEstimator:
    """Restore whichever estimator a run folder belongs to.

    Raises
    ------
    RunFolderError
        If the folder holds no run, one of an unknown kind, or none of its trials was finished.
    """
    settings = RunFolder(path).settings
    name = estimator_name(settings)
    if name.endswith("Module"):  # it may need its loss or metric again
        raise RunFolderError(f"{os.fspath(path)!r} holds a run of {name}: load it with gk.{name}.load(path).")
    if name not in _ESTIMATORS:
        raise RunFolderError(
            f"{os.fspath(path)!r} holds a run of {name}, which this version of GenoKeras does not know."
        )
    return _ESTIMATORS[name].load(path)
