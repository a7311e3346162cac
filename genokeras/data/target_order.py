"""Which column of new targets is which of those that a model was fitted to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genokeras.errors import DataError
from genokeras.support.wording import did_you_mean, listed


def target_order(
    known: Sequence[str], wanted: Sequence[str], what: str, source: str = "", otherwise: str = ""
) -> list[int]:
    """Return the numbers of the columns in the order of training; by position where either side had no names of its own.

    Parameters
    ----------
    known : sequence of str
        Names of the columns, as they come.
    wanted : sequence of str
        Those of training.
    what, source, otherwise : str
        For the message: what has the columns, where they are from, and what helps instead of other names.

    Raises
    ------
    DataError
        If there are as many columns as in training, but they go by other names.
    """
    positions = list(range(len(known)))
    if list(known) == list(wanted):
        return positions
    if set(known) == set(wanted) and len(known) == len(wanted) == len(set(known)):
        return [known.index(name) for name in wanted]
    if len(wanted) > 1 and len(known) == len(wanted) and not made_up(known) and not made_up(wanted):
        lost = [name for name in wanted if name not in known]
        hint = did_you_mean(lost[0], [name for name in known if name not in wanted]) if lost else ""
        place = f" ({source})" if source else ""
        missing = (
            f" Missing {'is' if len(lost) == 1 else 'are'} {listed(map(repr, lost), 8)}." if lost else ""
        )
        raise DataError(
            f"{what} has the columns {listed(known, 8)}{place}, and the model was fitted to {listed(wanted, 8)}: which is which?"
            f"{missing}{hint} Rename the columns, or {otherwise}."
        )
    return positions


def made_up(names: Sequence[str]) -> bool:
    """Whether these are the names of columns that had none: ``y_0``, ``value_0``, or a number."""
    return all(re.fullmatch(r"(?:y_|value_)?\d+", name) for name in names)
