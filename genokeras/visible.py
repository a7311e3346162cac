"""Text from elsewhere as it may be shown: in a terminal, on a page, and in csv files that people open in a spreadsheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line starts without it
    import pandas as pd

# Control and format characters, halves of characters, ends of lines and paragraphs; but for joiners, which scripts need.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_LEFT = "\t\n\xad\u200c\u200d"
_FORMULA = ("=", "+", "@", "-", "\t", "\r")


def visible(text: object) -> str:
    r"""Text whose control characters are seen in place of obeyed, but for tabs and ends of lines.

    Names come from files, and a terminal takes colours, a cleared screen or letters in the other direction from them.

    Examples
    --------
    >>> print(visible("S1\x1b[31m"))
    S1\x1b[31m
    """
    given = str(text)
    if given.isprintable():
        return given
    return "".join(
        letter.encode("unicode_escape", "surrogatepass").decode()
        if unicodedata.category(letter) in _UNSEEN and letter not in _LEFT
        else letter
        for letter in given
    )


def plain_cell(value: Any) -> Any:
    """The value, or text with an apostrophe before what a spreadsheet would compute, and with control characters as codes.

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("TP53"), plain_cell("-0.5"), plain_cell(-0.5)
    ("'=1+1", 'TP53', '-0.5', -0.5)
    """
    if not isinstance(value, str):
        return value
    return visible(f"'{value}" if _is_formula(value.lstrip("'")) else value)


def original_cell(value: Any) -> Any:
    """What :func:`plain_cell` was given, but for control characters.

    Examples
    --------
    >>> original_cell("'=1+1"), original_cell("5'-UTR"), original_cell("'a'")
    ('=1+1', "5'-UTR", "'a'")
    """
    if isinstance(value, str) and value.startswith("'") and _is_formula(value.lstrip("'")):
        return value[1:]
    return value


def plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose names and texts are as :func:`plain_cell` gives them."""
    return _each(plain_cell, table)


def original_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose names and texts are as :func:`original_cell` gives them."""
    return _each(original_cell, table)


def _each(change: Callable[[Any], Any], table: pd.DataFrame) -> pd.DataFrame:
    changed = table.set_axis([change(name) for name in table.columns], axis=1)
    texts = [i for i, dtype in enumerate(table.dtypes) if dtype.kind not in "biufc"]
    for i in texts:
        changed.isetitem(i, table.iloc[:, i].map(change).to_numpy(dtype=object))
    return changed


def _is_formula(text: str) -> bool:
    # A sign alone is no formula: classes are called + and -.
    return len(text) > 1 and text.startswith(_FORMULA) and not is_number(text)


def is_number(text: str) -> bool:
    """Whether text is a number, NaN and infinity included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
