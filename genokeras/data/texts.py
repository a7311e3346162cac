"""Texts with labels: tables, JSON lines, folders of classes and strings become a checked `TextData` here."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from genokeras.data.foreign import as_pandas
from genokeras.data.readers.class_folders import list_class_folder
from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import encoding_of, open_text
from genokeras.data.sample_files import encoding_notes, split_file
from genokeras.data.samples import (
    check_same_index,
    described,
    labels_and_note,
    per_sample,
    split_frame,
    unique_names,
)
from genokeras.data.table import Table
from genokeras.errors import DataError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, listed
from genokeras.visible import visible

_logger = logging.getLogger(__name__)

COLUMN_NAMES = ("text", "texts", "sentence", "message", "document", "review")
Empty = Literal["error", "keep"]


@dataclass(frozen=True, eq=False)
class TextData:
    """Texts as they came.

    Attributes
    ----------
    texts : tuple of str
    names : tuple of str
        One per text.
    labels : ndarray of shape (n_texts,), optional
        As they came, not encoded.
    groups : ndarray of shape (n_texts,), optional
        Texts of one group (one author, say) must not be split between training and scoring.
    source : str
        Where the data came from, for messages.
    names_given : bool
        False where `names` were made up as ``"sample_0"``, ``"sample_1"``...
    notes : tuple of str
        What was detected or left out, in plain sentences.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...]
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    source: str = "list"
    names_given: bool = True
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> TextData:
        """Return the texts that `rows` (a mask or positions) picks, in that order."""
        picked = np.arange(len(self))[rows]
        return dataclasses.replace(
            self,
            texts=tuple(self.texts[i] for i in picked),
            names=tuple(self.names[i] for i in picked),
            labels=None if self.labels is None else self.labels[picked],
            groups=None if self.groups is None else self.groups[picked],
        )

    def __repr__(self) -> str:
        labels = "without labels" if self.labels is None else "with labels"
        return f"TextData({counted(len(self), 'text')}, {labels}, {self.source})"


def load_texts(
    x: Any,
    y: Any = None,
    *,
    groups: Any = None,
    text_column: str | None = None,
    name_column: str | None = None,
    empty: Empty = "error",
    delimiter: str | None = None,
) -> TextData:
    """Read and check texts and, where given, their labels.

    Parameters
    ----------
    x : path, TextData, DataFrame or sequence of str
        Paths: a table with a column of texts (csv, tsv, txt, json, jsonl, each also .gz; parquet); or a folder with a folder of .txt
        files for each class. Text that is not UTF-8 or UTF-16 is read in the older encoding that its bytes suggest, which
        ``notes`` name.
    y : array-like of shape (n_texts,), str or path, optional
        Labels by row, a column of the table, or a file of names and labels. Without it a column ``label``, or the names
        of the class folders, are taken.
    groups : array-like of shape (n_texts,), str or path, optional
        As `y`.
    text_column, name_column : str, optional
        Columns of a table; without them ``text``, ``sentence``, ``message``... and ``id`` or ``name``.
    empty : {"error", "keep"}
        Texts of blanks alone raise, or stay: they say nothing, so a model answers them with what it finds likely anyway.
    delimiter : str, optional
        What separates the columns of a text file; without it the suffix says.

    Raises
    ------
    DataFileError
        Where a file is missing, empty, truncated, or no text.
    DataError
        Where texts, names or labels cannot be used; the message says which.

    Examples
    --------
    >>> load_texts(["well done", "oh no"], y=["good", "bad"])
    TextData(2 texts, with labels, list)
    """
    check_choice(empty, "empty", get_args(Empty))
    content, table = _content(x, text_column, name_column, delimiter)
    check_same_index(x, table, y=y, groups=groups)
    texts = _checked(content, table, empty)
    labels, label_notes = labels_and_note(y, table)
    data = TextData(
        texts=texts,
        names=table.ids,
        labels=labels,
        groups=per_sample(groups, table, "groups"),
        source=table.source,
        names_given=table.sample_ids is not None,
        notes=(*table.notes, *label_notes),
    )
    for note in data.notes:
        _logger.info("%s: %s", visible(data.source), visible(note))
    return data


def _content(
    x: Any, text_column: str | None, name_column: str | None, delimiter: str | None
) -> tuple[Sequence[Any], Table]:
    if isinstance(x, TextData):
        names = x.names if x.names_given else None
        return x.texts, described(len(x), x.source, names=names, y=x.labels, groups=x.groups, notes=x.notes)
    if isinstance(x, str | os.PathLike):
        path = Path(x).expanduser()
        if path.is_dir():
            return _from_folder(path)
        return split_file(
            path, content=text_column, usual=COLUMN_NAMES, name_column=name_column, delimiter=delimiter
        )
    x = as_pandas(x)
    if isinstance(x, pd.DataFrame):
        return split_frame(x, "DataFrame", content=text_column, usual=COLUMN_NAMES, name_column=name_column)
    source = {list: "list", pd.Series: "Series", np.ndarray: "array"}.get(type(x), type(x).__name__)
    if not isinstance(x, Iterable) or (isinstance(x, np.ndarray) and x.ndim != 1):
        raise DataError(f"x must be texts, one per sample: got {getattr(x, 'shape', type(x).__name__)}.")
    if isinstance(x, Set | Mapping):
        raise DataError(
            f"x must be texts in an order, one per sample: got a {type(x).__name__}. Pass a list."
        )
    items = list(x)
    names = unique_names(x.index) if isinstance(x, pd.Series) else None
    return items, described(len(items), source, names=names)


def _from_folder(folder: Path) -> tuple[list[str], Table]:
    listing = list_class_folder(folder, (".txt",))
    texts, encodings = [], []
    for file in listing.files:
        with text_errors(file), open_text(file) as handle:
            texts.append(handle.read())
            encodings.append(encoding_of(file))
    notes = (*listing.notes, *encoding_notes(encodings, listing.names))
    labels = None if listing.labels is None else np.array(listing.labels, dtype=object)
    return texts, described(len(texts), folder.name, names=listing.names, y=labels, notes=notes)


def _checked(items: Sequence[Any], table: Table, empty: Empty) -> tuple[str, ...]:
    texts = [_decoded(item, i, table) if isinstance(item, bytes) else item for i, item in enumerate(items)]
    odd = [i for i, text in enumerate(texts) if not isinstance(text, str)]
    if odd:
        first = texts[odd[0]]
        what = "missing" if first is None or first is pd.NA or first != first else f"a {type(first).__name__}"
        raise DataError(
            f"{table.source}: expected text for every sample; {len(odd)} of {len(texts)} "
            f"{'is' if len(odd) == 1 else 'are'} not: {listed((table.ids[i] for i in odd), 8)} (the first is {what})."
        )
    blank = [i for i, text in enumerate(texts) if not text.strip()] if empty == "error" else []
    if blank:
        raise DataError(
            f"{table.source}: {counted(len(blank), 'text is', 'texts are')} empty: "
            f"{listed((table.ids[i] for i in blank), 8)}. Drop {'it' if len(blank) == 1 else 'them'}, or pass empty='keep'."
        )
    # Half a pair of surrogates, as JSON of texts that were cut has it, is no character, and no backend reads it.
    return tuple(str(text).encode("utf-8", "replace").decode("utf-8") for text in texts)


def _decoded(item: bytes, row: int, table: Table) -> str:
    try:
        return item.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table.source}: {table.ids[row]} is not text in UTF-8 (byte {error.start})."
        ) from error
