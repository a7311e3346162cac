"""GenoKeras grows Keras networks for genomic data.

>>> import genokeras as gk
>>> clf = gk.GenomeClassifier(path="runs/leukemia").fit("leukemia.tsv.gz", "label", time_limit=60)  # doctest: +SKIP

Public names are imported when they are first used, so that ``import genokeras`` is instant and a Keras backend may
still be chosen behind it.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from genokeras.quiet import QuietTensorFlow

QuietTensorFlow.install()
# TensorFlow trains packed networks about twice as fast with oneDNN, and leaves it off on many processors. It asks once, when it
# is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

if TYPE_CHECKING:
    import genokeras.pretrained  # noqa: F401  (so that type checkers know gk.pretrained)
    from genokeras.data import Dataset, load_dataset, load_images, load_sequences, load_texts
    from genokeras.engine import Executor, MLflow, SearchCallback, TensorBoard, load_graph
    from genokeras.errors import (
        ConfigError,
        DataError,
        DataFileError,
        ExportError,
        GenoKerasError,
        GraphError,
        NewerFormatError,
        NotFittedError,
        OutOfMemoryError,
        ParameterError,
        RunFolderError,
        RunInUseError,
        SearchError,
        TrainingError,
    )
    from genokeras.estimators import (
        GenomeClassifier,
        GenomeRegressor,
        GenomeSurvival,
        ImageClassifier,
        ImageRegressor,
        LogTransformer,
        Panel,
        RowSpaceTransformer,
        ScreeningTransformer,
        SequenceClassifier,
        SequenceRegressor,
        TextClassifier,
        TextRegressor,
        load_estimator,
    )
    from genokeras.graph import Graph, HyperParameters
    from genokeras.keras_models import (
        ExportKeys,
        ExportSpec,
        HyperSearch,
        LightModel,
        ModeKeys,
        ModelCheckpoint,
        ModelSize,
        ModelSpec,
        Trainer,
        get_optimizer_fn,
        lr_range_test,
        run,
        search,
        seed_everything,
        summary,
    )
    from genokeras.modules import (
        MSE,
        Accuracy,
        CnnModule,
        MlpModule,
        classification_loss,
        regression_loss,
    )
    from genokeras.networks import from_keras
    from genokeras.projects import Project, auto
    from genokeras.report import plot_metric, to_pdf, visualize, write_explanation, write_report
    from genokeras.searchers import History, Proposal, Searcher, TrialResult
    from genokeras.tasks.known import register_task
    from genokeras.tasks.own_objectives import make_objective
    from genokeras.tasks.task import Task
    from genokeras.tuning import MorphOracle, ParamSpec, RangeTest, build_from_hyperparameters

__version__ = "0.2.0"

__all__ = [
    "MSE",
    "Accuracy",
    "CnnModule",
    "ConfigError",
    "DataError",
    "DataFileError",
    "Dataset",
    "Executor",
    "ExportError",
    "ExportKeys",
    "ExportSpec",
    "GenoKerasError",
    "GenomeClassifier",
    "GenomeRegressor",
    "GenomeSurvival",
    "Graph",
    "GraphError",
    "History",
    "HyperParameters",
    "HyperSearch",
    "ImageClassifier",
    "ImageRegressor",
    "LightModel",
    "LogTransformer",
    "MLflow",
    "MlpModule",
    "ModeKeys",
    "ModelCheckpoint",
    "ModelSize",
    "ModelSpec",
    "MorphOracle",
    "NewerFormatError",
    "NotFittedError",
    "OutOfMemoryError",
    "Panel",
    "ParamSpec",
    "ParameterError",
    "Project",
    "Proposal",
    "RangeTest",
    "RowSpaceTransformer",
    "RunFolderError",
    "RunInUseError",
    "ScreeningTransformer",
    "SearchCallback",
    "SearchError",
    "Searcher",
    "SequenceClassifier",
    "SequenceRegressor",
    "Task",
    "TensorBoard",
    "TextClassifier",
    "TextRegressor",
    "Trainer",
    "TrainingError",
    "TrialResult",
    "__version__",
    "auto",
    "build_from_hyperparameters",
    "classification_loss",
    "from_keras",
    "get_optimizer_fn",
    "load_dataset",
    "load_estimator",
    "load_graph",
    "load_images",
    "load_sequences",
    "load_texts",
    "lr_range_test",
    "make_objective",
    "plot_metric",
    "register_task",
    "regression_loss",
    "run",
    "search",
    "seed_everything",
    "summary",
    "to_pdf",
    "visualize",
    "write_explanation",
    "write_report",
]

_HOMES = {
    "Accuracy": "modules",
    "CnnModule": "modules",
    "ConfigError": "errors",
    "DataError": "errors",
    "DataFileError": "errors",
    "Dataset": "data",
    "Executor": "engine",
    "ExportError": "errors",
    "ExportKeys": "keras_models",
    "ExportSpec": "keras_models",
    "GenoKerasError": "errors",
    "GenomeClassifier": "estimators",
    "GenomeRegressor": "estimators",
    "GenomeSurvival": "estimators",
    "Graph": "graph",
    "GraphError": "errors",
    "History": "searchers",
    "HyperParameters": "graph",
    "HyperSearch": "keras_models",
    "ImageClassifier": "estimators",
    "ImageRegressor": "estimators",
    "LightModel": "keras_models",
    "LogTransformer": "estimators",
    "MLflow": "engine",
    "MSE": "modules",
    "MlpModule": "modules",
    "ModeKeys": "keras_models",
    "ModelCheckpoint": "keras_models",
    "ModelSize": "keras_models",
    "ModelSpec": "keras_models",
    "MorphOracle": "tuning",
    "NewerFormatError": "errors",
    "NotFittedError": "errors",
    "OutOfMemoryError": "errors",
    "Panel": "estimators",
    "ParamSpec": "tuning",
    "ParameterError": "errors",
    "Project": "projects",
    "Proposal": "searchers",
    "RangeTest": "tuning",
    "RowSpaceTransformer": "estimators",
    "RunFolderError": "errors",
    "RunInUseError": "errors",
    "ScreeningTransformer": "estimators",
    "SearchCallback": "engine",
    "SearchError": "errors",
    "Searcher": "searchers",
    "SequenceClassifier": "estimators",
    "SequenceRegressor": "estimators",
    "Task": "tasks.task",
    "TensorBoard": "engine",
    "TextClassifier": "estimators",
    "TextRegressor": "estimators",
    "Trainer": "keras_models",
    "TrainingError": "errors",
    "TrialResult": "searchers",
    "auto": "projects",
    "build_from_hyperparameters": "tuning",
    "classification_loss": "modules",
    "from_keras": "networks",
    "get_optimizer_fn": "keras_models",
    "load_dataset": "data",
    "load_estimator": "estimators",
    "load_graph": "engine",
    "load_images": "data",
    "load_sequences": "data",
    "load_texts": "data",
    "lr_range_test": "keras_models",
    "make_objective": "tasks.own_objectives",
    "plot_metric": "report",
    "register_task": "tasks.known",
    "regression_loss": "modules",
    "run": "keras_models",
    "search": "keras_models",
    "seed_everything": "keras_models",
    "summary": "keras_models",
    "to_pdf": "report",
    "visualize": "report",
    "write_explanation": "report",
    "write_report": "report",
}

# Reached as gk.pretrained.ObjectDetector, without an import of its own.
_PACKAGES = ("pretrained",)


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return importlib.import_module(f"genokeras.{name}")
    if name not in _HOMES:
        hint = importlib.import_module("genokeras.support.wording").did_you_mean(name, _HOMES)
        message = f"module 'genokeras' has no attribute {name!r}.{hint}"
        raise AttributeError(message, name=name, obj=None)  # with obj, Python would add the same guess again
    value = getattr(importlib.import_module(f"genokeras.{_HOMES[name]}"), name)
    globals()[name] = value  # the next use finds it without coming here
    return value


def __dir__() -> list[str]:
    return list(__all__)
