"""Which letters, pixels or words an answer depends on.

Scores are differences of what the delivered model says: of log odds of a class against the others, or of numbers, in their units.

| method | score | of |
|---|---|---|
| mutagenesis | answer as it is, less their mean over the other three letters at that place (Zhou and Troyanskaya 2015) | letters |
| gradient | gradient x (input - mean over the letters) (Shrikumar et al. 2017; Majdandzic et al. 2023), gradient x input | letters, pixels |
| leave_one_out | answer with the word, less those without it (Li, Monroe and Jurafsky 2016); of texts of more than 200 words, with each of 200 stretches, divided among its words | words |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from genokeras.data.bases import LETTERS
from genokeras.encoders.encoder import Encoder, Rows, n_rows, take
from genokeras.encoders.image import ImageEncoder
from genokeras.encoders.inference import predict
from genokeras.encoders.sequence import SequenceEncoder
from genokeras.encoders.text import TextEncoder
from genokeras.encoders.windows import extents, window_counts
from genokeras.errors import ParameterError
from genokeras.explain.checks import position_of
from genokeras.features import mask, one_hot
from genokeras.support.backends import current_backend
from genokeras.tasks.task import Task

METHODS = {
    "sequence": ("mutagenesis", "gradient"),
    "image": ("gradient",),
    "text": ("leave_one_out",),
}
# What all networks of an ensemble compute is held for so many samples.
_ROWS_AT_ONCE = 16
# Letters of all sequences, with a letter exchanged in each, that are held at once.
_MOST_LETTERS = 100_000_000
# Of a text, that are left out one by one.
_MOST_STRETCHES = 200
_BASES = np.array([1, 2, 4, 8], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class SampleExplanation:
    """Scores of places.

    Attributes
    ----------
    values : numpy.ndarray
        ``(n_samples, length, n_outputs)`` of letters or words, ``(n_samples, height, width, n_outputs)`` of pixels; float32.
        Places without a letter or word have 0.
    outputs : numpy.ndarray
        ``(n_samples, n_outputs)`` the probabilities, or the numbers.
    output_names : tuple of str
        The classes, or what the numbers are called.
    sample_names : tuple of str
    places : tuple of tuple of str
        The letters or words of each sample; empty for images.
    method : str
    """

    values: np.ndarray
    outputs: np.ndarray
    output_names: tuple[str, ...]
    sample_names: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]
    method: str

    def of(self, output: object) -> np.ndarray:
        """The values of one class or target.

        Raises
        ------
        ParameterError
            If there is none of that name.
        """
        return np.asarray(self.values[..., position_of(output, self.output_names)])

    def top_window(self, output: object, width: int = 8) -> np.ndarray:
        """Where the window with the largest sum of scores begins, ``(n_samples,)``.

        Parameters
        ----------
        output : object
            A class or target.
        width : int
            Letters or words of the window.
        """
        values = self.of(output)
        if values.ndim != 2 or not 1 <= width <= values.shape[1]:
            raise ParameterError(
                f"a window needs letters or words and a width from 1 to {values.shape[1]}, got {width}."
            )
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        return np.asarray((sums[:, width:] - sums[:, :-width]).argmax(axis=1))


def explain_rows(
    model: Any,
    encoder: Encoder,
    rows: Rows,
    output_names: tuple[str, ...],
    sample_names: tuple[str, ...],
    method: str | None,
    task: Task,
    model_for: Callable[[SequenceEncoder], Any] | None = None,
) -> SampleExplanation:
    """Scores of every place of some samples.

    Parameters
    ----------
    model : keras.Model
        The delivered one.
    encoder : Encoder
    rows : dict of str to numpy.ndarray
    output_names, sample_names : tuple of str
    method : str or None
        One of ``METHODS`` of this kind of samples; None is the first of them, but "gradient" for sequences that are read by
        windows: they have too many letters to exchange each.
    task : Task
        Says what scores are differences of.
    model_for : callable, optional
        Makes the same model for shorter rows: of sequences that are read by windows, those that need few are explained sooner by it.

    Raises
    ------
    ParameterError
        If there is no such method for these samples.
    """
    known = METHODS[encoder.kind]
    chosen = _usual(encoder) if method is None else method
    if chosen not in known:
        raise ParameterError(
            f"method must be {' or '.join(map(repr, known))} for {encoder.kind}s, got {method!r}."
        )
    if model_for is not None and isinstance(encoder, SequenceEncoder) and encoder.n_windows > 1:

        def explain(model: Any, encoder: SequenceEncoder, rows: Rows) -> SampleExplanation:
            return explain_rows(model, encoder, rows, output_names, sample_names, chosen, task)

        values, outputs = _by_length(explain, model, model_for, encoder, rows)
        return SampleExplanation(values, outputs, output_names, sample_names, _letters(rows), chosen)
    outputs = predict(model, encoder, rows)
    if isinstance(encoder, TextEncoder):
        values, places = _words(model, encoder, rows, outputs, task)
    elif isinstance(encoder, SequenceEncoder):
        letters = _mutated if chosen == "mutagenesis" else _letter_gradients
        values = letters(model, encoder, rows, outputs, task) * mask(rows["codes"])[:, :, None]
        places = _letters(rows)
    else:
        values, places = _pixels(model, encoder, rows, outputs, task), ()
    return SampleExplanation(values.astype("float32"), outputs, output_names, sample_names, places, chosen)


def _letters(rows: Rows) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(LETTERS[code] for code in row) for row in rows["codes"])


def _by_length(
    explain: Callable[[Any, SequenceEncoder, Rows], SampleExplanation],
    model: Any,
    model_for: Callable[[SequenceEncoder], Any],
    encoder: SequenceEncoder,
    rows: Rows,
) -> tuple[np.ndarray, np.ndarray]:
    """Values and outputs, those of sequences that need equally many windows by rows that hold no more."""
    codes, window = rows["codes"], encoder.window
    needed = window_counts(extents(codes)[1], window)
    parts = []
    for count in np.unique(needed):
        samples, length = np.flatnonzero(needed == count), int(count) * window
        start = (encoder.length - length) // 2
        part = take(rows, samples)
        part["codes"] = part["codes"][:, start : start + length]
        short = replace(encoder, length=length)
        found = explain(model if short == encoder else model_for(short), short, part)
        beside = ((0, 0), (start, encoder.length - start - length), (0, 0))
        parts.append((samples, np.pad(found.values, beside), found.outputs))
    order = np.argsort(np.concatenate([samples for samples, _, _ in parts]))
    values, outputs = (np.concatenate([part[i] for part in parts])[order] for i in (1, 2))
    return values, outputs


def _usual(encoder: Encoder) -> str:
    """The method for samples of this kind where none is asked for."""
    by_windows = isinstance(encoder, SequenceEncoder) and encoder.n_windows > 1
    return "gradient" if by_windows else METHODS[encoder.kind][0]


def _explained(task: Task, answers: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(task.explained(np.asarray(answers, dtype="float32"))))


def _mutated(model: Any, encoder: SequenceEncoder, rows: Rows, outputs: np.ndarray, task: Task) -> np.ndarray:
    """In-silico saturation mutagenesis: every letter becomes each of the four in turn."""
    codes = rows["codes"]
    values = np.zeros((*codes.shape, outputs.shape[1]))
    at_once = max(1, _MOST_LETTERS // (4 * codes.shape[1]))
    for i in range(len(codes)):
        own, letters = _explained(task, outputs[i : i + 1])[0], np.flatnonzero(mask(codes[i]))
        for first in range(0, len(letters), at_once):
            places = letters[first : first + at_once]
            answers = predict(model, encoder, _mutants(rows, i, places))
            answers = _explained(task, answers).reshape(len(places), 4, -1)
            # An ambiguous letter is compared with all four.
            other = 1.0 - (codes[i, places, None] == _BASES)
            values[i, places] = own - (answers * other[:, :, None]).sum(axis=1) / other.sum(axis=1)[:, None]
    return values


def _mutants(rows: Rows, i: int, places: np.ndarray) -> Rows:
    """A sample with one place exchanged in each row: the first place for each of the four letters, the second, ..."""
    n = 4 * len(places)
    one = take(rows, np.full(n, i))
    one["codes"][np.arange(n), np.repeat(places, 4)] = np.tile(_BASES, len(places))
    return one


def _letter_gradients(
    model: Any, encoder: SequenceEncoder, rows: Rows, outputs: np.ndarray, task: Task
) -> np.ndarray:
    gradients = _gradients(model, encoder, rows, "sequence", task)
    x = one_hot(rows["codes"])[..., None]
    # What all four letters have in common says nothing about the one that is there.
    return np.asarray((x * (gradients - gradients.mean(axis=2, keepdims=True))).sum(axis=2))


def _pixels(model: Any, encoder: Encoder, rows: Rows, outputs: np.ndarray, task: Task) -> np.ndarray:
    gradients = _gradients(model, encoder, rows, "pixels", task)
    x = encoder.model_inputs(rows)["pixels"]
    if isinstance(encoder, ImageEncoder):
        # Against an image of mean brightness, which networks read as zeros.
        x = x + np.array(encoder.offset) / np.array(encoder.factor)
    return np.asarray((x[..., None] * gradients).sum(axis=-2))


def _gradients(model: Any, encoder: Encoder, rows: Rows, name: str, task: Task) -> np.ndarray:
    """``(n_samples, *input, n_outputs)`` of what is explained with respect to one of the model's inputs."""
    backend, names = current_backend(), [tensor.name for tensor in model.inputs]
    place = names.index(name)
    at_once = _ROWS_AT_ONCE
    if isinstance(encoder, SequenceEncoder):
        at_once = max(1, at_once // encoder.n_windows)
    parts = []
    for start in range(0, n_rows(rows), at_once):
        block = take(rows, np.arange(start, min(start + at_once, n_rows(rows))))
        inputs = [keras.ops.convert_to_tensor(encoder.model_inputs(block)[other]) for other in names]

        def explained(x: Any, inputs: list[Any] = inputs) -> Any:
            given = [*inputs[:place], x, *inputs[place + 1 :]]
            return task.explained(model(given[0] if len(given) == 1 else given, training=False))

        found = backend.gradients_of_columns(explained, inputs[place])
        parts.append(np.stack([np.asarray(keras.ops.convert_to_numpy(one)) for one in found], axis=-1))
    return np.concatenate(parts)


def _words(
    model: Any, encoder: TextEncoder, rows: Rows, outputs: np.ndarray, task: Task
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    words = [str(text).split() for text in rows["texts"]]
    longest = max(1, max(len(row) for row in words))
    values = np.zeros((len(words), longest, outputs.shape[1]))
    for i, row in enumerate(words):
        if not row:
            continue
        of_stretch = np.arange(len(row)) * min(len(row), _MOST_STRETCHES) // len(row)
        texts = np.empty(of_stretch[-1] + 1, dtype=object)
        texts[:] = [
            " ".join(word for word, part in zip(row, of_stretch, strict=True) if part != stretch)
            for stretch in range(len(texts))
        ]
        without = {"texts": texts, "tokens": encoder.vocabulary.encode(texts, encoder.length)}
        left = predict(model, encoder, without)
        change = _explained(task, outputs[i : i + 1]) - _explained(task, left)
        values[i, : len(row)] = (change / np.bincount(of_stretch)[:, None])[of_stretch]
    return values, tuple(tuple(row) for row in words)
