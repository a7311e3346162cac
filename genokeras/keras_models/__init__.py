"""Any Keras model: LightModel, gk.search, gk.run, HyperSearch."""

from genokeras.keras_models.epoch_history import Best
from genokeras.keras_models.hyper_search import HyperSearch
from genokeras.keras_models.light_model import LightModel
from genokeras.keras_models.model_spec import ModelSpec
from genokeras.keras_models.moxing_names import (
    ExportKeys,
    ExportSpec,
    ModeKeys,
    ModelSize,
    get_optimizer_fn,
)
from genokeras.keras_models.range_test_plot import plot_range_tests
from genokeras.keras_models.rate_range import lr_range_test
from genokeras.keras_models.row_metrics import RowMetric
from genokeras.keras_models.run import run
from genokeras.keras_models.run_training import FinishedTraining
from genokeras.keras_models.search import search
from genokeras.keras_models.trainer import ModelCheckpoint, Trainer, seed_everything, summary

__all__ = [
    "Best",
    "ExportKeys",
    "ExportSpec",
    "FinishedTraining",
    "HyperSearch",
    "LightModel",
    "ModeKeys",
    "ModelCheckpoint",
    "ModelSize",
    "ModelSpec",
    "RowMetric",
    "Trainer",
    "get_optimizer_fn",
    "lr_range_test",
    "plot_range_tests",
    "run",
    "search",
    "seed_everything",
    "summary",
]
