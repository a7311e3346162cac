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

from genokeras.encoders.array import FLAT, KEPT, ArrayEncoder
from genokeras.encoders.backbone import BackboneEncoder
from genokeras.encoders.encoder import TENSOR, NetworkEncoder
from genokeras.encoders.image import ImageEncoder
from genokeras.encoders.sequence import NEAR, SequenceEncoder
from genokeras.encoders.text import TextEncoder
from genokeras.features import NgramTfidf
from genokeras.graph import Graph, HyperParameters, Weights
from genokeras.networks.convolutional import build_network
from genokeras.networks.merge_rows import calibrated
from genokeras.networks.sequence_windows import sequence_windows
from genokeras.networks.sequence_words import Words, WordTables, placed_words, words_of
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.task import Task


@dataclass(frozen=True)
class TrainedNetwork:
    """One trial as the delivered model needs it.

    Attributes
    ----------
    name : str
    graph : Graph
    hyper : HyperParameters
    weights : Weights
        Leading axis: fold members, which count equally. Where there are none, one member begins with Keras' own initial weights.
    share : float
        Weight in the delivered average.
    sharpness : float
        The power that a member's answers, means over its looks, are raised to.
    split : int
        Number of the split into folds that its members come from.
    """

    name: str
    graph: Graph
    hyper: HyperParameters
    weights: Weights
    share: float = 1.0
    sharpness: float = 1.0
    split: int = 0

    @property
    def n_members(self) -> int:
        if not self.weights:
            return 1
        arrays = next(iter(self.weights.values()))
        return len(next(iter(arrays.values())))


def merge_networks(
    encoder: NetworkEncoder,
    task: Task,
    networks: Sequence[TrainedNetwork],
    calibration: Calibration | None = None,
    name: str = "genokeras",
    geometric: bool = False,
) -> Any:
    """One ``keras.Model`` of all members.

    Parameters
    ----------
    encoder : NetworkEncoder
    task : Task
    networks : sequence of TrainedNetwork
        Their shares are normalised to sum to 1.
    calibration : Calibration, optional
        Of the average; none by default.
    name : str
    geometric : bool
        Average the logarithms of all members' probabilities, and normalise, in place of the probabilities.

    Returns
    -------
    keras.Model
        Its inputs are those of ``encoder.model_inputs`` that are needed, its output ``(batch, n_outputs)`` answers.
    """
    parts = _parts(encoder)
    total = sum(network.share for network in networks)
    terms = []
    for network in networks:
        found = _network if network.hyper.view == TENSOR else _linear
        sharpness = Calibration(network.sharpness)
        answers = [
            calibrated(answer, sharpness, f"{network.name}_{member}_sharpened")
            for member, answer in enumerate(found(network, task, parts))
        ]
        if geometric:
            answers = [ops.log(ops.maximum(answer, SMALLEST_PROBABILITY)) for answer in answers]
        mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
        terms.append(float(network.share / total) * mean if len(networks) > 1 else mean)
    average = keras.layers.Add()(terms) if len(terms) > 1 else terms[0]
    if geometric:
        average = keras.layers.Softmax(name="product")(average)
    used = list(parts.inputs.values())
    return keras.Model(used if len(used) > 1 else used[0], calibrated(average, calibration), name=name)


def _network(network: TrainedNetwork, task: Task, parts: _Parts) -> list[Any]:
    """The answers of a trial's members, means over their looks."""
    answers = []
    for member in range(network.n_members):
        weights = network.weights or None
        built = build_network(network.graph, None, network.hyper, weights=weights, member=member, logits=True)
        whole = keras.Model(
            built.inputs, task.answer_tensor(built.outputs[0]), name=f"{network.name}_{member}"
        )
        found = [whole(look) for look in parts.looks]
        found = [answer[0] if isinstance(answer, list | tuple) else answer for answer in found]
        if parts.shares:
            weighted = [share * answer for share, answer in zip(parts.shares, found, strict=True)]
            answers.append(keras.layers.Add()(weighted))
        else:
            answers.append(keras.layers.Average()(found) if len(found) > 1 else found[0])
    return answers


def _linear(network: TrainedNetwork, task: Task, parts: _Parts) -> list[Any]:
    """The answers of a linear trial's members."""
    answers = []
    arrays = network.weights.get(network.graph.output)
    for member in range(network.n_members):
        given = None if arrays is None else (arrays["kernel"][member], arrays["bias"][member])
        outputs = parts.linear(f"{network.name}_{member}", task.n_outputs, given)
        answers.append(task.answer_tensor(outputs))
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
    def shares(self) -> list[Any]:
        """Weights ``(batch, 1)`` of the looks that sum to 1; none where all count the same."""
        return []

    def linear(self, name: str, n_outputs: int, arrays: tuple[np.ndarray, np.ndarray] | None) -> Any:
        """Outputs ``(batch, n_outputs)`` of a linear model of the counts: with this kernel and bias, or with fresh ones."""
        layer = keras.layers.Dense(n_outputs, name=name)
        outputs = layer(self.counts)
        if arrays is not None:
            layer.set_weights(list(arrays))
        return outputs

    @property
    @abstractmethod
    def counts(self) -> Any:
        """What linear models read."""


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
    def _windows(self) -> list[tuple[Any, Any]]:
        return sequence_windows(self._letters, self._encoder.window, self._encoder.n_windows)

    @cached_property
    def looks(self) -> list[Any]:
        encoder = self._encoder
        windows = [self._letters] if encoder.n_windows == 1 else [window for window, _ in self._windows]
        if encoder.strands:
            turned = [ops.flip(ops.flip(window, axis=1), axis=2) for window in windows]
            windows = [look for pair in zip(windows, turned, strict=True) for look in pair]
        if not encoder.extra_names:
            return windows
        beside = keras.layers.RepeatVector(encoder.input_shape[0])(self._extra)
        return [keras.layers.Concatenate(axis=2)([letters, beside]) for letters in windows]

    @cached_property
    def shares(self) -> list[Any]:
        if self._encoder.n_windows == 1:
            return []
        strands = 1 + self._encoder.strands
        return [share / strands for _, share in self._windows for _ in range(strands)]

    @cached_property
    def _words(self) -> list[Words]:
        return words_of(self._letters, self._encoder.words, self._encoder.strands)

    @cached_property
    def counts(self) -> Any:
        """All but the words, which are looked up; a zero where there is nothing else."""
        parts = placed_words(self._letters, self._encoder.placed, NEAR)
        if self._encoder.extra_names:
            parts.append(self._extra)
        if not parts:
            return 0.0 * self._words[0][1][:, :1]
        return keras.layers.Concatenate(name="counts")(parts) if len(parts) > 1 else parts[0]

    def linear(self, name: str, n_outputs: int, arrays: tuple[np.ndarray, np.ndarray] | None) -> Any:
        encoder, given = self._encoder, None
        tables = WordTables(encoder.words, n_outputs, name)
        outputs = tables(self._words)
        if arrays is not None:
            kernel, bias = arrays
            tables.set_kernel(kernel[: encoder.n_words], encoder.strands)
            others = kernel[encoder.n_words :]
            given = others if len(others) else np.zeros((1, n_outputs), dtype="float32"), bias
        return keras.layers.Add()([outputs, super().linear(name, n_outputs, given)])


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
        texts = self.read("texts", (), "string")
        parts = [_tfidf(texts, part, f"ngrams_{number}") for number, part in enumerate(encoder.tfidf)]
        return keras.layers.Concatenate(name="counts")(parts) if len(parts) > 1 else parts[0]


def _tfidf(texts: Any, tfidf: NgramTfidf, name: str) -> Any:
    """``NgramTfidf.transform`` of a tensor of strings."""
    of_characters = tfidf.split == "character"
    layer = keras.layers.TextVectorization(
        standardize=tfidf.standardise if tfidf.standardise != "none" else None,
        split=tfidf.split,
        ngrams=tfidf.lengths,
        output_mode="count",
        # Keras sets blanks between the tokens of an n-gram, whatever they are.
        vocabulary=[" ".join(ngram) if of_characters else ngram for ngram in tfidf.ngrams],
        name=name,
    )
    # The first column counts all others.
    counts = ops.cast(layer(texts), "float32")[:, 1:]
    damped = ops.log(ops.maximum(counts, 1.0)) + ops.minimum(counts, 1.0)
    weighted = keras.layers.Rescaling(tfidf.idf.tolist(), name=f"{name}_idf")(damped)
    return keras.layers.UnitNormalization(axis=-1, name=f"{name}_unit")(weighted)


@final
class _BackboneParts(_Parts):
    """What the backbone reads in, its standardised features."""

    def __init__(self, encoder: BackboneEncoder) -> None:
        super().__init__()
        read = [self.read(x.name, tuple(x.shape)[1:], x.dtype) for x in encoder.model.inputs]
        features = encoder.model(read if len(read) > 1 else read[0])
        self._features = keras.layers.Rescaling(
            encoder.factor.tolist(), encoder.offset.tolist(), name="standardised"
        )(features)

    @property
    def looks(self) -> list[Any]:
        return [self._features]

    @property
    def counts(self) -> Any:
        return self._features


@final
class _ArrayParts(_Parts):
    def __init__(self, encoder: ArrayEncoder) -> None:
        super().__init__()
        self._samples = self.read("samples", encoder.shape)
        self._layout = encoder.layout

    @property
    def looks(self) -> list[Any]:
        if self._layout == KEPT:
            return [self._samples]
        if self._layout == FLAT:
            return [self.counts]
        return [ops.moveaxis(self._samples, 1, -1)]

    @cached_property
    def counts(self) -> Any:
        return keras.layers.Flatten(name="numbers_in_a_row")(self._samples)


def _parts(encoder: NetworkEncoder) -> _Parts:
    if isinstance(encoder, SequenceEncoder):
        return _SequenceParts(encoder)
    if isinstance(encoder, ImageEncoder):
        return _ImageParts(encoder)
    if isinstance(encoder, TextEncoder):
        return _TextParts(encoder)
    if isinstance(encoder, BackboneEncoder):
        return _BackboneParts(encoder)
    if isinstance(encoder, ArrayEncoder):
        return _ArrayParts(encoder)
    raise TypeError(f"no model is known for {type(encoder).__name__}")
