"""A pretrained network -> one Keras model from samples as people have them to a vector of features each.

Only stock layers and operations are added to those of the network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.errors import ParameterError
from genokeras.support.digest import hex_digest
from genokeras.support.keras_files import load_keras
from genokeras.support.wording import cause

# What stands for a whole sample where a network answers with several tensors, as those of keras-hub do.
OUTPUTS = ("pooled_output", "sequence_output")
_COLOURS = 3
_HIGHEST_RANK = 5


def feature_model(backbone: Any, kind: str, example: Mapping[str, Any]) -> Any:
    """A frozen copy of a network behind what brings samples into the form that it reads.

    Parameters
    ----------
    backbone : keras.Model
        With one input: ``(height, width, channels)`` raw pixels, ``(length, 4)`` one-hot letters, or strings. Images are
        resized to what it reads, and grey ones repeated for three channels. Answers with positions are averaged over them.
    kind : {"image", "sequence", "text"}
    example : mapping of str to array
        What the delivered model is to read, as in ``Encoder.model_inputs``; only shapes count.

    Returns
    -------
    keras.Model
        Answers ``(batch, n_features)`` float32. Numbers beside a sequence follow its features.

    Raises
    ------
    ParameterError
        If the backbone is no network with one known input that fits the samples, or cannot be saved.
    """
    source = _only_input(backbone)
    inputs = {name: np.shape(values)[1:] for name, values in example.items()}
    read, tensor = {"image": _pixels, "sequence": _letters, "text": _strings}[kind](source, inputs)
    # A Sequential model that was never called has no `input`.
    packed = keras.tree.pack_sequence_as(getattr(backbone, "input", source), [tensor])
    parts = [feature_vector(called(backbone, packed, source))]
    if "extra" in inputs:
        beside = keras.Input(inputs["extra"], name="extra")
        read, parts = [read, beside], [*parts, beside]
    features = keras.layers.Concatenate(name="features")(parts) if len(parts) > 1 else parts[0]
    return frozen_copy(keras.Model(read, features, name="backbone"))


def called(backbone: Any, inputs: Any, what: Any) -> Any:
    """The network's symbolic answer in inference mode, which it keeps where its weights are trained again."""
    try:
        return backbone(inputs, training=False)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"the backbone cannot read {what}: {cause(error)}.") from error


def feature_vector(found: Any, mask: Any = None) -> Any:
    """``(batch, n_features)`` float32 of a network's answer.

    Parameters
    ----------
    found : KerasTensor, or mapping or list of them
        Of several, "pooled_output" or "sequence_output" as keras-hub has them; the latter where there is a mask.
    mask : KerasTensor, optional
        ``(batch, length)``; positions of 0 do not count in the mean.
    """
    tensor = _chosen(found, mask is not None)
    shape = tuple(tensor.shape)
    if not 2 <= len(shape) <= _HIGHEST_RANK or shape[-1] is None:
        raise ParameterError(
            f"the backbone must answer with (batch, ..., n_features) and a known number of features, its output is {shape}."
        )
    if tensor.dtype != "float32":
        tensor = ops.cast(tensor, "float32")
    if len(shape) == 2:
        return tensor
    if mask is not None and len(shape) == 3:
        share = ops.expand_dims(ops.cast(mask, "float32"), -1)
        return ops.sum(tensor * share, axis=1) / ops.maximum(ops.sum(share, axis=1), 1.0)
    pool = getattr(keras.layers, f"GlobalAveragePooling{len(shape) - 2}D")
    return pool(data_format="channels_last", name="mean_over_positions")(tensor)


def frozen_copy(model: Any) -> Any:
    """The model as it comes back from a file: it shares no weights, and a run folder can keep it.

    Raises
    ------
    ParameterError
        If it cannot be saved and read again.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backbone.keras"
        try:
            model.save(path)
            copy = load_keras(path)
        except Exception as error:
            raise ParameterError(
                f"the backbone cannot be saved and read again, as its run folder has to: {cause(error)}. Layers of your "
                "own need keras.saving.register_keras_serializable; a Lambda layer must become one of those."
            ) from error
    copy.trainable = False
    return copy


def digest(model: Any) -> str:
    """Hex digest of weights and vocabularies: a resumed run needs the same."""
    return hex_digest(_identity(model))


def _identity(model: Any) -> Iterator[Any]:
    for variable in model.weights:
        values = np.ascontiguousarray(ops.convert_to_numpy(variable))
        yield f"{values.shape}{values.dtype}"
        yield values
    for layer in _layers(model):
        if hasattr(layer, "get_vocabulary"):
            yield "\0".join(map(str, layer.get_vocabulary()))


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)


def _only_input(backbone: Any) -> Any:
    """The symbolic tensor that a network begins with."""
    if not isinstance(backbone, keras.Model):
        raise ParameterError(
            f"backbone must be a keras.Model, or the name or folder of a keras-hub preset, got {type(backbone).__name__}."
        )
    try:
        inputs = list(backbone.inputs)
    except (AttributeError, ValueError, TypeError):
        inputs = []
    if not backbone.built or not inputs:
        raise ParameterError(
            f"the input of backbone {backbone.name!r} is not known: build it on a keras.Input, as in "
            "keras.Model(x, backbone(x)) with x = keras.Input(shape)."
        )
    if len(inputs) > 1:
        names = ", ".join(f"{tensor.name} {tuple(tensor.shape)}" for tensor in inputs)
        raise ParameterError(f"the backbone must have one input, it has {len(inputs)}: {names}.")
    return inputs[0]


def _chosen(found: Any, by_position: bool) -> Any:
    if isinstance(found, Mapping):
        for name in reversed(OUTPUTS) if by_position else OUTPUTS:
            if name in found:
                return found[name]
        found = list(found.values())
    if isinstance(found, list | tuple):
        if len(found) != 1:
            raise ParameterError(
                f"the backbone must have one output, or one named {' or '.join(map(repr, OUTPUTS))}; it has {len(found)}."
            )
        return found[0]
    return found


# ---- what samples of each kind become: the model's input, and what the backbone reads of it


def _pixels(source: Any, inputs: Mapping[str, tuple[int, ...]]) -> tuple[Any, Any]:
    given, wanted = inputs["pixels"], tuple(source.shape)[1:]
    channels = wanted[-1] if len(wanted) == 3 else 0
    if len(wanted) != 3 or not (channels in (None, given[-1]) or (channels, given[-1]) == (_COLOURS, 1)):
        raise ParameterError(
            f"the backbone reads {wanted}, the images are {given}: height, width, channels. Sizes may differ, and grey images "
            "may meet a backbone for colours; anything else must agree."
        )
    pixels = keras.Input(given, name="pixels")
    tensor = pixels
    size = tuple(want or have for want, have in zip(wanted[:2], given[:2], strict=True))
    if size != given[:2]:
        tensor = keras.layers.Resizing(*size, data_format="channels_last", name="resized")(tensor)
    if channels == _COLOURS and given[-1] == 1:
        tensor = keras.layers.Concatenate(name="grey_thrice")([tensor] * _COLOURS)
    return pixels, tensor


def _letters(source: Any, inputs: Mapping[str, tuple[int, ...]]) -> tuple[Any, Any]:
    given, wanted = inputs["sequence"], tuple(source.shape)[1:]
    if len(wanted) != 2 or wanted[0] not in (None, given[0]) or wanted[1] not in (None, given[1]):
        raise ParameterError(
            f"the backbone reads {wanted}, the sequences are {given}: letters, and the probabilities of A, C, G and T. Cut the "
            "sequences to the length that it reads, or pass a backbone of any length (None)."
        )
    letters = keras.Input(given, name="sequence")
    return letters, letters


def _strings(source: Any, inputs: Mapping[str, tuple[int, ...]]) -> tuple[Any, Any]:
    if keras.backend.backend() != "tensorflow":
        raise ParameterError(
            f"strings are read on the TensorFlow backend only, this is {keras.backend.backend()}: pass a keras-hub preset, "
            "which brings its tokenizer."
        )
    wanted = tuple(source.shape)[1:]
    if source.dtype != "string" or wanted not in ((), (1,)):
        raise ParameterError(
            "the backbone must read strings, as a model does that begins with a TextVectorization layer; its input is "
            f"{source.dtype} of shape {tuple(source.shape)}."
        )
    texts = keras.Input((), name="texts", dtype="string")
    return texts, ops.expand_dims(texts, 1) if wanted else texts
