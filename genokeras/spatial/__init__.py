"""Runs of sequences, images and texts: encoders, convolutional networks trained one by one, one delivered model."""

from __future__ import annotations

from genokeras.spatial.allotment import Allotment, Plan
from genokeras.spatial.attributions import SpatialExplanation, explain_rows
from genokeras.spatial.encoding import Counts, Encoder, Rows, n_rows, take
from genokeras.spatial.images import ImageEncoder, fit_image_encoder
from genokeras.spatial.model import TrainedNetwork, merged_model, predict
from genokeras.spatial.motifs import Motif, filter_motifs, write_meme
from genokeras.spatial.problem import (
    COUNTS,
    TENSOR,
    SpatialProblem,
    has_problem,
    read_problem,
    split,
    write_problem,
)
from genokeras.spatial.run import LoadedNetwork, SpatialRun, finish, load_network, open_run
from genokeras.spatial.runner import NetworkRunner
from genokeras.spatial.sequences import SequenceEncoder, fit_sequence_encoder
from genokeras.spatial.strands import places_loose, strands_alike
from genokeras.spatial.tasks import Classes, Task
from genokeras.spatial.texts import TextEncoder, fit_text_encoder
from genokeras.spatial.training import NetworkSettings, Samples, Trainee, train_member

__all__ = [
    "COUNTS",
    "TENSOR",
    "Allotment",
    "Classes",
    "Counts",
    "Encoder",
    "ImageEncoder",
    "LoadedNetwork",
    "Motif",
    "NetworkRunner",
    "NetworkSettings",
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
    "explain_rows",
    "filter_motifs",
    "finish",
    "fit_image_encoder",
    "fit_sequence_encoder",
    "fit_text_encoder",
    "has_problem",
    "load_network",
    "merged_model",
    "n_rows",
    "open_run",
    "places_loose",
    "predict",
    "read_problem",
    "split",
    "strands_alike",
    "take",
    "train_member",
    "write_meme",
    "write_problem",
]
