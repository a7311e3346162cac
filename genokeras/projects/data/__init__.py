"""The files of a project: features, labels and names, read, checked, and split."""

from __future__ import annotations

from genokeras.projects.data.loading import (
    ProjectData,
    aligned,
    evaluates_training_file,
    load_evaluation,
    load_names,
    load_prediction,
    load_training,
)
from genokeras.projects.data.splitting import split_rows

__all__ = [
    "ProjectData",
    "aligned",
    "evaluates_training_file",
    "load_evaluation",
    "load_names",
    "load_prediction",
    "load_training",
    "split_rows",
]
