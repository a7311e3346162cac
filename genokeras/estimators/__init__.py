"""Estimators: the classes people use."""

from genokeras.estimators.genome import GenomeClassifier, GenomeRegressor
from genokeras.estimators.image import ImageClassifier, ImageRegressor
from genokeras.estimators.loading import load_estimator
from genokeras.estimators.panels import Panel
from genokeras.estimators.screening import ScreeningTransformer
from genokeras.estimators.sequence import SequenceClassifier, SequenceRegressor
from genokeras.estimators.survival import GenomeSurvival
from genokeras.estimators.text import TextClassifier, TextRegressor
from genokeras.estimators.transformers import LogTransformer, RowSpaceTransformer

__all__ = [
    "GenomeClassifier",
    "GenomeRegressor",
    "GenomeSurvival",
    "ImageClassifier",
    "ImageRegressor",
    "LogTransformer",
    "Panel",
    "RowSpaceTransformer",
    "ScreeningTransformer",
    "SequenceClassifier",
    "SequenceRegressor",
    "TextClassifier",
    "TextRegressor",
    "load_estimator",
]
