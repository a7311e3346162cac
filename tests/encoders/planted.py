"""Small made-up sequences, images and texts whose classes a linear model or a small network can tell apart."""

from __future__ import annotations

import numpy as np

MOTIF = "GATTACAG"


def planted_sequences(
    n: int = 120, length: int = 40, seed: int = 0, both_strands: bool = False
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Random letters, in every second sequence a motif of 8 bp; the sequences, their classes, where it starts."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    letters = rng.choice(list("ACGT"), size=(n, length))
    at = rng.integers(0, length - len(MOTIF) + 1, size=n)
    turned = MOTIF[::-1].translate(str.maketrans("ACGT", "TGCA"))
    for i in np.flatnonzero(y):
        motif = turned if both_strands and rng.random() < 0.5 else MOTIF
        letters[i, at[i] : at[i] + len(MOTIF)] = list(motif)
    return ["".join(row) for row in letters], y, at


def bars(n: int = 90, size: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey images with a bright row, a bright column, or neither; uint8 ``(n, size, size)``."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = rng.integers(0, 90, size=(n, size, size)).astype("uint8")
    for i in range(n):
        place = rng.integers(2, size - 2)
        if y[i] == 0:
            x[i, place] = 250
        elif y[i] == 1:
            x[i, :, place] = 250
    return x, np.array(["row", "column", "none"])[y]


def opinions(n: int = 120, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sentences of filler words with one telling word."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    filler = ["the", "film", "was", "and", "a", "plot", "of", "actors", "with", "music"]
    telling = [["awful", "dull", "weak"], ["great", "moving", "fine"]]
    texts = []
    for label in y:
        words = rng.choice(filler, size=rng.integers(4, 9)).tolist()
        words.insert(int(rng.integers(len(words))), str(rng.choice(telling[label])))
        texts.append(" ".join(words).capitalize() + ".")
    return texts, np.array(["bad", "good"])[y]
