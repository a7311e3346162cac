"""Packed training: all folds, seeds and hyper-parameter variants of one graph in one compiled loop."""

from genokeras.training.allotment import Allotment, Plan
from genokeras.training.members import NetworkSettings, Samples, Trainee, train_member
from genokeras.training.optimizers.registry import OPTIMIZERS, get_optimizer, get_update
from genokeras.training.packed import PackedTrainer
from genokeras.training.schedules import Cosine, Plateau, Ramp, Schedule
from genokeras.training.snapshot import load_snapshot, save_snapshot
from genokeras.training.steps import Position, evaluate_batches, predict_batches, train_steps
from genokeras.training.task import PackedResult, PackedTask, TrainingSettings

__all__ = [
    "OPTIMIZERS",
    "Allotment",
    "Cosine",
    "NetworkSettings",
    "PackedResult",
    "PackedTask",
    "PackedTrainer",
    "Plan",
    "Plateau",
    "Position",
    "Ramp",
    "Samples",
    "Schedule",
    "Trainee",
    "TrainingSettings",
    "evaluate_batches",
    "get_optimizer",
    "get_update",
    "load_snapshot",
    "predict_batches",
    "save_snapshot",
    "train_member",
    "train_steps",
]
