"""Samples as the features that a frozen pretrained network makes of them.

| symbol | meaning | shape |
|---|---|---|
| n, d | samples, features of each | |
| features | what the frozen network answers | (n, d) float32 |
| tensor, counts | the features standardised by the training samples' | (n, d) float32 |
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from genokeras.encoders.encoder import COUNTS, LinearView, NetworkEncoder, Rows, take
from genokeras.encoders.feature_model import digest, feature_model
from genokeras.encoders.inference import predict
from genokeras.encoders.presets import image_preset, text_preset
from genokeras.encoders.text import TextEncoder
from genokeras.errors import DataError, ParameterError
from genokeras.graph import Shape
from genokeras.support.wording import counted, listed

# Features that hardly vary are not blown up beyond this share of the mean spread.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class BackboneEncoder(NetworkEncoder):
    """Samples as features of a network that no search changes.

    Attributes
    ----------
    inner : NetworkEncoder
        How samples of this kind are read; the delivered model reads what it says.
    model : keras.Model
        From the inner encoder's model inputs to features; see :func:`genokeras.encoders.feature_model.feature_model`.
    factor, offset : numpy.ndarray
        ``(d,)`` float32: heads read ``features * factor + offset``.
    digest : str
        Of the network's weights.
    preset : str or None
        The keras-hub preset that it came from.
    """

    inner: NetworkEncoder
    model: Any
    factor: np.ndarray
    offset: np.ndarray
    digest: str
    preset: str | None = None
    kind: ClassVar[str] = "backbone"

    @property
    def reader(self) -> NetworkEncoder:
        return self.inner

    @property
    def input_shape(self) -> Shape:
        return self.factor.shape

    @property
    def n_counts(self) -> int:
        return len(self.factor)

    @property
    def linear_views(self) -> dict[str, LinearView]:
        return {COUNTS: LinearView(0.0)}

    def rows(self, data: Any) -> Rows:
        rows = self.inner.rows(data)
        features = predict(self.model, self.inner, rows)
        odd = np.flatnonzero(~np.isfinite(features).all(axis=1))
        if odd.size:
            raise DataError(
                f"{data.source}: the backbone answers {counted(len(odd), 'sample')} with NaN or infinite features: "
                f"{listed((data.names[i] for i in odd), 5)}. Is it trained, and for numbers on this scale?"
            )
        return {**rows, "features": features}

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        return rows["features"] * self.factor + self.offset

    @property
    def read_rows(self) -> tuple[str, ...]:
        return ("features",)

    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        factor, offset = (keras.ops.convert_to_tensor(values) for values in (self.factor, self.offset))
        return rows["features"] * factor + offset

    def counts(self, rows: Rows) -> np.ndarray:
        return self.tensor(rows)

    def identity(self, rows: Rows) -> Rows:
        given = {name: values for name, values in rows.items() if name != "features"}
        return {**self.inner.identity(given), "backbone": np.frombuffer(self.digest.encode(), np.uint8)}

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        return self.inner.model_inputs(rows)

    def inputs_named(self, names: Sequence[str], rows: Rows) -> list[Any]:
        return self.inner.inputs_named(names, rows)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "inner": self.inner.to_dict(),
            "factor": self.factor.tolist(),
            "offset": self.offset.tolist(),
            "digest": self.digest,
            "preset": self.preset,
        }

    def describe_inputs(self) -> dict[str, Any]:
        return self.inner.describe_inputs()


@dataclass(frozen=True)
class FittedBackbone:
    """The encoder of training data with a backbone, and what came of them.

    Attributes
    ----------
    encoder : BackboneEncoder
    rows : dict of str to numpy.ndarray
        Those of the training data, features among them.
    notes : tuple of str
    """

    encoder: BackboneEncoder
    rows: Rows
    notes: tuple[str, ...]


def fit_backbone_encoder(inner: NetworkEncoder, backbone: Any, data: Any) -> FittedBackbone:
    """The encoder of training data that a frozen network reads.

    Parameters
    ----------
    inner : NetworkEncoder
        That of the kind of samples.
    backbone : keras.Model, str or path-like
        A network with one input, or the name or folder of a keras-hub preset.
    data : SequenceData, ImageData or TextData

    Raises
    ------
    ParameterError
        If the backbone does not fit the samples, or cannot be loaded or saved.
    DataError
        If it answers with numbers that are not finite.
    """
    preset = os.fspath(backbone) if isinstance(backbone, str | os.PathLike) else None
    reader = inner
    if preset is not None and isinstance(inner, TextEncoder):
        reader, model = text_preset(preset, inner)
    else:
        network = _network(backbone, preset, inner.kind)
        example = inner.model_inputs(take(inner.rows(data.take(np.arange(1))), np.arange(1)))
        model = feature_model(network, inner.kind, example)
    d = int(model.output.shape[-1])
    raw = BackboneEncoder(reader, model, np.ones(d, "float32"), np.zeros(d, "float32"), digest(model), preset)
    rows = raw.rows(data)
    factor, offset = _standardising(rows["features"])
    name = preset or getattr(backbone, "name", "backbone")
    note = f"A frozen backbone ({name}) makes {d} features of each {inner.kind}; heads are searched on these."
    encoder = BackboneEncoder(reader, model, factor, offset, raw.digest, preset)
    return FittedBackbone(encoder, rows, (note,))


def _network(backbone: Any, preset: str | None, kind: str) -> Any:
    if preset is None:
        return backbone
    if kind != "image":
        raise ParameterError(
            f"keras-hub has no presets for {kind}s: pass a keras.Model as backbone, got {preset!r}."
        )
    return image_preset(preset)


def _standardising(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = features.mean(axis=0, dtype="float64"), features.std(axis=0, dtype="float64")
    least = max(_LEAST_SPREAD * float(spread.mean()), float(np.finfo("float32").tiny))
    factor = np.where(spread > least, 1 / np.maximum(spread, least), 1.0)
    return factor.astype("float32"), (-mean * factor).astype("float32")
