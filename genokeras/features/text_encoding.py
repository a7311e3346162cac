"""Texts as numbers: ids of tokens for embeddings, tf-idf of word n-grams, hashed n-grams of words and characters.

Tokens and tf-idf are those of ``keras.layers.TextVectorization``, to the letter, so that an exported model can hold them and
take strings. Hashed n-grams have no such layer; they see more (parts of words) and need no vocabulary.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from genokeras.data.wording import did_you_mean
from genokeras.errors import DataError, ParameterError

Standardise = Literal["lower_and_strip_punctuation", "lower", "none"]
Split = Literal["whitespace", "character"]
PADDING, UNKNOWN = 0, 1
_PUNCTUATION = string.punctuation.encode()


def tokens_of(text: str, standardise: Standardise, split: Split) -> list[str]:
    """Split one text as Keras does: only ASCII letters change case, only ASCII blanks separate words."""
    data = text.encode("utf-8", "replace")
    if standardise != "none":
        data = data.lower()
    if standardise == "lower_and_strip_punctuation":
        data = data.translate(None, _PUNCTUATION)
    if split == "character":
        return list(data.decode())
    return [token.decode("utf-8", "replace") for token in data.split()]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of texts and their ids, as ``TextVectorization(output_mode="int")`` has them.

    Attributes
    ----------
    tokens : tuple of str
        Most frequent first; ``tokens[i]`` has the id ``i + 2``: 0 is padding and 1 any other token.
    standardise : {"lower_and_strip_punctuation", "lower", "none"}
    split : {"whitespace", "character"}
    """

    tokens: tuple[str, ...]
    standardise: Standardise = "lower_and_strip_punctuation"
    split: Split = "whitespace"

    @property
    def size(self) -> int:
        """Number of ids, with padding and the unknown: the input size of an embedding."""
        return len(self.tokens) + 2

    def encode(self, texts: Iterable[str], length: int) -> np.ndarray:
        """Return ids, int32 ``(n_texts, length)``: padded with 0 at the end, cut where longer."""
        ids = {token: i for i, token in enumerate(self.tokens, start=2)}
        rows = [tokens_of(text, self.standardise, self.split)[:length] for text in texts]
        encoded = np.full((len(rows), length), PADDING, dtype=np.int32)
        for row, tokens in zip(encoded, rows, strict=True):
            row[: len(tokens)] = [ids.get(token, UNKNOWN) for token in tokens]
        return encoded

    def lengths(self, texts: Iterable[str]) -> np.ndarray:
        """Return the number of tokens of each text, int64 ``(n_texts,)``."""
        counts = [len(tokens_of(text, self.standardise, self.split)) for text in texts]
        return np.array(counts, dtype=np.int64)


def fit_vocabulary(
    texts: Iterable[str],
    max_tokens: int = 20_000,
    *,
    min_count: int = 1,
    standardise: Standardise = "lower_and_strip_punctuation",
    split: Split = "whitespace",
) -> Vocabulary:
    """Collect the most frequent tokens; ties go by the token itself, so that the order of texts does not matter.

    Raises
    ------
    DataError
        Where no token is frequent enough.
    """
    _check_choice("standardise", standardise, get_args(Standardise))
    _check_choice("split", split, get_args(Split))
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokens_of(text, standardise, split))
    kept = _most_frequent(counts, max_tokens, min_count, "tokens")
    return Vocabulary(kept, standardise, split)


@dataclass(frozen=True, eq=False)
class NgramTfidf:
    """Word n-grams and their weights, as ``TextVectorization(output_mode="tf_idf")`` with unit norm behind it has them.

    Attributes
    ----------
    ngrams : tuple of str
        Words with single blanks between them; ``ngrams[i]`` has column ``i + 1``, column 0 counts all others.
    idf : ndarray of float32, shape (n_ngrams,)
        ln((1 + n) / (1 + n_with)) + 1 over the n texts it was fitted to; the unknown weigh the mean of these.
    longest : int
        Words of the longest n-gram.
    """

    ngrams: tuple[str, ...]
    idf: np.ndarray
    longest: int = 2
    standardise: Standardise = "lower_and_strip_punctuation"

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.ngrams) + 1

    def transform(self, texts: Iterable[str]) -> sparse.csr_matrix:
        """Return counts x idf with rows of unit length, float32 ``(n_texts, size)``; texts without words are zeros."""
        columns = {ngram: i for i, ngram in enumerate(self.ngrams, start=1)}
        indices: list[int] = []
        ends = [0]
        for text in texts:
            words = tokens_of(text, self.standardise, "whitespace")
            indices += [columns.get(ngram, 0) for ngram in _ngrams(words, self.longest)]
            ends.append(len(indices))
        counts = sparse.csr_matrix(
            (np.ones(len(indices), np.float32), np.array(indices, np.int64), np.array(ends, np.int64)),
            shape=(len(ends) - 1, self.size),
        )
        counts.sum_duplicates()
        weights = np.concatenate([[self.idf.mean()], self.idf]).astype(np.float32)
        counts.data *= weights[counts.indices]
        return sparse.csr_matrix(normalize(counts), dtype=np.float32)


def fit_ngram_tfidf(
    texts: Sequence[str],
    longest: int = 2,
    max_ngrams: int = 50_000,
    *,
    min_count: int = 2,
    standardise: Standardise = "lower_and_strip_punctuation",
) -> NgramTfidf:
    """Collect the n-grams of up to `longest` words that are in most texts, and weigh them (Spärck Jones 1972).

    Raises
    ------
    DataError
        Where none is in `min_count` texts.
    """
    _check_choice("standardise", standardise, get_args(Standardise))
    if longest < 1:
        raise ParameterError(f"longest must be at least 1 word: got {longest}.")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_ngrams(tokens_of(text, standardise, "whitespace"), longest)))
    kept = _most_frequent(counts, max_ngrams, min_count, "n-grams")
    with_it = np.array([counts[ngram] for ngram in kept], dtype=np.float64)
    idf = np.log((1 + len(texts)) / (1 + with_it)) + 1
    return NgramTfidf(kept, idf.astype(np.float32), longest, standardise)


@dataclass(frozen=True, eq=False)
class HashedNgrams:
    """Word and character n-grams, hashed (Weinberger 2009), with inverse document frequencies.

    Attributes
    ----------
    idf : ndarray of float32, shape (n_columns,)
        Of word n-grams, then of character n-grams; n-grams not met in fitting weigh the most.
    words, characters : tuple of int
        Shortest and longest n-gram; (0, 0) for none. Character n-grams stay within words.
    bits : int
        Each kind has 2**bits columns.
    """

    idf: np.ndarray
    words: tuple[int, int] = (1, 2)
    characters: tuple[int, int] = (2, 5)
    bits: int = 17

    def transform(self, texts: Iterable[str]) -> sparse.csr_matrix:
        """Return (1 + ln count) x idf with rows of unit length for each kind, float32 ``(n_texts, n_columns)``."""
        counts = _hashed_counts(list(texts), self.words, self.characters, self.bits)
        counts.data = (1 + np.log(counts.data)) * self.idf[counts.indices]
        width = 2**self.bits
        kinds = [normalize(counts[:, i : i + width]) for i in range(0, counts.shape[1], width)]
        return sparse.csr_matrix(sparse.hstack(kinds), dtype=np.float32)


def fit_hashed_ngrams(
    texts: Sequence[str],
    *,
    words: tuple[int, int] = (1, 2),
    characters: tuple[int, int] = (2, 5),
    bits: int = 17,
) -> HashedNgrams:
    """Learn how many texts each hashed n-gram is in; all keep their case folded."""
    if not any(words) and not any(characters):
        raise ParameterError("words and characters cannot both be (0, 0): nothing is left to count.")
    if not 1 <= bits <= 22:
        raise ParameterError(f"bits must lie in 1 to 22: got {bits}.")
    counts = _hashed_counts(list(texts), words, characters, bits)
    with_it = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + len(texts)) / (1 + with_it)) + 1
    return HashedNgrams(idf.astype(np.float32), words, characters, bits)


def _hashed_counts(
    texts: list[str], words: tuple[int, int], characters: tuple[int, int], bits: int
) -> sparse.csr_matrix:
    kinds = [("word", words, r"\w+|[^\w\s]"), ("char_wb", characters, None)]
    parts = []
    for analyser, span, pattern in kinds:
        if not any(span):
            continue
        counter = HashingVectorizer(
            analyzer=analyser,
            ngram_range=span,
            n_features=2**bits,
            token_pattern=pattern,
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        )
        parts.append(counter.transform(texts))
    return sparse.csr_matrix(sparse.hstack(parts))


def _ngrams(words: list[str], longest: int) -> list[str]:
    # Keras' tokens are words with single blanks between them, too.
    return [" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)]


def _most_frequent(counts: Counter[str], most: int, min_count: int, what: str) -> tuple[str, ...]:
    if most < 1:
        raise ParameterError(f"at least one of the {what} must be kept: got {most}.")
    frequent = [item for item in counts.items() if item[1] >= min_count]
    if not frequent:
        raise DataError(f"the texts hold no {what} that occur at least {min_count} times: are they empty?")
    frequent.sort(key=lambda item: (-item[1], item[0]))
    return tuple(token for token, _ in frequent[:most])


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        options = ", ".join(repr(option) for option in known)
        raise ParameterError(
            f"{name} must be one of {options}: got {value!r}.{did_you_mean(str(value), known)}"
        )
