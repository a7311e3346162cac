"""Fitted preprocessing: standardisation, exact row space, views; every map can be folded into a network."""

from genokeras.features.rowspace import RowSpace, fit_row_space, restrict
from genokeras.features.standardise import (
    Matrix,
    Standardisation,
    column_blocks,
    standardisation,
    standardised_blocks,
)
from genokeras.features.views import DEFAULT_VIEWS, FittedView, anova_f, available_views, fit_view

__all__ = [
    "DEFAULT_VIEWS",
    "FittedView",
    "Matrix",
    "RowSpace",
    "Standardisation",
    "anova_f",
    "available_views",
    "column_blocks",
    "fit_row_space",
    "fit_view",
    "restrict",
    "standardisation",
    "standardised_blocks",
]
