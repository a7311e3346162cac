"""Texts as numbers: ids of tokens for embeddings, tf-idf of n-grams of words and of characters.

Tokens and n-grams are those of ``keras.layers.TextVectorization``, to the letter, so that an exported model can hold them and
take strings.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from genokeras.errors import DataError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted

Standardise = Literal["lower_and_strip_punctuation", "lower", "none"]
Split = Literal["whitespace", "character"]
PADDING, UNKNOWN = 0, 1
_PUNCTUATION = string.punctuation.encode()
_WORD = re.compile(r"\S+")
# N-grams of characters are counted in this number of words at a time.
_WORDS_AT_ONCE = 1_000_000


def tokens_of(text: str, standardise: Standardise, split: Split) -> list[str]:
    """Split one text as Keras does: only ASCII letters change case, only ASCII blanks separate words."""
    data = _standardised(text, standardise)
    if split == "character":
        return list(data.decode())
    return [token.decode("utf-8", "replace") for token in data.split()]


def _standardised(text: str, standardise: Standardise) -> bytes:
    data = text.encode("utf-8", "replace")
    if standardise != "none":
        data = data.lower()
    return data.translate(None, _PUNCTUATION) if standardise == "lower_and_strip_punctuation" else data


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
    check_choice(standardise, "standardise", get_args(Standardise))
    check_choice(split, "split", get_args(Split))
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokens_of(text, standardise, split))
    kept = _most_frequent(counts, max_tokens, min_count, "tokens", f"{min_count} times")
    return Vocabulary(kept, standardise, split)


@dataclass(frozen=True, eq=False)
class NgramTfidf:
    """N-grams of words or of characters, and their weights.

    Attributes
    ----------
    ngrams : tuple of str
        ``ngrams[i]`` has column ``i``; words with single blanks between them, or characters as they stand within a word and at its ends.
    idf : ndarray of float32, shape (n_ngrams,)
        ln((1 + n) / (1 + n_with)) + 1 over the n texts it was fitted to.
    lengths : tuple of int
        Words or characters of an n-gram.
    standardise : {"lower_and_strip_punctuation", "lower", "none"}
    split : {"whitespace", "character"}
    """

    ngrams: tuple[str, ...]
    idf: np.ndarray
    lengths: tuple[int, ...] = (1, 2)
    standardise: Standardise = "lower_and_strip_punctuation"
    split: Split = "whitespace"

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.ngrams)

    def transform(self, texts: Iterable[str]) -> sparse.csr_matrix:
        """Return (1 + ln count) x idf with rows of unit length, float32 ``(n_texts, size)``; texts without n-grams are zeros."""
        columns = {ngram: i for i, ngram in enumerate(self.ngrams)}
        if self.split == "character":
            blocks = [
                block @ _counted((_parts(word, self.lengths) for word in words), columns)
                for block, words in _words(texts, self.standardise)
            ]
            counts = sparse.csr_matrix(sparse.vstack(blocks, format="csr"))
        else:
            tokens = (tokens_of(text, self.standardise, self.split) for text in texts)
            counts = _counted((_phrases(of_text, self.lengths) for of_text in tokens), columns)
        counts.sort_indices()
        counts.data = (1 + np.log(counts.data)) * self.idf[counts.indices]
        return sparse.csr_matrix(normalize(counts), dtype=np.float32)


def fit_ngram_tfidf(
    texts: Sequence[str],
    lengths: tuple[int, ...] = (1, 2),
    max_ngrams: int = 50_000,
    *,
    min_count: int = 2,
    standardise: Standardise = "lower_and_strip_punctuation",
    split: Split = "whitespace",
) -> NgramTfidf:
    """Collect the n-grams that are in most texts, and weigh them (Spärck Jones 1972).

    N-grams of characters lie within a word; the blank before it or behind it may be part of them.

    Parameters
    ----------
    texts : sequence of str
    lengths : tuple of int
        Words or characters of an n-gram.
    max_ngrams : int
    min_count : int
        Texts that an n-gram must be in.
    standardise : {"lower_and_strip_punctuation", "lower", "none"}
    split : {"whitespace", "character"}

    Raises
    ------
    DataError
        Where none is in `min_count` texts.
    """
    check_choice(standardise, "standardise", get_args(Standardise))
    check_choice(split, "split", get_args(Split))
    if not lengths or min(lengths) < 1:
        raise ParameterError(f"lengths must be whole numbers of at least 1: got {lengths}.")
    counts: Counter[str] = Counter()
    if split == "character":
        for block, words in _words(texts, standardise):
            columns: dict[str, int] = {}
            within = _counted((_parts(word, lengths) for word in words), columns, grows=True)
            texts_with = np.bincount((block @ within).indices, minlength=len(columns)).tolist()
            counts.update(dict(zip(columns, texts_with, strict=True)))
    else:
        for text in texts:
            counts.update(set(_phrases(tokens_of(text, standardise, split), lengths)))
    if split == "character" and not counts and any(text.split() for text in texts):
        raise DataError(
            f"the texts hold no n-grams of characters (lengths: {', '.join(map(str, lengths))}): at least one text must have a word "
            f"of {counted(min(lengths), 'letter')} or more."
        )
    kept = _most_frequent(counts, max_ngrams, min_count, "n-grams", f"in {min_count} texts")
    with_it = np.array([counts[ngram] for ngram in kept], dtype=np.float64)
    idf = np.log((1 + len(texts)) / (1 + with_it)) + 1
    return NgramTfidf(kept, idf.astype(np.float32), lengths, standardise, split)


def _phrases(tokens: list[str], lengths: Iterable[int]) -> list[str]:
    return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]


def _parts(word: str, lengths: Iterable[int]) -> list[str]:
    """Parts of a word with the blanks beside it; a blank alone is none."""
    found = [word[i : i + n] for n in lengths for i in range(len(word) - n + 1)]
    return [part for part in found if not part.isspace()]


def _words(texts: Iterable[str], standardise: Standardise) -> Iterator[tuple[sparse.csr_matrix, list[str]]]:
    """The different words of some texts at a time, with the blanks beside them, and how often each text has each: n-grams of characters
    lie within a word, and words come again and again.
    """
    ids: dict[str, int] = {}
    indices, ends = [], [0]
    for text in texts:
        whole = _standardised(text, standardise).decode()
        for word in _WORD.finditer(whole):
            start, end = word.span()
            indices.append(ids.setdefault(whole[max(0, start - 1) : end + 1], len(ids)))
        ends.append(len(indices))
        if len(indices) >= _WORDS_AT_ONCE:
            yield _counts(indices, ends, len(ids)), list(ids)
            ids, indices, ends = {}, [], [0]
    # Of no texts, too.
    yield _counts(indices, ends, len(ids)), list(ids)


def _counted(rows: Iterable[list[str]], columns: dict[str, int], grows: bool = False) -> sparse.csr_matrix:
    """How often each row has each n-gram that has a column; where they grow, new ones get theirs."""
    indices: list[int] = []
    ends = [0]
    for row in rows:
        if grows:
            indices += [columns.setdefault(ngram, len(columns)) for ngram in row]
        else:
            indices += [column for column in map(columns.get, row) if column is not None]
        ends.append(len(indices))
    return _counts(indices, ends, len(columns))


def _counts(indices: list[int], ends: list[int], width: int) -> sparse.csr_matrix:
    values = np.ones(len(indices), np.float32), np.array(indices, np.int64), np.array(ends, np.int64)
    counts = sparse.csr_matrix(values, shape=(len(ends) - 1, width))
    counts.sum_duplicates()
    return counts


def _most_frequent(
    counts: Counter[str], most: int, min_count: int, what: str, enough: str
) -> tuple[str, ...]:
    if most < 1:
        raise ParameterError(f"at least one of the {what} must be kept: got {most}.")
    frequent = [item for item in counts.items() if item[1] >= min_count]
    if not frequent:
        if not counts:
            raise DataError(f"the texts hold no {what}: are they empty, or of punctuation alone?")
        raise DataError(
            f"the texts hold no {what} that occur at least {enough}: the most frequent of them has {max(counts.values())}. Lower min_count."
        )
    frequent.sort(key=lambda item: (-item[1], item[0]))
    return tuple(token for token, _ in frequent[:most])
