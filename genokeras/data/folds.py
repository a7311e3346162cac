"""Which samples train and which score, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from genokeras.data.grouped_split import best_grouped_split
from genokeras.errors import DataError
from genokeras.support.checks import check_whole
from genokeras.support.wording import counted, sentence

MOST_FOLDS, FEW_FOLDS = 5, 3
# Splits into folds that networks may be tried on, the first one included.
MOST_SPLITS = 4
# With more samples than this, one split says enough, and coordinates in several would fill the memory.
_MOST_REPLICATED = 5000
# Above this many samples a hold-out says enough even where folds train packed: its standard error is below that of how trials differ.
_LARGE_PACKED = 20_000
# Where folds train one by one: several networks a trial are soon trained on few samples, or few places of all samples together, and
# networks that were trained on other samples answer better together than one.
_FEW, _FEW_PLACES, _FEWEST_PLACES = 2000, 1_000_000, 400_000
_MOST_HELD_OUT = 10_000


@dataclass(frozen=True, eq=False)
class Folds:
    """Masks of the samples that train and of those that score.

    Attributes
    ----------
    train : ndarray of bool, shape (n_folds, n_samples)
    held_out : ndarray of bool, shape (n_folds, n_samples)
        Never overlaps `train`; a sample is held out in one fold at most.
    notes : tuple of str
        What is out of the ordinary, such as a class too small to be scored.
    """

    train: np.ndarray
    held_out: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.train)

    @property
    def scored(self) -> np.ndarray:
        """Which samples are held out in some fold, shape (n_samples,)."""
        return np.asarray(self.held_out.any(axis=0))


def make_folds(
    codes: np.ndarray,
    n_folds: int,
    *,
    groups: np.ndarray | None = None,
    seed: int | None,
    strata_names: Sequence[str] = (),
) -> Folds:
    """Split samples into stratified folds; a group is never on both sides.

    A class with one sample (with `groups`: in one group) stays in the training part of every fold and is
    never scored. A class with fewer samples than folds is held out in as many folds as it has samples.

    Parameters
    ----------
    codes : ndarray of int, shape (n_samples,)
        Classes as 0, 1, 2...
    n_folds : int
        At least 2.
    groups : ndarray of shape (n_samples,), optional
    seed : int, optional
        Same seed, same folds.
    strata_names : sequence of str
        What notes call each class, such as "class 'AML'".

    Raises
    ------
    DataError
        Where there are fewer samples or groups than folds, or no class has two samples.
    """
    check_whole(n_folds, "folds", 2)
    codes = np.asarray(codes)
    if groups is None:
        return _stratified(codes, n_folds, seed, strata_names)
    if len(groups) != len(codes):
        raise DataError(f"groups must have one value per sample: expected {len(codes)}, got {len(groups)}.")
    return _grouped(codes, n_folds, np.asarray(pd.factorize(np.asarray(groups))[0]), seed, strata_names)


def make_plain_folds(
    n_samples: int, n_folds: int, *, groups: np.ndarray | None = None, seed: int | None
) -> Folds:
    """Split samples into folds of like size, at random; a group is never on both sides.

    Parameters
    ----------
    n_samples : int
    n_folds : int
        At least 2.
    groups : ndarray of shape (n_samples,), optional
    seed : int, optional
        Same seed, same folds.

    Raises
    ------
    DataError
        Where there are fewer samples or groups than folds.
    """
    if n_samples < n_folds:
        raise DataError(
            f"fewer samples than folds: {n_folds} folds need at least {n_folds} samples, got {n_samples}. "
            "Bring more samples."
        )
    if groups is not None and len(np.unique(groups)) < 2:
        raise DataError(
            f"all {n_samples} samples are of one group: two at least are needed to learn and to score."
        )
    # One class of all samples leaves the stratified splits nothing but sizes to balance.
    return make_folds(np.zeros(n_samples, dtype=np.int64), n_folds, groups=groups, seed=seed)


class _FewGroupsError(DataError):
    """Fewer groups than folds; ``n_groups`` can be held out."""

    def __init__(self, message: str, n_groups: int) -> None:
        super().__init__(message)
        self.n_groups = n_groups


def usual_folds(n_samples: int, places: int | None = None) -> int | None:
    """Folds where none are asked for; None is one hold-out.

    Parameters
    ----------
    n_samples : int
    places : int, optional
        Letters, pixels or words of a sample, where every fold trains a network of its own: several are then worth their time for few
        or short samples only. Without it all folds train packed, as one network, and cost hardly more than one.
    """
    if places is None:
        return MOST_FOLDS if n_samples <= _LARGE_PACKED else None
    if n_samples < _FEW or n_samples * places <= _FEW_PLACES:
        return MOST_FOLDS if n_samples * places <= _FEWEST_PLACES else FEW_FOLDS
    return None


def choose_folds(
    n_samples: int,
    strata: np.ndarray | None,
    groups: np.ndarray | None,
    n_folds: int | None,
    seed: int,
    strata_names: Sequence[str] = (),
    places: int | None = None,
) -> Folds:
    """The folds asked for, or the usual ones: several of few samples, one hold-out of a fifth of many.

    Parameters
    ----------
    n_samples : int
    strata : ndarray of int, shape (n_samples,), optional
        Classes that every fold has its share of; without them samples are split at random.
    groups : ndarray of shape (n_samples,), optional
        A group is never on both sides.
    n_folds : int, optional
    seed : int
    strata_names : sequence of str
        What notes call each class, such as "class 'AML'".
    places : int, optional
        As in `usual_folds`.

    Raises
    ------
    DataError
        Where there are fewer samples than folds, fewer groups than the folds asked for, or no class has two samples.
    """

    def make(parts: int) -> Folds:
        if strata is None:
            return make_plain_folds(n_samples, parts, groups=groups, seed=seed)
        return make_folds(strata, parts, groups=groups, seed=seed, strata_names=strata_names)

    count = usual_folds(n_samples, places) if n_folds is None else n_folds
    if count is not None:
        try:
            found = make(count)
        except _FewGroupsError as few:
            if n_folds is not None:
                raise
            # Nobody asked for more folds than there are groups, and leaving one out at a time is the best that can be done.
            count, found = few.n_groups, make(few.n_groups)
            note = f"{counted(count, 'group')} can be held out: {count} folds score the networks, one group each."
            return Folds(found.train, found.held_out, (*found.notes, note))
        if n_folds is not None or places is None:
            return found
        note = f"{n_samples:,} samples: {count} folds score the networks."
        return Folds(found.train, found.held_out, (*found.notes, note))
    parts = max(MOST_FOLDS, -(-n_samples // _MOST_HELD_OUT))
    if groups is not None:
        parts = max(2, min(parts, len(np.unique(np.asarray(groups))) // 2))
    found = make(parts)
    train, held_out = found.train[:1], found.held_out[:1]
    usual = MOST_FOLDS if places is None else FEW_FOLDS
    notes = [
        f"{n_samples:,} samples: one hold-out of {held_out.sum():,} of them scores the networks. "
        f"Pass folds={usual} for cross-validation."
    ]
    never = [] if strata is None else np.setdiff1d(strata, np.asarray(strata)[held_out[0]]).tolist()
    if never:
        named = [called(code, strata_names) for code in never[:5]]
        more = f" and {len(never) - 5} more" if len(never) > 5 else ""
        notes.append(f"No sample of {', '.join(named)}{more} is held out: never scored.")
    return Folds(train, held_out, tuple(notes))


def further_splits(first: Folds, draw: Callable[[int], Folds], seed: int) -> list[Folds]:
    """Splits that differ from a first one and from each other; none with few groups, or more than 5,000 samples.

    Parameters
    ----------
    first : Folds
        A single hold-out has no further ones: each would score other samples.
    draw : callable
        Makes folds by the rule of the first split from a seed.
    seed : int
    """
    found = [first]
    if first.n_folds > 1 and first.train.shape[1] <= _MOST_REPLICATED:
        for state in np.random.SeedSequence([seed, 1]).generate_state(2 * MOST_SPLITS):
            if len(found) == MOST_SPLITS:
                break
            other = draw(int(state))
            worse = len(other.notes) > len(first.notes) or not np.array_equal(other.scored, first.scored)
            if not worse and _parts(other) not in map(_parts, found):
                found.append(other)
    return found[1:]


def _parts(folds: Folds) -> frozenset[bytes]:
    """Equal for equal parts, in whatever order."""
    return frozenset(rows.tobytes() for rows in folds.held_out)


def holdout_folds(n_train: int, n_validation: int) -> Folds:
    """Return one fold over `n_train` training rows followed by `n_validation` rows that score."""
    if n_train < 1 or n_validation < 1:
        raise DataError(
            f"expected at least one row to train on and one to validate on: got {n_train} and {n_validation}."
        )
    held_out = np.arange(n_train + n_validation)[np.newaxis, :] >= n_train
    return Folds(~held_out, held_out)


def called(code: int, strata_names: Sequence[str]) -> str:
    """What a note calls a class."""
    return strata_names[code] if code < len(strata_names) else f"class {code}"


def _stratified(codes: np.ndarray, n_folds: int, seed: int | None, names: Sequence[str]) -> Folds:
    present, counts = np.unique(codes, return_counts=True)
    lonely = present[counts == 1]
    scorable = np.flatnonzero(~np.isin(codes, lonely))
    _check_enough(len(codes), len(scorable), n_folds)
    notes = [
        sentence(f"{called(int(c), names)} has 1 sample: it trains in every fold and is never scored.")
        for c in lonely
    ]
    small = [(int(c), int(k)) for c, k in zip(present, counts, strict=True) if 2 <= k < n_folds]
    for code, count in small:
        notes.append(
            sentence(
                f"{called(code, names)} has {count} samples: it is held out in {count} of {n_folds} folds."
            )
        )
    if small:
        assigned = _dealt(codes[scorable], n_folds, np.random.default_rng(seed))
    else:
        assigned = np.empty(len(scorable), dtype=np.int64)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for fold, (_, test) in enumerate(splitter.split(np.zeros(len(scorable)), codes[scorable])):
            assigned[test] = fold
    fold_of = np.full(len(codes), -1)
    fold_of[scorable] = assigned
    held_out = fold_of[np.newaxis, :] == np.arange(n_folds)[:, np.newaxis]
    return Folds(~held_out, held_out, tuple(notes))


def _check_enough(n: int, n_scorable: int, n_folds: int) -> None:
    if not n_scorable:
        raise DataError(
            f"no class has 2 samples or more ({counted(n, 'sample')}): nothing could be both "
            "learnt and scored. Check that y holds classes and not ids."
        )
    if n_scorable < n_folds:
        raise DataError(
            f"fewer samples than folds: {n_folds} folds need at least {n_folds} samples of classes with "
            f"2 or more, got {n_scorable}. Pass folds={max(2, n_scorable)} or fewer, or bring more samples."
        )


def _dealt(codes: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal each class's rows to the folds in turn, going on where the class before it ended.

    StratifiedKFold warns of, or refuses, classes with fewer rows than folds; dealing gives every fold a row
    as long as there are as many rows as folds, and no fold takes two rows of such a class.
    """
    order = np.concatenate([rng.permutation(np.flatnonzero(codes == code)) for code in np.unique(codes)])
    assigned = np.empty(len(codes), dtype=np.int64)
    assigned[order] = np.arange(len(codes)) % n_folds
    return assigned


def _grouped(
    codes: np.ndarray, n_folds: int, groups: np.ndarray, seed: int | None, names: Sequence[str]
) -> Folds:
    locked, notes = _locked_groups(codes, groups, names)
    free = np.flatnonzero(~np.isin(groups, locked))
    n_free = len(np.unique(groups[free]))
    if n_free < 2:
        raise DataError(_cannot_split(len(np.unique(groups)), len(locked)))
    if n_free < n_folds:
        kept = f" ({len(locked)} more hold a class of their own and stay in training)" if len(locked) else ""
        raise _FewGroupsError(
            f"fewer groups than folds: {n_folds} folds need at least {n_folds} groups, got {n_free}{kept}. "
            f"Pass folds={n_free} or fewer, or bring more groups.",
            n_free,
        )
    assigned, lost = best_grouped_split(codes, groups, free, n_folds, seed)
    for fold, code in lost:
        notes.append(
            f"Fold {fold + 1} trains without {called(code, names)}: its groups are all held out there."
        )
    fold_of = np.full(len(codes), -1)
    fold_of[free] = assigned
    held_out = fold_of[np.newaxis, :] == np.arange(n_folds)[:, np.newaxis]
    return Folds(~held_out, held_out, tuple(notes))


def _cannot_split(n_groups: int, n_locked: int) -> str:
    if n_groups == 1:
        return (
            "all samples are of one group, which cannot be split: groups stay on one side. Leave groups out if the samples are "
            "independent, pass validation_data, or bring more groups."
        )
    return (
        f"the {n_groups} groups cannot be split: {n_locked} hold a class of their own, without which it could not be learnt. "
        "Pass validation_data, or bring groups that share their classes."
    )


def _locked_groups(
    codes: np.ndarray, groups: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Return the groups that hold a class no other group has: without them that class could not be learnt."""
    locked: set[int] = set()
    notes = []
    for code in np.unique(codes):
        homes = np.unique(groups[codes == code])
        if len(homes) == 1:
            locked.add(int(homes[0]))
            size = counted(int((codes == code).sum()), "sample")
            text = (
                f"{called(int(code), names)} ({size}) occurs in one group: that group trains in every "
                "fold and is never scored."
            )
            notes.append(sentence(text))
    return np.array(sorted(locked), dtype=groups.dtype), notes
