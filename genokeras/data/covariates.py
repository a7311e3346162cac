"""Covariates in text, such as a sex or a stage, as columns of zeros and ones: one a value, missing values being one of their own."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data.table import Table
from genokeras.data.targets import missing_mask
from genokeras.data.tidy import as_text
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

MISSING = "missing"
MOST_VALUES = 20


def category_column(name: str, value: str) -> str:
    """What the column of a value is called: ``sex=female``."""
    return f"{name}={value}"


def with_categories(
    table: Table,
    taken: Collection[str],
    fitted: Mapping[str, Sequence[str]] | None = None,
    keep_blank: bool = False,
) -> tuple[Table, dict[str, tuple[str, ...]]]:
    """Return a table with its annotations in text as columns, and the values of each.

    Parameters
    ----------
    table : Table
    taken : collection of str
        Annotations that are labels or groups, and no covariates.
    fitted : mapping of str to sequence of str, optional
        Values that a fitted model knows, by covariate, in place of those of the table. A warning names others.
    keep_blank : bool
        Samples that have neither a number nor a text have NaN in the columns of the texts, too.
    """
    if fitted is None:
        found = {
            name: _texts(values)
            for name, values in table.annotations.items()
            if name not in taken and name not in table.names
        }
        few = {name: texts for name, texts in found.items() if 1 < len(set(texts)) <= MOST_VALUES}
        known = {name: _ordered(texts) for name, texts in few.items()}
        notes = _training_notes(known, [name for name in found if name not in few])
    else:
        few = {name: _texts(table.annotations[name]) for name in fitted if name in table.annotations}
        known = {name: tuple(values) for name, values in fitted.items() if name in few}
        notes = _unseen_notes(few, known)
        for note in notes:
            warnings.warn(f"{table.source}: {note}", stacklevel=2)
    if not known:
        return dataclasses.replace(table, notes=(*table.notes, *notes)), {}
    columns = [
        (category_column(name, value), np.array([text == value for text in few[name]], dtype="float32"))
        for name, values in known.items()
        for value in values
    ]
    extra: Any = np.stack([values for _, values in columns], axis=1)
    if keep_blank and isinstance(table.x, np.ndarray) and table.x.shape[1]:
        unknown = np.array([[text == MISSING for text in few[name]] for name in known]).all(axis=0)
        extra[unknown & np.isnan(table.x).all(axis=1)] = np.nan
    is_sparse = isinstance(table.x, sparse.csr_matrix)
    parts: list[Any] = [table.x, sparse.csr_matrix(extra) if is_sparse else extra]
    x: Any = sparse.hstack(parts, format="csr") if is_sparse else np.hstack(parts)
    names = (*table.names, *(name for name, _ in columns))
    annotations = {name: values for name, values in table.annotations.items() if name not in known}
    done = dataclasses.replace(
        table, x=x, feature_names=names, annotations=annotations, notes=(*table.notes, *notes)
    )
    return done, known


def check_not_text(table: Table, wanted: Collection[str], source: str) -> None:
    """Raise where a column that held numbers in training holds text now.

    Parameters
    ----------
    table : Table
        As it was read: columns in text are annotations.
    wanted : collection of str
        Columns of numbers that a fitted model reads; none where no model does.
    source : str
        For the message.
    """
    texts = set(table.annotations).intersection(wanted)
    for name in sorted(texts.difference(table.names) if texts else texts):
        values = {value for value in table.annotations[name].tolist() if isinstance(value, str)}
        if values:
            shown = listed(map(repr, sorted(values)), 3)
            raise DataError(
                f"{source}: {name!r} held numbers in training and is text now ({shown}): expected numbers. Convert it as in training, by "
                ".map({'True': 1, 'False': 0}) or .astype(float), say."
            )


def _texts(values: np.ndarray) -> list[str]:
    lost = missing_mask(values)
    return [
        MISSING if gone else as_text(value).strip() for value, gone in zip(values.tolist(), lost, strict=True)
    ]


def _ordered(texts: Sequence[str]) -> tuple[str, ...]:
    """Values in their order, the missing one last."""
    return tuple(sorted(set(texts), key=lambda text: (text == MISSING, text)))


def _training_notes(known: Mapping[str, Sequence[str]], left_out: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if known:
        named = listed(f"{name} ({', '.join(values)})" for name, values in known.items())
        notes.append(
            f"Read as categories, each value a column of its own: {named}."
            if len(known) > 1
            else f"Read as categories, each value a column: {named}."
        )
    if left_out:
        count = counted(len(left_out), "column in text has", "columns in text have")
        notes.append(
            f"{count} one value only or more than {MOST_VALUES} and no part in this: {listed(left_out, 5)}."
        )
    return tuple(notes)


def _unseen_notes(texts: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    notes = []
    for name, values in known.items():
        unseen = sorted(set(texts[name]) - set(values))
        if unseen:
            notes.append(
                f"{name!r} has values that training did not, and that count for nothing: {listed(unseen, 5)}. Training had "
                f"{listed(values, 5)}."
            )
    return tuple(notes)
