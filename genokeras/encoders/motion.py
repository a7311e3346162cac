"""Whether numbers predicted of images depend on exact places and sizes, judged by quick linear models.

The position of a bar does, the age of a tissue does not. Where it does not, a linear model of the pixels is no worse if it also
learnt from images that were moved, turned and scaled a little at random, with the numbers they had before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from genokeras.encoders.encoder import Rows, n_rows, take
from genokeras.encoders.image import ImageEncoder
from genokeras.features import Augmentation

MOST_ROWS = 1000
# Larger images are looked at through every second, third... pixel.
MOST_PIXELS = 1600
_FOLDS = 3
_COPIES = 2
_PENALTY = 0.1
_STANDARD_ERRORS = 2.0


def moves_matter(encoder: ImageEncoder, rows: Rows, targets: np.ndarray, rng: np.random.Generator) -> bool:
    """Whether a linear model is worse where it also learnt from images that were moved.

    Parameters
    ----------
    encoder : ImageEncoder
        Its augmentation is what may be done to an image.
    rows : dict of str to numpy.ndarray
    targets : numpy.ndarray
        ``(n, k)`` standardised.
    rng : numpy.random.Generator
        Draws the images that are looked at, where there are very many, and how they are moved.

    Returns
    -------
    bool
        True also where there are too few images to tell.
    """
    picked = np.sort(rng.permutation(n_rows(rows))[:MOST_ROWS])
    if len(picked) < 2 * _FOLDS:
        return True
    looked_at = take(rows, picked)
    still = _pixels(replace(encoder, augmentation=Augmentation()), looked_at, rng)
    moved = [_pixels(encoder, looked_at, rng) for _ in range(_COPIES)]
    seed = int(rng.integers(2**31))
    plain = _losses([still], still, targets[picked], seed)
    worse = _losses([still, *moved], still, targets[picked], seed) - plain
    return bool(worse.mean() > _STANDARD_ERRORS * worse.std() / np.sqrt(len(worse)))


def _pixels(encoder: ImageEncoder, rows: Rows, rng: np.random.Generator) -> np.ndarray:
    tensor = encoder.tensor(rows, rng)
    step = max(1, int(np.ceil(np.sqrt(tensor[0, ..., 0].size / MOST_PIXELS))))
    return tensor[:, ::step, ::step].reshape(len(tensor), -1)


def _losses(learnt: list[np.ndarray], asked: np.ndarray, targets: np.ndarray, seed: int) -> np.ndarray:
    """Squared error of each image, by models that saw other images: ``(n,)``."""
    losses = np.zeros(len(targets))
    for fit, held in KFold(_FOLDS, shuffle=True, random_state=seed).split(asked):
        seen = np.concatenate([version[fit] for version in learnt])
        # Copies of an image are no further evidence.
        model = Ridge(_PENALTY * len(seen), solver="lsqr", tol=1e-3, max_iter=100)
        model.fit(seen, np.tile(targets[fit], (len(learnt), 1)))
        found = np.asarray(model.predict(asked[held])).reshape(len(held), -1)
        losses[held] = ((found - targets[held]) ** 2).mean(axis=1)
    return losses
