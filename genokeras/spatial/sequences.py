"""Sequences as networks and the linear father read them.

| symbol | meaning | shape |
|---|---|---|
| n, L, e | sequences, letters of a row, numbers beside each | |
| codes | sets of bases as bits, 0 is padding | (n, L) uint8 |
| extra | numbers beside the sequence, as they came | (n, e) float32 |
| tensor | probabilities of A, C, G, T, and the standardised numbers at every place | (n, L, 4 + e) float32 |
| counts | words of k letters, the letters by place where all are equally long, the standardised numbers | (n, 4^k [+ 4 L] + e) |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from genokeras.data import SequenceData
from genokeras.data.bases import ANY
from genokeras.data.wording import counted, listed
from genokeras.errors import DataError
from genokeras.features import kmer_counts, one_hot, padded_codes, reverse_complement
from genokeras.graph import Shape
from genokeras.spatial.encoding import Encoder, Rows

WORD = 4
# Longer sequences are cut to their middle: a network of 2,000 positions is what two cores can train.
LONGEST = 2000
SHORTEST = 20
_FLANK = 1e-6
# In training a letter may be unreadable: without that, networks learn a few thousand sequences by heart before they find what
# these have in common.
MASKED = 0.1


@dataclass(frozen=True)
class SequenceEncoder(Encoder):
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
    """

    length: int
    equal: bool
    strands: bool
    extra_names: tuple[str, ...] = ()
    extra_mean: tuple[float, ...] = ()
    extra_sd: tuple[float, ...] = ()
    masked: float = MASKED
    shift: int = 0
    kind: ClassVar[str] = "sequence"

    @property
    def input_shape(self) -> Shape:
        return (self.length, 4 + len(self.extra_names))

    @property
    def n_counts(self) -> int:
        return 4**WORD + (4 * self.length if self.equal else 0) + len(self.extra_names)

    def rows(self, data: SequenceData) -> Rows:
        given = () if data.extra is None else data.extra_names
        if len(given) != len(self.extra_names):
            raise DataError(
                f"{data.source}: the classifier was fitted with {len(self.extra_names)} extra numbers for each sequence "
                f"({', '.join(self.extra_names) or 'none'}), got {len(given)}. Pass extra=."
            )
        if self.equal and (odd := np.flatnonzero(data.lengths != self.length)).size:
            raise DataError(
                f"{data.source}: the classifier was fitted on sequences of {self.length} letters each, but "
                f"{counted(len(odd), 'sequence has', 'sequences have')} another length: "
                f"{listed((f'{data.names[i]} ({data.lengths[i]})' for i in odd), 5)}."
            )
        rows = {"codes": padded_codes(data, self.length, "left" if self.equal else "centre")}
        return rows if data.extra is None else {**rows, "extra": data.extra}

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        codes = rows["codes"] if rng is None else self._changed(rows["codes"], rng)
        letters = one_hot(codes)
        if not self.extra_names:
            return letters
        numbers = np.broadcast_to(self._extra(rows)[:, None], (*codes.shape, len(self.extra_names)))
        return np.concatenate([letters, numbers], axis=2)

    def _changed(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sequences as they might have been: on the other strand, a little off, with letters that cannot be read."""
        n, length = codes.shape
        if self.strands:
            other = rng.random((n, 1)) < 0.5
            codes = np.where(other, reverse_complement(codes, keep_padding=False), codes)
        places = np.arange(length) + rng.integers(-self.shift, self.shift + 1, size=(n, 1))
        inside = (places >= 0) & (places < length)
        moved = np.take_along_axis(codes, places.clip(0, length - 1), axis=1)
        hidden = (rng.random(codes.shape) < self.masked) & (moved != 0)
        # What comes in from outside is not known where sequences fill their row, and padding where they do not.
        moved = np.where(inside, moved, np.uint8(ANY if self.equal else 0))
        return np.where(hidden, np.uint8(ANY), moved)

    def looks(self, tensor: np.ndarray) -> list[np.ndarray]:
        if not self.strands:
            return [tensor]
        other = tensor[:, ::-1].copy()
        other[..., :4] = other[..., 3::-1]
        return [tensor, other]

    def counts(self, rows: Rows) -> sparse.csr_matrix:
        codes = rows["codes"]
        n, length = codes.shape
        laid = SequenceData(codes.ravel(), np.arange(n + 1) * length, ("",) * n)
        words = kmer_counts(laid, WORD)
        if self.strands:
            words = sparse.csr_matrix(words + words[:, other_strand_words()])
        parts: list[Any] = [words]
        if self.equal:
            parts.append(sparse.csr_matrix(one_hot(codes).reshape(n, -1)))
        if self.extra_names:
            parts.append(sparse.csr_matrix(self._extra(rows)))
        return sparse.csr_matrix(sparse.hstack(parts, format="csr"))

    def _extra(self, rows: Rows) -> np.ndarray:
        mean, sd = np.array(self.extra_mean, "float32"), np.array(self.extra_sd, "float32")
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
        inputs = {"sequence": f"({self.length}, 4): probabilities of A, C, G, T{padding}"}
        return inputs | ({"extra": list(self.extra_names)} if self.extra_names else {})


def fit_sequence_encoder(
    data: SequenceData, strands: bool, shift: int = 0
) -> tuple[SequenceEncoder, tuple[str, ...]]:
    """The encoder of training data, and notes on what it does to them; `strands` and `shift` as of `SequenceEncoder`."""
    lengths, notes = data.lengths, []
    longest = int(lengths.max())
    equal = longest == lengths.min() and SHORTEST <= longest <= LONGEST
    if longest > LONGEST:
        notes.append(
            f"{int((lengths > LONGEST).sum())} sequences are longer than {LONGEST:,} letters: their middle {LONGEST:,} are read."
        )
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    if data.extra is not None:
        mean = tuple(float(value) for value in data.extra.mean(axis=0))
        spread = data.extra.std(axis=0)
        sd = tuple(float(value) for value in np.where(spread > _FLANK, spread, 1.0))
    names = () if data.extra is None else data.extra_names
    # Kernels and pools need some room.
    length = max(SHORTEST, min(longest, LONGEST))
    return SequenceEncoder(length, bool(equal), strands, names, mean, sd, shift=shift), tuple(notes)


def other_strand_words(k: int = WORD) -> np.ndarray:
    """For each word of k letters the position of its reverse complement, ``(4^k,)``."""
    digits = np.stack([np.arange(4**k) // 4**i % 4 for i in range(k)])  # the last letter first
    return np.asarray(((3 - digits) * 4 ** np.arange(k - 1, -1, -1)[:, None]).sum(axis=0))
