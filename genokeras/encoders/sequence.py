"""Sequences as networks and the linear father read them.

| symbol | meaning | shape |
|---|---|---|
| n, L, e | sequences, letters of a row, numbers beside each | |
| w | letters that a network reads at once: L, or those of a window | |
| codes | sets of bases as bits, 0 is padding | (n, L) uint8 |
| extra | numbers beside the sequence, as they came | (n, e) float32 |
| tensor | probabilities of A, C, G, T, and the standardised numbers at every place | (n, w, 4 + e) float32 |
| counts | how often each word of k letters occurs, for each k; where sequences are equally long and read in one direction, the letters, pairs and triples by place, and triples by stretches of 5 places; the standardised numbers | (n, sum 4^k [+ ...] + e) |
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import keras
import numpy as np
from scipy import sparse

from genokeras.data import SequenceData
from genokeras.data.bases import ANY, COMPLEMENT, PROBABILITIES
from genokeras.encoders.encoder import COUNTS, LinearView, Look, NetworkEncoder, Rows, take
from genokeras.encoders.windows import (
    cut_windows,
    drawn_starts,
    extents,
    middle_starts,
    window_counts,
    window_starts,
)
from genokeras.errors import DataError
from genokeras.features import (
    kmer_counts,
    one_hot,
    padded_codes,
    reverse_complement,
    words_by_place,
    words_near,
)
from genokeras.graph import Shape
from genokeras.support.wording import counted, listed

# Letters of the words that are counted, and the longest ones that are counted place by place: more of them than there are samples,
# yet with a penalty they are worth more than 4-letter words alone (benchmarks/README.md).
WORDS = (4, 5, 6, 7)
PLACED = 3
# Letters of a word, places of a stretch in which it is counted, and places from one stretch to the next: a site may be a few letters
# off.
NEAR = (3, 5, 2)
# Of all samples together, so that they take up some 400 MB at most; else only shorter words are counted.
_MOST_COUNTS = 50_000_000
# What numbers beside sequences are called that came without names.
_MADE_UP = re.compile(r"(?:extra_)?\d+")
# From reading to the delivered model, of a linear model: of any, and of each count.
_SECONDS_AT_LEAST, _SECONDS_OF_COUNT = 4.0, 1.9e-6
# Longer sequences are read by windows: a network of 2,000 positions is what two cores can train.
WINDOW = 2000
# A delivered model reads as many windows of every sequence, however short: nearly all are read whole, but a few very long
# ones do not make it slow for the others.
MOST_WINDOWS = 10
_SHARE_WHOLE = 0.99
# All rows are held in memory, a byte a place.
_MOST_PLACES = 2_000_000_000
SHORTEST = 20
_FLANK = 1e-6
# In training a letter may be unreadable: without that, networks learn a few thousand sequences by heart before they find what
# these have in common.
MASKED = 0.1


@dataclass(frozen=True)
class SequenceEncoder(NetworkEncoder):
    """Sequences of bases, all in rows of one length.

    Attributes
    ----------
    length : int
        Letters of a row.
    equal : bool
        Whether all training sequences had this length; others are set in the middle of their row.
    strands : bool
        Whether the reverse complement says the same: networks then train on either strand and answer with the mean.
    extra_names : tuple of str
    extra_mean, extra_sd : tuple of float
        Of the numbers beside the sequences.
    masked : float
        Share of the letters that are hidden in training.
    shift : int
        Letters by which sequences are moved at most in training.
    words : tuple of int
        Letters of the words that are counted.
    placed : int
        Letters of the longest words that are counted place by place; 0 for none.
    window : int
        Letters that networks read at once. Training draws a window from each longer sequence; the answer is the mean over windows
        that hold all its letters.
    """

    length: int
    equal: bool
    strands: bool
    extra_names: tuple[str, ...] = ()
    extra_mean: tuple[float, ...] = ()
    extra_sd: tuple[float, ...] = ()
    masked: float = MASKED
    shift: int = 0
    words: tuple[int, ...] = WORDS
    placed: int = 0
    window: int = WINDOW
    kind: ClassVar[str] = "sequence"

    @property
    def input_shape(self) -> Shape:
        return (min(self.length, self.window), 4 + len(self.extra_names))

    @property
    def n_windows(self) -> int:
        """Windows that read the longest sequences."""
        return -(-self.length // self.window)

    @property
    def n_counts(self) -> int:
        return self.n_exact + (self._n_near if self.placed else 0) + len(self.extra_names)

    @property
    def n_exact(self) -> int:
        """Words that are counted, and words by place."""
        return self.n_words + sum((self.length - k + 1) * 4**k for k in range(1, self.placed + 1))

    @property
    def _n_near(self) -> int:
        letters, width, step = NEAR
        return ((self.length - letters + 1 - width) // step + 1) * 4**letters

    @property
    def n_words(self) -> int:
        """Words that are counted."""
        return sum(4**k for k in self.words)

    @property
    def linear_views(self) -> dict[str, LinearView]:
        # Which of them does best differs from data to data.
        views = {COUNTS: LinearView(0.0), "even": LinearView(0.5)}
        if not self.placed:
            return views
        return views | {"exact": LinearView(0.0, self.n_exact), "words": LinearView(0.5, self.n_words)}

    def rows(self, data: SequenceData) -> Rows:
        extra = self._extra_of(data)
        if self.equal and (odd := np.flatnonzero(data.lengths != self.length)).size:
            raise DataError(
                f"{data.source}: the model was fitted on sequences of {self.length} letters each, but "
                f"{counted(len(odd), 'sequence has', 'sequences have')} another length: "
                f"{listed((f'{data.names[i]} ({data.lengths[i]})' for i in odd), 5)}."
            )
        rows = {"codes": padded_codes(data, self.length, "left" if self.equal else "centre")}
        return rows if extra is None else {**rows, "extra": extra}

    def _extra_of(self, data: SequenceData) -> np.ndarray | None:
        """The numbers beside sequences in the order of training: by name, or by position where either had no names."""
        given, wanted = () if data.extra is None else data.extra_names, self.extra_names
        if data.extra is not None and wanted and set(wanted) <= set(given):
            return data.extra[:, [given.index(name) for name in wanted]]
        if len(given) != len(wanted):
            raise DataError(
                f"{data.source}: the model was fitted with {len(wanted)} extra numbers for each sequence "
                f"({', '.join(wanted) or 'none'}), got {len(given)}. Pass extra=."
            )
        if not all(map(_MADE_UP.fullmatch, given)) and not all(map(_MADE_UP.fullmatch, wanted)):
            raise DataError(
                f"{data.source}: the model was fitted with the extra numbers {listed(wanted)}, and got {listed(given)}. Name them alike, or "
                "pass an array in the order of training."
            )
        return data.extra

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        codes = rows["codes"]
        if rng is not None:
            codes = self._changed(codes, self.draw(rows, np.arange(len(codes)), rng))
        elif self.n_windows > 1:
            codes = cut_windows(codes, middle_starts(codes, self.window), self.window)
        return self._read(codes, rows)

    def _read(self, codes: np.ndarray, rows: Rows) -> np.ndarray:
        """What networks read of windows, and of the numbers beside their sequences."""
        letters = one_hot(codes)
        if not self.extra_names:
            return letters
        numbers = np.broadcast_to(self._extra(rows)[:, None], (*codes.shape, len(self.extra_names)))
        return np.concatenate([letters, numbers], axis=2)

    def _changed(self, codes: np.ndarray, drawn: Mapping[str, np.ndarray]) -> np.ndarray:
        """Sequences as they might have been: on the other strand, a little off, with letters that cannot be read.

        Of long ones, a window.
        """
        if self.strands:
            codes = np.where(drawn["other"], reverse_complement(codes, keep_padding=False), codes)
        moved = cut_windows(codes, drawn["starts"], self.input_shape[0], outside=self._outside)
        return np.where(drawn["hidden"] & (moved != 0), np.uint8(ANY), moved)

    @property
    def _outside(self) -> int:
        """What comes in from outside is not known where sequences fill their row, and padding where they do not."""
        return ANY if self.equal else 0

    @property
    def read_rows(self) -> tuple[str, ...]:
        return ("codes", "extra") if self.extra_names else ("codes",)

    def draw(self, rows: Rows, picked: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        n, drawn = len(picked), {}
        if self.strands:
            drawn["other"] = rng.random((n, 1)) < 0.5
        starts = np.zeros(n, dtype=np.int64)
        if self.n_windows > 1:
            codes = rows["codes"][picked]
            if self.strands:
                codes = np.where(drawn["other"], reverse_complement(codes, keep_padding=False), codes)
            starts = drawn_starts(codes, self.window, rng)
        drawn["starts"] = (starts + rng.integers(-self.shift, self.shift + 1, size=n)).astype("int32")
        drawn["hidden"] = rng.random((n, self.input_shape[0])) < self.masked
        return drawn

    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        ops, width = keras.ops, self.input_shape[0]
        codes = ops.cast(rows["codes"], "int32")
        length = codes.shape[1]
        if self.strands:
            turned = ops.take(ops.convert_to_tensor(COMPLEMENT, "int32"), ops.flip(codes, axis=1), axis=0)
            codes = ops.where(drawn["other"], turned, codes)
        places = drawn["starts"][:, None] + ops.arange(width, dtype="int32")
        inside = ops.logical_and(places >= 0, places < length)
        moved = ops.take_along_axis(codes, ops.clip(places, 0, length - 1), axis=1)
        moved = ops.where(inside, moved, self._outside)
        moved = ops.where(ops.logical_and(drawn["hidden"], moved != 0), ANY, moved)
        letters = ops.take(ops.convert_to_tensor(PROBABILITIES), moved, axis=0)
        if not self.extra_names:
            return letters
        numbers = ops.repeat(self._extra(rows)[:, None], width, axis=1)
        return ops.concatenate([letters, numbers], axis=2)

    def still(self) -> SequenceEncoder:
        return replace(self, shift=0)

    def looks(self, rows: Rows) -> Iterator[Look]:
        for samples, codes in self._windows(rows["codes"]):
            there = take(rows, samples)
            yield Look(samples, self._read(codes, there))
            if self.strands:
                yield Look(samples, self._read(reverse_complement(codes, keep_padding=False), there))

    def n_looks(self, rows: Rows) -> int:
        codes = rows["codes"]
        windows = len(codes) if self.n_windows == 1 else window_counts(extents(codes)[1], self.window).sum()
        return int(windows) * (1 + self.strands)

    def _windows(self, codes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The first windows of all sequences, the second ones of those that have two, and so on, behind their positions."""
        if self.n_windows == 1:
            yield np.arange(len(codes)), codes
            return
        counts = window_counts(extents(codes)[1], self.window)
        for number in range(int(counts.max())):
            samples = np.flatnonzero(counts > number)
            starts = window_starts(codes[samples], self.window, number)
            yield samples, cut_windows(codes[samples], starts, self.window)

    def counts(self, rows: Rows) -> sparse.csr_matrix:
        codes = rows["codes"]
        n, length = codes.shape
        laid = SequenceData(codes.ravel(), np.arange(n + 1) * length, ("",) * n)
        parts: list[Any] = [kmer_counts(laid, k, both_strands=self.strands) for k in self.words]
        if self.placed:
            parts.append(sparse.csr_matrix(one_hot(codes).reshape(n, -1)))
        parts += [words_by_place(codes, k) for k in range(2, self.placed + 1)]
        if self.placed:
            parts.append(words_near(codes, *NEAR))
        if self.extra_names:
            parts.append(sparse.csr_matrix(self._extra(rows)))
        return sparse.csr_matrix(sparse.hstack(parts, format="csr"))

    def _extra(self, rows: Mapping[str, Any]) -> Any:
        mean, sd = np.array(self.extra_mean, "float32"), np.array(self.extra_sd, "float32")
        if not isinstance(rows["extra"], np.ndarray):
            mean, sd = (keras.ops.convert_to_tensor(values) for values in (mean, sd))
        return (rows["extra"] - mean) / sd

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        inputs = {"sequence": one_hot(rows["codes"])}
        return inputs | ({"extra": rows["extra"]} if self.extra_names else {})

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SequenceEncoder:
        """Read what `to_dict` wrote."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
            if name not in ("kind", "format")
        }
        return cls(**values)

    def describe_inputs(self) -> dict[str, Any]:
        padding = "" if self.equal else "; shorter sequences stand in the middle, zeros beside them"
        windows = f"; those beyond {self.window} letters are read by windows" if self.n_windows > 1 else ""
        inputs = {"sequence": f"({self.length}, 4): probabilities of A, C, G, T{padding}{windows}"}
        return inputs | ({"extra": list(self.extra_names)} if self.extra_names else {})


def fit_sequence_encoder(
    data: SequenceData, strands: bool, shift: int = 0, window: int = WINDOW, seconds: float = math.inf
) -> tuple[SequenceEncoder, tuple[str, ...]]:
    """The encoder of training data, and notes on what it does to them.

    Parameters
    ----------
    data : SequenceData
    strands : bool
    shift, window : int
        As of `SequenceEncoder`.
    seconds : float, optional
        That a fit has in all, on the machine that costs were measured on: where that is too little, only shorter words are counted.
    """
    lengths = data.lengths
    longest = int(lengths.max())
    equal = longest == lengths.min() and SHORTEST <= longest <= window
    length = _row_length(lengths, window)
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    if data.extra is not None:
        mean = tuple(float(value) for value in data.extra.mean(axis=0))
        spread = data.extra.std(axis=0)
        sd = tuple(float(value) for value in np.where(spread > _FLANK, spread, 1.0))
    names = () if data.extra is None else data.extra_names
    placed = PLACED if equal and not strands else 0
    words: tuple[int, ...] = WORDS
    letters = int(lengths.sum())
    in_time = max(seconds - _SECONDS_AT_LEAST, 0.0) / _SECONDS_OF_COUNT
    while len(words) > 1 and letters * (len(words) * (1 + strands) + placed) > min(_MOST_COUNTS, in_time):
        words = words[:-1]
    notes = _notes(lengths, length, window)
    if len(words) < len(WORDS) and in_time < _MOST_COUNTS:
        notes += (
            f"There is too little time to count words of more than {words[-1]} letters: a longer time limit does.",
        )
    encoder = SequenceEncoder(
        length, bool(equal), strands, names, mean, sd, shift=shift, words=words, placed=placed, window=window
    )
    return encoder, notes


def _row_length(lengths: np.ndarray, window: int) -> int:
    """Letters of a row: those of the longest sequence, or as many whole windows as nearly all take and there is room for."""
    if lengths.max() <= window:
        # Kernels and pools need some room.
        return max(SHORTEST, int(lengths.max()))
    whole = int(np.quantile(lengths, _SHARE_WHOLE, method="higher"))
    return window * max(1, min(-(-whole // window), MOST_WINDOWS, _MOST_PLACES // (len(lengths) * window)))


def _notes(lengths: np.ndarray, length: int, window: int) -> tuple[str, ...]:
    by_windows, cut = int((lengths > window).sum()), int((lengths > length).sum())
    notes = []
    if length > window:
        notes.append(
            f"{counted(by_windows, 'sequence is', 'sequences are')} longer than {window:,} letters: networks train on {window:,} "
            "letters of each, drawn anew every time, and answer with the mean over windows that hold all letters."
        )
    if cut:
        notes.append(
            f"{counted(cut, 'sequence is', 'sequences are')} longer than {length:,} letters: the middle {length:,} are read."
        )
    return tuple(notes)
