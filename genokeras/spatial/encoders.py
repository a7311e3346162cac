"""Encoders by kind, as run folders name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genokeras.spatial.encoding import Encoder
from genokeras.spatial.images import ImageEncoder
from genokeras.spatial.sequences import SequenceEncoder
from genokeras.spatial.texts import TextEncoder

ENCODERS: dict[str, Any] = {
    SequenceEncoder.kind: SequenceEncoder,
    ImageEncoder.kind: ImageEncoder,
    TextEncoder.kind: TextEncoder,
}


def encoder_from_dict(data: Mapping[str, Any]) -> Encoder:
    """Read what ``Encoder.to_dict`` wrote; KeyError for an unknown kind."""
    encoder: Encoder = ENCODERS[data["kind"]].from_dict(data)
    return encoder
