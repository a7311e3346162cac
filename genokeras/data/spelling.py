"""From letters and one-hot arrays to the codes of bases, with every letter that is no base named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from genokeras.data.bases import ANY, CODE_OF_BYTE, NO_BASE, PROBABILITIES
from genokeras.errors import DataError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, listed

Unknown = Literal["error", "n"]
_SHARE_TOLERANCE = 1e-3
_BLOCK = 4_000_000
_AMINO_ACIDS = frozenset("EFILPQ")
# These six are about a third of the letters of usual proteins.
_SHARE_OF_AMINO_ACIDS = 0.1


@dataclass(frozen=True, eq=False)
class Spelled:
    """Codes of all sequences end to end, where each starts and ends, and what was found on the way."""

    codes: np.ndarray
    offsets: np.ndarray
    notes: tuple[str, ...] = ()


def check_unknown(unknown: str) -> None:
    """Raise where the treatment of letters that are no bases is not known."""
    check_choice(unknown, "unknown", get_args(Unknown))


def spell(sequences: Sequence[Any], names: Sequence[str], source: str, unknown: Unknown) -> Spelled:
    """Return the codes of sequences given as text.

    Raises
    ------
    DataError
        Where a sequence is missing, empty, holds U and T, where they are proteins, or (unless `unknown` is ``"n"``) letters that are no bases.
    """
    texts = _texts(sequences, names, source)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    _check_lengths(lengths, names, source)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    letters = np.frombuffer("".join(texts).encode("latin-1", "replace"), np.uint8)
    codes = CODE_OF_BYTE[letters]
    notes = _rna_notes(letters, offsets, names, source)
    odd = np.flatnonzero(codes == NO_BASE)
    _check_not_protein(letters, odd, source)
    if len(odd):
        if unknown == "error":
            raise DataError(_no_bases(odd, texts, offsets, names, source))
        codes[odd] = ANY
        notes += (
            f"{counted(len(odd), 'letter that is no base counts', 'letters that are no bases count')} as N.",
        )
    small = int((letters >= ord("a")).sum())
    if small:
        notes += (f"{counted(small, 'lower-case letter counts', 'lower-case letters count')} as upper case.",)
    return Spelled(codes, offsets, notes)


def spell_one_hot(x: Any) -> Spelled:
    """Return the codes of an array ``(n_sequences, length, 4)`` with the channels A, C, G and T.

    Raises
    ------
    DataError
        Where the shape is another, or a place holds other than one base, equal shares of several, or zeros.
    """
    values = _three_dimensional(x)
    codes = np.empty(values.shape[:2], dtype=np.uint8)
    for block in np.array_split(np.arange(len(values)), 1 + min(len(values) - 1, values.size // _BLOCK)):
        codes[block] = _one_hot_codes(values[block[0] : block[-1] + 1], int(block[0]))
    bare = np.flatnonzero(~codes.any(axis=1)).tolist()
    if bare:
        raise DataError(
            f"array: {counted(len(bare), 'sequence')} without any base (all zeros): {listed(bare)}."
        )
    n, length = values.shape[0], values.shape[1]
    return Spelled(codes.ravel(), np.arange(n + 1, dtype=np.int64) * length)


def _one_hot_codes(values: np.ndarray, first: int) -> np.ndarray:
    codes = ((values > 0).astype(np.float32) @ np.array([1, 2, 4, 8], np.float32)).astype(np.uint8)
    # Not a number is nowhere close, and so is caught here as well.
    close = np.abs(values - PROBABILITIES[codes]) <= _SHARE_TOLERANCE
    if not close.all():
        wrong = ~close.all(axis=2)
        row, place = divmod(int(np.flatnonzero(wrong)[0]), wrong.shape[1])
        raise DataError(
            f"array: sequence {first + row} is not one-hot at place {place}, where it holds {values[row, place].tolist()}. "
            "Expected a single 1, equal shares that sum to 1 (0.5 and 0.5 for two bases), or zeros where there is no base."
        )
    return codes


def _three_dimensional(x: Any) -> np.ndarray:
    try:
        values = np.asarray(x)
    except ValueError as error:
        raise DataError(f"one-hot sequences must have one length: {error}.") from error
    hint = ""
    if values.ndim == 3 and values.shape[1] == 4 and values.shape[2] != 4:
        hint = " The channels come second here: pass x.transpose(0, 2, 1)."
    if values.ndim == 2 and values.shape[1] == 4:
        hint = " For one sequence pass x[np.newaxis]."
    if values.ndim != 3 or values.shape[2] != 4 or values.dtype.kind not in "biuf":
        raise DataError(
            "sequences must be text, or numbers of shape (n_sequences, length, 4) for A, C, G, T: got shape "
            f"{values.shape}, dtype {values.dtype}.{hint}"
        )
    if not values.size:
        raise DataError(f"array of shape {values.shape} holds no sequences.")
    return values.astype(np.float32, copy=False)


def _texts(sequences: Sequence[Any], names: Sequence[str], source: str) -> list[str]:
    if all(type(item) is str for item in sequences):
        return [item.strip() for item in sequences]
    texts = [item.decode("latin-1") if isinstance(item, bytes) else item for item in sequences]
    odd = [i for i, item in enumerate(texts) if not isinstance(item, str)]
    if odd:
        first = texts[odd[0]]
        what = "missing" if first is None or first is pd.NA or first != first else f"a {type(first).__name__}"
        raise DataError(
            f"{source}: expected text for every sequence; {len(odd)} of {len(texts)} "
            f"{'is' if len(odd) == 1 else 'are'} not, {listed((names[i] for i in odd), 8)} (the first is {what})."
        )
    return [str(item).strip() for item in texts]


def _check_not_protein(letters: np.ndarray, odd: np.ndarray, source: str) -> None:
    """Raise where the letters are those of proteins, which reading them as N would hide."""
    found = {chr(letter) for letter in np.unique(letters[odd] & 0xDF).tolist()} & _AMINO_ACIDS
    if len(found) > 2 and len(odd) > _SHARE_OF_AMINO_ACIDS * len(letters):
        raise DataError(
            f"{source} looks like protein: {', '.join(sorted(found))} are amino acids and no bases. Sequences are DNA or RNA here, "
            "because networks read four bases and both strands: pass the coding sequences, or numbers that describe the "
            "proteins as a table."
        )


def _check_lengths(lengths: np.ndarray, names: Sequence[str], source: str) -> None:
    empty = np.flatnonzero(lengths == 0).tolist()
    if empty:
        raise DataError(
            f"{source}: {counted(len(empty), 'sequence is', 'sequences are')} empty: "
            f"{listed((names[i] for i in empty), 8)}. Drop {'it' if len(empty) == 1 else 'them'}."
        )


def _rna_notes(
    letters: np.ndarray, offsets: np.ndarray, names: Sequence[str], source: str
) -> tuple[str, ...]:
    upper = letters & 0xDF
    uracil = upper == ord("U")
    if not uracil.any():
        return ()
    with_u = np.logical_or.reduceat(uracil, offsets[:-1])
    with_t = np.logical_or.reduceat(upper == ord("T"), offsets[:-1])
    both = np.flatnonzero(with_u & with_t).tolist()
    if both:
        raise DataError(
            f"{source}: {counted(len(both), 'sequence holds', 'sequences hold')} both U and T: "
            f"{listed((names[i] for i in both), 8)}. Write each as RNA (U) or as DNA (T)."
        )
    n = int(with_u.sum())
    return (f"{n} of {len(with_u)} sequences {'is' if n == 1 else 'are'} RNA: U counts as T.",)


def _no_bases(
    odd: np.ndarray, texts: list[str], offsets: np.ndarray, names: Sequence[str], source: str
) -> str:
    rows = np.searchsorted(offsets, odd, side="right") - 1
    places = (odd - offsets[rows]).tolist()
    found = [texts[row][place] for row, place in zip(rows.tolist(), places, strict=True)]
    cells = [
        f"{letter!r} in {names[row]!r} at position {place + 1}"
        for letter, row, place in zip(found[:4], rows.tolist(), places, strict=False)
    ]
    more = f"; and {len(found) - len(cells)} more" if len(found) > len(cells) else ""
    hint = ""
    if set("-.") & set(found):
        hint = " Gaps of an alignment must be taken out."
    return (
        f"{source}: {counted(len(found), 'letter is', 'letters are')} no base: {'; '.join(cells)}{more}. Known are A, C, "
        "G, T, U and the ambiguity codes R, Y, S, W, K, M, B, D, H, V, N; gk.load_sequences(x, unknown='n') reads all others as N."
        f"{hint}"
    )
