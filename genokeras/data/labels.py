"""Labels as codes 0, 1, 2... and the classes behind them."""

from __future__ import annotations

import numbers
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.data.numerals import to_numbers
from genokeras.data.targets import missing_mask
from genokeras.data.tidy import as_text, merged_note, tidy, unmasked
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

_MANY = 20
_MISSING_WORDS = frozenset(["na", "n/a", "nan", "none", "null", "<na>"])


@dataclass(frozen=True, eq=False)
class Labels:
    """Classes and which of them each sample has.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted: numbers by value, everything else by its text.
    codes : ndarray of int64, shape (n_samples,)
        Positions in `classes`.
    notes : tuple of str
        What was decided about them.
    """

    classes: np.ndarray
    codes: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def counts(self) -> np.ndarray:
        """Samples per class, shape (n_classes,)."""
        return np.bincount(self.codes, minlength=len(self.classes))


def encode_labels(y: Any, source: str = "y") -> Labels:
    """Turn labels into codes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Strings, integers, bools, categoricals, or floats with few distinct values.
    source : str
        Where they came from, for messages.

    Raises
    ------
    DataError
        Where labels are missing, belong to fewer than two classes, or look like a quantity.
    """
    if y is None:
        raise DataError(f"{source} came without labels: pass y, one label per sample.")
    values = _as_given(y)
    if values.ndim != 1:
        raise DataError(f"y must be 1-d, one label per sample: got shape {values.shape} ({source}).")
    lost = np.flatnonzero(missing_mask(values))
    if len(lost):
        rows = listed((f"row {i}" for i in lost), 8)
        raise DataError(f"y has no label for {len(lost)} of {len(values)} samples ({source}): {rows}.")
    native = native_labels(values)
    classes, codes = np.unique(native, return_inverse=True)
    _check_classes(classes, len(values), source)
    notes = (*merged_note(values, native, "class"), *_notes(classes))
    return Labels(classes, codes.astype(np.int64), notes)


def _as_given(y: Any) -> np.ndarray:
    """Labels as an array that keeps the type of each, which numpy would write as text where some are."""
    y = unmasked(y)
    if not isinstance(y, list | tuple) or len({type(value) for value in y}) < 2:
        return np.asarray(y)
    values = np.empty(len(y), dtype=object)
    values[:] = y
    return values


def _notes(classes: np.ndarray) -> tuple[str, ...]:
    if classes.dtype.kind == "U":
        names = classes.tolist()
        return (*_case_notes(names), *_number_notes(classes), *_missing_note(names))
    if classes.dtype.kind != "f":
        return ()
    return (
        f"The labels are numbers with a decimal point ({listed(classes.tolist(), 4)}); they are taken as "
        f"{len(classes)} classes. If they are a quantity, use a regressor (--task numbers).",
    )


def _case_notes(classes: list[str]) -> tuple[str, ...]:
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(name.casefold(), []).append(name)
    return tuple(
        f"{' and '.join(map(repr, names))} differ in upper and lower case alone and count as {len(names)} classes. "
        "If they are one, write them alike."
        for names in alike.values()
        if len(names) > 1
    )


def _number_notes(classes: np.ndarray) -> tuple[str, ...]:
    return tuple(
        f"{' and '.join(map(repr, names))} are the same number in different spellings and count as {len(names)} classes. "
        "If they are one, write them alike."
        for names in _same_numbers(classes).values()
    )


def _same_numbers(classes: np.ndarray) -> dict[float, list[str]]:
    """The numbers that several classes spell, and these classes."""
    alike: dict[float, list[str]] = {}
    for name, number in zip(classes.tolist(), to_numbers(classes).tolist(), strict=True):
        alike.setdefault(number, []).append(name)
    return {number: names for number, names in alike.items() if len(names) > 1 and number == number}


def _missing_note(classes: list[str]) -> tuple[str, ...]:
    words = [name for name in classes if name.casefold() in _MISSING_WORDS]
    if not words:
        return ()
    return (
        f"{' and '.join(map(repr, words))} {'is a class' if len(words) == 1 else 'are classes'} like any other here. "
        "If it means that the label is not known, leave these samples out.",
    )


def encode_known_labels(y: Any, classes: np.ndarray, source: str = "y") -> np.ndarray:
    """Return the codes of labels whose classes are known already; int64, shape (n_samples,).

    Raises
    ------
    DataError
        Where a label is none of `classes`, or a number that several of them spell.
    """
    values = native_labels(_as_given(y), frozenset(map(str, classes.tolist())))
    if values.dtype.kind != classes.dtype.kind and "U" in (values.dtype.kind, classes.dtype.kind):
        values, classes = _of_one_type(values, classes, source)
    order = {value: code for code, value in enumerate(tidy(classes).tolist())}
    unknown = sorted({str(value) for value in values.tolist() if value not in order})
    if unknown:
        raise DataError(
            f"{source} has labels the model does not know: {listed(unknown, 8)}. Known are "
            f"{listed(classes.tolist(), 20)}."
        )
    return np.fromiter((order[value] for value in values.tolist()), dtype=np.int64, count=len(values))


def _of_one_type(values: np.ndarray, classes: np.ndarray, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and classes of which either are text: numbers where the classes are some and all labels spell some, else text."""
    if classes.dtype.kind in "iuf":
        numbers = to_numbers(values)
        if not np.isnan(numbers).any():
            return numbers, classes
    elif values.dtype.kind == "f":
        same = _same_numbers(classes)
        number = next((value for value in values.tolist() if value in same), None)
        if number is not None:
            raise DataError(
                f"{source} has the number {number:g} as a label, and the model knows {listed(map(repr, same[number]))}, which are the "
                "same number: expected text. Pass the labels as they are written, such as by pandas.read_csv(..., dtype=str)."
            )
    known = frozenset(classes.astype(str).tolist())
    return np.array([as_text(value, known) for value in values.tolist()], dtype=str), classes.astype(str)


def native_labels(values: np.ndarray, known: Collection[str] = ()) -> np.ndarray:
    """Return labels as a plain bool, integer, float or text array; text without blanks at its ends.

    Whole floats among text are written as integers, unless a class is known with its point.
    """
    values = tidy(values)
    kind = values.dtype.kind
    if kind in "biufU":
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    if kind == "S":
        return np.char.strip(np.char.decode(values, "utf-8", "replace"))
    items = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values.tolist()
    ]
    if all(isinstance(value, bool | np.bool_) for value in items):
        return np.array(items, dtype=bool)
    if any(isinstance(value, bool | np.bool_ | str) for value in items):
        return np.array([as_text(value, known) for value in items], dtype=str)
    if all(isinstance(value, numbers.Integral) for value in items):
        return np.array(items, dtype=np.int64)
    if all(isinstance(value, numbers.Real) for value in items):
        return np.array(items, dtype=np.float64)
    return np.array([str(value) for value in items], dtype=str)


def _check_classes(classes: np.ndarray, n: int, source: str) -> None:
    if classes.dtype.kind == "f":
        whole = bool((classes == np.round(classes)).all())
        if len(classes) > _MANY or (not whole and len(classes) > max(2, n / 2)):
            raise DataError(
                f"y holds {len(classes)} distinct numbers in {n} samples ({source}), from {classes[0]:g} to "
                f"{classes[-1]:g}: y is continuous, which looks like regression. A classifier needs classes: use a "
                "regressor (GenomeRegressor, --task numbers), cut the numbers into groups, or convert them to integers or text if "
                "they are classes."
            )
    elif classes.dtype.kind == "U" and len(classes) > max(_MANY, n / 2):
        raise DataError(
            f"y holds {len(classes):,} distinct texts in {n:,} samples ({source}), such as {listed(classes[:3].tolist(), 3)}: "
            "these look like ids or descriptions, not classes. Name the column with the classes, or group them first."
        )
    if len(classes) < 2:
        only = f"only {classes[0].item()!r}, {counted(n, 'sample')}" if len(classes) else "no labels at all"
        raise DataError(f"y must hold at least 2 classes ({source}): got {only}.")
