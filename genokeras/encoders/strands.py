"""Whether a changed sequence says the same, judged by quick linear models: its other strand, or itself a little off its place.

A transcription factor binds either strand; a promoter or a splice site is read in one direction. Where the classes look the
same on both strands, a linear model that learnt from the sequences as they came does as well on their reverse complements.
A splice site stands exactly in the middle; a promoter's motifs may be a few letters off. Where places are not exact, a linear
model does as well if it also learnt from sequences that were moved.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from genokeras.data import SequenceData
from genokeras.data.bases import ANY
from genokeras.features import kmer_counts, one_hot, padded_codes, reverse_complement

MOST_ROWS = 3000
MOST_LETTERS = 200
_FOLDS = 3
_PENALTY = 0.01
_WORD = 4
_STANDARD_ERRORS = 2.0


def strands_alike(data: SequenceData, codes: np.ndarray, rng: np.random.Generator) -> bool:
    """Whether a linear model of the training sequences is no worse on their reverse complements.

    Parameters
    ----------
    data : SequenceData
    codes : numpy.ndarray
        ``(n_sequences,)`` class numbers.
    rng : numpy.random.Generator
        Draws the sequences that are looked at, where there are very many.
    """
    picked = _picked(codes, rng)
    if picked is None:
        return False
    letters = _letters(data.take(picked))
    versions = [_features(letters), _features(reverse_complement(letters, keep_padding=False))]
    losses = _losses(versions[:1], versions, codes[picked], int(rng.integers(2**31)))
    return _no_worse(losses[1], losses[0])


def places_loose(data: SequenceData, codes: np.ndarray, shift: int, rng: np.random.Generator) -> bool:
    """Whether a linear model is no worse where it also learnt from sequences moved by `shift` letters to either side.

    Parameters
    ----------
    data : SequenceData
        Of one length.
    codes : numpy.ndarray
        ``(n_sequences,)`` class numbers.
    shift : int
    rng : numpy.random.Generator
        Draws the sequences that are looked at, where there are very many.
    """
    picked = _picked(codes, rng)
    if picked is None:
        return False
    letters, seed = _letters(data.take(picked)), int(rng.integers(2**31))
    still = _features(letters)
    moved = [_features(_moved(letters, by)) for by in (-shift, shift)]
    plain = _losses([still], [still], codes[picked], seed)[0]
    return _no_worse(_losses([still, *moved], [still], codes[picked], seed)[0], plain)


def _picked(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Rows to look at, of classes with enough of them; None where there are no two such classes."""
    picked = np.sort(rng.permutation(len(codes))[:MOST_ROWS])
    classes, counts = np.unique(codes[picked], return_counts=True)
    kept = picked[np.isin(codes[picked], classes[counts >= _FOLDS])]
    return kept if len(np.unique(codes[kept])) > 1 else None


def _no_worse(losses: np.ndarray, than: np.ndarray) -> bool:
    """Whether the mean difference could well be chance."""
    worse = losses - than
    return bool(worse.mean() <= _STANDARD_ERRORS * worse.std() / np.sqrt(len(worse)))


def _letters(data: SequenceData) -> np.ndarray:
    return padded_codes(data, min(MOST_LETTERS, int(data.lengths.max())), "centre")


def _moved(letters: np.ndarray, by: int) -> np.ndarray:
    """Rows moved to the right, or to the left where `by` is below 0; what comes in is not known."""
    moved = np.roll(letters, by, axis=1)
    moved[:, slice(0, by) if by > 0 else slice(by, None)] = ANY
    return moved


def _features(letters: np.ndarray) -> np.ndarray:
    """Words, and letters by place."""
    n, width = letters.shape
    laid = SequenceData(letters.ravel(), np.arange(n + 1) * width, ("",) * n)
    words = kmer_counts(laid, min(_WORD, width)).toarray()
    return np.hstack([words, one_hot(letters).reshape(n, -1)])


def _losses(learnt: list[np.ndarray], asked: list[np.ndarray], codes: np.ndarray, seed: int) -> np.ndarray:
    """Log loss of each sequence in each of the versions asked, by models that saw other sequences: ``(n_asked, n)``."""
    losses = np.zeros((len(asked), len(codes)))
    for fit, held in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(asked[0], codes):
        seen = np.concatenate([version[fit] for version in learnt])
        scaler = StandardScaler().fit(seen)
        # Copies of a sequence are no further evidence.
        model = LogisticRegression(C=_PENALTY / len(learnt), tol=1e-2, max_iter=1000).fit(
            scaler.transform(seen), np.tile(codes[fit], len(learnt))
        )
        own = np.searchsorted(model.classes_, codes[held])
        for i, version in enumerate(asked):
            p = model.predict_proba(scaler.transform(version[held]))[np.arange(len(held)), own]
            losses[i, held] = -np.log(np.maximum(p, 1e-6))
    return losses
