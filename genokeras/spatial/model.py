"""Trained trials -> one plain Keras model that takes samples as people have them.

Only stock Keras layers and operations are used, so that the file loads where GenoKeras is not installed: sequences come as
one-hot letters, images as raw pixels; texts are strings on TensorFlow, and token ids and tf-idf numbers elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import keras
import numpy as np
from keras import ops

from genokeras.graph import Graph, HyperParameters, Weights
from genokeras.networks import build_network, calibrated
from genokeras.spatial.encoding import Encoder
from genokeras.spatial.images import ImageEncoder
from genokeras.spatial.inference import Inference
from genokeras.spatial.problem import COUNTS
from genokeras.spatial.sequences import WORD, SequenceEncoder, other_strand_words
from genokeras.spatial.tasks import Classes, Task
from genokeras.spatial.texts import TextEncoder


@dataclass(frozen=True)
class TrainedNetwork:
    """One trial as the delivered model needs it.

    Attributes
    ----------
    name : str
    graph : Graph
    hyper : HyperParameters
    weights : Weights
        Leading axis: fold members, which count equally.
    share : float
        Weight in the delivered average.
    """

    name: str
    graph: Graph
    hyper: HyperParameters
    weights: Weights
    share: float = 1.0

    @property
    def n_members(self) -> int:
        arrays = next(iter(self.weights.values()))
        return len(next(iter(arrays.values())))


def merged_model(
    encoder: Encoder,
    task: Task,
    networks: Sequence[TrainedNetwork],
    sharpness: float = 1.0,
    doubt: float = 0.0,
    name: str = "genokeras",
) -> Any:
    """One ``keras.Model`` of all members.

    Parameters
    ----------
    encoder : Encoder
    task : Task
    networks : sequence of TrainedNetwork
        Their shares are normalised to sum to 1.
    sharpness, doubt : float
        The calibration of the average.
    name : str

    Returns
    -------
    keras.Model
        Its inputs are those of ``encoder.model_inputs`` that are needed, its output ``(batch, n_outputs)`` answers.
    """
    parts = _parts(encoder)
    total = sum(network.share for network in networks)
    terms = []
    for network in networks:
        answers = (
            _linear(network, task, parts) if network.hyper.view == COUNTS else _network(network, task, parts)
        )
        mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
        terms.append(float(network.share / total) * mean)
    average = keras.layers.Add()(terms) if len(terms) > 1 else terms[0]
    used = list(parts.inputs.values())
    if isinstance(task, Classes):
        average = calibrated(average, sharpness, doubt)
    return keras.Model(used if len(used) > 1 else used[0], average, name=name)


def _network(network: TrainedNetwork, task: Task, parts: _Parts) -> list[Any]:
    """The answers of a trial's members to every look at the sample."""
    answers = []
    for member in range(network.n_members):
        built = build_network(
            network.graph, None, network.hyper, weights=network.weights, member=member, logits=True
        )
        whole = keras.Model(built.inputs, task.answering(built.outputs[0]), name=f"{network.name}_{member}")
        for look in parts.looks:
            answer = whole(look)
            answers.append(answer[0] if isinstance(answer, list | tuple) else answer)
    return answers


def _linear(network: TrainedNetwork, task: Task, parts: _Parts) -> list[Any]:
    answers = []
    arrays = network.weights[network.graph.output]
    for member in range(network.n_members):
        kernel, bias = arrays["kernel"][member], arrays["bias"][member]
        layer = keras.layers.Dense(int(kernel.shape[1]), name=f"{network.name}_{member}")
        answers.append(task.answering(layer(parts.counts)))
        layer.set_weights([kernel, bias])
    return answers


class _Parts(ABC):
    """The inputs of a model and what is made of them, each only if something reads it."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    def read(self, name: str, shape: tuple[int, ...], dtype: str = "float32") -> Any:
        """The input of this name."""
        if name not in self.inputs:
            self.inputs[name] = keras.Input(shape, name=name, dtype=dtype)
        return self.inputs[name]

    @property
    @abstractmethod
    def looks(self) -> list[Any]:
        """Tensors that networks read, and average over."""

    @property
    @abstractmethod
    def counts(self) -> Any:
        """What the linear father reads."""


@final
class _SequenceParts(_Parts):
    def __init__(self, encoder: SequenceEncoder) -> None:
        super().__init__()
        self._encoder = encoder
        self._letters = self.read("sequence", (encoder.length, 4))

    @cached_property
    def _extra(self) -> Any:
        encoder = self._encoder
        raw = self.read("extra", (len(encoder.extra_names),))
        factor = 1 / np.array(encoder.extra_sd)
        offset = -np.array(encoder.extra_mean) * factor
        return keras.layers.Rescaling(factor.tolist(), offset.tolist(), name="extra_scaled")(raw)

    @cached_property
    def looks(self) -> list[Any]:
        strands = [self._letters]
        if self._encoder.strands:
            turned = ops.flip(ops.flip(self._letters, axis=1), axis=2)
            strands.append(turned)
        if not self._encoder.extra_names:
            return strands
        beside = keras.layers.RepeatVector(self._encoder.length)(self._extra)
        return [keras.layers.Concatenate(axis=2)([letters, beside]) for letters in strands]

    @cached_property
    def counts(self) -> Any:
        encoder = self._encoder
        parts = [_word_counts(self._letters, encoder.strands)]
        if encoder.equal:
            parts.append(keras.layers.Flatten(name="letters_by_place")(self._letters))
        if encoder.extra_names:
            parts.append(self._extra)
        return keras.layers.Concatenate(name="counts")(parts) if len(parts) > 1 else parts[0]


def _word_counts(letters: Any, strands: bool) -> Any:
    """How often each word of k letters occurs: a filter that answers 1 to its word, and 0 to all others.

    Twice the number of letters that fit, less 2 k - 1, is 1 for the word itself; an ambiguous letter counts a half at most.
    """
    kernel = np.zeros((WORD, 4, 4**WORD), dtype="float32")
    for word in range(4**WORD):
        for place in range(WORD):
            kernel[place, word // 4 ** (WORD - 1 - place) % 4, word] = 2
    layer = keras.layers.Conv1D(
        4**WORD, WORD, activation="relu", data_format="channels_last", name="words", trainable=False
    )
    found = ops.sum(layer(letters), axis=1)
    layer.set_weights([kernel, np.full(4**WORD, 1 - 2 * WORD, dtype="float32")])
    return found + ops.take(found, other_strand_words().astype("int32"), axis=1) if strands else found


@final
class _ImageParts(_Parts):
    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        pixels = self.read("pixels", encoder.shape)
        factor, offset = list(encoder.factor), list(encoder.offset)
        if len(set(factor)) == 1 and len(set(offset)) == 1:
            factor, offset = factor[0], offset[0]  # type: ignore[assignment]
        self._scaled = keras.layers.Rescaling(factor, offset, name="scaled")(pixels)

    @property
    def looks(self) -> list[Any]:
        return [self._scaled]

    @cached_property
    def counts(self) -> Any:
        return keras.layers.Flatten(name="pixels_in_a_row")(self._scaled)


@final
class _TextParts(_Parts):
    """Strings in, where Keras can split them."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self._encoder = encoder
        self._strings = keras.backend.backend() == "tensorflow"

    @cached_property
    def looks(self) -> list[Any]:
        encoder = self._encoder
        if not self._strings:
            return [self.read("tokens", (encoder.length,), "int32")]
        layer = keras.layers.TextVectorization(
            standardize=encoder.vocabulary.standardise,
            split=encoder.vocabulary.split,
            output_mode="int",
            output_sequence_length=encoder.length,
            vocabulary=list(encoder.vocabulary.tokens),
            name="tokens",
        )
        return [ops.cast(layer(self.read("texts", (), "string")), "int32")]

    @cached_property
    def counts(self) -> Any:
        encoder = self._encoder
        if not self._strings:
            return self.read("ngrams", (encoder.n_counts,))
        layer = keras.layers.TextVectorization(
            standardize=encoder.tfidf.standardise,
            ngrams=encoder.tfidf.longest,
            output_mode="tf_idf",
            vocabulary=list(encoder.tfidf.ngrams),
            idf_weights=encoder.tfidf.idf,
            name="ngrams",
        )
        return keras.layers.UnitNormalization(axis=-1)(layer(self.read("texts", (), "string")))


def _parts(encoder: Encoder) -> _Parts:
    if isinstance(encoder, SequenceEncoder):
        return _SequenceParts(encoder)
    if isinstance(encoder, ImageEncoder):
        return _ImageParts(encoder)
    if isinstance(encoder, TextEncoder):
        return _TextParts(encoder)
    raise TypeError(f"no model is known for {type(encoder).__name__}")


_BLOCK_NUMBERS = 4_000_000
_LARGEST_BLOCK = 256


def predict(model: Any, encoder: Encoder, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Answers ``(n_samples, n_outputs)`` float32 of a merged model."""
    width = max(int(np.prod(encoder.input_shape)) * 16, encoder.n_counts)
    size = int(np.clip(_BLOCK_NUMBERS // width, 8, _LARGEST_BLOCK))
    n = len(next(iter(rows.values())))
    names = [tensor.name for tensor in model.inputs]
    answers = Inference(model, -(-n // size))
    parts = []
    for start in range(0, n, size):
        # The last block is filled up with repeats, so that nothing is compiled for its size.
        picked = np.minimum(np.arange(start, start + size), n - 1) if n > size else np.arange(n)
        inputs = encoder.model_inputs({name: values[picked] for name, values in rows.items()})
        parts.append(answers(*[inputs[name] for name in names])[: n - start])
    return np.concatenate(parts)
