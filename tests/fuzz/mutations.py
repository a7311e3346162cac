"""Files as damage, other programs and bad luck leave them: edits of small valid files, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

_TOKENS = (
    *(
        b"",
        b"\0",
        b"\n",
        b"\r",
        b"\t",
        b",",
        b";",
        b'"',
        b"'",
        b"=",
        b"[",
        b"{",
        b"}",
        b"]",
        b":",
        b">",
        b"#",
        b" ",
    ),
    *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\x1b[31m", b"\xed\xa0\x80", "é\u2028".encode()),
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
        b"\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff",
        b"label",
        b"sample",
        b"id",
        b"shape",
        b"format",
        b"__proto__",
    ),
)
_MOST_EDITS = 4
# The json5 library takes 30 microseconds a letter: longer texts would take a second without any fault of ours.
_MOST_REPEATS = 500


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Bytes of one of the files, with a few edits."""
    content = draw(st.sampled_from(list(seeds)))
    for _ in range(draw(st.integers(0, _MOST_EDITS))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 1, 2, 4, 8, 40]))
        content = _edited(draw, content, start, start + length)
    return content


def _edited(draw: st.DrawFn, content: bytes, start: int, end: int) -> bytes:
    kind = draw(st.integers(0, 5))
    before, part, after = content[:start], content[start:end], content[end:]
    if kind == 0:
        return before
    if kind == 1:
        return before + after
    if kind == 2:
        return before + draw(st.binary(max_size=8)) + after
    if kind == 3:
        return before + (part or b"[") * draw(st.sampled_from([2, 10, _MOST_REPEATS])) + after
    if kind == 4:
        other = draw(st.integers(0, len(content)))
        return before + content[other : other + 40] + after
    return before + draw(st.sampled_from(_TOKENS)) + (after if draw(st.booleans()) else part + after)
