"""Runs of sequences, images and texts: encoders, convolutional networks trained one by one, one delivered model."""

from __future__ import annotations

from genokeras.spatial.allotment import Allotment, Plan
from genokeras.spatial.arrays import CHANNELS_FIRST, FLAT, KEPT, ArrayEncoder
from genokeras.spatial.attributions import SpatialExplanation, explain_rows
from genokeras.spatial.backbone import BackboneEncoder, fit_backbone_encoder
from genokeras.spatial.encoding import COUNTS, TENSOR, Counts, Encoder, Rows, n_rows, take
from genokeras.spatial.final import epochs_behind, trained_on_all
from genokeras.spatial.images import ImageEncoder, fit_image_encoder
from genokeras.spatial.inference import predict
from genokeras.spatial.loss_task import LossTask, is_of_keras
from genokeras.spatial.model import TrainedNetwork, merged_model
from genokeras.spatial.motifs import Motif, filter_motifs, write_meme
from genokeras.spatial.motion import moves_matter
from genokeras.spatial.problem import (
    SpatialProblem,
    has_problem,
    read_problem,
    split,
    split_plainly,
    write_problem,
)
from genokeras.spatial.run import (
    LoadedNetwork,
    SpatialRun,
    finish,
    load_network,
    open_run,
    trained_network,
)
from genokeras.spatial.runner import NetworkRunner
from genokeras.spatial.sequences import WINDOW, SequenceEncoder, fit_sequence_encoder
from genokeras.spatial.strands import places_loose, strands_alike
from genokeras.spatial.tasks import Classes, Numbers, Task, numbers_like
from genokeras.spatial.texts import TextEncoder, fit_text_encoder
from genokeras.spatial.training import NetworkSettings, Samples, Trainee, train_member

__all__ = [
    "CHANNELS_FIRST",
    "COUNTS",
    "FLAT",
    "KEPT",
    "TENSOR",
    "WINDOW",
    "Allotment",
    "ArrayEncoder",
    "BackboneEncoder",
    "Classes",
    "Counts",
    "Encoder",
    "ImageEncoder",
    "LoadedNetwork",
    "LossTask",
    "Motif",
    "NetworkRunner",
    "NetworkSettings",
    "Numbers",
    "Plan",
    "Rows",
    "Samples",
    "SequenceEncoder",
    "SpatialExplanation",
    "SpatialProblem",
    "SpatialRun",
    "Task",
    "TextEncoder",
    "TrainedNetwork",
    "Trainee",
    "epochs_behind",
    "explain_rows",
    "filter_motifs",
    "finish",
    "fit_backbone_encoder",
    "fit_image_encoder",
    "fit_sequence_encoder",
    "fit_text_encoder",
    "has_problem",
    "is_of_keras",
    "load_network",
    "merged_model",
    "moves_matter",
    "n_rows",
    "numbers_like",
    "open_run",
    "places_loose",
    "predict",
    "read_problem",
    "split",
    "split_plainly",
    "strands_alike",
    "take",
    "train_member",
    "trained_network",
    "trained_on_all",
    "write_meme",
    "write_problem",
]
