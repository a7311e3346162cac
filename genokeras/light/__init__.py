"""Training of any Keras model: batch by batch, resumable at every one of them."""

from __future__ import annotations

from genokeras.light.model import LightModel
from genokeras.light.progress import Best
from genokeras.light.row_metrics import RowMetric
from genokeras.light.snapshot import load_snapshot, save_snapshot
from genokeras.light.steps import Position, evaluate_batches, predict_batches, train_steps

__all__ = [
    "Best",
    "LightModel",
    "Position",
    "RowMetric",
    "evaluate_batches",
    "load_snapshot",
    "predict_batches",
    "save_snapshot",
    "train_steps",
]
