"""Texts as networks and the linear father read them: ids of tokens, and tf-idf of words, pairs of words, and parts of words.

Tokens and n-grams are those of ``keras.layers.TextVectorization``, so that a delivered model can take strings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from scipy import sparse

from genokeras.data import TextData
from genokeras.encoders.encoder import COUNTS, LinearView, NetworkEncoder, Rows
from genokeras.errors import ParameterError
from genokeras.features import NgramTfidf, Vocabulary, fit_ngram_tfidf, fit_vocabulary
from genokeras.features.text_encoding import PADDING, UNKNOWN
from genokeras.graph import Shape

# The input of models that read texts as they came.
STRINGS = "texts"
MOST_TOKENS = 20_000
MOST_PHRASES, MOST_PARTS = 80_000, 50_000
_PHRASES_IN_HASTE = 20_000
PHRASES, PARTS = (1, 2), (2, 3, 4, 5)
# Parts of words are counted in this number of letters at most: a minute's work.
_MOST_LETTERS = 50_000_000
# From reading to the delivered model, of a linear model: of any, and of each letter where all is counted.
_SECONDS_AT_LEAST, _SECONDS_OF_LETTER = 4.0, 5e-6
LONGEST = 400
SHORTEST = 8
# Of texts, nearly all are read to their end; a few very long ones would make every network slow.
_SHARE_WHOLE = 0.99
DROPPED_TOKENS = 0.1


@dataclass(frozen=True, eq=False)
class TextEncoder(NetworkEncoder):
    """Texts as words.

    Attributes
    ----------
    vocabulary : Vocabulary
    tfidf : tuple of NgramTfidf
        Of words and pairs of words, and of parts of words; side by side they are the counts.
    length : int
        Tokens that networks read; texts are cut behind.
    """

    vocabulary: Vocabulary
    tfidf: tuple[NgramTfidf, ...]
    length: int
    kind: ClassVar[str] = "text"

    @property
    def input_shape(self) -> Shape:
        return (self.length,)

    @property
    def n_counts(self) -> int:
        return sum(part.size for part in self.tfidf)

    @property
    def linear_views(self) -> dict[str, LinearView]:
        return {COUNTS: LinearView(0.0)}

    def rows(self, data: TextData) -> Rows:
        texts = np.empty(len(data), dtype=object)
        texts[:] = data.texts
        return {"texts": texts, "tokens": self.vocabulary.encode(data.texts, self.length)}

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        tokens = rows["tokens"]
        if rng is None:
            return tokens
        dropped = self.draw(rows, np.arange(len(tokens)), rng)["dropped"] & (tokens != PADDING)
        return np.where(dropped, np.int32(UNKNOWN), tokens)

    @property
    def read_rows(self) -> tuple[str, ...]:
        return ("tokens",)

    def draw(self, rows: Rows, picked: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"dropped": rng.random((len(picked), self.length)) < DROPPED_TOKENS}

    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        tokens = keras.ops.cast(rows["tokens"], "int32")
        dropped = keras.ops.logical_and(drawn["dropped"], tokens != PADDING)
        return keras.ops.where(dropped, UNKNOWN, tokens)

    def counts(self, rows: Rows) -> sparse.csr_matrix:
        parts = [part.transform(rows["texts"]) for part in self.tfidf]
        return sparse.csr_matrix(sparse.hstack(parts, format="csr"))

    def says_nothing(self, texts: Sequence[str]) -> np.ndarray:
        """``(n_texts,)`` bool: whether a text has no word, and no part of a word, that the training texts had."""
        nothing: np.ndarray = np.all(self.vocabulary.encode(texts, self.length) <= UNKNOWN, axis=1)
        # Words behind the last one that networks read, and parts of unknown words, say something to the linear model.
        if nothing.any():
            unread = np.flatnonzero(nothing)
            counts = self.counts({"texts": np.array(texts, dtype=object)[unread]})
            nothing[unread] = counts.getnnz(axis=1) == 0
        return nothing

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        names = [STRINGS] if _takes_strings() else ["tokens", "ngrams"]
        return dict(zip(names, self.inputs_named(names, rows), strict=True))

    def inputs_named(self, names: Sequence[str], rows: Rows) -> list[Any]:
        # A model reads what the backend that it was made on can read.
        known: dict[str, Callable[[], Any]] = {
            STRINGS: lambda: _strings(rows["texts"].tolist()),
            "tokens": lambda: rows["tokens"],
            "ngrams": lambda: self.counts(rows).toarray(),
        }
        return [known[name]() for name in names]

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "length": self.length,
            "tokens": list(self.vocabulary.tokens),
            "tfidf": [
                {
                    "ngrams": list(part.ngrams),
                    "idf": part.idf.tolist(),
                    "lengths": list(part.lengths),
                    "standardise": part.standardise,
                    "split": part.split,
                }
                for part in self.tfidf
            ],
        }

    def sidecar(self) -> dict[str, Any]:
        if _takes_strings():  # such a model holds its words itself
            return {"inputs": self.describe_inputs()}
        return super().sidecar()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TextEncoder:
        """Read what `to_dict` wrote."""
        tfidf = [
            NgramTfidf(
                tuple(part["ngrams"]),
                np.array(part["idf"], dtype=np.float32),
                tuple(part["lengths"]),
                part["standardise"],
                part["split"],
            )
            for part in data["tfidf"]
        ]
        return cls(Vocabulary(tuple(data["tokens"])), tuple(tfidf), data["length"])

    def describe_inputs(self) -> dict[str, Any]:
        if _takes_strings():
            return {STRINGS: "strings"}
        return {
            "tokens": f"({self.length},): ids of words, 0 is padding, 1 any word that is not listed",
            "ngrams": f"({self.n_counts},): tf-idf of words, pairs of words, and parts of words",
            "words": list(self.vocabulary.tokens),
        }


def of_strings() -> TextEncoder:
    """The encoder of texts for a model that reads strings and holds its words itself."""
    return TextEncoder(Vocabulary(()), (), SHORTEST)


def _takes_strings() -> bool:
    """Whether models that are made here read strings, which Keras has on TensorFlow alone."""
    return keras.backend.backend() == "tensorflow"


def _strings(texts: list[str]) -> Any:
    if not _takes_strings():
        raise ParameterError(
            f"this model was made on TensorFlow and reads strings, which Keras does not have on {keras.backend.backend()}: set "
            "KERAS_BACKEND=tensorflow before Python starts."
        )
    return keras.ops.convert_to_tensor(texts, dtype="string")


def fit_text_encoder(data: TextData, seconds: float = math.inf) -> tuple[TextEncoder, tuple[str, ...]]:
    """The encoder of training data, and notes on what it does to them.

    Parameters
    ----------
    data : TextData
    seconds : float, optional
        That a fit has in all, on the machine that costs were measured on: where that is too little, parts of words and rarer phrases are left out.
    """
    vocabulary = fit_vocabulary(data.texts, MOST_TOKENS)
    lengths = vocabulary.lengths(data.texts)
    length = int(np.clip(np.ceil(np.quantile(lengths, _SHARE_WHOLE)), SHORTEST, LONGEST))
    cut = int((lengths > length).sum())
    notes: tuple[str, ...] = (
        (f"{cut} texts are longer than {length} words: networks read their beginning.",) if cut else ()
    )
    letters = sum(map(len, data.texts))
    in_haste = _SECONDS_AT_LEAST + letters * _SECONDS_OF_LETTER > seconds
    most = _PHRASES_IN_HASTE if in_haste else MOST_PHRASES
    tfidf = [fit_ngram_tfidf(data.texts, PHRASES, most, min_count=1)]
    if letters > _MOST_LETTERS:
        notes += (f"More than {_MOST_LETTERS:,} letters: parts of words are not counted.",)
    elif in_haste:
        notes += (
            f"There is too little time to count parts of words, and more than {most:,} words and pairs of words: a longer time limit does.",
        )
    else:
        parts = fit_ngram_tfidf(
            data.texts, PARTS, MOST_PARTS, min_count=1, standardise="lower", split="character"
        )
        tfidf.append(parts)
    return TextEncoder(vocabulary, tuple(tfidf), length), notes
