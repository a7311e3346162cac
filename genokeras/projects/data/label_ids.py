"""Which line of a labels file belongs to which sample."""

from __future__ import annotations

from collections.abc import Sequence

from genokeras.errors import DataError
from genokeras.projects.data.matrices import counts_up
from genokeras.support.wording import counted, duplicates, listed


def lines_of_ids(found: Sequence[str], ids: Sequence[str], source: str) -> list[int] | None:
    """Return the line of each sample, from 0.

    Parameters
    ----------
    found : sequence of str
        The first column of the labels file. Lines whose id is none of `ids`, such as a header, do not count.
    ids : sequence of str
        The features' sample ids.
    source : str
        The labels file, for messages.

    Returns
    -------
    list of int, or None
        None where the two have no id in common.

    Raises
    ------
    DataError
        If a sample has no line, or more than one.
    """
    place = {name: line for line, name in enumerate(found)}
    lost = [name for name in ids if name not in place]
    if len(lost) == len(ids):
        return None
    if lost:
        raise DataError(
            f"{source} has no label for {len(lost)} of {counted(len(ids), 'sample')}: {listed(lost, 8)}. Expected a line for each sample "
            "of the features; add these, or leave the samples out of the features."
        )
    wanted = set(ids)
    twice = duplicates(name for name in found if name in wanted)
    if twice:
        raise DataError(
            f"{source} labels {counted(len(twice), 'sample')} more than once: {listed(twice, 8)}."
        )
    return [place[name] for name in ids]


def only_counts(found: Sequence[str]) -> bool:
    """Return whether a first column counts the lines, below a header or not, and so says nothing of samples."""
    return counts_up(found) or counts_up(found[1:])
