"""Large delimited texts, parsed by Polars where it is installed; what it and pandas might read differently is left to pandas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from genokeras.data.readers.opening import encoding_of, open_bytes
from genokeras.support.extras import EXTRAS

if TYPE_CHECKING:
    import polars as pl

# Below this, either parser takes no time to speak of.
_LARGE = 4_000_000
_LOOK = 1000
# What pandas reads as missing.
MISSING = [
    *[
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
    ],
    *["NA", "NULL", "NaN", "None", "n/a", "nan", "null"],
]
_BOOLEANS = frozenset(["true", "false"])


def parse_large(
    path: Path, above: Sequence[str], delimiter: str, as_text: Collection[int], labels: Collection[int] = ()
) -> pd.DataFrame | None:
    """Return the columns of a large text, numbered; None where pandas should read it.

    Parameters
    ----------
    path : Path
    above : sequence of str
        The lines above the data, as they stand in the file.
    delimiter : str
    as_text : collection of int
        Columns that stay text.
    labels : collection of int
        Those of `as_text` in which numbers are seen to by the caller.
    """
    if (
        EXTRAS["fast"].missing
        or path.stat().st_size < _LARGE
        or len(delimiter) != 1
        or encoding_of(path) not in ("utf-8", "utf-8-sig")
    ):
        return None
    with open_bytes(path) as handle:
        skipped = b"".join(handle.readline() for _ in above).decode("utf-8-sig")
        if skipped != "".join(above):
            return None
        data = handle.read()
    frame = _parsed(data, delimiter, as_text)
    if frame is None or _has_blank_rows(frame):
        return None
    looked_at = [column for i, column in enumerate(frame.iter_columns()) if i not in labels]
    if any(map(_may_differ, looked_at)):
        return None
    columns = frame.to_pandas()
    columns.columns = pd.RangeIndex(frame.width)
    return columns


def _parsed(data: bytes, delimiter: str, as_text: Collection[int]) -> pl.DataFrame | None:
    """Types are taken from the first lines, or from all where these mislead."""
    polars: Any = import_module("polars")
    for look in (_LOOK, None):
        try:
            # Versions of Polars count columns without names from 0 or from 1.
            names = polars.read_csv(
                data, has_header=False, separator=delimiter, n_rows=1, infer_schema_length=0
            ).columns
            return polars.read_csv(
                data,
                has_header=False,
                separator=delimiter,
                null_values=MISSING,
                infer_schema_length=look,
                schema_overrides={names[i]: polars.String for i in as_text if i < len(names)},
            )
        except polars.exceptions.PolarsError:
            continue
    return None


def _has_blank_rows(frame: pl.DataFrame) -> bool:
    """Whether a row holds nothing: it may be a blank line, which pandas skips."""
    rows = frame.filter(frame.to_series(0).is_null() & frame.to_series(-1).is_null())
    return any(row.count(None) == len(row) for row in rows.iter_rows())


def _may_differ(column: pl.Series) -> bool:
    """Whether pandas may read a column as other than text: numbers in blanks or quotes, or truth values."""
    polars: Any = import_module("polars")
    if column.dtype != polars.String:
        return not (column.dtype.is_numeric() or column.dtype == polars.Null)
    first = next((value for value in column.head(_LOOK) if value is not None), "")
    try:
        float(first)
    except ValueError:
        return first.lower() in _BOOLEANS
    return True
