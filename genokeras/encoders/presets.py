"""Backbones by the name or folder of a keras-hub preset, which needs the extra ``genokeras[pretrained]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.encoders.encoder import Rows
from genokeras.encoders.feature_model import called, feature_vector, frozen_copy
from genokeras.encoders.text import TextEncoder
from genokeras.errors import ParameterError
from genokeras.support.hub import load_hub, load_part
from genokeras.support.json_files import read_json, write_json

LONGEST = 512
# Tokenizers split words; the two more are for the marks of begin and end.
_TOKENS_OF_A_WORD, _MARKS = 1.5, 2
_ARCHITECTURE_FILE = "config.json"
_TOKENIZER = "the tokenizer of a backbone of texts"


def image_preset(preset: str) -> Any:
    """A ``keras.Model`` of raw pixels from 0 to 255, any size: the preset's own scaling, then its backbone.

    Raises
    ------
    ParameterError
        If keras-hub is not installed or there is no such preset.
    DataFileError
        If its files cannot be downloaded or read.
    """
    hub = load_hub()
    backbone = load_part(hub.models.Backbone, preset, "a backbone")
    converter = load_part(hub.layers.ImageConverter, preset, "the scaling of a backbone of images")
    pixels = tensor = keras.Input((None, None, 3), name="pixels")
    if converter.image_size is not None:
        tensor = keras.layers.Resizing(
            *converter.image_size,
            interpolation=converter.interpolation,
            crop_to_aspect_ratio=converter.crop_to_aspect_ratio,
            pad_to_aspect_ratio=converter.pad_to_aspect_ratio,
            data_format="channels_last",
        )(tensor)
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    tensor = keras.layers.Rescaling(scale, offset, name="preset_scaled")(tensor)
    if not hasattr(backbone, "inputs") or len(backbone.inputs) != 1:
        raise ParameterError(f"{preset!r} is no backbone of images.")
    packed = keras.tree.pack_sequence_as(backbone.input, [tensor])
    return keras.Model(pixels, called(backbone, packed, "images"), name="preset")


@dataclass(frozen=True, eq=False)
class PresetTextEncoder(TextEncoder):
    """Texts as the tokens of a preset.

    A saved Keras model cannot hold such a tokenizer, so that delivered models read its tokens.

    Attributes
    ----------
    preprocessor : keras_hub.models.TextClassifierPreprocessor
        Its ``sequence_length`` is that of all samples.
    architecture : mapping
        Of the backbone, as Keras serialises it: keras-hub finds the preprocessor's class by it.
    """

    preprocessor: Any
    architecture: Mapping[str, Any]

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        found = self.preprocessor([str(text) for text in rows["texts"]])
        return {
            name: np.asarray(keras.ops.convert_to_numpy(values)).astype("int32")
            for name, values in found.items()
        }

    def inputs_named(self, names: Sequence[str], rows: Rows) -> list[Any]:
        inputs = self.model_inputs(rows)
        return [inputs[name] for name in names]

    def sidecar(self) -> dict[str, Any]:
        return {"inputs": self.describe_inputs()}  # a tokenizer is a folder of files

    def describe_inputs(self) -> dict[str, Any]:
        what = f"({self.preprocessor.sequence_length},): as the preset's {type(self.preprocessor).__name__} has it"
        return {"token_ids, padding_mask and others": what}


def text_preset(preset: str, texts: TextEncoder) -> tuple[PresetTextEncoder, Any]:
    """The encoder of texts as tokens of a preset, and the model from these to features.

    Positions of words are averaged, padding apart.

    Raises
    ------
    ParameterError
        If keras-hub is not installed or there is no such preset.
    DataFileError
        If its files cannot be downloaded or read.
    """
    hub = load_hub()
    backbone = load_part(hub.models.Backbone, preset, "a backbone")
    most = min(LONGEST, getattr(backbone, "max_sequence_length", None) or LONGEST)
    length = min(most, int(_TOKENS_OF_A_WORD * texts.length) + _MARKS)
    preprocessor = load_part(
        hub.models.TextClassifierPreprocessor, preset, _TOKENIZER, sequence_length=length
    )
    architecture = keras.saving.serialize_keras_object(backbone)
    encoder = PresetTextEncoder(texts.vocabulary, texts.tfidf, texts.length, preprocessor, architecture)
    if not isinstance(getattr(backbone, "input", None), dict):
        raise ParameterError(f"{preset!r} is no backbone of texts.")
    inputs = {name: keras.Input((length,), name=name, dtype="int32") for name in backbone.input}
    features = feature_vector(called(backbone, inputs, "tokens"), inputs.get("padding_mask"))
    return encoder, frozen_copy(keras.Model(list(inputs.values()), features, name="backbone"))


def write_tokenizer(encoder: PresetTextEncoder, folder: Path) -> None:
    """Write what makes tokens of texts, without the backbone's weights."""
    encoder.preprocessor.save_to_preset(str(folder))
    write_json(folder / _ARCHITECTURE_FILE, encoder.architecture)


def read_tokenizer(texts: TextEncoder, folder: Path) -> PresetTextEncoder:
    """The inverse of :func:`write_tokenizer`; KeyError where the folder is not there."""
    path = folder / _ARCHITECTURE_FILE
    if not path.exists():
        raise KeyError(f"{path.name} of the tokenizer")
    preprocessor = load_part(load_hub().models.TextClassifierPreprocessor, folder, _TOKENIZER)
    own = {field.name: getattr(texts, field.name) for field in fields(texts)}
    return PresetTextEncoder(**own, preprocessor=preprocessor, architecture=read_json(path))
