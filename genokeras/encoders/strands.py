"""Whether sequences have a direction, and whether their places are exact, judged by quick linear models.

A transcription factor binds either strand; a promoter or a splice site is read in one direction. Where a linear model cannot tell
sequences from their reverse complements, they have no direction; no label is looked at. A splice site stands exactly in the
middle; a promoter's motifs may be a few letters off. Where places are not exact, a linear model of the classes does as well if it
also learnt from sequences that were moved; that looks at labels, and is therefore asked inside each fold.
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


def have_orientation(data: SequenceData, rng: np.random.Generator) -> bool:
    """Whether a linear model can tell sequences from the reverse complements of others.

    Parameters
    ----------
    data : SequenceData
    rng : numpy.random.Generator
        Draws the sequences that are looked at, where there are very many, and those that are turned.
    """
    picked = np.sort(rng.permutation(len(data))[:MOST_ROWS])
    if len(picked) < 2 * _FOLDS:
        return True
    letters = _letters(data.take(picked))
    turned = rng.permutation(len(picked)) % 2
    both = np.where(turned[:, None] == 1, reverse_complement(letters, keep_padding=False), letters)
    features = _features(both)
    losses = _losses([features], [features], turned, int(rng.integers(2**31)))[0]
    # Half of them were turned, so that a guess costs log 2.
    return not _no_worse(np.full(len(losses), np.log(2)), losses)


def places_loose(codes: np.ndarray, kinds: np.ndarray, shift: int, rng: np.random.Generator) -> bool:
    """Whether a linear model is no worse where it also learnt from sequences moved by `shift` letters to either side.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n_sequences, length)`` sets of bases.
    kinds : numpy.ndarray
        ``(n_sequences,)`` numbers of the classes.
    shift : int
    rng : numpy.random.Generator
        Draws the sequences that are looked at, where there are very many.
    """
    picked = _picked(kinds, rng)
    if picked is None:
        return False
    letters, seed = _middle(codes[picked]), int(rng.integers(2**31))
    still = _features(letters)
    moved = [_features(_moved(letters, by)) for by in (-shift, shift)]
    plain = _losses([still], [still], kinds[picked], seed)[0]
    return _no_worse(_losses([still, *moved], [still], kinds[picked], seed)[0], plain)


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


def _middle(codes: np.ndarray) -> np.ndarray:
    width = codes.shape[1]
    start = max(0, (width - MOST_LETTERS) // 2)
    return codes[:, start : start + MOST_LETTERS]


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
