"""JSON that every reader of JSON takes, and files of it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.errors import GenoKerasError, NewerFormatError, RunFolderError
from genokeras.support.files import PathLike, write_text

# What is read at most: names of five million genes take up 100 MB, and the deepest graphs have some 40 levels.
MOST_BYTES, MOST_LEVELS = 100_000_000, 200
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = b"[]{}"
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))
_STEPS = np.array([{91: 1, 123: 1, 93: -1, 125: -1}.get(letter, 0) for letter in range(256)], "int8")
_BLOCK, _QUOTE = 1 << 20, 34
_PLAIN = {str, int, bool, type(None)}


def null_or_refuse(value: object) -> None:
    """Null for a number that is not finite; TypeError for anything else."""
    if not isinstance(value, float):
        raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r}.")


def _is_finite_number(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def plain_json(value: Any, other: Callable[[Any], Any] = null_or_refuse) -> Any:
    """Return JSON values alone: no arrays, no NumPy numbers, no tuples, no paths, no numbers that are not finite.

    Parameters
    ----------
    value : object
        Any nesting of mappings, lists, tuples, arrays and single values.
    other : callable
        What becomes of a single value that JSON does not know; `repr` makes text of it.

    Examples
    --------
    >>> plain_json({"rates": (0.1, float("nan"))})
    {'rates': [0.1, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(item, other) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_json(value.tolist(), other)
    if isinstance(value, list | tuple):
        is_plain = set(map(type, value)) <= _PLAIN or all(map(_is_finite_number, value))
        return list(value) if is_plain else [plain_json(item, other) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    known = value is None or isinstance(value, bool | int | str)
    return value if known or (isinstance(value, float) and math.isfinite(value)) else other(value)


def json_text(content: Any, indent: int | None = 1) -> str:
    """JSON of a value; numbers that are not finite become null.

    Raises
    ------
    RunFolderError
        If it is larger than what is read.
    """
    text = json.dumps(plain_json(content), indent=indent, ensure_ascii=False, allow_nan=False)
    # Bytes of a file's name that are no UTF-8 are half characters, which only an escape can hold.
    written = text.encode("utf-8", "backslashreplace")
    if len(written) > MOST_BYTES:
        raise RunFolderError(
            f"cannot write {_too_large(len(written), MOST_BYTES)} Give data with fewer or shorter names."
        )
    return written.decode("utf-8")


def parse_json(content: bytes | str, most: int | None = MOST_BYTES) -> Any:
    """The value of a JSON text in UTF-8, which is looked at before it is parsed.

    Parameters
    ----------
    content : bytes or str
    most : int, optional
        Bytes that it may have; None for the data of users.

    Raises
    ------
    ValueError
        If it is damaged or no JSON, is too large, or has more than `MOST_LEVELS` levels of brackets.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    if most is not None and len(data) > most:
        raise ValueError(_too_large(len(data), most))
    if _deeper(data, MOST_LEVELS):
        raise ValueError(f"it has more than {MOST_LEVELS} levels of brackets.")
    try:
        return json.loads(data.decode("utf-8") if content is data else content)
    except (ValueError, RecursionError, MemoryError) as damage:
        raise ValueError(f"it is damaged or no JSON ({damage}).") from damage


def read_limited(path: PathLike, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file.

    Raises
    ------
    ValueError
        If there are more than `most`; they are not read then.
    OSError
        If it cannot be read.
    """
    size = os.stat(path).st_size
    if size > most:
        raise ValueError(_too_large(size, most))
    return Path(path).read_bytes()


def _too_large(size: int, most: int) -> str:
    return f"{math.ceil(size / 1e6):,} MB of JSON: {most // 10**6} MB are read at most."


def _deeper(data: bytes, most: int) -> bool:
    """Whether brackets outside of texts are nested deeper."""
    brackets = data.translate(None, _OTHERS)
    if brackets.count(b"[") + brackets.count(b"{") <= most:
        return False
    if b"\\" in data:
        # Without escapes each quotation mark begins or ends a text.
        data = _TEXT.sub(b"", data)
    level, in_text = 0, 0
    for start in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, "uint8", min(_BLOCK, len(data) - start), start)
        inside = (np.cumsum(block == _QUOTE, dtype="int32") + in_text) & 1
        levels = level + np.cumsum(np.where(inside, 0, _STEPS[block]), dtype="int32")
        if levels.max() > most:
            return True
        level, in_text = int(levels[-1]), int(inside[-1])
    return False


def write_json(path: PathLike, content: Mapping[str, Any]) -> Path:
    """Write a JSON object, whole or not at all.

    Raises
    ------
    RunFolderError
        If the disk refuses.
    TypeError
        If a value is none of JSON's.
    """
    return write_text(path, json_text(content) + "\n")


def read_json(
    path: PathLike, *, format: int | None = None, error: type[GenoKerasError] = RunFolderError
) -> dict[str, Any]:
    """Read a JSON object.

    Parameters
    ----------
    path : path-like
    format : int, optional
        What its ``format`` must be.
    error : type of GenoKerasError
        What to raise.

    Raises
    ------
    NewerFormatError
        If a newer GenoKeras wrote it.
    GenoKerasError
        If there is no such file, or it cannot be read, is damaged, too large (100 MB) or too deep (200 levels), holds something
        else or has another format.
    """
    name = os.fspath(path)
    try:
        content = parse_json(read_limited(path))
    except FileNotFoundError as missing:
        raise error(f"there is no file {name!r}.") from missing
    except OSError as refused:
        raise error(f"cannot read {name!r}: {refused.strerror or refused}.") from refused
    except ValueError as damage:
        raise error(f"cannot read {name!r}: {damage}") from damage
    if not isinstance(content, dict):
        raise error(f"{name!r} should hold a JSON object, got {type(content).__name__}.")
    if format is not None:
        check_format(repr(name), content.get("format"), format, error)
    return content


def check_format(name: str, found: object, known: int, error: type[GenoKerasError] = RunFolderError) -> None:
    """See that something has the format that this version reads.

    Parameters
    ----------
    name : str
        What the message calls it.
    found : object
    known : int
    error : type of GenoKerasError
        What to raise where the format is none of a newer version.

    Raises
    ------
    NewerFormatError
        If a newer GenoKeras wrote it.
    GenoKerasError
        If it has another format.
    """
    if isinstance(found, int) and found > known:
        raise NewerFormatError(
            f"{name} has format {found}; this version of GenoKeras reads {known}: it was made by a newer GenoKeras. Update this "
            "one to read it."
        )
    if found != known or isinstance(found, bool):
        raise error(f"{name} has format {found!r}; this version of GenoKeras reads {known}.")
