"""Files of sequences and texts: a table with a column of them, and notes on what was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genokeras.data.readers.columns import read_columns
from genokeras.data.readers.opening import bare_name, encoding_note
from genokeras.data.samples import split_frame
from genokeras.data.table import Table
from genokeras.support.wording import counted, listed


def split_file(
    path: Path,
    *,
    content: str | None,
    usual: tuple[str, ...],
    name_column: str | None,
    delimiter: str | None,
) -> tuple[list[Any], Table]:
    """Return the column of sequences or texts, and a table of all that stands beside it.

    Parameters
    ----------
    path : Path
    content, usual, name_column
        As in `split_frame`.
    delimiter : str, optional
        What separates the columns of a text; without it the suffix says.

    Raises
    ------
    DataFileError
        Where the file is missing, empty, truncated, no text, ragged, or of an unknown suffix.
    DataError
        Where there is no such column, or names given by the caller repeat.
    """
    frame = read_columns(path, (content, *usual), delimiter, name_column)
    notes = () if bare_name(path).endswith(".parquet") else encoding_note(path)
    return split_frame(frame, path.name, content=content, usual=usual, name_column=name_column, notes=notes)


def encoding_notes(encodings: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Notes that name the files in an old encoding, which bytes alone cannot tell for sure; one for each encoding."""
    found: dict[str, list[str]] = {}
    for encoding, name in zip(encodings, names, strict=True):
        if not encoding.startswith("utf"):
            found.setdefault(encoding, []).append(name)
    return tuple(
        f"{counted(len(old), 'text is', 'texts are')} not UTF-8 and read as {encoding}: {listed(old, 5)}. If letters look wrong, save "
        f"{'it' if len(old) == 1 else 'them'} as UTF-8."
        for encoding, old in found.items()
    )
