"""Text in csv files that people open in a spreadsheet, where it must stay text."""

from __future__ import annotations

from typing import Any

import pandas as pd

_FORMULA = ("=", "+", "@", "-", "\t", "\r")


def plain_cell(value: Any) -> Any:
    """The value, or text with an apostrophe before what a spreadsheet would compute; control characters are left out.

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("TP53"), plain_cell("-0.5"), plain_cell(-0.5)
    ("'=1+1", 'TP53', '-0.5', -0.5)
    """
    if not isinstance(value, str):
        return value
    text = "".join(letter for letter in value if letter.isprintable() or letter in "\t\n\r")
    # A sign alone is no formula: classes are called + and -.
    formula = len(text) > 1 and text.startswith(_FORMULA) and not _is_number(text)
    return f"'{text}" if formula else text


def plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose names and texts are as :func:`plain_cell` gives them."""
    plain = table.set_axis([plain_cell(name) for name in table.columns], axis=1)
    texts = [i for i, dtype in enumerate(table.dtypes) if not pd.api.types.is_numeric_dtype(dtype)]
    for i in texts:
        plain.isetitem(i, table.iloc[:, i].map(plain_cell).to_numpy(dtype=object))
    return plain


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
