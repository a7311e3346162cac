"""Lines of JSON that end in a checksum: ``{"event": "trial", ..., "crc": "0a1b2c3d"}``, CRC-32 of the line without it.

Lines that were written before there were checksums have none, and count.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from genokeras.support.json_files import json_text, parse_json

_CHECKED = re.compile(rb'(\{.*), "crc": "([0-9a-f]{8})"\}', re.DOTALL)


def line_of(event: Mapping[str, Any]) -> str:
    """An event as a line of a journal."""
    text = json_text(event, indent=None)
    return f'{text[:-1]}, "crc": "{zlib.crc32(text.encode("utf-8")):08x}"}}'


def event_of(line: bytes) -> dict[str, Any] | None:
    """The event of a line, or None where the line is damaged, too large or too deep."""
    checked = _CHECKED.fullmatch(line)
    text = line if checked is None else checked[1] + b"}"
    if checked is not None and zlib.crc32(text) != int(checked[2], 16):
        return None
    with suppress(ValueError):
        event = parse_json(text)
        if isinstance(event, dict) and "crc" not in event:
            return event
    return None


def read_journal(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The number of each line, from 1, and its event; None where it is damaged. What a crash cut short at the end is left out."""
    if not path.exists():
        return
    *lines, last = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, event_of(line)
    event = event_of(last)
    if event is not None:
        yield len(lines) + 1, event
