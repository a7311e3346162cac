"""Any Keras model: LightModel, gk.search, gk.run, HyperSearch."""

from genokeras.keras_models.hyper_search import HyperSearch
from genokeras.keras_models.light_model import LightModel
from genokeras.keras_models.model_spec import ModelSpec
from genokeras.keras_models.plots import plot_search
from genokeras.keras_models.progress import Best
from genokeras.keras_models.range_model import lr_range_test
from genokeras.keras_models.row_metrics import RowMetric
from genokeras.keras_models.run import run
from genokeras.keras_models.search import search
from genokeras.keras_models.spec_training import Training

__all__ = [
    "Best",
    "HyperSearch",
    "LightModel",
    "ModelSpec",
    "RowMetric",
    "Training",
    "lr_range_test",
    "plot_search",
    "run",
    "search",
]
