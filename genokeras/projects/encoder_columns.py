"""Transfer: the columns of the new data in the order that the encoder reads them."""

from __future__ import annotations

from pathlib import Path

from genokeras.errors import DataError, RunFolderError
from genokeras.projects import announce
from genokeras.projects.config import EnasConfig, ProjectConfig
from genokeras.projects.data import ProjectData, aligned
from genokeras.projects.results import MODEL_FILE, TRAINED_FILE, input_names
from genokeras.projects.vae import ENCODER_FILE, find_encoder


def as_encoder_reads(config: ProjectConfig | EnasConfig, data: ProjectData) -> ProjectData:
    """Return the data with the features of the encoder that ``transfer`` names, in its order; without ``transfer`` as they are.

    Features are matched by name, as where a model predicts. Where the encoder comes without names, the order of the
    columns is assumed to be the encoder's, which is said.

    Raises
    ------
    DataError
        Where features of the encoder are missing.
    DataFileError
        Where there is no encoder.
    RunFolderError
        Where the encoder's record is damaged.
    """
    if config.transfer is None:
        return data
    file = find_encoder(config.find(config.transfer.source))
    names = _names_of(file)
    if names is None:
        announce.say(
            f"{file} comes without names of features: the columns of {data.source} are taken to be in the order that the "
            "encoder was trained on."
        )
        return data
    try:
        return aligned(data, names)
    except DataError as error:
        raise DataError(f'{error} "Training data" are here those of the encoder, {file}.') from error


def _names_of(file: Path) -> tuple[str, ...] | None:
    # A record says nothing of a decoder, or of another model that was put beside it.
    if file.name not in (ENCODER_FILE, MODEL_FILE):
        return None
    try:
        return input_names(file)
    except RunFolderError as error:
        raise RunFolderError(
            f"{str(error).rstrip('.')}. It holds the names of the features that {file.name} reads: remove {TRAINED_FILE} to go by "
            "the order of the columns."
        ) from error
