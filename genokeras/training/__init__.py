"""Packed training: all folds, seeds and hyper-parameter variants of one graph in one compiled loop."""

from genokeras.training.allotment import Allotment, Plan
from genokeras.training.members import NetworkSettings, train_member
from genokeras.training.optimizers.registry import OPTIMIZERS, get_optimizer, get_update
from genokeras.training.packed import PackedTrainer
from genokeras.training.random_state import seed_noise, seeded
from genokeras.training.samples import Samples
from genokeras.training.schedules import Cosine, Plateau, Ramp, Schedule
from genokeras.training.snapshot import load_snapshot, save_snapshot
from genokeras.training.steps import (
    KeptVariables,
    Position,
    evaluate_batches,
    jit_compile,
    predict_batches,
    train_batch,
    train_steps,
)
from genokeras.training.task import MixedTask, PackedResult, PackedTask, TrainingSettings, TrialNetwork
from genokeras.training.torch_nets import (
    TorchNet,
    TorchOptimizer,
    is_torch_net,
    is_torch_optimizer,
    load_torch_net,
    torch_summary,
)
from genokeras.training.trainee import Trainee

__all__ = [
    "OPTIMIZERS",
    "Allotment",
    "Cosine",
    "KeptVariables",
    "MixedTask",
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
    "TorchNet",
    "TorchOptimizer",
    "Trainee",
    "TrainingSettings",
    "TrialNetwork",
    "evaluate_batches",
    "get_optimizer",
    "get_update",
    "is_torch_net",
    "is_torch_optimizer",
    "jit_compile",
    "load_snapshot",
    "load_torch_net",
    "predict_batches",
    "save_snapshot",
    "seed_noise",
    "seeded",
    "torch_summary",
    "train_batch",
    "train_member",
    "train_steps",
]
