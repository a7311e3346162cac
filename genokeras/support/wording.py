"""Small helpers that put names and cells into error messages."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable

_VERSION_SUFFIX = re.compile(r"\.\d+$")
_LONGEST_CAUSE = 300
_NOT_WORD = re.compile(r"[^0-9a-z]+")


def listed(names: Iterable[object], limit: int = 10) -> str:
    """Return the first names joined by commas, and how many more there are."""
    values = [str(name) for name in names]
    text = ", ".join(values[:limit])
    return f"{text}, and {len(values) - limit} more" if len(values) > limit else text


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return ``"1 gene"`` or ``"3 genes"``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def sentence(text: str) -> str:
    """The text with a capital letter; the letters behind it stay as they are."""
    return text[:1].upper() + text[1:]


def closest(name: object, known: Iterable[object], limit: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are spelled most like `name`; upper and lower case count as equal.

    Parameters
    ----------
    name : object
    known : iterable
    limit : int
        How many, at most.
    cutoff : float
        Likeness that is asked for, from 0 to 1.
    """
    by_lower = {str(value).lower(): str(value) for value in known}
    close = difflib.get_close_matches(str(name).lower(), list(by_lower), n=limit, cutoff=cutoff)
    return [by_lower[match] for match in close]


def did_you_mean(name: object, known: Iterable[object], limit: int = 3) -> str:
    """Return ``" Did you mean 'label'?"`` for the closest known names, or an empty string: it follows a full stop."""
    close = closest(name, known, limit)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def cause(error: BaseException) -> str:
    """What an error says first, without its full stop, or its type where it says nothing; converters add pages to it.

    Keras quotes what went wrong within after the configuration of a layer, and that is what counts.
    """
    _, _, within = str(error).rpartition("Exception encountered:")
    lines = [line.strip() for line in within.splitlines() if line.strip()] or [type(error).__name__]
    more = lines[0].endswith(":") or lines[0].startswith("Exception encountered when calling")
    text = " ".join(lines[: 1 + more])
    return text.rstrip(". ") if len(text) <= _LONGEST_CAUSE else f"{text[:_LONGEST_CAUSE].rstrip('. ')}.."


def duplicates(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, in order of first appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def loose_key(name: str) -> str:
    """Return a key equal for names that differ in case, punctuation or a version suffix (``ENSG01.4``)."""
    return _NOT_WORD.sub("", _VERSION_SUFFIX.sub("", name.strip().lower()))
