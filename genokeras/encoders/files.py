"""Encoders and the samples they read, as run folders keep them.

Tables: ``features.npz``, the coordinates and the row space of every view and fold. Everything else: ``encoder.json`` (and
``backbone.keras``, ``tokenizer/``), and ``content.npz``, the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genokeras.data.block import Block
from genokeras.encoders.array import ArrayEncoder
from genokeras.encoders.backbone import BackboneEncoder
from genokeras.encoders.encoder import Encoder, NetworkEncoder, Rows
from genokeras.encoders.image import ImageEncoder
from genokeras.encoders.presets import PresetTextEncoder, read_tokenizer, write_tokenizer
from genokeras.encoders.row_files import packed_rows, table_from_arrays, table_to_arrays, unpacked_rows
from genokeras.encoders.sequence import SequenceEncoder
from genokeras.encoders.table import TableEncoder
from genokeras.encoders.text import TextEncoder
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder
from genokeras.support.files import written_aside
from genokeras.support.hub import load_hub
from genokeras.support.keras_files import load_keras

ENCODER_FILE, BACKBONE_FILE, TOKENIZER_FOLDER = "encoder.json", "backbone.keras", "tokenizer"
CONTENT_FILE, FEATURES_FILE = "content.npz", "features.npz"
ENCODERS: dict[str, Any] = {
    SequenceEncoder.kind: SequenceEncoder,
    ImageEncoder.kind: ImageEncoder,
    TextEncoder.kind: TextEncoder,
    ArrayEncoder.kind: ArrayEncoder,
}


def write_samples(folder: RunFolder, encoder: Encoder, rows: Rows) -> None:
    """Write an encoder, and last the samples that it read, which makes them complete."""
    if isinstance(encoder, TableEncoder):
        folder.write_arrays(FEATURES_FILE, table_to_arrays(encoder, rows))
        return
    assert isinstance(encoder, NetworkEncoder)
    _write_encoder(folder, encoder)
    folder.write_arrays(CONTENT_FILE, packed_rows(rows))


def has_samples(folder: RunFolder) -> bool:
    """Whether the samples of a run were written to the end."""
    return folder.has(FEATURES_FILE) or folder.has(CONTENT_FILE)


def read_samples(folder: RunFolder, medians: np.ndarray | None = None) -> tuple[Encoder, Rows]:
    """The inverse of :func:`write_samples`.

    Parameters
    ----------
    folder : RunFolder
    medians : numpy.ndarray, optional
        Of a table, which keeps them elsewhere.

    Raises
    ------
    RunFolderError
        If a file is missing or damaged.
    ParameterError
        If the backbone is a keras-hub preset, and that is not installed.
    """
    if folder.has(FEATURES_FILE):
        names = tuple(folder.settings["feature_names"])
        blocks = tuple(map(Block.from_dict, folder.settings.get("blocks") or ()))
        return table_from_arrays(folder.read_arrays(FEATURES_FILE), names, medians, blocks)
    with folder.reading():
        rows = unpacked_rows(folder.read_arrays(CONTENT_FILE))
    try:
        return _read_encoder(folder), rows
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{ENCODER_FILE} of {str(folder.path)!r} is incomplete: {error}.") from error


def encoder_from_dict(data: Mapping[str, Any]) -> NetworkEncoder:
    """Read what ``NetworkEncoder.to_dict`` wrote of an encoder without a backbone; KeyError for an unknown kind."""
    encoder: NetworkEncoder = ENCODERS[data["kind"]].from_dict(data)
    return encoder


def _write_encoder(folder: RunFolder, encoder: NetworkEncoder) -> None:
    path = folder.path / BACKBONE_FILE
    if isinstance(encoder, BackboneEncoder):
        with written_aside(path) as aside:
            encoder.model.save(aside)
        if isinstance(encoder.inner, PresetTextEncoder):
            with written_aside(folder.path / TOKENIZER_FOLDER) as aside:
                write_tokenizer(encoder.inner, aside)
    folder.write_json(ENCODER_FILE, encoder.to_dict())


def _read_encoder(folder: RunFolder) -> NetworkEncoder:
    data = folder.read_json(ENCODER_FILE)
    if data["kind"] != BackboneEncoder.kind:
        return encoder_from_dict(data)
    inner, preset = encoder_from_dict(data["inner"]), data["preset"]
    if preset is not None:
        load_hub()  # its layers have to be known before a file with them is read
    if preset is not None and isinstance(inner, TextEncoder):
        inner = read_tokenizer(inner, folder.path / TOKENIZER_FOLDER)
    factor, offset = (np.array(data[name], dtype="float32") for name in ("factor", "offset"))
    return BackboneEncoder(inner, _read_backbone(folder), factor, offset, data["digest"], preset)


def _read_backbone(folder: RunFolder) -> Any:
    path = folder.path / BACKBONE_FILE
    try:
        return load_keras(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunFolderError(f"cannot read the backbone {str(path)!r} of the run: {error}") from error
