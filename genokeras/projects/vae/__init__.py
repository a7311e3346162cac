"""The residual variational auto-encoder of a project, and what is transferred from one."""

from __future__ import annotations

from genokeras.projects.vae.scoring import score_reconstruction
from genokeras.projects.vae.transfer import (
    ENCODER_FILE,
    TransferData,
    find_encoder,
    load_encoder,
    prepare_transfer,
    train_transfer,
    transfer_candidate,
    transfer_range_test,
)
from genokeras.projects.vae.transfer_calibration import calibrated_on
from genokeras.projects.vae.vae import (
    TrainedVae,
    VaeSettings,
    fit_vae,
    train_vae,
    vae_candidate,
    vae_range_test,
)
from genokeras.projects.vae.vae_data import VaeData, prepare_vae
from genokeras.training.descent_objective import DescentSettings

__all__ = [
    "ENCODER_FILE",
    "DescentSettings",
    "TrainedVae",
    "TransferData",
    "VaeData",
    "VaeSettings",
    "calibrated_on",
    "find_encoder",
    "fit_vae",
    "load_encoder",
    "prepare_transfer",
    "prepare_vae",
    "score_reconstruction",
    "train_transfer",
    "train_vae",
    "transfer_candidate",
    "transfer_range_test",
    "vae_candidate",
    "vae_range_test",
]
