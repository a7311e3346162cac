"""Samples and labels (genes, sequences, images, texts): read from files or memory, checked once, split into folds."""

from __future__ import annotations

from genokeras.data.align import align_features, align_with_fill
from genokeras.data.checks import impute_median
from genokeras.data.dataset import Dataset
from genokeras.data.dropping import dropped_names
from genokeras.data.folds import (
    Folds,
    choose_folds,
    further_splits,
    holdout_folds,
    make_folds,
    make_plain_folds,
    usual_folds,
)
from genokeras.data.gaps import warn_of_gaps
from genokeras.data.images import ImageData, load_images
from genokeras.data.labels import Labels, encode_known_labels, encode_labels
from genokeras.data.load import load_dataset, require_labels
from genokeras.data.quantities import (
    as_numbers,
    check_varied,
    column_parts,
    few_values_note,
    names_columns,
    read_targets,
    spells_number,
    target_name,
    target_names,
)
from genokeras.data.readers import known_suffixes, register_reader
from genokeras.data.sequences import SequenceData, load_sequences
from genokeras.data.study_folds import coincidence_notes, leave_one_study_out
from genokeras.data.table import Reader, ReadOptions, Table
from genokeras.data.texts import TextData, load_texts
from genokeras.data.weights import check_sample_weight, relative_weights

__all__ = [
    "Dataset",
    "Folds",
    "ImageData",
    "Labels",
    "ReadOptions",
    "Reader",
    "SequenceData",
    "Table",
    "TextData",
    "align_features",
    "align_with_fill",
    "as_numbers",
    "check_sample_weight",
    "check_varied",
    "choose_folds",
    "coincidence_notes",
    "column_parts",
    "dropped_names",
    "encode_known_labels",
    "encode_labels",
    "few_values_note",
    "further_splits",
    "holdout_folds",
    "impute_median",
    "known_suffixes",
    "leave_one_study_out",
    "load_dataset",
    "load_images",
    "load_sequences",
    "load_texts",
    "make_folds",
    "make_plain_folds",
    "names_columns",
    "read_targets",
    "register_reader",
    "relative_weights",
    "require_labels",
    "spells_number",
    "target_name",
    "target_names",
    "usual_folds",
    "warn_of_gaps",
]
