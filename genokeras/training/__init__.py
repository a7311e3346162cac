"""Packed training: all folds, seeds and hyper-parameter variants of one graph in one compiled loop."""

from genokeras.training.optimizers import OPTIMIZERS, get_optimizer, get_update
from genokeras.training.packed import PackedTrainer
from genokeras.training.schedules import Cosine, Plateau, Ramp, Schedule
from genokeras.training.task import PackedResult, PackedTask, TrainingSettings

__all__ = [
    "OPTIMIZERS",
    "Cosine",
    "PackedResult",
    "PackedTask",
    "PackedTrainer",
    "Plateau",
    "Ramp",
    "Schedule",
    "TrainingSettings",
    "get_optimizer",
    "get_update",
]
