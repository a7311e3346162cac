"""JSON5 text with positions: values, the line of every key, and what was expected where the syntax is wrong.

The json5 library says which value a text has, but neither where a key stands nor what it expected, and takes a second for
30,000 letters. So it is given only what plain JSON does not know, such as ``.5`` and ``+Infinity``.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import json5

from genokeras.errors import ConfigError

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:\s|\ufeff|//[^\r\n\u2028\u2029]*|/\*.*?\*/)+", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\r\n]|\\.)*"' + r"|'(?:[^'\\\r\n]|\\.)*'", re.DOTALL)
_KEY = re.compile(r"[^\W\d][\w$\u200c\u200d]*|\$[\w$]*")
# What stands between blanks and punctuation: a number, a constant, or a word that forgot its quotes.
_BARE = re.compile(r"""[^\s,:{}\[\]"'/]+""")
_OPENING = {"}": "{", "]": "["}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[^ux1-9]))", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_BREAKS = ("\r\n", "\n", "\r", "\u2028", "\u2029")
_MOST_LEVELS = 50
_LONGEST_NUMBER = 400


@dataclass(frozen=True)
class RepeatedKey:
    """A key that occurs twice in one object."""

    path: KeyPath
    line: int
    first_line: int


@dataclass(frozen=True, eq=False)
class ConfigText:
    """What a text holds and where.

    Attributes
    ----------
    value : object
        Plain dicts, lists, text, numbers, booleans and None.
    lines : mapping of key path to int
        The line, from 1, of every key and every item of a list; ``("trainer", "patience") -> 48``. The
        path of the whole is ``()``.
    repeated : tuple of RepeatedKey
    """

    value: Any
    lines: Mapping[KeyPath, int]
    repeated: tuple[RepeatedKey, ...] = ()


def parse_text(text: str, source: str) -> ConfigText:
    """Parse JSON with comments, trailing commas and the like (json5.org).

    Parameters
    ----------
    text : str
    source : str
        The file's name, for messages.

    Raises
    ------
    ConfigError
        Where the syntax is wrong: line, column, what was expected, and what stands there.
    """
    walker = _Walker(text, source)
    value = walker.document()
    return ConfigText(value, walker.lines, tuple(walker.repeated))


def path_text(path: KeyPath) -> str:
    """Return ``("trainer", "lists", 2)`` as ``"trainer.lists[2]"``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


class _Walker:
    """Walks the structure of a text once, by recursive descent."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.position = 0
        self.lines: dict[KeyPath, int] = {}
        self.repeated: list[RepeatedKey] = []
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def document(self) -> Any:
        """Walk the whole text and return its value."""
        self._skip()
        self.lines[()] = self._line(self.position)
        if self._here() != "{":
            self._fail("expected '{' at the start")
        value = self._value(())
        self._skip()
        if self.position < len(self.text):
            self._fail("expected the end of the file after the last '}'")
        return value

    def _value(self, path: KeyPath) -> Any:
        if len(path) > _MOST_LEVELS:
            self._fail(f"expected at most {_MOST_LEVELS} levels of brackets")
        if self._here() == "{":
            return self._object(path)
        if self._here() == "[":
            return self._array(path)
        if self._here() in ('"', "'"):
            return self._string("the value")
        return self._bare(path)

    def _object(self, path: KeyPath) -> dict[str, Any]:
        opened = self._line(self.position)
        self.position += 1
        values: dict[str, Any] = {}
        while self._skip() != "}":
            line = self._line(self.position)
            key = self._key(path, opened)
            inner = (*path, key)
            if inner in self.lines:
                self.repeated.append(RepeatedKey(inner, line, self.lines[inner]))
                # the last one counts, and what stands below the earlier one is no repetition of what stands below it
                self._forget(inner, values[key])
            self.lines[inner] = line
            if self._skip() != ":":
                self._fail(f"expected ':' after the key {key!r}")
            self.position += 1
            self._skip()
            values[key] = self._value(inner)
            self._separator("}", inner, opened)
        self.position += 1
        return values

    def _array(self, path: KeyPath) -> list[Any]:
        opened = self._line(self.position)
        self.position += 1
        values: list[Any] = []
        while self._skip() != "]":
            inner = (*path, len(values))
            self.lines[inner] = self._line(self.position)
            values.append(self._value(inner))
            self._separator("]", inner, opened)
        self.position += 1
        return values

    def _forget(self, path: KeyPath, value: Any) -> None:
        parts = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for part in parts:
            self._forget((*path, part), value[part])
            self.lines.pop((*path, part), None)

    def _separator(self, closing: str, path: KeyPath, opened: int) -> None:
        found = self._skip()
        if found == ",":
            self.position += 1
        elif found != closing:
            far = opened != self._line(self.position)
            opening = f" for the {_OPENING[closing]!r} of line {opened}" if far else ""
            self._fail(f"expected ',' or {closing!r}{opening} after the value of {path_text(path)!r}")

    def _key(self, path: KeyPath, opened: int) -> str:
        if self._here() in ('"', "'"):
            return self._string("the key")
        match = _KEY.match(self.text, self.position)
        if match is None:
            where = f" of {path_text(path)!r}" if path else ""
            self._fail(f"expected a key{where} in quotes, or the '}}' of the '{{' in line {opened}")
        self.position = match.end()
        return match.group()

    def _string(self, what: str) -> str:
        match = _STRING.match(self.text, self.position)
        if match is None:
            self._fail(f"expected {what} to end with {self._here()} in the same line")
        written = match.group()[1:-1]
        if "\\" in written:
            rest = _ESCAPE.sub("", written)
            if "\\" in rest:
                bad = rest[rest.index("\\") :][:2]
                self._fail(f"expected no {bad!r} in {what}: a backslash is written twice, as in 'C:\\\\data'")
            written = (
                _ESCAPE.sub(_unescaped, written).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        self.position = match.end()
        return written

    def _bare(self, path: KeyPath) -> Any:
        match = _BARE.match(self.text, self.position)
        if match is None:
            self._fail(f"expected a value for {path_text(path)!r}")
        try:
            value = _bare_value(match.group())
        except ValueError:
            self._fail(
                f"expected a value for {path_text(path)!r}: a number, true, false, null, a list, or text in quotes"
            )
        self.position = match.end()
        return value

    def _skip(self) -> str:
        """Go on to what is neither blank nor comment, and return its first character."""
        match = _BLANK.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        if self.text.startswith("/*", self.position):
            self._fail("expected the comment that '/*' begins to end with '*/'")
        return self._here()

    def _here(self) -> str:
        return self.text[self.position : self.position + 1]

    def _line(self, position: int) -> int:
        return bisect.bisect_right(self._starts, position)

    def _fail(self, expected: str) -> NoReturn:
        line = self._line(self.position)
        column = self.position - self._starts[line - 1] + 1
        rest = self.text[self.position : self.position + 24].splitlines()
        got = repr(rest[0].rstrip()) if rest and rest[0] else "the end of the file"
        raise ConfigError(f"{self.source}, line {line}, column {column}: {expected}, got {got}.")


def _bare_value(word: str) -> Any:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    number = _NUMBER.fullmatch(word)
    if number is not None:
        return float(word) if number[1] or number[2] else int(word)
    if len(word) > _LONGEST_NUMBER:
        raise ValueError
    return json5.loads(word)


def _unescaped(match: re.Match[str]) -> str:
    code, byte, letter = match.groups()
    if letter is None:
        return chr(int(code or byte, 16))
    return "" if letter in _BREAKS else _ESCAPES.get(letter, letter)
