"""A project's configuration: one commented JSON file, read and checked as a whole."""

from __future__ import annotations

from genokeras.projects.config.models import EvaluateArgs, PredictArgs
from genokeras.projects.config.reading import BaseConfig, EnasConfig, ProjectConfig, read_config

__all__ = [
    "BaseConfig",
    "EnasConfig",
    "EvaluateArgs",
    "PredictArgs",
    "ProjectConfig",
    "read_config",
]
