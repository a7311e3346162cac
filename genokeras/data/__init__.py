"""Samples, genes and labels: read from files or memory, checked once, split into folds."""

from __future__ import annotations

from genokeras.data.align import align_features
from genokeras.data.checks import impute_median
from genokeras.data.dataset import Dataset
from genokeras.data.folds import Folds, holdout_folds, make_folds
from genokeras.data.labels import Labels, encode_known_labels, encode_labels
from genokeras.data.load import load_dataset, require_labels
from genokeras.data.readers import known_suffixes, register_reader
from genokeras.data.table import Reader, ReadOptions, Table

__all__ = [
    "Dataset",
    "Folds",
    "Labels",
    "ReadOptions",
    "Reader",
    "Table",
    "align_features",
    "encode_known_labels",
    "encode_labels",
    "holdout_folds",
    "impute_median",
    "known_suffixes",
    "load_dataset",
    "make_folds",
    "register_reader",
    "require_labels",
]
