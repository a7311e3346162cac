"""Rows that are longer than what networks read at once, window by window.

A sequence of no more letters than a window has stands in the middle of its only one. A longer one is read by as few windows as
hold all its letters, spread evenly from its first letter to its last. So no window of it holds padding, and how much room there
is beside a sequence changes nothing.

| symbol | meaning | shape |
|---|---|---|
| n, L, w | rows, places of a row, places of a window (w <= L) | |
| codes | sets of bases as bits, 0 is padding | (n, L) uint8 |
| first, lengths | where the sequence of each row begins, and how many places it covers | (n,) |
| starts | where a window of each row begins | (n,) |
"""

from __future__ import annotations

import numpy as np

from genokeras.features import mask


def extents(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the sequence of each row begins and how many places it covers, ``(n,)`` each; length 0 for padding alone."""
    there = mask(codes)
    first, behind = there.argmax(axis=1), there[:, ::-1].argmax(axis=1)
    return first, np.where(there.any(axis=1), codes.shape[1] - first - behind, 0)


def window_counts(lengths: np.ndarray, window: int) -> np.ndarray:
    """How many windows read each sequence, ``(n,)``, 1 or more."""
    return np.maximum(1, -(-lengths // window))


def window_starts(codes: np.ndarray, window: int, number: int) -> np.ndarray:
    """Where window `number` of each row begins, ``(n,)``; the last one of rows that have fewer."""
    _, lengths = extents(codes)
    gaps = np.maximum(1, window_counts(lengths, window) - 1)
    return _placed(codes, window, np.minimum(number, gaps) * (lengths - window) // gaps)


def middle_starts(codes: np.ndarray, window: int) -> np.ndarray:
    """Where a window around the middle of each sequence begins, ``(n,)``."""
    return _placed(codes, window, (extents(codes)[1] - window) // 2)


def drawn_starts(codes: np.ndarray, window: int, rng: np.random.Generator) -> np.ndarray:
    """Where one window of each row begins, ``(n,)``: drawn among those that hold letters alone, where there are any."""
    spare = np.maximum(extents(codes)[1] - window, 0)
    return _placed(codes, window, rng.integers(0, spare + 1))


def _placed(codes: np.ndarray, window: int, offsets: np.ndarray) -> np.ndarray:
    """Windows so far into their sequences; around the whole of a sequence that one window holds."""
    first, lengths = extents(codes)
    around = np.clip(first - (window - lengths) // 2, 0, codes.shape[1] - window)
    return np.where(lengths > window, first + offsets, around)


def cut_windows(codes: np.ndarray, starts: np.ndarray, window: int, outside: int = 0) -> np.ndarray:
    """One window of each row, ``(n, w)`` uint8; beyond the ends of a row stands `outside`."""
    places = starts[:, None] + np.arange(window)
    inside = (places >= 0) & (places < codes.shape[1])
    letters = np.take_along_axis(codes, places.clip(0, codes.shape[1] - 1), axis=1)
    return np.where(inside, letters, np.uint8(outside))
