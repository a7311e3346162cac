"""Small data to search on."""

from __future__ import annotations

import numpy as np

from genokeras.enas import SearchData

FOLDS = 3


def small_data(n: int = 30, rank: int = 6, classes: int = 2, seed: int = 0) -> SearchData:
    """Classes that two inputs tell apart, in three folds whose inputs differ."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    x = rng.standard_normal((FOLDS, n, rank)) + 1.5 * np.eye(classes, rank)[codes]
    held_out = np.arange(n) // classes % FOLDS == np.arange(FOLDS)[:, None]
    return SearchData(x, np.eye(classes)[codes], ~held_out, held_out)
