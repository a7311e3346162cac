"""Small made-up sequences, images and texts that hold a number which a linear model or a small network can find."""

from __future__ import annotations

import numpy as np

MOTIF = "GATTACA"


def motif_copies(n: int = 160, length: int = 50, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Random letters with 0 to 3 copies of a motif of 7 bp at places of their own; 10 for each copy, and a little noise."""
    rng = np.random.default_rng(seed)
    copies = rng.integers(0, 4, size=n)
    letters = rng.choice(list("ACGT"), size=(n, length))
    for i in range(n):
        for slot in rng.permutation(length // 10)[: copies[i]]:
            start = 10 * slot + rng.integers(3)
            letters[i, start : start + len(MOTIF)] = list(MOTIF)
    return ["".join(row) for row in letters], 10.0 * copies + rng.normal(0, 0.5, size=n)


def bar_places(n: int = 120, size: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey images with one bright row; uint8 ``(n, size, size)``, and the row's number."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 90, size=(n, size, size)).astype("uint8")
    place = rng.integers(1, size - 1, size=n)
    x[np.arange(n), place] = 250
    return x, place.astype("float64")


def brightness(n: int = 120, size: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of noise about a level, and the level."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(60, 200, size=n)
    x = level[:, None, None] + rng.normal(0, 40, size=(n, size, size))
    return x.clip(0, 255).astype("uint8"), level


def ratings(n: int = 160, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Filler words with praise and blame among them; the number of words of praise, less those of blame."""
    rng = np.random.default_rng(seed)
    filler = ["the", "film", "was", "and", "plot", "of", "actors", "with", "music"]
    texts, numbers = [], []
    for _ in range(n):
        good, bad = rng.integers(0, 4, size=2)
        words = [*rng.choice(filler, size=5), *["great"] * good, *["dull"] * bad]
        texts.append(" ".join(rng.permutation(words)))
        numbers.append(good - bad)
    return texts, np.array(numbers, dtype="float64")
