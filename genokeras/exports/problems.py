"""What is said of an export that could not be made."""

from __future__ import annotations

_LONGEST = 300
_INTRODUCTION = "Exception encountered when calling"


def first_line(error: BaseException) -> str:
    """What an error says first, or its type where it says nothing; converters add pages to it.

    Keras quotes what went wrong within after the configuration of a layer, and that is what counts.
    """
    _, _, within = str(error).rpartition("Exception encountered:")
    lines = [line.strip() for line in within.splitlines() if line.strip()]
    text = (
        " ".join(lines[: 2 if lines[0].endswith(":") or lines[0].startswith(_INTRODUCTION) else 1])
        if lines
        else type(error).__name__
    )
    return f"{text[:_LONGEST].rstrip('. ')}{'...' if len(text) > _LONGEST else '.'}"
