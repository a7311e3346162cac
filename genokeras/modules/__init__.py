"""Classic AutoKeras' modules: a loss, a metric and data of any make in, a search for one network, that network out."""

from __future__ import annotations

from genokeras.modules.classic import CnnModule, MlpModule
from genokeras.modules.losses import classification_loss, regression_loss
from genokeras.modules.metrics import MSE, Accuracy, Metric
from genokeras.modules.module import NetModule

__all__ = [
    "MSE",
    "Accuracy",
    "CnnModule",
    "Metric",
    "MlpModule",
    "NetModule",
    "classification_loss",
    "regression_loss",
]
