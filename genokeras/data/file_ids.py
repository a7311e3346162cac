"""Ids of samples that are files of a folder, as files of labels write them: without the suffix, or below another folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SUFFIX = re.compile(r"\.[A-Za-z]+$")


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name)


def _last(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


_SHORTER: tuple[Callable[[str], str], ...] = (_stem, _last, lambda name: _stem(_last(name)))


def named_as_files(rows: list[list[str]], ids: Sequence[str]) -> list[list[str]]:
    """Return rows in which a column that means the samples names them as `ids` do.

    They stay as they are where a column holds some ids as written, where these are no names of files, and where what is left of them without suffix
    and folder, ``0`` of ``nl/0.txt``, would name several.

    Parameters
    ----------
    rows : list of list of str
        All of one length.
    ids : sequence of str
    """
    columns = list(zip(*rows, strict=True))
    if any(set(ids).intersection(column) for column in columns) or not all(map(_SUFFIX.search, ids)):
        return rows
    for shorter in _SHORTER:
        meant = {shorter(name): name for name in ids}
        for position, column in enumerate(columns):
            found = [cell for cell in dict.fromkeys(column) if shorter(cell) in meant]
            if len(meant) == len(ids) == len(found) == len(set(map(shorter, found))):
                known = {cell: meant[shorter(cell)] for cell in found}
                return [
                    [*row[:position], known.get(row[position], row[position]), *row[position + 1 :]]
                    for row in rows
                ]
    return rows
