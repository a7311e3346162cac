"""JSON5 text with positions: values, the line of every key, and what was expected where the syntax is wrong.

The json5 library says which value a text has, but neither where a key stands nor what it expected. So the text
is walked first; every token it finds is given to json5, and so is the whole text in the end.
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
_MOST_LEVELS = 50


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
    walker.document()
    try:
        value = json5.loads(text)
    except ValueError as error:
        reason = re.sub(r"^<string>:(\d+) ", r"line \1: ", str(error))
        raise ConfigError(f"{source}: no valid JSON: {reason}.") from error
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

    def document(self) -> None:
        """Walk the whole text."""
        self._skip()
        self.lines[()] = self._line(self.position)
        if self._here() != "{":
            self._fail("expected '{' at the start")
        self._value(())
        self._skip()
        if self.position < len(self.text):
            self._fail("expected the end of the file after the last '}'")

    def _value(self, path: KeyPath) -> None:
        if len(path) > _MOST_LEVELS:
            self._fail(f"expected at most {_MOST_LEVELS} levels of brackets")
        if self._here() == "{":
            self._object(path)
        elif self._here() == "[":
            self._array(path)
        elif self._here() in ('"', "'"):
            self._string("the value")
        else:
            self._bare(path)

    def _object(self, path: KeyPath) -> None:
        opened = self._line(self.position)
        self.position += 1
        while self._skip() != "}":
            line = self._line(self.position)
            key = self._key(path, opened)
            self._note((*path, key), line)
            if self._skip() != ":":
                self._fail(f"expected ':' after the key {key!r}")
            self.position += 1
            self._skip()
            self._value((*path, key))
            self._separator("}", (*path, key), opened)
        self.position += 1

    def _array(self, path: KeyPath) -> None:
        opened = self._line(self.position)
        self.position += 1
        i = 0
        while self._skip() != "]":
            self.lines[(*path, i)] = self._line(self.position)
            self._value((*path, i))
            self._separator("]", (*path, i), opened)
            i += 1
        self.position += 1

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
            return str(json5.loads(self._string("the key")))
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
        self.position = match.end()
        return match.group()

    def _bare(self, path: KeyPath) -> None:
        match = _BARE.match(self.text, self.position)
        if match is None:
            self._fail(f"expected a value for {path_text(path)!r}")
        try:
            json5.loads(match.group())
        except ValueError:
            self._fail(
                f"expected a value for {path_text(path)!r}: a number, true, false, null, a list, or text in quotes"
            )
        self.position = match.end()

    def _note(self, path: KeyPath, line: int) -> None:
        if path in self.lines:
            self.repeated.append(RepeatedKey(path, line, self.lines[path]))
            # the last one counts, and what stands below the earlier one is no repetition of what stands below it
            self.lines = {known: at for known, at in self.lines.items() if known[: len(path)] != path}
        self.lines[path] = line

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
