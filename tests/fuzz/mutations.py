"""Files as damage, other programs and bad luck leave them: edits of small valid files, drawn from a seed.

Hypothesis takes 2 ms to draw such edits and 0.4 ms to draw anything, most readers take less: an input here costs 10 microseconds.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence

_LETTERS = tuple(bytes([letter]) for letter in b"\0\n\r\t,;\"'=[{}]:>#@ |.-_\x7f\x80\xff")
_MARKS = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"PK\x03\x04",
    b"\x1b[31m",
    b"\xed\xa0\x80",
)
_WORDS = (
    *(
        b"nan",
        b"NA",
        b"null",
        b"true",
        b"-1",
        b"0",
        b"1e400",
        b"-inf",
        b"3.4e38",
        b"1,5",
        b"12%",
        b"=1+1",
        b"9" * 400,
    ),
    *(
        b"1e-400",
        b"0x10",
        b"1_000",
        b"2020-01-01",
        b"\xd9\xa3",
        "é\u2028".encode(),
        "\u212a".encode(),
        b"",
        b'""',
        b"[]",
        b"{}",
    ),
    *(
        b"label",
        b"sample",
        b"id",
        b"shape",
        b"format",
        b"__proto__",
        b"layers",
        b"#1.2",
        b"#1.3",
        b"//",
        b"/*",
        b"\\u0000",
    ),
)
_COUNTS = tuple(
    number.to_bytes(width, order)
    for number in (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 20, 1 << 30)
    for width, order in ((4, "big"), (4, "little"), (8, "little"))
)
_TOKENS = (*_LETTERS, *_MARKS, *_WORDS, *_COUNTS)
_HDF5 = b"\x89HDF"
_WORD = re.compile(rb"[\w.+-]+|[^\w\s]")
_MOST_EDITS = 4
_MOST_TRIES = 300
_LENGTHS = (0, 1, 1, 2, 4, 8, 40)
_REPEATS = (2, 2, 3, 10, 100, 5000)


def damaged(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Bytes of one of the files with one to four edits; of a zip archive as often with edits inside of it."""
    content = draw.choice(seeds)
    if content.startswith(b"PK\x03\x04") and draw.random() < 0.5:
        return _edited_inside(draw, content)
    return _edited(draw, content)


def shortest(content: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """The content without the parts that do not matter to its failure, to be read by people."""
    size, tries = max(1, len(content) // 2), _MOST_TRIES
    while size:
        start = 0
        while start < len(content) and tries:
            tries -= 1
            less = content[:start] + content[start + size :]
            if fails(less):
                content = less
            else:
                start += size
        size //= 2
    return content


def _edited(draw: random.Random, content: bytes) -> bytes:
    edits = _IN_PLACE if content.startswith(_HDF5) and draw.random() < 0.9 else _EDITS
    for _ in range(draw.choice((1, 1, 2, _MOST_EDITS))):
        content = draw.choice(edits)(draw, content)
    return content


def _edited_inside(draw: random.Random, content: bytes) -> bytes:
    """An archive whose checksums are right, and one of whose members is not."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as made:
        names = source.namelist()
        chosen = draw.choice(names)
        for name in names:
            part = source.read(name)
            made.writestr(zipfile.ZipInfo(name), _edited(draw, part) if name == chosen else part)
    return target.getvalue()


def _place(draw: random.Random, content: bytes) -> tuple[int, int]:
    # Headers are short and matter most: half of the edits are near the start.
    start = int(len(content) * draw.random() ** draw.choice((1, 3)))
    return start, start + draw.choice(_LENGTHS)


def _cut(draw: random.Random, content: bytes) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _removed(draw: random.Random, content: bytes) -> bytes:
    start, end = _place(draw, content)
    return content[:start] + content[end:]


def _flipped(draw: random.Random, content: bytes) -> bytes:
    start, _ = _place(draw, content)
    if start >= len(content):
        return content
    return content[:start] + bytes([content[start] ^ (1 << draw.randrange(8))]) + content[start + 1 :]


def _repeated(draw: random.Random, content: bytes) -> bytes:
    start, end = _place(draw, content)
    return content[:start] + (content[start:end] or b"[") * draw.choice(_REPEATS) + content[end:]


def _copied(draw: random.Random, content: bytes) -> bytes:
    start, end = _place(draw, content)
    other = draw.randrange(len(content) + 1)
    return content[:start] + content[other : other + 40] + content[end:]


def _inserted(draw: random.Random, content: bytes) -> bytes:
    start, _ = _place(draw, content)
    return content[:start] + draw.choice(_TOKENS) + content[start:]


def _overwritten(draw: random.Random, content: bytes) -> bytes:
    start, _ = _place(draw, content)
    token = draw.choice(_TOKENS)
    return content[:start] + token + content[start + len(token) :]


def _other_word(draw: random.Random, content: bytes) -> bytes:
    start, _ = _place(draw, content)
    word = _WORD.search(content, start)
    if word is None:
        return content
    return content[: word.start()] + draw.choice(_TOKENS) + content[word.end() :]


def _other_lines(draw: random.Random, content: bytes) -> bytes:
    """A line left out, doubled, or in the place of another."""
    lines = content.split(b"\n")
    here, there = draw.randrange(len(lines)), draw.randrange(len(lines))
    kept = lines[there] if draw.random() < 0.5 else b""
    lines[here : here + 1] = [kept, lines[here]] if draw.random() < 0.5 else [kept]
    return b"\n".join(lines)


_EDITS = (
    _cut,
    _removed,
    _flipped,
    _repeated,
    _copied,
    _inserted,
    _overwritten,
    _other_word,
    _other_word,
    _other_lines,
)
# Parts of an HDF5 file are found by their addresses: behind any other edit, nothing is.
_IN_PLACE = (_flipped, _overwritten)
