"""Fitted preprocessing: standardisation, exact row space, views; every map can be folded into a network."""

from genokeras.features.logarithm import EPSILON as LOG_EPSILON
from genokeras.features.logarithm import log_factors, log_normalised
from genokeras.features.rowspace import RowSpace, fit_row_space, restrict
from genokeras.features.standardise import (
    Matrix,
    Standardisation,
    column_blocks,
    standardisation,
    standardised_blocks,
)
from genokeras.features.views import DEFAULT_VIEWS, FittedView, anova_f, available_views, fit_views

__all__ = [
    "DEFAULT_VIEWS",
    "LOG_EPSILON",
    "FittedView",
    "Matrix",
    "RowSpace",
    "Standardisation",
    "anova_f",
    "available_views",
    "column_blocks",
    "fit_row_space",
    "fit_views",
    "log_factors",
    "log_normalised",
    "restrict",
    "standardisation",
    "standardised_blocks",
]
