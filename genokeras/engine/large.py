"""What is done otherwise where there are very many samples: one hold-out, fewer views, longer training in small steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.data import Folds, make_folds
from genokeras.features import DEFAULT_VIEWS
from genokeras.searchers import HyperSpace
from genokeras.training import TrainingSettings

DEFAULT_FOLDS = 5
# Above this many samples a hold-out says enough: its standard error is below that of how trials differ.
LARGE_ROWS = 20_000
HELD_OUT_ROWS = 10_000
LARGE_VIEWS = ("all", "top300")
EPOCHS = 25
MOST_STEPS = 2_000
SCORING_SHARE = 0.1
# Forward and backward, against the forward pass alone of a scoring.
_PASSES_OF_A_STEP = 3


def chosen_folds(folds: int | None, n_samples: int) -> int | None:
    """Number of folds: the one asked for, 5 without, and None, one hold-out, where there are very many samples."""
    return DEFAULT_FOLDS if folds is None and n_samples <= LARGE_ROWS else folds


def one_hold_out(codes: np.ndarray, groups: np.ndarray | None, seed: int, names: list[str]) -> Folds:
    """A fifth of the samples held out, stratified, whole groups where there are any, and about 10,000 at most.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n_samples,)`` class numbers.
    groups : numpy.ndarray or None
        ``(n_samples,)``.
    seed : int
    names : list of str
        Of the classes, for the notes.
    """
    parts = -(-len(codes) // HELD_OUT_ROWS)
    if groups is not None:
        parts = min(parts, len(np.unique(groups)) // 2)
    split = make_folds(codes, max(DEFAULT_FOLDS, parts), groups=groups, seed=seed, class_names=names)
    train, held_out = split.train[:1], split.held_out[:1]
    notes = [
        f"{len(codes):,} samples: one hold-out of {held_out.sum():,} of them in place of {DEFAULT_FOLDS} folds. "
        f"Pass folds={DEFAULT_FOLDS} for cross-validation."
    ]
    never = np.setdiff1d(codes, codes[held_out[0]])
    if len(never):
        listed = ", ".join(repr(names[code]) for code in never[:5])
        more = f" and {len(never) - 5} more" if len(never) > 5 else ""
        notes.append(f"No sample of {listed}{more} is held out: these classes are never scored.")
    return Folds(train, held_out, tuple(notes))


def views_to_fit(n_samples: int, searcher_args: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of views: with very many samples those of the user's search space, or else all features and one screening."""
    if n_samples <= LARGE_ROWS:
        return DEFAULT_VIEWS
    space = searcher_args.get("space")
    return space.views if isinstance(space, HyperSpace) else LARGE_VIEWS


def scaled_training(
    settings: TrainingSettings, train: np.ndarray, held_out: np.ndarray, steps_given: bool = False
) -> TrainingSettings:
    """Steps and scorings for mini-batches: 25 epochs within limits, and scorings that cost a tenth of the training.

    Parameters
    ----------
    settings : TrainingSettings
        Returned as they are where every step uses all rows.
    train, held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    steps_given : bool
        Leave ``max_steps`` alone.
    """
    batch = settings.batch_size
    if train.shape[1] <= batch:
        return settings
    epochs = EPOCHS * -(-int(train.any(axis=0).sum()) // batch)
    steps = max(settings.max_steps, min(epochs, MOST_STEPS))
    scored = int(held_out.sum(axis=1).max()) + batch
    every = -(-scored // round(SCORING_SHARE * _PASSES_OF_A_STEP * batch))
    steps = settings.max_steps if steps_given else steps
    return replace(settings, max_steps=steps, score_every=min(max(settings.score_every, every), steps))
