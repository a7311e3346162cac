"""Estimators: the classes people use."""

from genokeras.estimators.genome import GenomeClassifier
from genokeras.estimators.image import ImageClassifier
from genokeras.estimators.loading import load_estimator
from genokeras.estimators.network_final import epochs_behind, trained_on_all
from genokeras.estimators.regressors import ImageRegressor, SequenceRegressor, TextRegressor
from genokeras.estimators.sequence import SequenceClassifier
from genokeras.estimators.text import TextClassifier

__all__ = [
    "GenomeClassifier",
    "ImageClassifier",
    "ImageRegressor",
    "SequenceClassifier",
    "SequenceRegressor",
    "TextClassifier",
    "TextRegressor",
    "epochs_behind",
    "load_estimator",
    "trained_on_all",
]
