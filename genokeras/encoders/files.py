"""Encoders by kind, as run folders keep them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from genokeras.encoders.array import ArrayEncoder
from genokeras.encoders.backbone import BackboneEncoder
from genokeras.encoders.encoder import Encoder
from genokeras.encoders.image import ImageEncoder
from genokeras.encoders.presets import PresetTextEncoder, load_hub, read_tokenizer, write_tokenizer
from genokeras.encoders.sequence import SequenceEncoder
from genokeras.encoders.text import TextEncoder
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder

ENCODER_FILE, BACKBONE_FILE, TOKENIZER_FOLDER = "encoder.json", "backbone.keras", "tokenizer"
ENCODERS: dict[str, Any] = {
    SequenceEncoder.kind: SequenceEncoder,
    ImageEncoder.kind: ImageEncoder,
    TextEncoder.kind: TextEncoder,
    ArrayEncoder.kind: ArrayEncoder,
}


def encoder_from_dict(data: Mapping[str, Any]) -> Encoder:
    """Read what ``Encoder.to_dict`` wrote of an encoder without a backbone; KeyError for an unknown kind."""
    encoder: Encoder = ENCODERS[data["kind"]].from_dict(data)
    return encoder


def write_encoder(folder: RunFolder, encoder: Encoder) -> None:
    """Write ``encoder.json`` and, of an encoder with a backbone, ``backbone.keras`` and perhaps its tokenizer."""
    path = folder.path / BACKBONE_FILE
    path.unlink(missing_ok=True)
    shutil.rmtree(folder.path / TOKENIZER_FOLDER, ignore_errors=True)
    if isinstance(encoder, BackboneEncoder):
        aside = path.with_name(f".{path.stem}.part.keras")
        encoder.model.save(aside)
        aside.replace(path)
        if isinstance(encoder.inner, PresetTextEncoder):
            write_tokenizer(encoder.inner, folder.path / TOKENIZER_FOLDER)
    folder.write_json(ENCODER_FILE, encoder.to_dict())


def read_encoder(folder: RunFolder) -> Encoder:
    """The inverse of :func:`write_encoder`.

    Raises
    ------
    KeyError, TypeError
        If ``encoder.json`` is incomplete.
    RunFolderError
        If a file is missing or damaged.
    ParameterError
        If the backbone is a keras-hub preset, and that is not installed.
    """
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
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunFolderError(f"cannot read the backbone {str(path)!r} of the run: {error}") from error
