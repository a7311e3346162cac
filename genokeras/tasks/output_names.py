"""Whether the outputs of two runs, or of a run and of new samples, go by the same names."""

from __future__ import annotations

from collections.abc import Sequence

from genokeras.data.target_order import made_up
from genokeras.tasks.class_names import class_name

# What a single target is called that came without a name.
_ALONE = (("y",), ("label",))


def same_names(held: Sequence[str], now: Sequence[str], of_classes: bool) -> bool:
    """Whether names mean the same outputs, in the same order.

    Parameters
    ----------
    held, now : sequence of str
    of_classes : bool
        Classes may be spelled in another way, as in `class_name`. Other names may be made up on either side.

    Examples
    --------
    >>> same_names(["0", "1"], ["0.0", "1.0"], of_classes=True), same_names(["a", "b"], ["b", "c"], of_classes=True)
    (True, False)
    >>> same_names(["age", "size"], ["y_0", "y_1"], of_classes=False)
    True
    """
    if len(held) != len(now):
        return False
    if of_classes:
        return [class_name(name, held) for name in now] == list(held)
    return list(held) == list(now) or any(made_up(names) or tuple(names) in _ALONE for names in (held, now))
