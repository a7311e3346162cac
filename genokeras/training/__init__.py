"""Packed training: all folds, seeds and hyper-parameter variants of one graph in one compiled loop."""

from genokeras.training.packed import PackedTrainer
from genokeras.training.task import PackedResult, PackedTask, TrainingSettings

__all__ = ["PackedResult", "PackedTask", "PackedTrainer", "TrainingSettings"]
