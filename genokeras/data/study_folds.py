"""Folds that leave one study out, and what is to be said where studies and targets coincide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.data.folds import Folds, called
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed, sentence

# More studies than this are dealt to so many folds.
MOST_STUDY_FOLDS = 20
# From this share of what could be explained on, a note says that studies and targets coincide.
_COINCIDE = 0.5


def leave_one_study_out(
    batches: np.ndarray, strata: np.ndarray | None, seed: int, strata_names: Sequence[str] = ()
) -> Folds:
    """One fold a study: it is scored by networks that saw none of its samples.

    A class that only one study has cannot be scored: without that study it could not be learnt. Its samples train where another
    study is left out.

    Parameters
    ----------
    batches : ndarray of shape (n_samples,)
        The study of each sample.
    strata : ndarray of int, shape (n_samples,), optional
        Classes as 0, 1, 2...
    seed : int
        Deals studies to folds where there are more than 20.
    strata_names : sequence of str
        What notes call each class, such as "class 'AML'".

    Raises
    ------
    DataError
        If there is one study only, or no class is in two of them.
    """
    names, study = np.unique(batches, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"batches has one value only, {str(names[0])!r}: leaving a study out needs at least two. Leave batches out, or bring "
            "samples of another study."
        )
    place = np.arange(len(names))
    if len(names) > MOST_STUDY_FOLDS:
        place = np.random.default_rng(seed).permutation(len(names)) % MOST_STUDY_FOLDS
    fold = place[study]
    here = fold[None] == np.arange(place.max() + 1)[:, None]
    held_out, notes = here.copy(), []
    if strata is not None:
        for code in np.unique(strata):
            homes = np.unique(fold[strata == code])
            if len(homes) > 1:
                continue
            held_out[homes[0], strata == code] = False
            notes.append(
                f"{sentence(called(int(code), strata_names))} ({counted(int((strata == code).sum()), 'sample')}) is in study "
                f"{str(names[study[strata == code][0]])!r} only: it is never scored there, and may be recognised by what is peculiar to the study."
            )
    kept = held_out.any(axis=1)
    if kept.sum() < 2:
        raise DataError(
            f"batches and classes coincide: no two of the {len(names)} studies ({listed(map(str, names), 5)}) have a class in common, so "
            "nothing that was learnt in one could be scored in another. Leave batches out, and mind that the model may tell studies "
            "apart in place of classes."
        )
    return Folds(~here[kept], held_out[kept], tuple(notes))


def coincidence_notes(batches: np.ndarray, targets: np.ndarray, of_classes: bool) -> tuple[str, ...]:
    """What to say where studies and targets go together.

    Parameters
    ----------
    batches : ndarray of shape (n_samples,)
    targets : ndarray
        Class numbers, or numbers ``(n_samples, ...)``, whose first column counts.
    of_classes : bool
    """
    study = np.unique(batches, return_inverse=True)[1]
    share = _cramers_v(study, targets) if of_classes else _explained(study, targets)
    if share < _COINCIDE:
        return ()
    what = "classes" if of_classes else "targets"
    by = f"Cramer's V {share:.2f}" if of_classes else f"{share:.0%} of the variance"
    return (
        f"Studies and {what} coincide ({by}): what differs between studies for other reasons may look like what is to be predicted. "
        "Believe the estimate for a new study.",
    )


def _cramers_v(study: np.ndarray, codes: np.ndarray) -> float:
    table = np.zeros((study.max() + 1, int(codes.max()) + 1))
    np.add.at(table, (study, codes), 1)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    chi = (((table - expected) ** 2) / np.maximum(expected, 1e-12)).sum()
    return float(np.sqrt(chi / (table.sum() * max(min(table.shape) - 1, 1))))


def _explained(study: np.ndarray, targets: np.ndarray) -> float:
    numbers = np.asarray(targets, dtype="float64").reshape(len(study), -1)[:, 0]
    means = np.bincount(study, numbers) / np.bincount(study)
    spread = numbers.var()
    return float(means[study].var() / spread) if spread > 0 else 0.0
