"""AutoGenome-style projects: an experiment described in one JSON file."""

from __future__ import annotations

from genokeras.projects.config import EnasConfig, ProjectConfig, read_config
from genokeras.projects.data import (
    ProjectData,
    evaluates_training_file,
    load_evaluation,
    load_names,
    load_prediction,
    load_training,
    split_rows,
)
from genokeras.projects.project import Project, auto

__all__ = [
    "EnasConfig",
    "Project",
    "ProjectConfig",
    "ProjectData",
    "auto",
    "evaluates_training_file",
    "load_evaluation",
    "load_names",
    "load_prediction",
    "load_training",
    "read_config",
    "split_rows",
]
