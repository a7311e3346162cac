"""Which letters, pixels or words an answer hangs on.

Scores are differences of log odds of a class against the others, as the delivered model gives them.

| method | score | of |
|---|---|---|
| mutagenesis | log odds as it is, less their mean over the other three letters at that place (Zhou and Troyanskaya 2015) | letters |
| gradient | gradient x (input - mean over the letters) (Shrikumar et al. 2017; Majdandzic et al. 2023), gradient x input | letters, pixels |
| leave_one_out | log odds with the word, less those without it (Li, Monroe and Jurafsky 2016) | words |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from genokeras.data.bases import LETTERS
from genokeras.errors import ParameterError
from genokeras.explain.gradients import log_odds
from genokeras.features import one_hot
from genokeras.spatial.encoding import Encoder, Rows, n_rows, take
from genokeras.spatial.images import ImageEncoder
from genokeras.spatial.model import predict
from genokeras.spatial.sequences import SequenceEncoder
from genokeras.spatial.texts import TextEncoder
from genokeras.training.backends import current_backend

METHODS = {
    "sequence": ("mutagenesis", "gradient"),
    "image": ("gradient",),
    "text": ("leave_one_out",),
}
_ROWS_AT_ONCE = 64
_BASES = np.array([1, 2, 4, 8], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class SpatialExplanation:
    """Scores of places.

    Attributes
    ----------
    values : numpy.ndarray
        ``(n_samples, length, n_classes)`` of letters or words, ``(n_samples, height, width, n_classes)`` of pixels; float32.
        Places without a letter or word have 0.
    outputs : numpy.ndarray
        ``(n_samples, n_classes)`` the probabilities.
    output_names : tuple of str
        The classes.
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
        """The values of one class.

        Raises
        ------
        ParameterError
            If there is no class of that name.
        """
        if str(output) not in self.output_names:
            raise ParameterError(f"there is no class {output!r}; there are {', '.join(self.output_names)}.")
        return np.asarray(self.values[..., self.output_names.index(str(output))])

    def top_window(self, output: object, width: int = 8) -> np.ndarray:
        """Where the window with the largest sum of scores begins, ``(n_samples,)``.

        Parameters
        ----------
        output : object
            A class.
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
    method: str | None = None,
) -> SpatialExplanation:
    """Scores of every place of some samples.

    Parameters
    ----------
    model : keras.Model
        The delivered one.
    encoder : Encoder
    rows : dict of str to numpy.ndarray
    output_names, sample_names : tuple of str
    method : str, optional
        One of ``METHODS`` of this kind of samples; the first of them by default.

    Raises
    ------
    ParameterError
        If there is no such method for these samples.
    """
    known = METHODS[encoder.kind]
    chosen = known[0] if method is None else method
    if chosen not in known:
        raise ParameterError(
            f"method must be {' or '.join(map(repr, known))} for {encoder.kind}s, got {method!r}."
        )
    outputs = predict(model, encoder, rows)
    if isinstance(encoder, TextEncoder):
        values, places = _words(model, encoder, rows, outputs)
    elif isinstance(encoder, SequenceEncoder):
        letters = _mutated if chosen == "mutagenesis" else _letter_gradients
        values = letters(model, encoder, rows, outputs) * (rows["codes"] != 0)[:, :, None]
        places = tuple(tuple(LETTERS[code] for code in row) for row in rows["codes"])
    else:
        values, places = _pixels(model, encoder, rows, outputs), ()
    return SpatialExplanation(values.astype("float32"), outputs, output_names, sample_names, places, chosen)


def _odds(p: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(log_odds(np.asarray(p, dtype="float32"))))


def _mutated(model: Any, encoder: SequenceEncoder, rows: Rows, outputs: np.ndarray) -> np.ndarray:
    """In-silico saturation mutagenesis: every place becomes each of the four letters in turn."""
    n, length = rows["codes"].shape
    values = np.zeros((n, length, outputs.shape[1]))
    for i in range(n):
        one = take(rows, np.full(4 * length, i))
        one["codes"] = one["codes"].copy()
        one["codes"][np.arange(4 * length), np.repeat(np.arange(length), 4)] = np.tile(_BASES, length)
        odds = _odds(predict(model, encoder, one)).reshape(length, 4, -1)
        own = _odds(outputs[i : i + 1])[0]
        # An ambiguous letter is compared with all four.
        other = 1.0 - (rows["codes"][i][:, None] == _BASES)
        values[i] = own - (odds * other[:, :, None]).sum(axis=1) / other.sum(axis=1)[:, None]
    return values


def _letter_gradients(model: Any, encoder: SequenceEncoder, rows: Rows, outputs: np.ndarray) -> np.ndarray:
    gradients = _gradients(model, encoder, rows, outputs.shape[1], "sequence")
    x = one_hot(rows["codes"])[..., None]
    # What all four letters have in common says nothing about the one that is there.
    return np.asarray((x * (gradients - gradients.mean(axis=2, keepdims=True))).sum(axis=2))


def _pixels(model: Any, encoder: Encoder, rows: Rows, outputs: np.ndarray) -> np.ndarray:
    gradients = _gradients(model, encoder, rows, outputs.shape[1], "pixels")
    x = encoder.model_inputs(rows)["pixels"]
    if isinstance(encoder, ImageEncoder):
        # Against an image of mean brightness, which networks read as zeros.
        x = x + np.array(encoder.offset) / np.array(encoder.factor)
    return np.asarray((x[..., None] * gradients).sum(axis=-2))


def _gradients(model: Any, encoder: Encoder, rows: Rows, n_classes: int, name: str) -> np.ndarray:
    """``(n_samples, *input, n_classes)`` of the log odds with respect to one of the model's inputs."""
    backend, names = current_backend(), [tensor.name for tensor in model.inputs]
    place = names.index(name)
    parts = []
    for start in range(0, n_rows(rows), _ROWS_AT_ONCE):
        block = take(rows, np.arange(start, min(start + _ROWS_AT_ONCE, n_rows(rows))))
        inputs = [keras.ops.convert_to_tensor(encoder.model_inputs(block)[other]) for other in names]
        found = []
        for number in range(n_classes):

            def total(values: list[Any], number: int = number, inputs: list[Any] = inputs) -> Any:
                given = [*inputs[:place], values[0], *inputs[place + 1 :]]
                answers = model(given[0] if len(given) == 1 else given, training=False)
                return keras.ops.sum(log_odds(answers)[:, number])

            _, (gradient,) = backend.value_and_gradients(total, [inputs[place]])
            found.append(np.asarray(keras.ops.convert_to_numpy(gradient)))
        parts.append(np.stack(found, axis=-1))
    return np.concatenate(parts)


def _words(
    model: Any, encoder: TextEncoder, rows: Rows, outputs: np.ndarray
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    words = [str(text).split() for text in rows["texts"]]
    longest = max(1, max(len(row) for row in words))
    values = np.zeros((len(words), longest, outputs.shape[1]))
    for i, row in enumerate(words):
        if not row:
            continue
        texts = np.empty(len(row), dtype=object)
        texts[:] = [" ".join([*row[:j], *row[j + 1 :]]) for j in range(len(row))]
        without = {"texts": texts, "tokens": encoder.vocabulary.encode(texts, encoder.length)}
        values[i, : len(row)] = _odds(outputs[i : i + 1]) - _odds(predict(model, encoder, without))
    return values, tuple(tuple(row) for row in words)
